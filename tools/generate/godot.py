"""Godot: settings_names.h, settings_rows.h, names_rows.h and constants.c in bindings/godot/src, and parts of
doc_classes/*.xml."""

import dataclasses
import pathlib
import re
import textwrap
import tomllib
from xml.sax.saxutils import escape

import marked
from names import groups
from table import Mistake

FOLDER = "bindings/godot"
SOURCE = f"{FOLDER}/interface.toml"
NOTE = (
    "/* Generated from bindings/godot/interface.toml, src/options.toml and include/wspeer.h by `make generate`:\n"
    " * do not edit. */\n"
)
CLASSES = ("WSPeer", "WSServer", "WSMultiplayerPeer")
# For each group of constants that WSPeer has: the enum, and the prefix in Godot.
ENUMS = {
    "EVENT": ("Event", "EVENT"),
    "PHASE": ("Phase", "PHASE"),
    "CAUSE": ("Cause", "CAUSE"),
    "FULL": ("FullQueuePolicy", "FULL_QUEUE"),
    "HINT": ("Hint", "HINT"),
    "SIM": ("SimPreset", "SIM"),
}


@dataclasses.dataclass
class Property:
    """A row of bindings/godot/interface.toml, which says what each key is."""

    name: str
    type: str
    defaults: list[float]
    method: bool = False
    field: str = ""
    option: str = ""
    scale: int = 1
    zero: int | str = 0
    flag: str = ""
    text: str = ""
    server: str = ""
    multiplayer: str = ""

    def text_in(self, index):
        """The documentation in one of CLASSES."""
        return " ".join((self.text, self.server or self.text, self.multiplayer or self.text)[index].split())


def read(root: pathlib.Path, table, header):
    source = tomllib.loads((root / SOURCE).read_text())
    known = {field.name for field in dataclasses.fields(Property)}
    fields, options = {row.name for row in table.fields}, {row.name for row in table.options}
    flags = {constant.name for _, constant in groups(header)["FLAG"]}
    properties = []
    for given in source["property"]:
        if given.keys() - known:
            raise Mistake(f"{SOURCE}: {given.get('name')}: unknown keys {sorted(given.keys() - known)}")
        row = Property(**given)
        for value, names in ((row.field, fields), (row.option, options), (row.flag, flags)):
            if value and value not in names:
                raise Mistake(f"{SOURCE}: {row.name}: {value} is not in the interface")
        if len(row.defaults) != len(CLASSES) or not (row.method or row.text):
            raise Mistake(f"{SOURCE}: {row.name}: it needs three defaults and a text")
        properties.append(row)
    shown = {f"{group}_{name}" for group in ENUMS for name, _ in groups(header)[group]}
    for name in [*source["constants"]["hidden"], *source["texts"]]:
        if name not in shown:
            raise Mistake(f"{SOURCE}: {name} is no constant of the header")
    return properties, source


def names(properties):
    out = NOTE + "#ifndef WSPEER_GODOT_SETTINGS_NAMES_H\n#define WSPEER_GODOT_SETTINGS_NAMES_H\n\nenum {\n"
    return out + "".join(f"  {row.name.upper()},\n" for row in properties) + "  NUMBERS\n};\n\n#endif\n"


def rows(properties):
    out = NOTE + "static const setting settings[NUMBERS] = {\n"
    for row in properties:
        defaults = ", ".join("NONE" if value == -1 else str(value) for value in row.defaults)
        parts = [
            "NULL" if row.method else f'"{row.name}"',
            f'"{row.type}"',
            f"{{{defaults}}}",
            f"FIELD({row.field})" if row.field else "0",
            f"WS_OPT_{row.option.upper()}" if row.option else "0",
            str(row.scale),
            str(row.zero),
            row.flag or "0",
        ]
        body = textwrap.fill(
            ", ".join(parts), 112, break_on_hyphens=False, subsequent_indent=" " * 8, initial_indent=" " * 8
        )
        out += f"    [{row.name.upper()}] = {{\n{body}}},\n"
    return out + "};\n"


def words(properties):
    """The names of the properties for ws_set_name(), so that the library's texts use them."""
    out = NOTE
    for row in properties:
        for word in filter(None, (row.field, row.flag)):
            if word != row.name and not row.method:
                out += f'{{"{word}", "{row.name}"}},\n'
    return out


def shown_constants(header, source):
    """Group, name in Godot, constant, text."""
    for group, (_, prefix) in ENUMS.items():
        for name, constant in groups(header)[group]:
            key = f"{group}_{name}"
            if key not in source["constants"]["hidden"]:
                yield (
                    group,
                    f"{prefix}_{name}",
                    constant,
                    " ".join((source["texts"].get(key) or " ".join(constant.doc)).split()),
                )


def constants(header, source):
    out = NOTE + '#include "peer.h"\n\nconst gd_constant peer_more_constants[] = {\n'
    for group, name, constant, _ in shown_constants(header, source):
        out += f'    {{"{ENUMS[group][0]}", "{name}", {constant.name}}},\n'
    return out + "    {0},\n};\n"


def documented_constants(header, source):
    out = ""
    for group, name, constant, text in shown_constants(header, source):
        out += f'\t\t<constant name="{name}" value="{constant.value}" enum="{ENUMS[group][0]}">\n'
        out += f"\t\t\t{escape(text)}\n\t\t</constant>\n"
    return out


def members(properties, index):
    """The documentation of the properties of one class."""
    out = ""
    for row in sorted(properties, key=lambda row: row.name):
        default = row.defaults[index]
        if row.method or default == -1:
            continue
        kind = row.type if row.type in ("int", "float", "bool") else "int"
        shown = {"float": f"{float(default)}", "bool": "true" if default else "false"}.get(kind, f"{default}")
        enum = "" if kind == row.type else f' enum="{row.type}"'
        accessors = f'setter="set_{row.name}" getter="get_{row.name}"{enum}'
        out += f'\t\t<member name="{row.name}" type="{kind}" {accessors} default="{shown}">\n'
        out += f"\t\t\t{escape(row.text_in(index))}\n\t\t</member>\n"
    return out


def of_client(text, own):
    """The documentation of WSPeer's properties, for WSClient: links to what WSClient does not have name WSPeer."""
    text = text.replace("[method close]", "[method disconnect_from_host]")
    return re.sub(
        r"\[(method|constant|signal) (\w+)\]",
        lambda link: link[0] if link[2] in own or link[2].startswith("ERR_") else f"[{link[1]} WSPeer.{link[2]}]",
        text,
    )


def files(header, table, root: pathlib.Path):
    properties, source = read(root, table, header)
    made = {
        f"{FOLDER}/src/settings_names.h": names(properties),
        f"{FOLDER}/src/settings_rows.h": rows(properties),
        f"{FOLDER}/src/names_rows.h": words(properties),
        f"{FOLDER}/src/constants.c": constants(header, source),
    }
    for index, name in enumerate(CLASSES):
        path = f"{FOLDER}/doc_classes/{name}.xml"
        made[path] = marked.replace(path, (root / path).read_text(), "members", members(properties, index))
    path = f"{FOLDER}/doc_classes/WSClient.xml"
    text = (root / path).read_text()
    own = set(re.findall(r'<(?:method|signal|constant) name="(\w+)"', text))
    made[path] = marked.replace(path, text, "members", of_client(members(properties, 0), own))
    path = f"{FOLDER}/doc_classes/WSPeer.xml"
    made[path] = marked.replace(path, made[path], "constants", documented_constants(header, source))
    return made
