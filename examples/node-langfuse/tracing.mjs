// Tracing of the example: one OpenTelemetry provider, HTTP spans from the stock instrumentation, and GenSpanProcessor on the way out.
// What the agents do is in agent.mjs and graph.mjs; neither knows where its spans go.
import { createRequire } from "node:module";
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { GenSpanProcessor, GenSpanPropagator } from "genspan";

/** Starts tracing. `genspan` are GenSpanProcessor's options; `beside` are further span processors on the same provider. */
export function startTracing(genspan, beside = []) {
  const processor = new GenSpanProcessor(genspan);
  const provider = new NodeTracerProvider({ spanProcessors: [...beside, processor] });
  const w3c = new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] });
  // Tells the services that the agent calls that it has the entry.
  provider.register({ propagator: new GenSpanPropagator(processor, w3c) });
  registerInstrumentations({ tracerProvider: provider, instrumentations: [new HttpInstrumentation()] });
  // The instrumentation hooks `require`, and an ES module's import of a built-in goes past it: load the module once by `require`.
  createRequire(import.meta.url)("node:http");
  return { provider, processor };
}
