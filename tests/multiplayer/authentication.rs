//! Authentication on a host and on a join in memory, compared with a model of its rules. The clock is a fake one.

use crate::test_host::{TestHost, Took, event, message};
use crate::test_join::{Opening, TestJoin, opening};
use crate::test_server::frame;
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::internals::link::Sent;
use wspeer::internals::multiplayer::{SceneSettings, Target, Wire};
use wspeer::internals::status::{Cause, ErrorCode, EventKind, State};

const COMPLETE: [u8; 2] = [7, 0];

fn auth(data: &[u8]) -> Vec<u8> {
    [&COMPLETE[..], data].concat()
}

fn raw(data: &[u8]) -> Vec<u8> {
    [&[3], data].concat()
}

/// What a packet of a client does once the client is admitted: what the program takes, and what the others hear.
struct Packet {
    bytes: Vec<u8>,
    reports: Option<(EventKind, Cause, Vec<u8>)>,
    relays: Option<Vec<u8>>,
}

fn packet_of(id: i32, random: &mut impl FnMut(u32) -> u32, number: u8) -> Packet {
    let data = [b'd', number];
    let message = Some((EventKind::Message, Cause::None, data.to_vec()));
    match random(3) {
        0 => Packet { bytes: raw(&data), reports: message, relays: None },
        1 => Packet {
            bytes: [&[7, 3, 0, 0, 0, 0, 3][..], &data].concat(),
            reports: message,
            relays: Some([&[7, 3][..], &id.to_le_bytes(), &[3], &data].concat()),
        },
        _ => Packet {
            bytes: [&[7, 3, 0xFF, 0xFF, 0xFF, 0xFF, 3][..], &data].concat(),
            reports: None,
            relays: Some([&[7, 3][..], &id.to_le_bytes(), &[3], &data].concat()),
        },
    }
}

/// One client of a host, as the rules have it.
struct Model {
    at: usize,
    id: i32,
    admitted: bool,
    local: bool,
    remote: bool,
    waiting: Vec<Packet>,
    /// In milliseconds from the start.
    deadline: u64,
    gone: bool,
}

struct Game {
    host: TestHost,
    witness: usize,
    relay: bool,
    /// What the program takes, the witness hears and the client hears.
    events: Vec<Took>,
    overheard: Vec<Vec<u8>>,
    heard: Vec<Vec<u8>>,
}

const TIMEOUT: u64 = 1_000;

impl Game {
    fn new(relay: bool) -> Game {
        let changes = [(WS_OPT_AUTH_TIMEOUT_MS, TIMEOUT as u32), (WS_OPT_CLOSE_TIMEOUT_MS, 300)];
        let mut host =
            TestHost::new(Wire::Scene, SceneSettings { auth: true, relay, raw_replication: false }, &changes);
        // The witness, and one more.
        for at in [0, 1] {
            assert_eq!(host.open(), at);
            let id = host.id(at);
            assert_eq!(host.items(), [event(id, EventKind::Authenticating)]);
            host.send(at, &COMPLETE);
            host.poll();
            assert_eq!(host.act(|host, server, cx| host.complete_auth(server, cx, id)).ok(), Some(Sent::Taken));
            assert_eq!(host.items(), [event(id, EventKind::Connected)]);
            host.poll();
            assert_eq!(host.heard(at)[0], COMPLETE);
        }
        let witness = 0;
        host.heard(witness);
        Game { host, witness, relay, events: Vec::new(), overheard: Vec::new(), heard: Vec::new() }
    }

    fn milliseconds(&self) -> u64 {
        (self.host.at.now - self.host.at.start).as_millis() as u64
    }

    fn open(&mut self) -> Model {
        let at = self.host.open();
        let id = self.host.id(at);
        self.events.push(event(id, EventKind::Authenticating));
        let deadline = self.milliseconds() + TIMEOUT;
        let model =
            Model { at, id, admitted: false, local: false, remote: false, waiting: Vec::new(), deadline, gone: false };
        self.check(&model, "opened");
        model
    }

    fn admit(&mut self, model: &mut Model) {
        model.admitted = true;
        self.events.push(event(model.id, EventKind::Connected));
        if self.relay {
            let about = |id: i32| [&[7, 1][..], &id.to_le_bytes()].concat();
            self.overheard.push(about(model.id));
            self.heard.extend([0, 1].map(|at| about(self.host.id(at))));
        }
        for packet in std::mem::take(&mut model.waiting) {
            self.take(model, packet);
        }
    }

    fn take(&mut self, model: &mut Model, packet: Packet) {
        if !model.admitted {
            model.waiting.push(packet);
            if model.local {
                self.admit(model);
            }
            return;
        }
        if !self.relay && packet.relays.is_some() {
            return self.refuse(model.id, Cause::Unsupported, "wants to be passed on, and WS_NO_RELAY is set here");
        }
        self.overheard.extend(packet.relays);
        if let Some((kind, cause, bytes)) = packet.reports {
            self.events.push(Took { cause, bytes, ..event(model.id, kind) });
        }
    }

    /// An ERROR about a client: repetitions are counted in the first one.
    fn refuse(&mut self, id: i32, cause: Cause, why: &str) {
        let is_same = |event: &&mut Took| event.kind == EventKind::Error && event.of == id && event.cause == cause;
        if let Some(before) = self.events.iter_mut().find(is_same) {
            before.count += 1;
            return;
        }
        let bytes = format!("peer {id} {why}").into();
        self.events.push(Took { cause, count: 1, bytes, ..event(id, EventKind::Error) });
    }

    /// The client sends authentication data, or its completion.
    fn authenticate(&mut self, model: &mut Model, data: &[u8]) {
        self.host.send(model.at, &auth(data));
        if !model.admitted && model.local {
            self.admit(model);
        }
        match (model.admitted, data) {
            (false, []) => model.remote = true,
            (false, _) => self.events.push(Took { bytes: data.to_vec(), ..event(model.id, EventKind::Auth) }),
            (true, []) => {}
            (true, _) => self.refuse(model.id, Cause::Unsupported, "sent authentication data after the end of it"),
        }
    }

    /// The program completes the authentication.
    fn complete(&mut self, model: &mut Model) {
        let id = model.id;
        let result = self.host.act(|host, server, cx| host.complete_auth(server, cx, id));
        let expected = match (model.admitted || model.gone, model.local) {
            (true, _) => Err(ErrorCode::Target),
            (false, true) => Err(ErrorCode::State),
            (false, false) => Ok(Sent::Taken),
        };
        assert_eq!(result.map_err(|error| error.code()), expected);
        if expected.is_ok() {
            self.heard.push(COMPLETE.to_vec());
            model.local = true;
            if model.remote || !model.waiting.is_empty() {
                self.admit(model);
            }
        }
    }

    /// The program sends authentication data.
    fn ask(&mut self, model: &Model) {
        let id = model.id;
        let result = self.host.act(|host, server, cx| host.send_auth(server, cx, id, b"who?"));
        let expected = match (model.admitted || model.gone, model.local || model.remote) {
            (true, _) => Err(ErrorCode::Target),
            (false, true) => Err(ErrorCode::State),
            (false, false) => Ok(Sent::Taken),
        };
        assert_eq!(result.map_err(|error| error.code()), expected);
        if expected.is_ok() {
            self.heard.push(auth(b"who?"));
        }
    }

    /// The program sends to the client, and to everyone.
    fn put(&mut self, model: &Model) {
        let expected = match (model.gone, model.admitted) {
            (true, _) => Err(ErrorCode::Target),
            (_, false) => Err(ErrorCode::State),
            (_, true) => Ok(Sent::Taken),
        };
        let id = model.id;
        assert_eq!(self.host.put(Target::One(id), b"one").map_err(|error| error.code()), expected);
        if !model.gone {
            let key = self.host.guests[model.at].key;
            let result = self.host.act(|host, server, cx| host.put_one(server, cx, key, false, b"key"));
            assert_eq!(result.map_err(|error| error.code()), expected);
        }
        assert_eq!(self.host.put(Target::All, b"all").ok(), Some(Sent::Taken));
        if model.admitted && !model.gone {
            self.heard.extend([raw(b"one"), raw(b"key"), raw(b"all")]);
        }
        self.overheard.push(raw(b"all"));
    }

    /// Time passes, in one poll. A gap of more than a second moves the deadline.
    fn pass(&mut self, model: &mut Model, ms: u64) {
        self.host.at.now += Duration::from_millis(ms);
        if ms > 1_000 {
            model.deadline += ms;
        }
        if !model.admitted && !model.gone && self.milliseconds() >= model.deadline {
            model.gone = true;
            self.check(model, "too late");
            assert_eq!(self.host.guests[model.at].closed, Some(1008));
            self.host.send(model.at, &COMPLETE);
            self.host.send(model.at, &raw(b"late"));
            self.host.send_frame(model.at, &frame(0x88, &1008_u16.to_be_bytes()));
            let why = format!("peer {} was not authenticated within WS_OPT_AUTH_TIMEOUT_MS", model.id);
            let end = event(model.id, EventKind::Disconnected);
            self.events.push(Took { cause: Cause::AuthTimeout, code: 1008, bytes: why.into(), ..end });
        }
    }

    fn leave(&mut self, model: &mut Model) {
        self.host.drop_guest(model.at);
        self.events.push(event(model.id, EventKind::Disconnected));
        if model.admitted && self.relay {
            self.overheard.push([&[7, 2][..], &model.id.to_le_bytes()].concat());
        }
        model.gone = true;
    }

    fn check(&mut self, model: &Model, step: &str) {
        // The end of a transport is noticed in the poll after its last bytes.
        for _ in 0..2 {
            while self.host.poll() {}
        }
        let mut events = self.host.items();
        for event in events.iter_mut().filter(|event| event.kind == EventKind::Disconnected) {
            if event.cause != Cause::AuthTimeout {
                (event.cause, event.code, event.bytes) = (Cause::None, 0, Vec::new());
            }
        }
        assert_eq!(events, std::mem::take(&mut self.events), "{step}: taken by the program");
        let heard = self.host.heard(self.witness);
        assert_eq!(heard, std::mem::take(&mut self.overheard), "{step}: heard by the witness");
        assert_eq!(self.host.heard(model.at), std::mem::take(&mut self.heard), "{step}: heard by the client");
        // Removes a client whose end was taken.
        self.host.poll();
        let timer = self.host.host.next_timer();
        if !model.admitted && !model.gone {
            let deadline = self.host.at.start + Duration::from_millis(model.deadline);
            assert!(timer.is_some_and(|timer| timer <= deadline), "{step}: nothing wakes the host for the deadline");
        }
    }
}

#[test]
fn a_host_admits_a_client_by_the_rules_of_authentication() {
    for (seed, relay) in (1..=150).flat_map(|seed| [true, false].map(|relay| (seed, relay))) {
        let mut random = crate::c_host::random_of(seed);
        let mut game = Game::new(relay);
        let mut model = game.open();
        for step in 0..16 {
            let action = random(9);
            match action {
                0 if random(2) == 0 => game.complete(&mut model),
                1 => game.ask(&model),
                2 => game.put(&model),
                3 => {
                    let ms = [1, 50, 400, 1_000, 1_001, 9_000][random(6) as usize];
                    game.pass(&mut model, ms);
                }
                _ if model.gone => {}
                4 => game.authenticate(&mut model, &[b'a', step]),
                5 if random(2) == 0 => game.authenticate(&mut model, b""),
                6 if random(8) == 0 => game.leave(&mut model),
                _ => {
                    for _ in 0..1 + random(3) {
                        let packet = packet_of(model.id, &mut random, step);
                        game.host.send(model.at, &packet.bytes);
                        game.take(&mut model, packet);
                    }
                }
            }
            game.check(&model, &format!("seed {seed}, relay {relay}, step {step}, action {action}"));
        }
    }
}

/// A join that authenticates its host, as the rules have it.
struct JoinModel {
    join: TestJoin,
    admitted: bool,
    local: bool,
    remote: bool,
    waiting: Vec<Vec<u8>>,
    deadline: Instant,
    gone: bool,
    events: Vec<Took>,
    heard: Vec<Vec<u8>>,
}

impl JoinModel {
    fn new() -> JoinModel {
        let changes = [(WS_OPT_AUTH_TIMEOUT_MS, TIMEOUT as u32)];
        let scene = SceneSettings { auth: true, relay: true, raw_replication: false };
        let mut join = TestJoin::new(Opening { scene, changes: &changes, ..opening(Wire::Scene) });
        // Before the id there is no one to authenticate.
        let early = join.act(|join, peer, cx| [join.send_auth(peer, cx, 1, b"x"), join.complete_auth(peer, cx, 1)]);
        assert!(early.into_iter().all(|result| result.is_err_and(|error| error.code() == ErrorCode::Target)));
        assert_eq!(join.join.next_timer(), None);
        join.tell(&[7, 0, 0, 0]);
        join.poll();
        assert_eq!(join.items(), [event(1, EventKind::Authenticating)]);
        let deadline = join.end.now + Duration::from_millis(TIMEOUT);
        JoinModel {
            join,
            admitted: false,
            local: false,
            remote: false,
            waiting: Vec::new(),
            deadline,
            gone: false,
            events: Vec::new(),
            heard: Vec::new(),
        }
    }

    fn admit(&mut self) {
        self.admitted = true;
        self.events.extend([event(7, EventKind::Open), event(1, EventKind::Connected)]);
        self.events.extend(self.waiting.drain(..).map(|data| message(1, &data)));
    }

    fn tell(&mut self, data: &[u8]) {
        self.join.tell(&raw(data));
        if self.admitted {
            self.events.push(message(1, data));
        } else {
            self.waiting.push(data.to_vec());
            if self.local {
                self.admit();
            }
        }
    }

    fn authenticate(&mut self, data: &[u8]) {
        self.join.tell(&auth(data));
        if !self.admitted && self.local {
            self.admit();
        }
        match (self.admitted, data) {
            (false, []) => self.remote = true,
            (false, _) => self.events.push(Took { bytes: data.to_vec(), ..event(1, EventKind::Auth) }),
            (true, []) => {}
            (true, _) => {
                let bytes = b"peer 1 sent authentication data after the end of it".to_vec();
                let error = Took { cause: Cause::Unsupported, count: 1, bytes, ..event(1, EventKind::Error) };
                self.events.push(error);
            }
        }
    }

    fn complete(&mut self, id: i32) {
        let result = self.join.act(|join, peer, cx| join.complete_auth(peer, cx, id));
        let expected = match (id != 1 || self.admitted, self.local) {
            (true, _) => Err(ErrorCode::Target),
            (false, true) => Err(ErrorCode::State),
            (false, false) if self.gone => Ok(Sent::NotOpen),
            (false, false) => Ok(Sent::Taken),
        };
        assert_eq!(result.map_err(|error| error.code()), expected);
        if expected == Ok(Sent::Taken) {
            self.heard.push(COMPLETE.to_vec());
            self.local = true;
            if self.remote || !self.waiting.is_empty() {
                self.admit();
            }
        }
    }

    fn answer(&mut self, id: i32) {
        let result = self.join.act(|join, peer, cx| join.send_auth(peer, cx, id, b"me"));
        let expected = match (id != 1 || self.admitted, self.local || self.remote) {
            (true, _) => Err(ErrorCode::Target),
            (false, true) => Err(ErrorCode::State),
            (false, false) if self.gone => Ok(Sent::NotOpen),
            (false, false) => Ok(Sent::Taken),
        };
        assert_eq!(result.map_err(|error| error.code()), expected);
        if expected == Ok(Sent::Taken) {
            self.heard.push(auth(b"me"));
        }
    }

    fn put(&mut self) {
        let is_open = self.admitted && !self.gone;
        let call = b"Gone\0a\0\0";
        let called = self.join.act(|join, peer, cx| join.put_call(peer, cx, None, call));
        let expected = if is_open { Err(ErrorCode::Arg) } else { Ok(Sent::NotOpen) };
        assert_eq!(called.map_err(|error| error.code()), expected);
        let sent = self.join.put(Some(Target::One(1)), b"data").ok();
        assert_eq!(sent, Some(if is_open { Sent::Taken } else { Sent::NotOpen }));
        self.heard.extend(is_open.then(|| raw(b"data")));
    }

    fn pass(&mut self, ms: u64) {
        let gap = Duration::from_millis(ms);
        self.join.end.now += gap;
        if ms > 1_000 {
            self.deadline += gap;
        }
        if !self.admitted && !self.gone && self.join.end.now >= self.deadline {
            self.gone = true;
            let end = event(0, EventKind::Closed);
            let bytes = b"the host was not authenticated within WS_OPT_AUTH_TIMEOUT_MS: has it completed, and was ws_complete_auth called?";
            self.events.push(Took { cause: Cause::AuthTimeout, code: 1008, bytes: bytes.to_vec(), ..end });
        }
    }

    /// The host goes. What waits for the authentication is lost.
    fn lose_host(&mut self) {
        self.join.end.hang_up();
        // The end of a transport is noticed in the poll after its last bytes.
        for _ in 0..2 {
            while self.join.poll() {}
        }
        let (mut items, mut expected) = (self.join.items(), std::mem::take(&mut self.events));
        assert_eq!(items.pop().map(|end| end.kind), Some(EventKind::Closed));
        if self.admitted {
            assert_eq!(items, expected);
        } else {
            expected.retain(|event| event.kind == EventKind::Auth);
            items.retain(|event| event.kind != EventKind::Auth);
            assert_eq!(items, []);
        }
        assert_eq!(self.join.state(), State::Closed);
    }

    fn check(&mut self, step: &str) {
        while self.join.poll() {}
        assert_eq!(self.join.items(), std::mem::take(&mut self.events), "{step}");
        assert_eq!(self.join.heard(), std::mem::take(&mut self.heard), "{step}");
        let state = match (self.gone, self.admitted) {
            (true, _) => State::Closed,
            (false, admitted) => {
                if admitted {
                    State::Open
                } else {
                    State::Connecting
                }
            }
        };
        assert_eq!(self.join.state(), state, "{step}");
        if !self.gone {
            let timer = (!self.admitted).then_some(self.deadline);
            assert_eq!(self.join.join.next_timer(), timer, "{step}: when to poll next");
        } else {
            assert_eq!(self.join.closed, Some(1008), "{step}");
        }
    }
}

#[test]
fn a_join_admits_its_host_by_the_rules_of_authentication() {
    for seed in 1..=300 {
        let mut random = crate::c_host::random_of(seed);
        let mut model = JoinModel::new();
        for step in 0..14 {
            let action = random(8);
            match action {
                0 => model.complete(if random(8) == 0 { 8 } else { 1 }),
                1 => model.answer(if random(8) == 0 { 8 } else { 1 }),
                2 => model.put(),
                3 => model.pass([1, 50, 400, 1_000, 1_001, 9_000][random(6) as usize]),
                _ if model.gone => {}
                4 => model.authenticate(&[b'a', step]),
                5 if random(2) == 0 => model.authenticate(b""),
                _ => (0..1 + random(3)).for_each(|_| model.tell(&[b'd', step])),
            }
            model.check(&format!("seed {seed}, step {step}, action {action}"));
        }
        if !model.gone {
            model.tell(b"last");
            model.lose_host();
        }
    }
}

/// Deadlines hold for all clients, however many came and went meanwhile.
#[test]
fn deadlines_hold_while_many_clients_come_and_go() {
    let mut game = Game::new(true);
    let mut stay = Vec::new();
    for number in 0..300 {
        game.host.at.now += Duration::from_millis(2);
        let at = game.host.open();
        if number % 50 == 0 {
            stay.push((at, game.host.at.now + Duration::from_millis(TIMEOUT)));
        } else {
            game.host.drop_guest(at);
        }
        game.host.poll();
        game.host.items();
    }
    for (at, deadline) in stay {
        game.host.at.now = deadline - Duration::from_millis(1);
        game.host.poll();
        game.host.heard(at);
        assert_eq!(game.host.guests[at].closed, None);
        assert_eq!(game.host.host.next_timer().map(|timer| timer <= deadline), Some(true));
        game.host.at.now = deadline;
        game.host.poll();
        game.host.heard(at);
        assert_eq!(game.host.guests[at].closed, Some(1008));
    }
}

/// One message of authentication data has at most 64 KiB, and at most 64 events of a peer may be unread.
#[test]
fn authentication_data_is_limited() {
    const MOST: usize = 64 << 10;
    for (sizes, taken) in [(vec![MOST], true), (vec![MOST + 1], false), (vec![1; 63], true), (vec![1; 64], false)] {
        let what = format!("{} messages, the first of {} bytes", sizes.len(), sizes[0]);
        let mut game = Game::new(true);
        let model = game.open();
        game.host.poll();
        let mut join = JoinModel::new();
        // AUTHENTICATING is unread too.
        let at = game.host.open();
        for size in &sizes {
            game.host.send(at, &auth(&vec![b'x'; *size]));
            join.join.tell(&auth(&vec![b'x'; *size]));
        }
        if sizes.len() > 1 {
            join.join.tell(&auth(b"x"));
        }
        game.host.poll();
        join.join.poll();
        let count = |items: &[Took]| items.iter().filter(|item| item.kind == EventKind::Auth).count();
        let (items, of_join) = (game.host.items(), join.join.items());
        let ends = [items.last().unwrap(), of_join.last().unwrap()];
        for end in ends {
            assert_eq!(end.code, if taken { 0 } else { 1002 }, "{what}: {end:?}");
            assert!(taken || end.text().contains("more authentication data than 64 messages of 65536 bytes"), "{what}");
        }
        if taken {
            assert_eq!(
                (count(&items), count(&of_join)),
                (sizes.len(), sizes.len() + usize::from(sizes.len() > 1)),
                "{what}"
            );
        }
        assert!(!model.gone);
    }
}
