#!/usr/bin/env bash
# Runs the make targets given, one after the other, to the end even when one fails, and closes with a table.
set -uo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' off=$'\e[0m'; else bold='' green='' red='' off=''; fi

# Both runners close with their counts: "test result: ok. 12 passed; …" (cargo, once per binary) and "ℹ pass 12" (node).
passed() { sed -E 's/\x1b\[[0-9;]*m//g' "$1" | sed -nE 's/^test result: .* ([0-9]+) passed.*/\1/p; s/^(ℹ|#) pass ([0-9]+)$/\2/p' | awk '{n += $1} END {if (n) print n}'; }

failed=0 total=0 table=''
for target; do
  printf '%s\n' "$bold── make $target$off"
  start=$SECONDS
  if "${MAKE:-make}" --no-print-directory "$target" 2>&1 | tee "$log/$target"; then
    result="${green}ok    $off"
  else
    result="${red}FAILED$off" failed=$((failed + 1))
  fi
  count=$(passed "$log/$target")
  total=$((total + ${count:-0}))
  table+=$(printf '  %s  %-13s %4d s  %s' "$result" "$target" $((SECONDS - start)) "${count:+$count tests passed}")$'\n'
done

printf '\n%s\n%s' "${bold}genspan: make test$off" "$table"
if [ "$failed" -gt 0 ]; then
  printf '%s\n' "$red$failed of $# steps failed$off"
  exit 1
fi
printf '%s\n' "${green}all $# steps passed, $total tests, $SECONDS s$off"
