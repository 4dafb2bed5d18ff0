//! What can be asked about a connection.

use super::Mark;
use crate::protocol::Headers;
use crate::status::Text;
use std::fmt;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};

/// A server keeps one for each client, so it holds only what there is.
#[derive(Default)]
pub struct Info {
    /// Status of the answer.
    pub http_status: u16,
    /// Of the request (server's end) or the answer (client's end).
    pub headers: Headers,
    /// How it ended: a copy of its last event.
    pub end: Option<Box<Mark>>,
    /// Ours.
    pub local: Address,
    /// The peer's.
    pub remote: Address,
    /// The target of the request is known.
    has_target: bool,
    /// By WS_GET_*; those that are "" are not here.
    texts: Vec<(Text, Box<str>)>,
}

impl Info {
    /// One of WS_GET_*, as far as it was set: URL (without user name and password), PATH, QUERY, SUBPROTOCOL, ERROR, BODY, TLS, EXTENSIONS.
    pub fn text(&self, what: Text) -> &str {
        self.texts.iter().find(|(of, _)| *of == what).map_or("", |(_, text)| text)
    }

    /// Sets one of them.
    pub fn set_text(&mut self, what: Text, text: impl Into<Box<str>>) {
        self.texts.retain(|(of, _)| *of != what);
        let text = text.into();
        if !text.is_empty() {
            self.texts.reserve_exact(1);
            self.texts.push((what, text));
        }
    }

    /// The target of the request: path and query.
    pub fn set_target(&mut self, path: &str, query: &str) {
        // What nearly all ask for takes no room.
        self.set_text(Text::Path, if path == "/" { "" } else { path });
        self.set_text(Text::Query, query);
        self.has_target = true;
    }

    /// The path of the request, "" before there is one.
    pub fn path(&self) -> &str {
        match self.text(Text::Path) {
            "" if self.has_target => "/",
            path => path,
        }
    }

    /// Without user name and password; a server's end puts it together.
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

    /// The URL for the log: a query may hold a token.
    pub fn shown_url(&self) -> String {
        let mut url = self.url();
        url.truncate(url.find('?').unwrap_or(url.len()));
        url
    }
}

/// An address of a socket. Those of IPv4 take little room.
#[derive(Clone, Default)]
pub enum Address {
    /// None is known, or there is none.
    #[default]
    Unknown,
    /// IPv4.
    V4(SocketAddrV4),
    /// IPv6.
    V6(Box<SocketAddrV6>),
}

impl Address {
    /// The address itself.
    pub fn get(&self) -> Option<SocketAddr> {
        match self {
            Address::Unknown => None,
            Address::V4(address) => Some(SocketAddr::V4(*address)),
            Address::V6(address) => Some(SocketAddr::V6(**address)),
        }
    }
}

impl From<Option<SocketAddr>> for Address {
    fn from(address: Option<SocketAddr>) -> Address {
        match address {
            None => Address::Unknown,
            Some(SocketAddr::V4(address)) => Address::V4(address),
            Some(SocketAddr::V6(address)) => Address::V6(Box::new(address)),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().map_or(Ok(()), |address| address.fmt(formatter))
    }
}
