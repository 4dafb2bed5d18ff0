"""What can be asked and set while a connection or server lives."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

from wspeer import _library
from wspeer._library import lib
from wspeer.codes import OFF, OnFull
from wspeer.errors import check, whole


class _Number:
    def __init__(self, number: int, text: str) -> None:
        self.number = number
        self.__doc__ = text

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, options: Options, owner: type) -> int:
        return _get(options, self.number)

    def __set__(self, options: Options, value: int) -> None:
        _set(options, self.number, whole(self.name, value, 0, OFF))


class _Flag:
    def __init__(self, number: int, text: str) -> None:
        self.number = number
        self.__doc__ = text

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, options: Options, owner: type) -> bool:
        return bool(_get(options, self.number))

    def __set__(self, options: Options, value: bool) -> None:
        if not isinstance(value, bool):
            raise TypeError(f"{self.name} is {type(value).__name__}: give True or False")
        _set(options, self.number, int(value))


class Options:
    """The options of one connection or server. KindError for one that it does not have."""

    __slots__ = ("_handle",)

    def __init__(self, handle: int) -> None:
        self._handle = handle

    no_delay = _Flag(1, "TCP_NODELAY.")
    heartbeat_ms = _Number(2, "How often the peer is pinged.")
    pong_timeout_ms = _Number(3, "Time without any byte from the peer after which it counts as dead.")
    close_timeout_ms = _Number(4, "How long a close may wait for the peer.")
    poll_budget_us = _Number(5, "How long one poll() may work.")
    max_message_bytes = _Number(6, "The longest message.")
    max_fragments = _Number(7, "The most fragments of one received message.")
    inbound_packets = _Number(8, "Messages that may wait for the host.")
    inbound_bytes = _Number(9, "Bytes of messages that may wait for the host.")
    outbound_packets = _Number(10, "Messages that may wait to be sent.")
    outbound_bytes = _Number(11, "Bytes that may wait to be sent.")
    max_messages_per_s = _Number(12, "Messages a peer may send in a second.")
    max_bytes_per_s = _Number(13, "Bytes of messages a peer may send in a second.")
    coalesce = _Flag(14, "What is sent waits for flush() or the next poll().")
    refuse_new = _Flag(15, "Server: answer every request with 503.")
    max_clients = _Number(16, "Server: clients that may be connected.")
    max_clients_per_address = _Number(17, "Server: clients from one IP address.")
    max_pending_handshakes = _Number(18, "Server: opening handshakes under way at a time.")
    handshake_timeout_ms = _Number(19, "Server: from a client's arrival to its CONNECTED.")
    deflate_threshold_bytes = _Number(22, "Shorter messages are not compressed.")
    max_inflate_ratio = _Number(23, "The most that a message over 1 MiB may have been compressed.")
    transfer_mode = _Number(24, "Multiplayer: Godot's transfer mode, kept and told.")
    transfer_channel = _Number(25, "Multiplayer: Godot's transfer channel, kept and told.")
    auth_timeout_ms = _Number(26, "Multiplayer with auth=True: how long the authentication of a peer may take.")
    max_call_bytes = _Number(27, "Multiplayer with scene=True: the longest remote call.")
    max_call_items = _Number(28, "Multiplayer with scene=True: the most items that the arguments of a remote call may be.")

    @property
    def on_full(self) -> OnFull:
        """Server: what becomes of a target whose queue is full."""
        return OnFull(_get(self, 20))

    @on_full.setter
    def on_full(self, value: OnFull) -> None:
        _set(self, 20, whole("on_full", value, 0, OFF))

    @property
    def port(self) -> int:
        """The local port: which one "ws://127.0.0.1:0" got."""
        return _get(self, 21)


def _get(options: Options, number: int) -> int:
    value = ctypes.c_uint32()
    check(lib.ws_get_option(options._handle, number, value))
    return value.value


def _set(options: Options, number: int, value: int) -> None:
    check(lib.ws_set_option(options._handle, number, value))


class Stats(NamedTuple):
    """Counters since it was opened."""

    connections: int
    """Server: connected clients. Else 1 while OPEN."""
    messages_in: int
    """Messages received."""
    messages_out: int
    """Messages accepted for sending."""
    bytes_in: int
    """Bytes of messages received."""
    bytes_out: int
    """Bytes of messages accepted for sending."""
    wire_bytes_in: int
    """Bytes read from the transport, above TLS."""
    wire_bytes_out: int
    """Bytes written to the transport, above TLS."""
    queued_packets_in: int
    """Messages that wait for the host."""
    queued_bytes_in: int
    """Their bytes."""
    queued_packets_out: int
    """Messages that wait to be sent."""
    queued_bytes_out: int
    """Bytes that wait to be sent, frames and TLS included."""
    skipped: int
    """Messages not taken by a full queue of one of several targets."""
    inbound_stalls: int
    """How often reading stopped because the host's queue was full."""
    rtt_us: int
    """The last round-trip time of a ping, in microseconds; 0: none measured."""
    last_poll_us: int
    """Duration of the last poll(), in microseconds."""
    longest_poll_us: int
    """Duration of the longest poll(), in microseconds."""
    accepted: int
    """Server: clients accepted since it was opened."""
    refused: int
    """Server: clients whose opening handshake failed or was refused."""
    pending_handshakes: int
    """Server: opening handshakes under way."""
    compressed_in: int
    """Messages that came compressed."""
    compressed_out: int
    """Messages that were compressed."""
    deflate_memory_bytes: int
    """Memory of the contexts of compressors and decompressors, in bytes."""
    kept_bytes: int
    """Memory kept for peers beside the queues, in bytes: messages that have not come whole, texts of events, path numbers and news of a scene."""

    @classmethod
    def of(cls, handle: int) -> Stats:
        """Those of a handle."""
        stats = _library.Stats()
        check(lib.ws_get_stats(handle, stats, ctypes.sizeof(stats)))
        return cls(*(getattr(stats, name) for name in cls._fields))
