//! Values as the program gives them: pairs of a property's name and its value.

use super::super::{Form, Item, Sink, name, write};
use crate::codes::*;

/// The values of a spawn or of a synchronization, each in compact form.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// The data of a custom spawn.
    pub data: Option<Vec<u8>>,
    /// Names of properties and their values.
    pub pairs: Vec<(String, Vec<u8>)>,
}

impl Values {
    /// Reads the program's items. `has_data`: they begin with the data of a custom spawn.
    pub fn read(items: &[Item<'_>], has_data: bool) -> Result<Values, String> {
        let (mut values, mut at) = (Values::default(), 0);
        if has_data {
            values.data = Some(value(items, &mut at)?);
        }
        while let Some(item) = items.get(at) {
            let text = std::str::from_utf8(item.bytes).ok();
            let Some(property) = text.filter(|_| item.kind == WS_VARIANT_STRING) else {
                return Err(format!("item {at} ({}) is not the name of a property, a String", name(item.kind)));
            };
            at += 1;
            values.pairs.push((property.to_owned(), value(items, &mut at)?));
        }
        Ok(values)
    }
}

/// Encodes the value that begins at `at`, and moves `at` behind it.
fn value(items: &[Item<'_>], at: &mut usize) -> Result<Vec<u8>, String> {
    let (from, mut lacks) = (*at, 1_u64);
    while lacks > 0 {
        let item = items.get(*at).ok_or_else(|| format!("the value at item {from} lacks {lacks} items"))?;
        *at += 1;
        lacks = lacks - 1 + inside(item);
    }
    let encode = |memory: &mut [u8]| {
        let mut sink = Sink::new(memory);
        write(items[from..*at].iter().copied(), Form::Compact, &mut sink).map(|_| sink.len())
    };
    let len = encode(&mut []).map_err(|why| format!("the value at item {from}: {why}"))?;
    let mut bytes = vec![0; len];
    encode(&mut bytes)?;
    Ok(bytes)
}

/// Number of items that belong to one.
fn inside(item: &Item<'_>) -> u64 {
    match item.kind {
        WS_VARIANT_ARRAY | WS_VARIANT_PACKED_STRING_ARRAY | WS_VARIANT_NODE_PATH => u64::from(item.count),
        WS_VARIANT_DICTIONARY => 2 * u64::from(item.count),
        _ => 0,
    }
}
