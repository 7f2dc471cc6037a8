// Envoy with the plugin, between loopback ports: the configuration is that of examples/envoy, with other ports and other options.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { missing, needing } from "../setup.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
export const python = (name) => here(`../../target/py-${name}/bin/python`);
/** Why there is no Python, or false. */
export const noPython = missing("python3", existsSync(python("newest")));
export const { test, setUp } = needing(noPython);
export const PLUGIN = here("../../plugins/proxy-wasm/genspan.wasm");

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

/**
 * `options` are the plugin's, or null: no plugin. `http` and `grpc` are the ports of the backend, `clusters` more of them by name. `plugin` is
 * the file of the module.
 */
export async function startEnvoy({ options, http, grpc = 9, clusters = {}, plugin = PLUGIN }) {
  const [admin, inHttp, inGrpc] = [await freePort(), await freePort(), await freePort()];
  let yaml = readFileSync(here("../../examples/envoy/envoy.yaml"), "utf8");
  const set = (from, to) => {
    if (!yaml.includes(from)) throw new Error(`examples/envoy/envoy.yaml has no ${from}`);
    yaml = yaml.replaceAll(from, to);
  };
  set("port_value: 9901", `port_value: ${admin}`);
  set("address: 0.0.0.0, port_value: 4318", `address: 127.0.0.1, port_value: ${inHttp}`);
  set("address: 0.0.0.0, port_value: 4317", `address: 127.0.0.1, port_value: ${inGrpc}`);
  set("port_value: 14318", `port_value: ${http}`);
  set("port_value: 14317", `port_value: ${grpc}`);
  set("filename: genspan.wasm", `filename: ${plugin}`);
  set('{ "profile": "otel" }', JSON.stringify(options ?? {}));
  if (options === null)
    yaml = yaml.replace(/ {18}- name: genspan\n[\s\S]*?(?= {18}- name: envoy.filters.http.router)/, "");
  for (const [name, port] of Object.entries(clusters)) {
    const address = `{ socket_address: { address: 127.0.0.1, port_value: ${port} } }`;
    yaml += `    - name: ${name}\n      type: STATIC\n      load_assignment: { cluster_name: ${name}, endpoints: [{ lb_endpoints: [{ endpoint: { address: ${address} } }] }] }\n`;
  }
  const folder = await mkdtemp(join(tmpdir(), "genspan-envoy-"));
  writeFileSync(join(folder, "envoy.yaml"), yaml);
  // The package's own start script would download what it misses.
  const run =
    "import glob, os, sys, envoy; os.execv(os.path.join(os.path.dirname(envoy.__file__), '_bin', 'envoy'), ['envoy', *sys.argv[1:]])";
  const args = [
    "-c",
    run,
    "-c",
    join(folder, "envoy.yaml"),
    "--concurrency",
    "1",
    "--use-dynamic-base-id",
    "-l",
    "warning",
  ];
  const child = spawn(python("newest"), args, { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk) => {
    log += chunk;
  });
  const stats = async () => {
    const text = await (await fetch(`http://127.0.0.1:${admin}/stats/prometheus?filter=genspan`)).text();
    const line = /^(genspan_[a-z_]+)\{(?:reason="([a-z]+)")?\} (\d+)$/gm;
    return Object.fromEntries(
      [...text.matchAll(line)].map(([, name, reason, n]) => [reason ? `${name}.${reason}` : name, Number(n)]),
    );
  };
  for (let tries = 0; ; tries++) {
    if (child.exitCode !== null || tries > 200) throw new Error(`Envoy does not start:\n${log}`);
    const ready = await fetch(`http://127.0.0.1:${admin}/ready`).then(
      (r) => r.status === 200,
      () => false,
    );
    if (ready) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    http: `http://127.0.0.1:${inHttp}`,
    grpc: `http://127.0.0.1:${inGrpc}`,
    admin: `http://127.0.0.1:${admin}`,
    stats,
    pid: child.pid,
    log: () => log,
    async stop() {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
      await rm(folder, { recursive: true });
    },
  };
}

/** Python's OTLP/gRPC receiver: `requests` holds `{metadata, body}`. */
export async function startGrpcReceiver() {
  const child = spawn(python("newest"), [here("grpc_receiver.py")], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const requests = [];
  const [port] = await once(lines, "line");
  lines.on("line", (line) => {
    const { metadata, body } = JSON.parse(line);
    requests.push({ metadata, body: Buffer.from(body, "base64") });
  });
  return { port: Number(port), requests, stop: () => child.kill() };
}

/** The canned models of the capture programs. */
export async function startCanned() {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "genspan-canned-"));
  const child = spawn(python("newest"), [here("../capture/server.py"), String(port), folder], { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  const answers = () =>
    fetch(url).then(
      () => true,
      () => false,
    );
  for (let tries = 0; !(await answers()); tries++) {
    if (child.exitCode !== null || tries > 400) {
      child.kill();
      throw new Error(`tests/capture/server.py does not answer at ${url}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    async close() {
      child.kill();
      await rm(folder, { recursive: true });
    },
  };
}

export const CLIENT = here("client.py");
