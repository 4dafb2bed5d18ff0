#!/usr/bin/env bash
# ThreadSanitizer for the C programs and the Rust tests with threads, with an instrumented library, standard library and
# ring. It needs the same version of rustc and of the standard library's source, without rustup: Debian's rustc-web and
# rust-web-src, which are installed when run as root. Usage: tsan.sh [c] [rust]     runs both unless one is named
. "$(dirname "$0")/../lib/common.sh"
. tests/sanitize/programs.sh
parts=${*:-c rust}
target=x86_64-unknown-linux-gnu
lib=build/tsan
rc=0
mkdir -p $lib

if [ ! -x /usr/bin/cargo ] || [ ! -d /usr/lib/rustlib/src/rust/library ] || ! command -v clang-19 > /dev/null ||
  ! ls /usr/lib/llvm-19/lib/clang/*/lib/linux/libclang_rt.tsan-x86_64.a > /dev/null 2>&1; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "not ok - tsan: install rustc-web cargo-web rust-web-src clang-19 libclang-rt-19-dev"
    exit 1
  fi
  { apt-get update &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends rustc-web cargo-web rust-web-src \
      clang-19 libclang-rt-19-dev; } > $lib/setup.log 2>&1 ||
    { tail -n 15 $lib/setup.log; echo "not ok - tsan: its packages cannot be installed"; exit 1; }
fi

# Names in reports come from addr2line. By default the runtime refuses threads in the child of a fork; with this option
# it also checks the children of tests/c/forks.c.
export LIBDIR=$lib TSAN_OPTIONS="exitcode=66 die_after_fork=0 external_symbolizer_path=$(command -v addr2line)"
sanitized() {
  env PATH="/usr/bin:$PATH" RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=target/tsan \
    RUSTFLAGS="-Zsanitizer=thread -Zexternal-clangrt -Clinker=clang-19 -Clink-arg=-fsanitize=thread" \
    CC_x86_64_unknown_linux_gnu=clang-19 CFLAGS_x86_64_unknown_linux_gnu=-fsanitize=thread \
    /usr/bin/cargo "$@" --locked -Zbuild-std=std,panic_abort,panic_unwind,test --target $target --features inject-panics
}
sanitized rustc --lib --crate-type cdylib
cp -f "target/tsan/$target/debug/libwspeer.so" $lib/
ln -sf libwspeer.so $lib/libwspeer.so.0
cargo run --quiet --locked --example make_cert -- $lib/cert

# Checks the setup itself: a planted race with the library's code on one side is reported, and with a lock held nothing
# is.
CC="clang-19 -fsanitize=thread" compile planted_race
build/tests/planted_race racy > $lib/planted.log 2>&1 && found=0 || found=$?
if [ $found = 66 ] && grep -q 'data race' $lib/planted.log && grep -q 'wspeer::.*libwspeer' $lib/planted.log; then
  echo "ok - tsan: a planted race is reported"
else
  echo "not ok - tsan: a planted race ended with $found"
  exit 1
fi
build/tests/planted_race guarded > $lib/planted.log 2>&1 && echo "ok - tsan: with a lock nothing is reported" ||
  { echo "not ok - tsan: with a lock something is reported"; cat $lib/planted.log; exit 1; }

for part in $parts; do
  case $part in
  c)
    programs tsan "clang-19 -fsanitize=thread" races threads forks heartbeat multiplayer multiplayer3 \
      careless:never_polls,shuts_down_under_others,ends_at_a_signal,resets_while_inflating
    ;;
  rust)
    # The tests in which threads meet: of the test, of the library (TLS, names) or of a proxy. The others have one
    # thread.
    sanitized test --no-fail-fast --lib --test stale_handles --test waiting --test descriptors --test tls_streams \
      --test panics --test network || rc=1
    sanitized test --test server crowd:: || rc=1
    WSPEER_SOAK_SECONDS=20 sanitized test --test soak || rc=1
    ;;
  *) echo "tsan: $part is neither c nor rust" && exit 2 ;;
  esac
done
exit $rc
