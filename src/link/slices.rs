//! Slice sizes: how much of a message is compressed or encoded between two checks of the budget.

/// The compression ratio is limited only for messages above this size.
pub(super) const RATIO_FREE: usize = 1 << 20;

/// Bytes compressed between two checks of the budget: about 100 µs of work if the data are hard to compress at that
/// level.
pub fn slice_bytes(level: u8) -> usize {
    match level {
        0..=2 => 8 << 10,
        3..=5 => 2 << 10,
        6 => 1 << 10,
        _ => 128,
    }
}

/// A message above this size is compressed in slices, starting at the next poll or flush.
pub fn at_once_bytes(level: u8) -> usize {
    8 * slice_bytes(level)
}

/// Whether to store the slice that ends at `end` without compressing it, so that no part of the message exceeds the
/// compression ratio `max_ratio`: the peer may enforce the same limit as we do. `sent`: bytes of output before this
/// slice. Keeps to half the ratio, because a receiver also checks within slices.
pub(crate) fn must_store(message_len: usize, end: usize, sent: usize, max_ratio: u64) -> bool {
    message_len > RATIO_FREE && max_ratio < u64::MAX && (sent as u64).saturating_mul(max_ratio) < 2 * end as u64
}

/// Bytes of an uncompressed message that are encoded between two checks of the budget. A longer message is sent in
/// fragments.
pub(crate) const PLAIN_SLICE: usize = 64 << 10;
