//! Generated from src/options.toml by `make generate`: change that file.

use crate::codes::*;
use std::ffi::{c_char, c_void};

/// How to open a connection or a server. Fill it with ws_config_init(), then set what you need: every field that
/// stays 0 has its default.
/// The call that opens copies everything, texts included. Texts are UTF-8 and NUL-terminated; NULL means none.
// A flat struct because it is part of the ABI: it grows at its end, and zeros mean defaults.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types)]
pub struct ws_config {
    /// Size of this struct in bytes; ws_config_init() sets it.
    pub struct_size: u32,
    /// A number of your choice that groups handles for ws_free_owner(). 0: none.
    pub owner: u32,
    /// Combined by |:
    /// WS_COALESCE | WS_QUEUE_BEFORE_OPEN | WS_INSECURE | WS_ONLY_CA_PEM | WS_REFUSE_NEW | WS_DEFLATE |
    /// WS_SERVER_NO_CONTEXT_TAKEOVER | WS_CLIENT_NO_CONTEXT_TAKEOVER | WS_GODOT3 | WS_ANY_NAME | WS_SCENE | WS_AUTH |
    /// WS_NO_RELAY | WS_APP_HEARTBEAT | WS_ASK | WS_FORWARDED | WS_X_FORWARDED_FOR | WS_PROXY_PROTOCOL |
    /// WS_REPORT_REFUSED | WS_RECONNECT | WS_SHARE_PORT | WS_RAW_REPLICATION.
    pub flags: u32,
    /// Maximum duration of one ws_poll(), in microseconds (default: 1000).
    pub poll_budget_us: u32,
    /// Client, join: time limit from ws_connect() or ws_join() to OPEN, all phases together, in milliseconds
    /// (default: 10000). With WS_AUTH it ends when the join has its id.
    pub connect_timeout_ms: u32,
    /// Server, and the server's end of ws_pair() or ws_attach(): time limit of a client's opening handshake, from its
    /// connection on, TLS included, in milliseconds (default: 3000).
    pub handshake_timeout_ms: u32,
    /// Time limit of a close without progress, in milliseconds; never WS_OFF (default: 3000). Progress is that accepted
    /// messages and the close frame leave; then the peer has this time to answer.
    pub close_timeout_ms: u32,
    /// Interval of the pings to the peer, which also measure the round-trip time, in milliseconds (default: servers'
    /// clients 20000, clients WS_OFF; RFC 6455 section 5.5.2).
    pub heartbeat_ms: u32,
    /// Time without any byte from the peer after which an unanswered ping ends the connection, in milliseconds; at
    /// least heartbeat_ms (default: 3 x heartbeat_ms).
    /// A ping may be answered for at least a second, or for heartbeat_ms if that is shorter.
    pub pong_timeout_ms: u32,
    /// Maximum length of a message, received or sent, in bytes (default: 16777216).
    pub max_message_bytes: u32,
    /// Maximum number of fragments of a received message (default: 131072; RFC 6455 section 5.4).
    pub max_fragments: u32,
    /// Maximum length of the header of a request or response, in bytes (default: 16384).
    pub max_header_bytes: u32,
    /// Maximum number of queued inbound messages and AUTH events (default: 4096). At the limit reading pauses, and TCP
    /// slows down the peer.
    pub inbound_packets: u32,
    /// Maximum bytes of queued inbound messages and AUTH events (default: 4194304). At the limit reading pauses.
    pub inbound_bytes: u32,
    /// Maximum number of queued outbound messages (default: 4096). At the limit sending fails with WS_ERR_FULL.
    pub outbound_packets: u32,
    /// Maximum bytes of queued output (default: 4194304). At the limit sending fails with WS_ERR_FULL. An empty queue
    /// accepts any message.
    pub outbound_bytes: u32,
    /// Maximum number of messages that a peer may send in a second (default: WS_OFF). A peer that sends more is closed
    /// with 1008, and its further messages are dropped.
    pub max_messages_per_s: u32,
    /// Maximum bytes of messages that a peer may send in a second (default: WS_OFF). A peer that sends more is closed
    /// with 1008, and its further messages are dropped.
    pub max_bytes_per_s: u32,
    /// Server: maximum number of connected clients (default: 4096). An ended client counts until its messages have been
    /// read. Further clients are refused with 503.
    pub max_clients: u32,
    /// Server: maximum number of clients from one IP address, counted as for max_clients (default: WS_OFF, because all
    /// clients behind a proxy that is not in trusted_proxies share one). Further clients are refused with 503.
    pub max_clients_per_address: u32,
    /// Server: maximum number of opening handshakes in progress (default: 256). Further connections wait in the
    /// system's listen queue.
    pub max_pending_handshakes: u32,
    /// Server, host: what a message to several targets does about a target whose outbound queue is full, WS_FULL_*
    /// (default: WS_FULL_SKIP; for a host WS_FULL_DISCONNECT, because a game cannot do without a packet).
    pub on_full: u32,
    /// TCP_NODELAY: WS_OFF leaves Nagle's algorithm on (default: small messages are sent at once).
    pub no_delay: u32,
    /// Number of texts that `headers` points to, at most 100.
    pub headers_count: u32,
    /// With WS_DEFLATE: compression level, 1 (fast) to 9 (small) (default: 1, because compression takes frame time).
    pub deflate_level: u32,
    /// With WS_DEFLATE: shorter messages are sent uncompressed; in bytes (default: 64). WS_OFF: all are.
    pub deflate_threshold_bytes: u32,
    /// With WS_DEFLATE: window size of the server's compressor, as a power of two, 9 to 15 (default: 15;
    /// RFC 7692 section 7.1.2.1).
    pub server_max_window_bits: u32,
    /// With WS_DEFLATE: window size of the client's compressor, as a power of two, 9 to 15 (default: 15;
    /// RFC 7692 section 7.1.2.2).
    pub client_max_window_bits: u32,
    /// Maximum decompression ratio, for received messages over 1 MiB (default: 256). Beyond it the connection is closed
    /// with 1008. Sent messages stay within half of it.
    pub max_inflate_ratio: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Extra headers of the request (client) or of the response (server), each "Name: value".
    pub headers: *const *const c_char,
    /// Subprotocols in order of preference, such as "chat.v2, chat.v1" (RFC 6455 section 1.9). Client: they are
    /// offered, and the server must choose one. Server: it chooses the first that the client offers and it knows; a
    /// client that offers none of them is refused with 400.
    pub subprotocols: *const c_char,
    /// Client: PEM of certificates to trust besides the bundled ones and the system's. Each is that of a CA, or the
    /// server's own, even if a CA signed it, it is marked CA:TRUE, it names its host only in the common name, or it is
    /// of X.509 version 1. Certificates that cannot be used are skipped, with a warning in the log; if none can, the
    /// result is WS_ERR_TLS. The text may be indented, be in one line, or have its line ends written as \n.
    pub ca_pem: *const c_char,
    /// PEM of the certificate chain, own certificate first; read like ca_pem. A wss:// server needs it. A client sends
    /// it if the server asks for it.
    pub cert_pem: *const c_char,
    /// PEM of the private key of cert_pem (PKCS #8, PKCS #1 or SEC1).
    pub key_pem: *const c_char,
    /// Client: the name for SNI (RFC 6066), against which the certificate is checked, instead of the URL's host.
    pub server_name: *const c_char,
    /// Client: SHA-256 of the server's own certificate (DER), as 64 hex digits; colons are allowed. The certificate is
    /// trusted if, and only if, it has this value.
    pub pin_sha256: *const c_char,
    /// Initial value of ws_set_user().
    pub user: *mut c_void,
    /// With WS_SCENE: maximum length of a remote call, arguments included, in bytes (default: 1048576). A peer that
    /// sends a longer one is closed with 1002; a join drops a relayed one, and reports it by ERROR. Sending one fails
    /// with WS_ERR_TOO_BIG.
    pub max_call_bytes: u32,
    /// With WS_SCENE: maximum number of items in the arguments of a remote call, as ws_decode_call() counts them
    /// (default: 65536). A call with more is treated like one over max_call_bytes.
    pub max_call_items: u32,
    /// Server: the addresses of proxies and load balancers that report the client's address, as WS_FORWARDED,
    /// WS_X_FORWARDED_FOR or WS_PROXY_PROTOCOL says: networks in CIDR notation, separated by commas, such as
    /// "127.0.0.1, ::1, 10.0.0.0/8". The client's address is the last one reported that is not itself trusted; the limits
    /// per address and WS_GET_REMOTE_ADDRESS mean it. What others claim is ignored (default: none).
    pub trusted_proxies: *const c_char,
    /// Server: IPv6 addresses that are equal in this number of leading bits, 1 to 128, count as one address for
    /// max_clients_per_address (default: 64, what a home or a phone has).
    pub ipv6_prefix_bits: u32,
    /// Server that answers plain HTTP: maximum length of the body of a request, in bytes (default: 65536). A longer one
    /// is refused with 413.
    pub max_body_bytes: u32,
    /// Client, join: the proxy to connect through (docs/proxies.md). "http://user:password@host:port" and "https://..."
    /// are asked by CONNECT, "https" over TLS; "socks5://..." gets the address of the server, "socks5h://..." its name.
    /// "env": what http_proxy, https_proxy, all_proxy and no_proxy in the environment say, as curl reads them, and never
    /// for a loopback address. The trusted certificates for "https" are those for the server, and its certificate is
    /// checked whatever WS_INSECURE, WS_ANY_NAME and pin_sha256 say (default: NULL, none).
    pub proxy: *const c_char,
    /// Server: maximum number of files that ws_serve() sends at a time, each with at most 256 KiB of it in memory
    /// (default: 128). Further requests are answered with 503.
    pub max_downloads: u32,
    /// Server: maximum number of files that ws_serve() sends to one address at a time (default: 32; a browser opens six
    /// connections). Further requests are answered with 503.
    pub max_downloads_per_address: u32,
    /// Server: the hosts that requests may name in their header Host, separated by commas, such as
    /// "game.example, *.game.example, 192.0.2.1:9080"; without a port any port is allowed, and a request without one has
    /// that of the server's scheme, 80 or 443. Names are ASCII (xn--...). Others are refused with 421. It keeps pages of
    /// others from reaching a server on the local network by a name of theirs (DNS rebinding) (default: any).
    pub allowed_hosts: *const c_char,
    /// Server: the origins (RFC 6454) whose pages may connect, separated by commas, such as
    /// `https://game.example, http://localhost:8000`; "*." before a host stands for all names below it, "null" for a page
    /// without an origin. Others are refused with 403. Programs that are no browsers send no Origin, and are not concerned
    /// (default: any).
    pub allowed_origins: *const c_char,
    /// With WS_RECONNECT or session_ms: upper bound of the wait before the first try, in milliseconds (default: 1000). A
    /// wait is drawn evenly between 0 and its bound, which doubles with each try until it is retry_max_ms.
    pub retry_min_ms: u32,
    /// With WS_RECONNECT or session_ms: upper bound of every wait, in milliseconds (default: 30000).
    pub retry_max_ms: u32,
    /// With WS_RECONNECT or session_ms: number of failed tries in a row after which the connection ends with CLOSED
    /// (default: 20, which takes some four minutes); WS_OFF: unlimited.
    pub retry_tries: u32,
    /// Keep a session for so long after its link was lost, in milliseconds: the client opens another one (as with
    /// WS_RECONNECT), and no message is lost, doubled or reordered (docs/sessions.md). Set it at both ends; the shorter
    /// time counts. Without it at the server, ERROR with WS_CAUSE_SESSION is reported, and the connection goes on without
    /// (default: 0, no sessions).
    pub session_ms: u32,
    /// With session_ms: limit of the messages that were accepted and that the peer has not acknowledged, in bytes, with 64
    /// for each message (default: 1048576). When nothing is unacknowledged, a message of any size fits. WS_OFF: no limit.
    pub session_bytes: u32,
    /// Server with session_ms: maximum number of clients that have lost their link (default: 0, a quarter of max_clients).
    /// Beyond it the session that was lost first ends.
    pub max_lost: u32,
    /// Server with session_ms or WS_APP_HEARTBEAT: its public name, which a client that comes back has in its query as
    /// "wspeer=1-NODE", so that a balancer can lead it to this server: 1 to 32 ASCII letters, digits, '.', '_' and '-'
    /// (default: NULL, a random name).
    pub node: *const c_char,
    /// Server: maximum number of topics of a client (default: 256).
    pub max_topics: u32,
    /// Server: maximum number of topics that have subscribers (default: 65536).
    pub max_server_topics: u32,
    /// Server: memory that all clients together may make it hold, in MiB (default: 512): what was received and not taken,
    /// incomplete messages, what is to be sent, what is not acknowledged (session_ms), compression contexts, handshakes. A
    /// message to several clients counts once.
    pub max_total_mib: u32,
    /// Maximum length of a message that is sent, framing of the multiplayer format included, in bytes. Default: for hosts
    /// and joins 65535, because a player with Godot's own classes and default settings leaves when a longer one comes; for
    /// others, ws_join_local() included, WS_OFF: only max_message_bytes counts. A host's message is not limited by it if
    /// only players of ws_join_local() are among its targets; nodes of ws_spawn() are.
    pub max_put_bytes: u32,
}

const _: () = assert!(size_of::<ws_config>() == 13 * size_of::<*mut c_void>() + 46 * 4);

/// All flags of ws_config.flags.
pub(super) const FLAGS: u32 = WS_COALESCE
    | WS_QUEUE_BEFORE_OPEN
    | WS_INSECURE
    | WS_ONLY_CA_PEM
    | WS_REFUSE_NEW
    | WS_DEFLATE
    | WS_SERVER_NO_CONTEXT_TAKEOVER
    | WS_CLIENT_NO_CONTEXT_TAKEOVER
    | WS_GODOT3
    | WS_ANY_NAME
    | WS_SCENE
    | WS_AUTH
    | WS_NO_RELAY
    | WS_APP_HEARTBEAT
    | WS_ASK
    | WS_FORWARDED
    | WS_X_FORWARDED_FOR
    | WS_PROXY_PROTOCOL
    | WS_REPORT_REFUSED
    | WS_RECONNECT
    | WS_SHARE_PORT
    | WS_RAW_REPLICATION;

/// The fields that are options: WS_OPT_* and the value, 0 for the default.
pub(super) fn options_of(config: &ws_config) -> [(i32, u32); 32] {
    [
        (WS_OPT_POLL_BUDGET_US, config.poll_budget_us),
        (WS_OPT_HANDSHAKE_TIMEOUT_MS, config.handshake_timeout_ms),
        (WS_OPT_CLOSE_TIMEOUT_MS, config.close_timeout_ms),
        (WS_OPT_HEARTBEAT_MS, config.heartbeat_ms),
        (WS_OPT_PONG_TIMEOUT_MS, config.pong_timeout_ms),
        (WS_OPT_MAX_MESSAGE_BYTES, config.max_message_bytes),
        (WS_OPT_MAX_FRAGMENTS, config.max_fragments),
        (WS_OPT_INBOUND_PACKETS, config.inbound_packets),
        (WS_OPT_INBOUND_BYTES, config.inbound_bytes),
        (WS_OPT_OUTBOUND_PACKETS, config.outbound_packets),
        (WS_OPT_OUTBOUND_BYTES, config.outbound_bytes),
        (WS_OPT_MAX_MESSAGES_PER_S, config.max_messages_per_s),
        (WS_OPT_MAX_BYTES_PER_S, config.max_bytes_per_s),
        (WS_OPT_MAX_CLIENTS, config.max_clients),
        (WS_OPT_MAX_CLIENTS_PER_ADDRESS, config.max_clients_per_address),
        (WS_OPT_MAX_PENDING_HANDSHAKES, config.max_pending_handshakes),
        (WS_OPT_ON_FULL, config.on_full),
        (WS_OPT_DEFLATE_THRESHOLD_BYTES, config.deflate_threshold_bytes),
        (WS_OPT_MAX_INFLATE_RATIO, config.max_inflate_ratio),
        (WS_OPT_MAX_CALL_BYTES, config.max_call_bytes),
        (WS_OPT_MAX_CALL_ITEMS, config.max_call_items),
        (WS_OPT_MAX_BODY_BYTES, config.max_body_bytes),
        (WS_OPT_MAX_DOWNLOADS, config.max_downloads),
        (WS_OPT_MAX_DOWNLOADS_PER_ADDRESS, config.max_downloads_per_address),
        (WS_OPT_RETRY_MIN_MS, config.retry_min_ms),
        (WS_OPT_RETRY_MAX_MS, config.retry_max_ms),
        (WS_OPT_RETRY_TRIES, config.retry_tries),
        (WS_OPT_MAX_LOST, config.max_lost),
        (WS_OPT_MAX_TOPICS, config.max_topics),
        (WS_OPT_MAX_SERVER_TOPICS, config.max_server_topics),
        (WS_OPT_MAX_TOTAL_MIB, config.max_total_mib),
        (WS_OPT_MAX_PUT_BYTES, config.max_put_bytes),
    ]
}

/// The fields that must be 0: name and value.
pub(super) fn reserved_of(config: &ws_config) -> [(&'static str, u32); 1] {
    [("reserved", config.reserved)]
}

/// The default of connect_timeout_ms, which is not an option.
pub(super) const CONNECT_TIMEOUT_MS: u32 = 10_000;

/// The default of max_header_bytes, which is not an option.
pub(super) const MAX_HEADER_BYTES: u32 = 16_384;

/// The default of ipv6_prefix_bits, which is not an option.
pub(super) const IPV6_PREFIX_BITS: u32 = 64;

/// The default of session_bytes, which is not an option.
pub(super) const SESSION_BYTES: u32 = 1_048_576;
