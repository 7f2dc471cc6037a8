// The spans of an OTLP/JSON body, each with its scope and resource, and their values as text.
import type { Attribute } from "../protocol.js";

export interface AnyValue {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string | number;
  doubleValue?: number | string;
  arrayValue?: { values?: AnyValue[] };
  kvlistValue?: { values?: KeyValue[] };
  bytesValue?: string;
}

export interface KeyValue {
  key?: string;
  value?: AnyValue;
}

export interface Span {
  traceId?: string;
  spanId?: string;
  parentSpanId?: string;
  name?: string;
  kind?: number;
  startTimeUnixNano?: string;
  endTimeUnixNano?: string;
  attributes?: KeyValue[];
  events?: { timeUnixNano?: string; name?: string; attributes?: KeyValue[] }[];
  links?: { traceId?: string; spanId?: string }[];
  status?: { code?: number; message?: string };
}

interface Named {
  name?: string;
  version?: string;
  attributes?: KeyValue[];
}

export interface Request {
  resourceSpans?: { resource?: Named; scopeSpans?: { scope?: Named; spans?: Span[] }[] }[];
}

export interface Placed {
  span: Span;
  scope: Named;
  resource: Named;
}

export function spansOf(request: Request): Placed[] {
  const out: Placed[] = [];
  for (const { resource = {}, scopeSpans = [] } of request.resourceSpans ?? []) {
    for (const { scope = {}, spans = [] } of scopeSpans) for (const span of spans) out.push({ span, scope, resource });
  }
  return out;
}

/** Text unchanged, everything else as JSON. */
export function valueText(value: AnyValue | undefined): string {
  const plain = plainValue(value);
  return typeof plain === "string" ? plain : JSON.stringify(plain);
}

function plainValue(value: AnyValue | undefined): unknown {
  if (value === undefined) return null;
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.intValue !== undefined) return Number(value.intValue);
  if (value.doubleValue !== undefined) return value.doubleValue;
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plainValue);
  if (value.kvlistValue !== undefined) {
    return Object.fromEntries((value.kvlistValue.values ?? []).map((kv) => [kv.key ?? "", plainValue(kv.value)]));
  }
  return value.bytesValue === undefined ? null : `base64:${value.bytesValue}`;
}

/** The longest text of a value that is sent to the page. */
const MAX_TEXT = 200_000;

export function attributesOf({ attributes = [] }: { attributes?: KeyValue[] }): Attribute[] {
  return attributes.map(({ key = "", value }) => {
    const text = valueText(value);
    return { key, value: text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (+${text.length - MAX_TEXT})` : text };
  });
}

export function lookup({ attributes = [] }: { attributes?: KeyValue[] }): (key: string) => string | undefined {
  const map = new Map(attributes.map(({ key, value }) => [key, value]));
  return (key) => (map.has(key) ? valueText(map.get(key)) : undefined);
}
