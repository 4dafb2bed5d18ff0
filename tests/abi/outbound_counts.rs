//! The number of queued messages and bytes (stats, WRITABLE, `unsent`), checked against a model and against what the
//! remote peer receives.

use crate::c_host::*;
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::ffi::*;

/// Which end sends, and the transport and options.
#[derive(Clone, Copy, Debug)]
struct Way {
    tls: bool,
    server_sends: bool,
    coalesce: bool,
    deflate: bool,
}

/// All combinations.
fn ways() -> impl Iterator<Item = Way> {
    (0..16).map(|bits| Way {
        tls: bits & 1 > 0,
        server_sends: bits & 2 > 0,
        coalesce: bits & 4 > 0,
        deflate: bits & 8 > 0,
    })
}

/// A connection between two ends of this library: one sends, the other reads when it is polled.
struct Line {
    way: Way,
    /// The handle that messages are put to, and the handle whose poll sends them.
    sender: u32,
    sender_polled: u32,
    receiver: u32,
    receiver_polled: u32,
    /// Position in the stream, counted from the first message, at which each accepted message ends.
    ends: Vec<u64>,
    /// Stream position up to which bytes had been sent at the last check.
    left: u64,
    /// Length of the longest message refused since the last WRITABLE.
    refused: Option<usize>,
    limit: ws_config,
    received: usize,
    /// The end event of each side.
    sender_end: Option<Event>,
    receiver_end: Option<Event>,
}

impl Line {
    fn open(way: Way, certificate: &Certificate, edit: impl Fn(&mut ws_config)) -> Line {
        let certificate = way.tls.then_some(certificate);
        let mut limit = None;
        let mut edit = |config: &mut ws_config| {
            config.poll_budget_us = WS_OFF;
            config.heartbeat_ms = WS_OFF;
            config.close_timeout_ms = 300;
            (config.outbound_packets, config.outbound_bytes) = (4_096, 4 << 20);
            config.flags |= if way.coalesce { WS_COALESCE } else { 0 } | if way.deflate { WS_DEFLATE } else { 0 };
            edit(config);
            limit = Some(*config);
        };
        let (server, port) = listen(certificate, &mut edit);
        let client = connect(port, certificate, &mut edit);
        let (mut conn, mut open) = (0, false);
        until("open", || {
            poll(client);
            poll(server);
            open |= next(client).is_some_and(|event| event.kind == WS_EVENT_OPEN);
            conn = next(server).map_or(conn, |event| event.conn);
            open && conn != 0
        });
        let (sender, receiver) =
            if way.server_sends { ((conn, server), (client, client)) } else { ((client, client), (conn, server)) };
        let line = Line {
            way,
            sender: sender.0,
            sender_polled: sender.1,
            receiver: receiver.0,
            receiver_polled: receiver.1,
            ends: Vec::new(),
            left: 0,
            refused: None,
            limit: limit.unwrap(),
            received: 0,
            sender_end: None,
            receiver_end: None,
        };
        until("the response is sent", || {
            poll(line.sender_polled);
            stats(line.sender).queued_bytes_out == 0
        });
        line
    }

    /// Length of the frame of an uncompressed message.
    fn frame_len(&self, len: usize) -> usize {
        let head = match len {
            0..=125 => 2,
            126..=65_535 => 4,
            _ => 10,
        };
        head + if self.way.server_sends { 0 } else { 4 } + len
    }

    fn waiting(&self) -> (u64, u64) {
        let stats = stats(self.sender);
        (stats.queued_packets_out, stats.queued_bytes_out)
    }

    fn has_room(&self, (packets, bytes): (u64, u64), len: usize) -> bool {
        bytes == 0
            || (packets < u64::from(self.limit.outbound_packets)
                && bytes + len as u64 <= u64::from(self.limit.outbound_bytes))
    }

    /// Puts a message. Returns whether it was accepted.
    fn put(&mut self, payload: &[u8]) -> bool {
        let expected = self.has_room(self.waiting(), payload.len());
        let result = put(self.sender, payload);
        assert_eq!(result, if expected { WS_OK } else { WS_ERR_FULL }, "{:?}: {}", self.way, last_error());
        if expected {
            self.ends.push(self.ends.last().unwrap_or(&0) + self.frame_len(payload.len()) as u64);
        } else {
            self.refused = self.refused.max(Some(payload.len()));
        }
        self.look();
        expected
    }

    fn poll(&mut self) {
        poll(self.sender_polled);
        self.look();
    }

    fn flush(&mut self) {
        flush(self.sender_polled);
        self.look();
    }

    /// Compares the counts with the model, after each call that may have written.
    fn look(&mut self) {
        while let Some(event) = next(self.sender) {
            match event.kind {
                WS_EVENT_WRITABLE => {
                    assert!(self.refused.take().is_some(), "{:?}: WRITABLE without a refused put", self.way)
                }
                _ if event.is_end() => {
                    self.sender_end = Some(event);
                    return;
                }
                kind => panic!("{kind}"),
            }
        }
        let (packets, bytes) = self.waiting();
        assert_eq!(packets == 0, bytes == 0, "{:?}: {packets} messages with {bytes} bytes wait", self.way);
        if !self.way.deflate {
            let end = *self.ends.last().unwrap_or(&0);
            let left = end.checked_sub(bytes).unwrap_or_else(|| panic!("{:?}: {bytes} bytes of {end} wait", self.way));
            assert!(left >= self.left, "{:?}: sent bytes are queued again", self.way);
            self.left = left;
            let wait = self.ends.iter().filter(|end| **end > left).count();
            assert_eq!(
                packets,
                wait as u64,
                "{:?}: of {} messages, {left} bytes of {end} left",
                self.way,
                self.ends.len()
            );
        }
        if let Some(refused) = self.refused {
            let low = packets <= u64::from(self.limit.outbound_packets / 2)
                && bytes <= u64::from(self.limit.outbound_bytes / 2);
            assert!(
                !(low && self.has_room((packets, bytes), refused)),
                "{:?}: no WRITABLE with {packets} messages, {bytes} bytes",
                self.way
            );
        }
    }

    /// Polls the receiver once and takes its events.
    fn read(&mut self) {
        poll(self.receiver_polled);
        while let Some(event) = next(self.receiver) {
            self.received += usize::from(event.kind == WS_EVENT_MESSAGE);
            if event.is_end() {
                self.receiver_end = Some(event);
                return;
            }
        }
    }

    /// Checks that the receiver gets exactly the messages reported as sent, while the sender does nothing.
    fn compare_with_receiver(&mut self) {
        let sent = self.ends.len() - self.waiting().0 as usize;
        until("all sent messages arrive", || {
            self.read();
            self.received >= sent
        });
        for _ in 0..3 {
            // SAFETY: the handle lives.
            unsafe { ws_wait(&self.receiver_polled, 1, 2) };
            self.read();
        }
        assert_eq!(self.received, sent, "{:?}: more arrived than is reported as sent", self.way);
    }

    /// Puts messages until some stay queued, because the receiver does not read.
    fn fill(&mut self, payload: &[u8], waiting: u64) {
        until("full", || {
            self.put(payload);
            self.flush();
            self.waiting().0 >= waiting || self.refused.is_some()
        });
    }

    fn free(self) {
        for handle in [self.sender, self.receiver, self.sender_polled, self.receiver_polled] {
            free(handle);
        }
    }
}

/// A pseudo-random generator.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Bytes that hardly compress.
fn noise(dice: &mut Dice, len: usize) -> Vec<u8> {
    (0..len).map(|_| dice.roll(256) as u8).collect()
}

#[test]
fn outbound_counts_are_exact_after_every_call() {
    let certificate = Certificate::new();
    for (index, way) in ways().enumerate() {
        for (packets, bytes) in [(WS_OFF, 4 << 20), (7, 300_000), (WS_OFF, 20_000)] {
            if way.deflate && packets != 7 {
                continue;
            }
            let mut dice = Dice(index as u64 * 4 + u64::from(packets));
            let payload = noise(&mut dice, 300_000);
            let mut line = Line::open(way, &certificate, |config| {
                (config.outbound_packets, config.outbound_bytes) = (packets, bytes)
            });
            line.fill(&payload[..30_000], 1);
            for _ in 0..150 {
                match dice.roll(20) {
                    0 | 1 => line.poll(),
                    2 | 3 => line.flush(),
                    4 => line.read(),
                    5 if dice.roll(6) == 0 => line.compare_with_receiver(),
                    _ => {
                        let most = [1, 130, 2_000, 20_000, 70_000, 300_000][dice.roll(6) as usize];
                        let len = dice.roll(most) as usize;
                        line.put(&payload[..len]);
                    }
                }
            }
            line.compare_with_receiver();
            // The queue empties once the receiver reads, and a refused put is followed by WRITABLE.
            until("all is sent", || {
                line.read();
                line.poll();
                line.waiting() == (0, 0) && line.refused.is_none()
            });
            line.compare_with_receiver();
            assert_eq!(line.received, line.ends.len());
            close(line.sender, 1000);
            until("the end", || {
                line.poll();
                line.read();
                line.sender_end.is_some() && line.receiver_end.is_some()
            });
            let end = line.sender_end.as_ref().unwrap();
            assert!(end.clean && end.unsent == 0, "{way:?}: {end:?}");
            line.free();
        }
    }
}

#[test]
fn a_queue_of_one_message_becomes_writable_again() {
    let certificate = Certificate::new();
    for way in ways().filter(|way| !way.deflate) {
        let mut line = Line::open(way, &certificate, |config| config.outbound_packets = 1);
        let payload = noise(&mut Dice(1), 30_000);
        line.fill(&payload, u64::MAX);
        until("WRITABLE", || {
            line.read();
            line.poll();
            line.refused.is_none()
        });
        assert!(line.put(&payload));
        line.free();
    }
}

#[test]
fn idle_connections_keep_counting_queued_messages() {
    let certificate = Certificate::new();
    // Longer than the time after which a connection counts as idle: one second at a server, five at a client.
    let mut lines: Vec<Line> = ways()
        .filter(|way| !way.deflate)
        .flat_map(|way| [way; 2])
        .map(|way| Line::open(way, &certificate, |_| {}))
        .collect();
    let small = noise(&mut Dice(2), 1_000);
    let large = noise(&mut Dice(3), 30_000);
    // The system buffers grow for a while although nobody reads.
    let mut changed = Instant::now();
    until("nothing more is sent", || {
        for line in &mut lines {
            let before = line.waiting();
            line.poll();
            if line.waiting().0 == 0 {
                line.fill(&large, 1);
            }
            if line.waiting() != before {
                changed = Instant::now();
            }
        }
        changed.elapsed() > Duration::from_millis(400)
    });
    // Of the two lines of each kind, one queues messages that fit into the TLS buffer, the other one more than that.
    for (index, line) in lines.iter_mut().enumerate() {
        if index % 2 == 1 {
            line.fill(&large, 12);
        }
        for _ in 0..11 {
            line.put(&small);
        }
    }
    let end = Instant::now() + Duration::from_millis(5_600);
    while Instant::now() < end {
        for line in &mut lines {
            line.poll();
        }
        std::thread::yield_now();
    }
    for (index, line) in lines.iter_mut().enumerate() {
        assert!(line.waiting().0 > 11 || index % 2 == 0, "{:?}", line.way);
        line.compare_with_receiver();
    }
    for mut line in lines {
        until("all is sent", || {
            line.read();
            line.poll();
            line.waiting() == (0, 0)
        });
        line.compare_with_receiver();
        line.free();
    }
}

#[test]
fn the_unsent_count_is_the_number_of_lost_messages() {
    let certificate = Certificate::new();
    for way in ways().filter(|way| !way.deflate) {
        // Ended by a close frame that the receiver does not read, and by dropping the connection.
        for code in [1000, -1] {
            for later in [0, 11] {
                let mut line = Line::open(way, &certificate, |_| {});
                let (small, large) = (noise(&mut Dice(4), 1_000), noise(&mut Dice(5), 30_000));
                line.fill(&large, 1);
                for _ in 0..later {
                    line.put(&small);
                }
                close(line.sender, code);
                until("the end", || {
                    poll(line.sender_polled);
                    next(line.sender).is_some_and(|event| {
                        line.sender_end = Some(event).filter(Event::is_end);
                        line.sender_end.is_some()
                    })
                });
                let unsent = line.sender_end.as_ref().unwrap().unsent as usize;
                assert!(unsent > later || code == 1000, "{way:?}: {unsent} of {later} and more");
                until("the receiver's end", || {
                    line.read();
                    line.receiver_end.is_some()
                });
                assert_eq!(line.received + unsent, line.ends.len(), "{way:?}, closed with {code}: arrived and unsent");
                line.free();
            }
        }
    }
}
