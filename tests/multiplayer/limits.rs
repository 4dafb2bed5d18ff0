//! What one peer of a scene can make the host hold: texts of events, authentication data, calls.

use crate::c_host::{Event, PATIENCE};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;
use wspeer::codes::*;

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: game\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A client that sends raw bytes.
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

    /// Queues a binary message, with masking key 0.
    fn send(&mut self, payload: &[u8]) {
        let len = payload.len();
        self.unsent.push(0x82);
        match len {
            0..126 => self.unsent.push(0x80 | len as u8),
            126..65_536 => self.unsent.extend([&[0xFE], (len as u16).to_be_bytes().as_slice()].concat()),
            _ => self.unsent.extend([&[0xFF], (len as u64).to_be_bytes().as_slice()].concat()),
        }
        self.unsent.extend([0; 4]);
        self.unsent.extend_from_slice(payload);
    }

    /// Writes and reads as much as possible.
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

/// Polls until an event satisfies `fits`, and returns it.
fn event(host: u32, raw: &mut Raw, what: &str, fits: impl Fn(&Event) -> bool) -> Event {
    let end = Instant::now() + PATIENCE;
    loop {
        raw.step();
        crate::c_host::poll(host);
        while let Some(event) = crate::c_host::next(host) {
            if fits(&event) {
                return event;
            }
        }
        assert!(Instant::now() < end, "{what}: no matching event");
    }
}

#[test]
fn error_events_truncate_a_long_path() {
    let (host, port) = crate::c_host::host(|config| config.flags |= WS_SCENE);
    let mut raw = Raw::open(port);
    for path in ["é".repeat(500_000), "x".repeat(256), "x".repeat(257), "🎮".repeat(64), "🎮".repeat(65)] {
        // A call by path: offset of the path, method 0, and an argument count byte of 0.
        raw.send(&[&[0xA0, 6, 0, 0, 0x80, 0], path.as_bytes(), &[0]].concat());
        let error = event(host, &mut raw, "ERROR", |event| event.kind == WS_EVENT_ERROR);
        assert_eq!(error.cause, WS_CAUSE_NO_NODE);
        let error_text = String::from_utf8(error.bytes).unwrap();
        let shown = error_text.split("the node ").nth(1).unwrap().split(", which").next().unwrap();
        assert!(shown.len() <= 256 && error_text.len() < 400, "{} bytes of a path", shown.len());
        assert!(if path.len() <= 256 {
            shown == path
        } else {
            shown.ends_with('…') && path.starts_with(shown.trim_end_matches('…'))
        });
    }
    crate::c_host::free(host);
}

#[test]
fn queued_authentication_data_counts_towards_the_inbound_limits() {
    const LIMIT: u32 = 64 << 10;
    const SENT: usize = 40;
    let (host, port) = crate::c_host::host(|config| {
        config.flags |= WS_SCENE | WS_AUTH;
        config.inbound_bytes = LIMIT;
    });
    let mut raw = Raw::open(port);
    for _ in 0..SENT {
        raw.send(&[&[7, 0], [b'a'; 60_000].as_slice()].concat());
    }
    crate::c_host::until("two queued messages", || {
        raw.step();
        crate::c_host::poll(host);
        crate::c_host::stats(host).queued_packets_in >= 2
    });
    for _ in 0..100 {
        raw.step();
        crate::c_host::poll(host);
    }
    let waits = crate::c_host::stats(host).queued_bytes_in;
    assert!((u64::from(LIMIT)..=4 * u64::from(LIMIT)).contains(&waits), "{waits} bytes wait");
    for count in 0..SENT {
        let data = event(host, &mut raw, "AUTH", |event| {
            assert!(!event.is_end(), "{count} came: {}", event.error_text());
            event.kind == WS_EVENT_AUTH
        });
        assert_eq!(data.bytes.len(), 60_000);
    }
    assert_eq!(crate::c_host::stats(host).queued_bytes_in, 0);
    crate::c_host::free(host);
}

/// A call of method 0 of the node Game by its path. `arguments` starts with their count.
fn call(arguments: &[u8]) -> Vec<u8> {
    let place = (6 + arguments.len()) as u32 | 1 << 31;
    [&[0x20], place.to_le_bytes().as_slice(), &[0], arguments, b"Game\0"].concat()
}

/// An Array of `count` nulls, as the only argument.
fn nulls(count: u32) -> Vec<u8> {
    [&[1, 28, 0, 0, 0], count.to_le_bytes().as_slice(), vec![0; 4 * count as usize].as_slice()].concat()
}

fn declare(handle: u32) {
    // SAFETY: both texts live.
    assert_eq!(
        unsafe { wspeer::ffi::ws_declare_node(handle, c"Game".as_ptr(), c"hello".as_ptr()) },
        WS_OK,
        "{}",
        crate::c_host::last_error()
    );
}

#[test]
fn calls_are_limited_in_items_and_bytes() {
    // The Array itself counts as an item.
    for (count, items, bytes, why) in [
        (65_535, 0, 0, None),
        (65_536, 0, 0, Some("max_call_items")),
        (99, 100, 0, None),
        (100, 100, 0, Some("max_call_items")),
        (100, 0, 1_000, None),
        (300, 0, 1_000, Some("max_call_bytes")),
        (262_144, WS_OFF, 0, Some("max_call_bytes")),
        (262_144, WS_OFF, WS_OFF, None),
    ] {
        for passed_on in [false, true] {
            let (host, port) = crate::c_host::host(|config| {
                config.flags |= WS_SCENE;
                (config.max_call_items, config.max_call_bytes) = (items, bytes);
            });
            declare(host);
            let mut raw = Raw::open(port);
            let mut packet = call(&nulls(count));
            if passed_on {
                // A relay to all, which includes the host.
                packet.splice(..0, [7, 3, 0, 0, 0, 0]);
            }
            raw.send(&packet);
            let came =
                event(host, &mut raw, "a call or an end", |event| event.kind == WS_EVENT_MESSAGE || event.is_end());
            match why {
                None => assert_eq!(came.kind, WS_EVENT_MESSAGE, "{count}, {items}, {bytes}: {}", came.error_text()),
                Some(why) => {
                    let (code, cause) = (1002, WS_CAUSE_MULTIPLAYER);
                    assert_eq!(
                        (came.kind, came.code, came.cause),
                        (WS_EVENT_DISCONNECTED, code, cause),
                        "{count}, {items}, {bytes}"
                    );
                    assert!(came.error_text().contains(why), "{}", came.error_text());
                }
            }
            crate::c_host::free(host);
        }
    }
}

#[test]
fn stats_include_the_memory_kept_for_a_peer() {
    let (host, port) = crate::c_host::host(|config| config.flags |= WS_SCENE);
    declare(host);
    let before = crate::c_host::stats(host).kept_bytes;
    let mut raw = Raw::open(port);
    // A hundred thousand node ids for the path of the declared node.
    for number in 0..100_000_u32 {
        let path = [&[1], [b'0'; 32].as_slice(), &[0], &number.to_le_bytes(), b"Game\0"].concat();
        raw.send(&path);
    }
    event(host, &mut raw, "ERROR", |event| event.kind == WS_EVENT_ERROR && event.cause == WS_CAUSE_CHECKSUM);
    crate::c_host::until("all were read", || {
        raw.step();
        crate::c_host::poll(host);
        crate::c_host::stats(host).messages_in == 100_000
    });
    crate::c_host::until("all were handled", || {
        raw.step();
        crate::c_host::poll(host);
        crate::c_host::stats(host).queued_packets_in == 0
    });
    // The receive buffer is freed once it has not been needed for a while.
    crate::c_host::until("only the numbers of the declared node are kept", || {
        crate::c_host::poll(host);
        (before + 1..before + 8_192).contains(&crate::c_host::stats(host).kept_bytes)
    });
    // Half of a message of 2 MiB.
    raw.unsent.extend([&[0x82, 0xFF], (2_u64 << 20).to_be_bytes().as_slice(), &[0; 4]].concat());
    raw.unsent.extend(vec![0; 1 << 20]);
    crate::c_host::until("half of the message arrives", || {
        raw.step();
        crate::c_host::poll(host);
        crate::c_host::stats(host).kept_bytes >= 1 << 20
    });
    drop(raw);
    crate::c_host::until("the client is gone", || {
        crate::c_host::poll(host);
        while crate::c_host::next(host).is_some() {}
        crate::c_host::stats(host).kept_bytes <= before
    });
    crate::c_host::free(host);
}

/// A host whose clients' outbound queues hold one message: the id always fits, and the announcements wait for room.
#[test]
fn the_smallest_outbound_queue_holds_the_first_messages() {
    for format in [0, WS_GODOT3, WS_SCENE] {
        for (packets, bytes) in [(1, 0), (0, 1), (0, 20), (1, 1)] {
            let what = format!("format {format}, outbound_packets {packets}, outbound_bytes {bytes}");
            let (host, port) = crate::c_host::host(|config| {
                config.flags |= format;
                (config.outbound_packets, config.outbound_bytes) = (packets, bytes);
            });
            let joins: Vec<u32> =
                (0..4).map(|_| crate::c_host::join(port, None, |config| config.flags |= format)).collect();
            let mut heard = vec![Vec::new(); joins.len()];
            let others = if format == 0 { 1 } else { joins.len() };
            crate::c_host::until(&what, || {
                crate::c_host::poll(host);
                for (join, heard) in joins.iter().zip(&mut heard) {
                    crate::c_host::poll(*join);
                    while let Some(event) = crate::c_host::next(*join) {
                        assert!(matches!(event.kind, WS_EVENT_OPEN | WS_EVENT_CONNECTED), "{what}: {event:?}");
                        heard.push((event.kind, event.peer_id));
                    }
                }
                heard.iter().all(|heard| heard.len() > others)
            });
            for heard in heard {
                assert_eq!((heard[0].0, heard[1]), (WS_EVENT_OPEN, (WS_EVENT_CONNECTED, 1)), "{what}");
            }
            joins.into_iter().for_each(crate::c_host::free);
            crate::c_host::free(host);
        }
    }
}
