// The native part of the bench: runs criterion (benches/native.rs) and puts what it found into a table.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { short, table, times, wanted } from "./table.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOUND = `${ROOT}target/criterion`;

const json = (...names) => JSON.parse(readFileSync([FOUND, ...names].join("/"), "utf8"));

/** By body: its size, and the median microseconds of each bench. */
function results() {
  const bodies = new Map();
  for (const body of readdirSync(FOUND)) {
    if (body === "report") continue;
    for (const bench of readdirSync(`${FOUND}/${body}`)) {
      if (bench === "report") continue;
      const { group_id, throughput } = json(body, bench, "new", "benchmark.json");
      const of = bodies.get(group_id) ?? { bytes: throughput.Bytes };
      of[bench] = json(body, bench, "new", "estimates.json").median.point_estimate / 1000;
      bodies.set(group_id, of);
    }
  }
  return bodies;
}

export async function natively() {
  const columns = [
    { title: "body", size: 16, text: true },
    { title: "size", size: 7 },
    { title: "µs", size: 6 },
    { title: "of memcpy", size: 9 },
    { title: "prost", size: 10 },
    { title: "convert: prost", size: 14 },
  ];
  const add = table(
    "native",
    "Natively, OTLP bytes to OTLP bytes: what the plugin for Envoy does with a body",
    columns,
    [
      "prost       decodes and encodes the same body, as a multiple of the pipeline’s time; convert is the same without what is known of other bodies",
      "memcpy      the floor: what the pipeline takes as a multiple of it",
    ],
  );
  rmSync(FOUND, { recursive: true, force: true });
  const bench = ["bench", "--quiet", "--bench", "native", "--", "--noplot"];
  execFileSync("cargo", bench, { cwd: ROOT, stdio: ["ignore", "ignore", "pipe"] });
  const bodies = [...results()].sort(([, a], [, b]) => a.bytes - b.bytes);
  const plain = ([name]) => name.includes("no LLM");
  for (const of of [...bodies.filter(plain), ...bodies.filter((body) => !plain(body))]) {
    const [name, { bytes, memcpy, prost, convert, pipeline }] = of;
    const least = plain(of) ? 10 : 2;
    await add([name], () => [
      `${(bytes / 1000).toFixed(0)} KB`,
      short(pipeline),
      times(pipeline / memcpy),
      wanted(prost / pipeline, { least }),
      times(prost / convert),
    ]);
  }
}
