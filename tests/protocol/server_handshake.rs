//! The server's opening handshake (RFC 6455 section 4.2) with literal bytes: whole, cut in two at every position, and
//! byte by byte.

use wspeer::internals::protocol::{
    Accept, Agreement, Refusal, Request, ServerHandshake, check_header, check_subprotocols,
};
use wspeer::internals::status::Cause;

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// Target, path, query, offered subprotocols, and the bytes left for the frame decoder.
    Valid(String, String, String, Vec<String>, Vec<u8>),
    /// Status and cause.
    Refused(u16, Cause),
    /// More bytes are needed.
    Waits,
}
use Outcome::*;

const MAX_HEADER: usize = 4_096;

fn run(bytes: &[u8], pieces: &[&[u8]]) -> Outcome {
    let mut handshake = ServerHandshake::new(MAX_HEADER);
    let mut at = 0;
    for piece in pieces {
        match handshake.receive(piece) {
            Ok(None) => at += piece.len(),
            Ok(Some((used, request))) => {
                let Request { target, path, query, opening, .. } = request;
                let subprotocols = opening.expect("only such requests are valid").subprotocols;
                return Valid(target, path, query, subprotocols, bytes[at + used..].to_vec());
            }
            Err(refusal) => {
                assert!(!refusal.message.is_empty());
                return Refused(refusal.status, refusal.cause);
            }
        }
    }
    Waits
}

/// The outcome of the whole request; every cut must give the same.
fn outcome(bytes: &[u8]) -> Outcome {
    let whole = run(bytes, &[bytes]);
    for cut in (0..=bytes.len()).step_by(1 + bytes.len() / 500) {
        assert_eq!(run(bytes, &[&bytes[..cut], &bytes[cut..]]), whole, "cut at {cut}");
    }
    let singles: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(run(bytes, &singles), whole, "byte by byte");
    whole
}

const HOST: &str = "Host: server.example.com";
const UPGRADE: &str = "Upgrade: websocket";
const CONNECTION: &str = "Connection: Upgrade";
const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const VERSION: &str = "Sec-WebSocket-Version: 13";
const ALL: [&str; 5] = [HOST, UPGRADE, CONNECTION, KEY, VERSION];

fn request(first: &str, lines: &[&str]) -> Vec<u8> {
    format!("{first}\r\n{}\r\n\r\n", lines.join("\r\n")).into_bytes()
}

fn get(lines: &[&str]) -> Outcome {
    outcome(&request("GET / HTTP/1.1", lines))
}

/// The lines of a valid request, with those in `instead` replacing the lines of the same name.
fn with(instead: &[&str]) -> Vec<String> {
    let name = |line: &str| line.split(':').next().unwrap_or("").to_ascii_lowercase();
    let kept = ALL.iter().filter(|line| !instead.iter().any(|other| name(other) == name(line)));
    kept.chain(instead).map(|line| (*line).to_owned()).collect()
}

fn get_with(instead: &[&str]) -> Outcome {
    let lines = with(instead);
    get(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

fn valid() -> Outcome {
    Valid("/".to_owned(), "/".to_owned(), String::new(), Vec::new(), Vec::new())
}

const INVALID: Outcome = Refused(400, Cause::HttpInvalid);
const NO_UPGRADE: Outcome = Refused(426, Cause::HttpInvalid);
const TOO_BIG: Outcome = Refused(431, Cause::HttpTooBig);

fn parsed(bytes: &[u8]) -> Request {
    ServerHandshake::new(MAX_HEADER).receive(bytes).unwrap().unwrap().1
}

mod valid_request {
    use super::*;

    #[test]
    fn the_example_of_section_1_2_is_accepted() {
        let bytes = b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\n\
            Sec-WebSocket-Version: 13\r\n\r\n";
        let offered = vec!["chat".to_owned(), "superchat".to_owned()];
        assert_eq!(outcome(bytes), Valid("/chat".to_owned(), "/chat".to_owned(), String::new(), offered, Vec::new()));
    }

    #[test]
    fn header_names_and_tokens_match_in_any_case_within_lists() {
        for connection in [
            "Connection: upgrade",
            "CONNECTION: UPGRADE",
            "connection: keep-alive, Upgrade",
            "Connection:Upgrade ,TE",
            "Connection: ,Upgrade,",
        ] {
            assert_eq!(get_with(&["UPGRADE: WebSocket", connection]), valid(), "{connection}");
        }
        assert_eq!(get_with(&["Connection: keep-alive", "Connection: Upgrade"]), valid(), "in two headers");
        assert_eq!(get_with(&["Upgrade: h2c, websocket"]), valid());
        assert_eq!(get_with(&["sec-websocket-KEY:   dGhlIHNhbXBsZSBub25jZQ==  ", "SEC-WEBSOCKET-VERSION:13"]), valid());
    }

    #[test]
    fn path_and_query_are_separated() {
        let of = |target: &str| match outcome(&request(&format!("GET {target} HTTP/1.1"), &ALL)) {
            Valid(target, path, query, ..) => (target, path, query),
            other => panic!("{target}: {other:?}"),
        };
        let strings = |target: &str, path: &str, query: &str| (target.to_owned(), path.to_owned(), query.to_owned());
        assert_eq!(of("/a/b?c=d&e=?"), strings("/a/b?c=d&e=?", "/a/b", "c=d&e=?"));
        assert_eq!(of("/a%20b"), strings("/a%20b", "/a%20b", ""));
        assert_eq!(of("ws://server.example.com/chat?x"), strings("/chat?x", "/chat", "x"), "the absolute form");
        assert_eq!(of("http://server.example.com"), strings("/", "/", ""));
        for target in ["a", "*", "server.example.com:80"] {
            assert_eq!(
                outcome(&request(&format!("GET {target} HTTP/1.1"), &ALL)),
                Refused(400, Cause::HttpInvalid),
                "{target}"
            );
        }
    }

    #[test]
    fn every_printable_character_is_allowed_in_a_target() {
        let printable = (0x21_u8..0x7F).map(char::from).filter(|char| !matches!(char, '#' | '?'));
        for char in printable.chain("é\u{1F3AE}".chars()) {
            for (path, query) in [
                (format!("/{char}"), String::new()),
                (format!("/{char}room"), format!("{char}")),
                ("/".to_owned(), format!("t={char}x")),
            ] {
                let target = if query.is_empty() { path.clone() } else { format!("{path}?{query}") };
                let bytes = request(&format!("GET {target} HTTP/1.1"), &ALL);
                let valid = Valid(target.clone(), path, query, Vec::new(), Vec::new());
                assert_eq!(run(&bytes, &[&bytes]), valid, "{target}");
                assert_eq!(run(&bytes, &bytes.chunks(1).collect::<Vec<_>>()), valid, "{target}");
            }
        }
        let of = |target: &str| outcome(&request(&format!("GET {target} HTTP/1.1"), &ALL));
        for target in ["/?t=x", "/?v=1", "/@room", "/~me", "/a+b", "/a=b", "/\"q\"", "/a//b", "//a"] {
            assert!(matches!(of(target), Valid(told, ..) if told == target), "{target}");
        }
        assert!(matches!(of("/a#b"), Valid(told, ..) if told == "/a"), "a fragment is removed");
    }

    #[test]
    fn lines_may_end_in_lf_and_empty_lines_may_precede_the_request() {
        let text = String::from_utf8(request("GET / HTTP/1.1", &ALL)).unwrap();
        for mixed in [
            text.replace("\r\n", "\n"),
            text.replacen("\r\n", "\n", 2),
            text.replace("\r\n\r\n", "\r\n\n"),
            format!("\r\n\r\n{text}"),
        ] {
            let bytes = [mixed.as_bytes(), b"\x81\n\n"].concat();
            assert_eq!(
                outcome(&bytes),
                Valid("/".to_owned(), "/".to_owned(), String::new(), Vec::new(), b"\x81\n\n".to_vec()),
                "{mixed:?}"
            );
        }
    }

    #[test]
    fn a_pipelined_request_is_left_for_the_frame_decoder() {
        let second = request("GET /admin HTTP/1.1", &ALL);
        let both = [request("GET / HTTP/1.1", &ALL), second.clone()].concat();
        assert_eq!(outcome(&both), Valid("/".to_owned(), "/".to_owned(), String::new(), Vec::new(), second));
    }

    #[test]
    fn bytes_after_the_head_are_left_for_the_frame_decoder() {
        let frames = b"\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58\x82\x84\0\0\0\0\r\n\r\n";
        let bytes = [request("GET / HTTP/1.1", &ALL), frames.to_vec()].concat();
        assert_eq!(outcome(&bytes), Valid("/".to_owned(), "/".to_owned(), String::new(), Vec::new(), frames.to_vec()));
    }

    #[test]
    fn an_incomplete_head_waits_for_more_bytes() {
        let whole = request("GET / HTTP/1.1", &ALL);
        for len in 0..whole.len() {
            assert_eq!(run(&whole, &[&whole[..len]]), Waits, "{len} bytes");
        }
    }

    #[test]
    fn subprotocols_of_several_headers_form_one_list() {
        let request = parsed(&request(
            "GET / HTTP/1.1",
            &[ALL.as_slice(), &["Sec-WebSocket-Protocol: a , b", "sec-websocket-protocol:c,,"]].concat(),
        ));
        assert_eq!(request.opening.unwrap().subprotocols, ["a", "b", "c"]);
    }

    #[test]
    fn a_content_length_of_0_is_accepted() {
        assert_eq!(get_with(&["Content-Length: 0"]), valid());
    }
}

mod invalid_request {
    use super::*;

    #[test]
    fn each_header_must_be_present() {
        for (missing, refused) in
            [(HOST, INVALID), (UPGRADE, NO_UPGRADE), (CONNECTION, NO_UPGRADE), (KEY, INVALID), (VERSION, NO_UPGRADE)]
        {
            let lines: Vec<&str> = ALL.into_iter().filter(|line| *line != missing).collect();
            assert_eq!(get(&lines), refused, "without {missing}");
        }
    }

    #[test]
    fn each_header_must_be_valid() {
        for (line, refused) in [
            ("Upgrade: h2c", NO_UPGRADE),
            ("Upgrade: websockets", NO_UPGRADE),
            ("Connection: close", NO_UPGRADE),
            ("Connection: keep-alive, Upgraded", NO_UPGRADE),
            ("Sec-WebSocket-Version: 12", NO_UPGRADE),
            ("Sec-WebSocket-Version: 8, 13", NO_UPGRADE),
            ("Sec-WebSocket-Version: 013", NO_UPGRADE),
            ("Sec-WebSocket-Key:", INVALID),
            ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ", INVALID), // no padding
            ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWU=", INVALID), // 17 bytes
            ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub24=", INVALID),   // 14 bytes
            ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==", INVALID),
        ] {
            assert_eq!(get_with(&[line]), refused, "{line}");
        }
    }

    #[test]
    fn duplicate_singleton_headers_are_refused() {
        assert_eq!(get_with(&[HOST, "Host: other.example.com"]), INVALID);
        assert_eq!(get_with(&[KEY, KEY]), INVALID);
        assert_eq!(get_with(&[VERSION, VERSION]), INVALID);
        assert_eq!(get_with(&[VERSION, "Sec-WebSocket-Version: 8"]), INVALID);
        assert_eq!(get_with(&["Content-Length: 0", "Content-Length: 5"]), INVALID);
        assert_eq!(get_with(&["Content-Length: 0", "Content-Length: 0"]), INVALID);
        for host in ["Host: a.example, b.example", "Host: a b", "Host: user:secret@a.example", "Host: a/b", "Host: a?b"]
        {
            assert_eq!(get_with(&[host]), INVALID, "{host}");
        }
    }

    #[test]
    fn only_get_with_http_1_1_is_accepted() {
        let method = Refused(405, Cause::HttpInvalid);
        for other in ["POST", "HEAD", "OPTIONS", "CONNECT", "get"] {
            assert_eq!(outcome(&request(&format!("{other} / HTTP/1.1"), &ALL)), method, "{other}");
        }
        for first in ["GET / HTTP/1.0", "GET / HTTP/2.0", "GET /", "GET  HTTP/1.1", "GET / / HTTP/1.1"] {
            assert_eq!(outcome(&request(first, &ALL)), INVALID, "{first}");
        }
    }

    #[test]
    fn a_request_with_a_body_is_refused() {
        assert_eq!(get_with(&["Content-Length: 5"]), INVALID);
        assert_eq!(get_with(&["Transfer-Encoding: chunked"]), INVALID);
    }

    #[test]
    fn request_smuggling_lines_are_refused() {
        for line in ["Upgrade : websocket", "X: a\r\n folded: b", "X: a\rb", "X: a\0b", "X\0: a", ": a", "no colon"] {
            assert_eq!(get_with(&[line]), INVALID, "{line:?}");
        }
    }

    #[test]
    fn non_http_requests_are_refused_by_their_first_bytes() {
        // A TLS ClientHello, whose sender would wait for an answer forever.
        assert_eq!(outcome(b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03"), INVALID);
        assert_eq!(outcome(b"\x16"), INVALID);
        assert_eq!(outcome(b"PRI * HTTP/2.0"), INVALID);
        assert_eq!(outcome(b"SSH-2.0-OpenSSH_9.6\r\n"), INVALID);
        assert_eq!(outcome(b"EHLO example\r\n"), INVALID);
        assert_eq!(outcome(b"GET /\r\n"), INVALID);
        assert_eq!(outcome(b"GET /\x1B"), INVALID);
        assert_eq!(outcome(b"{\"json\""), INVALID);
        assert_eq!(outcome(b"\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58"), INVALID);
    }

    #[test]
    fn a_request_head_is_limited_to_max_header_bytes() {
        let bare = request("GET / HTTP/1.1", &[ALL.as_slice(), &["X: "]].concat()).len();
        let of_length = |len: usize| {
            request("GET / HTTP/1.1", &[ALL.as_slice(), &[format!("X: {}", "x".repeat(len - bare)).as_str()]].concat())
        };
        assert_eq!(outcome(&of_length(MAX_HEADER)), valid());
        assert_eq!(outcome(&of_length(MAX_HEADER + 1)), TOO_BIG);
        let endless = [b"GET / HTTP/1.1\r\nX: ".as_slice(), &[b'x'; MAX_HEADER]].concat();
        assert_eq!(outcome(&endless), TOO_BIG, "a header that does not end");
        // Frames after the request do not count.
        let pipelined = [request("GET / HTTP/1.1", &ALL), vec![b'x'; 2 * MAX_HEADER]].concat();
        assert_eq!(
            run(&pipelined, &[&pipelined]),
            Valid("/".to_owned(), "/".to_owned(), String::new(), Vec::new(), vec![b'x'; 2 * MAX_HEADER])
        );
    }

    #[test]
    fn too_many_headers_are_refused() {
        let many: Vec<String> = (0..200).map(|index| format!("X-{index}: 1")).collect();
        let lines: Vec<&str> = ALL.into_iter().chain(many.iter().map(String::as_str)).collect();
        assert_eq!(get(&lines), TOO_BIG);
    }
}

mod response {
    use super::*;

    fn known(subprotocols: &[&str]) -> Accept {
        Accept { subprotocols: subprotocols.iter().map(|name| (*name).to_owned()).collect(), ..Accept::default() }
    }

    fn offering(line: &str) -> Request {
        let lines = with(&[line]);
        parsed(&request("GET / HTTP/1.1", &lines.iter().map(String::as_str).collect::<Vec<_>>()))
    }

    #[test]
    fn the_101_response_is_exactly_these_bytes() {
        let Agreement { answer: bytes, subprotocol, .. } =
            Accept::default().answer(&parsed(&request("GET / HTTP/1.1", &ALL))).unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        );
        assert_eq!(subprotocol, None);
    }

    #[test]
    fn the_101_response_has_the_subprotocol_and_custom_headers() {
        let accept = Accept { headers: vec![("Set-Cookie".to_owned(), "a=b".to_owned())], ..known(&["superchat"]) };
        let Agreement { answer: bytes, subprotocol, .. } =
            accept.answer(&offering("Sec-WebSocket-Protocol: chat, superchat")).unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
             Sec-WebSocket-Protocol: superchat\r\nSet-Cookie: a=b\r\n\r\n"
        );
        assert_eq!(subprotocol.as_deref(), Some("superchat"));
    }

    #[test]
    fn subprotocol_negotiation_is_strict() {
        let chosen = |known_ones: &[&str], line: &str| {
            known(known_ones)
                .answer(&offering(line))
                .map(|agreement| agreement.subprotocol)
                .map_err(|refusal| refusal.status)
        };
        let name = |name: &str| Ok(Some(name.to_owned()));
        assert_eq!(
            chosen(&["a", "b"], "Sec-WebSocket-Protocol: b, a"),
            name("b"),
            "the first of the client's list that the server knows"
        );
        assert_eq!(chosen(&["a"], "Sec-WebSocket-Protocol: x, a"), name("a"));
        assert_eq!(chosen(&["a"], "Sec-WebSocket-Protocol: A"), Err(400), "they differ by case");
        assert_eq!(chosen(&["a"], "Sec-WebSocket-Protocol: x"), Err(400));
        assert_eq!(chosen(&["a"], "X: none offered"), Err(400));
        assert_eq!(chosen(&[], "Sec-WebSocket-Protocol: a"), Ok(None), "a server that knows none chooses none");
        let refusal = known(&["a", "b"]).answer(&offering("Sec-WebSocket-Protocol: x")).unwrap_err();
        assert_eq!(refusal.cause, Cause::Subprotocol);
        assert!(refusal.message.ends_with("a, b"), "{}", refusal.message);
    }

    #[test]
    fn another_path_is_answered_with_404() {
        let accept = Accept { path: Some("/game".to_owned()), ..Accept::default() };
        let status = |target: &str| {
            accept
                .answer(&parsed(&request(&format!("GET {target} HTTP/1.1"), &ALL)))
                .map_err(|refusal| refusal.status)
                .err()
        };
        assert_eq!(status("/game"), None);
        assert_eq!(status("/game?token=1"), None, "the query does not affect the path check");
        for other in ["/", "/game/", "/Game", "/games", "/x/../game"] {
            assert_eq!(status(other), Some(404), "{other}");
        }
    }

    #[test]
    fn refusals_are_exactly_these_bytes() {
        let text = |status| String::from_utf8(Refusal::new(status, Cause::HttpStatus, "why").to_bytes()).unwrap();
        assert_eq!(
            text(404),
            "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 4\r\n\r\nwhy\n"
        );
        assert!(text(405).contains("\r\nAllow: GET\r\n"));
        assert!(
            text(426).contains("\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n")
        );
        assert!(text(503).contains("\r\nRetry-After: 5\r\n"));
        assert!(text(599).starts_with("HTTP/1.1 599 Refused\r\n"));
    }

    #[test]
    fn custom_headers_and_subprotocols_cannot_inject_lines() {
        for bad in [
            "X: a\r\nSet-Cookie: b",
            "X: a\nb",
            "X: a\r",
            "X: \0",
            "X\r\nY: b",
            "X: a\x1B[0m",
            "X: \x7F",
            "Sec-WebSocket-Accept: x",
            "Content-Length: 1",
        ] {
            assert!(check_header(bad).is_err(), "{bad:?}");
        }
        for bad in ["a\r\nX: b", "a b", "a\0", "a\tb", "\"a\"", "a\\b", "ä", "a\x7F"] {
            assert!(check_subprotocols(bad).is_err(), "{bad:?}");
        }
        // Not tokens, but in use, and no header can misread them.
        assert_eq!(check_subprotocols("v1/json, graphql:ws,k=v").unwrap(), ["v1/json", "graphql:ws", "k=v"]);
    }

    #[test]
    fn refusals_do_not_echo_the_request() {
        let lines = with(&["Sec-WebSocket-Protocol: evil"]);
        let request =
            parsed(&request("GET /evil?evil HTTP/1.1", &lines.iter().map(String::as_str).collect::<Vec<_>>()));
        for accept in [known(&["a"]), Accept { path: Some("/a".to_owned()), ..Accept::default() }] {
            let bytes = accept.answer(&request).unwrap_err().to_bytes();
            assert!(!String::from_utf8(bytes).unwrap().contains("evil"));
        }
    }
}
