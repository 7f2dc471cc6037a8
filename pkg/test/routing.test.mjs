// What goes to which destination, whose child it is there, and who it is for: the processor under a real SDK, with the real core.
import assert from "node:assert/strict";
import { test } from "node:test";
import { context, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { GenSpanProcessor } from "genspan";
import { startCollector } from "./collector.mjs";
import { warnings } from "./host.mjs";

/** A processor with a collector for each destination, and what ends them. */
async function setup(t, destinations, options = {}) {
  const collectors = await Promise.all(destinations.map(() => startCollector()));
  const processor = new GenSpanProcessor({
    destinations: destinations.map((d, i) => ({ endpoint: collectors[i].url, ...d })),
    scheduledDelayMillis: 60_000,
    ...options,
  });
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  t.after(async () => {
    await processor.shutdown();
    await Promise.all(collectors.map((collector) => collector.close()));
  });
  return { processor, provider, spans: (i) => collectors[i].spans() };
}

/** Runs a tree of spans: `[scope, name, attributes, ...children]`, each child within its parent. */
function run(provider, [scope, name, attributes, ...children], parent = ROOT_CONTEXT, late = {}) {
  const span = provider.getTracer(scope).startSpan(name, { attributes }, parent);
  for (const child of children) run(provider, child, trace.setSpan(parent, span), late);
  span.setAttributes(late[name] ?? {}).end();
  return span;
}

/** `{name: name of its parent}`, `undefined` for a root; a parent that did not come is `"lost"`. */
function tree(spans) {
  const names = new Map(spans.map((span) => [span.spanId, span.name]));
  return Object.fromEntries(
    spans.map((span) => [span.name, span.parentSpanId ? (names.get(span.parentSpanId) ?? "lost") : undefined]),
  );
}

const AGENT = ["langfuse-sdk", "agent", { "langfuse.observation.type": "agent" }];
const chat = (name, more) => [
  "openai",
  name,
  { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", ...more },
];
const REQUEST = ["http", "POST", { "http.route": "/chat" }, [...AGENT, chat("chat", {}), ["pg", "SELECT", {}]]];

test("the preset for LLM spans takes the others away and leaves no orphan", async (t) => {
  const { processor, provider, spans } = await setup(t, [{ filter: "llm" }, { filter: "all" }]);
  run(provider, REQUEST);
  await processor.forceFlush();
  assert.deepEqual(tree(spans(0)), { chat: "agent", agent: undefined });
  assert.deepEqual(tree(spans(1)), { SELECT: "agent", chat: "agent", agent: "POST", POST: undefined });
  assert.deepEqual(
    processor.stats().destinations.map(({ filtered }) => filtered),
    [2, 0],
  );
});

test("rules ask for scope, name, operation and attributes, at the start of a span and at its end", async (t) => {
  const { processor, provider, spans } = await setup(t, [
    { filter: { only: [{ scope: "open*" }, { attributes: { "http.route": ["/chat", "/ask"] } }] } },
    { filter: { except: [{ operation: "chat" }, { name: ["SEL*", "x"] }] } },
    { filter: { only: [{ llm: true, attributes: { "app.tenant": 7 } }] } },
    { filter: { only: [{ attributes: { "http.route": null } }] } },
  ]);
  run(provider, REQUEST, ROOT_CONTEXT, { chat: { "app.tenant": 7 } });
  await processor.forceFlush();
  assert.deepEqual(tree(spans(0)), { chat: "POST", POST: undefined });
  assert.deepEqual(tree(spans(1)), { agent: "POST", POST: undefined });
  assert.deepEqual(tree(spans(2)), { chat: undefined });
  assert.deepEqual(tree(spans(3)), { SELECT: "agent", chat: "agent", agent: undefined });
});

test("a parent that was taken at its start goes out once a child did, whatever it says at its end", async (t) => {
  const { processor, provider, spans } = await setup(t, [
    { filter: { except: [{ attributes: { "http.route": "/health" } }] } },
  ]);
  run(provider, ["http", "GET", {}, ["pg", "SELECT", {}]], ROOT_CONTEXT, { GET: { "http.route": "/health" } });
  run(provider, ["http", "HEAD", {}], ROOT_CONTEXT, { HEAD: { "http.route": "/health" } });
  await processor.forceFlush();
  assert.deepEqual(tree(spans(0)), { SELECT: "GET", GET: undefined });
});

test("a function filters, sees the span as it starts and as it ends, and lets pass what it throws on", async (t) => {
  const seen = [];
  const filter = (span) => {
    seen.push([span.name, "endTime" in span && span.ended === true]);
    if (span.name === "SELECT") throw new Error("no");
    provider.getTracer("filter").startSpan("of the filter").end();
    return span.instrumentationScope.name !== "http";
  };
  const { processor, provider, spans } = await setup(t, [{ filter }]);
  run(provider, REQUEST);
  await processor.forceFlush();
  assert.deepEqual(tree(spans(0)), { SELECT: "agent", chat: "agent", agent: undefined });
  assert.equal(seen.length, 8, "each of four spans twice");
  assert.ok(seen.some(([name, ended]) => name === "POST" && ended));
  assert.equal(processor.stats().errors, 2);
  assert.equal(processor.stats().droppedInHook, 3 * 2);
  assert.equal(warnings.filter((text) => text.includes("the hook filter")).length, 1);
});

test("the id of the parent that a destination does not get stays in an attribute, if that is wanted", async (t) => {
  const { processor, provider, spans } = await setup(t, [{ filter: "llm", originalParent: "app.parent_id" }]);
  const root = run(provider, REQUEST);
  await processor.forceFlush();
  const kept = Object.fromEntries(spans(0).map((span) => [span.name, span.attributes["app.parent_id"]]));
  assert.deepEqual(kept, { chat: undefined, agent: root.spanContext().spanId });
});

test("a filter that cannot be meant is refused", () => {
  const refuses = (filter, message) => assert.throws(() => new GenSpanProcessor({ filter }), { message });
  refuses("lm", 'genspan: filter: "lm" is unknown; use one of "all", "llm"');
  refuses({ only: [{ lm: true }] }, "genspan: filter.only[0].lm: is not an option; did you mean llm?");
  refuses(
    { except: [{ scope: [["x"]] }] },
    "genspan: filter.except[0].scope: is an array; use a text (* stands for any text), a number, a boolean, null, or a list of them",
  );
});

const entries = (spans) => spans.filter((span) => span.attributes["gen_ai.is_entry"]).map(({ name }) => name);

test("of two calls in one request each has its entry, or the first, or the request has it", async (t) => {
  for (const [siblings, expected] of [
    [undefined, ["first", "second"]],
    ["first", ["first"]],
    ["common-ancestor", ["POST"]],
  ]) {
    const { processor, provider, spans } = await setup(t, [{}], { entry: siblings ? { siblings } : {} });
    run(provider, ["http", "POST", {}, chat("first", {}), chat("second", {})]);
    run(provider, ["http", "GET", {}, chat("only", {})]);
    await processor.forceFlush();
    assert.deepEqual(entries(spans(0)).sort(), [...expected, "only"].sort(), siblings);
  }
});

test("session and user go down to the spans that lack them, under the keys of each profile", async (t) => {
  const { processor, provider, spans } = await setup(t, [{}, { profile: "tencent", token: "t", serviceName: "shop" }]);
  const agent = [...AGENT.slice(0, 2), { ...AGENT[2], "session.id": "s-1", "user.id": "u-1" }];
  run(provider, ["http", "POST", {}, [...agent, chat("a", {}), chat("b", { "user.id": "u-2" }), ["pg", "SELECT", {}]]]);
  await processor.forceFlush();
  const people = (i, keys) =>
    Object.fromEntries(spans(i).map((span) => [span.name, keys.map((key) => span.attributes[key])]));
  const expected = { a: ["s-1", "u-1"], b: ["s-1", "u-2"], SELECT: [undefined, undefined], agent: ["s-1", "u-1"] };
  const keys = ["session.id", "user.id"];
  assert.deepEqual(people(0, keys), { ...expected, POST: [undefined, undefined] });
  assert.deepEqual(people(1, ["gen_ai.session.id", "gen_ai.user.id"]), { ...expected, POST: [undefined, undefined] });
});

test("so do those in the baggage, under the names of OpenTelemetry, Langfuse and Tencent's agent", async (t) => {
  const { processor, provider, spans } = await setup(t, [{}]);
  for (const [name, session, user] of [
    ["otel", "session.id", "user.id"],
    ["langfuse", "langfuse_session_id", "langfuse_user_id"],
    ["tencent", "tapm.gen_ai.session.id", "tapm.gen_ai.user.id"],
  ]) {
    const baggage = propagation.createBaggage({ [session]: { value: `s-${name}` }, [user]: { value: `u-${name}` } });
    run(provider, ["http", "POST", {}, chat(name, {})], propagation.setBaggage(ROOT_CONTEXT, baggage));
  }
  await processor.forceFlush();
  for (const span of spans(0).filter(({ name }) => name !== "POST")) {
    assert.equal(span.attributes["session.id"], `s-${span.name}`);
    assert.equal(span.attributes["user.id"], `u-${span.name}`);
  }
  assert.ok(spans(0).every((span) => span.name !== "POST" || !("session.id" in span.attributes)));
});

test("nothing is handed down where that is turned off", async (t) => {
  const { processor, provider, spans } = await setup(t, [{}], { inheritSession: false });
  const baggage = propagation.createBaggage({ "user.id": { value: "u" } });
  run(
    provider,
    [...AGENT.slice(0, 2), { ...AGENT[2], "session.id": "s-1" }, chat("chat", {})],
    propagation.setBaggage(context.active(), baggage),
  );
  await processor.forceFlush();
  const [call] = spans(0).filter(({ name }) => name === "chat");
  assert.ok(!("session.id" in call.attributes) && !("user.id" in call.attributes));
});
