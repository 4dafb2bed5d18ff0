#!/usr/bin/env bash
# Nothing is lost silently.
# Parts: loss, host_habits.
. "$(dirname "$0")/../lib/common.sh"
program loss
program host_habits
exit $rc
