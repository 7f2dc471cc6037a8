// The WebAssembly core: instantiated on first use and called with plain numbers. It does not know OpenTelemetry's objects. A trap destroys an
// instance with its contents; the next caller gets a new one.

import * as bindings from "../wasm/genspan.js";
import { Unavailable } from "./host.js";
import { DEFAULTS } from "./options.js";
import { guarded, inHook, type PrivacyHooks } from "./privacy.js";
import { needRoom } from "./stack.js";

/** The exports that the hot path calls. `h` is a handle, `now` is in ms since 1970. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  gs_reserve(h: number, len: number): number;
  gs_intern(h: number, len: number): number;
  gs_scope(h: number, len: number): number;
  gs_resource(h: number, len: number): number;
  gs_start(h: number, len: number, refused: number, now: number): number;
  gs_end(h: number, len: number, refused: number, now: number): number;
  /** Only in the module of the command line. */
  gs_ingest?(h: number, len: number, peer: number, now: number): number;
  gs_tokenless?(h: number): number;
  gs_segment(h: number, len: number): number;
  gs_poll(h: number, now: number): number;
  gs_out_ptr(h: number): number;
  gs_out_len(h: number): number;
  gs_out_id(h: number): number;
  gs_out_spans(h: number): number;
  gs_out_destination(h: number): number;
  gs_wake(h: number): number;
  gs_flush(h: number, now: number): number;
  gs_settled(h: number, generation: number): number;
  gs_response(h: number, id: number, status: number, retryAfterMillis: number, len: number, now: number): number;
  gs_failure(h: number, id: number, now: number): void;
  gs_stored(h: number, id: number, ok: number, now: number): void;
  gs_wants(h: number, destination: number, now: number): number;
  gs_restore(h: number, destination: number, copy: number, spans: number, len: number): void;
  gs_released(h: number): number;
  gs_close(h: number, now: number): void;
}

/** One instance of the module. */
interface Instance {
  readonly wasm: Exports;
  /**
   * Set on the way into the module and cleared on the way out. A trap (a defect of genspan, out of memory, or the end of the stack) skips the way
   * out and makes the whole instance unusable: the flag then stays set, and the instance must not be entered again.
   */
  inside: boolean;
}

/** The instance for new pipelines and `convert`. */
let newest: Instance | undefined;
/** The instance that wasm-bindgen's glue currently uses. */
let active: Instance | undefined;
let load: (() => WebAssembly.Module) | undefined;
/** The module returned by `load`, after the first call. */
let loaded: WebAssembly.Module | undefined;
/** Why the module cannot run. It is not tried again, because that takes long and there may be a processor for every request. */
let unavailable: Unavailable | undefined;

/**
 * Gives `genspan/slim` its module: `genspan/core.wasm`, compiled, or a function that compiles it on first use. Call it before anything else; a later
 * call has no effect. Every other entry point of the package calls it itself.
 */
export function initSync(module: WebAssembly.Module | (() => WebAssembly.Module)): void {
  load = typeof module === "function" ? (module as () => WebAssembly.Module) : () => module;
  loaded = undefined;
  unavailable = undefined;
}

/** Returns an instance that works and has at most `most` bytes of memory. */
function instance(most: number = DEFAULTS.maxIdleMemoryBytes): Instance {
  if (inHook()) throw new Error("genspan: called from inside a hook; a hook cannot call genspan");
  if (newest?.inside || (newest && grown(newest, most))) newest = undefined;
  newest ??= instantiate();
  return newest;
}

const grown = ({ wasm }: Instance, most: number) => wasm.memory.buffer.byteLength > most;

function instantiate(): Instance {
  if (!load) {
    throw new Error(
      "genspan/slim has no module; call initSync(module) with the compiled genspan/core.wasm before anything else",
    );
  }
  if (unavailable) throw unavailable;
  try {
    needRoom();
    loaded ??= load();
    // A module from another realm, such as that of a sandbox's host, fails wasm-bindgen's `instanceof` check.
    if (!(loaded instanceof WebAssembly.Module)) Object.setPrototypeOf(loaded, WebAssembly.Module.prototype);
    active = undefined;
    bindings.use(undefined);
    const wasm = bindings.initSync({ module: loaded }) as unknown as Exports;
    bindings.seed(Math.random() * 2 ** 53);
    active = { wasm, inside: false };
    return active;
  } catch (error) {
    // Out of stack or of memory: a later attempt may succeed.
    if (error instanceof RangeError) throw new Unavailable(error);
    unavailable = new Unavailable(error);
    throw unavailable;
  }
}

/** A batch that the core wants sent or stored. A retry has the same id. */
export interface Transmit {
  id: number;
  store: boolean;
  spans: number;
  /** The destination's index in the configuration. */
  destination: number;
  body: Uint8Array<ArrayBuffer>;
}

type Hooks = Parameters<typeof bindings.open> extends [unknown, ...infer H] ? H : never;

function calls({ mask, onMedia }: PrivacyHooks, failed: (hook: string) => void): Hooks {
  return [
    mask && guarded(mask, () => failed("mask")),
    onMedia &&
      guarded(
        (type: string, base64: string, key: string) => onMedia({ type, base64, key }),
        () => failed("onMedia"),
      ),
  ];
}

/** Enters the instance. Throws the engine's RangeError if the application has left too little of the stack; nothing is lost then. */
function enter(instance: Instance): Exports {
  needRoom();
  if (instance !== active) {
    bindings.use(instance.wasm);
    active = instance;
  }
  instance.inside = true;
  return instance.wasm;
}

/** A call outside the hot path. The core reports invalid input with a plain Error, which is not a trap. */
function cold<T>(instance: Instance, call: () => T): T {
  if (inHook()) throw new Error("genspan: called from inside a hook; a hook cannot call genspan");
  if (instance.inside) throw new Fault("an earlier fault");
  enter(instance);
  try {
    const result = call();
    instance.inside = false;
    return result;
  } catch (error) {
    if ((error as object).constructor !== Error) throw new Fault((error as Error).message);
    instance.inside = false;
    throw error;
  }
}

/** The instance had a trap. Its contents are lost, and it accepts nothing more. */
export class Fault extends Error {
  constructor(cause: string) {
    super(`genspan: internal fault (${cause})`);
  }
}

/** Counters of the core. */
export interface CoreStats {
  /** Spans that ended. */
  seen: number;
  /** Spans written by an LLM instrumentation. */
  llm: number;
  /** Spans that were marked as entries. */
  entries: number;
  /** Unreadable records, and refused spans of bodies. */
  unparsed: number;
  /** Spans of bodies that came again as they were; each is delivered once. */
  repeated: number;
  /** Words of OTLP/JSON bodies that name no kind of span or status; they are read as unspecified. */
  unknownWords: number;
  /** Attributes and events of LLM spans that are too large to be parsed; they are exported unchanged. */
  unread: number;
  /** Candidates that currently wait for an ancestor. */
  held: number;
  /** Candidates decided because of `holdMillis` · because of `maxHeld` or `maxHeldBytes`. */
  holdExpired: number;
  holdOverflow: number;
  /** Marks that were dropped because an entry on their path had already been decided. */
  lateMarks: number;
  /** Remembered spans · traces forgotten because of `maxSpans` · finished spans forgotten of a trace with too many. */
  tracked: number;
  tracesEvicted: number;
  spansForgotten: number;
  /** Number of keys and names in the dictionary. */
  dictionary: number;
  /**
   * The counters of privacy count once for each output form (destinations with the same profile, keep and privacy share one).
   * Values in which something was masked · values that were replaced because masking failed, for example because a hook threw.
   */
  masked: number;
  maskFailed: number;
  /** Number of replaced media. */
  mediaReplaced: number;
  /** Number of cut values. */
  truncated: number;
  /** Attributes (including those of events and links) and status texts that `captureContent: false` removed. */
  contentDropped: number;
  destinations: DestinationStats[];
}

/**
 * Counters of one destination, in spans unless stated otherwise. At any time `queued + restored` equals `sent + rejected + spooled + pending` plus
 * the sum of all `dropped…`.
 */
export interface DestinationStats {
  name: string;
  /** Accepted for the destination, including spans that the queue dropped. */
  queued: number;
  sent: number;
  /** Size of the accepted requests, in bytes, before compression. */
  sentBytes: number;
  /** Rejected by the backend, although it accepted their batch. */
  rejected: number;
  /** Spans that were sent again · requests that were sent again. */
  retried: number;
  retriedBatches: number;
  /** Batches split because the backend found them too large or invalid · spans shortened because they were too large. */
  splitBatches: number;
  shortened: number;
  /** Dropped: no space in the queue · refused by the backend · not delivered in time. */
  droppedFull: number;
  droppedRefused: number;
  droppedDeadline: number;
  /** Dropped: too large for the backend even when shortened · not delivered before `shutdown` gave up. */
  droppedTooLarge: number;
  droppedClosed: number;
  /** Lost when the core had an internal fault; an upper bound. */
  droppedFault: number;
  /** Written to disk · read back from there for good. */
  spooled: number;
  restored: number;
  /** `"open"`: paused after too many failures; `"half-open"`: one request probes it. */
  health: "ok" | "open" | "half-open";
  /** Spans excluded by scopes or filter · by `sampleRatio`. */
  filtered: number;
  notSampled: number;
  /** In a relay: spans whose resource carries no `token`, although the destination requires each sender's own. */
  withoutToken: number;
  /** In the queue. */
  waiting: number;
  /** In the queue or in flight. */
  pending: number;
  pendingBytes: number;
  /** `true` if the backend would refuse the provider's service name, and an acceptable one is sent instead. */
  mendedServiceName: boolean;
  /** The last failed request, without secrets. */
  lastError?: { message: string; timeMillis: number };
}

/** The number of refused spans of a request, and the reason. */
export interface Rejected {
  rejected: number;
  message: string;
}

/** The result of `gs_poll` for a batch that is to be stored instead of sent. */
const STORE = 2;
/** Why `gs_ingest` refuses a body, by its result: malformed, no space at present, or over a fixed limit. */
const REFUSALS = { [-1]: "malformed", [-2]: "full", [-3]: "limit" } as const;

const MIN_SPARE = 1 << 16;
const MAX_SPARE = 8 << 20;
const MAX_SPARES = 4;

/**
 * Closes the pipelines of processors that were garbage-collected: a worker's tracing library may create one for each request and never shut it
 * down. Older workers do not support this.
 */
const abandoned =
  typeof FinalizationRegistry === "function"
    ? new FinalizationRegistry<{ instance: Instance; handle: number }>(({ instance, handle }) => {
        if (!instance.inside) cold(instance, () => bindings.close(handle));
      })
    : undefined;

/** One pipeline of the core; the calls are those of src/bindings.rs. Check `broken` before each of them. */
export class Pipeline {
  private readonly handle: number;
  private readonly instance: Instance;
  /** Memory of answered bodies, for reuse: allocating it for every batch costs more than filling it. */
  private readonly spare: ArrayBuffer[] = [];
  /** The number of spans in the last body that `ingest` accepted. */
  taken = 0;

  /**
   * Throws an Error that describes the problem in the configuration, or Unavailable. `failed` receives the name of a hook that threw. `most` is
   * the memory that an idle instance may have, in bytes: WebAssembly memory never shrinks, so one with more is replaced.
   */
  constructor(
    config: object,
    hooks: PrivacyHooks,
    failed: (hook: string) => void,
    private readonly most: number,
  ) {
    this.instance = instance(most);
    try {
      this.handle = cold(this.instance, () => bindings.open(config, ...calls(hooks, failed)));
    } catch (error) {
      throw error instanceof Fault ? error : new Error(`genspan: ${(error as Error).message}`);
    }
    abandoned?.register(this, { instance: this.instance, handle: this.handle }, this);
  }

  /** `true` once the instance has had a trap, in this pipeline or another. */
  get broken(): boolean {
    return this.instance.inside && !inHook();
  }

  /** `true` if the instance holds more memory than an idle one should. */
  get grown(): boolean {
    return grown(this.instance, this.most);
  }

  private enter(): Exports {
    return enter(this.instance);
  }

  private left<T>(result: T): T {
    this.instance.inside = false;
    return result;
  }

  /** Attribute keys whose values the host must include in a `start` record. */
  wanted(): string[] {
    return cold(this.instance, () => bindings.wanted(this.handle)) as string[];
  }

  get memory(): Exports["memory"] {
    return this.instance.wasm.memory;
  }

  reserve(len: number): number {
    return this.left(this.enter().gs_reserve(this.handle, len) >>> 0);
  }

  intern(len: number): number {
    return this.left(this.enter().gs_intern(this.handle, len));
  }

  scope(len: number): number {
    return this.left(this.enter().gs_scope(this.handle, len));
  }

  resource(len: number): number {
    return this.left(this.enter().gs_resource(this.handle, len));
  }

  /**
   * Passes a `start` record. `refused`: a bit set of the destinations from which a filter of the application excludes the span. Returns bits: 0: the span was accepted ·
   * 2: its scope has to be described again, and the record passed again.
   */
  start(len: number, refused: number, now: number): number {
    return this.left(this.enter().gs_start(this.handle, len, refused, now));
  }

  /** Passes a `span` record. Like `start`, also for the resource. Bit 1: something is ready to send. */
  end(len: number, refused: number, now: number): number {
    return this.left(this.enter().gs_end(this.handle, len, refused, now));
  }

  /**
   * Ingests the OTLP body in the area, which follows the `peer` bytes of its sender's address. Returns the refused spans, or why the whole body was
   * refused. Only in the module of the command line.
   */
  ingest(
    len: number,
    peer: number,
    now: number,
  ): Rejected | undefined | { refused: "malformed" | "full" | "limit"; message: string } {
    const { handle } = this;
    const wasm = this.enter();
    const spans = this.left((wasm.gs_ingest as NonNullable<Exports["gs_ingest"]>)(handle, len, peer, now));
    this.taken = Math.max(0, spans);
    if (spans < 0) return { refused: REFUSALS[spans as keyof typeof REFUSALS], message: this.message() };
    const rejected = this.left(this.enter().gs_out_spans(handle));
    return rejected > 0 ? { rejected, message: this.message() } : undefined;
  }

  /** The next service that sends no token although a destination requires one; each is reported once. Only in the module of the command line. */
  tokenless(): string | undefined {
    const found = this.left((this.enter().gs_tokenless as NonNullable<Exports["gs_tokenless"]>)(this.handle));
    return found === 0 ? undefined : this.message();
  }

  /** Returns `true` if the span whose ids are in the area belongs to an LLM segment. The area then contains the id of that LLM span. */
  segment(len: number): boolean {
    return this.left(this.enter().gs_segment(this.handle, len)) !== 0;
  }

  /** The next batch to send, copied out of linear memory, which may move or be overwritten during the request. */
  poll(now: number): Transmit | undefined {
    const kind = this.left(this.enter().gs_poll(this.handle, now));
    if (kind === 0) return undefined;
    const { handle } = this;
    const wasm = this.enter();
    const id = wasm.gs_out_id(handle);
    const spans = wasm.gs_out_spans(handle);
    const destination = wasm.gs_out_destination(handle);
    const at = wasm.gs_out_ptr(handle) >>> 0;
    const length = this.left(wasm.gs_out_len(handle));
    const body = new Uint8Array(this.memoryFor(length), 0, length);
    body.set(new Uint8Array(wasm.memory.buffer, at, length));
    return { id, store: kind === STORE, spans, destination, body };
  }

  private memoryFor(length: number): ArrayBuffer {
    const i = this.spare.findIndex((memory) => memory.byteLength >= length);
    return i < 0 ? new ArrayBuffer(Math.max(length, MIN_SPARE)) : (this.spare.splice(i, 1)[0] as ArrayBuffer);
  }

  /** Takes back the body of an answered batch; it must not be read any more. */
  recycle(body: Uint8Array<ArrayBuffer>): void {
    if (this.spare.length < MAX_SPARES && body.buffer.byteLength <= MAX_SPARE) this.spare.push(body.buffer);
  }

  /** When `poll` has to be called again, in ms since 1970; Infinity: never. */
  wake(): number {
    return this.left(this.enter().gs_wake(this.handle));
  }

  /** Makes all accepted spans ready to send, and returns the generation for `settled`. */
  flush(now: number): number {
    return this.left(this.enter().gs_flush(this.handle, now));
  }

  settled(generation: number): boolean {
    return this.left(this.enter().gs_settled(this.handle, generation)) !== 0;
  }

  /**
   * Passes the answer to a batch. `status` is that of HTTP or, below 100, of gRPC; the body is the first `len` bytes of the area. `retryAfter` is
   * in ms, -1 for none. Returns a partial success, if the answer is one.
   */
  response(id: number, status: number, retryAfter: number, len: number, now: number): Rejected | undefined {
    const { handle } = this;
    if (this.left(this.enter().gs_response(handle, id, status, retryAfter, len, now)) === 0) return undefined;
    return { rejected: this.left(this.enter().gs_out_spans(handle)), message: this.message() };
  }

  /** The message that the core has left in the area. */
  private message(): string {
    const { handle } = this;
    const wasm = this.enter();
    const at = wasm.gs_out_ptr(handle) >>> 0;
    const length = this.left(wasm.gs_out_len(handle));
    return new TextDecoder().decode(new Uint8Array(wasm.memory.buffer, at, length));
  }

  /** Reports that a batch got no answer. */
  failure(id: number, now: number): void {
    this.left(this.enter().gs_failure(this.handle, id, now));
  }

  /** Reports whether a batch could be stored. */
  stored(id: number, ok: boolean, now: number): void {
    this.left(this.enter().gs_stored(this.handle, id, Number(ok), now));
  }

  /** Returns `true` if the destination would send a stored batch now. */
  wants(destination: number, now: number): boolean {
    return this.left(this.enter().gs_wants(this.handle, destination, now)) !== 0;
  }

  /** Passes a stored batch, the first `len` bytes of the area. `copy` is the caller's number for it, from 1, and is returned by `released`. */
  restore(destination: number, copy: number, spans: number, len: number): void {
    this.left(this.enter().gs_restore(this.handle, destination, copy, spans, len));
  }

  /** A copy that is no longer needed, or (`again`) has to be offered again. */
  released(): { copy: number; again: boolean } | undefined {
    const released = this.left(this.enter().gs_released(this.handle));
    return released === 0 ? undefined : { copy: released >>> 1, again: (released & 1) === 1 };
  }

  /** Gives up undelivered spans: `poll` returns the batches to store; the rest is dropped and counted. */
  giveUp(now: number): void {
    this.left(this.enter().gs_close(this.handle, now));
  }

  stats(): CoreStats {
    return cold(this.instance, () => bindings.stats(this.handle));
  }

  close(): void {
    abandoned?.unregister(this);
    cold(this.instance, () => bindings.close(this.handle));
  }
}

/**
 * Converts an OTLP body in one call; also returns the spans that were omitted because no backend would accept them. Throws an Error that describes
 * the problem in the input and its position.
 */
export const convert = (body: Uint8Array, options: object, hooks: PrivacyHooks) =>
  converted(bindings.convert, body, options, hooks);

/** The reasons for the output of `convert`, as JSON text. */
export const explain = (body: Uint8Array, options: object, hooks: PrivacyHooks) =>
  converted(bindings.explain, body, options, hooks);

/** The body in the other encoding, not normalised. */
export const transcode = (body: Uint8Array, toJson: boolean): Uint8Array =>
  cold(instance(), () => bindings.transcode(body, toJson));

function converted(
  call: typeof bindings.convert,
  body: Uint8Array,
  options: object,
  hooks: PrivacyHooks,
): { body: Uint8Array; partial: Rejected | undefined } {
  let partial: Rejected | undefined;
  const note = (rejected: number, message: string) => {
    partial = { rejected, message };
  };
  return { body: cold(instance(), () => call(body, options, ...calls(hooks, () => {}), note)), partial };
}

let known: string | undefined;

export function version(): string {
  known ??= cold(instance(), () => bindings.version());
  return known;
}
