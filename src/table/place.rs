//! The place that a URL of the program leads to: parsing it, and what is shown of it.

use crate::connection::Connection;
use crate::error::Error;
use crate::net::interface;
use crate::protocol::Login;
use crate::status::{ErrorCode, Text};
use data_encoding::BASE64;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::{Host, Position, Url};

/// All characters but the unreserved ones of RFC 3986.
const NOT_IN_ZONE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The interface of a link-local address: its name in the URL, and its index.
pub(super) struct Zone {
    pub(super) name: String,
    pub(super) number: u32,
}

/// A parsed URL.
pub(super) struct Place {
    pub(super) url: Url,
    pub(super) zone: Option<Zone>,
}

impl Place {
    /// Parses a URL.
    pub(super) fn parse(url: &str) -> Result<Place, Error> {
        if url.chars().any(|char| char.is_whitespace() || char.is_control()) {
            return Err(bad_url("it has a space or a control character in it"));
        }
        let begins = |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        if !begins("ws://") && !begins("wss://") {
            return Err(bad_url("it must start with ws:// or wss://"));
        }
        let parsed = |url: &str| Url::parse(url).map_err(|error| bad_url(&error.to_string()));
        let Some((name, without)) = split_zone(url) else { return Ok(Place { url: parsed(url)?, zone: None }) };
        let url = parsed(&without)?;
        let number = match url.host() {
            Some(Host::Ipv6(address)) => interface(address, &name),
            _ => None,
        };
        let no_such = || {
            bad_url("this machine has no interface of the name behind the %, or the address is not a link-local one")
        };
        Ok(Place { url, zone: Some(Zone { number: number.ok_or_else(no_such)?, name }) })
    }

    /// The interface of a link-local address; 0: none.
    pub(super) fn zone_number(&self) -> u32 {
        self.zone.as_ref().map_or(0, |zone| zone.number)
    }

    /// Sets what a connection reports of its place.
    pub(super) fn describe(&self, peer: &mut Connection) {
        let info = &mut peer.endpoint.info;
        info.set_text(Text::Url, self.shown(self.target()));
        info.set_target(self.url.path(), self.url.query().unwrap_or(""));
    }

    /// The URL without user name and password, and with this target.
    pub(super) fn shown(&self, target: &str) -> String {
        let shown = match (self.url.host(), &self.zone) {
            (Some(Host::Ipv6(address)), Some(zone)) => {
                let port = self.url.port().map_or(String::new(), |port| format!(":{port}"));
                format!("{}{port}", bracketed(&address.to_string(), Some(zone)))
            }
            _ => self.authority(),
        };
        format!("{}://{shown}{target}", self.url.scheme())
    }

    /// Path and query.
    pub(super) fn target(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }

    /// Host, and port if it is not the scheme's own: the form of the Host header.
    pub(super) fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or("");
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Host and port to connect to.
    pub(super) fn host_and_port(&self) -> Result<(String, u16), Error> {
        let host = match self.url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(bad_url("it has no host")),
        };
        match self.url.port_or_known_default() {
            None | Some(0) => Err(bad_url("port 0 cannot be connected to")),
            Some(port) => Ok((host, port)),
        }
    }

    /// A host with the number of its interface, if it has one.
    pub(super) fn with_zone(&self, host: String) -> String {
        self.zone.as_ref().map_or(host.clone(), |zone| format!("{host}%{}", zone.number))
    }

    /// User name and password; empty where it has none.
    pub(super) fn login(&self) -> Login {
        let decoded = |text: &str| percent_decode_str(text).collect();
        Login { user: decoded(self.url.username()), password: decoded(self.url.password().unwrap_or("")) }
    }

    /// The header that sends them (RFC 7617).
    pub(super) fn authorization(&self) -> Option<(String, String)> {
        if self.url.username().is_empty() && self.url.password().is_none() {
            return None;
        }
        let Login { user, password } = self.login();
        Some((
            "Authorization".to_owned(),
            format!("Basic {}", BASE64.encode(&[user, b":".to_vec(), password].concat())),
        ))
    }
}

/// Splits the zone off a URL's IPv6 address: RFC 6874 writes "[fe80::1%25eth0]", many tools "[fe80::1%eth0]".
fn split_zone(url: &str) -> Option<(String, String)> {
    let start = url.find("://")? + 3;
    let end = url[start..].find(['/', '?', '#', '\\']).map_or(url.len(), |len| start + len);
    let start = url[start..end].rfind('@').map_or(start, |at| start + at + 1);
    let host = url[start..end].strip_prefix('[')?;
    let (address, zone) = host[..host.find(']')?].split_once('%')?;
    let name = zone.strip_prefix("25").filter(|rest| !rest.is_empty()).unwrap_or(zone);
    let name = String::from_utf8(percent_decode_str(name).collect()).ok()?;
    let (from, to) = (start + 1 + address.len(), start + 2 + address.len() + zone.len());
    Some((name, format!("{}{}", &url[..from], &url[to..])))
}

/// Formats an IPv6 address for a URL.
pub(super) fn bracketed(address: &str, zone: Option<&Zone>) -> String {
    match zone {
        Some(zone) => format!("[{address}%25{}]", utf8_percent_encode(&zone.name, NOT_IN_ZONE)),
        None => format!("[{address}]"),
    }
}

/// The failure of a URL.
pub(super) fn bad_url(why: &str) -> Error {
    Error::new(ErrorCode::Url, format!("the URL cannot be used: {why}"))
}
