//! Slots, ids and handles of closed clients: which limits they count towards, and when they can be reused.

#![allow(unsafe_code)] // Calls the C ABI.

#[path = "../support/c_host.rs"]
mod c_host;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::ptr::null;
use wspeer::codes::*;
use wspeer::ffi::*;

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: game\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A client's frame with masking key 0.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        len @ ..126 => bytes.push(0x80 | len as u8),
        len => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    [bytes.as_slice(), payload].concat()
}

/// Sends a request and polls for the response. Returns the response head and the client.
fn ask(server: u32, port: u16) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_nonblocking(true).unwrap();
    stream.write_all(REQUEST.as_bytes()).unwrap();
    let mut answer = Vec::new();
    c_host::until("an answer", || {
        assert!(c_host::poll(server) >= 0);
        let mut space = [0; 1_024];
        if let Ok(count) = stream.read(&mut space) {
            answer.extend_from_slice(&space[..count]);
        }
        answer.windows(4).any(|end| end == b"\r\n\r\n")
    });
    (String::from_utf8_lossy(&answer).into_owned(), stream)
}

/// Sends bytes while the server polls, then half-closes and waits for the end.
fn send_and_end(server: u32, mut stream: TcpStream, bytes: &[u8]) {
    let mut sent = 0;
    c_host::until("all sent", || {
        assert!(c_host::poll(server) >= 0);
        match stream.write(&bytes[sent..]) {
            Ok(count) => sent += count,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        sent == bytes.len()
    });
    stream.shutdown(Shutdown::Write).unwrap();
    let connected = c_host::stats(server).connections;
    c_host::until("its end", || {
        assert!(c_host::poll(server) >= 0);
        c_host::stats(server).connections < connected
    });
}

#[test]
fn a_peer_id_is_invalid_once_its_client_handle_is_freed() {
    for flags in [0, WS_GODOT3, WS_SCENE, WS_SCENE | WS_AUTH] {
        let (host, port) = c_host::host(|config| config.flags |= flags);
        let (_, _client) = ask(host, port);
        c_host::until("an id", || {
            c_host::poll(host);
            c_host::conns(host).first().is_some_and(|conn| ws_get_peer_id(*conn) > 1)
        });
        let conn = c_host::conns(host)[0];
        let id = ws_get_peer_id(conn);
        c_host::free(conn);
        // SAFETY: a config is numbers and pointers.
        let mut config: ws_config = unsafe { std::mem::zeroed() };
        let (mut local, mut found) = (0, 0);
        // SAFETY: everything lives.
        unsafe {
            assert_eq!(ws_config_init(&mut config, size_of::<ws_config>()), WS_OK);
            config.flags |= flags;
            assert_eq!(ws_join_local(host, &config, &mut local), WS_OK, "{}", c_host::last_error());
            assert_eq!(ws_get_conn(host, id, &mut found), WS_ERR_TARGET, "flags {flags}: {found}");
            assert_eq!(ws_put_packet_to(host, id, b"!".as_ptr(), 1, WS_BINARY), WS_ERR_TARGET, "flags {flags}");
            assert_eq!(ws_disconnect(host, id, -1, null()), WS_ERR_TARGET, "flags {flags}");
        }
        c_host::until("the local player's id", || {
            c_host::poll(host);
            c_host::poll(local);
            c_host::conns(host).first().is_some_and(|conn| ws_get_peer_id(*conn) > 1)
        });
        let new = c_host::conns(host)[0];
        assert_ne!(ws_get_peer_id(new), id, "flags {flags}");
        // SAFETY: it lives.
        assert_eq!(unsafe { ws_get_conn(host, ws_get_peer_id(new), &mut found) }, WS_OK);
        assert_eq!((found, ws_get_state(new)), (new, WS_OPEN), "flags {flags}");
        c_host::free(local);
        c_host::free(host);
    }
}

#[test]
fn closed_clients_with_unread_messages_count_towards_the_limits() {
    for per_address in [false, true] {
        let (server, port) = c_host::listen(None, |config| {
            *(if per_address { &mut config.max_clients_per_address } else { &mut config.max_clients }) = 2;
        });
        let message = frame(0x82, &vec![7; 1 << 20]);
        let mut refused = 0;
        for round in 0..30 {
            let (answer, client) = ask(server, port);
            if answer.starts_with("HTTP/1.1 101") {
                send_and_end(server, client, &message);
            } else {
                assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
                refused += 1;
            }
            assert!(c_host::conns(server).len() <= 2, "round {round}, per address: {per_address}");
        }
        assert_eq!(refused, 28, "per address: {per_address}");
        assert_eq!(c_host::stats(server).queued_bytes_in, 2 << 20);
        // Reading frees a slot for each client whose messages were read.
        // SAFETY: a packet is numbers and pointers.
        let mut packet: ws_packet = unsafe { std::mem::zeroed() };
        // SAFETY: it lives.
        assert_eq!(unsafe { ws_get_packet(server, &mut packet) }, WS_OK);
        let (answer, client) = ask(server, port);
        assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
        let (answer, _refused) = ask(server, port);
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        drop(client);
        c_host::free(server);
    }
}

#[test]
fn closed_clients_with_only_events_do_not_count_towards_the_limits() {
    let (server, port) = c_host::listen(None, |config| config.max_clients = 2);
    for _ in 0..20 {
        let (answer, client) = ask(server, port);
        assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
        send_and_end(server, client, b"");
    }
    c_host::free(server);
}

#[test]
fn handles_do_not_leak_when_events_are_dropped_before_admission() {
    let (host, port) = c_host::host(|config| config.flags |= WS_SCENE | WS_AUTH);
    assert_eq!(ws_set_option(host, WS_OPT_AUTH_TIMEOUT_MS, WS_OFF), WS_OK);
    // Events of connected clients fill the event limit.
    let tell = frame(0x82, b"\x07\x00tell").repeat(63);
    let mut living = Vec::new();
    for _ in 0..66 {
        living.push(ask(host, port).1);
    }
    let before = c_host::stats(host).wire_bytes_in;
    living.iter_mut().for_each(|client| client.write_all(&tell).unwrap());
    c_host::until("the authentication of all", || {
        c_host::poll(host);
        c_host::stats(host).wire_bytes_in == before + (living.len() * tell.len()) as u64
    });
    let packets = frame(0x82, b"\x03!").repeat(4);
    for _ in 0..500 {
        let (_, client) = ask(host, port);
        send_and_end(host, client, &packets);
    }
    for _ in 0..3 {
        c_host::poll(host);
    }
    let handles = c_host::conns(host).len();
    assert!(handles < living.len() + 10, "{handles} handles");
    c_host::free(host);
}
