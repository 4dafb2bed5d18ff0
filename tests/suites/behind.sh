#!/usr/bin/env bash
# A server behind real HAProxy (PROXY protocol 1 and 2), nginx (X-Forwarded-For, Forwarded) and Caddy, and clients that lie.
# Parts: "requests" (a server that answers plain HTTP behind both), "haproxy", "nginx", "direct", "draining" (two servers
# behind each that are drained and started again while players talk), "cookbook" (the settings of docs/cookbook.md).
. "$(dirname "$0")/../lib/common.sh"
need haproxy nginx caddy curl build/venv/bin/python
WSPEER_LIBRARY=$(cd "$LIBDIR" && pwd)/libwspeer.so PYTHONPATH=bindings/python/src \
  build/venv/bin/python tests/behind/run.py ${FILTER:+"$FILTER"}
