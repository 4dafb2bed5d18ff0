//! Asking a proxy for a tunnel to the server, by CONNECT or SOCKS 5.

use super::connect::Connect;
use super::place::{Login, Place};
use super::refused::Refused;
use super::socks::{Answer, Socks};
use crate::status::Cause;

/// A proxy that was asked for a tunnel.
pub enum Tunnel {
    /// By CONNECT.
    Http(Connect),
    /// By SOCKS 5.
    Socks(Socks),
}

/// What follows from received bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// More bytes are needed, once these have been sent.
    More(Vec<u8>),
    /// The tunnel is open. So many of the bytes belong to the answer; what follows is the server's.
    Open(usize),
}

impl Tunnel {
    /// Asks an HTTP proxy. Returns what to send.
    pub fn by_connect(to: &Place, login: Option<&Login>, max_header_bytes: usize) -> (Tunnel, Vec<u8>) {
        let (connect, request) = Connect::start(to, login, max_header_bytes);
        (Tunnel::Http(connect), request)
    }

    /// Asks a SOCKS 5 proxy. Returns what to send.
    pub fn by_socks(to: &Place, login: Option<&Login>) -> (Tunnel, Vec<u8>) {
        let (socks, hello) = Socks::start(to, login);
        (Tunnel::Socks(socks), hello)
    }

    /// Receives bytes.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Asked, Box<Refused>> {
        match self {
            Tunnel::Http(connect) => Ok(connect.receive(bytes)?.map_or(Asked::More(Vec::new()), Asked::Open)),
            Tunnel::Socks(socks) => Ok(match socks.receive(bytes)? {
                Answer::More(output) => Asked::More(output),
                Answer::Open(used) => Asked::Open(used),
            }),
        }
    }

    /// Handles the end of the transport.
    pub fn receive_eof(&mut self) -> Box<Refused> {
        self.give_up().unwrap_or_else(|| {
            let is_unanswered = match self {
                Tunnel::Http(connect) => connect.is_unanswered(),
                Tunnel::Socks(socks) => socks.is_unanswered(),
            };
            let what = if is_unanswered { "without an answer" } else { "in the middle of its answer" };
            let kind = match self {
                Tunnel::Http(_) => "an HTTP proxy, and http:// or https:// as it expects",
                Tunnel::Socks(_) => "a SOCKS 5 proxy that allows this server",
            };
            Refused::by_proxy(Cause::PeerGone, format!("the proxy ended the connection {what}: is it {kind}?"))
        })
    }

    /// Whether the answer is a refusal whose body is incomplete.
    pub fn is_refused(&self) -> bool {
        matches!(self, Tunnel::Http(connect) if connect.is_refused())
    }

    /// Stops waiting. Returns a refusal with the received part of its body.
    pub fn give_up(&mut self) -> Option<Box<Refused>> {
        match self {
            Tunnel::Http(connect) => connect.give_up(),
            Tunnel::Socks(_) => None,
        }
    }
}
