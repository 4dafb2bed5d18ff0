#!/usr/bin/env bash
# Real Godot 4.6 and 3.6 on the other side, in both roles.
. "$(dirname "$0")/../lib/common.sh"
need build/godot/godot4 build/godot/godot3 timeout
compile godot
rc=0
rm -rf build/tests/godot-home
mkdir -p build/tests/godot-home
export HOME=$PWD/build/tests/godot-home
for version in 4.6 3.6; do
  format=${version%%.*}
  found=$(timeout 30 "build/godot/godot$format" --version | tail -n 1)
  if [[ $found == $version.* ]]; then echo "ok - this is Godot $version: $found"; else echo "not ok - this is Godot $version: $found"; rc=1; fi
  rm -rf "build/tests/game$format"
  cp -r "tests/godot/game$format" "build/tests/game$format"
  began=$EPOCHREALTIME
  timeout 100 build/tests/godot "$format" "$PWD/build/godot/godot$format" "build/tests/game$format" || { echo "not ok - godot $version ended with $?"; rc=1; }
  echo "figure: Godot $version took $(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $began }") s"
done
exit $rc
