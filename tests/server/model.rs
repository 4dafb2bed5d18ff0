//! Random sequences of what clients and a host do, compared with a model: who is admitted, what arrives, what is
//! counted, and that nothing waits without being announced.

use crate::test_server::*;
use std::collections::HashMap;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use wspeer::codes::*;
use wspeer::internals::endpoint::Item;
use wspeer::internals::link::Sent;
use wspeer::internals::net::MemoryEnd;
use wspeer::internals::server::is_last;
use wspeer::internals::status::{EventKind, State};

/// Pseudorandom numbers with a fixed seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }
}

/// What the model knows of a client in this process.
#[derive(Default)]
struct Player {
    /// The client's end; `None`: it has left.
    end: Option<MemoryEnd>,
    key: u32,
    /// Numbers of the next message from it and to it.
    sent: u8,
    put: u8,
    /// Number of its next message that the host takes.
    taken: u8,
    /// CONNECTED has been taken.
    connected: bool,
    /// DISCONNECTED has been taken, or the host freed its handle.
    over: bool,
    /// The host freed its handle.
    freed: bool,
    /// What it has received.
    bytes: Vec<u8>,
}

/// Clients in this process and their server. Clients are identified by their handles, which count from 1.
struct Scene {
    test: TestServer,
    players: Vec<Player>,
    random: Random,
    /// Bytes of each message from a client, which are all the number of the message.
    len: usize,
}

impl Scene {
    fn join(&mut self) {
        let (end, key) = self.test.join();
        self.players.push(Player { end: Some(end), key, ..Player::default() });
        assert_eq!(self.test.given.count.get(), self.players.len() as u32);
        assert_eq!(self.test.server.peer(key).unwrap().endpoint.handle, self.players.len() as u32);
    }

    /// Index of the client whose handle is in this slot now.
    fn at(&mut self, key: u32) -> usize {
        self.test.server.peer(key).unwrap().endpoint.handle as usize - 1
    }

    /// A random client whose handle has not been freed.
    fn any(&mut self) -> Option<usize> {
        let left: Vec<usize> = (0..self.players.len()).filter(|index| !self.players[*index].over).collect();
        if left.is_empty() { None } else { Some(left[self.random.below(left.len())]) }
    }

    fn send(&mut self, index: usize, count: usize) {
        let player = &mut self.players[index];
        let Some(end) = &mut player.end else { return };
        for _ in 0..count {
            let message = frame(0x82, &vec![player.sent; self.len]);
            if end.room() < message.len() || player.sent == u8::MAX {
                break;
            }
            end.write(&message).unwrap();
            player.sent += 1;
        }
    }

    fn note_message(&mut self, index: usize, payload: &[u8]) {
        let player = &mut self.players[index];
        assert!(payload == vec![player.taken; self.len], "client {index}");
        assert!(player.taken < player.sent && !player.over);
        player.taken += 1;
    }

    fn note_item(&mut self, index: usize, item: &Item) {
        match item {
            Item::Message(message) => {
                let payload = self.test.bytes(message);
                assert!(self.players[index].connected, "a message before CONNECTED");
                self.note_message(index, &payload);
            }
            Item::Mark(mark) => {
                let player = &mut self.players[index];
                match mark.kind {
                    EventKind::Connected => assert!(!std::mem::replace(&mut player.connected, true)),
                    EventKind::Disconnected => {
                        assert!(player.end.is_none() && player.taken == player.sent, "{} of it", player.taken);
                        assert!(!std::mem::replace(&mut player.over, true));
                    }
                    kind => panic!("{kind:?}"),
                }
            }
        }
    }

    /// Takes an item through the server's handle.
    fn take(&mut self) -> bool {
        let Some((key, item)) = self.test.server.take_item() else { return false };
        let index = self.at(key.unwrap());
        self.note_item(index, &item);
        true
    }

    /// Takes an item through a client's handle.
    fn take_from(&mut self, index: usize, only_messages: bool) {
        let key = self.players[index].key;
        let peer = self.test.server.peer(key).unwrap();
        let item = if only_messages { peer.take_message().map(Item::Message) } else { peer.take_item() };
        let Some(item) = item else { return };
        self.test.server.took(key, matches!(&item, Item::Mark(mark) if is_last(mark)));
        if let (true, Item::Message(message)) = (only_messages, &item) {
            let payload = self.test.bytes(message);
            self.note_message(index, &payload);
        } else {
            self.note_item(index, &item);
        }
    }

    fn put(&mut self, index: usize) {
        let (key, number) = (self.players[index].key, self.players[index].put);
        let open = self.test.server.peer(key).is_some_and(|peer| peer.state() == State::Open);
        let sent = self.test.act(|server, cx| server.put_one(cx, key, false, &[number]));
        assert_eq!(sent, if open { Sent::Taken } else { Sent::NotOpen });
        self.players[index].put += u8::from(open && self.players[index].end.is_some());
    }

    fn step(&mut self) {
        let Some(index) = self.any() else { return self.join() };
        match self.random.below(16) {
            0 if self.players.len() < 12 => self.join(),
            1 => self.players[index].end = None,
            2 => {
                let key = self.players[index].key;
                self.test.act(|server, cx| server.forget(cx, key));
                assert!(self.test.server.peer(key).is_none());
                let player = &mut self.players[index];
                (player.over, player.freed, player.end) = (true, true, None);
            }
            3..6 => {
                let count = self.random.below(12);
                self.send(index, count);
            }
            6..8 => self.test.poll(),
            8 => {
                let clock = self.test.clock(Duration::from_secs(1));
                self.test.poll_within(&clock, Some(1_000));
            }
            9 => {
                let count = self.random.below(9);
                (0..count).for_each(|_| _ = self.take());
            }
            10 => {
                if let Some((handle, payload)) = self.test.message() {
                    self.note_message(handle as usize - 1, &payload);
                }
            }
            11 | 12 => self.take_from(index, false),
            13 => self.take_from(index, true),
            14 => self.put(index),
            _ => {
                let (first, last) = (self.random.below(4) as u32, 4 + self.random.below(9) as u32);
                for index in 0..self.players.len() {
                    let key = self.players[index].key;
                    if (first..last).contains(&key) && !self.players[index].over {
                        self.put(index);
                    }
                }
            }
        }
    }

    fn check(&mut self) {
        let (counters, queued, _) = self.test.server.totals();
        let [connected, pending, accepted, refused] = self.test.counts();
        let taken: u64 = self.players.iter().map(|player| u64::from(player.taken)).sum();
        let read = self.players.iter().filter(|player| !player.freed).count();
        if read == self.players.len() {
            assert_eq!(counters.messages_in, taken + queued[0]);
        }
        let mut sums = [0; 3];
        for player in self.players.iter().filter(|player| !player.over) {
            let peer = self.test.server.peer(player.key).unwrap();
            sums[0] += u64::from(peer.state() != State::Closed);
            sums[1] += peer.endpoint.inbox.len() as u64;
            sums[2] += peer.endpoint.inbox.bytes();
        }
        assert_eq!([connected, queued[0], queued[1]], sums);
        assert_eq!((self.test.server.available() as u64, pending, refused), (queued[0], 0, 0));
        assert_eq!(accepted, self.players.len() as u64);
        let mut handles = self.test.server.handles_waiting();
        handles.sort_unstable();
        let test = &mut self.test;
        let expected = (1..).zip(&self.players).filter(|(_, player)| {
            !player.over && test.server.peer(player.key).is_some_and(|peer| peer.endpoint.inbox.has_items())
        });
        assert_eq!(handles, expected.map(|(handle, _)| handle).collect::<Vec<u32>>());
    }

    /// Takes everything, and polls while the server has work.
    fn finish(&mut self) {
        for _ in 0..1_000 {
            while self.take() {}
            if !self.test.server.has_work() {
                break;
            }
            self.test.poll();
        }
        assert!(!self.test.server.has_work());
        for (index, player) in self.players.iter_mut().enumerate().filter(|(_, player)| !player.freed) {
            assert_eq!((player.taken, player.over), (player.sent, player.end.is_none()), "client {index}");
            if let Some(end) = &mut player.end {
                player.bytes.extend(received(end));
                let expected: Vec<u8> = (0..player.put).flat_map(|number| [0x82, 1, number]).collect();
                assert_eq!(player.bytes, expected, "client {index}");
            }
        }
        self.check();
        let mut retired = self.test.given.retired.borrow().clone();
        retired.sort_unstable();
        let ended = (1..).zip(&self.players).filter(|(_, player)| player.over && !player.freed);
        assert_eq!(retired, ended.map(|(handle, _)| handle).collect::<Vec<u32>>());
    }
}

#[test]
fn whatever_clients_and_host_do_each_message_is_taken_once_and_in_order() {
    let mut pauses = [0; 2];
    for seed in 1..40u64 {
        let limit = if seed % 2 == 0 { WS_OFF } else { 3 };
        let changes = [(WS_OPT_INBOUND_PACKETS, limit), (WS_OPT_HEARTBEAT_MS, WS_OFF)];
        let random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        // Long enough for reading to pause at the limit.
        let len = if seed % 2 == 0 { 1 } else { 6_000 };
        let mut scene = Scene { test: TestServer::new(&changes), players: Vec::new(), random, len };
        scene.test.poll_until("the first look at the listener", |test| !test.server.has_work());
        for _ in 0..250 {
            scene.step();
            scene.check();
            let keys: Vec<u32> = scene.test.server.keys().collect();
            pauses[usize::from(limit == 3)] +=
                keys.iter().filter(|key| scene.test.server.peer(**key).unwrap().is_reading_paused()).count();
        }
        scene.finish();
    }
    assert!(pauses[0] == 0 && pauses[1] > 100, "{pauses:?}");
}

/// A client over TCP as the model knows it.
struct Visitor {
    stream: TcpStream,
    address: usize,
    /// Its slot, once its request has been accepted.
    key: Option<u32>,
    /// Number of its messages that the host has not taken.
    unread: usize,
    left: bool,
}

/// A server, its limits, and clients that come from 127.0.0.1 to 127.0.0.3.
struct Door {
    test: TestServer,
    visitors: Vec<Visitor>,
    /// The options max_clients and max_clients_per_address.
    most: u64,
    most_of_one: u64,
    /// How many clients the server has: connected, pending, accepted so far, refused so far.
    expected: [u64; 4],
}

const CROWDED: &str = "too many clients from this address";

impl Door {
    fn count(&self, of: impl Fn(&Visitor) -> bool) -> u64 {
        self.visitors.iter().filter(|visitor| of(visitor)).count() as u64
    }

    /// Whether a connection from this address is refused at once.
    fn is_crowded(&self, address: usize) -> bool {
        self.count(|visitor| visitor.address == address && !visitor.left) >= self.most_of_one
    }

    /// The answer to a request, or the reason in it.
    fn answer(&self, address: usize) -> &'static str {
        let [connected, unread]: [&dyn Fn(&Visitor) -> bool; 2] =
            [&|visitor| visitor.key.is_some() && !visitor.left, &|visitor| visitor.left && visitor.unread > 0];
        let here = |of: &dyn Fn(&Visitor) -> bool| self.count(|visitor| visitor.address == address && of(visitor));
        if self.count(connected) >= self.most {
            "the server is full"
        } else if here(connected) >= self.most_of_one {
            CROWDED
        } else if self.count(connected) + self.count(unread) >= self.most
            || here(connected) + here(unread) >= self.most_of_one
        {
            "the server has not read the messages of clients that have ended"
        } else {
            "101"
        }
    }

    fn poll_until(&mut self, what: &str) {
        let expected = self.expected;
        self.test.poll_until(what, |test| test.counts() == expected);
    }

    /// Connects from 127.0.0.`address`.
    fn connect(&mut self, address: usize) -> TcpStream {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, address as u8), 0)).into()).unwrap();
        socket.connect(&self.test.server.address().into()).unwrap();
        socket.set_nonblocking(true).unwrap();
        self.expected[2] += 1;
        socket.into()
    }

    /// Sends a request, unless a refusal comes without one, and checks the answer.
    fn ask(&mut self, mut stream: TcpStream, address: usize, reason: &'static str) {
        self.expected[if reason == "101" { 0 } else { 3 }] += 1;
        let before: Vec<u32> = self.test.server.keys().collect();
        stream.write_all(REQUEST).unwrap();
        let (mut answer, expected) = (Vec::new(), self.expected);
        self.test.poll_until(reason, |test| {
            read(&mut stream, &mut answer);
            test.counts() == expected && answer.windows(4).any(|end| end == b"\r\n\r\n")
        });
        let answer = String::from_utf8(answer).unwrap();
        let status = if reason == "101" { "HTTP/1.1 101 " } else { "HTTP/1.1 503 " };
        assert!(answer.starts_with(status) && answer.contains(reason), "{reason}: {answer}");
        if reason == "101" {
            let key = self.test.server.keys().find(|key| !before.contains(key));
            assert!(self.test.server.peer(key.unwrap()).unwrap().take_item().is_some(), "CONNECTED");
            self.visitors.push(Visitor { stream, address, key, unread: 0, left: false });
        }
    }

    /// A client sends a message.
    fn send(&mut self, index: usize) {
        let visitor = &mut self.visitors[index];
        let (Some(key), false) = (visitor.key, visitor.left) else { return };
        visitor.stream.write_all(&frame(0x82, b"x")).unwrap();
        visitor.unread += 1;
        let unread = visitor.unread;
        let has_come = |test: &mut TestServer| test.server.peer(key).unwrap().endpoint.inbox.len() == unread;
        self.test.poll_until("the message", has_come);
    }

    fn leave(&mut self, index: usize) {
        let visitor = &mut self.visitors[index];
        if std::mem::replace(&mut visitor.left, true) {
            return;
        }
        visitor.stream.shutdown(std::net::Shutdown::Both).unwrap();
        if visitor.key.is_some() {
            self.expected[0] -= 1;
        } else {
            self.expected[1] -= 1;
            self.expected[3] += 1;
        }
        self.poll_until("its end");
    }

    /// The host takes all items of a client, or one.
    fn take(&mut self, index: usize, all: bool) {
        let visitor = &mut self.visitors[index];
        let Some(key) = visitor.key else { return };
        let mut last = false;
        for _ in 0..if all { usize::MAX } else { 1 } {
            let Some(item) = self.test.server.peer(key).unwrap().take_item() else { break };
            visitor.unread -= usize::from(matches!(item, Item::Message(_)));
            last = matches!(&item, Item::Mark(mark) if is_last(mark));
            self.test.server.took(key, last);
        }
        if last {
            self.visitors.remove(index);
            self.test.poll();
            assert!(self.test.server.peer(key).is_none(), "its slot is free");
        }
    }
}

#[test]
fn clients_from_several_addresses_are_admitted_within_the_limits() {
    let mut answers: HashMap<&str, u32> = HashMap::new();
    for seed in 1..7 {
        let changes = [
            (WS_OPT_HEARTBEAT_MS, WS_OFF),
            (WS_OPT_INBOUND_PACKETS, WS_OFF),
            (WS_OPT_MAX_PENDING_HANDSHAKES, WS_OFF),
            (WS_OPT_MAX_CLIENTS, 5),
            (WS_OPT_MAX_CLIENTS_PER_ADDRESS, 3),
        ];
        let test = TestServer::new(&changes);
        let mut door = Door { test, visitors: Vec::new(), most: 5, most_of_one: 3, expected: [0; 4] };
        let mut random = Random(0x5EED_0000_0001 * seed);
        for _ in 0..120 {
            let (address, step) = (1 + random.below(3), random.below(14));
            let index = random.below(door.visitors.len().max(1));
            match step {
                0..5 => {
                    let reason = if door.is_crowded(address) { CROWDED } else { door.answer(address) };
                    *answers.entry(reason).or_default() += 1;
                    let stream = door.connect(address);
                    door.ask(stream, address, reason);
                }
                // A client that sends its request later, when the limits may be others.
                5 if !door.is_crowded(address) => {
                    let stream = door.connect(address);
                    door.expected[1] += 1;
                    door.poll_until("it to be accepted");
                    door.visitors.push(Visitor { stream, address, key: None, unread: 0, left: false });
                }
                6 => {
                    let waiting = door.visitors.iter().position(|visitor| visitor.key.is_none() && !visitor.left);
                    let Some(index) = waiting else { continue };
                    let Visitor { stream, address, .. } = door.visitors.swap_remove(index);
                    door.expected[1] -= 1;
                    let reason = door.answer(address);
                    *answers.entry(if reason == CROWDED { "later" } else { reason }).or_default() += 1;
                    door.ask(stream, address, reason);
                }
                7 | 8 if !door.visitors.is_empty() => door.send(index),
                9 | 10 if !door.visitors.is_empty() => door.leave(index),
                11 | 12 if !door.visitors.is_empty() => door.take(index, random.below(2) == 0),
                _ => {
                    (door.most, door.most_of_one) = (2 + random.below(9) as u64, 1 + random.below(3) as u64);
                    let options = Arc::make_mut(&mut door.test.server.endpoint.options);
                    options.set(WS_OPT_MAX_CLIENTS, door.most as u32).unwrap();
                    options.set(WS_OPT_MAX_CLIENTS_PER_ADDRESS, door.most_of_one as u32).unwrap();
                }
            }
            assert_eq!(door.test.counts(), door.expected);
        }
    }
    // Each answer was given several times.
    assert!(answers.len() == 5 && answers.values().all(|count| *count > 2), "{answers:?}");
}

#[test]
fn of_the_events_of_too_many_clients_those_of_the_first_ended_ones_are_merged() {
    // Clients that join, each with the numbers of messages that it sends, and whether it leaves.
    const CLIENTS: usize = 2_300;
    let habit = |index: usize| (usize::from(index.is_multiple_of(7)) * 2, !index.is_multiple_of(10));
    let mut test = TestServer::new(&[(WS_OPT_MAX_CLIENTS, WS_OFF), (WS_OPT_HEARTBEAT_MS, WS_OFF)]);
    test.poll_until("the first look at the listener", |test| !test.server.has_work());
    // The slot of one that has gone is used again.
    let (first, key) = test.join();
    drop(first);
    test.poll();
    assert_eq!((key, test.items().len()), (0, 2));
    test.poll();
    let mut ends: Vec<Option<MemoryEnd>> = Vec::new();
    for index in 0..CLIENTS {
        let (near, mut far) = MemoryEnd::pair(1_000);
        test.act(|server, cx| server.accept_local(cx, near));
        let (messages, _) = habit(index);
        far.write(&[REQUEST.to_vec(), frame(0x82, b"x").repeat(messages)].concat()).unwrap();
        ends.push(Some(far));
    }
    test.poll();
    assert_eq!((test.counts(), test.server.available()), ([CLIENTS as u64, 0, CLIENTS as u64 + 1, 0], 658));
    let marks = |test: &mut TestServer, index: usize| {
        test.server.peer(index as u32).map_or(0, |peer| peer.endpoint.inbox.marks() as u64)
    };
    // Each that leaves has two events then, CONNECTED and DISCONNECTED. At most 4,096 are kept.
    let (mut events, mut merged, mut first) = (CLIENTS as u64, 0, 0);
    for index in 0..CLIENTS {
        if !habit(index).1 {
            continue;
        }
        ends[index] = None;
        events += 1;
        while events - merged > 4_096 {
            while !habit(first).1 {
                first += 1;
            }
            merged += 2;
            first += 1;
        }
        if index % 100 == 99 || index == CLIENTS - 1 {
            test.poll();
            let mut sum = 0;
            for (index, end) in ends.iter().enumerate() {
                let marks = marks(&mut test, index);
                sum += marks;
                let expected = if index < first && habit(index).1 { 0 } else { 1 + u64::from(end.is_none()) };
                assert_eq!(marks, expected, "client {index} of {first}");
            }
            assert_eq!(sum, events - merged);
        }
    }
    assert!(merged > 200);
    test.act(|server, cx| server.close(cx, -1, ""));
    test.poll();
    // The first event says how many there were. Messages are still there, and the server's CLOSED is the last item.
    let Some((None, Item::Mark(mark))) = test.server.take_item() else { panic!() };
    let merged = mark.count;
    assert_eq!(mark.kind, EventKind::Skipped);
    let items = test.items();
    let of = |kind| items.iter().filter(|(key, of)| *of == kind && key.is_some()).count() as u64;
    assert_eq!(of(EventKind::Message), 658);
    assert_eq!(of(EventKind::Connected) + of(EventKind::Disconnected) + merged, 2 * CLIENTS as u64);
    assert!((4_095..=4_096).contains(&(2 * CLIENTS as u64 - merged)), "{merged}");
    let of_server: Vec<_> = items.iter().filter(|(key, _)| key.is_none()).collect();
    assert_eq!((of_server, items.last()), (vec![&(None, EventKind::Closed)], Some(&(None, EventKind::Closed))));
    test.poll();
    assert!(test.server.keys().count() == 0 && test.server.footprint() < 3 * CLIENTS);
}
