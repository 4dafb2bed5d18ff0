#!/usr/bin/env bash
# The scenarios of docs/conformance.md in every installed language: equal traces, and every name of the header reached.
# Parts: "language: scenario".
. "$(dirname "$0")/../lib/common.sh"
need cc openssl build/venv/bin/python
build/venv/bin/python tests/conformance/run.py "$@"
