// The end of the application's stack, and traps of the module: what they cost, what goes on, and what is said of them.
// README promise: "Nothing of ours breaks the host"
import assert from "node:assert/strict";
import { test } from "node:test";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { startCollector } from "./collector.mjs";
import { warnings } from "./host.mjs";
import { instances, trap, trapIn } from "./traps.mjs";

const { GenSpanProcessor, normalize } = await import("genspan");

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

async function setup(t, options, answer) {
  warnings.length = 0;
  const collector = await startCollector(answer);
  const processor = new GenSpanProcessor({ endpoint: collector.url, scheduledDelayMillis: 60_000, ...options });
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("shop");
  t.after(async () => {
    trapIn(undefined);
    await processor.shutdown({ timeoutMillis: 0 });
    await collector.close();
  });
  return { collector, processor, tracer, work: (name) => tracer.startSpan(name).end() };
}

/** At any time, what a destination took is somewhere. */
function balanced({ destinations }) {
  for (const d of destinations) {
    const dropped = Object.entries(d).filter(([name]) => name.startsWith("dropped"));
    const out = dropped.reduce((sum, [, count]) => sum + count, d.sent + d.rejected + d.spooled + d.pending);
    assert.equal(d.queued + d.restored, out, JSON.stringify(d));
  }
}

/** Calls `work` at each depth of the stack from its end up, as an application does whose recursion never ends. */
function endless(work) {
  const deeper = () => {
    try {
      deeper();
    } finally {
      try {
        work();
      } catch (error) {
        assert.ok(error instanceof RangeError, error);
      }
    }
  };
  assert.throws(deeper, RangeError);
}

/** What takes most of the stack in the core: containers in containers, in JSON and as they are. */
function nested(depth) {
  const json = `${'{"a":['.repeat(depth)}1${"]}".repeat(depth)}`;
  let value = 1;
  for (let i = 0; i < depth; i++) value = { a: [value] };
  return {
    "gen_ai.operation.name": "chat",
    "gen_ai.input.messages": json,
    "langfuse.observation.input": json,
    "input.value": JSON.stringify([{ role: "user", content: JSON.parse(json) }]),
    nested: value,
  };
}

test("a stack overflow of the application costs the spans for which there was no room, and no instance", async (t) => {
  const { collector, processor, tracer, work } = await setup(t);
  const made = instances.length;
  work("before");
  const attributes = nested(30);
  let ended = 0;
  endless(() => {
    const span = tracer.startSpan("deep", { attributes });
    span.end();
    ended++;
  });
  for (let i = 0; i < 3; i++) work("after");
  await processor.forceFlush();
  const { seen, errors, droppedAfterStop, unparsed } = processor.stats();
  assert.equal(instances.length, made, "an instance was lost");
  const names = collector.names();
  assert.equal(names.filter((name) => name === "before").length, 1);
  assert.equal(names.filter((name) => name === "after").length, 3);
  assert.ok(errors > 0, "no call met the end of the stack");
  assert.ok(names.filter((name) => name === "deep").length > 100, "nothing was traced above it");
  assert.equal(unparsed, 0);
  assert.equal(droppedAfterStop, 0);
  assert.ok(seen >= ended + 4, `${seen} of ${ended + 4} spans are counted`);
  assert.equal(
    warnings.filter((warning) => /Maximum call stack size exceeded/.test(warning)).length > 0,
    true,
    warnings,
  );
  balanced(processor.stats());
  assert.ok(normalize(new Uint8Array()));
  await new GenSpanProcessor().shutdown();
});

for (const call of ["gs_start", "gs_end", "gs_poll", "gs_wake", "gs_flush", "gs_scope", "gs_reserve"]) {
  test(`a trap in ${call} costs what the instance held: it is counted, and the cause is told once`, async (t) => {
    const { collector, processor, work } = await setup(t);
    work("sent");
    await processor.forceFlush();
    work("held");
    const { calls } = instances.at(-1);
    trapIn(call);
    work("at fault");
    if (trap()) await processor.forceFlush();
    if (trap()) {
      new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("other").startSpan("x".repeat(100_000)).end();
    }
    assert.equal(trap(), undefined, "there was no trap");
    for (let i = 0; i < 3; i++) work("after");
    await processor.forceFlush();
    assert.deepEqual(calls, [], "the broken instance was called again");
    assert.equal(collector.names().filter((name) => name === "after").length, 3);
    assert.ok(collector.names().includes("sent"));
    const stats = processor.stats();
    const arrived = new Set(collector.names());
    assert.ok(stats.destinations[0].droppedFault >= [..."12"].length - arrived.has("held") - arrived.has("at fault"));
    assert.equal(stats.errors, 1);
    balanced(stats);
    assert.equal(warnings.filter((warning) => /unreachable/.test(warning)).length, 1, warnings);
    assert.match(warnings.join("\n"), /internal fault \(.*: unreachable\) lost up to \d+ spans; tracing continues/);
  });
}

test("batches on their way when a trap happens are counted by their answer", async (t) => {
  const { collector, processor, work } = await setup(t, { maxExportBatchSize: 2 }, () => ({ afterMillis: 300 }));
  for (let i = 0; i < 4; i++) work("on its way");
  for (let i = 0; i < 100 && collector.requests.length < 2; i++) await sleep(10);
  trapIn("gs_end");
  work("at fault");
  work("after");
  const { destinations } = processor.stats();
  assert.deepEqual([destinations[0].pending, destinations[0].droppedFault], [5, 1]);
  await processor.forceFlush();
  const after = processor.stats();
  assert.deepEqual([after.destinations[0].sent, after.destinations[0].pending], [5, 0]);
  assert.equal(collector.names().length, 5);
  balanced(after);
});

test("a flush that waits when a trap happens resolves, and so do flush and shutdown afterwards", async (t) => {
  const { processor, work } = await setup(t, {}, () => ({ afterMillis: 200 }));
  work("on its way");
  const flushed = processor.forceFlush({ timeoutMillis: 10_000 });
  await sleep(50);
  trapIn("gs_end");
  work("at fault");
  await flushed;
  await processor.shutdown();
  balanced(processor.stats());
});

test("a trap in one processor costs another one what it held in the same instance, and no more", async (t) => {
  const one = await setup(t);
  const two = await setup(t);
  two.work("held");
  trapIn("gs_end");
  one.work("at fault");
  two.work("after");
  one.work("after");
  await Promise.all([one.processor.forceFlush(), two.processor.forceFlush()]);
  assert.deepEqual([one.collector.names(), two.collector.names()], [["after"], ["after"]]);
  assert.equal(two.processor.stats().destinations[0].droppedFault, 1);
  assert.equal(two.processor.stats().errors, 0);
  for (const { processor } of [one, two]) balanced(processor.stats());
});

test("what breaks again and again with nothing in it stops, and says so", async (t) => {
  const { processor, work } = await setup(t);
  work("held");
  let traps = 0;
  for (let i = 0; i < 50 && !warnings.some((warning) => /stopped/.test(warning)); i++) {
    trapIn("gs_poll");
    await processor.forceFlush();
    traps++;
  }
  assert.ok(traps < 50, warnings.join("\n"));
  work("after");
  await processor.shutdown();
  assert.ok(processor.stats().droppedAfterStop > 0);
});

test("an instance that has grown is replaced when nothing needs it any more", async (t) => {
  const { collector, processor, tracer, work } = await setup(t, { entry: { holdMillis: 0 }, scheduledDelayMillis: 0 });
  const attributes = { "gen_ai.operation.name": "chat", "gen_ai.input.messages": "x".repeat(2 << 20) };
  const root = tracer.startSpan("long");
  for (let i = 0; i < 40; i++) tracer.startSpan("large", { attributes }).end();
  const { memory } = instances.at(-1);
  const made = instances.length;
  assert.ok(memory.buffer.byteLength > 64 << 20, `${memory.buffer.byteLength} bytes`);
  await processor.forceFlush();
  await sleep(1500);
  assert.equal(instances.length, made, "it was replaced under a span that runs");
  root.end();
  for (let i = 0; i < 50 && instances.length === made; i++) await sleep(100);
  assert.equal(instances.length, made + 1);
  work("after");
  await processor.forceFlush();
  assert.equal(collector.names().length, 42);
  const { seen, errors, destinations } = processor.stats();
  assert.deepEqual([seen, errors, destinations[0].sent, destinations[0].droppedFault], [42, 0, 42, 0]);
  assert.ok(instances.at(-1).memory.buffer.byteLength < 16 << 20);
  assert.deepEqual(warnings, []);
});

test("maxIdleMemoryBytes says how large an instance may stay", async (t) => {
  const options = { entry: { holdMillis: 0 }, scheduledDelayMillis: 0, maxIdleMemoryBytes: 16 << 20 };
  const { processor, tracer } = await setup(t, options);
  const attributes = { "gen_ai.operation.name": "chat", "gen_ai.input.messages": "x".repeat(2 << 20) };
  for (let i = 0; i < 8; i++) tracer.startSpan("large", { attributes }).end();
  const made = instances.length;
  const size = instances.at(-1).memory.buffer.byteLength;
  assert.ok(size > 16 << 20 && size < 64 << 20, `${size} bytes`);
  await processor.forceFlush();
  for (let i = 0; i < 50 && instances.length === made; i++) await sleep(100);
  assert.equal(instances.length, made + 1);
});

test("normalize() gives memory back that one body needed", () => {
  const made = instances.length;
  const span = { traceId: "1".repeat(32), spanId: "2".repeat(16), name: "x".repeat(30 << 20) };
  normalize(Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })));
  assert.ok(instances.at(-1).memory.buffer.byteLength > 64 << 20);
  normalize(new Uint8Array());
  assert.ok(instances.length > made);
  assert.ok(instances.at(-1).memory.buffer.byteLength < 16 << 20);
});
