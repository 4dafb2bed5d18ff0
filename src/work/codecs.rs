//! Spare compressors and decompressors, shared by connections without context takeover (RFC 7692 section 7.1.1).

use crate::protocol::{Compressor, Decompressor, MAX_BITS};

/// Spare compressors and decompressors of a family: those that are not in use by a connection.
#[derive(Default)]
pub struct Codecs {
    compressors: Vec<(u8, u8, Compressor)>,
    decompressors: Vec<Decompressor>,
}

impl Codecs {
    /// Takes a compressor without history, for this window and level.
    pub fn take_compressor(&mut self, bits: u8, level: u8) -> Compressor {
        match self.compressors.iter().position(|(of_bits, of_level, _)| (*of_bits, *of_level) == (bits, level)) {
            Some(index) => self.compressors.swap_remove(index).2,
            None => Compressor::new(bits, level),
        }
    }

    /// Returns a compressor. One per window and level is kept.
    pub fn give_compressor(&mut self, bits: u8, level: u8, mut compressor: Compressor) {
        if !self.compressors.iter().any(|(of_bits, of_level, _)| (*of_bits, *of_level) == (bits, level)) {
            compressor.reset();
            self.compressors.push((bits, level, compressor));
        }
    }

    /// Frees all of them.
    pub fn shrink(&mut self) {
        *self = Codecs::default();
    }

    /// Heap bytes.
    pub fn heap_bytes(&self) -> usize {
        self.compressors.iter().map(|(.., compressor)| compressor.heap_bytes()).sum::<usize>()
            + self.decompressors.iter().map(Decompressor::heap_bytes).sum::<usize>()
    }

    /// Takes a decompressor without history.
    pub fn take_decompressor(&mut self) -> Decompressor {
        self.decompressors.pop().unwrap_or_else(|| Decompressor::new(MAX_BITS))
    }

    /// Returns a decompressor. One is kept.
    pub fn give_decompressor(&mut self, mut decompressor: Decompressor) {
        if self.decompressors.is_empty() {
            decompressor.reset();
            self.decompressors.push(decompressor);
        }
    }
}
