#!/usr/bin/env bash
# Simulated networks: the model of the browser build against recorded traces of the native one.
. "$(dirname "$0")/../lib/common.sh"
need node
node tests/sim/trace.js || rc=1
exit $rc
