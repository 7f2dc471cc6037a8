// `make attack`: hostile and normal senders at once, for MINUTES (30), to a relay and to Envoy with the plugin. How long the requests of the normal sender
// take, how much memory both programs use, and whether each of its spans arrived. Each part is a process.
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { body, chat, field, HOSTILE, span, text, traces } from "../pkg/test/hostile.mjs";
import { startEnvoy } from "../tests/envoy/envoy.mjs";

const MINUTES = Number(process.env.MINUTES ?? 30);
/** Requests of the normal sender to each program, per second, and spans in each. */
const RATE = 50;
const SPANS = 10;
/** The pause after each hostile body, in ms. */
const PAUSE = 500;
const MIB = 1 << 20;
/** The relay counts bounds by address. */
const HOSTILE_ADDRESS = "127.0.0.2";
/** Stands before the number of each normal span, 8 digits. */
const MARK = "normal-span-";
const file = fileURLToPath(import.meta.url);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [, , role, ...rest] = process.argv;

/** A backend that keeps how often each normal span came. */
async function backend() {
  const came = new Uint8Array((MINUTES * 60 + 60) * RATE * SPANS);
  const server = createServer(async (incoming, response) => {
    const chunks = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk);
    } catch {
      return;
    }
    const all = Buffer.concat(chunks);
    for (let at = all.indexOf(MARK); at >= 0; at = all.indexOf(MARK, at + MARK.length)) {
      came[Number(all.toString("latin1", at + MARK.length, at + MARK.length + 8))]++;
    }
    response.end();
  });
  // A connection that ends while the proxy sends would be the fault of this backend.
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1", () => process.send(server.address().port));
  process.on("message", (sent) => {
    const counts = came.subarray(0, sent);
    process.send({
      arrived: counts.reduce((sum, n) => sum + Math.min(n, 1), 0),
      again: counts.reduce((sum, n) => sum + Math.max(n - 1, 0), 0),
    });
  });
}

const packed = (raw) => ({ raw: gzipSync(raw, { level: 1 }), headers: { "content-encoding": "gzip" } });
const json = { "content-type": "application/json" };

/** Every hostile body, with its headers. */
function hostileBodies() {
  const capture = readFileSync(here("../tests/fixtures/captures/langfuse-py-5.0.4.langgraph-entry-inherited.pb"));
  const all = Object.entries(HOSTILE).map(([name, make]) => {
    const { raw, headers } = packed(make(16 * MIB - 1024));
    return { name, raw, headers: { ...headers, ...(name.endsWith("in JSON") && json) } };
  });
  const deep = (open, close) => `{"resourceSpans":[${open.repeat(100_000)}${close.repeat(100_000)}]}`;
  const value = `${'{"kvlistValue":{"values":[{"key":"k","value":'.repeat(5_000)}{}${"}]}}".repeat(5_000)}`;
  const ids = `"traceId":"${"ab".repeat(16)}","spanId":"${"cd".repeat(8)}"`;
  const attributes = `[{"key":"deep","value":${value}}]`;
  all.push({ name: "lists, nested 100,000 times", raw: Buffer.from(deep("[", "]")), headers: json });
  all.push({ name: "objects, nested 100,000 times", raw: Buffer.from(deep('{"x":', "}")), headers: json });
  const nested = `{"resourceSpans":[{"scopeSpans":[{"spans":[{${ids},"attributes":${attributes}}]}]}]}`;
  all.push({ name: "a value, nested 5,000 times", raw: Buffer.from(nested), headers: json });
  all.push({ name: "a bomb of 200 MiB", ...packed(Buffer.alloc(200 * MIB)) });
  all.push({ name: "20,000 traces", ...packed(traces(20_000, 7n)) });
  all.push({ name: "20,000 traces that collide without a seed", ...packed(traces(20_000)) });
  const below = (parent) => Buffer.concat([field(4, parent), chat]);
  const id = (n) => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(n + 1, 4);
    return bytes;
  };
  const chain = Array.from({ length: 5_000 }, (_, i) => span(i, i < 2_500 ? field(4, id(i - 1)) : below(id(2_499))));
  all.push({ name: "a chain with 2,500 leaves", ...packed(body(Buffer.concat(chain))) });
  const keys = Array.from({ length: 50_000 }, (_, i) => text(`key-${i}-${Math.random()}`, "x"));
  all.push({ name: "50,000 keys", ...packed(body(span(0, Buffer.concat([chat, ...keys])))) });
  for (let i = 0; i < 20; i++) {
    const broken = Buffer.from(capture);
    for (let n = 0; n < 20; n++) broken[Math.floor(Math.random() * broken.length)] = Math.floor(Math.random() * 256);
    all.push({ name: "random bytes", raw: broken, headers: {} });
  }
  all.push({ name: "a body that is cut off", raw: capture.subarray(0, 5_000), headers: {} });
  return all;
}

/** The hostile sender of one program: one body after another, connections that stall, lengths that are wrong. */
async function hostile(url) {
  const bodies = hostileBodies();
  const agent = new Agent({ keepAlive: true, localAddress: HOSTILE_ADDRESS });
  const { hostname, port } = new URL(url);
  const answers = {};
  const stall = () => {
    const socket = connect({ host: hostname, port, localAddress: HOSTILE_ADDRESS });
    const type = "content-type: application/x-protobuf\r\n";
    socket.write(`POST /v1/traces HTTP/1.1\r\nhost: localhost\r\n${type}content-length: ${16 * MIB - 1}\r\n\r\n`);
    if (Math.random() < 0.5) socket.write(Buffer.alloc(8 * MIB));
    const slow = setInterval(() => socket.write("x"), 1_000);
    socket.resume().on("error", () => {});
    socket.on("close", () => {
      clearInterval(slow);
      setTimeout(stall, 500);
    });
    setTimeout(() => socket.destroy(), 20_000 + 10_000 * Math.random());
  };
  const lie = () => {
    const socket = connect({ host: hostname, port, localAddress: HOSTILE_ADDRESS });
    const lengths = [
      "content-length: 5\r\ncontent-length: 6",
      "content-length: -1",
      "transfer-encoding: chunked\r\ncontent-length: 9",
    ];
    const length = lengths[Math.floor(Math.random() * lengths.length)];
    socket.end(`POST /v1/traces HTTP/1.1\r\nhost: localhost\r\n${length}\r\n\r\nffffffffff\r\nxxxxxxxx`);
    socket.resume().on("error", () => {});
    socket.on("close", () => setTimeout(lie, 1_000));
  };
  for (let i = 0; i < 4; i++) stall();
  lie();
  process.on("message", () => process.send(answers));
  for (let n = 0; ; n++) {
    const { raw, headers } = bodies[n % bodies.length];
    const answer = await ask({ hostname, port, agent }, raw, headers);
    answers[answer] = (answers[answer] ?? 0) + 1;
    await sleep(PAUSE);
  }
}

/** Sends a body; resolves with the status of the answer. */
function ask({ hostname, port, agent }, raw, headers = {}) {
  const type = { "content-type": "application/x-protobuf", "content-length": raw.length };
  const options = { hostname, port, path: "/v1/traces", method: "POST", agent, headers: { ...type, ...headers } };
  return new Promise((resolve) => {
    const sent = request(options, (response) =>
      response
        .resume()
        .on("end", () => resolve(response.statusCode))
        .on("error", () => resolve("broken off")),
    );
    sent.on("error", () => resolve("broken off"));
    sent.end(raw);
  });
}

const tool = "the customer asked whether an order placed yesterday can still be changed ".repeat(5);
/** An agent with its tools below an HTTP span, in one body. */
function normal(n) {
  const trace = Buffer.alloc(16);
  trace.writeUInt32BE(n + 1, 12);
  trace.writeUInt32BE(0x77000000, 0);
  const number = (i) => String(n * SPANS + i).padStart(8, "0");
  const id = (i) => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(n * SPANS + i + 1, 4);
    return bytes;
  };
  const mark = (i) => text("shop.id", MARK + number(i));
  const spans = Array.from({ length: SPANS }, (_, i) => {
    if (i === 0) return span(n * SPANS, mark(0), trace);
    const fields = [
      field(4, id(0)),
      chat,
      text("gen_ai.input.messages", `[{"role":"user","content":"${tool}"}]`),
      mark(i),
    ];
    return span(n * SPANS + i, Buffer.concat(fields), trace);
  });
  return body(Buffer.concat(spans));
}

/** The normal sender of one program: at a fixed rate, whether or not it is answered in time. It repeats what it is asked to repeat. */
async function steady(url, seconds) {
  const agent = new Agent({ keepAlive: true });
  const { hostname, port } = new URL(url);
  const times = [];
  const found = { accepted: 0, repeated: 0, given: {} };
  const to = { hostname, port, agent };
  const send = async (n) => {
    const raw = normal(n);
    for (let tries = 0; ; tries++) {
      const before = performance.now();
      const status = await ask(to, raw);
      if (tries === 0) times.push(performance.now() - before);
      if (status === 200) {
        found.accepted += SPANS;
        return;
      }
      found.given[status] = (found.given[status] ?? 0) + 1;
      if (tries === 20) return;
      found.repeated++;
      await sleep(1_000);
    }
  };
  const sending = [];
  const start = performance.now();
  for (let n = 0; n < seconds * RATE; n++) {
    await sleep(Math.max(0, start + (n * 1_000) / RATE - performance.now()));
    sending.push(send(n));
  }
  await Promise.all(sending);
  times.sort((a, b) => a - b);
  const at = (part) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * part))] * 10) / 10;
  process.send({ ...found, sent: seconds * RATE * SPANS, p50: at(0.5), p99: at(0.99), p999: at(0.999), most: at(1) });
}

const child = (...args) => fork(file, args.map(String), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
const told = async (process) => (await once(process, "message"))[0];
const rss = (pid) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;

async function startRelay(to) {
  const args = [
    here("../pkg/bin/genspan.js"),
    "relay",
    "--to",
    `http://127.0.0.1:${to}/v1/traces`,
    "--port",
    "0",
    "--grpc-port",
    "0",
  ];
  const relay = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  let out = "";
  relay.stdout.on("data", (chunk) => {
    out += chunk;
  });
  while (!/OTLP\/gRPC/.test(out)) await sleep(50);
  const url = /OTLP\/HTTP {2}(\S+)\/v1\/traces/.exec(out)[1];
  const counted = async () => {
    const { received, stats } = await (await fetch(`${url}/healthz`)).json();
    const [d] = stats.destinations;
    const dropped = Object.entries(d).filter(([name]) => name.startsWith("dropped") || name === "rejected");
    return { received, dropped: Object.fromEntries(dropped), pending: d.pending + stats.held, unread: stats.unread };
  };
  return { name: "relay", url, pid: relay.pid, counted, stop: () => relay.kill("SIGTERM"), log: () => out };
}

async function startProxy(http) {
  const envoy = await startEnvoy({ options: {}, http });
  const counted = async () => {
    const stats = await envoy.stats();
    const pending = stats.genspan_pending + stats.genspan_held;
    return { ...stats, dropped: { dropped: stats.genspan_dropped_total }, pending };
  };
  return { name: "envoy", url: envoy.http, pid: envoy.pid, counted, stop: () => envoy.stop(), log: envoy.log };
}

async function main() {
  const seconds = MINUTES * 60;
  const backends = [child("backend"), child("backend")];
  const [first, second] = await Promise.all(backends.map(told));
  const programs = [await startRelay(first), await startProxy(second)];
  const memory = programs.map(() => []);
  const watch = setInterval(() => {
    for (const [i, { pid }] of programs.entries()) memory[i].push(Math.round(rss(pid)));
  }, 5_000);
  const attackers = programs.map(({ url }) => child("hostile", url));
  const senders = programs.map(({ url }) => child("steady", url, seconds));
  const results = await Promise.all(senders.map(told));
  const answers = await Promise.all(
    attackers.map((attacker) => {
      attacker.send("tell");
      return told(attacker);
    }),
  );
  for (const attacker of attackers) attacker.kill();
  clearInterval(watch);
  let lost = 0;
  for (const [i, program] of programs.entries()) {
    for (let waited = 0; waited < 60 && (await program.counted()).pending > 0; waited++) await sleep(1_000);
    const counted = await program.counted();
    backends[i].send(results[i].sent);
    const { arrived, again } = await told(backends[i]);
    const { accepted, sent, repeated, given, p50, p99, p999, most } = results[i];
    const dropped = Object.values(counted.dropped).reduce((a, b) => a + b, 0);
    const missing = accepted - arrived;
    lost += Math.max(0, missing - dropped);
    const each = Math.max(1, Math.floor(memory[i].length / 10));
    console.log(`${program.name}, ${MINUTES} minutes`);
    console.log(`  normal requests: p50 ${p50} ms, p99 ${p99} ms, p99.9 ${p999} ms, at most ${most} ms`);
    console.log(
      `  normal spans: ${sent} sent, ${accepted} accepted, ${arrived} arrived, ${again} of them twice, ${dropped} of all counted as dropped`,
    );
    console.log(`  repeated: ${repeated} ${JSON.stringify(given)}`);
    console.log(`  hostile bodies, by answer: ${JSON.stringify(answers[i])}`);
    console.log(
      `  RSS in MiB: at most ${Math.max(...memory[i])}; ${memory[i].filter((_, at) => at % each === 0).join(" ")}`,
    );
    console.log(`  counters: ${JSON.stringify(counted)}`);
  }
  for (const process of backends) process.kill();
  await Promise.all(programs.map(({ stop }) => stop()));
  if (lost > 0) throw new Error(`${lost} spans of the normal sender were accepted and are neither there nor counted`);
}

const roles = { backend, hostile, steady };
await (roles[role] ?? main)(...(role === "steady" ? [rest[0], Number(rest[1])] : rest));
