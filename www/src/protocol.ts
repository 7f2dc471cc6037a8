// The messages between the page and its worker. The worker holds the spans and the core; the page receives only what it shows.
import type { Explanation } from "genspan/slim";

import type { Profile } from "./profiles.js";

/** The role of a span, as far as the page distinguishes it by colour. */
export type Kind = "llm" | "agent" | "tool" | "chain" | "retriever" | "embedding" | "guardrail" | "http" | "other";

export interface Tokens {
  input: number;
  output: number;
  cached: number;
  reasoning: number;
}

/** A row of the list of traces. */
export interface TraceSummary {
  id: string;
  /** The name of the entry, or of the outermost span. */
  name: string;
  /** The number of entries; 0 if there is no LLM segment. */
  entries: number;
  service: string;
  user: string;
  session: string;
  models: string[];
  /** In ms since 1970. */
  start: number;
  /** In ms. */
  duration: number;
  spans: number;
  tokens: Tokens | undefined;
  cost: number | undefined;
  errors: number;
}

/** A row of the waterfall. Parents come before their children, siblings in the order of their starts. */
export interface SpanRow {
  id: string;
  parent: string;
  name: string;
  service: string;
  kind: Kind;
  /** In ms since the start of the trace. */
  start: number;
  duration: number;
  depth: number;
  /** The number of rows below this one that belong to it. */
  below: number;
  error: boolean;
  entry: boolean;
  model: string;
  tokens: Tokens | undefined;
  warnings: number;
}

export interface TraceDetail {
  id: string;
  profile: Profile;
  duration: number;
  rows: SpanRow[];
}

/** An attribute with its value as text. */
export interface Attribute {
  key: string;
  value: string;
}

type Explained = NonNullable<Explanation["attributes"]>[number];

/** A group of changed attributes: on the left those of the source, on the right the output attributes with their values. */
export interface Change {
  before: (Attribute & { why?: string })[];
  after: (Attribute & Pick<Explained, "from" | "convention" | "rule" | "how" | "kept" | "privacy">)[];
}

export type Part =
  | { type: "text" | "reasoning"; text: string }
  | { type: "call"; id: string; name: string; text: string }
  | { type: "result"; id: string; text: string }
  | { type: "media"; what: string; mime: string; size: number | undefined; name: string }
  | { type: "other"; name: string; text: string };

export interface Message {
  role: string;
  finish?: string;
  parts: Part[];
}

/** A certain or possible problem of a span; `detail` is a text of the core or the name of an attribute. */
export interface Warning {
  code: "service-name" | "no-service-name" | "no-model" | "no-usage" | "unparsed" | "orphan" | "time";
  detail: string;
}

export interface SpanDetail {
  row: SpanRow;
  traceId: string;
  profile: Profile;
  scope: string;
  conventions: string[];
  entry: Explanation["entry"];
  /** The ancestors, from the root to the parent. */
  ancestors: SpanRow[];
  messages: { system: Part[]; input: Message[]; output: Message[] };
  /** Definitions of tools, as JSON. */
  tools: Attribute[];
  parameters: Attribute[];
  tokens: Tokens | undefined;
  cost: number | undefined;
  changes: Change[];
  /** Attributes that are the same before and after. */
  same: Attribute[];
  goneEvents: string[];
  events: { name: string; at: number; attributes: Attribute[] }[];
  resource: Attribute[];
  status: string;
  warnings: Warning[];
}

export interface Connection {
  /** `static`: there is no server to connect to. */
  state: "static" | "connecting" | "live" | "waiting";
}

export interface Info {
  version: string;
  endpoints: { http: string; grpc: string | null };
  keepBytes: number;
}

/** Traces and spans removed by the limits, and data that the core could not read. */
export interface Counts {
  spans: number;
  bytes: number;
  evicted: number;
  cut: number;
  unreadable: number;
}

/** From the page to the worker. */
export type Ask =
  | { type: "open"; base: string; limits: Partial<Limits> }
  | { type: "body"; name: string; body: ArrayBuffer }
  | { type: "clear" }
  | { type: "trace"; id: string; profile: Profile }
  | { type: "span"; id: string; span: string; profile: Profile };

/** From the worker to the page. */
export type Tell =
  | { type: "traces"; changed: TraceSummary[]; gone: string[]; counts: Counts }
  | { type: "taken"; name: string; traces: string[] }
  | { type: "refused"; name: string; reason: string }
  | { type: "trace"; detail: TraceDetail }
  | { type: "span"; detail: SpanDetail }
  | { type: "info"; info: Info }
  | { type: "connection"; connection: Connection }
  | { type: "fault"; message: string };

export interface Limits {
  traces: number;
  bytes: number;
  spansPerTrace: number;
}
