// The package in Node: what Node knows about itself, and nothing else on top of index.ts.
import { readFileSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import { onExit } from "./exit.js";
import { grpc } from "./grpc.js";
import { type GenSpanOptions, type Host, GenSpanProcessor as Processor, version } from "./index.js";
import { dispatch, proxied } from "./proxy.js";
import { openSpool } from "./spool.js";

export * from "./index.js";

const nodeHost: Host = {
  env: process.env,
  get headers() {
    return { "user-agent": `genspan/${version()}` };
  },
  // Measured: a native call costs as much as this many turns of the loop.
  shortText: Number.parseInt(process.versions.node, 10) >= 24 ? 16 : 48,
  hostName() {
    const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    return addresses.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? hostname();
  },
  readFile: (path) => readFileSync(path),
  grpc,
  dispatch,
  proxied,
  spool: openSpool,
  onExit,
};

/** The SpanProcessor of genspan. Reads the environment variables of OpenTelemetry for what the options leave out. */
export class GenSpanProcessor extends Processor {
  constructor(options: GenSpanOptions = {}, host: Host = nodeHost) {
    super(options, host);
  }
}
