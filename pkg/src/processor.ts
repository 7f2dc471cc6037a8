// The OpenTelemetry SpanProcessor: hands each span to the core as it starts and ends, and carries what the core wants
// sent to the transport and the answers back. Decides nothing about spans; lets nothing escape into the host.
import { configure, type FilteredSpan, type GenSpanOptions, type Route, type SpanFilter } from "./config.js";
import { broken, type CoreStats, Pipeline, type Transmit, version } from "./core.js";
import { FrameTooLarge, FrameWriter, PARENT, REMOTE, SEGMENT } from "./frame.js";
import { type Host, type Spool, type SpoolStats, type Warn, webHost } from "./host.js";
import { observe, type RequestEnded } from "./metrics.js";
import {
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
} from "./otel.js";
import { inHook, inside } from "./privacy.js";
import { LocalRoots } from "./roots.js";
import { type Send, transport } from "./transport.js";

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
  spool?: SpoolStats;
}

/** What an edge runtime gives a handler to outlive its response with. */
export interface WaitUntil {
  waitUntil(promise: Promise<unknown>): void;
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
/** Longer than this nobody waits for what a resource finds out about itself. */
const RESOURCE_TIMEOUT = 60_000;
/** What `shutdown` leaves the disk to take what is left. */
const STORE_TIMEOUT = 5_000;

/** For the exporter: takes spans that have ended, whoever sampled them; they start in the first order and end in the second. */
export let take: (processor: GenSpanProcessor, started: EndedSpan[], ended: EndedSpan[]) => void;

export class GenSpanProcessor {
  static {
    take = (processor, started, ended) => {
      for (const span of started) processor.#started(span, undefined, 0);
      for (const span of ended) processor.#ended(span, 0);
    };
  }

  readonly #routes: Route[];
  readonly #senders: Send[];
  readonly #spool: Spool | undefined;
  /** Destinations that a batch is being read back for. */
  readonly #restoring = new Set<number>();
  readonly #onPartialSuccess: GenSpanOptions["onPartialSuccess"];
  readonly #requestEnded: RequestEnded | undefined;
  readonly #lastErrors: { message: string; timeMillis: number }[] = [];
  readonly #maxWaiting: number;
  readonly #flushTimeout: number;
  /** Those of the requests that are on their way. */
  readonly #aborts = new Set<AbortController>();
  #ignoreExit: (() => void) | undefined;
  readonly #roots = new LocalRoots();
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
    const warn: Warn = (what, why) => this.#warn(what, why);
    this.#senders = config.routes.map((route) => transport(route, host, warn));
    this.#maxWaiting = Math.max(...config.routes.map((route) => route.maxQueueSize));
    this.#flushTimeout = config.flushTimeoutMillis;
    this.#onPartialSuccess = options.onPartialSuccess;
    this.#filters = config.routes.flatMap(({ filter }, i) => (filter ? [{ bit: 1 << i, filter }] : []));
    this.#inheritSession = options.inheritSession !== false;
    if (config.disabled) return;
    const hooks = { mask: options.mask, onMedia: options.onMedia };
    this.#pipeline = new Pipeline(config.core, hooks, (hook) =>
      this.#warn(`the hook ${hook} failed, what it got is masked`),
    );
    this.#writer = new FrameWriter(this.#pipeline, host.shortText, this.#pipeline.wanted());
    if (config.spool && host.spool) {
      const keys = config.routes.map(({ name, endpoint }) => `${name} ${endpoint}`);
      this.#spool = host.spool(config.spool, keys, () => this.#pump(), warn);
    }
    if (options.meterProvider) {
      try {
        this.#requestEnded = observe(options.meterProvider, version(), this.#routes, () => this.stats());
      } catch (error) {
        this.#fault("meterProvider", error);
      }
    }
    if (options.flushOnExit) {
      this.#ignoreExit = host.onExit?.(
        () => this.forceFlush(),
        () => this.shutdown(),
      );
    }
  }

  onStart(span: StartedSpan, parentContext?: Context): void {
    this.#started(span, parentContext, SAMPLED);
  }

  onEnd(span: EndedSpan): void {
    this.#ended(span, SAMPLED);
  }

  /** `required`: the trace flags that it must have. */
  #started(span: StartedSpan, parentContext: Context | undefined, required: number): void {
    const writer = this.#writer;
    if (this.#stopped || writer === undefined || inHook()) return;
    try {
      const pipeline = this.#usable();
      if (pipeline === undefined || (span.spanContext().traceFlags & required) !== required) return;
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
      pipeline.start(writer.start(span, flags, caller, baggage), this.#refused(span), Date.now());
      writer.learn();
    } catch (error) {
      this.#fault("onStart", error);
    }
  }

  #ended(span: EndedSpan, required: number): void {
    if (this.#writer === undefined) return;
    try {
      if ((span.spanContext().traceFlags & required) !== required) return;
      const flags = this.#flags(span);
      if (inHook()) {
        this.#counts.droppedInHook++;
      } else if (this.#stopped) {
        this.#counts.droppedAfterStop++;
      } else if (span.resource.asyncAttributesPending && !this.#complete.has(span.resource)) {
        this.#wait(span);
      } else {
        this.#take(span, flags);
      }
      if (!(flags & PARENT) || flags & REMOTE) this.#roots.ended(span.spanContext().traceId);
    } catch (error) {
      this.#fault("onEnd", error);
    }
  }

  /**
   * Resolves when every span that ended before the call has been answered for: delivered, on disk, or given up and counted,
   * requests on their way included; or when `timeoutMillis` (`flushTimeoutMillis` by default) have passed. Never rejects.
   */
  async forceFlush({ timeoutMillis = this.#flushTimeout }: { timeoutMillis?: number } = {}): Promise<void> {
    // Called by a hook, it goes on once the hook is back.
    if (inHook()) await undefined;
    const done = this.#flush();
    await within(timeoutMillis, done.flushed, done.leave);
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
  shutdown(options?: { timeoutMillis?: number }): Promise<void> {
    this.#stopped = true;
    this.#closing ??= this.#close(options);
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
    const destinations = this.#lastStats.destinations?.map((destination, i) => {
      const lastError = this.#lastErrors[i];
      return lastError ? { ...destination, lastError } : destination;
    });
    return {
      ...this.#lastStats,
      ...(destinations && { destinations }),
      ...this.#counts,
      ...(this.#spool && { spool: { ...this.#spool.stats } }),
    };
  }

  #flush(): { flushed: Promise<void>; leave: () => void } {
    let leave = () => {};
    const flush = async () => {
      if (this.#waiting.size > 0) await Promise.all([...this.#waiting.values()].map(({ taken }) => taken));
      try {
        const pipeline = this.#usable();
        if (pipeline === undefined) return;
        const generation = pipeline.flush(Date.now());
        const flushed = new Promise<void>((resolve) => {
          const flush = { generation, resolve };
          leave = () => {
            this.#flushes = this.#flushes.filter((other) => other !== flush);
            this.#pump();
          };
          this.#flushes.push(flush);
        });
        this.#pump();
        await flushed;
      } catch (error) {
        this.#fault("forceFlush", error);
      }
    };
    return { flushed: flush(), leave: () => leave() };
  }

  async #close(options?: { timeoutMillis?: number }): Promise<void> {
    this.#ignoreExit?.();
    await this.forceFlush(options);
    try {
      this.#usable()?.giveUp(Date.now());
      for (const abort of this.#aborts) abort.abort(new Error("shut down"));
      const rest = this.#flush();
      await within(STORE_TIMEOUT, rest.flushed, rest.leave);
      await this.#spool?.close();
      this.stats();
      this.#sleep();
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

  #take(span: EndedSpan, flags: number): void {
    const pipeline = this.#usable();
    const writer = this.#writer;
    if (pipeline === undefined || writer === undefined) {
      this.#counts.droppedAfterStop++;
      return;
    }
    const now = Date.now();
    const result = pipeline.end(writer.span(span, flags), this.#refused(span), now);
    writer.learn();
    const wake = result & READY_TO_SEND ? now : pipeline.wake();
    if (wake < this.#wakeAt) this.#sleep(wake);
  }

  #flags(span: EndedSpan): number {
    if (!parentSpanId(span)) return 0;
    return this.#remote.get(span) ?? (span.parentSpanContext?.isRemote ? PARENT | REMOTE : PARENT);
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
    const taken = detected(resource, RESOURCE_TIMEOUT).then(() => {
      this.#complete.add(resource);
      this.#waiting.delete(resource);
      this.#waitingSpans -= spans.length;
      for (const waited of spans) {
        try {
          this.#take(waited, this.#flags(waited));
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
      for (let batch = pipeline.poll(Date.now()); batch; batch = pipeline.poll(Date.now())) {
        void (batch.store ? this.#store(batch) : this.#send(batch));
      }
      if (this.#spool) this.#unspool(pipeline, this.#spool);
      const open = this.#flushes;
      this.#flushes = open.filter(({ generation }) => !pipeline.settled(generation));
      for (const flush of open) if (!this.#flushes.includes(flush)) flush.resolve();
      this.#sleep(pipeline.wake());
    } catch (error) {
      this.#fault("export", error);
    }
  }

  async #send({ id, destination, body }: Transmit): Promise<void> {
    const { name } = this.#routes[destination] as Route;
    const started = Date.now();
    const abort = new AbortController();
    this.#aborts.add(abort);
    const answer = await (this.#senders[destination] as Send)(body, abort).catch((error: unknown) => {
      this.#failed(destination, `destination ${name}: request failed`, reason(error));
      this.#requestEnded?.(destination, Date.now() - started, { error: "no_answer" });
      return undefined;
    });
    this.#aborts.delete(abort);
    try {
      const pipeline = this.#usable();
      if (pipeline === undefined) return;
      if (answer) {
        const { status, retryAfter, message = "" } = answer;
        this.#requestEnded?.(destination, Date.now() - started, { status });
        if (status >= 300) this.#failed(destination, `destination ${name}: HTTP status ${status}`);
        if (status > 0 && status < 100)
          this.#failed(destination, `destination ${name}: gRPC status ${status}`, message);
        const length = (this.#writer as FrameWriter).raw(answer.body);
        const partial = pipeline.response(id, status, retryAfter, length, Date.now());
        if (partial) this.#partialSuccess(destination, partial);
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

  #partialSuccess(destination: number, { rejected, message }: { rejected: number; message: string }): void {
    const { name } = this.#routes[destination] as Route;
    const what = rejected > 0 ? `destination ${name}: spans were rejected` : `destination ${name}: a warning`;
    this.#failed(destination, what, message);
    try {
      this.#onPartialSuccess?.({ destination: name, rejectedSpans: rejected, errorMessage: message });
    } catch {
      this.#warn("onPartialSuccess threw");
    }
  }

  async #store({ id, destination, spans, body }: Transmit): Promise<void> {
    const stored = (await this.#spool?.put(destination, spans, body)) ?? false;
    try {
      const pipeline = this.#usable();
      pipeline?.stored(id, stored, Date.now());
      pipeline?.recycle(body);
    } catch (error) {
      this.#fault("spool", error);
    }
    this.#pump();
  }

  /** Tells the spool what is done, and reads back what a destination would take now: one batch at a time for each. */
  #unspool(pipeline: Pipeline, spool: Spool): void {
    for (let done = pipeline.released(); done; done = pipeline.released()) {
      if (done.again) spool.release(done.copy);
      else spool.remove(done.copy);
    }
    for (const i of this.#stopped ? [] : this.#routes.keys()) {
      if (!this.#restoring.has(i) && spool.has(i) && pipeline.wants(i, Date.now())) void this.#restore(spool, i);
    }
  }

  async #restore(spool: Spool, destination: number): Promise<void> {
    this.#restoring.add(destination);
    const stored = await spool.take(destination);
    this.#restoring.delete(destination);
    if (!stored) return;
    try {
      const pipeline = this.#stopped ? undefined : this.#usable();
      if (!pipeline) return spool.release(stored.copy);
      const length = (this.#writer as FrameWriter).raw(stored.body);
      pipeline.restore(destination, stored.copy, stored.spans, length);
    } catch (error) {
      this.#fault("spool", error);
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

  /** A fault of a destination: told, and kept, without the secrets that whoever wrote it may have put in. */
  #failed(destination: number, what: string, why = ""): void {
    const { secrets } = this.#routes[destination] as Route;
    const told = secrets
      .filter((secret) => secret.length > 3)
      .reduce((text, secret) => text.replaceAll(secret, "…"), why);
    this.#lastErrors[destination] = { message: told ? `${what}: ${told.slice(0, 500)}` : what, timeMillis: Date.now() };
    this.#warn(what, told.slice(0, 500));
  }

  /** Once a minute for each thing, however often it happens. */
  #warn(what: string, why = ""): void {
    const now = Date.now();
    if (now - (this.#warned.get(what) ?? Number.NEGATIVE_INFINITY) < WARN_INTERVAL) return;
    this.#warned.set(what, now);
    warn(why ? `${what}: ${why}` : what);
  }
}

/** Resolves with the promise, or after `millis`; then `leave` is called. The timer keeps a process alive: somebody waits. */
async function within(millis: number, done: Promise<void>, leave: () => void): Promise<void> {
  let timer: Timer | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(Math.max(0, millis), MAX_DELAY)) as Timer;
  }).then(leave);
  await Promise.race([done, late]);
  clearTimeout(timer);
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
