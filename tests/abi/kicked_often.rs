//! ws_disconnect at the worst moments: inside the loop over events, twice, before ws_free, while messages wait both
//! ways, before a request was answered, ten thousand times; and new clients that are held back and let in by turns.

use crate::c_host::{self, Certificate, Event, conns, free, next, poll, put, stats, until};
use crate::kicked::{MESSAGE, connected, each_kind, kick, open, raw};
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use wspeer::codes::*;
use wspeer::ffi::*;

/// The target of ws_disconnect for the client of an event.
fn target_of(is_host: bool, event: &Event) -> i32 {
    if is_host { event.peer_id } else { event.conn as i32 }
}

/// Reads what has arrived. False: the other end has closed.
fn read(stream: &mut TcpStream, into: &mut Vec<u8>) -> bool {
    let mut space = [0; 16_384];
    stream.set_nonblocking(true).unwrap();
    loop {
        match stream.read(&mut space) {
            Ok(0) => return false,
            Ok(count) => into.extend_from_slice(&space[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Err(_) => return false,
        }
    }
}

#[test]
fn clients_are_disconnected_inside_the_loop_over_events() {
    const CLIENTS: usize = 20;
    for (kind, is_host, flags) in each_kind() {
        let (server, port) = open(is_host, flags, |_| {});
        // In a scene and in Godot 3's format the message is a violation, which comes after the kick or before it.
        let mut streams: Vec<_> = (0..CLIENTS).map(|_| raw(port)).collect();
        let mut said: HashMap<u32, Vec<i32>> = HashMap::new();
        let mut at = 0;
        until("all have gone", || {
            assert!(poll(server) >= 0);
            for stream in &mut streams {
                let _ = stream.write_all(&MESSAGE.repeat(3));
            }
            while let Some(event) = next(server) {
                said.entry(event.conn).or_default().push(event.kind);
                at += 1;
                let target = target_of(is_host, &event);
                // At its first event, or at a message; twice, with another code.
                if event.kind == WS_EVENT_MESSAGE || (event.kind == WS_EVENT_CONNECTED && at % 2 == 0) {
                    assert_eq!(kick(server, target, 4_003), WS_OK, "{kind}");
                    assert_eq!(kick(server, target, 4_004), WS_OK, "{kind}");
                    assert_eq!(put(event.conn, b"late"), WS_ERR_STATE, "{kind}");
                }
                if event.kind == WS_EVENT_DISCONNECTED {
                    assert!(event.code != 4_004, "{kind}: the first one counts");
                    // Its last event has been taken: nothing happens any more.
                    let again = kick(server, target, 4_005);
                    assert!([WS_OK, WS_ERR_TARGET].contains(&again), "{kind}: {again}");
                }
            }
            said.values().filter(|kinds| kinds.last() == Some(&WS_EVENT_DISCONNECTED)).count() == CLIENTS
        });
        for kinds in said.values() {
            let of = |kind| kinds.iter().filter(|one| **one == kind).count();
            assert_eq!((of(WS_EVENT_CONNECTED), of(WS_EVENT_DISCONNECTED)), (1, 1), "{kind}: {kinds:?}");
            assert!(of(WS_EVENT_MESSAGE) <= 1, "{kind}: nothing follows a kick: {kinds:?}");
        }
        assert!(poll(server) >= 0);
        assert_eq!((stats(server).connections, conns(server).len()), (0, 0), "{kind}");
        free(server);
    }
}

#[test]
fn a_handle_may_be_freed_before_its_last_event_is_taken() {
    for (kind, is_host, flags) in each_kind() {
        let (server, port) = open(is_host, flags, |config| {
            config.max_clients = 1;
            config.max_clients_per_address = 1;
        });
        for round in 0..50 {
            let mut stream = raw(port);
            let (target, conn) = connected(server, is_host);
            assert_eq!(put(conn, &[7; 1_000]), WS_OK);
            assert_eq!(kick(server, target, if round % 3 == 0 { -1 } else { 4_003 }), WS_OK);
            if round % 2 == 0 {
                poll(server);
            }
            // Its place is free at once, with nothing left behind.
            free(conn);
            let left = stats(server);
            assert_eq!((left.connections, left.pending_handshakes, left.queued_packets_out), (0, 0, 0), "{kind}");
            assert!(next(server).is_none(), "{kind}");
            let mut got = Vec::new();
            until("the end", || poll(server) >= 0 && !read(&mut stream, &mut got));
        }
        free(server);
    }
}

#[test]
fn a_server_may_be_freed_while_the_closes_of_its_clients_go_on() {
    for (_, is_host, flags) in each_kind() {
        let (server, port) = open(is_host, flags, |config| config.outbound_bytes = 64 << 20);
        let (mut streams, found): (Vec<_>, Vec<_>) = (0..4).map(|_| (raw(port), connected(server, is_host))).unzip();
        for (stream, (_, conn)) in streams.iter_mut().zip(&found) {
            stream.write_all(&MESSAGE.repeat(100)).unwrap();
            assert_eq!(ws_set_option(*conn, WS_OPT_MAX_PUT_BYTES, WS_OFF), WS_OK);
        }
        assert_eq!(ws_set_option(server, WS_OPT_MAX_PUT_BYTES, WS_OFF), WS_OK);
        assert_eq!(put(server, &vec![1; 8 << 20]), WS_OK);
        assert_eq!(kick(server, found[0].0, 4_003), WS_OK);
        assert!(poll(server) >= 0);
        assert_eq!(kick(server, 0, 4_003), WS_OK);
        if flags == 0 {
            assert!(next(server).is_some());
        }
        free(server);
        assert_eq!(ws_get_state(found[1].1), WS_ERR_HANDLE);
    }
}

#[test]
fn a_broadcast_reaches_who_was_kicked_after_it_and_not_who_was_kicked_before() {
    for (kind, is_host, flags) in each_kind() {
        let (server, port) = open(is_host, flags, |config| config.max_put_bytes = WS_OFF);
        let (mut streams, found): (Vec<_>, Vec<_>) = (0..3).map(|_| (raw(port), connected(server, is_host))).unzip();
        let long = vec![9; 3 << 20];
        assert_eq!(kick(server, found[0].0, 4_003), WS_OK);
        assert_eq!(put(server, &long), WS_OK, "{kind}");
        assert_eq!(kick(server, found[1].0, 4_003), WS_OK);
        let mut lengths = [0; 3];
        let mut closed = [false; 3];
        until("all that is due", || {
            assert!(poll(server) >= 0);
            for (index, stream) in streams.iter_mut().enumerate() {
                let mut got = Vec::new();
                read(stream, &mut got);
                lengths[index] += got.len();
                closed[index] |= got.ends_with(b"\x88\x05\x0f\xa3out");
            }
            closed[0] && closed[1] && lengths[2] >= long.len()
        });
        assert!(lengths[0] < 2_000 && lengths[1] > long.len(), "{kind}: {lengths:?}");
        assert!(!closed[2], "{kind}");
        let left: Vec<u32> = std::iter::from_fn(|| next(server))
            .filter(|event| event.kind == WS_EVENT_DISCONNECTED)
            .map(|event| event.conn)
            .collect();
        assert_eq!(left, [found[0].1, found[1].1], "{kind}");
        free(server);
    }
}

#[test]
fn clients_of_this_library_are_told_over_every_link_while_both_sides_send() {
    let certificate = Certificate::new();
    for (tls, flags) in [(None, 0), (Some(&certificate), 0), (Some(&certificate), WS_DEFLATE)] {
        let (server, port) = c_host::listen(tls, |config| config.flags = flags);
        let client = c_host::connect(port, tls, |config| config.flags |= flags);
        let mut conn = 0;
        until("OPEN", || {
            assert!(poll(server) >= 0 && poll(client) >= 0);
            conn = next(server).map_or(conn, |event| event.conn);
            conn != 0 && ws_get_state(client) == WS_OPEN
        });
        let mut taken = 0_u32;
        while taken < 2_000 && put(client, &[5; 9_000]) == WS_OK && put(conn, &[6; 9_000]) == WS_OK {
            taken += 1;
        }
        assert!(taken > 100 && poll(server) >= 0);
        assert_eq!(kick(server, conn as i32, 4_003), WS_OK);
        let event = next(server).unwrap();
        assert_eq!((event.kind, event.conn, event.code), (WS_EVENT_DISCONNECTED, conn, 4_003));
        // All that was put before the kick arrives before the close.
        let (mut messages, mut end) = (0, None);
        until("CLOSED", || {
            assert!(poll(server) >= 0 && poll(client) >= 0);
            assert!(next(server).is_none());
            while let Some(event) = next(client) {
                messages += u32::from(event.kind == WS_EVENT_MESSAGE);
                if event.is_end() {
                    end = Some((event.code, event.clean, event.cause));
                }
            }
            end.is_some()
        });
        assert!(messages == taken || messages == taken + 1, "{messages} of {taken}");
        assert_eq!(end, Some((4_003, true, WS_CAUSE_CLOSED_BY_PEER)));
        until("the link has ended", || poll(server) >= 0 && stats(server).queued_packets_out == 0);
        free(client);
        free(server);
    }
}

#[test]
fn a_request_that_waits_for_the_program_is_turned_away() {
    let (server, port) = open(false, WS_ASK, |_| {});
    for code in [0, 4_003, -1] {
        let mut stream = raw(port);
        let mut asked = 0;
        until("a request", || {
            assert!(poll(server) >= 0);
            asked = next(server).map_or(0, |event| event.conn);
            asked != 0
        });
        assert_eq!(kick(server, asked as i32, code), WS_OK);
        assert!([WS_OK, WS_ERR_TARGET].contains(&kick(server, asked as i32, code)));
        let (mut ends, mut got) = (0, Vec::new());
        until("its end", || {
            assert!(poll(server) >= 0);
            ends += std::iter::from_fn(|| next(server)).filter(|event| event.kind == WS_EVENT_DISCONNECTED).count();
            ends == 1 && !read(&mut stream, &mut got)
        });
        assert!(code == -1 || got.starts_with(b"HTTP/1.1 503 "), "{}", String::from_utf8_lossy(&got));
        assert_eq!(stats(server).connections, 0);
    }
    free(server);
}

#[test]
fn ten_thousand_kicks_leave_nothing_behind() {
    for is_host in [true, false] {
        let (server, port) = open(is_host, 0, |_| {});
        let (mut kept, mut handles) = (0, Vec::new());
        for round in 0..5_000_u32 {
            let mut stream = raw(port);
            let (target, conn) = connected(server, is_host);
            handles.push(conn);
            assert_eq!(kick(server, target, 4_003), WS_OK);
            assert_eq!(next(server).unwrap().kind, WS_EVENT_DISCONNECTED);
            // Some answer the close, some go, some are silent for a while.
            if round % 3 == 0 {
                let _ = stream.write_all(b"\x88\x82\0\0\0\0\x0f\xa3");
            }
            drop(stream);
            if round == 500 {
                kept = stats(server).kept_bytes;
            }
        }
        until("all links have ended", || poll(server) >= 0 && stats(server).queued_packets_out == 0);
        let end = stats(server);
        assert_eq!((end.connections, end.pending_handshakes, end.accepted), (0, 0, 5_000));
        assert!(end.kept_bytes <= 2 * kept + 65_536, "{} bytes are kept, and {kept} after 500", end.kept_bytes);
        assert_eq!(conns(server).len(), 0);
        assert!(handles.iter().all(|conn| ws_get_state(*conn) == WS_ERR_HANDLE), "all handles have retired");
        free(server);
    }
}

#[test]
fn lingering_clients_are_not_reported_as_skipped() {
    let (server, port) = open(false, 0, |config| config.close_timeout_ms = 600_000);
    let _silent: Vec<_> = (0..5)
        .map(|_| {
            let stream = raw(port);
            let (target, _) = connected(server, false);
            assert_eq!(kick(server, target, 0), WS_OK);
            assert_eq!(next(server).unwrap().kind, WS_EVENT_DISCONNECTED);
            assert!(poll(server) >= 0);
            stream
        })
        .collect();
    // More lifecycle events than are kept.
    const MORE: u64 = 3_000;
    for _ in 0..MORE {
        let stream = raw(port);
        let before = stats(server).accepted;
        until("it was accepted", || poll(server) >= 0 && stats(server).accepted > before);
        until("it is open", || poll(server) >= 0 && stats(server).connections > 0);
        drop(stream);
        until("it has gone", || poll(server) >= 0 && stats(server).connections == 0);
    }
    let mut count = 0;
    while let Some(event) = next(server) {
        assert!(event.kind != WS_EVENT_SKIPPED || event.count > 0);
        count += if event.kind == WS_EVENT_SKIPPED { event.count } else { 1 };
        if event.kind == WS_EVENT_CLOSE_REQUEST || event.kind == WS_EVENT_ERROR {
            count -= 1;
        }
    }
    assert_eq!(count, 2 * MORE);
    free(server);
}

#[test]
fn a_flood_is_held_back_and_let_in_by_turns() {
    let (host, port) = open(true, 0, |config| config.max_pending_handshakes = 16);
    let mut streams: Vec<(TcpStream, Vec<u8>, Option<bool>)> = Vec::new();
    let (mut came, mut gone, mut accepted_while_held) = (0, 0, 0);
    for round in 0..200 {
        let holds = round % 4 < 2;
        assert_eq!(ws_set_option(host, WS_OPT_HOLD_NEW, u32::from(holds)), WS_OK);
        let before = stats(host).accepted;
        // The queue of the system is the limit, so few wait at once.
        while streams.iter().filter(|(.., answer)| answer.is_none()).count() < 8 {
            streams.push((raw(port), Vec::new(), None));
        }
        for _ in 0..5 {
            assert!(poll(host) >= 0);
        }
        if holds {
            accepted_while_held += stats(host).accepted - before;
        }
        assert!(stats(host).pending_handshakes <= 16);
        for (stream, got, answer) in &mut streams {
            read(stream, got);
            if got.windows(4).any(|end| end == b"\r\n\r\n") {
                *answer = Some(got.starts_with(b"HTTP/1.1 101 "));
            }
        }
        while let Some(event) = next(host) {
            came += usize::from(event.kind == WS_EVENT_CONNECTED);
            gone += usize::from(event.kind == WS_EVENT_DISCONNECTED);
        }
    }
    assert_eq!(accepted_while_held, 0);
    assert_eq!(ws_set_option(host, WS_OPT_HOLD_NEW, 0), WS_OK);
    until("all are answered", || {
        assert!(poll(host) >= 0);
        for (stream, got, answer) in &mut streams {
            read(stream, got);
            if got.windows(4).any(|end| end == b"\r\n\r\n") {
                *answer = Some(got.starts_with(b"HTTP/1.1 101 "));
            }
        }
        came += std::iter::from_fn(|| next(host)).filter(|event| event.kind == WS_EVENT_CONNECTED).count();
        streams.iter().all(|(.., answer)| answer.is_some())
    });
    let opened = streams.iter().filter(|(.., answer)| *answer == Some(true)).count();
    assert_eq!((came, gone), (opened, 0));
    assert!(opened > 100, "{opened} of {}", streams.len());
    // A host that never lets them in keeps nothing of them, and freeing it ends their wait.
    assert_eq!(ws_set_option(host, WS_OPT_HOLD_NEW, 1), WS_OK);
    let mut waiting = raw(port);
    assert!(poll(host) >= 0);
    free(host);
    waiting.set_nonblocking(false).unwrap();
    waiting.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let ended = waiting.read(&mut [0; 16]);
    assert!(
        ended.as_ref().is_ok_and(|count| *count == 0)
            || ended.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)
    );
}
