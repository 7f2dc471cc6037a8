#!/usr/bin/env bash
# Optimizes a module, if it has changed: IN OUT [EXPORTS]. The same input gives the same bytes. What a file EXPORTS does not name is no longer
# exported: a proxy calls every callback that is there, and most would do nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
exports=${3:-$1}
[ -f "$2" ] && [ "$2" -nt "$1" ] && [ "$2" -nt "$exports" ] && exit 0
mkdir -p "$(dirname "$2")"
named=$1
if [ "$exports" != "$1" ]; then
  named=$(mktemp)
  trap 'rm -f "$named"' EXIT
  pkg/node_modules/.bin/wasm-metadce -g --graph-file "$exports" "$1" -o "$named" >/dev/null
fi
pkg/node_modules/.bin/wasm-opt $WASM_OPT --strip-debug --strip-producers "$named" -o "$2"
scripts/check-paths.sh "$2"
