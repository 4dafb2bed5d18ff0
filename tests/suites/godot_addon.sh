#!/usr/bin/env bash
# wspeer's classes in a real Godot 4.6, beside Godot's own: the demo, the defects of Godot's own, games of mixed peers, quitting and the editor.
. "$(dirname "$0")/../lib/common.sh"
need build/godot/godot4 build/venv/bin/python timeout
make --no-print-directory -s -C bindings/godot WSPEER_A="$(cd "$LIBDIR" && pwd)/libwspeer.a"
compile peer_game
gcc -D_GNU_SOURCE -shared -fPIC -o build/tests/slowdns.so tests/c/slowdns.c -ldl
slow=$PWD/build/tests/slowdns.so

# part NAME [ARGUMENT...]: tests/godot/NAME.py, its output in a log
part() {
  local name=$1 began=$EPOCHREALTIME rc=0
  shift
  timeout 150 build/venv/bin/python "tests/godot/$name.py" "$@" > "build/tests/addon.$name" 2>&1 || { rc=$?; grep -q '^not ok' "build/tests/addon.$name" || echo "not ok - $name ended with $rc" >> "build/tests/addon.$name"; }
  echo "figure: $name took $(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $began }") s" >> "build/tests/addon.$name"
  return $rc
}

# Most of the time is waiting, so two run at a time.
(part same; part editor) &
side=$!
for one in demo "defects $slow" trio "quit $slow"; do part $one || true; done
wait "$side" || true
cat build/tests/addon.{demo,defects,trio,quit,same,editor}
! grep -q '^not ok' build/tests/addon.{demo,defects,trio,quit,same,editor}
