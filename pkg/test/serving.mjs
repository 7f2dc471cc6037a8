// Starts the commands that stay, in this process or in one of their own, and talks to them as any client may.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import http2 from "node:http2";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import * as serve from "../dist/serve.js";

const bin = fileURLToPath(new URL("../bin/genspan.js", import.meta.url));

/** An inspector on free ports; what it says is in `lines`. */
export async function inspector(t, args = [], showing = {}) {
  const lines = [];
  const command = serve.inspectCommand(["--port", "0", "--grpc-port", "0", ...args]);
  const inspector = await serve.startInspector(command, {
    folder: "/nowhere",
    write: (line) => lines.push(line),
    colour: false,
    ...showing,
  });
  t.after(() => inspector.close());
  return { ...inspector, lines, info: async () => (await fetch(`${inspector.url}/api/info`)).json() };
}

/** A relay on free ports; its options are those of the package. */
export async function relay(t, options, args = []) {
  const warnings = [];
  const command = serve.relayCommand(["--to", "http://127.0.0.1:9", "--port", "0", "--grpc-port", "0", ...args]);
  delete command.options.endpoint;
  Object.assign(command.options, options);
  const relay = await serve.startRelay(command, (message) => warnings.push(message));
  let closed;
  const close = () => {
    closed ??= relay.close();
    return closed;
  };
  t.after(close);
  return { ...relay, close, warnings };
}

/** A request with whatever head: `fetch` forbids some. */
export function ask(url, { method = "GET", headers = {}, body, path } = {}) {
  return new Promise((resolve, reject) => {
    const { hostname, port, pathname } = new URL(url);
    const sent = request({ hostname, port, path: path ?? pathname, method, headers, agent: false }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

export function post(url, body, headers = {}, path = "/v1/traces") {
  return ask(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf", ...headers },
    body,
  });
}

/**
 * A connection that sends the head of a request by HTTP that announces `length` bytes, and so many of them. `ended` resolves with what was
 * answered once the other side has ended it.
 */
export function begin(t, url, length, bytes, localAddress) {
  const { port, hostname } = new URL(url);
  const socket = connect({ port, host: hostname, ...(localAddress && { localAddress }) });
  t.after(() => socket.destroy());
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk;
  });
  socket.on("error", () => {});
  const head = `POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\ncontent-length: ${length}\r\n\r\n`;
  socket.write(head);
  socket.write(Buffer.alloc(bytes));
  return { socket, ended: new Promise((resolve) => socket.on("close", () => resolve(answer))) };
}

/** So many calls by gRPC on one connection, each with a message of `length` bytes of which so many are sent. */
export function beginCalls(t, address, calls, length, bytes) {
  // What waits to be sent counts as this side's memory.
  const session = http2.connect(`http://${address}`, { maxSessionMemory: 1000 });
  t.after(() => session.destroy());
  session.on("error", () => {});
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(length, 1);
  return Array.from({ length: calls }, () => {
    const stream = session.request({ ":method": "POST", ":path": EXPORT, "content-type": "application/grpc" });
    stream.on("error", () => {});
    stream.write(Buffer.concat([prefix, Buffer.alloc(bytes)]));
    let status;
    stream.on("response", (headers) => {
      status = headers["grpc-status"];
    });
    stream.resume();
    return { stream, ended: new Promise((resolve) => stream.on("close", () => resolve(status))) };
  });
}

export const EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/** A call by gRPC. */
export function callWhole(address, body, path = EXPORT, options = {}, headers = {}) {
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), options);
  const same = (bytes) => bytes;
  return new Promise((resolve, reject) => {
    const metadata = grpc.Metadata.fromHttp2Headers(headers);
    client.makeUnaryRequest(path, same, same, body, metadata, (error, response) => {
      client.close();
      if (error) reject(error);
      else resolve(response);
    });
  });
}

/** The length of its answer, or the code that it failed with. */
export const call = (...request) =>
  callWhole(...request).then(
    ({ length }) => length,
    ({ code }) => code,
  );

/** Follows /api/bodies: `next()` gives the next frame. */
export async function follow(url) {
  const abort = new AbortController();
  const response = await fetch(`${url}/api/bodies`, { signal: abort.signal });
  const reader = response.body.getReader();
  let read = Buffer.alloc(0);
  return {
    response,
    async next() {
      while (read.length < 4 || read.length < 4 + read.readUInt32LE()) {
        const { done, value } = await reader.read();
        if (done) return undefined;
        read = Buffer.concat([read, value]);
      }
      const end = 4 + read.readUInt32LE();
      const frame = read.subarray(4, end);
      read = read.subarray(end);
      return frame;
    },
    close: () => abort.abort(),
  };
}

/** `genspan …` as a process of its own; `ready` gives the address of its receiver. */
export function command(t, args, env = {}, program = bin) {
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, ...env } });
  t.after(() => child.kill("SIGKILL"));
  let out = "";
  let err = "";
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  const ended = once(child, "close").then(([status]) => ({ status, out, err }));
  const ready = new Promise((resolve, reject) => {
    ended.then(({ status }) => reject(new Error(`genspan ${args.join(" ")} ended with status ${status}: ${err}`)));
    child.stdout.on("data", (chunk) => {
      out += chunk;
      const [, url] = /OTLP\/HTTP {2}(\S+)\/v1\/traces/.exec(out) ?? [];
      const [, grpc] = /OTLP\/gRPC {2}(\S+)/.exec(out) ?? [];
      if (url && grpc) resolve({ url, grpc });
    });
  });
  // Not every test waits for it.
  ready.catch(() => {});
  return { pid: child.pid, ready, ended, kill: (signal) => child.kill(signal) };
}
