//! Timeouts and heartbeats of a connection, with a fake clock: no test waits.

use crate::test_connection::*;
use std::cell::Cell;
use std::time::Duration;
use wspeer::codes::*;
use wspeer::internals::status::{Cause, EventKind, Phase, State, Text};

/// The heartbeat's ping as a server sends it, and a client's pong to it with masking key 0.
const PING: &[u8] = b"\x89\x06wspeer";
const PONG: &[u8] = b"\x8A\x86\0\0\0\0wspeer";

mod opening {
    use super::*;

    #[test]
    fn a_late_request_is_answered_with_408() {
        let mut end = End::server(&[]);
        assert_eq!(end.poll(), Some(end.start + ms(3_000)));
        end.pass(ms(2_900));
        assert_eq!(end.peer.state(), State::Connecting);
        end.pass(ms(100));
        assert_eq!(end.items(), [Closed(Phase::Http, Cause::HandshakeTimeout, 1006, false, 0)]);
        assert!(end.output().starts_with(b"HTTP/1.1 408 "));
    }

    #[test]
    fn a_trickled_request_does_not_extend_the_timeout() {
        let mut end = End::server(&[(WS_OPT_HANDSHAKE_TIMEOUT_MS, 1_000)]);
        for byte in &REQUEST[..20] {
            end.feed(&[*byte]);
            end.pass(ms(50));
        }
        assert_eq!(end.items(), [Closed(Phase::Http, Cause::HandshakeTimeout, 1006, false, 0)]);
    }

    #[test]
    fn a_request_received_before_the_timeout_check_is_accepted() {
        let mut end = End::server(&[]);
        end.poll();
        end.pass(ms(2_900));
        end.feed(REQUEST);
        end.now += ms(500);
        end.poll();
        assert_eq!(end.items(), [Event(EventKind::Open, 0)]);
    }

    #[test]
    fn a_client_times_out_without_a_response() {
        let mut end = End::client(Some(ms(10_000)), &[]);
        assert_eq!(end.poll(), Some(end.start + ms(10_000)));
        end.pass(ms(9_900));
        assert_eq!(end.peer.state(), State::Connecting);
        end.pass(ms(100));
        assert_eq!(end.items(), [Closed(Phase::Http, Cause::ConnectTimeout, 1006, false, 0)]);
    }

    #[test]
    fn a_refusal_with_an_incomplete_body_is_reported_as_a_refusal() {
        let mut end = End::client(Some(ms(10_000)), &[]);
        end.poll();
        end.feed(b"HTTP/1.1 404 Not Found\r\nContent-Length: 500\r\n\r\nnot");
        end.poll();
        end.pass(ms(200));
        end.feed(b"hing");
        end.pass(ms(40));
        assert_eq!(end.items(), []);
        end.pass(ms(10));
        assert_eq!(end.items(), [Closed(Phase::Http, Cause::HttpStatus, 1006, false, 0)]);
        assert_eq!((end.peer.endpoint.info.http_status, end.peer.endpoint.info.text(Text::Body)), (404, "nothing"));
    }

    /// At most 250 ms, and never longer than the timeout.
    #[test]
    fn the_body_of_a_refusal_is_awaited_for_a_limited_time() {
        for (timeout, waits) in [(None, 250), (Some(ms(10_000)), 250), (Some(ms(100)), 100)] {
            let mut end = End::client(timeout, &[]);
            end.poll();
            end.feed(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n");
            end.poll();
            end.pass(ms(waits - 10));
            assert_eq!(end.peer.state(), State::Connecting);
            end.pass(ms(10));
            assert_eq!(end.items(), [Closed(Phase::Http, Cause::HttpStatus, 1006, false, 0)]);
        }
    }

    #[test]
    fn without_a_timeout_the_handshake_never_ends() {
        for mut end in [End::client(None, &[]), End::server(&[(WS_OPT_HANDSHAKE_TIMEOUT_MS, WS_OFF)])] {
            assert_eq!(end.poll(), None);
            end.pass(Duration::from_secs(3_600));
            assert_eq!(end.peer.state(), State::Connecting);
        }
    }

    #[test]
    fn a_polling_gap_moves_the_deadline() {
        for mut end in [End::client(Some(ms(3_000)), &[]), End::server(&[])] {
            end.poll();
            end.pass(ms(2_000));
            end.now += ms(60_000);
            assert_eq!(end.poll(), Some(end.now + ms(1_000)));
            end.pass(ms(900));
            assert_eq!(end.peer.state(), State::Connecting);
            end.pass(ms(100));
            assert_eq!(end.peer.state(), State::Closed);
        }
    }

    #[test]
    fn a_polling_gap_of_up_to_one_second_does_not_move_the_deadline() {
        let mut end = End::server(&[]);
        for _ in 0..3 {
            end.poll();
            end.now += ms(1_000);
        }
        end.poll();
        assert_eq!(end.peer.state(), State::Closed);
    }
}

mod heartbeat {
    use super::*;

    #[test]
    fn a_server_pings_after_20_s_and_again_every_20_s() {
        let mut end = End::open_server(&[]);
        assert_eq!(end.poll(), Some(end.start + ms(20_000)));
        end.pass(ms(19_900));
        assert_eq!(end.output(), b"");
        end.pass(ms(100));
        assert_eq!(end.output(), PING);
        end.feed(PONG);
        assert_eq!(end.poll(), Some(end.start + ms(40_000)));
        end.pass(ms(20_000));
        assert_eq!(end.output(), PING);
    }

    #[test]
    fn a_client_sends_masked_pings_only_when_configured() {
        let mut end = End::open_client(&[]);
        end.pass(ms(600_000));
        assert_eq!((end.output().len(), end.peer.state()), (0, State::Open));
        let mut end = End::open_client(&[(WS_OPT_HEARTBEAT_MS, 5_000)]);
        end.pass(ms(5_000));
        let ping = end.output();
        assert_eq!((ping.len(), &ping[..2]), (12, b"\x89\x86".as_slice()));
    }

    #[test]
    fn the_round_trip_time_is_measured_from_ping_to_pong() {
        let mut end = End::open_server(&[(WS_OPT_HEARTBEAT_MS, 1_000)]);
        assert_eq!(end.peer.endpoint.rtt_us, 0);
        end.pass(ms(1_000));
        end.now += ms(37);
        end.feed(PONG);
        end.poll();
        assert_eq!(end.peer.endpoint.rtt_us, 37_000);
        // An unsolicited pong and pongs with another payload measure nothing.
        end.now += ms(50);
        end.feed(PONG);
        end.poll();
        end.now += ms(1_000);
        end.poll();
        end.feed(b"\x8A\x80\0\0\0\0\x8A\x82\0\0\0\0hi");
        end.now += ms(70);
        end.poll();
        assert_eq!(end.peer.endpoint.rtt_us, 37_000);
    }

    #[test]
    fn a_silent_peer_is_dead_after_60_s() {
        let mut end = End::open_server(&[]);
        end.pass(ms(59_900));
        assert_eq!((end.peer.state(), end.output()), (State::Open, [PING, PING].concat()));
        end.pass(ms(100));
        assert_eq!(end.items(), [Closed(Phase::Websocket, Cause::PongTimeout, 1006, false, 0)]);
        assert_eq!(end.elapsed(), ms(60_000));
    }

    #[test]
    fn the_pong_timeout_is_three_heartbeats_or_as_set_or_off() {
        for (changes, dead) in [
            ([(WS_OPT_HEARTBEAT_MS, 500), (WS_OPT_PONG_TIMEOUT_MS, 0)], Some(1_500)),
            ([(WS_OPT_HEARTBEAT_MS, 500), (WS_OPT_PONG_TIMEOUT_MS, 5_000)], Some(5_000)),
            ([(WS_OPT_HEARTBEAT_MS, 500), (WS_OPT_PONG_TIMEOUT_MS, WS_OFF)], None),
            ([(WS_OPT_HEARTBEAT_MS, WS_OFF), (WS_OPT_PONG_TIMEOUT_MS, 5_000)], None),
            ([(WS_OPT_HEARTBEAT_MS, WS_OFF), (WS_OPT_PONG_TIMEOUT_MS, 0)], None),
        ] {
            let mut end = End::open_server(&changes);
            match dead {
                Some(dead) => assert_eq!(end.closed_after(ms(20_000)), ms(dead), "{changes:?}"),
                None => {
                    end.pass(ms(100_000));
                    assert_eq!(end.peer.state(), State::Open, "{changes:?}");
                }
            }
        }
    }

    #[test]
    fn any_byte_is_a_sign_of_life() {
        let mut end = End::open_server(&[]);
        // One byte of an unfinished frame every 50 s, and never a pong.
        end.feed(b"\x82\xFD\0\0\0\0");
        for _ in 0..10 {
            end.feed(b"x");
            end.pass(ms(50_000));
            assert_eq!(end.peer.state(), State::Open);
        }
        end.pass(ms(10_100));
        assert_eq!(end.peer.state(), State::Closed, "60 s after the last one was read");
    }

    #[test]
    fn received_bytes_are_read_before_the_pong_timeout_is_checked() {
        let mut end = End::open_server(&[]);
        end.pass(ms(59_900));
        end.feed(PONG);
        end.now += ms(900);
        end.poll();
        assert_eq!(end.peer.state(), State::Open);
    }

    #[test]
    fn the_pong_timer_is_paused_while_the_inbound_queue_is_full() {
        let mut end = End::open_server(&[(WS_OPT_INBOUND_PACKETS, 3)]);
        // Three messages fill the queue, and the next ones fill the 64 KiB after which reading stops; the pongs would
        // come after that.
        for _ in 0..12 {
            end.feed(&[b"\x82\xFE\x27\x10\0\0\0\0".as_slice(), &[7; 10_000]].concat());
        }
        end.pass(ms(300_000));
        assert!(end.peer.is_reading_paused());
        assert_eq!(end.peer.state(), State::Open, "while reading is paused, missing pongs do not count");
        let mut taken = end.items().len();
        end.poll();
        taken += end.items().len();
        assert_eq!(taken, 12);
        end.pass(ms(59_900));
        assert_eq!(end.peer.state(), State::Open, "the silence counts from when reading resumed");
        end.pass(ms(200));
        assert_eq!(end.peer.state(), State::Closed);
    }

    #[test]
    fn a_polling_gap_does_not_count_as_silence() {
        let mut end = End::open_server(&[]);
        end.pass(ms(50_000));
        end.now += ms(500_000);
        end.poll();
        end.pass(ms(9_900));
        assert_eq!(end.peer.state(), State::Open);
        end.pass(ms(100));
        assert_eq!(end.peer.state(), State::Closed, "the silence before and after the gap counts");
    }

    #[test]
    fn a_polling_gap_moves_the_last_sign_of_life_and_the_next_ping() {
        let mut end = End::open_server(&[(WS_OPT_HEARTBEAT_MS, 5_000), (WS_OPT_PONG_TIMEOUT_MS, 15_000)]);
        end.pass(ms(5_000));
        assert_eq!(end.output(), PING);
        end.pass(ms(4_000));
        // The peer sends a message but does not answer the ping.
        end.feed(b"\x82\x81\0\0\0\0x");
        end.poll();
        end.now += ms(60_000);
        end.poll();
        end.pass(ms(900));
        assert_eq!(end.output(), b"", "the next ping was a second away before the gap");
        end.pass(ms(100));
        assert_eq!(end.output(), PING);
        assert_eq!(
            end.closed_after(ms(60_000)),
            ms(14_000),
            "15 s after it was heard, and not 10 s after the first ping"
        );
    }

    #[test]
    fn no_ping_follows_a_close_frame() {
        let mut end = End::open_server(&[
            (WS_OPT_HEARTBEAT_MS, 1_000),
            (WS_OPT_PONG_TIMEOUT_MS, 2_000),
            (WS_OPT_CLOSE_TIMEOUT_MS, 60_000),
        ]);
        end.act(|peer, cx| peer.close(cx, 0, ""));
        end.poll();
        assert_eq!(end.output()[0], 0x88);
        end.pass(ms(10_000));
        assert_eq!((end.output(), end.peer.state()), (Vec::new(), State::Closing));
    }

    #[test]
    fn a_polling_gap_is_not_part_of_the_round_trip_time() {
        let mut end = End::open_server(&[(WS_OPT_HEARTBEAT_MS, 10_000)]);
        end.pass(ms(10_000));
        end.pass(ms(30));
        end.feed(PONG);
        end.now += ms(5_000);
        end.poll();
        assert_eq!(end.peer.endpoint.rtt_us, 30_000);
    }

    #[test]
    fn a_ping_always_has_time_to_be_answered() {
        // With a pong timeout not above the heartbeat interval, the silence already exceeds it when the ping is sent.
        for timeout in [500, 5_000, 5_001] {
            let mut end = End::open_server(&[(WS_OPT_HEARTBEAT_MS, 5_000), (WS_OPT_PONG_TIMEOUT_MS, timeout)]);
            end.pass(ms(5_000));
            for _ in 0..3 {
                assert_eq!((end.peer.state(), end.output()), (State::Open, PING.to_vec()), "with {timeout} ms");
                end.now += ms(300);
                end.feed(PONG);
                end.poll();
                end.pass(ms(4_700));
            }
            assert_eq!((end.peer.state(), end.output()), (State::Open, PING.to_vec()));
            assert_eq!(end.closed_after(ms(5_000)), ms(1_000), "after the ping, one second to answer");
        }
    }

    #[test]
    fn a_heartbeat_enabled_later_pings_first() {
        let mut end = End::open_client(&[]);
        end.pass(ms(600_000));
        std::sync::Arc::make_mut(&mut end.peer.endpoint.options).set(WS_OPT_HEARTBEAT_MS, 1_000).unwrap();
        end.pass(ms(100));
        assert_eq!((end.output().len(), end.peer.state()), (12, State::Open));
        end.feed(b"\x8A\x06wspeer");
        end.pass(ms(900));
        assert_eq!(end.peer.state(), State::Open);
        assert_eq!(end.closed_after(ms(10_000)), ms(2_200), "three heartbeats after the pong was read");
    }

    #[test]
    fn a_late_poll_pings_before_the_pong_timeout() {
        let mut end = End::open_server(&[(WS_OPT_HEARTBEAT_MS, 200), (WS_OPT_PONG_TIMEOUT_MS, 600)]);
        end.now += ms(900);
        end.poll();
        assert_eq!((end.output(), end.peer.state()), (PING.to_vec(), State::Open));
        assert_eq!(end.closed_after(ms(5_000)), ms(400), "the time from the first ping to the pong timeout");
    }

    #[test]
    fn no_heartbeat_is_sent_before_open_or_while_closing() {
        let mut end = End::server(&[(WS_OPT_HEARTBEAT_MS, 100), (WS_OPT_HANDSHAKE_TIMEOUT_MS, WS_OFF)]);
        end.pass(ms(5_000));
        assert_eq!((end.output().len(), end.peer.state()), (0, State::Connecting));
        let mut end = End::open_server(&[(WS_OPT_HEARTBEAT_MS, 100)]);
        end.act(|peer, cx| peer.close(cx, 0, ""));
        end.pass(ms(2_900));
        assert_eq!((end.output(), end.peer.state()), (b"\x88\x02\x03\xE8".to_vec(), State::Closing));
    }
}

mod closing {
    use super::*;

    #[test]
    fn an_unanswered_close_times_out_after_3_s() {
        for mut end in [End::open_server(&[]), End::open_client(&[])] {
            end.poll();
            end.act(|peer, cx| peer.close(cx, 1001, "bye"));
            assert_eq!((end.peer.state(), end.poll()), (State::Closing, Some(end.now + ms(3_000))));
            assert_eq!(end.closed_after(ms(10_000)), ms(3_000));
            assert_eq!(end.items(), [Closed(Phase::App, Cause::CloseTimeout, 1006, false, 0)]);
        }
    }

    #[test]
    fn an_answered_close_ends_at_once_and_cleanly() {
        let mut end = End::open_server(&[]);
        end.act(|peer, cx| peer.close(cx, 4_000, "bye"));
        assert_eq!(end.output(), b"\x88\x05\x0F\xA0bye");
        end.feed(b"\x82\x81\0\0\0\0x\x88\x82\0\0\0\0\x0F\xA0");
        assert_eq!(end.poll(), None);
        assert_eq!(end.items(), [Binary(b"x".to_vec()), Closed(Phase::App, Cause::ClosedByHost, 4_000, true, 0)]);
    }

    #[test]
    fn queued_messages_precede_the_close_and_progress_extends_the_timeout() {
        let mut end = End::open_server_over(1_000, &[(WS_OPT_CLOSE_TIMEOUT_MS, 3_000)]);
        for _ in 0..10 {
            assert_eq!(end.act(|peer, cx| peer.put(cx, false, &[7; 996])), wspeer::internals::link::Sent::Taken);
        }
        end.act(|peer, cx| peer.close(cx, 0, ""));
        let mut received = 0;
        for _ in 0..9 {
            end.pass(ms(2_900));
            received += end.output().len();
            end.poll();
            assert_eq!(end.peer.state(), State::Closing, "after {received} bytes");
        }
        received += end.output().len();
        end.poll();
        received += end.output().len();
        assert_eq!(received, 10 * 1_000 + 4, "all of it, and the close behind it");
        end.feed(b"\x88\x82\0\0\0\0\x03\xE8");
        end.poll();
        assert_eq!(end.items(), [Closed(Phase::App, Cause::ClosedByHost, 1000, true, 0)]);
    }

    #[test]
    fn a_close_without_progress_times_out_and_counts_unsent_messages() {
        let mut end = End::open_server_over(1_000, &[]);
        for _ in 0..10 {
            end.act(|peer, cx| peer.put(cx, false, &[7; 996]));
        }
        end.act(|peer, cx| peer.close(cx, 0, ""));
        end.pass(ms(2_000));
        assert_eq!(end.output().len(), 1_000);
        end.poll();
        assert_eq!(end.closed_after(ms(10_000)), ms(3_000), "counted from the last progress");
        assert_eq!(
            end.items(),
            [Closed(Phase::App, Cause::CloseTimeout, 1006, false, 8)],
            "of ten, one was read and one is in the pipe"
        );
    }

    #[test]
    fn a_close_timeout_with_a_full_inbound_queue_reports_not_reading() {
        let mut end = End::open_server(&[(WS_OPT_INBOUND_PACKETS, 1)]);
        for _ in 0..20 {
            end.feed(&[b"\x82\xFE\x27\x10\0\0\0\0".as_slice(), &[7; 10_000]].concat());
        }
        end.feed(b"\x88\x80\0\0\0\0");
        end.act(|peer, cx| peer.close(cx, 0, ""));
        end.poll();
        assert_eq!(end.closed_after(ms(10_000)), ms(3_000));
        let mut items = end.items();
        assert_eq!(items.pop(), Some(Closed(Phase::App, Cause::NotReading, 1006, false, 0)));
        assert!((6..20).contains(&items.len()), "what was read stays readable: {} messages", items.len());
    }

    #[test]
    fn a_close_by_the_peer_waits_for_queued_messages() {
        let mut end = End::open_server_over(1_000, &[]);
        for _ in 0..3 {
            end.act(|peer, cx| peer.put(cx, false, &[7; 996]));
        }
        end.feed(b"\x88\x82\0\0\0\0\x03\xE9");
        end.poll();
        assert_eq!(end.items(), [Event(EventKind::CloseRequest, 1001)]);
        let mut received = Vec::new();
        for _ in 0..4 {
            end.pass(ms(2_000));
            received.extend(end.output());
            end.poll();
        }
        assert_eq!((received.len(), &received[3_000..]), (3_004, b"\x88\x02\x03\xE9".as_slice()));
        assert_eq!(end.items(), [Closed(Phase::App, Cause::ClosedByPeer, 1001, true, 0)]);
    }

    #[test]
    fn a_polling_gap_moves_the_deadline() {
        let mut end = End::open_server(&[]);
        end.act(|peer, cx| peer.close(cx, 0, ""));
        end.poll();
        end.pass(ms(2_000));
        end.now += ms(30_000);
        end.poll();
        assert_eq!(end.closed_after(ms(10_000)), ms(1_000));
    }

    #[test]
    fn a_failed_connection_ends_once_its_close_frame_is_sent() {
        let mut end = End::open_server(&[]);
        end.feed(b"\x82\x81\0\0\0\0x\x83\x80\0\0\0\0");
        end.poll();
        let output = end.output();
        assert_eq!((output[0], &output[2..4]), (0x88, 1002u16.to_be_bytes().as_slice()));
        assert_eq!(end.items(), [Binary(b"x".to_vec()), Closed(Phase::Websocket, Cause::Protocol, 1002, false, 0)]);
    }

    /// Queues 800,000 bytes in messages before OPEN, and receives `behind` right after the request, while they wait for
    /// encoding. Returns the number of message bytes sent, the opcode of the last frame, and the items.
    fn closed_by(behind: &[u8], capacity: usize) -> (usize, u8, Vec<Took>) {
        let mut end = End::server_over(capacity, true, &[]);
        for _ in 0..8 {
            assert_eq!(end.act(|peer, cx| peer.put(cx, false, &[1; 100_000])), wspeer::internals::link::Sent::Taken);
        }
        end.feed(&[REQUEST, behind].concat());
        let clock = Ticking { now: Cell::new(end.now), step: ms(1), asked: Cell::new(0) };
        let mut output = Vec::new();
        for _ in 0..10_000 {
            end.poll_within(&clock, Some(1));
            output.extend(end.output());
            if end.peer.state() == State::Closed {
                break;
            }
        }
        let mut rest = &output[output.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4..];
        let (mut bytes, mut last) = (0, 0);
        while let [first, len, ..] = *rest {
            let (head, len) = match len {
                126 => (4, usize::from(u16::from_be_bytes(rest[2..4].try_into().unwrap()))),
                127 => (10, u64::from_be_bytes(rest[2..10].try_into().unwrap()) as usize),
                _ => (2, usize::from(len)),
            };
            last = first & 0x0F;
            bytes += if last < 8 { len } else { 0 };
            rest = &rest[head + len..];
        }
        (bytes, last, end.items())
    }

    #[test]
    fn messages_waiting_for_encoding_precede_the_close_reply() {
        let (bytes, last, items) = closed_by(b"\x88\x82\0\0\0\0\x03\xE8", 16 << 20);
        assert_eq!((bytes, last), (800_000, 8));
        assert_eq!(items.last(), Some(&Closed(Phase::App, Cause::ClosedByPeer, 1000, true, 0)));
    }

    #[test]
    fn messages_waiting_for_encoding_are_dropped_when_the_connection_fails() {
        // A small transport takes the close frame only after several polls, together with the messages after it.
        for capacity in [16 << 20, 10_000] {
            let (bytes, last, items) = closed_by(b"\x83\x80\0\0\0\0", capacity);
            assert!(bytes < 800_000 && last == 8, "{bytes}, opcode {last}");
            let Some(Closed(Phase::Websocket, Cause::Protocol, 1002, false, unsent)) = items.last() else {
                panic!("{items:?}")
            };
            assert!(*unsent >= 1, "{unsent}");
        }
    }

    #[test]
    fn a_refused_request_ends_despite_messages_queued_before_open() {
        let mut end = End::server_over(256 << 10, true, &[]);
        assert_eq!(end.act(|peer, cx| peer.put(cx, false, b"early")), wspeer::internals::link::Sent::Taken);
        end.feed(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        end.poll();
        assert_eq!(end.peer.state(), State::Closed);
        assert!(end.output().starts_with(b"HTTP/1.1 4"));
    }

    #[test]
    fn a_peer_that_closed_and_disconnected_is_not_waited_for() {
        for (mut end, masked) in [(End::open_server_over(1_000, &[]), true), (End::open_client(&[]), false)] {
            for _ in 0..3 {
                end.act(|peer, cx| peer.put(cx, false, &[7; 996]));
            }
            let unsent = if masked { 2 } else { 0 };
            end.feed(if masked { b"\x88\x82\0\0\0\0\x03\xE8" } else { b"\x88\x02\x03\xE8" });
            end.hang_up();
            end.poll();
            let closed = Closed(Phase::App, Cause::ClosedByPeer, 1000, false, unsent);
            assert_eq!(
                end.items(),
                [Event(EventKind::CloseRequest, 1000), closed],
                "the answer to the close cannot be sent"
            );
        }
    }

    /// The remote peer keeps sending pings, and reads 100 bytes every 2 s. Returns how long the close takes.
    fn time_with_pings(end: &mut End, most: std::time::Duration) -> std::time::Duration {
        let ping = [b"\x89\xFD\0\0\0\0".as_slice(), &[7; 125]].concat();
        let began = end.now;
        let mut piece = [0; 100];
        while end.peer.state() != State::Closed {
            assert!(end.now - began < most, "it is still there after {most:?}");
            while end.far.room() >= ping.len() && end.far.write(&ping).is_ok_and(|count| count > 0) {}
            end.pass(ms(2_000));
            let _ = end.far.read(&mut piece);
        }
        end.now - began
    }

    #[test]
    fn pongs_after_our_close_frame_do_not_count_as_progress() {
        let mut end = End::open_server_over(1_000, &[]);
        end.act(|peer, cx| peer.close(cx, 4_001, "bye"));
        assert!(time_with_pings(&mut end, ms(60_000)) <= ms(4_000));
        assert_eq!(end.items(), [Closed(Phase::App, Cause::CloseTimeout, 1006, false, 0)]);
        // The close frame is queued after messages, which count as progress: 3,004 bytes, of which 1,000 are in the
        // transport and 100 are read every 2 s.
        let mut end = End::open_server_over(1_000, &[]);
        for _ in 0..3 {
            end.act(|peer, cx| peer.put(cx, false, &[7; 996]));
        }
        end.act(|peer, cx| peer.close(cx, 0, ""));
        let time = time_with_pings(&mut end, ms(120_000));
        assert!((ms(40_000)..=ms(48_000)).contains(&time), "{time:?}");
    }

    #[test]
    fn a_close_does_not_wait_for_pongs_queued_after_it() {
        let mut end = End::open_server_over(1_000, &[]);
        end.act(|peer, cx| peer.close(cx, 4_001, ""));
        let ping = [b"\x89\xFD\0\0\0\0".as_slice(), &[7; 125]].concat();
        for _ in 0..50 {
            let _ = end.far.write(&ping[..ping.len() * usize::from(end.far.room() >= ping.len())]);
            end.poll();
        }
        assert!(end.peer.has_output(), "pongs wait");
        end.feed(b"\x88\x82\0\0\0\0\x0F\xA1");
        end.poll();
        assert_eq!(end.items(), [Closed(Phase::App, Cause::ClosedByHost, 4_001, true, 0)]);
    }

    #[test]
    fn the_event_reports_the_code_and_reason_of_the_peer() {
        for (frame, sentence) in [
            (b"\x88\x06\x03\xF1long".as_slice(), "the peer closed the connection with 1009 (message too big): long"),
            (b"\x88\x02\x0F\xA1", "the peer closed the connection with 4001"),
            (b"\x88\x05\x03\xE8a\nb", "the peer closed the connection with 1000: a b"),
            (b"\x88\0", "the peer closed the connection without a code"),
        ] {
            let mut end = End::open_client(&[]);
            end.feed(frame);
            end.poll();
            let mark = end.peer.endpoint.info.end().unwrap();
            let text = mark.text.as_ref().map(|text| String::from_utf8_lossy(&text[..text.len() - 1]).into_owned());
            assert_eq!((text.as_deref(), mark.cause), (Some(sentence), Cause::ClosedByPeer));
        }
    }

    #[test]
    fn a_received_close_frame_takes_precedence_over_a_write_error() {
        let mut end = End::open_client(&[]);
        end.feed(b"\x82\x01x\x88\x05\x0F\xA1out");
        end.hang_up();
        // The put finds that the peer has disconnected, before anything was read.
        end.act(|peer, cx| peer.put(cx, false, b"on the way"));
        end.poll();
        let items = end.items();
        assert_eq!(items[..2], [Binary(b"x".to_vec()), Event(EventKind::CloseRequest, 4_001)]);
        assert!(matches!(items[2], Closed(Phase::App, Cause::ClosedByPeer, 4_001, false, _)), "{items:?}");
    }

    #[test]
    fn a_completed_closing_handshake_is_clean_though_a_pong_cannot_be_sent() {
        let mut end = End::open_client(&[]);
        end.act(|peer, cx| peer.close(cx, 1000, "done"));
        end.poll();
        end.feed(b"\x89\x00\x88\x02\x03\xE8");
        end.hang_up();
        end.poll();
        assert_eq!(end.items(), [Closed(Phase::App, Cause::ClosedByHost, 1000, true, 0)]);
    }

    #[test]
    fn a_failed_connection_reports_its_own_cause_when_the_peer_is_gone() {
        let mut end = End::open_server(&[]);
        end.feed(b"\x83\x80\0\0\0\0");
        end.hang_up();
        end.poll();
        assert_eq!(end.items(), [Closed(Phase::Websocket, Cause::Protocol, 1002, false, 0)]);
        let mut end = End::server(&[]);
        end.feed(b"GET / HTTP/1.1\r\n\r\n");
        end.hang_up();
        end.poll();
        assert_eq!(end.items(), [Closed(Phase::Http, Cause::HttpInvalid, 1006, false, 0)]);
    }
}
