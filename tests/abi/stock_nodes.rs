//! Packets of replication, recorded from a stock Godot 4.6.3 that runs tests/godot/replicated4: what they are as
//! events, and that the library makes the same bytes of the same values. The source of Godot 4.3 writes and reads the
//! same bytes; it was not run.

use crate::c_host::{last_error, until};
use crate::replication::{Odd, declare, decode, item, spawn, string_of, sync, text};
use wspeer::codes::*;
use wspeer::ffi::*;

const PROPERTIES: &str = ".:position, .:health spawn change, .:label spawn, .:heading always; .:hat change";
const OF_LONE: &str = ".:clock always, .:score change";

// The engine's steps, in order. Game/Lone is the path with number 1, Game/Spawner that with number 2.
/// "A" of scene 0 at (1, 2), with a health of 5 and the label "of A".
const SPAWN: &str = "04 00 02000000 01000000 02000000 02000000 02000000 03000000 4100 \
    05000000 0000803f 00000040 0205 04000000 04000000 6f662041";
/// Its position and heading.
const SYNC: &str = "06 4b00 02000000 14000000 05000000 0000803f 00000040 03000000 00000000";
/// The health of the first synchronizer, and the empty hat of the second.
const FIRST_DELTA: &str = "16 02000000 0100000000000000 02000000 0205 \
    03000000 0100000000000000 08000000 1c000000 00000000";
/// A health of 9.
const HEALTH: &str = "16 02000000 0100000000000000 02000000 0209";
/// A hat of [1, "b"].
const HAT: &str = "16 03000000 0100000000000000 1c000000 \
    1c000000 02000000 02000000 01000000 04000000 01000000 62000000";
/// "Thing" of a custom spawn with the data "five".
const CUSTOM_SPAWN: &str = "04 ff 02000000 04000000 02000000 06000000 05000000 06000000 5468696e6700 \
    0c000000 04000000 04000000 66697665 \
    05000000 00000000 00000000 0200 04000000 0c000000 6d616465206f662066697665";
/// The health of its first synchronizer, and the empty hat of the second.
const CUSTOM_DELTA: &str = "16 05000000 0100000000000000 02000000 0200 \
    06000000 0100000000000000 08000000 1c000000 00000000";
/// A score of 3, by path.
const SCORE: &str = "16 01000080 0100000000000000 02000000 0203";
/// A clock of 77 by path, and the positions and headings of both nodes.
const ALL: &str = "06 6e01 01000080 02000000 024d \
    02000000 14000000 05000000 0000803f 00000040 03000000 00000000 \
    05000000 14000000 05000000 00000000 00000000 03000000 00000000";
/// The clock alone.
const CLOCK: &str = "06 5802 01000080 02000000 024d";
const DESPAWN: &str = "05 01000000";
const CUSTOM_DESPAWN: &str = "05 04000000";

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|digit| *digit != b' ').collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Each node of an event as text.
fn nodes(bytes: &[u8]) -> Vec<String> {
    decode(bytes, |[path, name], out, items| {
        let items = items.iter().map(|item| match item.r#type {
            WS_VARIANT_STRING => string_of(item),
            WS_VARIANT_INT => item.integer.to_string(),
            WS_VARIANT_FLOAT => item.number[0].to_string(),
            WS_VARIANT_VECTOR2 => format!("({}, {})", item.number[0], item.number[1]),
            WS_VARIANT_ARRAY => format!("Array of {}", item.count),
            other => panic!("type {other}"),
        });
        format!("{path} {name}:{}:{} {}", out.node, out.scene, items.collect::<Vec<_>>().join("|"))
    })
}

#[test]
fn recorded_packets_are_these_events() {
    let mut odd = Odd::new(0);
    let lone = text("Game/Lone");
    for scene in [0, WS_CUSTOM_SCENE] {
        assert_eq!(declare(odd.host, "Game/Spawner", odd.id, scene, PROPERTIES), WS_OK);
    }
    let list = text(OF_LONE);
    // SAFETY: the texts live.
    let declared =
        unsafe { ws_declare_synchronizer(odd.host, lone.as_ptr(), odd.id, list.as_ptr(), std::ptr::null_mut()) };
    assert_eq!(declared, WS_OK, "{}", last_error());
    odd.name(1, "Game/Lone");
    odd.name(2, "Game/Spawner");
    // Both spawned with a scene that is not declared.
    odd.errors.clear();
    odd.events.clear();
    let first = "Game/Spawner :1:0 .:position|(1, 2)|.:heading|0";
    let lone = "Game/Lone :2147483649:256";
    for (packet, kind, wanted) in [
        (SPAWN, WS_EVENT_SPAWN, vec!["Game/Spawner A:1:0 .:position|(1, 2)|.:health|5|.:label|of A".to_owned()]),
        (SYNC, WS_EVENT_SYNC, vec![first.to_owned()]),
        (
            FIRST_DELTA,
            WS_EVENT_SYNC,
            vec!["Game/Spawner :1:0 .:health|5".to_owned(), "Game/Spawner :1:0 .:hat|Array of 0".to_owned()],
        ),
        (HEALTH, WS_EVENT_SYNC, vec!["Game/Spawner :1:0 .:health|9".to_owned()]),
        (HAT, WS_EVENT_SYNC, vec!["Game/Spawner :1:0 .:hat|Array of 2|1|b".to_owned()]),
        (
            CUSTOM_SPAWN,
            WS_EVENT_SPAWN,
            vec!["Game/Spawner Thing:4:255 five|.:position|(0, 0)|.:health|0|.:label|made of five".to_owned()],
        ),
        (
            CUSTOM_DELTA,
            WS_EVENT_SYNC,
            vec!["Game/Spawner :4:255 .:health|0".to_owned(), "Game/Spawner :4:255 .:hat|Array of 0".to_owned()],
        ),
        (SCORE, WS_EVENT_SYNC, vec![format!("{lone} .:score|3")]),
        (
            ALL,
            WS_EVENT_SYNC,
            vec![
                format!("{lone} .:clock|77"),
                first.to_owned(),
                "Game/Spawner :4:255 .:position|(0, 0)|.:heading|0".to_owned(),
            ],
        ),
        (DESPAWN, WS_EVENT_DESPAWN, vec!["Game/Spawner :1:0 ".to_owned()]),
        (CUSTOM_DESPAWN, WS_EVENT_DESPAWN, vec!["Game/Spawner :4:255 ".to_owned()]),
        (CLOCK, WS_EVENT_SYNC, vec![format!("{lone} .:clock|77")]),
    ] {
        odd.send(&bytes_of(packet));
        let seen: Vec<_> = odd.events.drain(..).map(|event| (event.kind, nodes(&event.bytes))).collect();
        assert_eq!(seen, [(kind, wanted)], "{packet}: {:?}", odd.errors);
    }
    assert!(odd.errors.is_empty(), "{:?}", odd.errors);
    odd.end();
}

fn string(text: &'static str) -> ws_variant {
    ws_variant { data: text.as_ptr(), len: text.len(), ..item(WS_VARIANT_STRING) }
}

fn integer(value: i64) -> ws_variant {
    ws_variant { integer: value, ..item(WS_VARIANT_INT) }
}

/// A Vector2, or a float with 0 as `y`.
fn numbers(kind: i32, x: f64, y: f64) -> ws_variant {
    let mut made = item(kind);
    made.number[..2].copy_from_slice(&[x, y]);
    made
}

fn array(count: u32) -> ws_variant {
    ws_variant { count, ..item(WS_VARIANT_ARRAY) }
}

/// Waits for packets of our join with exactly these bytes. The time of a SYNC may differ.
fn makes(odd: &mut Odd, packets: &[&str]) {
    let mut made = Vec::new();
    until(packets[0], || {
        odd.step();
        made.extend(odd.events.drain(..).filter(|event| event.kind == WS_EVENT_MESSAGE).map(|event| event.bytes));
        made.len() >= packets.len()
    });
    let mut wanted: Vec<Vec<u8>> = packets.iter().map(|hex| bytes_of(hex)).collect();
    for (wanted, made) in wanted.iter_mut().zip(&made).filter(|(wanted, _)| wanted[0] == 6) {
        wanted[1..3].copy_from_slice(&made[1..3]);
    }
    assert_eq!(made, wanted, "{packets:?}");
}

#[test]
fn the_library_makes_the_recorded_packets() {
    let mut odd = Odd::new(WS_RAW_REPLICATION);
    let (path, list) = (text("Game/Lone"), text(OF_LONE));
    // The path is confirmed, as the engine does for a synchronizer.
    let none = text("");
    let mut lone = 0;
    // SAFETY: the texts live.
    unsafe {
        assert_eq!(ws_declare_node(odd.host, path.as_ptr(), none.as_ptr()), WS_OK, "{}", last_error());
        assert_eq!(ws_declare_synchronizer(odd.join, path.as_ptr(), 0, list.as_ptr(), &mut lone), WS_OK);
    }
    let clock = [string(".:clock"), integer(77)];
    let mut synced = 0;
    until("the path is confirmed", || {
        synced += sync(odd.join, lone, &clock).unsigned_abs();
        odd.step();
        !odd.events.is_empty()
    });
    assert_eq!(synced, 0, "{}", last_error());
    odd.step();
    odd.events.clear();
    assert_eq!(sync(odd.join, lone, &clock), WS_OK);
    makes(&mut odd, &[CLOCK]);
    assert_eq!(sync(odd.join, lone, &[string(".:score"), integer(3)]), WS_OK);
    makes(&mut odd, &[SCORE]);
    for scene in [0, WS_CUSTOM_SCENE] {
        assert_eq!(declare(odd.join, "Game/Spawner", 0, scene, PROPERTIES), WS_OK);
    }
    let [position, health, label] = [".:position", ".:health", ".:label"].map(string);
    let [heading, hat] = [".:heading", ".:hat"].map(string);
    let place = numbers(WS_VARIANT_VECTOR2, 1.0, 2.0);
    let given = [position, place, health, integer(5), label, string("of A"), hat, array(0)];
    let node = spawn(odd.join, "Game/Spawner", 0, "A", &given).unwrap();
    makes(&mut odd, &[SPAWN, FIRST_DELTA]);
    let moved = [position, place, heading, numbers(WS_VARIANT_FLOAT, 0.0, 0.0)];
    assert_eq!(sync(odd.join, node, &moved), WS_OK);
    makes(&mut odd, &[SYNC]);
    assert_eq!(sync(odd.join, node, &[health, integer(9)]), WS_OK);
    makes(&mut odd, &[HEALTH]);
    assert_eq!(sync(odd.join, node, &[hat, array(2), integer(1), string("b")]), WS_OK);
    makes(&mut odd, &[HAT]);
    let zero = numbers(WS_VARIANT_VECTOR2, 0.0, 0.0);
    let made = [string("five"), position, zero, health, integer(0), label, string("made of five"), hat, array(0)];
    let custom = spawn(odd.join, "Game/Spawner", WS_CUSTOM_SCENE, "Thing", &made).unwrap();
    makes(&mut odd, &[CUSTOM_SPAWN, CUSTOM_DELTA]);
    assert_eq!(ws_despawn(odd.join, node), WS_OK);
    makes(&mut odd, &[DESPAWN]);
    assert_eq!(ws_despawn(odd.join, custom), WS_OK);
    makes(&mut odd, &[CUSTOM_DESPAWN]);
    odd.end();
}
