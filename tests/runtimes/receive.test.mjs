// genspan/receive in workerd: a thousand bodies, wrong secrets, a backend that is down, and two tenants; and the example, by the lines of its README.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { encode, startReceiver } from "../../demo/receiver.mjs";
import { bin, inProject, makeProject, missing, project } from "./project.mjs";
import { bundleWorker, startWorker } from "./workerd.mjs";

const skip = existsSync(bin("workerd")) ? false : "workerd is not installed";
const scriptPath = join(project, "receiver.js");

before(async () => {
  await makeProject();
  if (skip) return;
  await bundleWorker({ entryPoints: ["receive-worker.mjs"], outfile: scriptPath });
});

async function worker(t, respond, timeout = 20_000, options = {}) {
  const backend = await startReceiver({ respond });
  const miniflare = startWorker(scriptPath, {
    ...options,
    bindings: { ENDPOINT: backend.url, ANSWER_TIMEOUT: timeout },
  });
  t.after(async () => {
    await miniflare.dispose();
    await backend.close();
  });
  await miniflare.ready;
  return {
    backend,
    post: (body, { token = "red-token", path = "/v1/traces", ...headers } = {}) =>
      miniflare.dispatchFetch(`http://worker${path}`, {
        method: "POST",
        headers: {
          "content-type": "application/x-protobuf",
          ...(token && { authorization: `Bearer ${token}` }),
          ...headers,
        },
        body,
      }),
  };
}

/** The body of one call of a model below an agent, as protobuf. */
function body(number, name = `agent ${number}`) {
  const attribute = (key, stringValue) => ({ key, value: { stringValue } });
  const traceId = number.toString(16).padStart(32, "0");
  const span = (spanId, parentSpanId, spanName, operation) => ({
    traceId,
    spanId,
    parentSpanId,
    name: spanName,
    startTimeUnixNano: "1700000000000000000",
    endTimeUnixNano: "1700000001000000000",
    attributes: [attribute("gen_ai.operation.name", operation), attribute("gen_ai.request.model", "gpt-4o-mini")],
  });
  const spans = [
    span("00000000000000b1", "00000000000000a1", "chat", "chat"),
    span("00000000000000a1", "", name, "invoke_agent"),
  ];
  return encode({ resourceSpans: [{ scopeSpans: [{ scope: { name: "gateway" }, spans }] }] });
}

test("a thousand bodies: each is delivered once, with one entry", { skip }, async (t) => {
  const { backend, post } = await worker(t);
  const count = 1000;
  let next = 1;
  const statuses = {};
  const sender = async () => {
    while (next <= count) {
      const number = next++;
      const packed = number % 2 ? body(number) : gzipSync(body(number));
      const headers = number % 2 ? {} : { "content-encoding": "gzip" };
      const { status } = await post(packed, headers);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 20 }, sender));
  assert.deepEqual(statuses, { 200: count });
  const spans = backend.spans();
  assert.equal(spans.length, 2 * count);
  const entries = spans.filter(({ attributes }) => attributes["gen_ai.is_entry"] === true);
  assert.equal(new Set(entries.map(({ traceId }) => traceId)).size, count);
  assert.ok(entries.every(({ name }) => name.startsWith("agent")) && entries.length === count);
});

// README promise: "Secrets stay"
test("without the secret nothing reaches the backend", { skip }, async (t) => {
  const { backend, post } = await worker(t);
  for (const options of [
    { token: "" },
    { token: "red-token2" },
    { token: "red" },
    { token: "", path: "/red/v1/traces" },
  ]) {
    const response = await post(body(1), options);
    assert.equal(response.status, 401);
    assert.ok(!(await response.text()).includes("red-token"));
  }
  assert.equal(backend.requests.length, 0);
  assert.equal((await post(body(1), { token: "", path: "/red-token/v1/traces" })).status, 200);
  assert.equal(backend.requests.length, 1);
});

test("a backend that is down: the sender is told to come again, and each body arrives once when it is well", {
  skip,
}, async (t) => {
  let down = true;
  const { backend, post } = await worker(t, () => ({ status: down ? 503 : 200 }), 500);
  const answers = await Promise.all([1, 2, 3].map((number) => post(body(number))));
  for (const response of answers) {
    assert.deepEqual([response.status, response.headers.get("retry-after")], [503, "2"]);
  }
  const before = backend.requests.length;
  down = false;
  for (const number of [1, 2, 3]) assert.equal((await post(body(number))).status, 200);
  assert.equal(backend.requests.length, before + 3);
});

test("with a queue, what no destination takes waits in it, and each body arrives once when the backend is well", {
  skip,
}, async (t) => {
  let down = true;
  const parked = { maxBatchTimeout: 0.2, maxRetries: 100, retryDelay: 1 };
  const options = { queueProducers: { QUEUE: "parked" }, queueConsumers: { parked } };
  const taken = [];
  const respond = (request) => {
    if (!down) taken.push(request);
    return { status: down ? 503 : 200 };
  };
  const { post } = await worker(t, respond, 500, options);
  const tokens = ["red-token", "blue-token"];
  for (const [i, token] of tokens.entries()) {
    assert.equal((await post(body(i + 1, token), { token })).status, 200);
  }
  down = false;
  for (let i = 0; i < 100 && taken.length < 2; i++) await sleep(100);
  await sleep(500);
  assert.equal(taken.length, 2);
  for (const { headers, body } of taken) {
    const tenant = headers.authorization.replace("Bearer ", "");
    assert.ok(body.includes(`${tenant}-token`));
  }
});

// README promise: "Secrets stay"
test("two tenants: each body goes out under the key of its own tenant", { skip }, async (t) => {
  const { backend, post } = await worker(t);
  const sent = Array.from({ length: 60 }, (_, i) => (i % 2 ? "red" : "blue"));
  const answers = await Promise.all(sent.map((of, i) => post(body(i + 1, of), { token: `${of}-token` })));
  for (const { status } of answers) assert.equal(status, 200);
  assert.equal(backend.spans().length, 120);
  for (const { headers, body } of backend.requests) {
    const tenant = headers.authorization.replace("Bearer ", "");
    assert.ok(body.includes(tenant) && !body.includes(tenant === "red" ? "blue" : "red"));
  }
});

for (const [name, command, args] of [
  ["Node", process.execPath, []],
  ["Bun", bin("bun"), ["run"]],
  ["Deno", bin("deno"), ["run", "--allow-net", "--allow-read", "--allow-env", "--allow-sys"]],
]) {
  const lacks = name === "Node" ? undefined : missing(name.toLowerCase());
  test(`${name}: its own server hands requests to the receiver`, { skip: lacks ?? false }, async (t) => {
    const backend = await startReceiver();
    t.after(() => backend.close());
    const stdout = await inProject(command, [...args, "receive-program.mjs"], { ENDPOINT: backend.url });
    assert.equal(stdout, "200 {}\n");
    const [{ name: received, resource, attributes }] = backend.spans();
    assert.deepEqual([received, resource["host.name"]], ["chat", "127.0.0.1"]);
    assert.equal(attributes["gen_ai.is_entry"], true);
  });
}
