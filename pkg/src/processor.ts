// The OpenTelemetry SpanProcessor: hands each span to the core as it starts and ends; sender.ts does the sending. Decides nothing about
// spans; lets nothing escape into the host.
import { configure } from "./config.js";
import { FrameTooLarge, PARENT, REMOTE, SEGMENT } from "./frame.js";
import { type Host, Unavailable, webHost } from "./host.js";
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
import type { Config, FilteredSpan, SpanFilter } from "./types.js";

/** Counters since construction: those of the core and of sending, and those of what never reached it. */
export interface Stats extends SenderStats {
  /** Spans that ended after `shutdown`, after an internal fault stopped the processor, or where there is no WebAssembly. */
  droppedAfterStop: number;
  /** Spans that found no room while the resource's attributes were still being detected. */
  droppedWaiting: number;
  /** Spans too large to be sent by themselves. */
  droppedOversized: number;
  /** Spans that ended inside a hook of the application, which cannot be traced. */
  droppedInHook: number;
}

/** What an edge runtime gives a handler to outlive its response with. */
export interface WaitUntil {
  waitUntil(promise: Promise<unknown>): void;
}

/** Spans whose resource still waits for asynchronous attributes, such as a cloud's metadata. */
interface Waiting {
  spans: EndedSpan[];
  taken: Promise<void>;
}

/** A span that started, and what surrounded it then. */
interface Starting {
  span: StartedSpan;
  flags: number;
  caller: string | undefined;
  baggage: Attributes | undefined;
  refused: number;
}

const SAMPLED = 1;
/** How many spans may start or end while one is read: each may be read by a getter that ends others. */
const MAX_LATER = 1_000;
const READY_TO_SEND = 2;
const FORGOTTEN = 4;
/** Longer than this nobody waits for what a resource finds out about itself. */
const RESOURCE_TIMEOUT = 60_000;

/** One warning is enough for all processors: what it says holds for the process. */
let toldUnavailable = false;

/** Variables whose values the core judges. */
const JUDGED = [["OTEL_SERVICE_NAME"], ["OTEL_RESOURCE_ATTRIBUTES"], ["OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"]];

/** The sender that there would be without what is wrong in the environment; undefined if something else is wrong. */
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
      // Then it is something else.
    }
  }
  return undefined;
}

/** For the exporter: takes spans that have ended, whoever sampled them; they start in the first order and end in the second. */
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

  /** Flags of the spans whose parent is remote: SDK 1.x tells only at their start. */
  readonly #remote = new WeakMap<object, number>();

  /**
   * The span that started last. The core hears of it when the next thing happens: many instrumentations start a span without attributes
   * and say right afterwards what it is.
   */
  #starting: Starting | undefined;
  readonly #waiting = new Map<Resource, Waiting>();
  #waitingSpans = 0;
  readonly #complete = new WeakSet<Resource>();

  /** The application's own filters, each with the bit of its destination. */
  readonly #filters: { bit: number; filter: SpanFilter }[];
  readonly #inheritSession: boolean;
  /** The host cannot run the core. */
  #unavailable = false;

  /**
   * The area that spans are written into is in use. What is started or ended meanwhile, by a getter or a serializer of the application,
   * has to wait.
   */
  #writing = false;
  readonly #later: (() => void)[] = [];
  #catchingUp = false;

  /** Spans that could not be read, and calls that there was no room on the stack for. */
  #unread = 0;
  #overflows = 0;
  readonly #counts = { droppedAfterStop: 0, droppedWaiting: 0, droppedOversized: 0, droppedInHook: 0 };

  /**
   * Throws an Error that names the field, the value, the rule and a fix when the options are wrong; nothing throws
   * later. Where there is no WebAssembly it warns once, and the processor does nothing. `host` is what the runtime's entry file knows about it.
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
      // The application is at the end of its stack, and nothing can be called any more.
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

  /** `required`: the trace flags that it must have. */
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

  /** Tells the core of the span that started last. `ended`: the span whose end is told next; of that one the end says everything. */
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

  /** Takes what was started and ended while a span was read, and what is while that is read. */
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
   * Resolves when every span that ended before the call has been answered for: delivered, on disk, or given up and counted,
   * requests on their way included; or when `timeoutMillis` (`flushTimeoutMillis` by default) have passed. Never rejects.
   */
  forceFlush(options?: { timeoutMillis?: number | undefined }): Promise<void> {
    return this.#sender.forceFlush(options);
  }

  /**
   * For handlers that are frozen once they have answered (workers, edge functions): flushes when the local root of the active
   * trace has ended, without one when all that run now have, and keeps the handler alive for so long. Needs no timer, never rejects.
   */
  flushVia(context?: WaitUntil): Promise<void> {
    const active = activeTrace();
    // A handler may ask first and start its root right after.
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
   * As `forceFlush`, and spans that end later are dropped and counted. What is left when the time is over goes to the spool, or is
   * dropped and counted.
   */
  shutdown(options?: { timeoutMillis?: number | undefined }): Promise<void> {
    return this.#sender.shutdown(options);
  }

  /**
   * The id of the LLM span that a span is, or is below, in this process or in the one that called it; empty where that one does not say
   * which, `undefined` where the span is part of no LLM segment.
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
    // SDK 2.x says it here: nearly every parent is in this process.
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

  /** The destinations that the application's filters keep a span from. One that throws lets it pass: losing it would be worse. */
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

/** Resolves when the attributes of the resource are complete, or have had time enough to become so. */
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
