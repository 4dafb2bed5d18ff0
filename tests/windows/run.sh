#!/usr/bin/env bash
# Builds wspeer.dll with MinGW and runs C programs, the scenarios of docs/conformance.md and Rust tests with it under
# Wine. On Debian, installs what it needs when run as root (1.9 GB). Usage: run.sh [c] [conformance] [rust]     runs all
# unless some are named
. "$(dirname "$0")/../lib/common.sh"
packages="rustc-web cargo-web rust-web-src gcc-mingw-w64-x86-64-win32 wine64 wine"
dpkg -s $packages > /dev/null 2>&1 || [ "$(id -u)" != 0 ] || apt-get -y --no-install-recommends install $packages
need x86_64-w64-mingw32-gcc wine /usr/bin/cargo /usr/lib/rustlib/src/rust/library/std/Cargo.toml build/venv/bin/python
parts=${*:-c conformance rust}
target=x86_64-pc-windows-gnu
out=build/windows
mkdir -p $out
rc=0

# Debian has no standard library for the Windows target: it is built from source by the matching compiler.
cargo_for_windows() {
  PATH=/usr/bin:$PATH RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=target/windows \
    CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=$PWD/tests/windows/wine \
    /usr/bin/cargo "$@" --locked -Zbuild-std=std,panic_abort,panic_unwind,test --target $target
}
report() {
  if [ "$1" = 0 ]; then echo "ok - windows: $2"; else echo "not ok - windows: $2"; rc=1; fi
}

cargo_for_windows rustc --lib --crate-type cdylib,staticlib
cp -f target/windows/$target/debug/{wspeer.dll,libwspeer.dll.a} $out/
x86_64-w64-mingw32-gcc -shared -o $out/bcryptprimitives.dll tests/windows/shim.c -lbcrypt
# The first start creates the Wine prefix; the tests of cargo find the DLL there.
tests/windows/wine cmd /c exit
cp -f $out/bcryptprimitives.dll $out/prefix/drive_c/windows/system32/

for part in $parts; do
  case $part in
  c)
    for source in tests/c/{abuse,heartbeat,multiplayer,multiplayer3,scene,scene_bytes,threads}.c examples-c/demo.c; do
      name=$(basename "$source" .c)
      x86_64-w64-mingw32-gcc -std=c99 -g -O1 -Iinclude "$source" -o "$out/$name.exe" $out/libwspeer.dll.a -static \
        -lpthread
      timeout 200 tests/windows/wine "$out/$name.exe" > "$out/$name.log" && passed=0 || passed=1
      [ $passed = 0 ] || grep -v '^ok' "$out/$name.log" | head -50 || true
      report $passed "$name"
    done
    ;;
  conformance)
    build/venv/bin/python tests/conformance/run.py --language windows || rc=1
    ;;
  rust)
    # docs/windows.md explains why not all tests run.
    names="connection deflate_memory fuzz header network protocol secrets tls_streams"
    cargo_for_windows test --no-fail-fast --lib $(printf -- '--test %s ' $names) || rc=1
    cargo_for_windows test --no-fail-fast --test server -- items:: timers:: || rc=1
    ;;
  *) echo "windows: $part is none of c, conformance, rust" && exit 2 ;;
  esac
done
exit $rc
