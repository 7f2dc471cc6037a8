// The sending half, shared by the SpanProcessor and the relay: passes batches of the core to the transports or the spool, and their
// answers back. It makes no decisions about spans; nothing throws or rejects after construction.

import { type CoreStats, type DestinationStats, Pipeline, type Transmit, version } from "./core.js";
import { FrameWriter } from "./frame.js";

import { observe, type RequestEnded } from "./metrics.js";
import type { GenSpanOptions } from "./options.js";
import { Past } from "./past.js";
import { inHook } from "./privacy.js";
import { transport } from "./transport.js";
import type { Answer, Config, Host, Route, Send, Spool, SpoolStats } from "./types.js";

/** Counters since construction: those of the core (absent if it never ran), and those of the sender. */
export interface SenderStats extends Partial<CoreStats> {
  /** Faults that were caught before they reached the application. */
  errors: number;
  spool?: SpoolStats;
}

type Timer = ReturnType<typeof setTimeout> & { ref?(): void; unref?(): void };

const WARN_INTERVAL = 60_000;
const MAX_DELAY = 2 ** 31 - 1;
/** The time that `shutdown` reserves for storing batches, in ms. */
const STORE_TIMEOUT = 5_000;

/** The shortest idle time before an instance with too much memory is replaced, in ms. */
const MIN_QUIET = 1_000;
const DEFAULT_HOLD = 30_000;

/** A batch outside the core: on its way to a backend or to the disk. */
interface Outside {
  destination: number;
  spans: number;
  /** The pipeline that sent it; its id is valid only there. */
  pipeline: Pipeline;
  abort?: AbortController;
}

/** Callbacks of the sender's owner. */
export interface Owner {
  /** Receives warnings, each at most once a minute. */
  warn(message: string): void;
  /** A promise to await before a flush begins. */
  settled?(): Promise<unknown> | undefined;
  /** The value of this counter, for metrics. */
  droppedAfterStop?(): number;
  /** Returns `false` while a task is running that a new pipeline would not know of. */
  idle?(): boolean;
  /** Called when the core has been restarted: passes lost spans again, as far as they are available, and returns their number. */
  startedAnew?(): number;
  /** The secrets in a batch. A backend may repeat them in its answer, and messages must not contain them. */
  secretsIn?(body: Uint8Array): string[];
}

export class Sender {
  readonly #routes: Route[];
  readonly #senders: Send[];
  readonly #spool: Spool | undefined;
  readonly #owner: Owner;
  /** Destinations for which a batch is being read back. */
  readonly #restoring = new Set<number>();
  readonly #onPartialSuccess: GenSpanOptions["onPartialSuccess"];
  readonly #requestEnded: RequestEnded | undefined;
  readonly #lastErrors: { message: string; timeMillis: number }[] = [];
  readonly #flushTimeout: number;
  readonly #outside = new Set<Outside>();
  /** Batches of the spool that are in the pipeline, by their copies. */
  readonly #copies = new Map<number, { destination: number; spans: number }>();
  #ignoreExit: (() => void) | undefined;
  readonly #open: () => Pipeline;
  readonly #shortText: number;
  /** Undefined after shutdown, if no new one can be opened after an internal fault, and if the environment disables the SDK. */
  #pipeline: Pipeline | undefined;
  #writer: FrameWriter | undefined;
  /** Why the pipeline broke, if the cause was in this sender. */
  #cause = "";
  /** How long entries are held, in ms: a pipeline may be needed for this long. */
  readonly #hold: number;
  /** The number of spans seen at the last event, and the time since when nothing has happened. */
  #quiet = { seen: -1, since: 0 };
  #stopped = false;
  #closing: Promise<void> | undefined;

  #timer: Timer | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;
  /** Callers of `forceFlush`, each with the generation that has to be answered. */
  #flushes: { generation: number; resolve: () => void }[] = [];

  #errors = 0;
  /** Counters of previous pipelines, and of events since the counters were read. */
  readonly #past: Past;
  #lastStats: Partial<CoreStats> = {};
  readonly #warned = new Map<string, number>();

  /** If the core finds the configuration invalid, throws an Error with the path, the value, the problem and a fix. */
  constructor(config: Config, options: GenSpanOptions, host: Host, owner: Owner) {
    this.#routes = config.routes;
    this.#owner = owner;
    const warn = (what: string, why?: string) => this.warn(what, why);
    this.#senders = config.routes.map((route) => transport(route, host, warn));
    this.#flushTimeout = config.flushTimeoutMillis;
    this.#onPartialSuccess = options.onPartialSuccess;
    this.#past = new Past(config.routes.length);
    this.#shortText = host.shortText;
    this.#hold = Math.max(MIN_QUIET, options.entry?.holdMillis ?? DEFAULT_HOLD);
    const hooks = { mask: options.mask, onMedia: options.onMedia };
    this.#open = () =>
      new Pipeline(
        config.core,
        hooks,
        (hook) => this.warn(`the hook ${hook} failed; its input was masked`),
        config.maxIdleMemoryBytes,
      );
    if (config.disabled) return;
    this.#begin();
    for (const { name, protocol, endpoint } of config.routes) {
      if (protocol === "grpc" || new URL(endpoint).pathname !== "/") continue;
      warn(
        `destination ${name}: the endpoint has no path; most backends accept OTLP/HTTP at a path that ends in /v1/traces`,
      );
    }
    if (config.spool && config.accounts && host.spool) {
      this.#spool = host.spool(config.spool, config.accounts, () => this.pump(), warn);
    }
    if (options.meterProvider) {
      try {
        this.#requestEnded = observe(options.meterProvider, version(), this.#routes, () => ({
          ...this.stats(),
          droppedAfterStop: owner.droppedAfterStop?.() ?? 0,
        }));
      } catch (error) {
        this.fault("meterProvider", error);
      }
    }
    if (options.flushOnExit) {
      this.#ignoreExit = host.onExit?.(
        () => this.forceFlush(),
        () => this.shutdown(),
      );
    }
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** The pipeline, or a new one after a fault; undefined once it is closed. */
  usable(): Pipeline | undefined {
    if (this.#pipeline?.broken) this.#startAnew();
    return this.#pipeline;
  }

  /** `true` if the pipeline has had a trap that has not been handled yet. */
  get broken(): boolean {
    return this.#pipeline?.broken ?? false;
  }

  /** The writer for the pipeline's input area; undefined if the environment disables the SDK. Read it after `usable`. */
  get writer(): FrameWriter | undefined {
    return this.#writer;
  }

  /** Call it when spans are passed to the pipeline. */
  handing(spans: number): void {
    this.#past.ended += spans;
  }

  /** Upper bound of the number of spans in the pipeline. */
  left(): number {
    this.stats();
    const pending = this.#lastStats.destinations?.map((d) => d.pending) ?? [];
    return Math.max(0, ...pending) + (this.#lastStats.held ?? 0);
  }

  /** Call it when the pipeline has accepted something; `due`: something is ready to send now. */
  took(pipeline: Pipeline, due: boolean): void {
    const wake = due ? Date.now() : pipeline.wake();
    if (wake < this.#wakeAt) this.#sleep(wake);
  }

  /** See `GenSpanProcessor.forceFlush`. */
  async forceFlush({ timeoutMillis = this.#flushTimeout }: { timeoutMillis?: number | undefined } = {}): Promise<void> {
    // If a hook called this, it continues once the hook has returned.
    if (inHook()) await undefined;
    const done = this.#flush();
    await within(timeoutMillis, done.flushed, done.leave);
  }

  /** See `GenSpanProcessor.shutdown`. */
  shutdown(options?: { timeoutMillis?: number | undefined }): Promise<void> {
    this.#stopped = true;
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  stats(): SenderStats {
    try {
      const pipeline = inHook() ? undefined : this.usable();
      if (pipeline) {
        this.#lastStats = pipeline.stats();
        this.#past.read();
      }
    } catch (error) {
      this.fault("stats", error);
    }
    const all = this.#past.with(this.#lastStats);
    for (const { pipeline, destination, spans } of this.#outside) {
      const d = all.destinations?.[destination];
      if (d && pipeline !== this.#pipeline) d.pending += spans;
    }
    const destinations = all.destinations?.map((destination, i) => {
      const lastError = this.#lastErrors[i];
      return lastError ? { ...destination, lastError } : destination;
    });
    return {
      ...all,
      ...(destinations && { destinations }),
      errors: this.#errors,
      ...(this.#spool && { spool: { ...this.#spool.stats } }),
    };
  }

  /** Counts and reports an error that was caught before it reached the application. */
  fault(where: string, error: unknown): void {
    this.#errors++;
    if (this.#pipeline?.broken) {
      this.#cause ||= `${where}: ${reason(error)}`;
      this.#sleep(Date.now());
    } else if (error instanceof RangeError) {
      // At the end of the stack there is no room for a logger.
      void Promise.resolve().then(() => this.warn(where, reason(error)));
    } else {
      this.warn(where, reason(error));
    }
  }

  /** Warns at most once a minute for each problem. */
  warn(what: string, why = ""): void {
    const now = Date.now();
    if (now - (this.#warned.get(what) ?? Number.NEGATIVE_INFINITY) < WARN_INTERVAL) return;
    this.#warned.set(what, now);
    this.#owner.warn(why ? `${what}: ${why}` : what);
  }

  /** Starts every request that the core has ready, and resolves the flushes that are complete. */
  pump(): void {
    try {
      const pipeline = this.usable();
      if (pipeline === undefined) return;
      for (let batch = pipeline.poll(Date.now()); batch; batch = pipeline.poll(Date.now())) {
        void (batch.store ? this.#store(pipeline, batch) : this.#send(pipeline, batch));
      }
      if (this.#spool) this.#unspool(pipeline, this.#spool);
      const open = this.#flushes;
      const left = this.#left();
      this.#flushes = open.filter(({ generation }) => left || !pipeline.settled(generation));
      for (const flush of open) if (!this.#flushes.includes(flush)) flush.resolve();
      this.#sleep(pipeline.grown ? Math.min(pipeline.wake(), this.#shrink(pipeline)) : pipeline.wake());
    } catch (error) {
      this.fault("export", error);
    }
  }

  #flush(): { flushed: Promise<void>; leave: () => void } {
    let leave = () => {};
    const flush = async () => {
      const before = this.#owner.settled?.();
      if (before) await before;
      try {
        const pipeline = this.usable();
        if (pipeline === undefined) return;
        const generation = pipeline.flush(Date.now());
        const flushed = new Promise<void>((resolve) => {
          const flush = { generation, resolve };
          leave = () => {
            this.#flushes = this.#flushes.filter((other) => other !== flush);
            this.pump();
          };
          this.#flushes.push(flush);
        });
        this.pump();
        await flushed;
      } catch (error) {
        this.fault("forceFlush", error);
      }
    };
    return { flushed: flush(), leave: () => leave() };
  }

  /** Gives up what is not delivered: it goes to the spool, or is dropped and counted. `shutdown` waits no longer for a backend then. */
  giveUp(): void {
    try {
      this.usable()?.giveUp(Date.now());
      for (const { abort } of this.#outside) abort?.abort(new Error("shut down"));
      this.pump();
    } catch (error) {
      this.fault("shutdown", error);
    }
  }

  async #close(options?: { timeoutMillis?: number | undefined }): Promise<void> {
    this.#ignoreExit?.();
    await this.forceFlush(options);
    try {
      this.giveUp();
      const rest = this.#flush();
      await within(STORE_TIMEOUT, rest.flushed, rest.leave);
      await this.#spool?.close();
      this.stats();
      this.#sleep();
      this.usable()?.close();
    } catch (error) {
      this.fault("shutdown", error);
    }
    this.#pipeline = undefined;
  }

  async #send(pipeline: Pipeline, { id, destination, spans, body }: Transmit): Promise<void> {
    const { name } = this.#routes[destination] as Route;
    const started = Date.now();
    const abort = new AbortController();
    const outside = { destination, spans, pipeline, abort };
    this.#outside.add(outside);
    const answer = await (this.#senders[destination] as Send)(body, abort).catch((error: unknown) => {
      this.#failed(destination, `destination ${name}: request failed`, reason(error));
      this.#requestEnded?.(destination, Date.now() - started, { error: "no_answer" });
      return undefined;
    });
    if (this.#knows(pipeline)) {
      this.#outside.delete(outside);
      try {
        if (answer) {
          const { status, message = "" } = answer;
          this.#requestEnded?.(destination, Date.now() - started, { status });
          if (status >= 300) this.#failed(destination, `destination ${name}: HTTP status ${status}`);
          if (status > 0 && status < 100)
            this.#failed(destination, `destination ${name}: gRPC status ${status}`, message, body);
          const length = (this.#writer as FrameWriter).raw(answer.body);
          const partial = pipeline.response(id, status, answer.retryAfter, length, Date.now());
          if (isTaken(answer)) this.#past.sent[destination] = (this.#past.sent[destination] ?? 0) + spans;
          if (partial) this.#partialSuccess(destination, partial, body);
          // Fetch copies the body, and the server has answered, so the memory can be reused. After a failure that is not certain.
          pipeline.recycle(body);
        } else {
          pipeline.failure(id, Date.now());
        }
      } catch (error) {
        this.fault("export", error);
      }
    } else if (this.#pipeline === undefined) {
      // After shutdown it has already been counted.
      this.#outside.delete(outside);
      return;
    } else if (answer && isTaken(answer)) {
      this.#outside.delete(outside);
      this.#past.count(destination, "sent", spans);
    } else {
      const stored = (await this.#spool?.put(destination, spans, body)) ?? false;
      this.#outside.delete(outside);
      this.#past.count(destination, stored ? "spooled" : "droppedFault", spans);
    }
    this.pump();
  }

  #partialSuccess(
    destination: number,
    { rejected, message }: { rejected: number; message: string },
    body: Uint8Array,
  ): void {
    const { name } = this.#routes[destination] as Route;
    const what = rejected > 0 ? `destination ${name}: spans were rejected` : `destination ${name}: a warning`;
    this.#failed(destination, what, message, body);
    try {
      this.#onPartialSuccess?.({ destination: name, rejectedSpans: rejected, errorMessage: message });
    } catch {
      this.warn("onPartialSuccess threw");
    }
  }

  async #store(pipeline: Pipeline, { id, destination, spans, body }: Transmit): Promise<void> {
    const outside = { destination, spans, pipeline };
    this.#outside.add(outside);
    const stored = (await this.#spool?.put(destination, spans, body)) ?? false;
    this.#outside.delete(outside);
    try {
      if (this.#knows(pipeline)) {
        pipeline.stored(id, stored, Date.now());
        pipeline.recycle(body);
      } else if (this.#pipeline) {
        this.#past.count(destination, stored ? "spooled" : "droppedFault", spans);
      }
    } catch (error) {
      this.fault("spool", error);
    }
    this.pump();
  }

  /** `true` if this is still the pipeline that accepts answers. */
  #knows(pipeline: Pipeline): boolean {
    return this.usable() === pipeline;
  }

  /** `true` if batches of a previous pipeline are still outside. */
  #left(): boolean {
    for (const { pipeline } of this.#outside) if (pipeline !== this.#pipeline) return true;
    return false;
  }

  /** Reports finished batches to the spool, and reads back batches that destinations would send now: one at a time for each. */
  #unspool(pipeline: Pipeline, spool: Spool): void {
    for (let done = pipeline.released(); done; done = pipeline.released()) {
      this.#copies.delete(done.copy);
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
      const pipeline = this.#stopped ? undefined : this.usable();
      if (!pipeline) return spool.release(stored.copy);
      const length = (this.#writer as FrameWriter).raw(stored.body);
      this.#copies.set(stored.copy, { destination, spans: stored.spans });
      pipeline.restore(destination, stored.copy, stored.spans, length);
    } catch (error) {
      this.fault("spool", error);
    }
    this.pump();
  }

  /** Sets one timer until `wake`, in ms since 1970. It keeps the process alive only while a flush is being awaited. */
  #sleep(wake = Number.POSITIVE_INFINITY): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wakeAt = wake;
    if (wake === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.pump(), Math.min(Math.max(0, wake - Date.now()), MAX_DELAY)) as Timer;
    if (this.#flushes.length === 0) this.#timer.unref?.();
  }

  #begin(): Pipeline {
    const pipeline = this.#open();
    this.#writer = new FrameWriter(pipeline, this.#shortText, pipeline.wanted());
    this.#pipeline = pipeline;
    return pipeline;
  }

  /** Continues after a trap with a new instance of the core. The contents of the old one are lost and counted; batches outside of it are not lost. */
  #startAnew(): void {
    // A pipeline that breaks while empty would do so forever.
    const hopeless = this.#cause !== "" && this.#past.ended === 0 && Object.keys(this.#lastStats).length === 0;
    const lost = this.#retire();
    const cause = this.#cause || "in another processor";
    this.#cause = "";
    this.#pipeline = undefined;
    try {
      if (hopeless) throw new Error("it happened again at once");
      const pipeline = this.#begin();
      for (const flush of this.#flushes) flush.generation = pipeline.flush(Date.now());
      this.#sleep(Date.now());
      const again = this.#owner.startedAnew?.() ?? 0;
      this.#past.again(again);
      this.warn(`an internal fault (${cause}) lost up to ${Math.max(0, lost - again)} spans; tracing continues`);
    } catch (error) {
      this.#pipeline = undefined;
      const none = { pending: 0, pendingBytes: 0, waiting: 0 };
      this.#lastStats = { destinations: this.#routes.map(({ name }) => ({ name, ...none })) as DestinationStats[] };
      this.#sleep();
      for (const { resolve } of this.#flushes.splice(0)) resolve();
      this.warn(`stopped after an internal fault (${cause}); spans are dropped from now on`, reason(error));
    }
  }

  /** Counts the spans that the pipeline leaves behind, and returns how many are lost with it, for the destination that loses most. */
  #retire(): number {
    const saved = this.#routes.map(() => 0);
    for (const { destination, spans } of [...this.#outside].filter(({ pipeline }) => pipeline === this.#pipeline)) {
      saved[destination] = (saved[destination] ?? 0) + spans;
    }
    for (const [copy, { destination, spans }] of this.#copies) {
      this.#spool?.release(copy);
      saved[destination] = (saved[destination] ?? 0) + spans;
      this.#past.count(destination, "spooled", spans);
    }
    this.#copies.clear();
    const lost = this.#past.add(this.#lastStats, saved);
    this.#lastStats = {};
    return lost;
  }

  /** Releases the memory of a pipeline that is empty and has not been used for a while. Returns when to check again, in ms since 1970. */
  #shrink(pipeline: Pipeline): number {
    const now = Date.now();
    const { seen = 0, held, destinations = [] } = this.stats();
    if (seen !== this.#quiet.seen) this.#quiet = { seen, since: now };
    const holds = held !== 0 || destinations.some(({ pending }) => pending > 0) || this.#outside.size > 0;
    if (holds || this.#copies.size > 0 || this.#restoring.size > 0 || this.#flushes.length > 0) return now + this.#hold;
    if (now - this.#quiet.since < this.#hold || this.#owner.idle?.() === false) return now + this.#hold;
    this.#retire();
    this.#begin();
    pipeline.close();
    return Number.POSITIVE_INFINITY;
  }

  /** Reports and remembers a failure of a destination, without secrets that its message may contain. */
  #failed(destination: number, what: string, why = "", body?: Uint8Array): void {
    const { secrets } = this.#routes[destination] as Route;
    const ofBatch = (why && body && this.#owner.secretsIn?.(body)) || [];
    const safe = [...secrets, ...ofBatch]
      .filter((secret) => secret.length > 3)
      .reduce((text, secret) => text.replaceAll(secret, "…"), why);
    this.#lastErrors[destination] = { message: safe ? `${what}: ${safe.slice(0, 500)}` : what, timeMillis: Date.now() };
    this.warn(what, safe.slice(0, 500));
  }
}

/** Resolves with the promise, or after `millis`; then calls `leave`. The timer keeps the process alive, because the result is being awaited. */
async function within(millis: number, done: Promise<void>, leave: () => void): Promise<void> {
  let timer: Timer | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(Math.max(0, millis), MAX_DELAY)) as Timer;
  }).then(leave);
  await Promise.race([done, late]);
  clearTimeout(timer);
}

function isTaken({ status }: Answer): boolean {
  return status === 0 || (status >= 200 && status < 300);
}

/** The message of an error, without the data that was sent. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = (error.cause ?? error) as { code?: unknown };
  return typeof code === "string" ? code : error.message;
}
