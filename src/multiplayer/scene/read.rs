//! Decoding of values: bytes to items.

use super::variant::{
    COMPONENTS, Fault, Form, Inside, Item, NAMES, Nest, WIDE, components, element, name, short, strange,
};
use crate::codes::*;

/// Decodes values item by item.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    form: Form,
    nest: Nest,
}

impl<'a> Reader<'a> {
    /// A reader at the start of encoded values.
    pub fn new(bytes: &'a [u8], form: Form) -> Reader<'a> {
        Reader { rest: bytes, form, nest: Nest::new() }
    }

    /// Whether all containers are complete.
    pub fn is_outside(&self) -> bool {
        self.nest.lacks() == 0
    }

    /// The bytes that were not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Decodes the next item.
    pub fn read_item(&mut self) -> Result<Item<'a>, Fault> {
        let mut item = Item::default();
        self.next(Some(&mut item))?;
        Ok(item)
    }

    /// Checks and skips the next item.
    pub fn skip_item(&mut self) -> Result<(), Fault> {
        self.next(None)
    }

    fn next(&mut self, out: Out<'_, 'a>) -> Result<(), Fault> {
        match self.nest.inside() {
            None if self.form == Form::Compact => self.compact(out),
            None | Some(Inside::Values) => self.full(out),
            Some(Inside::Names) => self.string(out, WS_VARIANT_STRING, false),
            Some(Inside::Strings) => self.string(out, WS_VARIANT_STRING, true),
        }
    }

    fn compact(&mut self, out: Out<'_, 'a>) -> Result<(), Fault> {
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
            _ => return self.full(out),
        };
        self.nest.leave();
        store(out, || Item { kind, integer, ..Item::default() });
        Ok(())
    }

    fn full(&mut self, out: Out<'_, 'a>) -> Result<(), Fault> {
        let head = self.word()?;
        let (kind, wide) = ((head & 0xFF) as i32, head & WIDE != 0);
        if let Some((count, integers)) = components(kind) {
            let wide = wide && !integers && kind != WS_VARIANT_COLOR;
            let bytes = self.take(if wide { 8 * count } else { 4 * count })?;
            self.nest.leave();
            store(out, || Item { kind, number: numbers(bytes, integers, wide), ..Item::default() });
            return Ok(());
        }
        if let Some((narrow, double)) = element(kind) {
            let count = self.word()?;
            let size = if wide { double } else { narrow };
            let bytes = self.take((count as usize).checked_mul(size).ok_or_else(short)?)?;
            self.pad(bytes.len())?;
            self.nest.leave();
            store(out, || Item { kind, count, bytes, ..Item::default() });
            return Ok(());
        }
        let (mut integer, mut float) = (0, 0.0);
        match kind {
            WS_VARIANT_NIL => {}
            WS_VARIANT_BOOL => integer = i64::from(self.word()? != 0),
            WS_VARIANT_INT if wide => integer = self.double_word()? as i64,
            WS_VARIANT_INT => integer = i64::from(self.word()? as i32),
            WS_VARIANT_FLOAT if wide => float = f64::from_bits(self.double_word()?),
            WS_VARIANT_FLOAT => float = f64::from(f32::from_bits(self.word()?)),
            WS_VARIANT_STRING | WS_VARIANT_STRING_NAME => return self.string(out, kind, false),
            WS_VARIANT_NODE_PATH => return self.node_path(out),
            WS_VARIANT_PACKED_STRING_ARRAY => return self.container(out, kind, 0, Inside::Strings),
            WS_VARIANT_ARRAY => {
                let typed = self.element_type(head >> 16, "Array")?;
                return self.container(out, kind, typed, Inside::Values);
            }
            WS_VARIANT_DICTIONARY => {
                let keys = self.element_type(head >> 16, "Dictionary")?;
                let typed = keys | self.element_type(head >> 18, "Dictionary")? << 8;
                return self.container(out, kind, typed, Inside::Values);
            }
            _ if (0..=WS_VARIANT_PACKED_VECTOR4_ARRAY).contains(&kind) => {
                return Err(Fault::Unsupported(format!("a value {}", strange(kind))));
            }
            _ => return Err(Fault::Malformed(format!("{kind} is not a Variant type of Godot"))),
        }
        self.nest.leave();
        store(out, || Item { kind, integer, number: first(float), ..Item::default() });
        Ok(())
    }

    /// Reads an Array, a Dictionary or a PackedStringArray, from its count on.
    fn container(&mut self, out: Out<'_, 'a>, kind: i32, typed: i64, inside: Inside) -> Result<(), Fault> {
        let each = if kind == WS_VARIANT_DICTIONARY { 2 } else { 1 };
        let count = self.count(4 * each)?;
        self.nest.enter(each as u64 * u64::from(count), inside)?;
        store(out, || Item { kind, count, integer: typed, ..Item::default() });
        Ok(())
    }

    fn node_path(&mut self, out: Out<'_, 'a>) -> Result<(), Fault> {
        let (names, sub_names, flags) = (self.word()?, self.word()?, self.word()?);
        if names & NAMES == 0 {
            return Err(Fault::Malformed("a NodePath is in the form of Godot 2".to_owned()));
        }
        let (names, property) = (u64::from(names & !NAMES), u64::from(flags >> 1 & 1));
        let count = names + u64::from(sub_names) + property;
        if count > self.rest.len() as u64 / 4 {
            return Err(short());
        }
        self.nest.enter(count, Inside::Names)?;
        store(out, || Item {
            kind: WS_VARIANT_NODE_PATH,
            count: count as u32,
            integer: i64::from(flags & 1),
            number: first((u64::from(sub_names) + property) as f64),
            ..Item::default()
        });
        Ok(())
    }

    fn string(&mut self, out: Out<'_, 'a>, kind: i32, counts_nul: bool) -> Result<(), Fault> {
        let len = self.word()? as usize;
        let mut bytes = self.take(len)?;
        self.pad(len)?;
        if counts_nul {
            bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
        }
        if !bytes.is_ascii() && std::str::from_utf8(bytes).is_err() {
            return Err(Fault::Malformed(format!("a {} is not valid UTF-8", name(kind))));
        }
        self.nest.leave();
        store(out, || Item { kind, bytes, ..Item::default() });
        Ok(())
    }

    /// Reads the element type of a typed container; 0: any type.
    fn element_type(&mut self, mode: u32, what: &str) -> Result<i64, Fault> {
        let of_objects =
            || Err(Fault::Unsupported(format!("a typed {what} of objects means nothing to another program")));
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

    /// Reads a count of elements that take at least `least` bytes each.
    fn count(&mut self, least: usize) -> Result<u32, Fault> {
        // In Godot 2 the highest bit of a Dictionary's count marked it as shared.
        let count = self.word()? & 0x7FFF_FFFF;
        if count as usize > self.rest.len() / least { Err(short()) } else { Ok(count) }
    }

    #[inline]
    fn pad(&mut self, len: usize) -> Result<(), Fault> {
        let count = len.wrapping_neg() % 4;
        self.rest = self.rest.get(count..).ok_or_else(short)?;
        Ok(())
    }

    #[inline]
    fn word(&mut self) -> Result<u32, Fault> {
        let Some((bytes, rest)) = self.rest.split_first_chunk() else { return Err(short()) };
        self.rest = rest;
        Ok(u32::from_le_bytes(*bytes))
    }

    fn double_word(&mut self) -> Result<u64, Fault> {
        Ok(u64::from(self.word()?) | u64::from(self.word()?) << 32)
    }

    #[inline]
    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else { return Err(short()) };
        self.rest = rest;
        Ok(taken)
    }
}

/// Where an item is stored. `None`: the item is only checked, which costs much less.
type Out<'o, 'a> = Option<&'o mut Item<'a>>;

fn store<'a>(out: Out<'_, 'a>, item: impl FnOnce() -> Item<'a>) {
    if let Some(out) = out {
        *out = item();
    }
}

/// The components of a value with a single number.
fn first(number: f64) -> [f64; COMPONENTS] {
    let mut all = [0.0; COMPONENTS];
    all[0] = number;
    all
}

/// Decodes components.
fn numbers(bytes: &[u8], integers: bool, wide: bool) -> [f64; COMPONENTS] {
    let mut all = [0.0; COMPONENTS];
    if wide {
        for (number, piece) in all.iter_mut().zip(bytes.as_chunks().0) {
            *number = f64::from_le_bytes(*piece);
        }
        return all;
    }
    for (number, piece) in all.iter_mut().zip(bytes.as_chunks().0) {
        *number = if integers { f64::from(i32::from_le_bytes(*piece)) } else { f64::from(f32::from_le_bytes(*piece)) };
    }
    all
}
