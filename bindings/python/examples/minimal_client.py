"""The minimal client: connects to a ws:// or wss:// URL, sends "Test packet", prints what it receives, and closes
cleanly on Ctrl-C.
Usage: minimal_client.py URL [SUBPROTOCOL [CA.pem]]"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import wspeer
from wspeer import EventType


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    config: wspeer.ConfigArgs = {}
    if len(sys.argv) > 2 and sys.argv[2]:
        config["subprotocols"] = sys.argv[2]
    if len(sys.argv) > 3:
        config["ca_pem"] = Path(sys.argv[3]).read_text()

    try:
        client = wspeer.connect(sys.argv[1], **config)
    except wspeer.Error as error:
        print(error, file=sys.stderr)
        return 1
    with client:
        stop = lambda *_: client.close(1000, "bye")  # noqa: E731
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        while True:
            client.poll()
            for event in client.events():
                if event.type == EventType.OPEN:
                    print("Connected", flush=True)
                    client.send("Test packet")
                elif event.type == EventType.MESSAGE and event.is_text:
                    print(f"< Got text data from server: {event.text}", flush=True)
                elif event.type == EventType.MESSAGE:
                    print(f"< Got binary data from server: {len(event.data)} bytes", flush=True)
                elif event.type == EventType.CLOSED:
                    print(f"Closed with code {event.code}: {event.text}", flush=True)
                    return 0 if event.clean else 1
            client.wait(0.016)  # a game would draw its frame here


if __name__ == "__main__":
    sys.exit(main())
