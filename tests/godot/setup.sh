#!/usr/bin/env bash
# Real Godot engines that need no screen: 4.6 as FOLDER/godot4, 3.6 as FOLDER/godot3, from Debian's newer suites. They bring their own libraries and
# loader; nothing is installed on the system, and no root is needed. Usage: setup.sh FOLDER
set -euo pipefail
mkdir -p "$1"
cd "$1"
root=$PWD
triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2> /dev/null || gcc -print-multiarch)
# What only a screen needs.
unneeded='^(libllvm|libz3|mesa-|libgl1-mesa|libglx-mesa|libgbm|libdrm|libvulkan|fonts-|pci\.ids|xkb-data|libx11-data|libc-gconv|adduser|debconf|passwd|dpkg$|tar$|perl)'

# fetch SUITE: both engines into ./new
fetch() {
  rm -rf apt packages new
  mkdir -p apt/lists/partial apt/cache/archives/partial packages new
  : > apt/status
  # The mirror that this machine's own apt uses.
  local mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main" > apt/sources.list
  local options=(-q -o "Dir::Etc::sourcelist=$root/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null
    -o "Dir::State::lists=$root/apt/lists" -o "Dir::State::status=$root/apt/status" -o "Dir::Cache=$root/apt/cache"
    -o APT::Install-Recommends=false -o Acquire::Languages=none -o "APT::Sandbox::User=$(id -un)")
  apt-get "${options[@]}" update
  local names
  names=$(apt-get "${options[@]}" install --print-uris godot godot3-server | sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p" | grep -vE "$unneeded")
  (cd packages && apt-get "${options[@]}" download $names)
  for package in packages/*.deb; do dpkg-deb -x "$package" new; done
}

# launcher NAME BINARY VERSION: a script that starts the engine with its own libraries; fails when that is another version
launcher() {
  local lib="$root/tree/usr/lib/$triplet"
  printf '#!/bin/sh\nexec "%s" --inhibit-cache --library-path "%s:%s/pulseaudio" --argv0 %s "%s" "$@"\n' \
    "$(ls "$root"/tree/usr/lib64/ld-linux-*.so.* "$root"/tree/usr/lib/ld-linux-*.so.* 2> /dev/null | head -n 1)" "$lib" "$lib" "$2" "$root/tree/usr/bin/$2" > "$1.new"
  chmod +x "$1.new"
  HOME=$root timeout 30 "./$1.new" --version | tee /dev/stderr | grep -q "^$3"
}

for suite in sid forky; do
  fetch "$suite" || continue
  rm -rf tree
  mv new tree
  if launcher godot4 godot 4.6 && launcher godot3 godot3-server 3.6; then
    mv godot4.new godot4
    mv godot3.new godot3
    rm -rf apt packages
    exit 0
  fi
done
exit 1
