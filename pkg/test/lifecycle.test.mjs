// Flush and shutdown under load and under faults, at the end of a process, on edge handlers, and what the metrics say of it all.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { context, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { GenSpanProcessor } from "genspan";
import { startCollector } from "./collector.mjs";
import { warnings } from "./host.mjs";

async function setup(t, answer, options) {
  const collector = await startCollector(answer);
  const processor = new GenSpanProcessor({ endpoint: collector.url, scheduledDelayMillis: 60_000, ...options });
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("shop");
  t.after(async () => {
    await processor.shutdown({ timeoutMillis: 0 });
    await collector.close();
  });
  return { collector, processor, tracer };
}

/** As much of a context manager as one call needs. */
let active = ROOT_CONTEXT;
context.setGlobalContextManager({
  active: () => active,
  with(inner, call, self, ...args) {
    const outer = active;
    active = inner;
    try {
      return call.apply(self, args);
    } finally {
      active = outer;
    }
  },
  bind: (_, target) => target,
  enable: () => {},
  disable: () => {},
});

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

test("under load, a flush resolves when the backend has answered for all that ended before, and not earlier", async (t) => {
  const { collector, processor, tracer } = await setup(t, (n) => ({ afterMillis: (n * 37) % 60 }), {
    maxExportBatchSize: 50,
  });
  let ended = 0;
  let most = 0;
  let busy = true;
  const load = (async () => {
    while (busy) {
      for (let i = 0; i < 7; i++) tracer.startSpan(`s${ended++}`).end();
      most = Math.max(most, collector.requests.length - collector.answered());
      await sleep(3);
    }
  })();
  for (let flush = 0; flush < 15; flush++) {
    await sleep(10);
    const before = ended;
    await processor.forceFlush();
    const answered = new Set(collector.answeredNames());
    for (let i = 0; i < before; i++) assert.ok(answered.has(`s${i}`), `flush ${flush}: s${i} of ${before}`);
  }
  busy = false;
  await load;
  await processor.forceFlush();
  assert.equal(collector.answered(), collector.requests.length);
  assert.equal(new Set(collector.names()).size, ended);
  assert.equal(collector.names().length, ended);
  assert.ok(most > 1, "there was no load");
});

test("a flush waits no longer than it may; what it waited for is delivered all the same", async (t) => {
  const { collector, processor, tracer } = await setup(t, () => ({ afterMillis: 400 }));
  tracer.startSpan("slow").end();
  const started = Date.now();
  await processor.forceFlush({ timeoutMillis: 50 });
  assert.ok(Date.now() - started < 300, `it took ${Date.now() - started} ms`);
  assert.equal(processor.stats().destinations[0].sent, 0);
  await processor.forceFlush();
  assert.deepEqual([processor.stats().destinations[0].sent, collector.requests.length], [1, 1]);
});

test("a shutdown that gives up ends its requests and counts what they held", async (t) => {
  const said = [];
  const note = (warning) => said.push(warning.message);
  process.on("warning", note);
  t.after(() => process.off("warning", note));
  const { collector, processor, tracer } = await setup(t, () => ({ hang: true }), {
    maxExportBatchSize: 1,
    concurrencyLimit: 20,
  });
  for (let i = 0; i < 25; i++) tracer.startSpan("stuck").end();
  const started = Date.now();
  await processor.shutdown({ timeoutMillis: 300 });
  assert.ok(Date.now() - started < 2000);
  assert.equal(collector.requests.length, 20);
  const [{ droppedClosed, pending, queued }] = processor.stats().destinations;
  assert.deepEqual([droppedClosed, pending, queued], [25, 0, 25]);
  assert.deepEqual(said, [], "Node warns of what we do");
});

test("flushVia keeps the handler alive until the local root has ended and was delivered", async (t) => {
  const { collector, processor, tracer } = await setup(t);
  const waiting = [];
  const root = tracer.startSpan("root");
  const other = tracer.startSpan("of another request");
  const flushed = context.with(trace.setSpan(ROOT_CONTEXT, root), () =>
    processor.flushVia({ waitUntil: (promise) => waiting.push(promise) }),
  );
  assert.deepEqual(waiting, [flushed]);
  let done = false;
  void flushed.then(() => {
    done = true;
  });
  tracer.startSpan("child", {}, trace.setSpan(ROOT_CONTEXT, root)).end();
  await sleep(20);
  assert.deepEqual([done, collector.requests.length], [false, 0]);
  root.end();
  await flushed;
  assert.deepEqual(collector.names().sort(), ["child", "root"]);
  other.end();
});

test("flushVia without an active span waits for every local root; without any it flushes at once", async (t) => {
  const { collector, processor, tracer } = await setup(t);
  const root = tracer.startSpan("root");
  const flushed = processor.flushVia();
  root.end();
  await flushed;
  assert.deepEqual(collector.names(), ["root"]);
  await processor.flushVia();
});

test("flushVia may be called right before the root starts", async (t) => {
  const { collector, processor, tracer } = await setup(t);
  const flushed = processor.flushVia();
  const root = tracer.startSpan("root");
  await sleep(20);
  root.end();
  await flushed;
  assert.deepEqual(collector.names(), ["root"]);
});

test("flushVia never rejects: not by a dead backend, not by a host whose waitUntil throws", async () => {
  const processor = new GenSpanProcessor({ endpoint: "http://127.0.0.1:9/", flushTimeoutMillis: 50 });
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("shop");
  tracer.startSpan("lost").end();
  await processor.flushVia({
    waitUntil() {
      throw new Error("the handler has ended");
    },
  });
  await processor.shutdown({ timeoutMillis: 0 });
});

const exiting = (end) => `
  import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
  import { GenSpanProcessor } from "genspan";
  const processor = new GenSpanProcessor({ endpoint: process.env.ENDPOINT, flushOnExit: true });
  new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("shop").startSpan("last").end();
  ${end}`;

for (const [what, end, signal] of [
  ["ends by itself", "", undefined],
  ["gets SIGTERM", "setInterval(() => {}, 1000); console.log('ready');", "SIGTERM"],
]) {
  test(`flushOnExit: a process that ${what} has sent its last span`, async (t) => {
    const collector = await startCollector(() => ({ afterMillis: 100 }));
    t.after(() => collector.close());
    const child = spawn(process.execPath, ["--input-type=module", "-e", exiting(end)], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      env: { ...process.env, ENDPOINT: collector.url },
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (signal) {
      await once(child.stdout, "data");
      child.kill(signal);
    }
    const [code, by] = await once(child, "exit");
    assert.deepEqual([code, by], signal ? [null, signal] : [0, null]);
    assert.deepEqual(collector.names(), ["last"]);
    assert.equal(collector.answered(), 1);
  });
}

// README promise: "Nothing is lost that can be kept, and nothing silently"
for (const [what, order, load] of [
  ["the slow one first", ["SLOW", "QUICK"], 'await import("genspan")'],
  ["the quick one first", ["QUICK", "SLOW"], 'await import("genspan")'],
  [
    "of two copies of the package",
    ["SLOW", "QUICK"],
    '(i ? createRequire(import.meta.url)("genspan") : await import("genspan"))',
  ],
]) {
  test(`flushOnExit: at SIGTERM the process waits for all processors, ${what}`, async (t) => {
    const slow = await startCollector(() => ({ afterMillis: 800 }));
    const quick = await startCollector();
    t.after(() => Promise.all([slow.close(), quick.close()]));
    const program = `
      import { createRequire } from "node:module";
      import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
      for (const [i, name] of ${JSON.stringify(order)}.entries()) {
        const { GenSpanProcessor } = ${load};
        const processor = new GenSpanProcessor({ endpoint: process.env[name], flushOnExit: true });
        new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("shop").startSpan(name).end();
      }
      setInterval(() => {}, 1000);
      console.log("ready");`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      env: { ...process.env, SLOW: slow.url, QUICK: quick.url },
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [null, "SIGTERM"]);
    assert.deepEqual([slow.names(), quick.names()], [["SLOW"], ["QUICK"]]);
    assert.equal(slow.answered(), 1);
  });
}

test("a hook for partial success that throws is caught", async (t) => {
  const body = Buffer.from([0x0a, 0x02, 0x08, 0x01]);
  const { processor, tracer } = await setup(t, () => ({ body }), {
    onPartialSuccess() {
      throw new Error("no");
    },
  });
  tracer.startSpan("rejected").end();
  await processor.forceFlush();
  assert.equal(processor.stats().destinations[0].rejected, 1);
  assert.ok(warnings.includes("genspan: onPartialSuccess threw"));
});

test("metrics have OpenTelemetry's names for SDKs, and say what stats say", async (t) => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const rejectOne = Buffer.from([0x0a, 0x02, 0x08, 0x01]);
  const { collector, processor, tracer } = await setup(t, (n) => (n === 1 ? { body: rejectOne } : { status: 400 }), {
    name: "backend",
    maxQueueSize: 10,
    meterProvider,
  });
  for (let i = 0; i < 12; i++) tracer.startSpan("work").end();
  await processor.forceFlush();
  for (let i = 0; i < 3; i++) tracer.startSpan("work").end();
  await processor.forceFlush();
  tracer.startSpan("waits").end();
  await reader.forceFlush();
  const [{ scopeMetrics }] = exporter.getMetrics();
  const { metrics } = scopeMetrics.find(({ scope }) => scope.name === "genspan");
  const points = Object.fromEntries(metrics.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints]));
  const values = (name) => Object.fromEntries(points[name].map((p) => [p.attributes["error.type"] ?? "", p.value]));
  assert.deepEqual(values("otel.sdk.processor.span.queue.size"), { "": 1 });
  assert.deepEqual(values("otel.sdk.processor.span.queue.capacity"), { "": 10 });
  assert.deepEqual(values("otel.sdk.processor.span.processed"), { "": 13, queue_full: 2 });
  assert.deepEqual(values("otel.sdk.exporter.span.inflight"), { "": 0 });
  assert.deepEqual(values("otel.sdk.exporter.span.exported"), { "": 9, rejected: 1, refused: 3 });
  const { port } = new URL(collector.url);
  assert.deepEqual(points["otel.sdk.exporter.span.exported"][0].attributes, {
    "otel.component.type": "otlp_http_exporter",
    "otel.component.name": "otlp_http_exporter/backend",
    "server.address": "127.0.0.1",
    "server.port": Number(port),
  });
  const durations = points["otel.sdk.exporter.operation.duration"].map(({ attributes, value }) => [
    attributes["http.response.status_code"],
    attributes["error.type"],
    value.count,
  ]);
  assert.deepEqual(durations, [
    [200, undefined, 1],
    // A batch of three spans, and its parts.
    [400, "400", 5],
  ]);
  await meterProvider.shutdown();
});

test("processors that nobody has any more take no memory of the core", async () => {
  const program = `
    const { Instance } = WebAssembly;
    let memory;
    WebAssembly.Instance = function (...given) {
      const made = new Instance(...given);
      memory = made.exports.memory;
      return made;
    };
    const { GenSpanProcessor } = await import("genspan");
    for (let i = 0; i < 1000; i++) {
      new GenSpanProcessor();
      if (i % 50) continue;
      gc();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    console.log(memory.buffer.byteLength);`;
  const node = spawn(process.execPath, ["--expose-gc", "--input-type=module", "--eval", program], {
    cwd: fileURLToPath(new URL("../", import.meta.url)),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [bytes] = await once(node.stdout, "data");
  // Each takes 60 KB and more.
  assert.ok(Number(bytes) < 32 << 20, `${bytes} bytes`);
});
