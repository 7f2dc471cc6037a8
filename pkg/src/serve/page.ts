// The inspector's page: files of one folder, listed at the start so that a request cannot name other paths; and the restrictions for the browser.
import { readdirSync, readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { plain } from "./http.js";

const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Headers of everything that this server shows in a browser. */
export const SAFETY = {
  "content-security-policy": POLICY,
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".webmanifest": "application/manifest+json",
  ".txt": "text/plain; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
};
const MISSING =
  "The page is not in this build of genspan. In a checkout, `make build` builds it.\nOTLP is received nevertheless.";

/** The module that the page runs. It is next to the page's folder, so that the package contains it only once. */
const MODULE = fileURLToPath(new URL("./core.wasm", import.meta.url));

/** Answers a GET or HEAD. Returns `false` if there is no such file. */
export type Page = (response: ServerResponse, path: string, head: boolean) => boolean;

export function pageIn(folder: string): Page {
  const files = new Map<string, string>();
  for (const file of filesIn(folder)) files.set(`/${relative(folder, file).split(sep).join("/")}`, file);
  return (response, path, head) => {
    const name = path === "/" ? "/index.html" : path;
    const file = files.get(name) ?? (extname(name) === ".wasm" ? MODULE : undefined);
    for (const [header, value] of Object.entries(SAFETY)) response.setHeader(header, value);
    if (file === undefined) {
      if (name === "/index.html") plain(response, 404, MISSING);
      return name === "/index.html";
    }
    const body = readFileSync(file);
    response.writeHead(200, {
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
      "content-length": body.length,
      "cache-control": "no-cache",
    });
    response.end(head ? undefined : body);
    return true;
  };
}

function filesIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesIn(path);
      return entry.isFile() ? [path] : [];
    });
  } catch {
    return [];
  }
}
