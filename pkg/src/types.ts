// Types that several modules share; those of the options are in options.ts. This file imports types only, so it closes no circle.
import type { EndedSpan, StartedSpan } from "./otel.js";

export type Protocol = "http/protobuf" | "http/json" | "grpc";
export type HeaderValues = Record<string, string>;

/** One of several texts (`*` matches anything), numbers or booleans; `null` means that the attribute is not present. */
export type FilterValue = string | number | boolean | null | (string | number | boolean | null)[];

/** A condition on a span. All fields that are set must match. */
export interface FilterCondition {
  /** Whether the span is an LLM span. */
  llm?: boolean | undefined;
  /** The instrumentation scope. */
  scope?: string | string[] | undefined;
  name?: string | string[] | undefined;
  /** `gen_ai.operation.name`, whatever convention wrote the span: `"chat"`, `"embeddings"`, … */
  operation?: string | string[] | undefined;
  /** Attributes as the application wrote them. */
  attributes?: Record<string, FilterValue> | undefined;
}

/** Selects the spans that match a condition of `only` (default: all spans) and no condition of `except`. */
export interface FilterRules {
  only?: FilterCondition[] | undefined;
  except?: FilterCondition[] | undefined;
}

/** What keys of the application's own mean: `{ keys: { "my.model": "request.model" } }`. The fields are listed in docs/conventions.md. */
export interface Mapping {
  /** The instrumentation scopes in which it holds; `*` stands for any text. Default: all. */
  scope?: string | undefined;
  /** The field of each key, or `{ to: field, values }`. */
  keys: Record<string, string | { to: string; values?: Record<string, string> | undefined }>;
  /** Words that stand for the values of these keys, such as `{ LLM_CALL: "chat" }`. */
  values?: Record<string, string> | undefined;
}

/** The span as a filter function sees it. At the start of the span, only the fields known by then are set. */
export type FilteredSpan = StartedSpan & Partial<Omit<EndedSpan, keyof StartedSpan>>;

/**
 * Returns `true` if the span goes to the destination. Called when the span starts and when it ends: a parent that was accepted at its start is
 * exported once a child of it has been. It must be fast and must not change the span. If it throws, the span is exported.
 */
export type SpanFilter = (span: FilteredSpan) => boolean;

export interface PartialSuccess {
  /** The destination's name. */
  destination: string;
  /** The number of rejected spans; 0 if the message is a warning. */
  rejectedSpans: number;
  errorMessage: string;
}

/** Media that was found in content. */
export interface Media {
  /** Media type, such as `image/png`; `media` if the source has none. */
  type: string;
  /** The data as the source wrote it. */
  base64: string;
  /** The key of the attribute that contains it. */
  key: string;
}

/** PEM, as text or bytes. */
export interface Tls {
  /** Certificate authorities that may have signed the server's certificate, instead of those that the host trusts. */
  ca?: string | Uint8Array | undefined;
  /** The client's certificate and its key. */
  cert?: string | Uint8Array | undefined;
  key?: string | Uint8Array | undefined;
}

/** `SpoolOptions` with all defaults filled in. */
export interface SpoolSettings {
  dir: string;
  maxBytes: number;
}

/** The part of a destination's configuration that the transport needs. */
export interface Route {
  name: string;
  filter?: SpanFilter;
  endpoint: string;
  protocol: Protocol;
  headers: () => HeaderValues | Promise<HeaderValues>;
  gzip: boolean;
  timeoutMillis: number;
  tls: Tls | undefined;
  /** Texts that no message may contain. */
  secrets: string[];
  /** Maximum number of spans in the queue. */
  maxQueueSize: number;
}

export interface Config {
  /** Whether OTEL_SDK_DISABLED is set. */
  disabled: boolean;
  /** The configuration for the core's `open`. */
  core: object;
  /** One route per destination, in the order of the core's destinations. */
  routes: Route[];
  spool: SpoolSettings | undefined;
  /** With a spool: the account of each destination, including its credentials. Batches spooled for one account are sent to no other. */
  accounts?: string[];
  flushTimeoutMillis: number;
  /** Maximum memory of an idle instance of the module, in bytes. */
  maxIdleMemoryBytes: number;
}

/** The answer of a backend. */
export interface Answer {
  /** The HTTP status, or the gRPC status code (below 100). */
  status: number;
  /** The wait that the server requests, in ms; -1 if it requests none. */
  retryAfter: number;
  /** The body of the answer; for a failed gRPC call, the encoded `google.rpc.Status`. */
  body: Uint8Array;
  /** The message of a gRPC status. */
  message?: string;
}

/** Sends a batch. Rejects if there is no answer within the time limit (it then aborts by itself), or when `abort` is triggered. */
export type Send = (body: Uint8Array<ArrayBuffer>, abort: AbortController) => Promise<Answer>;

/** Reports a problem, with its cause. */
export type Warn = (what: string, why?: string) => void;

/** A batch that was read back from the spool. */
export interface Stored {
  /** Its number, for `remove` and `release`. */
  copy: number;
  spans: number;
  body: Uint8Array;
}

/** Stores undelivered batches on disk. No method throws or rejects. */
export interface Spool {
  /** Resolves with `true` once the batch is safely stored, and with `false` if it cannot be. */
  put(destination: number, spans: number, body: Uint8Array): Promise<boolean>;
  /** Returns `true` if there may be a batch for this destination. */
  has(destination: number): boolean;
  /** Claims the oldest batch. No other process or destination gets it until it is released. */
  take(destination: number): Promise<Stored | undefined>;
  remove(copy: number): void;
  release(copy: number): void;
  close(): Promise<void>;
  readonly stats: SpoolStats;
}

export interface SpoolStats {
  /** Batches on disk. */
  files: number;
  /** Their size on disk, in bytes. */
  bytes: number;
  /** Spans dropped because the spool was full or their file was damaged. */
  dropped: number;
  /** Damaged files that were set aside, and unreadable files that were skipped. */
  quarantined: number;
}

/** What differs between the runtimes that genspan supports. Optional members are missing if the runtime does not have the feature. */
export interface Host {
  /** Environment variables; empty if the runtime has none or denies access. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Headers that are added to every request, if the runtime permits it. */
  readonly headers: Readonly<Record<string, string>>;
  /** The number of characters up to which a loop in JavaScript is faster than the native UTF-8 encoder. */
  readonly shortText: number;
  /** The value of `host.name` for this machine. */
  hostName(): string | undefined;
  /** Reads a file. */
  readFile?(path: string): Uint8Array;
  /** Creates the function that sends over gRPC. */
  grpc?(route: Route): Send;
  /** Creates a `fetch` with the certificates of the route, which uses the proxy of the environment. */
  dispatch?(route: Route, warn: Warn): Promise<typeof fetch>;
  /** Returns `true` if the environment names a proxy for this URL's scheme. */
  proxied?(url: string): boolean;
  /** Opens the spool. `accounts` has the account of each destination; `changed` is called when a batch may be available. */
  spool?(options: SpoolSettings, accounts: string[], changed: () => void, warn: Warn): Spool;
  /** Runs `flush` when the process is about to end, and `shutdown` on a signal to stop. Returns a function that cancels both. */
  onExit?(flush: () => Promise<void>, shutdown: () => Promise<void>): () => void;
  /** Receives the warnings of the constructor. Default: OpenTelemetry's diagnostics or, without those, the console. */
  warn?(message: string): void;
}

/** The `MeterProvider` of `@opentelemetry/api`, by structure. */
export interface MeterProvider {
  getMeter(name: string, version?: string): Meter;
}

interface Meter {
  createObservableCounter(name: string, options: object): object;
  createObservableUpDownCounter(name: string, options: object): object;
  createHistogram(
    name: string,
    options: object,
  ): { record(value: number, attributes: Record<string, string | number>): void };
  // biome-ignore lint/suspicious/noExplicitAny: the instruments are opaque here; the application's API has their types
  addBatchObservableCallback(callback: (result: any) => void, instruments: any[]): void;
}
