#!/usr/bin/env bash
# The command line: format, clippy, unit tests, each command against real peers with pipes and in a terminal, its package.
# Parts: those whose names contain FILTER, such as "cat" or "sim".
. "$(dirname "$0")/../lib/common.sh"
need cargo python3 node openssl chromium build/venv/bin/python build/node/node_modules/ws build/node/node_modules/playwright-core
tools/release/needs.py --check linux-x86_64 || lacks "tools/release/needs.py linux-x86_64 was not run"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
# As in rust_binding.sh.
export __CARGO_DEFAULT_LIB_METADATA=bindings
output=$PWD/build/tests/cli.log
# check WHAT COMMAND...
check() {
  if "${@:2}" > "$output" 2>&1; then
    echo "ok - cli: $1"
  else
    echo "not ok - cli: $1"
    cat "$output"
    rc=1
  fi
}

if [ -z "${FILTER:-}" ]; then
  check "cli is formatted" cargo fmt --check --manifest-path cli/Cargo.toml
  check "clippy has no warnings" cargo clippy --locked --all-targets --manifest-path cli/Cargo.toml -- -D warnings
  check "its unit tests" timeout 600 cargo test --quiet --locked --manifest-path cli/Cargo.toml
fi
check "it builds" cargo build --quiet --locked --manifest-path cli/Cargo.toml
WSPEER=$CARGO_TARGET_DIR/debug/wspeer timeout 900 build/venv/bin/python -B tests/cli/run.py ${FILTER:+"$FILTER"} || rc=1
if [ -z "${FILTER:-}" ]; then
  check "its package is made" tools/release/make.py --platform linux-x86_64 --kind cli --quick \
    --program "$CARGO_TARGET_DIR/debug/wspeer" --out build/release-cli
  python3 tests/release/install.py build/release-cli || rc=1
fi
exit $rc
