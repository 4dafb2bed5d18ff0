//! Helpers for tests of the C ABI: open handles, wait for them, count their events.
#![allow(dead_code)] // Each test program uses only a part.

use std::ffi::CString;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tungstenite::handshake::derive_accept_key;
use wspeer::codes::*;
use wspeer::ffi::*;

/// Calls a function of the C ABI.
macro_rules! c {
    ($call:expr) => {
        // SAFETY: every pointer of these tests is NULL or points to a live value of its type.
        unsafe { $call }
    };
}

/// A client's opening handshake, with the key of the example in RFC 6455 section 1.3.
pub const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// Locks out the other tests of this program, because calls of one test, such as ws_close or the ws_poll of an
/// in-memory end, wake the ws_wait of all threads.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A zeroed struct.
pub fn blank<T>() -> T {
    // SAFETY: used only for structs of the C ABI. Their fields are integers and pointers, for which zero is valid.
    unsafe { std::mem::zeroed() }
}

/// The default configuration, as changed by `change`.
pub fn config(change: impl FnOnce(&mut ws_config)) -> ws_config {
    let mut config = blank();
    c!(ws_config_init(&mut config, size_of::<ws_config>()));
    change(&mut config);
    config
}

/// Asserts that ws_wait returns for one of the handles within 5 s.
pub fn wait(handles: &[u32]) {
    assert_eq!(
        c!(ws_wait(handles.as_ptr(), handles.len(), 5_000)),
        WS_OK,
        "ws_wait slept although a poll had work to do"
    );
}

/// Takes all queued events. Returns how many are of type `kind` (WS_EVENT_*).
pub fn count(handle: u32, kind: i32) -> usize {
    let mut event: ws_event = blank();
    let mut count = 0;
    while c!(ws_next_event(handle, &mut event)) == WS_OK {
        count += usize::from(event.r#type == kind);
    }
    count
}

/// The port on which a server listens.
pub fn port(server: u32) -> u16 {
    let mut port = 0;
    assert_eq!(c!(ws_get_option(server, WS_OPT_PORT, &mut port)), WS_OK);
    port as u16
}

/// Opens two connected ends in memory and completes the opening handshake. Returns (server, client).
pub fn open_pair(config: &ws_config) -> (u32, u32) {
    let (mut server, mut client) = (0, 0);
    assert_eq!(c!(ws_pair(config, &mut server, &mut client)), WS_OK);
    // The client sends the request, the server answers it, the client reads the answer.
    for handle in [client, server, client] {
        assert!(ws_poll(handle) >= 0);
    }
    assert_eq!((count(server, WS_EVENT_OPEN), count(client, WS_EVENT_OPEN)), (1, 1));
    (server, client)
}

/// Opens a client with `flags`. The test plays the server, on a plain socket. Returns the client and that socket.
pub fn open_client(flags: u32) -> (u32, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = CString::new(format!("ws://127.0.0.1:{}/", listener.local_addr().unwrap().port())).unwrap();
    let mut client = 0;
    assert_eq!(c!(ws_connect(url.as_ptr(), &config(|config| config.flags = flags), &mut client)), WS_OK);
    assert!(ws_poll(client) >= 0);
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        assert!(ws_poll(client) >= 0);
        stream.read_exact(&mut byte).unwrap();
        request.push(byte[0]);
    }
    let request = String::from_utf8(request).unwrap();
    let key = request.split("Sec-WebSocket-Key: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let accept = derive_accept_key(key.as_bytes());
    write!(
        stream,
        "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    )
    .unwrap();
    while count(client, WS_EVENT_OPEN) == 0 {
        wait(&[client]);
        assert!(ws_poll(client) >= 0);
    }
    (client, stream)
}
