// Backends of the shape of Tencent Cloud's: OTLP/gRPC (its documented exporter, port 4317) and OTLP/HTTP (55681), which know their users by
// the resource attribute `token`, or by a header, and turn others away.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { decode, flatten } from "../../demo/receiver.mjs";
import { startFaultServer } from "./fault-server.mjs";

const require = createRequire(new URL("./sdk2/package.json", import.meta.url));
const { NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");
const { GenSpanProcessor } = require("genspan");

const TOKEN = "Tok3nOfTheSystem";
const SERVICE = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Looks at each resource of a request as the service does. */
function admits(protocol) {
  const refuse =
    protocol === "grpc" ? { status: 16, message: "token is invalid" } : { status: 401, body: "token is invalid" };
  return (_, { body, type, headers }) => {
    const known = flatten(decode(body, type)).every(
      ({ resource }) =>
        resource["host.name"] &&
        SERVICE.test(resource["service.name"]) &&
        (resource.token === TOKEN || headers.authorization === `Bearer ${TOKEN}`),
    );
    return known ? {} : refuse;
  };
}

async function send(destinations) {
  const processor = new GenSpanProcessor({ exportTimeoutMillis: 2000, destinations });
  const tracer = new NodeTracerProvider({ spanProcessors: [processor] }).getTracer("shop");
  tracer
    .startSpan("chat", { attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini" } })
    .end();
  await processor.shutdown();
  return processor.stats();
}

for (const protocol of ["grpc", "http/protobuf"]) {
  const tencent = { profile: "tencent", protocol, serviceName: "shop-agent", hostName: "10.0.0.8" };

  test(`${protocol}: the right token is let in, and reaches this destination only`, async () => {
    const server = await startFaultServer({ protocol, act: admits(protocol) });
    const other = await startFaultServer({ protocol: "http/protobuf" });
    try {
      const stats = await send([{ ...tencent, endpoint: server.url, token: TOKEN }, { endpoint: other.url }]);
      assert.deepEqual(
        stats.destinations.map(({ sent }) => sent),
        [1, 1],
      );
      const [span] = server.spans;
      assert.equal(span.resource.token, TOKEN);
      assert.equal(span.attributes["gen_ai.is_entry"], true);
      assert.ok(!JSON.stringify(other.requests).includes(TOKEN) && !other.requests[0].body.includes(TOKEN));
    } finally {
      await server.close();
      await other.close();
    }
  });

  // README promise: "Neither is in an error, a log or a stat"
  test(`${protocol}: a wrong token is turned away, counted, and told by nobody`, async () => {
    const server = await startFaultServer({ protocol, act: admits(protocol) });
    try {
      const stats = await send([{ ...tencent, endpoint: server.url, token: "wr0ng-t0ken" }]);
      const [{ droppedRefused, lastError }] = stats.destinations;
      assert.equal(droppedRefused, 1);
      assert.match(lastError.message, protocol === "grpc" ? /gRPC status 16: token is invalid/ : /HTTP status 401/);
      assert.ok(!JSON.stringify(stats).includes("wr0ng-t0ken"));
    } finally {
      await server.close();
    }
  });

  test(`${protocol}: a token in a header that changes while the process runs`, async () => {
    const server = await startFaultServer({ protocol, act: admits(protocol) });
    try {
      let current = "0ld";
      const options = { protocol, endpoint: server.url, serviceName: "shop-agent", resource: { "host.name": "h" } };
      const processor = new GenSpanProcessor({ ...options, headers: () => ({ authorization: `Bearer ${current}` }) });
      const tracer = new NodeTracerProvider({ spanProcessors: [processor] }).getTracer("shop");
      tracer.startSpan("too early").end();
      await processor.forceFlush();
      current = TOKEN;
      tracer.startSpan("in time").end();
      await processor.shutdown();
      const [{ sent, droppedRefused }] = processor.stats().destinations;
      assert.deepEqual([sent, droppedRefused, server.spans.map(({ name }) => name)], [1, 1, ["in time"]]);
    } finally {
      await server.close();
    }
  });
}
