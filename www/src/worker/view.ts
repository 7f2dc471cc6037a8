// A trace as the core interprets it: its row of the list, and the rows of its waterfall.
import { convert, explain, transcode } from "genspan/slim";
import { lookup, type Placed, type Request, type Span, spansOf } from "../otlp/spans.js";
import type { Profile } from "../profiles.js";
import type { Kind, SpanRow, Tokens, TraceSummary } from "../protocol.js";
import type { TraceView } from "./trace-view.js";
import { warningsOf } from "./warnings.js";

const KINDS = new Map<string, Kind>(
  Object.entries({
    LLM: "llm",
    AGENT: "agent",
    TOOL: "tool",
    CHAIN: "chain",
    TASK: "chain",
    WORKFLOW: "chain",
    PROMPT: "chain",
    RETRIEVER: "retriever",
    RERANKER: "retriever",
    MEMORY: "retriever",
    EMBEDDING: "embedding",
    GUARDRAIL: "guardrail",
    EVALUATOR: "guardrail",
  }),
);

/** Span names used by HTTP instrumentations. */
const HTTP = /^(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)( |$)/;

/** The list does not need content, which would take most of the time. */
const BARE = { keep: "none", privacy: { captureContent: false }, to: "json", from: "protobuf" } as const;

function converted(body: Uint8Array, options: Parameters<typeof convert>[1]): Request {
  return parsed(convert(body, options));
}

const parsed = (json: Uint8Array): Request => JSON.parse(new TextDecoder().decode(json));

const isLlmKind = (kind: Kind) => kind !== "http" && kind !== "other";

export const millis = (nanos: string | undefined): number => Number(BigInt(nanos ?? 0) / 1000n) / 1000;

export function tokensOf(get: (key: string) => string | undefined): Tokens | undefined {
  const count = (key: string) => Number(get(`gen_ai.usage.${key}`) ?? Number.NaN);
  const [input, output] = [count("input_tokens"), count("output_tokens")];
  if (Number.isNaN(input) && Number.isNaN(output)) return undefined;
  return {
    input: input || 0,
    output: output || 0,
    cached: count("cache_read.input_tokens") || 0,
    reasoning: count("reasoning.output_tokens") || 0,
  };
}

const isError = (span: Span, get: (key: string) => string | undefined) =>
  span.status?.code === 2 || get("error.type") !== undefined;

/** The value from the outermost span that has one, because that is where the application sets it. */
function firstOf(spans: Placed[], ...keys: string[]): string {
  for (const { span } of spans) {
    const get = lookup(span);
    for (const key of keys) {
      const value = get(key);
      if (value !== undefined && value !== "") return value;
    }
  }
  return "";
}

export function summarize(id: string, body: Uint8Array): TraceSummary {
  const spans = spansOf(converted(body, { ...BARE, profile: "otel" }));
  const ids = new Set(spans.map(({ span }) => span.spanId));
  const outermost = spans.toSorted(
    (a, b) => Number(ids.has(a.span.parentSpanId)) - Number(ids.has(b.span.parentSpanId)) || startOf(a) - startOf(b),
  );
  const entries = outermost
    .filter(({ span }) => lookup(span)("gen_ai.is_entry") === "true")
    .sort((a, b) => startOf(a) - startOf(b));
  let start = Number.POSITIVE_INFINITY;
  let end = 0;
  let tokens: Tokens | undefined;
  let cost: number | undefined;
  let errors = 0;
  const models = new Set<string>();
  for (const { span } of spans) {
    const get = lookup(span);
    start = Math.min(start, millis(span.startTimeUnixNano));
    end = Math.max(end, millis(span.endTimeUnixNano));
    if (isError(span, get)) errors++;
    const model = get("gen_ai.response.model") ?? get("gen_ai.request.model");
    if (model !== undefined) models.add(model);
    const own = tokensOf(get);
    if (own !== undefined) {
      tokens ??= { input: 0, output: 0, cached: 0, reasoning: 0 };
      for (const key of ["input", "output", "cached", "reasoning"] as const) tokens[key] += own[key];
    }
    const ownCost = Number(get("gen_ai.usage.cost") ?? Number.NaN);
    if (!Number.isNaN(ownCost)) cost = (cost ?? 0) + ownCost;
  }
  const named = entries[0] ?? outermost[0];
  return {
    id,
    name: named?.span.name ?? "",
    entries: entries.length,
    service: named === undefined ? "" : (lookup(named.resource)("service.name") ?? ""),
    user: firstOf([...entries, ...outermost], "user.id", "user.name"),
    session: firstOf([...entries, ...outermost], "session.id", "gen_ai.conversation.id"),
    models: [...models],
    start,
    duration: Math.max(0, end - start),
    spans: spans.length,
    tokens,
    cost,
    errors,
  };
}

const startOf = ({ span }: Placed) => millis(span.startTimeUnixNano);

export function look(id: string, body: Uint8Array, profile: Profile): TraceView {
  const byId = (request: Request) => new Map(spansOf(request).map((placed) => [placed.span.spanId ?? "", placed]));
  const options = { from: "protobuf", to: "json" } as const;
  const read = byId(converted(body, { ...options, profile: "otel" }));
  const whole = byId(converted(body, { ...options, profile: "tencent", keep: "none" }));
  const looked = {
    before: byId(parsed(transcode(body, "json"))),
    after: profile === "otel" ? read : byId(converted(body, { ...options, profile })),
    read,
    why: new Map(explain(body, { from: "protobuf", profile }).map((e) => [e.spanId, e])),
    whole,
    above: aboveCalls(whole),
  };
  const { rows, duration } = tree(looked, (span) => kindOf(looked.whole.get(span)), profile);
  return { ...looked, detail: { id, profile, duration, rows } };
}

function aboveCalls(whole: Map<string, Placed>): Set<string> {
  const above = new Set<string>();
  for (const placed of whole.values()) {
    if (kindOf(placed) !== "llm") continue;
    let parent = placed.span.parentSpanId ?? "";
    while (whole.has(parent) && !above.has(parent)) {
      above.add(parent);
      parent = whole.get(parent)?.span.parentSpanId ?? "";
    }
  }
  return above;
}

function kindOf(placed: Placed | undefined): Kind {
  if (placed === undefined) return "other";
  const get = lookup(placed.span);
  const said = KINDS.get(get("gen_ai.span.kind") ?? "");
  if (said !== undefined) return said;
  const isHttp = (get("http.request.method") ?? get("http.method")) !== undefined || HTTP.test(placed.span.name ?? "");
  return isHttp ? "http" : "other";
}

/** The spans below their parents. A span without a known parent is at the top, and so is a span of a cycle. */
function tree(looked: Omit<TraceView, "detail">, kindOfSpan: (id: string) => Kind, profile: Profile) {
  const { read, why } = looked;
  const children = new Map<string, string[]>();
  const tops: string[] = [];
  const starts = new Map<string, number>();
  let [start, end] = [Number.POSITIVE_INFINITY, 0];
  for (const [id, placed] of read) {
    starts.set(id, startOf(placed));
    start = Math.min(start, startOf(placed));
    end = Math.max(end, millis(placed.span.endTimeUnixNano));
    const parent = placed.span.parentSpanId ?? "";
    if (parent === id || !read.has(parent)) tops.push(id);
    else children.set(parent, [...(children.get(parent) ?? []), id]);
  }
  const sorted = (ids: string[]) => ids.toSorted((a, b) => (starts.get(a) ?? 0) - (starts.get(b) ?? 0));
  const rows: SpanRow[] = [];
  const seen = new Set<string>();
  const push = (from: string) => {
    // Traces may be too deep for recursion. A row is complete when all rows below it are.
    const stack: { id: string; depth: number; open?: SpanRow; at?: number }[] = [{ id: from, depth: 0 }];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const { id, depth, open, at } = next;
      if (open !== undefined) {
        open.below = rows.length - (at ?? 0) - 1;
        continue;
      }
      const placed = read.get(id);
      if (placed === undefined || seen.has(id)) continue;
      seen.add(id);
      const row = rowOf(id, placed, depth);
      stack.push({ id, depth, open: row, at: rows.length });
      rows.push(row);
      for (const child of sorted(children.get(id) ?? []).toReversed()) stack.push({ id: child, depth: depth + 1 });
    }
  };
  const rowOf = (id: string, { span, resource }: Placed, depth: number): SpanRow => {
    const get = lookup(span);
    const kind = kindOfSpan(id);
    const ended = millis(span.endTimeUnixNano);
    const began = millis(span.startTimeUnixNano);
    return {
      id,
      parent: span.parentSpanId ?? "",
      name: span.name ?? "",
      service: lookup(resource)("service.name") ?? "",
      kind,
      start: began - start,
      duration: Math.max(0, ended - began),
      depth,
      below: 0,
      error: isError(span, get),
      entry: why.get(id)?.entry.is ?? false,
      model: get("gen_ai.response.model") ?? get("gen_ai.request.model") ?? "",
      tokens: tokensOf(get),
      warnings: isLlmKind(kind) || depth === 0 ? warningsOf(id, looked, kind, profile).length : 0,
    };
  };
  for (const id of sorted(tops)) push(id);
  for (const id of read.keys()) push(id);
  return { rows, duration: Math.max(0, end - start) };
}
