// `make bench`: what genspan costs beside named peers and beside the floor, in one run. Every case is a process of its own (case.mjs).
// BENCH=quick takes under a minute, BENCH=native runs only the last part; WRITE_PAGE=1 writes the tables into docs/performance.md.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { bold, dim } from "../../demo/terminal.mjs";
import { natively } from "./native.mjs";
import { node, others } from "./runtimes.mjs";
import { short, table, wanted, writePage } from "./table.mjs";
import { med } from "./workload.mjs";

const run = promisify(execFile);
const quick = process.env.BENCH === "quick";
const onlyNative = process.env.BENCH === "native";
/** To warm up, and in a round at least. */
const MILLIS = quick ? [250, 25] : [400, 40];

const LOADS = { a: ["tool call", "1 KB"], b: ["chat", "8 KB"], c: ["chat", "64 KB"] };
const LANGS = { en: "English", mix: "mixed", cjk: "CJK" };
const SHAPES = { langfuse: "Langfuse", openinference: "OpenInference", vercel: "Vercel AI" };
const SIZES = ["a", "b", "c"];

/** The targets, by load in the order of SIZES. */
const LEAST = {
  newest: { en: [8, 20, 40], mix: [6, 6, 5], cjk: [5, 6, 5] },
  fastest: { en: [4, 3, 3], mix: [3, 2.5, 2], cjk: [4, 3, 2] },
  control: { en: [1.7, 1, 1], mix: [1.7, 1, 1], cjk: [1.7, 1, 1] },
};
const FLOOR_MOST = [1.3, 1.3, 1.4];
const NORMALISED_LEAST = { newest: [3, 8, 15], fastest: [1, 1, 1] };

const NEWEST = { peer: "newest", title: "newest", subject: "protobuf", sdk: "peers" };
const NEWEST_3 = { ...NEWEST, sdk: "peers3" };
const FASTEST = { peer: "fastest", title: "fastest", subject: "protobuf", sdk: "old2" };
const CONTROL = { peer: "control", title: "plain JS", subject: "control", sdk: "peers" };
const JSON_STOCK = { peer: "json", title: "JSON", subject: "json", sdk: "peers" };
const STOCK = { peer: "stock", title: "stock path", subject: "stock", sdk: "peers" };
const NORMALISING = {
  langfuse: { subject: "langfuse", sdk: "normalising" },
  vercel: { subject: "openinference", sdk: "normalising" },
};

const known = new Map();
/** The median of the rounds in µs a span, and half of what the middle half of them spans, as a part of it. Each case is measured once. */
function measure(runtime, subject, sdk, load) {
  const key = JSON.stringify([runtime.name, sdk, subject, load]);
  if (!known.has(key)) known.set(key, runtime.measure(subject, sdk, load, MILLIS).then(summary));
  return known.get(key);
}

function summary(rounds) {
  const sorted = rounds.toSorted((a, b) => a - b);
  const quarter = Math.floor(sorted.length / 4);
  const micros = med(rounds);
  return { micros, spread: (sorted.at(-1 - quarter) - sorted[quarter]) / 2 / micros };
}

const percent = (part) => `±${(100 * part).toFixed(0)} %`;
const NONE = { text: "–" };

/** Ours, the floor below it, peers as multiples of ours, and how far the rounds lie apart: ours, and the peer's that is worst. */
async function compare(runtime, { subject = "genspan", sdk, load, targets, floorMost, peers }) {
  const ours = await measure(runtime, subject, sdk, load);
  const floor = await measure(runtime, "floor", sdk, load);
  const cells = [short(ours.micros), wanted(ours.micros / floor.micros, { most: floorMost })];
  let worst = floor.spread;
  for (const peer of peers) {
    if (peer === undefined) {
      cells.push(NONE);
      continue;
    }
    const theirs = await measure(runtime, peer.subject, peer.sdk, load);
    worst = Math.max(worst, theirs.spread);
    cells.push(wanted(theirs.micros / ours.micros, { least: targets?.[peer.peer] }));
  }
  return [...cells, `${percent(ours.spread)} ${percent(worst)}`];
}

const COLUMNS = [
  { title: "µs a span", size: 9 },
  { title: "floor", size: 10 },
];
const peerColumns = (titles) => titles.map((title) => ({ title, size: 11 }));
const SPREAD = { title: "spread", size: 13 };

const targetsOf = (load, lang, peers) =>
  Object.fromEntries(peers.map(({ peer }) => [peer, LEAST[peer]?.[lang][SIZES.indexOf(load)]]));

async function written(runtime, name, title, sdk, peers, notes, loads, given = []) {
  const columns = [
    { title: "span", size: 22, text: true },
    { title: "text", size: 8, text: true },
    ...COLUMNS,
    ...peerColumns(peers.map((peer) => peer.title)),
    SPREAD,
  ];
  const add = table(name, title, columns, notes);
  for (const [load, lang] of loads) {
    const of = { load: { shape: "genai", load, lang }, targets: targetsOf(load, lang, peers) };
    const floorMost = FLOOR_MOST[SIZES.indexOf(load)];
    await add([LOADS[load].join(", "), LANGS[lang]], () => compare(runtime, { ...of, sdk, floorMost, peers }));
  }
  for (const load of given) {
    const of = { subject: "given", load: { shape: "genai", load, lang: "en" } };
    await add([`${LOADS[load].join(", ")}, at start`, LANGS.en], () => compare(runtime, { ...of, sdk, peers }));
  }
}

async function rewritten() {
  const columns = [
    { title: "span", size: 27, text: true },
    { title: "text", size: 8, text: true },
    ...COLUMNS,
    ...peerColumns([NEWEST.title, FASTEST.title, "normalising peer"]),
    SPREAD,
  ];
  columns[6].size = 16;
  const add = table("normalised", "Spans that need full normalising", columns, [
    "normalising peer   for Langfuse’s spans LangfuseSpanProcessor of @langfuse/otel 5.11, for Vercel’s OpenInferenceBatchSpanProcessor",
    "                   of @arizeai/openinference-vercel 2.8 (the last that reads AI SDK 4 to 6); both with an exporter that only encodes",
  ]);
  const row = async (shape, load, lang) => {
    const i = SIZES.indexOf(load);
    const targets = { newest: lang === "en" ? NORMALISED_LEAST.newest[i] : undefined, fastest: 1 };
    const peers = [NEWEST, FASTEST, NORMALISING[shape]];
    const of = { sdk: "peers", load: { shape, load, lang }, targets, peers };
    await add([`${SHAPES[shape]}, ${LOADS[load].join(", ")}`, LANGS[lang]], () => compare(node, of));
  };
  for (const shape of Object.keys(SHAPES)) {
    for (const load of quick ? ["b"] : SIZES) await row(shape, load, "en");
    if (!quick) await row(shape, "b", "cjk");
  }
}

async function elsewhere() {
  const columns = [
    { title: "runtime", size: 20, text: true },
    { title: "span", size: 18, text: true },
    { title: "text", size: 8, text: true },
    ...COLUMNS,
    ...peerColumns([NEWEST.title, CONTROL.title]),
    SPREAD,
  ];
  const add = table("elsewhere", "Other runtimes", columns, [
    "workerd   the process’s time from outside: no clock runs in a worker; what is not timed elsewhere is run by itself and taken off",
  ]);
  for (const runtime of [others.deno, others.bun, others.workerd]) {
    if (runtime.missing) continue;
    const name = `${runtime.name} ${await runtime.version()}`;
    for (const [load, lang] of [
      ["a", "en"],
      ["b", "en"],
      ["b", "cjk"],
    ]) {
      const of = { sdk: "peers", load: { shape: "genai", load, lang }, peers: [NEWEST, CONTROL] };
      await add([name, LOADS[load].join(", "), LANGS[lang]], () => compare(runtime, of));
    }
  }
}

const script = async (name, argument) => {
  const { stdout } = await run(process.execPath, [fileURLToPath(new URL(name, import.meta.url)), argument]);
  return JSON.parse(stdout);
};

async function eventLoop() {
  const columns = [
    { title: "what", size: 46, text: true },
    { title: "genspan", size: 12 },
    { title: "stock path", size: 12 },
  ];
  const add = table("loop", "The event loop and memory, 512 spans of 8 KB", columns);
  const [ours, stock] = [await script("loop.mjs", "genspan"), await script("loop.mjs", "stock")];
  const millis = (n) => `${n < 0.1 ? n.toFixed(3) : n.toFixed(1)} ms`;
  const block = { text: millis(ours.block), target: "2 ms", met: ours.block <= 2 };
  await add(["longest block of a flush"], () => [block, millis(stock.block)]);
  await add(["a usual onEnd"], () => [millis(ours.end), millis(stock.end)]);
  await add(["queued, as stats() counts it, per encoded byte"], () => [wanted(ours.queued, { most: 1.3 }), NONE]);
  await add(["WebAssembly memory grown, per encoded byte"], () => [wanted(ours.grown, { most: 1.3 }), NONE]);
}

async function sizes() {
  const read = (name) => readFileSync(new URL(`../../pkg/dist/${name}`, import.meta.url));
  const [module, glue] = [read("core.wasm"), read("slim.js")];
  const kb = (bytes) => `${(bytes.length / 1000).toFixed(1)} KB`;
  const columns = [
    { title: "size", size: 34, text: true },
    { title: "bytes", size: 10 },
    { title: "gzip -9", size: 10 },
    { title: "brotli", size: 10 },
  ];
  const weighed = table("size", "Size and start", columns);
  for (const [name, bytes] of [
    ["the WebAssembly module", module],
    ["the glue, genspan/slim", glue],
  ]) {
    await weighed([name], () => [kb(bytes), kb(gzipSync(bytes, { level: 9 })), kb(brotliCompressSync(bytes))]);
  }
  const started = table("start", "Start, CPU time of a process", [
    { title: "package", size: 34, text: true },
    { title: "import", size: 10 },
    { title: "first span", size: 10 },
  ]);
  for (const [name, label] of [
    ["genspan", "genspan"],
    ["stock", "stock: sdk-trace-base, otlp-transformer"],
  ]) {
    const runs = [];
    await started([label], async () => {
      for (let i = 0; i < 5; i++) runs.push(await script("start.mjs", name));
      return ["load", "ready"].map((key) => `${med(runs.map((run) => run[key])).toFixed(1)} ms`);
    });
  }
}

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

if (!onlyNative) {
  const everything = SIZES.flatMap((load) => Object.keys(LANGS).map((lang) => [load, lang]));
  const some = [...SIZES.map((load) => [load, "en"]), ["b", "cjk"]];
  const peers = quick ? [NEWEST, FASTEST, CONTROL] : [NEWEST, FASTEST, CONTROL, JSON_STOCK, STOCK];
  const title = `Spans as OTel GenAI has them, Node ${process.versions.node}`;
  const notes = ["at start   the attributes are given to startSpan, not to the running span"];
  await written(node, "genai", title, "peers", peers, notes, quick ? some : everything, ["b"]);
  await rewritten();
  const { node24 } = others;
  if (node24.missing) console.log(dim(`\n  Node 24 was left out: ${node24.missing}`));
  else {
    const title = `Spans as OTel GenAI has them, Node ${await node24.version()}, SDK 3.x`;
    const peers = [NEWEST_3, FASTEST, CONTROL];
    await written(node24, "genai24", title, "peers3", peers, [], quick ? [["b", "en"]] : everything);
  }
  if (!quick) await elsewhere();
  await eventLoop();
  await sizes();
}
if (!quick) await natively();
console.log(dim(`\n  ${((Date.now() - before) / 1000).toFixed(0)} s`));
if (process.env.WRITE_PAGE === "1") writePage(where);
