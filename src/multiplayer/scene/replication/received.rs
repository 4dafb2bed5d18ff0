//! The nodes that other peers have spawned here, and their packets.

use super::super::packet::word;
use super::declared::{Declaration, Declared, Synchronizer};
use super::report::Report;
use super::{BY_PATH, DELTA, DESPAWN, MAX_NODES, SPAWN, SYNC, value_len};
use crate::error::shown;
use crate::heap::{self, Discarded};
use crate::names::MAX_CALL_ITEMS;
use crate::status::{Cause, MessageType};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Maximum bytes of a node's name.
const MAX_NAME: usize = 4_096;
/// What a state counts among the items of a packet: finding its synchronizer takes as long as reading so many values.
const STATE_ITEMS: u64 = 16;
/// Number of nodes above which dropping them is left to the worker.
const MANY: usize = 256;

impl Discarded for BTreeMap<i32, Remote> {}

/// What each peer has spawned.
#[derive(Default)]
pub struct Received {
    /// By id. Peers control its size, so it is a tree, which grows in small steps.
    peers: BTreeMap<i32, Remote>,
}

/// The nodes of one peer.
#[derive(Default)]
struct Remote {
    nodes: BTreeMap<u32, Node>,
    /// Synchronizers of these nodes, by their numbers.
    synchronizers: BTreeMap<u32, Place>,
}

struct Node {
    declaration: Arc<Declaration>,
    /// Numbers of its synchronizers.
    synchronizers: Box<[u32]>,
}

/// A synchronizer of a spawned node.
struct Place {
    node: u32,
    index: u16,
    declaration: Arc<Declaration>,
    /// The time of its last packet.
    time: Option<u16>,
}

/// What a packet brings.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// For the program.
    pub message: Option<(MessageType, Vec<u8>)>,
    /// What does not reach it.
    pub lost: Option<(Cause, String)>,
}

/// Why a packet is not used.
enum Fault {
    /// No peer sends this.
    Broken(String),
    /// It does not reach the program.
    Lost(Cause, String),
}

type Done<T> = Result<T, Fault>;

/// Reads a packet of `from`. `path_of`: the path of our node that a peer's number stands for.
pub(super) struct Source<'a, F> {
    pub from: i32,
    pub max_items: u64,
    pub declared: &'a mut Declared,
    pub path_of: F,
}

impl Received {
    /// Heap bytes.
    pub fn bytes(&self) -> usize {
        let of_peer = |remote: &Remote| {
            heap::tree_bytes::<(u32, Node)>(remote.nodes.len())
                + heap::tree_bytes::<(u32, Place)>(remote.synchronizers.len())
                + 4 * remote.synchronizers.len()
        };
        heap::tree_bytes::<(i32, Remote)>(self.peers.len()) + self.peers.values().map(of_peer).sum::<usize>()
    }

    /// Whether dropping it takes long enough to leave it to the worker.
    pub fn is_large(&self) -> bool {
        self.peers.values().map(|remote| remote.nodes.len() + remote.synchronizers.len()).sum::<usize>() > MANY
    }

    /// Forgets the nodes of all peers. Returns them, for the worker to free if they are many.
    pub fn leave_all(&mut self) -> impl Discarded + use<> {
        std::mem::take(&mut self.peers)
    }

    /// Forgets the nodes of a peer. Returns them, for the worker to free if they are many.
    pub fn leave(&mut self, peer: i32) -> impl Discarded + use<> {
        self.peers.remove(&peer).map(|remote| BTreeMap::from([(peer, remote)])).unwrap_or_default()
    }

    /// Reads a packet. `Err`: it breaks the format.
    pub fn take(
        &mut self,
        declared: &mut Declared,
        path_of: impl Fn(u32) -> Option<Arc<str>>,
        from: i32,
        max_items: u64,
        bytes: &[u8],
    ) -> Result<Taken, String> {
        let mut source = Source { from, max_items, declared, path_of };
        let done = match bytes.split_first() {
            Some((&SPAWN, rest)) => self.spawn(&mut source, rest),
            Some((&DESPAWN, rest)) => self.despawn(from, rest),
            Some((&SYNC, rest)) => self.sync(&mut source, rest),
            Some((&DELTA, rest)) => self.delta(&mut source, rest),
            _ => Err(Fault::Broken("a packet of replication has unknown flags".to_owned())),
        };
        match done {
            Ok(taken) => Ok(taken),
            Err(Fault::Lost(cause, why)) => Ok(Taken { message: None, lost: Some((cause, why)) }),
            Err(Fault::Broken(why)) => Err(why),
        }
    }

    fn spawn<F: Fn(u32) -> Option<Arc<str>>>(&mut self, source: &mut Source<'_, F>, mut rest: &[u8]) -> Done<Taken> {
        let from = source.from;
        let broken = |why: &str| Fault::Broken(format!("a spawn {why}"));
        let scene = *take(&mut rest, 1)?.first().ok_or_else(|| broken("is cut off"))?;
        let (spawner, node, count, len) =
            (number(&mut rest)?, number(&mut rest)?, number(&mut rest)? as usize, number(&mut rest)? as usize);
        let numbers = take(&mut rest, count.checked_mul(4).ok_or_else(|| broken("is cut off"))?)?;
        let name = take(&mut rest, len)?.strip_suffix(b"\0").filter(|name| name.len() <= MAX_NAME);
        let name = name.and_then(|name| std::str::from_utf8(name).ok()).filter(|name| is_name(name));
        let name = name.ok_or_else(|| broken("has an invalid name"))?;
        let lost = |cause, why: String| Err(Fault::Lost(cause, format!("peer {from} spawned {}: {why}", shown(name))));
        let Some(path) = (source.path_of)(spawner) else {
            return lost(Cause::NoNode, "its spawner is not declared: use ws_declare_scene".to_owned());
        };
        let Some(authority) = source.declared.authority(&path) else {
            return lost(Cause::NoNode, format!("the spawner {} is not declared: use ws_declare_scene", shown(&path)));
        };
        if authority != from {
            return lost(Cause::Authority, format!("the authority of {} is {}", shown(&path), whose(authority)));
        }
        let Some(declaration) = source.declared.scene(&path, scene) else {
            return lost(
                Cause::NoNode,
                format!("scene {scene} of {} is not declared: use ws_declare_scene", shown(&path)),
            );
        };
        let other = || {
            lost(
                Cause::Checksum,
                format!("scene {scene} of {} has other synchronizers or properties than were declared", shown(&path)),
            )
        };
        if count != declaration.synchronizers.len() {
            return other();
        }
        let Some(mut report) = Report::new(SPAWN, rest.len()) else { return Ok(no_memory(from)) };
        let has_data = u32::from(scene) == crate::codes::WS_CUSTOM_SCENE;
        report.begin(node, &declaration.spawner, name, Some(scene), has_data);
        let mut left = source.max_items;
        if has_data {
            let size = number(&mut rest)? as usize;
            let data = take(&mut rest, size)?;
            match value_len(data, &mut left) {
                Ok(len) if len == data.len() => report.data(data),
                Ok(_) => return lost(Cause::Unsupported, "its data is more than one value".to_owned()),
                Err(fault) => return lost(Cause::Unsupported, format!("its data cannot be read: {}", fault.message())),
            }
        }
        for synchronizer in &declaration.synchronizers {
            match read_state(&mut report, synchronizer, &synchronizer.spawn, rest, &mut left) {
                Ok(behind) => rest = behind,
                Err(Some(why)) => return lost(Cause::Unsupported, why),
                Err(None) => return other(),
            }
        }
        if !rest.is_empty() {
            return other();
        }
        let declaration = declaration.clone();
        let remote = self.peers.entry(from).or_default();
        if remote.nodes.len() >= MAX_NODES {
            return Err(Fault::Broken(format!("it has spawned more than {MAX_NODES} nodes")));
        }
        if remote.nodes.contains_key(&node) {
            return Err(Fault::Broken(format!("it gives the number {node} to a second node")));
        }
        let numbers: Box<[u32]> = numbers.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
        if numbers.iter().any(|number| number & BY_PATH != 0 || remote.synchronizers.contains_key(number)) {
            return Err(Fault::Broken("it gives a number to a second synchronizer".to_owned()));
        }
        for (index, number) in (0..).zip(&numbers) {
            let place = Place { node, index, declaration: declaration.clone(), time: None };
            remote.synchronizers.insert(*number, place);
        }
        remote.nodes.insert(node, Node { declaration, synchronizers: numbers });
        Ok(message(from, MessageType::Spawn, report))
    }

    fn despawn(&mut self, from: i32, rest: &[u8]) -> Done<Taken> {
        let node = word(rest).map_err(Fault::Broken)?;
        let remote = self.peers.get_mut(&from);
        let Some((remote, gone)) = remote.and_then(|remote| remote.nodes.remove(&node).map(|gone| (remote, gone)))
        else {
            let why = format!("peer {from} despawned node {node}, whose spawn was dropped or never came");
            return Err(Fault::Lost(Cause::NoNode, why));
        };
        for number in &gone.synchronizers {
            remote.synchronizers.remove(number);
        }
        let Some(mut report) = Report::new(DESPAWN, 0) else { return Ok(no_memory(from)) };
        report.begin(node, &gone.declaration.spawner, "", Some(gone.declaration.scene), false);
        Ok(message(from, MessageType::Despawn, report))
    }

    fn sync<F: Fn(u32) -> Option<Arc<str>>>(&mut self, source: &mut Source<'_, F>, mut rest: &[u8]) -> Done<Taken> {
        let time = take(&mut rest, 2)?;
        let time = u16::from_le_bytes([time[0], time[1]]);
        self.states(source, rest, |rest| {
            let (number, len) = (number(rest)?, number(rest)? as usize);
            Ok((number, Some(time), u64::MAX, take(rest, len)?))
        })
    }

    fn delta<F: Fn(u32) -> Option<Arc<str>>>(&mut self, source: &mut Source<'_, F>, rest: &[u8]) -> Done<Taken> {
        self.states(source, rest, |rest| {
            let id = number(rest)?;
            let mask = u64::from(number(rest)?) | u64::from(number(rest)?) << 32;
            let len = number(rest)? as usize;
            Ok((id, None, mask, take(rest, len)?))
        })
    }

    /// Reads the states of synchronizers. `next` reads the head of one: its number, the packet's time if it has all
    /// properties with "always", which of those with "change" it has, and the values.
    fn states<'b, F: Fn(u32) -> Option<Arc<str>>>(
        &mut self,
        source: &mut Source<'_, F>,
        mut rest: &'b [u8],
        next: impl Fn(&mut &'b [u8]) -> Done<(u32, Option<u16>, u64, &'b [u8])>,
    ) -> Done<Taken> {
        let from = source.from;
        let Some(mut report) = Report::new(SYNC, rest.len()) else { return Ok(no_memory(from)) };
        let (mut left, mut lost) = (source.max_items, None);
        while !rest.is_empty() {
            let (number, time, mask, state) = next(&mut rest)?;
            let Some(rest_of_items) = left.checked_sub(STATE_ITEMS) else {
                return Err(Fault::Broken(format!(
                    "a packet of replication has more states and values than {MAX_CALL_ITEMS}"
                )));
            };
            left = rest_of_items;
            let found = if number & BY_PATH == 0 {
                self.peers.get_mut(&from).and_then(|remote| remote.synchronizers.get_mut(&number)).map(|place| {
                    let synchronizer = place.declaration.synchronizers.get(usize::from(place.index)).cloned();
                    let scene = Some(place.declaration.scene);
                    (place.node, place.declaration.spawner.clone(), scene, synchronizer, &mut place.time)
                })
            } else {
                let lone = (source.path_of)(number & !BY_PATH).and_then(|path| source.declared.lone(&path));
                match lone {
                    Some(lone) if lone.authority != from => {
                        let (path, whose) = (shown(&lone.path), whose(lone.authority));
                        let why = format!("peer {from} synchronized {path}, whose authority is {whose}");
                        lost = lost.or(Some((Cause::Authority, why)));
                        continue;
                    }
                    lone => lone
                        .map(|lone| (number, lone.path.clone(), None, Some(lone.synchronizer.clone()), &mut lone.time)),
                }
            };
            let Some((node, path, scene, Some(synchronizer), last)) = found else {
                lost = lost.or_else(|| {
                    let why = format!(
                        "peer {from} synchronized what is not declared: use ws_declare_scene or ws_declare_synchronizer"
                    );
                    Some((Cause::NoNode, why))
                });
                continue;
            };
            if let Some(time) = time {
                if last.is_some_and(|last| last > time && last - time < 32_767) {
                    continue;
                }
                *last = Some(time);
            }
            let changed: Vec<u16>;
            let list = if time.is_some() {
                &synchronizer.always
            } else {
                let bits = (0..).zip(&synchronizer.change).filter(|(bit, _)| mask >> bit & 1 == 1);
                changed = bits.map(|(_, of)| *of).collect();
                &changed
            };
            let knows_mask = time.is_some() || mask.checked_shr(synchronizer.change.len() as u32).unwrap_or(0) == 0;
            report.begin(node, &path, "", scene, false);
            match read_state(&mut report, &synchronizer, list, state, &mut left) {
                Ok([]) if knows_mask => {}
                Err(Some(why)) => {
                    return Err(Fault::Lost(Cause::Unsupported, format!("peer {from} synchronized a node: {why}")));
                }
                _ => {
                    let why = format!(
                        "a synchronizer of {} has other properties at peer {from} than were declared",
                        shown(&path)
                    );
                    return Err(Fault::Lost(Cause::Checksum, why));
                }
            }
        }
        Ok(Taken {
            lost,
            ..if report.is_empty() { Taken::default() } else { message(from, MessageType::Sync, report) }
        })
    }
}

/// Reads the values of these properties. Returns what is behind them. `Err`: there are others, or why one cannot be read.
fn read_state<'b>(
    report: &mut Report,
    synchronizer: &Arc<Synchronizer>,
    properties: &[u16],
    mut rest: &'b [u8],
    left: &mut u64,
) -> Result<&'b [u8], Option<String>> {
    let names = if properties.is_empty() { 0 } else { report.names_of(synchronizer) };
    for property in properties {
        // The name of a property is an item too.
        *left = left.saturating_sub(1);
        let len = match value_len(rest, left) {
            Ok(len) => len,
            Err(super::Fault::Malformed(_)) => return Err(None),
            Err(super::Fault::Unsupported(why) | super::Fault::TooMany(why)) => return Err(Some(why)),
        };
        let (value, behind) = rest.split_at(len);
        report.pair(synchronizer, names, *property, value);
        rest = behind;
    }
    Ok(rest)
}

fn message(from: i32, kind: MessageType, report: Report) -> Taken {
    match report.finish() {
        Some(bytes) => Taken { message: Some((kind, bytes)), lost: None },
        None => no_memory(from),
    }
}

fn no_memory(from: i32) -> Taken {
    let why = format!(
        "peer {from} sent a packet of replication, and there is no memory left to take it: lower {}",
        crate::names::MAX_CALL_BYTES
    );
    Taken { message: None, lost: Some((Cause::Resources, why)) }
}

fn take<'b>(rest: &mut &'b [u8], count: usize) -> Done<&'b [u8]> {
    let (taken, behind) = rest
        .split_at_checked(count)
        .ok_or_else(|| Fault::Broken("a packet of replication is shorter than it says".to_owned()))?;
    *rest = behind;
    Ok(taken)
}

fn number(rest: &mut &[u8]) -> Done<u32> {
    take(rest, 4).and_then(|bytes| word(bytes).map_err(Fault::Broken))
}

fn whose(authority: i32) -> String {
    if authority == 0 { "this program".to_owned() } else { format!("peer {authority}") }
}

/// Whether the engine accepts it as the name of a node.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['.', ':', '/', '"', '%', '\0'])
}
