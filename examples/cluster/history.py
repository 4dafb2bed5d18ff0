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

    def add(self, offset: int, previous: int, body: bytes) -> bool:
        """Adds the next message. Returns False if one before it is missing: read them from the engine."""
        if previous > self.seen:
            return False
        if offset > self.seen:
            self.entries.append((offset, previous, body))
            self.seen = offset
            if len(self.entries) > self.limit:
                self.floor = self.entries.popleft()[0]
        return True

    def extend(self, floor: int, read: Iterable[tuple[int, bytes]], upto: int) -> None:
        """Adds what was read from the engine: all messages above `floor`, and at least up to `upto`."""
        if floor > self.seen:
            # What lies between was trimmed before it was read.
            self.entries.clear()
            self.floor = self.seen = floor
        for offset, body in read:
            self.add(offset, self.seen, body)
        self.seen = max(self.seen, upto)

    def after(self, offset: int) -> tuple[int, list[Entry]]:
        """The messages that follow `offset`, and the offset up to which some before them are missing (or 0)."""
        gap = self.floor if offset < self.floor else 0
        return gap, [entry for entry in self.entries if entry[0] > offset]
