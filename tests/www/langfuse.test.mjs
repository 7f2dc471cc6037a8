// Exports of Langfuse: a trace as its API gives it (`GET /api/public/traces/{id}`, TraceWithFullDetails), and as the download button does.
// No instance of Langfuse runs here: the objects are written after its OpenAPI document.
import assert from "node:assert/strict";
import { attributesAfter, clear, close, drop, launch, openPage, setUp, test, textOf } from "./browser.mjs";
import { startServer } from "./server.mjs";

let browser;
let server;
setUp(async (keep) => {
  server = await keep(startServer());
  browser = await keep(launch());
});

const observation = (id, type, name, parentObservationId, more) => ({
  id,
  traceId: "7d6a2f9e-4f0c-4a55-9c1e-2f1f0a3b5c77",
  type,
  name,
  startTime: "2026-11-24T00:15:39.000Z",
  endTime: "2026-11-24T00:15:40.500Z",
  completionStartTime: null,
  model: null,
  modelParameters: {},
  input: null,
  output: null,
  metadata: {},
  usageDetails: {},
  costDetails: {},
  usage: { input: 0, output: 0, total: 0, unit: "TOKENS" },
  level: "DEFAULT",
  statusMessage: null,
  parentObservationId,
  promptName: null,
  promptVersion: null,
  environment: "production",
  ...more,
});

const OBSERVATIONS = [
  observation("a1", "AGENT", "weather-agent", null, { input: { question: "深圳天气如何?" }, output: "晴天。" }),
  observation("g1", "GENERATION", "ask", "a1", {
    startTime: "2026-11-24T00:15:39.100Z",
    completionStartTime: "2026-11-24T00:15:39.350Z",
    model: "gpt-4o-mini-2024-07-18",
    modelParameters: { temperature: 0.3 },
    input: [{ role: "user", content: "深圳天气如何?" }],
    output: { role: "assistant", content: "晴天。" },
    usageDetails: { input: 25, input_cache_read: 32, output: 9, output_reasoning: 8, total: 74 },
    costDetails: { input: 0.01, output: 0.02, total: 0.03 },
  }),
  observation("t1", "TOOL", "get_weather", "a1", {
    startTime: "2026-11-24T00:15:39.900Z",
    level: "ERROR",
    statusMessage: "no such city",
    input: { city: "深圳" },
  }),
];

const TRACE = {
  id: "7d6a2f9e-4f0c-4a55-9c1e-2f1f0a3b5c77",
  timestamp: "2026-11-24T00:15:39.000Z",
  name: "weather",
  userId: "user-456",
  sessionId: "sess-1",
  tags: ["a", "b"],
  release: null,
  version: null,
  environment: "production",
  htmlPath: "/project/p/traces/7d6a2f9e",
  latency: 1.5,
  totalCost: 0.03,
};

const SHAPES = {
  "the API's": { ...TRACE, observations: OBSERVATIONS },
  "the download's": { trace: TRACE, observations: OBSERVATIONS },
  "a list of the API's": [{ ...TRACE, observations: OBSERVATIONS }],
};

test("an export reads as the trace that it was", async () => {
  const page = await openPage(browser, server.url);
  for (const [shape, json] of Object.entries(SHAPES)) {
    await drop(page, "trace.json", Buffer.from(JSON.stringify(json)));
    const row = page.locator("#traces .row");
    await row.waitFor();
    const said = await row.innerText();
    for (const text of [
      "weather-agent",
      "user-456",
      "sess-1",
      "1.50 s",
      "3 spans",
      "57 → 17 tokens",
      "$0.030",
      "1 error",
    ]) {
      assert.ok(said.includes(text), `${shape}: ${text} is not in ${said}`);
    }
    assert.deepEqual(await textOf(page, "#spans .badge"), ["Agent", "LLM", "Tool"], shape);
    await page.locator("#why.yes").waitFor();
    await page.locator("#spans .row", { hasText: "ask" }).click();
    await page.locator("#span h2", { hasText: "ask" }).waitFor();
    const after = await attributesAfter(page);
    assert.equal(after["gen_ai.usage.cache_read.input_tokens"], "32");
    assert.equal(after["gen_ai.response.time_to_first_chunk"], "0.25");
    assert.equal(after["gen_ai.request.temperature"], "0.3");
    assert.deepEqual(await textOf(page, ".said .words"), ["深圳天气如何?", "晴天。"]);
    await page.locator("#spans .row", { hasText: "get_weather" }).click();
    await page.locator(".failed", { hasText: "no such city" }).waitFor();
    await clear(page);
  }
  await close(page);
});
