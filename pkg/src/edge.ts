// Traces without an SDK, for workers and edge functions: adds `trace` to the package. Children are created explicitly, because not every edge
// runtime has an AsyncLocalStorage. Spans are sent once no span of the request is running.
import { headerPairs } from "./headers.js";
import { webHost } from "./host.js";
import { type GenSpanOptions, GenSpanProcessor, version, type WaitUntil } from "./index.js";
import type { Attributes, Context, EndedSpan, HrTime, SpanContext, SpanEvent, TraceState } from "./otel.js";
import { Detached, insideState, SPAN } from "./otel.js";
import { MAX_OPEN, Pool } from "./pool.js";

export * from "./index.js";

/** The trace of a request. */
export interface Trace {
  /**
   * Runs `fn` in a span below the caller's. Returns or rethrows the outcome of `fn`, and records an error on the span. The span ends when `fn` does; if
   * `fn` returns a promise, when that settles.
   */
  span<T>(name: string, attributes: Attributes, fn: (span: Span) => T): T;
}

/** A running span. Its method `span` creates a child. */
export interface Span extends Trace {
  /** In hex. */
  readonly traceId: string;
  readonly spanId: string;
  setAttribute(key: string, value: unknown): this;
  setAttributes(attributes: Attributes): this;
  /** `fetch` with this span as the parent, in `traceparent` and `tracestate`. Bound to the span, for clients that accept a custom `fetch`. */
  readonly fetch: typeof fetch;
}

/** How long a request without a running span may start another one before its spans are sent, in ms. */
const LINGER = 20;
/** Time limit of delivery, in ms: Cloudflare ends a worker 30 s after its response. */
const DELIVERY = 20_000;
const WARN_INTERVAL = 60_000;

const SAMPLED = 1;
const ERROR = 2;

/** Two requests may use the same processor, one after the other, if these are equal. */
interface Settings {
  readonly env: object;
  readonly options: GenSpanOptions;
}

const NOTHING = {};
const pool = new Pool<Settings, GenSpanProcessor>(
  (a, b) => a.env === b.env && a.options === b.options,
  ({ env, options }) => new GenSpanProcessor(options, { ...webHost, env: env as typeof webHost.env, warn: tell }),
);
let lastWarning = Number.NEGATIVE_INFINITY;

/**
 * The trace of a request or another event. An event without headers (a schedule, an alarm, a batch of a queue, or `undefined`) begins a new trace. Headers may be
 * a `Headers`, a `Map` or a plain object, so that a message of a queue can be continued with `trace({ headers: message.body.headers })`. `ctx` keeps the worker alive
 * until the spans are delivered, or given up after 20 s; the response is not delayed. `env` holds the worker's bindings; its `OTEL_*` variables apply as in other
 * runtimes. `options` are the other options. Pass the same `options` object each time where they are equal, so that its processor is reused. Never throws: problems are
 * reported with `console.warn`.
 */
export function trace(
  request?: object | null,
  ctx?: Partial<WaitUntil> | null,
  env?: object | null,
  options?: GenSpanOptions | null,
): Trace {
  const recording = new Recording({ env: env ?? NOTHING, options: options ?? NOTHING }, ctx);
  let parent: SpanContext | undefined;
  guarded(() => {
    parent = incoming((request as { headers?: unknown } | null | undefined)?.headers);
  });
  const traceId = parent?.traceId ?? id(16);
  return { span: (name, attributes, fn) => run(recording, traceId, parent, name, attributes, fn) };
}

/** The spans of one request, with one processor while any of them runs and until they are delivered. */
class Recording {
  #processor: GenSpanProcessor | undefined;
  #running = 0;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #delivered = () => {};

  constructor(
    private readonly settings: Settings,
    private readonly ctx: Partial<WaitUntil> | null | undefined,
  ) {}

  started(span: EdgeSpan, context: Context): void {
    this.#running++;
    clearTimeout(this.#linger);
    guarded(() => {
      this.#processor ??= this.#open();
      this.#processor?.onStart(span, context);
    });
  }

  ended(span: EndedSpan): void {
    guarded(() => {
      this.#processor?.onEnd(span);
      if (--this.#running === 0) this.#linger = setTimeout(() => void this.#deliver(), LINGER);
    });
  }

  /** The trace state that informs a called service whether it is inside an LLM segment. */
  state(context: SpanContext): string {
    const segment = this.#processor?.segment(context);
    return segment === undefined ? (context.traceState?.serialize() ?? "") : insideState(context, segment);
  }

  #open(): GenSpanProcessor | undefined {
    const processor = pool.take(this.settings);
    if (!processor) {
      tell(`${MAX_OPEN} requests wait for a backend; further requests are not traced`);
      return undefined;
    }
    const delivered = new Promise<void>((resolve) => {
      this.#delivered = resolve;
    });
    guarded(() => this.ctx?.waitUntil?.(delivered));
    return processor;
  }

  async #deliver(): Promise<void> {
    const processor = this.#processor;
    const delivered = this.#delivered;
    this.#processor = undefined;
    if (processor) {
      await processor.forceFlush({ timeoutMillis: DELIVERY });
      for (const error of await pool.give(this.settings, processor)) tell(error);
    }
    delivered();
  }
}

const RESOURCE = { attributes: { "service.name": "unknown_service" } };
const SCOPE = {
  name: "genspan/edge",
  get version() {
    return version();
  },
};

class EdgeSpan implements EndedSpan {
  readonly kind = 0;
  readonly resource = RESOURCE;
  readonly instrumentationScope = SCOPE;
  readonly startTime = time();
  endTime = this.startTime;
  status: { code: number; message?: string } = { code: 0 };
  readonly events: SpanEvent[] = [];
  readonly attributes: Record<string, unknown>;

  constructor(
    readonly name: string,
    attributes: Attributes,
    private readonly context: SpanContext,
    readonly parentSpanContext: SpanContext | undefined,
  ) {
    this.attributes = { ...attributes };
  }

  spanContext(): SpanContext {
    return this.context;
  }

  end(): void {
    this.endTime = time();
  }

  failed(error: unknown): void {
    const { name: type, message } = error instanceof Error ? error : { name: typeof error, message: String(error) };
    this.status = { code: ERROR, message };
    const attributes = { "exception.type": type, "exception.message": message };
    this.events.push({ name: "exception", time: time(), attributes });
    this.attributes["error.type"] ??= type;
  }
}

function run<T>(
  recording: Recording,
  traceId: string,
  parent: SpanContext | undefined,
  name: string,
  attributes: Attributes,
  fn: (span: Span) => T,
): T {
  const context: SpanContext = {
    traceId,
    spanId: id(8),
    traceFlags: parent?.traceFlags ?? SAMPLED,
    traceState: parent?.traceState,
  };
  let recorded: EdgeSpan | undefined;
  if (context.traceFlags & SAMPLED) {
    guarded(() => {
      recorded = new EdgeSpan(name, attributes, context, parent);
    });
    if (recorded) recording.started(recorded, around(parent));
  }
  const done = (failure?: { error: unknown }) => {
    if (!recorded) return;
    const span = recorded;
    guarded(() => failure && span.failed(failure.error));
    span.end();
    recording.ended(span);
  };

  const span: Span = {
    traceId,
    spanId: context.spanId,
    setAttribute(key, value) {
      if (recorded) recorded.attributes[key] = value;
      return this;
    },
    setAttributes(more) {
      guarded(() => recorded && Object.assign(recorded.attributes, more));
      return this;
    },
    span: (childName, childAttributes, childFn) =>
      run(recording, traceId, context, childName, childAttributes, childFn),
    fetch: async (input, init) => fetch(input, { ...init, headers: outgoing(recording, context, input, init) }),
  };

  let result: T;
  try {
    result = fn(span);
  } catch (error) {
    done({ error });
    throw error;
  }
  if (!(result instanceof Promise)) {
    done();
    return result;
  }
  return result.then(
    (value) => {
      done();
      return value;
    },
    (error) => {
      done({ error });
      throw error;
    },
  ) as T;
}

/** The context in which a child of `parent` starts. */
function around(parent: SpanContext | undefined): Context {
  return new Detached(new Map(parent && [[SPAN, { spanContext: () => parent }]]));
}

// ---- W3C Trace Context, https://www.w3.org/TR/trace-context/

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const MAX_TRACESTATE = 32;

function incoming(headers: unknown): SpanContext | undefined {
  const pairs = headerPairs(headers);
  const header = (wanted: string) => {
    const value = pairs.find(([name]) => name.toLowerCase() === wanted)?.[1];
    return typeof value === "string" ? value : "";
  };
  const [, version, traceId = "", spanId = "", flags = "", more] = TRACEPARENT.exec(header("traceparent")) ?? [];
  // Later versions may have more fields. Version ff and ids of zeros are invalid.
  if (version === undefined || version === "ff" || (version === "00" && more)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const traceState = new Members(
    header("tracestate")
      .split(",")
      .filter((member) => member.includes("=")),
  );
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & SAMPLED, isRemote: true, traceState };
}

function outgoing(recording: Recording, context: SpanContext, input: RequestInfo | URL, init?: RequestInit): Headers {
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
  const { traceId, spanId, traceFlags } = context;
  headers.set("traceparent", `00-${traceId}-${spanId}-0${traceFlags}`);
  const state = recording.state(context);
  if (state) headers.set("tracestate", state);
  return headers;
}

/** The members of a `tracestate`, newest first. */
class Members implements TraceState {
  constructor(private readonly members: string[]) {}

  get(key: string): string | undefined {
    const member = this.members.find((text) => text.trim().startsWith(`${key}=`));
    return member?.trim().slice(key.length + 1);
  }

  set(key: string, value: string): TraceState {
    const others = this.members.filter((text) => !text.trim().startsWith(`${key}=`));
    return new Members([`${key}=${value}`, ...others]);
  }

  serialize(): string {
    return this.members.slice(0, MAX_TRACESTATE).join(",");
  }
}

// ---- the parts of a span

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
/** Random bytes for several ids at a time, because a request for random bytes costs more than the bytes. */
const random = new Uint8Array(256);
let used = random.length;

function id(bytes: number): string {
  if (used + bytes > random.length) {
    crypto.getRandomValues(random);
    used = 0;
  }
  let text = "";
  for (const end = used + bytes; used < end; used++) text += HEX[random[used] as number];
  return text;
}

function time(): HrTime {
  const now = Date.now();
  return [Math.floor(now / 1000), (now % 1000) * 1e6];
}

/** A fault of tracing is reported and does not reach the request. */
function guarded(call: () => void): void {
  try {
    call();
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
  }
}

/** Warns at most once a minute, on the console because OpenTelemetry's diagnostics may be missing. */
function tell(what: string): void {
  const now = Date.now();
  if (now - lastWarning < WARN_INTERVAL) return;
  lastWarning = now;
  console.warn(what.startsWith("genspan") ? what : `genspan: ${what}`);
}
