//! What a server counts, in which order it serves, and whom it admits.

use crate::test_server::*;
use std::io::Write;
use std::net::TcpStream;
use std::time::Instant;
use wspeer::codes::*;
use wspeer::internals::server::KeyQueue;
use wspeer::internals::status::{EventKind, State};

/// Sends `count` numbered messages, and polls until the server has them.
fn send(test: &mut TestServer, client: &mut TcpStream, key: u32, count: u32) {
    let before = test.server.peer(key).unwrap().endpoint.counters.messages_in;
    for number in 0..count {
        client.write_all(&frame(0x82, &number.to_be_bytes())).unwrap();
    }
    test.poll_until("the messages", |test| {
        test.server.peer(key).unwrap().endpoint.counters.messages_in == before + u64::from(count)
    });
}

#[test]
fn a_key_queue_is_a_queue_without_repetitions() {
    let (mut queue, mut model) = (KeyQueue::default(), Vec::new());
    let mut random = 0x5EED_000B_u64;
    for _ in 0..20_000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let key = (random >> 8) as u32 % 50;
        match random % 8 {
            0..4 => {
                queue.push(key);
                if !model.contains(&key) {
                    model.push(key);
                }
            }
            4..6 => assert_eq!(queue.pop(), (!model.is_empty()).then(|| model.remove(0))),
            6 => {
                queue.rotate();
                if !model.is_empty() {
                    model.rotate_left(1);
                }
            }
            _ => queue.shrink(),
        }
        assert_eq!(
            (queue.len(), queue.is_empty(), queue.front()),
            (model.len(), model.is_empty(), model.first().copied())
        );
        assert_eq!((queue.contains(key), queue.contains(1_000)), (model.contains(&key), false));
        assert_eq!(queue.iter().collect::<Vec<_>>(), model);
    }
}

#[test]
fn items_and_messages_are_taken_from_the_clients_in_turn() {
    for only_messages in [false, true] {
        let mut test = TestServer::new(&[(WS_OPT_INBOUND_PACKETS, WS_OFF)]);
        let (mut one, first) = test.open();
        let (mut two, second) = test.open();
        assert_eq!(test.items(), [(Some(first), EventKind::Connected), (Some(second), EventKind::Connected)]);
        send(&mut test, &mut one, first, 150);
        send(&mut test, &mut two, second, 70);
        assert_eq!(test.server.available(), 220);
        let handles: Vec<u32> = test.server.handles().collect();
        assert_eq!(test.server.handles_waiting(), handles);
        let mut order: Vec<(u32, u32)> = Vec::new();
        loop {
            let key = if only_messages {
                let Some(conn) = test.server.take_message(|_, origin, _| origin.conn) else { break };
                if conn == handles[0] { first } else { second }
            } else {
                let Some((key, _)) = test.server.take_item() else { break };
                key.unwrap()
            };
            match order.last_mut() {
                Some((last, count)) if *last == key => *count += 1,
                _ => order.push((key, 1)),
            }
            // Asking who has items does not change whose turn it is.
            test.server.handles_waiting();
            let taken: u32 = order.iter().map(|(_, count)| count).sum();
            assert_eq!(test.server.available(), 220 - taken as usize);
        }
        assert_eq!(order, [(first, 64), (second, 64), (first, 64), (second, 6), (first, 22)], "{only_messages}");
        assert_eq!(test.server.handles_waiting(), []);
    }
}

#[test]
fn a_client_whose_turn_begins_has_a_whole_turn() {
    let mut test = TestServer::new(&[(WS_OPT_INBOUND_PACKETS, WS_OFF)]);
    let mut clients: Vec<_> = (0..3).map(|_| test.join()).collect();
    test.items();
    for (client, _) in &mut clients {
        client.write(&frame(0x82, b"x").repeat(100)).unwrap();
    }
    test.poll();
    // Part of the turn of the first one, whose other messages are then taken through its own handle.
    (0..40).for_each(|_| assert_eq!(test.server.take_item().unwrap().0, Some(0)));
    while test.server.peer(0).unwrap().take_item().is_some() {
        test.server.took(0, false);
    }
    assert_eq!(test.server.handles_waiting().len(), 2);
    let keys: Vec<u32> = test.items().iter().map(|(key, _)| key.unwrap()).collect();
    let expected = [(1, 64), (2, 64), (1, 36), (2, 36)].map(|(key, count)| vec![key; count]).concat();
    assert_eq!(keys, expected);
}

#[test]
fn totals_are_the_sums_of_all_clients_present_and_gone() {
    let mut test = TestServer::new(&[]);
    let (mut one, first) = test.open();
    let (mut two, second) = test.open();
    test.items();
    send(&mut test, &mut one, first, 5);
    send(&mut test, &mut two, second, 7);
    let (counters, queued, _) = test.server.totals();
    let clients = test.counts();
    assert_eq!((counters.messages_in, counters.bytes_in, queued, clients), (12, 48, [12, 48, 0, 0], [2, 0, 2, 0]));
    assert_eq!(
        (test.server.all_handles().count(), test.server.handles().count(), test.server.keys().count()),
        (2, 2, 2)
    );
    let fill = vec![7; 1 << 20];
    while test.server.peer(first).unwrap().queued_bytes() == 0 {
        test.act(|server, cx| server.put_one(cx, first, false, &fill));
    }
    let peer = test.server.peer(first).unwrap();
    let expected = [12, 48, peer.queued_messages() as u64, peer.queued_bytes() as u64];
    assert_eq!(test.server.totals().1, expected);
    let sent = test.server.totals().0.messages_out;
    assert!(sent >= 1);
    test.act(|server, cx| server.forget(cx, first));
    let (counters, queued, _) = test.server.totals();
    let clients = test.counts();
    assert_eq!((counters.messages_in, counters.bytes_in, counters.messages_out), (12, 48, sent));
    assert_eq!((queued, clients), ([7, 28, 0, 0], [1, 0, 2, 0]));
    assert_eq!((test.server.peer(first).is_none(), test.server.keys().collect::<Vec<_>>()), (true, vec![second]));
    // Its slot serves the next client.
    let (_three, third) = test.open();
    assert_eq!((third, test.counts()), (first, [2, 0, 3, 0]));
}

#[test]
fn kept_memory_is_that_of_all_clients() {
    let mut test = TestServer::new(&[]);
    let (mut one, _) = test.open();
    let (mut two, _) = test.open();
    test.items();
    let before = test.server.kept_bytes();
    for client in [&mut one, &mut two] {
        client.write_all(&frame(0x82, &[7; 60_000])[..50_000]).unwrap();
    }
    test.poll_until("both halves", |test| test.server.kept_bytes() >= before + 2 * 49_000);
}

/// The answer to a request, and the connection.
fn ask(test: &mut TestServer) -> (TcpStream, String) {
    let mut stream = test.connect();
    stream.write_all(REQUEST).unwrap();
    let (mut answer, end) = (Vec::new(), Instant::now() + PATIENCE);
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        assert!(Instant::now() < end);
        test.poll();
        read(&mut stream, &mut answer);
    }
    (stream, String::from_utf8(answer).unwrap())
}

#[test]
fn clients_over_a_limit_are_refused_with_503() {
    for (option, most, why) in [
        (WS_OPT_MAX_CLIENTS, 2, "the server is full"),
        (WS_OPT_MAX_CLIENTS_PER_ADDRESS, 2, "too many clients from this address"),
        (WS_OPT_REFUSE_NEW, 1, "the server takes no new clients"),
    ] {
        let changes = if option == WS_OPT_REFUSE_NEW { Vec::new() } else { vec![(option, most)] };
        let mut test = TestServer::new(&changes);
        let (one, first) = test.open();
        let (_two, second) = test.open();
        if option == WS_OPT_REFUSE_NEW {
            std::sync::Arc::make_mut(&mut test.server.endpoint.options).set(option, 1).unwrap();
        }
        let (_refused, answer) = ask(&mut test);
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains(why), "{answer}");
        test.poll_until("the end of the refused client", |test| test.counts()[3] == 1);
        assert_eq!(test.counts(), [2, 0, 3, 1]);
        assert_eq!(test.items(), [(Some(first), EventKind::Connected), (Some(second), EventKind::Connected)]);
        if option == WS_OPT_REFUSE_NEW {
            continue;
        }
        // A place is free once a client has gone, and its messages are read.
        let mut one = one;
        send(&mut test, &mut one, first, 3);
        drop(one);
        test.poll_until("its end", |test| test.server.peer(first).is_some_and(|peer| peer.state() == State::Closed));
        let (_refused, answer) = ask(&mut test);
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("has not read the messages"), "{answer}");
        assert_eq!(test.items().len(), 4);
        test.poll();
        let (_third, _) = test.open();
        assert_eq!(test.counts()[0], 2);
    }
}

#[test]
fn a_server_with_nothing_to_do_says_so() {
    let mut test = TestServer::new(&[(WS_OPT_HEARTBEAT_MS, 5_000)]);
    test.poll_until("the first look at the listener", |test| !test.server.has_work());
    assert_eq!((test.server.next_timer(), test.server.footprint()), (None, 0));
    let (mut client, key) = test.open();
    // CONNECTED wakes a host once, or as long as it reads events.
    assert!(test.server.has_work());
    test.poll_until("rest", |test| !test.server.has_work());
    test.server.reads_events = true;
    assert!(test.server.has_work());
    test.items();
    test.poll();
    assert!(!test.server.has_work());
    assert!(test.server.next_timer().is_some_and(|at| at > test.now), "the heartbeat");
    // A message that waits to be read, and output that waits to be written.
    send(&mut test, &mut client, key, 1);
    assert!(test.server.has_work());
    assert!(test.message().is_some() && !test.server.has_work());
    send(&mut test, &mut client, key, 1);
    test.items();
    test.poll();
    assert!(!test.server.has_work());
    test.act(|server, cx| {
        server.put_spread(
            cx,
            wspeer::internals::server::Spread {
                text: false,
                payload: b"x",
                whom: wspeer::internals::server::Whom::Range(0..9),
                except: &[],
                on_full: WS_FULL_SKIP,
                now: false,
            },
        )
    });
    assert!(test.server.has_work() && test.server.has_marked());
    test.act(|server, cx| server.write_marked(cx));
    assert!(!test.server.has_work());
    // A client that ended, until its handle has retired.
    drop(client);
    test.poll_until("its end", |test| test.server.peer(key).is_some_and(|peer| peer.state() == State::Closed));
    assert_eq!(test.items(), [(Some(key), EventKind::Disconnected)]);
    assert!(test.server.has_work());
    test.poll();
    assert!(test.server.peer(key).is_none() && *test.given.retired.borrow() == [1]);
    test.now += ms(10_000);
    test.poll();
    test.poll();
    assert!(!test.server.has_work() && test.server.footprint() <= 2, "{}", test.server.footprint());
}

#[test]
fn a_closed_server_ends_its_clients_and_reports_closed_last() {
    let mut test = TestServer::new(&[]);
    let (mut client, key) = test.open();
    let (mut waiting, mut nothing) = (test.connect(), Vec::new());
    test.poll_until("it to be accepted", |test| test.counts()[1] == 1);
    send(&mut test, &mut client, key, 2);
    test.act(|server, cx| server.close(cx, 4_002, "bye"));
    assert_eq!(test.server.state(), State::Closing);
    test.act(|server, cx| server.close(cx, 4_003, "again"));
    assert!(TcpStream::connect(test.server.address()).is_err(), "the port is free");
    client.write_all(&frame(0x88, &4_002u16.to_be_bytes())).unwrap();
    test.poll_until("the end", |test| test.server.state() == State::Closed);
    let mut bytes = Vec::new();
    read(&mut client, &mut bytes);
    assert_eq!(bytes, b"\x88\x05\x0F\xA2bye");
    read(&mut waiting, &mut nothing);
    assert!(!nothing.starts_with(b"HTTP/1.1 101"));
    let message = (Some(key), EventKind::Message);
    assert_eq!(
        test.items(),
        [
            (Some(key), EventKind::Connected),
            message,
            message,
            (Some(key), EventKind::Disconnected),
            (None, EventKind::Closed)
        ]
    );
    // The one that waited was ended by the server, not refused.
    assert_eq!(test.counts(), [0, 0, 2, 0]);
}
