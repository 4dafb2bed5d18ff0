//! Requests that a server accepts: to open a WebSocket (RFC 6455 section 4.2.1), and plain HTTP.

use super::framing::Announced;
use super::head::RequestHead;
use super::headers::trimmed;
use super::{Headers, Refusal};
use crate::status::Cause;
use data_encoding::BASE64;
use std::fmt;

/// A valid request.
pub struct Request {
    /// GET, if it opens a WebSocket.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// The target up to the question mark; "*" for OPTIONS about the whole server.
    pub path: String,
    /// The target after the question mark.
    pub query: String,
    /// All headers.
    pub headers: Headers,
    /// What a request to open a WebSocket has besides; `None`: plain HTTP.
    pub opening: Option<WebSocketRequest>,
    /// The client can send another request after the response.
    pub keep_alive: bool,
    /// The body of a plain request.
    pub body: Vec<u8>,
}

/// What a request to open a WebSocket has besides the parts of every request.
pub struct WebSocketRequest {
    /// Sec-WebSocket-Key.
    pub key: String,
    /// The subprotocols that the client offers, in its order.
    pub subprotocols: Vec<String>,
}

/// Omits what may be a secret: the query, the body, header values and subprotocols.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// Methods of requests (RFC 9110 section 9.3, and RFC 5789).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Method {
    Get,
    Head,
    Options,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    const ALL: [Method; 7] =
        [Method::Get, Method::Head, Method::Options, Method::Post, Method::Put, Method::Patch, Method::Delete];

    /// The method of this name, which is case-sensitive.
    fn from_name(name: &str) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.name() == name)
    }

    /// Its name in a request.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Options => "OPTIONS",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// Whether a request means to open a WebSocket, however wrongly. One with a key and without Upgrade came through a
/// proxy that dropped the header; its client would not understand another answer.
pub(super) fn asks_for_websocket(headers: &Headers) -> bool {
    headers.has_token("upgrade", "websocket") || headers.count("sec-websocket-key") > 0
}

/// Checks a plain request, whose body may have `max_body_bytes`.
pub(super) fn check_plain(request: RequestHead, max_body_bytes: usize) -> Result<(Request, Announced), Refusal> {
    let RequestHead { method, target, minor, headers } = request;
    // First, as the bytes behind a wrong framing could be taken for a request.
    let body = Announced::read(&headers, minor, max_body_bytes)?;
    let Some(method) = Method::from_name(&method) else {
        return Err(Refusal::new(501, Cause::HttpInvalid, "this server does not have the method of the request"));
    };
    let hosts = headers.count("host");
    if hosts > 1 || (hosts == 0 && minor > 0) || !headers.get("host", 0).is_none_or(is_host) {
        return Err(Refusal::invalid(HOST));
    }
    let keep_alive = minor > 0 && !headers.has_token("connection", "close");
    let (path, query) = match split_target(&target) {
        _ if target == "*" && method == Method::Options => ("*", ""),
        Some(parts) => parts,
        None => return Err(Refusal::invalid(TARGET)),
    };
    Ok((Request::new(method, path, query, headers, None, keep_alive), body))
}

/// Checks a request to open a WebSocket by RFC 6455 section 4.2.1.
pub(super) fn check_opening(request: RequestHead) -> Result<Request, Refusal> {
    let RequestHead { method, target, minor, headers } = request;
    if method != "GET" {
        return Err(Refusal::new(405, Cause::HttpInvalid, OPEN_WITH_GET));
    }
    if minor == 0 {
        return Err(Refusal::invalid(
            "a WebSocket is opened in HTTP/1.1, and the request is in HTTP/1.0: a proxy in between may speak only that",
        ));
    }
    if headers.count("host") != 1 || !headers.get("host", 0).is_some_and(is_host) {
        return Err(Refusal::invalid(HOST));
    }
    for (name, why) in [
        ("content-length", "the request has several Content-Length headers"),
        ("sec-websocket-version", "the request has several Sec-WebSocket-Version headers"),
        ("sec-websocket-key", "the request has several Sec-WebSocket-Key headers"),
    ] {
        if headers.count(name) > 1 {
            return Err(Refusal::invalid(why));
        }
    }
    // Otherwise a body would be read as frames, or as a request by an intermediary.
    if headers.get("content-length", 0).is_some_and(|length| trimmed(length) != "0")
        || headers.count("transfer-encoding") > 0
    {
        return Err(Refusal::invalid("a request to open a WebSocket has no body"));
    }
    if !headers.has_token("upgrade", "websocket") || !headers.has_token("connection", "upgrade") {
        return Err(Refusal::upgrade(ASK_FOR_WEBSOCKET));
    }
    if headers.get("sec-websocket-version", 0).map(trimmed) != Some("13") {
        return Err(Refusal::upgrade("only version 13 of the WebSocket protocol is spoken here"));
    }
    let key = trimmed(headers.get("sec-websocket-key", 0).unwrap_or("")).to_owned();
    if BASE64.decode(key.as_bytes()).map(|bytes| bytes.len()) != Ok(16) {
        return Err(Refusal::invalid("the request must have one Sec-WebSocket-Key of 16 bytes in base64"));
    }
    let Some((path, query)) = split_target(&target) else {
        return Err(Refusal::invalid(TARGET));
    };
    let subprotocols = headers.list("sec-websocket-protocol").map(str::to_owned).collect();
    let opening = Some(WebSocketRequest { key, subprotocols });
    Ok(Request::new(Method::Get, path, query, headers, opening, true))
}

impl Request {
    fn new(
        method: Method,
        path: &str,
        query: &str,
        headers: Headers,
        opening: Option<WebSocketRequest>,
        keep_alive: bool,
    ) -> Request {
        let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        let (path, query) = (path.to_owned(), query.to_owned());
        Request { method, target, path, query, headers, opening, keep_alive, body: Vec::new() }
    }
}

/// Splits a target in origin form or absolute form (RFC 9112 section 3.2) into path and query. The other forms are for
/// proxies, CONNECT and OPTIONS. A fragment, which is not allowed here, is dropped.
fn split_target(target: &str) -> Option<(&str, &str)> {
    let target = target.split('#').next().unwrap_or(target);
    let origin = if target.starts_with('/') {
        target
    } else {
        let (scheme, rest) = target.split_once("://")?;
        let authority = rest.find(['/', '?']).unwrap_or(rest.len());
        if authority == 0
            || scheme.is_empty()
            || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            return None;
        }
        &rest[authority..]
    };
    let (path, query) = origin.split_once('?').unwrap_or((origin, ""));
    Some((if path.is_empty() { "/" } else { path }, query))
}

/// Whether a Host header is acceptable: it becomes a part of the URL and of the log.
fn is_host(value: &str) -> bool {
    !trimmed(value).chars().any(|char| char.is_whitespace() || char.is_control() || "@/\\?#\"<>,".contains(char))
}

pub(super) const OPEN_WITH_GET: &str = "a WebSocket is opened with GET";
pub(super) const ASK_FOR_WEBSOCKET: &str =
    "this is a WebSocket server: ask with \"Upgrade: websocket\" and \"Connection: Upgrade\"";
const HOST: &str = "the request must have one Host header, with a host and at most a port";
const TARGET: &str = "the target of the request must begin with a slash";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_split_into_path_and_query() {
        for (target, expected) in [
            ("/", Some(("/", ""))),
            ("/a/b?c=d?e#f", Some(("/a/b", "c=d?e"))),
            ("/?", Some(("/", ""))),
            ("ws://host", Some(("/", ""))),
            ("ws://host?a", Some(("/", "a"))),
            ("http+x-1.0://host:80/a?b", Some(("/a", "b"))),
            ("://host/a", None),
            ("ws:///a", None),
            ("ws://?a", None),
            ("w_s://host/a", None),
            ("*", None),
            ("host:80", None),
        ] {
            assert_eq!(split_target(target), expected, "{target}");
        }
    }
}
