// `make bench`: how long the main thread is held for a span, genspan beside three peers, as ratios. One case a process (case.mjs).
// It judges nothing: times differ from machine to machine, and only the ratios of one run mean something.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const full = process.env.BENCH_FULL === "1";
const SECONDS = full ? 1 : 0.25;

const CASES = full
  ? ["a", "b", "c"].flatMap((load) => ["en", "mix", "cjk"].map((lang) => [load, lang]))
  : [
      ["a", "en"],
      ["a", "cjk"],
      ["b", "en"],
      ["b", "mix"],
      ["b", "cjk"],
      ["c", "en"],
    ];

const LOADS = { a: "tool call, 1 KB", b: "chat, 8 KB", c: "chat, 64 KB" };
const LANGS = { en: "English", mix: "English with ’ — 😀", cjk: "CJK" };
const PEERS = ["newest", "fastest", "control"];

const { stdout } = process;
const styled = Boolean(stdout.isTTY) && !process.env.NO_COLOR && process.env.TERM !== "dumb";
const dim = (text) => (styled ? `\x1b[2m${text}\x1b[22m` : text);
const bold = (text) => (styled ? `\x1b[1m${text}\x1b[22m` : text);

async function micros(peer, load, lang) {
  const script = new URL("./case.mjs", import.meta.url).pathname;
  const { stdout: out } = await run(process.execPath, [script, peer, load, lang, String(SECONDS)]);
  return JSON.parse(out).micros;
}

console.log(bold("Main-thread time a span: the peer’s divided by ours. Above 1, genspan is faster."));
console.log(`  newest   @opentelemetry/otlp-transformer 0.223, the newest stock OTLP protobuf encoder for Node 20
  fastest  @opentelemetry/otlp-transformer 0.208 (protobufjs), the fastest stock encoder there was
  control  an OTLP encoder in plain JS, written to be as fast as we know how
  genspan  hand-over at start and end, normalising, entry, encoding and flush; the peers only encode`);
console.log(
  dim(
    `  Node ${process.versions.node}, ${process.platform} ${process.arch}, 512 spans a batch, median of 5 rounds of ${SECONDS} s, warm, no compression\n`,
  ),
);
console.log(
  `${"load".padEnd(17)}${"text".padEnd(22)}${PEERS.map((peer) => peer.padStart(10)).join("")}   ${dim("µs a span: genspan · peers")}`,
);
for (const [load, lang] of CASES) {
  const ours = await micros("genspan", load, lang);
  const theirs = [];
  for (const peer of PEERS) theirs.push(await micros(peer, load, lang));
  const ratios = theirs.map((time) => `${(time / ours).toFixed(1)}×`.padStart(10)).join("");
  const times = [ours, ...theirs].map((time) => (time < 10 ? time.toFixed(1) : time.toFixed(0)));
  console.log(
    `${LOADS[load].padEnd(17)}${LANGS[lang].padEnd(22)}${bold(ratios)}   ${dim(`${times[0]} · ${times.slice(1).join(" ")}`)}`,
  );
}
