#!/usr/bin/env bash
# The library leaves signal handling alone and raises no signal.
. "$(dirname "$0")/../lib/common.sh"
need cargo
certificate build/tests/signals-cert
LIMIT=100 program signals build/tests/signals-cert/cert.pem build/tests/signals-cert/key.pem
exit $rc
