//! What happens while a connection is opened, recorded for a diagnosis. Other openings record nothing.

use crate::status::Cause;
use parking_lot::Mutex;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// Maximum facts of one type. A name may have thousands of addresses, each of which is tried.
const MAX_OF_A_TYPE: usize = 12;
/// Maximum addresses, names and certificates in one fact.
pub(crate) const MAX_LISTED: usize = 8;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The addresses of a host, at most `MAX_LISTED` of `count`.
    Found { host: String, addresses: Vec<IpAddr>, count: usize },
    /// A TCP connection was started.
    Trying(SocketAddr),
    /// It failed.
    Lost { address: SocketAddr, cause: Cause, os_error: i32, why: String },
    /// It is open. At most `MAX_LISTED` others had not been answered.
    Connected { address: SocketAddr, unanswered: Vec<SocketAddr> },
    /// The timeout expired while these did not answer.
    Silent { addresses: Vec<SocketAddr>, untried: usize },
    /// TLS begins, to a server or a proxy that has this name.
    Securing { name: String },
    /// The peer has sent its chain, of which this is the certificate at `index`.
    Certificate { index: usize, count: usize, certificate: Box<Certificate> },
    /// Whether the chain is accepted for the name.
    Verified { name: String, refusal: Option<String> },
    /// TLS is open: its version and cipher suite.
    Secured(String),
    /// A proxy is asked for a tunnel.
    Asking { proxy: String, to: String, has_login: bool },
    /// The proxy cannot reach one address of the server. The next one is tried.
    NextAddress,
    /// The tunnel is open.
    Tunneled,
    /// The request of the opening handshake is sent.
    Requested,
    /// The answer begins with these bytes, which are not HTTP.
    Foreign(Vec<u8>),
}

impl Fact {
    /// `Found`, with as many addresses as are listed.
    pub fn found(host: &str, addresses: &[SocketAddr]) -> Fact {
        let listed = addresses.iter().take(MAX_LISTED).map(SocketAddr::ip).collect();
        Fact::Found { host: host.to_owned(), addresses: listed, count: addresses.len() }
    }
}

/// A certificate. All texts are those of the peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// The common name or organization that it is for.
    pub subject: String,
    /// The one that signed it.
    pub issuer: String,
    /// The subject signed it itself, as far as the names tell.
    pub is_self_issued: bool,
    /// DNS names and IP addresses that it is for, at most `MAX_LISTED` of `name_count`.
    pub names: Vec<String>,
    /// Number of its names.
    pub name_count: usize,
    /// First and last second of its validity, since 1970.
    pub validity: Option<(u64, u64)>,
    /// Its SHA-256 in hexadecimal digits.
    pub sha256: String,
}

/// The facts that have not been taken yet. The program's thread and those of the library add to it.
#[derive(Default)]
pub struct Trace(Mutex<Facts>);

#[derive(Default)]
struct Facts {
    list: Vec<(Instant, Fact)>,
    /// Number of facts of each type.
    counts: Vec<(std::mem::Discriminant<Fact>, usize)>,
    /// Number of facts that were left out.
    omitted: usize,
}

impl Trace {
    /// Records a fact, unless there are too many of its type.
    pub fn note(&self, now: Instant, fact: Fact) {
        let mut facts = self.0.lock();
        let of = std::mem::discriminant(&fact);
        let index = facts.counts.iter().position(|(other, _)| *other == of).unwrap_or_else(|| {
            facts.counts.push((of, 0));
            facts.counts.len() - 1
        });
        facts.counts[index].1 += 1;
        if facts.counts[index].1 > MAX_OF_A_TYPE {
            facts.omitted += 1;
        } else {
            facts.list.push((now, fact));
        }
    }

    /// Takes the facts since the last call.
    pub fn take(&self) -> Vec<(Instant, Fact)> {
        std::mem::take(&mut self.0.lock().list)
    }

    /// Number of facts that were left out.
    pub fn omitted(&self) -> usize {
        self.0.lock().omitted
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Trace")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_addresses_leave_room_for_later_facts() {
        let (trace, now) = (Trace::default(), Instant::now());
        for port in 0..1_000 {
            trace.note(now, Fact::Trying(([127, 0, 0, 1], port).into()));
        }
        trace.note(now, Fact::Requested);
        let facts = trace.take();
        assert_eq!(facts.len(), MAX_OF_A_TYPE + 1);
        assert_eq!(facts.last().map(|(_, fact)| fact), Some(&Fact::Requested));
        assert_eq!((trace.omitted(), trace.take().len()), (1_000 - MAX_OF_A_TYPE, 0));
        trace.note(now, Fact::Trying(([127, 0, 0, 1], 1).into()));
        assert!(trace.take().is_empty(), "taking them makes no room");
    }
}
