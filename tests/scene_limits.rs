//! What one peer of a scene can make the host keep: texts of events, authentication data, calls.

mod host;

use host::{Event, PATIENCE};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;
use wspeer::codes::*;

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: game\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A client that writes its own bytes.
struct Raw {
    stream: TcpStream,
    unsent: Vec<u8>,
}

impl Raw {
    fn open(port: u16) -> Raw {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nonblocking(true).unwrap();
        Raw { stream, unsent: REQUEST.as_bytes().to_vec() }
    }

    /// A binary message, masked with zeros.
    fn send(&mut self, payload: &[u8]) {
        let head = [&[0x82, 0xFF], (payload.len() as u64).to_be_bytes().as_slice(), &[0; 4]].concat();
        self.unsent.extend_from_slice(&head);
        self.unsent.extend_from_slice(payload);
    }

    /// Writes and reads what goes.
    fn step(&mut self) {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return,
            }
        }
        let mut space = [0; 65_536];
        while matches!(self.stream.read(&mut space), Ok(count) if count > 0) {}
    }
}

/// Polls until an event fits, and returns it.
fn event(host: u32, raw: &mut Raw, what: &str, fits: impl Fn(&Event) -> bool) -> Event {
    let end = Instant::now() + PATIENCE;
    loop {
        raw.step();
        host::poll(host);
        while let Some(event) = host::next(host) {
            if fits(&event) {
                return event;
            }
        }
        assert!(Instant::now() < end, "{what}: no such event");
    }
}

#[test]
fn the_text_of_an_error_shows_the_start_of_a_path() {
    let (host, port) = host::host(|config| config.flags |= WS_SCENE);
    let mut raw = Raw::open(port);
    for path in ["é".repeat(1_000_000), "x".repeat(256), "x".repeat(257), "🎮".repeat(64), "🎮".repeat(65)] {
        // A call by path: its place, the method, one argument fewer than none.
        raw.send(&[&[0xA0, 6, 0, 0, 0x80, 0], path.as_bytes(), &[0]].concat());
        let error = event(host, &mut raw, "ERROR", |event| event.kind == WS_EVENT_ERROR);
        assert_eq!(error.cause, WS_CAUSE_NO_NODE);
        let sentence = String::from_utf8(error.bytes).unwrap();
        let shown = sentence.split("the node ").nth(1).unwrap().split(", which").next().unwrap();
        assert!(shown.len() <= 256 && sentence.len() < 400, "{} bytes of a path", shown.len());
        assert!(if path.len() <= 256 { shown == path } else { shown.ends_with('…') && path.starts_with(shown.trim_end_matches('…')) });
    }
    host::free(host);
}
