"""A player of the game that `make demo` shows: walks about by itself, counts what it sends and sees, and says goodbye
when the game is over. examples/dots/README.md describes the messages.
Usage: dots.py URL"""

from __future__ import annotations

import math
import sys
import time

import wspeer
from wspeer import EventType


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    plays = False
    sent = seen = wrong = last = losses = resumed = 0
    # The session keeps what is sent while the link is lost.
    with wspeer.connect(f"{sys.argv[1]}/Python?session", session_ms=30_000) as peer:
        while True:
            peer.poll()
            for event in peer.events():
                if event.type == EventType.OPEN:
                    plays = True
                elif event.type == EventType.LOST:
                    losses += 1
                elif event.type == EventType.RESUMED:
                    resumed += 1
                elif event.type == EventType.MESSAGE:
                    word, *rest = event.text.split()
                    if word == "field":
                        wrong += seen > 0 and int(rest[0]) != last + 1
                        last = int(rest[0])
                        seen += 1
                    elif word == "over":
                        plays = False
                        peer.send(f"bye {sent} {seen} {wrong}")
                elif event.type == EventType.CLOSED:
                    print(f"{sent} moves sent, {seen} fields seen, {wrong} out of order", end="; ")
                    print(f"{losses} links lost, {resumed} sessions resumed; closed: {event.text}")
                    return 0 if event.clean and not wrong else 1
            if plays:
                now = time.monotonic()
                x, y = 500 + 420 * math.cos(now * 0.7), 250 + 200 * math.sin(now * 1.1)
                peer.send(f"at {sent} {x:.0f} {y:.0f}")
                sent += 1
            time.sleep(1 / 60)  # a game would draw its frame here


if __name__ == "__main__":
    sys.exit(main())
