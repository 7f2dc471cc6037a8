// The processor as an exporter: spans that ended elsewhere, in batches of the SDK's own processors.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { BasicTracerProvider, BatchSpanProcessor, InMemorySpanExporter } from "@opentelemetry/sdk-trace-base";
import { GenSpanExporter, GenSpanProcessor } from "genspan";
import { startCollector } from "./collector.mjs";
import "./host.mjs";

async function setup(t, { answer, ...options } = {}) {
  const collector = await startCollector(answer);
  const processor = new GenSpanProcessor({ endpoint: collector.url, scheduledDelayMillis: 60_000, ...options });
  t.after(async () => {
    await processor.shutdown({ timeoutMillis: 0 });
    await collector.close();
  });
  return { collector, processor, exporter: new GenSpanExporter(processor) };
}

/** A request with an agent in it that calls a model; all of them start in the same millisecond. */
function work(provider) {
  const start = (name, parent, attributes) =>
    provider.getTracer("shop").startSpan(name, { attributes, startTime: [1e9, 0] }, parent);
  const within = (span) => trace.setSpan(ROOT_CONTEXT, span);
  const request = start("POST /", ROOT_CONTEXT);
  const agent = start("agent", within(request), { "gen_ai.operation.name": "invoke_agent" });
  const chat = start("chat", within(agent), { "gen_ai.operation.name": "chat" });
  for (const span of [chat, agent, request]) span.end([1e9, 0]);
}

const result = (exporter, spans) => new Promise((resolve) => exporter.export(spans, resolve));

function recorded() {
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(memory)] });
  work(provider);
  return provider.forceFlush().then(() => memory.getFinishedSpans());
}

test("a batch that holds a trace, children first, has one entry: the outermost LLM span", async (t) => {
  const { collector, exporter, processor } = await setup(t);
  const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
  work(provider);
  await provider.forceFlush();
  const spans = collector.spans();
  assert.deepEqual(spans.map(({ name }) => name).toSorted(), ["POST /", "agent", "chat"]);
  assert.deepEqual(
    spans.filter(({ attributes }) => attributes["gen_ai.is_entry"]).map(({ name }) => name),
    ["agent"],
  );
  await provider.shutdown();
  assert.equal(processor.stats().destinations[0].pending, 0);
});

test("a trace whose spans come in several batches has one entry as well", async (t) => {
  const { collector, exporter } = await setup(t);
  for (const span of await recorded()) assert.deepEqual(await result(exporter, [span]), { code: 0 });
  assert.equal(collector.spans().filter(({ attributes }) => attributes["gen_ai.is_entry"]).length, 1);
});

test("what was not sampled but is handed over all the same goes out: a tail sampler has decided", async (t) => {
  const { collector, exporter } = await setup(t);
  const spans = await recorded();
  for (const span of spans) span.spanContext().traceFlags = 0;
  assert.deepEqual(await result(exporter, spans), { code: 0 });
  assert.equal(collector.spans().length, 3);
});

test("one id twice, and parents in a circle: all of them go out", async (t) => {
  const { collector, exporter } = await setup(t);
  const spans = await recorded();
  const context = spans[0].spanContext();
  const copy = { ...spans[2], name: "circle", parentSpanContext: context, spanContext: () => spans[2].spanContext() };
  assert.deepEqual(await result(exporter, [...spans, copy]), { code: 0 });
  assert.equal(collector.spans().length, 4);
});

test("the result says whether the backend has taken the spans", async (t) => {
  const { exporter, processor } = await setup(t, { answer: () => ({ status: 400 }) });
  const spans = await recorded();
  const { code, error } = await result(exporter, spans);
  assert.equal(code, 1);
  assert.match(error.message, /3 spans are not delivered/);
  await processor.shutdown();
  assert.equal((await result(exporter, spans)).code, 1);
});

test("what is no span is a failure, and throws nothing", async (t) => {
  const { exporter } = await setup(t);
  assert.equal((await result(exporter, [{}])).code, 1);
});
