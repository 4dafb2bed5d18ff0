#!/usr/bin/env bash
# The example of a cluster: rooms on three nodes behind HAProxy, joined by NATS; nodes and the engine are killed.
# Parts: "sources", "rules" (presence and history without processes), "faults".
. "$(dirname "$0")/../lib/common.sh"
python=$PWD/build/venv/bin/python
need nats-server haproxy "$python"
"$python" -c 'import nats, mypy, ruff' 2> /dev/null || lacks "the Python packages nats-py, mypy and ruff are missing"
# check WHAT COMMAND...
check() {
  if output=$("${@:2}" 2>&1); then
    echo "ok - cluster: $1"
  else
    echo "not ok - cluster: $1"
    echo "$output"
    rc=1
  fi
}
if part sources; then
  sources="examples/cluster tests/cluster"
  settings=bindings/python/pyproject.toml
  check "mypy --strict" env MYPYPATH=bindings/python/src:examples/cluster "$python" -m mypy --config-file $settings \
    --python-version 3.9 examples/cluster
  check "ruff check" "$python" -m ruff check --config $settings $sources
  check "ruff format" "$python" -m ruff format --config $settings --check $sources
fi
WSPEER_LIBRARY=$(cd "$LIBDIR" && pwd)/libwspeer.so PYTHONPATH=bindings/python/src:examples/cluster \
  timeout 300 "$python" tests/cluster/run.py ${FILTER:+"$FILTER"} || rc=1
exit $rc
