//! One TLS handshake, step by step on the worker.

use super::Stream;
use super::stream::{Quiet, TlsStream};
use super::tls::told;
use super::worker::Side;
use crate::codes::*;
use crate::error::Failure;
use mio::net::TcpStream;
use rustls::Connection;
use std::io::{self, ErrorKind};

/// A handshake under way.
pub struct Handshake {
    tcp: TcpStream,
    session: Connection,
    name: String,
}

impl Handshake {
    /// Makes the session: the slow part of a client's first one.
    pub fn start(tcp: TcpStream, side: &Side) -> Result<Handshake, Failure> {
        let (session, name) = match side {
            Side::Client(config) => (config.session()?, config.shown_name().to_owned()),
            Side::Server(config) => (config.session()?, "the client".to_owned()),
        };
        Ok(Handshake { tcp, session, name })
    }

    /// The socket, to register it.
    pub fn tcp(&mut self) -> &mut TcpStream {
        &mut self.tcp
    }

    /// Goes on until the socket has nothing more. True: done.
    pub fn step(&mut self) -> Result<bool, Failure> {
        loop {
            self.send().map_err(|error| lost(&error))?;
            if !self.session.is_handshaking() && !self.session.wants_write() {
                return Ok(true);
            }
            match self.session.read_tls(&mut self.tcp) {
                Ok(0) => {
                    let sentence =
                        "the other end ended the connection during the TLS handshake: it may not speak TLS on this port, or refuse the certificate";
                    return Err(Failure::new(WS_PHASE_TLS, WS_CAUSE_TLS_FAILED, sentence));
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(lost(&error)),
            }
            if let Err(error) = self.session.process_new_packets() {
                // The alert that tells the other end why.
                let _ = self.send();
                return Err(told(&error, &self.name));
            }
        }
    }

    /// The open stream.
    pub fn finish(self) -> Stream {
        Stream::Tls(Box::new(TlsStream::new(self.session, self.tcp)))
    }

    fn send(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut Quiet(&mut self.tcp)) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn lost(error: &io::Error) -> Failure {
    Failure::of_io(WS_PHASE_TLS, WS_CAUSE_TLS_FAILED, "the connection was lost during the TLS handshake", error)
}
