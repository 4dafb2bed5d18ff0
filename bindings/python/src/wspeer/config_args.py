"""The keyword arguments of connect(), listen() and the others.

Generated from include/wspeer.h and src/options.toml by `make generate`: do not edit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypedDict, Union

from wspeer.codes import OnFull

Headers = Union[Mapping[str, str], Iterable[Union[str, tuple[str, str]]]]
Pem = Union[str, bytes]


class ConfigArgs(TypedDict, total=False):
    """What is left out, or 0, means its default. A limit or a time that is OFF is switched off."""

    owner: int
    """A number of your choice for free_owner(); 0: none."""
    poll_budget_us: int
    """How long one poll() may work, in microseconds (default: 1000)."""
    connect_timeout_ms: int
    """Client, join: from connect() or join() to OPEN, all phases together, in milliseconds (default: 10000)."""
    handshake_timeout_ms: int
    """Server: from a client's arrival to its CONNECTED, TLS included, in milliseconds (default: 3000)."""
    close_timeout_ms: int
    """How long a close may wait for the peer, and for what was accepted to leave, counted from the last progress,
    in milliseconds; never OFF (default: 3000)."""
    heartbeat_ms: int
    """How often the peer is pinged, which measures the round-trip time too, in milliseconds (default: servers'
    clients 20000, clients OFF)."""
    pong_timeout_ms: int
    """Time without any byte from the peer after which it counts as dead, once pinged, in milliseconds; at least
    heartbeat_ms (default: 3 x heartbeat_ms). A ping has at least a second to be answered, or heartbeat_ms if that
    is less."""
    max_message_bytes: int
    """The longest message taken from the peer and from the host, in bytes (default: 16777216)."""
    max_fragments: int
    """The most fragments of one received message (default: 131072)."""
    max_header_bytes: int
    """The longest request or response header, in bytes (default: 16384)."""
    inbound_packets: int
    """Messages and AUTH events that may wait for the host; at more, reading stops and TCP slows the peer (default:
    4096)."""
    inbound_bytes: int
    """Bytes of messages and of AUTH events that may wait for the host (default: 4194304)."""
    outbound_packets: int
    """Messages that may wait to be sent (default: 4096)."""
    outbound_bytes: int
    """Bytes that may wait to be sent (default: 4194304)."""
    max_messages_per_s: int
    """Messages a peer may send in a second before it is closed with 1008; those behind are dropped (default:
    OFF)."""
    max_bytes_per_s: int
    """Bytes of messages a peer may send in a second before it is closed with 1008; messages behind are dropped
    (default: OFF)."""
    max_clients: int
    """Server: clients that may be connected; one that has ended counts until its messages were read; more are
    answered with 503 (default: 4096)."""
    max_clients_per_address: int
    """Server: clients from one IP address, counted as for max_clients; more are answered with 503 (default: OFF, as
    behind a proxy all clients share one)."""
    max_pending_handshakes: int
    """Server: opening handshakes under way at a time; more wait in the system's queue (default: 256)."""
    on_full: OnFull
    """Server, host: one of OnFull (default: OnFull.SKIP; of a host OnFull.DISCONNECT, as a game cannot do without a
    packet)."""
    no_delay: bool
    """False leaves Nagle's algorithm on (default: True, small messages leave at once)."""
    deflate_level: int
    """With deflate: how hard to compress, 1 (fast) to 9 (small) (default: 1, as a game pays in frame time)."""
    deflate_threshold_bytes: int
    """With deflate: shorter messages are not compressed, in bytes; OFF: none is (default: 64)."""
    server_max_window_bits: int
    """With deflate: window of the server's compressor as a power of two, 9 to 15 (default: 15)."""
    client_max_window_bits: int
    """With deflate: window of the client's compressor as a power of two, 9 to 15 (default: 15)."""
    max_inflate_ratio: int
    """The most that a message over 1 MiB may have been compressed, in bytes for a byte; at more the connection is
    closed with 1008 (default: 256). What is sent keeps to half of it."""
    headers: Headers
    """Extra headers of the request (client) or of the answer (server): a dict, or pairs, or lines "Name: value"."""
    subprotocols: Union[str, Iterable[str]]
    """Subprotocols in order of preference, "chat.v2, chat.v1". Client: offered; the server must choose one. Server:
    chooses the client's first that it knows; a client that offers none of them is refused with 400."""
    ca_pem: Pem
    """Client: PEM of certificates to trust besides the bundled and the system's: of CAs, or of the server itself,
    even if a CA signed it, it is marked CA:TRUE, it names its host only in the common name, or it is of X.509
    version 1. What cannot be used is left out with a warning in the log; Result.ERR_TLS if all is. The text may be
    indented, in one line, or have its line ends written out as \\n."""
    cert_pem: Pem
    """PEM of the certificate chain, own certificate first; as ca_pem is read. A wss:// server needs it; a client
    sends it when asked."""
    key_pem: Pem
    """PEM of the private key of cert_pem (PKCS #8, PKCS #1 or SEC1)."""
    server_name: str
    """Client: the name to ask for (SNI) and to check the certificate against, instead of the URL's host."""
    pin_sha256: str
    """Client: SHA-256 of the server's own certificate (DER), 64 hex digits, colons allowed. It is then trusted by
    this alone."""
    user: int
    """The first value of set_user()."""
    max_call_bytes: int
    """With scene: the longest remote call, its arguments included, in bytes (default: 1048576). Who sends a longer
    one is closed with 1002; a join drops one that was passed on, and reports it by ERROR. A put of one is
    Result.ERR_TOO_BIG."""
    max_call_items: int
    """With scene: the most items that the arguments of a remote call may be, as decode_call() counts them (default:
    65536). At more, as max_call_bytes."""
    coalesce: bool
    """A put waits for flush(), the next poll or 128 KiB, so that the messages of a frame leave in one write."""
    queue_before_open: bool
    """Messages may be put while CONNECTING; they leave after the opening handshake."""
    insecure: bool
    """Client: accept any certificate with a key of a kind that is supported: P-256, P-384, Ed25519, or RSA of 2048
    bits and more. For development alone; the log says so."""
    only_ca_pem: bool
    """Client: trust only ca_pem, neither the bundled nor the system's roots."""
    refuse_new: bool
    """Server: answer every request with 503 until options.refuse_new is set to 0."""
    deflate: bool
    """permessage-deflate (RFC 7692): a client offers it, a server accepts it where a client offers it."""
    server_no_context_takeover: bool
    """With deflate: the server's compressor shall forget each message, which saves memory and lets a broadcast be
    compressed once."""
    client_no_context_takeover: bool
    """With deflate: the client's compressor shall forget each message."""
    godot3: bool
    """host() and join(): the format of Godot 3.2 to 3.6 with gd_mp_api, where the host passes on what is for
    others, instead of Godot 4's."""
    any_name: bool
    """Client: a certificate may be for any name, if it is trusted otherwise. For development alone."""
    scene: bool
    """host() and join(): what Godot 4's SceneMultiplayer says too: other peers told and reached by way of the host,
    its raw bytes, remote calls."""
    auth: bool
    """With scene: who comes is told by AUTHENTICATING, and is there only after its authentication, see
    complete_auth(): Godot's auth_callback."""
    no_relay: bool
    """With scene: clients do not hear of each other, and the host passes nothing on: Godot's server_relay switched
    off. The same on all sides."""
    app_heartbeat: bool
    """Both ends: the client's heartbeat goes as messages that the host does not see, as a browser hides pings:
    rtt_us and pong_timeout_ms work there too. A client's heartbeat_ms is then 20000 unless set. A server that does
    not offer it is told by ERROR with Cause.NO_HEARTBEAT. docs/heartbeat.md has the bytes."""


FLAGS = {
    "coalesce": 1,
    "queue_before_open": 2,
    "insecure": 4,
    "only_ca_pem": 8,
    "refuse_new": 16,
    "deflate": 32,
    "server_no_context_takeover": 64,
    "client_no_context_takeover": 128,
    "godot3": 256,
    "any_name": 512,
    "scene": 1024,
    "auth": 2048,
    "no_relay": 4096,
    "app_heartbeat": 8192,
}
