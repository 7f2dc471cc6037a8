// Hosts that lack what the package stands on: without WebAssembly it warns once and does nothing, without encoders of text it takes Node's Buffer.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const PROGRAM = `
  import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
  import { GenSpanExporter, GenSpanProcessor, GenSpanPropagator, normalize } from "genspan";
  import { trace } from "genspan/edge";

  const processor = new GenSpanProcessor({ flushOnExit: true, spool: { dir: "unused" } });
  const other = new GenSpanProcessor();
  const exporter = new GenSpanExporter(other);
  const tracer = new BasicTracerProvider({ spanProcessors: [processor, other] }).getTracer("shop");
  tracer.startSpan("work").end();
  const span = tracer.startSpan("exported");
  span.end();
  const { code } = await new Promise((resolve) => exporter.export([span], resolve));
  const propagator = new GenSpanPropagator(processor);
  propagator.inject({ getValue: () => span }, {}, { set() {} });
  const traced = await trace(undefined, undefined, {}).span("job", {}, async ({ span }) => span("inner", {}, () => 7));
  for (const each of [processor, other, exporter]) {
    await each.forceFlush();
    await each.flushVia?.();
    await each.shutdown();
  }
  let thrown;
  try {
    normalize(new Uint8Array());
  } catch (error) {
    thrown = error.message;
  }
  let wrong;
  try {
    new GenSpanProcessor({ endpoint: "nowhere" });
  } catch (error) {
    wrong = error.message;
  }
  console.log(JSON.stringify({ code, traced, thrown, wrong, stats: processor.stats(), dropped: other.stats().droppedAfterStop }));
`;

function run(flags, program) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, "--input-type=module", "-e", program], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return { said: JSON.parse(stdout), warnings: stderr.split("\n").filter((line) => line.startsWith("genspan")) };
}

// README promise: "Nothing of ours breaks the host"
for (const [what, flags, before, reason] of [
  ["node --jitless", ["--jitless"], "", "WebAssembly is not defined"],
  [
    "a host that forbids to compile",
    [],
    'WebAssembly.Module = function () { throw new WebAssembly.CompileError("blocked by CSP"); };',
    "blocked by CSP",
  ],
  [
    "a host that has no memory left",
    [],
    'WebAssembly.Instance = function () { throw new RangeError("Out of memory"); };',
    "Out of memory",
  ],
]) {
  test(`${what}: one warning, and everything but normalize() does nothing`, () => {
    const imported = PROGRAM.replaceAll(/^ {2}import .*;$/gm, (line) =>
      line.replace(/import (\{.*\}) from (".*");/, "const $1 = await import($2);"),
    );
    const { said, warnings } = run(flags, before + imported);
    assert.equal(warnings.length, 1, warnings.join("\n"));
    const text = new RegExp(`^genspan: WebAssembly is not available \\(${reason}\\); .*'wasm-unsafe-eval'.*--jitless`);
    assert.match(warnings[0], text);
    assert.match(said.thrown, text);
    assert.match(said.wrong, /^genspan: endpoint: "nowhere" is not a URL/);
    assert.equal(said.traced, 7);
    assert.equal(said.code, 1);
    assert.equal(said.dropped, 3);
    assert.deepEqual(said.stats, {
      errors: 0,
      droppedAfterStop: 2,
      droppedWaiting: 0,
      droppedOversized: 0,
      droppedInHook: 0,
    });
  });
}

test("without TextEncoder and TextDecoder, texts go in and come out as they do with them", () => {
  const program = (before) => `
    ${before}
    const { explain, normalize } = await import("genspan");
    const text = "Was kostet’s in 深圳? 😀";
    const span = { traceId: "1".repeat(32), spanId: "2".repeat(16), name: text, attributes: [{ key: "gen_ai.operation.name", value: { stringValue: "chat" } }] };
    const body = Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }));
    console.log(JSON.stringify([Buffer.from(normalize(body, { serviceName: text })).toString(), explain(body)]));`;
  const { said } = run([], program("delete globalThis.TextEncoder; delete globalThis.TextDecoder;"));
  assert.deepEqual(said, run([], program("")).said);
  assert.match(JSON.stringify(said), /深圳/);
});
