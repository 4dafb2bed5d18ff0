#!/usr/bin/env bash
# Godot 4's scene: over loopback, and with a real Godot 4.6 in both roles.
# Parts: scene, scene_bytes, replication_godot, replication_python, scene_godot.
. "$(dirname "$0")/../lib/common.sh"
for name in scene scene_bytes; do LIMIT=100 program "$name"; done
if part replication_godot; then
  need build/godot/godot4 build/godot_nodes timeout
  compile replication_godot
  rm -rf build/tests/replicated4 build/tests/replication-home
  mkdir -p build/tests/replication-home
  cp -r tests/godot/replicated4 build/tests/replicated4
  HOME=$PWD/build/tests/replication-home timeout 150 build/tests/replication_godot "$PWD/build/godot/godot4" \
    build/tests/replicated4 build/godot_nodes || { echo "not ok - replication_godot ended with $?"; rc=1; }
fi
if part replication_python; then
  need build/godot/godot4 build/venv/bin/python timeout
  WSPEER_LIBRARY=$(cd "$LIBDIR" && pwd)/libwspeer.so PYTHONPATH=bindings/python/src timeout 200 build/venv/bin/python \
    tests/godot/replication.py || { echo "not ok - replication.py ended with $?"; rc=1; }
fi
part scene_godot || exit $rc
need build/godot/godot4 build/godot_rpc timeout
compile scene_godot
rm -rf build/tests/scene4 build/tests/scene-home
mkdir -p build/tests/scene-home
cp -r tests/godot/scene4 build/tests/scene4
export HOME=$PWD/build/tests/scene-home
began=$EPOCHREALTIME
timeout 150 build/tests/scene_godot "$PWD/build/godot/godot4" build/tests/scene4 build/godot_rpc ||
  { echo "not ok - scene_godot ended with $?"; rc=1; }
echo "figure: the scenes with Godot took $(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $began }") s"
exit $rc
