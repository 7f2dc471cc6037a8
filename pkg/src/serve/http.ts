// The OTLP/HTTP receiver: a server of node:http with access rules and time limits. OTLP requests are passed to the intake, all others to
// `other`.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Intake, Signal } from "./intake.js";
import { accepted, JSON_TYPE, mediaType, PROTOBUF, Refusal, refused } from "./otlp.js";

export interface ReceiverOptions {
  host: string;
  port: number;
  /** Host names that are accepted in addition to the server's own. */
  allowHosts: string[];
  /** Origins whose pages may send spans, in addition to those of this machine. */
  allowOrigins: string[];
  intake: Intake;
  /** Answers requests that are not OTLP; returns `false` for an unknown path. The Host header has been checked, and pages of other origins are refused. */
  other(request: IncomingMessage, response: ServerResponse, path: string): boolean;
}

export interface Receiver {
  url: string;
  port: number;
  /** Accepts nothing new; resolves when the requests in progress are answered. */
  close(): Promise<void>;
  /** Ends what is under way without an answer. */
  destroy(): void;
}

/** The path of OTLP, with any prefix: SDKs of some backends put their own path in front. */
const TRACES = "/v1/traces";
const OTHER_SIGNALS = ["/v1/metrics", "/v1/logs", "/v1development/profiles"];
/** Langfuse's API: its SDKs, redirected by `LANGFUSE_HOST`, also use endpoints other than traces. */
const LANGFUSE = "/api/public/";
/** The endpoint that `auth_check` reads, which programs call at their start; it raises if there is no project. */
const PROJECTS = `${LANGFUSE}projects`;
const OURS = { id: "genspan", name: "genspan" };
const ONE_PROJECT = Buffer.from(JSON.stringify({ data: [{ ...OURS, organization: OURS, metadata: {} }] }));
const NOT_LANGFUSE = Buffer.from(
  JSON.stringify({
    error: "NotFound",
    message: "genspan accepts traces only (POST …/v1/traces); scores, prompts and media need Langfuse itself",
  }),
);
const HEADERS_TIMEOUT = 10_000;
const CHECK_INTERVAL = 5_000;
/** During shutdown, the time limit for connections to send a request, in ms. */
const SILENT = 200;
/** During shutdown, the time limit for completing a request, in ms. */
export const LAST_REQUESTS = 5_000;
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

export async function listen(options: ReceiverOptions): Promise<Receiver> {
  const { host, intake } = options;
  const { counters } = intake;
  const loopback = isLoopback(host);
  const names = new Set([...LOOPBACK, nameOf(host), ...options.allowHosts.map((name) => name.toLowerCase())]);

  /** A page under a name that was made to point to this machine would be same-origin, so only the server's own names are accepted. */
  function mayAsk(name: string | undefined): boolean {
    const known = hostname(name);
    return known !== undefined && (names.has(known) || (!loopback && isAddress(known)));
  }

  function mayExport(origin: string): boolean {
    return options.allowOrigins.includes(origin) || LOOPBACK.has(hostname(origin.replace(/^https?:\/\//, "")) ?? "");
  }

  async function export_(request: IncomingMessage, response: ServerResponse, signal: Signal): Promise<void> {
    const { headers } = request;
    const type = mediaType(headers["content-type"]);
    counters.requests++;
    try {
      if (request.method !== "POST") throw new Refusal(405, "use POST");
      if (type !== PROTOBUF && type !== JSON_TYPE) {
        throw new Refusal(415, `content-type ${JSON.stringify(type)} is not OTLP: use ${PROTOBUF} or ${JSON_TYPE}`);
      }
      const rejected = await intake.request({
        stream: request,
        socket: request.socket,
        signal,
        announced: () => Number(headers["content-length"] ?? 0),
        isJson: type === JSON_TYPE,
        answersEarly: false,
        unwrap: (body) => [body, headers["content-encoding"]],
      });
      answer(response, 200, type, accepted(type, rejected));
    } catch (error) {
      const why = intake.refused(error);
      if (!request.readableEnded) request.resume();
      if (why.status === 405) response.setHeader("allow", "POST");
      if (why.retryAfter !== undefined) response.setHeader("retry-after", why.retryAfter);
      if (!request.complete) response.setHeader("connection", "close");
      answer(response, why.status, type === JSON_TYPE ? JSON_TYPE : PROTOBUF, refused(type, why));
    }
  }

  function answer(response: ServerResponse, status: number, type: string, body: Buffer): void {
    if (intake.closing) response.setHeader("connection", "close");
    response.writeHead(status, { "content-type": type, "content-length": body.length }).end(body);
  }

  const server = createServer({ connectionsCheckingInterval: CHECK_INTERVAL }, (request, response) => {
    response.on("error", () => {});
    intake.asked(request.socket, response);
    response.setHeader("x-content-type-options", "nosniff");
    const path = (request.url ?? "/").split(/[?#]/, 1)[0] as string;
    const { origin, host: asked } = request.headers;
    const otlp = signalOf(path);
    const own = origin === undefined || origin === `http://${asked}`;
    const site = request.headers["sec-fetch-site"];
    if (!mayAsk(asked)) {
      counters.forbidden++;
      const shown = JSON.stringify(hostname(asked) ?? "");
      return plain(response, 403, `host ${shown} is not allowed; --allow-host adds it`);
    }
    if (
      otlp
        ? !own && !mayExport(origin)
        : !own || (site !== undefined && site !== "same-origin" && site !== "none" && !isTop(request))
    ) {
      counters.forbidden++;
      return plain(response, 403, "pages of this origin are not allowed; --allow-origin permits one to send spans");
    }
    if (otlp && origin !== undefined) {
      response.setHeader("vary", "origin");
      response.setHeader("access-control-allow-origin", origin);
      if (request.method === "OPTIONS") return preflight(request, response);
    }
    if (otlp) return void export_(request, response, otlp);
    request.resume();
    if (path === PROJECTS && request.method === "GET") return answer(response, 200, JSON_TYPE, ONE_PROJECT);
    if (path.startsWith(LANGFUSE)) return answer(response, 404, JSON_TYPE, NOT_LANGFUSE);
    try {
      if (!options.other(request, response, path)) plain(response, 404, "nothing here");
    } catch {
      // For example, a file was deleted meanwhile.
      if (!response.headersSent) plain(response, 500, "internal fault");
    }
  });
  server.on("connection", (socket) => intake.connected(socket));
  server.headersTimeout = HEADERS_TIMEOUT;
  // The intake ends slow requests and limits the number of connections.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.port, host, () => resolve(void server.off("error", reject)));
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${nameOf(host)}:${port}`,
    destroy: () => {
      intake.closing = true;
      server.closeAllConnections();
    },
    close: () =>
      new Promise((resolve) => {
        intake.closing = true;
        const since = Date.now();
        // A connection in the middle of an answer becomes idle later; Node does not consider one without any request idle.
        const idle = setInterval(() => {
          server.closeIdleConnections();
          if (Date.now() - since > SILENT) intake.closeSilent();
          if (Date.now() - since > LAST_REQUESTS) server.closeAllConnections();
        }, 50);
        server.close(() => {
          clearInterval(idle);
          resolve();
        });
      }),
  };
}

function signalOf(path: string): Signal | undefined {
  if (path.endsWith(TRACES)) return "traces";
  return OTHER_SIGNALS.some((signal) => path.endsWith(signal)) ? "other" : undefined;
}

export function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" });
  response.end(`${text}\n`);
}

/** A link on another page leads here; the page itself cannot read the answer. */
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

/** The name in `name:port`, in lower case; an IPv6 address keeps its brackets. */
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
