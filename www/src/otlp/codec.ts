// Converts OTLP protobuf to the objects of OTLP/JSON and back, with the tables of schema.ts.
import type { Field, Scalar, Schema } from "./schema.js";
import { bigVarint, concat, fields, lengthDelimited, varintBytes, type WireField } from "./wire.js";

/** More deeply nested values are omitted. */
const MAX_DEPTH = 64;

type Json = Record<string, unknown>;

const utf8 = new TextDecoder();
const toUtf8 = new TextEncoder();

export function hex(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) out += byte.toString(16).padStart(2, "0");
  return out;
}

export function base64(bytes: Uint8Array): string {
  let out = "";
  for (let i = 0; i < bytes.length; i += 0x8000) out += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(out);
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const standard = text.replace(/\s/g, "").replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(standard), (c) => c.charCodeAt(0));
}

/** The message in `bytes` in the form of OTLP/JSON. */
export function decode(bytes: Uint8Array, schema: Schema, depth = 0): Json {
  const out: Json = {};
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  fields(bytes, 0, bytes.length, (wire) => {
    const field = schema.get(wire.number);
    if (field === undefined) return;
    const value =
      typeof field.type === "function" ? nested(bytes, wire, field.type, depth) : scalar(view, wire, field.type);
    if (value === undefined) return;
    if (field.repeated) {
      const list = (out[field.name] ?? []) as unknown[];
      list.push(value);
      out[field.name] = list;
    } else out[field.name] = value;
  });
  return out;
}

function nested(bytes: Uint8Array, wire: WireField, schema: () => Schema, depth: number): Json | undefined {
  if (wire.type !== 2 || depth > MAX_DEPTH) return undefined;
  return decode(bytes.subarray(wire.value, wire.end), schema(), depth + 1);
}

function scalar(view: DataView, { type, value, end }: WireField, as: Scalar): unknown {
  const bytes = () => new Uint8Array(view.buffer, view.byteOffset + value, end - value);
  switch (as) {
    case "string":
      return type === 2 ? utf8.decode(bytes()) : undefined;
    case "bytes":
      return type === 2 ? base64(bytes()) : undefined;
    case "hex":
      return type === 2 ? hex(bytes()) : undefined;
    case "fixed64":
      return type === 1 ? String(view.getBigUint64(value, true)) : undefined;
    case "double":
      return type === 1 ? view.getFloat64(value, true) : undefined;
    case "fixed32":
      return type === 5 ? view.getUint32(value, true) : undefined;
  }
  if (type !== 0) return undefined;
  const number = bigVarint(bytes(), 0);
  if (as === "bool") return number !== 0n;
  return as === "int64" ? String(BigInt.asIntN(64, number)) : Number(number);
}

/** The protobuf of a message of OTLP/JSON. Members that are not in the schema are omitted. */
export function encode(json: Json, schema: Schema, depth = 0): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  for (const [number, field] of schema) {
    const value = json[field.name] ?? json[field.name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)];
    if (value === undefined || value === null) continue;
    for (const item of field.repeated ? (Array.isArray(value) ? value : []) : [value]) {
      parts.push(encodeField(number, field, item, depth));
    }
  }
  return concat(parts);
}

function encodeField(number: number, { name, type }: Field, value: unknown, depth: number): Uint8Array {
  if (typeof type === "function") {
    const isObject = typeof value === "object" && value !== null && depth <= MAX_DEPTH;
    return isObject ? lengthDelimited(number, encode(value as Json, type(), depth + 1)) : new Uint8Array();
  }
  const tagged = (wireType: number, bytes: Iterable<number>) =>
    Uint8Array.from([...varintBytes(BigInt(number * 8 + wireType)), ...bytes]);
  switch (type) {
    case "string":
      return lengthDelimited(number, toUtf8.encode(String(value)));
    case "bytes":
      return lengthDelimited(number, fromBase64(String(value)));
    case "hex":
      return lengthDelimited(number, identifier(String(value)));
    case "double": {
      const view = new DataView(new ArrayBuffer(8));
      view.setFloat64(0, Number(value), true);
      return tagged(1, new Uint8Array(view.buffer));
    }
    case "fixed64": {
      const view = new DataView(new ArrayBuffer(8));
      view.setBigUint64(0, integer(value, name), true);
      return tagged(1, new Uint8Array(view.buffer));
    }
    case "fixed32": {
      const view = new DataView(new ArrayBuffer(4));
      view.setUint32(0, Number(value), true);
      return tagged(5, new Uint8Array(view.buffer));
    }
    case "bool":
      return tagged(0, [value === true || value === "true" ? 1 : 0]);
    case "enum":
      return tagged(
        0,
        varintBytes(BigInt(typeof value === "string" ? (ENUMS.get(value) ?? (Number(value) || 0)) : Number(value))),
      );
    default:
      return tagged(0, varintBytes(integer(value, name)));
  }
}

/** Enums by name, which OTLP/JSON forbids but some exporters write. */
const ENUMS = new Map(
  Object.entries({
    SPAN_KIND_INTERNAL: 1,
    SPAN_KIND_SERVER: 2,
    SPAN_KIND_CLIENT: 3,
    SPAN_KIND_PRODUCER: 4,
    SPAN_KIND_CONSUMER: 5,
    STATUS_CODE_OK: 1,
    STATUS_CODE_ERROR: 2,
  }),
);

function integer(value: unknown, name: string): bigint {
  try {
    return BigInt(value as string | number);
  } catch {
    throw new Error(`${name}: no whole number`);
  }
}

/** An id in hex, as in OTLP/JSON, or in base64, as in protobuf's own JSON. */
function identifier(text: string): Uint8Array {
  if (/^([0-9a-f]{2})*$/i.test(text))
    return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return fromBase64(text);
}
