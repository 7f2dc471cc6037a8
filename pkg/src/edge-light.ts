// The package in Vercel's edge runtime, which wants to be asked for a compiled module in the query, and gives the environment as Node does.
import module from "./core.wasm?module";
import { webHost } from "./host.js";
import { type GenSpanOptions, type Host, initSync, GenSpanProcessor as Processor } from "./slim.js";

export * from "./slim.js";

initSync(module);

const { process } = globalThis as { process?: { env: Host["env"] } };

/** The SpanProcessor of genspan. Reads the environment variables of OpenTelemetry for what the options leave out. */
export class GenSpanProcessor extends Processor {
  constructor(options: GenSpanOptions = {}, host: Host = { ...webHost, env: process?.env ?? {} }) {
    super(options, host);
  }
}
