#!/usr/bin/env python3
"""Checks that the binary interface only grows: compares the header with tests/abi/recorded.json, the interface that
users build against.
Usage: guard.py HEADER            compares, and checks that changed copies of the header are detected
       guard.py --record HEADER   writes the record again: at a release, or after an addition"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

RECORD = pathlib.Path(__file__).with_name("recorded.json")
# Reserved fields may be put to use: they must be zero until then.
SPARE = "reserved"


def interface(header):
    """Functions with their prototypes, constants with their values, structs with the type and offset of each field for
    64-bit and 32-bit pointers."""
    text = pathlib.Path(header).read_text()
    plain = re.sub(r"//.*", "", text)
    plain = re.sub(r"/\*.*?\*/", "", plain, flags=re.S)
    functions = {
        name: " ".join(whole.split()) for whole, name in re.findall(r"^(WS_API [^;]*?(ws_\w+)\([^;]*\));", plain, re.M)
    }
    constants = {
        name: value for name, value in re.findall(r"^#define (WS_\w+) (-?\d\w*)$", plain, re.M) if name != "WS_VERSION"
    }
    structs = {}
    for name, body in re.findall(r"typedef struct (ws_\w+) \{(.*?)\}", plain, re.S):
        fields = [" ".join(field.split()) for field in body.split(";") if field.strip()]
        structs[name] = {re.search(r"(\w+)(\[\d+\])?$", field)[1]: {"type": field} for field in fields}
    for bits in ("64", "32"):
        for (name, field), (offset, size) in places(header, structs, bits).items():
            structs[name][field][bits] = [offset, size]
    return {"functions": functions, "constants": constants, "structs": structs}


def places(header, structs, bits):
    """The field offsets in C, read by the compiler from an object file that is never run."""
    asked = [(name, field) for name, fields in structs.items() for field in fields]
    lines = "".join(f"  offsetof({name}, {field}), sizeof((({name} *)0)->{field}),\n" for name, field in asked)
    with tempfile.TemporaryDirectory() as folder:
        source, output = f"{folder}/places.c", f"{folder}/places.s"
        pathlib.Path(source).write_text(
            f'#include "{pathlib.Path(header).resolve()}"\nconst unsigned places[] = {{\n{lines}}};\n'
        )
        # clang lays out 32-bit structs without 32-bit libraries. The i386 ABI would align uint64_t to 4, unlike all
        # other ABIs with 8.
        target = {"64": "x86_64-linux-gnu", "32": "armv7-linux-gnueabihf"}[bits]
        subprocess.run(
            ["clang", f"--target={target}", "-std=c99", "-ffreestanding", "-nostdlibinc", "-S", source, "-o", output],
            check=True,
        )
        numbers = [int(n) for n in re.findall(r"^\s*\.long\s+(\d+)", pathlib.Path(output).read_text(), re.M)]
    assert len(numbers) == 2 * len(asked), "the assembler's text was read wrongly"
    return dict(zip(asked, zip(numbers[::2], numbers[1::2])))


def changes(old, new):
    """Changes that would break a program built against the old interface."""
    found = []
    for kind in ("functions", "constants"):
        for name, was in old[kind].items():
            now = new[kind].get(name)
            if now != was:
                found.append(f"{name}: was {was!r}, is {now!r}")
    for name, fields in old["structs"].items():
        for field, was in fields.items():
            now = new["structs"].get(name, {}).get(field)
            if now != was and not field.startswith(SPARE):
                found.append(f"{name}.{field}: was {was}, is {now}")
    return found


# What each change breaks, how it is made, and a part of the expected report.
SPOILT = [
    ("a function that is gone", r"^WS_API ws_result ws_flush\(.*\n", "", "ws_flush"),
    ("another argument", r"ws_poll\(ws_handle h\)", "ws_poll(ws_handle h, int32_t ms)", "ws_poll"),
    ("another number", r"#define WS_ERR_STATE -5", "#define WS_ERR_STATE -55", "WS_ERR_STATE"),
    ("a field in the middle", r"(  int32_t peer_id;\n)", r"  uint64_t more;\n\1", "ws_packet.peer_id"),
    ("another type", r"uint32_t poll_budget_us;", "int32_t poll_budget_us;", "poll_budget_us"),
]


def main():
    if sys.argv[1] == "--record":
        RECORD.write_text(json.dumps(interface(sys.argv[2]), indent=1) + "\n")
        return 0
    header = sys.argv[1]
    recorded = json.loads(RECORD.read_text())
    rc = 0

    def say(good, what):
        nonlocal rc
        print(f"{'ok' if good else 'not ok'} - abi guard: {what}")
        rc |= not good

    now = interface(header)
    found = changes(recorded, now)
    counts = ", ".join(f"{len(recorded[kind])} {kind}" for kind in recorded)
    say(not found, f"{counts} are as recorded" if not found else "; ".join(found))
    text = pathlib.Path(header).read_text()
    for what, pattern, instead, part in SPOILT:
        with tempfile.NamedTemporaryFile("w", suffix=".h") as spoilt:
            spoilt.write(re.sub(pattern, instead, text, count=1, flags=re.M))
            spoilt.flush()
            said = changes(now, interface(spoilt.name))
            say(any(part in line for line in said), f"{what} is detected")
    return rc


if __name__ == "__main__":
    sys.exit(main())
