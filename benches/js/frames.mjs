// Writes the frames that the spans of a load are handed over in to a file: `frames.mjs SHAPE LOAD LANG FILE`. tools/replay.rs feeds them to the
// core natively, where an instruction counter can look at it. Each record: u8 what (0 key, 1 scope, 2 resource, 3 start, 4 end), u32 length, bytes.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { spansOf, TRACE } from "./shapes.mjs";

const [shape, load, lang, file] = process.argv.slice(2);
const [KEY, SCOPE, RESOURCE, START, END] = [0, 1, 2, 3, 4];
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The writer and the core behind it, which the package shows nobody. */
async function internals() {
  const { build } = createRequire(here("../../pkg/package.json"))("esbuild");
  const contents = 'export { initSync, Pipeline } from "./core.js"; export { FrameWriter } from "./frame.js";';
  const stdin = { contents, resolveDir: here("../../pkg/src"), loader: "ts" };
  const { outputFiles } = await build({ stdin, bundle: true, format: "esm", write: false, external: ["node:*"] });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

const { initSync, Pipeline, FrameWriter } = await internals();
initSync(new WebAssembly.Module(readFileSync(here("../../pkg/wasm/core.wasm"))));
const endpoint = "http://127.0.0.1:4318/v1/traces";
const pipeline = new Pipeline({ destinations: [{ endpoint, profile: "otel" }] }, {}, () => {});

let base = 0;
const records = [];
function keep(what, length) {
  const head = Buffer.alloc(5);
  head[0] = what;
  head.writeUInt32LE(length, 1);
  records.push(head, Buffer.from(new Uint8Array(pipeline.memory.buffer, base, length)));
}
const writer = new FrameWriter(
  {
    get memory() {
      return pipeline.memory;
    },
    reserve(bytes) {
      base = pipeline.reserve(bytes);
      return base;
    },
    intern(length) {
      keep(KEY, length);
      return pipeline.intern(length);
    },
    scope(length) {
      keep(SCOPE, length);
      return pipeline.scope(length);
    },
    resource(length) {
      keep(RESOURCE, length);
      return pipeline.resource(length);
    },
  },
  48,
  pipeline.wanted(),
);

const { spans, started } = spansOf({ sdk: "peers", shape, load, lang });
const ended = spans.map(({ attributes }) => attributes);
const flags = (span) => (span.parentSpanContext ? 1 : 0);
/** The first times teach the dictionary; only what the last one hands over is kept. */
for (const last of [false, false, true]) {
  for (let first = 0; first < spans.length; first += TRACE) {
    for (let i = first; i < first + TRACE; i++) {
      spans[i].attributes = started[i];
      const length = writer.start(spans[i], flags(spans[i]));
      if (last) keep(START, length);
      pipeline.start(length, 0, 0);
      writer.learn();
    }
    for (let i = first + TRACE - 1; i >= first; i--) {
      spans[i].attributes = ended[i];
      const length = writer.span(spans[i], flags(spans[i]));
      if (last) keep(END, length);
      pipeline.end(length, 0, 0);
      writer.learn();
    }
  }
}
writeFileSync(file, Buffer.concat(records));
