#!/usr/bin/env bash
# The application heartbeat natively; the suite web has it in the browser.
. "$(dirname "$0")/../lib/common.sh"
compile heartbeat
timeout 100 build/tests/heartbeat || { echo "not ok - heartbeat ended with $?"; exit 1; }
