#!/usr/bin/env bash
# Prints the flags of rustc by which panic messages name the crate, not the machine that built it.
set -euo pipefail
cd "$(dirname "$0")/.."
# The registry's folders exist only after a fetch.
cargo fetch --quiet
flags="--remap-path-prefix=$PWD=/genspan --remap-path-prefix=$(rustc --print sysroot)/lib/rustlib/src/rust=/rust"
for registry in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/; do
  flags+=" --remap-path-prefix=${registry%/}=/crates"
done
echo "$flags"
