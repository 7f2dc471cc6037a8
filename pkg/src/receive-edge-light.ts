// The receiver for Vercel's edge runtime, which compiles modules imported with the query `?module`, and provides the environment as Node does.
import { webHost } from "./host.js";
import module from "./ingest.wasm?module";
import { initSync, type Receive, type Receiver, receiver } from "./receiver.js";
import type { Host } from "./types.js";

export type { Receive, ReceiveBatch, ReceiveContext, Received, ReceiveOptions, ReceiveQueue } from "./receiver.js";

initSync(module);

const { process } = globalThis as { process?: { env: Host["env"] } };

/**
 * Receives OTLP at every path that ends in `/v1/traces`, and passes it on to the destinations. Throws an Error that describes the problem if an option
 * cannot be used.
 */
export function receive(options: Receive): Receiver {
  const host = { ...webHost, env: process?.env ?? {} };
  return receiver(options, { host, peer: (request) => request.headers.get("x-real-ip") ?? "" });
}
