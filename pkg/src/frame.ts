// Writes spans as frames (the format is described in src/frame.rs) directly into the linear memory of the core. It does not deal with
// batches, time or transport, and never changes the spans that it reads.
import type {
  Attributes,
  EndedSpan,
  HrTime,
  InstrumentationScope,
  Resource,
  SpanContext,
  StartedSpan,
} from "./otel.js";
import { parentSpanId } from "./otel.js";

/** Where frames are written. `len` counts bytes from the start of the reserved area. Every call may move the memory. */
export interface FrameTarget {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Returns the address of an area of at least `len` bytes, valid until the next call. */
  reserve(len: number): number;
  /** An id for the text in the area, 0 when the dictionary is full. */
  intern(len: number): number;
  /** An id for the scope record in the area, 0 when refused. Equal ones have the same id. */
  scope(len: number): number;
  /** An id for the resource record in the area, 0 when refused. Equal ones have the same id. */
  resource(len: number): number;
}

/** Flags: the span has a parent · the parent is in another process · and inside an LLM segment there. */
export const PARENT = 1;
export const REMOTE = 2;
export const SEGMENT = 4;
/** Flag: a session or a user among the attributes comes from the baggage. */
const FROM_BAGGAGE = 8;

/** A span that takes more bytes than the core would ever send. */
export class FrameTooLarge extends Error {}

const VERSION = 1;
const MAX_FRAME = 32 << 20;
const FIRST_AREA = 64 << 10;
const MAX_SLACK = 1 << 20;
/** Maximum nesting, as in src/span.rs: readers of OTLP refuse deeper values. */
const MAX_DEPTH = 28;
const MAX_INTERNED_LENGTH = 256;
/** Maximum number of texts that are remembered while they wait for their second occurrence. */
const MAX_REMEMBERED = 1024;
const SPAN_HEADER = 80;

const MIN_I64 = -(2n ** 63n);
const MAX_I64 = 2n ** 63n - 1n;

const NIBBLE = new Uint8Array(128);
for (let i = 0; i < 16; i++) {
  NIBBLE[i.toString(16).charCodeAt(0)] = i;
  NIBBLE[i.toString(16).toUpperCase().charCodeAt(0)] = i;
}

/** The two methods of Node's Buffer that are faster than TextEncoder; other runtimes lack them. */
interface NativeUtf8 {
  utf8Write(text: string, offset: number, length: number): number;
}
interface BufferClass {
  from(buffer: ArrayBuffer): NativeUtf8;
  byteLength(text: string): number;
  readonly prototype: Partial<NativeUtf8>;
}
const NodeBuffer = (globalThis as unknown as { Buffer?: BufferClass }).Buffer;
const nativeUtf8 = typeof NodeBuffer?.prototype.utf8Write === "function" ? NodeBuffer : undefined;
const encoder = new TextEncoder();

export class FrameWriter {
  private buffer: ArrayBuffer | undefined;
  private bytes = new Uint8Array();
  private view = new DataView(new ArrayBuffer(0));
  private utf8: NativeUtf8 | undefined;
  /** The area: from `base` to `end`, written up to `at`. */
  private base = 0;
  private at = 0;
  private end = 0;

  /** Ids of the texts; negative if the core needs the value with which a span starts. */
  private readonly ids = new Map<string, number>();
  /** Texts that occurred once. A text gets an id at its second occurrence, so that names containing unique ids never get one. */
  private readonly metOnce = new Set<string>();
  private readonly toIntern: string[] = [];
  private dictionaryFull = false;

  /** Ids of scopes and resources. Equal ones share an id. */
  private described = new WeakMap<object, number>();
  private lastScope: object | undefined;
  private lastScopeId = 0;

  /** The keys of the current start record whose values the core needs. */
  private readonly seen: string[] = [];

  private lastTraceId = "";
  private readonly traceId = new Uint8Array(16);
  /** The containers around the value being written, to detect cycles. */
  private readonly around: object[] = [];

  /**
   * `shortText`: the number of characters up to which a loop in JavaScript is faster than a native encoder. `wanted`: the keys whose values the core
   * needs when a span starts.
   */
  constructor(
    private readonly target: FrameTarget,
    private readonly shortText: number,
    wanted: readonly string[] = [],
  ) {
    this.toIntern.push(...wanted);
    this.learn();
    for (const [key, id] of this.ids) this.ids.set(key, -id);
  }

  /** Writes a `start` record and returns its length. `caller`: the LLM span in another process above this one. `baggage`: session and user from the baggage, under the keys of their attributes. `attributes`: the attributes at the start. */
  start(span: StartedSpan, flags: number, caller = "", baggage?: Attributes, attributes = span.attributes): number {
    const scope = this.scope(span.instrumentationScope ?? span.instrumentationLibrary);
    const keys = attributes ? Object.keys(attributes) : [];
    this.begin(SPAN_HEADER);
    this.u8(baggage ? flags | FROM_BAGGAGE : flags);
    this.ids3(span);
    this.hex(caller, 8);
    this.u32(scope);
    this.ref(span.name ?? "");
    this.count(keys.length);
    const { seen } = this;
    if (seen.length > 0) seen.length = 0;
    for (const key of keys) if (this.ref(key)) seen.push(key);
    if (baggage) {
      const own = seen.map((key) => [key, (attributes as Attributes)[key]]);
      this.attributes({ ...baggage, ...Object.fromEntries(own) });
    } else {
      this.count(seen.length);
      for (const key of seen) {
        this.ref(key);
        this.value((attributes as Attributes)[key]);
      }
    }
    return this.at - this.base;
  }

  /** The id of `length` bytes that the core wrote at the start of the area, in hexadecimal form; empty for zeros. */
  idAt0(length: number): string {
    const bytes = this.bytes.subarray(this.base, this.base + length);
    return bytes.some((byte) => byte !== 0)
      ? Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
      : "";
  }

  /** Writes the ids of a span and returns their length. */
  ids2({ traceId, spanId }: SpanContext): number {
    this.rewind(24);
    this.hex(traceId, 16);
    this.hex(spanId, 8);
    return this.at - this.base;
  }

  /** Writes a `span` record and returns its length. Throws FrameTooLarge. */
  span(span: EndedSpan, flags: number): number {
    const scope = this.scope(span.instrumentationScope ?? span.instrumentationLibrary);
    const resource = this.resource(span.resource);
    const context = span.spanContext();
    const { status } = span;
    const events = span.events ?? [];
    const links = span.links ?? [];
    this.begin(SPAN_HEADER);
    this.u8(flags);
    this.u8((span.kind ?? 0) + 1);
    this.u8(status?.code ?? 0);
    this.u32(context.traceFlags);
    this.ids3(span);
    this.time(span.startTime);
    this.time(span.endTime);
    this.u32(scope);
    this.u32(resource);
    this.u32(span.droppedAttributesCount ?? 0);
    this.u32(span.droppedEventsCount ?? 0);
    this.u32(span.droppedLinksCount ?? 0);
    this.ref(span.name ?? "");
    this.text(status?.message ?? "");
    this.text(context.traceState?.serialize() ?? "");
    this.attributes(span.attributes);
    this.count(events.length);
    for (const event of events) {
      this.room(8);
      this.time(event.time);
      this.ref(event.name);
      this.count(event.droppedAttributesCount ?? 0);
      this.attributes(event.attributes);
    }
    this.count(links.length);
    for (const link of links) {
      this.room(28);
      this.hex(link.context.traceId, 16);
      this.hex(link.context.spanId, 8);
      // As in OTLP: bit 8 means that bit 9, "is remote", is known.
      this.u32((link.context.traceFlags & 0xff) | (link.context.isRemote ? 0x300 : 0x100));
      this.text(link.context.traceState?.serialize() ?? "");
      this.count(link.droppedAttributesCount ?? 0);
      this.attributes(link.attributes);
    }
    return this.at - this.base;
  }

  /** Copies other bytes than records (a response body, or an OTLP body after its sender's address) into the area and returns their length. */
  raw(...pieces: Uint8Array[]): number {
    this.rewind(pieces.reduce((sum, { length }) => sum + length, 0));
    for (const piece of pieces) {
      this.bytes.set(piece, this.at);
      this.at += piece.length;
    }
    return this.at - this.base;
  }

  /** Interns the texts that have occurred twice so far. Call it when the area is free. */
  learn(): void {
    while (this.toIntern.length > 0) {
      const text = this.toIntern.pop() as string;
      if (this.dictionaryFull || this.ids.has(text)) continue;
      this.rewind(text.length * 3);
      this.at += this.encode(text, this.base);
      const id = this.target.intern(this.at - this.base);
      if (id > 0) this.ids.set(text, id);
      else this.dictionaryFull = true;
    }
    if (this.dictionaryFull) this.metOnce.clear();
  }

  /** Forgets the ids of scopes and resources. Call it when the core has evicted one that a record refers to. */
  forget(): void {
    this.described = new WeakMap();
    this.lastScope = undefined;
  }

  // ---- records that spans refer to

  private scope(scope: InstrumentationScope | undefined): number {
    if (scope === undefined) return this.scope(NO_SCOPE);
    if (scope === this.lastScope) return this.lastScopeId;
    let id = this.described.get(scope);
    if (id === undefined) {
      id = this.registerScope(scope);
      this.described.set(scope, id);
    }
    this.lastScope = scope;
    this.lastScopeId = id;
    return id;
  }

  private registerScope(scope: InstrumentationScope): number {
    this.begin(0);
    this.text(scope.name ?? "");
    this.text(scope.version ?? "");
    this.text(scope.schemaUrl ?? "");
    this.attributes(scope.attributes);
    return this.target.scope(this.at - this.base);
  }

  private resource(resource: Resource): number {
    let id = this.described.get(resource);
    if (id === undefined) {
      this.begin(0);
      this.text(resource.schemaUrl ?? "");
      this.attributes(resource.attributes);
      id = this.target.resource(this.at - this.base);
      this.described.set(resource, id);
    }
    return id;
  }

  // ---- the area

  private begin(bytes: number): void {
    this.rewind(bytes + 1);
    this.u8(VERSION);
  }

  private rewind(bytes: number): void {
    if (this.end === 0) {
      this.base = this.target.reserve(FIRST_AREA);
      this.end = this.base + FIRST_AREA;
    }
    if (this.target.memory.buffer !== this.buffer) this.look();
    if (this.around.length > 0) this.around.length = 0;
    this.at = this.base;
    this.room(bytes);
  }

  private look(): void {
    this.buffer = this.target.memory.buffer;
    this.bytes = new Uint8Array(this.buffer);
    this.view = new DataView(this.buffer);
    this.utf8 = nativeUtf8?.from(this.buffer);
  }

  private room(bytes: number): void {
    if (this.at + bytes > this.end) this.grow(bytes);
  }

  private grow(bytes: number): void {
    const need = this.at - this.base + bytes;
    if (need > MAX_FRAME) throw new FrameTooLarge(`a span of more than ${MAX_FRAME} bytes`);
    const written = this.bytes.slice(this.base, this.at);
    const size = Math.min(MAX_FRAME, need + (need >> 2));
    this.base = this.target.reserve(size);
    this.end = this.base + size;
    this.look();
    this.bytes.set(written, this.base);
    this.at = this.base + written.length;
  }

  // ---- parts; the callers of functions without `room` have made room for them

  private u8(value: number): void {
    this.bytes[this.at++] = value;
  }

  private u32(value: number): void {
    this.view.setUint32(this.at, value, true);
    this.at += 4;
  }

  private count(value: number): void {
    this.room(4);
    this.u32(value);
  }

  private time(time: HrTime): void {
    // Arithmetic on clock readings may produce nanoseconds outside one second.
    const carry = Math.floor(time[1] / 1e9);
    this.u32(time[0] + carry);
    this.u32(time[1] - carry * 1e9);
  }

  private ids3(span: StartedSpan): void {
    const { traceId, spanId } = span.spanContext();
    if (traceId !== this.lastTraceId) {
      this.hex(traceId, 16);
      this.traceId.set(this.bytes.subarray(this.at - 16, this.at));
      this.lastTraceId = traceId;
    } else {
      for (let i = 0; i < 16; i++) this.bytes[this.at + i] = this.traceId[i] as number;
      this.at += 16;
    }
    this.hex(spanId, 8);
    this.hex(parentSpanId(span) ?? "", 8);
  }

  /** Writes an id from its hexadecimal form; zeros if it is missing or invalid. */
  private hex(text: string, length: number): void {
    const { bytes, at } = this;
    if (text.length === 2 * length) {
      for (let i = 0; i < length; i++) {
        const high = NIBBLE[text.charCodeAt(2 * i)] as number;
        const low = NIBBLE[text.charCodeAt(2 * i + 1)] as number;
        bytes[at + i] = (high << 4) | low;
      }
    } else {
      bytes.fill(0, at, at + length);
    }
    this.at += length;
  }

  /** Writes a reference to the text. Returns `true` if the core needs the value that belongs to it. */
  private ref(text: string): boolean {
    const id = this.ids.get(text);
    if (id !== undefined) {
      this.count(id < 0 ? -id : id);
      return id < 0;
    }
    this.count(0);
    this.text(text);
    if (this.dictionaryFull || text.length > MAX_INTERNED_LENGTH) return false;
    if (this.metOnce.delete(text)) {
      this.toIntern.push(text);
    } else {
      if (this.metOnce.size >= MAX_REMEMBERED) this.metOnce.clear();
      this.metOnce.add(text);
    }
    return false;
  }

  private text(text: string): void {
    // Three bytes per UTF-16 unit is the worst case. The exact size is counted only if that would be much memory.
    const worst = 4 + 3 * text.length;
    if (this.at + worst > this.end) {
      this.room(nativeUtf8 && worst > MAX_SLACK ? 4 + nativeUtf8.byteLength(text) : worst);
    }
    const length = this.encode(text, this.at + 4);
    this.u32(length);
    this.at += length;
  }

  /** Writes UTF-8 at an offset, U+FFFD for lone surrogates, and returns the number of bytes. */
  private encode(text: string, offset: number): number {
    const { bytes } = this;
    const { length } = text;
    if (length <= this.shortText) {
      let i = 0;
      for (; i < length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 127) break;
        bytes[offset + i] = unit;
      }
      if (i === length) return length;
    }
    // The length is optional, but without it workerd assumes that of the whole buffer, and throws.
    const { utf8 } = this;
    return utf8
      ? utf8.utf8Write(text, offset, bytes.length - offset)
      : encoder.encodeInto(text, bytes.subarray(offset)).written;
  }

  private attributes(attributes: Attributes | undefined): void {
    this.room(4);
    const keys = attributes ? Object.keys(attributes) : [];
    this.u32(keys.length);
    for (const key of keys) {
      this.ref(key);
      this.value((attributes as Attributes)[key]);
    }
  }

  private value(value: unknown): void {
    this.room(9);
    switch (typeof value) {
      case "string":
        this.u8(1);
        this.text(value);
        break;
      case "boolean":
        this.u8(value ? 3 : 2);
        break;
      case "number":
        // The stock exporter decides in the same way. A double represents every such integer exactly.
        this.u8(Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63 ? 4 : 5);
        this.view.setFloat64(this.at, value, true);
        this.at += 8;
        break;
      case "bigint":
        if (value < MIN_I64 || value > MAX_I64) {
          this.u8(1);
          this.text(value.toString());
        } else {
          this.u8(9);
          this.view.setBigInt64(this.at, value, true);
          this.at += 8;
        }
        break;
      case "object":
        if (value !== null) {
          this.container(value);
          break;
        }
        this.u8(0);
        break;
      default:
        this.u8(0);
    }
  }

  private container(value: object): void {
    const { around } = this;
    if (value instanceof Uint8Array) {
      this.room(5 + value.length);
      this.u8(8);
      this.u32(value.length);
      this.bytes.set(value, this.at);
      this.at += value.length;
    } else if (around.includes(value)) {
      this.u8(0);
    } else if (around.length >= MAX_DEPTH) {
      this.u8(1);
      this.text(jsonOf(value));
    } else {
      around.push(value);
      if (Array.isArray(value)) {
        this.u8(6);
        this.count(value.length);
        for (let i = 0; i < value.length; i++) this.value(value[i]);
      } else {
        this.u8(7);
        this.attributes(value as Attributes);
      }
      around.pop();
    }
  }
}

const NO_SCOPE: InstrumentationScope = { name: "" };

function jsonOf(value: object): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    // The value has a cycle or a BigInt, or is nested too deep even for JSON.
    return "";
  }
}
