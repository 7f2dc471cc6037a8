#!/usr/bin/env bash
# Installs each package of a list into a virtual environment: VENV LIST. Where that fails, target/missing/PACKAGE holds the reason, and the tests that
# need the package are listed as not run, for that reason.
set -uo pipefail
cd "$(dirname "$0")/.."
mkdir -p target/missing
while read -r package; do
  name=${package%%=*}
  rm -f "target/missing/$name"
  "$1/bin/python" -m pip install --quiet --disable-pip-version-check "$package" && continue
  echo "$name is not installed, and pip could not install it" | tee "target/missing/$name" >&2
done < <(sed '/^#/d; /^$/d' "$2")
