// A trap of the module in the commands that stay: the body at fault is refused, and nothing else is lost that can be kept.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startCollector } from "./collector.mjs";
import { instances, trapIn } from "./traps.mjs";

const { inspector, post, relay } = await import("./serving.mjs");

let ids = 0;
const id = (length) => (++ids).toString(16).padStart(length, "0");
const body = (name, count) =>
  JSON.stringify({
    resourceSpans: [
      {
        scopeSpans: [
          {
            spans: Array.from({ length: count }, (_, i) => ({ traceId: id(32), spanId: id(16), name: `${name} ${i}` })),
          },
        ],
      },
    ],
  });
const JSON_BODY = { "content-type": "application/json" };

async function relaying(t, options, answer) {
  const collector = await startCollector(answer);
  t.after(() => collector.close());
  const destination = { endpoint: collector.url, scheduledDelayMillis: 60_000, ...options };
  const running = await relay(t, destination);
  return {
    ...running,
    collector,
    send: async (name, count) => (await post(running.url, body(name, count), JSON_BODY)).status,
  };
}

// README promise: "Nothing is lost that can be kept, and nothing silently"
test("relay: with a spool, a trap costs the body at fault alone", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "genspan-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const { collector, send, close, warnings } = await relaying(t, { spool: { dir } });
  for (let i = 0; i < 5; i++) assert.equal(await send(`body ${i}`, 10), 200);
  const made = instances.length;
  trapIn("gs_ingest");
  assert.equal(await send("at fault", 10), 500);
  assert.equal(await send("after", 1), 200);
  assert.equal(instances.length, made + 1);
  const { stats } = await close();
  assert.equal(collector.names().length, 51);
  assert.equal(new Set(collector.names()).size, 51);
  assert.equal(collector.names().filter((name) => name.startsWith("at fault")).length, 0);
  const [{ queued, sent, droppedFault }] = stats.destinations;
  assert.deepEqual([queued, sent, droppedFault], [51, 51, 0]);
  assert.deepEqual(
    warnings.filter((warning) => /fault/.test(warning)),
    ["an internal fault (ingest: unreachable) lost up to 0 spans; tracing continues"],
  );
});

test("relay: without a spool, it counts what was lost and goes on", async (t) => {
  const { collector, send, close } = await relaying(t, {});
  for (let i = 0; i < 5; i++) assert.equal(await send(`body ${i}`, 10), 200);
  trapIn("gs_ingest");
  assert.equal(await send("at fault", 10), 500);
  assert.equal(await send("after", 1), 200);
  const { stats } = await close();
  assert.deepEqual(collector.names(), ["after 0"]);
  const [{ queued, sent, droppedFault }] = stats.destinations;
  assert.deepEqual([queued, sent, droppedFault], [51, 1, 50]);
  assert.equal(stats.errors, 1);
});

test("relay: bodies that have left the core are not kept", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "genspan-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const { collector, send, close } = await relaying(t, { spool: { dir }, scheduledDelayMillis: 20 });
  for (let i = 0; i < 5; i++) {
    assert.equal(await send(`body ${i}`, 10), 200);
    for (let wait = 0; wait < 100 && collector.answered() <= i; wait++)
      await new Promise((done) => setTimeout(done, 10));
  }
  await send("kept", 1);
  trapIn("gs_ingest");
  await send("at fault", 1);
  await close();
  assert.equal(collector.names().length, 51, "bodies went out twice");
});

test("inspect: a body that traps is refused, the next one is shown", async (t) => {
  const running = await inspector(t);
  assert.equal((await post(running.url, body("before", 1), JSON_BODY)).status, 200);
  const made = instances.length;
  trapIn("convert");
  assert.equal((await post(running.url, body("at fault", 1), JSON_BODY)).status, 500);
  assert.equal((await post(running.url, body("after", 1), JSON_BODY)).status, 200);
  assert.equal(instances.length, made + 1);
});
