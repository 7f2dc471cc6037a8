// `genspan relay` and `genspan inspect` between real senders and real receivers: what arrives is what the core makes of it, nothing is lost when
// something is full or ends, and memory stays bounded.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { decode, flatten } from "../../demo/receiver.mjs";
import { startCollector } from "../../pkg/test/collector.mjs";
import { ask, begin, beginCalls, call, command, follow, post, relay } from "../../pkg/test/serving.mjs";
import { CLIENT, python, startCanned, test as testInPython } from "../envoy/envoy.mjs";
import { startFaultServer } from "./fault-server.mjs";
import { runBytes } from "./program.mjs";
import { makeSpans } from "./spans.mjs";

const run = promisify(execFile);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const require = createRequire(new URL("./sdk2/package.json", import.meta.url));
const api = require("@opentelemetry/api");
const { NodeTracerProvider, BatchSpanProcessor } = require("@opentelemetry/sdk-trace-node");
const EXPORTERS = {
  protobuf: require("@opentelemetry/exporter-trace-otlp-proto").OTLPTraceExporter,
  JSON: require("@opentelemetry/exporter-trace-otlp-http").OTLPTraceExporter,
};
const SPANS = ["", "GET /order", "SELECT", "called from afar", "send", "too many attributes"];

async function collect(t, answer) {
  const collector = await startCollector(answer);
  t.after(() => collector.close());
  return collector;
}

/** A configuration file. */
function file(t, config) {
  const folder = mkdtempSync(join(tmpdir(), "genspan-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "relay.json"), JSON.stringify(config));
  return join(folder, "relay.json");
}

const CAPTURES = [
  "langfuse-py-3.2.6.langgraph-entry-metadata",
  "langfuse-py-3.2.6.observe-openai-stream",
  "langfuse-py-5.0.4.langgraph-entry-inherited",
  "langfuse-py-5.0.4.observations-unmarked",
  "openinference-openai-py-0.1.66.chat-embed-error",
  "traceloop-openai-py-0.62.4.chat-embed-error",
];

test("the relay sends, byte for byte, what the native core makes of a body", async (t) => {
  for (const profile of ["otel", "langfuse", "openinference"]) {
    for (const name of CAPTURES) {
      const capture = here(`../fixtures/captures/${name}.pb`);
      const expected = await runBytes(here("../../target/release/examples/ingest"), [profile, capture]);
      const collector = await collect(t);
      const { url, close } = await relay(t, { endpoint: collector.url, profile, entry: { holdMillis: 0 } });
      assert.equal((await post(url, readFileSync(capture))).status, 200);
      await close();
      assert.equal(collector.requests.length, 1);
      assert.deepEqual(collector.requests[0].body, expected, `${profile} ${name}`);
    }
  }
});

for (const [encoding, Exporter] of Object.entries(EXPORTERS)) {
  test(`SIGTERM: what an SDK has sent in ${encoding} goes out before the relay ends`, async (t) => {
    const collector = await collect(t);
    const running = command(t, ["relay", "--to", collector.url, "--port", "0", "--grpc-port", "none"]);
    const { url } = await running.ready;
    const exporter = new Exporter({ url: `${url}/v1/traces`, compression: "gzip" });
    const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
    makeSpans(api, provider);
    await provider.shutdown();
    assert.equal(collector.requests.length, 0, "it waits for more");
    running.kill("SIGTERM");
    const { status, out, err } = await running.ended;
    assert.deepEqual([status, err], [0, ""]);
    assert.deepEqual(collector.names().sort(), SPANS);
    assert.match(out, /received {2}1 requests {2}6 spans\n {2}otlp-0 {2}6 sent\n$/);
  });
}

test("SIGTERM with a backend that is down: it ends in time, and says what is lost", async (t) => {
  const collector = await collect(t, () => ({ status: 503 }));
  const config = file(t, { endpoint: collector.url, flushTimeoutMillis: 500 });
  const running = command(t, ["relay", "--config", config, "--port", "0", "--grpc-port", "none"], {
    OTEL_SERVICE_NAME: "the-relay-s-own",
  });
  const { url } = await running.ready;
  const exporter = new EXPORTERS.protobuf({ url: `${url}/v1/traces` });
  const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
  makeSpans(api, provider);
  await provider.shutdown();
  running.kill("SIGTERM");
  const told = Date.now();
  const { status, out, err } = await running.ended;
  assert.equal(status, 0);
  assert.ok(Date.now() - told < 5_000);
  assert.match(out, /otlp-0 {2}0 sent {2}6 dropped: not delivered before shutdown\n$/);
  assert.match(err, /^genspan: destination otlp-0: HTTP status 503\n$/);
  assert.ok(collector.spans().length >= SPANS.length);
  assert.ok(collector.spans().every(({ resource }) => resource["service.name"] !== "the-relay-s-own"));
});

// README promise: "What a backend cannot take now waits, with a spool on disk"
test("with a spool, what a backend does not take waits for the next relay", async (t) => {
  let down = true;
  const collector = await collect(t, () => (down ? { status: 503 } : {}));
  const config = file(t, { flushTimeoutMillis: 500 });
  const args = ["relay", "--to", collector.url, "--config", config, "--spool", join(config, "../spool")];
  const start = async () => {
    const running = command(t, [...args, "--port", "0", "--grpc-port", "none"]);
    return { ...running, ...(await running.ready) };
  };
  const first = await start();
  const exporter = new EXPORTERS.protobuf({ url: `${first.url}/v1/traces` });
  const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
  makeSpans(api, provider);
  await provider.shutdown();
  first.kill("SIGTERM");
  assert.match((await first.ended).out, /otlp-0 {2}0 sent {2}6 on disk\n$/);
  down = false;
  const refused = collector.requests.length;
  const second = await start();
  for (let i = 0; collector.answered() === refused; i++) {
    assert.ok(i < 200, "within 10 s");
    await pause(50);
  }
  second.kill("SIGTERM");
  await second.ended;
  const delivered = collector.requests.slice(refused).flatMap(({ body }) => flatten(decode(body)));
  assert.deepEqual(delivered.map(({ name }) => name).sort(), SPANS);
});

test("SIGTERM with a backend that never answers: what was accepted is on disk before a container is killed", async (t) => {
  const collector = await collect(t, () => ({ hang: true }));
  const spool = join(file(t, {}), "../spool");
  const args = ["--to", collector.url, "--spool", spool, "--port", "0", "--grpc-port", "none"];
  const running = command(t, ["relay", ...args]);
  const { url } = await running.ready;
  for (const body of bodies(2 * PER_BODY)) assert.equal((await post(url, body)).status, 200);
  for (let i = 0; collector.requests.length === 0; i++) {
    assert.ok(i < 200, "within 10 s");
    await pause(50);
  }
  const told = Date.now();
  running.kill("SIGTERM");
  const { status, out } = await running.ended;
  assert.equal(status, 0);
  assert.ok(Date.now() - told < 9_000);
  assert.match(out, /otlp-0 {2}0 sent {2}1000 on disk\n$/);
  const spans = readdirSync(spool).map((name) => Number(/\.(\d+)\.\d+\.ready$/.exec(name)[1]));
  assert.equal(
    spans.reduce((sum, count) => sum + count, 0),
    1000,
  );
});

test("a full queue is told, and the SDK's own retry delivers every span once", async (t) => {
  let refused = 0;
  const collector = await collect(t, () => (refused === 0 ? { status: 503 } : {}));
  const { url, close } = await relay(t, {
    endpoint: collector.url,
    maxQueueSize: SPANS.length,
    maxExportBatchSize: 1,
    concurrencyLimit: 1,
    scheduledDelayMillis: 0,
    retry: { initialMillis: 50, maxMillis: 100 },
    breaker: { failures: 0 },
  });
  const exporter = new EXPORTERS.protobuf({ url: `${url}/v1/traces`, timeoutMillis: 20_000 });
  const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
  // The backend is well again once a body was refused.
  let watching = true;
  const watch = (async () => {
    while (watching && refused === 0) {
      refused = JSON.parse((await ask(`${url}/healthz`)).body).received.busy;
      await pause(20);
    }
  })();
  for (let i = 0; i < 3; i++) {
    makeSpans(api, provider);
    await provider.forceFlush();
  }
  watching = false;
  await watch;
  const { received, stats } = await close();
  assert.ok(received.busy > 0, "it was full");
  assert.equal(stats.destinations[0].droppedFull, 0);
  const ids = collector.spans().map(({ spanId }) => spanId);
  assert.equal(new Set(ids).size, 3 * SPANS.length);
  assert.equal(stats.destinations[0].sent, 3 * SPANS.length);
});

for (const [exporter, compression, batching] of [
  ["http", "gzip", "batch"],
  ["grpc", "none", "simple"],
]) {
  const test = testInPython;
  test(`Langfuse in Python over ${exporter}, ${compression}, ${batching}: normalised, one entry, the relay's token`, async (t) => {
    const canned = await startCanned();
    t.after(() => canned.close());
    const collector = await collect(t);
    const receiving = await relay(t, { endpoint: collector.url, profile: "tencent", token: "tok-of-the-relay" });
    const env = {
      ...process.env,
      CANNED: canned.url,
      PROXY_HTTP: receiving.url,
      PROXY_GRPC: `http://${receiving.grpc}`,
    };
    await run(python("langfuse3"), [CLIENT, "langgraph", exporter, compression, batching], { env, timeout: 60_000 });
    await receiving.close();
    const spans = collector.spans();
    // As behind Envoy: a graph with one tool, its HTTP span included.
    assert.equal(spans.length, 16);
    const entries = spans.filter(({ attributes }) => attributes["gen_ai.is_entry"] === true);
    assert.deepEqual(
      entries.map(({ name }) => name),
      ["LangGraph"],
    );
    for (const { resource } of spans) {
      assert.deepEqual(
        [resource.token, resource["host.name"], resource["service.name"]],
        ["tok-of-the-relay", "127.0.0.1", "shop-agent"],
      );
    }
    const calls = spans.filter(({ attributes }) => attributes["gen_ai.span.kind"] === "LLM");
    assert.equal(calls.length, 2);
    for (const { attributes } of calls) {
      assert.equal(attributes["gen_ai.usage.input_tokens"], 57);
      assert.ok(attributes["gen_ai.input.messages"].includes("深圳天气如何?"));
    }
    assert.ok(collector.requests.every(({ headers }) => headers.authorization === undefined));
  });
}

for (const version of ["langfuse3", "newest"]) {
  testInPython(
    `Langfuse in Python, ${version}: LANGFUSE_HOST is all that changes, and its calls that are no traces harm nothing`,
    async (t) => {
      const collector = await collect(t);
      const receiving = await relay(t, { endpoint: collector.url });
      const keys = { LANGFUSE_PUBLIC_KEY: "pk-lf-x", LANGFUSE_SECRET_KEY: "sk-lf-x" };
      const env = { ...process.env, LANGFUSE_HOST: receiving.url, ...keys };
      const { stdout } = await run(python(version), [here("langfuse_host.py")], { env, timeout: 30_000 });
      assert.deepEqual(JSON.parse(stdout), { auth: "True", prompt: "'hello'" });
      const { received } = await receiving.close();
      assert.equal(received.requests, 1);
      const [answer, agent] = collector.spans().sort((a, b) => b.name.localeCompare(a.name));
      assert.deepEqual([answer.name, agent.name, answer.parentSpanId], ["answer", "agent", agent.spanId]);
      assert.equal(answer.attributes["gen_ai.usage.input_tokens"], 57);
      assert.equal(agent.attributes["gen_ai.is_entry"], true);
      const sent = collector.requests.map(({ body, headers }) => body.toString("latin1") + JSON.stringify(headers));
      assert.ok(!/[ps]k-lf-x/.test(sent.join()), "Langfuse's keys stay here");
    },
  );
}

/** The Python program that the README has for a relay, sent elsewhere, with a span and an end. */
function documented(relay, changes) {
  const readme = readFileSync(here("../../pkg/README.md"), "utf8");
  const [, program] = /```python\n([\s\S]*?)```/.exec(readme);
  let changed = program;
  for (const [from, to] of [["http://127.0.0.1:4318", relay.url], ...changes]) {
    assert.ok(changed.includes(from), from);
    changed = changed.replaceAll(from, to);
  }
  const chat = '{"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini"}';
  return `${changed}
trace.get_tracer("shop").start_span("chat", attributes=${chat}).end()
provider.shutdown()
`;
}

// README promise: "Secrets stay"
testInPython(
  "the documented Python program: each sender's own token goes with its spans, to the destination that wants it alone",
  async (t) => {
    const [tencent, other] = [await collect(t), await collect(t)];
    const receiving = await relay(t, {
      destinations: [
        { name: "tencent", profile: "tencent", endpoint: `${tencent.url}/v1/traces` },
        { name: "other", endpoint: `${other.url}/v1/traces` },
      ],
    });
    for (const changes of [
      [],
      [
        ['"shop-agent"', '"Bank Agent"'],
        ['"Tok3nOfTheTeam"', '"s3cret-of-the-bank"'],
        ['"10.0.0.8"', '"10.0.0.9"'],
      ],
      [
        ['"shop-agent"', '"web"'],
        ['"token": "Tok3nOfTheTeam", ', ""],
      ],
      [
        ['"shop-agent"', '"web"'],
        ['"token": "Tok3nOfTheTeam", ', ""],
      ],
    ]) {
      await run(python("newest"), ["-c", documented(receiving, changes)], { timeout: 30_000 });
    }
    const { stats } = await receiving.close();
    const resources = tencent.spans().map(({ resource }) => resource);
    assert.deepEqual(
      resources.map((resource) => ["service.name", "token", "host.name"].map((key) => resource[key])).sort(),
      [
        ["bank-agent", "s3cret-of-the-bank", "10.0.0.9"],
        ["shop-agent", "Tok3nOfTheTeam", "10.0.0.8"],
      ],
    );
    assert.equal(other.spans().length, 4);
    assert.ok(other.spans().every(({ resource }) => !("token" in resource)));
    assert.deepEqual(
      stats.destinations.map(({ sent, withoutToken }) => [sent, withoutToken]),
      [
        [2, 2],
        [4, 0],
      ],
    );
    assert.deepEqual(receiving.warnings, [
      'service "web" sends no token, so the destination of profile tencent does not receive its spans; set the resource attribute token there (OTEL_RESOURCE_ATTRIBUTES=token=…), or one token for all services here',
    ]);
  },
);

for (const protocol of ["http/protobuf", "http/json", "grpc"]) {
  // README promise: "Secrets stay"
  test(`${protocol}: a sender's token that the backend repeats in its answer is in no message`, async (t) => {
    const act = (_, { body, type }) => {
      const [{ resource }] = flatten(decode(body, type));
      const message = `no account for "${resource.token}"`;
      return protocol === "grpc" ? { status: 16, message } : { reject: 1, message };
    };
    const backend = await startFaultServer({ protocol, act });
    t.after(() => backend.close());
    const receiving = await relay(t, { endpoint: `${backend.url}/v1/traces`, protocol, profile: "tencent" });
    for (const [service, own] of [
      ["shop", "s3cret-of-a-sender"],
      ["bank", "another-s3cret"],
    ]) {
      const attributes = Object.entries({ "service.name": service, token: own }).map(([key, stringValue]) => ({
        key,
        value: { stringValue },
      }));
      const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", name: "GET" };
      const body = { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [span] }] }] };
      const { status } = await post(receiving.url, JSON.stringify(body), { "content-type": "application/json" });
      assert.equal(status, 200);
    }
    const { stats } = await receiving.close();
    const told = JSON.stringify([stats, receiving.warnings]);
    assert.ok(told.includes("no account for"), told);
    assert.ok(!told.includes("s3cret"), told);
  });
}

const MARK = Buffer.alloc(8, 0xa5);
const PER_BODY = 500;

/** Bodies of 1 KB spans, each span in a trace of its own: the ids of a template are overwritten. */
function* bodies(count) {
  const { opentelemetry } = createRequire(new URL("../../demo/receiver.mjs", import.meta.url))(
    "@opentelemetry/otlp-transformer/build/src/generated/root",
  );
  const { ExportTraceServiceRequest } = opentelemetry.proto.collector.trace.v1;
  const text = (key, stringValue) => ({ key, value: { stringValue } });
  const span = {
    traceId: Buffer.concat([MARK, Buffer.alloc(8)]),
    spanId: Buffer.alloc(8, 1),
    name: "chat gpt-4o-mini",
    startTimeUnixNano: 1767225600000000000,
    endTimeUnixNano: 1767225601000000000,
    attributes: [
      text("gen_ai.operation.name", "chat"),
      text("gen_ai.request.model", "gpt-4o-mini"),
      text(
        "gen_ai.input.messages",
        JSON.stringify([{ role: "user", parts: [{ type: "text", content: "x".repeat(800) }] }]),
      ),
    ],
  };
  const spans = Array(PER_BODY).fill(span);
  const template = Buffer.from(
    ExportTraceServiceRequest.encode({ resourceSpans: [{ scopeSpans: [{ spans }] }] }).finish(),
  );
  const offsets = [];
  for (let at = template.indexOf(MARK); at >= 0; at = template.indexOf(MARK, at + 1)) offsets.push(at + MARK.length);
  assert.equal(offsets.length, PER_BODY);
  let number = 0n;
  for (let sent = 0; sent < count; sent += PER_BODY) {
    const body = Buffer.from(template);
    for (const at of offsets) body.writeBigUInt64BE(++number, at);
    yield body;
  }
}

/** Sends as several senders would, each of which waits and tries again when it is told to. */
async function burst(url, count) {
  const all = bodies(count);
  let busy = 0;
  const sender = async () => {
    for (const body of all) {
      while ((await post(url, body)).status !== 200) {
        busy++;
        await pause(50);
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, sender));
  return busy;
}

/** The most memory that a process ever had, in MiB. */
const peak = (pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;

test("100,000 spans into inspect: the oldest go, memory stays", async (t) => {
  const running = command(t, ["inspect", "--port", "0", "--grpc-port", "none", "--keep-bytes", "32MiB"]);
  const { url } = await running.ready;
  const before = peak(running.pid);
  const started = Date.now();
  await burst(url, 100_000);
  const seconds = (Date.now() - started) / 1000;
  const { received, kept } = await (await fetch(`${url}/api/info`)).json();
  assert.equal(received.spans, 100_000);
  assert.ok(kept.bytes <= 32 << 20 && kept.bodies > 0);
  assert.equal(kept.bodies + kept.dropped, 100_000 / PER_BODY);
  const most = peak(running.pid);
  t.diagnostic(`inspect: ${seconds.toFixed(1)} s, ${before.toFixed(0)} MiB idle, ${most.toFixed(0)} MiB at most`);
  assert.ok(most < 400, `${most} MiB`);
  const reader = await follow(url);
  assert.equal((await reader.next()).length, bodies(1).next().value.length);
  reader.close();
});

test("100,000 spans into a relay with a slow backend: none is lost, memory stays", async (t) => {
  const arrived = new Set();
  const collector = await collect(t, () => ({ afterMillis: 150 }));
  const config = file(t, { endpoint: collector.url, maxQueueBytes: 4 << 20 });
  const running = command(t, ["relay", "--config", config, "--port", "0", "--grpc-port", "none"]);
  const { url } = await running.ready;
  const before = peak(running.pid);
  const started = Date.now();
  const busy = await burst(url, 100_000);
  running.kill("SIGTERM");
  await pause(0);
  const most = peak(running.pid);
  const { status, out } = await running.ended;
  const seconds = (Date.now() - started) / 1000;
  assert.equal(status, 0);
  assert.match(out, /100000 spans/);
  assert.match(out, /otlp-0 {2}100000 sent\n/);
  for (const { body } of collector.requests) {
    for (let at = body.indexOf(MARK); at >= 0; at = body.indexOf(MARK, at + 1))
      arrived.add(body.readBigUInt64BE(at + 8));
  }
  assert.equal(arrived.size, 100_000);
  t.diagnostic(
    `relay: ${seconds.toFixed(1)} s, told to come again ${busy} times, ${before.toFixed(0)} MiB idle, ${most.toFixed(0)} MiB at most`,
  );
  assert.ok(busy > 0, "its queue was full");
  assert.ok(most < 400, `${most} MiB`);
});

/** Normal requests while somebody else behaves badly: every one has to be answered. Gives their times in ms, sorted. */
async function normal({ url, grpc: address }, count) {
  const capture = readFileSync(here("../fixtures/captures/langfuse-py-5.0.4.observations-unmarked.pb"));
  const times = [];
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    const { status, body } = await post(url, capture);
    assert.equal(status, 200, body.toString());
    times.push(performance.now() - started);
    if (i % 10 === 0) assert.equal(await call(address, capture), 0);
  }
  return times.sort((a, b) => a - b);
}

const p99 = (times) => times[Math.floor(times.length * 0.99)];

test("uploads that stall, by HTTP and by gRPC, cost others nothing, hold what they may, and are ended", async (t) => {
  const collector = await collect(t);
  const running = command(t, ["relay", "--to", collector.url, "--port", "0", "--grpc-port", "0"]);
  const { url, grpc: address } = await running.ready;
  const alone = await normal({ url, grpc: address }, 100);
  const before = peak(running.pid);
  const stalled = Array.from({ length: 4 }, () => begin(t, url, 16 << 20, (16 << 20) - 1));
  const calls = Array.from({ length: 4 }, () => beginCalls(t, address, 16, 15 << 20, (15 << 20) - 1)).flat();
  // While they still send, and once they have stopped.
  const beside = await normal({ url, grpc: address }, 300);
  const ended = await Promise.all([...stalled, ...calls].map(({ ended }) => ended));
  const most = peak(running.pid);
  t.diagnostic(
    `p99 ${p99(alone).toFixed(0)} ms alone, ${p99(beside).toFixed(0)} ms beside; ${before.toFixed(0)} MiB, then ${most.toFixed(0)} MiB at most`,
  );
  assert.ok(ended.slice(0, stalled.length).every((answer) => /^HTTP\/1.1 (408|503) /.test(answer)));
  assert.ok(
    ended.slice(stalled.length).every((code) => ["4", "8", "14"].includes(code)),
    ended.slice(4).join(),
  );
  assert.ok(most < before + 250, `${most} MiB`);
  running.kill("SIGTERM");
  assert.equal((await running.ended).status, 0);
});

test("1,100 connections that ask for nothing, or stop in the middle, keep nobody out", async (t) => {
  const collector = await collect(t);
  const running = command(t, ["relay", "--to", collector.url, "--port", "0", "--grpc-port", "0"]);
  const { url, grpc: address } = await running.ready;
  const { port } = new URL(url);
  const head = "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\n";
  const half = `${head}content-type: application/x-protobuf\r\ncontent-length: 1000\r\n\r\nhalf`;
  let open = 0;
  for (let i = 0; i < 1100; i++) {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {}).on("connect", () => open++);
    t.after(() => socket.destroy());
    socket.write(["", head, half][i % 3]);
  }
  for (let i = 0; open < 1100; i++) {
    assert.ok(i < 200, `${open} connections`);
    await pause(50);
  }
  const times = await normal({ url, grpc: address }, 100);
  t.diagnostic(`p99 ${p99(times).toFixed(0)} ms`);
  running.kill("SIGTERM");
  assert.equal((await running.ended).status, 0);
});
