// Fetch with certificates of its own and through the proxies of the environment, in Node: by the package `undici`, where the
// application has it. Node's own fetch can do neither.
import type { Route } from "./index.js";

export async function dispatch(route: Route): Promise<typeof fetch> {
  const { EnvHttpProxyAgent, fetch: send } = await import("undici").catch(() => {
    const why = route.tls ? "certificates (tls)" : "a proxy (HTTP_PROXY, HTTPS_PROXY)";
    throw new Error(`${why} needs the package undici, which is not installed; run npm install undici@7`);
  });
  const dispatcher = new EnvHttpProxyAgent({
    connect: { ...text(route), timeout: route.timeoutMillis },
    requestTls: text(route),
  });
  return ((url: string, init: object) => send(url, { ...init, dispatcher })) as unknown as typeof fetch;
}

function text({ tls = {} }: Route): Record<string, string | Buffer> {
  return Object.fromEntries(
    Object.entries(tls).map(([name, pem]) => [name, typeof pem === "string" ? pem : Buffer.from(pem)]),
  );
}

/** Does the environment name a proxy? Which hosts go without one (NO_PROXY) is undici's to say. */
export function proxied(url: string, env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  const name = url.startsWith("https:") ? "HTTPS_PROXY" : "HTTP_PROXY";
  return Boolean(env[name.toLowerCase()] || env[name]);
}
