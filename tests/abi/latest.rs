//! ws_put_latest: newer messages take the place of older ones that have not left, and nothing else changes.

use crate::c_host::{self, free, next, poll, put, stats, until};
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::ffi::*;

fn put_latest(handle: u32, key: u32, bytes: &[u8]) -> i32 {
    // SAFETY: the bytes live.
    unsafe { ws_put_latest(handle, 0, key, bytes.as_ptr(), bytes.len(), WS_BINARY) }
}

/// A server and a client, and the server's handle of it.
fn open(edit_server: impl FnOnce(&mut ws_config), edit_client: impl FnOnce(&mut ws_config)) -> (u32, u32, u32) {
    let (server, port) = c_host::listen(None, |config| {
        config.heartbeat_ms = WS_OFF;
        edit_server(config);
    });
    let client = c_host::connect(port, None, edit_client);
    until("both are open", || {
        poll(server);
        poll(client);
        while next(client).is_some() {}
        !c_host::conns(server).is_empty() && ws_get_state(client) == WS_OPEN
    });
    while next(server).is_some() {}
    (server, c_host::conns(server)[0], client)
}

/// What a queue must have: in order, each message with its key.
#[derive(Default)]
struct Model {
    queue: VecDeque<(Option<u32>, Vec<u8>)>,
    replaced: u64,
}

impl Model {
    fn put(&mut self, key: Option<u32>, bytes: Vec<u8>) {
        let same = |(of, _): &&mut (Option<u32>, Vec<u8>)| key.is_some() && *of == key;
        match self.queue.iter_mut().find(same) {
            Some(old) => {
                old.1 = bytes;
                self.replaced += 1;
            }
            None => self.queue.push_back((key, bytes)),
        }
    }
}

/// With WS_COALESCE nothing leaves before a flush, so what is received follows exactly from what was put.
#[test]
fn a_newer_message_takes_the_place_of_the_older_one() {
    for (seed, session, deflate, from_server) in (0..16).map(|seed| (seed, seed & 1 != 0, seed & 2 != 0, seed & 4 != 0))
    {
        let edit = |config: &mut ws_config| {
            config.flags |= WS_COALESCE | if deflate { WS_DEFLATE } else { 0 };
            config.session_ms = if session { 60_000 } else { 0 };
        };
        let (server, conn, client) = open(edit, edit);
        let (from, to) = if from_server { (conn, client) } else { (client, server) };
        let mut random = c_host::random_of(seed + 1);
        let mut model = Model::default();
        for round in 0..30_u32 {
            for step in 0..random(40) {
                let len = if random(8) == 0 { random(3_000) } else { random(40) };
                let tail = (0..len).map(|at| at as u8 & 7);
                let bytes: Vec<u8> = [round, step].into_iter().flat_map(u32::to_le_bytes).chain(tail).collect();
                let key = (random(3) > 0).then(|| random(6));
                let result = match key {
                    Some(key) => put_latest(from, key, &bytes),
                    None => put(from, &bytes),
                };
                assert_eq!(result, WS_OK);
                model.put(key, bytes);
            }
            let mut expected = std::mem::take(&mut model.queue);
            until("all messages of a round", || {
                assert!(c_host::flush(from) >= 0);
                poll(server);
                poll(client);
                while let Some(event) = next(to) {
                    if event.kind == WS_EVENT_MESSAGE {
                        let (_, bytes) = expected.pop_front().expect("a message that was put");
                        assert_eq!(event.bytes, bytes, "seed {seed} round {round}");
                    }
                }
                expected.is_empty()
            });
        }
        let of = stats(from);
        assert_eq!((of.replaced, of.queued_packets_out), (model.replaced, 0), "seed {seed}");
        assert!(model.replaced > 50);
        free(client);
        free(server);
    }
}

/// A peer that reads nothing: however much is put, what waits is one message for each key, and what was put between.
#[test]
fn a_stalled_peer_gets_the_newest_state_and_every_other_message() {
    for (session, from_server) in [(0, false), (0, true), (60_000, false), (60_000, true)] {
        let edit = |config: &mut ws_config| {
            (config.session_ms, config.session_bytes) = (session, 16 << 20);
        };
        let (server, conn, client) = open(edit, edit);
        let (from, to) = if from_server { (conn, client) } else { (client, server) };
        // Fills what the system takes.
        let mut plain = 0_u32;
        while stats(from).queued_packets_out < 20 {
            assert_eq!(put(from, &[&[0], plain.to_le_bytes().as_slice(), &[7; 2_000]].concat()), WS_OK);
            plain += 1;
        }
        let full = stats(from).queued_packets_out;
        const KEYS: u32 = 50;
        for round in 0..200_u32 {
            for key in 0..KEYS {
                let bytes = [&[1], key.to_le_bytes().as_slice(), &round.to_le_bytes()].concat();
                assert_eq!(put_latest(from, key, &bytes), WS_OK);
            }
            if round % 50 == 0 {
                assert_eq!(put(from, &[&[0], plain.to_le_bytes().as_slice()].concat()), WS_OK);
                plain += 1;
            }
        }
        let of = stats(from);
        assert!(of.queued_packets_out <= full + u64::from(KEYS) + 4, "{}", of.queued_packets_out);
        assert_eq!(of.replaced, u64::from(KEYS * 199));
        let (mut seen, mut newest) = (0, HashMap::new());
        until("everything", || {
            poll(server);
            poll(client);
            while let Some(event) = next(to) {
                if event.kind != WS_EVENT_MESSAGE {
                    continue;
                }
                let number = |at: usize| u32::from_le_bytes(event.bytes[at..at + 4].try_into().unwrap());
                match event.bytes[0] {
                    0 => {
                        assert_eq!(number(1), seen);
                        seen += 1;
                    }
                    _ => drop(newest.insert(number(1), number(5))),
                }
            }
            seen == plain && newest.len() == KEYS as usize
        });
        assert!(newest.values().all(|round| *round == 199), "{newest:?}");
        assert_eq!(stats(from).replaced, u64::from(KEYS * 199));
        free(client);
        free(server);
    }
}

/// What is held back leaves with the polls that follow, of a server too, and wakes a wait.
#[test]
fn what_is_held_back_leaves_by_itself() {
    for (from_server, session, waits) in
        (0..8).map(|of| (of & 1 != 0, if of & 2 != 0 { 60_000 } else { 0 }, of & 4 != 0))
    {
        let edit = |config: &mut ws_config| config.session_ms = session;
        let (server, conn, client) = open(edit, edit);
        let (from, to, polled) = if from_server { (conn, client, server) } else { (client, server, client) };
        for round in 0..3_u32 {
            for key in 0..100 {
                assert_eq!(put_latest(from, key, &[7; 3_000]), WS_OK);
            }
            assert_eq!(put(from, &round.to_le_bytes()), WS_OK);
            let mut got = 0;
            until("all that was put", || {
                if waits {
                    // SAFETY: the handles live.
                    assert!(unsafe { ws_wait([polled].as_ptr(), 1, 1_000) } >= 0);
                }
                poll(server);
                poll(client);
                while let Some(event) = next(to) {
                    got += u32::from(event.kind == WS_EVENT_MESSAGE);
                }
                while next(from).is_some() {}
                got == 101
            });
        }
        free(client);
        free(server);
    }
}

/// A peer that reads nothing: a wait sleeps, though messages are held back.
#[test]
fn a_wait_sleeps_while_the_line_takes_nothing() {
    let (server, _, client) = open(|_| {}, |_| {});
    for key in 0..1_000 {
        assert_eq!(put_latest(client, key, &[7; 3_000]), WS_OK);
    }
    // Other tests of this process wake the waits of all threads now and then.
    until("a wait that sleeps", || {
        let (end, mut wakes) = (Instant::now() + Duration::from_millis(100), 0);
        while Instant::now() < end {
            // SAFETY: the handle lives.
            assert!(unsafe { ws_wait([client].as_ptr(), 1, 100) } >= 0);
            poll(client);
            wakes += 1;
        }
        // It looks again every 4 ms.
        wakes < 60
    });
    free(client);
    free(server);
}

const FRAME_US: u32 = 16_667;

/// What arrives over a slow line: the age of the oldest message after the first second, and how many messages arrive.
struct Flow {
    oldest_us: u32,
    arrived: u32,
}

/// 60 frames a second, in each of which the positions of 50 objects are put, and now and then another message; `polls`
/// polls of both ends in a frame.
fn play(bytes_per_s: u32, frames: u32, polls: u32, len: usize, latest: bool) -> Flow {
    let [one, two] = pair();
    // SAFETY: a description of a network is numbers.
    let mut sim: ws_sim = unsafe { std::mem::zeroed() };
    // SAFETY: it lives.
    assert_eq!(unsafe { ws_sim_init(&mut sim, size_of::<ws_sim>(), WS_SIM_NONE) }, WS_OK);
    (sim.up_bytes_per_s, sim.down_bytes_per_s) = (bytes_per_s, bytes_per_s);
    // SAFETY: it lives.
    assert_eq!(unsafe { ws_set_sim(one, &sim) }, WS_OK);
    let (mut flow, mut reliable, mut put_reliable) = (Flow { oldest_us: 0, arrived: 0 }, 0, 0_u32);
    let mut now = 0_u32;
    for frame in 0..frames {
        for step in 0..polls {
            assert_eq!(ws_advance_time(one, FRAME_US / polls), WS_OK);
            now += FRAME_US / polls;
            for key in (0..50_u32).filter(|_| step == 0) {
                let mut bytes = [&[1], key.to_le_bytes().as_slice(), &now.to_le_bytes()].concat();
                bytes.resize(len, 0);
                let result = if latest { put_latest(one, key, &bytes) } else { put(one, &bytes) };
                assert!(result == WS_OK || (!latest && result == WS_ERR_FULL), "{result}");
            }
            if frame % 10 == 0 && step == 0 {
                let result = put(one, &[&[0], put_reliable.to_le_bytes().as_slice()].concat());
                put_reliable += u32::from(result == WS_OK);
            }
            poll(one);
            poll(two);
            while let Some(event) = next(two) {
                assert_eq!(event.kind, WS_EVENT_MESSAGE);
                let number = |at: usize| u32::from_le_bytes(event.bytes[at..at + 4].try_into().unwrap());
                if event.bytes[0] == 0 {
                    assert_eq!(number(1), reliable);
                    reliable += 1;
                    continue;
                }
                flow.arrived += 1;
                // The first 14 KB leave at once.
                if frame > 60 {
                    flow.oldest_us = flow.oldest_us.max(now - number(5));
                }
            }
        }
    }
    assert!(!latest || put_reliable - reliable <= 2, "{reliable} of {put_reliable}");
    free(one);
    free(two);
    flow
}

/// Positions over 50 KB/s: what arrives is at most two frames old, and reliable messages between them arrive in order.
/// With plain puts it is seconds old.
#[test]
fn positions_over_a_slow_line_are_fresh() {
    for polls in [1, 4, 16] {
        let (fresh, stale) = (play(50_000, 600, polls, 20, true), play(50_000, 600, polls, 20, false));
        let ms = |flow: &Flow| flow.oldest_us / 1_000;
        println!(
            "figure: {polls} polls a frame: oldest position over 50 KB/s {} ms, with plain puts {} ms; {} messages arrived, \
             with plain puts {}",
            ms(&fresh),
            ms(&stale),
            fresh.arrived,
            stale.arrived
        );
        assert!(fresh.oldest_us <= 2 * FRAME_US, "{}", fresh.oldest_us);
        assert!(stale.oldest_us > 1_000_000, "{}", stale.oldest_us);
        assert!(fresh.arrived * 100 > stale.arrived * 95, "the line is used");
    }
}

/// Lines of any speed are used, though little waits for them.
#[test]
fn holding_back_costs_no_bandwidth() {
    for (bytes_per_s, len) in [(10_000, 20), (200_000, 100), (1_000_000, 600), (20_000_000, 12_000)] {
        let (latest, plain) = (play(bytes_per_s, 300, 1, len, true), play(bytes_per_s, 300, 1, len, false));
        println!("figure: {bytes_per_s} B/s: {} messages arrived, with plain puts {}", latest.arrived, plain.arrived);
        assert!(latest.arrived * 100 > plain.arrived * 90, "{bytes_per_s}: {} of {}", latest.arrived, plain.arrived);
    }
}

fn pair() -> [u32; 2] {
    let mut ends = [0; 2];
    let [one, two] = &mut ends;
    // SAFETY: the handles live.
    assert_eq!(unsafe { ws_pair(std::ptr::null(), one, two) }, WS_OK);
    // With time that the test advances, polls have no budget.
    assert_eq!(ws_advance_time(ends[0], 0), WS_OK);
    until("both are open", || {
        ends.iter().for_each(|end| assert!(poll(*end) >= 0));
        ends.iter().all(|end| ws_get_state(*end) == WS_OPEN)
    });
    ends.iter().for_each(|end| while next(*end).is_some() {});
    ends
}
