// One OTLP request: over HTTP by fetch, or by what the host has for the route. Decides nothing: retries, queues and what an
// answer means are the core's.

import { untraced } from "./otel.js";
import type { Answer, Host, Route, Send, Warn } from "./types.js";

const MAX_RESPONSE = 4 << 20;
/** Smaller bodies do not benefit from compression, in bytes. */
const MIN_GZIP = 1024;

export function transport(route: Route, host: Host, warn: Warn): Send {
  if (route.protocol === "grpc" && host.grpc) return host.grpc(route);
  let special: Promise<typeof fetch> | undefined;
  const needed = host.dispatch && (route.tls !== undefined || host.proxied?.(route.endpoint));
  return async (body, abort) => {
    if (needed) special ??= (host.dispatch as NonNullable<Host["dispatch"]>)(route, warn);
    const send = special
      ? await special.catch((error) => {
          special = undefined;
          throw error;
        })
      : rawFetch();
    return timed(route, abort, (stop, answered) => post(route, body, send, stop, answered));
  };
}

/**
 * Ends a request that exceeds the route's time limit or was aborted, even if it ignores the signal: many wrappers of fetch lose it. A call
 * that has reported its status is left to end by itself.
 */
export async function timed<T>(
  route: Route,
  abort: AbortController,
  call: (stop: AbortSignal, answered: () => void) => Promise<T>,
): Promise<T> {
  const late = new Error(`timed out after ${route.timeoutMillis} ms`);
  const timer = setTimeout(() => abort.abort(late), route.timeoutMillis);
  const { signal } = abort;
  let hasStatus = false;
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => hasStatus || reject(signal.reason), { once: true });
  });
  const answered = () => {
    hasStatus = true;
  };
  try {
    return await Promise.race([call(signal, answered), stopped]);
  } finally {
    clearTimeout(timer);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** The headers; the application's function may take a while. */
export async function headersOf(route: Route, signal: AbortSignal): Promise<Record<string, string>> {
  const given = route.headers();
  if (!(given instanceof Promise)) return given;
  return Promise.race([given, aborted(signal)]);
}

async function post(
  route: Route,
  body: Uint8Array<ArrayBuffer>,
  send: typeof fetch,
  signal: AbortSignal,
  answered: () => void,
): Promise<Answer> {
  const gzip = route.gzip && body.length >= MIN_GZIP && typeof CompressionStream === "function";
  const headers: Record<string, string> = {
    ...(await headersOf(route, signal)),
    "content-type": route.protocol === "http/json" ? "application/json" : "application/x-protobuf",
  };
  if (gzip) headers["content-encoding"] = "gzip";
  const payload = gzip ? await compress(body) : body;
  const response = await untraced(() =>
    send(route.endpoint, {
      method: "POST",
      headers,
      body: payload,
      // A redirect would send the headers, including credentials, to another server.
      redirect: "manual",
      signal,
    }),
  );
  answered();
  return {
    // In a page, a redirect that is not followed has status 0.
    status: response.type === "opaqueredirect" ? 302 : response.status,
    retryAfter: retryAfter(response.headers.get("retry-after")),
    // After a status the server has decided; an incomplete body must not cause a retry.
    body: await Promise.race([read(response), aborted(signal)]).catch(() => new Uint8Array()),
  };
}

/** `fetch` without an instrumentation's wrapper, if the wrapper provides access to the original. */
function rawFetch(): typeof fetch {
  const wrapped = globalThis.fetch as typeof fetch & { __original?: unknown };
  return typeof wrapped.__original === "function" ? (wrapped.__original as typeof fetch) : wrapped;
}

async function compress(body: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  const { writable, readable } = new CompressionStream("gzip");
  // Does not use the stream of a Blob, which jsdom's Blob lacks. If compression fails, the reader gets the error.
  const writer = writable.getWriter();
  for (const done of [writer.write(body), writer.close()]) done.catch(() => {});
  return new Response(readable).arrayBuffer();
}

function retryAfter(header: string | null): number {
  if (header === null) return -1;
  const millis = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(millis) ? -1 : Math.max(0, millis);
}

/** Reads the body to its end, so that the connection can be reused, or up to a maximum size. */
async function read(response: Response): Promise<Uint8Array> {
  const announced = response.headers.get("content-length");
  if (announced !== null && Number(announced) <= MAX_RESPONSE && !response.headers.has("content-encoding")) {
    return new Uint8Array(await response.arrayBuffer());
  }
  const reader = response.body?.getReader();
  if (!reader) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > MAX_RESPONSE) {
      await reader.cancel();
      return new Uint8Array();
    }
    chunks.push(value);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}
