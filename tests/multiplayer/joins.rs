//! Joins of every format in memory, compared with a model: whom they know, what they send, and what they refuse. The
//! clock is a fake one.

use crate::test_host::{TestHost, Took, event, message};
use crate::test_join::{Opening, TestJoin, opening};
use std::collections::BTreeSet;
use std::time::Duration;
use wspeer::internals::link::Sent;
use wspeer::internals::multiplayer::{SceneSettings, Target, Wire};
use wspeer::internals::status::{Cause, ErrorCode, EventKind, Phase, State};

const RELAYING: SceneSettings = SceneSettings { auth: false, relay: true, raw_replication: false };
const ALONE: SceneSettings = SceneSettings { auth: false, relay: false, raw_replication: false };
const JOINED: u8 = 1;
const LEFT: u8 = 2;
/// The id that each join here gets.
const OWN: i32 = 7;

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// What a host says about another peer.
fn about(wire: Wire, what: u8, id: i32) -> Vec<u8> {
    match wire {
        Wire::Godot3 => [&[what, 1, 0, 0, 0, 0, 0, 0, 0][..], &id.to_le_bytes()].concat(),
        _ => [&[7, what][..], &id.to_le_bytes()].concat(),
    }
}

/// A message of a peer as it arrives at the join.
fn from(wire: Wire, id: i32, data: &[u8]) -> Vec<u8> {
    match wire {
        Wire::Godot4 => data.to_vec(),
        Wire::Godot3 => [&[0][..], &id.to_le_bytes(), &OWN.to_le_bytes(), data].concat(),
        Wire::Scene if id == 1 => [&[3], data].concat(),
        Wire::Scene => [&[7, 3][..], &id.to_le_bytes(), &[3], data].concat(),
    }
}

/// A message of the join as its host receives it.
fn to(wire: Wire, target: i32, data: &[u8]) -> Vec<u8> {
    match wire {
        Wire::Godot4 => data.to_vec(),
        Wire::Godot3 => [&[0][..], &OWN.to_le_bytes(), &target.to_le_bytes(), data].concat(),
        Wire::Scene if target == 1 => [&[3], data].concat(),
        Wire::Scene => [&[7, 3][..], &target.to_le_bytes(), &[3], data].concat(),
    }
}

/// A join with an id, whose first events have been taken, and the peers that it knows.
fn joined(opening: Opening<'_>) -> (TestJoin, BTreeSet<i32>) {
    let mut join = TestJoin::with_id(opening);
    if opening.wire == Wire::Godot3 {
        join.tell(&about(Wire::Godot3, JOINED, 1));
        join.poll();
    }
    assert_eq!(join.items(), [event(OWN, EventKind::Open), event(1, EventKind::Connected)]);
    assert_eq!(join.state(), State::Open);
    (join, BTreeSet::from([1]))
}

/// What a put to a target does: an error, or what the host hears.
fn put_of(
    opening: Opening<'_>,
    known: &BTreeSet<i32>,
    target: Option<i32>,
    data: &[u8],
) -> Result<Vec<Vec<u8>>, ErrorCode> {
    let (wire, relay) = (opening.wire, opening.scene.relay);
    match (wire, target) {
        (Wire::Godot4, None | Some(1)) => Ok(vec![data.to_vec()]),
        (Wire::Godot4, _) => Err(ErrorCode::Target),
        (_, Some(one @ 2..)) if !known.contains(&one) => Err(ErrorCode::Target),
        (Wire::Scene, Some(-1)) if !relay => Ok(Vec::new()),
        (Wire::Scene, _) if !relay => Ok(vec![to(wire, 1, data)]),
        (_, target) => Ok(vec![to(wire, target.unwrap_or(0), data)]),
    }
}

#[test]
fn a_join_knows_the_peers_that_its_host_announces_and_sends_to_them() {
    let relaying = [Wire::Godot3, Wire::Scene, Wire::Godot4].map(opening);
    let alone = Opening { scene: ALONE, ..opening(Wire::Scene) };
    for (seed, opening) in (1..=6)
        .flat_map(|seed| [relaying.as_slice(), &[alone]].concat().into_iter().map(move |opening| (seed, opening)))
    {
        let mut random = crate::c_host::random_of(seed);
        let wire = opening.wire;
        let (mut join, mut known) = joined(opening);
        let relays = wire == Wire::Godot3 || (wire == Wire::Scene && opening.scene.relay);
        for step in 0..60_u8 {
            let what = format!("{wire:?}, relay {relays}, seed {seed}, step {step}");
            let id = [1, OWN, 8, 9, 10, i32::MAX][random(6) as usize];
            let mut expected = Vec::new();
            let mut refused = 0;
            let data = vec![step; [1, 3, 200, 70_000][random(4) as usize]];
            for action in (0..1 + random(3)).map(|_| random(4)).collect::<Vec<u32>>() {
                match action {
                    _ if !relays && action < 2 || wire == Wire::Godot4 => {
                        join.tell(&from(wire, 1, &data));
                        expected.push(message(if wire == Wire::Scene { 1 } else { 0 }, &data));
                    }
                    // The host itself never joins or leaves in a scene.
                    0 | 1 if wire == Wire::Scene && id == 1 => {}
                    0 => {
                        join.tell(&about(wire, JOINED, id));
                        if id != OWN && known.insert(id) {
                            expected.push(event(id, EventKind::Connected));
                        }
                    }
                    1 => {
                        join.tell(&about(wire, LEFT, id));
                        if known.remove(&id) {
                            expected.push(event(id, EventKind::Disconnected));
                        }
                    }
                    2 if !relays && id != 1 => {
                        let packets = [about(wire, JOINED, id), about(wire, LEFT, id), from(wire, id, &data)];
                        join.tell(&packets[random(3) as usize]);
                        refused += 1;
                    }
                    _ if known.contains(&id) => {
                        join.tell(&from(wire, id, &data));
                        expected.push(message(id, &data));
                    }
                    _ => {}
                }
            }
            while join.poll() {}
            if refused > 0 {
                let why = b"the host passes on what others send, and WS_NO_RELAY is set here";
                let error = Took {
                    cause: Cause::Unsupported,
                    count: refused,
                    bytes: why.to_vec(),
                    ..event(1, EventKind::Error)
                };
                let mut items = join.items();
                let at = items.iter().position(|item| item.kind == EventKind::Error).expect("an ERROR");
                assert_eq!(items.remove(at), error, "{what}");
                assert_eq!(items, expected, "{what}");
            } else {
                assert_eq!(join.items(), expected, "{what}");
            }
            let target = match random(4) {
                0 => None,
                1 => Some(0),
                2 => Some(id),
                _ => Some(-id),
            };
            let result = join.put(target.map(|target| Target::decode(target).unwrap()), &data);
            let expected = put_of(opening, &known, target, &data);
            assert_eq!(
                result.map_err(|error| error.code()),
                expected.as_ref().map(|_| Sent::Taken).map_err(|code| *code),
                "{what}, {target:?}"
            );
            join.poll();
            assert_eq!(join.heard(), expected.unwrap_or_default(), "{what}, {target:?}");
            if wire != Wire::Godot4 {
                let error = join.put(Some(Target::One(OWN)), &data).unwrap_err().into_message();
                assert_eq!(error, "7 is this peer itself", "{what}");
            }
        }
    }
}

/// What no host may send, before and after the id, with a word of the error.
#[test]
fn a_join_leaves_a_host_that_breaks_the_format() {
    let relay = |from: i32, packet: &[u8]| [&[7, 3][..], &from.to_le_bytes(), packet].concat();
    let before: Vec<(Wire, Vec<u8>, &str)> = vec![
        (Wire::Godot4, vec![2, 0, 0], "3 bytes"),
        (Wire::Godot4, vec![1, 0, 0, 0], "1 is not a client's id"),
        (Wire::Scene, vec![2, 0, 0, 0, 0], "5 bytes"),
        (Wire::Scene, vec![0, 0, 0, 0], "0 is not a client's id"),
        (Wire::Scene, vec![], "0 bytes"),
        (Wire::Godot3, about(Wire::Godot3, JOINED, 1), "no id"),
        (Wire::Godot3, about(Wire::Godot3, LEFT, 9), "no id"),
        (Wire::Godot3, from(Wire::Godot3, 1, b"data"), "no id"),
        (Wire::Godot3, about(Wire::Godot3, 3, 1), "1 is not a client's id"),
        (Wire::Godot3, vec![3, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0], "12 bytes"),
        (Wire::Godot3, vec![0; 8], "8 bytes"),
    ];
    let after: Vec<(Wire, Vec<u8>, &str)> = vec![
        (Wire::Godot3, about(Wire::Godot3, 3, 8), "twice"),
        (Wire::Godot3, from(Wire::Godot3, 0, b"data"), "0 is no sender"),
        (Wire::Godot3, from(Wire::Godot3, -8, b"data"), "-8 is no sender"),
        (Wire::Godot3, about(Wire::Godot3, JOINED, 0), "0 is no id"),
        (Wire::Godot3, about(Wire::Godot3, 4, 9), "4 is no kind"),
        (Wire::Scene, vec![], "empty"),
        (Wire::Scene, vec![3], "empty"),
        (Wire::Scene, about(Wire::Scene, JOINED, 1), "1 is not a client's id"),
        (Wire::Scene, about(Wire::Scene, LEFT, -2), "-2 is not a client's id"),
        (Wire::Scene, relay(9, b"\x03data"), "9 sent, who is not there"),
        (Wire::Scene, relay(1, b"\x03data"), "1 sent, who is not there"),
        (Wire::Scene, relay(OWN, b"\x03data"), "7 sent, who is not there"),
        (Wire::Scene, vec![2, 1, 5, 0, 0, 0, 0], "6"),
        (Wire::Scene, vec![0x30, 0], "head of a call"),
    ];
    let all = before.into_iter().map(|case| (false, case)).chain(after.into_iter().map(|case| (true, case)));
    for (has_id, (wire, packet, word)) in all {
        let what = format!("{wire:?}, id {has_id}, {packet:?}");
        let mut join = if has_id { joined(opening(wire)).0 } else { TestJoin::new(opening(wire)) };
        if has_id {
            join.tell(&from(wire, 1, b"before"));
        } else {
            assert_eq!((join.state(), join.join.id(), join.items()), (State::Connecting, 0, vec![]), "{what}");
        }
        join.tell(&packet);
        join.tell(&from(wire, 1, b"behind"));
        join.poll();
        assert_eq!((join.state(), join.heard(), join.closed), (State::Closed, vec![], Some(1002)), "{what}");
        let mut items = join.items();
        let end = items.pop().unwrap();
        assert_eq!((end.kind, end.cause, end.code), (EventKind::Closed, Cause::Multiplayer, 1002), "{what}");
        let why = end.text();
        assert!(why.starts_with("the host broke the multiplayer format: ") && why.contains(word), "{what}: {why}");
        // What came before stays readable; what is behind is lost.
        assert_eq!(items, if has_id { vec![message(1, b"before")] } else { vec![] }, "{what}");
        assert_eq!(join.put(None, b"late").ok(), Some(Sent::NotOpen), "{what}");
    }
}

#[test]
fn text_is_no_message_of_a_scene_or_of_godot_3() {
    for wire in [Wire::Godot3, Wire::Scene] {
        let (mut join, _) = joined(opening(wire));
        let result = join.act(|join, peer, cx| join.put(peer, cx, None, true, b"text"));
        assert_eq!(result.map_err(|error| error.code()), Err(ErrorCode::Arg), "{wire:?}");
        let mut frame = from(wire, 1, b"text");
        frame.splice(0..0, [0x81, frame.len() as u8]);
        join.end.feed(&frame);
        join.poll();
        assert_eq!(join.items().pop().map(|end| (end.kind, end.code)), Some((EventKind::Closed, 1002)), "{wire:?}");
    }
    for wire in [Wire::Godot3, Wire::Scene, Wire::Godot4] {
        let mut join = TestJoin::new(opening(wire));
        join.end.feed(&[0x81, 4, 7, 0, 0, 0]);
        join.poll();
        assert_eq!(join.items().pop().map(|end| (end.kind, end.code)), Some((EventKind::Closed, 1002)), "{wire:?}");
    }
    let (mut join, _) = joined(opening(Wire::Scene));
    assert_eq!(join.put(None, b"").map_err(|error| error.code()), Err(ErrorCode::Arg), "Godot has no empty packets");
}

/// The id must have been received before the deadline; a gap in polling moves it.
#[test]
fn a_join_waits_for_its_id_until_the_timeout() {
    for wire in [Wire::Godot3, Wire::Scene, Wire::Godot4] {
        for gap in [0, 30_000] {
            let opening = Opening { timeout: Some(ms(5_000)), ..opening(wire) };
            let mut join = TestJoin::new(opening);
            let start = join.end.now;
            assert_eq!(join.join.next_timer(), Some(start + ms(5_000)));
            if gap > 0 {
                join.end.now += ms(gap);
                join.poll();
                assert_eq!(join.join.next_timer(), Some(start + ms(5_000 + gap)));
            }
            for _ in 0..49 {
                join.end.now += ms(100);
                join.poll();
            }
            join.end.now += ms(99);
            join.poll();
            assert_eq!((join.state(), join.items()), (State::Connecting, vec![]), "{wire:?}");
            let mut late = TestJoin::new(opening);
            join.end.now += ms(1);
            join.poll();
            let end = join.items().pop().unwrap();
            assert_eq!((end.kind, end.cause), (EventKind::Closed, Cause::ConnectTimeout), "{wire:?}: {end:?}");
            assert_eq!((join.heard(), join.closed), (vec![], Some(1002)), "{wire:?}");
            // One that has its id waits for nothing.
            late.tell(if wire == Wire::Godot3 { &[3, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0] } else { &[7, 0, 0, 0] });
            late.poll();
            assert_eq!(late.join.next_timer(), None, "{wire:?}");
            (0..100).for_each(|_| {
                late.end.now += ms(100);
                late.poll();
            });
            assert_eq!(late.state(), State::Open, "{wire:?}");
        }
    }
}

/// With WS_QUEUE_BEFORE_OPEN, messages in Godot 4's plain format do not wait for the id. Other formats need it.
#[test]
fn messages_before_the_id_are_sent_only_in_the_plain_format() {
    for (wire, early) in
        [Wire::Godot3, Wire::Scene, Wire::Godot4].into_iter().flat_map(|wire| [(wire, false), (wire, true)])
    {
        let mut join = TestJoin::new(Opening { early, ..opening(wire) });
        let sent = wire == Wire::Godot4 && early;
        let result = join.put(None, b"early");
        assert_eq!(result.ok(), Some(if sent { Sent::Taken } else { Sent::NotOpen }), "{wire:?}, {early}");
        assert_eq!(join.heard().len(), usize::from(sent), "{wire:?}, {early}");
    }
}

/// A host may announce 65,535 others beside itself. One more breaks the format.
#[test]
fn the_number_of_peers_that_a_host_announces_is_limited() {
    for wire in [Wire::Godot3, Wire::Scene] {
        let (mut join, _) = joined(opening(wire));
        for id in 0..65_535 {
            join.tell(&about(wire, JOINED, 1_000 + id));
            // With the host, it knows one more than these.
            if [254, 255].contains(&id) {
                join.poll();
                assert_eq!(join.join.is_large(), id == 255, "{wire:?}");
            }
            if id % 4_096 == 0 {
                join.poll();
            }
        }
        join.poll();
        assert_eq!((join.state(), join.items().len()), (State::Open, 65_535), "{wire:?}");
        assert!(join.join.is_large() && join.join.kept_bytes() > 65_535 * 16, "{wire:?}");
        // One goes and another one comes.
        join.tell(&about(wire, LEFT, 1_000));
        join.tell(&about(wire, JOINED, 999));
        join.poll();
        assert_eq!(join.items(), [event(1_000, EventKind::Disconnected), event(999, EventKind::Connected)]);
        join.tell(&about(wire, JOINED, 998));
        join.poll();
        let end = join.items().pop().unwrap();
        assert_eq!((end.kind, end.code, end.cause), (EventKind::Closed, 1002, Cause::Multiplayer));
        assert!(end.text().contains("998 is one peer too many"), "{}", end.text());
    }
}

/// A host that announces peers that come and go, to a program that takes no events, makes it keep few of them. Together
/// they still tell who is there, and SKIPPED counts the others.
#[test]
fn unread_events_about_peers_are_bounded_and_tell_who_is_there() {
    for (wire, speaks, errs) in [
        (Wire::Godot3, false, false),
        (Wire::Godot3, true, false),
        (Wire::Scene, true, false),
        (Wire::Scene, false, true),
    ] {
        let mut random = crate::c_host::random_of(5);
        let (mut join, _) = joined(opening(wire));
        let (mut there, mut changes, mut messages) = (BTreeSet::new(), 0, 0);
        for number in 0..9_000 {
            let id = 1_000 + random(60) as i32;
            let joins = !there.contains(&id);
            join.tell(&about(wire, if joins { JOINED } else { LEFT }, id));
            if joins {
                there.insert(id)
            } else {
                there.remove(&id)
            };
            changes += 1;
            // Between a message of a peer and its departure the program must learn that it was there.
            if speaks && joins && number % 100 == 0 {
                join.tell(&from(wire, id, b"data"));
                messages += 1;
            }
            // What the program cannot use is no message.
            if errs && joins {
                join.tell(&[&[7, 3][..], &id.to_le_bytes(), &[4]].concat());
            }
            if number % 1_000 == 0 {
                join.poll();
            }
        }
        join.poll();
        let items = join.items();
        let count = |kind: EventKind| items.iter().filter(|item| item.kind == kind).count() as u64;
        let skipped: u64 = items.iter().filter(|item| item.kind == EventKind::Skipped).map(|item| item.count).sum();
        if errs {
            // Errors are counted in SKIPPED too.
            assert!(items.len() < 4_096 + 300, "{wire:?}: {} were kept", items.len());
            continue;
        }
        let told = count(EventKind::Connected) + count(EventKind::Disconnected);
        assert_eq!((told + skipped, count(EventKind::Message)), (changes, messages), "{wire:?}");
        assert!(count(EventKind::Skipped) == 1 && told <= 4_096 + 200 + 2 * messages, "{wire:?}: {told} were kept");
        assert!(told >= 4_096, "{wire:?}: {told} were kept, and there was room for more");
        let mut known = BTreeSet::new();
        for item in &items {
            match item.kind {
                EventKind::Connected => assert!(known.insert(item.of), "{wire:?}: {} joined twice", item.of),
                EventKind::Disconnected => assert!(known.remove(&item.of), "{wire:?}: {} left twice", item.of),
                EventKind::Message => assert!(known.contains(&item.of), "{wire:?}: a message of {}", item.of),
                _ => {}
            }
        }
        assert_eq!(known, there, "{wire:?}");
        // Once they are taken, events are kept again.
        let id = *there.iter().next().unwrap();
        join.tell(&about(wire, LEFT, id));
        join.tell(&about(wire, JOINED, id));
        join.poll();
        assert_eq!(join.items(), [event(id, EventKind::Disconnected), event(id, EventKind::Connected)], "{wire:?}");
    }
}

/// Malformed packets that the host passes on are not its fault. Each peer's are reported once and counted, and many
/// peers cannot make the program keep an event for each.
#[test]
fn errors_about_other_peers_are_counted_and_bounded() {
    let (mut join, _) = joined(opening(Wire::Scene));
    for id in [8, 9] {
        join.tell(&about(Wire::Scene, JOINED, id));
    }
    for id in [8_i32, 9, 8, 8] {
        join.tell(&[&[7, 3][..], &id.to_le_bytes(), &[3]].concat());
    }
    join.poll();
    let items = join.items();
    let errors: Vec<_> = items[2..].iter().map(|item| (item.of, item.kind, item.cause, item.count)).collect();
    let error = |of: i32, count: u64| (of, EventKind::Error, Cause::Multiplayer, count);
    assert_eq!(errors, [error(8, 3), error(9, 1)]);
    assert!(items[2].text().starts_with("peer 8 broke the format of the scene: "), "{}", items[2].text());
    // How far a connection had come: an error in what the game sent, or in how it was sent.
    join.tell(&[&[7, 3][..], &8_i32.to_le_bytes(), &[3]].concat());
    join.tell(&[&[7, 3][..], &9_i32.to_le_bytes(), &[4]].concat());
    join.poll();
    let inbox = &mut join.end.peer.endpoint.inbox;
    for (of, phase) in [(8, Phase::Websocket), (9, Phase::App)] {
        assert_eq!(inbox.find_mark(|mark| mark.label == of).map(|mark| mark.phase), Some(phase));
    }
    join.items();
    // One event less than are always kept.
    let peers = 4_095;
    for id in 1_000..1_000 + peers {
        join.tell(&about(Wire::Scene, JOINED, id));
    }
    join.poll();
    for id in 1_000..1_000 + peers {
        join.tell(&[&[7, 3][..], &id.to_le_bytes(), &[3]].concat());
        if id % 16 == 0 {
            join.tell(&from(Wire::Scene, id, b"data"));
        }
    }
    join.poll();
    let items = join.items();
    let count = |kind: EventKind| items.iter().filter(|item| item.kind == kind).count() as i32;
    assert_eq!((count(EventKind::Connected), count(EventKind::Message)), (peers, 4_096 / 16));
    let skipped: Vec<u64> =
        items.iter().filter(|item| item.kind == EventKind::Skipped).map(|item| item.count).collect();
    assert_eq!((count(EventKind::Error), skipped), (1, vec![peers as u64 - 1]));
}

/// At which number of unread events a CONNECTED and the DISCONNECTED of the same peer begin to cancel out.
#[test]
fn events_of_a_peer_cancel_out_beyond_4096_unread_ones() {
    for (unread, cancels) in [(4_096, false), (4_097, true)] {
        let (mut join, _) = joined(opening(Wire::Godot3));
        for id in 0..unread {
            join.tell(&about(Wire::Godot3, JOINED, 1_000 + id));
        }
        join.tell(&about(Wire::Godot3, LEFT, 1_000));
        join.poll();
        let items = join.items();
        let of_it: Vec<_> = items.iter().filter(|item| item.of == 1_000).map(|item| item.kind).collect();
        let skipped = items.iter().find(|item| item.kind == EventKind::Skipped).map(|item| item.count);
        let both = vec![EventKind::Connected, EventKind::Disconnected];
        assert_eq!((of_it, skipped), if cancels { (vec![], Some(2)) } else { (both, None) });
    }
}

/// What a peer of a scene may send, and a program without Godot cannot use, is reported once for each cause.
#[test]
fn packets_that_the_program_cannot_use_are_reported() {
    let mut join = joined(opening(Wire::Scene)).0;
    let mut host = TestHost::new(Wire::Scene, RELAYING, &[]);
    let at = host.open();
    let id = host.id(at);
    host.items();
    for (packet, why) in [
        (&[4, 1, 2][..], "replicates nodes"),
        (b"\x07\x00token", "wants an authentication, and WS_AUTH is not set here"),
    ] {
        host.send(at, packet);
        join.tell(packet);
        host.poll();
        join.poll();
        for (items, from) in [(host.items(), id), (join.items(), 1)] {
            let [error] = items.as_slice() else { panic!("{why}: {items:?}") };
            assert_eq!((error.of, error.kind, error.cause), (from, EventKind::Error, Cause::Unsupported), "{why}");
            assert!(
                error.text().starts_with(&format!("peer {from} ")) && error.text().contains(why),
                "{why}: {error:?}"
            );
        }
    }
    // Replication goes on all the time: one error is enough.
    for packet in [[4; 12], [5; 12], [6; 12], [0x16; 12]] {
        host.send(at, &packet);
        join.tell(&packet);
    }
    // The completion of an authentication needs none.
    host.send(at, &[7, 0]);
    join.tell(&[7, 0]);
    host.poll();
    join.poll();
    assert_eq!((host.items(), join.items()), (vec![], vec![]));
}
