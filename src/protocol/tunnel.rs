//! Asking a proxy for a tunnel to the server, by CONNECT or SOCKS 5.

use super::connect::Connect;
use super::socks::{Answer, Socks};
use super::{Headers, Refused};
use crate::error::Failure;
use crate::status::{Cause, Phase};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A server, as a proxy is told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it is.
    pub site: Site,
    /// TCP port.
    pub port: u16,
}

/// A name or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// A name of at most 255 bytes.
    Name(String),
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address.
    Ipv6(Ipv6Addr),
}

impl Place {
    /// Host and port, an IPv6 address in brackets.
    pub fn authority(&self) -> String {
        match &self.site {
            Site::Name(name) => format!("{name}:{}", self.port),
            Site::Ipv4(address) => format!("{address}:{}", self.port),
            Site::Ipv6(address) => format!("[{address}]:{}", self.port),
        }
    }
}

/// User name and password for the proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// User name, of any bytes.
    pub user: Vec<u8>,
    /// Password, of any bytes.
    pub password: Vec<u8>,
}

/// Omits both.
impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Login")
    }
}

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
            refused(Cause::PeerGone, format!("the proxy ended the connection {what}: is it {kind}?"))
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

/// A refusal of the proxy, without an HTTP answer.
pub(super) fn refused(cause: Cause, why: impl Into<String>) -> Box<Refused> {
    let failure = Failure::new(Phase::Proxy, cause, why);
    Box::new(Refused { failure, status: 0, headers: Headers::default(), body: Vec::new() })
}
