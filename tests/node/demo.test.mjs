// `make demo` as a user sees it: it passes its own checks, keeps to 100 columns, and needs no colour to be read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { width } from "../../demo/terminal.mjs";
import { runBytes } from "./program.mjs";

const DEMO = fileURLToPath(new URL("../../demo/run.mjs", import.meta.url));
const show = async (env) => (await runBytes(process.execPath, [DEMO], env)).toString("utf8");

for (const env of [{}, { FORCE_COLOR: "1" }]) {
  test(`the demo passes and fits into 100 columns (${JSON.stringify(env)})`, async () => {
    const output = await show(env);
    const plain = stripVTControlCharacters(output);
    assert.equal(plain !== output, "FORCE_COLOR" in env);
    const lines = plain.split("\n");
    assert.deepEqual(
      lines.filter((line) => width(line) > 100),
      [],
    );
    assert.equal(lines.filter((line) => line.includes("◆ ENTRY")).length, 3);
    assert.ok(lines.some((line) => line.startsWith("✓ all ")));
  });
}

test("wide characters count as two columns", () => {
  assert.equal(width("深圳 26°C"), 9);
  assert.equal(width("天气🌦́"), 6);
});

test("the demo fails, and says why, when spans do not arrive", async () => {
  await assert.rejects(show({ OTEL_SDK_DISABLED: "true" }), (error) => {
    assert.equal(error.code, 1);
    assert.match(error.stdout.toString("utf8"), /✗ 25 of 25 spans did not arrive/);
    return true;
  });
});
