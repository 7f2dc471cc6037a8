// OTLP/gRPC in Node, through `@grpc/grpc-js` if the application has it installed. Sends and receives plain bytes, without generated code. Loaded
// with the first request.
import { Buffer } from "node:buffer";
import type * as Grpc from "@grpc/grpc-js";
import { untraced } from "./otel.js";
import { peer } from "./peer.js";
import { version } from "./slim.js";
import { headersOf, timed } from "./transport.js";
import type { Answer, Route, Send } from "./types.js";

const EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const GZIP = 2;
const MAX_RESPONSE = 4 << 20;

interface Connected {
  grpc: typeof Grpc;
  client: Grpc.Client;
}

export function grpc(route: Route): Send {
  let connected: Promise<Connected> | undefined;
  return (body, abort) =>
    timed(route, abort, async (stop) => {
      connected ??= connect(route);
      const { grpc, client } = await connected.catch((error) => {
        connected = undefined;
        throw error;
      });
      const metadata = new grpc.Metadata();
      const { "user-agent": _, ...headers } = await headersOf(route, stop);
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
      return send(client, metadata, body, Date.now() + route.timeoutMillis, stop);
    });
}

function send(
  client: Grpc.Client,
  metadata: Grpc.Metadata,
  body: Uint8Array,
  deadline: number,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const answered = (error: Grpc.ServiceError | null, response?: Uint8Array) => {
      if (signal.aborted) return reject(signal.reason);
      if (!error) return resolve({ status: 0, retryAfter: -1, body: response ?? new Uint8Array() });
      const [details] = error.metadata?.get("grpc-status-details-bin") ?? [];
      const body = typeof details === "object" ? details : new Uint8Array();
      resolve({ status: error.code, retryAfter: -1, body, message: error.details });
    };
    const toBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const same = (bytes: Buffer) => bytes;
    const call = untraced(() =>
      client.makeUnaryRequest<Uint8Array, Uint8Array>(EXPORT, toBuffer, same, body, metadata, { deadline }, answered),
    );
    if (signal.aborted) call.cancel();
    signal.addEventListener("abort", () => call.cancel());
  });
}

async function connect(route: Route): Promise<Connected> {
  const grpc = await peer<typeof Grpc>("@grpc/grpc-js");
  if (!grpc) {
    throw new Error(
      'protocol "grpc" needs the package @grpc/grpc-js, which is not installed; run npm install @grpc/grpc-js',
    );
  }
  const { protocol, hostname, port } = new URL(route.endpoint);
  const secure = protocol === "https:";
  const { ca, cert, key } = route.tls ?? {};
  const bytes = (pem: string | Uint8Array | undefined) => (pem === undefined ? null : Buffer.from(pem));
  const client = new grpc.Client(
    `${hostname}:${port || (secure ? 443 : 80)}`,
    secure ? grpc.credentials.createSsl(bytes(ca), bytes(key), bytes(cert)) : grpc.credentials.createInsecure(),
    {
      "grpc.primary_user_agent": `genspan/${version()}`,
      // The core decides about retries.
      "grpc.enable_retries": 0,
      "grpc.max_receive_message_length": MAX_RESPONSE,
      ...(route.gzip && { "grpc.default_compression_algorithm": GZIP }),
    },
  );
  return { grpc, client };
}
