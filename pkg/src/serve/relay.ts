// `genspan relay`: receives spans, and sends them through the core and the package's delivery.
import type { IncomingMessage, ServerResponse } from "node:http";
import { printable } from "../check.js";
import { configure } from "../config.js";
import { hostOfSenders, ingest, MAX_QUEUE, tokensIn } from "../ingest.js";
import { nodeHost } from "../node-host.js";
import type { GenSpanOptions } from "../options.js";
import { Sender, type SenderStats } from "../sender.js";
import { version } from "../slim.js";
import { tryDirectory } from "../spool.js";
import type { Route } from "../types.js";
import { type GrpcReceiver, listenGrpc } from "./grpc.js";
import { listen } from "./http.js";
import { type Counters, Intake } from "./intake.js";
import type { RelayCommand } from "./options.js";
import { Quit } from "./quit.js";

export interface Relay {
  url: string;
  grpc: string | null;
  /** The endpoints without secrets. */
  destinations: { name: string; endpoint: string }[];
  /** Resolves when the core has stopped after an internal fault. */
  broken: Promise<void>;
  /** Ends `close` early: the queue is written to the spool at once. Returns false if there is no spool. */
  hurry(): boolean;
  /** Accepts nothing new, and sends what it holds. */
  close(): Promise<{ received: Counters; stats: SenderStats }>;
}

const FLUSH_TIMEOUT = 20_000;
/** With a spool, undelivered batches are on disk well before a container's grace period of 10 s is over. */
const FLUSH_TIMEOUT_WITH_SPOOL = 5_000;
/** Throws a Quit if options are invalid. */
export async function startRelay(command: RelayCommand, warn: (message: string) => void): Promise<Relay> {
  const flushTimeoutMillis = command.options.spool === undefined ? FLUSH_TIMEOUT : FLUSH_TIMEOUT_WITH_SPOOL;
  const options = { flushTimeoutMillis, maxQueueSize: MAX_QUEUE, ...command.options } as GenSpanOptions;
  const host = { ...hostOfSenders(nodeHost), warn };
  let config: ReturnType<typeof configure>;
  let sender: Sender;
  try {
    config = configure(options, host);
    for (const { endpoint } of config.routes) checkLoop(endpoint, command);
    await checkPackages(config.routes);
    if (config.spool) await checkSpool(config.spool.dir);
    sender = new Sender(config, options, host, { warn, secretsIn: tokensIn, startedAnew: () => again() });
  } catch (error) {
    throw error instanceof Quit ? error : new Quit(2, (error as Error).message);
  }
  let breaks = () => {};
  const broken = new Promise<void>((resolve) => {
    breaks = resolve;
  });

  /** With a spool, no accepted span is lost: these are the bodies whose spans the core may still hold, oldest first. */
  const kept: { body: Buffer; peer: string; spans: number }[] = [];

  function keep(body: Buffer, peer: string, spans: number): void {
    kept.push({ body, peer, spans });
    let left = sender.left();
    // Spans leave in the order of their arrival, except for those that wait for a parent.
    const first = kept.findLastIndex((one) => {
      left -= one.spans;
      return left <= 0;
    });
    if (first > 0) kept.splice(0, first);
  }

  const take = (body: Buffer, peer: string) => {
    const taken = ingest(sender, body, peer, breaks);
    sender.took(taken.pipeline, false);
    if (config.spool) keep(body, peer, taken.pipeline.taken);
    return taken.rejected;
  };

  /** Processes the bodies again that the core held when it broke. Spans that had already left it are sent twice. */
  function again(): number {
    let handed = 0;
    for (const { body, peer, spans } of kept.splice(0)) {
      try {
        take(body, peer);
        handed += spans;
      } catch {
        // The body is counted as lost.
      }
    }
    return handed;
  }

  function other({ method }: IncomingMessage, response: ServerResponse, path: string): boolean {
    if (path !== "/healthz" || (method !== "GET" && method !== "HEAD")) return false;
    const well = sender.usable() !== undefined && !sender.stopped;
    response.writeHead(well ? 200 : 503, { "content-type": "application/json", "cache-control": "no-store" });
    const body = {
      status: well ? "ok" : "ends",
      version: version(),
      received: intake.counters,
      stats: sender.stats(),
    };
    response.end(method === "HEAD" ? undefined : JSON.stringify(body));
    return true;
  }

  const intake = new Intake({ ...command, otherSignals: command.forward ?? "refuse", take });
  const receiver = await listen({ ...command, intake, other }).catch(async (error) => {
    await sender.shutdown();
    throw error;
  });
  let byGrpc: GrpcReceiver | undefined;
  try {
    if (command.grpcPort !== undefined) byGrpc = await listenGrpc({ ...command, intake, port: command.grpcPort });
  } catch (error) {
    await Promise.all([receiver.close(), sender.shutdown()]);
    throw error;
  }
  return {
    url: receiver.url,
    grpc: byGrpc ? `${new URL(receiver.url).hostname}:${byGrpc.port}` : null,
    destinations: config.routes.map(({ name, endpoint }) => ({ name, endpoint: printable(endpoint) })),
    broken,
    hurry() {
      if (!config.spool) return false;
      receiver.destroy();
      byGrpc?.destroy();
      sender.giveUp();
      return true;
    },
    async close() {
      await Promise.all([receiver.close(), byGrpc?.close()]);
      await sender.shutdown();
      return { received: intake.counters, stats: sender.stats() };
    },
  };
}

/** Checks for the packages that destinations need. Without them, the relay would accept spans that can never be sent. */
async function checkPackages(routes: Route[]): Promise<void> {
  for (const { name, protocol, tls } of routes) {
    const [what, wanted] =
      protocol === "grpc" ? ['protocol "grpc"', "@grpc/grpc-js"] : tls ? ["tls", "undici@7"] : [undefined, ""];
    if (what === undefined) continue;
    await import(wanted.replace(/(?<=.)@.*/, "")).catch(() => {
      const fix = `run npx -p genspan -p ${wanted} genspan relay …, or npm install ${wanted} where genspan is installed`;
      throw new Quit(1, `destination ${name}: ${what} needs the package ${wanted}, which is not installed; ${fix}`);
    });
  }
}

async function checkSpool(dir: string): Promise<void> {
  await tryDirectory(dir).catch((error: Error) => {
    const fix = "use a directory that this user can create and write to";
    throw new Quit(1, `spool.dir: ${JSON.stringify(dir)} cannot be used: ${error.message}; ${fix}`);
  });
}

/** Refuses endpoints that would send the relay's output back to it. */
function checkLoop(endpoint: string, { port, grpcPort }: RelayCommand): void {
  const url = new URL(endpoint);
  const own = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  const to = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  if (own && (to === port || to === grpcPort)) {
    throw new Quit(2, `${printable(endpoint)} is the address of the relay itself; choose another --port`);
  }
}
