//! Counters.
//! Generated from include/wspeer.h and src/options.toml by `make generate`: do not edit.

use wspeer_core::ffi::ws_stats;

/// Counters since it was opened. A server: the sum over its clients, former ones included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Stats {
    /// Server: number of connected clients. Else 1 while OPEN, otherwise 0.
    pub connections: u32,
    /// Messages received. With `auth()`, the messages of a peer count once it is admitted.
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
    /// Messages and AUTH events that the program has not taken yet. With `auth()`, messages of a peer that is not
    /// admitted count in kept_bytes instead.
    pub queued_packets_in: u64,
    /// Bytes of these messages and AUTH events.
    pub queued_bytes_in: u64,
    /// Messages to be sent: the operating system has not taken all of their bytes.
    pub queued_packets_out: u64,
    /// Bytes to be sent, frame headers included. Over wss:// the bytes of a TLS record count until the operating
    /// system has taken the whole record.
    pub queued_bytes_out: u64,
    /// Messages to several targets that a full queue did not take, and received messages that were dropped: after
    /// `disconnect()` of their sender, beyond its rate limit, or because it ended before it was admitted (`auth()`).
    pub skipped: u64,
    /// Number of times that reading paused because the inbound queue was full.
    pub inbound_stalls: u64,
    /// Round-trip time of the last answered ping, in microseconds. 0: none was measured. Always 0 on a server's own
    /// handle.
    pub rtt_us: u64,
    /// Duration of the last `poll()` of this handle, in microseconds.
    pub last_poll_us: u64,
    /// Duration of the longest `poll()` of this handle, in microseconds.
    pub longest_poll_us: u64,
    /// Server: clients accepted since it was opened.
    pub accepted: u64,
    /// Server: clients that were refused, or whose opening handshake failed: the sum of refused_limit,
    /// refused_request, refused_tls, refused_proxy, refused_timeout and refused_gone. Not those that the program's
    /// `close()` ended.
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
    /// yet, texts of events; in multiplayer also node numbers and pending notifications of peers, and with `auth()`
    /// the messages of peers that are not admitted.
    pub kept_bytes: u64,
    /// Server: files that `serve()` is sending.
    pub downloads: u64,
    /// Server: requests that `serve()` has begun to answer.
    pub served: u64,
    /// Server: of `refused`, those that a limit or `refuse_new()` refused (`Cause::Limit`, `Cause::Resources`).
    pub refused_limit: u64,
    /// Server: of `refused`, those whose request was not valid or not accepted: another path, host, origin or
    /// subprotocol (`Cause::HttpStatus`, `Cause::HttpInvalid`, `Cause::HttpTooBig`, `Cause::Subprotocol`).
    pub refused_request: u64,
    /// Server: of `refused`, those whose TLS handshake failed (`Phase::Tls`).
    pub refused_tls: u64,
    /// Server: of `refused`, connections of trusted_proxies without a valid PROXY header (`Phase::Proxy`).
    pub refused_proxy: u64,
    /// Server: of `refused`, those that took longer than handshake_timeout_ms (`Cause::HandshakeTimeout`).
    pub refused_timeout: u64,
    /// Server: of `refused`, those that left, or whose transport failed (`Cause::PeerGone`, `Cause::Reset`).
    pub refused_gone: u64,
    /// Server: REFUSED events that the program has not taken yet.
    pub refused_waiting: u64,
    /// Server with `ask()`: requests that wait for `accept()` or `reply()`. They count in pending_handshakes too.
    pub pending_requests: u64,
    /// Server with session_ms: clients that have lost their link, and may come back. They count in connections too.
    pub lost: u64,
    /// With `reconnect()` or session_ms: links that were lost since the opening.
    pub losses: u64,
    /// With session_ms: sessions that were resumed since the opening.
    pub resumed: u64,
    /// With session_ms: messages that were sent again on another link.
    pub sent_again: u64,
    /// With session_ms: messages that were accepted and that the peer has not acknowledged.
    pub unacknowledged_packets: u64,
    /// Bytes of these messages, with 64 for each, as session_bytes limits them.
    pub unacknowledged_bytes: u64,
    /// Bytes that the simulated networks of open links hold (`set_sim()`), and 64 for each packet.
    pub sim_bytes: u64,
    /// Packets that were lost on these networks, and arrive late. Those of links that have ended do not count.
    pub sim_losses: u64,
    /// Server: topics that have subscribers.
    pub topics: u64,
    /// Server: subscriptions of all clients to topics; a client: its topics.
    pub subscriptions: u64,
    /// Messages of `send_latest()` and `publish_latest()` that a newer one of the same key has replaced.
    pub replaced: u64,
    /// Server: bytes that its clients make it hold, as max_total_mib limits them; a client: what it holds of them.
    pub held_bytes: u64,
    /// Server: the most that held_bytes was at the end of a poll, once it was above half of max_total_mib.
    pub most_held_bytes: u64,
    /// Server: clients that were ended because of max_total_mib.
    pub ceiling_ended: u64,
}

impl Stats {
    pub(crate) fn from_raw(raw: &ws_stats) -> Stats {
        Stats {
            connections: raw.connections,
            messages_in: raw.messages_in,
            messages_out: raw.messages_out,
            bytes_in: raw.bytes_in,
            bytes_out: raw.bytes_out,
            wire_bytes_in: raw.wire_bytes_in,
            wire_bytes_out: raw.wire_bytes_out,
            queued_packets_in: raw.queued_packets_in,
            queued_bytes_in: raw.queued_bytes_in,
            queued_packets_out: raw.queued_packets_out,
            queued_bytes_out: raw.queued_bytes_out,
            skipped: raw.skipped,
            inbound_stalls: raw.inbound_stalls,
            rtt_us: raw.rtt_us,
            last_poll_us: raw.last_poll_us,
            longest_poll_us: raw.longest_poll_us,
            accepted: raw.accepted,
            refused: raw.refused,
            pending_handshakes: raw.pending_handshakes,
            compressed_in: raw.compressed_in,
            compressed_out: raw.compressed_out,
            deflate_memory_bytes: raw.deflate_memory_bytes,
            kept_bytes: raw.kept_bytes,
            downloads: raw.downloads,
            served: raw.served,
            refused_limit: raw.refused_limit,
            refused_request: raw.refused_request,
            refused_tls: raw.refused_tls,
            refused_proxy: raw.refused_proxy,
            refused_timeout: raw.refused_timeout,
            refused_gone: raw.refused_gone,
            refused_waiting: raw.refused_waiting,
            pending_requests: raw.pending_requests,
            lost: raw.lost,
            losses: raw.losses,
            resumed: raw.resumed,
            sent_again: raw.sent_again,
            unacknowledged_packets: raw.unacknowledged_packets,
            unacknowledged_bytes: raw.unacknowledged_bytes,
            sim_bytes: raw.sim_bytes,
            sim_losses: raw.sim_losses,
            topics: raw.topics,
            subscriptions: raw.subscriptions,
            replaced: raw.replaced,
            held_bytes: raw.held_bytes,
            most_held_bytes: raw.most_held_bytes,
            ceiling_ended: raw.ceiling_ended,
        }
    }
}
