//! TCP sockets: the meaning of a short read, and writing without SIGPIPE.

use mio::net::TcpStream;
use socket2::SockRef;
use std::io::{self, IoSlice, Write};

/// A program that leaves SIGPIPE at its default must not be killed because a peer has gone. On Apple's systems this is
/// an option of the socket.
#[cfg(all(unix, not(target_vendor = "apple")))]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
const NO_SIGNAL: i32 = 0;
/// After a short read the system reports when there is more. On Windows it does so only after a read that found
/// nothing, because mio does not ask again before that. A read also stops at out-of-band bytes, whatever follows them:
/// Linux reports these (`Stream::read_on`), other systems do not through mio.
pub(super) const SHORT_IS_LAST: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// A socket to write to without SIGPIPE. The standard library's `write` raises none, but its `write_vectored` is
/// writev(2), which takes no flags.
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
