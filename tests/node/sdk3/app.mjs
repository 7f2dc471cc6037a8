// An ES module application on OpenTelemetry SDK 3.x: `node app.mjs STOCK_URL GENSPAN_URL`. The spans are in ../spans.mjs.
import * as api from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { GenSpanProcessor } from "genspan";
import { main, SPAN_LIMITS } from "../spans.mjs";

const [stockUrl, genspanUrl] = process.argv.slice(2);
const stock = new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: stockUrl }) });
const genspan = new GenSpanProcessor({ endpoint: genspanUrl });
const resource = resourceFromAttributes({ "service.name": "shop" });
const provider = new TracerProvider({ resource, spanLimits: SPAN_LIMITS, spanProcessors: [stock, genspan] });

await main({ api, provider, genspan });
