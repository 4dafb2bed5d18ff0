#!/usr/bin/env bash
# The Godot extension in the real engine: its interface, its classes compared with the engine's, help and leaks.
. "$(dirname "$0")/../lib/common.sh"
need build/godot/godot4 timeout make python3
godot=$PWD/build/godot/godot4
rc=0
ok() { echo "ok - $1"; }
bad() { echo "not ok - $1"; rc=1; }

alone make --no-print-directory -C bindings/godot WSPEER_A="$(cd "$LIBDIR" && pwd)/libwspeer.a" \
  > build/tests/gdextension.make 2>&1 ||
  { cat build/tests/gdextension.make; echo "not ok - the extension builds"; exit 1; }
if grep -q warning build/tests/gdextension.make; then
  cat build/tests/gdextension.make
  bad "it builds without warnings"
else
  ok "it builds without warnings"
fi
shown=$(nm -D --defined-only build/godot-addon/addons/wspeer/bin/libwspeer_godot.*.so | awk '{ print $3 }')
if [ "$shown" = wspeer_godot_init ]; then
  ok "it exports only its entry"
else
  bad "it exports only its entry: $shown"
fi

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

# look: runs the editor, checks the help of the classes, and quits. It waits most of the time.
look() {
  export HOME=$project-home
  local editor=$project-editor plain=$project-plain
  rm -rf "$editor" "$plain" "$HOME"
  mkdir -p "$editor/addons/look" "$editor/.godot" "$plain" "$HOME"
  cp -r build/godot-addon/addons bindings/godot/doc_classes "$editor"
  cp tests/godot/extension/plugin.gd "$editor/addons/look"
  printf '[plugin]\nname="look"\ndescription=""\nauthor=""\nversion="1"\nscript="plugin.gd"\n' \
    > "$editor/addons/look/plugin.cfg"
  printf 'config_version=5\n[editor_plugins]\nenabled=PackedStringArray("res://addons/look/plugin.cfg")\n' \
    > "$editor/project.godot"
  printf 'config_version=5\n' > "$plain/project.godot"
  # Uses an editor that has already made its documentation cache: in the run that makes it, Godot 4.6.3 shows no texts
  # for extension classes.
  timeout 120 "$godot" --headless --editor --quit-after 30 --path "$plain" > build/tests/gdextension.plain 2>&1 ||
    return
  # Found beforehand: in the run that first finds an extension, Godot 4.6.3 often aborts at its end.
  cp "$project/.godot/extension_list.cfg" "$editor/.godot"
  timeout 120 "$godot" --headless --editor --verbose --path "$editor" > build/tests/gdextension.editor 2>&1
}
look &
looking=$!

# run NAME [ARGUMENT]: runs the checks of a script; nothing may be left behind when the engine has quit
run() {
  local log="build/tests/gdextension.$1" name="$1.gd${2:+ ($2)}" code=0
  timeout 120 "$godot" --headless --verbose --path "$project" --script "$1.gd" ${2:+-- "$2"} > "$log" 2>&1 || code=$?
  judge "$name" "$log" "$code"
}

judge() {
  grep -E '^(ok|not ok) - ' "$2" || true
  if grep -q '^not ok' "$2"; then rc=1; fi
  if [ "$3" = 0 ] && grep -q '^END$' "$2"; then
    ok "$1 ran to its end"
  else
    tail -n 30 "$2"
    bad "$1 ran to its end ($3)"
  fi
  # The editor itself leaves one name, "Node".
  if grep -E 'leaked|Leaked|still in use|SCRIPT ERROR|handle_crash|Orphan StringName' "$2" |
    grep -v 'StringName: Node '; then
    bad "$1 leaks nothing"
  else
    ok "$1 leaks nothing"
  fi
}
for script in api peer client scripted server multiplayer sessions threads by_name hints mainloop inherited wrong \
  mistakes storm reload; do
  run "$script"
done
for state in open closing "in a handler"; do run quit "$state"; done

mkdir -p "$project/made"
timeout 60 "$godot" --headless --path "$project" --doctool "$project/made" --gdextension-docs \
  > build/tests/gdextension.doctool 2>&1 || true
python3 "$project/docs.py" "$project/made/doc_classes" bindings/godot/doc_classes || rc=1

python3 "$project/words.py" "$PWD" build/tests/gdextension.{peer,server,multiplayer,sessions,wrong,mistakes} || rc=1

code=0
wait "$looking" || code=$?
judge "the editor" build/tests/gdextension.editor "$code"
exit $rc
