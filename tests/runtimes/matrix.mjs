// The matrix of what runs where, a row for each test, printed when the tests of a file are over.
import { after, test } from "node:test";

const rows = [];

/** `run` is the test; `missing` tells why it can't run. */
export function row(runtime, loaded, missing, run) {
  const result = { runtime, loaded, result: missing ? `not run: ${missing}` : "not run" };
  rows.push(result);
  test(`${runtime}: ${loaded}`, { skip: missing ?? false }, async (t) => {
    result.result = "FAILED";
    await run(t);
    result.result = "ok";
  });
}

after(() => {
  const [runtime, loaded] = ["runtime", "loaded"].map((key) => Math.max(...rows.map((row) => row[key].length)));
  const lines = rows.map((row) => `  ${row.runtime.padEnd(runtime)}  ${row.loaded.padEnd(loaded)}  ${row.result}`);
  console.log(`\nruntime × way of loading × result\n${lines.join("\n")}\n`);
});
