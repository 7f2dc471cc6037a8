// All of tracing: @vercel/otel, and genspan as its span processor. What the OTEL_* variables say counts.
import { registerOTel } from "@vercel/otel";
import { GenSpanProcessor } from "genspan";

/** Starts tracing; to be called before anything else, as Next.js calls `register` of its instrumentation.js. */
export function register(options) {
  const genspan = new GenSpanProcessor(options);
  registerOTel({ serviceName: "weather-agent", spanProcessors: [genspan] });
  return genspan;
}
