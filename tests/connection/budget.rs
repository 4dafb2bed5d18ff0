//! The budget of a poll with a fake clock, the rate limits, full queues and WRITABLE.

use crate::test_connection::*;
use std::cell::Cell;
use std::time::Duration;
use wspeer::codes::*;
use wspeer::internals::link::Sent;
use wspeer::internals::status::{Cause, EventKind, Phase, State};
use wspeer::internals::work::{ROUND_BYTES, SystemClock};

fn us(count: u64) -> Duration {
    Duration::from_micros(count)
}

/// Masked binary messages of 4 bytes that count from `first` on.
fn numbered(first: u32, count: u32) -> Vec<u8> {
    (first..first + count).flat_map(|number| [b"\x82\x84\0\0\0\0".as_slice(), &number.to_be_bytes()].concat()).collect()
}

fn numbers(items: &[Took]) -> Vec<u32> {
    let number = |item: &Took| match item {
        Binary(bytes) => u32::from_be_bytes(bytes.as_slice().try_into().unwrap()),
        other => panic!("{other:?} among the messages"),
    };
    items.iter().map(number).collect()
}

mod polls {
    use super::*;

    /// A clock that advances by `step` each time it is read.
    fn clock(end: &End, step: Duration) -> Ticking {
        Ticking { now: Cell::new(end.now), step, asked: Cell::new(0) }
    }

    #[test]
    fn a_poll_stops_at_its_budget_and_the_next_continues_without_loss() {
        let mut end = End::open_server(&[(WS_OPT_INBOUND_PACKETS, WS_OFF)]);
        end.feed(&numbered(0, 20_000));
        let (mut polls, mut seen) = (0, Vec::new());
        loop {
            let clock = clock(&end, us(100));
            let (more, _) = end.poll_within(&clock, Some(1_000));
            assert!(clock.asked.get() <= 10, "it read the clock {} times", clock.asked.get());
            let new = numbers(&end.items());
            assert!(!new.is_empty() && new.len() <= 10 * 64, "{} messages in 1 ms where 64 cost 100 us", new.len());
            seen.extend(new);
            polls += 1;
            if !more {
                break;
            }
        }
        assert_eq!(seen, (0..20_000).collect::<Vec<u32>>());
        assert!(polls > 20, "{polls} polls");
    }

    #[test]
    fn without_a_budget_everything_is_read_in_one_poll() {
        let mut end = End::open_server(&[(WS_OPT_INBOUND_PACKETS, WS_OFF)]);
        end.feed(&numbered(0, 20_000));
        let clock = clock(&end, Duration::from_secs(1));
        // A server's client yields after 64 KiB; an end of a pair does not.
        assert!(!end.poll_within(&clock, None).0);
        assert_eq!(numbers(&end.items()).len(), 20_000);
    }

    #[test]
    fn a_message_interrupted_by_the_budget_arrives_whole() {
        let mut end = End::open_server(&[]);
        let mut bytes = numbered(0, 100);
        bytes.extend(b"\x01\x83\0\0\0\0abc\x89\x80\0\0\0\0\x80\x83\0\0\0\0def");
        bytes.extend(numbered(100, 100));
        for piece in bytes.chunks(7) {
            end.feed(piece);
        }
        let mut items = Vec::new();
        for _ in 0..100 {
            let clock = clock(&end, us(700));
            end.poll_within(&clock, Some(1_000));
            items.extend(end.items());
        }
        assert_eq!(items.remove(100), Text("abcdef".to_owned()));
        assert_eq!(numbers(&items), (0..200).collect::<Vec<u32>>());
        assert_eq!(end.output(), b"\x8A\x00");
    }

    #[test]
    fn an_exhausted_budget_still_makes_progress() {
        let mut end = End::open_server(&[]);
        end.feed(&numbered(0, 1_000));
        let mut seen = Vec::new();
        for _ in 0..100 {
            let clock = clock(&end, us(5_000));
            end.poll_within(&clock, Some(1));
            seen.extend(numbers(&end.items()));
        }
        assert_eq!(seen, (0..1_000).collect::<Vec<u32>>());
    }

    #[test]
    fn a_flooding_peer_that_ignores_a_close_is_dropped() {
        let mut end = End::open_server(&[(WS_OPT_INBOUND_PACKETS, WS_OFF)]);
        end.act(|peer, cx| peer.close(cx, 0, ""));
        end.poll();
        let began = end.now;
        let flood = numbered(0, 10_000);
        let (mut sent, mut polls_with_more) = (0, 0);
        while end.peer.state() != State::Closed {
            assert!(end.now - began < ms(10_000), "it is still there after 10 s");
            // The frames have ten bytes each: the next write continues inside the frame at which the last one stopped.
            sent += end.far.write(&flood[sent % 10..]).unwrap_or(0);
            end.now += ms(16);
            let clock = clock(&end, us(100));
            polls_with_more += u32::from(end.poll_within(&clock, Some(1_000)).0);
            end.items();
        }
        assert!(polls_with_more > 100 && end.now - began >= ms(3_000));
    }

    #[test]
    fn control_frames_use_up_the_budget() {
        let mut end = End::open_server(&[]);
        end.feed(&b"\x89\x80\0\0\0\0".repeat(10_000));
        let clock = clock(&end, us(100));
        assert!(end.poll_within(&clock, Some(1_000)).0, "10000 pings are too many for one poll");
        assert!(end.output().len() <= 2 * 10 * 64);
    }

    #[test]
    fn a_close_is_reported_after_the_messages_before_it() {
        let mut end = End::open_server(&[(WS_OPT_INBOUND_PACKETS, WS_OFF)]);
        end.feed(&[numbered(0, 5_000), b"\x88\x82\0\0\0\0\x03\xE8".to_vec()].concat());
        let mut items = Vec::new();
        while end.peer.state() != State::Closed {
            let clock = clock(&end, us(100));
            end.poll_within(&clock, Some(1_000));
            items.extend(end.items());
            assert!(items.len() <= 5_002);
        }
        items.extend(end.items());
        let last = items.split_off(5_000);
        assert_eq!(
            last,
            [Event(EventKind::CloseRequest, 1000), Closed(Phase::App, Cause::ClosedByPeer, 1000, true, 0)]
        );
        assert_eq!(numbers(&items), (0..5_000).collect::<Vec<u32>>());
    }
}

mod rates {
    use super::*;

    const RATE: Took = Closed(Phase::Websocket, Cause::Rate, 1008, false, 0);

    #[test]
    fn a_peer_within_its_rate_stays_connected() {
        let mut end = End::open_server(&[(WS_OPT_MAX_MESSAGES_PER_S, 100), (WS_OPT_HEARTBEAT_MS, WS_OFF)]);
        for frame in 0..1_000 {
            end.now += ms(20);
            end.feed(&numbered(frame * 2, 2));
            end.poll();
            end.items();
        }
        assert_eq!(end.peer.state(), State::Open);
    }

    #[test]
    fn exceeding_the_message_rate_closes_with_1008() {
        let mut end = End::open_server(&[(WS_OPT_MAX_MESSAGES_PER_S, 100)]);
        end.feed(&numbered(0, 101));
        end.poll();
        let mut items = end.items();
        assert_eq!(items.pop(), Some(RATE));
        assert_eq!(numbers(&items).len(), 101, "the received messages are readable");
        let output = end.output();
        assert_eq!((output[0], &output[2..4]), (0x88, 1008u16.to_be_bytes().as_slice()));
    }

    #[test]
    fn frames_after_the_rate_was_exceeded_are_ignored() {
        for (limit, most) in [(WS_OPT_MAX_MESSAGES_PER_S, 100), (WS_OPT_MAX_BYTES_PER_S, 400)] {
            for ending in [b"".as_slice(), b"\x88\x82\0\0\0\0\x03\xE8"] {
                for budget in [1, 1_000, 1_000_000] {
                    let mut end = End::open_server(&[(limit, most), (WS_OPT_INBOUND_PACKETS, WS_OFF)]);
                    end.feed(&[&numbered(0, 5_000), ending].concat());
                    while end.peer.state() != State::Closed {
                        end.poll_within(&SystemClock, Some(budget));
                    }
                    let mut items = end.items();
                    assert!(matches!(items.pop(), Some(Closed(_, Cause::Rate, ..))));
                    items.retain(|item| *item != Event(EventKind::CloseRequest, 1000));
                    assert_eq!(numbers(&items), (0..101).collect::<Vec<u32>>(), "budget {budget}");
                    let counters = end.peer.totals();
                    assert_eq!(counters.messages_in, 101 + counters.rare.skipped);
                }
            }
        }
    }

    #[test]
    fn exceeding_the_byte_rate_closes_with_1008() {
        let mut end = End::open_server(&[(WS_OPT_MAX_BYTES_PER_S, 400)]);
        end.feed(&numbered(0, 100));
        end.poll();
        assert_eq!((end.items().len(), end.peer.state()), (100, State::Open));
        end.now += ms(500);
        end.feed(&numbered(0, 100));
        end.now += ms(100);
        end.feed(&numbered(0, 100));
        end.poll();
        assert_eq!(end.items().pop(), Some(RATE));
    }

    #[test]
    fn the_rate_counts_only_the_last_second() {
        let mut end = End::open_server(&[(WS_OPT_MAX_MESSAGES_PER_S, 100), (WS_OPT_HEARTBEAT_MS, WS_OFF)]);
        for second in 0..10 {
            end.feed(&numbered(0, 60));
            end.poll();
            end.now += ms(990 + second);
        }
        // Polled without gaps while the peer is silent.
        end.pass(ms(100_000));
        end.feed(&numbered(0, 60));
        end.poll();
        assert_eq!(end.peer.state(), State::Open);
    }

    #[test]
    fn messages_of_a_polling_gap_count_as_spread_over_it() {
        let mut end = End::open_server(&[(WS_OPT_MAX_MESSAGES_PER_S, 100)]);
        end.pass(ms(1_000));
        end.now += ms(5_000);
        end.feed(&numbered(0, 500));
        end.poll();
        assert_eq!((end.items().len(), end.peer.state()), (500, State::Open));
        end.now += ms(5_000);
        end.feed(&numbered(0, 700));
        end.poll();
        assert_eq!(end.items().pop(), Some(RATE), "the limit is what the rate allows in that time");
    }

    #[test]
    fn what_a_gap_allows_lasts_beyond_the_next_poll() {
        let mut end = End::open_server(&[(WS_OPT_MAX_MESSAGES_PER_S, 100)]);
        end.pass(ms(1_000));
        end.now += ms(5_000);
        for count in [300, 250] {
            end.feed(&numbered(0, count));
            end.poll();
            assert_eq!((end.items().len(), end.peer.state()), (count as usize, State::Open));
        }
    }

    #[test]
    fn silent_polling_gaps_do_not_accumulate_allowance() {
        let mut end = End::open_server(&[(WS_OPT_MAX_MESSAGES_PER_S, 100), (WS_OPT_HEARTBEAT_MS, WS_OFF)]);
        for _ in 0..50 {
            end.now += ms(2_000);
            end.feed(b"\x8A\x80\0\0\0\0");
            end.poll();
        }
        end.now += ms(2_000);
        end.feed(&numbered(0, 301));
        end.poll();
        assert_eq!(end.items().pop(), Some(RATE), "two seconds at the rate, and the burst of one second");
    }

    #[test]
    fn at_most_twice_the_rate_passes_in_any_second() {
        let mut end = End::open_server(&[(WS_OPT_MAX_MESSAGES_PER_S, 100)]);
        let mut came = 0;
        while end.peer.state() == State::Open && came < 1_000 {
            end.feed(&numbered(0, 10));
            end.now += ms(10);
            end.poll();
            came += 10;
        }
        assert!((110..=200).contains(&came), "{came} messages at ten times the rate");
    }

    #[test]
    fn traffic_before_a_limit_is_set_does_not_count() {
        let mut end = End::open_server(&[(WS_OPT_INBOUND_PACKETS, WS_OFF)]);
        end.feed(&numbered(0, 20_000));
        end.poll();
        assert_eq!((end.items().len(), end.peer.state()), (20_000, State::Open));
        std::sync::Arc::make_mut(&mut end.peer.endpoint.options).set(WS_OPT_MAX_MESSAGES_PER_S, 100).unwrap();
        end.feed(&numbered(0, 100));
        end.poll();
        assert_eq!(end.peer.state(), State::Open);
    }
}

mod full_queues {
    use super::*;

    #[test]
    fn a_full_outbound_queue_refuses_messages_until_writable() {
        let mut end = End::open_server_over(1_000, &[(WS_OPT_OUTBOUND_PACKETS, 4), (WS_OPT_HEARTBEAT_MS, WS_OFF)]);
        let mut taken = 0;
        while end.act(|peer, cx| peer.put(cx, false, &[7; 996])) == Sent::Taken {
            taken += 1;
        }
        assert_eq!(taken, 5, "one in the pipe and four in the queue");
        end.poll();
        assert_eq!(end.items(), []);
        end.output();
        end.poll();
        assert_eq!(end.items(), [], "three of four wait: not yet half empty");
        end.output();
        end.poll();
        assert_eq!(end.items(), [Event(EventKind::Writable, 0)]);
        while !end.output().is_empty() {
            end.poll();
        }
        assert_eq!(end.items(), [], "once");
    }

    #[test]
    fn writable_means_that_the_refused_message_fits() {
        let mut end = End::open_server_over(1_000, &[(WS_OPT_OUTBOUND_BYTES, 10_000), (WS_OPT_HEARTBEAT_MS, WS_OFF)]);
        for _ in 0..4 {
            assert_eq!(end.act(|peer, cx| peer.put(cx, false, &[7; 996])), Sent::Taken);
        }
        assert_eq!(end.act(|peer, cx| peer.put(cx, false, &[7; 8_000])), Sent::Full);
        for _ in 0..3 {
            end.poll();
            assert_eq!(end.items(), [], "3000 bytes wait, and 8000 are no room for 10000");
        }
        end.output();
        end.poll();
        assert_eq!(end.items(), [Event(EventKind::Writable, 0)]);
        assert_eq!(end.act(|peer, cx| peer.put(cx, false, &[7; 8_000])), Sent::Taken);
    }

    #[test]
    fn a_message_refused_before_open_leads_to_writable_after_it() {
        let mut end = End::server_over(256 << 10, true, &[(WS_OPT_OUTBOUND_PACKETS, 2)]);
        for sent in [Sent::Taken, Sent::Taken, Sent::Full] {
            assert_eq!(end.act(|peer, cx| peer.put(cx, true, b"x")), sent);
        }
        end.feed(REQUEST);
        end.poll();
        assert_eq!(end.items(), [Event(EventKind::Open, 0), Event(EventKind::Writable, 0)]);
    }

    #[test]
    fn an_empty_queue_takes_any_message() {
        let mut end = End::open_server_over(1_000, &[(WS_OPT_OUTBOUND_BYTES, 10), (WS_OPT_OUTBOUND_PACKETS, 1)]);
        assert_eq!(end.act(|peer, cx| peer.put(cx, true, &[b'x'; 50_000])), Sent::Taken);
        assert_eq!(end.act(|peer, cx| peer.put(cx, true, b"")), Sent::Full);
        let mut received = Vec::new();
        while received.len() < 50_004 {
            received.extend(end.output());
            end.poll();
        }
        assert_eq!(received[..4], [0x81, 126, 0xC3, 0x50]);
        assert_eq!(end.items(), [Event(EventKind::Writable, 0)]);
    }

    #[test]
    fn pongs_follow_a_long_outbound_queue() {
        let mut end = End::open_server_over(1_000, &[(WS_OPT_HEARTBEAT_MS, WS_OFF)]);
        end.act(|peer, cx| peer.put(cx, false, &[7; 200_000]));
        let mut received = Vec::new();
        let mut pings = 0u8;
        while received.len() < 200_010 {
            // Only while the message is being sent.
            if pings < 50 {
                end.feed(&[b"\x89\x81\0\0\0\0".as_slice(), &[pings]].concat());
                pings += 1;
            }
            end.poll();
            let more = end.output();
            assert!(!more.is_empty(), "{} bytes came", received.len());
            received.extend(more);
        }
        while received.len() < 200_010 + 50 * 3 {
            end.poll();
            let more = end.output();
            assert!(!more.is_empty(), "{} bytes came", received.len());
            received.extend(more);
        }
        let pongs: Vec<u8> = (0..50).flat_map(|number| [0x8A, 1, number]).collect();
        assert_eq!(received[200_010..], pongs);
    }

    #[test]
    fn unread_pongs_do_not_grow_the_queue_without_bound() {
        let mut end = End::open_server_over(1_000, &[(WS_OPT_HEARTBEAT_MS, WS_OFF)]);
        end.act(|peer, cx| peer.put(cx, false, &[7; 10_000]));
        let ping = [b"\x89\xFD\0\0\0\0".as_slice(), &[7; 125]].concat();
        for _ in 0..5_000 {
            end.feed(&ping);
            end.poll();
        }
        assert!(end.peer.queued_bytes() < 80_000, "{} bytes wait", end.peer.queued_bytes());
        while !end.output().is_empty() {
            end.poll();
        }
        end.feed(b"\x89\x82\0\0\0\0ok");
        end.poll();
        assert_eq!(end.output(), b"\x8A\x02ok", "once the peer has read, pings are answered again");
    }

    #[test]
    fn messages_queued_before_open_are_limited_and_sent_in_order() {
        let mut end = End::server_over(256 << 10, true, &[(WS_OPT_OUTBOUND_PACKETS, 3)]);
        let put = |end: &mut End, text: &'static [u8]| end.act(|peer, cx| peer.put(cx, true, text));
        assert_eq!([b"1", b"2", b"3"].map(|text| put(&mut end, text)), [Sent::Taken; 3]);
        assert_eq!(put(&mut end, b"4"), Sent::Full);
        end.feed(REQUEST);
        end.poll();
        assert_eq!(put(&mut end, b"5"), Sent::Taken);
        assert!(end.output().ends_with(b"\r\n\r\n\x81\x011\x81\x012\x81\x013\x81\x015"));
    }

    #[test]
    fn messages_queued_before_a_failed_open_are_reported_as_unsent() {
        let mut end = End::server_over(256 << 10, true, &[]);
        for _ in 0..3 {
            assert_eq!(end.act(|peer, cx| peer.put(cx, true, b"x")), Sent::Taken);
        }
        end.act(|peer, cx| peer.close(cx, 0, ""));
        assert_eq!(end.items(), [Closed(Phase::App, Cause::Dropped, 1006, false, 3)]);
    }

    #[test]
    fn messages_are_refused_before_open_and_after_close_by_default() {
        let mut end = End::server(&[]);
        assert_eq!(end.act(|peer, cx| peer.put(cx, true, b"x")), Sent::NotOpen);
        let mut end = End::open_server(&[]);
        end.act(|peer, cx| peer.close(cx, 0, ""));
        assert_eq!(end.act(|peer, cx| peer.put(cx, true, b"x")), Sent::NotOpen);
    }

    #[test]
    fn a_full_inbound_queue_pauses_reading_without_loss() {
        let mut end = End::open_server(&[(WS_OPT_INBOUND_PACKETS, 10)]);
        end.feed(&numbered(0, 20_000));
        end.poll();
        let waiting = end.peer.endpoint.inbox.len();
        assert!((10..=2 * ROUND_BYTES / 10).contains(&waiting), "{waiting} are queued: ten, and those read with them");
        assert_eq!(end.peer.totals().rare.stalls, 1);
        let mut seen = Vec::new();
        while seen.len() < 20_000 {
            let new = numbers(&end.items());
            assert!(!new.is_empty());
            seen.extend(new);
            end.poll();
        }
        assert_eq!(seen, (0..20_000).collect::<Vec<u32>>());
    }

    #[test]
    fn limits_of_0_allow_one_message() {
        let mut end =
            End::open_server(&[(WS_OPT_INBOUND_PACKETS, 0), (WS_OPT_INBOUND_BYTES, 0), (WS_OPT_MAX_FRAGMENTS, 0)]);
        end.feed(&numbered(0, 20_000));
        let mut seen = Vec::new();
        for _ in 0..100 {
            end.poll();
            seen.extend(numbers(&end.items()));
        }
        assert_eq!(seen.len(), 20_000);
        end.feed(b"\x82\x81\0\0");
        end.poll();
        end.feed(b"\0\0x");
        end.poll();
        assert_eq!(
            end.items(),
            [Binary(b"x".to_vec())],
            "a message in one frame, cut by the transport, has one fragment"
        );
    }

    #[test]
    fn without_a_limit_a_message_has_at_most_4_gib() {
        let mut end = End::open_server(&[(WS_OPT_MAX_MESSAGE_BYTES, WS_OFF)]);
        end.feed(b"\x82\xFF\0\0\0\x01\0\0\0\0\0\0\0\0");
        end.poll();
        assert_eq!(
            end.items(),
            [Closed(Phase::Websocket, Cause::TooBig, 1009, false, 0)],
            "lengths inside have 32 bits"
        );
    }
}
