//! Bytes read directly to where a long message is assembled give the same messages as bytes decoded from a buffer, for
//! all cuts and any previous content of the storage (RFC 6455 section 5.4).

use wspeer::internals::protocol::{Decoder, Lead, Limits, MaskKeys, Received, Role, encode_frame};

const LIMITS: Limits = Limits { max_message: 8 << 20, max_fragments: 100_000 };

/// xorshift: the same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 as usize % most.max(1)
    }
}

/// A message with known content; text has two-byte characters.
fn message(numbers: &mut Numbers) -> (bool, Vec<u8>) {
    let len = [0, 1, 125, 126, 4_000, 17_000, 70_000, 300_000, 1 << 20][numbers.below(9)] + numbers.below(3);
    let (text, seed) = (numbers.below(2) == 0, numbers.below(26) as u8);
    if text {
        (true, "é".repeat(len / 2).into_bytes())
    } else {
        (false, (0..len).map(|index| (index as u8).wrapping_mul(31) ^ seed).collect())
    }
}

/// Encodes a message, sometimes as fragments with a ping in between.
fn frames(numbers: &mut Numbers, role: Role, keys: &mut MaskKeys, text: bool, bytes: &[u8], out: &mut Vec<u8>) {
    let pieces = 1 + numbers.below(4) * numbers.below(2);
    let size = bytes.len().div_ceil(pieces).max(1);
    let count = bytes.chunks(size).count().max(1);
    let mut chunks = bytes.chunks(size);
    for index in 0..count {
        let opcode = if index > 0 { 0 } else { 2 - u8::from(text) };
        encode_frame(
            out,
            role,
            keys,
            Lead { opcode, rsv1: false, fin: index + 1 == count },
            chunks.next().unwrap_or_default(),
        );
        if numbers.below(3) == 0 {
            encode_frame(out, role, keys, Lead::whole(9), b"between");
        }
    }
}

/// Sends and decodes random messages. Returns the number of bytes read directly into their message.
fn run(seed: u64, sender: Role, receiver: Role) -> usize {
    let (mut numbers, mut keys) = (Numbers(seed), MaskKeys::new());
    let mut wire = Vec::new();
    let mut sent = Vec::new();
    for _ in 0..12 {
        let (text, bytes) = message(&mut numbers);
        frames(&mut numbers, sender, &mut keys, text, &bytes, &mut wire);
        sent.push((text, bytes));
    }
    let mut decoder = Decoder::new(receiver);
    let mut got = Vec::new();
    let mut filled_bytes = 0;
    let mut at = 0;
    while at < wire.len() {
        if numbers.below(2) == 0 {
            decoder.offer(vec![0xEE; numbers.below(400_000)]);
        }
        let most = [1, 7, 1_000, 40_000, 300_000][numbers.below(5)].min(wire.len() - at);
        if let Some(room) = decoder.room_to_fill() {
            let count = most.min(room.len());
            room[..count].copy_from_slice(&wire[at..at + count]);
            at += count;
            filled_bytes += count;
            if let Received::Assembled { text, bytes } = decoder.filled(count).unwrap() {
                got.push((text, bytes));
            }
            continue;
        }
        let mut piece = wire[at..at + most].to_vec();
        at += most;
        let mut from = 0;
        loop {
            let (used, received) = decoder.next(&mut piece[from..], &LIMITS).unwrap();
            match received {
                Received::Nothing => break,
                Received::Fragments => {}
                Received::Message { text, start, len } => {
                    got.push((text, piece[from + start..from + start + len].to_vec()))
                }
                Received::Assembled { text, bytes } => got.push((text, bytes)),
                Received::Ping { payload } => assert_eq!(&*payload, b"between"),
                other => panic!("{other:?}"),
            }
            from += used;
        }
    }
    assert!(got == sent, "seed {seed}: {} of {} messages", got.len(), sent.len());
    filled_bytes
}

#[test]
fn reading_in_place_and_decoding_give_the_same_messages() {
    let mut filled = 0;
    for seed in 1..=60 {
        filled += run(seed * 7_919, Role::Client, Role::Server);
        filled += run(seed * 104_729, Role::Server, Role::Client);
    }
    assert!(filled > 10 << 20, "{filled} bytes");
}

#[test]
fn text_read_in_place_is_validated_as_it_arrives() {
    let mut wire = Vec::new();
    let mut bytes = "é".repeat(50_000).into_bytes();
    bytes[60_001] = 0xFF;
    encode_frame(&mut wire, Role::Server, &mut MaskKeys::new(), Lead::whole(1), &bytes);
    let mut decoder = Decoder::new(Role::Client);
    let mut at = 24_000;
    assert_eq!(decoder.next(&mut wire[..at].to_vec(), &LIMITS).unwrap().1, Received::Nothing);
    loop {
        let room = decoder.room_to_fill().expect("the frame is incomplete");
        let count = room.len().min(wire.len() - at);
        room[..count].copy_from_slice(&wire[at..at + count]);
        at += count;
        match decoder.filled(count) {
            Ok(received) => assert_eq!(received, Received::Nothing),
            Err(failure) => break assert_eq!(failure.close_code, 1007),
        }
    }
    assert!((60_001..wire.len()).contains(&at), "the failure is reported before the frame is complete");
}

#[test]
fn an_announced_length_allocates_no_memory() {
    let mut wire = Vec::new();
    encode_frame(&mut wire, Role::Server, &mut MaskKeys::new(), Lead::whole(2), &vec![0; 8 << 20]);
    let mut decoder = Decoder::new(Role::Client);
    for at in 0..100 {
        assert_eq!(decoder.next(&mut wire[at * 10..at * 10 + 10].to_vec(), &LIMITS).unwrap().1, Received::Nothing);
        assert!(decoder.room_to_fill().is_none());
    }
    assert!(decoder.heap_bytes() <= 65 << 10, "{} bytes for 1000", decoder.heap_bytes());
}

#[test]
fn a_fragment_read_in_place_must_be_followed_by_its_continuation() {
    for (next, is_wrong) in
        [(b"\x81\x01x".as_slice(), true), (b"\x82\x01x", true), (b"\x80\x01x", false), (b"\x89\x00", false)]
    {
        let mut decoder = Decoder::new(Role::Client);
        let mut bytes = [&[0x02, 127][..], &100_000_u64.to_be_bytes(), &[7; 60_000]].concat();
        assert_eq!(decoder.next(&mut bytes, &LIMITS).unwrap().0, bytes.len());
        let mut left = 40_000;
        while left > 0 {
            let count = decoder.room_to_fill().map_or(0, |room| {
                room.fill(7);
                room.len()
            });
            if count > 0 {
                assert!(matches!(decoder.filled(count), Ok(Received::Nothing)));
                left -= count;
            } else {
                let mut rest = vec![7; left];
                assert_eq!(decoder.next(&mut rest, &LIMITS).unwrap().0, left);
                left = 0;
            }
        }
        assert_eq!(decoder.next(&mut next.to_vec(), &LIMITS).is_err(), is_wrong, "{next:?}");
    }
}
