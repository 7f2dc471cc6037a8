// Before | after: the received attributes next to the output attributes with their values, each with its rule.
import type { Change, SpanDetail } from "../protocol.js";
import { said, words } from "../state.js";
import { visible } from "../text.js";
import { Key, Pairs, Section, Value } from "./SpanPanel.js";

/** Source attributes of one group beyond this number are folded: lists spread over keys have hundreds. */
const MANY = 4;

export function Changes({ detail }: { detail: SpanDetail }) {
  const w = words.value;
  const { changes, same, goneEvents, profile } = detail;
  return (
    <Section title={w.beforeAfter}>
      {changes.length === 0 ? (
        <p class="quiet">{w.noChange}</p>
      ) : (
        <div class="changes" id="changes" onKeyDown={move}>
          <div class="changes-head" aria-hidden="true">
            <span>{w.before}</span>
            <span>{w.after(profile)}</span>
          </div>
          {changes.map((change, i) => (
            <Group key={i} change={change} first={i === 0} />
          ))}
        </div>
      )}
      {goneEvents.length > 0 && (
        <p class="quiet">
          {w.goneEvents}: <bdi class="mono">{visible(goneEvents.join(", "))}</bdi>
        </p>
      )}
      {same.length > 0 && (
        <details class="fold">
          <summary>{w.unchanged(same.length)}</summary>
          <Pairs attributes={same} />
        </details>
      )}
    </Section>
  );
}

/** ↑ and ↓ move between lines; Tab leaves the list. */
function move(event: KeyboardEvent) {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const lines = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(".line")];
  const at = lines.indexOf((event.target as HTMLElement).closest<HTMLElement>(".line")!);
  lines[at + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
  event.preventDefault();
}

let lines = 0;

function Group({ change, first }: { change: Change; first: boolean }) {
  const w = words.value;
  const { before, after } = change;
  const folded = before.length > MANY ? before.slice(MANY - 1) : [];
  const open = before.slice(0, before.length - folded.length);
  return (
    <div class="group">
      <div class="side before">
        {before.length === 0 && <span class="nothing">{w.added}</span>}
        {open.map((attribute) => (
          <Old key={attribute.key} attribute={attribute} kept={after.length > 0} tab={first && after.length === 0} />
        ))}
        {folded.length > 0 && (
          <details class="fold">
            <summary>{w.more(folded.length)}</summary>
            {folded.map((attribute) => (
              <Old key={attribute.key} attribute={attribute} kept={after.length > 0} tab={false} />
            ))}
          </details>
        )}
      </div>
      <div class="side after">
        {after.length === 0 && (
          <span class="nothing">
            {w.removed}
            {before[0]?.why ? `: ${said(before[0].why)}` : ""}
          </span>
        )}
        {after.map((attribute, i) => (
          <New key={attribute.key} attribute={attribute} tab={first && i === 0} />
        ))}
      </div>
    </div>
  );
}

function Old({ attribute, kept, tab }: { attribute: Change["before"][number]; kept: boolean; tab: boolean }) {
  const { key, value, why } = attribute;
  const id = `line-${lines++}`;
  return (
    <div
      class={`line old${kept ? "" : " lost"}`}
      role="group"
      aria-label={key}
      aria-describedby={id}
      tabIndex={tab ? 0 : -1}
    >
      <Key text={key} />
      <Value text={value} />
      {why && (
        <div class="rule" role="tooltip" id={id}>
          {said(why)}
        </div>
      )}
    </div>
  );
}

function New({ attribute, tab }: { attribute: Change["after"][number]; tab: boolean }) {
  const w = words.value;
  const { key, value, from, convention, rule, how, kept, privacy } = attribute;
  const id = `line-${lines++}`;
  return (
    <div class="line new" role="group" aria-label={key} aria-describedby={id} tabIndex={tab ? 0 : -1}>
      <Key text={key} />
      <Value text={value} />
      <div class="rule" role="tooltip" id={id}>
        {convention && <span class="rule-of">{convention}</span>}{" "}
        {(rule ?? from) && (
          <span>
            <bdi class="mono">{visible(rule ?? from ?? "")}</bdi>
            {" → "}
          </span>
        )}
        <span>{said(how ?? kept ?? "")}</span>
        {rule && from && rule !== from && (
          <div>
            {w.from} <bdi class="mono">{visible(from)}</bdi>
          </div>
        )}
        {privacy && <div>{privacy}</div>}
      </div>
    </div>
  );
}
