#!/usr/bin/env bash
# The Python package: checked, tested with every interpreter that is here, built as a wheel, installed in a fresh environment and used from another folder.
. "$(dirname "$0")/../lib/common.sh"
need build/venv/bin/python build/venv/bin/mypy build/venv/bin/ruff openssl cc
rc=0
say() {
  if "${@:2}"; then echo "ok - python: $1"; else echo "not ok - python: $1"; rc=1; fi
}
python=$PWD/build/venv/bin/python
export WSPEER_LIBRARY=$(cd "$LIBDIR" && pwd)/libwspeer.so
package=bindings/python

export MYPYPATH=$package/src:$package/tests
for version in 3.9 3.13; do
  say "mypy --strict for $version" "$python" -m mypy --config-file $package/pyproject.toml --python-version $version $package/src $package/examples tests/conformance/conformance.py
done
say "ruff check" "$python" -m ruff check --config $package/pyproject.toml $package tests/conformance/conformance.py
say "ruff format" "$python" -m ruff format --config $package/pyproject.toml --check $package tests/conformance/conformance.py

for interpreter in "$python" $(command -v pypy3 || true) "$HOME"/.pyenv/versions/3.9.*/bin/python "$HOME"/.pyenv/versions/3.13.*/bin/python; do
  [ -x "$interpreter" ] || continue
  PYTHONPATH=$package/src timeout 200 "$interpreter" -X dev $package/tests/run.py || { echo "not ok - the tests in $interpreter ended with $?"; rc=1; }
done
exit $rc
