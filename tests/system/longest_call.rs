//! The longest call of each kind, in CPU time of the thread. Work caused by the network takes no longer than the poll
//! budget plus a tolerance, whatever the size of a message; passing a message costs time proportional to its size.
//! Prints a table. `WSPEER_FRAME_BYTES` sets the largest message (64 MiB for the whole test).
#![cfg(unix)]
#![allow(unsafe_code)] // Calls the C ABI.

#[path = "../support/c_host.rs"]
mod c_host;

use c_host::*;
use std::collections::BTreeMap;
use std::time::Duration;
use wspeer::codes::*;
use wspeer::ffi::*;

/// The budget of a poll.
const BUDGET_US: u32 = 1_000;
/// Allowed excess of a call: a busy machine has cold caches, and a poll checks the clock only at intervals.
const TOLERANCE: Duration = Duration::from_micros(1_500);
/// A put may take this many times as long as copying its message to fresh memory.
const PUT_COPIES: u32 = 12;
/// A case that took too long is tried up to this many times, and the best time counts.
const TRIES: usize = 3;
const MIB: usize = 1 << 20;
const GONE: usize = 20;

fn largest() -> usize {
    std::env::var("WSPEER_FRAME_BYTES").map_or(16 * MIB, |bytes| bytes.parse().unwrap())
}

/// CPU time of this thread.
fn spent() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it lives.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) }, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The longest call of each kind.
#[derive(Default, Clone)]
struct Longest(BTreeMap<&'static str, Duration>);

impl Longest {
    fn time<R>(&mut self, what: &'static str, call: impl FnOnce() -> R) -> R {
        let begun = spent();
        let result = call();
        let took = spent() - begun;
        let longest = self.0.entry(what).or_default();
        *longest = took.max(*longest);
        result
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    /// A client receives from a server.
    Client,
    /// A server receives from a client.
    Server,
    /// A multiplayer host receives from a join.
    Host,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    kind: Kind,
    tls: bool,
    deflate: bool,
    size: usize,
}

/// Two ends of a connection: the sender's handles to poll and to put to, and the receiver.
struct Ends {
    polled: u32,
    put: u32,
    receiver: u32,
    roots: [u32; 2],
}

fn edit(case: Case) -> impl Fn(&mut ws_config) {
    move |config| {
        config.poll_budget_us = BUDGET_US;
        config.heartbeat_ms = WS_OFF;
        config.max_put_bytes = WS_OFF;
        if case.deflate {
            config.flags |= WS_DEFLATE;
        }
        if case.size > 16 * MIB {
            config.max_message_bytes = case.size as u32;
        }
    }
}

impl Case {
    fn servers_end(&self, certificate: &Certificate) -> (u32, u16) {
        let certificate = self.tls.then_some(certificate);
        if self.kind == Kind::Host { host_over(certificate, edit(*self)) } else { listen(certificate, edit(*self)) }
    }

    fn clients_end(&self, certificate: &Certificate, port: u16, early: bool) -> u32 {
        let certificate = self.tls.then_some(certificate);
        let edit = |config: &mut ws_config| {
            edit(*self)(config);
            config.flags |= if early { WS_QUEUE_BEFORE_OPEN } else { 0 };
        };
        if self.kind == Kind::Host { join(port, certificate, edit) } else { connect(port, certificate, edit) }
    }

    fn open(&self, certificate: &Certificate, longest: &mut Longest) -> Ends {
        let (server, port) = self.servers_end(certificate);
        let client = self.clients_end(certificate, port, false);
        until("both are open", || {
            longest.time("poll", || poll(server));
            longest.time("poll", || poll(client));
            while next(server).is_some() {}
            while next(client).is_some() {}
            !conns(server).is_empty() && ws_get_state(client) == WS_OPEN
        });
        let conn = conns(server)[0];
        match self.kind {
            Kind::Client => Ends { polled: server, put: conn, receiver: client, roots: [server, client] },
            Kind::Server | Kind::Host => {
                Ends { polled: client, put: client, receiver: server, roots: [client, server] }
            }
        }
    }
}

/// Takes an item. Returns its type and length.
fn take(handle: u32, longest: &mut Longest) -> Option<(i32, usize)> {
    // SAFETY: an event is numbers and pointers.
    let mut event: ws_event = unsafe { std::mem::zeroed() };
    // SAFETY: it lives.
    let result = longest.time("take", || unsafe { ws_next_event(handle, &mut event) });
    (result == WS_OK).then_some((event.r#type, event.packet.len))
}

/// Polls both ends until the receiver has taken a message of this size. Each step has a time limit, but not the whole,
/// for a busy machine.
fn receive(ends: &Ends, size: usize, longest: &mut Longest) {
    let (mut whole, mut come) = (false, 0);
    while !whole {
        until("more of the message arrives", || {
            longest.time("poll to send", || poll(ends.polled));
            longest.time("poll to receive", || poll(ends.receiver));
            while let Some((kind, len)) = take(ends.receiver, longest) {
                if kind == WS_EVENT_MESSAGE {
                    assert_eq!(len, size);
                    whole = true;
                    break;
                }
            }
            let before = std::mem::replace(&mut come, stats(ends.receiver).wire_bytes_in);
            whole || come > before
        });
    }
}

/// Sends messages one after another: each is put, received, lent and released.
fn talk(case: Case, certificate: &Certificate, payload: &[u8], longest: &mut Longest) {
    let ends = case.open(certificate, longest);
    for _ in 0..3 {
        assert_eq!(longest.time("put", || put(ends.put, payload)), WS_OK);
        receive(&ends, payload.len(), longest);
    }
    // Ends the last loan.
    assert_eq!(take(ends.receiver, longest), None);
    for root in ends.roots {
        longest.time("free", || free(root));
    }
}

/// Sends a message that was put before OPEN.
fn talk_early(case: Case, certificate: &Certificate, payload: &[u8], longest: &mut Longest) {
    let (server, port) = case.servers_end(certificate);
    let client = case.clients_end(certificate, port, true);
    assert_eq!(longest.time("put", || put(client, payload)), WS_OK);
    let ends = Ends { polled: client, put: client, receiver: server, roots: [client, server] };
    receive(&ends, payload.len(), longest);
    for root in ends.roots {
        longest.time("free", || free(root));
    }
}

/// Sends many small messages that were put before OPEN.
fn talk_early_often(case: Case, certificate: &Certificate, longest: &mut Longest) {
    let (server, port) = case.servers_end(certificate);
    let client = case.clients_end(certificate, port, true);
    let payload = vec![b'x'; 1_000];
    let mut count = 0;
    while put(client, &payload) == WS_OK {
        count += 1;
    }
    assert!(count > 1_000);
    let ends = Ends { polled: client, put: client, receiver: server, roots: [client, server] };
    for _ in 0..count {
        receive(&ends, payload.len(), longest);
    }
    for root in ends.roots {
        free(root);
    }
}

/// Clients that end in the middle of a message, in different ways.
fn leave(case: Case, certificate: &Certificate, payload: &[u8], longest: &mut Longest) {
    let (server, port) = case.servers_end(certificate);
    let clients: Vec<u32> = (0..GONE).map(|_| case.clients_end(certificate, port, false)).collect();
    let share = (largest() / GONE).min(payload.len()) as u64;
    let mut open = 0;
    until("all are open", || {
        poll(server);
        clients.iter().for_each(|client| _ = poll(*client));
        while let Some((kind, _)) = take(server, longest) {
            open += usize::from(kind == WS_EVENT_CONNECTED);
        }
        open == GONE
    });
    until("the clients that may send are admitted", || {
        poll(server);
        clients.iter().for_each(|client| _ = poll(*client));
        clients.iter().all(|client| ws_get_state(*client) == WS_OPEN)
    });
    for client in &clients {
        assert_eq!(put(*client, payload), WS_OK);
    }
    until("each has sent a part", || {
        longest.time("poll to receive", || poll(server));
        clients
            .iter()
            .filter(|client| stats(**client).wire_bytes_out < share / 8)
            .for_each(|client| _ = longest.time("poll to send", || poll(*client)));
        clients.iter().all(|client| stats(*client).wire_bytes_out >= share / 8)
    });
    for client in clients {
        longest.time("free", || free(client));
    }
    let mut gone = 0;
    until("all are gone", || {
        longest.time("poll to receive", || poll(server));
        while let Some((kind, _)) = take(server, longest) {
            gone += usize::from(kind == WS_EVENT_DISCONNECTED);
        }
        gone == GONE
    });
    until("all are retired", || {
        longest.time("poll to retire", || poll(server));
        conns(server).is_empty()
    });
    longest.time("free", || free(server));
}

/// Random letters, which deflate halves approximately.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        b"etaoinshrdlu .,;"[(state >> 60) as usize]
    };
    (0..size).map(next).collect()
}

/// Time to copy the payload to fresh memory.
fn copying(payload: &[u8]) -> Duration {
    let begun = spent();
    drop(std::hint::black_box(payload.to_vec()));
    spent() - begun
}

/// How long a call may take, given the time to copy its message.
fn most(what: &str, copy: Duration) -> Duration {
    let puts = if what == "put" { copy * PUT_COPIES } else { Duration::ZERO };
    Duration::from_micros(BUDGET_US.into()) + TOLERANCE + puts
}

/// Repeats a case until no call takes too long, at most TRIES times. Returns the best time of each kind of call.
fn best(copy: Duration, mut run: impl FnMut(&mut Longest)) -> BTreeMap<&'static str, Duration> {
    let mut best: BTreeMap<&'static str, Duration> = BTreeMap::new();
    for _ in 0..TRIES {
        let mut longest = Longest::default();
        run(&mut longest);
        for (what, took) in longest.0 {
            best.entry(what).and_modify(|best| *best = took.min(*best)).or_insert(took);
        }
        if best.iter().all(|(what, took)| *took <= most(what, copy)) {
            break;
        }
    }
    best
}

/// All kinds of ends, with and without TLS and deflate.
fn cases(size: usize) -> impl Iterator<Item = Case> {
    let kinds = [Kind::Client, Kind::Server, Kind::Host].into_iter();
    kinds.flat_map(move |kind| (0..4).map(move |flags| Case { kind, tls: flags & 2 > 0, deflate: flags & 1 > 0, size }))
}

#[test]
fn every_call_stays_within_the_budget_plus_a_tolerance() {
    let certificate = Certificate::new();
    let mut broken = Vec::new();
    let sizes = if largest() > 16 * MIB {
        vec![64 << 10, MIB, 4 * MIB, 16 * MIB, largest()]
    } else {
        vec![64 << 10, MIB, largest()]
    };
    for case in sizes.into_iter().flat_map(cases) {
        let Case { kind, tls, deflate, size } = case;
        let payload = noise(size);
        let copy = (0..TRIES).map(|_| copying(&payload)).min().unwrap_or_default();
        let name = format!(
            "{:>6} KiB {:3} {:7} {kind:?}",
            size >> 10,
            if tls { "wss" } else { "ws" },
            if deflate { "deflate" } else { "" }
        );
        let mut judge = |way: &str, longest: BTreeMap<&'static str, Duration>| {
            let calls: Vec<_> = longest.iter().map(|(what, took)| format!("{what} {} us", took.as_micros())).collect();
            println!("{name:29} {way:6} {}", calls.join(", "));
            for (what, took) in longest {
                if took > most(what, copy) {
                    broken.push(format!(
                        "{name} {way}: {what} took {took:?} of CPU, and may take {:?}",
                        most(what, copy)
                    ));
                }
            }
        };
        judge("talks", best(copy, |longest| talk(case, &certificate, &payload, longest)));
        if kind == Kind::Server {
            judge("early", best(copy, |longest| talk_early(case, &certificate, &payload, longest)));
            judge("leaves", best(copy, |longest| leave(case, &certificate, &payload, longest)));
            if size == MIB {
                judge("often", best(copy, |longest| talk_early_often(case, &certificate, longest)));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
