#!/usr/bin/env bash
# AddressSanitizer with LeakSanitizer for the Rust tests and the C, C++ and C# programs, all with an instrumented
# library. Needs a nightly toolchain. Usage: asan.sh [rust] [c] [cpp] [csharp]     runs all unless some are named
. "$(dirname "$0")/../lib/common.sh"
. tests/sanitize/programs.sh
parts=${*:-rust c cpp csharp}
target=$(rustc -vV | sed -n 's/^host: //p')
sanitized() { CARGO_TARGET_DIR=target/asan RUSTFLAGS=-Zsanitizer=address cargo +nightly "$@"; }
lib=build/asan
export LIBDIR=$lib ASAN_OPTIONS=quarantine_size_mb=8
mkdir -p $lib/bin
rc=0

sanitized rustc --locked --target "$target" --features inject-panics --lib --crate-type cdylib
cp -f "target/asan/$target/debug/libwspeer.so" $lib/
ln -sf libwspeer.so $lib/libwspeer.so.0
cargo run --quiet --locked --example make_cert -- $lib/cert

for part in $parts; do
  case $part in
  rust)
    # Without the tests that have a counting allocator, which would replace the sanitizer's.
    names=$(sed -n '/^\[\[test\]\]/,/^path/s/^name = "\(.*\)"/\1/p' Cargo.toml |
      grep -vxE 'allocations|deflate_memory|panics')
    names+=" $(cd tests && ls */main.rs | sed 's|/main.rs||')"
    sanitized test --locked --no-fail-fast --target "$target" --features inject-panics --lib \
      $(printf -- '--test %s ' $names) || rc=1
    # Memory of calls interrupted by a panic is leaked on purpose: the host may still hold loans.
    ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 sanitized test --locked --target "$target" --features inject-panics \
      --test panics || rc=1
    ;;
  c)
    # Time limits of calls do not apply to an instrumented library.
    programs asan "gcc -fsanitize=address" abuse loans put_packets threads loss host_habits multiplayer \
      multiplayer3 scene scene_bytes heartbeat signals
    ;;
  cpp)
    COMPILERS=gcc tests/suites/cpp.sh || rc=1
    tests/suites/conformance.sh --language cpp || rc=1
    ;;
  csharp)
    # Mono has its own leak checks and SIGSEGV handler.
    printf '#!/bin/sh\nexec env LD_PRELOAD=%s ASAN_OPTIONS=detect_leaks=0:handle_segv=0:use_sigaltstack=0 %s "$@"\n' \
      "$(readlink -f "$(gcc -print-file-name=libasan.so)")" "$(command -v mono)" > $lib/bin/mono
    chmod +x $lib/bin/mono
    PATH=$PWD/$lib/bin:$PATH tests/suites/conformance.sh --language csharp || rc=1
    ;;
  *) echo "asan: $part is none of rust, c, cpp, csharp" && exit 2 ;;
  esac
done
exit $rc
