// An application of Next.js, built and started as a user does.
import { cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { bin, inProject, link, project } from "./project.mjs";
import { freePort, whileRunning } from "./servers.mjs";

const QUIET = { NEXT_TELEMETRY_DISABLED: "1" };

/** `files` are those of the application, by the files of the project that they come from. Gives what `ask`, called with the origin, resolves with. */
export async function inNextJs(files, env, ask) {
  for (const [file, from] of Object.entries(files)) {
    const path = join(project, "next", file);
    await mkdir(dirname(path), { recursive: true });
    await cp(join(project, from), path);
  }
  for (const name of ["next", "react", "react-dom"]) await link(name);
  await writeFile(
    join(project, "next", "next.config.mjs"),
    "export default { outputFileTracingRoot: import.meta.dirname };",
  );
  await inProject(bin("next"), ["build", "next"], QUIET);
  const port = await freePort();
  const args = ["start", "next", "--hostname", "127.0.0.1", "--port", String(port)];
  return whileRunning(bin("next"), args, project, { ...QUIET, ...env }, () => ask(`http://127.0.0.1:${port}`));
}
