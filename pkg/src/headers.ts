// Headers in the forms that platforms have them.

/** A plain object, a platform's `Headers`, or a `Map`. */
export type HeadersLike =
  | Readonly<Record<string, string>>
  | { forEach(each: (value: string, name: string) => void): void };

/** Names and values of headers, which are not checked yet; none if this holds no headers. */
export function headerPairs(headers: unknown): [name: string, value: unknown][] {
  if (typeof headers !== "object" || headers === null) return [];
  if (typeof (headers as { forEach?: unknown }).forEach !== "function") return Object.entries(headers);
  const pairs: [string, unknown][] = [];
  (headers as Map<unknown, unknown>).forEach((value, name) => {
    pairs.push([String(name), value]);
  });
  return pairs;
}
