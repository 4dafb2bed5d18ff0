//! A TLS handshake, which runs in steps on the worker.

use super::keys::Keys;
use super::records::{Records, begins_whole};
use super::tls_errors::{Reader, failed_handshake};
use super::tls_stream::TlsStream;
use super::transport::ToProxy;
use super::{Stream, TlsClient, TlsServer};
use crate::error::Failure;
use crate::status::{Cause, Phase};
use mio::net::TcpStream;
use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, UnbufferedStatus};
use std::io::{self, ErrorKind};
use std::sync::Arc;

/// Bytes read at a time.
const READ_BYTES: usize = 4 << 10;
/// Maximum bytes kept while the rest of a message is outstanding.
const MAX_WAITING: usize = 80 << 10;

/// Our role in a TLS handshake, with its settings.
pub enum Side {
    /// We send the ClientHello.
    Client(Arc<TlsClient>),
    /// We answer the ClientHello.
    Server(Arc<TlsServer>),
}

/// A handshake in progress.
pub struct Handshake {
    /// A socket, or TLS to a proxy.
    under: Stream,
    session: Session,
    name: String,
    /// Bytes read and not processed yet.
    incoming: Vec<u8>,
    /// Bytes to be sent.
    outgoing: Vec<u8>,
    /// Plaintext received after the handshake.
    plain: Vec<u8>,
    /// The peer closed its direction after the handshake.
    closed: bool,
}

enum Session {
    Client(UnbufferedClientConnection),
    Server(UnbufferedServerConnection),
}

/// What the session needs next.
pub(super) enum Next {
    /// Another call.
    Again,
    /// More bytes from the socket.
    More,
    /// Nothing: the peer sends nothing more.
    Closed,
}

impl Handshake {
    /// Creates the session, which is the slow part of a client's first handshake. `received` comes first.
    pub fn start(under: Stream, received: Vec<u8>, side: &Side) -> Result<Handshake, Failure> {
        let (session, name) = match side {
            Side::Client(config) => (Session::Client(config.session()?), config.shown_name().to_owned()),
            Side::Server(config) => (Session::Server(config.session()?), "the client".to_owned()),
        };
        Ok(Handshake {
            under,
            session,
            name,
            incoming: received,
            outgoing: Vec::new(),
            plain: Vec::new(),
            closed: false,
        })
    }

    /// The socket, to register it.
    pub fn tcp(&mut self) -> Option<&mut TcpStream> {
        self.under.tcp()
    }

    /// Continues until the socket would block. Returns true once the handshake is done.
    pub fn step(&mut self) -> Result<bool, Failure> {
        loop {
            let next = match self.advance() {
                Ok(next) => next,
                Err(error) => {
                    // Sends the alert that reports the reason to the peer.
                    while self.session.wants_write() && self.advance().is_ok() {}
                    let _ = self.send();
                    return Err(failed_handshake(&error, &self.name, self.session.reader()));
                }
            };
            if matches!(next, Next::Again) {
                continue;
            }
            self.closed |= matches!(next, Next::Closed);
            self.send().map_err(|error| lost(&error))?;
            // A complete record that is kept begins a message whose end rustls has yet to see.
            if !self.session.is_handshaking() && (self.closed || !begins_whole(&self.incoming)) {
                return Ok(self.outgoing.is_empty());
            }
            match self.receive() {
                Ok(0) => {
                    let why = match self.session.reader() {
                        Reader::Client => {
                            "the server ended the connection during the TLS handshake: it may not speak TLS on this port, or demand a certificate"
                        }
                        Reader::Server => {
                            "the client ended the connection during the TLS handshake: it may not trust the certificate"
                        }
                    };
                    return Err(Failure { may_pass: true, ..Failure::new(Phase::Tls, Cause::TlsFailed, why) });
                }
                Ok(_) if self.incoming.len() > MAX_WAITING => {
                    let why = "the TLS handshake failed: a message of the other end is too long, which may be its chain of certificates";
                    return Err(Failure::new(Phase::Tls, Cause::TlsFailed, why));
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(lost(&error)),
            }
        }
    }

    /// The open stream, after the handshake.
    pub fn finish(self) -> Result<Stream, Failure> {
        let reader = self.session.reader();
        let records = match self.session {
            Session::Client(session) => {
                session.dangerous_into_kernel_connection().map(|(secrets, keys)| (secrets, Keys::Client(keys)))
            }
            Session::Server(session) => {
                session.dangerous_into_kernel_connection().map(|(secrets, keys)| (secrets, Keys::Server(keys)))
            }
        }
        .and_then(|(secrets, keys)| Records::new(secrets, keys, self.closed))
        .map_err(|error| failed_handshake(&error, &self.name, reader))?;
        match self.under {
            Stream::Tcp(tcp) => Ok(Stream::Tls(Box::new(TlsStream::new(tcp, records, self.incoming, self.plain)))),
            Stream::Tls(tls) => {
                let proxy = ToProxy::new(*tls);
                Ok(Stream::Tunnel(Box::new(TlsStream::new(proxy, records, self.incoming, self.plain))))
            }
            Stream::Tunnel(_) | Stream::Memory(_) | Stream::Simulated(_) => {
                Err(Failure::new(Phase::Tls, Cause::TlsFailed, "TLS needs a socket, or TLS to a proxy"))
            }
        }
    }

    /// Lets the session process what was read and produce what is to be sent.
    fn advance(&mut self) -> Result<Next, rustls::Error> {
        let (discard, next) = match &mut self.session {
            Session::Client(session) => {
                take(session.process_tls_records(&mut self.incoming), &mut self.outgoing, &mut self.plain)
            }
            Session::Server(session) => {
                take(session.process_tls_records(&mut self.incoming), &mut self.outgoing, &mut self.plain)
            }
        };
        self.incoming.drain(..discard);
        next
    }

    fn receive(&mut self) -> io::Result<usize> {
        let before = self.incoming.len();
        self.incoming.resize(before + READ_BYTES, 0);
        let result = self.under.read(&mut self.incoming[before..]);
        self.incoming.truncate(before + result.as_ref().unwrap_or(&0));
        result
    }

    /// Sends what the socket accepts. Memory checkers know it by its name: tests/lib/valgrind.supp.
    #[inline(never)]
    fn send(&mut self) -> io::Result<()> {
        while !self.outgoing.is_empty() {
            match self.under.write(&self.outgoing) {
                Ok(count) => drop(self.outgoing.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        match self.under.flush() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            flushed => flushed,
        }
    }
}

impl Session {
    fn reader(&self) -> Reader {
        match self {
            Session::Client(_) => Reader::Client,
            Session::Server(_) => Reader::Server,
        }
    }

    fn wants_write(&self) -> bool {
        match self {
            Session::Client(session) => session.wants_write(),
            Session::Server(session) => session.wants_write(),
        }
    }

    fn is_handshaking(&self) -> bool {
        match self {
            Session::Client(session) => session.is_handshaking(),
            Session::Server(session) => session.is_handshaking(),
        }
    }
}

/// Does what one state of the session requires. Returns how many of the read bytes were processed, and what is needed
/// next.
pub(super) fn take<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    outgoing: &mut Vec<u8>,
    plain: &mut Vec<u8>,
) -> (usize, Result<Next, rustls::Error>) {
    let UnbufferedStatus { mut discard, state } = status;
    let next = state.and_then(|state| match state {
        ConnectionState::EncodeTlsData(mut data) => {
            let needed = match data.encode(&mut []) {
                Err(EncodeError::InsufficientSize(needed)) => needed.required_size,
                _ => 0,
            };
            let before = outgoing.len();
            outgoing.resize(before + needed, 0);
            data.encode(&mut outgoing[before..]).map_err(|error| rustls::Error::General(error.to_string()))?;
            Ok(Next::Again)
        }
        // The bytes are kept in `outgoing` until the socket accepts them.
        ConnectionState::TransmitTlsData(data) => {
            data.done();
            Ok(Next::Again)
        }
        ConnectionState::ReadTraffic(mut traffic) => {
            while let Some(record) = traffic.next_record() {
                let record = record?;
                discard += record.discard;
                plain.extend_from_slice(record.payload);
            }
            Ok(Next::Again)
        }
        ConnectionState::PeerClosed | ConnectionState::Closed => Ok(Next::Closed),
        _ => Ok(Next::More),
    });
    (discard, next)
}

fn lost(error: &io::Error) -> Failure {
    let what = "the connection was lost during the TLS handshake";
    Failure { may_pass: true, ..Failure::of_io(Phase::Tls, Cause::TlsFailed, what, error) }
}
