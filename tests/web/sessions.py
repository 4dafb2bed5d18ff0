#!/usr/bin/env python3
"""Sessions of a page: traces that must be equal to the native library's, and messages of both ends over links that are
cut at every frame, and at random. CUTS: number of the latter (default: 50). Usage: sessions.py [PART...]"""
import contextlib
import os
import sys

import run
import three
from run import GROWS, WEB, build, build_native, say, started

NATIVE = [str(WEB / "session")]
PAGE = ["node", "tests/web/browser.js", "run", str(WEB / "session.js")]
# Frames of each direction behind which links are cut.
FRAMES = 12


@contextlib.contextmanager
def behind(*arguments, servers=1, form=("plain",)):
    """A proxy in front of native servers, and the number of cuts so far."""
    cuts = WEB / "cuts"
    with contextlib.ExitStack() as stack:
        ports = [
            stack.enter_context(started([str(WEB / "session_server"), *form], "ws://")).rstrip("/").rsplit(":", 1)[1]
            for _ in range(servers)
        ]
        command = ["node", "tests/web/cutter.js", arguments[0], str(cuts), *ports, *arguments[1:]]
        port = stack.enter_context(started(command, "port "))
        yield f"ws://127.0.0.1:{port}/", lambda: int(cuts.read_text())


def traces(what, part, servers=1, form=("plain",)):
    """Both see the same behind proxies of their own."""
    said = []
    for program in (NATIVE, PAGE):
        with behind("obey", servers=servers, form=form) as (url, _):
            said.append(run.run([*program, *part, url]))
    lines = said[0][1].splitlines()
    say(
        said[0] == said[1] and said[0][0] == 0 and len(lines) > 5,
        f"{what}: {len(lines)} lines equal to native",
        f"native: {said[0][0]}\n{said[0][1]}\nweb: {said[1][0]}\n{said[1][1]}",
    )


def flows(what, messages, session_bytes, cutting, expected):
    """Each message once and in order, in both directions, and as many cuts as planned."""
    for where, program in (("natively", NATIVE), ("in a page", PAGE)):
        with behind(*cutting, form=("plain", str(session_bytes))) as (url, cuts):
            code, said = run.run([*program, "flow", url, str(messages), str(session_bytes)])
            lines = [
                f"server: {messages} of {messages} came, 0 wrong",
                f"{messages} sent, {messages} came, 0 wrong, 0 other",
                "losses: 1, all resumed: 1, counted: 1",
                "puts were refused, and taken again: 1",
            ]
            notes = " ".join(line[2:] for line in said.splitlines() if line.startswith("# "))
            say(
                code == 0 and all(line in said.splitlines() for line in lines) and cuts() == expected,
                f"{what} {where}: {messages} messages each way over {cuts()} cuts; {notes}",
                f"ended with {code} after {cuts()} of {expected} cuts\n{said}",
            )


def latest(what, messages, cutting, expected):
    """What newer ones replace is not sent, and everything else once and in order."""
    for where, program in (("natively", NATIVE), ("in a page", PAGE)):
        with behind(*cutting) as (url, cuts):
            code, said = run.run([*program, "latest", url, str(messages)])
            lines = [
                f"{messages} sent, all accounted for: 1, 0 wrong, others 1",
                "losses: 1, all resumed: 1, replaced: 1",
            ]
            notes = " ".join(line[2:] for line in said.splitlines() if line.startswith("# "))
            say(
                code == 0 and all(line in said.splitlines() for line in lines) and cuts() == expected,
                f"{what} {where}: {messages} puts over {cuts()} cuts; {notes}",
                f"ended with {code} after {cuts()} of {expected} cuts\n{said}",
            )


def beside():
    """A page and a stock Godot in the game of one host: the links of the page are cut, and Godot notices nothing."""
    cuts = int(os.environ.get("CUTS", "50"))
    messages = 60 * cuts
    file = WEB / "cuts"
    with contextlib.ExitStack() as stack:
        host = stack.enter_context(started([str(WEB / "session_server"), "scene"], "ws://")).rstrip("/")
        command = ["node", "tests/web/cutter.js", "random", str(file), host.rsplit(":", 1)[1], str(cuts)]
        port = stack.enter_context(started(command, "port "))
        engine = stack.enter_context(
            contextlib.closing(three.Program("beside", [*three.ENGINE, "join", f"ws://{host}"]))
        )
        godot = engine.waits_for("joined (.*)")
        code, said = run.run([*PAGE, "echoes", f"ws://127.0.0.1:{port}/", str(messages)])
        page = said.splitlines()[1][3:] if code == 0 else "none"
        engine.waits_for(f"disconnected ({page})")
        lines = [
            "join: WS_OK",
            f"id {page}",
            f"{messages} of {messages} came back, 0 wrong; met 2, gone 0",
            "losses: 1, all resumed: 1",
        ]
        seen = [line for line in engine.lines() if line.startswith(("connected", "disconnected"))]
        say(
            said.splitlines()[:4] == lines
            and int(file.read_text()) == cuts
            and sorted(seen) == sorted(["connected 1", f"connected {page}", f"disconnected {page}"])
            and godot != page,
            f"a page beside a stock Godot 4.6, which notices none of {cuts} cuts; {said.splitlines()[-1][2:]}",
            "\n".join([said, *engine.lines()]),
        )


def main():
    wanted = sys.argv[1:] or ["traces", "joins", "without", "page", "frames", "random", "latest", "beside"]
    WEB.mkdir(parents=True, exist_ok=True)
    build_native("tests/web/session.c", "session")
    build_native("tests/web/session_server.c", "session_server")
    build("tests/web/session.c", "session", "-O2", "--closure", "1", GROWS)
    if "traces" in wanted:
        traces("sessions", ["trace"])
        traces("ends of sessions", ["ends"], servers=2)
    if "joins" in wanted:
        for form in ("4", "3", "scene", "auth"):
            traces(f"a join in the format {form} that keeps its id", ["join", form], form=(form,))
    if "without" in wanted:
        build_native("tests/web/heart.c", "heart")
        with started(["node", "tests/web/server.js"], "") as port:
            run.same("no session with another server", "session", "session", "without", f"ws://127.0.0.1:{port}", "800")
    if "page" in wanted:
        build("tests/web/session_page.c", "session_page", "-O2", "--closure", "1", GROWS)
        build_native("tests/web/heart.c", "heart")
        with (
            started([str(WEB / "session_server"), "plain"], "ws://") as url,
            started([str(WEB / "heart")], "ws://") as freezing,
        ):
            ends = (f"ws://{one.rstrip('/')}" for one in (url, freezing))
            code, said = run.in_browser("session_page", *ends)
            wrong = [line for line in said.splitlines() if not line.startswith("ok - ")]
            say(code == 0 and not wrong and said.count("ok - ") == 9, "hints, a page that goes, no randomness", said)
    if "frames" in wanted:
        cuts = 2 + 4 * (FRAMES + 1)
        flows("cuts at every frame", 1600, 1000, ("frames", str(FRAMES)), cuts)
    if "latest" in wanted:
        latest("the latest", 6000, ("random", "10"), 10)
    if "beside" in wanted:
        beside()
    if "random" in wanted:
        cuts = int(os.environ.get("CUTS", "50"))
        flows("cuts at random", 60 * cuts, 20000, ("random", str(cuts)), cuts)
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
