//! An open transport that never blocks: TCP, TLS over it, TLS within TLS to a proxy, or memory; each also with a
//! simulated line.

use super::tcp::{Quiet, SHORT_IS_LAST};
use super::tls_stream::BATCH;
use super::transport::ToProxy;
use super::{MemoryEnd, Simulated, Simulation, TlsStream};
use crate::heap::Discarded;
use mio::net::TcpStream;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};

/// Maximum number of slices that one write passes to TLS.
const MAX_PARTS: usize = 16;

/// Asks the system how many bytes it has not sent on a socket; `None`: it does not say. The socket is its descriptor.
pub type Unsent = fn(i32) -> Option<u32>;

/// A byte stream. No call blocks; `WouldBlock` means that nothing is possible now.
pub enum Stream {
    /// ws://
    Tcp(TcpStream),
    /// wss://
    Tls(Box<TlsStream>),
    /// wss:// through a proxy that is reached by TLS itself.
    Tunnel(Box<TlsStream<ToProxy>>),
    /// A pair, or a transport that the program carries.
    Memory(Box<MemoryEnd>),
    /// One of the others, with a simulated line.
    Simulated(Box<Simulated>),
}

impl Discarded for Stream {}

impl Stream {
    /// Reads what is available. `Ok(0)`: the peer has ended the stream. `Interrupted`: nothing yet, but there may be
    /// more.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(tcp) => tcp.read(buffer),
            Stream::Tls(tls) => tls.read(buffer),
            Stream::Tunnel(tls) => tls.read(buffer),
            Stream::Memory(end) => end.read(buffer),
            Stream::Simulated(_) => self.read_simulated(buffer),
        }
    }

    /// As `read`, over a simulated line, which is removed if it was switched off and holds nothing.
    #[cold]
    #[inline(never)]
    fn read_simulated(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Stream::Simulated(line) = self else { return Err(io::ErrorKind::WouldBlock.into()) };
        let result = line.read(buffer);
        if line.is_spent() {
            let (unused, _) = MemoryEnd::pair(0);
            *self = std::mem::replace(self, Stream::Memory(Box::new(unused))).without_sim(true);
        }
        result
    }

    /// Whether the last read left nothing to read. `short`: it did not fill its buffer, which says nothing with TLS,
    /// where reads are always shorter than what was received.
    pub fn has_read_all(&self, short: bool) -> bool {
        match self {
            Stream::Tcp(_) => short && SHORT_IS_LAST,
            Stream::Tls(tls) => tls.has_read_all(),
            Stream::Tunnel(tls) => tls.has_read_all(),
            Stream::Memory(_) => short,
            Stream::Simulated(sim) => short && !sim.holds_input(),
        }
    }

    /// From now on a short read does not mean that nothing is left.
    pub fn read_on(&mut self) {
        match self {
            Stream::Tls(tls) => tls.read_on(),
            Stream::Tunnel(tls) => tls.read_on(),
            Stream::Simulated(sim) => sim.below_mut().read_on(),
            _ => {}
        }
    }

    /// Whether there is buffered input, which the system does not report.
    pub fn holds_input(&self) -> bool {
        match self {
            Stream::Tcp(_) => false,
            Stream::Tls(tls) => tls.holds_input(),
            Stream::Tunnel(tls) => tls.holds_input(),
            Stream::Memory(end) => end.readable() > 0,
            Stream::Simulated(sim) => sim.holds_input(),
        }
    }

    /// How many bytes of a long message to write at once: what fits the second-level cache after it was masked, and for
    /// TLS the amount that is sealed before it is sent.
    pub fn piece_bytes(&self) -> usize {
        match self {
            Stream::Tls(_) | Stream::Tunnel(_) => BATCH,
            Stream::Simulated(sim) => sim.below().piece_bytes(),
            _ => 128 << 10,
        }
    }

    /// Writes what is accepted now.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(tcp) => tcp.write(bytes),
            Stream::Tls(tls) => tls.write(&[bytes]),
            Stream::Tunnel(tls) => tls.write(&[bytes]),
            Stream::Memory(end) => end.write(bytes),
            Stream::Simulated(sim) => sim.write(bytes),
        }
    }

    /// Like `write`, from several slices.
    pub fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Stream::Tcp(tcp) => Quiet(tcp).write_vectored(parts),
            Stream::Tls(tls) => tls.write(&slices_of(parts)[..parts.len().min(MAX_PARTS)]),
            Stream::Tunnel(tls) => tls.write(&slices_of(parts)[..parts.len().min(MAX_PARTS)]),
            Stream::Memory(end) => {
                let mut total = 0;
                for part in parts.iter().filter(|part| !part.is_empty()) {
                    match end.write(part) {
                        Ok(count) if count < part.len() => return Ok(total + count),
                        Ok(count) => total += count,
                        Err(_) if total > 0 => break,
                        Err(error) => return Err(error),
                    }
                }
                Ok(total)
            }
            Stream::Simulated(sim) => sim.write_vectored(parts),
        }
    }

    /// Writes the records that TLS has buffered to the socket. `WouldBlock`: some of them remain.
    pub fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Tls(tls) => tls.send(),
            Stream::Tunnel(tls) => tls.send(),
            Stream::Simulated(sim) => sim.flush(),
            _ => Ok(()),
        }
    }

    /// Position in the written bytes up to which the system has accepted them. `written` of `all` bytes were written,
    /// some of which TLS may have buffered.
    #[inline]
    pub fn left(&self, written: u64, all: u64) -> u64 {
        match self {
            // A failed write may have sent some bytes that it did not report as written.
            Stream::Tls(tls) => tls.left().min(all),
            Stream::Tunnel(tls) => tls.left().min(all),
            _ => written,
        }
    }

    /// TCP_NODELAY.
    pub fn set_no_delay(&self, on: bool) {
        // Fails only on a socket that has ended, where it does not matter.
        match self {
            Stream::Tcp(tcp) => drop(tcp.set_nodelay(on)),
            Stream::Tls(tls) => drop(tls.tcp().set_nodelay(on)),
            Stream::Tunnel(tls) => drop(tls.tcp().set_nodelay(on)),
            Stream::Memory(_) => {}
            Stream::Simulated(sim) => sim.below().set_no_delay(on),
        }
    }

    /// Bytes that were written and wait to be sent, by the system or by a simulated line; `None`: nobody says.
    pub fn unsent(&self, ask: Unsent) -> Option<usize> {
        if let Stream::Simulated(sim) = self {
            let (line, below) = (sim.waiting(), sim.below().unsent(ask));
            return line.map(|line| line + below.unwrap_or_default()).or(below);
        }
        #[cfg(unix)]
        {
            use std::os::fd::AsRawFd;
            ask(self.socket()?.as_raw_fd()).map(|bytes| bytes as usize)
        }
        #[cfg(not(unix))]
        {
            let _ = ask;
            None
        }
    }

    /// Our address.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.socket().and_then(|tcp| tcp.local_addr().ok())
    }

    /// The peer's address.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.socket().and_then(|tcp| tcp.peer_addr().ok())
    }

    /// The socket, to register it for readiness.
    pub fn tcp(&mut self) -> Option<&mut TcpStream> {
        match self {
            Stream::Tcp(tcp) => Some(tcp),
            Stream::Tls(tls) => Some(tls.tcp_mut()),
            Stream::Tunnel(tls) => Some(tls.tcp_mut()),
            Stream::Memory(_) => None,
            Stream::Simulated(sim) => sim.below_mut().tcp(),
        }
    }

    /// TLS version and cipher suite.
    pub fn describe_tls(&self) -> Option<String> {
        match self {
            Stream::Tls(tls) => Some(tls.describe()),
            Stream::Tunnel(tls) => Some(tls.describe()),
            Stream::Simulated(sim) => sim.below().describe_tls(),
            _ => None,
        }
    }

    /// The same stream, free to be registered with another poll: mio remembers the one that it was registered with.
    pub(super) fn unregistered(self) -> Stream {
        let renew = |tcp: TcpStream| TcpStream::from_std(std::net::TcpStream::from(tcp));
        match self {
            Stream::Tcp(tcp) => Stream::Tcp(renew(tcp)),
            Stream::Tls(tls) => Stream::Tls(Box::new(tls.over(renew))),
            Stream::Tunnel(tls) => Stream::Tunnel(Box::new(tls.over(renew))),
            other => other,
        }
    }

    /// Reads bytes to be ignored: with TLS the records, without opening them.
    pub(super) fn drain(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tls(tls) => tls.tcp().read(buffer),
            Stream::Tunnel(tls) => tls.tcp().read(buffer),
            other => other.read(buffer),
        }
    }

    /// Frees memory that an idle stream does not need.
    pub fn shrink(&mut self) {
        match self {
            Stream::Tls(tls) => tls.shrink(),
            Stream::Tunnel(tls) => tls.shrink(),
            Stream::Simulated(sim) => sim.below_mut().shrink(),
            _ => {}
        }
    }

    /// Ends our direction.
    pub fn shutdown_write(&mut self) {
        match self {
            Stream::Tcp(tcp) => drop(tcp.shutdown(Shutdown::Write)),
            Stream::Tls(tls) => tls.shutdown_write(),
            Stream::Tunnel(tls) => tls.shutdown_write(),
            Stream::Memory(end) => end.finish(),
            Stream::Simulated(sim) => sim.shutdown_write(),
        }
    }

    /// Whether it is a pipe in memory.
    pub fn is_memory(&self) -> bool {
        match self {
            Stream::Memory(_) => true,
            Stream::Simulated(sim) => sim.below().is_memory(),
            _ => false,
        }
    }

    /// Whether a pipe in memory has bytes that can be read, or a line above it takes over.
    pub fn pipe_has_input(&self) -> bool {
        match self {
            Stream::Memory(end) => end.readable() > 0,
            Stream::Simulated(sim) => sim.wants_input() && sim.below().pipe_has_input(),
            _ => false,
        }
    }

    /// Whether a pipe in memory is ready for what is wanted of it.
    pub fn pipe_waits(&self, reads: bool, writes: bool) -> bool {
        match self {
            Stream::Memory(end) => (reads && end.readable() > 0) || (writes && end.room() > 0),
            Stream::Simulated(line) => line.below().pipe_waits(reads, writes),
            _ => false,
        }
    }

    /// The same stream with a simulated line; `None`: without, once what the line holds has left. `client`: this is the
    /// client's end.
    pub fn simulated(self, simulation: Option<&Simulation>, client: bool) -> Stream {
        match (self, simulation) {
            (Stream::Simulated(mut sim), Some(simulation)) => {
                sim.change(simulation, client);
                Stream::Simulated(sim)
            }
            (Stream::Simulated(mut sim), None) => {
                sim.switch_off();
                Stream::Simulated(sim)
            }
            (stream, Some(simulation)) => Stream::Simulated(Box::new(Simulated::new(stream, simulation, client))),
            (stream, None) => stream,
        }
    }

    /// The same stream without a simulated line. What that holds is lost, or, with `passes_on`, leaves first.
    pub fn without_sim(self, passes_on: bool) -> Stream {
        match self {
            Stream::Simulated(sim) => sim.into_below(passes_on),
            other => other,
        }
    }

    /// Bytes that were written and are held by a simulated line.
    pub fn held(&self) -> usize {
        match self {
            Stream::Simulated(sim) => sim.held_out(),
            _ => 0,
        }
    }

    fn socket(&self) -> Option<&TcpStream> {
        match self {
            Stream::Tcp(tcp) => Some(tcp),
            Stream::Tls(tls) => Some(tls.tcp()),
            Stream::Tunnel(tls) => Some(tls.tcp()),
            Stream::Memory(_) => None,
            Stream::Simulated(sim) => sim.below().socket(),
        }
    }
}

/// The first slices as TLS takes them.
fn slices_of<'a>(parts: &'a [IoSlice<'_>]) -> [&'a [u8]; MAX_PARTS] {
    let mut slices = [[].as_slice(); MAX_PARTS];
    slices.iter_mut().zip(parts).for_each(|(slice, part)| *slice = part);
    slices
}
