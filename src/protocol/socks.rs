//! The client's side of a SOCKS 5 proxy: RFC 1928, and RFC 1929 for user name and password.

use super::place::{Login, Place, Site};
use super::refused::Refused;
use crate::names::PROXY;
use crate::status::Cause;

const VERSION: u8 = 5;
/// Version of the negotiation of RFC 1929.
const LOGIN_VERSION: u8 = 1;
const NO_LOGIN: u8 = 0;
const BY_PASSWORD: u8 = 2;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Parses the answers, received in pieces of any size.
pub struct Socks {
    /// Host and port of the server.
    to: String,
    request: Vec<u8>,
    /// The message of RFC 1929.
    login: Option<Vec<u8>>,
    waits: Waits,
    /// The start of an incomplete answer, at most 262 bytes.
    received: Vec<u8>,
    is_unanswered: bool,
}

/// The answer that is awaited.
enum Waits {
    /// The choice of a method (RFC 1928 section 3).
    Method,
    /// The status of a login (RFC 1929 section 2).
    Login,
    /// The reply to the request (RFC 1928 section 6).
    Reply,
}

/// What follows from received bytes.
pub enum Answer {
    /// More bytes are needed, once these have been sent.
    More(Vec<u8>),
    /// The tunnel is open. So many of the bytes belong to the answer.
    Open(usize),
}

impl Socks {
    /// Creates the first message. User name and password have at most 255 bytes each, and so has a name.
    pub fn start(to: &Place, login: Option<&Login>) -> (Socks, Vec<u8>) {
        let mut request = vec![VERSION, CONNECT, 0];
        match &to.site {
            Site::Name(name) => {
                request.extend([NAME, name.len() as u8]);
                request.extend(name.as_bytes());
            }
            Site::Ipv4(address) => {
                request.push(IPV4);
                request.extend(address.octets());
            }
            Site::Ipv6(address) => {
                request.push(IPV6);
                request.extend(address.octets());
            }
        }
        request.extend(to.port.to_be_bytes());
        let login = login.map(|Login { user, password }| {
            [&[LOGIN_VERSION, user.len() as u8], &user[..], &[password.len() as u8], password].concat()
        });
        let hello = match login {
            Some(_) => vec![VERSION, 2, NO_LOGIN, BY_PASSWORD],
            None => vec![VERSION, 1, NO_LOGIN],
        };
        let (to, received) = (to.authority(), Vec::new());
        (Socks { to, request, login, waits: Waits::Method, received, is_unanswered: true }, hello)
    }

    /// Receives bytes.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Answer, Box<Refused>> {
        self.is_unanswered &= bytes.is_empty();
        self.received.extend_from_slice(bytes);
        let Some(len) = self.length()?.filter(|len| self.received.len() >= *len) else {
            return Ok(Answer::More(Vec::new()));
        };
        let behind = self.received.len() - len;
        let output = match self.waits {
            Waits::Method => self.take_method()?,
            Waits::Login if self.received[1] != 0 => {
                let why = format!("the proxy refused the user name and password of {PROXY}");
                return Err(Refused::by_proxy(Cause::ProxyAuth, why));
            }
            Waits::Login => {
                self.waits = Waits::Reply;
                std::mem::take(&mut self.request)
            }
            // What was received before these bytes was not a whole answer.
            Waits::Reply => return Ok(Answer::Open(bytes.len() - behind)),
        };
        if behind > 0 {
            return Err(invalid("it answers before it is asked"));
        }
        self.received = Vec::new();
        Ok(Answer::More(output))
    }

    /// Whether no byte has been received.
    pub fn is_unanswered(&self) -> bool {
        self.is_unanswered
    }

    /// Length of the awaited answer; `None`: not known yet. Fails at the first byte that it cannot have.
    fn length(&self) -> Result<Option<usize>, Box<Refused>> {
        let Some(first) = self.received.first() else { return Ok(None) };
        match self.waits {
            // Some proxies have version 5 here, too.
            Waits::Login if matches!(*first, LOGIN_VERSION | VERSION) => Ok(Some(2)),
            Waits::Login => Err(invalid("its answer to the login has another version")),
            _ if *first != VERSION => Err(match first {
                b'H' => invalid("it answers in HTTP: write http://"),
                0x15 | 0x16 => invalid("it answers in TLS: write https://"),
                _ => invalid("another kind of server has this port"),
            }),
            Waits::Method => Ok(Some(2)),
            Waits::Reply => match self.received.as_slice() {
                [_, status, ..] if *status != 0 => Err(self.not_connected(*status)),
                [_, _, _, IPV4, ..] => Ok(Some(4 + 4 + 2)),
                [_, _, _, IPV6, ..] => Ok(Some(4 + 16 + 2)),
                [_, _, _, NAME, len, ..] => Ok(Some(5 + usize::from(*len) + 2)),
                [_, _, _, NAME] | [_] | [_, _] | [_, _, _] => Ok(None),
                _ => Err(invalid("its answer has an address of an unknown type")),
            },
        }
    }

    /// Handles the chosen method. Returns what to send.
    fn take_method(&mut self) -> Result<Vec<u8>, Box<Refused>> {
        match (self.received[1], self.login.take()) {
            (NO_LOGIN, _) => {
                self.waits = Waits::Reply;
                Ok(std::mem::take(&mut self.request))
            }
            (BY_PASSWORD, Some(login)) => {
                self.waits = Waits::Login;
                Ok(login)
            }
            (0xFF, None) => {
                let why = format!(
                    "the proxy requires a user name and password: write socks5://user:password@host:port in {PROXY}"
                );
                Err(Refused::by_proxy(Cause::ProxyAuth, why))
            }
            (0xFF, Some(_)) => {
                let why = "the proxy accepts neither a login by user name and password nor none";
                Err(Refused::by_proxy(Cause::ProxyAuth, why))
            }
            _ => Err(invalid("it chose a method of authentication that was not offered")),
        }
    }

    fn not_connected(&self, status: u8) -> Box<Refused> {
        let what = match status {
            1 => "it failed (general failure): check host and port of the URL",
            2 => "it does not allow this host or port",
            3 => "the network is unreachable from it",
            4 => "the host is unreachable from it: check the host of the URL",
            5 => "the server refused the connection: check host and port of the URL, and that the server runs",
            6 => "the server did not answer it (time to live expired)",
            7 => "it does not know the command CONNECT",
            8 => "it does not know this type of address: write socks5h:// or socks5://, whichever you do not use now",
            _ => "it gives a reason that RFC 1928 does not know",
        };
        let mut refused = Refused::by_proxy(
            Cause::ProxyRefused,
            format!("the proxy did not connect to {} (SOCKS reply {status}): {what}", self.to),
        );
        refused.failure.may_pass = matches!(status, 1 | 3..=6);
        refused
    }
}

fn invalid(why: &str) -> Box<Refused> {
    Refused::by_proxy(Cause::ProxyInvalid, format!("the proxy does not answer as a SOCKS 5 proxy: {why} (in {PROXY})"))
}
