//! The application heartbeat of client and server, with a fake clock and literal bytes.

use crate::test_connection::*;
use std::time::Duration;
use wspeer::codes::*;
use wspeer::internals::status::{Cause, EventKind, Phase, State, Text};

const MARKER: &[u8; 16] = b"0123456789abcdef";

/// A frame as a server sends it.
fn frame(payload: &[u8]) -> Vec<u8> {
    [&[0x82, payload.len() as u8], payload].concat()
}

/// A frame as a client sends it, with the masking key 0.
fn masked(payload: &[u8]) -> Vec<u8> {
    [&[0x82, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

/// The first message of a server that offers the heartbeat, from a node "n".
fn announcement(marker: &[u8]) -> Vec<u8> {
    [b"wspeer-control\x01\x12".as_slice(), marker, b"\x01n"].concat()
}

fn beat(kind: u8, number: u8) -> Vec<u8> {
    [MARKER.as_slice(), &[kind, 0, 0, 0, number]].concat()
}

/// Opcodes and unmasked payloads of the frames that a client sent.
fn unmasked(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        let (len, key) = ((second & 0x7F) as usize, &rest[..4]);
        frames.push((
            first & 0xF,
            rest[4..4 + len].iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect(),
        ));
        bytes = &rest[4 + len..];
    }
    frames
}

mod client {
    use super::*;

    fn asking(changes: &[(i32, u32)]) -> End {
        End::client_asking(true, Some(ms(10_000)), changes).opened()
    }

    fn announced(changes: &[(i32, u32)]) -> End {
        let mut end = asking(changes);
        end.feed(&frame(&announcement(MARKER)));
        end.poll();
        end
    }

    #[test]
    fn the_request_asks_for_heartbeats() {
        let mut end = End::client_asking(true, None, &[]);
        end.poll();
        assert!(end.output().starts_with(b"GET /?wspeer=1 HTTP/1.1\r\n"));
        let mut end = End::client(None, &[]);
        end.poll();
        assert!(end.output().starts_with(b"GET / HTTP/1.1\r\n"));
    }

    #[test]
    fn a_client_pings_by_messages_and_measures_the_pongs() {
        let mut end = announced(&[(WS_OPT_HEARTBEAT_MS, 1_000)]);
        end.pass(ms(1_000));
        assert_eq!(unmasked(&end.output()), [(2, beat(1, 1))]);
        end.now += ms(42);
        end.feed(&frame(&beat(2, 1)));
        end.poll();
        assert_eq!(end.peer.endpoint.rtt_us, 42_000);
        end.pass(ms(1_000));
        assert_eq!(unmasked(&end.output()), [(2, beat(1, 2))]);
        assert_eq!(
            (end.items(), end.peer.endpoint.counters.messages_in, end.peer.endpoint.counters.messages_out),
            (vec![], 0, 0)
        );
    }

    #[test]
    fn the_announcement_is_awaited_until_its_deadline() {
        let mut end = asking(&[]);
        end.pass(ms(9_900));
        let deadline = end.poll().unwrap();
        end.now = deadline - ms(1);
        end.poll();
        assert_eq!(end.items(), []);
        end.now = deadline;
        end.poll();
        assert!(matches!(end.items()[..], [Event(EventKind::Error, _)]));
    }

    #[test]
    fn text_is_no_announcement() {
        let mut end = asking(&[]);
        let announcement = announcement(MARKER);
        end.feed(&[&[0x81, announcement.len() as u8], announcement.as_slice()].concat());
        end.poll();
        let items = end.items();
        assert_eq!((items.len(), &items[0]), (2, &Text(String::from_utf8(announcement).unwrap())));
        assert!(matches!(items[1], Event(EventKind::Error, _)), "{items:?}");
    }

    #[test]
    fn stray_pongs_and_unknown_heartbeats_are_ignored() {
        let mut end = announced(&[(WS_OPT_HEARTBEAT_MS, 1_000)]);
        end.feed(&frame(&beat(2, 1)));
        end.pass(ms(1_000));
        end.output();
        end.now += ms(10);
        for stray in [beat(2, 2), beat(1, 1), beat(9, 1), MARKER.as_slice().to_vec()] {
            end.feed(&frame(&stray));
        }
        end.poll();
        assert_eq!(end.peer.endpoint.rtt_us, 0);
        // The 16 bytes of the marker alone are a message: every heartbeat is longer.
        assert_eq!(end.items(), [Binary(MARKER.to_vec())]);
        assert_eq!(end.output(), b"");
    }

    #[test]
    fn messages_around_heartbeats_keep_their_order() {
        let mut end = announced(&[(WS_OPT_HEARTBEAT_MS, 1_000)]);
        end.pass(ms(1_000));
        end.feed(&[frame(b"a"), frame(&beat(2, 1)), frame(b"b"), b"\x81\x15".to_vec(), beat(2, 1)].concat());
        end.poll();
        assert!(end.peer.endpoint.rtt_us > 0);
        // Text is never a heartbeat.
        assert_eq!(
            end.items(),
            [Binary(b"a".to_vec()), Binary(b"b".to_vec()), Text(String::from_utf8(beat(2, 1)).unwrap())]
        );
        assert_eq!(end.peer.endpoint.counters.messages_in, 3);
    }

    #[test]
    fn a_heartbeat_may_arrive_in_pieces() {
        let mut end = announced(&[(WS_OPT_HEARTBEAT_MS, 1_000)]);
        end.pass(ms(1_000));
        end.now += ms(5);
        for byte in [&[0x02, 5], &beat(2, 1)[..5], &[0x80, 16], &beat(2, 1)[5..]].concat() {
            end.feed(&[byte]);
            end.poll();
        }
        assert_eq!((end.peer.endpoint.rtt_us, end.items()), (5_000, vec![]));
    }

    #[test]
    fn a_dead_link_ends_by_pong_timeout() {
        let mut end = announced(&[(WS_OPT_HEARTBEAT_MS, 1_000), (WS_OPT_PONG_TIMEOUT_MS, 3_000)]);
        end.pass(ms(2_900));
        assert_eq!((end.peer.state(), unmasked(&end.output()).len()), (State::Open, 1));
        end.pass(ms(100));
        assert_eq!(end.items(), [Closed(Phase::Websocket, Cause::PongTimeout, 1006, false, 0)]);
    }

    #[test]
    fn without_an_announcement_first_the_client_falls_back_to_pings() {
        for first in [frame(b"hello"), b"\x81\x05hello".to_vec(), frame(&announcement(&MARKER[1..]))] {
            let mut end = asking(&[(WS_OPT_HEARTBEAT_MS, 1_000)]);
            end.feed(&first);
            end.feed(&frame(&announcement(MARKER)));
            end.poll();
            let items = end.items();
            assert!(
                matches!(&items[..], [Binary(_) | Text(_), Event(EventKind::Error, 0), Binary(late)] if late.len() == 34),
                "{items:?}"
            );
            end.pass(ms(1_000));
            assert_eq!(unmasked(&end.output()), [(9, b"wspeer".to_vec())]);
            end.feed(b"\x8A\x06wspeer");
            end.now += ms(3);
            end.poll();
            assert_eq!(end.peer.endpoint.rtt_us, 3_000);
        }
    }

    #[test]
    fn a_missing_announcement_times_out_with_an_error_event() {
        let mut end = asking(&[(WS_OPT_HEARTBEAT_MS, WS_OFF)]);
        end.pass(ms(9_900));
        assert_eq!(end.items(), []);
        end.now += Duration::from_secs(60);
        end.poll();
        assert_eq!(end.items(), [], "a gap moves the deadline");
        end.pass(ms(1_000));
        assert_eq!(end.items(), [Event(EventKind::Error, 0)]);
        end.feed(&frame(&beat(1, 1)));
        end.poll();
        assert_eq!(end.items(), [Binary(beat(1, 1))]);
    }

    #[test]
    fn until_the_announcement_the_client_sends_ping_frames() {
        let mut end = asking(&[(WS_OPT_HEARTBEAT_MS, 1_000)]);
        end.pass(ms(1_000));
        assert_eq!(unmasked(&end.output()), [(9, b"wspeer".to_vec())]);
        end.feed(&frame(&announcement(MARKER)));
        end.pass(ms(1_000));
        assert_eq!(unmasked(&end.output()), [(2, beat(1, 1))]);
        assert_eq!(end.items(), []);
    }
}

mod server {
    use super::*;

    const ASKING: &[u8] =
        b"GET /game?x=1&wspeer=1 HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

    /// A server's end that has sent its announcement, and its marker.
    fn announcing(capacity: usize) -> (End, Vec<u8>) {
        let mut end = End::server_over(capacity, false, &[]);
        end.feed(ASKING);
        end.poll();
        assert_eq!(end.items(), [Event(EventKind::Open, 0)]);
        let output = end.output();
        let frame = &output[output.len() - 39..];
        assert_eq!(
            (&frame[..18], &frame[34..]),
            (b"\x82\x25wspeer-control\x01\x15".as_slice(), b"\x01node".as_slice())
        );
        (end, frame[18..34].to_vec())
    }

    fn beat_of(marker: &[u8], kind: u8, number: u8) -> Vec<u8> {
        [marker, &[kind, 0, 0, 0, number]].concat()
    }

    #[test]
    fn the_heartbeat_request_is_answered_and_hidden_from_the_host() {
        let (end, marker) = announcing(64 << 10);
        assert_eq!(
            (end.peer.endpoint.info.text(Text::Query), end.peer.endpoint.info.url().as_str()),
            ("x=1", "ws://h/game?x=1")
        );
        assert_eq!(end.peer.endpoint.counters.messages_out, 0);
        let (_, other) = announcing(64 << 10);
        assert!(marker.len() == 16 && marker != other);
    }

    #[test]
    fn clients_that_do_not_ask_receive_no_heartbeat() {
        let mut end = End::open_server(&[]);
        end.feed(&masked(&beat(1, 1)));
        end.poll();
        assert_eq!((end.output(), end.items()), (vec![], vec![Binary(beat(1, 1))]));
    }

    /// A pong follows the last fragment of a long message, and nothing follows a close frame.
    #[test]
    fn a_pong_never_stands_between_fragments_or_after_a_close() {
        let mut end = End::server_over(20_000, true, &[(WS_OPT_HEARTBEAT_MS, WS_OFF)]);
        end.act(|connection, cx| connection.put(cx, false, &[7; 400_000]));
        end.feed(ASKING);
        let (mut output, mut sent) = (Vec::new(), false);
        for _ in 0..100 {
            let clock = Ticking { now: std::cell::Cell::new(end.now), step: ms(5), asked: std::cell::Cell::new(0) };
            end.poll_within(&clock, Some(1));
            output.extend(end.output());
            let at = output.windows(16).position(|bytes| bytes == b"wspeer-control\x01\x15");
            if let Some(marker) = at.and_then(|at| output.get(at + 16..at + 32))
                && !std::mem::replace(&mut sent, true)
            {
                assert!(end.peer.is_waiting());
                end.feed(&masked(&beat_of(marker, 1, 1)));
            }
        }
        let at = output.windows(16).position(|bytes| bytes == b"wspeer-control\x01\x15").unwrap();
        let pong = [b"\x82\x15".to_vec(), beat_of(&output[at + 16..at + 32], 2, 1)].concat();
        assert!(output.ends_with(&pong), "the last of {} bytes", output.len());
        end.act(|connection, cx| connection.close(cx, 0, ""));
        end.feed(&masked(&beat_of(&output[at + 16..at + 32], 1, 2)));
        end.poll();
        assert_eq!(end.output(), b"\x88\x02\x03\xE8");
    }

    #[test]
    fn pings_are_answered_and_hidden_from_the_host() {
        let (mut end, marker) = announcing(64 << 10);
        end.feed(
            &[masked(b"a"), masked(&beat_of(&marker, 1, 7)), masked(b"b"), masked(&beat_of(&marker, 2, 7))].concat(),
        );
        end.poll();
        assert_eq!(end.output(), frame(&beat_of(&marker, 2, 7)));
        assert_eq!(end.items(), [Binary(b"a".to_vec()), Binary(b"b".to_vec())]);
        assert_eq!(
            (
                end.peer.endpoint.counters.messages_in,
                end.peer.endpoint.counters.messages_out,
                end.peer.endpoint.counters.bytes_in
            ),
            (2, 0, 2)
        );
    }

    #[test]
    fn a_flood_of_pings_queues_at_most_one_pong() {
        let (mut end, marker) = announcing(4 << 10);
        // The client does not read the pongs: the transport holds a bounded number, and at most one is queued.
        for number in 0..2_000u32 {
            end.feed(&masked(&beat_of(&marker, 1, number as u8)));
            end.poll();
            assert!(end.peer.queued_bytes() <= 23, "{} bytes wait", end.peer.queued_bytes());
        }
        assert_eq!((end.items(), end.peer.state()), (vec![], State::Open));
        end.output();
        end.poll();
        // Of many pings in one read, the last is answered.
        end.output();
        end.feed(&(0..100).flat_map(|number| masked(&beat_of(&marker, 1, number))).collect::<Vec<u8>>());
        end.poll();
        assert_eq!(end.output(), frame(&beat_of(&marker, 2, 99)));
    }

    #[test]
    fn a_server_still_sends_ping_frames() {
        let (mut end, _) = announcing(64 << 10);
        end.pass(ms(20_000));
        assert_eq!(end.output(), b"\x89\x06wspeer");
    }
}
