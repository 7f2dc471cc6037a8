// The memory that the module has after bodies of 16 MiB, whatever is in them, and what one value takes of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { GenSpanProcessor } from "genspan";
import { startCollector } from "./collector.mjs";
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

const varint = (n) => (n > 0x7f ? [(n & 0x7f) | 0x80, ...varint(n >>> 7)] : [n]);
const field = (number, bytes) => Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes]);
const attribute = (key, value) => field(9, Buffer.concat([field(1, Buffer.from(key)), field(2, value)]));
const text = (key, value) => attribute(key, field(1, Buffer.from(value)));
const chat = text("gen_ai.operation.name", "chat");

function span(id, fields) {
  const spanId = Buffer.alloc(8);
  spanId.writeUInt32BE(id + 1, 4);
  return field(2, Buffer.concat([field(1, Buffer.alloc(16, 7)), field(2, spanId), fields]));
}
const body = (spans) => field(1, field(2, spans));
const one = (fields) => body(span(0, Buffer.concat([chat, fields])));
const filled = (unit, bytes) => Buffer.alloc(bytes - (bytes % unit.length), unit);
const list = (unit, bytes) => Buffer.concat([Buffer.from("["), filled(Buffer.from(unit), bytes), Buffer.from("0]")]);
function spans(bytes, make) {
  const all = [];
  for (let i = 0, size = 0; size < bytes; i++) {
    all.push(span(i, make(i)));
    size += all[i].length;
  }
  return body(Buffer.concat(all.slice(0, -1)));
}

/** Bodies of about so many bytes. */
const HOSTILE = {
  "a list of empty messages": (n) => one(text("gen_ai.input.messages", list('"",', n))),
  "a list of numbers": (n) => one(text("output.value", list("1,", n))),
  "lists of 100 KB": (n) => spans(n, () => Buffer.concat([chat, text("gen_ai.input.messages", list('"",', 100_000))])),
  "lists of 4 KB": (n) => spans(n, () => Buffer.concat([chat, text("gen_ai.input.messages", list('"",', 4000))])),
  "small LLM spans": (n) => spans(n, () => text("gen_ai.system", "x")),
  "small spans": (n) => spans(n, () => Buffer.alloc(0)),
  "empty spans": (n) => field(1, field(2, filled(Buffer.from([0x12, 0]), n))),
  "empty attributes": (n) => one(filled(Buffer.from([0x4a, 0]), n)),
  "empty events": (n) => one(filled(Buffer.from([0x5a, 0]), n)),
  "empty links": (n) => one(filled(Buffer.from([0x6a, 0]), n)),
  "unknown fields": (n) => one(filled(Buffer.from([0xa0, 1, 0]), n)),
  "empty scopes": (n) => field(1, filled(Buffer.from([0x12, 0]), n)),
  "empty resources": (n) => filled(Buffer.from([0x0a, 0]), n),
  "a text that is quotes": (n) => one(text("langfuse.observation.output", `['${'"'.repeat(n)}']`)),
  "a text that is lines": (n) => one(text("langfuse.observation.output", "12345678901\n".repeat(n / 12))),
  "a text that is controls": (n) => one(text("langfuse.observation.output", "123456789012\x01".repeat(n / 13))),
  "a list of texts": (n) =>
    one(text("langfuse.observation.output", list('"1234567890123456789012345678901234567890",', n))),
  "members of an array": (n) => one(attribute("input.value", field(5, filled(Buffer.from([0x0a, 0]), n)))),
  "resources in JSON": (n) => Buffer.from(`{"resourceSpans":[${"{},".repeat(n / 3)}{}]}`),
  "lists in JSON": (n) => Buffer.from(`{"x":[${"[],".repeat(n / 3)}[]]}`),
};

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
