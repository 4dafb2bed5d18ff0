#!/usr/bin/env bash
# The C++ header: gcc and clang, C++17, C++20 and C++23, with and without exceptions and RTTI; its README and examples.
. "$(dirname "$0")/../lib/common.sh"
need g++ clang++ openssl
out=build/cpp
mkdir -p $out
link="-Iinclude -Ibindings/cpp -L$LIBDIR -lwspeer -Wl,-rpath,$(cd "$LIBDIR" && pwd)"
gcc="g++ -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual -Werror -g -fsanitize=address,undefined"
# The disabled warnings ask for C++98, for no padding, or for what a header alone cannot have.
clang="clang++ -Weverything -Wno-c++98-compat -Wno-c++98-compat-pedantic -Wno-padded -Wno-weak-vtables -Werror -g -O1"
rc=0

# types NAME COMPILER...: builds and runs the test of the types
types() {
  local name=$1
  shift
  if "$@" tests/cpp/types.cc -o "$out/types-$name" $link && timeout 60 "$out/types-$name" |
    sed "s/ - c++: / - c++: $name: /"; then
    return
  fi
  echo "not ok - c++: $name"
}

# Both compilers in parallel. An instrumented library needs one sanitizer's runtime, so that run names its compiler.
compilers=${COMPILERS:-gcc clang}
for compiler in $compilers; do
  for std in 17 20; do
    types "$compiler c++$std" ${!compiler} -std=c++$std
    types "$compiler c++$std without exceptions" ${!compiler} -std=c++$std -fno-exceptions -fno-rtti
  done > $out/$compiler.log 2>&1 &
done
# The only standard with std::expected, which clang lacks with this library.
case $compilers in *gcc*) types "gcc c++2b" $gcc -std=c++2b > $out/gcc2b.log 2>&1 & esac
wait
for compiler in $compilers; do
  cat $out/$compiler.log
  grep -q '^not ok' $out/$compiler.log && rc=1
done

if [ -e $out/gcc2b.log ]; then
  cat $out/gcc2b.log
  grep -q '^not ok' $out/gcc2b.log && rc=1
fi

for example in minimal_client echo_server chat; do
  $gcc -std=c++17 bindings/cpp/examples/$example.cc -o $out/$example $link ||
    { echo "not ok - c++: $example is built"; exit 1; }
done
timeout 200 python3 tests/cpp/run_examples.py $out || rc=1

# The start of the README, word for word except for the port.
: > $out/echo.log # output of an earlier run
$out/echo_server 0 > $out/echo.log &
server=$!
for _ in $(seq 100); do
  port=$(sed -n 's/.*\*:\([0-9]*\).*/\1/p' $out/echo.log)
  [ -n "$port" ] && break
  sleep 0.1
done
sed -n '/^```cpp/,/^```$/p; /^```$/q' bindings/cpp/README.md | grep -v '^```' | sed "s/:9080/:$port/" > $out/start.cc
if $gcc -std=c++17 $out/start.cc -o $out/start $link && [ "$(timeout 20 $out/start)" = "hello
closed as the host asked" ]; then
  echo "ok - c++: the start in the README"
else
  echo "not ok - c++: the start in the README"
  rc=1
fi
kill $server
wait $server || rc=1
diff <(sed -n 's|^//   ||p; s|^//$||p' bindings/cpp/wspeer.hpp | sed '/^int main/,/^}/!d') \
  <(sed '/^int main/,/^}/!d' $out/start.cc | sed "s/:$port/:9080/") &&
  echo "ok - c++: the header begins with the same example" ||
  { echo "not ok - c++: the header begins with the same example"; rc=1; }
exit $rc
