// The base of all hosts. A runtime's entry file extends it; the rest of src/ uses only
// web standards.
import type { Host } from "./types.js";

/** This runtime cannot run the WebAssembly module: it has no WebAssembly, forbids it, or the module is broken. */
export class Unavailable extends Error {
  constructor(cause: unknown) {
    super(
      `genspan: WebAssembly is not available (${(cause as Error).message}); ` +
        "a Content-Security-Policy must have script-src 'wasm-unsafe-eval', and Node must run without --jitless",
    );
  }
}

/** The host of any runtime with fetch, WebAssembly and TextEncoder. */
export const webHost: Host = { env: {}, headers: {}, shortText: 32, hostName: () => undefined };
