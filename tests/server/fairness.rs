//! Clients that flood and clients that send little: how many polls each waits.

use crate::test_server::*;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::internals::status::EventKind;

const FLOODERS: usize = 20;

/// Polls with a budget of 1 ms, where each check of the clock takes 5 µs.
fn poll(test: &mut TestServer) -> bool {
    let clock = test.clock(Duration::from_micros(5));
    test.poll_within(&clock, Some(1_000))
}

/// Clients whose sockets are kept full.
struct Flood {
    sockets: Vec<(TcpStream, usize)>,
    bytes: Vec<u8>,
}

impl Flood {
    fn new(test: &mut TestServer, start: &[u8], bytes: Vec<u8>) -> Flood {
        let sockets = (0..FLOODERS).map(|_| {
            let (mut socket, _) = test.open();
            socket.write_all(start).unwrap();
            socket.set_nonblocking(true).unwrap();
            (socket, 0)
        });
        Flood { sockets: sockets.collect(), bytes }
    }

    fn go_on(&mut self) {
        for (socket, sent) in &mut self.sockets {
            while let Ok(count) = socket.write(&self.bytes[*sent % self.bytes.len()..]) {
                *sent += count;
            }
            // The responses are read and discarded.
            while socket.read(&mut [0; 65_536]).is_ok_and(|count| count > 0) {}
        }
    }
}

/// The longest wait of a message from an honest client, in polls, while others flood.
fn longest_wait(test: &mut TestServer, mut flood: Flood) -> u32 {
    let (mut honest, key) = test.open();
    test.items();
    let mut longest = 0;
    for round in 0..60 {
        flood.go_on();
        honest.write_all(&frame(0x82, b"a move")).unwrap();
        let mut polls = 0;
        let end = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < end, "it never came");
            poll(test);
            polls += 1;
            test.now += ms(1);
            if test.items().iter().any(|(from, kind)| *from == Some(key) && *kind == EventKind::Message) {
                break;
            }
            flood.go_on();
        }
        // In the first rounds the flooders are not yet known.
        if round >= 5 {
            longest = longest.max(polls);
        }
    }
    longest
}

#[test]
fn a_message_overtakes_floods_of_small_frames() {
    let kinds: [(&str, &[u8], Vec<u8>); 4] = [
        ("pings", b"", frame(0x89, b"0123456789").repeat(5_000)),
        ("pongs", b"", frame(0x8A, b"").repeat(5_000)),
        ("empty messages", b"", frame(0x82, b"").repeat(5_000)),
        ("fragments", &frame(0x02, b"x"), frame(0x00, b"").repeat(5_000)),
    ];
    for (kind, start, bytes) in kinds {
        let mut test = TestServer::new(&[(WS_OPT_MAX_FRAGMENTS, WS_OFF), (WS_OPT_INBOUND_PACKETS, WS_OFF)]);
        let flood = Flood::new(&mut test, start, bytes);
        let longest = longest_wait(&mut test, flood);
        assert!(longest <= 2, "a message waited {longest} polls behind a flood of {kind}");
    }
}

#[test]
fn a_message_overtakes_repeated_bursts() {
    let mut test = TestServer::new(&[]);
    // Uses up nearly the whole budget of one poll, and leaves nothing for the next.
    let mut flood = Flood::new(&mut test, b"", frame(0x8A, b"").repeat(9_000));
    let (mut honest, key) = test.open();
    test.items();
    let mut longest = 0;
    for round in 0..10 {
        for (socket, _) in &mut flood.sockets {
            socket.write_all(&flood.bytes).unwrap();
        }
        honest.write_all(&frame(0x82, b"a move")).unwrap();
        let (mut polls, mut came) = (0, None);
        let end = Instant::now() + PATIENCE;
        while poll(&mut test) || came.is_none() {
            assert!(Instant::now() < end, "it never came");
            polls += 1;
            test.now += ms(1);
            if test.items().iter().any(|(from, kind)| *from == Some(key) && *kind == EventKind::Message) {
                came = Some(polls);
            }
        }
        if round >= 2 {
            longest = longest.max(came.unwrap_or(polls));
        }
    }
    assert!(longest <= 2, "a message waited {longest} polls behind bursts of {FLOODERS}");
}

#[test]
fn a_flooding_client_is_not_starved_by_many_small_senders() {
    let mut test = TestServer::new(&[(WS_OPT_MAX_CLIENTS, 1_000)]);
    let (mut busy, key) = test.open();
    let mut others: Vec<_> = (0..200).map(|_| test.open().0).collect();
    test.items();
    busy.set_nonblocking(true).unwrap();
    let flood = frame(0x82, b"x").repeat(2_000);
    let (mut sent, mut got) = (0, 0);
    for _ in 0..400 {
        // Each of 200 clients has a message for every poll, so the budget never reaches the end of the queue.
        others.iter_mut().for_each(|other| other.write_all(&frame(0x82, b"x")).unwrap());
        sent += busy.write(&flood[sent % flood.len()..]).unwrap_or(0);
        poll(&mut test);
        test.now += ms(1);
        got += test.items().iter().filter(|(from, kind)| *from == Some(key) && *kind == EventKind::Message).count();
    }
    assert!(got >= 400 / 17 * 64, "{got} messages in 400 polls");
}

#[test]
fn a_burst_of_a_single_client_is_read_in_one_poll() {
    let mut test = TestServer::new(&[(WS_OPT_INBOUND_PACKETS, WS_OFF)]);
    let (mut client, _) = test.open();
    test.items();
    client.write_all(&frame(0x82, b"x").repeat(9_000)).unwrap();
    let clock = test.clock(Duration::from_micros(4));
    assert!(!test.poll_within(&clock, Some(1_000)), "nothing is left");
    assert_eq!(test.items().len(), 9_000);
}

#[test]
fn of_many_pings_at_once_the_last_is_answered() {
    let mut test = TestServer::new(&[]);
    let (mut client, _) = test.open();
    test.items();
    let pings: Vec<u8> = (0..1_000u32).flat_map(|number| frame(0x89, &number.to_be_bytes())).collect();
    client.write_all(&pings).unwrap();
    client.set_nonblocking(true).unwrap();
    let mut pongs = Vec::new();
    let end = Instant::now() + PATIENCE;
    while !pongs.ends_with(&[0x8A, 4, 0, 0, 3, 231]) {
        assert!(Instant::now() < end, "{} bytes of pongs", pongs.len());
        test.poll();
        let mut piece = [0; 65_536];
        match client.read(&mut piece) {
            Ok(count) => pongs.extend_from_slice(&piece[..count]),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }
    let numbers: Vec<u32> = pongs.chunks(6).map(|pong| u32::from_be_bytes(pong[2..].try_into().unwrap())).collect();
    assert_eq!(numbers[..64], (0..64).collect::<Vec<u32>>(), "each of the first pings is answered");
    assert!(numbers.len() <= 70 && numbers.is_sorted(), "{numbers:?}");
}

#[test]
fn a_flood_at_one_address_does_not_block_the_other() {
    let other = {
        let free = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
        free.local_addr().unwrap()
    };
    let mut test = TestServer::at(&[SocketAddr::from(([127, 0, 0, 1], 0)), other], &[]);
    let _flood: Vec<_> = (0..40).map(|_| test.connect()).collect();
    let mut honest = TcpStream::connect(other).unwrap();
    honest.set_nonblocking(true).unwrap();
    honest.write_all(REQUEST).unwrap();
    let mut answer = Vec::new();
    while answer.is_empty() {
        // Each poll has time for one connection.
        let clock = test.clock(Duration::from_secs(1));
        test.poll_within(&clock, Some(1_000));
        read(&mut honest, &mut answer);
        let accepted = test.counts()[2];
        assert!(accepted < 20, "{accepted} were accepted before it");
    }
}

/// The order in which ready clients are reported is that in which they sent.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_client_that_used_up_its_slice_is_served_after_the_others_for_a_while() {
    let mut test = TestServer::new(&[(WS_OPT_INBOUND_PACKETS, WS_OFF), (WS_OPT_HEARTBEAT_MS, WS_OFF)]);
    let mut clients: Vec<(TcpStream, u32)> = (0..3).map(|_| test.open()).collect();
    test.items();
    let message = frame(0x82, b"x");
    // Writes with both, polls, and returns whose message was read first. It is the first of three to send.
    let first = |test: &mut TestServer, clients: &mut Vec<(TcpStream, u32)>, sender: usize| {
        test.poll_until("rest", |test| !test.server.worked);
        for index in [sender, (sender + 1) % 3, (sender + 2) % 3] {
            clients[index].0.write_all(&message).unwrap();
        }
        let mut keys = Vec::new();
        test.poll_until("the messages", |test| {
            keys.extend(test.items().iter().map(|(key, _)| key.unwrap()));
            keys.len() == 3
        });
        assert!(keys.contains(&0) && keys.contains(&1) && keys.contains(&2), "{keys:?}");
        keys[0]
    };
    // Each waits for both others for as long as a second and a half, from the middle of a second on.
    test.now = test.start + ms(500);
    for flooder in 0..3 {
        let key = clients[flooder].1;
        // Time that was spent before its turn does not count as its own.
        clients[flooder].0.write_all(&message.repeat(100)).unwrap();
        (1..3).for_each(|other| clients[(flooder + other) % 3].0.write_all(&message).unwrap());
        let (mut got, end) = (0, Instant::now() + PATIENCE);
        while got < 102 {
            assert!(Instant::now() < end, "{got} messages");
            let clock = test.clock(Duration::from_micros(1));
            clock.now.set(test.now + Duration::from_micros(300));
            test.poll_within(&clock, Some(1_000));
            got += test.items().len();
        }
        assert_eq!(first(&mut test, &mut clients, flooder), key, "client {flooder} has not flooded yet");
        clients[flooder].0.write_all(&message.repeat(9_000)).unwrap();
        clients[(flooder + 1) % 3].0.write_all(&message).unwrap();
        let (mut got, end) = (0, Instant::now() + PATIENCE);
        while got < 9_001 {
            assert!(Instant::now() < end, "{got} messages");
            poll(&mut test);
            got += test.items().len();
        }
        let since = test.now;
        for (after, is_late) in [(0, true), (1_000, true), (1_499, true), (1_500, false), (2_000, false)] {
            test.now = since + ms(after);
            // Several times, as one poll may see only the first of the messages.
            let comes_late = (0..5).any(|_| first(&mut test, &mut clients, flooder) != key);
            assert_eq!(comes_late, is_late, "client {flooder} after {after} ms");
        }
    }
}
