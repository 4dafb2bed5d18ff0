#!/usr/bin/env bash
# The library leaves signals alone and raises none.
. "$(dirname "$0")/../lib/common.sh"
compile signals
cargo run --quiet --locked --example make_cert -- build/tests/signals-cert
timeout 100 build/tests/signals build/tests/signals-cert/cert.pem build/tests/signals-cert/key.pem || { echo "not ok - signals ended with $?"; exit 1; }
