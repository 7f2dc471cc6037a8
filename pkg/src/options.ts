// The options of the package, made from the list of the core by `cargo run --example options`. A test compares the two.
import type { HeadersLike } from "./headers.js";
import type { FilterRules, Mapping, Media, MeterProvider, PartialSuccess, Protocol, SpanFilter, Tls } from "./types.js";

export const PROFILES = ["otel", "otel-1.41", "tencent", "langfuse", "openinference"] as const;
/** The attributes that a backend reads: `"otel"` is OpenTelemetry GenAI 0.1.0, `"openinference"` is for Phoenix and Arize. */
export type Profile = (typeof PROFILES)[number];
/** Which source attributes stay. */
export type Keep = "unmapped" | "all" | "none";

/** How batches are made and sent, for all destinations or for one of them. */
export interface DeliveryOptions {
  /** How long a span waits for others to fill its batch, in ms. Default: 5000, or `OTEL_BSP_SCHEDULE_DELAY`. */
  scheduledDelayMillis?: number | undefined;
  /** Maximum number of spans in a batch. Default: 512, or `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`. */
  maxExportBatchSize?: number | undefined;
  /** Maximum size of one request, in bytes as encoded, before compression; at most 33554432 (32 MiB). Default: 4194304 (4 MiB). */
  maxExportBatchBytes?: number | undefined;
  /** Maximum number of spans that wait; further ones are dropped and counted. Default: 8192, or `OTEL_BSP_MAX_QUEUE_SIZE`. */
  maxQueueSize?: number | undefined;
  /** Maximum size of the spans that wait, in bytes as encoded. Default: 67108864 (64 MiB). */
  maxQueueBytes?: number | undefined;
  /** What a full queue drops; entries are the last to go. Default: "oldest". */
  dropPolicy?: "oldest" | "newest" | undefined;
  /** How long the delivery of a batch is tried, retries included, in ms. Default: 300000, or `OTEL_BSP_EXPORT_TIMEOUT`. */
  exportTimeoutMillis?: number | undefined;
  /** Maximum number of requests in flight. Default: 4. */
  concurrencyLimit?: number | undefined;
  /** How long to wait before a retry. */
  retry?: RetryOptions | undefined;
  /** When a destination that fails is left alone. */
  breaker?: BreakerOptions | undefined;
}

/** How long to wait before a retry. */
export interface RetryOptions {
  /** Upper limit of the first wait, in ms. The limit doubles with each retry; the wait is random below it. Default: 1000. */
  initialMillis?: number | undefined;
  /** Upper limit of every wait, in ms. Default: 30000. */
  maxMillis?: number | undefined;
}

/** When a destination that fails is left alone. */
export interface BreakerOptions {
  /** Number of consecutive failures after which the destination is left alone; 0: never. Default: 5. */
  failures?: number | undefined;
  /** How long it is left alone, in ms; then one request probes it. Default: 10000. */
  openMillis?: number | undefined;
}

/** Where spans go, and in which form. */
export interface DestinationOptions extends DeliveryOptions {
  /** Its name in statistics and diagnostics; with a spool, part of the name of its account. Default: "otlp-0", by its place. */
  name?: string | undefined;
  /** URL that OTLP is posted to, as it stands. Default: http://localhost:4318/v1/traces; for gRPC http://localhost:4317, or `OTEL_EXPORTER_OTLP_[TRACES_]ENDPOINT`. */
  endpoint?: string | URL | undefined;
  /** How requests are made and encoded. `"grpc"` is for Node, Bun and Deno, and needs the package `@grpc/grpc-js`. Default: "http/protobuf", or `OTEL_EXPORTER_OTLP_[TRACES_]PROTOCOL`. */
  protocol?: Protocol | undefined;
  /** Request headers: an object, `Headers` or a `Map`; or a function, sync or async, that returns them for each request, for tokens that change. Default: `OTEL_EXPORTER_OTLP_[TRACES_]HEADERS`. */
  headers?: HeadersLike | (() => HeadersLike | Promise<HeadersLike>) | undefined;
  /** The attributes that the backend reads. Default: "otel". */
  profile?: Profile | undefined;
  /** Which source attributes stay: `"unmapped"` keeps those that no attribute of the profile replaces, `"all"`, `"none"`. Default: by profile: "unmapped", with "tencent" "all". */
  keep?: Keep | undefined;
  /** Resource attribute `service.name`. Default: the provider's, or `OTEL_SERVICE_NAME`. */
  serviceName?: string | undefined;
  /** Resource attribute `token` (profile `"tencent"`), a secret that is sent to this destination only. Default: `OTEL_RESOURCE_ATTRIBUTES`. */
  token?: string | undefined;
  /** Resource attribute `host.name`, at this destination only. In Node, profile `"tencent"` has the machine's first address by default. Default: `OTEL_RESOURCE_ATTRIBUTES`. */
  hostName?: string | undefined;
  /** More resource attributes, at this destination only. */
  resource?: Record<string, string | number | boolean> | undefined;
  /** Instrumentation scopes to send, `*` stands for any text. Default: all. */
  allowScopes?: string[] | undefined;
  /** Instrumentation scopes not to send, `*` stands for any text. */
  blockScopes?: string[] | undefined;
  /** The name that Langfuse's SDK has for `blockScopes`. */
  blockedInstrumentationScopes?: string[] | undefined;
  /** Which spans it gets: `"all"`, `"llm"` (those of LLM instrumentations), rules, or a function of the span. Default: "all". */
  filter?: "all" | "llm" | FilterRules | SpanFilter | undefined;
  /** Which part of the traces it gets, from 0 to 1: whole traces, by their ids. Default: 1. */
  sampleRatio?: number | undefined;
  /** Attribute that keeps the id of the parent, in hex, where a span gets another parent because its own does not go to this destination. */
  originalParent?: string | undefined;
  /** What may leave of content, and how large spans may be. In `destinations`, it replaces the `privacy` that stands beside them. */
  privacy?: PrivacyOptions | undefined;
  /** How bodies of 1,024 bytes or more are compressed. Default: "none", or `OTEL_EXPORTER_OTLP_[TRACES_]COMPRESSION`. */
  compression?: "gzip" | "none" | undefined;
  /** Time limit of one request, in ms; then it is aborted. Default: 10000, or `OTEL_EXPORTER_OTLP_[TRACES_]TIMEOUT`. */
  timeoutMillis?: number | undefined;
  /** Certificates `{ ca, cert, key }`, PEM as text or bytes, in Node, Bun and Deno. Default: `OTEL_EXPORTER_OTLP_[TRACES_]CERTIFICATE, …CLIENT_CERTIFICATE, …CLIENT_KEY (files)`. */
  tls?: Tls | undefined;
}

/** Which spans carry `gen_ai.is_entry`. */
export interface EntryOptions {
  /** Mark entries. Marks of the source are removed anyway. Default: true. */
  enabled?: boolean | undefined;
  /** How the mark is written; `"string"` as Dify writes it. Default: "bool". */
  value?: "bool" | "string" | undefined;
  /** Several LLM segments below one span that is not LLM, such as two model calls in one HTTP request: `"each"` has its entry; `"first"`: the first one, or those that are marked; `"common-ancestor"`: the span above them is the entry of all. Default: "each". */
  siblings?: "each" | "first" | "common-ancestor" | undefined;
  /** No entry below a remote parent that is inside an LLM segment, by `tracestate` or Langfuse's baggage: that segment has its entry. Default: true. */
  acrossProcesses?: boolean | undefined;
  /** How long a candidate waits for its ancestors, in ms. For spans that are read from bodies, this is the window in which a parent may come in a later body; with 0, what came before and what stands in the same body decides. Default: 30000. */
  holdMillis?: number | undefined;
  /** Maximum number of candidates that wait. Default: 1000. */
  maxHeld?: number | undefined;
  /** Maximum size of the candidates that wait, in bytes as encoded. Default: 16777216 (16 MiB). */
  maxHeldBytes?: number | undefined;
  /** Maximum number of spans of live and recent traces that are remembered. Default: 50000. */
  maxSpans?: number | undefined;
}

/** What may leave of content, and how large spans may be. */
export interface PrivacyOptions {
  /** Send prompts, answers, tool calls and documents. If not, a span leaves with nothing but what is known to hold no content: names, ids, numbers. Default: true. */
  captureContent?: boolean | undefined;
  /** Without content: send the metadata and the tags of the application all the same. Default: true. */
  captureMetadata?: boolean | undefined;
  /** Without content: send the messages of the status and of exceptions, and stack traces, all the same. They may quote a prompt. Default: false. */
  captureErrors?: boolean | undefined;
  /** What is masked, rule by rule. */
  mask?: MaskRule[] | undefined;
  /** Media in base64: `"keep"`; `"large"`: what has 4 KiB of base64 or more is replaced by a descriptor with its type, size and hash, since one picture can make a backend refuse a batch; `"describe"`: all of it is. Default: "large". */
  media?: "keep" | "large" | "describe" | undefined;
  /** Maximum size of the text of one attribute, in bytes of UTF-8; longer text is cut. 0: no limit. Default: 1048576 (1 MiB). */
  maxAttributeBytes?: number | null | undefined;
  /** Maximum size of a span, in bytes as encoded; the content of a larger one is cut. 0: no limit. gRPC takes 4 MiB, Langfuse 3.5 MB. Default: 3145728 (3 MiB). */
  maxSpanBytes?: number | null | undefined;
}

/** What is masked: where, what, and what replaces it. */
export interface MaskRule {
  /** Attribute keys as they go out, `*` stands for any text, on every span. Default: all text of LLM spans except names and ids. */
  keys?: string[] | undefined;
  /** A regular expression. With neither a pattern nor detectors the whole value is masked. */
  pattern?: string | RegExp | undefined;
  /** Built-in detectors. */
  detect?: ("email" | "phone" | "card" | "key")[] | undefined;
  /** What replaces a match. Default: <masked>, or the detector's name, such as <email>. */
  replacement?: string | undefined;
}

/** Where batches that could not be delivered are kept. */
export interface SpoolOptions {
  /** A directory of its own; processes may share it. */
  dir: string;
  /** Maximum size of the directory, in bytes; the oldest batches are removed first. Default: 268435456 (256 MiB). */
  maxBytes?: number | undefined;
}

/** One destination by its own options, or several in `destinations`. */
export interface GenSpanOptions extends DestinationOptions {
  /** Where spans go, each destination with its own options. Default: the one that the other options describe. */
  destinations?: DestinationOptions[] | undefined;
  /** Which spans carry `gen_ai.is_entry`. Default: the marked spans of each segment, or its outermost LLM span. */
  entry?: EntryOptions | undefined;
  /** What may leave of content, and how large spans may be. Default: all content, within limits. */
  privacy?: PrivacyOptions | undefined;
  /** Fill in the provider from the server's address or the model's name where nothing names it. Default: true. */
  inferProvider?: boolean | undefined;
  /** What keys of your own mean on spans of home-made instrumentation, in terms of the canonical fields: `[{"keys": {"my.model": "request.model"}}]`. docs/conventions.md lists the fields. Default: none. */
  mappings?: Mapping[] | undefined;
  /** Copy session and user to the LLM spans that lack them, from the spans above or from baggage. Default: true. */
  inheritSession?: boolean | undefined;
  /** Maximum memory for what one OTLP body holds when it is unpacked, in bytes. A body that needs more is refused: the relay and Envoy answer 413, gRPC `RESOURCE_EXHAUSTED`; `convert` and `normalize` throw. A value that would need much more than its size, such as a list of a million empty messages, is left as it is and counted as `unread`. Default: 134217728 (128 MiB). */
  maxUnpackedBytes?: number | undefined;
  /** Maximum memory of the WebAssembly module while it is idle, in bytes. Its memory never shrinks: a module that has grown past this is replaced once its queues are empty and no span has ended for `entry.holdMillis`. It begins with about 2 MiB. Default: 67108864 (64 MiB). */
  maxIdleMemoryBytes?: number | undefined;
  /** Maximum number of attribute keys and names of the application in the dictionary. Further ones are looked up each time, which takes longer. Default: 4096. */
  maxKeys?: number | undefined;
  /** Directory for batches that could not be delivered, in Node, Bun and Deno. They are sent later, after a restart too, to the same account. A destination whose `headers` are a function then needs a `name`, and so do several with one endpoint. */
  spool?: SpoolOptions | undefined;
  /** Time limit of `forceFlush` and `shutdown`, in ms. Default: 30000. */
  flushTimeoutMillis?: number | undefined;
  /** In Node: flush before the process ends by itself, and shut down on SIGTERM. Default: false. */
  flushOnExit?: boolean | undefined;
  /** Called with every text of content, after the rules, and its key; what it returns is sent. */
  mask?: ((text: string, key: string) => string) | undefined;
  /** Called with media in base64; the text that it returns is sent in their place. */
  onMedia?: ((media: Media) => string | undefined) | undefined;
  /** Called when a backend rejects spans of a batch that it accepts, or sends a warning. Default: only `diag` reports it. */
  onPartialSuccess?: ((partial: PartialSuccess) => void) | undefined;
  /** Gets what `stats` counts as metrics, under the names that OpenTelemetry has for SDKs. Default: no metrics. */
  meterProvider?: MeterProvider | undefined;
}

/** The headers that requests to a backend get. */
export const PROFILE_HEADERS: Partial<Record<Profile, Record<string, string>>> = {
  "langfuse": { "x-langfuse-ingestion-version": "4" },
};

/** The defaults that the package needs itself. */
export const DEFAULTS = {
  maxQueueSize: 8192,
  timeoutMillis: 10000,
  flushTimeoutMillis: 30000,
  maxIdleMemoryBytes: 67108864,
  maxBytes: 268435456,
} as const;

/** The names of the options of each interface, without those that it takes over from another one. */
export const NAMES = {
  DeliveryOptions: ["scheduledDelayMillis", "maxExportBatchSize", "maxExportBatchBytes", "maxQueueSize", "maxQueueBytes", "dropPolicy", "exportTimeoutMillis", "concurrencyLimit", "retry", "breaker"],
  RetryOptions: ["initialMillis", "maxMillis"],
  BreakerOptions: ["failures", "openMillis"],
  DestinationOptions: ["name", "endpoint", "protocol", "headers", "profile", "keep", "serviceName", "token", "hostName", "resource", "allowScopes", "blockScopes", "blockedInstrumentationScopes", "filter", "sampleRatio", "originalParent", "privacy", "compression", "timeoutMillis", "tls"],
  EntryOptions: ["enabled", "value", "siblings", "acrossProcesses", "holdMillis", "maxHeld", "maxHeldBytes", "maxSpans"],
  PrivacyOptions: ["captureContent", "captureMetadata", "captureErrors", "mask", "media", "maxAttributeBytes", "maxSpanBytes"],
  MaskRule: ["keys", "pattern", "detect", "replacement"],
  SpoolOptions: ["dir", "maxBytes"],
  GenSpanOptions: ["destinations", "entry", "privacy", "inferProvider", "mappings", "inheritSession", "maxUnpackedBytes", "maxIdleMemoryBytes", "maxKeys", "spool", "flushTimeoutMillis", "flushOnExit", "mask", "onMedia", "onPartialSuccess", "meterProvider"],
} as const;
