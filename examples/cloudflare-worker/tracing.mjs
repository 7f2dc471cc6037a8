// All of tracing: OpenTelemetry's SDK, and genspan with two destinations. Secrets are bindings and stay there.
import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { GenSpanProcessor } from "genspan";

let tracing;

/** One for all requests of the isolate, made by the first: bindings are there only then. */
export function tracingOf(env) {
  tracing ??= start(env);
  return tracing;
}

function start(env) {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const processor = new GenSpanProcessor({
    destinations: [
      { endpoint: `${env.COLLECTOR_URL}/v1/traces` },
      {
        profile: "langfuse",
        endpoint: `${env.LANGFUSE_URL}/api/public/otel/v1/traces`,
        headers: { authorization: `Basic ${btoa(`${env.LANGFUSE_PUBLIC_KEY}:${env.LANGFUSE_SECRET_KEY}`)}` },
      },
    ],
  });
  const resource = resourceFromAttributes({ "service.name": "weather-agent" });
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  return { processor, tracer: provider.getTracer("weather-agent") };
}
