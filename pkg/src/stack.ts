// Is there room on the stack for a call of the module? The engine looks into that only where it happens: out of the middle of the module its
// RangeError would leave everything unusable that the module holds. So a function is called first that has nothing to lose and takes as
// much of the stack as the module can need. No host tells how deep it is; what a function of WebAssembly may need, though, the engine
// looks for when it enters it, in one comparison.

/** Values of 16 bytes that one call of the function keeps on the stack, were it to do what it never does. */
const VALUES = 1024;
/** Calls inside of each other. Together they take 96 KiB; the module has been seen to need nearly 48. */
const CALLS = 6;

/**
 * `deep(n)` calls itself n times. For n below zero, which nobody gives, it would put VALUES results of itself on the stack before it takes the first
 * one off. `room(n)` calls it and gives nothing, since JS knows no such values.
 */
function code(): Uint8Array<ArrayBuffer> {
  const number = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...number(n >>> 7)]);
  const section = (id: number, ...bytes: number[]) => [id, ...number(bytes.length), ...bytes];
  const zero = [0xfd, 12, ...new Array<number>(16).fill(0)];
  const n = [0x20, 0];
  const ifSo = [0x04, 0x40];
  const call = [0x10, 0];
  // If n is zero, give zero. If it is below zero, do what takes so much. Then call deep(n - 1).
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

/** Throws the engine's RangeError where there is too little room. */
export function needRoom(): void {
  room ??= made();
  room(CALLS);
}

function made(): (calls: number) => void {
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(code())).exports.r as (calls: number) => void;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    // Workers may compile nothing while they run. There the module is lost with the RangeError, as it is with a defect of its own.
    return () => {};
  }
}
