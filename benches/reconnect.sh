#!/usr/bin/env bash
# Runs build/bench/reconnect against two instances of the load program with TLS, with tickets and without.
set -euo pipefail
cd "$(dirname "$0")/../build/bench"
pids=
trap 'kill $pids' EXIT
ports=()
for tickets in "" --no-tickets; do
  # shellcheck disable=SC2086
  ./load echo --cert cert/cert.pem --key cert/key.pem $tickets > "reconnect$tickets.port" &
  pids="$pids $!"
  until [ -s "reconnect$tickets.port" ]; do kill -0 $! && sleep 0.02; done
  ports+=("$(cut -d' ' -f2 "reconnect$tickets.port")")
  rm "reconnect$tickets.port"
done
./reconnect "${ports[@]}" cert/cert.pem
