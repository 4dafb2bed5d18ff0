#!/usr/bin/env bash
# Clients behind real proxies: squid, tinyproxy, microsocks, Dante, stunnel; curl decides which one the environment names.
# Parts: http, socks, environment.
. "$(dirname "$0")/../lib/common.sh"
need openssl python3
compile peer_client
compile peer_server
python3 tests/peers/client_proxies.py ${FILTER:+"$FILTER"}
