//! Text by RFC 6455 section 8.1, the limits, and recorded streams, with literal bytes: as client and as server, each
//! cut at every position.

use crate::decoding::*;
use wspeer::internals::protocol::{Decoder, Limits, Received, Role};
use wspeer::internals::status::Cause;

/// 8.1 Handling of Errors in UTF-8-Encoded Data.
mod section_8_1_utf8 {
    use super::*;

    #[test]
    fn code_points_of_every_length_are_accepted() {
        assert_eq!(short(b"\x81\x0A\x24\xC3\xA9\xE2\x82\xAC\xF0\x9D\x84\x9E"), [text("$é€𝄞")]);
        assert_eq!(short(b"\x81\x04\xF4\x8F\xBF\xBF"), [text("\u{10FFFF}")]);
        assert_eq!(short(b"\x81\x04\x00\xEF\xBB\xBF"), [text("\0\u{FEFF}")], "NUL and a byte order mark are text");
    }

    #[test]
    fn a_code_point_may_be_split_across_fragments() {
        assert_eq!(short(b"\x01\x01\xF0\x00\x01\x9D\x00\x00\x00\x01\x84\x80\x01\x9E"), [text("𝄞")]);
        assert_eq!(short(b"\x01\x02\xE2\x82\x89\x01!\x80\x01\xAC"), [Ping(b"!".to_vec()), text("€")]);
    }

    #[test]
    fn text_that_ends_inside_a_code_point_fails() {
        assert_eq!(short(b"\x81\x02\xE2\x82"), [Fails(1007)]);
        assert_eq!(short(b"\x01\x02\xE2\x82\x80\x00"), [Fails(1007)]);
    }

    #[test]
    fn text_that_is_not_utf8_fails() {
        for bad in [
            b"\x80".as_slice(), // a lone continuation byte
            b"\xFF",
            b"\xC0\xAF",         // a longer form than needed
            b"\xE0\x80\xAF",     // the same in three bytes
            b"\xF0\x80\x80\xAF", // and in four
            b"\xED\xA0\x80",     // a surrogate
            b"\xF4\x90\x80\x80", // above U+10FFFF
            b"\xF8\x88\x80\x80\x80",
        ] {
            let len = bad.len() as u8;
            assert_eq!(short(&[&[0x81, len], bad].concat()), [Fails(1007)], "{bad:?}");
            let fragments = [&[0x01, 1, b'a', 0x00, len], bad, &[0x80, 0]].concat();
            assert_eq!(short(&fragments), [Fails(1007)], "{bad:?} in a fragment");
        }
    }

    #[test]
    fn bad_text_fails_before_its_message_ends() {
        // The rest of the frame and of the message is not needed.
        assert_eq!(client(b"\x01\x7Dabc\xFFdef"), [Fails(1007)]);
        assert_eq!(server(b"\x01\xFD\0\0\0\0abc\xFFdef"), [Fails(1007)]);
        assert_eq!(client(b"\x81\x7Dabc\xFFdef"), [Fails(1007)], "the same for a message in one frame");
    }

    #[test]
    fn binary_messages_may_contain_any_bytes() {
        let all: Vec<u8> = (0..=120).map(|value| 0xFF - value).collect();
        assert_eq!(short(&[&[0x82, 121], all.as_slice()].concat()), [Binary(all.clone())]);
        assert_eq!(
            short(&[&[0x02, 121], all.as_slice(), b"\x80\x01\x80"].concat()),
            [Binary([all.as_slice(), b"\x80"].concat())]
        );
    }
}

/// Limits on what a peer may make this end hold.
mod limits {
    use super::*;

    const SMALL: Limits = Limits { max_message: 10, max_fragments: 3 };

    fn small(frames: &[u8]) -> Vec<Got> {
        let got = cut_everywhere(Role::Client, !EXTENDED, &SMALL, frames);
        assert_eq!(cut_everywhere(Role::Server, !EXTENDED, &SMALL, &masked(frames)), got, "the server's end");
        got
    }

    #[test]
    fn a_frame_over_the_limit_fails_at_its_header() {
        assert_eq!(small(b"\x82\x0A0123456789"), [Binary(b"0123456789".to_vec())]);
        assert_eq!(small(b"\x82\x0B"), [Fails(1009)]);
        let huge = b"\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF";
        assert_eq!(cut_everywhere(Role::Client, !EXTENDED, &SMALL, huge), [Fails(1009)]);
    }

    #[test]
    fn the_limit_applies_to_the_sum_of_the_fragments() {
        assert_eq!(small(b"\x01\x0501234\x80\x0556789"), [text("0123456789")]);
        assert_eq!(small(b"\x01\x0501234\x80\x06"), [Fails(1009)]);
        assert_eq!(small(b"\x01\x0A0123456789\x80\x01"), [Fails(1009)]);
    }

    #[test]
    fn control_frames_do_not_count_towards_the_limit() {
        assert_eq!(
            small(b"\x01\x0501234\x89\x0B0123456789A\x80\x0556789"),
            [Ping(b"0123456789A".to_vec()), text("0123456789")]
        );
    }

    #[test]
    fn each_message_is_counted_separately() {
        assert_eq!(
            small(b"\x82\x0A0123456789\x82\x0A0123456789"),
            [Binary(b"0123456789".to_vec()), Binary(b"0123456789".to_vec())]
        );
        assert_eq!(small(b"\x01\x01a\x00\x01b\x80\x01c\x01\x01d\x00\x01e\x80\x01f"), [text("abc"), text("def")]);
    }

    #[test]
    fn empty_fragments_count_towards_the_fragment_limit() {
        assert_eq!(small(b"\x01\x01a\x00\x01b\x80\x01c"), [text("abc")]);
        assert_eq!(small(b"\x01\x00\x00\x00\x00\x00\x80\x00"), [Fails(1008)]);
    }

    #[test]
    fn without_limits_a_63_bit_length_allocates_no_memory() {
        let mut decoder = Decoder::new(Role::Client);
        let none = Limits { max_message: u64::MAX, max_fragments: u32::MAX };
        let mut bytes = b"\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFFabc".to_vec();
        assert!(matches!(decoder.next(&mut bytes, &none), Ok((13, Received::Nothing))));
        assert!(decoder.heap_bytes() <= 1 << 20, "{} bytes are held for 3", decoder.heap_bytes());
    }

    #[test]
    fn the_failure_says_which_limit_to_raise() {
        let told = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            let mut decoder = Decoder::new(Role::Client);
            let failure = decoder.next(&mut bytes, &SMALL).unwrap_err();
            (failure.cause, failure.message)
        };
        let (cause, sentence) = told(b"\x82\x0B");
        assert_eq!(cause, Cause::TooBig);
        assert!(sentence.contains("max_message_bytes (10)"), "{sentence}");
        let (cause, sentence) = told(b"\x01\x00\x00\x00\x00\x00\x00\x00");
        assert_eq!(cause, Cause::TooBig);
        assert!(sentence.contains("max_fragments (3)"), "{sentence}");
    }
}

/// The decoder continues after a cut at any position.
mod recorded {
    use super::*;

    /// A server's session with all kinds of frames.
    const SESSION: &[u8] = b"\x81\x05Hello\x01\x03\xE2\x82\xAC\x89\x04ping\x00\x02\xF0\x9D\x8A\x00\x00\x00\x80\x02\x84\x9E\x82\x00\
        \x82\x7E\x00\x80\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\
        \x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\
        \x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\
        \x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\
        \x89\x00\x02\x02\xFF\xFE\x80\x01\xFD\x88\x05\x03\xE9bye";

    fn expected() -> Vec<Got> {
        vec![
            text("Hello"),
            Ping(b"ping".to_vec()),
            Pong(Vec::new()),
            text("€𝄞"),
            Binary(Vec::new()),
            Binary((0..128).map(|value| value & 0xF).collect()),
            Ping(Vec::new()),
            Binary(vec![0xFF, 0xFE, 0xFD]),
            Close(Some(1001), "bye".to_owned()),
        ]
    }

    #[test]
    fn a_recorded_session_decodes_the_same_wherever_it_is_cut() {
        assert_eq!(client(SESSION), expected());
    }

    #[test]
    fn a_recorded_session_decodes_the_same_cut_at_any_two_places() {
        for first in 0..=SESSION.len() {
            for second in first..=SESSION.len() {
                let pieces = [&SESSION[..first], &SESSION[first..second], &SESSION[second..]];
                assert_eq!(
                    decode(Role::Client, !EXTENDED, &LIMITS, &pieces),
                    expected(),
                    "cut at {first} and {second}"
                );
            }
        }
    }

    #[test]
    fn messages_decoded_before_a_failure_are_kept() {
        assert_eq!(short(b"\x81\x01a\x01\x01b\x89\x01c\x83\x00"), [text("a"), Ping(b"c".to_vec()), Fails(1002)]);
    }

    #[test]
    fn a_contiguous_message_is_lent_and_a_split_one_is_assembled() {
        let mut bytes = b"\x82\x03abc".to_vec();
        let whole = Decoder::new(Role::Client).next(&mut bytes, &LIMITS);
        assert_eq!(whole, Ok((5, Received::Message { text: false, start: 2, len: 3 })));
        let mut decoder = Decoder::new(Role::Client);
        assert_eq!(decoder.next(&mut bytes[..4], &LIMITS), Ok((4, Received::Nothing)));
        assert_eq!(
            decoder.next(&mut bytes[4..], &LIMITS),
            Ok((1, Received::Assembled { text: false, bytes: b"abc".to_vec() }))
        );
    }

    #[test]
    fn offered_storage_is_cleared_and_reused() {
        let mut decoder = Decoder::new(Role::Client);
        decoder.offer(b"old contents".to_vec());
        assert!(matches!(decoder.next(&mut b"\x02\x01a".to_vec(), &LIMITS), Ok((3, Received::Nothing))));
        assert_eq!(decoder.take_back(), None, "it is in use");
        let whole = decoder.next(&mut b"\x80\x01b".to_vec(), &LIMITS);
        assert_eq!(whole, Ok((3, Received::Assembled { text: false, bytes: b"ab".to_vec() })));
        decoder.offer(b"unused".to_vec());
        assert!(matches!(decoder.next(&mut b"\x82\x01a".to_vec(), &LIMITS), Ok((3, Received::Message { .. }))));
        assert_eq!(decoder.take_back(), Some(b"unused".to_vec()));
    }

    #[test]
    fn a_long_message_decodes_the_same_wherever_it_is_cut() {
        let payload: Vec<u8> = (0..200_000u32).map(|value| (value % 251) as u8).collect();
        for (first, rest) in [(0x82, &payload[..]), (0x02, &payload[..])] {
            let mut bytes = vec![first, 127];
            bytes.extend((rest.len() as u64).to_be_bytes());
            bytes.extend_from_slice(rest);
            if first == 0x02 {
                bytes.extend(b"\x89\x01p\x80\x00");
            }
            let expected = if first == 0x02 {
                vec![Ping(b"p".to_vec()), Binary(payload.clone())]
            } else {
                vec![Binary(payload.clone())]
            };
            for size in [1_000, 4_096, 65_536, 65_537, 100_000] {
                let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
                assert!(decode(Role::Client, !EXTENDED, &LIMITS, &pieces) == expected, "in pieces of {size}");
            }
        }
    }
}
