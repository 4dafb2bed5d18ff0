#!/usr/bin/env bash
# No call blocks.
. "$(dirname "$0")/../lib/common.sh"
compile blocking
gcc -D_GNU_SOURCE -shared -fPIC -o build/tests/slowdns.so tests/c/slowdns.c -ldl
cargo run --quiet --locked --example make_cert -- build/tests/cert
LD_PRELOAD=build/tests/slowdns.so timeout 300 build/tests/blocking build/tests/cert/cert.pem build/tests/cert/key.pem || { echo "not ok - blocking ended with $?"; exit 1; }
