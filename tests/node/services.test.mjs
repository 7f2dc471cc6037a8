// A LangGraph graph with parallel branches behind HTTP, and a second service that it calls: real SDKs, two processes, one entry.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startModel } from "../../demo/model.mjs";
import { startReceiver } from "../../demo/receiver.mjs";

const PROGRAM = fileURLToPath(new URL("services.mjs", import.meta.url));
const HTTP = "@opentelemetry/instrumentation-http";
const LANGFUSE = "langfuse-sdk";

async function service(options) {
  const child = fork(PROGRAM, [JSON.stringify(options)], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const [{ port }] = await once(child, "message");
  return {
    port,
    async stop() {
      child.send("stop");
      const [{ stats }] = await once(child, "message");
      await once(child, "exit");
      return stats;
    },
  };
}

/** Sends one request to the front, which asks the back. Gives the spans at each receiver. */
async function ask({ mark, outside, destinations }) {
  const model = await startModel();
  const receivers = await Promise.all(destinations.map(() => startReceiver()));
  const genspan = { destinations: destinations.map((d, i) => ({ endpoint: receivers[i].url, ...d })) };
  const common = { genspan, baseURL: model.url, mark, outside };
  const back = await service({ ...common, role: "back" });
  const front = await service({ ...common, role: "front", back: back.port });
  const response = await fetch(`http://127.0.0.1:${front.port}/ask`, { method: "POST" });
  assert.equal(`${response.status} ${await response.text()}`, "200 4");
  await Promise.all([front.stop(), back.stop()]);
  await Promise.all([model, ...receivers].map((server) => server.close()));
  return receivers.map((receiver) => ({ spans: receiver.spans(), requests: receiver.requests }));
}

const entriesOf = (spans) => spans.filter((span) => span.attributes["gen_ai.is_entry"]).map(({ name }) => name);
const byName = (spans, name) => spans.filter((span) => span.name === name);

for (const mark of [false, true]) {
  test(`${mark ? "a mark that every run inherits" : "no mark"}: one entry in both services, whatever runs at once`, async () => {
    const [{ spans }] = await ask({ mark, destinations: [{}] });
    assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1, "one trace");
    assert.equal(byName(spans, "ChatOpenAI").length, 3, "two branches and the other service ask a model");
    assert.deepEqual(entriesOf(spans), ["LangGraph"]);
    assert.ok(spans.every(({ attributes }) => !Object.keys(attributes).some((key) => /.gen_ai.is_entry$/.test(key))));
  });
}

test("asked from outside of the graph, the other service has an entry of its own", async () => {
  const [{ spans }] = await ask({ outside: true, destinations: [{}] });
  assert.deepEqual(entriesOf(spans).sort(), ["ChatOpenAI", "LangGraph"]);
});

test("Langfuse without its own spans, Tencent without HTTP: no orphan at either, no secret of one at the other", async () => {
  const [langfuse, tencent] = await ask({
    destinations: [
      {
        profile: "langfuse",
        headers: { authorization: "Basic bGFuZ2Z1c2U=" },
        blockedInstrumentationScopes: [LANGFUSE],
      },
      { profile: "tencent", token: "secret-token", serviceName: "graph", hostName: "10.0.0.8", blockScopes: [HTTP] },
    ],
  });
  for (const [{ spans }, scope] of [
    [langfuse, HTTP],
    [tencent, LANGFUSE],
  ]) {
    assert.ok(spans.length >= 3 && spans.every((span) => span.scope.name === scope));
    const ids = new Set(spans.map(({ spanId }) => spanId));
    const orphans = spans.filter(({ parentSpanId }) => parentSpanId && !ids.has(parentSpanId)).map(({ name }) => name);
    assert.deepEqual(orphans, []);
  }
  assert.deepEqual(entriesOf(tencent.spans), ["LangGraph"]);
  // The span of the other service hangs below the one that called it, though neither HTTP span between them is there.
  const [graph] = byName(tencent.spans, "LangGraph");
  assert.ok(byName(tencent.spans, "ChatOpenAI").some(({ parentSpanId }) => parentSpanId === graph.spanId));
  const sent = ({ requests }) =>
    requests.map(({ body, headers }) => body.toString("latin1") + JSON.stringify(headers)).join();
  assert.ok(sent(tencent).includes("secret-token") && sent(langfuse).includes("bGFuZ2Z1c2U="));
  assert.ok(!sent(langfuse).includes("secret-token") && !sent(tencent).includes("bGFuZ2Z1c2U="));
});
