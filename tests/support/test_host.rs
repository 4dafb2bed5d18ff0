//! A multiplayer host in memory, polled with a fake clock. The test plays each client and exchanges messages as bytes.
#![allow(dead_code)] // Each test program uses a part.

use crate::test_server::{REQUEST, TestServer, frame};
use std::cell::Cell;
use std::time::Duration;
use wspeer::internals::endpoint::Item;
use wspeer::internals::error::Error;
use wspeer::internals::link::Sent;
use wspeer::internals::multiplayer::{Host, SceneSettings, Target, Wire};
use wspeer::internals::net::MemoryEnd;
use wspeer::internals::server::Server;
use wspeer::internals::status::{Cause, EventKind, MessageType};
use wspeer::internals::work::{Clock, Cx};

/// Bytes that the transport of a client holds in each direction, unless a test says otherwise.
const CAPACITY: usize = 8 << 20;

/// One client, played by the test.
pub struct Guest {
    far: Option<MemoryEnd>,
    /// Its key in the server.
    pub key: u32,
    /// The id that the host assigned; 0 before it is received.
    pub id: i32,
    /// Received bytes that do not make up a frame yet.
    unread: Vec<u8>,
    /// Status code of the close frame that it received.
    pub closed: Option<u16>,
}

/// An item that the host's program took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Took {
    /// Id of the client through whose connection it came; 0: it is about the host itself.
    pub of: i32,
    pub kind: EventKind,
    pub cause: Cause,
    pub code: i32,
    pub count: u64,
    /// Payload or text.
    pub bytes: Vec<u8>,
    pub is_call: bool,
}

impl Took {
    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }
}

/// A binary message of this client, as the program takes it.
pub fn message(of: i32, bytes: &[u8]) -> Took {
    Took { bytes: bytes.to_vec(), ..event(of, EventKind::Message) }
}

pub fn event(of: i32, kind: EventKind) -> Took {
    Took { of, kind, cause: Cause::None, code: 0, count: 0, bytes: Vec::new(), is_call: false }
}

/// The host and its clients.
pub struct TestHost {
    pub at: TestServer,
    pub host: Host,
    pub guests: Vec<Guest>,
}

impl TestHost {
    pub fn new(wire: Wire, scene: SceneSettings, changes: &[(i32, u32)]) -> TestHost {
        let mut at = TestServer::new(changes);
        let host = Host::new(wire, scene, &mut at.server);
        TestHost { at, host, guests: Vec::new() }
    }

    /// Polls without a budget. Returns whether work is left.
    pub fn poll(&mut self) -> bool {
        let clock = self.at.clock(Duration::ZERO);
        self.poll_within(&clock, None)
    }

    /// Polls with a budget. Returns whether work is left.
    pub fn poll_within(&mut self, clock: &dyn Clock, budget: Option<u32>) -> bool {
        let host = &mut self.host;
        self.at.poll_by(clock, budget, |server, cx, given, gap| host.poll(server, cx, given, gap))
    }

    /// Polls with a budget of which each reading of the clock uses up all.
    pub fn poll_briefly(&mut self) -> bool {
        let clock = self.at.clock(Duration::from_millis(1));
        self.poll_within(&clock, Some(1))
    }

    /// Calls a function of the host.
    pub fn act<R>(&mut self, act: impl FnOnce(&mut Host, &mut Server, &mut Cx<'_>) -> R) -> R {
        let host = &mut self.host;
        self.at.act(|server, cx| act(host, server, cx))
    }

    /// The host's program sends a binary message.
    pub fn put(&mut self, target: Target, payload: &[u8]) -> Result<Sent, Error> {
        self.act(|host, server, cx| host.put(server, cx, target, false, payload))
    }

    /// A client whose opening handshake is complete, and that has received its id. Returns its index.
    pub fn open(&mut self) -> usize {
        self.open_over(CAPACITY)
    }

    /// As `open`, over a transport of this many bytes in each direction.
    pub fn open_over(&mut self, capacity: usize) -> usize {
        let at = self.connect_over(capacity);
        self.poll();
        // A response that its transport cannot hold is read in parts.
        for _ in 0..100 {
            if !self.is_greeted(at) {
                self.poll();
            }
        }
        self.greeted(at);
        at
    }

    /// A client that has sent its request.
    pub fn connect_over(&mut self, capacity: usize) -> usize {
        let (near, mut far) = MemoryEnd::pair(capacity);
        self.at.act(|server, cx| server.accept_local(cx, near));
        assert_eq!(far.write(REQUEST).unwrap(), REQUEST.len());
        self.guests.push(Guest { far: Some(far), key: u32::MAX, id: 0, unread: Vec::new(), closed: None });
        self.guests.len() - 1
    }

    /// Takes the response to the request and the message with the id from what a client has received.
    pub fn greeted(&mut self, at: usize) {
        let guest = &mut self.guests[at];
        guest.read();
        let end = guest.unread.windows(4).position(|end| end == b"\r\n\r\n").expect("a response") + 4;
        assert!(guest.unread.starts_with(b"HTTP/1.1 101 "));
        guest.unread.drain(..end);
        let first = guest.next().expect("the message with the id");
        let id = first.last_chunk().expect("an id of 4 bytes");
        assert!(first.len() == 4 || first[..9] == [3, 1, 0, 0, 0, 0, 0, 0, 0], "{first:?}");
        guest.id = i32::from_le_bytes(*id);
        let id = guest.id;
        let keys: Vec<u32> = self.at.server.keys().collect();
        let is_its = |key: &u32| self.at.server.peer(*key).is_some_and(|peer| peer.endpoint.label == id);
        self.guests[at].key = keys.into_iter().find(is_its).expect("a client with the id");
    }

    /// Whether a client has received the response to its request and a whole message.
    pub fn is_greeted(&mut self, at: usize) -> bool {
        let guest = &mut self.guests[at];
        guest.read();
        let end = guest.unread.windows(4).position(|end| end == b"\r\n\r\n").map(|end| end + 4);
        end.is_some_and(|end| {
            guest.unread[end..].get(1).is_some_and(|len| guest.unread.len() >= end + 2 + *len as usize)
        })
    }

    pub fn id(&self, at: usize) -> i32 {
        self.guests[at].id
    }

    /// A client sends a binary message.
    pub fn send(&mut self, at: usize, payload: &[u8]) {
        self.send_frame(at, &frame(0x82, payload));
    }

    /// A client sends bytes. All must fit into its transport.
    pub fn send_frame(&mut self, at: usize, bytes: &[u8]) {
        let far = self.guests[at].far.as_mut().expect("it has not gone");
        assert_eq!(far.write(bytes).unwrap(), bytes.len());
    }

    /// A client disconnects without a closing handshake.
    pub fn drop_guest(&mut self, at: usize) {
        self.guests[at].far = None;
    }

    /// The messages that a client has received since the last call.
    pub fn heard(&mut self, at: usize) -> Vec<Vec<u8>> {
        let guest = &mut self.guests[at];
        guest.read();
        std::iter::from_fn(|| guest.next()).collect()
    }

    /// Bytes that wait in a client's transport.
    pub fn unread(&self, at: usize) -> usize {
        self.guests[at].far.as_ref().map_or(0, MemoryEnd::readable)
    }

    /// All items for the program.
    pub fn items(&mut self) -> Vec<Took> {
        std::iter::from_fn(|| self.item()).collect()
    }

    /// The next item for the program.
    pub fn item(&mut self) -> Option<Took> {
        let (key, item) = self.at.server.take_item()?;
        let of = key.and_then(|key| self.at.server.peer(key)).map_or(0, |peer| peer.endpoint.label);
        Some(match item {
            Item::Message(taken) => {
                assert!(taken.kind != MessageType::Text && taken.from == 0);
                let is_call = taken.kind == MessageType::Call;
                Took { is_call, ..message(of, &self.at.bytes(&taken)) }
            }
            Item::Mark(mark) => {
                let text = mark.text.as_ref().map_or(&b"\0"[..], |text| text);
                Took {
                    cause: mark.cause,
                    code: mark.code,
                    count: mark.count,
                    bytes: text.strip_suffix(b"\0").unwrap().to_vec(),
                    ..event(of, mark.kind)
                }
            }
        })
    }
}

impl Guest {
    fn read(&mut self) {
        let mut buffer = [0; 4_096];
        while let Some(far) = &mut self.far
            && let Ok(count) = far.read(&mut buffer)
            && count > 0
        {
            self.unread.extend_from_slice(&buffer[..count]);
        }
    }

    /// Takes the next message; notes a close frame.
    fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            let [first, len, rest @ ..] = self.unread.as_slice() else { return None };
            let (len, head) = match *len {
                126 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 4),
                127 => (u64::from_be_bytes(*rest.first_chunk()?), 10),
                len => (u64::from(len), 2),
            };
            let end = head + len as usize;
            let payload = self.unread.get(head..end)?.to_vec();
            let opcode = first & 0x0F;
            self.unread.drain(..end);
            match opcode {
                2 => return Some(payload),
                8 => self.closed = Some(payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code))),
                opcode => panic!("a frame with opcode {opcode}"),
            }
        }
    }
}

/// A clock that stands still.
pub fn still(at: &TestServer) -> impl Clock {
    crate::clock::Ticking { now: Cell::new(at.now), step: Duration::ZERO, asked: Cell::new(0) }
}
