#!/usr/bin/env python3
"""Checks what an addition to the interface takes. In a copy of the tree, an option, an event, a cause, a flag and one
use of them are added, `make generate` runs, and every language is compiled. Only the sources and generated files may
have changed.
Usage: addition.py FOLDER     for the copy; its cargo target directory is kept next to it"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools" / "generate"))
import marked  # noqa: E402

# A number that leaves a gap.
OPTION = """
[[row]]
name = "dummy_limit"
option = 99
handles = "every"
values = "up to 100"
default = 7
unit = "things"
doc = "The most things of a test (default: 7)."
over = "they are left out"
"""
CODES = """
/// Something of a test happened.
pub const WS_EVENT_DUMMY: i32 = 99;
/// A test wanted it.
pub const WS_CAUSE_DUMMY: i32 = 99;
/// A test switched it on.
pub const WS_DUMMY_FLAG: u32 = 1073741824;
"""
USE = """
/// What the additions are used for.
pub fn dummy(config: &ffi::ws_config) -> (status::EventKind, status::Cause, i32, bool) {
    (
        status::EventKind::Dummy,
        status::Cause::Dummy,
        codes::WS_OPT_DUMMY_LIMIT,
        config.flags & codes::WS_DUMMY_FLAG != 0,
    )
}
"""
SOURCES = {"src/options.toml", "src/codes.rs", "src/lib.rs"}
# All flags before the addition.
FLAGS = int(re.search(r"WSPEER_FLAGS = (\d+);", (ROOT / "bindings/web/library_wspeer_tables.js").read_text()).group(1))
# What a program in each language sees: a file, and its content after the addition.
SEEN = {
    "include/wspeer.h": [
        "#define WS_OPT_DUMMY_LIMIT 99",
        "uint32_t dummy_limit;",
        "#define WS_DUMMY_FLAG 1073741824",
        "#define WS_EVENT_DUMMY 99",
    ],
    "src/endpoint/options/table.rs": ["dummy_limit"],
    "src/names/words.rs": ["DUMMY_LIMIT", "DUMMY_FLAG"],
    "src/status/enums.rs": ["Dummy = WS_EVENT_DUMMY", "Dummy = WS_CAUSE_DUMMY"],
    "bindings/cpp/wspeer.hpp": ["dummy = WS_EVENT_DUMMY"],
    "bindings/csharp/Runtime/Core/Codes.cs": ["DummyLimit = 99,", "Dummy = 99,"],
    "bindings/csharp/Runtime/Core/Native.cs": ["public uint DummyLimit;"],
    "bindings/csharp/Runtime/Core/WebSocketConfig.cs": ["public uint DummyLimit;"],
    "bindings/python/src/wspeer/config_args.py": ["dummy_limit: int", "dummy_flag: bool"],
    "src/ffi/config_fields.rs": ["| WS_DUMMY_FLAG;", "pub dummy_limit: u32,"],
    "bindings/web/library_wspeer_tables.js": ["name: 'dummy_limit'", f"$WSPEER_FLAGS = {FLAGS + 2**30};"],
    "bindings/web/wspeer.d.ts": ["DUMMY_LIMIT = 99", "DUMMY = 99"],
    "bindings/godot/src/constants.c": ["WS_EVENT_DUMMY", "WS_CAUSE_DUMMY"],
    "bindings/godot/doc_classes/WSPeer.xml": ['name="CAUSE_DUMMY"'],
    "SECURITY.md": ["| `dummy_limit` | 7 | they are left out |"],
    "docs/binding.md": ["| 99 | `dummy_limit` |", "| `dummy_limit` | uint32 |"],
    "docs/web.md": ["`dummy_limit`"],
}
PYTHON = """
import wspeer
from wspeer import _declared, config_args
assert wspeer.EventType.DUMMY == wspeer.Cause.DUMMY == 99
assert vars(wspeer.Options)["dummy_limit"].number == 99
assert "dummy_limit" in config_args.ConfigArgs.__annotations__ and hasattr(_declared.Config, "dummy_limit")
"""
C = """
#include "wspeer.h"
uint32_t dummy(ws_handle h) { ws_config c = {0}; c.dummy_limit = WS_EVENT_DUMMY; return c.dummy_limit + (uint32_t)ws_set_option(h, WS_OPT_DUMMY_LIMIT, 1); }
"""
CPP = """
#include "wspeer.hpp"
int dummy(const wspeer::event& event) { wspeer::config c; c->dummy_limit = 1; return event.kind() == wspeer::event_kind::dummy && event.cause() == WS_CAUSE_DUMMY; }
"""
CSHARP = """
static class Dummy
{
    static readonly object[] Seen = { Wspeer.WebSocketEventType.Dummy, Wspeer.WebSocketCause.Dummy, Wspeer.WebSocketOption.DummyLimit, new Wspeer.WebSocketConfig { DummyLimit = 1 } };
    static int Main() => Seen.Length;
}
"""

failures = 0


def say(good, what, why=""):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - generated: {what}", flush=True)
    if not good:
        print("".join(f"# {line}\n" for line in str(why).splitlines()[-40:]), end="")
    return good


class Copy:
    def __init__(self, folder):
        self.folder = folder
        self.env = dict(os.environ, CARGO_TARGET_DIR=str(folder.parent / "target"), MAKEFLAGS="")

    def make(self):
        """Copies the files known to git, with their current content."""
        shutil.rmtree(self.folder, ignore_errors=True)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
        )
        for name in filter(None, listed.stdout.split("\0")):
            source, target = ROOT / name, self.folder / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)

    def run(self, *command, source=None, **env):
        done = subprocess.run(
            command, cwd=self.folder, env=dict(self.env, **env), input=source, capture_output=True, text=True
        )
        return done.returncode == 0, done.stdout + done.stderr

    def check(self, what, *command, **given):
        good, why = self.run(*command, **given)
        return say(good, what, why)

    def files(self):
        paths = (path for path in self.folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in paths}

    def edit(self, name, change):
        path = self.folder / name
        before = path.read_text()
        path.write_text(change(before))
        return before


def changed(before, after):
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def add(copy):
    """The addition: rows after the last field of ws_config, constants after those of their kind."""
    last = re.findall(
        r'\nname = "(\w+)"(?:(?!\n\[\[).)*?\ndoc = ', (copy.folder / "src/options.toml").read_text(), re.S
    )[-1]
    row = rf'(\[\[row\]\]\nname = "{last}"\n(?:(?!\n\[\[).)*\n)'
    copy.edit("src/options.toml", lambda text: re.sub(row, lambda found: found[1] + OPTION, text, count=1, flags=re.S))
    copy.edit("src/codes.rs", lambda text: text + CODES)
    copy.edit("src/lib.rs", lambda text: text + USE)


def compile_all(copy):
    copy.check("the Rust code compiles", "cargo", "check", "--quiet", "--locked", "--lib")
    copy.check("the Rust code is formatted", "cargo", "fmt", "--all", "--check")
    copy.check(
        "C sees it", "cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-Iinclude", "-fsyntax-only", "-xc", "-", source=C
    )
    copy.check(
        "C++ sees it",
        "c++",
        "-std=c++17",
        "-Wall",
        "-Werror",
        "-Iinclude",
        "-Ibindings/cpp",
        "-fsyntax-only",
        "-xc++",
        "-",
        source=CPP,
    )
    sources = sorted(str(path) for path in (copy.folder / "bindings/godot/src").glob("*.c"))
    copy.check(
        "Godot's extension compiles",
        "cc",
        "-std=c99",
        "-Wall",
        "-Wextra",
        "-Iinclude",
        "-Ibindings/godot/src",
        "-fsyntax-only",
        *sources,
    )
    package = copy.folder / "bindings/python/src"
    library = fake_library(copy, package)
    copy.check(
        "Python sees it",
        sys.executable,
        "-c",
        PYTHON,
        PYTHONPATH=str(package),
        WSPEER_LIBRARY=str(library),
        PYTHONDONTWRITEBYTECODE="1",
    )
    ruff = ROOT / "build/venv/bin/ruff"
    if ruff.exists():
        copy.check("the Python code is formatted", str(ruff), "format", "--check", "bindings/python")
    if shutil.which("node"):
        for script in sorted((copy.folder / "bindings/web").glob("*.js")):
            copy.check(f"{script.name} is valid JavaScript", "node", "--check", str(script))
    else:
        print("# JavaScript is left out: node is missing")
    if shutil.which("mcs"):
        (copy.folder.parent / "Dummy.cs").write_text(CSHARP)
        core = sorted(str(path) for path in (copy.folder / "bindings/csharp/Runtime/Core").glob("*.cs"))
        flags = ["-langversion:7.2", "-warn:4", "-nologo", "-unsafe", f"-out:{copy.folder.parent / 'Dummy.exe'}"]
        copy.check("C# has the addition", "mcs", *flags, str(copy.folder.parent / "Dummy.cs"), *core)
    else:
        print("# C# is left out: mcs is missing")
    if shutil.which("clang"):
        copy.check(
            "the binary interface only grew",
            sys.executable,
            "tests/abi/guard.py",
            "include/wspeer.h",
            PYTHONDONTWRITEBYTECODE="1",
        )


def fake_library(copy, package):
    """A library that supports only loading the package, because import needs no more and building a real one takes
    minutes."""
    say_sizes = """
import sys, types
sys.modules["wspeer"] = types.ModuleType("wspeer")
sys.modules["wspeer"].__path__ = [sys.argv[1] + "/wspeer"]
from wspeer import _declared as d
sizes = [d.SIZES[which] for which in sorted(d.SIZES)]
for name in d.FUNCTIONS:
    if name not in ("ws_abi_version", "ws_struct_size"):
        print(f"int {name}(void) {{ return 0; }}")
print(f"unsigned ws_abi_version(void) {{ return {d.ABI_VERSION}; }}")
print(f"unsigned ws_struct_size(int n) {{ unsigned s[] = {{0, {', '.join(map(str, sizes))}}}; return s[n]; }}")
"""
    good, source = copy.run(sys.executable, "-B", "-c", say_sizes, str(package))
    library = copy.folder.parent / "libfake.so"
    if good:
        good, source = copy.run("cc", "-shared", "-fPIC", "-o", str(library), "-xc", "-", source=source)
    if not good:
        say(False, "a library for Python", source)
    return library


def mistakes(copy):
    """Errors in a source, and outdated files, are reported and nothing is written."""
    cases = [
        (
            "an unknown key of the table",
            "src/options.toml",
            lambda text: text.replace("\nunit = ", "\nunits = ", 1),
            "unknown keys",
        ),
        (
            "a number that is used twice",
            "src/options.toml",
            lambda text: text.replace("option = 99", "option = 5", 1),
            "twice",
        ),
        (
            "a default that the description contradicts",
            "src/options.toml",
            lambda text: text.replace("(default: 7)", "(default: 8)"),
            "tells the default 8",
        ),
        (
            "a limit that SECURITY.md would not have",
            "src/options.toml",
            lambda text: text.replace('name = "dummy_limit"', 'name = "max_dummies"').replace(
                'over = "they are left out"', ""
            ),
            "what happens at it",
        ),
        (
            "a generated file that was edited",
            "bindings/python/src/wspeer/codes.py",
            lambda text: text + "\n",
            "codes.py",
        ),
        (
            "a generated part that was edited",
            "SECURITY.md",
            lambda text: text.replace("| `dummy_limit` | 7 |", "| `dummy_limit` | 8 |"),
            "SECURITY.md",
        ),
        (
            "markers that are gone",
            "docs/web.md",
            lambda text: text.replace("<!-- /generated -->", ""),
            "instead of once",
        ),
        (
            "a form of the header that is not known",
            "cbindgen.toml",
            lambda text: "pragma_once = true\n" + text,
            "does not know",
        ),
    ]
    for what, name, change, reported in cases:
        before = copy.edit(name, change)
        good, said = copy.run("tools/generate/generate.py", "--check")
        say(not good and reported in said, f"{what} is reported", said)
        (copy.folder / name).write_text(before)


def main():
    copy = Copy(pathlib.Path(sys.argv[1]).resolve() / "tree")
    copy.make()
    start = copy.files()
    if not copy.check("make generate runs", "make", "--silent", "generate"):
        return 1
    say(not changed(start, copy.files()), "it changes nothing without an addition", changed(start, copy.files()))

    add(copy)
    if not copy.check("make generate runs after an addition", "make", "--silent", "generate"):
        return 1
    after = copy.files()
    generated = set(copy.run("tools/generate/generate.py", "--list")[1].split())
    touched = changed(start, after)
    by_hand = [name for name in touched if name not in SOURCES | generated]
    say(not by_hand, f"{len(touched)} files change: {len(SOURCES)} sources, the others generated", by_hand)
    parts = [name for name in touched if name in generated and b"generated:" in after[name]]
    outside = [name for name in parts if marked.without(start[name].decode()) != marked.without(after[name].decode())]
    say(not outside and len(parts) > 4, f"{len(parts)} of them change only between their markers", outside)
    lacking = [
        f"{name}: {part}" for name, wanted in SEEN.items() for part in wanted if part not in after[name].decode()
    ]
    say(not lacking, f"the addition is in {len(SEEN)} of them", "\n".join(lacking))
    compile_all(copy)
    mistakes(copy)
    return failures > 0


sys.exit(main())
