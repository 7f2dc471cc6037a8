// `make bench-envoy`: requests a second through Envoy with the plugin, as a part of those without it; one run, one worker, keep-alive. The backend
// is an Envoy that answers at once. It judges nothing: only the ratios of one run mean something. The processor time of the proxy, where the system
// tells it (Linux), suffers less from what else the machine does.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

/** Processor time of a process so far, in µs. */
function processorTime(pid) {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return Number.NaN;
  // After the name, which may have spaces: user and system time in hundredths of a second.
  const fields = readFileSync(file, "utf8").split(") ").at(-1).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function measure({ http, pid }) {
  const script = join(folder, "post.lua");
  writeFileSync(
    script,
    `local f = io.open("${join(folder, "body.pb")}", "rb")\nwrk.method = "POST"\nwrk.body = f:read("*a")\nwrk.headers["content-type"] = "application/x-protobuf"\n`,
  );
  const before = processorTime(pid);
  const { stdout } = await run("wrk", ["-t1", "-c16", `-d${SECONDS}s`, "-s", script, `${http}/v1/traces`]);
  if (/Non-2xx/.test(stdout)) throw new Error(stdout);
  const [requests, rate] = [/(\d+) requests in/, /Requests\/sec:\s+([\d.]+)/].map((line) =>
    Number(line.exec(stdout)[1]),
  );
  return { rate, micros: (processorTime(pid) - before) / requests };
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
  const row = (name, ...cells) =>
    console.log(name.padEnd(28) + cells.map((cell) => String(cell).padStart(10)).join(""));
  row("", "", "requests", "a second", "", "CPU, µs", "a request", "");
  row("body", "bytes", "plain", "genspan", "of plain", "plain", "genspan", "of plain");
  for (const [name, load] of Object.entries(LOADS)) {
    const bytes = await body(load);
    const found = { plain: [], genspan: [] };
    const proxies = {
      plain: await startEnvoy({ options: null, http: BACKEND }),
      genspan: await startEnvoy({ options: { profile: "otel" }, http: BACKEND }),
    };
    // The first round warms up.
    for (let round = 0; round <= ROUNDS; round++) {
      for (const which of Object.keys(found)) found[which].push(await measure(proxies[which]));
    }
    for (const proxy of Object.values(proxies)) await proxy.stop();
    const median = (which, of) => {
      const sorted = found[which].slice(1).map((each) => each[of]);
      return sorted.sort((a, b) => a - b)[Math.floor(sorted.length / 2)];
    };
    const [plain, genspan, plainTime, genspanTime] = ["rate", "micros"].flatMap((of) => [
      median("plain", of),
      median("genspan", of),
    ]);
    const percent = (part, whole) => `${((part / whole) * 100).toFixed(0)} %`;
    const [rates, times] = [
      [plain, genspan],
      [plainTime, genspanTime],
    ].map((pair) => pair.map((n) => n.toFixed(0)));
    row(name, bytes, ...rates, percent(genspan, plain), ...times, percent(plainTime, genspanTime));
  }
} finally {
  backend.kill();
  await once(backend, "exit");
  rmSync(folder, { recursive: true, force: true });
}
