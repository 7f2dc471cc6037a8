// From options and environment variables to what the core and the transport get, and the messages for what is wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import { GenSpanProcessor } from "../dist/node.js";
import { source } from "./source.mjs";

const { configure } = await source("config");

const host = (env = {}, warnings = []) => ({
  warn: (message) => warnings.push(message),
  env,
  headers: { "user-agent": "genspan/test" },
  shortText: 48,
  hostName: () => "10.0.0.7",
});
/** Headers as they go out, in place of what gives them. */
const withHeaders = async ({ headers, secrets, ...route }) => ({ ...route, headers: await headers() });
const one = (options, env) => {
  const { core, routes, ...rest } = configure(options, host(env));
  return { ...rest, core, destination: core, route: routes[0] };
};

test("nothing set: the local collector, and the core's own defaults", async () => {
  const { routes, ...rest } = configure({}, host());
  assert.deepEqual(rest, {
    disabled: false,
    core: { endpoint: "http://localhost:4318/v1/traces", headers: {} },
    spool: undefined,
    flushTimeoutMillis: 30_000,
    maxIdleMemoryBytes: 64 << 20,
  });
  assert.deepEqual(await withHeaders(routes[0]), {
    name: "otlp-0",
    endpoint: "http://localhost:4318/v1/traces",
    protocol: "http/protobuf",
    headers: { "user-agent": "genspan/test" },
    gzip: false,
    timeoutMillis: 10_000,
    tls: undefined,
    maxQueueSize: 8192,
  });
});

test("options reach the core and the transport", async () => {
  const entry = { holdMillis: 5 };
  const { core, route } = one({
    endpoint: "https://a.example/otlp",
    headers: { "x-key": "k" },
    profile: "tencent",
    keep: "none",
    token: "secret",
    serviceName: "shop",
    hostName: "h",
    resource: { a: 1 },
    allowScopes: ["ai"],
    blockScopes: ["http*"],
    compression: "gzip",
    timeoutMillis: 5,
    entry,
    inferProvider: false,
    scheduledDelayMillis: 1,
    maxExportBatchSize: 2,
    maxQueueSize: 3,
    exportTimeoutMillis: 4,
    maxQueueBytes: 8,
    maxExportBatchBytes: 9,
    dropPolicy: "newest",
    retry: { initialMillis: 10, maxMillis: 11 },
    breaker: { failures: 0, openMillis: 12 },
    concurrencyLimit: 13,
  });
  assert.deepEqual(core, {
    endpoint: "https://a.example/otlp",
    headers: { "x-key": "k" },
    profile: "tencent",
    keep: "none",
    token: "secret",
    serviceName: "shop",
    hostName: "h",
    resource: { a: 1 },
    allowScopes: ["ai"],
    blockScopes: ["http*"],
    entry,
    inferProvider: false,
    scheduledDelayMillis: 1,
    maxExportBatchSize: 2,
    maxQueueSize: 3,
    exportTimeoutMillis: 4,
    maxQueueBytes: 8,
    maxExportBatchBytes: 9,
    dropPolicy: "newest",
    retry: { initialMillis: 10, maxMillis: 11 },
    breaker: { failures: 0, openMillis: 12 },
    concurrencyLimit: 13,
  });
  assert.deepEqual(await withHeaders(route), {
    name: "otlp-0",
    endpoint: "https://a.example/otlp",
    protocol: "http/protobuf",
    headers: { "user-agent": "genspan/test", "x-key": "k" },
    gzip: true,
    timeoutMillis: 5,
    tls: undefined,
    maxQueueSize: 3,
  });
});

for (const [name, env, options, read, expected] of [
  [
    "the general endpoint gets the path of traces",
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318/" },
    {},
    (c) => c.route.endpoint,
    "http://c:4318/v1/traces",
  ],
  [
    "the endpoint of traces stands as it is",
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://t/x" },
    {},
    (c) => c.route.endpoint,
    "http://t/x",
  ],
  [
    "an option beats the environment",
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://t/x" },
    { endpoint: "http://o" },
    (c) => c.route.endpoint,
    "http://o",
  ],
  [
    "empty means unset",
    { OTEL_EXPORTER_OTLP_ENDPOINT: " " },
    {},
    (c) => c.route.endpoint,
    "http://localhost:4318/v1/traces",
  ],
  [
    "headers are decoded, those of traces win",
    { OTEL_EXPORTER_OTLP_HEADERS: "a=1%2C2, b=x=y,", OTEL_EXPORTER_OTLP_TRACES_HEADERS: "b=z" },
    {},
    (c) => c.destination.headers,
    { a: "1,2", b: "z" },
  ],
  ["general timeout", { OTEL_EXPORTER_OTLP_TIMEOUT: "7" }, {}, (c) => c.route.timeoutMillis, 7],
  [
    "timeout of traces",
    { OTEL_EXPORTER_OTLP_TIMEOUT: "7", OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "8" },
    {},
    (c) => c.route.timeoutMillis,
    8,
  ],
  ["compression", { OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" }, {}, (c) => c.route.gzip, true],
  [
    "compression of traces",
    { OTEL_EXPORTER_OTLP_COMPRESSION: "gzip", OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: "none" },
    {},
    (c) => c.route.gzip,
    false,
  ],
  [
    "the batch processor's variables",
    {
      OTEL_BSP_SCHEDULE_DELAY: "1",
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "2",
      OTEL_BSP_MAX_QUEUE_SIZE: "3",
      OTEL_BSP_EXPORT_TIMEOUT: "4",
    },
    {},
    ({ core, route: { maxQueueSize } }) => [
      core.scheduledDelayMillis,
      core.maxExportBatchSize,
      core.maxQueueSize,
      core.exportTimeoutMillis,
      maxQueueSize,
    ],
    [1, 2, 3, 4, 3],
  ],
  ["service name", { OTEL_SERVICE_NAME: "shop" }, {}, (c) => c.destination.serviceName, "shop"],
  [
    "service name in an option",
    { OTEL_SERVICE_NAME: "shop" },
    { serviceName: "o" },
    (c) => c.destination.serviceName,
    "o",
  ],
  [
    "tencent reads its three from the resource attributes",
    { OTEL_RESOURCE_ATTRIBUTES: "token=t%20k,host.name=h,service.name=s" },
    { profile: "tencent" },
    ({ destination: { token, hostName, serviceName } }) => [token, hostName, serviceName],
    ["t k", "h", "s"],
  ],
  [
    "nobody else does",
    { OTEL_RESOURCE_ATTRIBUTES: "token=t,host.name=h,service.name=s" },
    {},
    ({ destination: { token, hostName, serviceName } }) => [token, hostName, serviceName],
    [undefined, undefined, undefined],
  ],
  ["tencent's host name", {}, { profile: "tencent" }, (c) => c.destination.hostName, "10.0.0.7"],
  ["disabled", { OTEL_SDK_DISABLED: "TRUE" }, {}, (c) => c.disabled, true],
]) {
  test(`environment: ${name}`, () => assert.deepEqual(read(one(options, env)), expected));
}

test("Langfuse is asked for its newest form, unless the headers say otherwise", () => {
  const version = (options) =>
    configure({ profile: "langfuse", ...options }, host()).routes[0].headers()["x-langfuse-ingestion-version"];
  assert.equal(version({}), "4");
  assert.equal(version({ headers: { "x-langfuse-ingestion-version": "3" } }), "3");
});

const TOPIC = { profile: "tencent-cls", region: "ap-guangzhou", topicId: "t-1", secretId: "id", secretKey: "key" };

test("a topic of CLS stands for endpoint and headers, whatever the environment says", async () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c", OTEL_EXPORTER_OTLP_HEADERS: "authorization=secret" };
  const { route } = one(TOPIC, env);
  const { endpoint, headers } = await withHeaders(route);
  assert.equal(endpoint, "https://ap-guangzhou.cls.tencentcs.com/v1/traces");
  assert.deepEqual(headers, { "user-agent": "genspan/test", authorization: "Basic aWQ6a2V5", topic_id: "t-1" });
  assert.ok(route.secrets.includes("key"));
  const inside = one({
    ...TOPIC,
    endpoint: "https://ap-guangzhou.cls.tencentyun.com/v1/traces",
    headers: { topic_id: "t-2" },
  });
  assert.equal(inside.route.endpoint, "https://ap-guangzhou.cls.tencentyun.com/v1/traces");
  assert.equal((await withHeaders(inside.route)).headers.topic_id, "t-2");
});

test("in a list, headers of the environment stay with the endpoint of the environment", () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c", OTEL_EXPORTER_OTLP_HEADERS: "authorization=secret" };
  const { core } = configure({ destinations: [{ profile: "otel" }, { endpoint: "http://other" }] }, host(env));
  assert.deepEqual(core.destinations, [
    { profile: "otel", endpoint: "http://c/v1/traces", headers: { authorization: "secret" } },
    { endpoint: "http://other", headers: {} },
  ]);
});

for (const [options, message] of [
  [
    { endpoint: "localhost" },
    /^genspan: endpoint: "localhost" is not a URL; include scheme and host, for example http/,
  ],
  [{ endpoint: "ftp://x" }, /^genspan: endpoint: "ftp:\/\/x" does not begin with http:\/\/ or https:\/\//],
  [{ endpoint: "https://u:secret@x" }, /^genspan: endpoint: contains a user name or password; send them as a header/],
  [{ destinations: [{}, { endpoint: "x" }] }, /^genspan: destinations\[1\]\.endpoint: "x" is not a URL/],
  [{ destinations: [] }, /^genspan: destinations: is not a list of destinations; write at least one/],
  [{ destinations: [{}], token: "secret" }, /^genspan: token: cannot be combined with destinations; move it into/],
  [{ endPoint: "http://x" }, /^genspan: endPoint: is not an option; did you mean endpoint\?$/],
  [
    { destinations: [{ url: "http://x" }] },
    /^genspan: destinations\[0\]\.url: is not an option; known: name, endpoint/,
  ],
  [{ headers: { "x-key": "se\ncret" } }, /^genspan: headers\["x-key"\]: is not a valid HTTP header; use visible ASCII/],
  [{ headers: { "x key": "secret" } }, /^genspan: headers: contains an invalid header name/],
  [{ headers: { n: 1 } }, /^genspan: headers\["n"\]: is a number; write a string/],
  [{ compression: "zstd" }, /^genspan: compression: "zstd" is not supported; use "gzip" or "none"/],
  [{ timeoutMillis: -1 }, /^genspan: timeoutMillis: -1 is out of range; use a whole number from 0 to 2147483647/],
  [{ maxQueueSize: Number.NaN }, /^genspan: maxQueueSize: NaN is out of range; use a finite number/],
  [{ destinations: [{ resource: { a: 1n } }] }, /^genspan: destinations\[0\]\.resource\.a: is a bigint; use text/],
  [null, /^genspan: options: is null; write an object, such as \{ endpoint: … \}/],
  ["secret", /^genspan: options: is a string; write an object/],
  [[], /^genspan: options: is a list; write an object/],
  [{ spool: "dir" }, /^genspan: spool: is a string; write an object, such as \{ dir: … \}/],
  [{ privacy: "secret" }, /^genspan: privacy: is a string; write an object/],
  [{ tls: "secret" }, /^genspan: tls: is a string; write an object/],
  [{ destinations: [null] }, /^genspan: destinations\[0\]: is null; write an object/],
  [{ endpoint: 5 }, /^genspan: endpoint: is a number; write a URL, for example http/],
  [{ endpoint: {} }, /^genspan: endpoint: is an object; write a URL, for example http/],
  [{ headers: "secret" }, /^genspan: headers: is a string; use \{ name: value \}, Headers or a Map/],
  [{ headers: { n: undefined } }, /^genspan: headers\["n"\]: is undefined; write a string/],
  [{ headers: new Map([["x key", "secret"]]) }, /^genspan: headers: contains an invalid header name/],
  [{ compresion: "gzip" }, /^genspan: compresion: is not an option; did you mean compression\?$/],
  [{ endpont: "x" }, /; did you mean endpoint\?$/],
]) {
  test(`refused: ${message.source.slice(1, 60)}`, () => {
    assert.throws(
      () => configure(options, host()),
      (error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /secret(?!Id|Key)|\n/);
        return true;
      },
    );
  });
}

// The specification of these variables: an implementation warns of what it cannot use, and goes on as if it were not set.
// README promise: "Nothing of ours breaks the host"
for (const [env, message] of [
  [
    { OTEL_BSP_SCHEDULE_DELAY: "5s" },
    /^OTEL_BSP_SCHEDULE_DELAY: 5s is out of range; use a whole number from 0 to .*; it is ignored$/,
  ],
  [{ OTEL_BSP_EXPORT_TIMEOUT: "-1" }, /^OTEL_BSP_EXPORT_TIMEOUT: -1 is out of range/],
  [{ OTEL_BSP_MAX_QUEUE_SIZE: "0" }, /^OTEL_BSP_MAX_QUEUE_SIZE: 0 is out of range/],
  [{ OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "many" }, /^OTEL_BSP_MAX_EXPORT_BATCH_SIZE: many is out of range/],
  [{ OTEL_EXPORTER_OTLP_TIMEOUT: "10s" }, /^OTEL_EXPORTER_OTLP_TIMEOUT: 10s is out of range/],
  [{ OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "1.5" }, /^OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: 1\.5 is out of range/],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "c:4318" }, /^OTEL_EXPORTER_OTLP_ENDPOINT: "c:4318\/v1\/traces" does not begin with/],
  [
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "collector" },
    /^OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "collector" is not a URL/,
  ],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://u:secret@c" },
    /^OTEL_EXPORTER_OTLP_ENDPOINT: contains a user name or password/,
  ],
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: "foo" }, /^OTEL_EXPORTER_OTLP_PROTOCOL: "foo" is unknown; use one of http\/protobuf/],
  [
    { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    /^OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" is supported only in Node, Bun and Deno/,
  ],
  [
    { OTEL_EXPORTER_OTLP_COMPRESSION: "zstd" },
    /^OTEL_EXPORTER_OTLP_COMPRESSION: "zstd" is not supported; use "gzip" or/,
  ],
  [{ OTEL_EXPORTER_OTLP_HEADERS: "secret" }, /^OTEL_EXPORTER_OTLP_HEADERS: entry 1 is not a percent-encoded key=value/],
  [{ OTEL_EXPORTER_OTLP_HEADERS: "x key=secret" }, /^OTEL_EXPORTER_OTLP_HEADERS: contains an invalid header name/],
  [{ OTEL_EXPORTER_OTLP_HEADERS: "a=%0Asecret%0A." }, /^OTEL_EXPORTER_OTLP_HEADERS\["a"\]: is not a valid HTTP header/],
  [{ OTEL_SDK_DISABLED: "yes" }, /^OTEL_SDK_DISABLED: "yes" is not a boolean; use "true" or "false"/],
]) {
  test(`environment: ${JSON.stringify(env)} makes one warning, and is as if it were not set`, () => {
    const warnings = [];
    const several = { destinations: [{}, {}] };
    const shown = ({ routes, ...rest }) => JSON.stringify([rest, routes, routes.map(({ headers }) => headers())]);
    assert.equal(shown(configure(several, host(env, warnings))), shown(configure(several, host())));
    assert.equal(warnings.length, 1, warnings);
    assert.match(warnings[0], message);
    assert.doesNotMatch(warnings[0], /secret|\n/);
  });
}

test("environment: what is wrong for traces leaves what is right for all signals", () => {
  const env = {
    OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
    OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: "zstd",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://c",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "nowhere",
    OTEL_EXPORTER_OTLP_HEADERS: "a=1,b",
  };
  const { route, destination } = one({}, env);
  assert.deepEqual([route.gzip, route.endpoint, destination.headers], [true, "http://c/v1/traces", { a: "1" }]);
});

test("environment: resource attributes of which one cannot be read are ignored together", () => {
  const warnings = [];
  const env = { OTEL_RESOURCE_ATTRIBUTES: "service.name=s,token=%" };
  const { core } = configure({ profile: "tencent", token: "t" }, host(env, warnings));
  assert.equal(core.serviceName, undefined);
  assert.match(
    warnings.join(),
    /^OTEL_RESOURCE_ATTRIBUTES: entry 2 is not a percent-encoded key=value; .*; it is ignored$/,
  );
});

test("headers and endpoints are taken in the forms that platforms have them", async () => {
  const plain = { authorization: "Bearer secret" };
  for (const headers of [new Headers(plain), new Map(Object.entries(plain)), plain]) {
    for (const given of [headers, () => headers, async () => headers]) {
      const { routes, core } = configure({ headers: given, endpoint: new URL("http://a.example/x?y") }, host());
      assert.equal((await routes[0].headers()).authorization, "Bearer secret");
      assert.ok(routes[0].secrets.includes("secret"));
      assert.deepEqual([routes[0].endpoint, core.endpoint], Array(2).fill("http://a.example/x?y"));
    }
  }
  const [wrong] = configure({ headers: () => ({ authorization: undefined }) }, host()).routes;
  await assert.rejects(wrong.headers(), /^Error: genspan: headers\["authorization"\]: is undefined; write a string/);
});

test("a destination's own delivery stands on that for all", () => {
  const { core, routes } = configure(
    {
      maxQueueSize: 3,
      retry: { maxMillis: 5 },
      destinations: [{ endpoint: "http://a" }, { endpoint: "http://b", maxQueueSize: 4, concurrencyLimit: 1 }],
    },
    host(),
  );
  assert.deepEqual([core.maxQueueSize, core.retry], [3, { maxMillis: 5 }]);
  assert.deepEqual(core.destinations, [
    { endpoint: "http://a", headers: {} },
    { endpoint: "http://b", headers: {}, maxQueueSize: 4, concurrencyLimit: 1 },
  ]);
  assert.deepEqual(
    routes.map(({ maxQueueSize }) => maxQueueSize),
    [3, 4],
  );
});

test("gRPC has its own default endpoint, and no path from the environment", () => {
  const node = (env) => ({ ...host(env), grpc() {} });
  const of = (options, env) => configure(options, node(env)).routes[0];
  assert.equal(of({ protocol: "grpc" }).endpoint, "http://localhost:4317");
  assert.equal(of({}, { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }).protocol, "grpc");
  assert.equal(of({ protocol: "grpc" }, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:1" }).endpoint, "http://c:1");
  assert.throws(() => configure({ protocol: "grpc" }, host()), {
    message: 'genspan: protocol: "grpc" is supported only in Node, Bun and Deno; use "http/protobuf"',
  });
});

test("headers that change are asked for each time, and what they held stays secret", async () => {
  let n = 0;
  const [route] = configure({ headers: async () => ({ authorization: `Bearer token-${++n}` }) }, host()).routes;
  assert.equal((await route.headers()).authorization, "Bearer token-1");
  assert.deepEqual(await route.headers(), { "user-agent": "genspan/test", authorization: "Bearer token-2" });
  for (const secret of ["token-1", "token-2", "Bearer token-2"]) assert.ok(route.secrets.includes(secret), secret);
});

test("certificates come from options, or from the files that the environment names", () => {
  const node = (env) => ({
    ...host(env),
    dispatch() {},
    readFile(path) {
      if (path === "missing") throw new Error("no such file");
      return `read ${path}`;
    },
  });
  const warnings = [];
  const tls = (options, env) =>
    configure(options, { ...node(env), warn: (message) => warnings.push(message) }).routes[0].tls;
  assert.equal(tls({}), undefined);
  assert.deepEqual(tls({ tls: { ca: "pem" } }), { ca: "pem" });
  const env = { OTEL_EXPORTER_OTLP_CERTIFICATE: "a", OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: "b" };
  assert.deepEqual(tls({}, env), { ca: "read b" });
  assert.equal(tls({}, { OTEL_EXPORTER_OTLP_CERTIFICATE: "missing" }), undefined);
  assert.deepEqual(tls({}, { ...env, OTEL_EXPORTER_OTLP_CLIENT_KEY: "k" }), { ca: "read b" });
  assert.deepEqual(warnings, [
    'OTEL_EXPORTER_OTLP_CERTIFICATE: "missing" cannot be read; use the path of a PEM file; it is ignored',
    "OTEL_EXPORTER_OTLP_CLIENT_KEY: is unusable without OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE; it is ignored",
  ]);
  assert.throws(
    () => tls({ tls: { cert: "pem" } }),
    /tls: has only one of cert and key; set both for a client certificate/,
  );
  assert.throws(() => configure({ tls: { ca: "pem" } }, host()), /tls: is not supported by this runtime/);
});

for (const [options, message] of [
  [{ protocol: "http" }, 'protocol: "http" is unknown; use one of http/protobuf, http/json, grpc'],
  [{ spool: { dir: "x" } }, "spool: is not supported: this runtime has no files; omit it, or use Node, Bun or Deno"],
  [{ flushOnExit: true }, "flushOnExit: is supported only in Node; omit it, or use flushVia(ctx)"],
  [{ onPartialSuccess: 1 }, "onPartialSuccess: is a number; pass a function, or omit the option"],
  [{ meterProvider: {} }, "meterProvider.getMeter: is undefined; pass a function, or omit the option"],
]) {
  test(`refused: ${JSON.stringify(options)}`, () => {
    assert.throws(() => configure(options, host()), { message: `genspan: ${message}` });
  });
}

// What the core checks is refused at construction too, by the path that was written.
for (const [options, message] of [
  [{ entry: { holdMilis: 1 } }, "entry.holdMilis: is not an option; did you mean holdMillis?"],
  [{ entry: 5 }, "entry: is a number; use an object"],
  [{ retry: { initial: 1 } }, "retry.initial: is not an option; known: initialMillis, maxMillis"],
  [{ retry: 5 }, "retry: is a number; use an object"],
  [{ breaker: { failures: -1 } }, "breaker.failures: is a number; use a whole number, 0 or more"],
  [{ dropPolicy: "random" }, 'dropPolicy: "random" is unknown; use one of "oldest", "newest"'],
  [{ maxQueueSize: 0 }, "maxQueueSize: 0 is out of range; use a whole number, 1 or more"],
  [
    { profile: "otle" },
    'profile: "otle" is unknown; use one of "otel", "otel-1.41", "tencent", "tencent-cls", "langfuse", "openinference"',
  ],
  [{ sampleRatio: 2 }, "sampleRatio: 2 is out of range; use a number from 0 (no trace) to 1 (all)"],
  [{ maxExportBatchBytes: 2 ** 26 }, "maxExportBatchBytes: 67108864 is out of range; use at most 33554432 (32 MiB)"],
  [
    { destinations: [{}, { concurrencyLimit: 0 }] },
    "destinations[1].concurrencyLimit: 0 is out of range; use a whole number, 1 or more",
  ],
  [{ scheduledDelayMillis: -1 }, "scheduledDelayMillis: -1 is out of range; use a number from 0 to 2147483647 (ms)"],
]) {
  test(`refused by the core: ${JSON.stringify(options)}`, () => {
    assert.throws(() => new GenSpanProcessor(options), { message: `genspan: ${message}` });
  });
}
