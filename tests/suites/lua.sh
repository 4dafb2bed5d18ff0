#!/usr/bin/env bash
# docs/binding.md: its example runs in LuaJIT, and its tables match the header's layouts on 64-bit and 32-bit.
. "$(dirname "$0")/../lib/common.sh"
need luajit clang build/echo_server
rc=0
example=build/tests/client.lua
sed -n '/^```lua/,/^```$/p' docs/binding.md | grep -v '^```' > $example
lines=$(grep -c . $example)
[ "$lines" -gt 20 ] && [ "$lines" -le 30 ] && echo "ok - lua: the example has $lines lines" ||
  { echo "not ok - lua: the example has $lines lines instead of 30 at most"; rc=1; }

: > build/tests/lua-echo.log # output of an earlier run
build/echo_server 0 > build/tests/lua-echo.log &
server=$!
for _ in $(seq 100); do
  port=$(sed -n 's/.*\*:\([0-9]*\).*/\1/p' build/tests/lua-echo.log)
  [ -n "$port" ] && break
  sleep 0.1
done
said=$(timeout 20 luajit $example "ws://127.0.0.1:$port" "$LIBDIR/libwspeer.so")
[ "$said" = "hello
closed with 1000: closed as the host asked" ] && echo "ok - lua: the example says hello and closes" ||
  { echo "not ok - lua: the example said $said"; rc=1; }
kill $server
wait $server || rc=1
said=$(timeout 20 luajit $example nothing "$LIBDIR/libwspeer.so" 2>&1) && rc=1
[[ "$said" == *"WS_ERR_URL: the URL cannot be used"* ]] && echo "ok - lua: a bad URL returns its error message" ||
  { echo "not ok - lua: a bad URL returned $said"; rc=1; }

python3 tests/abi/layout.py --documented include/wspeer.h docs/binding.md > build/tests/documented.c
facts=$(grep -c _Static_assert build/tests/documented.c)
for bits in 32 64; do
  if [ "$facts" -gt 30 ] &&
    clang -std=c11 -m$bits -ffreestanding -DWIDE=$((bits / 64)) -fsyntax-only -Iinclude build/tests/documented.c; then
    echo "ok - binding.md: $facts sizes and offsets with $bits-bit pointers"
  else
    echo "not ok - binding.md: sizes and offsets with $bits-bit pointers"
    rc=1
  fi
done
exit $rc
