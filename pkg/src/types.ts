// Types that several modules share. Those of the options are in options.ts.
import type { Protocol } from "./options.js";
import type { EndedSpan, StartedSpan } from "./otel.js";

export type HeaderValues = Record<string, string>;

/** One of several texts (`*` stands for anything), numbers or booleans; `null`: the attribute is not there. */
export type FilterValue = string | number | boolean | null | (string | number | boolean | null)[];

/** What a span has to be, all of it. */
export interface FilterCondition {
  /** A span of an LLM instrumentation, or of none. */
  llm?: boolean | undefined;
  /** The instrumentation scope. */
  scope?: string | string[] | undefined;
  name?: string | string[] | undefined;
  /** `gen_ai.operation.name`, whatever convention wrote the span: `"chat"`, `"embeddings"`, … */
  operation?: string | string[] | undefined;
  /** Attributes as the application wrote them. */
  attributes?: Record<string, FilterValue> | undefined;
}

/** The spans that one of `only` holds for (none given: all), and none of `except`. */
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

/** What a filter of the application sees of a span; at its start, as far as it is known. */
export type FilteredSpan = StartedSpan & Partial<Omit<EndedSpan, keyof StartedSpan>>;

/**
 * True: the span goes to the destination. Asked when it starts and when it ends: a parent that passes at its start goes out once a child
 * of it did. Must be quick, and must not change the span. If it throws, the span passes.
 */
export type SpanFilter = (span: FilteredSpan) => boolean;

export interface PartialSuccess {
  /** The destination's name. */
  destination: string;
  /** 0: the message is a warning. */
  rejectedSpans: number;
  errorMessage: string;
}

/** Media that was found in content. */
export interface Media {
  /** Media type, such as `image/png`; `media` where the source has none. */
  type: string;
  /** As the source has it. */
  base64: string;
  /** The attribute that it stands in. */
  key: string;
}

/** PEM, as text or bytes. */
export interface Tls {
  /** Who may have signed the server's certificate, in place of those that the host trusts. */
  ca?: string | Uint8Array | undefined;
  /** The client's certificate and its key. */
  cert?: string | Uint8Array | undefined;
  key?: string | Uint8Array | undefined;
}

/** Where batches that could not be delivered are kept, with every default filled in. */
export interface SpoolSettings {
  dir: string;
  maxBytes: number;
}

/** What the transport needs of a destination. */
export interface Route {
  name: string;
  filter?: SpanFilter;
  endpoint: string;
  protocol: Protocol;
  headers: () => HeaderValues | Promise<HeaderValues>;
  gzip: boolean;
  timeoutMillis: number;
  tls: Tls | undefined;
  /** What no message may hold. */
  secrets: string[];
  /** The queue's bound in spans. */
  maxQueueSize: number;
}

export interface Config {
  /** OTEL_SDK_DISABLED */
  disabled: boolean;
  /** As the core's `open` takes it. */
  core: object;
  /** In the order of the core's destinations. */
  routes: Route[];
  spool: SpoolSettings | undefined;
  /** With a spool, what names the account of each destination, credentials included: what is spooled for one goes to no other. */
  accounts?: string[];
  flushTimeoutMillis: number;
}
