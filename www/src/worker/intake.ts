// Converts dropped or pasted data to protobuf bodies: OTLP protobuf or JSON, JSON lines as written by the Collector's file exporter,
// and exports of Langfuse; compressed or not, base64 if pasted.
import { transcode } from "genspan/slim";
import { fields } from "../otlp/wire.js";
import { isLangfuseExport, langfuseToOtlp } from "./langfuse.js";

/** Larger data, unpacked, is refused. In bytes. */
const MAX_BYTES = 256 << 20;
const BRACE = 0x7b;
const BRACKET = 0x5b;

export async function intake(body: Uint8Array<ArrayBuffer>): Promise<Uint8Array[]> {
  const bytes = body[0] === 0x1f && body[1] === 0x8b ? await unpack(body) : body;
  if (bytes.length > MAX_BYTES) throw new Error(`larger than ${MAX_BYTES >> 20} MiB`);
  if (bytes.length === 0) throw new Error("empty");
  if (isProtobuf(bytes)) return [bytes];
  const first = bytes.find((byte) => byte > 0x20);
  const text = new TextDecoder().decode(bytes);
  if (first !== BRACE && first !== BRACKET) {
    const decoded = pasted(text);
    if (decoded !== undefined) return intake(decoded);
    throw new Error("neither OTLP protobuf, nor JSON");
  }
  const bodies = jsons(text);
  if (bodies.length === 1 && isOtlp(bodies[0])) return [transcode(bytes, "protobuf")];
  return bodies.map((json) => transcode(new TextEncoder().encode(JSON.stringify(toOtlp(json))), "protobuf"));
}

/** One body from a server, protobuf or JSON, as protobuf. */
export function fromServer(body: Uint8Array): Uint8Array {
  return transcode(body, "protobuf");
}

/** A protobuf body begins with 0x0a, which is also a line feed, so protobuf is tried first. */
function isProtobuf(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x0a) return false;
  try {
    fields(bytes, 0, bytes.length, () => {});
    return true;
  } catch {
    return false;
  }
}

async function unpack(body: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const part of new Blob([body])
    .stream()
    .pipeThrough(new DecompressionStream("gzip")) as unknown as AsyncIterable<Uint8Array<ArrayBuffer>>) {
    parts.push(part);
    length += part.length;
    if (length > MAX_BYTES) throw new Error(`larger than ${MAX_BYTES >> 20} MiB, unpacked`);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function pasted(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const standard = text.replace(/\s/g, "").replaceAll("-", "+").replaceAll("_", "/");
    return Uint8Array.from(atob(standard), (c) => c.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function jsons(text: string): unknown[] {
  try {
    const json: unknown = JSON.parse(text);
    return Array.isArray(json) ? (json.some(isLangfuseExport) || json.some(isOtlp) ? json : [json]) : [json];
  } catch (error) {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    if (lines.length < 2) throw error;
    try {
      return lines.map((line) => JSON.parse(line));
    } catch {
      throw error;
    }
  }
}

const isOtlp = (json: unknown): json is Record<string, unknown> =>
  typeof json === "object" && json !== null && ("resourceSpans" in json || "resource_spans" in json);

function toOtlp(json: unknown): Record<string, unknown> {
  if (isOtlp(json)) return json;
  if (isLangfuseExport(json)) return langfuseToOtlp(json);
  throw new Error("JSON, but neither OTLP (resourceSpans) nor a trace of Langfuse (observations)");
}
