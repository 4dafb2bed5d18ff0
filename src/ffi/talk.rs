//! Exports that send.

use super::guard::{guard, wrong};
use super::pointers::bytes;
use super::types::*;
use crate::codes::{WS_BINARY, WS_CALL, WS_TEXT};
use crate::error::Error;
use crate::status::{ErrorCode, Success};
use crate::table;

/// Puts a message of type WS_TEXT or WS_BINARY; the bytes are copied. The handle of a server or host: to all its open clients, encoded once.
/// A join: to the host in Godot 4's format, to everyone with WS_SCENE or WS_GODOT3, which have no WS_TEXT. With WS_SCENE a message of type WS_BINARY is
/// what send_bytes() sends, and one of type WS_CALL, made by ws_encode_call(), calls a method of a node at the other side.
/// It is written at once when nothing waits before it; with WS_COALESCE, by ws_flush(), the next polls or at 128 KiB. With WS_DEFLATE a message over 64 KiB is
/// compressed in slices by the polls and flushes that follow.
///
/// Returns WS_OK (accepted), WS_PARTIAL (a server: some clients were full; see SKIPPED), WS_ERR_FULL (not accepted: put it again after WRITABLE),
/// WS_ERR_STATE (not OPEN), WS_ERR_LIMIT (no memory left for it, and nothing was taken), WS_ERR_TOO_BIG, WS_ERR_UTF8, WS_ERR_ARG, WS_ERR_NULL, WS_ERR_HANDLE,
/// WS_ERR_PANIC. Any thread.
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

/// Puts a message to one client of a server (target: its handle), to all (0), or to all but one (target: minus its handle; one that is gone is no error).
/// On a host and a join a target is a peer's id instead. A join in Godot 4's plain format reaches only the host: other targets, 0 included, are
/// WS_ERR_TARGET; with WS_SCENE and WS_GODOT3 it reaches the others by way of the host.
///
/// Returns as ws_put_packet(), and WS_ERR_TARGET (no such client or peer), WS_ERR_ARG (INT32_MIN), WS_ERR_KIND (no server, host or join). Any thread.
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

/// Writes what waits to be sent, as far as the transport takes it. A server: of all its clients.
///
/// Returns WS_OK, WS_ERR_HANDLE, WS_ERR_PANIC. Any thread.
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
