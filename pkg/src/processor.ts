// The OpenTelemetry SpanProcessor: passes each span to the core when it starts and ends; sender.ts does the sending. It makes no decisions about
// spans, and no error of it reaches the application.
import { configure } from "./config.js";
import { FrameTooLarge, PARENT, REMOTE, SEGMENT } from "./frame.js";
import { Unavailable, webHost } from "./host.js";
import type { GenSpanOptions } from "./options.js";
import {
  type Attributes,
  activeTrace,
  type Context,
  type EndedSpan,
  insideSegment,
  parentSpanId,
  people,
  type Resource,
  remoteParent,
  type SpanContext,
  type StartedSpan,
  warn,
  warnAtStart,
} from "./otel.js";
import { inHook, inside } from "./privacy.js";
import { LocalRoots } from "./roots.js";
import { Sender, type SenderStats } from "./sender.js";
import type { Config, FilteredSpan, Host, SpanFilter } from "./types.js";

/** Counters since construction: those of the core, of the sender, and of the processor itself. */
export interface Stats extends SenderStats {
  /** Spans that ended after `shutdown`, after an internal fault stopped the processor, or where WebAssembly is unavailable. */
  droppedAfterStop: number;
  /** Spans for which there was no space while the resource's attributes were still being detected. */
  droppedWaiting: number;
  /** Spans that are too large to be sent even alone. */
  droppedOversized: number;
  /** Spans that ended inside a hook of the application, where they cannot be traced. */
  droppedInHook: number;
}

/** The object with which an edge runtime lets a handler continue after its response. */
export interface WaitUntil {
  waitUntil(promise: Promise<unknown>): void;
}

/** Maximum number of spans that wait for asynchronous attributes of their resource, such as a cloud's metadata. */
interface Waiting {
  spans: EndedSpan[];
  taken: Promise<void>;
}

/** A started span, and its context at that time. */
interface Starting {
  span: StartedSpan;
  flags: number;
  caller: string | undefined;
  baggage: Attributes | undefined;
  refused: number;
}

const SAMPLED = 1;
/** Maximum number of spans that may start or end while one is read: a getter may end others, and so on. */
const MAX_LATER = 1_000;
const READY_TO_SEND = 2;
const FORGOTTEN = 4;
/** The longest wait for the asynchronous attributes of a resource, in ms. */
const RESOURCE_TIMEOUT = 60_000;

/** One warning is enough for all processors, because it applies to the whole process. */
let toldUnavailable = false;

/** Variables whose values the core checks. */
const JUDGED = [["OTEL_SERVICE_NAME"], ["OTEL_RESOURCE_ATTRIBUTES"], ["OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"]];

/** The sender without the invalid variables of the environment; undefined if the error has another cause. */
function withoutVariables(
  host: Host,
  options: GenSpanOptions,
  sender: (config: Config) => Sender,
  ignored: (names: string) => void,
): Sender | undefined {
  for (const names of JUDGED.filter((names) => names.every((name) => host.env[name]))) {
    const get = (vars: Host["env"], name: string) => (names.includes(name) ? undefined : vars[name]);
    try {
      const made = sender(configure(options, { ...host, env: new Proxy(host.env, { get }) }));
      ignored(names.join(" and "));
      return made;
    } catch {
      // These variables are not the cause.
    }
  }
  return undefined;
}

/** For the exporter: adds spans that have ended, sampled or not. They start in the first order and end in the second. */
export let take: (processor: GenSpanProcessor, started: EndedSpan[], ended: EndedSpan[]) => void;

export class GenSpanProcessor {
  static {
    take = (processor, started, ended) => {
      for (const span of started) processor.#started(span, undefined, 0);
      for (const span of ended) processor.#ended(span, 0);
    };
  }

  readonly #sender: Sender;
  readonly #maxWaiting: number;
  readonly #roots = new LocalRoots();

  /** Flags of the spans whose parent is remote: SDK 1.x provides that only at their start. */
  readonly #remote = new WeakMap<object, number>();

  /**
   * The span that started last. It is passed to the core only at the next event, because many instrumentations start a span without attributes
   * and set them right afterwards.
   */
  #starting: Starting | undefined;
  readonly #waiting = new Map<Resource, Waiting>();
  #waitingSpans = 0;
  readonly #complete = new WeakSet<Resource>();

  /** The application's own filters, each with the bit of its destination. */
  readonly #filters: { bit: number; filter: SpanFilter }[];
  readonly #inheritSession: boolean;
  /** The runtime cannot run the core. */
  #unavailable = false;

  /**
   * The area into which spans are written is in use. Spans that are started or ended meanwhile, by a getter or a serializer of the application,
   * have to wait.
   */
  #writing = false;
  readonly #later: (() => void)[] = [];
  #catchingUp = false;

  /** Spans that could not be read, and calls for which there was no room on the stack. */
  #unread = 0;
  #overflows = 0;
  readonly #counts = { droppedAfterStop: 0, droppedWaiting: 0, droppedOversized: 0, droppedInHook: 0 };

  /**
   * If an option is invalid, throws an Error with the path, the value, the problem and a fix; nothing throws
   * later. If WebAssembly is unavailable, it warns once, and the processor does nothing. `host` describes the runtime; the entry files provide it.
   */
  constructor(options: GenSpanOptions = {}, host: Host = webHost) {
    const config = configure(options, host);
    this.#maxWaiting = Math.max(...config.routes.map((route) => route.maxQueueSize));
    this.#filters = config.routes.flatMap(({ filter }, i) => (filter ? [{ bit: 1 << i, filter }] : []));
    this.#inheritSession = options.inheritSession !== false;
    const owner = {
      warn,
      settled: () =>
        this.#waiting.size > 0 ? Promise.all([...this.#waiting.values()].map(({ taken }) => taken)) : undefined,
      droppedAfterStop: () => this.#counts.droppedAfterStop,
      idle: () => this.#roots.none,
    };
    const tell = (error: Error, and: string) =>
      (host.warn ?? warnAtStart)(`${error.message.replace("genspan: ", "")}; ${and}`);
    const sender = (config: Config) => new Sender(config, options, host, owner);
    try {
      this.#sender = sender(config);
    } catch (error) {
      if (error instanceof Unavailable) {
        this.#sender = sender({ ...config, disabled: true });
        this.#unavailable = true;
        if (!toldUnavailable) tell(error, "nothing is traced");
        toldUnavailable = true;
      } else {
        const left = withoutVariables(host, options, sender, (names) => tell(error as Error, `${names} is ignored`));
        if (!left) throw error;
        this.#sender = left;
      }
    }
  }

  onStart(span: StartedSpan, parentContext?: Context): void {
    try {
      this.#started(span, parentContext, SAMPLED);
    } catch {
      // The application is at the end of its stack, so nothing can be called any more.
      this.#overflows++;
    }
  }

  onEnd(span: EndedSpan): void {
    try {
      this.#ended(span, SAMPLED);
    } catch {
      this.#overflows++;
      this.#unread++;
    }
  }

  /** `required`: the trace flags that the span must have. */
  #started(span: StartedSpan, parentContext: Context | undefined, required: number): void {
    if (this.#sender.stopped || this.#sender.writer === undefined || inHook()) return;
    if (this.#writing) {
      this.#later.push(() => this.#started(span, parentContext, required));
      return;
    }
    this.#start();
    try {
      if (this.#sender.usable() === undefined || (span.spanContext().traceFlags & required) !== required) return;
      let flags = 0;
      let caller: string | undefined;
      if (parentSpanId(span)) {
        flags = PARENT;
        const remote = remoteParent(span, parentContext);
        if (remote) {
          caller = insideSegment(remote, parentContext);
          flags |= caller === undefined ? REMOTE : REMOTE | SEGMENT;
          this.#remote.set(span, flags);
        }
      }
      if (!(flags & PARENT) || flags & REMOTE) this.#roots.started(span.spanContext().traceId);
      const baggage = this.#inheritSession ? people(parentContext) : undefined;
      this.#starting = { span, flags, caller, baggage, refused: this.#refused(span) };
    } catch (error) {
      this.#fault("onStart", error);
    }
  }

  /** Passes the span that started last to the core. `ended`: the span whose end is passed next; its start is not needed. */
  #start(ended?: EndedSpan): void {
    const starting = this.#starting;
    if (starting === undefined) return;
    this.#starting = undefined;
    try {
      const pipeline = this.#sender.usable();
      const writer = this.#sender.writer;
      if (pipeline === undefined || writer === undefined) return;
      const { span, flags, caller, baggage, refused } = starting;
      this.#writing = true;
      const attributes = span === ended ? {} : span.attributes;
      const now = Date.now();
      if (pipeline.start(writer.start(span, flags, caller, baggage, attributes), refused, now) & FORGOTTEN) {
        writer.forget();
        pipeline.start(writer.start(span, flags, caller, baggage, attributes), refused, now);
      }
      writer.learn();
    } catch (error) {
      this.#fault("onStart", error);
    } finally {
      this.#writing = false;
    }
    if (this.#later.length > 0) this.#catchUp();
  }

  /** Processes the spans that started or ended while a span was read, and those that do so meanwhile. */
  #catchUp(): void {
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    try {
      for (let i = 0; this.#later.length > 0; i++) {
        const call = this.#later.shift() as () => void;
        if (i < MAX_LATER) call();
        else this.#notTaken(new Error(`more than ${MAX_LATER} spans ended while one was read`));
      }
    } finally {
      this.#catchingUp = false;
    }
  }

  #ended(span: EndedSpan, required: number): void {
    if (this.#sender.writer === undefined) {
      if (this.#unavailable) this.#counts.droppedAfterStop++;
      return;
    }
    if (this.#writing && !inHook()) {
      this.#later.push(() => this.#ended(span, required));
      return;
    }
    try {
      if ((span.spanContext().traceFlags & required) !== required) return;
      const flags = this.#flags(span);
      if (inHook()) {
        this.#counts.droppedInHook++;
      } else if (this.#sender.stopped) {
        this.#counts.droppedAfterStop++;
      } else if (span.resource.asyncAttributesPending && !this.#complete.has(span.resource)) {
        this.#wait(span);
      } else {
        this.#take(span, flags);
      }
      if (!(flags & PARENT) || flags & REMOTE) this.#roots.ended(span.spanContext().traceId);
    } catch (error) {
      this.#notTaken(error);
    }
  }

  /** Counts a span that could not be read. */
  #notTaken(error: unknown): void {
    if (!(error instanceof FrameTooLarge) && !this.#sender.broken) this.#unread++;
    this.#fault("onEnd", error);
  }

  /**
   * Resolves when every span that ended before the call has been delivered, is on disk, or was given up and counted,
   * including requests in flight; or after `timeoutMillis` (`flushTimeoutMillis` by default). Never rejects.
   */
  forceFlush(options?: { timeoutMillis?: number | undefined }): Promise<void> {
    return this.#sender.forceFlush(options);
  }

  /**
   * For handlers that are frozen once they have answered (workers, edge functions): flushes when the local root of the active
   * trace has ended (if there is none, when all running roots have), and keeps the handler alive until then. Needs no timer, never rejects.
   */
  flushVia(context?: WaitUntil): Promise<void> {
    const active = activeTrace();
    // A handler may call this first and start its root right afterwards.
    const flushed = Promise.resolve()
      .then(() => this.#roots.end(active))
      .then(() => this.forceFlush());
    try {
      context?.waitUntil(flushed);
    } catch (error) {
      this.#fault("flushVia", error);
    }
    return flushed;
  }

  /**
   * Like `forceFlush`; spans that end later are dropped and counted. Spans that are left after the time limit go to the spool, or are
   * dropped and counted.
   */
  shutdown(options?: { timeoutMillis?: number | undefined }): Promise<void> {
    return this.#sender.shutdown(options);
  }

  /**
   * The id of the LLM span that is this span or is above it, in this process or in the calling one. Empty if the calling process does not provide
   * the id, `undefined` if the span belongs to no LLM segment.
   */
  segment(span: SpanContext): string | undefined {
    try {
      if (inHook() || this.#writing) return undefined;
      this.#start();
      const pipeline = this.#sender.usable();
      const writer = this.#sender.writer;
      if (pipeline && writer && pipeline.segment(writer.ids2(span))) return writer.idAt0(8);
    } catch (error) {
      this.#fault("propagator", error);
    }
    return undefined;
  }

  stats(): Stats {
    if (!this.#writing) this.#start();
    const { errors, seen, ...stats } = this.#sender.stats();
    return {
      ...(seen !== undefined && { seen: seen + this.#unread }),
      ...stats,
      errors: errors + this.#overflows,
      ...this.#counts,
    };
  }

  #take(span: EndedSpan, flags: number): void {
    this.#start(span);
    const pipeline = this.#sender.usable();
    const writer = this.#sender.writer;
    if (pipeline === undefined || writer === undefined) {
      this.#counts.droppedAfterStop++;
      return;
    }
    const now = Date.now();
    const refused = this.#refused(span);
    let result: number;
    try {
      this.#writing = true;
      const length = writer.span(span, flags);
      this.#sender.handing(1);
      result = pipeline.end(length, refused, now);
      if (result & FORGOTTEN) {
        writer.forget();
        result = pipeline.end(writer.span(span, flags), refused, now);
        if (result & FORGOTTEN) throw new Error("too many resources or scopes are in use");
      }
      writer.learn();
    } finally {
      this.#writing = false;
    }
    this.#sender.took(pipeline, (result & READY_TO_SEND) !== 0);
    if (this.#later.length > 0) this.#catchUp();
  }

  #flags(span: EndedSpan): number {
    if (!parentSpanId(span)) return 0;
    // SDK 2.x provides it here: nearly every parent is in this process.
    if (span.parentSpanContext && !span.parentSpanContext.isRemote) return PARENT;
    return this.#remote.get(span) ?? (span.parentSpanContext?.isRemote ? PARENT | REMOTE : PARENT);
  }

  #wait(span: EndedSpan): void {
    this.#start();
    if (this.#waitingSpans >= this.#maxWaiting) {
      this.#counts.droppedWaiting++;
      return;
    }
    this.#waitingSpans++;
    const { resource } = span;
    const waiting = this.#waiting.get(resource);
    if (waiting) {
      waiting.spans.push(span);
      return;
    }
    const spans = [span];
    const taken = detected(resource, RESOURCE_TIMEOUT).then(() => {
      this.#complete.add(resource);
      this.#waiting.delete(resource);
      this.#waitingSpans -= spans.length;
      for (const waited of spans) {
        try {
          this.#take(waited, this.#flags(waited));
        } catch (error) {
          this.#notTaken(error);
        }
      }
    });
    this.#waiting.set(resource, { spans, taken });
  }

  /** The destinations from which the application's filters exclude a span. If a filter throws, the span is included, because losing it would be worse. */
  #refused(span: StartedSpan): number {
    let refused = 0;
    for (const { bit, filter } of this.#filters) {
      try {
        if (!inside(() => filter(span as FilteredSpan))) refused |= bit;
      } catch (error) {
        this.#fault("the hook filter", error);
      }
    }
    return refused;
  }

  #fault(where: string, error: unknown): void {
    if (error instanceof FrameTooLarge) {
      this.#counts.droppedOversized++;
      this.#sender.warn(where, error.message);
    } else {
      this.#sender.fault(where, error);
    }
  }
}

/** Resolves when the attributes of the resource are complete, or after a time limit. */
function detected(resource: Resource, timeout: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeout) as ReturnType<typeof setTimeout> & { unref?(): void };
    timer.unref?.();
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    Promise.resolve(resource.waitForAsyncAttributes?.()).then(done, done);
  });
}
