// The package for unknown runtimes: the module is embedded in the file and compiled on first use.
import base64 from "../wasm/core.wasm?base64";
import { initSync } from "./slim.js";

export * from "./slim.js";

initSync(() => new WebAssembly.Module(decoded()));

function decoded(): Uint8Array<ArrayBuffer> {
  const { Buffer } = globalThis as { Buffer?: { from(text: string, encoding: "base64"): Uint8Array<ArrayBuffer> } };
  if (Buffer) return Buffer.from(base64, "base64");
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
