//! A TCP socket: what a short read means, and writing without a signal.

use mio::net::TcpStream;
use socket2::SockRef;
use std::io::{self, IoSlice, Write};

/// A host that leaves SIGPIPE at its default must not be killed by a peer that went. On Apple's systems the sockets themselves are set so.
#[cfg(all(unix, not(target_vendor = "apple")))]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
const NO_SIGNAL: i32 = 0;
/// What comes after a short read is told by the system. On Windows it is only once a read has found nothing: mio asks anew no sooner. A read also stops at
/// out-of-band bytes, whatever is behind them: Linux tells of those (`Stream::read_on`), other systems do not by way of mio.
pub(super) const SHORT_IS_LAST: bool = cfg!(any(target_os = "linux", target_os = "android"));

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
