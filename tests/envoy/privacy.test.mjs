// What must not leave passes no proxy unread, and what ends in trailers is neither lost nor unread: requests that Envoy really got.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import { test } from "node:test";
import { brotliCompressSync, deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateSync } from "node:zlib";
import { decode, flatten } from "../../demo/receiver.mjs";
import { startEnvoy, startGrpcReceiver } from "./envoy.mjs";

const file = (path) => readFileSync(new URL(path, import.meta.url));
const CAPTURE = file("../fixtures/captures/langfuse-py-5.0.4.langgraph-entry-inherited.pb");
const ZSTD = file("../../plugins/proxy-wasm/tests/langgraph.pb.zst");
/** What the user said, as Python wrote it and as it would go out. */
const holdsContent = (body) => ["\\u6df1", "深圳"].some((text) => body.includes(text));
const PRIVATE = { profile: "otel", privacy: { captureContent: false } };
const GRPC_PATH = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const PROTO = { "content-type": "application/x-protobuf" };

/** A backend that keeps bodies as they came, and counts their bytes also where a request is broken off. */
async function startRaw() {
  const bodies = [];
  const backend = { bodies, bytes: 0 };
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    try {
      for await (const chunk of request) {
        backend.bytes += chunk.length;
        chunks.push(chunk);
      }
    } catch {
      return;
    }
    bodies.push(Buffer.concat(chunks));
    response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(backend, {
    port: server.address().port,
    close: () => server.close().closeAllConnections(),
  });
}

async function withEnvoy(t, options) {
  const backend = await startRaw();
  const grpc = await startGrpcReceiver();
  const envoy = await startEnvoy({ options, http: backend.port, grpc: grpc.port });
  t.after(async () => {
    await envoy.stop();
    backend.close();
    grpc.stop();
  });
  return { envoy, backend, grpc };
}

const post = (envoy, body, headers = {}) =>
  fetch(`${envoy.http}/v1/traces`, { method: "POST", body, headers: { ...PROTO, ...headers }, duplex: "half" });

async function until(holds, what) {
  for (let i = 0; !(await holds()); i++) {
    assert.ok(i < 400, `within 20 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The calls that brought spans to the gRPC receiver. A call that was broken off may arrive late, and without a body. */
const filled = (grpc) => grpc.requests.filter(({ body }) => body.length > 0);

/** Waits for the call with spans that follows `count` others, and returns its body. */
async function told(grpc, count) {
  await until(() => filled(grpc).length > count, "the receiver reports a call");
  return filled(grpc)[count].body;
}

const names = (body) => flatten(decode(body)).map(({ name }) => name);

/** A frame of gRPC. */
function frame(message, packed = false) {
  const head = Buffer.alloc(5);
  head.writeUInt8(packed ? 1 : 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** One request by HTTP/2: its chunks, and trailers. Gives the status, and what gRPC says. */
function send(origin, headers, chunks, trailers) {
  return new Promise((resolve, reject) => {
    const session = http2.connect(origin);
    session.on("error", reject);
    const stream = session.request({ ":method": "POST", ...headers }, { waitForTrailers: trailers !== undefined });
    const answer = {};
    const take = (of) =>
      Object.assign(answer, { status: of[":status"] ?? answer.status, grpc: of["grpc-status"] ?? answer.grpc });
    stream
      .on("response", take)
      .on("trailers", take)
      .on("wantTrailers", () => stream.sendTrailers(trailers));
    stream.on("error", () => {});
    stream.on("close", () => {
      session.close();
      resolve(answer);
    });
    stream.resume();
    (async () => {
      for (const chunk of chunks) {
        stream.write(chunk);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      stream.end();
    })();
  });
}

// README promise: "Content stays, if you say so"
test("what cannot be read is refused where content must not leave, and the backend gets no byte of it", async (t) => {
  const { envoy, backend } = await withEnvoy(t, { ...PRIVATE, maxBodyBytes: 1 << 20 });
  const large = Buffer.concat([CAPTURE, Buffer.alloc(2 << 20, 1)]);
  const stream = () => new Blob([large]).stream();
  for (const [body, headers, status, reason] of [
    [brotliCompressSync(CAPTURE), { "content-encoding": "br" }, 415, "unsupported"],
    [gzipSync(gzipSync(CAPTURE)), { "content-encoding": "gzip, gzip" }, 415, "unsupported"],
    [CAPTURE, { "content-type": "application/protobuf" }, 415, "unsupported"],
    [CAPTURE, { "content-type": "text/plain" }, 415, "unsupported"],
    [large, {}, 413, "oversized"],
    [stream(), {}, 413, "oversized"],
    [gzipSync(Buffer.alloc(8 << 20)), { "content-encoding": "gzip" }, 413, "oversized"],
    [Buffer.concat([CAPTURE, Buffer.from([7])]), {}, 400, "malformed"],
    [Buffer.concat([deflateSync(CAPTURE), CAPTURE]), { "content-encoding": "deflate" }, 400, "malformed"],
    [CAPTURE.subarray(0, 1000), {}, 400, "malformed"],
    [CAPTURE, { "content-encoding": "gzip" }, 400, "malformed"],
    ["{", { "content-type": "application/json" }, 400, "malformed"],
  ]) {
    const count = async () => (await envoy.stats())[`genspan_refused_total.${reason}`] ?? 0;
    const before = await count();
    const response = await post(envoy, body, headers);
    assert.equal(response.status, status, `${reason} ${JSON.stringify(headers)}`);
    if (headers["content-type"] === "application/json") assert.equal((await response.json()).code, 3);
    await until(async () => (await count()) === before + 1, `${reason} is counted`);
  }
  assert.equal(backend.bytes, 0);
  // The next one is treated as ever.
  assert.equal((await post(envoy, CAPTURE)).status, 200);
  assert.ok(names(backend.bodies[0]).includes("LangGraph"));
});

test("deflate, zstd, and codings in any case are read", async (t) => {
  const { envoy, backend } = await withEnvoy(t, PRIVATE);
  assert.ok(holdsContent(CAPTURE));
  // Blocks of zstd that are not compressed hold the text as it is.
  const asItIs = (body) => body;
  for (const [coding, body, unpack] of [
    ["deflate", deflateSync(CAPTURE), inflateSync],
    ["Deflate", deflateRawSync(CAPTURE), inflateSync],
    ["GZIP", gzipSync(CAPTURE), gunzipSync],
    ["x-gzip", gzipSync(CAPTURE), gunzipSync],
    ["zstd", ZSTD, asItIs],
    ["identity", CAPTURE, asItIs],
  ]) {
    assert.equal((await post(envoy, body, { "content-encoding": coding })).status, 200, coding);
    const plain = unpack(backend.bodies.at(-1));
    assert.ok(!holdsContent(plain), coding);
    if (coding !== "zstd") assert.ok(names(plain).includes("LangGraph"), coding);
    else assert.ok(plain.readUInt32LE() === 0xfd2fb528 && plain.includes("LangGraph"));
  }
  assert.equal((await envoy.stats())["genspan_refused_total.unsupported"] ?? 0, 0);
});

test("a proxy that holds too much refuses, and masks as ever afterwards", async (t) => {
  const { envoy, backend } = await withEnvoy(t, { ...PRIVATE, maxBufferedBytes: 100_000 });
  const slow = http.request(`${envoy.http}/v1/traces`, { method: "POST", headers: PROTO });
  slow.on("error", () => {});
  slow.write(Buffer.alloc(80_000, 1));
  await until(async () => (await envoy.stats()).genspan_buffered_bytes === 80_000, "the slow one is held");
  const response = await post(envoy, CAPTURE);
  assert.deepEqual([response.status, backend.bytes], [503, 0]);
  slow.destroy();
  await until(async () => (await envoy.stats()).genspan_buffered_bytes === 0, "it is forgotten");
  assert.equal((await post(envoy, CAPTURE)).status, 200);
  assert.ok(!holdsContent(backend.bodies[0]) && names(backend.bodies[0]).includes("LangGraph"));
});

test("onUnreadable: pass lets through what cannot be read, byte for byte", async (t) => {
  const { envoy, backend } = await withEnvoy(t, { ...PRIVATE, onUnreadable: "pass" });
  const body = brotliCompressSync(CAPTURE);
  assert.equal((await post(envoy, body, { "content-encoding": "br" })).status, 200);
  assert.ok(backend.bodies[0].equals(body));
});

test("gRPC is refused with a status of gRPC", async (t) => {
  const { envoy, grpc } = await withEnvoy(t, { ...PRIVATE, maxBodyBytes: 1 << 20 });
  const call = (chunks, headers = {}) =>
    send(envoy.grpc, { ":path": GRPC_PATH, "content-type": "application/grpc", te: "trailers", ...headers }, chunks);
  for (const [chunks, headers, status] of [
    [[frame(CAPTURE, true)], { "grpc-encoding": "snappy" }, "12"],
    [[frame(CAPTURE, true)], {}, "12"],
    [[frame(Buffer.concat([CAPTURE, Buffer.from([7])]))], {}, "3"],
    [[frame(Buffer.concat([CAPTURE, Buffer.alloc(2 << 20)]))], {}, "8"],
  ]) {
    assert.deepEqual(await call(chunks, headers), { status: 200, grpc: status });
  }
  // What follows the one message of a unary call is not read: it does not pass.
  await call([frame(Buffer.alloc(0)), frame(CAPTURE)]);
  for (const [coding, pack] of [
    ["deflate", deflateSync],
    ["gzip", gzipSync],
  ]) {
    const headers = { "grpc-encoding": coding };
    const count = filled(grpc).length;
    assert.deepEqual(await call([frame(pack(CAPTURE), true)], headers), { status: 200, grpc: "0" }, coding);
    const body = await told(grpc, count);
    assert.ok(names(body).includes("LangGraph") && !holdsContent(body), coding);
  }
  assert.equal(filled(grpc).length, 2, "of the others no span arrived");
});

// README promise: "Nothing is lost that can be kept, and nothing silently"
test("a body that ends in trailers arrives, normalised", async (t) => {
  const { envoy, backend, grpc } = await withEnvoy(t, PRIVATE);
  const trailers = { "x-checksum": "1" };
  const halves = [CAPTURE.subarray(0, 20_000), CAPTURE.subarray(20_000)];
  for (const [chunks, headers] of [
    [[CAPTURE], {}],
    [halves, {}],
    [halves, { "content-length": String(CAPTURE.length) }],
    [halves, { trailer: "x-checksum" }],
    [[gzipSync(CAPTURE)], { "content-encoding": "gzip" }],
  ]) {
    const { status } = await send(envoy.http, { ":path": "/v1/traces", ...PROTO, ...headers }, chunks, trailers);
    assert.equal(status, 200, JSON.stringify(headers));
    const body = headers["content-encoding"] ? gunzipSync(backend.bodies.at(-1)) : backend.bodies.at(-1);
    assert.ok(names(body).includes("LangGraph") && !holdsContent(body), JSON.stringify(headers));
  }
  const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", name: "chat" };
  const json = Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }));
  const asJson = { ":path": "/v1/traces", "content-type": "application/json" };
  assert.equal((await send(envoy.http, asJson, [json], trailers)).status, 200);
  assert.deepEqual(JSON.parse(backend.bodies.at(-1)).resourceSpans[0].scopeSpans[0].spans[0].name, "chat");
  // Larger than what a proxy buffers of a connection.
  const large = Buffer.concat(Array.from({ length: 100 }, () => CAPTURE));
  assert.equal((await send(envoy.http, { ":path": "/v1/traces", ...PROTO }, [large], trailers)).status, 200);
  assert.equal(names(backend.bodies.at(-1)).length, 100 * names(CAPTURE).length);
  for (const chunks of [[frame(CAPTURE)], [frame(CAPTURE).subarray(0, 9000), frame(CAPTURE).subarray(9000)]]) {
    const headers = { ":path": GRPC_PATH, "content-type": "application/grpc", te: "trailers" };
    const count = filled(grpc).length;
    assert.deepEqual(await send(envoy.grpc, headers, chunks, trailers), { status: 200, grpc: "0" });
    const body = await told(grpc, count);
    assert.ok(names(body).includes("LangGraph") && !holdsContent(body));
  }
});

test("a body that ends in trailers and cannot be read passes byte for byte where nothing is hidden", async (t) => {
  const { envoy, backend } = await withEnvoy(t, { profile: "otel" });
  const body = Buffer.from("no OTLP");
  const { status } = await send(envoy.http, { ":path": "/v1/traces", ...PROTO }, [body], { "x-checksum": "1" });
  assert.deepEqual([status, backend.bodies[0].toString()], [200, "no OTLP"]);
});
