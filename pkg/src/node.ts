// The package for Node: index.ts with Node's host.
import { type GenSpanOptions, type Host, GenSpanProcessor as Processor } from "./index.js";
import { nodeHost } from "./node-host.js";

export * from "./index.js";

/** The SpanProcessor of genspan. For options that are not set, it reads the environment variables of OpenTelemetry. */
export class GenSpanProcessor extends Processor {
  constructor(options: GenSpanOptions = {}, host: Host = nodeHost) {
    super(options, host);
  }
}
