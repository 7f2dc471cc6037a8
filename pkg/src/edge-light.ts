// The package in Vercel's edge runtime, which wants to be asked for a compiled module in the query.
import module from "./core.wasm?module";
import { initSync } from "./slim.js";

export * from "./slim.js";

initSync(module);
