"""Parses include/wspeer.h. A line of an unknown form is an error, with the number of the line."""

import dataclasses
import pathlib
import re

from table import Mistake

# Lines that cbindgen.toml and cbindgen put around the interface.
FRAME = r"""#ifndef WSPEER_H
#define WSPEER_H
#include <stddef.h>
#include <stdint.h>
#ifndef WS_API
#if defined(_WIN32) && !defined(WS_STATIC)
#define WS_API __declspec(dllimport)
#else
#define WS_API
#endif
#endif
#ifdef __cplusplus
extern "C" {
}  // extern "C"
#endif  // __cplusplus
#endif // __cplusplus
#endif  /* WSPEER_H */""".splitlines()
# Columns of the longest line.
WIDTH = 120
# Sizes of the types in the interface, in bytes; 0: the size of a pointer.
SIZES = {
    "uint8_t": 1,
    "int32_t": 4,
    "uint32_t": 4,
    "int64_t": 8,
    "uint64_t": 8,
    "double": 8,
    "size_t": 0,
    "ws_handle": 4,
    "ws_result": 4,
}
TYPEDEFS = {"ws_handle": "uint32_t", "ws_result": "int32_t"}
TYPE = r"(?:const )?(?:struct )?\w+(?: \*(?:const \*)?)?"


@dataclasses.dataclass
class Constant:
    name: str
    text: str
    doc: list[str]

    @property
    def value(self):
        return int(self.text.rstrip("u"), 0)


@dataclasses.dataclass
class Field:
    """A field of a struct, or a parameter. `type` is the C type without `struct`. `count` is the length of an array, or
    0."""

    name: str
    type: str
    count: int
    doc: list[str]

    @property
    def is_pointer(self):
        return "*" in self.type


@dataclasses.dataclass
class Struct:
    name: str
    doc: list[str]
    fields: list[Field]


@dataclasses.dataclass
class Function:
    name: str
    result: str
    parameters: list[Field]
    doc: list[str]


@dataclasses.dataclass
class Header:
    constants: list[Constant]
    structs: list[Struct]
    functions: list[Function]

    def value(self, name):
        return next(constant.value for constant in self.constants if constant.name == name)

    def struct(self, name):
        return next(struct for struct in self.structs if struct.name == name)

    def group(self, prefix):
        """The constants WS_<prefix>_*: each name without the prefix, and the constant."""
        start = f"WS_{prefix}_"
        return [
            (constant.name.removeprefix(start), constant)
            for constant in self.constants
            if constant.name.startswith(start)
        ]

    def layout(self, struct, pointer):
        """Offsets of the fields by name, and the size of the struct, with pointers of `pointer` bytes. Every type is
        aligned to its size, which SIZES has."""
        offsets, end, widest = {}, 0, 1
        for field in struct.fields:
            size, step = self._size(field, pointer)
            end = -(-end // step) * step
            offsets[field.name] = end
            end += size * max(field.count, 1)
            widest = max(widest, step)
        return offsets, -(-end // widest) * widest

    def _size(self, field, pointer):
        if field.is_pointer:
            return pointer, pointer
        if field.type in SIZES:
            size = SIZES[field.type] or pointer
            return size, size
        inner = self.struct(field.type)
        step = max(self._size(one, pointer)[1] for one in inner.fields)
        return self.layout(inner, pointer)[1], step


def read(root: pathlib.Path):
    """Reads the interface from the header of a tree."""
    return parse((root / "include" / "wspeer.h").read_text())


def parse(text):
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > WIDTH:
            raise Mistake(f"include/wspeer.h: line {number} has more than {WIDTH} columns: wrap it in its source")
    lines = _joined(text.splitlines())
    if not lines or lines[0] != "/*":
        raise Mistake("include/wspeer.h: line 1: it does not begin with the manual")
    end = lines.index(" */")
    header, doc, struct = Header([], [], []), [], None
    for number, line in enumerate(lines[end + 1 :], end + 2):
        inner = line.strip()
        comment = re.fullmatch(r"//(?: (.*))?", inner)
        if struct is not None and line == f"}} {struct.name};":
            struct = None
        elif comment:
            doc.append(comment[1] or "")
            continue
        elif struct is not None:
            if inner:
                struct.fields.append(_field(inner.removesuffix(";"), doc, number, inner.endswith(";")))
        elif line in FRAME or not line:
            pass
        elif found := re.fullmatch(r"#define (WS_[A-Z0-9_]+) (-?\d+|0x[0-9A-F]+u)", line):
            header.constants.append(Constant(found[1], found[2], doc))
        elif found := re.fullmatch(r"typedef (\w+) (ws_\w+);", line):
            if TYPEDEFS.get(found[2]) != found[1]:
                raise Mistake(f"include/wspeer.h: line {number}: {found[2]} is no type that the bindings know")
        elif found := re.fullmatch(r"typedef struct (ws_\w+) \{", line):
            struct = Struct(found[1], doc, [])
            header.structs.append(struct)
        elif found := re.fullmatch(rf"WS_API ({TYPE}) ?(ws_\w+)\((.*)\);", line):
            parameters = [] if found[3] == "void" else [_field(one, [], number, True) for one in found[3].split(", ")]
            header.functions.append(Function(found[2], _type(found[1]), parameters, doc))
        else:
            raise Mistake(
                f"include/wspeer.h: line {number} has a form that tools/generate/header.py does not know: {line}"
            )
        doc = []
    _check(header)
    return header


def _joined(lines):
    """The lines, with each prototype in one line. Lines that were joined to another are left empty."""
    found, begun = [], None
    for line in lines:
        if begun is not None:
            found[begun] += f" {line.strip()}"
            found.append("")
        else:
            found.append(line)
            begun = len(found) - 1 if line.startswith("WS_API ") else None
        if begun is not None and line.endswith(");"):
            begun = None
    return found


def _type(text):
    return text.replace("struct ", "").strip()


def _field(text, doc, number, complete):
    found = re.fullmatch(rf"({TYPE}) ?(\w+)(?:\[(\d+)\])?", text)
    if not found or not complete:
        raise Mistake(
            f"include/wspeer.h: line {number} is no field or parameter that tools/generate/header.py knows: {text}"
        )
    return Field(found[2], _type(found[1]), int(found[3] or 0), doc)


def _check(header):
    """Checks that all types are known and that everything has a comment."""
    known = {*SIZES, *(struct.name for struct in header.structs)}
    pointed = known | {"char", "void"}
    every = [(struct.name, field) for struct in header.structs for field in struct.fields]
    every += [(function.name, field) for function in header.functions for field in function.parameters]
    for owner, field in every:
        plain = re.sub(r"\bconst\b|\*", "", field.type).strip()
        if plain not in (pointed if field.is_pointer else known):
            raise Mistake(
                f"include/wspeer.h: {owner}: {field.name} has the type {field.type}, which the bindings do not know"
            )
    for one in [
        *header.constants,
        *header.structs,
        *header.functions,
        *(field for struct in header.structs for field in struct.fields),
    ]:
        if not one.doc:
            raise Mistake(f"include/wspeer.h: {one.name} has no comment")
