// The traces: search, filters, and a row for each.
import type { TraceSummary } from "../protocol.js";
import {
  choose,
  clear,
  counts,
  onlyErrors,
  onlyWithoutEntry,
  query,
  service,
  services,
  shown,
  traceId,
  traces,
  words,
} from "../state.js";
import { bytes, clock, count, dollars, duration, visible } from "../text.js";
import { Icon } from "./Icon.js";
import { focusOn, openPane } from "./panes.js";
import { Rows } from "./Rows.js";

const HEIGHT = 74;

export function TraceList() {
  const w = words.value;
  return (
    <section class="pane list" aria-label={w.traces}>
      <div class="find">
        <div class="find-text">
          <Icon name="search" />
          <input
            id="search"
            type="search"
            placeholder={w.search}
            aria-label={w.search}
            value={query.value}
            onInput={(event) => {
              query.value = event.currentTarget.value;
            }}
            onKeyDown={(event) => {
              if (event.key === "Escape") query.value = "";
              if (event.key === "Escape" || event.key === "ArrowDown" || event.key === "Enter") {
                event.preventDefault();
                focusOn("traces");
                const [first] = shown.value;
                if (event.key === "Enter" && first) choose(first.id);
              }
            }}
          />
          <kbd aria-hidden="true">/</kbd>
        </div>
        <div class="filters">
          <Toggle label={w.filterErrors} on={onlyErrors} />
          <Toggle label={w.filterNoEntry} on={onlyWithoutEntry} />
          <select
            aria-label={w.service}
            value={service.value}
            onChange={(event) => {
              service.value = event.currentTarget.value;
            }}
          >
            <option value="">{w.allServices}</option>
            {services.value.map((name) => (
              <option key={name} value={name}>
                {visible(name) || "–"}
              </option>
            ))}
          </select>
          <span class="filters-count" role="status">
            {shown.value.length === traces.value.length
              ? count(traces.value.length)
              : `${count(shown.value.length)} / ${count(traces.value.length)}`}
          </span>
        </div>
      </div>
      <Rows
        id="traces"
        role="listbox"
        label={w.traceList}
        items={shown.value}
        height={HEIGHT}
        keyOf={(trace) => trace.id}
        chosen={traceId.value}
        choose={(trace) => choose(trace.id)}
        enter={(_, by) => openPane("trace", "spans", by)}
        leave={() => focusOn("search")}
        row={(trace) => <Row trace={trace} />}
        empty={traces.value.length > 0 ? w.noMatch : ""}
      />
      <Held />
    </section>
  );
}

function Toggle({ label, on }: { label: string; on: typeof onlyErrors }) {
  return (
    <button
      type="button"
      class="toggle"
      aria-pressed={on.value}
      onClick={() => {
        on.value = !on.value;
      }}
    >
      {label}
    </button>
  );
}

function Row({ trace }: { trace: TraceSummary }) {
  const w = words.value;
  const { tokens, cost, errors, entries } = trace;
  return (
    <div class="trace-row">
      <div class="trace-name">
        {entries > 0 ? (
          <span class="entry-mark" role="img" aria-label={w.entry}>
            ◆
          </span>
        ) : (
          <span class="no-entry-mark" role="img" aria-label={w.noEntry}>
            ◇
          </span>
        )}
        <bdi class="clip">{visible(trace.name) || "–"}</bdi>
        {entries > 1 && <span class="chip">×{entries}</span>}
        {errors > 0 && <span class="chip bad">{w.errors(errors)}</span>}
        <span class="trace-time">{clock(trace.start)}</span>
      </div>
      <div class="trace-who">
        <bdi class="clip strong">{visible(trace.service) || "–"}</bdi>
        {trace.user && (
          <bdi class="clip" title={w.user}>
            <span class="unseen">{w.user} </span>
            {visible(trace.user)}
          </bdi>
        )}
        {trace.session && (
          <bdi class="clip" title={w.session}>
            <span class="unseen">{w.session} </span>
            {visible(trace.session)}
          </bdi>
        )}
      </div>
      <div class="trace-figures">
        <span>{duration(trace.duration)}</span>
        <span>{w.spans(trace.spans)}</span>
        {tokens && (
          <span>
            {count(tokens.input)} → {count(tokens.output)} {w.tokens}
          </span>
        )}
        {cost !== undefined && <span>{dollars(cost)}</span>}
      </div>
    </div>
  );
}

function Held() {
  const w = words.value;
  const { spans, bytes: size, evicted, cut, unreadable } = counts.value;
  return (
    <footer class="held">
      <span>{w.held(count(spans), bytes(size))}</span>
      {evicted > 0 && <span id="evicted">{w.evicted(count(evicted))}</span>}
      {cut > 0 && <span>{w.cut(count(cut))}</span>}
      {unreadable > 0 && <span class="bad">{w.unreadable(count(unreadable))}</span>}
      <button type="button" class="link" onClick={clear}>
        {w.clear}
      </button>
    </footer>
  );
}
