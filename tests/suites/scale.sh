#!/usr/bin/env bash
# What 500, 1,000 and 2,000 connections cost a server: no cost for each connection grows with their number.
# Alone: it measures CPU time.
. "$(dirname "$0")/../lib/common.sh"
need cc make python3 benches/scale/run.py
echo '#include <openssl/ssl.h>' | cc -E - > /dev/null 2>&1 || lacks "libssl-dev is missing"
[ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -ge 2100 ] || lacks "the hard limit of descriptors is below 2100"
make --no-print-directory -C benches ../build/bench/load ../build/bench/wspeer
timeout 200 benches/scale/run.py --short || rc=1
exit $rc
