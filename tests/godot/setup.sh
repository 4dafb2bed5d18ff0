#!/usr/bin/env bash
# Installs headless Godot engines: 4.6 or a newer 4.x as FOLDER/godot4, 3.6 as FOLDER/godot3, from Debian's newer
# suites, and 3.2 as FOLDER/godot32, from bookworm. They come with their libraries and loader; nothing is installed on
# the system, and root is not needed. Usage: setup.sh FOLDER
set -euo pipefail
mkdir -p "$1"
cd "$1"
root=$PWD
triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2> /dev/null || gcc -print-multiarch)
# Packages that only a screen needs.
unneeded='^(libllvm|libz3|mesa-|libgl1-mesa|libglx-mesa|libgbm|libdrm|libvulkan|fonts-|pci\.ids|xkb-data|libx11-data|libc-gconv|adduser|debconf|passwd|dpkg$|tar$|perl)'

# fetch SUITE PACKAGE...: unpacks the packages and their dependencies into ./new
fetch() {
  local suite=$1
  shift
  rm -rf apt packages new
  mkdir -p apt/lists/partial apt/cache/archives/partial packages new
  : > apt/status
  # The mirror of this machine's apt.
  local mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > apt/sources.list
  local options=(-q -o "Dir::Etc::sourcelist=$root/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferencesparts=/dev/null
    -o "Dir::State::lists=$root/apt/lists" -o "Dir::State::status=$root/apt/status" -o "Dir::Cache=$root/apt/cache"
    -o APT::Install-Recommends=false -o Acquire::Languages=none -o "APT::Sandbox::User=$(id -un)")
  apt-get "${options[@]}" update
  local names
  names=$(apt-get "${options[@]}" install --print-uris "$@" | sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p" |
    grep -vE "$unneeded")
  (cd packages && apt-get "${options[@]}" download $names)
  for package in packages/*.deb; do dpkg-deb -x "$package" new; done
}

# launcher NAME TREE BINARY PATTERN: creates a script that starts the engine with its libraries; fails if the version
# differs
launcher() {
  local tree="$root/$2"
  local lib="$tree/usr/lib/$triplet"
  # /lib is a link in a complete system; packages of older suites have files in it.
  printf '#!/bin/sh\nexec "%s" --inhibit-cache --library-path "%s:%s:%s/pulseaudio" --argv0 %s "%s" "$@"\n' \
    "$(ls "$tree"/usr/lib64/ld-linux-*.so.* "$tree"/usr/lib/ld-linux-*.so.* \
      "$tree"/lib64/ld-linux-*.so.* "$tree"/lib/ld-linux-*.so.* 2> /dev/null | head -n 1)" \
    "$lib" "$tree/lib/$triplet" "$lib" "$3" "$tree/usr/bin/$3" > "$1.new"
  chmod +x "$1.new"
  # 3.2 exits with 255 here.
  { HOME=$root timeout 30 "./$1.new" --version || true; } | tee /dev/stderr | grep -E "^$4" > /dev/null
}

newest() {
  local suite
  for suite in sid forky; do
    fetch "$suite" godot godot3-server || continue
    rm -rf tree
    mv new tree
    launcher godot4 tree godot '4\.([6-9]|[1-9][0-9]+)\.' && launcher godot3 tree godot3-server '3\.6\.' &&
      mv godot4.new godot4 && mv godot3.new godot3 && return
  done
  return 1
}

oldest() {
  fetch bookworm godot3-server
  rm -rf tree32
  mv new tree32
  launcher godot32 tree32 godot3-server '3\.2\.'
  mv godot32.new godot32
}

if [ ! -x godot4 ] || [ ! -x godot3 ]; then newest; fi
if [ ! -x godot32 ]; then oldest; fi
rm -rf apt packages
