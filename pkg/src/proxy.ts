// Fetch with certificates of its own and through the proxies of the environment. In Node by the package `undici`, where the application has it:
// Node's own fetch can do neither by itself. Bun's can do both, and the `undici` that it brings along neither.
import type * as Undici from "undici";
import { peer } from "./peer.js";
import type { Route, Warn } from "./slim.js";

export async function dispatch(route: Route, warn: Warn): Promise<typeof fetch> {
  if (process.versions.bun) {
    const { tls } = route;
    return ((url: string, init: object) => fetch(url, (tls ? { ...init, tls } : init) as RequestInit)) as typeof fetch;
  }
  const undici = await peer<typeof Undici>("undici");
  if (!undici) {
    const missing = "needs the package undici, which is not installed; run npm install undici@7";
    if (route.tls) throw new Error(`tls ${missing}`);
    // The environment is the host's: it may name a proxy that is not meant for this.
    warn(`destination ${route.name}: a proxy (HTTP_PROXY, HTTPS_PROXY) ${missing}; requests go without one`);
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

/** Does the environment name a proxy? Which hosts go without one (NO_PROXY) is undici's to say. */
export function proxied(url: string): boolean {
  const { env } = process;
  // Newer versions of Node do it themselves where they are asked to.
  if (env.NODE_USE_ENV_PROXY === "1" && Number.parseInt(process.versions.node, 10) >= 24) return false;
  const name = url.startsWith("https:") ? "HTTPS_PROXY" : "HTTP_PROXY";
  return Boolean(env[name.toLowerCase()] || env[name]);
}
