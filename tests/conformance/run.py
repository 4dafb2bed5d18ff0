#!/usr/bin/env python3
"""Runs every scenario of docs/conformance.md in one language, or in all languages of this tree, and compares the traces
byte for byte with those in expected/. If a language ran all of them, every name of the header must have been reached.
Usage: build/venv/bin/python tests/conformance/run.py [--language NAME]... [--scenario NAME]... [--write]
       --write: replaces the expected traces by those of C"""
import argparse
import contextlib
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from typing import NamedTuple

import far
import reached
from exceptions import EXCEPTIONS

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "tests" / "peers"))
import certificates  # noqa: E402

HERE = ROOT / "tests" / "conformance"
EXPECTED = HERE / "expected"
WORK = ROOT / "build" / "conformance"
# The library, and the one that the programs use in its place, which counts what they reach.
REAL = ROOT / os.environ.get("LIBDIR", "build") / "libwspeer.so"
LIB = WORK / "reached"
LINK = [f"-I{ROOT}/include", f"-L{LIB}", "-lwspeer", f"-Wl,-rpath,{LIB}"]
# Without the proxies configured on this machine.
ENV = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")} | {
    "WSPEER_LIBRARY": str(LIB / "libwspeer.so")
}
LIMIT = 60
C_SOURCES = ["tests/conformance/conformance.c", "tests/conformance/local.c"]
# Only the traces whose "language: scenario" contains this text.
FILTER = os.environ.get("FILTER", "")


class Language(NamedTuple):
    """How a language's program is built and run. Both commands run in the root of the tree."""

    # The language exists in this tree if this file does.
    source: str
    # Tools that have to be installed.
    tools: list
    # The command that builds the program, or none.
    build: list
    # The command that runs it, followed by the scenario and its arguments. WSPEER_LIBRARY names the library for
    # programs that load it themselves.
    run: list
    # Scenarios that the language cannot express, each with the reason.
    omits: dict = {}
    # Lines of a trace that are not specified, by scenario: a pattern of whole lines, which are left out.
    leaves_open: dict = {}
    # Runs only if named explicitly.
    apart: bool = False


# Where cargo builds the program in Rust: with what the suite rust_binding builds, which says why there is a variable.
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()

CSHARP_OMITS = {"names": "the binding leaves the texts the names of ws_config"}

LANGUAGES = {
    "c": Language(
        "tests/conformance/conformance.c",
        ["cc"],
        [
            "cc",
            "-std=c99",
            "-D_POSIX_C_SOURCE=200809L",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Wconversion",
            "-Werror",
            "-g",
            "-O1",
            *C_SOURCES,
            "-o",
            "build/conformance/conformance_c",
            *LINK,
        ],
        ["build/conformance/conformance_c"],
    ),
    "python": Language(
        "bindings/python/src/wspeer/__init__.py",
        [],
        [],
        [
            "env",
            "PYTHONPATH=bindings/python/src",
            "build/venv/bin/python",
            "-X",
            "dev",
            "-W",
            "error",
            "tests/conformance/conformance.py",
        ],
        {"names": "the package leaves the texts the names of ws_config, which are its own too"},
    ),
    "cpp": Language(
        "tests/conformance/conformance.cc",
        ["g++"],
        [
            "g++",
            "-std=c++17",
            "-fno-exceptions",
            "-fno-rtti",
            "-fsanitize=address,undefined",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Wconversion",
            "-Wshadow",
            "-Werror",
            "-g",
            "-Ibindings/cpp",
            "tests/conformance/conformance.cc",
            "tests/conformance/local.cc",
            "-o",
            "build/conformance/conformance_cpp",
            *LINK,
        ],
        ["build/conformance/conformance_cpp"],
    ),
    "csharp": Language(
        "tests/conformance/conformance.cs",
        ["mcs", "mono"],
        [
            "sh",
            "-c",
            "mcs -langversion:7.2 -unsafe -warn:4 -warnaserror -nologo -r:System.dll -r:System.Core.dll -out:build/conformance/conformance_csharp.exe "
            "tests/conformance/*.cs bindings/csharp/Runtime/Core/*.cs",
        ],
        ["env", f"LD_LIBRARY_PATH={LIB}", "mono", "--debug", "build/conformance/conformance_csharp.exe"],
        CSHARP_OMITS,
    ),
    "csharp-net": Language(
        "tests/conformance/conformance.cs",
        ["mcs", "build/dotnet/dotnetcore2/bin/dotnet"],
        [
            "sh",
            "-c",
            "tests/csharp/mcs-net -unsafe -out:build/conformance/conformance_net.dll tests/conformance/*.cs bindings/csharp/Runtime/Core/*.cs",
        ],
        ["env", f"LD_LIBRARY_PATH={LIB}", "tests/csharp/net", "build/conformance/conformance_net.dll"],
        CSHARP_OMITS,
    ),
    "lua": Language(
        "tests/conformance/conformance.lua", ["luajit"], [], ["luajit", "tests/conformance/conformance.lua"]
    ),
    # The library is inside the program, so the linker puts what counts between the two.
    "rust": Language(
        "tests/conformance/rust/Cargo.toml",
        ["cargo"],
        [
            "env",
            "__CARGO_DEFAULT_LIB_METADATA=bindings",
            "cargo",
            "rustc",
            "--quiet",
            "--locked",
            "--manifest-path=tests/conformance/rust/Cargo.toml",
            f"--target-dir={TARGET}",
            "--",
            f"-Clink-arg=@{LIB}/reached.args",
        ],
        [str(TARGET / "debug" / "wspeer-conformance")],
    ),
    # The C program and the DLL of `make windows`, under Wine.
    "windows": Language(
        "tests/windows/wine",
        ["x86_64-w64-mingw32-gcc", "wine", "build/windows/wspeer.dll"],
        [
            "x86_64-w64-mingw32-gcc",
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Wconversion",
            "-Werror",
            "-O1",
            "-Iinclude",
            *C_SOURCES,
            "-o",
            "build/windows/conformance.exe",
            "build/windows/libwspeer.dll.a",
            "-static",
            "-lpthread",
        ],
        ["tests/windows/wine", "build/windows/conformance.exe"],
        apart=True,
    ),
    # The C program in a browser. Differences are in expected/web/ and in docs/web.md.
    "web": Language(
        "bindings/web/library_wspeer.js",
        ["emcc", "chromium", "node", "build/node/node_modules/playwright-core"],
        ["tests/web/build", C_SOURCES[0], "build/conformance/web/conformance.js", "-O2", *C_SOURCES[1:]],
        ["node", "tests/web/browser.js", "run", "build/conformance/web/conformance.js"],
        dict.fromkeys(
            (
                *("session", "files", "requests", "renew", "proxied", "refused", "server", "multiplayer", "multiplayer3"),
                *("full", "options", "texts", "library", "trust", "scene", "auth", "topics"),
                "replication",
            ),
            "a browser listens to nobody",
        )
        | dict.fromkeys(("pair", "attach", "simulate"), "the bytes of a connection are the browser's")
        | {
            "wss": "a browser trusts no other roots than its own",
            "headers": "a browser shows no headers and takes none",
            "proxy": "a browser chooses its proxy itself",
        }
        | (
            {"bad-peer": "Firefox does not report that a connection was open when it is dropped at once"}
            if os.environ.get("WSPEER_BROWSER") == "firefox"
            else {}
        ),
        # A browser answers a protocol error with 1002 or 1007, in its own words or without any.
        leaves_open={"bad-peer": r"far: frame 88 code=100[27] reason=.*\n"},
        apart=True,
    ),
}


# ---- The scenarios: each gives the program's arguments, and afterwards the notes of the remote peer ----


@contextlib.contextmanager
def alone(_run):
    """Without a remote peer."""
    yield [], []


def against(**settings):
    @contextlib.contextmanager
    def scenario(_run):
        end = far.Library(**settings)
        notes = []
        yield [end.url], notes
        notes += end.end()

    return scenario


@contextlib.contextmanager
def against_raw(_run):
    end = far.Raw()
    notes = []
    yield [end.url], notes
    notes += end.end()


@contextlib.contextmanager
def against_tls(_run):
    end = far.Library(certificate=(certificates.path("chain.pem"), certificates.path("leaf.key")))
    notes = []
    yield [end.url, certificates.path("root.pem")], notes
    notes += end.end()


@contextlib.contextmanager
def against_proxy(_run):
    end = far.Proxy()
    notes = []
    yield [end.url], notes
    notes += end.end()


@contextlib.contextmanager
def against_flaky(_run):
    end = far.Flaky()
    notes = []
    yield [end.url], notes
    notes += end.end()


@contextlib.contextmanager
def against_relay(_run):
    end = far.Relay()
    notes = []
    yield [end.url], notes
    notes += end.end()


@contextlib.contextmanager
def against_nobody(_run):
    with far.unused_port() as held:
        yield [f"ws://127.0.0.1:{held.getsockname()[1]}"], []


@contextlib.contextmanager
def met_by_clients(run):
    """The program is a server, whose first line is its port."""
    notes = []
    run.when_listening = lambda port: far.clients(port, notes)
    yield [], notes


@contextlib.contextmanager
def met_by_visitor(run):
    """The program is a server that serves the directory which it is given."""
    site, notes = WORK / "site", []
    site.mkdir(exist_ok=True)
    (site / "hello.txt").write_text("hello, κόσμε\n")
    (WORK / "secret.txt").write_text("secret\n")
    run.when_listening = lambda port: far.visitor(port, notes)
    yield [site], notes


@contextlib.contextmanager
def met_by_requests(run):
    """The program is a server that decides on requests."""
    notes = []
    run.when_listening = lambda port: far.requests(port, notes)
    yield [], notes


SCENARIOS = {
    "echo": against(),
    "sizes": against(),
    "wss": against_tls,
    "subprotocol": against(subprotocols=["chat.v1", "chat.v2"]),
    "headers": against(),
    "certificate": against_tls,
    "status": against(),
    "nobody": against_nobody,
    "diagnose": against(),
    "proxy": against_proxy,
    "reconnect": against_flaky,
    "session": against_relay,
    "close-here": against(),
    "close-there": against(),
    "burst": against_raw,
    "bad-peer": against_raw,
    "bad-open": alone,
    "bad-put": against(),
    "bad-text": against(),
    "bad-close": against(),
    "stale": against(),
    "heartbeat": against(),
    "names": against(),
    "latest": against(),
    "pair": alone,
    "attach": alone,
    "full": alone,
    "options": alone,
    "texts": alone,
    "library": alone,
    "trust": alone,
    "simulate": alone,
    "topics": alone,
    "requests": met_by_requests,
    "renew": alone,
    "proxied": alone,
    "refused": alone,
    "server": met_by_clients,
    "files": met_by_visitor,
    "multiplayer": alone,
    "multiplayer3": alone,
    "scene": alone,
    "auth": alone,
    "replication": alone,
}


class Run:
    """Runs one program in one scenario."""

    when_listening = None

    def trace(self, command, scenario, counts):
        """The program's output and the remote peer's notes, with ports normalised. `counts` is the file for what it
        reaches."""
        with SCENARIOS[scenario](self) as (arguments, notes):
            process = subprocess.Popen(
                [*command, scenario, *arguments],
                cwd=ROOT,
                env=ENV | {"WSPEER_REACHED": str(counts)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
            try:
                printed = self._meet(process) + process.communicate(timeout=LIMIT)[0]
            except subprocess.TimeoutExpired:
                process.kill()
                printed = process.communicate()[0] + f"not ended after {LIMIT} s\n"
        if process.returncode:
            printed += f"ended with {process.returncode}\n"
        if arguments and ":" in str(arguments[0]):
            printed = printed.replace(":" + arguments[0].rsplit(":", 1)[1], ":PORT")
        # The wait for the next try is random.
        printed = re.sub(r"follows in \d+ ms", "follows in N ms", printed)
        return printed + "".join(f"far: {note}\n" for note in notes)

    def _meet(self, process):
        if not self.when_listening:
            return ""
        # Not by readline(), whose buffer may take more than the line, and communicate() does not look there.
        read = b""
        while not read.endswith(b"\n") and (byte := os.read(process.stdout.fileno(), 1)):
            read += byte
        line = read.decode("utf-8", "replace")
        word, _, port = line.partition(" ")
        if word != "port":
            return line
        try:
            self.when_listening(int(port))
        except Exception as error:
            process.kill()
            return f"the clients failed: {type(error).__name__}: {error}\n"
        return ""


def say(good, what, details=""):
    print(f"{'ok' if good else 'not ok'} - conformance: {what}", flush=True)
    if not good:
        print("\n".join(f"# {line}" for line in details.splitlines()), flush=True)
    return not good


def is_here(name, language):
    """Whether a language can be run. A missing tool is a failure in CI, and a printed skip elsewhere."""
    missing = [tool for tool in language.tools if not shutil.which(tool) and not (ROOT / tool).exists()]
    if not (ROOT / language.source).exists() or not missing:
        return (ROOT / language.source).exists()
    if os.environ.get("CI"):
        raise SystemExit(f"not ok - conformance: {name} needs {', '.join(missing)}")
    print(f"SKIP: conformance in {name}: {', '.join(missing)} is missing")
    return False


def run_language(name, language, scenarios, all_names):
    failures = 0
    if language.build:
        built = subprocess.run(
            language.build,
            cwd=ROOT,
            env=ENV,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        if built.returncode:
            return say(False, f"{name} is built", built.stdout)
    counts = WORK / f"reached-{name}"
    if not language.apart:
        reached.begin(all_names, counts)
    began, ran = time.monotonic(), 0
    for scenario in scenarios:
        if FILTER not in f"{name}: {scenario}":
            continue
        if scenario in language.omits:
            print(f"# {name} leaves out {scenario}: {language.omits[scenario]}")
            continue
        trace = Run().trace(language.run, scenario, counts)
        ran += 1
        if scenario in language.leaves_open:
            trace = re.sub(language.leaves_open[scenario], "", trace)
        own = EXPECTED / name / f"{scenario}.txt"
        expected = (own if own.exists() else EXPECTED / f"{scenario}.txt").read_text(encoding="utf-8")
        difference = "\n".join(
            difflib.unified_diff(expected.splitlines(), trace.splitlines(), "expected", name, lineterm="")
        )
        failures += say(trace == expected, f"{name}: {scenario}", difference)
    # A part of the scenarios reaches a part of the names.
    if len(scenarios) == len(SCENARIOS) and not FILTER and not language.apart:
        wrong = sorted(reached.mistakes(all_names, counts, EXCEPTIONS.get(name, {})))
        failures += say(not wrong, f"{name}: every name of the header is reached", "\n".join(wrong))
    print(
        f"figure: conformance in {name}: {ran} scenarios in {time.monotonic() - began:.1f} s",
        flush=True,
    )
    return failures


def write(scenarios):
    EXPECTED.mkdir(exist_ok=True)
    subprocess.run(LANGUAGES["c"].build, cwd=ROOT, check=True)
    for scenario in scenarios:
        trace = Run().trace(LANGUAGES["c"].run, scenario, WORK / "reached-c")
        (EXPECTED / f"{scenario}.txt").write_text(trace, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--language", action="append", choices=LANGUAGES, default=[])
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, default=[])
    parser.add_argument("--write", action="store_true")
    wanted = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    certificates.make()
    scenarios = wanted.scenario or list(SCENARIOS)
    # What runs apart has a library of its own.
    counted = wanted.write or not wanted.language or any(not LANGUAGES[name].apart for name in wanted.language)
    all_names = reached.build(REAL, LIB) if counted else None
    if wanted.write:
        write(scenarios)
    selected = {
        name: language
        for name, language in LANGUAGES.items()
        if (name in wanted.language or not (wanted.language or language.apart)) and is_here(name, language)
    }
    failures = sum(run_language(name, language, scenarios, all_names) for name, language in selected.items())
    return 1 if failures else 0


sys.exit(main())
