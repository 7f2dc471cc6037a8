// Traces without an SDK.
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { trace } from "genspan/edge";
import { startCollector } from "./collector.mjs";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";

async function request(t, { headers = {}, answer, options } = {}) {
  const collector = await startCollector(answer);
  t.after(() => collector.close());
  const waited = [];
  const ctx = { waitUntil: (promise) => waited.push(promise) };
  const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector.url, OTEL_SERVICE_NAME: "shop" };
  const traced = () => trace(new Request("http://shop/", { headers }), ctx, env, options);
  return { collector, trace: traced(), again: traced, delivered: () => Promise.all(waited), waited };
}

async function warningsOf(t) {
  const told = t.mock.method(console, "warn", () => {});
  return () => told.mock.calls.map(({ arguments: [text] }) => text);
}

test("spans of one request are one trace, with one entry, delivered through waitUntil", async (t) => {
  const { collector, trace, delivered, waited } = await request(t);
  const answer = await trace.span("GET /", { "http.route": "/" }, async (root) => {
    assert.equal(
      root.span("count", {}, () => 2),
      2,
    );
    return root.span("chat", { "gen_ai.operation.name": "chat" }, async (chat) => {
      await sleep(5);
      chat.setAttribute("gen_ai.usage.input_tokens", 7).setAttributes({ "gen_ai.usage.output_tokens": 8 });
      return "sunny";
    });
  });
  trace.span("after", {}, () => {});
  assert.equal(answer, "sunny");
  await delivered();
  assert.equal(waited.length, 1);
  const spans = Object.fromEntries(collector.spans().map((span) => [span.name, span]));
  assert.deepEqual(Object.keys(spans).toSorted(), ["GET /", "after", "chat", "count"]);
  assert.equal(new Set(collector.spans().map(({ traceId }) => traceId)).size, 1);
  assert.equal(spans.chat.parentSpanId, spans["GET /"].spanId);
  assert.equal(spans.chat.attributes["gen_ai.is_entry"], true);
  assert.equal(spans.chat.attributes["gen_ai.usage.input_tokens"], 7);
  assert.equal(spans.chat.attributes["gen_ai.usage.output_tokens"], 8);
  assert.ok(spans.chat.millis >= 4);
  assert.equal(spans["GET /"].resource["service.name"], "shop");
});

test("no key goes out twice where the source's own stay", async (t) => {
  const { collector, trace, delivered } = await request(t, { options: { keep: "all" } });
  trace.span("chat", { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m" }, (chat) => {
    chat.setAttribute("gen_ai.usage.input_tokens", 5);
  });
  await delivered();
  // The collector looks at the keys.
  assert.equal(collector.spans()[0].attributes["gen_ai.request.model"], "m");
});

test("what a request does while its first spans are on their way is sent as well, in the same trace", async (t) => {
  const { collector, trace, delivered, waited } = await request(t, { answer: () => ({ afterMillis: 200 }) });
  trace.span("first", {}, () => {});
  await sleep(100);
  trace.span("second", {}, () => {});
  await delivered();
  assert.equal(waited.length, 2);
  assert.deepEqual(collector.names(), ["first", "second"]);
  assert.equal(new Set(collector.spans().map(({ traceId }) => traceId)).size, 1);
});

test("an error comes through as it is, and the span tells it", async (t) => {
  const { collector, trace, delivered } = await request(t);
  const error = new TypeError("no weather");
  assert.throws(
    () =>
      trace.span("sync", {}, () => {
        throw error;
      }),
    (thrown) => thrown === error,
  );
  await assert.rejects(
    trace.span("async", {}, () => Promise.reject(error)),
    (thrown) => thrown === error,
  );
  await delivered();
  assert.equal(collector.spans().length, 2);
  for (const { status, events, attributes } of collector.spans()) {
    assert.deepEqual([status.code, status.message], [2, "no weather"]);
    assert.equal(events[0].name, "exception");
    assert.equal(attributes["error.type"], "TypeError");
  }
});

test("W3C context comes in and goes out", async (t) => {
  const headers = { traceparent: `00-${TRACE}-${CALLER}-01`, tracestate: "other=1" };
  const { collector, trace, delivered } = await request(t, { headers });
  const callee = await startCollector();
  t.after(() => callee.close());
  let spanId;
  await trace.span("chat", { "gen_ai.operation.name": "chat" }, (span) => {
    spanId = span.spanId;
    return span.fetch(callee.url, { method: "POST", headers: { "x-own": "1" } });
  });
  await delivered();
  const [sent] = callee.requests;
  assert.equal(sent.headers.traceparent, `00-${TRACE}-${spanId}-01`);
  assert.equal(sent.headers.tracestate, `genspan=llm:${spanId},other=1`);
  assert.equal(sent.headers["x-own"], "1");
  const [span] = collector.spans();
  assert.deepEqual([span.traceId, span.parentSpanId], [TRACE, CALLER]);
});

test("a caller inside a segment has the entry", async (t) => {
  const headers = { traceparent: `00-${TRACE}-${CALLER}-01`, tracestate: `genspan=llm:${CALLER}` };
  const { collector, trace, delivered } = await request(t, { headers });
  trace.span("chat", { "gen_ai.operation.name": "chat" }, () => {});
  await delivered();
  assert.equal(collector.spans()[0].attributes["gen_ai.is_entry"], undefined);
});

test("what the caller does not sample is handed on, and not sent", async (t) => {
  const { collector, trace, waited } = await request(t, { headers: { traceparent: `00-${TRACE}-${CALLER}-00` } });
  const callee = await startCollector();
  t.after(() => callee.close());
  await trace.span("chat", {}, (span) => span.fetch(callee.url));
  assert.match(callee.requests[0].headers.traceparent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
  assert.equal(waited.length, 0);
  assert.equal(collector.requests.length, 0);
});

for (const traceparent of [
  "nonsense",
  `ff-${TRACE}-${CALLER}-01`,
  `00-${"0".repeat(32)}-${CALLER}-01`,
  `00-${TRACE}-${CALLER}-01-x`,
]) {
  test(`traceparent ${traceparent.slice(0, 8)}… ${traceparent.length} is none: a trace begins`, async (t) => {
    const { collector, trace, delivered } = await request(t, { headers: { traceparent } });
    trace.span("chat", {}, () => {});
    await delivered();
    const [span] = collector.spans();
    assert.match(span.traceId, /^[0-9a-f]{32}$/);
    assert.notEqual(span.traceId, TRACE);
    assert.equal(span.parentSpanId, "");
  });
}

test("a wrong configuration is told, and the request goes on", async (t) => {
  const warnings = await warningsOf(t);
  const { trace } = await request(t, { options: { profile: "tencnet" } });
  assert.equal(await trace.span("chat", {}, async (span) => span.span("inner", {}, () => "sunny")), "sunny");
  assert.match(warnings().join(), /^genspan: .*tencnet/);
});

test("requests beyond those that may wait for a backend are not traced, and go on", async (t) => {
  const { collector, again, delivered } = await request(t, { answer: () => ({ afterMillis: 500 }) });
  const traced = () => again().span("chat", {}, async (span) => span.traceId);
  assert.equal(new Set(await Promise.all(Array.from({ length: 70 }, traced))).size, 70);
  await delivered();
  assert.equal(collector.spans().length, 64);
  await traced();
  await delivered();
  assert.equal(collector.spans().length, 65);
});

// Handlers of schedules, queues, e-mail and alarms get no Request, and what they get may be anything.
// README promise: "Nothing of ours breaks the host"
const traceparent = `00-${TRACE}-${CALLER}-01`;
for (const [what, event, traceId] of [
  ["nothing", undefined],
  ["null", null],
  ["a scheduled event", { cron: "* * * * *", scheduledTime: 1, type: "scheduled" }],
  ["a batch of messages", { queue: "q", messages: [{ body: 1 }] }],
  ["a text", "event"],
  ["headers that are null", { headers: null }],
  ["headers that are a text", { headers: "traceparent" }],
  ["a list for headers", { headers: [traceparent] }],
  ["headers whose values are no texts", { headers: { traceparent: { toString: undefined } } }],
  ["a trace state that is a number", { headers: { traceparent, tracestate: 5 } }, TRACE],
  ["a Request", new Request("http://x/", { headers: { traceparent } }), TRACE],
  ["Headers", { headers: new Headers({ traceparent }) }, TRACE],
  ["a Map of headers", { headers: new Map([["Traceparent", traceparent]]) }, TRACE],
  ["a plain object of headers", { headers: { TraceParent: traceparent, tracestate: "a=1" } }, TRACE],
  ["the headers of Node", { headers: { traceparent, "set-cookie": ["a", "b"] } }, TRACE],
]) {
  test(`trace() with ${what} ${traceId ? "continues the caller's trace" : "begins a trace"}`, async (t) => {
    const { traced, delivered } = await handler(t);
    const got = await traced(event).span("job", { "gen_ai.operation.name": "chat" }, async () => 7);
    assert.equal(got, 7);
    const [span, ...more] = await delivered();
    assert.equal(more.length, 0);
    if (traceId) assert.deepEqual([span.traceId, span.parentSpanId], [TRACE, CALLER]);
    else assert.match(span.traceId, /^(?!0af7651916)[0-9a-f]{32}$/);
  });
}

test("headers that throw when they are read begin a trace", async (t) => {
  await warningsOf(t);
  const { traced, delivered } = await handler(t);
  const event = {
    get headers() {
      throw new Error("no headers here");
    },
  };
  traced(event).span("job", {}, () => {});
  assert.equal((await delivered()).length, 1);
});

for (const [what, ctx] of [
  ["undefined", undefined],
  ["null", null],
  ["an object without waitUntil", {}],
]) {
  test(`trace() with a ctx that is ${what} sends its spans`, async (t) => {
    const { collector, traced } = await handler(t);
    traced(undefined, ctx).span("job", {}, () => {});
    for (let i = 0; i < 100 && collector.spans().length === 0; i++) await sleep(20);
    assert.deepEqual(collector.names(), ["job"]);
  });
}

test("trace() with env and options that are null, or no options at all, runs the function", async (t) => {
  await warningsOf(t);
  assert.equal(
    trace(null, null, null, null).span("job", {}, () => 7),
    7,
  );
  assert.equal(
    trace(null, null, null, "options").span("job", null, () => 8),
    8,
  );
});

async function handler(t) {
  const collector = await startCollector();
  t.after(() => collector.close());
  const waited = [];
  const ctx = { waitUntil: (promise) => waited.push(promise) };
  const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector.url };
  return {
    collector,
    traced: (event, ...own) => trace(event, own.length > 0 ? own[0] : ctx, env),
    async delivered() {
      await Promise.all(waited);
      return collector.spans();
    },
  };
}
