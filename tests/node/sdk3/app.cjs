// A CommonJS application on OpenTelemetry SDK 3.x: `node app.cjs STOCK_URL GENSPAN_URL`. The spans are in ../spans.mjs.
const api = require("@opentelemetry/api");
const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-proto");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { BatchSpanProcessor, TracerProvider } = require("@opentelemetry/sdk-trace");
const { GenSpanProcessor } = require("genspan");

import("../spans.mjs").then(({ main, SPAN_LIMITS }) => {
  const [stockUrl, genspanUrl] = process.argv.slice(2);
  const stock = new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: stockUrl }) });
  const genspan = new GenSpanProcessor({ endpoint: genspanUrl });
  const resource = resourceFromAttributes({ "service.name": "shop" });
  const provider = new TracerProvider({ resource, spanLimits: SPAN_LIMITS, spanProcessors: [stock, genspan] });

  return main({ api, provider, genspan });
});
