#!/usr/bin/env bash
# The cost of a message through each binding, as a multiple of C; each message is checked.
. "$(dirname "$0")/../lib/common.sh"
benches/bindings/run.py --quick && echo "ok - bindings: every message arrived, complete and in order" ||
  { echo "not ok - bindings: the measurement ended with $?"; exit 1; }
