// The examples for the edge and for Vercel's AI SDK, started by the lines of their READMEs; a canned model answers, and a receiver takes the spans.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ANSWER, CHAT_MODEL, startModel, TOOL_ARGUMENTS, USAGE } from "../../demo/model.mjs";
import { startReceiver } from "../../demo/receiver.mjs";
import { bin } from "./project.mjs";
import { freePort, whileRunning } from "./servers.mjs";

const example = (name) => fileURLToPath(new URL(`../../examples/${name}/`, import.meta.url));

async function backends(t) {
  const [model, receiver] = [await startModel(), await startReceiver()];
  t.after(() => Promise.all([model.close(), receiver.close()]));
  return { model, receiver, origin: new URL(receiver.url).origin };
}

/** Starts an example, asks it, and gives what it answered once so many requests are at the receiver. */
function run(name, command, args, port, env, receiver, requests) {
  return whileRunning(command, args, example(name), env, async () => {
    const response = await fetch(`http://127.0.0.1:${port}/?question=weather`);
    const answer = await response.text();
    await arrived(receiver, requests);
    return answer;
  });
}

async function arrived(receiver, requests) {
  for (let i = 0; i < 100 && receiver.requests.length < requests; i++) await sleep(50);
}

const entries = (spans) => spans.filter(({ attributes }) => attributes["gen_ai.is_entry"] === true);

test("cloudflare-worker", { skip: existsSync(bin("wrangler")) ? false : "wrangler is not installed" }, async (t) => {
  const { model, receiver, origin } = await backends(t);
  const port = await freePort();
  const vars = {
    OPENAI_BASE_URL: model.url,
    OPENAI_API_KEY: "sk-none",
    COLLECTOR_URL: `${origin}/collector`,
    LANGFUSE_URL: `${origin}/langfuse`,
    LANGFUSE_PUBLIC_KEY: "pk",
    LANGFUSE_SECRET_KEY: "sk",
  };
  const set = Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const args = ["start", "--", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0", ...set];
  const quiet = { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };
  assert.equal(await run("cloudflare-worker", "npm", args, port, quiet, receiver, 2), `${ANSWER}\n`);
  const paths = receiver.requests.map(({ path }) => path).toSorted();
  assert.deepEqual(paths, ["/collector/v1/traces", "/langfuse/api/public/otel/v1/traces"]);
  for (const { path, headers } of receiver.requests) {
    const basic = path.startsWith("/langfuse") ? `Basic ${btoa("pk:sk")}` : undefined;
    assert.equal(headers.authorization, basic);
  }
  const spans = receiver.spans();
  assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1);
  const canonical = spans.filter(({ attributes }) => attributes["gen_ai.operation.name"]);
  const operations = canonical.map(({ attributes }) => attributes["gen_ai.operation.name"]);
  for (const operation of ["chat", "execute_tool"]) assert.ok(operations.includes(operation), operations.join());
  assert.equal(entries(spans).length, 1);
});

test("receive-worker", { skip: existsSync(bin("wrangler")) ? false : "wrangler is not installed" }, async (t) => {
  const { receiver, origin } = await backends(t);
  const port = await freePort();
  const vars = { COLLECTOR_URL: `${origin}/collector`, LANGFUSE_URL: `${origin}/langfuse`, LANGFUSE_PUBLIC_KEY: "pk" };
  const set = Object.entries({ ...vars, LANGFUSE_SECRET_KEY: "sk" }).flatMap(([name, value]) => [
    "--var",
    `${name}:${value}`,
  ]);
  const args = ["start", "--", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0", ...set];
  const quiet = { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };
  const attributes = [{ key: "gen_ai.operation.name", value: { stringValue: "chat" } }];
  const span = { traceId: "1".repeat(32), spanId: "2".repeat(16), name: "chat", attributes };
  const times = { startTimeUnixNano: "1700000000000000000", endTimeUnixNano: "1700000001000000000" };
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ ...span, ...times }] }] }] });
  await whileRunning("npm", args, example("receive-worker"), quiet, async () => {
    // The second line of the README, with a span.
    const init = { method: "POST", headers: { "content-type": "application/json" }, body };
    const response = await fetch(`http://127.0.0.1:${port}/change-me/v1/traces`, init);
    assert.equal(await response.text(), "{}");
    return true;
  });
  const paths = receiver.requests.map(({ path }) => path).toSorted();
  assert.deepEqual(paths, ["/collector/v1/traces", "/langfuse/api/public/otel/v1/traces"]);
  for (const { path, headers } of receiver.requests) {
    assert.equal(headers.authorization, path.startsWith("/langfuse") ? `Basic ${btoa("pk:sk")}` : undefined);
  }
  assert.equal(entries(receiver.spans()).length, 1);
});

test("deno", { skip: existsSync(bin("deno")) ? false : "deno is not installed" }, async (t) => {
  const { model, receiver, origin } = await backends(t);
  const port = await freePort();
  const env = {
    OPENAI_BASE_URL: model.url,
    OPENAI_API_KEY: "sk-none",
    OTEL_SERVICE_NAME: "weather",
    OTEL_EXPORTER_OTLP_ENDPOINT: origin,
    PORT: String(port),
    DENO_NO_UPDATE_CHECK: "1",
  };
  await run("deno", bin("deno"), ["task", "start"], port, env, receiver, 1);
  const spans = receiver.spans();
  assert.deepEqual(spans.map(({ name }) => name).toSorted(), ["GET /", "chat gpt-4o-mini"]);
  const [entry] = entries(spans);
  assert.equal(entry.name, "chat gpt-4o-mini");
  assert.equal(entry.attributes["gen_ai.usage.input_tokens"], 57);
  assert.equal(entry.resource["service.name"], "weather");
});

const start = (name, env) =>
  promisify(execFile)("npm", ["start"], { cwd: example(name), env: { ...process.env, ...env } });

test("vercel-ai", async (t) => {
  const { model, receiver, origin } = await backends(t);
  const env = { OPENAI_BASE_URL: model.url, OTEL_EXPORTER_OTLP_ENDPOINT: origin };
  const { stdout } = await start("vercel-ai", env);
  assert.ok(stdout.endsWith(`${ANSWER}\n${ANSWER}\n`), stdout);

  const spans = receiver.spans();
  assert.equal(spans[0].resource["service.name"], "weather-agent");
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === "");
  assert.deepEqual(roots.map(({ name }) => name).toSorted(), ["ai.generateText", "ai.streamText"]);
  for (const root of roots) {
    const trace = spans.filter(({ traceId }) => traceId === root.traceId);
    assert.deepEqual(entries(trace), [root]);
    const of = (operation) => trace.filter(({ attributes }) => attributes["gen_ai.operation.name"] === operation);
    const chats = of("chat").toSorted((a, b) => (a.startTimeUnixNano < b.startTimeUnixNano ? -1 : 1));
    assert.equal(chats.length, 2);
    for (const { attributes, parentSpanId } of chats) {
      assert.equal(parentSpanId, root.spanId);
      assert.equal(attributes["gen_ai.request.model"], CHAT_MODEL);
      assert.equal(attributes["gen_ai.usage.input_tokens"], USAGE.input);
      assert.equal(attributes["gen_ai.usage.cache_read.input_tokens"], USAGE.cached);
      assert.equal(attributes["gen_ai.usage.output_tokens"], USAGE.output);
    }
    // Both calls of the model count their tokens; the span above them does not count them again.
    assert.equal(root.attributes["gen_ai.usage.input_tokens"], undefined);

    const question = { role: "user", parts: [{ type: "text", content: "What is the weather in Shenzhen?" }] };
    const call = {
      type: "tool_call",
      id: "call_weather_1",
      name: "get_weather",
      arguments: JSON.parse(TOOL_ARGUMENTS),
    };
    const [first, second] = chats.map(({ attributes }) => ({
      input: JSON.parse(attributes["gen_ai.input.messages"]),
      output: JSON.parse(attributes["gen_ai.output.messages"]),
    }));
    assert.deepEqual(first.input, [question]);
    assert.deepEqual(
      first.output.map(({ parts }) => parts),
      [[call]],
    );
    assert.deepEqual(
      second.input.map(({ role }) => role),
      ["user", "assistant", "tool"],
    );
    assert.deepEqual(
      second.output.map(({ parts }) => parts),
      [[{ type: "text", content: ANSWER }]],
    );

    const [tool, ...more] = of("execute_tool");
    assert.deepEqual(more, []);
    assert.equal(tool.attributes["gen_ai.tool.name"], "get_weather");
    assert.equal(tool.attributes["gen_ai.tool.call.id"], "call_weather_1");
    assert.deepEqual(JSON.parse(tool.attributes["gen_ai.tool.call.arguments"]), JSON.parse(TOOL_ARGUMENTS));
    assert.deepEqual(JSON.parse(tool.attributes["gen_ai.tool.call.result"]), { city: "深圳", celsius: 26 });
  }
});

test("vercel-ai by itself shows what arrived", async () => {
  const nothing = { OPENAI_BASE_URL: undefined, OPENAI_API_KEY: undefined, OTEL_EXPORTER_OTLP_ENDPOINT: undefined };
  const { stdout } = await start("vercel-ai", nothing);
  assert.equal(stdout.match(/gen_ai\.is_entry = true/g)?.length, 2, stdout);
  assert.match(stdout, new RegExp(`^ {4}· gen_ai\\.usage\\.input_tokens = ${USAGE.input}$`, "m"));
});
