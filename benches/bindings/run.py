#!/usr/bin/env python3
"""Measures the cost of one message through each binding, as a multiple of C. Usage: benches/bindings/run.py [--quick]
[LANGUAGE ...]

The two ends of ws_pair are in one process; each message has 64 B and a number, which is checked. `single`: put, poll,
take one, repeatedly. `frame`: 32 puts, a poll, and all 32 taken in the fastest way of the binding. A figure is the CPU
time of the process (its own clock) divided by the number of messages. In a round all languages run one after the other
on one core, in an order that rotates; the ratio is the median of the ratios within a round."""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LIB = ROOT / os.environ.get("LIBDIR", "build")
LINK = ["-Iinclude", f"-L{LIB}", "-lwspeer", f"-Wl,-rpath,{LIB}"]
ENV = os.environ | {"WSPEER_LIBRARY": str(LIB / "libwspeer.so")}
MODES = ["single", "frame"]


class Language(NamedTuple):
    """Commands run in the root of the tree. MODE and SECONDS are appended to `run`, which prints the ns per message."""

    # The language is measured if this file exists.
    source: str
    tools: list
    # Commands that build the program.
    build: list
    run: list


LANGUAGES = {
    "c": Language(
        "benches/bindings/message.c",
        ["cc"],
        [
            [
                "cc",
                "-std=c99",
                "-D_POSIX_C_SOURCE=200809L",
                "-O2",
                "-Wall",
                "-Wextra",
                "-Werror",
                "benches/bindings/message.c",
                "-o",
                "build/bench/message_c",
                *LINK,
            ]
        ],
        ["build/bench/message_c"],
    ),
    "cpp": Language(
        "benches/bindings/message.cc",
        ["g++"],
        [
            [
                "g++",
                "-std=c++17",
                "-O2",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-Ibindings/cpp",
                "benches/bindings/message.cc",
                "-o",
                "build/bench/message_cpp",
                *LINK,
            ]
        ],
        ["build/bench/message_cpp"],
    ),
    "csharp": Language(
        "benches/bindings/message.cs",
        ["mcs", "mono"],
        [
            [
                "sh",
                "-c",
                "mcs -langversion:7.2 -unsafe -optimize -warnaserror -nologo -r:System.dll -out:build/bench/message_csharp.exe "
                "benches/bindings/message.cs bindings/csharp/Runtime/Core/*.cs",
            ]
        ],
        ["env", f"LD_LIBRARY_PATH={LIB}", "mono", "build/bench/message_csharp.exe"],
    ),
    "csharp-net": Language(
        "benches/bindings/message.cs",
        ["mcs", "build/dotnet/dotnetcore2/bin/dotnet"],
        [
            [
                "sh",
                "-c",
                "tests/csharp/mcs-net -unsafe -optimize -out:build/bench/message_net.dll benches/bindings/message.cs bindings/csharp/Runtime/Core/*.cs",
            ]
        ],
        ["env", f"LD_LIBRARY_PATH={LIB}", "tests/csharp/net", "build/bench/message_net.dll"],
    ),
    "lua": Language("benches/bindings/message.lua", ["luajit"], [], ["luajit", "benches/bindings/message.lua"]),
    "python": Language(
        "benches/bindings/message.py",
        ["python3"],
        [],
        ["env", "PYTHONPATH=bindings/python/src", "python3", "benches/bindings/message.py"],
    ),
}


def is_here(name, language):
    """Whether a language can be measured: if a tool is missing, fails in CI and prints a skip elsewhere."""
    missing = [tool for tool in language.tools if not shutil.which(tool) and not (ROOT / tool).exists()]
    if missing and (ROOT / language.source).exists():
        if os.environ.get("CI"):
            raise SystemExit(f"{name} needs {', '.join(missing)}")
        print(f"SKIP: {name}: {', '.join(missing)} is missing")
    return (ROOT / language.source).exists() and not missing


def measure(language, mode, seconds):
    done = subprocess.run(
        [*language.run, mode, str(seconds)],
        cwd=ROOT,
        env=ENV,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(language.run)} {mode}: {done.stderr}")
    return float(done.stdout)


def main():
    quick = "--quick" in sys.argv
    wanted = [name for name in sys.argv[1:] if name != "--quick"]
    rounds, seconds = (3, 0.05) if quick else (11, 0.3)
    (ROOT / "build/bench").mkdir(parents=True, exist_ok=True)
    languages = {
        name: one
        for name, one in LANGUAGES.items()
        if (name == "c" or not wanted or name in wanted) and is_here(name, one)
    }
    for language in languages.values():
        for command in language.build:
            subprocess.run(command, cwd=ROOT, env=ENV, check=True)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    figures = {(name, mode): [] for name in languages for mode in MODES}
    names = list(languages)
    for turn in range(rounds):
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            for mode in MODES:
                figures[name, mode].append(measure(languages[name], mode, seconds))
    for name in names:
        parts = []
        for mode in MODES:
            ratio = statistics.median(own / c for own, c in zip(figures[name, mode], figures["c", mode]))
            parts.append(f"{mode} {statistics.median(figures[name, mode]):.0f} ns, {ratio:.2f} x C")
        print(f"figure: one message in {name}: {'; '.join(parts)}", flush=True)


main()
