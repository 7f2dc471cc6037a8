// The parts of OpenTelemetry that genspan uses: its objects by structure (SDK 1.x, 2.x and 3.x alike), and its global API, which
// all copies of `@opentelemetry/api` 1.x share through the global symbol registry. Nothing is imported.

/** Seconds and nanoseconds since 1970. */
export type HrTime = readonly [number, number];

export type Attributes = Readonly<Record<string, unknown>>;

export interface TraceState {
  get(key: string): string | undefined;
  set(key: string, value: string): TraceState;
  serialize(): string;
}

export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  readonly isRemote?: boolean | undefined;
  readonly traceState?: TraceState | undefined;
}

export interface InstrumentationScope {
  readonly name: string;
  readonly version?: string | undefined;
  readonly schemaUrl?: string | undefined;
  readonly attributes?: Attributes | undefined;
}

export interface Resource {
  readonly attributes: Attributes;
  readonly schemaUrl?: string | undefined;
  readonly asyncAttributesPending?: boolean | undefined;
  waitForAsyncAttributes?(): Promise<void>;
}

/** The fields of a span of any SDK version when it starts. */
export interface StartedSpan {
  readonly name?: string | undefined;
  spanContext(): SpanContext;
  readonly attributes?: Attributes | undefined;
  /** SDK 1.x */
  readonly parentSpanId?: string | undefined;
  /** SDK 2.x and later */
  readonly parentSpanContext?: SpanContext | undefined;
  /** SDK 2.x and later */
  readonly instrumentationScope?: InstrumentationScope | undefined;
  /** SDK 1.x */
  readonly instrumentationLibrary?: InstrumentationScope | undefined;
}

/** The fields of a span that has ended. */
export interface EndedSpan extends StartedSpan {
  readonly name: string;
  readonly kind: number;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly status: { readonly code: number; readonly message?: string | undefined };
  readonly resource: Resource;
  readonly events?: readonly SpanEvent[] | undefined;
  readonly links?: readonly SpanLink[] | undefined;
  readonly droppedAttributesCount?: number | undefined;
  readonly droppedEventsCount?: number | undefined;
  readonly droppedLinksCount?: number | undefined;
}

export interface SpanEvent {
  readonly name: string;
  readonly time: HrTime;
  readonly attributes?: Attributes | undefined;
  readonly droppedAttributesCount?: number | undefined;
}

export interface SpanLink {
  readonly context: SpanContext;
  readonly attributes?: Attributes | undefined;
  readonly droppedAttributesCount?: number | undefined;
}

export interface Context {
  getValue(key: symbol): unknown;
  setValue(key: symbol, value: unknown): Context;
  deleteValue(key: symbol): Context;
}

interface Api {
  diag?: { error(message: string): void; warn(message: string): void };
  context?: { active(): Context; with<T>(context: Context, call: () => T): T };
}

// The names with which the API package and the SDK call `createContextKey`, which is `Symbol.for`.
export const SPAN = Symbol.for("OpenTelemetry Context Key SPAN");
const BAGGAGE = Symbol.for("OpenTelemetry Baggage Key");
const SUPPRESS_TRACING = Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

function api(): Api | undefined {
  return (globalThis as { [key: symbol]: Api | undefined })[Symbol.for("opentelemetry.js.api.1")];
}

/** Logs a warning through OpenTelemetry's diagnostics; does nothing if none are set up or the logger throws. */
export function warn(message: string): void {
  try {
    api()?.diag?.warn(`genspan: ${message}`);
  } catch {
    // A fault of the logger must not break the request.
  }
}

/** Like `warn`, for problems at construction: most programs set up no diagnostics, so it falls back to the console. */
export function warnAtStart(message: string): void {
  if (api()?.diag) warn(message);
  else console.warn(`genspan: ${message}`);
}

/** A context without a trace. */
export class Detached implements Context {
  constructor(private readonly values: ReadonlyMap<symbol, unknown>) {}

  getValue(key: symbol): unknown {
    return this.values.get(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return new Detached(new Map(this.values).set(key, value));
  }

  deleteValue(key: symbol): Context {
    return new Detached(new Map([...this.values].filter(([other]) => other !== key)));
  }
}

const UNTRACED = new Detached(new Map([[SUPPRESS_TRACING, true]]));

/**
 * Runs `call` so that instrumentation of the libraries that it uses records nothing. Instrumentations that ignore the suppression flag, such as
 * `@microlabs/otel-cf-workers`, do not find the values that they need in this context.
 */
export function untraced<T>(call: () => T): T {
  const contexts = api()?.context;
  return contexts ? contexts.with(UNTRACED, call) : call();
}

/** The trace of the active span. */
export function activeTrace(): string | undefined {
  return (api()?.context?.active().getValue(SPAN) as StartedSpan | undefined)?.spanContext().traceId;
}

export function parentSpanId(span: StartedSpan): string | undefined {
  return span.parentSpanId ?? span.parentSpanContext?.spanId;
}

/** The context of the span's parent, if the parent is in another process. SDK 1.x provides it only in the parent's context. */
export function remoteParent(span: StartedSpan, context: Context | undefined): SpanContext | undefined {
  const parent =
    span.parentSpanContext ?? (context?.getValue(SPAN) as StartedSpan | undefined)?.spanContext() ?? undefined;
  return parent?.isRemote === true && parent.spanId === parentSpanId(span) ? parent : undefined;
}

/**
 * The id of the LLM span above the remote parent, from genspan's member of the trace state. Empty if there is such a span but its id is
 * unknown, as with the baggage in which Langfuse names the trace that has an application root. `undefined` if there is none.
 */
export function insideSegment(parent: SpanContext, context: Context | undefined): string | undefined {
  const member = /^llm(?::([0-9a-f]{16}))?$/.exec(parent.traceState?.get(MEMBER) ?? "");
  if (member) return member[1] ?? "";
  return baggage(context)?.getEntry("langfuse_trace_id")?.value === parent.traceId ? "" : undefined;
}

/** The session and the user in the baggage, under the keys of their attributes. Langfuse and Tencent's agent use their own names. */
export function people(context: Context | undefined): Attributes | undefined {
  const entries = baggage(context);
  if (entries === undefined) return undefined;
  let named: Attributes | undefined;
  for (const [key, spellings] of PEOPLE) {
    const spelling = spellings.find((name) => entries.getEntry(name)?.value);
    if (spelling) named = { ...named, [key]: entries.getEntry(spelling)?.value };
  }
  return named;
}

const PEOPLE = [
  ["session.id", ["session.id", "langfuse_session_id", "tapm.gen_ai.session.id"]],
  ["user.id", ["user.id", "langfuse_user_id", "tapm.gen_ai.user.id"]],
] as const;

function baggage(context: Context | undefined) {
  return context?.getValue(BAGGAGE) as { getEntry(key: string): { value: string } | undefined } | undefined;
}

/** The span of a context, unless tracing is suppressed there. */
export function activeSpan(context: Context): SpanContext | undefined {
  if (context.getValue(SUPPRESS_TRACING) === true) return undefined;
  return (context.getValue(SPAN) as StartedSpan | undefined)?.spanContext();
}

/** The trace state of a span, with a first member that means "inside the segment of this LLM span". */
export function insideState({ traceState }: SpanContext, segment: string): string {
  const value = segment ? `llm:${segment}` : "llm";
  return traceState?.set(MEMBER, value).serialize() ?? `${MEMBER}=${value}`;
}

const MEMBER = "genspan";
