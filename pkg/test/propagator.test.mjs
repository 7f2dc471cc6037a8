// Two services, each with a processor and an SDK of its own, joined by headers as HTTP would carry them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultTextMapGetter, defaultTextMapSetter, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { CompositePropagator, suppressTracing, W3CTraceContextPropagator } from "@opentelemetry/core";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { GenSpanProcessor, GenSpanPropagator } from "genspan";
import { startCollector } from "./collector.mjs";

async function service(t, options = {}) {
  const collector = await startCollector();
  const processor = new GenSpanProcessor({ endpoint: collector.url, scheduledDelayMillis: 60_000, ...options });
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  t.after(async () => {
    await processor.shutdown();
    await collector.close();
  });
  return {
    processor,
    start: (scope, name, parent, attributes) => {
      const span = provider.getTracer(scope).startSpan(name, { attributes }, parent);
      return { span, context: trace.setSpan(parent, span) };
    },
    propagator: new GenSpanPropagator(processor, new W3CTraceContextPropagator()),
    async entries() {
      await processor.forceFlush();
      return collector
        .spans()
        .filter(({ attributes }) => attributes["gen_ai.is_entry"])
        .map(({ name }) => name);
    },
  };
}

function inject(propagator, context) {
  const headers = {};
  propagator.inject(context, headers, defaultTextMapSetter);
  return headers;
}

/** The front has an agent that calls the back, which calls a model. `via`: from where in the front. Gives the entries of both. */
async function call(t, via, { front: ofFront, back: ofBack } = {}, headersOf = (headers) => headers) {
  const [front, back] = [await service(t, ofFront), await service(t, ofBack)];
  const http = front.start("http", "POST /front", ROOT_CONTEXT);
  const agent = front.start("langfuse-sdk", "agent", http.context, { "langfuse.observation.type": "agent" });
  if (via === "http after it") agent.span.end();
  const client = front.start("undici", "GET /back", via === "agent" ? agent.context : http.context);
  const headers = headersOf(inject(front.propagator, client.context));
  const server = back.start("http", "GET /back", back.propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter));
  const chat = back.start("openai", "chat", server.context, { "gen_ai.operation.name": "chat" });
  for (const { span } of [chat, server, client, agent, http]) if (span.isRecording()) span.end();
  return { headers, agent: agent.span.spanContext(), entries: [await front.entries(), await back.entries()] };
}

test("a service that is called from inside a segment makes no second entry", async (t) => {
  const { headers, agent, entries } = await call(t, "agent");
  assert.equal(headers.tracestate, `genspan=llm:${agent.spanId}`);
  assert.deepEqual(entries, [["agent"], []]);
});

test("so is one that is called beside an open segment: callback handlers do not make their spans current", async (t) => {
  const { entries } = await call(t, "http");
  assert.deepEqual(entries, [["agent"], []]);
});

test("one that is called from outside of it makes its own", async (t) => {
  const { headers, entries } = await call(t, "http after it");
  assert.equal(headers.tracestate, undefined);
  assert.deepEqual(entries, [["agent"], ["chat"]]);
});

test("the called service can be told to make its own anyway", async (t) => {
  const { entries } = await call(t, "agent", { back: { entry: { acrossProcesses: false } } });
  assert.deepEqual(entries, [["agent"], ["chat"]]);
});

test("the trace state of others stays, behind the member of genspan", async (t) => {
  const front = await service(t);
  const incoming = {
    traceparent: `00-${"ab".repeat(16)}-${"cd".repeat(8)}-01`,
    tracestate: "vendor=1,genspan=old,other=2",
  };
  const parent = front.propagator.extract(ROOT_CONTEXT, incoming, defaultTextMapGetter);
  const agent = front.start("langfuse-sdk", "agent", parent);
  const expected = `genspan=llm:${agent.span.spanContext().spanId},vendor=1,other=2`;
  assert.equal(inject(front.propagator, agent.context).tracestate, expected);
});

test("a service between the two hands it on", async (t) => {
  const middle = await service(t);
  const tracestate = `genspan=llm:${"ef".repeat(8)}`;
  const incoming = { traceparent: `00-${"ab".repeat(16)}-${"cd".repeat(8)}-01`, tracestate };
  const server = middle.start("http", "GET", middle.propagator.extract(ROOT_CONTEXT, incoming, defaultTextMapGetter));
  assert.equal(inject(middle.propagator, server.context).tracestate, tracestate);
});

test("nothing is written where nothing is traced, nor of spans that nobody knows", async (t) => {
  const front = await service(t);
  const agent = front.start("langfuse-sdk", "agent", ROOT_CONTEXT);
  assert.deepEqual(inject(front.propagator, suppressTracing(agent.context)), {});
  assert.deepEqual(inject(front.propagator, ROOT_CONTEXT), {});
  const foreign = trace.setSpanContext(ROOT_CONTEXT, {
    traceId: "ab".repeat(16),
    spanId: "cd".repeat(8),
    traceFlags: 1,
  });
  assert.equal(inject(front.propagator, foreign).tracestate, undefined);
  assert.deepEqual(front.propagator.fields(), ["traceparent", "tracestate"]);
});

test("without a propagator of its own it stands behind the one that carries the trace", async (t) => {
  const front = await service(t);
  const composite = new CompositePropagator({
    propagators: [new W3CTraceContextPropagator(), new GenSpanPropagator(front.processor)],
  });
  const agent = front.start("langfuse-sdk", "agent", ROOT_CONTEXT);
  const headers = inject(composite, agent.context);
  assert.deepEqual(Object.keys(headers).sort(), ["traceparent", "tracestate"]);
  const extracted = composite.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
  assert.equal(trace.getSpanContext(extracted).traceState.get("genspan"), `llm:${agent.span.spanContext().spanId}`);
});
