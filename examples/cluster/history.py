"""The last messages of one room, as a node keeps them in memory. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

# The offset of a message, the offset of the one before it in its room, and the message.
Entry = tuple[int, int, bytes]


class History:
    """The messages of a room with offsets above `floor`, up to and with `seen`. Older ones have been trimmed."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.floor = 0
        self.seen = 0
        self.entries: deque[Entry] = deque()

    @property
    def last(self) -> int:
        """The offset of the last message. It is less than `seen` when other rooms have had messages since."""
        return self.entries[-1][0] if self.entries else self.floor

    def add(self, offset: int, previous: int, body: bytes) -> bool:
        """Adds the next message. Returns False if one before it is missing: read all behind `seen` from the engine."""
        if previous > self.last:
            self.seen = self.last
            return False
        if offset > self.last:
            self.entries.append((offset, previous, body))
            self.seen = max(self.seen, offset)
            if len(self.entries) > self.limit:
                self.floor = self.entries.popleft()[0]
        return True

    def extend(self, floor: int, read: Iterable[tuple[int, bytes]], upto: int) -> None:
        """Adds what was read from the engine behind `seen`: all messages above `floor`, and at least up to `upto`."""
        if floor > self.seen:
            # What lies between was trimmed before it was read.
            self.entries.clear()
            self.floor = floor
        for offset, body in read:
            self.add(offset, self.last, body)
        self.seen = max(self.seen, self.last, upto)

    def after(self, offset: int) -> tuple[int, list[Entry]]:
        """The messages that follow `offset`, and the offset up to which some before them are missing (or 0)."""
        gap = self.floor if offset < self.floor else 0
        return gap, [entry for entry in self.entries if entry[0] > offset]
