#!/usr/bin/env bash
# The header in a browser: bindings/web/*.js, compiled by Emscripten and run in headless Chromium.
# Parts: fits, conformance, run, sessions, edges, every, three, chat.
. "$(dirname "$0")/../lib/common.sh"
need clang emcc chromium node build/node/node_modules/playwright-core \
  build/node/node_modules/google-closure-compiler-linux build/node/node_modules/{ws,axe-core} build/venv/bin/python openssl \
  build/godot/godot4
if part fits; then python3 tests/web/fits.py || rc=1; fi

mkdir -p build/web
export BROWSER_ENDPOINT=$PWD/build/web/endpoint
rm -f "$BROWSER_ENDPOINT"
# The browser ends with its input, which this shell holds open.
exec 3> >(timeout 600 node tests/web/browser.js serve "$BROWSER_ENDPOINT" > build/web/browser.log 2>&1)
for ((i = 0; i < 300; i++)); do
  [ -e "$BROWSER_ENDPOINT" ] && break
  sleep 0.1
done
[ -e "$BROWSER_ENDPOINT" ] || { echo "not ok - web: the browser starts: $(tail -n 3 build/web/browser.log)"; exit 1; }

if part conformance; then FILTER= build/venv/bin/python tests/conformance/run.py --language web || rc=1; fi
for one in run sessions edges every three; do
  if part $one; then build/venv/bin/python tests/web/$one.py || rc=1; fi
done
[ "${WEB_TOOLS:-}" != sid ] || build/venv/bin/python tests/web/wide.py || rc=1

# The chat of examples-web, which starts its own Chromium and is built by this machine's emcc.
if [ -n "${WSPEER_BROWSER:-}${WEB_TOOLS:-}" ] || ! part chat; then
  echo "# the chat is left out"
elif env -u NODE_PATH make -s examples-web &&
  cc -std=c99 -D_POSIX_C_SOURCE=200809L -Iinclude examples-c/chat.c -o build/web/chat -L"$LIBDIR" -lwspeer \
  -Wl,-rpath,"$(cd "$LIBDIR" && pwd)"; then
  timeout 100 node tests/web/chat.js build/examples-web build/web/chat build/web/chat || rc=1
else
  echo "not ok - web: the chat is built"
  rc=1
fi
exec 3>&-
exit $rc
