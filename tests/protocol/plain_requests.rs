//! Plain HTTP requests to a server (RFC 9110, RFC 9112) with literal bytes: whole, cut in two at every position, and
//! byte by byte.

use wspeer::internals::protocol::{CONTINUE, Method, Refusal, Reply, ServerHandshake, has_body};
use wspeer::internals::status::Cause;

const MAX_HEADER: usize = 1_024;
const MAX_BODY: usize = 100;

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// Method, target, body, whether the connection may go on, and the number of bytes behind the request.
    Plain(&'static str, String, Vec<u8>, bool, usize),
    /// Number of bytes behind a request to open a WebSocket.
    WebSocket(usize),
    /// Status.
    Refused(u16),
    /// More bytes are needed.
    Waits,
}
use Outcome::*;

fn run(handshake: &mut ServerHandshake, len: usize, pieces: &[&[u8]]) -> Outcome {
    let mut at = 0;
    for piece in pieces {
        match handshake.receive(piece) {
            Ok(None) => at += piece.len(),
            Ok(Some((used, request))) => {
                let left = len - at - used;
                assert!(handshake.is_idle() && handshake.heap_bytes() == 0);
                if request.opening.is_some() {
                    assert!(request.body.is_empty());
                    return WebSocket(left);
                }
                return Plain(request.method.name(), request.target, request.body, request.keep_alive, left);
            }
            Err(refusal) => {
                assert!(!refusal.message.is_empty());
                return Refused(refusal.status);
            }
        }
    }
    Waits
}

/// The outcome of the whole request; every cut must give the same.
fn outcome(bytes: &[u8]) -> Outcome {
    let new = || ServerHandshake::new(MAX_HEADER).with_plain(MAX_BODY);
    let whole = run(&mut new(), bytes.len(), &[bytes]);
    for cut in 0..=bytes.len() {
        assert_eq!(run(&mut new(), bytes.len(), &[&bytes[..cut], &bytes[cut..]]), whole, "cut at {cut}");
    }
    let singles: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(run(&mut new(), bytes.len(), &singles), whole, "byte by byte");
    whole
}

fn plain(method: &'static str, target: &str, body: &str) -> Outcome {
    Plain(method, target.to_owned(), body.as_bytes().to_vec(), true, 0)
}

fn last(method: &'static str, target: &str, body: &str) -> Outcome {
    Plain(method, target.to_owned(), body.as_bytes().to_vec(), false, 0)
}

const HTTP_11: &str = "HTTP/1.1\r\nHost: h\r\n";

fn check(rows: &[(&str, Outcome)]) {
    for (request, expected) in rows {
        // "~" stands for the end of a usual request line and its Host header.
        let request = request.replace('~', HTTP_11);
        assert_eq!(outcome(request.as_bytes()), *expected, "{request:?}");
    }
}

#[test]
fn each_method_of_programs_is_accepted() {
    for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] {
        let request = format!("{method} /a?b {HTTP_11}\r\n");
        assert_eq!(outcome(request.as_bytes()), plain(method, "/a?b", ""));
        let request = format!("{method} / {HTTP_11}Content-Length: 3\r\n\r\nabc");
        assert_eq!(outcome(request.as_bytes()), plain(method, "/", "abc"), "with a body");
    }
    for method in ["CONNECT", "TRACE", "PROPFIND", "get", "Get", "GETS", "GE", "M-SEARCH", "X"] {
        let request = format!("{method} / {HTTP_11}\r\n");
        assert_eq!(outcome(request.as_bytes()), Refused(501), "{method}");
    }
    check(&[("CONNECT h:80 ~\r\n", Refused(501)), (" / ~\r\n", Refused(400)), ("G(T / ~\r\n", Refused(400))]);
}

#[test]
fn targets_are_paths_or_whole_urls() {
    check(&[
        ("GET / ~\r\n", plain("GET", "/", "")),
        ("GET /a/b?c=d&e=? ~\r\n", plain("GET", "/a/b?c=d&e=?", "")),
        ("GET /%00%2e%2e ~\r\n", plain("GET", "/%00%2e%2e", "")),
        ("GET /a#b ~\r\n", plain("GET", "/a", "")),
        ("GET http://h/a?b ~\r\n", plain("GET", "/a?b", "")),
        ("GET http://h ~\r\n", plain("GET", "/", "")),
        ("OPTIONS * ~\r\n", plain("OPTIONS", "*", "")),
        ("GET * ~\r\n", Refused(400)),
        ("GET a ~\r\n", Refused(400)),
        ("GET h:80 ~\r\n", Refused(400)),
        ("GET  / ~\r\n", Refused(400)),
        ("GET / b ~\r\n", Refused(400)),
        ("GET ~\r\n", Refused(400)),
        ("GET /\0 ~\r\n", Refused(400)),
        ("GET /\r /b ~\r\n", Refused(400)),
    ]);
}

#[test]
fn the_version_decides_about_host_and_the_next_request() {
    check(&[
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", plain("GET", "/", "")),
        ("GET / HTTP/1.1\r\n\r\n", Refused(400)),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Refused(400)),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", Refused(400)),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", Refused(400)),
        ("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", Refused(400)),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", plain("GET", "/", "")),
        ("GET / HTTP/1.0\r\n\r\n", last("GET", "/", "")),
        ("GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", last("GET", "/", "")),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", Refused(400)),
        ("POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab", last("POST", "/", "ab")),
        ("GET / ~Connection: close\r\n\r\n", last("GET", "/", "")),
        ("GET / ~Connection: TE, Close\r\n\r\n", last("GET", "/", "")),
        ("GET / ~Connection: keep-alive\r\nConnection: close\r\n\r\n", last("GET", "/", "")),
        ("GET / ~Connection: keep-alive\r\n\r\n", plain("GET", "/", "")),
        ("GET / HTTP/1.2\r\nHost: h\r\n\r\n", Refused(400)),
        ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", Refused(400)),
        ("GET / HTTP/0.9\r\nHost: h\r\n\r\n", Refused(400)),
        ("GET /\r\n\r\n", Refused(400)),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refused(400)),
    ]);
}

#[test]
fn a_body_has_one_length_that_every_proxy_understands() {
    check(&[
        ("POST / ~Content-Length: 3\r\n\r\nabc", plain("POST", "/", "abc")),
        ("POST / ~content-length:3\r\n\r\nabc", plain("POST", "/", "abc")),
        ("POST / ~Content-Length:   3  \r\n\r\nabc", plain("POST", "/", "abc")),
        ("POST / ~Content-Length: 003\r\n\r\nabc", plain("POST", "/", "abc")),
        ("POST / ~Content-Length: 0\r\n\r\n", plain("POST", "/", "")),
        ("POST / ~\r\n", plain("POST", "/", "")),
        ("POST / ~Content-Length: 3\r\n\r\nab", Waits),
        ("POST / ~Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", Refused(400)),
        ("POST / ~Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", Refused(400)),
        ("POST / ~Content-Length: 3, 3\r\n\r\nabc", Refused(400)),
        ("POST / ~Content-Length: +3\r\n\r\nabc", Refused(400)),
        ("POST / ~Content-Length: -3\r\n\r\nabc", Refused(400)),
        ("POST / ~Content-Length: 3 \t3\r\n\r\nabc", Refused(400)),
        ("POST / ~Content-Length: 0x3\r\n\r\nabc", Refused(400)),
        ("POST / ~Content-Length: 3a\r\n\r\nabc", Refused(400)),
        ("POST / ~Content-Length: \r\n\r\nabc", Refused(400)),
        ("POST / ~Content-Length : 3\r\n\r\nabc", Refused(400)),
        ("POST / ~Content-Length\r\n\r\nabc", Refused(400)),
        ("POST / ~ Content-Length: 3\r\n\r\nabc", Refused(400)),
        ("POST / ~X: y\r\n Content-Length: 3\r\n\r\nabc", Refused(400)),
        ("POST / ~Content-Length: 101\r\n\r\n", Refused(413)),
        ("POST / ~Content-Length: 18446744073709551616\r\n\r\n", Refused(413)),
        ("POST / ~Content-Length: 18446744073709551619\r\n\r\nabc", Refused(413)),
        ("POST / ~Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refused(411)),
        ("POST / ~Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", Refused(411)),
        ("POST / ~Transfer-Encoding: identity\r\n\r\n", Refused(411)),
        ("POST / ~Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n", Refused(400)),
        ("POST / ~Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", Refused(400)),
        ("POST / ~Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", Refused(411)),
        ("POST / ~Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", Refused(400)),
        ("POST / ~Content-Length: 3\r\ntransfer-encoding: chunked\r\n\r\nabc", Refused(400)),
        ("POST / ~Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refused(400)),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refused(400)),
        ("TRACE / ~Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc", Refused(400)),
        ("GET / ~X: a\rContent-Length: 3\r\n\r\nabc", Refused(400)),
        ("GET / ~X: a\0\r\n\r\n", Refused(400)),
        ("GET / ~Expect: 100-continue\r\n\r\n", plain("GET", "/", "")),
        ("POST / ~Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab", plain("POST", "/", "ab")),
        ("POST / ~Expect: 200-ok\r\nContent-Length: 2\r\n\r\nab", Refused(417)),
        ("POST / ~Expect: 100-continue, x\r\nContent-Length: 2\r\n\r\nab", Refused(417)),
        ("POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 2\r\n\r\nab", last("POST", "/", "ab")),
    ]);
    let longest = "x".repeat(MAX_BODY);
    let request = format!("PUT / {HTTP_11}Content-Length: {MAX_BODY}\r\n\r\n{longest}");
    assert_eq!(outcome(request.as_bytes()), plain("PUT", "/", &longest));
    let binary = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n\0\r\n\r\n\xFF";
    assert_eq!(outcome(binary), Plain("POST", "/".to_owned(), b"\0\r\n\r\n\xFF".to_vec(), true, 0));
}

#[test]
fn bytes_behind_a_request_belong_to_the_next_one() {
    let behind = |request: &str, expected: Outcome| {
        assert_eq!(outcome(request.replace('~', HTTP_11).as_bytes()), expected, "{request:?}");
    };
    let at_root = |method, body: &str, left| Plain(method, "/".to_owned(), body.as_bytes().to_vec(), true, left);
    behind("GET / ~\r\nGET /b", at_root("GET", "", 6));
    behind("GET / ~\r\nabc", at_root("GET", "", 3));
    behind("POST / ~Content-Length: 3\r\n\r\nabcGET /b", at_root("POST", "abc", 6));
    behind("POST / ~Content-Length: 0\r\n\r\nGET /b", at_root("POST", "", 6));
    behind("\r\n\nGET / ~\r\n", at_root("GET", "", 0));
    behind("GET / HTTP/1.1\nHost: h\n\nx", at_root("GET", "", 1));

    // One handshake parses requests one after the other, whatever they are.
    let all = format!(
        "POST /1 {HTTP_11}Content-Length: 2\r\n\r\nab\r\nGET /2 {HTTP_11}\r\nHEAD /3 {HTTP_11}Connection: close\r\n\r\n"
    );
    for step in 1..all.len() {
        let mut handshake = ServerHandshake::new(MAX_HEADER).with_plain(MAX_BODY);
        let mut found = Vec::new();
        for mut piece in all.as_bytes().chunks(step) {
            while let Some((used, request)) = handshake.receive(piece).unwrap() {
                found.push((request.method, request.path, request.keep_alive));
                piece = &piece[used..];
            }
        }
        let expected = [(Method::Post, "/1", true), (Method::Get, "/2", true), (Method::Head, "/3", false)];
        assert_eq!(found, expected.map(|(method, path, goes_on)| (method, path.to_owned(), goes_on)), "step {step}");
    }
}

#[test]
fn a_request_for_a_websocket_has_the_rules_of_rfc_6455() {
    let rest = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
    let with = |request: &str| request.replace('^', rest);
    let rows = [
        ("GET / ~Upgrade: websocket\r\nConnection: Upgrade\r\n^\r\n\x01\x02", WebSocket(2)),
        ("GET / ~Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n^\r\n", WebSocket(0)),
        ("GET / ~Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 2\r\n^\r\nab", Refused(400)),
        ("GET / ~Upgrade: websocket\r\nConnection: Upgrade\r\nTransfer-Encoding: chunked\r\n^\r\n", Refused(400)),
        ("POST / ~Upgrade: websocket\r\nConnection: Upgrade\r\n^\r\n", Refused(405)),
        ("GET / HTTP/1.0\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n^\r\n", Refused(400)),
        ("GET / ~Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", Refused(426)),
        ("GET / ~Upgrade: websocket\r\n^\r\n", Refused(426)),
        // A proxy has dropped the headers of one hop.
        ("GET / ~^\r\n", Refused(426)),
        // Other protocols can be ignored (RFC 9110 section 7.8).
        (
            "GET / ~Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\n\r\n",
            plain("GET", "/", ""),
        ),
    ];
    for (request, expected) in rows {
        check(&[(&with(request), expected)]);
    }
}

#[test]
fn a_head_that_is_too_long_is_refused() {
    let long = format!("GET / {HTTP_11}X: {}\r\n\r\n", "x".repeat(MAX_HEADER));
    assert_eq!(outcome(long.as_bytes()), Refused(431));
    let many = format!("GET / {HTTP_11}{}\r\n", "a:b\r\n".repeat(130));
    assert_eq!(outcome(many.as_bytes()), Refused(431));
}

#[test]
fn a_client_that_waits_for_100_is_told_to_continue_once() {
    let head = format!("POST / {HTTP_11}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    let handshake = || ServerHandshake::new(MAX_HEADER).with_plain(MAX_BODY);
    let mut waiting = handshake();
    assert!(waiting.receive(head.as_bytes()).unwrap().is_none());
    assert!(waiting.takes_continue() && !waiting.takes_continue());
    assert!(waiting.receive(b"a").unwrap().is_none() && !waiting.takes_continue());
    assert_eq!(waiting.receive(b"b").unwrap().unwrap().1.body, b"ab");
    let mut hasty = handshake();
    assert!(hasty.receive(format!("{head}a").as_bytes()).unwrap().is_none());
    assert!(!hasty.takes_continue(), "the body is on its way");
    assert!(CONTINUE.starts_with(b"HTTP/1.1 100 ") && CONTINUE.ends_with(b"\r\n\r\n"));
}

#[test]
fn memory_grows_with_what_arrives_and_not_with_what_is_announced() {
    let mut handshake = ServerHandshake::new(MAX_HEADER).with_plain(1 << 30);
    let head = format!("POST / {HTTP_11}Content-Length: 1000000000\r\n\r\n");
    assert!(handshake.receive(head.as_bytes()).unwrap().is_none());
    for received in 1..=10_000 {
        assert!(handshake.receive(b"x").unwrap().is_none());
        assert!(handshake.heap_bytes() <= 16 + 2 * received, "{} bytes for {received}", handshake.heap_bytes());
    }
    assert!(!handshake.is_idle());
}

#[test]
fn a_server_without_plain_http_answers_as_ever() {
    for (request, status, cause) in [
        ("GET / ~\r\n", 426, Cause::HttpInvalid),
        ("HEAD / ~\r\n", 405, Cause::HttpInvalid),
        ("POST / ~Content-Length: 2\r\n\r\nab", 405, Cause::HttpInvalid),
        ("TRACE / ~\r\n", 405, Cause::HttpInvalid),
        ("GET / ~Content-Length: 2\r\n\r\nab", 400, Cause::HttpInvalid),
        ("GET / HTTP/1.0\r\n\r\n", 400, Cause::HttpInvalid),
    ] {
        let request = request.replace('~', HTTP_11);
        let refusal = ServerHandshake::new(MAX_HEADER).receive(request.as_bytes()).unwrap_err();
        assert_eq!((refusal.status, refusal.cause), (status, cause), "{request:?}");
    }
    let of = |status| String::from_utf8(Refusal::new(status, Cause::HttpInvalid, "why").to_bytes()).unwrap();
    let end = "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 4\r\n\r\nwhy\n";
    assert_eq!(of(400), format!("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n{end}"));
    assert_eq!(of(405), format!("HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nAllow: GET\r\n{end}"));
    assert_eq!(of(503), format!("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n{end}"));
    let upgrade = "Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    assert_eq!(of(426), format!("HTTP/1.1 426 Upgrade Required\r\n{upgrade}{end}"));
}

#[test]
fn a_response_has_the_framing_of_its_status_and_method() {
    let of = |status, body: &[u8], method, keep_alive| {
        let headers = vec![("X-Y".to_owned(), "z".to_owned())];
        let response = Reply { status, headers, body: body.to_vec() };
        String::from_utf8(response.to_bytes(method, keep_alive)).unwrap()
    };
    let typed = "Content-Type: text/plain; charset=utf-8\r\n";
    let whole = format!("HTTP/1.1 200 OK\r\nX-Y: z\r\n{typed}Content-Length: 2\r\n\r\n");
    assert_eq!(of(200, b"ab", Method::Get, true), format!("{whole}ab"));
    assert_eq!(of(200, b"ab", Method::Head, true), whole);
    let closing = whole.replace("X-Y", "Connection: close\r\nX-Y");
    assert_eq!(of(200, b"ab", Method::Post, false), format!("{closing}ab"));
    assert_eq!(of(404, b"", Method::Get, true), "HTTP/1.1 404 Not Found\r\nX-Y: z\r\nContent-Length: 0\r\n\r\n");
    for status in [204, 304] {
        let text = of(status, b"ab", Method::Get, true);
        assert!(!text.contains("Content-Length") && text.ends_with("\r\n\r\n"), "{text}");
        assert!(!has_body(Method::Get, status));
    }
    assert!(of(205, b"ab", Method::Get, true).ends_with("Content-Length: 0\r\n\r\n"));
    assert!(of(299, b"", Method::Get, true).starts_with("HTTP/1.1 299 Unknown\r\n"));
    assert!(of(426, b"", Method::Get, true).contains("Connection: Upgrade\r\nUpgrade: websocket\r\n"));
    let own = vec![("content-TYPE".to_owned(), "text/html".to_owned())];
    let response = Reply { status: 200, headers: own, body: b"ab".to_vec() };
    assert!(!String::from_utf8(response.to_bytes(Method::Get, true)).unwrap().contains("text/plain"));
}
