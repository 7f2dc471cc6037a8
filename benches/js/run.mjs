// `make bench`: what genspan costs beside named peers and beside the floor, in one run. Every case is a process of its own (case.mjs).
// BENCH=quick takes under a minute; BENCH=genai, normalised, genai24, elsewhere, loop, size, profile or native is that part alone. WRITE_PAGE=1
// writes the tables of a whole run into docs/performance.md.
import { cpus } from "node:os";
import { bold, dim } from "../../demo/terminal.mjs";
import { eventLoop, profile, sizes } from "./costs.mjs";
import { natively } from "./native.mjs";
import { elsewhere, genai, genai24, MILLIS, normalised, quick } from "./ratios.mjs";
import { writePage } from "./table.mjs";

const before = Date.now();
const where = `One run of \`make bench\` on ${cpus().length} cores (${cpus()[0].model.trim()}), Node ${process.versions.node}, ${process.platform} ${process.arch}: median of 9 rounds of at least ${MILLIS[1]} ms of CPU time after ${MILLIS[0]} ms to warm up, each case in a process of its own, no compression.`;
console.log(
  bold(
    "CPU time a span: a peer’s as a multiple of genspan’s. Above 1×, genspan is faster; behind a figure its target.",
  ),
);
console.log(`  genspan       the whole way: a span’s start and end, normalising, entry, batch, encoding, flush
  floor         all string values once through TextEncoder.encodeInto, and nothing else; what genspan takes as a multiple of it
  newest        ProtobufTraceSerializer of @opentelemetry/otlp-transformer 0.223 (with SDK 3.x 0.301), encoding alone
  fastest       the same of 0.208, the last with protobufjs, encoding alone
  plain JS      an encoder in JS, written to be as fast as we know how, which normalises nothing
  JSON          JsonTraceSerializer 0.223, encoding alone
  stock path    BatchSpanProcessor with an exporter that only encodes, as newest does`);
console.log(
  dim(
    `  ${where.replaceAll("`", "")}\n  Time is the process’s: the threads that collect garbage and compile count, for each peer alike.`,
  ),
);

const PARTS = { genai, normalised, genai24, elsewhere, loop: eventLoop, size: sizes, profile, native: natively };
const QUICK = ["genai", "normalised", "genai24", "loop", "size"];
const { BENCH = "" } = process.env;
const chosen = quick ? QUICK : Object.hasOwn(PARTS, BENCH) ? [BENCH] : Object.keys(PARTS);
for (const part of chosen) await PARTS[part]();
console.log(dim(`\n  ${((Date.now() - before) / 1000).toFixed(0)} s`));
if (process.env.WRITE_PAGE === "1" && chosen.length === Object.keys(PARTS).length) writePage(where);
