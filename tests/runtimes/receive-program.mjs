// A receiver in Node, Bun or Deno, each with its own server, that gets one body. Prints the answer.
import { createServer } from "node:http";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { receive } from "genspan/receive";

const destination = { profile: "tencent", token: "t", serviceName: "shop", endpoint: process.env.ENDPOINT };
const receiver = receive({ token: "secret", destinations: [destination] });
const { Bun, Deno } = globalThis;
const hostname = "127.0.0.1";

/** The port, and what ends the server. */
async function serve() {
  if (Bun) {
    const server = Bun.serve({ port: 0, hostname, fetch: receiver.fetch });
    return [server.port, () => server.stop(true)];
  }
  if (Deno) {
    const server = Deno.serve({ port: 0, hostname, onListen() {} }, receiver.fetch);
    return [server.addr.port, () => server.shutdown()];
  }
  const server = createServer(receiver.node);
  await new Promise((resolve) => server.listen(0, hostname, resolve));
  return [server.address().port, () => server.close()];
}

const [port, close] = await serve();
const attributes = [{ key: "gen_ai.operation.name", value: { stringValue: "chat" } }];
const times = { startTimeUnixNano: "1700000000000000000", endTimeUnixNano: "1700000001000000000" };
const span = { traceId: "1".repeat(32), spanId: "2".repeat(16), name: "chat", attributes, ...times };
const response = await fetch(`http://${hostname}:${port}/v1/traces`, {
  method: "POST",
  headers: { "content-type": "application/json", "content-encoding": "gzip", authorization: "Bearer secret" },
  body: gzipSync(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })),
});
console.log(response.status, await response.text());
await close();
