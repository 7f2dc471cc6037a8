// OTLP/gRPC in Node, through `@grpc/grpc-js` where the application has it: bytes in, bytes out, nothing generated. Loaded with
// the first request.
import type * as Grpc from "@grpc/grpc-js";
import type { Route, Send } from "./index.js";
import { untraced } from "./otel.js";

const EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const GZIP = 2;
const MAX_RESPONSE = 4 << 20;

export function grpc(route: Route): Send {
  let client: Promise<{ grpc: typeof Grpc; client: Grpc.Client }> | undefined;
  return async (body, signal) => {
    client ??= connect(route);
    const connected = await client.catch((error) => {
      client = undefined;
      throw error;
    });
    const metadata = new connected.grpc.Metadata();
    for (const [name, value] of Object.entries(await route.headers())) metadata.set(name.toLowerCase(), value);
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + route.timeoutMillis };
      const stop = () => call.cancel();
      const call = untraced(() =>
        connected.client.makeUnaryRequest<Uint8Array, Uint8Array>(
          EXPORT,
          (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
          (bytes) => bytes,
          body,
          metadata,
          options,
          (error, response) => {
            signal.removeEventListener("abort", stop);
            if (signal.aborted) return reject(signal.reason);
            if (!error) return resolve({ status: 0, retryAfter: -1, body: response ?? new Uint8Array() });
            const [details] = error.metadata?.get("grpc-status-details-bin") ?? [];
            const said = typeof details === "object" ? details : new Uint8Array();
            resolve({ status: error.code, retryAfter: -1, body: said, message: error.details });
          },
        ),
      );
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop);
    });
  };
}

async function connect(route: Route): Promise<{ grpc: typeof Grpc; client: Grpc.Client }> {
  const grpc = await import("@grpc/grpc-js").catch(() => {
    throw new Error(
      'protocol "grpc" needs the package @grpc/grpc-js, which is not installed; run npm install @grpc/grpc-js',
    );
  });
  const { protocol, hostname, port } = new URL(route.endpoint);
  const secure = protocol === "https:";
  const { ca, cert, key } = route.tls ?? {};
  const bytes = (pem: string | Uint8Array | undefined) => (pem === undefined ? null : Buffer.from(pem));
  const client = new grpc.Client(
    `${hostname}:${port || (secure ? 443 : 80)}`,
    secure ? grpc.credentials.createSsl(bytes(ca), bytes(key), bytes(cert)) : grpc.credentials.createInsecure(),
    {
      // Whether to try again is the core's to say.
      "grpc.enable_retries": 0,
      "grpc.max_receive_message_length": MAX_RESPONSE,
      ...(route.gzip && { "grpc.default_compression_algorithm": GZIP }),
    },
  );
  return { grpc, client };
}
