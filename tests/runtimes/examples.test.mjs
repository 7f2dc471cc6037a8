// The examples for edge runtimes, started by the lines of their READMEs; a canned model answers, and a receiver takes the spans.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ANSWER, startModel } from "../../demo/model.mjs";
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
