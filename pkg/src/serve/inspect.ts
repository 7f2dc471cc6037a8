// `genspan inspect`: receives bodies, keeps the newest ones, and serves them to the page.
import { spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import { version } from "../slim.js";
import { listenGrpc } from "./grpc.js";
import { listen, plain } from "./http.js";
import { Intake } from "./intake.js";
import { Kept } from "./kept.js";
import type { InspectCommand } from "./options.js";
import { pageIn, SAFETY } from "./page.js";
import { Lines, spansOf } from "./terminal.js";

export interface Inspector {
  url: string;
  /** Address of the gRPC receiver; null if it is disabled. */
  grpc: string | null;
  /** Ingests a body as if a sender had sent it. */
  add(body: Uint8Array): void;
  close(): Promise<void>;
}

export interface Showing {
  /** The folder of the page. */
  folder: string;
  /** Writes a line for each trace. */
  write: (line: string) => void;
  colour: boolean;
  heartbeatMillis?: number;
}

export async function startInspector(command: InspectCommand, showing: Showing): Promise<Inspector> {
  const kept = new Kept(command.keepBytes, showing.heartbeatMillis);
  const lines = new Lines(showing.write, showing.colour);
  const page = pageIn(showing.folder);
  let spans = 0;
  const take = (body: Buffer) => {
    const { json, partial } = spansOf(body);
    spans += lines.add(json);
    kept.add(body);
    return partial;
  };
  const intake = new Intake({ ...command, otherSignals: "discard", take });
  let grpc: string | null = null;

  function info() {
    return {
      version: version(),
      endpoints: { http: receiver.url, grpc },
      keepBytes: kept.maxBytes,
      received: { ...intake.counters, spans },
      kept: kept.stats,
    };
  }

  function other(request: IncomingMessage, response: ServerResponse, path: string): boolean {
    const { method } = request;
    const api = path === "/api/info" || path === "/api/bodies";
    if (method !== "GET" && !(method === "HEAD" && !api)) {
      response.setHeader("allow", "GET");
      plain(response, 405, "use GET");
      return true;
    }
    if (!api) return page(response, path, method === "HEAD");
    const headers = { ...SAFETY, "cache-control": "no-store" };
    if (path === "/api/info") {
      response.writeHead(200, { ...headers, "content-type": "application/json" }).end(JSON.stringify(info()));
      return true;
    }
    response.socket?.setNoDelay(true);
    for (const [name, value] of Object.entries({ ...headers, "content-type": "application/octet-stream" })) {
      response.setHeader(name, value);
    }
    if (kept.follow(response)) response.flushHeaders();
    else plain(response, 503, "too many pages are connected");
    return true;
  }

  const receiver = await listen({ ...command, intake, other });
  const byGrpc =
    command.grpcPort === undefined
      ? undefined
      : await listenGrpc({ ...command, intake, port: command.grpcPort }).catch(async (error) => {
          await receiver.close();
          throw error;
        });
  if (byGrpc) grpc = `${new URL(receiver.url).hostname}:${byGrpc.port}`;
  return {
    url: receiver.url,
    grpc,
    add: (body) => take(Buffer.from(body)),
    async close() {
      lines.close();
      kept.close();
      await Promise.all([receiver.close(), byGrpc?.close()]);
    },
  };
}

/** Opens the page in the user's browser, if there is one. */
export function openBrowser(url: string): void {
  const [command, ...args] =
    process.platform === "darwin"
      ? ["open", url]
      : process.platform === "win32"
        ? ["cmd", "/c", "start", "", url]
        : ["xdg-open", url];
  const child = spawn(command as string, args, { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}
