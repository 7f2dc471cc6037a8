#!/usr/bin/env bash
# Optimizes a module for the proxy, if it has changed: IN OUT. The same input gives the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -f "$2" ] && [ "$2" -nt "$1" ] && exit 0
pkg/node_modules/.bin/wasm-opt -O3 --strip-debug --strip-producers "$1" -o "$2"
scripts/check-paths.sh "$2"
