// What every runtime runs: spans of OpenTelemetry's SDK through the processor, and a captured body through `normalize`. Ids and times are fixed, so
// that what is sent is the same bytes everywhere. Nothing here knows which runtime it is in.
import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";

/** That morning, so many milliseconds later. As seconds and nanoseconds: a number the SDK may take for one of the runtime's own clock, and correct. */
const morning = (millis = 0) => [Date.UTC(2026, 0, 1, 8) / 1000, millis * 1e6];

/** `genspan` is the package as this runtime loaded it, with `trace` where that is genspan/edge; `server` the origin of the receiver. */
export async function run({ GenSpanProcessor, normalize, trace: edge }, server) {
  const processor = new GenSpanProcessor({ endpoint: `${server}/v1/traces` });
  work(processor);
  await processor.forceFlush();

  const capture = await fetch(`${server}/capture`);
  const body = normalize(new Uint8Array(await capture.arrayBuffer()));
  await (await fetch(`${server}/normalized`, { method: "POST", body })).arrayBuffer();

  if (edge) {
    const waited = [];
    const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${server}/edge` };
    const traced = edge(new Request(server), { waitUntil: (promise) => waited.push(promise) }, env);
    traced.span("without an SDK", {}, () => {});
    await Promise.all(waited);
  }
  return processor.stats().errors;
}

function work(processor) {
  let ids = 0;
  const id = (length) => (++ids).toString(16).padStart(length, "0");
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "shop" }),
    idGenerator: { generateTraceId: () => id(32), generateSpanId: () => id(16) },
    spanProcessors: [processor],
  });
  const start = (tracer, name, attributes, parent) =>
    provider
      .getTracer(tracer, "1.0.0")
      .startSpan(
        name,
        { attributes, startTime: morning() },
        parent ? trace.setSpan(ROOT_CONTEXT, parent) : ROOT_CONTEXT,
      );
  const request = start("http", "POST /chat", { "http.request.method": "POST" });
  const answer = start(
    "ai",
    "ai.generateText.doGenerate",
    {
      "ai.model.id": "gpt-4o-mini",
      "ai.model.provider": "openai.chat",
      "ai.operationId": "ai.generateText.doGenerate",
      "ai.prompt.messages": JSON.stringify([{ role: "user", content: "Was kostet’s in 深圳? 😀" }]),
      "ai.response.text": "Nothing. ".repeat(900),
      "ai.usage.promptTokens": 12,
      "ai.usage.completionTokens": 3,
    },
    request,
  );
  answer.end(morning(700));
  request.end(morning(800));
}
