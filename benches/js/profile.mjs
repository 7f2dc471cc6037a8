// `make profile`: where the time of a span goes: what share is JavaScript's, the module's, and the engine's, and the functions that take most, by
// name. LOAD=a|b|c LANG_OF=en|mix|cjk SHAPE=genai|langfuse|openinference|vercel TOP=40. The module is the shipped one with its names kept.
import { readFileSync } from "node:fs";
import inspector from "node:inspector/promises";
import { createRequire } from "node:module";
import { bold, dim } from "../../demo/terminal.mjs";
import { spansOf } from "./shapes.mjs";
import { batch, SUBJECTS } from "./subjects.mjs";

const { LOAD: load = "b", LANG_OF: lang = "en", SHAPE: shape = "genai", TOP = "25" } = process.env;
const SECONDS = 3;
const packages = createRequire(new URL("./peers/package.json", import.meta.url));
const genspan = await import("../../pkg/dist/slim.js");
genspan.initSync(new WebAssembly.Module(readFileSync(new URL("../../target/size/named.wasm", import.meta.url))));

const of = spansOf({ sdk: "peers", shape, load, lang });
const subject = SUBJECTS.genspan({ ...of, context: packages("@opentelemetry/api").ROOT_CONTEXT, genspan });

async function run(seconds) {
  let [batches, micros] = [0, 0];
  for (const end = Date.now() + seconds * 1000; Date.now() < end; batches++) {
    micros += await batch(subject, () => performance.now() * 1000);
  }
  return micros / batches / of.spans.length;
}

await run(1);
const session = new inspector.Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.setSamplingInterval", { interval: 100 });
await session.post("Profiler.start");
const micros = await run(SECONDS);
const { profile } = await session.post("Profiler.stop");
subject.verify();

const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
const here = ["profile.mjs", "subjects.mjs", "shapes.mjs"];
function partOf({ functionName, url }) {
  if (url.startsWith("wasm:")) return "the module";
  if (here.some((name) => url.endsWith(name))) return undefined;
  if (functionName === "(garbage collector)") return "garbage collector";
  return url.endsWith("slim.js") ? "JavaScript of genspan" : "the engine and the rest";
}

/** What Rust calls it. */
const plain = (name) => name.replace(/\[[0-9a-f]+\]/g, "").replace(/^genspan::/, "");
const parts = new Map();
const functions = new Map();
let total = 0;
for (const id of profile.samples) {
  const frame = frames.get(id);
  const part = partOf(frame);
  if (part === undefined || frame.functionName === "(idle)") continue;
  total++;
  parts.set(part, (parts.get(part) ?? 0) + 1);
  const name = `${plain(frame.functionName || "(anonymous)")}`;
  const key = JSON.stringify([part, name]);
  functions.set(key, (functions.get(key) ?? 0) + 1);
}
const most = (counts) => [...counts].sort((a, b) => b[1] - a[1]).map(([what, count]) => [what, count / total]);
const found = {
  micros,
  parts: most(parts),
  functions: most(functions)
    .slice(0, Number(TOP))
    .map(([key, share]) => [...JSON.parse(key), share]),
};
if (process.argv[2] === "--json") {
  console.log(JSON.stringify(found));
} else {
  const percent = (share) => `${(100 * share).toFixed(1)} %`.padStart(7);
  console.log(
    `${bold(`${shape}, load ${load}, ${lang}: ${micros.toFixed(1)} µs a span`)} ${dim("under the profiler")}\n`,
  );
  for (const [part, share] of found.parts) console.log(`${percent(share)}  ${part}`);
  console.log();
  for (const [part, name, share] of found.functions) {
    console.log(`${percent(share)}  ${name.slice(0, 90).padEnd(90)}  ${dim(part)}`);
  }
}
