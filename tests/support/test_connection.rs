//! One end of a connection over an in-memory transport, polled like a host does, with a fake clock. The test is the
//! remote peer and exchanges bytes.
#![allow(dead_code)] // Each test program uses a part.

pub use crate::clock::Ticking;
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tungstenite::handshake::derive_accept_key;
use wspeer::codes::*;
use wspeer::internals::connection::Connection;
use wspeer::internals::endpoint::{Item, Message, Options};
use wspeer::internals::net::{MemoryEnd, Services, Stream};
use wspeer::internals::protocol::{Accept, AskedChannel, OfferedChannel, RequestSpec, ServerHandshake};
use wspeer::internals::status::{Cause, EventKind, MessageType, Phase, State};
use wspeer::internals::work::{Arena, Budget, Clock, Codecs, Cx, LONG_GAP, Payload};

pub const REQUEST: &[u8] = b"GET /game?x=1 HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

pub fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Default options of one role, with changes.
pub fn options(server: bool, changes: &[(i32, u32)]) -> Arc<Options> {
    let mut options = Options::defaults(server);
    for (option, value) in changes {
        options.set(*option, *value).unwrap();
    }
    Arc::new(options)
}

/// An item taken from the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Took {
    Text(String),
    Binary(Vec<u8>),
    /// OPEN, CLOSE_REQUEST with its code, WRITABLE and others.
    Event(EventKind, i32),
    /// CLOSED: phase, cause, code, clean, unsent.
    Closed(Phase, Cause, i32, bool, u32),
}
pub use Took::*;

/// The connection, what polling it needs, and the remote end of its transport.
pub struct End {
    pub peer: Connection,
    pub far: MemoryEnd,
    capacity: usize,
    pub now: Instant,
    pub start: Instant,
    last_poll: Option<Instant>,
    services: Services,
    arena: Arena,
    codecs: Codecs,
}

/// What a session keeps of a message: these connections have none.
pub fn no_session() -> Payload {
    panic!("there is no session")
}

impl End {
    fn over(capacity: usize, make: impl FnOnce(Stream, Instant) -> Connection) -> End {
        let (near, far) = MemoryEnd::pair(capacity);
        let now = Instant::now();
        let services = Services::new(Arc::new(|| {}));
        End {
            peer: make(Stream::Memory(Box::new(near)), now),
            far,
            capacity,
            now,
            start: now,
            last_poll: None,
            services,
            arena: Arena::new(128 << 10),
            codecs: Codecs::default(),
        }
    }

    /// A server's end that waits for its request.
    pub fn server(changes: &[(i32, u32)]) -> End {
        End::server_over(256 << 10, false, changes)
    }

    pub fn server_over(capacity: usize, queue_before_open: bool, changes: &[(i32, u32)]) -> End {
        let channel = OfferedChannel { heartbeat: true, session: false, node: "node".into() };
        let accept = Accept { channel: Some(channel), ..Accept::default() };
        End::accepting(accept, capacity, queue_before_open, options(true, changes))
    }

    /// A server's end with these terms, which waits for its request.
    pub fn accepting(accept: Accept, capacity: usize, queue_before_open: bool, options: Arc<Options>) -> End {
        let timeout = options.time(WS_OPT_HANDSHAKE_TIMEOUT_MS);
        let accept = Some(Arc::new(accept));
        End::over(capacity, |stream, now| {
            Connection::answer_on(
                stream,
                accept,
                ServerHandshake::new(16 << 10),
                options,
                timeout,
                queue_before_open,
                now,
            )
        })
    }

    /// A server's end that waits for requests, plain ones with bodies of up to `max_body_bytes` too, and leaves the
    /// answers to the test.
    pub fn asking(capacity: usize, max_body_bytes: usize, changes: &[(i32, u32)]) -> End {
        let options = options(true, changes);
        let timeout = options.time(WS_OPT_HANDSHAKE_TIMEOUT_MS);
        let handshake = ServerHandshake::new(16 << 10).with_plain(max_body_bytes);
        End::over(capacity, |stream, now| Connection::answer_on(stream, None, handshake, options, timeout, false, now))
    }

    /// A client's end that has sent its request.
    pub fn client(timeout: Option<Duration>, changes: &[(i32, u32)]) -> End {
        End::client_asking(false, timeout, changes)
    }

    /// Like `client`, and `heartbeat` requests the application heartbeat.
    pub fn client_asking(heartbeat: bool, timeout: Option<Duration>, changes: &[(i32, u32)]) -> End {
        End::requesting(256 << 10, heartbeat, timeout, changes)
    }

    pub fn requesting(capacity: usize, heartbeat: bool, timeout: Option<Duration>, changes: &[(i32, u32)]) -> End {
        let spec = RequestSpec {
            host: "h".to_owned(),
            target: "/".to_owned(),
            headers: Vec::new(),
            subprotocols: Vec::new(),
            deflate: None,
            max_header_bytes: 16 << 10,
            channel: heartbeat.then_some(AskedChannel { heartbeat: true, node: None }),
        };
        End::over(capacity, |stream, now| {
            Connection::request_on(stream, &spec, options(false, changes), timeout, false, now)
        })
    }

    /// A server's end after its opening handshake.
    pub fn open_server(changes: &[(i32, u32)]) -> End {
        End::open_server_over(256 << 10, changes)
    }

    pub fn open_server_over(capacity: usize, changes: &[(i32, u32)]) -> End {
        let mut end = End::server_over(capacity, false, changes);
        end.feed(REQUEST);
        end.poll();
        assert_eq!(end.peer.state(), State::Open);
        assert!(end.output().starts_with(b"HTTP/1.1 101 "));
        assert_eq!(end.items(), [Event(EventKind::Open, 0)]);
        end
    }

    /// A client's end after its opening handshake.
    pub fn open_client(changes: &[(i32, u32)]) -> End {
        End::client(None, changes).opened()
    }

    /// A client's end after its opening handshake, over a transport that holds `capacity` bytes in each direction.
    pub fn open_client_over(capacity: usize, changes: &[(i32, u32)]) -> End {
        End::requesting(capacity, false, None, changes).opened()
    }

    /// Completes a client's opening handshake.
    pub fn opened(self) -> End {
        let mut end = self;
        end.accept();
        end.poll();
        assert_eq!(end.peer.state(), State::Open);
        assert_eq!(end.items(), [Event(EventKind::Open, 0)]);
        end
    }

    /// Answers a client's request.
    pub fn accept(&mut self) {
        self.poll();
        let request = String::from_utf8(self.output()).unwrap();
        let key = request.split("Sec-WebSocket-Key: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let accept = derive_accept_key(key.as_bytes());
        self.feed(
            format!(
                "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            )
            .as_bytes(),
        );
    }

    /// Polls like `ws_poll`, without a budget. Returns the next deadline.
    pub fn poll(&mut self) -> Option<Instant> {
        let clock = Ticking { now: Cell::new(self.now), step: Duration::ZERO, asked: Cell::new(0) };
        self.poll_within(&clock, None).1
    }

    /// Polls with a budget. Returns whether work is left, and the next deadline.
    pub fn poll_within(&mut self, clock: &dyn Clock, budget: Option<u32>) -> (bool, Option<Instant>) {
        let gap = self.last_poll.map_or(Duration::ZERO, |last| self.now - last);
        self.last_poll = Some(self.now);
        let mut cx = Cx {
            services: &self.services,
            arena: &mut self.arena,
            codecs: &mut self.codecs,
            now: self.now,
            epoch: self.start,
            budget: Budget::new(clock, self.now, budget),
            corked: false,
            corked_bytes: 0,
            latest: None,
        };
        self.peer.leave_arena(cx.arena);
        cx.arena.renew();
        if gap > LONG_GAP {
            self.peer.shift(gap);
        }
        let more = self.peer.pump(&mut cx) || self.peer.has_backlog();
        (more, self.peer.check_timers(&mut cx, !more))
    }

    /// Calls a function of the connection with a context.
    pub fn act<R>(&mut self, act: impl FnOnce(&mut Connection, &mut Cx<'_>) -> R) -> R {
        let clock = Ticking { now: Cell::new(self.now), step: Duration::ZERO, asked: Cell::new(0) };
        self.act_within(&clock, None, act)
    }

    /// Like `act`, with a budget.
    pub fn act_within<R>(
        &mut self,
        clock: &dyn Clock,
        budget: Option<u32>,
        act: impl FnOnce(&mut Connection, &mut Cx<'_>) -> R,
    ) -> R {
        let mut cx = Cx {
            services: &self.services,
            arena: &mut self.arena,
            codecs: &mut self.codecs,
            now: self.now,
            epoch: self.start,
            budget: Budget::new(clock, self.now, budget),
            corked: false,
            corked_bytes: 0,
            latest: None,
        };
        act(&mut self.peer, &mut cx)
    }

    /// The bytes of a message.
    pub fn bytes(&self, message: &Message) -> Vec<u8> {
        message.parts(&self.arena).1.to_vec()
    }

    /// Lets time pass in frames of 100 ms, each with a poll.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now = end.min(self.now + ms(100));
            self.poll();
        }
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// Polls in frames of 10 ms until the connection is CLOSED, for at most `most`. Returns the time it took.
    pub fn closed_after(&mut self, most: Duration) -> Duration {
        let began = self.now;
        while self.peer.state() != State::Closed {
            assert!(self.now - began < most, "it did not end within {most:?}");
            self.now += ms(10);
            self.poll();
        }
        self.now - began
    }

    /// The remote peer sends bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        assert_eq!(self.far.write(bytes).unwrap(), bytes.len());
    }

    /// Number of bytes that the transport takes from the connection now.
    pub fn far_room(&self) -> usize {
        self.capacity - self.far.readable()
    }

    /// The remote peer disconnects: what it sent is readable, and writing fails.
    pub fn hang_up(&mut self) {
        self.far = MemoryEnd::pair(1).0;
    }

    /// Returns what the remote peer has received.
    pub fn output(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(count) = self.far.read(&mut buffer)
            && count > 0
        {
            all.extend_from_slice(&buffer[..count]);
        }
        all
    }

    /// Takes all items.
    pub fn items(&mut self) -> Vec<Took> {
        std::iter::from_fn(|| self.item()).collect()
    }

    /// Takes one item.
    pub fn item(&mut self) -> Option<Took> {
        Some(match self.peer.take_item()? {
            Item::Message(message) => {
                let bytes = message.parts(&self.arena).1.to_vec();
                if message.kind == MessageType::Text { Text(String::from_utf8(bytes).unwrap()) } else { Binary(bytes) }
            }
            Item::Mark(mark) if mark.kind == EventKind::Closed => {
                Closed(mark.phase, mark.cause, mark.code, mark.clean, mark.unsent)
            }
            Item::Mark(mark) => Event(mark.kind, mark.code),
        })
    }
}
