#!/usr/bin/env bash
# What wasm-bindgen wrote into a folder works on one instance of the module, for ever. This adds how to give it another one.
set -euo pipefail
cat >> "$1/genspan.js" <<'JS'

/** From here on the functions of this file call this instance; without one, `initSync` makes one. */
export function use(instance) {
    wasm = instance;
    cachedDataViewMemory0 = null;
    cachedUint8ArrayMemory0 = null;
}
JS
cat >> "$1/genspan.d.ts" <<'TS'

/** From here on the functions of this file call this instance; without one, `initSync` makes one. */
export function use(instance: object | undefined): void;
TS
