#!/usr/bin/env bash
# Too little memory for one huge message.
. "$(dirname "$0")/../lib/common.sh"
compile lack
timeout 300 build/tests/lack || { echo "not ok - lack ended with $?"; exit 1; }
