// The package where nothing is known of the host: the module is part of the file, and compiled on first use.
import base64 from "../wasm/core.wasm?base64";
import { initSync } from "./slim.js";

export * from "./slim.js";

initSync(() => {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return new WebAssembly.Module(bytes);
});
