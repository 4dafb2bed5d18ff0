//! Node numbers: those that we assigned to our nodes and sent to each peer, and those that each peer assigned.
//!
//! This is the path cache of Godot's SceneMultiplayer. A peer sends the path of a node once, with a number and the
//! checksum of the node's methods (`Packet::Simplify`). The receiver confirms it (`Packet::Confirm`). From then on
//! calls carry the number instead of the path.

use super::call::{Call, NodeName, Rpc};
use super::packet::{CHECKSUM, simplify_path};
use crate::error::{Error, shown};
use crate::heap::{self, Discarded};
use crate::status::{Cause, ErrorCode};
use md5::{Digest, Md5};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Maximum number of declared nodes.
const MAX_NODES: usize = 1 << 16;
/// Maximum bytes of a node's path.
const MAX_PATH: usize = 4_096;
/// Number of a peer's latest numbers kept per node: the engine assigns a new one when a node leaves the tree and
/// returns.
const NUMBERS: usize = 4;
/// A peer's entries about forgotten nodes are removed once it has more entries than this, plus two per declared node.
const STALE: usize = 64;
/// Number of entries above which dropping them is left to the worker.
const MANY: usize = 256;
/// First number of methods made callable by Node.rpc_config(). Those of the script start at 0.
const FIRST_OWN: u16 = 1 << 15;

impl Discarded for BTreeMap<i32, Known> {}

/// Declared nodes, and what each peer knows of them.
#[derive(Default)]
pub struct Cache {
    /// Our nodes, by path.
    nodes: HashMap<Arc<str>, Node>,
    /// The paths of our nodes, by number. A number is never reused.
    paths: HashMap<u32, Arc<str>>,
    /// The number assigned last; 0: none.
    last_id: u32,
    /// Peers that assigned or were sent a number, by id. They control its size, so it is a tree, which grows in small
    /// steps.
    peers: BTreeMap<i32, Known>,
}

/// A declared node.
struct Node {
    /// Relative to the scene's root.
    path: Arc<str>,
    /// Our number for it.
    id: u32,
    /// Numbers of the methods, by name.
    methods: HashMap<String, u16>,
    /// Names of the methods, by number.
    names: HashMap<u16, String>,
    /// MD5 of the names, in hexadecimal.
    checksum: [u8; CHECKSUM],
}

/// The numbers that one peer and we have exchanged. Nodes are identified by our numbers; entries of forgotten nodes are
/// removed from time to time.
#[derive(Default)]
struct Known {
    /// Our numbers by the peer's numbers. Those of undeclared nodes are not kept: we never confirm them, so the peer
    /// never calls by them.
    numbers: BTreeMap<u32, u32>,
    /// The nodes that it assigned numbers to.
    nodes: BTreeMap<u32, There>,
    /// Our numbers that were sent to it, and whether it has confirmed them.
    sent: BTreeMap<u32, bool>,
}

/// What a peer has said about a declared node.
#[derive(Default)]
struct There {
    /// Its latest numbers for the node, oldest first.
    numbers: [Option<u32>; NUMBERS],
    /// Its node has other methods than ours.
    is_other: bool,
}

impl Known {
    /// Records that the peer's `number` stands for the node with our number `node`. Repeating it changes only
    /// `is_other`. Returns false if the number stands for another node.
    fn give(&mut self, number: u32, node: u32, is_other: bool, paths: &HashMap<u32, Arc<str>>) -> bool {
        if self.nodes.len() > 2 * paths.len() + STALE {
            self.nodes.retain(|node, _| paths.contains_key(node));
            self.numbers.retain(|_, node| paths.contains_key(node));
        }
        let before = self.node_of(number, paths);
        if before.is_some_and(|before| before != node) {
            return false;
        }
        let there = self.nodes.entry(node).or_default();
        there.is_other = is_other;
        if before.is_some() {
            return true;
        }
        self.numbers.insert(number, node);
        there.numbers.rotate_left(1);
        let oldest = there.numbers[NUMBERS - 1].replace(number);
        if let Some(oldest) = oldest.filter(|oldest| self.numbers.get(oldest) == Some(&node)) {
            self.numbers.remove(&oldest);
        }
        true
    }

    /// Our number of the node that a peer's number stands for, unless the node was forgotten.
    fn node_of(&self, number: u32, paths: &HashMap<u32, Arc<str>>) -> Option<u32> {
        self.numbers.get(&number).copied().filter(|node| paths.contains_key(node))
    }

    /// Heap bytes of its lists.
    fn bytes(&self) -> usize {
        heap::tree_bytes::<(u32, u32)>(self.numbers.len())
            + heap::tree_bytes::<(u32, There)>(self.nodes.len())
            + heap::tree_bytes::<(u32, bool)>(self.sent.len())
    }
}

/// Why a call does not reach the program: the cause and its description.
pub type Lost = (Cause, String);

impl Cache {
    /// Declares a node of the game with the names of its methods, "a,b;c": behind the semicolon are those made callable
    /// by Node.rpc_config(). See ws_declare_node().
    pub fn declare(&mut self, path: &str, methods: &str) -> Result<(), Error> {
        let wrong = |why: String| Error::new(ErrorCode::Arg, why);
        let path = relative(path);
        if path.is_empty() || path.len() > MAX_PATH {
            return Err(wrong(format!("the path of a node must have 1 to {MAX_PATH} bytes")));
        }
        let (script, own) = methods.split_once(';').unwrap_or((methods, ""));
        let (mut of_name, mut of_number, mut hash) = (HashMap::new(), HashMap::new(), Md5::new());
        // The engine hashes the methods of rpc_config() first.
        for (list, first) in [(own, FIRST_OWN), (script, 0)] {
            let mut names: Vec<&str> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
            // Godot sorts by code point, which is the byte order of UTF-8.
            names.sort_unstable();
            if names.len() > usize::from(FIRST_OWN) {
                return Err(wrong(format!("a node has at most {FIRST_OWN} methods")));
            }
            for (number, name) in (first..=u16::MAX).zip(names) {
                hash.update(name.as_bytes());
                if of_name.insert(name.to_owned(), number).is_some() {
                    return Err(wrong(format!("the method {} is named twice", shown(name))));
                }
                of_number.insert(number, name.to_owned());
            }
        }
        let mut checksum = [0; CHECKSUM];
        let digest = data_encoding::HEXLOWER.encode(&hash.finalize());
        checksum.copy_from_slice(digest.as_bytes());
        match self.nodes.get(path) {
            Some(node) if node.checksum == checksum && node.methods == of_name => return Ok(()),
            Some(_) => {
                return Err(wrong(format!(
                    "{} is declared with other methods: forget it first, with NULL",
                    shown(path)
                )));
            }
            None if self.nodes.len() >= MAX_NODES => {
                return Err(Error::new(ErrorCode::Limit, format!("{MAX_NODES} nodes are declared: forget some")));
            }
            None => {}
        }
        self.last_id += 1;
        let path: Arc<str> = path.into();
        self.paths.insert(self.last_id, path.clone());
        self.nodes.insert(path.clone(), Node { path, id: self.last_id, methods: of_name, names: of_number, checksum });
        Ok(())
    }

    /// Forgets a declared node.
    pub fn forget(&mut self, path: &str) -> Result<(), Error> {
        let node = self.nodes.remove(relative(path)).ok_or_else(|| undeclared(path))?;
        self.paths.remove(&node.id);
        Ok(())
    }

    /// Heap bytes kept about the peers' nodes.
    pub fn bytes(&self) -> usize {
        heap::tree_bytes::<(i32, Known)>(self.peers.len()) + self.peers.values().map(Known::bytes).sum::<usize>()
    }

    /// Whether dropping it takes long enough to leave it to the worker.
    pub fn is_large(&self) -> bool {
        self.nodes.len() + self.peers.len() > MANY
            || self.peers.values().map(|known| known.numbers.len() + known.sent.len()).sum::<usize>() > MANY
    }

    /// Forgets all peers. Returns what was known of them, for the worker to free if it is large.
    pub fn leave_all(&mut self) -> impl Discarded + use<> {
        std::mem::take(&mut self.peers)
    }

    /// Forgets a peer.
    pub fn leave(&mut self, peer: i32) {
        self.peers.remove(&peer);
    }

    /// Records that a peer's number stands for a path. Returns what to confirm: whether the node's methods are the same
    /// as ours; `None`: the node is not declared, so nothing is confirmed.
    pub fn simplify(
        &mut self,
        from: i32,
        id: u32,
        path: &str,
        checksum: &[u8; CHECKSUM],
    ) -> Result<Option<bool>, String> {
        let second = || format!("it gives the number {id} to a second path");
        let Some(node) = self.nodes.get(path) else {
            let is_used = self.peers.get(&from).is_some_and(|known| known.node_of(id, &self.paths).is_some());
            return if is_used { Err(second()) } else { Ok(None) };
        };
        let same = node.checksum == *checksum;
        if !self.peers.entry(from).or_default().give(id, node.id, !same, &self.paths) {
            return Err(second());
        }
        Ok(Some(same))
    }

    /// Records that a peer has confirmed our number. Returns the path if the peer's node has other methods.
    pub fn confirm(&mut self, from: i32, id: u32, same: bool) -> Result<Option<&str>, String> {
        // The node may have been forgotten meanwhile.
        let Some(path) = self.paths.get(&id) else { return Ok(None) };
        let sent = self.peers.get_mut(&from).and_then(|known| known.sent.get_mut(&id));
        *sent.ok_or_else(|| format!("it confirms the number {id}, which it was not told"))? = true;
        Ok((!same).then_some(path))
    }

    /// Resolves a peer's call to a path and a method.
    pub fn resolve(&self, from: i32, rpc: &Rpc<'_>) -> Result<(&str, &str), Lost> {
        let known = self.peers.get(&from);
        let path = match rpc.node {
            NodeName::Id(id) => known
                .and_then(|known| self.paths.get(known.numbers.get(&id)?))
                .map(|path| &**path)
                .ok_or_else(|| {
                    (
                        Cause::NoNode,
                        format!("peer {from} called a node by the number {id}, which it gave to none that is declared"),
                    )
                })?,
            NodeName::Path(path) => path,
        };
        let Some(node) = self.nodes.get(path) else {
            return Err((
                Cause::NoNode,
                format!("peer {from} called the node {}, which is not declared: use ws_declare_node", shown(path)),
            ));
        };
        let path = &*node.path;
        if known.is_some_and(|known| known.nodes.get(&node.id).is_some_and(|there| there.is_other)) {
            return Err((Cause::Checksum, other_methods(from, path)));
        }
        match node.names.get(&rpc.method) {
            Some(method) => Ok((path, method)),
            None => {
                let (number, path, count) = (rpc.method, shown(path), node.names.len());
                Err((Cause::NoNode, format!("peer {from} called method {number} of {path}, which has {count} methods")))
            }
        }
    }

    /// Declares a node without methods, such as a spawner, unless one is declared there. Returns its number.
    pub fn declare_path(&mut self, path: &str) -> Result<u32, Error> {
        if let Some(node) = self.nodes.get(relative(path)) {
            return Ok(node.id);
        }
        self.declare(path, "")?;
        Ok(self.last_id)
    }

    /// The path of our node that a peer's number stands for.
    pub fn path_of(&self, from: i32, number: u32) -> Option<Arc<str>> {
        self.paths.get(&self.peers.get(&from)?.node_of(number, &self.paths)?).cloned()
    }

    /// What each peer knows of the node at a path.
    pub fn path(&mut self, path: &str) -> Option<Route<'_>> {
        let node = self.nodes.get(path)?;
        Some(Route { peers: &mut self.peers, paths: &self.paths, node, method: 0 })
    }

    /// Finds the node and the method of a call that the program sends.
    pub fn route(&mut self, call: &Call<'_>) -> Result<Route<'_>, Error> {
        let Some(node) = self.nodes.get(relative(call.path)) else { return Err(undeclared(call.path)) };
        let Some(method) = node.methods.get(call.method).copied() else {
            let (path, method) = (shown(call.path), shown(call.method));
            let why = format!(
                "{path} was declared without a method {method}: name all methods that the game's script has as RPCs"
            );
            return Err(Error::new(ErrorCode::Arg, why));
        };
        Ok(Route { peers: &mut self.peers, paths: &self.paths, node, method })
    }
}

/// The node and method of a call to send, and what each peer knows of the node.
pub struct Route<'a> {
    peers: &'a mut BTreeMap<i32, Known>,
    paths: &'a HashMap<u32, Arc<str>>,
    node: &'a Node,
    method: u16,
}

impl Route<'_> {
    /// Whether the node's number was sent to the peer, even if it is not confirmed yet.
    pub fn is_sent(&self, peer: i32) -> bool {
        self.peers.get(&peer).is_some_and(|known| known.sent.contains_key(&self.node.id))
    }

    /// Whether the peer has confirmed the number.
    pub fn is_known(&self, peer: i32) -> bool {
        self.peers.get(&peer).is_some_and(|known| known.sent.get(&self.node.id) == Some(&true))
    }

    /// Our number for the node.
    pub fn number(&self) -> u32 {
        self.node.id
    }

    /// The packet that assigns the number.
    pub fn announcement(&self) -> Vec<u8> {
        simplify_path(&self.node.checksum, self.node.id, &self.node.path)
    }

    /// Records that the number was sent to this peer.
    pub fn note_sent(&mut self, peer: i32) {
        let sent = &mut self.peers.entry(peer).or_default().sent;
        if sent.len() > 2 * self.paths.len() + STALE {
            sent.retain(|node, _| self.paths.contains_key(node));
        }
        sent.entry(self.node.id).or_insert(false);
    }

    /// Reserves memory for the call. Returns false if there is not enough.
    pub fn reserve(&self, out: &mut Vec<u8>, call: &Call<'_>) -> bool {
        call.reserve(out, &self.node.path)
    }

    /// Appends the call: with the node's number if the peer knows it (`is_known`), otherwise with the path. Unless
    /// every recipient knows the number (`all_know`), it takes 4 bytes however small it is, as in Godot.
    pub fn put(&self, out: &mut Vec<u8>, call: &Call<'_>, is_known: bool, all_know: bool) {
        if is_known {
            call.put_by_id(out, self.node.id, self.method, !all_know);
        } else {
            call.put_by_path(out, &self.node.path, self.method);
        }
    }
}

/// The error text for a node whose methods differ from the peer's.
pub fn other_methods(peer: i32, path: &str) -> String {
    format!(
        "{} has other methods at peer {peer} than were declared here: name all that its script has as RPCs, and no other",
        shown(path)
    )
}

/// The path as it is sent, relative to the scene's root.
pub fn relative(path: &str) -> &str {
    path.strip_prefix("/root/").unwrap_or(path)
}

fn undeclared(path: &str) -> Error {
    Error::new(ErrorCode::Arg, format!("the node {} is not declared: use ws_declare_node first", shown(path)))
}

#[cfg(test)]
mod tests {
    use super::super::packet::{Packet, read};
    use super::*;

    /// The checksum of a node with the methods hello, noargs and raw.
    const CHECK: &[u8; 32] = b"5c0ea9862d1e940a58e1e1095eec1074";

    fn cache_of(path: &str, methods: &str) -> Cache {
        let mut cache = Cache::default();
        cache.declare(path, methods).unwrap();
        cache
    }

    fn rpc(node: NodeName<'_>, method: u16) -> Rpc<'_> {
        Rpc { node, method, only_bytes: true, arguments: &[] }
    }

    // The announcement and its checksum were captured between a client and a server of Godot 4.6.3.
    #[test]
    fn a_path_announcement_matches_the_engine_and_its_id_is_used_once_confirmed() {
        let mut cache = cache_of("/root/Game", "raw,hello , noargs");
        let call = Call { path: "Game", method: "noargs", count: 0, arguments: &[] };
        let mut route = cache.route(&call).unwrap();
        assert_eq!(route.announcement(), [&[1][..], CHECK, &[0, 1, 0, 0, 0], b"Game\0"].concat());
        assert!(!route.is_sent(1) && !route.is_known(1));
        route.note_sent(1);
        assert!(route.is_sent(1) && !route.is_known(1));
        assert_eq!(cache.confirm(1, 1, true), Ok(None));
        let route = cache.route(&call).unwrap();
        assert!(route.is_known(1));
        let mut out = Vec::new();
        route.put(&mut out, &call, true, true);
        assert_eq!(out, [0x80, 1, 1]);
        cache.leave(1);
        assert!(!cache.route(&call).unwrap().is_sent(1));
    }

    #[test]
    fn node_ids_are_separate_for_each_peer() {
        let mut cache = cache_of("Game", "hello,noargs,raw");
        assert_eq!(cache.simplify(7, 3, "Game", CHECK), Ok(Some(true)));
        assert_eq!(cache.simplify(7, 4, "Other", CHECK), Ok(None));
        assert_eq!(cache.resolve(7, &rpc(NodeName::Id(3), 1)), Ok(("Game", "noargs")));
        assert_eq!(cache.resolve(7, &rpc(NodeName::Path("Game"), 2)), Ok(("Game", "raw")));
        let cause = |from, rpc: Rpc<'_>| cache.resolve(from, &rpc).map_err(|(cause, _)| cause);
        for (from, name, method) in [
            (1, NodeName::Id(3), 0),
            (7, NodeName::Id(4), 0),
            (7, NodeName::Path("Other"), 0),
            (7, NodeName::Id(3), 3),
            (7, NodeName::Id(3), 0x8000),
        ] {
            assert_eq!(cause(from, rpc(name, method)), Err(Cause::NoNode), "{from} {name:?} {method}");
        }
    }

    // Godot accepts a repeated announcement of the same path.
    #[test]
    fn a_repeated_announcement_keeps_the_node_id() {
        let mut cache = cache_of("Game", "hello,noargs,raw");
        cache.declare("Room", "hello").unwrap();
        for number in [1, 2, 3] {
            assert_eq!(cache.simplify(7, number, "Game", CHECK), Ok(Some(true)));
        }
        for _ in 0..10 {
            assert_eq!(cache.simplify(7, 3, "Game", CHECK), Ok(Some(true)), "the same again");
        }
        assert!(cache.simplify(7, 3, "Room", CHECK).is_err() && cache.simplify(7, 3, "Undeclared", CHECK).is_err());
        // A repetition does not displace another number.
        for number in [1, 2, 3] {
            assert_eq!(cache.resolve(7, &rpc(NodeName::Id(number), 1)), Ok(("Game", "noargs")));
        }
        let other = cache.simplify(7, 3, "Game", &[b'0'; CHECKSUM]);
        assert_eq!(other, Ok(Some(false)), "the last checksum decides");
        assert_eq!(cache.resolve(7, &rpc(NodeName::Id(3), 1)).map_err(|(cause, _)| cause), Err(Cause::Checksum));
        cache.forget("Game").unwrap();
        assert_eq!(cache.simplify(7, 3, "Room", CHECK), Ok(Some(false)), "a number of a node that was forgotten");
    }

    #[test]
    fn error_messages_truncate_a_long_path() {
        let cache = cache_of("Game", "hello");
        let path = "é".repeat(100_000);
        let (cause, why) = cache.resolve(1, &rpc(NodeName::Path(&path), 0)).unwrap_err();
        assert!(
            cause == Cause::NoNode
                && why.len() < 400
                && why.ends_with("é…, which is not declared: use ws_declare_node"),
            "{why}"
        );
        let call = Call { path: &path, method: "hello", count: 0, arguments: &[] };
        assert!(Cache::default().route(&call).err().is_some_and(|error| error.into_message().len() < 400));
    }

    #[test]
    fn different_method_lists_are_detected_by_checksum() {
        let mut cache = cache_of("Game", "hello");
        assert_eq!(cache.simplify(1, 9, "Game", CHECK), Ok(Some(false)));
        for name in [NodeName::Id(9), NodeName::Path("Game")] {
            assert_eq!(cache.resolve(1, &rpc(name, 0)).map_err(|(cause, _)| cause), Err(Cause::Checksum));
        }
        cache.route(&Call { path: "Game", method: "hello", count: 0, arguments: &[] }).unwrap().note_sent(1);
        assert_eq!(cache.confirm(1, 1, false), Ok(Some("Game")));
        assert!(cache.confirm(2, 1, true).is_err(), "who was not told");
        assert_eq!(cache.confirm(1, 77, true), Ok(None));
    }

    #[test]
    fn rpc_config_methods_have_separate_ids() {
        let mut cache = cache_of("Game", "b,a;d,c");
        let mut out = Vec::new();
        let call = Call { path: "Game", method: "c", count: 0, arguments: &[] };
        cache.route(&call).unwrap().put(&mut out, &call, true, true);
        assert_eq!(out, [0xC0, 1, 0, 0x80]);
        let checksum = data_encoding::HEXLOWER.encode(&Md5::digest(b"cdab"));
        let announcement = cache.route(&call).unwrap().announcement();
        assert!(
            matches!(read(&announcement), Ok(Packet::Simplify { checksum: found, .. }) if found == checksum.as_bytes())
        );
    }

    // The checksum that Godot 4.6.3 sends for tests/godot/scene4/game.gd.
    #[test]
    fn the_checksum_of_annotated_and_configured_methods_matches_the_engine() {
        let mut cache = cache_of("Game", "echo, back, noargs, raw, three, only_authority; configured");
        let announcement =
            cache.route(&Call { path: "Game", method: "echo", count: 0, arguments: &[] }).unwrap().announcement();
        assert_eq!(&announcement[1..33], b"129ad11aa977c494bcd77fb0bae78b69");
    }

    #[test]
    fn node_declarations_are_validated() {
        let mut cache = cache_of("Game", "hello");
        assert!(cache.declare("/root/Game", "hello").is_ok(), "the same again");
        for (path, methods) in [("Game", "hello,raw"), ("", "a"), ("Node", "a,a"), ("Node", "a;a")] {
            assert_eq!(
                cache.declare(path, methods).map_err(|error| error.code()),
                Err(ErrorCode::Arg),
                "{path} {methods}"
            );
        }
        assert!(cache.forget("Game").is_ok() && cache.forget("Game").is_err());
        assert!(cache.declare("Game", "hello,raw").is_ok(), "anew");
        let of = |path, method| Call { path, method, count: 0, arguments: &[] };
        assert!(cache.route(&of("Game", "hullo")).is_err() && cache.route(&of("Gamma", "hello")).is_err());
        assert!(
            (0..100_000).all(|number| cache.simplify(5, number, "Game", CHECK).is_ok()),
            "a node that comes and goes"
        );
        assert!(
            (0..100_000).all(|number| cache.simplify(6, number, "Other", CHECK) == Ok(None)),
            "what is not declared takes no memory"
        );
        cache.leave(5);
        assert_eq!(cache.simplify(5, 0, "Game", CHECK).map(|same| same.is_some()), Ok(true));
        assert!(cache.forget("Game").is_ok() && cache.declare("Game", "other").is_ok());
        assert_eq!(
            cache.resolve(5, &rpc(NodeName::Id(0), 0)).map_err(|(cause, _)| cause),
            Err(Cause::NoNode),
            "its number was for what was forgotten"
        );
    }

    #[test]
    fn declarations_are_limited_in_path_and_methods() {
        let declare =
            |cache: &mut Cache, path: &str, methods: &str| cache.declare(path, methods).map_err(|error| error.code());
        let mut cache = Cache::default();
        for (len, fits) in [(1, true), (4_096, true), (4_097, false)] {
            for root in ["", "/root/"] {
                let path = format!("{root}{}", "n".repeat(len));
                assert_eq!(declare(&mut cache, &path, "a").is_ok(), fits, "{len} {root}");
            }
        }
        let methods = |count: usize| (0..count).map(|number| format!("m{number}")).collect::<Vec<_>>().join(",");
        for (script, own, fits) in [(32_768, 0, true), (32_769, 0, false), (0, 32_768, true), (0, 32_769, false)] {
            let methods = format!("{};{}", methods(script), methods(own));
            let path = format!("Node{script}-{own}");
            let expected = if fits { Ok(()) } else { Err(ErrorCode::Arg) };
            assert_eq!(declare(&mut cache, &path, &methods), expected, "{path}");
            if fits {
                let last = cache.nodes[path.as_str()].names.keys().copied().max();
                assert_eq!(last, Some(if own > 0 { u16::MAX } else { FIRST_OWN - 1 }));
            }
        }
        // The same checksum, and other methods.
        assert_eq!(declare(&mut cache, "Same", "a,b"), Ok(()));
        for (methods, expected) in [("b, a", Ok(())), ("ab", Err(ErrorCode::Arg)), (";a,b", Err(ErrorCode::Arg))] {
            assert_eq!(declare(&mut cache, "Same", methods), expected, "{methods}");
        }
    }

    #[test]
    fn the_number_of_declared_nodes_is_limited() {
        let mut cache = cache_of("Game", "a");
        let more = |number: u32| {
            let path: Arc<str> = number.to_string().into();
            let (methods, names) = Default::default();
            (path.clone(), Node { path, id: number, methods, names, checksum: [0; CHECKSUM] })
        };
        cache.nodes.extend((2..MAX_NODES as u32).map(more));
        let declare = |cache: &mut Cache, path: &str| cache.declare(path, "a").map_err(|error| error.code());
        assert_eq!(declare(&mut cache, "Last"), Ok(()));
        assert_eq!(declare(&mut cache, "More"), Err(ErrorCode::Limit));
        assert_eq!(declare(&mut cache, "Game"), Ok(()), "declared already");
        assert!(cache.forget("77").is_ok());
        assert_eq!(declare(&mut cache, "More"), Ok(()));
    }

    #[test]
    fn a_cache_is_large_with_more_than_256_entries() {
        let mut cache = Cache::default();
        for number in 0..200 {
            cache.declare(&format!("Node{number}"), "a").unwrap();
        }
        let declared = |cache: &mut Cache, peers: i32| {
            (1_000..1_000 + peers).for_each(|peer| assert!(cache.simplify(peer, 1, "Node0", CHECK).is_ok()));
        };
        assert!(!cache.is_large() && cache.bytes() == 0);
        declared(&mut cache, 56);
        assert!(!cache.is_large());
        declared(&mut cache, 57);
        assert!(cache.is_large());
        (1_000..1_056).for_each(|peer| cache.leave(peer));
        assert!(!cache.is_large());
        // The numbers of a single peer: 200 of ours, and 56 of its own besides the one from above.
        let sent = |cache: &mut Cache, count: u32| {
            for number in 0..count {
                let path = format!("Node{number}");
                cache.route(&Call { path: &path, method: "a", count: 0, arguments: &[] }).unwrap().note_sent(7);
            }
        };
        sent(&mut cache, 200);
        (0..55).for_each(|number| assert!(cache.simplify(7, number, &format!("Node{number}"), CHECK).is_ok()));
        assert!(!cache.is_large());
        assert!(cache.simplify(7, 55, "Node55", CHECK).is_ok());
        assert!(cache.is_large());
        let bytes = cache.bytes();
        assert!((256 * 5..64 << 10).contains(&bytes), "{bytes}");
        cache.leave(7);
        assert!(cache.bytes() < bytes);
    }

    // An entry takes 4 bytes at least, and with its share of the tree fewer than 300.
    #[test]
    fn memory_of_a_peer_is_counted_by_its_entries() {
        let mut cache = Cache::default();
        (0..40).for_each(|number| cache.declare(&format!("Node{number}"), "a").unwrap());
        let (mut entries, mut before) = (0, 0);
        for round in 0..40 {
            let path = format!("Node{round}");
            // A new peer, a number that was sent, a number that was received, and further numbers of a node.
            for step in 0..4 {
                match step {
                    0 => assert!(cache.simplify(100 + round, 1, "Node0", CHECK).is_ok()),
                    1 => {
                        cache.route(&Call { path: &path, method: "a", count: 0, arguments: &[] }).unwrap().note_sent(7)
                    }
                    2 => assert!(cache.simplify(8, round as u32, &path, CHECK).is_ok()),
                    _ => assert!(cache.simplify(9, round as u32 % 4, "Node1", CHECK).is_ok()),
                }
                entries += 1;
                let bytes = cache.bytes();
                assert!(bytes >= before && (4 * entries..3_000 + 300 * entries).contains(&bytes), "{bytes}, {entries}");
                before = bytes;
            }
        }
    }

    #[test]
    fn node_ids_of_a_peer_take_bounded_memory() {
        let mut cache = Cache::default();
        for node in 0..100 {
            cache.declare(&format!("Node{node}"), "hello").unwrap();
        }
        for number in 0..1_000_000 {
            assert!(cache.simplify(7, number, &format!("Node{}", number % 100), CHECK).is_ok());
        }
        assert!(cache.bytes() < 32 << 10, "{}", cache.bytes());
        // For each node the latest numbers resolve, and older ones do not.
        for number in 0..1_000_000 {
            assert_eq!(
                cache.resolve(7, &rpc(NodeName::Id(number), 0)).is_err_and(|(cause, _)| cause == Cause::NoNode),
                number < 999_600,
                "{number}"
            );
        }
        assert!(cache.simplify(7, 999_999, "Node0", CHECK).is_err(), "a number that is in use");
        assert_eq!(cache.simplify(7, 0, "Node0", CHECK), Ok(Some(false)), "one that is not, any more");
    }

    #[test]
    fn forgotten_nodes_take_bounded_memory() {
        let mut cache = Cache::default();
        cache.declare("Stays", "hello").unwrap();
        assert!(cache.simplify(7, u32::MAX, "Stays", CHECK).is_ok());
        for round in 0..100_000 {
            cache.declare("Game", "hello").unwrap();
            for path in ["Game", "Stays"] {
                cache.route(&Call { path, method: "hello", count: 0, arguments: &[] }).unwrap().note_sent(7);
            }
            assert!(cache.simplify(7, round, "Game", CHECK).is_ok());
            cache.forget("Game").unwrap();
            // A forgotten node's number may be assigned to another one.
            assert!(round % 10 != 0 || cache.simplify(7, round, "Stays", CHECK).is_ok());
        }
        assert!(cache.bytes() < 16 << 10, "{}", cache.bytes());
        assert!(cache.resolve(7, &rpc(NodeName::Id(99_990), 0)).is_err_and(|(cause, _)| cause == Cause::Checksum));
        assert!(cache.route(&Call { path: "Stays", method: "hello", count: 0, arguments: &[] }).unwrap().is_sent(7));
    }
}
