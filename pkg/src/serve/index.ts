// The long-running commands `genspan inspect` and `genspan relay`, from the command line to the end of the process. Node only.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { SenderStats } from "../sender.js";
import { initSync } from "../slim.js";
import { openBrowser, startInspector } from "./inspect.js";
import { HELP, inspectCommand, relayCommand } from "./options.js";
import { Quit } from "./quit.js";
import { startRelay } from "./relay.js";

export { openBrowser, startInspector } from "./inspect.js";
export { configFile, inspectCommand, relayCommand } from "./options.js";
export { startRelay } from "./relay.js";

initSync(() => new WebAssembly.Module(readFileSync(new URL("./ingest.wasm", import.meta.url))));

/** Where the build puts the page. */
export const PAGE = fileURLToPath(new URL("./www", import.meta.url));

/** The exit status after a second signal. */
const ENDED_AT_ONCE = 130;

const colour = process.stdout.hasColors?.() ?? false;
const bold = (text: string) => (colour ? `\x1b[1m${text}\x1b[22m` : text);
const say = (line: string) => void process.stdout.write(`${line}\n`);
const complain = (line: string) => void process.stderr.write(`genspan: ${line.replace(/^genspan: /, "")}\n`);

/** Runs a command until a signal ends it. Returns the exit status. */
export async function run(command: "inspect" | "relay", args: string[]): Promise<number> {
  try {
    return await (command === "inspect" ? inspect(args) : relay(args));
  } catch (error) {
    const { status, message } = error instanceof Quit ? error : new Quit(1, unexpected(error));
    complain(message.replaceAll(/\s*\n\s*/g, " "));
    return status;
  }
}

async function inspect(args: string[]): Promise<number> {
  const command = inspectCommand(args);
  if (!command) return help("inspect");
  const { ended, again } = signals();
  void again.then(() => process.exit(ENDED_AT_ONCE));
  const write = command.quiet ? () => {} : say;
  const inspector = await startInspector(command, { folder: PAGE, write, colour });
  if (!command.quiet) {
    say(`${bold("genspan inspect")}  ${bold(`${inspector.url}/`)}`);
    say(`  OTLP/HTTP  ${inspector.url}/v1/traces`);
    say(`  OTLP/gRPC  ${inspector.grpc ?? "off"}`);
  }
  if (command.open) openBrowser(`${inspector.url}/`);
  await ended;
  await inspector.close();
  return 0;
}

async function relay(args: string[]): Promise<number> {
  const command = relayCommand(args);
  if (!command) return help("relay");
  const { ended, again } = signals();
  const relay = await startRelay(command, complain);
  let hurried = false;
  void again.then(() => {
    hurried = relay.hurry();
    if (!hurried) process.exit(ENDED_AT_ONCE);
  });
  if (!command.quiet) {
    say(bold("genspan relay"));
    say(`  OTLP/HTTP  ${relay.url}/v1/traces`);
    say(`  OTLP/gRPC  ${relay.grpc ?? "off"}`);
    for (const { name, endpoint } of relay.destinations) say(`  to ${name}  ${endpoint}`);
  }
  const broken = await Promise.race([ended.then(() => false), relay.broken.then(() => true)]);
  const { received, stats } = await relay.close();
  if (!command.quiet) {
    const refused = [
      count(received.malformed, "malformed"),
      count(received.rejectedSpans, "spans refused"),
      count(received.tooLarge, "too large"),
      count(received.busy, "rejected (503)"),
      count(received.stalled, "ended because they stalled"),
    ];
    say(
      ["received", `${received.requests} requests`, `${stats.seen ?? 0} spans`, ...refused].filter(Boolean).join("  "),
    );
    for (const line of outcome(stats)) say(line);
  }
  if (hurried) return ENDED_AT_ONCE;
  return broken ? 1 : 0;
}

function help(command: "inspect" | "relay"): number {
  say(HELP[command]);
  return 0;
}

const count = (number: number | undefined, what: string) => (number ? `${number} ${what}` : "");

/** The outcome for the spans, by destination. */
function outcome({ destinations = [] }: SenderStats): string[] {
  return destinations.map((d) => {
    const parts = [
      `${d.sent} sent`,
      count(d.rejected, "rejected"),
      count(d.spooled - d.restored, "on disk"),
      count(d.filtered + d.notSampled, "excluded by filter or sampling"),
      count(d.withoutToken, "without a token"),
      count(d.droppedFull, "dropped: queue full"),
      count(d.droppedRefused, "dropped: refused"),
      count(d.droppedDeadline, "dropped: too late"),
      count(d.droppedTooLarge, "dropped: too large"),
      count(d.droppedClosed, "dropped: not delivered before shutdown"),
      count(d.droppedFault, "dropped: internal fault"),
    ];
    return [`  ${d.name}`, ...parts.filter(Boolean)].join("  ");
  });
}

/** The first SIGINT or SIGTERM, and the second; a third one ends the process at once. */
function signals(): { ended: Promise<void>; again: Promise<void> } {
  const waiting: (() => void)[] = [];
  const next = () => new Promise<void>((resolve) => waiting.push(resolve));
  const [ended, again] = [next(), next()];
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      const resolve = waiting.shift() ?? (() => process.exit(ENDED_AT_ONCE));
      resolve();
    });
  }
  return { ended, again };
}

function unexpected(error: unknown): string {
  const { code, port, message } = error as NodeJS.ErrnoException & { port?: number };
  const at = port === undefined ? "the port" : `port ${port}`;
  if (code === "EADDRINUSE") {
    return `${at} is in use; choose another with --port or --grpc-port`;
  }
  if (code === "EACCES") return `${at} is not permitted for this user; choose one from 1024`;
  return message;
}
