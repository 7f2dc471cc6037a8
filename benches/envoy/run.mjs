// `make bench-envoy`: requests a second through Envoy with the plugin, as a part of those without it; one run, one worker, keep-alive. The backend
// is an Envoy that answers at once. It judges nothing: only the ratios of one run mean something.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { python, startEnvoy } from "../../tests/envoy/envoy.mjs";

const run = promisify(execFile);
const SECONDS = Number(process.env.SECONDS ?? 4);
const ROUNDS = 3;
const BACKEND = 19_318;
const folder = mkdtempSync(join(tmpdir(), "genspan-bench-"));

const attribute = (key, value) => ({
  key,
  value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value },
});
const LOADS = {
  "HTTP and database spans": (i) => ({
    name: `GET /orders/${i % 7}`,
    kind: 2,
    attributes: [
      attribute("http.request.method", "GET"),
      attribute("http.route", "/orders/{id}"),
      attribute("http.response.status_code", 200),
      attribute("url.path", `/orders/${i}`),
      attribute("server.address", "shop.example"),
      attribute(
        "db.query.text",
        `SELECT * FROM orders WHERE id = ${i} AND customer = 'c-${i}' ORDER BY created_at DESC LIMIT 10`,
      ),
    ],
  }),
  "LLM spans (OpenInference)": (i) => ({
    name: "ChatCompletion",
    kind: 1,
    attributes: [
      attribute("openinference.span.kind", "LLM"),
      attribute("llm.model_name", "gpt-4o-mini"),
      attribute("llm.token_count.prompt", 57 + i),
      attribute("llm.token_count.completion", 17),
      attribute("llm.input_messages.0.message.role", "user"),
      attribute("llm.input_messages.0.message.content", `What is the weather in city ${i}?`),
      attribute("llm.output_messages.0.message.role", "assistant"),
      attribute("llm.output_messages.0.message.content", "It is 26 °C and sunny."),
    ],
  }),
};

/** 50 spans of one trace, below one root, about 20 KB as OTLP JSON's protobuf; by Python's encoder, which is not ours. */
async function body(load) {
  const spans = Array.from({ length: 50 }, (_, i) => ({
    traceId: Buffer.from("0af7651916cd43dd8448eb211c80319c", "hex").toString("base64"),
    spanId: Buffer.from((i + 1).toString(16).padStart(16, "0"), "hex").toString("base64"),
    ...(i > 0 && { parentSpanId: Buffer.from("0000000000000001", "hex").toString("base64") }),
    startTimeUnixNano: "1795479339000000000",
    endTimeUnixNano: "1795479340000000000",
    ...load(i),
  }));
  const resource = { attributes: [attribute("service.name", "shop"), attribute("host.name", "10.0.0.8")] };
  const json = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "bench" }, spans }] }] });
  const file = join(folder, "body.json");
  writeFileSync(file, json);
  const program =
    "import sys; from google.protobuf import json_format; from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest as R; sys.stdout.buffer.write(json_format.Parse(open(sys.argv[1]).read(), R()).SerializeToString())";
  const { stdout } = await run(python("newest"), ["-c", program, file], { encoding: "buffer" });
  writeFileSync(join(folder, "body.pb"), stdout);
  return stdout.length;
}

async function requestsPerSecond(url) {
  const script = join(folder, "post.lua");
  writeFileSync(
    script,
    `local f = io.open("${join(folder, "body.pb")}", "rb")\nwrk.method = "POST"\nwrk.body = f:read("*a")\nwrk.headers["content-type"] = "application/x-protobuf"\n`,
  );
  const { stdout } = await run("wrk", ["-t1", "-c16", `-d${SECONDS}s`, "-s", script, `${url}/v1/traces`]);
  if (/Non-2xx/.test(stdout)) throw new Error(stdout);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]);
}

const backendConfig = {
  static_resources: {
    listeners: [
      {
        address: { socket_address: { address: "127.0.0.1", port_value: BACKEND } },
        filter_chains: [
          {
            filters: [
              {
                name: "hcm",
                typed_config: {
                  "@type":
                    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                  stat_prefix: "b",
                  route_config: {
                    virtual_hosts: [
                      {
                        name: "b",
                        domains: ["*"],
                        routes: [{ match: { prefix: "/" }, direct_response: { status: 200 } }],
                      },
                    ],
                  },
                  http_filters: [
                    {
                      name: "router",
                      typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
                    },
                  ],
                },
              },
            ],
          },
        ],
      },
    ],
  },
};
writeFileSync(join(folder, "backend.json"), JSON.stringify(backendConfig));
const exec =
  "import os, sys, envoy; os.execv(os.path.join(os.path.dirname(envoy.__file__), '_bin', 'envoy'), ['envoy', *sys.argv[1:]])";
const backend = spawn(
  python("newest"),
  ["-c", exec, "-c", join(folder, "backend.json"), "--concurrency", "1", "--base-id", "31999", "-l", "error"],
  { stdio: "ignore" },
);

try {
  console.log(
    `Requests a second through Envoy, one worker, 50 spans a body, median of ${ROUNDS} rounds of ${SECONDS} s.\n`,
  );
  console.log(
    `${"body".padEnd(28)}${"bytes".padStart(8)}${"plain".padStart(10)}${"genspan".padStart(10)}${"of plain".padStart(10)}`,
  );
  for (const [name, load] of Object.entries(LOADS)) {
    const bytes = await body(load);
    const rates = { plain: [], genspan: [] };
    const proxies = {
      plain: await startEnvoy({ options: null, http: BACKEND }),
      genspan: await startEnvoy({ options: { profile: "otel" }, http: BACKEND }),
    };
    for (let round = 0; round < ROUNDS; round++) {
      for (const which of Object.keys(rates)) rates[which].push(await requestsPerSecond(proxies[which].http));
    }
    for (const proxy of Object.values(proxies)) await proxy.stop();
    const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
    const [plain, genspan] = [median(rates.plain), median(rates.genspan)];
    console.log(
      `${name.padEnd(28)}${String(bytes).padStart(8)}${plain.toFixed(0).padStart(10)}${genspan.toFixed(0).padStart(10)}${`${((genspan / plain) * 100).toFixed(0)} %`.padStart(10)}`,
    );
  }
} finally {
  backend.kill();
  await once(backend, "exit");
  if (!process.env.KEEP) rmSync(folder, { recursive: true });
  else console.log(folder);
}
