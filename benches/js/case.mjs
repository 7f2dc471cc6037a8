// One case of the bench in a process of its own: `case.mjs SUBJECT SDK SHAPE LOAD LANG WARM MILLIS` prints `{rounds}`, the CPU time that a span
// takes in microseconds, once for each round. It is the process's time: what collects garbage and compiles beside the main thread counts.
import { createRequire } from "node:module";
import { spansOf } from "./shapes.mjs";
import { batch, SUBJECTS } from "./subjects.mjs";

const ROUNDS = 9;

const [name, sdk, shape, load, lang, warm, millis] = process.argv.slice(2);
const packages = createRequire(new URL(`./${sdk}/package.json`, import.meta.url));

/** In microseconds. */
function cpu() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** At least so long. */
async function round(subject, spans, millis) {
  let spent = 0;
  let batches = 0;
  while (spent < millis * 1000) {
    spent += await batch(subject, cpu);
    batches++;
  }
  return spent / batches / spans;
}

const { spans, started } = spansOf({ sdk, shape, load, lang });
const subject = SUBJECTS[name]({
  spans,
  started,
  context: packages("@opentelemetry/api").ROOT_CONTEXT,
  load: packages,
  get genspan() {
    return createRequire(new URL("../../pkg/package.json", import.meta.url))("genspan");
  },
});
await round(subject, spans.length, warm);
const rounds = [];
for (let i = 0; i < ROUNDS; i++) rounds.push(await round(subject, spans.length, millis));
subject.verify?.();
console.log(JSON.stringify({ rounds }));
