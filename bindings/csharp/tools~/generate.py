#!/usr/bin/env python3
"""Writes what C# only repeats of include/wspeer.h: Runtime/Core/Codes.cs (constants), Native.cs (functions and structs) and WebSocketConfig.cs.
Usage: generate.py          writes the files
       generate.py --check  fails when their code is not what the header says"""
import pathlib
import re
import sys
from xml.sax.saxutils import escape

HERE = pathlib.Path(__file__).resolve().parent.parent
HEADER = HERE.parent.parent / "include" / "wspeer.h"
NOTE = "// Generated from wspeer.h by tools~/generate.py (make header).\n"

# Prefix in C: enum in C#, underlying type, what it is.
PREFIXES = {
    "EVENT_": ("WebSocketEventType", "int", "What a WebSocketEvent tells."),
    "PHASE_": ("WebSocketPhase", "int", "Where a connection was when it ended."),
    "CAUSE_": ("WebSocketCause", "int", "Why a connection ended."),
    "FULL_": ("WebSocketFullPolicy", "uint", "What a message to several targets does with one whose queue is full."),
    "ROLE_": ("WebSocketRole", "int", "Which end of a connection."),
    "GET_": ("WebSocketText", "int", "Texts that a connection can be asked for."),
    "OPT_": ("WebSocketOption", "int", "What can be read and set while a connection lives."),
    "LOG_": ("WebSocketLogLevel", "int", "Which log lines are kept."),
    "VARIANT_": ("WebSocketVariantType", "int", "Types of values in a remote call of Godot's: Variant.Type."),
    "STRUCT_": ("WebSocketStruct", "int", "Structs whose size the library tells."),
    "FEATURE_": ("WebSocketFeatures", "uint", "What a build and platform can do."),
}
RESULT = ("WebSocketResult", "int", "What a call gives back. 0 and above: success.")
TYPE = ("WebSocketMessageType", "int", "The types of messages.")
STATE = ("WebSocketState", "int", "The states of RFC 6455.")
FLAGS = ("WebSocketFlags", "uint", "Switches of WebSocketConfig.")
PLAIN = {"OK": RESULT, "EMPTY": RESULT, "MORE": RESULT, "PARTIAL": RESULT, "TRUNCATED": RESULT, "TEXT": TYPE, "BINARY": TYPE, "CALL": TYPE,
         "CONNECTING": STATE, "OPEN": STATE, "CLOSING": STATE, "CLOSED": STATE}
NOT_IN_ENUMS = {"OFF", "VERSION", "ABI_VERSION"}

STRUCTS = {"ws_packet": "NativePacket", "ws_event": "NativeEvent", "ws_config": "NativeConfig", "ws_stats": "WebSocketStats",
           "ws_variant": "NativeVariant", "ws_call": "NativeCall"}
PUBLIC = {"WebSocketStats"}
HIDDEN = {"WebSocketStruct"}
TYPED = {"Flags": "WebSocketFlags", "OnFull": "WebSocketFullPolicy"}
VALUES = {"int32_t": "int", "uint32_t": "uint", "uint64_t": "ulong", "int64_t": "long", "double": "double", "uint8_t": "byte", "char": "byte", "size_t": "UIntPtr", "void": "void",
          "ws_handle": "uint", "ws_result": "int", **STRUCTS}


def pascal(name):
    return "".join(part[:1].upper() + part[1:].lower() for part in name.split("_"))


def place(name, value):
    """The enum of a constant, and its name there."""
    if name.startswith("ERR_"):
        return RESULT, pascal(name)
    for prefix, enum in PREFIXES.items():
        if name.startswith(prefix):
            return enum, pascal(name[len(prefix):])
    if name in PLAIN:
        return PLAIN[name], pascal(name)
    if value <= 0 or value & (value - 1):
        sys.exit(f"generate: WS_{name} is no flag: say in generate.py which enum it belongs to")
    return FLAGS, pascal(name)


def comment(text, indent):
    lines = [escape(line.strip().lstrip("/").strip()) for line in text.strip().splitlines() if line.strip()]
    return "".join(f"{indent}/// {line}\n" for line in [f"<summary>{lines[0]}", *lines[1:-1], f"{lines[-1]}</summary>"]) if len(lines) > 1 \
        else f"{indent}/// <summary>{lines[0]}</summary>\n"


def constants(header):
    for doc, name, number in re.findall(r"((?:^// .*\n)+)#define WS_(\w+) (-?\w+)$", header, re.M):
        if name not in NOT_IN_ENUMS:
            yield doc, f"WS_{name}", number, *place(name, int(number))


def in_csharp(doc, header):
    """A comment with the constants' names in C#."""
    names = {name: f"{enum[0]}.{member}" for _, name, _, enum, member in constants(header)}
    names["WS_OFF"] = "WebSocketConfig.Off"
    return re.sub(r"WS_\w+", lambda found: names.get(found.group(), found.group()), doc)


def codes(header):
    enums = {}
    for doc, _, number, enum, member in constants(header):
        enums.setdefault(enum, []).append((member, number, in_csharp(doc, header)))
    out = NOTE + "using System;\n\nnamespace Wspeer\n{\n"
    blocks = []
    for (enum, kind, what), members in enums.items():
        block = comment(what, "    ")
        if enum in ("WebSocketFlags", "WebSocketFeatures"):
            block += "    [Flags]\n"
        block += f"    {'internal' if enum in HIDDEN else 'public'} enum {enum} : {kind}\n    {{\n"
        if enum == "WebSocketFlags":
            block += "        /// <summary>None.</summary>\n        None = 0,\n"
        for member, number, doc in members:
            block += comment(doc, "        ") + f"        {member} = {number},\n"
        blocks.append(block + "    }\n")
    return out + "\n".join(blocks) + "}\n"


def kind(text):
    """A C type as C#'s."""
    stars = text.count("*")
    return VALUES[re.sub(r"\b(const|struct)\b|\*", "", text).strip()] + "*" * stars


def functions(header):
    for result, name, parameters in re.findall(r"^WS_API ([^;]*?)(ws_\w+)\(([^;]*)\);", header, re.M):
        list_of = []
        for parameter in [] if parameters == "void" else parameters.split(","):
            type_, word = re.match(r"(.*?)(\w+)$", parameter.strip(), re.S).groups()
            list_of.append(f"{kind(type_)} {'@out' if word == 'out' else word}")
        yield f"        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]\n        internal static extern {kind(result)} {name}({', '.join(list_of)});\n"


def structs(header):
    """Of each struct its name, comment and fields: comment, type, name, count."""
    for doc, name, body in re.findall(r"((?:^// .*\n)+)typedef struct (ws_\w+) \{\n((?:  .*\n)*)\} ws_\w+;", header, re.M):
        fields = []
        for about, declaration in re.findall(r"((?:^ *// .*\n)+) *([^/;]*);", body, re.M):
            type_, field, count = re.match(r"(.*?)(\w+)(?:\[(\d+)\])?$", declaration, re.S).groups()
            fields.append((about, type_.strip(), pascal(field), count))
        yield name, doc, fields


def struct(name, doc, fields):
    access = "public" if name in PUBLIC else "internal"
    out = comment(doc, "    ") + f"    [StructLayout(LayoutKind.Sequential)]\n    {access} unsafe struct {name}\n    {{\n"
    for doc, type_, member, count in fields:
        type_ = "IntPtr" if "*" in type_ else kind(type_)
        out += comment(doc, "        ") + (f"        public fixed {type_} {member}[{count}];\n" if count else f"        public {type_} {member};\n")
    return out + "    }\n"


def native(header):
    abi = re.search(r"#define WS_ABI_VERSION (\d+)", header).group(1)
    parts = "\n".join(struct(STRUCTS[name], doc, fields) for name, doc, fields in structs(header))
    return f"""{NOTE}using System;
using System.Runtime.InteropServices;

// What the library fills is never assigned here.
#pragma warning disable 0649

namespace Wspeer
{{
    /// <summary>The C functions as they are: static, blittable, nothing marshalled, nothing called back, as IL2CPP needs it.</summary>
    internal static unsafe class Native
    {{
#if (UNITY_IOS || UNITY_TVOS || UNITY_VISIONOS || UNITY_WEBGL) && !UNITY_EDITOR
        const string Library = "__Internal";
#else
        const string Library = "wspeer";
#endif

        internal const uint AbiVersion = {abi};

{chr(10).join(functions(header))}    }}

{parts}}}
"""


def config(header):
    """ws_config as a class of numbers and strings that can copy itself into the struct. In C# the lists carry their length, and the owner has a default."""
    fields = next(fields for name, _, fields in structs(header) if name == "ws_config")
    members, copies = [], []
    for doc, type_, member, _ in fields:
        if member in ("StructSize", "HeadersCount", "Reserved"):
            continue
        text = type_ == "const char *"
        in_csharp_ = "string[]" if member == "Headers" else "string" if text else "IntPtr" if "*" in type_ else TYPED.get(member, kind(type_))
        doc = "A number of your choice for WebSocketLibrary.FreeOwner(); 0: WebSocketLibrary.Owner." if member == "Owner" else in_csharp(doc, header)
        hidden = "        [NonSerialized] " if member in ("Owner", "User") else "        "
        members.append(comment(doc, "        ") + f"{hidden}public {in_csharp_} {member};\n")
        cast = f"({kind(type_)})" if member in TYPED else ""
        value = (f"texts.List({member}, nameof({member}))" if member == "Headers" else f"texts.Text({member}, nameof({member}))" if text
                 else "Owner == 0 ? WebSocketLibrary.Owner : Owner" if member == "Owner" else f"{cast}{member}")
        copies.append(f"            to->{member} = {value};\n")
        if member == "Headers":
            copies.append("            to->HeadersCount = Headers == null ? 0 : (uint)Headers.Length;\n")
    off = re.search(r"((?:^// .*\n)+)#define WS_OFF (\w+)$", header, re.M)
    return f"""{NOTE}using System;

namespace Wspeer
{{
    /// <summary>How to open a connection or a server. Every field that stays 0 or null means its default; everything is copied during the call.</summary>
    [Serializable]
    public sealed class WebSocketConfig
    {{
{comment(off.group(1), "        ")}        public const uint Off = {off.group(2)};

{"".join(members)}
        internal unsafe void Write(NativeConfig* to, NativeTexts texts)
        {{
{"".join(copies)}        }}
    }}
}}
"""


def without_comments(text):
    return [line for line in text.splitlines() if not line.lstrip().startswith("//")]


def main():
    header = HEADER.read_text()
    core = HERE / "Runtime" / "Core"
    wanted = {core / "Codes.cs": codes(header), core / "Native.cs": native(header), core / "WebSocketConfig.cs": config(header)}
    if sys.argv[1:] == ["--check"]:
        stale = [path.name for path, text in wanted.items() if not path.exists() or without_comments(path.read_text()) != without_comments(text)]
        print(f"{'not ok' if stale else 'ok'} - Codes.cs, Native.cs and WebSocketConfig.cs are what the header says{': make header writes ' + ' and '.join(stale) if stale else ''}")
        return 1 if stale else 0
    for path, text in wanted.items():
        path.write_text(text)
    return 0


sys.exit(main())
