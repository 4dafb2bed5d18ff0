#!/usr/bin/env bash
# Forks while other threads use the library.
. "$(dirname "$0")/../lib/common.sh"
FLAGS=-std=c11 program forks
exit $rc
