#!/usr/bin/env bash
# The Rust binding: format, clippy, its tests, those in its documentation, its examples, the plugin of Bevy, its package.
. "$(dirname "$0")/../lib/common.sh"
need cargo python3
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
# The library is a cdylib, so cargo calls its .rlib the same in every workspace, and each would overwrite that of the
# others. With this cargo names it by a hash.
export __CARGO_DEFAULT_LIB_METADATA=bindings
output=$PWD/build/tests/rust_binding.log
# check WHAT COMMAND...
check() {
  if "${@:2}" > "$output" 2>&1; then
    echo "ok - rust: $1"
  else
    echo "not ok - rust: $1"
    cat "$output"
    rc=1
  fi
}
# The tests that cargo ran, one line each, as those of the suite.
tests() {
  check "$@"
  sed -nE 's/^test (.*) \.\.\. ok$/ok - rust: \1/p' "$output"
}

for crate in bindings/rust bindings/rust/examples/bevy tests/conformance/rust; do
  check "$crate is formatted" cargo fmt --check --manifest-path "$crate/Cargo.toml"
done
cd bindings/rust
check "clippy has no warnings" cargo clippy --locked --all-targets -- -D warnings
tests "its tests, its examples, and the code in its documentation and README" timeout 800 cargo test --locked
check "its documentation has no warnings" env RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --locked
# No registry has the library yet, so the package is listed and not built.
check "its package has the sources, README and examples, and no other crate" sh -c \
  "cargo package --list --locked --allow-dirty > '$output.list' && grep -qx src/codes.rs '$output.list' &&
    grep -qx README.md '$output.list' && grep -qx examples/chat.rs '$output.list' && ! grep -q bevy '$output.list'"
# Unsafe code has its reason in the line before it.
check "every unsafe block says why it is sound" python3 - << 'END'
import pathlib, re, sys
wrong = []
for path in pathlib.Path("src").glob("*.rs"):
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        code = line.split("//")[0]
        if re.search(r"\bunsafe (\{|impl)", code) and not any("SAFETY" in one for one in lines[max(0, number - 6) : number]):
            wrong.append(f"{path}:{number + 1}: {line.strip()}")
sys.exit("\n".join(wrong) or None)
END
cd - > /dev/null
check "an app of Bevy with the plugin: two players see each other move" timeout 900 cargo run --quiet --locked \
  --manifest-path bindings/rust/examples/bevy/Cargo.toml
exit $rc
