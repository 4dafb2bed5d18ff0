//! ws_set_sim and ws_advance_time through the C ABI.
#![allow(unsafe_code)] // Calls the C ABI.

#[path = "../support/c_host.rs"]
mod c_host;

use c_host::*;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::ffi::*;

/// Locks out the other tests, whose calls would wake the ws_wait of this one.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A perfect network, as changed by `change`.
fn sim(change: impl FnOnce(&mut ws_sim)) -> ws_sim {
    let mut sim = ws_sim::default();
    // SAFETY: it lives.
    assert_eq!(unsafe { ws_sim_init(&mut sim, size_of::<ws_sim>(), WS_SIM_NONE) }, WS_OK);
    change(&mut sim);
    sim
}

fn set(handle: u32, sim: &ws_sim) -> i32 {
    // SAFETY: it lives.
    unsafe { ws_set_sim(handle, sim) }
}

fn switch_off(handle: u32) -> i32 {
    // SAFETY: NULL is allowed.
    unsafe { ws_set_sim(handle, std::ptr::null()) }
}

/// Waits for something to do, at most a second.
fn wait(handles: &[u32]) -> i32 {
    // SAFETY: the list lives.
    unsafe { ws_wait(handles.as_ptr(), handles.len(), 1_000) }
}

/// A pair whose time the test advances, open at both ends: the server's, the client's.
fn open_pair(edit: impl FnOnce(&mut ws_config)) -> (u32, u32) {
    // SAFETY: a config is numbers and pointers.
    let mut config: ws_config = unsafe { std::mem::zeroed() };
    let (mut server, mut client) = (0, 0);
    // SAFETY: all of it lives.
    unsafe {
        ws_config_init(&mut config, size_of::<ws_config>());
        edit(&mut config);
        assert_eq!(ws_pair(&config, &mut server, &mut client), WS_OK, "{}", last_error());
    }
    assert_eq!(ws_advance_time(client, 0), WS_OK);
    until("both are open", || {
        poll(client);
        poll(server);
        ws_get_state(server) == WS_OPEN && ws_get_state(client) == WS_OPEN
    });
    while next(server).is_some() || next(client).is_some() {}
    (server, client)
}

/// Advances the time of a pair by a step, and polls both ends.
fn step(ends: (u32, u32), us: u32) {
    assert_eq!(ws_advance_time(ends.0, us), WS_OK);
    poll(ends.0);
    poll(ends.1);
}

/// The messages and ends that a handle has.
fn taken(handle: u32) -> Vec<Event> {
    std::iter::from_fn(|| next(handle)).collect()
}

/// A server and a client of it, open. The handle in the middle is that of the server's client.
fn open_over(certificate: Option<&Certificate>, before: impl FnOnce(u32)) -> (u32, u32, u32) {
    let (server, port) = listen(certificate, |config| config.heartbeat_ms = WS_OFF);
    before(server);
    let client = connect(port, certificate, |_| {});
    let mut conn = 0;
    until("both are open", || {
        poll(server);
        poll(client);
        conn = next(server).filter(|event| event.kind == WS_EVENT_CONNECTED).map_or(conn, |event| event.conn);
        ws_get_state(client) == WS_OPEN && conn != 0
    });
    while next(client).is_some() {}
    (server, conn, client)
}

#[test]
fn lag_is_exact_in_a_time_that_is_advanced() {
    let _alone = alone();
    let ends = open_pair(|_| {});
    let (server, client) = ends;
    // The frame is on the line in the moment of the put, whenever the last poll was.
    assert_eq!(set(client, &sim(|sim| (sim.up_lag_us, sim.down_lag_us) = (30_000, 70_000))), WS_OK);
    step(ends, 5_000);
    assert_eq!(ws_advance_time(server, 3_000), WS_OK);
    assert_eq!(put(client, b"up"), WS_OK);
    assert_eq!(put(server, b"down"), WS_OK);
    assert!(stats(client).sim_bytes >= 66, "the line up holds the message");
    poll(server);
    poll(client);
    for ms in 1..=100 {
        step(ends, 1_000);
        // What the client's line has passed on is read by the server's next poll.
        poll(server);
        assert_eq!(taken(server).len(), usize::from(ms == 30), "{ms} ms");
        assert_eq!(taken(client).len(), usize::from(ms == 70), "{ms} ms");
    }
    assert_eq!(stats(client).sim_bytes, 0);
    free(server);
    free(client);
}

/// Random traffic of both ends over a bad line; returns when each message arrived, and where.
fn trace(seed: u32) -> Vec<(u32, bool, usize)> {
    let ends = open_pair(|_| {});
    let (server, client) = ends;
    let bad = sim(|sim| {
        sim.seed = seed;
        (sim.up_lag_us, sim.down_lag_us) = (20_000, 10_000);
        (sim.up_jitter_us, sim.down_jitter_us) = (30_000, 15_000);
        (sim.up_bytes_per_s, sim.down_bytes_per_s) = (60_000, 90_000);
        (sim.up_loss_ppm, sim.down_loss_ppm) = (30_000, 10_000);
    });
    assert_eq!(set(client, &bad), WS_OK);
    let (mut random, mut seen) = (random_of(5), Vec::new());
    for now in 0..4_000 {
        step(ends, 1_000);
        for (end, is_server) in [(server, true), (client, false)] {
            seen.extend(taken(end).iter().map(|event| (now, is_server, event.bytes.len())));
            if now < 2_000 && random(20) == 0 {
                assert_eq!(put(end, &vec![7; random(4_000) as usize]), WS_OK);
            }
        }
    }
    assert!(stats(client).sim_losses > 0);
    free(server);
    free(client);
    seen
}

#[test]
fn the_same_seed_has_the_same_trace() {
    let _alone = alone();
    let first = trace(1);
    assert!(first.len() > 100, "{}", first.len());
    assert_eq!(first, trace(1));
    assert_ne!(first, trace(2));
}

#[test]
fn bandwidth_and_burst_are_those_of_a_token_bucket() {
    let _alone = alone();
    let ends = open_pair(|config| config.max_message_bytes = 1 << 20);
    let (server, client) = ends;
    assert_eq!(set(server, &sim(|sim| (sim.down_bytes_per_s, sim.down_burst_bytes) = (100_000, 20_000))), WS_OK);
    // 1.02 MB: the burst leaves at once, the others in 10 s.
    for _ in 0..102 {
        assert_eq!(put(server, &[1; 10_000]), WS_OK);
    }
    let before = stats(client).wire_bytes_in;
    let (mut arrived, mut now) = (0u64, 0u64);
    while arrived < 102 {
        step(ends, 10_000);
        now += 10_000;
        arrived += taken(client).len() as u64;
        let bytes = stats(client).wire_bytes_in - before;
        // Packets have up to 1400 bytes.
        let ideal = 20_000 + now / 10;
        assert!(bytes <= ideal && (arrived == 102 || bytes + 1_400 + 1_000 >= ideal), "{bytes} of {ideal} at {now} µs");
    }
    assert!((10_000_000..10_050_000).contains(&now), "{now}");
    free(server);
    free(client);
}

#[test]
fn a_server_gives_it_to_all_its_clients_and_those_to_come() {
    let _alone = alone();
    let lag = Duration::from_millis(25);
    for certificate in [None, Some(Certificate::new())] {
        let (server, conn, first) = open_over(certificate.as_ref(), |_| {});
        let both = sim(|sim| (sim.up_lag_us, sim.down_lag_us) = (25_000, 25_000));
        assert_eq!(set(server, &both), WS_OK);
        let mut port = 0;
        // SAFETY: it lives.
        assert_eq!(unsafe { ws_get_option(server, WS_OPT_PORT, &mut port) }, WS_OK);
        let second = connect(port as u16, certificate.as_ref(), |_| {});
        until("the second is open", || {
            poll(server);
            poll(second);
            ws_get_state(second) == WS_OPEN
        });
        while next(second).is_some() || next(server).is_some() {}
        for client in [first, second] {
            let began = Instant::now();
            assert_eq!(put(client, b"ping"), WS_OK);
            // Only ws_wait says when something is to be done: it sees the lines of clients whose sockets are silent.
            let mut waits = 0;
            loop {
                waits += 1;
                assert!(waits < 1_000, "ws_wait returns without a reason");
                wait(&[server, client]);
                poll(server);
                while let Some(event) = next(server) {
                    assert!(began.elapsed() >= lag, "too early");
                    assert_eq!(put(event.conn, &event.bytes), WS_OK);
                }
                poll(client);
                if next(client).is_some() {
                    break;
                }
            }
            assert!(began.elapsed() >= 2 * lag, "too early");
        }
        // One client alone is set free.
        assert_eq!(switch_off(conn), WS_OK);
        assert_eq!(put(conn, b"fast"), WS_OK);
        until("the message arrives", || {
            poll(server);
            poll(first);
            next(first).is_some()
        });
        assert_eq!(stats(conn).sim_bytes, 0);
        [server, first, second].into_iter().for_each(free);
    }
}

#[test]
fn a_cut_is_exact_to_the_byte_and_ends_both() {
    let _alone = alone();
    // 10 messages of 100 bytes: frames of 102 bytes down. The cut is behind the fourth, then within the fourth.
    for (cut, whole) in [(408, 4), (407, 3)] {
        let (server, conn, client) = open_over(None, |_| {});
        assert_eq!(set(conn, &sim(|sim| sim.down_cut_bytes = cut)), WS_OK);
        for number in 0..10 {
            assert_eq!(put(conn, &[number; 100]), WS_OK);
        }
        let (mut messages, mut ends) = (Vec::new(), Vec::new());
        until("both have ended", || {
            poll(server);
            poll(client);
            for event in taken(client).into_iter().chain(taken(server)) {
                if event.is_end() { ends.push(event) } else { messages.push(event.bytes[0]) }
            }
            ends.len() == 2
        });
        assert_eq!(messages, (0..whole).collect::<Vec<u8>>());
        let here = ends.iter().find(|end| end.kind == WS_EVENT_DISCONNECTED).unwrap();
        assert_eq!((here.cause, here.clean), (WS_CAUSE_RESET, false));
        [server, client].into_iter().for_each(free);
    }
    // On the way in: this end reads that many bytes, and no more.
    let ends = open_pair(|_| {});
    assert_eq!(set(ends.0, &sim(|sim| (sim.up_cut_bytes, sim.up_lag_us) = (106 * 3, 5_000))), WS_OK);
    for number in 0..5 {
        assert_eq!(put(ends.1, &[number; 100]), WS_OK);
    }
    let (mut messages, mut causes) = (0, Vec::new());
    for _ in 0..50 {
        step(ends, 1_000);
        for event in taken(ends.0).into_iter().chain(taken(ends.1)) {
            if event.is_end() { causes.push(event.cause) } else { messages += 1 }
        }
    }
    assert_eq!((messages, causes.len()), (3, 2));
    assert_eq!(causes[0], WS_CAUSE_RESET);
    free(ends.0);
    free(ends.1);
}

#[test]
fn a_half_open_link_is_found_by_its_heartbeat() {
    let _alone = alone();
    let ends = open_pair(|config| (config.heartbeat_ms, config.pong_timeout_ms) = (1_000, 3_000));
    let (server, client) = ends;
    assert_eq!(set(client, &sim(|sim| (sim.up_half_open_bytes, sim.down_half_open_bytes) = (400, 400))), WS_OK);
    let (mut arrived, mut ended) = (0, Vec::new());
    for ms in 1..20_000u32 {
        if ms % 100 == 0 && ws_get_state(client) == WS_OPEN {
            assert_eq!(put(client, &[0; 100]), WS_OK);
        }
        step(ends, 1_000);
        for (end, events) in [(server, taken(server)), (client, taken(client))] {
            for event in events {
                if event.is_end() { ended.push((end, ms, event.cause)) } else { arrived += 1 }
            }
        }
    }
    assert_eq!(arrived, 3, "of 400 bytes three messages are whole");
    let causes: Vec<i32> = ended.iter().map(|(_, _, cause)| *cause).collect();
    // The socket of the end that has given up closes, which the other one sees.
    assert_eq!((causes[0], causes.len()), (WS_CAUSE_PONG_TIMEOUT, 2), "{ended:?}");
    assert!(ended.iter().all(|(_, ms, _)| (3_000..8_000).contains(ms)), "{ended:?}");
    free(server);
    free(client);
}

#[test]
fn switching_on_and_off_loses_and_reorders_nothing() {
    let _alone = alone();
    for certificate in [None, Some(Certificate::new())] {
        let (server, conn, client) = open_over(certificate.as_ref(), |_| {});
        let (mut random, mut sent, mut seen) = (random_of(3), [0u32; 2], [0u32; 2]);
        until("all have arrived", || {
            for (side, end) in [conn, client].into_iter().enumerate() {
                if sent[side] < 1_500 {
                    let mut bytes = sent[side].to_le_bytes().to_vec();
                    bytes.resize(4 + random(6_000) as usize, 9);
                    sent[side] += u32::from(put(end, &bytes) == WS_OK);
                }
            }
            if random(8) == 0 {
                let end = [conn, client, server][random(3) as usize];
                if random(3) == 0 || sent == [1_500; 2] {
                    assert_eq!(switch_off(end), WS_OK);
                } else {
                    let bad = sim(|sim| {
                        sim.seed = random(100);
                        (sim.up_lag_us, sim.down_lag_us) = (random(3_000), random(3_000));
                        (sim.up_jitter_us, sim.down_jitter_us) = (random(3_000), random(3_000));
                        (sim.up_bytes_per_s, sim.down_bytes_per_s) = (2_000_000, random(2) * 3_000_000);
                        (sim.up_loss_ppm, sim.up_loss_stall_us) = (20_000, 2_000);
                        (sim.up_half_open_bytes, sim.down_half_open_bytes) = (random(2) * 30_000, random(2) * 9_000);
                    });
                    assert_eq!(set(end, &bad), WS_OK);
                }
            }
            poll(server);
            poll(client);
            for (side, end) in [client, conn].into_iter().enumerate() {
                for event in taken(end) {
                    assert_eq!(event.kind, WS_EVENT_MESSAGE, "{}", event.error_text());
                    assert_eq!(event.bytes[..4], seen[side].to_le_bytes(), "in order");
                    seen[side] += 1;
                }
            }
            seen == [1_500; 2]
        });
        for end in [conn, client] {
            assert_eq!(switch_off(end), WS_OK);
        }
        poll(server);
        poll(client);
        assert_eq!([stats(server).sim_bytes, stats(client).sim_bytes], [0, 0]);
        [server, client].into_iter().for_each(free);
    }
}

/// Random traffic of a pair whose networks change at random, also before a cut has arrived. Returns whether it was cut.
fn changing(seed: u32) -> bool {
    let ends = open_pair(|_| {});
    let (mut random, mut sent, mut seen) = (random_of(seed), [0u32; 2], [0u32; 2]);
    let mut causes = Vec::new();
    for ms in 0..600 {
        if random(12) == 0 {
            let bad = sim(|sim| {
                (sim.up_lag_us, sim.down_lag_us) = (random(40_000), random(40_000));
                (sim.up_bytes_per_s, sim.down_bytes_per_s) = (random(2) * 300_000, random(2) * 300_000);
                (sim.up_half_open_bytes, sim.down_half_open_bytes) = (random(2) * 3_000, random(2) * 3_000);
                (sim.up_cut_bytes, sim.down_cut_bytes) = (random(3) / 2 * random(9_000), random(3) / 2 * random(9_000));
            });
            assert_eq!(set([ends.0, ends.1][random(2) as usize], &bad), WS_OK);
        }
        if random(30) == 0 || ms == 500 {
            assert_eq!([switch_off(ends.0), switch_off(ends.1)], [WS_OK; 2]);
        }
        for (side, end) in [ends.0, ends.1].into_iter().enumerate() {
            if ms < 500 && random(3) == 0 {
                let mut bytes = sent[side].to_le_bytes().to_vec();
                bytes.resize(4 + random(1_000) as usize, 9);
                sent[side] += u32::from(put(end, &bytes) == WS_OK);
            }
        }
        step(ends, 1_000);
        for (side, end) in [ends.1, ends.0].into_iter().enumerate() {
            for event in taken(end) {
                if event.is_end() {
                    causes.push(event.cause);
                } else {
                    assert_eq!(event.bytes[..4], seen[side].to_le_bytes(), "seed {seed}, {ms} ms");
                    seen[side] += 1;
                }
            }
        }
        if ms > 500 && causes.is_empty() && seen == sent {
            break;
        }
    }
    if causes.is_empty() {
        assert_eq!(seen, sent, "seed {seed}");
    } else {
        // The other end sees that the stream is over.
        causes.sort_unstable();
        assert!(
            [[WS_CAUSE_PEER_GONE, WS_CAUSE_RESET], [WS_CAUSE_RESET; 2]].iter().any(|both| causes == both),
            "seed {seed}: {causes:?}"
        );
    }
    free(ends.0);
    free(ends.1);
    !causes.is_empty()
}

#[test]
fn a_network_that_is_changed_before_its_cut_loses_nothing() {
    let _alone = alone();
    let cuts = (0..200).filter(|seed| changing(*seed)).count();
    assert!((20..180).contains(&cuts), "{cuts} of 200 were cut");
}

#[test]
fn an_end_that_a_half_open_line_holds_back_comes_with_another_network() {
    let _alone = alone();
    for change in [|server| switch_off(server), |server| set(server, &sim(|sim| sim.up_lag_us = 5_000))] {
        let (server, client) = open_pair(|_| {});
        assert_eq!(set(server, &sim(|sim| sim.up_half_open_bytes = 1)), WS_OK);
        assert_eq!(put(client, b"held back"), WS_OK);
        poll(client);
        // Without a close frame: only the end of the stream tells.
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { ws_close(client, -1, std::ptr::null()) }, WS_OK);
        free(client);
        let mut events = Vec::new();
        let mut pass = |ms| {
            for _ in 0..ms {
                assert_eq!(ws_advance_time(server, 1_000), WS_OK);
                poll(server);
                events.extend(taken(server));
            }
            events.len()
        };
        assert_eq!(pass(100), 0);
        assert_eq!(change(server), WS_OK);
        assert_eq!(pass(10), 2);
        assert!(events[0].bytes == b"held back" && events[1].is_end());
        free(server);
    }
}

#[test]
fn what_a_line_holds_is_bounded_and_pushes_back() {
    let _alone = alone();
    let ends = open_pair(|config| (config.outbound_bytes, config.outbound_packets) = (100_000, 1_000_000));
    let (server, client) = ends;
    let slow = sim(|sim| (sim.up_bytes_per_s, sim.up_lag_us, sim.up_buffer_bytes) = (10_000, 100_000, 20_000));
    assert_eq!(set(client, &slow), WS_OK);
    let mut accepted = 0u32;
    while put(client, &[5; 1_000]) == WS_OK {
        accepted += 1;
        assert!(accepted < 1_000);
    }
    let held = stats(client);
    // The buffer, what is under way, and one packet with its 64 bytes more.
    assert!((20_000..20_000 + 1_000 + 14_000 + 1_464).contains(&held.sim_bytes), "{}", held.sim_bytes);
    assert!(held.queued_bytes_out > 90_000, "{}", held.queued_bytes_out);
    let (mut arrived, mut writable) = (0, 0);
    for _ in 0..40_000 {
        step(ends, 1_000);
        arrived += taken(server).len() as u32;
        writable += taken(client).iter().filter(|event| event.kind == WS_EVENT_WRITABLE).count();
        if arrived == accepted {
            break;
        }
    }
    assert_eq!((arrived, writable), (accepted, 1));
    free(server);
    free(client);
}

#[test]
fn a_close_and_a_free_pass_on_what_is_held() {
    let _alone = alone();
    for frees in [false, true] {
        let ends = open_pair(|_| {});
        let (server, client) = ends;
        let far = sim(|sim| (sim.up_lag_us, sim.down_lag_us) = (400_000, 400_000));
        assert_eq!([set(client, &far), set(server, &far)], [WS_OK; 2]);
        for number in 0..20 {
            assert_eq!(put(client, &[number; 500]), WS_OK);
        }
        if frees {
            free(client);
        } else {
            assert_eq!(close(client, 3_001), WS_OK);
        }
        let (mut got, mut last) = (0, Vec::new());
        for _ in 0..300 {
            assert_eq!(ws_advance_time(server, 10_000), WS_OK);
            poll(server);
            poll(client);
            for event in taken(server).into_iter().chain(taken(client)) {
                match event.kind {
                    WS_EVENT_MESSAGE => {
                        assert_eq!(event.bytes, [got; 500]);
                        got += 1;
                    }
                    WS_EVENT_CLOSED => last.push((event.code, event.clean, event.unsent)),
                    _ => {}
                }
            }
        }
        assert_eq!(got, 20);
        if frees {
            // The peer's end saw the close frame of the freed one.
            assert_eq!(last, [(1_001, true, 0)]);
        } else {
            assert_eq!(last, [(3_001, true, 0); 2]);
        }
        free(server);
        free(client);
    }
}

#[test]
fn a_sim_that_is_set_before_open_begins_with_it() {
    let _alone = alone();
    let (server, port) = listen(None, |_| {});
    let client = connect(port, None, |_| {});
    assert_eq!(set(client, &sim(|sim| (sim.up_lag_us, sim.down_cut_bytes) = (3_600, 6))), WS_OK);
    let mut cut = None;
    until("the cut link has ended", || {
        poll(server);
        poll(client);
        for event in taken(server) {
            if event.kind == WS_EVENT_CONNECTED {
                assert_eq!(put(event.conn, b"four"), WS_OK);
            }
        }
        cut = taken(client).into_iter().find(|event| event.is_end()).or(cut.take());
        cut.is_some()
    });
    assert_eq!(cut.unwrap().cause, WS_CAUSE_RESET);
    // Neither the handle that has ended nor its server minds.
    assert_eq!([set(client, &sim(|_| {})), switch_off(client), switch_off(server)], [WS_OK; 3]);
    [server, client].into_iter().for_each(free);
    assert_eq!([set(client, &sim(|_| {})), switch_off(server)], [WS_ERR_HANDLE; 2]);
}

#[test]
fn every_kind_of_handle_has_its_answer() {
    let _alone = alone();
    let (host, port) = host(|_| {});
    let (joined, mut local, mut attached, mut diagnosed) = (join(port, None, |_| {}), 0, 0, 0);
    let url = std::ffi::CString::new(format!("ws://127.0.0.1:{port}")).unwrap();
    // SAFETY: everything lives.
    unsafe {
        assert_eq!(ws_join_local(host, std::ptr::null(), &mut local), WS_OK, "{}", last_error());
        assert_eq!(ws_attach(std::ptr::null(), WS_ROLE_CLIENT, &mut attached), WS_OK);
        assert_eq!(ws_diagnose(url.as_ptr(), std::ptr::null(), &mut diagnosed), WS_OK);
    }
    let lag = sim(|sim| (sim.up_lag_us, sim.down_lag_us) = (1_000, 1_000));
    for handle in [host, joined, local, attached, diagnosed] {
        assert_eq!(set(handle, &lag), WS_OK);
    }
    let mut seen = 0;
    until("the players are there", || {
        [host, joined, local, diagnosed].iter().for_each(|handle| assert!(poll(*handle) >= 0));
        seen += taken(host).iter().filter(|event| event.kind == WS_EVENT_CONNECTED).count();
        ws_get_state(joined) == WS_OPEN && ws_get_state(local) == WS_OPEN && seen >= 2
    });
    for player in [joined, local] {
        assert_eq!(put(player, b"hello"), WS_OK);
    }
    let mut got = 0;
    until("their packets arrive", || {
        [host, joined, local, diagnosed].iter().for_each(|handle| assert!(poll(*handle) >= 0));
        got += taken(host).iter().filter(|event| event.kind == WS_EVENT_MESSAGE).count();
        got == 2
    });
    for handle in [host, joined, local, diagnosed] {
        assert_eq!(ws_advance_time(handle, 1), WS_ERR_KIND, "{}", last_error());
    }
    assert_eq!([ws_advance_time(attached, 1), ws_advance_time(0, 1)], [WS_OK, WS_ERR_HANDLE]);
    [diagnosed, attached, local, joined, host].into_iter().for_each(free);
}

#[test]
fn wrong_figures_are_refused_by_name() {
    let _alone = alone();
    let (server, client) = open_pair(|_| {});
    let huge = u32::MAX;
    let refused = |change: fn(&mut ws_sim), field: &str| {
        assert_eq!(set(client, &sim(change)), WS_ERR_CONFIG, "{field}");
        assert!(last_error().contains(field), "{field}: {}", last_error());
    };
    refused(|sim| sim.struct_size = 0, "struct_size");
    refused(|sim| sim.struct_size -= 4, "struct_size");
    refused(|sim| sim.struct_size = u32::MAX, "struct_size");
    refused(|sim| sim.up_lag_us = -1i32 as u32, "up_lag_us");
    refused(|sim| sim.down_jitter_us = 60_000_001, "down_jitter_us");
    refused(|sim| sim.down_loss_ppm = 1_000_001, "down_loss_ppm");
    refused(|sim| sim.up_loss_stall_us = u32::MAX, "up_loss_stall_us");
    refused(|sim| sim.up_buffer_bytes = u32::MAX, "up_buffer_bytes");
    refused(|sim| (sim.down_stall_for_ms, sim.down_stall_every_ms) = (7, 7), "down_stall_every_ms");
    // A struct of a later version: its unknown fields must be 0.
    let mut later = [0u32; 28];
    later[0] = 112;
    // SAFETY: the array is as long as its first element says.
    unsafe {
        assert_eq!(ws_set_sim(client, later.as_ptr().cast()), WS_OK, "{}", last_error());
        later[27] = 1;
        assert_eq!(ws_set_sim(client, later.as_ptr().cast()), WS_ERR_CONFIG);
        assert_eq!(ws_sim_init(later.as_mut_ptr().cast(), 112, WS_SIM_TRAIN), WS_OK);
        assert_eq!((later[0], later[26], later[27]), (112, 0, 0));
        let mut one = ws_sim::default();
        assert_eq!(ws_sim_init(std::ptr::null_mut(), 104, 0), WS_ERR_NULL);
        assert_eq!(ws_sim_init(&mut one, 100, 0), WS_ERR_CONFIG);
        assert_eq!(ws_sim_init(&mut one, 5_000, 0), WS_ERR_CONFIG);
        for unknown in [-1, WS_SIM_SATELLITE + 1, i32::MIN] {
            assert_eq!(ws_sim_init(&mut one, size_of::<ws_sim>(), unknown), WS_ERR_ARG);
        }
        assert_eq!(one.struct_size, 0, "nothing is written on failure");
        for preset in WS_SIM_NONE..=WS_SIM_SATELLITE {
            assert_eq!(ws_sim_init(&mut one, size_of::<ws_sim>(), preset), WS_OK);
            assert_eq!(ws_set_sim(client, &one), WS_OK);
        }
        assert_eq!((one.struct_size, one.up_lag_us, one.down_bytes_per_s), (104, 300_000, 2_266_000));
    }
    // The largest figures that are allowed.
    let most = sim(|sim| {
        (sim.up_bytes_per_s, sim.up_burst_bytes, sim.up_loss_ppm) = (huge, huge, 1_000_000);
        (sim.up_stall_from_ms, sim.up_stall_for_ms, sim.up_half_open_bytes, sim.up_cut_bytes) =
            (huge, huge, huge, huge);
        (sim.down_bytes_per_s, sim.down_lag_us, sim.down_jitter_us) = (1, 60_000_000, 60_000_000);
    });
    assert_eq!(set(client, &most), WS_OK);
    assert_eq!(put(client, &[0; 5_000]), WS_OK);
    for _ in 0..100 {
        step((server, client), 900_000);
    }
    assert_eq!(taken(server).len(), 1);
    free(server);
    free(client);
}

#[test]
fn time_that_is_advanced_moves_all_timers_and_nothing_else_does() {
    let _alone = alone();
    let ends = open_pair(|config| {
        (config.heartbeat_ms, config.pong_timeout_ms, config.close_timeout_ms) = (60_000, 90_000, 2_000);
    });
    let (server, client) = ends;
    // ws_wait waits for no timer of it.
    // SAFETY: the handle lives.
    assert_eq!(unsafe { ws_wait(&client, 1, 30) }, WS_EMPTY);
    // The server's end is never polled: the close of the client times out after 2 s of its time, and not before.
    assert_eq!(close(client, 1_000), WS_OK);
    for ms in 1..=2_000 {
        assert!(taken(client).iter().all(|event| !event.is_end()), "{ms} ms");
        assert_eq!(ws_advance_time(client, 1_000), WS_OK);
        poll(client);
    }
    let end = taken(client).into_iter().find(Event::is_end).unwrap();
    assert_eq!(end.cause, WS_CAUSE_CLOSE_TIMEOUT);
    free(server);
    free(client);
}
