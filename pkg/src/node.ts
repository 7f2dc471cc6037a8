// The package in Node: what Node knows about itself, and nothing else on top of index.ts.
import { type GenSpanOptions, type Host, GenSpanProcessor as Processor } from "./index.js";
import { nodeHost } from "./node-host.js";

export * from "./index.js";

/** The SpanProcessor of genspan. Reads the environment variables of OpenTelemetry for what the options leave out. */
export class GenSpanProcessor extends Processor {
  constructor(options: GenSpanOptions = {}, host: Host = nodeHost) {
    super(options, host);
  }
}
