//! Sockets, names, TLS and the threads behind them. Nothing here knows WebSocket.

mod der;
mod dial;
mod given;
mod handshake;
mod keys;
mod mailbox;
mod memory;
mod pem;
mod records;
mod resolve;
mod services;
mod stream;
mod tcp;
mod tls;
mod tls_errors;
mod tls_stream;
mod verify;
mod worker;

pub use dial::{Destination, Dial, Step};
pub use mailbox::{CancelToken, Mailbox};
pub use memory::MemoryEnd;
pub use resolve::{interface, lacks_interface};
pub use services::Services;
pub use stream::Stream;
pub use tls::{TlsClient, TlsClientSettings, TlsServer};
pub use tls_errors::{Reader, tls_failure};
pub use tls_stream::TlsStream;

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;

/// A buffer to read to should have this size: TLS then opens its records there, where a smaller one costs a copy.
pub(crate) const LEAST_READ: usize = 20 << 10;

/// Connections that may wait in the system's queue.
const BACKLOG: i32 = 1_024;

/// A socket that listens on `address`.
pub fn listen(address: SocketAddr, v6_only: bool) -> io::Result<mio::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(v6_only)?;
    }
    // On Windows this would let two programs share the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(mio::net::TcpListener::from_std(socket.into()))
}

/// In the child of a fork: what threads of the parent may have been making is made again.
pub fn forget_parent() {
    tls::forget_parent();
}
