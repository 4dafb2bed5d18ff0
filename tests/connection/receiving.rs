//! From the transport to the queue: how much is read when, what waits for the next poll, and what is counted.

use crate::test_connection::*;
use std::cell::Cell;
use std::time::Duration;
use wspeer::codes::*;
use wspeer::internals::link::Sent;
use wspeer::internals::status::{Cause, Phase, State};
use wspeer::internals::work::ROUND_BYTES;

const QUIET: (i32, u32) = (WS_OPT_HEARTBEAT_MS, WS_OFF);
/// What is read while the queue is full.
const OVER_FULL_BYTES: usize = 64 << 10;

fn clock(end: &End, step_us: u64) -> Ticking {
    Ticking { now: Cell::new(end.now), step: Duration::from_micros(step_us), asked: Cell::new(0) }
}

/// Masked binary messages of `len` bytes.
fn messages(count: usize, len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for index in 0..count {
        bytes.push(0x82);
        match len {
            0..126 => bytes.push(0x80 | len as u8),
            126..65_536 => bytes.extend([&[0xFE], (len as u16).to_be_bytes().as_slice()].concat()),
            _ => bytes.extend([&[0xFF], (len as u64).to_be_bytes().as_slice()].concat()),
        }
        bytes.extend([0; 4]);
        bytes.resize(bytes.len() + len, index as u8);
    }
    bytes
}

/// Bytes that the remote peer has sent and the connection has not read.
fn unread(end: &End, capacity: usize) -> usize {
    capacity - end.far.room()
}

#[test]
fn a_full_queue_lets_64_kib_be_read_for_control_frames() {
    let capacity = 4 << 20;
    let mut end = End::open_server_over(capacity, &[(WS_OPT_INBOUND_PACKETS, 1), QUIET]);
    end.feed(&messages(2_000, 4));
    end.poll();
    assert!(!end.peer.is_reading_paused() && end.peer.wants_input(), "20,000 bytes were read");
    end.feed(&messages(40_000, 4));
    for _ in 0..5 {
        end.poll();
        assert_eq!(unread(&end, capacity), 400_000 - (OVER_FULL_BYTES - 20_000));
    }
    assert!(end.peer.is_reading_paused() && !end.peer.wants_input() && !end.peer.has_backlog());
    assert_eq!(end.peer.endpoint.counters.snapshot().rare.stalls, 1);
    // Once the program has taken the messages, reading goes on, and the next stall allows as much.
    end.items();
    assert!(end.peer.wants_input());
    end.poll();
    let read = 400_000 - (OVER_FULL_BYTES - 20_000) - unread(&end, capacity);
    assert!((OVER_FULL_BYTES..=ROUND_BYTES).contains(&read), "{read} bytes");
    assert_eq!(end.peer.endpoint.counters.snapshot().rare.stalls, 2);
}

#[test]
fn short_messages_are_read_even_while_the_queue_is_full_if_control_frames_follow() {
    let mut end = End::open_server(&[(WS_OPT_INBOUND_PACKETS, 1), QUIET]);
    end.feed(&messages(10, 4));
    end.poll();
    end.feed(b"\x89\x82\0\0\0\0hi");
    end.poll();
    assert_eq!(end.output(), b"\x8A\x02hi");
}

#[test]
fn fragments_and_control_frames_use_up_the_budget() {
    let fragments: Vec<u8> =
        [b"\x02\x80\0\0\0\0".to_vec(), b"\0\x80\0\0\0\0".repeat(20_000), b"\x80\x80\0\0\0\0".to_vec()].concat();
    let pongs = b"\x8A\x80\0\0\0\0".repeat(20_000);
    for bytes in [fragments, pongs] {
        let mut end = End::open_server(&[(WS_OPT_MAX_FRAGMENTS, WS_OFF), QUIET]);
        end.feed(&bytes);
        let (mut polls, mut more) = (0, true);
        while more {
            let clock = clock(&end, 100);
            more = end.poll_within(&clock, Some(1_000)).0;
            assert!(clock.asked.get() < 40, "the clock was read {} times", clock.asked.get());
            polls += 1;
        }
        assert!(polls > 20, "{polls} polls");
        // Without a budget in one.
        let mut end = End::open_server(&[(WS_OPT_MAX_FRAGMENTS, WS_OFF), QUIET]);
        end.feed(&bytes);
        let clock = clock(&end, 100);
        assert!(!end.poll_within(&clock, None).0);
    }
}

#[test]
fn work_that_is_left_is_reported_until_it_is_done() {
    let mut end = End::open_server(&[(WS_OPT_INBOUND_PACKETS, WS_OFF), QUIET]);
    assert!(!end.peer.has_backlog() && end.peer.wants_input());
    end.feed(&messages(5_000, 4));
    let (mut polls, mut kept) = (0, Vec::new());
    loop {
        let clock = clock(&end, 200);
        let (more, _) = end.poll_within(&clock, Some(1_000));
        assert_eq!(more, end.peer.has_backlog());
        kept.push(end.peer.kept_bytes());
        polls += 1;
        if !more {
            break;
        }
    }
    assert!(polls > 5 && kept[0] >= 40_000, "{polls} polls, {kept:?}");
    end.act(|connection, _| connection.shrink());
    assert_eq!((end.items().len(), end.peer.kept_bytes()), (5_000, 0));
    // Nothing more is read after a close frame or a violation.
    end.feed(b"\x88\x80\0\0\0\0");
    end.hang_up();
    end.poll();
    assert_eq!((end.peer.wants_input(), end.peer.has_backlog(), end.peer.state()), (false, false, State::Closed));
}

#[test]
fn nothing_is_read_after_a_close_frame_or_a_violation() {
    for (last, state) in [(b"\x88\x80\0\0\0\0".as_slice(), State::Closing), (b"\x83\x80\0\0\0\0", State::Closing)] {
        let capacity = 4_096;
        let mut end = End::open_server_over(capacity, &[QUIET]);
        // So much waits to be sent that the connection does not end at once.
        end.act(|connection, cx| connection.put(cx, false, &[7; 10_000]));
        end.feed(last);
        end.poll();
        assert_eq!((end.peer.state(), end.peer.wants_input()), (state, false));
        end.feed(&messages(3, 4));
        end.poll();
        assert_eq!(unread(&end, capacity), 30);
        assert!(!end.items().iter().any(|item| matches!(item, Binary(_))));
    }
}

#[test]
fn incomplete_messages_are_counted_as_kept_memory() {
    let mut end = End::open_server(&[(WS_OPT_INBOUND_PACKETS, WS_OFF), QUIET]);
    let before = end.peer.kept_bytes();
    end.feed(&messages(1, 100_000)[..60_000]);
    end.poll();
    assert!(end.peer.kept_bytes() >= before + 59_000, "{}", end.peer.kept_bytes());
    end.feed(&messages(1, 100_000)[60_000..]);
    end.poll();
    assert_eq!(end.items().len(), 1);
    end.act(|connection, _| connection.shrink());
    assert_eq!(end.peer.kept_bytes(), before);
}

/// A read is smaller after the budget ended before all of the last one was decoded, and grows again later.
#[test]
fn reads_are_as_large_as_the_budget_can_decode() {
    let capacity = 8 << 20;
    let mut end =
        End::open_server_over(capacity, &[(WS_OPT_INBOUND_PACKETS, WS_OFF), (WS_OPT_INBOUND_BYTES, WS_OFF), QUIET]);
    end.feed(&messages(400_000, 4));
    let (mut reads, mut before) = (Vec::new(), unread(&end, capacity));
    for _ in 0..600 {
        let clock = clock(&end, 100);
        end.poll_within(&clock, Some(1_000));
        let now = unread(&end, capacity);
        if now < before {
            reads.push(before - now);
        }
        before = now;
        end.items();
    }
    assert_eq!(reads[0], 128 << 10, "what the arena of this test holds");
    // The budget is enough for 640 messages, and the least read has 2,150.
    assert!(reads.len() > 10 && reads[1..].iter().all(|read| *read == 21 << 10), "{reads:?}");
}

#[test]
fn what_arrived_before_a_failed_write_is_delivered() {
    for budget in [None, Some(1)] {
        let mut end = End::open_server(&[(WS_OPT_INBOUND_PACKETS, WS_OFF), QUIET]);
        end.feed(&messages(1_000, 4));
        end.hang_up();
        end.act(|connection, cx| connection.put(cx, false, b"x"));
        assert!(end.peer.has_failed());
        let mut items = Vec::new();
        for polls in 0.. {
            let clock = clock(&end, 100);
            end.poll_within(&clock, budget);
            items.extend(end.items());
            if end.peer.state() == State::Closed {
                break;
            }
            assert!(polls < 1_000);
        }
        assert_eq!(items.len(), 1_001);
        assert!(
            matches!(items[1_000], Closed(Phase::Websocket, Cause::Reset | Cause::PeerGone, 1006, false, 1)),
            "{:?}",
            items[1_000]
        );
    }
}

/// A client of a server yields to the others after a round.
#[test]
fn a_client_of_a_server_is_read_for_one_round() {
    let capacity = 4 << 20;
    let mut end =
        End::open_server_over(capacity, &[(WS_OPT_INBOUND_PACKETS, WS_OFF), (WS_OPT_INBOUND_BYTES, WS_OFF), QUIET]);
    end.peer.endpoint.of_server = true;
    end.feed(&messages(200_000, 4));
    let clock = clock(&end, 0);
    assert!(end.poll_within(&clock, None).0);
    let read = 2_000_000 - unread(&end, capacity);
    assert!((ROUND_BYTES..ROUND_BYTES + (128 << 10)).contains(&read), "{read} bytes");
}

#[test]
fn a_ping_is_answered_by_the_poll_that_reads_it() {
    let mut end = End::open_server(&[(WS_OPT_INBOUND_PACKETS, WS_OFF), QUIET]);
    end.feed(&[b"\x89\x82\0\0\0\0hi".to_vec(), messages(5_000, 4)].concat());
    let clock = clock(&end, 5_000);
    assert!(end.poll_within(&clock, Some(1)).0);
    assert_eq!(end.output(), b"\x8A\x02hi");
}

mod closing {
    use super::*;

    /// 800,000 bytes that were put before OPEN and wait for encoding.
    fn waiting(capacity: usize) -> End {
        let mut end = End::server_over(capacity, true, &[QUIET]);
        for _ in 0..8 {
            assert_eq!(end.act(|connection, cx| connection.put(cx, false, &[1; 100_000])), Sent::Taken);
        }
        end.feed(super::REQUEST);
        poll_briefly(&mut end);
        assert_eq!((end.peer.state(), end.peer.is_waiting()), (State::Open, true));
        end
    }

    /// A poll with time for one slice.
    fn poll_briefly(end: &mut End) {
        let clock = clock(end, 5_000);
        end.poll_within(&clock, Some(1));
    }

    #[test]
    fn a_poll_with_time_encodes_all_that_waits() {
        let mut end = waiting(16 << 20);
        end.poll();
        assert_eq!((end.peer.is_waiting(), end.peer.queued_bytes()), (false, 0));
    }

    #[test]
    fn encoding_counts_as_progress_of_a_close() {
        let mut end = waiting(4_096);
        end.feed(b"\x88\x82\0\0\0\0\x03\xE8");
        poll_briefly(&mut end);
        let mut ahead = end.peer.close_deadline().unwrap();
        let mut moved = 0;
        // Nothing is read, so only encoding can move the deadline: until 256 KiB are ahead.
        for _ in 0..10 {
            end.now += ms(200);
            poll_briefly(&mut end);
            let deadline = end.peer.close_deadline().unwrap();
            moved += u32::from(deadline > ahead);
            ahead = deadline;
        }
        assert!((2..=5).contains(&moved), "moved {moved} times");
        let last = ahead - end.now;
        assert_eq!(end.closed_after(ms(5_000)), last);
    }

    #[test]
    fn a_failure_without_a_close_frame_drops_what_waits_for_encoding() {
        let mut end = waiting(16 << 20);
        let failure = wspeer::internals::error::Failure::new(Phase::Websocket, Cause::Resources, "gone");
        end.output();
        end.act(|connection, cx| connection.fail(cx, failure));
        end.poll();
        assert_eq!(end.peer.state(), State::Closed);
        let output = end.output();
        assert!(output.is_empty() || output[0] != 0x88, "no close frame");
        assert!(matches!(end.items().pop(), Some(Closed(Phase::Websocket, Cause::Resources, 1006, false, 7..))));
    }

    #[test]
    fn a_close_frame_drops_the_message_under_way() {
        let mut end = End::open_server_over(100_000, &[QUIET]);
        let before = end.peer.kept_bytes();
        end.act(|connection, cx| connection.put(cx, false, &[7; 200_000]));
        let mut fragment = messages(1, 60_000);
        fragment[0] = 0x02;
        end.feed(&fragment);
        end.poll();
        assert!(end.peer.kept_bytes() >= 60_000);
        end.feed(b"\x88\x82\0\0\0\0\x03\xE8");
        end.poll();
        assert!(
            end.peer.state() == State::Closing && end.peer.kept_bytes() < before + 1_000,
            "{}",
            end.peer.kept_bytes()
        );
    }

    /// A peer that never stops sending: its close is checked a second after the timeout.
    #[test]
    fn an_overdue_close_ends_although_there_is_more_to_read() {
        let mut end = End::open_server(&[(WS_OPT_INBOUND_PACKETS, WS_OFF), QUIET]);
        end.act(|connection, cx| connection.close(cx, 0, ""));
        end.poll();
        let (began, flood) = (end.now, messages(10_000, 4));
        let mut sent = 0;
        while end.peer.state() != State::Closed {
            sent += end.far.write(&flood[sent % 10..]).unwrap_or(0);
            end.now += ms(100);
            let clock = clock(&end, 5_000);
            let (more, _) = end.poll_within(&clock, Some(1));
            let is_over = end.now - began >= ms(4_000);
            assert_eq!((more || is_over, end.peer.state() == State::Closed), (true, is_over), "{:?}", end.now - began);
            end.items();
        }
    }

    fn text(end: &End) -> String {
        let mark = end.peer.endpoint.info.end().unwrap();
        mark.text.as_ref().map(|text| String::from_utf8_lossy(&text[..text.len() - 1]).into_owned()).unwrap()
    }

    #[test]
    fn the_first_close_counts() {
        let mut end = End::open_server(&[QUIET]);
        assert_eq!(end.peer.close_reason(), "");
        end.act(|connection, cx| connection.close(cx, 4_000, "one"));
        assert_eq!(end.peer.close_reason(), "one");
        end.act(|connection, cx| connection.close(cx, 4_001, "two"));
        assert_eq!((end.output(), end.peer.close_reason()), (b"\x88\x05\x0F\xA0one".to_vec(), "one"));
        end.feed(b"\x88\x85\0\0\0\0\x0F\xA2our");
        end.poll();
        assert_eq!(end.peer.close_reason(), "our");
        assert_eq!(end.items(), [Closed(Phase::App, Cause::ClosedByHost, 4_002, true, 0)]);
        end.act(|connection, cx| connection.close(cx, 4_001, "two"));
        assert_eq!((end.output(), end.items()), (vec![], vec![]));
    }

    #[test]
    fn a_close_by_the_peer_is_answered_once_and_keeps_its_reason() {
        let mut end = End::open_server_over(4_096, &[QUIET]);
        end.act(|connection, cx| connection.put(cx, false, &[7; 10_000]));
        end.feed(b"\x88\x85\0\0\0\0\x0F\xA2our");
        end.poll();
        assert_eq!((end.peer.close_reason(), end.peer.state()), ("our", State::Closing));
        end.act(|connection, cx| connection.close(cx, 4_001, "two"));
        let mut output = Vec::new();
        while end.peer.state() == State::Closing {
            output.extend(end.output());
            end.poll();
        }
        output.extend(end.output());
        assert_eq!(output[10_004..], *b"\x88\x05\x0F\xA2our", "with the same reason");
        assert_eq!(end.items().pop(), Some(Closed(Phase::App, Cause::ClosedByPeer, 4_002, true, 0)));
        assert_eq!(end.peer.close_reason(), "our");
    }

    #[test]
    fn ones_own_reason_is_kept_if_the_answer_has_none() {
        for (answer, code, reason) in [
            (b"\x88\x82\0\0\0\0\x0F\xA0".as_slice(), 4_000, "one"),
            (b"\x88\x80\0\0\0\0", 1_005, "one"),
            (b"\x88\x85\0\0\0\0\x0F\xA0two", 4_000, "two"),
        ] {
            let mut end = End::open_server_over(4_096, &[QUIET]);
            end.act(|connection, cx| connection.close(cx, 4_000, "one"));
            end.feed(answer);
            end.poll();
            assert_eq!(end.items(), [Closed(Phase::App, Cause::ClosedByHost, code, true, 0)]);
            assert_eq!(end.peer.close_reason(), reason);
        }
    }

    #[test]
    fn the_timeout_says_what_the_peer_did_not_do() {
        let mut end = End::open_server_over(4_096, &[QUIET]);
        end.act(|connection, cx| connection.close(cx, 0, ""));
        end.closed_after(ms(10_000));
        assert_eq!(text(&end), "the peer did not answer the close within close_timeout_ms");
        let mut end = End::open_server_over(4_096, &[QUIET]);
        end.act(|connection, cx| connection.put(cx, false, &[7; 10_000]));
        end.act(|connection, cx| connection.close(cx, 0, ""));
        end.closed_after(ms(10_000));
        assert_eq!(text(&end), "the peer did not read what was sent before the close within close_timeout_ms");
        // The peer closed, and then did not read what was sent before.
        let mut end = End::open_server_over(4_096, &[QUIET]);
        end.act(|connection, cx| connection.put(cx, false, &[7; 10_000]));
        end.feed(b"\x88\x82\0\0\0\0\x03\xE8");
        end.poll();
        end.closed_after(ms(10_000));
        assert_eq!(
            text(&end),
            "the peer closed the connection with 1000; it did not read what was sent before within close_timeout_ms"
        );
        end.items()
            .pop()
            .map(|last| assert_eq!(last, Closed(Phase::App, Cause::ClosedByPeer, 1000, false, 1)))
            .unwrap();
    }

    #[test]
    fn a_close_for_a_reason_of_the_library_waits_for_the_answer() {
        let mut end = End::open_server(&[QUIET]);
        let failure = wspeer::internals::error::Failure::new(Phase::App, Cause::Full, "full");
        end.act(|connection, cx| connection.close_because(cx, 1008, "full", Some(failure)));
        end.poll();
        assert_eq!((end.output(), end.peer.state()), (b"\x88\x06\x03\xF0full".to_vec(), State::Closing));
        end.feed(b"\x88\x82\0\0\0\0\x03\xF0");
        end.poll();
        assert_eq!(end.items(), [Closed(Phase::App, Cause::Full, 1008, true, 0)]);
    }

    #[test]
    fn a_reason_of_the_library_is_cut_at_a_code_point() {
        for lead in 0..3 {
            let mut end = End::open_server(&[QUIET]);
            let message = "x".repeat(lead) + &"é".repeat(100);
            let failure = wspeer::internals::error::Failure::of_protocol(1002, message.clone());
            end.act(|connection, cx| connection.fail(cx, failure));
            let output = end.output();
            let output = if output.is_empty() {
                end.poll();
                end.output()
            } else {
                output
            };
            let reason = std::str::from_utf8(&output[4..]).unwrap();
            assert!(message.starts_with(reason) && (122..=123).contains(&reason.len()), "{reason}");
            assert_eq!((output[1] as usize, end.peer.state()), (output.len() - 2, State::Closed));
            assert_eq!(end.peer.close_reason(), reason);
        }
    }

    #[test]
    fn a_drop_ends_at_once_and_counts_what_was_not_sent() {
        let mut end = End::open_server_over(4_096, &[QUIET]);
        for _ in 0..3 {
            end.act(|connection, cx| connection.put(cx, false, &[7; 4_092]));
        }
        end.act(|connection, cx| connection.close(cx, -1, "ignored"));
        assert_eq!(end.items(), [Closed(Phase::App, Cause::Dropped, 1006, false, 2)]);
        assert_eq!((end.peer.state(), end.peer.close_deadline(), end.peer.queued_bytes()), (State::Closed, None, 0));
    }
}
