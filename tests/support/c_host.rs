//! The C ABI with owned results: shared by the tests of whole connections.
#![allow(dead_code)] // Each test program uses a part.

use std::ffi::{CStr, CString};
use std::ptr::null;
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::ffi::*;

/// Longer than any step of a test takes, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(150);

/// A generator of numbers below its argument, by Marsaglia's xorshift32: the same numbers for the same seed.
pub fn random_of(seed: u32) -> impl FnMut(u32) -> u32 {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state % below
    }
}

/// A new self-signed certificate for 127.0.0.1, and its key.
pub struct Certificate {
    cert: CString,
    key: CString,
}

impl Certificate {
    pub fn new() -> Certificate {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        Certificate {
            cert: CString::new(made.cert.pem()).unwrap(),
            key: CString::new(made.signing_key.serialize_pem()).unwrap(),
        }
    }
}

/// An event with a copy of its bytes.
#[derive(Clone, Debug)]
pub struct Event {
    pub kind: i32,
    pub conn: u32,
    pub peer_id: i32,
    pub code: i32,
    pub phase: i32,
    pub cause: i32,
    pub http_status: i32,
    pub clean: bool,
    pub unsent: u32,
    pub count: u64,
    pub bytes: Vec<u8>,
}

impl Event {
    pub fn is_end(&self) -> bool {
        self.kind == WS_EVENT_CLOSED || self.kind == WS_EVENT_DISCONNECTED
    }

    pub fn error_text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// The default config, changed by `edit`. A certificate is the server's identity, or the only one that a client trusts.
fn with_config<R>(
    server: bool,
    certificate: Option<&Certificate>,
    edit: impl FnOnce(&mut ws_config),
    call: impl FnOnce(*const ws_config) -> R,
) -> R {
    // SAFETY: a config is numbers and pointers.
    let mut config: ws_config = unsafe { std::mem::zeroed() };
    // SAFETY: it lives.
    assert_eq!(unsafe { ws_config_init(&mut config, size_of::<ws_config>()) }, WS_OK);
    if let Some(certificate) = certificate {
        if server {
            (config.cert_pem, config.key_pem) = (certificate.cert.as_ptr(), certificate.key.as_ptr());
        } else {
            config.ca_pem = certificate.cert.as_ptr();
            config.flags |= WS_ONLY_CA_PEM;
        }
    }
    edit(&mut config);
    call(&config)
}

/// Starts a server on a free port. Returns its handle and port.
pub fn listen(certificate: Option<&Certificate>, edit: impl FnOnce(&mut ws_config)) -> (u32, u16) {
    let url = if certificate.is_some() { c"wss://127.0.0.1:0" } else { c"ws://127.0.0.1:0" };
    let (mut server, mut port) = (0, 0);
    with_config(true, certificate, edit, |config| {
        // SAFETY: everything lives.
        assert_eq!(unsafe { ws_listen(url.as_ptr(), config, &mut server) }, WS_OK, "{}", last_error());
    });
    // SAFETY: it lives.
    assert_eq!(unsafe { ws_get_option(server, WS_OPT_PORT, &mut port) }, WS_OK);
    (server, port as u16)
}

/// Starts a multiplayer host on a free port. Returns its handle and port.
pub fn host(edit: impl FnOnce(&mut ws_config)) -> (u32, u16) {
    host_over(None, edit)
}

pub fn host_over(certificate: Option<&Certificate>, edit: impl FnOnce(&mut ws_config)) -> (u32, u16) {
    let url = if certificate.is_some() { c"wss://127.0.0.1:0" } else { c"ws://127.0.0.1:0" };
    let (mut host, mut port) = (0, 0);
    with_config(true, certificate, edit, |config| {
        // SAFETY: everything lives.
        assert_eq!(unsafe { ws_host(url.as_ptr(), config, &mut host) }, WS_OK, "{}", last_error());
    });
    // SAFETY: it lives.
    assert_eq!(unsafe { ws_get_option(host, WS_OPT_PORT, &mut port) }, WS_OK);
    (host, port as u16)
}

/// Joins the host on that port.
pub fn join(port: u16, certificate: Option<&Certificate>, edit: impl FnOnce(&mut ws_config)) -> u32 {
    let scheme = if certificate.is_some() { "wss" } else { "ws" };
    let url = CString::new(format!("{scheme}://127.0.0.1:{port}")).unwrap();
    let mut join = 0;
    with_config(false, certificate, edit, |config| {
        // SAFETY: everything lives.
        assert_eq!(unsafe { ws_join(url.as_ptr(), config, &mut join) }, WS_OK, "{}", last_error());
    });
    join
}

pub fn connect(port: u16, certificate: Option<&Certificate>, edit: impl FnOnce(&mut ws_config)) -> u32 {
    connect_to(port, "/", certificate, edit)
}

pub fn connect_to(port: u16, path: &str, certificate: Option<&Certificate>, edit: impl FnOnce(&mut ws_config)) -> u32 {
    let scheme = if certificate.is_some() { "wss" } else { "ws" };
    let url = CString::new(format!("{scheme}://127.0.0.1:{port}{path}")).unwrap();
    let mut client = 0;
    with_config(false, certificate, edit, |config| {
        // SAFETY: everything lives.
        assert_eq!(unsafe { ws_connect(url.as_ptr(), config, &mut client) }, WS_OK, "{}", last_error());
    });
    client
}

pub fn last_error() -> String {
    let mut buffer = [0; 512];
    // SAFETY: the buffer lives, and is terminated.
    unsafe {
        ws_last_error(buffer.as_mut_ptr(), buffer.len(), std::ptr::null_mut());
        CStr::from_ptr(buffer.as_ptr()).to_string_lossy().into_owned()
    }
}

/// Takes the next line of the log.
pub fn log_line() -> Option<String> {
    let mut buffer = [0; 2_048];
    // SAFETY: the buffer lives, and is terminated.
    unsafe {
        let result = ws_get_log(buffer.as_mut_ptr(), buffer.len(), std::ptr::null_mut());
        (result == WS_OK).then(|| CStr::from_ptr(buffer.as_ptr()).to_string_lossy().into_owned())
    }
}

pub fn next(handle: u32) -> Option<Event> {
    // SAFETY: an event is numbers and pointers.
    let mut event: ws_event = unsafe { std::mem::zeroed() };
    // SAFETY: it lives.
    if unsafe { ws_next_event(handle, &mut event) } != WS_OK {
        return None;
    }
    // SAFETY: lent until the next read.
    let bytes = unsafe { std::slice::from_raw_parts(event.packet.data, event.packet.len) }.to_vec();
    let ws_event { r#type: kind, conn, peer_id, code, phase, cause, http_status, clean, unsent, count, .. } = event;
    Some(Event { kind, conn, peer_id, code, phase, cause, http_status, clean: clean == 1, unsent, count, bytes })
}

pub fn put(handle: u32, bytes: &[u8]) -> i32 {
    // SAFETY: the bytes live.
    unsafe { ws_put_packet(handle, bytes.as_ptr(), bytes.len(), WS_BINARY) }
}

pub fn close(handle: u32, code: i32) -> i32 {
    // SAFETY: NULL is no reason.
    unsafe { ws_close(handle, code, null()) }
}

pub fn flush(handle: u32) -> i32 {
    ws_flush(handle)
}

/// The path of a client's request.
pub fn path(conn: u32) -> String {
    let mut buffer = [0; 256];
    // SAFETY: the buffer lives, and is terminated.
    unsafe {
        assert_eq!(ws_get_text(conn, WS_GET_PATH, buffer.as_mut_ptr(), buffer.len(), std::ptr::null_mut()), WS_OK);
        CStr::from_ptr(buffer.as_ptr()).to_string_lossy().into_owned()
    }
}

pub fn poll(handle: u32) -> i32 {
    ws_poll(handle)
}

pub fn free(handle: u32) {
    ws_free(handle);
}

/// Handles of a server's clients.
pub fn conns(server: u32) -> Vec<u32> {
    let (mut list, mut count) = (vec![0; 4_096], 0);
    // SAFETY: the list and the count live.
    assert_eq!(unsafe { ws_get_conns(server, list.as_mut_ptr(), list.len(), &mut count) }, WS_OK);
    list.truncate(count);
    list
}

pub fn stats(handle: u32) -> ws_stats {
    // SAFETY: stats are numbers.
    let mut stats: ws_stats = unsafe { std::mem::zeroed() };
    // SAFETY: they live.
    assert_eq!(unsafe { ws_get_stats(handle, &mut stats, size_of::<ws_stats>()) }, WS_OK);
    stats
}

/// Calls `step` until it returns true.
pub fn until(what: &str, mut step: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !step() {
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        std::thread::yield_now();
    }
}
