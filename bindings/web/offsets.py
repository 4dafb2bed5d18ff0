#!/usr/bin/env python3
"""Writes into library_wspeer.js what follows from the header: layouts, the constants that it names, names of results, signatures.
Usage: offsets.py          writes the tables between their markers
       offsets.py --check  fails when they are not current, and when a function of the header is missing"""
import pathlib
import re
import subprocess
import sys
import textwrap

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LIBRARY = HERE / "library_wspeer.js"
SOURCES = sorted(HERE.glob("library_wspeer*.js"))
HEADER = ROOT / "include" / "wspeer.h"
sys.path.append(str(ROOT / "tests" / "abi"))
import guard  # noqa: E402

# A value of a call as Emscripten names it: p is as wide as a pointer. Nothing else that 64 bits would need is passed by value.
KINDS = {"void": "v", "uint32_t": "i", "int32_t": "i", "size_t": "p", "ws_handle": "i", "ws_result": "i"}
# Where wasm32 and wasm64 are the same as what the guard of the interface asks the compiler for.
TARGETS = {"32": "wasm32", "64": "wasm64"}


def wrapped(parts, indent):
    return textwrap.fill(", ".join(part.replace(" ", "\0") for part in parts), 150, initial_indent=" " * indent, subsequent_indent=" " * indent).replace("\0", " ")


def size_of(fields, bits):
    """As C has it: up to a multiple of the widest alignment, which is that of a 64-bit field or of a pointer."""
    end = max(offset + length for offset, length in (field[bits] for field in fields.values()))
    pointers = any("*" in field["type"] or "size_t" in field["type"] for field in fields.values())
    wide = any("64_t" in field["type"] or "double" in field["type"] or "ws_" in field["type"] for field in fields.values()) or (pointers and bits == "64")
    step = 8 if wide else 4
    return -(-end // step) * step


def layout(interface, bits):
    lines = []
    for struct, fields in interface["structs"].items():
        places = [f"size: {size_of(fields, bits)}", *(f"{name}: {field[bits][0]}" for name, field in fields.items())]
        lines.append(f"    {struct.removeprefix('ws_')}: {{\n{wrapped(places, 6)}\n    }}")
    return f"    pointer: {int(bits) // 8},\n" + ",\n".join(lines) + "\n"


def layouts(interface):
    return "  $WSPEER_LAYOUT: WSPEER_IS_WIDE ? {\n" + layout(interface, "64") + "  } : {\n" + layout(interface, "32") + "  },\n"


def holds(interface, bits):
    """Whether the compiler for WebAssembly agrees with the table, field by field."""
    checks = [f'#include "{HEADER}"', "#include <stddef.h>"]
    for struct, fields in interface["structs"].items():
        checks.append(f'_Static_assert(sizeof({struct}) == {size_of(fields, bits)}, "{struct}");')
        checks += [f'_Static_assert(offsetof({struct}, {name}) == {field[bits][0]}, "{struct}.{name}");' for name, field in fields.items()]
    command = ["clang", f"--target={TARGETS[bits]}", "-std=c11", "-ffreestanding", "-nostdlibinc", "-fsyntax-only", "-xc", "-"]
    done = subprocess.run(command, input="\n".join(checks), text=True, capture_output=True)
    good = done.returncode == 0
    print(f"{'ok' if good else 'not ok'} - web: {len(checks) - 2} sizes and places of the header are those that clang has for {TARGETS[bits]}")
    if not good:
        print("\n".join(f"# {line}" for line in done.stderr.splitlines()))
    return good


def constants(interface, source):
    named = sorted(set(re.findall(r"\bWSPEER_C\.(\w+)", source)))
    known = interface["constants"] | {"WS_VERSION": re.search(r"#define WS_VERSION (\d+)", HEADER.read_text())[1]}
    values = {name: int(known[f"WS_{name}"].rstrip("u"), 0) for name in named}
    lines = wrapped([f"{name}: {value}" for name, value in values.items()], 4)
    results = {int(value): name for name, value in interface["constants"].items() if re.match(r"WS_(OK|EMPTY|MORE|PARTIAL|TRUNCATED|ERR_\w+)$", name)}
    names = wrapped([f"'{results[value]}'" for value in sorted(results)], 4)
    assert sorted(results) == list(range(min(results), max(results) + 1)), "the results have a gap"
    return f"  $WSPEER_C: {{\n{lines}\n  }},\n" + f"  // From the lowest result, {min(results)}, upwards.\n  $WSPEER_NAMES: [\n{names}\n  ],\n"


def signatures(interface):
    found = {}
    for name, prototype in interface["functions"].items():
        result, arguments = re.match(rf"WS_API (.*?){name}\((.*)\)$", prototype).groups()
        values = [result] + [argument for argument in arguments.split(",") if argument.strip() != "void"]
        found[name] = "".join("p" if "*" in value else KINDS[re.findall(r"\w+", value.replace("const", "").replace("struct", ""))[0]] for value in values)
    lines = wrapped([f"{name}: '{found[name]}'" for name in sorted(found)], 2)
    return f"var WSPEER_SIGNATURES = {{\n{lines}\n}};\n", found


def place(source, marker, text):
    pattern = rf"(?P<start>^ *// <{marker}>[^\n]*\n).*?(?P<end>^ *// </{marker}>)"
    placed, count = re.subn(pattern, lambda found: found["start"] + text + found["end"], source, flags=re.S | re.M)
    assert count == 1, f"the markers of {marker} are not there"
    return placed


def main():
    source = LIBRARY.read_text()
    interface = guard.interface(HEADER)
    calls, found = signatures(interface)
    made = place(source, "header", layouts(interface) + constants(interface, "".join(file.read_text() for file in SOURCES)))
    made = place(made, "signatures", calls)
    if sys.argv[1:] != ["--check"]:
        LIBRARY.write_text(made)
        return 0
    written = dict(re.findall(r"^  (ws_\w+): function \((.*?)\)", source, re.M))
    wrong = set(written) ^ set(found) | {name for name in set(written) & set(found) if len(re.findall(r"\w+", written[name])) != len(found[name]) - 1}
    good = made == source
    print(f"{'ok' if good else 'not ok'} - web: layouts, constants and signatures of library_wspeer.js are those of the header")
    print(f"{'not ok' if wrong else 'ok'} - web: {len(written)} functions with the header's arguments {sorted(wrong) or ''}")
    held = [holds(interface, bits) for bits in TARGETS]
    return 0 if good and not wrong and all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
