#!/usr/bin/env bash
# Builds the shared library of the C ABI for this machine, or for the one that `--target` among the cargo arguments names, into abi/dist.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=target/abi
flags=$(scripts/remap-paths.sh)
RUSTFLAGS="${RUSTFLAGS:-} $flags" cargo build --lib --profile native -p genspan-abi "$@"
mkdir -p abi/dist
# The names that a linker looks for: cargo's has that of the crate.
for built in "$CARGO_TARGET_DIR"/native/{libgenspan_abi.so,libgenspan_abi.dylib,genspan_abi.dll} "$CARGO_TARGET_DIR"/*/native/{libgenspan_abi.so,libgenspan_abi.dylib,genspan_abi.dll}; do
  [ -f "$built" ] || continue
  name=$(basename "$built")
  cmp -s "$built" "abi/dist/${name/_abi/}" || cp "$built" "abi/dist/${name/_abi/}"
  scripts/check-paths.sh "abi/dist/${name/_abi/}"
done
