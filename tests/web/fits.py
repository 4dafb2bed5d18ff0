#!/usr/bin/env python3
"""Compares bindings/web with the header: it has every function with the header's arguments, and its field tables match
the struct layouts of the compiler for WebAssembly. Usage: fits.py"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools" / "generate"))
import header  # noqa: E402


def functions(interface):
    source = (ROOT / "bindings" / "web" / "library_wspeer.js").read_text()
    written = dict(re.findall(r"^  (ws_\w+): function \((.*?)\)", source, re.M))
    declared = {function.name: len(function.parameters) for function in interface.functions}
    wrong = written.keys() ^ declared.keys()
    wrong |= {
        name for name in written.keys() & declared.keys() if len(re.findall(r"\w+", written[name])) != declared[name]
    }
    print(
        f"{'not ok' if wrong else 'ok'} - web: {len(written)} functions with the header's arguments {sorted(wrong) or ''}"
    )
    return not wrong


def places(interface, target, pointer):
    checks = ['#include "wspeer.h"', "#include <stddef.h>"]
    for struct in interface.structs:
        offsets, size = interface.layout(struct, pointer)
        checks.append(f'_Static_assert(sizeof({struct.name}) == {size}, "{struct.name}");')
        for name, offset in offsets.items():
            checks.append(f'_Static_assert(offsetof({struct.name}, {name}) == {offset}, "{struct.name}.{name}");')
    command = [
        "clang",
        f"--target={target}",
        "-std=c11",
        "-ffreestanding",
        "-nostdlibinc",
        f"-I{ROOT / 'include'}",
        "-fsyntax-only",
        "-xc",
        "-",
    ]
    done = subprocess.run(command, input="\n".join(checks), text=True, capture_output=True)
    good = done.returncode == 0
    print(
        f"{'ok' if good else 'not ok'} - web: {len(checks) - 2} sizes and places of the tables are those that clang has for {target}"
    )
    print("".join(f"# {line}\n" for line in done.stderr.splitlines()), end="")
    return good


def main():
    interface = header.read(ROOT)
    good = [functions(interface), places(interface, "wasm32", 4), places(interface, "wasm64", 8)]
    return 0 if all(good) else 1


sys.exit(main())
