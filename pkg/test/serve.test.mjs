// What `inspect` and `relay` receive: OTLP's answers, bounds, who may ask, and what the page is given. End to end: tests/node/relay.test.mjs.
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http2 from "node:http2";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { deflateSync, gzipSync } from "node:zlib";
import grpc from "@grpc/grpc-js";
import { convert } from "genspan";
import { decode, flatten } from "../../demo/receiver.mjs";
import { startCollector } from "./collector.mjs";
import {
  ask,
  begin,
  beginCalls,
  call,
  callWhole,
  command,
  EXPORT,
  follow,
  inspector,
  post,
  relay,
} from "./serving.mjs";
import { source } from "./source.mjs";

const capture = (name) => readFileSync(new URL(`../../tests/fixtures/captures/${name}.pb`, import.meta.url));
const BODY = capture("langfuse-py-5.0.4.observations-unmarked");
/** Of a sender that does not say where it runs. */
const NAMELESS = capture("traceloop-openai-py-0.62.4.chat-embed-error");
const JSON_BODY = Buffer.from(convert(BODY, { to: "json", keep: "all" }));
const JSON_TYPE = { "content-type": "application/json" };

const protobuf = createRequire(new URL("../../demo/package.json", import.meta.url))("protobufjs");
const Status = protobuf
  .parse('syntax = "proto3"; message Status { int32 code = 1; string message = 2; }')
  .root.lookupType("Status");
const ExportResponse = protobuf
  .parse(
    `syntax = "proto3"; message Partial { int64 rejected_spans = 1; string error_message = 2; }
     message ExportResponse { Partial partial_success = 1; }`,
  )
  .root.lookupType("ExportResponse");

async function until(holds) {
  for (let i = 0; !(await holds()); i++) {
    assert.ok(i < 200, "within 10 s");
    await pause(50);
  }
}

test("bodies of any encoding come out as they are, unpacked, to whoever follows", async (t) => {
  const { url, info } = await inspector(t);
  const early = await follow(url);
  for (const [body, headers] of [
    [BODY, {}],
    [gzipSync(BODY), { "content-encoding": "gzip" }],
    [deflateSync(BODY), { "content-encoding": "deflate" }],
    [Buffer.concat([Buffer.from("\ufeff \r\n\t"), JSON_BODY]), { "content-type": "application/json; charset=utf-8" }],
  ]) {
    const { status } = await post(url, body, headers);
    assert.equal(status, 200);
  }
  const late = await follow(url);
  for (const reader of [early, late]) {
    for (const expected of [BODY, BODY, BODY, JSON_BODY]) assert.deepEqual(await reader.next(), expected);
    reader.close();
  }
  assert.equal(late.response.headers.get("content-type"), "application/octet-stream");
  const { version, endpoints, keepBytes, received, kept } = await info();
  assert.deepEqual([version, endpoints.http, keepBytes], ["0.1.0", url, 64 << 20]);
  const spans = flatten(decode(BODY)).length;
  assert.deepEqual([received.requests, received.spans, kept.bodies], [4, 4 * spans, 4]);
});

test("the answer is in the sender's encoding", async (t) => {
  const { url } = await inspector(t);
  const taken = await post(url, BODY);
  assert.deepEqual([taken.headers["content-type"], taken.body.length], ["application/x-protobuf", 0]);
  const json = await post(url, JSON_BODY, JSON_TYPE);
  assert.deepEqual([json.headers["content-type"], json.body.toString()], ["application/json", "{}"]);
  assert.equal((await post(url, "")).status, 200, "a request without spans is one");

  const long = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"${"é".repeat(400)}":`;
  for (const [body, headers] of [
    [BODY.subarray(0, 700), {}],
    [gzipSync(BODY).subarray(0, 300), { "content-encoding": "gzip" }],
    ["{", JSON_TYPE],
    ["[]", JSON_TYPE],
    [long, JSON_TYPE],
    [BODY, JSON_TYPE],
  ]) {
    const { status, headers: answered, body: answer } = await post(url, body, headers);
    assert.equal(status, 400);
    assert.equal(answered["content-type"], headers["content-type"] ?? "application/x-protobuf");
    const said = headers === JSON_TYPE ? JSON.parse(answer) : Status.decode(answer);
    assert.equal(said.code, 3, "INVALID_ARGUMENT");
    assert.ok(said.message.length > 0);
  }
});

test("what is no OTLP request is told so", async (t) => {
  const { url, info } = await inspector(t, ["--max-body", "64KiB"]);
  const bomb = gzipSync(Buffer.alloc(64 << 20));
  assert.ok(bomb.length < 1 << 16);
  for (const [expected, sent] of [
    [405, ask(`${url}/v1/traces`)],
    [405, ask(`${url}/api/info`, { method: "POST" })],
    [404, ask(`${url}/v1/trace`)],
    [415, post(url, BODY, { "content-type": "text/plain" })],
    [415, post(url, BODY, { "content-type": "" })],
    [415, post(url, BODY, { "content-encoding": "br" })],
    [413, post(url, Buffer.alloc(100 << 10))],
    [413, post(url, Buffer.alloc(100 << 10), { "transfer-encoding": "chunked" })],
    [413, post(url, bomb, { "content-encoding": "gzip" })],
    [413, post(url, deflateSync(Buffer.alloc(64 << 20)), { "content-encoding": "deflate" })],
  ]) {
    assert.equal((await sent).status, expected);
  }
  const { received, kept } = await info();
  assert.deepEqual([received.tooLarge, kept.bodies], [4, 0]);
});

test("bodies that stall make room for others at once, and what ends them gives everything back", async (t) => {
  const { url, grpc: address, info } = await inspector(t, ["--max-body", "64KiB", "--max-held", "256KiB"]);
  const body = Buffer.concat(Array(8).fill(BODY));
  const [HTTP, GRPC] = [2, 2];
  assert.ok(body.length > (256 << 10) - (HTTP + GRPC) * 60_000 && body.length < 64 << 10);
  for (let round = 0; round < 5; round++) {
    const stalled = Array.from({ length: HTTP }, () => begin(t, url, 65_000, 60_000));
    const calls = beginCalls(t, address, GRPC, 65_000, 60_000);
    // After which they count as stalling.
    await pause(600);
    for (let i = 0; i < 10; i++) assert.equal((await post(url, body)).status, 200);
    assert.equal(await call(address, body), 0);
    for (const { socket } of stalled) socket.destroy();
    for (const { stream } of calls) stream.close();
    await pause(50);
  }
  const { received } = await info();
  assert.equal(received.bytes, 5 * 11 * body.length);
  assert.ok(received.busy >= 5, "at least one of each round made room");
  assert.equal(received.busy + received.malformed, 5 * (HTTP + GRPC));
});

test("a body that stops, or comes too slowly, is ended; one that is slow enough is not", async (t) => {
  const { url, grpc: address, info } = await inspector(t, ["--body-idle", "1", "--least-rate", "4KiB"]);
  const feed = (stream, bytes) => {
    const timer = setInterval(() => stream.write(Buffer.alloc(bytes)), 100);
    t.after(() => clearInterval(timer));
    return timer;
  };
  const [stopped, dripping, slow] = [
    begin(t, url, 100_000, 50_000),
    begin(t, url, 100_000, 0),
    begin(t, url, 40_000, 0),
  ];
  const [stoppedCall, drippingCall, slowCall] = beginCalls(t, address, 3, 40_000, 0);
  const timers = [dripping.socket, drippingCall.stream].map((stream) => feed(stream, 10));
  for (const [stream, end] of [
    [slow.socket, () => {}],
    [slowCall.stream, () => slowCall.stream.end()],
  ]) {
    let left = 40;
    const timer = feed(stream, 1000);
    const count = setInterval(() => {
      if (--left > 0) return;
      clearInterval(count);
      clearInterval(timer);
      end();
    }, 100);
  }
  for (const { ended } of [stopped, dripping]) assert.match(await ended, /^HTTP\/1.1 408 /);
  for (const { ended } of [stoppedCall, drippingCall]) assert.equal(await ended, String(grpc.status.DEADLINE_EXCEEDED));
  for (const timer of timers) clearInterval(timer);
  // Zeros are no spans, which is found once they are whole.
  assert.equal(await slowCall.ended, String(grpc.status.INVALID_ARGUMENT));
  await until(async () => (await info()).received.malformed === 2);
  assert.equal((await info()).received.stalled, 4);
});

test("a sender that takes all the room makes some for another one, though it stalls nowhere", async (t) => {
  const { url, info } = await inspector(t, ["--max-body", "2MiB", "--max-held", "4MiB"]);
  const greedy = Array.from({ length: 2 }, () => begin(t, url, 2_000_000, 1_500_000, "127.0.0.2"));
  await pause(300);
  for (const { socket } of greedy) {
    const timer = setInterval(() => socket.write(Buffer.alloc(8_000)), 50);
    t.after(() => clearInterval(timer));
  }
  await pause(700);
  const { url: elsewhere } = await inspector(t);
  const large = Buffer.concat(Array(Math.ceil(1_400_000 / BODY.length)).fill(BODY));
  assert.equal((await post(elsewhere, large)).status, 200);
  assert.equal((await post(url, large)).status, 200);
  assert.equal((await info()).received.busy, 1);
});

// README promise: "One sender never costs another"
test("large bodies that still arrive leave small ones their share of the memory, by HTTP and by gRPC", async (t) => {
  const { url, grpc: address } = await inspector(t, ["--max-body", "2MiB", "--max-held", "4MiB"]);
  // All of what is sent fills the memory but for less than the overhead of one request.
  const [length, sent] = [2_000_000, 520_000];
  for (let i = 0; i < 4; i++) begin(t, url, length, sent);
  beginCalls(t, address, 4, length - 5, sent - 5);
  await pause(100);
  for (let i = 0; i < 10; i++) {
    assert.equal((await post(url, BODY)).status, 200);
    assert.equal(await call(address, BODY), 0);
  }
});

// README promise: "One sender never costs another"
test("a body does not count as slow because it has just begun, or because the process was busy", async (t) => {
  const { Intake } = await source("serve/intake");
  const bounds = { maxBodyBytes: 1 << 20, maxHeldBytes: 4 << 20, bodyIdleMillis: 5_000, leastRate: 4 << 10 };
  const intake = new Intake({ ...bounds, maxConnections: 8, otherSignals: "discard", take: () => undefined });
  let now = 1_000_000;
  t.mock.method(Date, "now", () => now);
  const upload = (bytes) => {
    const stream = new EventEmitter();
    const sending = { stream, announced: () => 0, isJson: false, answersEarly: true, unwrap: (body) => [body] };
    const answer = intake.request({ ...sending, signal: "traces" }).then(
      () => 200,
      ({ status }) => status,
    );
    const send = (more) => stream.emit("data", Buffer.alloc(more));
    if (bytes > 0) send(bytes);
    return { send, end: () => stream.emit("end"), answer };
  };
  const small = upload(100_000);
  const large = Array.from({ length: 4 }, () => upload(1_000_000));
  now += 10_000;
  const begun = upload(0);
  large[0].send(40_000);
  large[1].send(40_000);
  for (const { end } of [small, begun, ...large]) end();
  assert.deepEqual(
    await Promise.all([small, begun, ...large].map(({ answer }) => answer)),
    [200, 200, 200, 503, 200, 200],
  );
});

test("idle connections make room for new ones, those that are in use do not", async (t) => {
  const { url, grpc: address, info } = await inspector(t, ["--max-connections", "8"]);
  const { port } = new URL(url);
  const open = (text = "") => {
    const socket = connect(port, "127.0.0.1");
    t.after(() => socket.destroy());
    socket.on("error", () => {});
    socket.write(text);
    return socket;
  };
  const idle = ["", "POST /v1/traces HTTP/1.1\r\nhost:", "GET /api/info HTTP/1.1\r\nhost: localhost\r\n\r\n"];
  const connections = Array.from({ length: 30 }, (_, i) => open(idle[i % 3]));
  await until(() => connections.filter((socket) => socket.closed || socket.destroyed).length >= 22);
  const reader = await follow(url);
  for (let i = 0; i < 10; i++) {
    assert.equal((await post(url, BODY)).status, 200);
    assert.equal(await call(address, BODY), 0);
  }
  assert.deepEqual(await reader.next(), BODY, "a page that follows is in use");
  for (let i = 0; i < 8; i++) begin(t, url, 1000, 10);
  await pause(600);
  assert.equal((await post(url, BODY)).status, 200, "bodies that stall keep nobody out either");
  const readers = [];
  for (let i = 0; i < 7; i++) readers.push(await follow(url));
  await assert.rejects(post(url, BODY), "all of them are in use");
  for (const { close } of [reader, ...readers]) close();
  await until(async () => (await post(url, BODY).catch(() => ({}))).status === 200);
  assert.ok((await info()).received.closed > 22);
});

test("metrics and logs: inspect lets them pass unseen, relay says that nobody takes them", async (t) => {
  const { url, info } = await inspector(t);
  for (const path of ["/v1/metrics", "/v1/logs"]) {
    assert.equal((await post(url, "anything", {}, path)).status, 200);
    assert.equal((await post(url, "{}", JSON_TYPE, path)).body.toString(), "{}");
  }
  const { received, kept } = await info();
  assert.deepEqual([received.discarded, kept.bodies], [4, 0]);
  const { url: relaying } = await relay(t, { endpoint: "http://127.0.0.1:9/" });
  assert.equal((await post(relaying, "anything", {}, "/v1/metrics")).status, 404);
});

test("a name that was made to point here gets nothing", async (t) => {
  const { url, info } = await inspector(t, ["--allow-host", "Traces.Local"]);
  const { port } = new URL(url);
  for (const host of [
    "evil.example",
    `evil.example:${port}`,
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "10.0.0.8",
    "a@localhost",
  ]) {
    for (const path of ["/", "/api/info", "/api/bodies"]) {
      assert.equal((await ask(`${url}${path}`, { headers: { host } })).status, 403, `${host} ${path}`);
    }
    assert.equal((await post(url, BODY, { host })).status, 403);
  }
  for (const host of ["localhost", `LOCALHOST:${port}`, `127.0.0.1:${port}`, "[::1]:1", "traces.local"]) {
    assert.equal((await ask(`${url}/api/info`, { headers: { host } })).status, 200, host);
  }
  const { kept, received } = await info();
  assert.deepEqual([kept.bodies, received.forbidden], [0, 24]);
});

test("pages of this machine may send spans; pages of others neither send nor read", async (t) => {
  const { url } = await inspector(t, ["--allow-origin", "https://shop.example"]);
  for (const origin of ["http://localhost:3000", "https://127.0.0.1", "https://shop.example"]) {
    const preflight = await ask(`${url}/v1/traces`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-a",
      },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers["access-control-allow-origin"], origin);
    assert.equal(preflight.headers["access-control-allow-headers"], "content-type,x-a");
    assert.equal(preflight.headers["access-control-allow-credentials"], undefined);
    const sent = await post(url, BODY, { origin });
    assert.deepEqual([sent.status, sent.headers["access-control-allow-origin"]], [200, origin]);
    assert.equal((await ask(`${url}/api/info`, { headers: { origin } })).status, 403, "not even these read");
  }
  for (const origin of [
    "https://evil.example",
    "null",
    "http://localhost.evil.example",
    "file://",
    "chrome-extension://localhost",
  ]) {
    for (const method of ["OPTIONS", "POST"]) {
      const { status, headers } = await ask(`${url}/v1/traces`, {
        method,
        headers: { origin, ...JSON_TYPE },
        body: "{}",
      });
      assert.deepEqual([status, headers["access-control-allow-origin"]], [403, undefined], origin);
    }
  }
  const from = async (site) => (await ask(`${url}/api/info`, { headers: { "sec-fetch-site": site } })).status;
  assert.deepEqual(
    await Promise.all(["same-origin", "none", "cross-site", "same-site"].map(from)),
    [200, 200, 403, 403],
  );
  assert.equal((await ask(`${url}/api/info`, { headers: { origin: url } })).status, 200, "its own page");
});

test("the page comes out of its folder, and nothing else does", async (t) => {
  const outside = mkdtempSync(join(tmpdir(), "genspan-"));
  t.after(() => rmSync(outside, { recursive: true }));
  const folder = join(outside, "www");
  mkdirSync(join(folder, "assets"), { recursive: true });
  writeFileSync(join(outside, "secret.txt"), "secret");
  for (const [name, content] of Object.entries({
    "index.html": "<!doctype html>",
    "assets/a.js": "1",
    "assets/a.css": "2",
    "assets/core.wasm": "3",
    "assets/i.svg": "4",
    "assets/t.pb": "5",
  })) {
    writeFileSync(join(folder, name), content);
  }
  const { url } = await inspector(t, [], { folder });
  for (const [path, type] of [
    ["/", "text/html; charset=utf-8"],
    ["/index.html?a=1", "text/html; charset=utf-8"],
    ["/assets/a.js", "text/javascript; charset=utf-8"],
    ["/assets/a.css", "text/css; charset=utf-8"],
    ["/assets/core.wasm", "application/wasm"],
    ["/assets/i.svg", "image/svg+xml"],
    ["/assets/t.pb", "application/octet-stream"],
  ]) {
    const { status, headers, body } = await ask(url, { path });
    assert.deepEqual([status, headers["content-type"], body.length > 0], [200, type, true], path);
    assert.equal(
      headers["content-security-policy"],
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    assert.deepEqual(
      ["x-content-type-options", "referrer-policy", "cross-origin-opener-policy", "cross-origin-resource-policy"].map(
        (name) => headers[name],
      ),
      ["nosniff", "no-referrer", "same-origin", "same-origin"],
    );
  }
  const { body } = await ask(url, { method: "HEAD", path: "/" });
  assert.equal(body.length, 0);
  for (const path of [
    "/../secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "//secret.txt",
    "/assets",
    "/assets/../../secret.txt",
    "/www/index.html",
    "/__proto__",
  ]) {
    assert.equal((await ask(url, { path })).status, 404, path);
  }
});

test("without a page it says how to build one", async (t) => {
  const { url } = await inspector(t);
  const { status, headers, body } = await ask(url, { path: "/" });
  assert.deepEqual([status, headers["content-type"]], [404, "text/plain; charset=utf-8"]);
  assert.match(body.toString(), /make build/);
});

test("the oldest bodies go, and a reader that does not read misses them instead of holding anybody up", async (t) => {
  const { url, info } = await inspector(t, ["--keep-bytes", "1MiB"]);
  const { port } = new URL(url);
  const slow = connect(port, "127.0.0.1");
  t.after(() => slow.destroy());
  slow.write("GET /api/bodies HTTP/1.1\r\nhost: localhost\r\n\r\n");
  await new Promise((resolve) => slow.once("readable", resolve));
  // Unknown fields of a request are none of the receiver's business: each body is a number, and as large as may be.
  const numbered = (i) => {
    const rest = Buffer.alloc(200_000);
    const head = Buffer.from([0x9a, 0x06, 0, 0, 0]);
    head[2] = ((rest.length + 4) & 0x7f) | 0x80;
    head[3] = (((rest.length + 4) >> 7) & 0x7f) | 0x80;
    head[4] = (rest.length + 4) >> 14;
    const number = Buffer.alloc(4);
    number.writeUInt32LE(i);
    return Buffer.concat([head, number, rest]);
  };
  const COUNT = 100;
  for (let i = 0; i < COUNT; i++) assert.equal((await post(url, numbered(i))).status, 200);
  const { kept } = await info();
  assert.ok(kept.bytes <= 1 << 20 && kept.bodies === 5, JSON.stringify(kept));
  assert.equal(kept.dropped, COUNT - kept.bodies);
  const late = await follow(url);
  for (let i = COUNT - kept.bodies; i < COUNT; i++) assert.equal((await late.next()).readUInt32LE(5), i);
  late.close();
  // The slow one reads at last: whole frames, in order, the last among them, and some missed.
  const seen = [];
  let read = Buffer.alloc(0);
  let chunked = Buffer.alloc(0);
  slow.on("data", (chunk) => {
    chunked = Buffer.concat([chunked, chunk]);
  });
  const size = numbered(0).length;
  while (seen.at(-1) !== COUNT - 1) {
    await pause(20);
    [read, chunked] = unchunk(read, chunked);
    while (read.length >= 4 + size) {
      assert.equal(read.readUInt32LE(), size);
      seen.push(read.readUInt32LE(4 + 5));
      read = read.subarray(4 + size);
    }
  }
  assert.deepEqual(
    seen,
    [...seen].sort((a, b) => a - b),
  );
  assert.ok(seen.length < COUNT);
  assert.equal((await info()).kept.skipped, COUNT - seen.length);
});

/** What is whole of a chunked response goes to the end of `read`. */
function unchunk(read, raw) {
  const head = raw.indexOf("\r\n\r\n");
  let rest = raw.subarray(0, 4).toString() === "HTTP" && head > 0 ? raw.subarray(head + 4) : raw;
  let whole = read;
  for (;;) {
    const end = rest.indexOf("\r\n");
    const length = Number.parseInt(rest.subarray(0, Math.max(0, end)).toString(), 16);
    if (end < 0 || rest.length < end + 2 + length + 2) return [whole, rest];
    whole = Buffer.concat([whole, rest.subarray(end + 2, end + 2 + length)]);
    rest = rest.subarray(end + 2 + length + 2);
  }
}

test("a reader hears that the other end is alive", async (t) => {
  const { url } = await inspector(t, [], { heartbeatMillis: 20 });
  const reader = await follow(url);
  assert.deepEqual([(await reader.next()).length, (await reader.next()).length], [0, 0]);
  reader.close();
});

test("each trace is one line, and what senders write does nothing to the terminal", async (t) => {
  const { url, lines } = await inspector(t);
  const attributes = [{ key: "gen_ai.operation.name", value: { stringValue: "chat" } }];
  const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", attributes };
  const named = (name) => JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ ...span, name }] }] }] });
  await post(url, named("\x1b[2J\x07evil\r\n\u202ename"), JSON_TYPE);
  await post(url, BODY);
  await until(() => lines.length >= 2);
  const [hostile, real] = lines;
  assert.match(hostile, /·\[2J·evil···name ◆ {2}1 span/);
  // What the capture's program did, as tests/capture says.
  assert.match(real, /◆/);
  assert.match(real, /6 spans .*gpt-4o.* tokens/);
});

test("more traces than anybody reads are counted instead", async (t) => {
  const { url, lines } = await inspector(t);
  const span = (i) => ({ traceId: String(i).padStart(32, "a"), spanId: "b7ad6b7169203331", name: `trace ${i}` });
  const spans = Array.from({ length: 300 }, (_, i) => span(i));
  await post(url, JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }), JSON_TYPE);
  const told = () => lines.reduce((sum, line) => sum + Number(/and (\d+) more/.exec(line)?.[1] ?? 1), 0);
  await until(() => told() >= 300);
  assert.equal(told(), 300);
  assert.ok(lines.length < 110, `${lines.length} lines`);
});

test("gRPC", async (t) => {
  const { url, grpc: address, info } = await inspector(t, ["--max-body", "64KiB"]);
  assert.equal(await call(address, BODY), 0);
  assert.equal(await call(address, BODY.subarray(0, 700)), grpc.status.INVALID_ARGUMENT);
  assert.equal(await call(address, Buffer.alloc(100 << 10)), grpc.status.RESOURCE_EXHAUSTED);
  const gzip = { "grpc.default_compression_algorithm": 2 };
  assert.equal(await call(address, Buffer.alloc(32 << 20), EXPORT, gzip), grpc.status.RESOURCE_EXHAUSTED);
  assert.equal(await call(address, BODY, EXPORT.replaceAll("trace", "metrics").replace("Trace", "Metrics")), 0);
  const reader = await follow(url);
  assert.deepEqual(await reader.next(), BODY);
  reader.close();
  const other = EXPORT.replace("trace.v1", "trace.v2");
  assert.equal(await call(address, BODY, other), grpc.status.UNIMPLEMENTED);
  assert.equal(await call(address, gzipSync(BODY), EXPORT, {}, { "grpc-encoding": "zstd" }), 3, "it is no message");
  const { endpoints, received } = await info();
  assert.equal(endpoints.grpc, address);
  // Counted as requests by HTTP are.
  const { requests, bytes, malformed, tooLarge, busy, discarded } = received;
  assert.deepEqual([requests, bytes, malformed, tooLarge, busy, discarded], [7, BODY.length, 2, 2, 0, 1]);
});

test("gRPC: what the frames of a call may say", async (t) => {
  const { grpc: address, info } = await inspector(t);
  const session = http2.connect(`http://${address}`);
  t.after(() => session.close());
  const framed = (flag, message, length = message.length) => {
    const prefix = Buffer.from([flag, 0, 0, 0, 0]);
    prefix.writeUInt32BE(length, 1);
    return Buffer.concat([prefix, message]);
  };
  const ask = (body, headers = {}) =>
    new Promise((resolve, reject) => {
      const sent = {
        ":method": "POST",
        ":path": EXPORT,
        "content-type": "application/grpc",
        te: "trailers",
        ...headers,
      };
      const stream = session.request(sent);
      let status;
      let answer;
      stream.on("response", (head) => {
        status = head[":status"] === 200 ? head["grpc-status"] : `HTTP ${head[":status"]}`;
      });
      stream.on("trailers", (trailers) => {
        status ??= trailers["grpc-status"];
      });
      stream.on("data", (chunk) => {
        answer = chunk;
      });
      stream.on("close", () => resolve([status, answer?.length])).on("error", reject);
      for (const part of [body].flat()) stream.write(part);
      stream.end();
    });
  const whole = framed(0, BODY);
  for (const [expected, body, headers] of [
    [["0", 5], whole],
    [
      ["0", 5],
      [whole.subarray(0, 3), whole.subarray(3, 9), whole.subarray(9)],
    ],
    [["0", 5], framed(1, gzipSync(BODY)), { "grpc-encoding": "gzip" }],
    [["0", 5], framed(1, deflateSync(BODY)), { "grpc-encoding": "deflate" }],
    [["0", 5], whole, { "grpc-encoding": "gzip", "content-type": "application/grpc+proto" }],
    [["3", undefined], ""],
    [["3", undefined], framed(0, BODY, BODY.length + 1)],
    [
      ["3", undefined],
      [whole, whole],
    ],
    [["3", undefined], framed(2, BODY)],
    [["3", undefined], framed(1, gzipSync(BODY))],
    [["3", undefined], framed(1, BODY), { "grpc-encoding": "gzip" }],
    [["12", undefined], framed(1, BODY), { "grpc-encoding": "zstd" }],
    [["HTTP 415", undefined], whole, { "content-type": "application/json" }],
  ]) {
    assert.deepEqual(await ask(body, headers), expected, JSON.stringify(headers));
  }
  assert.equal((await info()).kept.bodies, 5);
});

test("what Langfuse's SDKs post is taken under their own path; their other calls get an answer that they understand", async (t) => {
  const inspecting = await inspector(t);
  const relaying = await relay(t, { endpoint: "http://127.0.0.1:9/v1/traces", flushTimeoutMillis: 100 });
  for (const { url } of [inspecting, relaying]) {
    assert.equal((await post(url, BODY, {}, "/api/public/otel/v1/traces")).status, 200);
    assert.equal((await post(url, BODY, {}, "/any/where/v1/traces?x=1")).status, 200);
    assert.equal((await post(url, BODY, {}, "/api/public/otel/v1/tracesx")).status, 404);
    const scores = await post(url, "{}", JSON_TYPE, "/api/public/ingestion");
    assert.deepEqual([scores.status, JSON.parse(scores.body)], [207, { successes: [], errors: [] }]);
    const media = await post(url, "{}", JSON_TYPE, "/api/public/media");
    assert.deepEqual([media.status, JSON.parse(media.body).uploadUrl], [201, null]);
    const { status, headers, body } = await ask(`${url}/api/public/v2/prompts/greeting`);
    assert.deepEqual([status, headers["content-type"]], [404, "application/json"]);
    assert.match(JSON.parse(body).message, /traces only/);
    const projects = await ask(`${url}/api/public/projects`);
    assert.equal(JSON.parse(projects.body).data.length, 1);
    const origin = { origin: "https://evil.example" };
    assert.equal((await post(url, BODY, origin, "/api/public/otel/v1/traces")).status, 403);
  }
  assert.equal((await inspecting.info()).kept.bodies, 2);
});

const nameless = { name: "no ids", startTimeUnixNano: "1", endTimeUnixNano: "2" };
let spanIds = 0;
/** Another span each time that it is written: one that comes again as it was is delivered once. */
const named = {
  ...nameless,
  name: "good",
  traceId: "0af7651916cd43dd8448eb211c80319c",
  get spanId() {
    return (++spanIds).toString(16).padStart(16, "b");
  },
};
const bodyOf = (...spans) => Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));
/** The first of the spans with a trace id of zeros, in protobuf. */
const zeros = (...spans) => {
  const body = Buffer.from(convert(bodyOf(...spans), { to: "protobuf" }));
  return body.fill(
    0,
    body.indexOf(Buffer.from(named.traceId, "hex")),
    body.indexOf(Buffer.from(named.traceId, "hex")) + 16,
  );
};

// README promise: "One sender never costs another"
// README promise: "A relay refuses a span that a backend would refuse at the door, with the count, and takes the rest of the request"
test("spans that no backend would take are refused at the door, and cost no other span", async (t) => {
  const collector = await startCollector();
  t.after(() => collector.close());
  const receivers = [await relay(t, { endpoint: collector.url, entry: { holdMillis: 0 } }), await inspector(t)];
  for (const { url, grpc: address, info } of receivers) {
    const partial = await post(url, bodyOf(nameless, named, nameless), JSON_TYPE);
    assert.equal(partial.status, 200);
    assert.deepEqual(JSON.parse(partial.body).partialSuccess, {
      rejectedSpans: "2",
      errorMessage:
        "2 of 3 spans refused; the first: resourceSpans[0].scopeSpans[0].spans[0].spanId: expected an id in hex, got nothing",
    });
    const protobuf = await post(url, zeros(named, named));
    assert.equal(protobuf.status, 200);
    const { rejectedSpans, errorMessage } = ExportResponse.decode(protobuf.body).partialSuccess;
    assert.equal(Number(rejectedSpans), 1);
    assert.match(errorMessage, /^1 of 2 spans refused; the first: id of the wrong length, or all zeros at byte \d+$/);
    const refused = await post(url, bodyOf(nameless), JSON_TYPE);
    assert.equal(refused.status, 400);
    assert.match(JSON.parse(refused.body).message, /^1 of 1 spans refused; the first: /);
    assert.equal((await post(url, zeros(named))).status, 400);
    assert.deepEqual(JSON.parse((await post(url, bodyOf(named), JSON_TYPE)).body), {});
    const grpcAddress = address ?? (await info()).endpoints.grpc;
    const response = await callWhole(grpcAddress, zeros(named, named));
    assert.equal(Number(ExportResponse.decode(response).partialSuccess.rejectedSpans), 1);
    assert.equal(await call(grpcAddress, zeros(named)), grpc.status.INVALID_ARGUMENT);
  }
  const { received, stats } = await receivers[0].close();
  assert.deepEqual([received.malformed, received.rejectedSpans, stats.unparsed], [3, 4, 7]);
  assert.deepEqual(collector.names(), Array(4).fill("good"));
});

test("a body that can never be taken is refused for good, by HTTP and by gRPC", async (t) => {
  const collector = await startCollector();
  t.after(() => collector.close());
  const { url, grpc: address, close } = await relay(t, { endpoint: collector.url, maxQueueSize: 100_000 });
  const body = (count) => {
    const resourceSpans = Array.from({ length: count }, (_, i) => {
      const attributes = [{ key: "service.instance.id", value: { stringValue: String(i) } }];
      const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: i.toString(16).padStart(16, "a") };
      return { resource: { attributes }, scopeSpans: [{ spans: [span] }] };
    });
    return Buffer.from(convert(Buffer.from(JSON.stringify({ resourceSpans })), { to: "protobuf" }));
  };
  const refused = await post(url, body(10_001));
  assert.deepEqual([refused.status, refused.headers["retry-after"]], [413, undefined]);
  const { code, message } = Status.decode(refused.body);
  assert.deepEqual([code, message], [grpc.status.RESOURCE_EXHAUSTED, "more than 10000 resources in one request"]);
  assert.equal(await call(address, body(10_001)), grpc.status.RESOURCE_EXHAUSTED);
  assert.equal((await post(url, body(10_000))).status, 200);
  await close();
  assert.equal(collector.names().length, 10_000);
});

test("a relay that is full takes nothing of a body, says when to come again, and takes it then", async (t) => {
  let down = true;
  const collector = await startCollector(() => (down ? { status: 503, headers: { "retry-after": "1" } } : {}));
  t.after(() => collector.close());
  const spans = flatten(decode(BODY)).map(({ name }) => name);
  const {
    url,
    grpc: address,
    close,
    warnings,
  } = await relay(t, {
    endpoint: collector.url,
    maxQueueSize: spans.length,
    maxExportBatchSize: 1,
    concurrencyLimit: 1,
    entry: { holdMillis: 0 },
  });
  assert.equal((await post(url, BODY)).status, 200);
  const refused = await post(url, BODY);
  assert.deepEqual([refused.status, refused.headers["retry-after"]], [503, "2"]);
  assert.equal(Status.decode(refused.body).code, grpc.status.UNAVAILABLE);
  assert.equal(await call(address, BODY), grpc.status.UNAVAILABLE);
  assert.deepEqual(warnings.filter((line) => line.includes("full")).length, 1);
  down = false;
  let again = 503;
  while (again === 503) {
    await pause(100);
    again = (await post(url, BODY)).status;
  }
  const { received, stats } = await close();
  assert.deepEqual(
    collector
      .answeredNames()
      .sort()
      .filter((_, i, all) => all[i - 1] !== all[i]),
    [...new Set(spans)].sort(),
  );
  const { queued, sent, droppedFull } = stats.destinations[0];
  // What was taken in the end came as it had come before.
  assert.deepEqual([queued, sent, droppedFull, stats.repeated], [spans.length, spans.length, 0, spans.length]);
  assert.ok(received.busy >= 1);
});

test("a relay's health, its credentials, and host.name by the sender's address", async (t) => {
  const collector = await startCollector();
  t.after(() => collector.close());
  const { url, close } = await relay(t, {
    endpoint: collector.url,
    profile: "tencent",
    token: "tok-of-the-relay",
    headers: { "x-key": "of-the-relay" },
  });
  assert.equal(
    (await post(url, NAMELESS, { authorization: "Bearer of-the-sender", "x-key": "of-the-sender" })).status,
    200,
  );
  const { status, body } = await ask(`${url}/healthz`);
  assert.equal(status, 200);
  const { stats } = JSON.parse(body);
  assert.equal(stats.seen, flatten(decode(NAMELESS)).length);
  assert.ok(!body.includes("of-the-relay"));
  assert.equal((await ask(`${url}/healthz`, { headers: { host: "evil.example" } })).status, 403);
  await close();
  assert.ok(flatten(decode(NAMELESS)).every(({ resource }) => !("host.name" in resource)));
  const [request] = collector.requests;
  assert.equal(request.headers["x-key"], "of-the-relay");
  assert.equal(request.headers.authorization, undefined);
  for (const { resource } of collector.spans()) {
    assert.deepEqual([resource["host.name"], resource.token], ["127.0.0.1", "tok-of-the-relay"]);
  }
});

test("the command line: one line and a status for what is wrong", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "genspan-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const broken = join(folder, "broken.json");
  writeFileSync(broken, '{"token": "s3cret-token", }');
  const taken = await inspector(t);
  for (const [status, args, line] of [
    [1, ["inspect", "--port", new URL(taken.url).port], /^genspan: port \d+ is in use; choose another with --port/],
    [1, ["inspect", "--port", "0", "--grpc-port", taken.grpc.split(":")[1]], /is in use; choose another/],
    [2, ["inspect", "--port", "x"], /^genspan: --port: x is not a valid port/],
    [2, ["inspect", "--keep-bytes", "64MoB"], /^genspan: --keep-bytes: 64MoB is not a size; write it like 64MiB/],
    [2, ["inspect", "--pot", "1"], /^genspan: Unknown option '--pot'/],
    [2, ["relay"], /^genspan: relay needs --to URL/],
    [2, ["relay", "--to", "localhost"], /^genspan: endpoint: "localhost" is not a URL/],
    [2, ["relay", "--to", "http://localhost:4318/v1/traces"], /is the address of the relay itself/],
    [2, ["relay", "--to", "http://x/", "--profile", "otle"], /^genspan: .*profile.*otle/],
    [2, ["relay", "--config", broken], /broken\.json: not valid JSON/],
    [2, ["relay", "--config", join(folder, "absent.json")], /absent\.json: no such file/],
    [2, ["relay", "--to", "http://x/", "--max-body", "1GiB"], /--max-body: 1GiB is too large/],
  ]) {
    const { status: ended, err } = await command(t, args).ended;
    assert.equal(ended, status, err);
    assert.match(err.trimEnd(), line);
    assert.equal(err.split("\n").length, 2, err);
    assert.ok(!err.includes("s3cret"));
  }
  for (const name of ["inspect", "relay"]) {
    const { status, out } = await command(t, [name, "--help"]).ended;
    assert.equal(status, 0);
    assert.match(out, new RegExp(`^genspan ${name} `));
  }
});

test("a relay that could never deliver does not start, and says what to do", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "genspan-"));
  t.after(() => rmSync(folder, { recursive: true }));
  // As npx installs it: without the packages that an application may have beside it.
  const alone = join(folder, "genspan");
  for (const part of ["bin", "dist", "package.json"]) {
    cpSync(new URL(`../${part}`, import.meta.url), join(alone, part), { recursive: true });
  }
  const file = join(folder, "file");
  writeFileSync(file, "");
  const tls = join(folder, "tls.json");
  writeFileSync(tls, JSON.stringify({ endpoint: "https://x/v1/traces", tls: { ca: "PEM" } }));
  const ports = ["--port", "0", "--grpc-port", "0"];
  const to = ["--to", "http://127.0.0.1:9/v1/traces", ...ports];
  for (const [args, line, genspan] of [
    [
      [...to, "--protocol", "grpc"],
      /"grpc" needs the package @grpc\/grpc-js.*npx -p genspan -p @grpc\/grpc-js genspan relay/,
      alone,
    ],
    [["--config", tls, ...ports], /tls needs the package undici@7.*npx -p genspan -p undici@7 genspan relay/, alone],
    [[...to, "--spool", "/proc/x"], /spool.dir: "\/proc\/x" cannot be used: ENOENT/],
    [[...to, "--spool", join(file, "spool")], /spool.dir: ".*file\/spool" cannot be used: ENOTDIR/],
    [[...to, "--spool", "/proc"], /spool.dir: "\/proc" cannot be used: E/],
  ]) {
    const { status, err } = await command(t, ["relay", ...args], {}, genspan && join(alone, "bin/genspan.js")).ended;
    assert.equal(status, 1, err);
    assert.match(err, line);
    assert.equal(err.split("\n").length, 2, err);
  }
  // What is received by gRPC needs no package.
  const unreachable = join(folder, "unreachable.json");
  writeFileSync(unreachable, JSON.stringify({ endpoint: "http://127.0.0.1:9", flushTimeoutMillis: 100 }));
  const running = command(t, ["relay", "--config", unreachable, ...ports], {}, join(alone, "bin/genspan.js"));
  const { grpc: address } = await running.ready;
  assert.equal(await call(address, BODY), 0);
  running.kill("SIGTERM");
  assert.match((await running.ended).err, /^genspan: destination otlp-0: the endpoint has no path/);
});

test("a sender that never ends its request does not keep the process from ending", async (t) => {
  const running = command(t, ["relay", "--to", "http://127.0.0.1:9/", "--port", "0", "--grpc-port", "0"]);
  const { url, grpc: address } = await running.ready;
  const { port } = new URL(url);
  const stalled = connect(port, "127.0.0.1");
  t.after(() => stalled.destroy());
  stalled.on("error", () => {});
  stalled.write(
    "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\ncontent-length: 9\r\n\r\n",
  );
  const client = new grpc.Client(address, grpc.credentials.createInsecure());
  const same = (bytes) => bytes;
  const unended = client.makeClientStreamRequest(EXPORT, same, same, () => {});
  unended.on("error", () => {});
  await pause(300);
  const told = Date.now();
  running.kill("SIGTERM");
  const { status } = await running.ended;
  client.close();
  assert.equal(status, 0);
  assert.ok(Date.now() - told < 10_000);
});

// README promise: "Nothing is lost that can be kept, and nothing silently"
test("a second signal ends the relay at once, and with a spool what was accepted is on disk first", async (t) => {
  const backend = await startCollector(() => ({ hang: true }));
  t.after(() => backend.close());
  const spool = mkdtempSync(join(tmpdir(), "genspan-"));
  t.after(() => rmSync(spool, { recursive: true, force: true }));
  const config = join(spool, "relay.json");
  writeFileSync(config, JSON.stringify({ flushTimeoutMillis: 60_000 }));
  const args = ["--to", backend.url, "--config", config, "--port", "0", "--grpc-port", "0"];
  for (const [more, onDisk] of [
    [["--spool", join(spool, "batches")], 6],
    [[], 0],
  ]) {
    const running = command(t, ["relay", ...args, ...more]);
    const { url } = await running.ready;
    assert.equal((await post(url, BODY)).status, 200);
    const stalled = begin(t, url, 1000, 10);
    await pause(300);
    const told = Date.now();
    running.kill("SIGTERM");
    await pause(300);
    running.kill("SIGTERM");
    const { status, out } = await running.ended;
    await stalled.ended;
    assert.equal(status, 130);
    assert.ok(Date.now() - told < 4_000, `${Date.now() - told} ms`);
    if (onDisk === 0) continue;
    assert.match(out, /0 sent {2}6 on disk/);
    const spans = readdirSync(join(spool, "batches")).map((name) =>
      Number(/\.(\d+)\.\d+\.ready$/.exec(name)?.[1] ?? 0),
    );
    assert.equal(
      spans.reduce((sum, count) => sum + count, 0),
      onDisk,
    );
  }
});

test("all addresses of a network of IPv6 are one sender, and each of IPv4 is one", async () => {
  const { senderOf } = await source("otlp");
  for (const [address, sender] of [
    ["203.0.113.9", "203.0.113.9"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8:1:2::1", "2001:db8:1:2"],
    ["2001:db8::9", "2001:db8:0:0"],
    ["2001:db8::1:2:3:4:5", "2001:db8:0:1"],
    ["fe80::1%eth0", "fe80:0:0:0"],
    ["::1", "0:0:0:0"],
    ["", ""],
  ]) {
    assert.equal(senderOf(address), sender, address);
  }
});

test("signals end it cleanly, followers and all", async (t) => {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    const running = command(t, ["inspect", "--port", "0", "--grpc-port", "0"]);
    const { url } = await running.ready;
    const reader = await follow(url);
    assert.equal((await post(url, BODY)).status, 200);
    assert.deepEqual(await reader.next(), BODY);
    running.kill(signal);
    assert.equal(await reader.next(), undefined);
    const { status, out, err } = await running.ended;
    assert.deepEqual([status, err], [0, ""]);
    assert.match(out, /6 spans/, "what was not told yet is told");
  }
});
