// The module must not grow unseen.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { gzipSync } from "node:zlib";

const BOUND = 190_000;
// A standard library that says why it panics (rustup's own; see scripts/setup-rust-wasm.sh) makes a tenth more.
const WITH_PANICS = 210_000;

test("the module weighs what it may, with gzip", () => {
  const module = readFileSync(new URL("../wasm/core.wasm", import.meta.url));
  const bound = module.includes("called `Option::unwrap()`") ? WITH_PANICS : BOUND;
  const size = gzipSync(module, { level: 9 }).length;
  assert.ok(size <= bound, `core.wasm is ${size} bytes with gzip -9, and may be ${bound}: see \`make size\``);
});
