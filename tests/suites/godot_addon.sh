#!/usr/bin/env bash
# wspeer's classes in a real Godot 4.6, beside Godot's own: the demo, the defects of Godot's own, games of mixed peers, quitting and the editor.
. "$(dirname "$0")/../lib/common.sh"
need build/godot/godot4 build/venv/bin/python timeout
make --silent godot
compile peer_game
gcc -D_GNU_SOURCE -shared -fPIC -o build/tests/slowdns.so tests/c/slowdns.c -ldl
rc=0
for part in demo "defects $PWD/build/tests/slowdns.so" trio "quit $PWD/build/tests/slowdns.so" editor; do
  set -- $part
  name=$1
  shift
  began=$EPOCHREALTIME
  timeout 120 build/venv/bin/python "tests/godot/$name.py" "$@" || { echo "not ok - $name ended with $?"; rc=1; }
  echo "figure: $name took $(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $began }") s"
done
exit $rc
