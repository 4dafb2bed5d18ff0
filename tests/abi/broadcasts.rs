//! Broadcasts mixed with messages to single clients: their order and their counts.

use crate::c_host;
use std::ptr::null;
use wspeer::codes::*;
use wspeer::ffi::*;

/// A server and two open clients, each as (client handle, server-side handle). With WS_COALESCE, queued messages are
/// written on flush.
fn open(flags: u32) -> (u32, [(u32, u32); 2]) {
    let (server, port) = c_host::listen(None, |config| {
        config.flags |= flags;
        (config.outbound_bytes, config.heartbeat_ms) = (WS_OFF, WS_OFF);
    });
    let clients = [0; 2].map(|_| {
        let before = c_host::conns(server);
        let client = c_host::connect(port, None, |_| {});
        let mut conn = 0;
        c_host::until("a client", || {
            c_host::poll(server);
            c_host::poll(client);
            while c_host::next(client).is_some() {}
            conn = c_host::conns(server).into_iter().find(|conn| !before.contains(conn)).unwrap_or(0);
            conn != 0 && ws_get_state(client) == WS_OPEN
        });
        (client, conn)
    });
    while c_host::next(server).is_some() {}
    (server, clients)
}

#[test]
fn broadcasts_and_messages_to_one_client_keep_their_order() {
    // Short messages, and messages of several segments. Without WS_COALESCE the system accepts only a part of one of
    // them.
    for (len, count, flags) in [(3, 12, WS_COALESCE), (200_000, 12, WS_COALESCE), (200_000, 60, 0), (1_000_003, 30, 0)]
    {
        let (server, clients) = open(flags);
        let named = |name: u8| vec![name; len];
        let mut expected: [Vec<u8>; 2] = Default::default();
        for name in 0..count {
            let to = usize::from(name) % 3;
            match clients.get(to) {
                Some((_, conn)) => {
                    assert_eq!(c_host::put(*conn, &named(name)), WS_OK);
                    expected[to].push(name);
                }
                None => {
                    assert_eq!(c_host::put(server, &named(name)), WS_OK);
                    expected.iter_mut().for_each(|expected| expected.push(name));
                }
            }
        }
        c_host::flush(server);
        for ((client, _), expected) in clients.iter().zip(expected) {
            let mut got = Vec::new();
            c_host::until("all messages", || {
                c_host::poll(server);
                c_host::poll(*client);
                while let Some(event) = c_host::next(*client) {
                    assert_eq!((event.kind, event.bytes.len()), (WS_EVENT_MESSAGE, len));
                    assert!(event.bytes.iter().all(|byte| *byte == event.bytes[0]));
                    got.push(event.bytes[0]);
                }
                got.len() >= expected.len()
            });
            assert_eq!(got, expected, "{len} bytes each");
            c_host::free(*client);
        }
        c_host::free(server);
    }
}

#[test]
fn unsent_broadcasts_are_counted_for_each_client() {
    let (server, clients) = open(WS_COALESCE);
    for _ in 0..3 {
        assert_eq!(c_host::put(server, b"to all"), WS_OK);
    }
    assert_eq!(c_host::put(clients[1].1, b"to one"), WS_OK);
    for ((_, conn), waits) in clients.iter().zip([3, 4]) {
        assert_eq!(c_host::stats(*conn).queued_packets_out, waits);
        // SAFETY: NULL is no reason.
        assert_eq!(unsafe { ws_close(*conn, -1, null()) }, WS_OK);
    }
    assert_eq!(c_host::stats(server).messages_out, 7);
    for (_, conn) in clients {
        let waits = if conn == clients[0].1 { 3 } else { 4 };
        let mut unsent = None;
        c_host::until("DISCONNECTED", || {
            c_host::poll(server);
            unsent = c_host::next(conn).filter(c_host::Event::is_end).map(|event| event.unsent);
            unsent.is_some()
        });
        assert_eq!(unsent, Some(waits));
    }
    clients.into_iter().for_each(|(client, _)| c_host::free(client));
    c_host::free(server);
}
