// What the transports in Node can do beside posting: certificates, proxies, headers that change, gRPC, JSON.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import grpc from "@grpc/grpc-js";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { GenSpanProcessor } from "genspan";
import { startCollector } from "./collector.mjs";
import { warnings } from "./host.mjs";

const pem = (name) => readFileSync(new URL(`tls/${name}`, import.meta.url), "utf8");
const CERTIFICATES = { ca: pem("ca.pem"), cert: pem("client.pem"), key: pem("client.key") };

/** Sends a span, gives what became of it. */
async function send(options, work = (tracer) => tracer.startSpan("work").end()) {
  const processor = new GenSpanProcessor({ exportTimeoutMillis: 400, retry: { initialMillis: 20 }, ...options });
  work(new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("shop"));
  await processor.forceFlush();
  await processor.shutdown();
  return processor.stats().destinations[0];
}

async function listen(t, server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections?.();
    server.close();
  });
  return server.address().port;
}

/** Takes from clients that the test's authority has signed. */
async function httpsServer(t) {
  const requests = [];
  const options = { ca: CERTIFICATES.ca, cert: pem("server.pem"), key: pem("server.key"), requestCert: true };
  const server = createHttpsServer(options, (request, response) => {
    requests.push(request.socket.getPeerCertificate().subject.CN);
    request.resume().on("end", () => response.end());
  });
  return { url: `https://127.0.0.1:${await listen(t, server)}/v1/traces`, requests };
}

async function grpcServer(t, credentials, answer = (_, callback) => callback(null, Buffer.alloc(0))) {
  const requests = [];
  const same = (bytes) => bytes;
  const server = new grpc.Server();
  server.addService(
    {
      Export: {
        path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        requestStream: false,
        responseStream: false,
        requestSerialize: same,
        requestDeserialize: same,
        responseSerialize: same,
        responseDeserialize: same,
      },
    },
    {
      Export(call, callback) {
        requests.push({ headers: call.metadata.getMap(), body: call.request });
        answer(requests.length, callback);
      },
    },
  );
  const port = await new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
  t.after(() => server.forceShutdown());
  return { port, requests };
}

test("a server with a certificate of its own, that asks for one of ours", async (t) => {
  const { url, requests } = await httpsServer(t);
  assert.equal((await send({ endpoint: url, tls: CERTIFICATES })).sent, 1);
  assert.deepEqual(requests, ["client"]);
  const refused = await send({ endpoint: url });
  assert.deepEqual([refused.sent, refused.droppedDeadline], [0, 1]);
  assert.match(refused.lastError.message, /UNABLE_TO_VERIFY|SELF_SIGNED/);
});

test("the same over gRPC", async (t) => {
  const chain = [{ cert_chain: Buffer.from(pem("server.pem")), private_key: Buffer.from(pem("server.key")) }];
  const credentials = grpc.ServerCredentials.createSsl(Buffer.from(CERTIFICATES.ca), chain, true);
  const { port, requests } = await grpcServer(t, credentials);
  const endpoint = `https://localhost:${port}`;
  assert.equal((await send({ endpoint, protocol: "grpc", tls: CERTIFICATES, exportTimeoutMillis: 3000 })).sent, 1);
  assert.equal(requests.length, 1);
  assert.equal((await send({ endpoint, protocol: "grpc" })).sent, 0);
});

test("gRPC: headers are metadata, bytes pass through, gzip is gRPC's own", async (t) => {
  const { port, requests } = await grpcServer(t, grpc.ServerCredentials.createInsecure());
  const endpoint = `http://127.0.0.1:${port}`;
  const collector = await startCollector();
  t.after(() => collector.close());
  const options = { headers: { "X-Key": "k" }, compression: "gzip", serviceName: "shop" };
  const sent = await send({
    destinations: [
      { endpoint, protocol: "grpc", ...options },
      { endpoint: collector.url, ...options },
    ],
  });
  assert.equal(sent.sent, 1);
  assert.equal(requests[0].headers["x-key"], "k");
  assert.match(requests[0].headers["user-agent"], /genspan/);
  assert.deepEqual(Buffer.from(requests[0].body), collector.requests[0].body);
});

test("JSON: what is sent is OTLP/JSON of the same", async (t) => {
  const collector = await startCollector();
  t.after(() => collector.close());
  assert.equal((await send({ endpoint: collector.url, protocol: "http/json", serviceName: "shop" })).sent, 1);
  const [{ headers, body }] = collector.requests;
  assert.equal(headers["content-type"], "application/json");
  const [{ resource, scopeSpans }] = JSON.parse(body).resourceSpans;
  assert.deepEqual(
    resource.attributes.find(({ key }) => key === "service.name"),
    { key: "service.name", value: { stringValue: "shop" } },
  );
  assert.equal(scopeSpans[0].spans[0].name, "work");
  assert.match(scopeSpans[0].spans[0].traceId, /^[0-9a-f]{32}$/);
});

test("JSON: no request is larger than it may be", async (t) => {
  const collector = await startCollector();
  t.after(() => collector.close());
  const options = { endpoint: collector.url, protocol: "http/json", maxExportBatchBytes: 3000 };
  const sent = await send({ ...options, exportTimeoutMillis: 5000 }, (tracer) => {
    for (let i = 0; i < 50; i++) tracer.startSpan(`work ${i}`).end();
  });
  assert.equal(sent.sent, 50);
  for (const { body } of collector.requests) assert.ok(body.length <= 3000, String(body.length));
  assert.equal(new Set(collector.names()).size, 50);
});

test("through the proxy that the environment names, but not where it says so", async (t) => {
  const collector = await startCollector();
  const through = [];
  const proxy = createHttpServer((request, response) => {
    through.push(request.url);
    response.writeHead(500).end();
  });
  proxy.on("connect", ({ url }, socket) => {
    through.push(url);
    const [host, port] = url.split(":");
    const upstream = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
  });
  const port = await listen(t, proxy);
  t.after(() => {
    delete process.env.HTTP_PROXY;
    delete process.env.NO_PROXY;
    return collector.close();
  });
  process.env.HTTP_PROXY = `http://127.0.0.1:${port}`;
  assert.equal((await send({ endpoint: collector.url })).sent, 1);
  assert.deepEqual(through, [new URL(collector.url).host]);
  process.env.NO_PROXY = "127.0.0.1";
  assert.equal((await send({ endpoint: collector.url })).sent, 1);
  assert.equal(through.length, 1);
  assert.equal(collector.requests.length, 2);
});

test("headers that change are asked for before each request; when that fails the batch waits", async (t) => {
  const collector = await startCollector((n) => (n === 1 ? { status: 503 } : {}));
  t.after(() => collector.close());
  let asked = 0;
  const headers = async () => {
    asked++;
    if (asked === 2) throw new Error("no token for s3cret-of-nobody today");
    if (asked === 3) return new Promise(() => {});
    return { authorization: `Bearer s3cret-${asked}` };
  };
  const sent = await send({ endpoint: collector.url, headers, timeoutMillis: 100, exportTimeoutMillis: 5000 });
  assert.equal(sent.sent, 1);
  const seen = collector.requests.map(({ headers }) => headers.authorization);
  assert.deepEqual(seen, ["Bearer s3cret-1", "Bearer s3cret-4"]);
  assert.match(sent.lastError.message, /timed out/);
  assert.ok(!warnings.some((text) => text.includes("s3cret")), warnings.join("\n"));
  assert.ok(
    warnings.includes("genspan: destination otlp-0: request failed: headers: the function failed"),
    warnings.join("\n"),
  );
});

test("a request that times out is aborted", async (t) => {
  let closed;
  const server = createHttpServer((request) => {
    closed ??= once(request.socket, "close");
  });
  const endpoint = `http://127.0.0.1:${await listen(t, server)}/`;
  const started = Date.now();
  assert.equal((await send({ endpoint, timeoutMillis: 50, exportTimeoutMillis: 60 })).droppedDeadline, 1);
  await closed;
  assert.ok(Date.now() - started < 2000);
});

/** Runs a process that has genspan and nothing else, gives what became of its span. */
async function alone(t, options, env = {}) {
  const dir = mkdtempSync(join(tmpdir(), "genspan-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const installed = join(dir, "node_modules/genspan");
  mkdirSync(installed, { recursive: true });
  for (const part of ["dist", "package.json"]) {
    cpSync(fileURLToPath(new URL(`../${part}`, import.meta.url)), join(installed, part), { recursive: true });
  }
  const span = `{ spanContext: () => ({ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 1 }),
    name: "work", kind: 0, startTime: [1, 0], endTime: [2, 0], status: { code: 0 }, attributes: {}, resource: { attributes: {} },
    instrumentationScope: { name: "s" } }`;
  writeFileSync(
    join(dir, "app.mjs"),
    `import { GenSpanProcessor } from "genspan";
    const p = new GenSpanProcessor({ exportTimeoutMillis: 100, ...${JSON.stringify(options)} });
    p.onStart(${span}); p.onEnd(${span});
    await p.forceFlush();
    console.log(JSON.stringify(p.stats().destinations[0]));`,
  );
  const run = promisify(execFile);
  const { stdout, stderr } = await run(process.execPath, ["app.mjs"], { cwd: dir, env: { ...process.env, ...env } });
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}

for (const [what, options, wanted] of [
  [
    "gRPC",
    { protocol: "grpc" },
    /needs the package @grpc\/grpc-js, which is not installed; run npm install @grpc\/grpc-js/,
  ],
  [
    "certificates",
    { tls: { ca: "x" } },
    /tls needs the package undici, which is not installed; run npm install undici@7/,
  ],
]) {
  test(`${what} without the package that it needs is said, and counted`, async (t) => {
    const { lastError, droppedDeadline } = await alone(t, { endpoint: "http://127.0.0.1:9", ...options });
    assert.match(lastError.message, wanted);
    assert.equal(droppedDeadline, 1);
  });
}

test("a proxy in the environment is no reason to fail without the package that it needs", async (t) => {
  const collector = await startCollector();
  t.after(() => collector.close());
  const { sent } = await alone(t, { endpoint: collector.url }, { HTTP_PROXY: "http://127.0.0.1:9" });
  assert.equal(sent, 1);
});

// README promise: "A dead backend delays nobody"
test("a fetch that ignores its signal gives its place back after timeoutMillis", async (t) => {
  const collector = await startCollector();
  t.after(() => collector.close());
  const { fetch } = globalThis;
  t.after(() => {
    globalThis.fetch = fetch;
  });
  globalThis.fetch = () => new Promise(() => {});
  const options = { timeoutMillis: 100, concurrencyLimit: 2, maxExportBatchSize: 1, retry: { initialMillis: 10 } };
  const processor = new GenSpanProcessor({ endpoint: collector.url, ...options, breaker: { failures: 0 } });
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("shop");
  for (let i = 0; i < 5; i++) tracer.startSpan(`span ${i}`).end();
  await processor.forceFlush({ timeoutMillis: 400 });
  assert.match(processor.stats().destinations[0].lastError.message, /request failed: timed out after 100 ms/);
  globalThis.fetch = fetch;
  await processor.forceFlush({ timeoutMillis: 10_000 });
  assert.deepEqual(collector.names().sort(), ["span 0", "span 1", "span 2", "span 3", "span 4"]);
  globalThis.fetch = () => new Promise(() => {});
  tracer.startSpan("left").end();
  const started = Date.now();
  await processor.shutdown({ timeoutMillis: 50 });
  assert.ok(Date.now() - started < 2000, "shutdown waited for it");
  assert.equal(processor.stats().destinations[0].droppedClosed, 1);
});
