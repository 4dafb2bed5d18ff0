#!/usr/bin/env bash
# Real Godot 4 (4.6 or newer), 3.6 and 3.2 as remote peers, in both roles, over ws:// and wss://.
# Parts: 4, 3.6, 3.2.
. "$(dirname "$0")/../lib/common.sh"
need build/godot/godot4 build/godot/godot3 build/godot/godot32 timeout
compile godot
certificate build/tests/godot-cert
cert=$PWD/build/tests/godot-cert/cert.pem key=$PWD/build/tests/godot-cert/key.pem
rm -rf build/tests/godot-home
mkdir -p build/tests/godot-home
export HOME=$PWD/build/tests/godot-home
for version in 4 3.6 3.2; do
  part "$version" || continue
  format=${version%%.*}
  engine=$PWD/build/godot/godot$format
  [ $version != 3.2 ] || engine+=2
  found=$({ timeout 30 "$engine" --version || true; } | tail -n 1)
  pattern="^${version//./\\.}\\."
  [ $version != 4 ] || pattern='^4\.([6-9]|[1-9][0-9]+)\.'
  if [[ $found =~ $pattern ]]; then
    echo "ok - this is Godot $version: $found"
  else
    echo "not ok - this is Godot $version: $found"
    rc=1
  fi
  rm -rf "build/tests/game$version"
  cp -r "tests/godot/game$format" "build/tests/game$version"
  began=$EPOCHREALTIME
  for tls in "" "$cert $key"; do
    timeout 100 build/tests/godot "$format" "$engine" "build/tests/game$version" $tls ||
      { echo "not ok - godot $version ended with $?"; rc=1; }
  done
  echo "figure: Godot $version took $(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $began }") s"
done
exit $rc
