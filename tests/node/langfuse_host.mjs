// An application of Langfuse's SDK in JavaScript that knows nothing of genspan: where it sends, its environment says.
import { createRequire } from "node:module";

const require = createRequire(new URL("./sdk2/package.json", import.meta.url));
const { NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");
const { LangfuseSpanProcessor } = require("@langfuse/otel");
const { startActiveObservation, startObservation } = require("@langfuse/tracing");

const PICTURE =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const provider = new NodeTracerProvider({ spanProcessors: [new LangfuseSpanProcessor()] });
provider.register();
await startActiveObservation("agent", async () => {
  const image = { type: "image_url", image_url: { url: PICTURE } };
  const input = [{ role: "user", content: [{ type: "text", text: "深圳天气如何?" }, image] }];
  const usageDetails = { input: 57, output: 9 };
  startObservation(
    "answer",
    { model: "gpt-4o-mini", input, output: "26C", usageDetails },
    { asType: "generation" },
  ).end();
});
await provider.forceFlush();
await provider.shutdown();
