//! Clients behind trusted proxies: the PROXY header before their bytes, and the headers of their requests.

use super::client::{Preparing, Slot, Source, Stage, Standing, count};
use super::refusals::TurnedAway;
use super::{FIRST_CLIENT, Handles, Server};
use crate::journal;
use crate::names::TRUSTED_PROXIES;
use crate::net::Networks;
use crate::protocol::{Forwarding, MAX_PROXY_HEADER, ProxyHeader, Refusal};
use crate::status::{Cause, Level, Phase};
use crate::work::Cx;
use mio::net::TcpStream;
use mio::{Interest, Token};
use std::io::{ErrorKind, Read};
use std::net::{IpAddr, SocketAddr};

/// Why a connection of a trusted proxy ended that sent no byte.
const NOTHING: &str = "the proxy ended the connection before it sent anything";

/// The proxies that a server trusts, and what they send.
pub struct Proxies {
    /// Their addresses.
    pub trusted: Networks,
    /// They send a PROXY header before a client's bytes.
    pub header: bool,
    /// The header of a request that has the client's address.
    pub forwarding: Option<Forwarding>,
}

impl Proxies {
    /// Whether a socket with this address begins with a PROXY header.
    pub(super) fn send_header(&self, address: IpAddr) -> bool {
        self.header && self.trusted.contain(address)
    }

    /// Whether requests from this address report that of the client.
    pub(super) fn send_request_header(&self, address: IpAddr) -> bool {
        self.forwarding.is_some() && self.trusted.contain(address)
    }
}

impl Server {
    /// Gives a place to a connection of a trusted proxy, which begins with a PROXY header.
    pub(super) fn expect_header(&mut self, cx: &mut Cx<'_>, mut tcp: TcpStream, source: Source, handles: &dyn Handles) {
        let (key, serial) = self.take_place(None);
        let token = Token(FIRST_CLIENT + key as usize);
        // If this fails, the timer ends it.
        let _ = self.listening.poll.registry().register(&mut tcp, token, Interest::READABLE);
        let source = Source { known: false, ..source };
        self.prepare(key, Preparing { serial, source, stage: Stage::Introducing(tcp, Vec::new()) });
        self.introduce(cx, key, Some(handles));
    }

    /// Reads more of a PROXY header, if one is expected, and goes on with the client once it is complete.
    pub(super) fn introduce(&mut self, cx: &mut Cx<'_>, key: u32, handles: Option<&dyn Handles>) {
        let Some(Slot::Preparing(preparing)) = self.slots.get_mut(key as usize) else { return };
        let Stage::Introducing(tcp, received) = &mut preparing.stage else { return };
        let client = match read_header(tcp, received) {
            Ok(None) => return,
            Ok(Some(client)) => client,
            Err(why) => {
                let peer = preparing.source.peer;
                // A health check may connect and send nothing.
                let (cause, why) = why.map_or((Cause::PeerGone, NOTHING), |why| (Cause::ProxyInvalid, why));
                let away = TurnedAway::before_http(peer, Phase::Proxy, cause, why);
                self.turn_away(cx, away, |_| format!("{peer}, a trusted proxy, was closed: {why}"));
                self.drop_preparing(key);
                return;
            }
        };
        let taken = std::mem::replace(&mut self.slots[key as usize], Slot::Free);
        let Slot::Preparing(preparing) = taken else { return };
        let Preparing { serial, mut source, stage: Stage::Introducing(mut tcp, _) } = *preparing else { return };
        let _ = self.listening.poll.registry().deregister(&mut tcp);
        // mio remembers where a socket was registered: the worker registers it elsewhere.
        let tcp = TcpStream::from_std(std::net::TcpStream::from(tcp));
        source.address = client.map_or(source.peer, canonical);
        let address = source.address.ip();
        source.known = !self.settings.proxies.as_ref().is_some_and(|proxies| proxies.send_request_header(address));
        self.admit(cx, Some((key, serial)), tcp, source, handles);
    }

    /// Sets the address of a client from the request that its proxy passed on: a proxy may send the requests of many
    /// clients on one connection. A client that comes from no trusted proxy has the address of its socket, whatever it
    /// claims.
    pub(super) fn locate(&mut self, key: u32) -> Result<(), Refusal> {
        self.back_to_proxy(key);
        let Server { slots, settings, proxied, counts, claim_logged, .. } = self;
        let Some(Slot::Client(client)) = slots.get_mut(key as usize) else { return Ok(()) };
        let Some(proxies) = &settings.proxies else { return Ok(()) };
        let (Some(forwarding), Some(request)) = (proxies.forwarding, client.peer.request()) else { return Ok(()) };
        let Some(proxy) = proxied.get(&key) else {
            if !*claim_logged && request.headers.count(forwarding.header()) > 0 {
                *claim_logged = true;
                journal::note(Level::Warn, || {
                    let (name, address) = (forwarding.header(), client.address());
                    format!("{name} of {address} is ignored, as of all clients that are not in {TRUSTED_PROXIES}")
                });
            }
            return Ok(());
        };
        let reported = forwarding
            .client(&request.headers, |address| proxies.trusted.contain(address))
            .map_err(|why| Refusal::new(400, Cause::HttpInvalid, why))?;
        if let Some(reported) = reported {
            let info = &mut client.peer.endpoint.info;
            // A PROXY header may have changed the address before.
            match info.has_peer_address() {
                true => info.set_addresses(info.local(), Some(canonical(reported))),
                false => info.set_remote(*proxy, canonical(reported)),
            }
        }
        client.standing.set(Standing::KNOWN, true);
        if client.is_pending() {
            count(&mut counts.per_address, settings.limited(client.address()), |there| there.pending += 1);
        }
        Ok(())
    }

    /// Between the requests of a trusted proxy a connection has its address, and counts for no client.
    pub(super) fn back_to_proxy(&mut self, key: u32) {
        let Server { slots, settings, proxied, counts, .. } = self;
        let Some(proxy) = proxied.get(&key) else { return };
        let Some(Slot::Client(client)) = slots.get_mut(key as usize) else { return };
        if client.standing.set(Standing::KNOWN, false) && client.is_pending() {
            count(&mut counts.per_address, settings.limited(client.address()), |there| there.pending -= 1);
        }
        let info = &mut client.peer.endpoint.info;
        info.set_addresses(info.local(), Some(*proxy));
    }
}

/// An IPv4 address that is mapped to IPv6 as IPv4.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Reads a PROXY header and not a byte behind it, which is for TLS or HTTP. `Ok(None)`: more is needed. `Err(None)`:
/// the connection ended without a byte.
#[allow(clippy::option_option)]
fn read_header(
    tcp: &mut TcpStream,
    received: &mut Vec<u8>,
) -> Result<Option<Option<SocketAddr>>, Option<&'static str>> {
    let mut buffer = [0; MAX_PROXY_HEADER];
    loop {
        let before = received.len();
        let ended = (before > 0).then_some("it ended the connection within its PROXY header");
        // An incomplete header is shorter than the longest one.
        let seen = match tcp.peek(&mut buffer[before..]) {
            Ok(0) => return Err(ended),
            Ok(count) => &buffer[before..before + count],
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return Err(ended),
        };
        received.extend_from_slice(seen);
        let (used, found) = match ProxyHeader::parse(received) {
            ProxyHeader::Complete { len, source } => (len - before, Some(source)),
            ProxyHeader::Incomplete => (received.len() - before, None),
            ProxyHeader::Invalid(why) => return Err(Some(why)),
        };
        received.truncate(before + used);
        let mut left = &mut buffer[..used];
        while !left.is_empty() {
            match tcp.read(left) {
                Ok(count) if count > 0 => left = &mut left[count..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => return Err(ended),
            }
        }
        if found.is_some() {
            return Ok(found);
        }
    }
}
