#!/usr/bin/env bash
# Too little memory for one huge message.
. "$(dirname "$0")/../lib/common.sh"
LIMIT=300 program lack
exit $rc
