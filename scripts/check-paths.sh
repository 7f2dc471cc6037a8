#!/usr/bin/env bash
# Fails when a built file carries a path of the machine that built it.
set -euo pipefail
cd "$(dirname "$0")/.."
for file; do
  for path in "$PWD" "$HOME/" "${CARGO_HOME:-$HOME/.cargo}"; do
    if grep -qaF "$path" "$file"; then
      echo "$file: carries the path of this machine: $(grep -aoF -m1 "$path" "$file" | sed -n 1p)" >&2
      exit 1
    fi
  done
done
