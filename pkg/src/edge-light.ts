// The package for Vercel's edge runtime, which compiles modules imported with the query `?module`, and provides the environment as Node does.
import module from "./core.wasm?module";
import { webHost } from "./host.js";
import { type GenSpanOptions, type Host, initSync, GenSpanProcessor as Processor } from "./slim.js";

export * from "./slim.js";

initSync(module);

const { process } = globalThis as { process?: { env: Host["env"] } };

/** The SpanProcessor of genspan. For options that are not set, it reads the environment variables of OpenTelemetry. */
export class GenSpanProcessor extends Processor {
  constructor(options: GenSpanOptions = {}, host: Host = { ...webHost, env: process?.env ?? {} }) {
    super(options, host);
  }
}
