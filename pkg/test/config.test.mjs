// From options and environment variables to what the core and the transport get, and the messages for what is wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { configure } = await source("config");

const host = (env = {}) => ({
  env,
  headers: { "user-agent": "genspan/test" },
  shortText: 48,
  hostName: () => "10.0.0.7",
});
const one = (options, env) => {
  const { core, routes, ...rest } = configure(options, host(env));
  return { ...rest, core, destination: core.destinations[0], route: routes[0] };
};

test("nothing set: the local collector, and the core's own defaults", () => {
  assert.deepEqual(configure({}, host()), {
    disabled: false,
    core: { destinations: [{ endpoint: "http://localhost:4318/v1/traces", headers: {} }] },
    routes: [
      {
        endpoint: "http://localhost:4318/v1/traces",
        headers: { "user-agent": "genspan/test" },
        gzip: false,
        timeoutMillis: 10_000,
      },
    ],
    maxQueueSize: 8192,
    exportTimeoutMillis: 60_000,
  });
});

test("options reach the core and the transport", () => {
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
  });
  assert.deepEqual(core, {
    destinations: [
      {
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
      },
    ],
    entry,
    inferProvider: false,
    queue: { maxSpans: 3 },
    batch: { maxSpans: 2, delayMillis: 1 },
    retry: { deadlineMillis: 4 },
  });
  assert.deepEqual(route, {
    endpoint: "https://a.example/otlp",
    headers: { "user-agent": "genspan/test", "x-key": "k" },
    gzip: true,
    timeoutMillis: 5,
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
    ({ core: { batch, queue, retry }, maxQueueSize, exportTimeoutMillis }) => [
      batch,
      queue,
      retry,
      maxQueueSize,
      exportTimeoutMillis,
    ],
    [{ maxSpans: 2, delayMillis: 1 }, { maxSpans: 3 }, { deadlineMillis: 4 }, 3, 4],
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
    configure({ profile: "langfuse", ...options }, host()).routes[0].headers["x-langfuse-ingestion-version"];
  assert.equal(version({}), "4");
  assert.equal(version({ headers: { "x-langfuse-ingestion-version": "3" } }), "3");
});

test("in a list, headers of the environment stay with the endpoint of the environment", () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c", OTEL_EXPORTER_OTLP_HEADERS: "authorization=secret" };
  const { core } = configure({ destinations: [{ profile: "otel" }, { endpoint: "http://other" }] }, host(env));
  assert.deepEqual(core.destinations, [
    { profile: "otel", endpoint: "http://c/v1/traces", headers: { authorization: "secret" } },
    { endpoint: "http://other", headers: {} },
  ]);
});

for (const [options, env, message] of [
  [
    { endpoint: "localhost" },
    {},
    /^genspan: endpoint "localhost" is not a URL; write it with scheme and host, for example http/,
  ],
  [{ endpoint: "ftp://x" }, {}, /^genspan: endpoint "ftp:\/\/x" must begin with http:\/\/ or https:\/\//],
  [
    { endpoint: "https://u:secret@x" },
    {},
    /^genspan: endpoint has a user name or password in it; send them as a header/,
  ],
  [{ destinations: [{}, { endpoint: "x" }] }, {}, /^genspan: destinations\[1\]\.endpoint "x" is not a URL/],
  [{ destinations: [] }, {}, /^genspan: destinations must be a list with at least one destination/],
  [{ destinations: [{}], token: "secret" }, {}, /^genspan: token stands beside destinations; move it into/],
  [{ endPoint: "http://x" }, {}, /^genspan: options: "endPoint" is unknown; did you mean endpoint\?/],
  [{ entry: { holdMilis: 1 } }, {}, /^genspan: entry: "holdMilis" is unknown; known: enabled, value, siblings, /],
  [{ destinations: [{ url: "http://x" }] }, {}, /^genspan: destinations\[0\]: "url" is unknown; known: name, endpoint/],
  [{ headers: { "x-key": "se\ncret" } }, {}, /^genspan: headers\["x-key"\] is no valid HTTP header; use visible ASCII/],
  [{ headers: { "x key": "secret" } }, {}, /^genspan: headers\["x key"\] is no valid HTTP header/],
  [{ headers: { n: 1 } }, {}, /^genspan: headers\["n"\] is a number; write a string/],
  [{ compression: "zstd" }, {}, /^genspan: compression "zstd" is not supported; use "gzip" or "none"/],
  [{ timeoutMillis: -1 }, {}, /^genspan: timeoutMillis -1 is no duration; write whole milliseconds/],
  [{ scheduledDelayMillis: 1.5 }, {}, /^genspan: scheduledDelayMillis 1\.5 is no duration/],
  [{ maxQueueSize: 0 }, {}, /^genspan: maxQueueSize 0 is no count; write a whole number from 1/],
  [{}, { OTEL_BSP_SCHEDULE_DELAY: "5s" }, /^genspan: OTEL_BSP_SCHEDULE_DELAY 5s is no duration/],
  [
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: "c:4318" },
    /^genspan: OTEL_EXPORTER_OTLP_ENDPOINT "c:4318\/v1\/traces" must begin with/,
  ],
  [
    {},
    { OTEL_EXPORTER_OTLP_HEADERS: "a=1,secret" },
    /^genspan: OTEL_EXPORTER_OTLP_HEADERS has no percent-encoded key=value as entry 2/,
  ],
]) {
  test(`refused: ${message.source.slice(1, 60)}`, () => {
    assert.throws(
      () => configure(options, host(env)),
      (error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /secret|\n/);
        return true;
      },
    );
  });
}
