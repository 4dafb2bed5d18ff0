#!/usr/bin/env bash
# Runs a command in this folder with the tools of Debian sid, among them a recent Emscripten, from a chroot in
# build/sid, which is created first. Needs root and debootstrap.
# Usage: sid.sh COMMAND [ARGUMENT...]
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD/build/sid

if [ ! -e "$root/made" ]; then
  # The mirror and proxy settings of this machine's apt.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
  rm -rf "$root"
  debootstrap --variant=minbase --keyring=/usr/share/keyrings/debian-archive-keyring.gpg sid "$root" "$mirror" \
    /usr/share/debootstrap/scripts/sid
  apt-config dump | grep -E '^Acquire::https?::' > "$root/etc/apt/apt.conf.d/90outside" || true
  DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y --no-install-recommends emscripten
  # The matching closure compiler; setup.sh has that of Debian's Emscripten 3.1.6.
  npm install --silent --no-audit --no-fund --prefix "$root/opt" google-closure-compiler
  touch "$root/made"
fi

# This folder has the same path inside. The mounts belong to this process and end with it. Emscripten keeps the system
# libraries that it builds in the chroot.
# The closure compiler warns about Emscripten's externs, which are not part of the programs.
mkdir -p "$root$PWD"
exec unshare --mount bash -c '
  root=$1
  shift
  mount --bind . "$root$PWD"
  mount -t proc proc "$root/proc"
  mount -t tmpfs tmpfs "$root/dev/shm" || true
  exec chroot "$root" env -u WEB_TOOLS -C "$PWD" HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    EM_CACHE=/var/cache/emscripten EMCC_CFLAGS=-Wno-error=closure \
    EM_CLOSURE_COMPILER=/opt/node_modules/google-closure-compiler-linux/compiler "$@"
' sid "$root" "$@"
