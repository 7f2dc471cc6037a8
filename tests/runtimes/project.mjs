// A project as a user has it: the package out of its tarball, OpenTelemetry, the program, and nothing else of this repository.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Each file of tests has one. */
export const project = here(`../../target/runtimes/${basename(process.argv[1], ".test.mjs")}/`);
/** A command of a package that the tests have installed. */
export const bin = (name) => here(`node_modules/.bin/${name}`);

export const missing = (command) => (existsSync(bin(command)) ? undefined : `${command} is not installed`);

/** Lets the project use a package that the tests have installed. */
export async function link(name) {
  const path = `${project}node_modules/${name}`;
  if (existsSync(path)) return;
  await mkdir(dirname(path), { recursive: true });
  await symlink(here(`node_modules/${name}`), path);
}

/** Runs a command in the project and gives what it printed. */
export async function inProject(command, args, env = {}) {
  const quiet = { CI: "1", NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", WRANGLER_SEND_METRICS: "false" };
  const { stdout } = await run(command, args, {
    cwd: project,
    timeout: 180_000,
    env: { ...process.env, ...quiet, ...env },
  });
  return stdout;
}

/** Makes the project anew and gives the files of the tarball. */
export async function makeProject() {
  await rm(project, { recursive: true, force: true });
  await mkdir(project, { recursive: true });
  const packed = await run("npm", ["pack", "--json", "--pack-destination", project], { cwd: here("../../pkg/") });
  const [{ filename, files }] = Object.values(JSON.parse(packed.stdout));
  await writeFile(`${project}package.json`, '{ "name": "shop", "private": true, "type": "module" }');
  await inProject("npm", ["install", "--offline", "--no-audit", "--no-fund", "--loglevel=error", `./${filename}`]);
  await cp(here("node_modules/@opentelemetry"), `${project}node_modules/@opentelemetry`, { recursive: true });
  for (const file of await readdir(here("."))) {
    if (/\.mjs$/.test(file) && !/^(project|servers|matrix|next|webpack|workerd|.*\.test)\.mjs$/.test(file))
      await cp(here(file), `${project}${file}`);
  }
  return { tarball: `${project}${filename}`, files: files.map(({ path }) => path) };
}
