// Reads span frames after the description in src/frame.rs, and plays the core for the writer. Shares no code with it.

import { isDeepStrictEqual } from "node:util";

export class FrameReader {
  constructor(bytes, dictionary) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.bytes = bytes;
    this.dictionary = dictionary;
    this.at = 0;
    if (this.u8() !== 1) throw new Error("version");
  }

  take(n) {
    if (this.at + n > this.bytes.length) throw new Error(`past the end at ${this.at}`);
    this.at += n;
    return this.at - n;
  }

  u8 = () => this.view.getUint8(this.take(1));
  u32 = () => this.view.getUint32(this.take(4), true);
  f64 = () => this.view.getFloat64(this.take(8), true);
  i64 = () => this.view.getBigInt64(this.take(8), true);
  blob = (n = this.u32()) => this.bytes.slice(this.take(n), this.at);
  hex = (n) => Buffer.from(this.blob(n)).toString("hex");
  string = () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.blob());
  time = () => [this.u32(), this.u32()];
  list = (item) => Array.from({ length: this.u32() }, item);
  attrs = () => this.list(() => [this.ref(), this.value()]);

  ref() {
    const id = this.u32();
    if (id === 0) return this.string();
    if (!(id <= this.dictionary.length)) throw new Error(`no id ${id}`);
    return this.dictionary[id - 1];
  }

  value() {
    const tag = this.u8();
    const read = [
      () => null,
      this.string,
      () => false,
      () => true,
      () => ({ int: this.f64() }),
      () => ({ double: this.f64() }),
      () => this.list(() => this.value()),
      () => ({ map: this.attrs() }),
      () => ({ bytes: [...this.blob()] }),
      () => ({ i64: this.i64() }),
    ][tag];
    if (!read) throw new Error(`tag ${tag}`);
    return read();
  }

  span() {
    return this.whole({
      flags: this.u8(),
      kind: this.u8(),
      status: this.u8(),
      traceFlags: this.u32(),
      traceId: this.hex(16),
      spanId: this.hex(8),
      parentSpanId: this.hex(8),
      start: this.time(),
      end: this.time(),
      scope: this.u32(),
      resource: this.u32(),
      dropped: [this.u32(), this.u32(), this.u32()],
      name: this.ref(),
      message: this.string(),
      traceState: this.string(),
      attrs: this.attrs(),
      events: this.list(() => ({ time: this.time(), name: this.ref(), dropped: this.u32(), attrs: this.attrs() })),
      links: this.list(() => ({
        traceId: this.hex(16),
        spanId: this.hex(8),
        flags: this.u32(),
        traceState: this.string(),
        dropped: this.u32(),
        attrs: this.attrs(),
      })),
    });
  }

  start() {
    return this.whole({
      flags: this.u8(),
      traceId: this.hex(16),
      spanId: this.hex(8),
      parentSpanId: this.hex(8),
      caller: this.hex(8),
      scope: this.u32(),
      name: this.ref(),
      keys: this.list(() => this.ref()),
      attrs: this.attrs(),
    });
  }

  scope() {
    return this.whole({ name: this.string(), version: this.string(), schemaUrl: this.string(), attrs: this.attrs() });
  }

  resource() {
    return this.whole({ schemaUrl: this.string(), attrs: this.attrs() });
  }

  whole(record) {
    if (this.at !== this.bytes.length) throw new Error(`${this.bytes.length - this.at} bytes too many`);
    return record;
  }
}

/** Stands where the core stands for the writer. Every `reserve` moves the area, as the core's may. */
export class FakeTarget {
  memory = { buffer: new ArrayBuffer(1 << 20) };
  dictionary = [];
  scopes = [];
  resources = [];
  reserved = [];
  base = 0;

  constructor(dictionarySize = 4096) {
    this.dictionarySize = dictionarySize;
  }

  area = (len) => new Uint8Array(this.memory.buffer, this.base, len).slice();
  reader = (len) => new FrameReader(this.area(len), this.dictionary);

  reserve(len) {
    this.reserved.push(len);
    const moved = new ArrayBuffer(len + 100);
    new Uint8Array(moved).fill(0xee);
    this.memory.buffer = moved;
    this.base = 50 + (this.reserved.length % 7);
    return this.base;
  }

  intern(len) {
    if (this.dictionary.length >= this.dictionarySize) return 0;
    return this.dictionary.push(new TextDecoder().decode(this.area(len)));
  }

  scope(len) {
    return numberOf(this.reader(len).scope(), this.scopes);
  }

  resource(len) {
    return numberOf(this.reader(len).resource(), this.resources);
  }
}

/** Equal ones have the same number, as the core gives it. */
function numberOf(record, known) {
  const at = known.findIndex((other) => isDeepStrictEqual(other, record));
  return at < 0 ? known.push(record) : at + 1;
}
