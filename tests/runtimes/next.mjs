// An application of Next.js, built and started as a user does.
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bin, inProject, link, project } from "./project.mjs";
import { freePort, whileRunning } from "./servers.mjs";

const QUIET = { NEXT_TELEMETRY_DISABLED: "1" };

/** What the application links to lies outside its folder. */
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * `files` are those of the application, by the files of the project that they come from; `bundler` is `turbopack` or `webpack`. Gives what `ask`,
 * called with the origin, resolves with.
 */
export async function inNextJs(bundler, files, env, ask) {
  await rm(join(project, "next"), { recursive: true, force: true });
  for (const [file, from] of Object.entries(files)) {
    const path = join(project, "next", file);
    await mkdir(dirname(path), { recursive: true });
    await cp(join(project, from), path);
  }
  for (const name of ["next", "react", "react-dom"]) await link(name);
  await writeFile(
    join(project, "next", "next.config.mjs"),
    `export default ${JSON.stringify({ outputFileTracingRoot: ROOT, turbopack: { root: ROOT } })};`,
  );
  await inProject(bin("next"), ["build", "next", `--${bundler}`], QUIET);
  const port = await freePort();
  const args = ["start", "next", "--hostname", "127.0.0.1", "--port", String(port)];
  return whileRunning(bin("next"), args, project, { ...QUIET, ...env }, () => ask(`http://127.0.0.1:${port}`));
}
