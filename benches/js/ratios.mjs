// What genspan takes of CPU time beside peers, and beside the floor: the tables of ratios, and the targets they are held against.
import { node, others } from "./runtimes.mjs";
import { NONE, short, table, wanted } from "./table.mjs";
import { med } from "./workload.mjs";

export const quick = process.env.BENCH === "quick";
/** To warm up, and in a round at least. */
export const MILLIS = quick ? [250, 25] : [400, 40];

export const LOADS = { a: ["tool call", "1 KB"], b: ["chat", "8 KB"], c: ["chat", "64 KB"] };
const LANGS = { en: "English", mix: "mixed", cjk: "CJK" };
const SHAPES = { langfuse: "Langfuse", openinference: "OpenInference", vercel: "Vercel AI" };
export const SIZES = ["a", "b", "c"];

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

export async function normalised() {
  const columns = [
    { title: "span", size: 30, text: true },
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

export async function elsewhere() {
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

const everything = SIZES.flatMap((load) => Object.keys(LANGS).map((lang) => [load, lang]));

export async function genai() {
  const some = [...SIZES.map((load) => [load, "en"]), ["b", "cjk"]];
  const peers = quick ? [NEWEST, FASTEST, CONTROL] : [NEWEST, FASTEST, CONTROL, JSON_STOCK, STOCK];
  const title = `Spans as OTel GenAI has them, Node ${process.versions.node}`;
  const notes = ["at start   the attributes are given to startSpan, not to the running span"];
  await written(node, "genai", title, "peers", peers, notes, quick ? some : everything, ["b"]);
}

export async function genai24() {
  const { node24 } = others;
  if (node24.missing) return;
  const title = `Spans as OTel GenAI has them, Node ${await node24.version()}, SDK 3.x`;
  const peers = [NEWEST_3, FASTEST, CONTROL];
  await written(node24, "genai24", title, "peers3", peers, [], quick ? [["b", "en"]] : everything);
}
