// What the frame writer puts into memory, read back by a reader that shares nothing with it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { FakeTarget } from "./frame-reader.mjs";
import { source } from "./source.mjs";

const { FrameWriter, FrameTooLarge } = await source("frame");

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const PARENT = "00f067aa0ba902b7";
const resource = { attributes: { "service.name": "shop" } };
const scope = { name: "ai", version: "5.0" };

function span(fields = {}) {
  return {
    name: "chat",
    kind: 2,
    spanContext: () => ({ traceId: TRACE, spanId: SPAN, traceFlags: 1 }),
    startTime: [1_700_000_000, 5],
    endTime: [1_700_000_001, 999_999_999],
    status: { code: 0 },
    attributes: {},
    events: [],
    links: [],
    resource,
    instrumentationScope: scope,
    ...fields,
  };
}

function setup(dictionarySize) {
  const target = new FakeTarget(dictionarySize);
  const writer = new FrameWriter(target, 48);
  const write = (fields, flags = 0) => {
    const record = target.reader(writer.span(span(fields), flags)).span();
    writer.learn();
    return record;
  };
  const attr = (value) => write({ attributes: { key: value } }).attrs[0][1];
  return { target, writer, write, attr };
}

test("every part of a span arrives", () => {
  const { target, write } = setup();
  const record = write(
    {
      parentSpanContext: { traceId: TRACE, spanId: PARENT, traceFlags: 1 },
      spanContext: () => ({
        traceId: TRACE.toUpperCase(),
        spanId: SPAN,
        traceFlags: 3,
        traceState: { serialize: () => "a=1,b=2" },
      }),
      status: { code: 2, message: "失败" },
      attributes: { "gen_ai.system": "openai", n: 7 },
      droppedAttributesCount: 3,
      droppedEventsCount: 4,
      droppedLinksCount: 5,
      events: [{ name: "exception", time: [7, 8], attributes: { "exception.type": "E" }, droppedAttributesCount: 1 }],
      links: [
        { context: { traceId: TRACE, spanId: PARENT, traceFlags: 1, isRemote: true }, attributes: { l: true } },
        { context: { traceId: TRACE, spanId: SPAN, traceFlags: 0, traceState: { serialize: () => "c=3" } } },
      ],
    },
    1,
  );
  assert.deepEqual(record, {
    flags: 1,
    kind: 3,
    status: 2,
    traceFlags: 3,
    traceId: TRACE,
    spanId: SPAN,
    parentSpanId: PARENT,
    start: [1_700_000_000, 5],
    end: [1_700_000_001, 999_999_999],
    scope: 1,
    resource: 1,
    dropped: [3, 4, 5],
    name: "chat",
    message: "失败",
    traceState: "a=1,b=2",
    attrs: [
      ["gen_ai.system", "openai"],
      ["n", { int: 7 }],
    ],
    events: [{ time: [7, 8], name: "exception", dropped: 1, attrs: [["exception.type", "E"]] }],
    links: [
      { traceId: TRACE, spanId: PARENT, flags: 0x301, traceState: "", dropped: 0, attrs: [["l", true]] },
      { traceId: TRACE, spanId: SPAN, flags: 0x100, traceState: "c=3", dropped: 0, attrs: [] },
    ],
  });
  assert.deepEqual(target.scopes, [{ name: "ai", version: "5.0", schemaUrl: "", attrs: [] }]);
  assert.deepEqual(target.resources, [{ schemaUrl: "", attrs: [["service.name", "shop"]] }]);
});

test("spans of SDK 1.x: parentSpanId and instrumentationLibrary", () => {
  const { target, write } = setup();
  const record = write({ parentSpanId: PARENT, instrumentationScope: undefined, instrumentationLibrary: scope });
  assert.equal(record.parentSpanId, PARENT);
  assert.equal(target.scopes[0].name, "ai");
});

test("a start record has the ids, the keys, the values that the core wants and those of the baggage", () => {
  const target = new FakeTarget();
  const writer = new FrameWriter(target, 32, ["session.id", "user.id"]);
  assert.deepEqual(target.dictionary.toSorted(), ["session.id", "user.id"]);
  const attributes = { a: 1, "gen_ai.system": "x", "session.id": "s" };
  const started = span({ name: "chat", parentSpanId: PARENT, attributes });
  const read = (baggage) => target.reader(writer.start(started, 3, "b7ad6b7169203331", baggage)).start();
  const expected = {
    flags: 3,
    traceId: TRACE,
    spanId: SPAN,
    parentSpanId: PARENT,
    caller: "b7ad6b7169203331",
    scope: 1,
    name: "chat",
    keys: ["a", "gen_ai.system", "session.id"],
    attrs: [["session.id", "s"]],
  };
  assert.deepEqual(read(), expected);
  const both = [
    ["user.id", "u"],
    ["session.id", "s"],
  ];
  // What the span itself says comes before what the baggage says.
  const handed = read({ "user.id": "u", "session.id": "of the baggage" });
  assert.deepEqual(
    { ...handed, attrs: handed.attrs.toSorted() },
    { ...expected, flags: 3 | 8, attrs: both.toSorted() },
  );
  assert.equal(Buffer.from(target.area(writer.ids2({ traceId: TRACE, spanId: SPAN }))).toString("hex"), TRACE + SPAN);
});

test("values of every type", () => {
  const { attr } = setup();
  const deepest = { map: [["a", [{ int: 1 }, null, null, "x", { map: [["b", [[]]]] }]]] };
  for (const [value, expected] of [
    ["", ""],
    ["plain", "plain"],
    [true, true],
    [false, false],
    [0, { int: 0 }],
    [-3, { int: -3 }],
    [Number.MAX_SAFE_INTEGER, { int: Number.MAX_SAFE_INTEGER }],
    [2 ** 53, { int: 2 ** 53 }],
    [-(2 ** 63), { int: -(2 ** 63) }],
    [2 ** 63, { double: 2 ** 63 }],
    [1.5, { double: 1.5 }],
    [Number.NaN, { double: Number.NaN }],
    [Number.NEGATIVE_INFINITY, { double: Number.NEGATIVE_INFINITY }],
    [2n ** 63n - 1n, { i64: 2n ** 63n - 1n }],
    [-(2n ** 63n), { i64: -(2n ** 63n) }],
    [2n ** 63n, (2n ** 63n).toString()],
    [null, null],
    [undefined, null],
    [() => 1, null],
    [Symbol("s"), null],
    [
      ["a", null, undefined, 1],
      ["a", null, null, { int: 1 }],
    ],
    [new Array(2), [null, null]],
    [{ a: [1, null, undefined, "x", { b: [[]] }] }, deepest],
    [new Uint8Array([1, 2, 255]), { bytes: [1, 2, 255] }],
    [Object.create({ inherited: 1 }), { map: [] }],
  ]) {
    assert.deepEqual(attr(value), expected, `${typeof value} ${String(JSON.stringify(value, (_, v) => String(v)))}`);
  }
});

test("text of every kind and length", () => {
  const { attr } = setup();
  for (const unit of ["a", "é", "深", "😀", "a’ — 😀 深圳 "]) {
    for (const times of [1, 15, 16, 17, 47, 48, 49, 1000, 50_000]) {
      const text = unit.repeat(times);
      assert.equal(attr(text), text);
    }
  }
  assert.equal(attr("a\ud800b"), "a\ufffdb");
  assert.equal(attr(`${"x".repeat(100)}\udc00`), `${"x".repeat(100)}\ufffd`);
  assert.equal(attr("\0"), "\0");
});

test("containers end at depth 28, as JSON from there on, and at cycles", () => {
  const { attr } = setup();
  const cycle = { name: "me" };
  cycle.self = cycle;
  cycle.list = [cycle];
  assert.deepEqual(attr(cycle), {
    map: [
      ["name", "me"],
      ["self", null],
      ["list", [null]],
    ],
  });
  const twice = { x: 1 };
  assert.deepEqual(attr([twice, twice]), [{ map: [["x", { int: 1 }]] }, { map: [["x", { int: 1 }]] }]);
  let deep = [];
  for (let i = 0; i < 1000; i++) deep = [deep];
  let depth = 0;
  let value = attr(deep);
  for (; Array.isArray(value); value = value[0]) depth++;
  assert.deepEqual([depth, value], [28, "[".repeat(1001 - 28) + "]".repeat(1001 - 28)]);
  const inner = {};
  inner.self = inner;
  value = attr(Array.from({ length: 28 }).reduce((deep) => [deep], inner));
  while (Array.isArray(value)) [value] = value;
  assert.equal(value, "", "a cycle that deep");
});

test("keys that a prototype brings in do not count", () => {
  const { write } = setup();
  Object.defineProperty(Object.prototype, "polluted", { value: "x", enumerable: true, configurable: true });
  try {
    assert.deepEqual(write({ attributes: { own: { a: 1 } } }).attrs, [["own", { map: [["a", { int: 1 }]] }]]);
  } finally {
    delete Object.prototype.polluted;
  }
});

test("a text gets an id when it comes again, and never beyond the dictionary", () => {
  const { target, write } = setup(3);
  for (let i = 0; i < 5; i++) {
    const record = write({ name: `GET /orders/${i}`, attributes: { "gen_ai.system": i, model: i } });
    assert.equal(record.name, `GET /orders/${i}`);
    assert.deepEqual(
      record.attrs.map(([key]) => key),
      ["gen_ai.system", "model"],
    );
  }
  assert.deepEqual(target.dictionary.toSorted(), ["gen_ai.system", "model"]);
  for (let i = 0; i < 5; i++) {
    const record = write({ attributes: { a: 1, b: 2, [`long${"x".repeat(300)}`]: 3 } });
    assert.deepEqual(record.attrs.map(([key]) => key).slice(0, 2), ["a", "b"]);
  }
  assert.equal(target.dictionary.length, 3);
});

test("equal scopes share an id, scopes and resources are registered once, and again after they were forgotten", () => {
  const { target, write, writer } = setup();
  const scopes = [
    { name: "a" },
    { name: "a" },
    { name: "a", version: "1" },
    { name: "a", schemaUrl: "https://example.com/s" },
    { name: "a", attributes: { x: 1 } },
    undefined,
  ];
  assert.deepEqual(
    scopes.map((instrumentationScope) => write({ instrumentationScope }).scope),
    [1, 1, 2, 3, 4, 5],
  );
  assert.deepEqual(target.scopes.at(-1), { name: "", version: "", schemaUrl: "", attrs: [] });
  assert.equal(write({ resource: { attributes: {}, schemaUrl: "https://example.com/r" } }).resource, 2);
  assert.equal(target.resources.length, 2);
  target.scopes.length = 0;
  target.resources.length = 0;
  assert.deepEqual([write().scope, write().resource, target.scopes.length, target.resources.length], [6, 1, 0, 0]);
  writer.forget();
  assert.deepEqual([write().scope, write().resource, target.scopes.length, target.resources.length], [1, 1, 1, 1]);
});

test("the area grows with what a span needs, and no further than a bound", () => {
  const { target, writer, write, attr } = setup();
  const text = "y".repeat(3_000_000);
  assert.equal(attr(text), text);
  assert.ok(Math.max(...target.reserved) < 4_000_000, `reserved ${target.reserved}`);
  assert.throws(() => writer.span(span({ attributes: { a: "z".repeat(40_000_000) } }), 0), FrameTooLarge);
  assert.equal(write({ name: "next" }).name, "next");
});

test("odd ids and times become zeros and carried seconds", () => {
  const { write } = setup();
  const record = write({
    spanContext: () => ({ traceId: "xyz", spanId: "zzzzzzzzzzzzzzzz", traceFlags: 1 }),
    startTime: [10, 1_000_000_005],
    endTime: [10, -5],
  });
  assert.equal(record.traceId, "0".repeat(32));
  assert.equal(record.spanId, "0".repeat(16));
  assert.deepEqual(record.start, [11, 5]);
  assert.deepEqual(record.end, [9, 999_999_995]);
});

test("a span of the real SDK is read and left as it was", () => {
  const { target, writer } = setup();
  const ended = [];
  const processor = { onStart() {}, onEnd: (s) => ended.push(s), forceFlush: async () => {}, shutdown: async () => {} };
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("t", "1");
  const real = tracer.startSpan("work", { attributes: { a: [1, 2], b: "x" } });
  real.addEvent("e", { k: "v" });
  real.recordException(new Error("boom"));
  real.end();
  const [done] = ended;
  const before = JSON.stringify([
    done.attributes,
    done.events,
    done.links,
    done.status,
    done.name,
    done.resource.attributes,
  ]);
  Object.freeze(done);
  Object.freeze(done.attributes);
  const record = target.reader(writer.span(done, 0)).span();
  assert.equal(record.traceId, done.spanContext().traceId);
  assert.deepEqual(record.attrs, [
    ["a", [{ int: 1 }, { int: 2 }]],
    ["b", "x"],
  ]);
  assert.deepEqual(
    record.events.map(({ name }) => name),
    ["e", "exception"],
  );
  assert.deepEqual(record.start, done.startTime);
  const after = JSON.stringify([
    done.attributes,
    done.events,
    done.links,
    done.status,
    done.name,
    done.resource.attributes,
  ]);
  assert.equal(after, before);
});
