//! Payloads of permessage-deflate (RFC 7692 section 7.2): DEFLATE without its last four bytes.

use super::MIN_OWN_BITS;
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Inflate, InflateFlush, Status};

/// The bytes that section 7.2.1 removes from the end of a message, and section 7.2.2 appends again.
const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];
/// The tail, followed by empty blocks. They produce no output, unless the message was cut inside a block.
const END: [u8; 34] = {
    let mut end = [0; 34];
    let mut at = 0;
    while at < end.len() {
        if at % 5 >= 2 && at % 5 <= 3 {
            end[at] = 0xFF;
        }
        at += 1;
    }
    end
};
/// Memory level of the compressor's tables, besides its window: 8 of 9, zlib's own default.
const MEM_LEVEL: i32 = 8;

/// The compressor of one direction.
pub struct Compressor {
    deflate: Deflate,
    bits: u8,
}

impl Compressor {
    /// A compressor with a window of 9 to 15 bits and a level from 1 (fast) to 9 (small).
    pub fn new(bits: u8, level: u8) -> Compressor {
        let bits = bits.clamp(MIN_OWN_BITS, super::MAX_BITS);
        let config = DeflateConfig {
            window_bits: -i32::from(bits),
            level: i32::from(level),
            mem_level: MEM_LEVEL,
            ..DeflateConfig::default()
        };
        Compressor { deflate: Deflate::new_with_config(config), bits }
    }

    /// Compresses a piece of a message and appends the output to `out`. Some output may only appear with a later piece.
    /// `last` ends the message.
    pub fn compress(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), Broken> {
        let start = out.len();
        self.append(piece, if last { DeflateFlush::SyncFlush } else { DeflateFlush::NoFlush }, out)?;
        if last {
            match out[start..].strip_suffix(&TAIL) {
                Some(body) => out.truncate(start + body.len()),
                // Only an empty message: section 7.2.3.6.
                None => out.push(0),
            }
        }
        Ok(())
    }

    /// Like `compress`, in blocks without compression (section 7.2.3.3), after all pending output. Later output refers
    /// to nothing before it.
    pub fn store(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), Broken> {
        self.append(&[], DeflateFlush::SyncFlush, out)?;
        self.deflate.reset();
        for block in piece.chunks(usize::from(u16::MAX)) {
            let len = block.len() as u16;
            out.push(0);
            out.extend_from_slice(&len.to_le_bytes());
            out.extend_from_slice(&(!len).to_le_bytes());
            out.extend_from_slice(block);
        }
        if last {
            // The first byte of the empty block whose other four section 7.2.1 removes.
            out.push(0);
        }
        Ok(())
    }

    fn append(&mut self, piece: &[u8], flush: DeflateFlush, out: &mut Vec<u8>) -> Result<(), Broken> {
        let start = out.len();
        let mut rest = piece;
        let mut room = piece.len() / 2 + 64;
        let mut filled = start;
        loop {
            out.resize(filled + room, 0);
            let (read, written) = (self.deflate.total_in(), self.deflate.total_out());
            self.deflate.compress(rest, &mut out[filled..], flush).map_err(|_| Broken)?;
            rest = &rest[(self.deflate.total_in() - read) as usize..];
            filled += (self.deflate.total_out() - written) as usize;
            // Unused room shows that all output was written.
            if rest.is_empty() && filled < out.len() {
                break;
            }
            room = (filled - start).max(1 << 10);
        }
        out.truncate(filled);
        Ok(())
    }

    /// Drops the context: no context takeover (section 7.1.1).
    pub fn reset(&mut self) {
        self.deflate.reset();
    }

    /// Heap bytes: twice the window, its hash chains, and a part that is independent of the window (zlib-rs 0.6.8 uses
    /// 248 960).
    pub fn heap_bytes(&self) -> usize {
        (1 << (self.bits + 2)) + (243 << 10)
    }
}

/// The decompressor of one direction.
pub struct Decompressor {
    inflate: Inflate,
    /// Nothing was received after a block that is marked as the last.
    ended: bool,
}

/// The data are not valid DEFLATE, or the library failed.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken;

impl Decompressor {
    /// A decompressor for a window of up to 15 bits.
    pub fn new(bits: u8) -> Decompressor {
        let bits = bits.clamp(MIN_OWN_BITS, super::MAX_BITS);
        Decompressor { inflate: Inflate::new(false, bits), ended: false }
    }

    /// Decompresses a piece of a message into `out`. Returns how many bytes were consumed and produced. If all were
    /// consumed and `out` has room left, more input is needed.
    pub fn decompress(&mut self, piece: &[u8], out: &mut [u8]) -> Result<(usize, usize), Broken> {
        let (mut taken, mut given) = (0, 0);
        self.ended &= piece.is_empty();
        loop {
            let (read, written, status) = self.step(&piece[taken..], &mut out[given..])?;
            taken += read;
            given += written;
            if status != Status::StreamEnd {
                return Ok((taken, given));
            }
            // A block marked as the last (section 7.2.3.4): a new stream follows.
            self.inflate.reset(false);
            if taken == piece.len() || given == out.len() {
                self.ended = taken == piece.len();
                return Ok((taken, given));
            }
        }
    }

    /// Ends a message whose pieces were all consumed (section 7.2.2). `Broken`: it was cut inside a block.
    pub fn finish(&mut self) -> Result<(), Broken> {
        if std::mem::take(&mut self.ended) {
            return Ok(());
        }
        match self.step(&END, &mut [0])? {
            (taken, 0, _) if taken == END.len() => Ok(()),
            _ => Err(Broken),
        }
    }

    /// Drops the context.
    pub fn reset(&mut self) {
        self.inflate.reset(false);
        self.ended = false;
    }

    /// Heap bytes: always the largest window, and tables (zlib-rs 0.6.8 uses 47 552).
    pub fn heap_bytes(&self) -> usize {
        46 << 10
    }

    /// Returns how many bytes were consumed and produced, and the resulting status.
    fn step(&mut self, piece: &[u8], out: &mut [u8]) -> Result<(usize, usize, Status), Broken> {
        let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(piece, out, InflateFlush::SyncFlush).map_err(|_| Broken)?;
        Ok(((self.inflate.total_in() - read) as usize, (self.inflate.total_out() - written) as usize, status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inflated(decompressor: &mut Decompressor, payload: &[u8]) -> Result<Vec<u8>, Broken> {
        let mut out = Vec::new();
        let mut buffer = [0; 1_000];
        let mut piece = payload;
        loop {
            let (taken, given) = decompressor.decompress(piece, &mut buffer)?;
            out.extend_from_slice(&buffer[..given]);
            piece = &piece[taken..];
            if piece.is_empty() && given < buffer.len() {
                return decompressor.finish().map(|()| out);
            }
        }
    }

    #[test]
    fn the_examples_of_section_7_2_3_decompress_to_hello() {
        let one_block = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        let mut decompressor = Decompressor::new(15);
        assert_eq!(inflated(&mut decompressor, &one_block).unwrap(), b"Hello");
        // 7.2.3.2: the window is shared.
        assert_eq!(inflated(&mut decompressor, &[0xf2, 0x00, 0x11, 0x00, 0x00]).unwrap(), b"Hello");
        // 7.2.3.3: a block without compression.
        let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
        assert_eq!(inflated(&mut decompressor, &stored).unwrap(), b"Hello");
        // 7.2.3.4: a block marked as the last.
        let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        assert_eq!(inflated(&mut decompressor, &last).unwrap(), b"Hello");
        // The same without the empty block after it, as some senders do.
        assert_eq!(inflated(&mut decompressor, &last[..7]).unwrap(), b"Hello");
        // 7.2.3.5: two blocks.
        let two = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflated(&mut decompressor, &two).unwrap(), b"Hello");
        // 7.2.3.6: an empty message.
        assert_eq!(inflated(&mut decompressor, &[0]).unwrap(), b"");
    }

    #[test]
    fn a_compressor_writes_the_example_of_section_7_2_3_1() {
        let mut out = Vec::new();
        Compressor::new(15, 6).compress(b"Hello", true, &mut out).unwrap();
        assert_eq!(out, [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
    }

    #[test]
    fn compression_in_pieces_round_trips_for_every_window_and_level() {
        let text: Vec<u8> =
            (0..200_000u32).flat_map(|number| (number % 53 * 31).to_string().into_bytes()).take(300_000).collect();
        for bits in MIN_OWN_BITS..=15 {
            for level in [1, 6, 9] {
                let (mut compressor, mut decompressor) = (Compressor::new(bits, level), Decompressor::new(bits));
                for piece_len in [1_000, 70_000, 300_000] {
                    let mut out = Vec::new();
                    let pieces = text.chunks(piece_len).count();
                    for (index, piece) in text.chunks(piece_len).enumerate() {
                        compressor.compress(piece, index + 1 == pieces, &mut out).unwrap();
                    }
                    assert!(out.len() < text.len() / 2);
                    assert!(inflated(&mut decompressor, &out).unwrap() == text, "{bits} bits, level {level}");
                }
                compressor.reset();
                decompressor.reset();
                let mut out = Vec::new();
                compressor.compress(&text[..100], true, &mut out).unwrap();
                assert_eq!(inflated(&mut decompressor, &out).unwrap(), &text[..100]);
            }
        }
    }

    #[test]
    fn stored_and_compressed_pieces_can_be_mixed() {
        let text: Vec<u8> =
            (0..200_000u32).flat_map(|number| (number % 53 * 31).to_string().into_bytes()).take(300_000).collect();
        for level in [1, 6, 9] {
            let (mut compressor, mut decompressor) = (Compressor::new(12, level), Decompressor::new(12));
            for pattern in 0..32 {
                let mut out = Vec::new();
                let pieces = text.chunks(60_000).count();
                for (index, piece) in text.chunks(60_000).enumerate() {
                    let last = index + 1 == pieces;
                    if pattern >> index & 1 == 1 {
                        compressor.store(piece, last, &mut out).unwrap();
                    } else {
                        compressor.compress(piece, last, &mut out).unwrap();
                    }
                }
                assert!(inflated(&mut decompressor, &out).unwrap() == text, "level {level}, stored {pattern:b}");
            }
        }
    }

    #[test]
    fn a_reserved_block_type_is_refused() {
        assert_eq!(inflated(&mut Decompressor::new(15), &[0x07, 0x00]), Err(Broken));
    }

    #[test]
    fn a_message_truncated_anywhere_is_refused() {
        for level in [1, 6, 9] {
            let mut whole = Vec::new();
            Compressor::new(15, level)
                .compress(&b"a text to be cut, a text to be cut".repeat(20), true, &mut whole)
                .unwrap();
            assert!(inflated(&mut Decompressor::new(15), &whole).is_ok());
            for cut in 0..whole.len() {
                assert_eq!(
                    inflated(&mut Decompressor::new(15), &whole[..cut]),
                    Err(Broken),
                    "level {level}, {cut} of {} bytes",
                    whole.len()
                );
            }
        }
    }
}
