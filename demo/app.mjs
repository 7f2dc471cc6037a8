// The demo's application, in a process of its own: the example's server and tracing, plus a witness that keeps each span as its SDK wrote it, and as
// OpenTelemetry's own code writes it into a request. run.mjs drives it over IPC; a separate process keeps the HTTP instrumentation away from the demo's own servers.
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { createApp } from "../examples/node-langfuse/server.mjs";
import { startTracing } from "../examples/node-langfuse/tracing.mjs";

const written = [];
const ended = [];
const witness = {
  onStart() {},
  onEnd(span) {
    ended.push(span);
    const { traceId, spanId } = span.spanContext();
    written.push({ traceId, spanId, name: span.name, attributes: { ...span.attributes } });
  },
  forceFlush: async () => {},
  shutdown: async () => {},
};

const { genspan, services } = JSON.parse(process.argv[2]);
const { processor } = startTracing(genspan, [witness]);
const server = createApp(services);
server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));

process.once("message", async () => {
  server.close();
  server.closeAllConnections();
  await processor.shutdown();
  const body = ProtobufTraceSerializer.serializeRequest(ended);
  process.send({ written, body, stats: processor.stats() }, () => process.disconnect());
});
