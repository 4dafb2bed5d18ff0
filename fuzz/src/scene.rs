//! Packets of a Godot 4 scene: what is read can be written, and says the same again; nothing is read beyond its end.
//! What is taken of a packet of replication can be decoded.

use std::sync::Arc;
use wspeer::internals::multiplayer::scene::packet::{self, Packet};
use wspeer::internals::multiplayer::scene::replication::{Declared, Received, Taken, next_entry};
use wspeer::internals::multiplayer::scene::{Call, Form, Item, Reader, Sink, write};

/// The first byte says what the others are.
pub fn scene(data: &[u8]) {
    let Some((how, bytes)) = data.split_first() else { return };
    match how % 6 {
        0 => values(bytes, Form::Full),
        1 => values(bytes, Form::Compact),
        2 => packet_of(bytes),
        3 => {
            if let Ok((call, items)) = Call::read(bytes) {
                put_again(&call, items);
            }
        }
        4 => replication(bytes),
        _ => {
            nodes(bytes);
        }
    }
}

const PEER: i32 = 2;

/// Packets of a peer, each behind its length: what is taken of them can be decoded.
fn replication(mut bytes: &[u8]) {
    let mut declared = Declared::default();
    declared.declare("Game/Spawner", PEER, 0, ".:x, .:y spawn, .:z change; Body:w").expect("a scene");
    declared.declare("Game/Spawner", PEER, 255, ".:x change").expect("a custom scene");
    declared.declare("Theirs", 3, 0, "").expect("a scene of another");
    declared.declare_lone("Clock", PEER, ".:t spawn change, .:d").expect("a synchronizer");
    let paths = ["Game/Spawner", "Theirs", "Clock", "Nobody"].map(Arc::<str>::from);
    let path_of = |number: u32| paths.get((number as usize).wrapping_sub(1)).cloned();
    let mut received = Received::default();
    while let Some((len, rest)) = bytes.split_first() {
        let (packet, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        bytes = rest;
        let Ok(Taken { message, lost }) = received.take(&mut declared, path_of, PEER, 64, packet) else { break };
        if let Some((_, message)) = message {
            assert!(nodes(&message).is_some_and(|count| count > 0), "{message:02x?}");
        } else {
            assert!(lost.is_some() || matches!(packet.first(), Some(6 | 0x16)), "{packet:02x?} vanished");
        }
    }
    assert!(received.bytes() < 1 << 20);
    drop(received.leave(PEER));
    assert_eq!(received.bytes(), Received::default().bytes());
}

/// The number of nodes in a report; `None`: it is none.
fn nodes(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut count) = (0, 0);
    loop {
        let mut items = 0;
        let found = next_entry(bytes, at, |index, item| {
            assert_eq!(index, items);
            assert!(item.bytes.len() <= bytes.len());
            items += 1;
        });
        let Some((entry, next)) = found.ok()? else { return Some(count) };
        assert!(next > at && next <= bytes.len() && entry.items as usize == items && entry.data_items <= entry.items);
        (at, count) = (next, count + 1);
    }
}

fn values(bytes: &[u8], form: Form) {
    let mut reader = Reader::new(bytes, form);
    let mut items: Vec<Item<'_>> = Vec::new();
    while !(reader.rest().is_empty() && reader.is_outside()) {
        let Ok(item) = reader.read_item() else { return };
        items.push(item);
        assert!(items.len() <= bytes.len(), "each item has a byte at least");
    }
    let once = written(&items, form);
    let mut reader = Reader::new(&once, form);
    let again: Vec<Item<'_>> =
        items.iter().map(|_| reader.read_item().expect("what was written can be read")).collect();
    assert!(reader.rest().is_empty() && reader.is_outside());
    assert_eq!(written(&again, form), once);
}

fn written(items: &[Item<'_>], form: Form) -> Vec<u8> {
    let mut need = Sink::new(&mut []);
    write(items.iter().copied(), form, &mut need).expect("what was read can be written");
    let mut memory = vec![0; need.len()];
    write(items.iter().copied(), form, &mut Sink::new(&mut memory)).expect("twice");
    memory
}

fn packet_of(bytes: &[u8]) {
    let inner = match packet::read(bytes) {
        Ok(Packet::Relay { packet, .. }) => packet::read(packet),
        other => other,
    };
    match inner {
        Ok(Packet::Call(rpc)) => {
            if let Ok(Some(call)) = rpc.expand("Game", "hello") {
                let (call, items) = Call::read(&call).expect("a call that was checked");
                put_again(&call, items);
            }
        }
        Ok(Packet::Simplify { checksum, id, path }) => {
            let again = packet::simplify_path(checksum, id, path);
            assert_eq!(packet::read(&again), inner);
        }
        _ => {}
    }
}

/// As a packet and back it is the same call.
fn put_again(call: &Call<'_>, items: usize) {
    assert!(items >= usize::from(call.count));
    for by_path in [false, true] {
        let mut out = Vec::new();
        if by_path {
            call.put_by_path(&mut out, "Game", 300);
        } else {
            call.put_by_id(&mut out, 77, 5, false);
        }
        let Ok(Packet::Call(rpc)) = packet::read(&out) else { panic!("no call: {out:02x?}") };
        let again = rpc.expand(call.path, call.method).expect("what was put can be read").expect("there is memory");
        let (again, count) = Call::read(&again).expect("what was read can be read");
        let alone = call.count == 1 && again.count == 0;
        assert!(alone || (again.count == call.count && count == items), "{call:?} {again:?}");
    }
}
