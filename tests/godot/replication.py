#!/usr/bin/env python3
"""A stock Godot 4 with a MultiplayerSpawner and MultiplayerSynchronizers, and the Python package at the other end: as
join and as host, with the authority on either side. Usage: replication.py"""

import sys
import time

import engine
import wspeer
from engine import LIMIT, ROOT, STOCK, WORK, Engine, check, project
from wspeer import CUSTOM_SCENE, EventType, Value, VariantType

NAME = "replicated"
SPAWNER = "Game/Spawner"
SYNCHRONIZERS = (".:position, .:health spawn change, .:label spawn, .:heading always", ".:hat change")
OF_LONE = (".:clock always", ".:score change")
NODES = (EventType.SPAWN, EventType.DESPAWN, EventType.SYNC)


def vector(x, y):
    return Value(VariantType.VECTOR2, (x, y))


def state(position, health, label):
    return {".:position": position, ".:health": health, ".:label": label}


class Side:
    """A host or a join in Python."""

    def __init__(self, peer):
        self.peer = peer
        self.id = 1

    def declare(self, spawner, lone):
        """Returns the number of the synchronizer, 0 if another is its authority."""
        self.peer.declare_scene("/root/Game/Spawner", spawner, 0, SYNCHRONIZERS)
        self.peer.declare_scene(SPAWNER, spawner, CUSTOM_SCENE, "; ".join(SYNCHRONIZERS))
        return self.peer.declare_synchronizer("Game/Lone", lone, OF_LONE)

    def events(self, seconds=20):
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            self.peer.poll()
            for event in self.peer.events(limit=1):
                if event.type == EventType.ERROR:
                    print(f"# ERROR: {event.text}")
                yield event
            wspeer.wait([self.peer], 0.002)

    def event_of(self, kind):
        return next((event for event in self.events() if event.type == kind), None)

    def opened(self):
        self.id = self.event_of(EventType.OPEN).peer_id

    def comes(self, what, kind, sender, **wanted):
        """Waits for a node with these fields. SYNCs before it are skipped, as properties with "always" come all the
        time. Returns the number of the node."""
        seen = []
        for event in self.events():
            for node in event.nodes if event.type in NODES else ():
                fits = all(getattr(node, name) == value for name, value in wanted.items())
                if fits and event.type == kind and event.peer_id == sender:
                    check(True, what)
                    return node.node
                if event.type != EventType.SYNC:
                    seen.append(node)
        check(False, what, f"{wanted} never came, but {seen}")
        return 0

    def say(self, words, to):
        self.peer.send(words.encode(), to=to)

    def lead(self, to, spawner, lone):
        """Tells a stock peer who the authority is."""
        self.say(f"authority {spawner} {lone}", to)
        event = self.event_of(EventType.MESSAGE)
        check(event and event.data == b"done", "the stock peer knows the authority")


def godot(*words):
    return Engine(WORK / NAME, "--script", "scene.gd", "--", *words)


def says(one, side, line, after=0):
    """Whether the engine prints this line, while this side is polled."""
    limit = time.monotonic() + LIMIT / 2
    while time.monotonic() < limit and not one.ended:
        if line in one.lines[after:]:
            return True
        side.peer.poll()
        wspeer.wait([side.peer], 0.002)
    print(f"# never said {line!r}:", *one.lines[-40:], sep="\n#   ")
    return False


def watch(side, other):
    """The stock peer `other` is the authority."""

    def comes(what, kind, **wanted):
        return side.comes(what, kind, other, **wanted)

    def synchronized(what, properties, node):
        comes(what, EventType.SYNC, node=node, path=SPAWNER, scene=0, properties=properties)

    side.say("spawn A 5", other)
    first = state(vector(1, 2), 5, "of A")
    a = comes(
        "what Godot spawns is reported", EventType.SPAWN, path=SPAWNER, name="A", scene=0, data=None, properties=first
    )
    synchronized("what Godot synchronizes all the time is reported", {".:position": vector(1, 2), ".:heading": 0.0}, a)
    side.say("set A position Vector2(7, 8)", other)
    synchronized("a new position arrives", {".:position": vector(7, 8), ".:heading": 0.0}, a)
    side.say("set A health 9", other)
    synchronized("what has changed arrives", {".:health": 9}, a)
    side.say('set A hat [1, "b"]', other)
    synchronized("an Array of another synchronizer too", {".:hat": [1, "b"]}, a)
    side.say('make {"of":[5]}', other)
    made = state(vector(0, 0), 0, 'made of { "of": [5] }')
    custom = comes(
        "a custom spawn is reported with its data",
        EventType.SPAWN,
        name="Thing",
        scene=CUSTOM_SCENE,
        data={"of": [5]},
        properties=made,
    )
    check(custom not in (0, a), "it has a number of its own")
    side.say("game score 3", other)
    comes("a synchronizer by path is reported", EventType.SYNC, path="Game/Lone", scene=None, properties={".:score": 3})
    side.say("game clock 77", other)
    comes('its property with "always" too', EventType.SYNC, path="Game/Lone", properties={".:clock": 77})
    side.say(f"hide A {side.id}", other)
    comes("what is hidden is despawned", EventType.DESPAWN, node=a, path=SPAWNER)
    side.say(f"show A {side.id}", other)
    again = comes(
        "what is shown again is spawned", EventType.SPAWN, name="A", properties=state(vector(7, 8), 9, "of A")
    )
    side.say("free A", other)
    comes("what Godot frees is despawned", EventType.DESPAWN, node=again)


def lead(side, one, its, lone):
    """This side is the authority, and the engine `one` has the id `its`."""

    def has(what, line, after=0):
        check(says(one, side, line, after), what)

    peer = side.peer
    b = peer.spawn(SPAWNER, 0, "B", state(vector(1, 2), 5, "of B") | {".:heading": 0.5, ".:hat": [4]})
    has("what Python spawns is in Godot", "spawned B (1.0, 2.0) 5 of B")
    has("with a property that only changes", "state B (1.0, 2.0) 5 of B 0.0 [4]")
    peer.sync(b, {".:position": vector(3, 4)})
    has("Python moves it", "state B (3.0, 4.0) 5 of B 0.5 [4]")
    peer.sync(b, {".:health": 4, ".:hat": [1, "x"]})
    has("Python changes two of its properties", 'state B (3.0, 4.0) 4 of B 0.5 [1, "x"]')
    custom = peer.spawn(SPAWNER, CUSTOM_SCENE, "C", state(vector(0, 0), 1, "given"), data=[12, None])
    has("Godot's spawn function makes a node of Python's data", "spawned C (0.0, 0.0) 1 given")
    peer.sync(lone, {".:clock": 55, ".:score": 6})
    limit = time.monotonic() + LIMIT / 2
    while "game 55 6" not in one.lines and time.monotonic() < limit and not one.ended:
        # Before the engine has confirmed the path, nothing of it is sent.
        peer.sync(lone, {".:clock": 55})
        peer.poll()
        wspeer.wait([peer], 0.002)
    has("a synchronizer by path", "game 55 6")
    after = len(one.lines)
    peer.set_visible(b, False)
    has("what is hidden from all is despawned", "despawned B", after)
    peer.set_visible(b, True, its)
    has("what is shown to one is spawned again", "spawned B (3.0, 4.0) 4 of B", after)
    after = len(one.lines)
    peer.despawn(b)
    peer.despawn(custom)
    has("what Python despawns is gone", "despawned B", after)
    has("and what it has made with data", "despawned C", after)
    check("ERROR" not in one.text(), "Godot printed no error", one.text())


def in_a_game_of_godot():
    server = godot("host")
    url = f"ws://127.0.0.1:{server.wait('listening ([0-9]+)').group(1)}"
    with wspeer.join(url, scene=True) as peer:
        side = Side(peer)
        check(side.declare(1, 1) == 0, "a synchronizer of another has no number here")
        side.opened()
        watch(side, 1)
    with wspeer.join(url, scene=True) as peer:
        side = Side(peer)
        lone = side.declare(0, 0)
        side.opened()
        side.lead(1, side.id, side.id)
        lead(side, server, 1, lone)
        # A stock client that comes later gets it through the stock host.
        node = peer.spawn(SPAWNER, 0, "D", state(vector(1, 2), 8, "late"))
        client = godot("join", url)
        its = side.event_of(EventType.CONNECTED).peer_id
        while its == 1:
            its = side.event_of(EventType.CONNECTED).peer_id
        # It did not know the authority when it came, and refused the spawn.
        side.lead(its, side.id, side.id)
        peer.set_visible(node, False)
        peer.set_visible(node, True)
        check(says(client, side, "spawned D (1.0, 2.0) 8 late"), "a stock client has it through a stock host")
        peer.sync(node, {".:position": vector(6, 4), ".:heading": 1.0})
        check(says(client, side, "state D (6.0, 4.0) 8 late 1.0 []"), "and where it has moved")
        side.say("quit", 1)
        check(server.finish() == 0 and client.finish() == 0, "the game ends")


def with_godot_in_our_game():
    with wspeer.host("ws://127.0.0.1:0", scene=True) as peer:
        side = Side(peer)
        lone = side.declare(1, 1)
        peer.spawn(SPAWNER, 0, "E", state(vector(2, 2), 3, "early"))
        client = godot("join", peer.url)
        its = side.event_of(EventType.CONNECTED).peer_id
        check(says(client, side, "spawned E (2.0, 2.0) 3 early"), "a stock client that comes later gets what is there")
        lead(side, client, its, lone)
    check(client.wait("over") and client.finish() == 0, "the host in Python ends the game")
    with wspeer.host("ws://127.0.0.1:0", scene=True) as peer:
        side = Side(peer)
        client = godot("join", peer.url)
        its = side.event_of(EventType.CONNECTED).peer_id
        side.declare(its, its)
        side.lead(its, its, its)
        watch(side, its)
    check(client.wait("over") and client.finish() == 0, "the host in Python ends the game")


def main():
    project(ROOT / "tests" / "godot" / "replicated4", NAME, STOCK)
    for name, game in (("a join", in_a_game_of_godot), ("a host", with_godot_in_our_game)):
        print(f"# Python is {name}", flush=True)
        game()
    return engine.end()


if __name__ == "__main__":
    sys.exit(main())
