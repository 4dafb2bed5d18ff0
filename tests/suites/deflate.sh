#!/usr/bin/env bash
# permessage-deflate: real peers and every parameter, broken and hostile data, sending and broadcast.
. "$(dirname "$0")/../lib/common.sh"
need openssl
for name in deflate deflate_crowd peer_client peer_server probe_client probe_server; do compile "$name"; done
failed=0
python3 tests/deflate/peers.py || failed=1
python3 tests/deflate/attack.py build/tests/probe_server build/tests/probe_client || failed=1
timeout 200 build/tests/deflate || failed=1
timeout 200 build/tests/deflate_crowd || failed=1
exit $failed
