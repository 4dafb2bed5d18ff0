#!/usr/bin/env bash
# Hosts and joins over loopback, in both formats.
# Parts: multiplayer, multiplayer3.
. "$(dirname "$0")/../lib/common.sh"
program multiplayer
program multiplayer3
exit $rc
