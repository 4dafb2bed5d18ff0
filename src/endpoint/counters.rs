//! Counters of a connection.

/// Counters of one connection, or sums of several.
#[derive(Default, Clone, Copy)]
pub struct Counters {
    /// Messages received.
    pub messages_in: u64,
    /// Messages accepted for sending.
    pub messages_out: u64,
    /// Bytes of messages received.
    pub bytes_in: u64,
    /// Bytes of messages accepted for sending.
    pub bytes_out: u64,
    /// Bytes read from the transport.
    pub wire_in: u64,
    /// Bytes written to the transport.
    pub wire_out: u64,
    /// Messages to several targets that this one did not accept; in totals also received messages that were dropped.
    pub skipped: u64,
    /// Number of times that reading paused because the inbound queue was full.
    pub stalls: u64,
    /// Messages received compressed.
    pub compressed_in: u64,
    /// Messages sent compressed.
    pub compressed_out: u64,
}

impl Counters {
    /// Adds the counters of another connection.
    pub fn add(&mut self, other: &Counters) {
        self.messages_in += other.messages_in;
        self.messages_out += other.messages_out;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.wire_in += other.wire_in;
        self.wire_out += other.wire_out;
        self.skipped += other.skipped;
        self.stalls += other.stalls;
        self.compressed_in += other.compressed_in;
        self.compressed_out += other.compressed_out;
    }
}
