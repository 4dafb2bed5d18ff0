#!/usr/bin/env bash
# Nothing is lost silently.
. "$(dirname "$0")/../lib/common.sh"
compile loss
timeout 200 build/tests/loss || { echo "not ok - loss ended with $?"; exit 1; }
