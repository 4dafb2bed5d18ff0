#!/usr/bin/env bash
# A raw socket breaks the protocol in every way, against both ends.
. "$(dirname "$0")/../lib/common.sh"
compile probe_server
compile probe_client
python3 tests/probe/probe.py build/tests/probe_server build/tests/probe_client
