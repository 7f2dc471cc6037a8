// An application that ends spans as fast as its flushes allow, until somebody kills it. Writes the number of the last span that a flush
// has answered for, synchronously: what is written was true before the kill.
import { writeSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("./sdk2/package.json", import.meta.url));
const { NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");
const { GenSpanProcessor } = require("genspan");

const [endpoint, dir, round] = process.argv.slice(2);
const processor = new GenSpanProcessor({
  name: "backend",
  endpoint,
  spool: { dir },
  maxExportBatchSize: 8,
  timeoutMillis: 100,
  flushTimeoutMillis: 60_000,
  retry: { initialMillis: 5, maxMillis: 20 },
  breaker: { openMillis: 20 },
});
const tracer = new NodeTracerProvider({ spanProcessors: [processor] }).getTracer("shop");
writeSync(1, "ready\n");
for (let i = 0; ; ) {
  for (let k = 0; k < 20; k++, i++) tracer.startSpan(`${round}-${i}`).end();
  await processor.forceFlush();
  writeSync(1, `${i}\n`);
}
