// What genspan costs beside CPU time: the event loop and memory, size and start, and where the time of a span goes.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { LOADS, SIZES } from "./ratios.mjs";
import { NONE, table, wanted } from "./table.mjs";
import { med } from "./workload.mjs";

const run = promisify(execFile);

const script = async (name, argument, env = {}) => {
  const args = [fileURLToPath(new URL(name, import.meta.url)), argument];
  const { stdout } = await run(process.execPath, args, { env: { ...process.env, ...env } });
  return JSON.parse(stdout);
};

export async function eventLoop() {
  const columns = [
    { title: "what", size: 46, text: true },
    { title: "genspan", size: 12 },
    { title: "stock path", size: 12 },
  ];
  const add = table("loop", "The event loop and memory, 512 spans of 8 KB", columns);
  const [ours, stock] = [await script("loop.mjs", "genspan"), await script("loop.mjs", "stock")];
  const millis = (n) => `${n.toFixed(1)} ms`;
  const micros = (n) => `${(n * 1000).toFixed(1)} µs`;
  const block = { text: millis(ours.block), target: "≤2", met: ours.block <= 2 };
  await add(["longest block of a flush"], () => [block, millis(stock.block)]);
  await add(["a usual onEnd"], () => [micros(ours.end), micros(stock.end)]);
  await add(["queued, as stats() counts it, per encoded byte"], () => [wanted(ours.queued, { most: 1.3 }), NONE]);
  await add(["WebAssembly memory grown, per encoded byte"], () => [wanted(ours.grown, { most: 1.3 }), NONE]);
}

export async function sizes() {
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
    { title: "package", size: 40, text: true },
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

/** Where the time goes, and the functions that take most of a chat's. */
export async function profile() {
  const found = [];
  for (const LOAD of SIZES) found.push(await script("profile.mjs", "--json", { LOAD, TOP: "15" }));
  const share = (part) => `${(100 * part).toFixed(0)} %`;
  const parts = [...new Set(found.flatMap(({ parts }) => parts.map(([part]) => part)))];
  const sizes = SIZES.map((load) => ({ title: LOADS[load][1], size: 7 }));
  const part = table("profile", "Where the time of a span goes", [{ title: "part", size: 26, text: true }, ...sizes]);
  for (const name of parts) {
    await part([name], () => found.map(({ parts }) => share(new Map(parts).get(name) ?? 0)));
  }
  const columns = [
    { title: "function", size: 70, text: true },
    { title: "part", size: 24, text: true },
    { title: "share", size: 7 },
  ];
  const top = table("functions", "The functions that take most of a chat of 8 KB", columns);
  for (const [of, name, part] of found[1].functions) await top([name, of], () => [share(part)]);
}
