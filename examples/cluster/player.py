"""A player of the cluster, polled from a frame loop. It survives the loss of its link and of its node: it keeps what it
has said until that is stored, and knows the last offset that it has of each room."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import secrets
import time
from collections import deque
from typing import Any, Union

import wspeer
from wspeer import EventType

# Messages that were said and are not stored yet.
OUTBOX = 64
BUSY_S = 0.2
# Senders of a room whose last message is remembered.
SENDERS = 1000


@dataclasses.dataclass
class Said:
    """A message in a room. `number` counts those of its sender."""

    room: str
    sender: str
    number: int
    text: str
    offset: int


@dataclasses.dataclass
class Came:
    """A player is in the room; for the own player, the room was joined."""

    room: str
    player: str


@dataclasses.dataclass
class Went:
    """A player has left the room."""

    room: str
    player: str


@dataclasses.dataclass
class Gap:
    """Messages of the room with offsets above `after`, up to and with `upto`, are gone. If the cluster has a new store,
    `upto` is -1: offsets begin anew."""

    room: str
    after: int
    upto: int


@dataclasses.dataclass
class Link:
    """`node` is where the player is connected now, or "" when the link was lost, for the reason in `text`."""

    node: str
    text: str


@dataclasses.dataclass
class Ended:
    """The player cannot come back."""

    text: str


Happened = Union[Said, Came, Went, Gap, Link, Ended]


class _Room:
    def __init__(self) -> None:
        # The last offset that this player has; None before the room was joined.
        self.at: int | None = None
        self.is_joined = False
        self.players: set[str] = set()
        # The number of the last message of each sender; of SENDERS of them, those that spoke last.
        self.numbers: dict[str, int] = {}


class Player:
    """`name` is extended by random characters: a program that starts anew is another player."""

    def __init__(self, url: str, name: str, **config: Any) -> None:
        self.id = f"{name}-{secrets.token_hex(4)}"
        self.peer = wspeer.connect(
            url,
            **{
                "reconnect": True,
                "retry_tries": wspeer.OFF,
                "retry_min_ms": 500,
                "retry_max_ms": 5000,
                "heartbeat_ms": 2000,
                **config,
            },
        )
        self.rooms: dict[str, _Room] = {}
        self.outbox: deque[tuple[int, str, str]] = deque()
        self.node = ""
        # Whether hello was sent on this link, and the number of links so far.
        self._is_open = False
        self._link = 0
        self._epoch: str | None = None
        # The number of the last message that was said, and of the last that the node has.
        self._said = 0
        self._sent = 0
        self._busy_until = 0.0
        # How often a node did not accept a message.
        self.refused = 0

    def join(self, room: str) -> None:
        if room not in self.rooms:
            self.rooms[room] = _Room()
            if self._is_open:
                self._send({"t": "join", "room": room, "since": None})

    def leave(self, room: str) -> None:
        if self.rooms.pop(room, None) and self._is_open:
            self._send({"t": "leave", "room": room})

    def say(self, room: str, text: str) -> bool:
        """Says something in a room. Returns False if too much is not stored yet: say it again later."""
        if len(self.outbox) >= OUTBOX:
            return False
        self._said += 1
        self.outbox.append((self._said, room, text))
        return True

    def step(self) -> list[Happened]:
        """Once a frame: polls, and returns what has happened."""
        self.peer.poll()
        happened: list[Happened] = []
        for event in self.peer.events():
            if event.type == EventType.OPEN:
                self._hello()
            elif event.type == EventType.MESSAGE:
                self._take(json.loads(event.text), happened)
            elif event.type == EventType.LOST:
                self.node, self._is_open = "", False
                happened.append(Link("", event.text))
            elif event.type == EventType.CLOSED:
                self.node, self._is_open = "", False
                happened.append(Ended(event.text))
        self._send_outbox()
        return happened

    def close(self) -> None:
        """Says goodbye; step() until Ended. What is in the outbox may not be stored."""
        self.peer.close(1000)

    def _hello(self) -> None:
        self._link += 1
        self._is_open = True
        for room in self.rooms.values():
            room.is_joined = False
        self._send(
            {
                "t": "hello",
                "player": self.id,
                "link": self._link,
                "next": self.outbox[0][0] if self.outbox else self._said + 1,
                "epoch": self._epoch,
                "rooms": {name: room.at for name, room in self.rooms.items()},
            }
        )
        self._sent = self._said - len(self.outbox)

    def _send_outbox(self) -> None:
        waiting = self._said - self._sent
        if self._is_open and waiting and time.monotonic() >= self._busy_until:
            messages = [
                json.dumps({"t": "say", "n": number, "room": room, "text": text})
                for number, room, text in list(self.outbox)[-waiting:]
            ]
            with contextlib.suppress(wspeer.StateError):  # LOST follows
                self._sent += self.peer.send_many(messages)

    def _send(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(wspeer.StateError):  # LOST follows
            self.peer.send(json.dumps(message))

    def _take(self, message: dict[str, Any], happened: list[Happened]) -> None:
        kind = message["t"]
        if kind == "ack":
            while self.outbox and self.outbox[0][0] <= message["n"]:
                self.outbox.popleft()
        elif kind == "busy":
            self._sent = message["n"] - 1
            self._busy_until = time.monotonic() + BUSY_S
            self.refused += 1
        elif kind == "welcome":
            self.node = message["node"]
            happened.append(Link(self.node, ""))
        elif message["room"] in self.rooms:
            self._take_of_room(kind, message["room"], message, happened)

    def _take_of_room(self, kind: str, name: str, message: dict[str, Any], happened: list[Happened]) -> None:
        room = self.rooms[name]
        if kind == "joined":
            if self._epoch not in (None, message["epoch"]):
                self._begin_anew(happened)
            self._epoch = message["epoch"]
            room.at = max(room.at or 0, message["at"])
            room.is_joined = True
            players = set(message["players"])
            happened += [Went(name, player) for player in sorted(room.players - players)]
            happened += [Came(name, player) for player in sorted(players - room.players)]
            room.players = players
        elif not room.is_joined or room.at is None:
            return
        elif kind == "said":
            self._hear(name, room, message, happened)
        elif kind == "gap":
            if message["upto"] > room.at:
                happened.append(Gap(name, room.at, message["upto"]))
                room.at = message["upto"]
        elif kind == "in" and message["player"] not in room.players:
            room.players.add(message["player"])
            happened.append(Came(name, message["player"]))
        elif kind == "out" and message["player"] in room.players:
            room.players.discard(message["player"])
            happened.append(Went(name, message["player"]))

    def _begin_anew(self, happened: list[Happened]) -> None:
        for name, room in self.rooms.items():
            if room.at is not None:
                happened.append(Gap(name, room.at, -1))
                room.at = 0

    def _hear(self, name: str, room: _Room, message: dict[str, Any], happened: list[Happened]) -> None:
        assert room.at is not None
        if message["o"] <= room.at:
            return  # it came before
        if message["prev"] > room.at:
            # One before it did not come: read on from the last that did.
            room.is_joined = False
            self._send({"t": "join", "room": name, "since": room.at})
            return
        room.at = message["o"]
        sender, number = message["from"], message["n"]
        before = room.numbers.pop(sender, 0)
        room.numbers[sender] = max(before, number)
        if len(room.numbers) > SENDERS:
            del room.numbers[next(iter(room.numbers))]
        if number > before:
            # Else it was stored twice: it was sent again after the engine had forgotten its id.
            happened.append(Said(name, sender, number, message["text"], message["o"]))
