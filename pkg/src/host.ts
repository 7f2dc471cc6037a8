// What differs between the hosts that genspan runs in. A runtime's entry file gives one of these; the rest of src/ knows
// web standards only.

import type { Send } from "./transport.js";
import type { Route, SpoolSettings } from "./types.js";

/** A batch that was read back. */
export interface Stored {
  /** What `remove` and `release` take. */
  copy: number;
  spans: number;
  body: Uint8Array;
}

/** Keeps what cannot be delivered. Nothing of it throws or rejects. */
export interface Spool {
  /** Resolves with true once the batch is safe. */
  put(destination: number, spans: number, body: Uint8Array): Promise<boolean>;
  /** May there be a batch for this destination? */
  has(destination: number): boolean;
  /** The oldest one; nobody else gets it until it is released. */
  take(destination: number): Promise<Stored | undefined>;
  remove(copy: number): void;
  release(copy: number): void;
  close(): Promise<void>;
  readonly stats: SpoolStats;
}

export interface SpoolStats {
  /** On disk: batches, bytes. */
  files: number;
  bytes: number;
  /** Spans dropped because the spool was full, or their file could not be read. */
  dropped: number;
  /** Files that were set aside because they are damaged, or left alone because they cannot be read. */
  quarantined: number;
}

export interface Host {
  /** Environment variables; empty where a host has none or they are not ours to read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Headers of every request, if the host lets a page or worker set them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Up to how many characters a loop in JS beats the call of a native UTF-8 encoder. */
  readonly shortText: number;
  /** What names this machine in `host.name`. */
  hostName(): string | undefined;
  /** The rest is missing where a host has none of it. */
  readFile?(path: string): Uint8Array;
  /** Sends by gRPC. */
  grpc?(route: Route): Send;
  /** Fetch with the certificates of the route, and through the proxy that `proxied` finds. */
  dispatch?(route: Route, warn: Warn): Promise<typeof fetch>;
  /** Does the environment name a proxy for this URL's scheme? */
  proxied?(url: string): boolean;
  /** Opens the spool; `accounts` name those of the destinations, `changed` is called when there may be something to take. */
  spool?(options: SpoolSettings, accounts: string[], changed: () => void, warn: Warn): Spool;
  /** Runs `flush` when the process is about to end, `shutdown` when it is told to; gives what ends that. */
  onExit?(flush: () => Promise<void>, shutdown: () => Promise<void>): () => void;
  /** Gets the warnings of the constructor. Missing: they go to OpenTelemetry's diagnostics or, without those, to the console. */
  warn?(message: string): void;
}

export type Warn = (what: string, why?: string) => void;

/** This host cannot run the WebAssembly module: it has no WebAssembly, forbids it, or the module is broken. */
export class Unavailable extends Error {
  constructor(cause: unknown) {
    super(
      `genspan: WebAssembly is not available here (${(cause as Error).message}); ` +
        "a Content-Security-Policy must have script-src 'wasm-unsafe-eval', and Node must run without --jitless",
    );
  }
}

/** What an entry file starts from: any host with fetch, WebAssembly and TextEncoder. */
export const webHost: Host = { env: {}, headers: {}, shortText: 32, hostName: () => undefined };
