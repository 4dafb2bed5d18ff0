//! The fuzzer's bytes, taken from the front as numbers and pieces; zeros when there are no more.

/// What is left of the input.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (piece, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        piece
    }
}

/// Cuts bytes into pieces whose lengths come from `seed`: 0 whole, 1 single bytes.
pub fn pieces(bytes: &[u8], seed: u8) -> Vec<&[u8]> {
    match seed {
        _ if bytes.is_empty() => Vec::new(),
        0 => vec![bytes],
        1 => bytes.chunks(1).collect(),
        _ => {
            let (mut rest, mut state, mut out) = (bytes, u32::from(seed), Vec::new());
            while !rest.is_empty() {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let (piece, after) = rest.split_at(rest.len().min(1 + (state >> 24) as usize % 40));
                out.push(piece);
                rest = after;
            }
            out
        }
    }
}
