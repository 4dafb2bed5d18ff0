//! A server whose budget is always exhausted: every poll makes some progress, and nothing stalls or is lost.

use crate::test_server::*;
use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::internals::link::Sent;
use wspeer::internals::server::Whom;
use wspeer::internals::status::{EventKind, State};

/// Polls with a budget that is exhausted at the first check.
fn poll_hurried(test: &mut TestServer) -> bool {
    let clock = test.clock(Duration::from_secs(1));
    test.poll_within(&clock, Some(1_000))
}

/// Writes as much as possible.
fn write_some(stream: &mut TcpStream, bytes: &[u8]) -> usize {
    match stream.write(bytes) {
        Ok(count) => count,
        Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn data_sent_right_after_the_request_is_read() {
    let mut test = TestServer::new(&[(WS_OPT_INBOUND_BYTES, WS_OFF)]);
    for count in 4..24 {
        let mut client = test.connect();
        test.poll_until("the connection", |test| test.counts()[1] == 1);
        test.poll();
        let bytes = [REQUEST.to_vec(), frame(0x82, &[7; 16_000]).repeat(count)].concat();
        let (mut sent, mut got) = (0, 0);
        let end = Instant::now() + PATIENCE;
        while got < count {
            assert!(Instant::now() < end, "{got} of {count} messages came");
            if sent < bytes.len() {
                sent += write_some(&mut client, &bytes[sent..]);
            }
            poll_hurried(&mut test);
            got += test.items().iter().filter(|(_, kind)| *kind == EventKind::Message).count();
        }
    }
}

#[test]
fn clients_are_read_in_turn() {
    let mut test = TestServer::new(&[]);
    let mut clients: Vec<_> = (0..10).map(|_| test.open()).collect();
    test.items();
    for (client, _) in &mut clients {
        client.write_all(&frame(0x82, b"x").repeat(1_000)).unwrap();
    }
    let mut seen = vec![0; 10];
    let mut polls = 0;
    while seen.iter().sum::<usize>() < 10_000 {
        poll_hurried(&mut test);
        polls += 1;
        for (key, kind) in test.items() {
            assert_eq!(kind, EventKind::Message);
            seen[key.unwrap() as usize] += 1;
        }
        let (least, most) = (seen.iter().min().unwrap(), seen.iter().max().unwrap());
        assert!(most - least <= 2 * 64, "{seen:?} after {polls} polls");
        assert!(polls < 10_000, "{seen:?}");
    }
}

/// Polls with a clock that advances a little at each check, like real work.
fn poll_busily(test: &mut TestServer) -> bool {
    let clock = test.clock(Duration::from_micros(10));
    test.poll_within(&clock, Some(1_000))
}

#[test]
fn dead_clients_time_out_while_polls_are_busy() {
    let mut test = TestServer::new(&[(WS_OPT_HEARTBEAT_MS, 1_000), (WS_OPT_PONG_TIMEOUT_MS, 3_000)]);
    let mut talkers: Vec<_> = (0..100).map(|_| test.open()).collect();
    let silent: Vec<_> = (0..300).map(|_| test.open()).collect();
    test.items();
    let moves = frame(0x82, b"x").repeat(10);
    let (mut gone, mut got) = (0, 0);
    let began = test.now;
    while gone < silent.len() {
        assert!(test.now - began < ms(6_000), "{gone} of {} silent clients are gone after 6 s", silent.len());
        for (talker, _) in &mut talkers {
            // A write may end inside a frame: the rest is then left out.
            let _ = write_some(talker, &moves);
        }
        test.now += ms(16);
        // There is always more to read than one poll can.
        assert!(poll_busily(&mut test), "the budget of each poll is used up");
        for (key, kind) in test.items() {
            gone += usize::from(kind == EventKind::Disconnected);
            got += usize::from(kind == EventKind::Message);
            assert!(
                kind != EventKind::Disconnected || silent.iter().any(|(_, silent)| Some(*silent) == key),
                "an active client was dropped"
            );
        }
    }
    assert!(got > 1_000);
}

#[test]
fn a_poll_fetches_only_part_of_many_ready_clients() {
    let mut test = TestServer::new(&[]);
    let mut clients: Vec<_> = (0..600).map(|_| test.open()).collect();
    test.items();
    test.poll();
    let before = test.server.footprint();
    for (client, _) in &mut clients {
        client.write_all(&frame(0x82, b"x")).unwrap();
    }
    // The budget ends at the first check: the clients fetched from the system are queued.
    let mut got = 0;
    for polls in 1.. {
        poll_hurried(&mut test);
        if polls == 1 {
            let line = test.server.footprint() - before;
            assert!((1..300).contains(&line), "{line} entries after one poll");
        }
        got += test.items().iter().filter(|(_, kind)| *kind == EventKind::Message).count();
        if got == 600 {
            break;
        }
        assert!(polls < 1_200, "{got} messages after {polls} polls");
    }
}

#[test]
fn closing_a_server_completes_over_several_polls() {
    let mut test = TestServer::new(&[]);
    let clients: Vec<_> = (0..10).map(|_| test.open()).collect();
    test.act(|server, cx| {
        // Like `ws_close` under load: no time is left in the call itself.
        let clock =
            Ticking { now: std::cell::Cell::new(cx.now), step: Duration::from_secs(1), asked: std::cell::Cell::new(0) };
        let mut hurried = wspeer::internals::work::Cx {
            services: cx.services,
            arena: cx.arena,
            codecs: cx.codecs,
            now: cx.now,
            epoch: cx.epoch,
            budget: wspeer::internals::work::Budget::new(&clock, cx.now, Some(1_000)),
            corked: false,
            corked_bytes: 0,
            latest: None,
        };
        server.close(&mut hurried, -1, "");
    });
    for _ in 0..20 {
        poll_hurried(&mut test);
    }
    assert_eq!(test.server.state(), State::Closed);
    drop(clients);
}

#[test]
fn a_flooding_client_that_ignores_a_close_is_dropped() {
    let mut test = TestServer::new(&[]);
    let (mut client, key) = test.open();
    test.items();
    test.act(|server, cx| {
        server.peer(key).unwrap().close(cx, 1000, "");
        server.take_account(cx, key);
    });
    let flood = frame(0x82, b"x").repeat(5_000);
    let (mut sent, mut ended) = (0, 0);
    let end = Instant::now() + PATIENCE;
    while ended == 0 {
        assert!(Instant::now() < end, "it is still there after {:?}", test.now - test.start);
        assert!(test.now - test.start < ms(10_000), "it is still there after 10 s");
        // The frames have seven bytes each: the next write continues inside the frame at which the last one stopped.
        sent += client.write(&flood[sent % 7..]).unwrap_or(0);
        test.now += ms(16);
        poll_hurried(&mut test);
        ended += test.items().iter().filter(|(_, kind)| *kind == EventKind::Disconnected).count();
    }
    assert!(test.now - test.start >= ms(3_000));
}

#[test]
fn closed_clients_retire_over_several_polls() {
    let mut test = TestServer::new(&[]);
    let clients: Vec<_> = (0..200).map(|_| test.open()).collect();
    test.items();
    drop(clients);
    let mut gone = 0;
    test.poll_until("all are gone", |test| {
        // Their last events are taken after all have closed.
        gone = (0..200).filter(|key| test.server.peer(*key).is_some_and(|peer| peer.state() == State::Closed)).count();
        gone == 200
    });
    assert_eq!(test.items().len(), 200);
    let mut polls = 0;
    while test.given.retired.borrow().len() < 200 {
        let before = test.given.retired.borrow().len();
        let clock = test.clock(Duration::from_micros(50));
        let more = test.poll_within(&clock, Some(1_000));
        let retired = test.given.retired.borrow().len();
        assert!(
            (1..=10).contains(&(retired - before)),
            "{} retired in a poll of 1 ms where each takes 50 us",
            retired - before
        );
        assert_eq!(more, retired < 200);
        polls += 1;
    }
    assert!(polls >= 20);
    let mut retired = test.given.retired.borrow().clone();
    retired.sort_unstable();
    retired.dedup();
    assert_eq!(retired.len(), 200, "each once");
}

#[test]
fn a_failed_client_with_a_full_queue_uses_no_budget_until_it_is_read() {
    let mut test = TestServer::new(&[(WS_OPT_INBOUND_PACKETS, 4), (WS_OPT_HEARTBEAT_MS, WS_OFF)]);
    let (mut client, key) = test.open();
    test.items();
    let mut sent = 0;
    let flood = frame(0x82, &[7; 1_000]);
    test.poll_until("reading stops", |test| {
        sent += write_some(&mut client, &flood[sent % flood.len()..]);
        test.server.peer(key).unwrap().is_reading_paused()
    });
    // The client closes with unread data and no linger, which sends a reset.
    test.act(|server, cx| {
        server.peer(key).unwrap().put(cx, false, b"unread");
    });
    socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    test.poll_until("writing fails", |test| {
        test.act(|server, cx| {
            server.peer(key).unwrap().put(cx, false, b"more");
            server.take_account(cx, key);
        });
        test.server.peer(key).is_some_and(|peer| peer.has_failed())
    });
    for _ in 0..10 {
        let clock = test.clock(Duration::from_micros(10));
        assert!(!test.poll_within(&clock, Some(1_000)), "no work is left until the host reads");
        assert!(clock.asked.get() < 20, "it read the clock {} times", clock.asked.get());
        assert!(test.server.peer(key).unwrap().has_failed());
    }
    // It continues once the host reads.
    let mut got = Vec::new();
    test.poll_until("the end", |test| {
        got.extend(test.items());
        got.last().is_some_and(|(_, kind)| *kind == EventKind::Disconnected)
    });
    assert!(
        got.len() > 4 && got[..got.len() - 1].iter().all(|(_, kind)| *kind == EventKind::Message),
        "{} items",
        got.len()
    );
}

#[test]
fn broadcasts_are_written_within_the_budget_and_in_turn() {
    const CLIENTS: usize = 100;
    let mut test = TestServer::new(&[(WS_OPT_COALESCE, 1)]);
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| (test.open().0, Vec::new())).collect();
    test.items();
    let (mut last, mut longest) = ([0; CLIENTS], 0);
    for poll in 1..=100 {
        // Each round: a message to all, and a poll that has time for only part of the clients.
        test.act(|server, cx| assert_eq!(server.put_all(cx, false, b"state", Whom::ALL, None), Sent::Taken));
        let clock = test.clock(Duration::from_micros(50));
        assert!(test.poll_within(&clock, Some(1_000)), "there is more to write");
        let mut written = 0;
        for ((stream, bytes), last) in clients.iter_mut().zip(&mut last) {
            let before = bytes.len();
            assert!(read(stream, bytes));
            if bytes.len() > before {
                written += 1;
                longest = longest.max(poll - *last);
                *last = poll;
            }
        }
        assert!((5..=20).contains(&written), "{written} were written to in a poll of 1 ms where each takes 50 us");
    }
    assert!(longest <= 20, "one of them waited for {longest} polls");
    test.poll();
    assert!(!test.server.has_marked());
    for (stream, bytes) in &mut clients {
        read(stream, bytes);
        assert!(*bytes == b"\x82\x05state".repeat(100), "{} bytes", bytes.len());
    }
}

#[test]
fn a_corked_call_writes_at_its_end_within_the_budget() {
    const CLIENTS: usize = 100;
    let mut test = TestServer::new(&[]);
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| (test.open().0, Vec::new())).collect();
    test.items();
    let mut written = |expected: &[u8]| {
        clients.iter_mut().filter_map(|(stream, bytes)| read(stream, bytes).then_some(bytes)).fold(0, |sum, bytes| {
            assert!(bytes.is_empty() || bytes == expected, "{} bytes", bytes.len());
            sum + usize::from(!bytes.is_empty())
        })
    };
    let clock = test.clock(Duration::from_micros(50));
    test.act_within(&clock, Some(1_000), |server, cx| {
        cx.corked = true;
        for _ in 0..3 {
            assert_eq!(server.put_all(cx, false, b"state", Whom::ALL, None), Sent::Taken);
        }
    });
    let all = b"\x82\x05state".repeat(3);
    assert_eq!(written(&all), 0, "nothing is written before the end of the call");
    let clock = test.clock(Duration::from_micros(200));
    test.act_within(&clock, Some(1_000), |server, cx| server.uncork(cx));
    let in_the_call = written(&all);
    assert!((5..CLIENTS).contains(&in_the_call), "{in_the_call} were written to in a call of 1 ms");
    test.poll();
    assert_eq!(written(&all), CLIENTS, "the next poll writes to the others");
    assert!(!test.server.has_marked());
}

#[test]
fn closing_many_clients_stays_within_the_budget() {
    const CLIENTS: usize = 100;
    let mut test = TestServer::new(&[(WS_OPT_COALESCE, 1)]);
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| (test.open().0, Vec::new())).collect();
    test.items();
    test.act(|server, cx| assert_eq!(server.put_all(cx, false, b"last", Whom::ALL, None), Sent::Taken));
    let mut so_far = 0;
    for poll in 0.. {
        let clock = test.clock(Duration::from_micros(50));
        if poll == 0 {
            test.act_within(&clock, Some(1_000), |server, cx| server.close(cx, 1001, ""));
        } else {
            test.poll_within(&clock, Some(1_000));
        }
        let mut reached = 0;
        for (stream, bytes) in &mut clients {
            read(stream, bytes);
            reached += usize::from(!bytes.is_empty());
        }
        assert!(
            reached - so_far <= 30,
            "{} were written to in a call of 1 ms where each takes 50 us",
            reached - so_far
        );
        so_far = reached;
        if clients.iter().all(|(_, bytes)| bytes == b"\x82\x04last\x88\x02\x03\xe9") {
            break;
        }
        assert!(poll < 100, "{so_far} of them were written to");
    }
}

#[test]
fn a_poll_says_whether_it_left_bytes_unread() {
    // More clients than one call of the system reports as ready.
    let mut test = TestServer::new(&[(WS_OPT_MAX_PENDING_HANDSHAKES, WS_OFF), (WS_OPT_HEARTBEAT_MS, WS_OFF)]);
    let mut clients: Vec<_> = (0..300).map(|_| test.open().0).collect();
    test.poll_until("rest", |test| !test.server.worked);
    test.items();
    for nanos in [1_000_000_000, 60_000, 20_000, 5_000, 3_000, 2_700, 2_500, 2_300, 1_000] {
        for client in &mut clients {
            client.write_all(&frame(0x82, b"x")).unwrap();
        }
        let mut got = 0;
        for polls in 1.. {
            let clock = test.clock(Duration::from_nanos(nanos));
            let more = test.poll_within(&clock, Some(1_000));
            got += test.items().len();
            assert_eq!((more, test.server.has_work()), (got < 300, got < 300), "poll {polls}, {nanos} ns");
            if got == 300 {
                break;
            }
        }
    }
}

#[test]
fn a_call_that_closes_a_server_reaches_at_least_one_client() {
    for count in 1..5 {
        let mut test = TestServer::new(&[(WS_OPT_HEARTBEAT_MS, WS_OFF)]);
        let _clients: Vec<_> = (0..count).map(|_| test.join().0).collect();
        let clock = test.clock(Duration::from_secs(1));
        test.act_within(&clock, Some(1_000), |server, cx| server.close(cx, -1, ""));
        for left in (1..count).rev() {
            assert_eq!((test.server.state(), test.counts()[0]), (State::Closing, left));
            assert_eq!(poll_hurried(&mut test), left > 1);
        }
        assert_eq!((test.server.state(), test.counts()[0]), (State::Closed, 0));
    }
}

#[test]
fn output_is_written_beside_a_flood() {
    const CLIENTS: usize = 40;
    // With WS_COALESCE, a poll writes the host's output, first, in half of the time. The output that others caused has
    // an eighth of the time, when none is left.
    for (own, expected) in [(true, 6..=9), (false, 8..=10)] {
        let mut test = TestServer::new(&[(WS_OPT_COALESCE, 1), (WS_OPT_HEARTBEAT_MS, WS_OFF)]);
        let mut clients: Vec<_> = (0..CLIENTS).map(|_| test.join()).collect();
        test.items();
        let flood = frame(0x82, b"x").repeat(9_000);
        for round in 0..20 {
            for (client, _) in &mut clients {
                let _ = client.write(&flood);
            }
            let spread = wspeer::internals::server::Spread {
                text: false,
                payload: b"state",
                whom: Whom::ALL,
                except: &[],
                on_full: WS_FULL_SKIP,
                now: own,
            };
            test.act(|server, cx| assert_eq!(server.put_spread(cx, spread), Sent::Taken));
            if own {
                let clock = test.clock(Duration::from_micros(50));
                assert!(test.poll_within(&clock, Some(1_000)));
            } else {
                let clock = test.clock(Duration::from_micros(10));
                test.act_within(&clock, Some(1_000), |server, cx| {
                    while !cx.budget.is_spent() {}
                    assert!(server.write_later(cx, false));
                });
            }
            let written = clients.iter_mut().filter(|(client, _)| client.readable() > 0).count();
            assert!(expected.contains(&written), "{written} in round {round}");
            test.items();
            clients.iter_mut().for_each(|(client, _)| drop(received(client)));
        }
    }
}

#[test]
fn a_call_reads_the_clock_after_every_eighth_short_write_and_each_long_one() {
    let mut test = TestServer::new(&[(WS_OPT_HEARTBEAT_MS, WS_OFF)]);
    let mut clients: Vec<_> = (0..64).map(|_| test.join().0).collect();
    for (len, corked, expected) in [(1, false, 8), (4_096, false, 8), (4_097, false, 64), (4_096, true, 1)] {
        let clock = test.clock(Duration::ZERO);
        test.act_within(&clock, Some(1_000), |server, cx| {
            cx.corked = corked;
            assert_eq!(server.put_all(cx, false, &vec![7; len], Whom::ALL, None), Sent::Taken);
        });
        assert_eq!(clock.asked.get(), expected, "{len} bytes, corked: {corked}");
        test.act(|server, cx| server.uncork(cx));
        clients.iter_mut().for_each(|client| assert_eq!(received(client).len(), len + if len < 126 { 2 } else { 4 }));
    }
}
