// What the documentation says, held against the code: options, figures, and the pictures at the top of files.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { MODULE_BYTES, REQUEST_MILLIS, WORKER_BYTES } from "./bounds.mjs";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const list = (folder) => readdirSync(new URL(`../../${folder}`, import.meta.url), { recursive: true });

// What an editor shows of an option: each has a comment, and every number of time or size names its unit and its default.

const INTERFACES = {
  options: [
    "DestinationOptions",
    "DeliveryOptions",
    "RetryOptions",
    "BreakerOptions",
    "EntryOptions",
    "PrivacyOptions",
    "MaskRule",
    "SpoolOptions",
    "GenSpanOptions",
  ],
  slim: ["ConvertOptions"],
};

for (const [file, names] of Object.entries(INTERFACES)) {
  const declared = readFileSync(new URL(`../dist/${file}.d.ts`, import.meta.url), "utf8");
  for (const name of names) {
    test(`every option of ${name} says what it means`, () => {
      const body = new RegExp(`interface ${name}\\b[^{]*\\{\\n(.*?)\\n\\}`, "s").exec(declared)?.[1] ?? "";
      const options = [...body.matchAll(/^ {4}(?:\/\*\*((?:(?!\*\/).)*)\*\/\n {4})?(\w+)\??:/gms)];
      assert.ok(options.length > 1, declared);
      for (const [, comment, option] of options) {
        assert.ok(comment, option);
        if (/Millis$/.test(option)) assert.match(comment, /\bms\b.*Default: \d+/s, option);
        if (/Bytes$/.test(option)) assert.match(comment, /bytes.*Default: \d+/s, option);
      }
    });
  }
}

test("the READMEs state the bounds that the tests hold", () => {
  const figures = (file, pattern) => pattern.exec(read(file).replaceAll("\n", " "))?.slice(1).map(Number);
  assert.deepEqual(figures("README.md", /The module weighs at most (\d+) KB with gzip/), [MODULE_BYTES / 1000]);
  assert.deepEqual(
    figures(
      "pkg/README.md",
      /bundle grows by at most (\d+) KB with gzip, (\d+) of them the module; a request .* takes at most ([\d.]+) ms of CPU more/,
    ),
    [WORKER_BYTES / 1000, MODULE_BYTES / 1000, REQUEST_MILLIS],
  );
});

test("the README states the versions that are needed, and how many bodies were captured", () => {
  const [readme, cargo] = [read("README.md"), read("Cargo.toml")];
  assert.ok(readme.includes(`Rust ${/^rust-version = "(.*)"/m.exec(cargo)[1]} or newer`));
  const bodies = list("tests/fixtures/captures").filter((file) => /\.(pb|json)$/.test(file));
  assert.ok(readme.includes(`${bodies.length} bodies that`), `${bodies.length} bodies`);
});

test("the pictures at the top of files name functions and files that exist", () => {
  const sources = (folder) =>
    list(folder)
      .filter((file) => /\.(rs|ts)$/.test(file))
      .map((file) => [file, read(`${folder}/${file}`)]);
  const [core, plugin, pkg] = [sources("src"), sources("plugins/proxy-wasm/src"), sources("pkg/src")];
  const defined = (all, name) =>
    all.some(([, text]) => text.includes(`pub fn ${name}(`) || text.includes(`pub fn ${name}<`));
  const picture = (file) => /```text\n([\s\S]*?)```/.exec(read(file))[1];

  const called = [...picture("src/lib.rs").matchAll(/(\w+) +─+►/g)].map(([, name]) => name);
  const methods = called.filter((name) => defined(core, name));
  for (const name of ["intern", "scope", "resource", "start", "end", "ingest", "rewrite", "convert", "explain"])
    assert.ok(methods.includes(name), `src/lib.rs: ${name}`);

  const named = [...picture("plugins/proxy-wasm/src/lib.rs").matchAll(/\b[A-Z]\w+::(\w+)/g)].map(([, name]) => name);
  assert.ok(named.length >= 4);
  for (const name of named) assert.ok(defined([...core, ...plugin], name), `plugins/proxy-wasm/src/lib.rs: ${name}`);

  const files = new Set(pkg.map(([file]) => file.replace(/^.*\//, "")));
  for (const [file, text] of pkg) {
    for (const [, name] of text.matchAll(/\/\/.*?\b([a-z-]+\.ts)\b/g))
      assert.ok(files.has(name), `${file} names ${name}`);
  }
});

test("SECURITY.md names tests that exist", () => {
  const named = [...read("SECURITY.md").matchAll(/^- `(.+)`: "(.+)"$/gm)];
  assert.ok(named.length > 20);
  for (const [, file, name] of named) {
    const source = read(file);
    assert.ok(
      source.includes(`fn ${name}(`) || source.includes(`(\`${name}\``) || source.includes(`("${name}"`),
      `${file}: ${name}`,
    );
  }
});
