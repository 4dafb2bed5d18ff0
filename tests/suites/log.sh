#!/usr/bin/env bash
# WSPEER_LOG: what the library writes to standard error, and what it does not.
. "$(dirname "$0")/../lib/common.sh"
compile logged
out=build/tests/logged.out err=build/tests/logged.err

# logged VALUE LEVEL: runs the program with WSPEER_LOG=VALUE, and keeps the lines of LEVEL
logged() { WSPEER_LOG=$1 timeout 100 build/tests/logged "$2" > $out 2> $err || { echo "not ok - the program failed"; rc=1; }; }

# check NAME COMMAND...
check() {
  local name=$1
  shift
  if "$@"; then echo "ok - log: $name"; else echo "not ok - log: $name"; sed 's/^/  /' $err; rc=1; fi
}

# The levels of the lines on standard error, once each.
levels() { sed -E 's/^wspeer [0-9]+\.[0-9]{3} ([a-z]+): .*/\1/' $err | sort -u | tr '\n' ' '; }
is() { [ "$1" = "$2" ]; }

env -u WSPEER_LOG timeout 100 build/tests/logged 4 > $out 2> $err
check "without WSPEER_LOG nothing is written" is "$(wc -c < $err)" 0
check "what is kept does not depend on it" grep -q '^debug: ' $out
logged off 0
check "off: nothing is written" is "$(wc -c < $err)" 0
logged debug 0
check "debug: lines of all levels are written" is "$(levels)" "debug info warning "
check "what is written is not kept" is "$(wc -c < $out)" 0
check "no secret is written" is "$(grep -c hunter2 $err)" 0
check "a refusal is written" grep -q 'warning: .*404' $err
logged INFO 1
check "info, in capitals: no debug lines" is "$(levels)" "info warning "
logged warn 3
check "warn: only refusals and worse" is "$(levels)" "warning "
check "more is kept" grep -q '^info: ' $out
logged error 2
check "error: nothing here" is "$(levels)" ""
logged everything 0
check "a wrong level is told, with what to do" grep -q 'warning: WSPEER_LOG is not a level: set it to error, warn, info or debug$' $err
check "and warnings are written" grep -q 'warning: .*404' $err
check "a closed standard error stops nothing" bash -c 'WSPEER_LOG=debug timeout 100 build/tests/logged 4 2>&- > '"$out && grep -q '^debug: ' $out"
check "a full one neither" bash -c 'WSPEER_LOG=debug timeout 100 build/tests/logged 4 2> /dev/full > '"$out && grep -q '^debug: ' $out"
exit $rc
