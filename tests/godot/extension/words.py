#!/usr/bin/env python3
"""Checks that scripts of Godot are told nothing in names of C: neither by the library's messages, nor by our own, nor in
what the engine printed.
Usage: words.py ROOT LOG..."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(root / "tools" / "generate"))

import errors

HEADER = (root / "include" / "wspeer.h").read_text()
SOURCES = root / "bindings" / "godot" / "src"
# What no script can reach: a pattern of the message or of the file, and why.
OUT_OF_REACH = [
    (r"^a server has only WS_GET_URL", "servers are asked for nothing else"),
    (r"ws_config_init\(|ws_sim_init\(|sizeof\(", "the classes make these structs"),
    (r"use 0 \(on\) or WS_OFF", "the classes set it"),
    (
        r"WS_CALL|WS_TEXT|WS_ROLE_|WS_SERVE_|WS_OPT_|WS_GET_\*|WS_LOG_\*|ws_complete_auth|ws_encode_call|WS_VARIANT_",
        "the classes pass valid ones",
    ),
    (r"ws_attach (has|takes)|only a handle from ws_attach", "the classes feed only such handles"),
    (r"use ws_close$|(?:use|with) ws_put_packet$", "the classes use handles of the right kind"),
    (r"ws_host and ws_join|ws_declare_|ws_spawn|WS_SPAWN|WS_CUSTOM_SCENE|WS_GODOT3", "the classes have no such flags"),
    (r"WS_ERR_PANIC and must be built", "it ends the process"),
]
ROWS = (SOURCES / "settings_rows.h").read_text()
PROPERTIES = set(re.findall(r'^\s+"([a-z0-9_]+)", "(?:int|float|bool|WSPeer)', ROWS, re.M))
PROPERTIES |= set(re.findall(r'\{"([a-z_]+)",\s+"(?:PackedStringArray|String)"', (SOURCES / "settings.c").read_text()))
# Words of the header that messages may say, and that have the same meaning in Godot.
SAME = {"certificate", "proxy", "user"}
# Names of options that messages say only where the classes do not set the option wrongly, or never.
NEVER_SAID = {
    "struct_size", "owner", "flags", "no_delay", "server_max_window_bits", "client_max_window_bits", "user",
    "max_call_bytes", "max_call_items", "WS_GODOT3", "WS_SCENE", "WS_AUTH", "WS_NO_RELAY", "WS_RAW_REPLICATION",
    "WS_OPT_PORT",
    "WS_OPT_TRANSFER_MODE", "WS_OPT_TRANSFER_CHANNEL", "WS_OPT_HOLD_NEW", "WS_OPT_AUTH_TIMEOUT_MS", "WS_OPT_DOWNLOAD_TIMEOUT_MS",
}
FUNCTIONS = set(re.findall(r"WS_API [\w ]+?\*?(ws_\w+)\(", HEADER))
CONSTANTS = set(re.findall(r"^#define (WS_\w+)", HEADER, re.M)) | set(re.findall(r"^  (WS_\w+) = ", HEADER, re.M))
FIELDS = set(re.findall(r"^  (?:uint32_t|const char \*(?:const \*)?|void \*)\s*(\w+);", HEADER.split("typedef struct ws_config")[1].split("} ws_config")[0], re.M))
C_WORD = re.compile(r"\bws_[a-z_]+\b|\bWS_[A-Z0-9_]+\b")

failures = 0


def check(good, what, detail=()):
    global failures
    failures += not good
    print("ok -" if good else "not ok -", what, *(f"\n#   {line}" for line in detail if not good))


def c_words(text, fields):
    """The names of C in a text."""
    found = [word for word in C_WORD.findall(text)]
    found += [word for word in fields if re.search(rf"(?<![\w.]){word}(?![\w.])", text)]
    return found


# Fields whose names Godot does not share.
fields = {field for field in FIELDS if "_" in field} - PROPERTIES - {"trusted_proxies"}
check(len(FUNCTIONS) > 60 and len(CONSTANTS) > 200 and len(FIELDS) > 40 and len(fields) > 15, "the header's names are found")

said = []
for path in sorted((root / "src").rglob("*.rs")):
    if path.name not in ("tests.rs", "names.rs"):
        text = path.read_text()
        said += [(path.relative_to(root), message) for message, _ in errors.literals(text)]
        # And the short ones.
        of_library = re.split(r"\n#\[cfg\(test\)\]\n(?:#\[[^\n]*\]\n)*mod ", text)[0]
        strings = (token.group()[1:-1] for token in errors.TOKEN.finditer(of_library) if token.group()[0] == '"')
        said += [(path.relative_to(root), string) for string in strings if " " in string and C_WORD.search(string)]
wrong = [
    f"{path}: {message}"
    for path, message in said
    if C_WORD.search(message) and not any(re.search(pattern, message) for pattern, _ in OUT_OF_REACH)
]
check(len(said) > 400 and not wrong, f"none of the library's {len(said)} messages has a fixed name of C", wrong)

names = dict(re.findall(r'\{"([^"]+)", "([^"]+)"\}', (SOURCES / "names_rows.h").read_text() + (SOURCES / "names.c").read_text()))
words = set()
for path in ("src/names/words.rs", "src/names.rs"):
    words |= set(re.findall(r'= Name\("([^"]+)"\);', (root / path).read_text().split("#[cfg(test)]")[0]))
lacking = sorted(words - names.keys() - PROPERTIES - SAME - NEVER_SAID)
check(len(words) > 80 and not lacking, f"each of the {len(words)} words that messages name has a name in Godot", lacking)
bad = [f"{word}: {name}" for word, name in names.items() if c_words(name, fields)]
check(not bad, "and that is none of C", bad)

own = []
for path in sorted(SOURCES.glob("*.c")):
    for call in re.finditer(r'gd_(?:error|warning)\(([^;]*);', path.read_text(), re.S):
        text = " ".join(re.findall(r'"((?:[^"\\]|\\.)*)"', call[1]))
        own += [f"{path.name}: {text}"] if c_words(text, fields) else []
check(not own, "our own messages have none", own)

for log in sys.argv[2:]:
    lines = pathlib.Path(log).read_text(errors="replace").splitlines()
    # What a message says, but not where in our sources it was said.
    shown = [line for line in lines if not re.match(r"\s+at: |Loading|.*\.gd:\d+", line)]
    wrong = [line for line in shown if c_words(line, fields)]
    check(not wrong, f"the engine printed none of them: {pathlib.Path(log).name}, {len(lines)} lines", wrong[:10])
sys.exit(1 if failures else 0)
