// `genspan inspect` as somebody uses it: the command runs, a real SDK sends to it, and the page shows what the application did.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { command } from "../../pkg/test/serving.mjs";
import { noChromium } from "../chromium.mjs";
import { CLIENT, noPython, python, startCanned } from "../envoy/envoy.mjs";
import { needing } from "../setup.mjs";
import { attributesAfter, close, launch, openPage } from "./browser.mjs";

const run = promisify(execFile);

const { test, setUp } = needing(noChromium || noPython);

let browser;
setUp(async (keep) => {
  browser = await keep(launch());
});

for (const exporter of ["http", "grpc"]) {
  test(`an agent of LangGraph, traced by Langfuse's SDK over ${exporter}, is there while somebody looks`, async (t) => {
    const canned = await startCanned();
    t.after(() => canned.close());
    const inspect = command(t, ["inspect", "--port", "0", "--grpc-port", "0"]);
    const { url, grpc } = await inspect.ready;
    const page = await openPage(browser, url);
    assert.equal(await page.locator(".state").innerText(), "Live");
    assert.match(await page.locator(".addresses").innerText(), new RegExp(new URL(url).port));

    const env = { ...process.env, CANNED: canned.url, PROXY_HTTP: url, PROXY_GRPC: `http://${grpc}` };
    await run(python("newest"), [CLIENT, "langgraph", exporter, "gzip", "batch"], { env, timeout: 60_000 });

    const row = page.locator("#traces .row", { hasText: "LangGraph" });
    await row.waitFor();
    await row.click();
    const entry = page.locator("#spans .is-entry");
    await entry.waitFor();
    assert.match(await entry.innerText(), /LangGraph/);
    assert.equal(await page.locator("#spans .entry-mark").count(), 1);
    await page.locator("#spans .row", { hasText: "ChatOpenAI" }).last().click();
    await page.locator("#changes .line.new").first().waitFor();
    const attributes = await attributesAfter(page);
    // What the canned model answered.
    assert.equal(attributes["gen_ai.usage.input_tokens"], "57");
    assert.equal(attributes["gen_ai.response.model"], "gpt-4o-mini-2024-07-18");
    assert.match(attributes["gen_ai.input.messages"], /深圳天气如何\?/);
    await close(page);

    inspect.kill("SIGTERM");
    assert.equal((await inspect.ended).status, 0);
  });
}
