// A receiver of OTLP for functions and workers. Platforms push to its URL; it answers once the destinations have what it received, so that nothing has to
// wait in the memory of a function that may be frozen or ended after its answer.
import { fail, kindOf, millis } from "./check.js";
import { configure } from "./config.js";
import { hostOfSenders, ingest, RETRY_AFTER, tokensIn } from "./ingest.js";
import type { DeliveryOptions, DestinationOptions, GenSpanOptions } from "./options.js";
import {
  accepted,
  codingOf,
  encodingOf,
  fromBrace,
  hasMore,
  isNoValid,
  JSON_TYPE,
  langfuse,
  mediaType,
  PROTOBUF,
  Refusal,
  refused,
  senderOf,
  signalOf,
  TRACES,
  unpacksToMore,
} from "./otlp.js";
import { Pool } from "./pool.js";
import { Sender } from "./sender.js";
import { version } from "./slim.js";
import type { Host } from "./types.js";

export { initSync } from "./slim.js";

/** The options that one destination has by itself: they stand in `destinations`. */
type OfDestination = Exclude<keyof DestinationOptions, keyof DeliveryOptions | "privacy">;
const NOT_HERE = ["spool", "flushOnExit", "flushTimeoutMillis", "meterProvider"] as const;

/** What is received with one secret, and where it goes: the options of the package, and those of receiving. */
export interface ReceiveOptions extends Omit<GenSpanOptions, OfDestination | (typeof NOT_HERE)[number]> {
  destinations: DestinationOptions[];
  /**
   * The secret of the senders, or several of them. It is accepted in the header `Authorization` (`Bearer TOKEN`, or the password of `Basic`) and as a
   * part of the path, as in `/TOKEN/v1/traces`. `null` accepts spans from everybody.
   */
  token: string | readonly string[] | null;
  /** Maximum size of a body, packed and unpacked, in bytes. Default: 8388608 (8 MiB). */
  maxBodyBytes?: number | undefined;
  /** Maximum size of the bodies of all requests in progress, in bytes. Default: 33554432 (32 MiB). */
  maxHeldBytes?: number | undefined;
  /** Maximum number of requests of one sender in progress; further ones are answered with 429. Default: 32. */
  maxRequestsOfSender?: number | undefined;
  /** How long an answer waits until the spans are delivered, in ms; then the sender gets 503 and may send them again. Default: 8000. */
  answerTimeoutMillis?: number | undefined;
  /**
   * A queue of Cloudflare, whose consumer is this worker: bodies wait there that no destination takes, and their senders get 200. A body that a message
   * cannot hold is answered with 503 all the same.
   */
  queue?: ReceiveQueue | undefined;
}

/** The binding of a queue, by structure. */
export interface ReceiveQueue {
  send(message: unknown, options?: { contentType?: "v8" }): Promise<unknown>;
}

/** A batch of that queue, by structure. */
export interface ReceiveBatch {
  readonly messages: readonly { readonly body: unknown; ack(): void; retry(): void }[];
}

/** One set of options, or one for each tenant, told apart by their tokens; or a function of a worker's bindings that returns them. */
export type Receive = ReceiveOptions | readonly ReceiveOptions[];

/** The context of an invocation: workers and edge functions let a handler continue after its answer with `waitUntil`. */
export interface ReceiveContext {
  waitUntil?(promise: Promise<unknown>): void;
}

export interface Receiver {
  /** Answers a request; never rejects. `env` holds the bindings of a worker, or what Deno and Bun pass there. */
  fetch(request: Request, env?: unknown, ctx?: ReceiveContext): Promise<Response>;
  /** Delivers what waits in the queue. */
  queue(batch: ReceiveBatch, env?: unknown, ctx?: ReceiveContext): Promise<void>;
  readonly received: Readonly<Received>;
}

/** Counters since the start of this instance. */
export interface Received {
  requests: number;
  /** Accepted spans. */
  spans: number;
  rejectedSpans: number;
  malformed: number;
  tooLarge: number;
  /** Requests without the secret. */
  unauthorized: number;
  /** Requests that were answered with 429 or 503. */
  busy: number;
  /** Requests whose spans were put into the queue. */
  queued: number;
}

/** What a runtime has of its own. */
export interface ReceiverHost {
  host: Host;
  /** The address of the sender, as the platform reports it. */
  peer(request: Request, env: unknown): string;
  /** Unpacks a body to at most `limit` bytes. Default: by DecompressionStream. Throws a Refusal. */
  unpack?(body: Uint8Array<ArrayBuffer>, coding: string, limit: number, peer: string): Promise<Uint8Array>;
  /** The core may run while the program is being loaded, so it checks the options then. */
  checks?: boolean;
}

const DEFAULTS = { maxBodyBytes: 8 << 20, maxHeldBytes: 32 << 20, maxRequestsOfSender: 32, answerTimeoutMillis: 8_000 };
/** Time limit of the arrival of a body, in ms. */
const BODY_TIMEOUT = 30_000;
/** Time limit of the delivery to the destinations that are late, after others have taken the spans, in ms. */
const DELIVERY = 20_000;
/** Maximum number of parts of a path that may be the secret. */
const MAX_PARTS = 8;
const UNAUTHORIZED =
  "the token is missing or wrong; send it as the header Authorization: Bearer TOKEN, or in the path: /TOKEN/v1/traces";
const TRACES_ONLY = "only traces are accepted here (POST …/v1/traces)";

interface Tenant {
  secrets: readonly string[] | null;
  digests?: Promise<Uint8Array[]>;
  limits: typeof DEFAULTS;
  /** The number of requests in progress, by the addresses of their senders. */
  open: Map<string, number>;
  pool: Pool<undefined, Sender>;
  queue: ReceiveQueue | undefined;
}

function tenantOf(of: ReceiveOptions, at: string, host: Host): Tenant {
  if (of === null || typeof of !== "object") fail(at || "options", `is ${kindOf(of)}`, "pass { destinations, token }");
  const { token, maxBodyBytes, maxHeldBytes, maxRequestsOfSender, answerTimeoutMillis, queue, ...options } = of;
  const secrets = token === null ? null : Array.isArray(token) ? (token as string[]) : [token as string];
  if (secrets?.length === 0 || secrets?.some((secret) => typeof secret !== "string" || secret.trim() === "")) {
    fail(
      `${at}token`,
      "is missing",
      "write the secret that senders use, a list of them, or null to accept spans from everybody",
    );
  }
  for (const field of NOT_HERE) {
    if ((options as GenSpanOptions)[field] === undefined) continue;
    fail(`${at}${field}`, "does not apply to a receiver", "omit it: an answer waits until the spans are delivered");
  }
  if (!Array.isArray(options.destinations)) fail(`${at}destinations`, "is missing", "write a list of destinations");
  const limits = {
    maxBodyBytes: count(`${at}maxBodyBytes`, maxBodyBytes) ?? DEFAULTS.maxBodyBytes,
    maxHeldBytes: count(`${at}maxHeldBytes`, maxHeldBytes) ?? DEFAULTS.maxHeldBytes,
    maxRequestsOfSender: count(`${at}maxRequestsOfSender`, maxRequestsOfSender) ?? DEFAULTS.maxRequestsOfSender,
    answerTimeoutMillis: millis(`${at}answerTimeoutMillis`, answerTimeoutMillis) ?? DEFAULTS.answerTimeoutMillis,
  };
  const config = configure(options, host);
  const make = () => new Sender(config, options, host, { warn: tell, secretsIn: tokensIn });
  return { secrets, limits, open: new Map(), pool: new Pool(() => true, make), queue };
}

function count(field: string, value: number | undefined): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value > 0)) return value;
  return fail(field, `${String(value)} is not a positive integer`, "use 1 or more");
}

export function receiver(
  of: Receive | ((env: unknown) => Receive),
  { host, peer, unpack = unpacked, checks }: ReceiverHost,
): Receiver {
  const received = {
    requests: 0,
    spans: 0,
    rejectedSpans: 0,
    malformed: 0,
    tooLarge: 0,
    unauthorized: 0,
    busy: 0,
    queued: 0,
  };
  const ofSenders = (env: unknown) =>
    hostOfSenders({ ...host, env: { ...host.env, ...(env as object | undefined) }, warn: tell });
  const tenantsOf = (all: Receive, env?: unknown): Tenant[] => {
    const list = Array.isArray(all) ? (all as readonly ReceiveOptions[]) : undefined;
    return (list ?? [all as ReceiveOptions]).map((one, i) => tenantOf(one, list ? `[${i}].` : "", ofSenders(env)));
  };
  /** Of the bindings of a worker, which are the same object for all its requests. */
  let known: { env: unknown; tenants: Tenant[] } | undefined =
    typeof of === "function" ? undefined : { env: undefined, tenants: tenantsOf(of) };
  for (const tenant of (checks && known?.tenants) || [])
    void tenant.pool.give(undefined, tenant.pool.take(undefined) as Sender);
  const tenants = (env: unknown): Tenant[] => {
    if (typeof of === "function" && known?.env !== env) known = { env, tenants: tenantsOf(of(env), env) };
    return known?.tenants ?? [];
  };
  let held = 0;

  /** The body of a request, unpacked, within all limits. `hold` counts what it takes of the memory. */
  async function bodyOf(
    request: Request,
    { maxBodyBytes, maxHeldBytes }: Tenant["limits"],
    from: string,
    hold: (bytes: number) => void,
  ) {
    const coding = codingOf(request.headers.get("content-encoding"));
    if (Number(request.headers.get("content-length") ?? 0) > maxBodyBytes) throw hasMore(maxBodyBytes);
    const take = (bytes: number) => {
      if (held + bytes > maxHeldBytes) throw new Refusal(503, "too many bodies at once", RETRY_AFTER);
      hold(bytes);
    };
    const packed = await within(
      BODY_TIMEOUT,
      read(request.body, () => hasMore(maxBodyBytes), maxBodyBytes, take),
    );
    if (coding === undefined) return packed;
    const plain = await unpack(packed, coding, maxBodyBytes, from);
    take(plain.length);
    return plain;
  }

  /** The tenant to whom the secret of a request belongs. Every comparison takes the same time, whatever is compared. */
  async function tenantFor(request: Request, path: string, all: Tenant[]): Promise<Tenant> {
    let found = all.find(({ secrets }) => secrets === null);
    const asked = await Promise.all(candidates(request, path).map(digest));
    for (const tenant of all) {
      tenant.digests ??= Promise.all((tenant.secrets ?? []).map(digest));
      for (const secret of await tenant.digests) for (const one of asked) if (isSame(one, secret)) found = tenant;
    }
    if (!found) throw new Refusal(401, UNAUTHORIZED);
    return found;
  }

  /** Processes the spans of a request. Returns the spans that were refused, if there are any. Throws a Refusal. */
  async function receive(request: Request, tenant: Tenant, from: string, later: (work: Promise<unknown>) => void) {
    const { limits } = tenant;
    const isJson = encodingOf(request.method, request.headers.get("content-type")) === JSON_TYPE;
    const one = senderOf(from);
    const open = tenant.open.get(one) ?? 0;
    if (open >= limits.maxRequestsOfSender) {
      throw new Refusal(429, `${open} requests of this sender are in progress`, RETRY_AFTER);
    }
    tenant.open.set(one, open + 1);
    let mine = 0;
    try {
      const plain = await bodyOf(request, limits, from, (bytes) => {
        mine += bytes;
        held += bytes;
      });
      const body = isJson ? fromBrace(plain) : plain;
      return await deliver(body, tenant, from, later).catch((error) => park(body, tenant, from, error));
    } finally {
      held -= mine;
      const left = (tenant.open.get(one) ?? 1) - 1;
      if (left > 0) tenant.open.set(one, left);
      else tenant.open.delete(one);
    }
  }

  /** Puts a body into the tenant's queue, if it may be delivered later. */
  async function park(body: Uint8Array, tenant: Tenant, from: string, error: Error): Promise<undefined> {
    if (!tenant.queue || !(error instanceof Refusal) || error.status !== 503) throw error;
    try {
      const packed = new Blob([body as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream("gzip"));
      const message = { tenant: await idOf(tenant), from, body: await new Response(packed).arrayBuffer() };
      await tenant.queue.send(message, { contentType: "v8" });
    } catch (why) {
      tell(`a body cannot wait in the queue: ${(why as Error).message}`);
      throw error;
    }
    received.queued++;
  }

  /** Delivers a message of the queue. Returns `false` if it has to wait on. */
  async function unpark(message: unknown, env: unknown, later: (work: Promise<unknown>) => void): Promise<boolean> {
    const { tenant: id, from, body } = message as { tenant: string; from: string; body: ArrayBuffer };
    for (const tenant of tenants(env)) {
      if ((await idOf(tenant)) !== id) continue;
      try {
        await deliver(await unpacked(new Uint8Array(body), "gzip", tenant.limits.maxBodyBytes), tenant, from, later);
      } catch (error) {
        if (error instanceof Refusal && error.status === 503) return false;
        tell(`a body of the queue is lost: ${(error as Error).message}`);
      }
      return true;
    }
    tell("a body of the queue is lost: its tenant has gone");
    return true;
  }

  async function deliver(body: Uint8Array, tenant: Tenant, from: string, later: (work: Promise<unknown>) => void) {
    const sender = tenant.pool.take(undefined);
    if (!sender) throw new Refusal(503, "too many requests wait for the destinations", RETRY_AFTER);
    const give = async (works = true) => {
      for (const error of await tenant.pool.give(undefined, sender, works)) tell(error);
    };
    try {
      const before = outcomes(sender);
      const { pipeline, rejected } = ingest(sender, body, from, () => {});
      received.spans += pipeline.taken;
      await sender.forceFlush({ timeoutMillis: tenant.limits.answerTimeoutMillis });
      const after = outcomes(sender).map(({ late, refused, error }, i) => ({
        late: late - (before[i]?.late ?? 0),
        refused: refused - (before[i]?.refused ?? 0),
        error,
      }));
      if (after.length > 0 && after.every(({ late }) => late > 0)) {
        received.spans -= pipeline.taken;
        // The sender sends them again, so they must not go out from here as well.
        await give(false);
        throw new Refusal(503, `no destination has taken the spans: ${after[0]?.error ?? "no answer"}`, RETRY_AFTER);
      }
      if (after.some(({ late }) => late > 0)) later(sender.forceFlush({ timeoutMillis: DELIVERY }).then(() => give()));
      else await give();
      const worst = Math.min(...after.map(({ refused }) => refused));
      if (!(worst > 0)) return rejected;
      return { rejected: worst + (rejected?.rejected ?? 0), message: after[0]?.error ?? rejected?.message ?? "" };
    } catch (error) {
      await give();
      throw error;
    }
  }

  async function answer(request: Request, env: unknown, later: (work: Promise<unknown>) => void): Promise<Response> {
    const path = new URL(request.url).pathname;
    const signal = signalOf(path);
    const harmless = signal ? undefined : langfuse(path, request.method);
    const type = mediaType(request.headers.get("content-type") ?? "") === JSON_TYPE || harmless ? JSON_TYPE : PROTOBUF;
    if (path.endsWith("/healthz") && request.method === "GET") return json(200, { status: "ok", version: version() });
    if (!signal && !harmless) return json(404, { message: TRACES_ONLY });
    received.requests++;
    try {
      const tenant = await tenantFor(request, path, tenants(env));
      if (harmless) return reply(harmless.status, JSON_TYPE, harmless.body);
      if (signal !== TRACES) throw new Refusal(404, TRACES_ONLY);
      const rejected = await receive(request, tenant, peer(request, env), later);
      received.rejectedSpans += rejected?.rejected ?? 0;
      return reply(200, type, accepted(type, rejected));
    } catch (error) {
      if (!(error instanceof Refusal)) tell((error as Error).message);
      const why = error instanceof Refusal ? error : new Refusal(500, "internal fault");
      const { status, retryAfter } = why;
      if (status === 400) received.malformed++;
      if (status === 401) received.unauthorized++;
      if (status === 413) received.tooLarge++;
      if (status === 429 || status === 503) received.busy++;
      return reply(status, type, refused(type, why), {
        ...(status === 401 && { "www-authenticate": "Bearer" }),
        ...(status === 405 && { allow: "POST" }),
        ...(retryAfter !== undefined && { "retry-after": String(retryAfter) }),
      });
    }
  }

  /** What lets the handler continue after its answer. */
  const laterOf = (ctx?: ReceiveContext) => (work: Promise<unknown>) => {
    try {
      (ctx?.waitUntil ? ctx : vercel())?.waitUntil?.(work);
    } catch {
      // The answer is being made all the same.
    }
  };

  return {
    received,
    async queue({ messages }, env, ctx) {
      for (const message of messages) {
        if (await unpark(message.body, env, laterOf(ctx))) message.ack();
        else message.retry();
      }
    },
    async fetch(request, env, ctx) {
      const later = laterOf(ctx);
      const done = answer(request, env, later).catch(() => new Response(null, { status: 500 }));
      // A sender that hangs up does not end the delivery.
      later(done);
      return done;
    },
  };
}

/** The context of a Vercel function, which gets none as an argument. */
function vercel(): ReceiveContext | undefined {
  const context = (globalThis as Record<symbol, { get?(): ReceiveContext } | undefined>)[
    Symbol.for("@vercel/request-context")
  ];
  return context?.get?.();
}

interface Outcome {
  /** Spans that are not delivered, or lost on the way. */
  late: number;
  /** Spans that the backend does not want. */
  refused: number;
  error: string | undefined;
}

function outcomes(sender: Sender): Outcome[] {
  return (sender.stats().destinations ?? []).map((d) => ({
    late: d.pending + d.droppedFull + d.droppedDeadline + d.droppedClosed + d.droppedFault,
    refused: d.rejected + d.droppedRefused + d.droppedTooLarge,
    error: d.lastError?.message,
  }));
}

/** Everything in a request that may be the secret. */
function candidates(request: Request, path: string): string[] {
  const parts = path.split("/").filter(Boolean).slice(0, MAX_PARTS).map(decoded);
  const [, scheme = "", word = ""] = /^(\S+)\s+(\S+)\s*$/.exec(request.headers.get("authorization") ?? "") ?? [];
  if (/^bearer$/i.test(scheme)) return [word, ...parts];
  if (/^basic$/i.test(scheme)) return [decoded(atobOr(word)).replace(/^[^:]*:/, ""), ...parts];
  return parts;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function atobOr(word: string): string {
  try {
    return atob(word);
  } catch {
    return "";
  }
}

const digest = async (text: string) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));

/** Names a tenant in messages of a queue, without its secret. */
async function idOf({ secrets }: Tenant): Promise<string> {
  const [first = 0, second = 0] = new Uint32Array((await digest(`genspan ${secrets?.[0] ?? ""}`)).buffer);
  return `${first.toString(36)}${second.toString(36)}`;
}

/** Compares all bytes, wherever the first difference is. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.reduce((difference, byte, i) => difference | (byte ^ (b[i] ?? 0)), 0) === 0;
}

/** What a stream has, up to `limit` bytes. */
async function read(
  stream: ReadableStream<Uint8Array> | null,
  tooMuch: () => Refusal,
  limit: number,
  take?: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream?.getReader();
  try {
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
      length += next.value.length;
      if (length > limit) throw tooMuch();
      take?.(next.value.length);
      chunks.push(next.value);
    }
  } catch (error) {
    void reader?.cancel().catch(() => {});
    throw error instanceof Refusal ? error : new Refusal(400, "the body is incomplete");
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

async function unpacked(body: Uint8Array<ArrayBuffer>, coding: string, limit: number): Promise<Uint8Array> {
  const stream = new Blob([body]).stream().pipeThrough(new DecompressionStream(coding as CompressionFormat));
  return read(stream as ReadableStream<Uint8Array>, () => unpacksToMore(limit), limit).catch((error: Refusal) => {
    throw error.status === 400 ? isNoValid(coding) : error;
  });
}

async function within<T>(timeoutMillis: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Refusal(408, `the request took more than ${timeoutMillis} ms`)), timeoutMillis);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function reply(status: number, type: string, body: BodyInit, headers?: Record<string, string>): Response {
  return new Response(body, { status, headers: { "content-type": type, "cache-control": "no-store", ...headers } });
}

const json = (status: number, body: object) => reply(status, JSON_TYPE, JSON.stringify(body));

let lastWarning = Number.NEGATIVE_INFINITY;

/** Warns at most once a second, since the logs of functions are paid for. */
function tell(what: string): void {
  const now = Date.now();
  if (now - lastWarning < 1_000) return;
  lastWarning = now;
  console.warn(what.startsWith("genspan") ? what : `genspan: ${what}`);
}
