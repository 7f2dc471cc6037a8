// Delivery as an application sees it: forceFlush waits for what is on its way, and a backend that is slow, down or broken never reaches the
// application's code. How retries are timed is tested in the core, with made-up time.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { after, test as plainTest } from "node:test";
import { startReceiver } from "../../demo/receiver.mjs";

const require = createRequire(new URL("./sdk2/package.json", import.meta.url));
const { NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");
const { GenSpanProcessor } = require("genspan");

// What never comes back must fail, not hang.
const test = (name, check) => plainTest(name, { timeout: 60_000 }, check);

const thrown = [];
const note = (error) => thrown.push(error);
process.on("unhandledRejection", note);
process.on("uncaughtException", note);
after(() => assert.deepEqual(thrown, [], "something was thrown past the processor"));

function tracing(options) {
  const processor = new GenSpanProcessor(options);
  const provider = new NodeTracerProvider({ spanProcessors: [processor] });
  const tracer = provider.getTracer("shop");
  return {
    processor,
    work: (count) => {
      for (let i = 0; i < count; i++) tracer.startSpan(`work ${i}`).end();
    },
  };
}

const until = async (holds) => {
  for (let waited = 0; !holds(); waited += 5) {
    assert.ok(waited < 30_000, "it did not happen within 30 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

// README promise: "`forceFlush()` waits for requests in flight"
test("forceFlush waits for requests that are already on their way", async () => {
  const receiver = await startReceiver({ respond: () => ({ afterMillis: 300 }) });
  const { processor, work } = tracing({ endpoint: receiver.url, maxExportBatchSize: 4, scheduledDelayMillis: 60_000 });
  try {
    work(8);
    // Two full batches leave by themselves; the flush adds a third.
    await until(() => receiver.requests.length === 2);
    assert.equal(receiver.answered(), 0);
    work(1);
    await processor.forceFlush();
    assert.equal(receiver.answered(), receiver.requests.length);
    assert.equal(receiver.spans().length, 9);
  } finally {
    await processor.shutdown();
    await receiver.close();
  }
});

test("shutdown sends what is left and waits for the answer; spans that end later are not sent", async () => {
  const receiver = await startReceiver({ respond: () => ({ afterMillis: 200 }) });
  const { processor, work } = tracing({ endpoint: receiver.url, scheduledDelayMillis: 60_000 });
  try {
    work(3);
    await processor.shutdown();
    assert.equal(receiver.answered(), 1);
    work(1);
    await processor.forceFlush();
    await processor.shutdown();
    assert.equal(receiver.spans().length, 3);
  } finally {
    await receiver.close();
  }
});

test("a batch leaves by itself after the scheduled delay", async () => {
  const receiver = await startReceiver();
  const { processor, work } = tracing({ endpoint: receiver.url, scheduledDelayMillis: 50 });
  try {
    work(2);
    await until(() => receiver.spans().length === 2);
  } finally {
    await processor.shutdown();
    await receiver.close();
  }
});

test("gzip: what arrives is the same", async () => {
  const receiver = await startReceiver();
  const { processor, work } = tracing({ endpoint: receiver.url, compression: "gzip" });
  try {
    work(100);
    await processor.shutdown();
    assert.equal(receiver.requests[0].headers["content-encoding"], "gzip");
    assert.equal(receiver.spans().length, 100);
  } finally {
    await receiver.close();
  }
});

test("a batch that was answered 503 comes again, and once only", async () => {
  const receiver = await startReceiver({
    respond: (_, n) => (n === 0 ? { status: 503, headers: { "retry-after": "0" } } : {}),
  });
  const { processor, work } = tracing({ endpoint: receiver.url });
  try {
    work(3);
    await processor.forceFlush();
    assert.equal(receiver.requests.length, 2);
    assert.ok(receiver.requests[0].body.equals(receiver.requests[1].body));
  } finally {
    await processor.shutdown();
    await receiver.close();
  }
});

// What the receiver does, and where the spans are counted then.
const BROKEN = [
  ["answers 500", "droppedRefused", { status: 500, body: "sorry" }],
  ["answers 400", "droppedRefused", { status: 400, body: Buffer.from([0xff, 0xff, 0xff]) }],
  ["answers 200 with garbage", "sent", { status: 200, body: Buffer.from("<html>\u0000\u00ff not protobuf") }],
  ["redirects", "droppedRefused", { status: 302, headers: { location: "http://127.0.0.1:9/" } }],
  ["answers 429 for ever", "droppedDeadline", { status: 429, headers: { "retry-after": "3600" } }],
];

for (const [what, counter, answer] of BROKEN) {
  test(`a receiver that ${what} does not reach the application`, async () => {
    const receiver = await startReceiver({ respond: () => answer });
    const { processor, work } = tracing({ endpoint: receiver.url, exportTimeoutMillis: 200 });
    try {
      work(3);
      await processor.forceFlush();
      work(3);
      await processor.shutdown();
      assert.ok(receiver.requests.length >= 2);
      assert.deepEqual(fates(processor), { [counter]: 6 });
    } finally {
      await receiver.close();
    }
  });
}

/** What became of the spans, by counter. */
function fates(processor) {
  const [destination] = processor.stats().destinations;
  const counters = ["sent", "rejected", "droppedFull", "droppedRefused", "droppedDeadline", "pending"];
  return Object.fromEntries(counters.map((name) => [name, destination[name]]).filter(([, count]) => count > 0));
}

test("a receiver that is down, or hangs up, does not reach the application", async () => {
  const hangsUp = createServer((socket) => socket.destroy());
  await new Promise((resolve) => hangsUp.listen(0, "127.0.0.1", resolve));
  const { port } = hangsUp.address();
  const attempt = async () => {
    const { processor, work } = tracing({ endpoint: `http://127.0.0.1:${port}/v1/traces`, exportTimeoutMillis: 200 });
    work(3);
    await processor.forceFlush();
    await processor.shutdown();
    return fates(processor);
  };
  assert.deepEqual(await attempt(), { droppedDeadline: 3 });
  await new Promise((resolve) => hangsUp.close(resolve));
  assert.deepEqual(await attempt(), { droppedDeadline: 3 });
});

test("a receiver that never answers is given up when the request times out", async () => {
  const receiver = await startReceiver({ respond: () => ({ afterMillis: 60_000 }) });
  const { processor, work } = tracing({ endpoint: receiver.url, timeoutMillis: 100, exportTimeoutMillis: 150 });
  try {
    work(1);
    await processor.forceFlush();
    assert.equal(receiver.answered(), 0);
    await processor.shutdown();
    assert.deepEqual(fates(processor), { droppedDeadline: 1 });
  } finally {
    await receiver.close();
  }
});

// README promise: "After construction nothing throws into your code"
test("spans that are no spans are survived", async () => {
  const receiver = await startReceiver();
  const { processor, work } = tracing({ endpoint: receiver.url });
  try {
    for (const odd of [
      {},
      { attributes: null },
      { spanContext: () => ({ traceId: "x", spanId: "y", traceFlags: 1 }) },
      null,
    ]) {
      processor.onStart(odd, undefined);
      processor.onEnd(odd);
    }
    work(1);
    await processor.forceFlush();
    assert.equal(receiver.spans().length, 1);
  } finally {
    await processor.shutdown();
    await receiver.close();
  }
});
