//! Requests to a server that serves plain HTTP: which requests a stream of bytes has, and how each is answered, does
//! not depend on how the bytes were cut.

use super::input::{Input, pieces};
use wspeer::internals::protocol::{Reply, ServerHandshake, has_body};

const MAX_HEADER: usize = 1_024;
const MAX_BODY: usize = 64;

pub fn requests(data: &[u8]) {
    let mut input = Input(data);
    let cut = input.byte();
    let whole = parse(&[input.0]);
    assert_eq!(parse(&pieces(input.0, cut)), whole, "cut otherwise");
    assert_eq!(parse(&pieces(input.0, 1)), whole, "byte by byte");
}

/// What is found in a stream of bytes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    /// Method, target, body and position of the end of each request.
    requests: Vec<(&'static str, String, Vec<u8>, usize)>,
    /// Status of the refusal that ends the stream.
    refused: Option<u16>,
}

fn parse(pieces: &[&[u8]]) -> Found {
    let mut handshake = ServerHandshake::new(MAX_HEADER).with_plain(MAX_BODY);
    let (mut found, mut at) = (Found::default(), 0);
    for piece in pieces {
        let mut rest = *piece;
        loop {
            match handshake.receive(rest) {
                Ok(None) => {
                    at += rest.len();
                    handshake.takes_continue();
                    assert!(handshake.heap_bytes() <= 4 * (MAX_HEADER + MAX_BODY + rest.len()));
                    break;
                }
                Ok(Some((used, request))) => {
                    assert!(used <= rest.len() && handshake.is_idle());
                    assert!(request.body.len() <= MAX_BODY && request.headers.count("transfer-encoding") == 0);
                    assert!(request.path.starts_with('/') || request.path == "*");
                    at += used;
                    rest = &rest[used..];
                    let length = request.headers.get("content-length", 0).unwrap_or("0");
                    assert_eq!(length.trim().parse(), Ok(request.body.len()), "another proxy would see another body");
                    let opens = request.opening.is_some();
                    answered(request.method.name(), request.keep_alive, || {
                        Reply { status: 200, headers: Vec::new(), body: request.body.clone() }
                            .to_bytes(request.method, request.keep_alive)
                    });
                    assert_eq!(has_body(request.method, 200), request.method.name() != "HEAD");
                    let goes_on = request.keep_alive && !opens;
                    found.requests.push((request.method.name(), request.target, request.body, at));
                    // The bytes behind are frames, or nobody's.
                    if !goes_on {
                        return found;
                    }
                }
                Err(refusal) => {
                    assert!((400..600).contains(&refusal.status) && !refusal.message.is_empty());
                    found.refused = Some(refusal.status);
                    return found;
                }
            }
        }
    }
    found
}

/// The head of a response is one head, whatever was asked.
fn answered(method: &str, keep_alive: bool, response: impl FnOnce() -> Vec<u8>) {
    let bytes = response();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a response has a head");
    let head = std::str::from_utf8(&bytes[..end]).expect("a head is text");
    assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("\r\nContent-Length: "));
    assert_eq!(head.contains("\r\nConnection: close"), !keep_alive);
    assert!(method != "HEAD" || bytes.len() == end + 4);
}
