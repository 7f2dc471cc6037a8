// The processor as an SDK drives it, with the real core and a collector on loopback.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { context, createContextKey, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { GenSpanProcessor } from "genspan";
import { startCollector } from "./collector.mjs";
import { warnings } from "./host.mjs";
import { source } from "./source.mjs";

/** A provider with the processor, a collector, and what ends them. */
async function setup(t, { answer, options = {}, resource } = {}) {
  const collector = await startCollector(answer);
  const processor = new GenSpanProcessor({ endpoint: collector.url, scheduledDelayMillis: 60_000, ...options });
  const provider = new BasicTracerProvider({ spanProcessors: [processor], ...(resource && { resource }) });
  t.after(async () => {
    await processor.shutdown();
    await collector.close();
  });
  const tracer = provider.getTracer("shop", "1.0");
  return { collector, processor, tracer, work: (name = "work") => tracer.startSpan(name).end() };
}

async function until(holds) {
  for (let i = 0; !holds(); i++) {
    assert.ok(i < 3000, "it did not happen within 30 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("a flush delivers what has ended, as OTLP protobuf", async (t) => {
  const { collector, processor, work } = await setup(t, { options: { headers: { "x-key": "k" } } });
  work("first");
  work("second");
  await processor.forceFlush();
  assert.deepEqual(collector.names(), ["first", "second"]);
  const [{ method, url, headers }] = collector.requests;
  assert.equal(`${method} ${url}`, "POST /v1/traces");
  assert.equal(headers["content-type"], "application/x-protobuf");
  assert.equal(headers["x-key"], "k");
  assert.match(headers["user-agent"], /^genspan\/\d/);
  assert.equal(headers["content-encoding"], undefined);
});

test("no key goes out twice where the source's own stay, at the first use of a key as at the tenth", async (t) => {
  const { collector, processor, tracer } = await setup(t, { options: { keep: "all" } });
  const attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "openai.chat",
    "gen_ai.response.id": "c1",
    "gen_ai.response.finish_reasons": ["tool-calls"],
    "gen_ai.usage.input_tokens": 5,
  };
  for (let i = 0; i < 10; i++) tracer.startSpan("chat", { attributes }).end();
  await processor.forceFlush();
  // The collector looks at the keys.
  const spans = collector.spans();
  assert.equal(spans.length, 10);
  for (const span of spans) {
    assert.equal(span.attributes["gen_ai.response.id"], "c1");
    assert.equal(span.attributes["gen_ai.provider.name"], "openai");
  }
});

test("gzip on request, for bodies that gain by it", async (t) => {
  const { collector, processor, work } = await setup(t, { options: { compression: "gzip" } });
  work("small");
  await processor.forceFlush();
  work("large".repeat(1000));
  await processor.forceFlush();
  assert.deepEqual(
    collector.requests.map(({ headers }) => headers["content-encoding"]),
    [undefined, "gzip"],
  );
  assert.deepEqual(collector.names(), ["small", "large".repeat(1000)]);
});

test("a flush waits for requests that were on their way before it", async (t) => {
  const { collector, processor, work } = await setup(t, {
    answer: () => ({ afterMillis: 200 }),
    options: { maxExportBatchSize: 2 },
  });
  work();
  work();
  await until(() => collector.requests.length === 1);
  assert.equal(collector.answered(), 0);
  await processor.forceFlush();
  assert.equal(collector.answered(), 1);
  assert.equal(collector.requests.length, 1);
});

test("spans leave by themselves after the scheduled delay", async (t) => {
  const { collector, work } = await setup(t, { options: { scheduledDelayMillis: 50 } });
  work("alone");
  await until(() => collector.answered() === 1);
  assert.deepEqual(collector.names(), ["alone"]);
});

test("503 is tried again when Retry-After says so", async (t) => {
  const answer = (n) => (n === 1 ? { status: 503, headers: { "retry-after": "2" } } : {});
  const { collector, processor, work } = await setup(t, { answer });
  const start = Date.now();
  work();
  await processor.forceFlush();
  assert.ok(Date.now() - start >= 1900, `after ${Date.now() - start} ms`);
  assert.equal(collector.requests.length, 2);
  assert.deepEqual(collector.requests[1].body, collector.requests[0].body);
});

test("400 is not tried again, and is said", async (t) => {
  const { collector, processor, work } = await setup(t, { answer: () => ({ status: 400 }) });
  work();
  await processor.forceFlush();
  assert.equal(collector.requests.length, 1);
  assert.ok(warnings.includes("genspan: destination otlp-0: HTTP status 400"), warnings.join("\n"));
});

test("what a backend rejects of a batch is counted", async (t) => {
  // ExportTraceServiceResponse { partial_success { rejected_spans: 2, error_message: "no" } }
  const body = Buffer.from([0x0a, 6, 0x08, 2, 0x12, 2, 0x6e, 0x6f]);
  const { collector, processor, work } = await setup(t, { answer: () => ({ body }) });
  for (let i = 0; i < 3; i++) work();
  await processor.forceFlush();
  assert.equal(collector.requests.length, 1);
  assert.equal(processor.stats().destinations[0].rejected, 2);
});

test("a redirect is not followed with the headers", async (t) => {
  const other = await startCollector();
  t.after(() => other.close());
  const { collector, processor, work } = await setup(t, {
    answer: () => ({ status: 307, headers: { location: other.url } }),
    options: { headers: { authorization: "secret" } },
  });
  work();
  await processor.forceFlush();
  assert.equal(collector.requests.length, 1);
  assert.equal(other.requests.length, 0);
});

test("a flush resolves when nobody listens, and spans are given up after the export timeout", async (t) => {
  const { collector, processor, work } = await setup(t, { options: { exportTimeoutMillis: 300 } });
  await collector.close();
  t.mock.method(collector, "close", async () => {});
  work();
  await processor.forceFlush();
  assert.ok(warnings.includes("genspan: destination otlp-0: request failed: ECONNREFUSED"), warnings.join("\n"));
  assert.equal(processor.stats().destinations[0].droppedDeadline, 1);
  assert.equal(processor.stats().errors, 0);
});

test("a request that hangs is aborted", async (t) => {
  const { collector, processor, work } = await setup(t, {
    answer: (n) => ({ hang: n === 1 }),
    options: { timeoutMillis: 100 },
  });
  work();
  await processor.forceFlush();
  assert.equal(collector.requests.length, 2);
  assert.deepEqual(collector.names(), ["work", "work"]);
  assert.ok(
    warnings.some((line) => line.endsWith("timed out after 100 ms")),
    warnings.join("\n"),
  );
});

test("unsampled spans are left out, as the batch processor does", async (t) => {
  const { collector, processor, tracer, work } = await setup(t);
  const unsampled = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 0 };
  const span = tracer.startSpan("sampled");
  const ghost = new Proxy(span, {
    get: (target, key) => (key === "spanContext" ? () => unsampled : Reflect.get(target, key, target)),
  });
  processor.onStart(ghost, ROOT_CONTEXT);
  processor.onEnd(ghost);
  work("other");
  await processor.forceFlush();
  assert.deepEqual(collector.names(), ["other"]);
});

test("after shutdown spans are dropped and counted", async (t) => {
  const { collector, processor, tracer, work } = await setup(t);
  const late = tracer.startSpan("late");
  work("in time");
  const closing = processor.shutdown();
  late.end();
  await closing;
  work("later still");
  await processor.forceFlush();
  await processor.shutdown();
  assert.deepEqual(collector.names(), ["in time"]);
  assert.equal(processor.stats().droppedAfterStop, 2);
});

test("spans wait for the resource's asynchronous attributes", async (t) => {
  let tell;
  const detected = new Promise((resolve) => {
    tell = resolve;
  });
  const resource = resourceFromAttributes({ "service.name": "shop", "cloud.region": detected });
  const { collector, processor, work } = await setup(t, { resource, options: { maxQueueSize: 2 } });
  work("a");
  work("b");
  work("no room");
  const flushed = processor.forceFlush();
  tell("ap-guangzhou");
  await flushed;
  work("c");
  await processor.forceFlush();
  assert.deepEqual(collector.names(), ["a", "b", "c"]);
  assert.equal(processor.stats().droppedWaiting, 1);
  for (const { resource } of collector.spans()) assert.equal(resource["cloud.region"], "ap-guangzhou");
});

test("a span that cannot be read is counted, the next one goes out", async (t) => {
  const { collector, processor, tracer, work } = await setup(t);
  const span = tracer.startSpan("bad");
  span.setAttribute("x", 1);
  Object.defineProperty(span.attributes, "y", {
    enumerable: true,
    get() {
      throw new Error("no");
    },
  });
  span.end();
  work("good");
  await processor.forceFlush();
  assert.deepEqual(collector.names(), ["good"]);
  assert.equal(processor.stats().errors, 1);
  assert.ok(warnings.includes("genspan: onEnd: no"), warnings.join("\n"));
});

test("a span too large to send is counted, the next one goes out", async (t) => {
  const { collector, processor, tracer, work } = await setup(t);
  tracer.startSpan("huge", { attributes: { text: "x".repeat(40 << 20) } }).end();
  work("good");
  await processor.forceFlush();
  assert.deepEqual(collector.names(), ["good"]);
  assert.equal(processor.stats().droppedOversized, 1);
});

// README promise: "Nothing of ours breaks the host"
test("a service name of the environment that the profile does not take is ignored; one of the options throws", async (t) => {
  t.after(() => {
    delete process.env.OTEL_SERVICE_NAME;
    delete process.env.OTEL_RESOURCE_ATTRIBUTES;
  });
  process.env.OTEL_SERVICE_NAME = "My App";
  process.env.OTEL_RESOURCE_ATTRIBUTES = "token=t";
  warnings.length = 0;
  const { collector, processor, work } = await setup(t, { options: { profile: "tencent" } });
  work();
  await processor.forceFlush();
  assert.equal(collector.spans()[0].resource.token, "t");
  assert.equal(warnings.length, 1, warnings);
  assert.match(
    warnings[0],
    /^genspan: serviceName: "My App" is not a name that profile tencent takes; use .*; OTEL_SERVICE_NAME is ignored$/,
  );
  const wrong = { profile: "tencent", serviceName: "My App" };
  assert.throws(() => new GenSpanProcessor(wrong), /serviceName: "My App" is not a name that profile tencent takes/);
  process.env.OTEL_RESOURCE_ATTRIBUTES = "token=%0A";
  assert.throws(() => new GenSpanProcessor({ profile: "tencent" }), /serviceName: "My App"/);
});

// README promise: "Nothing is lost that can be kept, and nothing silently"
test("spans that end while another one is read arrive, and so does that one", async (t) => {
  const { collector, processor, tracer, work } = await setup(t);
  const inner = tracer.startSpan("inner");
  const getter = {
    get "gen_ai.request.model"() {
      work("started and ended inside");
      inner.end();
      return "m";
    },
  };
  const outer = ended({ name: "outer", attributes: { "gen_ai.operation.name": "chat" } });
  Object.defineProperties(outer.attributes, Object.getOwnPropertyDescriptors(getter));
  processor.onStart(outer);
  processor.onEnd(outer);
  const state = {
    serialize() {
      work("of the trace state");
      return "a=1";
    },
  };
  const stated = ended({ name: "stated", traceState: state });
  processor.onStart(stated);
  processor.onEnd(stated);
  await processor.forceFlush();
  const names = ["inner", "of the trace state", "outer", "started and ended inside", "stated"];
  assert.deepEqual([...new Set(collector.names())].sort(), names);
  assert.equal(collector.spans().find(({ name }) => name === "outer").attributes["gen_ai.request.model"], "m");
  assert.deepEqual([processor.stats().unparsed, processor.stats().errors], [0, 0]);
});

test("a span whose reading ends another such span, and so on, does not hold the application up", async (t) => {
  const { processor, work } = await setup(t);
  let made = 0;
  const another = () => {
    made++;
    return Object.defineProperty(ended({ name: "another" }), "attributes", {
      get() {
        processor.onEnd(another());
        processor.onEnd(another());
        return {};
      },
    });
  };
  processor.onEnd(another());
  work("after");
  await processor.forceFlush();
  const { seen } = processor.stats();
  assert.ok(made < 100_000, `${made} were read`);
  assert.equal(seen, made + 1);
});

test("a span that throws when it is read counts under errors and as seen; others of its scope arrive", async (t) => {
  const { collector, processor, work } = await setup(t);
  const thrower = () => {
    throw new Error("no");
  };
  const proxy = new Proxy({}, { ownKeys: thrower });
  const faulty = [
    ended({ name: "getter", attributes: Object.defineProperty({}, "a", { enumerable: true, get: thrower }) }),
    ended({ name: "proxy", attributes: proxy }),
    { ...ended({}), spanContext: thrower },
    ended({ name: "event", events: [null] }),
  ];
  for (const span of faulty) processor.onEnd(span);
  processor.onEnd(ended({ name: undefined }));
  const scope = { name: "big", attributes: { version: 2n, again: [1n] } };
  const circle = { name: "circle", attributes: {} };
  circle.attributes.self = circle.attributes;
  for (const instrumentationScope of [scope, scope, { ...scope }, circle])
    processor.onEnd(ended({ name: "of a scope", instrumentationScope }));
  work("good");
  await processor.forceFlush();
  assert.deepEqual(collector.names().sort(), ["", ...Array(4).fill("of a scope"), "good"].sort());
  const { seen, errors, destinations } = processor.stats();
  assert.deepEqual([seen, errors, destinations[0].sent], [10, 4, 6]);
});

/** A span as an SDK gives it, with what is said of it. */
function ended({ traceState, ...span }) {
  const spanContext = {
    traceId: randomBytes(16).toString("hex"),
    spanId: randomBytes(8).toString("hex"),
    traceFlags: 1,
    traceState,
  };
  const plain = {
    kind: 0,
    startTime: [1, 0],
    endTime: [2, 0],
    status: { code: 0 },
    resource: RESOURCE,
    attributes: {},
    events: [],
    links: [],
  };
  return { name: "span", ...plain, ...span, spanContext: () => spanContext };
}
const RESOURCE = { attributes: { "service.name": "shop" } };

test("the processor's own requests are not traced", async (t) => {
  const suppressed = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
  let active = ROOT_CONTEXT;
  context.setGlobalContextManager({
    active: () => active,
    with(next, call, self, ...args) {
      const before = active;
      active = next;
      try {
        return call.apply(self, args);
      } finally {
        active = before;
      }
    },
    bind: (_, target) => target,
    enable() {
      return this;
    },
    disable() {
      return this;
    },
  });
  t.after(() => context.disable());
  const { fetch } = globalThis;
  const seen = [];
  const instrumented = () => assert.fail("the instrumented fetch was called");
  instrumented.__original = (...args) => {
    seen.push(context.active().getValue(suppressed));
    return fetch(...args);
  };
  globalThis.fetch = instrumented;
  t.after(() => {
    globalThis.fetch = fetch;
  });
  const { collector, processor, work } = await setup(t);
  work();
  await processor.forceFlush();
  assert.deepEqual(seen, [true]);
  assert.equal(collector.requests.length, 1);
});

test("a remote parent is told as such, and what its baggage says about the segment", async () => {
  const { insideSegment, remoteParent } = await source("otel");
  const remote = {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    traceFlags: 1,
    isRemote: true,
  };
  const parentContext = trace.setSpanContext(ROOT_CONTEXT, remote);
  const of1 = { parentSpanId: remote.spanId };
  const of2 = { parentSpanContext: remote };
  assert.equal(remoteParent(of1, parentContext).spanId, remote.spanId);
  assert.equal(remoteParent(of2, undefined).spanId, remote.spanId);
  assert.equal(remoteParent({ parentSpanContext: { ...remote, isRemote: false } }, parentContext), undefined);
  assert.equal(remoteParent({ parentSpanId: "00f067aa0ba902b7" }, parentContext), undefined);
  assert.equal(remoteParent({}, parentContext), undefined);

  const claim = (value) =>
    propagation.setBaggage(parentContext, propagation.createBaggage({ langfuse_trace_id: { value } }));
  assert.equal(insideSegment(remote, parentContext), undefined);
  assert.equal(insideSegment(remote, claim(remote.traceId)), "");
  assert.equal(insideSegment(remote, claim("another")), undefined);
  const traceState = { get: (key) => ({ genspan: "llm" })[key], serialize: () => "genspan=llm" };
  assert.equal(insideSegment({ ...remote, traceState }, parentContext), "");
});

test("what the core refuses throws at construction, without secrets", () => {
  assert.throws(
    () => new GenSpanProcessor({ profile: "tencent", serviceName: "shop", hostName: "h" }),
    /^Error: genspan: token: is missing/,
  );
  assert.throws(() => new GenSpanProcessor({ profile: "tencnet" }), /^Error: genspan: .*profile.*tencnet/);
});

test("OTEL_SDK_DISABLED makes it do nothing", async (t) => {
  process.env.OTEL_SDK_DISABLED = "true";
  t.after(() => delete process.env.OTEL_SDK_DISABLED);
  const { collector, processor, work } = await setup(t);
  work();
  await processor.forceFlush();
  assert.equal(collector.requests.length, 0);
  assert.equal(processor.stats().errors, 0);
});

test("require gives the same package", () => {
  const required = createRequire(import.meta.url)("genspan");
  assert.deepEqual(
    Object.keys(required)
      .filter((name) => name !== "module.exports")
      .toSorted(),
    [
      "GenSpanExporter",
      "GenSpanProcessor",
      "GenSpanPropagator",
      "convert",
      "explain",
      "initSync",
      "normalize",
      "transcode",
      "version",
    ],
  );
  assert.match(required.version(), /^\d+\.\d+\.\d+$/);
});

const runProgram = async (flush, url) => {
  const program = `
    import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
    import { GenSpanProcessor } from "genspan";
    const processor = new GenSpanProcessor({ endpoint: process.argv[1], scheduledDelayMillis: 60000 });
    new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("t").startSpan("s").end();
    if (${flush}) await processor.forceFlush();
    console.log("end of program");`;
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  return promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program, url], {
    cwd,
    timeout: 20_000,
  });
};

test("a waiting batch keeps no process alive", async () => {
  assert.equal((await runProgram(false, "http://127.0.0.1:9/v1/traces")).stdout, "end of program\n");
});

test("an awaited flush does, through the pause before a retry", async (t) => {
  const collector = await startCollector((n) => (n === 1 ? { status: 503, headers: { "retry-after": "1" } } : {}));
  t.after(() => collector.close());
  assert.equal((await runProgram(true, collector.url)).stdout, "end of program\n");
  assert.equal(collector.requests.length, 2);
});

test("100,000 traces whose roots never end stay within the bounds", async (t) => {
  let sent = 0;
  const collector = await startCollector();
  const processor = new GenSpanProcessor({
    endpoint: collector.url,
    maxQueueSize: 200_000,
    entry: { maxSpans: 20_000, maxHeld: 500 },
    // Only what is decided goes out: the figure is that of what waits.
    filter: (span) => {
      if (span.ended) sent++;
      return false;
    },
  });
  t.after(async () => {
    await processor.shutdown();
    await collector.close();
  });
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  const [http, agent] = [provider.getTracer("http"), provider.getTracer("langfuse-sdk")];
  const open = [];
  const before = process.memoryUsage();
  for (let i = 0; i < 100_000; i++) {
    const root = http.startSpan("POST", {}, ROOT_CONTEXT);
    // The application holds its spans, as one that never ends them does; that memory is its own.
    open.push(root.spanContext().traceId);
    agent.startSpan("agent", { attributes: { note: "x".repeat(200) } }, trace.setSpan(ROOT_CONTEXT, root)).end();
  }
  const { tracked, held, holdOverflow, tracesEvicted } = processor.stats();
  const { external, arrayBuffers } = process.memoryUsage();
  const grown = (external + arrayBuffers - before.external - before.arrayBuffers) / 2 ** 20;
  t.diagnostic(
    `${open.length} traces: ${tracked} spans remembered, ${held} candidates held, ${grown.toFixed(1)} MiB more in the core`,
  );
  assert.ok(tracked <= 20_000 && held <= 500, `${tracked} ${held}`);
  assert.equal(held + holdOverflow, 100_000);
  assert.ok(tracesEvicted >= 90_000 && sent === 100_000);
  assert.ok(grown < 32, `${grown} MiB`);
});

// README promise: "Nothing is lost that can be kept, and nothing silently"
test("every span leaves with its resource and its scope, however many there are", async (t) => {
  const { collector, processor } = await setup(t, { options: { maxQueueSize: 40_000, maxExportBatchSize: 4_000 } });
  const span = (i, resource, instrumentationScope) => ({
    name: String(i),
    kind: 0,
    spanContext: () => ({
      traceId: i.toString(16).padStart(32, "1"),
      spanId: i.toString(16).padStart(16, "1"),
      traceFlags: 1,
    }),
    startTime: [1_700_000_000, 0],
    endTime: [1_700_000_001, 0],
    status: { code: 0 },
    attributes: {},
    events: [],
    links: [],
    resource,
    instrumentationScope,
  });
  const end = (given) => {
    processor.onStart(given);
    processor.onEnd(given);
  };
  const named = (name) => ({ attributes: { "service.name": name } });
  const first = [named("shop-0"), { name: "ai", version: "0" }];
  // Equal ones in objects of their own; then ones of their own, more than are remembered; then the first again.
  for (let i = 0; i < 10_100; i++) end(span(i, named("shop-0"), { name: "ai", version: "0", attributes: { n: 1n } }));
  await processor.forceFlush();
  for (let i = 10_100; i < 30_300; i++) {
    end(span(i, named(`shop-${i}`), { name: "ai", version: String(i) }));
    if (i % 4_000 === 0) await processor.forceFlush();
  }
  for (let i = 30_300; i < 30_400; i++) end(span(i, ...first));
  await processor.forceFlush();
  const spans = collector.spans();
  assert.equal(spans.length, 30_400);
  for (const { name, resource, scope } of spans) {
    const own = Number(name) >= 10_100 && Number(name) < 30_300 ? name : "0";
    assert.deepEqual([resource["service.name"], scope.version], [`shop-${own}`, own], name);
  }
  const { errors, unparsed, seen } = processor.stats();
  assert.deepEqual([errors, unparsed, seen], [0, 0, 30_400]);
});

test("what an instrumentation says right after it started a span counts while the span runs", async (t) => {
  const { collector, processor } = await setup(t);
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  const tracer = provider.getTracer("langfuse-sdk");
  const judge = tracer.startSpan("judge");
  judge.setAttribute("langfuse.observation.type", "evaluator");
  const inside = trace.setSpan(ROOT_CONTEXT, judge);
  tracer.startSpan("chat", { attributes: { "langfuse.observation.type": "generation" } }, inside).end();
  judge.end();
  await processor.forceFlush();
  const isEntry = ({ attributes }) => attributes["gen_ai.is_entry"] === true;
  assert.deepEqual(
    collector
      .spans()
      .filter(isEntry)
      .map(({ name }) => name),
    ["chat"],
  );
});

test("a listing of models is no entry, and the call that was made below it is", async (t) => {
  const { collector, processor, tracer } = await setup(t);
  const listing = tracer.startSpan("anthropic.models.list", { attributes: { "gen_ai.provider.name": "anthropic" } });
  const inside = trace.setSpan(ROOT_CONTEXT, listing);
  assert.equal(processor.segment(listing.spanContext()), listing.spanContext().spanId);
  tracer.startSpan("chat m", { attributes: { "gen_ai.operation.name": "chat" } }, inside).end();
  listing.end();
  await processor.forceFlush();
  const attributes = (name) => collector.spans().find((span) => span.name === name).attributes;
  assert.deepEqual(attributes("anthropic.models.list"), { "gen_ai.provider.name": "anthropic" });
  assert.equal(attributes("chat m")["gen_ai.is_entry"], true);
});
