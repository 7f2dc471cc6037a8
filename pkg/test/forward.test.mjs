// `genspan relay --forward-other-signals`: metrics and logs reach another receiver as they came.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { startCollector } from "./collector.mjs";
import { call, command, post, relay } from "./serving.mjs";

const LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

async function setup(t, answer) {
  const collector = await startCollector(answer);
  t.after(() => collector.close());
  const base = new URL(collector.url).origin;
  return { collector, ...(await relay(t, { endpoint: collector.url }, ["--forward-other-signals", `${base}/otlp/`])) };
}

test("metrics and logs are passed on as they are, by HTTP and by gRPC", async (t) => {
  const { collector, url, grpc, close } = await setup(t);
  const packed = gzipSync("anything");
  for (const [path, body, headers] of [
    ["/v1/metrics", Buffer.from([10, 0]), {}],
    ["/v1/logs", '{"resourceLogs":[]}', { "content-type": "application/json" }],
    ["/team/v1/logs", packed, { "content-encoding": "gzip", authorization: "Bearer s3cret" }],
  ]) {
    assert.equal((await post(url, body, headers, path)).status, 200);
  }
  assert.equal(await call(grpc, Buffer.from([10, 0]), LOGS), 0);
  const came = collector.requests.map(({ url, headers, body }) => [
    url,
    headers["content-type"],
    body.toString("latin1"),
  ]);
  assert.deepEqual(came, [
    ["/otlp/v1/metrics", "application/x-protobuf", "\n\0"],
    ["/otlp/v1/logs", "application/json", '{"resourceLogs":[]}'],
    ["/otlp/v1/logs", "application/x-protobuf", gunzipSync(packed).toString()],
    ["/otlp/v1/logs", "application/x-protobuf", "\n\0"],
  ]);
  assert.ok(collector.requests.every(({ headers }) => headers.authorization === undefined));
  const { received } = await close();
  assert.deepEqual([received.forwarded, received.discarded, received.requests], [4, 0, 4]);
});

test("the answer of the other receiver reaches the sender: no, or later", async (t) => {
  let status = 400;
  const { url, grpc } = await setup(t, () => ({ status }));
  assert.equal((await post(url, "x", {}, "/v1/logs")).status, 400);
  for (status of [503, 429]) {
    const answer = await post(url, "x", {}, "/v1/logs");
    assert.deepEqual([answer.status, answer.headers["retry-after"]], [503, "5"]);
  }
  const UNAVAILABLE = 14;
  assert.equal(await call(grpc, Buffer.from("x"), LOGS), UNAVAILABLE);
});

for (const url of ["collector:4318", "http://me:s3cret@host", "http://host/?key=s3cret"]) {
  test(`--forward-other-signals ${url.replace("s3cret", "…")} is refused without its secret`, async (t) => {
    const args = ["relay", "--to", "http://127.0.0.1:9/v1/traces", "--forward-other-signals", url];
    const running = command(t, args);
    running.ready.catch(() => {});
    const { status, err } = await running.ended;
    assert.equal(status, 2);
    assert.match(err, /--forward-other-signals: .* is not a URL to add \/v1\/metrics to; write the address/);
    assert.ok(!err.includes("s3cret"));
  });
}
