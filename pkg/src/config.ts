// From options and environment variables to the configuration of the core and of the transport. Checks what the
// transport owns (endpoint, headers, durations); every other rule is the core's.
import { fail, kindOf, known, millis, plain, present, printable, shown } from "./check.js";
import { delivery, spoolOf, tlsOf } from "./delivery.js";
import { Environment } from "./environment.js";
import { type HeadersLike, headerPairs } from "./headers.js";
import type { Host } from "./host.js";
import {
  DEFAULTS,
  type DestinationOptions,
  type GenSpanOptions,
  NAMES,
  PROFILE_HEADERS,
  type Protocol,
} from "./options.js";
import { warnAtStart } from "./otel.js";
import { checkHooks, settings } from "./privacy.js";
import type { Config, HeaderValues, Route } from "./types.js";

const OF_DESTINATION = [...NAMES.DestinationOptions, ...NAMES.DeliveryOptions];
const DEFAULT_ENDPOINT = "http://localhost:4318/v1/traces";
const DEFAULT_GRPC_ENDPOINT = "http://localhost:4317";
const PROTOCOLS = ["http/protobuf", "http/json", "grpc"];

/**
 * Throws an Error that names the field, the value, the rule and a fix; never a token or a header's value. An environment variable that cannot be
 * used makes a warning instead.
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
    if (both) fail(both, "is set beside destinations", "move it into each destination that it is meant for");
    for (const [i, destination] of destinations.entries()) known(`destinations[${i}]`, destination, OF_DESTINATION);
  }
  const hooks = { mask: options.mask, onMedia: options.onMedia };
  checkHooks(hooks);
  checkFunction("onPartialSuccess", options.onPartialSuccess);
  if (options.meterProvider !== undefined)
    checkFunction("meterProvider.getMeter", options.meterProvider?.getMeter, true);
  if (options.flushOnExit && !host.onExit) fail("flushOnExit", "is for Node", "leave it out, or use flushVia(ctx)");
  const spool = spoolOf(options.spool, host);
  const list = destinations ?? [options];
  const shared = delivery(options, env);
  const filled = list.map((destination, i) => {
    const at = destinations ? `destinations[${i}].` : "";
    // Settings that stand here replace those for all: where there are none, none may be made up.
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
  };
}

function fillIn(
  options: DestinationOptions,
  at: string,
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
    fail(`${at}blockedInstrumentationScopes`, "is set beside blockScopes", "they mean the same: write one list");
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
        // Some of the host's own need the core, which may not be able to run.
        const fixed = { ...host.headers, ...PROFILE_HEADERS[profile], ...headers };
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
      timeoutMillis: millis(`${at}timeoutMillis`, options.timeoutMillis) ?? env.timeout() ?? DEFAULTS.timeoutMillis,
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
  fail(field, `is ${kindOf(value)}`, "give a function, or leave it out");
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
    fail(at, "is not a valid HTTP header", "use visible ASCII, without line breaks");
  }
}
