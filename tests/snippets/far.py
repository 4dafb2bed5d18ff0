#!/usr/bin/env python3
"""The remote peer of a snippet, at 127.0.0.1:9080, using the Python package. Each prints what it receives.
Usage: far.py server     greets clients and closes after the first message that it receives
       far.py talkers [PATH]    two clients, one of which says hello; ends when the other has received it
       far.py tokens     a client with a bad token and one with a good one; ends when one is refused and one is in
       far.py scene      a host whose node Game is called, and that spawns a node and has one spawned"""

import sys
import time

import wspeer
from wspeer import EventType

URL = "ws://127.0.0.1:9080"
LIMIT = 20


def server():
    with wspeer.listen(URL) as here:
        while True:
            here.poll()
            for event in here.events():
                if event.type == EventType.CONNECTED:
                    event.peer.send("hello")
                if event.type == EventType.MESSAGE:
                    print(event.text, flush=True)
                    event.peer.close()
            here.wait(0.05)


def talkers(path=""):
    end = time.monotonic() + LIMIT
    heard = False
    with wspeer.connect(URL + path) as one, wspeer.connect(URL + path) as other:
        while not heard and time.monotonic() < end:
            for peer in (one, other):
                peer.poll()
                for event in peer.events():
                    if event.type == EventType.MESSAGE and peer is other:
                        print(event.text, flush=True)
                        heard = event.text == "hello"
            # Repeatedly, because the other may connect later.
            if one.state == other.state == wspeer.State.OPEN:
                one.send("hello")
            other.wait(0.05)
    sys.exit(not heard)


def tokens():
    end = time.monotonic() + LIMIT
    with wspeer.connect(URL + "/?token=bad") as bad, wspeer.connect(URL + "/?token=good") as good:
        while (bad.state != wspeer.State.CLOSED or good.state != wspeer.State.OPEN) and time.monotonic() < end:
            bad.poll()
            good.poll()
            good.wait(0.05)
        last = bad.events()[-1]
        print(last.http_status, last.text, good.state)
        sys.exit(last.http_status != 401 or good.state != wspeer.State.OPEN)


def scene():
    with wspeer.host(URL, scene=True) as here:
        here.declare_node("/root/Game", ["hello", "move", "shoot"])
        here.declare_scene("Game/Spawner", 1, 0, ".:position, .:skin spawn, .:health spawn change")
        here.spawn("Game/Spawner", 0, "Mob", {".:position": None, ".:skin": "red", ".:health": 5})
        while True:
            here.poll()
            for event in here.events():
                if event.type == EventType.MESSAGE and (call := event.call):
                    print(call.method, *call.arguments, flush=True)
                if event.type == EventType.CONNECTED:
                    here.declare_scene("Game/Players", event.peer_id, 0, ".:position")
                if event.type == EventType.DISCONNECTED:
                    here.declare_scene("Game/Players", event.peer_id, 0, None)
                for node in event.nodes:
                    print(event.type.name, node.name, node.properties[".:position"].value, flush=True)
            here.wait(0.05)


if __name__ == "__main__":
    {"server": server, "talkers": talkers, "tokens": tokens, "scene": scene}[sys.argv[1]](*sys.argv[2:])
