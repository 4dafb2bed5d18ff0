#!/usr/bin/env python3
"""A page, a native wspeer peer and a stock Godot 4.6 in the game of a stock headless Godot 4.6 at once: each learns of
the others and receives a packet of each. Usage: three.py"""

import contextlib
import re
import subprocess
import sys
import time

import run
from run import ROOT, WEB, build, build_native, in_browser, say

ENGINE = [
    str(ROOT / "build" / "godot" / "godot4"),
    "--headless",
    "--path",
    "tests/godot/game4",
    "--script",
    "peer.gd",
    "--",
]


class Program:
    """A program in the background, with its output in a file."""

    def __init__(self, name, command):
        self.file = WEB / f"three-{name}.txt"
        with self.file.open("w") as out:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=run.ENV, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )

    def lines(self):
        return self.file.read_text().splitlines()

    def waits_for(self, pattern):
        """The first group of the matching line."""
        limit = time.monotonic() + 20
        while time.monotonic() < limit:
            for line in self.lines():
                if found := re.fullmatch(pattern, line):
                    return found[1]
            time.sleep(0.01)
        raise SystemExit(f"not ok - web: {self.file.name} never had {pattern}: {self.lines()}")

    def close(self):
        self.process.kill()
        self.process.wait()


def wrong(name, lines, wanted):
    """The missing and surplus lines of a trace, and packets of a peer that precede its announcement."""
    reported = [
        line
        for line in lines
        if line in wanted
        or re.match(r"(id|met|gone|connected|disconnected|joined|closed|packet|unknown|put|\d+) ?", line)
    ]
    faults = [f"{name} lacks {line!r}" for line in wanted if reported.count(line) != 1] + [
        f"{name} has {line!r} besides" for line in reported if line not in wanted
    ]
    known = set()
    for line in reported:
        if news := re.match(r"(?:met|connected) (\d+)$", line):
            known.add(news[1])
        if (packet := re.match(r"(?:packet )?(\d+) (?:says|asks|say)\b", line)) and packet[1] not in known | {"1"}:
            faults.append(f"{name} has {line!r} before it knows who that is")
    return faults


def play():
    with contextlib.ExitStack() as stack:
        start = lambda name, *command: stack.enter_context(contextlib.closing(Program(name, command)))
        host = start("host", *ENGINE, "host")
        url = f"ws://127.0.0.1:{host.waits_for('listening (.*)')}"
        engine = start("engine", *ENGINE, "join", url)
        godot = engine.waits_for("joined (.*)")
        peer = start("native", str(WEB / "three"), url, "stay")
        code, said = in_browser("three", url, "leave")
        page = (re.findall(r"^id (\d+)$", said, re.M) or ["none"])[0]
        native = peer.waits_for("id (.*)")
        peer.waits_for("(closed .*)")
        engine.waits_for(f"disconnected ({native})")
        host.waits_for(f"disconnected ({native})")
        among = lambda me, other: [
            f"id {me}",
            f"met {godot}",
            f"met {other}",
            "1 says greetings",
            f"{godot} says greetings",
            f"{other} says greetings",
            f"{other} asks",
            "closed 1000",
        ]
        faults = wrong("the page", said.splitlines(), [*among(page, native), "1 says farewell"])
        faults += wrong("native", peer.lines(), [*among(native, page), f"gone {page}"])
        both = [f"{word} {id}" for id in (page, native) for word in ("connected", "disconnected")] + [
            f"packet {id} say {id} greetings" for id in (page, native)
        ]
        faults += wrong("the host", host.lines(), [f"connected {godot}", *both, f"packet {page} say {page} farewell"])
        faults += wrong("Godot's peer", engine.lines(), [f"joined {godot}", "connected 1", *both])
        say(
            code == 0 and not faults and len({page, native, godot, "1"}) == 4,
            "a page, a native peer and a Godot 4.6 at once with a stock Godot 4.6 as the host: each has learned of and greeted all",
            "\n".join(
                [
                    f"the page ended with {code}",
                    *faults,
                    said,
                    *peer.lines(),
                    "host:",
                    *host.lines(),
                    "engine:",
                    *engine.lines(),
                ]
            ),
        )


def main():
    build_native("tests/web/three.c", "three")
    if build("tests/web/three.c", "three", "-O2"):
        play()
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
