// The telemetry of the Vercel AI SDK through the tracing libraries of edge runtimes, the real ones: a canned model answers, and a receiver takes the spans.
import assert from "node:assert/strict";
import { join } from "node:path";
import { before } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ANSWER, startModel, USAGE } from "../../demo/model.mjs";
import { startReceiver } from "../../demo/receiver.mjs";
import { row } from "./matrix.mjs";
import { inNextJs } from "./next.mjs";
import { inProject, link, makeProject, missing, project } from "./project.mjs";
import { bundleWorker, startWorker } from "./workerd.mjs";

before(async () => {
  await makeProject();
  for (const name of ["ai", "@ai-sdk/openai-compatible", "@microlabs/otel-cf-workers", "@vercel/otel"])
    await link(name);
});

/** `program` asks the agent, which answers with the help of `model`; its spans arrive within 10 s, and none after them. */
function traces(runtime, library, missing, program) {
  row(runtime, library, missing, async (t) => {
    const [model, receiver] = [await startModel(), await startReceiver()];
    t.after(() => Promise.all([model.close(), receiver.close()]));
    assert.match(await program(model.url, receiver.url), new RegExp(`${ANSWER}$`, "m"));
    const agent = () => receiver.spans().find(({ name }) => name === "ai.generateText");
    for (let i = 0; i < 100 && !agent(); i++) await sleep(100);
    await sleep(500);
    check(receiver.spans(), agent());
  });
}

function check(spans, agent) {
  assert.equal(agent?.resource["service.name"], "shop");
  const operations = spans.flatMap(({ attributes }) => attributes["gen_ai.operation.name"] ?? []);
  assert.deepEqual(operations.toSorted(), ["chat", "chat", "execute_tool", "invoke_agent"]);
  const entries = spans.filter(({ attributes }) => attributes["gen_ai.is_entry"]);
  assert.deepEqual(entries, [agent]);
  for (const { attributes, parentSpanId } of spans) {
    if (attributes["gen_ai.operation.name"] !== "chat") continue;
    assert.equal(parentSpanId, agent.spanId);
    assert.equal(attributes["gen_ai.usage.input_tokens"], USAGE.input);
    assert.equal(attributes["gen_ai.usage.output_tokens"], USAGE.output);
  }
  // The two calls of the model, and not what is sent to the receiver: that would never end.
  const fetched = spans.filter(({ name }) => /^fetch (POST|GET)/.test(name));
  assert.deepEqual(
    fetched.map(({ traceId }) => traceId),
    [agent.traceId, agent.traceId],
  );
}

for (const way of ["exporter", "spanProcessors"]) {
  traces("workerd", `@microlabs/otel-cf-workers, as ${way}`, missing("workerd"), async (model, endpoint) => {
    const scriptPath = join(project, "agent-cf.js");
    await bundleWorker({
      entryPoints: ["agent-cf.mjs"],
      outfile: scriptPath,
      external: ["node:*", "cloudflare:*"],
    });
    const miniflare = startWorker(scriptPath, {
      compatibilityFlags: ["nodejs_compat"],
      bindings: { MODEL: model, ENDPOINT: endpoint, WAY: way },
    });
    try {
      const response = await miniflare.dispatchFetch("http://worker/");
      const answer = await response.text();
      await sleep(1000);
      return answer;
    } finally {
      await miniflare.dispose();
    }
  });
}

const environment = (MODEL, endpoint) => ({ MODEL, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint });

traces(`Node ${process.versions.node}`, "@vercel/otel, as spanProcessors", undefined, (model, endpoint) =>
  inProject(process.execPath, ["agent-node.mjs"], environment(model, endpoint)),
);

traces("Vercel Edge", "@vercel/otel, as spanProcessors", missing("next"), (model, endpoint) => {
  const files = {
    "instrumentation.js": "agent-vercel.mjs",
    "app/ask/route.js": "agent-route.mjs",
    "app/ask/agent.mjs": "agent.mjs",
  };
  const soon = { OTEL_BSP_SCHEDULE_DELAY: "100" };
  return inNextJs("turbopack", files, { ...environment(model, endpoint), ...soon }, async (origin) => {
    const answer = await fetch(`${origin}/ask`).then((response) => response.text());
    await sleep(1000);
    return answer;
  });
});
