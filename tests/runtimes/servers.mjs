// Servers that a test starts as processes of their own.
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a server, gives what `ask` does once it no longer rejects, and ends the server with all that it has started. */
export async function whileRunning(command, args, cwd, env, ask) {
  const child = spawn(command, args, { cwd, env: { ...process.env, CI: "1", ...env }, detached: true });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text) => {
      output += text;
    });
  }
  const ended = new Promise((resolve) => child.on("exit", resolve));
  try {
    for (let i = 0; i < 200 && child.exitCode === null; i++) {
      const answer = await ask().catch(() => undefined);
      if (answer !== undefined) return answer;
      await sleep(100);
    }
    throw new Error(`${command} ${args.join(" ")} does not answer:\n${output}`);
  } finally {
    if (child.exitCode === null) process.kill(-child.pid, "SIGTERM");
    await ended;
  }
}
