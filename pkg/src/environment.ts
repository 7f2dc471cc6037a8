// The environment variables of OpenTelemetry. They may be intended for another SDK, so an invalid value is reported and counts as unset, as
// OpenTelemetry's specification of environment variables requires.
import { fail, millis, positive } from "./check.js";
import type { Host } from "./types.js";

/** The variables of OpenTelemetry, used for options that are not set. An empty variable counts as unset. */
export class Environment {
  readonly #reported = new Set<string>();

  constructor(
    private readonly vars: Host["env"],
    private readonly warn: (message: string) => void,
  ) {}

  get(name: string): string | undefined {
    return this.vars[name]?.trim() || undefined;
  }

  /** The result of `read` for a variable. If `read` throws, the variable counts as unset. */
  read<T>(name: string, read: (text: string, name: string) => T): T | undefined {
    const text = this.get(name);
    if (text === undefined) return undefined;
    try {
      return read(text, name);
    } catch (error) {
      this.ignore((error as Error).message);
      return undefined;
    }
  }

  /** The value of the variable for traces or, if that is unset, of the one for all signals. */
  otlp<T>(name: string, read: (text: string, name: string) => T): T | undefined {
    return this.read(`OTEL_EXPORTER_OTLP_TRACES_${name}`, read) ?? this.read(`OTEL_EXPORTER_OTLP_${name}`, read);
  }

  endpoint(grpc: boolean, check: (text: string, name: string) => string): string | undefined {
    const path = grpc ? "" : "/v1/traces";
    return (
      this.read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", check) ??
      this.read("OTEL_EXPORTER_OTLP_ENDPOINT", (base, name) => check(`${base.replace(/\/+$/, "")}${path}`, name))
    );
  }

  /** The headers of the environment. A header for which `check` throws is left out. */
  headers(check: (name: string, value: string, variable: string) => void): Record<string, string> {
    const headers: Record<string, string> = {};
    for (const variable of ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"]) {
      this.get(variable)
        ?.split(",")
        .forEach((entry, i) => {
          try {
            for (const [name, value] of pair(variable, entry, i)) {
              check(name, value, variable);
              headers[name] = value;
            }
          } catch (error) {
            this.ignore((error as Error).message);
          }
        });
    }
    return headers;
  }

  /** The attributes of the variable; none if one of them cannot be read. */
  resource(): Record<string, string | undefined> {
    const pairs = this.read("OTEL_RESOURCE_ATTRIBUTES", (text, name) =>
      text.split(",").flatMap((entry, i) => pair(name, entry, i)),
    );
    return Object.fromEntries(pairs ?? []);
  }

  disabled(): boolean {
    const disabled = this.read("OTEL_SDK_DISABLED", (text, name) => {
      if (!/^(true|false)$/i.test(text))
        fail(name, `${JSON.stringify(text)} is not a boolean`, 'use "true" or "false"');
      return text.toLowerCase() === "true";
    });
    return disabled ?? false;
  }

  timeout(): number | undefined {
    return this.otlp("TIMEOUT", (text, name) => millis(name, Number(text), text));
  }

  millis(name: string): number | undefined {
    return this.read(name, (text) => millis(name, Number(text), text));
  }

  positive(name: string): number | undefined {
    return this.read(name, (text) => positive(name, Number(text), text));
  }

  ignore(message: string): void {
    if (this.#reported.has(message)) return;
    this.#reported.add(message);
    this.warn(`${message.replace(/^genspan: /, "")}; it is ignored`);
  }
}

/** Reads a percent-encoded `key=value`. Returns an empty list for a blank entry. */
function pair(variable: string, entry: string, i: number): [string, string][] {
  if (entry.trim() === "") return [];
  const equals = entry.indexOf("=");
  try {
    if (equals < 1) throw new Error();
    return [[decodeURIComponent(entry.slice(0, equals).trim()), decodeURIComponent(entry.slice(equals + 1).trim())]];
  } catch {
    return fail(variable, `entry ${i + 1} is not a percent-encoded key=value`, "use key1=value1,key2=value2");
  }
}
