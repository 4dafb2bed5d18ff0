#!/usr/bin/env bash
# What must not change unseen: the binary interface, the dependencies and their licences, the limits that SECURITY.md tells.
. "$(dirname "$0")/../lib/common.sh"
need cargo python3 clang
rc=0
python3 tests/abi/guard.py include/wspeer.h || rc=1
python3 tests/dependencies.py || rc=1
python3 tests/limits.py || rc=1
exit $rc
