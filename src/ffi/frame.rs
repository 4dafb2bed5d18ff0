//! Exports for every frame: polling and taking items.

use super::guard::{guard, wrong};
use super::pointers::{need, put, put_at};
use super::types::*;
use crate::status::{ErrorCode, EventKind, MessageType, Success};
use crate::table::{self, View, What};

/// Does the work of a handle: connects, accepts, reads, answers pings, writes, and checks timers. Call it once a frame
/// for every handle, except those of a server's clients: the server's poll includes them, and polling one polls its
/// server. Never blocks, and works for at most poll_budget_us.
/// After more than a second without ws_poll() or ws_wait(), as behind a loading screen, all timeouts are extended by
/// that gap. A program that polls less often than once a second therefore has no timeouts: let it call ws_wait().
///
/// Returns WS_OK, WS_MORE (the budget is exhausted and work is left), WS_ERR_HANDLE. A CLOSED handle is not an error.
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_poll(h: ws_handle) -> ws_result {
    guard(|| Ok(if table::poll(h)? { Success::More } else { Success::Ok }))
}

/// Takes the next message, and leaves other events in the queue. A server's handle takes from its clients in turn; a
/// client's own handle takes from that client only.
///
/// out->data is lent to the program until the next call that takes items through the same handle (WS_EMPTY included),
/// or its ws_free(). ws_poll() does not end the loan. The bytes may be sent again through any handle. Returns WS_OK,
/// WS_EMPTY, WS_ERR_HANDLE, WS_ERR_NULL. One thread at a time may take items through a handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_get_packet(h: ws_handle, out: *mut ws_packet) -> ws_result {
    guard(|| {
        need("out", out)?;
        let count = table::take_messages(h, 1, |_, view| put_at(out, 0, packet(&view)))?;
        Ok(if count == 0 { Success::Empty } else { Success::Ok })
    })
}

/// Takes up to `cap` messages at once, as repeated calls of ws_get_packet() would. All of them stay valid together,
/// until the next call that takes items.
///
/// `count` is set to the number of messages written to `out`. Returns WS_OK, WS_EMPTY (there is none), WS_ERR_HANDLE,
/// WS_ERR_NULL, WS_ERR_ARG (`cap` is 0). One thread at a time, as for ws_get_packet().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_get_packets(h: ws_handle, out: *mut ws_packet, cap: usize, count: *mut usize) -> ws_result {
    guard(|| {
        check_batch(out, cap, count)?;
        let taken = table::take_messages(h, cap, |index, view| put_at(out, index, packet(&view)))?;
        put("count", count, taken)?;
        Ok(if taken == 0 { Success::Empty } else { Success::Ok })
    })
}

/// Takes the next item, whatever its type: OPEN, MESSAGE, CLOSE_REQUEST, CLOSED and the others, in order. A server's
/// handle takes from its clients in turn, in order within each, and the server's own events.
///
/// out->packet.data is lent as by ws_get_packet(). Returns WS_OK, WS_EMPTY, WS_ERR_HANDLE, WS_ERR_NULL. One thread at a
/// time, as for ws_get_packet().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_next_event(h: ws_handle, out: *mut ws_event) -> ws_result {
    guard(|| {
        need("out", out)?;
        let count = table::take_items(h, 1, |_, view| put_at(out, 0, event(&view)))?;
        Ok(if count == 0 { Success::Empty } else { Success::Ok })
    })
}

/// Takes up to `cap` items at once, as repeated calls of ws_next_event() would. All of them stay valid together, until
/// the next call that takes items.
///
/// `count` is set to the number of items written to `out`. Returns as ws_get_packets(). One thread at a time, as for
/// ws_get_packet().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_next_events(h: ws_handle, out: *mut ws_event, cap: usize, count: *mut usize) -> ws_result {
    guard(|| {
        check_batch(out, cap, count)?;
        let taken = table::take_items(h, cap, |index, view| put_at(out, index, event(&view)))?;
        put("count", count, taken)?;
        Ok(if taken == 0 { Success::Empty } else { Success::Ok })
    })
}

fn check_batch<T>(out: *mut T, cap: usize, count: *mut usize) -> Result<(), crate::error::Error> {
    put("count", count, 0)?;
    need("out", out)?;
    match cap {
        0 => Err(wrong(ErrorCode::Arg, "cap is 0: give room for at least one item")),
        _ if cap > isize::MAX as usize / size_of::<T>() => {
            Err(wrong(ErrorCode::TooBig, "cap is over what memory can hold"))
        }
        _ => Ok(()),
    }
}

fn packet(view: &View<'_>) -> ws_packet {
    let (r#type, len) = match view.what {
        What::Message(kind) => (kind.code(), view.bytes.len()),
        // The NUL after the text is not counted.
        What::Mark(_) => (0, view.bytes.len() - 1),
    };
    ws_packet {
        data: view.bytes.as_ptr(),
        len,
        r#type,
        peer_id: view.peer_id,
        conn: view.conn,
        flags: 0,
        user: view.user,
    }
}

/// The event that reports a message.
fn reported_as(kind: MessageType) -> EventKind {
    match kind {
        MessageType::Text | MessageType::Binary | MessageType::Call | MessageType::Replication => EventKind::Message,
        MessageType::Spawn => EventKind::Spawn,
        MessageType::Despawn => EventKind::Despawn,
        MessageType::Sync => EventKind::Sync,
    }
}

pub(super) fn event(view: &View<'_>) -> ws_event {
    let blank = ws_event {
        r#type: EventKind::Message.code(),
        conn: view.conn,
        peer_id: view.peer_id,
        code: 0,
        phase: 0,
        cause: 0,
        http_status: 0,
        os_error: 0,
        unsent: 0,
        clean: 0,
        time_ns: 0,
        count: 0,
        reserved: [0; 4],
        packet: packet(view),
    };
    match view.what {
        What::Message(kind) => ws_event { r#type: reported_as(kind).code(), ..blank },
        What::Mark(mark) => ws_event {
            r#type: mark.kind.code(),
            code: mark.code,
            phase: mark.phase.code(),
            cause: mark.cause.code(),
            http_status: mark.http_status,
            os_error: mark.os_error,
            unsent: mark.unsent,
            clean: u32::from(mark.clean),
            time_ns: mark.time_ns,
            count: mark.count,
            ..blank
        },
    }
}
