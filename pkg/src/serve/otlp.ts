// The rules of OTLP/HTTP for receivers, without sockets: content types, unpacking within a limit, and answers in the sender's encoding.
import { promisify } from "node:util";
import { unzip } from "node:zlib";
import type { Rejected } from "../core.js";

/** Why a request was refused. `status` is that of HTTP; `retryAfter`, in seconds: the sender may try again. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

/**
 * Processes one unpacked body: protobuf, or JSON that begins with its brace. `peer` is the sender's address. Returns the refused spans,
 * if there are any. Throws a Refusal.
 */
export type Take = (body: Buffer, peer: string) => Rejected | undefined;

/** The codes of google.rpc.Status for HTTP statuses. */
export const CODES: Record<number, number> = { 400: 3, 403: 7, 404: 12, 405: 12, 408: 4, 413: 8, 415: 3, 503: 14 };
const UNKNOWN = 2;

export const PROTOBUF = "application/x-protobuf";
export const JSON_TYPE = "application/json";

export function mediaType(header: string | undefined): string {
  return (header ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/** An ExportTraceServiceResponse, empty if everything was accepted. The responses for metrics and logs look the same. */
export function accepted(type: string, partial?: Rejected): Buffer {
  if (type === JSON_TYPE) {
    const partialSuccess = partial && { rejectedSpans: String(partial.rejected), errorMessage: partial.message };
    return Buffer.from(JSON.stringify({ partialSuccess }));
  }
  return partial ? field(1, numbered(partial.rejected, partial.message)) : Buffer.alloc(0);
}

/** A google.rpc.Status. */
export function refused(type: string, { status, message }: Refusal): Buffer {
  const code = CODES[status] ?? UNKNOWN;
  return type === JSON_TYPE ? Buffer.from(JSON.stringify({ code, message })) : numbered(code, message);
}

/** `int64 number = 1; string message = 2`: both google.rpc.Status and ExportTracePartialSuccess. */
function numbered(number: number, message: string): Buffer {
  return Buffer.concat([Buffer.from([0x08, ...varint(number)]), field(2, Buffer.from(message.slice(0, 1000)))]);
}

function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes]);
}

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];

const unpackAsync = promisify<Buffer, { maxOutputLength: number }, Buffer>(unzip);

/** Limits of parallel unpacking: one body per thread of the pool, fewer of one sender. Waiting bodies stay packed. */
const MAX_UNPACKING = 4;
const MAX_OF_SENDER = 3;
const unpacking: string[] = [];
const waiting: { peer: string; go: () => void }[] = [];

function mayUnpack({ peer }: { peer: string }): boolean {
  return unpacking.length < MAX_UNPACKING && unpacking.filter((other) => other === peer).length < MAX_OF_SENDER;
}

/** The body of a request without its content encoding; it may unpack to at most `limit` bytes. */
export async function unpack(body: Buffer, encoding: string | undefined, limit: number, peer: string): Promise<Buffer> {
  const name = (encoding ?? "identity").trim().toLowerCase();
  if (name === "identity" || name === "") return body;
  if (name !== "gzip" && name !== "x-gzip" && name !== "deflate") {
    throw new Refusal(415, `content-encoding ${JSON.stringify(name)} is not supported; use gzip, deflate or none`);
  }
  if (mayUnpack({ peer })) unpacking.push(peer);
  else await new Promise<void>((go) => waiting.push({ peer, go }));
  try {
    return await unpackAsync(body, { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new Refusal(413, `the body unpacks to more than ${limit} bytes`);
    }
    throw new Refusal(400, `the body is not valid ${name}`);
  } finally {
    unpacking.splice(unpacking.indexOf(peer), 1);
    const next = waiting.findIndex(mayUnpack);
    for (const { peer, go } of next < 0 ? [] : waiting.splice(next, 1)) {
      unpacking.push(peer);
      go();
    }
  }
}

const BLANK = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** The JSON from its opening brace on. */
export function fromBrace(body: Buffer): Buffer {
  let at = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
  while (BLANK.has(body[at] ?? 0)) at++;
  if (body[at] !== 0x7b) throw new Refusal(400, "not an OTLP JSON body: it is not an object");
  return body.subarray(at);
}
