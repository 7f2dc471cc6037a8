// kill -9 at random moments with the spool on, on a backend that mostly fails: whatever a flush had answered for arrives. `make kill` runs
// 200 rounds.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startFaultServer } from "./fault-server.mjs";

const require = createRequire(new URL("./sdk2/package.json", import.meta.url));
const { GenSpanProcessor } = require("genspan");

const ROUNDS = Number(process.env.KILL_ROUNDS ?? 12);
const SEED = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000);
const application = fileURLToPath(new URL("spooling-app.mjs", import.meta.url));

/** mulberry32 */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs the application until it is killed, `millis` after it has written `first`; gives how many of its spans were answered for. */
async function round(n, url, dir, millis, first = /^ready\n/) {
  const child = spawn(process.execPath, [application, url, dir, n], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (text) => {
    said += text;
  });
  while (!first.test(said)) await once(child.stdout, "data");
  await new Promise((resolve) => setTimeout(resolve, millis));
  const closed = once(child, "close");
  child.kill("SIGKILL");
  await closed;
  const numbers = said.split("\n").slice(1, -1);
  return Number(numbers.at(-1) ?? 0);
}

test(`${ROUNDS} processes are killed, and nothing that a flush answered for is lost (seed ${SEED})`, {
  timeout: 900_000,
}, async (t) => {
  const next = random(SEED);
  const dir = mkdtempSync(join(tmpdir(), "genspan-"));
  let well = false;
  const act = () => {
    const dice = next();
    if (well || dice < 0.2) return {};
    if (dice < 0.3) return { lost: true };
    if (dice < 0.35) return { hang: true };
    return { status: 503 };
  };
  const server = await startFaultServer({ protocol: "http/protobuf", act });
  try {
    const answered = [];
    for (let n = 0; n < ROUNDS; n++) answered.push(await round(n, server.url, dir, next() * 400));
    well = true;
    const left = readdirSync(dir).length;
    const processor = new GenSpanProcessor({ name: "backend", endpoint: server.url, spool: { dir } });
    for (let waited = 0; readdirSync(dir).length > 0; waited += 20) {
      assert.ok(waited < 60_000, `still there: ${readdirSync(dir).slice(0, 3).join(" ")}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await processor.shutdown();
    const { destinations, spool } = processor.stats();
    assert.deepEqual([spool.dropped, spool.quarantined], [0, 0]);
    const names = server.spans.map(({ name }) => name);
    const arrived = new Set(names);
    const missing = answered.flatMap((count, n) =>
      Array.from({ length: count }, (_, i) => `${n}-${i}`).filter((name) => !arrived.has(name)),
    );
    assert.deepEqual(missing, []);
    const total = answered.reduce((sum, count) => sum + count, 0);
    assert.ok(total > 0 && left > 0, "the rounds were too short to test anything");
    t.diagnostic(
      `${total} spans answered for, ${arrived.size} arrived, ${names.length - arrived.size} came again, ` +
        `${destinations[0].restored} from the ${left} files that were left`,
    );
  } finally {
    await server.close();
    rmSync(dir, { recursive: true });
  }
});

test("processes share a directory: each batch arrives once, a damaged one is set aside and counted", {
  timeout: 120_000,
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), "genspan-"));
  let well = false;
  const server = await startFaultServer({ protocol: "http/protobuf", act: () => (well ? {} : { status: 503 }) });
  try {
    const answered = await Promise.all(["a", "b"].map((name) => round(name, server.url, dir, 300, /^ready\n\d+\n/)));
    const [damaged] = readdirSync(dir).filter((name) => name.endsWith(".ready"));
    const lost = Number(damaged.split(".")[2]);
    truncateSync(join(dir, damaged), 50);
    well = true;
    const processors = [0, 1, 2].map(
      () => new GenSpanProcessor({ name: "backend", endpoint: server.url, spool: { dir } }),
    );
    const left = () => readdirSync(dir).filter((name) => !name.endsWith(".bad"));
    for (let waited = 0; left().length > 0; waited += 20) {
      assert.ok(waited < 60_000, `still there: ${left().slice(0, 3).join(" ")}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await Promise.all(processors.map((processor) => processor.shutdown()));
    const stats = processors.map((processor) => processor.stats());
    const names = server.spans.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length, "a batch came twice");
    const offered = answered.flatMap((count, n) => Array.from({ length: count }, (_, i) => `${"ab"[n]}-${i}`));
    const missing = offered.filter((name) => !names.includes(name));
    assert.ok(missing.length <= lost, `${missing.length} are missing, ${lost} were damaged`);
    assert.equal(
      stats.reduce((sum, { spool }) => sum + spool.dropped, 0),
      lost,
    );
    assert.ok(offered.length > lost);
  } finally {
    await server.close();
    rmSync(dir, { recursive: true });
  }
});
