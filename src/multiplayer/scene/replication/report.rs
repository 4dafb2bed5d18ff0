//! What the program gets of a packet and decodes with ws_decode_replication: the nodes, with the names of their
//! properties. Each name stands once at the end, however many nodes have it.
//!
//! The first byte is the packet's command, then follows the place of the names. A node: its number, places of the path
//! and of its name, the scene, whether data follows, the number of pairs, and each pair as the place of the name and the
//! value in compact form. All numbers have 32 bits.

use super::super::{Fault, Form, Item, Reader};
use super::declared::Synchronizer;
use super::{DESPAWN, SPAWN, SYNC};
use crate::codes::WS_VARIANT_STRING;
use crate::heap;
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes in front of the first node.
const HEAD: usize = 5;
/// The scene of a synchronizer that no spawn lists.
const NO_SCENE: u32 = 256;

/// Collects nodes.
pub(super) struct Report {
    bytes: Vec<u8>,
    names: Vec<u8>,
    /// Where the names of a synchronizer, and a path, begin among the names, by their address.
    places: HashMap<usize, u32>,
    /// Where the number of pairs of the last node stands, and that number.
    count: (usize, u32),
}

impl Report {
    /// An empty one. `room`: bytes of the packet. `None`: there is no memory.
    pub(super) fn new(command: u8, room: usize) -> Option<Report> {
        let mut bytes = Vec::new();
        heap::reserve(&mut bytes, HEAD + 2 * room).then_some(())?;
        bytes.extend_from_slice(&[command, 0, 0, 0, 0]);
        Some(Report { bytes, names: vec![0], places: HashMap::new(), count: (0, 0) })
    }

    fn word(&mut self, word: u32) {
        self.bytes.extend_from_slice(&word.to_le_bytes());
    }

    /// Begins a node.
    pub(super) fn begin(&mut self, node: u32, path: &Arc<str>, name: &str, scene: Option<u8>, has_data: bool) {
        self.end();
        let address = path.as_ptr().addr();
        let place = self.place(address, path.as_bytes(), true);
        let name_at = if name.is_empty() { 0 } else { self.names.len() as u32 };
        if !name.is_empty() {
            self.names.extend_from_slice(name.as_bytes());
            self.names.push(0);
        }
        for word in [node, place, name_at, scene.map_or(NO_SCENE, u32::from), u32::from(has_data)] {
            self.word(word);
        }
        self.count = (self.bytes.len(), 0);
        self.word(0);
    }

    /// Appends the data of a custom spawn.
    pub(super) fn data(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
    }

    /// Where the names of a synchronizer's properties begin.
    pub(super) fn names_of(&mut self, synchronizer: &Arc<Synchronizer>) -> u32 {
        self.place(Arc::as_ptr(synchronizer).addr(), &synchronizer.names, false)
    }

    /// Appends a property, whose name is among those at `names`.
    pub(super) fn pair(&mut self, synchronizer: &Synchronizer, names: u32, property: u16, value: &[u8]) {
        let name = synchronizer.places.get(usize::from(property)).copied().unwrap_or_default();
        self.word(names + name);
        self.bytes.extend_from_slice(value);
        self.count.1 += 1;
    }

    fn place(&mut self, address: usize, names: &[u8], ends: bool) -> u32 {
        *self.places.entry(address).or_insert_with(|| {
            let place = self.names.len() as u32;
            self.names.extend_from_slice(names);
            self.names.extend(ends.then_some(0));
            place
        })
    }

    fn end(&mut self) {
        let (at, count) = self.count;
        if at > 0 {
            self.bytes[at..at + 4].copy_from_slice(&count.to_le_bytes());
        }
    }

    /// Whether there is no node in it.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.len() == HEAD
    }

    /// The bytes for the program; `None`: there is no memory.
    pub(super) fn finish(mut self) -> Option<Vec<u8>> {
        self.end();
        let names_at = self.bytes.len() as u32;
        self.bytes[1..HEAD].copy_from_slice(&names_at.to_le_bytes());
        heap::append(&mut self.bytes, &self.names).then_some(self.bytes)
    }
}

/// A node in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Path of the spawner or synchronizer; a NUL follows it.
    pub path: &'a str,
    /// Name of a spawned node, or ""; a NUL follows it.
    pub name: &'a str,
    /// Its number.
    pub node: u32,
    /// The scene; `None`: it is a synchronizer that no spawn lists.
    pub scene: Option<u8>,
    /// Number of items.
    pub items: u32,
    /// How many of the first items are the data of a custom spawn.
    pub data_items: u32,
}

/// Reads the node at `at`, 0 for the first, and passes its items to `take`. Returns it with the place of the next one;
/// `None`: there is no other.
pub fn next_entry<'a>(
    bytes: &'a [u8],
    at: usize,
    mut take: impl FnMut(usize, &Item<'a>),
) -> Result<Option<(Entry<'a>, usize)>, Fault> {
    let strange = || Fault::Malformed("it is no packet of type WS_SPAWN, WS_DESPAWN or WS_SYNC".to_owned());
    let word = |at: &mut usize| {
        let word = bytes.get(*at..).and_then(|bytes| bytes.first_chunk()).ok_or_else(strange)?;
        *at += 4;
        Ok::<_, Fault>(u32::from_le_bytes(*word))
    };
    if !matches!(bytes.first(), Some(&(SPAWN | DESPAWN | SYNC))) || bytes.last() != Some(&0) {
        return Err(strange());
    }
    let names_at = word(&mut 1)? as usize;
    let names = bytes.get(names_at..).filter(|names| !names.is_empty()).ok_or_else(strange)?;
    let text = |at: u32| {
        let text = names.get(at as usize..).and_then(|names| names.split(|byte| *byte == 0).next());
        text.filter(|_| (at as usize) < names.len()).and_then(|text| std::str::from_utf8(text).ok()).ok_or_else(strange)
    };
    let mut at = if at == 0 { HEAD } else { at };
    match at {
        _ if at == names_at => return Ok(None),
        _ if at < HEAD || at > names_at => return Err(strange()),
        _ => {}
    }
    let (node, path, name) = (word(&mut at)?, text(word(&mut at)?)?, text(word(&mut at)?)?);
    let scene = u8::try_from(word(&mut at)?).ok();
    let (has_data, count) = (word(&mut at)? != 0, word(&mut at)?);
    let mut index = 0;
    if has_data {
        at += read_value(bytes.get(at..names_at).ok_or_else(strange)?, &mut index, &mut take)?;
    }
    let data_items = index as u32;
    for _ in 0..count {
        let property = text(word(&mut at)?)?;
        take(index, &Item { kind: WS_VARIANT_STRING, bytes: property.as_bytes(), ..Item::default() });
        index += 1;
        at += read_value(bytes.get(at..names_at).ok_or_else(strange)?, &mut index, &mut take)?;
    }
    if at > names_at {
        return Err(strange());
    }
    let items = u32::try_from(index).map_err(|_| strange())?;
    Ok(Some((Entry { path, name, node, scene, items, data_items }, at)))
}

/// Passes the items of the value in front to `take`. Returns its length.
fn read_value<'a>(bytes: &'a [u8], index: &mut usize, take: &mut impl FnMut(usize, &Item<'a>)) -> Result<usize, Fault> {
    let mut reader = Reader::new(bytes, Form::Compact);
    loop {
        take(*index, &reader.read_item()?);
        *index += 1;
        if reader.is_outside() {
            return Ok(bytes.len() - reader.rest().len());
        }
    }
}
