#!/usr/bin/env bash
# Every scenario of docs/conformance.md in every installed language: the traces are equal byte for byte, and every name of
# the header is reached.
# Parts: "language: scenario".
. "$(dirname "$0")/../lib/common.sh"
need cc openssl build/venv/bin/python
build/venv/bin/python tests/conformance/run.py "$@"
