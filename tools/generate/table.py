"""Reads and checks src/options.toml: the options, and the fields of ws_config."""

import dataclasses
import pathlib
import re
import tomllib

OFF = 0xFFFF_FFFF
NAMED = {"WS_OFF": OFF, "WS_FULL_SKIP": 1}
TYPES = ("u32", "text", "texts", "pointer")
HANDLES = ("every", "server", "multiplayer")
VALUES = r"any|switch|above zero|finite|full policy|read only|up to \d+"


class Mistake(Exception):
    """A mistake in a source that people write, with its place."""


@dataclasses.dataclass
class Row:
    """A field of ws_config, an option, or both. src/options.toml describes the keys."""

    name: str
    doc: str = ""
    type: str = "u32"
    option: int | None = None
    config: bool = True
    read: str = ""
    handles: str = ""
    values: str = ""
    default: int | str | None = None
    default_of_servers: int | None = None
    unit: str = ""
    constant: str = ""
    over: str = ""
    browser: bool | str = False
    browser_default: int | None = None
    python: str = ""

    @property
    def default_number(self):
        """The default as a number, where the row may name a constant."""
        return NAMED[self.default] if isinstance(self.default, str) else self.default

    @property
    def option_name(self):
        """WS_OPT_*."""
        return f"WS_OPT_{self.name.upper()}"

    @property
    def is_reserved(self):
        """Whether the field is unused and must be zero."""
        return self.name.startswith("reserved")

    @property
    def is_plain_option(self):
        """Whether the field has the value of the option, with 0 for the default."""
        return self.option is not None and self.config and self.read == ""


@dataclasses.dataclass
class Table:
    """All rows. `fields` are those of ws_config, in its order; `options` are those with a number, in the order of their
    numbers."""

    config: str
    rows: list[Row]

    @property
    def fields(self):
        return [row for row in self.rows if row.config]

    @property
    def options(self):
        return sorted((row for row in self.rows if row.option is not None), key=lambda row: row.option)

    @property
    def limits(self):
        return [row for row in self.rows if row.over]


def read(root: pathlib.Path):
    """Reads the table of a tree."""
    path = root / "src" / "options.toml"
    try:
        source = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise Mistake(f"src/options.toml: {error}") from None
    unknown = source.keys() - {"config", "row"}
    if unknown:
        raise Mistake(f"src/options.toml: unknown keys {sorted(unknown)}")
    known = {field.name for field in dataclasses.fields(Row)}
    rows = []
    for given in source["row"]:
        unknown = given.keys() - known
        if unknown or "name" not in given:
            raise Mistake(f"src/options.toml: row {given.get('name')}: unknown keys {sorted(unknown)}")
        rows.append(Row(**given))
    table = Table(source["config"].strip("\n"), _padded(rows))
    for row in table.rows:
        for what in _wrong(row):
            raise Mistake(f"src/options.toml: row {row.name}: {what}")
    for key in ("name", "option"):
        values = [getattr(row, key) for row in table.rows if getattr(row, key) is not None]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise Mistake(f"src/options.toml: {key} {twice} is there twice")
    return table


def _wrong(row):
    """The mistakes of a single row."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", row.name):
        yield "the name has other characters than a-z, 0-9 and _"
    if row.type not in TYPES:
        yield f"type is none of {TYPES}"
    if row.config and not row.doc:
        yield "a field of ws_config needs a doc"
    told = re.search(r"\(default: (\w+)[),;]", row.doc)
    if told and row.default is not None and told[1] not in (str(row.default), str(row.default_number)):
        yield f"its doc tells the default {told[1]}, and it is {row.default}"
    if row.name.startswith("max_") and not row.over:
        yield "a limit says in `over` what happens at it"
    if row.option is None:
        if row.handles or row.values or row.constant or not row.config:
            yield "without a number in `option` it is a field only"
        return
    if not 0 < row.option < 10_000:
        yield "option must be 1 to 9999"
    if row.type != "u32":
        yield "an option is a u32"
    if row.handles not in HANDLES:
        yield f"handles is none of {HANDLES}"
    if not re.fullmatch(VALUES, row.values):
        yield f"values is none of {VALUES}"
    if row.default is None or (isinstance(row.default, str) and row.default not in NAMED):
        yield f"default must be a number or one of {sorted(NAMED)}"
    if not row.config and not row.constant:
        yield "an option without a field needs a text in `constant`"
    if row.browser not in (True, False, "read only"):
        yield 'browser must be true, false or "read only"'


def _padded(rows):
    """The rows, with a padding field at the end of ws_config if its size is not a multiple of 8."""
    fields = [row for row in rows if row.config]
    numbers = 0
    for row in fields:
        if row.type == "u32":
            numbers += 1
        elif numbers % 2:
            raise Mistake(f"src/options.toml: the fields before {row.name} are not a multiple of 8 bytes")
    if numbers % 2 == 0:
        return rows
    at = rows.index(fields[-1]) + 1
    padding = Row(name=f"reserved{len(fields)}", doc="Zero. The next field takes its place.")
    return [*rows[:at], padding, *rows[at:]]
