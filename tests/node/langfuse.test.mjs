// The real Langfuse SDK: its processor and genspan side by side on one provider, and what arrives of its spans at one and at two backends.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startReceiver } from "../../demo/receiver.mjs";
import { runApplication } from "./program.mjs";

const TOKEN = "secret-tencent-token";

const tencent = (endpoint) => ({
  profile: "tencent",
  endpoint,
  token: TOKEN,
  serviceName: "weather",
  hostName: "10.0.0.8",
});

async function withReceivers(count, use) {
  const receivers = await Promise.all(Array.from({ length: count }, () => startReceiver()));
  try {
    return await use(...receivers);
  } finally {
    await Promise.all(receivers.map((receiver) => receiver.close()));
  }
}

const run = (options) => runApplication("sdk2/langfuse.mjs", [JSON.stringify(options)]);
const entriesOf = (spans) =>
  spans
    .filter((span) => span.attributes["gen_ai.is_entry"] === true)
    .map((span) => span.name)
    .sort();
const byName = (spans, name) => spans.find((span) => span.name === name);

for (const first of [false, true]) {
  // README promise: "No span is changed"
  // README promise: "Other processors see what they saw"
  test(`the Langfuse processor sees what it sees without genspan (genspan ${first ? "before" : "after"} it)`, () =>
    withReceivers(1, async (receiver) => {
      const without = timeless(await run({ mark: true }));
      const beside = timeless(await run({ mark: true, first, destinations: [tencent(receiver.url)] }));
      assert.equal(without.length, 5);
      assert.deepEqual(beside, without);
    }));
}

test("every span arrives, the HTTP span included, with one entry a segment", () =>
  withReceivers(1, async (receiver) => {
    const { ended } = await run({ destinations: [tencent(receiver.url)] });
    const spans = receiver.spans();
    assert.equal(ended.length, 6);
    assert.deepEqual(spans.map((span) => span.spanId).sort(), [...ended].sort());
    // 'standalone' has no parent: a segment, and a trace, of its own.
    assert.deepEqual(entriesOf(spans), ["standalone", "weather-agent"]);
    const agent = byName(spans, "weather-agent");
    const http = byName(spans, "POST /chat");
    assert.equal(agent.parentSpanId, http.spanId);
    assert.equal(http.attributes["gen_ai.span.kind"], undefined);
    const answer = byName(spans, "answer");
    assert.equal(answer.parentSpanId, agent.spanId);
    assert.equal(answer.attributes["gen_ai.span.kind"], "LLM");
    assert.deepEqual(
      ["input_tokens", "cache_read_input_tokens", "output_tokens", "reasoning_tokens", "total_tokens"].map(
        (key) => answer.attributes[`gen_ai.usage.${key}`],
      ),
      [57, 32, 17, 8, 74],
    );
    assert.equal(byName(spans, "search").attributes["gen_ai.span.kind"], "RETRIEVER");
    const tool = byName(spans, "get_weather");
    assert.equal(tool.attributes["gen_ai.span.kind"], "TOOL");
    assert.deepEqual(JSON.parse(tool.attributes["gen_ai.tool.call.arguments"]), { city: "深圳" });
    assert.deepEqual(agent.resource["host.name"], "10.0.0.8");
  }));

test("a mark in Langfuse metadata makes that span the entry, and leaves no copy", () =>
  withReceivers(1, async (receiver) => {
    await run({ mark: true, destinations: [tencent(receiver.url)] });
    const spans = receiver.spans();
    assert.deepEqual(entriesOf(spans), ["standalone", "weather-agent"]);
    const spellings = spans.flatMap((span) =>
      Object.keys(span.attributes).filter((key) => key.endsWith("is_entry") && key !== "gen_ai.is_entry"),
    );
    assert.deepEqual(spellings, []);
  }));

test("a mark of false takes the entry away", () =>
  withReceivers(1, async (receiver) => {
    await run({ mark: false, destinations: [tencent(receiver.url)] });
    const spans = receiver.spans();
    assert.deepEqual(entriesOf(spans), ["standalone"]);
    assert.deepEqual(
      spans.flatMap((span) => Object.keys(span.attributes).filter((key) => key.endsWith("is_entry"))),
      ["gen_ai.is_entry"],
    );
  }));

test("two backends: both get every span in their own form, the token goes to its own backend alone", () =>
  withReceivers(2, async (apm, other) => {
    const { ended } = await run({
      destinations: [tencent(apm.url), { profile: "otel", endpoint: other.url, headers: { "x-team": "blue" } }],
    });
    const atApm = apm.spans();
    const atOther = other.spans();
    for (const spans of [atApm, atOther]) assert.deepEqual(spans.map((span) => span.spanId).sort(), [...ended].sort());
    assert.ok(
      atApm.every(
        (span) =>
          span.resource.token === TOKEN &&
          span.resource["service.name"] === "weather" &&
          span.resource["host.name"] === "10.0.0.8",
      ),
    );
    assert.ok(other.requests.length > 0);
    for (const { body, headers, path } of other.requests) {
      assert.equal(body.includes(TOKEN), false, "the token is in the body for the other backend");
      assert.equal(JSON.stringify([headers, path]).includes(TOKEN), false);
      assert.equal(headers["x-team"], "blue");
    }
    for (const { headers } of apm.requests) assert.equal(headers["x-team"], undefined);
    assert.ok(atOther.every((span) => !("token" in span.resource)));
    assert.equal(byName(atApm, "answer").attributes["gen_ai.span.kind"], "LLM");
    assert.equal("gen_ai.span.kind" in byName(atOther, "answer").attributes, false);
    assert.equal(byName(atOther, "answer").attributes["gen_ai.operation.name"], "chat");
    assert.equal(byName(atOther, "answer").attributes["gen_ai.usage.cache_read.input_tokens"], 32);
  }));

/** What Langfuse's exporter got, in order of name; only what differs from run to run by nature is taken out. */
function timeless({ seen }) {
  for (const { attributes } of seen) {
    if ("langfuse.observation.completion_start_time" in attributes)
      attributes["langfuse.observation.completion_start_time"] = "some time";
  }
  return seen.sort((a, b) => (a.name < b.name ? -1 : 1));
}
