//! Exports that send.

use super::guard::{guard, wrong};
use super::pointers::{bytes, get_at, need, put};
use super::types::*;
use crate::codes::{WS_BINARY, WS_CALL, WS_REPLICATION, WS_TEXT};
use crate::error::Error;
use crate::names::said::BINARY;
use crate::status::{ErrorCode, MessageType, Success};
use crate::table::{self, Packet, Packets};

/// Sends a message of type WS_TEXT or WS_BINARY; its bytes are copied. A client sends to its peer. A server or host
/// sends to all OPEN clients, and encodes the message once. A join sends to the host in Godot 4's format, and to
/// everyone with WS_SCENE or WS_GODOT3, which have no WS_TEXT. With WS_SCENE a message of type WS_BINARY is what
/// Godot's send_bytes() sends, and one of type WS_CALL, made by ws_encode_call(), calls a method of a node on the other
/// side; one of type WS_REPLICATION is sent as it is.
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
        if r#type == WS_REPLICATION {
            return table::put_replication(h, None, call(data, len)?);
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
        if r#type == WS_REPLICATION {
            return table::put_replication(h, Some(target), call(data, len)?);
        }
        let (text, payload) = message(data, len, r#type)?;
        table::put_to(h, target, text, payload)
    })
}

/// Puts packets[0] to packets[n - 1], in order, up to the first that is not accepted. Each has the rules and the effect
/// of ws_put_packet(), or of ws_put_packet_to() if its target is not 0, but one call costs less than n.
/// Without WS_COALESCE the messages are written together: at the end of the call, every 128 KiB, and when a full queue
/// would refuse one. Through a server's or host's handle, clients are written to while poll_budget_us lasts; ws_flush()
/// or the next poll writes to the others. Messages that another thread puts go before or after all of these.
///
/// `taken` is set to the number of accepted messages; packets[*taken] is the first that was not. To a full queue, put it
/// and those behind it again after WRITABLE; to skip it, go on at packets[*taken + 1].
/// The call never blocks. Its time grows with the accepted messages, not with n: outbound_packets and outbound_bytes
/// bound what it adds to a queue, beside what the transport takes meanwhile.
///
/// Returns WS_OK (all are accepted; also if n is 0), WS_PARTIAL (all are accepted, one or more not by every client), or
/// the error for packets[*taken]. With a `taken` of 0 also WS_ERR_HANDLE, WS_ERR_NULL (`packets` or `taken`),
/// WS_ERR_TOO_BIG (n). Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_put_packets(
    h: ws_handle,
    packets: *const ws_packet_out,
    n: usize,
    taken: *mut usize,
) -> ws_result {
    guard(|| {
        put("taken", taken, 0)?;
        if n > 0 {
            need("packets", packets)?;
        }
        if n > isize::MAX as usize / size_of::<ws_packet_out>() {
            return Err(wrong(ErrorCode::TooBig, "n is over what memory can hold"));
        }
        let mut count = 0;
        let result = table::put_several(h, &Array { first: packets, len: n }, &mut count);
        put("taken", taken, count)?;
        result
    })
}

/// Writes queued output, as much as the transport takes. A server: that of all its clients.
///
/// Returns WS_OK or WS_ERR_HANDLE. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_flush(h: ws_handle) -> ws_result {
    guard(|| table::flush(h).map(|()| Success::Ok))
}

/// The program's array of messages, which is not NULL unless it is empty.
struct Array {
    first: *const ws_packet_out,
    len: usize,
}

impl Packets for Array {
    #[inline(always)]
    fn count(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn get(&self, index: usize) -> Result<Packet<'_>, Error> {
        packet(get_at(self.first, index))
    }
}

#[inline(always)]
pub(super) fn packet<'a>(of: ws_packet_out) -> Result<Packet<'a>, Error> {
    let target = (of.target != 0).then_some(of.target);
    if of.r#type == WS_CALL || of.r#type == WS_REPLICATION {
        let kind = if of.r#type == WS_CALL { MessageType::Call } else { MessageType::Replication };
        return Ok(Packet { target, kind, bytes: call(of.data, of.len)? });
    }
    let (text, bytes) = message(of.data, of.len, of.r#type)?;
    Ok(Packet { target, kind: if text { MessageType::Text } else { MessageType::Binary }, bytes })
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
        WS_TEXT => Err(wrong(
            ErrorCode::Utf8,
            format!("the text is not valid UTF-8: fix the encoding, or send it as {BINARY}"),
        )),
        _ => Err(no_type(kind)),
    }
}

/// A message that is no call, as only a call needs each one to arrive.
pub(super) fn replaceable<'a>(data: *const u8, len: usize, kind: i32) -> Result<Packet<'a>, Error> {
    if kind == WS_CALL || kind == WS_REPLICATION {
        return Err(wrong(ErrorCode::Arg, "calls and replication cannot be replaced: put them with ws_put_packet"));
    }
    packet(ws_packet_out { data, len, r#type: kind, target: 0 })
}

#[cold]
fn no_type(kind: i32) -> Error {
    wrong(ErrorCode::Arg, format!("{kind} is not a message type: use WS_TEXT, WS_BINARY, WS_CALL or WS_REPLICATION"))
}
