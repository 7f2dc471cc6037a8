// The messages of an OTLP ExportTraceServiceRequest as tables: the number, the JSON name and the type of each field. From
// opentelemetry-proto 1.x; other fields are skipped.

export type Scalar =
  | "string"
  | "bytes"
  | "hex"
  | "bool"
  | "int64"
  | "fixed64"
  | "uint32"
  | "fixed32"
  | "double"
  | "enum";

export interface Field {
  name: string;
  type: Scalar | (() => Schema);
  repeated?: true;
}

export type Schema = ReadonlyMap<number, Field>;

function message(fields: Record<number, [name: string, type: Field["type"], repeated?: "repeated"]>): Schema {
  return new Map(
    Object.entries(fields).map(([number, [name, type, repeated]]) => [
      Number(number),
      repeated === undefined ? { name, type } : { name, type, repeated: true },
    ]),
  );
}

const ANY_VALUE: Schema = message({
  1: ["stringValue", "string"],
  2: ["boolValue", "bool"],
  3: ["intValue", "int64"],
  4: ["doubleValue", "double"],
  5: ["arrayValue", () => ARRAY],
  6: ["kvlistValue", () => LIST],
  7: ["bytesValue", "bytes"],
});
const ARRAY: Schema = message({ 1: ["values", () => ANY_VALUE, "repeated"] });
const KEY_VALUE: Schema = message({ 1: ["key", "string"], 2: ["value", () => ANY_VALUE] });
const LIST: Schema = message({ 1: ["values", () => KEY_VALUE, "repeated"] });

const EVENT: Schema = message({
  1: ["timeUnixNano", "fixed64"],
  2: ["name", "string"],
  3: ["attributes", () => KEY_VALUE, "repeated"],
  4: ["droppedAttributesCount", "uint32"],
});
const LINK: Schema = message({
  1: ["traceId", "hex"],
  2: ["spanId", "hex"],
  3: ["traceState", "string"],
  4: ["attributes", () => KEY_VALUE, "repeated"],
  5: ["droppedAttributesCount", "uint32"],
  6: ["flags", "fixed32"],
});
const STATUS: Schema = message({ 2: ["message", "string"], 3: ["code", "enum"] });
const SPAN: Schema = message({
  1: ["traceId", "hex"],
  2: ["spanId", "hex"],
  3: ["traceState", "string"],
  4: ["parentSpanId", "hex"],
  5: ["name", "string"],
  6: ["kind", "enum"],
  7: ["startTimeUnixNano", "fixed64"],
  8: ["endTimeUnixNano", "fixed64"],
  9: ["attributes", () => KEY_VALUE, "repeated"],
  10: ["droppedAttributesCount", "uint32"],
  11: ["events", () => EVENT, "repeated"],
  12: ["droppedEventsCount", "uint32"],
  13: ["links", () => LINK, "repeated"],
  14: ["droppedLinksCount", "uint32"],
  15: ["status", () => STATUS],
  16: ["flags", "fixed32"],
});
const SCOPE: Schema = message({
  1: ["name", "string"],
  2: ["version", "string"],
  3: ["attributes", () => KEY_VALUE, "repeated"],
  4: ["droppedAttributesCount", "uint32"],
});
const SCOPE_SPANS: Schema = message({
  1: ["scope", () => SCOPE],
  2: ["spans", () => SPAN, "repeated"],
  3: ["schemaUrl", "string"],
});
const RESOURCE: Schema = message({
  1: ["attributes", () => KEY_VALUE, "repeated"],
  2: ["droppedAttributesCount", "uint32"],
});
const RESOURCE_SPANS: Schema = message({
  1: ["resource", () => RESOURCE],
  2: ["scopeSpans", () => SCOPE_SPANS, "repeated"],
  3: ["schemaUrl", "string"],
});

export const REQUEST: Schema = message({ 1: ["resourceSpans", () => RESOURCE_SPANS, "repeated"] });
