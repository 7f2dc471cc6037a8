// The OpenTelemetry SpanProcessor: hands each span to the core as it starts and ends, and carries what the core wants
// sent to the transport and the answers back. Decides nothing about spans; lets nothing escape into the host.
import { configure, type FilteredSpan, type GenSpanOptions, type Route, type SpanFilter } from "./config.js";
import { broken, type CoreStats, Pipeline, type Transmit } from "./core.js";
import { FrameTooLarge, FrameWriter, PARENT, REMOTE, SEGMENT } from "./frame.js";
import { type Host, webHost } from "./host.js";
import {
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
} from "./otel.js";
import { inHook, inside } from "./privacy.js";
import { post } from "./transport.js";

/** Counters since construction: the core's (absent where it never ran), and those of what never reached it. */
export interface Stats extends Partial<CoreStats> {
  /** Faults that were caught on their way into the host. */
  errors: number;
  /** Spans that ended after `shutdown`, or after an internal fault stopped the processor. */
  droppedAfterStop: number;
  /** Spans that found no room while the resource's attributes were still being detected. */
  droppedWaiting: number;
  /** Spans too large to be sent by themselves. */
  droppedOversized: number;
  /** Spans that ended inside a hook of the application, which cannot be traced. */
  droppedInHook: number;
}

type Timer = ReturnType<typeof setTimeout> & { ref?(): void; unref?(): void };

/** Spans whose resource still waits for asynchronous attributes, such as a cloud's metadata. */
interface Waiting {
  spans: EndedSpan[];
  taken: Promise<void>;
}

const SAMPLED = 1;
const READY_TO_SEND = 2;
const WARN_INTERVAL = 60_000;
const MAX_DELAY = 2 ** 31 - 1;

export class GenSpanProcessor {
  readonly #routes: Route[];
  readonly #maxWaiting: number;
  readonly #resourceTimeout: number;
  /** Gone after shutdown, after an internal fault, and where the environment disables the SDK. */
  #pipeline: Pipeline | undefined;
  readonly #writer: FrameWriter | undefined;
  #stopped = false;
  #closing: Promise<void> | undefined;

  /** Flags of the spans whose parent is remote: SDK 1.x tells only at their start. */
  readonly #remote = new WeakMap<object, number>();
  readonly #waiting = new Map<Resource, Waiting>();
  #waitingSpans = 0;
  readonly #complete = new WeakSet<Resource>();

  /** The application's own filters, each with the bit of its destination. */
  readonly #filters: { bit: number; filter: SpanFilter }[];
  readonly #inheritSession: boolean;

  #timer: Timer | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;
  /** Callers of `forceFlush`, each with the generation that has to be answered. */
  #flushes: { generation: number; resolve: () => void }[] = [];

  readonly #counts = { errors: 0, droppedAfterStop: 0, droppedWaiting: 0, droppedOversized: 0, droppedInHook: 0 };
  #lastStats: Partial<CoreStats> = {};
  readonly #warned = new Map<string, number>();

  /**
   * Throws an Error that names the field, the value, the rule and a fix when the configuration is wrong; nothing throws
   * later. `host` is what the runtime's entry file knows about it.
   */
  constructor(options: GenSpanOptions = {}, host: Host = webHost) {
    const config = configure(options, host);
    this.#routes = config.routes;
    this.#maxWaiting = config.maxQueueSize;
    this.#resourceTimeout = config.exportTimeoutMillis;
    this.#filters = config.routes.flatMap(({ filter }, i) => (filter ? [{ bit: 1 << i, filter }] : []));
    this.#inheritSession = options.inheritSession !== false;
    if (config.disabled) return;
    const hooks = { mask: options.mask, onMedia: options.onMedia };
    this.#pipeline = new Pipeline(config.core, hooks, (hook) =>
      this.#warn(`the hook ${hook} failed, what it got is masked`),
    );
    this.#writer = new FrameWriter(this.#pipeline, host.shortText, this.#pipeline.wanted());
  }

  onStart(span: StartedSpan, parentContext?: Context): void {
    const writer = this.#writer;
    if (this.#stopped || writer === undefined || inHook()) return;
    try {
      const pipeline = this.#usable();
      if (pipeline === undefined || !(span.spanContext().traceFlags & SAMPLED)) return;
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
      const baggage = this.#inheritSession ? people(parentContext) : undefined;
      pipeline.start(writer.start(span, flags, caller, baggage), this.#refused(span), Date.now());
      writer.learn();
    } catch (error) {
      this.#fault("onStart", error);
    }
  }

  onEnd(span: EndedSpan): void {
    if (this.#writer === undefined) return;
    try {
      if (!(span.spanContext().traceFlags & SAMPLED)) return;
      if (inHook()) {
        this.#counts.droppedInHook++;
      } else if (this.#stopped) {
        this.#counts.droppedAfterStop++;
      } else if (span.resource.asyncAttributesPending && !this.#complete.has(span.resource)) {
        this.#wait(span);
      } else {
        this.#take(span);
      }
    } catch (error) {
      this.#fault("onEnd", error);
    }
  }

  /**
   * Resolves when every span that ended before the call has been answered for: delivered, or given up and counted,
   * requests on their way included. Never rejects.
   */
  async forceFlush(): Promise<void> {
    // Called by a hook, it goes on once the hook is back.
    if (inHook()) await undefined;
    if (this.#waiting.size > 0) await Promise.all([...this.#waiting.values()].map(({ taken }) => taken));
    try {
      const pipeline = this.#usable();
      if (pipeline === undefined) return;
      const generation = pipeline.flush(Date.now());
      const flushed = new Promise<void>((resolve) => this.#flushes.push({ generation, resolve }));
      this.#pump();
      await flushed;
    } catch (error) {
      this.#fault("forceFlush", error);
    }
  }

  /** As `forceFlush`, and spans that end later are dropped and counted. */
  shutdown(): Promise<void> {
    this.#stopped = true;
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /**
   * The id of the LLM span that a span is, or is below, in this process or in the one that called it; empty where that one does not say
   * which, `undefined` where the span is part of no LLM segment.
   */
  segment(span: SpanContext): string | undefined {
    try {
      const pipeline = inHook() ? undefined : this.#usable();
      const writer = this.#writer;
      if (pipeline && writer && pipeline.segment(writer.ids2(span))) return writer.idAt0(8);
    } catch (error) {
      this.#fault("propagator", error);
    }
    return undefined;
  }

  stats(): Stats {
    try {
      const pipeline = inHook() ? undefined : this.#usable();
      if (pipeline) this.#lastStats = pipeline.stats();
    } catch (error) {
      this.#fault("stats", error);
    }
    return { ...this.#lastStats, ...this.#counts };
  }

  async #close(): Promise<void> {
    await this.forceFlush();
    this.stats();
    this.#sleep();
    try {
      this.#usable()?.close();
    } catch (error) {
      this.#fault("shutdown", error);
    }
    this.#pipeline = undefined;
  }

  /** The pipeline, unless a trap (in this processor's or another one's) has made the core unusable. */
  #usable(): Pipeline | undefined {
    if (broken()) this.#disable();
    return this.#pipeline;
  }

  #take(span: EndedSpan): void {
    const pipeline = this.#usable();
    const writer = this.#writer;
    if (pipeline === undefined || writer === undefined) {
      this.#counts.droppedAfterStop++;
      return;
    }
    let flags = 0;
    if (parentSpanId(span)) {
      flags = this.#remote.get(span) ?? (span.parentSpanContext?.isRemote ? PARENT | REMOTE : PARENT);
    }
    const now = Date.now();
    const result = pipeline.end(writer.span(span, flags), this.#refused(span), now);
    writer.learn();
    const wake = result & READY_TO_SEND ? now : pipeline.wake();
    if (wake < this.#wakeAt) this.#sleep(wake);
  }

  #wait(span: EndedSpan): void {
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
    const taken = detected(resource, this.#resourceTimeout).then(() => {
      this.#complete.add(resource);
      this.#waiting.delete(resource);
      this.#waitingSpans -= spans.length;
      for (const waited of spans) {
        try {
          this.#take(waited);
        } catch (error) {
          this.#fault("onEnd", error);
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

  /** Starts every request that the core has ready, and sees who can go on. */
  #pump(): void {
    try {
      const pipeline = this.#usable();
      if (pipeline === undefined) return;
      for (let batch = pipeline.poll(Date.now()); batch; batch = pipeline.poll(Date.now())) void this.#send(batch);
      const open = this.#flushes;
      this.#flushes = open.filter(({ generation }) => !pipeline.settled(generation));
      for (const flush of open) if (!this.#flushes.includes(flush)) flush.resolve();
      this.#sleep(pipeline.wake());
    } catch (error) {
      this.#fault("export", error);
    }
  }

  async #send({ id, destination, body }: Transmit): Promise<void> {
    const route = this.#routes[destination] as Route;
    const answer = await post(route, body).catch((error: unknown) => {
      this.#warn(`destination ${destination}: request failed`, reason(error));
      return undefined;
    });
    try {
      const pipeline = this.#usable();
      if (pipeline === undefined) return;
      if (answer) {
        if (answer.status >= 300) this.#warn(`destination ${destination}: HTTP status ${answer.status}`);
        const length = (this.#writer as FrameWriter).raw(answer.body);
        pipeline.response(id, answer.status, answer.retryAfter, length, Date.now());
        // Fetch copies what it is given, and the server has answered: after a failure one can't be so sure.
        pipeline.recycle(body);
      } else {
        pipeline.failure(id, Date.now());
      }
    } catch (error) {
      this.#fault("export", error);
    }
    this.#pump();
  }

  /** One timer until `wake`, in ms since 1970. It keeps a process alive only while somebody waits for a flush. */
  #sleep(wake = Number.POSITIVE_INFINITY): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wakeAt = wake;
    if (wake === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#pump(), Math.min(Math.max(0, wake - Date.now()), MAX_DELAY)) as Timer;
    if (this.#flushes.length === 0) this.#timer.unref?.();
  }

  #fault(where: string, error: unknown): void {
    if (error instanceof FrameTooLarge) this.#counts.droppedOversized++;
    else this.#counts.errors++;
    if (broken()) this.#disable();
    this.#warn(where, reason(error));
  }

  #disable(): void {
    if (this.#pipeline === undefined) return;
    this.#pipeline = undefined;
    this.#sleep();
    for (const { resolve } of this.#flushes.splice(0)) resolve();
    this.#warn("stopped after an internal fault, spans are dropped from now on");
  }

  /** Once a minute for each thing, however often it happens. */
  #warn(what: string, why = ""): void {
    const now = Date.now();
    if (now - (this.#warned.get(what) ?? Number.NEGATIVE_INFINITY) < WARN_INTERVAL) return;
    this.#warned.set(what, now);
    warn(why ? `${what}: ${why}` : what);
  }
}

/** Resolves when the attributes of the resource are complete, or have had time enough to become so. */
function detected(resource: Resource, timeout: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeout) as Timer;
    timer.unref?.();
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    Promise.resolve(resource.waitForAsyncAttributes?.()).then(done, done);
  });
}

/** What went wrong, without what was sent. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = (error.cause ?? error) as { code?: unknown };
  return typeof code === "string" ? code : error.message;
}
