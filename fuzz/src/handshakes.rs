//! Both opening handshakes, and what is agreed on in them: the outcome does not depend on how the bytes were cut.

use super::input::{Input, pieces};
use wspeer::internals::protocol::{
    Accept, ClientHandshake, DeflateSettings, Headers, OfferedChannel, RequestSpec, ServerHandshake, accept_answer,
    check_header, check_subprotocols, choose_offer, offer,
};
use wspeer::internals::status::Cause;

const MAX_HEADER: usize = 2_048;
const SETTINGS: DeflateSettings =
    DeflateSettings { server_no_takeover: false, client_no_takeover: true, server_bits: 15, client_bits: 12 };

pub fn server(data: &[u8]) {
    let mut input = Input(data);
    let cut = input.byte();
    let whole = serve(&[input.0]);
    assert_eq!(serve(&pieces(input.0, cut)), whole, "cut otherwise");
    assert_eq!(serve(&pieces(input.0, 1)), whole, "byte by byte");
}

/// What a request leads to: the bytes that are not of it and the answer, or the refusal.
fn serve(pieces: &[&[u8]]) -> Option<(usize, Vec<u8>)> {
    let mut handshake = ServerHandshake::new(MAX_HEADER);
    let all: usize = pieces.iter().map(|piece| piece.len()).sum();
    let mut at = 0;
    for piece in pieces {
        match handshake.receive(piece) {
            Ok(None) => at += piece.len(),
            Ok(Some((used, request))) => {
                assert!(used <= piece.len() && at + used <= MAX_HEADER, "the header is over its limit");
                let accept = Accept {
                    path: None,
                    subprotocols: if request.opening.as_ref().is_none_or(|opening| opening.subprotocols.is_empty()) {
                        Vec::new()
                    } else {
                        vec!["chat".to_owned()]
                    },
                    headers: vec![("Server".to_owned(), "x".to_owned())],
                    deflate: Some(SETTINGS),
                    channel: Some(OfferedChannel { heartbeat: true, session: true, node: "n".into() }),
                };
                let answer = match accept.answer(&request) {
                    Ok(agreement) => {
                        assert!(agreement.answer.starts_with(b"HTTP/1.1 101 "));
                        if let Some(params) = agreement.deflate {
                            assert!((8..=15).contains(&params.server_bits) && (8..=15).contains(&params.client_bits));
                        }
                        if let Some((question, _)) = agreement.channel {
                            assert!(question.rest.len() < request.query.len());
                        }
                        one_header(&agreement.answer);
                        agreement.answer
                    }
                    Err(refusal) => refusal.to_bytes(),
                };
                return Some((all - at - used, answer));
            }
            Err(refusal) => {
                assert!((400..600).contains(&refusal.status) && !refusal.message.is_empty());
                assert!(refusal.to_bytes().starts_with(b"HTTP/1.1 "));
                // The sentence may know more where more had come.
                return Some((0, refusal.status.to_be_bytes().to_vec()));
            }
        }
    }
    None
}

/// Nothing of the request can end the header of the answer early, or put a line into it.
fn one_header(answer: &[u8]) {
    let text = std::str::from_utf8(answer).expect("an answer is text");
    assert_eq!(text.find("\r\n\r\n"), Some(text.len() - 4), "{text:?}");
    let known = [
        "Upgrade",
        "Connection",
        "Sec-WebSocket-Accept",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
        "Server",
    ];
    for line in text[..text.len() - 4].split("\r\n").skip(1) {
        assert!(line.split_once(": ").is_some_and(|(name, _)| known.contains(&name)), "{line:?}");
    }
}

pub fn client(data: &[u8]) {
    let mut input = Input(data);
    let cut = input.byte();
    let spec = RequestSpec {
        host: "example.com".to_owned(),
        target: "/".to_owned(),
        headers: Vec::new(),
        subprotocols: if cut & 0x80 == 0 { Vec::new() } else { vec!["chat".to_owned()] },
        deflate: (cut & 0x40 != 0).then_some(SETTINGS),
        max_header_bytes: MAX_HEADER,
        channel: None,
    };
    let whole = ask(&spec, input.0, 0);
    assert_eq!(ask(&spec, input.0, cut & 0x3F), whole, "cut otherwise");
    assert_eq!(ask(&spec, input.0, 1), whole, "byte by byte");
}

/// What an answer leads to. `{accept}` in it stands for the right Sec-WebSocket-Accept, which no fuzzer would find.
fn ask(spec: &RequestSpec, answer: &[u8], cut: u8) -> (bool, usize, u16, Cause) {
    let (mut handshake, request) = ClientHandshake::start(spec);
    let request = String::from_utf8(request).expect("a request is text");
    let key = request
        .split("Sec-WebSocket-Key: ")
        .nth(1)
        .and_then(|rest| rest.split("\r\n").next())
        .expect("a request has a key");
    let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
    let answer = match answer.windows(8).position(|window| window == b"{accept}") {
        Some(at) => [&answer[..at], accept.as_bytes(), &answer[at + 8..]].concat(),
        None => answer.to_vec(),
    };
    let mut at = 0;
    for piece in pieces(&answer, cut) {
        match handshake.receive(piece) {
            Ok(None) => at += piece.len(),
            Ok(Some((used, response))) => {
                assert!(used <= piece.len() && response.status == 101);
                assert!(
                    response
                        .subprotocol
                        .as_deref()
                        .is_none_or(|name| spec.subprotocols.iter().any(|asked| asked == name))
                );
                assert!(response.deflate.is_none() || spec.deflate.is_some());
                return (true, answer.len() - at - used, 101, Cause::None);
            }
            Err(refused) => {
                assert!(!refused.failure.message.is_empty());
                return (false, 0, refused.status, refused.failure.cause);
            }
        }
    }
    let refused = handshake.receive_eof();
    (false, 0, refused.status, refused.failure.cause)
}

pub fn extension(data: &[u8]) {
    let Ok(value) = std::str::from_utf8(data) else { return };
    if let Ok((name, value)) = check_header(value) {
        assert!(!format!("{name}{value}").contains(['\r', '\n', '\0']), "{name:?}: {value:?}");
    }
    if let Ok(names) = check_subprotocols(value) {
        assert!(!names.iter().any(|name| name.is_empty() || name.contains([',', ' ', '\r', '\n', '\0'])));
    }
    let Ok(header) = http::HeaderValue::from_str(value) else { return };
    let headers = Headers::from_map(&http::HeaderMap::from_iter([(http::header::SEC_WEBSOCKET_EXTENSIONS, header)]));
    // What a server of ours answers, a client of ours that had made a like offer accepts.
    if let Some((params, answer)) = choose_offer(&SETTINGS, &headers) {
        let asked =
            DeflateSettings { server_no_takeover: false, client_no_takeover: false, server_bits: 15, client_bits: 15 };
        let answer = http::HeaderValue::from_str(&answer).expect("an answer is a header");
        let answer = Headers::from_map(&http::HeaderMap::from_iter([(http::header::SEC_WEBSOCKET_EXTENSIONS, answer)]));
        assert_eq!(accept_answer(&asked, &answer), Ok(Some(params)), "{value}");
    }
    if let Ok(Some(params)) = accept_answer(&SETTINGS, &headers) {
        assert!(
            (8..=15).contains(&params.server_bits)
                && params.client_bits <= SETTINGS.client_bits
                && params.client_no_takeover
        );
    }
    assert!(offer(&SETTINGS).starts_with("permessage-deflate"));
}
