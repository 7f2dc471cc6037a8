// The WebAssembly core: instantiated on first use, called through plain numbers. Knows no OpenTelemetry object. A trap costs an instance and what
// is in it: whoever comes next gets a new one.

import * as bindings from "../wasm/genspan.js";
import { Unavailable } from "./host.js";
import { guarded, inHook, type PrivacyHooks } from "./privacy.js";
import { needRoom } from "./stack.js";

/** The exports that the hot path calls; `h` is a handle, `now` milliseconds since 1970. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  gs_reserve(h: number, len: number): number;
  gs_intern(h: number, len: number): number;
  gs_scope(h: number, len: number): number;
  gs_resource(h: number, len: number): number;
  gs_start(h: number, len: number, refused: number, now: number): number;
  gs_end(h: number, len: number, refused: number, now: number): number;
  /** In the module of the command line only. */
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

/** An instance of the module. */
interface Instance {
  readonly wasm: Exports;
  /**
   * Raised on the way into the module, lowered on the way out. A trap (a defect of genspan, no memory left, or the end of the stack) skips the way
   * out and leaves all of the instance unusable: it stays raised, and nobody may enter again.
   */
  inside: boolean;
}

/** What new pipelines and `convert` get. */
let newest: Instance | undefined;
/** What the glue of wasm-bindgen works on. */
let active: Instance | undefined;
let load: (() => WebAssembly.Module) | undefined;
/** The module that `load` gave, once it has. */
let loaded: WebAssembly.Module | undefined;
/** Why the module could not be made to run. It is not tried again: that takes long, and there may be a processor for every request. */
let unavailable: Unavailable | undefined;

/**
 * Gives `genspan/slim` its module: `genspan/core.wasm` compiled, or what compiles it on first use. To be called before anything else; later it
 * changes nothing. Every other entry point of the package has done so.
 */
export function initSync(module: WebAssembly.Module | (() => WebAssembly.Module)): void {
  load = typeof module === "function" ? (module as () => WebAssembly.Module) : () => module;
  loaded = undefined;
  unavailable = undefined;
}

/** An instance that works, and holds no more memory than it should. */
function instance(): Instance {
  if (inHook()) throw new Error("genspan: a hook cannot call what called it");
  if (newest?.inside || (newest && grown(newest))) newest = undefined;
  newest ??= instantiate();
  return newest;
}

const grown = ({ wasm }: Instance) => wasm.memory.buffer.byteLength > MAX_IDLE_MEMORY;

function instantiate(): Instance {
  if (!load) {
    throw new Error(
      "genspan/slim has no module yet; call initSync(module) with genspan/core.wasm, compiled, before anything else",
    );
  }
  if (unavailable) throw unavailable;
  try {
    needRoom();
    loaded ??= load();
    // A module out of another realm, such as that of a sandbox's host, is none to the `instanceof` of wasm-bindgen.
    if (!(loaded instanceof WebAssembly.Module)) Object.setPrototypeOf(loaded, WebAssembly.Module.prototype);
    active = undefined;
    bindings.use(undefined);
    const wasm = bindings.initSync({ module: loaded }) as unknown as Exports;
    bindings.seed(Math.random() * 2 ** 53);
    active = { wasm, inside: false };
    return active;
  } catch (error) {
    // Of the stack, or of the memory: there may be enough another time.
    if (error instanceof RangeError) throw new Unavailable(error);
    unavailable = new Unavailable(error);
    throw unavailable;
  }
}

/** One batch that the core wants sent, or stored. Comes again with the same id when it is to be sent again. */
export interface Transmit {
  id: number;
  store: boolean;
  spans: number;
  /** Index into the destinations of the configuration. */
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

/** The way in. Throws the engine's RangeError where the application has left too little of the stack; nothing is lost then. */
function enter(instance: Instance): Exports {
  needRoom();
  if (instance !== active) {
    bindings.use(instance.wasm);
    active = instance;
  }
  instance.inside = true;
  return instance.wasm;
}

/** A cold call. The core answers bad input with a plain Error, which is no trap. */
function cold<T>(instance: Instance, call: () => T): T {
  if (inHook()) throw new Error("genspan: a hook cannot call what called it");
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

/** The instance had a trap. What it held is lost, and it takes nothing any more. */
export class Fault extends Error {
  constructor(cause: string) {
    super(`genspan: an internal fault (${cause})`);
  }
}

/** Counters of the core. */
export interface CoreStats {
  /** Spans that ended. */
  seen: number;
  /** Of them, those that an LLM instrumentation wrote. */
  llm: number;
  /** Spans that were marked as entries. */
  entries: number;
  /** Records that could not be read, and spans of bodies that were refused. */
  unparsed: number;
  /** Attributes and events of LLM spans that are too large to be understood: they go out as they came. */
  unread: number;
  /** Candidates for the entry that wait for an ancestor. */
  held: number;
  /** Candidates decided because they waited too long, or because too many waited. */
  holdExpired: number;
  holdOverflow: number;
  /** Spans whose mark was dropped because an entry on their path had been decided before they ended. */
  lateMarks: number;
  /** Spans remembered · traces forgotten because there were too many · finished spans forgotten of a trace that had too many. */
  tracked: number;
  tracesEvicted: number;
  spansForgotten: number;
  /** Keys and names in the dictionary. */
  dictionary: number;
  /**
   * Privacy, counted once for each form that a span is written in (destinations with the same profile, keep and privacy share one).
   * Values in which something was masked · was replaced because it could not be masked, a hook that threw among them.
   */
  masked: number;
  maskFailed: number;
  /** Media that were replaced. */
  mediaReplaced: number;
  /** Values that were cut. */
  truncated: number;
  /** Attributes, of events and links too, and texts of the status left out by `captureContent: false`. */
  contentDropped: number;
  destinations: DestinationStats[];
}

/**
 * Of one destination, in spans unless it says otherwise. At any time `queued + restored` is `sent`, `rejected`, `spooled`, all that
 * are dropped, and `pending`.
 */
export interface DestinationStats {
  name: string;
  /** Accepted for it, what was dropped from the queue among them. */
  queued: number;
  sent: number;
  /** Bytes of the requests that were taken, before compression. */
  sentBytes: number;
  /** Refused by the backend although it took their batch. */
  rejected: number;
  /** Spans that were sent again, and their requests. */
  retried: number;
  retriedBatches: number;
  /** Batches that were split because the backend found them too large or invalid, and spans that were shortened because they are too large. */
  splitBatches: number;
  shortened: number;
  /** Dropped: no room in the queue · refused by the backend · not delivered in time. */
  droppedFull: number;
  droppedRefused: number;
  droppedDeadline: number;
  /** Dropped: too large for the backend, however short · not delivered before `shutdown` gave up. */
  droppedTooLarge: number;
  droppedClosed: number;
  /** Lost with what the core held when it had an internal fault; at most so many. */
  droppedFault: number;
  /** Put on disk, and taken back from there for good. */
  spooled: number;
  restored: number;
  /** `"open"`: it failed too often and is left alone; `"half-open"`: one request probes it. */
  health: "ok" | "open" | "half-open";
  /** Spans that its scopes and its filter keep away · those of traces that its sample does not have. */
  filtered: number;
  notSampled: number;
  /** In a relay: those whose resource carries no `token`, which the destination wants of each sender. */
  withoutToken: number;
  /** In the queue. */
  waiting: number;
  /** In the queue or on their way. */
  pending: number;
  pendingBytes: number;
  /** The backend would refuse the provider's service name; a name that it takes goes out instead. */
  mendedServiceName: boolean;
  /** The last fault of a request, without secrets. */
  lastError?: { message: string; timeMillis: number };
}

/** The spans that were not taken of those in a request, and why. */
export interface Rejected {
  rejected: number;
  message: string;
}

/** What `gs_poll` says of a batch that is not to be sent. */
const STORE = 2;
/** Why `gs_ingest` refuses a body, by what it returns: malformed, no room now, or over a limit, which it will always be. */
const REFUSALS = { [-1]: "malformed", [-2]: "full", [-3]: "limit" } as const;

/** Memory of WebAssembly never shrinks: an instance that has more of it than this gives way to a new one when nobody needs what it holds. */
export const MAX_IDLE_MEMORY = 64 << 20;

const MIN_SPARE = 1 << 16;
const MAX_SPARE = 8 << 20;
const MAX_SPARES = 4;

/**
 * Closes the pipelines of processors that nobody has any more: a worker's tracing library may make one for each request, and never shut it
 * down. Older workers cannot tell.
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
  private readonly instance = instance();
  /** Memory of bodies that were answered: new memory for every batch costs more than filling it. */
  private readonly spare: ArrayBuffer[] = [];
  /** How many spans the body had that `ingest` took last. */
  taken = 0;

  /** Throws an Error that names what is wrong with the configuration, or Unavailable. `failed` gets the name of a hook that threw. */
  constructor(config: object, hooks: PrivacyHooks, failed: (hook: string) => void) {
    try {
      this.handle = cold(this.instance, () => bindings.open(config, ...calls(hooks, failed)));
    } catch (error) {
      throw error instanceof Fault ? error : new Error(`genspan: ${(error as Error).message}`);
    }
    abandoned?.register(this, { instance: this.instance, handle: this.handle }, this);
  }

  /** True once the instance has had a trap, in this pipeline or in another one. */
  get broken(): boolean {
    return this.instance.inside && !inHook();
  }

  /** True if the instance holds more memory than it should when nothing happens. */
  get grown(): boolean {
    return grown(this.instance);
  }

  private enter(): Exports {
    return enter(this.instance);
  }

  private left<T>(result: T): T {
    this.instance.inside = false;
    return result;
  }

  /** The keys whose values a `start` record shall bring. */
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
   * `refused`: the destinations that a filter of the application keeps the span from, by their bits. Gives bits: 0: the span was accepted · 2: its
   * scope has to be described again, and the record handed over again.
   */
  start(len: number, refused: number, now: number): number {
    return this.left(this.enter().gs_start(this.handle, len, refused, now));
  }

  /** As `start`, the resource being as the scope. Bit 1: something is ready to send. */
  end(len: number, refused: number, now: number): number {
    return this.left(this.enter().gs_end(this.handle, len, refused, now));
  }

  /**
   * Takes the OTLP body in the area, behind the `peer` bytes of its sender's address: gives what of it was not taken, or why nothing of it
   * was. In the module of the command line only.
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
    if (spans < 0) return { refused: REFUSALS[spans as keyof typeof REFUSALS], message: this.told() };
    const rejected = this.left(this.enter().gs_out_spans(handle));
    return rejected > 0 ? { rejected, message: this.told() } : undefined;
  }

  /** The name of a service that sends no token although a destination wants the senders' own; each once. In the module of the command line only. */
  tokenless(): string | undefined {
    const found = this.left((this.enter().gs_tokenless as NonNullable<Exports["gs_tokenless"]>)(this.handle));
    return found === 0 ? undefined : this.told();
  }

  /** Is the span whose ids are in the area part of an LLM segment? If so, the id of that LLM span is in the area now. */
  segment(len: number): boolean {
    return this.left(this.enter().gs_segment(this.handle, len)) !== 0;
  }

  /** The next batch to send now, copied out of linear memory, which moves and is overwritten while it is on its way. */
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

  /** Takes back the body of a batch that was answered; nobody may read it any more. */
  recycle(body: Uint8Array<ArrayBuffer>): void {
    if (this.spare.length < MAX_SPARES && body.buffer.byteLength <= MAX_SPARE) this.spare.push(body.buffer);
  }

  /** When `poll` has to be called again, in milliseconds since 1970; Infinity: never. */
  wake(): number {
    return this.left(this.enter().gs_wake(this.handle));
  }

  /** Makes everything accepted so far ready to send and gives the generation to ask `settled` about. */
  flush(now: number): number {
    return this.left(this.enter().gs_flush(this.handle, now));
  }

  settled(generation: number): boolean {
    return this.left(this.enter().gs_settled(this.handle, generation)) !== 0;
  }

  /**
   * The answer to a batch; `status` of HTTP, or below 100 of gRPC; its body is the first `len` bytes of the area. `retryAfter` in
   * ms, -1 for none. Gives the partial success that it is.
   */
  response(id: number, status: number, retryAfter: number, len: number, now: number): Rejected | undefined {
    const { handle } = this;
    if (this.left(this.enter().gs_response(handle, id, status, retryAfter, len, now)) === 0) return undefined;
    return { rejected: this.left(this.enter().gs_out_spans(handle)), message: this.told() };
  }

  /** The text that the core has to say. */
  private told(): string {
    const { handle } = this;
    const wasm = this.enter();
    const at = wasm.gs_out_ptr(handle) >>> 0;
    const length = this.left(wasm.gs_out_len(handle));
    return new TextDecoder().decode(new Uint8Array(wasm.memory.buffer, at, length));
  }

  /** No answer to a batch. */
  failure(id: number, now: number): void {
    this.left(this.enter().gs_failure(this.handle, id, now));
  }

  /** A batch that was to be stored is, or cannot be. */
  stored(id: number, ok: boolean, now: number): void {
    this.left(this.enter().gs_stored(this.handle, id, Number(ok), now));
  }

  /** Would the destination send a stored batch now? */
  wants(destination: number, now: number): boolean {
    return this.left(this.enter().gs_wants(this.handle, destination, now)) !== 0;
  }

  /** Takes a stored batch, the first `len` bytes of the area. `copy` is ours for it, from 1, and comes back by `released`. */
  restore(destination: number, copy: number, spans: number, len: number): void {
    this.left(this.enter().gs_restore(this.handle, destination, copy, spans, len));
  }

  /** A copy that is not needed any more, or (`again`) is to be offered again. */
  released(): { copy: number; again: boolean } | undefined {
    const released = this.left(this.enter().gs_released(this.handle));
    return released === 0 ? undefined : { copy: released >>> 1, again: (released & 1) === 1 };
  }

  /** Gives up what is not delivered: `poll` gives what is to be stored, the rest is dropped and counted. */
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
 * OTLP in, OTLP out, in one go, and the spans that were left out because no backend would take them. Throws an Error that says what is wrong
 * with the input, and where.
 */
export const convert = (body: Uint8Array, options: object, hooks: PrivacyHooks) =>
  converted(bindings.convert, body, options, hooks);

/** Why `convert` gives what it gives, as JSON text. */
export const explain = (body: Uint8Array, options: object, hooks: PrivacyHooks) =>
  converted(bindings.explain, body, options, hooks);

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
