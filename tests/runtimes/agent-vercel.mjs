// instrumentation.js of Next.js: @vercel/otel, with genspan as its span processor.
import { registerOTel } from "@vercel/otel";
import { GenSpanProcessor } from "genspan";

export function register() {
  const genspan = new GenSpanProcessor();
  registerOTel({ serviceName: "shop", spanProcessors: [genspan] });
  return genspan;
}
