// What webpack makes of a file of the project.
import assert from "node:assert/strict";
import { join } from "node:path";
import webpack from "webpack";
import { project } from "./project.mjs";

/** Bundles a file of the project into `folder`, without a warning, and gives the path of what came out. */
export async function byWebpack(file, folder, options = {}) {
  const output = { path: folder, filename: "main.cjs" };
  const config = { context: project, entry: `./${file}`, mode: "production", output, performance: false, ...options };
  const stats = await new Promise((resolve, reject) => {
    webpack(config, (error, result) => (error ? reject(error) : resolve(result)));
  });
  const { errors, warnings } = stats.toJson();
  assert.deepEqual([errors, warnings], [[], []]);
  return join(folder, output.filename);
}
