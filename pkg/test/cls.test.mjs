// Destination preset and profile `tencent-cls`, in front of a server that refuses what Tencent Cloud Log Service refuses: wrong keys, another topic, spans
// that lack a key of their kind, and keys beside their own children, which its index cannot hold.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "node:test";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { GenSpanProcessor } from "genspan";
import { decode, flatten } from "../../demo/receiver.mjs";
import { startCollector } from "./collector.mjs";

const TOPIC = { region: "ap-guangzhou", topicId: "topic-1", secretId: "AKIDexample", secretKey: "s3cretKey" };
const BASIC = `Basic ${Buffer.from("AKIDexample:s3cretKey").toString("base64")}`;

/** The keys of each kind that its own SDKs always write, without the children of others. */
const REQUIRED = {};
const table = new URL("../../tests/fixtures/conventions/profile-tencent-cls.csv", import.meta.url);
for (const line of readFileSync(table, "utf8").trim().split("\n").slice(1)) {
  const [kind, key] = line.split(",");
  REQUIRED[kind] ??= [];
  if (!/\.(hash|count)$/.test(key)) REQUIRED[kind].push(key);
}

const hasParent = (key, _, keys) => keys.some((other) => key.startsWith(`${other}.`));

/** What CLS has against a request, or nothing. */
function refusal({ method, url, headers, spans }) {
  if (method !== "POST" || url !== "/v1/traces") return [404, "no such API"];
  if (headers.authorization !== BASIC) return [401, '{"errorcode":"Unauthorized","errormessage":"signature error"}'];
  if (headers.topic_id !== TOPIC.topicId) return [404, '{"errorcode":"TopicNotExist"}'];
  for (const { attributes, resource } of spans) {
    const [keys, tags] = [Object.keys(attributes), Object.keys(resource)];
    const child = keys.find(hasParent) ?? tags.find(hasParent);
    if (child) return [400, `IndexAllFail: ${child} cannot appear beside its parent`];
    const missing = REQUIRED[attributes["gen_ai.span.kind"]]?.find((key) => attributes[key] === undefined);
    if (missing) return [400, `${attributes["gen_ai.span.kind"]} lacks ${missing}`];
  }
  return undefined;
}

async function startCls(t) {
  const taken = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url, headers } = request;
    const spans = flatten(decode(Buffer.concat(chunks), headers["content-type"]));
    const [status, body] = refusal({ method, url, headers, spans }) ?? [200, ""];
    if (status === 200) taken.push(...spans);
    response.writeHead(status).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { endpoint: `http://127.0.0.1:${server.address().port}/v1/traces`, taken };
}

/** An agent with a call of each kind below it, and spans of the application around them. */
async function work(options) {
  const processor = new GenSpanProcessor({ exportTimeoutMillis: 2000, retry: { initialMillis: 1 }, ...options });
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  const tracer = provider.getTracer("shop");
  const start = (name, attributes) => tracer.startSpan(name, { attributes });
  start("GET /", { "http.route": "/", "http.route.id": 7, service: "shop", "service.version": "1" }).end();
  for (const operation of ["invoke_agent", "chat", "execute_tool", "retrieval", "invoke_workflow", "embeddings"]) {
    start(operation, {
      "gen_ai.operation.name": operation,
      "gen_ai.request.model": "gpt-4o-mini",
      "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"深圳?"}]}]',
      "gen_ai.input.messages.hash": "abc",
      "gen_ai.usage.input_tokens": 5,
      "gen_ai.usage.input_tokens.cached": 2,
    }).end();
  }
  await processor.shutdown();
  return processor.stats();
}

for (const privacy of [{}, { captureContent: false }]) {
  test(`CLS takes spans of every kind with ${JSON.stringify(privacy)}`, async (t) => {
    const { endpoint, taken } = await startCls(t);
    const { destinations } = await work({ profile: "tencent-cls", ...TOPIC, endpoint, privacy });
    assert.equal(destinations[0].lastError?.message, undefined);
    assert.equal(taken.length, 7);
    const kinds = taken.map(({ attributes }) => attributes["gen_ai.span.kind"]);
    assert.deepEqual(kinds, [undefined, "agent", "chat", "tool", "retrieval", "entry", "embedding"]);
    const text = JSON.stringify(taken);
    assert.equal(text.includes("深圳"), privacy.captureContent !== false);
  });
}

test("CLS refuses what other profiles write", async (t) => {
  const { endpoint, taken } = await startCls(t);
  const headers = { authorization: BASIC, topic_id: TOPIC.topicId };
  const { destinations } = await work({ profile: "otel", endpoint, headers });
  assert.deepEqual([destinations[0].droppedRefused, taken.length], [7, 0]);
});

// README promise: "Secrets stay"
test("its keys go to this destination only, and into no error and no statistics", async (t) => {
  const { endpoint } = await startCls(t);
  const other = await startCollector();
  t.after(() => other.close());
  const wrong = { ...TOPIC, secretKey: "wr0ngKey" };
  const stats = await work({ destinations: [{ profile: "tencent-cls", ...wrong, endpoint }, { endpoint: other.url }] });
  const [{ droppedRefused, lastError }] = stats.destinations;
  assert.equal(droppedRefused, 7);
  assert.match(lastError.message, /HTTP status 401/);
  const told = JSON.stringify([stats, other.requests.map(({ headers, body }) => [headers, body.toString("latin1")])]);
  for (const secret of ["wr0ngKey", Buffer.from("AKIDexample:wr0ngKey").toString("base64")]) {
    assert.ok(!told.includes(secret));
  }
  assert.equal(other.spans().length, 7);
});
