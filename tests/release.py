#!/usr/bin/env python3
"""Checks before a release: the version is the same everywhere, the changelog has it, and generated and recorded files
are current. Usage: release.py (make release-check)"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
failures = 0


def check(good, what):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - release: {what}", flush=True)


def first(pattern, path):
    found = re.search(pattern, (ROOT / path).read_text(), re.M)
    return found[1] if found else None


def versions(version):
    """Each place that contains the version, with its value."""
    major, minor, patch = map(int, version.split("."))
    yield "WS_VERSION in include/wspeer.h", first(r"^#define WS_VERSION (\d+)$", "include/wspeer.h"), str(
        major * 10000 + minor * 100 + patch
    )
    yield "bindings/python/pyproject.toml", first(r'^version = "(.*)"$', "bindings/python/pyproject.toml"), version
    for name in ("wspeer", "wspeer_core"):
        path, line = "bindings/rust/Cargo.toml", "version = " if name == "wspeer" else 'wspeer_core = .*version = '
        yield f"{path}: {name}", first(rf'^{line}"([^"]*)"', path), version
    for name in ("wspeer-cli", "wspeer"):
        line = "version = " if name == "wspeer-cli" else "wspeer = .*version = "
        yield f"cli/Cargo.toml: {name}", first(rf'^{line}"([^"]*)"', "cli/Cargo.toml"), version
    yield "wspeer.__version__", first(r'^__version__ = "(.*)"$', "bindings/python/src/wspeer/__init__.py"), version
    yield "bindings/csharp/package.json", json.loads((ROOT / "bindings/csharp/package.json").read_text())[
        "version"
    ], version
    yield "Cargo.lock", first(r'^name = "wspeer-core"\nversion = "(.*)"$', "Cargo.lock"), version


def main():
    version = first(r'^version = "(.*)"$', "Cargo.toml")
    for where, stated, wanted in versions(version):
        check(stated == wanted, f"{where} has {wanted}" + ("" if stated == wanted else f", not {stated}"))
    check(
        first(rf"^## {re.escape(version)} - (\d{{4}}-\d\d-\d\d)$", "CHANGELOG.md"),
        f"CHANGELOG.md has a section \"## {version} - YYYY-MM-DD\"",
    )
    check(
        not re.search(r"^## Unreleased\n+- ", (ROOT / "CHANGELOG.md").read_text(), re.M),
        "CHANGELOG.md lists nothing as unreleased",
    )
    generators = [
        ["tools/generate/generate.py", "--check"],
        ["bindings/csharp/tools~/package.py", "--check"],
        ["tools/release/licences.py", "--check"],
        ["tests/abi/guard.py", "include/wspeer.h"],
    ]
    for command in generators:
        check(
            subprocess.run([sys.executable, *command], cwd=ROOT, stdout=subprocess.DEVNULL).returncode == 0,
            " ".join(command),
        )
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    check(not changed, "everything is committed")
    return failures > 0


sys.exit(main())
