//! permessage-deflate of one connection (RFC 7692): decompresses received messages and compresses sent ones, in slices
//! between which the budget is checked.

use super::slices::{RATIO_FREE, at_once_bytes, slice_bytes};
use crate::error::Failure;
use crate::heap::{Discarded, MOVE_SLICE, Move, Moved};
use crate::names::{MAX_INFLATE_RATIO, MAX_MESSAGE_BYTES};
use crate::protocol::{Broken, Compressor, Decompressor, DeflateParams, MIN_OWN_BITS, Role, Utf8};
use crate::status::Cause;
use crate::work::{Budget, Codecs};

/// Maximum bytes of decompressed output between two checks of the budget.
const OUT_SLICE: usize = 32 << 10;
/// Maximum bytes of compressed input between two checks of the budget. Deflate blocks can be short, and each may need
/// new Huffman tables.
const TAKE_SLICE: usize = 512;
/// A message buffer doubles its capacity up to this size.
const DOUBLED_BYTES: usize = 512 << 10;
/// The next capacity after that; from then on it grows by `GROWTH`.
const PLACE_BYTES: usize = 16 << 20;
const GROWTH: usize = 4;

/// Negotiated parameters of a connection, its contexts and its unfinished message.
pub struct Compression {
    /// Window bits of our compressor; below `MIN_OWN_BITS` nothing is compressed.
    own_bits: u8,
    own_no_takeover: bool,
    peer_bits: u8,
    peer_no_takeover: bool,
    level: u8,
    compressor: Option<Compressor>,
    decompressor: Option<Decompressor>,
    /// The message being decompressed.
    incoming: Option<Incoming>,
    /// Received bytes that have not been decompressed yet.
    rest: Option<Rest>,
    /// The buffer from which the message has been moved, for the caller to free.
    pub(super) outgrown: Option<Vec<u8>>,
}

struct Incoming {
    text: bool,
    utf8: Utf8,
    received: u64,
    message: Vec<u8>,
    moving: Move,
}

/// Compressed bytes from `at` on. `last`: the message ends with them.
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

/// Result of decompressing a piece.
pub enum Inflated {
    /// The piece was consumed and the message continues.
    More,
    /// The budget was exhausted, or no new message may begin yet. The remaining bytes are kept for `resume`.
    Later,
    /// The message is complete.
    Message {
        /// Text; false: binary.
        text: bool,
        /// The decompressed payload.
        bytes: Vec<u8>,
    },
}

/// Limits on decompressed messages.
pub struct InflateLimits {
    /// Maximum bytes of a message.
    pub max_message: u64,
    /// Maximum decompression ratio, for messages over 1 MiB.
    pub max_ratio: u64,
}

/// Resources that decompressing borrows from the family.
pub struct Tools<'a, 'b> {
    /// Spare compression contexts.
    pub codecs: &'a mut Codecs,
    /// Scratch memory, for the duration of one call.
    pub scratch: &'a mut Vec<u8>,
    /// Remaining time of the poll.
    pub budget: &'a mut Budget<'b>,
}

impl Compression {
    /// Makes the state for our role, from the negotiated parameters.
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

    /// Whether we compress at all: the compressor does not support the smallest window.
    pub fn compresses(&self) -> bool {
        self.own_bits >= MIN_OWN_BITS
    }

    /// Window bits and level if a compressed message may be shared between connections; `None`: each connection needs a
    /// separate context.
    pub fn shared_by(&self) -> Option<(u8, u8)> {
        self.own_no_takeover.then_some((self.own_bits, self.level))
    }

    /// Bytes compressed between two checks of the budget.
    pub(super) fn slice_bytes(&self) -> usize {
        slice_bytes(self.level)
    }

    /// A message above this size is compressed in slices, starting at the next poll or flush.
    pub fn at_once_bytes(&self) -> usize {
        at_once_bytes(self.level)
    }

    /// Makes the compression context of this connection if it has none. True: it was made, which takes about as long as
    /// a slice.
    pub(super) fn prepare(&mut self, codecs: &mut Codecs) -> bool {
        let missing = self.compressor.is_none();
        if missing {
            self.compressor = Some(codecs.take_compressor(self.own_bits, self.level));
        }
        missing
    }

    /// Compresses a short message into `scratch`. False: the result is not shorter, so the message is sent
    /// uncompressed.
    pub(super) fn compress_whole(
        &mut self,
        codecs: &mut Codecs,
        payload: &[u8],
        scratch: &mut Vec<u8>,
    ) -> Result<bool, Broken> {
        scratch.clear();
        let (bits, level) = (self.own_bits, self.level);
        let mut compressor = self.compressor.take().unwrap_or_else(|| codecs.take_compressor(bits, level));
        compressor.compress(payload, true, scratch)?;
        if self.own_no_takeover {
            codecs.give_compressor(bits, level, compressor);
            // With context takeover the peer must receive the compressed message even if it is longer: the message is
            // part of the context.
            if scratch.len() >= payload.len() {
                return Ok(false);
            }
        } else {
            self.compressor = Some(compressor);
        }
        Ok(true)
    }

    /// Compresses the next slice of a long message into `scratch`; `stored`: emits it without compressing.
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

    /// Decompresses a piece of a message. `may_begin`: false keeps the piece for later if it begins a message.
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

    /// Decompresses the bytes that were kept, if any.
    pub fn resume(&mut self, limits: &InflateLimits, tools: &mut Tools<'_, '_>) -> Result<Inflated, Failure> {
        let Some(Rest { text, bytes, at, last }) = self.rest.take() else { return Ok(Inflated::More) };
        let (inflated, left) = self.go_on(text, &bytes[at..], last, limits, tools)?;
        if let Inflated::Later = inflated {
            let at = bytes.len() - left.len();
            self.rest = Some(Rest { text, bytes, at, last });
        }
        Ok(inflated)
    }

    /// Whether bytes were kept, and whether they begin a new message.
    pub fn kept(&self) -> (bool, bool) {
        (self.rest.is_some(), self.rest.is_some() && self.incoming.is_none())
    }

    /// Frees memory that an idle connection does not need: contexts without takeover keep no state between messages.
    /// `idle`: no message waits to be compressed.
    pub fn shrink(&mut self, idle: bool) {
        if self.own_no_takeover && idle {
            self.compressor = None;
        }
        if self.peer_no_takeover && self.incoming.is_none() {
            self.decompressor = None;
        }
    }

    /// Takes the unfinished message, as nothing more is read: its heap bytes, and the object to free.
    pub(super) fn abandon(&mut self) -> (usize, impl Discarded + 'static) {
        let (incoming, rest) = (self.incoming.take(), self.rest.take());
        let bytes =
            incoming.as_ref().map_or(0, Incoming::heap_bytes) + rest.as_ref().map_or(0, |rest| rest.bytes.capacity());
        (bytes, (incoming, rest))
    }

    /// Heap bytes of the unfinished message.
    pub fn message_bytes(&self) -> usize {
        let rest = self.rest.as_ref().map_or(0, |rest| rest.bytes.capacity());
        self.incoming.as_ref().map_or(0, Incoming::heap_bytes) + rest
    }

    /// As `message_bytes`, without memory that is reserved and not in use.
    pub fn used_bytes(&self) -> usize {
        let incoming = self.incoming.as_ref().map_or(0, |incoming| incoming.message.len() + incoming.moving.moved());
        incoming + self.rest.as_ref().map_or(0, |rest| rest.bytes.len())
    }

    /// Heap bytes of the contexts.
    pub fn heap_bytes(&self) -> usize {
        self.compressor.as_ref().map_or(0, Compressor::heap_bytes)
            + self.decompressor.as_ref().map_or(0, Decompressor::heap_bytes)
    }

    /// Decompresses until `left` is consumed or the budget is exhausted. Returns the bytes not consumed too.
    fn go_on<'b>(
        &mut self,
        text: bool,
        mut left: &'b [u8],
        last: bool,
        limits: &InflateLimits,
        tools: &mut Tools<'_, '_>,
    ) -> Result<(Inflated, &'b [u8]), Failure> {
        let incoming = self.incoming.get_or_insert_with(|| Incoming {
            text,
            utf8: Utf8::new(),
            received: 0,
            message: Vec::new(),
            moving: Move::default(),
        });
        let peer_bits = self.peer_bits;
        let no_takeover = self.peer_no_takeover;
        let decompressor = self.decompressor.get_or_insert_with(|| {
            if no_takeover { tools.codecs.take_decompressor() } else { Decompressor::new(peer_bits) }
        });
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
            if tools.budget.is_spent() {
                return Ok((Inflated::Later, left));
            }
        }
        if !last {
            return Ok((Inflated::More, left));
        }
        // Some compressors send no bytes at all for an empty message that follows another.
        if incoming.received > 0 {
            decompressor.finish().map_err(|Broken| broken())?;
        }
        if no_takeover && let Some(decompressor) = self.decompressor.take() {
            tools.codecs.give_decompressor(decompressor);
        }
        match self.incoming.take() {
            Some(Incoming { text, utf8, message, .. }) if utf8.is_complete() => {
                Ok((Inflated::Message { text, bytes: message }, left))
            }
            _ => Err(not_utf8()),
        }
    }
}

impl Incoming {
    fn add(&mut self, bytes: &[u8], limits: &InflateLimits) -> Result<(), Failure> {
        let len = self.message.len() + bytes.len();
        if len as u64 > limits.max_message {
            let why = format!(
                "a message is longer than {MAX_MESSAGE_BYTES} ({}): raise it, or send less at a time",
                limits.max_message
            );
            return Err(Failure::of_protocol(1009, why));
        }
        if len > RATIO_FREE && len as u64 / self.received.max(1) > limits.max_ratio {
            let why = format!(
                "a message inflates to more than {} times its size: it may be a decompression bomb; else raise {MAX_INFLATE_RATIO}",
                limits.max_ratio
            );
            return Err(Failure { cause: Cause::Deflate, ..Failure::of_protocol(1008, why) });
        }
        if self.text && self.utf8.feed(bytes).is_err() {
            return Err(not_utf8());
        }
        if self.message.try_reserve(bytes.len()).is_err() {
            let failure =
                Failure::of_protocol(1009, format!("there is no memory left for a message: lower {MAX_MESSAGE_BYTES}"));
            return Err(Failure { cause: Cause::Resources, ..failure });
        }
        self.message.extend_from_slice(bytes);
        Ok(())
    }

    /// Moves the message, one slice a call, to a buffer in which the next output fits. A message above 512 KiB gets 16
    /// MiB at once: that reserves address space, and no memory until it is written to.
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
    let why = "the peer sent compressed data that cannot be decompressed (RFC 7692 section 7.2.2)";
    Failure { cause: Cause::Deflate, ..Failure::of_protocol(1007, why) }
}

fn not_utf8() -> Failure {
    Failure::of_protocol(1007, "the peer sent text that is not valid UTF-8 (RFC 6455 section 8.1)")
}
