// Runs the make targets given, one after the other, to the end even when one fails, and closes with a table and a list of the tests that were
// not run, by reason. A step that takes longer than STEP_LIMIT seconds is killed with everything that it has started, and counts as failed.
import { spawn } from "node:child_process";
import { stripVTControlCharacters, styleText } from "node:util";

const LIMIT = Number(process.env.STEP_LIMIT ?? 1500);
/** Nothing can run where one of these fails. */
const BUILDS = ["build", "plugin"];

const coloured = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (colour, text) => (coloured ? styleText(colour, text) : text);
const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
const seconds = (since) => Math.round((Date.now() - since) / 1000);

let kill = () => {};
for (const [signal, status] of Object.entries({ SIGINT: 130, SIGTERM: 143 })) {
  process.on(signal, () => {
    kill("SIGTERM");
    process.exit(status);
  });
}

/** Resolves with what the step has printed, its exit status, and whether it ran into the limit. */
async function run(target) {
  // In a group of its own, so that all of it can be killed.
  const child = spawn("sh", ["-c", 'exec "$0" --no-print-directory "$1" 2>&1', process.env.MAKE ?? "make", target], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  kill = (signal) => {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // Nothing of it is left.
    }
  };
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    output += text;
    process.stdout.write(text);
  });
  let late = false;
  const timers = [
    setTimeout(() => {
      late = true;
      kill("SIGTERM");
    }, LIMIT * 1000),
    setTimeout(() => kill("SIGKILL"), LIMIT * 1000 + 5000),
  ];
  const printed = new Promise((resolve) => child.stdout.on("close", resolve));
  const status = await new Promise((resolve) => child.on("exit", resolve));
  timers.forEach(clearTimeout);
  // A server that a test has left behind would keep the pipe open; one that has left the group too is not waited for.
  kill("SIGKILL");
  await Promise.race([printed, new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
  child.stdout.destroy();
  return { output: stripVTControlCharacters(output), status, late };
}

/**
 * The runners close with their counts, "test result: ok. 12 passed; 0 failed; 1 ignored; …" (cargo, once per binary), "ℹ pass 12" (node) and "12
 * passed in 3.4s" (pytest), and name each test that they skipped: "﹣ NAME (0.1ms) # REASON" (node), "SKIPPED [1] FILE:LINE: REASON" (pytest).
 */
function read(output) {
  let passed = 0;
  const notRun = new Map();
  const skip = (reason, count = 1) => count && notRun.set(reason, (notRun.get(reason) ?? 0) + count);
  for (const [, ok, ignored] of output.matchAll(/^test result: .*? (\d+) passed;.*? (\d+) ignored/gm)) {
    passed += Number(ok);
    skip("ignored by its source", Number(ignored));
  }
  for (const [, ok] of output.matchAll(/^(?:ℹ pass (?=\d+$)|(?=\d+ passed.* in [\d.]+s))(\d+)/gm)) passed += Number(ok);
  // Failing tests are listed once more, with what was skipped among them.
  const [once] = output.split(/^✖ failing tests:$/m);
  for (const [, reason] of once.matchAll(/^ *﹣ .* \([\d.]+ms\) # (.*)$/gm)) skip(reason);
  for (const [, count, reason] of output.matchAll(/^SKIPPED \[(\d+)\] [^ ]+: (.*)$/gm)) skip(reason, Number(count));
  return { passed, notRun };
}

/** Returns why a step has failed (empty where its own output tells), or undefined. */
function fault({ target, status, late, passed, skipped }) {
  if (late) return `ran into its limit of ${LIMIT} s (STEP_LIMIT)`;
  if (status !== 0) return "";
  return target.startsWith("test-") && passed + skipped === 0 ? "no test has run" : undefined;
}

const started = Date.now();
const targets = process.argv.slice(2);
const rows = [];
const reasons = [];
let [failed, total] = [0, 0];
for (const target of targets) {
  console.log(paint("bold", `── make ${target}`));
  const start = Date.now();
  const { output, status, late } = await run(target);
  const { passed, notRun } = read(output);
  const skipped = [...notRun.values()].reduce((sum, count) => sum + count, 0);
  const why = fault({ target, status, late, passed, skipped });
  const counts = [passed > 0 && `${plural(passed, "test")} passed`, skipped > 0 && `${skipped} not run`];
  const result =
    why !== undefined
      ? paint("red", "FAILED ")
      : passed === 0 && skipped > 0
        ? paint("yellow", "not run")
        : paint("green", "ok     ");
  const note = why || counts.filter(Boolean).join(", ");
  rows.push(`  ${result}  ${target.padEnd(13)} ${String(seconds(start)).padStart(4)} s  ${note}`.trimEnd());
  for (const [reason, count] of notRun) reasons.push(`${plural(count, "test")} of ${target}: ${reason}`);
  total += passed;
  if (why === undefined) continue;
  failed++;
  if (!BUILDS.includes(target)) continue;
  for (const next of targets.slice(rows.length)) rows.push(`  ${paint("yellow", "not run")}  ${next}`);
  break;
}

console.log(`\n${paint("bold", "genspan: make test")}\n${rows.join("\n")}`);
for (const reason of reasons) console.log(paint("yellow", `not run: ${reason}`));
const end =
  failed > 0
    ? paint("red", `${failed} of ${plural(targets.length, "step")} failed`)
    : paint("green", `no step of ${targets.length} failed, ${plural(total, "test")} passed, ${seconds(started)} s`);
console.log(end);
process.exitCode = failed > 0 ? 1 : 0;
