// The OTLP/gRPC receiver: unary calls over HTTP/2 without TLS, with Node's own server and one message each. No code is generated: a message
// is passed to the intake as bytes, like a body of OTLP/HTTP.
import { createServer, type Http2Session, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { LAST_REQUESTS } from "./http.js";
import { HEAD, type Intake, type Signal } from "./intake.js";
import { accepted, CODES, PROTOBUF, Refusal } from "./otlp.js";

const service = (signal: string, name: string) => `/opentelemetry.proto.collector.${signal}.v1.${name}Service/Export`;
const SIGNALS = new Map<string, Signal>([
  [service("trace", "Trace"), "traces"],
  [service("metrics", "Metrics"), "other"],
  [service("logs", "Logs"), "other"],
]);
const CONTENT_TYPE = "application/grpc";
const ENCODINGS = "identity,gzip,deflate";
const UNKNOWN = 2;
const UNIMPLEMENTED = 12;
/** Maximum number of concurrent requests of one connection. */
const MAX_STREAMS = 16;
/** The prefix of a message: whether it is compressed, and its length. */
const PREFIX = HEAD;

export interface GrpcReceiver {
  port: number;
  /** Accepts nothing new; resolves when the requests in progress are answered. */
  close(): Promise<void>;
  /** Ends what is under way without an answer. */
  destroy(): void;
}

export interface GrpcOptions {
  host: string;
  port: number;
  intake: Intake;
}

export async function listenGrpc({ host, port, intake }: GrpcOptions): Promise<GrpcReceiver> {
  async function call(
    stream: ServerHttp2Stream,
    socket: Socket | undefined,
    headers: IncomingHttpHeaders,
  ): Promise<void> {
    intake.counters.requests++;
    try {
      const signal = SIGNALS.get(headers[":path"] ?? "");
      if (!signal) throw new Refusal(404, `there is no method ${JSON.stringify(headers[":path"])}`);
      const rejected = await intake.request({
        stream,
        socket,
        signal,
        announced: (head) => (head.length < PREFIX ? 0 : PREFIX + head.readUInt32BE(1)),
        isJson: false,
        answersEarly: true,
        unwrap: (body) => message(body, headers["grpc-encoding"] as string | undefined),
      });
      if (stream.destroyed) return;
      stream.respond(
        { ":status": 200, "content-type": CONTENT_TYPE, "grpc-accept-encoding": ENCODINGS },
        { waitForTrailers: true },
      );
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(framed(accepted(PROTOBUF, rejected)));
    } catch (error) {
      refuse(stream, intake.refused(error));
    }
  }

  const server = createServer({ settings: { maxConcurrentStreams: MAX_STREAMS, enablePush: false } });
  /** Each session with its socket: the socket that the session itself returns is not the same object. */
  const sessions = new Map<Http2Session, Socket>();
  let connecting: Socket;
  server.prependListener("connection", (socket: Socket) => {
    connecting = socket;
    intake.connected(socket);
  });
  server.on("session", (session) => {
    sessions.set(session, connecting);
    session.on("close", () => sessions.delete(session));
  });
  // Errors of a connection or a request are its sender's problem: the request is answered, or the connection is gone.
  server.on("sessionError", () => {});
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    if (!isGrpc(headers)) return stream.respond({ ":status": 415 }, { endStream: true });
    const socket = stream.session && sessions.get(stream.session);
    intake.asked(socket, stream);
    void call(stream, socket, headers);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, host, () => resolve(void server.off("error", reject)));
  });
  const destroy = () => {
    intake.closing = true;
    for (const session of sessions.keys()) session.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    destroy,
    close: () =>
      new Promise((resolve) => {
        intake.closing = true;
        for (const session of sessions.keys()) session.close();
        const late = setTimeout(destroy, LAST_REQUESTS);
        server.close(() => {
          clearTimeout(late);
          resolve();
        });
      }),
  };
}

function isGrpc(headers: IncomingHttpHeaders): boolean {
  const type = headers["content-type"] ?? "";
  return headers[":method"] === "POST" && /^application\/grpc(\+proto)?(;|$)/i.test(type);
}

/** The one message of a unary call, and its compression. */
function message(body: Buffer, encoding: string | undefined): [Buffer, string | undefined] {
  if (body.length < PREFIX) throw new Refusal(400, "the request has no message");
  if (body.readUInt32BE(1) !== body.length - PREFIX) throw new Refusal(400, "the request is not exactly one message");
  const flag = body[0] as number;
  if (flag > 1 || (flag === 1 && !encoding))
    throw new Refusal(400, "the message is compressed without naming the coding");
  return [body.subarray(PREFIX), flag === 1 ? encoding : undefined];
}

/** A message as the body of an answer. */
function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Ends a call with a status instead of a message. */
function refuse(stream: ServerHttp2Stream, { status, message }: Refusal): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond(
    {
      ":status": 200,
      "content-type": CONTENT_TYPE,
      "grpc-accept-encoding": ENCODINGS,
      "grpc-status": status === 415 ? UNIMPLEMENTED : (CODES[status] ?? UNKNOWN),
      "grpc-message": encodeURIComponent(message.slice(0, 1000).replace(/\p{Cs}/gu, "\ufffd")),
    },
    { endStream: true },
  );
  // The rest of the request is not read.
  stream.close();
}
