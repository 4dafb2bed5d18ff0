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
    """An argument that is absent or 0 has its default. A limit or time that is OFF is unlimited or switched off."""

    owner: int
    """A number of your choice that groups handles for free_owner(). 0: none."""
    poll_budget_us: int
    """Maximum duration of one poll(), in microseconds (default: 1000)."""
    connect_timeout_ms: int
    """Client, join: time limit from connect() or join() to OPEN, all phases together, in milliseconds (default:
    10000). With auth it ends when the join has its id."""
    handshake_timeout_ms: int
    """Server, and the server's end of pair() or attach(): time limit of a client's opening handshake, from its
    connection on, TLS included, in milliseconds (default: 3000)."""
    close_timeout_ms: int
    """Time limit of a close without progress, in milliseconds; never OFF (default: 3000). Progress is that accepted
    messages and the close frame leave; then the peer has this time to answer."""
    heartbeat_ms: int
    """Interval of the pings to the peer, which also measure the round-trip time, in milliseconds (default: servers'
    clients 20000, clients OFF; RFC 6455 section 5.5.2)."""
    pong_timeout_ms: int
    """Time without any byte from the peer after which an unanswered ping ends the connection, in milliseconds; at
    least heartbeat_ms (default: 3 x heartbeat_ms). A ping may be answered for at least a second, or for
    heartbeat_ms if that is shorter."""
    max_message_bytes: int
    """Maximum length of a message, received or sent, in bytes (default: 16777216)."""
    max_fragments: int
    """Maximum number of fragments of a received message (default: 131072; RFC 6455 section 5.4)."""
    max_header_bytes: int
    """Maximum length of the header of a request or response, in bytes (default: 16384)."""
    inbound_packets: int
    """Maximum number of queued inbound messages and AUTH events (default: 4096). At the limit reading pauses, and
    TCP slows down the peer."""
    inbound_bytes: int
    """Maximum bytes of queued inbound messages and AUTH events (default: 4194304). At the limit reading pauses."""
    outbound_packets: int
    """Maximum number of queued outbound messages (default: 4096). At the limit sending fails with
    Result.ERR_FULL."""
    outbound_bytes: int
    """Maximum bytes of queued output (default: 4194304). At the limit sending fails with Result.ERR_FULL. An empty
    queue accepts any message."""
    max_messages_per_s: int
    """Maximum number of messages that a peer may send in a second (default: OFF). A peer that sends more is closed
    with 1008, and its further messages are dropped."""
    max_bytes_per_s: int
    """Maximum bytes of messages that a peer may send in a second (default: OFF). A peer that sends more is closed
    with 1008, and its further messages are dropped."""
    max_clients: int
    """Server: maximum number of connected clients (default: 4096). An ended client counts until its messages have
    been read. Further clients are refused with 503."""
    max_clients_per_address: int
    """Server: maximum number of clients from one IP address, counted as for max_clients (default: OFF, because all
    clients behind a proxy that is not in trusted_proxies share one). Further clients are refused with 503."""
    max_pending_handshakes: int
    """Server: maximum number of opening handshakes in progress (default: 256). Further connections wait in the
    system's listen queue."""
    on_full: OnFull
    """Server, host: what a message to several targets does about a target whose outbound queue is full, one of
    OnFull (default: OnFull.SKIP; for a host OnFull.DISCONNECT, because a game cannot do without a packet)."""
    no_delay: bool
    """False leaves Nagle's algorithm on (default: True, small messages are sent at once)."""
    deflate_level: int
    """With deflate: compression level, 1 (fast) to 9 (small) (default: 1, because compression takes frame time)."""
    deflate_threshold_bytes: int
    """With deflate: shorter messages are sent uncompressed; in bytes (default: 64). OFF: all are."""
    server_max_window_bits: int
    """With deflate: window size of the server's compressor, as a power of two, 9 to 15 (default: 15; RFC 7692
    section 7.1.2.1)."""
    client_max_window_bits: int
    """With deflate: window size of the client's compressor, as a power of two, 9 to 15 (default: 15; RFC 7692
    section 7.1.2.2)."""
    max_inflate_ratio: int
    """Maximum decompression ratio, for received messages over 1 MiB (default: 256). Beyond it the connection is
    closed with 1008. Sent messages stay within half of it."""
    headers: Headers
    """Extra headers of the request (client) or of the response (server): a dict, or pairs, or lines "Name:
    value"."""
    subprotocols: Union[str, Iterable[str]]
    """Subprotocols in order of preference, such as "chat.v2, chat.v1" (RFC 6455 section 1.9). Client: they are
    offered, and the server must choose one. Server: it chooses the first that the client offers and it knows; a
    client that offers none of them is refused with 400."""
    ca_pem: Pem
    """Client: PEM of certificates to trust besides the bundled ones and the system's. Each is that of a CA, or the
    server's own, even if a CA signed it, it is marked CA:TRUE, it names its host only in the common name, or it is
    of X.509 version 1. Certificates that cannot be used are skipped, with a warning in the log; if none can, the
    result is Result.ERR_TLS. The text may be indented, be in one line, or have its line ends written as \\n."""
    cert_pem: Pem
    """PEM of the certificate chain, own certificate first; read like ca_pem. A wss:// server needs it. A client
    sends it if the server asks for it."""
    key_pem: Pem
    """PEM of the private key of cert_pem (PKCS #8, PKCS #1 or SEC1)."""
    server_name: str
    """Client: the name for SNI (RFC 6066), against which the certificate is checked, instead of the URL's host."""
    pin_sha256: str
    """Client: SHA-256 of the server's own certificate (DER), as 64 hex digits; colons are allowed. The certificate
    is trusted if, and only if, it has this value."""
    user: int
    """Initial value of set_user()."""
    max_call_bytes: int
    """With scene: maximum length of a remote call, arguments included, in bytes (default: 1048576). A peer that
    sends a longer one is closed with 1002; a join drops a relayed one, and reports it by ERROR. Sending one fails
    with Result.ERR_TOO_BIG."""
    max_call_items: int
    """With scene: maximum number of items in the arguments of a remote call, as decode_call() counts them (default:
    65536). A call with more is treated like one over max_call_bytes."""
    trusted_proxies: Union[str, Iterable[str]]
    """Server: the addresses of proxies and load balancers that report the client's address, as forwarded,
    x_forwarded_for or proxy_protocol says: networks in CIDR notation, such as ["127.0.0.1", "10.0.0.0/8"], or a
    text with commas between them. The client's address is the last one reported that is not itself trusted; the
    limits per address and remote_address mean it. What others claim is ignored (default: none)."""
    ipv6_prefix_bits: int
    """Server: IPv6 addresses that are equal in this number of leading bits, 1 to 128, count as one address for
    max_clients_per_address (default: 64, what a home or a phone has)."""
    max_body_bytes: int
    """Server that answers plain HTTP: maximum length of the body of a request, in bytes (default: 65536). A longer
    one is refused with 413."""
    proxy: str
    """Client, join: the proxy to connect through (docs/proxies.md). "http://user:password@host:port" and
    "https://..." are asked by CONNECT, "https" over TLS; "socks5://..." gets the address of the server,
    "socks5h://..." its name. "env": what http_proxy, https_proxy, all_proxy and no_proxy in the environment say, as
    curl reads them, and never for a loopback address. The trusted certificates for "https" are those for the
    server, and its certificate is checked whatever insecure, any_name and pin_sha256 say (default: NULL, none)."""
    max_downloads: int
    """Server: maximum number of files that serve() sends at a time, each with at most 256 KiB of it in memory
    (default: 128). Further requests are answered with 503."""
    max_downloads_per_address: int
    """Server: maximum number of files that serve() sends to one address at a time (default: 32; a browser opens six
    connections). Further requests are answered with 503."""
    allowed_hosts: Union[str, Iterable[str]]
    """Server: the hosts that requests may name in their header Host, such as ["game.example", "*.game.example"], or
    a text with commas between them; without a port any port is allowed, and a request without one has that of the
    server's scheme, 80 or 443. Names are ASCII (xn--...). Others are refused with 421. It keeps pages of others
    from reaching a server on the local network by a name of theirs (DNS rebinding) (default: any)."""
    allowed_origins: Union[str, Iterable[str]]
    """Server: the origins (RFC 6454) whose pages may connect, such as ["https://game.example",
    "http://localhost:8000"], or a text with commas between them; "null" is a page without one. Others are refused
    with 403. Programs that are no browsers send no Origin, and are not concerned (default: any)."""
    retry_min_ms: int
    """With reconnect or session_ms: upper bound of the wait before the first try, in milliseconds (default: 1000).
    A wait is drawn evenly between 0 and its bound, which doubles with each try until it is retry_max_ms."""
    retry_max_ms: int
    """With reconnect or session_ms: upper bound of every wait, in milliseconds (default: 30000)."""
    retry_tries: int
    """With reconnect or session_ms: number of failed tries in a row after which the connection ends with CLOSED
    (default: 20, which takes some four minutes); OFF: unlimited."""
    session_ms: int
    """Keep a session for so long after its link was lost, in milliseconds: the client opens another one (as with
    reconnect), and no message is lost, doubled or reordered (docs/sessions.md). Set it at both ends; the shorter
    time counts. Without it at the server, ERROR with Cause.SESSION is reported, and the connection goes on without
    (default: 0, no sessions)."""
    session_bytes: int
    """With session_ms: limit of the messages that were accepted and that the peer has not acknowledged, in bytes,
    with 64 for each message (default: 1048576). When nothing is unacknowledged, a message of any size fits. OFF: no
    limit."""
    max_lost: int
    """Server with session_ms: maximum number of clients that have lost their link (default: 0, a quarter of
    max_clients). Beyond it the session that was lost first ends."""
    node: str
    """Server with session_ms or app_heartbeat: its public name, which a client that comes back has in its query as
    "wspeer=1-NODE", so that a balancer can lead it to this server: 1 to 32 ASCII letters, digits, '.', '_' and '-'
    (default: NULL, a random name)."""
    max_topics: int
    """Server: maximum number of topics of a client (default: 256)."""
    max_server_topics: int
    """Server: maximum number of topics that have subscribers (default: 65536)."""
    max_total_mib: int
    """Server: memory that all clients together may make it hold, in MiB (default: 512): what was received and not
    taken, incomplete messages, what is to be sent, what is not acknowledged (session_ms), compression contexts,
    handshakes. A message to several clients counts once."""
    max_put_bytes: int
    """Maximum length of a message that is sent, framing of the multiplayer format included, in bytes. Default: for
    hosts and joins 65535, because a player with Godot's own classes and default settings leaves when a longer one
    comes; for others, join_local() included, OFF: only max_message_bytes counts. A host's message is not limited by
    it if only players of join_local() are among its targets; nodes of spawn() are."""
    coalesce: bool
    """Sent messages wait for flush(), the next poll() or 128 KiB, so that the messages of a frame leave in one
    write."""
    queue_before_open: bool
    """Messages are accepted while CONNECTING, and leave after the opening handshake. Not for a join with scene or
    godot3."""
    insecure: bool
    """Client: accept any certificate whose key has a supported type: P-256, P-384, Ed25519, or RSA of at least 2048
    bits. For development only; the log has a warning."""
    only_ca_pem: bool
    """Client: trust only ca_pem, neither the bundled roots nor those of the system."""
    refuse_new: bool
    """Server: refuse new clients with 503 until options.refuse_new is set to 0."""
    deflate: bool
    """Use permessage-deflate (RFC 7692): a client offers it, and a server accepts it from clients that offer it."""
    server_no_context_takeover: bool
    """With deflate: the server compresses each message by itself (server_no_context_takeover, RFC 7692 section
    7.1.1.1). This saves memory, and a broadcast is compressed only once."""
    client_no_context_takeover: bool
    """With deflate: the client compresses each message by itself (client_no_context_takeover, RFC 7692 section
    7.1.1.2)."""
    godot3: bool
    """host() and join(): use the format of Godot 3.2 to 3.6 with gd_mp_api, not Godot 4's. The host relays messages
    between clients."""
    any_name: bool
    """Client: accept a trusted certificate that was issued for another name. For development only."""
    scene: bool
    """host() and join(): speak the protocol of Godot 4's SceneMultiplayer. Peers learn of each other and reach each
    other through the host, send raw bytes, and make remote calls."""
    auth: bool
    """With scene: peers are admitted only after an authentication, like Godot's auth_callback. AUTHENTICATING
    reports a new peer; see complete_auth()."""
    no_relay: bool
    """With scene: clients do not learn of each other, and the host relays nothing, like Godot's server_relay
    switched off. Set it on all sides or on none."""
    app_heartbeat: bool
    """Client and server: send the client's heartbeat as messages that the programs do not see, so that rtt_us and
    pong_timeout_ms also work in a browser, which has no pings. heartbeat_ms then defaults to 20000 on a client too.
    If the server does not offer it, ERROR with Cause.NO_HEARTBEAT is reported. docs/control-channel.md has the
    bytes."""
    ask: bool
    """Server, host: the program decides on each request that is valid and within the limits, and plain HTTP
    requests are accepted too: GET, HEAD, OPTIONS, POST, PUT, PATCH and DELETE. REQUEST reports them; unless
    accept() or reply() answers one within handshake_timeout_ms, the client gets 503."""
    forwarded: bool
    """Server: requests of trusted_proxies report the address of the client by the header Forwarded (RFC 7239), and
    by no other. A request whose header is malformed is refused with 400. Not with x_forwarded_for, because a proxy
    passes on a header that it does not set, as the client wrote it."""
    x_forwarded_for: bool
    """Server: requests of trusted_proxies report the address of the client by the header X-Forwarded-For, and by no
    other."""
    proxy_protocol: bool
    """Server: connections of trusted_proxies begin with a header of the PROXY protocol, version 1 or 2, before TLS;
    one that does not is closed. With forwarded or x_forwarded_for too, that header is read if the address in the
    PROXY header is itself one of trusted_proxies."""
    report_refused: bool
    """Server: report clients that fail before CONNECTED by the event REFUSED; see options.report_refused."""
    reconnect: bool
    """Client, join: when the link is lost (LOST) or does not open (ERROR), try again, with growing waits, until it
    is open, until retry_tries tries in a row have failed, or until close(). docs/reconnecting.md says what is tried
    again, and when."""
    share_port: bool
    """Server, host: several servers may listen on one port (SO_REUSEPORT), and the system gives each new connection
    to one of them: one server for each core, each polled by its own thread. All of them need this flag and the same
    user. On Linux connections are spread; other systems may give all to one. Result.ERR_UNSUPPORTED on Windows.
    docs/scale.md has an example."""
    raw_replication: bool
    """With scene: packets of Godot's MultiplayerSpawner and MultiplayerSynchronizer are messages of type
    replication, as they are on the wire. Not with declare_scene() and declare_synchronizer(), which read them."""


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
    "ask": 32768,
    "forwarded": 65536,
    "x_forwarded_for": 131072,
    "proxy_protocol": 262144,
    "report_refused": 1048576,
    "reconnect": 2097152,
    "share_port": 4194304,
    "raw_replication": 8388608,
}
