"""C++: the enums of bindings/cpp/wspeer.hpp, between its markers, as that is one header."""

import pathlib
import textwrap

import marked
from names import groups

PATH = "bindings/cpp/wspeer.hpp"
# For each group the enum, its comment, and members that the group does not have.
ENUMS = {
    "RESULT": ("code", "The result of a call. 0 and above: success.", ()),
    "STATE": (
        "state",
        "The state of a connection or server (RFC 6455). `stale`: the handle was freed or has retired.",
        (("stale", "WS_ERR_HANDLE"),),
    ),
    "EVENT": ("event_kind", "The type of an event.", ()),
    "TYPE": ("message_kind", "The type of a message.", ()),
    "PHASE": ("phase", "How far a connection had come when it ended.", ()),
    "SIM": ("sim_preset", "A bad network with a name.", ()),
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
