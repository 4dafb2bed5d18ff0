"""Rust, for users: codes.rs, config_fields.rs, stats.rs and sim.rs in bindings/rust/src."""

import re
import textwrap

from names import groups
from rust import pascal

PACKAGE = "bindings/rust/src"
NOTE = "Generated from include/wspeer.h and src/options.toml by `make generate`: do not edit."

# For each group of constants the enum, its comment, its integer, and whether it is made from numbers of the library.
ENUMS = {
    "RESULT": ("ErrorCode", "Why a call failed.", "i32", True),
    "STATE": ("State", "The state of a connection or server (RFC 6455).", "i32", True),
    "EVENT": ("EventKind", "The type of an event.", "i32", True),
    "TYPE": ("MessageKind", "The type of a message.", "i32", True),
    "PHASE": ("Phase", "How far a connection had come when it ended.", "i32", True),
    "CAUSE": ("Cause", "Why a connection ended, or what an error event reports.", "i32", True),
    "FULL": (
        "OnFull",
        "What a message to several targets does about one whose queue is full.",
        "u32",
        False,
    ),
    "ROLE": ("Role", "The role of a connection of [`Attached`](crate::Attached).", "i32", False),
    "OPT": ("Opt", "An option that can be read and set while a connection or server is open.", "i32", False),
    "HINT": ("Hint", "What a program knows of its device and network.", "i32", False),
    "LOG": ("LogLevel", "The level of log lines.", "i32", False),
    "FEATURE": ("Feature", "What a build and platform may support.", "u32", False),
    "SIM": ("SimPreset", "A bad network with a name, for [`Sim::preset`](crate::Sim::preset).", "i32", False),
    "VARIANT": ("VariantKind", "The type of a Godot value.", "i32", True),
}
# The methods that stand for functions of C whose names differ by more than the prefix.
FUNCTIONS = {
    "connect": "Client::connect()",
    "diagnose": "Client::diagnose()",
    "listen": "Server::listen()",
    "host": "Host::listen()",
    "join": "Join::connect()",
    "join_local": "Host::join_local()",
    "pair": "Pair::open()",
    "attach": "Attached::open()",
    "put_packet": "send()",
    "put_packet_to": "send_to()",
    "put_packets": "send_many()",
    "put_latest": "send_latest()",
    "next_event": "events()",
    "get_packet": "messages()",
    "encode_call": "Call::encode()",
    "decode_call": "Call::decode()",
    "decode_variant": "Variant::decode()",
    "decode_replication": "Nodes",
    "free_owner": "free_owner()",
    "set_user": "set_user()",
    "get_log": "next_log()",
}
# Comments of constants that differ in Rust.
TEXTS = {
    "WS_OFF": "As a limit or a time, in a `Config` and `set_option()`: unlimited, or switched off.",
    "WS_NO_SCENE": "`Replicated::scene`: the synchronizer is of no spawned node; `declare_synchronizer()` declared it.",
    "WS_ERR_KIND": "The call does not apply to this type of handle.",
    "WS_ERR_NULL": "A required pointer is NULL. The binding passes none.",
    "WS_ERR_CONFIG": "The `Config` is invalid. The text of the error names the setting.",
    "WS_ERR_ADDRESS": "`Server::listen()` and `Host::open()`: the address cannot be bound. The text of the error has the "
    "reason.",
    "WS_ERR_DIRECTORY": "`serve()`: the directory does not exist or cannot be opened. The text of the error has the reason.",
    "WS_EVENT_MESSAGE": "A message was received.",
}
# Fields of ws_config that Config sets otherwise.
BY_HAND = {"struct_size", "flags", "headers", "headers_count"}
# Types of the arguments that are not plain numbers.
ARGUMENTS = {"on_full": "OnFull", "no_delay": "bool", "user": "usize"}


def names_of(header):
    """The Rust names of the header's constants."""
    found = {"WS_OFF": "OFF", "WS_CUSTOM_SCENE": "CUSTOM_SCENE", "WS_NO_SCENE": "NO_SCENE"}
    found["WS_SERVE_ISOLATED"] = "isolated"
    for group, members in groups(header).items():
        for name, constant in members:
            if group in ENUMS:
                enum, member = ENUMS[group][0], pascal(name.removeprefix("ERR_"))
                in_enum = group != "RESULT" or name.startswith("ERR_")
                found[constant.name] = f"{enum}::{member}" if in_enum else member
            elif group == "FLAG":
                found[constant.name] = f"{name.lower()}()"
            elif group == "GET":
                found[constant.name] = f"{name.lower()}()"
    return found


class Rust:
    def __init__(self, header, table):
        self.header, self.table = header, table
        self.groups, self.names = groups(header), names_of(header)
        self.fields = [row for row in table.fields if row.name not in BY_HAND and not row.is_reserved]
        self.flags = [(name.lower(), constant) for name, constant in self.groups["FLAG"]]

    def text(self, doc):
        """A comment of the header with the names of Rust, as one paragraph."""
        text = " ".join(" ".join(doc).split()).replace("WS_FULL_*", "OnFull")
        text = re.sub(r"\bws_(config|stats)\.(\w+)", r"`\2`", text)
        text = text.replace("event.packet.data", "the text").replace("event.packet", "the message")
        text = re.sub(r"(?<!`)\bevent\.(\w+)", r"`\1`", text)
        text = re.sub(r"\bWS_\w+\b", lambda found: f"`{self.names.get(found[0], found[0])}`", text)
        text = re.sub(
            r"\bws_(\w+)\(\)", lambda found: f"`{FUNCTIONS.get(found[1], found[1].removeprefix('get_') + '()')}`", text
        )
        text = re.sub(r"(?<!`)\b(\w+\[\d+\])", r"`\1`", text)
        # Only code has brackets and asterisks, which rustdoc would read as something else.
        text = re.sub(r"(?<![`\w/])(\w+_\*)", r"`\1`", text)
        return re.sub(r'(?<!`)("[^"`]*[\[\*<][^"`]*")', r"`\1`", text)

    def comment(self, doc, indent="", name=""):
        lines = textwrap.wrap(TEXTS.get(name) or self.text(doc), 115 - len(indent), break_long_words=False, break_on_hyphens=False)
        return "".join(f"{indent}/// {line}\n" for line in lines)

    def head(self, what, more=""):
        return f"//! {what}\n//! {NOTE}\n\n{more}"

    def codes(self):
        out = self.head("The numbers of the library as enums.", "use wspeer_core::codes as c;\n\n")
        for name, kind in (("OFF", "u32"), ("CUSTOM_SCENE", "u32"), ("NO_SCENE", "u32")):
            constant = next(one for one in self.header.constants if one.name == f"WS_{name}")
            out += f"{self.comment(constant.doc, name=constant.name)}pub const {name}: {kind} = {constant.text.removesuffix('u').replace('0xFFFFFFFF', '0xFFFF_FFFF')};\n"
        for group, (enum, what, number, is_read) in ENUMS.items():
            members = [
                (pascal(name.removeprefix("ERR_")), constant)
                for name, constant in self.groups[group]
                if group != "RESULT" or name.startswith("ERR_")
            ]
            out += f"\n/// {what}\n#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]\n"
            out += f"#[non_exhaustive]\n#[repr({number})]\npub enum {enum} {{\n"
            for member, constant in members:
                out += f"{self.comment(constant.doc, '    ', constant.name)}    {member} = c::{constant.name},\n"
            out += f"}}\n\nimpl {enum} {{\n    /// All of them, in the order of the header.\n"
            listed = ", ".join(f"{enum}::{member}" for member, _ in members)
            start = f"    pub const ALL: &[{enum}] ="
            # As rustfmt breaks it.
            if len(f"{start} &[{listed}];") <= 120:
                out += f"{start} &[{listed}];\n"
            elif len(f"        &[{listed}];") <= 120:
                out += f"{start}\n        &[{listed}];\n"
            else:
                out += f"    pub const ALL: &[{enum}] = &[\n"
                out += "".join(f"        {enum}::{member},\n" for member, _ in members) + "    ];\n"
            if is_read:
                out += f"\n    pub(crate) const fn from_raw(number: {number}) -> Option<{enum}> {{\n        match number {{\n"
                for member, constant in members:
                    out += f"            c::{constant.name} => Some({enum}::{member}),\n"
                out += "            _ => None,\n        }\n    }\n"
            out += "}\n"
        return out

    def config(self):
        out = self.head("The settings of a connection or server.")
        out += "use crate::codes::{OFF, OnFull};\nuse crate::config::Texts;\nuse crate::error::Error;\n"
        out += "use wspeer_core::codes as c;\nuse wspeer_core::ffi::ws_config;\n\n"
        out += textwrap.dedent(
            """\
            /// How to open a connection or a server. Set what you need: what is not set, or 0, has its default.
            ///
            /// A limit or time that is [`OFF`](crate::OFF) is unlimited or switched off.
            ///
            /// ```
            /// let config = wspeer::Config::new().max_clients(64).heartbeat_ms(5000).deflate(true);
            /// let server = wspeer::Server::listen_with("ws://127.0.0.1:0", &config)?;
            /// # Ok::<(), wspeer::Error>(())
            /// ```
            #[derive(Clone, Default)]
            #[must_use]
            pub struct Config {
                pub(crate) flags: u32,
                pub(crate) headers: Vec<String>,
            """
        )
        for row in self.fields:
            kind = {"text": "Option<String>", "pointer": "usize"}.get(row.type, "u32")
            out += f"    pub(crate) {row.name}: {kind},\n"
        out += "}\n\nimpl Config {\n"
        parts = []
        for row in self.fields:
            part = self.comment(row.doc.splitlines(), "    ")
            kind = "impl Into<String>" if row.type == "text" else ARGUMENTS.get(row.name, "u32")
            value = {
                "impl Into<String>": "Some(value.into())",
                "OnFull": "value as u32",
                "bool": "if value { 0 } else { OFF }",
            }.get(kind, "value")
            part += f"    pub fn {row.name}(mut self, value: {kind}) -> Config {{\n"
            parts.append(f"{part}        self.{row.name} = {value};\n        self\n    }}\n")
        for name, constant in self.flags:
            part = self.comment(constant.doc, "    ")
            part += f"    pub fn {name}(self, on: bool) -> Config {{\n"
            parts.append(f"{part}        self.flag(c::{constant.name}, on)\n    }}\n")
        out += "\n".join(parts) + "\n"
        out += "    /// Writes all fields but the headers. The pointers are those of `texts`.\n"
        out += "    pub(crate) fn write(&self, raw: &mut ws_config, texts: &mut Texts) -> Result<(), Error> {\n"
        out += "        raw.flags = self.flags;\n"
        for row in self.fields:
            if row.type == "text":
                out += f'        raw.{row.name} = texts.add("{row.name}", self.{row.name}.as_deref())?;\n'
            elif row.type == "pointer":
                out += f"        raw.{row.name} = std::ptr::without_provenance_mut(self.{row.name});\n"
            else:
                out += f"        raw.{row.name} = self.{row.name};\n"
        return out + "        Ok(())\n    }\n}\n"

    def record(self, struct, name, what, number, lead, derive):
        """A struct of numbers, without struct_size."""
        fields = [field for field in self.header.struct(struct).fields if field.name != "struct_size"]
        types = {"uint32_t": "u32", "uint64_t": "u64"}
        out = self.head(lead, f"use wspeer_core::ffi::{struct};\n\n")
        out += f"/// {what}\n#[derive(Clone, Copy, PartialEq, Eq, Debug{derive})]\n"
        out += "#[non_exhaustive]\n" if number == "from" else ""
        out += f"pub struct {name} {{\n"
        for field in fields:
            out += f"{self.comment(field.doc, '    ')}    pub {field.name}: {types[field.type]},\n"
        out += f"}}\n\nimpl {name} {{\n    pub(crate) fn from_raw(raw: &{struct}) -> {name} {{\n        {name} {{\n"
        out += "".join(f"            {field.name}: raw.{field.name},\n" for field in fields) + "        }\n    }\n"
        if number == "both":
            out += f"\n    pub(crate) fn write(&self, raw: &mut {struct}) {{\n"
            out += "".join(f"        raw.{field.name} = self.{field.name};\n" for field in fields) + "    }\n"
        return out + "}\n"

    def stats(self):
        what = "Counters since it was opened. A server: the sum over its clients, former ones included."
        return self.record("ws_stats", "Stats", what, "from", "Counters.", "")

    def sim(self):
        what = "A bad network, for `set_sim()`. The fields `up_*` are about the bytes from the client to the server, `down_*`\n"
        what += "/// about those from the server to the client, whichever end simulates. `Sim::default()` is a perfect network."
        return self.record("ws_sim", "Sim", what, "both", "Bad networks, to play a game on.", ", Default")


def files(header, table):
    made = Rust(header, table)
    return {
        f"{PACKAGE}/codes.rs": made.codes(),
        f"{PACKAGE}/config_fields.rs": made.config(),
        f"{PACKAGE}/stats.rs": made.stats(),
        f"{PACKAGE}/sim.rs": made.sim(),
    }
