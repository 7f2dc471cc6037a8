// The work that the core does grows with what it is given, and no faster: counted, not timed. The shipped module is made to count each call of a
// function and each turn of a loop, bulk copies among them, which become loops for this.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { explain, GenSpanProcessor, initSync, normalize } from "genspan/slim";

let steps = 0;

before(() => {
  const here = (path) => fileURLToPath(new URL(path, import.meta.url));
  const dir = mkdtempSync(join(tmpdir(), "genspan-"));
  const counting = join(dir, "counting.wasm");
  const run = (tool, args) => execFileSync(here(`../node_modules/.bin/${tool}`), args, { stdio: "pipe" });
  // The pass that makes loops of copies takes no module that clears a table in bulk, as wasm-bindgen does with a few objects of the host.
  const text = join(dir, "core.wat");
  run("wasm-dis", [here("../wasm/core.wasm"), "-o", text]);
  const module = readFileSync(text, "utf8").replaceAll(/\(table\.fill \$\w+/g, "(call $not_cleared");
  writeFileSync(text, module.replace(/\)\s*$/, "(func $not_cleared (param i32 externref i32)))"));
  const [, features] = module.match(/;; features section: (.*)/);
  const enabled = features.split(", ").map((feature) => `--enable-${feature}`);
  run("wasm-opt", [...enabled, "--llvm-memory-copy-fill-lowering", "--log-execution", text, "-o", counting]);
  const { Instance } = WebAssembly;
  WebAssembly.Instance = function instantiate(module, imports) {
    const counted = Object.entries(imports).map(([name, of]) => [name, { ...of, log_execution: () => steps++ }]);
    return new Instance(module, Object.fromEntries(counted));
  };
  initSync(new WebAssembly.Module(readFileSync(counting)));
  rmSync(dir, { recursive: true });
});

const resource = { attributes: { "service.name": "shop" } };
const instrumentationScope = { name: "ai" };
const hex = (n, digits) => n.toString(16).padStart(digits, "0");
let made = 0;

/** Spans of one trace, in the order in which they start. The first of them is its root, and `parent` gives the index of a parent. */
function trace(count, attributes, parent = () => 0) {
  const traceId = hex(++made, 32);
  const context = (i) => ({ traceId, spanId: hex(i + 1, 16), traceFlags: 1 });
  return Array.from({ length: count }, (_, i) => ({
    name: "chat",
    kind: 2,
    spanContext: () => context(i),
    parentSpanContext: i === 0 ? undefined : context(parent(i)),
    startTime: [1_780_000_000, 0],
    endTime: [1_780_000_001, 0],
    status: { code: 0 },
    attributes: typeof attributes === "function" ? attributes(i) : attributes,
    events: [],
    links: [],
    resource,
    instrumentationScope,
  }));
}

/** The steps for a trace, from the start of its spans until they are sent, by a processor that has had another like it. */
async function work(make, n) {
  let sent = 0;
  globalThis.fetch = async (_url, { body }) => {
    sent += body.byteLength;
    return new Response(null, { status: 200 });
  };
  const endpoint = "http://127.0.0.1:4318/v1/traces";
  const processor = new GenSpanProcessor({ endpoint, compression: "none", maxQueueSize: 20_000 });
  let counted = 0;
  for (const spans of [make(n), make(n)]) {
    const first = steps;
    for (const span of spans) processor.onStart({ ...span, attributes: {} });
    for (const span of spans.toReversed()) processor.onEnd(span);
    await processor.forceFlush();
    counted = steps - first;
  }
  const { seen, destinations } = processor.stats();
  assert.equal(destinations[0].sent, seen);
  assert.ok(sent > 0);
  await processor.shutdown();
  return counted;
}

const of = (n, make) => Object.fromEntries(Array.from({ length: n }, (_, i) => make(i)).flat());

/** What grows, and a trace with `n` of it. */
const GROWING = {
  "attributes of the application": (n) =>
    trace(1, { "gen_ai.operation.name": "chat", ...of(n, (i) => [[`app.${i}`, "x"]]) }),
  "attributes of spans that no convention knows": (n) =>
    trace(
      1,
      of(n, (i) => [[`http.header.${i}`, "x"]]),
    ),
  "metadata of Langfuse": (n) =>
    trace(1, {
      "langfuse.observation.type": "generation",
      ...of(n, (i) => [[`langfuse.observation.metadata.k${i}`, "x"]]),
    }),
  "messages of OpenInference, a key each": (n) =>
    trace(1, {
      "openinference.span.kind": "LLM",
      ...of(n, (i) => [
        [`llm.input_messages.${i}.message.role`, "user"],
        [`llm.input_messages.${i}.message.content`, "hello"],
      ]),
    }),
  "messages in JSON": (n) =>
    trace(1, {
      "langfuse.observation.type": "generation",
      "langfuse.observation.input": JSON.stringify(
        Array.from({ length: n }, () => ({ role: "user", content: "a\n深" })),
      ),
    }),
  "spans of one trace": (n) => trace(n, { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search" }),
};

for (const [what, make] of Object.entries(GROWING)) {
  test(`ten times the ${what} is ten times the work`, async () => {
    const counts = [];
    for (const n of [100, 1_000, 10_000]) counts.push(await work(make, n));
    const [hundred, thousand, tenThousand] = counts;
    assert.ok(thousand <= 12 * hundred && tenThousand <= 12 * thousand, `steps for 100, 1,000 and 10,000: ${counts}`);
  });
}

// ---- the tree of a trace

const PLAIN = { "http.route": "/chat" };
const CALL = { "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5 };
const MARKED = { "gen_ai.operation.name": "invoke_agent", "gen_ai.is_entry": true };

/** A number below `n` for each `i`, by chance and the same each time. */
const chance = (i, n) => (Math.imul(i ^ (i >>> 7), 0x9e3779b1) >>> 8) % n;

/** Shapes of traces: the attributes of span `i` of `n`, and its parent. A plain span is of a scope that proves nothing by itself. */
const SHAPES = {
  "a chain": [() => CALL, (i) => i - 1],
  "calls at the end of a chain": [(i, n) => (i < n / 2 ? PLAIN : CALL), (i, n) => Math.min(i, n / 2) - 1],
  "marked spans at the end of a chain": [(i, n) => (i < n / 2 ? PLAIN : MARKED), (i, n) => Math.min(i, n / 2) - 1],
  "a fan below a plain span": [(i) => (i === 0 ? PLAIN : CALL), () => 0],
  "a comb with marked teeth": [(i) => (i % 2 === 0 ? CALL : MARKED), (i) => i - 1 - ((i + 1) % 2)],
  "a random tree": [(i) => [PLAIN, CALL, PLAIN, MARKED][chance(i, 4)], (i) => chance(i, i)],
};

const shaped = (n, [attributes, parent]) =>
  trace(
    n,
    (i) => attributes(i, n),
    (i) => parent(i, n),
  ).map((span) => ({ ...span, instrumentationScope: { name: "shop" } }));

/** The spans of a trace as an OTLP/JSON body. */
function bodyOf(spans) {
  const value = (v) => (typeof v === "string" ? { stringValue: v } : v === true ? { boolValue: v } : { intValue: v });
  const asJson = (span) => ({
    traceId: span.spanContext().traceId,
    spanId: span.spanContext().spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    name: span.name,
    startTimeUnixNano: "1780000000000000000",
    endTimeUnixNano: "1780000001000000000",
    attributes: Object.entries(span.attributes).map(([key, v]) => ({ key, value: value(v) })),
  });
  const scopeSpans = [{ scope: { name: "shop" }, spans: spans.map(asJson) }];
  return new TextEncoder().encode(JSON.stringify({ resourceSpans: [{ scopeSpans }] }));
}

/** The steps for a body, by a module that has had another like it. */
function workOn(read, make, n) {
  read(bodyOf(make(n)));
  const body = bodyOf(make(n));
  const first = steps;
  read(body);
  return steps - first;
}

// The logarithm of their number comes on top, and from 1,000 candidates on each new one decides the oldest.
for (const [shape, of] of Object.entries(SHAPES)) {
  test(`${shape} takes work near linear in its spans: from a host, by normalize, by explain`, async () => {
    const make = (n) => shaped(n, of);
    for (const by of [(n) => work(make, n), (n) => workOn(normalize, make, n), (n) => workOn(explain, make, n)]) {
      const counts = [];
      for (const n of [100, 1_000, 10_000]) counts.push(await by(n));
      const [hundred, thousand, tenThousand] = counts;
      assert.ok(thousand <= 16 * hundred && tenThousand <= 16 * thousand, `steps for 100, 1,000 and 10,000: ${counts}`);
    }
  });
}
