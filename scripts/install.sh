#!/usr/bin/env bash
# Installs a tool of the tests by apt-get where it does not work yet: NAME CHECK PACKAGE…, CHECK being a command that succeeds where it works. It
# never fails: where the tool can't be installed, target/missing/NAME holds the reason, which names the last package. The tests that need the tool
# are then listed as not run, for that reason.
set -uo pipefail
cd "$(dirname "$0")/.."
name=$1 check=$2
shift 2
package=${!#}
reason=target/missing/$name
mkdir -p target/missing
rm -f "$reason"

works() { sh -c "$check" >/dev/null 2>&1; }
give_up() {
  printf '%s is not installed, and %s\n' "$package" "$1" >"$reason"
  printf 'make: %s: its tests are not run\n' "$(cat "$reason")" >&2
  exit 0
}

works && exit 0
command -v apt-get >/dev/null || give_up "apt-get is not available"
[ "$(id -u)" = 0 ] || give_up "apt-get needs root"
printf 'make: apt-get install %s\n' "$*" >&2
export DEBIAN_FRONTEND=noninteractive
# The lists of another repository may be out of reach, and are not needed.
apt-get -qq update >/dev/null
apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" >/dev/null || give_up "apt-get could not install it"
works || give_up "installing it by apt-get does not make it work"
