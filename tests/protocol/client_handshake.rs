//! The client's opening handshake (RFC 6455 section 4.1) with literal bytes: whole, cut in two at every position, and
//! byte by byte.

use tungstenite::handshake::derive_accept_key;
use wspeer::internals::protocol::{ClientHandshake, RequestSpec};
use wspeer::internals::status::{Cause, Phase};

/// How an opening handshake ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// The agreed subprotocol, and the bytes left for the frame decoder.
    Open(Option<String>, Vec<u8>),
    /// Cause, status, body.
    Refused(Cause, u16, Vec<u8>),
    /// More bytes are needed.
    Waits,
}
use Outcome::*;

const MAX_HEADER: usize = 4_096;

fn spec(subprotocols: &[&str]) -> RequestSpec {
    RequestSpec {
        host: "example.com:9080".to_owned(),
        target: "/chat?room=1".to_owned(),
        headers: Vec::new(),
        subprotocols: subprotocols.iter().map(|name| (*name).to_owned()).collect(),
        deflate: None,
        max_header_bytes: MAX_HEADER,
        channel: None,
    }
}

fn key_of(request: &[u8]) -> String {
    let request = std::str::from_utf8(request).unwrap();
    request.split("Sec-WebSocket-Key: ").nth(1).unwrap().split("\r\n").next().unwrap().to_owned()
}

/// Runs one handshake. `{accept}` in `answer` is replaced by the right Sec-WebSocket-Accept, and `cut` splits the
/// result into pieces. With `end`, the stream ends after it.
fn run(spec: &RequestSpec, answer: &[u8], end: bool, cut: impl Fn(&[u8]) -> Vec<&[u8]>) -> Outcome {
    let (mut handshake, request) = ClientHandshake::start(spec);
    let accept = derive_accept_key(key_of(&request).as_bytes());
    let place = answer.windows(8).position(|window| window == b"{accept}");
    let answer = match place {
        Some(at) => [&answer[..at], accept.as_bytes(), &answer[at + 8..]].concat(),
        None => answer.to_vec(),
    };
    let mut at = 0;
    for piece in cut(&answer) {
        match handshake.receive(piece) {
            Ok(None) => at += piece.len(),
            Ok(Some((used, response))) => {
                assert_eq!(response.status, 101);
                return Open(response.subprotocol, answer[at + used..].to_vec());
            }
            Err(refused) => return told(*refused),
        }
    }
    if end { told(*handshake.receive_eof()) } else { Waits }
}

fn told(refused: wspeer::internals::protocol::Refused) -> Outcome {
    assert_eq!(refused.failure.phase, Phase::Http);
    assert!(!refused.failure.message.is_empty());
    Refused(refused.failure.cause, refused.status, refused.body)
}

/// The outcome of the whole response; every cut must give the same.
fn outcome(spec: &RequestSpec, answer: &[u8], end: bool) -> Outcome {
    let whole = run(spec, answer, end, |bytes| vec![bytes]);
    // The real Sec-WebSocket-Accept is 20 characters longer than the placeholder.
    let longest = answer.len() + 20;
    for cut in (0..longest).step_by(1 + longest / 500) {
        let in_two = run(spec, answer, end, |bytes| {
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            vec![first, second]
        });
        assert_eq!(in_two, whole, "cut at {cut}");
    }
    assert_eq!(run(spec, answer, end, |bytes| bytes.chunks(1).collect()), whole, "byte by byte");
    whole
}

/// A 101 response with these header lines.
fn answer(lines: &[&str]) -> Vec<u8> {
    let mut text = "HTTP/1.1 101 Switching Protocols\r\n".to_owned();
    for line in lines {
        text += line;
        text += "\r\n";
    }
    (text + "\r\n").into_bytes()
}

const UPGRADE: &str = "Upgrade: websocket";
const CONNECTION: &str = "Connection: Upgrade";
const ACCEPT: &str = "Sec-WebSocket-Accept: {accept}";

fn to(spec: &RequestSpec, lines: &[&str]) -> Outcome {
    outcome(spec, &answer(lines), false)
}

fn opens() -> Outcome {
    Open(None, Vec::new())
}

fn invalid() -> Outcome {
    Refused(Cause::HttpInvalid, 101, Vec::new())
}

mod request {
    use super::*;

    #[test]
    fn the_request_is_exactly_these_bytes() {
        let (_, request) = ClientHandshake::start(&spec(&[]));
        let key = key_of(&request);
        let expected = format!(
            "GET /chat?room=1 HTTP/1.1\r\nHost: example.com:9080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        assert_eq!(String::from_utf8(request).unwrap(), expected);
    }

    #[test]
    fn the_request_lists_subprotocols_in_order_and_custom_headers() {
        let mut spec = spec(&["v2.game", "v1.game"]);
        spec.headers = vec![
            ("Origin".to_owned(), "https://a.example".to_owned()),
            ("hOST".to_owned(), "other.example".to_owned()),
        ];
        let (_, request) = ClientHandshake::start(&spec);
        let key = key_of(&request);
        let expected = format!(
            "GET /chat?room=1 HTTP/1.1\r\nHost: other.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: v2.game, v1.game\r\nOrigin: https://a.example\r\n\r\n"
        );
        assert_eq!(String::from_utf8(request).unwrap(), expected, "a Host of the host's replaces ours and stands once");
    }

    #[test]
    fn each_request_has_a_new_key_of_16_bytes() {
        let keys: std::collections::HashSet<String> =
            (0..200).map(|_| key_of(&ClientHandshake::start(&spec(&[])).1)).collect();
        assert_eq!(keys.len(), 200);
        assert!(keys.iter().all(|key| key.len() == 24 && key.ends_with("==")));
    }
}

mod upgrade_response {
    use super::*;

    #[test]
    fn a_valid_101_response_opens_the_connection() {
        assert_eq!(to(&spec(&[]), &[UPGRADE, CONNECTION, ACCEPT]), opens());
    }

    #[test]
    fn header_names_and_tokens_match_in_any_case_within_lists() {
        for connection in [
            "Connection: upgrade",
            "CONNECTION: UPGRADE",
            "connection: keep-alive, Upgrade",
            "Connection:Upgrade ,keep-alive",
            "Connection: ,Upgrade,",
        ] {
            assert_eq!(
                to(&spec(&[]), &["UPGRADE: WebSocket", connection, "sec-websocket-accept:   {accept} "]),
                opens(),
                "{connection}"
            );
        }
        assert_eq!(
            to(&spec(&[]), &["Connection: keep-alive", ACCEPT, "Connection: Upgrade", UPGRADE]),
            opens(),
            "in two headers"
        );
    }

    #[test]
    fn bytes_after_the_head_are_left_for_the_frame_decoder() {
        let bytes = [answer(&[UPGRADE, CONNECTION, ACCEPT]), b"\x81\x05Hello\x88\x02\x03".to_vec()].concat();
        assert_eq!(
            run(&spec(&[]), &bytes, false, |bytes| vec![bytes]),
            Open(None, b"\x81\x05Hello\x88\x02\x03".to_vec())
        );
        assert_eq!(outcome(&spec(&[]), &bytes, false), Open(None, b"\x81\x05Hello\x88\x02\x03".to_vec()));
    }

    #[test]
    fn a_blank_line_in_the_first_frame_is_not_part_of_the_head() {
        let bytes = [answer(&[UPGRADE, CONNECTION, ACCEPT]), b"\x81\x04\r\n\r\n".to_vec()].concat();
        assert_eq!(outcome(&spec(&[]), &bytes, false), Open(None, b"\x81\x04\r\n\r\n".to_vec()));
    }

    #[test]
    fn response_headers_are_readable_by_name_and_index() {
        let (mut handshake, request) = ClientHandshake::start(&spec(&[]));
        let accept = format!("Sec-WebSocket-Accept: {}", derive_accept_key(key_of(&request).as_bytes()));
        let bytes = answer(&[UPGRADE, CONNECTION, &accept, "Set-Cookie: a=1", "X-Two:  two words ", "Set-Cookie: b=2"]);
        let (used, response) = handshake.receive(&bytes).unwrap().unwrap();
        assert_eq!(used, bytes.len());
        assert_eq!(response.headers.get("set-cookie", 0), Some("a=1"));
        assert_eq!(response.headers.get("SET-COOKIE", 1), Some("b=2"));
        assert_eq!(response.headers.get("set-cookie", 2), None);
        assert_eq!(response.headers.get("x-two", 0), Some("two words"));
    }

    #[test]
    fn an_incomplete_head_waits_for_more_bytes() {
        let whole = answer(&[UPGRADE, CONNECTION, ACCEPT]);
        for len in 0..whole.len() {
            assert_eq!(run(&spec(&[]), &whole[..len], false, |bytes| vec![bytes]), Waits, "{len} bytes");
        }
    }
}

mod invalid_response {
    use super::*;

    #[test]
    fn each_header_must_be_present_and_valid() {
        for lines in [
            [CONNECTION, ACCEPT].as_slice(),
            &[UPGRADE, ACCEPT],
            &["Upgrade: h2c, websocket", CONNECTION, ACCEPT],
            &[UPGRADE, UPGRADE, CONNECTION, ACCEPT],
            &[UPGRADE, CONNECTION, ACCEPT, ACCEPT],
            &[UPGRADE, CONNECTION],
            &["Upgrade: h2c", CONNECTION, ACCEPT],
            &[UPGRADE, "Connection: close", ACCEPT],
            &[UPGRADE, "Connection: keep-alive, Upgraded", ACCEPT],
            &[UPGRADE, CONNECTION, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="],
            &[UPGRADE, CONNECTION, "Sec-WebSocket-Accept:"],
            &[UPGRADE, CONNECTION, "Sec-WebSocket-Accept: {accept}x"],
            &[UPGRADE, CONNECTION, ACCEPT, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="],
            &[UPGRADE, CONNECTION, ACCEPT, "Sec-WebSocket-Extensions: permessage-deflate"],
        ] {
            assert_eq!(to(&spec(&[]), lines), invalid(), "{lines:?}");
        }
    }

    #[test]
    fn subprotocol_negotiation_is_strict() {
        let chosen = |name: &str| format!("Sec-WebSocket-Protocol: {name}");
        let with = |offered: &[&str], more: &[&str]| {
            to(&spec(offered), &[[UPGRADE, CONNECTION, ACCEPT].as_slice(), more].concat())
        };
        assert_eq!(with(&["a", "b"], &[&chosen("b")]), Open(Some("b".to_owned()), Vec::new()));
        let refused = Refused(Cause::Subprotocol, 101, Vec::new());
        assert_eq!(with(&["a", "b"], &[]), refused, "offered and none chosen");
        assert_eq!(with(&["a", "b"], &[&chosen("")]), refused, "offered and an empty one chosen");
        assert_eq!(with(&[], &[&chosen("a")]), refused, "none offered and one chosen");
        assert_eq!(with(&["a", "b"], &[&chosen("c")]), refused, "another one");
        assert_eq!(with(&["a", "b"], &[&chosen("A")]), refused, "they differ by case");
        assert_eq!(with(&["a", "b"], &[&chosen("a, b")]), refused, "two");
        assert_eq!(with(&["a", "b"], &[&chosen("a"), &chosen("b")]), refused, "two in two headers");
    }

    #[test]
    fn non_http_responses_are_refused() {
        let refused = Refused(Cause::HttpInvalid, 0, Vec::new());
        for bytes in [
            b"SSH-2.0-OpenSSH_9.6\r\n\r\n".as_slice(),
            b"HTTP/1.1 101\x00Switching\r\n\r\n",
            b"HTTP/1.1 abc Bad\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade : websocket\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\n A: b\r\n\r\n",
            b"HTTP/1.1 099 Low\r\n\r\n",
        ] {
            assert_eq!(outcome(&spec(&[]), bytes, false), refused, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn informational_responses_are_skipped() {
        let early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
        let whole = [early.as_slice(), &answer(&[UPGRADE, CONNECTION, ACCEPT]), b"\x81\x00"].concat();
        assert_eq!(outcome(&spec(&[]), &whole, false), Open(None, b"\x81\x00".to_vec()));
        let refusal = [early.as_slice(), b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"].concat();
        assert_eq!(outcome(&spec(&[]), &refusal, false), Refused(Cause::HttpStatus, 403, b"no".to_vec()));
        // They count towards the header limit, so their number is bounded.
        assert_eq!(
            outcome(&spec(&[]), &b"HTTP/1.1 100 Continue\r\n\r\n".repeat(MAX_HEADER / 20), false),
            Refused(Cause::HttpTooBig, 0, Vec::new())
        );
    }

    #[test]
    fn a_response_head_is_limited_to_max_header_bytes() {
        let of_length = |len: usize| {
            // The real Sec-WebSocket-Accept has 28 characters, the placeholder 8.
            let bare = answer(&[UPGRADE, CONNECTION, ACCEPT, "X: "]).len() + 20;
            answer(&[UPGRADE, CONNECTION, ACCEPT, &format!("X: {}", "x".repeat(len - bare))])
        };
        assert_eq!(outcome(&spec(&[]), &of_length(MAX_HEADER), false), opens());
        let refused = Refused(Cause::HttpTooBig, 0, Vec::new());
        assert_eq!(outcome(&spec(&[]), &of_length(MAX_HEADER + 1), false), refused);
        let endless = [b"HTTP/1.1 101 Switching Protocols\r\nX: ".as_slice(), &[b'x'; MAX_HEADER]].concat();
        assert_eq!(outcome(&spec(&[]), &endless, false), refused, "a header that does not end");
    }

    #[test]
    fn too_many_headers_are_refused() {
        let many: Vec<String> = (0..200).map(|index| format!("X-{index}: 1")).collect();
        let lines: Vec<&str> =
            [UPGRADE, CONNECTION, ACCEPT].into_iter().chain(many.iter().map(String::as_str)).collect();
        assert_eq!(to(&spec(&[]), &lines), Refused(Cause::HttpInvalid, 0, Vec::new()));
    }

    #[test]
    fn an_early_end_of_stream_reports_how_much_arrived() {
        let gone = Refused(Cause::PeerGone, 0, Vec::new());
        assert_eq!(outcome(&spec(&[]), b"", true), gone);
        assert_eq!(outcome(&spec(&[]), b"HTTP/1.1 101 Swi", true), gone);
        let (mut handshake, _) = ClientHandshake::start(&spec(&[]));
        assert!(handshake.receive_eof().failure.message.contains("without an answer"));
        assert!(matches!(handshake.receive(b"HTTP"), Ok(None)));
        assert!(handshake.receive_eof().failure.message.contains("in the middle"));
    }
}

/// Responses with another status than 101, whose body is the reason.
mod refusal {
    use super::*;

    fn refused(status: u16, body: &[u8]) -> Outcome {
        Refused(Cause::HttpStatus, status, body.to_vec())
    }

    #[test]
    fn a_body_is_kept_up_to_its_content_length() {
        assert_eq!(
            outcome(&spec(&[]), b"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nbanned", false),
            refused(403, b"banned")
        );
        assert_eq!(
            outcome(&spec(&[]), b"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nbannedHTTP/1.1 200", false),
            refused(403, b"banned")
        );
        assert_eq!(
            outcome(&spec(&[]), b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", false),
            refused(404, b"")
        );
    }

    #[test]
    fn an_incomplete_body_is_awaited_until_end_of_stream() {
        let bytes = b"HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nfull";
        assert_eq!(outcome(&spec(&[]), bytes, false), Waits);
        assert_eq!(outcome(&spec(&[]), bytes, true), refused(503, b"full"));
    }

    #[test]
    fn a_body_without_a_length_ends_with_the_stream() {
        let bytes = b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n<html>";
        assert_eq!(outcome(&spec(&[]), bytes, false), Waits);
        assert_eq!(outcome(&spec(&[]), bytes, true), refused(200, b"<html>"));
    }

    #[test]
    fn only_the_first_kib_of_a_body_is_kept() {
        let long = [b"HTTP/1.1 500 Oops\r\nContent-Length: 1000000\r\n\r\n".as_slice(), &[b'x'; 2_000]].concat();
        assert_eq!(outcome(&spec(&[]), &long, false), refused(500, &[b'x'; 1_024]));
        let unbounded = [b"HTTP/1.1 500 Oops\r\n\r\n".as_slice(), &[b'x'; 1_024]].concat();
        assert_eq!(outcome(&spec(&[]), &unbounded, false), refused(500, &[b'x'; 1_024]));
    }

    #[test]
    fn a_status_without_a_body_is_reported_at_once() {
        for status in [204, 304] {
            assert_eq!(
                outcome(&spec(&[]), format!("HTTP/1.1 {status} x\r\n\r\n").as_bytes(), false),
                refused(status, b"")
            );
        }
    }

    #[test]
    fn an_invalid_content_length_is_ignored() {
        for length in ["-1", "abc", "18446744073709551616"] {
            let bytes = format!("HTTP/1.1 400 Bad\r\nContent-Length: {length}\r\n\r\nwhy");
            assert_eq!(outcome(&spec(&[]), bytes.as_bytes(), true), refused(400, b"why"), "{length}");
        }
    }

    #[test]
    fn the_error_message_names_the_status_and_a_remedy() {
        for (status, hint) in [(301, "wss://b.example/"), (401, "credentials"), (404, "check the URL"), (503, "later")]
        {
            let (mut handshake, _) = ClientHandshake::start(&spec(&[]));
            let bytes = format!("HTTP/1.1 {status} x\r\nLocation: https://b.example/\r\nContent-Length: 0\r\n\r\n");
            let sentence = handshake.receive(bytes.as_bytes()).unwrap_err().failure.message;
            assert!(sentence.contains(&status.to_string()) && sentence.contains(hint), "{sentence}");
        }
    }

    #[test]
    fn each_status_has_its_hint() {
        for (status, offered, hint) in [
            (300, &[][..], "it points elsewhere"),
            (400, &[], "or wants a subprotocol"),
            (400, &["v1.game"], "knows none of the subprotocols"),
            (401, &[], "it requires authentication"),
            (403, &[], "credentials and Origin"),
            (404, &[], "nothing is served at this path"),
            (407, &[], "it requires authentication"),
            (418, &[], "it may not be a WebSocket server"),
            (426, &[], "proxy_http_version 1.1"),
            (429, &[], "try again later"),
            (500, &[], "has failed"),
            (503, &[], "try again later"),
            (599, &[], "has failed"),
        ] {
            let (mut handshake, _) = ClientHandshake::start(&spec(offered));
            let bytes = format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n");
            let sentence = handshake.receive(bytes.as_bytes()).unwrap_err().failure.message;
            assert!(sentence.contains(hint), "{status}, {offered:?}: {sentence}");
        }
    }

    #[test]
    fn a_body_in_chunks_ends_with_the_last_chunk() {
        let head = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice();
        let body = b"7\r\nnothing\r\n5\r\n here\r\n0\r\n\r\n".as_slice();
        let all = refused(404, b"nothing here");
        assert_eq!(outcome(&spec(&[]), &[head, body].concat(), false), all, "reported before the connection ends");
        assert_eq!(outcome(&spec(&[]), &[head, body, b"HTTP/1.1 200"].concat(), false), all);
        assert_eq!(outcome(&spec(&[]), &[head, b"0\r\n\r\n"].concat(), false), refused(404, b""));
        assert_eq!(outcome(&spec(&[]), &[head, b"7\r\nnothing\r\n5\r\n he"].concat(), false), Waits);
        assert_eq!(
            outcome(&spec(&[]), &[head, b"7\r\nnothing\r\n5\r\n he"].concat(), true),
            refused(404, b"nothing he")
        );
    }

    #[test]
    fn a_partial_response_can_be_given_up() {
        let (mut handshake, _) = ClientHandshake::start(&spec(&[]));
        assert!(handshake.give_up().is_none() && !handshake.is_refused());
        assert!(matches!(
            handshake.receive(b"HTTP/1.1 404 Not Found\r\nX: y\r\nContent-Length: 9\r\n\r\nnoth"),
            Ok(None)
        ));
        assert!(handshake.is_refused());
        let refused = handshake.give_up().unwrap();
        assert_eq!(
            (refused.status, refused.headers.get("x", 0), refused.body.as_slice()),
            (404, Some("y"), b"noth".as_slice())
        );
    }
}

/// Responses of real servers and proxies that are not quite HTTP/1.1, or not HTTP at all.
mod other_responses {
    use super::*;

    fn sentence(bytes: &[u8]) -> String {
        ClientHandshake::start(&spec(&[])).0.receive(bytes).unwrap_err().failure.message
    }

    #[test]
    fn an_http_1_0_response_keeps_status_headers_and_body() {
        // From Python's http.server, and an error file of HAProxy.
        let python =
            b"HTTP/1.0 404 File not found\r\nServer: SimpleHTTP/0.6 Python/3.12\r\nContent-Length: 4\r\n\r\nlost"
                .as_slice();
        let haproxy = b"HTTP/1.0 503 Service Unavailable\r\nCache-Control: no-cache\r\nConnection: close\r\n\r\n<html>"
            .as_slice();
        assert_eq!(outcome(&spec(&[]), python, false), Refused(Cause::HttpStatus, 404, b"lost".to_vec()));
        assert_eq!(outcome(&spec(&[]), haproxy, true), Refused(Cause::HttpStatus, 503, b"<html>".to_vec()));
        let refused = ClientHandshake::start(&spec(&[])).0.receive(python).unwrap_err();
        assert_eq!(refused.headers.get("server", 0), Some("SimpleHTTP/0.6 Python/3.12"));
    }

    #[test]
    fn a_101_in_http_1_0_has_a_separate_error_message() {
        let bytes = b"HTTP/1.0 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n";
        assert_eq!(outcome(&spec(&[]), bytes, false), invalid());
        assert!(sentence(bytes).contains("101 in HTTP/1.0"), "{}", sentence(bytes));
    }

    #[test]
    fn bytes_that_cannot_begin_http_fail_at_once_and_are_quoted() {
        for (bytes, shown) in [
            (b"SSH-2.0-OpenSSH_9.6p1 Debian-3\r\n".as_slice(), r#""SSH-2.0-OpenSSH_9.6p1 Debian-3\r\n""#),
            (b"220 mail.example ESMTP\r\n", r#""220 mail.example ESMTP\r\n""#),
            (b"-ERR wrong number of arguments\r\n", r#""-ERR wrong number of arguments\r\n""#),
            (b"\0\0\x12\x04\0\0\0\0\0", r#""\x00\x00\x12\x04\x00\x00\x00\x00\x00""#),
            (b"HTTP/2 200\r\n", r#""HTTP/2 200\r\n""#),
            (b"\r\n\r\nhello", r#""hello""#),
            (b"\x15\x03\x01\0\x02\x02\x46", r#""\x15\x03\x01\x00\x02\x02F""#),
        ] {
            assert_eq!(outcome(&spec(&[]), bytes, false), Refused(Cause::HttpInvalid, 0, Vec::new()), "{shown}");
            assert!(sentence(bytes).contains(shown), "{}", sentence(bytes));
        }
        let long = sentence(&[b'x'; 500]);
        assert!(long.contains(&"x".repeat(32)) && !long.contains(&"x".repeat(33)), "{long}");
        for len in 0..=8 {
            assert_eq!(run(&spec(&[]), &b"HTTP/1.1"[..len], false, |bytes| vec![bytes]), Waits);
        }
    }

    #[test]
    fn quoted_bytes_stop_before_an_echo_of_the_request() {
        let mut spec = spec(&["marked.subprotocol"]);
        spec.target = "/chat?token=marked".to_owned();
        spec.headers =
            vec![("Authorization".to_owned(), "Bearer marked".to_owned()), ("X".to_owned(), "second".to_owned())];
        for (answer, shown) in [
            // The three bytes before the question mark are hidden too, because they mark the start of the query.
            ("GET /chat?token=marked HTTP/1.1", "GET /c"),
            ("GET /chat HTTP/1.1", "GET /chat HTTP/1.1"),
            ("ECHO Bearer marked", "ECHO "),
            ("ECHO Bea", "ECHO Bea"),
            ("ECHO Bear", "ECHO "),
            ("my second one", "my "),
            ("you said:marked.subprotocol", "you said:"),
        ] {
            let sentence = ClientHandshake::start(&spec).0.receive(answer.as_bytes()).unwrap_err().failure.message;
            assert!(sentence.contains(&format!("it begins with \"{shown}\":")), "{answer}: {sentence}");
        }
    }

    #[test]
    fn lines_may_end_in_lf_alone() {
        let text = String::from_utf8(answer(&[UPGRADE, CONNECTION, ACCEPT])).unwrap();
        for mixed in [
            text.replace("\r\n", "\n"),
            text.replacen("\r\n", "\n", 1),
            text.replace("\r\n\r\n", "\n\r\n"),
            text.replace("\r\n\r\n", "\r\n\n"),
        ] {
            let bytes = [mixed.as_bytes(), b"\x81\x02\n\n"].concat();
            assert_eq!(outcome(&spec(&[]), &bytes, false), Open(None, b"\x81\x02\n\n".to_vec()), "{mixed:?}");
        }
        assert_eq!(
            outcome(&spec(&[]), b"HTTP/1.1 403 No\nContent-Length: 2\n\nno", false),
            Refused(Cause::HttpStatus, 403, b"no".to_vec())
        );
    }

    #[test]
    fn folded_lines_are_unfolded() {
        let lines =
            [UPGRADE, "Connection: keep-alive,\r\n\tUpgrade", "Sec-WebSocket-Accept:\r\n  {accept}", "X: a\r\n b\n c"];
        assert_eq!(to(&spec(&[]), &lines), opens());
        let (mut handshake, _) = ClientHandshake::start(&spec(&[]));
        let refused = handshake.receive(b"HTTP/1.1 403 No\r\nX: a\r\n  b\r\nContent-Length: 0\r\n\r\n").unwrap_err();
        assert_eq!(refused.headers.get("x", 0), Some("a    b"));
    }

    #[test]
    fn conflicting_content_lengths_are_ignored() {
        let with = |lengths: &str| format!("HTTP/1.1 403 No\r\n{lengths}\r\nabcdef").into_bytes();
        let body = |body: &[u8]| Refused(Cause::HttpStatus, 403, body.to_vec());
        assert_eq!(outcome(&spec(&[]), &with("Content-Length: 2\r\nContent-Length: 2\r\n"), false), body(b"ab"));
        assert_eq!(outcome(&spec(&[]), &with("Content-Length: 2\r\nContent-Length: 4\r\n"), true), body(b"abcdef"));
        assert_eq!(outcome(&spec(&[]), &with("Content-Length: 2, 4\r\n"), true), body(b"abcdef"));
        assert_eq!(outcome(&spec(&[]), &with("Content-Length: +2\r\n"), true), body(b"abcdef"));
    }

    #[test]
    fn a_redirect_reports_only_scheme_host_and_path() {
        for (location, shown) in [
            (
                "https://user:s3cret@b.example:8443/a/b?s3cret#s3cret",
                "points to wss://b.example:8443/a/b: connect there",
            ),
            ("http://b.example?s3cret", "points to ws://b.example/: connect"),
            ("ws://[::1]:9/x?s3cret", "points to ws://[::1]:9/x: connect"),
            ("/login?s3cret", "points to /login on the same server: connect"),
            ("//s3cret:s3cret@b.example/p?s3cret", "points to b.example/p with the same scheme: connect"),
            ("mailto:s3cret@b.example", "points elsewhere"),
            ("https://s3cret@:99999/?s3cret", "points elsewhere"),
        ] {
            let told =
                sentence(format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n").as_bytes());
            assert!(told.contains(shown) && !told.contains("s3cret"), "{location}: {told}");
        }
    }

    #[test]
    fn error_messages_name_no_subprotocol() {
        // Some programs pass a token as a subprotocol.
        let offered = spec(&["v1.game", "s3cret"]);
        for chosen in [None, Some("S3CRET"), Some("s3cret, v1.game"), Some("s3cret-2")] {
            let (mut handshake, request) = ClientHandshake::start(&offered);
            let accept = format!("Sec-WebSocket-Accept: {}", derive_accept_key(key_of(&request).as_bytes()));
            let chosen = chosen.map(|name| format!("Sec-WebSocket-Protocol: {name}"));
            let lines: Vec<&str> = [UPGRADE, CONNECTION, &accept].into_iter().chain(chosen.as_deref()).collect();
            let failure = handshake.receive(&answer(&lines)).unwrap_err().failure;
            assert_eq!(failure.cause, Cause::Subprotocol);
            assert!(
                !failure.message.to_lowercase().contains("s3cret") && failure.message.contains("subprotocol"),
                "{}",
                failure.message
            );
        }
        let refused = ClientHandshake::start(&offered)
            .0
            .receive(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            .unwrap_err();
        assert!(refused.failure.message.contains("none of the subprotocols offered"), "{}", refused.failure.message);
    }
}
