// Warnings for the reader of a trace: a service name that a backend refuses, a call without its model or its tokens, content that
// no convention could read.
import { convert } from "genspan/slim";
import { lookup, type Placed } from "../otlp/spans.js";
import type { Profile } from "../profiles.js";
import type { Kind, Warning } from "../protocol.js";
import type { TraceView } from "./trace-view.js";

/** Source attributes that contain the input or output of a model, by the end of their key. */
const CONTENT = /(^|[._])(input|output|prompt|completion|messages|input\.value|output\.value|result|response)$/i;

export function warningsOf(id: string, looked: Omit<TraceView, "detail">, kind: Kind, profile: Profile): Warning[] {
  const placed = looked.read.get(id);
  if (placed === undefined) return [];
  const { span } = placed;
  const get = lookup(span);
  const out: Warning[] = [];
  const warn = (code: Warning["code"], detail = "") => void out.push({ code, detail });
  out.push(...serviceName(placed, looked, profile));
  const parent = span.parentSpanId ?? "";
  if (parent !== "" && !looked.read.has(parent)) warn("orphan", parent);
  if (BigInt(span.endTimeUnixNano ?? 0) < BigInt(span.startTimeUnixNano ?? 0)) warn("time");
  const isCall = (kind === "llm" || kind === "embedding") && !looked.above.has(id);
  if (isCall && get("gen_ai.request.model") === undefined && get("gen_ai.response.model") === undefined)
    warn("no-model");
  const failed = span.status?.code === 2 || get("error.type") !== undefined;
  const hasUsage = ["usage", "aggregated_usage"].some((usage) =>
    ["input_tokens", "output_tokens"].some((count) => get(`gen_ai.${usage}.${count}`) !== undefined),
  );
  if (isCall && kind === "llm" && !failed && !hasUsage) warn("no-usage");
  if (kind === "llm") {
    for (const { key = "" } of span.attributes ?? []) {
      if (!key.startsWith("gen_ai.") && CONTENT.test(key)) warn("unparsed", key);
    }
    for (const key of ["gen_ai.input.messages", "gen_ai.output.messages"]) {
      const text = get(key);
      if (text !== undefined && !isJsonList(text)) warn("unparsed", key);
    }
  }
  return out;
}

function isJsonList(text: string): boolean {
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}

const refusals = new Map<string, string>();

/** The core reports an invalid name by its own rule. The warning is shown only on the topmost spans of a resource. */
function serviceName({ span, resource }: Placed, { read }: Omit<TraceView, "detail">, profile: Profile): Warning[] {
  if (read.has(span.parentSpanId ?? "")) return [];
  const name = lookup(resource)("service.name") ?? "";
  if (name === "" || name.startsWith("unknown_service")) return [{ code: "no-service-name", detail: name }];
  const key = `${profile}\0${name}`;
  let refusal = refusals.get(key);
  if (refusal === undefined) {
    refusal = "";
    try {
      convert(new Uint8Array(), { from: "protobuf", profile, serviceName: name });
    } catch (error) {
      refusal = (error as Error).message;
    }
    if (refusals.size > 1000) refusals.clear();
    refusals.set(key, refusal);
  }
  return refusal === "" ? [] : [{ code: "service-name", detail: refusal }];
}
