// What the WebAssembly module weighs, and what each part of it costs: `node size.mjs SHIPPED NAMED`, the second with its name section.
// Code is told apart by the names of functions; a generic function of a library counts for the library.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const PARTS = [
  ["messages", /genspan::normalize::messages/],
  ["rest of normalize", /genspan::normalize/],
  ["privacy", /genspan::privacy/],
  ["profiles", /genspan::profiles/],
  ["conventions, index", /genspan::(conventions|keys)/],
  ["OTLP, JSON", /genspan::(otlp|json|number)/],
  ["frames, pipeline, entry, export", /genspan::(frame|pipeline|entry|export|describe|span)|^gs_/],
  ["convert, explain", /genspan::(convert|explain)/],
  ["configuration, bindings", /genspan::(config|bindings)|multivalue shim|wasm_bindgen|js_sys|serde/],
  ["genspan, other", /genspan/],
  ["standard library", /^<?(core|alloc|std|dlmalloc)\b/],
];

const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** The sections of a module: their ids and bytes. */
function sections(module) {
  const found = [];
  let at = 8;
  const leb = (bytes, from) => {
    let [value, shift, next] = [0, 1, from];
    for (;;) {
      const byte = bytes[next++];
      value += (byte & 127) * shift;
      shift *= 128;
      if (byte < 128) return [value, next];
    }
  };
  while (at < module.length) {
    const id = module[at];
    const [length, start] = leb(module, at + 1);
    found.push({ id, bytes: module.subarray(start, start + length) });
    at = start + length;
  }
  return { found, leb };
}

/** The code bytes of each function by its name. */
function functions(module) {
  const { found, leb } = sections(module);
  const of = (id) => found.find((section) => section.id === id)?.bytes ?? new Uint8Array();
  let [imported, at] = [0, 0];
  const imports = of(2);
  let [count, next] = leb(imports, 0);
  for (; count > 0; count--) {
    for (let i = 0; i < 2; i++) {
      const [length, start] = leb(imports, next);
      next = start + length;
    }
    if (imports[next] !== 0) throw new Error("an import that is no function");
    imported++;
    [, next] = leb(imports, next + 1);
  }
  const names = new Map();
  for (const { id, bytes } of found) {
    if (id !== 0) continue;
    const [length, start] = leb(bytes, 0);
    if (Buffer.from(bytes.subarray(start, start + length)).toString() !== "name") continue;
    for (at = start + length; at < bytes.length; ) {
      const kind = bytes[at];
      const [size, from] = leb(bytes, at + 1);
      if (kind === 1) {
        let [entries, n] = leb(bytes, from);
        for (; entries > 0; entries--) {
          let index;
          let long;
          [index, n] = leb(bytes, n);
          [long, n] = leb(bytes, n);
          names.set(index, Buffer.from(bytes.subarray(n, n + long)).toString());
          n += long;
        }
      }
      at = from + size;
    }
  }
  const code = of(10);
  const sizes = [];
  [count, next] = leb(code, 0);
  for (let i = 0; i < count; i++) {
    const [size, start] = leb(code, next);
    sizes.push([names.get(imported + i) ?? "?", size]);
    next = start + size;
  }
  return sizes;
}

const [shipped, named] = process.argv.slice(2).map((path) => readFileSync(path));
const weight = (id) => {
  const bytes = Buffer.concat(
    sections(shipped)
      .found.filter((section) => section.id === id)
      .map(({ bytes }) => bytes),
  );
  return [bytes.length, gzipped(bytes)];
};
const line = (name, raw, zipped) =>
  console.log(
    `  ${name.padEnd(34)}${String(raw).padStart(9)}${zipped === undefined ? "" : String(zipped).padStart(10)}`,
  );
console.log(`  ${"".padEnd(34)}${"bytes".padStart(9)}${"gzip -9".padStart(10)}`);
line("the module", shipped.length, gzipped(shipped));
line("  code", ...weight(10));
line("  data: tables, words, messages", ...weight(11));
console.log("\n  the code by its part");
const costs = new Map();
for (const [name, size] of functions(named)) {
  const plain = name.replace(/\[[0-9a-f]+\]/g, "");
  const part = PARTS.find(([, pattern]) => pattern.test(plain))?.[0] ?? "other libraries";
  costs.set(part, (costs.get(part) ?? 0) + size);
}
for (const [part, size] of [...costs].sort((a, b) => b[1] - a[1])) line(`  ${part}`, size);
