#!/usr/bin/env bash
# The header in every dialect, layouts, exported symbols, and misuse of every export.
# Parts: the programs abuse, loans and put_packets; the rest always runs.
. "$(dirname "$0")/../lib/common.sh"
need gcc g++ clang nm
echo '#include "wspeer.h"
int main(void) { ws_config c; ws_config_init(&c, sizeof c); c.max_clients = WS_OFF; return (int)(ws_version() - WS_VERSION); }' > build/tests/dialect.c
cp build/tests/dialect.c build/tests/dialect.cc
for one in "gcc -std=c99 c" "gcc -std=c11 c" "clang -std=c99 c" "clang -std=c11 c" "g++ -std=c++11 cc" \
  "g++ -std=c++20 cc" "clang++ -std=c++11 cc" "clang++ -std=c++20 cc"; do
  set -- $one
  if $1 $2 -Wall -Wextra -Wpedantic -Wconversion -Werror -Iinclude build/tests/dialect.$3 -o build/tests/dialect \
    -L"$LIBDIR" -lwspeer -Wl,-rpath,"$(cd "$LIBDIR" && pwd)" && build/tests/dialect; then
    echo "ok - header: $1 $2"
  else
    echo "not ok - header: $1 $2"
    rc=1
  fi
done
# Its comments are those of C99, which -Wpedantic would report.
for compiler in gcc clang; do
  if $compiler -std=gnu89 -Wall -Wextra -Wconversion -Werror -Iinclude -fsyntax-only build/tests/dialect.c; then
    echo "ok - header: $compiler -std=gnu89"
  else
    echo "not ok - header: $compiler -std=gnu89"
    rc=1
  fi
done
python3 tests/abi/layout.py --fields include/wspeer.h > build/tests/layout_fields.h
compile layout -Ibuild/tests
build/tests/layout | python3 tests/abi/layout.py --compare include/wspeer.h || rc=1
python3 tests/abi/layout.py --symbols include/wspeer.h "$LIBDIR/libwspeer.so" || rc=1
for name in abuse loans put_packets; do LIMIT=120 program "$name"; done
${CC:-cc} $STRICT -g tests/c/reload.c -o build/tests/reload -ldl
timeout 60 build/tests/reload "$(cd "$LIBDIR" && pwd)/libwspeer.so" || { echo "not ok - reload ended with $?"; rc=1; }
exit $rc
