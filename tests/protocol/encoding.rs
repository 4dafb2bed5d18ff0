//! What is encoded, by the rules of the RFCs: frames, negotiated parameters and compressed messages.

use wspeer::internals::protocol::{
    Broken, Compressor, Decompressor, DeflateSettings, Headers, Lead, MaskKeys, Role, accept_answer,
    check_subprotocols, choose_offer, encode_frame, frame_header, opcode_of,
};

#[test]
fn a_frame_has_its_header_and_a_payload_that_unmasks_to_the_original() {
    let payload: Vec<u8> = (0..66_000u32).map(|index| (index * 7 % 251) as u8).collect();
    let mut keys = MaskKeys::new();
    let lengths = (0..140).chain([4_095, 4_096, 4_097, 65_535, 65_536, 66_000]);
    for (number, len) in lengths.enumerate() {
        let payload = &payload[..len];
        for role in [Role::Client, Role::Server] {
            let text = number % 2 == 0;
            let lead = Lead { opcode: opcode_of(text), rsv1: number % 3 == 0, fin: number % 5 > 0 };
            let first = if text { 0x01 } else { 0x02 } | u8::from(lead.rsv1) << 6 | u8::from(lead.fin) << 7;
            let masked = if role == Role::Client { 0x80 } else { 0 };
            let mut header = vec![first];
            match len {
                0..126 => header.push(masked | len as u8),
                126..65_536 => header.extend([&[masked | 126], (len as u16).to_be_bytes().as_slice()].concat()),
                _ => header.extend([&[masked | 127], (len as u64).to_be_bytes().as_slice()].concat()),
            }
            let mut frame = b"before".to_vec();
            encode_frame(&mut frame, role, &mut keys, lead, payload);
            let (start, rest) = frame[6..].split_at(header.len());
            assert_eq!((&frame[..6], start), (b"before".as_slice(), header.as_slice()), "{len} bytes");
            let (key, body) = if role == Role::Client { rest.split_at(4) } else { (&[0; 4][..], rest) };
            let unmasked: Vec<u8> = body.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]).collect();
            assert!(unmasked == payload, "{role:?}, {len} bytes");
            let mask = (role == Role::Client).then(|| key.try_into().unwrap());
            let (bytes, count) = frame_header(lead, len, mask);
            assert_eq!(bytes[..count], frame[6..frame.len() - len]);
        }
    }
}

fn header(value: &str) -> Headers {
    let mut map = http::HeaderMap::new();
    map.insert("sec-websocket-extensions", value.parse().unwrap());
    Headers::from_map(&map)
}

#[test]
fn parameters_of_both_sides_are_combined() {
    // Windows and context takeover of each side: what the client offers, what the server is set to.
    for number in 0..16 {
        let [offers_server, offers_client, wants_server, wants_client] = [1, 2, 4, 8].map(|bit| number & bit > 0);
        for (offered_bits, own_bits) in [(9, 12), (12, 9), (12, 12)] {
            let settings = |server, client, bits| DeflateSettings {
                server_no_takeover: server,
                client_no_takeover: client,
                server_bits: bits,
                client_bits: bits,
            };
            let asked = settings(offers_server, offers_client, offered_bits);
            let offer = wspeer::internals::protocol::offer(&asked);
            let (server, answer) =
                choose_offer(&settings(wants_server, wants_client, own_bits), &header(&offer)).unwrap();
            assert_eq!(server.server_no_takeover, offers_server || wants_server, "{answer}");
            assert_eq!(server.client_no_takeover, offers_client || wants_client, "{answer}");
            assert_eq!(
                (server.server_bits, server.client_bits),
                (offered_bits.min(own_bits), offered_bits.min(own_bits))
            );
            // The client understands the same.
            assert_eq!(accept_answer(&asked, &header(&answer)), Ok(Some(server)), "{offer} - {answer}");
        }
    }
}

#[test]
fn extensions_inside_quoted_strings_are_not_offers() {
    let plain =
        DeflateSettings { server_no_takeover: false, client_no_takeover: false, server_bits: 15, client_bits: 15 };
    for (offers, expected) in [
        ("x; a=\", permessage-deflate, \"", None),
        ("x; a=\"permessage-deflate, \", permessage-deflate; server_max_window_bits=\"9\"", Some(9)),
        ("x; a=\"b\"; c=\", permessage-deflate, \", permessage-deflate; server_max_window_bits=10", Some(10)),
        ("permessage-deflate; a=\"; \", permessage-deflate; server_max_window_bits=11", Some(11)),
    ] {
        assert_eq!(choose_offer(&plain, &header(offers)).map(|(params, _)| params.server_bits), expected, "{offers}");
    }
}

#[test]
fn the_place_of_a_wrong_subprotocol_is_named() {
    for (list, place) in [("a b, c", 1), ("a, b c, d e", 2), ("a, b, c, ", 4), ("", 1)] {
        let why = check_subprotocols(list).unwrap_err();
        assert!(why.starts_with(&format!("subprotocol {place} of the list is not a token")), "{list}: {why}");
    }
    assert_eq!(check_subprotocols("a, a").unwrap_err(), "a subprotocol is named twice");
}

fn inflated(decompressor: &mut Decompressor, mut payload: &[u8], step: usize) -> Result<Vec<u8>, Broken> {
    let (mut all, mut out) = (Vec::new(), vec![0; step]);
    loop {
        let (taken, given) = decompressor.decompress(payload, &mut out)?;
        all.extend_from_slice(&out[..given]);
        payload = &payload[taken..];
        if payload.is_empty() && given < out.len() {
            return decompressor.finish().map(|()| all);
        }
    }
}

#[test]
fn a_context_is_kept_until_it_is_reset() {
    let text = b"a text that is sent three times, and compresses well if it is known";
    let (mut compressor, mut decompressor) = (Compressor::new(15, 6), Decompressor::new(15));
    let mut compressed = || {
        let mut out = Vec::new();
        compressor.compress(text, true, &mut out).unwrap();
        out
    };
    let (first, again) = (compressed(), compressed());
    assert!(again.len() < first.len() / 2);
    compressor.reset();
    let mut third = Vec::new();
    compressor.compress(text, true, &mut third).unwrap();
    assert_eq!(third, first);
    for message in [&first, &again, &third] {
        assert_eq!(inflated(&mut decompressor, message, 1_000).unwrap(), text);
    }
    // The second refers to the first.
    decompressor.reset();
    assert_eq!(inflated(&mut decompressor, &again, 1_000), Err(Broken));
    decompressor.reset();
    assert_eq!(inflated(&mut decompressor, &first, 1_000).unwrap(), text);
}

#[test]
fn messages_of_blocks_that_are_marked_as_the_last_are_decompressed_in_steps_of_any_size() {
    // "Hello" in a last block, twice, then once more in another one.
    let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let one = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let message = [last.as_slice(), &last, &one].concat();
    for step in 1..20 {
        let mut decompressor = Decompressor::new(15);
        for _ in 0..2 {
            assert_eq!(inflated(&mut decompressor, &message, step).unwrap(), b"HelloHelloHello", "steps of {step}");
            assert_eq!(inflated(&mut decompressor, &last, step).unwrap(), b"Hello", "steps of {step}");
        }
        // Cut inside a block, whether it is the last or not.
        for cut in 1..6 {
            for block in [&last, &one] {
                decompressor.reset();
                assert_eq!(inflated(&mut decompressor, &block[..cut], step), Err(Broken), "{cut} bytes");
            }
        }
        decompressor.reset();
        assert_eq!(inflated(&mut decompressor, &[0x03], step), Err(Broken));
    }
}
