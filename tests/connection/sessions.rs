//! Sessions of a client and a server's client, in memory and with an invented time: random traffic of both, over a link
//! that is cut at every byte. WSPEER_CUT_STEP: of the second cuts behind a first one, every so many (default: 3; 1 in
//! `make test-long`).

use crate::test_connection::*;
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::internals::connection::{Connection, Retry};
use wspeer::internals::endpoint::{Item, Options};
use wspeer::internals::link::{Claim, Sent};
use wspeer::internals::net::{Destination, MemoryEnd, Services, Stream};
use wspeer::internals::opening::Recipe;
use wspeer::internals::protocol::{
    Accept, AskedChannel, DeflateSettings, OfferedChannel, RequestSpec, ServerHandshake,
};
use wspeer::internals::session::Terms;
use wspeer::internals::status::{Cause, EventKind, MessageType, State};
use wspeer::internals::work::{Arena, Budget, Codecs, Cx};

/// Time between two frames.
const FRAME: Duration = Duration::from_millis(50);
const CAPACITY: usize = 1 << 20;

/// Marsaglia's xorshift64.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// How a run goes.
#[derive(Clone)]
struct Plan {
    seed: u64,
    /// Messages of each end.
    messages: [usize; 2],
    longest: u64,
    deflate: bool,
    /// Cuts, in order: a direction (0: from the client) and the number of bytes that go in it before, over all links.
    cuts: Vec<(usize, usize)>,
    /// Frames after which the client closes, if that is before everything was sent.
    closes_after: Option<usize>,
    terms: [Terms; 2],
}

const DEFLATE: DeflateSettings =
    DeflateSettings { server_no_takeover: false, client_no_takeover: false, server_bits: 15, client_bits: 15 };
const TERMS: Terms = Terms { ms: 30_000, bytes: 64 << 10, renews: false };

impl Plan {
    fn new(seed: u64, messages: [usize; 2], longest: u64) -> Plan {
        Plan { seed, messages, longest, deflate: false, cuts: Vec::new(), closes_after: None, terms: [TERMS; 2] }
    }

    fn cut(&self, cuts: &[(usize, usize)]) -> Plan {
        Plan { cuts: cuts.to_vec(), ..self.clone() }
    }

    /// Message `number` of an end.
    fn message(&self, end: usize, number: usize) -> (bool, Vec<u8>) {
        let mut random =
            Random(self.seed ^ ((end as u64 + 1) << 32 | (number as u64 + 1)).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        random.below(2);
        let len = random.below(self.longest + 1) as usize;
        let text = random.below(2) == 0;
        let head = format!("{end}/{number}/");
        (text, head.bytes().chain((0..len).map(|at| b'a' + (at % 7) as u8)).collect())
    }
}

/// A connection, and what polling it needs.
struct Side {
    peer: Connection,
    arena: Arena,
    codecs: Codecs,
}

impl Side {
    fn new(peer: Connection) -> Side {
        Side { peer, arena: Arena::new(128 << 10), codecs: Codecs::default() }
    }

    fn act<R>(
        &mut self,
        services: &Services,
        at: [Instant; 2],
        act: impl FnOnce(&mut Connection, &mut Cx<'_>) -> R,
    ) -> R {
        let clock = Ticking { now: Cell::new(at[1]), step: Duration::ZERO, asked: Cell::new(0) };
        let mut cx = Cx {
            services,
            arena: &mut self.arena,
            codecs: &mut self.codecs,
            now: at[1],
            epoch: at[0],
            budget: Budget::new(&clock, at[1], None),
            corked: false,
            corked_bytes: 0,
            latest: None,
        };
        act(&mut self.peer, &mut cx)
    }

    fn poll(&mut self, services: &Services, at: [Instant; 2]) {
        self.act(services, at, |peer, cx| {
            peer.leave_arena(cx.arena);
            cx.arena.renew();
            let more = peer.pump(cx) || peer.has_backlog();
            peer.check_timers(cx, !more);
        });
    }
}

/// What an end has seen.
#[derive(Default, Debug)]
struct Seen {
    accepted: usize,
    received: usize,
    opened: u32,
    losses: u32,
    resumes: u32,
    /// Its last event: cause, whether it was clean, unsent.
    end: Option<(Cause, bool, u32)>,
}

/// A client and a server whose links go through a proxy.
struct World {
    plan: Plan,
    services: Services,
    start: Instant,
    now: Instant,
    client: Side,
    retry: Retry,
    /// The server's end that has the session.
    owner: Option<Side>,
    /// The server's end of a new link.
    fresh: Option<Side>,
    /// The proxy's ends, towards the client and the server.
    link: Option<[MemoryEnd; 2]>,
    moved: [usize; 2],
    cuts: usize,
    seen: [Seen; 2],
    closing: bool,
    options: [Arc<Options>; 2],
}

fn spec(plan: &Plan) -> RequestSpec {
    RequestSpec {
        host: "h".to_owned(),
        target: "/".to_owned(),
        headers: Vec::new(),
        subprotocols: Vec::new(),
        deflate: plan.deflate.then_some(DEFLATE),
        max_header_bytes: 16 << 10,
        channel: Some(AskedChannel { heartbeat: false, node: None }),
    }
}

impl World {
    fn new(plan: Plan) -> World {
        let changes = [(WS_OPT_DEFLATE_THRESHOLD_BYTES, 1), (WS_OPT_RETRY_MIN_MS, 100), (WS_OPT_HEARTBEAT_MS, WS_OFF)];
        let options = [options(false, &changes), options(true, &changes)];
        let services = Services::new(Arc::new(|| {}));
        let now = Instant::now();
        let (near, far) = MemoryEnd::pair(CAPACITY);
        let timeout = Some(ms(10_000));
        let mut peer = Connection::request_on(
            Stream::Memory(Box::new(near)),
            &spec(&plan),
            options[0].clone(),
            timeout,
            false,
            now,
        );
        peer.ask_for_session(plan.terms[0]);
        peer.reconnect();
        let to = Destination { host: "h".to_owned(), port: 1, tls: None, no_delay: true, trace: None };
        let recipe = Recipe {
            to,
            via: None,
            request: spec(&plan),
            session: Some(plan.terms[0]),
            timeout,
            queue_before_open: false,
        };
        let mut world = World {
            plan,
            services,
            start: now,
            now,
            client: Side::new(peer),
            retry: Retry::new(recipe),
            owner: None,
            fresh: None,
            link: None,
            moved: [0; 2],
            cuts: 0,
            seen: Default::default(),
            closing: false,
            options,
        };
        world.connect_far(far);
        world
    }

    fn at(&self) -> [Instant; 2] {
        [self.start, self.now]
    }

    /// The client's link leads to a new end of the server.
    fn connect_far(&mut self, client_far: MemoryEnd) {
        let (near, server_far) = MemoryEnd::pair(CAPACITY);
        let peer = Connection::answer_on(
            Stream::Memory(Box::new(near)),
            None,
            ServerHandshake::new(16 << 10),
            self.options[1].clone(),
            Some(ms(3_000)),
            false,
            self.now,
        );
        let mut side = Side::new(peer);
        side.peer.endpoint.of_server = true;
        self.fresh = Some(side);
        self.link = Some([client_far, server_far]);
    }

    /// Moves bytes between both ends, up to the next cut.
    fn carry(&mut self) {
        let Some(ends) = &mut self.link else { return };
        let mut buffer = [0; 4096];
        for direction in [0, 1] {
            loop {
                let left = match self.plan.cuts.get(self.cuts) {
                    Some((of, bytes)) if *of == direction => bytes.saturating_sub(self.moved[direction]),
                    _ => usize::MAX,
                };
                let most = left.min(buffer.len());
                let count = if most == 0 { 0 } else { ends[direction].read(&mut buffer[..most]).unwrap_or(0) };
                assert_eq!(ends[1 - direction].write(&buffer[..count]).unwrap_or(count), count);
                self.moved[direction] += count;
                if left <= count {
                    self.cuts += 1;
                    self.link = None;
                    return;
                }
                if count == 0 {
                    break;
                }
            }
        }
        // The end of one side is that of the other.
        let is_over = |side: &Option<Side>| side.as_ref().is_none_or(|side| side.peer.state() == State::Closed);
        if self.client.peer.state() == State::Closed || (is_over(&self.owner) && is_over(&self.fresh)) {
            self.link = None;
        }
    }

    /// What the server does about a new link.
    fn greet(&mut self) {
        let (services, at) = (&self.services, [self.start, self.now]);
        let Some(fresh) = &mut self.fresh else { return };
        fresh.poll(services, at);
        if fresh.peer.request().is_some() {
            let channel = OfferedChannel { heartbeat: false, session: true, node: "node".into() };
            let deflate = self.plan.deflate.then_some(DEFLATE);
            let accept = Accept { channel: Some(channel), deflate, ..Accept::default() };
            let answer = accept.answer(fresh.peer.request().unwrap());
            fresh.act(services, at, |peer, cx| {
                peer.decide(cx, answer);
                peer.pump(cx);
            });
        }
        let Some(claim) = fresh.peer.claim().cloned() else {
            if fresh.peer.state() == State::Closed {
                self.fresh = None;
            }
            return;
        };
        let again = self.owner.as_mut().and_then(|owner| match &claim {
            Claim::New(new) => owner.peer.accept_again(new, at[0]),
            Claim::Resume(resume) => owner.peer.accept_resume(resume, at[0]),
        });
        match (again, claim) {
            (Some(again), _) => {
                let link = fresh.peer.take_link().unwrap();
                self.fresh = None;
                self.owner.as_mut().unwrap().act(services, at, |peer, cx| peer.resume(cx, link, again));
            }
            (None, Claim::New(new)) if self.owner.is_none() => {
                fresh.act(services, at, |peer, cx| peer.grant(cx, &new, self.plan.terms[1]));
                self.owner = self.fresh.take();
            }
            (None, _) => fresh.act(services, at, |peer, cx| peer.refuse_claim(cx)),
        }
    }

    fn frame(&mut self) {
        self.now += FRAME;
        let at = self.at();
        self.client.poll(&self.services, at);
        let (retry, services) = (&mut self.retry, &self.services);
        self.client.act(services, at, |peer, cx| {
            let is_open = peer.state() == State::Open;
            retry.settle(peer, cx, is_open, || 1 << 63);
        });
        if self.client.peer.retries_at().is_some_and(|retry| self.now >= retry) {
            let (near, far) = MemoryEnd::pair(CAPACITY);
            let spec = spec(&self.plan);
            self.client.peer.retry_on(Stream::Memory(Box::new(near)), &spec, Some(ms(10_000)), self.now);
            self.connect_far(far);
            self.client.poll(&self.services, at);
        }
        self.carry();
        self.greet();
        if let Some(owner) = &mut self.owner {
            owner.poll(&self.services, at);
        }
        self.carry();
        self.take(0);
        self.take(1);
    }

    fn side(&mut self, end: usize) -> Option<&mut Side> {
        if end == 0 { Some(&mut self.client) } else { self.owner.as_mut() }
    }

    /// Takes what an end has received, and compares it.
    fn take(&mut self, end: usize) {
        let plan = self.plan.clone();
        let mut seen = std::mem::take(&mut self.seen[end]);
        while let Some(side) = self.side(end)
            && let Some(item) = side.peer.take_item()
        {
            assert_eq!(seen.end, None, "an item behind the last event");
            match item {
                Item::Message(message) => {
                    assert_eq!(seen.opened, 1, "a message before OPEN");
                    assert_eq!(seen.losses, seen.resumes, "a message between LOST and RESUMED");
                    let got = (message.kind == MessageType::Text, message.parts(&side.arena).1.to_vec());
                    assert!(
                        got == plan.message(1 - end, seen.received),
                        "message {} of end {}",
                        seen.received,
                        1 - end
                    );
                    seen.received += 1;
                }
                Item::Mark(mark) => match mark.kind {
                    EventKind::Open | EventKind::Connected => seen.opened += 1,
                    EventKind::Lost => {
                        seen.losses += 1;
                        assert_eq!(mark.unsent, 0);
                    }
                    EventKind::Resumed => seen.resumes += 1,
                    EventKind::Closed | EventKind::Disconnected => {
                        seen.end = Some((mark.cause, mark.clean, mark.unsent));
                    }
                    EventKind::Error | EventKind::Writable | EventKind::CloseRequest => {}
                    other => panic!("{other:?} at end {end}"),
                },
            }
        }
        self.seen[end] = seen;
    }

    /// Puts the next messages of an end.
    fn put(&mut self, end: usize, most: usize) {
        let (plan, at) = (self.plan.clone(), self.at());
        for _ in 0..most {
            let number = self.seen[end].accepted;
            if number == plan.messages[end] || self.seen[end].opened == 0 {
                return;
            }
            let side = if end == 0 { Some(&mut self.client) } else { self.owner.as_mut() };
            let Some(side) = side else { return };
            let (text, payload) = plan.message(end, number);
            match side.act(&self.services, at, |peer, cx| peer.put(cx, text, &payload)) {
                Sent::Taken => self.seen[end].accepted += 1,
                Sent::Full | Sent::NotOpen => return,
                other => panic!("{other:?}"),
            }
        }
    }

    fn is_over(&self) -> bool {
        self.seen.iter().all(|seen| seen.end.is_some()) || (self.seen[0].end.is_some() && self.owner.is_none())
    }

    /// Runs until both ends have closed.
    fn run(mut self) -> World {
        let mut random = Random(self.plan.seed | 1);
        for frame in 0.. {
            assert!(frame < 3_000, "it does not end: {:?}, client {:?}", self.seen, self.client.peer.state());
            for end in [0, 1] {
                let most = random.below(4) as usize;
                self.put(end, most);
            }
            self.frame();
            if self.is_over() {
                break;
            }
            let is_done = |end: usize| {
                self.seen[end].accepted == self.plan.messages[end]
                    && self.seen[1 - end].received == self.seen[end].accepted
            };
            let closes = self.plan.closes_after.is_some_and(|after| frame >= after) || (is_done(0) && is_done(1));
            if closes && self.seen[0].opened > 0 && !std::mem::replace(&mut self.closing, true) {
                let at = self.at();
                self.client.act(&self.services, at, |peer, cx| peer.close(cx, 0, "bye"));
            }
        }
        self.check();
        self
    }

    /// Nothing was lost that `unsent` does not tell.
    fn check(&self) {
        for end in [0, 1] {
            let (own, other) = (&self.seen[end], &self.seen[1 - end]);
            let unsent = own.end.map_or(0, |(_, _, unsent)| unsent as usize);
            assert!(other.received <= own.accepted, "{:?}", self.seen);
            assert!(own.accepted <= other.received + unsent, "end {end}, {:?}, cuts {:?}", self.seen, self.plan.cuts);
            assert!(own.resumes <= own.losses && own.losses <= own.resumes + 1, "{:?}", self.seen);
        }
    }
}

/// A run without cuts: bytes in both directions before the close began, and in all.
fn recorded(plan: &Plan) -> [usize; 2] {
    let world = World::new(plan.clone()).run();
    assert_eq!(world.seen.each_ref().map(|seen| (seen.losses, seen.resumes)), [(0, 0); 2]);
    for (end, seen) in world.seen.iter().enumerate() {
        assert_eq!(
            (seen.accepted, seen.end.map(|end| (end.1, end.2))),
            (plan.messages[end], Some((true, 0))),
            "{seen:?}"
        );
        assert_eq!(world.seen[1 - end].received, seen.accepted);
    }
    world.moved
}

/// Cuts a session at every byte of both directions.
fn cut_everywhere(plan: &Plan) -> usize {
    let bytes = recorded(plan);
    let mut resumed = 0;
    for direction in [0, 1] {
        for at in 0..=bytes[direction] {
            let world = World::new(plan.cut(&[(direction, at)])).run();
            resumed += usize::from(world.seen[0].resumes > 0);
            // Until the close nothing is lost.
            let is_closing = world.seen[0].end.is_some_and(|(cause, clean, _)| !clean && cause != Cause::ClosedByHost);
            if !is_closing && plan.closes_after.is_none() {
                for end in [0, 1] {
                    assert_eq!(
                        world.seen[1 - end].received,
                        plan.messages[end],
                        "cut {direction} {at}: {:?}",
                        world.seen
                    );
                }
            }
        }
    }
    resumed
}

#[test]
fn a_session_survives_a_cut_at_every_byte() {
    let plan = Plan::new(7, [40, 40], 60);
    assert!(cut_everywhere(&plan) > 1_000);
}

#[test]
fn a_session_with_deflate_survives_a_cut_at_every_byte() {
    let plan = Plan { deflate: true, ..Plan::new(8, [30, 30], 300) };
    assert!(cut_everywhere(&plan) > 300);
}

#[test]
fn a_close_in_the_middle_survives_a_cut_at_every_byte() {
    let plan = Plan { closes_after: Some(6), ..Plan::new(9, [60, 60], 40) };
    let bytes = World::new(plan.clone()).run().moved;
    for direction in [0, 1] {
        for at in 0..=bytes[direction] {
            World::new(plan.cut(&[(direction, at)])).run();
        }
    }
}

#[test]
fn a_short_session_survives_every_pair_of_cuts() {
    let plan = Plan::new(10, [2, 2], 8);
    let bytes = recorded(&plan);
    // The handshakes before it are those of every connection.
    let from = bytes.map(|count| count.saturating_sub(200));
    let places = |direction: usize| (from[direction]..=bytes[direction]).map(move |at| (direction, at));
    let step = std::env::var("WSPEER_CUT_STEP").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let mut count = 0;
    for first in places(0).chain(places(1)) {
        for later in (1..256).step_by(step) {
            for direction in [0, 1] {
                // Counted over all links: behind the first cut come the next handshake and the resume.
                let second = (direction, bytes[direction].min(first.1) + later + 150);
                World::new(plan.cut(&[first, second])).run();
                count += 1;
            }
        }
    }
    println!("figure: {count} pairs of cuts");
    assert!(count > 10_000, "{count}");
}

#[test]
fn random_sessions_survive_many_cuts() {
    let mut random = Random(42);
    for seed in 0..300 {
        let mut plan = Plan::new(seed * 77 + 5, [random.below(80) as usize, random.below(80) as usize], 2_000);
        plan.deflate = random.below(2) == 0;
        plan.terms = [0, 1].map(|_| Terms { bytes: 1_000 + random.below(20_000) as u32, ..TERMS });
        if random.below(3) == 0 {
            plan.closes_after = Some(random.below(40) as usize);
        }
        let mut at = [0; 2];
        for _ in 0..random.below(8) {
            let direction = random.below(2) as usize;
            at[direction] += random.below(3_000) as usize;
            plan.cuts.push((direction, at[direction]));
        }
        World::new(plan).run();
    }
}
