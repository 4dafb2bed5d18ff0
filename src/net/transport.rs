//! What TLS sends its records over: a socket, or TLS to a proxy.

use super::TlsStream;
use super::tcp::{Quiet, SHORT_IS_LAST};
use super::tls_stream::MAX_SLICES;
use mio::net::TcpStream;
use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;

/// A byte stream below TLS. No call blocks.
pub trait Transport: Sized {
    /// Reads what is available.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes what is accepted now. Below it are `left` bytes of the plaintext above.
    fn write(&mut self, slices: &[IoSlice<'_>], left: u64) -> io::Result<usize>;

    /// Writes what is buffered. `WouldBlock`: some of it remains.
    fn flush(&mut self) -> io::Result<()>;

    /// Whether the last read left nothing to read. `short`: it did not fill its buffer.
    fn has_read_all(&self, short: bool) -> bool;

    /// From now on a short read does not mean that nothing is left.
    fn read_on(&mut self);

    /// Whether there is buffered input.
    fn holds_input(&self) -> bool;

    /// Position in the plaintext above up to which the socket has accepted it; `left` of it were written here.
    fn sent(&self, left: u64) -> u64;

    /// Frees memory that an idle stream does not need.
    fn shrink(&mut self);

    /// Ends our direction.
    fn shutdown_write(&mut self);

    /// The socket.
    fn tcp(&self) -> &TcpStream;

    /// The socket, to register it for readiness.
    fn tcp_mut(&mut self) -> &mut TcpStream;

    /// The same stream over the same socket, which `renew` recreates.
    fn over(self, renew: impl FnOnce(TcpStream) -> TcpStream) -> Self;
}

impl Transport for TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Read::read(self, buffer)
    }

    fn write(&mut self, slices: &[IoSlice<'_>], _: u64) -> io::Result<usize> {
        match slices {
            [one] => Write::write(self, one),
            several => Quiet(self).write_vectored(several),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn has_read_all(&self, short: bool) -> bool {
        SHORT_IS_LAST && short
    }

    fn read_on(&mut self) {}

    fn holds_input(&self) -> bool {
        false
    }

    fn sent(&self, left: u64) -> u64 {
        left
    }

    fn shrink(&mut self) {}

    fn shutdown_write(&mut self) {
        drop(self.shutdown(Shutdown::Write));
    }

    fn tcp(&self) -> &TcpStream {
        self
    }

    fn tcp_mut(&mut self) -> &mut TcpStream {
        self
    }

    fn over(self, renew: impl FnOnce(TcpStream) -> TcpStream) -> TcpStream {
        renew(self)
    }
}

/// TLS to a proxy, below TLS to the server.
pub struct ToProxy {
    tls: TlsStream,
    /// Position in the plaintext above up to which the socket had accepted it when it had accepted everything.
    sent: u64,
}

impl ToProxy {
    /// A tunnel through the proxy.
    pub fn new(tls: TlsStream) -> ToProxy {
        ToProxy { tls, sent: 0 }
    }
}

impl Transport for ToProxy {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tls.read(buffer)
    }

    fn write(&mut self, slices: &[IoSlice<'_>], left: u64) -> io::Result<usize> {
        self.tls.send()?;
        self.sent = left;
        let mut parts = [[].as_slice(); MAX_SLICES];
        parts.iter_mut().zip(slices).for_each(|(part, slice)| *part = slice);
        self.tls.write(&parts[..slices.len().min(MAX_SLICES)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tls.send()
    }

    fn has_read_all(&self, _: bool) -> bool {
        self.tls.has_read_all()
    }

    fn read_on(&mut self) {
        self.tls.read_on();
    }

    fn holds_input(&self) -> bool {
        self.tls.holds_input()
    }

    fn sent(&self, left: u64) -> u64 {
        if self.tls.has_sent_all() { left } else { self.sent }
    }

    fn shrink(&mut self) {
        self.tls.shrink();
    }

    fn shutdown_write(&mut self) {
        self.tls.shutdown_write();
    }

    fn tcp(&self) -> &TcpStream {
        self.tls.tcp()
    }

    fn tcp_mut(&mut self) -> &mut TcpStream {
        self.tls.tcp_mut()
    }

    fn over(self, renew: impl FnOnce(TcpStream) -> TcpStream) -> ToProxy {
        ToProxy { tls: self.tls.over(renew), ..self }
    }
}
