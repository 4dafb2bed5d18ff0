//! Options that are set on a server's client while it is connected.
#![allow(unsafe_code)] // Calls the C ABI.

use crate::test_server::{PATIENCE, REQUEST, read};
use std::io::Write;
use std::net::TcpStream;
use std::time::Instant;
use wspeer::codes::*;
use wspeer::ffi::*;

/// A call as C makes it.
macro_rules! c {
    ($call:expr) => {
        // SAFETY: every pointer of these tests points to a live value of its type.
        unsafe { $call }
    };
}

/// A server whose heartbeat is off, a client's socket, and the client's handle.
fn open() -> (u32, TcpStream, u32) {
    // SAFETY: a ws_config is integers and pointers.
    let mut config: ws_config = unsafe { std::mem::zeroed() };
    c!(ws_config_init(&mut config, size_of::<ws_config>()));
    config.heartbeat_ms = WS_OFF;
    let (mut server, mut port, mut conn, mut count) = (0, 0, 0, 0);
    assert_eq!(c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), &config, &mut server)), WS_OK);
    c!(ws_get_option(server, WS_OPT_PORT, &mut port));
    let mut client = TcpStream::connect(("127.0.0.1", port as u16)).unwrap();
    client.set_nonblocking(true).unwrap();
    client.write_all(REQUEST).unwrap();
    let mut answer = Vec::new();
    let end = Instant::now() + PATIENCE;
    while !answer.ends_with(b"\r\n\r\n") {
        assert!(ws_poll(server) >= 0 && Instant::now() < end);
        read(&mut client, &mut answer);
    }
    assert_eq!((c!(ws_get_conns(server, &mut conn, 1, &mut count)), count), (WS_OK, 1));
    (server, client, conn)
}

#[test]
fn enabling_the_heartbeat_takes_effect() {
    let (server, mut client, conn) = open();
    assert_eq!(ws_set_option(conn, WS_OPT_HEARTBEAT_MS, 20), WS_OK);
    let mut received = Vec::new();
    let end = Instant::now() + PATIENCE;
    while received.is_empty() {
        assert!(Instant::now() < end, "no ping came");
        assert!(c!(ws_wait(&server, 1, 1_000)) >= 0 && ws_poll(server) >= 0);
        read(&mut client, &mut received);
    }
    assert_eq!(received[..8], *b"\x89\x06wspeer");
    ws_free(server);
}

#[test]
fn enlarging_the_inbound_queue_resumes_reading_at_once() {
    let (server, mut client, conn) = open();
    assert_eq!(ws_set_option(conn, WS_OPT_INBOUND_PACKETS, 1), WS_OK);
    let message = crate::test_server::frame(0x82, &[7; 1_000]);
    client.write_all(&message.repeat(100)).unwrap();
    let mut before = -1;
    let end = Instant::now() + PATIENCE;
    while before < 0 || ws_get_available(conn) != before {
        before = ws_get_available(conn);
        for _ in 0..100 {
            assert!(ws_poll(server) >= 0 && Instant::now() < end);
        }
        if before == 0 {
            before = -1;
        }
    }
    assert!((1..100).contains(&before), "{before} messages are read at a limit of 1");
    assert_eq!(ws_set_option(conn, WS_OPT_INBOUND_PACKETS, 1_000), WS_OK);
    while ws_get_available(conn) < 100 {
        assert!(Instant::now() < end, "{} of 100 messages are available", ws_get_available(conn));
        assert!(ws_poll(server) >= 0);
    }
    ws_free(server);
}
