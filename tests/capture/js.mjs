// What the JavaScript programs share: packages from the folder that they run in, a provider that sends to the sink, the question.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const resolve = createRequire(`${process.cwd()}/`).resolve;
const main = (entry) => (typeof entry === "string" ? entry : main(entry.import ?? entry.default));
/** Where a package's main module is; some have none for `require`. */
const found = (name) => {
  try {
    return resolve(name);
  } catch {
    const folder = `${process.cwd()}/node_modules/${name}`;
    return `${folder}/${main(JSON.parse(readFileSync(`${folder}/package.json`)).exports["."])}`;
  }
};
export const load = async (name) => import(pathToFileURL(found(name)).href);

// A stack trace would tell the machine's paths.
Error.stackTraceLimit = 0;

const { NodeTracerProvider, BatchSpanProcessor } = await load("@opentelemetry/sdk-trace-node");
const { OTLPTraceExporter } = await load("@opentelemetry/exporter-trace-otlp-proto");
const { resourceFromAttributes } = await load("@opentelemetry/resources");
const { trace } = await load("@opentelemetry/api");

export const base = process.env.CANNED;
export const openaiUrl = `${base}/js/v1`;
export const sink = `${base}/${process.env.NAME}/v1/traces`;
export const resource = resourceFromAttributes({ "service.name": "shop-agent", "host.name": "10.0.0.8" });
export const exporter = new OTLPTraceExporter({ url: sink });

/** Sends everything in one body, at the end. */
export const processor = new BatchSpanProcessor(exporter, { maxExportBatchSize: 512, scheduledDelayMillis: 3_600_000 });

export function register(spanProcessors = [processor]) {
  const provider = new NodeTracerProvider({ resource, spanProcessors });
  provider.register();
  return provider;
}

/** Runs `work` below a span of another library. */
export async function request(work) {
  await trace
    .getTracer("@opentelemetry/instrumentation-http")
    .startActiveSpan("POST /chat", { kind: 1 }, async (span) => {
      await work();
      span.end();
    });
}

/** Runs what must fail. */
export async function fails(work) {
  await work().then(
    () => console.error("did not fail"),
    (error) => console.log("failed:", error.message),
  );
}

export const question = "深圳天气如何?";
export const description = "weather of a city";
export const weather = ({ city }) => `${city}: 26C sunny`;
export const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
export const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
