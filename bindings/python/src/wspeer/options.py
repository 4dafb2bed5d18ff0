"""Options that can be read and set while a connection or server is open.

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
    """The options of one connection or server. KindError: it does not have that option."""

    __slots__ = ()

    no_delay = Flag(
        1,
        "False leaves Nagle's algorithm on (default: True, small messages are sent at once).",
    )
    heartbeat_ms = Number(
        2,
        "Interval of the pings to the peer, which also measure the round-trip time, in milliseconds (default: servers' "
        "clients 20000, clients OFF; RFC 6455 section 5.5.2).",
    )
    pong_timeout_ms = Number(
        3,
        "Time without any byte from the peer after which an unanswered ping ends the connection, in milliseconds; at "
        "least heartbeat_ms (default: 3 x heartbeat_ms). A ping may be answered for at least a second, or for "
        "heartbeat_ms if that is shorter.",
    )
    close_timeout_ms = Number(
        4,
        "Time limit of a close without progress, in milliseconds; never OFF (default: 3000). Progress is that accepted "
        "messages and the close frame leave; then the peer has this time to answer.",
    )
    poll_budget_us = Number(
        5,
        "Maximum duration of one poll(), in microseconds (default: 1000).",
    )
    max_message_bytes = Number(
        6,
        "Maximum length of a message, received or sent, in bytes (default: 16777216).",
    )
    max_fragments = Number(
        7,
        "Maximum number of fragments of a received message (default: 131072; RFC 6455 section 5.4).",
    )
    inbound_packets = Number(
        8,
        "Maximum number of queued inbound messages and AUTH events (default: 4096). At the limit reading pauses, and "
        "TCP slows down the peer.",
    )
    inbound_bytes = Number(
        9,
        "Maximum bytes of queued inbound messages and AUTH events (default: 4194304). At the limit reading pauses.",
    )
    outbound_packets = Number(
        10,
        "Maximum number of queued outbound messages (default: 4096). At the limit sending fails with Result.ERR_FULL.",
    )
    outbound_bytes = Number(
        11,
        "Maximum bytes of queued output (default: 4194304). At the limit sending fails with Result.ERR_FULL. An empty "
        "queue accepts any message.",
    )
    max_messages_per_s = Number(
        12,
        "Maximum number of messages that a peer may send in a second (default: OFF). A peer that sends more is closed "
        "with 1008, and its further messages are dropped.",
    )
    max_bytes_per_s = Number(
        13,
        "Maximum bytes of messages that a peer may send in a second (default: OFF). A peer that sends more is closed "
        "with 1008, and its further messages are dropped.",
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
        "Server: maximum number of connected clients (default: 4096). An ended client counts until its messages have "
        "been read. Further clients are refused with 503.",
    )
    max_clients_per_address = Number(
        17,
        "Server: maximum number of clients from one IP address, counted as for max_clients (default: OFF, because all "
        "clients behind a proxy that is not in trusted_proxies share one). Further clients are refused with 503.",
    )
    max_pending_handshakes = Number(
        18,
        "Server: maximum number of opening handshakes in progress (default: 256). Further connections wait in the "
        "system's listen queue.",
    )
    handshake_timeout_ms = Number(
        19,
        "Server, and the server's end of pair() or attach(): time limit of a client's opening handshake, from its "
        "connection on, TLS included, in milliseconds (default: 3000).",
    )
    on_full = Policy(
        20,
        "Server, host: what a message to several targets does about a target whose outbound queue is full, one of "
        "OnFull (default: OnFull.SKIP; for a host OnFull.DISCONNECT, because a game cannot do without a packet).",
    )
    port = ReadOnly(
        21,
        'The local port, read only: the one chosen for "ws://127.0.0.1:0".',
    )
    deflate_threshold_bytes = Number(
        22,
        "With deflate: shorter messages are sent uncompressed; in bytes (default: 64). OFF: all are.",
    )
    max_inflate_ratio = Number(
        23,
        "Maximum decompression ratio, for received messages over 1 MiB (default: 256). Beyond it the connection is "
        "closed with 1008. Sent messages stay within half of it.",
    )
    transfer_mode = Number(
        24,
        "Host, join: Godot's transfer mode, 0 (unreliable), 1 (unreliable ordered) or 2 (reliable; default). Only "
        "stored: every packet is reliable and ordered.",
    )
    transfer_channel = Number(
        25,
        "Host, join: Godot's transfer channel (default 0). Only stored: every packet uses the one connection.",
    )
    auth_timeout_ms = Number(
        26,
        "Host, join with auth: time limit of the authentication of a peer, in milliseconds (default: 3000); OFF: none. "
        "It applies to peers that arrive later.",
    )
    max_call_bytes = Number(
        27,
        "With scene: maximum length of a remote call, arguments included, in bytes (default: 1048576). A peer that "
        "sends a longer one is closed with 1002; a join drops a relayed one, and reports it by ERROR. Sending one "
        "fails with Result.ERR_TOO_BIG.",
    )
    max_call_items = Number(
        28,
        "With scene: maximum number of items in the arguments of a remote call, as decode_call() counts them (default: "
        "65536). A call with more is treated like one over max_call_bytes.",
    )
    max_body_bytes = Number(
        29,
        "Server that answers plain HTTP: maximum length of the body of a request, in bytes (default: 65536). A longer "
        "one is refused with 413.",
    )
    report_refused = Flag(
        30,
        "Server: the flag report_refused: 0 or 1. stats() counts refused clients in any case.",
    )
    max_downloads = Number(
        32,
        "Server: maximum number of files that serve() sends at a time, each with at most 256 KiB of it in memory "
        "(default: 128). Further requests are answered with 503.",
    )
    max_downloads_per_address = Number(
        33,
        "Server: maximum number of files that serve() sends to one address at a time (default: 32; a browser opens six "
        "connections). Further requests are answered with 503.",
    )
    download_timeout_ms = Number(
        34,
        "Server: time in which a client of serve() must take 64 KiB of a file, in milliseconds (default: 30000); OFF: "
        "any. A slower client is dropped.",
    )
    retry_min_ms = Number(
        35,
        "With reconnect or session_ms: upper bound of the wait before the first try, in milliseconds (default: 1000). "
        "A wait is drawn evenly between 0 and its bound, which doubles with each try until it is retry_max_ms.",
    )
    retry_max_ms = Number(
        36,
        "With reconnect or session_ms: upper bound of every wait, in milliseconds (default: 30000).",
    )
    retry_tries = Number(
        37,
        "With reconnect or session_ms: number of failed tries in a row after which the connection ends with CLOSED "
        "(default: 20, which takes some four minutes); OFF: unlimited.",
    )
    max_lost = Number(
        38,
        "Server with session_ms: maximum number of clients that have lost their link (default: 0, a quarter of "
        "max_clients). Beyond it the session that was lost first ends.",
    )
    max_topics = Number(
        39,
        "Server: maximum number of topics of a client (default: 256).",
    )
    max_server_topics = Number(
        40,
        "Server: maximum number of topics that have subscribers (default: 65536).",
    )
    max_total_mib = Number(
        41,
        "Server: memory that all clients together may make it hold, in MiB (default: 512): what was received and not "
        "taken, incomplete messages, what is to be sent, what is not acknowledged (session_ms), compression contexts, "
        "handshakes. A message to several clients counts once.",
    )
    max_put_bytes = Number(
        42,
        "Maximum length of a message that is sent, framing of the multiplayer format included, in bytes. Default: for "
        "hosts and joins 65535, because a player with Godot's own classes and default settings leaves when a longer "
        "one comes; for others, join_local() included, OFF: only max_message_bytes counts. A host's message is not "
        "limited by it if only players of join_local() are among its targets; nodes of spawn() are.",
    )
    hold_new = Flag(
        43,
        "Server: 1: new clients are not even accepted but wait in the system's queue until it is 0 again, as with "
        "Godot's own classes; those in their opening handshake are refused as by options.refuse_new.",
    )


class Stats(NamedTuple):
    """Counters since it was opened. A server: the sum over its clients, former ones included."""

    connections: int
    """Server: number of connected clients. Else 1 while OPEN, otherwise 0."""
    messages_in: int
    """Messages received. With auth, the messages of a peer count once it is admitted."""
    messages_out: int
    """Messages accepted for sending."""
    bytes_in: int
    """Bytes of the messages received."""
    bytes_out: int
    """Bytes of the messages accepted for sending."""
    wire_bytes_in: int
    """Bytes read from the transport, after TLS decryption."""
    wire_bytes_out: int
    """Bytes written to the transport, before TLS encryption."""
    queued_packets_in: int
    """Messages and AUTH events that the program has not taken yet. With auth, messages of a peer that is not
    admitted count in kept_bytes instead."""
    queued_bytes_in: int
    """Bytes of these messages and AUTH events."""
    queued_packets_out: int
    """Messages to be sent: the operating system has not taken all of their bytes."""
    queued_bytes_out: int
    """Bytes to be sent, frame headers included. Over wss:// the bytes of a TLS record count until the operating
    system has taken the whole record."""
    skipped: int
    """Messages to several targets that a full queue did not take, and received messages that were dropped: after
    disconnect() of their sender, beyond its rate limit, or because it ended before it was admitted (auth)."""
    inbound_stalls: int
    """Number of times that reading paused because the inbound queue was full."""
    rtt_us: int
    """Round-trip time of the last answered ping, in microseconds. 0: none was measured. Always 0 on a server's own
    handle."""
    last_poll_us: int
    """Duration of the last poll() of this handle, in microseconds."""
    longest_poll_us: int
    """Duration of the longest poll() of this handle, in microseconds."""
    accepted: int
    """Server: clients accepted since it was opened."""
    refused: int
    """Server: clients that were refused, or whose opening handshake failed: the sum of refused_limit,
    refused_request, refused_tls, refused_proxy, refused_timeout and refused_gone. Not those that the program's
    close() ended."""
    pending_handshakes: int
    """Server: opening handshakes in progress."""
    compressed_in: int
    """Compressed messages received. They are counted together with messages_in."""
    compressed_out: int
    """Messages that were sent compressed."""
    deflate_memory_bytes: int
    """Memory of the compressors and decompressors, in bytes. A server: of all its clients."""
    kept_bytes: int
    """Memory kept for peers outside the queues, in bytes: incomplete messages, bytes that were read and not decoded
    yet, texts of events; in multiplayer also node numbers and pending notifications of peers, and with auth the
    messages of peers that are not admitted."""
    downloads: int
    """Server: files that serve() is sending."""
    served: int
    """Server: requests that serve() has begun to answer."""
    refused_limit: int
    """Server: of `refused`, those that a limit or refuse_new refused (Cause.LIMIT, Cause.RESOURCES)."""
    refused_request: int
    """Server: of `refused`, those whose request was not valid or not accepted: another path, host, origin or
    subprotocol (Cause.HTTP_STATUS, Cause.HTTP_INVALID, Cause.HTTP_TOO_BIG, Cause.SUBPROTOCOL)."""
    refused_tls: int
    """Server: of `refused`, those whose TLS handshake failed (Phase.TLS)."""
    refused_proxy: int
    """Server: of `refused`, connections of trusted_proxies without a valid PROXY header (Phase.PROXY)."""
    refused_timeout: int
    """Server: of `refused`, those that took longer than handshake_timeout_ms (Cause.HANDSHAKE_TIMEOUT)."""
    refused_gone: int
    """Server: of `refused`, those that left, or whose transport failed (Cause.PEER_GONE, Cause.RESET)."""
    refused_waiting: int
    """Server: REFUSED events that the program has not taken yet."""
    pending_requests: int
    """Server with ask: requests that wait for accept() or reply(). They count in pending_handshakes too."""
    lost: int
    """Server with session_ms: clients that have lost their link, and may come back. They count in connections
    too."""
    losses: int
    """With reconnect or session_ms: links that were lost since the opening."""
    resumed: int
    """With session_ms: sessions that were resumed since the opening."""
    sent_again: int
    """With session_ms: messages that were sent again on another link."""
    unacknowledged_packets: int
    """With session_ms: messages that were accepted and that the peer has not acknowledged."""
    unacknowledged_bytes: int
    """Bytes of these messages, with 64 for each, as session_bytes limits them."""
    sim_bytes: int
    """Bytes that the simulated networks of open links hold (set_sim()), and 64 for each packet."""
    sim_losses: int
    """Packets that were lost on these networks, and arrive late. Those of links that have ended do not count."""
    topics: int
    """Server: topics that have subscribers."""
    subscriptions: int
    """Server: subscriptions of all clients to topics; a client: its topics."""
    replaced: int
    """Messages of send_latest() and publish_latest() that a newer one of the same key has replaced."""
    held_bytes: int
    """Server: bytes that its clients make it hold, as max_total_mib limits them; a client: what it holds of
    them."""
    most_held_bytes: int
    """Server: the most that held_bytes was at the end of a poll, once it was above half of max_total_mib."""
    ceiling_ended: int
    """Server: clients that were ended because of max_total_mib."""

    @classmethod
    def of(cls, handle: int) -> Stats:
        """The counters of a handle."""
        stats = _declared.Stats()
        check(lib.ws_get_stats(handle, stats, ctypes.sizeof(stats)))
        return cls(*(getattr(stats, name) for name in cls._fields))
