//! Remote calls, in two forms: as the program encodes them (node path, method name, arguments), and as packets (numbers
//! for both, if the recipient knows them).

use super::{Fault, Form, Item, Reader, Sink, write};
use crate::codes::WS_VARIANT_PACKED_BYTE_ARRAY;
use crate::heap;
use crate::names::MAX_CALL_ITEMS;

/// This bit of a node number means that its other bits are the offset of the node's path in the packet.
const BY_PATH: u32 = 1 << 31;
/// Flag in the first byte: no arguments, or a single PackedByteArray without its head.
const BYTES_ALONE: u8 = 0x80;
/// Flag in the first byte: the method number has 16 bits.
const WIDE_METHOD: u8 = 0x40;
/// Bytes in front of the elements of a PackedByteArray in full form.
const BYTES_HEAD: usize = 8;
/// Maximum bytes of a packet before the argument count.
const PACKET_HEAD: usize = 1 + 4 + 2;

/// A call as encoded by ws_encode_call(): path, NUL, method, NUL, argument count, arguments in compact form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// Path of the node, relative to the scene's root.
    pub path: &'a str,
    /// Name of the method.
    pub method: &'a str,
    /// Number of arguments.
    pub count: u8,
    /// The encoded arguments.
    pub arguments: &'a [u8],
}

impl<'a> Call<'a> {
    /// Reads and checks the whole call. Returns also the number of items in its arguments.
    pub fn read(bytes: &'a [u8]) -> Result<(Call<'a>, usize), Fault> {
        Call::read_within(bytes, u64::MAX)
    }

    /// Like `read`, with at most `max_items` items in the arguments.
    pub fn read_within(bytes: &'a [u8], max_items: u64) -> Result<(Call<'a>, usize), Fault> {
        let call = Call::read_head(bytes)?;
        let items = check(call.count, call.arguments, max_items)?;
        Ok((call, items))
    }

    /// Like `read`, and passes up to `most` items with their index to `take`, in the same pass. After an `Err` the
    /// items must not be used.
    pub fn read_items(
        bytes: &'a [u8],
        mut take: impl FnMut(usize, &Item<'a>),
        most: usize,
    ) -> Result<(Call<'a>, usize), Fault> {
        let call = Call::read_head(bytes)?;
        let items = walk(call.count, call.arguments, u64::MAX, |reader, index| {
            if index >= most {
                return reader.skip_items(u64::MAX);
            }
            take(index, &reader.read_item()?);
            Ok(1)
        })?;
        Ok((call, items))
    }

    /// Reads everything before the arguments.
    fn read_head(bytes: &'a [u8]) -> Result<Call<'a>, Fault> {
        let malformed = |why: &str| Fault::Malformed(why.to_owned());
        let mut texts = bytes.splitn(3, |byte| *byte == 0);
        let mut text = || texts.next().and_then(|text| std::str::from_utf8(text).ok()).filter(|text| !text.is_empty());
        let (Some(path), Some(method)) = (text(), text()) else {
            return Err(malformed("it has no path and method in front"));
        };
        let Some([count, arguments @ ..]) = texts.next() else { return Err(malformed("it has no count of arguments")) };
        Ok(Call { path, method, count: *count, arguments })
    }

    /// Its arguments, item by item.
    pub fn items(&self) -> Reader<'a> {
        Reader::new(self.arguments, Form::Compact)
    }

    /// Encodes a call; `Err` describes the defect.
    pub fn write<'b>(
        path: &str,
        method: &str,
        items: impl Iterator<Item = Item<'b>>,
        out: &mut Sink<'_>,
    ) -> Result<(), String> {
        if path.is_empty() || method.is_empty() {
            return Err("a call needs the path of a node and the name of a method".to_owned());
        }
        for text in [path, method] {
            out.put(text.as_bytes());
            out.put(&[0]);
        }
        let place = out.len();
        out.put(&[0]);
        let count = write(items, Form::Compact, out)?;
        let count =
            u8::try_from(count).map_err(|_| format!("{count} arguments are too many: a call has at most 255"))?;
        out.set(place, count);
        Ok(())
    }

    /// The bytes that replace argument count and arguments in a packet: none, or those of a single PackedByteArray.
    fn only_bytes(&self) -> Option<&'a [u8]> {
        const BYTES: [u8; 4] = (WS_VARIANT_PACKED_BYTE_ARRAY as u32).to_le_bytes();
        match (self.count, self.arguments) {
            (0, _) => Some(&[]),
            (1, [a, b, c, d, e, f, g, h, bytes @ ..]) if [*a, *b, *c, *d] == BYTES => {
                bytes.get(..u32::from_le_bytes([*e, *f, *g, *h]) as usize)
            }
            _ => None,
        }
    }

    /// Reserves memory for the call's packet, with or without the path. Returns false if there is not enough.
    pub fn reserve(&self, out: &mut Vec<u8>, path: &str) -> bool {
        heap::reserve(out, PACKET_HEAD + 1 + self.arguments.len() + path.len() + 1)
    }

    /// Appends the packet for peers that know the node's number. `full`: with all 32 bits of it, as when others get the
    /// path.
    pub fn put_by_id(&self, out: &mut Vec<u8>, node: u32, method: u16, full: bool) {
        let width = match node {
            _ if full => 2,
            0..=0xFF => 0,
            0x100..=0xFFFF => 1,
            _ => 2,
        };
        self.put(out, width, node, method);
    }

    /// Appends the packet for peers that do not know the number: it carries the path.
    pub fn put_by_path(&self, out: &mut Vec<u8>, path: &str, method: u16) {
        let start = out.len();
        self.put(out, 2, 0, method);
        let place = (out.len() - start) as u32;
        out[start + 1..start + 5].copy_from_slice(&(place | BY_PATH).to_le_bytes());
        out.extend_from_slice(path.as_bytes());
        out.push(0);
    }

    fn put(&self, out: &mut Vec<u8>, width: u8, node: u32, method: u16) {
        let bytes = self.only_bytes();
        let wide_method = method > 0xFF;
        out.push(
            width << 4 | if wide_method { WIDE_METHOD } else { 0 } | if bytes.is_some() { BYTES_ALONE } else { 0 },
        );
        out.extend_from_slice(&node.to_le_bytes()[..1 << width]);
        out.extend_from_slice(&method.to_le_bytes()[..1 + usize::from(wide_method)]);
        match bytes {
            Some(bytes) => out.extend_from_slice(bytes),
            None => {
                out.push(self.count);
                out.extend_from_slice(self.arguments);
            }
        }
    }
}

/// How a packet identifies the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeName<'a> {
    /// The number that the sender assigned.
    Id(u32),
    /// The path.
    Path(&'a str),
}

/// A call as a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rpc<'a> {
    /// The node.
    pub node: NodeName<'a>,
    /// The method number.
    pub method: u16,
    /// The arguments are the bytes of a single PackedByteArray or nothing, without an argument count.
    pub only_bytes: bool,
    /// The arguments.
    pub arguments: &'a [u8],
}

impl<'a> Rpc<'a> {
    /// Reads a packet, without reading its arguments.
    pub(super) fn read(packet: &'a [u8]) -> Result<Rpc<'a>, String> {
        let first = packet.first().copied().unwrap_or_default();
        let (node_width, method_width) = (1_usize << (first >> 4 & 3), 1 + usize::from(first & WIDE_METHOD != 0));
        let head = 1 + node_width + method_width;
        if node_width == 8 || packet.len() < head {
            return Err("the head of a call is cut off, or has a width that is none".to_owned());
        }
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
        let node = number(&packet[1..1 + node_width]);
        let (node, end) = match node {
            _ if node & BY_PATH == 0 => (NodeName::Id(node), packet.len()),
            _ => {
                let place = (node & !BY_PATH) as usize;
                if !(head..packet.len()).contains(&place) {
                    return Err("a call has the path of its node outside of itself".to_owned());
                }
                (NodeName::Path(path(&packet[place..])?), place)
            }
        };
        Ok(Rpc {
            node,
            method: number(&packet[1 + node_width..head]) as u16,
            only_bytes: first & BYTES_ALONE != 0,
            arguments: &packet[head..end],
        })
    }

    /// Encodes the call for the program and checks its arguments. `None`: out of memory.
    pub fn expand(&self, path: &str, method: &str) -> Result<Option<Vec<u8>>, Fault> {
        self.expand_within(path, method, u64::MAX)
    }

    /// Like `expand`, with at most `max_items` items in the arguments.
    pub fn expand_within(&self, path: &str, method: &str, max_items: u64) -> Result<Option<Vec<u8>>, Fault> {
        let mut out = Vec::new();
        if !heap::reserve(&mut out, path.len() + method.len() + self.arguments.len() + 3 + BYTES_HEAD + 3) {
            return Ok(None);
        }
        for text in [path, method] {
            out.extend_from_slice(text.as_bytes());
            out.push(0);
        }
        match self.arguments {
            [] if self.only_bytes => out.push(0),
            bytes if self.only_bytes => {
                out.push(1);
                out.extend_from_slice(&(WS_VARIANT_PACKED_BYTE_ARRAY as u32).to_le_bytes());
                out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
                out.extend_from_slice(bytes);
                out.resize(out.len() + bytes.len().wrapping_neg() % 4, 0);
            }
            [count, arguments @ ..] => {
                check(*count, arguments, max_items)?;
                out.extend_from_slice(self.arguments);
            }
            [] => return Err(Fault::Malformed("it has no count of arguments".to_owned())),
        }
        Ok(Some(out))
    }
}

/// Reads a path that ends with a NUL.
pub(super) fn path(bytes: &[u8]) -> Result<&str, String> {
    let Some((0, path)) = bytes.split_last() else { return Err("a path has no end".to_owned()) };
    match std::str::from_utf8(path) {
        Ok(path) if !path.is_empty() && !path.contains('\0') => Ok(path),
        _ => Err("a path is empty, has a NUL in it or is not valid UTF-8".to_owned()),
    }
}

/// Checks all arguments, and returns the number of their items.
fn check(count: u8, arguments: &[u8], max_items: u64) -> Result<usize, Fault> {
    walk(count, arguments, max_items, |reader, items| reader.skip_items(max_items - items as u64))
}

/// Walks through all arguments, calling `next` to read one item or more of the same container, which returns how many.
/// Returns the number of items.
fn walk<'a>(
    count: u8,
    arguments: &'a [u8],
    max_items: u64,
    mut next: impl FnMut(&mut Reader<'a>, usize) -> Result<u64, Fault>,
) -> Result<usize, Fault> {
    let mut reader = Reader::new(arguments, Form::Compact);
    let mut items = 0;
    for _ in 0..count {
        loop {
            items += next(&mut reader, items)? as usize;
            if items as u64 > max_items {
                return Err(Fault::TooMany(format!("its arguments are more than {MAX_CALL_ITEMS} ({max_items})")));
            }
            if reader.is_outside() {
                break;
            }
        }
    }
    match reader.rest() {
        [] => Ok(items),
        rest => Err(Fault::Malformed(format!("{} bytes follow the last argument", rest.len()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::*;

    fn int(integer: i64) -> Item<'static> {
        Item { kind: WS_VARIANT_INT, integer, ..Item::default() }
    }

    fn call_of(method: &str, items: &[Item<'_>]) -> Vec<u8> {
        let mut memory = [0; 256];
        let mut sink = Sink::new(&mut memory);
        Call::write("Game", method, items.iter().copied(), &mut sink).unwrap();
        let len = sink.len();
        memory[..len].to_vec()
    }

    fn vectors() -> Vec<(Vec<u8>, bool, u16, Vec<u8>)> {
        let text = Item { kind: WS_VARIANT_STRING, bytes: b"hi", ..Item::default() };
        let bytes = Item { kind: WS_VARIANT_PACKED_BYTE_ARRAY, count: 2, bytes: &[0xDE, 0xAD], ..Item::default() };
        let mut real = Item { kind: WS_VARIANT_FLOAT, ..Item::default() };
        real.number[0] = 1.5;
        let mut vector = Item { kind: WS_VARIANT_VECTOR2, ..Item::default() };
        vector.number[..2].copy_from_slice(&[1.0, 2.0]);
        let by_path = |head: &[u8]| [head, b"Game\0"].concat();
        vec![
            (call_of("noargs", &[]), true, 1, by_path(&[0xA0, 6, 0, 0, 0x80, 1])),
            (call_of("raw", &[bytes]), false, 2, vec![0x80, 1, 2, 0xDE, 0xAD]),
            (
                call_of("hello", &[int(5), text]),
                false,
                0,
                vec![0, 1, 0, 2, 2, 5, 4, 0, 0, 0, 2, 0, 0, 0, b'h', b'i', 0, 0],
            ),
            (
                call_of("hello", &[real, vector]),
                true,
                0,
                by_path(&[
                    0x20, 27, 0, 0, 0x80, 0, 2, 3, 0, 0, 0, 0, 0, 0xC0, 0x3F, 5, 0, 0, 0, 0, 0, 0x80, 0x3F, 0, 0, 0,
                    0x40,
                ]),
            ),
        ]
    }

    // Captured between Godot 4.6.3 and its own server.
    #[test]
    fn calls_are_encoded_as_the_engine_encodes_them() {
        for (call, by_path, method, packet) in vectors() {
            let (parsed, _) = Call::read(&call).unwrap();
            let mut out = Vec::new();
            if by_path {
                parsed.put_by_path(&mut out, "Game", method);
            } else {
                parsed.put_by_id(&mut out, 1, method, false);
            }
            assert_eq!(out, packet, "{}", parsed.method);
            let rpc = Rpc::read(&packet).unwrap();
            assert_eq!(
                (rpc.method, rpc.node),
                (method, if by_path { NodeName::Path("Game") } else { NodeName::Id(1) })
            );
            assert_eq!(rpc.expand("Game", parsed.method), Ok(Some(call.clone())));
        }
    }

    #[test]
    fn node_and_method_ids_use_the_shortest_encoding() {
        let call = call_of("noargs", &[]);
        let (call, _) = Call::read(&call).unwrap();
        for (node, method, head) in [
            (0xFF, 0xFF, &[0x80, 0xFF, 0xFF][..]),
            (0x100, 0x100, &[0xD0, 0, 1, 0, 1]),
            (0xFFFF, 0x8000, &[0xD0, 0xFF, 0xFF, 0, 0x80]),
            (0x1_0000, 1, &[0xA0, 0, 0, 1, 0, 1]),
        ] {
            let mut out = Vec::new();
            call.put_by_id(&mut out, node, method, false);
            assert_eq!(out, head);
            let rpc = Rpc::read(&out).unwrap();
            assert_eq!((rpc.node, rpc.method), (NodeName::Id(node), method));
        }
        let mut out = Vec::new();
        call.put_by_id(&mut out, 1, 4, true);
        assert_eq!(out, [0xA0, 1, 0, 0, 0, 4]);
    }

    #[test]
    fn truncated_packets_are_never_read_past_their_end() {
        for (_, by_path, _, packet) in vectors() {
            for end in 0..packet.len() {
                let Ok(rpc) = Rpc::read(&packet[..end]) else { continue };
                let done = rpc.expand("Game", "hello");
                assert!(!by_path, "the path is cut off and the packet is taken");
                assert!(rpc.only_bytes || done.is_err(), "{end} of {packet:02x?}");
            }
        }
        for bad in [
            &[0x30, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &[0x20, 5, 0, 0, 0x80, 0, 0, b'A', 0],
            &[0x20, 99, 0, 0, 0x80, 0, 0, b'A', 0],
            &[0x20, 7, 0, 0, 0x80, 0, 0, b'A'],
        ] {
            assert!(Rpc::read(bad).is_err(), "{bad:02x?}");
        }
    }

    #[test]
    fn items_are_reported_while_a_call_is_parsed() {
        let list = [Item { kind: WS_VARIANT_ARRAY, count: 2, ..Item::default() }, int(1), int(2), int(3)];
        let bytes = call_of("hello", &list);
        for most in 0..6 {
            let mut given = Vec::new();
            let (call, count) = Call::read_items(&bytes, |index, item| given.push((index, *item)), most).unwrap();
            assert_eq!((call.method, call.count, count), ("hello", 2, 4));
            assert_eq!(given, list.iter().copied().enumerate().take(most).collect::<Vec<_>>());
        }
        for end in 0..bytes.len() {
            assert!(Call::read_items(&bytes[..end], |_, _| {}, 9).is_err(), "{end}");
        }
    }

    #[test]
    fn invalid_calls_are_refused() {
        let call = call_of("hello", &[int(300), int(-1)]);
        for end in 0..call.len() {
            assert!(Call::read(&call[..end]).is_err(), "{end}");
        }
        for bad in [
            &b""[..],
            b"Game",
            b"Game\0",
            b"\0m\0\0",
            b"Game\0\0\0",
            b"Game\0m\0",
            b"Game\0m\0\0\0",
            b"Game\0m\0\x01",
            b"\xFF\0m\0\0",
        ] {
            assert!(Call::read(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            Call::read(b"Game\0m\0\x01\x18\0\x01\0\0\0\0\0\0\0\0\0")
                .map_err(|fault| matches!(fault, Fault::Unsupported(_))),
            Err(true)
        );
        let many = vec![int(0); 256];
        assert!(Call::write("Game", "m", many.into_iter(), &mut Sink::new(&mut [])).is_err());
        assert!(Call::write("", "m", std::iter::empty(), &mut Sink::new(&mut [])).is_err());
    }
}
