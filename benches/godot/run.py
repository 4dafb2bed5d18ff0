#!/usr/bin/env python3
"""Measures echo through wspeer's classes and through Godot's own in one engine, and writes build/bench/godot.md. Usage:
run.py [--docs] [--quick]"""

import argparse
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "godot"))

import engine
import peers
from engine import NAMES, OURS, STOCK, Remote, free_port

LOAD = str(ROOT / "build" / "bench" / "load")
PAGE = ROOT / "docs" / "godot-benchmarks.md"
COALESCED = "coalesced"
KINDS = (STOCK, OURS, COALESCED)
SIZES = {64: 32, 65536: 4}
ROLES = {
    "client": "a client; the server is `benches/load`",
    "server": "a server with `TCPServer` and `accept_stream`; the client is `benches/load`",
    "WSServer": "a server (wspeer: `WSServer`); the client is `benches/load`",
    "multiplayer": "a multiplayer server and its client, both in the engine",
}


def measure(godot, role, kind, size, seconds, port):
    """CPU microseconds per message."""
    peer, multiplayer_peer = (
        f'"{name}", {str(kind == COALESCED).lower()}' for name in NAMES[STOCK if kind == STOCK else OURS]
    )
    burst, ms = SIZES[size], int(seconds * 1000)
    if role == "client":
        seen = godot(f'bench.client({peer}, "ws://127.0.0.1:{port}", {size}, {burst}, {ms})')
    elif role == "multiplayer":
        seen = godot(f"bench.multiplayer({multiplayer_peer}, {free_port()}, {size}, {burst}, {ms})")
    else:
        own = role == "WSServer" and kind != STOCK
        load = subprocess.Popen(
            [
                "taskset",
                "-c",
                "1",
                LOAD,
                "drive",
                "--port",
                str(godot(f"{'own' if own else 'listener'}.get_local_port()")),
                "--pid",
                str(godot.pid()),
                "--mode",
                "burst",
                "--window",
                str(burst),
                "--len",
                str(size),
                "--seconds",
                str(seconds),
                "--warm",
                "0.05",
            ],
            stdout=subprocess.DEVNULL,
        )
        seen = godot(
            f"bench.own_server({str(kind == COALESCED).lower()}, own)" if own else f"bench.server({peer}, listener)"
        )
        load.wait()
    if seen["failed"] or not seen["messages"]:
        raise SystemExit(f"{role} {kind} {size}: {seen}")
    return seen["cpu"] / seen["messages"]


def ratio(cell, kind):
    """The number of messages per CPU second relative to Godot's class."""
    return statistics.median(stock / ours for stock, ours in zip(cell[STOCK], cell[kind]))


def report(cells, rounds, seconds, version, load):
    yield "# wspeer beside Godot's own classes"
    yield ""
    yield "Echo in Godot, with GDScript: the number of messages that go out and come back per second of CPU time,"
    yield "with wspeer's classes and with Godot's own. `make bench-godot` measures it on your machine."
    yield ""
    yield "| the engine is | message | Godot's class | wspeer's class | ratio | with `coalesce` | ratio |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for (role, size), cell in cells.items():
        figures = [f"{1e6 / statistics.median(cell[STOCK]):,.0f}"]
        for kind in (OURS, COALESCED):
            figures += [f"{1e6 / statistics.median(cell[kind]):,.0f}", f"{ratio(cell, kind):.2f}"]
        yield f"| {ROLES[role]} | {f'{size} B' if size < 1024 else f'{size // 1024} KiB'} | {' | '.join(figures)} |"
    yield ""
    yield "Messages per CPU second, and the ratio of wspeer to Godot: above 1, wspeer needs less CPU. By default both"
    yield "write each message at once; with `coalesce` those of a frame are written together, at the next `poll()`"
    yield "or `flush()`."
    yield ""
    yield f"Godot {version}, {platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}; {rounds} rounds of"
    yield f"{seconds} s, in which the three take turns in changing order; medians over the rounds, and for the ratio"
    yield "of the ratios within a round. CPU is that of all threads of the engine, GDScript included. A frame is"
    yield "32 messages of 64 B or 4 of 64 KiB and 4 ms of sleep; the server polls once a millisecond. The engine"
    yield "runs on core 0, the load program on core 1. Godot's buffers are set to 8 MiB, as its defaults are too"
    yield "small for a 64 KiB message; loopback, no TLS, no compression."
    yield f"The machine's load average was {load:.0f} at the start. Godot's class measured against itself in this way"
    yield "gave 0.98 to 1.00 in one run."


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--docs", action="store_true", help="write docs/godot-benchmarks.md too")
    parser.add_argument("--quick", action="store_true", help="one short round")
    options = parser.parse_args()
    rounds, seconds = (1, 0.3) if options.quick else (9, 0.5)
    load = os.getloadavg()[0]
    echo = subprocess.Popen(["taskset", "-c", "1", LOAD, "echo"], stdout=subprocess.PIPE, text=True)
    port = int(echo.stdout.readline().split()[1])
    godot = Remote(OURS, limit=900)
    try:
        subprocess.run(["taskset", "-a", "-c", "-p", "0", str(godot.pid())], check=True, stdout=subprocess.DEVNULL)
        shutil.copy(ROOT / "benches" / "godot" / "bench.gd", godot.folder / "bench.gd")
        godot('hold_new("bench", "res://bench.gd")')
        godot('make("listener", "TCPServer")')
        godot('listener.listen(0, "127.0.0.1")')
        godot('make("own", "WSServer")')
        godot(f"own.set('outbound_buffer_size', {8 << 20})")
        godot('own.listen(0, str_to_var("PackedStringArray()"), "127.0.0.1")')
        cells = {(role, size): {kind: [] for kind in KINDS} for role in ROLES for size in SIZES}
        for number in range(rounds):
            for (role, size), cell in cells.items():
                for kind in KINDS[number % 3 :] + KINDS[: number % 3]:
                    cell[kind].append(measure(godot, role, kind, size, seconds, port))
        for (role, size), cell in cells.items():
            print(
                f"{role} {size} B: {ratio(cell, OURS):.2f} times as many messages a CPU second, with coalesce {ratio(cell, COALESCED):.2f}"
            )
        version = (
            subprocess.run([engine.GODOT, "--version"], capture_output=True, text=True)
            .stdout.split(".custom")[0]
            .strip()
        )
        text = "\n".join(report(cells, rounds, seconds, version, load)) + "\n"
        (ROOT / "build" / "bench" / "godot.md").write_text(text)
        if options.docs:
            # peers.py measures the part behind this heading.
            _, heading, rest = PAGE.read_text().partition(peers.HEADING)
            PAGE.write_text(text + (f"\n{heading}{rest}" if heading else ""))
    finally:
        echo.kill()
        godot.close()
    return engine.end()


if __name__ == "__main__":
    sys.exit(main())
