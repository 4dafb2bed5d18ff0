//! A crowd that joins, talks, leaves and is cut, over wss:// with compression and through a proxy: what both ends count agrees, and memory and descriptors stay flat.
//! WSPEER_SOAK_SECONDS (default 30) and WSPEER_SOAK_CLIENTS (default 150); every 5 s a line goes to build/soak.csv.
#![allow(unsafe_code)] // The calls of a C host.
#![cfg(target_os = "linux")] // It looks into /proc.

mod host;
mod proxy;

use host::*;
use proxy::{End, Faults, Proxy};
use std::collections::HashMap;
use std::io::Write;
use std::time::{Duration, Instant};
use wspeer::codes::*;

const FRAME: Duration = Duration::from_millis(16);

/// Marsaglia's xorshift64: the same crowd in each run.
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

/// What one end has put and got. A message begins with the sender's count, so that a lost, doubled or displaced one is seen.
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
        assert_eq!(number, self.got, "a message was lost, doubled or displaced");
        assert!(bytes[4..].iter().enumerate().all(|(at, byte)| *byte == (at / 9) as u8 ^ number as u8), "a message was spoilt");
        self.got += 1;
    }
}

/// How one end told its end.
#[derive(Clone, Copy, Debug)]
struct Over {
    tally: Tally,
    unsent: u32,
    clean: bool,
}

struct Player {
    handle: u32,
    /// Goes into its path, so that the server's end finds it.
    name: u32,
    open: bool,
    tally: Tally,
    next_put: Instant,
    leaves_at: Instant,
}

#[derive(Default, Debug)]
struct Totals {
    opened: u64,
    clean: u64,
    cut: u64,
    never_opened: u64,
    messages: u64,
    unsent: u64,
    lost_on_the_way: u64,
}

struct Soak {
    certificate: Certificate,
    server: u32,
    proxy: Proxy,
    dice: Dice,
    players: Vec<Player>,
    names: u32,
    /// The server's ends by their handle: the name, what was put and got.
    conns: HashMap<u32, (u32, Tally)>,
    /// Ends that wait for the other's.
    halves: HashMap<u32, Over>,
    totals: Totals,
}

impl Soak {
    fn new() -> Soak {
        let certificate = Certificate::new();
        let (server, port) = listen(Some(&certificate), |config| {
            config.flags |= WS_DEFLATE | WS_COALESCE;
            (config.heartbeat_ms, config.pong_timeout_ms, config.max_pending_handshakes) = (1_000, 3_000, WS_OFF);
        });
        let proxy = Proxy::new(port);
        let mut fate = Dice(0xFA7E);
        proxy.plan(move |_| {
            let mut faults = <[Faults; 2]>::default();
            let choppy = Faults {
                delay: fate.time(Duration::from_millis(40)),
                jitter: fate.time(Duration::from_millis(20)),
                pieces: Some(1_400),
                ..Faults::default()
            };
            faults.fill(choppy);
            if fate.below(3) == 0 {
                let end = [End::Reset, End::Fin, End::Swallow, End::Stall, End::Flip(3)][fate.below(5)];
                faults[fate.below(2)].end = Some((fate.below(60_000) as u64, end));
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
        });
        let now = Instant::now();
        let leaves_at = now + Duration::from_secs(1) + self.dice.time(Duration::from_secs(6));
        self.players.push(Player { handle, name, open: false, tally: Tally::default(), next_put: now, leaves_at });
    }

    fn frame(&mut self, crowd: usize) {
        // A few at a time, as people come.
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
                // It comes back, and now and then the server has enough of one.
                if put(event.conn, &tally.message(event.bytes.len() - 4)) == WS_OK {
                    tally.put += 1;
                }
                if self.dice.below(2_000) == 0 {
                    close(event.conn, 4_000);
                }
            }
            WS_EVENT_DISCONNECTED => {
                let (name, tally) = self.conns.remove(&event.conn).expect("CONNECTED came first");
                self.over(name, Over { tally, unsent: event.unsent, clean: event.clean });
            }
            WS_EVENT_CLOSE_REQUEST | WS_EVENT_WRITABLE | WS_EVENT_SKIPPED => {}
            _ => panic!("{event:?}"),
        }
    }

    /// False: it has left.
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
                    let counted = stats(player.handle);
                    assert_eq!(
                        (counted.messages_in, counted.messages_out),
                        (u64::from(over.tally.got), u64::from(over.tally.put)),
                        "the counters are the host's"
                    );
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
            // Most say goodbye; some pull the plug.
            close(player.handle, if self.dice.below(8) == 0 { -1 } else { 1_000 });
            player.leaves_at = now + Duration::from_secs(3_600);
        }
        true
    }

    /// Once both ends have told: what one put and the other got must agree.
    fn over(&mut self, name: u32, this: Over) {
        let Some(other) = self.halves.remove(&name) else {
            self.halves.insert(name, this);
            return;
        };
        for (from, to) in [(this, other), (other, this)] {
            let arrived_at_most = from.tally.put - from.unsent;
            assert!(to.tally.got <= arrived_at_most, "{from:?} {to:?}");
            self.totals.unsent += u64::from(from.unsent);
            self.totals.lost_on_the_way += u64::from(arrived_at_most - to.tally.got);
            // Whoever saw a clean end has all that the other end could send before it.
            assert!(!(this.clean && other.clean) || to.tally.got == arrived_at_most, "a clean end lost something: {from:?} {to:?}");
        }
        if this.clean && other.clean { self.totals.clean += 1 } else { self.totals.cut += 1 }
    }
}

fn memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("readable");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line of memory");
    line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("readable").count()
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn a_crowd_comes_and_goes() {
    let seconds = number("WSPEER_SOAK_SECONDS", 30);
    let crowd = number("WSPEER_SOAK_CLIENTS", 150) as usize;
    std::fs::create_dir_all("build").expect("writable");
    let mut csv = std::fs::File::create("build/soak.csv").expect("writable");
    writeln!(csv, "seconds,memory_kib,descriptors,players,messages,clean,cut").expect("writable");
    let began = Instant::now();
    let before = descriptors();
    let mut soak = Soak::new();
    let mut next_line = began;
    let mut memory = Vec::new();
    while began.elapsed() < Duration::from_secs(seconds) {
        let frame = Instant::now();
        soak.frame(crowd);
        if frame >= next_line {
            next_line = frame + Duration::from_secs(if seconds > 100 { 5 } else { 1 });
            memory.push(memory_kib());
            let totals = &soak.totals;
            let (at, now) = (began.elapsed().as_secs(), memory[memory.len() - 1]);
            writeln!(csv, "{at},{now},{},{},{},{},{}", descriptors(), soak.players.len(), totals.messages, totals.clean, totals.cut)
                .expect("writable");
        }
        // The pace of a game: this is what a frame is.
        std::thread::sleep(FRAME.saturating_sub(frame.elapsed()));
    }
    // Everybody leaves; what is on its way arrives or is reported.
    for player in &mut soak.players {
        player.leaves_at = Instant::now();
    }
    until("all have left", || {
        soak.frame(0);
        soak.players.is_empty() && soak.conns.is_empty()
    });
    let proxy_passed = soak.proxy.passed().len();
    let Soak { server, proxy, totals, halves, .. } = soak;
    free(server);
    drop(proxy);
    println!(
        "figure: soak of {seconds} s, {crowd} clients: {totals:?}, {} of which the server never heard, {proxy_passed} connections",
        halves.len()
    );
    assert!(totals.clean > 0 && totals.cut > 0 && totals.messages > 1_000, "{totals:?}");
    ws_shutdown_and_wait(before);
    // Flat: the last third takes no more than the one before it, but for the allocator's noise. In the first third the crowd gathers.
    let third = memory.len() / 3;
    let most = |part: &[u64]| part.iter().copied().max().unwrap_or(0);
    let (middle, last) = (most(&memory[third..2 * third]), most(&memory[2 * third..]));
    println!("figure: memory {middle} KiB at most in the middle third, {last} KiB in the last");
    // ThreadSanitizer's own memory grows with every place that was touched.
    assert!(std::env::var_os("TSAN_OPTIONS").is_some() || last < middle + middle / 5 + 8_192, "memory grows: {middle} KiB, then {last} KiB");
}

fn ws_shutdown_and_wait(before: usize) {
    wspeer::ffi::ws_shutdown();
    // The threads end by themselves; nothing of a connection stays.
    until("descriptors are as before", || descriptors() <= before + 4);
}
