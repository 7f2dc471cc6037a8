// The receiver for Node, Bun and Deno, and for functions that run on them.
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { nodeHost } from "./node-host.js";
import { initSync, type Receive, type Receiver, receiver } from "./receiver.js";
import { unpack } from "./serve/otlp.js";

export type { Receive, ReceiveBatch, ReceiveContext, Received, ReceiveOptions, ReceiveQueue } from "./receiver.js";

initSync(() => new WebAssembly.Module(readFileSync(new URL("./ingest.wasm", import.meta.url))));

export interface NodeReceiver extends Receiver {
  /** The same for `http.createServer`. */
  node(request: IncomingMessage, response: ServerResponse): void;
}

/** The addresses of the senders whose requests come through `node`. */
const addresses = new WeakMap<Request, string>();

/** What `Deno.serve` and `Bun.serve` pass beside the request, and what Vercel writes into it. */
function peer(request: Request, env: unknown): string {
  const { remoteAddr, requestIP } = (env ?? {}) as {
    remoteAddr?: { hostname?: string };
    requestIP?(request: Request): { address: string } | null;
  };
  const vercel = process.env.VERCEL ? request.headers.get("x-real-ip") : undefined;
  const address =
    addresses.get(request) ?? remoteAddr?.hostname ?? requestIP?.call(env, request)?.address ?? vercel ?? "";
  return address.replace(/^::ffff:/, "");
}

/**
 * Receives OTLP at every path that ends in `/v1/traces`, and passes it on to the destinations. Throws an Error that describes the problem if an option
 * cannot be used.
 */
export function receive(options: Receive): NodeReceiver {
  const { fetch, queue, received } = receiver(options, {
    host: nodeHost,
    peer,
    checks: true,
    unpack: (body, coding, limit, from) => unpack(Buffer.from(body.buffer), coding, limit, from),
  });
  return {
    fetch,
    queue,
    received,
    node: (incoming, response) => void pass(incoming, response).catch(() => response.destroy()),
  };

  async function pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url = "/", headers, socket } = incoming;
    const pairs = Object.entries(headers).flatMap(([name, value]) =>
      typeof value === "string" ? [[name, value] as [string, string]] : [],
    );
    const body =
      method === "GET" || method === "HEAD" ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>);
    const request = new Request(new URL(url.replace(/^\/+/, "/"), "http://receiver"), {
      method,
      headers: pairs,
      body,
      duplex: "half",
    } as RequestInit);
    addresses.set(request, socket.remoteAddress ?? "");
    const answer = await fetch(request);
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(new Uint8Array(await answer.arrayBuffer()));
  }
}
