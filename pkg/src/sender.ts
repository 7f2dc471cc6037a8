// The sending half, which the SpanProcessor and the relay share: carries what the core wants sent to the transports or the spool, and the
// answers back. Decides nothing about spans; nothing of it throws or rejects after construction.
import type { Config, GenSpanOptions, Route } from "./config.js";
import { broken, type CoreStats, Pipeline, type Transmit, version } from "./core.js";
import { FrameWriter } from "./frame.js";
import type { Host, Spool, SpoolStats } from "./host.js";
import { observe, type RequestEnded } from "./metrics.js";
import { inHook } from "./privacy.js";
import { type Send, transport } from "./transport.js";

/** Counters since construction: the core's (absent where it never ran), and those of the sending half. */
export interface SenderStats extends Partial<CoreStats> {
  /** Faults that were caught on their way into the host. */
  errors: number;
  spool?: SpoolStats;
}

type Timer = ReturnType<typeof setTimeout> & { ref?(): void; unref?(): void };

const WARN_INTERVAL = 60_000;
const MAX_DELAY = 2 ** 31 - 1;
/** What `shutdown` leaves the disk to take what is left. */
const STORE_TIMEOUT = 5_000;

/** What its owner has to say. */
export interface Owner {
  /** Told what is wrong, once a minute for each thing. */
  warn(message: string): void;
  /** What has to be over before a flush begins. */
  settled?(): Promise<unknown> | undefined;
  /** Of the metrics. */
  droppedAfterStop?(): number;
  /** The secrets in a batch, which a backend may repeat in its answer: no message may hold them. */
  secretsIn?(body: Uint8Array): string[];
}

export class Sender {
  readonly #routes: Route[];
  readonly #senders: Send[];
  readonly #spool: Spool | undefined;
  readonly #owner: Owner;
  /** Destinations that a batch is being read back for. */
  readonly #restoring = new Set<number>();
  readonly #onPartialSuccess: GenSpanOptions["onPartialSuccess"];
  readonly #requestEnded: RequestEnded | undefined;
  readonly #lastErrors: { message: string; timeMillis: number }[] = [];
  readonly #flushTimeout: number;
  /** Those of the requests that are on their way. */
  readonly #aborts = new Set<AbortController>();
  #ignoreExit: (() => void) | undefined;
  /** Gone after shutdown, after an internal fault, and where the environment disables the SDK. */
  #pipeline: Pipeline | undefined;
  /** Writes into the pipeline's input area; missing where the environment disables the SDK. */
  readonly writer: FrameWriter | undefined;
  #stopped = false;
  #closing: Promise<void> | undefined;

  #timer: Timer | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;
  /** Callers of `forceFlush`, each with the generation that has to be answered. */
  #flushes: { generation: number; resolve: () => void }[] = [];

  #errors = 0;
  #lastStats: Partial<CoreStats> = {};
  readonly #warned = new Map<string, number>();

  /** Throws an Error that names the field, the value, the rule and a fix when the core finds the configuration wrong. */
  constructor(config: Config, options: GenSpanOptions, host: Host, owner: Owner) {
    this.#routes = config.routes;
    this.#owner = owner;
    const warn = (what: string, why?: string) => this.warn(what, why);
    this.#senders = config.routes.map((route) => transport(route, host, warn));
    this.#flushTimeout = config.flushTimeoutMillis;
    this.#onPartialSuccess = options.onPartialSuccess;
    if (config.disabled) return;
    const hooks = { mask: options.mask, onMedia: options.onMedia };
    this.#pipeline = new Pipeline(config.core, hooks, (hook) =>
      this.warn(`the hook ${hook} failed, what it got is masked`),
    );
    this.writer = new FrameWriter(this.#pipeline, host.shortText, this.#pipeline.wanted());
    for (const { name, protocol, endpoint } of config.routes) {
      if (protocol === "grpc" || new URL(endpoint).pathname !== "/") continue;
      warn(
        `destination ${name}: the endpoint has no path; most backends take OTLP/HTTP at a path that ends in /v1/traces`,
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

  /** The pipeline, unless a trap (in this pipeline or another one) has made the core unusable, or it is closed. */
  usable(): Pipeline | undefined {
    if (broken()) this.#disable();
    return this.#pipeline;
  }

  /** To be called when the pipeline took something; `due`: it has something to send now. */
  took(pipeline: Pipeline, due: boolean): void {
    const wake = due ? Date.now() : pipeline.wake();
    if (wake < this.#wakeAt) this.#sleep(wake);
  }

  /** See `GenSpanProcessor.forceFlush`. */
  async forceFlush({ timeoutMillis = this.#flushTimeout }: { timeoutMillis?: number | undefined } = {}): Promise<void> {
    // Called by a hook, it goes on once the hook is back.
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
      if (pipeline) this.#lastStats = pipeline.stats();
    } catch (error) {
      this.fault("stats", error);
    }
    const destinations = this.#lastStats.destinations?.map((destination, i) => {
      const lastError = this.#lastErrors[i];
      return lastError ? { ...destination, lastError } : destination;
    });
    return {
      ...this.#lastStats,
      ...(destinations && { destinations }),
      errors: this.#errors,
      ...(this.#spool && { spool: { ...this.#spool.stats } }),
    };
  }

  /** Counts and tells what was caught on its way into the host. */
  fault(where: string, error: unknown): void {
    this.#errors++;
    if (broken()) this.#disable();
    this.warn(where, reason(error));
  }

  /** Once a minute for each thing, however often it happens. */
  warn(what: string, why = ""): void {
    const now = Date.now();
    if (now - (this.#warned.get(what) ?? Number.NEGATIVE_INFINITY) < WARN_INTERVAL) return;
    this.#warned.set(what, now);
    this.#owner.warn(why ? `${what}: ${why}` : what);
  }

  /** Starts every request that the core has ready, and sees who can go on. */
  pump(): void {
    try {
      const pipeline = this.usable();
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

  async #close(options?: { timeoutMillis?: number | undefined }): Promise<void> {
    this.#ignoreExit?.();
    await this.forceFlush(options);
    try {
      this.usable()?.giveUp(Date.now());
      for (const abort of this.#aborts) abort.abort(new Error("shut down"));
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
      const pipeline = this.usable();
      if (pipeline === undefined) return;
      if (answer) {
        const { status, retryAfter, message = "" } = answer;
        this.#requestEnded?.(destination, Date.now() - started, { status });
        if (status >= 300) this.#failed(destination, `destination ${name}: HTTP status ${status}`);
        if (status > 0 && status < 100)
          this.#failed(destination, `destination ${name}: gRPC status ${status}`, message, body);
        const length = (this.writer as FrameWriter).raw(answer.body);
        const partial = pipeline.response(id, status, retryAfter, length, Date.now());
        if (partial) this.#partialSuccess(destination, partial, body);
        // Fetch copies what it is given, and the server has answered: after a failure one can't be so sure.
        pipeline.recycle(body);
      } else {
        pipeline.failure(id, Date.now());
      }
    } catch (error) {
      this.fault("export", error);
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

  async #store({ id, destination, spans, body }: Transmit): Promise<void> {
    const stored = (await this.#spool?.put(destination, spans, body)) ?? false;
    try {
      const pipeline = this.usable();
      pipeline?.stored(id, stored, Date.now());
      pipeline?.recycle(body);
    } catch (error) {
      this.fault("spool", error);
    }
    this.pump();
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
      const pipeline = this.#stopped ? undefined : this.usable();
      if (!pipeline) return spool.release(stored.copy);
      const length = (this.writer as FrameWriter).raw(stored.body);
      pipeline.restore(destination, stored.copy, stored.spans, length);
    } catch (error) {
      this.fault("spool", error);
    }
    this.pump();
  }

  /** One timer until `wake`, in ms since 1970. It keeps a process alive only while somebody waits for a flush. */
  #sleep(wake = Number.POSITIVE_INFINITY): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wakeAt = wake;
    if (wake === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.pump(), Math.min(Math.max(0, wake - Date.now()), MAX_DELAY)) as Timer;
    if (this.#flushes.length === 0) this.#timer.unref?.();
  }

  #disable(): void {
    if (this.#pipeline === undefined) return;
    this.#pipeline = undefined;
    this.#sleep();
    for (const { resolve } of this.#flushes.splice(0)) resolve();
    this.warn("stopped after an internal fault, spans are dropped from now on");
  }

  /** A fault of a destination: told, and kept, without the secrets that whoever wrote it may have put in. */
  #failed(destination: number, what: string, why = "", body?: Uint8Array): void {
    const { secrets } = this.#routes[destination] as Route;
    const ofBatch = (why && body && this.#owner.secretsIn?.(body)) || [];
    const told = [...secrets, ...ofBatch]
      .filter((secret) => secret.length > 3)
      .reduce((text, secret) => text.replaceAll(secret, "…"), why);
    this.#lastErrors[destination] = { message: told ? `${what}: ${told.slice(0, 500)}` : what, timeMillis: Date.now() };
    this.warn(what, told.slice(0, 500));
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

/** What went wrong, without what was sent. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = (error.cause ?? error) as { code?: unknown };
  return typeof code === "string" ? code : error.message;
}
