// `make bench-outage`: an HTTP service that ends 2,000 spans a second while its backend is down (OUTAGE_SECONDS, 120), then well again. How
// long its handlers take, how much memory it has at most, and what arrives, beside the same service without genspan. Each part is a process.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, createServer, get } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decode, flatten } from "../../demo/receiver.mjs";

const SECONDS = Number(process.env.OUTAGE_SECONDS ?? 120);
const RATE = 200;
const SPANS = 10;
const MIB = 1 << 20;
const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
const file = fileURLToPath(import.meta.url);
const [, , role, ...rest] = process.argv;

/** Does not listen until it is told to; then counts what comes. */
async function backend(port) {
  const ids = new Set();
  let spans = 0;
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    for (const { spanId } of flatten(decode(Buffer.concat(chunks)))) {
      spans++;
      ids.add(spanId);
    }
    response.end();
  });
  process.on("message", async (told) => {
    if (told === "start") server.listen(port, "127.0.0.1");
    else process.send({ arrived: ids.size, again: spans - ids.size });
  });
  process.send("ready");
}

/** The service: some work of its own, and ten spans of about 600 bytes for each request. */
async function service(mode, port, dir) {
  const require = createRequire(new URL("../../tests/node/sdk2/package.json", import.meta.url));
  const { NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");
  const { GenSpanProcessor } = require("genspan");
  const options = { endpoint: `http://127.0.0.1:${port}/v1/traces`, flushTimeoutMillis: 120_000 };
  if (mode === "large queue") Object.assign(options, { maxQueueSize: 500_000, maxQueueBytes: 256 * MIB });
  if (mode === "spool") Object.assign(options, { spool: { dir, maxBytes: 512 * MIB } });
  const processor = mode === "none" ? undefined : new GenSpanProcessor(options);
  const tracer = new NodeTracerProvider({ spanProcessors: processor ? [processor] : [] }).getTracer("shop");
  const text = "the customer asked whether an order placed yesterday can still be changed ".repeat(5);
  let ended = 0;
  let most = 0;
  setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 250).unref();
  const server = createServer((_, response) => {
    for (let i = 0; i < SPANS; i++, ended++) {
      const attributes = { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": text, n: ended };
      tracer.startSpan("execute_tool", { attributes }).end();
    }
    response.end(JSON.stringify({ text }));
  }).listen(0, "127.0.0.1", () => process.send(server.address().port));
  // A connection that ends while the client asks would be the client's fault.
  server.keepAliveTimeout = 0;
  process.on("message", async () => {
    const down = processor?.stats();
    await processor?.forceFlush();
    for (let waited = 0; processor && waited < 60_000; waited += 200) {
      const { destinations, spool } = processor.stats();
      if (destinations[0].pending === 0 && !(spool?.files > 0)) break;
      await sleep(200);
    }
    process.send({ ended, most, down, stats: processor?.stats() });
  });
}

/** Asks the service at a fixed rate, whether or not it answers in time. */
async function client(port, seconds) {
  const agent = new Agent({ keepAlive: true });
  const times = [];
  const ask = (from) =>
    get({ port, host: "127.0.0.1", agent }, (response) => {
      response.resume().on("end", () => times.push(performance.now() - from));
    });
  const start = performance.now();
  for (let n = 0; n < RATE * seconds; n++) {
    const due = start + (n * 1000) / RATE;
    const early = due - performance.now();
    if (early > 1) await sleep(early);
    // From when it should have been asked, should the client be late itself.
    ask(Math.min(due, performance.now()));
  }
  await sleep(500);
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.floor(times.length * part)];
  process.send({ p50: at(0.5), p99: at(0.99), max: times.at(-1) });
}

async function run(mode) {
  const dir = mkdtempSync(join(tmpdir(), "genspan-outage-"));
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const port = probe.address().port;
  probe.close();
  const start = (...args) => fork(file, args.map(String));
  const back = start("backend", port);
  const app = start("service", mode, port, dir);
  await once(back, "message");
  const [appPort] = await once(app, "message");
  const [times] = await once(start("client", appPort, SECONDS), "message");
  back.send("start");
  await sleep(200);
  app.send("end");
  const [{ ended, most, down, stats }] = await once(app, "message");
  back.send("count");
  const [{ arrived, again }] = await once(back, "message");
  back.kill();
  app.kill();
  rmSync(dir, { recursive: true });
  const [d] = stats?.destinations ?? [];
  return {
    mode,
    ...times,
    most,
    ended,
    arrived,
    again,
    dropped: d?.droppedFull ?? 0,
    other: d && d.queued - d.sent - d.droppedFull,
    down,
  };
}

if (role === "backend") await backend(Number(rest[0]));
else if (role === "service") await service(...rest);
else if (role === "client") await client(...rest.map(Number));
else {
  console.log(`${RATE * SPANS} spans a second for ${SECONDS} s, the backend down all the while, then well.\n`);
  console.log(
    "genspan          handler p50     p99     max      memory       ended   arrived  again  dropped (full)  on disk, pending when well",
  );
  const queue = process.env.OUTAGE_MODES?.split(",") ?? ["none", "default", "large queue", "spool"];
  for (const mode of queue) {
    const r = await run(mode);
    const ms = (value) => `${value.toFixed(1)} ms`.padStart(8);
    const [d] = r.down?.destinations ?? [];
    console.log(
      `${r.mode.padEnd(14)}${ms(r.p50).padStart(14)}${ms(r.p99)}${ms(r.max)}${`${(r.most / MIB).toFixed(0)} MiB`.padStart(12)}` +
        `${String(r.ended).padStart(12)}${String(r.arrived).padStart(10)}${String(r.again).padStart(7)}${String(r.dropped).padStart(16)}` +
        `${d ? `  ${d.spooled}, ${d.pending}` : ""}`,
    );
    if (r.mode !== "none" && r.arrived + r.dropped !== r.ended) {
      console.log(`  ${r.ended - r.arrived - r.dropped} spans are neither here nor counted as dropped`);
      process.exitCode = 1;
    }
  }
}
