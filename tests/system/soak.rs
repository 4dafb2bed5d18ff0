//! Many clients connect, send, leave and are cut off, over wss:// with compression and through a faulty proxy, two of
//! three with a session that goes on over another link: the counts of both ends must agree, and memory and descriptors
//! must stay flat. Now and then all clients leave, to measure what the library still holds. WSPEER_SOAK_SECONDS (default 30) and WSPEER_SOAK_CLIENTS (default 150) set the
//! size. A line is added to build/soak.csv every 5 s (every second in a short run), which tests/soak/plot.py draws.
#![allow(unsafe_code)] // Calls the C ABI.
#![cfg(target_os = "linux")] // Reads /proc.

#[path = "../support/c_host.rs"]
mod c_host;
#[path = "../support/counting_allocator.rs"]
mod counting_allocator;
#[path = "../support/fault_proxy.rs"]
mod fault_proxy;

use c_host::*;
use counting_allocator::{Counting, be_elsewhere, live};
use fault_proxy::{End, Faults, Proxy};
use std::collections::HashMap;
use std::io::Write;
use std::time::{Duration, Instant};
use wspeer::codes::*;

const FRAME: Duration = Duration::from_millis(16);
/// Longer than the library keeps memory for later connections.
const REST: Duration = Duration::from_secs(7);
/// How long the session of a client is kept.
const SESSION_MS: u32 = 4_000;
/// Allowed growth of the idle memory after the first measurement: the handle table grows until 4,096 slots are free.
const SLACK: i64 = 256 << 10;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Marsaglia's xorshift64: the same numbers in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    fn time(&mut self, most: Duration) -> Duration {
        most.mul_f64(self.below(1_000) as f64 / 1_000.0)
    }
}

/// Number of messages one end has put and received. A message begins with the sender's count, which detects lost,
/// duplicated and reordered ones.
#[derive(Default, Clone, Copy, Debug)]
struct Tally {
    put: u32,
    got: u32,
}

impl Tally {
    fn message(&self, len: usize) -> Vec<u8> {
        let mut bytes = self.put.to_le_bytes().to_vec();
        bytes.extend((0..len).map(|at| (at / 9) as u8 ^ self.put as u8));
        bytes
    }

    fn take(&mut self, bytes: &[u8]) {
        let number = u32::from_le_bytes(bytes[..4].try_into().expect("four bytes of count"));
        assert_eq!(number, self.got, "a message was lost, duplicated or reordered");
        assert!(
            bytes[4..].iter().enumerate().all(|(at, byte)| *byte == (at / 9) as u8 ^ number as u8),
            "a message was corrupted"
        );
        self.got += 1;
    }
}

/// The end event of one side.
#[derive(Clone, Copy, Debug)]
struct Over {
    tally: Tally,
    unsent: u32,
    clean: bool,
}

struct Player {
    handle: u32,
    /// Part of the request path, which identifies the client at the server.
    name: u32,
    open: bool,
    tally: Tally,
    next_put: Instant,
    leaves_at: Instant,
}

#[derive(Default, Debug)]
struct Totals {
    opened: u64,
    /// Sessions in which all arrived in both directions.
    kept: u64,
    losses: u64,
    resumed: u64,
    sent_again: u64,
    clean: u64,
    cut: u64,
    never_opened: u64,
    messages: u64,
    /// Sums over the server's ends.
    put: u64,
    got: u64,
    unsent: u64,
    lost_on_the_way: u64,
    /// Connections that only the server saw open, because its response was cut off.
    one_sided: u64,
}

struct Soak {
    certificate: Certificate,
    server: u32,
    proxy: Proxy,
    dice: Dice,
    players: Vec<Player>,
    names: u32,
    /// The server's ends by handle: the client's name, and what was put and received.
    conns: HashMap<u32, (u32, Tally)>,
    /// Ends whose other side has not ended yet.
    halves: HashMap<u32, Over>,
    totals: Totals,
}

impl Soak {
    fn new() -> Soak {
        let certificate = Certificate::new();
        let (server, port) = listen(Some(&certificate), |config| {
            config.flags |= WS_DEFLATE | WS_COALESCE;
            (config.session_ms, config.max_lost) = (SESSION_MS, WS_OFF);
            (config.heartbeat_ms, config.pong_timeout_ms, config.max_pending_handshakes) = (1_000, 3_000, WS_OFF);
            // A third of a frame, because there are many clients.
            config.poll_budget_us = 5_000;
        });
        let proxy = Proxy::new(port);
        let mut fate = Dice(0xFA7E);
        proxy.plan(move |_| {
            // Runs on the proxy's thread, whose memory is not counted as the library's.
            be_elsewhere();
            let mut faults = <[Faults; 2]>::default();
            let choppy = Faults {
                delay: fate.time(Duration::from_millis(40)),
                jitter: fate.time(Duration::from_millis(20)),
                pieces: Some(1_400),
                ..Faults::default()
            };
            faults.fill(choppy);
            if fate.below(2) == 0 {
                let end = [End::Reset, End::Fin, End::Swallow, End::Stall, End::Flip(3)][fate.below(5)];
                faults[fate.below(2)].end = Some((fate.below(30_000) as u64, end));
            }
            faults
        });
        Soak {
            certificate,
            server,
            proxy,
            dice: Dice(0x50AC),
            players: Vec::new(),
            names: 0,
            conns: HashMap::new(),
            halves: HashMap::new(),
            totals: Totals::default(),
        }
    }

    fn join(&mut self) {
        self.names += 1;
        let name = self.names;
        let handle = connect_to(self.proxy.port, &format!("/{name}"), Some(&self.certificate), |config| {
            config.flags |= WS_DEFLATE | WS_COALESCE;
            (config.heartbeat_ms, config.pong_timeout_ms, config.connect_timeout_ms) = (1_000, 3_000, 5_000);
            if keeps_session(name) {
                (config.session_ms, config.retry_min_ms, config.retry_max_ms) = (SESSION_MS, 50, 500);
            }
        });
        let now = Instant::now();
        // A few stay until all clients leave.
        let stays =
            if self.dice.below(500) == 0 { Duration::from_secs(3_600) } else { self.dice.time(Duration::from_secs(6)) };
        let leaves_at = now + Duration::from_secs(1) + stays;
        self.players.push(Player { handle, name, open: false, tally: Tally::default(), next_put: now, leaves_at });
    }

    fn frame(&mut self, crowd: usize) {
        // A few clients at a time.
        for _ in 0..4 {
            if self.players.len() < crowd {
                self.join();
            }
        }
        poll(self.server);
        while let Some(event) = next(self.server) {
            self.at_server(event);
        }
        flush(self.server);
        while let Some(line) = log_line() {
            assert!(!line.contains("panic"), "a defect was caught: {line}");
        }
        let now = Instant::now();
        let mut at = 0;
        while at < self.players.len() {
            poll(self.players[at].handle);
            if self.play(at, now) {
                at += 1;
            } else {
                let player = self.players.swap_remove(at);
                free(player.handle);
            }
        }
    }

    fn at_server(&mut self, event: Event) {
        match event.kind {
            WS_EVENT_CONNECTED => {
                let name = path(event.conn)[1..].parse().expect("the name of a player");
                self.conns.insert(event.conn, (name, Tally::default()));
                self.totals.opened += 1;
            }
            WS_EVENT_MESSAGE => {
                let (_, tally) = self.conns.get_mut(&event.conn).expect("CONNECTED came first");
                tally.take(&event.bytes);
                self.totals.messages += 1;
                // Echoes the message, and now and then closes the connection.
                if put(event.conn, &tally.message(event.bytes.len() - 4)) == WS_OK {
                    tally.put += 1;
                }
                if self.dice.below(2_000) == 0 {
                    close(event.conn, 4_000);
                }
            }
            WS_EVENT_DISCONNECTED => {
                let (name, tally) = self.conns.remove(&event.conn).expect("CONNECTED came first");
                check_counters(event.conn, tally);
                let counted = stats(event.conn);
                self.totals.losses += counted.losses;
                self.totals.resumed += counted.resumed;
                self.totals.sent_again += counted.sent_again;
                self.totals.put += u64::from(tally.put);
                self.totals.got += u64::from(tally.got);
                self.over(name, Over { tally, unsent: event.unsent, clean: event.clean });
            }
            WS_EVENT_LOST | WS_EVENT_RESUMED => {}
            WS_EVENT_CLOSE_REQUEST | WS_EVENT_WRITABLE | WS_EVENT_SKIPPED => {}
            _ => panic!("{event:?}"),
        }
    }

    /// Returns false once the client has ended.
    fn play(&mut self, at: usize, now: Instant) -> bool {
        let player = &mut self.players[at];
        while let Some(event) = next(player.handle) {
            match event.kind {
                WS_EVENT_OPEN => player.open = true,
                WS_EVENT_MESSAGE => {
                    player.tally.take(&event.bytes);
                    self.totals.messages += 1;
                }
                WS_EVENT_CLOSED => {
                    let (name, open) = (player.name, player.open);
                    let over = Over { tally: player.tally, unsent: event.unsent, clean: event.clean };
                    check_counters(player.handle, over.tally);
                    if open {
                        self.over(name, over)
                    } else {
                        self.totals.never_opened += 1
                    }
                    return false;
                }
                _ => {}
            }
        }
        let player = &mut self.players[at];
        if player.open && now >= player.next_put {
            player.next_put = now + Duration::from_millis(100) + self.dice.time(Duration::from_millis(200));
            let len = [0, 20, 60, 200, 1_000, 5_000][self.dice.below(6)] + self.dice.below(20);
            if put(player.handle, &player.tally.message(len)) == WS_OK {
                player.tally.put += 1;
            }
        }
        if now >= player.leaves_at {
            // Most close properly; some drop the connection.
            close(player.handle, if self.dice.below(8) == 0 { -1 } else { 1_000 });
            player.leaves_at = now + Duration::from_secs(3_600);
        }
        true
    }

    /// Records an end. Once both sides have ended, what one put and the other received must agree.
    fn over(&mut self, name: u32, this: Over) {
        let Some(other) = self.halves.remove(&name) else {
            self.halves.insert(name, this);
            return;
        };
        let keeps = keeps_session(name);
        let all_arrived = |from: Over, to: Over| from.tally.put == to.tally.got;
        self.totals.kept += u64::from(keeps && all_arrived(this, other) && all_arrived(other, this));
        for (from, to) in [(this, other), (other, this)] {
            let arrived_at_most = from.tally.put - from.unsent;
            if keeps {
                // What is not acknowledged may have arrived.
                let possible = arrived_at_most..=from.tally.put;
                assert!(possible.contains(&to.tally.got), "{from:?} {to:?}");
                continue;
            }
            assert!(to.tally.got <= arrived_at_most, "{from:?} {to:?}");
            self.totals.unsent += u64::from(from.unsent);
            self.totals.lost_on_the_way += u64::from(arrived_at_most - to.tally.got);
            // An end that reports a clean close has received all that the other end sent before it.
            assert!(!to.clean || to.tally.got == arrived_at_most, "a clean end lost something: {from:?} {to:?}");
        }
        if this.clean && other.clean { self.totals.clean += 1 } else { self.totals.cut += 1 }
    }
}

/// Whether the client of this name has a session.
fn keeps_session(name: u32) -> bool {
    !name.is_multiple_of(3)
}

/// The library's counters must equal the test's.
fn check_counters(handle: u32, tally: Tally) {
    let counted = stats(handle);
    assert_eq!(
        (counted.messages_in, counted.messages_out),
        (u64::from(tally.got), u64::from(tally.put)),
        "the counters are the host's"
    );
}

fn memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("readable");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a VmRSS line");
    line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("readable").count()
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Measurements over time, also written to build/soak.csv.
struct Record {
    began: Instant,
    csv: std::fs::File,
    /// Memory of the process, and of the library and the test, in KiB, while clients are connected.
    resident: Vec<u64>,
    heap: Vec<u64>,
    descriptors: Vec<u64>,
    /// Bytes that the library and the test hold while no client is connected.
    at_rest: Vec<i64>,
}

impl Record {
    fn new(began: Instant) -> Record {
        std::fs::create_dir_all("build").expect("writable");
        let mut csv = std::fs::File::create("build/soak.csv").expect("writable");
        writeln!(csv, "seconds,resident_kib,heap_kib,proxy_heap_kib,descriptors,players,messages,clean,cut")
            .expect("writable");
        Record { began, csv, resident: Vec::new(), heap: Vec::new(), descriptors: Vec::new(), at_rest: Vec::new() }
    }

    fn line(&mut self, soak: &Soak) {
        let (at, players, totals) = (self.began.elapsed().as_secs(), soak.players.len(), &soak.totals);
        let (resident, descriptors, (heap, proxy_heap)) = (memory_kib(), descriptors() as u64, live());
        if players > 0 {
            self.resident.push(resident);
            self.heap.push(heap as u64 >> 10);
            self.descriptors.push(descriptors);
        } else {
            self.at_rest.push(heap);
        }
        let Totals { messages, clean, cut, .. } = totals;
        let (heap, proxy_heap) = (heap as f64 / 1_024.0, proxy_heap as f64 / 1_024.0);
        writeln!(
            self.csv,
            "{at},{resident},{heap:.1},{proxy_heap:.1},{descriptors},{players},{messages},{clean},{cut}"
        )
        .expect("writable");
    }
}

impl Soak {
    /// All clients leave, messages in transit arrive or are reported, and cached memory is freed. A short run waits
    /// only until that has happened.
    fn rest(&mut self, record: &mut Record, short: bool) {
        for player in &mut self.players {
            player.leaves_at = Instant::now();
        }
        until("all have left", || {
            self.frame(0);
            self.players.is_empty() && self.conns.is_empty()
        });
        self.totals.one_sided += self.halves.drain().count() as u64;
        let enough = record.at_rest.first().filter(|_| short).map_or(0, |first| first + SLACK);
        let end = Instant::now() + REST;
        while Instant::now() < end && live().0 > enough {
            self.frame(0);
            std::thread::sleep(FRAME);
        }
        record.line(self);
    }
}

#[test]
fn counts_agree_and_memory_stays_flat_over_many_sessions() {
    let seconds = number("WSPEER_SOAK_SECONDS", 30);
    let crowd = number("WSPEER_SOAK_CLIENTS", 150) as usize;
    let short = seconds < 1_000;
    let began = Instant::now();
    let before = descriptors();
    let mut soak = Soak::new();
    let mut record = Record::new(began);
    let mut next_line = began;
    // First after two minutes, and then every five.
    let (first_rest, between) = if short { (seconds / 3, seconds) } else { (120, 300) };
    let mut next_rest = began + Duration::from_secs(first_rest);
    while began.elapsed() < Duration::from_secs(seconds) {
        let frame = Instant::now();
        soak.frame(crowd);
        if frame >= next_line {
            next_line = frame + Duration::from_secs(if short { 1 } else { 5 });
            record.line(&soak);
        }
        if frame >= next_rest {
            next_rest = frame + Duration::from_secs(between);
            soak.rest(&mut record, short);
        }
        // The frame rate of a game.
        std::thread::sleep(FRAME.saturating_sub(frame.elapsed()));
    }
    soak.rest(&mut record, short);
    let proxy_passed = soak.proxy.passed().len();
    let whole = stats(soak.server);
    let Soak { server, proxy, totals, .. } = soak;
    free(server);
    drop(proxy);
    println!("figure: soak of {seconds} s, {crowd} clients: {totals:?}, {proxy_passed} connections");
    assert!(totals.clean > 0 && totals.cut > 0 && totals.messages > 1_000, "{totals:?}");
    assert!(totals.kept > 0 && totals.resumed > 0 && totals.sent_again > 0, "{totals:?}");
    assert_eq!(
        (whole.accepted, whole.messages_in, whole.messages_out),
        (totals.opened + totals.resumed + whole.refused, totals.got, totals.put),
        "the server's counters are the sum of its clients': {totals:?}"
    );
    ws_shutdown_and_wait(before);
    let Record { resident, heap, descriptors, at_rest, .. } = record;
    println!("figure: heap at rest, bytes: {at_rest:?}");
    let (first, most_at_rest) = (at_rest[0], at_rest.iter().copied().max().unwrap_or(0));
    assert!(most_at_rest < first + SLACK, "memory of disconnected clients is kept: {at_rest:?}");
    for (what, figures, noise) in
        [("resident KiB", resident, 8_192), ("heap KiB", heap, 8_192), ("descriptors", descriptors, 200)]
    {
        // The last third must not exceed the middle one by more than noise. In the first third clients are still
        // joining.
        let third = figures.len() / 3;
        let most = |part: &[u64]| part.iter().copied().max().unwrap_or(0);
        let (middle, last) = (most(&figures[third..2 * third]), most(&figures[2 * third..]));
        println!("figure: {what}: {middle} at most in the middle third, {last} in the last");
        // ThreadSanitizer's memory grows with every address that is touched.
        let spoilt = what == "resident KiB" && std::env::var_os("TSAN_OPTIONS").is_some();
        assert!(spoilt || last < middle + middle / 5 + noise, "{what} grow: {middle}, then {last}");
    }
}

fn ws_shutdown_and_wait(before: usize) {
    wspeer::ffi::ws_shutdown();
    // The threads end asynchronously; no descriptor of a connection stays open.
    until("descriptors are as before", || descriptors() <= before + 4);
}
