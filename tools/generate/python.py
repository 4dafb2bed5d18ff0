"""Python: codes.py, config_args.py, options.py and simulation.py for users, and _declared.py for ctypes, in
bindings/python/src/wspeer."""

import re
import textwrap

from names import groups

PACKAGE = "bindings/python/src/wspeer"
NOTE = "Generated from include/wspeer.h and src/options.toml by `make generate`: do not edit."

# For each group of constants the enum, its base and its docstring. Python has no enum for the other groups: it uses
# bytes and str, methods and arguments instead.
ENUMS = {
    "RESULT": ("Result", "Code", "The result of a call. 0 and above: success."),
    "STATE": ("State", "Code", "The state of a connection or server."),
    "EVENT": ("EventType", "Code", "The type of an event."),
    "PHASE": ("Phase", "Code", "How far a connection had come when it ended."),
    "CAUSE": ("Cause", "Code", "Why a connection ended, or what an ERROR event reports."),
    "FULL": ("OnFull", "Code", "What a message to several targets does about one whose queue is full."),
    "ROLE": ("Role", "Code", "The role of a connection of attach()."),
    "HINT": ("Hint", "Code", "What the program knows of its device and network."),
    "LOG": ("LogLevel", "Code", "The level of log lines."),
    "FEATURE": ("Feature", "IntFlag", "What this build and platform support."),
    "VARIANT": ("VariantType", "Code", "The type of a Godot value."),
    "SIM": ("SimPreset", "Code", "A bad network with a name, for Sim.preset()."),
}
# Comments of constants that differ in Python.
TEXTS = {
    "WS_TRUNCATED": "The output did not fit. A text was cut at a code point.",
    "WS_ERR_NULL": "A required pointer is NULL.",
    "WS_ERR_KIND": "The call does not apply to this type of handle.",
    "WS_ERR_CONFIG": "An option is invalid. The text of the error names it.",
    "WS_ERR_ADDRESS": "listen() and host(): the address cannot be bound. The text of the error has the reason.",
    "WS_EVENT_MESSAGE": "A message was received.",
    "WS_EVENT_SPAWN": "With scene: peer event.peer_id has spawned a node of a scene that was declared with "
    "declare_scene(); event.nodes has it. The peer's nodes are gone with its DISCONNECTED; on a join also with CLOSED, "
    "and with LOST if there is no session.",
    "WS_EVENT_DESPAWN": "With scene: peer event.peer_id has despawned such a node, or shows it no more to this one; "
    "event.nodes has it.",
    "WS_EVENT_SYNC": "With scene: peer event.peer_id has synchronized properties of one node or more; event.nodes has "
    "them.",
    "WS_EVENT_AUTH": "With auth: event.data is authentication data that peer event.peer_id sent.",
    "WS_FEATURE_SCENE": "host() and join() with scene=True.",
    "WS_FULL_SKIP": "Skip that target: send() returns False, SKIPPED is reported, and WRITABLE once there is room. "
    "The default of servers.",
    "WS_FULL_ALL_OR_NONE": "Accept the message for all targets or for none: the call raises QueueFull.",
}
# C functions whose names in Python differ by more than the prefix.
FUNCTIONS = {"put_packet": "send", "put_packets": "send_many", "put_latest": "send_latest", "next_event": "events", "get_features": "features", "get_log": "log_lines"}
# Type hints of the fields of ws_config that are not numbers.
HINTS = {
    "headers": "Headers",
    "subprotocols": "Union[str, Iterable[str]]",
    "ca_pem": "Pem",
    "cert_pem": "Pem",
    "key_pem": "Pem",
    "server_name": "str",
    "pin_sha256": "str",
    "trusted_proxies": "Union[str, Iterable[str]]",
    "allowed_hosts": "Union[str, Iterable[str]]",
    "allowed_origins": "Union[str, Iterable[str]]",
    "proxy": "str",
    "node": "str",
    "on_full": "OnFull",
    "no_delay": "bool",
}
NO_ARGUMENTS = {"struct_size", "flags", "headers_count"}

LETTERS = {
    "size_t": "N",
    "int32_t": "i",
    "uint32_t": "I",
    "ws_handle": "I",
    "int64_t": "q",
    "uint64_t": "Q",
    "double": "d",
}
CTYPES = {
    "void": "None",
    "int32_t": "c_int32",
    "ws_result": "c_int32",
    "uint32_t": "c_uint32",
    "ws_handle": "c_uint32",
    "uint64_t": "c_uint64",
    "size_t": "c_size_t",
}
POINTERS = {"ws_config": "POINTER(Config)", "ws_stats": "POINTER(Stats)", "ws_sim": "POINTER(Sim)"}
# Structs that are unpacked in batches, which is faster than ctypes.Structure.
PACKED = ("ws_packet", "ws_packet_out", "ws_event", "ws_variant", "ws_call", "ws_replicated")


def in_python(text, names):
    """A comment of the header with the names of Python, as one paragraph."""
    text = " ".join(text.split())
    text = re.sub(r"\bWS_\w+\b", lambda found: names.get(found[0], found[0]), text)
    text = re.sub(r"\bws_config\.", "", text).replace("WS_FULL_*", "one of OnFull")
    text = text.replace("event.packet.data", "event.text").replace("event.packet", "event.data")
    return re.sub(
        r"\bws_(\w+)(?:\(\))?", lambda found: f"{FUNCTIONS.get(found[1], found[1].removeprefix('get_'))}()", text
    )


def quoted(text):
    """A string literal with quotes that need no escape, as ruff formats it."""
    text = text.replace("\\", "\\\\")
    return f"'{text}'" if '"' in text and "'" not in text else '"' + text.replace('"', '\\"') + '"'


def docstring(text, indent):
    text = text.replace("\\", "\\\\").replace('"""', "'''")
    # A quote at the end would run into those of the docstring.
    text += "" if not text.endswith('"') else " "
    return (
        textwrap.fill(f'"""{text}"""', 116, initial_indent=indent, subsequent_indent=indent, break_long_words=False)
        + "\n"
    )


def names_of(header):
    """The Python names of the header's constants."""
    found = {"WS_OFF": "OFF", "WS_CUSTOM_SCENE": "CUSTOM_SCENE", "WS_REPLICATION": "replication"}
    for group, members in groups(header).items():
        for name, constant in members:
            if group in ENUMS:
                found[constant.name] = f"{ENUMS[group][0]}.{name}"
            elif group == "FLAG":
                found[constant.name] = name.lower()
            elif group == "OPT":
                found[constant.name] = f"options.{name.lower()}"
    return found


class Python:
    def __init__(self, header, table):
        self.header, self.table = header, table
        self.groups, self.names = groups(header), names_of(header)
        self.rows = {row.name: row for row in table.rows}

    def text(self, doc):
        return in_python(" ".join(doc), self.names)

    def codes(self):
        off = self.header.value("WS_OFF")
        out = f'"""The library\'s numbers by their names: of include/wspeer.h without the prefixes.\n\n{NOTE}\n"""\n\n'
        out += "from __future__ import annotations\n\nfrom enum import IntFlag\n\nfrom wspeer._code import Code\n\n"
        out += f'OFF = 0x{off:X}\n"""As a limit or a time: unlimited, or switched off."""\n'
        custom = next(constant for constant in self.header.constants if constant.name == "WS_CUSTOM_SCENE")
        out += f"CUSTOM_SCENE = {custom.value}\n{docstring(self.text(custom.doc), '')}"
        for group, (enum, base, what) in ENUMS.items():
            out += f'\n\nclass {enum}({base}):\n    """{what}"""\n\n'
            for name, constant in self.groups[group]:
                text = TEXTS.get(constant.name) or self.text(constant.doc)
                if group == "VARIANT":
                    # The name is followed by the representation in C.
                    text = re.split(r"[:,.]", text)[0]
                    text = f"{text[0].upper()}{text[1:]}."
                out += f"    {name} = {constant.value}\n{docstring(text, '    ')}"
        return out

    def arguments(self):
        out = f'"""The keyword arguments of connect(), listen() and the others.\n\n{NOTE}\n"""\n\n'
        out += "from __future__ import annotations\n\n"
        out += "from collections.abc import Iterable, Mapping\nfrom typing import TypedDict, Union\n\n"
        out += "from wspeer.codes import OnFull\n\n"
        out += (
            "Headers = Union[Mapping[str, str], Iterable[Union[str, tuple[str, str]]]]\nPem = Union[str, bytes]\n\n\n"
        )
        out += "class ConfigArgs(TypedDict, total=False):\n"
        about = "An argument that is absent or 0 has its default. "
        about += "A limit or time that is OFF is unlimited or switched off."
        out += f"{docstring(about, '    ')}\n"
        for field in self.header.struct("ws_config").fields:
            if field.name in NO_ARGUMENTS or field.name.startswith("reserved"):
                continue
            text = self.rows[field.name].python or self.text(field.doc)
            out += f"    {field.name}: {HINTS.get(field.name, 'int')}\n{docstring(text, '    ')}"
        for name, constant in self.groups["FLAG"]:
            out += f"    {name.lower()}: bool\n{docstring(self.text(constant.doc), '    ')}"
        out += (
            "\n\nFLAGS = {\n"
            + "".join(f'    "{name.lower()}": {constant.value},\n' for name, constant in self.groups["FLAG"])
            + "}\n"
        )
        return out

    def options(self):
        out = f'"""Options that can be read and set while a connection or server is open.\n\n{NOTE}\n"""\n\n'
        out += "from __future__ import annotations\n\nimport ctypes\nfrom typing import NamedTuple\n\n"
        out += "from wspeer import _declared\n"
        out += "from wspeer._descriptors import Flag, Number, OptionsBase, Policy, ReadOnly\n"
        out += "from wspeer._library import lib\nfrom wspeer.errors import check\n\n\n"
        about = "The options of one connection or server. KindError: it does not have that option."
        out += f'class Options(OptionsBase):\n    """{about}"""\n\n    __slots__ = ()\n\n'
        kinds = {"switch": "Flag", "full policy": "Policy", "read only": "ReadOnly"}
        for name, constant in self.groups["OPT"]:
            row = self.rows[name.lower()]
            text = (
                self.text([row.constant])
                if row.constant and not row.doc
                else row.python or self.text(row.doc.splitlines())
            )
            # ruff joins what fits into its lines.
            arguments = [f"{line} " for line in textwrap.wrap(text, 109)]
            arguments[-1] = arguments[-1].rstrip()
            out += f"    {row.name} = {kinds.get(row.values, 'Number')}(\n        {constant.value},\n"
            out += "\n".join(f"        {quoted(line)}" for line in arguments)
            out += ",\n    )\n"
        out += '\n\nclass Stats(NamedTuple):\n    """Counters since it was opened. A server: the sum over its clients, '
        out += 'former ones included."""\n\n'
        for field in self.header.struct("ws_stats").fields[1:]:
            out += f"    {field.name}: int\n{docstring(self.text(field.doc), '    ')}"
        return (
            out
            + '''
    @classmethod
    def of(cls, handle: int) -> Stats:
        """The counters of a handle."""
        stats = _declared.Stats()
        check(lib.ws_get_stats(handle, stats, ctypes.sizeof(stats)))
        return cls(*(getattr(stats, name) for name in cls._fields))
'''
        )

    def simulation(self):
        out = f'"""Bad networks, to play a game on.\n\n{NOTE}\n"""\n\n'
        out += "from __future__ import annotations\n\nimport ctypes\nfrom typing import NamedTuple\n\n"
        out += "from wspeer import _declared\nfrom wspeer._library import lib\n"
        out += "from wspeer.codes import OFF, SimPreset\nfrom wspeer.errors import check, whole\n\n\n"
        about = "A bad network, for set_sim(). The fields up_* are about the bytes from the client to the server, down_* "
        about += "about those from the server to the client, whichever end simulates."
        out += f"class Sim(NamedTuple):\n{docstring(about, '    ')}\n"
        for field in self.header.struct("ws_sim").fields[1:]:
            out += f"    {field.name}: int = 0\n{docstring(self.text(field.doc), '    ')}"
        return (
            out
            + '''
    @classmethod
    def preset(cls, preset: SimPreset) -> Sim:
        """The figures of a preset; change some of them with _replace()."""
        sim = _declared.Sim()
        check(lib.ws_sim_init(sim, ctypes.sizeof(sim), whole("preset", preset, -(2**31), 2**31 - 1)))
        return cls(*(getattr(sim, name) for name in cls._fields))

    def _native(self) -> _declared.Sim:
        numbers = (whole(name, value, 0, OFF) for name, value in zip(self._fields, self))
        return _declared.Sim(ctypes.sizeof(_declared.Sim), *numbers)
'''
        )

    def declared(self):
        out = f'"""The structs and functions of the library for ctypes.\n\n{NOTE}\n"""\n\n'
        out += "from __future__ import annotations\n\nimport ctypes\nimport struct\n"
        out += "from ctypes import POINTER, c_char_p, c_int32, c_size_t, c_uint32, c_uint64, c_void_p\n"
        out += "from typing import Any\n\n"
        out += f"ABI_VERSION = {self.header.value('WS_ABI_VERSION')}\n"
        for name, title in (("ws_config", "Config"), ("ws_stats", "Stats"), ("ws_sim", "Sim")):
            out += f'\n\nclass {title}(ctypes.Structure):\n    """{name}."""\n\n    _fields_ = [\n'
            out += (
                "".join(
                    f'        ("{field.name}", {self.ctype_of_field(field)}),\n'
                    for field in self.header.struct(name).fields
                )
                + "    ]\n"
            )
        out += "\n"
        for name in PACKED:
            letters, fields = (
                self.letters(self.header.struct(name)),
                ", ".join(field.name for field in self.header.struct(name).fields),
            )
            title = name.removeprefix("ws_").upper()
            out += f'\n{title} = struct.Struct("@{letters}")\n{docstring(f"{name}: {fields}.", "")}'
        sized = {"ws_config": "ctypes.sizeof(Config)", "ws_stats": "ctypes.sizeof(Stats)", "ws_sim": "ctypes.sizeof(Sim)"}
        out += "\nSIZES = {\n    # By WS_STRUCT_*.\n"
        for name, constant in self.groups["STRUCT"]:
            out += f"    {constant.value}: {sized.get(f'ws_{name.lower()}', f'{name}.size')},\n"
        out += "}\n# Structs that may grow, by WS_STRUCT_*.\nGROWING = ("
        out += ", ".join(
            str(constant.value) for name, constant in self.groups["STRUCT"] if f"ws_{name.lower()}" in sized
        )
        out += ")\n\n"
        out += "".join(f"TYPE_{name} = {constant.value}\n" for name, constant in self.groups["TYPE"])
        out += "\nFUNCTIONS: dict[str, tuple[Any, ...]] = {\n    # name: result, arguments\n"
        for function in self.header.functions:
            types = [self.ctype(function.result), *(self.ctype(one.type) for one in function.parameters)]
            out += f'    "{function.name}": ({", ".join(types)}{"," if len(types) == 1 else ""}),\n'
        return out + "}\n"

    def ctype_of_field(self, field):
        if field.type == "const char *const *":
            return "POINTER(c_char_p)"
        if field.is_pointer:
            return "c_char_p" if field.type == "const char *" else "c_void_p"
        return CTYPES[field.type]

    def ctype(self, type_):
        """The ctypes type of an argument or result. Inputs may be bytes; outputs are passed by address."""
        plain = type_.replace("const ", "").replace(" *", "")
        if "*" not in type_:
            return CTYPES[type_]
        if type_ == "const char *const *":
            return "POINTER(c_char_p)"
        if plain in POINTERS:
            return POINTERS[plain]
        if plain in CTYPES and plain != "void":
            return f"POINTER({CTYPES[plain]})"
        return "c_char_p" if type_.startswith("const ") else "c_void_p"

    def letters(self, struct):
        """The format of a struct for the module struct. Reserved fields are skipped."""
        out = ""
        for field in struct.fields:
            size = 8 if field.type.endswith("64_t") else 4
            if field.name.startswith("reserved"):
                out += f"{size * max(field.count, 1)}x"
            elif field.is_pointer:
                out += "P"
            elif field.type in LETTERS:
                out += f"{field.count or ''}{LETTERS[field.type]}"
            else:
                out += self.letters(self.header.struct(field.type))
        return out


def files(header, table):
    made = Python(header, table)
    return {
        f"{PACKAGE}/codes.py": made.codes(),
        f"{PACKAGE}/config_args.py": made.arguments(),
        f"{PACKAGE}/options.py": made.options(),
        f"{PACKAGE}/simulation.py": made.simulation(),
        f"{PACKAGE}/_declared.py": made.declared(),
    }
