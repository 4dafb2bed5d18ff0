#!/usr/bin/env bash
# Attacks on a server while honest players continue. Usage: attacks.sh [--seconds N]
# Parts: the names in ATTACKS of tests/attacks/run.py.
. "$(dirname "$0")/../lib/common.sh"
need python3 cargo openssl
for name in attacked_server honest; do compile "$name"; done
certificate build/tests/attacks-cert
exec timeout 1100 python3 tests/attacks/run.py build/tests/attacked_server build/tests/honest \
  build/tests/attacks-cert/cert.pem build/tests/attacks-cert/key.pem "$@" ${FILTER:+"$FILTER"}
