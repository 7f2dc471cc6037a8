// Traces that come while somebody looks, and more of them than the page can keep.
import assert from "node:assert/strict";
import { capture, close, launch, openPage, setUp, test, textOf } from "./browser.mjs";
import { startServer } from "./server.mjs";

const UNMARKED = "langfuse-py-5.0.4.observations-unmarked.pb";
const SPANS = 6;
/** Longest that the page's own thread may be busy at a time, in ms of its own CPU: other programs of the machine are not its fault. */
const LONG = 100;

let browser;
setUp(async (keep) => {
  browser = await keep(launch());
});

test("traces appear as they come, a trace grows, and a lost connection brings nothing twice", async (t) => {
  const server = await startServer({ live: true });
  t.after(() => server.close());
  const page = await openPage(browser, server.url);
  assert.equal(await page.locator(".state").innerText(), "Live");
  assert.match(await page.locator(".addresses").innerText(), /127\.0\.0\.1:4318/);
  // The children of an agent end before it does.
  const graph = await capture("more/langfuse-js-5.11.1.langgraph-entry-inherited.json");
  const isGraph = ({ name }) => name === "LangGraph";
  await server.send(spansOf(graph, (span) => !isGraph(span)));
  const row = page.locator("#traces .row");
  await row.waitFor();
  const spans = Number(/(\d+) spans/.exec(await row.innerText())[1]);
  await row.click();
  await page.locator("#spans .row").first().waitFor();
  assert.equal(await page.locator("#spans .row").count(), spans);
  assert.equal(await page.locator("#spans .row", { hasText: "LangGraph" }).count(), 0);
  await server.send(spansOf(graph, isGraph));
  await page.locator("#spans .is-entry", { hasText: "LangGraph" }).waitFor();
  assert.equal(await page.locator("#spans .entry-mark").count(), 1);
  // The list may be drawn after the waterfall.
  await page.locator("#traces .row", { hasText: `${spans + 1} spans` }).waitFor();
  assert.match(await row.innerText(), new RegExp(`LangGraph[\\s\\S]*${spans + 1} spans\n114 → 34 tokens`));
  server.hangUp();
  await page.locator(".state.waiting").waitFor();
  await page.locator(".state.live").waitFor();
  await server.send(await capture(UNMARKED));
  await row.nth(1).waitFor();
  assert.match(
    await page.locator("#traces .row", { hasText: "LangGraph" }).innerText(),
    new RegExp(`${spans + 1} spans`),
  );
  // A body that nobody can read is counted, and the others go on.
  await server.send(Buffer.from("no OTLP"), false);
  await page.locator(".held .bad", { hasText: "1 not readable" }).waitFor();
  page.faults = page.faults.filter((fault) => !/ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION/.test(fault));
  await close(page);
});

test("200,000 spans: the page answers, and keeps what it may", async (t) => {
  const server = await startServer({ live: true });
  t.after(() => server.close());
  const page = await openPage(browser, `${server.url}?traces=2000`);
  const body = await capture(UNMARKED);
  const bodies = copies(body);
  const traces = Math.ceil(200_000 / SPANS);
  const busy = await measured(page, async () => {
    for (let i = 0; i < traces; i++) {
      await server.send(bodies(i), false);
      if (i === 1000) {
        await page.locator("#traces .row").first().click();
        await page.locator("#why").waitFor();
      }
    }
    const gone = traces - 2000;
    await page
      .locator("#evicted", { hasText: `${gone.toLocaleString("en-US")} older traces gone` })
      .waitFor({ timeout: 60_000 });
    await page.locator(".filters-count", { hasText: /^2,000$/ }).waitFor({ timeout: 60_000 });
  });
  assert.match(await page.locator(".held").innerText(), /^12,000 spans · /);
  await page.locator("#search").fill("chat-turn");
  assert.match((await textOf(page, "#traces .row"))[0], /6 spans\n7 → 4 tokens/);
  console.log(
    `  200,000 spans: longest task ${busy.cpu.toFixed(0)} ms of CPU, ${busy.wall.toFixed(0)} ms by the clock`,
  );
  assert.ok(busy.cpu < LONG, `a task of ${busy.cpu} ms`);
  await close(page);
});

test("a trace of 1,000 spans scrolls, with few rows in the document, and nothing jumps", async (t) => {
  const server = await startServer({ live: true });
  t.after(() => server.close());
  const page = await openPage(browser, server.url);
  const bodies = copies(await capture(UNMARKED));
  // One trace: each copy has ids of its own, all hang below nothing that is here.
  const parts = Array.from({ length: 167 }, (_, i) => bodies(0, i));
  const busy = await measured(page, async () => {
    await server.send(Buffer.concat(parts));
    await page.locator("#spans .row").first().waitFor();
    await page.locator("#why").waitFor();
    await watchShifts(page);
    const tree = page.locator("#spans");
    assert.equal(await tree.locator(".row").first().getAttribute("aria-setsize"), "1002");
    for (let at = 0; at < 30_000; at += 700) {
      await tree.evaluate((element, at) => element.scrollTo(0, at), at);
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    }
    assert.ok((await tree.locator(".row").count()) < 80);
    await tree.focus();
    await page.keyboard.press("End");
    await page.locator("#spans .row[aria-posinset='1002'][aria-selected=true]").waitFor();
  });
  console.log(`  1,000 spans: longest task ${busy.cpu.toFixed(0)} ms of CPU, ${busy.wall.toFixed(0)} ms by the clock`);
  assert.ok(busy.cpu < LONG, `a task of ${busy.cpu} ms`);
  assert.deepEqual(await page.evaluate(() => globalThis.shifts), []);
  await close(page);
});

/** An OTLP/JSON body with those spans only. */
function spansOf(body, wanted) {
  const json = JSON.parse(body);
  for (const { scopeSpans } of json.resourceSpans) {
    for (const scope of scopeSpans) scope.spans = scope.spans.filter(wanted);
  }
  return Buffer.from(JSON.stringify(json));
}

/** Counts how far what is there moves by itself, from now on. */
function watchShifts(page) {
  return page.evaluate(() => {
    globalThis.shifts = [];
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries()) {
        globalThis.shifts.push({ value, moved: sources.map(({ node }) => node?.outerHTML?.slice(0, 120)) });
      }
    }).observe({ type: "layout-shift" });
  });
}

/** Copies of a body with one trace: the n-th has a trace id, and with `m` also span ids, of its own. */
function copies(body) {
  const traceId = body.subarray(body.indexOf(Buffer.from([0x0a, 0x10])) + 2).subarray(0, 16);
  const places = positions(body, traceId);
  assert.equal(places.length, SPANS);
  // After the trace's id come the span's and, but for the root, its parent's: a tag, a length of 8, the id.
  const ids = places.flatMap((at) => [at + 18, at + 28].filter((id) => body[id - 1] === 8));
  assert.equal(ids.length, 2 * SPANS - 1);
  return (n, m = 0) => {
    const copy = Buffer.from(body);
    for (const at of places) copy.writeUInt32BE(n + 1, at);
    for (const at of m === 0 ? [] : ids) copy.writeUInt16BE(m, at);
    return copy;
  };
}

function positions(body, part) {
  const found = [];
  for (let at = body.indexOf(part); at >= 0; at = body.indexOf(part, at + 1)) found.push(at);
  return found;
}

/** The longest task of the page's own thread while `work` runs, in ms: its CPU time and the time by the clock. */
async function measured(page, work) {
  await browser.startTracing(page, { categories: ["toplevel", "disabled-by-default-devtools.timeline"] });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const threads = traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain");
  const isPage = ({ pid, tid }) => threads.some((thread) => thread.pid === pid && thread.tid === tid);
  const tasks = traceEvents.filter((event) => /RunTask$/.test(event.name) && event.ph === "X" && isPage(event));
  assert.ok(tasks.length > 100, `${tasks.length} tasks in the trace`);
  const longest = (key) => Math.max(...tasks.map((task) => (task[key] ?? 0) / 1000));
  return { cpu: longest("tdur"), wall: longest("dur") };
}
