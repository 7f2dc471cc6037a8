// The receiver for workerd (Cloudflare Workers), which compiles modules when it loads a worker and never later.
import { webHost } from "./host.js";
import module from "./ingest.wasm";
import { initSync, type Receive, type Receiver, receiver } from "./receiver.js";

export type { Receive, ReceiveBatch, ReceiveContext, Received, ReceiveOptions, ReceiveQueue } from "./receiver.js";

initSync(module);

/**
 * Receives OTLP at every path that ends in `/v1/traces`, and passes it on to the destinations. `options` may be a function of the worker's bindings, which
 * hold its secrets. Throws an Error that describes the problem if an option cannot be used.
 */
export function receive(options: Receive | ((env: unknown) => Receive)): Receiver {
  return receiver(options, { host: webHost, peer: (request) => request.headers.get("cf-connecting-ip") ?? "" });
}
