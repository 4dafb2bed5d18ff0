//! The structs that cross the boundary. No implicit padding; sizes are asserted here, in C and in Python.

use std::ffi::{c_char, c_void};

/// A connection, a server or a server's client. 0 is never valid. A stale handle is WS_ERR_HANDLE, never a crash; its number comes back after
/// 2146435072 others at the earliest (less 2047 for each handle that stays open meanwhile).
/// 31 bits, so that -handle can mean "all but this one".
#[allow(non_camel_case_types)]
pub type ws_handle = u32;

/// 0 and above: success. Below 0: WS_ERR_*.
#[allow(non_camel_case_types)]
pub type ws_result = i32;

/// A message. 40 bytes with 64-bit pointers, 32 with 32-bit.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types)]
pub struct ws_packet {
    /// The bytes, lent: valid until the next call that reads items through the same handle, or its ws_free(). Never NULL; not NUL-terminated when it is a message.
    pub data: *const u8,
    /// How many bytes; 0 is an empty message.
    pub len: usize,
    /// WS_TEXT, WS_BINARY or WS_CALL.
    pub r#type: i32,
    /// Multiplayer: who sent it. Else 0.
    pub peer_id: i32,
    /// The connection that it came by: a server's client, or the handle itself.
    pub conn: ws_handle,
    /// Zero for now.
    pub flags: u32,
    /// What ws_set_user() or ws_config.user gave that connection.
    pub user: u64,
}

/// One thing that happened. 128 bytes with 64-bit pointers, 120 with 32-bit.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types)]
pub struct ws_event {
    /// WS_EVENT_*.
    pub r#type: i32,
    /// The connection that it is about.
    pub conn: ws_handle,
    /// Multiplayer: which peer it is about; OPEN of a join: its own id. Else 0.
    pub peer_id: i32,
    /// CLOSE_REQUEST, CLOSED, DISCONNECTED: the close code; 1005: a close frame without one; 1006: no close frame. Else 0.
    pub code: i32,
    /// CLOSED, DISCONNECTED, ERROR: WS_PHASE_*.
    pub phase: i32,
    /// CLOSED, DISCONNECTED, ERROR: WS_CAUSE_*.
    pub cause: i32,
    /// The HTTP status of the answer to the opening handshake, or 0.
    pub http_status: i32,
    /// The operating system's error number, or 0.
    pub os_error: i32,
    /// CLOSED, DISCONNECTED: how many messages were accepted for sending and never left.
    pub unsent: u32,
    /// CLOSED, DISCONNECTED: 1 when the closing handshake was completed. Else 0.
    pub clean: u32,
    /// When it happened: nanoseconds of the system's monotonic clock since the library's first call.
    pub time_ns: u64,
    /// SKIPPED, and ERROR about what a peer sent: how many.
    pub count: u64,
    /// Zero.
    pub reserved: [u64; 4],
    /// MESSAGE: the message. AUTH: packet.data and len are the data. Any other event: packet.data is a text, lent likewise, NUL-terminated, packet.len without the NUL: the peer's reason
    /// for CLOSE_REQUEST, a sentence that says what happened and what to do for CLOSED, DISCONNECTED and ERROR, else "".
    pub packet: ws_packet,
}

/// A value of Godot's, or the head of a container whose items follow it in the array. Fields that a type has no use for are zero; zero them too when you
/// make one. 160 bytes with 64-bit pointers, 152 with 32-bit.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types)]
pub struct ws_variant {
    /// WS_VARIANT_*.
    pub r#type: i32,
    /// How many items, pairs, elements or names belong to it.
    pub count: u32,
    /// BOOL: 0 or 1. INT. ARRAY, DICTIONARY: what its elements have to be, 0: anything. NODE_PATH: 1 when it is absolute.
    pub integer: i64,
    /// FLOAT: number[0]. The components of vectors, rectangles, transforms and colours. NODE_PATH: number[0] is how many of its names are sub-names.
    pub number: [f64; 16],
    /// STRING, STRING_NAME: UTF-8, not NUL-terminated. Packed arrays: their elements. Lent; never NULL in what was decoded.
    pub data: *const u8,
    /// How many bytes.
    pub len: usize,
}

/// A call that has come. 24 bytes with 64-bit pointers, 16 with 32-bit.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types)]
pub struct ws_call {
    /// The path of the node as it was declared, without "/root/"; NUL-terminated, lent as the packet is.
    pub path: *const c_char,
    /// The name of the method; NUL-terminated, lent likewise.
    pub method: *const c_char,
    /// How many arguments it has.
    pub arguments: u32,
    /// How many items these are, those in containers included.
    pub items: u32,
}

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

/// Counters since the handle was opened. A server: the sum over its clients, past ones included.
// Many fields, as it is the ABI: one flat block of counters that grows at its end.
#[repr(C)]
#[derive(Clone, Copy, Default)]
#[allow(non_camel_case_types)]
pub struct ws_stats {
    /// How many bytes were filled.
    pub struct_size: u32,
    /// Server: connected clients. Else 1 while OPEN.
    pub connections: u32,
    /// Messages received. With WS_AUTH those of a peer count once it is admitted.
    pub messages_in: u64,
    /// Messages accepted for sending.
    pub messages_out: u64,
    /// Bytes of messages received.
    pub bytes_in: u64,
    /// Bytes of messages accepted for sending.
    pub bytes_out: u64,
    /// Bytes read from the transport, above TLS.
    pub wire_bytes_in: u64,
    /// Bytes written to the transport, above TLS.
    pub wire_bytes_out: u64,
    /// Messages that wait for the host, and AUTH events.
    pub queued_packets_in: u64,
    /// Their bytes.
    pub queued_bytes_in: u64,
    /// Messages that wait to be sent: the operating system has not taken them whole.
    pub queued_packets_out: u64,
    /// Bytes that wait to be sent, with the headers of frames. Over wss:// the bytes of a TLS record wait until all of it was taken.
    pub queued_bytes_out: u64,
    /// Messages not taken by a full queue of one of several targets, and messages that came and were dropped, because ws_disconnect() had been called for
    /// their sender, because it had sent more in a second than it may, or because it ended before it was admitted (WS_AUTH).
    pub skipped: u64,
    /// How often reading stopped because the host's queue was full.
    pub inbound_stalls: u64,
    /// The last round-trip time of a ping, in microseconds; 0: none measured.
    pub rtt_us: u64,
    /// Duration of the last ws_poll() of this handle, in microseconds.
    pub last_poll_us: u64,
    /// Duration of the longest ws_poll() of this handle, in microseconds.
    pub longest_poll_us: u64,
    /// Server: clients accepted since it was opened.
    pub accepted: u64,
    /// Server: clients whose opening handshake failed or was refused.
    pub refused: u64,
    /// Server: opening handshakes under way.
    pub pending_handshakes: u64,
    /// Messages that came compressed.
    pub compressed_in: u64,
    /// Messages that were compressed.
    pub compressed_out: u64,
    /// Memory of the contexts of compressors and decompressors, in bytes. A server: of all its clients.
    pub deflate_memory_bytes: u64,
    /// Memory kept for peers beside the queues, in bytes: messages that have not come whole, what was read and not looked at, texts of events, path numbers
    /// and news of a scene.
    pub kept_bytes: u64,
}

const _: () = {
    assert!(size_of::<usize>() == 8 || size_of::<usize>() == 4);
    let wide = size_of::<usize>() == 8;
    assert!(size_of::<ws_packet>() == if wide { 40 } else { 32 });
    assert!(size_of::<ws_event>() == if wide { 128 } else { 120 });
    assert!(std::mem::offset_of!(ws_event, time_ns) == 40);
    assert!(std::mem::offset_of!(ws_event, packet) == 88);
    let pointer = size_of::<usize>();
    assert!(size_of::<ws_variant>() == 16 + 16 * 8 + 2 * pointer);
    assert!(size_of::<ws_call>() == 8 + 2 * pointer);
    assert!(size_of::<ws_config>() == 32 * 4 + 8 * pointer);
    assert!(size_of::<ws_stats>() == 8 + 22 * 8);
};
