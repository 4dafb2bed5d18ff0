//! Properties of a connection that the host can query.

use super::Mark;
use crate::protocol::Headers;
use crate::status::Text;
use std::fmt;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};

/// Properties of a connection. A server keeps one per client, so unset properties take no memory.
#[derive(Default)]
pub struct Info {
    /// HTTP status of the answer.
    pub http_status: u16,
    /// Headers of the request (on a server) or of the answer (on a client).
    pub headers: Headers,
    /// A copy of the connection's last event.
    pub end: Option<Box<Mark>>,
    /// Our address.
    pub local: Address,
    /// The peer's address.
    pub remote: Address,
    /// The target of the request has been set.
    has_target: bool,
    /// Texts by WS_GET_*. Empty ones are not stored.
    texts: Vec<(Text, Box<str>)>,
}

impl Info {
    /// The text for a WS_GET_* constant, "" if it was not set: URL (without user name and password), PATH, QUERY,
    /// SUBPROTOCOL, ERROR, BODY, TLS, EXTENSIONS.
    pub fn text(&self, what: Text) -> &str {
        self.texts.iter().find(|(of, _)| *of == what).map_or("", |(_, text)| text)
    }

    /// Forgets what the last link reported: all but the URL.
    pub fn forget_link(&mut self) {
        let url = self.text(Text::Url).to_owned();
        *self = Info::default();
        self.set_text(Text::Url, url);
    }

    /// Sets one of these texts.
    pub fn set_text(&mut self, what: Text, text: impl Into<Box<str>>) {
        self.texts.retain(|(of, _)| *of != what);
        let text = text.into();
        if !text.is_empty() {
            self.texts.reserve_exact(1);
            self.texts.push((what, text));
        }
    }

    /// Sets the target of the request: path and query.
    pub fn set_target(&mut self, path: &str, query: &str) {
        // "/" is so common that it is not stored.
        self.set_text(Text::Path, if path == "/" { "" } else { path });
        self.set_text(Text::Query, query);
        self.has_target = true;
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

/// A socket address. IPv6 is boxed, so that the others take little memory.
#[derive(Clone, Default)]
pub enum Address {
    /// Unknown, or none.
    #[default]
    Unknown,
    /// IPv4.
    V4(SocketAddrV4),
    /// IPv6.
    V6(Box<SocketAddrV6>),
}

impl Address {
    /// The address; `None`: unknown.
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
