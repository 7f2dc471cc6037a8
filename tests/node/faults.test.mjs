// Every fault by every transport, on real sockets: what was offered is delivered, or dropped and counted, and nothing is reported that
// did not happen. The table in docs/delivery.md is what this run finds; `make faults` writes it.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { decode, flatten } from "../../demo/receiver.mjs";
import { startFaultServer } from "./fault-server.mjs";

const require = createRequire(new URL("./sdk2/package.json", import.meta.url));
const { NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");
const { GenSpanProcessor } = require("genspan");

const PAGE = new URL("../../docs/delivery.md", import.meta.url);
const [BEGIN, END] = ["<!-- faults: written by the test run -->\n", "<!-- /faults -->"];
const TRANSPORTS = ["http/protobuf", "http/json", "grpc"];
const OFFERED = 40;
const TOKEN = "s3cret-token";

const thrown = [];
process.on("unhandledRejection", (error) => thrown.push(error));
process.on("uncaughtException", (error) => thrown.push(error));

// google.rpc.Status { code: 8, details: [RetryInfo { retry_delay: 1.5 s }] }, as Python's googleapis-common-protos writes it.
const RETRY_INFO = Buffer.from(
  "\x08\x08\x1a6\n(type.googleapis.com/google.rpc.RetryInfo\x12\n\n\x08\x08\x01\x10\x80\xca\xb5\xee\x01",
  "latin1",
);
const first = (count, does) => (n) => (n < count ? does : {});
const always = (does) => () => does;
const ifItHas =
  (span, does) =>
  (_, { body, type }) =>
    flatten(decode(body, type)).some(({ name }) => name === span) ? does : {};

// What the server does over HTTP and over gRPC, the options that the case needs, what may be dropped and how often a span comes twice.
const FAULTS = [
  { what: "accepts everything", http: () => ({}) },
  { what: "refuses connections for 300 ms", late: 300, http: () => ({}) },
  { what: "resets the first 2 connections in the middle of the request", cut: (n) => n < 2, http: () => ({}) },
  { what: "accepts the first 2 requests and loses the answer", http: first(2, { lost: true }), duplicated: 20 },
  { what: "never answers the first 2 requests", http: first(2, { hang: true }) },
  { what: "answers 503 / UNAVAILABLE 3 times", http: first(3, { status: 503 }), grpc: first(3, { status: 14 }) },
  {
    what: "answers 429 with Retry-After: 1 / RESOURCE_EXHAUSTED with RetryInfo 1.5 s",
    http: first(1, { status: 429, headers: { "retry-after": "1" } }),
    grpc: first(1, { status: 8, details: RETRY_INFO }),
    pause: 1000,
  },
  {
    what: "answers 503 with Retry-After as a date",
    http: (n) =>
      n === 0 ? { status: 503, headers: { "retry-after": new Date(Date.now() + 2000).toUTCString() } } : {},
    pause: 900,
    transports: ["http/protobuf", "http/json"],
  },
  {
    what: "accepts at most 2,000 bytes; one span has more",
    maxBytes: 2000,
    http: () => ({}),
    large: "attribute",
    shortened: 1,
  },
  {
    what: "accepts at most 2,000 bytes; one span cannot be shortened",
    maxBytes: 2000,
    http: () => ({}),
    large: "name",
    dropped: { droppedTooLarge: 1 },
  },
  {
    what: "rejects 3 spans of each batch (partial success)",
    http: always({ reject: 3, message: `no ${TOKEN} please` }),
    dropped: { rejected: 12 },
  },
  { what: "warns (partial success, none rejected)", http: always({ reject: 0, message: "slow down" }) },
  { what: "answers 200 / OK with an unreadable body", http: always({ garbage: true }) },
  { what: "drips its answers / is slow", http: always({ drip: true }), options: { timeoutMillis: 400 } },
  {
    what: "answers 400 / INVALID_ARGUMENT to each batch that contains one certain span",
    http: ifItHas("s17", { status: 400 }),
    grpc: ifItHas("s17", { status: 3 }),
    dropped: { droppedRefused: 1 },
  },
  {
    what: "answers 400 / INVALID_ARGUMENT permanently",
    http: always({ status: 400 }),
    grpc: always({ status: 3, message: `bad ${TOKEN}` }),
    dropped: { droppedRefused: 40 },
  },
  {
    what: "answers 401 / UNAUTHENTICATED permanently",
    http: always({ status: 401 }),
    grpc: always({ status: 16, message: `who is ${TOKEN}?` }),
    dropped: { droppedRefused: 40 },
  },
  {
    what: "redirects permanently",
    http: always({ status: 307, headers: { location: "http://127.0.0.1:9/" } }),
    dropped: { droppedRefused: 40 },
    transports: ["http/protobuf", "http/json"],
  },
  {
    what: "answers 503 / UNAVAILABLE permanently",
    http: always({ status: 503 }),
    grpc: always({ status: 14 }),
    options: { exportTimeoutMillis: 300 },
    dropped: { droppedDeadline: 40 },
  },
  {
    what: "never answers; shutdown gives up after 500 ms",
    http: always({ hang: true }),
    options: { timeoutMillis: 10_000, flushTimeoutMillis: 500 },
    dropped: { droppedClosed: 40 },
  },
  {
    what: "never answers, with a spool; the next process finds it recovered",
    http: (_, { well }) => (well ? {} : { hang: true }),
    spool: true,
  },
  {
    what: "answers 503 / UNAVAILABLE permanently, with a spool; the next process finds it recovered",
    http: (_, { well }) => (well ? {} : { status: 503 }),
    grpc: (_, { well }) => (well ? {} : { status: 14 }),
    spool: true,
  },
  {
    what: "accepts everything, but the queue holds only 25 spans",
    http: () => ({}),
    options: { maxQueueSize: 25, maxExportBatchSize: 512 },
    dropped: { droppedFull: 15 },
  },
];

const COUNTS = ["rejected", "droppedFull", "droppedRefused", "droppedDeadline", "droppedTooLarge", "droppedClosed"];
const WHY = {
  rejected: "rejected by the backend",
  droppedFull: "no room in the queue",
  droppedRefused: "refused by the backend",
  droppedDeadline: "not delivered before the deadline",
  droppedTooLarge: "too large, however short",
  droppedClosed: "not delivered when shutdown gave up",
};

function open(options) {
  const processor = new GenSpanProcessor({
    scheduledDelayMillis: 60_000,
    maxExportBatchSize: 10,
    concurrencyLimit: 1,
    flushTimeoutMillis: 5000,
    timeoutMillis: 500,
    headers: { authorization: `Bearer ${TOKEN}` },
    retry: { initialMillis: 20, maxMillis: 100 },
    breaker: { failures: 3, openMillis: 100 },
    ...options,
  });
  return { processor, tracer: new NodeTracerProvider({ spanProcessors: [processor] }).getTracer("shop") };
}

function work(tracer, large) {
  for (let i = 0; i < OFFERED; i++) {
    const much = i === 17 ? "x".repeat(4000) : "";
    const span = tracer.startSpan(large === "name" ? `s${i}${much}` : `s${i}`);
    if (large === "attribute") span.setAttribute("text", `y${much}`);
    span.end();
  }
}

async function run(fault, protocol) {
  const health = { well: false };
  const does = (protocol === "grpc" && fault.grpc) || fault.http;
  const server = await startFaultServer({
    protocol,
    act: (n, request) => does(n, { ...request, ...health }),
    cut: fault.cut,
    maxBytes: fault.maxBytes,
    late: fault.late,
    ...(fault.late && { port: await freePort() }),
  });
  const dir = fault.spool && mkdtempSync(join(tmpdir(), "genspan-"));
  const partial = [];
  const options = { protocol, endpoint: server.url, onPartialSuccess: (p) => partial.push(p), ...fault.options };
  if (dir) Object.assign(options, { spool: { dir }, flushTimeoutMillis: 1500 });
  try {
    const { processor, tracer } = open(options);
    work(tracer, fault.large);
    await processor.forceFlush();
    await processor.shutdown();
    const stats = [processor.stats()];
    if (dir) {
      // On a busy machine a request that was given up may still be on its way: well, the backend would take it, and the batch again.
      for (let seen = -1; seen !== server.requests.length; await new Promise((resolve) => setTimeout(resolve, 700))) {
        seen = server.requests.length;
      }
      health.well = true;
      const { processor } = open({ ...options, flushTimeoutMillis: 5000 });
      await until(() => server.spans.length >= OFFERED);
      await until(() => readdirSync(dir).length === 0);
      await processor.shutdown();
      stats.push(processor.stats());
    }
    return { server, stats, partial };
  } finally {
    await server.close();
    if (dir) rmSync(dir, { recursive: true });
  }
}

async function freePort() {
  const server = await startFaultServer({ protocol: "http/protobuf" });
  await server.close();
  return Number(new URL(server.url).port);
}

async function until(holds) {
  for (let waited = 0; !holds(); waited += 10) {
    // On a busy disk a file may be let go of after the next process looked: it looks again after 30 s.
    assert.ok(waited < 60_000, "it did not happen within 60 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const rows = [];

for (const fault of FAULTS) {
  const { what, duplicated = 0, dropped = {}, shortened = 0, transports = TRANSPORTS } = fault;
  test(`a backend that ${what}`, { timeout: 120_000 }, async () => {
    const results = await Promise.all(transports.map((protocol) => run(fault, protocol)));
    for (const [i, { server, stats, partial }] of results.entries()) {
      const at = transports[i];
      const names = server.spans.map(({ name }) => name.replace(/x+$/, ""));
      const unique = new Set(names);
      const destinations = stats.map(({ destinations: [d] }) => d);
      const sum = (field) => destinations.reduce((total, d) => total + d[field], 0);
      const counts = Object.fromEntries(COUNTS.map((field) => [field, sum(field)]).filter(([, count]) => count > 0));
      const lost = Object.values(counts).reduce((a, b) => a + b, 0);
      assert.deepEqual(counts, dropped, `${at}: drops`);
      assert.equal(unique.size + lost, OFFERED, `${at}: every span is delivered or counted`);
      assert.equal(names.length - unique.size, duplicated, `${at}: duplicates`);
      assert.equal(sum("sent"), unique.size, `${at}: sent is what arrived`);
      assert.equal(sum("pending"), 0, `${at}: pending`);
      assert.equal(sum("shortened"), shortened, `${at}: shortened`);
      assert.equal(destinations[0].queued, OFFERED);
      assert.ok(!JSON.stringify(stats).includes(TOKEN), `${at}: a secret in the stats`);
      if (fault.pause) {
        const [before, again] = server.requests;
        assert.ok(again.at - before.at >= fault.pause, `${at}: came again after ${again.at - before.at} ms`);
      }
      if (dropped.rejected) {
        assert.equal(server.rejected(), dropped.rejected);
        assert.deepEqual(
          partial,
          Array(4).fill({ destination: "otlp-0", rejectedSpans: 3, errorMessage: `no ${TOKEN} please` }),
        );
      }
      if (what.startsWith("warns")) assert.equal(partial.length, 4);
      const why = Object.keys(dropped).map((field) => WHY[field]);
      if (shortened) why.push("one span arrives shortened");
      if (duplicated) why.push("duplicates: accepted, but the answer was lost");
      rows.push([what, at, OFFERED, unique.size, duplicated, lost, why.join("; ")]);
    }
  });
}

// README promise: "Every fault by every transport is tried, and the page is written by the run"
test("docs/delivery.md says what was found", () => {
  assert.deepEqual(thrown, [], "something was thrown past the processor");
  const head = ["The backend …", "transport", "offered", "delivered", "duplicated", "dropped", "why"];
  const line = (cells) => `| ${cells.join(" | ")} |\n`;
  const table = line(head) + line(head.map(() => "---")) + rows.map(line).join("");
  const page = readFileSync(PAGE, "utf8");
  const [before, rest] = page.split(BEGIN);
  const [committed, behind] = rest.split(END);
  if (process.env.WRITE_PAGE) writeFileSync(PAGE, before + BEGIN + table + END + behind);
  else assert.equal(committed, table, "the page is not what this run found: `make faults` writes it");
});
