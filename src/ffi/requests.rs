//! Exports that answer requests.

use super::guard::{guard, wrong};
use super::pointers::{bytes, get_at, need, optional_text, text};
use super::types::*;
use crate::error::Error;
use crate::protocol::{Reply, check_header};
use crate::status::{ErrorCode, Success};
use crate::table;
use std::ffi::c_char;

/// Maximum number of headers of an answer.
const MAX_HEADERS: usize = 100;

/// Accepts the request of a client, after its REQUEST event: the WebSocket is opened, and CONNECTED follows. Frames
/// that the client has sent behind its request are kept. `subprotocol` is one that the client offers in its header
/// Sec-WebSocket-Protocol; NULL chooses as without WS_ASK, by ws_config.subprotocols. `headers` are `n` more lines of
/// the response, "Name: value", besides ws_config.headers; NULL with `n` 0.
/// The call may come in any later frame, from any thread.
///
/// Returns WS_OK, WS_ERR_STATE (no request waits: the client has left, or it was answered), WS_ERR_KIND (not a client
/// of a server, or the request is plain HTTP), WS_ERR_ARG (the subprotocol is not offered, a header is invalid, or `n`
/// is over 100), WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8, WS_ERR_TOO_BIG. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_accept(
    conn: ws_handle,
    subprotocol: *const c_char,
    headers: *const *const c_char,
    n: usize,
) -> ws_result {
    guard(|| {
        let (subprotocol, headers) = (optional_text("subprotocol", subprotocol)?, lines(headers, n)?);
        table::accept(conn, subprotocol, &headers).map(|()| Success::Ok)
    })
}

/// Answers the request of a client with an HTTP response, after its REQUEST event; a request to open a WebSocket is
/// refused by that. `status` is 200 to 599. `headers` are `n` lines, "Name: value", without those that the library
/// writes: Connection, Upgrade, Content-Length, Transfer-Encoding and Sec-WebSocket-*. `body` has `len` bytes; without
/// a header Content-Type it is "text/plain; charset=utf-8". In the answer to HEAD it is not sent.
/// The connection ends when the response has left: DISCONNECTED follows, with phase HTTP and this status. The call may
/// come in any later frame, from any thread.
///
/// Returns WS_OK, WS_ERR_STATE (no request waits: the client has left, or it was answered), WS_ERR_KIND (not a client
/// of a server), WS_ERR_ARG (`status`, a header is invalid, or `n` is over 100), WS_ERR_LIMIT (no memory is left; the
/// request still waits), WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8, WS_ERR_TOO_BIG. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_reply(
    conn: ws_handle,
    status: i32,
    headers: *const *const c_char,
    n: usize,
    body: *const u8,
    len: usize,
) -> ws_result {
    guard(|| {
        let Some(status) = u16::try_from(status).ok().filter(|status| (200..=599).contains(status)) else {
            return Err(wrong(ErrorCode::Arg, format!("{status} is no status of a response: use 200 to 599")));
        };
        let (headers, body) = (lines(headers, n)?, bytes("body", body, len)?);
        let Some(body) = crate::heap::copy(body) else { return Err(crate::heap::lacks()) };
        table::reply(conn, &Reply { status, headers, body }).map(|()| Success::Ok)
    })
}

/// Reads header lines, and refuses what could break out of its line.
fn lines(headers: *const *const c_char, n: usize) -> Result<Vec<(String, String)>, Error> {
    if n == 0 {
        return Ok(Vec::new());
    }
    need("headers", headers)?;
    if n > MAX_HEADERS {
        return Err(wrong(ErrorCode::Arg, format!("n is {n}: an answer has at most {MAX_HEADERS} headers")));
    }
    let line =
        |index| check_header(text("a header", get_at(headers, index))?).map_err(|why| wrong(ErrorCode::Arg, why));
    (0..n).map(line).collect()
}
