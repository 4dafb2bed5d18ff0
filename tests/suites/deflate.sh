#!/usr/bin/env bash
# permessage-deflate: real peers and every parameter, broken and hostile data, sending and broadcast.
. "$(dirname "$0")/../lib/common.sh"
need openssl
compile peer_client
compile peer_server
python3 tests/deflate/peers.py "$@"
