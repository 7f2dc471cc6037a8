// The package must not grow unseen: what a worker uploads, and what a browser fetches.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { MODULE_BYTES } from "./bounds.mjs";

const read = (name) => readFileSync(new URL(`../dist/${name}`, import.meta.url));
const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;
const brotli = (bytes) => brotliCompressSync(bytes).length;

const module = read("core.wasm");
const glue = read("slim.js");
// A standard library that says why it panics (rustup's own; see scripts/setup-rust-wasm.sh) makes a tenth more.
const tenth = module.includes("called `Option::unwrap()`") ? 1.1 : 1;

for (const [what, how, size, bound] of [
  ["the module", "gzip -9", gzip(module), MODULE_BYTES * tenth],
  ["the module", "brotli", brotli(module), 203_000 * tenth],
  ["the glue (genspan/slim)", "gzip -9", gzip(glue), 26_000],
  ["the glue (genspan/slim)", "brotli", brotli(glue), 23_000],
]) {
  test(`${what} weighs what it may, with ${how}`, () => {
    assert.ok(size <= bound, `${what} is ${size} bytes with ${how}, and may be ${bound}: see \`make size\``);
  });
}
