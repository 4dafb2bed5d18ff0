//! What a server does besides serving: timeouts, memory, clients in this process, and its end.

use crate::test_server::*;
use std::io::Write;
use std::net::TcpStream;
use wspeer::codes::*;
use wspeer::internals::link::Sent;
use wspeer::internals::net::MemoryEnd;
use wspeer::internals::server::Whom;
use wspeer::internals::status::{EventKind, State};

const QUIET: (i32, u32) = (WS_OPT_HEARTBEAT_MS, WS_OFF);

#[test]
fn an_unfinished_opening_handshake_times_out() {
    for (timeout, waits) in [(3_000, Some(3_000)), (500, Some(500)), (WS_OFF, None)] {
        let mut test = TestServer::new(&[(WS_OPT_HANDSHAKE_TIMEOUT_MS, timeout), QUIET]);
        let _client = test.connect();
        test.poll_until("it to be accepted", |test| test.counts()[1] == 1);
        let accepted = test.now;
        assert_eq!(test.server.next_timer(), waits.map(|waits| accepted + ms(waits)), "{timeout}");
        let waits = waits.unwrap_or(100_000);
        while test.now < accepted + ms(waits - 100) {
            test.now += ms(100);
            test.poll();
            assert_eq!(test.counts(), [0, 1, 1, 0], "{timeout} after {:?}", test.now - accepted);
        }
        test.now += ms(100);
        test.poll();
        let is_refused = u64::from(timeout != WS_OFF);
        assert_eq!(test.counts(), [0, 1 - is_refused, 1, is_refused], "{timeout}");
        assert_eq!(test.items(), [], "the program never learned of it");
    }
}

#[test]
fn the_connections_of_one_address_are_counted_until_they_end() {
    let mut test = TestServer::new(&[(WS_OPT_MAX_CLIENTS_PER_ADDRESS, 2), QUIET]);
    for _ in 0..4 {
        // Two at a time, one of which is pending at first.
        let waiting = test.connect();
        test.poll_until("it to be accepted", |test| test.counts()[1] == 1);
        let (client, key) = test.open();
        assert_eq!(test.counts()[..2], [1, 1]);
        let mut third = test.connect();
        let mut answer = Vec::new();
        test.poll_until("the refusal", |_| {
            read(&mut third, &mut answer);
            answer.ends_with(b"address; try again later\n") || answer.windows(4).any(|end| end == b"\r\n\r\n")
        });
        assert!(answer.starts_with(b"HTTP/1.1 503 "));
        drop((waiting, client));
        test.poll_until("their ends", |test| test.counts()[..2] == [0, 0]);
        assert_eq!(test.items(), [(Some(key), EventKind::Connected), (Some(key), EventKind::Disconnected)]);
        test.poll();
        assert_eq!(test.server.keys().count(), 0);
    }
    assert_eq!(test.counts(), [0, 0, 12, 8]);
}

#[test]
fn read_buffers_are_freed_after_five_idle_seconds() {
    let mut test = TestServer::new(&[QUIET, (WS_OPT_INBOUND_PACKETS, WS_OFF)]);
    let (mut client, key) = test.open();
    client.write_all(&frame(0x82, b"message")).unwrap();
    test.poll_until("the message", |test| test.server.peer(key).unwrap().endpoint.counters.messages_in == 1);
    let heap = |test: &mut TestServer| test.act(|_, cx| cx.arena.heap_bytes());
    test.poll();
    assert!(heap(&mut test) > 0);
    let began = test.now;
    while test.now < began + ms(4_900) {
        test.now += ms(100);
        test.poll();
        assert!(heap(&mut test) > 0, "after {:?}", test.now - began);
    }
    test.now += ms(200);
    test.poll();
    assert_eq!(heap(&mut test), 0);
    // What was queued is still there.
    assert_eq!(test.items(), [(Some(key), EventKind::Connected), (Some(key), EventKind::Message)]);
}

#[test]
fn a_client_in_this_process_is_served_like_others() {
    let mut test = TestServer::new(&[QUIET]);
    test.poll_until("rest", |test| !test.server.has_work());
    assert!(!test.server.has_local());
    let (near, mut far) = MemoryEnd::pair(64 << 10);
    test.act(|server, cx| server.accept_local(cx, near));
    assert!(test.server.has_local() && test.counts() == [0, 1, 1, 0]);
    test.poll();
    assert!(!test.server.has_work(), "nothing has arrived");
    far.write(REQUEST).unwrap();
    assert!(test.server.has_work());
    test.poll();
    assert!(received(&mut far).starts_with(b"HTTP/1.1 101 "));
    let items = test.items();
    let [(Some(key), EventKind::Connected)] = items[..] else { panic!("{items:?}") };
    far.write(&frame(0x82, b"x")).unwrap();
    test.poll();
    assert_eq!(test.items(), [(Some(key), EventKind::Message)]);
    // Output that did not fit is written by later polls.
    let payload = vec![7; 150_000];
    assert_eq!(test.act(|server, cx| server.put_one(cx, key, false, &payload)), Sent::Taken);
    let mut output = received(&mut far);
    for _ in 0..10 {
        test.poll();
        output.extend(received(&mut far));
    }
    assert_eq!(output.len(), 150_010);
    assert_eq!(test.act(|server, cx| server.put_one(cx, key, false, b"last")), Sent::Taken);
    test.act(|server, cx| server.drop_local(cx));
    assert!(!test.server.has_local() && far.readable() == 6 + 1);
    assert_eq!(received(&mut far), b"\x82\x04last");
    assert_eq!(far.read(&mut [0; 1]).unwrap(), 0, "the end of the stream");
}

/// Several clients whose output waits, as they do not read.
fn stalled(test: &mut TestServer, count: usize) -> Vec<(TcpStream, u32)> {
    let clients: Vec<(TcpStream, u32)> = (0..count).map(|_| test.open()).collect();
    let payload = vec![7; 1 << 20];
    for (_, key) in &clients {
        while test.server.peer(*key).unwrap().queued_bytes() == 0 {
            assert_eq!(test.act(|server, cx| server.put_one(cx, *key, false, &payload)), Sent::Taken);
        }
    }
    clients
}

#[test]
fn the_last_write_tries_every_client_or_stops_at_the_budget() {
    for each in [false, true] {
        let mut test = TestServer::new(&[(WS_OPT_OUTBOUND_BYTES, WS_OFF), QUIET]);
        let mut clients = stalled(&mut test, 3);
        let before: Vec<usize> =
            clients.iter().map(|(_, key)| test.server.peer(*key).unwrap().queued_bytes()).collect();
        for (client, _) in &mut clients {
            let mut bytes = Vec::new();
            while bytes.len() < 300_000 {
                read(client, &mut bytes);
                std::thread::yield_now();
            }
        }
        let clock = test.clock(ms(1));
        test.act_within(&clock, Some(1), |server, cx| {
            cx.budget.is_spent();
            server.write_last(cx, each);
        });
        for ((_, key), before) in clients.iter().zip(&before) {
            assert_eq!(test.server.peer(*key).unwrap().queued_bytes() < *before, each, "client {key}");
        }
        test.act(|server, cx| server.write_last(cx, false));
        assert!(test.server.peer(clients[2].1).unwrap().queued_bytes() < before[2]);
    }
}

#[test]
fn a_closing_server_can_be_dropped() {
    let mut test = TestServer::new(&[QUIET]);
    let (_one, first) = test.open();
    let (_two, second) = test.open();
    test.items();
    test.act(|server, cx| server.close(cx, 0, ""));
    test.poll();
    assert_eq!((test.server.state(), test.items()), (State::Closing, vec![]));
    // Another close changes nothing; -1 drops.
    test.act(|server, cx| server.close(cx, 4_000, "again"));
    test.poll();
    assert_eq!(test.server.state(), State::Closing);
    test.act(|server, cx| server.close(cx, -1, ""));
    test.poll();
    assert_eq!(test.server.state(), State::Closed);
    let ended = |key| (Some(key), EventKind::Disconnected);
    assert_eq!(test.items(), [ended(first), ended(second), (None, EventKind::Closed)]);
    test.act(|server, cx| server.close(cx, -1, ""));
    test.poll();
    assert_eq!((test.server.state(), test.items()), (State::Closed, vec![]));
}

#[test]
fn a_server_that_stops_listening_keeps_its_clients() {
    let mut test = TestServer::new(&[QUIET]);
    let (mut client, key) = test.open();
    assert_eq!(test.server.url(), format!("ws://127.0.0.1:{}", test.server.address().port()));
    test.server.stop_listening();
    assert!(TcpStream::connect(test.server.address()).is_err());
    client.write_all(&frame(0x82, b"x")).unwrap();
    test.poll_until("the message", |test| test.server.peer(key).unwrap().endpoint.counters.messages_in == 1);
    assert_eq!(test.server.state(), State::Open);
}

#[test]
fn a_poll_says_whether_it_worked() {
    let mut test = TestServer::new(&[QUIET]);
    let (mut client, key) = test.open();
    test.items();
    test.poll_until("rest", |test| !test.server.worked);
    client.write_all(&frame(0x82, b"x")).unwrap();
    test.poll_until("work", |test| test.server.worked);
    assert_eq!(test.items(), [(Some(key), EventKind::Message)]);
    test.poll();
    assert!(!test.server.worked);
}

#[test]
fn the_entries_of_all_queues_are_counted() {
    let mut test = TestServer::new(&[QUIET]);
    test.poll_until("rest", |test| !test.server.has_work());
    let mut clients = Vec::new();
    for count in 1..4 {
        clients.push(test.open());
        // Each has a CONNECTED that waits, and timers.
        assert!(test.server.footprint() >= 2 * count, "{} for {count}", test.server.footprint());
    }
    let before = test.server.footprint();
    for (client, key) in &mut clients {
        client.write_all(&frame(0x82, b"x")).unwrap();
        test.poll_until("it", |test| test.server.peer(*key).unwrap().endpoint.counters.messages_in == 1);
    }
    // Messages to take, in the arena until the next poll.
    assert!(test.server.footprint() >= before + 3, "{} after {before}", test.server.footprint());
    let before = test.server.footprint();
    for (_, key) in &clients {
        test.act(|server, cx| {
            server.put_spread(
                cx,
                wspeer::internals::server::Spread {
                    text: false,
                    payload: b"x",
                    whom: Whom::Range(*key..*key + 1),
                    except: &[],
                    on_full: WS_FULL_SKIP,
                    now: false,
                },
            )
        });
    }
    assert_eq!(test.server.footprint(), before + 3, "output that waits");
    test.act(|server, cx| server.write_marked(cx));
    assert_eq!(test.server.footprint(), before);
    let keys: Vec<u32> = clients.iter().map(|(_, key)| *key).collect();
    drop(clients);
    test.poll_until("their ends", |test| test.counts()[0] == 0);
    // Of each the end, the unread messages and the items.
    let before = test.server.footprint();
    assert!(before >= 4 * 3, "{before}");
    test.items();
    // None has items any more, and each retires in the next poll.
    assert_eq!(test.server.footprint(), before - 3 + 3);
    test.poll();
    assert!(keys.iter().all(|key| test.server.peer(*key).is_none()));
}

#[test]
fn a_server_that_is_freed_hands_over_its_sockets() {
    let mut test = TestServer::new(&[QUIET]);
    let mut clients: Vec<TcpStream> = (0..3).map(|_| test.open().0).collect();
    clients.push(test.connect());
    test.poll_until("it to be accepted", |test| test.counts()[1] == 1);
    let streams = test.server.take_streams();
    assert_eq!((streams.len(), test.server.state()), (4, State::Closed));
    assert!(TcpStream::connect(test.server.address()).is_err());
    drop(streams);
    for mut client in clients {
        test.poll_until("its end", |_| !read(&mut client, &mut Vec::new()));
    }
}

#[test]
fn the_end_that_comes_with_the_last_bytes_is_noticed() {
    let mut test = TestServer::new(&[QUIET]);
    for round in 0..20 {
        let (mut client, key) = test.open();
        test.items();
        test.poll_until("rest", |test| !test.server.worked);
        client.write_all(&frame(0x82, b"last")).unwrap();
        drop(client);
        let mut items = Vec::new();
        for _ in 0..10_000 {
            test.poll();
            items.extend(test.items());
            if items.len() == 2 {
                break;
            }
            std::thread::yield_now();
        }
        let expected = [EventKind::Message, EventKind::Disconnected].map(|kind| (Some(key), kind));
        assert_eq!(items, expected, "round {round}");
        test.poll();
    }
}

#[test]
fn a_client_in_a_slot_that_was_about_to_become_free_stays() {
    let mut test = TestServer::new(&[QUIET]);
    let (first, key) = test.join();
    test.items();
    drop(first);
    test.poll();
    assert_eq!(test.items(), [(Some(key), EventKind::Disconnected)]);
    // Its slot becomes free in the next poll, or at once if the host frees its handle.
    test.act(|server, cx| server.forget(cx, key));
    let (mut second, again) = test.join();
    assert_eq!((again, test.items()), (key, vec![(Some(key), EventKind::Connected)]));
    second.write(&frame(0x82, b"x")).unwrap();
    test.poll();
    assert_eq!(test.items(), [(Some(key), EventKind::Message)]);
    assert_eq!(test.given.retired.borrow().len(), 0);
}

#[test]
fn events_of_clients_that_the_host_has_freed_do_not_count() {
    let mut test = TestServer::new(&[QUIET]);
    for _ in 0..2_200 {
        let (end, key) = test.join();
        drop(end);
        test.poll();
        test.act(|server, cx| server.forget(cx, key));
    }
    let clients: Vec<(MemoryEnd, u32)> = (0..20).map(|_| test.join()).collect();
    let keys: Vec<u32> = clients.iter().map(|(_, key)| *key).collect();
    drop(clients);
    test.poll();
    let expected =
        keys.iter().flat_map(|key| [EventKind::Connected, EventKind::Disconnected].map(|kind| (Some(*key), kind)));
    assert_eq!(test.items(), expected.collect::<Vec<_>>());
}

#[test]
fn a_client_without_a_handle_leaves_nothing() {
    let mut test = TestServer::new(&[QUIET]);
    test.given.none_left.set(true);
    let mut ends = Vec::new();
    for count in 1..4 {
        let (near, mut far) = MemoryEnd::pair(1_000);
        test.act(|server, cx| server.accept_local(cx, near));
        far.write(REQUEST).unwrap();
        test.poll();
        test.poll();
        assert!(far.room() == 0, "it is dropped");
        assert_eq!((test.counts(), test.items()), ([0, 0, count, count], vec![]));
        ends.push(far);
    }
    test.given.none_left.set(false);
    // The first slot is used again.
    let (_end, key) = test.join();
    assert_eq!((key, test.items()), (0, vec![(Some(0), EventKind::Connected)]));
    test.act(|server, cx| server.close(cx, -1, ""));
    assert_eq!(test.server.state(), State::Closed);
}

#[test]
fn a_client_is_hidden_until_the_layer_above_has_named_it() {
    let mut test = TestServer::new(&[QUIET]);
    // Nothing is inspected without such a layer, and nothing of a client that is not open.
    let _other = test.join();
    assert!(test.server.above.touched.pop().is_none() && test.items().len() == 1);
    test.server.above.watches = true;
    let (near, mut end) = MemoryEnd::pair(1_000);
    test.act(|server, cx| server.accept_local(cx, near));
    test.act(|server, cx| server.take_account(cx, 1));
    assert_eq!(test.server.above.touched.pop(), None);
    end.write(&[REQUEST.to_vec(), frame(0x82, b"x")].concat()).unwrap();
    test.poll();
    received(&mut end);
    assert_eq!((test.server.above.touched.pop(), test.server.above.touched.pop()), (Some(1), None));
    let shown = |test: &mut TestServer| {
        let handles = (test.server.handles().count(), test.server.all_handles().count());
        (handles, test.server.keys().count(), test.server.available(), test.server.handles_waiting().len())
    };
    assert_eq!((shown(&mut test), test.items()), (((0, 2), 0, 0, 0), vec![]));
    test.act(|server, cx| assert_eq!(server.put_all(cx, false, b"early", Whom::ALL, None), Sent::Taken));
    assert_eq!(received(&mut end), b"");
    test.server.peer(1).unwrap().endpoint.label = 7;
    test.act(|server, cx| server.take_account(cx, 1));
    assert_eq!(shown(&mut test), ((1, 2), 1, 1, 1));
    test.act(|server, cx| assert_eq!(server.put_all(cx, false, b"late", Whom::ALL, None), Sent::Taken));
    assert_eq!(received(&mut end), b"\x82\x04late");
    assert_eq!(test.items(), [EventKind::Connected, EventKind::Message].map(|kind| (Some(1), kind)));
    assert_eq!(test.server.above.touched.pop(), None, "nothing to inspect");
    // Its end is reported to the layer above first, then its name.
    drop(end);
    test.poll();
    assert_eq!((test.server.above.touched.pop(), test.server.above.gone.as_slice()), (Some(1), [].as_slice()));
    assert_eq!(test.items(), [(Some(1), EventKind::Disconnected)]);
    test.poll();
    assert_eq!(test.server.above.gone, [7]);
}

#[test]
fn entries_of_clients_that_have_gone_are_removed() {
    // The timers of the handshakes are due much later.
    let mut test = TestServer::new(&[QUIET, (WS_OPT_HANDSHAKE_TIMEOUT_MS, 3_600_000)]);
    for round in 0..100 {
        let mut clients: Vec<(MemoryEnd, u32)> = (0..3).map(|_| test.join()).collect();
        clients.iter_mut().for_each(|(client, _)| _ = client.write(&frame(0x82, b"x")));
        drop(clients);
        // The bytes, and then the end.
        test.poll();
        test.poll();
        assert_eq!(test.items().len(), 9);
        test.poll();
        // Entries of three queues, each of which may have 64 beside those of the last clients.
        assert!(test.server.footprint() < 3 * (64 + 6), "{} in round {round}", test.server.footprint());
    }
}

#[test]
fn the_end_of_a_server_waits_for_messages_that_are_being_inspected() {
    let mut test = TestServer::new(&[QUIET]);
    (test.server.above.watches, test.server.above.holds) = (true, true);
    let (near, mut end) = MemoryEnd::pair(1_000);
    test.act(|server, cx| server.accept_local(cx, near));
    end.write(&[REQUEST.to_vec(), frame(0x82, b"x")].concat()).unwrap();
    test.poll();
    test.server.peer(0).unwrap().endpoint.label = 7;
    test.act(|server, cx| server.take_account(cx, 0));
    assert_eq!(test.items(), [(Some(0), EventKind::Connected)]);
    test.act(|server, cx| server.close(cx, -1, ""));
    for _ in 0..3 {
        test.poll();
        assert_eq!((test.server.state(), test.items()), (State::Closed, vec![]));
    }
    test.server.peer(0).unwrap().endpoint.inbox.release_all();
    test.act(|server, cx| server.take_account(cx, 0));
    let ends = [(Some(0), EventKind::Message), (Some(0), EventKind::Disconnected), (None, EventKind::Closed)];
    assert_eq!(test.items(), ends);
}
