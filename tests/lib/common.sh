# Shared by the suites. Sourced first; changes to the root of the checkout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
LIBDIR=${LIBDIR:-build}
STRICT="-std=c99 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Wall -Wextra -Wpedantic -Wconversion -Werror"
# The result of the suite, for `exit $rc`.
rc=0
mkdir -p build/tests
# tests/run builds these; a suite run by hand builds them itself.
if [ ! -e "$LIBDIR/libwspeer.so" ] && [ "$LIBDIR" = build ]; then make all; fi

# alone COMMAND...: runs a command that suites running at the same time must not run twice at once
alone() { flock build/tests/lock "$@"; }

# part NAME: whether the part of this name is selected. FILTER names the parts to run; empty: all.
part() { [[ $1 == *"${FILTER:-}"* ]]; }

# compile NAME [FLAGS...]: tests/c/NAME.c to build/tests/NAME
compile() {
  local name=$1
  shift
  # Another suite may run the same program: the new file replaces it atomically.
  ${CC:-cc} $STRICT -g -O1 -Iinclude "tests/c/$name.c" -o "build/tests/$name.$$" -L"$LIBDIR" -lwspeer \
    -Wl,-rpath,"$(cd "$LIBDIR" && pwd)" -lpthread "$@"
  mv -f "build/tests/$name.$$" "build/tests/$name"
}

# program NAME [ARGUMENT...]: compiles tests/c/NAME.c with $FLAGS and runs it under $WRAP for at most $LIMIT seconds
# (200 by default).
program() {
  local name=$1 code=0
  shift
  part "$name" || return 0
  compile "$name" ${FLAGS:-}
  timeout "${LIMIT:-200}" ${WRAP:-} "build/tests/$name" "$@" || code=$?
  [ "$code" = 0 ] || { echo "not ok - $name ended with $code"; rc=1; }
}

# certificate DIRECTORY: creates a self-signed certificate for localhost, DIRECTORY/cert.pem and DIRECTORY/key.pem. The
# feature is that of the Rust tests, which have built this library.
certificate() { cargo run --quiet --locked --features inject-panics --example make_cert -- "$1"; }

# need FILE-OR-COMMAND...: if missing, a failure in CI and a printed skip elsewhere
need() {
  for tool in "$@"; do
    if [ ! -e "$tool" ] && ! PATH=$PATH:/usr/sbin command -v "$tool" > /dev/null; then lacks "$tool is missing"; fi
  done
}

# lacks WHY: ends a suite that cannot run here: a failure in CI, a printed skip elsewhere
lacks() {
  if [ -n "${CI:-}" ]; then
    echo "not ok - $1"
    exit 1
  fi
  echo "SKIP: $1"
  exit 0
}
