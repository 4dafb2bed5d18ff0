#!/usr/bin/env bash
# Every scenario of docs/conformance.md in every installed language: the traces are equal byte for byte.
# Parts: "language: scenario".
. "$(dirname "$0")/../lib/common.sh"
need openssl build/venv/bin/python
build/venv/bin/python tests/conformance/run.py "$@"
