#!/usr/bin/env bash
# Counts what messages, polls and idle connections cost, and compares it with benches/guard.toml.
. "$(dirname "$0")/../lib/common.sh"
need cc make python3 valgrind strace
[ -e build/bench/cert/cert.pem ] || certificate build/bench/cert
tests/benches.py || rc=1
benches/guard.py || rc=1
exit $rc
