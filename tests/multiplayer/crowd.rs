//! Many peers that join, leave and send at once at a relaying host: the work stays within the poll's budget, and the
//! first messages wait for room in the outbound queue.
#![cfg(unix)]

use crate::c_host::PATIENCE;
use std::collections::HashSet;
use std::ffi::CString;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ptr::null;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::ffi::*;

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: game\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A player on a raw socket that reads what it is sent, and records the peers announced to it.
struct Player {
    stream: TcpStream,
    got: Vec<u8>,
    is_open: bool,
    has_id: bool,
    there: HashSet<i32>,
    packets: usize,
    has_ended: bool,
}

impl Player {
    fn open(port: u16) -> Player {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nonblocking(true).unwrap();
        stream.write_all(REQUEST.as_bytes()).unwrap();
        Player {
            stream,
            got: Vec::new(),
            is_open: false,
            has_id: false,
            there: HashSet::new(),
            packets: 0,
            has_ended: false,
        }
    }

    fn read(&mut self) {
        let mut space = [0; 16_384];
        loop {
            match self.stream.read(&mut space) {
                Ok(0) => self.has_ended = true,
                Ok(count) => {
                    self.got.extend_from_slice(&space[..count]);
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.has_ended = true,
            }
            break;
        }
        if !self.is_open {
            let Some(end) = self.got.windows(4).position(|end| end == b"\r\n\r\n") else { return };
            self.got.drain(..end + 4);
            self.is_open = true;
        }
        let mut at = 0;
        while self.got.len() >= at + 2 && self.got.len() >= at + 2 + usize::from(self.got[at + 1]) {
            let end = at + 2 + usize::from(self.got[at + 1]);
            let payload = &self.got[at + 2..end];
            match (self.got[at], payload) {
                (0x88, _) => self.has_ended = true,
                (0x82, [_, _, _, _]) if !self.has_id => self.has_id = true,
                (0x82, [7, 1, id @ ..]) => {
                    assert!(self.there.insert(i32::from_le_bytes(id.try_into().unwrap())), "announced twice")
                }
                (0x82, [7, 2, id @ ..]) => {
                    assert!(
                        self.there.remove(&i32::from_le_bytes(id.try_into().unwrap())),
                        "a disconnect of a peer that was not announced"
                    )
                }
                (0x82, [7, 3, id @ ..]) => {
                    assert!(
                        self.there.contains(&i32::from_le_bytes(id[..4].try_into().unwrap())),
                        "a packet of a peer that was not announced"
                    );
                    self.packets += 1;
                }
                // The number of a path is confirmed.
                (0x82, [2, ..]) => {}
                (first, payload) => assert!(first == 0x89, "{first:x} {payload:?}"),
            }
            at = end;
        }
        self.got.drain(..at);
    }
}

fn thread_time() -> Duration {
    // SAFETY: a time is numbers.
    let mut time: libc::timespec = unsafe { std::mem::zeroed() };
    // SAFETY: it lives.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) }, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

struct Crowd {
    host: u32,
    port: u16,
    players: Vec<Player>,
    /// CPU time of each poll.
    polls: Vec<Duration>,
    ends: usize,
}

impl Crowd {
    fn new(edit: impl FnOnce(&mut ws_config)) -> Crowd {
        let (host, port) = crate::c_host::host(|config| {
            config.flags |= WS_SCENE;
            edit(config);
        });
        Crowd { host, port, players: Vec::new(), polls: Vec::new(), ends: 0 }
    }

    fn step(&mut self) {
        let began = thread_time();
        ws_poll(self.host);
        self.polls.push(thread_time() - began);
        while let Some(event) = crate::c_host::next(self.host) {
            self.ends += usize::from(event.is_end());
        }
        self.players.iter_mut().for_each(Player::read);
    }

    fn until(&mut self, what: &str, so: impl Fn(&Crowd) -> bool) {
        let end = Instant::now() + 4 * PATIENCE;
        while !so(self) {
            assert!(Instant::now() < end, "{what}: not within {:?}", 4 * PATIENCE);
            self.step();
        }
    }

    /// Adds players at once, and waits until all know each other.
    fn grow(&mut self, count: usize) {
        for _ in 0..count {
            self.players.push(Player::open(self.port));
        }
        self.until("all players know all others", |crowd| {
            crowd.players.iter().all(|player| player.there.len() == crowd.players.len() - 1)
        });
    }

    /// The longest five polls since the last call, in ascending order.
    fn longest(&mut self) -> Vec<Duration> {
        let mut polls = std::mem::take(&mut self.polls);
        polls.sort_unstable();
        polls.split_off(polls.len().saturating_sub(5))
    }
}

/// The poll budget is 1 ms, and polls take up to 2.1 ms in this profile; the rest is tolerance for a busy machine. The
/// two longest polls are ignored.
fn check(what: &str, longest: &[Duration]) {
    let longest = &longest[longest.len().saturating_sub(8)..];
    println!("{what}: the longest polls took {longest:?}");
    assert!(longest[longest.len() - 3] <= Duration::from_micros(2_500), "{what}: {longest:?}");
}

/// Tests that measure the time of polls run alone.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn mass_joins_and_leaves_stay_within_the_budget() {
    let _alone = alone();
    let mut crowd = Crowd::new(|config| config.max_pending_handshakes = 2_000);
    for _ in 0..5 {
        crowd.grow(100);
    }
    crowd.longest();
    crowd.grow(500);
    check("500 come", &crowd.longest());
    crowd.players.truncate(500);
    crowd.until("they are gone", |crowd| crowd.players.iter().all(|player| player.there.len() == 499));
    check("500 go", &crowd.longest());
    assert_eq!(crowd.ends, 500);
    // One player sends small packets to all.
    let packet = [0x82, 0x80 | 8, 0, 0, 0, 0, 7, 3, 0, 0, 0, 0, 3, b'!'];
    crowd.players[0].stream.write_all(&packet.repeat(200)).unwrap();
    crowd.until("all players receive all packets", |crowd| {
        crowd.players[1..].iter().all(|player| player.packets == 200)
    });
    check("200 packets to all", &crowd.longest());
    crate::c_host::free(crowd.host);
}

#[test]
fn first_messages_wait_for_room_in_the_outbound_queue() {
    let _alone = alone();
    for packets in [1, 2, 64] {
        let mut crowd = Crowd::new(|config| config.outbound_packets = packets);
        crowd.grow(200);
        crowd.players.truncate(120);
        crowd.until("they are gone", |crowd| crowd.players.iter().all(|player| player.there.len() == 119));
        assert!(crowd.ends == 80 && crowd.players.iter().all(|player| !player.has_ended), "{} have ended", crowd.ends);
        crate::c_host::free(crowd.host);
    }
}

#[test]
fn a_slow_reader_learns_later_and_only_of_present_peers() {
    let _alone = alone();
    let mut crowd = Crowd::new(|config| config.outbound_packets = 4);
    crowd.grow(10);
    // This player does not read while others join and leave.
    let mut silent = crowd.players.remove(0);
    for _ in 0..20 {
        let stay = crowd.players.len();
        for _ in 0..20 {
            crowd.players.push(Player::open(crowd.port));
        }
        crowd.until("the new players are announced", |crowd| {
            crowd.players.iter().all(|player| player.there.len() == crowd.players.len())
        });
        crowd.players.truncate(stay);
        crowd.until("they are gone", |crowd| crowd.players.iter().all(|player| player.there.len() == stay));
    }
    let end = Instant::now() + PATIENCE;
    while silent.there.len() != crowd.players.len() {
        assert!(Instant::now() < end && !silent.has_ended, "it knows {} peers", silent.there.len());
        crowd.step();
        silent.read();
    }
    crate::c_host::free(crowd.host);
}

/// A join of this library, and the peers announced to it.
struct Join {
    handle: u32,
    there: HashSet<i32>,
    packets: usize,
    last: Vec<u8>,
}

impl Join {
    fn open(port: u16) -> Join {
        Join::open_with(port, |_| {})
    }

    fn open_with(port: u16, edit: impl FnOnce(&mut ws_config)) -> Join {
        // SAFETY: a config is numbers and pointers.
        let mut config: ws_config = unsafe { std::mem::zeroed() };
        let (url, mut handle) = (CString::new(format!("ws://127.0.0.1:{port}/")).unwrap(), 0);
        // SAFETY: everything lives.
        unsafe {
            assert_eq!(ws_config_init(&mut config, size_of::<ws_config>()), WS_OK);
            config.flags = WS_SCENE;
            edit(&mut config);
            assert_eq!(ws_join(url.as_ptr(), &config, &mut handle), WS_OK);
        }
        Join { handle, there: HashSet::new(), packets: 0, last: Vec::new() }
    }

    fn step(&mut self) {
        ws_poll(self.handle);
        self.take();
    }

    /// Takes all events.
    fn take(&mut self) {
        loop {
            // SAFETY: an event is numbers and pointers.
            let mut event: ws_event = unsafe { std::mem::zeroed() };
            // SAFETY: it lives.
            if unsafe { ws_next_event(self.handle, &mut event) } != WS_OK {
                return;
            }
            match event.r#type {
                WS_EVENT_CONNECTED => assert!(self.there.insert(event.peer_id)),
                WS_EVENT_DISCONNECTED => assert!(self.there.remove(&event.peer_id)),
                WS_EVENT_MESSAGE => {
                    assert!(self.there.contains(&event.packet.peer_id));
                    self.packets += 1;
                    // SAFETY: lent until the next event.
                    self.last = unsafe { std::slice::from_raw_parts(event.packet.data, event.packet.len) }.to_vec();
                }
                WS_EVENT_OPEN | WS_EVENT_WRITABLE => {}
                kind => panic!("event {kind}, cause {}, {:?}", event.cause, crate::c_host::last_error()),
            }
        }
    }
}

#[test]
fn relayed_packets_follow_the_announcement_of_their_sender() {
    let _alone = alone();
    let (host, port) = crate::c_host::host(|config| {
        config.flags |= WS_SCENE;
        (config.outbound_packets, config.on_full, config.poll_budget_us) = (16, WS_FULL_SKIP, 50);
    });
    let mut joins: Vec<Join> = (0..60).map(|_| Join::open(port)).collect();
    let mut left = Vec::new();
    let end = Instant::now() + 4 * PATIENCE;
    for round in 0.. {
        assert!(Instant::now() < end, "{:?}", joins.iter().map(|join| join.there.len()).collect::<Vec<_>>());
        ws_poll(host);
        while crate::c_host::next(host).is_some() {}
        for join in &mut joins {
            join.step();
            // Each join sends to all from the moment it is open.
            if ws_get_state(join.handle) == WS_OPEN && round % 3 == 0 {
                crate::c_host::put(join.handle, b"hello");
            }
        }
        if round == 30 {
            for join in joins.drain(..20) {
                // SAFETY: NULL is no reason.
                unsafe { ws_close(join.handle, 1000, null()) };
                left.push(join.handle);
            }
        }
        left.iter().for_each(|handle| {
            ws_poll(*handle);
        });
        if round > 30 && joins.iter().all(|join| join.there.len() == joins.len() && join.packets > 0) {
            break;
        }
    }
    joins.iter().map(|join| join.handle).chain(left).chain([host]).for_each(crate::c_host::free);
}

#[test]
fn a_long_message_is_relayed_without_a_copy() {
    let _alone = alone();
    let message: Vec<u8> = (0..(16_u32 << 20) - 64).map(|at| (at.wrapping_mul(0x9E37_79B1) >> 24) as u8).collect();
    for (format, deflate) in [(WS_SCENE, 0), (WS_GODOT3, 0), (WS_SCENE, WS_DEFLATE)] {
        let (host, port) = crate::c_host::host(|config| {
            config.flags |= format | deflate;
            config.max_put_bytes = WS_OFF;
            (config.inbound_bytes, config.outbound_bytes) = (64 << 20, 64 << 20);
        });
        let open =
            |_| Join::open_with(port, |config| (config.flags, config.max_put_bytes) = (format | deflate, WS_OFF));
        let mut joins: Vec<Join> = (0..4).map(open).collect();
        let (mut own, mut polls) = (Vec::new(), Vec::new());
        let mut was_put = false;
        let end = Instant::now() + 4 * PATIENCE;
        while own.len() != 2 || joins[1..].iter().any(|join| join.packets < 2) {
            assert!(Instant::now() < end, "{:?}", joins.iter().map(|join| join.packets).collect::<Vec<_>>());
            let began = thread_time();
            ws_poll(host);
            polls.push(thread_time() - began);
            while let Some(event) = crate::c_host::next(host) {
                if event.kind == WS_EVENT_MESSAGE {
                    own.push(event.bytes);
                }
            }
            joins.iter_mut().for_each(Join::step);
            if !was_put && joins.iter().all(|join| join.there.len() == 4) {
                was_put = true;
                polls.clear();
                assert_eq!(crate::c_host::put(joins[0].handle, &message), WS_OK);
                while crate::c_host::put(joins[0].handle, &message[..message.len() - 1]) == WS_ERR_FULL {
                    ws_poll(joins[0].handle);
                    ws_poll(host);
                }
            }
        }
        assert!(own[0] == message && own[1] == message[..message.len() - 1], "the host has them");
        assert!(joins[1..].iter().all(|join| join.last == message[..message.len() - 1]), "the others have them");
        polls.sort_unstable();
        check(&format!("{format} {deflate}"), &polls[polls.len().saturating_sub(8)..]);
        joins.iter().map(|join| join.handle).chain([host]).for_each(crate::c_host::free);
    }
}

/// A join of a malicious host that sends `messages`. Returns the sorted CPU times of its polls.
fn hostile(messages: &[u8], until: impl Fn(&Join) -> bool) -> Vec<Duration> {
    hostile_to(messages, true, until)
}

/// Like `hostile`, with or without taking the events.
fn hostile_to(messages: &[u8], takes: bool, until: impl Fn(&Join) -> bool) -> Vec<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut join = Join::open(listener.local_addr().unwrap().port());
    // SAFETY: both texts live.
    assert_eq!(unsafe { ws_declare_node(join.handle, c"Game".as_ptr(), c"hello".as_ptr()) }, WS_OK);
    listener.set_nonblocking(true).unwrap();
    let (mut stream, mut request, mut unsent, mut polls) = (None, Vec::new(), Vec::new(), Vec::new());
    let end = Instant::now() + 4 * PATIENCE;
    while !until(&join) {
        assert!(Instant::now() < end, "{} peers are known", join.there.len());
        let began = thread_time();
        ws_poll(join.handle);
        polls.push(thread_time() - began);
        if takes {
            join.take();
        }
        if stream.is_none() {
            stream = listener.accept().ok().map(|(stream, _)| stream);
            stream.iter().for_each(|stream| stream.set_nonblocking(true).unwrap());
        }
        let Some(stream) = &mut stream else { continue };
        let mut space = [0; 4_096];
        if let Ok(count) = stream.read(&mut space)
            && !request.ends_with(b"\r\n\r\n")
        {
            request.extend_from_slice(&space[..count]);
            let text = String::from_utf8_lossy(&request);
            if let Some(key) = text.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")) {
                let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
                let head = format!(
                    "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                );
                unsent = [head.as_bytes(), &[0x82, 4], &7_777_i32.to_le_bytes(), messages].concat();
            }
        }
        if let Ok(count) = stream.write(&unsent) {
            unsent.drain(..count);
        }
    }
    let began = thread_time();
    crate::c_host::free(join.handle);
    polls.push(thread_time() - began);
    polls.sort_unstable();
    polls
}

#[test]
fn peer_tables_of_a_join_grow_in_small_steps() {
    let _alone = alone();
    let ids = 10_000..75_000_u32;
    let count = ids.len();
    let came: Vec<u8> = ids.clone().flat_map(|id| [[0x82, 6, 7, 1].as_slice(), &id.to_le_bytes()].concat()).collect();
    // No single poll may be long: a table that grows by moving all its entries does so in one poll. A busy machine
    // disturbs some runs, so the median of three counts.
    let check_longest = |what: &str, messages: &[u8]| {
        let mut longest: Vec<_> =
            (0..3).map(|_| *hostile(messages, |join| join.there.len() > count).last().unwrap()).collect();
        longest.sort_unstable();
        check(what, &[longest[1]; 3]);
    };
    check_longest("65 000 others", &came);
    // Each peer announces a node id for the path.
    let checksum = b"5d41402abc4b2a76b9719d911017c592";
    let named = ids.flat_map(|id| {
        let relayed =
            [[7, 3].as_slice(), &id.to_le_bytes(), &[1], checksum, &[0], &id.to_le_bytes(), b"Game\0"].concat();
        [[0x82, 6, 7, 1].as_slice(), &id.to_le_bytes(), &[0x82, relayed.len() as u8], &relayed].concat()
    });
    check_longest("65 000 numbers", &named.collect::<Vec<u8>>());
}

/// Peers join and leave, in several orders, while nobody takes the events.
#[test]
fn cancelling_events_of_other_peers_stays_within_the_budget() {
    let _alone = alone();
    let message = |kind: u8, id: u32| [[0x82, 6, 7, kind].as_slice(), &id.to_le_bytes()].concat();
    let ids = || 10_000..75_000_u32;
    // 7,919 is coprime to the number of ids, so every id occurs once, in no order.
    let shuffled = || (0..65_000_u64).map(|index| 10_000 + (index * 7_919 % 65_000) as u32);
    let orders: [(&str, Vec<u32>); 3] = [
        ("as they came", ids().collect()),
        ("the last first", ids().rev().collect()),
        ("in no order", shuffled().collect()),
    ];
    for (what, went) in orders {
        let came = ids().flat_map(|id| message(1, id));
        let all: Vec<u8> = came.chain(went.iter().flat_map(|id| message(2, *id))).collect();
        let seen = |join: &Join| crate::c_host::stats(join.handle).wire_bytes_in as usize >= all.len();
        check(what, &hostile_to(&all, false, seen));
    }
}

#[test]
fn a_call_with_the_most_allowed_items_stays_within_the_budget() {
    let _alone = alone();
    let array = |count: u32, item: &[u8]| {
        [&[1, 28, 0, 0, 0], count.to_le_bytes().as_slice(), item.repeat(count as usize).as_slice()].concat()
    };
    if std::env::var_os("ONLY").is_some() {
        let arguments = array(65_000, &[4, 0, 0, 0, 4, 0, 0, 0, b'a', b'b', b'c', b'd']);
        let place = (6 + arguments.len()) as u32 | 1 << 31;
        let call = [&[0x20], place.to_le_bytes().as_slice(), &[0], &arguments, b"Game\0"].concat();
        for _ in 0..60 {
            println!("{:?}", third_longest_with(&call));
        }
        return;
    }
    for (what, arguments) in [
        ("null", array(65_000, &[0; 4])),
        ("int", array(65_000, &[2, 0, 0, 0, 5, 0, 0, 0])),
        ("String", array(65_000, &[4, 0, 0, 0, 4, 0, 0, 0, b'a', b'b', b'c', b'd'])),
        ("NodePath", array(32_000, &[22, 0, 0, 0, 1, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, b'a', 0, 0, 0])),
        ("Array", array(65_000, &[28, 0, 0, 0, 0, 0, 0, 0])),
    ] {
        let place = (6 + arguments.len()) as u32 | 1 << 31;
        let call = [&[0x20], place.to_le_bytes().as_slice(), &[0], &arguments, b"Game\0"].concat();
        // A busy machine disturbs some runs, so the median of three counts.
        let mut third: Vec<_> = (0..3).map(|_| third_longest_with(&call)).collect();
        third.sort_unstable();
        check(what, &[third[1]; 3]);
        let frame = [&[0x82, 0x7F], (call.len() as u64).to_be_bytes().as_slice(), &call].concat();
        check(&format!("{what} at a join"), &hostile(&frame.repeat(10), |join| join.packets == 10));
    }
}

/// As for calls: a packet with as many states or values as are allowed, of nodes that exist and of some that do not.
#[test]
fn replication_of_the_most_allowed_values_stays_within_the_budget() {
    let _alone = alone();
    let list = |count: u32| (0..count).map(|at| format!(".:p{at} always")).collect::<Vec<_>>().join(", ");
    for (what, properties, states) in [("values", 4_000, 8), ("nodes", 20, 1_024), ("unknown states", 0, 4_096)] {
        let mut crowd = Crowd::new(|_| {});
        crowd.players.push(Player::open(crowd.port));
        let mut id = 0;
        let end = Instant::now() + PATIENCE;
        while id == 0 {
            assert!(Instant::now() < end);
            ws_poll(crowd.host);
            crowd.players[0].read();
            id = crate::c_host::next(crowd.host).map_or(0, |event| event.peer_id);
        }
        let (spawner, list) = (c"Game/Spawner", CString::new(list(properties)).unwrap());
        // SAFETY: the texts live.
        unsafe { assert_eq!(ws_declare_scene(crowd.host, spawner.as_ptr(), id, 0, list.as_ptr()), WS_OK) };
        let frame = |packet: &[u8]| {
            let len = (packet.len() as u64).to_be_bytes();
            let head = match packet.len() {
                0..126 => vec![0x82, 0x80 | len[7]],
                126..0x1_0000 => [&[0x82, 0xFE], &len[6..]].concat(),
                _ => [&[0x82, 0xFF], len.as_slice()].concat(),
            };
            [&head, [0; 4].as_slice(), packet].concat()
        };
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        let path = [&[1][..], b"d41d8cd98f00b204e9800998ecf8427e\0", &words(&[1]), b"Game/Spawner\0"].concat();
        let mut all = frame(&path);
        if properties > 0 {
            for node in 1..=states {
                let head = words(&[1, node, 1, 2, 10_000 + node]);
                all.extend(frame(&[&[4, 0], head.as_slice(), b"n\0"].concat()));
            }
        }
        let state = |node: u32| [words(&[10_000 + node, properties]), vec![1; properties as usize]].concat();
        let sync = [&[6, 1, 0][..], &(1..=states).flat_map(state).collect::<Vec<u8>>()].concat();
        all.extend(frame(&sync).repeat(10));
        let (mut sent, before) = (0, crate::c_host::stats(crowd.host).messages_in);
        let wanted = before + 11 + if properties > 0 { u64::from(states) } else { 0 };
        let end = Instant::now() + PATIENCE;
        while sent < all.len() || crate::c_host::stats(crowd.host).messages_in < wanted {
            assert!(Instant::now() < end && crowd.ends == 0, "{what}: {sent} of {}, {} ended", all.len(), crowd.ends);
            sent += crowd.players[0].stream.write(&all[sent..]).unwrap_or(0);
            crowd.step();
        }
        check(what, &crowd.longest());
        crate::c_host::free(crowd.host);
    }
}

/// The third longest poll of a host to which a client sends ten times the same call.
fn third_longest_with(call: &[u8]) -> Duration {
    let mut crowd = Crowd::new(|_| {});
    crowd.grow(1);
    // SAFETY: both texts live.
    assert_eq!(unsafe { ws_declare_node(crowd.host, c"Game".as_ptr(), c"hello".as_ptr()) }, WS_OK);
    crowd.longest();
    let frame = [&[0x82, 0xFF], (call.len() as u64).to_be_bytes().as_slice(), &[0; 4], call].concat();
    let (mut sent, all) = (0, frame.repeat(10));
    let before = crate::c_host::stats(crowd.host).messages_in;
    let end = Instant::now() + PATIENCE;
    while crate::c_host::stats(crowd.host).messages_in < before + 10 {
        assert!(Instant::now() < end, "{sent} of {}", all.len());
        sent += crowd.players[0].stream.write(&all[sent..]).unwrap_or(0);
        crowd.step();
    }
    crate::c_host::free(crowd.host);
    let longest = crowd.longest();
    longest[longest.len() - 3]
}
