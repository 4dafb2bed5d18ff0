#!/usr/bin/env bash
# Many players with sessions: the server stops, the proxy is cut, the cable is pulled, addresses change; all resume.
# Usage: players.sh [--long]
# Parts: the names in faults() of tests/players/run.py.
. "$(dirname "$0")/../lib/common.sh"
need python3 timeout ip unshare
# Without the right to create named network namespaces, this runs as root of a user namespace, with its own /run for the
# names and its own loopback.
if [ -z "${PLAYERS_ALONE:-}" ] && ! { ip netns add wspeer-probe-$$ && ip netns del wspeer-probe-$$; } 2> /dev/null &&
  unshare -Urnm true 2> /dev/null; then
  PLAYERS_ALONE=1 exec unshare -Urnm sh -c 'mount -t tmpfs none /run && ip link set lo up && exec "$0" "$@"' "$0" "$@"
fi
for name in crowd cutter; do compile "$name"; done
a=wspeer-players-a-$$
b=wspeer-players-b-$$
clean() {
  ip netns del "$a" 2> /dev/null || true
  ip netns del "$b" 2> /dev/null || true
}
trap clean EXIT
namespaces=()
if { ip netns add "$a" && ip netns add "$b" && ip link add va netns "$a" type veth peer name vb netns "$b"; } \
  2> build/tests/players.log; then
  ip -n "$a" addr add 10.98.7.1/24 dev va
  ip -n "$a" link set va up
  ip -n "$b" link set vb up
  namespaces=(--namespaces "$a" "$b")
fi
timeout 1500 python3 tests/players/run.py "$@" "${namespaces[@]}" ${FILTER:+"$FILTER"} || rc=1
if [ $rc = 0 ] && [ ${#namespaces[@]} = 0 ]; then
  lacks "no cable was pulled and no address changed, as this machine lets us make no network namespaces: $(head -n 1 \
    build/tests/players.log)"
fi
exit $rc
