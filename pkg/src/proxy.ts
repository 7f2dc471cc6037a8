// A `fetch` with custom certificates and the proxies of the environment. In Node it uses the package `undici`, if the application has it, because
// Node's own fetch supports neither. Bun's fetch supports both, while the `undici` that Bun provides supports neither.
import type * as Undici from "undici";
import { peer } from "./peer.js";
import type { Route, Warn } from "./types.js";

export async function dispatch(route: Route, warn: Warn): Promise<typeof fetch> {
  if (process.versions.bun) {
    const { tls } = route;
    return ((url: string, init: object) => fetch(url, (tls ? { ...init, tls } : init) as RequestInit)) as typeof fetch;
  }
  const undici = await peer<typeof Undici>("undici");
  if (!undici) {
    const missing = "needs the package undici, which is not installed; run npm install undici@7";
    if (route.tls) throw new Error(`tls ${missing}`);
    // The environment belongs to the machine: it may name a proxy that is not intended for this destination.
    warn(`destination ${route.name}: a proxy (HTTP_PROXY, HTTPS_PROXY) ${missing}; requests are sent without a proxy`);
    return fetch;
  }
  const { EnvHttpProxyAgent, fetch: send } = undici;
  const tls = pem(route);
  const dispatcher = new EnvHttpProxyAgent({ connect: { ...tls, timeout: route.timeoutMillis }, requestTls: tls });
  return ((url: string, init: object) => send(url, { ...init, dispatcher })) as unknown as typeof fetch;
}

function pem({ tls = {} }: Route): Record<string, string | Buffer> {
  return Object.fromEntries(
    Object.entries(tls).map(([name, text]) => [name, typeof text === "string" ? text : Buffer.from(text)]),
  );
}

/** Returns `true` if the environment names a proxy. undici decides which hosts are exempt (NO_PROXY). */
export function proxied(url: string): boolean {
  const { env } = process;
  // Newer versions of Node apply proxies themselves, if configured to.
  if (env.NODE_USE_ENV_PROXY === "1" && Number.parseInt(process.versions.node, 10) >= 24) return false;
  const name = url.startsWith("https:") ? "HTTPS_PROXY" : "HTTP_PROXY";
  return Boolean(env[name.toLowerCase()] || env[name]);
}
