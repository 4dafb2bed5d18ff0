//! Exports for queries and settings.

use super::frame::event;
use super::guard::{guard, guard_opening, last_error, wrong};
use super::pointers::{copy_text, need, optional_text, put, put_at, put_optional, text};
use super::types::*;
use crate::codes::*;
use crate::error::Error;
use crate::status::{ErrorCode, Level, Success, Text};
use crate::table::{View, What};
use crate::{journal, names, table};
use std::ffi::c_char;

/// The state of a handle now, while the queue may lag: WS_CONNECTING, WS_OPEN, WS_CLOSING, WS_CLOSED, or WS_ERR_HANDLE. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_get_state(h: ws_handle) -> i32 {
    guard(|| table::state(h))
}

/// How many messages wait behind a handle, or WS_ERR_HANDLE. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_get_available(h: ws_handle) -> i32 {
    guard(|| Ok(i32::try_from(table::available(h)?).unwrap_or(i32::MAX)))
}

/// Copies a text out: WS_GET_URL and the others. Cut at a code point if `cap` is short, always terminated when cap is above 0.
///
/// `len` (may be NULL) is the whole length without the NUL. Returns WS_OK, WS_TRUNCATED, WS_ERR_ARG (unknown `what`), WS_ERR_KIND,
/// WS_ERR_HANDLE, WS_ERR_NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_get_text(
    h: ws_handle,
    what: i32,
    buf: *mut c_char,
    cap: usize,
    len: *mut usize,
) -> ws_result {
    guard(|| {
        put_optional(len, 0);
        let Some(text) = Text::from_code(what) else {
            // A stale handle is reported first, as by every export.
            table::state(h)?;
            return Err(wrong(ErrorCode::Arg, format!("{what} is no WS_GET_*")));
        };
        copy_text(&table::text(h, text)?, buf, cap, len)
    })
}

/// Copies the value of a header out, as ws_get_text(): of the request on a server's client, of the answer on a client. `name` in any case;
/// `index` counts headers of the same name from 0.
///
/// Returns as ws_get_text(), and WS_EMPTY when there is no such header (buf and len are untouched). Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_get_header(
    h: ws_handle,
    name: *const c_char,
    index: u32,
    buf: *mut c_char,
    cap: usize,
    len: *mut usize,
) -> ws_result {
    guard(|| {
        let found =
            text("name", name).and_then(|name| table::header(h, name, index)).inspect_err(|_| put_optional(len, 0))?;
        match found {
            Some(value) => copy_text(&value, buf, cap, len),
            None => Ok(Success::Empty),
        }
    })
}

/// Copies the counters out. `size` is sizeof(ws_stats); fields that this library does not know are left as they are.
///
/// Returns WS_OK, WS_ERR_NULL, WS_ERR_ARG (size below 8), WS_ERR_HANDLE. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_get_stats(h: ws_handle, out: *mut ws_stats, size: usize) -> ws_result {
    guard(|| {
        need("out", out)?;
        if size < 8 {
            return Err(wrong(ErrorCode::Arg, format!("size is {size}: pass sizeof(ws_stats)")));
        }
        let stats = table::stats(h)?;
        let (last_poll_us, longest_poll_us) = stats.poll_us();
        let counters = stats.totals;
        let size = size.min(size_of::<ws_stats>());
        let filled = ws_stats {
            struct_size: size as u32,
            connections: stats.connections,
            messages_in: counters.messages_in,
            messages_out: counters.messages_out,
            bytes_in: counters.bytes_in,
            bytes_out: counters.bytes_out,
            wire_bytes_in: counters.wire_in,
            wire_bytes_out: counters.wire_out,
            queued_packets_in: stats.queued[0],
            queued_bytes_in: stats.queued[1],
            queued_packets_out: stats.queued[2],
            queued_bytes_out: stats.queued[3],
            skipped: counters.skipped,
            inbound_stalls: counters.stalls,
            rtt_us: stats.rtt_us,
            last_poll_us,
            longest_poll_us,
            accepted: stats.server[0],
            refused: stats.server[1],
            pending_handshakes: stats.server[2],
            compressed_in: counters.compressed_in,
            compressed_out: counters.compressed_out,
            deflate_memory_bytes: stats.deflate_memory,
            kept_bytes: stats.kept,
        };
        // SAFETY: the header says that `size` bytes are writable at `out`; no more than the struct is copied.
        unsafe { std::ptr::copy_nonoverlapping((&raw const filled).cast::<u8>(), out.cast::<u8>(), size) };
        Ok(Success::Ok)
    })
}

/// How a connection ended, as its CLOSED or DISCONNECTED tells it; that stays in the queue. For a host that asks for states instead of reading events, while
/// messages still wait in front of the event. packet.data is ""; WS_GET_ERROR and WS_GET_CLOSE_REASON are the texts.
///
/// Returns WS_OK, WS_EMPTY while it lives, WS_ERR_KIND (a server), WS_ERR_HANDLE, WS_ERR_NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_get_end(h: ws_handle, out: *mut ws_event) -> ws_result {
    guard(|| {
        need("out", out)?;
        match table::end(h)? {
            Some((conn, user, peer_id, mark)) => {
                put("out", out, event(&View { conn, user, peer_id, bytes: b"\0", what: What::Mark(&mark) }))
                    .map(|()| Success::Ok)
            }
            None => Ok(Success::Empty),
        }
    })
}

/// Reads an option, WS_OPT_*. Returns WS_OK, WS_ERR_ARG (unknown), WS_ERR_KIND (a server's option), WS_ERR_HANDLE, WS_ERR_NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_get_option(h: ws_handle, option: i32, out: *mut u32) -> ws_result {
    guard(|| {
        need("out", out)?;
        put("out", out, table::option(h, option)?)?;
        Ok(Success::Ok)
    })
}

/// Sets an option, WS_OPT_*, from now on. On a server: for the server and for clients that connect later; set it on a client's handle for that one.
///
/// Returns WS_OK, WS_ERR_ARG (unknown, or a value out of range), WS_ERR_KIND, WS_ERR_HANDLE. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_set_option(h: ws_handle, option: i32, value: u32) -> ws_result {
    guard(|| table::set_option(h, option, value).map(|()| Success::Ok))
}

/// Sets a value of the host's own that comes back in every packet and event of this connection. A server's clients start with their server's.
///
/// Returns WS_OK or WS_ERR_HANDLE. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_set_user(h: ws_handle, user: usize) -> ws_result {
    guard(|| table::set_user(h, user as u64).map(|()| Success::Ok))
}

/// Lists the handles of a server's or a host's clients, those included whose DISCONNECTED was not taken yet.
///
/// `count` is how many there are, even when more than `cap`. Returns WS_OK, WS_TRUNCATED, WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_get_conns(h: ws_handle, out: *mut ws_handle, cap: usize, count: *mut usize) -> ws_result {
    guard(|| give_handles(out, cap, count, || table::conns(h)))
}

/// Lists the handles of those of a server's or a host's clients that have something to take: messages, or events such as CONNECTED. For a host that
/// reads each client by its own handle.
///
/// `count` is how many there are, even when more than `cap`. Returns as ws_get_conns(). Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_get_waiting(h: ws_handle, out: *mut ws_handle, cap: usize, count: *mut usize) -> ws_result {
    guard(|| give_handles(out, cap, count, || table::waiting(h)))
}

/// The handle of the connection to a peer, by its id: on a host that of its client, on a join its own for 1.
///
/// Returns WS_OK, WS_ERR_TARGET (no such peer), WS_ERR_KIND (no host or join), WS_ERR_HANDLE, WS_ERR_NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_get_conn(h: ws_handle, peer_id: i32, out: *mut ws_handle) -> ws_result {
    guard(|| {
        need("out", out)?;
        put("out", out, table::conn(h, peer_id)?)?;
        Ok(Success::Ok)
    })
}

/// The id of a host (1), of a host's client, or of a join (0 until it has come); or WS_ERR_KIND, WS_ERR_HANDLE. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_get_peer_id(h: ws_handle) -> i32 {
    guard(|| table::peer_id(h))
}

/// The name of a result, "WS_OK" and so on; "WS_UNKNOWN" for a number that is none. Static; never NULL. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_result_name(r: ws_result) -> *const c_char {
    let failure = || ErrorCode::from_code(r).map(ErrorCode::name);
    Success::from_code(r).map(Success::name).or_else(failure).unwrap_or(c"WS_UNKNOWN").as_ptr()
}

/// Copies out the sentence of this thread's last failed call: what was wrong and what to do. "" before any. Its words may change; decide by the code.
///
/// As ws_get_text(). Each thread has its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_last_error(buf: *mut c_char, cap: usize, len: *mut usize) -> ws_result {
    let sentence = last_error();
    guard(|| copy_text(&sentence, buf, cap, len))
}

/// Sets which log lines are kept from now on, WS_LOG_*. Returns WS_OK or WS_ERR_ARG. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_set_log_level(level: i32) -> ws_result {
    guard(|| {
        let level = Level::from_code(level).ok_or_else(|| wrong(ErrorCode::Arg, format!("{level} is no WS_LOG_*")))?;
        journal::set_level(level);
        Ok(Success::Ok)
    })
}

/// Gives a word of this header a name that your users know: all sentences have that name from then on, those of ws_last_error(), of events, of
/// WS_GET_ERROR and of the log. For bindings whose options have other names. `word` is a field of ws_config or a flag, as "max_message_bytes" or
/// "WS_QUEUE_BEFORE_OPEN"; `name` has at most 64 bytes, and NULL stands for the word itself. A word that no sentence has is no error.
///
/// Returns WS_OK, WS_ERR_TOO_BIG, WS_ERR_LIMIT (more than 256), WS_ERR_NULL, WS_ERR_UTF8. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_set_name(word: *const c_char, name: *const c_char) -> ws_result {
    guard_opening(|| {
        let (word, name) = (text("word", word)?, optional_text("name", name)?);
        if word.len().max(name.map_or(0, str::len)) > names::MAX_NAME {
            return Err(wrong(
                ErrorCode::TooBig,
                format!("a word or its name is longer than {} bytes", names::MAX_NAME),
            ));
        }
        match names::set(word, name) {
            true => Ok(Success::Ok),
            false => Err(wrong(ErrorCode::Limit, "there are too many names: at most 256")),
        }
    })
}

/// Takes the next log line, "level: text". Nothing is ever printed by the library. At most 1024 lines are kept.
///
/// A line is taken only when it fits; else WS_TRUNCATED, and *len is the room it needs without the NUL. Returns WS_OK, WS_EMPTY, WS_TRUNCATED,
/// WS_ERR_NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_get_log(buf: *mut c_char, cap: usize, len: *mut usize) -> ws_result {
    guard_opening(|| {
        let mut result = Ok(Success::Empty);
        journal::next(|line| {
            result = copy_text(line, buf, cap, len);
            matches!(result, Ok(Success::Ok)) && cap > 0
        });
        result
    })
}

/// What this build and platform can do: WS_FEATURE_* together. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_get_features() -> u32 {
    WS_FEATURE_CLIENT
        | WS_FEATURE_SERVER
        | WS_FEATURE_TLS
        | WS_FEATURE_HEADERS
        | WS_FEATURE_PING
        | WS_FEATURE_WAIT
        | WS_FEATURE_PAIR
        | WS_FEATURE_DEFLATE
        | WS_FEATURE_MULTIPLAYER
        | WS_FEATURE_SCENE
}

/// WS_VERSION of the library that is loaded. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_version() -> u32 {
    WS_VERSION
}

/// WS_ABI_VERSION of the library that is loaded; another one than the header's must not be used. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_abi_version() -> u32 {
    WS_ABI_VERSION
}

/// How many bytes a struct has in the library that is loaded, WS_STRUCT_*: a binding holds its own layouts against it when it loads. ws_packet, ws_event,
/// ws_variant and ws_call are equal in all versions with one WS_ABI_VERSION; the others are at least as long as in the header that they were taken from.
///
/// Returns the size, or 0 for a number that is none. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_struct_size(which: i32) -> u32 {
    let size = match which {
        WS_STRUCT_CONFIG => size_of::<ws_config>(),
        WS_STRUCT_STATS => size_of::<ws_stats>(),
        WS_STRUCT_PACKET => size_of::<ws_packet>(),
        WS_STRUCT_EVENT => size_of::<ws_event>(),
        WS_STRUCT_VARIANT => size_of::<ws_variant>(),
        WS_STRUCT_CALL => size_of::<ws_call>(),
        _ => 0,
    };
    size as u32
}

fn give_handles(
    out: *mut ws_handle,
    cap: usize,
    count: *mut usize,
    list: impl FnOnce() -> Result<Vec<u32>, Error>,
) -> Result<Success, Error> {
    put("count", count, 0)?;
    if cap > 0 {
        need("out", out)?;
    }
    let handles = list()?;
    for (index, handle) in handles.iter().take(cap).enumerate() {
        put_at(out, index, *handle);
    }
    put("count", count, handles.len())?;
    Ok(if handles.len() > cap { Success::Truncated } else { Success::Ok })
}
