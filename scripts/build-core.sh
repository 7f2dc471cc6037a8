#!/usr/bin/env bash
# Builds a crate of the workspace (the core, if `-p` names none) for wasm32-unknown-unknown with the cargo arguments given, without SIMD where
# SIMD=- is set. No wasm-bindgen, no optimizer here.
set -euo pipefail
cd "$(dirname "$0")/.."
toolchain=$(scripts/setup-rust-wasm.sh)
flags=
# Our own standard library traps where another one would say why it panics: 6 % of the module is what it would say.
if [ -n "$toolchain" ]; then
  export RUSTUP_TOOLCHAIN=$toolchain RUSTC_BOOTSTRAP=1
  flags="-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none "
fi
export CARGO_TARGET_DIR=target/wasm

# SIMD: every JavaScript runtime of the last years has it (Node 16, V8 9.1), and searching text is what the core does most.
flags+="-C target-feature=${SIMD:-+}simd128 $(scripts/remap-paths.sh)"
# What LLVM copies so that hot code runs fast costs more here than it gives: loops stay as they are written, and little is inlined but what
# is hardly longer than its call. Together a tenth of the module (gzip); `make bench` hardly sees it. With inline-instr-cost=50 it is 5 %
# smaller still, and 10 % slower on small spans. What is marked to be inlined may be longer: with 225 for it instead of 400 the module is 3 %
# smaller and takes 1 % more instructions for a small span, with 150 nothing smaller and 4 % more.
for argument in inline-threshold=60 inlinehint-threshold=225 \
  unroll-threshold=0 unroll-allow-partial=false rotation-max-header-size=2 disable-lsr enable-pre=false; do
  flags+=" -Cllvm-args=-$argument"
done
flags+=" -Cno-vectorize-loops -Cno-vectorize-slp"
RUSTFLAGS="${RUSTFLAGS:-} $flags" exec cargo rustc --lib --crate-type cdylib --target wasm32-unknown-unknown "$@"
