//! Sending the latest only.

use super::guard::guard;
use super::talk::replaceable;
use super::types::*;
use crate::role::Packet;
use crate::status::MessageType;
use crate::table;
use crate::work::Latest;

/// Sends a message that stands for what is true now, such as the position of an object: it takes the place of the one
/// that was put with the same key to the same connection, if that has not begun to leave; otherwise it goes behind what
/// was put before. So a slow line never carries a backlog of old states, and messages of ws_put_packet() between them
/// keep their order. `target` is as for ws_put_packet_to(); 0: where ws_put_packet() sends it. `key` is any number. The
/// receiver sees ordinary messages.
/// To keep them replaceable the library hands the system no more than the line takes until the next poll, as far as the
/// system says what it has not sent (Linux, Android, Apple's systems); elsewhere what is in the system's buffer is not
/// replaced. A host that relays a message of a join does not know its key. A message that was handed to a link and is
/// not acknowledged (session_ms) is sent again unchanged. ws_stats.replaced counts the messages that did not leave.
///
/// Returns as ws_put_packet() or ws_put_packet_to(); WS_ERR_FULL leaves the older message in its place; WS_ERR_ARG for
/// WS_CALL. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_put_latest(
    h: ws_handle,
    target: i32,
    key: u32,
    data: *const u8,
    len: usize,
    r#type: i32,
) -> ws_result {
    guard(|| {
        let Packet { kind, bytes, .. } = replaceable(data, len, r#type)?;
        let is_text = kind == MessageType::Text;
        table::put_latest(h, (target != 0).then_some(target), latest(key), is_text, bytes)
    })
}

/// How a message with this key replaces an older one.
pub(super) fn latest(key: u32) -> Latest {
    Latest { key: key.into(), unsent }
}

/// Bytes that the system has accepted on a socket and not sent.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn unsent(socket: i32) -> Option<u32> {
    /// From linux/sockios.h.
    const SIOCOUTQNSD: u32 = 0x894B;
    let mut bytes: libc::c_int = 0;
    // SAFETY: the request writes one int, which lives; a descriptor that is no socket is an error.
    let result = unsafe { libc::ioctl(socket, SIOCOUTQNSD as _, &raw mut bytes) };
    if result == 0 { u32::try_from(bytes).ok() } else { None }
}

/// Bytes that the system has accepted on a socket and that the peer has not acknowledged: Apple's systems do not tell
/// which of them were sent.
#[cfg(target_vendor = "apple")]
fn unsent(socket: i32) -> Option<u32> {
    let mut bytes: libc::c_int = 0;
    let mut size = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the option is one int, which lives as its size does; a descriptor that is no socket is an error.
    let result =
        unsafe { libc::getsockopt(socket, libc::SOL_SOCKET, libc::SO_NWRITE, (&raw mut bytes).cast(), &raw mut size) };
    if result == 0 { u32::try_from(bytes).ok() } else { None }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn unsent(_: i32) -> Option<u32> {
    None
}
