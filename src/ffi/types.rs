//! The structs that cross the boundary. No implicit padding; sizes are asserted here, in C and in Python.

pub use super::config_fields::ws_config;
use std::ffi::c_char;

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
    /// Messages that wait for the host, and AUTH events. Messages of a peer that is not admitted (WS_AUTH) count for kept_bytes instead.
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
    /// Messages that came compressed. They count when those of messages_in do.
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
    assert!(size_of::<ws_stats>() == 8 + 22 * 8);
};
