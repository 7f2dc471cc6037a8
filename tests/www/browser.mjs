// Debian's Chromium, quiet, and what the tests do with a page.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { CHROMIUM, noChromium, QUIET } from "../chromium.mjs";
import { needing } from "../setup.mjs";

export const CAPTURES = fileURLToPath(new URL("../fixtures/captures/", import.meta.url));
export const capture = (name) => readFile(`${CAPTURES}${name}`);

export const { test, setUp } = needing(noChromium);

export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: QUIET });

/** A page that fails its test with whatever it logs as an error, and that remembers what it asked for. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ locale: "en-US", viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.faults = [];
  page.asked = [];
  page.on("console", (message) => message.type() === "error" && page.faults.push(message.text()));
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("request", (request) => page.asked.push(request.url()));
  page.on("dialog", (dialog) => {
    page.faults.push(`a dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  await page.goto(url);
  await page.locator(".state.static, .state.live").waitFor();
  return page;
}

/** Drops files, each a name and its bytes, onto the page, as somebody would with the mouse. */
export async function dropAll(page, files) {
  const transfer = await page.evaluateHandle(
    (files) => {
      const data = new DataTransfer();
      for (const [name, base64] of files) {
        data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
      }
      return data;
    },
    files.map(([name, body]) => [basename(name), Buffer.from(body).toString("base64")]),
  );
  await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
}

export const drop = (page, name, body) => dropAll(page, [[name, body]]);

/** The text of the attributes that go out, by their keys. */
export async function attributesAfter(page) {
  const lines = page.locator("#changes .line.new");
  const pairs = await lines.evaluateAll((all) =>
    all.map((line) => [line.querySelector(".key").textContent, line.querySelector(".value").textContent]),
  );
  return Object.fromEntries(pairs);
}

export const textOf = (page, selector) => page.locator(selector).allInnerTexts();

/** Forgets all traces, and waits until the page has. */
export async function clear(page) {
  await page.locator(".held button").click();
  await page.locator(".welcome").waitFor();
}

/** Ends a test: nothing may have gone wrong, and nothing been asked of anybody else. */
export async function close(page) {
  const { origin } = new URL(page.url());
  assert.deepEqual(page.faults, []);
  assert.deepEqual(
    page.asked.filter((url) => !url.startsWith(`${origin}/`)),
    [],
  );
  await page.context().close();
}
