"""The tables of SECURITY.md, docs/binding.md and docs/web.md, between their markers."""

import pathlib

import marked

HANDLES = {"every": "all", "server": "servers, hosts", "multiplayer": "hosts, joins"}
VALUES = {
    "any": "any",
    "switch": "0 or 1",
    "above zero": "above 0",
    "finite": "above 0, not `WS_OFF`",
    "full policy": "`WS_FULL_*`",
    "read only": "read only",
}
COUNTS = {4: "four", 16: "sixteen"}
# The structs of docs/binding.md, in the order of its text.
STRUCTS = ("ws_packet", "ws_packet_out", "ws_event", "ws_config", "ws_stats", "ws_sim", "ws_variant", "ws_call", "ws_replicated")


def limits(table):
    out = "| field | default | beyond it |\n|---|--:|---|\n"
    return out + "".join(f"| `{row.name}` | {row.default or 0} | {' '.join(row.over.split())} |\n" for row in table.limits)


def options(table):
    out = (
        "| number | option, and field of `ws_config` | handles | unit | values | default |\n|--:|---|---|---|---|--:|\n"
    )
    for row in table.options:
        name = f"`{row.name}`" if row.config else f"`{row.name}`, no field"
        default = f"{row.default}" + ("" if row.default_of_servers is None else f"; servers {row.default_of_servers}")
        values = VALUES.get(row.values, row.values)
        out += f"| {row.option} | {name} | {HANDLES[row.handles]} | {row.unit} | {values} | {default} |\n"
    return out


def kind(struct, field):
    """The type of a field, in words."""
    if field.is_pointer:
        named = {
            "const uint8_t *": "pointer to bytes",
            "const char *": "text",
            "const char *const *": "pointer to texts",
        }
        return named.get(field.type, "pointer-sized number")
    plain = (
        "uint32" if field.type == "ws_handle" else field.type.removesuffix("_t") if field.type != "size_t" else "size_t"
    )
    return f"{COUNTS.get(field.count, field.count)} {plain}{'s' if plain == 'double' else ''}" if field.count else plain


def layouts(header):
    out = ""
    for name in STRUCTS:
        struct = header.struct(name)
        (wide, wide_size), (narrow, narrow_size) = header.layout(struct, 8), header.layout(struct, 4)
        sizes = f"{wide_size} bytes in both" if wide_size == narrow_size else f"{wide_size} bytes or {narrow_size}"
        out += f"`{name}`, {sizes}:\n\n| field | type | 64-bit | 32-bit |\n|---|---|--:|--:|\n"
        out += (
            "".join(
                f"| `{one.name}` | {kind(struct, one)} | {wide[one.name]} | {narrow[one.name]} |\n"
                for one in struct.fields
            )
            + "\n"
        )
    return "\n" + out


def page(table):
    out = "| option | in a page | default |\n|---|---|--:|\n"
    for row in table.options:
        if row.handles == "server":
            continue
        default = row.default if row.browser_default is None else row.browser_default
        what = {True: "as in the native library", "read only": "can only be read", False: "`WS_ERR_UNSUPPORTED`"}[
            row.browser
        ]
        out += f"| `{row.name}` | {what} | {default if row.browser else ''} |\n"
    return out


def files(header, table, root: pathlib.Path):
    parts = {
        "SECURITY.md": {"limits": limits(table)},
        "docs/binding.md": {"options": options(table), "layouts": layouts(header)},
        "docs/web.md": {"options": page(table)},
    }
    made = {}
    for path, named in parts.items():
        text = (root / path).read_text()
        for name, part in named.items():
            text = marked.replace(path, text, name, part)
        made[path] = text
    return made
