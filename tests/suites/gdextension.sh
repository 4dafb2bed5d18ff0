#!/usr/bin/env bash
# The Godot extension in the real engine: its interface, its classes against the engine's own, what they do, their help, and what is left at the end.
. "$(dirname "$0")/../lib/common.sh"
need build/godot/godot4 timeout make python3
godot=$PWD/build/godot/godot4
rc=0
ok() { echo "ok - $1"; }
bad() { echo "not ok - $1"; rc=1; }

make --no-print-directory -C bindings/godot WSPEER_A="$(cd "$LIBDIR" && pwd)/libwspeer.a" > build/tests/gdextension.make 2>&1 || { cat build/tests/gdextension.make; echo "not ok - the extension builds"; exit 1; }
if grep -q warning build/tests/gdextension.make; then cat build/tests/gdextension.make; bad "it builds without warnings"; else ok "it builds without warnings"; fi
shown=$(nm -D --defined-only build/godot-addon/addons/wspeer/bin/libwspeer_godot.*.so | awk '{ print $3 }')
if [ "$shown" = wspeer_godot_init ]; then ok "it shows nothing but its entry"; else bad "it shows nothing but its entry: $shown"; fi

project=$PWD/build/tests/gdextension
rm -rf "$project"
mkdir -p "$project/.godot"
cp tests/godot/extension/* "$project"
cp -r build/godot-addon/addons "$project"
echo 'res://addons/wspeer/wspeer.gdextension' > "$project/.godot/extension_list.cfg"
export HOME=$project/home
mkdir -p "$HOME"

(cd "$project" && timeout 60 "$godot" --headless --dump-gdextension-interface > /dev/null 2>&1)
python3 "$project/interface.py" "$project/gdextension_interface.h" bindings/godot/src/interface.h || rc=1

# run NAME: the checks of a script, and nothing left behind when the engine has quit
run() {
  local log=build/tests/gdextension.$1
  timeout 120 "$godot" --headless --verbose --path "$project" --script "$1.gd" > "$log" 2>&1 || bad "$1.gd ended with $?"
  grep -E '^(ok|not ok) - ' "$log" || true
  if grep -q '^not ok' "$log"; then rc=1; fi
  if ! grep -q '^END$' "$log"; then tail -n 30 "$log"; bad "$1.gd came to its end"; fi
  if grep -E 'leaked|Leaked|unclaimed|still in use|SCRIPT ERROR|handle_crash' "$log"; then bad "$1.gd leaves nothing behind"; else ok "$1.gd leaves nothing behind"; fi
}
for script in api peer server multiplayer; do run "$script"; done
exit $rc
