// Each sentence under "Promises" in the README is quoted by the test that holds it, in a comment: // README promise: "sentence". This test compares.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const QUOTE = /\/\/ README promise: "(.*)"$/gm;
/** How a test begins: the comment stands above one, or at the top of a file of them. */
const TEST = /^\s*(?:test\w*\(|row\(|runs\(|fn \w+)/m;

const sources = ["src", "tests", "pkg/test", "plugins/proxy-wasm/tests"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((file) => /\.(rs|mjs)$/.test(file) && !file.includes("node_modules") && !file.endsWith("promises.test.mjs"))
    .map((file) => join(folder, file)),
);

/** The sentences of the section, without their marks of Markdown. */
function sentences() {
  const [, section] = /\n## Promises\n([\s\S]*?)\n## /.exec(readFileSync(join(root, "README.md"), "utf8"));
  const bullets = section.split(/^- /m).slice(1);
  const plain = (text) =>
    text
      .replace(/\s+/g, " ")
      .replaceAll("**", "")
      .replace(/\[(.*?)\]\(.*?\)/g, "$1");
  return bullets.flatMap((bullet) =>
    plain(bullet)
      .split(/(?<=\.) /)
      .map((sentence) => sentence.trim().replace(/\.$/, ""))
      .filter(Boolean),
  );
}

/** By promise: the places of the tests that quote it. */
function quoted() {
  const found = new Map();
  for (const file of sources) {
    const text = readFileSync(join(root, file), "utf8");
    for (const match of text.matchAll(QUOTE)) {
      const after = text.slice(match.index);
      assert.match(after, TEST, `${file}: a promise is quoted where no test follows: ${match[1]}`);
      const line = text.slice(0, match.index).split("\n").length;
      found.set(match[1], [...(found.get(match[1]) ?? []), `${file}:${line}`]);
    }
  }
  return found;
}

test("each promise of the README has a test, and each test that quotes one quotes it as it is", (t) => {
  const [promises, tests] = [sentences(), quoted()];
  assert.ok(promises.length > 20, `${promises.length} sentences were read`);
  for (const promise of promises) t.diagnostic(`${promise} -> ${tests.get(promise)?.join(", ")}`);
  assert.deepEqual(
    promises.filter((promise) => !tests.has(promise)),
    [],
    "promises without a test",
  );
  assert.deepEqual(
    [...tests.keys()].filter((quote) => !promises.includes(quote)),
    [],
    "quotes that the README does not have",
  );
});
