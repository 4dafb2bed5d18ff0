#!/usr/bin/env python3
"""One server of the cluster: keeps the connections of its players, and leaves to the engine what all nodes share.
SIGTERM drains it.
Usage: node.py --name NAME [--address ADDRESS:PORT] [--engine URL] [--gone-s SECONDS]

Messages are JSON. A player sends
  hello  player, link, next, epoch, rooms   who it is, how often it has connected, the number of its next message,
                                            and its rooms, each with the last offset that it has (null: from now on)
  join   room, since        leave  room        say  n, room, text
and gets
  welcome  node             ack  n: stored, with all before it       busy  n: not accepted, send it again later
  joined   room, epoch, at, players: messages behind offset `at` follow
  said     room, o, prev, from, n, text: message n of a player, its offset, and the offset of the one before it
  gap      room, after, upto: messages between these offsets were trimmed before this player had them
  in, out  room, player"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import re
import secrets
import signal
import time
from collections import deque
from collections.abc import Coroutine
from typing import Any

import wspeer
from engine import Engine, Read, Unavailable
from history import History
from nats.aio.subscription import Subscription
from presence import Presence
from wspeer import EventType

# The bounds of a node. What does not fit is refused with "busy", or its sender is closed.
MAX_PLAYERS = 2000
MAX_ROOMS_OF_PLAYER = 8
MAX_TEXT = 512
MAX_REQUEST_BYTES = 8192
QUEUE_OF_PLAYER = 32
QUEUE_OF_NODE = 4096
OUTBOUND_BYTES = 1024 * 1024

FRAME_S = 0.01
RETRY_S = 0.2
BEAT_S = 0.5
AUDIT_S = 5.0
HELLO_S = 5.0
DRAIN_MS = 5000
NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


class Bad(Exception):
    """A player has sent what it must not send."""


# What a message that is no request of ours causes.
BAD = (Bad, AttributeError, KeyError, RecursionError, TypeError, ValueError)


@dataclasses.dataclass(eq=False)
class Seat:
    """A connected player that has said hello."""

    peer: wspeer.Peer
    player: str
    link: int
    # The number of the next message that is accepted from it.
    next: int
    rooms: set[str] = dataclasses.field(default_factory=set)
    # Accepted messages that are not stored yet: number, room, and what is stored.
    queue: deque[tuple[int, str, bytes]] = dataclasses.field(default_factory=deque)
    is_storing: bool = False


class Room:
    """A room that has players on this node."""

    def __init__(self, name: str, limit: int) -> None:
        self.name = name
        self.history = History(limit)
        self.seats: set[Seat] = set()
        # Seats that wait until the history was read for the first time, each with its offset.
        self.entering: dict[Seat, int | None] = {}
        self.is_read = False
        # The history is being read, and has to be read once more after that.
        self.is_reading = self.is_stale = False
        self.subscription: Subscription | None = None
        # Live messages that came meanwhile; if some fall out, the history is read once more.
        self.held: deque[tuple[int, int, bytes]] = deque(maxlen=limit)


class Node:
    """The frame loop, and what it does for each event of the players and of the engine."""

    def __init__(self, name: str, address: str, engine: str, gone_s: float) -> None:
        self.name, self.address = name, address
        # A node that was started again is another one.
        self.id = f"{name}.{secrets.token_hex(4)}"
        self.presence = Presence(self.id, gone_s, BEAT_S, self.presence_changed, self.player_moved)
        self.engine = Engine(engine, self.on_live, self.on_presence, self.on_up, self.reread_all)
        # Players that have not said hello, and when they connected; then those that have.
        self.guests: dict[wspeer.Peer, float] = {}
        self.seats: dict[wspeer.Peer, Seat] = {}
        self.players: dict[str, Seat] = {}
        self.rooms: dict[str, Room] = {}
        self.queued = 0
        self.epoch = ""
        self.is_draining = self.is_ended = False
        self.tasks: set[asyncio.Task[None]] = set()
        # A mistake in a task ends the node, and its players go on at another.
        self.failure: BaseException | None = None
        self.server: wspeer.Server

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        await self.engine.open()
        await self.engine.announce({"node": self.id, "ask": None})
        # The others answer at once; until then this node would take players for gone that are not.
        await asyncio.sleep(BEAT_S)
        self.server = self.listen()
        print(f"listening on {self.server.options.port}", flush=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.drain)
        self.start(self.beats())
        self.start(self.audits())
        try:
            await self.frames()
        finally:
            # Without a close frame after a mistake: players take it for a lost link, and come back elsewhere.
            self.server.free()
            self.is_ended = True
            self.seats.clear()
            self.rooms.clear()
            await self.engine.close()
        print("ended", flush=True)

    def listen(self) -> wspeer.Server:
        return wspeer.listen(
            f"ws://{self.address}",
            coalesce=True,  # the messages of a frame leave in one write
            heartbeat_ms=5000,
            max_clients=MAX_PLAYERS,
            max_messages_per_s=200,
            max_message_bytes=OUTBOUND_BYTES,
            outbound_bytes=OUTBOUND_BYTES,
            node=self.name,
        )

    async def frames(self) -> None:
        """The frame loop. It waits for nothing but the next frame; the engine's work runs between frames."""
        while True:
            more = self.server.poll()
            for event in self.server.events():
                if event.type == EventType.CLOSED:
                    return
                self.handle(event)
            if self.failure:
                raise self.failure
            if self.presence.has_changes:
                self.announce()
            await asyncio.sleep(0 if more else FRAME_S)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs something between the frames. It ends by itself, as the engine's client swallows a cancellation now and
        then."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.done)

    def done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception():
            self.failure = task.exception()

    def drain(self) -> None:
        if self.is_draining:
            self.server.close()
            return
        self.is_draining = True
        print("draining", flush=True)
        self.server.drain(DRAIN_MS, 100)

    # Events of the players.

    def handle(self, event: wspeer.Event) -> None:
        if event.type == EventType.MESSAGE:
            try:
                self.request(event)
            except BAD as error:
                self.close(event.peer, 1008, f"bad message: {error}"[:100])
        elif event.type == EventType.CONNECTED:
            self.guests[event.peer] = time.monotonic()
        elif event.type == EventType.SKIPPED and event.conn != self.server.handle:
            # It comes back, and gets what it missed by its offset.
            self.close(event.peer, 1013, "too slow")
        elif event.type == EventType.DISCONNECTED:
            self.disconnected(event)

    def request(self, event: wspeer.Event) -> None:
        if len(event.data) > MAX_REQUEST_BYTES:
            raise Bad("too long")
        message = json.loads(event.text)
        kind, seat = message["t"], self.seats.get(event.peer)
        if (kind == "hello") != (seat is None):
            raise Bad("hello comes first, and once")
        if seat is None:
            self.hello(event.peer, message)
        elif kind == "say":
            self.say(seat, message)
        elif kind == "join":
            self.join(seat, name(message["room"]), offset(message["since"]))
        elif kind == "leave":
            self.leave(seat, message["room"])
        else:
            raise Bad(f"unknown: {kind}")

    def hello(self, peer: wspeer.Peer, message: dict[str, Any]) -> None:
        """A game would check here that the player is the one that it says: by a token, for instance."""
        player, link = name(message["player"]), natural(message["link"])
        rooms = {name(room): offset(since) for room, since in message["rooms"].items()}
        if len(rooms) > MAX_ROOMS_OF_PLAYER:
            raise Bad("too many rooms")
        if not self.presence.is_newer(player, link):
            self.close(peer, 4000, "this player has a newer connection")
            return
        if message["epoch"] not in (None, self.epoch):
            # These are offsets of a store that is gone. The player sees the other epoch in "joined".
            rooms = {room: None if since is None else 0 for room, since in rooms.items()}
        if player in self.players:
            self.player_moved(player, self.players[player].link)
        seat = Seat(peer, player, link, natural(message["next"]))
        self.guests.pop(peer, None)
        self.seats[peer] = self.players[player] = seat
        seat.rooms = set(rooms)
        self.presence.here(player, link, rooms)
        self.send(seat, {"t": "welcome", "node": self.name})
        for room, since in rooms.items():
            self.enter(seat, room, since)

    def say(self, seat: Seat, message: dict[str, Any]) -> None:
        """A game would check here that the player may speak in that room."""
        number, room, text = natural(message["n"]), name(message["room"]), message["text"]
        if not isinstance(text, str) or len(text) > MAX_TEXT:
            raise Bad(f"a text has up to {MAX_TEXT} characters")
        if number != seat.next:
            return  # it follows one that was refused, or was accepted before
        if len(seat.queue) >= QUEUE_OF_PLAYER or self.queued >= QUEUE_OF_NODE:
            self.send(seat, {"t": "busy", "n": number})
            return
        body = json.dumps({"from": seat.player, "n": number, "text": text}).encode()
        seat.next += 1
        seat.queue.append((number, room, body))
        self.queued += 1
        if not seat.is_storing:
            seat.is_storing = True
            self.start(self.store(seat))

    async def store(self, seat: Seat) -> None:
        """Stores the messages of a player one after the other, so that none overtakes another that failed."""
        while seat.queue:
            number, room, body = seat.queue[0]
            is_stored = await self.engine.put(room, f"{seat.player}.{number}", body)
            if self.seats.get(seat.peer) is not seat:
                return
            if not is_stored:
                await asyncio.sleep(RETRY_S)
                continue
            seat.queue.popleft()
            self.queued -= 1
            self.send(seat, {"t": "ack", "n": number})
        seat.is_storing = False

    def disconnected(self, event: wspeer.Event) -> None:
        self.guests.pop(event.peer, None)
        seat = self.seats.pop(event.peer, None)
        if seat is None:
            return
        # The player sends again what was not acknowledged, so nothing is lost with these.
        self.queued -= len(seat.queue)
        seat.queue.clear()
        for room in seat.rooms:
            self.exit(seat, room)
        if self.players.get(seat.player) is seat:
            del self.players[seat.player]
        if event.clean and event.code in (1000, 1001):
            self.presence.left(seat.player, seat.link)
        else:
            self.presence.lost(seat.player, seat.link)

    def send(self, seat: Seat, message: dict[str, Any]) -> None:
        self.put(seat, [json.dumps(message)])

    def put(self, seat: Seat, messages: list[str]) -> None:
        try:
            fitted = seat.peer.send_many(messages) == len(messages)
        except wspeer.StateError:
            return  # it has left; DISCONNECTED follows
        if not fitted:
            self.close(seat.peer, 1013, "too slow")

    def close(self, peer: wspeer.Peer, code: int, reason: str) -> None:
        with contextlib.suppress(wspeer.StateError, wspeer.TargetError):  # it has left
            self.server.disconnect(peer, code, reason)

    # Rooms.

    def join(self, seat: Seat, room: str, since: int | None) -> None:
        """A player joins a room, or has missed something in one that it is in."""
        if room not in seat.rooms:
            if len(seat.rooms) >= MAX_ROOMS_OF_PLAYER:
                raise Bad("too many rooms")
            seat.rooms.add(room)
            self.presence.here(seat.player, seat.link, seat.rooms)
        self.enter(seat, room, since)

    def leave(self, seat: Seat, room: str) -> None:
        if room in seat.rooms:
            seat.rooms.discard(room)
            seat.peer.unsubscribe(room)
            self.exit(seat, room)
            self.presence.here(seat.player, seat.link, seat.rooms)

    def enter(self, seat: Seat, name: str, since: int | None) -> None:
        room = self.rooms.get(name)
        if room is None:
            room = self.rooms[name] = Room(name, self.engine.history)
            self.reread(room)
        room.seats.add(seat)
        room.entering[seat] = since
        if room.is_read:
            self.let_in(room)

    def exit(self, seat: Seat, name: str) -> None:
        room = self.rooms.get(name)
        if room is None:
            return
        room.seats.discard(seat)
        room.entering.pop(seat, None)
        if not room.seats:
            self.forget(room)

    def forget(self, room: Room) -> None:
        del self.rooms[room.name]
        if room.subscription and not room.is_reading:
            self.start(self.engine.unfollow(room.subscription))

    def let_in(self, room: Room) -> None:
        """Sends those who wait what they have missed. From here on they get all that is said in the room."""
        players = sorted(self.presence.rooms.get(room.name, ()))
        for seat, since in room.entering.items():
            at = room.history.seen if since is None else since
            gap, entries = room.history.after(at)
            joined = {"t": "joined", "room": room.name, "epoch": self.epoch, "at": at, "players": players}
            messages = [json.dumps(joined)]
            if gap:
                messages.append(gap_text(room.name, at, gap))
            messages += [said(room.name, *entry) for entry in entries]
            self.put(seat, messages)
            with contextlib.suppress(wspeer.StateError):  # it has left; DISCONNECTED follows
                seat.peer.subscribe(room.name)
        room.entering.clear()

    # Events of the engine.

    def on_live(self, name: str, offset: int, previous: int, body: bytes) -> None:
        room = self.rooms.get(name)
        if room is None:
            return
        if room.is_reading:
            room.held.append((offset, previous, body))
        elif offset > room.history.last:
            if room.history.add(offset, previous, body):
                self.server.publish(name, said(name, offset, previous, body))
            else:
                self.reread(room)

    def on_up(self) -> None:
        """The engine is there, or there again: what it sent meanwhile did not come."""
        if self.epoch and self.epoch != self.engine.epoch:
            print("the engine has a new store", flush=True)
            for seat in self.seats.values():
                self.close(seat.peer, 1012, "the store is new")
            for room in list(self.rooms.values()):
                self.forget(room)
        self.epoch = self.engine.epoch
        self.reread_all()

    def reread_all(self) -> None:
        for room in self.rooms.values():
            self.reread(room)

    def reread(self, room: Room) -> None:
        """Reads what is missing from the store, while live messages wait."""
        if room.is_reading:
            room.is_stale = True
        else:
            room.is_reading = True
            self.start(self.read(room))

    async def read(self, room: Room) -> None:
        while self.rooms.get(room.name) is room:
            room.is_stale = False
            try:
                if room.subscription is None:
                    room.subscription = await self.engine.follow(room.name)
                read = await self.engine.read(room.name, room.history.seen)
            except Unavailable:
                await asyncio.sleep(BEAT_S)
                continue
            self.add_read(room, read)
            if self.take_held(room) and not room.is_stale:
                room.is_read, room.is_reading = True, False
                self.let_in(room)
                return
        if room.subscription:
            await self.engine.unfollow(room.subscription)

    def add_read(self, room: Room, read: Read) -> None:
        last, seen = room.history.last, room.history.seen
        room.history.extend(read.floor, read.messages, read.upto)
        if room.is_read:
            gap, entries = room.history.after(seen)
            if gap:
                self.server.publish(room.name, gap_text(room.name, last, gap))
            for entry in entries:
                self.server.publish(room.name, said(room.name, *entry))

    def take_held(self, room: Room) -> bool:
        """Adds the messages that came while the history was read. Returns False if some are missing."""
        while room.held:
            offset, previous, body = room.held.popleft()
            if offset > room.history.last:
                if not room.history.add(offset, previous, body):
                    return False
                if room.is_read:
                    self.server.publish(room.name, said(room.name, offset, previous, body))
        return True

    async def audits(self) -> None:
        """Compares each room with the store from time to time: the last message before a silence may have been lost on
        the way, and then no next one shows it."""
        while not self.is_ended:
            await asyncio.sleep(AUDIT_S)
            for room in list(self.rooms.values()):
                try:
                    last = await self.engine.last(room.name)
                except Unavailable:
                    break
                await asyncio.sleep(FRAME_S)
                if last > room.history.last and self.rooms.get(room.name) is room:
                    self.reread(room)

    # Presence.

    async def beats(self) -> None:
        while not self.is_ended:
            await asyncio.sleep(BEAT_S)
            self.presence.tick()
            self.announce()
            for peer, since in self.guests.items():
                if time.monotonic() - since > HELLO_S:
                    self.close(peer, 1008, "say hello")

    def announce(self) -> None:
        self.start(self.engine.announce(self.presence.announcement()))

    async def on_presence(self, message: dict[str, Any]) -> None:
        if "ask" in message:
            if message["ask"] in (None, self.id) and message["node"] != self.id:
                await self.engine.announce(self.presence.snapshot())
            return
        missed = self.presence.receive(message, asyncio.get_running_loop().time())
        if missed:
            await self.engine.announce({"node": self.id, "ask": missed})

    def presence_changed(self, room: str, player: str, is_in: bool) -> None:
        if room in self.rooms:
            self.server.publish(room, json.dumps({"t": "in" if is_in else "out", "room": room, "player": player}))

    def player_moved(self, player: str, link: int) -> None:
        seat = self.players.get(player)
        if seat and seat.link == link:
            self.close(seat.peer, 4000, "this player has a newer connection")


def name(value: object) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise Bad("a name has 1 to 40 letters, digits, _ and -")
    return value


def natural(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**53:
        raise Bad("a number is wrong")
    return value


def offset(value: object) -> int | None:
    return None if value is None else natural(value)


def said(room: str, offset: int, previous: int, body: bytes) -> str:
    """Adds what the engine knows to the message, without decoding it."""
    return f'{{"t":"said","room":"{room}","o":{offset},"prev":{previous},{body.decode()[1:]}'


def gap_text(room: str, after: int, upto: int) -> str:
    return json.dumps({"t": "gap", "room": room, "after": after, "upto": upto})


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--address", default="127.0.0.1:0")
    parser.add_argument("--engine", default="nats://127.0.0.1:4222")
    parser.add_argument("--gone-s", type=float, default=5.0)
    arguments = parser.parse_args()
    await Node(arguments.name, arguments.address, arguments.engine, arguments.gone_s).run()


if __name__ == "__main__":
    asyncio.run(main())
