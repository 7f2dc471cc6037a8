// Secrets in every place where somebody may put one, and all that genspan writes: errors, warnings, statistics, the outputs of its commands.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DiagLogLevel, diag } from "@opentelemetry/api";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { GenSpanProcessor, normalize } from "genspan";
import { startCollector } from "./collector.mjs";
import { ask, command } from "./serving.mjs";

const SECRET = "s3cretCanary";
const URLS = [
  `https://user:${SECRET}@host/v1/traces`,
  `https://user:${SECRET}/x@host/v1/traces`,
  `https://user:1${SECRET}?x@host/v1/traces`,
  `https://${SECRET}@host/v1/traces`,
  `user:${SECRET}@host/v1/traces`,
  `//user:${SECRET}@host`,
  `htp://host/v1?api_key=${SECRET}`,
  `host/v1?api_key=${SECRET}`,
  `host#${SECRET}`,
  `https://h ost/?${SECRET}`,
];
/** Options with a secret that cannot be used. */
const WRONG = [
  ...URLS.map((endpoint) => ({ endpoint })),
  ...URLS.map((endpoint) => ({ endpoint, protocol: "grpc" })),
  { headers: { [`Bearer ${SECRET}`]: "authorization" } },
  { headers: { authorization: `Bearer ${SECRET}\n` } },
  { headers: { authorization: [SECRET] } },
  { headers: [`authorization: ${SECRET}`] },
  { headers: SECRET },
  { profile: "tencent", hostName: "h", token: `${SECRET}\n` },
  { profile: "tencent", hostName: "h", token: [SECRET] },
  { profile: "tencent", hostName: "h", token: { [SECRET]: 1 } },
  { token: SECRET },
  { secretKey: SECRET },
  { profile: "tencent-cls", secretId: SECRET, secretKey: SECRET },
  { profile: "tencent-cls", region: "r", topicId: "t", secretId: "i", secretKey: `${SECRET}\n` },
  { profile: "tencent-cls", region: "r", topicId: "t", secretId: `${SECRET}:深圳`, secretKey: [SECRET] },
  { tls: { cert: SECRET } },
  { tls: SECRET },
  { resource: SECRET },
  { destinations: SECRET },
  { destinations: [SECRET] },
  { destinations: [{}], token: SECRET },
  { destinations: [{}], headers: { authorization: SECRET } },
];

const written = [];
const log = (...words) => void written.push(words.join(" "));
diag.setLogger({ verbose: log, debug: log, info: log, warn: log, error: log }, { logLevel: DiagLogLevel.ALL });

function silent(text, where) {
  assert.ok(!text.includes(SECRET), `${where}: ${text}`);
}

function folder(t) {
  const folder = mkdtempSync(join(tmpdir(), "genspan-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

// README promise: "Secrets stay"
test("in no error of a wrong option", () => {
  for (const options of WRONG) {
    assert.throws(
      () => new GenSpanProcessor(options),
      ({ message }) => !message.includes(SECRET),
      JSON.stringify(options),
    );
    const [destination] = options.destinations ? [] : [options];
    if (destination)
      assert.throws(
        () => new GenSpanProcessor({ destinations: [{}, destination] }),
        ({ message }) => !message.includes(SECRET),
      );
  }
  assert.throws(
    () => normalize(new Uint8Array(), { token: [SECRET] }),
    ({ message }) => !message.includes(SECRET),
  );
});

// README promise: "Secrets stay"
test("in no warning about the environment", async (t) => {
  const { env } = process;
  t.after(() => {
    for (const name of Object.keys(env)) if (name.startsWith("OTEL_")) delete env[name];
  });
  for (const url of URLS) {
    env.OTEL_EXPORTER_OTLP_ENDPOINT = url;
    await new GenSpanProcessor({}).shutdown();
    delete env.OTEL_EXPORTER_OTLP_ENDPOINT;
  }
  for (const headers of [
    SECRET,
    `Bearer ${SECRET}=authorization`,
    `authorization=${SECRET}%zz`,
    `authorization=${SECRET}%0a`,
  ]) {
    env.OTEL_EXPORTER_OTLP_HEADERS = headers;
    await new GenSpanProcessor({ endpoint: undefined }).shutdown();
  }
  assert.ok(written.length >= URLS.length, "each was reported");
  silent(written.join("\n"), "warnings");
});

// README promise: "Secrets stay"
test("in nothing that is told of a request that fails", async (t) => {
  const echo = `no such key: ${SECRET}`;
  const collector = await startCollector(() => ({ status: 401, body: echo, headers: { "x-echo": echo } }));
  t.after(() => collector.close());
  const { fetch } = globalThis;
  t.after(() => {
    globalThis.fetch = fetch;
  });
  const query = `${collector.url}?api_key=${SECRET}`;
  for (const [options, send] of [
    [{ endpoint: query, headers: { authorization: `Bearer ${SECRET}` } }],
    [
      {
        headers: () => {
          throw new Error(`no answer for ${SECRET}`);
        },
      },
    ],
    [
      {
        headers: async () => {
          throw `no answer for ${SECRET}`;
        },
      },
    ],
    [{ headers: () => ({ [`Bearer ${SECRET}`]: "authorization" }) }],
    [
      { endpoint: query },
      async (url) => {
        throw new Error(`request to ${url} failed`);
      },
    ],
  ]) {
    globalThis.fetch = send ?? fetch;
    const processor = new GenSpanProcessor({ endpoint: collector.url, exportTimeoutMillis: 1, ...options });
    const provider = new BasicTracerProvider({ spanProcessors: [processor] });
    provider.getTracer("t").startSpan("s").end();
    await processor.shutdown({ timeoutMillis: 500 });
    const told = JSON.stringify(processor.stats());
    assert.match(told, /lastError/);
    silent(told, "stats");
  }
  silent(written.join("\n"), "diag");
});

// README promise: "Secrets stay"
test("in no output of the commands", async (t) => {
  const dir = folder(t);
  const file = (name, text) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const spans = file("spans.json", "{}");
  const ports = ["--port", "0", "--grpc-port", "0"];
  const broken = [
    `{"token": "${SECRET}", }`,
    `{"token": "${SECRET}"`,
    `"${SECRET}"`,
    `["${SECRET}"]`,
    SECRET,
    `{"token": ["${SECRET}"]}`,
  ];
  const lines = [
    ...broken.map((text, i) => ["convert", "--config", file(`broken-${i}.json`, text), spans]),
    ...broken.map((_, i) => [
      "relay",
      "--to",
      "http://127.0.0.1:9/v1/traces",
      "--config",
      join(dir, `broken-${i}.json`),
      ...ports,
    ]),
    ...URLS.map((url) => ["relay", "--to", url, ...ports]),
    ...WRONG.slice(2 * URLS.length).map((options, i) => [
      "relay",
      "--config",
      file(`wrong-${i}.json`, JSON.stringify(options)),
      ...ports,
    ]),
    ["relay", URLS[0]],
    ["relay", "--to", `http://127.0.0.1:4318/v1/traces?key=${SECRET}`],
    [URLS[0]],
  ];
  for (let at = 0; at < lines.length; at += 4) {
    await Promise.all(
      lines.slice(at, at + 4).map(async (args) => {
        const { status, out, err } = await command(t, args).ended;
        assert.ok(status > 0 && err.startsWith("genspan: "), `${args.join(" ")}: ${err}`);
        silent(out + err, args.join(" "));
      }),
    );
  }
  const collector = await startCollector(() => ({ status: 401, body: SECRET }));
  t.after(() => collector.close());
  const config = {
    endpoint: `${collector.url}?api_key=${SECRET}`,
    headers: { authorization: `Bearer ${SECRET}` },
  };
  const running = command(t, ["relay", "--config", file("relay.json", JSON.stringify(config)), ...ports], {
    OTEL_EXPORTER_OTLP_HEADERS: `x-key=${SECRET}`,
  });
  const { url } = await running.ready;
  const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", name: "GET" };
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  const headers = { "content-type": "application/json", authorization: `Bearer ${SECRET}` };
  await ask(`${url}/v1/traces?api_key=${SECRET}`, { method: "POST", headers, body });
  silent((await ask(`${url}/healthz`)).body.toString(), "healthz");
  running.kill("SIGTERM");
  const { out, err } = await running.ended;
  assert.match(out, /to otlp-0 {2}http:\/\/127\.0\.0\.1:\d+\/v1\/traces\?…/);
  assert.match(err, /HTTP status 401/);
  silent(out + err, "relay");
});
