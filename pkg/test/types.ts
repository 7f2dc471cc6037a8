// Compiles only while the processor fits the SDK's interface and the exported types say what the package takes.

import type { TextMapPropagator } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import type { SpanExporter, SpanProcessor } from "@opentelemetry/sdk-trace-base";
import { type Span, trace } from "../src/edge.js";
import {
  convert,
  GenSpanExporter,
  type GenSpanOptions,
  GenSpanProcessor,
  GenSpanPropagator,
  normalize,
  type Stats,
} from "../src/node.js";

const options: GenSpanOptions = {
  destinations: [
    { profile: "tencent", token: "t", serviceName: "shop" },
    { endpoint: "https://example.com/v1/traces", filter: ({ name }) => name !== "GET /health" },
    { filter: { only: [{ llm: true }], except: [{ attributes: { "http.route": ["/a", null, 1] } }] } },
  ],
  scheduledDelayMillis: 1000,
  privacy: { mask: [{ detect: ["email"] }, { keys: ["user.*"], pattern: /a+/i }], maxSpanBytes: null },
  mask: (value, key) => key + value,
  onMedia: ({ type, base64, key }) => type + base64.length + key,
};
// With exactOptionalPropertyTypes: what may not be set, such as a variable of the environment, is taken as it is.
export const unset: GenSpanOptions = {
  endpoint: new URL("https://example.com/v1/traces"),
  token: process.env.TOKEN,
  serviceName: process.env.NAME,
  headers: new Headers({ authorization: "t" }),
  entry: { holdMillis: undefined },
  retry: { maxMillis: undefined },
  privacy: { captureContent: undefined, mask: undefined },
  spool: undefined,
  tls: { ca: process.env.CA },
};
export const changing: GenSpanOptions = { headers: async () => new Map([["authorization", "t"]]) };
trace(undefined, {}, undefined, unset);
trace({ headers: { traceparent: "" } }, undefined, {}, unset);
export const delivery: GenSpanOptions = {
  destinations: [
    { protocol: "grpc", headers: async () => ({ authorization: "t" }), tls: { ca: "pem" }, concurrencyLimit: 2 },
    { protocol: "http/json", breaker: { failures: 0 }, dropPolicy: "newest" },
  ],
  retry: { maxMillis: 1000 },
  spool: { dir: "spool" },
  flushOnExit: true,
  onPartialSuccess: ({ destination, rejectedSpans, errorMessage }) => void [destination, rejectedSpans, errorMessage],
  meterProvider: new MeterProvider(),
};
export const flushed: Promise<void>[] = [
  new GenSpanProcessor(delivery).flushVia({ waitUntil() {} }),
  new GenSpanProcessor(delivery).forceFlush({ timeoutMillis: 1 }),
];
export const processor: SpanProcessor = new GenSpanProcessor(options);
export const exporter: SpanExporter = new GenSpanExporter(new GenSpanProcessor());
export const propagator: TextMapPropagator = new GenSpanPropagator(
  new GenSpanProcessor(),
  new W3CTraceContextPropagator(),
);
export const stats: Stats = new GenSpanProcessor().stats();
export const body: Uint8Array = convert(normalize(new Uint8Array(), { keep: "none" }), { from: "auto", to: "json" });
const traced = trace(new Request("http://shop/"), { waitUntil() {} }, { OTEL_SERVICE_NAME: "shop" }, options);
export const inSpan: Promise<number> = traced.span("chat", { "gen_ai.usage.input_tokens": 7 }, async (span: Span) => {
  const response = await span.setAttribute("key", [1]).fetch("https://example.com");
  return span.span("inner", {}, () => response.status);
});

// @ts-expect-error: no such profile
new GenSpanProcessor({ profile: "tencnet" });
// @ts-expect-error: no such detector
new GenSpanProcessor({ privacy: { mask: [{ detect: ["mail"] }] } });
// @ts-expect-error: no such option
new GenSpanProcessor({ endPoint: "http://localhost" });
