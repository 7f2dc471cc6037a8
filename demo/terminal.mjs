// Text for a terminal: colours that can be off, and widths that count CJK and emoji as two columns. What is said is in report.mjs.

const { env, stdout } = process;
const coloured = env.FORCE_COLOR
  ? env.FORCE_COLOR !== "0"
  : Boolean(stdout.isTTY) && !env.NO_COLOR && env.TERM !== "dumb";

const style = (open, close) => (text) => (coloured && text !== "" ? `\x1b[${open}m${text}\x1b[${close}m` : text);

export const bold = style(1, 22);
export const dim = style(2, 22);
export const red = style(31, 39);
export const green = style(32, 39);
export const yellow = style(33, 39);
export const blue = style(34, 39);
export const magenta = style(35, 39);
export const cyan = style(36, 39);
export const entry = style("1;30;43", "22;39;49");

const WIDE = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe4f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

const INVISIBLE = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

function columns(char) {
  if (INVISIBLE.test(char)) return 0;
  const code = char.codePointAt(0);
  return WIDE.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

/** Columns that `text` (without colours) takes. */
export function width(text) {
  let sum = 0;
  for (const char of text) sum += columns(char);
  return sum;
}

/** `text` without line breaks and other control characters. */
const flat = (text) => text.replaceAll("\n", "⏎").replace(/\p{Cc}/gu, "·");

/** `text` on one line, cut to `limit` columns with an ellipsis. */
export function fit(text, limit) {
  const line = flat(text);
  if (width(line) <= limit) return line;
  let cut = "";
  let used = 1;
  for (const char of line) {
    used += columns(char);
    if (used > limit) break;
    cut += char;
  }
  return `${cut}…`;
}

/** `text` on at most `lines` lines of `limit` columns, broken anywhere, the rest cut off with an ellipsis. */
export function wrap(text, limit, lines) {
  const wrapped = [""];
  let used = 0;
  for (const char of flat(text)) {
    used += columns(char);
    if (used > limit) {
      if (wrapped.length === lines) {
        wrapped.push(fit(`${wrapped.pop()}${char}`, limit));
        break;
      }
      wrapped.push("");
      used = columns(char);
    }
    wrapped[wrapped.length - 1] += char;
  }
  return wrapped;
}

export const left = (text, size) => fit(text, size) + " ".repeat(Math.max(0, size - width(fit(text, size))));
export const right = (text, size) => " ".repeat(Math.max(0, size - width(fit(text, size)))) + fit(text, size);
