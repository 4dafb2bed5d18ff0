//! One message to several clients: who gets it, in which form, and what happens to those that have no room.

use crate::test_server::*;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Instant;
use wspeer::codes::*;
use wspeer::internals::link::Sent;
use wspeer::internals::protocol::{Accept, Decompressor, DeflateSettings};
use wspeer::internals::server::{Spread, Whom};
use wspeer::internals::status::{Cause, EventKind, State};

fn spread(payload: &[u8]) -> Spread<'_> {
    Spread { text: false, payload, whom: Whom::ALL, except: &[], on_full: WS_FULL_SKIP, now: true }
}

/// Frames with opcode, RSV1 and FIN, and payload, of what a server sent.
fn frames(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        let (head, len) = match second {
            126 => (4, usize::from(u16::from_be_bytes([rest[0], rest[1]]))),
            127 => (10, u64::from_be_bytes(rest[..8].try_into().unwrap()) as usize),
            len => (2, usize::from(*len)),
        };
        frames.push((*first, bytes[head..head + len].to_vec()));
        bytes = &bytes[head + len..];
    }
    frames
}

/// Polls and reads until `count` bytes have arrived, and one poll more.
fn receive(test: &mut TestServer, client: &mut TcpStream, count: usize) -> Vec<u8> {
    let (end, mut bytes) = (Instant::now() + PATIENCE, Vec::new());
    while bytes.len() < count {
        assert!(Instant::now() < end, "{} of {count} bytes", bytes.len());
        test.poll();
        read(client, &mut bytes);
        std::thread::yield_now();
    }
    test.poll();
    read(client, &mut bytes);
    bytes
}

#[test]
fn a_broadcast_reaches_the_open_clients_that_it_is_for() {
    let mut test = TestServer::new(&[]);
    let mut clients: Vec<(TcpStream, u32)> = (0..5).map(|_| test.open()).collect();
    // One in its opening handshake, and one that closes.
    let waiting = test.connect();
    test.poll_until("it to be accepted", |test| test.counts()[1] == 1);
    let closing = clients[4].1;
    test.act(|server, cx| server.act(cx, closing, |connection, cx| connection.close(cx, 4_000, "")));
    let keys: Vec<u32> = clients.iter().map(|(_, key)| *key).collect();
    assert_eq!(keys, [0, 1, 2, 3, 4]);
    let mut expected = vec![Vec::new(); 4];
    for (index, (range, except)) in
        [(0..u32::MAX, vec![]), (1..3, vec![]), (0..4, vec![0, 2]), (2..2, vec![]), (3..9, vec![3])]
            .into_iter()
            .enumerate()
    {
        for now in [true, false] {
            let payload = [index as u8, u8::from(now)];
            for (key, expected) in expected.iter_mut().enumerate() {
                if range.contains(&(key as u32)) && !except.contains(&(key as u32)) {
                    expected.extend([0x82, 2, payload[0], payload[1]]);
                }
            }
            let sent = test.act(|server, cx| {
                server.put_spread(
                    cx,
                    Spread { whom: Whom::Range(range.clone()), except: &except, now, ..spread(&payload) },
                )
            });
            assert_eq!(sent, Sent::Taken);
            let is_left = !now && range.clone().any(|key| key < 4 && !except.contains(&key));
            assert_eq!(test.server.has_marked(), is_left);
            test.act(|server, cx| server.write_marked(cx));
            assert!(!test.server.has_marked());
        }
    }
    for except in [None, Some(1)] {
        assert_eq!(test.act(|server, cx| server.put_all(cx, true, b"all", Whom::ALL, except)), Sent::Taken);
        for (key, expected) in expected.iter_mut().enumerate() {
            if except != Some(key as u32) {
                expected.extend([0x81, 3, b'a', b'l', b'l']);
            }
        }
    }
    for (key, expected) in expected.iter().enumerate() {
        assert_eq!(receive(&mut test, &mut clients[key].0, expected.len()), *expected, "client {key}");
    }
    let mut nothing = Vec::new();
    let mut waiting = waiting;
    read(&mut waiting, &mut nothing);
    assert_eq!(nothing, b"");
}

/// Fills the queue of one client that does not read, without a message that is refused.
fn fill(test: &mut TestServer, key: u32) {
    let end = Instant::now() + PATIENCE;
    while test.server.peer(key).unwrap().has_room(60_000) {
        assert_eq!(test.act(|server, cx| server.put_one(cx, key, false, &[7; 60_000])), Sent::Taken);
        assert!(Instant::now() < end);
    }
}

#[test]
fn a_client_without_room_is_skipped_disconnected_or_holds_back_the_message() {
    for (policy, result) in
        [(WS_FULL_SKIP, Sent::Partial), (WS_FULL_DISCONNECT, Sent::Partial), (WS_FULL_ALL_OR_NONE, Sent::Full)]
    {
        let mut test = TestServer::new(&[(WS_OPT_ON_FULL, policy), (WS_OPT_OUTBOUND_BYTES, 200_000)]);
        let (mut slow, full) = test.open();
        let (mut other, _) = test.open();
        fill(&mut test, full);
        test.items();
        assert_eq!(
            test.act(|server, cx| server.put_all(cx, false, b"x", Whom::ALL, Some(full))),
            Sent::Taken,
            "{policy}"
        );
        // 60,000 bytes do not fit; a byte may.
        let long = vec![9; 60_000];
        assert_eq!(test.act(|server, cx| server.put_all(cx, false, &long, Whom::ALL, None)), result, "{policy}");
        let count = 3 + if result == Sent::Full { 0 } else { 60_004 };
        assert_eq!(receive(&mut test, &mut other, count).len(), count, "{policy}");
        let state = test.server.peer(full).unwrap().state();
        assert_eq!(state == State::Open, policy != WS_FULL_DISCONNECT, "{policy}");
        let kinds: Vec<EventKind> = test.items().into_iter().map(|(_, kind)| kind).collect();
        let skipped = if policy == WS_FULL_SKIP { vec![EventKind::Skipped] } else { Vec::new() };
        assert_eq!(kinds, skipped, "{policy}");
        // Once the client has read, it learns that there is room, or its close.
        let (end, mut kinds, mut bytes) = (Instant::now() + PATIENCE, Vec::new(), Vec::new());
        while kinds.is_empty() {
            assert!(Instant::now() < end, "{policy}");
            read(&mut slow, &mut bytes);
            if policy == WS_FULL_DISCONNECT && test.server.peer(full).is_some_and(|peer| peer.queued_bytes() == 0) {
                let last = frames(&bytes).pop().unwrap();
                assert_eq!((last.0, &last.1[..2]), (0x88, 1008u16.to_be_bytes().as_slice()));
                std::io::Write::write_all(&mut slow, &frame(0x88, &1008u16.to_be_bytes())).unwrap();
            }
            test.poll();
            kinds.extend(test.items());
        }
        let kind = if policy == WS_FULL_DISCONNECT { EventKind::Disconnected } else { EventKind::Writable };
        assert_eq!(kinds, [(Some(full), kind)], "{policy}");
        if policy == WS_FULL_DISCONNECT {
            let cause = test.server.peer(full).unwrap().endpoint.info.end().unwrap().cause;
            assert_eq!(cause, Cause::Full);
        }
    }
}

const OFFERS: [&str; 5] = [
    "",
    "permessage-deflate",
    "permessage-deflate; server_no_context_takeover",
    "permessage-deflate; server_no_context_takeover",
    "permessage-deflate; server_no_context_takeover; server_max_window_bits=9",
];

#[test]
fn each_client_gets_a_broadcast_in_the_form_that_it_agreed_on() {
    let settings =
        DeflateSettings { server_no_takeover: false, client_no_takeover: false, server_bits: 15, client_bits: 15 };
    let accept = Accept { deflate: Some(settings), ..Accept::default() };
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut test = TestServer::accepting(
        accept,
        &[address],
        &[(WS_OPT_OUTBOUND_BYTES, WS_OFF), (WS_OPT_DEFLATE_THRESHOLD_BYTES, 100)],
    );
    assert_eq!(test.server.deflate_memory(), 0);
    let mut clients = Vec::new();
    for offer in OFFERS {
        let head = String::from_utf8(REQUEST.to_vec()).unwrap();
        let header = if offer.is_empty() { String::new() } else { format!("Sec-WebSocket-Extensions: {offer}\r\n") };
        let (client, key) = test.open_with(format!("{}{header}\r\n", &head[..head.len() - 2]).as_bytes());
        // A client that asked for a window of 9 bits has no larger one.
        let bits = if offer.ends_with("=9") { 9 } else { 15 };
        clients.push((client, key, Vec::new(), Decompressor::new(bits), Vec::new()));
    }
    let payload = |len: usize| -> Vec<u8> { (0..len).map(|index| b"abcabd  "[(index * index / 7) % 8]).collect() };
    let mut sent = Vec::new();
    for len in [0, 50, 99, 100, 5_000, 8_192, 8_193, 65_536, 65_537, 300_000] {
        for now in [true, false] {
            let bytes = payload(len);
            assert_eq!(
                test.act(|server, cx| server.put_spread(cx, Spread { now, ..spread(&bytes) })),
                Sent::Taken,
                "{len} bytes"
            );
            sent.push(bytes);
            if now || len < 8_193 {
                continue;
            }
            // A long message of which a part lies in storage that is not copied.
            let storage = Arc::new(payload(len + 10));
            let head = payload(3);
            assert_eq!(
                test.act(|server, cx| server.put_parts(cx, Spread { now: false, ..spread(&head) }, &storage, 10)),
                Sent::Taken
            );
            sent.push([&head, &storage[10..]].concat());
        }
    }
    assert!(test.server.deflate_memory() > 100_000);
    let end = Instant::now() + PATIENCE;
    while clients.iter().any(|(.., messages)| messages.len() < sent.len()) {
        assert!(Instant::now() < end, "{:?}", clients.iter().map(|(.., messages)| messages.len()).collect::<Vec<_>>());
        test.act(|server, cx| server.write_later(cx, true));
        test.poll();
        for (index, (client, _, bytes, decompressor, messages)) in clients.iter_mut().enumerate() {
            read(client, bytes);
            decode(bytes, decompressor, index >= 2, messages);
        }
    }
    // The client with context takeover keeps its compressor.
    assert!(test.server.deflate_memory() > 100_000);
    for (index, (_, key, _, _, messages)) in clients.iter().enumerate() {
        let bytes: Vec<&Vec<u8>> = messages.iter().map(|(_, bytes)| bytes).collect();
        assert!(bytes == sent.iter().collect::<Vec<_>>(), "client {index}");
        let compressed = messages.iter().filter(|(compressed, _)| *compressed).count();
        // Those of 100 bytes or more.
        let expected = if index == 0 { 0 } else { sent.iter().filter(|bytes| bytes.len() >= 100).count() };
        assert_eq!(compressed, expected, "client {index}");
        let counters = &test.server.peer(*key).unwrap().endpoint.counters;
        assert_eq!(counters.snapshot().rare.compressed_out, expected as u64, "client {index}");
        assert_eq!(counters.messages_out, sent.len() as u64, "client {index}");
    }
}

/// Takes whole messages from the front of `bytes`: whether they were compressed, and their payload.
fn decode(bytes: &mut Vec<u8>, decompressor: &mut Decompressor, resets: bool, messages: &mut Vec<(bool, Vec<u8>)>) {
    loop {
        let (mut at, mut message, mut compressed) = (0, Vec::new(), false);
        let end = loop {
            let [first, second, rest @ ..] = &bytes[at..] else { return };
            let (head, len) = match (*second, rest) {
                (126, [a, b, ..]) => (4, usize::from(u16::from_be_bytes([*a, *b]))),
                (127, rest) if rest.len() >= 8 => (10, u64::from_be_bytes(rest[..8].try_into().unwrap()) as usize),
                (126.., _) => return,
                (len, _) => (2, usize::from(len)),
            };
            if bytes.len() < at + head + len {
                return;
            }
            compressed |= first & 0x40 > 0;
            message.extend_from_slice(&bytes[at + head..at + head + len]);
            at += head + len;
            if first & 0x80 > 0 {
                break at;
            }
        };
        if compressed {
            // In short steps: within one, references may reach beyond the window.
            let (mut out, mut rest, mut all) = (vec![0; 300], message.as_slice(), Vec::new());
            loop {
                let (taken, given) = decompressor.decompress(rest, &mut out).unwrap();
                all.extend_from_slice(&out[..given]);
                rest = &rest[taken..];
                if rest.is_empty() && given < out.len() {
                    break;
                }
            }
            decompressor.finish().unwrap();
            if resets {
                decompressor.reset();
            }
            message = all;
        }
        messages.push((compressed, message));
        bytes.drain(..end);
    }
}

#[test]
fn first_messages_are_queued_together_regardless_of_the_limits() {
    let mut test = TestServer::new(&[(WS_OPT_OUTBOUND_PACKETS, 1)]);
    let (mut client, key) = test.open();
    test.act(|server, cx| server.greet(cx, key, &[b"one", b"two", b"three"]));
    assert!(test.server.has_marked());
    test.act(|server, cx| server.write_later(cx, false));
    let bytes = receive(&mut test, &mut client, 17);
    assert_eq!(
        frames(&bytes).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>(),
        [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]
    );
    assert!(!test.server.has_marked());
}

#[test]
fn output_waits_for_the_write_that_it_belongs_to() {
    let mut test = TestServer::new(&[(WS_OPT_COALESCE, 1), (WS_OPT_HEARTBEAT_MS, WS_OFF)]);
    let mut clients: Vec<(TcpStream, u32)> = (0..3).map(|_| test.open()).collect();
    assert!(!test.server.has_marked());
    // Of the program's messages, with WS_COALESCE.
    assert_eq!(test.act(|server, cx| server.put_one(cx, 0, false, b"own")), Sent::Taken);
    assert!(test.server.has_marked());
    assert_eq!(
        test.act(|server, cx| server.put_spread(cx, Spread { whom: Whom::Range(1..3), now: false, ..spread(b"other") })),
        Sent::Taken
    );
    assert!(!test.act(|server, cx| server.write_later(cx, false)));
    let queued = |test: &mut TestServer| [0, 1, 2].map(|key| test.server.peer(key).unwrap().queued_bytes());
    assert_eq!((queued(&mut test), test.server.has_marked()), ([5, 0, 0], true));
    assert!(!test.act(|server, cx| server.write_later(cx, true)));
    assert_eq!((queued(&mut test), test.server.has_marked()), ([0, 0, 0], false));
    // A budget that is spent leaves the others to the next write.
    test.act(|server, cx| server.put_spread(cx, Spread { now: false, ..spread(b"late") }));
    let clock = test.clock(ms(10));
    assert!(test.act_within(&clock, Some(1_000), |server, cx| server.write_later(cx, true)));
    assert_eq!(queued(&mut test), [0, 6, 6]);
    assert!(test.server.has_marked());
    test.poll();
    test.act(|server, cx| server.write_marked(cx));
    assert_eq!((queued(&mut test), test.server.has_marked()), ([0, 0, 0], false));
    for (key, (client, _)) in clients.iter_mut().enumerate() {
        let expected = if key == 0 { 5 + 6 } else { 7 + 6 };
        assert_eq!(receive(&mut test, client, expected).len(), expected);
    }
}

/// A client that asked for permessage-deflate with these parameters.
fn open_compressed(test: &mut TestServer, parameters: &str) -> (TcpStream, u32) {
    let head = String::from_utf8(REQUEST.to_vec()).unwrap();
    let header = format!("Sec-WebSocket-Extensions: permessage-deflate{parameters}\r\n\r\n");
    test.open_with(format!("{}{header}", &head[..head.len() - 2]).as_bytes())
}

fn compressing() -> TestServer {
    let deflate =
        DeflateSettings { server_no_takeover: false, client_no_takeover: false, server_bits: 15, client_bits: 15 };
    let accept = Accept { deflate: Some(deflate), ..Accept::default() };
    let options = [(WS_OPT_OUTBOUND_BYTES, WS_OFF), (WS_OPT_DEFLATE_THRESHOLD_BYTES, 1)];
    TestServer::accepting(accept, &[SocketAddr::from(([127, 0, 0, 1], 0))], &options)
}

#[test]
fn clients_without_context_takeover_share_one_compressor() {
    let mut test = compressing();
    let long = b"0123456789 abc".repeat(10_000);
    let mut memory = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(open_compressed(&mut test, "; server_no_context_takeover"));
        let before = test.server.deflate_memory();
        test.act(|server, cx| server.put_spread(cx, Spread { now: false, ..spread(&long) }));
        memory.push(test.server.deflate_memory() - before);
        test.poll_until("all to be sent", |test| {
            test.act(|server, cx| server.write_later(cx, true));
            clients.iter_mut().for_each(|(client, _)| _ = read(client, &mut Vec::new()));
            test.server.totals().1[2] == 0
        });
    }
    assert!(memory[0] > 100_000 && memory.iter().all(|bytes| *bytes == memory[0]), "{memory:?}");
    // One with context takeover has its own.
    clients.push(open_compressed(&mut test, ""));
    let before = test.server.deflate_memory();
    let only_one = clients[3].1..clients[3].1 + 1;
    test.act(|server, cx| {
        server.put_spread(cx, Spread { whom: Whom::Range(only_one), ..spread(b"0123456789 0123456789") })
    });
    assert!(test.server.deflate_memory() >= before + 100_000);
}

#[test]
fn a_message_is_compressed_at_once_only_if_there_is_time() {
    let mut test = compressing();
    let (mut client, key) = open_compressed(&mut test, "");
    let (_other, sharing) = open_compressed(&mut test, "; server_no_context_takeover");
    // Nothing is written in a corked call before its end.
    test.act(|server, cx| {
        cx.corked = true;
        server.put_spread(cx, spread(b"abc abc abc abc abc"));
        for key in [key, sharing] {
            assert!(server.peer(key).unwrap().queued_bytes() > 0);
        }
        server.uncork(cx);
        assert_eq!(server.totals().1[3], 0);
    });
    let mut bytes = Vec::new();
    test.poll_until("it", |_| {
        read(&mut client, &mut bytes);
        !bytes.is_empty()
    });
    for len in [100, 5_000] {
        for now in [true, false] {
            let payload = b"0123456789 abc".repeat(len / 10);
            test.act(|server, cx| server.put_spread(cx, Spread { now, ..spread(&payload) }));
            assert_eq!(test.server.peer(key).unwrap().is_waiting(), !now, "{len} bytes");
            // The form that others may share is compressed at once if it is short, and written if there is time.
            assert_eq!(test.server.peer(sharing).unwrap().queued_bytes() > 0, !now, "{len} bytes");
            let mut bytes = Vec::new();
            test.poll_until("it to be sent", |test| {
                test.act(|server, cx| server.write_later(cx, true));
                read(&mut client, &mut bytes);
                test.server.totals().1[2] == 0 && !bytes.is_empty()
            });
        }
    }
}

#[test]
fn the_storage_of_a_passed_on_message_is_freed_once_all_have_sent_it() {
    let mut test = TestServer::new(&[]);
    let mut clients: Vec<_> = (0..2).map(|_| test.join()).collect();
    // More than each direction of a client in this process holds.
    let storage = Arc::new(vec![7; 200_000]);
    let held = Arc::downgrade(&storage);
    test.act(|server, cx| server.put_parts(cx, spread(b"head"), &storage, 10));
    drop(storage);
    for (client, _) in &mut clients {
        test.poll();
        assert!(held.upgrade().is_some(), "one has not sent it");
        let (mut bytes, end) = (Vec::new(), Instant::now() + PATIENCE);
        while bytes.len() < 10 + 4 + 199_990 {
            assert!(Instant::now() < end, "{} bytes", bytes.len());
            test.act(|server, cx| server.write_later(cx, true));
            test.poll();
            bytes.extend(received(client));
        }
        assert!(frames(&bytes) == [(0x82, [b"head".as_slice(), &[7; 199_990]].concat())]);
    }
    let counters = test.server.totals().0;
    assert_eq!((counters.messages_out, counters.bytes_out), (2, 2 * (4 + 199_990)));
    test.poll_until("its end", |_| held.upgrade().is_none());
}

/// However many broadcasts wait for a flush in each frame, those that have left are forgotten.
#[test]
fn messages_that_have_left_do_not_accumulate() {
    const EACH: usize = 200;
    let mut test = TestServer::new(&[(WS_OPT_COALESCE, 1)]);
    let (mut client, _) = test.open();
    let (mut most, mut bytes) = (0, Vec::new());
    for _ in 0..200 {
        for _ in 0..EACH {
            let sent = test.act(|server, cx| server.put_all(cx, false, &[7; 2_000], Whom::ALL, None));
            assert_eq!(sent, Sent::Taken);
        }
        bytes.clear();
        let end = Instant::now() + PATIENCE;
        while bytes.len() < EACH * 2_004 {
            assert!(Instant::now() < end, "{} bytes", bytes.len());
            test.poll();
            read(&mut client, &mut bytes);
        }
        most = most.max(test.server.awaited_messages());
    }
    assert!((EACH..=16 * EACH).contains(&most), "{most}");
    test.poll_until("the last are forgotten", |test| test.server.awaited_messages() == 0);
}

#[test]
fn a_message_that_does_not_shrink_is_sent_uncompressed() {
    let mut test = compressing();
    let (mut client, key) = open_compressed(&mut test, "; server_no_context_takeover");
    let (mut random, mut noise) = (0x5EED_u64, Vec::new());
    while noise.len() < 500 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        noise.push((random >> 40) as u8);
    }
    for (payload, first, count) in [(noise.as_slice(), 0x82, 0), (&[7; 500], 0xC2, 1), (&noise, 0x82, 1)] {
        assert_eq!(test.act(|server, cx| server.put_spread(cx, spread(payload))), Sent::Taken);
        let bytes = receive(&mut test, &mut client, 4);
        assert_eq!((bytes[0], bytes.len() > 500), (first, first == 0x82));
        assert_eq!(test.server.peer(key).unwrap().endpoint.counters.snapshot().rare.compressed_out, count);
    }
}

#[test]
fn a_corked_message_for_all_or_none_makes_room() {
    for policy in [WS_FULL_ALL_OR_NONE, WS_FULL_SKIP] {
        let mut test = TestServer::new(&[(WS_OPT_ON_FULL, policy), (WS_OPT_OUTBOUND_BYTES, 100_000)]);
        let mut clients: Vec<_> = (0..2).map(|_| test.join()).collect();
        test.act(|server, cx| {
            cx.corked = true;
            // Both fit only after the first has been written.
            for _ in 0..2 {
                assert_eq!(server.put_all(cx, false, &[7; 60_000], Whom::ALL, None), Sent::Taken, "{policy}");
            }
            server.uncork(cx);
        });
        for (client, _) in &mut clients {
            let mut bytes = received(client);
            test.poll();
            bytes.extend(received(client));
            assert_eq!(bytes.len(), 2 * 60_004);
        }
    }
}
