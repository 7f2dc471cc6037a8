// The OTLP/gRPC receiver, where `@grpc/grpc-js` is installed: messages in and out as bytes, nothing generated.
import type * as Grpc from "@grpc/grpc-js";
import { addressOf, LAST_REQUESTS } from "./http.js";
import { CODES, Refusal, type Take } from "./otlp.js";

const service = (signal: string, name: string) => `/opentelemetry.proto.collector.${signal}.v1.${name}Service/Export`;
const TRACES = service("trace", "Trace");
const OTHER_SIGNALS = [service("metrics", "Metrics"), service("logs", "Logs")];
const UNKNOWN = 2;
/** Requests of one connection at a time. */
const MAX_STREAMS = 16;

export interface GrpcReceiver {
  port: number;
  close(): Promise<void>;
}

export interface GrpcOptions {
  host: string;
  port: number;
  maxBodyBytes: number;
  otherSignals: "discard" | "refuse";
  take: Take;
}

/** Undefined where the package is not installed. */
export async function listenGrpc(options: GrpcOptions): Promise<GrpcReceiver | undefined> {
  const grpc = await import("@grpc/grpc-js").catch(() => undefined);
  if (!grpc) return undefined;
  // What it has to say stands in the answer.
  grpc.setLogVerbosity(grpc.logVerbosity.NONE);
  const server = new grpc.Server({
    "grpc.max_receive_message_length": options.maxBodyBytes,
    "grpc.max_concurrent_streams": MAX_STREAMS,
  });
  const bytes = (message: Buffer) => message;
  const unary = (path: string) => ({
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  });
  const handle = (take: Take) => (call: Grpc.ServerUnaryCall<Buffer, Buffer>, answer: Grpc.sendUnaryData<Buffer>) => {
    try {
      take(
        call.request,
        addressOf(
          call
            .getPeer()
            .replace(/:\d+$/, "")
            .replace(/^\[|\]$/g, ""),
        ),
      );
      answer(null, Buffer.alloc(0));
    } catch (error) {
      const why = error instanceof Refusal ? error : new Refusal(500, "internal fault");
      answer({ code: CODES[why.status] ?? UNKNOWN, details: why.message });
    }
  };
  server.addService({ Export: unary(TRACES) }, { Export: handle(options.take) });
  for (const path of options.otherSignals === "discard" ? OTHER_SIGNALS : []) {
    server.addService({ Export: unary(path) }, { Export: handle(() => {}) });
  }
  const address = `${options.host.includes(":") ? `[${options.host}]` : options.host}:${options.port}`;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        const late = setTimeout(() => server.forceShutdown(), LAST_REQUESTS);
        server.tryShutdown(() => {
          clearTimeout(late);
          resolve();
        });
      }),
  };
}
