// Packages that an application has or has not.
import module from "node:module";

// Not imported by its name, by which webpack knows it: it would have to know the folder when it bundles.
const { createRequire } = module;

/**
 * An optional peer; undefined if the application does not have it. No bundler may look for it: one that does not find it would fail. So the name
 * is no literal, and the comments say so to those that look at others as well. Where this file is part of a bundle, which may lie
 * anywhere, the peer is looked for from the folder that the process was started in. Deno would ask for leave to know that folder.
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
