"""The minimal server: sends every message back and prints who connects and disconnects.
Usage: echo_server.py [PORT [CERT.pem KEY.pem]]     port 0 takes any free one"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections import deque
from pathlib import Path

import wspeer
from wspeer import EventType

# Events of clients with a full queue that were taken but not answered.
taken: dict[wspeer.Peer, deque[wspeer.Event]] = {}


def serve(client: wspeer.Peer) -> None:
    """Serves one client through its own object. While a reply does not fit its queue, the client is not read: its
    sending slows down, the other clients are not affected, and nothing is lost."""
    events = taken.pop(client, None) or deque(client.events(limit=64))
    while events:
        event = events[0]
        if event.type == EventType.CONNECTED:
            print(f"+ {client.handle} connected from {client.remote_address}", flush=True)
        elif event.type == EventType.MESSAGE:
            try:
                with contextlib.suppress(wspeer.StateError):  # the client has left
                    client.send(event.message)
            except wspeer.QueueFull:
                taken[client] = events
                return
        elif event.type == EventType.CLOSE_REQUEST:
            print(f"~ {client.handle} asks to close with code {event.code}: {event.text}", flush=True)
        elif event.type == EventType.DISCONNECTED:
            how = "clean" if event.clean else "unclean"
            print(f"- {client.handle} disconnected with code {event.code}, {how}: {event.text}", flush=True)
        events.popleft()


def main() -> int:
    port = sys.argv[1] if len(sys.argv) > 1 else "9080"
    config: wspeer.ConfigArgs = {"deflate": True}  # compress for clients that offer it
    scheme = "ws"
    if len(sys.argv) > 3:
        scheme = "wss"
        config["cert_pem"] = Path(sys.argv[2]).read_text()
        config["key_pem"] = Path(sys.argv[3]).read_text()
    try:
        server = wspeer.listen(f"{scheme}://*:{port}", **config)
    except wspeer.Error as error:
        print(error, file=sys.stderr)
        return 1
    with server:
        signal.signal(signal.SIGINT, lambda *_: server.close())
        signal.signal(signal.SIGTERM, lambda *_: server.close())
        print(f"Listening on {server.url}", flush=True)
        while server.state != wspeer.State.CLOSED:
            server.poll()
            for client in {*taken, *server.waiting()}:
                serve(client)
            server.wait(0.016)  # a game would draw its frame here
    return 0


if __name__ == "__main__":
    sys.exit(main())
