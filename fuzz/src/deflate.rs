//! Compressed payloads: what comes out of any bytes does not depend on how they or the room for the result were cut, and is what zlib makes
//! of them; what we compress, it decompresses.

use super::input::{Input, pieces};
use flate2::{Decompress, FlushDecompress, Status};
use wspeer::internals::protocol::{Compressor, Decompressor};

/// The most that is taken out of one message.
const MOST: usize = 1 << 18;

pub fn deflate(data: &[u8]) {
    let mut input = Input(data);
    let (mode, cut) = (input.byte(), input.byte());
    if mode & 1 == 0 {
        any_bytes(input.0, cut);
    } else {
        there_and_back(&mut input, mode, cut);
    }
}

fn any_bytes(bytes: &[u8], cut: u8) {
    let whole = decompress(&mut Decompressor::new(15), &[bytes], MOST);
    let parts = decompress(&mut Decompressor::new(15), &pieces(bytes, cut), 1 + usize::from(cut));
    assert_eq!(parts, whole, "cut otherwise");
    // The other library stops at a last block, where a message of ours may go on.
    let Some(ours) = whole.filter(|bytes| bytes.len() < MOST) else { return };
    let (theirs, ended) = other(&[bytes, &[0, 0, 0xFF, 0xFF]].concat()).expect("zlib finds nothing wrong either");
    assert!(if ended { ours.starts_with(&theirs) } else { ours == theirs }, "zlib takes something else out of it");
}

fn there_and_back(input: &mut Input, mode: u8, cut: u8) {
    let (bits, level) = (9 + (mode >> 1) % 7, 1 + (mode >> 4) % 9);
    let takeover = cut & 1 == 0;
    let (mut compressor, mut decompressor) = (Compressor::new(bits, level), Decompressor::new(bits));
    let mut stream = Vec::new();
    let mut said = Vec::new();
    while !input.is_empty() && said.len() < MOST {
        let (len, times) = (usize::from(input.byte()), 1 + usize::from(input.byte() % 64));
        let message = input.take(len).repeat(times);
        let mut out = Vec::new();
        let parts = pieces(&message, cut);
        for (at, piece) in parts.iter().enumerate() {
            compressor.compress(piece, at + 1 == parts.len(), &mut out).expect("a compressor does not fail");
        }
        if parts.is_empty() {
            compressor.compress(&[], true, &mut out).expect("a compressor does not fail");
        }
        assert_eq!(
            decompress(&mut decompressor, &[&out], MOST).as_deref(),
            Some(&message[..]),
            "what was compressed comes back"
        );
        stream.extend_from_slice(&out);
        stream.extend_from_slice(&[0, 0, 0xFF, 0xFF]);
        said.extend_from_slice(&message);
        if !takeover {
            compressor.reset();
            decompressor.reset();
        }
    }
    let theirs = other(&stream);
    assert_eq!(theirs.map(|(bytes, _)| bytes), Some(said), "zlib takes it out too");
}

/// All that comes out of a message, at most `MOST`, taken out in steps of `room`. `None`: it is broken.
fn decompress(decompressor: &mut Decompressor, pieces: &[&[u8]], room: usize) -> Option<Vec<u8>> {
    let (mut out, mut step) = (Vec::new(), vec![0; room]);
    for piece in pieces {
        let mut rest = *piece;
        loop {
            let (taken, given) = decompressor.decompress(rest, &mut step).ok()?;
            assert!(taken <= rest.len() && given <= room);
            assert!(taken > 0 || given > 0 || rest.is_empty(), "it gets on");
            out.extend_from_slice(&step[..given]);
            rest = &rest[taken..];
            if out.len() >= MOST {
                out.truncate(MOST);
                return Some(out);
            }
            if rest.is_empty() && given < room {
                break;
            }
        }
    }
    decompressor.finish().ok().map(|()| out)
}

/// What zlib takes out of raw DEFLATE data, and whether a block marked as the last ended it. `None`: it finds them broken.
fn other(bytes: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut zlib = Decompress::new(false);
    let (mut out, mut step) = (Vec::new(), vec![0; 1 << 15]);
    loop {
        let (read, written) = (zlib.total_in(), zlib.total_out());
        let status = zlib.decompress(&bytes[read as usize..], &mut step, FlushDecompress::None).ok()?;
        let given = (zlib.total_out() - written) as usize;
        out.extend_from_slice(&step[..given]);
        match status {
            Status::StreamEnd => return Some((out, true)),
            _ if out.len() > 2 * MOST || given == 0 && zlib.total_in() == read => return Some((out, false)),
            _ => {}
        }
    }
}
