// `make test` itself: its runner with steps that hang, that test nothing, and that skip tests; and set-ups that fail.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { cleanEnvironment } from "./program.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const node = (...args) => `"${process.execPath}" ${args.map((arg) => `"${arg}"`).join(" ")}`;

async function folder(t) {
  const dir = await mkdtemp(join(tmpdir(), "genspan-steps-"));
  t.after(() => rm(dir, { recursive: true }));
  return dir;
}

/** Runs a command to its end; `status` is null where it had to be killed after 30 s. */
function outcome(command, args, env) {
  const child = spawn(command, args, {
    env: { ...cleanEnvironment(), ...env },
    timeout: 30_000,
    killSignal: "SIGKILL",
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, output })));
}

/** The runner on steps, each by its name and what the shell runs for it. */
async function steps(t, all, env) {
  const dir = await folder(t);
  const make = join(dir, "make");
  const cases = Object.entries(all).map(([name, run]) => `${name})\n${run}\n;;`);
  await writeFile(make, `#!/bin/sh\ncase "$2" in\n${cases.join("\n")}\nesac\n`, { mode: 0o755 });
  return outcome(process.execPath, [here("../../scripts/test.mjs"), ...Object.keys(all)], { MAKE: make, ...env });
}

test("a step that hangs is killed at its limit with what it has started, is named, and the others go on", async (t) => {
  const beats = join(await folder(t), "beats");
  const hangs = `trap "" TERM; while :; do echo >>${beats}; sleep 0.05; done & wait`;
  const { status, output } = await steps(t, { "test-a": hangs, "test-b": 'echo "ℹ pass 3"' }, { STEP_LIMIT: "2" });
  assert.equal(status, 1, output);
  assert.match(output, /^ {2}FAILED +test-a +\d+ s +ran into its limit of 2 s \(STEP_LIMIT\)$/m);
  assert.match(output, /^ {2}ok +test-b +\d+ s +3 tests passed$/m);
  assert.match(output, /^1 of 2 steps failed$/m);
  const { size } = await stat(beats);
  await sleep(300);
  assert.equal((await stat(beats)).size, size, "what the step had started goes on");
});

test("a server that a step leaves behind holds nothing up", async (t) => {
  const { status, output } = await steps(t, { "test-a": 'sleep 600 & echo "ℹ pass 1"' });
  assert.equal(status, 0, output);
});

test("a step of tests in which no test has run does not pass", async (t) => {
  const { status, output } = await steps(t, { lint: "true", "test-a": "true" });
  assert.equal(status, 1, output);
  assert.match(output, /^ {2}ok +lint/m);
  assert.match(output, /^ {2}FAILED +test-a +\d+ s +no test has run$/m);
});

test("what is skipped is listed by its reason, and is not counted as passed", async (t) => {
  const dir = await folder(t);
  const file = join(dir, "some.test.mjs");
  await writeFile(
    file,
    `import { test } from "node:test";
     test("here", () => {});
     for (const name of ["a", "b"]) test(name, { skip: "the moon is missing" }, () => {});
     test("outer", (t) => t.test("inner", { skip: "the sun is missing" }, () => {}));`,
  );
  const none = join(dir, "none.test.mjs");
  await writeFile(none, `import { test } from "node:test"; test("a", { skip: "the moon is missing" }, () => {});`);
  const all = {
    "test-core": 'echo "test result: ok. 5 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.01s"',
    "test-some": node("--test", "--test-reporter=spec", file),
    "test-none": node("--test", "--test-reporter=spec", none),
  };
  const { status, output } = await steps(t, all);
  assert.equal(status, 0, output);
  assert.match(output, /^ {2}ok +test-core +\d+ s +5 tests passed, 2 not run$/m);
  assert.match(output, /^ {2}ok +test-some +\d+ s +2 tests passed, 3 not run$/m);
  assert.match(output, /^ {2}not run +test-none +\d+ s +1 not run$/m);
  assert.deepEqual(output.match(/^not run: .*$/gm), [
    "not run: 2 tests of test-core: ignored by its source",
    "not run: 2 tests of test-some: the moon is missing",
    "not run: 1 test of test-some: the sun is missing",
    "not run: 1 test of test-none: the moon is missing",
  ]);
  assert.match(output, /^no step of 3 failed, 7 tests passed, \d+ s$/m);
});

test("where the build fails, nothing else is tried", async (t) => {
  const { status, output } = await steps(t, { build: "exit 2", "test-a": "echo tried" });
  assert.equal(status, 1, output);
  assert.doesNotMatch(output, /^tried$/m);
  assert.match(output, /^ {2}not run +test-a$/m);
});

test("a set-up that fails closes what it has started, and ends its file", async (t) => {
  const file = join(await folder(t), "set-up.test.mjs");
  await writeFile(
    file,
    `import { createServer } from "node:net";
     import { needing } from ${JSON.stringify(new URL("../setup.mjs", import.meta.url).href)};
     const { test, setUp } = needing(false);
     setUp(async (keep) => {
       await keep(new Promise((resolve) => { const server = createServer().listen(0, () => resolve(server)); }));
       throw new Error("the second part does not start");
     });
     test("never reached", () => {});`,
  );
  const { status, output } = await outcome(process.execPath, ["--test", "--test-reporter=spec", file]);
  assert.equal(status, 1, output);
  assert.match(output, /the second part does not start/);
});

test("without apt-get or root, the reason why a tool is missing is written down, and nothing fails", async (t) => {
  const reason = here("../../target/missing/no-such-tool");
  t.after(() => rm(reason, { force: true }));
  const bin = await folder(t);
  // What the script calls, and no apt-get among it.
  for (const name of ["bash", "cat", "dirname", "id", "mkdir", "rm", "sh"]) {
    await writeFile(join(bin, name), `#!/bin/sh\nPATH=${process.env.PATH} exec ${name} "$@"\n`, { mode: 0o755 });
  }
  const install = (check) =>
    outcome("/bin/bash", [here("../../scripts/install.sh"), "no-such-tool", check, "x", "no-such-package"], {
      PATH: bin,
    });
  const { status, output } = await install("false");
  assert.equal(status, 0, output);
  assert.equal(await readFile(reason, "utf8"), "no-such-package is not installed, and apt-get is not available\n");
  assert.match(
    output,
    /^make: no-such-package is not installed, and apt-get is not available: its tests are not run$/m,
  );
  assert.deepEqual(await install("true"), { status: 0, output: "" });
  await assert.rejects(readFile(reason), { code: "ENOENT" });
});
