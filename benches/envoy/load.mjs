// By hand: `MINUTES=30 node benches/envoy/load.mjs` keeps Envoy with the plugin under load, and prints its memory once a minute. Bodies are captures,
// each with trace ids of its own, cut in two so that parents come later; one in twenty is garbage.
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { decode, flatten } from "../../demo/receiver.mjs";
import { startEnvoy } from "../../tests/envoy/envoy.mjs";

const MINUTES = Number(process.env.MINUTES ?? 1);
const PER_SECOND = Number(process.env.PER_SECOND ?? 100);
const folder = new URL("../../tests/fixtures/captures/more/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".pb"));
const bodies = files.map((name) => readFileSync(new URL(name, folder))).filter((body) => body.length < 60_000);
const traces = bodies.map((body) => [...new Set(flatten(decode(body)).map(({ traceId }) => traceId))]);

let arrived = 0;
const backend = createServer((request, response) => {
  request.on("data", (chunk) => {
    arrived += chunk.length;
  });
  request.on("end", () => response.end());
});
await new Promise((resolve) => backend.listen(0, "127.0.0.1", resolve));
const envoy = await startEnvoy({
  options: { profile: "otel", entry: { holdMillis: 2_000 } },
  http: backend.address().port,
});

/** A capture as a trace that was not there before. */
function fresh(i) {
  const body = Buffer.from(bodies[i]);
  for (const traceId of traces[i]) {
    const [from, to] = [Buffer.from(traceId, "hex"), randomBytes(16)];
    for (let at = body.indexOf(from); at >= 0; at = body.indexOf(from, at + 16)) to.copy(body, at);
  }
  return body;
}

const statuses = {};
async function send() {
  const i = Math.floor(Math.random() * bodies.length);
  const body = Math.random() < 0.05 ? randomBytes(2_000) : fresh(i);
  const headers = { "content-type": "application/x-protobuf", authorization: `Bearer ${i % 5}` };
  const status = await fetch(`${envoy.http}/v1/traces`, { method: "POST", body, headers }).then(
    (r) => r.arrayBuffer().then(() => r.status),
    () => "failed",
  );
  statuses[status] = (statuses[status] ?? 0) + 1;
}

const end = Date.now() + MINUTES * 60_000;
let told = 0;
while (Date.now() < end) {
  const start = Date.now();
  await Promise.all(Array.from({ length: PER_SECOND / 10 }, send));
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, 100 - (Date.now() - start))));
  if (Date.now() - told >= 60_000) {
    told = Date.now();
    const {
      genspan_requests_total: requests,
      genspan_memory_bytes: memory,
      genspan_held: held,
      genspan_spans_total: spans,
    } = await envoy.stats();
    console.log(
      new Date().toISOString().slice(11, 19),
      `${requests} requests, ${spans} spans, ${held} held, ${(memory / 2 ** 20).toFixed(1)} MiB in both VMs`,
    );
  }
}
console.log(JSON.stringify({ statuses, arrivedMiB: Math.round(arrived / 2 ** 20), ...(await envoy.stats()) }));
await envoy.stop();
backend.close();
