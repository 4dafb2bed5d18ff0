#!/usr/bin/env bash
# No call blocks: CPU time and waits of the longest calls, with hanging networks and under floods.
. "$(dirname "$0")/../lib/common.sh"
need gcc cargo
gcc -D_GNU_SOURCE -shared -fPIC -o build/tests/slowdns.so tests/c/slowdns.c -ldl
certificate build/tests/blocking-cert
LIMIT=300 FLAGS=-D_GNU_SOURCE WRAP="env LD_PRELOAD=$PWD/build/tests/slowdns.so" program blocking \
  build/tests/blocking-cert/cert.pem build/tests/blocking-cert/key.pem
exit $rc
