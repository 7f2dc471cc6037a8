// There are no circular imports between rooms of the core, modules of the package, or modules of the inspector's page. A room of the core is a
// top-level module of src/, including all files of its folder.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

const sources = (folder, extension) =>
  readdirSync(join(root, folder), { recursive: true })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(extension))
    .map((file) => [file, readFileSync(join(root, folder, file), "utf8")]);

/** Adds an import to the graph: from, to, and the file that has it. */
function add(graph, from, to, file) {
  if (!graph.has(from)) graph.set(from, new Map());
  if (from !== to && !graph.get(from).has(to)) graph.get(from).set(to, file);
}

/** The names at the top level of a list such as `a::{b, c}, d::e`, up to the closing brace of the list. */
function namesOf(list) {
  const names = [];
  let depth = 0;
  for (const [token] of list.matchAll(/[{}]|(?<!:|\w)\w+/g)) {
    if (token === "{") depth += 1;
    else if (token === "}") depth -= 1;
    else if (depth === 0) names.push(token);
    if (depth < 0) break;
  }
  return names;
}

/** The rooms of a crate and the rooms that each of them uses, not counting tests. */
function rooms(files) {
  const graph = new Map();
  const roomOf = (file) => file.split("/")[0].replace(/\.rs$/, "");
  const known = new Set(files.map(([file]) => roomOf(file)).filter((room) => room !== "lib"));
  const code = (text) => text.replace(/\/\/.*$/gm, "");
  // An item that lib.rs re-exports counts as part of the room that defines it.
  const [, library = ""] = files.find(([file]) => file === "lib.rs") ?? [];
  const exported = new Map();
  for (const [, room, names] of code(library).matchAll(/pub use (\w+)::([^;]+);/g)) {
    for (const name of names.match(/\w+/g)) exported.set(name, room);
  }
  // Modules and blocks of tests may use any room.
  const testFiles = new Set();
  for (const [file, text] of files) {
    const folder = file.replace(/(?:(?:^|(?<=\/))(?:mod|lib))?\.rs$/, "").replace(/\/$/, "");
    for (const [, name] of text.matchAll(/#\[cfg\(test\)\]\s*(?:pub(?:\(\w+\))? )?mod (\w+);/g)) {
      testFiles.add(posix.join(folder, `${name}.rs`));
    }
  }
  for (const [file, text] of files) {
    const room = roomOf(file);
    if (!known.has(room) || testFiles.has(file)) continue;
    if (!graph.has(room)) graph.set(room, new Map());
    const [product] = code(text).split(/#\[cfg\(test\)\]\s*(?:pub(?:\(\w+\))? )?mod \w+ \{/, 1);
    for (const { 0: whole, 1: first, index } of product.matchAll(/\bcrate::(\w+|\{)/g)) {
      const named = first === "{" ? namesOf(product.slice(index + whole.length)) : [first];
      for (const name of named) {
        const to = known.has(name) ? name : exported.get(name);
        if (to) add(graph, room, to, file);
      }
    }
  }
  return graph;
}

/** The modules of a TypeScript folder and the modules that each of them imports, including imports of types. */
function modules(files) {
  const graph = new Map();
  for (const [file, text] of files) {
    if (!graph.has(file)) graph.set(file, new Map());
    for (const [, path] of text.matchAll(/^(?:import|export|\})[^;]*?\bfrom "(\.{1,2}\/[^"?]+)\.js"/gm)) {
      add(graph, file, posix.join(posix.dirname(file), `${path}.ts`), file);
    }
  }
  return graph;
}

/** Each circle as its shortest path: `a -> b (in a/x.rs) -> a (in b.rs)`. */
function circles(graph) {
  const found = new Map();
  for (const start of graph.keys()) {
    const cameFrom = new Map([[start, undefined]]);
    const queue = [start];
    for (const at of queue) {
      const next = graph.get(at) ?? new Map();
      if (next.has(start)) {
        const path = [];
        for (let room = at; room !== undefined; room = cameFrom.get(room)) path.unshift(room);
        const ring = [...path, start];
        const steps = ring.slice(1).map((room, i) => ` -> ${room} (in ${graph.get(ring[i]).get(room)})`);
        const members = [...path].sort().join();
        if (!found.has(members)) found.set(members, start + steps.join(""));
        break;
      }
      for (const room of next.keys()) {
        if (cameFrom.has(room)) continue;
        cameFrom.set(room, at);
        queue.push(room);
      }
    }
  }
  return [...found.values()];
}

test("the check finds a circle, and ignores tests and comments", () => {
  const a = "use crate::{b::{self, x}, C};\n";
  const b = "// crate::a\n#[cfg(test)]\nmod tests {\n  use crate::a;\n}\n";
  const lib = ["lib.rs", "mod a;\nmod b;\nmod c;\npub use c::C;\n"];
  assert.deepEqual(circles(rooms([lib, ["a/mod.rs", a], ["b.rs", b], ["c.rs", ""]])), []);
  assert.deepEqual(circles(rooms([lib, ["a/mod.rs", a], ["b.rs", b], ["c.rs", "fn f() { crate::a::g() }"]])), [
    "a -> c (in a/mod.rs) -> a (in c.rs)",
  ]);
  const files = [
    ["x.ts", 'import {\n  y,\n} from "./y.js";\n'],
    ["y.ts", 'import type { Z } from "./in/z.js";\n'],
    ["in/z.ts", 'export * from "../x.js";\n'],
  ];
  assert.deepEqual(circles(modules(files)), ["x.ts -> y.ts (in x.ts) -> in/z.ts (in y.ts) -> x.ts (in in/z.ts)"]);
  assert.deepEqual(circles(modules(files.slice(0, 2))), []);
});

for (const folder of ["pkg/src", "www/src"]) {
  test(`no module of ${folder} imports itself, directly or indirectly`, () => {
    const graph = modules(sources(folder, ".ts"));
    assert.ok(graph.size > 10, `${graph.size} modules`);
    assert.deepEqual(circles(graph), []);
  });
}

test("no room of src uses itself, directly or indirectly", () => {
  const graph = rooms(sources("src", ".rs"));
  assert.ok(graph.size > 10, `${graph.size} rooms`);
  assert.deepEqual(circles(graph), []);
});
