// The platform's TextEncoder and TextDecoder. Jest's jsdom environment has neither, but has Node's Buffer; build.mjs injects these replacements.

interface NodeBuffer {
  from(text: string): Uint8Array;
  from(memory: ArrayBufferLike, at: number, length: number): { toString(): string };
}
const platform = globalThis as typeof globalThis & { Buffer: NodeBuffer };

class BufferEncoder {
  encode(text: string): Uint8Array {
    return platform.Buffer.from(text);
  }

  encodeInto(text: string, into: Uint8Array): { read: number; written: number } {
    const bytes = this.encode(text);
    into.set(bytes);
    return { read: text.length, written: bytes.length };
  }
}

class BufferDecoder {
  decode(bytes: Uint8Array = new Uint8Array()): string {
    return platform.Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  }
}

const { TextEncoder = BufferEncoder, TextDecoder = BufferDecoder } = platform;

export { TextDecoder, TextEncoder };
