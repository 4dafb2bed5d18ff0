//! Who hears what: hosts of every format in memory, compared with a model, for random joins, departures and targets.

use crate::test_host::{TestHost, Took, event, message};
use crate::test_server::{REQUEST, frame};
use std::collections::{BTreeMap, BTreeSet};
use wspeer::codes::*;
use wspeer::internals::link::Sent;
use wspeer::internals::multiplayer::{SceneSettings, Target, Wire};
use wspeer::internals::status::{Cause, ErrorCode, EventKind};

const RELAYING: SceneSettings = SceneSettings { auth: false, relay: true, raw_replication: false };
const ALONE: SceneSettings = SceneSettings { auth: false, relay: false, raw_replication: false };

const JOINED: u8 = 1;
const LEFT: u8 = 2;

fn random_of(seed: u32) -> impl FnMut(usize) -> usize {
    let mut random = crate::c_host::random_of(seed);
    move |below| random(below as u32) as usize
}

/// The host's message about another peer.
fn about(wire: Wire, what: u8, id: i32) -> Vec<u8> {
    match wire {
        Wire::Godot3 => [&[what, 1, 0, 0, 0, 0, 0, 0, 0][..], &id.to_le_bytes()].concat(),
        _ => [&[7, what][..], &id.to_le_bytes()].concat(),
    }
}

/// A message as the client `from` sends it to a target.
fn sent(wire: Wire, from: i32, target: i32, data: &[u8]) -> Vec<u8> {
    match wire {
        Wire::Godot4 => data.to_vec(),
        Wire::Godot3 => [&[0][..], &from.to_le_bytes(), &target.to_le_bytes(), data].concat(),
        Wire::Scene if target == 1 => [&[3], data].concat(),
        Wire::Scene => [&[7, 3][..], &target.to_le_bytes(), &[3], data].concat(),
    }
}

/// The same as another client receives it.
fn passed_on(wire: Wire, from: i32, target: i32, data: &[u8]) -> Vec<u8> {
    match wire {
        Wire::Scene => [&[7, 3][..], &from.to_le_bytes(), &[3], data].concat(),
        _ => sent(wire, from, target, data),
    }
}

/// A message of the host as clients receive it.
fn of_host(wire: Wire, target: i32, data: &[u8]) -> Vec<u8> {
    match wire {
        Wire::Scene => [&[3], data].concat(),
        _ => sent(wire, 1, target, data),
    }
}

fn selects(target: i32, id: i32) -> bool {
    target == 0 || target == id || (target < 0 && target != -id)
}

/// A host, its clients in the order in which they joined, and what each is expected to hear in this step.
struct Game {
    wire: Wire,
    relay: bool,
    host: TestHost,
    present: Vec<usize>,
    expected: BTreeMap<usize, Vec<Vec<u8>>>,
    events: Vec<Took>,
}

impl Game {
    fn new(wire: Wire, scene: SceneSettings) -> Game {
        let host = TestHost::new(wire, scene, &[]);
        let relay = wire == Wire::Godot3 || (wire == Wire::Scene && scene.relay);
        Game { wire, relay, host, present: Vec::new(), expected: BTreeMap::new(), events: Vec::new() }
    }

    fn expect(&mut self, at: usize, bytes: Vec<u8>) {
        self.expected.entry(at).or_default().push(bytes);
    }

    /// The clients that know of each other.
    fn known(&self) -> Vec<usize> {
        if self.relay { self.present.clone() } else { Vec::new() }
    }

    fn join(&mut self) -> usize {
        let at = self.host.open();
        let id = self.host.id(at);
        self.events.push(event(id, EventKind::Connected));
        if self.wire == Wire::Godot3 {
            self.expect(at, about(self.wire, JOINED, 1));
        }
        for other in self.known() {
            self.expect(at, about(self.wire, JOINED, self.host.id(other)));
            self.expect(other, about(self.wire, JOINED, id));
        }
        self.present.push(at);
        at
    }

    /// A client goes: 0: its connection ends; 1: it closes; 2: it breaks the format.
    fn leave(&mut self, at: usize, how: usize) {
        self.present.retain(|other| *other != at);
        let id = self.host.id(at);
        match how {
            0 => self.host.drop_guest(at),
            1 => {
                self.host.send_frame(at, &frame(0x88, &1000_u16.to_be_bytes()));
                self.events.push(Took { code: 1000, ..event(id, EventKind::CloseRequest) });
            }
            // In Godot 4's plain format every binary message is one of the game.
            _ if self.wire == Wire::Godot4 => self.host.send_frame(at, &[0x83, 0x80, 0, 0, 0, 0]),
            _ => self.host.send(at, &[]),
        }
        self.events.push(event(id, EventKind::Disconnected));
        for other in self.known() {
            self.expect(other, about(self.wire, LEFT, id));
        }
    }

    /// A client sends the same data `count` times.
    fn say(&mut self, at: usize, target: i32, data: &[u8], count: usize) {
        let (wire, from) = (self.wire, self.host.id(at));
        let error = |cause: Cause, why: String| Took {
            cause,
            count: count as u64,
            bytes: why.into(),
            ..event(from, EventKind::Error)
        };
        if wire == Wire::Scene && !self.relay && target != 1 {
            (0..count).for_each(|_| self.host.send(at, &sent(wire, from, target, data)));
            let why = format!("peer {from} wants to be passed on, and WS_NO_RELAY is set here");
            return self.events.push(error(Cause::Unsupported, why));
        }
        for _ in 0..count {
            self.host.send(at, &sent(wire, from, target, data));
            if selects(target, 1) || wire == Wire::Godot4 {
                self.events.push(message(from, data));
            }
            for other in self.present.clone() {
                if other != at && wire != Wire::Godot4 && selects(target, self.host.id(other)) {
                    self.expect(other, passed_on(wire, from, target, data));
                }
            }
        }
        let is_there = |id: i32| self.present.iter().any(|other| *other != at && self.host.id(*other) == id);
        if target > 1 && wire != Wire::Godot4 && !is_there(target) {
            let why = format!("peer {from} sent to peer {target}, who is not here: it may have gone a moment ago");
            self.events.push(error(Cause::NoPeer, why));
        }
    }

    fn say_as_host(&mut self, target: i32, data: &[u8]) {
        let known = target <= 0 || self.present.iter().any(|at| self.host.id(*at) == target);
        let result = self.host.put(Target::decode(target).unwrap(), data);
        assert_eq!(result.map_err(|error| error.code()), if known { Ok(Sent::Taken) } else { Err(ErrorCode::Target) });
        let wire = self.wire;
        for at in self.present.clone() {
            if selects(target, self.host.id(at)) {
                self.expect(at, if wire == Wire::Godot4 { data.to_vec() } else { of_host(wire, target, data) });
            }
        }
    }

    fn target(&self, random: &mut impl FnMut(usize) -> usize) -> i32 {
        let someone = match random(5) {
            0 => 1,
            // One that has gone, or was never there.
            1 => self.host.guests.get(random(self.host.guests.len().max(1))).map_or(7, |guest| guest.id),
            2 => i32::MAX,
            _ => self.present.get(random(self.present.len().max(1))).map_or(1, |at| self.host.id(*at)),
        };
        [0, someone, -someone, someone][random(4)]
    }

    /// Polls, and compares everything that was heard with what was expected.
    fn check(&mut self, step: &str) {
        while self.host.poll() {}
        for at in 0..self.host.guests.len() {
            let heard = self.host.heard(at);
            assert_eq!(heard, self.expected.remove(&at).unwrap_or_default(), "{step}, client {at}");
        }
        let mut events = self.host.items();
        for event in events.iter_mut().filter(|event| event.kind == EventKind::Disconnected) {
            (event.cause, event.code, event.bytes) = (Cause::None, 0, Vec::new());
        }
        assert_eq!(events, std::mem::take(&mut self.events), "{step}");
        assert!(!self.host.poll(), "{step}: work is left");
    }
}

#[test]
fn every_message_and_notification_reaches_exactly_those_it_is_for() {
    let formats = [(Wire::Godot3, RELAYING), (Wire::Scene, RELAYING), (Wire::Scene, ALONE), (Wire::Godot4, RELAYING)];
    for (seed, (wire, scene)) in (1..=3).flat_map(|seed| formats.map(|format| (seed, format))) {
        let mut random = random_of(seed);
        let mut game = Game::new(wire, scene);
        for step in 0..100 {
            let some = random(game.present.len().max(1));
            let at = game.present.get(some).copied();
            let target = game.target(&mut random);
            let data = vec![step as u8; [1, 9, 130, 9, 66_000][random(5)]];
            match (random(8), at) {
                (0 | 1, _) if game.present.len() < 9 => _ = game.join(),
                (2, Some(at)) => game.leave(at, random(3)),
                (3, _) => game.say_as_host(target, &data),
                (_, Some(at)) => game.say(at, target, &data, 1 + random(3)),
                _ => {}
            }
            game.check(&format!("{wire:?}, seed {seed}, step {step}"));
        }
    }
}

/// What a client believes, from what it has heard.
#[derive(Default)]
struct Listener {
    knows: BTreeSet<i32>,
    /// Numbered messages, by sender.
    from: BTreeMap<i32, Vec<u32>>,
}

impl Listener {
    fn hear(&mut self, wire: Wire, packet: &[u8]) {
        let id = |at: usize| i32::from_le_bytes(packet[at..at + 4].try_into().unwrap());
        let number = u32::from_le_bytes(*packet.last_chunk().unwrap());
        let from = match (wire, packet) {
            (Wire::Godot3, [0, ..]) => id(1),
            (Wire::Scene, [7, 3, ..]) => id(2),
            (Wire::Scene, [3, ..]) => 1,
            (_, [what, ..]) => {
                let (what, id) = if wire == Wire::Scene { (packet[1], id(2)) } else { (*what, id(9)) };
                let is_news = if what == JOINED { self.knows.insert(id) } else { self.knows.remove(&id) };
                assert!(is_news, "{packet:?} says nothing new");
                return;
            }
            _ => panic!("an empty packet"),
        };
        assert!(from == 1 || self.knows.contains(&from), "a message of {from}, of which it was not notified");
        let numbers = self.from.entry(from).or_default();
        assert!(numbers.last().is_none_or(|last| *last < number), "{number} after {numbers:?}");
        numbers.push(number);
    }
}

/// As if each poll took longer than it may: every poll makes progress and does little, `poll` says as long as work is
/// left, and in the end all messages have arrived, behind the notification of their sender.
#[test]
fn everything_arrives_in_order_however_little_time_polls_have() {
    for (seed, wire) in (1..=8).flat_map(|seed| [Wire::Godot3, Wire::Scene].map(|wire| (seed, wire))) {
        let mut random = random_of(seed);
        let mut host = TestHost::new(wire, RELAYING, &[]);
        let mut listeners: Vec<Listener> = Vec::new();
        let mut present: Vec<usize> = Vec::new();
        // By sender and recipient: numbers of messages that must arrive if both stay.
        let mut due: BTreeMap<(i32, usize), Vec<u32>> = BTreeMap::new();
        let mut number = 0_u32;
        let briefly = |host: &mut TestHost, listeners: &mut Vec<Listener>| {
            let more = host.poll_briefly();
            let mut heard = 0;
            for (at, listener) in listeners.iter_mut().enumerate() {
                for packet in host.heard(at) {
                    heard += 1;
                    listener.hear(wire, &packet);
                }
            }
            assert!(heard <= 64, "{wire:?}, seed {seed}: {heard} messages in one poll");
            more
        };
        for _ in 0..60 {
            let some = random(present.len().max(1));
            match (random(6), present.get(some).copied()) {
                (0 | 1, _) if present.len() < 8 => {
                    let at = host.connect_over(1 << 20);
                    let mut polls = 0;
                    while !host.is_greeted(at) {
                        briefly(&mut host, &mut listeners);
                        polls += 1;
                        assert!(polls < 1_000, "{wire:?}, seed {seed}: it gets no id");
                    }
                    host.greeted(at);
                    present.push(at);
                    listeners.push(Listener::default());
                }
                (2, Some(at)) if random(2) == 0 => {
                    host.drop_guest(at);
                    present.swap_remove(some);
                }
                (3, _) => {
                    number += 1;
                    assert_eq!(host.put(Target::All, &number.to_le_bytes()).ok(), Some(Sent::Taken));
                    present.iter().for_each(|to| due.entry((1, *to)).or_default().push(number));
                }
                (_, Some(at)) => {
                    let (id, other) = (host.id(at), host.id(present[random(present.len())]));
                    let target = [0, -1, other, -other][random(4)];
                    for _ in 0..1 + random(100) {
                        number += 1;
                        host.send(at, &sent(wire, id, target, &number.to_le_bytes()));
                        for to in present.iter().filter(|to| **to != at && selects(target, host.id(**to))) {
                            due.entry((id, *to)).or_default().push(number);
                        }
                    }
                }
                _ => {}
            }
            (0..random(4)).for_each(|_| _ = briefly(&mut host, &mut listeners));
        }
        let polls = (0..20_000).take_while(|_| briefly(&mut host, &mut listeners)).count();
        assert!(polls < 20_000, "{wire:?}, seed {seed}: it never finishes");
        host.items();
        assert!(!host.poll(), "{wire:?}, seed {seed}: work is left");
        for at in &present {
            assert_eq!(host.heard(*at), [[0; 0]; 0], "{wire:?}, seed {seed}: work was left");
            let listener = &listeners[*at];
            let mut others: BTreeSet<i32> = present.iter().filter(|to| *to != at).map(|to| host.id(*to)).collect();
            others.extend((wire == Wire::Godot3).then_some(1));
            assert_eq!(listener.knows, others, "{wire:?}, seed {seed}");
            for ((from, _), numbers) in due.iter().filter(|((_, to), _)| to == at) {
                if *from == 1 || others.contains(from) {
                    let got = listener.from.get(from).into_iter().flatten().copied().collect::<BTreeSet<u32>>();
                    assert!(numbers.iter().all(|number| got.contains(number)), "{wire:?}, seed {seed}, {from} to {at}");
                }
            }
        }
    }
}

/// Clients that read slowly lose messages of others, and each loss is counted; but they are notified of everyone.
#[test]
fn slow_readers_lose_messages_but_no_notification() {
    for (seed, wire) in (1..=10).flat_map(|seed| [Wire::Godot3, Wire::Scene].map(|wire| (seed, wire))) {
        let mut random = random_of(seed);
        let limits = [(WS_OPT_OUTBOUND_PACKETS, 1 + random(8)), (WS_OPT_OUTBOUND_BYTES, 60 + random(400))];
        let mut host = TestHost::new(wire, RELAYING, &limits.map(|(option, limit)| (option, limit as u32)));
        let mut listeners: Vec<Listener> = Vec::new();
        let mut present: Vec<usize> = Vec::new();
        let mut due: Vec<u64> = Vec::new();
        let mut number = 0_u32;
        let what = format!("{wire:?}, seed {seed}");
        let hear = |host: &mut TestHost, listeners: &mut Vec<Listener>, at: usize| {
            host.heard(at).iter().for_each(|packet| listeners[at].hear(wire, packet));
        };
        for _ in 0..150 {
            let some = random(present.len().max(1));
            match (random(6), present.get(some).copied()) {
                (0, _) if present.len() < 12 => {
                    present.push(host.open_over(REQUEST.len() + random(300)));
                    listeners.push(Listener::default());
                    due.push(0);
                }
                (1, Some(at)) if random(3) == 0 => {
                    host.drop_guest(at);
                    present.swap_remove(some);
                }
                (2 | 3, Some(at)) => hear(&mut host, &mut listeners, at),
                (_, Some(at)) => {
                    let (id, target) = (host.id(at), [0, -1][random(2)]);
                    let count = 1 + random(4);
                    for _ in 0..count {
                        number += 1;
                        host.send(at, &sent(wire, id, target, &number.to_le_bytes()));
                    }
                    present.iter().filter(|to| **to != at).for_each(|to| due[*to] += count as u64);
                }
                _ => {}
            }
            host.poll();
            host.items();
        }
        for _ in 0..300 {
            present.iter().for_each(|at| hear(&mut host, &mut listeners, *at));
            host.poll();
        }
        for at in &present {
            let mut others: BTreeSet<i32> = present.iter().filter(|to| *to != at).map(|to| host.id(*to)).collect();
            others.extend((wire == Wire::Godot3).then_some(1));
            assert_eq!(listeners[*at].knows, others, "{what}");
            let heard: usize = listeners[*at].from.values().map(Vec::len).sum();
            let key = host.guests[*at].key;
            let lost = host.at.server.peer(key).unwrap().endpoint.counters.snapshot().rare.skipped;
            assert_eq!(heard as u64 + lost, due[*at], "{what}: {heard} heard and {lost} lost");
        }
    }
}

/// Notifications that wait for room leave nothing to do: the program need not poll again before the client reads.
#[test]
fn a_client_that_does_not_read_keeps_no_host_busy() {
    for wire in [Wire::Godot3, Wire::Scene] {
        let mut host = TestHost::new(wire, RELAYING, &[(WS_OPT_OUTBOUND_PACKETS, 4)]);
        let at = host.open_over(REQUEST.len());
        let others: Vec<usize> = (0..30).map(|_| host.open()).collect();
        host.items();
        for briefly in [true, false] {
            let polls = (0..1_000).take_while(|_| if briefly { host.poll_briefly() } else { host.poll() }).count();
            assert!(polls < 1_000, "{wire:?}: it polls on and on");
        }
        let mut listener = Listener::default();
        while listener.knows.len() < others.len() + usize::from(wire == Wire::Godot3) {
            let heard = host.heard(at);
            assert!(!heard.is_empty(), "{wire:?}: only {:?}", listener.knows);
            heard.iter().for_each(|packet| listener.hear(wire, packet));
            host.poll();
        }
    }
}

/// Messages that are too long to copy arrive as they were sent.
#[test]
fn long_messages_are_relayed_unchanged() {
    for wire in [Wire::Godot3, Wire::Scene] {
        let mut game = Game::new(wire, RELAYING);
        let guests = [game.join(), game.join(), game.join()];
        game.check("joined");
        for len in [65_520, 65_536, 65_537, 300_000, 600_000] {
            let data: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
            for target in [0, -1, game.host.id(guests[1]), -game.host.id(guests[1])] {
                game.say(guests[0], target, &data, 1);
                game.check(&format!("{wire:?}, {len} bytes to {target}"));
            }
        }
    }
}

/// Clients with many messages take turns: none delays the others by more than 64.
#[test]
fn clients_with_many_messages_take_turns() {
    for wire in [Wire::Godot3, Wire::Scene] {
        let mut host = TestHost::new(wire, RELAYING, &[]);
        let guests: Vec<usize> = (0..3).map(|_| host.open()).collect();
        host.poll();
        let ids: Vec<i32> = guests.iter().map(|at| host.id(*at)).collect();
        host.heard(2);
        for number in 0..300_u32 {
            for at in [0, 1] {
                host.send(at, &sent(wire, ids[at], -1, &number.to_le_bytes()));
            }
        }
        while host.poll() {}
        let at = if wire == Wire::Godot3 { 1 } else { 2 };
        let from = host.heard(2).iter().map(|packet| packet[at..at + 4].to_vec()).collect::<Vec<_>>();
        let turns: Vec<usize> = from.chunk_by(|one, other| one == other).map(<[_]>::len).collect();
        assert_eq!(from.len(), 600, "{wire:?}");
        assert!(turns.iter().all(|turn| *turn <= 64), "{wire:?}: {turns:?}");
    }
}

/// A message to a client that is closing or not admitted is reported like one to a client that has gone.
#[test]
fn a_message_to_a_client_that_cannot_get_it_is_reported() {
    for auth in [false, true] {
        let mut host = TestHost::new(Wire::Scene, SceneSettings { auth, relay: true, raw_replication: false }, &[]);
        let (from, to) = (host.open(), host.open());
        let (id, other) = (host.id(from), host.id(to));
        if auth {
            host.send(from, &[7, 0]);
            host.poll();
            host.act(|host, server, cx| host.complete_auth(server, cx, id)).unwrap();
        } else {
            let key = host.guests[to].key;
            host.act(|_, server, cx| server.peer(key).unwrap().close(cx, 1000, ""));
        }
        host.poll();
        host.items();
        host.heard(to);
        host.send(from, &sent(Wire::Scene, id, other, b"data"));
        host.poll();
        let items = host.items();
        let [lost] = items.as_slice() else { panic!("{auth}: {items:?}") };
        assert_eq!((lost.of, lost.kind, lost.cause), (id, EventKind::Error, Cause::NoPeer), "{auth}");
        assert_eq!(host.heard(to), [[0; 0]; 0], "{auth}");
    }
}
