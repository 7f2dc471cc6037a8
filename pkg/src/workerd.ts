// The package for workerd (Cloudflare Workers), which compiles modules when it loads a worker and never later.
import module from "./core.wasm";
import { initSync } from "./slim.js";

export * from "./slim.js";

initSync(module);
