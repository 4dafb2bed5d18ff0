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

/// Returns the current state: WS_CONNECTING, WS_OPEN, WS_CLOSING or WS_CLOSED; or WS_ERR_HANDLE. The events that led to
/// it may still be queued. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_get_state(h: ws_handle) -> i32 {
    guard(|| table::state(h))
}

/// Returns the number of messages that can be taken through a handle, or WS_ERR_HANDLE. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_get_available(h: ws_handle) -> i32 {
    guard(|| Ok(i32::try_from(table::available(h)?).unwrap_or(i32::MAX)))
}

/// Copies a text of a handle, WS_GET_*, to `buf`. A text that does not fit in `cap` bytes is cut at a code point. The
/// text is NUL-terminated if `cap` is above 0.
///
/// `len` (may be NULL) is set to the whole length in bytes, without the NUL. Returns WS_OK, WS_TRUNCATED, WS_ERR_ARG
/// (unknown `what`), WS_ERR_KIND (a server has only WS_GET_URL and WS_GET_LOCAL_ADDRESS), WS_ERR_HANDLE, WS_ERR_NULL.
/// Thread-safe.
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

/// Copies the value of an HTTP header to `buf`, as ws_get_text() does. A server's client has the headers of its
/// request, a client those of the response. `name` is not case-sensitive. `index` counts headers of the same name from
/// 0.
///
/// Returns as ws_get_text(), and WS_EMPTY if there is no such header; `buf` and `len` are then unchanged. Thread-safe.
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

/// Copies the counters of a handle to `out`. `size` is sizeof(ws_stats). Fields that the loaded library does not have
/// are left unchanged.
///
/// Returns WS_OK, WS_ERR_NULL, WS_ERR_ARG (`size` is below 8), WS_ERR_HANDLE. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_get_stats(h: ws_handle, out: *mut ws_stats, size: usize) -> ws_result {
    guard(|| {
        need("out", out)?;
        if size < 8 {
            return Err(wrong(ErrorCode::Arg, format!("size is {size}: pass sizeof(ws_stats)")));
        }
        let stats = table::stats(h)?;
        let (last_poll_us, longest_poll_us) = stats.poll_us();
        let (counters, refused) = (stats.totals, stats.clients.refused);
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
            skipped: counters.rare.skipped,
            inbound_stalls: counters.rare.stalls,
            rtt_us: stats.rtt_us,
            last_poll_us,
            longest_poll_us,
            accepted: stats.clients.accepted,
            refused: refused.total,
            pending_handshakes: stats.clients.pending,
            compressed_in: counters.rare.compressed_in,
            compressed_out: counters.rare.compressed_out,
            deflate_memory_bytes: stats.deflate_memory,
            kept_bytes: stats.kept,
            downloads: stats.downloads[0],
            served: stats.downloads[1],
            refused_limit: refused.limit,
            refused_request: refused.request,
            refused_tls: refused.tls,
            refused_proxy: refused.proxy,
            refused_timeout: refused.timeout,
            refused_gone: refused.gone,
            refused_waiting: stats.clients.refused_waiting,
            pending_requests: stats.clients.requests,
            lost: stats.clients.lost,
            losses: counters.rare.losses,
            resumed: counters.rare.resumed,
            sent_again: counters.rare.sent_again,
            unacknowledged_packets: stats.unacknowledged[0],
            unacknowledged_bytes: stats.unacknowledged[1],
            sim_bytes: stats.lines[0],
            sim_losses: stats.lines[1],
            topics: stats.topics[0],
            subscriptions: stats.topics[1],
            replaced: counters.rare.replaced,
            held_bytes: stats.held[0],
            most_held_bytes: stats.held[1],
            ceiling_ended: stats.held[2],
        };
        // SAFETY: the header says that `size` bytes are writable at `out`; no more than the struct is copied.
        unsafe { std::ptr::copy_nonoverlapping((&raw const filled).cast::<u8>(), out.cast::<u8>(), size) };
        Ok(Success::Ok)
    })
}

/// Reports how a connection ended, as its CLOSED or DISCONNECTED event does, and leaves that event in the queue. A
/// program that checks states instead of events learns the end from it while messages are still queued before the
/// event. packet.data is "": ws_get_text() has the texts, WS_GET_ERROR and WS_GET_CLOSE_REASON.
///
/// Returns WS_OK, WS_EMPTY (the connection has not ended), WS_ERR_KIND (a server's own handle), WS_ERR_HANDLE,
/// WS_ERR_NULL. Thread-safe.
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

/// Reads an option, WS_OPT_*.
///
/// Returns WS_OK, WS_ERR_ARG (unknown option), WS_ERR_KIND (this type of handle does not have it), WS_ERR_HANDLE,
/// WS_ERR_NULL. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_get_option(h: ws_handle, option: i32, out: *mut u32) -> ws_result {
    guard(|| {
        need("out", out)?;
        put("out", out, table::option(h, option)?)?;
        Ok(Success::Ok)
    })
}

/// Sets an option, WS_OPT_*, from now on. On a server it applies to the server and to clients that connect later; set
/// it on a client's handle to change that client.
///
/// Returns WS_OK, WS_ERR_ARG (unknown option, or a value out of range), WS_ERR_KIND (this type of handle does not have
/// it), WS_ERR_HANDLE. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_set_option(h: ws_handle, option: i32, value: u32) -> ws_result {
    guard(|| table::set_option(h, option, value).map(|()| Success::Ok))
}

/// Sets a value of the program's choice, which the `user` field of every packet and event of this connection has from
/// now on. A server's clients start with the value of their server.
///
/// Returns WS_OK or WS_ERR_HANDLE. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_set_user(h: ws_handle, user: usize) -> ws_result {
    guard(|| table::set_user(h, user as u64).map(|()| Success::Ok))
}

/// Lists the handles of the clients of a server or host, including those whose DISCONNECTED event has not been taken,
/// and with WS_ASK those whose request waits for an answer.
///
/// `count` is set to the number of clients, even if it exceeds `cap`. Returns WS_OK, WS_TRUNCATED (`out` has only the
/// first `cap`), WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_get_conns(h: ws_handle, out: *mut ws_handle, cap: usize, count: *mut usize) -> ws_result {
    guard(|| give_handles(out, cap, count, || table::conns(h)))
}

/// Lists the handles of those clients of a server or host that have messages or events to take, for programs that take
/// them through each client's handle.
///
/// `count` is set to the number of these clients, even if it exceeds `cap`. Returns as ws_get_conns(). Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_get_waiting(h: ws_handle, out: *mut ws_handle, cap: usize, count: *mut usize) -> ws_result {
    guard(|| give_handles(out, cap, count, || table::waiting(h)))
}

/// Sets `out` to the handle of the connection to a peer, by the peer's id. A host: the handle of its client. A join:
/// its own handle, for peer 1.
///
/// Returns WS_OK, WS_ERR_TARGET (no such peer), WS_ERR_KIND (neither a host nor a join), WS_ERR_HANDLE, WS_ERR_NULL.
/// Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_get_conn(h: ws_handle, peer_id: i32, out: *mut ws_handle) -> ws_result {
    guard(|| {
        need("out", out)?;
        put("out", out, table::conn(h, peer_id)?)?;
        Ok(Success::Ok)
    })
}

/// Returns the id of a host (1), of a host's client, or of a join (0 until it has one); or WS_ERR_KIND, WS_ERR_HANDLE.
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_get_peer_id(h: ws_handle) -> i32 {
    guard(|| table::peer_id(h))
}

/// Returns the name of a result, such as "WS_OK"; "WS_UNKNOWN" for any other number. The text is static and never NULL.
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_result_name(r: ws_result) -> *const c_char {
    let failure = || ErrorCode::from_code(r).map(ErrorCode::name);
    Success::from_code(r).map(Success::name).or_else(failure).unwrap_or(c"WS_UNKNOWN").as_ptr()
}

/// Copies the error text of this thread's last failed call to `buf`: what was wrong, and what to do. "" if none has
/// failed. The wording may change, so base decisions on the result code.
///
/// Outputs and results as ws_get_text(). Each thread has its own text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_last_error(buf: *mut c_char, cap: usize, len: *mut usize) -> ws_result {
    let why = last_error();
    guard(|| copy_text(&why, buf, cap, len))
}

/// Sets which log lines are kept from now on: those of level `level`, WS_LOG_*, and of the more severe ones.
///
/// Returns WS_OK or WS_ERR_ARG. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_set_log_level(level: i32) -> ws_result {
    guard(|| {
        let level = Level::from_code(level).ok_or_else(|| wrong(ErrorCode::Arg, format!("{level} is no WS_LOG_*")))?;
        journal::set_level(level);
        Ok(Success::Ok)
    })
}

/// Sets the name that error texts, event texts and log lines use from now on for a field of ws_config or a flag: for
/// bindings whose options have other names. `word` is the name in this header, such as "max_message_bytes" or
/// "WS_QUEUE_BEFORE_OPEN". `name` is the new name, or NULL for the name in this header. Each has at most 64 bytes. A
/// word that no text uses is not an error.
///
/// Returns WS_OK, WS_ERR_TOO_BIG, WS_ERR_LIMIT (more than 256 names), WS_ERR_NULL, WS_ERR_UTF8. Thread-safe.
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

/// Takes the oldest log line, "level: text". The library keeps the last 1024 lines. It prints nothing, unless the
/// environment variable WSPEER_LOG is "error", "warn", "info" or "debug" when the library is first used: then the
/// lines of that level and the more severe ones are written to standard error too, whatever is kept.
///
/// The line is removed only if it fits. If not, the result is WS_TRUNCATED, and `len` (may be NULL) is its length in
/// bytes, without the NUL. Returns WS_OK, WS_EMPTY, WS_TRUNCATED, WS_ERR_NULL. Thread-safe.
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

/// Returns what this build and platform support: WS_FEATURE_*, combined by |. Thread-safe.
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

/// Returns WS_VERSION of the loaded library. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_version() -> u32 {
    WS_VERSION
}

/// Returns WS_ABI_VERSION of the loaded library. A program must not use a library whose number differs from its
/// header's. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_abi_version() -> u32 {
    WS_ABI_VERSION
}

/// Returns the size of a struct, WS_STRUCT_*, in the loaded library, in bytes; 0 for an unknown number. A binding
/// compares its own layouts with it when it loads. ws_packet, ws_packet_out, ws_event, ws_variant, ws_call and
/// ws_replicated have the same size in all versions with the same WS_ABI_VERSION; ws_config, ws_stats and ws_sim are at
/// least as large as in the header of the binding. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_struct_size(which: i32) -> u32 {
    let size = match which {
        WS_STRUCT_CONFIG => size_of::<ws_config>(),
        WS_STRUCT_STATS => size_of::<ws_stats>(),
        WS_STRUCT_PACKET => size_of::<ws_packet>(),
        WS_STRUCT_EVENT => size_of::<ws_event>(),
        WS_STRUCT_VARIANT => size_of::<ws_variant>(),
        WS_STRUCT_CALL => size_of::<ws_call>(),
        WS_STRUCT_PACKET_OUT => size_of::<ws_packet_out>(),
        WS_STRUCT_SIM => size_of::<ws_sim>(),
        WS_STRUCT_REPLICATED => size_of::<ws_replicated>(),
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
