#!/usr/bin/env python3
"""Reads the structs from the header, lays them out with ctypes, and compares them with the layout in C.
Usage: layout.py --fields HEADER > layout_fields.h
       layout PROGRAM's output | layout.py --compare HEADER
       layout.py --symbols HEADER LIBRARY
       layout.py --documented HEADER docs/binding.md > a C file that compiles if its tables are right;
       WIDE is 1 with 64-bit pointers, 0 with 32-bit ones"""
import ctypes
import re
import subprocess
import sys

TYPES = {
    "uint8_t": ctypes.c_uint8,
    "int32_t": ctypes.c_int32,
    "uint32_t": ctypes.c_uint32,
    "uint64_t": ctypes.c_uint64,
    "int64_t": ctypes.c_int64,
    "double": ctypes.c_double,
    "size_t": ctypes.c_size_t,
    "ws_handle": ctypes.c_uint32,
    "ws_result": ctypes.c_int32,
}


def structs(header):
    text = re.sub(r"//.*", "", re.sub(r"/\*.*?\*/", "", open(header).read(), flags=re.S))
    known = dict(TYPES)
    found = {}
    for name, body in re.findall(r"typedef struct (ws_\w+) \{(.*?)\}", text, re.S):
        fields = []
        for declaration in filter(None, (part.strip() for part in body.split(";"))):
            kind, field, count = re.match(r"(.*?)(\w+)(?:\[(\d+)\])?$", declaration, re.S).groups()
            kind = kind.replace("const", "").replace("struct", "").strip()
            base = ctypes.c_void_p if "*" in kind else known[kind]
            fields.append((field, base * int(count) if count else base))
        found[name] = known[name] = type(name, (ctypes.Structure,), {"_fields_": fields})
    return found


def main():
    mode, header = sys.argv[1:3]
    found = structs(header)
    if mode == "--fields":
        for name, struct in found.items():
            for field, _ in struct._fields_:
                print(f"FIELD({name}, {field});")
        return 0
    if mode == "--compare":
        said = sys.stdin.read().split("\n")
        ours = [f"{name} size {ctypes.sizeof(struct)} 0" for name, struct in found.items()]
        for name, struct in found.items():
            for field, _ in struct._fields_:
                ours.append(f"{name} {field} {getattr(struct, field).offset} {getattr(struct, field).size}")
        good = sorted(filter(None, said)) == sorted(ours) and len(found) == 9
        print(f"{'ok' if good else 'not ok'} - layout: {len(ours)} sizes and offsets equal in C and ctypes")
        wide = ctypes.sizeof(ctypes.c_void_p) == 8
        sizes = {name: ctypes.sizeof(struct) for name, struct in found.items()}
        right = sizes["ws_packet"] == (40 if wide else 32) and sizes["ws_event"] == (128 if wide else 120)
        print(f"{'ok' if right else 'not ok'} - layout: {sizes}")
        return 0 if good and right else 1
    if mode == "--documented":
        text = open(sys.argv[3]).read()
        print('#include "wspeer.h"')
        for struct, wide, narrow in re.findall(r"^`(ws_\w+)`, (\d+) bytes (?:or (\d+)|in both)", text, re.M):
            print(f'_Static_assert(sizeof({struct}) == (WIDE ? {wide} : {narrow or wide}), "size of {struct}");')
            table = re.search(rf"^`{struct}`, .*?\n\n(?:\|.*\n)+", text, re.M)
            for field, wide, narrow in re.findall(
                r"^\| `(\w+)` \|.*\| (\d+) \| (\d+) \|$", table[0] if table else "", re.M
            ):
                print(f'_Static_assert(offsetof({struct}, {field}) == (WIDE ? {wide} : {narrow}), "{struct}.{field}");')
        return 0
    declared = set(re.findall(r"^WS_API .*?(ws_\w+)\(", open(header).read(), re.M))
    output = subprocess.run(
        ["nm", "-D", "--defined-only", sys.argv[3]], check=True, capture_output=True, text=True
    ).stdout
    exported = {line.split()[-1] for line in output.splitlines() if line.split()[-2] in "TtWDBR"}
    good = declared == exported and len(declared) > 30
    print(
        f"{'ok' if good else 'not ok'} - symbols: {len(declared)} declared, {len(exported)} exported {declared ^ exported or ''}"
    )
    return 0 if good else 1


sys.exit(main())
