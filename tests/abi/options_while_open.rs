//! Options that are set while something is open, and what the next poll makes of them.

use crate::c_host::{self, next, poll, stats, until};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use wspeer::codes::*;
use wspeer::ffi::*;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: game\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

fn set(handle: u32, option: i32, value: u32) -> i32 {
    ws_set_option(handle, option, value)
}

/// What has arrived by now.
fn received(stream: &mut TcpStream) -> Vec<u8> {
    let (mut all, mut space) = (Vec::new(), [0; 4_096]);
    loop {
        match stream.read(&mut space) {
            Ok(0) => return all,
            Ok(count) => all.extend_from_slice(&space[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return all,
            Err(error) => panic!("{error}"),
        }
    }
}

fn asking(port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(REQUEST).unwrap();
    stream.set_nonblocking(true).unwrap();
    stream
}

#[test]
fn a_server_that_holds_new_clients_back_accepts_them_later() {
    for is_host in [false, true] {
        let (server, port) = if is_host { c_host::host(|_| {}) } else { c_host::listen(None, |_| {}) };
        assert_eq!(set(server, WS_OPT_HOLD_NEW, 2), WS_ERR_ARG);
        assert_eq!(set(server, WS_OPT_HOLD_NEW, 1), WS_OK);
        let mut stream = asking(port);
        for _ in 0..50 {
            assert_eq!(poll(server), WS_OK);
        }
        assert_eq!((stats(server).accepted, stats(server).refused), (0, 0));
        assert!(received(&mut stream).is_empty());
        assert_eq!(set(server, WS_OPT_HOLD_NEW, 0), WS_OK);
        let mut answer = Vec::new();
        until("an answer", || {
            assert!(poll(server) >= 0);
            answer.extend(received(&mut stream));
            answer.windows(4).any(|end| end == b"\r\n\r\n")
        });
        assert!(answer.starts_with(b"HTTP/1.1 101 "));
        // Who is in the opening handshake then is refused.
        let mut late = TcpStream::connect(("127.0.0.1", port)).unwrap();
        until("one in its handshake", || poll(server) >= 0 && stats(server).pending_handshakes == 1);
        assert_eq!(set(server, WS_OPT_HOLD_NEW, 1), WS_OK);
        late.write_all(REQUEST).unwrap();
        late.set_nonblocking(true).unwrap();
        until("a refusal", || poll(server) >= 0 && received(&mut late).starts_with(b"HTTP/1.1 503 "));
        c_host::free(server);
    }
}

#[test]
fn a_heartbeat_that_is_switched_on_begins_with_a_ping() {
    let (server, port) = c_host::listen(None, |config| config.heartbeat_ms = WS_OFF);
    let mut stream = asking(port);
    let mut conn = 0;
    until("the client", || {
        assert!(poll(server) >= 0);
        conn = next(server).filter(|event| event.kind == WS_EVENT_CONNECTED).map_or(conn, |event| event.conn);
        conn != 0
    });
    let mut got = Vec::new();
    until("the answer", || {
        poll(server) >= 0 && {
            got.extend(received(&mut stream));
            !got.is_empty()
        }
    });
    assert_eq!(set(conn, WS_OPT_HEARTBEAT_MS, 600_000), WS_OK);
    got.clear();
    until("a ping", || {
        poll(server) >= 0 && {
            got.extend(received(&mut stream));
            got.len() >= 8
        }
    });
    assert_eq!(got, b"\x89\x06wspeer");
    // A new interval sends none.
    assert_eq!(set(conn, WS_OPT_HEARTBEAT_MS, 500_000), WS_OK);
    for _ in 0..50 {
        assert!(poll(server) >= 0);
    }
    assert!(received(&mut stream).is_empty());
    c_host::free(server);
}
