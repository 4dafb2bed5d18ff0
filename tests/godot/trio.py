#!/usr/bin/env python3
"""Peers of three kinds in one game, each as the host in turn: stock Godot, wspeer in C, and wspeer inside Godot. Usage:
trio.py [HOST ...]"""
import base64
import pathlib
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "peers"))

import engine
import harness
from engine import OURS, ROOT, STOCK, Remote, free_port
from harness import Peer, Wrong, case, same

PROGRAM = str(ROOT / "build" / "tests" / "peer_game")
RELAY, AUTH, RAW = bytes([7, 3]), bytes([7, 0]), bytes([3])
# An argument of a remote call in Godot's encoding.
VALUES = [
    "null",
    "true",
    "-5",
    "1.5",
    '"κόσμε"',
    "Vector2(1, 2)",
    "Vector3(1, 2, 3)",
    "Color(1, 0.5, 0, 1)",
    '[1, "two", [3.0]]',
    '{"a": 1, "b": [2]}',
    "PackedByteArray(1, 2, 255)",
    "PackedInt32Array(1, -2)",
    "PackedInt64Array(5)",
    "PackedFloat32Array(0.5)",
    "PackedFloat64Array(0.25)",
    'PackedStringArray("a", "b")',
    "PackedVector2Array(1, 2)",
    "PackedColorArray(1, 0, 0, 1)",
]


class GodotPeer:
    """The scene's multiplayer of an engine."""

    def __init__(self, kind):
        self.kind, self.godot, self.count, self.queue = kind, Remote(kind), 0, []

    def _new(self, call):
        self.count += 1
        name = f"peer{self.count}"
        self.godot(f'make("{name}", "{self.godot.multiplayer_peer}")')
        error = self.godot(f"{name}.{call}")
        if error == 0:
            self.godot(f'play("{name}")')
            self.name = name
        return error

    def host(self):
        while True:
            port = free_port()
            if self._new(f'create_server({port}, "127.0.0.1")') == 0:
                return f"ws://127.0.0.1:{port}"

    def join(self, url):
        same("create_client", self._new(f'create_client("{url}")'), 0)

    @property
    def id(self):
        return self.godot("api.get_unique_id()")

    def reported(self, *wanted):
        """Waits for this signal; others before it are dropped."""
        limit = time.monotonic() + 15
        while time.monotonic() < limit:
            self.queue += self.godot("reported()")
            while self.queue:
                if self.queue.pop(0) == list(wanted):
                    return
            time.sleep(0.005)
        raise Wrong(f"{self.kind} Godot never emitted {wanted}")

    def told_one(self, name):
        """Waits for a signal of this name. Returns its argument."""
        limit = time.monotonic() + 15
        while time.monotonic() < limit:
            self.queue += self.godot("reported()")
            while self.queue:
                reported = self.queue.pop(0)
                if reported[0] == name:
                    return reported[1]
            time.sleep(0.005)
        raise Wrong(f"{self.kind} Godot never emitted {name}")

    def heard(self, *wanted):
        """Waits for these calls, in any order."""
        limit, calls = time.monotonic() + 15, []
        while time.monotonic() < limit and len(calls) < len(wanted):
            calls += self.godot("game.heard()")
            time.sleep(0.005)
        same(f"calls of {self.kind} Godot", sorted(calls), sorted(map(list, wanted)))

    def call(self, target, words):
        same("rpc_id", self.godot(f'game.rpc_id({target}, "hear", "{words}")'), 0)

    def send(self, target, data):
        same(
            "send_bytes",
            self.godot(f'api.send_bytes(str_to_var("PackedByteArray({", ".join(map(str, data))})"), {target})'),
            0,
        )

    def got(self, sender, data):
        self.reported("peer_packet", sender, base64.b64encode(data).decode())

    def connected(self, number):
        self.reported("peer_connected", number)

    def disconnected(self, number):
        self.reported("peer_disconnected", number)

    def joined(self):
        self.reported("connected_to_server")
        return self.id

    def kick(self, number):
        self.godot(f"{self.name}.disconnect_peer({number})")

    def refuse(self, on):
        self.godot(f"api.set_refuse_new_connections({str(on).lower()})")

    def over(self):
        self.reported("server_disconnected")

    def close(self):
        self.godot(f"{self.name}.close()")

    def let_in(self, word):
        self.godot(f'let_in("{word}")')

    def end(self):
        same("exit code", self.godot.close(), 0)


class CPeer:
    """A C program using wspeer, which knows only raw bytes and relays of the scene's protocol."""

    kind = "C"
    id = 1

    def host(self):
        self.peer = Peer([PROGRAM, "host", "ws://127.0.0.1:0"], "game-host")
        return self.peer.event("hosting")["url"]

    def join(self, url, *timeout):
        self.peer = Peer([PROGRAM, "join", url, *timeout], "game-join")

    def joined(self):
        self.id = self.peer.event("open")["id"]
        self._next("connected", 1)
        return self.id

    def _next(self, kind, number, hex=None):
        """Waits for this event; packets and CLOSE_REQUEST before it are dropped."""
        limit = time.monotonic() + 15
        while time.monotonic() < limit:
            event = self.peer.any_event()
            if event["event"] == kind and event["id"] == number and hex in (None, event["hex"]):
                return
            if event["event"] not in ("packet", "close request"):
                raise Wrong(f"C reported {event} instead of {kind} {number}")
        raise Wrong(f"C never reported {kind} {number} {hex}")

    def put(self, target, packet):
        self.peer.tell("put", target=target, hex=packet.hex())

    def send(self, target, data):
        if self.id != 1 and target != 1:
            self.put(1, RELAY + struct.pack("<i", target) + RAW + data)
        else:
            self.put(target, RAW + data)

    def got(self, sender, data):
        if self.id != 1 and sender != 1:
            self._next("packet", 1, (RELAY + struct.pack("<i", sender) + RAW + data).hex())
        else:
            self._next("packet", sender, (RAW + data).hex())

    def connected(self, number):
        if self.id == 1:
            self._next("connected", number)
        else:
            self._next("packet", 1, (bytes([7, 1]) + struct.pack("<i", number)).hex())

    def disconnected(self, number):
        if self.id == 1:
            self._next("disconnected", number)
        else:
            self._next("packet", 1, (bytes([7, 2]) + struct.pack("<i", number)).hex())

    def kick(self, number):
        self.peer.tell("kick", id=number)

    def refuse(self, on):
        self.peer.tell("refuse", on=int(on))

    def over(self):
        self._next("closed", 1)

    def close(self):
        self.peer.tell("close")

    def end(self):
        same("exit code", self.peer.end(), 0)


def play(host, others, third):
    """A game; `third` joins late."""
    name = f"host {host.kind}"
    ids = {}
    with case(f"{name}: all join and learn of each other"):
        url = host.host()
        for index, other in enumerate(others):
            other.join(url)
            ids[other] = other.joined()
            host.connected(ids[other])
            for earlier in others[:index]:
                if host.kind != "C":
                    earlier.connected(ids[other])
                    other.connected(ids[earlier])
    with case(f"{name}: raw bytes from each to the host and back"):
        for other in others:
            other.send(1, b"up " + other.kind.encode())
            host.got(ids[other], b"up " + other.kind.encode())
            host.send(ids[other], b"down")
            other.got(1, b"down")
    with case(f"{name}: raw bytes to all and to all but one"):
        host.send(0, b"all")
        for other in others:
            other.got(1, b"all")
        if host.kind == "C":
            host.send(-ids[others[0]], b"but one")
        else:
            host.send(ids[others[1]], b"but one")
        others[1].got(1, b"but one")
        host.send(ids[others[0]], b"marker")
        others[0].got(1, b"marker")
    if host.kind != "C":
        with case(f"{name}: raw bytes through the host, to one, to all, to all but one"):
            for one, other in (others, others[::-1]):
                one.send(ids[other], b"to one")
                other.got(ids[one], b"to one")
                one.send(0, b"to all")
                other.got(ids[one], b"to all")
                host.got(ids[one], b"to all")
                one.send(-1, b"not the host")
                other.got(ids[one], b"not the host")
        godots = [host, *(other for other in others if other.kind != "C")]
        calls(name, *godots)
    with case(f"{name}: a peer joins late, and one leaves"):
        host.refuse(True)
        third.join(url, "1000")
        same("refused", third.peer.any_event()["event"], "closed")
        third.end()
        host.refuse(False)
        third.join(url)
        late = third.joined()
        host.connected(late)
        third.close()
        host.disconnected(late)
        third.end()
        for other in others:
            if host.kind != "C":
                other.connected(late)
                other.disconnected(late)
    with case(f"{name}: a peer is disconnected, then the host ends the game"):
        host.kick(ids[others[0]])
        others[0].over()
        host.disconnected(ids[others[0]])
        if host.kind != "C":
            others[1].disconnected(ids[others[0]])
        host.close()
        others[1].over()


def with_a_word(host, guest, c):
    """A game with authentication by a word."""
    name = f"host {host.kind}"
    with case(f"{name}: a peer with the right word is admitted"):
        host.let_in("sesame")
        guest.let_in("sesame")
        url = host.host()
        guest.join(url)
        number = guest.joined()
        host.connected(number)
        c.join(url)
        own = c.peer.event("open")["id"]
        c._next("connected", 1)
        c._next("packet", 1, (AUTH + b"sesame").hex())
        c.put(1, AUTH + b"sesame")
        c._next("packet", 1, AUTH.hex())
        c.put(1, AUTH)
        host.connected(own)
        guest.connected(own)
        c.close()
        host.disconnected(own)
        c.end()
        guest.close()
        host.disconnected(number)
    with case(f"{name}: a peer with a wrong word is not admitted"):
        guest.let_in("open")
        guest.join(url)
        guest.reported("peer_authentication_failed", 1)
        failed = host.told_one("peer_authentication_failed")
        if failed == number:
            raise Wrong("an id came again")
        host.close()


def calls(name, host, guest):
    with case(f"{name}: remote calls of each type of argument, before and after the path is confirmed"):
        number = guest.id
        host.call(number, "down")
        guest.heard([1, "down"])
        guest.call(1, "up")
        host.heard([number, "up"])
        host.call(0, "all")
        guest.heard([1, "all"])
        # The caller was called itself too.
        host.heard([1, "all"])
        for one, other, source, target in ((host, guest, 1, number), (guest, host, number, 1)):
            for value in VALUES:
                same("rpc_id", one.godot(f"game.rpc_id({target}, \"take\", str_to_var({engine.quoted(value)}))"), 0)
            other.heard(*([source, one.godot(f"var_to_str(str_to_var({engine.quoted(value)}))")] for value in VALUES))


def main():
    hosts = sys.argv[1:] or [STOCK, OURS, "C"]
    stock, ours = GodotPeer(STOCK), GodotPeer(OURS)
    games = {STOCK: (stock, [ours, CPeer()]), OURS: (ours, [stock, CPeer()]), "C": (CPeer(), [stock, ours])}
    for host in hosts:
        play(*games[host], CPeer())
    # Authentication stays on, so these come last.
    for host, guest in ((stock, ours), (ours, stock)):
        if host.kind in hosts:
            with_a_word(host, guest, CPeer())
    with case("both engines end by themselves"):
        stock.end()
        ours.end()
    return engine.end() or int(harness.failures > 0)


if __name__ == "__main__":
    sys.exit(main())
