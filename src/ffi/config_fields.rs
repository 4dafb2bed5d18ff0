//! Generated from src/options.toml by `make generate`: change that file.

use crate::codes::*;
use std::ffi::{c_char, c_void};

/// How to open a connection or a server. Fill it with ws_config_init(), then set what you need; every field that stays 0 means its default.
/// Everything is copied during the call. Texts are UTF-8 and NUL-terminated; NULL means none.
// Many fields, as it is the ABI: one flat block that grows at its end and whose zeros are defaults.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types)]
pub struct ws_config {
    /// Set by ws_config_init().
    pub struct_size: u32,
    /// A number of your choice for ws_free_owner(); 0: none.
    pub owner: u32,
    /// WS_COALESCE | WS_QUEUE_BEFORE_OPEN | WS_INSECURE | WS_ONLY_CA_PEM | WS_REFUSE_NEW | WS_DEFLATE | WS_SERVER_NO_CONTEXT_TAKEOVER |
    /// WS_CLIENT_NO_CONTEXT_TAKEOVER | WS_GODOT3 | WS_ANY_NAME | WS_SCENE | WS_AUTH | WS_NO_RELAY | WS_APP_HEARTBEAT.
    pub flags: u32,
    /// How long one ws_poll() may work, in microseconds (default: 1000).
    pub poll_budget_us: u32,
    /// Client, join: from ws_connect() or ws_join() to OPEN, all phases together, in milliseconds (default: 10000).
    pub connect_timeout_ms: u32,
    /// Server: from a client's arrival to its CONNECTED, TLS included, in milliseconds (default: 3000).
    pub handshake_timeout_ms: u32,
    /// How long a close may wait for the peer, and for what was accepted to leave, counted from the last progress, in milliseconds; never WS_OFF (default: 3000).
    pub close_timeout_ms: u32,
    /// How often the peer is pinged, which measures the round-trip time too, in milliseconds (default: servers' clients 20000, clients WS_OFF).
    pub heartbeat_ms: u32,
    /// Time without any byte from the peer after which it counts as dead, once pinged, in milliseconds; at least heartbeat_ms (default: 3 x heartbeat_ms).
    /// A ping has at least a second to be answered, or heartbeat_ms if that is less.
    pub pong_timeout_ms: u32,
    /// The longest message taken from the peer and from the host, in bytes (default: 16777216).
    pub max_message_bytes: u32,
    /// The most fragments of one received message (default: 131072).
    pub max_fragments: u32,
    /// The longest request or response header, in bytes (default: 16384).
    pub max_header_bytes: u32,
    /// Messages and AUTH events that may wait for the host; at more, reading stops and TCP slows the peer (default: 4096).
    pub inbound_packets: u32,
    /// Bytes of messages and of AUTH events that may wait for the host (default: 4194304).
    pub inbound_bytes: u32,
    /// Messages that may wait to be sent (default: 4096).
    pub outbound_packets: u32,
    /// Bytes that may wait to be sent (default: 4194304).
    pub outbound_bytes: u32,
    /// Messages a peer may send in a second before it is closed with 1008; those behind are dropped (default: WS_OFF).
    pub max_messages_per_s: u32,
    /// Bytes of messages a peer may send in a second before it is closed with 1008; messages behind are dropped (default: WS_OFF).
    pub max_bytes_per_s: u32,
    /// Server: clients that may be connected; one that has ended counts until its messages were read; more are answered with 503 (default: 4096).
    pub max_clients: u32,
    /// Server: clients from one IP address, counted as for max_clients; more are answered with 503 (default: WS_OFF, as behind a proxy all clients share one).
    pub max_clients_per_address: u32,
    /// Server: opening handshakes under way at a time; more wait in the system's queue (default: 256).
    pub max_pending_handshakes: u32,
    /// Server, host: WS_FULL_* (default: WS_FULL_SKIP; of a host WS_FULL_DISCONNECT, as a game cannot do without a packet).
    pub on_full: u32,
    /// TCP_NODELAY: WS_OFF leaves Nagle's algorithm on (default: small messages leave at once).
    pub no_delay: u32,
    /// How many texts `headers` points to.
    pub headers_count: u32,
    /// With WS_DEFLATE: how hard to compress, 1 (fast) to 9 (small) (default: 1, as a game pays in frame time).
    pub deflate_level: u32,
    /// With WS_DEFLATE: shorter messages are not compressed, in bytes; WS_OFF: none is (default: 64).
    pub deflate_threshold_bytes: u32,
    /// With WS_DEFLATE: window of the server's compressor as a power of two, 9 to 15 (default: 15).
    pub server_max_window_bits: u32,
    /// With WS_DEFLATE: window of the client's compressor as a power of two, 9 to 15 (default: 15).
    pub client_max_window_bits: u32,
    /// The most that a message over 1 MiB may have been compressed, in bytes for a byte; at more the connection is closed with 1008 (default: 256).
    /// What is sent keeps to half of it.
    pub max_inflate_ratio: u32,
    /// Zero.
    pub reserved: u32,
    /// Extra headers of the request (client) or of the answer (server), each "Name: value".
    pub headers: *const *const c_char,
    /// Subprotocols in order of preference, "chat.v2, chat.v1". Client: offered; the server must choose one. Server: chooses the client's first that it knows;
    /// a client that offers none of them is refused with 400.
    pub subprotocols: *const c_char,
    /// Client: PEM of certificates to trust besides the bundled and the system's: of CAs, or of the server itself, even if a CA signed it, it is marked
    /// CA:TRUE, it names its host only in the common name, or it is of X.509 version 1. What cannot be used is left out with a warning in the log;
    /// WS_ERR_TLS if all is. The text may be indented, in one line, or have its line ends written out as \n.
    pub ca_pem: *const c_char,
    /// PEM of the certificate chain, own certificate first; as ca_pem is read. A wss:// server needs it; a client sends it when asked.
    pub cert_pem: *const c_char,
    /// PEM of the private key of cert_pem (PKCS #8, PKCS #1 or SEC1).
    pub key_pem: *const c_char,
    /// Client: the name to ask for (SNI) and to check the certificate against, instead of the URL's host.
    pub server_name: *const c_char,
    /// Client: SHA-256 of the server's own certificate (DER), 64 hex digits, colons allowed. It is then trusted by this alone.
    pub pin_sha256: *const c_char,
    /// The first value of ws_set_user().
    pub user: *mut c_void,
    /// With WS_SCENE: the longest remote call, its arguments included, in bytes (default: 1048576).
    /// Who sends a longer one is closed with 1002; a join drops one that was passed on, and reports it by ERROR. A put of one is WS_ERR_TOO_BIG.
    pub max_call_bytes: u32,
    /// With WS_SCENE: the most items that the arguments of a remote call may be, as ws_decode_call() counts them (default: 65536).
    /// At more, as max_call_bytes.
    pub max_call_items: u32,
}

const _: () = assert!(size_of::<ws_config>() == 8 * size_of::<*mut c_void>() + 32 * 4);

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
    | WS_APP_HEARTBEAT;

/// The fields that are options: WS_OPT_* and the value, 0 for the default.
pub(super) fn options_of(config: &ws_config) -> [(i32, u32); 21] {
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
    ]
}

/// The fields that must be 0: name and value.
pub(super) fn reserved_of(config: &ws_config) -> [(&'static str, u32); 1] {
    [("reserved", config.reserved)]
}

/// The default of connect_timeout_ms, which is no option.
pub(super) const CONNECT_TIMEOUT_MS: u32 = 10_000;

/// The default of max_header_bytes, which is no option.
pub(super) const MAX_HEADER_BYTES: u32 = 16_384;
