// The rules of OTLP/HTTP for receivers, without sockets and for any runtime: paths, content types, and answers in the sender's encoding.
import type { Rejected } from "./core.js";

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

/** The codes of google.rpc.Status for HTTP statuses. */
export const CODES: Record<number, number> = {
  400: 3,
  401: 16,
  403: 7,
  404: 12,
  405: 12,
  408: 4,
  413: 8,
  415: 3,
  429: 8,
  503: 14,
};
const UNKNOWN = 2;

export const PROTOBUF = "application/x-protobuf";
export const JSON_TYPE = "application/json";

export function mediaType(header: string | undefined): string {
  return (header ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/** An ExportTraceServiceResponse, empty if everything was accepted. The responses for metrics and logs look the same. */
export function accepted(type: string, partial?: Rejected): Uint8Array<ArrayBuffer> {
  if (type === JSON_TYPE) {
    const partialSuccess = partial && { rejectedSpans: String(partial.rejected), errorMessage: partial.message };
    return utf8(JSON.stringify({ partialSuccess }));
  }
  return partial ? field(1, numbered(partial.rejected, partial.message)) : new Uint8Array();
}

/** A google.rpc.Status. */
export function refused(type: string, { status, message }: Refusal): Uint8Array<ArrayBuffer> {
  const code = CODES[status] ?? UNKNOWN;
  return type === JSON_TYPE ? utf8(JSON.stringify({ code, message })) : numbered(code, message);
}

/** `int64 number = 1; string message = 2`: both google.rpc.Status and ExportTracePartialSuccess. */
function numbered(number: number, message: string): Uint8Array<ArrayBuffer> {
  return joined([0x08, ...varint(number)], field(2, utf8(message.slice(0, 1000))));
}

function field(number: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return joined([(number << 3) | 2, ...varint(bytes.length)], bytes);
}

function joined(head: number[], rest: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(head.length + rest.length);
  all.set(head);
  all.set(rest, head.length);
  return all;
}

const utf8 = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];

const BLANK = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** The JSON from its opening brace on. */
export function fromBrace<B extends Uint8Array>(body: B): B {
  let at = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
  while (BLANK.has(body[at] ?? 0)) at++;
  if (body[at] !== 0x7b) throw new Refusal(400, "not an OTLP JSON body: it is not an object");
  return body.subarray(at) as B;
}

/** The paths of OTLP, with any prefix: SDKs of some backends put their own path in front. */
export const TRACES = "/v1/traces";
const SIGNALS = [TRACES, "/v1/metrics", "/v1/logs", "/v1development/profiles"] as const;
/** The content of a request, by its path. */
export type Signal = (typeof SIGNALS)[number];

export function signalOf(path: string): Signal | undefined {
  return SIGNALS.find((signal) => path.endsWith(signal));
}

/** The encoding of a request's body. Throws a Refusal if the request is not one of OTLP. */
export function encodingOf(method: string | undefined, contentType: string | null | undefined): string {
  const type = mediaType(contentType ?? "");
  if (method !== "POST") throw new Refusal(405, "use POST");
  if (type !== PROTOBUF && type !== JSON_TYPE) {
    throw new Refusal(415, `content-type ${JSON.stringify(type)} is not OTLP: use ${PROTOBUF} or ${JSON_TYPE}`);
  }
  return type;
}

/** The name of a content encoding that receivers unpack; undefined for none. Throws a Refusal. */
export function codingOf(header: string | null | undefined): "gzip" | "deflate" | undefined {
  const name = (header ?? "identity").trim().toLowerCase();
  if (name === "identity" || name === "") return undefined;
  if (name === "gzip" || name === "x-gzip") return "gzip";
  if (name === "deflate") return name;
  throw new Refusal(415, `content-encoding ${JSON.stringify(name)} is not supported; use gzip, deflate or none`);
}

export const unpacksToMore = (limit: number) => new Refusal(413, `the body unpacks to more than ${limit} bytes`);
export const isNoValid = (coding: string) => new Refusal(400, `the body is not valid ${coding}`);
export const hasMore = (limit: number) => new Refusal(413, `the body has more than ${limit} bytes`);

/** Langfuse's API: its SDKs, redirected by `LANGFUSE_HOST`, also use endpoints other than traces. */
const LANGFUSE = "/api/public/";
const OURS = { id: "genspan", name: "genspan" };
/** Calls that an application does not make by itself, with answers after which its SDK logs no error. */
const HARMLESS: Record<string, [status: number, body: object]> = {
  // `auth_check` reads it, which programs call at their start; it raises if there is no project.
  "GET projects": [200, { data: [{ ...OURS, organization: OURS, metadata: {} }] }],
  // Scores, and what older SDKs send.
  "POST ingestion": [207, { successes: [], errors: [] }],
  "POST scores": [200, { id: "" }],
  // Without a URL the SDK uploads nothing.
  "POST media": [201, { mediaId: "", uploadUrl: null }],
};
const NOT_LANGFUSE = {
  error: "NotFound",
  message: "genspan accepts traces only (POST …/v1/traces); prompts and datasets need Langfuse itself",
};

/** The answer to a call of Langfuse's API that is not for traces, as JSON; undefined for another path. What such a call brings is discarded. */
export function langfuse(path: string, method: string | undefined): { status: number; body: string } | undefined {
  const at = path.indexOf(LANGFUSE);
  if (at < 0) return undefined;
  const [status, body] = HARMLESS[`${method} ${path.slice(at + LANGFUSE.length)}`] ?? [404, NOT_LANGFUSE];
  return { status, body: JSON.stringify(body) };
}

/**
 * What stands for all addresses that one sender may have: of IPv6 the first 64 bits, which are its network. A machine chooses the rest as it likes
 * (RFC 4291, section 2.5.1).
 */
export function senderOf(address: string): string {
  const [front = [], back] = address.split("::").map((part) => part.split(":").filter((group) => group !== ""));
  if (!address.includes(":") || front.length > 8) return address;
  const zeros = back ? Math.max(0, 8 - front.length - back.length) : 0;
  return [...front, ...Array<string>(zeros).fill("0"), ...(back ?? [])].slice(0, 4).join(":");
}
