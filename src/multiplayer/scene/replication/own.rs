//! The nodes that this program spawns and synchronizes, and what each peer has been told of them.

use super::super::cache::Cache;
use super::declared::{Declaration, Declared, Synchronizer, wrong};
use super::received::is_name;
use super::values::Values;
use super::{BY_PATH, DELTA, DESPAWN, MAX_NODES, SPAWN, SYNC};
use crate::codes::{WS_CUSTOM_SCENE, WS_OPT_MAX_CALL_BYTES};
use crate::endpoint::Options;
use crate::error::{Error, shown};
use crate::heap;
use crate::names::{MAX_CALL_BYTES, MAX_MESSAGE_BYTES, MAX_PUT_BYTES, Name};
use crate::status::ErrorCode;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Maximum bytes of a packet that several nodes or synchronizers share, as in the engine.
const SHARED: usize = 1_350;
/// Number of nodes and peers above which dropping them is left to the worker.
const MANY: usize = 256;

/// Where packets go.
pub trait Outlet {
    /// The peers that may get packets.
    fn peers(&mut self) -> Vec<i32>;
    /// Whether a peer's queue has room for so many bytes in one or several packets. A peer that is gone has.
    fn has_room(&mut self, peer: i32, bytes: usize) -> bool;
    /// Sends a packet to peers whose queues have room. False: not to all.
    fn put(&mut self, peers: &[i32], packet: &[u8]) -> bool;
    /// Counts work. True: the budget of the poll is exhausted.
    fn is_spent(&mut self) -> bool;
}

/// How long the packets about a node may be. They go to all players, those to come included.
#[derive(Clone, Copy)]
pub struct NodeLimit {
    bytes: u64,
    /// The option that says so.
    name: Name,
}

impl NodeLimit {
    /// The lowest limit of the options.
    pub fn of(options: &Options) -> NodeLimit {
        let limits = [
            (options.limit(WS_OPT_MAX_CALL_BYTES), MAX_CALL_BYTES),
            (options.max_message(), MAX_MESSAGE_BYTES),
            (options.max_put(), MAX_PUT_BYTES),
        ];
        let (bytes, name) = limits.into_iter().min_by_key(|(bytes, _)| *bytes).unwrap_or(limits[0]);
        NodeLimit { bytes, name }
    }

    fn check(self, longest: usize) -> Result<(), Error> {
        if longest as u64 + 32 <= self.bytes {
            return Ok(());
        }
        let why = format!("the node needs packets of {longest} bytes: {} is {}", self.name, self.bytes);
        Err(Error::new(ErrorCode::TooBig, why))
    }
}

/// The nodes, and the peers.
#[derive(Default)]
pub struct Own {
    /// By number; those of synchronizers by path have `BY_PATH`.
    nodes: BTreeMap<u32, Node>,
    /// The number given last.
    last: u32,
    /// By id.
    peers: BTreeMap<i32, Peer>,
    /// Peers that have to be told something.
    due: BTreeSet<i32>,
    /// The one of them that is next.
    next: i32,
    /// The time in packets: it moves on with each poll in which something was synchronized.
    time: u16,
    moves: bool,
}

struct Node {
    what: What,
    /// Its synchronizers, with the values of their properties.
    parts: Vec<Part>,
    /// It is shown to all.
    is_public: bool,
}

enum What {
    Spawned { declaration: Arc<Declaration>, name: String, data: Option<Vec<u8>> },
    ByPath(Arc<str>),
}

struct Part {
    /// Its number in packets.
    number: u32,
    synchronizer: Arc<Synchronizer>,
    /// Of each property, in compact form; `None`: it was never given.
    values: Vec<Option<Vec<u8>>>,
}

/// What a peer has been told.
#[derive(Default)]
struct Peer {
    /// Nodes that it has. True: it lacks values of properties with "change".
    nodes: BTreeMap<u32, bool>,
    /// Nodes that may have to be shown, hidden or updated.
    changed: BTreeSet<u32>,
    /// All nodes from this number on, too.
    from: Option<u32>,
    /// Nodes that are shown to it, beside those that are shown to all.
    shown: BTreeSet<u32>,
}

impl Node {
    /// The packet that spawns it; `None`: it is by path.
    fn spawn(&self, number: u32, spawner: u32) -> Option<Vec<u8>> {
        let What::Spawned { declaration, name, data } = &self.what else { return None };
        let mut out = vec![SPAWN, declaration.scene];
        let numbers = self.parts.iter().map(|part| part.number);
        let head = [spawner, number, self.parts.len() as u32, name.len() as u32 + 1];
        head.into_iter().chain(numbers).for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
        out.extend_from_slice(name.as_bytes());
        out.push(0);
        if let Some(data) = data {
            out.extend_from_slice(&(data.len() as u32).to_le_bytes());
            out.extend_from_slice(data);
        }
        for part in &self.parts {
            part.synchronizer.spawn.iter().for_each(|index| out.extend_from_slice(part.value(*index)));
        }
        Some(out)
    }

    /// The packets with the values of properties with "change" in `masks`, one mask for each synchronizer.
    fn delta(&self, masks: &[u64]) -> Vec<Vec<u8>> {
        let mut packets = Packets::new(&[DELTA]);
        for (part, mask) in self.parts.iter().zip(masks).filter(|(_, mask)| **mask != 0) {
            let changed = (0..).zip(&part.synchronizer.change).filter(|(bit, _)| mask >> bit & 1 == 1);
            let state: Vec<u8> = changed.flat_map(|(_, index)| part.value(*index)).copied().collect();
            packets.add(&[
                &part.number.to_le_bytes(),
                &mask.to_le_bytes(),
                &(state.len() as u32).to_le_bytes(),
                &state,
            ]);
        }
        packets.done()
    }

    /// Bytes of the longest packet about it once it has these values too.
    fn longest(&self, pairs: &[(String, Vec<u8>)]) -> usize {
        let len = |part: &Part, index: &u16| {
            let given = pairs.iter().rfind(|(name, _)| part.synchronizer.find(name) == Some(usize::from(*index)));
            given.map_or(part.value(*index).len(), |(_, value)| value.len())
        };
        let state = |part: &Part, of: &[u16]| of.iter().map(|index| len(part, index)).sum::<usize>();
        let spawn = match &self.what {
            What::Spawned { name, data, .. } => {
                let states: usize = self.parts.iter().map(|part| 4 + state(part, &part.synchronizer.spawn)).sum();
                19 + name.len() + data.as_ref().map_or(0, |data| 4 + data.len()) + states
            }
            What::ByPath(_) => 0,
        };
        let synced = |part: &Part| 11 + state(part, &part.synchronizer.always);
        let changed = |part: &Part| 17 + state(part, &part.synchronizer.change);
        self.parts.iter().map(|part| synced(part).max(changed(part))).fold(spawn, usize::max)
    }

    /// The masks of all properties with "change" that have a value.
    fn known(&self) -> Vec<u64> {
        let has = |part: &Part, index: u16| part.values.get(usize::from(index)).is_some_and(Option::is_some);
        let mask = |part: &Part| {
            let given = (0..).zip(&part.synchronizer.change).filter(|(_, index)| has(part, **index));
            given.map(|(bit, _): (u32, _)| 1 << bit).sum()
        };
        self.parts.iter().map(mask).collect()
    }

    /// Stores values. Returns of each synchronizer whether one with "always" was given, and which with "change" have
    /// changed.
    fn store(&mut self, pairs: Vec<(String, Vec<u8>)>) -> Result<Vec<(bool, u64)>, Error> {
        let mut places = Vec::with_capacity(pairs.len());
        for (name, _) in &pairs {
            let found = self.parts.iter().enumerate().find_map(|(of, part)| Some((of, part.synchronizer.find(name)?)));
            places.push(found.ok_or_else(|| wrong(format!("the property {} is not declared", shown(name))))?);
        }
        let mut told = vec![(false, 0); self.parts.len()];
        for ((_, value), (of, index)) in pairs.into_iter().zip(places) {
            let part = &mut self.parts[of];
            let property = index as u16;
            told[of].0 |= part.synchronizer.always.contains(&property);
            let place = &mut part.values[index];
            if place.as_ref() != Some(&value)
                && let Some(bit) = part.synchronizer.change.iter().position(|change| *change == property)
            {
                told[of].1 |= 1 << bit;
            }
            *place = Some(value);
        }
        Ok(told)
    }

    /// `Err`: a property that a spawn brings was never given.
    fn check_spawn(&self) -> Result<(), Error> {
        for part in &self.parts {
            if let Some(index) =
                part.synchronizer.spawn.iter().find(|index| part.values[usize::from(**index)].is_none())
            {
                return Err(no_value(&part.synchronizer, *index));
            }
        }
        Ok(())
    }

    fn heap_bytes(&self) -> usize {
        self.parts.iter().flat_map(|part| part.values.iter().flatten()).map(|value| 24 + value.len()).sum()
    }
}

impl Part {
    fn new(number: u32, synchronizer: &Arc<Synchronizer>) -> Part {
        Part { number, synchronizer: synchronizer.clone(), values: vec![None; synchronizer.len()] }
    }

    fn value(&self, index: u16) -> &[u8] {
        self.values.get(usize::from(index)).and_then(Option::as_deref).unwrap_or_default()
    }
}

/// States in as few packets as the engine makes.
struct Packets {
    head: Vec<u8>,
    packets: Vec<Vec<u8>>,
}

impl Packets {
    fn new(head: &[u8]) -> Packets {
        Packets { head: head.to_vec(), packets: Vec::new() }
    }

    fn add(&mut self, parts: &[&[u8]]) {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        match self.packets.last_mut().filter(|last| last.len() + len <= SHARED) {
            Some(last) => parts.iter().for_each(|part| last.extend_from_slice(part)),
            None => self.packets.push([&[self.head.as_slice()], parts].concat().concat()),
        }
    }

    fn done(self) -> Vec<Vec<u8>> {
        self.packets
    }
}

impl Own {
    /// Whether dropping it takes long enough to leave it to the worker.
    pub fn is_large(&self) -> bool {
        self.nodes.len() + self.peers.len() > MANY
    }

    /// Heap bytes kept about nodes and what peers have been told.
    pub fn bytes(&self) -> usize {
        let told = |peer: &Peer| {
            heap::tree_bytes::<(u32, bool)>(peer.nodes.len())
                + heap::tree_bytes::<u32>(peer.changed.len() + peer.shown.len())
        };
        heap::tree_bytes::<(u32, Node)>(self.nodes.len())
            + self.nodes.values().map(Node::heap_bytes).sum::<usize>()
            + heap::tree_bytes::<(i32, Peer)>(self.peers.len())
            + self.peers.values().map(told).sum::<usize>()
    }

    /// A peer may get packets from now on: it gets all nodes that it may see.
    pub fn meet(&mut self, peer: i32) {
        if !self.nodes.is_empty() {
            self.peers.insert(peer, Peer { from: Some(0), ..Peer::default() });
            self.due.insert(peer);
        }
    }

    /// A peer has gone.
    pub fn leave(&mut self, peer: i32) {
        self.peers.remove(&peer);
        self.due.remove(&peer);
    }

    /// All peers have gone. The nodes stay, for those to come.
    pub fn leave_all(&mut self) {
        self.peers.clear();
        self.due.clear();
    }

    /// A peer has confirmed the number of a path.
    pub fn confirmed(&mut self, peer: i32, number: u32) {
        if self.nodes.contains_key(&(number | BY_PATH))
            && let Some(told) = self.peers.get_mut(&peer)
        {
            told.changed.insert(number | BY_PATH);
            self.due.insert(peer);
        }
    }

    /// Spawns a node. Returns its number.
    pub fn spawn(
        &mut self,
        declared: &Declared,
        cache: &mut Cache,
        outlet: &mut dyn Outlet,
        (spawner, scene, name): (&str, u8, &str),
        values: Values,
        limit: NodeLimit,
    ) -> Result<u32, Error> {
        let Some(declaration) = declared.scene(spawner, scene) else {
            return Err(wrong(format!("scene {scene} of {} is not declared: use ws_declare_scene", shown(spawner))));
        };
        if declared.authority(spawner) != Some(0) {
            return Err(wrong(format!("another peer is the authority of {}: declare it with 0", shown(spawner))));
        }
        if !is_name(name) {
            return Err(wrong(format!("{} cannot be the name of a node", shown(name))));
        }
        if u32::from(scene) == WS_CUSTOM_SCENE && values.data.is_none() {
            return Err(wrong("a custom spawn begins with its data".to_owned()));
        }
        self.check_room()?;
        let number = self.last.wrapping_add(1);
        let parts: Vec<Part> =
            (number + 1..).zip(&declaration.synchronizers).map(|(at, of)| Part::new(at, of)).collect();
        let count = parts.len() as u32;
        let what = What::Spawned { declaration: declaration.clone(), name: name.to_owned(), data: values.data };
        let mut node = Node { what, parts, is_public: true };
        node.store(values.pairs)?;
        node.check_spawn()?;
        limit.check(node.longest(&[]))?;
        self.last = number + count;
        self.add(number, node, cache, outlet);
        Ok(number)
    }

    /// Adds a synchronizer by path, whose number at the peers is `number`. Returns the number for the program.
    pub fn add_by_path(
        &mut self,
        declared: &mut Declared,
        cache: &mut Cache,
        outlet: &mut dyn Outlet,
        path: &str,
        number: u32,
    ) -> Result<u32, Error> {
        let number = number | BY_PATH;
        if !self.nodes.contains_key(&number)
            && let Some(lone) = declared.lone(path)
        {
            self.check_room()?;
            let parts = vec![Part::new(number, &lone.synchronizer)];
            let node = Node { what: What::ByPath(lone.path.clone()), parts, is_public: true };
            self.add(number, node, cache, outlet);
        }
        Ok(number)
    }

    /// Forgets a synchronizer by path.
    pub fn forget_path(&mut self, path: &str) {
        let is_its = |node: &Node| matches!(&node.what, What::ByPath(of) if **of == *path);
        let Some(number) = self.nodes.iter().find(|(_, node)| is_its(node)).map(|(number, _)| *number) else { return };
        self.nodes.remove(&number);
        for peer in self.peers.values_mut() {
            peer.nodes.remove(&number);
            peer.shown.remove(&number);
        }
    }

    fn check_room(&self) -> Result<(), Error> {
        if self.nodes.len() < MAX_NODES && self.last < BY_PATH - (1 << 16) {
            return Ok(());
        }
        Err(Error::new(ErrorCode::Limit, format!("there are {MAX_NODES} nodes: despawn some")))
    }

    fn add(&mut self, number: u32, node: Node, cache: &mut Cache, outlet: &mut dyn Outlet) {
        if self.nodes.is_empty() {
            // The first one: since when there was none, nobody was met.
            for peer in outlet.peers() {
                self.peers.entry(peer).or_default();
            }
        }
        self.nodes.insert(number, node);
        self.tell_all(number, cache, outlet);
    }

    /// Despawns a node.
    pub fn despawn(&mut self, cache: &mut Cache, outlet: &mut dyn Outlet, number: u32) -> Result<(), Error> {
        if number & BY_PATH != 0 {
            return Err(wrong(
                "a synchronizer by path is forgotten with ws_declare_synchronizer, not despawned".to_owned(),
            ));
        }
        self.nodes.remove(&number).ok_or_else(|| no_node(number))?;
        self.peers.values_mut().for_each(|peer| {
            peer.shown.remove(&number);
        });
        self.tell_all(number, cache, outlet);
        Ok(())
    }

    /// Shows or hides a node to a peer, or to all with 0.
    pub fn set_visible(
        &mut self,
        cache: &mut Cache,
        outlet: &mut dyn Outlet,
        number: u32,
        peer: i32,
        visible: bool,
    ) -> Result<(), Error> {
        let node = self.nodes.get_mut(&number).ok_or_else(|| no_node(number))?;
        if peer == 0 {
            node.is_public = visible;
            self.tell_all(number, cache, outlet);
            return Ok(());
        }
        let told = self.peers.get_mut(&peer);
        let told = told.ok_or_else(|| Error::new(ErrorCode::Target, format!("no peer {peer} is connected")))?;
        if visible {
            told.shown.insert(number);
        } else {
            told.shown.remove(&number);
        }
        told.changed.insert(number);
        self.tell(peer, cache, outlet, false);
        Ok(())
    }

    /// Sends new values.
    pub fn sync(
        &mut self,
        outlet: &mut dyn Outlet,
        number: u32,
        values: Values,
        limit: NodeLimit,
    ) -> Result<(), Error> {
        let node = self.nodes.get_mut(&number).ok_or_else(|| no_node(number))?;
        limit.check(node.longest(&values.pairs))?;
        // Nothing is sent unless all can be.
        let gives = |name: &str, part: &Part| {
            part.synchronizer.find(name).is_some_and(|index| part.synchronizer.always.contains(&(index as u16)))
        };
        for part in node.parts.iter().filter(|part| values.pairs.iter().any(|(name, _)| gives(name, part))) {
            let lacks = |index: &&u16| {
                part.values[usize::from(**index)].is_none()
                    && !values.pairs.iter().any(|(name, _)| part.synchronizer.find(name) == Some(usize::from(**index)))
            };
            if let Some(index) = part.synchronizer.always.iter().find(lacks) {
                return Err(no_value(&part.synchronizer, *index));
            }
        }
        let told = node.store(values.pairs)?;
        let mut sync = Packets::new(&[&[SYNC], self.time.to_le_bytes().as_slice()].concat());
        for (part, _) in node.parts.iter().zip(&told).filter(|(_, (always, _))| *always) {
            let state: Vec<u8> =
                part.synchronizer.always.iter().flat_map(|index| part.value(*index)).copied().collect();
            if !state.is_empty() {
                sync.add(&[&part.number.to_le_bytes(), &(state.len() as u32).to_le_bytes(), &state]);
            }
        }
        let sync = sync.done();
        self.moves |= !sync.is_empty();
        let delta = node.delta(&told.iter().map(|(_, mask)| *mask).collect::<Vec<_>>());
        let bytes = sync.iter().map(Vec::len).sum();
        let mut seers = Vec::new();
        for (peer, seen) in &mut self.peers {
            let Some(lacks) = seen.nodes.get_mut(&number) else { continue };
            if !sync.is_empty() && outlet.has_room(*peer, bytes) {
                seers.push(*peer);
            }
            if !delta.is_empty() && !*lacks && !delta.iter().all(|packet| outlet.put(&[*peer], packet)) {
                *lacks = true;
                seen.changed.insert(number);
                self.due.insert(*peer);
            }
        }
        for packet in &sync {
            outlet.put(&seers, packet);
        }
        Ok(())
    }

    fn tell_all(&mut self, number: u32, cache: &mut Cache, outlet: &mut dyn Outlet) {
        let peers: Vec<i32> = self.peers.keys().copied().collect();
        for peer in peers {
            if let Some(told) = self.peers.get_mut(&peer) {
                told.changed.insert(number);
            }
            self.tell(peer, cache, outlet, false);
        }
    }

    /// Call in each poll: tells peers what they have to be told, as far as their queues have room, at least one thing,
    /// until the budget is exhausted. True: more is left.
    pub fn tell_due(&mut self, cache: &mut Cache, outlet: &mut dyn Outlet) -> bool {
        if std::mem::take(&mut self.moves) {
            self.time = self.time.wrapping_add(1);
        }
        for _ in 0..self.due.len() {
            let next = self.due.range(self.next..).next().or_else(|| self.due.first());
            let Some(peer) = next.copied() else { break };
            self.next = peer.wrapping_add(1);
            if self.tell(peer, cache, outlet, true) || outlet.is_spent() {
                return true;
            }
        }
        false
    }

    /// Tells a peer what it has to be told. True: the budget was exhausted before the end.
    fn tell(&mut self, peer: i32, cache: &mut Cache, outlet: &mut dyn Outlet, has_budget: bool) -> bool {
        let Some(told) = self.peers.get_mut(&peer) else {
            self.due.remove(&peer);
            return false;
        };
        loop {
            let of_all = told.from.and_then(|from| self.nodes.range(from..).next()).map(|(number, _)| *number);
            if of_all.is_none() {
                told.from = None;
            }
            let Some(number) = told.changed.first().copied().into_iter().chain(of_all).min() else { break };
            if !tell_of(told, peer, number, self.nodes.get(&number), cache, outlet) {
                self.due.insert(peer);
                return false;
            }
            told.changed.remove(&number);
            if of_all == Some(number) {
                told.from = number.checked_add(1);
            }
            if has_budget && outlet.is_spent() {
                return true;
            }
        }
        self.due.remove(&peer);
        false
    }
}

/// Brings what a peer knows of a node up to date. False: its queue has no room.
fn tell_of(
    told: &mut Peer,
    peer: i32,
    number: u32,
    node: Option<&Node>,
    cache: &mut Cache,
    outlet: &mut dyn Outlet,
) -> bool {
    let has = told.nodes.get(&number).copied();
    let Some(node) = node.filter(|node| node.is_public || told.shown.contains(&number)) else {
        if has.is_some() && number & BY_PATH == 0 {
            let [a, b, c, d] = number.to_le_bytes();
            if !outlet.put(&[peer], &[DESPAWN, a, b, c, d]) {
                return false;
            }
        }
        told.nodes.remove(&number);
        return true;
    };
    if has.is_none() {
        let path = match &node.what {
            What::Spawned { declaration, .. } => &declaration.spawner,
            What::ByPath(path) => path,
        };
        let Some(mut route) = cache.path(path) else { return true };
        if !route.is_sent(peer) {
            if !outlet.put(&[peer], &route.announcement()) {
                return false;
            }
            route.note_sent(peer);
        }
        match node.spawn(number, route.number()) {
            Some(spawn) if !outlet.put(&[peer], &spawn) => return false,
            // Its confirmation comes here again.
            None if !route.is_known(peer) => return true,
            Some(_) | None => told.nodes.insert(number, true),
        };
    }
    if has != Some(false) && !node.delta(&node.known()).iter().all(|packet| outlet.put(&[peer], packet)) {
        return false;
    }
    told.nodes.insert(number, false);
    true
}

fn no_value(of: &Synchronizer, index: u16) -> Error {
    wrong(format!("the property {} has no value yet: give it too", shown(of.name(usize::from(index)))))
}

fn no_node(number: u32) -> Error {
    wrong(format!("{number} is no node of ws_spawn or ws_declare_synchronizer"))
}
