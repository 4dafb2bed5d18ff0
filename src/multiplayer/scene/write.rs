//! Encoding of values: items to bytes.

use super::variant::{Form, Inside, Item, NAMES, Nest, WIDE, components, deep, element, name, strange};
use crate::codes::*;
use std::mem::MaybeUninit;

/// Output of an encoder. It counts bytes that do not fit, without storing them.
pub struct Sink<'a> {
    room: Room<'a>,
    len: usize,
}

/// The memory of a sink. The caller's buffer may be uninitialised.
enum Room<'a> {
    Bytes(&'a mut [u8]),
    Uninit(&'a mut [MaybeUninit<u8>]),
}

impl<'a> Sink<'a> {
    /// A sink that writes to this memory.
    pub fn new(room: &'a mut [u8]) -> Sink<'a> {
        Sink { room: Room::Bytes(room), len: 0 }
    }

    /// A sink that writes to uninitialised memory and never reads it.
    pub fn uninit(room: &'a mut [MaybeUninit<u8>]) -> Sink<'a> {
        Sink { room: Room::Uninit(room), len: 0 }
    }

    /// Bytes written so far, including those that did not fit.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends bytes.
    pub fn put(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        match &mut self.room {
            Room::Bytes(room) => {
                if let Some(place) = room.get_mut(self.len..end) {
                    place.copy_from_slice(bytes);
                }
            }
            Room::Uninit(room) => {
                for (place, byte) in room.get_mut(self.len..end).into_iter().flatten().zip(bytes) {
                    place.write(*byte);
                }
            }
        }
        self.len = end;
    }

    /// Replaces a byte that was written before.
    pub fn set(&mut self, at: usize, byte: u8) {
        match &mut self.room {
            Room::Bytes(room) => {
                if let Some(place) = room.get_mut(at) {
                    *place = byte;
                }
            }
            Room::Uninit(room) => {
                if let Some(place) = room.get_mut(at) {
                    place.write(byte);
                }
            }
        }
    }

    fn word(&mut self, word: u32) {
        self.put(&word.to_le_bytes());
    }

    fn pad(&mut self, len: usize) {
        self.put(&[0; 3][..len.wrapping_neg() % 4]);
    }
}

/// Encodes items and returns the number of outermost values. `Err` names the offending item by its index, from 0 on.
pub fn write<'a>(items: impl Iterator<Item = Item<'a>>, form: Form, out: &mut Sink<'_>) -> Result<usize, String> {
    let mut nest = Nest::new();
    let mut values = 0;
    for (index, item) in items.enumerate() {
        let inside = nest.inside();
        values += usize::from(inside.is_none());
        let done = match inside {
            None if form == Form::Compact => write_compact(&item, &mut nest, out),
            None | Some(Inside::Values) => write_full(&item, &mut nest, out),
            Some(_) if item.kind != WS_VARIANT_STRING => {
                Err("is not the String that the container before it wants".to_owned())
            }
            Some(inside) => write_string(&item, &mut nest, out, inside == Inside::Strings),
        };
        done.map_err(|why| format!("item {index} ({}) {why}", name(item.kind)))?;
    }
    match nest.lacks() {
        0 => Ok(values),
        lacks => Err(format!("the last container lacks {lacks} items")),
    }
}

fn write_compact(item: &Item<'_>, nest: &mut Nest, out: &mut Sink<'_>) -> Result<(), String> {
    let value = item.integer;
    match item.kind {
        WS_VARIANT_BOOL => out.put(&[1 | if value != 0 { 0x80 } else { 0 }]),
        WS_VARIANT_INT => {
            let mode = [8, 16, 32].iter().position(|bits| value << (64 - bits) >> (64 - bits) == value).unwrap_or(3);
            out.put(&[2 | (mode as u8) << 6]);
            out.put(&value.to_le_bytes()[..1 << mode]);
        }
        _ => return write_full(item, nest, out),
    }
    nest.leave();
    Ok(())
}

fn write_full(item: &Item<'_>, nest: &mut Nest, out: &mut Sink<'_>) -> Result<(), String> {
    let kind = item.kind as u32;
    match item.kind {
        WS_VARIANT_NIL => out.word(kind),
        WS_VARIANT_BOOL => {
            out.word(kind);
            out.word(u32::from(item.integer != 0));
        }
        WS_VARIANT_INT => match i32::try_from(item.integer) {
            Ok(value) => {
                out.word(kind);
                out.word(value as u32);
            }
            Err(_) => {
                out.word(kind | WIDE);
                out.put(&item.integer.to_le_bytes());
            }
        },
        WS_VARIANT_FLOAT => {
            let value = item.number[0];
            if f64::from(value as f32).to_bits() == value.to_bits() {
                out.word(kind);
                out.word((value as f32).to_bits());
            } else {
                out.word(kind | WIDE);
                out.put(&value.to_le_bytes());
            }
        }
        WS_VARIANT_STRING | WS_VARIANT_STRING_NAME => {
            out.word(kind);
            return write_string(item, nest, out, false);
        }
        WS_VARIANT_NODE_PATH | WS_VARIANT_PACKED_STRING_ARRAY | WS_VARIANT_ARRAY | WS_VARIANT_DICTIONARY => {
            return write_container(item, nest, out);
        }
        _ => match (components(item.kind), element(item.kind)) {
            (Some((count, integers)), _) => write_components(item, count, integers, out)?,
            (None, Some((narrow, double))) => write_elements(item, narrow, double, out)?,
            (None, None) => return Err(strange(item.kind)),
        },
    }
    nest.leave();
    Ok(())
}

/// Encodes a value of fixed size.
fn write_components(item: &Item<'_>, count: usize, integers: bool, out: &mut Sink<'_>) -> Result<(), String> {
    out.word(item.kind as u32);
    for number in &item.number[..count] {
        if integers && (number.fract() != 0.0 || *number < f64::from(i32::MIN) || *number > f64::from(i32::MAX)) {
            return Err(format!("has {number} in it, which is no integer of 32 bits"));
        }
        out.word(if integers { *number as i32 as u32 } else { (*number as f32).to_bits() });
    }
    Ok(())
}

/// Encodes a packed array, with elements of `narrow` or `double` bytes.
fn write_elements(item: &Item<'_>, narrow: usize, double: usize, out: &mut Sink<'_>) -> Result<(), String> {
    let fits = |size: usize| (item.count as usize).checked_mul(size) == Some(item.bytes.len());
    let wide = !fits(narrow) && fits(double);
    if !fits(narrow) && !wide {
        return Err(format!("has {} bytes for {} elements: {narrow} belong to each", item.bytes.len(), item.count));
    }
    out.word(item.kind as u32 | if wide { WIDE } else { 0 });
    out.word(item.count);
    out.put(item.bytes);
    out.pad(item.bytes.len());
    Ok(())
}

/// Encodes the head of a container, whose elements are the items that follow.
fn write_container(item: &Item<'_>, nest: &mut Nest, out: &mut Sink<'_>) -> Result<(), String> {
    let kind = item.kind as u32;
    let count = u64::from(item.count);
    let (count, inside) = match item.kind {
        WS_VARIANT_NODE_PATH => {
            let sub_names = item.number[0];
            if !(0.0..=f64::from(item.count)).contains(&sub_names) || item.count >= NAMES {
                return Err(format!("has {} names, and {sub_names} of them are said to be sub-names", item.count));
            }
            out.word(kind);
            out.word((item.count - sub_names as u32) | NAMES);
            out.word(sub_names as u32);
            out.word(u32::from(item.integer != 0));
            (count, Inside::Names)
        }
        WS_VARIANT_PACKED_STRING_ARRAY => {
            out.word(kind);
            out.word(item.count);
            (count, Inside::Strings)
        }
        WS_VARIANT_ARRAY => {
            let typed = element_types(item.integer, 1)?;
            out.word(kind | u32::from(typed[0] != 0) << 16);
            typed[..1].iter().filter(|kind| **kind != 0).for_each(|kind| out.word(u32::from(*kind)));
            out.word(item.count);
            (count, Inside::Values)
        }
        _ => {
            let typed = element_types(item.integer, 2)?;
            out.word(kind | u32::from(typed[0] != 0) << 16 | u32::from(typed[1] != 0) << 18);
            typed.iter().filter(|kind| **kind != 0).for_each(|kind| out.word(u32::from(*kind)));
            out.word(item.count);
            (2 * count, Inside::Values)
        }
    };
    if nest.enter(count, inside) { Ok(()) } else { Err(deep().message()) }
}

fn write_string(item: &Item<'_>, nest: &mut Nest, out: &mut Sink<'_>, counts_nul: bool) -> Result<(), String> {
    if std::str::from_utf8(item.bytes).is_err() {
        return Err("is not valid UTF-8".to_owned());
    }
    let len = item.bytes.len() + usize::from(counts_nul);
    out.word(u32::try_from(len).map_err(|_| "is longer than 4 GiB".to_owned())?);
    out.put(item.bytes);
    if counts_nul {
        out.put(b"\0");
    }
    out.pad(len);
    nest.leave();
    Ok(())
}

/// Decodes the element types in `integer`: that of an Array, or those of a Dictionary's keys and values.
fn element_types(integer: i64, count: usize) -> Result<[u8; 2], String> {
    let bytes = integer.to_le_bytes();
    let known = bytes[..count]
        .iter()
        .all(|kind| i32::from(*kind) <= WS_VARIANT_PACKED_VECTOR4_ARRAY && *kind != WS_VARIANT_OBJECT as u8);
    if known && bytes[count..].iter().all(|byte| *byte == 0) {
        Ok([bytes[0], bytes[1]])
    } else {
        Err(format!("has {integer} as the type of its elements, which is none"))
    }
}
