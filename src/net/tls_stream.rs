//! An open TLS connection over a socket: each reading is opened where it lies.

use super::LEAST_READ;
use super::records::{MAX_RECORD, Records, begins_whole};
use super::tcp::{Quiet, SHORT_IS_LAST};
use mio::net::TcpStream;
use rustls::crypto::cipher::OutboundChunks;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;

/// Plaintext that is sealed before the socket is asked to take it, and a little more rather than one small write behind. So much is held back at most.
pub(super) const BATCH: usize = 96 << 10;
const MAX_BATCH: usize = 100 << 10;
/// Records handed to one system call.
const MAX_SLICES: usize = 8;
// The longest record fits with room to spare.
const _: () = assert!(LEAST_READ > MAX_RECORD);

/// TLS whose handshake is done.
pub struct TlsStream {
    tcp: TcpStream,
    records: Records,
    /// Read and not opened: the start of a record, or what came faster than it could be opened.
    carried: Vec<u8>,
    /// Opened and not read yet: it came with the handshake, or did not fit.
    plain: Vec<u8>,
    /// Read bytes of it.
    given: usize,
    /// The last read has read the socket, which had no more then.
    drained: bool,
    /// A short read of the socket is not the last.
    reads_on: bool,
}

impl TlsStream {
    /// `carried` and `plain` came behind the handshake.
    pub fn new(tcp: TcpStream, records: Records, carried: Vec<u8>, plain: Vec<u8>) -> TlsStream {
        TlsStream { tcp, records, carried, plain, given: 0, drained: false, reads_on: false }
    }

    /// Reads what is there. `Ok(0)`: the peer has ended it. `Interrupted`: something came that is no plaintext, and there may be more.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // What lay here may have been read long ago: the socket may have more by now.
        self.drained = false;
        if self.given == self.plain.len() {
            if buffer.len() >= LEAST_READ {
                return self.read_directly(buffer);
            }
            let mut plain = std::mem::take(&mut self.plain);
            plain.resize(LEAST_READ, 0);
            let result = self.read_directly(&mut plain);
            plain.truncate(*result.as_ref().unwrap_or(&0));
            (self.plain, self.given) = (plain, 0);
            result?;
        }
        let count = buffer.len().min(self.plain.len() - self.given);
        buffer[..count].copy_from_slice(&self.plain[self.given..self.given + count]);
        self.given += count;
        if self.given == self.plain.len() {
            (self.plain, self.given) = (Vec::new(), 0);
        }
        Ok(count)
    }

    /// Whether all that the socket had was given out.
    pub fn has_read_all(&self) -> bool {
        self.drained && !self.holds_input()
    }

    /// From here on the socket is read until it has nothing more.
    pub fn read_on(&mut self) {
        self.reads_on = true;
    }

    /// Whether a read would give out something, or tell the end, without the socket having more.
    pub fn holds_input(&self) -> bool {
        !self.plain.is_empty() || self.records.is_over() || begins_whole(&self.carried)
    }

    /// Takes plaintext from several places and sends it, as long as the socket takes it.
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

    /// Sends records until none is held back.
    pub fn send(&mut self) -> io::Result<()> {
        while !self.records.outgoing.is_empty() {
            let (slices, count) = self.records.outgoing.slices::<MAX_SLICES>();
            let result = match &slices[..count] {
                [one] => self.tcp.write(one),
                several => Quiet(&mut self.tcp).write_vectored(several),
            };
            match result {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.records.outgoing.advance(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Position in the plaintext up to which the socket has taken it, whole records only.
    pub fn left(&self) -> u64 {
        self.records.outgoing.left()
    }

    /// Says that nothing more comes from here.
    pub fn shutdown_write(&mut self) {
        self.records.close();
        drop(self.send());
        drop(self.tcp.shutdown(Shutdown::Write));
    }

    /// Version and cipher suite.
    pub fn describe(&self) -> String {
        self.records.describe()
    }

    /// The socket.
    pub fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    /// The socket, to register it for readiness.
    pub fn tcp_mut(&mut self) -> &mut TcpStream {
        &mut self.tcp
    }

    /// The same stream on the same socket, which `renew` has made anew.
    pub fn over(self, renew: impl FnOnce(TcpStream) -> TcpStream) -> TlsStream {
        TlsStream { tcp: renew(self.tcp), ..self }
    }

    /// Reads the socket once, behind what was carried over, and opens the records where they lie.
    fn read_directly(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = self.carried.len().min(buffer.len());
        if !self.records.is_over() && !begins_whole(&self.carried) {
            match self.tcp.read(&mut buffer[filled..]) {
                // The peer may go without close_notify: WebSocket has its own close.
                Ok(0) => return Ok(0),
                Ok(count) => {
                    buffer[..filled].copy_from_slice(&std::mem::take(&mut self.carried));
                    filled += count;
                    self.drained = SHORT_IS_LAST && !self.reads_on && filled < buffer.len();
                }
                Err(error) => return Err(error),
            }
        } else {
            buffer[..filled].copy_from_slice(&self.carried[..filled]);
            self.carried.drain(..filled);
        }
        let opened = self.records.open(&mut buffer[..filled]);
        let left = &buffer[opened.used..filled];
        if self.carried.is_empty() {
            self.carried.extend_from_slice(left);
        } else {
            self.carried.splice(..0, left.iter().copied());
        }
        if !self.records.outgoing.is_empty() {
            // An answer of TLS itself, such as to a key update. Whether the socket still takes it, the next write will tell.
            drop(self.send());
        }
        if opened.plain > 0 {
            return Ok(opened.plain);
        }
        match self.records.failure() {
            Some(error) => Err(broken(error.clone())),
            None if self.records.is_over() => Ok(0),
            None if self.drained && !begins_whole(&self.carried) => Err(ErrorKind::WouldBlock.into()),
            None => Err(ErrorKind::Interrupted.into()),
        }
    }
}

fn broken(error: rustls::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}
