#!/usr/bin/env bash
# Adding an option, an event and a cause changes only sources and generated files, and every language compiles.
. "$(dirname "$0")/../lib/common.sh"
need cargo python3 make cc c++
mkdir -p build/tests/generated
python3 -B tests/generated/addition.py build/tests/generated
