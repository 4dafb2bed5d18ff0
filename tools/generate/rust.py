"""Rust: the constants, the table of options and ws_config from src/options.toml, and the enums from src/codes.rs."""

import pathlib
import re
import textwrap

from header import Constant
from names import group_of
from table import Mistake

NOTE = "Generated from src/options.toml by `make generate`: change that file."
TYPES = {"u32": "u32", "text": "*const c_char", "texts": "*const *const c_char", "pointer": "*mut c_void"}
SCOPES = {"every": "Every", "server": "Server", "multiplayer": "Multiplayer"}
RANGES = {"any": "Any", "switch": "Switch", "above zero": "AboveZero", "finite": "Finite", "full policy": "FullPolicy"}
RANGES["read only"] = "ReadOnly"
PREFIXES = {"every": "", "server": "Server: ", "multiplayer": "Host, join: "}


def comment(text, indent=""):
    return "".join(f"{indent}/// {line}\n" for line in text.strip("\n").splitlines())


def number(value):
    """The text of a number, with underscores as clippy requires."""
    return value if isinstance(value, str) else f"{value:_}"


def codes(table):
    """src/codes/options.rs."""
    out = "//! The options of ws_get_option() and ws_set_option(). Values are those of the fields of ws_config.\n"
    out += f"//! {NOTE}\n"
    for row in table.options:
        text = row.constant or f"{PREFIXES[row.handles]}ws_config.{row.name}."
        out += f"\n{comment(text)}pub const {row.option_name}: i32 = {row.option};"
    return out + "\n"


def scope_and_range(row):
    values = f"UpTo({row.values.removeprefix('up to ')})" if row.values.startswith("up to ") else RANGES[row.values]
    return f"Scope::{SCOPES[row.handles]}, Range::{values}"


def rows(table):
    """src/endpoint/options/table.rs."""
    out = f"//! {NOTE}\n\nuse super::{{Definition, Range, Scope, row}};\nuse crate::codes::*;\n\n"
    out += "/// All options, in the order of their numbers.\n"
    out += f"pub(super) const TABLE: [Definition; {len(table.options)}] = [\n"
    for row in table.options:
        of_servers = row.default if row.default_of_servers is None else row.default_of_servers
        defaults = f"{number(row.default)}, {number(of_servers)}"
        out += f'    row({row.option_name}, "{row.name}", {scope_and_range(row)}, {defaults}),\n'
    return out + "];\n"


def config(table, groups):
    """src/ffi/config_fields.rs."""
    out = f"//! {NOTE}\n\nuse crate::codes::*;\nuse std::ffi::{{c_char, c_void}};\n\n"
    first, *others = (constant for _, constant in groups["FLAG"])
    flags = "\n".join(textwrap.wrap(" | ".join([first, *others]) + ".", 112))
    why = "// A flat struct because it is part of the ABI: it grows at its end, and zeros mean defaults.\n"
    out += f"{comment(table.config)}{why}#[repr(C)]\n#[derive(Clone, Copy)]\n"
    out += "#[allow(non_camel_case_types)]\npub struct ws_config {\n"
    out += (
        "".join(
            f"{comment(row.doc.replace('{flags}', flags), '    ')}    pub {row.name}: {TYPES[row.type]},\n"
            for row in table.fields
        )
        + "}\n\n"
    )
    numbers = sum(row.type == "u32" for row in table.fields)
    pointers = len(table.fields) - numbers
    out += (
        f"const _: () = assert!(size_of::<ws_config>() == {pointers} * size_of::<*mut c_void>() + {numbers} * 4);\n\n"
    )
    out += f"/// All flags of ws_config.flags.\npub(super) const FLAGS: u32 = {first}"
    out += "".join(f"\n    | {constant}" for constant in others) + ";\n\n"
    plain = [row for row in table.fields if row.is_plain_option]
    out += "/// The fields that are options: WS_OPT_* and the value, 0 for the default.\n"
    out += f"pub(super) fn options_of(config: &ws_config) -> [(i32, u32); {len(plain)}] {{\n    [\n"
    out += "".join(f"        ({row.option_name}, config.{row.name}),\n" for row in plain) + "    ]\n}\n\n"
    reserved = [row for row in table.fields if row.is_reserved]
    pairs = ", ".join(f'("{row.name}", config.{row.name})' for row in reserved)
    out += "/// The fields that must be 0: name and value.\n"
    out += f"pub(super) fn reserved_of(config: &ws_config) -> [(&'static str, u32); {len(reserved)}] {{\n"
    out += f"    [{pairs}]\n}}\n"
    for row in table.fields:
        if row.option is None and row.default is not None:
            out += f"\n/// The default of {row.name}, which is not an option.\n"
            out += f"pub(super) const {row.name.upper()}: u32 = {number(row.default)};\n"
    return out


# For each internal enum: its group of constants, its comment, and whether its first member is the default.
ENUMS = {
    "State": ("STATE", "The state of a connection or server (RFC 6455).", False),
    "MessageType": ("TYPE", "The type of a message.", False),
    "EventKind": ("EVENT", "What an event reports.", False),
    "Phase": ("PHASE", "How far a connection had come when it ended.", True),
    "Cause": ("CAUSE", "Why a connection ended or an ERROR was reported.", True),
    "Success": ("SUCCESS", "The result of a call that succeeded.", False),
    "ErrorCode": ("ERR", "Why a call failed.", False),
    "Text": ("GET", "A text that can be asked of a connection.", False),
    "Level": ("LOG", "The level of a log line.", False),
    "Hint": ("HINT", "What a program knows of its device and network.", False),
}


def constants(root: pathlib.Path):
    """The names of the constants by group, in the order of the source."""
    found = {}
    for name in ("src/codes.rs", "src/codes/variants.rs"):
        for number, line in enumerate((root / name).read_text().splitlines(), 1):
            match = re.fullmatch(r"pub const (WS_[A-Z0-9_]+): [iu]32 = (-?[0-9A-Fx_]+);", line)
            if match:
                group, short = group_of(Constant(match[1], match[2].replace("_", ""), []))
                group = {"RESULT": "ERR" if short.startswith("ERR_") else "SUCCESS"}.get(group, group)
                found.setdefault(group, []).append((short.removeprefix("ERR_"), match[1]))
            elif "const " in line and not line.startswith("//"):
                raise Mistake(f"{name}: line {number} is no constant that tools/generate/rust.py knows: {line}")
    return found


def enums(groups):
    """src/status/enums.rs."""
    out = f"//! {NOTE.replace('src/options.toml', 'src/codes.rs')}\n\n"
    out += "use super::terminated;\nuse crate::codes::*;\nuse std::ffi::CStr;\n"
    for enum, (group, what, has_default) in ENUMS.items():
        derive = "    #[derive(Default)]\n" if has_default else ""
        out += f"\ncodes! {{\n    /// {what}\n{derive}    {enum} {{\n"
        for index, (name, constant) in enumerate(groups[group]):
            default = "        #[default]\n" if has_default and index == 0 else ""
            out += f"{default}        {pascal(name)} = {constant},\n"
        out += "    }\n}\n"
    return out


def words(table, groups):
    """src/names/words.rs: the names of fields, of options without a field and of flags, for error texts."""
    found = {row.name.upper(): row.name for row in table.fields if not row.is_reserved}
    found |= {short: constant for short, constant in groups["FLAG"]}
    for row in table.options:
        found.setdefault(row.name.upper(), row.option_name)
    out = f"//! {NOTE.replace('change that file', 'change that file, or src/codes.rs')}\n\nuse super::Name;\n\n"
    return out + "".join(f'/// `{word}`.\npub const {name}: Name = Name("{word}");\n' for name, word in found.items())


def pascal(name):
    return "".join(part[:1].upper() + part[1:].lower() for part in name.split("_"))


def files(table, root: pathlib.Path):
    groups = constants(root)
    return {
        "src/codes/options.rs": codes(table),
        "src/names/words.rs": words(table, groups),
        "src/status/enums.rs": enums(groups),
        "src/endpoint/options/table.rs": rows(table),
        "src/ffi/config_fields.rs": config(table, groups),
    }
