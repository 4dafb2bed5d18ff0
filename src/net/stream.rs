//! An open transport that never blocks: TCP, TLS over it, or memory.

use super::MemoryEnd;
use mio::net::TcpStream;
use rustls::Connection;
use socket2::SockRef;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};

/// Plaintext that rustls may hold encrypted while the socket takes no more.
const TLS_BUFFER: usize = 64 << 10;

/// A host that leaves SIGPIPE at its default must not be killed by a peer that went. On Apple's systems the sockets themselves are set so.
#[cfg(all(unix, not(target_vendor = "apple")))]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
const NO_SIGNAL: i32 = 0;

/// A byte stream. Every call returns at once; `WouldBlock` means "nothing now".
pub enum Stream {
    /// ws://
    Tcp(TcpStream),
    /// wss://
    Tls(Box<TlsStream>),
    /// A pair, or a transport that the host carries.
    Memory(MemoryEnd),
}

impl Stream {
    /// Reads what is there. `Ok(0)`: the peer has ended it.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(tcp) => tcp.read(buffer),
            Stream::Tls(tls) => tls.read(buffer),
            Stream::Memory(end) => end.read(buffer),
        }
    }

    /// Whether a read shorter than its buffer shows that nothing more is there. Not so with TLS, which gives a record at a time.
    pub fn short_read_is_last(&self) -> bool {
        !matches!(self, Stream::Tls(_))
    }

    /// Writes what is taken now.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(tcp) => tcp.write(bytes),
            Stream::Tls(tls) => tls.write(bytes),
            Stream::Memory(end) => end.write(bytes),
        }
    }

    /// As `write`, from several places.
    pub fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        if let Stream::Tcp(tcp) = self {
            return Quiet(tcp).write_vectored(parts);
        }
        let mut total = 0;
        for part in parts.iter().filter(|part| !part.is_empty()) {
            match self.write(part) {
                Ok(count) => {
                    total += count;
                    if count < part.len() {
                        break;
                    }
                }
                Err(_) if total > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }

    /// Gives the socket what TLS holds back. `WouldBlock`: some of it is still there.
    pub fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Tls(tls) => tls.send(),
            _ => Ok(()),
        }
    }

    /// Bytes that were taken and that TLS holds back.
    pub fn unsent(&self) -> usize {
        match self {
            Stream::Tls(tls) => tls.held,
            _ => 0,
        }
    }

    /// TCP_NODELAY.
    pub fn set_no_delay(&self, on: bool) {
        // It fails only on a socket that has ended, where it does not matter.
        match self {
            Stream::Tcp(tcp) => drop(tcp.set_nodelay(on)),
            Stream::Tls(tls) => drop(tls.tcp.set_nodelay(on)),
            Stream::Memory(_) => {}
        }
    }

    /// Ours.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.socket().and_then(|tcp| tcp.local_addr().ok())
    }

    /// The peer's.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.socket().and_then(|tcp| tcp.peer_addr().ok())
    }

    /// The socket, to register it for readiness.
    pub fn tcp(&mut self) -> Option<&mut TcpStream> {
        match self {
            Stream::Tcp(tcp) => Some(tcp),
            Stream::Tls(tls) => Some(&mut tls.tcp),
            Stream::Memory(_) => None,
        }
    }

    /// Version and cipher suite.
    pub fn describe_tls(&self) -> Option<String> {
        let Stream::Tls(tls) = self else { return None };
        let version = tls.session.protocol_version()?;
        let suite = tls.session.negotiated_cipher_suite()?.suite();
        Some(format!("{version:?} {suite:?}").replace("TLSv1_", "TLSv1."))
    }

    /// The same stream, free to be registered with another poll: mio remembers the one that had it.
    pub(super) fn unregistered(self) -> Stream {
        let renew = |tcp: TcpStream| TcpStream::from_std(std::net::TcpStream::from(tcp));
        match self {
            Stream::Tcp(tcp) => Stream::Tcp(renew(tcp)),
            Stream::Tls(tls) => Stream::Tls(Box::new(TlsStream { tcp: renew(tls.tcp), session: tls.session, held: tls.held })),
            memory => memory,
        }
    }

    /// Reads what nobody will look at: of TLS the records as they are.
    pub(super) fn drain(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tls(tls) => tls.tcp.read(buffer),
            other => other.read(buffer),
        }
    }

    /// Says that nothing more comes from here.
    pub fn shutdown_write(&mut self) {
        match self {
            Stream::Tcp(tcp) => drop(tcp.shutdown(Shutdown::Write)),
            Stream::Tls(tls) => {
                tls.session.send_close_notify();
                drop(tls.send());
                drop(tls.tcp.shutdown(Shutdown::Write));
            }
            Stream::Memory(end) => end.finish(),
        }
    }

    fn socket(&self) -> Option<&TcpStream> {
        match self {
            Stream::Tcp(tcp) => Some(tcp),
            Stream::Tls(tls) => Some(&tls.tcp),
            Stream::Memory(_) => None,
        }
    }
}

/// A socket to write to without SIGPIPE. The standard library's `write` raises none, but its `write_vectored` is writev(2), which takes no flags.
pub(super) struct Quiet<'a>(pub(super) &'a mut TcpStream);

impl Write for Quiet<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_io(|| SockRef::from(&*self.0).send_vectored_with_flags(parts, NO_SIGNAL))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// TLS whose handshake is done.
pub struct TlsStream {
    session: Connection,
    tcp: TcpStream,
    /// Plaintext bytes taken since TLS last held nothing back.
    held: usize,
}

impl TlsStream {
    /// From a session past its handshake.
    pub(super) fn new(mut session: Connection, tcp: TcpStream) -> TlsStream {
        session.set_buffer_limit(Some(TLS_BUFFER));
        TlsStream { session, tcp, held: 0 }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.reader().read(buffer) {
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // The peer went without close_notify: WebSocket has its own close.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                Err(error) => return Err(error),
            }
            match self.session.read_tls(&mut self.tcp) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    if error.kind() == ErrorKind::WouldBlock && self.session.wants_write() {
                        // An answer of TLS itself, such as to a key update.
                        self.send().or_else(|error| if error.kind() == ErrorKind::WouldBlock { Ok(()) } else { Err(error) })?;
                    }
                    return Err(error);
                }
            }
            if let Err(error) = self.session.process_new_packets() {
                // The alert that tells the peer why.
                drop(self.send());
                return Err(io::Error::new(ErrorKind::InvalidData, error));
            }
        }
    }

    /// rustls reports no error of the socket when it takes plaintext, so each write sends, too.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut total = 0;
        while total < bytes.len() {
            let count = self.session.writer().write(&bytes[total..])?;
            total += count;
            self.held += count;
            match self.send() {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if count == 0 || total == bytes.len() {
                        break;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        if total == 0 && !bytes.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { Ok(total) }
    }

    /// Writes records until none is held back.
    fn send(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut Quiet(&mut self.tcp)) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.held = 0;
        Ok(())
    }
}
