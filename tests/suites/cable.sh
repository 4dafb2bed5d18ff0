#!/usr/bin/env bash
# A connection between two network namespaces whose cable is pulled before, during and after the exchange.
. "$(dirname "$0")/../lib/common.sh"
need ip timeout unshare
# Without the right to create named network namespaces, this runs as root of a user namespace, with its own /run for the
# names.
if [ -z "${CABLE_ALONE:-}" ] && ! { ip netns add wspeer-probe && ip netns del wspeer-probe; } 2> /dev/null; then
  CABLE_ALONE=1 exec unshare -Urnm sh -c 'mount -t tmpfs none /run && exec "$0"' "$0"
fi
a=wspeer-a-$$
b=wspeer-b-$$
clean() {
  jobs -p | xargs -r kill 2> /dev/null || true
  ip netns del "$a" 2> /dev/null || true
  ip netns del "$b" 2> /dev/null || true
}
trap clean EXIT
if ! { ip netns add "$a" && ip netns add "$b" && ip link add va netns "$a" type veth peer name vb netns "$b"; } \
  2> build/tests/cable.log; then
  lacks "this machine lets us make no network namespaces: $(head -n 1 build/tests/cable.log)"
fi
ip -n "$a" addr add 10.99.0.1/24 dev va
ip -n "$b" addr add 10.99.0.2/24 dev vb
ip -n "$a" link set va up
ip -n "$b" link set vb up
compile cable

# has FILE TEXT: waits until the file contains the text
has() {
  for _ in $(seq 200); do
    grep -q "$2" "$1" && return 0
    sleep 0.05
  done
  return 1
}
expect() {
  if has "$1" "$2"; then echo "ok - cable: $3"; else
    echo "not ok - cable: $3: $(tail -n 1 "$1")"
    rc=1
  fi
}
server=build/tests/cable-server.log
client=build/tests/cable-client.log
ip netns exec "$a" timeout 60 build/tests/cable server ws://10.99.0.1:9080 > $server &
expect $server ready "the server listens"
ip netns exec "$b" timeout 60 build/tests/cable client ws://10.99.0.1:9080 > $client &
expect $client open "the client is open"
expect $server open "the server knows it"
ip -n "$a" link set va down
expect $client "phase=6 cause=9 code=1006 clean=0" "the client finds the pulled cable by its heartbeat"
expect $server "phase=6 cause=9 code=1006 clean=0" "the server finds it too"
ip netns exec "$b" timeout 60 build/tests/cable client ws://10.99.0.1:9080 > $client &
expect $client "phase=2 cause=2[24] code=1006" \
  "with the cable pulled, connecting ends in TCP by its time-out or as unreachable"
ip netns exec "$b" timeout 60 build/tests/cable client ws://10.98.0.1:9080 > $client &
expect $client "phase=2 cause=24 code=1006" "without a route, the address is unreachable"
exit $rc
