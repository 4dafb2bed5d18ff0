//! Packets of a Godot 4 scene: what is read can be written, and says the same again; nothing is read beyond its end.

use wspeer::internals::multiplayer::scene::packet::{self, Packet};
use wspeer::internals::multiplayer::scene::{Call, Form, Item, Reader, Sink, write};

/// The first byte says what the others are.
pub fn scene(data: &[u8]) {
    let Some((how, bytes)) = data.split_first() else { return };
    match how % 4 {
        0 => values(bytes, Form::Full),
        1 => values(bytes, Form::Compact),
        2 => packet_of(bytes),
        _ => {
            if let Ok((call, items)) = Call::read(bytes) {
                put_again(&call, items);
            }
        }
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
