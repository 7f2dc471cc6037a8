// Bodies that take as much memory as they can for their size, and what they are made of.

export const varint = (n) => (n > 0x7f ? [(n & 0x7f) | 0x80, ...varint(n >>> 7)] : [n]);
export const field = (number, bytes) =>
  Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes]);
const attribute = (key, value) => field(9, Buffer.concat([field(1, Buffer.from(key)), field(2, value)]));
export const text = (key, value) => attribute(key, field(1, Buffer.from(value)));
export const chat = text("gen_ai.operation.name", "chat");

export function span(id, fields, traceId = Buffer.alloc(16, 7)) {
  const spanId = Buffer.alloc(8);
  spanId.writeUInt32BE(id + 1, 4);
  return field(2, Buffer.concat([field(1, traceId), field(2, spanId), fields]));
}
export const body = (spans) => field(1, field(2, spans));
const one = (fields) => body(span(0, Buffer.concat([chat, fields])));
const filled = (unit, bytes) => Buffer.alloc(bytes - (bytes % unit.length), unit);
export const list = (unit, bytes) =>
  Buffer.concat([Buffer.from("["), filled(Buffer.from(unit), bytes), Buffer.from("0]")]);
function spans(bytes, make) {
  const all = [];
  for (let i = 0, size = 0; size < bytes; i++) {
    all.push(span(i, make(i)));
    size += all[i].length;
  }
  return body(Buffer.concat(all.slice(0, -1)));
}

/** Bodies of about so many bytes. */
export const HOSTILE = {
  "a list of empty messages": (n) => one(text("gen_ai.input.messages", list('"",', n))),
  "a list of numbers": (n) => one(text("output.value", list("1,", n))),
  "lists of 100 KB": (n) => spans(n, () => Buffer.concat([chat, text("gen_ai.input.messages", list('"",', 100_000))])),
  "lists of 4 KB": (n) => spans(n, () => Buffer.concat([chat, text("gen_ai.input.messages", list('"",', 4000))])),
  "small LLM spans": (n) => spans(n, () => text("gen_ai.system", "x")),
  "small spans": (n) => spans(n, () => Buffer.alloc(0)),
  "empty spans": (n) => field(1, field(2, filled(Buffer.from([0x12, 0]), n))),
  "empty attributes": (n) => one(filled(Buffer.from([0x4a, 0]), n)),
  "empty events": (n) => one(filled(Buffer.from([0x5a, 0]), n)),
  "empty links": (n) => one(filled(Buffer.from([0x6a, 0]), n)),
  "unknown fields": (n) => one(filled(Buffer.from([0xa0, 1, 0]), n)),
  "empty scopes": (n) => field(1, filled(Buffer.from([0x12, 0]), n)),
  "empty resources": (n) => filled(Buffer.from([0x0a, 0]), n),
  "a text that is quotes": (n) => one(text("langfuse.observation.output", `['${'"'.repeat(n)}']`)),
  "a text that is lines": (n) => one(text("langfuse.observation.output", "12345678901\n".repeat(n / 12))),
  "a text that is controls": (n) => one(text("langfuse.observation.output", "123456789012\x01".repeat(n / 13))),
  "a list of texts": (n) =>
    one(text("langfuse.observation.output", list('"1234567890123456789012345678901234567890",', n))),
  "members of an array": (n) => one(attribute("input.value", field(5, filled(Buffer.from([0x0a, 0]), n)))),
  "resources in JSON": (n) => Buffer.from(`{"resourceSpans":[${"{},".repeat(n / 3)}{}]}`),
  "lists in JSON": (n) => Buffer.from(`{"x":[${"[],".repeat(n / 3)}[]]}`),
};

const MASK = (1n << 64n) - 1n;
const FACTOR = 0x9e3779b97f4a7c15n;
/** The first secret word of the maps in src/hash.rs, were their seed 0: the first step of SplitMix64. */
function firstWord() {
  let word = FACTOR;
  word = ((word ^ (word >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  word = ((word ^ (word >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return word ^ (word >> 31n);
}

/**
 * LLM spans, each of a trace of its own. The first halves of the trace ids are `half`: where it is the first secret word, all of them have
 * the same hash.
 */
export function traces(count, half = firstWord()) {
  const make = (i) => {
    const traceId = Buffer.alloc(16);
    traceId.writeBigUInt64LE(half);
    traceId.writeUInt32LE(i + 1, 8);
    return span(i, chat, traceId);
  };
  return body(Buffer.concat(Array.from({ length: count }, (_, i) => make(i))));
}
