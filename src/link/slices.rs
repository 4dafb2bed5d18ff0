//! How much of a message is compressed or encoded at a time, so that a poll can end in between.

/// The ratio of a message is judged above this size alone.
pub(super) const RATIO_FREE: usize = 1 << 20;

/// Bytes compressed between two checks of the budget: what takes some 100 µs where the data are hard for that level.
pub fn slice_bytes(level: u8) -> usize {
    match level {
        0..=2 => 8 << 10,
        3..=5 => 2 << 10,
        6 => 1 << 10,
        _ => 128,
    }
}

/// A message above this is compressed in slices, from the next poll or flush on.
pub fn at_once_bytes(level: u8) -> usize {
    8 * slice_bytes(level)
}

/// Whether the slice of a message that leads up to `end` has to go without compression, so that no part of it becomes more than `max_ratio` times its size:
/// the peer may refuse what we would refuse. `sent`: bytes that came out before it. Half the ratio is kept to, as a receiver judges inside of slices.
pub(crate) fn must_store(message_len: usize, end: usize, sent: usize, max_ratio: u64) -> bool {
    message_len > RATIO_FREE && max_ratio < u64::MAX && (sent as u64).saturating_mul(max_ratio) < 2 * end as u64
}

/// Bytes of a message without compression that are encoded between two checks of the budget: a longer one leaves in fragments.
pub(crate) const PLAIN_SLICE: usize = 64 << 10;
