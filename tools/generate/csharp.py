"""C#: Codes.cs (constants), Native.cs (functions and structs) and WebSocketConfig.cs in Runtime/Core."""

import re
import textwrap
from xml.sax.saxutils import escape

from names import groups

CORE = "bindings/csharp/Runtime/Core"
NOTE = "// Generated from include/wspeer.h by `make generate`: do not edit.\n"

# For each group of constants: the enum, its underlying type and its comment.
ENUMS = {
    "RESULT": ("WebSocketResult", "int", "The result of a call. 0 and above: success."),
    "TYPE": ("WebSocketMessageType", "int", "The type of a message."),
    "STATE": ("WebSocketState", "int", "The state of a connection or server (RFC 6455)."),
    "EVENT": ("WebSocketEventType", "int", "The type of a WebSocketEvent."),
    "PHASE": ("WebSocketPhase", "int", "How far a connection had come when it ended."),
    "CAUSE": ("WebSocketCause", "int", "Why a connection ended, or what an Error event reports."),
    "FLAG": ("WebSocketFlags", "uint", "Flags of WebSocketConfig."),
    "FULL": ("WebSocketFullPolicy", "uint", "What a message to several targets does about one whose queue is full."),
    "ROLE": ("WebSocketRole", "int", "The role of one end of a connection."),
    "GET": ("WebSocketText", "int", "Texts that a connection has."),
    "OPT": ("WebSocketOption", "int", "Options that can be read and set while a connection or server is open."),
    "LOG": ("WebSocketLogLevel", "int", "The level of log lines."),
    "STRUCT": ("WebSocketStruct", "int", "Structs whose size the library reports."),
    "VARIANT": ("WebSocketVariantType", "int", "Types of the values in a Godot remote call: Variant.Type."),
    "SERVE": ("WebSocketServeFlags", "uint", "Flags of WebSocketServer.Serve()."),
    "HINT": ("WebSocketHint", "int", "What the app knows of its device and network."),
    "FEATURE": ("WebSocketFeatures", "uint", "What a build and platform support."),
    "SIM": ("WebSocketSimPreset", "int", "Bad networks with names, for WebSocketSim.Preset()."),
}

STRUCTS = {
    "ws_packet": "NativePacket",
    "ws_packet_out": "NativePacketOut",
    "ws_event": "NativeEvent",
    "ws_config": "NativeConfig",
    "ws_stats": "WebSocketStats",
    "ws_variant": "NativeVariant",
    "ws_call": "NativeCall",
    "ws_replicated": "NativeReplicated",
    "ws_sim": "WebSocketSim",
}
PUBLIC = {"WebSocketStats", "WebSocketSim"}
# Structs with methods, which are in a file of their own.
PARTIAL = {"WebSocketSim"}
HIDDEN = {"WebSocketStruct", "WebSocketServeFlags"}
# Constants of the header without a group that number scenes, and their names in WebSocketScene.
SCENES = {"CUSTOM_SCENE": "CUSTOM", "NO_SCENE": "NONE"}
# Words of the header's comments, and what they are called in C#.
WORDS = {
    "ws_config": "WebSocketConfig",
    "ws_stats": "WebSocketStats",
    "ws_sim": "WebSocketSim",
    "ws_attach()": "WebSocketPeer.Attach()",
    "ws_close()": "Close()",
    "ws_complete_auth()": "CompleteAuth()",
    "ws_connect()": "WebSocketPeer.Connect()",
    "ws_decode_call()": "WebSocketCall.Decode()",
    "ws_decode_replication()": "WebSocketReplicated.Decode()",
    "ws_decode_variant()": "WebSocketVariant.Decode()",
    "ws_declare_scene()": "DeclareScene()",
    "ws_declare_synchronizer()": "DeclareSynchronizer()",
    "ws_spawn()": "Spawn()",
    "ws_replicated.scene": "WebSocketReplicated.Scene",
    "ws_disconnect()": "Disconnect()",
    "ws_encode_call()": "WebSocketCall.Encode()",
    "ws_flush()": "Flush()",
    "ws_get_features()": "WebSocketLibrary.Features",
    "ws_get_log()": "WebSocketLibrary.TryGetLog()",
    "ws_host()": "WebSocketMultiplayerPeer.Host()",
    "ws_join()": "WebSocketMultiplayerPeer.Join()",
    "ws_join_local()": "WebSocketMultiplayerPeer.JoinLocal()",
    "ws_last_error()": "WebSocketLibrary.LastError",
    "ws_listen()": "WebSocketServer.Listen()",
    "ws_pair()": "WebSocketPeer.Pair()",
    "ws_poll()": "Poll()",
    "ws_send_auth()": "SendAuth()",
    "ws_serve()": "WebSocketServer.Serve()",
    "ws_set_option()": "SetOption()",
    "ws_set_sim()": "SetSim()",
    "ws_put_latest()": "SendLatest()",
    "ws_publish_latest()": "PublishLatest()",
    "ws_set_user()": "SetUser()",
    "ws_sim_init()": "WebSocketSim.Preset()",
    "ws_version()": "WebSocketLibrary.Version",
    "ws_wait()": "Wait()",
    "event.conn": "event.Connection",
    "event.packet.data": "event.GetText()",
}
TYPED = {"flags": "WebSocketFlags", "on_full": "WebSocketFullPolicy"}
VALUES = {
    "int32_t": "int",
    "uint32_t": "uint",
    "uint64_t": "ulong",
    "int64_t": "long",
    "double": "double",
    "uint8_t": "byte",
    "char": "byte",
    "size_t": "UIntPtr",
    "void": "void",
    "ws_handle": "uint",
    "ws_result": "int",
    **STRUCTS,
}


def pascal(name):
    return "".join(part[:1].upper() + part[1:].lower() for part in name.split("_"))


def comment(lines, indent):
    """A documentation comment in lines of at most 120 columns."""
    text = escape(" ".join(line.strip() for line in lines if line.strip()))
    return "".join(f"{line}\n" for line in wrap(f"<summary>{text}</summary>", f"{indent}/// "))


def wrap(text, start):
    return textwrap.wrap(
        text, 120, initial_indent=start, subsequent_indent=start, break_long_words=False, break_on_hyphens=False
    )


class CSharp:
    def __init__(self, header):
        self.header = header
        self.groups = groups(header)
        self.names = {
            constant.name: f"{ENUMS[group][0]}.{pascal(name)}"
            for group, members in self.groups.items()
            for name, constant in members
        }
        self.names["WS_OFF"] = "WebSocketConfig.Off"
        self.names |= {f"WS_{name}": f"WebSocketScene.{pascal(short)}" for name, short in SCENES.items()}
        structs = (header.struct(name) for name in ("ws_config", "ws_stats", "ws_sim"))
        self.names |= {field.name: pascal(field.name) for one in structs for field in one.fields if "_" in field.name}
        events = header.struct("ws_event").fields
        self.names |= {f"event.{field.name}": f"event.{pascal(field.name)}" for field in events} | WORDS

    def in_csharp(self, lines):
        """A comment with the names of C#."""
        words = r"\bevent\.packet\.data\b|\bws_replicated\.scene\b|\bevent\.\w+|\bws_\w+\(\)|\bws_\w+|\bWS_\w+|\b[a-z]+(?:_\w+)+"
        return [re.sub(words, lambda found: self.names.get(found[0], found[0]), line) for line in lines]

    def codes(self):
        blocks = []
        for group, members in self.groups.items():
            enum, kind, what = ENUMS[group]
            block = comment([what], "    ")
            if enum in ("WebSocketFlags", "WebSocketFeatures"):
                block += "    [Flags]\n"
            block += f"    {'internal' if enum in HIDDEN else 'public'} enum {enum} : {kind}\n    {{\n"
            if enum == "WebSocketFlags":
                block += "        /// <summary>None.</summary>\n        None = 0,\n"
            for name, constant in members:
                block += (
                    comment(self.in_csharp(constant.doc), "        ") + f"        {pascal(name)} = {constant.text},\n"
                )
            blocks.append(block + "    }\n")
        blocks.append(self.scenes())
        return f"{NOTE}using System;\n\nnamespace Wspeer\n{{\n" + "\n".join(blocks) + "}\n"

    def scenes(self):
        """Numbers of scenes that are no index."""
        block = comment(["Scenes of a MultiplayerSpawner that are no index in its list."], "    ")
        block += "    public static class WebSocketScene\n    {\n"
        for constant in self.header.constants:
            short = SCENES.get(constant.name.removeprefix("WS_"))
            if short:
                block += comment(self.in_csharp(constant.doc), "        ")
                block += f"        public const uint {pascal(short)} = {constant.text};\n"
        return block + "    }\n"

    def functions(self):
        for function in self.header.functions:
            parameters = ", ".join(
                f"{kind(one.type)} {'@out' if one.name == 'out' else one.name}" for one in function.parameters
            )
            indent = "        "
            first, *others = wrap(
                f"internal static extern {kind(function.result)} {function.name}({parameters});", indent
            )
            yield (
                f"{indent}[DllImport(Library, CallingConvention = CallingConvention.Cdecl)]\n{first}\n"
                + "".join(f"    {line}\n" for line in others)
            )

    def struct(self, struct):
        name = STRUCTS[struct.name]
        access = "public" if name in PUBLIC else "internal"
        partial = "partial " if name in PARTIAL else ""
        out = (
            comment(self.in_csharp(struct.doc) if name in PUBLIC else struct.doc, "    ")
            + f"    [StructLayout(LayoutKind.Sequential)]\n    {access} unsafe {partial}struct {name}\n    {{\n"
        )
        for field in struct.fields:
            type_ = "IntPtr" if field.is_pointer else kind(field.type)
            declared = (
                f"fixed {type_} {pascal(field.name)}[{field.count}]" if field.count else f"{type_} {pascal(field.name)}"
            )
            doc = self.in_csharp(field.doc) if name in PUBLIC else field.doc
            out += comment(doc, "        ") + f"        public {declared};\n"
        return out + "    }\n"

    def native(self):
        parts = "\n".join(self.struct(struct) for struct in self.header.structs)
        return f"""{NOTE}using System;
using System.Runtime.InteropServices;

// Fields that the library fills are never assigned in C#.
#pragma warning disable 0649

namespace Wspeer
{{
    /// <summary>The C functions, as IL2CPP needs them: static, with blittable types, without marshalling and
    /// without callbacks.</summary>
    internal static unsafe class Native
    {{
#if (UNITY_IOS || UNITY_TVOS || UNITY_VISIONOS || UNITY_WEBGL) && !UNITY_EDITOR
        const string Library = "__Internal";
#else
        const string Library = "wspeer";
#endif

        internal const uint AbiVersion = {self.header.value("WS_ABI_VERSION")};

{chr(10).join(self.functions())}    }}

{parts}}}
"""

    def config(self):
        """ws_config as a class of numbers and strings that can copy itself to the struct. In C# lists have a length,
        and the owner has a default."""
        members, copies = [], []
        for field in self.header.struct("ws_config").fields:
            name = pascal(field.name)
            if field.name in ("struct_size", "headers_count") or field.name.startswith("reserved"):
                continue
            text, headers, owner = field.type == "const char *", field.name == "headers", field.name == "owner"
            type_ = (
                "string[]"
                if headers
                else "string"
                if text
                else "IntPtr"
                if field.is_pointer
                else TYPED.get(field.name, kind(field.type))
            )
            doc = (
                ["A number of your choice that groups handles for WebSocketLibrary.FreeOwner().", "0: its Owner."]
                if owner
                else self.in_csharp(field.doc)
            )
            hidden = "        [NonSerialized] " if field.name in ("owner", "user") else "        "
            members.append(comment(doc, "        ") + f"{hidden}public {type_} {name};\n")
            cast = f"({kind(field.type)})" if field.name in TYPED else ""
            value = (
                f"texts.{'List' if headers else 'Text'}({name}, nameof({name}))" if headers or text else f"{cast}{name}"
            )
            copies.append(
                f"            to->{name} = {'Owner == 0 ? WebSocketLibrary.Owner : Owner' if owner else value};\n"
            )
            if headers:
                copies.append("            to->HeadersCount = Headers == null ? 0 : (uint)Headers.Length;\n")
        off = next(constant for constant in self.header.constants if constant.name == "WS_OFF")
        return f"""{NOTE}using System;

namespace Wspeer
{{
    /// <summary>How to open a connection or a server. Every field that stays 0 or null has its default. The call that
    /// opens copies everything.</summary>
    [Serializable]
    public sealed class WebSocketConfig
    {{
{comment(self.in_csharp(off.doc), "        ")}        public const uint Off = {off.text};

{"".join(members)}
        internal unsafe void Write(NativeConfig* to, NativeTexts texts)
        {{
{"".join(copies)}        }}
    }}
}}
"""


def kind(text):
    """The C# type for a C type."""
    return VALUES[re.sub(r"\bconst\b|\*", "", text).strip()] + "*" * text.count("*")


def files(header):
    made = CSharp(header)
    return {
        f"{CORE}/Codes.cs": made.codes(),
        f"{CORE}/Native.cs": made.native(),
        f"{CORE}/WebSocketConfig.cs": made.config(),
    }
