//! permessage-deflate of a connection: messages by every way of sending and in any pieces, budgets and limits.

use crate::test_connection::*;
use parking_lot::Mutex;
use std::cell::Cell;
use std::sync::Arc;
use wspeer::codes::*;
use wspeer::internals::link::{Outgoing, Sent, SharedMessage, Waiting, at_once_bytes, slice_bytes};
use wspeer::internals::protocol::{Accept, Compressor, Decompressor, DeflateParams, DeflateSettings};
use wspeer::internals::protocol::{Lead, MaskKeys, Role, encode_frame};
use wspeer::internals::status::{Cause, Phase, State};
use wspeer::internals::work::Payload;

const KEEPS: DeflateSettings =
    DeflateSettings { server_no_takeover: false, client_no_takeover: false, server_bits: 15, client_bits: 15 };
const DROPS: DeflateSettings = DeflateSettings { server_no_takeover: true, client_no_takeover: true, ..KEEPS };
const SMALL: DeflateSettings = DeflateSettings { server_bits: 9, client_bits: 9, ..DROPS };

/// A server's end that agreed on compression, and the parameters.
fn open(
    settings: DeflateSettings,
    offer: &str,
    level: u8,
    capacity: usize,
    changes: &[(i32, u32)],
) -> (End, DeflateParams) {
    let accept = Accept { deflate: Some(settings), ..Accept::default() };
    let mut options = options(true, changes);
    Arc::make_mut(&mut options).deflate_level = level;
    let mut end = End::accepting(accept, capacity, false, options);
    let request = String::from_utf8(REQUEST.to_vec()).unwrap();
    let offer = format!("Sec-WebSocket-Extensions: permessage-deflate{offer}\r\n\r\n");
    end.feed((request.trim_end().to_owned() + "\r\n" + &offer).as_bytes());
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        end.poll();
        head.extend(end.output());
    }
    assert_eq!(end.items().len(), 1, "OPEN");
    let head = String::from_utf8(head).unwrap();
    let bits = |name: &str| {
        head.split(name).nth(1).map_or(15, |rest| rest.split([';', '\r']).next().unwrap().parse().unwrap())
    };
    let params = DeflateParams {
        server_no_takeover: head.contains("server_no_context_takeover"),
        client_no_takeover: head.contains("client_no_context_takeover"),
        server_bits: bits("server_max_window_bits="),
        client_bits: bits("client_max_window_bits="),
    };
    (end, params)
}

/// A peer's decoder for what a server sends: unmasked frames, compressed messages.
struct Peer {
    decompressor: Decompressor,
    no_takeover: bool,
    bytes: Vec<u8>,
    /// The message that is not complete: whether it is text and compressed, and its payload.
    message: Option<(bool, bool, Vec<u8>)>,
    /// Messages: text, compressed, payload.
    messages: Vec<(bool, bool, Vec<u8>)>,
    /// Payload lengths of the frames of the last message.
    frames: Vec<usize>,
}

impl Peer {
    fn new(params: &DeflateParams) -> Peer {
        let decompressor = Decompressor::new(15);
        let no_takeover = params.server_no_takeover;
        Peer { decompressor, no_takeover, bytes: Vec::new(), message: None, messages: Vec::new(), frames: Vec::new() }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        let mut at = 0;
        while let [first, second, rest @ ..] = &self.bytes[at..] {
            let (head, len) = match (*second, rest) {
                (126, [a, b, ..]) => (4, usize::from(u16::from_be_bytes([*a, *b]))),
                (127, [_, _, _, _, rest @ ..]) if rest.len() >= 4 => {
                    (10, u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize)
                }
                (126.., _) => break,
                (len, _) => (2, usize::from(len)),
            };
            if self.bytes.len() < at + head + len {
                break;
            }
            let (first, start) = (*first, at + head);
            at = start + len;
            if first & 0x0F >= 8 {
                continue;
            }
            let payload = self.bytes[start..at].to_vec();
            self.frame(first, &payload);
        }
        self.bytes.drain(..at);
    }

    fn frame(&mut self, first: u8, payload: &[u8]) {
        let (fin, rsv1, opcode) = (first & 0x80 > 0, first & 0x40 > 0, first & 0x0F);
        let (text, compressed, mut message) = match self.message.take() {
            None => {
                assert!(opcode == 1 || opcode == 2, "opcode {opcode} begins a message");
                self.frames.clear();
                (opcode == 1, rsv1, Vec::new())
            }
            Some(begun) => {
                assert_eq!((opcode, rsv1), (0, false), "a continuation");
                begun
            }
        };
        self.frames.push(payload.len());
        if compressed {
            inflate(&mut self.decompressor, payload, &mut message);
        } else {
            message.extend_from_slice(payload);
        }
        if !fin {
            self.message = Some((text, compressed, message));
            return;
        }
        if compressed {
            self.decompressor.finish().unwrap();
        }
        if self.no_takeover {
            self.decompressor.reset();
        }
        self.messages.push((text, compressed, message));
    }
}

fn inflate(decompressor: &mut Decompressor, mut payload: &[u8], message: &mut Vec<u8>) {
    let mut out = vec![0; 64 << 10];
    loop {
        let (taken, given) = decompressor.decompress(payload, &mut out).unwrap();
        message.extend_from_slice(&out[..given]);
        payload = &payload[taken..];
        if payload.is_empty() && given < out.len() {
            return;
        }
    }
}

/// Marsaglia's xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    /// Text that compresses to a third or so, or not at all.
    fn payload(&mut self, len: usize) -> Vec<u8> {
        let hard = self.below(4) == 0;
        (0..len).map(|_| if hard { self.below(127) as u8 + 1 } else { b"aabcd   e"[self.below(9)] }).collect()
    }
}

fn clock(end: &End, step: u64) -> Ticking {
    Ticking { now: Cell::new(end.now), step: std::time::Duration::from_micros(step), asked: Cell::new(0) }
}

#[test]
fn messages_arrive_in_order_by_every_way_of_sending() {
    let unlimited =
        &[(WS_OPT_OUTBOUND_BYTES, WS_OFF), (WS_OPT_OUTBOUND_PACKETS, WS_OFF), (WS_OPT_DEFLATE_THRESHOLD_BYTES, 32)];
    let mut random = Random(0x5EED_0005);
    for (settings, offer, level) in [
        (KEEPS, "", 1),
        (DROPS, "", 6),
        (SMALL, "; client_max_window_bits", 1),
        (KEEPS, "; server_max_window_bits=8", 1),
        (DROPS, "; server_max_window_bits=8", 1),
    ] {
        for capacity in [3_000, 1 << 20] {
            let (mut end, params) = open(settings, offer, level, capacity, unlimited);
            let can_compress = params.server_bits >= 9;
            let mut peer = Peer::new(&params);
            let mut sent = Vec::new();
            for _ in 0..40 {
                let way = random.below(6);
                let len = match random.below(8) {
                    // `put_later` takes only messages that are compressed.
                    0 => random.below(33) + usize::from(way < 2),
                    1..5 => random.below(1_000),
                    5 => at_once_bytes(level) - 3 + random.below(6),
                    6 => random.below(30_000),
                    _ => random.below(70_000),
                };
                let (text, payload) = (random.below(2) == 0, random.payload(len));
                let chunk = Arc::new(payload.clone());
                let result = match way {
                    0 => end.act(|connection, _| connection.put_later(text, &Payload::whole(chunk))),
                    1 => {
                        let (head, start) = (payload[..len / 2].to_vec(), len / 2);
                        end.act(|connection, _| connection.put_later(text, &Payload::parts(head, chunk, start)))
                    }
                    2 if params.server_no_takeover && can_compress => {
                        let compressor = Compressor::new(params.server_bits, level);
                        let message = SharedMessage::new(text, Payload::whole(chunk), level, u64::MAX, compressor);
                        end.act(|connection, _| {
                            connection.put_shared_message(false, &Arc::new(Mutex::new(message)), len)
                        })
                    }
                    3 => {
                        let mut frame = Vec::new();
                        let opcode = if text { 1 } else { 2 };
                        encode_frame(&mut frame, Role::Server, &mut MaskKeys::new(), Lead::whole(opcode), &payload);
                        let now = random.below(2) == 0;
                        end.act(|connection, _| connection.put_shared(false, &Arc::new(frame), len, now, no_session))
                    }
                    _ => end.act(|connection, cx| connection.put(cx, text, &payload)),
                };
                assert_eq!(result, Sent::Taken);
                sent.push((text, payload));
                for _ in 0..random.below(4) {
                    let clock = clock(&end, 200);
                    end.poll_within(&clock, Some(1_000));
                    if random.below(2) == 0 {
                        peer.take(&end.output());
                    }
                    let missing = sent.len() - peer.messages.len();
                    assert!(end.peer.queued_messages() <= missing);
                    assert_eq!(end.peer.queued_messages() > 0, end.peer.queued_bytes() > 0);
                }
            }
            for polls in 0.. {
                end.poll();
                let output = end.output();
                peer.take(&output);
                if output.is_empty() && end.peer.queued_bytes() == 0 {
                    break;
                }
                assert!(polls < 10_000, "{} bytes wait", end.peer.queued_bytes());
            }
            let got: Vec<(bool, Vec<u8>)> =
                peer.messages.iter().map(|(text, _, payload)| (*text, payload.clone())).collect();
            assert_eq!(got.len(), sent.len());
            assert!(got == sent, "other messages arrived than were sent");
            let compressed = peer.messages.iter().filter(|(_, compressed, _)| *compressed).count();
            assert_eq!(end.peer.endpoint.counters.snapshot().rare.compressed_out, compressed as u64);
            assert!(compressed > 0 || level == 1);
            assert_eq!((end.peer.queued_messages(), end.peer.queued_bytes()), (0, 0));
        }
    }
}

#[test]
fn waiting_messages_count_the_bytes_left_to_encode() {
    let storage = Arc::new(vec![1; 100]);
    let payload = || Payload::parts(vec![2; 10], storage.clone(), 30);
    assert_eq!(
        (payload().len(), payload().is_empty(), Payload::whole(Arc::new(Vec::new())).is_empty()),
        (80, false, true)
    );
    let shared = || {
        let message = SharedMessage::new(false, payload(), 1, u64::MAX, Compressor::new(15, 1));
        assert_eq!((message.len(), message.is_empty()), (80, false));
        Arc::new(Mutex::new(message))
    };
    let empty = SharedMessage::new(false, Payload::whole(Arc::new(Vec::new())), 1, u64::MAX, Compressor::new(15, 1));
    assert!(empty.is_empty());
    let messages = [
        (Outgoing::Early { text: true, payload: vec![3; 7] }, 7),
        (Outgoing::Early { text: true, payload: Vec::new() }, 1),
        (Outgoing::Message { text: true, payload: payload(), at: 30, sent: 5, begun: true }, 50),
        (Outgoing::Plain { text: true, payload: Payload::whole(Arc::new(vec![4; 100])), at: 40 }, 60),
        (Outgoing::Plain { text: true, payload: Payload::whole(Arc::new(vec![4; 3])), at: 3 }, 1),
        (Outgoing::Frame { frame: Arc::new(vec![5; 12]) }, 12),
        (Outgoing::Parts { head: Arc::new(vec![6; 5]), storage: storage.clone(), start: 20 }, 85),
        (Outgoing::Shared { message: shared(), index: 1, at: 30 }, 50),
    ];
    let mut waiting = Waiting::default();
    let (mut bytes, mut lens) = (0, Vec::new());
    for (message, left) in messages {
        assert_eq!(message.left(), left);
        waiting.push(message);
        bytes += left;
        lens.push(left);
        assert_eq!((waiting.len(), waiting.bytes(), waiting.is_empty()), (lens.len(), bytes, false));
    }
    assert_eq!(waiting.shared_contexts().count(), 1);
    assert!(waiting.shared_contexts().all(|(_, heap_bytes)| heap_bytes > 100_000));
    for (index, len) in lens.iter().enumerate() {
        let first = waiting.pop().unwrap();
        assert_eq!((first.left(), waiting.bytes()), (*len, bytes - len));
        waiting.push_front(first);
        assert_eq!((waiting.len(), waiting.bytes()), (lens.len() - index, bytes));
        waiting.pop();
        bytes -= len;
    }
    assert_eq!((waiting.bytes(), waiting.is_empty(), waiting.pop().is_none()), (0, true, true));
}

#[test]
fn a_payload_in_two_parts_is_read_piece_by_piece() {
    let payload = Payload::parts(b"abc".to_vec(), Arc::new(b"..defgh".to_vec()), 2);
    for most in 1..10 {
        let mut read = Vec::new();
        while read.len() < payload.len() {
            let piece = payload.piece(read.len(), most);
            assert!(!piece.is_empty() && piece.len() <= most);
            read.extend_from_slice(piece);
        }
        assert_eq!(read, b"abcdefgh");
    }
}

#[test]
fn slices_are_shorter_at_slow_levels() {
    let expected = [8_192, 8_192, 2_048, 2_048, 2_048, 1_024, 128, 128, 128];
    assert_eq!((1..=9).map(slice_bytes).collect::<Vec<_>>(), expected);
    assert_eq!((1..=9).map(at_once_bytes).collect::<Vec<_>>(), expected.map(|bytes| 8 * bytes));
}

/// Each frame is made once; every connection gets the same ones.
#[test]
fn a_shared_message_is_compressed_once_for_all() {
    let mut random = Random(0x5EED_0006);
    for (text, level, len) in [(true, 1, 100_000), (false, 6, 9_000), (false, 9, 3_000)] {
        let payload = random.payload(len);
        let mut message = SharedMessage::new(
            text,
            Payload::whole(Arc::new(payload.clone())),
            level,
            u64::MAX,
            Compressor::new(15, level),
        );
        assert!(message.heap_bytes() > 0);
        assert!(message.frame(1).is_err(), "a frame is made after those before it");
        let params =
            DeflateParams { server_no_takeover: true, client_no_takeover: true, server_bits: 15, client_bits: 15 };
        let (mut frames, mut last_end, mut calls) = (Vec::new(), 0, 0);
        loop {
            calls += 1;
            let Some((frame, end, last)) = message.frame(frames.len()).unwrap() else { continue };
            assert!(end > last_end && last == (end == len), "{end} of {len}");
            last_end = end;
            frames.push(frame);
            if last {
                break;
            }
        }
        assert_eq!(calls, len.div_ceil(slice_bytes(level)), "a slice for each call");
        assert_eq!(message.heap_bytes(), 0, "the compressor is freed after the last frame");
        let mut peer = Peer::new(&params);
        for (index, frame) in frames.iter().enumerate() {
            assert!(Arc::ptr_eq(frame, &message.frame(index).unwrap().unwrap().0));
            peer.take(frame);
        }
        assert!(peer.messages == [(text, true, payload)], "other bytes than were sent");
    }
}

/// Sends a message of `len` zeros to many with `max_ratio`: compressed by the connection, and once for all. Returns the
/// compressed length of both.
fn compressed_zeros(len: usize, max_ratio: u32) -> [usize; 2] {
    let changes =
        &[(WS_OPT_OUTBOUND_BYTES, WS_OFF), (WS_OPT_OUTBOUND_PACKETS, WS_OFF), (WS_OPT_MAX_INFLATE_RATIO, max_ratio)];
    [false, true].map(|shared| {
        let (mut end, params) = open(DROPS, "", 1, 32 << 20, changes);
        let payload = Payload::whole(Arc::new(vec![0; len]));
        let limit = if max_ratio == WS_OFF { u64::MAX } else { u64::from(max_ratio) };
        let message =
            Arc::new(Mutex::new(SharedMessage::new(false, payload.clone(), 1, limit, Compressor::new(15, 1))));
        let sent = end.act(|connection, _| match shared {
            true => connection.put_shared_message(false, &message, len),
            false => connection.put_later(false, &payload),
        });
        assert_eq!(sent, Sent::Taken);
        let mut peer = Peer::new(&params);
        while peer.messages.is_empty() {
            end.poll();
            peer.take(&end.output());
            let received: usize = peer.frames.iter().sum();
            if let Some((.., message)) = &peer.message
                && message.len() > 1 << 20
                && received > 0
            {
                assert!((message.len() / received) as u64 <= limit, "{} from {received}", message.len());
            }
        }
        assert_eq!(peer.messages[0].2.len(), len);
        peer.frames.iter().sum()
    })
}

#[test]
fn a_long_message_keeps_to_half_of_the_ratio_that_a_receiver_may_enforce() {
    for (len, max_ratio) in [(4 << 20, 20), (2 << 20, 100), ((1 << 20) + 1, 10)] {
        for compressed in compressed_zeros(len, max_ratio) {
            let least = 2 * len / max_ratio as usize;
            assert!((least..least + 40_000).contains(&compressed), "{len} bytes, ratio {max_ratio}: {compressed}");
        }
    }
    for (len, max_ratio) in [(1 << 20, 10), (1_000_000, 2), (4 << 20, WS_OFF)] {
        assert!(
            compressed_zeros(len, max_ratio).iter().all(|compressed| *compressed < len / 50),
            "{len} bytes, ratio {max_ratio}"
        );
    }
}

/// Compresses messages as a client does that keeps or drops its context.
struct Sender {
    compressor: Compressor,
    no_takeover: bool,
}

impl Sender {
    fn new(params: &DeflateParams) -> Sender {
        Sender { compressor: Compressor::new(params.client_bits, 6), no_takeover: params.client_no_takeover }
    }

    fn compress(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.compressor.compress(payload, true, &mut out).unwrap();
        if self.no_takeover {
            self.compressor.reset();
        }
        out
    }

    /// The frames of a message; `pieces` of its compressed bytes.
    fn frames(&mut self, text: bool, payload: &[u8], pieces: usize) -> Vec<u8> {
        let compressed = self.compress(payload);
        frames(text, &compressed, pieces)
    }
}

fn frames(text: bool, compressed: &[u8], pieces: usize) -> Vec<u8> {
    let (mut bytes, mut keys) = (Vec::new(), MaskKeys::new());
    let count = pieces.clamp(1, compressed.len().max(1));
    for index in 0..count {
        let piece = &compressed[compressed.len() * index / count..compressed.len() * (index + 1) / count];
        let opcode = if index > 0 { 0 } else { 2 - u8::from(text) };
        let lead = Lead { opcode, rsv1: index == 0, fin: index == count - 1 };
        encode_frame(&mut bytes, Role::Client, &mut keys, lead, piece);
    }
    bytes
}

#[test]
fn compressed_messages_are_read_in_any_pieces_and_budgets() {
    let mut random = Random(0x5EED_0007);
    for settings in [KEEPS, DROPS, SMALL] {
        for (step, full) in [(0, false), (300, false), (5_000, false), (300, true)] {
            let packets = if full { 1 } else { WS_OFF };
            let changes = &[(WS_OPT_INBOUND_PACKETS, packets), (WS_OPT_HEARTBEAT_MS, WS_OFF)];
            let (mut end, params) = open(settings, "; client_max_window_bits", 1, 8 << 20, changes);
            let (mut sender, mut sent, mut got) = (Sender::new(&params), Vec::new(), Vec::new());
            let mut bytes = Vec::new();
            for index in 0..24 {
                let len = [0, 1, 500, 5_000, 40_000, 300_000][random.below(if index == 10 { 6 } else { 5 })];
                let (text, payload) = (random.below(2) == 0, random.payload(len));
                bytes.extend(sender.frames(text, &payload, 1 + random.below(5)));
                sent.push((text, payload));
            }
            let mut rest = bytes.as_slice();
            for polls in 0.. {
                let (piece, later) = rest.split_at(rest.len().min(random.below(60_000)));
                end.feed(piece);
                rest = later;
                let clock = clock(&end, step);
                let (more, _) = end.poll_within(&clock, Some(1_000));
                let new = end.items();
                got.extend(new.into_iter().map(|item| match item {
                    Text(text) => (true, text.into_bytes()),
                    Binary(bytes) => (false, bytes),
                    other => panic!("{other:?}"),
                }));
                if rest.is_empty() && !more && got.len() == sent.len() {
                    break;
                }
                assert!(polls < 20_000, "{} of {} messages", got.len(), sent.len());
            }
            assert!(got == sent, "other messages arrived than were sent");
            let counters = &end.peer.endpoint.counters;
            let bytes: usize = sent.iter().map(|(_, payload)| payload.len()).sum();
            assert_eq!(
                (counters.snapshot().rare.compressed_in, counters.messages_in, counters.bytes_in),
                (24, 24, bytes as u64)
            );
        }
    }
}

#[test]
fn decompressed_messages_have_a_size_limit() {
    for (len, fits) in [(50_000, true), (50_001, false)] {
        let (mut end, params) = open(KEEPS, "", 1, 1 << 20, &[(WS_OPT_MAX_MESSAGE_BYTES, 50_000)]);
        let bytes = Sender::new(&params).frames(false, &vec![7; len], 2);
        end.feed(&bytes);
        end.poll();
        let expected = if fits {
            vec![Binary(vec![7; len])]
        } else {
            vec![Closed(Phase::Websocket, Cause::TooBig, 1009, false, 0)]
        };
        assert!(end.items() == expected, "{len} bytes");
    }
}

#[test]
fn a_message_over_one_mib_has_a_maximum_ratio() {
    // Zeros compress to about a thousandth.
    let bomb = Closed(Phase::Websocket, Cause::Deflate, 1008, false, 0);
    for (len, ratio, fits) in [
        (1 << 20, 10, true),
        ((1 << 20) + 1, 10, false),
        (4 << 20, 2_000, true),
        (4 << 20, 900, false),
        (4 << 20, WS_OFF, true),
    ] {
        let (mut end, params) =
            open(KEEPS, "", 1, 1 << 20, &[(WS_OPT_MAX_MESSAGE_BYTES, WS_OFF), (WS_OPT_MAX_INFLATE_RATIO, ratio)]);
        end.feed(&Sender::new(&params).frames(false, &vec![0; len], 1));
        end.poll();
        let items = end.items();
        assert_eq!(matches!(&items[..], [Binary(bytes)] if bytes.len() == len), fits, "{len} bytes, ratio {ratio}");
        assert!(fits || items == std::slice::from_ref(&bomb), "{len} bytes, ratio {ratio}");
    }
}

#[test]
fn broken_compressed_messages_end_the_connection() {
    let cut = &Sender::new(&DeflateParams {
        server_no_takeover: true,
        client_no_takeover: true,
        server_bits: 15,
        client_bits: 15,
    })
    .compress(&[1, 2, 3].repeat(100));
    let bad = |cause| Closed(Phase::Websocket, cause, 1007, false, 0);
    let mut utf8 = Sender::new(&DeflateParams {
        server_no_takeover: true,
        client_no_takeover: true,
        server_bits: 15,
        client_bits: 15,
    });
    for (bytes, cause) in [
        (frames(false, b"\xFF\xFF\xFF\xFF", 1), Cause::Deflate),
        (frames(false, &cut[..cut.len() / 2], 1), Cause::Deflate),
        (utf8.frames(true, b"abc\xFFdef", 1), Cause::Utf8),
        (utf8.frames(true, b"abc\xC3", 1), Cause::Utf8),
    ] {
        let (mut end, _) = open(DROPS, "", 1, 1 << 20, &[]);
        end.feed(&bytes);
        end.poll();
        assert_eq!((end.items(), end.peer.state()), (vec![bad(cause)], State::Closed));
    }
}

#[test]
fn a_message_of_up_to_eight_slices_is_compressed_at_once() {
    for level in [1, 4, 9] {
        let most = at_once_bytes(level);
        for (len, waits) in [(10, false), (most, false), (most + 1, true)] {
            let (mut end, _) = open(KEEPS, "", level, 1 << 20, &[(WS_OPT_DEFLATE_THRESHOLD_BYTES, 0)]);
            assert_eq!(end.act(|connection, cx| connection.put(cx, false, &vec![7; len])), Sent::Taken);
            assert_eq!((end.peer.is_waiting(), end.output().is_empty()), (waits, waits), "{len} bytes, level {level}");
            end.poll();
            assert!(!end.peer.is_waiting() && end.peer.queued_bytes() == 0);
        }
    }
}

/// Without context takeover a message that would grow is sent as it is; with it, the context must contain the message.
#[test]
fn a_message_that_does_not_shrink_is_sent_as_it_is() {
    let mut random = Random(0x5EED_0008);
    let hard: Vec<u8> = (0..4_000).map(|_| random.below(256) as u8).collect();
    for (settings, is_compressed) in [(DROPS, false), (KEEPS, true)] {
        for later in [false, true] {
            let (mut end, params) = open(settings, "", 1, 1 << 20, &[(WS_OPT_DEFLATE_THRESHOLD_BYTES, 0)]);
            let payload = Payload::whole(Arc::new(hard.clone()));
            end.act(|connection, cx| match later {
                true => connection.put_later(false, &payload),
                false => connection.put(cx, false, &hard),
            });
            end.poll();
            let mut peer = Peer::new(&params);
            peer.take(&end.output());
            assert!(peer.messages == [(false, is_compressed, hard.clone())], "later {later}");
            assert_eq!(end.peer.endpoint.counters.snapshot().rare.compressed_out, u64::from(is_compressed));
        }
    }
}

#[test]
fn an_empty_compressed_message_may_have_no_bytes_at_all() {
    let (mut end, params) = open(KEEPS, "", 1, 1 << 20, &[]);
    let first = Sender::new(&params).frames(false, b"first", 1);
    end.feed(&[first, frames(true, b"", 1), frames(false, b"\0", 1)].concat());
    end.poll();
    assert_eq!(end.items(), [Binary(b"first".to_vec()), Text(String::new()), Binary(Vec::new())]);
}

#[test]
fn the_maximum_ratio_itself_is_allowed() {
    let drops = DeflateParams { server_no_takeover: true, client_no_takeover: true, server_bits: 15, client_bits: 15 };
    // Bytes that do not compress come first, so that the ratio is highest at the end.
    let message =
        [(0..200_000u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 15) as u8).collect(), vec![0; 2 << 20]]
            .concat();
    let compressed = Sender::new(&drops).compress(&message);
    let ratio = (message.len() / compressed.len()) as u32;
    assert!(ratio > 5);
    for (ratio, fits) in [(ratio, true), (ratio - 1, false)] {
        let (mut end, _) =
            open(DROPS, "", 1, 4 << 20, &[(WS_OPT_MAX_MESSAGE_BYTES, WS_OFF), (WS_OPT_MAX_INFLATE_RATIO, ratio)]);
        end.feed(&frames(false, &compressed, 1));
        end.poll();
        assert_eq!(matches!(&end.items()[..], [Binary(bytes)] if *bytes == message), fits, "ratio {ratio}");
    }
}

#[test]
fn an_unfinished_compressed_message_is_counted_and_dropped_with_the_connection() {
    let (mut end, params) = open(KEEPS, "", 1, 1 << 20, &[(WS_OPT_HEARTBEAT_MS, WS_OFF)]);
    let bytes = Sender::new(&params).frames(false, &vec![7; 100_000], 1);
    end.feed(&bytes[..bytes.len() - 2]);
    end.poll();
    assert!(end.peer.kept_bytes() > 60_000, "{} bytes", end.peer.kept_bytes());
    end.feed(&bytes[bytes.len() - 2..]);
    end.poll();
    assert_eq!(end.items().len(), 1);
    // Bytes for which there was no time are counted too.
    end.feed(&Sender::new(&params).frames(false, &Random(0x5EED_0009).payload(500_000), 1));
    let clock = clock(&end, 5_000);
    let (more, _) = end.poll_within(&clock, Some(1));
    assert!(more && end.peer.has_backlog() && end.peer.kept_bytes() > 10_000, "{} bytes", end.peer.kept_bytes());
    end.act(|connection, cx| connection.close(cx, -1, ""));
    assert_eq!(end.peer.queued_bytes(), 0);
}

/// While the queue is full, no compressed message begins.
#[test]
fn compressed_messages_wait_while_the_queue_is_full() {
    let (mut end, params) = open(KEEPS, "", 1, 1 << 20, &[(WS_OPT_INBOUND_PACKETS, 2), (WS_OPT_HEARTBEAT_MS, WS_OFF)]);
    let mut sender = Sender::new(&params);
    for index in 0..10 {
        end.feed(&sender.frames(false, &vec![index; 50_000], 1));
    }
    let mut got = Vec::new();
    while got.len() < 10 {
        end.poll();
        assert_eq!(end.peer.is_reading_paused(), got.len() < 8);
        assert_eq!((end.peer.wants_input(), end.peer.has_backlog()), (got.len() >= 8, false));
        let new = end.items();
        assert_eq!(new.len(), 2);
        got.extend(new);
    }
    let expected: Vec<Took> = (0..10).map(|index| Binary(vec![index; 50_000])).collect();
    assert!(got == expected);
}

#[test]
fn short_compressed_messages_use_up_the_budget() {
    let (mut end, params) = open(DROPS, "", 1, 1 << 20, &[(WS_OPT_INBOUND_PACKETS, WS_OFF)]);
    let one = Sender::new(&params).frames(false, b"x", 1);
    end.feed(&one.repeat(5_000));
    let (mut polls, mut more) = (0, true);
    while more {
        let clock = clock(&end, 100);
        more = end.poll_within(&clock, Some(1_000)).0;
        assert!(clock.asked.get() < 40, "the clock was read {} times", clock.asked.get());
        polls += 1;
    }
    assert!(polls > 20 && end.items().len() == 5_000, "{polls} polls");
}

#[test]
fn a_failed_write_ends_the_connection_after_the_message_under_way() {
    let (mut end, params) = open(DROPS, "", 1, 1 << 20, &[]);
    let payload = Random(0x5EED_000A).payload(100_000);
    // In one frame, so that all its bytes have been read before it is decompressed.
    end.feed(&Sender::new(&params).frames(false, &payload, 1));
    end.hang_up();
    end.act(|connection, cx| connection.put(cx, false, b"x"));
    for polls in 0.. {
        let clock = clock(&end, 100);
        end.poll_within(&clock, Some(1_000));
        if end.peer.state() == State::Closed {
            break;
        }
        assert!(polls < 10_000);
    }
    let items = end.items();
    assert!(items.len() == 2 && items[0] == Binary(payload));
}

#[test]
fn contexts_without_takeover_are_freed_when_idle() {
    for (settings, has_one) in [(DROPS, false), (KEEPS, true)] {
        let (mut end, params) = open(settings, "", 1, 1 << 20, &[]);
        end.act(|connection, cx| connection.put(cx, false, &[7; 50_000]));
        end.feed(&Sender::new(&params).frames(false, &[7; 50_000], 1));
        end.poll();
        end.act(|connection, _| connection.shrink());
        assert_eq!(end.peer.compression().unwrap().heap_bytes() > 0, has_one);
        // A message that waits keeps its context.
        end.act(|connection, cx| connection.put(cx, false, &[7; 500_000]));
        let clock = clock(&end, 5_000);
        end.poll_within(&clock, Some(1));
        assert!(end.peer.is_waiting());
        end.act(|connection, _| connection.shrink());
        assert!(end.peer.compression().unwrap().heap_bytes() > 0);
        let mut peer = Peer::new(&params);
        while peer.messages.len() < 2 {
            end.poll();
            peer.take(&end.output());
        }
        assert!(peer.messages[1].2 == [7; 500_000]);
    }
}

/// Compressed bytes that give no output at once, and output that fills the scratch memory exactly.
#[test]
fn blocks_and_messages_of_every_length_are_decompressed() {
    let (mut end, params) = open(DROPS, "", 1, 4 << 20, &[(WS_OPT_INBOUND_PACKETS, WS_OFF)]);
    let mut sender = Sender::new(&params);
    let body = sender.compress(b"after many empty blocks");
    end.feed(&frames(false, &[b"\0\0\0\xFF\xFF".repeat(1_000), body].concat(), 1));
    let mut expected = vec![Binary(b"after many empty blocks".to_vec())];
    for slices in 1..4 {
        for more in [0, 1, 2, 100, 200, 256, 257, 258, 259, 260, 300] {
            let message = vec![7; (slices << 15) + more];
            end.feed(&sender.frames(false, &message, 1));
            expected.push(Binary(message));
        }
    }
    end.poll();
    assert!(end.items() == expected);
}

#[test]
fn messages_put_before_open_are_compressed_too() {
    let accept = Accept { deflate: Some(DROPS), ..Accept::default() };
    let mut end = End::accepting(accept, 1 << 20, true, options(true, &[]));
    let payloads = [vec![7; 50_000], b"short".to_vec()];
    for payload in &payloads {
        assert_eq!(end.act(|connection, cx| connection.put(cx, false, payload)), Sent::Taken);
    }
    let request = String::from_utf8(REQUEST.to_vec()).unwrap();
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    end.feed((request.trim_end().to_owned() + "\r\n" + offer).as_bytes());
    end.poll();
    let output = end.output();
    let head = output.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    let mut peer = Peer::new(&DeflateParams {
        server_no_takeover: true,
        client_no_takeover: true,
        server_bits: 15,
        client_bits: 15,
    });
    peer.take(&output[head..]);
    assert!(peer.messages == [(false, true, payloads[0].clone()), (false, false, payloads[1].clone())]);
}
