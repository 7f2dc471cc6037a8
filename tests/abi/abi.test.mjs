// The C ABI as hosts use it: from C, and through engines of other makers, which must all return what the native library returns.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { missing } from "../setup.mjs";

const run = promisify(execFile);
const path = (file) => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const VECTORS = path("tests/vectors");
const PYTHON = path("target/py-abi/bin/python");
const LIBRARY = ["libgenspan.so", "libgenspan.dylib", "genspan.dll"]
  .map((name) => path(`abi/dist/${name}`))
  .find(existsSync);
const vectors = readdirSync(VECTORS).filter((name) => name.endsWith(".json"));

const stored = (value) =>
  value === undefined
    ? Buffer.alloc(0)
    : value.text !== undefined
      ? Buffer.from(value.text)
      : readFileSync(join(VECTORS, value.file));

/** Makes the calls of a vector, each with the same result and with its input in memory of the module. */
async function replay(module, steps) {
  const { exports } = await WebAssembly.instantiate(module, {});
  const memory = () => new Uint8Array(exports.memory.buffer);
  const result = exports.gs_result_new();
  const handles = {};
  for (const [number, step] of steps.entries()) {
    const input = stored(step.input);
    const at = exports.gs_alloc(input.length) >>> 0;
    memory().set(input, at);
    const args = step.args.flatMap((arg) => (arg === "input" ? [at, input.length] : [handles[arg] ?? arg]));
    const drops = step.call.endsWith("drop");
    let returned = exports[step.call](...args, ...(drops ? [] : [result])) ?? 0;
    exports.gs_free(at, input.length);
    if (step.call === "gs_open" || step.call === "gs_converter") {
      handles[step.call === "gs_open" ? "pipeline" : "converter"] = returned;
      returned = Number(returned !== 0);
    }
    const what = `step ${number}, ${step.call}`;
    assert.equal(returned, step.returns, what);
    if (drops) continue;
    const view = new DataView(exports.memory.buffer, result >>> 0, 40);
    const [ptr, len, message, messageLen, id, spans, destination, kind] = Array.from({ length: 8 }, (_, i) =>
      view.getUint32(4 * i, true),
    );
    const text = (at, len) => Buffer.from(memory().subarray(at, at + len));
    assert.ok(text(ptr, len).equals(stored(step.bytes)), `${what}: the bytes differ`);
    assert.equal(text(message, messageLen).toString(), step.message ?? "", what);
    const { id: i = 0, spans: s = 0, destination: d = 0, kind: k = 0 } = step;
    assert.deepEqual({ id, spans, destination, kind }, { id: i, spans: s, destination: d, kind: k }, what);
    const wake = { undefined: Number.POSITIVE_INFINITY, now: Number.NEGATIVE_INFINITY }[step.wake] ?? step.wake;
    assert.equal(view.getFloat64(32, true), wake, what);
  }
}

for (const name of ["genspan.wasm", "genspan-simd.wasm"]) {
  test(`V8 returns what the vectors say, with ${name}`, async (t) => {
    assert.ok(vectors.length >= 6);
    const module = await WebAssembly.compile(readFileSync(path(`abi/dist/${name}`)));
    for (const vector of vectors) {
      await t.test(vector, async () => {
        const { steps } = JSON.parse(readFileSync(join(VECTORS, vector), "utf8"));
        assert.ok(steps.length > 0);
        await replay(module, steps);
      });
    }
  });
}

for (const [engine, file, tool] of [
  ["native", LIBRARY, "python3"],
  ["wasmtime", path("abi/dist/genspan.wasm"), "wasmtime"],
  ["wasmtime", path("abi/dist/genspan-simd.wasm"), "wasmtime"],
  ["wasm3", path("abi/dist/genspan.wasm"), "pywasm3"],
]) {
  const module = engine === "native" ? "ctypes" : engine;
  const works = await run(PYTHON, ["-c", `import ${module}`]).then(
    () => true,
    () => false,
  );
  const skip = missing(tool, works);
  test(`${engine} returns what the vectors say, from Python with ${file.split("/").at(-1)}`, { skip }, async () => {
    const { stdout } = await run(PYTHON, [path("tests/abi/vectors.py"), engine, file]).catch((failed) => failed);
    assert.equal(stdout, `${vectors.length} vectors are equal\n`);
  });
}

const compiles = await run("cc", ["--version"]).then(
  () => true,
  () => false,
);
const skip = process.platform === "win32" ? "cc is that of Unix" : missing("cc", compiles);

test("a program in C converts a body and delivers its spans", { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "genspan-abi-"));
  t.after(() => rm(folder, { recursive: true }));
  const program = join(folder, "example");
  const flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", `-I${path("abi/include")}`, "-o", program];
  await run("cc", [...flags, path("tests/abi/example.c"), LIBRARY, `-Wl,-rpath,${path("abi/dist")}`]);
  const capture = path("tests/fixtures/captures/langfuse-py-5.0.4.observations-unmarked.pb");
  const { stdout } = await run(program, [capture]);
  const lines = stdout.trim().split("\n");
  assert.match(lines[0], /^converted to \{"resourceSpans"/);
  assert.match(lines[1], /^refused: token: is missing; profile tencent needs the token/);
  // The capture has six spans, and none is lost on the way.
  assert.deepEqual([lines[2], lines[4]], ["took 6 spans", "settled: 1"]);
  assert.match(lines[3], /^posted \d{4,} bytes$/);
  assert.equal(JSON.parse(lines[5]).destinations[0].sent, 6);
});

test("a program in C++ can include the header", { skip }, async () => {
  await run("cc", ["-fsyntax-only", "-Wall", "-Werror", "-xc++", path("abi/include/genspan.h")]);
});

const TOOLS = path("target/tools");
const tool = existsSync(TOOLS) && readdirSync(TOOLS).find((name) => name.startsWith("cbindgen-"));
const CBINDGEN = join(TOOLS, `${tool}`, "bin/cbindgen");
test("the header is what cbindgen makes of the source", {
  skip: missing("cbindgen", existsSync(CBINDGEN)),
}, async () => {
  const { stdout } = await run(CBINDGEN, ["--quiet", "--config", path("abi/cbindgen.toml"), path("abi")]);
  assert.equal(readFileSync(path("abi/include/genspan.h"), "utf8"), stdout, "run: make header");
});
