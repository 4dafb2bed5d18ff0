#!/usr/bin/env bash
# What must not change unnoticed: the binary interface, the dependencies and their licences, the map of the sources.
. "$(dirname "$0")/../lib/common.sh"
need cargo python3 clang
rc=0
python3 tests/abi/guard.py include/wspeer.h || rc=1
python3 tests/dependencies.py || rc=1
python3 tests/map.py || rc=1
# A script with a shebang line must be executable, because the Makefile runs it directly.
lame=$(git grep -nI '^#!/' | awk -F: '$2 == 1 {print $1}' |
  while read -r file; do if [ ! -x "$file" ]; then echo "$file"; fi; done)
if [ -z "$lame" ]; then
  echo "ok - guard: every script is executable"
else
  echo "not ok - guard: not executable: $lame"
  rc=1
fi
if RUSTDOCFLAGS="-D warnings" cargo rustdoc --lib --quiet --locked; then
  echo "ok - guard: rustdoc has no warnings"
else
  echo "not ok - guard: rustdoc has warnings"
  rc=1
fi
exit $rc
