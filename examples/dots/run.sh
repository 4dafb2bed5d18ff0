#!/bin/sh
# Run by `make demo`: plays build/demo, with a player in each language that this machine can run. Fails unless every
# player has joined, and says that nothing is missing.
# Usage: run.sh [ARGUMENT of build/demo ...]
# PYTHON, GODOT and CHROMIUM name the programs; "none" leaves one out. What they print is in build/dots, or DOTS_WORK.
cd "$(dirname "$0")/../.." || exit 2
work=${DOTS_WORK:-$PWD/build/dots}
rm -rf "$work"
mkdir -p "$work"
url=$work/url

# first COMMAND...: the first that this machine has
first() {
  for name in "$@"; do command -v "$name" && return; done
}
python=${PYTHON:-$(first python3)}
godot=${GODOT:-$(first "$PWD/build/godot/godot4" godot4 godot)}
chromium=${CHROMIUM:-$(first chromium chromium-browser google-chrome)}
addon=build/godot-addon/addons/wspeer

players=
absent=
lacks() {
  echo "$1 does not play: $2"
  absent="$absent${absent:+, }$1"
}
if [ "$python" = none ] || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2> /dev/null; then
  lacks Python "install Python 3.9 or newer"
else
  players="$players python"
fi
if [ -z "$chromium" ] || [ "$chromium" = none ]; then
  lacks Browser "install chromium, or open the address below in yours"
else
  players="$players browser"
fi
if [ -z "$godot" ] || [ "$godot" = none ]; then
  lacks Godot "install Godot 4.3 or newer (https://godotengine.org/download), then make godot"
elif ! "$godot" --version 2> /dev/null | grep -qE '^4\.([3-9]|[1-9][0-9])'; then
  lacks Godot "$godot is not Godot 4.3 or newer"
elif [ ! -e $addon/wspeer.gdextension ]; then
  lacks Godot "make godot builds the addon"
else
  players="$players godot"
fi

# The players, each in a folder of its own, with its output in a file.
python() {
  WSPEER_LIBRARY=$PWD/build/libwspeer.so PYTHONPATH=bindings/python/src \
    "$python" -B bindings/python/examples/dots.py "ws://$1"
}
godot() {
  cp -r bindings/godot/demo "$work/project" && mkdir -p "$work/project/addons" &&
    ln -s "$PWD/$addon" "$work/project/addons/wspeer" &&
    HOME=$work "$godot" --headless --path "$work/project" dots/dots.tscn -- "ws://$1"
}
# A browser does not end with its page.
browser() {
  sandbox=
  [ "$(id -u)" != 0 ] || sandbox=--no-sandbox
  "$chromium" --headless $sandbox --disable-gpu --no-first-run --disable-background-networking \
    --remote-debugging-port=0 --user-data-dir="$work/chromium" "http://$1/?bot" &
  child=$!
  while [ -e "$url" ] && kill -0 $$ 2> /dev/null; do sleep 0.2; done
  kill $child
  wait $child
  true
}
# start NAME: waits until the server listens, which then has written its address
start() {
  until [ -s "$url" ]; do sleep 0.1; done
  read -r address < "$url"
  "$1" "$address" > "$work/$1.out" 2>&1
  echo $? > "$work/$1.status"
}

trap : HUP INT TERM
pids=
count=0
for player in $players; do
  start "$player" &
  pids="$pids $!"
  count=$((count + 1))
done
build/demo --url-file "$url" --expect $count --note "${absent:+absent: $absent}" "$@"
status=$?
[ -s "$url" ] || kill $pids
rm -f "$url"
wait
for player in $players; do
  [ "$player" = browser ] || echo "$player says: $(tail -n 1 "$work/$player.out")"
  [ "$(cat "$work/$player.status" 2> /dev/null)" = 0 ] && continue
  echo "$player ended badly: see $work/$player.out"
  status=1
done
exit $status
