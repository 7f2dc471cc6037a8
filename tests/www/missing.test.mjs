// The tests of this folder on a machine without Chromium, and on one whose Chromium does not start.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { cleanEnvironment } from "../node/program.mjs";

const FILE = fileURLToPath(new URL("langfuse.test.mjs", import.meta.url));
const run = (CHROMIUM) =>
  spawnSync(process.execPath, ["--test", "--test-reporter=spec", FILE], {
    env: { ...cleanEnvironment(), CHROMIUM },
    encoding: "utf8",
    timeout: 30_000,
  });

test("without Chromium its tests are listed as not run, for that reason", () => {
  const { status, stdout } = run("/nowhere/chromium");
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^﹣ an export reads as the trace that it was \(.*\) # chromium is not installed/m);
  assert.match(stdout, /^ℹ pass 0$/m);
});

test("where Chromium does not start, the file fails and ends", () => {
  const { status, signal, stdout } = run("/bin/true");
  assert.deepEqual([status, signal], [1, null], stdout);
  assert.match(stdout, /browserType\.launch/);
});
