//! Ends and what is left of them, through the C ABI over sockets: ports, out-of-band bytes, kicks, lengths of what is not there.
#![allow(unsafe_code)] // The calls of a C host.

#[macro_use]
mod waits;

use std::ffi::CString;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};
use waits::*;
use wspeer::codes::*;
use wspeer::ffi::*;

const PATIENCE: Duration = Duration::from_secs(20);

fn wait_for(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        std::thread::yield_now();
    }
}

/// A server's port, with `clients` connected to it.
fn served(server: u32, clients: usize) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    let mut connected = 0;
    for _ in 0..clients {
        let mut stream = TcpStream::connect(("127.0.0.1", port(server))).unwrap();
        stream.write_all(REQUEST).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        streams.push(stream);
    }
    wait_for("the clients", || {
        assert!(ws_poll(server) >= 0);
        connected += count(server, WS_EVENT_CONNECTED);
        connected == clients
    });
    for stream in &mut streams {
        let (mut answer, mut byte) = (Vec::new(), [0]);
        while !answer.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
    }
    streams
}

/// Opens at a place, `ends` it with clients there, and opens again on the same port, many times.
fn hosts_again(url: &str, ends: fn(u32)) {
    let config = config(|config| config.owner = 5);
    let mut first = 0;
    let at = |port: u16| CString::new(format!("{url}:{port}")).unwrap();
    assert_eq!(c!(ws_listen(at(0).as_ptr(), &config, &mut first)), WS_OK);
    let port = port(first);
    for round in 0..60 {
        let clients = served(first, round % 3);
        ends(first);
        let result =
            if round % 2 == 0 { c!(ws_listen(at(port).as_ptr(), &config, &mut first)) } else { c!(ws_host(at(port).as_ptr(), &config, &mut first)) };
        assert_eq!(result, WS_OK, "round {round}: the port of {url} is not free");
        drop(clients);
    }
    ws_free(first);
}

#[test]
fn a_port_is_free_when_its_server_was_freed() {
    let _alone = alone();
    let closes_and_frees = |server: u32| {
        assert_eq!(c!(ws_close(server, 0, null())), WS_OK);
        ws_free(server);
    };
    let ends: [fn(u32); 4] = [|server| ws_free(server), |_| ws_free_owner(5), |_| ws_shutdown(), closes_and_frees];
    for end in ends {
        for url in ["ws://127.0.0.1", "ws://*", "ws://localhost"] {
            hosts_again(url, end);
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_message_behind_out_of_band_bytes_does_not_wait() {
    let _alone = alone();
    let mut server = 0;
    assert_eq!(c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), null(), &mut server)), WS_OK);
    let mut clients = served(server, 2);
    let message = b"\x82\x81\0\0\0\0x";
    for round in 1..10 {
        for client in &mut clients {
            // All of it is there before the server asks the system who is ready.
            client.write_all(&message.repeat(round)).unwrap();
            assert_eq!(socket2::SockRef::from(&*client).send_out_of_band(b"!").unwrap(), 1);
            client.write_all(&message.repeat(round)).unwrap();
        }
        let mut seen = 0;
        wait_for("the messages behind the out-of-band bytes", || {
            assert!(ws_poll(server) >= 0);
            seen += count(server, WS_EVENT_MESSAGE);
            seen == clients.len() * 2 * round
        });
    }
    ws_free(server);
}

#[test]
fn a_client_that_sends_while_it_is_kicked_hears_of_the_kick() {
    let _alone = alone();
    for round in 0..20 {
        let (mut server, mut client) = (0, 0);
        assert_eq!(c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), null(), &mut server)), WS_OK);
        let url = CString::new(format!("ws://127.0.0.1:{}/", port(server))).unwrap();
        assert_eq!(c!(ws_connect(url.as_ptr(), null(), &mut client)), WS_OK);
        let mut conn = 0;
        wait_for("the client", || {
            assert!(ws_poll(server) >= 0 && ws_poll(client) >= 0);
            let mut have = 0;
            assert_eq!(c!(ws_get_conns(server, &mut conn, 1, &mut have)), WS_OK);
            have == 1 && ws_get_state(client) == WS_OPEN
        });
        // What the client sent is unread when the server goes: the system resets the connection behind the close frame.
        let payload = vec![7; 10_000 * (1 + round)];
        c!(ws_put_packet(client, payload.as_ptr(), payload.len(), WS_BINARY));
        assert_eq!(c!(ws_close(conn, 4_001, c"out".as_ptr())), WS_OK);
        ws_free(server);
        let mut event: ws_event = blank();
        wait_for("the end", || {
            c!(ws_put_packet(client, payload.as_ptr(), payload.len(), WS_BINARY));
            ws_poll(client);
            while c!(ws_next_event(client, &mut event)) == WS_OK && event.r#type != WS_EVENT_CLOSED {}
            event.r#type == WS_EVENT_CLOSED
        });
        assert_eq!((event.cause, event.code), (WS_CAUSE_CLOSED_BY_PEER, 4_001), "round {round}");
        ws_free(client);
    }
}

#[test]
fn what_is_not_there_has_no_length() {
    let _alone = alone();
    let (server, client) = open_pair(&config(|_| {}));
    let mut buffer = [0_u8; 32];
    let mut len;
    let text = buffer.as_mut_ptr().cast();
    for cap in [0, buffer.len()] {
        len = 99;
        assert_eq!((c!(ws_take_output(client, buffer.as_mut_ptr(), cap, &mut len)), len), (WS_ERR_KIND, 0));
    }
    ws_free(server);
    len = 99;
    assert_eq!((c!(ws_get_text(server, WS_GET_URL, text, 32, &mut len)), len), (WS_ERR_HANDLE, 0));
    len = 99;
    assert_eq!((c!(ws_get_text(client, 999, text, 32, &mut len)), len), (WS_ERR_ARG, 0));
    len = 99;
    assert_eq!((c!(ws_get_text(client, WS_GET_URL, null_mut(), 32, &mut len)), len), (WS_ERR_NULL, 0));
    len = 99;
    assert_eq!((c!(ws_get_header(server, c"host".as_ptr(), 0, text, 32, &mut len)), len), (WS_ERR_HANDLE, 0));
    len = 99;
    assert_eq!((c!(ws_get_header(client, null(), 0, text, 32, &mut len)), len), (WS_ERR_NULL, 0));
    len = 99;
    assert_eq!((c!(ws_take_output(server, buffer.as_mut_ptr(), 32, &mut len)), len), (WS_ERR_HANDLE, 0));
    len = 99;
    let (mut count, mut item) = (99, blank());
    assert_eq!((c!(ws_decode_variant(buffer.as_ptr(), 1, &mut item, 1, &mut count, &mut len)), count, len), (WS_ERR_ARG, 0, 0));
    len = 99;
    assert_eq!((c!(ws_encode_call(null(), null(), null(), 0, buffer.as_mut_ptr(), 32, &mut len)), len), (WS_ERR_NULL, 0));
    ws_free(client);
}
