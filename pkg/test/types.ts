// Compiles only while the processor fits the SDK's interface and the exported types say what the package takes.
import type { SpanProcessor } from "@opentelemetry/sdk-trace-base";
import { convert, type GenSpanOptions, GenSpanProcessor, normalize, type Stats } from "../src/node.js";

const options: GenSpanOptions = {
  destinations: [
    { profile: "tencent", token: "t", serviceName: "shop" },
    { endpoint: "https://example.com/v1/traces" },
  ],
  scheduledDelayMillis: 1000,
};
export const processor: SpanProcessor = new GenSpanProcessor(options);
export const stats: Stats = new GenSpanProcessor().stats();
export const body: Uint8Array = convert(normalize(new Uint8Array(), { keep: "none" }), { from: "auto", to: "json" });

// @ts-expect-error: no such profile
new GenSpanProcessor({ profile: "tencnet" });
// @ts-expect-error: no such option
new GenSpanProcessor({ endPoint: "http://localhost" });
