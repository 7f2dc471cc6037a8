// The package without its module.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import { initSync, normalize } from "genspan/slim";

test("without a module it says what is missing, then takes one, out of another realm too", () => {
  assert.throws(() => normalize(new Uint8Array()), /initSync\(module\).*genspan\/core\.wasm/);
  const bytes = readFileSync(fileURLToPath(import.meta.resolve("genspan/core.wasm")));
  const module = runInNewContext("new WebAssembly.Module(bytes)", { bytes });
  assert.equal(module instanceof WebAssembly.Module, false);
  initSync(module);
  assert.equal(normalize(new Uint8Array()).length, 0);
});
