// The package in Deno: reads what the program has been given leave to read, and asks for nothing.
import { webHost } from "./host.js";
import { type GenSpanOptions, type Host, GenSpanProcessor as Processor, version } from "./index.js";

export * from "./index.js";

interface Runtime {
  permissions: { querySync(descriptor: object): { state: string } };
  env: { get(name: string): string | undefined };
  hostname(): string;
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
};

/** The SpanProcessor of genspan. Reads the environment variables of OpenTelemetry, where it may, for what the options leave out. */
export class GenSpanProcessor extends Processor {
  constructor(options: GenSpanOptions = {}, host: Host = denoHost) {
    super(options, host);
  }
}
