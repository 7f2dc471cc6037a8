// What genspan sees of OpenTelemetry: its objects by structure (SDK 1.x, 2.x and 3.x alike) and its global API, which
// every copy of `@opentelemetry/api` 1.x shares through the global symbol registry. Nothing of it is imported.

/** Seconds and nanoseconds since 1970. */
export type HrTime = readonly [number, number];

export type Attributes = Readonly<Record<string, unknown>>;

export interface TraceState {
  get(key: string): string | undefined;
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

/** What a span of any SDK version has when it starts. */
export interface StartedSpan {
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

/** What it has once it has ended. */
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
}

interface Api {
  diag?: { error(message: string): void; warn(message: string): void };
  context?: { active(): Context; with<T>(context: Context, call: () => T): T };
}

// The names that the API package and the SDK give to `createContextKey`, which is `Symbol.for`.
const SPAN = Symbol.for("OpenTelemetry Context Key SPAN");
const BAGGAGE = Symbol.for("OpenTelemetry Baggage Key");
const SUPPRESS_TRACING = Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

function api(): Api | undefined {
  return (globalThis as { [key: symbol]: Api | undefined })[Symbol.for("opentelemetry.js.api.1")];
}

/** Says something through the host's OpenTelemetry diagnostics; silent where none are set up or the logger throws. */
export function warn(message: string): void {
  try {
    api()?.diag?.warn(`genspan: ${message}`);
  } catch {
    // A logger's fault is not worth the host's request.
  }
}

/** Runs `call` so that instrumentation of whatever it uses records nothing. */
export function untraced<T>(call: () => T): T {
  const contexts = api()?.context;
  return contexts ? contexts.with(contexts.active().setValue(SUPPRESS_TRACING, true), call) : call();
}

/** The trace of the active span. */
export function activeTrace(): string | undefined {
  return (api()?.context?.active().getValue(SPAN) as StartedSpan | undefined)?.spanContext().traceId;
}

export function parentSpanId(span: StartedSpan): string | undefined {
  return span.parentSpanId ?? span.parentSpanContext?.spanId;
}

/** The context of the span's parent, if that lives in another process. SDK 1.x tells only in the parent's context. */
export function remoteParent(span: StartedSpan, context: Context | undefined): SpanContext | undefined {
  const parent =
    span.parentSpanContext ?? (context?.getValue(SPAN) as StartedSpan | undefined)?.spanContext() ?? undefined;
  return parent?.isRemote === true && parent.spanId === parentSpanId(span) ? parent : undefined;
}

/**
 * Whether the remote parent is part of an LLM segment already: genspan's own tracestate member says so, or the baggage
 * in which Langfuse names the trace that it has an application root for.
 */
export function insideSegment(parent: SpanContext, context: Context | undefined): boolean {
  if (parent.traceState?.get("genspan") === "llm") return true;
  const baggage = context?.getValue(BAGGAGE) as { getEntry(key: string): { value: string } | undefined } | undefined;
  return baggage?.getEntry("langfuse_trace_id")?.value === parent.traceId;
}
