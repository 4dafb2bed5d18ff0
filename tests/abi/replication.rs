//! Replicated nodes without an engine: random games in which a host and a join spawn, synchronize, hide and despawn
//! while others come and go, and packets that nobody should send.

use crate::c_host::{self, Event, free, last_error, next, poll, random_of, stats, until};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, CString};
use std::ptr::{null, null_mut};
use wspeer::codes::*;
use wspeer::ffi::*;

/// Two synchronizers: the first has a property of each kind.
const PROPERTIES: &str = ":x always, :hp spawn change, :name spawn; :y spawn always, :hat change";
const NAMES: [&str; 5] = [":x", ":hp", ":name", ":y", ":hat"];

pub(super) fn item(kind: i32) -> ws_variant {
    // SAFETY: a variant is numbers and pointers.
    ws_variant { r#type: kind, ..unsafe { std::mem::zeroed() } }
}

/// Items of pairs; their names live as long as the program.
fn items_of(pairs: &[(&'static str, i64)]) -> Vec<ws_variant> {
    let pair = |(name, value): &(&'static str, i64)| {
        let name = ws_variant { data: name.as_ptr(), len: name.len(), ..item(WS_VARIANT_STRING) };
        [name, ws_variant { integer: *value, ..item(WS_VARIANT_INT) }]
    };
    pairs.iter().flat_map(pair).collect()
}

pub(super) fn text(text: &str) -> CString {
    CString::new(text).unwrap()
}

pub(super) fn declare(h: u32, spawner: &str, authority: i32, scene: u32, list: &str) -> i32 {
    let (spawner, list) = (text(spawner), text(list));
    // SAFETY: the texts live.
    unsafe { ws_declare_scene(h, spawner.as_ptr(), authority, scene, list.as_ptr()) }
}

pub(super) fn spawn(h: u32, spawner: &str, scene: u32, name: &str, items: &[ws_variant]) -> Result<u32, i32> {
    let (spawner, name, mut node) = (text(spawner), text(name), 0);
    // SAFETY: everything lives.
    let result = unsafe { ws_spawn(h, spawner.as_ptr(), scene, name.as_ptr(), items.as_ptr(), items.len(), &mut node) };
    if result == WS_OK { Ok(node) } else { Err(result) }
}

pub(super) fn sync(h: u32, node: u32, items: &[ws_variant]) -> i32 {
    // SAFETY: the items live.
    unsafe { ws_sync(h, node, items.as_ptr(), items.len()) }
}

/// A decoded node.
#[derive(Debug, Clone, PartialEq)]
struct Node {
    path: String,
    name: String,
    node: u32,
    scene: u32,
    data: Option<i64>,
    values: BTreeMap<String, i64>,
}

/// Each node of an event: its path and name, the rest, and its values.
pub(super) fn decode<T>(bytes: &[u8], node: impl Fn([&str; 2], &ws_replicated, &[ws_variant]) -> T) -> Vec<T> {
    let (mut at, mut nodes) = (0, Vec::new());
    loop {
        // SAFETY: numbers and pointers.
        let (mut out, mut items): (ws_replicated, [ws_variant; 32]) = unsafe { std::mem::zeroed() };
        // SAFETY: everything lives.
        let result = unsafe {
            ws_decode_replication(bytes.as_ptr(), bytes.len(), &mut at, &mut out, items.as_mut_ptr(), items.len())
        };
        if result == WS_EMPTY {
            return nodes;
        }
        assert_eq!(result, WS_OK, "{}", last_error());
        // SAFETY: the texts are lent as long as the bytes.
        let texts = [out.path, out.name].map(|text| unsafe { CStr::from_ptr(text) }.to_str().unwrap());
        nodes.push(node(texts, &out, &items[..out.items as usize]));
    }
}

/// The text of a value.
pub(super) fn string_of(item: &ws_variant) -> String {
    // SAFETY: the bytes are lent as long as the packet.
    String::from_utf8(unsafe { std::slice::from_raw_parts(item.data, item.len) }.to_vec()).unwrap()
}

fn decoded(bytes: &[u8]) -> Vec<Node> {
    decode(bytes, |[path, name], out, items| Node {
        path: path.to_owned(),
        name: name.to_owned(),
        node: out.node,
        scene: out.scene,
        data: (out.data_items > 0).then(|| items[0].integer),
        values: items[out.data_items as usize..].chunks(2).map(|pair| (string_of(&pair[0]), pair[1].integer)).collect(),
    })
}

/// A peer: its handle, and what it was told of others' nodes, by peer and number.
struct Peer {
    handle: u32,
    id: i32,
    there: BTreeSet<i32>,
    seen: BTreeMap<(i32, u32), Node>,
}

impl Peer {
    fn take(&mut self, event: Event) {
        let from = event.peer_id;
        match event.kind {
            WS_EVENT_OPEN => self.id = from,
            WS_EVENT_CONNECTED => assert!(self.there.insert(from)),
            WS_EVENT_DISCONNECTED => {
                self.there.remove(&from);
                self.seen.retain(|(of, _), _| *of != from);
            }
            WS_EVENT_SPAWN => {
                for node in decoded(&event.bytes) {
                    assert_eq!(node.values.len(), 3, "what a spawn brings: {node:?}");
                    assert!(self.seen.insert((from, node.node), node).is_none(), "spawned twice");
                }
            }
            WS_EVENT_DESPAWN => {
                for node in decoded(&event.bytes) {
                    assert!(self.seen.remove(&(from, node.node)).is_some(), "despawned without a spawn");
                }
            }
            WS_EVENT_SYNC => {
                for node in decoded(&event.bytes) {
                    let seen = self.seen.get_mut(&(from, node.node)).expect("synchronized before it was spawned");
                    seen.values.extend(node.values);
                }
            }
            WS_EVENT_WRITABLE | WS_EVENT_SKIPPED | WS_EVENT_CLOSE_REQUEST => {}
            // A message of the other authority to one who has gone.
            WS_EVENT_ERROR if event.cause == WS_CAUSE_NO_PEER => {}
            _ => panic!("{event:?} {}", event.error_text()),
        }
    }

    fn step(&mut self) {
        poll(self.handle);
        while let Some(event) = next(self.handle) {
            self.take(event);
        }
    }
}

/// A node as its owner knows it.
struct Own {
    name: String,
    scene: u32,
    values: BTreeMap<&'static str, i64>,
    is_public: bool,
    shown: BTreeSet<i32>,
}

struct Game {
    port: u16,
    /// The host, then joins. The first join is an authority too.
    peers: Vec<Peer>,
    /// Nodes of the host and of the first join.
    own: [BTreeMap<u32, Own>; 2],
    leads: bool,
}

const SPAWNERS: [&str; 2] = ["Game/Spawner", "Game/Lead"];

impl Game {
    fn new(leads: bool, edit: impl Fn(&mut ws_config)) -> Game {
        let (host, port) = c_host::host(|config| {
            config.flags |= WS_SCENE;
            config.on_full = WS_FULL_SKIP as _;
            edit(config);
        });
        let host = Peer { handle: host, id: 1, there: BTreeSet::new(), seen: BTreeMap::new() };
        let mut game = Game { port, peers: vec![host], own: Default::default(), leads };
        game.declare(0, 0);
        if leads {
            game.enter();
        }
        game
    }

    /// Declares everything at a peer. `lead`: the id of the first join, 0 at itself.
    fn declare(&self, peer: usize, lead: i32) {
        let h = self.peers[peer].handle;
        for scene in [0, 3, WS_CUSTOM_SCENE] {
            assert_eq!(declare(h, SPAWNERS[0], 1, scene, PROPERTIES), WS_OK, "{}", last_error());
        }
        if self.leads && (peer == 1 || lead != 0) {
            assert_eq!(declare(h, SPAWNERS[1], lead, 0, PROPERTIES), WS_OK, "{}", last_error());
        }
    }

    fn enter(&mut self) {
        let handle = c_host::join(self.port, None, |config| config.flags |= WS_SCENE);
        self.peers.push(Peer { handle, id: 0, there: BTreeSet::new(), seen: BTreeMap::new() });
        let (at, is_lead) = (self.peers.len() - 1, self.leads && self.peers.len() == 2);
        let lead = if is_lead || !self.leads { 0 } else { self.peers[1].id };
        self.declare(at, lead);
        until("a join has an id", || {
            self.step();
            self.peers[at].id != 0
        });
        if is_lead {
            self.declare(0, self.peers[1].id);
        }
    }

    fn step(&mut self) {
        self.peers.iter_mut().for_each(Peer::step);
    }

    fn leave(&mut self, at: usize) {
        let gone = self.peers.remove(at);
        free(gone.handle);
        self.own.iter_mut().flat_map(BTreeMap::values_mut).for_each(|node| {
            node.shown.remove(&gone.id);
        });
    }

    /// What a peer should see of one owner's nodes.
    fn expected(&self, owner: usize, peer: i32) -> BTreeMap<u32, Node> {
        let sees = |node: &&Own| node.is_public || node.shown.contains(&peer);
        let of = |(number, node): (&u32, &Own)| {
            let values = node.values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
            let data = (node.scene == WS_CUSTOM_SCENE).then_some(77);
            let (path, name) = (SPAWNERS[owner].to_owned(), node.name.clone());
            (*number, Node { path, name, node: *number, scene: node.scene, data, values })
        };
        self.own[owner].iter().filter(|(_, node)| sees(node)).map(of).collect()
    }

    fn settle(&mut self) {
        // The last state of properties that are sent all the time.
        let owners = 1 + usize::from(self.leads);
        let mut first = 0;
        until("all peers see what they should", || {
            // The queue may have room for one of them only, so each is the first one at some time.
            first += 1;
            for owner in 0..owners {
                let count = self.own[owner].len();
                for (number, node) in self.own[owner].iter().cycle().skip(first % count.max(1)).take(count) {
                    let pairs = [(":x", node.values[":x"]), (":y", node.values[":y"])];
                    assert_eq!(sync(self.peers[owner].handle, *number, &items_of(&pairs)), WS_OK, "{}", last_error());
                }
            }
            self.step();
            self.peers.iter().enumerate().all(|(at, peer)| {
                (0..owners).filter(|owner| *owner != at).all(|owner| {
                    let id = self.peers[owner].id;
                    let seen = peer.seen.iter().filter(|((of, _), _)| *of == id);
                    seen.map(|((_, number), node)| (*number, node.clone())).collect::<BTreeMap<_, _>>()
                        == self.expected(owner, peer.id)
                })
            })
        });
    }

    fn play(&mut self, seed: u32, moves: u32) {
        let mut random = random_of(seed);
        for round in 0..moves {
            let owner = if self.leads { random(2) as usize } else { 0 };
            let h = self.peers[owner].handle;
            let owned: Vec<u32> = self.own[owner].keys().copied().collect();
            let some = (!owned.is_empty()).then(|| owned[random(owned.len() as u32) as usize]);
            match (random(12), some) {
                (0 | 1, _) => {
                    let scene = if owner == 1 { 0 } else { [0, 3, WS_CUSTOM_SCENE][random(3) as usize] };
                    let values: BTreeMap<_, _> = NAMES.iter().map(|name| (*name, i64::from(random(9_000)))).collect();
                    let pairs: Vec<_> = values.iter().map(|(name, value)| (*name, *value)).collect();
                    let mut items = items_of(&pairs);
                    if scene == WS_CUSTOM_SCENE {
                        items.insert(0, ws_variant { integer: 77, ..item(WS_VARIANT_INT) });
                    }
                    let name = format!("n{round}");
                    let node =
                        spawn(h, SPAWNERS[owner], scene, &name, &items).unwrap_or_else(|_| panic!("{}", last_error()));
                    let new = Own { name, scene, values, is_public: true, shown: BTreeSet::new() };
                    assert!(self.own[owner].insert(node, new).is_none());
                }
                (2..=5, Some(node)) => {
                    let own = self.own[owner].get_mut(&node).unwrap();
                    let mut pairs = Vec::new();
                    for name in [":x", ":hp", ":y", ":hat"] {
                        if random(2) == 0 {
                            pairs.push((name, i64::from(random(3))));
                        }
                    }
                    own.values.extend(pairs.iter().copied());
                    assert_eq!(sync(h, node, &items_of(&pairs)), WS_OK, "{}", last_error());
                }
                (6, Some(node)) => {
                    assert_eq!(ws_despawn(h, node), WS_OK);
                    self.own[owner].remove(&node);
                }
                (7 | 8, Some(node)) => {
                    let visible = random(2) == 0;
                    let others: Vec<i32> = self.peers[owner].there.iter().copied().collect();
                    let own = self.own[owner].get_mut(&node).unwrap();
                    if random(2) == 0 || others.is_empty() {
                        own.is_public = visible;
                        assert_eq!(ws_set_visible(h, node, 0, i32::from(visible)), WS_OK);
                    } else {
                        let id = others[random(others.len() as u32) as usize];
                        // A peer that has gone, and whose end was not reported yet, is none.
                        let result = ws_set_visible(h, node, id, i32::from(visible));
                        assert!(result == WS_OK || result == WS_ERR_TARGET, "{}", last_error());
                        if result == WS_OK && self.peers.iter().any(|peer| peer.id == id) {
                            if visible {
                                own.shown.insert(id)
                            } else {
                                own.shown.remove(&id)
                            };
                        }
                    }
                }
                (9, _) if self.peers.len() < 6 => self.enter(),
                (10, _) if self.peers.len() > 2 => {
                    let at = 1 + usize::from(self.leads);
                    self.leave(at + random((self.peers.len() - at) as u32) as usize);
                }
                _ => {}
            }
            for _ in 0..random(3) {
                self.step();
            }
            if round % 40 == 39 {
                self.settle();
            }
        }
        self.settle();
    }

    fn end(self) {
        self.peers.iter().rev().for_each(|peer| free(peer.handle));
    }
}

#[test]
fn random_games_are_the_same_for_all() {
    for seed in 0..6 {
        let mut game = Game::new(seed % 2 == 0, |config| {
            config.poll_budget_us = if seed % 3 == 0 { 50 } else { 1_000 };
            config.flags |= if seed == 1 { WS_COALESCE } else { 0 };
        });
        game.play(seed, 240);
        game.end();
    }
}

#[test]
fn full_queues_delay_spawns_and_lose_no_change() {
    for packets in [1, 2, 5] {
        let mut game = Game::new(false, |config| {
            // Messages wait for the next poll, so a few fill the queue.
            config.flags |= WS_COALESCE;
            config.outbound_packets = packets;
        });
        game.play(100 + packets, 240);
        game.end();
    }
}

#[test]
fn a_join_may_name_itself_as_the_authority() {
    let mut odd = Odd::new(0);
    assert_eq!(declare(odd.join, "Mine", odd.id, 0, ""), WS_OK);
    assert_eq!(declare(odd.host, "Mine", odd.id, 0, ""), WS_OK);
    spawn(odd.join, "Mine", 0, "n", &[]).unwrap();
    until("the host has it", || {
        odd.step();
        odd.events.iter().any(|event| event.kind == WS_EVENT_SPAWN)
    });
    odd.end();
}

/// A host with declarations, and one join that is another program: it sends what it likes.
pub(super) struct Odd {
    pub(super) host: u32,
    pub(super) join: u32,
    pub(super) id: i32,
    /// Causes of the errors that the host reported, and its other events.
    pub(super) errors: Vec<(i32, String)>,
    pub(super) events: Vec<Event>,
    has_ended: bool,
}

impl Odd {
    pub(super) fn new(flags: u32) -> Odd {
        let (host, port) = c_host::host(|config| config.flags |= WS_SCENE | flags);
        let join = c_host::join(port, None, |config| config.flags |= WS_SCENE);
        let mut odd = Odd { host, join, id: 0, errors: Vec::new(), events: Vec::new(), has_ended: false };
        until("the join is there", || {
            odd.step();
            odd.id != 0 && ws_get_state(odd.join) == WS_OPEN
        });
        odd
    }

    pub(super) fn step(&mut self) {
        poll(self.join);
        while let Some(event) = next(self.join) {
            self.has_ended |= event.is_end();
        }
        poll(self.host);
        while let Some(event) = next(self.host) {
            match event.kind {
                WS_EVENT_CONNECTED => self.id = event.peer_id,
                WS_EVENT_ERROR => self.errors.push((event.cause, event.error_text())),
                WS_EVENT_DISCONNECTED => self.has_ended = true,
                _ => self.events.push(event),
            }
        }
    }

    /// The join sends a packet of replication. Waits until the host has taken it, or the join has ended.
    pub(super) fn send(&mut self, packet: &[u8]) {
        let before = stats(self.host).messages_in;
        // SAFETY: the packet lives.
        assert_eq!(unsafe { ws_put_packet_to(self.join, 1, packet.as_ptr(), packet.len(), WS_REPLICATION) }, WS_OK);
        until("the packet has arrived", || {
            self.step();
            self.has_ended || stats(self.host).messages_in > before
        });
        self.step();
    }

    /// The join names the path of a node of the host's by a number.
    pub(super) fn name(&mut self, number: u32, path: &str) {
        // Through an own declaration and a node of it: its number is the first one.
        assert_eq!(declare(self.join, path, 0, 9, ""), WS_OK);
        let node = spawn(self.join, path, 9, &format!("named{number}"), &[]).unwrap();
        for _ in 0..20 {
            self.step();
        }
        assert_eq!(ws_despawn(self.join, node), WS_OK);
        self.step();
    }

    pub(super) fn end(self) {
        free(self.join);
        free(self.host);
    }
}

/// A spawn of a node with one synchronizer and an integer as its state.
fn spawn_packet(scene: u8, spawner: u32, node: u32, synchronizer: u32, name: &str, state: &[u8]) -> Vec<u8> {
    let mut packet = vec![4, scene];
    for word in [spawner, node, 1, name.len() as u32 + 1, synchronizer] {
        packet.extend_from_slice(&word.to_le_bytes());
    }
    [&packet, name.as_bytes(), b"\0", state].concat()
}

#[test]
fn what_is_not_declared_is_reported_once() {
    let mut odd = Odd::new(0);
    for node in 1..20 {
        odd.send(&spawn_packet(0, 1, node, 100 + node, "a", &[2, 5]));
    }
    assert_eq!(odd.errors.len(), 1, "{:?}", odd.errors);
    assert_eq!(odd.errors[0].0, WS_CAUSE_UNSUPPORTED);
    assert!(odd.errors[0].1.contains("ws_declare_scene"));
    let id = odd.id;
    assert_eq!(declare(odd.host, "Game/Spawner", id, 0, ":hp spawn change"), WS_OK);
    odd.name(1, "Game/Spawner");
    // Scene 9, which is not declared here.
    assert_eq!(odd.errors[1].0, WS_CAUSE_NO_NODE, "{:?}", odd.errors);
    odd.errors.clear();
    odd.send(&spawn_packet(0, 1, 1, 101, "a", &[2, 5]));
    assert_eq!(odd.events.last().map(|event| event.kind), Some(WS_EVENT_SPAWN), "{:?}", odd.errors);
    assert_eq!(decoded(&odd.events.last().unwrap().bytes)[0].values, BTreeMap::from([(":hp".to_owned(), 5)]));
    for _ in 0..10 {
        // Two values, where one was declared; then one too few.
        odd.send(&spawn_packet(0, 1, 2, 102, "b", &[2, 5, 2, 5]));
        odd.send(&spawn_packet(0, 1, 2, 102, "b", &[]));
    }
    assert_eq!(odd.errors.iter().map(|(cause, _)| *cause).collect::<Vec<_>>(), [WS_CAUSE_CHECKSUM], "{:?}", odd.errors);
    // Another authority.
    // SAFETY: the texts live.
    unsafe { assert_eq!(ws_declare_scene(odd.host, c"Game/Spawner".as_ptr(), id, 0, null()), WS_OK) };
    assert_eq!(declare(odd.host, "Game/Spawner", id + 1, 0, ":hp spawn change"), WS_OK);
    odd.errors.clear();
    odd.send(&spawn_packet(0, 1, 3, 103, "c", &[2, 5]));
    odd.send(&spawn_packet(0, 1, 4, 104, "d", &[2, 5]));
    assert_eq!(odd.errors.iter().map(|(cause, _)| *cause).collect::<Vec<_>>(), [WS_CAUSE_AUTHORITY]);
    assert!(!odd.has_ended);
    odd.end();
}

#[test]
fn a_broken_packet_ends_its_sender_only() {
    for packet in [
        &[4, 0, 1][..],
        &spawn_packet(0, 1, 7, 107, "a/b", &[2, 5]),
        &spawn_packet(0, 1, 7, 107, "", &[2, 5]),
        &[4, 0, 1, 0, 0, 0, 1, 0, 0, 0, 255, 255, 255, 255, 1, 0, 0, 0, 0],
        &[5, 1],
        &[6, 0, 0, 1, 0, 0, 0, 200, 0, 0, 0, 1],
        &[0x16, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0],
        &[0x26, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
    ] {
        let mut odd = Odd::new(0);
        assert_eq!(declare(odd.host, "Game/Spawner", odd.id, 0, ":hp spawn change"), WS_OK);
        odd.name(1, "Game/Spawner");
        odd.send(packet);
        until("it has ended", || {
            odd.step();
            odd.has_ended
        });
        odd.end();
    }
}

#[test]
fn random_packets_neither_crash_nor_pass() {
    let mut random = random_of(5);
    let mut odd = Odd::new(0);
    let mut passed = 0;
    for round in 0..6_000 {
        if odd.has_ended || round == 0 {
            odd.end();
            odd = Odd::new(0);
            assert_eq!(declare(odd.host, "Game/Spawner", odd.id, 0, ":hp spawn change, :x always"), WS_OK);
            odd.name(1, "Game/Spawner");
        }
        let (node, id) = (random(4) + 1, random(4) + 100);
        let mut packet = match random(4) {
            0 => spawn_packet(0, 1, node, id, "abc", &[2, 5, 2, 6]),
            1 => [&[5][..], &node.to_le_bytes(), &[0; 6]].concat(),
            2 => [&[6, round as u8, 0][..], &id.to_le_bytes(), &2_u32.to_le_bytes(), &[2, 9]].concat(),
            _ => [&[0x16][..], &id.to_le_bytes(), &1_u64.to_le_bytes(), &2_u32.to_le_bytes(), &[2, 9]].concat(),
        };
        for _ in 0..random(4) / 2 {
            let at = random(packet.len() as u32) as usize;
            packet[at] ^= 1 << random(8);
        }
        let kept = packet.len() - random(2) as usize * random(packet.len() as u32 / 4) as usize;
        packet.truncate(kept.max(11));
        if !matches!(packet[0] & 7, 4..=6) {
            continue;
        }
        odd.send(&packet);
        for event in odd.events.drain(..).filter(|event| event.kind != WS_EVENT_MESSAGE) {
            passed += decoded(&event.bytes).len();
        }
    }
    assert!(passed > 60, "{passed}");
    odd.end();
}

#[test]
fn any_bytes_may_be_decoded() {
    // What is decoded was made by the library, but a program may pass anything.
    let mut odd = Odd::new(0);
    assert_eq!(declare(odd.host, "Game/Spawner", odd.id, 0, ":hp spawn change"), WS_OK);
    odd.name(1, "Game/Spawner");
    odd.send(&spawn_packet(0, 1, 1, 101, "abc", &[2, 5]));
    let good = odd.events.pop().unwrap().bytes;
    let mut random = random_of(9);
    for _ in 0..30_000 {
        let mut bytes = good.clone();
        for _ in 0..random(4) + 1 {
            let at = random(bytes.len() as u32) as usize;
            bytes[at] = random(256) as u8;
        }
        bytes.truncate(bytes.len() - random(3) as usize);
        let mut at = random(3) as usize * random(40) as usize;
        // SAFETY: numbers and pointers.
        let (mut out, mut items): (ws_replicated, [ws_variant; 4]) = unsafe { std::mem::zeroed() };
        for _ in 0..4 {
            // SAFETY: everything lives.
            let result = unsafe {
                ws_decode_replication(bytes.as_ptr(), bytes.len(), &mut at, &mut out, items.as_mut_ptr(), items.len())
            };
            if result == WS_OK || result == WS_TRUNCATED {
                // SAFETY: the texts are lent as long as the bytes.
                unsafe { assert!(CStr::from_ptr(out.path).to_bytes().len() <= bytes.len()) };
            }
        }
    }
    odd.end();
}

#[test]
fn raw_packets_pass_as_they_are() {
    let mut odd = Odd::new(WS_RAW_REPLICATION);
    let packet = spawn_packet(0, 1, 1, 101, "abc", &[2, 5]);
    odd.send(&packet);
    let event = odd.events.pop().unwrap();
    assert_eq!((event.kind, event.bytes), (WS_EVENT_MESSAGE, packet));
    assert_eq!(declare(odd.host, "Game/Spawner", 1, 0, ""), WS_ERR_KIND);
    for (wrong, result) in
        [(&b"\x03abc"[..], WS_ERR_ARG), (&[6, 0, 0, 1, 2, 3, 4, 5, 6, 7], WS_ERR_ARG), (&[], WS_ERR_ARG)]
    {
        // SAFETY: the packet lives.
        let put = unsafe { ws_put_packet_to(odd.join, 1, wrong.as_ptr(), wrong.len(), WS_REPLICATION) };
        assert_eq!(put, result, "{wrong:?}");
    }
    odd.end();
}

#[test]
fn mistakes_are_named() {
    let (host, _) = c_host::host(|config| config.flags |= WS_SCENE);
    let says = |result: i32, words: &str| {
        assert_eq!(result, WS_ERR_ARG, "{words}");
        assert!(last_error().contains(words), "{} lacks {words}", last_error());
    };
    says(declare(host, "", 1, 0, ""), "the path of a node");
    says(declare(host, "S", 1, 256, ""), "256 is no scene");
    says(declare(host, "S", -4, 0, ""), "-4 is not the id of a peer");
    says(declare(host, "S", 1, 0, ":a, :a"), ":a is empty or named twice");
    says(declare(host, "S", 1, 0, ":a always change"), ":a is sent always and on change");
    says(declare(host, "S", 1, 0, ":a,,:b"), "is empty or named twice");
    assert_eq!(declare(host, "S", 1, 0, ":a spawn, :b"), WS_OK);
    assert_eq!(declare(host, "S", 1, 0, ":a spawn, :b spawn always"), WS_OK, "the same again");
    says(declare(host, "S", 1, 0, ":a"), "declared with other properties");
    says(declare(host, "S", 7, 1, ":a"), "another authority");
    says(declare(host, "S", 1, 1, &";".repeat(4_096)), "at most 4096 synchronizers");
    assert_eq!(declare(host, "T", 7, 0, ""), WS_OK);
    let no = |result: Result<u32, i32>, words: &str| says(result.unwrap_err(), words);
    no(spawn(host, "T", 0, "n", &[]), "another peer is the authority of T");
    no(spawn(host, "S", 1, "n", &[]), "scene 1 of S is not declared");
    no(spawn(host, "S", 0, "n", &[]), "the property :a has no value yet");
    no(spawn(host, "S", 0, "a/b", &items_of(&[(":a", 1), (":b", 2)])), "cannot be the name of a node");
    no(spawn(host, "S", 0, "n", &items_of(&[(":a", 1), (":c", 2)])), "the property :c is not declared");
    no(spawn(host, "S", 0, "n", &items_of(&[(":a", 1)])[..1]), "the value at item 1 lacks 1 items");
    no(spawn(host, "S", 0, "n", &items_of(&[(":a", 1)])[1..]), "item 0 (int) is not the name of a property");
    let node = spawn(host, "S", 0, "n", &items_of(&[(":a", 1), (":b", 2)])).unwrap();
    says(sync(host, node + 1, &[]), "is no node");
    says(ws_despawn(host, node + 1), "is no node");
    says(ws_set_visible(host, node + 1, 0, 1), "is no node");
    assert_eq!(ws_set_visible(host, node, 9, 1), WS_ERR_TARGET);
    let mut path = 0;
    // SAFETY: the texts live.
    unsafe {
        assert_eq!(ws_declare_synchronizer(host, c"P".as_ptr(), 0, c":a always, :b always".as_ptr(), &mut path), WS_OK);
        assert!(path >> 31 == 1);
        says(sync(host, path, &items_of(&[(":a", 1)])), "the property :b has no value yet");
        says(ws_despawn(host, path), "is forgotten with ws_declare_synchronizer");
        assert_eq!(ws_declare_synchronizer(host, c"P".as_ptr(), 0, null(), null_mut()), WS_OK);
        says(ws_declare_synchronizer(host, c"P".as_ptr(), 0, null(), null_mut()), "is not declared");
        says(ws_declare_scene(host, c"S".as_ptr(), 1, 5, null()), "scene 5 of S is not declared");
    }
    says(sync(host, path, &[]), "is no node");
    let (server, _) = c_host::listen(None, |_| {});
    assert_eq!(declare(server, "S", 1, 0, ""), WS_ERR_KIND);
    assert_eq!(ws_despawn(server, 1), WS_ERR_KIND);
    free(server);
    free(host);
}
