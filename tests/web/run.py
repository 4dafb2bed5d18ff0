#!/usr/bin/env python3
"""The same programs natively and in headless Chromium, against wspeer, npm ws and Python's websockets; BROWSER_ENDPOINT
names the file of the served browser. Usage: run.py"""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "tests" / "conformance"))
import far  # noqa: E402

WEB = ROOT / "build" / "web"
LIB = ROOT / os.environ.get("LIBDIR", "build")
NATIVE = [
    "-std=c99",
    "-D_DEFAULT_SOURCE",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Iinclude",
    f"-L{LIB}",
    "-lwspeer",
    f"-Wl,-rpath,{LIB}",
]
ENV = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
GROWS = "-sALLOW_MEMORY_GROWTH=1"
# How each program is built, and the server that it connects to.
BUILDS = {
    "O0": (["-O0", GROWS], "wspeer"),
    "O2": (["-O2", GROWS], "ws"),
    "O3-closure": (["-O3", "--closure", "1", GROWS], "websockets"),
    "modularize-bigint": (["-O1", "-sMODULARIZE=1", "-sEXPORT_NAME=createProgram", "-sWASM_BIGINT=1", GROWS], "wspeer"),
    "pthread": (["-O1", "-pthread", "-Wno-pthreads-mem-growth", GROWS], "wspeer"),
}
failures = 0


def say(good, what, details=""):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - web: {what}", flush=True)
    if not good:
        print("\n".join(f"# {line}" for line in details.splitlines()), flush=True)


def run(command, limit=100):
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=ENV,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=limit,
        )
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        return "no end", (late.stdout or b"").decode(errors="replace")


def build(source, name, *flags):
    # A recent Emscripten builds its system libraries on first use.
    code, said = run(
        ["tests/web/build", source, str(WEB / f"{name}.js"), *flags], limit=1000 if "WEB_TOOLS" in ENV else 100
    )
    if code:
        say(False, f"{name} is built with {' '.join(flags)}", said)
    return code == 0


def build_native(source, name):
    code, said = run(["cc", source, "-o", str(WEB / name), *NATIVE])
    if code:
        say(False, f"{name} is built natively", said)


def in_browser(name, *arguments, **more):
    """`more`: environment variables of a browser for this run alone."""
    return run(
        [
            "env",
            *(["-u", "BROWSER_ENDPOINT"] if more else []),
            *(f"{key}={value}" for key, value in more.items()),
            "node",
            "tests/web/browser.js",
            "run",
            str(WEB / f"{name}.js"),
            *arguments,
        ]
    )


@contextlib.contextmanager
def started(command, word):
    """A program in the background, and what follows `word` in a line of its output. Its later lines are read, so that
    it never blocks."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=ENV,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    try:
        for line in process.stdout:
            if word in line:
                threading.Thread(target=process.stdout.read, daemon=True).start()
                yield line[line.index(word) + len(word):].strip()
                break
        else:
            raise SystemExit(f"not ok - web: {command[0]} ended with {process.wait()}")
    finally:
        process.kill()
        process.wait()


def same(what, native, web, *arguments):
    """A program prints the same natively and in the browser."""
    ours, theirs = run([str(WEB / native), *arguments]), in_browser(web, *arguments)
    say(
        ours == theirs and ours[0] == 0 and ours[1],
        f"{what}: {len(ours[1].splitlines())} lines equal to native",
        f"native: {ours}\nweb: {theirs}",
    )


def pages(urls, dying):
    with far.unused_port() as held:
        nobody = f"ws://127.0.0.1:{held.getsockname()[1]}"
        for name, (flags, peer) in BUILDS.items():
            began = time.monotonic()
            if not build("tests/web/browser.c", name, *flags):
                continue
            code, said = in_browser(name, urls[peer], dying, nobody)
            lines = said.splitlines()
            wrong = [line for line in lines if not line.startswith("ok - ")]
            say(
                code == 0 and not wrong and len(lines) > 60,
                f"{' '.join(flags)} against {peer}: {len(lines)} checks in {time.monotonic() - began:.1f} s",
                f"ended with {code}\n" + "\n".join(wrong),
            )


def joins(once):
    build_native("tests/web/join.c", "join")
    build_native("tests/web/host.c", "host")
    build("tests/web/join.c", "join", "-O2")
    for form in ("4", "3"):
        with started([str(WEB / "host"), form], "ws://") as host:
            same(f"two join a native host in Godot {form}'s format", "join", "join", form, f"ws://{host}")
    same("a host that sends no id", "join", "join", "wrong", once)


def reconnects():
    """Links that are cut, restarts, refusals and a port where nobody listens; joins in every format."""
    build_native("tests/web/reconnect.c", "reconnect")
    build_native("tests/web/again.c", "again")
    build("tests/web/reconnect.c", "reconnect", "-O2", "--closure", "1")
    traces = []
    for program in ([str(WEB / "reconnect")], ["node", "tests/web/browser.js", "run", str(WEB / "reconnect.js")]):
        with started(["node", "tests/web/server.js"], "") as port:
            traces.append(run([*program, "links", f"ws://127.0.0.1:{port}"]))
    say(
        traces[0] == traces[1] and traces[0][0] == 0 and "query key=3&new=1" in traces[0][1],
        f"links that are lost: {len(traces[0][1].splitlines())} lines equal to native",
        f"native: {traces[0]}\nweb: {traces[1]}",
    )
    with far.unused_port() as held:
        nobody = f"ws://127.0.0.1:{held.getsockname()[1]}"
        same("tries that all fail", "reconnect", "reconnect", "nobody", nobody)
    for form in ("4", "3", "scene", "auth"):
        with started([str(WEB / "again"), form], "ws://") as host:
            same(f"joins that come back in the format {form}", "reconnect", "reconnect", "join", form, f"ws://{host}")


def heartbeats(other):
    """With a wspeer server that freezes (one for each client), and with a server without the heartbeat."""
    build_native("tests/web/heart.c", "heart")
    build_native("tests/web/heartbeat.c", "heartbeat")
    build("tests/web/heartbeat.c", "heartbeat", "-O2", "--closure", "1")
    said = []
    for program in (run, None):
        with started([str(WEB / "heart")], "ws://") as url:
            said.append(
                run([str(WEB / "heartbeat"), "wspeer", f"ws://{url.rstrip('/')}"])
                if program
                else in_browser("heartbeat", "wspeer", f"ws://{url.rstrip('/')}")
            )
    say(
        said[0] == said[1] and said[0][0] == 0 and "rtt: measured" in said[0][1] and "cause=9" in said[0][1],
        "the heartbeat: RTT, order, counters, and a server that stops polling",
        f"native: {said[0]}\nweb: {said[1]}",
    )
    same("no heartbeat with another server", "heartbeat", "heartbeat", "other", other)


def latest(echo):
    """Positions over a slow line."""
    build_native("tests/web/latest.c", "latest")
    build("tests/web/latest.c", "latest", "-O2", "--closure", "1")
    lines = [
        "plain: refused 0, replaced 0, waiting 1, others in order 1",
        "fresh 0, the line is used 1",
        "latest: refused 0, replaced 1, waiting 0, others in order 1",
        "fresh 1, the line is used 1",
    ]
    for where, (code, said) in (("natively", run([str(WEB / "latest"), echo])), ("in a page", in_browser("latest", echo))):
        notes = [line[2:] for line in said.splitlines() if line.startswith("# ")]
        good = code == 0 and [line for line in said.splitlines() if not line.startswith("# ")] == lines
        say(good, f"the latest over a slow line {where}: {notes[-1] if notes else 'none'}", said)


def simulated(echo):
    """A simulated network; its model is compared with the native one by tests/sim/trace.js."""
    build_native("tests/web/sim.c", "sim")
    build("tests/web/sim.c", "sim", "-O2", "--closure", "1")
    same("a simulated network", "sim", "sim", echo)


def godot():
    """A stock Godot 4.6 hosts; a Godot, a native wspeer peer and a page join."""
    engine = [
        str(ROOT / "build" / "godot" / "godot4"),
        "--headless",
        "--path",
        "tests/godot/game4",
        "--script",
        "peer.gd",
        "--",
    ]
    with (
        started([*engine, "host"], "listening ") as port,
        started([*engine, "join", f"ws://127.0.0.1:{port}"], "joined"),
    ):
        same("a stock Godot 4.6 host with a Godot beside", "join", "join", "godot", f"ws://127.0.0.1:{port}")


def scenes():
    """Godot 4's scene: recorded values, the bytes of a join, and a stock Godot 4.6 with another peer."""
    build_native("tests/web/scene.c", "scene")
    build_native("tests/web/scene_host.c", "scene_host")
    build("tests/web/scene.c", "scene", "-O3", "--closure", "1")
    traces = []
    same("values and calls", "scene", "scene", "values")
    with started([str(WEB / "scene_host")], "ws://") as host:
        same("the bytes of a join in a scene", "scene", "scene", "wire", f"ws://{host}")
    engine = [
        str(ROOT / "build" / "godot" / "godot4"),
        "--headless",
        "--path",
        "tests/godot/scene4",
        "--script",
        "scene.gd",
        "--",
    ]
    with started([*engine, "host"], "listening ") as port:
        for program in ([str(WEB / "scene")], ["node", "tests/web/browser.js", "run", str(WEB / "scene.js")]):
            with started([*engine, "join", f"ws://127.0.0.1:{port}"], "joined "):
                traces.append(run([*program, "godot", f"ws://127.0.0.1:{port}"]))
    say(
        traces[0] == traces[1] and traces[0][0] == 0,
        f"calls of a stock Godot and back: {len(traces[0][1].splitlines())} lines equal to native",
        f"native: {traces[0]}\nweb: {traces[1]}",
    )
    with started([*engine, "host", "auth"], "listening ") as port:
        same("the authentication of a stock Godot", "scene", "scene", "auth", f"ws://127.0.0.1:{port}")


def replication():
    """Spawners and synchronizers: the bytes of a join, and two joins of a native host with authorities on either side."""
    build_native("tests/web/replication.c", "replication")
    build_native("tests/web/scene_host.c", "scene_host")
    build_native("tests/web/replication_host.c", "replication_host")
    build("tests/web/replication.c", "replication", "-O3", "--closure", "1")
    with started([str(WEB / "scene_host")], "ws://") as host:
        same("the bytes of replication", "replication", "replication", "wire", f"ws://{host}")
    traces = []
    for program in ([str(WEB / "replication")], ["node", "tests/web/browser.js", "run", str(WEB / "replication.js")]):
        with started([str(WEB / "replication_host")], "ws://") as host:
            traces.append(run([*program, "host", f"ws://{host}"]))
    say(
        traces[0] == traces[1] and traces[0][0] == 0 and "gone, -1: \n" in traces[0][1],
        f"nodes of a native host and of a join: {len(traces[0][1].splitlines())} lines equal to native",
        f"native: {traces[0]}\nweb: {traces[1]}",
    )
    replication_godot()


def replication_godot():
    """Spawners and synchronizers of a stock Godot 4.6 host and of a stock client, and those of a page at both."""
    build_native("tests/web/replication_godot.c", "replication_godot")
    build("tests/web/replication_godot.c", "replication_godot", "-O3", "--closure", "1")
    project, home = WEB / "replicated4", WEB / "home"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(ROOT / "tests" / "godot" / "replicated4", project)
    home.mkdir(exist_ok=True)
    engine = ["env", f"HOME={home}", str(ROOT / "build" / "godot" / "godot4"), "--headless", "--path", str(project)]
    engine += ["--script", "scene.gd", "--"]
    traces = []
    page = ["node", "tests/web/browser.js", "run", str(WEB / "replication_godot.js")]
    for program in ([str(WEB / "replication_godot")], page):
        with (
            started([*engine, "host"], "listening ") as port,
            started([*engine, "join", f"ws://127.0.0.1:{port}"], "joined "),
        ):
            traces.append(run([*program, f"ws://127.0.0.1:{port}"]))
    said = traces[0][1]
    say(
        traces[0] == traces[1] and traces[0][0] == 0 and "other has B: state B (3.0, 4.0) 4 of B 0.5" in said,
        f"nodes of a stock Godot and of a join: {len(said.splitlines())} lines equal to native",
        f"native: {traces[0]}\nweb: {traces[1]}",
    )


def main():
    WEB.mkdir(parents=True, exist_ok=True)
    build_native("examples-c/echo_server.c", "echo_server")
    build_native("examples-c/minimal_client.c", "minimal_client")
    build("examples-c/minimal_client.c", "minimal_client", "-O2")
    with (
        started([str(WEB / "echo_server"), "0"], "Listening on ") as of_wspeer,
        started(["node", "tests/web/server.js"], "") as of_ws,
    ):
        ends = far.Library()
        ws = f"ws://127.0.0.1:{of_ws}"
        urls = {
            "wspeer": f"ws://127.0.0.1:{of_wspeer.rsplit(':', 1)[1].rstrip('/')}/",
            "ws": f"{ws}/",
            "websockets": f"{ends.url}/echo",
        }
        same("examples-c/minimal_client.c", "minimal_client", "minimal_client", f"{ws}/once")
        pages(urls, f"{ws}/")
        joins(f"{ws}/")
        reconnects()
        heartbeats(f"{ws}/")
        simulated(urls["wspeer"])
        latest(urls["wspeer"])
        godot()
        scenes()
        replication()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
