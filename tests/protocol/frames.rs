//! Frames of RFC 6455 with literal bytes, a module per section: as client and as server, each cut at every position.

use crate::decoding::*;
use wspeer::internals::protocol::{Decoder, Lead, MaskKeys, Received, Role, code_may_be_sent, encode_frame, mask};

/// 5.1 Overview: a client masks all its frames, a server none.
mod section_5_1_masked_or_not {
    use super::*;

    #[test]
    fn a_client_receives_an_unmasked_frame() {
        assert_eq!(client(b"\x81\x05Hello"), [text("Hello")]);
    }

    #[test]
    fn a_server_receives_a_masked_frame() {
        assert_eq!(server(b"\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58"), [text("Hello")]);
    }

    #[test]
    fn a_client_fails_a_masked_frame() {
        assert_eq!(client(b"\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58"), [Fails(1002)]);
        assert_eq!(client(b"\x89\x80\x37\xFA\x21\x3D"), [Fails(1002)]);
    }

    #[test]
    fn a_server_fails_an_unmasked_frame() {
        assert_eq!(server(b"\x81\x05Hello"), [Fails(1002)]);
        assert_eq!(server(b"\x89\x00"), [Fails(1002)]);
    }
}

/// 5.2 Base Framing Protocol: lengths, reserved bits and opcodes.
mod section_5_2_base_framing {
    use super::*;

    #[test]
    fn every_length_encoding_is_decoded() {
        for (len, form) in [
            (0, b"\x00".as_slice()),
            (1, b"\x01"),
            (125, b"\x7D"),
            (126, b"\x7E\x00\x7E"),
            (127, b"\x7E\x00\x7F"),
            (65_535, b"\x7E\xFF\xFF"),
            (65_536, b"\x7F\x00\x00\x00\x00\x00\x01\x00\x00"),
        ] {
            let payload = vec![0x5A; len];
            let mut masked_form = form.to_vec();
            masked_form[0] |= 0x80;
            let unmasked = [b"\x82", form, payload.as_slice()].concat();
            let masked = [b"\x82", masked_form.as_slice(), b"\0\0\0\0", payload.as_slice()].concat();
            assert_eq!(both(&unmasked, &masked), [Binary(payload)], "{len} bytes");
        }
    }

    #[test]
    fn a_non_minimal_length_fails() {
        for (unmasked, masked) in [
            (b"\x82\x7E\x00\x00".as_slice(), b"\x82\xFE\x00\x00\0\0\0\0".as_slice()),
            (b"\x82\x7E\x00\x7D", b"\x82\xFE\x00\x7D\0\0\0\0"),
            (b"\x82\x7F\0\0\0\0\0\0\0\x00", b"\x82\xFF\0\0\0\0\0\0\0\x00\0\0\0\0"),
            (b"\x82\x7F\0\0\0\0\0\0\xFF\xFF", b"\x82\xFF\0\0\0\0\0\0\xFF\xFF\0\0\0\0"),
        ] {
            assert_eq!(both(unmasked, masked), [Fails(1002)], "{unmasked:?}");
        }
    }

    #[test]
    fn a_length_with_its_top_bit_set_fails() {
        assert_eq!(both(b"\x82\x7F\x80\0\0\0\0\0\0\0", b"\x82\xFF\x80\0\0\0\0\0\0\0\0\0\0\0"), [Fails(1002)]);
        assert_eq!(
            both(b"\x82\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", b"\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0"),
            [Fails(1002)]
        );
    }

    #[test]
    fn every_reserved_bit_fails_on_every_opcode() {
        for bit in [0x40, 0x20, 0x10] {
            for opcode in [0x81, 0x82, 0x88, 0x89, 0x8A] {
                assert_eq!(short(&[opcode | bit, 0]), [Fails(1002)], "{:#x}", opcode | bit);
            }
            assert_eq!(short(&[0x01, 1, b'a', 0x80 | bit, 0]), [Fails(1002)], "in a continuation frame");
        }
    }

    #[test]
    fn with_an_extension_only_the_first_frame_of_a_message_may_set_rsv1() {
        let got = |bytes: &[u8]| cut_everywhere(Role::Client, EXTENDED, &LIMITS, bytes);
        assert_eq!(got(b"\xC1\x02\xFF\xFE\x82\x01a"), [Compressed(vec![0xFF, 0xFE]), Binary(b"a".to_vec())]);
        assert_eq!(got(b"\x42\x01a\x80\x01b"), [Compressed(b"ab".to_vec())]);
        assert_eq!(got(b"\x42\x01a\xC0\x01b"), [Fails(1002)]);
        for first in [0xC8, 0xC9, 0xCA, 0xA1, 0x91] {
            assert_eq!(got(&[first, 0]), [Fails(1002)], "{first:#x}");
        }
    }

    #[test]
    fn every_reserved_opcode_fails() {
        for opcode in [0x83, 0x84, 0x85, 0x86, 0x87, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F] {
            assert_eq!(short(&[opcode, 1, b'x']), [Fails(1002)], "{opcode:#x}");
        }
        assert_eq!(short(b"\x01\x01a\x83\x01b"), [Fails(1002)], "the same within a fragmented message");
    }

    #[test]
    fn frames_may_follow_each_other_directly() {
        let got = [text("Spam"), Binary(vec![0, 1, 2]), Ping(Vec::new()), text(""), Close(Some(1000), String::new())];
        assert_eq!(short(b"\x81\x04Spam\x82\x03\x00\x01\x02\x89\x00\x81\x00\x88\x02\x03\xE8"), got);
    }

    #[test]
    fn both_roles_encode_minimal_lengths() {
        for (len, form) in [
            (0, b"\x00".as_slice()),
            (125, b"\x7D"),
            (126, b"\x7E\x00\x7E"),
            (65_535, b"\x7E\xFF\xFF"),
            (65_536, b"\x7F\x00\x00\x00\x00\x00\x01\x00\x00"),
        ] {
            let payload = vec![b'x'; len];
            let mut frame = Vec::new();
            encode_frame(&mut frame, Role::Server, &mut MaskKeys::new(), Lead::whole(0x2), &payload);
            assert_eq!(frame[..=form.len()], [b"\x82", form].concat());
            assert_eq!(frame[1 + form.len()..], payload);
            frame.clear();
            encode_frame(
                &mut frame,
                Role::Client,
                &mut MaskKeys::new(),
                Lead { rsv1: true, ..Lead::whole(0x2) },
                &payload,
            );
            assert_eq!((frame[0], frame[1]), (0xC2, 0x80 | form[0]));
            assert_eq!(frame.len(), 1 + form.len() + 4 + len);
        }
    }
}

/// 5.3 Client-to-Server Masking.
mod section_5_3_masking {
    use super::*;

    #[test]
    fn a_server_unmasks_with_the_key_of_each_frame() {
        assert_eq!(
            server(b"\x82\x84\x01\x02\x03\x04\x01\x02\x03\x04\x81\x81\xFF\x00\x00\x00\x9E"),
            [Binary(vec![0; 4]), text("a")]
        );
    }

    #[test]
    fn each_fragment_is_unmasked_from_the_start_of_its_key() {
        assert_eq!(
            server(b"\x01\x83\x01\x02\x03\x04\x60\x60\x60\x80\x83\x05\x06\x07\x08\x61\x63\x61"),
            [text("abcdef")]
        );
    }

    #[test]
    fn control_frames_are_unmasked() {
        assert_eq!(server(b"\x89\x85\x01\x02\x03\x04\x60\x60\x60\x60\x64"), [Ping(b"abcde".to_vec())]);
        assert_eq!(server(b"\x88\x82\xFF\xFF\xFF\xFF\xFC\x17"), [Close(Some(1000), String::new())]);
    }

    #[test]
    fn a_client_masks_each_frame_with_a_fresh_key() {
        let mut keys = MaskKeys::new();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..500 {
            let mut frame = Vec::new();
            encode_frame(&mut frame, Role::Client, &mut keys, Lead::whole(0x1), b"Hello");
            assert_eq!(frame[..2], [0x81, 0x85]);
            let key = [frame[2], frame[3], frame[4], frame[5]];
            seen.insert(key);
            mask(&mut frame[6..], key, 0);
            assert_eq!(frame[6..], *b"Hello");
        }
        assert!(seen.len() > 495, "{} keys of 500 differ", seen.len());
    }
}

/// 5.4 Fragmentation.
mod section_5_4_fragmentation {
    use super::*;

    #[test]
    fn fragments_form_one_message_with_the_type_of_the_first() {
        assert_eq!(short(b"\x01\x02He\x00\x02ll\x80\x01o"), [text("Hello")]);
        assert_eq!(short(b"\x02\x02\x00\x01\x80\x01\xFF"), [Binary(vec![0, 1, 0xFF])]);
    }

    #[test]
    fn fragments_may_be_empty() {
        assert_eq!(short(b"\x01\x00\x00\x00\x80\x00"), [text("")]);
        assert_eq!(short(b"\x02\x00\x00\x01a\x00\x00\x80\x00"), [Binary(b"a".to_vec())]);
    }

    #[test]
    fn control_frames_between_fragments_are_reported_at_once() {
        let got = [Ping(b"1".to_vec()), Pong(b"2".to_vec()), Ping(Vec::new()), text("abc")];
        assert_eq!(short(b"\x01\x01a\x89\x011\x8A\x012\x00\x01b\x89\x00\x80\x01c"), got);
    }

    #[test]
    fn a_close_may_come_between_fragments() {
        assert_eq!(short(b"\x01\x01a\x88\x02\x03\xE9"), [Close(Some(1001), String::new())]);
    }

    #[test]
    fn an_unexpected_continuation_fails() {
        assert_eq!(short(b"\x80\x01x"), [Fails(1002)]);
        assert_eq!(short(b"\x00\x01x"), [Fails(1002)]);
        assert_eq!(short(b"\x81\x01a\x80\x01b"), [text("a"), Fails(1002)]);
        assert_eq!(short(b"\x01\x01a\x80\x01b\x80\x01c"), [text("ab"), Fails(1002)]);
    }

    #[test]
    fn a_new_message_inside_a_fragmented_one_fails() {
        for first in [0x81, 0x01, 0x82, 0x02] {
            assert_eq!(short(&[0x01, 1, b'a', first, 1, b'b']), [Fails(1002)], "{first:#x}");
        }
    }

    #[test]
    fn mid_message_is_true_inside_a_fragmented_message() {
        let mut decoder = Decoder::new(Role::Client);
        assert!(!decoder.mid_message());
        assert!(matches!(decoder.next(&mut b"\x01\x01a".to_vec(), &LIMITS), Ok((3, Received::Nothing))));
        assert!(decoder.mid_message());
        assert!(matches!(decoder.next(&mut b"\x80\x00".to_vec(), &LIMITS), Ok((2, Received::Assembled { .. }))));
        assert!(!decoder.mid_message());
    }
}

/// 5.5 Control Frames, with 5.5.1 Close, 5.5.2 Ping and 5.5.3 Pong.
mod section_5_5_control_frames {
    use super::*;

    #[test]
    fn pings_and_pongs_carry_up_to_125_bytes() {
        for (first, got) in [(0x89, Ping as fn(Vec<u8>) -> Got), (0x8A, Pong)] {
            assert_eq!(short(&[first, 0]), [got(Vec::new())]);
            assert_eq!(short(&[&[first, 125], [7; 125].as_slice()].concat()), [got(vec![7; 125])]);
        }
    }

    #[test]
    fn a_control_frame_over_125_bytes_fails() {
        for first in [0x88, 0x89, 0x8A] {
            let unmasked = [&[first, 126, 0, 126], [7; 126].as_slice()].concat();
            let masked = [&[first, 0xFE, 0, 126, 0, 0, 0, 0], [7; 126].as_slice()].concat();
            assert_eq!(both(&unmasked, &masked), [Fails(1002)], "{first:#x}");
        }
    }

    #[test]
    fn a_fragmented_control_frame_fails() {
        for first in [0x08, 0x09, 0x0A] {
            assert_eq!(short(&[first, 0]), [Fails(1002)], "{first:#x}");
        }
    }

    #[test]
    fn a_close_may_be_empty_or_have_a_code_and_a_reason() {
        assert_eq!(short(b"\x88\x00"), [Close(None, String::new())]);
        assert_eq!(short(b"\x88\x02\x03\xE8"), [Close(Some(1000), String::new())]);
        assert_eq!(short(b"\x88\x07\x03\xE9going"), [Close(Some(1001), "going".to_owned())]);
        let reason = "é".repeat(61) + "!";
        let frame = [b"\x88\x7D\x0F\xA0", reason.as_bytes()].concat();
        assert_eq!(short(&frame), [Close(Some(4000), reason)]);
    }

    #[test]
    fn a_one_byte_close_payload_fails() {
        assert_eq!(short(b"\x88\x01\x03"), [Fails(1002)]);
    }

    #[test]
    fn a_close_reason_that_is_not_utf8_fails() {
        assert_eq!(short(b"\x88\x04\x03\xE8\xC3\x28"), [Fails(1007)]);
        assert_eq!(short(b"\x88\x03\x03\xE8\xC3"), [Fails(1007)], "or is cut inside a code point");
    }
}

/// 7.4 Status Codes.
mod section_7_4_status_codes {
    use super::*;

    #[test]
    fn only_sendable_close_codes_are_accepted() {
        for code in 0..=u16::MAX {
            // RFC 6455 section 7.4.1 and the registry, and 3000 to 4999 by section 7.4.2; 1004, 1005, 1006 and 1015 are
            // never sent.
            let may = matches!(
                code,
                1000 | 1001 | 1002 | 1003 | 1007 | 1008 | 1009 | 1010 | 1011 | 1012 | 1013 | 1014 | 3000..=4999
            );
            assert_eq!(code_may_be_sent(code), may, "{code}");
            let [high, low] = code.to_be_bytes();
            let expected = [if may { Close(Some(code), String::new()) } else { Fails(1002) }];
            assert_eq!(decode(Role::Client, !EXTENDED, &LIMITS, &[&[0x88, 2, high, low]]), expected);
            assert_eq!(decode(Role::Server, !EXTENDED, &LIMITS, &[&[0x88, 0x82, 0, 0, 0, 0, high, low]]), expected);
        }
    }
}

/// The work of one call is bounded: the caller checks its budget between calls.
mod many_fragments {
    use super::*;
    use wspeer::internals::protocol::Limits;

    /// Decodes once, from `count` empty fragments. Returns the bytes used, and whether fragments are left.
    fn first_call(count: usize) -> (usize, bool) {
        let mut bytes = [&[0x02, 0x00][..], &[0x00, 0x00].repeat(count - 1)].concat();
        let limits = Limits { max_message: 1_000, max_fragments: u32::MAX };
        let (used, received) = Decoder::new(Role::Client).next(&mut bytes, &limits).unwrap();
        assert!(matches!(received, Received::Fragments | Received::Nothing), "{received:?}");
        (used, matches!(received, Received::Fragments))
    }

    #[test]
    fn one_call_decodes_at_most_64_fragments() {
        assert_eq!(first_call(63), (126, false));
        assert_eq!(first_call(64), (128, false), "there are no more");
        assert_eq!(first_call(65), (128, true));
        assert_eq!(first_call(1_000), (128, true));
    }
}

/// Incompressible data grows slightly when compressed.
mod long_compressed_messages {
    use super::*;
    use wspeer::internals::protocol::Limits;

    /// Whether frames of (first byte, length) are accepted at a limit of 800 bytes. Of the last frame, only the header
    /// is given.
    fn taken(frames: &[(u8, u16)]) -> bool {
        let limits = Limits { max_message: 800, max_fragments: 10 };
        let mut decoder = Decoder::new(Role::Client);
        decoder.rsv1_allowed = true;
        let (last, before) = frames.split_last().unwrap();
        let header = |(first, len): &(u8, u16)| [&[*first, 126][..], &len.to_be_bytes()].concat();
        for frame in before {
            let mut bytes = [header(frame), vec![0; usize::from(frame.1)]].concat();
            let (used, received) = decoder.next(&mut bytes, &limits).unwrap();
            assert!(used == bytes.len() && !matches!(received, Received::Message { .. }));
        }
        match decoder.next(&mut header(last), &limits) {
            Ok((4, Received::Nothing)) => true,
            Err(failure) => {
                assert_eq!(failure.close_code, 1009);
                false
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_compressed_message_may_exceed_the_limit_by_an_eighth_and_64_bytes() {
        assert!(taken(&[(0x82, 800)]) && !taken(&[(0x82, 801)]));
        assert!(taken(&[(0xC2, 964)]) && !taken(&[(0xC2, 965)]));
        assert!(taken(&[(0x02, 500), (0x80, 300)]) && !taken(&[(0x02, 500), (0x80, 301)]));
        assert!(taken(&[(0x42, 500), (0x80, 464)]) && !taken(&[(0x42, 500), (0x80, 465)]));
    }
}
