// The OTLP/HTTP receiver: a server of node:http that knows who may ask, how large a request may be, and how long it may take. What it takes
// goes to `take`, unpacked; what is not OTLP to `other`.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { accepted, fromBrace, JSON_TYPE, mediaType, PROTOBUF, Refusal, refused, type Take, unpack } from "./otlp.js";

export interface ReceiverOptions {
  host: string;
  port: number;
  /** Names by which it may be asked for, beside its own. */
  allowHosts: string[];
  /** Pages that may send spans, beside those of this machine. */
  allowOrigins: string[];
  /** Of one request, packed and unpacked. */
  maxBodyBytes: number;
  /** What is done with metrics and logs. */
  otherSignals: "discard" | "refuse";
  take: Take;
  /** Answers what is not OTLP; false: it is nobody's. The host was checked, and that a page of another origin is not told anything. */
  other(request: IncomingMessage, response: ServerResponse, path: string): boolean;
}

export interface Counters {
  requests: number;
  /** Bytes of bodies that were taken, unpacked. */
  bytes: number;
  malformed: number;
  tooLarge: number;
  /** Answered with "come again later". */
  busy: number;
  /** Asked for by a name, or by a page, that is not allowed. */
  forbidden: number;
  /** Bodies of metrics and logs that were thrown away. */
  discarded: number;
}

export interface Receiver {
  url: string;
  port: number;
  counters: Counters;
  /** Takes nothing new; resolves when what is under way is answered. */
  close(): Promise<void>;
}

const TRACES = "/v1/traces";
const OTHER_SIGNALS = ["/v1/metrics", "/v1/logs", "/v1development/profiles"];
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;
const CHECK_INTERVAL = 5_000;
const MAX_CONNECTIONS = 1024;
/** At the end, whoever has connected has so long to ask for something, in ms. */
const SILENT = 200;
/** And who is in the middle of a request so long to end it. */
export const LAST_REQUESTS = 5_000;
/** What all requests together may hold packed, in bodies of the largest size. */
const MAX_HELD = 4;
/** A body that is too large is read on so far, so that its sender gets to hear it. */
const MAX_IGNORED = 8;
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

export async function listen(options: ReceiverOptions): Promise<Receiver> {
  const { host, maxBodyBytes } = options;
  const counters: Counters = {
    requests: 0,
    bytes: 0,
    malformed: 0,
    tooLarge: 0,
    busy: 0,
    forbidden: 0,
    discarded: 0,
  };
  let held = 0;
  let closing = false;
  const loopback = isLoopback(host);
  const names = new Set([...LOOPBACK, nameOf(host), ...options.allowHosts.map((name) => name.toLowerCase())]);

  /** A page whose name was made to point here is at home under that name: only names that are ours count. */
  function mayAsk(name: string | undefined): boolean {
    const known = hostname(name);
    return known !== undefined && (names.has(known) || (!loopback && isAddress(known)));
  }

  function mayExport(origin: string): boolean {
    return options.allowOrigins.includes(origin) || LOOPBACK.has(hostname(origin.replace(/^https?:\/\//, "")) ?? "");
  }

  /** The body, within all bounds. It counts as held until its owner says that it is not. */
  async function read(request: IncomingMessage): Promise<Buffer> {
    let chunks: Buffer[] = [];
    let length = 0;
    let why = Number(request.headers["content-length"] ?? 0) > maxBodyBytes ? tooLarge() : undefined;
    const refuse = (refusal: Refusal) => {
      why = refusal;
      for (const chunk of chunks) held -= chunk.length;
      chunks = [];
    };
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > maxBodyBytes * MAX_IGNORED) break;
        if (why) continue;
        if (length > maxBodyBytes) refuse(tooLarge());
        else if (held + chunk.length > maxBodyBytes * MAX_HELD) refuse(new Refusal(503, "too many bodies at once", 1));
        else {
          held += chunk.length;
          chunks.push(chunk);
        }
      }
    } catch {
      refuse(new Refusal(400, "the body broke off"));
    }
    if (why) throw why;
    return Buffer.concat(chunks, length);
  }

  const tooLarge = () => new Refusal(413, `the body has more than ${maxBodyBytes} bytes`);

  async function export_(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const type = mediaType(request.headers["content-type"]);
    counters.requests++;
    let packed: Buffer | undefined;
    try {
      if (request.method !== "POST") throw new Refusal(405, "use POST");
      if (type !== PROTOBUF && type !== JSON_TYPE) {
        throw new Refusal(415, `content-type ${JSON.stringify(type)} is not OTLP: use ${PROTOBUF} or ${JSON_TYPE}`);
      }
      if (closing) throw new Refusal(503, "shutting down", 1);
      if (path !== TRACES && options.otherSignals === "refuse")
        throw new Refusal(404, "traces only: nobody takes this");
      packed = await read(request);
      if (path !== TRACES) {
        counters.discarded++;
      } else {
        const plain = await unpack(packed, request.headers["content-encoding"], maxBodyBytes);
        const body = type === JSON_TYPE ? fromBrace(plain) : plain;
        options.take(body, addressOf(request.socket.remoteAddress));
        counters.bytes += body.length;
      }
      answer(response, 200, type, accepted(type));
    } catch (error) {
      const why = error instanceof Refusal ? error : new Refusal(500, "internal fault");
      if (why.status === 400) counters.malformed++;
      if (why.status === 413) counters.tooLarge++;
      if (why.status === 503) counters.busy++;
      if (!request.readableEnded) request.resume();
      if (why.status === 405) response.setHeader("allow", "POST");
      if (why.retryAfter !== undefined) response.setHeader("retry-after", why.retryAfter);
      if (!request.complete) response.setHeader("connection", "close");
      answer(response, why.status, type === JSON_TYPE ? JSON_TYPE : PROTOBUF, refused(type, why));
    } finally {
      held -= packed?.length ?? 0;
    }
  }

  function answer(response: ServerResponse, status: number, type: string, body: Buffer): void {
    if (closing) response.setHeader("connection", "close");
    response.writeHead(status, { "content-type": type, "content-length": body.length }).end(body);
  }

  const server = createServer({ connectionsCheckingInterval: CHECK_INTERVAL }, (request, response) => {
    response.on("error", () => {});
    response.setHeader("x-content-type-options", "nosniff");
    const path = (request.url ?? "/").split(/[?#]/, 1)[0] as string;
    const { origin, host: asked } = request.headers;
    const otlp = path === TRACES || OTHER_SIGNALS.includes(path);
    const own = origin === undefined || origin === `http://${asked}`;
    const site = request.headers["sec-fetch-site"];
    if (!mayAsk(asked)) {
      counters.forbidden++;
      const shown = JSON.stringify(hostname(asked) ?? "");
      return plain(response, 403, `host ${shown} is not allowed here; --allow-host lets it in`);
    }
    if (
      otlp
        ? !own && !mayExport(origin)
        : !own || (site !== undefined && site !== "same-origin" && site !== "none" && !isTop(request))
    ) {
      counters.forbidden++;
      return plain(response, 403, "pages of this origin are not allowed here; --allow-origin lets one send spans");
    }
    if (otlp && origin !== undefined) {
      response.setHeader("vary", "origin");
      response.setHeader("access-control-allow-origin", origin);
      if (request.method === "OPTIONS") return preflight(request, response);
    }
    if (otlp) return void export_(request, response, path);
    request.resume();
    try {
      if (!options.other(request, response, path)) plain(response, 404, "nothing here");
    } catch {
      // Such as a file that has gone since.
      if (!response.headersSent) plain(response, 500, "internal fault");
    }
  });
  const silent = new Set<Socket>();
  server.on("connection", (socket) => {
    silent.add(socket);
    socket.on("close", () => silent.delete(socket));
  });
  server.on("request", ({ socket }) => silent.delete(socket));
  server.headersTimeout = HEADERS_TIMEOUT;
  server.requestTimeout = REQUEST_TIMEOUT;
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.port, host, () => resolve(void server.off("error", reject)));
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${nameOf(host)}:${port}`,
    counters,
    close: () =>
      new Promise((resolve) => {
        closing = true;
        const since = Date.now();
        // A connection that is in the middle of an answer becomes idle later; one that has not asked yet Node does not call idle.
        const idle = setInterval(() => {
          server.closeIdleConnections();
          if (Date.now() - since > SILENT) for (const socket of silent) socket.destroy();
          if (Date.now() - since > LAST_REQUESTS) server.closeAllConnections();
        }, 50);
        server.close(() => {
          clearInterval(idle);
          resolve();
        });
      }),
  };
}

export function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" });
  response.end(`${text}\n`);
}

/** A link on another page that leads here: the page that asks gets nothing of the answer. */
function isTop({ method, headers }: IncomingMessage): boolean {
  return method === "GET" && headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
}

function preflight(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("access-control-allow-methods", "POST");
  response.setHeader(
    "access-control-allow-headers",
    request.headers["access-control-request-headers"] ?? "content-type",
  );
  response.setHeader("access-control-max-age", "600");
  if (request.headers["access-control-request-private-network"]) {
    response.setHeader("access-control-allow-private-network", "true");
  }
  response.writeHead(204).end();
}

/** Of `name:port`, in lower case; an address of IPv6 has its brackets. */
function hostname(authority: string | undefined): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[^:[\]/?#@\s]+)(?::\d{1,5})?$/i
    .exec(authority ?? "")?.[1]
    ?.toLowerCase()
    .replace(/\.$/, "");
}

function nameOf(host: string): string {
  return (host.includes(":") ? `[${host}]` : host).toLowerCase();
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

function isAddress(name: string): boolean {
  return name.startsWith("[") || /^\d{1,3}(\.\d{1,3}){3}$/.test(name);
}

/** An address of IPv4 as itself, however the socket has it. */
export function addressOf(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:/, "");
}
