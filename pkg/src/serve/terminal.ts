// One line in the terminal for each trace as it arrives. Text from senders is shown without its control characters.
import { Fault, type Rejected } from "../core.js";
import { convert, type LeftOut } from "../slim.js";
import { Refusal } from "./otlp.js";

type Value = { stringValue?: string; intValue?: string; boolValue?: boolean };
interface Json {
  resourceSpans?: {
    resource?: { attributes?: Attribute[] };
    scopeSpans?: { spans?: Span[] }[];
  }[];
}
interface Attribute {
  key: string;
  value: Value;
}
interface Span {
  traceId?: string;
  parentSpanId?: string;
  name?: string;
  startTimeUnixNano?: string;
  endTimeUnixNano?: string;
  attributes?: Attribute[];
  status?: { code?: number };
}

/** What is known of a trace whose line has not been printed yet. */
interface Trace {
  service: string;
  root: string | undefined;
  entry: string | undefined;
  models: Set<string>;
  spans: number;
  errors: number;
  input: number;
  output: number;
  start: bigint;
  end: bigint;
  heardAt: number;
}

/** A trace is printed when nothing of it has arrived for this long, in ms. */
const QUIET_MILLIS = 1_000;
const MAX_TRACES = 1_000;
const TELL_MILLIS = 500;
/** Maximum number of lines in that time, because a terminal is slow and nobody reads faster. */
const MAX_LINES = 50;
const EACH = { profile: "otel", keep: "none", to: "json", privacy: { captureContent: false } } as const;
const USAGE = ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"] as const;

/** The spans of a body in OpenTelemetry's form, without content, and those that no backend would accept. Throws a Refusal for an invalid body. */
export function spansOf(body: Uint8Array): { json: Json; partial: Rejected | undefined } {
  let converted: Uint8Array;
  let partial: Rejected | undefined;
  const onPartialSuccess = ({ rejectedSpans, errorMessage }: LeftOut) => {
    partial = { rejected: rejectedSpans, message: errorMessage };
  };
  try {
    converted = convert(body, { ...EACH, onPartialSuccess });
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Refusal(400, (error as Error).message);
  }
  return { json: JSON.parse(new TextDecoder().decode(converted)) as Json, partial };
}

export class Lines {
  readonly #traces = new Map<string, Trace>();
  readonly #write: (line: string) => void;
  readonly #colour: boolean;
  readonly #timer: NodeJS.Timeout;
  #written = 0;
  #untold = 0;

  constructor(write: (line: string) => void, colour: boolean) {
    this.#write = write;
    this.#colour = colour;
    this.#timer = setInterval(() => this.#tell(Date.now() - QUIET_MILLIS), TELL_MILLIS).unref();
  }

  /** Counts the spans of a body. */
  add({ resourceSpans = [] }: Json): number {
    let count = 0;
    for (const { resource, scopeSpans = [] } of resourceSpans) {
      const service = text(resource?.attributes, "service.name") ?? "";
      for (const { spans = [] } of scopeSpans) {
        count += spans.length;
        for (const span of spans) this.#span(span, service);
      }
    }
    return count;
  }

  /** Prints the remaining traces. */
  close(): void {
    clearInterval(this.#timer);
    this.#tell(Number.POSITIVE_INFINITY);
  }

  #span(span: Span, service: string): void {
    const id = span.traceId ?? "";
    const trace = this.#traces.get(id) ?? this.#begin(id, service);
    const { attributes } = span;
    trace.spans++;
    trace.heardAt = Date.now();
    if (!span.parentSpanId) {
      trace.root = span.name ?? "";
      trace.service = service;
    }
    if (attributes?.some(({ key, value }) => key === "gen_ai.is_entry" && value.boolValue))
      trace.entry ??= span.name ?? "";
    const model = text(attributes, "gen_ai.response.model") ?? text(attributes, "gen_ai.request.model");
    if (model) trace.models.add(model);
    const [input, output] = USAGE.map((name) =>
      Number(attributes?.find(({ key }) => key === name)?.value.intValue ?? 0),
    );
    trace.input += input as number;
    trace.output += output as number;
    if (span.status?.code === 2) trace.errors++;
    const start = BigInt(span.startTimeUnixNano ?? 0);
    const end = BigInt(span.endTimeUnixNano ?? 0);
    if (trace.spans === 1 || start < trace.start) trace.start = start;
    if (end > trace.end) trace.end = end;
  }

  #begin(id: string, service: string): Trace {
    if (this.#traces.size >= MAX_TRACES) {
      const [oldest] = this.#traces;
      if (oldest) this.#line(...oldest);
    }
    const trace: Trace = {
      service,
      root: undefined,
      entry: undefined,
      models: new Set(),
      spans: 0,
      errors: 0,
      input: 0,
      output: 0,
      start: 0n,
      end: 0n,
      heardAt: 0,
    };
    this.#traces.set(id, trace);
    return trace;
  }

  #tell(before: number): void {
    for (const [id, trace] of this.#traces) if (trace.heardAt <= before) this.#line(id, trace);
    if (this.#untold > 0) this.#write(`  … and ${this.#untold} more ${this.#untold === 1 ? "trace" : "traces"}`);
    this.#written = 0;
    this.#untold = 0;
  }

  #line(id: string, trace: Trace): void {
    this.#traces.delete(id);
    if (++this.#written > MAX_LINES) {
      this.#untold++;
      return;
    }
    const { service, root, entry, models, spans, errors, input, output } = trace;
    const paint = (code: string, words: string) => (this.#colour && words ? `\x1b[${code}m${words}\x1b[0m` : words);
    const name = root ?? entry ?? `trace ${id.slice(0, 8)}`;
    const parts = [
      paint("2", new Date().toTimeString().slice(0, 8)),
      paint("1", shown(name)) +
        (entry === undefined ? "" : ` ${paint("33", `◆ ${entry === name ? "" : shown(entry)}`.trim())}`),
      paint("2", shown(service)),
      `${spans} ${spans === 1 ? "span" : "spans"}`,
      paint("36", shown([...models].slice(0, 3).join(", "))),
      input + output > 0 ? `${input} → ${output} tokens` : "",
      paint("2", duration(trace.end - trace.start)),
      errors > 0 ? paint("31", `${errors} failed`) : "",
    ];
    this.#write(parts.filter(Boolean).join("  "));
  }
}

function text(attributes: Attribute[] | undefined, name: string): string | undefined {
  return attributes?.find(({ key }) => key === name)?.value.stringValue;
}

/** The text on one line, shortened, without control characters and changes of direction. */
function shown(name: string): string {
  const line = name.replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, "·");
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

function duration(nanos: bigint): string {
  const millis = Number(nanos) / 1e6;
  if (millis < 0) return "";
  return millis < 1000 ? `${millis.toFixed(millis < 10 ? 1 : 0)} ms` : `${(millis / 1000).toFixed(1)} s`;
}
