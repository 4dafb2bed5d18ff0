//! Handles of the C ABI, and waiting for them.
#![allow(dead_code)] // Each test program uses its own part of it.

use std::ffi::CString;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tungstenite::handshake::derive_accept_key;
use wspeer::codes::*;
use wspeer::ffi::*;

/// A call as C makes it.
macro_rules! c {
    ($call:expr) => {
        // SAFETY: every pointer of these tests is NULL or points to a live value of its type.
        unsafe { $call }
    };
}

pub const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// One test at a time: what one does in memory wakes all that wait.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn blank<T>() -> T {
    // SAFETY: used for the structs of the boundary, which are integers and pointers.
    unsafe { std::mem::zeroed() }
}

pub fn config(change: impl FnOnce(&mut ws_config)) -> ws_config {
    let mut config = blank();
    c!(ws_config_init(&mut config, size_of::<ws_config>()));
    change(&mut config);
    config
}

/// Waits for one of the handles; it has to be worth it.
pub fn wait(handles: &[u32]) {
    assert_eq!(
        c!(ws_wait(handles.as_ptr(), handles.len(), 5_000)),
        WS_OK,
        "it slept through what a poll would have got done"
    );
}

/// Takes all items; how many of a kind.
pub fn count(handle: u32, kind: i32) -> usize {
    let mut event: ws_event = blank();
    let mut count = 0;
    while c!(ws_next_event(handle, &mut event)) == WS_OK {
        count += usize::from(event.r#type == kind);
    }
    count
}

pub fn port(server: u32) -> u16 {
    let mut port = 0;
    assert_eq!(c!(ws_get_option(server, WS_OPT_PORT, &mut port)), WS_OK);
    port as u16
}

pub fn open_pair(config: &ws_config) -> (u32, u32) {
    let (mut server, mut client) = (0, 0);
    assert_eq!(c!(ws_pair(config, &mut server, &mut client)), WS_OK);
    for handle in [client, server, client] {
        assert!(ws_poll(handle) >= 0);
    }
    assert_eq!((count(server, WS_EVENT_OPEN), count(client, WS_EVENT_OPEN)), (1, 1));
    (server, client)
}

/// A client of ours on a plain socket.
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
