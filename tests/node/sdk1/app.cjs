// A CommonJS application on OpenTelemetry SDK 1.x: `node app.cjs STOCK_URL GENSPAN_URL`. The spans are in ../spans.mjs.
const api = require("@opentelemetry/api");
const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-proto");
const { Resource } = require("@opentelemetry/resources");
const { BatchSpanProcessor, NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");
const { GenSpanProcessor } = require("genspan");

import("../spans.mjs").then(({ main, SPAN_LIMITS }) => {
  const [stockUrl, genspanUrl] = process.argv.slice(2);
  const stock = new BatchSpanProcessor(new OTLPTraceExporter({ url: stockUrl }));
  const genspan = new GenSpanProcessor({ endpoint: genspanUrl });
  const resource = new Resource({ "service.name": "shop" });
  const provider = new NodeTracerProvider({ resource, spanLimits: SPAN_LIMITS, spanProcessors: [stock, genspan] });

  return main({ api, provider, genspan });
});
