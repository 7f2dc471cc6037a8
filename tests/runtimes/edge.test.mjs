// genspan/edge in workerd: what ends after the response arrives, requests share nothing, and a backend that is down delays none.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { decode, flatten, startReceiver } from "../../demo/receiver.mjs";
import { bin, makeProject, project } from "./project.mjs";
import { bundleWorker, startWorker } from "./workerd.mjs";

const skip = existsSync(bin("workerd")) ? false : "workerd is not installed";
const scriptPath = join(project, "worker.js");

before(async () => {
  if (skip) return;
  await makeProject();
  await bundleWorker({
    entryPoints: ["edge-worker.mjs"],
    outfile: scriptPath,
  });
});

async function worker(t, status = () => 200) {
  const taken = [];
  const respond = (request) => {
    const answer = status();
    if (answer === 200) taken.push(request);
    return { status: answer, afterMillis: answer === 200 ? 0 : 1000 };
  };
  const receiver = await startReceiver({ respond });
  const miniflare = startWorker(scriptPath, {
    bindings: { ENDPOINT: receiver.url, OTEL_SERVICE_NAME: "shop" },
  });
  t.after(async () => {
    await miniflare.dispose();
    await receiver.close();
  });
  return {
    receiver,
    handlers: () => miniflare.getWorker(),
    async get(path) {
      const response = await miniflare.dispatchFetch(`http://worker/${path}`);
      assert.equal(await response.text(), "sunny");
      return Number(response.headers.get("requests"));
    },
    /** Waits until the receiver has taken so many spans, and gives what it has by then and a while later. */
    async arrived(count) {
      const spans = () => taken.flatMap(({ body }) => flatten(decode(body)));
      for (let i = 0; i < 100 && spans().length < count; i++) await sleep(50);
      await sleep(200);
      return spans();
    },
  };
}

const names = (spans) => spans.map(({ name }) => name).toSorted();
const both = (list) => list.flatMap((name) => [name, `chat ${name}`]).toSorted();

for (const way of ["sdk", "trace"]) {
  test(`${way}: spans that end after the response arrive`, { skip }, async (t) => {
    const { receiver, get, arrived } = await worker(t);
    await get(`${way}/first`);
    assert.equal(receiver.requests.length, 0);
    const spans = await arrived(2);
    assert.deepEqual(names(spans), both(["first"]));
    assert.equal(spans.find(({ name }) => name === "chat first").attributes["gen_ai.is_entry"], true);
  });

  test(`${way}: requests that run at the same time all arrive, again and again`, { skip }, async (t) => {
    const { get, arrived } = await worker(t);
    const all = [];
    for (let round = 0; round < 5; round++) {
      const list = Array.from({ length: 10 }, (_, i) => `a-${round}-${i}`);
      await Promise.all(list.map((name) => get(`${way}/${name}`)));
      all.push(...list);
      if (round % 2) await arrived(2 * all.length);
    }
    assert.deepEqual(names(await arrived(2 * all.length)), both(all));
  });

  test(`${way}: a backend that is slow and refuses delays no response, and gets the spans when it is well again`, {
    skip,
  }, async (t) => {
    let down = true;
    const { get, arrived } = await worker(t, () => (down ? 503 : 200));
    await get("nothing/warm");
    const started = performance.now();
    const list = Array.from({ length: 5 }, (_, i) => `slow-${i}`);
    for (const name of list) await get(`${way}/${name}`);
    const took = performance.now() - started;
    assert.ok(took < 500, `five responses took ${took} ms`);
    assert.deepEqual(await arrived(0), []);
    down = false;
    assert.deepEqual(names(await arrived(10)), both(list));
  });
}

// README promise: "Nothing of ours breaks the host"
test("handlers of schedules and queues are traced; a message that has a traceparent is part of its sender's trace", {
  skip,
}, async (t) => {
  const { handlers, arrived } = await worker(t);
  const { scheduled, queue } = await handlers();
  const { outcome } = await scheduled({ cron: "5 4 * * *", scheduledTime: new Date() });
  const headers = { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` };
  const bodies = [{ name: "first", headers }, { name: "second" }];
  const messages = bodies.map((body, i) => ({ id: `${i}`, timestamp: new Date(), attempts: 1, body }));
  const result = await queue("jobs", messages);
  assert.deepEqual([outcome, result.outcome, result.ackAll], ["ok", "ok", true]);
  const spans = await arrived(6);
  assert.deepEqual(names(spans), both(["queue first", "queue second", "scheduled 5 4 * * *"]));
  const trace = (wanted) => spans.find(({ name }) => name === wanted);
  assert.equal(trace("queue first").traceId, "a".repeat(32));
  assert.equal(trace("queue first").parentSpanId, "b".repeat(16));
  assert.notEqual(trace("queue second").traceId, "a".repeat(32));
});

test("two tenants in one isolate: each span goes out under its own token, with its own resource", {
  skip,
}, async (t) => {
  const { receiver, get, arrived } = await worker(t);
  const list = Array.from({ length: 40 }, (_, i) => `${i % 2 ? "red" : "blue"}-${i}`);
  for (let at = 0; at < list.length; at += 8) {
    await Promise.all(list.slice(at, at + 8).map((name) => get(`trace/${name}`)));
    await sleep(30);
  }
  assert.deepEqual(names(await arrived(80)), both(list));
  assert.equal(await get("nothing"), list.length + 1, "it was more than one isolate");
  for (const { headers, body } of receiver.requests) {
    const tenant = headers.authorization.replace("Bearer ", "");
    const other = tenant === "red" ? "blue" : "red";
    assert.ok(body.includes(tenant));
    assert.ok(!body.includes(other), `${other} in a request of ${tenant}`);
  }
});
