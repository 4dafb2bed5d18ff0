#!/usr/bin/env bash
# The commands and code blocks of the docs and READMEs, unchanged; covered.py says if one is in no test.
# docs/binding.md is in the suite lua, docs/conformance.md in the suite bindings, the proxies' settings in the suite behind.
# Their port is fixed, so everything runs in a separate network namespace.
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
root=$PWD
extract=$root/tests/snippets/extract.py
wrap=$root/tests/snippets/wrap.py
readme=$root/README.md
start=$root/docs/start
export SNIPPETS_USED=$work/used
trap 'jobs -p | xargs -r kill 2> /dev/null || true' EXIT

# check WHAT COMMAND...: a test that passes if the command does
check() {
  if "${@:2}" > "$work/log" 2>&1; then
    echo "ok - snippets: $1"
  else
    echo "not ok - snippets: $1"
    sed 's/^/# /' "$work/log"
    rc=1
  fi
}

"$extract" "$start/c.md" c 'int main(void)' > "$work/hello.c"
check "no loop runs while ws_next_event() fails" \
  sh -c '! grep -rnE "while \(!?ws_next_event\([^)]*\)\)" README.md docs bindings include examples-c --include=*.md --include=*.h --include=*.c'
check "the header's first program is that of docs/start/c.md" diff -wB \
  <(sed -n '/^ \*   #include "wspeer.h"/,/^ \*   }/s/^ \*//p' include/wspeer.h) "$work/hello.c"

listens() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }
until_listening() {
  for _ in $(seq 200); do
    if listens "${1:-9080}"; then return 0; fi
    sleep 0.05
  done
  return 1
}

cd "$work"
server_ends() {
  kill %% 2> /dev/null
  wait %% 2> /dev/null || true
}
# echoes COMMAND: the command ends with success and has printed the echo
echoes() {
  timeout 60 sh -c "$1" > hello.log 2>&1 && grep -qx hello hello.log || { cat hello.log; return 1; }
}
# starts PAGE FILE LANGUAGE PART: the program of a page of docs/start, saved as it says, and its commands line by line. The
# last one prints the echo.
starts() {
  local page=docs/start/$1 line command last
  "$extract" "$start/$1" "$3" "$4" > "$2"
  "$extract" "$start/$1" sh build/echo_server > commands
  last=$(tail -n 1 commands)
  while IFS= read -r line; do
    command=${line%%  #*}
    command=${command%"${command##*[! ]}"}
    case $command in
      make | 'make godot' | 'pip install'*) continue ;; # in the suites build and gdextension, and below
      'build/echo_server 9080 &')
        build/echo_server 9080 > server.log 2>&1 &
        check "$page: \`$command\` listens" until_listening
        ;;
      'python3 -m http.server 8000 &')
        python3 -m http.server 8000 > /dev/null 2>&1 &
        local pages=$!
        until_listening 8000 && check "$page: the page prints the echo" \
          timeout 100 node "$root/tests/snippets/page.js" http://localhost:8000/game.html hello
        kill "$pages"
        wait "$pages" 2> /dev/null || true
        ;;
      *)
        if [ "$line" = "$last" ]; then
          check "$page: \`$command\` prints the echo" echoes "$command"
        else
          check "$page: \`$command\`" eval "$command"
        fi
        ;;
    esac
  done < commands
}
starts c.md hello.c c 'int main(void)'
server_ends
code=0
timeout 20 ./hello > hello.log 2>&1 || code=$?
check "docs/start/c.md: hello exits with 1 if nobody listens" test "$code" = 1

# wrapped FILE LANGUAGE PART: a block that is a fragment, as a program
wrapped() { "$extract" "$@" | "$wrap" "$2"; }

export WSPEER_LIBRARY=$root/build/libwspeer.so PYTHONPATH=$root/bindings/python/src
# far KIND: starts the remote peer for the following tests, which prints to far.log
far() {
  python3 "$root/tests/snippets/far.py" "$1" > far.log 2>&1 &
  check "the remote peer listens" until_listening
}
# says PART COMMAND...: the command prints PART, and is then ended
says() {
  "${@:2}" > said.log 2>&1 &
  local pid=$! found=1
  for _ in $(seq 400); do
    if grep -q "$1" said.log; then found=0; break; fi
    sleep 0.05
  done
  kill "$pid" 2> /dev/null
  wait "$pid" 2> /dev/null || true
  cat said.log
  return $found
}
# ends COMMAND...: the command ends by itself, with success
ends() { timeout 30 "$@"; }
# received LINE: the remote peer prints the line, which may be after the sender has ended
received() {
  for _ in $(seq 400); do
    if grep -qx "$1" far.log; then return; fi
    sleep 0.05
  done
  cat far.log
  return 1
}
# serves COMMAND...: a server that relays the hello of one client to the other; serves_at PATH COMMAND...: at this path
serves() { serves_at / "$@"; }
serves_at() {
  "${@:2}" > served.log 2>&1 &
  local pid=$! code=0
  until_listening && timeout 30 python3 "$root/tests/snippets/far.py" talkers "$1" || code=$?
  kill "$pid" 2> /dev/null
  wait "$pid" 2> /dev/null || true
  cat served.log
  return $code
}
have() {
  if command -v "$1" > /dev/null; then return; fi
  if [ -n "${CI:-}" ]; then need "$1"; fi
  echo "SKIP: $1 is missing"
  return 1
}

# C: README, the server of docs/start/c.md, and the fragments.
link="-L$root/build -lwspeer -Wl,-rpath,$root/build"
# The checks of fragments, which call only what the header declares.
cc="${CC:-cc} -std=c99 -Wall -Wextra -Werror -Iinclude"
wrapped "$readme" c ws_connect > part.c
check "README: ten lines in C compile" $cc part.c -o part $link
far server
check "README: they show what they receive" says '^hello$' stdbuf -oL ./part
server_ends
wrapped "$start/c.md" c ws_listen > server.c
check "docs/start/c.md: the server compiles" $cc server.c -o server $link
check "docs/start/c.md: the server sends to everyone" serves ./server
{
  cat << 'END'
#include "wspeer.h"
#include <string.h>
void on_hello(int32_t from, const ws_variant *args);
void on_property(int32_t from, uint32_t node, const uint8_t *name, size_t len, const ws_variant *value);
ws_variant name(const char *text), vector(double x, double y), integer(int64_t value);
END
  number=0
  for block in 'ws_join(' 'ws_encode_call(' 'ws_decode_call(' 'WS_EVENT_AUTH)' ws_declare_synchronizer \
    ws_decode_replication; do
    number=$((number + 1))
    printf 'void part%d(ws_handle, ws_event);\nvoid part%d(ws_handle %s, ws_event e) {\n(void)e;\n' $number $number \
      "$([ $number = 1 ] && echo unused || echo h)"
    [ $number = 1 ] && printf '(void)unused;\n' || printf '(void)h;\n'
    "$extract" "$root/docs/godot-scene.md" c "$block"
    printf '}\n'
  done
  printf 'void spawns(ws_handle h, uint32_t node, const ws_variant *moved);\n'
  printf 'void spawns(ws_handle h, uint32_t node, const ws_variant *moved) {\n'
  "$extract" "$root/docs/godot-scene.md" c ws_despawn
  printf '}\n'
} > scene.c
check "docs/godot-scene.md: its parts in C compile" ${CC:-cc} -std=c99 -Wall -Wextra -Werror -Iinclude -c scene.c \
  -o scene.o
{
  printf '#include "wspeer.h"\nws_result part(ws_handle *server);\nws_result part(ws_handle *server) {\n'
  printf 'ws_config config;\nws_config_init(&config, sizeof config);\n'
  "$extract" "$root/SECURITY.md" c allowed_origins
  printf 'return ws_listen("ws://*:9080", &config, server);\n}\n'
} > origin.c
check "SECURITY.md: its part in C compiles" ${CC:-cc} -std=c99 -Wall -Wextra -Werror -Iinclude -c origin.c -o origin.o

{
  printf '#include "wspeer.h"\n#include <stdio.h>\nint part(ws_event event, const char *new_url);\n'
  printf 'int part(ws_event event, const char *new_url) {\n'
  "$extract" "$root/docs/reconnecting.md" c 'config.flags = WS_RECONNECT' | grep -v '^\.\.\.$'
  "$extract" "$root/docs/reconnecting.md" c 'ws_set_url'
  printf 'return 0;\n}\n'
} > reconnecting.c
check "docs/reconnecting.md: its parts in C compile" ${CC:-cc} -std=c99 -Wall -Wextra -Werror -Iinclude -c \
  reconnecting.c -o reconnecting.o

# Pages with one or two parts.
{
  printf '#include "wspeer.h"\n#include <stdio.h>\nvoid part(void);\nvoid log_of(void);\n'
  printf 'void drains(ws_handle server, ws_event event, int signalled);\nvoid part(void) {\n'
  "$extract" "$root/docs/sessions.md" c session_ms
  printf '(void)config;\n}\nvoid log_of(void) {\n'
  "$extract" "$root/docs/debugging.md" c ws_get_log
  printf '}\nvoid drains(ws_handle server, ws_event event, int signalled) {\nint exit_loop = 0;\n'
  "$extract" "$root/docs/deploying.md" c ws_drain | grep -v '^\.\.\.$'
  printf '(void)config;\n(void)exit_loop;\n}\n'
} > parts.c
check "docs/sessions.md, debugging.md, deploying.md: their parts compile" $cc -c parts.c -o parts.o
{
  printf '#include "wspeer.h"\n#include <stdio.h>\nvoid part(ws_config config);\nvoid part(ws_config config) {\n'
  "$extract" "$root/docs/diagnose.md" c ws_diagnose
  printf '}\n'
} > diagnose.c
check "docs/diagnose.md: its part compiles" $cc -c diagnose.c -o diagnose.o

# docs/cookbook.md.
cookbook=$root/docs/cookbook.md
{
  printf '#include "wspeer.h"\nvoid part(ws_handle h, ws_handle server, float position);\n'
  printf 'void part(ws_handle h, ws_handle server, float position) {\n'
  for block in WS_RECONNECT ws_put_latest WS_SIM_TRAIN; do "$extract" "$cookbook" c $block; done
  printf '}\n'
} > cookbook.c
check "docs/cookbook.md: its parts in C compile" $cc -c cookbook.c -o cookbook.o
{ "$extract" "$cookbook" python ask=True | "$wrap" python; echo '    server.wait(0.05)'; } > tokens.py
wrapped "$cookbook" python 'subscribe(event.peer.path)' > rooms_of_paths.py
{
  printf 'import wspeer\n'
  "$extract" "$cookbook" python make_certificate
  "$extract" "$cookbook" python pin_sha256
  cat << 'END'
while player.state == wspeer.State.CONNECTING:
    server.poll()
    player.poll()
assert player.state == wspeer.State.OPEN, player.error
END
} | sed 's/192\.168\.1\.20/127.0.0.1/g' > pinned.py
{ printf 'import wspeer\n'; "$extract" "$cookbook" python trusted_proxies; } > behind.py
"$extract" "$cookbook" python statistics > load.py

# docs/serving.md.
wrapped "$root/docs/serving.md" c ws_make_certificate > certificate.c
check "docs/serving.md: the server with a certificate compiles" ${CC:-cc} -std=c99 -Wall -Wextra -Werror -Iinclude \
  certificate.c -o certificate $link
check "docs/serving.md: it listens and prints its fingerprint" says '^pin_sha256 [0-9a-f]\{64\}$' stdbuf -oL ./certificate
{
  printf 'import pathlib\nimport wspeer\n'
  "$extract" "$root/docs/serving.md" python take_renewed
  cat << 'END'
folder, loaded, pins = pathlib.Path("renewed"), None, []
folder.mkdir(exist_ok=True)
server = None
for _ in range(2):
    made = wspeer.make_certificate("localhost")
    (folder / "fullchain.pem").write_text(made.cert_pem)
    (folder / "privkey.pem").write_text(made.key_pem)
    server = server or wspeer.listen("wss://localhost:0", cert_pem=made.cert_pem, key_pem=made.key_pem)
    loaded = take_renewed(server, folder, loaded)
    assert take_renewed(server, folder, loaded) == loaded
client = wspeer.connect(server.url, pin_sha256=made.sha256)
while client.state == wspeer.State.CONNECTING:
    server.poll()
    client.poll()
assert client.state == wspeer.State.OPEN, client.error
END
} > renewed.py
check "docs/serving.md: a renewed certificate is taken" ends python3 renewed.py
{
  printf '#include "wspeer.h"\nint serve(void);\nint serve(void) {\n'
  "$extract" "$root/docs/serving.md" c WS_SERVE_ISOLATED
  printf 'return 0;\n}\n'
} > page.c
check "docs/serving.md: the server of a page compiles" ${CC:-cc} -std=c99 -Wall -Wextra -Werror -Iinclude -c page.c \
  -o page.o
{
  printf '#include "wspeer.h"\nint serve(void);\nint serve(void) {\n'
  "$extract" "$root/docs/serving.md" c trusted_proxies
  printf 'return 0;\n}\n'
} > proxied.c
check "docs/serving.md: the settings for proxies compile" ${CC:-cc} -std=c99 -Wall -Wextra -Werror -Iinclude -c \
  proxied.c -o proxied.o
{
  printf '#include "wspeer.h"\n#include <stdio.h>\nvoid part(ws_config config, ws_event event);\n'
  printf 'void part(ws_config config, ws_event event) {\n'
  "$extract" "$root/docs/serving.md" c WS_REPORT_REFUSED | grep -v '^\.\.\.$'
  printf '}\n'
} > refused.c
check "docs/serving.md: reading who was turned away compiles" ${CC:-cc} -std=c99 -Wall -Wextra -Werror -Iinclude -c \
  refused.c -o refused.o

{
  printf '#include "wspeer.h"\n#include <string.h>\nvoid serve(void);\n'
  "$extract" "$root/docs/serving.md" c 'static void decide' | sed '/^\.\.\.$/,$d'
  printf 'void serve(void) {\nws_config config;\nws_config_init(&config, sizeof config);\nws_event event = {0};\n'
  "$extract" "$root/docs/serving.md" c 'static void decide' | sed '1,/^\.\.\.$/d; /^\.\.\.$/d'
  printf '(void)config;\n}\n'
} > requests.c
check "docs/serving.md: deciding on requests compiles" ${CC:-cc} -std=c99 -Wall -Wextra -Werror -Iinclude -c \
  requests.c -o requests.o

# docs/topics.md and docs/latest.md.
{
  printf '#include "wspeer.h"\nvoid part(ws_handle server, ws_event event);\n'
  printf 'void part(ws_handle server, ws_event event) {\n'
  "$extract" "$root/docs/topics.md" c ws_subscribe | grep -v '^\.\.\.$'
  printf '}\nstruct thing { uint32_t id; };\n'
  printf 'void each(ws_handle h, const struct thing *object, const uint8_t *bytes, size_t len);\n'
  printf 'void each(ws_handle h, const struct thing *object, const uint8_t *bytes, size_t len) {\n'
  "$extract" "$root/docs/latest.md" c ws_put_latest
  printf '}\n'
} > rooms.c
check "docs/topics.md, docs/latest.md: their parts compile" ${CC:-cc} -std=c99 -Wall -Wextra -Werror -Iinclude -c \
  rooms.c -o rooms.o
{
  printf 'import wspeer\nfrom wspeer import EventType\n'
  printf 'server = wspeer.listen("ws://127.0.0.1:0")\n'
  printf 'players = [wspeer.connect(server.url + room, queue_before_open=True) for room in ("/red", "/red", "/blue")]\n'
  printf 'said = []\nwhile "hello" not in said:\n    server.poll()\n'
  "$extract" "$root/docs/topics.md" python subscribe | sed 's/^/    /'
  cat << 'END'
    for player in players:
        player.poll()
        said += [packet.text for packet in player.packets()]
    if server.stats().subscriptions == 3 and players[0].stats().messages_out == 0:
        players[0].send("hello")
assert said == ["hello"] and players[1].stats().messages_in == 1
END
} > rooms.py
check "docs/topics.md: rooms in Python" ends python3 -W ignore rooms.py

# docs/simulator.md.
{
  printf '#include "wspeer.h"\nvoid two(ws_handle server);\nvoid three(void);\n'
  printf 'void two(ws_handle server) {\n'
  "$extract" "$root/docs/simulator.md" c WS_SIM_4G
  printf '}\nvoid three(void) {\nws_handle server, client;\nws_sim sim;\nws_sim_init(&sim, sizeof sim, WS_SIM_WIFI);\n'
  "$extract" "$root/docs/simulator.md" c ws_advance_time
  printf '}\n'
} > simulated.c
check "docs/simulator.md: simulating a network compiles" ${CC:-cc} -std=c99 -Wall -Wextra -Werror -Iinclude -c \
  simulated.c -o simulated.o

# docs/coming-from: servers in C.
wrapped "$root/docs/coming-from/libwebsockets.md" c ws_listen > echoing.c
wrapped "$root/docs/coming-from/enet.md" c ws_listen > like_enet.c
for name in echoing like_enet; do check "docs/coming-from: $name compiles" $cc $name.c -o $name $link; done
./echoing > server.log 2>&1 &
until_listening
check "docs/coming-from/libwebsockets.md: its server echoes" echoes ./hello
server_ends
check "docs/coming-from/enet.md: its server sends to everyone" serves ./like_enet

# C++.
if have g++; then
  starts cpp.md hello.cc cpp 'int main()'
  server_ends
  cxx="g++ -std=c++17 -Wall -Wextra -Werror -Iinclude -Ibindings/cpp"
  cpp=$root/bindings/cpp/README.md
  wrapped "$root/docs/coming-from/ixwebsocket.md" cpp 'peer::connect' > part.cc
  "$extract" "$cpp" cpp 'int main()' > game.cc
  wrapped "$cpp" cpp 'server::listen' > server.cc
  check "docs/coming-from/ixwebsocket.md: its part compiles" $cxx part.cc -o part_cc $link
  check "bindings/cpp/README.md: the start compiles" $cxx game.cc -o game_cc $link
  check "bindings/cpp/README.md: the server compiles" $cxx server.cc -o server_cc $link
  far server
  check "docs/coming-from/ixwebsocket.md: it shows what it receives" says '^hello$' stdbuf -oL ./part_cc
  check "bindings/cpp/README.md: the start says hello and ends" ends ./game_cc
  check "the remote peer received it" received hello
  server_ends
  check "bindings/cpp/README.md: the server sends to everyone" serves ./server_cc
  # Its section Installation: with the files installed by `make install PREFIX=…`, and by FetchContent from this tree.
  check "docs/start/c.md: make install PREFIX=…" make -s -C "$root" install PREFIX="$work/installed"
  line=$("$extract" "$cpp" sh 'pkg-config' | sed 's/ *#.*//')
  check "bindings/cpp/README.md: \`$line\`" env PKG_CONFIG_PATH="$work/installed/lib/pkgconfig" sh -c "$line"
  if have cmake; then
    for block in find_package FetchContent_MakeAvailable; do
      mkdir -p "$block"
      cp game.cc "$block"
      { printf 'cmake_minimum_required(VERSION 3.16)\nproject(game CXX)\nset(CMAKE_CXX_STANDARD 17)\nadd_executable(game game.cc)\n'; "$extract" "$cpp" cmake "$block"; } > "$block/CMakeLists.txt"
      check "bindings/cpp/README.md: $block" sh -c \
        "cmake -S '$block' -B '$block/build' -DCMAKE_PREFIX_PATH='$work/installed' \
        -DFETCHCONTENT_SOURCE_DIR_WSPEER='$root' -DWSPEER_CARGO_TARGET_DIR='${CARGO_TARGET_DIR:-$root/target}' &&
        cmake --build '$block/build'"
    done
  fi
fi

# C#.
if have mcs && have mono; then
  starts csharp.md hello.cs csharp 'static void Main'
  server_ends
  csharp=$root/bindings/csharp/README.md
  cp -r "$root/bindings/csharp" package
  ln -sf "$root/build/libwspeer.so" package/libwspeer.so
  line=$(sed -n 's/^- \*\*Mono\*\*: `\(.*\)`\.$/\1/p' "$csharp")
  check "bindings/csharp/README.md: \`$line\`" sh -c "cd package && $line"
  wrapped "$root/docs/coming-from/websocket-sharp.md" csharp 'WebSocketPeer.Connect' > package/part.cs
  wrapped "$root/docs/coming-from/websocket-sharp.md" csharp 'WebSocketServer.Listen' > package/server.cs
  "$extract" "$start/csharp.md" csharp GetComponent > package/hello.cs
  "$extract" "$root/docs/coming-from/nativewebsocket.md" csharp AddComponent > package/connection.cs
  wrapped "$csharp" csharp 'WebSocketPeer.Connect' > package/game.cs
  wrapped "$csharp" csharp 'WebSocketClient.ConnectAsync' > package/awaits.cs
  # A method of a component, in a class made here.
  {
    printf 'using UnityEngine;\nusing Wspeer;\nusing Wspeer.Unity;\nclass Game : MonoBehaviour { void Start() {\n'
    "$extract" "$csharp" csharp WebSocketClientBehaviour
    printf '} }\n'
  } > package/component.cs
  for name in part game server awaits; do
    check "C#: $name compiles" sh -c \
      "cd package && mcs -langversion:7.2 -warnaserror -r:Wspeer.dll -out:$name.exe $name.cs"
  done
  far server
  check "docs/coming-from/websocket-sharp.md: its client shows what it receives" says '^hello$' mono package/part.exe
  check "bindings/csharp/README.md: ten lines say hello and end" ends mono package/game.exe
  check "the remote peer received it" received hello
  # Mono may hang at its end after a task.
  mkdir -p package/net8
  ln -sf "$root/build/libwspeer.so" package/net8/libwspeer.so
  check "C#: awaits compiles for .NET 8" sh -c \
    "'$root/tests/csharp/csc' -unsafe -target:library -out:'$work/package/net8/Wspeer.dll' '$root'/bindings/csharp/Runtime/Core/*.cs &&
    '$root/tests/csharp/csc' -r:'$work/package/net8/Wspeer.dll' -out:'$work/package/net8/awaits.dll' '$work/package/awaits.cs'"
  check "bindings/csharp/README.md: async and await show the echo and end" \
    ends "$root/tests/csharp/net8" package/net8/awaits.dll
  server_ends
  check "bindings/csharp/README.md: the component compiles" sh -c \
    "cd package && mcs -langversion:7.2 -nologo -target:library -out:UnityStub.dll '$root/tests/csharp/UnityStub.cs' &&
    mcs -langversion:7.2 -nologo -target:library -r:Wspeer.dll -r:UnityStub.dll -out:Wspeer.Unity.dll \
      Runtime/Unity/*.cs &&
    mcs -langversion:7.2 -nologo -target:library -r:Wspeer.dll -r:Wspeer.Unity.dll -r:UnityStub.dll component.cs"
  check "docs/start/csharp.md, docs/coming-from/nativewebsocket.md: the components compile" sh -c \
    "cd package && mcs -langversion:7.2 -nologo -warnaserror -target:library -r:Wspeer.dll -r:Wspeer.Unity.dll -r:UnityStub.dll \
      -out:components.dll hello.cs connection.cs"
  check "docs/coming-from/websocket-sharp.md: a room of its server" serves_at /chat mono package/server.exe
  # Godot's .NET edition is not in Debian: this checks only the language, against a stub of its classes.
  "$extract" "$root/bindings/godot/README.md" csharp ClassDB.Instantiate > node.cs
  check "bindings/godot/README.md: the C# example compiles" \
    mcs -langversion:7.2 -nologo -warnaserror -target:library -out:node.dll node.cs "$root/tests/csharp/GodotStub.cs"
fi

# Python.
python=$root/bindings/python/README.md
wrapped "$python" python 'wspeer.connect' > game.py
wrapped "$python" python 'wspeer.listen' > server.py
wrapped "$python" python 'wspeer.aio.connect' > aio.py
starts python.md hello.py python 'peer.events()'
"$extract" "$start/python.md" python wspeer.aio > hello_aio.py
check "docs/start/python.md: asyncio prints the echo" echoes "python3 hello_aio.py"
check "docs/cookbook.md: the load test measures" ends python3 load.py ws://127.0.0.1:9080 20 3
server_ends
for name in pinned behind; do check "docs/cookbook.md: $name" ends python3 -W ignore $name.py; done
check "docs/cookbook.md: rooms" serves_at /red python3 rooms_of_paths.py
python3 tokens.py > served.log 2>&1 &
until_listening
check "docs/cookbook.md: tokens" ends python3 "$root/tests/snippets/far.py" tokens
server_ends
far server
check "bindings/python/README.md: ten lines say hello and end" ends python3 game.py
check "the remote peer received it" received hello
server_ends
far server
check "bindings/python/README.md: asyncio says hello and ends" ends python3 aio.py
check "the remote peer received it" received hello
server_ends
check "bindings/python/README.md: the server sends to all but one" serves python3 server.py
# The game's own work replaces the dots in the block.
{
  printf 'import wspeer\n'
  "$extract" "$python" python declare_node |
    sed '0,/^\.\.\.$/s//while player.state != wspeer.State.OPEN: player.poll()/; 0,/^\.\.\.$/s//event = next(iter(player.events()))/'
  printf 'player.close()\nwhile player.state != wspeer.State.CLOSED: player.poll()\n'
} > scene.py
far scene
check "bindings/python/README.md: the player calls" ends python3 scene.py
check "the remote peer received it" received 'hello 5 \[1.5\]'
server_ends
{
  printf 'import wspeer\n'
  "$extract" "$python" python declare_scene |
    sed '0,/^\.\.\.$/s//while player.state != wspeer.State.OPEN: player.poll()/
      0,/^\.\.\.$/s//while not (found := [e for e in player.events() if e.nodes]): player.poll()\nevent = found[0]/
      0,/^\.\.\.$/s///'
  printf 'player.close()\nwhile player.state != wspeer.State.CLOSED: player.poll()\n'
} > replicated.py
far scene
check "bindings/python/README.md: the player has the node that the host spawned" says "^SPAWN Mob 1 {'.:position'" \
  python3 -u replicated.py
check "the remote peer has the node that the player spawned" received 'SPAWN Me (1.0, 2.0)'
check "and what it synchronized" received 'SYNC  (3.0, 2.0)'
server_ends
if [ -x "$root/build/venv/bin/python" ] && command -v cargo > /dev/null; then
  line=$("$extract" "$python" sh 'pip install' | sed 's/ *#.*//')
  packages=$("$root/build/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  check "bindings/python/README.md: \`$line\`" sh -c \
    "'$root/build/venv/bin/python' -m venv '$work/fresh' && . '$work/fresh/bin/activate' && cd '$root' &&
    env -u WSPEER_LIBRARY PYTHONPATH='$packages' PIP_NO_BUILD_ISOLATION=0 PIP_NO_INDEX=1 $line &&
    cd / && env -u WSPEER_LIBRARY -u PYTHONPATH python -c 'import wspeer'"
elif [ -n "${CI:-}" ]; then
  need build/venv/bin/python cargo
fi

# LuaJIT; docs/binding.md is in the suite lua.
if have luajit; then
  starts lua.md hello.lua lua ffi.load
  server_ends
fi

# Godot: the blocks are scripts; the engine must be able to parse all of them.
godot=$root/build/godot/godot4
if [ -x "$godot" ] && [ -e "$root/build/godot-addon/addons/wspeer/wspeer.gdextension" ]; then
  mkdir -p godot/.godot
  cp -r "$root/build/godot-addon/addons" godot/
  printf 'config_version=5\n' > godot/project.godot
  echo 'res://addons/wspeer/wspeer.gdextension' > godot/.godot/extension_list.cfg
  "$extract" "$root/bindings/godot/README.md" gdscript WSPeer.new > godot/peer.gd
  { printf 'extends Node\n'; "$extract" "$root/bindings/godot/README.md" gdscript WSServer.new; } > godot/server.gd
  { printf 'extends Node\n'; "$extract" "$root/bindings/godot/README.md" gdscript ClassDB.instantiate; } > godot/by_name.gd
  { printf 'extends Node\n'; "$extract" "$root/docs/godot3.md" gdscript create_server; } > godot/godot3.gd
  { printf 'extends Node\n'; "$extract" "$root/docs/coming-from/godot4.md" gdscript create_client; } > godot/godot4.gd
  for name in peer server by_name godot3 godot4; do
    check "bindings/godot/README.md, docs/godot3.md, docs/coming-from/godot4.md: $name" \
      sh -c "HOME='$work' timeout 60 '$godot' --headless --path godot --check-only --script $name.gd > godot.log 2>&1
      code=\$?; cat godot.log; ! grep -q ERROR godot.log && exit \$code"
  done
  mkdir -p bin
  ln -sf "$godot" bin/godot
  HOME=$work PATH=$work/bin:$PATH starts godot.md hello.gd gdscript 'extends SceneTree'
  server_ends
elif [ -n "${CI:-}" ]; then
  need "$godot" "$root/build/godot-addon"
fi

# The browser.
if have emcc && have chromium && have node; then
  need "$root/build/node/node_modules/playwright-core"
  starts web.md game.c c emscripten.h
  server_ends
fi
check "every code block of the docs is in a test" "$root/tests/snippets/covered.py" "$SNIPPETS_USED"

# Commands: every mentioned target exists, and the one that takes seconds runs.
cd "$root"
targets=$(grep -ohE '`make [a-z0-9-]+' README.md SECURITY.md docs/*.md docs/*/*.md bindings/*/README.md | sed 's/`make //' |
  sort -u)
for target in $targets; do
  grep -qE "^$target:|^$target " Makefile ||
    { echo "not ok - snippets: make $target is documented and is not a target"; rc=1; }
done
check "every \`make …\` that is documented is a target: $(echo "$targets" | wc -l)" test -n "$targets"
if command -v cargo > /dev/null; then check "README: \`make demo\`" timeout 300 make -s demo DEMO="--seconds 3"; fi
exit $rc
