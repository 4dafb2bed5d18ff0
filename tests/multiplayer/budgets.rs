//! Polls of a host and a join that have little time: long messages, many messages, many clients. The clock is a fake
//! one.

use crate::test_connection::Ticking;
use crate::test_host::TestHost;
use crate::test_join::{TestJoin, opening};
use std::cell::Cell;
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::internals::multiplayer::{SceneSettings, Wire};
use wspeer::internals::status::{EventKind, State};

const RELAYING: SceneSettings = SceneSettings { auth: false, relay: true, raw_replication: false };
/// A longer message waits for a poll that has not spent half of its budget.
const LONG: usize = 64 << 10;
/// Microseconds of a budget, of which a poll uses three quarters.
const BUDGET: u32 = 1_000;

/// A clock at which a part of that budget is spent, and that stands still.
fn spent(now: Instant, micros: u64) -> Ticking {
    Ticking { now: Cell::new(now + Duration::from_micros(micros)), step: Duration::ZERO, asked: Cell::new(0) }
}

/// A message of `len` bytes for the host alone, from a client with this id.
fn to_host(wire: Wire, id: i32, len: usize) -> Vec<u8> {
    let mut bytes = match wire {
        Wire::Godot3 => [&[0][..], &id.to_le_bytes(), &1_i32.to_le_bytes()].concat(),
        _ => vec![3],
    };
    bytes.resize(len, b'x');
    bytes
}

/// With half of its time spent, a poll handles messages of up to 64 KiB. A longer one begins the next poll, which
/// handles it whatever its time.
#[test]
fn a_long_message_waits_for_the_next_poll_once_half_of_the_budget_is_spent() {
    for wire in [Wire::Godot3, Wire::Scene] {
        for (micros, len, polls) in [
            (374, LONG + 1, 1),
            (375, LONG, 1),
            (375, LONG + 1, 2),
            (749, LONG + 1, 2),
            (749, LONG, 1),
            (9_999, LONG + 1, 2),
        ] {
            let what = format!("{wire:?}, {len} bytes after {micros} µs");
            let mut host = TestHost::new(wire, RELAYING, &[]);
            let mut join = TestJoin::with_id(opening(Wire::Scene));
            let at = host.open();
            let id = host.id(at);
            host.items();
            join.items();
            let message = to_host(wire, id, len);
            host.send(at, &message);
            join.tell(&to_host(Wire::Scene, 1, len));
            let (mut of_host, mut of_join) = (0, 0);
            for poll in 1..=polls {
                // The first poll only reads if its budget is spent from the start.
                let clock = spent(host.at.now, micros);
                let more = host.poll_within(&clock, Some(BUDGET));
                assert_eq!(more, poll < polls, "{what}, poll {poll} of a host");
                of_host = host.items().len();
                let clock = spent(join.end.now, micros);
                let more = join.poll_within(&clock, Some(BUDGET));
                assert_eq!(more, poll < polls, "{what}, poll {poll} of a join");
                of_join = join.items().len();
            }
            assert_eq!((of_host, of_join), (1, 1), "{what}");
        }
    }
}

/// Several clients with long and short messages: each poll handles at most one long message, and every client comes to
/// its turn.
#[test]
fn long_messages_are_handled_one_a_poll_and_in_order() {
    for wire in [Wire::Godot3, Wire::Scene] {
        let mut host = TestHost::new(wire, RELAYING, &[]);
        let guests: Vec<usize> = (0..3).map(|_| host.open()).collect();
        host.items();
        let lens = [10, LONG + 20, 30, LONG + 40, LONG + 50, 60];
        for at in &guests {
            for len in lens {
                let message = to_host(wire, host.id(*at), len);
                host.send(*at, &message);
            }
        }
        let head = if wire == Wire::Godot3 { 9 } else { 1 };
        let mut taken: Vec<(i32, usize)> = Vec::new();
        let mut polls = 0;
        loop {
            let more = host.poll_briefly();
            let items: Vec<_> = host.items().iter().map(|item| (item.of, item.bytes.len() + head)).collect();
            assert!(items.iter().filter(|(_, len)| *len > LONG).count() <= 1, "{wire:?}: {items:?}");
            taken.extend(items);
            polls += 1;
            assert!(polls < 1_000, "{wire:?}: it never finishes");
            if !more {
                break;
            }
        }
        for at in guests {
            let of_it: Vec<usize> = taken.iter().filter(|(id, _)| *id == host.id(at)).map(|(_, len)| *len).collect();
            assert_eq!(of_it, lens, "{wire:?}");
        }
        // With enough time one poll does it all.
        let at = host.open();
        host.items();
        for len in lens {
            let message = to_host(wire, host.id(at), len);
            host.send(at, &message);
        }
        let clock = spent(host.at.now, 0);
        assert!(!host.poll_within(&clock, Some(BUDGET)), "{wire:?}");
        assert_eq!(host.items().len(), lens.len(), "{wire:?}");
    }
}

/// A join reads the clock after each message of more than 256 bytes or while many events are unread, otherwise after
/// every 64th.
#[test]
fn a_join_without_time_handles_few_messages_a_poll() {
    for (len, unread, most) in [(256, 0, 64), (257, 0, 1), (10, 64, 64), (10, 65, 1)] {
        let what = format!("{len} bytes, {unread} unread");
        let mut join = TestJoin::with_id(opening(Wire::Scene));
        join.items();
        for id in 0..unread {
            join.tell(&[&[7, 1][..], &(1_000_i32 + id).to_le_bytes()].concat());
        }
        join.poll();
        (0..200).for_each(|_| join.tell(&to_host(Wire::Scene, 1, len)));
        let (mut handled, mut polls) = (0, 0);
        loop {
            let more = join.poll_briefly();
            let now = join.end.peer.endpoint.inbox.ready();
            let least = usize::from(handled < 200);
            assert!((least..=most).contains(&(now - handled)), "{what}: {} messages in poll {polls}", now - handled);
            (handled, polls) = (now, polls + 1);
            assert!(more || handled == 200, "{what}: work is left");
            if !more {
                break;
            }
        }
        assert!(polls >= 200_usize.div_ceil(most) && (most == 1 || polls < 20), "{what}: {polls} polls");
    }
}

/// Clients that arrive together get their ids over several polls if there is no time, and all of them soon.
#[test]
fn many_newcomers_are_admitted_over_several_polls() {
    for wire in [Wire::Godot3, Wire::Scene, Wire::Godot4] {
        let mut host = TestHost::new(wire, RELAYING, &[]);
        let guests: Vec<usize> = (0..40).map(|_| host.connect_over(1 << 16)).collect();
        let (mut most, mut before, mut polls) = (0, 0, 0);
        while host.poll_briefly() {
            let ids = host.at.server.keys().collect::<Vec<u32>>();
            let ids =
                ids.into_iter().filter(|key| host.at.server.peer(*key).is_some_and(|peer| peer.endpoint.label != 0));
            let now = ids.count();
            (most, before, polls) = (most.max(now - before), now, polls + 1);
            assert!(polls < 5_000, "{wire:?}: it never finishes");
        }
        assert!((1..=4).contains(&most), "{wire:?}: {most} in one poll");
        for at in guests {
            host.greeted(at);
        }
        let connected = host.items().iter().filter(|item| item.kind == EventKind::Connected).count();
        assert_eq!(connected, 40, "{wire:?}");
    }
}

/// Many clients miss the deadline of the authentication at once: each poll closes some, whatever its time.
#[test]
fn missed_deadlines_are_handled_over_several_polls() {
    let changes = [(WS_OPT_AUTH_TIMEOUT_MS, 500)];
    let mut host =
        TestHost::new(Wire::Scene, SceneSettings { auth: true, relay: true, raw_replication: false }, &changes);
    let guests: Vec<usize> = (0..30).map(|_| host.open()).collect();
    host.at.now += Duration::from_millis(500);
    let closing = |host: &mut TestHost| {
        let keys = guests.iter().map(|at| host.guests[*at].key).collect::<Vec<u32>>();
        keys.into_iter().filter(|key| host.at.server.peer(*key).is_some_and(|peer| peer.state() != State::Open)).count()
    };
    let mut before = 0;
    for poll in 0..60 {
        host.poll_briefly();
        let now = closing(&mut host);
        assert!((usize::from(before < 30)..=4).contains(&(now - before)), "{} in poll {poll}", now - before);
        before = now;
    }
    assert_eq!((before, host.host.next_timer()), (30, None));
    // With time, one poll closes all.
    let guests: Vec<usize> = (0..30).map(|_| host.open()).collect();
    host.at.now += Duration::from_millis(499);
    host.poll();
    assert!(guests.iter().all(|at| host.heard(*at).is_empty() && host.guests[*at].closed.is_none()));
    host.at.now += Duration::from_millis(1);
    host.poll();
    for at in guests {
        host.heard(at);
        assert_eq!(host.guests[at].closed, Some(1008));
    }
}

/// A hundred players learn of departures over polls without time: each poll tells a few.
#[test]
fn notifications_of_a_crowd_are_spread_over_polls() {
    for (wire, gone) in [Wire::Godot3, Wire::Scene].into_iter().flat_map(|wire| [(wire, 2), (wire, 50)]) {
        let what = format!("{wire:?}, {gone} go");
        let mut host = TestHost::new(wire, RELAYING, &[]);
        let guests: Vec<usize> = (0..100).map(|_| host.open()).collect();
        while host.poll() {}
        guests.iter().for_each(|at| _ = host.heard(*at));
        host.items();
        guests[..gone].iter().for_each(|at| host.drop_guest(*at));
        let (mut told, mut polls) = (0, 0);
        let mut before = host.at.server.totals().0.messages_out;
        loop {
            let more = host.poll_briefly();
            // Accepted for sending, and written.
            let accepted = host.at.server.totals().0.messages_out;
            assert!(accepted - before <= 104, "{what}: {} notifications in one poll", accepted - before);
            assert!(gone > 2 || accepted - before <= 8, "{what}: {} notifications in one poll", accepted - before);
            before = accepted;
            let now: usize = guests[gone..].iter().map(|at| host.heard(*at).len()).sum();
            host.items();
            (told, polls) = (told + now, polls + 1);
            assert!(polls < 10_000, "{what}: it never finishes");
            if !more {
                break;
            }
        }
        assert_eq!(told, gone * (100 - gone), "{what}: each departure, to each who stays");
    }
}
