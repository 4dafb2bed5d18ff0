#!/usr/bin/env bash
# The Godot addon in Godot 4.6, compared with Godot's classes: demo, tutorial, package, web, defects, mixed games, quitting, editor.
# Parts: demo, tutorial, package, web, defects, trio, quit, same, editor.
. "$(dirname "$0")/../lib/common.sh"
need build/godot/godot4 build/venv/bin/python timeout libwebsockets-test-server libwebsockets-test-client openssl
alone make --no-print-directory -s -C bindings/godot WSPEER_A="$(cd "$LIBDIR" && pwd)/libwspeer.a"
alone make --no-print-directory -s -C bindings/godot web-native
compile peer_game
gcc -D_GNU_SOURCE -shared -fPIC -o build/tests/slowdns-godot.so tests/c/slowdns.c -ldl
slow=$PWD/build/tests/slowdns-godot.so

# script NAME [ARGUMENT...]: runs tests/godot/NAME.py, with its output in a log
script() {
  local name=$1 began=$EPOCHREALTIME code=0
  shift
  rm -f "build/tests/addon.$name"
  part "$name" || return 0
  timeout 150 build/venv/bin/python "tests/godot/$name.py" "$@" > "build/tests/addon.$name" 2>&1 || code=$?
  if [ $code != 0 ] && ! grep -q '^not ok' "build/tests/addon.$name"; then
    echo "not ok - $name ended with $code" >> "build/tests/addon.$name"
  fi
  echo "figure: $name took $(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $began }") s" >> "build/tests/addon.$name"
}

# The scripts wait most of the time, so two run at a time.
(script same; script editor) &
side=$!
script demo
script tutorial
script package "$LIBDIR/libwspeer.a"
script web
script defects "$slow"
script trio
script quit "$slow"
wait "$side"
for name in demo tutorial package web defects trio quit same editor; do
  if [ -e build/tests/addon.$name ]; then
    cat build/tests/addon.$name
    if grep -q '^not ok' build/tests/addon.$name; then rc=1; fi
  fi
done
exit $rc
