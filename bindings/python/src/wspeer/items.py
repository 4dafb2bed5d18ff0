"""The fields of packets and events, unpacked from the library's structs."""

from __future__ import annotations

import builtins
from typing import Any, Union

from wspeer._declared import TYPE_CALL, TYPE_DESPAWN, TYPE_REPLICATION, TYPE_SPAWN, TYPE_SYNC, TYPE_TEXT
from wspeer.codes import Cause, EventType, Phase
from wspeer.errors import ConnectionFailed
from wspeer.godot import Call, Replicated, decode_call, decode_replication

Bytes = Union[bytes, memoryview]


class PacketFields:
    """The fields of a packet."""

    __slots__ = ("_fields", "data")
    _KIND = 2

    def __init__(self, data: Bytes, fields: tuple[Any, ...]) -> None:
        self._fields = fields
        self.data = data
        """The bytes. With lend=True a read-only memoryview, valid until the next read from the same object."""

    @property
    def bytes(self) -> builtins.bytes:
        """The bytes, copied if they are lent."""
        return builtins.bytes(self.data)

    @property
    def is_text(self) -> bool:
        """Whether it is a text message; the library has checked that it is UTF-8."""
        return bool(self._fields[2] == TYPE_TEXT)

    @property
    def peer_id(self) -> int:
        """Multiplayer: the sender of a packet, or the peer that an event is about. Else 0."""
        return int(self._fields[3])

    @property
    def conn(self) -> int:
        """The handle of the connection that received it, or that an event is about."""
        return int(self._fields[4])

    @property
    def user(self) -> int:
        """The connection's value from set_user()."""
        return int(self._fields[6])

    @property
    def text(self) -> str:
        """The bytes as str; invalid UTF-8 in a binary message is replaced."""
        return str(self.data, "utf-8", "replace")

    @property
    def message(self) -> str | Bytes:
        """A str for a text message, else the bytes; can be passed to send()."""
        return str(self.data, "utf-8") if self.is_text else self.data

    @property
    def call(self) -> Call | None:
        """Scene: the remote call, or None. Raises ArgumentError or UnsupportedError if it cannot be decoded."""
        return decode_call(self.data) if self._fields[self._KIND] == TYPE_CALL else None

    @property
    def nodes(self) -> list[Replicated]:
        """Scene, SPAWN, DESPAWN, SYNC: the nodes that it brings. Else []."""
        kind = self._fields[self._KIND]
        return decode_replication(self.data) if kind in (TYPE_SPAWN, TYPE_DESPAWN, TYPE_SYNC) else []

    @property
    def is_replication(self) -> bool:
        """Scene with raw_replication=True: whether it is a packet of Godot's MultiplayerSpawner or
        MultiplayerSynchronizer, as it is on the wire."""
        return bool(self._fields[self._KIND] == TYPE_REPLICATION)

    def __repr__(self) -> str:
        return f"<wspeer.Packet {'text' if self.is_text else 'binary'}, {len(self.data)} bytes, conn {self.conn}>"


class EventFields(PacketFields):
    """The fields of an event."""

    __slots__ = ()
    _KIND = 14

    @property
    def type(self) -> EventType:
        """The type of the event."""
        kind = self._fields[0]
        return _TYPES.get(kind) or EventType(kind)

    @property
    def is_text(self) -> bool:
        """Whether it is a text message."""
        return bool(self._fields[0] == EventType.MESSAGE and self._fields[14] == TYPE_TEXT)

    @property
    def peer_id(self) -> int:
        """Multiplayer: the peer that the event is about; OPEN of a player: its own id. Else 0."""
        return int(self._fields[2])

    @property
    def conn(self) -> int:
        """The handle of the connection that the event is about."""
        return int(self._fields[1])

    @property
    def user(self) -> int:
        """The connection's value from set_user()."""
        return int(self._fields[18])

    @property
    def code(self) -> int:
        """CLOSE_REQUEST, CLOSED, DISCONNECTED, LOST: the close code. Else 0.

        1005: a close frame without one; 1006: no close frame."""
        return int(self._fields[3])

    @property
    def phase(self) -> Phase:
        """CLOSED, DISCONNECTED, LOST, ERROR: the phase in which it happened."""
        return Phase(self._fields[4])

    @property
    def cause(self) -> Cause:
        """CLOSED, DISCONNECTED, LOST, ERROR: the cause."""
        return Cause(self._fields[5])

    @property
    def http_status(self) -> int:
        """The HTTP status of the response to the opening handshake, or 0."""
        return int(self._fields[6])

    @property
    def os_error(self) -> int:
        """The operating system's error number, or 0."""
        return int(self._fields[7])

    @property
    def unsent(self) -> int:
        """CLOSED, DISCONNECTED, LOST: number of messages that were accepted for sending and not sent; with session_ms
        not acknowledged, of which some may have arrived (LOST: 0, as they are kept)."""
        return int(self._fields[8])

    @property
    def clean(self) -> bool:
        """CLOSED, DISCONNECTED, LOST: whether the closing handshake was completed."""
        return bool(self._fields[9])

    @property
    def time_ns(self) -> int:
        """When it happened: nanoseconds of the system's monotonic clock since the library's first call."""
        return int(self._fields[10])

    @property
    def count(self) -> int:
        """SKIPPED, and ERROR with Cause.NO_PEER: number of messages or events. REFUSED: number of clients. RESUMED:
        number of messages that are sent again."""
        return int(self._fields[11])

    def raise_if_failed(self) -> None:
        """Raises ConnectionFailed for a CLOSED or DISCONNECTED that was not clean."""
        if self.type in (EventType.CLOSED, EventType.DISCONNECTED) and not self.clean:
            raise ConnectionFailed(self)

    def __repr__(self) -> str:
        if self.type == EventType.MESSAGE:
            form = "text" if self.is_text else "binary"
            return f"<wspeer.Event MESSAGE, {form}, {len(self.data)} bytes, conn {self.conn}>"
        if self.type in (EventType.AUTH, EventType.SPAWN, EventType.DESPAWN, EventType.SYNC):
            return f"<wspeer.Event {self.type.name}, {len(self.data)} bytes, conn {self.conn}>"
        more = f", code {self.code}, {self.phase.name}, {self.text!r}" if self.data or self.code else ""
        return f"<wspeer.Event {self.type.name}, conn {self.conn}{more}>"


_TYPES = {kind.value: kind for kind in EventType}
