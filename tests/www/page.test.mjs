// The page itself: what a hostile span cannot do, the keyboard, other people's eyes, its words, its size.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test as testWithoutBrowser } from "node:test";
import { gzipSync } from "node:zlib";
import { GenSpanProcessor } from "../../pkg/dist/node.js";
import { attributesAfter, capture, close, drop, launch, openPage, setUp, test, textOf } from "./browser.mjs";
import { startServer, WWW } from "./server.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SPAN = "langfuse-py-5.0.4.langgraph-entry-inherited.pb";

let browser;
let server;
setUp(async (keep) => {
  server = await keep(startServer());
  browser = await keep(launch());
});

// ---- hostile content

const IMAGE = '<img src="https://evil.example/x.png" onerror="window.wasRun=1">';
const SCRIPT = "<script>window.wasRun=2</script>";
const LINK = "[click](javascript:window.wasRun=3) javascript:window.wasRun=4";
const TURNED = "safe\u202egnp.exe\u200b\u2066";
const HOSTILE = [IMAGE, SCRIPT, LINK, TURNED].join(" ");

function hostileBody() {
  const attribute = (key, stringValue) => ({ key, value: { stringValue } });
  const messages = [
    { role: HOSTILE, parts: [{ type: "text", content: HOSTILE }] },
    {
      role: "user",
      parts: [{ type: "uri", modality: "image", mime_type: HOSTILE, uri: "https://evil.example/y.png" }],
    },
    { role: "user", parts: [{ type: "blob", modality: "image", mime_type: "image/png", content: "iVBORw0KGgo=" }] },
    { role: "assistant", parts: [{ type: "tool_call", id: HOSTILE, name: HOSTILE, arguments: { html: HOSTILE } }] },
    {
      role: "assistant",
      parts: [
        { type: "reasoning", content: HOSTILE },
        { type: "__proto__", content: HOSTILE },
      ],
    },
  ];
  const span = {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    name: HOSTILE,
    startTimeUnixNano: "1700000000000000000",
    endTimeUnixNano: "1700000001000000000",
    status: { code: 2, message: HOSTILE },
    attributes: [
      attribute("gen_ai.operation.name", "chat"),
      attribute("gen_ai.request.model", HOSTILE),
      attribute("gen_ai.input.messages", JSON.stringify(messages)),
      attribute("gen_ai.tool.definitions", JSON.stringify([{ type: "function", name: HOSTILE }])),
      attribute("user.id", HOSTILE),
      attribute("session.id", HOSTILE),
      attribute(HOSTILE, HOSTILE),
      attribute("__proto__", HOSTILE),
      attribute("gen_ai.span.kind", "constructor"),
    ],
    events: [{ timeUnixNano: "1700000000500000000", name: HOSTILE, attributes: [attribute(HOSTILE, HOSTILE)] }],
  };
  const resource = { attributes: [attribute("service.name", HOSTILE)] };
  return Buffer.from(
    JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: HOSTILE }, spans: [span] }] }] }),
  );
}

test("a hostile span is text: nothing runs, nothing is loaded, nothing turns the text around it", async () => {
  const page = await openPage(browser, server.url);
  await drop(page, `${IMAGE}.json`, hostileBody());
  await page.locator("#why").waitFor();
  for (const profile of ["otel", "tencent", "langfuse", "openinference"]) {
    await page.locator("#profile").selectOption(profile);
    await page
      .locator(".changes-head, .part .quiet", { hasText: /After|as it came/ })
      .first()
      .waitFor();
    await page.locator("details").evaluateAll((all) => {
      for (const details of all) details.open = true;
    });
    await page.locator("#configure").click();
    await page.locator("dialog pre").waitFor();
    await page.keyboard.press("Escape");
    const made = await page
      .locator("#app :is(img, script, iframe, object, embed, link, a, style, base, form, meta)")
      .count();
    assert.equal(made, 0, profile);
  }
  assert.equal(await page.evaluate(() => window.wasRun), undefined);
  const shown = await page.locator("#app").innerText();
  for (const text of [IMAGE, SCRIPT, LINK]) assert.ok(shown.includes(text), `not shown: ${text}`);
  assert.ok(shown.includes("safe⟨U+202E⟩gnp.exe⟨U+200B⟩⟨U+2066⟩"));
  assert.doesNotMatch(shown, /[\u202a-\u202e\u2066-\u2069]/);
  assert.match(await page.locator(".media").last().innerText(), /image\s+image\/png\s+8 B/);
  await close(page);
});

testWithoutBrowser(
  "its policy has nothing to allow: no inline script, no inline style, relative addresses",
  async () => {
    const html = await readFile(`${WWW}index.html`, "utf8");
    assert.doesNotMatch(html, /<style|style=|\son\w+=|<script(?![^>]*\ssrc=)/);
    const addresses = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
    assert.ok(addresses.length >= 3);
    for (const address of addresses) assert.match(address, /^\.\//);
  },
);

testWithoutBrowser("the page weighs less than 60 KB, the module aside", async () => {
  const files = (await readdir(`${WWW}assets`)).filter((name) => /\.(js|css)$/.test(name));
  const sizes = await Promise.all(files.map(async (name) => gzipSync(await readFile(`${WWW}assets/${name}`)).length));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`  www: ${(total / 1024).toFixed(1)} KB of script and style with gzip`);
  assert.ok(total < 60 * 1024, `${total} bytes`);
});

// ---- hands and eyes

test("by the keyboard alone: search, list, waterfall, span, and back", async () => {
  const page = await openPage(browser, server.url);
  await drop(page, "a.pb", await capture(SPAN));
  await drop(page, "b.pb", await capture("langfuse-py-5.0.4.observations-unmarked.pb"));
  await page.locator("#traces .row").nth(1).waitFor();
  const at = () => page.evaluate(() => document.activeElement.id);
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  };
  await press("/");
  assert.equal(await at(), "search");
  await page.keyboard.type("langg");
  await page.waitForFunction(() => document.querySelectorAll("#traces .row").length === 1);
  await press("Enter");
  assert.equal(await at(), "traces");
  await press("Enter");
  assert.equal(await at(), "spans");
  await page.locator("#spans .is-entry[aria-selected=true]").waitFor();
  const rows = await page.locator("#spans .row").count();
  await press("ArrowLeft"); // closes what is below the entry
  assert.ok((await page.locator("#spans .row").count()) < rows);
  await press("ArrowRight", "ArrowDown");
  assert.equal(await page.locator("#spans .row").count(), rows);
  await page.locator("#span h2", { hasText: "agent" }).waitFor();
  await press("End");
  await page.locator("#span h2", { hasText: "should_continue" }).waitFor();
  await press("Home");
  await page.locator("#span h2", { hasText: "POST /chat" }).waitFor();
  const active = await page.evaluate(
    () => document.getElementById(document.activeElement.getAttribute("aria-activedescendant")).innerText,
  );
  assert.match(active, /POST \/chat/);
  await press("Enter");
  assert.equal(await at(), "span");
  await press("Escape");
  assert.equal(await at(), "spans");
  await press("Escape");
  assert.equal(await at(), "traces");
  await press("Escape");
  assert.equal(await at(), "search");
  await press("Escape");
  await page.waitForFunction(() => document.querySelectorAll("#traces .row").length === 2);
  assert.equal(await page.locator("#search").inputValue(), "");
  await close(page);
});

test("axe finds nothing serious, in light and in dark, wide and narrow", async () => {
  for (const [colorScheme, widths] of Object.entries({ light: [1440, 390], dark: [1440] })) {
    for (const width of widths) {
      const page = await openPage(browser, server.url, {
        colorScheme,
        viewport: { width, height: 844 },
        bypassCSP: true,
      });
      await page.evaluate(AXE);
      const look = async (where) => {
        const { violations } = await page.evaluate(() => globalThis.axe.run());
        const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        const told = grave.map(
          ({ id, nodes }) =>
            `${id}: ${nodes
              .map(({ html }) => html)
              .slice(0, 3)
              .join(" ")}`,
        );
        assert.deepEqual(told, [], `${where}, ${colorScheme}, ${width} pixels`);
      };
      await look("welcome");
      await drop(page, "a.pb", await capture("openinference-openai-py-0.1.66.chat-embed-error.pb"));
      await page.locator("#traces .row").waitFor();
      await drop(page, "b.pb", await capture(SPAN));
      await page.locator("#traces .row").nth(1).waitFor();
      await page.locator("#traces .row", { hasText: "LangGraph" }).click();
      await page.locator("#spans .row").first().waitFor();
      if (width === 390) await look("trace");
      await page.locator("#spans .row", { hasText: "ChatOpenAI" }).last().click();
      await page.locator(".usage-bar").waitFor();
      await page.locator("#changes .line.new").first().hover();
      await look("span");
      await page.locator("#configure").click();
      await look("configuration");
      await close(page);
    }
  }
});

test("light and dark follow the system, until somebody chooses", async () => {
  const page = await openPage(browser, server.url, { colorScheme: "dark" });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.emulateMedia({ colorScheme: "light" });
  const light = await ground();
  assert.notEqual(dark, light);
  await page.locator("#theme").click();
  await page.locator("#theme").click();
  assert.match(await page.locator("#theme").getAttribute("aria-label"), /Dark/);
  assert.equal(await ground(), dark);
  await page.reload();
  await page.locator(".welcome").waitFor();
  assert.equal(await ground(), dark);
  await close(page);
});

test("Chinese where the browser speaks it, and English when asked for", async () => {
  const page = await openPage(browser, server.url, { locale: "zh-CN" });
  assert.equal(await page.locator(".welcome h2").innerText(), "看见 genspan 所见");
  assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-CN");
  await drop(page, "a.pb", await capture(SPAN));
  await page.locator("#why.yes").waitFor();
  assert.match(await page.locator("#why").innerText(), /此 span 是入口\s+它带有标记，且上方没有带标记的 span/);
  await page.locator("#language").click();
  assert.match(await page.locator("#why").innerText(), /This span is the entry/);
  await close(page);
});

testWithoutBrowser("what the core says is there in Chinese too", async () => {
  const words = await readFile(new URL("../../www/src/i18n.ts", import.meta.url), "utf8");
  const explain = await readFile(new URL("../../src/explain.rs", import.meta.url), "utf8");
  const conventions = await readFile(new URL("../../src/conventions/mod.rs", import.meta.url), "utf8");
  const labels = conventions.slice(conventions.indexOf("pub fn label"), conventions.indexOf("pub fn is_proof"));
  const codes = [...explain.matchAll(/\("([a-z_]+)", "[a-z][^"]*"\)|\(\s*"([a-z_]+)",\s*"/g)].map(
    ([, code, other]) => code ?? other,
  );
  const types = await readFile(new URL("../../pkg/src/slim.ts", import.meta.url), "utf8");
  const union = types.match(/export type EntryReason =([^;]+);/)[1];
  assert.deepEqual(new Set(union.match(/[a-z_]+/g)), new Set(codes));
  const ofAttributes = explain.replace(/fn why\(of[\s\S]+?\n}\n/, "");
  const phrases = [...`${ofAttributes}${labels}`.matchAll(/b?"([a-z][^"{}\\]* [^"{}\\]+)"/g)].map(
    ([, phrase]) => phrase,
  );
  assert.ok(phrases.length > 50, `${phrases.length} phrases found`);
  assert.deepEqual(
    phrases.filter((phrase) => !words.includes(`"${phrase}":`)),
    [],
  );
});

// ---- what it brings along

test("five samples of five conventions, each with an entry", async () => {
  const page = await openPage(browser, server.url);
  const names = await textOf(page, ".sample b");
  assert.deepEqual(names, ["Langfuse", "OpenInference", "OpenLLMetry", "Vercel AI SDK", "OpenTelemetry GenAI"]);
  const conventions = ["langfuse", "openinference", "openllmetry", "vercel", "otel"];
  for (const [i, name] of names.entries()) {
    await page.locator(".sample", { hasText: name }).click();
    await page.locator("#why.yes").waitFor();
    const facts = await page.locator("#span .facts").innerText();
    assert.ok(facts.includes(conventions[i]), `${name}: ${facts}`);
    assert.match(await page.locator("#traces .row").innerText(), /\d+ → \d+ tokens/);
    await page.locator(".held button").click();
    await page.locator(".welcome").waitFor();
  }
  await close(page);
});

test("search and filters", async () => {
  const page = await openPage(browser, server.url);
  for (const name of [
    "langfuse-py-3.2.6.langgraph-entry-inherited.1.pb",
    "langfuse-py-5.0.4.observations-unmarked.pb",
    SPAN,
  ]) {
    await drop(page, name, await capture(name));
    await page.locator(".notice", { hasText: name }).waitFor();
  }
  const names = () => textOf(page, "#traces .trace-name bdi");
  const all = await names();
  assert.deepEqual(all.toSorted(), ["LangGraph", "POST /chat", "chat-turn"]);
  const finds = {
    gpt: ["LangGraph", "chat-turn"],
    "GPT-4o-mini lang": ["LangGraph"],
    "user-456": ["LangGraph"],
    nothing: [],
  };
  for (const [text, found] of Object.entries(finds)) {
    await page.locator("#search").fill(text);
    await page.waitForFunction((n) => document.querySelectorAll("#traces .row").length === n, found.length);
    assert.deepEqual((await names()).toSorted(), found, text);
  }
  await page.locator("#search").fill("");
  await page.locator(".toggle", { hasText: "Errors" }).click();
  assert.deepEqual(await names(), ["chat-turn"]);
  await page.locator(".toggle", { hasText: "Errors" }).click();
  await page.locator(".toggle", { hasText: "No entry" }).click();
  assert.deepEqual(await names(), ["POST /chat"]);
  await close(page);
});

test("the configuration to copy is one that the package takes", async () => {
  const page = await openPage(browser, server.url, { permissions: ["clipboard-read", "clipboard-write"] });
  await drop(page, "a.pb", await capture(SPAN));
  await page.locator("#why").waitFor();
  for (const profile of ["otel", "otel-1.41", "tencent", "tencent-cls", "langfuse", "openinference"]) {
    await page.locator("#profile").selectOption(profile);
    await page.locator("#configure").click();
    for (const place of ["Node", "Worker", "Envoy"]) {
      await page.getByRole("tab", { name: place }).click();
      await page.locator("#copy").click();
      await page.locator("#copy", { hasText: "Copied" }).waitFor();
      const text = await page.evaluate(() => navigator.clipboard.readText());
      const [, options] = {
        Node: /Processor\((\{[\s\S]*?\n\})\)/,
        Worker: /\?\?= (\{[\s\S]*?\n {4}\});/,
        Envoy: /value: \|\n(.*)\n/,
      }[place].exec(text);
      const env = {
        TENCENT_APM_TOKEN: "t",
        CLS_TOPIC_ID: "t",
        TENCENTCLOUD_SECRET_ID: "id",
        TENCENTCLOUD_SECRET_KEY: "k",
        LANGFUSE_PUBLIC_KEY: "pk",
        LANGFUSE_SECRET_KEY: "sk",
      };
      const config = new Function("env", "process", `return (${options});`)(env, { env });
      assert.equal(config.profile, profile);
      assert.equal(config.serviceName, "shop-agent");
      await new GenSpanProcessor(config).shutdown();
    }
    await page.keyboard.press("Escape");
  }
  await close(page);
});

test("warnings: a name that the backend refuses, a call without model and usage, content that nobody reads", async () => {
  const page = await openPage(browser, server.url);
  const attribute = (key, stringValue) => ({ key, value: { stringValue } });
  const span = {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    parentSpanId: "00f067aa0ba902b7",
    name: "chat",
    startTimeUnixNano: "1700000000000000000",
    endTimeUnixNano: "1700000001000000000",
    attributes: [attribute("gen_ai.operation.name", "chat"), attribute("my.prompt", "hello")],
  };
  const resource = { attributes: [attribute("service.name", "My App")] };
  await drop(
    page,
    "a.json",
    Buffer.from(JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] })),
  );
  await page.locator(".warnings").waitFor();
  const said = (await textOf(page, ".warnings li")).join("\n");
  for (const text of ["No model", "No token usage", "my.prompt", "00f067aa0ba902b7"])
    assert.ok(said.includes(text), said);
  assert.ok(!said.includes("My App"), "only one profile has a rule for names");
  await page.locator("#profile").selectOption("tencent");
  await page.locator(".warnings li", { hasText: 'such as "my-app"' }).waitFor();
  assert.equal((await attributesAfter(page))["gen_ai.span.kind"], "LLM");
  await close(page);
});
