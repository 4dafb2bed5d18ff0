#!/usr/bin/env bash
# What adding an option, an event and a cause takes: in a copy of the tree only sources and generated files change, and
# every language compiles.
. "$(dirname "$0")/../lib/common.sh"
need cargo python3 make cc c++
mkdir -p build/tests/generated
python3 -B tests/generated/addition.py build/tests/generated
