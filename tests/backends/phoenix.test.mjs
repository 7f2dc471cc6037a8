// Arize Phoenix, the real server: what genspan sends over HTTP and over gRPC comes back through Phoenix's own API, with kinds, tokens and
// messages. `make test-backends` installs it; not part of `make test`, it takes a minute.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { missing, needing } from "../setup.mjs";

const require = createRequire(new URL("../node/sdk2/package.json", import.meta.url));
const { context, SpanStatusCode, trace } = require("@opentelemetry/api");
const { NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");
const { GenSpanProcessor } = require("genspan");

const python = fileURLToPath(new URL("../../target/phoenix/bin/python", import.meta.url));
const { test, setUp } = needing(missing("python3", existsSync(python)));
const dir = mkdtempSync(join(tmpdir(), "genspan-phoenix-"));
let phoenix;
let url;
let grpcPort;

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

const until = async (what, holds, millis) => {
  const end = Date.now() + millis;
  for (;;) {
    const value = await holds().catch(() => undefined);
    if (value) return value;
    assert.ok(Date.now() < end, `${what} did not happen within ${millis} ms`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
};

setUp(async (keep) => {
  const port = await freePort();
  grpcPort = await freePort();
  url = `http://127.0.0.1:${port}`;
  phoenix = spawn(python, ["-m", "phoenix.server.main", "serve"], {
    env: {
      ...process.env,
      PHOENIX_WORKING_DIR: dir,
      PHOENIX_HOST: "127.0.0.1",
      PHOENIX_PORT: String(port),
      PHOENIX_GRPC_PORT: String(grpcPort),
      PHOENIX_TELEMETRY_ENABLED: "false",
      PHOENIX_ALLOW_EXTERNAL_RESOURCES: "false",
    },
    stdio: "ignore",
  });
  keep({ close: stopPhoenix });
  await until("Phoenix's start", async () => (await fetch(`${url}/healthz`)).ok, 120_000);
});

async function stopPhoenix() {
  phoenix.kill();
  if (phoenix.exitCode === null) await new Promise((resolve) => phoenix.once("exit", resolve));
  rmSync(dir, { recursive: true, force: true });
}

/** An agent that asks a model, which calls a tool, in the words of OpenTelemetry GenAI. */
function work(tracer) {
  const json = JSON.stringify;
  const agent = tracer.startSpan("invoke_agent weather", {
    attributes: { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "weather" },
  });
  const inside = trace.setSpan(context.active(), agent);
  tracer
    .startSpan(
      "chat gpt-4o-mini",
      {
        attributes: {
          "gen_ai.operation.name": "chat",
          "gen_ai.provider.name": "openai",
          "gen_ai.request.model": "gpt-4o-mini",
          "gen_ai.usage.input_tokens": 57,
          "gen_ai.usage.output_tokens": 17,
          "gen_ai.input.messages": json([{ role: "user", parts: [{ type: "text", content: "天气 in Shenzhen?" }] }]),
          "gen_ai.output.messages": json([
            {
              role: "assistant",
              parts: [{ type: "tool_call", id: "c1", name: "get_weather", arguments: { city: "Shenzhen" } }],
              finish_reason: "tool_call",
            },
          ]),
        },
      },
      inside,
    )
    .end();
  const tool = tracer.startSpan(
    "execute_tool get_weather",
    {
      attributes: {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.call.arguments": '{"city":"Shenzhen"}',
      },
    },
    inside,
  );
  tool.setStatus({ code: SpanStatusCode.ERROR, message: "no weather" });
  tool.end();
  agent.end();
}

for (const [transport, options] of [
  ["http/protobuf", () => ({ endpoint: `${url}/v1/traces` })],
  ["http/protobuf with gzip", () => ({ endpoint: `${url}/v1/traces`, compression: "gzip" })],
  ["grpc", () => ({ endpoint: `http://127.0.0.1:${grpcPort}`, protocol: "grpc" })],
]) {
  test(`what Phoenix gives back of what it got over ${transport}`, { timeout: 60_000 }, async () => {
    const project = transport.replace(/\W+/g, "-");
    const processor = new GenSpanProcessor({
      profile: "openinference",
      resource: { "openinference.project.name": project },
      ...options(),
    });
    work(new NodeTracerProvider({ spanProcessors: [processor] }).getTracer("shop"));
    await processor.shutdown();
    assert.equal(processor.stats().destinations[0].sent, 3);
    const spans = await until(
      "the arrival",
      async () => {
        const response = await fetch(`${url}/v1/projects/${project}/spans?limit=10`);
        const { data } = await response.json();
        return data.length === 3 && data;
      },
      30_000,
    );
    const of = (name) => spans.find((span) => span.name.startsWith(name));
    const [agent, chat, tool] = [of("invoke_agent"), of("chat"), of("execute_tool")];
    assert.deepEqual([agent.span_kind, chat.span_kind, tool.span_kind], ["AGENT", "LLM", "TOOL"]);
    assert.deepEqual(
      [agent.parent_id, chat.parent_id, tool.parent_id],
      [null, agent.context.span_id, agent.context.span_id],
    );
    assert.deepEqual([chat.status_code, tool.status_code, tool.status_message], ["UNSET", "ERROR", "no weather"]);
    const { attributes } = chat;
    assert.equal(attributes["llm.token_count.prompt"], 57);
    assert.equal(attributes["llm.token_count.completion"], 17);
    assert.equal(attributes["llm.model_name"], "gpt-4o-mini");
    assert.equal(attributes["llm.input_messages.0.message.role"], "user");
    assert.match(JSON.stringify(attributes), /天气 in Shenzhen\?/);
    const call = Object.entries(attributes).filter(([key]) => key.includes("tool_call.function"));
    assert.deepEqual(call.map(([key, value]) => [key.split(".").at(-1), value]).sort(), [
      ["arguments", '{"city":"Shenzhen"}'],
      ["name", "get_weather"],
    ]);
  });
}
