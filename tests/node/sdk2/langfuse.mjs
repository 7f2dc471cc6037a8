// An application with the real @langfuse/tracing under an HTTP span of another tracer, the Langfuse processor and, where asked, genspan on
// one provider: `node langfuse.mjs '{"destinations": […], "first": true}'` (no destinations: without genspan; first: genspan before Langfuse).
// It prints what each processor's side got to see.

import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startActiveObservation, startObservation } from "@langfuse/tracing";
import { context, ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import { InMemorySpanExporter } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { GenSpanProcessor } from "genspan";

const { destinations = [], first = false, mark } = JSON.parse(process.argv[2]);

const exporter = new InMemorySpanExporter();
// Shut down, the exporter would forget what it holds before it is read.
exporter.shutdown = async () => {};
const langfuse = new LangfuseSpanProcessor({
  publicKey: "pk-lf-test",
  secretKey: "sk-lf-test",
  baseUrl: "http://127.0.0.1:9",
  exporter,
  environment: "test",
});
const genspan = destinations.length > 0 ? [new GenSpanProcessor({ destinations })] : [];
const ended = [];
const witness = {
  onStart() {},
  onEnd: (span) => ended.push(span.spanContext().spanId),
  forceFlush: async () => {},
  shutdown: async () => {},
};
const provider = new NodeTracerProvider({
  spanProcessors: first ? [...genspan, langfuse, witness] : [langfuse, ...genspan, witness],
});
provider.register();

const http = trace.getTracer("@opentelemetry/instrumentation-http", "0.223.0");
const request = http.startSpan("POST /chat", { kind: SpanKind.SERVER }, ROOT_CONTEXT);
await context.with(trace.setSpan(ROOT_CONTEXT, request), () =>
  propagateAttributes({ userId: "user-456", sessionId: "sess-1", tags: ["test"] }, () =>
    startActiveObservation(
      "weather-agent",
      async (agent) => {
        agent.update({
          input: { city: "深圳" },
          metadata: mark === undefined ? undefined : { "gen_ai.is_entry": mark },
        });
        const retriever = agent.startObservation("search", { input: "深圳" }, { asType: "retriever" });
        retriever.update({ output: [{ content: "天气", score: 0.5 }] }).end();
        const tool = agent.startObservation("get_weather", { input: { city: "深圳" } }, { asType: "tool" });
        tool.update({ level: "ERROR", statusMessage: "no weather today" }).end();
        await startActiveObservation(
          "answer",
          async (generation) => {
            generation.update({
              model: "gpt-4o-mini",
              modelParameters: { temperature: 0.3 },
              input: [{ role: "user", content: "深圳天气" }],
              output: { role: "assistant", content: "26°C — 多云" },
              usageDetails: { input: 25, input_cached_tokens: 32, output: 9, output_reasoning_tokens: 8, total: 74 },
              completionStartTime: new Date(Date.now() + 5),
            });
          },
          { asType: "generation" },
        );
        agent.update({ output: "26°C — 多云" });
      },
      { asType: "agent" },
    ),
  ),
);
startObservation("standalone", { model: "gpt-4o", input: "hi", output: "hello" }, { asType: "generation" }).end();
request.end();
await provider.forceFlush();
await provider.shutdown();

const names = new Map(exporter.getFinishedSpans().map((span) => [span.spanContext().spanId, span.name]));
const seen = exporter.getFinishedSpans().map((span) => ({
  name: span.name,
  kind: span.kind,
  parent: span.parentSpanContext && (names.get(span.parentSpanContext.spanId) ?? "not exported"),
  flags: span.spanContext().traceFlags,
  status: span.status,
  attributes: span.attributes,
  events: span.events.map(({ name, attributes }) => ({ name, attributes })),
  links: span.links,
  scope: span.instrumentationScope,
  dropped: [span.droppedAttributesCount, span.droppedEventsCount, span.droppedLinksCount],
}));
console.log(JSON.stringify({ seen, ended, stats: genspan[0]?.stats() }));
