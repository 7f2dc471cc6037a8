// Serves the built page under the policy that `genspan inspect` sets, alone or with a stream of bodies.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

export const WWW = fileURLToPath(new URL("../../www/dist/", import.meta.url));

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

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** `live`: with `api/`. `send(body)` gives a body to the pages that listen, and keeps it for those that come. */
export async function startServer({ live = false } = {}) {
  const listeners = new Set();
  const kept = [];
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://page").pathname;
    if (live && path === "/api/info") {
      const endpoints = { http: "http://127.0.0.1:4318/v1/traces", grpc: null };
      return response
        .setHeader("content-type", "application/json")
        .end(JSON.stringify({ version: "0.1.0", endpoints, keepBytes: 1 << 26 }));
    }
    if (live && path === "/api/bodies") {
      response.writeHead(200, { "content-type": "application/octet-stream" });
      for (const body of kept) response.write(frame(body));
      response.write(frame(new Uint8Array()));
      listeners.add(response);
      return response.on("close", () => listeners.delete(response));
    }
    try {
      const file = join(WWW, normalize(path === "/" ? "/index.html" : path));
      const body = await readFile(file);
      response.setHeader("content-security-policy", POLICY).setHeader("x-content-type-options", "nosniff");
      response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream").end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    listeners,
    async send(body, keep = true) {
      if (keep) kept.push(body);
      for (const listener of listeners) {
        if (!listener.write(frame(body))) await new Promise((resolve) => listener.once("drain", resolve));
      }
    },
    hangUp() {
      for (const listener of listeners) listener.destroy();
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function frame(body) {
  const out = Buffer.alloc(4 + body.length);
  out.writeUInt32LE(body.length);
  out.set(body, 4);
  return out;
}
