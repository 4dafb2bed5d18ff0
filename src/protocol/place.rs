//! What a proxy is told: the server, and who asks.

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
