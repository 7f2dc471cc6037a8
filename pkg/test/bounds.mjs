// What genspan may cost a worker: the tests hold it, and the READMEs promise it.

/** Maximum gzip size of the WebAssembly module, in bytes. */
export const MODULE_BYTES = 244_000;
/** The same of a worker's whole bundle. */
export const WORKER_BYTES = 266_000;
/** Maximum CPU time that tracing may add to a request with five spans of 8 KB, in ms: 1 on a quiet machine. */
export const REQUEST_MILLIS = 1.6;
