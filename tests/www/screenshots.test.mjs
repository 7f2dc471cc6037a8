// The page as it looks: target/www/*.png, light and dark, wide and narrow. Whether it is beautiful is for people to say; that nothing runs out
// of the window, a test can.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { capture, close, launch, openPage, test } from "./browser.mjs";
import { startServer } from "./server.mjs";

const OUT = fileURLToPath(new URL("../../target/www/", import.meta.url));
const FILES = [
  "langfuse-py-5.0.4.langgraph-entry-inherited.pb",
  "langfuse-py-5.0.4.observations-unmarked.pb",
  "openinference-openai-py-0.1.66.chat-embed-error.pb",
  "more/openinference-openai-agents-py-2.6.0.handoff.pb",
  "more/openllmetry-langchain-py-0.62.4.agent-marked.pb",
  "more/google-adk-py-2.13.0.team.pb",
  "more/vercel-ai-js-6.0.326.agent.pb",
  "more/pydantic-ai-py-2.68.0.responses.pb",
  "more/langfuse-js-5.11.1.observations-propagated.json",
];

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1440, 390]) test(`${colorScheme}, ${width} pixels`, (t) => shoot(t, colorScheme, width));
}

async function shoot(t, colorScheme, width) {
  mkdirSync(OUT, { recursive: true });
  const server = await startServer({ live: true });
  t.after(() => server.close());
  const browser = await launch();
  t.after(() => browser.close());
  const page = await openPage(browser, server.url, {
    colorScheme,
    viewport: { width, height: width === 390 ? 844 : 900 },
    deviceScaleFactor: 2,
  });
  const shot = async (name) => {
    await page.screenshot({ path: `${OUT}${name}-${colorScheme}-${width}.png` });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width, `${name} is too wide`);
  };
  const toChanges = () =>
    page.locator("#changes").evaluate((changes) => {
      const panel = document.getElementById("span");
      panel.scrollTop = changes.offsetTop - panel.offsetTop - 130;
    });
  const rule = page.locator("#changes .line.new", { hasText: "gen_ai.usage.input_tokens" });
  await shot("welcome");
  for (const file of FILES) await server.send(await capture(file));
  await page
    .locator("#traces .row")
    .nth(FILES.length - 1)
    .waitFor();
  if (width === 390) await shot("list");
  await page.locator("#traces .row", { hasText: "LangGraph" }).click();
  await page.locator("#spans .is-entry", { hasText: "LangGraph" }).waitFor();
  if (width === 390) await shot("trace");
  else {
    await page.locator("#why.yes").waitFor();
    await shot("entry");
  }
  await page.locator("#spans .row", { hasText: "ChatOpenAI" }).last().click();
  await page.locator(".usage-bar").waitFor();
  await page.mouse.move(0, 0);
  await shot("span");
  await toChanges();
  await rule.hover();
  await shot("changes");
  await page.locator("#configure").click();
  await page.locator("dialog pre").waitFor();
  await shot("configuration");
  await page.keyboard.press("Escape");
  await page.locator("#language").click();
  await shot("chinese");
  await close(page);
}
