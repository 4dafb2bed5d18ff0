#!/usr/bin/env bash
# permessage-deflate: real peers and every parameter, invalid and malicious data, sending and broadcast.
# Parts: peers, attack, deflate, deflate_crowd.
. "$(dirname "$0")/../lib/common.sh"
need openssl python3
for name in peer_client peer_server probe_client probe_server; do compile "$name"; done
if part peers; then python3 tests/deflate/peers.py || rc=1; fi
if part attack; then python3 tests/deflate/attack.py build/tests/probe_server build/tests/probe_client || rc=1; fi
program deflate
program deflate_crowd
exit $rc
