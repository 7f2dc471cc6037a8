// What a user of Next.js has in instrumentation.js. It is run once in each runtime that the application has; a span says so.
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { GenSpanProcessor } from "genspan";

export async function register() {
  const processor = new GenSpanProcessor({ endpoint: `${process.env.SERVER}/instrumentation` });
  new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("next").startSpan("register").end();
  await processor.forceFlush();
}
