// Stands where src/core.ts stands, and traps when the first span ends.
let trapped = false;
export const broken = () => trapped;
export const calls = [];
export const version = () => "0.0.0";

export class Pipeline {
  memory = { buffer: new ArrayBuffer(1 << 20) };
  reserve = () => 8;
  intern = () => 0;
  scope = () => 1;
  resource = () => 1;
  wanted = () => [];
  start() {}
  end() {
    calls.push("end");
    trapped = true;
    throw new WebAssembly.RuntimeError("unreachable");
  }
  flush() {
    calls.push("flush");
    return 1;
  }
  stats = () => ({ accepted: 0 });
}
globalThis.trappingCoreCalls = calls;
