#!/usr/bin/env bash
# Installs the Debian packages that the benchmarks need and that are missing; needs root. The Rust libraries to compare
# with are not among them: Cargo downloads them when `make bench` builds. Usage: setup.sh [PACKAGE ...] (default: all)
set -euo pipefail
packages=${*:-gcc g++ make python3 valgrind strace libssl-dev libwslay-dev libwebsockets-dev libwebsocketpp-dev libasio-dev}
missing=
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2> /dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ]; then
  echo "setup: install these packages first:$missing" >&2
  exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
