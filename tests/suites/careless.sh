#!/usr/bin/env bash
# The careless host. The long case runs in parallel with the others.
. "$(dirname "$0")/../lib/common.sh"
compile careless -std=c11
${CC:-cc} -std=c99 -Wall -Wextra -O1 -shared -fPIC tests/c/jumping_clock.c -o build/tests/jumping_clock.so -ldl
timeout 100 build/tests/careless polls_every_5_s > build/tests/careless.long 2>&1 & long=$!
timeout 200 build/tests/careless never_polls shuts_down_under_others ends_at_a_signal resets_while_inflating ||
  { echo "not ok - careless ended with $?"; rc=1; }
LD_PRELOAD=$PWD/build/tests/jumping_clock.so timeout 60 build/tests/careless clock_jumps ||
  { echo "not ok - careless ended with $?"; rc=1; }
# Certificates have dates (RFC 5280 section 4.1.2.5), and files (RFC 9110 section 8.8.2); nothing else may depend on the
# wall clock.
if grep -rnE 'SystemTime|UNIX_EPOCH|CLOCK_REALTIME' src --exclude=make_certificate.rs --exclude=tls.rs \
  --exclude=downloads.rs --exclude-dir=files; then
  echo "not ok - the library reads the wall clock"
  rc=1
else
  echo "ok - the library reads the wall clock for the dates of certificates and files alone"
fi
wait "$long" || { echo "not ok - polling every 5 s ended with $?"; rc=1; }
cat build/tests/careless.long
exit $rc
