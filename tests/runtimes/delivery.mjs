// One span by a way of delivery that not every runtime has: `delivery.mjs WAY ENDPOINT MORE…`. Prints what became of it.
import { readFileSync } from "node:fs";
import process from "node:process";
import { DiagConsoleLogger, diag } from "@opentelemetry/api";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { GenSpanProcessor } from "genspan";

const [way, endpoint, ...more] = process.argv.slice(2);
const ways = {
  grpc: () => ({ protocol: "grpc", compression: "gzip" }),
  tls: ([ca, cert, key]) => ({
    tls: { ca: readFileSync(ca, "utf8"), cert: readFileSync(cert), key: readFileSync(key) },
  }),
  proxy: () => ({}),
  exit: () => ({ flushOnExit: true }),
  // Nobody answers: `shutdown` leaves it there.
  spool: ([dir]) => ({ spool: { dir }, flushTimeoutMillis: 500 }),
  // What was left there goes out.
  restore: ([dir]) => ({ spool: { dir } }),
};

diag.setLogger(new DiagConsoleLogger());
const processor = new GenSpanProcessor({ endpoint, ...ways[way](more), retry: { initialMillis: 50 } });
const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("shop");
if (way !== "restore") tracer.startSpan("work").end();
for (let i = 0; i < 50 && way === "restore" && processor.stats().destinations[0].sent === 0; i++)
  await new Promise((resolve) => setTimeout(resolve, 100));
if (way !== "exit") await processor.shutdown();
const [{ sent, spooled, restored }] = processor.stats().destinations;
console.log(JSON.stringify({ sent, spooled, restored }));
