//! Messages and events of a server's clients: counted correctly, and bounded however the host reads.

use crate::test_server::*;
use std::net::TcpStream;
use wspeer::codes::*;
use wspeer::internals::link::Sent;
use wspeer::internals::server::Whom;
use wspeer::internals::status::{EventKind, State};

/// Puts to one client until its queue is full, then lets the peer read everything, without a poll in between.
fn stall_and_recover(test: &mut TestServer, key: u32, client: &mut TcpStream) {
    let payload = vec![7; 60_000];
    let end = std::time::Instant::now() + PATIENCE;
    while test.act(|server, cx| server.put_one(cx, key, false, &payload)) == Sent::Taken {
        assert!(std::time::Instant::now() < end);
    }
    let mut nothing = Vec::new();
    while test.server.peer(key).unwrap().queued_bytes() > 0 {
        assert!(std::time::Instant::now() < end);
        nothing.clear();
        read(client, &mut nothing);
        test.act(|server, cx| server.flush_one(cx, key));
    }
}

/// Takes an item as `ws_next_event` on the client's handle does.
fn take_from(test: &mut TestServer, key: u32) -> bool {
    let taken = test.server.peer(key).unwrap().take_item().is_some();
    if taken {
        test.server.took(key, false);
    }
    taken
}

#[test]
fn events_raised_between_polls_are_counted() {
    let mut test = TestServer::new(&[(WS_OPT_OUTBOUND_BYTES, 200_000)]);
    let (mut client, key) = test.open();
    test.items();
    for _ in 0..3 {
        stall_and_recover(&mut test, key, &mut client);
    }
    assert!(take_from(&mut test, key), "WRITABLE");
    while take_from(&mut test, key) {}
    // If the count had dropped below 0, the next events of this client would be dropped as too many.
    drop(client);
    test.poll_until("the end of the client", |test| {
        test.server.peer(key).is_some_and(|peer| peer.state() == State::Closed)
    });
    assert_eq!(test.items(), [(Some(key), EventKind::Disconnected)]);
}

#[test]
fn an_event_raised_by_a_put_is_available_without_a_poll() {
    let mut test = TestServer::new(&[(WS_OPT_OUTBOUND_BYTES, 200_000)]);
    let (mut client, key) = test.open();
    test.items();
    stall_and_recover(&mut test, key, &mut client);
    assert_eq!(test.items(), [(Some(key), EventKind::Writable)]);
}

#[test]
fn a_stalling_client_queues_at_most_two_events() {
    let mut test = TestServer::new(&[(WS_OPT_OUTBOUND_BYTES, 200_000)]);
    let (mut client, key) = test.open();
    test.items();
    for _ in 0..5 {
        stall_and_recover(&mut test, key, &mut client);
        let payload = vec![7; 60_000];
        let mut partial = 0;
        while partial < 10 {
            partial +=
                u32::from(test.act(|server, cx| server.put_all(cx, false, &payload, Whom::ALL, None)) == Sent::Partial);
        }
        test.poll();
    }
    assert_eq!(test.server.peer(key).unwrap().endpoint.inbox.marks(), 2);
    let mut reported = Vec::new();
    while let Some((_, item)) = test.server.take_item() {
        let wspeer::internals::endpoint::Item::Mark(mark) = item else { panic!("a message") };
        reported.push((mark.kind, mark.count));
    }
    reported.sort_unstable();
    assert_eq!(reported, [(EventKind::Writable, 0), (EventKind::Skipped, 50)], "every skipped message is counted");
}

/// Sends messages and polls until the server has received them.
fn send(test: &mut TestServer, client: &mut TcpStream, key: u32, count: usize) {
    use std::io::Write;
    let before = test.server.peer(key).unwrap().endpoint.counters.messages_in;
    client.write_all(&frame(0x82, b"x").repeat(count)).unwrap();
    test.poll_until("the messages", |test| {
        test.server.peer(key).unwrap().endpoint.counters.messages_in == before + count as u64
    });
}

#[test]
fn a_new_client_in_a_reused_slot_has_only_its_own_items() {
    let mut test = TestServer::new(&[]);
    for round in 0..20 {
        let (mut client, key) = test.open();
        assert_eq!(key, 0, "the place is used again");
        send(&mut test, &mut client, key, 3);
        assert_eq!(test.server.available(), 3, "round {round}");
        // As `ws_free` does, with items still queued.
        test.act(|server, cx| server.forget(cx, key));
        test.poll();
    }
    let (mut client, key) = test.open();
    send(&mut test, &mut client, key, 2);
    let message = (Some(key), EventKind::Message);
    assert_eq!(test.items(), [(Some(key), EventKind::Connected), message, message]);
}

#[test]
fn reading_each_client_by_its_handle_leaves_no_entries() {
    let mut test = TestServer::new(&[(WS_OPT_HANDSHAKE_TIMEOUT_MS, 3_600_000)]);
    for _ in 0..200 {
        let (mut client, key) = test.open();
        send(&mut test, &mut client, key, 1);
        assert_eq!(test.server.available(), 1);
        drop(client);
        test.poll_until("the end", |test| test.server.peer(key).is_some_and(|peer| peer.state() == State::Closed));
        while let Some(item) = test.server.peer(key).unwrap().take_item() {
            let last = matches!(
                &item,
                wspeer::internals::endpoint::Item::Mark(mark) if wspeer::internals::server::is_last(mark)
            );
            test.server.took(key, last);
        }
        test.poll();
        assert!(test.server.peer(key).is_none(), "retired");
    }
    assert!(test.server.footprint() < 150, "{} entries of 200 clients that are gone", test.server.footprint());
}

#[test]
fn a_client_with_dropped_events_retires_once_its_messages_are_read() {
    let mut test = TestServer::new(&[]);
    let (mut client, key) = test.open();
    send(&mut test, &mut client, key, 2);
    drop(client);
    test.poll_until("the end", |test| test.server.peer(key).is_some_and(|peer| peer.state() == State::Closed));
    // 4,096 more clients whose events nobody reads: the events of the first one are the oldest and are dropped.
    while test.server.peer(key).is_some_and(|peer| peer.endpoint.inbox.marks() > 0) {
        let (client, _) = test.open();
        drop(client);
        test.poll();
    }
    for _ in 0..2 {
        assert!(test.server.peer(key).unwrap().take_message().is_some(), "its messages stay readable");
        test.server.took(key, false);
    }
    test.poll();
    assert!(test.server.peer(key).is_none(), "after its last message is taken, it retires");
}

#[test]
fn a_client_refused_for_lack_of_handles_is_not_counted() {
    use std::io::Write;
    let mut test = TestServer::new(&[(WS_OPT_MAX_CLIENTS_PER_ADDRESS, 1)]);
    test.given.none_left.set(true);
    let mut client = test.connect();
    client.write_all(REQUEST).unwrap();
    let mut answer = Vec::new();
    test.poll_until("the end of the client", |_| !read(&mut client, &mut answer));
    test.given.none_left.set(false);
    assert_eq!(test.items(), []);
    let (_client, _) = test.open();
    assert_eq!(test.counts()[0], 1, "connected");
}

#[test]
fn reading_resumes_however_the_messages_are_taken() {
    use std::io::Write;
    let ways = ["items of the server", "messages of the server", "items of the client", "messages of the client"];
    // Reading pauses after many messages, or after a single long one.
    for (way, limit, len, count) in ways.into_iter().flat_map(|way| [(way, 3, 1_000, 300), (way, 1, 70_000, 10)]) {
        let mut test = TestServer::new(&[(WS_OPT_INBOUND_PACKETS, limit), (WS_OPT_HEARTBEAT_MS, WS_OFF)]);
        let (mut client, key) = test.open();
        test.items();
        let bytes = frame(0x82, &vec![7; len]).repeat(count);
        let (mut sent, mut got) = (0, 0);
        let end = std::time::Instant::now() + PATIENCE;
        while got < count {
            assert!(std::time::Instant::now() < end, "{way}: {got} of {count}");
            sent += client.write(&bytes[sent..]).unwrap_or(0);
            test.poll();
            let waits = test.server.peer(key).unwrap().is_reading_paused();
            if sent < bytes.len() || !(waits || got + test.server.available() == count) {
                continue;
            }
            let before = got;
            loop {
                let taken = match way {
                    "items of the server" => test.server.take_item().is_some(),
                    "messages of the server" => test.message().is_some(),
                    "items of the client" => test.server.peer(key).unwrap().take_item().is_some(),
                    _ => test.server.peer(key).unwrap().take_message().is_some(),
                };
                if !taken {
                    break;
                }
                got += 1;
                if way.ends_with("client") {
                    test.server.took(key, false);
                }
            }
            assert!(got > before && (got == count || test.server.has_work()), "{way}: {got}");
        }
    }
}

#[test]
fn room_that_a_put_finds_is_reported_at_once() {
    let mut test = TestServer::new(&[(WS_OPT_OUTBOUND_BYTES, 100_000), (WS_OPT_HEARTBEAT_MS, WS_OFF)]);
    let (mut client, key) = test.join();
    test.items();
    let put = |test: &mut TestServer, len: usize| test.act(|server, cx| server.put_one(cx, key, false, &vec![7; len]));
    while put(&mut test, 50_000) == Sent::Taken {}
    assert_eq!(test.items(), []);
    received(&mut client);
    assert_eq!(put(&mut test, 1), Sent::Taken);
    assert_eq!(test.items(), [(Some(key), EventKind::Writable)]);
}

#[test]
fn at_most_4096_events_wait() {
    for excess in 0..3 {
        let mut test = TestServer::new(&[(WS_OPT_MAX_CLIENTS, WS_OFF), (WS_OPT_HEARTBEAT_MS, WS_OFF)]);
        let mut ends = Vec::new();
        for _ in 0..4_096 + excess {
            let (near, mut far) = wspeer::internals::net::MemoryEnd::pair(1_000);
            test.act(|server, cx| server.accept_local(cx, near));
            far.write(REQUEST).unwrap();
            ends.push(far);
            if ends.len() == 3_000 {
                test.poll();
                assert_eq!(test.items().len(), 3_000);
            }
        }
        test.poll();
        assert_eq!(test.items().len(), 1_096 + excess);
        drop(ends);
        test.poll();
        let Some((from, wspeer::internals::endpoint::Item::Mark(mark))) = test.server.take_item() else { panic!() };
        if excess == 0 {
            assert_eq!((from, mark.kind), (Some(0), EventKind::Disconnected));
        } else {
            assert_eq!((from, mark.kind, mark.count), (None, EventKind::Skipped, excess as u64));
        }
        let items = test.items();
        assert_eq!(items.len(), 4_096 - usize::from(excess == 0));
        assert!(items.iter().all(|(_, kind)| *kind == EventKind::Disconnected));
    }
}

#[test]
fn unread_messages_stay_in_a_slot_that_was_about_to_become_free() {
    use wspeer::internals::net::MemoryEnd;
    let mut test = TestServer::new(&[(WS_OPT_MAX_CLIENTS, WS_OFF), (WS_OPT_HEARTBEAT_MS, WS_OFF)]);
    let join = |test: &mut TestServer, bytes: &[u8]| {
        let (near, mut far) = MemoryEnd::pair(1_000);
        test.act(|server, cx| server.accept_local(cx, near));
        far.write(bytes).unwrap();
        far
    };
    // Nearly as many events as may wait, and clients whose last events are taken.
    let _others: Vec<MemoryEnd> = (0..4_076).map(|_| join(&mut test, REQUEST)).collect();
    let gone: Vec<MemoryEnd> = (0..20).map(|_| join(&mut test, REQUEST)).collect();
    test.poll();
    for key in 4_076..4_096 {
        assert!(take_from(&mut test, key));
    }
    drop(gone);
    test.poll();
    for key in 4_076..4_096 {
        assert!(test.server.peer(key).unwrap().take_item().is_some());
        test.server.took(key, true);
    }
    // The slot of the last one becomes free at once, and those of the others one by one, in polls without time.
    test.act(|server, cx| server.forget(cx, 4_095));
    let end = join(&mut test, &[REQUEST.to_vec(), frame(0x82, b"x")].concat());
    let hurried = |test: &mut TestServer| {
        let clock = test.clock(std::time::Duration::from_secs(1));
        test.poll_within(&clock, Some(1_000));
    };
    (0..4).for_each(|_| hurried(&mut test));
    assert_eq!(test.server.peer(4_095).unwrap().endpoint.inbox.ready(), 1);
    drop(end);
    (0..4).for_each(|_| hurried(&mut test));
    let retired = test.given.retired.borrow().len();
    assert!((5..19).contains(&retired), "{retired}");
    // It ended first, so its events are merged when there are too many. Its message can still be taken.
    for key in 0..19 {
        assert_eq!(test.server.peer(4_095).unwrap().endpoint.inbox.marks(), 2);
        test.act(|server, cx| server.act(cx, key, |peer, cx| peer.close(cx, -1, "")));
    }
    assert_eq!(test.server.peer(4_095).unwrap().endpoint.inbox.marks(), 0);
    (0..30).for_each(|_| hurried(&mut test));
    assert_eq!(test.given.retired.borrow().len(), 19);
    assert!(test.server.peer(4_095).unwrap().take_message().is_some());
    test.server.took(4_095, false);
    test.poll();
    assert!(test.server.peer(4_095).is_none() && test.given.retired.borrow().len() == 20);
}
