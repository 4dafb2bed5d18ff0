//! permessage-deflate of one connection (RFC 7692): what came is decompressed and what is put compressed, in slices that a budget can end.

use super::slices::{RATIO_FREE, at_once_bytes, slice_bytes};
use crate::error::Failure;
use crate::heap::{Discarded, MOVE_SLICE, Move, Moved};
use crate::names::{MAX_INFLATE_RATIO, MAX_MESSAGE_BYTES};
use crate::protocol::{Broken, Compressor, Decompressor, DeflateParams, MIN_OWN_BITS, Role, Utf8};
use crate::status::Cause;
use crate::work::{Budget, Codecs};

/// Decompressed between two looks at the budget, at most.
const OUT_SLICE: usize = 32 << 10;
/// Taken between two looks at the budget, at most: blocks can be short, and each costs the making of its tables.
const TAKE_SLICE: usize = 512;
/// A place doubles up to this size.
const DOUBLED_BYTES: usize = 512 << 10;
/// Then is this large, and beyond that so many times as large as before.
const PLACE_BYTES: usize = 16 << 20;
const GROWTH: usize = 4;

/// What a connection agreed on and has under way.
pub struct Compression {
    /// Window of our compressor; too small for it: nothing is compressed.
    own_bits: u8,
    own_no_takeover: bool,
    peer_bits: u8,
    peer_no_takeover: bool,
    level: u8,
    compressor: Option<Compressor>,
    decompressor: Option<Decompressor>,
    /// The message that is being decompressed.
    incoming: Option<Incoming>,
    /// What of it has come and is not decompressed.
    rest: Option<Rest>,
    /// Where it lay before it was moved: to be given back.
    pub(super) outgrown: Option<Vec<u8>>,
}

struct Incoming {
    text: bool,
    utf8: Utf8,
    received: u64,
    message: Vec<u8>,
    moving: Move,
}

/// Bytes at hand, from `at` on, and whether the message ends with them.
struct Rest {
    text: bool,
    bytes: Vec<u8>,
    at: usize,
    last: bool,
}

impl Discarded for Incoming {
    fn empty(&mut self, keep: &mut usize) {
        self.message.empty(keep);
        self.moving.empty(keep);
    }
}

impl Discarded for Rest {
    fn empty(&mut self, keep: &mut usize) {
        self.bytes.empty(keep);
    }
}

impl Discarded for Compression {
    fn empty(&mut self, keep: &mut usize) {
        self.incoming.empty(keep);
        self.rest.empty(keep);
        self.outgrown.empty(keep);
    }
}

/// How far decompressing came.
pub enum Inflated {
    /// All of the piece was taken.
    More,
    /// The budget ended, or the message may not begin yet; the rest is kept.
    Later,
    /// A message is whole.
    Message {
        /// Else binary.
        text: bool,
        /// All of it.
        bytes: Vec<u8>,
    },
}

/// What bounds decompressing.
pub struct InflateLimits {
    /// Bytes of a message.
    pub max_message: u64,
    /// Bytes given for a byte taken.
    pub max_ratio: u64,
}

/// What decompressing works with.
pub struct Tools<'a, 'b> {
    /// Spare contexts.
    pub codecs: &'a mut Codecs,
    /// Memory for one call.
    pub scratch: &'a mut Vec<u8>,
    /// When to stop.
    pub budget: &'a mut Budget<'b>,
}

impl Compression {
    /// As agreed on, at our end.
    pub fn new(role: Role, params: &DeflateParams, level: u8) -> Compression {
        let server = (params.server_bits, params.server_no_takeover);
        let client = (params.client_bits, params.client_no_takeover);
        let (own, peer) = if role == Role::Server { (server, client) } else { (client, server) };
        Compression {
            own_bits: own.0,
            own_no_takeover: own.1,
            peer_bits: peer.0,
            peer_no_takeover: peer.1,
            level,
            compressor: None,
            decompressor: None,
            incoming: None,
            rest: None,
            outgrown: None,
        }
    }

    /// Whether our end compresses at all: the compressor cannot keep to the smallest window.
    pub fn compresses(&self) -> bool {
        self.own_bits >= MIN_OWN_BITS
    }

    /// Window and level of a message that connections can share, or `None`: each has a context of its own.
    pub fn shared_by(&self) -> Option<(u8, u8)> {
        self.own_no_takeover.then_some((self.own_bits, self.level))
    }

    /// Compressed between two looks at the budget.
    pub(super) fn slice_bytes(&self) -> usize {
        slice_bytes(self.level)
    }

    /// A message above this is compressed in slices, from the next poll or flush on.
    pub fn at_once_bytes(&self) -> usize {
        at_once_bytes(self.level)
    }

    /// Makes the context that messages of its own are compressed in, if there is none. True: it was made, which is work like a slice.
    pub(super) fn prepare(&mut self, codecs: &mut Codecs) -> bool {
        let missing = self.compressor.is_none();
        if missing {
            self.compressor = Some(codecs.take_compressor(self.own_bits, self.level));
        }
        missing
    }

    /// Compresses a whole short message into `scratch`. False: it did not get shorter, and goes as it is.
    pub(super) fn compress_whole(&mut self, codecs: &mut Codecs, payload: &[u8], scratch: &mut Vec<u8>) -> Result<bool, Broken> {
        scratch.clear();
        let (bits, level) = (self.own_bits, self.level);
        let mut compressor = self.compressor.take().unwrap_or_else(|| codecs.take_compressor(bits, level));
        compressor.compress(payload, true, scratch)?;
        if self.own_no_takeover {
            codecs.give_compressor(bits, level, compressor);
            // With takeover the peer has to see it, whatever its length: it is part of the context.
            if scratch.len() >= payload.len() {
                return Ok(false);
            }
        } else {
            self.compressor = Some(compressor);
        }
        Ok(true)
    }

    /// Compresses the next slice of a long message into `scratch`; or it goes as it is, `stored`.
    pub(super) fn compress_slice(
        &mut self,
        codecs: &mut Codecs,
        slice: &[u8],
        stored: bool,
        last: bool,
        scratch: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        scratch.clear();
        let (bits, level) = (self.own_bits, self.level);
        let compressor = self.compressor.get_or_insert_with(|| codecs.take_compressor(bits, level));
        if stored {
            compressor.store(slice, last, scratch)?;
        } else {
            compressor.compress(slice, last, scratch)?;
        }
        if last
            && self.own_no_takeover
            && let Some(compressor) = self.compressor.take()
        {
            codecs.give_compressor(bits, level, compressor);
        }
        Ok(())
    }

    /// Decompresses a piece of a message. `may_begin`: false keeps a new message for later.
    pub fn inflate(
        &mut self,
        text: bool,
        last: bool,
        piece: &[u8],
        may_begin: bool,
        limits: &InflateLimits,
        tools: &mut Tools<'_, '_>,
    ) -> Result<Inflated, Failure> {
        if self.incoming.is_none() && !may_begin {
            self.rest = Some(Rest { text, bytes: piece.to_vec(), at: 0, last });
            return Ok(Inflated::Later);
        }
        let (inflated, left) = self.go_on(text, piece, last, limits, tools)?;
        if let Inflated::Later = inflated {
            self.rest = Some(Rest { text, bytes: left.to_vec(), at: 0, last });
        }
        Ok(inflated)
    }

    /// Goes on with what was kept, if anything was.
    pub fn resume(&mut self, limits: &InflateLimits, tools: &mut Tools<'_, '_>) -> Result<Inflated, Failure> {
        let Some(Rest { text, bytes, at, last }) = self.rest.take() else { return Ok(Inflated::More) };
        let (inflated, left) = self.go_on(text, &bytes[at..], last, limits, tools)?;
        if let Inflated::Later = inflated {
            let at = bytes.len() - left.len();
            self.rest = Some(Rest { text, bytes, at, last });
        }
        Ok(inflated)
    }

    /// Whether something was kept, and whether a new message begins with it.
    pub fn kept(&self) -> (bool, bool) {
        (self.rest.is_some(), self.rest.is_some() && self.incoming.is_none())
    }

    /// Gives memory back that an idle connection does not need: contexts without takeover hold nothing. `idle`: no message waits to be compressed.
    pub fn shrink(&mut self, idle: bool) {
        if self.own_no_takeover && idle {
            self.compressor = None;
        }
        if self.peer_no_takeover && self.incoming.is_none() {
            self.decompressor = None;
        }
    }

    /// Takes out the message that is being decompressed: nothing more is taken. Its bytes of heap, and what holds them.
    pub(super) fn abandon(&mut self) -> (usize, impl Discarded + 'static) {
        let (incoming, rest) = (self.incoming.take(), self.rest.take());
        let bytes = incoming.as_ref().map_or(0, Incoming::heap_bytes) + rest.as_ref().map_or(0, |rest| rest.bytes.capacity());
        (bytes, (incoming, rest))
    }

    /// Bytes of messages under way.
    pub fn message_bytes(&self) -> usize {
        let rest = self.rest.as_ref().map_or(0, |rest| rest.bytes.capacity());
        self.incoming.as_ref().map_or(0, Incoming::heap_bytes) + rest
    }

    /// Bytes of heap.
    pub fn heap_bytes(&self) -> usize {
        self.compressor.as_ref().map_or(0, Compressor::heap_bytes) + self.decompressor.as_ref().map_or(0, Decompressor::heap_bytes)
    }

    /// Decompresses until the budget ends, and what is left of the bytes then.
    fn go_on<'b>(
        &mut self,
        text: bool,
        mut left: &'b [u8],
        last: bool,
        limits: &InflateLimits,
        tools: &mut Tools<'_, '_>,
    ) -> Result<(Inflated, &'b [u8]), Failure> {
        let incoming =
            self.incoming.get_or_insert_with(|| Incoming { text, utf8: Utf8::new(), received: 0, message: Vec::new(), moving: Move::default() });
        let peer_bits = self.peer_bits;
        let no_takeover = self.peer_no_takeover;
        let decompressor =
            self.decompressor.get_or_insert_with(|| if no_takeover { tools.codecs.take_decompressor() } else { Decompressor::new(peer_bits) });
        if tools.scratch.len() < OUT_SLICE {
            tools.scratch.resize(OUT_SLICE, 0);
        }
        loop {
            let moved = incoming.move_on(limits);
            if let Moved::All(outgrown) = moved {
                self.outgrown = Some(outgrown);
            } else if let Moved::Nothing = moved {
                let out = &mut tools.scratch[..OUT_SLICE];
                let piece = &left[..left.len().min(TAKE_SLICE)];
                let (taken, given) = decompressor.decompress(piece, out).map_err(|Broken| broken())?;
                incoming.received += taken as u64;
                incoming.add(&out[..given], limits)?;
                left = &left[taken..];
                if left.is_empty() && given < OUT_SLICE {
                    break;
                }
                if taken == 0 && given == 0 {
                    return Err(broken());
                }
            }
            if tools.budget.look() {
                return Ok((Inflated::Later, left));
            }
        }
        if !last {
            return Ok((Inflated::More, left));
        }
        // A message of no bytes at all is what some compressors make of an empty one that follows another.
        if incoming.received > 0 {
            decompressor.finish().map_err(|Broken| broken())?;
        }
        if no_takeover && let Some(decompressor) = self.decompressor.take() {
            tools.codecs.give_decompressor(decompressor);
        }
        match self.incoming.take() {
            Some(Incoming { text, utf8, message, .. }) if utf8.is_complete() => Ok((Inflated::Message { text, bytes: message }, left)),
            _ => Err(not_utf8()),
        }
    }
}

impl Incoming {
    fn add(&mut self, bytes: &[u8], limits: &InflateLimits) -> Result<(), Failure> {
        let len = self.message.len() + bytes.len();
        if len as u64 > limits.max_message {
            let sentence = format!("a message is longer than {MAX_MESSAGE_BYTES} ({}): raise it, or send less at a time", limits.max_message);
            return Err(Failure::of_protocol(1009, sentence));
        }
        if len > RATIO_FREE && len as u64 / self.received.max(1) > limits.max_ratio {
            let sentence =
                format!("a message inflates to more than {} bytes a byte: it may be a bomb, or raise {MAX_INFLATE_RATIO}", limits.max_ratio);
            return Err(Failure { cause: Cause::Deflate, ..Failure::of_protocol(1008, sentence) });
        }
        if self.text && self.utf8.feed(bytes).is_err() {
            return Err(not_utf8());
        }
        if self.message.try_reserve(bytes.len()).is_err() {
            let failure = Failure::of_protocol(1009, format!("there is no memory left for a message: lower {MAX_MESSAGE_BYTES}"));
            return Err(Failure { cause: Cause::Resources, ..failure });
        }
        self.message.extend_from_slice(bytes);
        Ok(())
    }

    /// Moves the message on to a place where the next slice fits, which is work like a slice. A message that is no short one gets the last of its places
    /// early: that takes addresses, and no memory until it is written to.
    fn move_on(&mut self, limits: &InflateLimits) -> Moved {
        let Incoming { message, moving, .. } = self;
        if !moving.is_under_way() {
            let (capacity, room) = (message.capacity(), message.capacity() - message.len());
            let most = usize::try_from(limits.max_message).unwrap_or(usize::MAX);
            let next = OUT_SLICE.min(most.saturating_sub(message.len()));
            if message.len() <= MOVE_SLICE || room >= next {
                return Moved::Nothing;
            }
            let size = match capacity {
                0..DOUBLED_BYTES => 2 * capacity,
                DOUBLED_BYTES..PLACE_BYTES => PLACE_BYTES,
                _ => capacity.saturating_mul(GROWTH),
            };
            let size = size.min(most);
            if size < message.len() + next || !moving.begin(size) {
                return Moved::Nothing;
            }
        }
        moving.step(message, message.len())
    }

    fn heap_bytes(&self) -> usize {
        self.message.capacity() + self.moving.heap_bytes()
    }
}

fn broken() -> Failure {
    let sentence = "the peer sent compressed data that cannot be decompressed (RFC 7692 section 7.2.2)";
    Failure { cause: Cause::Deflate, ..Failure::of_protocol(1007, sentence) }
}

fn not_utf8() -> Failure {
    Failure::of_protocol(1007, "the peer sent text that is not valid UTF-8 (RFC 6455 section 8.1)")
}
