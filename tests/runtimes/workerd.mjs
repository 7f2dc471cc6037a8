// A worker of the project: how it is bundled, and how it runs.
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { project } from "./project.mjs";

/** Bundles a file of the project, as esbuild's `options` have it. */
export const bundleWorker = (options) =>
  build({
    absWorkingDir: project,
    bundle: true,
    format: "esm",
    conditions: ["workerd", "worker", "browser"],
    loader: { ".wasm": "copy" },
    ...options,
  });

/** Runs what was bundled. */
export const startWorker = (scriptPath, options = {}) =>
  new Miniflare({
    modules: true,
    modulesRoot: project,
    modulesRules: [{ type: "CompiledWasm", include: ["**/*.wasm"] }],
    scriptPath,
    compatibilityDate: "2026-04-01",
    ...options,
  });
