#!/usr/bin/env bash
# Nothing is lost silently.
. "$(dirname "$0")/../lib/common.sh"
for program in loss host_habits; do
  compile $program
  timeout 200 build/tests/$program || { echo "not ok - $program ended with $?"; exit 1; }
done
