#!/usr/bin/env python3
"""Measures the CPU time of a frame of a multiplayer server with 200 and 1,000 peers, with wspeer's class and with Godot's
own in turns, and writes build/bench/godot-peers.md. Usage: peers.py [--docs] [--quick]"""

import argparse
import contextlib
import os
import pathlib
import platform
import resource
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "godot"))

import engine
from engine import NAMES, OURS, STOCK, Remote, free_port

LOAD = str(ROOT / "build" / "bench" / "load")
PAGE = ROOT / "docs" / "godot-benchmarks.md"
HEADING = "## Many peers"
PEERS = (200, 1000)
# What each peer sends in a second, and whether the server sends a packet to all in each frame.
IDLE, LOADED = "idle", "under load"
RATE = {IDLE: 0, LOADED: 10}
MESSAGE = 64


@contextlib.contextmanager
def crowd(godot, kind, peers):
    """A server with connected peers, and the program that they are in."""
    port = free_port()
    while godot(f'peers.open("{NAMES[kind][1]}", {port})') != 0:
        port = free_port()
    load = subprocess.Popen(
        ["taskset", "-c", "1", LOAD, "crowd", "--port", str(port), "--conns", str(peers), "--len", str(MESSAGE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        tell(load, "connect")
        if godot(f"peers.gather({peers}, 60000)", 70) != peers:
            raise SystemExit(f"{kind}: {peers} peers do not connect")
        load.stdout.readline()
        yield load
    finally:
        load.stdin.close()
        load.wait()
        godot("peers.gather(0, 20000)", 30)
        godot("peers.close()")


def tell(load, line):
    load.stdin.write(line + "\n")
    load.stdin.flush()


def measure(godot, kind, peers, frames):
    """CPU microseconds per frame, idle and under load."""
    seen = {}
    with crowd(godot, kind, peers) as load:
        godot("peers.frames(10, false)")
        for how, rate in RATE.items():
            if rate:
                tell(load, f"send {peers} {rate}")
                godot("peers.frames(20, true)")
            result = godot(f"peers.frames({frames}, {str(bool(rate)).lower()})", 120)
            # Within a tenth of what was sent: both handle the same.
            wanted = peers * rate * frames / 60
            if result["failed"] or result["peers"] != peers or result["received"] < wanted * 0.9:
                raise SystemExit(f"{kind}, {peers} peers {how}: {result}, {wanted} packets wanted")
            seen[how] = result["cpu"]
    return seen


def report(cells, rounds, frames, version, load):
    yield HEADING
    yield ""
    yield "CPU time of one frame of a multiplayer server, by the number of its peers, in microseconds of all threads."
    yield "`make bench-godot` measures it on your machine."
    yield ""
    yield "| peers | | Godot's class | wspeer's class | ratio |"
    yield "|--:|---|--:|--:|--:|"
    for (peers, how), cell in cells.items():
        stock, ours = (statistics.median(cell[kind]) for kind in (STOCK, OURS))
        ratio = statistics.median(one / other for one, other in zip(cell[STOCK], cell[OURS]))
        yield f"| {peers:,} | {how} | {stock:,.0f} | {ours:,.0f} | {ratio:.1f} |"
    yield ""
    yield "Idle: the server polls, and nobody sends. Under load: each peer sends"
    yield f"{RATE[LOADED]} packets of {MESSAGE} B a second, the server takes all that have arrived, and sends one packet of"
    yield "64 B to all peers in each of its 60 frames a second. Both do the same work: wspeer's"
    yield "`poll_budget_usec` is off. GDScript's time is included."
    yield ""
    yield f"{frames} frames a measurement, {rounds} rounds in which both take turns; medians, and for the ratio of the ratios"
    yield f"within a round. Godot {version}, {platform.machine()}, {os.cpu_count()} cores;"
    yield f"the machine's load average was {load:.0f} at the start, so judge by the ratio. The engine runs on core 0, the"
    yield "peers (`benches/load`) on core 1."


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--docs", action="store_true", help="replace the part of docs/godot-benchmarks.md too")
    parser.add_argument("--quick", action="store_true", help="one short round")
    options = parser.parse_args()
    rounds, frames = (1, 60) if options.quick else (5, 200)
    load = os.getloadavg()[0]
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    godot = Remote(OURS, limit=900)
    cells = {(peers, how): {STOCK: [], OURS: []} for peers in PEERS for how in RATE}
    try:
        subprocess.run(["taskset", "-a", "-c", "-p", "0", str(godot.pid())], check=True, stdout=subprocess.DEVNULL)
        shutil.copy(ROOT / "benches" / "godot" / "peers.gd", godot.folder / "peers.gd")
        godot('hold_new("peers", "res://peers.gd")')
        for number in range(rounds):
            for peers in PEERS:
                for kind in (STOCK, OURS) if number % 2 == 0 else (OURS, STOCK):
                    for how, cpu in measure(godot, kind, peers, frames).items():
                        cells[peers, how][kind].append(cpu)
        text = "\n".join(report(cells, rounds, frames, version_of(), load)) + "\n"
        print(text)
        (ROOT / "build" / "bench" / "godot-peers.md").write_text(text)
        if options.docs:
            PAGE.write_text(PAGE.read_text().split(HEADING)[0].rstrip("\n") + "\n\n" + text)
    finally:
        godot.close()
    return engine.end()


def version_of():
    said = subprocess.run([engine.GODOT, "--version"], capture_output=True, text=True).stdout
    return said.split(".custom")[0].strip()


if __name__ == "__main__":
    sys.exit(main())
