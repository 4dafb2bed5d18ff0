#!/usr/bin/env bash
# `make demo` in a pipe and in a terminal, its page in Chromium, and its players in Python, Godot and a browser.
# Parts: pipe, terminal, truth, page, players.
. "$(dirname "$0")/../lib/common.sh"
need build/demo build/venv/bin/python chromium node build/node/node_modules/{playwright-core,axe-core} build/godot/godot4
alone make --no-print-directory -s -C bindings/godot WSPEER_A="$(cd "$LIBDIR" && pwd)/libwspeer.a"
build/venv/bin/python -B tests/demo/run.py ${FILTER:+"$FILTER"}
