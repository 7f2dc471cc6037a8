// How the page shows numbers and text from spans.

/** Invisible characters, and characters that change the direction of text. They are shown by their code. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression searches for them
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

export function visible(text: string): string {
  return text.replace(HIDDEN, (c) => `⟨U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

export function duration(millis: number): string {
  if (millis < 0.001) return "0 ms";
  if (millis < 1) return `${Math.round(millis * 1000)} µs`;
  if (millis < 10) return `${millis.toFixed(1)} ms`;
  if (millis < 1000) return `${Math.round(millis)} ms`;
  if (millis < 60_000) return `${(millis / 1000).toFixed(millis < 10_000 ? 2 : 1)} s`;
  const minutes = Math.floor(millis / 60_000);
  return `${minutes} min ${Math.round(millis / 1000 - minutes * 60)} s`;
}

export function count(n: number): string {
  return n.toLocaleString("en-US");
}

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  return n < 1 << 20 ? `${(n / 1024).toFixed(n < 10_240 ? 1 : 0)} KB` : `${(n / (1 << 20)).toFixed(1)} MB`;
}

export function dollars(n: number): string {
  return `$${n < 0.01 ? n.toPrecision(2) : n.toFixed(n < 1 ? 3 : 2)}`;
}

/** The time of day, with the date if it is not today. */
export function clock(millis: number): string {
  const time = new Date(millis);
  const two = (n: number) => String(n).padStart(2, "0");
  const hour = `${two(time.getHours())}:${two(time.getMinutes())}`;
  if (time.toDateString() === new Date().toDateString()) return `${hour}:${two(time.getSeconds())}`;
  return `${two(time.getMonth() + 1)}-${two(time.getDate())} ${hour}`;
}

/** JSON formatted over several lines; other text unchanged. */
export function pretty(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
