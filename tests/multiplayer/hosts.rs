//! What a host answers its program, and how it ends: clients by id, framing, a host that closes, clients that break the
//! format and go at once.

use crate::test_host::{TestHost, message};
use crate::test_join::{TestJoin, opening};
use crate::test_server::frame;
use wspeer::codes::*;
use wspeer::internals::link::Sent;
use wspeer::internals::multiplayer::{SceneSettings, Target, Wire};
use wspeer::internals::status::{Cause, ErrorCode, EventKind};

const RELAYING: SceneSettings = SceneSettings { auth: false, relay: true, raw_replication: false };
const WIRES: [Wire; 3] = [Wire::Godot4, Wire::Scene, Wire::Godot3];

#[test]
fn a_host_finds_its_clients_by_id() {
    for wire in WIRES {
        let mut host = TestHost::new(wire, RELAYING, &[]);
        let guests: Vec<usize> = (0..3).map(|_| host.open()).collect();
        host.items();
        let keys: Vec<u32> = guests.iter().map(|at| host.guests[*at].key).collect();
        let ids: Vec<i32> = guests.iter().map(|at| host.id(*at)).collect();
        assert!(ids.iter().all(|id| *id > 1) && ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
        for (key, id) in keys.iter().zip(&ids) {
            assert_eq!(host.host.place(*id).ok(), Some(*key));
            assert_eq!(host.host.places(&host.at.server, Target::One(*id)).ok(), Some(vec![*key]));
            let others: Vec<u32> = keys.iter().copied().filter(|other| other != key).collect();
            assert_eq!(host.host.places(&host.at.server, Target::AllBut(*id)).ok(), Some(others));
        }
        for target in [Target::All, Target::AllBut(1), Target::AllBut(5)] {
            assert_eq!(host.host.places(&host.at.server, target).ok(), Some(keys.clone()));
        }
        for (id, word) in [(1, "ws_join_local"), (5, "no peer 5 is connected")] {
            let error = host.host.place(id).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Target);
            assert!(error.into_message().contains(word));
            assert_eq!(host.put(Target::One(id), b"x").map_err(|error| error.code()), Err(ErrorCode::Target));
        }
        // One that has gone is found until its end was taken, for the program's last words about it.
        host.drop_guest(0);
        host.poll();
        assert_eq!(host.host.place(ids[0]).ok(), Some(keys[0]));
        host.items();
        host.poll();
        assert_eq!(host.host.place(ids[0]).map_err(|error| error.code()), Err(ErrorCode::Target));
        // Its slot is used again, with another id.
        let at = host.open();
        assert_eq!((host.guests[at].key, host.host.place(host.id(at)).ok()), (keys[0], Some(keys[0])), "{wire:?}");
        assert!(host.host.place(ids[0]).is_err());
    }
}

/// The framing that a host and a join put in front of a message counts towards the recipient's limit.
#[test]
fn the_bytes_of_framing_are_those_in_front_of_a_message() {
    for wire in WIRES {
        let mut host = TestHost::new(wire, RELAYING, &[]);
        let at = host.open();
        host.poll();
        host.heard(at);
        assert_eq!(host.put(Target::All, b"data").ok(), Some(Sent::Taken));
        assert_eq!(host.heard(at)[0].len(), host.host.header_bytes() + 4, "{wire:?}");
        assert_eq!((host.host.wire(), host.host.scene_settings().relay), (wire, wire == Wire::Scene));
        let mut join = TestJoin::with_id(opening(wire));
        if wire == Wire::Godot3 {
            join.tell(&[1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
            join.poll();
        }
        let target = if wire == Wire::Godot4 { None } else { Some(Target::All) };
        assert_eq!(join.put(target, b"data").ok(), Some(Sent::Taken));
        assert_eq!(join.heard()[0].len(), join.join.header_bytes() + 4, "{wire:?}");
    }
}

/// Neither text nor empty messages exist in a scene, and no text in Godot 3's format.
#[test]
fn a_host_refuses_messages_that_its_format_does_not_have() {
    for (wire, text, payload, fits) in [
        (Wire::Godot4, true, "text", true),
        (Wire::Godot4, false, "", true),
        (Wire::Godot3, true, "text", false),
        (Wire::Godot3, false, "", true),
        (Wire::Scene, true, "text", false),
        (Wire::Scene, false, "", false),
        (Wire::Scene, false, "x", true),
    ] {
        let mut host = TestHost::new(wire, RELAYING, &[]);
        let at = host.open();
        let key = host.guests[at].key;
        let put = |host: &mut TestHost, one: bool| {
            host.act(|host, server, cx| {
                if one {
                    host.put_one(server, cx, key, text, payload.as_bytes())
                } else {
                    host.put(server, cx, Target::All, text, payload.as_bytes())
                }
            })
        };
        for one in [false, true] {
            let expected = if fits { Ok(Sent::Taken) } else { Err(ErrorCode::Arg) };
            assert_eq!(put(&mut host, one).map_err(|error| error.code()), expected, "{wire:?}, {text}, {payload}");
        }
    }
}

/// While a host closes, its clients hear nothing of each other's departure, and nothing more can be sent.
#[test]
fn a_host_that_closes_announces_no_departures() {
    for wire in WIRES {
        let mut host = TestHost::new(wire, RELAYING, &[]);
        let guests: Vec<usize> = (0..3).map(|_| host.open()).collect();
        host.poll();
        guests.iter().for_each(|at| _ = host.heard(*at));
        host.items();
        host.act(|_, server, cx| server.close(cx, 1001, "over"));
        host.poll();
        assert_eq!(host.put(Target::All, b"late").ok(), Some(Sent::NotOpen), "{wire:?}");
        if wire == Wire::Scene {
            host.act(|host, _, _| host.declare("Game", Some("a"))).unwrap();
            let call = host.act(|host, server, cx| host.put_call(server, cx, Target::All, b"Game\0a\0\0"));
            assert_eq!(call.ok(), Some(Sent::NotOpen));
        }
        for at in guests {
            assert_eq!((host.heard(at), host.guests[at].closed), (vec![], Some(1001)), "{wire:?}");
            host.send_frame(at, &frame(0x88, &1001_u16.to_be_bytes()));
            host.poll();
        }
        host.poll();
        for at in 0..3 {
            assert_eq!(host.heard(at), [[0; 0]; 0], "{wire:?}");
        }
        let ends = host.items().iter().filter(|item| item.kind == EventKind::Disconnected).count();
        assert_eq!(ends, 3, "{wire:?}");
    }
}

/// What clients may not send, with a word of the error.
#[test]
fn a_client_that_breaks_the_format_is_closed() {
    let of3 = |kind: u8, from: i32, to: i32| [&[kind][..], &from.to_le_bytes(), &to.to_le_bytes(), b"data"].concat();
    type Make<'a> = &'a dyn Fn(i32) -> Vec<u8>;
    let cases: [(Wire, Make<'_>, &str); 18] = [
        (Wire::Godot3, &|_| vec![], "0 bytes and not the 9"),
        (Wire::Godot3, &|_| vec![0; 8], "8 bytes and not the 9"),
        (Wire::Godot3, &|id| of3(0, id + 1, 1), "sent what"),
        (Wire::Godot3, &|_| of3(0, 1, 0), "it says that 1 sent what"),
        (Wire::Godot3, &|id| of3(0, id, i32::MIN), "INT32_MIN"),
        (Wire::Godot3, &|id| of3(1, id, 7), "only a host may send"),
        (Wire::Godot3, &|id| of3(2, id, 7), "only a host may send"),
        (Wire::Godot3, &|id| of3(9, id, 1), "9 is no kind"),
        (Wire::Scene, &|_| vec![], "empty"),
        (Wire::Scene, &|_| vec![3], "empty"),
        (Wire::Scene, &|_| vec![7], "cut off"),
        (Wire::Scene, &|_| vec![7, 1, 9, 0, 0, 0], "only a host may send"),
        (Wire::Scene, &|_| vec![7, 2, 9, 0, 0, 0], "only a host may send"),
        (Wire::Scene, &|_| vec![7, 3, 0, 0, 0, 0x80, 3, b'x'], "INT32_MIN"),
        (Wire::Scene, &|_| vec![7, 3, 0, 0, 0, 0, 7, 0], "of the system itself"),
        (Wire::Scene, &|_| vec![7, 3, 0, 0, 0, 0, 3], "empty"),
        (Wire::Scene, &|_| vec![2, 1, 1, 0, 0, 0, 0], "not 6"),
        (Wire::Scene, &|_| vec![0x80, 1], "head of a call"),
    ];
    for (wire, make, word) in cases {
        // The client stays, or closes at once.
        for goes in [false, true] {
            let mut host = TestHost::new(wire, RELAYING, &[]);
            let (at, witness) = (host.open(), host.open());
            let id = host.id(at);
            let packet = make(id);
            let what = format!("{wire:?}, {packet:?}, goes {goes}");
            host.poll();
            host.heard(witness);
            host.items();
            let good = match wire {
                Wire::Godot3 => [&[0][..], &id.to_le_bytes(), &[0; 4], b"good"].concat(),
                _ => b"\x07\x03\0\0\0\0\x03good".to_vec(),
            };
            let close = frame(0x88, &1000_u16.to_be_bytes());
            let all = [frame(0x82, &good), frame(0x82, &packet), frame(0x82, &good)].concat();
            host.send_frame(at, &[&all[..], if goes { &close } else { &[] }].concat());
            host.poll();
            if !goes {
                host.heard(at);
                assert_eq!(host.guests[at].closed, Some(1002), "{what}");
            }
            let mut items = host.items();
            let end = items.pop().unwrap();
            assert_eq!(end.kind, EventKind::Disconnected, "{what}");
            assert_eq!(items.remove(0), message(id, b"good"), "{what}");
            let error = if goes {
                assert_eq!((end.cause, end.code), (Cause::ClosedByPeer, 1000), "{what}: {end:?}");
                items.retain(|item| item.kind != EventKind::CloseRequest);
                items.pop().unwrap()
            } else {
                end
            };
            assert_eq!(error.cause, Cause::Multiplayer, "{what}: {error:?}");
            assert!(error.text().contains(word), "{what}: {}", error.text());
            assert_eq!(items, [], "{what}");
            host.poll();
            let passed = host.heard(witness);
            let (last, first) = (passed.last().unwrap(), &passed[0]);
            assert!(passed.len() == 2 && first.ends_with(b"good"), "{what}: {passed:?}");
            assert!(last.ends_with(&id.to_le_bytes()), "{what}: its departure");
        }
    }
}

/// One that is not admitted and breaks the rules is closed without a word about what it sent.
#[test]
fn a_client_that_is_not_admitted_is_closed_without_a_report() {
    let scene = SceneSettings { auth: true, relay: true, raw_replication: false };
    let mut host = TestHost::new(Wire::Scene, scene, &[]);
    let at = host.open();
    let id = host.id(at);
    let greedy: Vec<u8> = (0..100).flat_map(|_| frame(0x82, b"\x07\x00more")).collect();
    host.send_frame(at, &[greedy, frame(0x88, &1000_u16.to_be_bytes())].concat());
    host.poll();
    let items = host.items();
    let kinds: Vec<EventKind> = items.iter().map(|item| item.kind).collect();
    let auth = kinds.iter().filter(|kind| **kind == EventKind::Auth).count();
    assert!(auth > 60 && kinds[0] == EventKind::Authenticating && kinds.len() == auth + 2, "{kinds:?}");
    let end = &items[auth + 1];
    assert_eq!((end.of, end.kind, end.cause), (id, EventKind::Disconnected, Cause::ClosedByPeer));
}

/// What is kept about clients grows with their number, and is freed by the worker once it is large.
#[test]
fn a_host_with_many_clients_is_large() {
    let mut host = TestHost::new(Wire::Scene, RELAYING, &[(WS_OPT_MAX_CLIENTS, 1_000)]);
    let mut before = host.host.kept_bytes();
    for count in 1..=257 {
        let at = host.open();
        host.poll();
        host.heard(at);
        host.items();
        assert_eq!(host.host.is_large(), count > 256, "{count} clients");
        let kept = host.host.kept_bytes();
        assert!(kept >= before && kept >= 16 * count, "{count} clients: {kept} bytes");
        before = kept;
    }
}
