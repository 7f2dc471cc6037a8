// How the demo says what arrived: a trace as a tree, and one span's attributes before and after, side by side. It judges nothing.
import { bold, cyan, dim, entry, green, left, right, width, wrap, yellow } from "./terminal.mjs";

export const COLUMNS = 100;

const NAME = 35;
const KIND = 9;
const MODEL = 22;
const MILLIS = 7;
const TOKENS = [
  ["in", "gen_ai.usage.input_tokens", 4],
  ["cached", "gen_ai.usage.cache_read_input_tokens", 6],
  ["out", "gen_ai.usage.output_tokens", 4],
  ["reason", "gen_ai.usage.reasoning_tokens", 6],
];
const HTTP_KIND = ["", "", "server", "client", "producer", "consumer"];
const VALUE_LINES = 3;
const ENTRY = "◆ ENTRY";

export const isEntry = ({ attributes }) => attributes["gen_ai.is_entry"] === true;
export const kindOf = ({ attributes }) => attributes["gen_ai.span.kind"];

/** The rows of a trace: one line a span, children below their parents in order of start. */
export function traceTree(spans) {
  const header = [
    left("span", NAME),
    left("kind", KIND),
    left("model", MODEL),
    ...TOKENS.map(([title, , size]) => right(title, size)),
    right("ms", MILLIS),
  ];
  const lines = [dim(header.join(" "))];
  const ids = new Set(spans.map((span) => span.spanId));
  const childrenOf = groupBy(spans, parentKey);
  for (const list of childrenOf.values())
    list.sort((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)));

  function parentKey(span) {
    return ids.has(span.parentSpanId) ? span.parentSpanId : "";
  }
  function walk(span, branch, below) {
    lines.push(row(span, branch));
    const children = childrenOf.get(span.spanId) ?? [];
    children.forEach((child, i) => {
      const last = i === children.length - 1;
      walk(child, `${below}${last ? "└─ " : "├─ "}`, `${below}${last ? "   " : "│  "}`);
    });
  }
  for (const root of childrenOf.get("") ?? []) walk(root, "", "");
  return lines;
}

function groupBy(list, keyOf) {
  const groups = new Map();
  for (const item of list) {
    const key = keyOf(item);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(item);
  }
  return groups;
}

function row(span, branch) {
  const { attributes: held } = span;
  const kind = kindOf(span);
  const marked = isEntry(span);
  const room = NAME - width(branch) - (marked ? width(ENTRY) + 3 : 0);
  const name = left(span.name, marked ? Math.min(room, width(span.name)) : room);
  const gap = marked ? " ".repeat(NAME - width(branch) - width(name) - width(ENTRY) - 3) : "";
  const cells = [
    dim(branch) + (kind ? bold(name) : name) + (marked ? ` ${entry(` ${ENTRY} `)}${gap}` : ""),
    kind ? cyan(left(kind, KIND)) : dim(left(HTTP_KIND[span.kind] || "", KIND)),
    left(held["gen_ai.response.model"] ?? held["gen_ai.request.model"] ?? "", MODEL),
    ...TOKENS.map(([, key, size]) => {
      const count = held[key];
      return count === undefined ? dim(right("·", size)) : right(String(count), size);
    }),
    right(span.millis.toFixed(1), MILLIS),
  ];
  return cells.join(" ");
}

/** The attributes of one span in two columns: as the SDK wrote them, as they arrived. */
export function sideBySide(before, after) {
  const half = Math.floor((COLUMNS - 3) / 2);
  const kept = Object.keys(before).filter((key) => same(before[key], after[key]));
  const was = Object.keys(before).flatMap((key) =>
    attribute(key, before[key], half, kept.includes(key) ? [" ", dim] : ["−", yellow]),
  );
  const is = Object.keys(after)
    .filter((key) => !kept.includes(key))
    .sort()
    .map((key) => attribute(key, after[key], half, ["+", green]))
    .sort((a, b) => a.length - b.length)
    .flat();
  if (kept.length > 0) is.push([dim, `  ${kept.length} more as they were, on the left`]);
  const lines = [`${bold(left("as the SDK wrote them", half))} ${dim("│")} ${bold(left("as they arrived", half))}`];
  lines.push(dim(`${"─".repeat(half)}─┼─${"─".repeat(half)}`));
  for (let i = 0; i < Math.max(was.length, is.length); i++) {
    const [leftColour, leftText] = was[i] ?? [dim, ""];
    const [rightColour, rightText] = is[i] ?? [dim, ""];
    lines.push(
      `${leftColour(left(leftText, half))} ${dim("│")} ${rightColour(rightText === "" ? "" : left(rightText, half))}`.trimEnd(),
    );
  }
  return lines;
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const plain = (text) => text;

// One line where key and value fit beside each other, else the value goes below its key, on few lines.
function attribute(key, value, half, [sign, colour]) {
  const shown = typeof value === "string" ? value : JSON.stringify(value);
  const line = `${sign} ${key} = ${shown}`;
  if (width(line) <= half) return [[colour, line]];
  const valueColour = colour === dim ? dim : plain;
  return [
    [colour, `${sign} ${key}`],
    ...wrap(shown, half - 4, VALUE_LINES).map((text) => [valueColour, `    ${text}`]),
  ];
}
