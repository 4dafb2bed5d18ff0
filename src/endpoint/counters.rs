//! Counters of a connection.

/// Counters of one connection as a snapshot, or sums of several.
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
    /// Counters of what does not occur on every connection.
    pub rare: RareCounters,
}

/// Counters of what does not occur on every connection.
#[derive(Default, Clone, Copy)]
pub struct RareCounters {
    /// Messages to several targets that this one did not accept; in totals also received messages that were dropped.
    pub skipped: u64,
    /// Number of times that reading paused because the inbound queue was full.
    pub stalls: u64,
    /// Messages received compressed.
    pub compressed_in: u64,
    /// Messages sent compressed.
    pub compressed_out: u64,
    /// Links that were lost.
    pub losses: u64,
    /// Sessions that were resumed.
    pub resumed: u64,
    /// Messages that were sent again when a session was resumed.
    pub sent_again: u64,
    /// Messages that a newer one of the same key has replaced.
    pub replaced: u64,
}

/// Counters as a connection keeps them: the rare ones are allocated at the first occurrence.
#[derive(Default)]
pub struct Tally {
    /// As in `Counters`.
    pub messages_in: u64,
    /// As in `Counters`.
    pub messages_out: u64,
    /// As in `Counters`.
    pub bytes_in: u64,
    /// As in `Counters`.
    pub bytes_out: u64,
    /// As in `Counters`.
    pub wire_in: u64,
    /// As in `Counters`.
    pub wire_out: u64,
    rare: Option<Box<RareCounters>>,
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
        self.rare.skipped += other.rare.skipped;
        self.rare.stalls += other.rare.stalls;
        self.rare.compressed_in += other.rare.compressed_in;
        self.rare.compressed_out += other.rare.compressed_out;
        self.rare.losses += other.rare.losses;
        self.rare.resumed += other.rare.resumed;
        self.rare.sent_again += other.rare.sent_again;
        self.rare.replaced += other.rare.replaced;
    }
}

impl Tally {
    /// The rare counters, to be changed.
    pub fn rare(&mut self) -> &mut RareCounters {
        self.rare.get_or_insert_default()
    }

    /// The counters now.
    pub fn snapshot(&self) -> Counters {
        let Tally { messages_in, messages_out, bytes_in, bytes_out, wire_in, wire_out, .. } = *self;
        let rare = self.rare.as_deref().copied().unwrap_or_default();
        Counters { messages_in, messages_out, bytes_in, bytes_out, wire_in, wire_out, rare }
    }
}
