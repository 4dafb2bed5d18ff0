#!/usr/bin/env bash
# README's quick start as it stands. Its port is fixed, so all of it runs in a network of its own.
. "$(dirname "$0")/../lib/common.sh"
need python3 unshare ip cc
if [ -z "${SNIPPETS_ALONE:-}" ]; then
  unshare -rn true 2> /dev/null || need "a-network-namespace"
  SNIPPETS_ALONE=1 exec unshare -rn "$0"
fi
ip link set lo up
if [ ! -e build/echo_server ] || [ "$(cd "$LIBDIR" && pwd)" != "$PWD/build" ]; then need "build/echo_server-of-make"; fi
rc=0
work=$PWD/build/snippets
rm -rf "$work"
mkdir -p "$work"
ln -s ../../include ../../build ../../bindings "$work/"
extract=$PWD/tests/snippets/extract.py
readme=$PWD/README.md
trap 'jobs -p | xargs -r kill 2> /dev/null || true' EXIT

# check WHAT COMMAND...: a test that passes when the command does
check() {
  if "${@:2}" > "$work/log" 2>&1; then echo "ok - snippets: $1"; else echo "not ok - snippets: $1"; sed 's/^/# /' "$work/log"; rc=1; fi
}

# The blocks, where the program of the first one is hello.c.
"$extract" "$readme" c 'int main(void)' > "$work/hello.c"
"$extract" "$readme" sh './hello' > "$work/commands"
check "no loop runs while ws_next_event() fails" sh -c '! grep -rnE "while \(!?ws_next_event\([^)]*\)\)" README.md docs bindings include examples-c --include=*.md --include=*.h --include=*.c'
check "the header's first program is README's" diff -wB \
  <(sed -n '/^ \*   #include "wspeer.h"/,/^ \*   }/s/^ \*//p' include/wspeer.h) "$work/hello.c"

listens() { (exec 3<> /dev/tcp/127.0.0.1/9080) 2> /dev/null; }
until_listening() {
  for _ in $(seq 200); do
    if listens; then return 0; fi
    sleep 0.05
  done
  return 1
}

cd "$work"
while IFS= read -r line; do
  command=${line%%  #*}
  command=${command%"${command##*[! ]}"}
  case $command in
    make) ;; # what the suite `build` does
    *'&')
      eval "$command" > server.log 2>&1
      check "README: \`$command\` listens" until_listening
      ;;
    ./hello)
      check "README: \`$command\` ends with success" sh -c 'timeout 20 ./hello > hello.log'
      check "README: it shows what the server sent back" grep -qx hello hello.log
      ;;
    *) check "README: \`$command\`" eval "$command" ;;
  esac
done < commands
kill %1
wait %1 2> /dev/null || true
code=0
timeout 20 ./hello > hello.log 2>&1 || code=$?
check "README: hello ends with 1 when nobody listens" test "$code" = 1

# The server: a part of a program.
{ printf '#include "wspeer.h"\n#include <stdio.h>\nvoid part(void);\nvoid part(void) {\n'; "$extract" "$readme" c ws_listen; printf '}\n'; } > server.c
check "README: the server in C compiles" ${CC:-cc} -std=c99 -Wall -Wextra -Werror -Iinclude -c server.c -o server.o

# The browser: the line as it stands, over a program of the smallest.
if command -v emcc > /dev/null; then
  cp hello.c game.c
  line=$(sed -n 's/^`\(emcc game\.c .* -o game\.html\)`.*/\1/p' "$readme")
  check "README: the emcc line is there" test -n "$line"
  check "README: \`emcc game.c …\`" eval "$line"
elif [ -n "${CI:-}" ]; then
  need emcc
else
  echo "SKIP: emcc is missing"
fi
exit $rc
