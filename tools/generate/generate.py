#!/usr/bin/env python3
"""Writes all files that are generated from the sources of the interface: the table src/options.toml, and the Rust of
src/codes.rs and src/ffi, from which cbindgen makes include/wspeer.h.
Usage: generate.py          writes every generated file (make generate)
       generate.py --check  fails if one of them is not current
       generate.py --list   prints their names"""

import json
import os
import pathlib
import subprocess
import sys

import cpp
import csharp
import docs
import errors
import godot
import header
import python
import rust
import rust_binding
import table
import web
from table import Mistake

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = "include/wspeer.h"


def built_header():
    """The header that build.rs makes from the Rust in the tree."""
    command = ["cargo", "check", "--quiet", "--locked", "--lib", "--message-format=json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode:
        said = [message["message"]["rendered"] for message in messages if message["reason"] == "compiler-message"]
        raise Mistake("the Rust does not compile:\n" + "\n".join(filter(None, said)))
    name = (ROOT / "Cargo.toml").resolve().parent.as_uri()
    built = [
        message
        for message in messages
        if message["reason"] == "build-script-executed" and message["package_id"].startswith(f"path+{name}#")
    ]
    if len(built) != 1:
        raise Mistake(f"cargo tells of {len(built)} build scripts of wspeer instead of one")
    return (pathlib.Path(built[0]["out_dir"]) / "wspeer.h").read_text()


def stale(files):
    """The files that differ from those in the tree, or are missing there."""
    return {
        path: text for path, text in files.items() if not (ROOT / path).exists() or (ROOT / path).read_text() != text
    }


def write(files):
    for path, text in stale(files).items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text)
        print(f"wrote {path}")


def stages():
    """The files, in steps. Each step uses what the earlier ones wrote."""
    rows = table.read(ROOT)
    yield rust.files(rows, ROOT)
    built = built_header()
    yield {HEADER: built}
    interface = header.parse(built)
    yield (
        csharp.files(interface)
        | python.files(interface, rows)
        | cpp.files(interface, ROOT)
        | rust_binding.files(interface, rows)
    )
    yield (
        godot.files(interface, rows, ROOT)
        | web.files(interface, rows, ROOT)
        | docs.files(interface, rows, ROOT)
        | errors.files(ROOT)
    )


def main():
    mode = sys.argv[1] if len(sys.argv) == 2 else ""
    if len(sys.argv) > 2 or mode not in ("", "--check", "--list"):
        sys.exit(__doc__)
    wrong, count = [], 0
    try:
        for files in stages():
            count += len(files)
            if mode == "--list":
                print("\n".join(files))
            elif mode == "--check":
                wrong += stale(files)
            else:
                write(files)
    except Mistake as mistake:
        sys.exit(f"generate: {mistake}")
    if mode == "--check":
        print(
            f"not ok - generated: run `make generate`, and commit {', '.join(wrong)}"
            if wrong
            else f"ok - generated: {count} files are current"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
