// Optional packages of the application.
import module from "node:module";

// Not imported under its usual name, which webpack recognises: webpack would then need to know the folder when it bundles.
const { createRequire } = module;

/**
 * Loads an optional peer dependency. Returns `undefined` if the application does not have it. Bundlers must not resolve it, because one that does not find it would
 * fail; so the name is not a literal, and the comments exclude it for bundlers that also analyse expressions. If this file is part of a bundle, which may be
 * anywhere, the package is resolved from the working directory. Deno would ask for permission to read that directory.
 */
export async function peer<T>(name: string): Promise<T | undefined> {
  try {
    return (await import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name)) as T;
  } catch {}
  if (process.versions.deno !== undefined) return undefined;
  try {
    return createRequire(`${process.cwd()}/`)(name) as T;
  } catch {
    return undefined;
  }
}
