//! Export that serves files.

use super::guard::{guard, wrong};
use super::pointers::{optional_text, text};
use super::types::*;
use crate::codes::WS_SERVE_ISOLATED;
use crate::status::{ErrorCode, Success};
use crate::table;
use std::ffi::c_char;

/// Serves the files of a directory from the port of a server or host: the page of a game beside the game. Plain GET and
/// HEAD requests whose path begins with `prefix` ("/", "/game") get the file at the rest of the path, or index.html for
/// a directory. Nothing is served without this call. Of several prefixes the longest one counts; a call with the same
/// prefix again replaces its directory, and `directory` NULL removes it. `flags` is 0 or WS_SERVE_ISOLATED.
///
/// Only regular files below the directory are sent: no hidden ones (their names begin with a dot) and nothing behind a
/// link, whatever the path says. Served requests cause no events and do not count as clients; requests to open a
/// WebSocket are never served. Files are read by threads of the library, and sent within poll_budget_us behind the
/// messages to the clients. max_downloads, max_downloads_per_address and WS_OPT_DOWNLOAD_TIMEOUT_MS limit them.
/// docs/serving.md says which types, compressed files, ranges and conditions are known.
///
/// Returns WS_OK, WS_ERR_ARG (`prefix` is no path that begins with a slash and has only names that can be served, or
/// `flags`; to be removed: there is no such prefix), WS_ERR_DIRECTORY, WS_ERR_KIND (not a server), WS_ERR_STATE (it is
/// closing), WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8, WS_ERR_TOO_BIG. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_serve(
    server: ws_handle,
    prefix: *const c_char,
    directory: *const c_char,
    flags: u32,
) -> ws_result {
    guard(|| {
        let (prefix, directory) = (text("prefix", prefix)?, optional_text("directory", directory)?);
        if flags & !WS_SERVE_ISOLATED != 0 {
            return Err(wrong(ErrorCode::Arg, format!("{flags} is no combination of WS_SERVE_*")));
        }
        table::serve(server, prefix, directory, flags & WS_SERVE_ISOLATED != 0).map(|()| Success::Ok)
    })
}
