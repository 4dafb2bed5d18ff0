#!/usr/bin/env bash
# Forks while other threads use the library.
. "$(dirname "$0")/../lib/common.sh"
compile forks -std=c11
timeout 200 build/tests/forks || { echo "not ok - forks ended with $?"; exit 1; }
