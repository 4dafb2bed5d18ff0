//! From a put to the transport: what is written when, what waits, and how both are counted.

use crate::test_connection::*;
use std::sync::Arc;
use wspeer::codes::*;
use wspeer::internals::link::{Sent, check_close};
use wspeer::internals::protocol::{Lead, MaskKeys, Role, encode_frame, mask};
use wspeer::internals::status::{Cause, EventKind, Phase, State};

const QUIET: (i32, u32) = (WS_OPT_HEARTBEAT_MS, WS_OFF);

fn open(role: Role, capacity: usize, changes: &[(i32, u32)]) -> End {
    let changes = [changes, &[QUIET, (WS_OPT_OUTBOUND_BYTES, WS_OFF), (WS_OPT_OUTBOUND_PACKETS, WS_OFF)]].concat();
    match role {
        Role::Server => End::open_server_over(capacity, &changes),
        Role::Client => End::open_client_over(capacity, &changes),
    }
}

/// A server's end whose transport is full: 200 bytes.
fn full(changes: &[(i32, u32)]) -> End {
    let mut end = End::open_server_over(200, &[changes, &[QUIET]].concat());
    assert_eq!(put(&mut end, &[0; 196]), Sent::Taken);
    assert_eq!((end.far_room(), end.peer.queued_bytes()), (0, 0));
    end
}

fn put(end: &mut End, payload: &[u8]) -> Sent {
    end.act(|connection, cx| connection.put(cx, false, payload))
}

/// Bytes that differ at every position.
fn content(len: usize) -> Vec<u8> {
    (0..len as u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
}

/// The payloads of binary messages in whole frames.
fn payloads(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        assert_eq!(bytes[0], 0x82);
        let masked = bytes[1] & 0x80 > 0;
        let (head, len) = match bytes[1] & 0x7F {
            126 => (4, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
            127 => (10, u64::from_be_bytes(bytes[2..10].try_into().unwrap()) as usize),
            len => (2, usize::from(len)),
        };
        let start = head + if masked { 4 } else { 0 };
        let mut payload = bytes[start..start + len].to_vec();
        if masked {
            mask(&mut payload, bytes[head..start].try_into().unwrap(), 0);
        }
        messages.push(payload);
        bytes = &bytes[start + len..];
    }
    messages
}

fn frame_len(role: Role, len: usize) -> usize {
    let head = match len {
        0..126 => 2,
        126..65_536 => 4,
        _ => 10,
    };
    head + len + if role == Role::Client { 4 } else { 0 }
}

/// Short messages are queued until a flush with WS_COALESCE; long ones and 128 KiB together are written at once.
#[test]
fn a_put_is_written_at_once_or_joins_others() {
    let (direct, much) = (16 << 10, 128 << 10);
    for role in [Role::Server, Role::Client] {
        for len in [0, 10, direct, direct + 1, 100_000, much - 20, much, much + 1, 400_000] {
            for before in [0, 100, 50_000] {
                for coalesce in [false, true] {
                    let mut end = open(role, 2 << 20, &[(WS_OPT_COALESCE, u32::from(coalesce))]);
                    let mut sent = Vec::new();
                    if before > 0 {
                        // In pieces that do not go directly.
                        for _ in 0..before / 100 {
                            sent.push(content(100));
                            assert_eq!(put(&mut end, sent.last().unwrap()), Sent::Taken);
                        }
                        let queued = if coalesce { sent.len() * frame_len(role, 100) } else { 0 };
                        assert_eq!((end.peer.queued_bytes(), end.peer.needs_flush(true)), (queued, queued > 0));
                    }
                    sent.push(content(len));
                    assert_eq!(put(&mut end, sent.last().unwrap()), Sent::Taken);
                    let total: usize = sent.iter().map(|payload| frame_len(role, payload.len())).sum();
                    let goes_directly = len > direct && !(role == Role::Client && len < much);
                    let is_written = !coalesce || goes_directly || total >= much;
                    let what = format!("{role:?}, {len} bytes after {before}, coalesce {coalesce}");
                    let messages = if is_written { 0 } else { sent.len() };
                    assert_eq!(
                        (end.peer.queued_bytes(), end.peer.queued_messages()),
                        (if is_written { 0 } else { total }, messages),
                        "{what}"
                    );
                    assert_eq!(
                        (end.peer.has_output(), end.peer.needs_flush(true)),
                        (!is_written, !is_written),
                        "{what}"
                    );
                    let mut output = end.output();
                    assert_eq!(output.len(), if is_written { total } else { 0 }, "{what}");
                    end.act(|connection, cx| connection.write(cx));
                    output.extend(end.output());
                    assert!(payloads(&output) == sent, "{what}");
                    let counters = &end.peer.endpoint.counters;
                    let bytes: usize = sent.iter().map(Vec::len).sum();
                    assert_eq!((counters.messages_out, counters.bytes_out), (sent.len() as u64, bytes as u64));
                }
            }
        }
    }
}

/// A long message is written from the program's memory; what the transport does not take is queued, wherever it stops.
#[test]
fn a_transport_may_stop_anywhere_in_a_frame() {
    for role in [Role::Server, Role::Client] {
        for len in [500, 20_000, 70_000] {
            for capacity in (1..18).chain([999, 5_000, 19_999, 65_536, frame_len(role, len) - 1]) {
                for shared in [false, true] {
                    if shared && role == Role::Client {
                        continue;
                    }
                    let mut end = open(role, 4_096, &[]);
                    let before = end.peer.endpoint.counters.wire_out;
                    // Fills the transport but for `capacity` bytes.
                    let room = end.far_room();
                    let filler = room.saturating_sub(capacity + frame_len(role, 0));
                    let capacity = if capacity + 20 > room { room } else { capacity };
                    if capacity < room {
                        assert_eq!(put(&mut end, &content(filler - if filler > 125 { 2 } else { 0 })), Sent::Taken);
                        assert_eq!(end.far_room(), capacity);
                    }
                    let payload = content(len);
                    if shared {
                        let mut frame = Vec::new();
                        encode_frame(&mut frame, role, &mut MaskKeys::new(), Lead::whole(2), &payload);
                        let sent = end
                            .act(|connection, _| connection.put_shared(false, &Arc::new(frame), len, true, no_session));
                        assert_eq!(sent, Sent::Taken);
                    } else {
                        assert_eq!(put(&mut end, &payload), Sent::Taken);
                    }
                    let missing = frame_len(role, len).saturating_sub(capacity);
                    let what = format!("{role:?}, {len} bytes, room for {capacity}, shared {shared}");
                    let counts = (end.peer.queued_bytes(), end.peer.queued_messages());
                    assert_eq!(counts, (missing, usize::from(missing > 0)), "{what}");
                    let mut output = end.output();
                    while end.peer.queued_bytes() > 0 {
                        assert_eq!(end.peer.queued_messages(), 1, "{what}");
                        end.poll();
                        output.extend(end.output());
                    }
                    assert_eq!(end.peer.queued_messages(), 0, "{what}");
                    assert_eq!(end.peer.endpoint.counters.wire_out - before, output.len() as u64, "{what}");
                    assert!(payloads(&output).pop().unwrap() == payload, "{what}");
                }
            }
        }
    }
}

#[test]
fn a_shared_frame_is_written_now_only_if_nothing_waits() {
    let frame = |payload: &[u8]| {
        let mut frame = Vec::new();
        encode_frame(&mut frame, Role::Server, &mut MaskKeys::new(), Lead::whole(2), payload);
        Arc::new(frame)
    };
    for (now, coalesce, queued, is_written) in
        [(true, 0, false, true), (false, 0, false, false), (true, 1, false, false), (true, 1, true, false)]
    {
        let mut end = open(Role::Server, 4_096, &[(WS_OPT_COALESCE, coalesce)]);
        if queued {
            put(&mut end, b"first");
        }
        assert_eq!(
            end.act(|connection, _| connection.put_shared(false, &frame(b"shared"), 6, now, no_session)),
            Sent::Taken
        );
        assert_eq!(!end.output().is_empty(), is_written, "now {now}, coalesce {coalesce}, queued {queued}");
        assert_eq!(end.peer.queued_messages(), usize::from(!is_written) + usize::from(queued));
        end.poll();
        assert_eq!(
            (end.peer.queued_messages(), end.peer.endpoint.counters.bytes_out),
            (0, if queued { 11 } else { 6 })
        );
    }
    // A full transport: it joins the queue behind what waits.
    let mut end = open(Role::Server, 4_096, &[]);
    put(&mut end, &content(5_000));
    assert_eq!(
        end.act(|connection, _| connection.put_shared(false, &frame(b"shared"), 6, true, no_session)),
        Sent::Taken
    );
    let mut output = Vec::new();
    while end.peer.has_output() {
        output.extend(end.output());
        end.poll();
    }
    output.extend(end.output());
    assert_eq!(payloads(&output), [content(5_000), b"shared".to_vec()]);
}

/// Each way of sending checks the same limits, and reports WRITABLE after a refusal.
#[test]
fn every_way_of_sending_keeps_to_the_limits() {
    type Way = fn(&mut End, usize) -> Sent;
    let ways: [Way; 5] = [
        |end, len| put(end, &vec![7; len]),
        |end, len| {
            end.act(|connection, _| connection.put_shared(false, &Arc::new(vec![7; len + 4]), len, true, no_session))
        },
        |end, len| {
            let (head, storage) = (Arc::new(vec![7; 14]), Arc::new(vec![7; len]));
            end.act(|connection, _| connection.put_parts(false, &head, (&storage, 10), len, no_session))
        },
        |end, len| end.act(|connection, cx| connection.put_together(cx, &[vec![7; len / 2], vec![7; len - len / 2]])),
        |end, len| {
            let payload = wspeer::internals::work::Payload::whole(Arc::new(vec![7; len]));
            end.act(|connection, _| connection.put_later(false, &payload))
        },
    ];
    for (index, way) in ways.into_iter().enumerate() {
        let mut end = full(&[(WS_OPT_OUTBOUND_BYTES, 10_000)]);
        // An empty queue takes any message.
        assert_eq!(way(&mut end, 9_000), Sent::Taken, "way {index}");
        let room = 10_000 - end.peer.queued_bytes();
        assert_eq!((end.peer.has_room(room), end.peer.has_room(room + 1)), (true, false), "way {index}");
        assert_eq!(way(&mut end, room + 1), Sent::Full, "way {index}");
        assert_eq!(end.peer.endpoint.counters.bytes_out, 196 + 9_000, "way {index}");
        assert_eq!(way(&mut end, room), Sent::Taken, "way {index}");
        let mut end = End::open_server(&[(WS_OPT_HEARTBEAT_MS, WS_OFF)]);
        end.act(|connection, cx| connection.close(cx, 0, ""));
        assert_eq!(way(&mut end, 10), Sent::NotOpen, "way {index}");
    }
}

#[test]
fn half_of_the_queue_is_left_to_others() {
    let mut end = full(&[(WS_OPT_OUTBOUND_BYTES, 10_000), (WS_OPT_OUTBOUND_PACKETS, 8)]);
    assert!(end.peer.has_room_beside(1 << 20), "an empty queue takes any message");
    put(&mut end, &[7; 1_000]);
    let room = 5_000 - end.peer.queued_bytes();
    assert_eq!((end.peer.has_room_beside(room), end.peer.has_room_beside(room + 1)), (true, false));
    put(&mut end, b"x");
    put(&mut end, b"x");
    assert!(end.peer.has_room_beside(10), "three of eight wait");
    put(&mut end, b"x");
    assert!(!end.peer.has_room_beside(10), "four of eight wait");
    assert!(end.peer.has_room(10));
}

#[test]
fn writable_is_reported_at_half_of_the_limits() {
    for (option, most, len) in [(WS_OPT_OUTBOUND_PACKETS, 8, 10), (WS_OPT_OUTBOUND_BYTES, 8 * 12, 10)] {
        let mut end = full(&[(option, most)]);
        let mut count = 0;
        while put(&mut end, &content(len)) == Sent::Taken {
            count += 1;
        }
        assert_eq!(count, 8);
        while end.items().is_empty() {
            assert!(end.peer.queued_bytes() > 4 * 12, "{} bytes wait", end.peer.queued_bytes());
            assert_eq!(end.far.read(&mut [0; 6]).unwrap(), 6);
            end.poll();
        }
        assert_eq!(end.peer.queued_bytes().div_ceil(12), 4);
    }
}

#[test]
fn several_messages_are_sent_together_or_not_at_all() {
    for coalesce in [0, 1] {
        let mut end = open(Role::Server, 4_096, &[(WS_OPT_COALESCE, coalesce)]);
        let messages = [b"one".to_vec(), Vec::new(), b"three".to_vec()];
        assert_eq!(end.act(|connection, cx| connection.put_together(cx, &messages)), Sent::Taken);
        assert_eq!((end.output().len(), end.peer.queued_messages()), if coalesce == 0 { (14, 0) } else { (0, 3) });
        end.poll();
        let counters = &end.peer.endpoint.counters;
        assert_eq!((counters.messages_out, counters.bytes_out, end.peer.queued_messages()), (3, 8, 0));
        // Queued together without a check of the limits, for a later write.
        assert_eq!(end.act(|connection, cx| connection.queue_together(cx, &messages)), Sent::Taken);
        assert_eq!(end.peer.queued_messages(), 3);
    }
}

#[test]
fn a_failed_write_ends_the_connection_after_what_arrived() {
    for len in [10, 20_000] {
        for role in [Role::Server, Role::Client] {
            for coalesce in [0, 1] {
                let mut end = open(role, 4_096, &[(WS_OPT_COALESCE, coalesce)]);
                let arrived: &[u8] = if role == Role::Server { b"\x82\x81\0\0\0\0x" } else { b"\x82\x01x" };
                end.feed(arrived);
                end.hang_up();
                put(&mut end, &content(len));
                let is_written = coalesce == 0 || (len > 10 && role == Role::Server);
                assert_eq!((end.peer.has_failed(), end.peer.needs_flush(true)), (is_written, true));
                assert!(!is_written || !end.peer.can_send_on());
                end.poll();
                let items = end.items();
                assert_eq!(items[0], Binary(b"x".to_vec()));
                assert!(
                    matches!(items[1], Closed(Phase::Websocket, Cause::Reset | Cause::PeerGone, 1006, false, 1)),
                    "{items:?}"
                );
                assert_eq!(
                    (end.peer.has_failed(), end.peer.queued_bytes(), end.peer.needs_flush(false)),
                    (false, 0, false)
                );
            }
        }
    }
}

#[test]
fn only_these_codes_and_reasons_can_be_sent() {
    for code in (-5..6_000).chain([65_536 + 1_000, i32::MAX, i32::MIN]) {
        let known = matches!(code, 0 | -1 | 1000..=1003 | 1007..=1014 | 3000..=4999);
        assert_eq!(check_close(code, "").is_ok(), known, "{code}");
    }
    assert_eq!(
        (check_close(1000, &"x".repeat(123)).is_ok(), check_close(1000, &"x".repeat(124)).is_ok()),
        (true, false)
    );
}

#[test]
fn the_event_names_the_meaning_of_a_code() {
    for (code, meaning) in [
        (1000, ""),
        (1001, " (going away)"),
        (1002, " (protocol error)"),
        (1003, " (unsupported data)"),
        (1007, " (invalid data)"),
        (1008, " (policy violation)"),
        (1009, " (message too big)"),
        (1010, " (extension needed)"),
        (1011, " (internal error)"),
        (1012, " (service restart)"),
        (1013, " (try again later)"),
        (1014, " (bad gateway)"),
        (3000, ""),
    ] {
        let mut end = End::open_client(&[]);
        let [high, low] = u16::to_be_bytes(code);
        end.feed(&[0x88, 2, high, low]);
        end.poll();
        let mark = end.peer.endpoint.info.end().unwrap();
        let text = mark.text.as_ref().map(|text| String::from_utf8_lossy(&text[..text.len() - 1]).into_owned());
        assert_eq!(text.unwrap(), format!("the peer closed the connection with {code}{meaning}"));
    }
}

/// With its code in a close frame, whose reason begins with the same words as the event.
#[test]
fn a_violation_is_explained_to_the_peer() {
    let mut end = End::open_server(&[(WS_OPT_MAX_MESSAGE_BYTES, 10)]);
    end.feed(b"\x82\x8B\0\0\0\0");
    end.poll();
    let output = end.output();
    let (code, reason) = (u16::from_be_bytes([output[2], output[3]]), String::from_utf8(output[4..].to_vec()).unwrap());
    let mark = end.peer.endpoint.info.end().unwrap();
    let text = mark.text.as_ref().map(|text| String::from_utf8_lossy(&text[..text.len() - 1]).into_owned()).unwrap();
    assert_eq!((code, usize::from(output[1]) + 2), (1009, output.len()));
    assert!(text.starts_with(&reason) && reason.len() == text.len().min(123), "{reason} / {text}");
    assert_eq!((mark.code, end.peer.state()), (1009, State::Closed));
}

#[test]
fn of_too_many_pings_at_once_only_the_last_is_answered() {
    let ping = |number: u8| [b"\x89\x81\0\0\0\0".as_slice(), &[number]].concat();
    let mut end = End::open_server(&[QUIET]);
    // 64 in a round are answered one by one.
    let pings: Vec<u8> = (0..100).flat_map(ping).collect();
    end.feed(&pings);
    end.poll();
    let expected: Vec<u8> = (0..64).chain([99]).flat_map(|number| [0x8A, 1, number]).collect();
    assert_eq!(end.output(), expected);
    end.feed(&pings[..64 * 7]);
    end.poll();
    assert_eq!(end.output().len(), 64 * 3, "the next round begins anew");
    assert_eq!(end.items(), []);
}

/// Pongs of 64 KiB may wait; later pings are answered once all of them have left.
#[test]
fn a_peer_that_does_not_read_gets_64_kib_of_pongs() {
    // Pongs of 58 bytes are counted as 64, and so reach the limit exactly.
    for len in [125, 58] {
        unread_pongs(len);
    }
}

fn unread_pongs(len: usize) {
    let ping = [&[0x89, 0x80 | len as u8, 0, 0, 0, 0], vec![7; len].as_slice()].concat();
    let mut end = End::open_server_over(200, &[QUIET]);
    let mut last = 0;
    for _ in 0..1_500 {
        end.feed(&ping);
        end.poll();
        last = end.peer.queued_bytes().max(last);
    }
    // 65,536 bytes, counted with 6 for each header; and the first ones, which left at once.
    let count = (64usize << 10).div_ceil(len + 6) + 200 / (len + 2);
    assert_eq!(last, count * (len + 2) - 200);
    // As long as one of them waits, no other is added.
    let mut received = Vec::new();
    while received.len() + 200 < count * (len + 2) {
        received.extend(end.output());
        end.feed(b"\x89\x81\0\0\0\0x");
        end.poll();
    }
    while !end.output().is_empty() {
        end.poll();
    }
    end.feed(b"\x89\x82\0\0\0\0ok");
    end.poll();
    assert_eq!(end.output(), b"\x8A\x02ok");
    assert_eq!(end.items().iter().filter(|item| !matches!(item, Event(EventKind::Writable, _))).count(), 0);
}

/// A put takes at most one write of 256 KiB; polls write the rest.
#[test]
fn a_put_writes_once() {
    let once = (256 << 10) + 512;
    let mut end = open(Role::Server, 1 << 20, &[]);
    put(&mut end, &content((1 << 20) - 14));
    for _ in 0..40 {
        put(&mut end, &content(16_000));
    }
    end.output();
    put(&mut end, b"x");
    assert_eq!(end.output().len(), once);
    end.poll();
    assert_eq!(end.peer.queued_bytes(), 0);
}

/// A long message of a client is masked and written in pieces of 1 MiB.
#[test]
fn a_client_writes_a_long_message_piece_by_piece() {
    let payload = content((3 << 20) + 5_000);
    for capacity in [8 << 20, (2 << 20) + 14, (2 << 20) + 500_000, 1_000_000] {
        let mut end = open(Role::Client, capacity, &[]);
        assert_eq!(put(&mut end, &payload), Sent::Taken);
        let missing = frame_len(Role::Client, payload.len()).saturating_sub(capacity);
        assert_eq!(end.peer.queued_bytes(), missing, "room for {capacity}");
        let mut output = end.output();
        while end.peer.has_output() {
            end.poll();
            output.extend(end.output());
        }
        assert!(payloads(&output) == [payload.clone()], "room for {capacity}");
    }
}

#[test]
fn a_full_transport_is_not_a_failure() {
    for len in [10, 20_000] {
        for shared in [false, true] {
            let mut end = full(&[]);
            let payload = content(len);
            let sent = if shared {
                let mut frame = Vec::new();
                encode_frame(&mut frame, Role::Server, &mut MaskKeys::new(), Lead::whole(2), &payload);
                end.act(|connection, _| connection.put_shared(false, &Arc::new(frame), len, true, no_session))
            } else {
                put(&mut end, &payload)
            };
            assert_eq!((sent, end.peer.has_failed()), (Sent::Taken, false));
            // The transport will announce that it takes more.
            assert_eq!((end.peer.needs_flush(true), end.peer.needs_flush(false)), (false, true));
            let mut output = end.output();
            while end.peer.has_output() {
                end.poll();
                output.extend(end.output());
            }
            assert!(payloads(&output)[1] == payload && end.peer.state() == State::Open);
        }
    }
}
