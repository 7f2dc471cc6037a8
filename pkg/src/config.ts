// Converts options and environment variables to the configuration of the core and of the transport. Checks the options that the
// transport uses (endpoint, headers, durations); the core checks all others.
import { fail, kindOf, known, millis, plain, positive, present, printable, shown } from "./check.js";
import { delivery, spoolOf, tlsOf } from "./delivery.js";
import { Environment } from "./environment.js";
import { type HeadersLike, headerPairs } from "./headers.js";
import { DEFAULTS, type DestinationOptions, type GenSpanOptions, NAMES, PROFILE_HEADERS } from "./options.js";
import { warnAtStart } from "./otel.js";
import { checkHooks, settings } from "./privacy.js";
import type { Config, HeaderValues, Host, Protocol, Route } from "./types.js";

const OF_DESTINATION = [...NAMES.DestinationOptions, ...NAMES.DeliveryOptions];
const DEFAULT_ENDPOINT = "http://localhost:4318/v1/traces";
const DEFAULT_GRPC_ENDPOINT = "http://localhost:4317";
const PROTOCOLS = ["http/protobuf", "http/json", "grpc"];

/**
 * Throws an Error with the path, the value, the problem and a fix; never with a token or the value of a header. An unusable environment variable
 * causes a warning instead.
 */
export function configure(options: GenSpanOptions, host: Host): Config {
  const env = new Environment(host.env, (message) => (host.warn ?? warnAtStart)(message));
  known("options", options, [...OF_DESTINATION, ...NAMES.GenSpanOptions]);
  const { destinations } = options;
  if (destinations !== undefined) {
    if (!Array.isArray(destinations) || destinations.length === 0) {
      fail(
        "destinations",
        "is not a list of destinations",
        "write at least one, or leave it out and use endpoint, profile, …",
      );
    }
    const both = NAMES.DestinationOptions.find((field) => field !== "privacy" && options[field] !== undefined);
    if (both) fail(both, "cannot be combined with destinations", "move it into the destinations that need it");
    for (const [i, destination] of destinations.entries()) known(`destinations[${i}]`, destination, OF_DESTINATION);
  }
  const hooks = { mask: options.mask, onMedia: options.onMedia };
  checkHooks(hooks);
  checkFunction("onPartialSuccess", options.onPartialSuccess);
  if (options.meterProvider !== undefined)
    checkFunction("meterProvider.getMeter", options.meterProvider?.getMeter, true);
  if (options.flushOnExit && !host.onExit)
    fail("flushOnExit", "is supported only in Node", "omit it, or use flushVia(ctx)");
  const spool = spoolOf(options.spool, host);
  const list = destinations ?? [options];
  const shared = delivery(options, env);
  const filled = list.map((destination, i) => {
    const at = destinations ? `destinations[${i}].` : "";
    // A destination's own settings replace the common ones, so they must not be filled in if there are none.
    const own = destinations && destination.privacy && settings(`${at}privacy`, destination.privacy, hooks);
    const filled = fillIn(destination, at, env, host);
    const ofDelivery = destinations ? delivery(destination) : {};
    return {
      destination: present({ ...filled.destination, ...ofDelivery, privacy: own }),
      route: {
        ...filled.route,
        name: destination.name ?? `otlp-${i}`,
        maxQueueSize: ofDelivery.maxQueueSize ?? shared.maxQueueSize ?? DEFAULTS.maxQueueSize,
      },
      account: filled.account,
    };
  });
  const routes = filled.map(({ route }) => route);
  if (spool) checkAccounts(list, routes, destinations !== undefined);
  const of = filled.map(({ destination }) => destination);
  const core = present({
    ...(destinations ? { destinations: of } : of[0]),
    ...shared,
    entry: options.entry,
    privacy: settings("privacy", options.privacy, hooks),
    inferProvider: options.inferProvider,
    inheritSession: options.inheritSession,
    mappings: options.mappings,
    maxUnpackedBytes: options.maxUnpackedBytes,
    maxKeys: options.maxKeys,
    spool,
  });
  plain("", core);
  return {
    disabled: env.disabled(),
    core,
    routes,
    spool,
    ...(spool && { accounts: filled.map(({ account }) => account) }),
    flushTimeoutMillis: millis("flushTimeoutMillis", options.flushTimeoutMillis) ?? DEFAULTS.flushTimeoutMillis,
    maxIdleMemoryBytes: positive("maxIdleMemoryBytes", options.maxIdleMemoryBytes) ?? DEFAULTS.maxIdleMemoryBytes,
  };
}

function fillIn(
  options: DestinationOptions,
  at: string,
  env: Environment,
  host: Host,
): { destination: object; route: Omit<Route, "name" | "maxQueueSize">; account: string } {
  // In a list, headers from the environment are used only with the endpoint from there: they may contain a key that other backends must not see.
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
    fail(`${at}blockedInstrumentationScopes`, "is the same option as blockScopes", "use only one of them");
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
      protocol: protocol === "http/protobuf" ? undefined : protocol,
    }),
    route: {
      ...(filter && { filter }),
      endpoint,
      protocol,
      headers: () => {
        // Some of the host's own headers need the core, which may be unavailable.
        const fixed = { ...host.headers, ...PROFILE_HEADERS[profile], ...headers };
        if (!fresh) return fixed;
        // The error of the function may contain a key that is not among the known secrets.
        const asked = Promise.resolve()
          .then(fresh)
          .catch(() => {
            throw new Error(`${at}headers: the function failed`);
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
      timeoutMillis: millis(`${at}timeoutMillis`, options.timeoutMillis) ?? env.timeout() ?? DEFAULTS.timeoutMillis,
    },
    account: JSON.stringify([options.name, endpoint, profile, token, credentials.sort(), `${tls?.cert ?? ""}`]),
  };
}

/** Maximum number of remembered secrets: tokens that change leave their predecessors behind. */
const MAX_SECRETS = 64;

/** The values of headers, and the words in them that follow a scheme such as Bearer. */
function secretsOf(headers: HeaderValues): string[] {
  return Object.values(headers).flatMap((value) => [value, ...value.split(" ").slice(1)]);
}

/** The spool distinguishes destinations by their accounts, in this process and in the next, so these must be unique. */
function checkAccounts(list: DestinationOptions[], routes: { endpoint: string }[], listed: boolean): void {
  const fix = 'with a spool, name each account, for example name: "team-a"';
  for (const [i, { name, headers }] of list.entries()) {
    const field = listed ? `destinations[${i}].name` : "name";
    if (name === undefined && typeof headers === "function") fail(field, "is missing, and headers is a function", fix);
    const twin = list.findIndex((other, k) => other.name === name && routes[k]?.endpoint === routes[i]?.endpoint);
    if (twin === i) continue;
    const problem = name === undefined ? "is missing, as in" : `${JSON.stringify(name)} is also the name of`;
    fail(field, `${problem} destinations[${twin}], which has the same endpoint`, fix);
  }
}

function checkFunction(field: string, value: unknown, needed = false): void {
  if ((value === undefined && !needed) || typeof value === "function") return;
  fail(field, `is ${kindOf(value)}`, "pass a function, or omit the option");
}

/** The result of `check` for an option; undefined if the option is not set. */
function given<T, R>(field: string, value: T | null | undefined, check: (value: T, field: string) => R): R | undefined {
  return value === undefined || value === null ? undefined : check(value, field);
}

function checkProtocol(protocol: string, field: string, host: Host): Protocol {
  if (!PROTOCOLS.includes(protocol)) {
    fail(field, `${shown(protocol)} is unknown`, `use one of ${PROTOCOLS.join(", ")}`);
  }
  if (protocol === "grpc" && !host.grpc)
    fail(field, '"grpc" is supported only in Node, Bun and Deno', 'use "http/protobuf"');
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
  // A URL of another realm is not an instance of this realm's URL.
  const endpoint = typeof given === "object" ? given?.href : given;
  if (typeof endpoint !== "string") fail(field, `is ${kindOf(given)}`, `write a URL, ${example}`);
  const quoted = JSON.stringify(printable(endpoint));
  const url = urlOf(endpoint);
  if (!url) return fail(field, `${quoted} is not a URL`, `include scheme and host, ${example}`);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    fail(field, `${quoted} does not begin with http:// or https://`, `use one of them, ${example}`);
  if (url.username !== "" || url.password !== "") {
    fail(field, "contains a user name or password", "send them as a header: headers: { authorization: … }");
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
    fail(field, `is ${kindOf(headers)}`, "use { name: value }, Headers or a Map");
  }
  const pairs = headerPairs(headers);
  for (const [name, value] of pairs) checkHeader(name, value, field);
  return Object.fromEntries(pairs) as HeaderValues;
}

function checkHeader(name: string, value: unknown, field: string): void {
  // The message omits the name, because it may be a value in the wrong place.
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
    fail(field, "contains an invalid header name", 'use letters, digits and "-"');
  }
  const at = `${field}[${JSON.stringify(name)}]`;
  if (typeof value !== "string") fail(at, `is ${kindOf(value)}`, "write a string");
  try {
    // Headers removes line breaks at the end of a value instead of refusing them.
    if (/[\r\n]/.test(value)) throw new Error();
    // Not every runtime that loads the package can send: jsdom has no Headers.
    if (typeof Headers === "function") new Headers([[name, value]]);
  } catch {
    fail(at, "is not a valid HTTP header", "use visible ASCII, without line breaks");
  }
}
