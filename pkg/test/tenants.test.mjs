// Several accounts with one spool: what was written for one goes to no other, whatever process reads it.
// README promise: "Secrets stay"
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { GenSpanProcessor } from "genspan";
import { startCollector } from "./collector.mjs";
import { warnings } from "./host.mjs";

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
const key = (value) => ({ headers: { authorization: value } });

/** A backend of many accounts, which is down until `well` is called, and a directory. */
async function setup(t) {
  let down = true;
  const backend = await startCollector(() => (down ? { status: 503 } : {}));
  const dir = mkdtempSync(join(tmpdir(), "genspan-"));
  t.after(async () => {
    await backend.close();
    rmSync(dir, { recursive: true });
  });
  /** A process that ends the spans given, and waits for what it has. */
  const run = async (options, names = []) => {
    const at = (destination) => ({ endpoint: backend.url, ...destination });
    const processor = new GenSpanProcessor({
      ...(options.destinations ? { destinations: options.destinations.map(at) } : at(options)),
      spool: { dir },
      flushTimeoutMillis: 1000,
      retry: { initialMillis: 20, maxMillis: 20 },
      breaker: { failures: 0 },
    });
    const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("shop");
    for (const name of names) tracer.startSpan(name).end();
    // Long enough for all that is there to go out.
    if (names.length === 0) await sleep(700);
    await processor.shutdown({ timeoutMillis: 300 });
  };
  const well = () => {
    down = false;
    backend.requests.length = 0;
  };
  /** What arrived, each span with the key that it came under. */
  const arrived = () =>
    backend
      .spansByRequest()
      .flatMap(({ headers, spans }) => spans.map(({ name }) => `${name} by ${headers.authorization}`))
      .toSorted();
  return { run, well, arrived, left: () => readdirSync(dir).length };
}

test("the next process has another key: it gets nothing, says so, and the owner gets it later", async (t) => {
  const { run, well, arrived, left } = await setup(t);
  await run(key("A"), ["of A"]);
  assert.equal(left(), 1);
  well();
  warnings.length = 0;
  await run(key("B"));
  assert.deepEqual([arrived(), left()], [[], 1]);
  assert.ok(
    warnings.some((text) =>
      /the spool \S+ has batches of another account, .*, which are left untouched \(1\)/.test(text),
    ),
    warnings.join("\n"),
  );
  await run(key("A"));
  assert.deepEqual([arrived(), left()], [["of A by A"], 0]);
});

test("a destination that is put in front of another one at the same endpoint gets nothing of it", async (t) => {
  const { run, well, arrived } = await setup(t);
  await run({ destinations: [{ name: "a", ...key("A") }] }, ["of A"]);
  well();
  await run({
    destinations: [
      { name: "b", ...key("B") },
      { name: "a", ...key("A") },
    ],
  });
  assert.deepEqual(arrived(), ["of A by A"]);
});

test("without names, a place in the list is no account", async (t) => {
  const { run, well, arrived } = await setup(t);
  await run(key("A"), ["of A"]);
  well();
  await run({ destinations: [{ name: "b", ...key("B") }, key("A")] });
  assert.deepEqual(arrived(), ["of A by A"]);
});

test("two destinations that change places keep what is theirs", async (t) => {
  const { run, well, arrived } = await setup(t);
  const [a, b] = [
    { name: "a", ...key("A"), filter: { only: [{ name: "of A" }] } },
    { name: "b", ...key("B"), filter: { only: [{ name: "of B" }] } },
  ];
  await run({ destinations: [a, b] }, ["of A", "of B"]);
  well();
  await run({ destinations: [b, a] });
  assert.deepEqual(arrived(), ["of A by A", "of B by B"]);
});

const TENCENT = { profile: "tencent", serviceName: "shop", hostName: "h" };
for (const [what, was, is] of [
  ["token", { ...TENCENT, token: "A" }, { ...TENCENT, token: "B" }],
  ["profile", {}, { profile: "langfuse" }],
  ["name", { name: "a", headers: () => ({}) }, { name: "b", headers: () => ({}) }],
  ["client certificate", { tls: { cert: "A", key: "A" } }, { tls: { cert: "B", key: "B" } }],
]) {
  test(`another ${what} is another account; the same one gets its batch`, async (t) => {
    const { run, well, arrived, left } = await setup(t);
    await run(was, ["span"]);
    assert.equal(left(), 1);
    well();
    await run(is);
    assert.deepEqual([arrived(), left()], [[], 1]);
    await run(was);
    assert.deepEqual([arrived().length, left()], [1, 0]);
  });
}

test("the same account, written otherwise: the case and the order of headers, the profile by its default", async (t) => {
  const { run, well, arrived } = await setup(t);
  await run({ headers: { Authorization: "A", "x-team": "t" } }, ["span"]);
  well();
  await run({ headers: { "X-Team": "t", authorization: "A" }, profile: "otel" });
  assert.deepEqual(arrived(), ["span by A"]);
});

test("with a spool, accounts that cannot be told apart are refused", () => {
  const endpoint = "http://127.0.0.1:9/v1/traces";
  const spool = { dir: join(tmpdir(), "genspan-never-made") };
  const fix = 'with a spool, name each account, for example name: "team-a"';
  for (const [options, message] of [
    [{ endpoint, headers: () => ({}) }, `name: is missing, and headers is a function; ${fix}`],
    [
      { destinations: [{ endpoint, headers: async () => ({}) }] },
      `destinations[0].name: is missing, and headers is a function; ${fix}`,
    ],
    [
      {
        destinations: [
          { endpoint, ...key("A") },
          { endpoint, ...key("B") },
        ],
      },
      `destinations[1].name: is missing, as in destinations[0], which has the same endpoint; ${fix}`,
    ],
    [
      {
        destinations: [
          { endpoint, name: "a" },
          { endpoint, name: "a", ...key("B") },
        ],
      },
      `destinations[1].name: "a" is also the name of destinations[0], which has the same endpoint; ${fix}`,
    ],
  ]) {
    assert.throws(() => new GenSpanProcessor({ ...options, spool }), { message: `genspan: ${message}` });
    new GenSpanProcessor(options).shutdown();
  }
});
