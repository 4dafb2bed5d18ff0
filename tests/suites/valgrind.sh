#!/usr/bin/env bash
# The C examples under memcheck: no error, and no memory definitely lost.
. "$(dirname "$0")/../lib/common.sh"
need valgrind build/demo build/tests
certificate build/tests/valgrind-cert
cert=build/tests/valgrind-cert/cert.pem key=build/tests/valgrind-cert/key.pem
logs=build/tests/valgrind
# Removes the output of earlier runs.
rm -rf $logs
mkdir -p $logs
# minimal_client trusts $cert by SSL_CERT_FILE instead of the system's roots, which take one second to read under
# memcheck.
unset SSL_CERT_DIR
kinds=definite

# check NAME PROGRAM...: becomes this program under memcheck; call it in a subshell
check() {
  local name=$1
  shift
  exec valgrind -q --error-exitcode=99 --suppressions=tests/lib/valgrind.supp --leak-check=full \
    --show-leak-kinds=$kinds --errors-for-leak-kinds=$kinds --log-file=$logs/$name.log "$@"
}

# verdict NAME STATUS
verdict() {
  if [ "$2" = 0 ] && [ ! -s $logs/$1.log ]; then
    echo "ok - memcheck: $1"
  else
    echo "not ok - memcheck: $1 ended with $2"
    cat $logs/$1.log
    rc=1
  fi
}

# start NAME PROGRAM...: starts it in the background with its output in a file; sets url from its output
start() {
  local name=$1
  (check "$@") > $logs/$name.out <&0 &
  pid=$!
  for _ in $(seq 600); do
    url=$(grep -oE 'wss?://[^ ]+' $logs/$name.out | head -n 1 || true)
    [ -n "$url" ] && break
    sleep 0.1
  done
  url=${url/\*/localhost}
}

# await FILE WORD: waits until the word is printed
await() {
  for _ in $(seq 600); do grep -q "$2" "$1" 2> /dev/null && return 0; sleep 0.1; done
  echo "not ok - memcheck: $2 did not come in $1"
  rc=1
}

# end PID: a program that has already ended is judged by its status
end() { kill "$1" 2> /dev/null || true; }

(check demo build/demo --seconds 8 --bots 4) > $logs/demo.out && status=0 || status=$?
verdict demo $status

for scheme in ws wss; do
  if [ $scheme = wss ]; then
    start echo_server_wss build/echo_server 0 $cert $key
  else
    start echo_server_ws build/echo_server 0
  fi
  server=$pid
  for try in 1 2 3 4 5; do
    rm -f $logs/minimal_client_$scheme.out
    touch $logs/minimal_client_$scheme.out
    (SSL_CERT_FILE=$cert check minimal_client_$scheme build/minimal_client "$url" "" $cert) \
      > $logs/minimal_client_$scheme.out &
    client=$!
    until grep -q "Got text data from server: Test packet" $logs/minimal_client_$scheme.out ||
      ! kill -0 $client 2> /dev/null; do
      sleep 0.1
    done
    end $client
    wait $client && status=0 || status=$?
    # On a busy machine, a handshake under memcheck may exceed the timeout of either end.
    grep -q "Closed with code 1006" $logs/minimal_client_$scheme.out && [ ! -s $logs/minimal_client_$scheme.log ] ||
      break
    echo "# a handshake took too long: try $try of 5"
  done
  verdict minimal_client_$scheme $status
  end $server
  wait $server && status=0 || status=$?
  verdict echo_server_$scheme $status
done

start multiplayer_host build/multiplayer host 0 4 < /dev/null
server=$pid
(check multiplayer_join build/multiplayer join "$url") > $logs/multiplayer_join.out && status=0 || status=$?
verdict multiplayer_join $status
wait $server && status=0 || status=$?
verdict multiplayer_host $status
grep -q "I am peer" $logs/multiplayer_join.out && grep -q "has come" $logs/multiplayer_host.out &&
  echo "ok - the players met" || { echo "not ok - the players met"; rc=1; }

# Calls and values, with lent items and the caller's buffers, valid and invalid.
compile shutdown
(kinds=definite,indirect,possible; check shutdown build/tests/shutdown $cert $key) > $logs/shutdown.out && status=0 ||
  status=$?
grep -E '^figure|^not ok' $logs/shutdown.out
verdict shutdown $status

for name in scene scene_bytes; do
  compile $name
  (check $name build/tests/$name) > $logs/$name.out && status=0 || status=$?
  verdict $name $status
done

# Each end of the chat reads from a pipe that this shell holds open, and closes at the end of its input.
rm -f $logs/say_server $logs/say_client
mkfifo -m 600 $logs/say_server $logs/say_client
exec 7<> $logs/say_server 8<> $logs/say_client
start chat_server build/chat server 0 < $logs/say_server 7>&- 8>&-
server=$pid
(check chat_client build/chat client "$url" ann) < $logs/say_client > $logs/chat_client.out 7>&- 8>&- &
client=$!
await $logs/chat_server.out "ann is here"
echo hello >&8
await $logs/chat_server.out "ann: hello"
exec 8>&-
wait $client && status=0 || status=$?
verdict chat_client $status
await $logs/chat_server.out "ann has left"
exec 7>&-
wait $server && status=0 || status=$?
verdict chat_server $status
exit $rc
