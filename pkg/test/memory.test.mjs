// What a body of 16 MiB makes the module take, whatever is in it: the bodies that unpack into most of all. And what one value does.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { GenSpanProcessor } from "genspan";
import { startCollector } from "./collector.mjs";
import { post, relay } from "./serving.mjs";

/** Stated in docs/delivery.md. */
const MOST = 384 << 20;
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
  "members of an array": (n) => one(attribute("input.value", field(5, filled(Buffer.from([0x0a, 0]), n)))),
  "resources in JSON": (n) => Buffer.from(`{"resourceSpans":[${"{},".repeat(n / 3)}{}]}`),
  "lists in JSON": (n) => Buffer.from(`{"x":[${"[],".repeat(n / 3)}[]]}`),
};

/** The largest body of a kind that `take` takes, by thirds less. */
async function largest(make, take) {
  for (let size = SIZE; ; size = Math.floor((size * 2) / 3)) {
    const answer = await take(make(size));
    if (answer !== "too large") return answer;
  }
}

for (const [name, make] of Object.entries(HOSTILE)) {
  test(`the relay takes a bounded amount of memory: ${name}`, { timeout: 300_000 }, async (t) => {
    const { url } = await relay(t, { maxQueueSize: 1_000_000 }, ["--max-body", String(16 << 20)]);
    const answer = await largest(make, async (raw) => {
      const headers = {
        "content-type": raw[0] === 0x7b ? "application/json" : "application/x-protobuf",
        "content-encoding": "gzip",
      };
      const { status } = await post(url, gzipSync(raw, { level: 1 }), headers);
      return status === 413 ? "too large" : status;
    });
    assert.ok(answer === 200 || answer === 400, `${answer}`);
    assert.ok(memory() <= MOST, `${memory() >> 20} MiB`);
    memories.length = 0;
  });
}

test("one attribute takes little more than a plain text of its size", async (t) => {
  const collector = await startCollector();
  t.after(() => collector.close());
  memories.length = 0;
  const taken = [];
  for (const value of ["x".repeat(4 << 20), `[${'"",'.repeat((4 << 20) / 3)}""]`, `[${"1,".repeat(2 << 20)}1]`]) {
    const processor = new GenSpanProcessor({
      endpoint: collector.url,
      maxExportBatchBytes: 32 << 20,
      privacy: { maxSpanBytes: null },
    });
    const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("shop");
    tracer.startSpan("chat", { attributes: { "gen_ai.operation.name": "chat", "gen_ai.input.messages": value } }).end();
    await processor.forceFlush();
    taken.push(memory());
    assert.equal(processor.stats().unread, taken.length === 1 ? 0 : 1);
    await processor.shutdown();
  }
  const [plain, ...lists] = taken;
  // 4 MiB of empty messages took 723 MiB once.
  assert.ok(plain > 0 && lists.every((list) => list <= plain + (16 << 20)), `${taken.map((bytes) => bytes >> 20)} MiB`);
});
