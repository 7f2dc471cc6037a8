// The package for Deno. It reads only what the program has permission to read, and never prompts.
import { grpc } from "./grpc.js";
import { webHost } from "./host.js";
import { type GenSpanOptions, type Host, GenSpanProcessor as Processor, version } from "./index.js";
import { openSpool } from "./spool.js";
import type { Tls } from "./types.js";

export * from "./index.js";

interface Runtime {
  permissions: { querySync(descriptor: object): { state: string } };
  env: { get(name: string): string | undefined };
  hostname(): string;
  readFileSync(path: string): Uint8Array;
  createHttpClient(options: { caCerts?: string[]; cert?: string; key?: string }): object;
}

const { Deno } = globalThis as unknown as { Deno: Runtime };
const granted = (descriptor: object) => Deno.permissions.querySync(descriptor).state === "granted";

const denoHost: Host = {
  ...webHost,
  env: new Proxy<Record<string, string | undefined>>(
    {},
    {
      get: (_, name) =>
        typeof name === "string" && granted({ name: "env", variable: name }) ? Deno.env.get(name) : undefined,
    },
  ),
  get headers() {
    return { "user-agent": `genspan/${version()}` };
  },
  hostName: () => (granted({ name: "sys", kind: "hostname" }) ? Deno.hostname() : undefined),
  readFile: (path) => Deno.readFileSync(path),
  grpc,
  // Deno applies the proxies of the environment itself.
  async dispatch({ tls }) {
    const client = Deno.createHttpClient(pem(tls));
    return ((url: string, init: object) => fetch(url, { ...init, client } as object)) as typeof fetch;
  },
  spool: openSpool,
};

function pem({ ca, cert, key }: Tls = {}) {
  const text = (bytes: string | Uint8Array) => (typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes));
  return {
    ...(ca && { caCerts: [text(ca)] }),
    ...(cert && { cert: text(cert) }),
    ...(key && { key: text(key) }),
  };
}

/** The SpanProcessor of genspan. For options that are not set, it reads the environment variables of OpenTelemetry, if permitted. */
export class GenSpanProcessor extends Processor {
  constructor(options: GenSpanOptions = {}, host: Host = denoHost) {
    super(options, host);
  }
}
