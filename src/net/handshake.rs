//! One TLS handshake, step by step on the worker.

use super::keys::Keys;
use super::records::{Records, begins_whole};
use super::tls_errors::{Reader, failed_handshake};
use super::tls_stream::TlsStream;
use super::{Stream, TlsClient, TlsServer};
use crate::error::Failure;
use crate::status::{Cause, Phase};
use mio::net::TcpStream;
use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, UnbufferedStatus};
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

/// Read at a time.
const READ_BYTES: usize = 4 << 10;
/// What has been read and waits for the rest of a message, at most.
const MAX_WAITING: usize = 80 << 10;

/// Which end of a TLS handshake, with its settings.
pub enum Side {
    /// Ours is the hello.
    Client(Arc<TlsClient>),
    /// Ours is the answer.
    Server(Arc<TlsServer>),
}

/// A handshake under way.
pub struct Handshake {
    tcp: TcpStream,
    session: Session,
    name: String,
    /// Read and not used up.
    incoming: Vec<u8>,
    /// To be sent.
    outgoing: Vec<u8>,
    /// Plaintext that came behind the handshake.
    plain: Vec<u8>,
    /// The peer has ended its direction behind it.
    closed: bool,
}

enum Session {
    Client(UnbufferedClientConnection),
    Server(UnbufferedServerConnection),
}

/// What the session wants.
pub(super) enum Next {
    /// To be asked again.
    Again,
    /// More from the socket.
    More,
    /// The peer will send nothing more.
    Closed,
}

impl Handshake {
    /// Makes the session: the slow part of a client's first one.
    pub fn start(tcp: TcpStream, side: &Side) -> Result<Handshake, Failure> {
        let (session, name) = match side {
            Side::Client(config) => (Session::Client(config.session()?), config.shown_name().to_owned()),
            Side::Server(config) => (Session::Server(config.session()?), "the client".to_owned()),
        };
        Ok(Handshake { tcp, session, name, incoming: Vec::new(), outgoing: Vec::new(), plain: Vec::new(), closed: false })
    }

    /// The socket, to register it.
    pub fn tcp(&mut self) -> &mut TcpStream {
        &mut self.tcp
    }

    /// Goes on until the socket has nothing more. True: done.
    pub fn step(&mut self) -> Result<bool, Failure> {
        loop {
            let next = match self.advance() {
                Ok(next) => next,
                Err(error) => {
                    // The alert that tells the other end why.
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
            // A whole record that is kept is the start of a message that rustls has yet to see the end of.
            if !self.session.is_handshaking() && (self.closed || !begins_whole(&self.incoming)) {
                return Ok(self.outgoing.is_empty());
            }
            match self.receive() {
                Ok(0) => {
                    let sentence = match self.session.reader() {
                        Reader::Client => {
                            "the server ended the connection during the TLS handshake: it may not speak TLS on this port, or demand a certificate"
                        }
                        Reader::Server => "the client ended the connection during the TLS handshake: it may not trust the certificate",
                    };
                    return Err(Failure::new(Phase::Tls, Cause::TlsFailed, sentence));
                }
                Ok(_) if self.incoming.len() > MAX_WAITING => {
                    let sentence = "the TLS handshake failed: a message of the other end is too long, which may be its chain of certificates";
                    return Err(Failure::new(Phase::Tls, Cause::TlsFailed, sentence));
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(lost(&error)),
            }
        }
    }

    /// The open stream.
    pub fn finish(self) -> Result<Stream, Failure> {
        let reader = self.session.reader();
        let records = match self.session {
            Session::Client(session) => session.dangerous_into_kernel_connection().map(|(secrets, keys)| (secrets, Keys::Client(keys))),
            Session::Server(session) => session.dangerous_into_kernel_connection().map(|(secrets, keys)| (secrets, Keys::Server(keys))),
        }
        .and_then(|(secrets, keys)| Records::new(secrets, keys, self.closed))
        .map_err(|error| failed_handshake(&error, &self.name, reader))?;
        Ok(Stream::Tls(Box::new(TlsStream::new(self.tcp, records, self.incoming, self.plain))))
    }

    /// Lets the session take what was read and give what is to be sent.
    fn advance(&mut self) -> Result<Next, rustls::Error> {
        let (discard, next) = match &mut self.session {
            Session::Client(session) => take(session.process_tls_records(&mut self.incoming), &mut self.outgoing, &mut self.plain),
            Session::Server(session) => take(session.process_tls_records(&mut self.incoming), &mut self.outgoing, &mut self.plain),
        };
        self.incoming.drain(..discard);
        next
    }

    fn receive(&mut self) -> io::Result<usize> {
        let before = self.incoming.len();
        self.incoming.resize(before + READ_BYTES, 0);
        let result = self.tcp.read(&mut self.incoming[before..]);
        self.incoming.truncate(before + result.as_ref().unwrap_or(&0));
        result
    }

    /// Sends what the socket takes.
    fn send(&mut self) -> io::Result<()> {
        while !self.outgoing.is_empty() {
            match self.tcp.write(&self.outgoing) {
                Ok(count) => drop(self.outgoing.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
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

/// Does what one state of the session asks for: how much of what was read is used up, and what is next.
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
        // It is kept here until the socket takes it.
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
    Failure::of_io(Phase::Tls, Cause::TlsFailed, "the connection was lost during the TLS handshake", error)
}
