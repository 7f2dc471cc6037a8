// The bodies that real SDKs sent, dropped onto the page. What it must say stands in tests/captures.rs, from what the programs did: an agent
// asks the weather of 深圳, calls a tool, answers; each call takes 57 tokens, 32 of them cached, and gives 17, 8 of them reasoning.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { decode, flatten } from "../../demo/receiver.mjs";
import {
  attributesAfter,
  CAPTURES,
  capture,
  clear,
  close,
  drop,
  dropAll,
  launch,
  openPage,
  setUp,
  test,
  textOf,
} from "./browser.mjs";
import { startServer } from "./server.mjs";

let browser;
let server;
setUp(async (keep) => {
  server = await keep(startServer());
  browser = await keep(launch());
});

const CALLS = 2;
const [INPUT, OUTPUT] = [57, 17];
// Chat, chat, stream and Responses; one embedding of 8; one that failed.
const SIX_CALLS = `${4 * INPUT + 8} → ${4 * OUTPUT} tokens`;
const AGENT = `${CALLS * INPUT} → ${CALLS * OUTPUT} tokens`;

/** The entry's name, how many entries, what else the row says. */
const FACTS = {
  "langfuse-py-3.2.6.langgraph-entry-inherited.1.pb": ["POST /chat", 0],
  "langfuse-py-3.2.6.langgraph-entry-inherited.pb": ["LangGraph", 1, AGENT],
  "langfuse-py-3.2.6.langgraph-entry-metadata.1.pb": ["POST /chat", 0],
  "langfuse-py-3.2.6.langgraph-entry-metadata.pb": ["langgraph-agent-demo", 1, AGENT, "sess-1", "user-456"],
  "langfuse-py-3.2.6.observe-openai-stream.pb": ["run_demo", 1, `${INPUT} → ${OUTPUT} tokens`],
  "langfuse-py-5.0.4.langgraph-entry-inherited.pb": ["LangGraph", 1, AGENT],
  "langfuse-py-5.0.4.langgraph-entry-metadata.pb": ["langgraph-agent-demo", 1, AGENT, "sess-1", "user-456"],
  // 3 + 1 cached of the generation, 3 of the embedding; cost 0.01 + 0.02; a tool raised ValueError
  "langfuse-py-5.0.4.observations-unmarked.pb": ["chat-turn", 1, "7 → 4 tokens", "$0.030", "1 error"],
  "openinference-openai-py-0.1.66.chat-embed-error.pb": ["ChatCompletion", 6, SIX_CALLS, "1 error"],
  "traceloop-openai-py-0.62.4.chat-embed-error.pb": ["openai.chat", 6, SIX_CALLS, "1 error"],
};

test("each capture: its entry, its tokens, its session and its errors", async () => {
  const page = await openPage(browser, server.url);
  assert.deepEqual(Object.keys(FACTS), (await readdir(CAPTURES)).filter((name) => name.endsWith(".pb")).sort());
  for (const [name, [entry, entries, ...rest]] of Object.entries(FACTS)) {
    await drop(page, name, await capture(name));
    const row = page.locator("#traces .row");
    await row.waitFor();
    const said = await row.innerText();
    assert.equal(await row.locator(".trace-name bdi").innerText(), entry, name);
    assert.equal(await row.locator(".entry-mark").count(), entries > 0 ? 1 : 0, name);
    if (entries > 1) assert.match(said, new RegExp(`×${entries}\\b`), name);
    for (const text of rest) assert.ok(said.includes(text), `${name}: ${text} is not in ${said}`);
    await page.locator("#why").waitFor();
    assert.equal(await page.locator("#spans .entry-mark").count(), entries, name);
    await clear(page);
  }
  await close(page);
});

test("every capture of every framework at once: no trace and no span is lost, each can be looked at", async () => {
  const page = await openPage(browser, server.url);
  const names = (await readdir(`${CAPTURES}more`)).sort();
  const files = await Promise.all(names.map(async (name) => [name, await capture(`more/${name}`)]));
  const spans = files.flatMap(([name, body]) =>
    flatten(decode(body, name.endsWith(".json") ? "application/json" : undefined)),
  );
  const total = new Set(spans.map((span) => span.traceId + span.spanId)).size;
  const traces = new Set(spans.map((span) => span.traceId));
  await dropAll(page, files);
  await page.locator(".filters-count", { hasText: new RegExp(`^${traces.size}$`) }).waitFor();
  await page.locator(".held", { hasText: new RegExp(`^${total.toLocaleString("en-US")} spans · `) }).waitFor();
  assert.equal(await page.locator(":is(.held, .notice).bad").count(), 0);
  await page.locator("#traces").focus();
  await page.keyboard.press("Home");
  const seen = new Set();
  for (let i = 0; i < traces.size; i++) {
    const id = await page.waitForFunction(
      (seen) => {
        const id = document.querySelector(".trace .facts .mono")?.textContent;
        return document.querySelector("#why") && document.querySelector("#spans .row") && !seen.includes(id) && id;
      },
      [...seen],
    );
    seen.add(await id.jsonValue());
    await page.keyboard.press("ArrowDown");
  }
  assert.deepEqual([...seen].sort(), [...traces].sort());
  await close(page);
});

const UNMARKED = "langfuse-py-5.0.4.observations-unmarked.pb";
const GRAPH = "langfuse-py-5.0.4.langgraph-entry-inherited.pb";
const chosen = async (page, name) => {
  await page.locator("#spans .row", { hasText: name }).last().click();
  await page.locator("#span h2", { hasText: name }).waitFor();
};

test("a generation: its conversation, its usage, its parameters", async () => {
  const page = await openPage(browser, server.url);
  await drop(page, GRAPH, await capture(GRAPH));
  await chosen(page, "ChatOpenAI");
  assert.deepEqual(await textOf(page, ".said-role bdi"), ["user", "assistant", "tool", "assistant"]);
  assert.deepEqual(await textOf(page, ".said .words"), ["深圳天气如何?", "It is 26°C and sunny. 晴天。"]);
  const call = page.locator(".said .call").first();
  assert.equal(await call.locator(".strong").innerText(), "get_weather");
  assert.deepEqual(JSON.parse(await call.locator(".text").innerText()), { city: "深圳" });
  assert.equal(await page.locator(".said .call .text").last().innerText(), "深圳: 26C sunny");
  assert.deepEqual(await textOf(page, ".usage-parts li"), ["cached 32", "not cached 25", "reasoning 8", "answer 9"]);
  const widths = await page.locator(".usage-bar i").evaluateAll((all) => all.map((i) => Number(i.style.flexGrow)));
  assert.deepEqual(widths, [32, 25, 8, 9]);
  const parameters = await page.locator("#span .pairs").first().innerText();
  assert.match(parameters, /gen_ai\.request\.temperature\s+0\.3/);
  assert.match(parameters, /gen_ai\.response\.model\s+gpt-4o-mini-2024-07-18/);
  await close(page);
});

test("before and after, and the rule of a line by the mouse and by the keyboard", async () => {
  const page = await openPage(browser, server.url);
  await drop(page, UNMARKED, await capture(UNMARKED));
  await chosen(page, "gen");
  const said = await attributesAfter(page);
  assert.equal(said["gen_ai.usage.input_tokens"], "4");
  assert.equal(said["gen_ai.request.model"], "gpt-4o");
  assert.equal(said["gen_ai.usage.cost"], "0.03");
  const group = page.locator(".group", { has: page.locator('[aria-label="gen_ai.usage.input_tokens"]') });
  assert.match(await group.locator(".before").innerText(), /langfuse\.observation\.usage_details\s+\{"input": 3/);
  const line = group.locator('[aria-label="gen_ai.usage.input_tokens"]');
  const rule = line.locator(".rule");
  assert.equal(await rule.isVisible(), false);
  await line.hover();
  assert.equal(await rule.isVisible(), true);
  assert.match(await rule.innerText(), /langfuse\s+langfuse\.observation\.usage_details → an object of token counts/);
  await page.mouse.move(0, 0);
  assert.equal(await rule.isVisible(), false);
  await page.locator("#changes .line").first().focus();
  for (let i = 0; i < 60 && !(await rule.isVisible()); i++) await page.keyboard.press("ArrowDown");
  assert.equal(await rule.isVisible(), true, "no arrow leads to the line");
  const described = await line.evaluate(
    (element) => document.getElementById(element.getAttribute("aria-describedby"))?.className,
  );
  assert.equal(described, "rule");
  await close(page);
});

test("why a span is the entry, or is not", async () => {
  const page = await openPage(browser, server.url);
  await drop(page, GRAPH, await capture(GRAPH));
  // The mark stood on every descendant; the outermost keeps it.
  await page.locator("#why.yes").waitFor();
  assert.match(await page.locator("#why").innerText(), /This span is the entry\s+It is marked/i);
  await chosen(page, "get_weather");
  assert.match(
    await page.locator("#why").innerText(),
    /not the entry\s+a span above it carries the mark: this one is a copy/i,
  );
  await chosen(page, "POST /chat");
  assert.match(await page.locator("#why").innerText(), /not the entry/);
  await page.locator("#why .link").click();
  await page.locator("#span h2", { hasText: "LangGraph" }).waitFor();
  await close(page);
});

test("another profile: the attributes are its own at once", async () => {
  const page = await openPage(browser, server.url);
  await drop(page, UNMARKED, await capture(UNMARKED));
  await chosen(page, "gen");
  const expected = {
    tencent: { "gen_ai.span.kind": "LLM", "gen_ai.usage.total_tokens": "8" },
    openinference: { "openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "llm.token_count.prompt": "4" },
    otel: { "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": "4" },
  };
  for (const [profile, attributes] of Object.entries(expected)) {
    await page.locator("#profile").selectOption(profile);
    await page.locator(".changes-head", { hasText: profile }).waitFor();
    const said = await attributesAfter(page);
    for (const [key, value] of Object.entries(attributes)) assert.equal(said[key], value, `${profile}: ${key}`);
    assert.equal("llm.model_name" in said, profile === "openinference");
  }
  await close(page);
});

test("protobuf in gzip, OTLP/JSON, JSON lines, and both pasted", async () => {
  const page = await openPage(browser, server.url);
  const body = await capture(UNMARKED);
  const json = await capture("more/langfuse-js-5.11.1.observations-propagated.json");
  const paste = (text) =>
    page.evaluate((text) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", text);
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
    }, text);
  const ways = {
    gzip: () => drop(page, "body.pb.gz", gzipSync(body)),
    json: () => drop(page, "body.json", json),
    lines: () =>
      drop(
        page,
        "traces.jsonl",
        Buffer.from(`${JSON.stringify(JSON.parse(json))}\n${JSON.stringify(JSON.parse(json))}\n`),
      ),
    "pasted JSON": () => paste(json.toString()),
    "pasted base64": () => paste(body.toString("base64")),
  };
  for (const [way, take] of Object.entries(ways)) {
    await take();
    await page.locator("#traces .row", { hasText: "chat-turn" }).waitFor();
    assert.equal(await page.locator("#spans .row").count(), 6, way);
    await clear(page);
  }
  await close(page);
});

test("what is no trace is refused, with the reason, and takes nothing away", async () => {
  const page = await openPage(browser, server.url);
  await drop(page, UNMARKED, await capture(UNMARKED));
  await page.locator("#traces .row").waitFor();
  const bad = {
    "picture.png": Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0]),
    "note.json": Buffer.from('{"hello": "world"}'),
    "half.json": Buffer.from('{"resourceSpans": ['),
    "empty.pb": Buffer.from([]),
    "cut.pb": (await capture(UNMARKED)).subarray(0, 1000),
  };
  for (const [name, body] of Object.entries(bad)) {
    await drop(page, name, body);
    await page.locator(".notice.bad", { hasText: name }).waitFor();
    assert.match(await page.locator(".notice.bad bdi").innerText(), /could not be read: .{4}/);
  }
  assert.equal(await page.locator("#traces .row").count(), 1);
  await close(page);
});
