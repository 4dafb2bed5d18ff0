# For the suites: the folder, compiling test programs against the header and the shared library, and what to do without a tool.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
LIBDIR=${LIBDIR:-build}
STRICT="-std=c99 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Wall -Wextra -Wpedantic -Wconversion -Werror"
mkdir -p build/tests

# compile NAME [FLAGS...]: tests/c/NAME.c to build/tests/NAME
compile() {
  local name=$1
  shift
  ${CC:-cc} $STRICT -g -O1 -Iinclude "tests/c/$name.c" -o "build/tests/$name" -L"$LIBDIR" -lwspeer -Wl,-rpath,"$(cd "$LIBDIR" && pwd)" -lpthread "$@"
}

# need FILE-OR-COMMAND...: a failure in CI, a printed skip elsewhere
need() {
  for tool in "$@"; do
    if [ ! -e "$tool" ] && ! PATH=$PATH:/usr/sbin command -v "$tool" > /dev/null; then
      if [ -n "${CI:-}" ]; then
        echo "not ok - $tool is missing"
        exit 1
      fi
      echo "SKIP: $tool is missing"
      exit 0
    fi
  done
}
