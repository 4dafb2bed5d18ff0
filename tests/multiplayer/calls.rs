//! Remote calls of hosts and joins in memory, compared with a model of the node numbers that each peer knows.

use crate::test_host::{TestHost, Took, event};
use crate::test_join::{TestJoin, opening};
use std::collections::{BTreeMap, BTreeSet};
use wspeer::codes::*;
use wspeer::internals::error::Error;
use wspeer::internals::link::Sent;
use wspeer::internals::multiplayer::{SceneSettings, Target, Wire};
use wspeer::internals::status::{Cause, ErrorCode, EventKind};

const RELAYING: SceneSettings = SceneSettings { auth: false, relay: true, raw_replication: false };

/// A declared node: its path, its methods in the order of their numbers, and the MD5 of their names. Its number is its
/// index, from 1 on.
const NODES: [(&str, &[&str], &[u8; 32]); 2] = [
    ("Game", &["a", "b", "c"], b"900150983cd24fb0d6963f7d28e17f72"),
    ("Room/Door", &["open"], b"7cef8a734855777c2a9d0caf42666e69"),
];

/// The arguments of a call as ws_encode_call() encodes them, and as a packet has them: the flag for bytes without an
/// argument count, and what follows the method's number.
const ARGUMENTS: [(&[u8], u8, &[u8]); 5] = [
    (&[0], 0x80, &[]),
    (&[1, 2, 5], 0, &[1, 2, 5]),
    (&[2, 2, 5, 0x81], 0, &[2, 2, 5, 0x81]),
    (&[1, 29, 0, 0, 0, 3, 0, 0, 0, 7, 8, 9, 0], 0x80, &[7, 8, 9]),
    (b"\x01\x04\0\0\0\x04\0\0\0text", 0, b"\x01\x04\0\0\0\x04\0\0\0text"),
];

/// A call: indexes of its node, method and arguments.
#[derive(Clone, Copy, Debug)]
struct Called {
    node: usize,
    method: usize,
    arguments: usize,
}

impl Called {
    fn random(random: &mut impl FnMut(u32) -> u32) -> Called {
        let node = random(2) as usize;
        let method = random(NODES[node].1.len() as u32) as usize;
        Called { node, method, arguments: random(ARGUMENTS.len() as u32) as usize }
    }

    /// As the program encodes and takes it.
    fn encoded(self) -> Vec<u8> {
        let (path, methods, _) = NODES[self.node];
        [path.as_bytes(), &[0], methods[self.method].as_bytes(), &[0], ARGUMENTS[self.arguments].0].concat()
    }

    /// As a packet with a node number of 8 or 32 bits.
    fn by_number(self, number: u32, wide: bool) -> Vec<u8> {
        let (_, flag, bytes) = ARGUMENTS[self.arguments];
        let number = if wide { number.to_le_bytes().to_vec() } else { vec![number as u8] };
        [&[flag | if wide { 0x20 } else { 0 }], number.as_slice(), &[self.method as u8], bytes].concat()
    }

    /// As a packet with the node's path.
    fn by_path(self) -> Vec<u8> {
        let (_, flag, bytes) = ARGUMENTS[self.arguments];
        let place = (6 + bytes.len()) as u32 | 1 << 31;
        let path = NODES[self.node].0.as_bytes();
        [&[flag | 0x20], place.to_le_bytes().as_slice(), &[self.method as u8], bytes, path, &[0]].concat()
    }

    /// As a peer that knows the number gets it, or one that does not.
    fn packet(self, knows: bool, wide: bool) -> Vec<u8> {
        if knows { self.by_number(self.node as u32 + 1, wide) } else { self.by_path() }
    }
}

/// The packet that gives a node a number.
fn announcement(node: usize, number: u32, checksum: &[u8; 32]) -> Vec<u8> {
    [&[1][..], checksum, &[0], &number.to_le_bytes(), NODES[node].0.as_bytes(), &[0]].concat()
}

fn confirmation(same: bool, number: u32) -> Vec<u8> {
    [&[2, u8::from(same)][..], &number.to_le_bytes()].concat()
}

/// What a peer and the program here have told each other about node numbers.
#[derive(Default)]
struct Known {
    /// Nodes whose number was sent to the peer, and whether it has confirmed it.
    sent: BTreeMap<usize, bool>,
    /// The peer's latest four numbers for each node, oldest first.
    numbers: [Vec<u32>; 2],
    /// Its older ones.
    displaced: [Vec<u32>; 2],
    /// Nodes that have other methods at the peer.
    other: BTreeSet<usize>,
}

/// A packet of a peer, what it gets as reply, and what the program takes.
fn incoming(
    random: &mut impl FnMut(u32) -> u32,
    known: &mut Known,
    from: i32,
) -> (Vec<u8>, Option<Vec<u8>>, Option<Took>) {
    let called = Called::random(random);
    let node = called.node;
    let error =
        |cause: Cause, why: String| Some(Took { cause, count: 1, bytes: why.into(), ..event(from, EventKind::Error) });
    let path = NODES[node].0;
    let others = format!(
        "{path} has other methods at peer {from} than were declared here: name all that its script has as RPCs, and no other"
    );
    match random(8) {
        0 | 6 | 7 => {
            // A peer never gives a number to a second node.
            let number = node as u32 + 2 * random(200);
            let same = random(4) > 0;
            let numbers = &mut known.numbers[node];
            if !numbers.contains(&number) {
                numbers.push(number);
                let displaced = numbers.drain(..numbers.len().saturating_sub(4));
                known.displaced[node].extend(displaced);
            }
            if same {
                known.other.remove(&node)
            } else {
                known.other.insert(node)
            };
            let packet = announcement(node, number, if same { NODES[node].2 } else { NODES[1 - node].2 });
            let report = if same { None } else { error(Cause::Checksum, others) };
            (packet, Some(confirmation(same, number)), report)
        }
        1 if !known.sent.is_empty() => {
            let (node, confirmed) = known.sent.iter_mut().next().map(|(node, confirmed)| (*node, confirmed)).unwrap();
            *confirmed = true;
            (confirmation(true, node as u32 + 1), None, None)
        }
        2 => {
            let report = if known.other.contains(&node) {
                error(Cause::Checksum, others)
            } else {
                Some(Took { is_call: true, bytes: called.encoded(), ..event(from, EventKind::Message) })
            };
            (called.by_path(), None, report)
        }
        3 => {
            let path = "Gone".as_bytes();
            let packet = [&[0xA0, 6, 0, 0, 0x80, 0], path, &[0]].concat();
            let why = format!("peer {from} called the node Gone, which is not declared: use ws_declare_node");
            (packet, None, error(Cause::NoNode, why))
        }
        4 => {
            let methods = NODES[node].1.len();
            let mut packet = called.by_path();
            packet[5] = methods as u8;
            let why = format!("peer {from} called method {methods} of {path}, which has {methods} methods");
            let why =
                if known.other.contains(&node) { error(Cause::Checksum, others) } else { error(Cause::NoNode, why) };
            (packet, None, why)
        }
        _ => {
            let numbers = &known.numbers[node];
            let displaced = &known.displaced[node];
            let number = match numbers.get(random(6) as usize) {
                Some(number) => *number,
                None if !displaced.is_empty() && random(2) == 0 => displaced[random(displaced.len() as u32) as usize],
                None => node as u32 + 2 * random(200),
            };
            let packet = called.by_number(number, number > 0xFF);
            if !numbers.contains(&number) {
                let why =
                    format!("peer {from} called a node by the number {number}, which it gave to none that is declared");
                return (packet, None, error(Cause::NoNode, why));
            }
            let report = if known.other.contains(&node) {
                error(Cause::Checksum, others)
            } else {
                Some(Took { is_call: true, bytes: called.encoded(), ..event(from, EventKind::Message) })
            };
            (packet, None, report)
        }
    }
}

/// Repeated errors of a peer are counted in the first one.
fn merge(events: &mut Vec<Took>, event: Took) {
    let is_same = |other: &&mut Took| {
        event.kind == EventKind::Error && other.kind == event.kind && other.of == event.of && other.cause == event.cause
    };
    match events.iter_mut().find(is_same) {
        Some(before) => before.count += 1,
        None => events.push(event),
    }
}

fn selects(target: i32, id: i32) -> bool {
    target == 0 || target == id || (target < 0 && target != -id)
}

#[test]
fn calls_of_a_host_carry_a_path_until_the_client_has_confirmed_its_number() {
    for seed in 1..=12 {
        let mut random = crate::c_host::random_of(seed);
        let mut host = TestHost::new(Wire::Scene, RELAYING, &[]);
        for (path, methods, _) in NODES {
            host.act(|host, _, _| host.declare(path, Some(&methods.join(",")))).unwrap();
        }
        let guests: Vec<usize> = (0..3).map(|_| host.open()).collect();
        let mut known: Vec<Known> = guests.iter().map(|_| Known::default()).collect();
        host.poll();
        host.items();
        guests.iter().for_each(|at| _ = host.heard(*at));
        for step in 0..80 {
            let what = format!("seed {seed}, step {step}");
            let at = random(3) as usize;
            let id = host.id(at);
            let mut heard = vec![Vec::new(); guests.len()];
            let mut events = Vec::new();
            if random(2) == 0 {
                let called = Called::random(&mut random);
                let target = [0, id, -id, id][random(4) as usize];
                let result = if target > 0 && random(2) == 0 {
                    let key = host.guests[at].key;
                    host.act(|host, server, cx| host.put_call_one(server, cx, key, &called.encoded()))
                } else {
                    let target = Target::decode(target).unwrap();
                    host.act(|host, server, cx| host.put_call(server, cx, target, &called.encoded()))
                };
                assert_eq!(result.ok(), Some(Sent::Taken), "{what}");
                let to: Vec<usize> = guests.iter().copied().filter(|at| selects(target, host.id(*at))).collect();
                for at in &to {
                    if !known[*at].sent.contains_key(&called.node) {
                        heard[*at].push(announcement(called.node, called.node as u32 + 1, NODES[called.node].2));
                        known[*at].sent.insert(called.node, false);
                    }
                }
                let knows = |at: &usize| known[*at].sent[&called.node];
                let wide = !to.iter().all(knows);
                for at in &to {
                    heard[*at].push(called.packet(knows(at), wide));
                }
            } else {
                for _ in 0..1 + random(8) {
                    let (packet, reply, taken) = incoming(&mut random, &mut known[at], id);
                    host.send(at, &packet);
                    heard[at].extend(reply);
                    taken.into_iter().for_each(|taken| merge(&mut events, taken));
                }
            }
            while host.poll() {}
            let items = host.items();
            for (at, expected) in heard.into_iter().enumerate() {
                assert_eq!(host.heard(at), expected, "{what}, client {at}");
            }
            compare(items, events, &what);
        }
    }
}

/// Messages and errors each in their order: an error stands where its first cause was.
fn compare(taken: Vec<Took>, expected: Vec<Took>, what: &str) {
    let of = |items: &[Took], error: bool| -> Vec<Took> {
        items.iter().filter(|item| (item.kind == EventKind::Error) == error).cloned().collect()
    };
    assert_eq!(of(&taken, false), of(&expected, false), "{what}");
    assert_eq!(of(&taken, true), of(&expected, true), "{what}");
}

/// The relay header for a packet to another client, or of it.
fn relayed(peer: i32, packet: Vec<u8>) -> Vec<u8> {
    if peer == 1 { packet } else { [&[7, 3][..], &peer.to_le_bytes(), &packet].concat() }
}

#[test]
fn calls_of_a_join_carry_a_path_until_the_peer_has_confirmed_its_number() {
    for seed in 1..=20 {
        let mut random = crate::c_host::random_of(seed);
        let mut join = TestJoin::with_id(opening(Wire::Scene));
        for (path, methods, _) in NODES {
            join.act(|join, _, _| join.declare(path, Some(&methods.join(",")))).unwrap();
        }
        join.items();
        let mut known: BTreeMap<i32, Known> = BTreeMap::from([(1, Known::default())]);
        for step in 0..60 {
            let what = format!("seed {seed}, step {step}");
            let peer = [1, 8, 9, 10][random(4) as usize];
            let (mut heard, mut events) = (Vec::new(), Vec::new());
            match random(5) {
                0 if peer != 1 => {
                    let joins = !known.contains_key(&peer);
                    join.tell(&[&[7, if joins { 1 } else { 2 }][..], &peer.to_le_bytes()].concat());
                    if joins {
                        known.insert(peer, Known::default())
                    } else {
                        known.remove(&peer)
                    };
                    let kind = if joins { EventKind::Connected } else { EventKind::Disconnected };
                    events.push(event(peer, kind));
                }
                1 | 2 => {
                    let called = Called::random(&mut random);
                    let target = [None, Some(0), Some(peer), Some(-peer)][random(4) as usize];
                    let result = join.act(|join, link, cx| {
                        join.put_call(link, cx, target.map(|target| Target::decode(target).unwrap()), &called.encoded())
                    });
                    let target = target.unwrap_or(0);
                    if target > 0 && !known.contains_key(&target) {
                        assert_eq!(result.map_err(|error| error.code()), Err(ErrorCode::Target), "{what}");
                    } else {
                        assert_eq!(result.ok(), Some(Sent::Taken), "{what}");
                        let to: Vec<i32> = known.keys().copied().filter(|id| selects(target, *id)).collect();
                        for id in &to {
                            let sent = &mut known.get_mut(id).unwrap().sent;
                            sent.entry(called.node).or_insert_with(|| {
                                let packet = announcement(called.node, called.node as u32 + 1, NODES[called.node].2);
                                heard.push(relayed(*id, packet));
                                false
                            });
                        }
                        let knows = |id: &i32| known[id].sent[&called.node];
                        let wide = !to.iter().all(knows);
                        heard.extend(to.iter().map(|id| relayed(*id, called.packet(knows(id), wide))));
                    }
                }
                _ => {
                    for _ in 0..1 + random(8) {
                        let Some(of_peer) = known.get_mut(&peer) else { continue };
                        let (packet, reply, taken) = incoming(&mut random, of_peer, peer);
                        join.tell(&relayed(peer, packet));
                        heard.extend(reply.map(|reply| relayed(peer, reply)));
                        taken.into_iter().for_each(|taken| merge(&mut events, taken));
                    }
                }
            }
            join.poll();
            assert_eq!(join.heard(), heard, "{what}");
            compare(join.items(), events, &what);
        }
    }
}

fn code<T>(result: Result<T, Error>) -> Option<ErrorCode> {
    result.err().map(|error| error.code())
}

/// A call that cannot be sent is refused with the error that names its defect.
#[test]
fn a_wrong_call_is_refused_before_anything_is_sent() {
    let good = Called { node: 0, method: 0, arguments: 0 }.encoded();
    let wrong: [(&[u8], ErrorCode); 4] = [
        (b"Gone\0a\0\0", ErrorCode::Arg),
        (b"Game\0z\0\0", ErrorCode::Arg),
        (b"Game\0a\0\x01", ErrorCode::Arg),
        (b"Game", ErrorCode::Arg),
    ];
    let mut host = TestHost::new(Wire::Scene, RELAYING, &[]);
    let mut join = TestJoin::with_id(opening(Wire::Scene));
    host.act(|host, _, _| host.declare("Game", Some("a,b,c"))).unwrap();
    join.act(|join, _, _| join.declare("Game", Some("a,b,c"))).unwrap();
    let at = host.open();
    let (id, key) = (host.id(at), host.guests[at].key);
    for (bytes, expected) in wrong {
        assert_eq!(code(host.act(|host, server, cx| host.put_call(server, cx, Target::All, bytes))), Some(expected));
        assert_eq!(code(host.act(|host, server, cx| host.put_call_one(server, cx, key, bytes))), Some(expected));
        assert_eq!(code(join.act(|join, peer, cx| join.put_call(peer, cx, None, bytes))), Some(expected));
    }
    let stranger = Target::One(if id == 99 { 98 } else { 99 });
    assert_eq!(code(host.act(|host, server, cx| host.put_call(server, cx, stranger, &good))), Some(ErrorCode::Target));
    assert_eq!(
        code(join.act(|join, peer, cx| join.put_call(peer, cx, Some(stranger), &good))),
        Some(ErrorCode::Target)
    );
    assert!(host.heard(at).is_empty() && join.heard().is_empty());
    // Without a scene there are no calls.
    for wire in [Wire::Godot3, Wire::Godot4] {
        let mut host = TestHost::new(wire, RELAYING, &[]);
        let mut join = TestJoin::with_id(opening(wire));
        let kind = Some(ErrorCode::Kind);
        assert_eq!(code(host.act(|host, server, cx| host.put_call(server, cx, Target::All, &good))), kind);
        assert_eq!(code(host.act(|host, server, cx| host.put_call_one(server, cx, 0, &good))), kind);
        assert_eq!(code(host.act(|host, _, _| host.declare("Game", None))), kind);
        assert_eq!(code(host.act(|host, server, cx| host.send_auth(server, cx, 2, b"x"))), kind);
        assert_eq!(code(host.act(|host, server, cx| host.complete_auth(server, cx, 2))), kind);
        assert_eq!(code(join.act(|join, peer, cx| join.put_call(peer, cx, None, &good))), kind);
        assert_eq!(code(join.act(|join, _, _| join.declare("Game", None))), kind);
        assert_eq!(code(join.act(|join, peer, cx| join.send_auth(peer, cx, 1, b"x"))), kind);
        assert_eq!(code(join.act(|join, peer, cx| join.complete_auth(peer, cx, 1))), kind);
    }
}

/// The limits on a call in bytes and items, at the limit and one beyond, for calls that are sent and for received ones.
#[test]
fn calls_at_their_limits_are_sent_and_taken_and_none_beyond() {
    const BYTES: usize = 200;
    const ITEMS: usize = 20;
    let changes = [(WS_OPT_MAX_CALL_BYTES, BYTES as u32), (WS_OPT_MAX_CALL_ITEMS, ITEMS as u32)];
    // An Array of nulls as the only argument, or a PackedByteArray.
    let nulls =
        |count: usize| [&[1, 28, 0, 0, 0], (count as u32).to_le_bytes().as_slice(), &vec![0; 4 * count]].concat();
    let bytes = |count: usize| [&[1, 29, 0, 0, 0], (count as u32).to_le_bytes().as_slice(), &vec![7; count]].concat();
    let encoded = |arguments: &[u8]| [b"Game\0a\0", arguments].concat();
    let room = BYTES - 16 - encoded(&bytes(0)).len();
    for (arguments, expected) in [
        (nulls(ITEMS - 1), None),
        (nulls(ITEMS), Some(ErrorCode::TooBig)),
        (bytes(room / 4 * 4), None),
        (bytes(room / 4 * 4 + 4), Some(ErrorCode::TooBig)),
    ] {
        let call = encoded(&arguments);
        let mut host = TestHost::new(Wire::Scene, RELAYING, &changes);
        host.act(|host, _, _| host.declare("Game", Some("a"))).unwrap();
        let mut join = TestJoin::with_id(crate::test_join::Opening { changes: &changes, ..opening(Wire::Scene) });
        join.act(|join, _, _| join.declare("Game", Some("a"))).unwrap();
        assert_eq!(code(host.act(|host, server, cx| host.put_call(server, cx, Target::All, &call))), expected);
        assert_eq!(code(join.act(|join, peer, cx| join.put_call(peer, cx, None, &call))), expected);
    }
    // The whole packet: 1 + 1 + 1 bytes of head, then bytes without a count.
    let announced = announcement(0, 1, b"0cc175b9c0f1b6a831c399e269772661");
    for (packet, taken) in [
        ([&[0x80, 1, 0], vec![7; BYTES - 3].as_slice()].concat(), true),
        ([&[0x80, 1, 0], vec![7; BYTES - 2].as_slice()].concat(), false),
        ([&[0, 1, 0], nulls(ITEMS - 1).as_slice()].concat(), true),
        ([&[0, 1, 0], nulls(ITEMS).as_slice()].concat(), false),
    ] {
        // Directly, and through the host: a call that is passed on is limited too, before anyone gets it.
        for target in [1, 0, -1] {
            let mut host = TestHost::new(Wire::Scene, RELAYING, &changes);
            host.act(|host, _, _| host.declare("Game", Some("a"))).unwrap();
            let (from, other) = (host.open(), host.open());
            host.poll();
            host.items();
            host.heard(other);
            host.send(from, &announced);
            let (is_long, to_host) = (packet.len() > BYTES, target >= 0);
            host.send(from, &if target == 1 { packet.clone() } else { relayed(target, packet.clone()) });
            host.poll();
            let kinds: Vec<(EventKind, i32)> = host.items().iter().map(|item| (item.kind, item.code)).collect();
            let what = format!("{} bytes to {target}", packet.len());
            match taken || (!is_long && !to_host) {
                true if to_host => assert_eq!(kinds, [(EventKind::Message, 0)], "{what}"),
                true => assert_eq!(kinds, [], "{what}"),
                false => assert_eq!(kinds, [(EventKind::Disconnected, 1002)], "{what}"),
            }
            let passed = usize::from(target != 1 && !is_long && (taken || !to_host));
            let heard = host.heard(other);
            assert_eq!(heard.iter().filter(|packet| packet[1] == 3).count(), passed, "{what}: {heard:?}");
        }
        let mut join = TestJoin::with_id(crate::test_join::Opening { changes: &changes, ..opening(Wire::Scene) });
        join.act(|join, _, _| join.declare("Game", Some("a"))).unwrap();
        join.items();
        // Raw bytes are no call.
        join.tell(&[3; BYTES + 1]);
        join.poll();
        assert_eq!(join.items().pop().map(|item| item.bytes.len()), Some(BYTES));
        join.tell(&announced);
        join.tell(&packet);
        join.poll();
        let kinds: Vec<(EventKind, i32)> = join.items().iter().map(|item| (item.kind, item.code)).collect();
        assert_eq!(kinds, [if taken { (EventKind::Message, 0) } else { (EventKind::Closed, 1002) }]);
    }
}

/// A call to everyone tells a client that is not admitted nothing; after its admission it learns the node's number.
#[test]
fn a_client_that_is_not_admitted_gets_no_call() {
    let scene = SceneSettings { auth: true, relay: true, raw_replication: false };
    let mut host = TestHost::new(Wire::Scene, scene, &[]);
    host.act(|host, _, _| host.declare("Game", Some("a,b,c"))).unwrap();
    let at = host.open();
    let (id, key) = (host.id(at), host.guests[at].key);
    let called = Called { node: 0, method: 0, arguments: 0 };
    let call = |host: &mut TestHost, target: Target| {
        host.act(|host, server, cx| host.put_call(server, cx, target, &called.encoded()))
    };
    assert_eq!(call(&mut host, Target::All).ok(), Some(Sent::Taken));
    assert_eq!(code(call(&mut host, Target::One(id))), Some(ErrorCode::State));
    assert_eq!(
        code(host.act(|host, server, cx| host.put_call_one(server, cx, key, &called.encoded()))),
        Some(ErrorCode::State)
    );
    host.poll();
    assert_eq!(host.heard(at), [[0; 0]; 0]);
    host.send(at, &[7, 0]);
    host.poll();
    host.act(|host, server, cx| host.complete_auth(server, cx, id)).unwrap();
    host.poll();
    assert_eq!(call(&mut host, Target::All).ok(), Some(Sent::Taken));
    assert_eq!(host.heard(at), [vec![7, 0], announcement(0, 1, NODES[0].2), called.by_path()]);
}
