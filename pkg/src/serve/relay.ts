// `genspan relay`: receives, and sends on through the core and the delivery of the package.
import type { IncomingMessage, ServerResponse } from "node:http";
import { configure, type GenSpanOptions } from "../config.js";
import type { Host } from "../host.js";
import { nodeHost } from "../node-host.js";
import { Sender, type SenderStats } from "../sender.js";
import { version } from "../slim.js";
import { type GrpcReceiver, listenGrpc } from "./grpc.js";
import { type Counters, listen } from "./http.js";
import { Quit, type RelayCommand } from "./options.js";
import { Refusal } from "./otlp.js";

export interface Relay {
  url: string;
  grpc: string | null;
  destinations: { name: string; endpoint: string }[];
  /** Resolves when the core has stopped by a fault of its own. */
  broken: Promise<void>;
  /** Takes nothing new, sends what it has. */
  close(): Promise<{ received: Counters; stats: SenderStats }>;
}

/** What a sender that finds no room waits, in seconds. */
const RETRY_AFTER = 2;
const FLUSH_TIMEOUT = 20_000;
/** A queue is bounded by its bytes: a body is taken whole. */
const MAX_QUEUE = 1 << 20;

/**
 * The machine as the relay has it. Variables that describe a service describe the senders', not this one; `host.name` is where a
 * sender is.
 */
function relayHost(): Host {
  const { onExit: _, ...host } = nodeHost;
  const env = Object.entries(process.env).filter(([name]) => name.startsWith("OTEL_EXPORTER_OTLP_"));
  const token = process.env.OTEL_RESOURCE_ATTRIBUTES?.split(",").find((pair) => /^\s*token\s*=/.test(pair));
  return {
    ...host,
    env: { ...Object.fromEntries(env), ...(token && { OTEL_RESOURCE_ATTRIBUTES: token }) },
    hostName: () => undefined,
  };
}

/** Throws a Quit where options are wrong. */
export async function startRelay(command: RelayCommand, warn: (message: string) => void): Promise<Relay> {
  const options = { flushTimeoutMillis: FLUSH_TIMEOUT, maxQueueSize: MAX_QUEUE, ...command.options } as GenSpanOptions;
  const host = { ...relayHost(), warn };
  let config: ReturnType<typeof configure>;
  let sender: Sender;
  try {
    config = configure(options, host);
    for (const { endpoint } of config.routes) checkLoop(endpoint, command);
    sender = new Sender(config, options, host, { warn });
  } catch (error) {
    throw error instanceof Quit ? error : new Quit(2, (error as Error).message);
  }
  let breaks = () => {};
  const broken = new Promise<void>((resolve) => {
    breaks = resolve;
  });

  const take = (body: Buffer, peer: string) => {
    const pipeline = sender.usable();
    const { writer } = sender;
    if (sender.stopped || pipeline === undefined || writer === undefined) {
      if (!sender.stopped) breaks();
      throw new Refusal(503, "shutting down", RETRY_AFTER);
    }
    const address = Buffer.from(peer);
    let taken: ReturnType<typeof pipeline.ingest>;
    try {
      taken = pipeline.ingest(writer.raw(address, body), address.length, Date.now());
    } catch (error) {
      sender.fault("ingest", error);
      if (sender.usable() === undefined) breaks();
      throw new Refusal(503, "internal fault", RETRY_AFTER);
    }
    if (taken === "full") {
      sender.pump();
      sender.warn("the queue is full, senders are told to come again");
      throw new Refusal(503, "the queue is full", RETRY_AFTER);
    }
    if (typeof taken !== "number") throw new Refusal(400, taken.malformed);
    sender.took(pipeline, false);
  };

  function other({ method }: IncomingMessage, response: ServerResponse, path: string): boolean {
    if (path !== "/healthz" || (method !== "GET" && method !== "HEAD")) return false;
    const well = sender.usable() !== undefined && !sender.stopped;
    response.writeHead(well ? 200 : 503, { "content-type": "application/json", "cache-control": "no-store" });
    const body = {
      status: well ? "ok" : "ends",
      version: version(),
      received: receiver.counters,
      stats: sender.stats(),
    };
    response.end(method === "HEAD" ? undefined : JSON.stringify(body));
    return true;
  }

  const receiving = { ...command, otherSignals: "refuse", take } as const;
  const receiver = await listen({ ...receiving, other }).catch(async (error) => {
    await sender.shutdown();
    throw error;
  });
  let byGrpc: GrpcReceiver | undefined;
  try {
    if (command.grpcPort !== undefined) byGrpc = await listenGrpc({ ...receiving, port: command.grpcPort });
  } catch (error) {
    await Promise.all([receiver.close(), sender.shutdown()]);
    throw error;
  }
  return {
    url: receiver.url,
    grpc: byGrpc ? `${new URL(receiver.url).hostname}:${byGrpc.port}` : null,
    destinations: config.routes.map(({ name, endpoint }) => ({ name, endpoint })),
    broken,
    async close() {
      await Promise.all([receiver.close(), byGrpc?.close()]);
      await sender.shutdown();
      return { received: receiver.counters, stats: sender.stats() };
    },
  };
}

/** What it sends must not come back to it. */
function checkLoop(endpoint: string, { port, grpcPort }: RelayCommand): void {
  const url = new URL(endpoint);
  const own = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  const to = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  if (own && (to === port || to === grpcPort)) {
    throw new Quit(2, `${endpoint} is where the relay itself listens; choose another --port`);
  }
}
