// One trace over time: a row for each span, the entry in its own colour.
import { computed, effect, signal } from "@preact/signals";
import type { SpanRow } from "../protocol.js";
import { chooseSpan, leave, spanId, summary, trace, traceId, words } from "../state.js";
import { count, dollars, duration, visible } from "../text.js";
import { Icon } from "./Icon.js";
import { openPane } from "./panes.js";
import { Rows } from "./Rows.js";

const HEIGHT = 30;
const STEP = 14;
/** Deeper rows are not indented further. */
const MAX_STEPS = 12;

const closed = signal<ReadonlySet<string>>(new Set());
effect(() => {
  void traceId.value;
  closed.value = new Set();
});

const open = computed(() => {
  const out: SpanRow[] = [];
  const rows = trace.value?.rows ?? [];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    out.push(row);
    if (closed.value.has(row.id)) i += row.below;
  }
  return out;
});

export function Waterfall() {
  const w = words.value;
  const detail = trace.value;
  if (traceId.value === undefined || detail === undefined) {
    return (
      <section class="pane trace" aria-label={w.trace}>
        <p class="hint">{traceId.value === undefined ? w.selectTrace : ""}</p>
      </section>
    );
  }
  const toggle = (id: string, shut: boolean) => {
    const next = new Set(closed.value);
    if (shut) next.add(id);
    else next.delete(id);
    closed.value = next;
  };
  return (
    <section class="pane trace" aria-label={w.trace}>
      <Head />
      <Axis length={detail.duration} />
      <Rows
        id="spans"
        role="tree"
        label={w.waterfall}
        items={open.value}
        height={HEIGHT}
        keyOf={(row) => row.id}
        chosen={spanId.value}
        choose={(row) => chooseSpan(row.id)}
        enter={(_, by) => openPane("span", "span", by)}
        leave={() => openPane("list", "traces", "key")}
        side={(row, direction) => {
          const isShut = closed.value.has(row.id);
          if (direction === 1 && isShut) toggle(row.id, false);
          else if (direction === 1 && row.below > 0) chooseSpan(open.value[open.value.indexOf(row) + 1]!.id);
          else if (direction === -1 && row.below > 0 && !isShut) toggle(row.id, true);
          else if (direction === -1 && row.parent !== "") chooseSpan(row.parent);
        }}
        attributes={(row) => ({
          class: `row span-row kind-${row.kind}${row.entry ? " is-entry" : ""}`,
          "aria-level": row.depth + 1,
          ...(row.below > 0 ? { "aria-expanded": !closed.value.has(row.id) } : {}),
        })}
        row={(row) => (
          <Row
            row={row}
            length={detail.duration}
            shut={closed.value.has(row.id)}
            toggle={() => toggle(row.id, !closed.value.has(row.id))}
          />
        )}
      />
      <p class="keys" aria-hidden="true">
        {w.keys}
      </p>
    </section>
  );
}

function Head() {
  const w = words.value;
  const of = summary.value;
  if (of === undefined) return null;
  return (
    <div class="pane-head">
      <button type="button" class="button icon back" aria-label={w.back} onClick={leave}>
        <Icon name="back" />
      </button>
      <div class="pane-title">
        <h2>
          <span class={of.entries > 0 ? "entry-mark" : "no-entry-mark"} aria-hidden="true">
            {of.entries > 0 ? "◆" : "◇"}
          </span>
          <bdi class="clip">{visible(of.name) || "–"}</bdi>
        </h2>
        <div class="facts">
          <span>{duration(of.duration)}</span>
          <span>{w.spans(of.spans)}</span>
          {of.entries > 1 && <span class="entry-text">{w.entries(of.entries)}</span>}
          {of.tokens && (
            <span>
              {count(of.tokens.input)} → {count(of.tokens.output)} {w.tokens}
            </span>
          )}
          {of.cost !== undefined && <span>{dollars(of.cost)}</span>}
          {of.errors > 0 && <span class="bad">{w.errors(of.errors)}</span>}
          <span class="mono">{visible(of.id)}</span>
        </div>
      </div>
    </div>
  );
}

function Axis({ length }: { length: number }) {
  return (
    <div class="axis" aria-hidden="true">
      <div />
      <div class="axis-marks">
        {[0, 1 / 3, 2 / 3, 1].map((part) => (
          <span key={part} style={{ left: `${part * 100}%` }}>
            {duration(length * part)}
          </span>
        ))}
      </div>
      <div />
    </div>
  );
}

function Row({ row, length, shut, toggle }: { row: SpanRow; length: number; shut: boolean; toggle: () => void }) {
  const w = words.value;
  const part = (millis: number) => (length > 0 ? (millis / length) * 100 : 0);
  const left = Math.min(part(row.start), 99.5);
  const width = Math.max(part(row.duration), 0.5);
  return (
    <>
      <div class="span-name" style={{ paddingLeft: `${Math.min(row.depth, MAX_STEPS) * STEP + 6}px` }}>
        <span
          class={`twist${row.below === 0 ? " none" : ""}${shut ? " shut" : ""}`}
          aria-hidden="true"
          onClick={(event) => {
            if (row.below === 0) return;
            event.stopPropagation();
            toggle();
          }}
        />
        <span class="badge">{w.kinds[row.kind]}</span>
        {row.entry && (
          <span class="entry-mark" role="img" aria-label={w.entry}>
            ◆
          </span>
        )}
        <bdi class="clip">{visible(row.name) || "–"}</bdi>
        {row.entry && <span class="entry-word">{w.entry}</span>}
        {row.error && (
          <span class="bad" role="img" aria-label={w.errors(1)}>
            ✕
          </span>
        )}
        {row.warnings > 0 && (
          <span class="warn" role="img" aria-label={w.warnings(row.warnings)}>
            !
          </span>
        )}
      </div>
      <div class="span-time">
        <div class="span-bar" style={{ left: `${left}%`, width: `${Math.min(width, 100 - left)}%` }} />
      </div>
      <span class="span-length">{duration(row.duration)}</span>
    </>
  );
}
