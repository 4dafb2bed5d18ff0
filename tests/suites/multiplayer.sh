#!/usr/bin/env bash
# Hosts and joins over loopback, in both formats.
. "$(dirname "$0")/../lib/common.sh"
compile multiplayer
timeout 200 build/tests/multiplayer || { echo "not ok - multiplayer ended with $?"; exit 1; }
