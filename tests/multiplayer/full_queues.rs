//! What a host and a join do when the outbound queue of a client, or their own, is full.

use crate::test_host::{Guest, TestHost, Took};
use crate::test_join::{Opening, TestJoin, opening};
use crate::test_server::REQUEST;
use wspeer::codes::*;
use wspeer::internals::link::Sent;
use wspeer::internals::multiplayer::{SceneSettings, Target, Wire};
use wspeer::internals::status::{Cause, EventKind};

const RELAYING: SceneSettings = SceneSettings { auth: false, relay: true, raw_replication: false };
/// A call of method 0 of the node Game without arguments, as the program encodes it, by path and by number.
const CALL: &[u8] = b"Game\0a\0\0";
const BY_PATH: &[u8] = b"\xA0\x06\0\0\x80\0Game\0";
const BY_NUMBER: &[u8] = &[0x80, 1, 0];
const WIDE: &[u8] = &[0xA0, 1, 0, 0, 0, 0];
const CONFIRMATION: [u8; 6] = [2, 1, 1, 0, 0, 0];

fn announcement() -> Vec<u8> {
    [&[1][..], b"0cc175b9c0f1b6a831c399e269772661", &[0, 1, 0, 0, 0], b"Game\0"].concat()
}

fn kinds(items: &[Took]) -> Vec<(i32, EventKind)> {
    items.iter().map(|item| (item.of, item.kind)).collect()
}

/// A host whose clients may have two messages queued, with a client that reads and one whose transport is full and
/// whose queue lacks room for `free` fewer than two messages.
fn with_slow_client(policy: u32, free: usize) -> (TestHost, usize, usize) {
    let changes = [(WS_OPT_OUTBOUND_PACKETS, 2), (WS_OPT_ON_FULL, policy), (WS_OPT_CLOSE_TIMEOUT_MS, 100)];
    let mut host = TestHost::new(Wire::Scene, RELAYING, &changes);
    host.act(|host, _, _| host.declare("Game", Some("a"))).unwrap();
    let fast = host.open();
    let slow = host.open_over(REQUEST.len());
    while host.poll() {}
    host.heard(slow);
    while host.poll() {}
    host.heard(slow);
    host.heard(fast);
    host.items();
    let Guest { key, .. } = host.guests[slow];
    // Fills the transport, then the queue.
    let filler = vec![9; 2 * REQUEST.len()];
    assert_eq!(host.act(|host, server, cx| host.put_one(server, cx, key, false, &filler)).ok(), Some(Sent::Taken));
    host.poll();
    for _ in free..1 {
        assert_eq!(host.act(|host, server, cx| host.put_one(server, cx, key, false, b"x")).ok(), Some(Sent::Taken));
    }
    (host, fast, slow)
}

/// Reads all that the slow client gets, and returns what is not filler.
fn read_all(host: &mut TestHost, at: usize) -> Vec<Vec<u8>> {
    let mut heard = Vec::new();
    for _ in 0..20 {
        heard.extend(host.heard(at));
        host.poll();
    }
    heard.retain(|packet| packet.len() < 2 * REQUEST.len() && packet != b"\x03x");
    heard
}

#[test]
fn a_call_to_a_full_client_follows_the_policy() {
    for policy in [WS_FULL_SKIP, WS_FULL_DISCONNECT, WS_FULL_ALL_OR_NONE] {
        for known in [false, true] {
            let what = format!("policy {policy}, known {known}");
            let (mut host, fast, slow) = with_slow_client(policy, 0);
            let (fast_id, slow_id) = (host.id(fast), host.id(slow));
            if known {
                // The fast client knows the number; the slow one never does.
                let key = host.guests[fast].key;
                assert_eq!(
                    host.act(|host, server, cx| host.put_call_one(server, cx, key, CALL)).ok(),
                    Some(Sent::Taken)
                );
                assert_eq!(host.heard(fast), [announcement(), BY_PATH.to_vec()], "{what}");
                host.send(fast, &CONFIRMATION);
                host.poll();
            }
            let call = |host: &mut TestHost| host.act(|host, server, cx| host.put_call(server, cx, Target::All, CALL));
            let result = call(&mut host).ok();
            host.poll();
            let expected = match known {
                true => vec![WIDE.to_vec()],
                false => vec![announcement(), BY_PATH.to_vec()],
            };
            let events = host.items();
            match policy {
                WS_FULL_ALL_OR_NONE => {
                    assert_eq!(
                        (result, host.heard(fast), kinds(&events)),
                        (Some(Sent::Full), vec![], vec![]),
                        "{what}"
                    );
                    assert_eq!(read_all(&mut host, slow), [[0; 0]; 0], "{what}");
                    assert_eq!(kinds(&host.items()), [(slow_id, EventKind::Writable)], "{what}");
                    assert_eq!(call(&mut host).ok(), Some(Sent::Taken), "{what}");
                    assert_eq!(host.heard(fast), expected, "{what}");
                    assert_eq!(read_all(&mut host, slow), [announcement(), BY_PATH.to_vec()], "{what}");
                }
                WS_FULL_SKIP => {
                    let skipped = [(slow_id, EventKind::Skipped)];
                    assert_eq!((result, kinds(&events)), (Some(Sent::Partial), skipped.to_vec()), "{what}");
                    // The announcement was skipped and the call was.
                    assert_eq!((host.heard(fast), events[0].count), (expected, 2), "{what}");
                    assert_eq!(read_all(&mut host, slow), [[0; 0]; 0], "{what}");
                    assert_eq!(call(&mut host).ok(), Some(Sent::Taken), "{what}");
                    host.heard(fast);
                    assert_eq!(
                        read_all(&mut host, slow),
                        [announcement(), BY_PATH.to_vec()],
                        "{what}: announced again"
                    );
                }
                _ => {
                    assert_eq!(host.heard(fast)[..expected.len()], expected, "{what}");
                    read_all(&mut host, slow);
                    assert_eq!(host.guests[slow].closed, Some(1008), "{what}");
                    host.drop_guest(slow);
                    host.poll();
                    assert_eq!(kinds(&host.items()), [(slow_id, EventKind::Disconnected)], "{what}");
                    host.poll();
                    assert_eq!(host.heard(fast), [[&[7, 2][..], &slow_id.to_le_bytes()].concat()], "{what}");
                }
            }
            assert_eq!(host.host.place(fast_id).ok(), Some(host.guests[fast].key));
        }
    }
}

/// A call to one client: without room for the number it is not sent either, and the number is sent again.
#[test]
fn a_call_to_one_full_client_reports_it() {
    for free in [0, 1] {
        let (mut host, _, slow) = with_slow_client(WS_FULL_SKIP, free);
        let slow_id = host.id(slow);
        let call = |host: &mut TestHost| {
            host.act(|host, server, cx| host.put_call(server, cx, Target::One(slow_id), CALL)).ok()
        };
        assert_eq!(call(&mut host), Some(Sent::Full), "{free}");
        let heard = read_all(&mut host, slow);
        assert_eq!(heard, vec![announcement(); free], "{free}");
        assert_eq!(kinds(&host.items()), [(slow_id, EventKind::Writable)], "{free}");
        assert_eq!(call(&mut host), Some(Sent::Taken), "{free}");
        let expected = if free == 1 { vec![BY_PATH.to_vec()] } else { vec![announcement(), BY_PATH.to_vec()] };
        assert_eq!(read_all(&mut host, slow), expected, "{free}");
        host.send(slow, &CONFIRMATION);
        host.poll();
        assert_eq!(call(&mut host), Some(Sent::Taken));
        assert_eq!(read_all(&mut host, slow), [BY_NUMBER], "{free}");
    }
}

/// Messages that clients send to each other never wait for a full client: it is skipped or disconnected.
#[test]
fn a_relayed_message_skips_or_disconnects_a_full_client() {
    for policy in [WS_FULL_SKIP, WS_FULL_DISCONNECT, WS_FULL_ALL_OR_NONE] {
        let (mut host, fast, slow) = with_slow_client(policy, 0);
        let slow_id = host.id(slow);
        let third = host.open();
        let _ = (host.poll(), host.items(), host.heard(third), host.heard(fast));
        host.send(fast, b"\x07\x03\0\0\0\0\x03data");
        host.poll();
        let third_heard = host.heard(third);
        assert_eq!(third_heard[0][6..], *b"\x03data", "policy {policy}: {third_heard:?}");
        let events: Vec<_> = kinds(&host.items()).into_iter().filter(|(of, _)| *of == slow_id).collect();
        if policy == WS_FULL_DISCONNECT {
            assert_eq!(events, [], "policy {policy}");
            read_all(&mut host, slow);
            assert_eq!(host.guests[slow].closed, Some(1008), "policy {policy}");
            host.send_frame(slow, &crate::test_server::frame(0x88, &1008_u16.to_be_bytes()));
            host.poll();
            let end = host.items().pop().unwrap();
            assert_eq!((end.of, end.cause), (slow_id, Cause::Full), "policy {policy}");
        } else {
            assert_eq!(events, [(slow_id, EventKind::Skipped)], "policy {policy}");
            let heard = read_all(&mut host, slow);
            assert!(heard.iter().all(|packet| packet[1] != 3), "policy {policy}: {heard:?}");
        }
    }
}

#[test]
fn a_join_whose_queue_is_full_reports_it() {
    let changes = [(WS_OPT_OUTBOUND_PACKETS, 2)];
    // One message of the queue is written as far as the transport holds it.
    let fill = |join: &mut TestJoin, count: usize| {
        assert_eq!(join.put(Some(Target::One(1)), &vec![9; 2 * 4_096]).ok(), Some(Sent::Taken));
        for _ in 0..count {
            assert_eq!(join.put(Some(Target::One(1)), b"x").ok(), Some(Sent::Taken));
        }
    };
    let read_all = |join: &mut TestJoin| {
        let mut heard = Vec::new();
        for _ in 0..20 {
            heard.extend(join.heard());
            join.poll();
        }
        heard.retain(|packet| packet.len() < 4_096 && packet != b"\x03x");
        heard
    };
    let call = |join: &mut TestJoin, target: Option<Target>| {
        join.act(|join, peer, cx| join.put_call(peer, cx, target, CALL)).ok()
    };
    for (queued, others, target) in [
        (1, vec![], None),
        (0, vec![], None),
        (1, vec![8_i32], None),
        (0, vec![8], None),
        (0, vec![8], Some(Target::One(8))),
        (1, vec![8], Some(Target::One(8))),
    ] {
        let what = format!("{queued} queued, {others:?}, to {target:?}");
        let mut join = TestJoin::with_id(Opening { changes: &changes, capacity: 4_096, ..opening(Wire::Scene) });
        join.act(|join, _, _| join.declare("Game", Some("a"))).unwrap();
        for id in &others {
            join.tell(&[&[7, 1][..], &id.to_le_bytes()].concat());
        }
        join.poll();
        join.items();
        fill(&mut join, queued);
        assert_eq!(call(&mut join, target), Some(Sent::Full), "{what}");
        // Numbers that were accepted are not sent again.
        let mut heard = read_all(&mut join);
        assert_eq!(heard.len(), 1 - queued, "{what}: {heard:?}");
        assert_eq!(kinds(&join.items()), [(0, EventKind::Writable)], "{what}");
        for _ in 0..3 {
            if call(&mut join, target) == Some(Sent::Taken) {
                break;
            }
            heard.extend(read_all(&mut join));
        }
        heard.extend(read_all(&mut join));
        let relayed = |id: i32, packet: &[u8]| [&[7, 3][..], &id.to_le_bytes(), packet].concat();
        let to_8 = [relayed(8, &announcement()), relayed(8, BY_PATH)];
        let to_host = [announcement(), BY_PATH.to_vec()];
        let expected = match (target, others.is_empty()) {
            (Some(_), _) => to_8.to_vec(),
            (None, true) => to_host.to_vec(),
            (None, false) => {
                vec![to_host[0].clone(), to_8[0].clone(), to_host[1].clone(), to_8[1].clone()]
            }
        };
        assert_eq!(heard, expected, "{what}");
    }
    // Raw bytes.
    for wire in [Wire::Scene, Wire::Godot3, Wire::Godot4] {
        let mut join = TestJoin::with_id(Opening { changes: &changes, capacity: 4_096, ..opening(wire) });
        join.items();
        fill(&mut join, 1);
        assert_eq!(join.put(None, b"more").ok(), Some(Sent::Full), "{wire:?}");
        join.end.output();
    }
}

/// With WS_FULL_ALL_OR_NONE a call needs room for the number and the call in every queue; without it nobody gets either.
#[test]
fn a_call_to_all_needs_room_for_number_and_path() {
    let need = announcement().len() + BY_PATH.len();
    // The headers of both frames need four bytes.
    for (room, fits) in [(need + 4, true), (need - 1, false)] {
        let changes = [(WS_OPT_ON_FULL, WS_FULL_ALL_OR_NONE)];
        let mut host = TestHost::new(Wire::Scene, RELAYING, &changes);
        host.act(|host, _, _| host.declare("Game", Some("a"))).unwrap();
        let fast = host.open();
        let slow = host.open_over(REQUEST.len());
        for _ in 0..5 {
            host.poll();
            host.heard(slow);
        }
        host.heard(fast);
        let key = host.guests[slow].key;
        let filler = vec![9; 2 * REQUEST.len()];
        assert_eq!(host.act(|host, server, cx| host.put_one(server, cx, key, false, &filler)).ok(), Some(Sent::Taken));
        host.poll();
        let waiting = host.at.server.peer(key).unwrap().queued_bytes();
        let limit = (waiting + room) as u32;
        host.at.act(|server, _| {
            let mut options = (*server.endpoint.options).clone();
            options.set(WS_OPT_OUTBOUND_BYTES, limit).unwrap();
            server.peer(key).unwrap().endpoint.options = std::sync::Arc::new(options);
        });
        let result = host.act(|host, server, cx| host.put_call(server, cx, Target::All, CALL)).ok();
        assert_eq!(result, Some(if fits { Sent::Taken } else { Sent::Full }), "{waiting} bytes wait, {room}");
        assert_eq!(host.heard(fast).len(), if fits { 2 } else { 0 });
    }
}
