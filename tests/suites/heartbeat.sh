#!/usr/bin/env bash
# The application heartbeat natively; the suite web has it in the browser.
. "$(dirname "$0")/../lib/common.sh"
LIMIT=100 program heartbeat
exit $rc
