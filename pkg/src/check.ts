// Checks of options. Every error has the form `<path>: <value> <problem>; <fix>`, where the path is the one that the user wrote.

/** The longest delay of setTimeout, in ms. */
const MAX_MILLIS = 2 ** 31 - 1;
/** The largest number of letters in which a misspelt name may differ from the intended one. */
const MAX_TYPOS = 2;

export function fail(field: string, problem: string, fix: string): never {
  throw new Error(`genspan: ${field}: ${problem}; ${fix}`);
}

export function millis(field: string, value: number | undefined, given: unknown = value): number | undefined {
  if (value !== undefined && !(Number.isInteger(value) && value >= 0 && value <= MAX_MILLIS)) {
    fail(field, `${String(given)} is out of range`, `use a whole number from 0 to ${MAX_MILLIS} (ms)`);
  }
  return value;
}

export function positive(field: string, value: number | undefined, given: unknown = value): number | undefined {
  if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value <= MAX_MILLIS)) {
    fail(field, `${String(given)} is out of range`, "use a whole number, 1 or more");
  }
  return value;
}

/** Throws unless `options` is an object that has only these fields. `at` is its path, or "options" for the options themselves. */
export function known(at: string, options: unknown, fields: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const example = fields.includes("endpoint") ? "endpoint" : fields[0];
    fail(at, `is ${kindOf(options)}`, `write an object, such as { ${example}: … }`);
  }
  for (const field of Object.keys(options)) {
    if (fields.includes(field)) continue;
    const meant = fields.find((name) => name.toLowerCase() === field.toLowerCase());
    const near = nearest(field, fields);
    const path = at === "options" ? field : `${at}.${field}`;
    fail(path, "is not an option", (meant ?? near) ? `did you mean ${meant ?? near}?` : `known: ${fields.join(", ")}`);
  }
}

/** The type of a value, for error messages. They never contain the value itself, which may be a secret. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** An invalid value, quoted for an error message. */
export function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/**
 * A URL, or a text intended as one, in a form that messages may contain: without user name and password, which may contain any character, and
 * without query and fragment.
 */
export function printable(url: string): string {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)$/is.exec(url) ?? [];
  const at = rest.lastIndexOf("@") + 1;
  const [shown = ""] = rest.slice(at).split(/[?#]/, 1);
  return scheme + (at > 0 ? "…@" : "") + shown + (at + shown.length < rest.length ? "?…" : "");
}

function nearest(name: string, fields: readonly string[]): string | undefined {
  const typos = (field: string) => distance(name.toLowerCase(), field.toLowerCase());
  const limit = Math.min(MAX_TYPOS, name.length / 3);
  return fields.filter((field) => typos(field) <= limit).sort((a, b) => typos(a) - typos(b))[0];
}

/** The number of letters that have to be inserted, removed or replaced to turn one text into the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] as number) + Number(a[i] !== b[j]);
      next.push(Math.min(replaced, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** The fields that are set. The core would read an `undefined` field as a value. */
export function present<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** Throws if a value would be lost or changed on its way to the core, which reads JSON. */
export function plain(path: string, value: unknown): void {
  if (typeof value === "number" && !Number.isFinite(value))
    fail(path, `${value} is out of range`, "use a finite number");
  if (["function", "bigint", "symbol"].includes(typeof value)) {
    fail(path, `is a ${typeof value}`, "use text, numbers, booleans, lists and objects");
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    plain(Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`, member);
  }
}
