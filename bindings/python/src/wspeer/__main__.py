"""python -m wspeer cat URL: sends the lines of standard input and prints the messages that come.

python -m wspeer diagnose URL: finds out why a client cannot connect, and prints each step and the advice.
"""

from __future__ import annotations

import argparse
import queue
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import wspeer

if TYPE_CHECKING:
    from collections.abc import Sequence


def diagnose(url: str, config: wspeer.ConfigArgs) -> int:
    """Prints the steps with their times. Returns 0 if everything works."""
    start = None
    with wspeer.diagnose(url, **config) as peer:
        while True:
            peer.poll()
            for event in peer.events():
                start = event.time_ns if start is None else start
                failed = event.cause != wspeer.Cause.NONE
                if event.type == wspeer.EventType.CLOSED:
                    print(f"\n{event.text}")
                    return int(failed)
                name = wspeer.Phase(event.phase).name.lower() if event.phase else ""
                mark = "!" if failed else " "
                print(f"{(event.time_ns - start) / 1e6:9.1f} ms {mark} {name:9} {event.text}", flush=True)
            wspeer.wait([peer], 0.1)


def cat(url: str, config: wspeer.ConfigArgs, answer_s: float) -> int:
    """Each line is a text message, and each message is printed with a line end. After the end of the input it closes
    when nothing has come for `answer_s`. Returns 0 if the connection was closed cleanly."""
    lines: queue.Queue[str | None] = queue.Queue(256)

    def read() -> None:
        for line in sys.stdin:
            lines.put(line.rstrip("\r\n"))
        lines.put(None)

    waiting: str | None = None
    ends: float | None = None
    with wspeer.connect(url, **config) as peer:
        while True:
            peer.poll()
            for event in peer.events():
                if event.type == wspeer.EventType.OPEN:
                    threading.Thread(target=read, daemon=True).start()
                elif event.type == wspeer.EventType.MESSAGE:
                    sys.stdout.buffer.write(event.bytes + b"\n")
                    ends = None if ends is None else time.monotonic() + answer_s
                elif event.type == wspeer.EventType.CLOSED:
                    sys.stdout.buffer.flush()
                    if not event.clean:
                        print(event.text, file=sys.stderr)
                    return int(not event.clean)
            sys.stdout.buffer.flush()
            try:
                while peer.state == wspeer.State.OPEN and ends is None:
                    waiting = lines.get_nowait() if waiting is None else waiting
                    if waiting is None:
                        ends = time.monotonic() + answer_s
                        break
                    peer.send(waiting)
                    waiting = None
            except (queue.Empty, wspeer.QueueFull):
                pass
            if ends is not None and time.monotonic() >= ends and peer.state == wspeer.State.OPEN:
                peer.close()
            wspeer.wait([peer], 0.02)


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("url", help="ws://host:port/path or wss://host:port/path")
    command.add_argument("--ca", type=Path, metavar="FILE", help="certificates to trust besides the system's, in PEM")
    command.add_argument("--proxy", help='"env", or http://, https://, socks5:// or socks5h://user:password@host:port')
    command.add_argument("--insecure", action="store_true", help="accept any certificate")
    command.add_argument("--server-name", metavar="NAME", help="the name that the certificate must have")
    command.add_argument("--subprotocol", action="append", default=[], metavar="NAME", help="offer it; may be repeated")
    command.add_argument("--header", action="append", default=[], metavar='"NAME: VALUE"', help="may be repeated")
    command.add_argument("--timeout", type=float, default=10, metavar="SECONDS", help="for the opening (default: 10)")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m wspeer", description="Tools of wspeer.")
    parser.add_argument("--version", action="version", version=f"wspeer {wspeer.__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "diagnose",
        help="find out why a client cannot connect",
        description="Opens a connection, pings the server and closes. Prints each step and what to do. The exit code "
        "is 0 if everything works. The output has no query, password, cookie or authorization.",
    )
    add_options(command)
    command = commands.add_parser(
        "cat",
        help="send lines and print messages",
        description="Sends each line of standard input as a text message, and prints each message that comes. At the "
        "end of the input it waits for answers and closes. The exit code is 0 if that was clean.",
    )
    add_options(command)
    command.add_argument(
        "--wait", type=float, default=1, metavar="SECONDS", help="close when nothing comes for so long (default: 1)"
    )
    given = parser.parse_args(arguments)
    config: wspeer.ConfigArgs = {"connect_timeout_ms": max(1, round(given.timeout * 1000)), "insecure": given.insecure}
    if given.proxy:
        config["proxy"] = given.proxy
    if given.server_name:
        config["server_name"] = given.server_name
    if given.subprotocol:
        config["subprotocols"] = given.subprotocol
    if given.header:
        config["headers"] = given.header
    try:
        if given.ca:
            config["ca_pem"] = given.ca.read_text()
        return cat(given.url, config, given.wait) if given.command == "cat" else diagnose(given.url, config)
    except (wspeer.Error, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
