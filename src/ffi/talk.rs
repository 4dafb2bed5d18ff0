//! Exports that send.

use super::guard::{guard, wrong};
use super::pointers::bytes;
use super::types::*;
use crate::codes::{WS_BINARY, WS_CALL, WS_TEXT};
use crate::error::Error;
use crate::status::{ErrorCode, Success};
use crate::table;

/// Sends a message of type WS_TEXT or WS_BINARY; its bytes are copied. A client sends to its peer. A server or host
/// sends to all OPEN clients, and encodes the message once. A join sends to the host in Godot 4's format, and to
/// everyone with WS_SCENE or WS_GODOT3, which have no WS_TEXT. With WS_SCENE a message of type WS_BINARY is what
/// Godot's send_bytes() sends, and one of type WS_CALL, made by ws_encode_call(), calls a method of a node on the other
/// side.
/// The message is written at once if no output is queued before it. With WS_COALESCE it waits for ws_flush(), the next
/// poll or 128 KiB. With WS_DEFLATE a message over 64 KiB (less if deflate_level is above 2) is compressed in slices by
/// the following polls and flushes.
///
/// Returns WS_OK (accepted), WS_PARTIAL (a server: the queues of some clients were full; see SKIPPED), WS_ERR_FULL (not
/// accepted: send it again after WRITABLE), WS_ERR_STATE (not OPEN), WS_ERR_LIMIT (not accepted: no memory is left),
/// WS_ERR_TOO_BIG, WS_ERR_UTF8, WS_ERR_ARG, WS_ERR_NULL, WS_ERR_KIND (WS_CALL without WS_SCENE), WS_ERR_HANDLE.
/// Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_put_packet(h: ws_handle, data: *const u8, len: usize, r#type: i32) -> ws_result {
    guard(|| {
        if r#type == WS_CALL {
            return table::put_call(h, None, call(data, len)?);
        }
        let (text, payload) = message(data, len, r#type)?;
        table::put(h, text, payload)
    })
}

/// Sends a message to one client of a server (`target` is its handle), to all clients (0), or to all but one (`target`
/// is minus its handle; that client need not exist). On a host or join a target is a peer's id instead. A join in Godot
/// 4's format reaches only the host: other targets, 0 included, are WS_ERR_TARGET. With WS_SCENE and WS_GODOT3 the host
/// relays messages to the other peers.
///
/// Returns as ws_put_packet(), and WS_ERR_TARGET (no such client or peer), WS_ERR_ARG (INT32_MIN), WS_ERR_KIND (not a
/// server, host or join). Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_put_packet_to(
    h: ws_handle,
    target: i32,
    data: *const u8,
    len: usize,
    r#type: i32,
) -> ws_result {
    guard(|| {
        if r#type == WS_CALL {
            return table::put_call(h, Some(target), call(data, len)?);
        }
        let (text, payload) = message(data, len, r#type)?;
        table::put_to(h, target, text, payload)
    })
}

/// Writes queued output, as much as the transport takes. A server: that of all its clients.
///
/// Returns WS_OK or WS_ERR_HANDLE. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_flush(h: ws_handle) -> ws_result {
    guard(|| table::flush(h).map(|()| Success::Ok))
}

#[cold]
fn call<'a>(data: *const u8, len: usize) -> Result<&'a [u8], Error> {
    if len > u32::MAX as usize / 2 {
        return Err(wrong(ErrorCode::TooBig, "the call is over 2 GiB, or its length is wrong"));
    }
    bytes("data", data, len)
}

#[inline(always)]
fn message<'a>(data: *const u8, len: usize, kind: i32) -> Result<(bool, &'a [u8]), Error> {
    if u32::try_from(len).is_err() {
        return Err(wrong(ErrorCode::TooBig, "the message is over 4 GiB, or its length is wrong"));
    }
    let payload = bytes("data", data, len)?;
    match kind {
        WS_BINARY => Ok((false, payload)),
        WS_TEXT if std::str::from_utf8(payload).is_ok() => Ok((true, payload)),
        WS_TEXT => {
            Err(wrong(ErrorCode::Utf8, "the text is not valid UTF-8: fix the encoding, or send it as WS_BINARY"))
        }
        _ => Err(no_type(kind)),
    }
}

#[cold]
fn no_type(kind: i32) -> Error {
    wrong(ErrorCode::Arg, format!("{kind} is not a message type: use WS_TEXT, WS_BINARY or WS_CALL"))
}
