// The wire format of protobuf: reads fields in place, and writes them. It does not know any message.

export interface WireField {
  number: number;
  /** 0: varint, 1: eight bytes, 2: bytes with their length, 5: four bytes. */
  type: number;
  /** The start of the tag, and the end of the field. */
  at: number;
  end: number;
  /** The start of the value, after its length. */
  value: number;
}

/** Calls `each` with every field between two positions. Throws if the bytes are not protobuf. */
export function fields(bytes: Uint8Array, start: number, end: number, each: (field: WireField) => void): void {
  let position = start;
  const varint = (): number => {
    let result = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[position++];
      if (byte === undefined || position > end) throw new Error(`cut off at byte ${end}`);
      if (scale > 2 ** 63) throw new Error(`a number too long at byte ${position}`);
      result += (byte & 127) * scale;
      if (byte < 128) return result;
    }
  };
  while (position < end) {
    const at = position;
    const tag = varint();
    const type = tag % 8;
    const number = Math.floor(tag / 8);
    let value = position;
    if (type === 0) varint();
    else if (type === 1) position += 8;
    else if (type === 5) position += 4;
    else if (type === 2) {
      const length = varint();
      value = position;
      position += length;
    } else throw new Error(`no field at byte ${at}`);
    if (position > end || number === 0) throw new Error(`cut off at byte ${at}`);
    each({ number, type, at, end: position, value });
  }
}

function varintBytes(value: number): number[] {
  const out: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) out.push((value % 128) + 128);
  out.push(value);
  return out;
}

/** A field whose value is a sequence of bytes. */
export function lengthDelimited(number: number, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return concat([Uint8Array.from([...varintBytes(number * 8 + 2), ...varintBytes(length)]), ...parts]);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
