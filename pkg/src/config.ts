// From options and environment variables to the configuration of the core and of the transport. Checks what the
// transport owns (endpoint, headers, durations); every other rule is the core's.
import { fail, kindOf, known, millis, present, printable, shown } from "./check.js";
import {
  DEFAULT_QUEUE,
  DELIVERY_FIELDS,
  type DeliveryOptions,
  delivery,
  type SpoolOptions,
  type SpoolSettings,
  spoolOf,
  tlsOf,
} from "./delivery.js";
import { Environment } from "./environment.js";
import { type HeadersLike, headerPairs } from "./headers.js";
import type { Host, Tls } from "./host.js";
import type { MeterProvider } from "./metrics.js";
import { type EndedSpan, type StartedSpan, warnAtStart } from "./otel.js";
import { checkHooks, type PrivacyHooks, type PrivacyOptions, settings } from "./privacy.js";

/** `"otel"` is OpenTelemetry GenAI 0.1.0, `"openinference"` is for Phoenix and Arize. */
export type Profile = "otel" | "otel-1.41" | "tencent" | "langfuse" | "openinference";
/** What becomes of source attributes: `"unmapped"` keeps those without a standard form, `"all"`, `"none"`. */
export type Keep = "unmapped" | "all" | "none";

export type Protocol = "http/protobuf" | "http/json" | "grpc";
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

/** What a filter of the application sees of a span; at its start, as far as it is known. */
export type FilteredSpan = StartedSpan & Partial<Omit<EndedSpan, keyof StartedSpan>>;

/**
 * True: the span goes to the destination. Asked when it starts and when it ends: a parent that passes at its start goes out once a child
 * of it did. Must be quick, and must not change the span. If it throws, the span passes.
 */
export type SpanFilter = (span: FilteredSpan) => boolean;

/** Where spans go, and in which form. */
export interface DestinationOptions extends DeliveryOptions {
  /** How statistics and diagnostics call it, and part of what names its account in the spool. Default `"otlp-0"`, by its place. */
  name?: string | undefined;
  /** URL that OTLP is posted to, as it stands. Default: http://localhost:4318/v1/traces, for gRPC http://localhost:4317 */
  endpoint?: string | URL | undefined;
  /** How requests are made and encoded. Default `"http/protobuf"`. `"grpc"` is for Node, Bun and Deno, and needs the package `@grpc/grpc-js`. */
  protocol?: Protocol | undefined;
  /** Request headers, or what gives them before each request: for tokens that change. Default: those of `OTEL_EXPORTER_OTLP_HEADERS`. */
  headers?: HeadersLike | (() => HeadersLike | Promise<HeadersLike>) | undefined;
  /** Certificates, in Node, Bun and Deno. Default: the files that `OTEL_EXPORTER_OTLP_CERTIFICATE` and its like name. */
  tls?: Tls | undefined;
  /** Attribute convention of the backend. Default `"otel"`: OpenTelemetry GenAI. */
  profile?: Profile | undefined;
  /** What becomes of source attributes. Default by profile: `"unmapped"`, with `"tencent"` `"all"`. */
  keep?: Keep | undefined;
  /** Resource attribute `service.name`. Default `OTEL_SERVICE_NAME`, or the provider's. */
  serviceName?: string | undefined;
  /** Resource attribute `token` (profile `"tencent"`). Goes to this destination only. Default: that of `OTEL_RESOURCE_ATTRIBUTES`. */
  token?: string | undefined;
  /** Resource attribute `host.name`. Profile `"tencent"` in Node: the machine's first address by default. */
  hostName?: string | undefined;
  /** More resource attributes. Default none. */
  resource?: Record<string, string | number | boolean> | undefined;
  /** Instrumentation scopes to send: names, `*` stands for anything. Default: all. */
  allowScopes?: string[] | undefined;
  /** Those not to send. Default: none. */
  blockScopes?: string[] | undefined;
  /** As Langfuse's SDK calls `blockScopes`. */
  blockedInstrumentationScopes?: string[] | undefined;
  /** Which spans it gets: all (default), those of LLM instrumentations only, by rules, or as a function has it. */
  filter?: "all" | "llm" | FilterRules | SpanFilter | undefined;
  /** Attribute that keeps the id of the parent, in hex, where a span got another one because its own does not go to this destination. Default: none. */
  originalParent?: string | undefined;
  /** Which part of the traces it gets, from 0 to 1: whole traces, by their ids. Default: all. */
  sampleRatio?: number | undefined;
  /** What may leave of content, and how large spans may be. In `destinations`: in place of the one that stands beside it, which is the default. */
  privacy?: PrivacyOptions | undefined;
  /** Of bodies of 1,024 bytes and more. Default `"none"`. */
  compression?: "gzip" | "none" | undefined;
  /** How long one request may take, in ms. Default 10000. */
  timeoutMillis?: number | undefined;
}

/** Which spans carry `gen_ai.is_entry`. */
export interface EntryOptions {
  /** Mark entries; marks of the source are removed anyway. Default true. */
  enabled?: boolean | undefined;
  /** How the mark is written. Default `"bool"`. */
  value?: "bool" | "string" | undefined;
  /**
   * Several LLM segments below one span that is not LLM, such as two model calls in one HTTP request: each has its entry (default
   * `"each"`), the first one only (or those that are marked), or the span above them is the entry of all.
   */
  siblings?: "each" | "first" | "common-ancestor" | undefined;
  /** No entry where a remote parent is inside an LLM segment, which has its own. Default true. */
  acrossProcesses?: boolean | undefined;
  /** How long a candidate waits for its ancestors, in ms. Default 30000. */
  holdMillis?: number | undefined;
  /** How many candidates may wait. Default 1000. */
  maxHeld?: number | undefined;
  /** How many bytes they may have, encoded. Default 16777216 (16 MiB). */
  maxHeldBytes?: number | undefined;
  /** How many spans of live and recent traces are remembered. Default 50000. */
  maxSpans?: number | undefined;
}

/** One destination by its own fields, or several in `destinations`. */
export interface GenSpanOptions extends DestinationOptions, PrivacyHooks {
  /** Where spans go, each with its own fields. Default: the one that the fields beside this describe. */
  destinations?: DestinationOptions[] | undefined;
  /** Which spans carry `gen_ai.is_entry`. Default: the marked ones of each segment, or its outermost LLM span. */
  entry?: EntryOptions | undefined;
  /** Fill in the provider from the model's name where nothing else tells it. Default true. */
  inferProvider?: boolean | undefined;
  /** Hand session and user down to the LLM spans that lack them, from those above or from baggage. Default true. */
  inheritSession?: boolean | undefined;
  /**
   * How many bytes of memory what is in one OTLP body may take when it is unpacked. A body that takes more can never be taken: the relay and Envoy
   * answer 413, gRPC `RESOURCE_EXHAUSTED`; `convert` and `normalize` throw. Values that would take much more than their size, such as a list of a
   * million empty messages, stay as they are, and are counted as `unread`. Default 134217728 (128 MiB).
   */
  maxUnpackedBytes?: number | undefined;
  /**
   * What could not be delivered waits here, in Node, Bun and Deno, and goes out after a restart too, to the same account. A destination whose
   * `headers` are a function then needs a `name`, and so do several with one endpoint. Default: nowhere.
   */
  spool?: SpoolOptions | undefined;
  /** How long `forceFlush` and `shutdown` wait, in ms. Default 30000. */
  flushTimeoutMillis?: number | undefined;
  /** In Node: flush before the process ends by itself, and shut down on SIGTERM. Default false. */
  flushOnExit?: boolean | undefined;
  /** Told when a backend rejects spans of a batch that it takes, or warns. Default: nobody but `diag` is. */
  onPartialSuccess?: ((partial: PartialSuccess) => void) | undefined;
  /** Gets what `stats` counts as metrics, under the names that OpenTelemetry has for SDKs. Default: no metrics. */
  meterProvider?: MeterProvider | undefined;
}

export interface PartialSuccess {
  /** The destination's name. */
  destination: string;
  /** 0: the message is a warning. */
  rejectedSpans: number;
  errorMessage: string;
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

const DESTINATION_FIELDS = [
  "name",
  "endpoint",
  "protocol",
  "headers",
  "tls",
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
  "maxUnpackedBytes",
  "spool",
  "flushTimeoutMillis",
  "flushOnExit",
  "onPartialSuccess",
  "meterProvider",
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
const DEFAULT_GRPC_ENDPOINT = "http://localhost:4317";
const DEFAULT_FLUSH_TIMEOUT = 30_000;
const PROTOCOLS = ["http/protobuf", "http/json", "grpc"];

/**
 * Throws an Error that names the field, the value, the rule and a fix; never a token or a header's value. An environment variable that cannot be
 * used makes a warning instead.
 */
export function configure(options: GenSpanOptions, host: Host): Config {
  const env = new Environment(host.env, (message) => (host.warn ?? warnAtStart)(message));
  known("options", options, [...DESTINATION_FIELDS, ...DELIVERY_FIELDS, ...PIPELINE_FIELDS]);
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
      known(`destinations[${i}]`, destination, [...DESTINATION_FIELDS, ...DELIVERY_FIELDS, "privacy"]);
    }
  }
  const hooks = { mask: options.mask, onMedia: options.onMedia };
  checkHooks(hooks);
  checkFunction("onPartialSuccess", options.onPartialSuccess);
  if (options.meterProvider !== undefined)
    checkFunction("meterProvider.getMeter", options.meterProvider?.getMeter, true);
  if (options.flushOnExit && !host.onExit) fail("flushOnExit", "is for Node", "leave it out, or use flushVia(ctx)");
  const spool = spoolOf(options.spool, host);
  const list = destinations ?? [options];
  const filled = list.map((destination, i) => {
    const at = destinations ? `destinations[${i}].` : "";
    // Settings that stand here replace those for all: where there are none, none may be made up.
    const own = destinations && destination.privacy && settings(`${at}privacy`, destination.privacy, hooks);
    const filled = fillIn(destination, at, own, env, host);
    const ownDelivery = destinations && DELIVERY_FIELDS.some((field) => destination[field] !== undefined);
    const merged = ownDelivery ? { ...options, ...present(destination as Record<string, unknown>) } : options;
    return {
      destination: present({
        ...filled.destination,
        delivery: ownDelivery ? delivery(at, merged, env, spool !== undefined) : undefined,
      }),
      route: {
        ...filled.route,
        name: destination.name ?? `otlp-${i}`,
        maxQueueSize: merged.maxQueueSize ?? env.positive("OTEL_BSP_MAX_QUEUE_SIZE") ?? DEFAULT_QUEUE,
      },
      account: filled.account,
    };
  });
  const routes = filled.map(({ route }) => route);
  if (spool) checkAccounts(list, routes, destinations !== undefined);
  return {
    disabled: env.disabled(),
    core: present({
      destinations: filled.map(({ destination }) => destination),
      entry: options.entry,
      privacy: settings("privacy", options.privacy, hooks),
      inferProvider: options.inferProvider,
      inheritSession: options.inheritSession,
      maxUnpackedBytes: options.maxUnpackedBytes,
      ...delivery("", options, env, spool !== undefined),
    }),
    routes,
    spool,
    ...(spool && { accounts: filled.map(({ account }) => account) }),
    flushTimeoutMillis: millis("flushTimeoutMillis", options.flushTimeoutMillis) ?? DEFAULT_FLUSH_TIMEOUT,
  };
}

function fillIn(
  options: DestinationOptions,
  at: string,
  privacy: object | undefined,
  env: Environment,
  host: Host,
): { destination: object; route: Omit<Route, "name" | "maxQueueSize">; account: string } {
  // In a list, headers from the environment go with the endpoint from there: they may hold a key that is not for others.
  const ownEndpoint = at !== "" && options.endpoint !== undefined;
  const protocolOf = (text: string, field: string) => checkProtocol(text, field, host);
  const protocol =
    given(`${at}protocol`, options.protocol, protocolOf) ??
    (ownEndpoint ? undefined : env.otlp("PROTOCOL", protocolOf)) ??
    "http/protobuf";
  const grpc = protocol === "grpc";
  const endpoint =
    given(`${at}endpoint`, options.endpoint, checkEndpoint) ??
    env.endpoint(grpc, checkEndpoint) ??
    (grpc ? DEFAULT_GRPC_ENDPOINT : DEFAULT_ENDPOINT);
  const fresh = typeof options.headers === "function" ? options.headers : undefined;
  const named = given(`${at}headers`, fresh ? {} : (options.headers as HeadersLike | undefined), checkHeaders);
  const headers = named ?? (ownEndpoint ? {} : env.headers(checkHeader));
  const { search, searchParams } = new URL(endpoint);
  const secrets = [options.token ?? "", ...secretsOf(headers), search.slice(1), ...searchParams.values()];
  const compression =
    given(`${at}compression`, options.compression, checkCompression) ??
    env.otlp("COMPRESSION", checkCompression) ??
    "none";
  if (options.blockScopes && options.blockedInstrumentationScopes) {
    fail(`${at}blockedInstrumentationScopes`, "stands beside blockScopes", "they are the same: write one list");
  }
  const filter = typeof options.filter === "function" ? options.filter : undefined;
  const tencent = options.profile === "tencent";
  const resource = tencent ? env.resource() : {};
  if (resource.token) secrets.push(resource.token);
  const token = options.token ?? resource.token;
  const tls = tlsOf(at, options.tls, env, host);
  const profile = options.profile ?? "otel";
  const credentials = Object.entries(headers).map(([header, value]) => [header.toLowerCase(), value]);
  return {
    destination: present({
      name: options.name,
      endpoint,
      headers,
      profile: options.profile,
      keep: options.keep,
      serviceName: options.serviceName ?? env.get("OTEL_SERVICE_NAME") ?? resource["service.name"],
      token,
      hostName: options.hostName ?? resource["host.name"] ?? (tencent ? host.hostName() : undefined),
      resource: options.resource,
      allowScopes: options.allowScopes,
      blockScopes: options.blockScopes ?? options.blockedInstrumentationScopes,
      filter: filter ? undefined : options.filter,
      originalParent: options.originalParent,
      sampleRatio: options.sampleRatio,
      privacy,
      protocol: protocol === "http/protobuf" ? undefined : protocol,
    }),
    route: {
      ...(filter && { filter }),
      endpoint,
      protocol,
      headers: () => {
        // Some of the host's own need the core, which may not be able to run.
        const fixed = { ...host.headers, ...(options.profile === "langfuse" ? LANGFUSE_HEADERS : {}), ...headers };
        if (!fresh) return fixed;
        // What the function says when it fails may hold a key that nobody here knows of.
        const asked = Promise.resolve()
          .then(fresh)
          .catch(() => {
            throw new Error(`the function in ${at}headers failed`);
          });
        return asked.then((changed) => {
          const now = checkHeaders(changed, `${at}headers`);
          secrets.push(...secretsOf(now).filter((secret) => !secrets.includes(secret)));
          if (secrets.length > MAX_SECRETS) secrets.splice(0, secrets.length - MAX_SECRETS);
          return { ...fixed, ...now };
        });
      },
      tls,
      secrets,
      gzip: compression === "gzip",
      timeoutMillis: millis(`${at}timeoutMillis`, options.timeoutMillis) ?? env.timeout() ?? DEFAULT_TIMEOUT,
    },
    account: JSON.stringify([options.name, endpoint, profile, token, credentials.sort(), `${tls?.cert ?? ""}`]),
  };
}

/** Tokens that change leave their predecessors behind; this many are remembered. */
const MAX_SECRETS = 64;

/** Values of headers, and the words in them that follow a scheme such as Bearer. */
function secretsOf(headers: HeaderValues): string[] {
  return Object.values(headers).flatMap((value) => [value, ...value.split(" ").slice(1)]);
}

/** The spool tells the destinations apart by what names their accounts, in this process and in the next. */
function checkAccounts(list: DestinationOptions[], routes: { endpoint: string }[], listed: boolean): void {
  const fix = 'with a spool, name each account, for example name: "team-a"';
  for (const [i, { name, headers }] of list.entries()) {
    const field = listed ? `destinations[${i}].name` : "name";
    if (name === undefined && typeof headers === "function") fail(field, "is missing, and headers is a function", fix);
    const twin = list.findIndex((other, k) => other.name === name && routes[k]?.endpoint === routes[i]?.endpoint);
    if (twin === i) continue;
    const problem = name === undefined ? "is missing, as is" : `${JSON.stringify(name)} is`;
    fail(field, `${problem} that of destinations[${twin}], which has the same endpoint`, fix);
  }
}

function checkFunction(field: string, value: unknown, needed = false): void {
  if ((value === undefined && !needed) || typeof value === "function") return;
  fail(field, `is of type ${typeof value}`, "give a function, or leave it out");
}

/** What `check` makes of an option; undefined if it is not set. */
function given<T, R>(field: string, value: T | null | undefined, check: (value: T, field: string) => R): R | undefined {
  return value === undefined || value === null ? undefined : check(value, field);
}

function checkProtocol(protocol: string, field: string, host: Host): Protocol {
  if (!PROTOCOLS.includes(protocol)) {
    fail(field, `${shown(protocol)} is unknown`, `use one of ${PROTOCOLS.join(", ")}`);
  }
  if (protocol === "grpc" && !host.grpc) fail(field, '"grpc" is for Node, Bun and Deno', 'use "http/protobuf"');
  return protocol as Protocol;
}

function checkCompression(compression: string, field: string): "gzip" | "none" {
  if (compression !== "gzip" && compression !== "none") {
    fail(field, `${shown(compression)} is not supported`, 'use "gzip" or "none"');
  }
  return compression;
}

function checkEndpoint(given: string | URL, field: string): string {
  const example = `for example ${DEFAULT_ENDPOINT}`;
  // A URL of another realm is no instance of this one's.
  const endpoint = typeof given === "object" ? given?.href : given;
  if (typeof endpoint !== "string") fail(field, `is ${kindOf(given)}`, `write a URL, ${example}`);
  const quoted = JSON.stringify(printable(endpoint));
  const url = urlOf(endpoint);
  if (!url) return fail(field, `${quoted} is not a URL`, `write it with scheme and host, ${example}`);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    fail(field, `${quoted} must begin with http:// or https://`, example);
  if (url.username !== "" || url.password !== "") {
    fail(field, "has a user name or password in it", "send them as a header: headers: { authorization: … }");
  }
  return endpoint;
}

function urlOf(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function checkHeaders(headers: HeadersLike, field: string): HeaderValues {
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) {
    fail(field, `is ${kindOf(headers)}`, "write { name: value }, or give Headers or a Map");
  }
  const pairs = headerPairs(headers);
  for (const [name, value] of pairs) checkHeader(name, value, field);
  return Object.fromEntries(pairs) as HeaderValues;
}

function checkHeader(name: string, value: unknown, field: string): void {
  // It may be a value in the place of a name.
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
    fail(field, "has a name that no header can have", 'use letters, digits and "-"');
  }
  const at = `${field}[${JSON.stringify(name)}]`;
  if (typeof value !== "string") fail(at, `is ${kindOf(value)}`, "write a string");
  try {
    // At the end of a value, Headers takes line breaks and leaves them out.
    if (/[\r\n]/.test(value)) throw new Error();
    // Not every host that the package is loaded in can send: jsdom has no Headers.
    if (typeof Headers === "function") new Headers([[name, value]]);
  } catch {
    fail(at, "is no valid HTTP header", "use visible ASCII, without line breaks");
  }
}
