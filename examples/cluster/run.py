#!/usr/bin/env python3
"""Runs the whole cluster on this machine for some seconds: NATS, three nodes, HAProxy, and players who talk while one
node is killed and another is drained. Ports are free ones, files are in a temporary folder, all processes end.
Usage: run.py [SECONDS]"""

from __future__ import annotations

import pathlib
import random
import signal
import sys
import tempfile
import time
from typing import Callable

import wspeer
from cluster import Cluster, NotStarted
from player import Came, Ended, Gap, Happened, Link, Player, Said, Went

NAMES = ("ann", "bob", "cem", "dea", "eli", "fay")
FRAME_S = 1 / 60
# How often a player says something, on average.
SAY_S = 1.5


def tell(began: float, player: Player, happened: Happened) -> None:
    if isinstance(happened, Said):
        what = f"hears {happened.sender[:3]}: {happened.text}   (message {happened.offset})"
    elif isinstance(happened, Came):
        what = f"sees {happened.player[:3]} in {happened.room}"
    elif isinstance(happened, Went):
        what = f"sees {happened.player[:3]} leave {happened.room}"
    elif isinstance(happened, Gap):
        what = f"has missed messages {happened.after + 1} to {happened.upto}: too old"
    elif isinstance(happened, Ended):
        what = f"has ended: {happened.text}"
    else:
        what = f"is at node {happened.node}" if happened.node else f"has lost its node: {happened.text}"
    print(f"{time.monotonic() - began:5.1f}  {player.id[:3]} {what}", flush=True)


def play(cluster: Cluster, seconds: float) -> None:
    players = [Player(cluster.url, name) for name in NAMES]
    for player in players:
        player.join("lobby")
    began = time.monotonic()
    plan: list[tuple[float, str, Callable[[], None]]] = [
        (seconds * 0.3, "node one is killed", lambda: cluster.kill_node("one")),
        (seconds * 0.6, "node two is drained", lambda: cluster.drain_node("two")),
    ]
    count = 0
    while (now := time.monotonic() - began) < seconds:
        if plan and now > plan[0][0]:
            _, what, do = plan.pop(0)
            print(f"{now:5.1f}  --- {what}", flush=True)
            do()
        for player in players:
            # All players see the same; one of them is enough to print what is said.
            for happened in player.step():
                if isinstance(happened, (Link, Gap, Ended)) or player is players[0]:
                    tell(began, player, happened)
            if random.random() < FRAME_S / SAY_S:
                count += 1
                player.say("lobby", f"hello no. {count}")
        wspeer.wait([player.peer for player in players], FRAME_S)
    for player in players:
        player.peer.free()


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory(prefix="wspeer-cluster-") as folder:
        try:
            with Cluster(pathlib.Path(folder)) as cluster:
                print(f"three nodes behind {cluster.url}", flush=True)
                play(cluster, seconds)
        except NotStarted as error:
            for log in sorted(pathlib.Path(folder).glob("*.log")):
                print(f"{log.name}:\n{log.read_text()[-2000:]}", file=sys.stderr)
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
