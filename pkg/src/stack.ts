// Checks that there is room on the stack for a call of the module. The engine checks the stack only where it overflows; in the middle of the module, its
// RangeError would make all contents of the module unusable. So a function without state is called first, which needs as
// much of the stack as the module can. No runtime reports the depth of the stack, but when a WebAssembly function is entered, the engine
// checks in one comparison whether its whole frame fits.

/** Number of values of 16 bytes in the frame of one call, needed by a branch that never runs. */
const VALUES = 1024;
/** Number of nested calls. Together they take 96 KiB; the module was observed to need nearly 48. */
const CALLS = 6;

/**
 * `deep(n)` calls itself n times. For a negative n, which is never passed, it would put VALUES of its own results on the stack before it takes the first
 * one off. `room(n)` calls it and returns nothing, because JavaScript has no such values.
 */
function code(): Uint8Array<ArrayBuffer> {
  const number = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...number(n >>> 7)]);
  const section = (id: number, ...bytes: number[]) => [id, ...number(bytes.length), ...bytes];
  const zero = [0xfd, 12, ...new Array<number>(16).fill(0)];
  const n = [0x20, 0];
  const ifSo = [0x04, 0x40];
  const call = [0x10, 0];
  // If n is zero, return zero. If it is negative, fill the frame. Then call deep(n - 1).
  const begin = [0, ...n, 0x45, ...ifSo, ...zero, 0x0f, 0x0b, ...n, 0x41, 0, 0x48, ...ifSo];
  const calls = new Uint32Array(VALUES).fill(0x00_10_00_41);
  const drops = new Uint16Array(VALUES).fill(0x00_24);
  const end = [0x0b, ...n, 0x41, 1, 0x6b, ...call, 0x0b];
  const deep = begin.length + calls.byteLength + drops.byteLength + end.length;
  const room = [0, ...n, ...call, 0x1a, 0x0b];
  const head = [2, ...number(deep)];
  const tail = [room.length, ...room];
  const parts = [
    [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, 2, 0x60, 1, 0x7f, 1, 0x7b, 0x60, 1, 0x7f, 0),
    section(3, 2, 0, 1),
    section(6, 1, 0x7b, 1, ...zero, 0x0b),
    section(7, 1, 1, 0x72, 0, 1),
    [10, ...number(head.length + deep + tail.length), ...head, ...begin],
    new Uint8Array(calls.buffer),
    new Uint8Array(drops.buffer),
    [...end, ...tail],
  ];
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

let room: ((calls: number) => void) | undefined;

/** Throws the engine's RangeError if there is too little room. */
export function needRoom(): void {
  room ??= made();
  room(CALLS);
}

function made(): (calls: number) => void {
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(code())).exports.r as (calls: number) => void;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    // Workers cannot compile at run time. There a RangeError destroys the instance, like a defect of the module.
    return () => {};
  }
}
