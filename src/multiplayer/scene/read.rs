//! Decoding of values: bytes to items.

use super::variant::{
    COMPONENTS, Fault, Form, Inside, Item, NAMES, Nest, WIDE, components, deep, element, name, short, strange,
};
use crate::codes::*;

/// The bits of a container's count. In Godot 2 the highest one marked a Dictionary as shared.
const COUNT: u32 = 0x7FFF_FFFF;

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
        match self.nest.inside() {
            None if self.form == Form::Compact => self.compact(),
            None | Some(Inside::Values) => self.full(),
            Some(Inside::Names) => self.string(WS_VARIANT_STRING, false),
            Some(Inside::Strings) => self.string(WS_VARIANT_STRING, true),
        }
    }

    /// Checks and skips the next item, and inside of a container up to `most` items before its outermost end, which is
    /// much faster than one by one. Returns their number.
    pub fn skip_items(&mut self, most: u64) -> Result<u64, Fault> {
        let mut count = 0;
        while count < most && self.skip_plain().is_some() {
            count += 1;
            if self.is_outside() {
                return Ok(count);
            }
        }
        if count == 0 || count < most {
            self.read_item()?;
            count += 1;
        }
        Ok(count)
    }

    /// Skips an item, if it is valid. `None`: nothing has changed, and `read_item`
    /// says what is wrong.
    #[inline]
    fn skip_plain(&mut self) -> Option<()> {
        match self.nest.inside() {
            Some(Inside::Values) => {}
            Some(Inside::Names | Inside::Strings) => {
                self.rest = behind_text(self.rest)?;
                self.nest.leave();
                return Some(());
            }
            None if self.form == Form::Full => {}
            None => {
                if let Some(len) = short_len(*self.rest.first()?) {
                    self.rest = self.rest.get(len..)?;
                    return Some(());
                }
            }
        }
        let (head, rest) = first_word(self.rest)?;
        let (kind, wide) = ((head & 0xFF) as usize, usize::from(head & WIDE != 0));
        let behind = match FIXED[kind][wide] {
            NOT_FIXED => match (kind as i32, ELEMENT[kind][wide]) {
                (WS_VARIANT_STRING | WS_VARIANT_STRING_NAME, _) => behind_text(rest)?,
                (_, NOT_FIXED) => return self.skip_head(head, rest),
                (_, size) => {
                    let (count, rest) = first_word(rest)?;
                    let len = (count as usize).checked_mul(usize::from(size))?;
                    rest.get(len..)?.get(len.wrapping_neg() % 4..)?
                }
            },
            size => rest.get(usize::from(size)..)?,
        };
        self.rest = behind;
        self.nest.leave();
        Some(())
    }

    /// Skips the head of a container; `rest` is behind its first word.
    fn skip_head(&mut self, head: u32, rest: &'a [u8]) -> Option<()> {
        let (count, rest, inside) = match (head & 0xFF) as i32 {
            WS_VARIANT_ARRAY => {
                let (count, rest) = first_word(behind_type(head >> 16, rest)?)?;
                (u64::from(count & COUNT), rest, Inside::Values)
            }
            WS_VARIANT_DICTIONARY => {
                let (count, rest) = first_word(behind_type(head >> 18, behind_type(head >> 16, rest)?)?)?;
                (2 * u64::from(count & COUNT), rest, Inside::Values)
            }
            WS_VARIANT_PACKED_STRING_ARRAY => {
                let (count, rest) = first_word(rest)?;
                (u64::from(count & COUNT), rest, Inside::Strings)
            }
            WS_VARIANT_NODE_PATH => {
                let (names, rest) = first_word(rest)?;
                let (sub_names, rest) = first_word(rest)?;
                let (flags, rest) = first_word(rest)?;
                if names & NAMES == 0 {
                    return None;
                }
                (u64::from(names & !NAMES) + u64::from(sub_names) + u64::from(flags >> 1 & 1), rest, Inside::Names)
            }
            _ => return None,
        };
        if count > rest.len() as u64 / 4 || !self.nest.enter(count, inside) {
            return None;
        }
        self.rest = rest;
        Some(())
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
        if let Some((count, integers)) = components(kind) {
            let wide = wide && !integers && kind != WS_VARIANT_COLOR;
            let bytes = self.take(if wide { 8 * count } else { 4 * count })?;
            self.nest.leave();
            return Ok(Item { kind, number: numbers(bytes, integers, wide), ..Item::default() });
        }
        if let Some((narrow, double)) = element(kind) {
            let count = self.word()?;
            let size = if wide { double } else { narrow };
            let bytes = self.take((count as usize).checked_mul(size).ok_or_else(short)?)?;
            self.pad(bytes.len())?;
            self.nest.leave();
            return Ok(Item { kind, count, bytes, ..Item::default() });
        }
        let (mut integer, mut float) = (0, 0.0);
        match kind {
            WS_VARIANT_NIL => {}
            WS_VARIANT_BOOL => integer = i64::from(self.word()? != 0),
            WS_VARIANT_INT if wide => integer = self.double_word()? as i64,
            WS_VARIANT_INT => integer = i64::from(self.word()? as i32),
            WS_VARIANT_FLOAT if wide => float = f64::from_bits(self.double_word()?),
            WS_VARIANT_FLOAT => float = f64::from(f32::from_bits(self.word()?)),
            WS_VARIANT_STRING | WS_VARIANT_STRING_NAME => return self.string(kind, false),
            WS_VARIANT_NODE_PATH => return self.node_path(),
            WS_VARIANT_PACKED_STRING_ARRAY => return self.container(kind, 0, Inside::Strings),
            WS_VARIANT_ARRAY => {
                let typed = self.element_type(head >> 16, "Array")?;
                return self.container(kind, typed, Inside::Values);
            }
            WS_VARIANT_DICTIONARY => {
                let keys = self.element_type(head >> 16, "Dictionary")?;
                let typed = keys | self.element_type(head >> 18, "Dictionary")? << 8;
                return self.container(kind, typed, Inside::Values);
            }
            _ if (0..=WS_VARIANT_PACKED_VECTOR4_ARRAY).contains(&kind) => {
                return Err(Fault::Unsupported(format!("a value {}", strange(kind))));
            }
            _ => return Err(Fault::Malformed(format!("{kind} is not a Variant type of Godot"))),
        }
        self.nest.leave();
        Ok(Item { kind, integer, number: first(float), ..Item::default() })
    }

    /// Reads an Array, a Dictionary or a PackedStringArray, from its count on.
    fn container(&mut self, kind: i32, typed: i64, inside: Inside) -> Result<Item<'a>, Fault> {
        let each = if kind == WS_VARIANT_DICTIONARY { 2 } else { 1 };
        let count = self.count(4 * each)?;
        self.enter(each as u64 * u64::from(count), inside)?;
        Ok(Item { kind, count, integer: typed, ..Item::default() })
    }

    fn node_path(&mut self) -> Result<Item<'a>, Fault> {
        let (names, sub_names, flags) = (self.word()?, self.word()?, self.word()?);
        if names & NAMES == 0 {
            return Err(Fault::Malformed("a NodePath is in the form of Godot 2".to_owned()));
        }
        let (names, property) = (u64::from(names & !NAMES), u64::from(flags >> 1 & 1));
        let count = names + u64::from(sub_names) + property;
        if count > self.rest.len() as u64 / 4 {
            return Err(short());
        }
        self.enter(count, Inside::Names)?;
        Ok(Item {
            kind: WS_VARIANT_NODE_PATH,
            count: count as u32,
            integer: i64::from(flags & 1),
            number: first((u64::from(sub_names) + property) as f64),
            ..Item::default()
        })
    }

    fn string(&mut self, kind: i32, counts_nul: bool) -> Result<Item<'a>, Fault> {
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
        Ok(Item { kind, bytes, ..Item::default() })
    }

    /// Reads the element type of a typed container; 0: any type.
    fn element_type(&mut self, mode: u32, what: &str) -> Result<i64, Fault> {
        let of_objects =
            || Err(Fault::Unsupported(format!("a typed {what} of objects means nothing to another program")));
        match mode & 3 {
            0 => Ok(0),
            1 => match self.word()? {
                24 => of_objects(),
                kind if is_element_type(kind) => Ok(i64::from(kind)),
                kind => Err(Fault::Malformed(format!("{kind} is no type for the elements of a typed {what}"))),
            },
            _ => of_objects(),
        }
    }

    /// Reads a count of elements that take at least `least` bytes each.
    fn count(&mut self, least: usize) -> Result<u32, Fault> {
        let count = self.word()? & COUNT;
        if count as usize > self.rest.len() / least { Err(short()) } else { Ok(count) }
    }

    fn enter(&mut self, count: u64, inside: Inside) -> Result<(), Fault> {
        if self.nest.enter(count, inside) { Ok(()) } else { Err(deep()) }
    }

    #[inline]
    fn pad(&mut self, len: usize) -> Result<(), Fault> {
        let count = len.wrapping_neg() % 4;
        self.rest = self.rest.get(count..).ok_or_else(short)?;
        Ok(())
    }

    #[inline]
    fn word(&mut self) -> Result<u32, Fault> {
        let Some((word, rest)) = first_word(self.rest) else { return Err(short()) };
        self.rest = rest;
        Ok(word)
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

/// Bytes behind the head of values of fixed size, by kind: with single and with double precision. `NOT_FIXED`: its size
/// is not fixed, or there is no such kind.
const FIXED: [[u8; 2]; 256] = {
    let mut all = [[NOT_FIXED; 2]; 256];
    let mut kind = 0;
    while kind < all.len() {
        all[kind] = match (kind as i32, components(kind as i32)) {
            (WS_VARIANT_NIL, _) => [0, 0],
            (WS_VARIANT_BOOL, _) => [4, 4],
            (WS_VARIANT_INT | WS_VARIANT_FLOAT, _) => [4, 8],
            (WS_VARIANT_COLOR, Some((count, _))) | (_, Some((count, true))) => [4 * count as u8; 2],
            (_, Some((count, false))) => [4 * count as u8, 8 * count as u8],
            (_, None) => [NOT_FIXED; 2],
        };
        kind += 1;
    }
    all
};
const NOT_FIXED: u8 = u8::MAX;

/// Bytes of an element of a packed array, in the same way.
const ELEMENT: [[u8; 2]; 256] = {
    let mut all = [[NOT_FIXED; 2]; 256];
    let mut kind = 0;
    while kind < all.len() {
        if let Some((narrow, wide)) = element(kind as i32) {
            all[kind] = [narrow as u8, wide as u8];
        }
        kind += 1;
    }
    all
};

/// Bytes of a bool or int in compact form, by the first one.
#[inline]
pub fn short_len(first: u8) -> Option<usize> {
    match i32::from(first & 0x3F) {
        WS_VARIANT_BOOL => Some(1),
        WS_VARIANT_INT => Some(1 + (1_usize << (first >> 6))),
        _ => None,
    }
}

/// The bytes behind the element type of a container that has this mode.
#[inline]
fn behind_type(mode: u32, bytes: &[u8]) -> Option<&[u8]> {
    match mode & 3 {
        0 => Some(bytes),
        1 => first_word(bytes).filter(|(kind, _)| is_element_type(*kind)).map(|(_, rest)| rest),
        _ => None,
    }
}

fn is_element_type(kind: u32) -> bool {
    (1..=38).contains(&kind) && kind != WS_VARIANT_OBJECT as u32
}

/// The bytes behind a valid text in front of which is its length.
#[inline]
fn behind_text(bytes: &[u8]) -> Option<&[u8]> {
    let (len, rest) = first_word(bytes)?;
    let (text, rest) = rest.split_at_checked(len as usize)?;
    let rest = rest.get(text.len().wrapping_neg() % 4..)?;
    (text.is_ascii() || std::str::from_utf8(text).is_ok()).then_some(rest)
}

#[inline]
fn first_word(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*word), rest))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Random;

    /// Appends a random value in full form, mostly valid.
    fn value(random: &mut Random, depth: u32, out: &mut Vec<u8>) {
        let kind = random.below(42);
        let flags = match random.below(4) {
            0 => random.below(16) << 16,
            1 => WIDE,
            _ => 0,
        };
        let word = |out: &mut Vec<u8>, word: u32| out.extend_from_slice(&word.to_le_bytes());
        let text = |random: &mut Random, out: &mut Vec<u8>| {
            let text = ["", "a", "abcd", "grün", "\u{1F600}", "\0", "long enough for more than a word"];
            let text = text[random.below(text.len() as u32) as usize];
            word(out, text.len() as u32);
            out.extend_from_slice(text.as_bytes());
            out.resize(out.len() + text.len().wrapping_neg() % 4, 0);
        };
        word(out, kind | flags);
        let [narrow, wide] = FIXED[kind as usize];
        let size = if flags & WIDE == 0 { narrow } else { wide };
        if size != NOT_FIXED {
            out.resize(out.len() + usize::from(size), 1);
            return;
        }
        let count = if depth == 0 { 0 } else { random.below(4) };
        match kind as i32 {
            WS_VARIANT_STRING | WS_VARIANT_STRING_NAME => text(random, out),
            WS_VARIANT_ARRAY | WS_VARIANT_DICTIONARY => {
                let types = [flags >> 16, if kind as i32 == WS_VARIANT_DICTIONARY { flags >> 18 } else { 0 }];
                for _ in types.into_iter().filter(|mode| mode & 3 == 1) {
                    let kind = random.below(40);
                    word(out, kind);
                }
                word(out, count | random.below(2) << 31);
                (0..count << u32::from(kind as i32 == WS_VARIANT_DICTIONARY))
                    .for_each(|_| value(random, depth - 1, out));
            }
            WS_VARIANT_PACKED_STRING_ARRAY => {
                word(out, count);
                (0..count).for_each(|_| text(random, out));
            }
            WS_VARIANT_NODE_PATH => {
                let sub_names = random.below(3);
                let flags = random.below(4);
                word(out, count | NAMES);
                word(out, sub_names);
                word(out, flags);
                (0..count + sub_names + (flags >> 1)).for_each(|_| text(random, out));
            }
            _ => {
                let [narrow, wide] = ELEMENT[kind as usize];
                let size = if flags & WIDE == 0 { narrow } else { wide };
                let len = usize::from(size) * count as usize;
                word(out, count);
                out.resize(out.len() + len.next_multiple_of(4), 7);
            }
        }
    }

    /// The number of items of a value and the bytes behind it, or what is wrong with it.
    fn walk(
        bytes: &[u8],
        form: Form,
        mut step: impl FnMut(&mut Reader<'_>) -> Result<u64, Fault>,
    ) -> Result<(u64, usize), Fault> {
        let (mut reader, mut count) = (Reader::new(bytes, form), 0);
        loop {
            count += step(&mut reader)?;
            if reader.is_outside() {
                return Ok((count, reader.rest().len()));
            }
        }
    }

    #[test]
    fn skipping_accepts_and_refuses_what_reading_does() {
        let mut random = Random::new(7);
        let (mut good, mut bad, mut most_items) = (0, 0, 0);
        for round in 0..60_000_u32 {
            let mut bytes = Vec::new();
            if round % 8 == 0 {
                // Around the limit of nesting.
                for _ in 0..56 + random.below(12) {
                    bytes.extend_from_slice(&[28, 0, 0, 0, 1, 0, 0, 0]);
                }
            }
            value(&mut random, 4, &mut bytes);
            for _ in 0..random.below(3) {
                let (at, bit) = (random.below(bytes.len() as u32) as usize, random.below(8));
                bytes[at] ^= 1 << bit;
            }
            bytes.truncate(
                bytes.len() - random.below(2 * bytes.len() as u32).saturating_sub(bytes.len() as u32) as usize,
            );
            for form in [Form::Full, Form::Compact] {
                let read = walk(&bytes, form, |reader| reader.read_item().map(|_| 1));
                for most in [0, 1, 5, u64::MAX] {
                    let skipped = walk(&bytes, form, |reader| reader.skip_items(most));
                    assert_eq!(skipped, read, "{most} of {bytes:x?}");
                }
                match read {
                    Ok((count, _)) => (good, most_items) = (good + 1, most_items.max(count)),
                    Err(_) => bad += 1,
                }
            }
        }
        assert!(good > 10_000 && bad > 10_000 && most_items > 64, "{good} {bad} {most_items}");
    }
}
