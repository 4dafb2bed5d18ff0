//! Exports that open handles, and those of attached transports.

use super::guard::{guard, guard_opening, wrong};
use super::pointers::{need, put, put_optional, text};
use super::types::*;
use super::{config, pointers};
use crate::codes::{WS_ROLE_CLIENT, WS_ROLE_SERVER};
use crate::protocol::Role;
use crate::status::{ErrorCode, Success};
use crate::table;
use std::ffi::c_char;

/// Fills a config with zeros, which mean the defaults, and sets its struct_size. Pass sizeof(ws_config) as `size`: the
/// program then keeps working with later libraries, whose struct is larger.
///
/// Returns WS_OK, WS_ERR_NULL, WS_ERR_CONFIG (an impossible size). Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_config_init(config: *mut ws_config, size: usize) -> ws_result {
    guard(|| {
        need("config", config)?;
        if !(8..=4_096).contains(&size) {
            return Err(wrong(ErrorCode::Config, format!("size is {size}: pass sizeof(ws_config)")));
        }
        // SAFETY: the header says that `size` bytes are writable at `config`; NULL was refused above.
        unsafe {
            std::ptr::write_bytes(config.cast::<u8>(), 0, size);
            config.cast::<u32>().write_unaligned(size as u32);
        }
        Ok(Success::Ok)
    })
}

/// Opens a client: "ws://host:port/path?query" or "wss://...". Returns at once with a handle in state CONNECTING; poll
/// it until OPEN or CLOSED. A network failure is reported by the CLOSED event.
/// A user name and password in the URL become an Authorization header (RFC 7617), unless `headers` has one. A #fragment
/// is ignored. A link-local IPv6 address needs its interface, by name or number: "ws://[fe80::1%25eth0]:9080" (RFC
/// 6874) or "ws://[fe80::1%eth0]:9080". The Host header omits it. "localhost" is not looked up: it is ::1 and, at once
/// if that refuses, 127.0.0.1, so it reaches a server that listens on either.
/// In a web page "/path", "path" and "?query" mean the page's own server, by wss if the page came over https.
///
/// `config` may be NULL. Returns WS_OK and the handle, or WS_ERR_URL, WS_ERR_CONFIG, WS_ERR_TLS, WS_ERR_LIMIT,
/// WS_ERR_NULL, WS_ERR_UTF8. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_connect(url: *const c_char, config: *const ws_config, out: *mut ws_handle) -> ws_result {
    guard_opening(|| {
        need("out", out)?;
        let url = text("url", url)?;
        let handle = table::connect(url, config::read(config, false)?)?;
        put("out", out, handle)?;
        Ok(Success::Ok)
    })
}

/// Finds out why a client cannot connect. It opens a connection of its own as ws_connect() would, pings the server
/// once, and closes. Poll it: each step is a STEP event, and CLOSED is the last. The text of CLOSED says what is wrong
/// and what to do; its cause is WS_CAUSE_NONE if everything works. Messages of the server are dropped, and puts are
/// WS_ERR_STATE.
/// The texts are made for a bug report: they have no query, no user name or password, and no values of cookies,
/// authorization or unknown headers. docs/diagnose.md shows one.
/// Opening and ping take at most connect_timeout_ms each. No TLS session is resumed, and heartbeat_ms is not used.
///
/// URL, `config` and results as for ws_connect(). Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_diagnose(url: *const c_char, config: *const ws_config, out: *mut ws_handle) -> ws_result {
    guard_opening(|| {
        need("out", out)?;
        let url = text("url", url)?;
        let handle = table::diagnose(url, config::read(config, false)?)?;
        put("out", out, handle)?;
        Ok(Success::Ok)
    })
}

/// Opens a server: "ws://127.0.0.1:9080", "wss://[::]:443", "ws://*:9080", "ws://localhost:0". The host is an IP
/// address, localhost or *: 0.0.0.0 is IPv4 only, [::] is IPv6 only, * is both. Port 0 chooses any free port;
/// WS_OPT_PORT returns it. A link-local address is written as for ws_connect().
/// A path other than "/" restricts requests to that path: others are refused with 404. A query, fragment, user name or
/// password is WS_ERR_URL. wss:// needs cert_pem and key_pem. A failure to bind is reported at once.
///
/// `config` may be NULL. Returns WS_OK and the handle, or WS_ERR_ADDRESS, WS_ERR_URL, WS_ERR_CONFIG, WS_ERR_TLS,
/// WS_ERR_LIMIT, WS_ERR_NULL, WS_ERR_UTF8. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_listen(url: *const c_char, config: *const ws_config, out: *mut ws_handle) -> ws_result {
    guard_opening(|| {
        need("out", out)?;
        let url = text("url", url)?;
        let handle = table::listen(url, config::read(config, true)?)?;
        put("out", out, handle)?;
        Ok(Success::Ok)
    })
}

/// Opens a multiplayer host, which is peer 1: a server as ws_listen() opens it, whose clients get random ids from 2 to
/// 2147483647. Targets of ws_put_packet_to() and ws_disconnect() are ids. The peer_id of a packet is its sender, that
/// of an event the peer that it is about.
/// The format is Godot 4's; with WS_GODOT3 it is that of Godot 3.2 to 3.6, and with WS_SCENE that of SceneMultiplayer.
/// With either flag the host also relays messages between its clients. on_full is WS_FULL_DISCONNECT unless set.
///
/// URL, `config` and results as for ws_listen(). Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_host(url: *const c_char, config: *const ws_config, out: *mut ws_handle) -> ws_result {
    guard_opening(|| {
        need("out", out)?;
        let url = text("url", url)?;
        let handle = table::host(url, config::read_multiplayer(config, true)?)?;
        put("out", out, handle)?;
        Ok(Success::Ok)
    })
}

/// Opens a multiplayer client: it joins a host opened by ws_host() or by Godot. The URL is as for ws_connect(). The
/// join is CONNECTING until it receives its id, for at most connect_timeout_ms; with WS_AUTH until it is admitted. Then
/// OPEN reports its id, as peer_id, and CONNECTED reports peer 1, the host. With WS_SCENE or WS_GODOT3, CONNECTED and
/// DISCONNECTED also report the other peers. CLOSED is the last event and stands for all peers.
///
/// `config` may be NULL. Returns as ws_connect(). Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_join(url: *const c_char, config: *const ws_config, out: *mut ws_handle) -> ws_result {
    guard_opening(|| {
        need("out", out)?;
        let url = text("url", url)?;
        let handle = table::join(url, config::read_multiplayer(config, false)?)?;
        put("out", out, handle)?;
        Ok(Success::Ok)
    })
}

/// Joins a host of this process in memory, in the host's format: for the player at the host's machine. The player gets
/// an id and is reported to the others like every player; only WS_OPT_REFUSE_NEW, the path and the limits of clients do
/// not apply to it. Poll both handles; they have separate locks.
///
/// `config` is the player's and may be NULL. Returns WS_OK and the handle, or WS_ERR_KIND (not a host), WS_ERR_STATE
/// (the host is closing), WS_ERR_HANDLE, WS_ERR_CONFIG, WS_ERR_LIMIT, WS_ERR_NULL. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_join_local(host: ws_handle, config: *const ws_config, out: *mut ws_handle) -> ws_result {
    guard_opening(|| {
        need("out", out)?;
        let handle = table::join_local(host, config::read_local(config)?)?;
        put("out", out, handle)?;
        Ok(Success::Ok)
    })
}

/// Opens two connections that talk to each other in memory by the real protocol: for a local player, and for tests.
/// Each end moves its bytes in its own ws_poll(). Both share one lock.
///
/// `config` applies to both ends and may be NULL. Returns WS_OK and the handles, or an error as ws_connect().
/// Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_pair(
    config: *const ws_config,
    server_end: *mut ws_handle,
    client_end: *mut ws_handle,
) -> ws_result {
    guard_opening(|| {
        need("server_end", server_end)?;
        need("client_end", client_end)?;
        let (server, client) = table::pair(config::read(config, false)?)?;
        put("server_end", server_end, server)?;
        put("client_end", client_end, client)?;
        Ok(Success::Ok)
    })
}

/// Opens a connection whose bytes the program transports itself, with ws_feed() and ws_take_output(): another
/// transport, a recording, a test. `role` is WS_ROLE_CLIENT or WS_ROLE_SERVER.
///
/// `config` may be NULL. Returns WS_OK and the handle, or WS_ERR_ARG, or an error as ws_connect(). Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_attach(config: *const ws_config, role: i32, out: *mut ws_handle) -> ws_result {
    guard_opening(|| {
        need("out", out)?;
        let settings = config::read(config, false)?;
        let role = match role {
            WS_ROLE_SERVER => Role::Server,
            WS_ROLE_CLIENT => Role::Client,
            _ => {
                return Err(wrong(
                    ErrorCode::Arg,
                    format!("{role} is not a role: use WS_ROLE_CLIENT or WS_ROLE_SERVER"),
                ));
            }
        };
        let handle = table::attach(role, settings)?;
        put("out", out, handle)?;
        Ok(Success::Ok)
    })
}

/// Passes bytes that the program's transport received to a connection of ws_attach(). They are copied, and the next
/// ws_poll() processes them. `bytes` NULL with `len` 0 reports the end of the transport.
///
/// `taken` (may be NULL) is set to the number of bytes taken. It is below `len`, or 0, if the program does not poll or
/// does not take messages: pass the remaining bytes later. Returns WS_OK, or WS_ERR_STATE (the connection has ended),
/// WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_TOO_BIG. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_feed(h: ws_handle, bytes: *const u8, len: usize, taken: *mut usize) -> ws_result {
    guard(|| {
        put_optional(taken, 0);
        let input = if bytes.is_null() && len == 0 { None } else { Some(pointers::bytes("bytes", bytes, len)?) };
        put_optional(taken, table::feed(h, input)?);
        Ok(Success::Ok)
    })
}

/// Takes bytes that the program's transport has to send for a connection of ws_attach(). Call it after each ws_poll()
/// and each message sent, until *len is 0. When the state is CLOSED and *len is 0, end the transport.
///
/// `len` is set to the number of bytes written to `buf`. Returns WS_OK, or WS_EMPTY (there are none), WS_ERR_KIND,
/// WS_ERR_HANDLE, WS_ERR_NULL. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_take_output(h: ws_handle, buf: *mut u8, cap: usize, len: *mut usize) -> ws_result {
    guard(|| {
        put("len", len, 0)?;
        if cap > 0 {
            need("buf", buf)?;
        }
        if cap > isize::MAX as usize {
            return Err(wrong(ErrorCode::TooBig, "cap is over what memory can hold"));
        }
        let mut piece = [0; 4_096];
        let mut total = 0;
        while total < cap {
            let room = piece.len().min(cap - total);
            let count = table::take_output(h, &mut piece[..room])?;
            if count == 0 {
                break;
            }
            // SAFETY: the header says that `cap` bytes are writable at `buf`; `total + count` is at most `cap`.
            unsafe { std::ptr::copy_nonoverlapping(piece.as_ptr(), buf.add(total), count) };
            total += count;
        }
        if cap == 0 {
            table::take_output(h, &mut [])?;
        }
        put("len", len, total)?;
        Ok(if total == 0 { Success::Empty } else { Success::Ok })
    })
}
