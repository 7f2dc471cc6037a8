// What a flush of 512 spans of 8 KB does to the event loop, and what a queued span costs, in a process of its own: `loop.mjs SUBJECT` prints
// `{block, end}` in ms, medians of FLUSHES: the longest that nothing else could run, whether in the flush or in an `onEnd` that starts one, and a
// usual `onEnd`; for genspan `{queued, grown}` too, what it counts as queued and what its memory grew by, per encoded byte.
import { createRequire } from "node:module";
import { spansOf } from "./shapes.mjs";
import { SUBJECTS } from "./subjects.mjs";
import { med } from "./workload.mjs";

const FLUSHES = 15;
const WARM = 15;
const QUEUED_BATCHES = 4;

// The module's memory, which the package shows nobody.
let memory;
const { Instance } = WebAssembly;
WebAssembly.Instance = class {
  constructor(...args) {
    const instance = new Instance(...args);
    memory ??= instance.exports.memory;
    // biome-ignore lint/correctness/noConstructorReturn: it stands in for the real one
    return instance;
  }
};

const [name] = process.argv.slice(2);
const packages = createRequire(new URL("./peers/package.json", import.meta.url));
const genspan = createRequire(new URL("../../pkg/package.json", import.meta.url))("genspan");
const context = packages("@opentelemetry/api").ROOT_CONTEXT;
const shape = { sdk: "peers", shape: "genai", load: "b", lang: "en" };
const made = () => SUBJECTS[name]({ ...spansOf(shape), context, load: packages, genspan });

/** Memory for each encoded byte of spans that wait, in a module that has held none so far. */
async function memoryOfQueue() {
  const { processor, steps, answered, verify } = made();
  const [prepare, start, become, end, flush] = steps.map(({ run }) => run);
  const before = memory.buffer.byteLength;
  // All in one turn of the event loop: nothing is sent before.
  for (let i = 0; i < QUEUED_BATCHES; i++) for (const step of [prepare, start, become, end]) step();
  const grown = memory.buffer.byteLength - before;
  const [{ pendingBytes }] = processor.stats().destinations;
  await flush();
  verify();
  return { queued: pendingBytes / answered.bytes, grown: grown / answered.bytes };
}

const ofQueue = name === "genspan" ? await memoryOfQueue() : {};
const subject = made();
const { processor } = subject;
const [prepare, start, become, end, flush] = subject.steps.map(({ run }) => run);

const onEnd = processor.onEnd.bind(processor);
let ends = [];
processor.onEnd = (span) => {
  const before = performance.now();
  onEnd(span);
  ends.push(performance.now() - before);
};

/** The longest that the event loop did not come round while `work` ran. */
async function longestBlock(work) {
  let last = performance.now();
  let longest = 0;
  let over = false;
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!over) setImmediate(look);
  };
  setImmediate(look);
  await new Promise((resolve) => setTimeout(resolve, 10));
  longest = 0;
  last = performance.now();
  await work();
  await new Promise((resolve) => setTimeout(resolve, 10));
  over = true;
  look();
  return longest;
}

function handOver() {
  prepare();
  start();
  become();
  end();
}

const found = { block: [], end: [] };
for (let i = 0; i < WARM + FLUSHES; i++) {
  ends = [];
  handOver();
  const block = await longestBlock(flush);
  if (i < WARM) continue;
  found.block.push(Math.max(block, ...ends));
  found.end.push(med(ends));
}
const times = Object.entries(found).map(([key, all]) => [key, med(all)]);
console.log(JSON.stringify({ ...Object.fromEntries(times), ...ofQueue }));
