//! Replication: any declarations, spawns and synchronizations, and packets that only look like them.

use super::*;
use std::ffi::CStr;

const PATHS: [&CStr; 4] = [c"S", c"/root/Game/S", c"Game/T", c""];
const LISTS: [&CStr; 6] = [c"", c"x", c"x spawn change, y always", c"x; y spawn", c"x change", c"x always change"];
const NAMES: [&CStr; 3] = [c"N", c"\xCE\xB1", c"a/b"];

impl World {
    /// One call of replication, of any handle.
    pub(super) fn replicate(&mut self, input: &mut Input) {
        let Some(at) = self.choose(input) else { return };
        let handle = self.known[at].handle;
        let (what, how) = (input.below(8), input.byte());
        let path = PATHS[usize::from(how) % 4].as_ptr();
        let list = LISTS.get(usize::from(how >> 2) % 7).map_or(null(), |list| list.as_ptr());
        let authority = [0, 1, 2, -1][usize::from(how >> 6)];
        let scene = [0, 1, WS_CUSTOM_SCENE, WS_NO_SCENE][usize::from(how >> 4) % 4];
        let mut number = u32::MAX;
        // SAFETY: everything lives.
        let result = checked(unsafe {
            match what {
                0 | 1 => ws_declare_scene(handle, path, authority, scene, list),
                2 => ws_declare_synchronizer(handle, path, authority, list, &mut number),
                3 | 4 => {
                    let (items, name) = (items(input), NAMES[usize::from(how >> 2) % 3].as_ptr());
                    ws_spawn(handle, path, scene, name, items.as_ptr(), items.len(), &mut number)
                }
                5 => ws_despawn(handle, self.node(input)),
                6 => {
                    let (items, node) = (items(input), self.node(input));
                    ws_sync(handle, node, items.as_ptr(), items.len())
                }
                _ if how & 1 == 0 => ws_set_visible(handle, self.node(input), i32::from(how >> 6), i32::from(how & 2)),
                _ => {
                    let len = usize::from(input.byte()) % 40;
                    let bytes = [&[4 + how % 3], input.take(len)].concat();
                    ws_put_packet(handle, bytes.as_ptr(), bytes.len(), WS_REPLICATION)
                }
            }
        });
        if (2..=4).contains(&what) {
            assert!(if result < 0 { number == 0 } else { number != u32::MAX }, "{result} with the number {number}");
            self.nodes.extend((number != 0).then_some(number));
        }
    }

    /// The number of a node, mostly of one that was there.
    fn node(&self, input: &mut Input) -> u32 {
        let which = usize::from(input.byte());
        if which < 8 || self.nodes.is_empty() { which as u32 } else { self.nodes[which % self.nodes.len()] }
    }
}

/// Some items, which need not fit together.
fn items(input: &mut Input) -> Vec<ws_variant> {
    let mut items: Vec<ws_variant> = Vec::new();
    for _ in 0..input.below(7) {
        // SAFETY: an item is numbers and pointers.
        let mut item = unsafe { std::mem::zeroed::<ws_variant>() };
        let how = input.byte();
        match how % 4 {
            0 | 1 => {
                let name = if how & 4 == 0 { b"x" } else { b"y" };
                (item.r#type, item.data, item.len) = (WS_VARIANT_STRING, name.as_ptr(), 1);
            }
            2 => (item.r#type, item.integer) = (WS_VARIANT_INT, i64::from(how)),
            _ => (item.r#type, item.count) = (i32::from(how >> 2), u32::from(how >> 6)),
        }
        items.push(item);
    }
    items
}

/// The event that brings a message.
pub(super) fn event_of(packet: &ws_packet) -> i32 {
    match packet.r#type {
        WS_SPAWN => WS_EVENT_SPAWN,
        WS_DESPAWN => WS_EVENT_DESPAWN,
        WS_SYNC => WS_EVENT_SYNC,
        _ => WS_EVENT_MESSAGE,
    }
}

/// What is handed out as nodes can be decoded.
pub(super) fn check_nodes(event: &ws_event, bytes: &[u8]) {
    if !(WS_EVENT_SPAWN..=WS_EVENT_SYNC).contains(&event.r#type) {
        return;
    }
    // SAFETY: items, and what describes a node, are numbers and pointers.
    let (mut items, mut node) = unsafe { (std::mem::zeroed::<[ws_variant; 8]>(), std::mem::zeroed::<ws_replicated>()) };
    let (mut at, mut count) = (0, 0);
    loop {
        // SAFETY: everything lives.
        let result =
            unsafe { ws_decode_replication(bytes.as_ptr(), bytes.len(), &mut at, &mut node, items.as_mut_ptr(), 8) };
        if result == WS_EMPTY {
            break;
        }
        assert!(result == WS_OK || result == WS_TRUNCATED, "{result}: {}", sentence());
        // SAFETY: both texts are NUL-terminated and live as long as the packet.
        let texts = unsafe { [CStr::from_ptr(node.path), CStr::from_ptr(node.name)] };
        assert!(texts.iter().all(|text| text.to_str().is_ok()) && !texts[0].is_empty());
        assert_eq!(texts[1].is_empty(), event.r#type != WS_EVENT_SPAWN, "{texts:?}");
        count += 1;
    }
    assert!(count == 1 || count > 1 && event.r#type == WS_EVENT_SYNC, "{count} nodes");
}
