"""The browser: the tables of bindings/web/library_wspeer_tables.js, and wspeer.d.ts for TypeScript."""

import pathlib
import re
import textwrap

from names import groups
from table import OFF

WEB = "bindings/web"
NOTE = "// Generated from include/wspeer.h and src/options.toml by `make generate`: do not edit."
# The types of arguments and results as Emscripten names them: p is as wide as a pointer. No other 64-bit type is passed
# by value.
KINDS = {"void": "v", "uint32_t": "i", "int32_t": "i", "size_t": "p", "ws_handle": "i", "ws_result": "i"}
WIDTH = 120


def wrapped(parts, indent):
    """The parts, separated by commas, in lines that break only after a comma."""
    text = ", ".join(part.replace(" ", "\0") for part in parts)
    space = " " * indent
    return textwrap.fill(text, WIDTH, initial_indent=space, subsequent_indent=space, break_long_words=False).replace(
        "\0", " "
    )


def layout(header, pointer):
    out = f"    pointer: {pointer}"
    for struct in header.structs:
        offsets, size = header.layout(struct, pointer)
        places = [f"size: {size}", *(f"{name}: {offset}" for name, offset in offsets.items())]
        out += f",\n    {struct.name.removeprefix('ws_')}: {{\n{wrapped(places, 6)}\n    }}"
    return out + "\n"


def signature(function):
    values = [function.result, *(parameter.type for parameter in function.parameters)]
    return "".join("p" if "*" in value else KINDS[value] for value in values)


def most(row):
    """The highest valid value of an option."""
    return (
        int(row.values.removeprefix("up to "))
        if row.values.startswith("up to ")
        else {"switch": 1, "finite": OFF - 1}.get(row.values, OFF)
    )


def place(header, name):
    """The offset of a field in ws_config. A number, not a name, because Closure renames properties."""
    return either(*(header.layout(header.struct("ws_config"), pointer)[0][name] for pointer in (8, 4)))


def either(wide, narrow):
    """A number that depends on the width of pointers."""
    return f"{wide}" if wide == narrow else f"isWide ? {wide} : {narrow}"


def option(header, row):
    """An option as a JavaScript property."""
    parts = [f"name: '{row.name}'", f"handles: '{row.handles}'"]
    if row.browser:
        standard = row.browser_default if row.browser_default is not None else row.default_number
        parts += [f"values: '{row.values}'", f"standard: {standard}"]
    if row.browser is True:
        parts.append("set: true")
    if row.is_plain_option:
        parts.append(f"at: {place(header, row.name)}")
    line = f"    {row.option}: {{ {', '.join(parts)} }}"
    # With the comma that follows.
    return line if len(line) < WIDTH else f"    {row.option}: {{\n{wrapped(parts, 6)}\n    }}"


def tables(header, table, sources):
    """library_wspeer_tables.js. It has only the constants that the sources use."""
    text = "".join(sources.values())
    values = {constant.name.removeprefix("WS_"): constant.value for constant in header.constants}
    used = sorted(set(re.findall(r"\bWSPEER_C\.(\w+)", text)))
    flags = sum(constant.value for _, constant in groups(header)["FLAG"])
    results = sorted((constant.value, constant.name) for _, constant in groups(header)["RESULT"])
    constants = wrapped([f"{name}: {values[name]}" for name in used], 4)
    names = wrapped([f"{value if value >= 0 else repr(str(value))}: '{name}'" for value, name in results], 4)
    structs = [(constant.value, header.struct(f"ws_{name.lower()}")) for name, constant in groups(header)["STRUCT"]]
    sizes = wrapped(
        [f"{number}: {either(*(header.layout(one, pointer)[1] for pointer in (8, 4)))}" for number, one in structs], 4
    )
    calls = wrapped(
        [
            f"{function.name}: '{signature(function)}'"
            for function in sorted(header.functions, key=lambda one: one.name)
        ],
        4,
    )
    own = [
        "$WSPEER_LAYOUT",
        "$WSPEER_C",
        "$WSPEER_FLAGS",
        "$WSPEER_NAMES",
        "$WSPEER_SIZES",
        "$WSPEER_OPTION_ROWS",
        "$WSPEER_RESERVED",
    ]
    parts = wrapped([f"'{name}'" for name in own + re.findall(r"^  (\$WSPEER\w*): ", text, re.M)], 6)
    rows = ",\n".join(option(header, row) for row in table.options)
    reserved = ",\n".join(
        f"    {{ name: '{row.name}', at: {place(header, row.name)} }}" for row in table.fields if row.is_reserved
    )
    return f"""{NOTE}
// wspeer in the browser: layouts, constants, options and signatures. See library_wspeer.js.

(function () {{
  // Whether pointers have 64 bits: -sMEMORY64, which older Emscriptens do not know.
  var isWide = typeof MEMORY64 !== 'undefined' && !!MEMORY64;
  // The result and the arguments of each function; p is as wide as a pointer.
  var signatures = {{
{calls}
  }};
  var library = {{}};

  library.$WSPEER_LAYOUT = isWide ? {{
{layout(header, 8)}  }} : {{
{layout(header, 4)}  }};
  library.$WSPEER_C = {{
{constants}
  }};
  // All flags of ws_config.
  library.$WSPEER_FLAGS = {flags};
  // By result.
  library.$WSPEER_NAMES = {{
{names}
  }};
  // By WS_STRUCT_*.
  library.$WSPEER_SIZES = {{
{sizes}
  }};
  // By WS_OPT_*. `standard`: a page has it, with this default; `set`: it can be changed; `at`: where ws_config has it.
  library.$WSPEER_OPTION_ROWS = {{
{rows}
  }};
  // Fields of ws_config that must be 0.
  library.$WSPEER_RESERVED = [
{reserved}
  ];

  // With -pthread the calls of all threads are carried to the page's own thread, where the sockets are.
  Object.keys(signatures).forEach(function (name) {{
    library[name + '__sig'] = isWide ? signatures[name] : signatures[name].replace(/p/g, 'i');
    library[name + '__proxy'] = 'sync';
    library[name + '__deps'] = [
{parts}
    ];
  }});
  mergeInto(LibraryManager.library, library);
}})();
"""


TITLES = {
    "RESULT": "WsResult",
    "TYPE": "WsMessageType",
    "STATE": "WsState",
    "EVENT": "WsEventType",
    "PHASE": "WsPhase",
    "CAUSE": "WsCause",
    "FLAG": "WsFlag",
    "FULL": "WsFullPolicy",
    "ROLE": "WsRole",
    "GET": "WsText",
    "OPT": "WsOption",
    "LOG": "WsLogLevel",
    "STRUCT": "WsStruct",
    "VARIANT": "WsVariantType",
    "FEATURE": "WsFeature",
    "SERVE": "WsServeFlag",
    "HINT": "WsHint",
    "SIM": "WsSimPreset",
}


def jsdoc(lines, indent):
    """A comment in lines of at most WIDTH columns. Code, which is indented, keeps its lines."""
    paragraphs = "\n".join(lines).replace("*/", "* /").split("\n\n")
    width = WIDTH - len(indent) - 7
    lines = [
        line
        for index, one in enumerate(paragraphs)
        for line in ([""] if index else [])
        + (one.split("\n") if one.startswith("  ") else textwrap.wrap(" ".join(one.split()), width))
    ]
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    return f"{indent}/**\n" + "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines) + f"{indent} */\n"


def typescript(type_):
    """The TypeScript type for a C type."""
    if "*" in type_:
        return "Pointer"
    return {"void": "void", "size_t": "Size", "ws_handle": "WsHandle", "ws_result": "WsResult"}.get(type_, "number")


def declarations(header):
    """wspeer.d.ts."""
    out = f"""{NOTE}
// Declarations for a page's own JavaScript that calls wspeer: the functions as Emscripten names them, with an
// underscore, in another JavaScript library or on a module with -sEXPORTED_FUNCTIONS. They return numbers; texts and
// structs are in the program's memory. docs/web.md describes the differences from the native library.

/** An address in the program's memory; with 64-bit pointers (-sMEMORY64) Emscripten passes it as a number too. */
export type Pointer = number;
/** A length in bytes. */
export type Size = number;
/** A connection or server. 0 is never valid. */
export type WsHandle = number;

export declare const enum WsLimit {{
  /** As a limit or a time: unlimited, or switched off. */
  OFF = {header.value("WS_OFF")},
}}
"""
    for group, members in groups(header).items():
        out += f"\nexport declare const enum {TITLES[group]} {{\n"
        for name, constant in members:
            out += f"{jsdoc(constant.doc, '  ')}  {name} = {constant.value},\n"
        out += "}\n"
    for struct in header.structs:
        title = "".join(part.title() for part in struct.name.split("_")) + "Layout"
        (wide, wide_size), (narrow, narrow_size) = header.layout(struct, 8), header.layout(struct, 4)
        out += "\n" + jsdoc([*struct.doc, "These numbers are the offsets of its fields, in bytes."], "")
        out += f"export declare const enum {title} {{\n"
        out += "".join(f"{jsdoc(field.doc, '  ')}  {field.name} = {narrow[field.name]},\n" for field in struct.fields)
        out += f"  /** Size of the whole struct. */\n  SIZE = {narrow_size},\n}}\n"
        if wide != narrow or wide_size != narrow_size:
            out += f"\n/** The offsets with 64-bit pointers. */\nexport declare const enum {title}64 {{\n"
            out += (
                "".join(f"  {field.name} = {wide[field.name]},\n" for field in struct.fields)
                + f"  SIZE = {wide_size},\n}}\n"
            )
    out += "\nexport interface Wspeer {\n"
    for function in header.functions:
        parameters = [f"{one.name}: {typescript(one.type)}" for one in function.parameters]
        line = f"  _{function.name}({', '.join(parameters)}): {typescript(function.result)};"
        if len(line) > WIDTH:
            line = f"  _{function.name}(\n{wrapped(parameters, 4)}\n  ): {typescript(function.result)};"
        out += f"{jsdoc(function.doc, '  ')}{line}\n"
    return out + "}\n"


def files(header, table, root: pathlib.Path):
    paths = sorted((root / WEB).glob("library_wspeer*.js"))
    sources = {path.name: path.read_text() for path in paths if path.name != "library_wspeer_tables.js"}
    return {
        f"{WEB}/library_wspeer_tables.js": tables(header, table, sources),
        f"{WEB}/wspeer.d.ts": declarations(header),
    }
