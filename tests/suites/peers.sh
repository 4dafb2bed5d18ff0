#!/usr/bin/env bash
# Real peers in both roles: npm ws, Python's websockets, libwebsockets, nginx, HAProxy and OpenSSL; and the examples.
# Parts: the names in GROUPS of tests/peers/run.py.
. "$(dirname "$0")/../lib/common.sh"
need openssl python3
compile peer_client
compile peer_server
python3 tests/peers/run.py ${FILTER:+"$FILTER"}
