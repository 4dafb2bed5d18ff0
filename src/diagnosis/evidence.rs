//! What the facts of an opening tell the advice.

use crate::status::Cause;
use crate::trace::{Certificate, Fact};
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What is known so far.
pub struct Evidence {
    /// Seconds since 1970 by this machine's clock, when the diagnosis began.
    pub clock: u64,
    /// The opening goes through a proxy, whose tunnel is not open yet.
    pub is_before_tunnel: bool,
    /// When the part in progress began: lookup, attempt, TLS, asking a proxy, request.
    pub since: Instant,
    /// Attempts in progress, and when they began.
    trying: Vec<(SocketAddr, Instant)>,
    /// Addresses that failed.
    pub lost: Vec<(SocketAddr, Cause)>,
    /// Addresses that have not answered.
    pub silent: Vec<SocketAddr>,
    /// The address that is connected.
    pub connected: Option<SocketAddr>,
    /// The certificates of the last TLS handshake, and how many the peer sent.
    pub chain: (Vec<Certificate>, usize),
    /// What an answer is that is not HTTP.
    pub foreign: Option<Foreign>,
    /// Round-trip time of the ping.
    pub rtt: Option<Duration>,
    /// What came although the ping was not answered.
    pub came: Came,
}

/// What a server sent that is no answer to the ping.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Came {
    /// Nothing since the ping.
    #[default]
    Nothing,
    /// So many messages since the connection was open.
    Messages(u64),
    /// So many bytes since the ping, and no message.
    Bytes(u64),
}

/// A protocol other than HTTP/1.1, by its first bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Foreign {
    /// A record of TLS.
    Tls,
    /// A frame of HTTP/2.
    Http2,
    /// A greeting of SSH.
    Ssh,
    /// A greeting of FTP, SMTP or the like.
    Mail,
    /// Unknown.
    Other,
}

impl Evidence {
    /// Nothing is known yet.
    pub fn new(is_before_tunnel: bool, now: Instant, clock: u64) -> Evidence {
        Evidence {
            clock,
            is_before_tunnel,
            since: now,
            trying: Vec::new(),
            lost: Vec::new(),
            silent: Vec::new(),
            connected: None,
            chain: (Vec::new(), 0),
            foreign: None,
            rtt: None,
            came: Came::Nothing,
        }
    }

    /// Adds a fact. Facts are bounded in number, and so is what is kept of them.
    pub fn learn(&mut self, fact: &Fact, at: Instant) {
        match fact {
            Fact::Trying(address) => self.trying.push((*address, at)),
            Fact::Lost { address, cause, .. } => self.lost.push((*address, *cause)),
            Fact::Connected { address, unanswered } => {
                self.connected = Some(*address);
                self.silent = unanswered.clone();
            }
            Fact::Silent { addresses, .. } => self.silent = addresses.clone(),
            Fact::Securing { .. } => self.chain = (Vec::new(), 0),
            Fact::Certificate { count, certificate, .. } => {
                self.chain.0.push((**certificate).clone());
                self.chain.1 = *count;
            }
            Fact::Tunneled => self.is_before_tunnel = false,
            Fact::Foreign(bytes) => self.foreign = Some(Foreign::of(bytes)),
            Fact::Found { .. }
            | Fact::Verified { .. }
            | Fact::Secured(_)
            | Fact::Asking { .. }
            | Fact::NextAddress
            | Fact::Requested => {}
        }
        if !matches!(fact, Fact::Trying(_) | Fact::Lost { .. } | Fact::Certificate { .. } | Fact::Verified { .. }) {
            self.since = at;
        }
    }

    /// How long an attempt has taken.
    pub fn tried_for(&self, address: SocketAddr, at: Instant) -> Option<Duration> {
        let attempt = self.trying.iter().rev().find(|(tried, _)| *tried == address);
        attempt.map(|(_, since)| at.saturating_duration_since(*since))
    }

    /// The IPv6 address that failed or did not answer while an IPv4 address did.
    pub fn failed_ipv6(&self) -> Option<SocketAddr> {
        self.connected.filter(SocketAddr::is_ipv4)?;
        self.lost.iter().map(|(address, _)| *address).chain(self.silent.iter().copied()).find(SocketAddr::is_ipv6)
    }
}

impl fmt::Display for Came {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Came::Nothing => formatter.write_str("nothing"),
            Came::Messages(1) => formatter.write_str("one message"),
            Came::Messages(count) => write!(formatter, "{count} messages"),
            Came::Bytes(count) => write!(formatter, "{count} bytes of control frames or an unfinished message"),
        }
    }
}

impl Foreign {
    /// By the first bytes of an answer.
    pub fn of(bytes: &[u8]) -> Foreign {
        match bytes {
            // The header of a record: alert or handshake, version 3.x (RFC 8446 section 5.1).
            [0x15 | 0x16, 3, ..] => Foreign::Tls,
            // The header of a frame: SETTINGS or GOAWAY on stream 0 (RFC 9113 section 4.1).
            [0, _, _, 4 | 7, _, 0, 0, 0, 0, ..] => Foreign::Http2,
            _ if bytes.starts_with(b"SSH-") => Foreign::Ssh,
            [b'2', b'2', b'0', b' ' | b'-', ..] => Foreign::Mail,
            _ => Foreign::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_protocols_are_known_by_their_first_bytes() {
        for (bytes, expected) in [
            (&b"\x15\x03\x01\x00\x02\x02\x0a"[..], Foreign::Tls),
            (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03", Foreign::Http2),
            (b"\x00\x00\x08\x07\x00\x00\x00\x00\x00", Foreign::Http2),
            (b"SSH-2.0-OpenSSH_9.2", Foreign::Ssh),
            (b"220 mail.example ESMTP", Foreign::Mail),
            (b"\x00\x00", Foreign::Other),
            (b"", Foreign::Other),
        ] {
            assert_eq!(Foreign::of(bytes), expected, "{bytes:?}");
        }
    }
}
