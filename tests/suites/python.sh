#!/usr/bin/env bash
# The Python package: checked, tested with the installed interpreters, built, installed and used from elsewhere.
. "$(dirname "$0")/../lib/common.sh"
python=$PWD/build/venv/bin/python
need "$python" openssl cc cargo
"$python" -c 'import mypy, ruff, setuptools.command.bdist_wheel' 2> /dev/null || need "mypy-and-ruff"
root=$PWD
work=$root/build/python
library=$(cd "$LIBDIR" && pwd)/libwspeer.so
rc=0
# check WHAT COMMAND...
check() {
  if "${@:2}" > "$work/output" 2>&1; then
    echo "ok - python: $1"
  else
    echo "not ok - python: $1"
    cat "$work/output"
    rc=1
  fi
}
# told WHAT PART: the output of the last check contains PART
reported() {
  if grep -qF "$2" "$work/output"; then
    echo "ok - python: $1"
  else
    echo "not ok - python: $1"
    cat "$work/output"
    rc=1
  fi
}
not() { ! "$@"; }
rm -rf "$work" bindings/python/build
mkdir -p "$work/elsewhere"

# The sources.
cd bindings/python
programs=(../../tests/conformance/{conformance,local,shared}.py)
for version in 3.9 3.13; do
  check "mypy --strict for Python $version" env MYPYPATH=src "$python" -m mypy --python-version $version src examples \
    "${programs[@]}"
done
check "ruff check" "$python" -m ruff check . "${programs[@]}"
check "ruff format" "$python" -m ruff format --check . "${programs[@]}"

# The tests from the sources, also with the oldest and the newest interpreter if installed.
tests() { WSPEER_LIBRARY=$library PYTHONPATH=src timeout 400 "$1" -X dev tests/run.py ||
  { echo "not ok - python: the tests in $1 ended with $?"; rc=1; }; }
tests "$python"
for version in 3.9 3.13; do
  interpreter=$(ls "$HOME"/.pyenv/versions/$version.*/bin/python 2> /dev/null | tail -n 1 || true)
  interpreter=${interpreter:-$(command -v python$version || true)}
  if [ -n "$interpreter" ]; then
    tests "$interpreter"
  else
    echo "SKIP: the tests with Python $version, which is not here"
  fi
done

# What pip builds from the checkout: cargo builds the library again, for a wheel without another one.
check "pip builds a wheel" "$python" -m pip wheel -q --no-deps --no-build-isolation --disable-pip-version-check \
  -w "$work/wheel" .
wheel=$(echo "$work"/wheel/*.whl)
check "the wheel is for one platform and any Python 3" expr "$wheel" : ".*/wspeer-0\.1\.0-py3-none-[a-z]*_.*\.whl"
check "the wheel holds the library and py.typed, and nothing of the tests" "$python" - "$wheel" << 'END'
import sys, zipfile
names = set(zipfile.ZipFile(sys.argv[1]).namelist())
assert {"wspeer/libwspeer.so", "wspeer/py.typed", "wspeer/aio.py"} <= names, names
assert all(name.startswith(("wspeer/", "wspeer-")) for name in names), names
assert {name.rpartition("/")[2] for name in names} >= {"LICENSE-MIT", "LICENSE-APACHE"}, names
said = zipfile.ZipFile(sys.argv[1]).read(next(name for name in names if name.endswith("/METADATA"))).decode()
for line in ("Author: the wspeer developers", "Project-URL: Homepage, https://", "License-Expression: MIT OR Apache-2.0"):
    assert f"\n{line}" in said, said
END
check "its library is the one that make builds" sh -c \
  "unzip -p '$wheel' wspeer/libwspeer.so | cmp - '$root/build/libwspeer.so'"
check "a fresh environment installs it without a registry" \
  sh -c "'$python' -m venv '$work/fresh' &&
    '$work/fresh/bin/python' -m pip install -q --no-index --disable-pip-version-check '$wheel'"
fresh=$work/fresh/bin/python

cd "$work/elsewhere"
cat > game.py << 'END'
import pathlib, sys, wspeer
from wspeer import EventType
assert pathlib.Path(wspeer.__file__).is_relative_to(sys.prefix) and pathlib.Path(wspeer._library.PATH).is_relative_to(sys.prefix)
said: list[str] = []
with wspeer.listen("ws://127.0.0.1:0") as server, wspeer.connect(server.url) as peer:
    while peer.state != wspeer.State.CLOSED:
        server.poll()
        for event in server.events():
            if event.type == EventType.MESSAGE:
                server.send(event.text.upper(), to=event.peer)
        peer.poll()
        for event in peer.events():
            if event.type == EventType.OPEN:
                peer.send("hello")
            elif event.type == EventType.MESSAGE:
                said.append(event.bytes.decode())
                peer.close()
        wspeer.wait([server, peer], 0.016)
assert said == ["HELLO"] and wspeer.__version__ == wspeer.library_version()
END
check "it works from another folder" env -u WSPEER_LIBRARY -u PYTHONPATH timeout 30 "$fresh" -X dev -W error game.py
check "its types reach the user's mypy --strict" "$python" -m mypy --strict --python-executable "$fresh" game.py
echo 'import wspeer; wspeer.connect("ws://localhost", max_clinets=3)' > typo.py
check "a misspelt option is a type error" not "$python" -m mypy --strict --python-executable "$fresh" typo.py
reported "the error names it" max_clinets
env -u WSPEER_LIBRARY timeout 100 "$python" "$root/bindings/python/tests/drive_examples.py" "$fresh" || rc=1

# A source distribution contains no Rust sources, and reports that.
cd "$root/bindings/python"
check "a source distribution is made" "$python" -c "from setuptools import build_meta; build_meta.build_sdist('$work')"
mkdir "$work/sdist" && tar -xzf "$work"/wspeer-*.tar.gz -C "$work/sdist"
check "a source distribution is not built without a library" not env -u WSPEER_LIBRARY "$python" -m pip wheel \
  -q --no-deps --no-build-isolation -w "$work/none" "$work"/sdist/wspeer-*
reported "the error says what to do" "set WSPEER_LIBRARY to a library to put inside"
check "a source distribution is built with a library" env WSPEER_LIBRARY="$library" "$python" -m pip wheel \
  -q --no-deps --no-build-isolation -w "$work/none" "$work"/sdist/wspeer-*
rm -rf build src/*.egg-info
exit $rc
