#!/usr/bin/env bash
# Many threads on the same handles.
. "$(dirname "$0")/../lib/common.sh"
rc=0
cargo run --quiet --locked --example make_cert -- build/tests/cert
for program in threads races; do
  compile "$program" -std=c11 -D_GNU_SOURCE -ldl
  timeout 120 "build/tests/$program" build/tests/cert/cert.pem build/tests/cert/key.pem || { echo "not ok - $program ended with $?"; rc=1; }
done
exit $rc
