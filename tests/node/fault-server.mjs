// A backend on real sockets that fails as it is told: OTLP over HTTP (protobuf, JSON) by node:http, over gRPC by @grpc/grpc-js, either
// behind a TCP relay that can cut connections. What it took is read by the OpenTelemetry project's own generated code.

import { createServer as createHttpServer } from "node:http";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import { gunzipSync } from "node:zlib";
import { decode, flatten } from "../../demo/receiver.mjs";

const require = createRequire(new URL("../../pkg/package.json", import.meta.url));
const grpc = require("@grpc/grpc-js");

const listen = (server, port = 0) =>
  new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(server.address().port)));

/**
 * `act(n, request)` says what becomes of the n-th request (from 0) that arrives whole:
 * `{}` it is taken · `{ hang }` no answer · `{ lost }` taken, but the connection ends · `{ status, headers, body, message, details }` refused ·
 * `{ reject, message }` taken but for the first few spans · `{ garbage }`, `{ drip }` taken, with an answer that is none, or is slow.
 * `cut(n)` is true for connections that end in the middle of their first request.
 */
export async function startFaultServer({ protocol, act = () => ({}), cut = () => false, port, maxBytes, late = 0 }) {
  const state = { spans: [], requests: [], rejected: 0 };
  let connections = 0;
  const sockets = new Set();
  const take = (body, type, reject = 0) => {
    const spans = flatten(decode(body, type));
    state.spans.push(...spans.slice(reject));
    state.rejected += Math.min(reject, spans.length);
  };
  const dropAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  const inner = await (protocol === "grpc" ? grpcServer : httpServer)({ act, state, take, dropAll, maxBytes });
  const relay = createServer((socket) => {
    const isCut = cut(connections++);
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    const upstream = connect(inner.port, "127.0.0.1");
    upstream.on("error", () => socket.destroy());
    socket.on("close", () => upstream.destroy());
    upstream.on("close", () => socket.destroy());
    upstream.pipe(socket);
    let got = 0;
    socket.on("data", (bytes) => {
      got += bytes.length;
      // By then a connection of HTTP/2 stands, and the request has begun.
      if (isCut && got > 400) socket.resetAndDestroy();
      else upstream.write(bytes);
    });
  });
  let at = port;
  const open = async () => {
    at = await listen(relay, port);
  };
  if (late > 0) setTimeout(open, late);
  else await open();
  return {
    ...state,
    get url() {
      return `http://127.0.0.1:${at}${protocol === "grpc" ? "" : "/v1/traces"}`;
    },
    rejected: () => state.rejected,
    async close() {
      dropAll();
      await new Promise((resolve) => relay.close(resolve));
      await inner.close();
    },
  };
}

async function httpServer({ act, state, take, dropAll, maxBytes }) {
  const drips = new Set();
  const server = createHttpServer(async (req, res) => {
    const chunks = [];
    try {
      for await (const chunk of req) chunks.push(chunk);
    } catch {
      return;
    }
    const raw = Buffer.concat(chunks);
    const body = req.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
    const type = req.headers["content-type"];
    const request = { headers: req.headers, path: req.url, body, type, at: Date.now() };
    const does =
      body.length > (maxBytes ?? Number.POSITIVE_INFINITY) ? { status: 413 } : act(state.requests.length, request);
    state.requests.push(request);
    if (does.hang) return;
    if (does.status) return void res.writeHead(does.status, does.headers ?? {}).end(does.body ?? "");
    take(body, type, does.reject);
    if (does.lost) return dropAll();
    res.setHeader("content-type", type);
    if (does.garbage) return void res.end(Buffer.from("<html>\u0000\u00ff no OTLP at all"));
    if (does.drip) {
      res.writeHead(200, { "content-length": "1000" });
      const drip = setInterval(() => res.write("\0"), 50);
      drips.add(drip);
      res.on("close", () => clearInterval(drip));
      return;
    }
    if (does.reject === undefined) return void res.end();
    const { reject: rejectedSpans, message: errorMessage } = does;
    const json = type.includes("json");
    res.end(
      json ? JSON.stringify({ partialSuccess: { rejectedSpans: String(rejectedSpans), errorMessage } }) : partial(does),
    );
  });
  return {
    port: await listen(server),
    close() {
      drips.forEach(clearInterval);
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function grpcServer({ act, state, take, dropAll, maxBytes }) {
  const server = new grpc.Server(maxBytes ? { "grpc.max_receive_message_length": maxBytes } : {});
  const bytes = (value) => value;
  const Export = {
    path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  server.addService(
    { Export },
    {
      Export({ request: body, metadata }, callback) {
        const request = { headers: metadata.getMap(), body, at: Date.now() };
        const does = act(state.requests.length, request);
        state.requests.push(request);
        if (does.hang) return;
        if (does.status) {
          const trailers = new grpc.Metadata();
          if (does.details) trailers.set("grpc-status-details-bin", Buffer.from(does.details));
          return callback({ code: does.status, details: does.message ?? "", metadata: trailers });
        }
        take(body, undefined, does.reject);
        if (does.lost) return dropAll();
        if (does.garbage) return callback(null, Buffer.from("<html>\u0000\u00ff no OTLP at all"));
        if (does.drip) return void setTimeout(() => callback(null, Buffer.alloc(0)), 250);
        callback(null, does.reject === undefined ? Buffer.alloc(0) : partial(does));
      },
    },
  );
  const port = await new Promise((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );
  return { port, close: () => server.forceShutdown() };
}

/** ExportTraceServiceResponse { partial_success { rejected_spans: <128, error_message } } */
function partial({ reject, message = "" }) {
  const text = Buffer.from(message);
  const inner = Buffer.concat([Buffer.from([0x08, reject, 0x12, text.length]), text]);
  return Buffer.concat([Buffer.from([0x0a, inner.length]), inner]);
}
