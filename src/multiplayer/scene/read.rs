//! From bytes to items.

use super::variant::{Fault, Form, Inside, Item, NAMES, Nest, WIDE, components, element, name, short, strange};
use crate::codes::*;

/// Reads values, item by item.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    form: Form,
    nest: Nest,
}

impl<'a> Reader<'a> {
    /// At the first of some values.
    pub fn new(bytes: &'a [u8], form: Form) -> Reader<'a> {
        Reader { rest: bytes, form, nest: Nest::new() }
    }

    /// No container lacks anything.
    pub fn is_outside(&self) -> bool {
        self.nest.depth == 0
    }

    /// Bytes that were not read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next item.
    pub fn read_item(&mut self) -> Result<Item<'a>, Fault> {
        match self.nest.inside() {
            None if self.form == Form::Compact => self.compact(),
            None | Some(Inside::Values) => self.full(),
            Some(Inside::Names) => self.string(WS_VARIANT_STRING, false),
            Some(Inside::Strings) => self.string(WS_VARIANT_STRING, true),
        }
    }

    fn compact(&mut self) -> Result<Item<'a>, Fault> {
        let first = *self.rest.first().ok_or_else(short)?;
        let kind = i32::from(first & 0x3F);
        let integer = match (kind, first >> 6) {
            (WS_VARIANT_BOOL, mode) => {
                self.take(1)?;
                i64::from(mode >> 1)
            }
            (WS_VARIANT_INT, mode) => {
                let bytes = self.take(1 + (1 << mode))?;
                let width = 8 * (bytes.len() as u32 - 1);
                let raw = bytes[1..].iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
                ((raw << (64 - width)) as i64) >> (64 - width)
            }
            _ => return self.full(),
        };
        self.nest.leave();
        Ok(Item { kind, integer, ..Item::default() })
    }

    fn full(&mut self) -> Result<Item<'a>, Fault> {
        let head = self.word()?;
        let (kind, wide) = ((head & 0xFF) as i32, head & WIDE != 0);
        let mut item = Item { kind, ..Item::default() };
        if let Some((count, integers)) = components(kind) {
            let wide = wide && !integers && kind != WS_VARIANT_COLOR;
            for number in &mut item.number[..count] {
                *number = match (integers, wide) {
                    (true, _) => f64::from(self.word()? as i32),
                    (false, false) => f64::from(f32::from_bits(self.word()?)),
                    (false, true) => f64::from_bits(self.double_word()?),
                };
            }
            self.nest.leave();
            return Ok(item);
        }
        if let Some((narrow, double)) = element(kind) {
            item.count = self.word()?;
            let size = if wide { double } else { narrow };
            item.bytes = self.take((item.count as usize).checked_mul(size).ok_or_else(short)?)?;
            self.pad(item.bytes.len())?;
            self.nest.leave();
            return Ok(item);
        }
        match kind {
            WS_VARIANT_NIL => {}
            WS_VARIANT_BOOL => item.integer = i64::from(self.word()? != 0),
            WS_VARIANT_INT if wide => item.integer = self.double_word()? as i64,
            WS_VARIANT_INT => item.integer = i64::from(self.word()? as i32),
            WS_VARIANT_FLOAT if wide => item.number[0] = f64::from_bits(self.double_word()?),
            WS_VARIANT_FLOAT => item.number[0] = f64::from(f32::from_bits(self.word()?)),
            WS_VARIANT_STRING | WS_VARIANT_STRING_NAME => return self.string(kind, false),
            WS_VARIANT_NODE_PATH => return self.node_path(item),
            WS_VARIANT_PACKED_STRING_ARRAY => {
                item.count = self.count(4)?;
                self.nest.enter(u64::from(item.count), Inside::Strings)?;
                return Ok(item);
            }
            WS_VARIANT_ARRAY => {
                item.integer = self.element_type(head >> 16, "Array")?;
                item.count = self.count(4)?;
                self.nest.enter(u64::from(item.count), Inside::Values)?;
                return Ok(item);
            }
            WS_VARIANT_DICTIONARY => {
                item.integer = self.element_type(head >> 16, "Dictionary")?;
                item.integer |= self.element_type(head >> 18, "Dictionary")? << 8;
                item.count = self.count(8)?;
                self.nest.enter(2 * u64::from(item.count), Inside::Values)?;
                return Ok(item);
            }
            _ if (0..=WS_VARIANT_PACKED_VECTOR4_ARRAY).contains(&kind) => return Err(Fault::Unsupported(format!("a value {}", strange(kind)))),
            _ => return Err(Fault::Malformed(format!("{kind} is no type of Godot's"))),
        }
        self.nest.leave();
        Ok(item)
    }

    fn node_path(&mut self, mut item: Item<'a>) -> Result<Item<'a>, Fault> {
        let (names, sub_names, flags) = (self.word()?, self.word()?, self.word()?);
        if names & NAMES == 0 {
            return Err(Fault::Malformed("a NodePath is in the form of Godot 2".to_owned()));
        }
        let (names, property) = (u64::from(names & !NAMES), u64::from(flags >> 1 & 1));
        let count = names + u64::from(sub_names) + property;
        if count > self.rest.len() as u64 / 4 {
            return Err(short());
        }
        item.count = count as u32;
        item.integer = i64::from(flags & 1);
        item.number[0] = (u64::from(sub_names) + property) as f64;
        self.nest.enter(count, Inside::Names)?;
        Ok(item)
    }

    fn string(&mut self, kind: i32, counts_nul: bool) -> Result<Item<'a>, Fault> {
        let len = self.word()? as usize;
        let mut bytes = self.take(len)?;
        self.pad(len)?;
        if counts_nul {
            bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
        }
        if std::str::from_utf8(bytes).is_err() {
            return Err(Fault::Malformed(format!("a {} is not valid UTF-8", name(kind))));
        }
        self.nest.leave();
        Ok(Item { kind, bytes, ..Item::default() })
    }

    /// The type that a container's elements have to have, 0 for any.
    fn element_type(&mut self, mode: u32, what: &str) -> Result<i64, Fault> {
        let of_objects = || Err(Fault::Unsupported(format!("a typed {what} of objects means nothing to another program")));
        match mode & 3 {
            0 => Ok(0),
            1 => match self.word()? {
                24 => of_objects(),
                kind @ 1..=38 => Ok(i64::from(kind)),
                kind => Err(Fault::Malformed(format!("{kind} is no type for the elements of a typed {what}"))),
            },
            _ => of_objects(),
        }
    }

    /// A count of things that have at least so many bytes each.
    fn count(&mut self, least: usize) -> Result<u32, Fault> {
        // The highest bit of a Dictionary's said in Godot 2 that it was shared.
        let count = self.word()? & 0x7FFF_FFFF;
        if count as usize > self.rest.len() / least { Err(short()) } else { Ok(count) }
    }

    fn pad(&mut self, len: usize) -> Result<(), Fault> {
        self.take(len.wrapping_neg() % 4).map(|_| ())
    }

    fn word(&mut self) -> Result<u32, Fault> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn double_word(&mut self) -> Result<u64, Fault> {
        Ok(u64::from(self.word()?) | u64::from(self.word()?) << 32)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        if count > self.rest.len() {
            return Err(short());
        }
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        Ok(taken)
    }
}
