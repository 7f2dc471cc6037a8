// The memory that the module has after bodies of 16 MiB, whatever is in them, and what one value takes of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { GenSpanProcessor } from "genspan";
import { startCollector } from "./collector.mjs";
import { HOSTILE } from "./hostile.mjs";
import { post, relay } from "./serving.mjs";

/** Stated in docs/delivery.md; beside it a queue takes its maxQueueBytes. */
const MOST = 384 << 20;
const QUEUE = 64 << 20;
const SIZE = (16 << 20) - 1024;

const { Instance } = WebAssembly;
const memories = [];
WebAssembly.Instance = function instantiate(module, imports) {
  const instance = new Instance(module, imports);
  if (instance.exports.memory) memories.push(instance.exports.memory);
  return instance;
};
/** Of the largest instance so far. */
const memory = () => Math.max(0, ...memories.map(({ buffer }) => buffer.byteLength));

/** What the relay takes, and what may be wrong with a body that it does not. */
const ANSWERS = new Set([200, 400, 413, 503]);

async function send(url, raw) {
  const headers = {
    "content-type": raw[0] === 0x7b ? "application/json" : "application/x-protobuf",
    "content-encoding": "gzip",
  };
  const { status } = await post(url, gzipSync(raw, { level: 1 }), headers);
  assert.ok(ANSWERS.has(status), `answered ${status}`);
  return status;
}

/** Sends bodies of a kind, from the largest that is taken down to those of which single values are read. */
async function sendAll(url, make) {
  for (let size = SIZE, taken = 0; taken < 4; size = Math.floor((size * 2) / 3)) {
    taken += Number((await send(url, make(size))) !== 413);
  }
}

for (const [name, make] of Object.entries(HOSTILE)) {
  test(`bodies of this kind leave the module with a bounded memory: ${name}`, { timeout: 60_000 }, async (t) => {
    const collector = await startCollector();
    const { url, close } = await relay(t, { endpoint: collector.url, maxQueueSize: 1_000_000 });
    // In this order: a relay whose backend is gone ends when its flushTimeoutMillis are over.
    t.after(async () => {
      await close();
      await collector.close();
    });
    await sendAll(url, make);
    const most = memory();
    memories.splice(0, memories.length - 1);
    assert.ok(most > 0 && most <= MOST, `${most >> 20} MiB`);
  });
}

test("all of them together do so where the backend takes nothing", { timeout: 60_000 }, async (t) => {
  const collector = await startCollector(() => ({ hang: true }));
  const delivery = { endpoint: collector.url, maxQueueSize: 1_000_000, flushTimeoutMillis: 0 };
  const { url, close } = await relay(t, delivery);
  t.after(async () => {
    await close();
    await collector.close();
  });
  for (const make of Object.values(HOSTILE))
    for (const size of [SIZE, SIZE / 2]) await send(url, make(Math.floor(size)));
  assert.ok(memory() > 0 && memory() <= MOST + QUEUE, `${memory() >> 20} MiB`);
});

const listOf = (unit) => (n) => `[${unit.repeat(n / (unit.length + 1)).replaceAll(unit, `${unit},`)}0]`;
/** Texts of about so many bytes that become larger, or many values. */
const VALUES = {
  "a list of numbers": listOf("1"),
  "a list of long numbers": listOf("1234567"),
  "a list of empty texts": listOf('""'),
  "a list of short texts": listOf('"1234567"'),
  "a list of texts": listOf('"1234567890123456789012345678901234567"'),
  "a list of objects": listOf('{"a":1}'),
  "a list of messages": listOf('{"role":"user","content":"x"}'),
  "a list of tool calls": listOf('{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f"}}]}'),
  "nested lists": listOf("[".repeat(100) + "]".repeat(100)),
  quotes: (n) => `['${'"'.repeat(n)}']`,
  lines: (n) => `["${"\n".repeat(n)}"]`,
  "control characters": (n) => `['${"\u0001".repeat(n)}']`,
  "some control characters": (n) => `['${"1234567890\u0001".repeat(n / 11)}']`,
  "JSON in JSON": (n) => JSON.stringify(JSON.stringify(listOf('{"role":"user","content":"x"}')(n / 2))),
};

test("one value takes at most 20 times its size beside what a plain text takes", { timeout: 60_000 }, async (t) => {
  const collector = await startCollector();
  t.after(() => collector.close());

  /** How much memory the module takes for a span with this attribute, from a new instance on. */
  async function taken(key, value) {
    // An instance that has grown is not used again.
    memories.at(-1)?.grow(1100);
    memories.length = 0;
    const unbounded = { maxSpanBytes: null, maxAttributeBytes: null };
    const processor = new GenSpanProcessor({
      endpoint: collector.url,
      maxExportBatchBytes: 32 << 20,
      privacy: unbounded,
    });
    const before = memory();
    assert.ok(before > 0);
    const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("shop");
    tracer.startSpan("chat", { attributes: { "gen_ai.operation.name": "chat", [key]: value } }).end();
    const after = memory();
    await processor.shutdown();
    assert.equal(processor.stats().destinations[0].sent, 1);
    return after - before;
  }

  for (const key of ["gen_ai.input.messages", "langfuse.observation.output", "gen_ai.tool.call.arguments"]) {
    for (const size of [256 << 10, 1 << 20, 4 << 20]) {
      const plain = await taken(key, "x".repeat(size));
      for (const [name, make] of Object.entries(VALUES)) {
        const value = make(size);
        const more = (await taken(key, value)) - plain;
        assert.ok(
          more <= 20 * value.length,
          `${name} of ${size} bytes as ${key}: ${(more / value.length).toFixed(1)} times`,
        );
      }
    }
  }
});
