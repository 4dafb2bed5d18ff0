"""What the players of a cluster must hear, computed from what they said, and the players that say it."""

import json
import time

import wspeer
from player import OUTBOX, Came, Ended, Gap, Link, Player, Said, Went


class Wrong(Exception):
    """A player has heard or seen what it must not."""


class Log:
    """All messages that anybody has heard: by room and offset, the sender and the number of the message."""

    def __init__(self):
        self.rooms = {}
        self.latencies = []

    def add(self, said):
        entry = (said.sender, said.number)
        known = self.rooms.setdefault(said.room, {}).setdefault(said.offset, entry)
        if known != entry:
            raise Wrong(f"offset {said.offset} of {said.room} is {known} to one and {entry} to another")


class Actor:
    """A player and what it has heard. It says `rate` messages in each of its frames, in its rooms in turn."""

    def __init__(self, url, name, rooms, log, **config):
        self.player = Player(url, name, retry_min_ms=100, retry_max_ms=500, **config)
        self.id, self.log, self.rate = self.player.id, log, 0.0
        self.budget = 0.0
        self.joined = list(rooms)
        self.heard = {room: [] for room in rooms}
        self.last = {room: {} for room in rooms}
        self.gaps = {room: [] for room in rooms}
        self.said = {room: [] for room in rooms}
        # Who is in the room, as this player sees it; who left it, and when.
        self.seen = {room: set() for room in rooms}
        self.went = []
        self.nodes, self.lost = [], 0
        # How long the player was without a node, at most.
        self.lost_at, self.absent_s = None, 0.0
        # The offsets between which it hears all of a room.
        self.start, self.end = dict.fromkeys(rooms), {}
        for room in rooms:
            self.player.join(room)

    def join(self, room):
        """Joins a room in which it never was."""
        self.joined.append(room)
        self.start[room] = None
        self.heard[room], self.last[room], self.gaps[room], self.said[room] = [], {}, [], []
        self.seen[room] = set()
        self.player.join(room)

    def leave(self, room):
        self.joined.remove(room)
        self.end[room] = self.player.rooms[room].at or 0
        self.player.leave(room)

    def begin_anew(self, log):
        """The store is lost, and the model begins with the next one."""
        self.log = log
        for room in self.joined:
            self.heard[room], self.gaps[room], self.said[room] = [], [], []
            self.start[room] = 0

    @property
    def full(self):
        return len(self.player.outbox) >= OUTBOX

    def say(self, room):
        # What it says before it has joined, it may not hear.
        if self.start[room] is not None and self.player.say(room, json.dumps([time.monotonic(), "x" * 40])):
            self.said[room].append(self.player._said)

    def step(self):
        self.budget += self.rate
        while self.budget >= 1:
            self.budget -= 1
            self.say(self.joined[self.player._said % len(self.joined)])
        for happened in self.player.step():
            self.take(happened)

    def take(self, happened):
        if isinstance(happened, Said):
            self.hear(happened)
        elif isinstance(happened, Came):
            self.seen[happened.room].add(happened.player)
            if happened.player == self.id and self.start[happened.room] is None:
                # Messages of the same frame may be behind it: the model only expects those from the first one heard.
                self.start[happened.room] = self.player.rooms[happened.room].at
        elif isinstance(happened, Went):
            self.seen[happened.room].discard(happened.player)
            self.went.append((happened.room, happened.player, time.monotonic()))
        elif isinstance(happened, Gap):
            self.gaps[happened.room].append((happened.after, happened.upto))
        elif isinstance(happened, Ended):
            raise Wrong(f"{self.id} was ended: {happened.text}")
        elif isinstance(happened, Link) and happened.node:
            self.nodes.append(happened.node)
            if self.lost_at is not None:
                self.absent_s = max(self.absent_s, time.monotonic() - self.lost_at)
                self.lost_at = None
        else:
            self.lost += 1
            if self.lost_at is None:
                self.lost_at = time.monotonic()

    def hear(self, said):
        self.log.add(said)
        heard = self.heard[said.room]
        if heard and said.offset <= heard[-1]:
            raise Wrong(f"{self.id} heard {said.offset} of {said.room} after {heard[-1]}")
        numbers = self.last[said.room]
        if said.number <= numbers.get(said.sender, 0):
            raise Wrong(f"{self.id} heard {said.sender}'s {said.number} after its {numbers[said.sender]}")
        numbers[said.sender] = said.number
        heard.append(said.offset)
        self.log.latencies.append(time.monotonic() - json.loads(said.text)[0])

    def sleep(self):
        """Loses its link, and does not come back before wake()."""
        self.player.peer.hint(wspeer.Hint.SUSPEND)
        self.cut()

    def cut(self):
        self.player.peer.set_sim(wspeer.Sim(up_cut_bytes=1, down_cut_bytes=1))

    def uncut(self):
        self.player.peer.set_sim(None)

    def wake(self):
        self.uncut()
        self.player.peer.hint(wspeer.Hint.RESUME)


def check_said(actor, log, is_gone, gaps):
    """Each of its messages was heard in order and once, by itself at least, but for those of which it was told. If it
    has left the room, others may have missed them: `gaps` are the rooms in which anybody was told of a gap."""
    unstored = {number for number, _, _ in actor.player.outbox}
    for room, numbers in actor.said.items():
        messages = [number for _, (sender, number) in sorted(log.rooms.get(room, {}).items()) if sender == actor.id]
        # The engine may store one twice after it was killed; then nobody heard both.
        stored = list(dict.fromkeys(messages))
        if stored != sorted(stored):
            raise Wrong(f"{actor.id}'s messages in {room} are not in order: {stored}")
        missing = set(numbers) - unstored - set(stored)
        has_left = is_gone or room in actor.end
        if has_left:
            # Nobody may have been there any more for its last words.
            missing = {number for number in missing if number < max(stored, default=0)}
        is_told = room in gaps if has_left else actor.gaps[room]
        if (missing and not is_told) or set(stored) - set(numbers):
            raise Wrong(f"{actor.id} said {len(numbers)} in {room}; nobody heard {sorted(missing)}")


def check_heard(actor, log):
    """It has heard each message behind its start, but for those of which it was told. Returns how many it missed, and
    how many gaps had nothing in them."""
    count = empty = 0
    for room, heard in actor.heard.items():
        start = actor.start[room]
        if start is None:
            continue
        first, last = min([start, *heard[:1]]), actor.end.get(room, float("inf"))
        wanted = {offset for offset in log.rooms.get(room, {}) if first < offset <= last}
        known = {log.rooms[room][offset] for offset in heard}
        missing = {offset for offset in wanted - set(heard) if log.rooms[room][offset] not in known}
        told = {offset for offset in missing if any(after < offset <= upto for after, upto in actor.gaps[room])}
        if missing - told:
            raise Wrong(
                f"{actor.id} has not heard {sorted(missing - told)} of {room}, and was told of {actor.gaps[room]}"
            )
        empty += sum(not any(after < offset <= upto for offset in missing) for after, upto in actor.gaps[room])
        count += len(missing)
    return count, empty
