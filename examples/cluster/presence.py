"""Who is in which room, across all nodes. No I/O and no clock: times are passed in.

Each node announces the players that are connected to it. A player counts its links, so when two nodes know it, the
higher link is the newer one, and no machine's clock decides. A player whose link or node was lost stays in its rooms
for `gone_s`, so that one who comes back at another node is not seen leaving.

That time is measured by this node's own announcements that come back through the engine: while the engine is silent
nobody expires, because a silent node is then no dead one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, Callable

HERE, AWAY, LEFT = "here", "away", "left"


@dataclasses.dataclass
class Record:
    """What is known of a player."""

    link: int
    node: str
    state: str
    rooms: frozenset[str]
    # AWAY and LEFT: when the record is removed. LEFT records outlive late announcements of the same link.
    until: float = 0.0


class Presence:
    """The records of one node. `changed(room, player, is_in)` is called for every change of a room, and
    `moved(player, link)` when a player of this node has a newer link elsewhere."""

    def __init__(
        self,
        node: str,
        gone_s: float,
        beat_s: float,
        changed: Callable[[str, str, bool], None],
        moved: Callable[[str, int], None],
    ) -> None:
        self.node, self.gone_s, self.beat_s = node, gone_s, beat_s
        self.changed, self.moved = changed, moved
        self.records: dict[str, Record] = {}
        self.rooms: dict[str, set[str]] = {}
        # Seconds during which the engine has brought back this node's announcements.
        self.time = 0.0
        self._echoed: float | None = None
        # Of each other node: the number of its last announcement, -1 if one was missed, and when it came.
        self._heard: dict[str, tuple[int, float]] = {}
        self._number = 0
        self._changes: dict[str, list[Any]] = {}

    def is_newer(self, player: str, link: int) -> bool:
        """Whether this link of the player is newer than all that are known."""
        record = self.records.get(player)
        return record is None or link > record.link

    def here(self, player: str, link: int, rooms: Iterable[str]) -> None:
        """A player of this node is in these rooms."""
        self._announce(player, Record(link, self.node, HERE, frozenset(rooms)))

    def lost(self, player: str, link: int) -> None:
        """The link of a player of this node was lost."""
        record = self.records.get(player)
        if record and record.link == link:
            self._announce(player, Record(link, self.node, AWAY, record.rooms, self.time + self.gone_s))

    def left(self, player: str, link: int) -> None:
        """A player of this node has said goodbye."""
        record = self.records.get(player)
        if record and record.link == link:
            self._announce(player, Record(link, self.node, LEFT, frozenset(), self.time + 2 * self.gone_s))

    @property
    def has_changes(self) -> bool:
        return bool(self._changes)

    def announcement(self) -> dict[str, Any]:
        """What to send to all nodes now: the changes since the last one. Without changes it is a heartbeat."""
        self._number += 1
        message = {"node": self.node, "number": self._number, "changes": list(self._changes.values())}
        self._changes = {}
        return message

    def snapshot(self) -> dict[str, Any]:
        """All that this node has to say, for nodes that missed something."""
        known = [
            self._row(player, record)
            for player, record in self.records.items()
            if record.node == self.node or record.state != HERE
        ]
        # Changes that wait for the next announcement are in it, and will be said twice.
        return {"node": self.node, "number": self._number, "all": known}

    def receive(self, message: dict[str, Any], now: float) -> str | None:
        """Takes an announcement or a snapshot. Returns a node that has to be asked for its snapshot."""
        node, number = message["node"], message["number"]
        if node == self.node:
            if self._echoed is not None:
                self.time += min(now - self._echoed, 2 * self.beat_s)
            self._echoed = now
            return None
        before, _ = self._heard.get(node, (-1, 0.0))
        rows = message.get("all")
        if rows is None:
            complete = before >= 0 and number == before + 1
            self._heard[node] = (number if complete else -1, self.time)
            for row in message["changes"]:
                self._take(node, row)
            return None if complete else node
        self._heard[node] = (number, self.time)
        for row in rows:
            self._take(node, row)
        listed = {row[0] for row in rows}
        for player, record in list(self.records.items()):
            if record.node == node and record.state == HERE and player not in listed:
                self._set(player, dataclasses.replace(record, state=AWAY, until=self.time + self.gone_s))
        return None

    def tick(self) -> None:
        """Removes who has been away for too long, and the players of nodes that are silent."""
        silent = [node for node, (_, heard) in self._heard.items() if self.time - heard > self.gone_s]
        for node in silent:
            del self._heard[node]
        for player, record in list(self.records.items()):
            over = record.until < self.time if record.state != HERE else record.node in silent
            if over:
                self._set(player, None)

    def _announce(self, player: str, record: Record) -> None:
        self._set(player, record)
        self._changes[player] = self._row(player, record)

    def _row(self, player: str, record: Record) -> list[Any]:
        left_s = 0.0 if record.state == HERE else round(record.until - self.time, 3)
        return [player, record.link, record.node, record.state, sorted(record.rooms), left_s]

    def _take(self, sender: str, row: list[Any]) -> None:
        player, link, node, state, rooms, left_s = row
        known = self.records.get(player)
        if known and (link < known.link or (link == known.link and not sender == node == known.node)):
            return
        if known and known.node == self.node and known.state == HERE:
            self.moved(player, known.link)
        self._set(player, Record(link, node, state, frozenset(rooms), self.time + left_s))

    def _set(self, player: str, record: Record | None) -> None:
        known = self.records.get(player)
        before = known.rooms if known else frozenset()
        after = record.rooms if record else frozenset()
        if record:
            self.records[player] = record
        else:
            del self.records[player]
        for room in before - after:
            self.rooms[room].discard(player)
            if not self.rooms[room]:
                del self.rooms[room]
            self.changed(room, player, False)
        for room in after - before:
            self.rooms.setdefault(room, set()).add(player)
            self.changed(room, player, True)
