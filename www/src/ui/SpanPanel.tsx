// One span: why it is or is not the entry, its conversation, its cost, and the changes of its attributes.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Attribute, SpanDetail, Tokens } from "../protocol.js";
import { chooseSpan, pane, span, spanId, trace, traceId, words } from "../state.js";
import { bytes, count, dollars, duration, pretty, visible } from "../text.js";
import { Changes } from "./Changes.js";
import { Conversation } from "./Conversation.js";
import { Icon } from "./Icon.js";
import { openPane } from "./panes.js";

export function SpanPanel() {
  const w = words.value;
  const detail = span.value;
  const box = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    box.current?.scrollTo(0, 0);
  }, [detail?.row.id]);
  const isThere = detail !== undefined && spanId.value !== undefined && detail.traceId === traceId.value;
  return (
    <section
      ref={box}
      class="pane span"
      id="span"
      aria-label={w.span}
      tabIndex={0}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        openPane("trace", "spans", "key");
      }}
    >
      {isThere ? (
        <Span key={detail.row.id} detail={detail} />
      ) : (
        <p class="hint">{traceId.value === undefined ? "" : w.selectSpan}</p>
      )}
    </section>
  );
}

function Span({ detail }: { detail: SpanDetail }) {
  const w = words.value;
  const { row, messages, parameters, tokens, resource, events, tools } = detail;
  const isTalk = messages.system.length + messages.input.length + messages.output.length > 0;
  return (
    <>
      <Head detail={detail} />
      <Why detail={detail} />
      <Warnings detail={detail} />
      {tokens && <Usage tokens={tokens} cost={detail.cost} />}
      {isTalk && <Conversation messages={messages} />}
      {!isTalk && row.kind === "llm" && (
        <Section title={w.conversation}>{<p class="quiet">{w.noConversation}</p>}</Section>
      )}
      {parameters.length > 0 && (
        <Section title={w.parameters}>
          <Pairs attributes={parameters} />
        </Section>
      )}
      {tools.length > 0 && (
        <Section title={w.tools}>
          {tools.map((tool) => (
            <details key={tool.key} class="fold">
              <summary>
                <bdi class="mono">{visible(tool.key)}</bdi>
              </summary>
              <Long text={tool.value} limit={LONG_TEXT} looks="text" />
            </details>
          ))}
        </Section>
      )}
      <Changes detail={detail} />
      {events.length > 0 && (
        <Section title={w.events}>
          {events.map((event, i) => (
            <details key={i} class="fold">
              <summary>
                <bdi class="mono">{visible(event.name)}</bdi>
                <span class="quiet">+{duration(event.at)}</span>
              </summary>
              <Pairs attributes={event.attributes} />
            </details>
          ))}
        </Section>
      )}
      <Section title={w.resource}>
        <Pairs attributes={[{ key: w.scope, value: detail.scope || "–" }, ...resource]} />
      </Section>
    </>
  );
}

export function Section({
  title,
  note,
  children,
}: {
  title: string;
  note?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section class="part">
      <h3>
        {title}
        {note}
      </h3>
      {children}
    </section>
  );
}

function Head({ detail }: { detail: SpanDetail }) {
  const w = words.value;
  const { row, conventions, ancestors } = detail;
  return (
    <div class="pane-head">
      <button
        type="button"
        class="button icon back"
        aria-label={w.back}
        onClick={() => {
          pane.value = "trace";
        }}
      >
        <Icon name="back" />
      </button>
      <div class="pane-title">
        {ancestors.length > 0 && (
          <nav class="path" aria-label={w.trace}>
            {ancestors.map((above) => (
              <button key={above.id} type="button" onClick={() => chooseSpan(above.id)}>
                {above.entry && <span class="entry-mark">◆ </span>}
                <bdi class="clip">{visible(above.name) || "–"}</bdi>
              </button>
            ))}
          </nav>
        )}
        <h2 class={`kind-${row.kind}`}>
          <span class="badge">{w.kinds[row.kind]}</span>
          {row.entry && (
            <span class="entry-mark" aria-hidden="true">
              ◆
            </span>
          )}
          <bdi class="clip">{visible(row.name) || "–"}</bdi>
        </h2>
        <div class="facts">
          <span>{duration(row.duration)}</span>
          {row.model && <bdi class="mono">{visible(row.model)}</bdi>}
          <span>{conventions.join(", ") || w.noConvention}</span>
          <span class="mono">{row.id}</span>
        </div>
        {row.error && (
          <p class="failed">
            ✕ <bdi>{visible(detail.status) || w.errors(1)}</bdi>
          </p>
        )}
      </div>
    </div>
  );
}

function Why({ detail }: { detail: SpanDetail }) {
  const w = words.value;
  const { entry } = detail;
  const other = entry.is
    ? undefined
    : (detail.ancestors.find((a) => a.entry) ?? trace.value?.rows.find((r) => r.entry));
  return (
    <div class={`why${entry.is ? " yes" : ""}`} id="why">
      <span class="why-mark" aria-hidden="true">
        {entry.is ? "◆" : "◇"}
      </span>
      <div>
        <strong>{entry.is ? w.isEntry : w.isNoEntry}</strong>
        <span class="why-text">{w.reasons[entry.code] ?? entry.why}</span>
      </div>
      {other && (
        <button type="button" class="link" onClick={() => chooseSpan(other.id)}>
          {w.goToEntry} ◆
        </button>
      )}
    </div>
  );
}

function Warnings({ detail }: { detail: SpanDetail }) {
  const w = words.value;
  if (detail.warnings.length === 0) return null;
  return (
    <ul class="warnings" aria-label={w.warnings(detail.warnings.length)}>
      {detail.warnings.map(({ code, detail: what }) => (
        <li key={code + what}>
          <Icon name="warning" />
          <span>
            {w.warn[code]}
            {what && (
              <>
                {": "}
                <bdi>{visible(what)}</bdi>
              </>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Usage({ tokens, cost }: { tokens: Tokens; cost: number | undefined }) {
  const w = words.value;
  const { input, output, cached, reasoning } = tokens;
  const parts = [
    { name: w.usageCached, kind: "cached", n: Math.min(cached, input) },
    { name: cached > 0 ? w.usageFresh : w.usageInput, kind: "input", n: Math.max(0, input - cached) },
    { name: w.usageReasoning, kind: "reasoning", n: Math.min(reasoning, output) },
    { name: reasoning > 0 ? w.usageAnswer : w.usageOutput, kind: "output", n: Math.max(0, output - reasoning) },
  ].filter(({ n }) => n > 0);
  return (
    <Section
      title={w.usage}
      note={
        <span class="usage-sum">
          {w.usageInput} <b>{count(input)}</b> · {w.usageOutput} <b>{count(output)}</b>
          {cost !== undefined && (
            <>
              {" "}
              · {w.cost} <b>{dollars(cost)}</b>
            </>
          )}
        </span>
      }
    >
      <div class="usage-bar" aria-hidden="true">
        {parts.map(({ kind, n }) => (
          <i key={kind} class={kind} style={{ flexGrow: n }} />
        ))}
      </div>
      <ul class="usage-parts">
        {parts.map(({ name, kind, n }) => (
          <li key={kind}>
            <i class={kind} aria-hidden="true" />
            {name} <b>{count(n)}</b>
          </li>
        ))}
      </ul>
    </Section>
  );
}

export function Pairs({ attributes }: { attributes: Attribute[] }) {
  return (
    <dl class="pairs">
      {attributes.map(({ key, value }, i) => (
        <div key={`${key} ${i}`}>
          <dt>
            <Key text={key} />
          </dt>
          <dd>
            <Value text={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A key, which may wrap at its dots. */
export function Key({ text }: { text: string }) {
  const parts = visible(text).split(/(?<=[._])/);
  return <bdi class="key">{parts.flatMap((part, i) => (i === 0 ? [part] : [<wbr key={i} />, part]))}</bdi>;
}

const LONG = 280;
export const LONG_TEXT = 1500;
const MAX = 50_000;

/** A value, shortened at first if it is long. */
export function Value({ text }: { text: string }) {
  if (text.length <= LONG) return <bdi class="value">{visible(text)}</bdi>;
  return <Long text={text} all={pretty(text)} limit={LONG} looks="value" />;
}

/** The beginning of a text, and all of it on request. */
export function Long({ text, all = text, limit, looks }: { text: string; all?: string; limit: number; looks: string }) {
  if (text.length <= limit) return <div class={looks}>{visible(text)}</div>;
  return (
    <details class="long">
      <summary>
        <bdi class={looks}>{visible(text.slice(0, limit))}</bdi>
        <span class="more">
          … {words.value.expand} ({bytes(text.length)})
        </span>
      </summary>
      <pre class={looks}>{visible(all.length > MAX ? `${all.slice(0, MAX)}… (+${bytes(all.length - MAX)})` : all)}</pre>
    </details>
  );
}
