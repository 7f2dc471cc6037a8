// The runtimes that the bench runs a case in, each in a process of its own, and how its CPU time is read.
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const CASE = path("case.mjs");
const RUNTIMES = path("../../tests/runtimes/node_modules");
const ROUNDS = 9;

const versionOf = async (command, args = ["--version"]) => {
  const { stdout } = await run(command, args);
  return stdout.match(/\d[\d.-]+\d/)[0];
};

/** A runtime with a command line: `case.mjs` reads the process's CPU time itself. */
const program = (name, command, args = []) => ({
  name,
  missing: existsSync(command) ? undefined : `${command} is not there`,
  version: () => versionOf(command),
  async measure(subject, sdk, { shape, load, lang }, [warm, millis]) {
    const { stdout } = await run(command, [
      ...args,
      CASE,
      subject,
      sdk,
      shape,
      load,
      lang,
      String(warm),
      String(millis),
    ]);
    return JSON.parse(stdout).rounds;
  },
});

const node24 = path(`peers3/node_modules/node-linux-${process.arch}/bin/node`);
const deno = ["run", "--quiet", "--allow-all", "--node-modules-dir=manual"];

export const node = program("Node", process.execPath);
export const others = {
  node24: program("Node 24", node24),
  deno: program("Deno", `${RUNTIMES}/.bin/deno`, deno),
  bun: program("Bun", `${RUNTIMES}/.bin/bun`),
  workerd: {
    name: "workerd",
    missing: existsSync(`${RUNTIMES}/workerd`) && existsSync("/proc/self/task") ? undefined : "no workerd, or no /proc",
    version: () => versionOf(workerdCommand()),
    measure: inWorkerd,
  },
};

// ---- workerd: no clock runs in a worker, so the time is that of its process as Linux counts it, read from outside

const workerdCommand = () => {
  const arch = process.arch === "arm64" ? "arm64" : "64";
  return `${RUNTIMES}/@cloudflare/workerd-linux-${arch}/bin/workerd`;
};
const OUT = path("../../target/bench-workerd");

let built;
async function build() {
  mkdirSync(OUT, { recursive: true });
  const { build } = await import(`${RUNTIMES}/esbuild/lib/main.js`);
  const packages = {
    name: "packages",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^node:module$/ }, () => ({ path: "packages", namespace: "packages" }));
      onLoad({ filter: /.*/, namespace: "packages" }, () => ({
        contents: "export const createRequire = () => (name) => globalThis.packages[name];",
      }));
    },
  };
  await build({
    entryPoints: { worker: path("worker.mjs") },
    outdir: OUT,
    bundle: true,
    format: "esm",
    logLevel: "warning",
    conditions: ["workerd", "worker"],
    nodePaths: [path("peers/node_modules")],
    alias: { genspan: path("../../pkg/dist/workerd.js") },
    external: ["node:*"],
    loader: { ".wasm": "copy" },
    assetNames: "core",
    define: { "import.meta.dirname": '"/"' },
    plugins: [packages],
  });
  const [wasm] = readdirSync(OUT).filter((name) => name.endsWith(".wasm"));
  writeFileSync(
    `${OUT}/worker.capnp`,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js"), (name = "./${wasm}", wasm = embed "${wasm}")],
  compatibilityDate = "2026-04-01",
  compatibilityFlags = ["nodejs_compat"],
);
`,
  );
}

/** What all threads of a process have run for, in microseconds. */
function cpuOf(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanos = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
  );
  return nanos.reduce((sum, n) => sum + n, 0) / 1000;
}

async function inWorkerd(subject, _sdk, { shape, load, lang }, [warm, millis]) {
  built ??= build();
  await built;
  const args = ["serve", `${OUT}/worker.capnp`, "--control-fd=3"];
  const worker = spawn(workerdCommand(), args, { stdio: ["ignore", "inherit", "inherit", "pipe"] });
  try {
    const { port } = JSON.parse(await new Promise((resolve) => worker.stdio[3].once("data", resolve)));
    const ask = async (query) => {
      const response = await fetch(`http://127.0.0.1:${port}/?${new URLSearchParams(query)}`);
      if (!response.ok) throw new Error(`workerd: ${await response.text()}`);
      return Number(await response.text());
    };
    const spent = async (batches, steps) => {
      const before = cpuOf(worker.pid);
      await ask({ batches, steps });
      return cpuOf(worker.pid) - before;
    };
    const spans = await ask({ subject, shape, load, lang });
    let batches = 1;
    for (let ran = 0; ran < warm * 1000; ) ran += await spent(batches, "all");
    while ((await spent(batches, "all")) < millis * 1000) batches *= 2;
    const rounds = [];
    for (let i = 0; i < ROUNDS; i++) {
      const untimed = await spent(batches, "untimed");
      rounds.push(((await spent(batches, "all")) - untimed) / batches / spans);
    }
    return rounds;
  } finally {
    worker.kill();
  }
}
