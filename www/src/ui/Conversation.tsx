// The messages of a span. All of their content is shown as text: nothing is loaded, and there are no links.
import type { Message, Part, SpanDetail } from "../protocol.js";
import { words } from "../state.js";
import { bytes, pretty, visible } from "../text.js";
import { Icon } from "./Icon.js";
import { LONG_TEXT, Long, Section } from "./SpanPanel.js";

export function Conversation({ messages }: { messages: SpanDetail["messages"] }) {
  const w = words.value;
  const { system, input, output } = messages;
  const isTalk = [...input, ...output].some(({ role }) => role !== "input" && role !== "output");
  return (
    <Section title={isTalk || system.length > 0 ? w.conversation : w.inAndOut}>
      <ol class="talk">
        {system.length > 0 && <Said message={{ role: "system", parts: system }} />}
        {input.map((message, i) => (
          <Said key={`in${i}`} message={message} />
        ))}
        {output.map((message, i) => (
          <Said key={`out${i}`} message={message} last />
        ))}
      </ol>
    </Section>
  );
}

/** For values that are not messages: the beginning is the most useful part. */
const SHORT_TEXT = 600;

const ROLES = new Set(["system", "user", "assistant", "tool"]);

function Said({ message, last }: { message: Message; last?: boolean }) {
  const w = words.value;
  const { role, finish, parts } = message;
  return (
    <li class={`said role-${ROLES.has(role) ? role : "other"}${last ? " last" : ""}`}>
      <div class="said-role">
        <bdi>{visible(role)}</bdi>
        {finish && (
          <span class="quiet">
            {w.finish}: <bdi>{visible(finish)}</bdi>
          </span>
        )}
      </div>
      <div class="said-parts">
        {parts.map((part, i) => (
          <PartOf key={i} part={part} />
        ))}
      </div>
    </li>
  );
}

function PartOf({ part }: { part: Part }) {
  const w = words.value;
  switch (part.type) {
    case "text":
      return <Text text={part.text} />;
    case "reasoning":
      return (
        <details class="reasoning">
          <summary>{w.reasoning}</summary>
          <Text text={part.text} />
        </details>
      );
    case "call":
      return (
        <div class="call">
          <div class="call-head">
            <span class="quiet">{w.call}</span> <bdi class="mono strong">{visible(part.name) || "–"}</bdi>
            {part.id && <bdi class="mono quiet clip">{visible(part.id)}</bdi>}
          </div>
          {part.text && <Long text={pretty(part.text)} limit={LONG_TEXT} looks="text" />}
        </div>
      );
    case "result":
      return (
        <div class="call">
          <div class="call-head">
            <span class="quiet">{w.result}</span>
            {part.id && <bdi class="mono quiet clip">{visible(part.id)}</bdi>}
          </div>
          <Long text={pretty(part.text)} limit={LONG_TEXT} looks="text" />
        </div>
      );
    case "media":
      return (
        <div class="media">
          <Icon name="image" />
          <span>
            <b>{visible(part.what)}</b> {visible(part.mime)} {part.size === undefined ? "" : bytes(part.size)}
            {part.name && <bdi class="mono clip">{visible(part.name)}</bdi>}
          </span>
          <span class="quiet">{w.media}</span>
        </div>
      );
    case "other":
      return (
        <div class="call">
          {part.name && (
            <div class="call-head">
              <bdi class="mono strong">{visible(part.name)}</bdi>
            </div>
          )}
          <Long text={pretty(part.text)} limit={SHORT_TEXT} looks="text" />
        </div>
      );
  }
}

function Text({ text }: { text: string }) {
  return <Long text={text} limit={LONG_TEXT} looks="words" />;
}
