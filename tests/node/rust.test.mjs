// The exporter for OpenTelemetry Rust in examples/, sending to a server.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startCollector } from "../../pkg/test/collector.mjs";

const EXPORTER = fileURLToPath(new URL("../../target/release/examples/exporter", import.meta.url));

test("the exporter for Rust: normalised, one entry, delivered when the backend answers again", async (t) => {
  const collector = await startCollector((n) => (n === 1 ? { status: 503, headers: { "retry-after": "0" } } : {}));
  t.after(() => collector.close());
  await promisify(execFile)(EXPORTER, [collector.url]);
  assert.equal(collector.requests.length, 2);
  const spans = collector.spansByRequest()[1].spans;
  assert.deepEqual(spans.map(({ name }) => name).sort(), ["answer a question", "chat"]);
  const [agent, chat] = ["answer a question", "chat"].map(
    (name) => spans.find((span) => span.name === name).attributes,
  );
  assert.deepEqual([agent["gen_ai.is_entry"], chat["gen_ai.is_entry"]], [true, undefined]);
  assert.equal(chat["gen_ai.request.model"], "gpt-4o");
  assert.deepEqual([chat["gen_ai.usage.input_tokens"], chat["gen_ai.usage.output_tokens"]].map(Number), [12, 5]);
});
