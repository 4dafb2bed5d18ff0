//! Clients that ws_disconnect closes: their last event comes at once, nothing follows it, and the close goes on behind.

use crate::c_host::{self, next, poll, stats, until};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use wspeer::codes::*;
use wspeer::ffi::*;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: game\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
/// A masked message of one byte.
pub(super) const MESSAGE: &[u8] = b"\x82\x81\0\0\0\0x";

/// A client that speaks bytes, and reads only when it is asked to.
pub(super) fn raw(port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(REQUEST).unwrap();
    stream
}

/// Polls until the next client is CONNECTED. Returns the target of ws_disconnect and its handle.
pub(super) fn connected(server: u32, is_host: bool) -> (i32, u32) {
    let mut found = (0, 0);
    until("a client", || {
        assert!(poll(server) >= 0);
        while let Some(event) = next(server) {
            if event.kind == WS_EVENT_CONNECTED {
                found = (if is_host { event.peer_id } else { event.conn as i32 }, event.conn);
            }
        }
        found.1 != 0
    });
    found
}

pub(super) fn kick(server: u32, target: i32, code: i32) -> i32 {
    // SAFETY: the text lives.
    unsafe { ws_disconnect(server, target, code, c"out".as_ptr()) }
}

fn state(handle: u32) -> i32 {
    ws_get_state(handle)
}

/// A server, or a host of each format.
pub(super) fn each_kind() -> impl Iterator<Item = (&'static str, bool, u32)> {
    [("a server", false, 0), ("Godot 4", true, 0), ("Godot 3", true, WS_GODOT3), ("a scene", true, WS_SCENE)]
        .into_iter()
}

pub(super) fn open(is_host: bool, flags: u32, edit: impl FnOnce(&mut ws_config)) -> (u32, u16) {
    let with_flags = |config: &mut ws_config| {
        config.flags = flags;
        edit(config);
    };
    if is_host { c_host::host(with_flags) } else { c_host::listen(None, with_flags) }
}

#[test]
fn disconnected_comes_at_once_and_nothing_follows_it() {
    for (kind, is_host, flags) in each_kind() {
        let (server, port) = open(is_host, flags, |_| {});
        let mut stream = raw(port);
        let (target, conn) = connected(server, is_host);
        // Some messages have been received, some are on their way, and more follow.
        if !is_host || flags == 0 {
            stream.write_all(&MESSAGE.repeat(50)).unwrap();
            until("messages", || poll(server) >= 0 && stats(server).queued_packets_in > 0);
            stream.write_all(&MESSAGE.repeat(50)).unwrap();
        }
        assert_eq!(kick(server, target, 4_003), WS_OK, "{kind}");
        assert_eq!(state(conn), WS_CLOSED, "{kind}");
        let event = next(server).unwrap();
        assert_eq!((event.kind, event.conn, event.code), (WS_EVENT_DISCONNECTED, conn, 4_003), "{kind}");
        assert_eq!((event.cause, event.clean), (WS_CAUSE_CLOSED_BY_HOST, true), "{kind}");
        assert!(next(server).is_none(), "{kind}");
        assert_eq!(stats(server).connections, 0, "{kind}");
        for _ in 0..100 {
            let _ = stream.write_all(MESSAGE);
            assert!(poll(server) >= 0);
            assert!(next(server).is_none(), "{kind}: nothing follows");
        }
        assert!(state(conn) == WS_ERR_HANDLE, "{kind}: its handle has retired");
        if is_host {
            let mut found = 0;
            // SAFETY: the place lives.
            assert_eq!(unsafe { ws_get_conn(server, target, &mut found) }, WS_ERR_TARGET, "{kind}");
            assert_eq!(kick(server, target, 0), WS_ERR_TARGET, "{kind}");
        }
        // The close frame has been sent, and its answer ends the connection.
        let mut got = Vec::new();
        stream.set_nonblocking(true).unwrap();
        until("the close frame", || {
            assert!(poll(server) >= 0);
            let mut space = [0; 4_096];
            match stream.read(&mut space) {
                Ok(count) => got.extend_from_slice(&space[..count]),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            got.ends_with(b"\x88\x05\x0f\xa3out")
        });
        stream.write_all(b"\x88\x85\0\0\0\0\x0f\xa3out").unwrap();
        until("the end", || poll(server) >= 0 && matches!(stream.read(&mut [0; 64]), Ok(0)));
        c_host::free(server);
    }
}

#[test]
fn a_close_without_an_answer_lingers_for_its_timeout_and_counts_for_the_limits() {
    for (kind, is_host, flags) in each_kind() {
        let (server, port) = open(is_host, flags, |config| {
            config.max_clients = 1;
            config.close_timeout_ms = 300;
        });
        let first = raw(port);
        let (target, _) = connected(server, is_host);
        assert_eq!(kick(server, target, 0), WS_OK);
        assert_eq!(next(server).unwrap().kind, WS_EVENT_DISCONNECTED, "{kind}");
        // Another one is refused while the first one may still read, and let in once that is gone.
        let mut refused = 0;
        until("a place", || {
            let mut second = raw(port);
            second.set_nonblocking(true).unwrap();
            let mut answer = Vec::new();
            until("an answer", || {
                assert!(poll(server) >= 0);
                let mut space = [0; 1_024];
                if let Ok(count) = second.read(&mut space) {
                    answer.extend_from_slice(&space[..count]);
                }
                answer.windows(4).any(|end| end == b"\r\n\r\n")
            });
            refused += usize::from(answer.starts_with(b"HTTP/1.1 503 "));
            answer.starts_with(b"HTTP/1.1 101 ")
        });
        assert!(refused > 0, "{kind}");
        drop(first);
        c_host::free(server);
    }
}

#[test]
fn a_server_with_a_lingering_client_closes_after_it() {
    let (server, port) = c_host::listen(None, |config| config.close_timeout_ms = 300);
    let stream = raw(port);
    let (target, _) = connected(server, false);
    assert_eq!(kick(server, target, 4_000), WS_OK);
    assert_eq!(next(server).unwrap().kind, WS_EVENT_DISCONNECTED);
    assert!(poll(server) >= 0);
    assert_eq!(c_host::close(server, 0), WS_OK);
    assert_eq!(state(server), WS_CLOSING, "the close of its client goes on");
    let mut events = Vec::new();
    until("the end", || {
        assert!(poll(server) >= 0);
        events.extend(std::iter::from_fn(|| next(server)).map(|event| event.kind));
        state(server) == WS_CLOSED
    });
    events.extend(std::iter::from_fn(|| next(server)).map(|event| event.kind));
    assert_eq!(events, [WS_EVENT_CLOSED]);
    drop(stream);
    c_host::free(server);
}

#[test]
fn what_was_put_before_still_arrives() {
    let (server, port) = c_host::listen(None, |config| config.outbound_bytes = 64 << 20);
    let mut stream = raw(port);
    let (target, conn) = connected(server, false);
    let long = vec![7; 8 << 20];
    assert_eq!(c_host::put(conn, &long), WS_OK);
    assert_eq!(kick(server, target, 4_000), WS_OK);
    let event = next(server).unwrap();
    assert_eq!((event.kind, event.clean), (WS_EVENT_DISCONNECTED, true));
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut got = Vec::new();
    until("the message and the close", || {
        assert!(poll(server) >= 0);
        let mut space = vec![0; 1 << 20];
        if let Ok(count) = stream.read(&mut space) {
            got.extend_from_slice(&space[..count]);
        }
        got.ends_with(b"\x88\x05\x0f\xa0out")
    });
    assert!(got.len() > long.len());
    c_host::free(server);
}

#[test]
fn the_others_learn_it_with_the_next_poll() {
    let (host, port) = c_host::host(|config| config.flags = WS_GODOT3);
    let _silent = raw(port);
    let (target, _) = connected(host, true);
    let join = c_host::join(port, None, |config| config.flags = WS_GODOT3);
    let mut met = false;
    until("both", || {
        assert!(poll(host) >= 0 && poll(join) >= 0);
        while next(host).is_some() {}
        met |=
            std::iter::from_fn(|| next(join)).any(|event| event.kind == WS_EVENT_CONNECTED && event.peer_id == target);
        met
    });
    assert_eq!(kick(host, target, 0), WS_OK);
    until("it is told", || {
        assert!(poll(host) >= 0 && poll(join) >= 0);
        assert!(stats(host).connections == 1);
        std::iter::from_fn(|| next(join)).any(|event| event.kind == WS_EVENT_DISCONNECTED && event.peer_id == target)
    });
    c_host::free(join);
    c_host::free(host);
}
