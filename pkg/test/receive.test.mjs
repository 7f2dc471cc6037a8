// genspan/receive in Node: what is accepted, how it is answered, and where it goes.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { receive } from "genspan/receive";
import { encode } from "../../demo/receiver.mjs";
import { startCollector } from "./collector.mjs";

const TOKEN = "s3cretOfTheSenders";
const NO_WAIT = { retry: { initialMillis: 1, maxMillis: 1 }, answerTimeoutMillis: 300 };
const JSON_TYPE = "application/json";
let count = 0;

/** A body with one call of a model, as JSON. */
function body(name = `chat ${++count}`, { id = "0102030405060708", ...more } = {}) {
  const attributes = Object.entries({
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o-mini",
    ...more,
  });
  const span = {
    traceId: `${count}`.padStart(32, "a"),
    spanId: id,
    name,
    startTimeUnixNano: "1700000000000000000",
    endTimeUnixNano: "1700000001000000000",
    attributes: attributes.map(([key, stringValue]) => ({ key, value: { stringValue } })),
  };
  return { resourceSpans: [{ scopeSpans: [{ scope: { name: "gateway" }, spans: [span] }] }] };
}

const post = (receiver, content = JSON.stringify(body()), { path = "/v1/traces", type = JSON_TYPE, ...headers } = {}) =>
  receiver.fetch(
    new Request(`https://receiver.example${path}`, {
      method: "POST",
      headers: { "content-type": type, authorization: `Bearer ${TOKEN}`, ...headers },
      body: content,
    }),
  );

async function setup(t, { answer, ...options } = {}) {
  const collector = await startCollector(answer);
  t.after(() => collector.close());
  const receiver = receive({ destinations: [{ endpoint: collector.url }], token: TOKEN, ...NO_WAIT, ...options });
  return { collector, receiver };
}

test("every encoding is accepted, and is delivered when it is answered", async (t) => {
  const { collector, receiver } = await setup(t);
  const text = JSON.stringify(body("plain"));
  const packed = encode(body("protobuf"));
  const protobuf = "application/x-protobuf";
  for (const [content, headers] of [
    [text, {}],
    [packed, { type: protobuf }],
    [gzipSync(JSON.stringify(body("gzip"))), { "content-encoding": "gzip" }],
    [deflateSync(packed), { type: protobuf, "content-encoding": "deflate" }],
  ]) {
    const before = collector.requests.length;
    const response = await post(receiver, content, headers);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), headers.type ?? JSON_TYPE);
    assert.equal(await response.text(), headers.type ? "" : "{}");
    assert.equal(collector.requests.length, before + 1);
  }
  assert.deepEqual(collector.names(), ["plain", "protobuf", "gzip", "protobuf"]);
  assert.equal(collector.spans()[0].attributes["gen_ai.is_entry"], true);
  assert.equal(receiver.received.spans, 4);
});

// README promise: "Secrets stay"
test("the secret may be in a header or in the path; without it nothing is read", async (t) => {
  const { collector, receiver } = await setup(t, { token: [TOKEN, "an0ther"] });
  const basic = (word) => `Basic ${Buffer.from(word).toString("base64")}`;
  for (const headers of [
    {},
    { authorization: "bearer an0ther" },
    { authorization: basic(`pk-lf-1:${TOKEN}`), path: "/api/public/otel/v1/traces" },
    { authorization: "", path: `/${TOKEN}/v1/traces` },
    { authorization: "", path: `/of/${TOKEN}/api/public/otel/v1/traces` },
  ]) {
    assert.equal((await post(receiver, undefined, headers)).status, 200, JSON.stringify(headers));
  }
  for (const headers of [
    { authorization: "" },
    { authorization: `Bearer ${TOKEN}x` },
    { authorization: `Bearer ${TOKEN.slice(1)}` },
    { authorization: TOKEN.toUpperCase() },
    { authorization: basic(`${TOKEN}:other`) },
    { authorization: "", path: `/v1/traces?token=${TOKEN}` },
    { authorization: "", path: `/${TOKEN.slice(0, -1)}/v1/traces` },
  ]) {
    const response = await post(receiver, undefined, headers);
    assert.equal(response.status, 401, JSON.stringify(headers));
    assert.equal(response.headers.get("www-authenticate"), "Bearer");
    const { code, message } = await response.json();
    assert.equal(code, 16);
    assert.match(message, /Authorization: Bearer TOKEN/);
    assert.ok(!message.includes("s3cret"));
  }
  assert.deepEqual([collector.spans().length, receiver.received.unauthorized], [5, 7]);
});

test("what is not OTLP, too large or damaged is refused with a reason", async (t) => {
  const { collector, receiver } = await setup(t, { maxBodyBytes: 10_000 });
  const large = JSON.stringify(body("large", { text: "x".repeat(20_000) }));
  for (const [status, content, headers, reason] of [
    [415, "x", { type: "text/plain" }, /use application\/x-protobuf or application\/json/],
    [415, "x", { "content-encoding": "br" }, /\\"br\\" is not supported; use gzip, deflate or none/],
    [413, large, {}, /the body has more than 10000 bytes/],
    [413, gzipSync(large), { "content-encoding": "gzip" }, /the body unpacks to more than 10000 bytes/],
    [400, "x", { "content-encoding": "gzip" }, /the body is not valid gzip/],
    [400, "[]", {}, /not an OTLP JSON body/],
    [400, '{"resourceSpans":7}', {}, /resourceSpans/],
  ]) {
    const response = await post(receiver, content, headers);
    assert.equal(response.status, status);
    assert.match(await response.text(), reason);
    assert.equal(response.headers.get("retry-after"), null);
  }
  const get = await receiver.fetch(
    new Request("https://r/v1/traces", { headers: { authorization: `Bearer ${TOKEN}` } }),
  );
  assert.deepEqual([get.status, get.headers.get("allow")], [405, "POST"]);
  for (const path of ["/", "/v1/metrics", "/v1/logs"]) assert.equal((await post(receiver, "{}", { path })).status, 404);
  assert.equal((await receiver.fetch(new Request("https://r/healthz"))).status, 200);
  assert.equal(collector.requests.length, 0);
});

test("spans that no backend would take are reported as a partial success", async (t) => {
  const { collector, receiver } = await setup(t);
  const both = body("good");
  const [scope] = both.resourceSpans[0].scopeSpans;
  scope.spans.push({ ...scope.spans[0], name: "bad", spanId: "" });
  const { partialSuccess } = await (await post(receiver, JSON.stringify(both))).json();
  assert.equal(partialSuccess.rejectedSpans, "1");
  assert.deepEqual(collector.names(), ["good"]);
});

test("a backend that refuses spans for good makes a partial success, and its answer is not asked for again", async (t) => {
  const { collector, receiver } = await setup(t, { answer: () => ({ status: 400 }) });
  const { partialSuccess } = await (await post(receiver)).json();
  assert.equal(partialSuccess.rejectedSpans, "1");
  assert.match(partialSuccess.errorMessage, /HTTP status 400/);
  assert.equal(collector.requests.length, 1);
});

test("a backend that is down: 503 with Retry-After, and nothing is kept that the sender sends again", async (t) => {
  let down = true;
  const { collector, receiver } = await setup(t, { answer: () => ({ status: down ? 503 : 200 }) });
  const content = JSON.stringify(body("again"));
  const response = await post(receiver, content);
  assert.deepEqual([response.status, response.headers.get("retry-after")], [503, "2"]);
  const { code, message } = await response.json();
  assert.equal(code, 14);
  assert.match(message, /no destination has taken the spans: destination otlp-0: HTTP status 503/);
  const before = collector.requests.length;
  down = false;
  assert.equal((await post(receiver, content)).status, 200);
  assert.equal(collector.requests.length, before + 1);
  assert.equal((await post(receiver)).status, 200);
  assert.deepEqual([receiver.received.spans, receiver.received.busy], [2, 1]);
});

test("if one destination has the spans, the sender does not send them again, and the other one gets them later", async (t) => {
  let down = true;
  const slow = await startCollector(() => ({ status: down ? 503 : 200 }));
  const well = await startCollector();
  t.after(() => Promise.all([slow.close(), well.close()]));
  const destinations = [{ endpoint: slow.url }, { endpoint: well.url }];
  const receiver = receive({ destinations, token: TOKEN, ...NO_WAIT, retry: { initialMillis: 50, maxMillis: 50 } });
  const waits = [];
  const request = new Request("https://r/v1/traces", {
    method: "POST",
    headers: { "content-type": JSON_TYPE, authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify(body("late")),
  });
  const response = await receiver.fetch(request, undefined, { waitUntil: (work) => waits.push(work) });
  assert.equal(response.status, 200);
  assert.deepEqual([well.names(), slow.answeredNames().length > 0], [["late"], true]);
  const before = slow.requests.length;
  down = false;
  await Promise.all(waits);
  assert.equal(slow.requests.length, before + 1);
});

test("one sender cannot take the place of the others", async (t) => {
  const { collector, receiver } = await setup(t, {
    maxRequestsOfSender: 2,
    answer: () => ({ afterMillis: 100 }),
    answerTimeoutMillis: 5000,
  });
  const statuses = await Promise.all(Array.from({ length: 5 }, async () => (await post(receiver)).status));
  assert.deepEqual(statuses.toSorted(), [200, 200, 429, 429, 429]);
  assert.equal((await post(receiver)).status, 200);
  assert.equal(collector.spans().length, 3);
});

// README promise: "Secrets stay"
test("tenants are told apart by their tokens, and each has its own destinations", async (t) => {
  const [red, blue] = [await startCollector(), await startCollector()];
  t.after(() => Promise.all([red.close(), blue.close()]));
  const receiver = receive([
    { token: "red-token", destinations: [{ endpoint: red.url, headers: { "x-key": "red-key" } }] },
    { token: "blue-token", destinations: [{ endpoint: blue.url, headers: { "x-key": "blue-key" } }] },
  ]);
  const sent = Array.from({ length: 20 }, (_, i) => (i % 2 ? "red" : "blue"));
  const answers = sent.map((of) => post(receiver, JSON.stringify(body(of)), { authorization: `Bearer ${of}-token` }));
  for (const { status } of await Promise.all(answers)) assert.equal(status, 200);
  for (const [of, { requests, names }] of [
    ["red", red],
    ["blue", blue],
  ]) {
    assert.deepEqual(names(), Array(10).fill(of));
    for (const { headers } of requests) assert.equal(headers["x-key"], `${of}-key`);
  }
});

test("the other calls of Langfuse's SDKs get harmless answers", async (t) => {
  const { receiver } = await setup(t);
  const authorization = `Basic ${Buffer.from(`pk:${TOKEN}`).toString("base64")}`;
  const ask = (path, headers = { authorization }) => receiver.fetch(new Request(`https://r${path}`, { headers }));
  const projects = await ask("/api/public/projects");
  assert.equal((await projects.json()).data.length, 1);
  assert.equal((await ask("/api/public/v2/prompts/x")).status, 404);
  assert.equal((await ask("/api/public/projects", {})).status, 401);
});

test("http.createServer: the same, with the address of the sender", async (t) => {
  const collector = await startCollector();
  const destinations = [{ profile: "tencent", token: "t", serviceName: "shop", endpoint: collector.url }];
  const server = createServer(receive({ destinations, token: TOKEN }).node).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => Promise.all([collector.close(), server.close()]));
  const response = await fetch(`http://127.0.0.1:${server.address().port}/${TOKEN}/v1/traces`, {
    method: "POST",
    headers: { "content-type": JSON_TYPE },
    body: JSON.stringify(body("by http")),
  });
  assert.deepEqual([response.status, await response.text()], [200, "{}"]);
  const [{ name, resource }] = collector.spans();
  assert.deepEqual([name, resource["host.name"]], ["by http", "127.0.0.1"]);
});

for (const [options, message] of [
  [{ destinations: [{}] }, /^genspan: token: is missing; write the secret that senders use/],
  [{ destinations: [{}], token: " " }, /^genspan: token: is missing/],
  [{ destinations: [{}], token: [] }, /^genspan: token: is missing/],
  [{ token: "t" }, /^genspan: destinations: is missing; write a list/],
  [[{ token: "t", destinations: [{}] }, {}], /^genspan: \[1\]\.token: is missing/],
  [{ token: "t", destinations: [{ endpoint: "x" }] }, /^genspan: destinations\[0\]\.endpoint: "x" is not a URL/],
  [{ token: "t", destinations: [{}], maxBodyBytes: 0 }, /^genspan: maxBodyBytes: 0 is not a positive integer; use 1/],
  [{ token: "t", destinations: [{ profile: "otle" }] }, /^genspan: destinations\[0\]\.profile: "otle" is unknown/],
  [{ token: "t", destinations: [{}], spool: {} }, /^genspan: spool: does not apply to a receiver; omit it/],
  [{ token: "t", destinations: [{}], privcy: 1 }, /^genspan: privcy: is not an option; did you mean privacy\?/],
  [undefined, /^genspan: options: is undefined; pass { destinations, token }/],
]) {
  test(`refused: ${message.source.slice(1, 60)}`, () => assert.throws(() => receive(options), { message }));
}
