"""What can be asked and set while a connection or server lives.

Generated from include/wspeer.h and src/options.toml by `make generate`: do not edit.
"""

from __future__ import annotations

import ctypes
from typing import NamedTuple

from wspeer import _declared
from wspeer._descriptors import Flag, Number, OptionsBase, Policy, ReadOnly
from wspeer._library import lib
from wspeer.errors import check


class Options(OptionsBase):
    """The options of one connection or server. KindError for one that it does not have."""

    __slots__ = ()

    no_delay = Flag(
        1,
        "False leaves Nagle's algorithm on (default: True, small messages leave at once).",
    )
    heartbeat_ms = Number(
        2,
        "How often the peer is pinged, which measures the round-trip time too, in milliseconds (default: servers' clients 20000, clients OFF).",
    )
    pong_timeout_ms = Number(
        3,
        "Time without any byte from the peer after which it counts as dead, once pinged, in milliseconds; at least heartbeat_ms (default: 3 x heartbeat_ms). A "
        "ping has at least a second to be answered, or heartbeat_ms if that is less.",
    )
    close_timeout_ms = Number(
        4,
        "How long a close may wait for the peer, and for what was accepted to leave, counted from the last progress, in milliseconds; never OFF (default: "
        "3000).",
    )
    poll_budget_us = Number(
        5,
        "How long one poll() may work, in microseconds (default: 1000).",
    )
    max_message_bytes = Number(
        6,
        "The longest message taken from the peer and from the host, in bytes (default: 16777216).",
    )
    max_fragments = Number(
        7,
        "The most fragments of one received message (default: 131072).",
    )
    inbound_packets = Number(
        8,
        "Messages and AUTH events that may wait for the host; at more, reading stops and TCP slows the peer (default: 4096).",
    )
    inbound_bytes = Number(
        9,
        "Bytes of messages and of AUTH events that may wait for the host (default: 4194304).",
    )
    outbound_packets = Number(
        10,
        "Messages that may wait to be sent (default: 4096).",
    )
    outbound_bytes = Number(
        11,
        "Bytes that may wait to be sent (default: 4194304).",
    )
    max_messages_per_s = Number(
        12,
        "Messages a peer may send in a second before it is closed with 1008; those behind are dropped (default: OFF).",
    )
    max_bytes_per_s = Number(
        13,
        "Bytes of messages a peer may send in a second before it is closed with 1008; messages behind are dropped (default: OFF).",
    )
    coalesce = Flag(
        14,
        "The flag coalesce: 0 or 1.",
    )
    refuse_new = Flag(
        15,
        "Server: the flag refuse_new: 0 or 1.",
    )
    max_clients = Number(
        16,
        "Server: clients that may be connected; one that has ended counts until its messages were read; more are answered with 503 (default: 4096).",
    )
    max_clients_per_address = Number(
        17,
        "Server: clients from one IP address, counted as for max_clients; more are answered with 503 (default: OFF, as behind a proxy all clients share one).",
    )
    max_pending_handshakes = Number(
        18,
        "Server: opening handshakes under way at a time; more wait in the system's queue (default: 256).",
    )
    handshake_timeout_ms = Number(
        19,
        "Server: from a client's arrival to its CONNECTED, TLS included, in milliseconds (default: 3000).",
    )
    on_full = Policy(
        20,
        "Server, host: one of OnFull (default: OnFull.SKIP; of a host OnFull.DISCONNECT, as a game cannot do without a packet).",
    )
    port = ReadOnly(
        21,
        'The local port, to read only: which one "ws://127.0.0.1:0" got.',
    )
    deflate_threshold_bytes = Number(
        22,
        "With deflate: shorter messages are not compressed, in bytes; OFF: none is (default: 64).",
    )
    max_inflate_ratio = Number(
        23,
        "The most that a message over 1 MiB may have been compressed, in bytes for a byte; at more the connection is closed with 1008 (default: 256). What is "
        "sent keeps to half of it.",
    )
    transfer_mode = Number(
        24,
        "Host, join: Godot's transfer mode, 0 (unreliable), 1 (unreliable ordered) or 2 (reliable; default). Kept and told; every packet is reliable and "
        "ordered.",
    )
    transfer_channel = Number(
        25,
        "Host, join: Godot's transfer channel (default 0). Kept and told; every packet travels on the one connection.",
    )
    auth_timeout_ms = Number(
        26,
        "Host, join with auth: how long the authentication of a peer may take, in milliseconds; OFF: without end (default: 3000). For those who come later.",
    )
    max_call_bytes = Number(
        27,
        "With scene: the longest remote call, its arguments included, in bytes (default: 1048576). Who sends a longer one is closed with 1002; a join drops "
        "one that was passed on, and reports it by ERROR. A put of one is Result.ERR_TOO_BIG.",
    )
    max_call_items = Number(
        28,
        "With scene: the most items that the arguments of a remote call may be, as decode_call() counts them (default: 65536). At more, as max_call_bytes.",
    )


class Stats(NamedTuple):
    """Counters since it was opened. A server: the sum over its clients, past ones included."""

    connections: int
    """Server: connected clients. Else 1 while OPEN."""
    messages_in: int
    """Messages received. With auth those of a peer count once it is admitted."""
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
    """Messages that wait for the host, and AUTH events. Messages of a peer that is not admitted (auth) count for
    kept_bytes instead."""
    queued_bytes_in: int
    """Their bytes."""
    queued_packets_out: int
    """Messages that wait to be sent: the operating system has not taken them whole."""
    queued_bytes_out: int
    """Bytes that wait to be sent, with the headers of frames. Over wss:// the bytes of a TLS record wait until all
    of it was taken."""
    skipped: int
    """Messages not taken by a full queue of one of several targets, and messages that came and were dropped,
    because disconnect() had been called for their sender, because it had sent more in a second than it may, or
    because it ended before it was admitted (auth)."""
    inbound_stalls: int
    """How often reading stopped because the host's queue was full."""
    rtt_us: int
    """The last round-trip time of a ping, in microseconds; 0: none measured."""
    last_poll_us: int
    """Duration of the last poll() of this handle, in microseconds."""
    longest_poll_us: int
    """Duration of the longest poll() of this handle, in microseconds."""
    accepted: int
    """Server: clients accepted since it was opened."""
    refused: int
    """Server: clients whose opening handshake failed or was refused."""
    pending_handshakes: int
    """Server: opening handshakes under way."""
    compressed_in: int
    """Messages that came compressed. They count when those of messages_in do."""
    compressed_out: int
    """Messages that were compressed."""
    deflate_memory_bytes: int
    """Memory of the contexts of compressors and decompressors, in bytes. A server: of all its clients."""
    kept_bytes: int
    """Memory kept for peers beside the queues, in bytes: messages that have not come whole, what was read and not
    looked at, texts of events, path numbers and news of a scene."""

    @classmethod
    def of(cls, handle: int) -> Stats:
        """Those of a handle."""
        stats = _declared.Stats()
        check(lib.ws_get_stats(handle, stats, ctypes.sizeof(stats)))
        return cls(*(getattr(stats, name) for name in cls._fields))
