//! Memory for what a peer or the host makes long: that there is none is a result, not the end of the process.

use crate::codes::WS_ERR_LIMIT;
use crate::error::Error;

/// A copy, where there is memory for it.
pub fn copy(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut copy = Vec::new();
    append(&mut copy, bytes).then_some(copy)
}

/// Appends, where there is memory for it.
pub fn append(to: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let fits = to.try_reserve(bytes.len()).is_ok();
    if fits {
        to.extend_from_slice(bytes);
    }
    fits
}

/// The failure of a put.
#[cold]
pub fn lacks() -> Error {
    Error::new(WS_ERR_LIMIT, "there is no memory left for the message and nothing of it was taken: free some, or send less at a time")
}
