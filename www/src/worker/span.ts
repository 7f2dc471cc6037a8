// One span as the page shows it: its conversation, its parameters, and the changes of its attributes.
import type { Explanation } from "genspan/slim";
import { attributesOf, lookup, type Placed } from "../otlp/spans.js";
import type { Attribute, Change, Message, SpanDetail, SpanRow } from "../protocol.js";
import { messagesOf, partsOf } from "./messages.js";
import type { TraceView } from "./trace-view.js";
import { millis, tokensOf } from "./view.js";
import { warningsOf } from "./warnings.js";

/** Keys that the page shows in a special way. */
const SHOWN = new Set([
  "gen_ai.input.messages",
  "gen_ai.output.messages",
  "gen_ai.system_instructions",
  "gen_ai.tool.definitions",
  "gen_ai.is_entry",
  "gen_ai.tool.call.arguments",
  "gen_ai.tool.call.result",
  "gen_ai.retrieval.query.text",
  "gen_ai.retrieval.documents",
]);

export function spanDetail(looked: TraceView, id: string): SpanDetail | undefined {
  const { detail, before, after, read, why } = looked;
  const whole = looked.whole.get(id);
  const row = detail.rows.find((r) => r.id === id);
  const [source, out, canonical, explained] = [before.get(id), after.get(id), read.get(id), why.get(id)];
  if (!(row && source && out && canonical && explained && whole)) return undefined;
  const get = lookup(canonical.span);
  const cost = get("gen_ai.usage.cost");
  const { scope, span } = source;
  const parameters = attributesOf(canonical.span).filter(
    ({ key }) => /^(gen_ai|openai|server|error|session|user)\./.test(key) && !SHOWN.has(key) && !key.includes("usage."),
  );
  return {
    row,
    traceId: detail.id,
    profile: detail.profile,
    scope: [scope.name, scope.version].filter(Boolean).join(" "),
    conventions: explained.conventions,
    entry: explained.entry,
    ancestors: ancestorsOf(row, detail.rows),
    messages: conversation(get, lookup(whole.span)),
    tools: toolsOf(get("gen_ai.tool.definitions")),
    parameters,
    tokens: tokensOf(get),
    cost: cost === undefined ? undefined : Number(cost),
    ...changesOf(source, out, explained),
    goneEvents: explained.goneEvents ?? [],
    events: (span.events ?? []).map((event) => ({
      name: event.name ?? "",
      at: millis(event.timeUnixNano) - millis(span.startTimeUnixNano),
      attributes: attributesOf(event),
    })),
    resource: attributesOf(out.resource),
    status: span.status?.message ?? "",
    warnings: warningsOf(id, looked, row.kind, detail.profile),
  };
}

function ancestorsOf(row: SpanRow, rows: SpanRow[]): SpanRow[] {
  const byId = new Map(rows.map((r) => [r.id, r]));
  const out: SpanRow[] = [];
  for (let above = byId.get(row.parent); above !== undefined && !out.includes(above); above = byId.get(above.parent)) {
    out.unshift(above);
  }
  return out;
}

type Get = (key: string) => string | undefined;

/** The messages if there are any, otherwise the input and the output as text. */
function conversation(get: Get, whole: Get): SpanDetail["messages"] {
  const system = partsOf(get("gen_ai.system_instructions"));
  const input = [...messagesOf(get("gen_ai.input.messages"), "user"), ...called(get, "in")];
  const output = [...messagesOf(get("gen_ai.output.messages"), "assistant"), ...called(get, "out")];
  const as = (role: string, text: string | undefined): Message[] =>
    text === undefined ? [] : [{ role, parts: [{ type: "other", name: "", text }] }];
  return {
    system,
    input: input.length > 0 ? input : as("input", whole("gen_ai.entity.input")),
    output: output.length > 0 ? output : as("output", whole("gen_ai.entity.output")),
  };
}

/** The arguments and results of tools and retrievers. */
function called(get: Get, side: "in" | "out"): Message[] {
  const [argument, result] = [get("gen_ai.tool.call.arguments"), get("gen_ai.tool.call.result")];
  const [query, documents] = [get("gen_ai.retrieval.query.text"), get("gen_ai.retrieval.documents")];
  const id = get("gen_ai.tool.call.id") ?? "";
  if (side === "in") {
    if (argument !== undefined) {
      return [
        {
          role: "assistant",
          parts: [{ type: "call", id, name: get("gen_ai.tool.name") ?? "", text: argument }],
        },
      ];
    }
    return query === undefined ? [] : [{ role: "user", parts: [{ type: "text", text: query }] }];
  }
  if (result !== undefined) return [{ role: "tool", parts: [{ type: "result", id, text: result }] }];
  return documents === undefined ? [] : [{ role: "documents", parts: [{ type: "result", id: "", text: documents }] }];
}

function toolsOf(json: string | undefined): Attribute[] {
  try {
    const tools: unknown = JSON.parse(json ?? "[]");
    if (!Array.isArray(tools)) return [];
    return tools.map((tool, i) => ({ key: String(tool?.name ?? `#${i + 1}`), value: JSON.stringify(tool, null, 2) }));
  } catch {
    return [];
  }
}

/** Attributes of the source and the output attributes with their values, in groups connected by rules. */
function changesOf(
  source: Placed,
  out: Placed,
  { attributes = [], gone = [] }: Explanation,
): { changes: Change[]; same: Attribute[] } {
  const left = attributesOf(source.span);
  const right = attributesOf(out.span);
  const before = new Map(left.map((attribute) => [attribute.key, attribute.value]));
  const explained = new Map(attributes.map((attribute) => [attribute.key, attribute]));
  const lost = new Map(gone.map((attribute) => [attribute.key, attribute]));
  const isSame = ({ key, value }: Attribute) => before.get(key) === value && (explained.get(key)?.from ?? key) === key;
  const same = right.filter(isSame);
  const sameKeys = new Set(same.map(({ key }) => key));

  // The group of each attribute. Groups that share an attribute are joined.
  const group = new Map<string, string>();
  const find = (node: string): string => {
    const up = group.get(node) ?? node;
    return up === node ? node : find(up);
  };
  const join = (a: string, b: string) => group.set(find(a), find(b));
  const changed = right.filter(({ key }) => !sameKeys.has(key));
  for (const { key } of changed) {
    const from = explained.get(key)?.from ?? (before.has(key) ? key : undefined);
    if (from !== undefined && !sameKeys.has(from)) join(`>${key}`, `<${from}`);
  }
  const written = attributes.find(({ mark, from }) => mark && from === undefined);
  for (const { key, by, mark: isMark } of gone) {
    for (const said of by) if (!sameKeys.has(said)) join(`<${key}`, `>${said}`);
    if (isMark && written !== undefined) join(`<${key}`, `>${written.key}`);
  }
  const changes = new Map<string, Change>();
  const of = (node: string) => {
    const root = find(node);
    const change = changes.get(root) ?? { before: [], after: [] };
    changes.set(root, change);
    return change;
  };
  for (const { key, value } of changed) {
    const { from, convention, rule, how, kept, privacy } = explained.get(key) ?? {};
    of(`>${key}`).after.push({ key, value, ...defined({ from, convention, rule, how, kept, privacy }) });
  }
  for (const attribute of left) {
    if (sameKeys.has(attribute.key)) continue;
    const { why: lostWhy, how, mark: isMark } = lost.get(attribute.key) ?? {};
    const why = isMark ? how : lostWhy;
    of(`<${attribute.key}`).before.push({ ...attribute, ...(why === undefined ? {} : { why }) });
  }
  return { changes: [...changes.values()], same };
}

function defined<T extends object>(members: T) {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
