// The host for Node.
import { readFileSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import { onExit } from "./exit.js";
import { grpc } from "./grpc.js";
import { dispatch, proxied } from "./proxy.js";
import { type Host, version } from "./slim.js";
import { openSpool } from "./spool.js";

export const nodeHost: Host = {
  env: process.env,
  get headers() {
    return { "user-agent": `genspan/${version()}` };
  },
  // Measured: a native call costs as much as this many iterations of the loop.
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
