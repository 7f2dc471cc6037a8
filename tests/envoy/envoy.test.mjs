// Python services behind a real Envoy with the plugin: what arrives, and what happens to bodies that are none of ours.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import http from "node:http";
import { test as testWithoutEnvoy } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { decode, flatten, startReceiver } from "../../demo/receiver.mjs";
import { CLIENT, python, setUp, startCanned, startEnvoy, startGrpcReceiver, test } from "./envoy.mjs";

const run = promisify(execFile);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const CAPTURE = readFileSync(here("../fixtures/captures/langfuse-py-5.0.4.langgraph-entry-inherited.pb"));
const TENCENT = { profile: "tencent", token: "secret-token", entry: { holdMillis: 3_000 } };

let canned;
setUp(async (keep) => {
  canned = await keep(startCanned());
});

async function withEnvoy(t, options, more = {}) {
  const receiver = await startReceiver({ respond: more.respond });
  const grpc = more.grpc ? await startGrpcReceiver() : undefined;
  const copy = more.copy ? await startReceiver() : undefined;
  const clusters = copy ? { copies: new URL(copy.url).port } : {};
  const envoy = await startEnvoy({ options, http: new URL(receiver.url).port, grpc: grpc?.port, clusters });
  t.after(async () => {
    await envoy.stop();
    await receiver.close();
    await copy?.close();
    grpc?.stop();
  });
  return { envoy, receiver, grpc, copy };
}

async function until(holds, what) {
  for (let i = 0; !(await holds()); i++) {
    assert.ok(i < 800, `within 40 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const entriesOf = (spans) =>
  spans.filter((span) => span.attributes["gen_ai.is_entry"] === true).map(({ name }) => name);
const PROGRAMS = [
  // venv, program, exporter, compression, batching
  ["langfuse3", "langgraph", "grpc", "gzip", "batch"],
  ["langfuse3", "langgraph", "http", "none", "simple"],
  ["newest", "langgraph", "http", "gzip", "batch"],
  ["newest", "langgraph", "grpc", "none", "simple"],
  ["newest", "openinference", "http", "none", "batch"],
  ["newest", "traceloop", "grpc", "gzip", "simple"],
];

for (const [venv, program, exporter, compression, batching] of PROGRAMS) {
  test(`${venv} ${program} over ${exporter}, ${compression}, ${batching}: normalised, one entry, the token injected`, async (t) => {
    const { envoy, receiver, grpc } = await withEnvoy(t, TENCENT, { grpc: exporter === "grpc" });
    const env = { ...process.env, CANNED: canned.url, PROXY_HTTP: envoy.http, PROXY_GRPC: envoy.grpc };
    await run(python(venv), [CLIENT, program, exporter, compression, batching], { env, timeout: 60_000 });
    const spans = () => (grpc ? grpc.requests.flatMap(({ body }) => flatten(decode(body))) : receiver.spans());
    await until(
      async () => (await envoy.stats()).genspan_held === 0 && entriesOf(spans()).length > 0,
      "the candidate is sent",
    );
    const arrived = spans();
    const expected =
      program === "langgraph" ? ["LangGraph"] : [arrived.find((span) => span.name !== "POST /chat").name];
    assert.deepEqual(entriesOf(arrived), expected);
    assert.equal(new Set(arrived.map(({ spanId }) => spanId)).size, arrived.length, "each span once");
    // 16 spans of a graph with one tool in every version here, its HTTP span included; the client's call and that span otherwise.
    const count = program === "langgraph" ? 16 : 2;
    assert.equal(arrived.length, count);
    await until(async () => (await envoy.stats()).genspan_spans_total === count, "they are counted");
    for (const { resource, attributes } of arrived) {
      assert.equal(resource.token, "secret-token");
      assert.equal(resource["host.name"], "127.0.0.1");
      assert.equal(resource["service.name"], "shop-agent", "a name that Tencent would refuse is mended");
      assert.ok(!Object.keys(attributes).some((key) => /.gen_ai\.is_entry$/.test(key)));
    }
    const calls = arrived.filter(({ attributes }) => attributes["gen_ai.span.kind"] === "LLM");
    assert.equal(calls.length, program === "langgraph" ? 2 : 1);
    for (const { attributes } of calls) {
      assert.equal(attributes["gen_ai.usage.input_tokens"], 57);
      assert.equal(attributes["gen_ai.usage.output_tokens"], 17);
      assert.ok(attributes["gen_ai.input.messages"].includes("深圳天气如何?"));
    }
    // Calls of our own carry the sender's credentials, like its requests.
    const authorizations = grpc
      ? grpc.requests.map(({ metadata }) => metadata.authorization)
      : receiver.requests.map(({ headers }) => headers.authorization);
    assert.deepEqual([...new Set(authorizations)], ["Bearer of-the-application"]);
  });
}

const post = (envoy, body, headers = {}) =>
  fetch(`${envoy.http}/v1/traces`, {
    method: "POST",
    body,
    headers: { "content-type": "application/x-protobuf", ...headers },
  });

testWithoutEnvoy("the plugin stays within its size", () => {
  const module = readFileSync(here("../../plugins/proxy-wasm/genspan.wasm"));
  // A standard library that says why it panics (rustup's own) makes more.
  const bound = module.includes("called `Option::unwrap()`") ? 352_000 : 340_000;
  const size = gzipSync(module, { level: 9 }).length;
  assert.ok(size < bound, `${size} bytes with gzip -9`);
});

test("the plugin gives the bytes of the native core", async (t) => {
  const { envoy, receiver } = await withEnvoy(t, { profile: "otel" });
  assert.equal((await post(envoy, CAPTURE)).status, 200);
  const { stdout } = await run(
    here("../../target/release/examples/ingest"),
    ["otel", here("../fixtures/captures/langfuse-py-5.0.4.langgraph-entry-inherited.pb")],
    { encoding: "buffer", maxBuffer: 64 << 20 },
  );
  assert.ok(receiver.requests[0].body.equals(stdout));
  assert.equal((await post(envoy, gzipSync(CAPTURE), { "content-encoding": "gzip" })).status, 200);
  assert.equal(receiver.requests[1].headers["content-encoding"], "gzip");
  assert.equal(receiver.spans().length, 2 * flatten(decode(CAPTURE)).length);
});

test("JSON stays JSON", async (t) => {
  const { envoy, receiver } = await withEnvoy(t, { profile: "otel" });
  const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", name: "chat" };
  span.attributes = [
    { key: "llm.model_name", value: { stringValue: "m" } },
    { key: "openinference.span.kind", value: { stringValue: "LLM" } },
  ];
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  assert.equal((await post(envoy, body, { "content-type": "application/json" })).status, 200);
  const [{ type }] = receiver.requests;
  assert.equal(type, "application/json");
  const [{ attributes }] = receiver.spans();
  assert.deepEqual([attributes["gen_ai.request.model"], attributes["gen_ai.is_entry"]], ["m", true]);
});

/** A backend that keeps bodies as they came. */
async function startRaw() {
  const bodies = [];
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    bodies.push(Buffer.concat(chunks));
    response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: server.address().port, bodies, close: () => server.close().closeAllConnections() };
}

test("what is no OTLP passes byte for byte, and is counted", async (t) => {
  const backend = await startRaw();
  const envoy = await startEnvoy({ options: { profile: "otel", maxBodyBytes: 1 << 20 }, http: backend.port });
  t.after(async () => {
    await envoy.stop();
    backend.close();
  });
  const large = Buffer.concat([CAPTURE, Buffer.alloc(2 << 20, 1)]);
  const bomb = gzipSync(Buffer.alloc(8 << 20));
  for (const [body, headers, reason] of [
    [Buffer.from("garbage"), {}, "malformed"],
    [Buffer.from([7]), {}, "malformed"],
    [CAPTURE.subarray(0, 1000), {}, "malformed"],
    [Buffer.from("no gzip"), { "content-encoding": "gzip" }, "malformed"],
    [bomb, { "content-encoding": "gzip" }, "oversized"],
    [CAPTURE, { "content-encoding": "br" }, "unsupported"],
    [CAPTURE, { "content-type": "text/plain" }, "unsupported"],
    [large, {}, "oversized"],
  ]) {
    const counted = (await envoy.stats())[`genspan_passed_through_total.${reason}`];
    await (await rawPost(envoy, body, headers)).done;
    const got = backend.bodies.at(-1);
    assert.ok(got.equals(body), `${reason}: ${got.length} bytes of ${body.length}`);
    await until(async () => (await envoy.stats())[`genspan_passed_through_total.${reason}`] === counted + 1, reason);
  }
  assert.equal((await envoy.stats()).genspan_spans_total, 0);
  // The next one is treated as ever.
  assert.equal((await post(envoy, CAPTURE)).status, 200);
  assert.deepEqual(entriesOf(flatten(decode(backend.bodies.at(-1)))), ["LangGraph"]);
  assert.equal((await fetch(`${envoy.http}/v1/logs`, { method: "POST", body: "logs" })).status, 200);
  assert.equal(backend.bodies.at(-1).toString(), "logs");
});

test("headers that are no UTF-8 do the plugin no harm; credentials that are none let a request pass as it came", async (t) => {
  const { envoy, receiver } = await withEnvoy(t, { profile: "otel" });
  const send = (name) =>
    new Promise((resolve, reject) => {
      const headers = { "content-type": "application/x-protobuf", [name]: "caf\u00e9" };
      const request = http.request(`${envoy.http}/v1/traces`, { method: "POST", headers }, (response) =>
        response.resume().on("end", () => resolve(response.statusCode)),
      );
      request.on("error", reject).end(CAPTURE);
    });
  assert.equal(await send("x-city"), 200);
  assert.deepEqual(entriesOf(receiver.spans()), ["LangGraph"]);
  assert.equal(await send("x-api-key"), 200);
  assert.ok(receiver.requests[1].body.equals(CAPTURE));
  await until(async () => (await envoy.stats())["genspan_passed_through_total.unsupported"] === 1, "it is counted");
});

/** Sends a body in chunks, as a client does that does not know its length. */
function rawPost(envoy, body, headers = {}, { pieces = 3, pause = 0 } = {}) {
  const request = http.request(`${envoy.http}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf", ...headers },
  });
  const done = new Promise((resolve, reject) => {
    request.on("response", (response) => response.resume().on("end", () => resolve(response.statusCode)));
    request.on("error", reject);
  });
  const send = async () => {
    const size = Math.max(1, Math.ceil(body.length / pieces));
    for (let at = 0; at < body.length; at += size) {
      request.write(body.subarray(at, at + size));
      if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
    }
    request.end();
  };
  return send().then(() => ({ done, request }));
}

test("bodies of every size, slow clients, and clients that give up", async (t) => {
  const { envoy, receiver } = await withEnvoy(t, { profile: "otel", maxBodyBytes: 32 << 20 });
  const spansOf = (count, bytes) => {
    const attributes = [
      { key: "gen_ai.operation.name", value: { stringValue: "chat" } },
      { key: "note", value: { stringValue: "x".repeat(bytes) } },
    ];
    const span = (i) => ({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: (i + 1).toString(16).padStart(16, "0"),
      name: "chat",
      attributes,
    });
    return Buffer.from(
      JSON.stringify({
        resourceSpans: [{ scopeSpans: [{ spans: Array.from({ length: count }, (_, i) => span(i)) }] }],
      }),
    );
  };
  assert.equal((await post(envoy, Buffer.alloc(0))).status, 200);
  for (const [count, bytes] of [
    [50, 200],
    [100, 20_000],
    [100, 210_000],
    [20_000, 20],
  ]) {
    const at = receiver.requests.length;
    assert.equal((await post(envoy, spansOf(count, bytes), { "content-type": "application/json" })).status, 200);
    const { body, type } = receiver.requests[at];
    assert.equal(flatten(decode(body, type)).length, count);
  }
  const slow = await rawPost(envoy, CAPTURE, {}, { pieces: 20, pause: 20 });
  assert.equal(await slow.done, 200);
  const { request, done } = await rawPost(envoy, CAPTURE, { "content-length": CAPTURE.length + 10 });
  request.destroy();
  await done.catch(() => {});
  await until(async () => (await envoy.stats()).genspan_buffered_bytes === 0, "what was held of it is let go");
});

test("200 requests at once, and an upstream that is down", async (t) => {
  let status = 200;
  const { envoy, receiver } = await withEnvoy(t, { profile: "otel" }, { respond: () => ({ status }) });
  const answers = await Promise.all(Array.from({ length: 200 }, () => post(envoy, CAPTURE).then((r) => r.status)));
  assert.deepEqual([...new Set(answers)], [200]);
  assert.equal(receiver.requests.length, 200);
  status = 503;
  assert.equal((await post(envoy, CAPTURE)).status, 503, "the client learns of it, and tries again");
});

test("copies go to a further cluster in the form of its backend, and senders do not mix", async (t) => {
  const options = {
    destinations: [
      { profile: "otel" },
      {
        profile: "langfuse",
        cluster: "copies",
        endpoint: "http://lf.example/api/public/otel/v1/traces",
        headers: { authorization: "Basic of-langfuse" },
      },
    ],
    scheduledDelayMillis: 100,
  };
  const { envoy, receiver, copy } = await withEnvoy(t, options, { copy: true });
  const count = flatten(decode(CAPTURE)).length;
  for (const sender of ["a", "b"])
    assert.equal((await post(envoy, CAPTURE, { authorization: `Bearer ${sender}` })).status, 200);
  await until(() => copy.spans().length === 2 * count, "the copies are there");
  assert.deepEqual(
    [...new Set(copy.requests.map(({ headers, path }) => `${headers.authorization} ${headers.host} ${path}`))],
    ["Basic of-langfuse lf.example /api/public/otel/v1/traces"],
  );
  assert.ok(copy.spans().some(({ attributes }) => attributes["langfuse.observation.type"] === "generation"));
  assert.deepEqual(
    receiver.requests.map(({ headers }) => headers.authorization),
    ["Bearer a", "Bearer b"],
  );
  assert.ok(receiver.spans().every(({ attributes }) => attributes["langfuse.observation.type"] !== "generation"));
});

test("a copy by gRPC, as the protocol of its destination has it; what the proxy decides is said to be ignored", async (t) => {
  const copy = { protocol: "grpc", compression: "gzip", cluster: "collector_grpc", endpoint: "http://collector:4317" };
  const options = {
    destinations: [{ compression: "gzip" }, { ...copy, headers: { "x-team": "blue" } }],
    spool: { dir: "/x" },
  };
  const { envoy, receiver, grpc } = await withEnvoy(t, { ...options, scheduledDelayMillis: 100 }, { grpc: true });
  assert.equal((await post(envoy, CAPTURE)).status, 200);
  await until(() => grpc.requests.length > 0, "the copy is there");
  const [{ metadata, body }] = grpc.requests;
  assert.deepEqual(flatten(decode(body)), receiver.spans());
  assert.equal(metadata["x-team"], "blue");
  await until(async () => (await envoy.stats()).genspan_pending === 0, "its answer was understood");
  assert.equal(grpc.requests.length, 1);
  assert.match(envoy.log(), /genspan: spool is ignored: /);
  assert.match(envoy.log(), /genspan: destinations\[0\]\.compression is ignored: /);
});

test("what is held goes out when Envoy is told to stop", async (t) => {
  const receiver = await startReceiver();
  t.after(() => receiver.close());
  const options = { profile: "otel", entry: { holdMillis: 600_000 } };
  const envoy = await startEnvoy({ options, http: new URL(receiver.url).port });
  const span = {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    parentSpanId: "00f067aa0ba902b7",
  };
  const attributes = [{ key: "gen_ai.operation.name", value: { stringValue: "chat" } }];
  const body = JSON.stringify({
    resourceSpans: [{ scopeSpans: [{ spans: [{ ...span, name: "chat", attributes }] }] }],
  });
  assert.equal((await post(envoy, body, { "content-type": "application/json" })).status, 200);
  await until(async () => (await envoy.stats()).genspan_held === 1, "its parent may still come");
  assert.deepEqual(receiver.spans(), []);
  await envoy.stop();
  assert.deepEqual(entriesOf(receiver.spans()), ["chat"]);
});

test("options that are wrong keep Envoy from starting, and say why", async () => {
  await assert.rejects(
    startEnvoy({ options: { profile: "tencent", token: "secret-token", serviceName: "My App" }, http: 9 }),
    (error) => {
      assert.match(
        error.message,
        /serviceName: \\?"My App\\?" is not a name that profile tencent takes; use at most 63/,
      );
      assert.ok(!error.message.includes("secret-token"));
      return true;
    },
  );
});
