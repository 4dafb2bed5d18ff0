#!/usr/bin/env bash
# ws_serve: curl, paths that try to leave the directory, limits, and pages in Chromium that join the game on their port.
# Parts: "curl", "paths", "limits", "page", "threads", "example".
. "$(dirname "$0")/../lib/common.sh"
need curl build/venv/bin/python emcc chromium node build/node/node_modules/playwright-core
WSPEER_LIBRARY=$(cd "$LIBDIR" && pwd)/libwspeer.so PYTHONPATH=bindings/python/src \
  build/venv/bin/python tests/serve/run.py ${FILTER:+"$FILTER"}
