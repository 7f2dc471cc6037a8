// From options and environment variables to the configuration of the core and of the transport. Checks what the
// transport owns (endpoint, headers, durations); every other rule is the core's.
import type { Host } from "./host.js";
import type { EndedSpan, StartedSpan } from "./otel.js";
import { checkHooks, type PrivacyHooks, type PrivacyOptions, settings } from "./privacy.js";

/** `"otel"` is OpenTelemetry GenAI 0.1.0, `"openinference"` is for Phoenix and Arize. */
export type Profile = "otel" | "otel-1.41" | "tencent" | "langfuse" | "openinference";
/** What becomes of source attributes: `"unmapped"` keeps those without a standard form, `"all"`, `"none"`. */
export type Keep = "unmapped" | "all" | "none";

/** One of several texts (`*` stands for anything), numbers or booleans; `null`: the attribute is not there. */
export type FilterValue = string | number | boolean | null | (string | number | boolean | null)[];

/** What a span has to be, all of it. */
export interface FilterCondition {
  /** A span of an LLM instrumentation, or of none. */
  llm?: boolean;
  /** The instrumentation scope. */
  scope?: string | string[];
  name?: string | string[];
  /** `gen_ai.operation.name`, whatever convention wrote the span: `"chat"`, `"embeddings"`, … */
  operation?: string | string[];
  /** Attributes as the application wrote them. */
  attributes?: Record<string, FilterValue>;
}

/** The spans that one of `only` holds for (none given: all), and none of `except`. */
export interface FilterRules {
  only?: FilterCondition[];
  except?: FilterCondition[];
}

/** What a filter of the application sees of a span; at its start, as far as it is known. */
export type FilteredSpan = StartedSpan & Partial<Omit<EndedSpan, keyof StartedSpan>>;

/**
 * True: the span goes to the destination. Asked when it starts and when it ends: a parent that passes at its start goes out once a child
 * of it did. Must be quick, and must not change the span. If it throws, the span passes.
 */
export type SpanFilter = (span: FilteredSpan) => boolean;

/** Where spans go, and in which form. */
export interface DestinationOptions {
  /** How statistics and diagnostics call it. */
  name?: string;
  /** URL that OTLP is posted to, as it stands. Default: http://localhost:4318/v1/traces */
  endpoint?: string;
  headers?: Record<string, string>;
  /** Attribute convention of the backend. Default `"otel"`: OpenTelemetry GenAI. */
  profile?: Profile;
  keep?: Keep;
  /** Resource attribute `service.name`, instead of the provider's. */
  serviceName?: string;
  /** Resource attribute `token` (profile `"tencent"`). Goes to this destination only. */
  token?: string;
  /** Resource attribute `host.name`. Profile `"tencent"` in Node: the machine's first address by default. */
  hostName?: string;
  /** More resource attributes. */
  resource?: Record<string, string | number | boolean>;
  /** Instrumentation scopes to send, or not to send: names, `*` stands for anything. */
  allowScopes?: string[];
  blockScopes?: string[];
  /** As Langfuse's SDK calls `blockScopes`. */
  blockedInstrumentationScopes?: string[];
  /** Which spans it gets: all (default), those of LLM instrumentations only, by rules, or as a function has it. */
  filter?: "all" | "llm" | FilterRules | SpanFilter;
  /** Attribute that keeps the id of the parent, in hex, where a span got another one because its own does not go to this destination. */
  originalParent?: string;
  /** Which part of the traces it gets, from 0 to 1: whole traces, by their ids. Default: all. */
  sampleRatio?: number;
  /** What may leave of content, and how large spans may be. In `destinations`: in place of the one that stands beside it. */
  privacy?: PrivacyOptions;
  compression?: "gzip" | "none";
  /** How long one request may take. Default 10000. */
  timeoutMillis?: number;
}

/** Which spans carry `gen_ai.is_entry`. */
export interface EntryOptions {
  enabled?: boolean;
  /** How the mark is written. Default `"bool"`. */
  value?: "bool" | "string";
  /**
   * Several LLM segments below one span that is not LLM, such as two model calls in one HTTP request: each has its entry (default
   * `"each"`), the first one only (or those that are marked), or the span above them is the entry of all.
   */
  siblings?: "each" | "first" | "common-ancestor";
  /** No entry where a remote parent is inside an LLM segment, which has its own. Default true. */
  acrossProcesses?: boolean;
  /** How long a candidate waits for its ancestors. Default 30000. */
  holdMillis?: number;
  /** How many candidates may wait. Default 1000. */
  maxHeld?: number;
  /** How many bytes they may have, encoded. Default 16 MiB. */
  maxHeldBytes?: number;
  /** How many spans of live and recent traces are remembered. Default 50000. */
  maxSpans?: number;
}

/** One destination by its own fields, or several in `destinations`. */
export interface GenSpanOptions extends DestinationOptions, PrivacyHooks {
  destinations?: DestinationOptions[];
  entry?: EntryOptions;
  /** Fill in the provider from the model's name where nothing else tells it. Default true. */
  inferProvider?: boolean;
  /** Hand session and user down to the LLM spans that lack them, from those above or from baggage. Default true. */
  inheritSession?: boolean;
  /** How long a span waits for its batch. */
  scheduledDelayMillis?: number;
  /** How many spans a batch may have. */
  maxExportBatchSize?: number;
  /** How many spans may wait; more are dropped and counted. */
  maxQueueSize?: number;
  /** How long delivery of a batch is tried, retries included. */
  exportTimeoutMillis?: number;
}

/** What the transport needs of a destination. */
export interface Route {
  filter?: SpanFilter;
  endpoint: string;
  headers: Record<string, string>;
  gzip: boolean;
  timeoutMillis: number;
}

export interface Config {
  /** OTEL_SDK_DISABLED */
  disabled: boolean;
  /** As the core's `open` takes it. */
  core: object;
  /** In the order of the core's destinations. */
  routes: Route[];
  maxQueueSize: number;
  exportTimeoutMillis: number;
}

const DESTINATION_FIELDS = [
  "name",
  "endpoint",
  "headers",
  "profile",
  "keep",
  "serviceName",
  "token",
  "hostName",
  "resource",
  "allowScopes",
  "blockScopes",
  "blockedInstrumentationScopes",
  "filter",
  "originalParent",
  "sampleRatio",
  "compression",
  "timeoutMillis",
] as const satisfies (keyof DestinationOptions)[];
const PIPELINE_FIELDS = [
  "destinations",
  "entry",
  "privacy",
  "mask",
  "onMedia",
  "inferProvider",
  "inheritSession",
  "scheduledDelayMillis",
  "maxExportBatchSize",
  "maxQueueSize",
  "exportTimeoutMillis",
] as const satisfies (keyof GenSpanOptions)[];
const ENTRY_FIELDS = [
  "enabled",
  "value",
  "siblings",
  "acrossProcesses",
  "holdMillis",
  "maxHeld",
  "maxHeldBytes",
  "maxSpans",
] as const satisfies (keyof EntryOptions)[];

/** Langfuse takes spans of other SDKs in its newest form where this asks for it. */
const LANGFUSE_HEADERS = { "x-langfuse-ingestion-version": "4" };
const DEFAULT_ENDPOINT = "http://localhost:4318/v1/traces";
const DEFAULT_TIMEOUT = 10_000;
const DEFAULT_EXPORT_TIMEOUT = 60_000;
const DEFAULT_QUEUE = 8192;
/** What setTimeout can wait. */
const MAX_MILLIS = 2 ** 31 - 1;

function fail(field: string, problem: string, fix: string): never {
  throw new Error(`genspan: ${field} ${problem}; ${fix}`);
}

/** Throws an Error that names the field, the value, the rule and a fix; never a token or a header's value. */
export function configure(options: GenSpanOptions, host: Host): Config {
  const env = new Environment(host.env);
  known("options", options, [...DESTINATION_FIELDS, ...PIPELINE_FIELDS]);
  if (options.entry !== undefined) known("entry", options.entry, ENTRY_FIELDS);
  const { destinations } = options;
  if (destinations !== undefined) {
    if (!Array.isArray(destinations) || destinations.length === 0) {
      fail(
        "destinations",
        "must be a list with at least one destination",
        "or leave it out and use endpoint, profile, …",
      );
    }
    const both = DESTINATION_FIELDS.find((field) => options[field] !== undefined);
    if (both) fail(both, "stands beside destinations", "move it into each destination that it is meant for");
    for (const [i, destination] of destinations.entries()) {
      known(`destinations[${i}]`, destination, [...DESTINATION_FIELDS, "privacy"]);
    }
  }
  const hooks = { mask: options.mask, onMedia: options.onMedia };
  checkHooks(hooks);
  const list = destinations ?? [options];
  const filled = list.map((destination, i) => {
    const at = destinations ? `destinations[${i}].` : "";
    // Settings that stand here replace those for all: where there are none, none may be made up.
    const own = destinations && destination.privacy && settings(`${at}privacy`, destination.privacy, hooks);
    return fillIn(destination, at, own, env, host);
  });
  const maxQueueSize = positive("maxQueueSize", options.maxQueueSize) ?? env.positive("OTEL_BSP_MAX_QUEUE_SIZE");
  const maxSpans =
    positive("maxExportBatchSize", options.maxExportBatchSize) ?? env.positive("OTEL_BSP_MAX_EXPORT_BATCH_SIZE");
  const delayMillis =
    millis("scheduledDelayMillis", options.scheduledDelayMillis) ?? env.millis("OTEL_BSP_SCHEDULE_DELAY");
  const deadlineMillis =
    millis("exportTimeoutMillis", options.exportTimeoutMillis) ?? env.millis("OTEL_BSP_EXPORT_TIMEOUT");
  return {
    disabled: env.get("OTEL_SDK_DISABLED")?.toLowerCase() === "true",
    core: present({
      destinations: filled.map(({ destination }) => destination),
      entry: options.entry,
      privacy: settings("privacy", options.privacy, hooks),
      inferProvider: options.inferProvider,
      inheritSession: options.inheritSession,
      queue: maxQueueSize === undefined ? undefined : { maxSpans: maxQueueSize },
      batch: maxSpans === undefined && delayMillis === undefined ? undefined : present({ maxSpans, delayMillis }),
      retry: deadlineMillis === undefined ? undefined : { deadlineMillis },
    }),
    routes: filled.map(({ route }) => route),
    maxQueueSize: maxQueueSize ?? DEFAULT_QUEUE,
    exportTimeoutMillis: deadlineMillis ?? DEFAULT_EXPORT_TIMEOUT,
  };
}

function fillIn(
  options: DestinationOptions,
  at: string,
  privacy: object | undefined,
  env: Environment,
  host: Host,
): { destination: object; route: Route } {
  // In a list, headers from the environment go with the endpoint from there: they may hold a key that is not for others.
  const ownEndpoint = at !== "" && options.endpoint !== undefined;
  const endpoint = options.endpoint ?? env.endpoint() ?? DEFAULT_ENDPOINT;
  checkEndpoint(options.endpoint === undefined ? "OTEL_EXPORTER_OTLP_ENDPOINT" : `${at}endpoint`, endpoint);
  const headers = options.headers ?? (ownEndpoint ? {} : env.headers());
  checkHeaders(options.headers ? `${at}headers` : "OTEL_EXPORTER_OTLP_HEADERS", headers);
  const compression = options.compression ?? env.otlp("COMPRESSION") ?? "none";
  if (compression !== "gzip" && compression !== "none") {
    fail(`${at}compression`, `${JSON.stringify(compression)} is not supported`, 'use "gzip" or "none"');
  }
  if (options.blockScopes && options.blockedInstrumentationScopes) {
    fail(`${at}blockedInstrumentationScopes`, "stands beside blockScopes", "they are the same: write one list");
  }
  const filter = typeof options.filter === "function" ? options.filter : undefined;
  const tencent = options.profile === "tencent";
  const resource = tencent ? env.resource() : {};
  return {
    destination: present({
      name: options.name,
      endpoint,
      headers,
      profile: options.profile,
      keep: options.keep,
      serviceName: options.serviceName ?? env.get("OTEL_SERVICE_NAME") ?? resource["service.name"],
      token: options.token ?? resource.token,
      hostName: options.hostName ?? resource["host.name"] ?? (tencent ? host.hostName() : undefined),
      resource: options.resource,
      allowScopes: options.allowScopes,
      blockScopes: options.blockScopes ?? options.blockedInstrumentationScopes,
      filter: filter ? undefined : options.filter,
      originalParent: options.originalParent,
      sampleRatio: options.sampleRatio,
      privacy,
    }),
    route: {
      ...(filter && { filter }),
      endpoint,
      headers: { ...host.headers, ...(options.profile === "langfuse" ? LANGFUSE_HEADERS : {}), ...headers },
      gzip: compression === "gzip",
      timeoutMillis: millis(`${at}timeoutMillis`, options.timeoutMillis) ?? env.timeout() ?? DEFAULT_TIMEOUT,
    },
  };
}

function checkEndpoint(field: string, endpoint: string): void {
  const example = `for example ${DEFAULT_ENDPOINT}`;
  const shown = JSON.stringify(endpoint.replace(/[^/]*@/, ""));
  if (!URL.canParse(endpoint)) fail(field, `${shown} is not a URL`, `write it with scheme and host, ${example}`);
  const { protocol, username, password } = new URL(endpoint);
  if (protocol !== "http:" && protocol !== "https:")
    fail(field, `${shown} must begin with http:// or https://`, example);
  if (username !== "" || password !== "") {
    fail(field, "has a user name or password in it", "send them as a header: headers: { authorization: … }");
  }
}

function checkHeaders(field: string, headers: Record<string, string>): void {
  for (const [name, value] of Object.entries(headers)) {
    try {
      new Headers([[name, value]]);
    } catch {
      fail(`${field}[${JSON.stringify(name)}]`, "is no valid HTTP header", "use visible ASCII, without line breaks");
    }
    if (typeof value !== "string") fail(`${field}[${JSON.stringify(name)}]`, `is a ${typeof value}`, "write a string");
  }
}

function millis(field: string, value: number | undefined, given: unknown = value): number | undefined {
  if (value !== undefined && !(Number.isInteger(value) && value >= 0 && value <= MAX_MILLIS)) {
    fail(field, `${String(given)} is no duration`, `write whole milliseconds from 0 to ${MAX_MILLIS}`);
  }
  return value;
}

function positive(field: string, value: number | undefined, given: unknown = value): number | undefined {
  if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value <= MAX_MILLIS)) {
    fail(field, `${String(given)} is no count`, "write a whole number from 1");
  }
  return value;
}

function known(at: string, options: object, fields: readonly string[]): void {
  for (const field of Object.keys(options)) {
    if (fields.includes(field)) continue;
    const meant = fields.find((name) => name.toLowerCase() === field.toLowerCase());
    fail(
      `${at}: ${JSON.stringify(field)}`,
      "is unknown",
      meant ? `did you mean ${meant}?` : `known: ${fields.join(", ")}`,
    );
  }
}

/** Without the fields that nobody has set, which the core would read as values. */
function present(fields: Record<string, unknown>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The variables of OpenTelemetry, which count for what options leave out. Empty means unset. */
class Environment {
  constructor(private readonly vars: Host["env"]) {}

  get(name: string): string | undefined {
    return this.vars[name]?.trim() || undefined;
  }

  /** The variable for traces, else the one for all signals. */
  otlp(name: string): string | undefined {
    return this.get(`OTEL_EXPORTER_OTLP_TRACES_${name}`) ?? this.get(`OTEL_EXPORTER_OTLP_${name}`);
  }

  endpoint(): string | undefined {
    const base = this.get("OTEL_EXPORTER_OTLP_ENDPOINT");
    return this.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") ?? (base && `${base.replace(/\/+$/, "")}/v1/traces`);
  }

  headers(): Record<string, string> {
    return { ...this.pairs("OTEL_EXPORTER_OTLP_HEADERS"), ...this.pairs("OTEL_EXPORTER_OTLP_TRACES_HEADERS") };
  }

  resource(): Record<string, string | undefined> {
    return this.pairs("OTEL_RESOURCE_ATTRIBUTES");
  }

  timeout(): number | undefined {
    return this.millis("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT") ?? this.millis("OTEL_EXPORTER_OTLP_TIMEOUT");
  }

  millis(name: string): number | undefined {
    const text = this.get(name);
    return text === undefined ? undefined : millis(name, Number(text), text);
  }

  positive(name: string): number | undefined {
    const text = this.get(name);
    return text === undefined ? undefined : positive(name, Number(text), text);
  }

  /** `key=value,…`, percent-encoded. */
  private pairs(name: string): Record<string, string> {
    const pairs: Record<string, string> = {};
    const entries = this.get(name)?.split(",") ?? [];
    entries.forEach((entry, i) => {
      if (entry.trim() === "") return;
      const equals = entry.indexOf("=");
      try {
        if (equals < 1) throw new Error();
        pairs[decodeURIComponent(entry.slice(0, equals).trim())] = decodeURIComponent(entry.slice(equals + 1).trim());
      } catch {
        fail(name, `has no percent-encoded key=value as entry ${i + 1}`, "write key1=value1,key2=value2");
      }
    });
    return pairs;
  }
}
