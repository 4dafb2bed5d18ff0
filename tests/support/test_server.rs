//! A server on a real port, polled like a host does, with a fake clock. Its clients are plain sockets of the test.
#![allow(dead_code)] // Each test program uses a part.

pub use crate::clock::Ticking;
use mio::net::TcpListener;
use std::cell::{Cell, RefCell};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wspeer::internals::endpoint::{Item, Message, Options};
use wspeer::internals::net::{MemoryEnd, Services, TlsServer, listen};
use wspeer::internals::protocol::{Accept, Allowed};
use wspeer::internals::server::{Handles, Server, ServerSettings};
use wspeer::internals::status::EventKind;
use wspeer::internals::work::{Arena, Budget, Clock, Codecs, Cx, LONG_GAP};

pub const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
/// Every wait of a test is limited to this.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A frame with masking key 0.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let len = payload.len();
    let mut bytes = vec![first];
    match len {
        0..126 => bytes.push(0x80 | len as u8),
        126..65_536 => bytes.extend([&[0xFE], (len as u16).to_be_bytes().as_slice()].concat()),
        _ => bytes.extend([&[0xFF], (len as u64).to_be_bytes().as_slice()].concat()),
    }
    bytes.extend([0; 4]);
    bytes.extend_from_slice(payload);
    bytes
}

/// Assigns handles and counts them, or refuses to while `none_left` is set.
#[derive(Default)]
pub struct Given {
    pub count: Cell<u32>,
    pub none_left: Cell<bool>,
    pub retired: RefCell<Vec<u32>>,
}

impl Handles for Given {
    fn give(&self, _key: u32) -> Option<u32> {
        self.count.set(self.count.get() + 1);
        (!self.none_left.get()).then(|| self.count.get())
    }

    fn retire(&self, handle: u32) {
        self.retired.borrow_mut().push(handle);
    }
}

/// The server, and what polling it needs.
pub struct TestServer {
    pub server: Server,
    pub given: Given,
    pub now: Instant,
    pub start: Instant,
    services: Services,
    arena: Arena,
    codecs: Codecs,
    last_poll: Option<Instant>,
}

impl TestServer {
    /// Numbers of connected, pending, accepted and refused clients.
    pub fn counts(&self) -> [u64; 4] {
        let counts = self.server.totals().2;
        [counts.connected, counts.pending, counts.accepted, counts.refused.total]
    }

    pub fn new(changes: &[(i32, u32)]) -> TestServer {
        TestServer::at(&[SocketAddr::from(([127, 0, 0, 1], 0))], changes)
    }

    pub fn at(addresses: &[SocketAddr], changes: &[(i32, u32)]) -> TestServer {
        TestServer::accepting(Accept::default(), addresses, changes)
    }

    /// A server with these terms.
    pub fn accepting(accept: Accept, addresses: &[SocketAddr], changes: &[(i32, u32)]) -> TestServer {
        let listeners = addresses.iter().map(|address| listen(*address, true, false).unwrap()).collect();
        TestServer::on(listeners, None, accept, changes)
    }

    /// A server with TLS, whose certificate no client knows.
    pub fn with_tls(changes: &[(i32, u32)]) -> TestServer {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let tls = TlsServer::new(&made.cert.pem(), &made.signing_key.serialize_pem()).unwrap();
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)), true, false).unwrap();
        TestServer::on(vec![listener], Some(Arc::new(tls)), Accept::default(), changes)
    }

    /// A server on these sockets.
    pub fn on(
        listeners: Vec<TcpListener>,
        tls: Option<Arc<TlsServer>>,
        accept: Accept,
        changes: &[(i32, u32)],
    ) -> TestServer {
        let mut options = Options::defaults(true);
        for (option, value) in changes {
            options.set(*option, *value).unwrap();
        }
        let settings = ServerSettings {
            allowed: Allowed::default(),
            url_start: "ws://127.0.0.1".to_owned(),
            url_path: String::new(),
            tls,
            proxies: None,
            ipv6_prefix_bits: 64,
            accept: Arc::new(accept),
            max_header_bytes: 16 << 10,
            options: Arc::new(options),
        };
        let mut server = Server::new(listeners, settings).unwrap();
        server.endpoint.handle = 1 << 30;
        let now = Instant::now();
        TestServer {
            server,
            given: Given::default(),
            now,
            start: now,
            services: Services::new(Arc::new(|| {})),
            arena: Arena::new(256 << 10),
            codecs: Codecs::default(),
            last_poll: None,
        }
    }

    /// Polls without a budget.
    pub fn poll(&mut self) {
        let clock = self.clock(Duration::ZERO);
        self.poll_within(&clock, None);
    }

    /// Polls with a budget. Returns whether work is left.
    pub fn poll_within(&mut self, clock: &dyn Clock, budget: Option<u32>) -> bool {
        self.poll_by(clock, budget, |server, cx, given, gap| server.poll(cx, given, gap))
    }

    /// Polls with a budget through the layer above the server.
    pub fn poll_by<R>(
        &mut self,
        clock: &dyn Clock,
        budget: Option<u32>,
        poll: impl FnOnce(&mut Server, &mut Cx<'_>, &Given, Duration) -> R,
    ) -> R {
        let gap = self.last_poll.map_or(Duration::ZERO, |last| self.now - last);
        self.last_poll = Some(self.now);
        let gap = if gap > LONG_GAP { gap } else { Duration::ZERO };
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
        poll(&mut self.server, &mut cx, &self.given, gap)
    }

    /// The payload of a message that was taken since the last poll.
    pub fn bytes(&self, message: &Message) -> Vec<u8> {
        message.parts(&self.arena).1.to_vec()
    }

    pub fn clock(&self, step: Duration) -> Ticking {
        Ticking { now: Cell::new(self.now), step, asked: Cell::new(0) }
    }

    /// Calls a function of the server with a context.
    pub fn act<R>(&mut self, act: impl FnOnce(&mut Server, &mut Cx<'_>) -> R) -> R {
        let clock = self.clock(Duration::ZERO);
        self.act_within(&clock, None, act)
    }

    /// Like `act`, with a budget.
    pub fn act_within<R>(
        &mut self,
        clock: &dyn Clock,
        budget: Option<u32>,
        act: impl FnOnce(&mut Server, &mut Cx<'_>) -> R,
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
        act(&mut self.server, &mut cx)
    }

    /// Polls until `so` returns true; the fake clock stands still.
    pub fn poll_until(&mut self, what: &str, mut so: impl FnMut(&mut TestServer) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !so(self) {
            assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
            self.poll();
            std::thread::yield_now();
        }
    }

    /// Opens a connection without sending anything.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.server.address()).unwrap();
        stream.set_nonblocking(true).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// A client after its opening handshake, and its slot.
    pub fn open(&mut self) -> (TcpStream, u32) {
        self.open_with(REQUEST)
    }

    /// As `open`, with another request.
    pub fn open_with(&mut self, request: &[u8]) -> (TcpStream, u32) {
        let before: Vec<u32> = self.server.keys().collect();
        let mut stream = self.connect();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        self.poll_until("the answer to the request", |_| {
            read(&mut stream, &mut answer);
            answer.ends_with(b"\r\n\r\n")
        });
        assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
        let key = self.server.keys().find(|key| !before.contains(key)).unwrap();
        (stream, key)
    }

    /// A client in this process after its opening handshake, and its slot. Each direction holds 64 KiB.
    pub fn join(&mut self) -> (MemoryEnd, u32) {
        let before: Vec<u32> = self.server.keys().collect();
        let (near, mut far) = MemoryEnd::pair(64 << 10);
        self.act(|server, cx| server.accept_local(cx, near));
        far.write(REQUEST).unwrap();
        self.poll();
        assert!(received(&mut far).starts_with(b"HTTP/1.1 101 "));
        (far, self.server.keys().find(|key| !before.contains(key)).unwrap())
    }

    /// Takes the next message of any client: the client's handle, and the payload.
    pub fn message(&mut self) -> Option<(u32, Vec<u8>)> {
        let TestServer { server, arena, .. } = self;
        server.take_message(|message, origin, _| (origin.conn, message.parts(arena).1.to_vec()))
    }

    /// Takes all items: the client's slot (none for the server's own items), and the kind of event.
    pub fn items(&mut self) -> Vec<(Option<u32>, EventKind)> {
        std::iter::from_fn(|| self.server.take_item())
            .map(|(key, item)| match item {
                Item::Message(_) => (key, EventKind::Message),
                Item::Mark(mark) => (key, mark.kind),
            })
            .collect()
    }
}

/// Reads what is available. Returns false at the end of the stream.
pub fn read(stream: &mut TcpStream, into: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 65_536];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(count) => into.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Err(_) => return false,
        }
    }
}

/// What a client in this process has received.
pub fn received(end: &mut MemoryEnd) -> Vec<u8> {
    let (mut all, mut buffer) = (Vec::new(), [0; 4_096]);
    while let Ok(count) = end.read(&mut buffer)
        && count > 0
    {
        all.extend_from_slice(&buffer[..count]);
    }
    all
}
