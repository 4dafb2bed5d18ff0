//! Properties of a connection that the host can query.

use super::Mark;
use crate::protocol::Headers;
use crate::status::Text;
use std::net::{SocketAddr, SocketAddrV4};

/// Properties of a connection. A server keeps one per client, so unset properties take no memory.
#[derive(Default)]
pub struct Info {
    /// HTTP status of the answer.
    pub http_status: u16,
    /// Headers of the request (on a server) or of the answer (on a client).
    pub headers: Headers,
    addresses: Addresses,
    /// The target of the request has been set.
    has_target: bool,
    /// `None`: nothing of it was set.
    more: Option<Box<More>>,
}

/// Properties that most open connections of a server do not have.
#[derive(Default)]
struct More {
    /// Texts by WS_GET_*. Empty ones are not stored.
    texts: Vec<(Text, Box<str>)>,
    /// A copy of the connection's last event.
    end: Option<Box<Mark>>,
}

/// Our address and the peer's. Only two of IPv4 are stored in place: most connections of a server have these.
#[derive(Default)]
enum Addresses {
    /// The transport has none.
    #[default]
    None,
    V4([SocketAddrV4; 2]),
    Other(Box<[Option<SocketAddr>; 2]>),
}

impl Info {
    /// The text for a WS_GET_* constant, "" if it was not set: URL (without user name and password), PATH, QUERY,
    /// METHOD,
    /// SUBPROTOCOL, ERROR, BODY, TLS, EXTENSIONS.
    pub fn text(&self, what: Text) -> &str {
        let texts = self.more.as_ref().map_or(&[][..], |more| &more.texts);
        texts.iter().find(|(of, _)| *of == what).map_or("", |(_, text)| text)
    }

    /// Forgets what the last link reported: all but the URL.
    pub fn forget_link(&mut self) {
        self.take_link(Info::default());
    }

    /// Takes over all that is known of another link.
    pub fn take_link(&mut self, link: Info) {
        let url = self.text(Text::Url).to_owned();
        *self = link;
        self.set_text(Text::Url, url);
    }

    /// Sets one of these texts.
    pub fn set_text(&mut self, what: Text, text: impl Into<Box<str>>) {
        if let Some(more) = &mut self.more {
            more.texts.retain(|(of, _)| *of != what);
        }
        let text = text.into();
        if !text.is_empty() {
            let texts = &mut self.more.get_or_insert_default().texts;
            texts.reserve_exact(1);
            texts.push((what, text));
        }
    }

    /// A copy of the connection's last event.
    pub fn end(&self) -> Option<&Mark> {
        self.more.as_ref()?.end.as_deref()
    }

    /// Sets the last event.
    pub fn set_end(&mut self, mark: Mark) {
        self.more.get_or_insert_default().end = Some(Box::new(mark));
    }

    /// Sets our address and the peer's. `None`: unknown, or none.
    pub fn set_addresses(&mut self, local: Option<SocketAddr>, remote: Option<SocketAddr>) {
        self.addresses = match (local, remote) {
            (None, None) => Addresses::None,
            (Some(SocketAddr::V4(local)), Some(SocketAddr::V4(remote))) => Addresses::V4([local, remote]),
            other => Addresses::Other(Box::new(other.into())),
        };
    }

    /// Server: sets the address of the socket and that of the client, which a proxy may have reported.
    pub fn set_remote(&mut self, socket: SocketAddr, client: SocketAddr) {
        self.set_addresses(self.local(), Some(client));
        if socket != client {
            self.set_text(Text::PeerAddress, socket.to_string());
        }
    }

    /// Takes over what concerns the transport from the link that continues this one.
    pub fn move_to(&mut self, link: &mut Info) {
        self.addresses = std::mem::replace(&mut link.addresses, Addresses::None);
        for what in [Text::PeerAddress, Text::Tls, Text::Extensions] {
            self.set_text(what, link.text(what));
        }
    }

    /// Whether the address of the socket is stored, because it is not the client's.
    pub fn has_peer_address(&self) -> bool {
        !self.text(Text::PeerAddress).is_empty()
    }

    /// The address of the socket's other end.
    pub fn peer_address(&self) -> String {
        match self.text(Text::PeerAddress) {
            "" => shown_address(self.remote()),
            reported => reported.to_owned(),
        }
    }

    /// Our address.
    pub fn local(&self) -> Option<SocketAddr> {
        self.address(0)
    }

    /// The peer's address; on a server the client's.
    pub fn remote(&self) -> Option<SocketAddr> {
        self.address(1)
    }

    fn address(&self, end: usize) -> Option<SocketAddr> {
        match &self.addresses {
            Addresses::None => None,
            Addresses::V4(addresses) => Some(addresses[end].into()),
            Addresses::Other(addresses) => addresses[end],
        }
    }

    /// Sets the target of the request: path and query.
    pub fn set_target(&mut self, path: &str, query: &str) {
        // "/" is so common that it is not stored.
        self.set_text(Text::Path, if path == "/" { "" } else { path });
        self.set_text(Text::Query, query);
        self.has_target = true;
    }

    /// Sets the method of the request.
    pub fn set_method(&mut self, method: &str) {
        // As common as the path "/".
        self.set_text(Text::Method, if method == "GET" { "" } else { method });
    }

    /// The method of the request, "" before it is known.
    pub fn method(&self) -> &str {
        match self.text(Text::Method) {
            "" if self.has_target => "GET",
            method => method,
        }
    }

    /// The path of the request, "" before it is known.
    pub fn path(&self) -> &str {
        match self.text(Text::Path) {
            "" if self.has_target => "/",
            path => path,
        }
    }

    /// The URL without user name and password. On a server it is composed from the request.
    pub fn url(&self) -> String {
        match self.text(Text::Url) {
            "" if self.has_target => {
                let scheme = if self.text(Text::Tls).is_empty() { "ws" } else { "wss" };
                let (host, query) = (self.headers.get("host", 0).unwrap_or(""), self.text(Text::Query));
                let mark = if query.is_empty() { "" } else { "?" };
                format!("{scheme}://{host}{}{mark}{query}", self.path())
            }
            url => url.to_owned(),
        }
    }

    /// The URL for the log, without the query, which may contain a token.
    pub fn shown_url(&self) -> String {
        let mut url = self.url();
        url.truncate(url.find('?').unwrap_or(url.len()));
        url
    }
}

/// An address as text; "": unknown, or none.
pub fn shown_address(address: Option<SocketAddr>) -> String {
    address.map_or(String::new(), |address| address.to_string())
}
