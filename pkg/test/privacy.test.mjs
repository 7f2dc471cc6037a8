// What leaves of content, as an application sets it up: rules, media, the hooks, and what happens when they fail.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { convert, explain, GenSpanProcessor } from "genspan";
import { startCollector } from "./collector.mjs";
import { warnings } from "./host.mjs";

/** The attributes that arrive of one LLM span with these, and the processor's statistics. */
async function sent(t, options, attributes, during = () => {}) {
  const collector = await startCollector();
  t.after(() => collector.close());
  const processor = new GenSpanProcessor({ endpoint: collector.url, ...options });
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  const tracer = provider.getTracer("app");
  during({ processor, tracer });
  tracer.startSpan("chat", { attributes: { "gen_ai.operation.name": "chat", ...attributes } }).end();
  await processor.forceFlush();
  const stats = processor.stats();
  await processor.shutdown();
  return { stats, attributes: collector.spans()[0].attributes, raw: collector.requests[0].body };
}

const messages = (...contents) =>
  JSON.stringify([{ role: "user", parts: contents.map((content) => ({ type: "text", content })) }]);

test("rules mask inside messages, with a RegExp too", async (t) => {
  const privacy = { mask: [{ detect: ["email"] }, { pattern: /order \d+/gi, replacement: "order #" }] };
  const { attributes, stats } = await sent(
    t,
    { privacy },
    {
      "gen_ai.input.messages": messages("I am ada@example.com", "Order 1234 and 深圳"),
      "gen_ai.request.model": "gpt-4o-mini",
    },
  );
  assert.equal(attributes["gen_ai.input.messages"], messages("I am <email>", "order # and 深圳"));
  assert.equal(attributes["gen_ai.request.model"], "gpt-4o-mini");
  assert.equal(stats.masked, 1);
  assert.equal(stats.maskFailed, 0);
});

test("the hook gets each text and its key", async (t) => {
  const seen = [];
  const mask = (value, key) => {
    seen.push([value, key]);
    return value.replaceAll("secret", "▇");
  };
  const { attributes, stats } = await sent(
    t,
    { mask },
    {
      "gen_ai.input.messages": messages('a "secret" 😀', "plain"),
      note: "secret too",
    },
  );
  assert.deepEqual(seen.sort(), [
    ['a "secret" 😀', "gen_ai.input.messages"],
    ["plain", "gen_ai.input.messages"],
    ["secret too", "note"],
  ]);
  assert.equal(attributes["gen_ai.input.messages"], messages('a "▇" 😀', "plain"));
  assert.equal(attributes.note, "▇ too");
  assert.equal(stats.masked, 2);
});

for (const [what, mask] of Object.entries({
  throws: (value) => {
    throw new Error(`cannot mask ${value}`);
  },
  "gives a promise": async (value) => value,
  "gives a promise that is rejected": async (value) => {
    throw new Error(`cannot mask ${value}`);
  },
  "gives nothing": () => undefined,
})) {
  test(`a hook that ${what} fails closed, and the host does not see it`, async (t) => {
    warnings.length = 0;
    const { attributes, stats, raw } = await sent(
      t,
      { mask },
      {
        "gen_ai.input.messages": messages("my secret"),
      },
    );
    assert.equal(attributes["gen_ai.input.messages"], messages("<masked: the hook failed>"));
    assert.ok(!raw.includes("secret"));
    assert.equal(stats.maskFailed, 1);
    assert.equal(stats.errors, 0);
    assert.deepEqual(warnings, ["genspan: the hook mask failed; its input was masked"]);
  });
}

test("a hook may trace and flush: its spans are dropped and counted, the others arrive", async (t) => {
  let inside;
  const during = (given) => {
    inside = given;
  };
  const mask = (value) => {
    inside.tracer.startSpan("inner").end();
    void inside.processor.forceFlush();
    assert.ok(inside.processor.stats());
    assert.throws(() => convert(new Uint8Array()), /a hook cannot call/);
    return value.toUpperCase();
  };
  const { attributes, stats } = await sent(t, { mask }, { note: "x" }, during);
  assert.equal(attributes.note, "X");
  assert.equal(stats.droppedInHook, 1);
  assert.equal(stats.errors, 0);
});

test("media go to the hook, or are described", async (t) => {
  const base64 = Buffer.from("hello").toString("base64");
  const attributes = { note: `see data:image/png;base64,${base64}!` };
  const described = await sent(t, { privacy: { media: "describe" } }, attributes);
  assert.equal(described.attributes.note, "see [image/png 5 B sha256:2cf24dba5fb0a30e…]!");
  assert.equal(described.stats.mediaReplaced, 1);
  const seen = [];
  const onMedia = (media) => {
    seen.push(media);
    return "https://media.example/1";
  };
  const kept = await sent(t, { onMedia }, attributes);
  assert.equal(kept.attributes.note, "see https://media.example/1!");
  assert.deepEqual(seen, [{ type: "image/png", base64, key: "note" }]);
  const failed = await sent(
    t,
    {
      onMedia: () => {
        throw new Error("full");
      },
    },
    attributes,
  );
  assert.equal(failed.attributes.note, "see <masked: the hook failed>!");
  assert.equal(failed.stats.maskFailed, 1);
});

test("the hook for media leaves the rules in force at every destination", async (t) => {
  const collector = await startCollector();
  t.after(() => collector.close());
  const privacy = { mask: [{ detect: ["email"] }] };
  const destinations = [{ endpoint: collector.url }];
  const processor = new GenSpanProcessor({ destinations, privacy, onMedia: () => "gone" });
  const attributes = { "gen_ai.operation.name": "chat", note: "ada@example.com data:a/b;base64,aGVsbG8=" };
  new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("app").startSpan("chat", { attributes }).end();
  await processor.shutdown();
  assert.equal(collector.spans()[0].attributes.note, "<email> gone");
});

test("without content, and with limits, per destination", async (t) => {
  const [open, closed] = [await startCollector(), await startCollector()];
  t.after(() => Promise.all([open.close(), closed.close()]));
  const processor = new GenSpanProcessor({
    privacy: { captureContent: false },
    destinations: [{ endpoint: closed.url }, { endpoint: open.url, privacy: { maxAttributeBytes: 100 } }],
  });
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("app");
  const attributes = { "gen_ai.operation.name": "chat", "gen_ai.input.messages": messages("深圳".repeat(100)) };
  tracer.startSpan("chat", { attributes }).end();
  await processor.shutdown();
  const of = (collector) => collector.spans()[0].attributes;
  assert.deepEqual(Object.keys(of(closed)).sort(), ["gen_ai.is_entry", "gen_ai.operation.name"]);
  const cut = of(open)["gen_ai.input.messages"];
  assert.ok(Buffer.byteLength(cut) <= 100 && JSON.parse(cut)[0].parts[0].content.endsWith(" bytes]"), cut);
  assert.equal(processor.stats().contentDropped, 1);
  assert.equal(processor.stats().truncated, 1);
});

test("convert and explain take the same options", () => {
  const attribute = (key, stringValue) => ({ key, value: { stringValue } });
  const attributes = [attribute("gen_ai.operation.name", "chat"), attribute("note", "ada@example.com")];
  const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", name: "x", attributes };
  const body = Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }));
  const options = { privacy: { mask: [{ detect: ["email"] }] }, mask: (value) => `${value}!` };
  assert.match(Buffer.from(convert(body, options)).toString(), /<email>!/);
  const [{ attributes: explained }] = explain(body, options);
  assert.equal(explained.find(({ key }) => key === "note").privacy, "masked");
});

test("a wrong option fails at construction and says what would be right", () => {
  const refuses = (options, message) => assert.throws(() => new GenSpanProcessor(options), { message });
  refuses(
    { privacy: { mask: (value) => value } },
    'genspan: privacy.mask: is a function; write [{ detect: ["email"] }]; pass a hook in the top-level option mask',
  );
  refuses(
    { mask: [{ detect: ["email"] }] },
    "genspan: mask: is a list; pass a function; mask rules belong in privacy.mask",
  );
  refuses(
    { privacy: { capture: false } },
    "genspan: privacy.capture: is not an option; known: captureContent, captureMetadata, captureErrors, mask, media, maxAttributeBytes, maxSpanBytes",
  );
  refuses(
    { privacy: { mask: [{ pattern: /(?<=a)b/ }] } },
    /^genspan: privacy\.mask\[0\]\.pattern: "\(\?<=a\)b" is not a supported regular expression/,
  );
  refuses(
    { destinations: [{ privacy: { mask: [{}] } }] },
    'genspan: destinations[0].privacy.mask[0]: is empty; name keys, a pattern or detectors, such as {"detect": ["email"]}',
  );
  refuses({ onMedia: () => "", privacy: { media: "keep" } }, /^genspan: privacy\.media: "keep" disables onMedia/);
  assert.throws(() => convert(new Uint8Array(), { mask: "x" }), /^Error: genspan: mask: is a string; pass a function/);
});
