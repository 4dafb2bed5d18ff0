#!/usr/bin/env bash
# A raw socket violates the protocol in every way, against both ends.
# Parts: the functions probe_… of tests/probe/probe.py.
. "$(dirname "$0")/../lib/common.sh"
compile probe_server
compile probe_client
python3 tests/probe/probe.py build/tests/probe_server build/tests/probe_client
