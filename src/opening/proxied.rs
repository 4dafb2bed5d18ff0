//! The way of a client's opening, direct or through a proxy.

use super::proxy::{Proxy, ProxyKind};
use crate::error::Failure;
use crate::net::{Destination, TlsClient};
use crate::protocol::{Place, RequestSpec, Site, Tunnel};
use crate::status::Phase;
use crate::trace::{Fact, Trace};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

/// A proxy on the way.
#[derive(Clone)]
pub struct Via {
    /// How it is asked.
    pub proxy: Proxy,
    /// Where it is.
    pub to: Destination,
}

/// Where an opening goes, and the request for the server at its end.
pub(super) struct Route {
    pub request: RequestSpec,
    /// TLS of the transport is that of the proxy, not the server's.
    pub hides_tls: bool,
    /// The proxy, until its tunnel is open.
    proxied: Option<Box<Proxied>>,
    /// What a diagnosis records.
    pub trace: Option<Arc<Trace>>,
}

struct Proxied {
    via: Via,
    /// The server.
    to: Destination,
    /// The addresses of the server to ask a SOCKS proxy for, the current one first. Empty: it is asked for the name.
    addresses: VecDeque<IpAddr>,
}

impl Route {
    /// Without a proxy.
    pub fn direct(request: RequestSpec, trace: Option<Arc<Trace>>) -> Route {
        Route { request, hides_tls: false, proxied: None, trace }
    }

    /// Through a proxy.
    pub fn proxied(via: Via, to: Destination, request: RequestSpec) -> Route {
        let (hides_tls, trace) = (to.tls.is_none(), to.trace.clone());
        let proxied = Some(Box::new(Proxied { via, to, addresses: VecDeque::new() }));
        Route { request, hides_tls, proxied, trace }
    }

    /// The addresses of the server, in the order in which the proxy is asked for them.
    pub fn set_addresses(&mut self, addresses: &[SocketAddr], now: Instant) {
        if let Some(proxied) = &mut self.proxied {
            note(self.trace.as_deref(), now, || Fact::found(&proxied.to.host, addresses));
            proxied.addresses = addresses.iter().map(SocketAddr::ip).collect();
        }
    }

    /// Leaves out the current address. False: no other is left.
    pub fn try_next(&mut self, now: Instant) -> bool {
        let Some(proxied) = &mut self.proxied else { return false };
        proxied.addresses.pop_front();
        if !proxied.addresses.is_empty() {
            note(self.trace.as_deref(), now, || Fact::NextAddress);
        }
        !proxied.addresses.is_empty()
    }

    /// Where the proxy is.
    pub fn proxy(&self) -> Option<Destination> {
        self.proxied.as_ref().map(|proxied| proxied.via.to.clone())
    }

    /// Asks the proxy for a tunnel. Returns what to send; `None`: the transport leads to the server.
    pub fn ask(&self, now: Instant) -> Option<(Tunnel, Vec<u8>)> {
        let Proxied { via: Via { proxy, .. }, to, addresses } = self.proxied.as_deref()?;
        // An interface of this machine means nothing to the proxy.
        let host = to.host.split('%').next().unwrap_or("");
        let address = addresses.front().copied().or_else(|| host.parse().ok());
        let site = match address {
            Some(IpAddr::V4(address)) => Site::Ipv4(address),
            Some(IpAddr::V6(address)) => Site::Ipv6(address),
            None => Site::Name(host.to_owned()),
        };
        let (place, login) = (Place { site, port: to.port }, proxy.login.as_ref());
        note(self.trace.as_deref(), now, || Fact::Asking {
            proxy: proxy.to_string(),
            to: place.authority(),
            has_login: login.is_some(),
        });
        Some(match proxy.kind {
            ProxyKind::Http | ProxyKind::Https => Tunnel::by_connect(&place, login, self.request.max_header_bytes),
            ProxyKind::Socks5 | ProxyKind::Socks5h => Tunnel::by_socks(&place, login),
        })
    }

    /// The tunnel is open. Returns the server, if there is TLS to it.
    pub fn enter(&mut self, now: Instant) -> Option<(Destination, Arc<TlsClient>)> {
        note(self.trace.as_deref(), now, || Fact::Tunneled);
        let to = self.proxied.take()?.to;
        to.tls.clone().map(|tls| (to, tls))
    }

    /// A phase of the dial as the program sees it: TLS to the proxy belongs to the proxy.
    pub fn phase_of_dial(&self, phase: Phase) -> Phase {
        if self.proxied.is_some() && phase == Phase::Tls { Phase::Proxy } else { phase }
    }

    /// A failure of the dial. Its text says whether it was on the way to the proxy.
    pub fn failed_dial(&self, failure: Failure) -> Failure {
        let Some(proxied) = &self.proxied else { return failure };
        let message = format!("the proxy {} cannot be used: {}", proxied.via.proxy, failure.message);
        Failure { phase: self.phase_of_dial(failure.phase), message, ..failure }
    }
}

/// Records a fact for a diagnosis.
pub(super) fn note(trace: Option<&Trace>, now: Instant, fact: impl FnOnce() -> Fact) {
    if let Some(trace) = trace {
        trace.note(now, fact());
    }
}
