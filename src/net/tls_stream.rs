//! An open TLS connection over a socket, or over TLS to a proxy. Records are opened in the buffer that they are read
//! into.

use super::LEAST_READ;
use super::records::{MAX_RECORD, Records, begins_whole};
use super::transport::Transport;
use mio::net::TcpStream;
use rustls::crypto::cipher::OutboundChunks;
use std::io::{self, ErrorKind};

/// Plaintext bytes that are sealed before the socket is written to; MAX_BATCH if that avoids a small write afterwards.
/// At most this much is buffered.
pub(super) const BATCH: usize = 96 << 10;
const MAX_BATCH: usize = 100 << 10;
/// Maximum number of records per system call.
pub(super) const MAX_SLICES: usize = 8;
// The longest record must fit.
const _: () = assert!(LEAST_READ > MAX_RECORD);

/// A TLS connection after its handshake.
pub struct TlsStream<T = TcpStream> {
    under: T,
    records: Records,
    /// Received and not read by the caller. Allocated when there is some, and kept until `shrink`.
    held: Option<Box<Held>>,
    /// The last read left nothing in the transport.
    drained: bool,
    /// A short read of the transport does not mean that nothing is left.
    reads_on: bool,
}

/// Received bytes that the caller has not read.
#[derive(Default)]
struct Held {
    /// Not opened: the start of a record, or records that came faster than they could be opened.
    carried: Vec<u8>,
    /// Opened: it came with the handshake, or did not fit.
    plain: Vec<u8>,
    /// Number of bytes of `plain` that the caller has read.
    given: usize,
}

impl<T: Transport> TlsStream<T> {
    /// `carried` and `plain` were received after the handshake.
    pub fn new(under: T, records: Records, carried: Vec<u8>, plain: Vec<u8>) -> TlsStream<T> {
        let is_held = !carried.is_empty() || !plain.is_empty();
        let held = is_held.then(|| Box::new(Held { carried, plain, given: 0 }));
        TlsStream { under, records, held, drained: false, reads_on: false }
    }

    /// Reads what is available. `Ok(0)`: the peer has ended the stream. `Interrupted`: bytes without plaintext were
    /// received, and there may be more.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // The buffered plaintext may be old, and the socket may have more by now.
        self.drained = false;
        if !self.has_plain() {
            if buffer.len() >= LEAST_READ {
                return self.read_directly(buffer);
            }
            let mut plain = vec![0; LEAST_READ];
            let count = self.read_directly(&mut plain)?;
            plain.truncate(count);
            self.held.get_or_insert_default().plain = plain;
        }
        let Some(Held { plain, given, .. }) = self.held.as_deref_mut() else { return Ok(0) };
        let count = buffer.len().min(plain.len() - *given);
        buffer[..count].copy_from_slice(&plain[*given..*given + count]);
        *given += count;
        if *given == plain.len() {
            (*plain, *given) = (Vec::new(), 0);
        }
        Ok(count)
    }

    /// Whether the caller has read everything that the socket had.
    pub fn has_read_all(&self) -> bool {
        self.drained && !self.holds_input()
    }

    /// From now on the socket is read until it would block.
    pub fn read_on(&mut self) {
        self.reads_on = true;
        self.under.read_on();
    }

    /// Whether a read would return bytes, or the end, without more from the socket.
    pub fn holds_input(&self) -> bool {
        self.has_plain() || self.records.is_over() || begins_whole(self.carried()) || self.under.holds_input()
    }

    /// Frees memory that an idle stream does not need.
    pub fn shrink(&mut self) {
        self.records.outgoing.shrink();
        self.under.shrink();
        if self.held.as_ref().is_some_and(|held| held.carried.is_empty() && held.plain.is_empty()) {
            self.held = None;
        }
    }

    /// Whether there is opened plaintext that the caller has not read.
    fn has_plain(&self) -> bool {
        self.held.as_ref().is_some_and(|held| !held.plain.is_empty())
    }

    /// The bytes that were read and not opened.
    fn carried(&self) -> &[u8] {
        self.held.as_ref().map_or(&[], |held| &held.carried)
    }

    /// Seals plaintext from several slices and sends it, as long as the socket accepts it.
    pub fn write(&mut self, parts: &[&[u8]]) -> io::Result<usize> {
        self.send()?;
        let mut rest = OutboundChunks::new(parts);
        let mut total = 0;
        while !rest.is_empty() {
            let (batch, behind) = rest.split_at(if rest.len() <= MAX_BATCH { MAX_BATCH } else { BATCH });
            let count = batch.len();
            self.records.seal(batch).map_err(broken)?;
            total += count;
            rest = behind;
            match self.send() {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }

    /// Sends records until none is left.
    /// Memory checkers know it by its name: tests/lib/valgrind.supp.
    #[inline(never)]
    pub fn send(&mut self) -> io::Result<()> {
        while !self.records.outgoing.is_empty() {
            let left = self.records.outgoing.left();
            let (slices, count) = self.records.outgoing.slices::<MAX_SLICES>();
            match self.under.write(&slices[..count], left) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.records.outgoing.advance(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.under.flush()
    }

    /// Whether the socket has accepted everything that was written.
    pub fn has_sent_all(&self) -> bool {
        self.records.outgoing.is_empty()
    }

    /// Position in the plaintext up to which the socket has accepted it, in complete records.
    pub fn left(&self) -> u64 {
        self.under.sent(self.records.outgoing.left())
    }

    /// Ends our direction, with close_notify.
    pub fn shutdown_write(&mut self) {
        self.records.close();
        drop(self.send());
        self.under.shutdown_write();
    }

    /// TLS version and cipher suite.
    pub fn describe(&self) -> String {
        self.records.describe()
    }

    /// The socket.
    pub fn tcp(&self) -> &TcpStream {
        self.under.tcp()
    }

    /// The socket, to register it for readiness.
    pub fn tcp_mut(&mut self) -> &mut TcpStream {
        self.under.tcp_mut()
    }

    /// The same stream over the same socket, which `renew` recreates.
    pub fn over(self, renew: impl FnOnce(TcpStream) -> TcpStream) -> TlsStream<T> {
        TlsStream { under: self.under.over(renew), ..self }
    }

    /// Reads the socket once, after the carried bytes, and opens the records in place.
    fn read_directly(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = self.carried().len().min(buffer.len());
        if !self.records.is_over() && !begins_whole(self.carried()) {
            match self.under.read(&mut buffer[filled..]) {
                // A peer may end without close_notify: WebSocket has its own closing handshake.
                Ok(0) => return Ok(0),
                Ok(count) => {
                    if let Some(held) = &mut self.held {
                        buffer[..filled].copy_from_slice(&std::mem::take(&mut held.carried));
                    }
                    filled += count;
                    self.drained = !self.reads_on && self.under.has_read_all(filled < buffer.len());
                }
                Err(error) => return Err(error),
            }
        } else if let Some(held) = &mut self.held {
            buffer[..filled].copy_from_slice(&held.carried[..filled]);
            held.carried.drain(..filled);
        }
        let opened = self.records.open(&mut buffer[..filled]);
        let left = &buffer[opened.used..filled];
        if !left.is_empty() {
            self.held.get_or_insert_default().carried.splice(..0, left.iter().copied());
        }
        if !self.records.outgoing.is_empty() {
            // A response of TLS itself, such as to a key update. If the socket fails, the next write reports it.
            drop(self.send());
        }
        if opened.plain > 0 {
            return Ok(opened.plain);
        }
        match self.records.failure() {
            Some(error) => Err(broken(error.clone())),
            None if self.records.is_over() => Ok(0),
            None if self.drained && !begins_whole(self.carried()) => Err(ErrorKind::WouldBlock.into()),
            None => Err(ErrorKind::Interrupted.into()),
        }
    }
}

fn broken(error: rustls::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}
