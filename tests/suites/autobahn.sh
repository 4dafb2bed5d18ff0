#!/usr/bin/env bash
# The Autobahn suite against programs built only from the header and the shared library.
. "$(dirname "$0")/../lib/common.sh"
need build/wst/wstest
compile autobahn_client
python3 tests/autobahn/run.py build/wst/wstest build/echo_server build/tests/autobahn_client build/autobahn "$@"
