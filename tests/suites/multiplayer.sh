#!/usr/bin/env bash
# Hosts and joins over loopback, in both formats.
. "$(dirname "$0")/../lib/common.sh"
rc=0
for name in multiplayer multiplayer3; do
  compile "$name"
  timeout 200 "build/tests/$name" || { echo "not ok - $name ended with $?"; rc=1; }
done
exit $rc
