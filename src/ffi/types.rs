//! The structs of the C interface. They have no implicit padding; their sizes are asserted here, in C and in Python.

pub use super::config_fields::ws_config;
use std::ffi::c_char;

/// A connection, a server or a client of a server. 0 is never a valid handle. A stale handle gives WS_ERR_HANDLE, never
/// a crash: its number is reused only after 2146435072 later handles, less 2047 for each handle that stays open
/// meanwhile.
/// A handle has 31 bits, so that -handle can mean "all but this one".
#[allow(non_camel_case_types)]
pub type ws_handle = u32;

/// The result of a call. 0 and above: success. Below 0: WS_ERR_*.
#[allow(non_camel_case_types)]
pub type ws_result = i32;

/// A received message. 40 bytes with 64-bit pointers, 32 with 32-bit pointers.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types)]
pub struct ws_packet {
    /// The bytes, lent to the program: valid until the next call that takes items through the same handle, or its
    /// ws_free(). Never NULL. A message is not NUL-terminated.
    pub data: *const u8,
    /// Length of data in bytes. 0: the message is empty.
    pub len: usize,
    /// WS_TEXT, WS_BINARY, WS_CALL, WS_REPLICATION, WS_SPAWN, WS_DESPAWN or WS_SYNC.
    pub r#type: i32,
    /// Multiplayer: id of the sender. Else 0.
    pub peer_id: i32,
    /// The connection that received it: a server's client, or the handle itself.
    pub conn: ws_handle,
    /// Always 0 in this version.
    pub flags: u32,
    /// The value that ws_set_user() or ws_config.user gave the connection.
    pub user: u64,
}

/// A message for ws_put_packets(). 24 bytes with 64-bit pointers, 16 with 32-bit pointers.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types)]
pub struct ws_packet_out {
    /// The bytes, which ws_put_packets() copies. May be NULL if len is 0.
    pub data: *const u8,
    /// Length of data in bytes.
    pub len: usize,
    /// WS_TEXT, WS_BINARY, WS_CALL or WS_REPLICATION.
    pub r#type: i32,
    /// 0: the message goes where ws_put_packet() sends it. Otherwise a target of ws_put_packet_to(), and the handle is
    /// a server, a host or a join.
    pub target: i32,
}

/// An event. 128 bytes with 64-bit pointers, 120 with 32-bit pointers.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types)]
pub struct ws_event {
    /// WS_EVENT_*.
    pub r#type: i32,
    /// The connection that the event is about.
    pub conn: ws_handle,
    /// Multiplayer: id of the peer that the event is about; in the OPEN of a join, the join's id. Else 0.
    pub peer_id: i32,
    /// CLOSE_REQUEST, CLOSED, DISCONNECTED: the close code (RFC 6455 section 7.1.5). 1005: the close frame had none.
    /// 1006: there was no close frame. Else 0.
    pub code: i32,
    /// CLOSED, DISCONNECTED, ERROR, STEP, REFUSED: WS_PHASE_*.
    pub phase: i32,
    /// CLOSED, DISCONNECTED, ERROR, STEP, REFUSED: WS_CAUSE_*.
    pub cause: i32,
    /// HTTP status of the response to the opening handshake, or 0.
    pub http_status: i32,
    /// The operating system's error number, or 0.
    pub os_error: i32,
    /// CLOSED, DISCONNECTED: number of messages that were accepted for sending and not sent.
    pub unsent: u32,
    /// CLOSED, DISCONNECTED: 1 if the closing handshake was completed, or goes on behind ws_disconnect(). Else 0.
    pub clean: u32,
    /// Time of the event: nanoseconds on the system's monotonic clock since the first call of the library. 0 for
    /// MESSAGE, SPAWN, DESPAWN and SYNC.
    pub time_ns: u64,
    /// SKIPPED: number of messages or events left out. ERROR with WS_SCENE or WS_GODOT3: number of packets. REFUSED:
    /// number of clients. REQUEST: 1 if it opens a WebSocket. Else 0.
    pub count: u64,
    /// Always 0 in this version.
    pub reserved: [u64; 4],
    /// MESSAGE, SPAWN, DESPAWN, SYNC: the message. AUTH: data and len are the authentication data. REQUEST: data and len
    /// are the body.
    /// Any other event: data is a text, lent like a message and NUL-terminated; len does not count the NUL.
    /// CLOSE_REQUEST: the peer's reason. CLOSED, DISCONNECTED and ERROR: a sentence that says what happened and what to
    /// do. STEP: a sentence that says what happened. REFUSED: WS_EVENT_REFUSED says what. Else "".
    pub packet: ws_packet,
}

/// A Godot value, or the head of a container, whose items follow it in the array. Fields that the type does not use are
/// 0; set them to 0 when sending too. 160 bytes with 64-bit pointers, 152 with 32-bit pointers.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types)]
pub struct ws_variant {
    /// WS_VARIANT_*.
    pub r#type: i32,
    /// Number of items, pairs, elements or names that belong to it.
    pub count: u32,
    /// BOOL: 0 or 1. INT: the number. ARRAY, DICTIONARY: the required types of the elements, 0 for any. NODE_PATH: 1 if
    /// it is absolute.
    pub integer: i64,
    /// FLOAT: number[0]. Vectors, rectangles, transforms, colours and the like: the components. NODE_PATH: number[0] is
    /// the number of sub-names.
    pub number: [f64; 16],
    /// STRING, STRING_NAME: UTF-8 without a NUL at the end. Packed arrays: the elements. Decoded values: lent, and
    /// never NULL.
    pub data: *const u8,
    /// Length of data in bytes.
    pub len: usize,
}

/// A received remote call. 24 bytes with 64-bit pointers, 16 with 32-bit pointers.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types)]
pub struct ws_call {
    /// Path of the node as it was declared, without "/root/". NUL-terminated; lent as long as the packet.
    pub path: *const c_char,
    /// Name of the method. NUL-terminated; lent as long as the packet.
    pub method: *const c_char,
    /// Number of arguments.
    pub arguments: u32,
    /// Number of items in the arguments, those in containers included.
    pub items: u32,
}

/// A node that a peer has spawned, despawned or synchronized. 32 bytes with 64-bit pointers, 24 with 32-bit pointers.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types)]
pub struct ws_replicated {
    /// Path of the spawner as it was declared, without "/root/"; scene is WS_NO_SCENE: that of the synchronizer.
    /// NUL-terminated; lent as long as the packet.
    pub path: *const c_char,
    /// SPAWN: the node's name below the spawner's spawn path. Else "". NUL-terminated; lent as long as the packet.
    pub name: *const c_char,
    /// The node: its number among those of the peer, which is used again only after its DESPAWN.
    pub node: u32,
    /// Index of the scene in the spawner's list, WS_CUSTOM_SCENE, or WS_NO_SCENE.
    pub scene: u32,
    /// Number of items.
    pub items: u32,
    /// How many of the first items are the data of a custom spawn, one value. 0: there is none.
    pub data_items: u32,
}

/// Counters since the handle was opened. A server: the sum over its clients, former ones included.
// A flat struct because it is part of the ABI: it grows at its end.
#[repr(C)]
#[derive(Clone, Copy, Default)]
#[allow(non_camel_case_types)]
pub struct ws_stats {
    /// Number of bytes that ws_get_stats() filled.
    pub struct_size: u32,
    /// Server: number of connected clients. Else 1 while OPEN, otherwise 0.
    pub connections: u32,
    /// Messages received. With WS_AUTH, the messages of a peer count once it is admitted.
    pub messages_in: u64,
    /// Messages accepted for sending.
    pub messages_out: u64,
    /// Bytes of the messages received.
    pub bytes_in: u64,
    /// Bytes of the messages accepted for sending.
    pub bytes_out: u64,
    /// Bytes read from the transport, after TLS decryption.
    pub wire_bytes_in: u64,
    /// Bytes written to the transport, before TLS encryption.
    pub wire_bytes_out: u64,
    /// Messages and AUTH events that the program has not taken yet. With WS_AUTH, messages of a peer that is not
    /// admitted count in kept_bytes instead.
    pub queued_packets_in: u64,
    /// Bytes of these messages and AUTH events.
    pub queued_bytes_in: u64,
    /// Messages to be sent: the operating system has not taken all of their bytes.
    pub queued_packets_out: u64,
    /// Bytes to be sent, frame headers included. Over wss:// the bytes of a TLS record count until the operating system
    /// has taken the whole record.
    pub queued_bytes_out: u64,
    /// Messages to several targets that a full queue did not take, and received messages that were dropped: after
    /// ws_disconnect() of their sender, beyond its rate limit, or because it ended before it was admitted (WS_AUTH).
    pub skipped: u64,
    /// Number of times that reading paused because the inbound queue was full.
    pub inbound_stalls: u64,
    /// Round-trip time of the last answered ping, in microseconds. 0: none was measured. Always 0 on a server's own
    /// handle.
    pub rtt_us: u64,
    /// Duration of the last ws_poll() of this handle, in microseconds.
    pub last_poll_us: u64,
    /// Duration of the longest ws_poll() of this handle, in microseconds.
    pub longest_poll_us: u64,
    /// Server: clients accepted since it was opened.
    pub accepted: u64,
    /// Server: clients that were refused, or whose opening handshake failed: the sum of refused_limit, refused_request,
    /// refused_tls, refused_proxy, refused_timeout and refused_gone. Not those that the program's ws_close() ended.
    pub refused: u64,
    /// Server: opening handshakes in progress.
    pub pending_handshakes: u64,
    /// Compressed messages received. They are counted together with messages_in.
    pub compressed_in: u64,
    /// Messages that were sent compressed.
    pub compressed_out: u64,
    /// Memory of the compressors and decompressors, in bytes. A server: of all its clients.
    pub deflate_memory_bytes: u64,
    /// Memory kept for peers outside the queues, in bytes: incomplete messages, bytes that were read and not decoded
    /// yet, texts of events; in multiplayer also node numbers and pending notifications of peers, and with WS_AUTH the
    /// messages of peers that are not admitted.
    pub kept_bytes: u64,
    /// Server: files that ws_serve() is sending.
    pub downloads: u64,
    /// Server: requests that ws_serve() has begun to answer.
    pub served: u64,
    /// Server: of `refused`, those that a limit or WS_REFUSE_NEW refused (WS_CAUSE_LIMIT, WS_CAUSE_RESOURCES).
    pub refused_limit: u64,
    /// Server: of `refused`, those whose request was not valid or not accepted: another path, host, origin or
    /// subprotocol (WS_CAUSE_HTTP_STATUS, WS_CAUSE_HTTP_INVALID, WS_CAUSE_HTTP_TOO_BIG, WS_CAUSE_SUBPROTOCOL).
    pub refused_request: u64,
    /// Server: of `refused`, those whose TLS handshake failed (WS_PHASE_TLS).
    pub refused_tls: u64,
    /// Server: of `refused`, connections of trusted_proxies without a valid PROXY header (WS_PHASE_PROXY).
    pub refused_proxy: u64,
    /// Server: of `refused`, those that took longer than handshake_timeout_ms (WS_CAUSE_HANDSHAKE_TIMEOUT).
    pub refused_timeout: u64,
    /// Server: of `refused`, those that left, or whose transport failed (WS_CAUSE_PEER_GONE, WS_CAUSE_RESET).
    pub refused_gone: u64,
    /// Server: REFUSED events that the program has not taken yet.
    pub refused_waiting: u64,
    /// Server with WS_ASK: requests that wait for ws_accept() or ws_reply(). They count in pending_handshakes too.
    pub pending_requests: u64,
    /// Server with session_ms: clients that have lost their link, and may come back. They count in connections too.
    pub lost: u64,
    /// With WS_RECONNECT or session_ms: links that were lost since the opening.
    pub losses: u64,
    /// With session_ms: sessions that were resumed since the opening.
    pub resumed: u64,
    /// With session_ms: messages that were sent again on another link.
    pub sent_again: u64,
    /// With session_ms: messages that were accepted and that the peer has not acknowledged.
    pub unacknowledged_packets: u64,
    /// Bytes of these messages, with 64 for each, as session_bytes limits them.
    pub unacknowledged_bytes: u64,
    /// Bytes that the simulated networks of open links hold (ws_set_sim()), and 64 for each packet.
    pub sim_bytes: u64,
    /// Packets that were lost on these networks, and arrive late. Those of links that have ended do not count.
    pub sim_losses: u64,
    /// Server: topics that have subscribers.
    pub topics: u64,
    /// Server: subscriptions of all clients to topics; a client: its topics.
    pub subscriptions: u64,
    /// Messages of ws_put_latest() and ws_publish_latest() that a newer one of the same key has replaced.
    pub replaced: u64,
    /// Server: bytes that its clients make it hold, as max_total_mib limits them; a client: what it holds of them.
    pub held_bytes: u64,
    /// Server: the most that held_bytes was at the end of a poll, once it was above half of max_total_mib.
    pub most_held_bytes: u64,
    /// Server: clients that were ended because of max_total_mib.
    pub ceiling_ended: u64,
}

/// A bad network, for ws_set_sim(). Fill it with ws_sim_init(). The fields up_* are about the bytes from the client to
/// the server, down_* about those from the server to the client, whichever end simulates. 104 bytes.
// A flat struct because it is part of the ABI: it grows at its end, and zeros mean a perfect network.
#[repr(C)]
#[derive(Clone, Copy, Default)]
#[allow(non_camel_case_types)]
pub struct ws_sim {
    /// Size of this struct in bytes; ws_sim_init() sets it.
    pub struct_size: u32,
    /// Seed of the random numbers. The same seed has the same effect.
    pub seed: u32,
    /// Time that each byte takes, in microseconds; at most 60000000.
    pub up_lag_us: u32,
    /// As up_lag_us.
    pub down_lag_us: u32,
    /// Up to this time is added for each packet, uniformly distributed, in microseconds; at most 60000000. Bytes
    /// never overtake others: a late packet holds up those behind it, and they arrive together.
    pub up_jitter_us: u32,
    /// As up_jitter_us.
    pub down_jitter_us: u32,
    /// Bandwidth in bytes per second. 0: unlimited.
    pub up_bytes_per_s: u32,
    /// As up_bytes_per_s.
    pub down_bytes_per_s: u32,
    /// Bytes that may leave at once after a pause, the size of the token bucket. 0: 14000.
    pub up_burst_bytes: u32,
    /// As up_burst_bytes.
    pub down_burst_bytes: u32,
    /// Packets out of a million that are lost. TCP repeats them: they arrive loss_stall_us later, and all behind
    /// them waits. A packet has up to 1400 bytes of one write.
    pub up_loss_ppm: u32,
    /// As up_loss_ppm.
    pub down_loss_ppm: u32,
    /// Time that a loss costs, in microseconds; at most 60000000. 0: lag_us of both directions and 200000.
    pub up_loss_stall_us: u32,
    /// As up_loss_stall_us.
    pub down_loss_stall_us: u32,
    /// Bytes that may wait to leave; at most 16777216. 0: 65536. Beside them a line holds those that are under way,
    /// at most 4 MiB of them. Each packet counts 64 bytes more.
    pub up_buffer_bytes: u32,
    /// As up_buffer_bytes.
    pub down_buffer_bytes: u32,
    /// Nothing arrives from this time on, in milliseconds since the link is OPEN, or since the call.
    pub up_stall_from_ms: u32,
    /// As up_stall_from_ms.
    pub down_stall_from_ms: u32,
    /// Duration of the stall in milliseconds; then all arrives at once. 0: no stall.
    pub up_stall_for_ms: u32,
    /// As up_stall_for_ms.
    pub down_stall_for_ms: u32,
    /// Another stall begins this time after the one before has begun, in milliseconds; more than stall_for_ms.
    /// 0: there is only one.
    pub up_stall_every_ms: u32,
    /// As up_stall_every_ms.
    pub down_stall_every_ms: u32,
    /// After this number of bytes nothing arrives any more, and no error tells of it. 0: never.
    pub up_half_open_bytes: u32,
    /// As up_half_open_bytes.
    pub down_half_open_bytes: u32,
    /// After this number of bytes the link is cut, at both ends: it ends with WS_CAUSE_RESET here. 0: never.
    pub up_cut_bytes: u32,
    /// As up_cut_bytes.
    pub down_cut_bytes: u32,
}

const _: () = {
    assert!(size_of::<usize>() == 8 || size_of::<usize>() == 4);
    let wide = size_of::<usize>() == 8;
    assert!(size_of::<ws_packet>() == if wide { 40 } else { 32 });
    assert!(size_of::<ws_packet_out>() == if wide { 24 } else { 16 });
    assert!(size_of::<ws_event>() == if wide { 128 } else { 120 });
    assert!(std::mem::offset_of!(ws_event, time_ns) == 40);
    assert!(std::mem::offset_of!(ws_event, packet) == 88);
    let pointer = size_of::<usize>();
    assert!(size_of::<ws_variant>() == 16 + 16 * 8 + 2 * pointer);
    assert!(size_of::<ws_call>() == 8 + 2 * pointer);
    assert!(size_of::<ws_replicated>() == 16 + 2 * pointer);
    assert!(size_of::<ws_stats>() == 8 + 46 * 8);
    assert!(size_of::<ws_sim>() == 26 * 4);
};
