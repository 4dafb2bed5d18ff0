//! Compressors and decompressors that connections without context takeover (RFC 7692 section 7.1.1) use in turn.

use crate::protocol::{Compressor, Decompressor, MAX_BITS};

/// Compressors and decompressors of a family that no connection's context is in. They serve connections without context takeover in turn.
#[derive(Default)]
pub struct Codecs {
    compressors: Vec<(u8, u8, Compressor)>,
    decompressors: Vec<Decompressor>,
}

impl Codecs {
    /// A compressor that has seen nothing.
    pub fn take_compressor(&mut self, bits: u8, level: u8) -> Compressor {
        match self.compressors.iter().position(|(of_bits, of_level, _)| (*of_bits, *of_level) == (bits, level)) {
            Some(index) => self.compressors.swap_remove(index).2,
            None => Compressor::new(bits, level),
        }
    }

    /// Gives a compressor back; one of each kind is kept.
    pub fn give_compressor(&mut self, bits: u8, level: u8, mut compressor: Compressor) {
        if !self.compressors.iter().any(|(of_bits, of_level, _)| (*of_bits, *of_level) == (bits, level)) {
            compressor.reset();
            self.compressors.push((bits, level, compressor));
        }
    }

    /// Gives their memory back.
    pub fn shrink(&mut self) {
        *self = Codecs::default();
    }

    /// Bytes of heap.
    pub fn heap_bytes(&self) -> usize {
        self.compressors.iter().map(|(.., compressor)| compressor.heap_bytes()).sum::<usize>()
            + self.decompressors.iter().map(Decompressor::heap_bytes).sum::<usize>()
    }

    /// A decompressor that has seen nothing.
    pub fn take_decompressor(&mut self) -> Decompressor {
        self.decompressors.pop().unwrap_or_else(|| Decompressor::new(MAX_BITS))
    }

    /// Gives a decompressor back; one is kept.
    pub fn give_decompressor(&mut self, mut decompressor: Decompressor) {
        if self.decompressors.is_empty() {
            decompressor.reset();
            self.decompressors.push(decompressor);
        }
    }
}
