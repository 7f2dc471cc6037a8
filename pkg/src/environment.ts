// The environment variables of OpenTelemetry. What is in them is checked like an option.
import { fail, millis, positive } from "./check.js";
import type { Host } from "./host.js";

/** The variables of OpenTelemetry, which count for what options leave out. Empty means unset. */
export class Environment {
  constructor(private readonly vars: Host["env"]) {}

  get(name: string): string | undefined {
    return this.vars[name]?.trim() || undefined;
  }

  /** The variable for traces, else the one for all signals. */
  otlp(name: string): string | undefined {
    return this.get(`OTEL_EXPORTER_OTLP_TRACES_${name}`) ?? this.get(`OTEL_EXPORTER_OTLP_${name}`);
  }

  endpoint(grpc: boolean): string | undefined {
    const base = this.get("OTEL_EXPORTER_OTLP_ENDPOINT");
    const path = grpc ? "" : "/v1/traces";
    return this.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") ?? (base && `${base.replace(/\/+$/, "")}${path}`);
  }

  headers(): Record<string, string> {
    return { ...this.pairs("OTEL_EXPORTER_OTLP_HEADERS"), ...this.pairs("OTEL_EXPORTER_OTLP_TRACES_HEADERS") };
  }

  resource(): Record<string, string | undefined> {
    return this.pairs("OTEL_RESOURCE_ATTRIBUTES");
  }

  timeout(): number | undefined {
    return this.millis("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT") ?? this.millis("OTEL_EXPORTER_OTLP_TIMEOUT");
  }

  millis(name: string): number | undefined {
    const text = this.get(name);
    return text === undefined ? undefined : millis(name, Number(text), text);
  }

  positive(name: string): number | undefined {
    const text = this.get(name);
    return text === undefined ? undefined : positive(name, Number(text), text);
  }

  /** `key=value,…`, percent-encoded. */
  private pairs(name: string): Record<string, string> {
    const pairs: Record<string, string> = {};
    const entries = this.get(name)?.split(",") ?? [];
    entries.forEach((entry, i) => {
      if (entry.trim() === "") return;
      const equals = entry.indexOf("=");
      try {
        if (equals < 1) throw new Error();
        pairs[decodeURIComponent(entry.slice(0, equals).trim())] = decodeURIComponent(entry.slice(equals + 1).trim());
      } catch {
        fail(name, `has no percent-encoded key=value as entry ${i + 1}`, "write key1=value1,key2=value2");
      }
    });
    return pairs;
  }
}
