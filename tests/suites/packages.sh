#!/usr/bin/env bash
# Programs of users: with find_package, FetchContent and pkg-config, in C and C++, shared and static.
. "$(dirname "$0")/../lib/common.sh"
need cmake pkg-config gcc g++
work=$PWD/build/packages
rm -rf "$work"
mkdir -p "$work"
rc=0

# step WHAT COMMAND...: a test that passes if the command does; its output is shown if it fails
step() {
  local what=$1
  shift
  if "$@" > "$work/log" 2>&1; then
    echo "ok - packages: $what"
  else
    echo "not ok - packages: $what"
    sed 's/^/# /' "$work/log"
    rc=1
  fi
}

# runs PROGRAM: it prints hello without any environment variable for finding the library
runs() { [ "$(env -u LD_LIBRARY_PATH timeout 20 "$1")" = hello ]; }

# consumer NAME CMAKE-ARGUMENTS...: configures, builds and runs its four programs
consumer() {
  local name=$1
  shift
  step "$name configures" cmake -S "tests/packages/$name" -B "$work/$name" -DCMAKE_BUILD_TYPE=Release "$@"
  step "$name builds" cmake --build "$work/$name"
  for program in wspeer_c wspeer_cc static_c static_cc; do step "$name: $program runs" runs "$work/$name/$program"; done
  step "$name: the static program needs no library of ours" sh -c "! ldd '$work/$name/static_cc' | grep wspeer"
}

make -s install DESTDIR="$work/stage" PREFIX=/opt/wspeer > "$work/install.log" 2>&1 ||
  { cat "$work/install.log"; echo "not ok - packages: make install"; exit 1; }
prefix=$work/stage/opt/wspeer
step "make install with DESTDIR puts everything below it" sh -c \
  "cd '$prefix' && ls include/wspeer.h include/wspeer.hpp lib/libwspeer.so lib/libwspeer.so.0 lib/libwspeer.a"
step "make install copies the licences" sh -c "cd '$prefix/share/doc/wspeer' && ls LICENSE-MIT LICENSE-APACHE"
mkdir "$work/no-cargo"
printf '#!/bin/sh\necho "cargo was called: $*"\nexit 1\n' > "$work/no-cargo/cargo"
chmod +x "$work/no-cargo/cargo"
step "make install after make needs no cargo" env PATH="$work/no-cargo:$PATH" make -s install DESTDIR="$work/again" \
  PREFIX=/opt/wspeer
consumer find_package -DCMAKE_PREFIX_PATH="$prefix"
consumer fetch_content -DFETCHCONTENT_SOURCE_DIR_WSPEER="$PWD" \
  -DWSPEER_CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}" -DFETCHCONTENT_FULLY_DISCONNECTED=ON
step "fetch_content: its library is the one that make builds" cmp \
  "$work"/fetch_content/_deps/wspeer-build/lib/libwspeer.so.0 build/libwspeer.so
step "the library has no debug information" sh -c "! readelf -SW build/libwspeer.so | grep -q '\.debug_'"
reported=$(sed -n 's/^`build\/libwspeer\.so` has about \([0-9.]*\) MB.*/\1/p' README.md)
step "README: its size is stated, $reported MB" awk -v reported="$reported" -v size="$(stat -Lc %s build/libwspeer.so)" \
  'BEGIN { off = size / 1e6 - reported; exit !(reported > 0 && off < 0.5 && off > -0.5) }'
step "fetch_content: building again builds nothing" sh -c \
  "cmake --build '$work/fetch_content' | grep -v cargo | grep -i 'linking\|building' && exit 1 || exit 0"

# linked NAME SOURCE FLAGS...: the flags of pkg-config build a program, which runs
linked() {
  local name=$1 source=$2
  shift 2
  local compiler="gcc -std=c99"
  [ "$source" = main.cc ] && compiler="g++ -std=c++17"
  step "pkg-config: $name, $source" \
    sh -c "$compiler -Wall -Werror tests/packages/$source -o '$work/program' $* &&
      env -u LD_LIBRARY_PATH timeout 20 '$work/program' | grep -qx hello"
}

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
step "pkg-config: the version is the header's" pkg-config \
  --exact-version="$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)" wspeer
step "pkg-config: the prefix is the given one" sh -c "[ \"\$(pkg-config --variable=prefix wspeer)\" = /opt/wspeer ]"
shared="$(pkg-config --define-variable=prefix="$prefix" --cflags --libs wspeer)"
linked shared main.c "$shared -Wl,-rpath,$prefix/lib"
linked shared main.cc "$shared -Wl,-rpath,$prefix/lib"
# If only the archive is present, -lwspeer finds it.
mkdir "$work/static"
cp -r "$prefix/include" "$work/static/"
mkdir "$work/static/lib"
cp "$prefix/lib/libwspeer.a" "$work/static/lib/"
static="$(pkg-config --define-variable=prefix="$work/static" --static --cflags --libs wspeer)"
linked static main.c "$static"
linked static main.cc "$static"
step "pkg-config: the static program needs no library of ours" sh -c "! ldd '$work/program' | grep wspeer"
exit $rc
