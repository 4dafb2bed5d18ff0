//! Timeouts of a server, with a fake clock.

use crate::test_server::*;
use std::io::Write;
use std::time::Duration;
use wspeer::codes::*;
use wspeer::internals::endpoint::Item;
use wspeer::internals::net::MemoryEnd;
use wspeer::internals::protocol::Accept;
use wspeer::internals::status::{Cause, EventKind, State};

#[test]
fn a_closing_client_does_not_exhaust_the_budget() {
    let mut test = TestServer::new(&[]);
    let (_client, key) = test.open();
    test.act(|server, cx| {
        server.peer(key).unwrap().close(cx, 1000, "");
        server.take_account(cx, key);
    });
    for _ in 0..10 {
        test.now += ms(16);
        let clock = test.clock(ms(1) / 1_000);
        assert!(!test.poll_within(&clock, Some(1_000)));
        assert!(clock.asked.get() < 50, "an idle poll checked its budget {} times", clock.asked.get());
    }
}

#[test]
fn a_client_that_ignores_a_close_is_dropped_after_3_s() {
    let mut test = TestServer::new(&[]);
    let (_client, key) = test.open();
    test.items();
    test.act(|server, cx| {
        server.peer(key).unwrap().close(cx, 1000, "");
        server.take_account(cx, key);
    });
    let clock = test.clock(ms(1) / 1_000);
    for _ in 0..29 {
        test.now += ms(100);
        test.poll_within(&clock, Some(1_000));
        assert_eq!(test.items(), []);
    }
    test.now += ms(200);
    test.poll_within(&clock, Some(1_000));
    assert_eq!(test.items(), [(Some(key), EventKind::Disconnected)]);
}

#[test]
fn many_changes_of_options_do_not_disturb_the_heartbeat() {
    let mut test = TestServer::new(&[(WS_OPT_HEARTBEAT_MS, 1_000)]);
    let mut clients: Vec<(MemoryEnd, u32)> = (0..3).map(|_| test.join()).collect();
    let mut pings = [0; 3];
    for round in 1..=5 {
        // Each change has the next poll check the timers of its client.
        for _ in 0..500 {
            let (now, key) = (test.now, clients[round % 3].1);
            test.server.look_soon(key, now);
            test.now += ms(1);
        }
        test.poll();
        assert!(test.server.footprint() < 100, "{}", test.server.footprint());
        test.now += ms(500);
        test.poll();
        for ((client, _), pings) in clients.iter_mut().zip(&mut pings) {
            *pings += received(client).windows(8).filter(|bytes| *bytes == PING).count();
            client.write(&frame(0x8A, b"wspeer")).unwrap();
        }
        assert_eq!(pings, [round; 3]);
    }
    // Earlier ones are removed, although they are not due.
    for number in 0..500 {
        let later = test.now + ms(60_000 + number);
        test.server.look_soon(clients[0].1, later);
    }
    test.poll();
    assert!(test.server.footprint() < 100, "{}", test.server.footprint());
}

/// What a client in this process does.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Habit {
    /// Never sends its request.
    Mute,
    /// Opens, and answers no ping.
    Silent,
    /// Answers each ping.
    Answers,
    /// The host closes it, and it does not answer.
    Closed,
}
use Habit::*;

/// A client, and what it has seen. Times are milliseconds.
struct Guest {
    habit: Habit,
    end: MemoryEnd,
    /// When it joined.
    since: u64,
    /// When pings came, and when its transport ended, after it joined.
    pings: Vec<u64>,
    ended: Option<u64>,
}

const PING: &[u8] = b"\x89\x06wspeer";

#[test]
fn a_host_that_polls_only_when_a_timer_is_due_serves_each_timer_in_time() {
    // A gap between two polls moves every deadline.
    for gap in [0, 10_000] {
        let changes = [
            (WS_OPT_HEARTBEAT_MS, 1_000),
            (WS_OPT_PONG_TIMEOUT_MS, 2_500),
            (WS_OPT_HANDSHAKE_TIMEOUT_MS, 1_900),
            (WS_OPT_CLOSE_TIMEOUT_MS, 700),
        ];
        let mut test = TestServer::new(&changes);
        test.poll_until("the first look at the listener", |test| !test.server.has_work());
        let time = |test: &TestServer| (test.now - test.start).as_millis() as u64;
        let mut guests: Vec<Guest> = Vec::new();
        for number in 0..24 {
            test.now += ms(30);
            let habit = [Mute, Silent, Answers, Closed][number % 4];
            let end = if habit == Mute {
                let (near, far) = MemoryEnd::pair(1_000);
                test.act(|server, cx| server.accept_local(cx, near));
                test.poll();
                far
            } else {
                let (far, key) = test.join();
                if habit == Closed {
                    test.act(|server, cx| server.act(cx, key, |peer, cx| peer.close(cx, 1_000, "")));
                }
                far
            };
            guests.push(Guest { habit, end, since: time(&test) + gap, pings: Vec::new(), ended: None });
        }
        let joined = time(&test) + gap;
        if gap > 0 {
            test.now += ms(gap);
            test.poll();
        }
        let (mut polls, end) = (0, test.now + ms(9_500));
        while test.now < end {
            let at = time(&test);
            for guest in &mut guests {
                let bytes = received(&mut guest.end);
                assert!(guest.habit != Answers || bytes.is_empty() || bytes == PING, "{bytes:?}");
                if bytes == PING {
                    guest.pings.push(at - guest.since);
                    if guest.habit == Answers {
                        guest.end.write(&frame(0x8A, b"wspeer")).unwrap();
                    }
                }
                if guest.ended.is_none() && guest.end.readable() > 0 {
                    guest.ended = Some(at - guest.since);
                }
            }
            if test.server.has_work() {
                test.items();
                test.poll();
                continue;
            }
            let next = test.server.next_timer().unwrap();
            assert!(next > test.now, "a timer that is due after a poll");
            test.now = next;
            test.poll();
            polls += 1;
        }
        assert!(polls < 300, "{polls} polls");
        let seconds = |count: u64| (1..=count).map(|second| second * 1_000).collect::<Vec<_>>();
        for Guest { habit, since, pings, ended, .. } in &guests {
            let (count, expected) = match habit {
                Mute => (0, Some(1_900)),
                Silent => (2, Some(2_500)),
                Closed => (0, Some(700)),
                Answers => ((joined - since) as usize / 1_000 + 9, None),
            };
            assert_eq!(*ended, expected, "{habit:?} since {since}, gap {gap}");
            assert_eq!(pings[..pings.len().min(count)], seconds(count as u64), "{habit:?} since {since}, gap {gap}");
            assert!(pings.len() - count <= 1);
        }
        let [connected, pending, accepted, refused] = test.counts();
        assert_eq!([connected, pending, accepted, refused], [6, 0, 24, 6]);
    }
}

#[test]
fn a_client_whose_messages_nobody_takes_is_pinged_and_kept() {
    let changes = [(WS_OPT_HEARTBEAT_MS, 1_000), (WS_OPT_PONG_TIMEOUT_MS, 2_000), (WS_OPT_INBOUND_PACKETS, 3)];
    let mut test = TestServer::new(&changes);
    let (mut client, key) = test.join();
    test.items();
    let mut sent = 0;
    while !test.server.peer(key).unwrap().is_reading_paused() {
        assert!(sent < 1_000);
        client.write(&frame(0x82, &[7; 1_000])).unwrap();
        sent += 1;
        test.poll();
    }
    for _ in 0..10 {
        client.write(&frame(0x82, &[7; 1_000])).unwrap();
    }
    let available = test.server.available();
    let mut pings = 0;
    for _ in 0..100 {
        test.now += ms(100);
        test.poll();
        pings += received(&mut client).windows(PING.len()).filter(|bytes| *bytes == PING).count();
    }
    assert_eq!((pings, test.server.available()), (10, available));
    let mut items = Vec::new();
    test.poll_until("the others", |test| {
        items.extend(test.items());
        items.len() == sent + 10
    });
    assert!(items.iter().all(|item| *item == (Some(key), EventKind::Message)));
}

#[test]
fn a_client_whose_answer_has_arrived_is_not_timed_out_before_it_is_read() {
    for is_local in [false, true] {
        let mut test = TestServer::new(&[(WS_OPT_HEARTBEAT_MS, 1_000), (WS_OPT_PONG_TIMEOUT_MS, 2_000)]);
        let (mut sockets, mut ends) = (Vec::new(), Vec::new());
        for _ in 0..10 {
            if is_local { ends.push(test.join().0) } else { sockets.push(test.open().0) }
        }
        test.items();
        test.poll_until("rest", |test| !test.server.worked);
        for time in [500, 500, 500, 499] {
            test.now += ms(time);
            test.poll();
        }
        // All have been pinged, and the timeouts of all are due. There is time to read one.
        let pong = frame(0x8A, b"wspeer");
        // The last one first, as timers are checked in the order of the clients.
        sockets.iter_mut().rev().for_each(|socket| socket.write_all(&pong).unwrap());
        ends.iter_mut().for_each(|end| _ = end.write(&pong));
        for _ in 0..30 {
            test.now += ms(1);
            let clock = test.clock(Duration::from_secs(1));
            test.poll_within(&clock, Some(1_000));
            assert_eq!(test.items(), []);
        }
        test.now += ms(900);
        test.poll();
        assert_eq!((test.items(), test.counts()[0]), (vec![], 10));
        // Without another answer they are.
        for _ in 0..11 {
            test.now += ms(100);
            test.poll();
        }
        assert_eq!((test.items().len(), test.counts()[0]), (10, 0));
    }
}

#[test]
fn a_timer_that_waits_for_unread_bytes_still_counts_as_an_entry() {
    let mut test = TestServer::new(&[(WS_OPT_HEARTBEAT_MS, 1_000), (WS_OPT_INBOUND_PACKETS, WS_OFF)]);
    let (mut flooder, _) = test.join();
    test.items();
    let (flood, mut entries) = (frame(0x82, b"x").repeat(9_000), Vec::new());
    for _ in 0..40 {
        let _ = flooder.write(&flood);
        test.now += ms(50);
        let clock = test.clock(Duration::from_secs(1));
        assert!(test.poll_within(&clock, Some(1_000)), "it has sent more");
        test.items();
        entries.push(test.server.footprint());
    }
    assert!(entries[5..].iter().all(|count| *count == entries[5]), "{entries:?}");
}

#[test]
fn a_client_that_floods_is_timed_out_once_it_is_silent() {
    let mut test = TestServer::new(&[(WS_OPT_HEARTBEAT_MS, 1_000), (WS_OPT_PONG_TIMEOUT_MS, 2_000)]);
    let (mut flooder, key) = test.join();
    let (mut other, _) = test.join();
    test.items();
    let flood = frame(0x82, b"x").repeat(2_000);
    let began = test.now;
    let hurried = |test: &mut TestServer| {
        test.now += ms(50);
        let clock = test.clock(Duration::from_secs(1));
        test.poll_within(&clock, Some(1_000));
        test.items()
    };
    // More than polls without time can read, while its timers are due.
    for poll in 0..60 {
        let _ = flooder.write(&flood);
        other.write(&frame(0x8A, b"wspeer")).unwrap();
        let items = hurried(&mut test);
        assert!(items.iter().all(|(_, kind)| *kind == EventKind::Message), "poll {poll}");
    }
    let mut ended = None;
    while test.now < began + ms(12_000) {
        other.write(&frame(0x8A, b"wspeer")).unwrap();
        test.now += ms(50);
        test.poll();
        let items = test.items();
        if items.contains(&(Some(key), EventKind::Disconnected)) {
            ended = Some(test.now - began);
            break;
        }
    }
    let ended = ended.expect("it is never timed out");
    assert!((ms(5_000)..=ms(5_100)).contains(&ended), "{ended:?}");
    assert_eq!(test.counts()[0], 1);
}

#[test]
fn a_tls_handshake_that_never_ends_is_timed_out() {
    let [most, timeout] = [(WS_OPT_MAX_CLIENTS_PER_ADDRESS, 2), (WS_OPT_HANDSHAKE_TIMEOUT_MS, 3_000)];
    let counts = |test: &TestServer| test.counts();
    // What happens to the deadline of 3 s before it is reached, and when it is reached.
    for (change, expected) in [("none", 3_000), ("a gap", 8_000), ("longer", 4_500), ("shorter", 3_000)] {
        let mut test = TestServer::with_tls(&[most, timeout]);
        let silent = [test.connect(), test.connect()];
        test.poll_until("two", |test| counts(test) == [0, 2, 2, 0]);
        let accepted = test.now;
        assert_eq!(test.server.next_timer(), Some(accepted + ms(3_000)));
        // No third one is served, not even with TLS.
        let mut third = test.connect();
        test.poll_until("the third", |test| counts(test) == [0, 2, 3, 1]);
        let mut nothing = Vec::new();
        test.poll_until("its end", |_| !read(&mut third, &mut nothing));
        assert_eq!(nothing, b"");
        while test.now < accepted + ms(2_000) {
            test.now += ms(100);
            test.poll();
        }
        match change {
            "a gap" => test.now += ms(5_000),
            "longer" => set(&mut test, WS_OPT_HANDSHAKE_TIMEOUT_MS, 4_500),
            "shorter" => set(&mut test, WS_OPT_HANDSHAKE_TIMEOUT_MS, 100),
            _ => {}
        }
        test.poll();
        while test.now < accepted + ms(expected) {
            assert_eq!(counts(&test), [0, 2, 3, 1], "{change}: {:?}", test.now - accepted);
            test.now += ms(100);
            test.poll();
        }
        assert_eq!((counts(&test), test.items()), ([0, 0, 3, 3], vec![]), "{change}");
        // Their places are free.
        let _again = [test.connect(), test.connect()];
        test.poll_until("two more", |test| counts(test) == [0, 2, 5, 3]);
        drop(silent);
    }
}

#[test]
fn the_timer_of_a_tls_handshake_is_kept_when_others_are_removed() {
    let mut test = TestServer::with_tls(&[(WS_OPT_HANDSHAKE_TIMEOUT_MS, 3_000), (WS_OPT_HEARTBEAT_MS, WS_OFF)]);
    let _silent = test.connect();
    test.poll_until("it to be accepted", |test| test.counts() == [0, 1, 1, 0]);
    let (_end, key) = test.join();
    for _ in 0..500 {
        test.now += ms(1);
        let now = test.now;
        test.server.look_soon(key, now);
    }
    test.poll();
    assert!(test.server.footprint() < 100, "{}", test.server.footprint());
    for time in [800, 800, 899] {
        test.now += ms(time);
        test.poll();
        assert_eq!(test.counts(), [1, 1, 2, 0]);
    }
    test.now += ms(1);
    test.poll();
    assert_eq!(test.counts(), [1, 0, 2, 1]);
}

#[test]
fn a_failed_tls_handshake_is_refused_and_frees_its_place() {
    let mut test = TestServer::with_tls(&[(WS_OPT_MAX_CLIENTS_PER_ADDRESS, 1)]);
    for count in 1..4 {
        let mut client = test.connect();
        client.write_all(REQUEST).unwrap();
        test.poll_until("the failure", |test| test.counts() == [0, 0, count, count]);
    }
    let (_silent, now) = (test.connect(), test.now);
    test.poll_until("a handshake that does not end", |test| test.counts() == [0, 1, 4, 3]);
    // A server that closes does not wait for it.
    test.act(|server, cx| server.close(cx, 0, ""));
    assert_eq!((test.server.state(), test.now == now), (State::Closed, true));
    assert_eq!(test.counts()[1], 0);
    assert_eq!(test.items(), [(None, EventKind::Closed)]);
}

fn set(test: &mut TestServer, option: i32, value: u32) {
    std::sync::Arc::make_mut(&mut test.server.endpoint.options).set(option, value).unwrap();
}

#[test]
fn accepting_that_fails_is_reported_and_tried_again_every_100_ms() {
    // It is bound and does not listen: each accept fails.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.set_nonblocking(true).unwrap();
    let listener = mio::net::TcpListener::from_std(socket.into());
    let mut test = TestServer::on(vec![listener], None, Accept::default(), &[]);
    let mut reported = Vec::new();
    for _ in 0..1_000 {
        test.poll();
        while let Some((key, item)) = test.server.take_item() {
            let Item::Mark(mark) = item else { panic!("a message") };
            assert_eq!((key, mark.kind, mark.cause), (None, EventKind::Error, Cause::Resources));
            assert!(mark.os_error != 0);
            reported.push((test.now - test.start).as_millis());
        }
        assert!(!test.server.has_work());
        assert_eq!(test.server.next_timer(), Some(test.start + ms(reported.len() as u64 * 100)));
        test.now += ms(1);
    }
    assert_eq!(reported, (0..10).map(|number| number * 100).collect::<Vec<_>>());
    // A host that takes no events finds one.
    for _ in 0..10 {
        test.now += ms(100);
        test.poll();
    }
    // It wakes a waiting host once.
    assert!(test.server.has_work() && !test.server.has_work());
    assert_eq!((test.items(), test.server.state()), (vec![(None, EventKind::Error)], State::Open));
}
