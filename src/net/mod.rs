//! Sockets, name lookup, TLS and the threads behind them. Nothing here depends on WebSocket.

mod der;
mod dial;
mod expiry;
mod given;
mod handshake;
mod keys;
mod local;
mod mailbox;
mod make_certificate;
mod memory;
mod networks;
mod pem;
mod readers;
mod recorded;
mod records;
mod resolve;
mod services;
mod simulated;
mod stream;
mod tcp;
mod time;
mod tls;
mod tls_errors;
mod tls_stream;
mod transport;
mod verify;
mod worker;

pub use dial::{Destination, Dial, Step};
pub use mailbox::{CancelToken, Mailbox};
pub use make_certificate::{Made, make_certificate};
pub use memory::MemoryEnd;
pub use networks::{Networks, prefix};
pub use resolve::{Names, interface, lacks_interface};
pub use services::Services;
pub use simulated::{Schedule, Simulated, Simulation};
pub use stream::{Stream, Unsent};
pub use time::Time;
pub use tls::{TlsClient, TlsClientSettings, TlsServer, now as unix_time};
pub use tls_errors::{Reader, tls_failure};
pub use tls_stream::TlsStream;

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;

/// Minimum size of a read buffer: TLS then opens its records in it, while a smaller buffer costs a copy.
pub(crate) const LEAST_READ: usize = 20 << 10;

/// Maximum connections in the system's accept queue.
const BACKLOG: i32 = 1_024;

/// Creates a socket that listens on `address`. `shares_port`: other sockets may, too, and the system spreads connections.
pub fn listen(address: SocketAddr, v6_only: bool, shares_port: bool) -> io::Result<mio::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(v6_only)?;
    }
    // On Windows this option would let two programs share the port.
    #[cfg(unix)]
    {
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(shares_port)?;
    }
    #[cfg(not(unix))]
    let _ = shares_port;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(mio::net::TcpListener::from_std(socket.into()))
}

/// In the child of a fork: replaces state that threads of the parent may have been creating.
pub fn forget_parent() {
    tls::forget_parent();
}
