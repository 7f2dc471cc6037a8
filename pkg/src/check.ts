// What every option is checked with: an error names the field, the value, the rule and a fix.

/** What setTimeout can wait. */
const MAX_MILLIS = 2 ** 31 - 1;

export function fail(field: string, problem: string, fix: string): never {
  throw new Error(`genspan: ${field} ${problem}; ${fix}`);
}

export function millis(field: string, value: number | undefined, given: unknown = value): number | undefined {
  if (value !== undefined && !(Number.isInteger(value) && value >= 0 && value <= MAX_MILLIS)) {
    fail(field, `${String(given)} is no duration`, `write whole milliseconds from 0 to ${MAX_MILLIS}`);
  }
  return value;
}

export function positive(field: string, value: number | undefined, given: unknown = value): number | undefined {
  if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value <= MAX_MILLIS)) {
    fail(field, `${String(given)} is no count`, "write a whole number from 1");
  }
  return value;
}

export function known(at: string, options: object, fields: readonly string[]): void {
  for (const field of Object.keys(options)) {
    if (fields.includes(field)) continue;
    const meant = fields.find((name) => name.toLowerCase() === field.toLowerCase());
    fail(
      `${at}: ${JSON.stringify(field)}`,
      "is unknown",
      meant ? `did you mean ${meant}?` : `known: ${fields.join(", ")}`,
    );
  }
}

/** Without the fields that nobody has set, which the core would read as values. */
export function present(fields: Record<string, unknown>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
