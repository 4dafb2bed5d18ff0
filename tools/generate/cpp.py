"""C++: the enums of bindings/cpp/wspeer.hpp, between its markers, as that is one header."""

import pathlib
import textwrap

import marked
from names import groups

PATH = "bindings/cpp/wspeer.hpp"
# Of each group the enum, what it is, and members that the group has not.
ENUMS = {
    "RESULT": ("code", "What a call gives: 0 and above are successes.", ()),
    "STATE": (
        "state",
        "The state of a connection; `stale`: the handle has been freed or has retired.",
        (("stale", "WS_ERR_HANDLE"),),
    ),
    "EVENT": ("event_kind", "What an event tells.", ()),
    "TYPE": ("message_kind", "The types of messages.", ()),
    "PHASE": ("phase", "How far a connection had come when it ended.", ()),
}


def enums(header):
    out = ""
    for group, (name, what, more) in ENUMS.items():
        members = [(member.lower(), constant.name, constant.doc) for member, constant in groups(header)[group]]
        out += f"// {what}\nenum class {name} : std::int32_t {{\n"
        for index, (member, constant, doc) in enumerate([*members, *((*one, []) for one in more)]):
            text = textwrap.wrap(" ".join(doc), 115)
            out += "".join(f"  // {line}\n" for line in text)
            out += f"  {member} = {constant}{',' if index + 1 < len(members) + len(more) else ''}\n"
        out += "};\n\n"
    return out.removesuffix("\n")


def files(header, root: pathlib.Path):
    return {PATH: marked.replace(PATH, (root / PATH).read_text(), "enums", enums(header))}
