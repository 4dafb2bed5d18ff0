//! What proxies are asked and answer: CONNECT and SOCKS 5, by literal bytes that are cut at every position.

use wspeer::internals::protocol::{Asked, Login, Place, Refused, Site, Tunnel};
use wspeer::internals::status::{Cause, Phase};

const MAX_HEADER: usize = 1_024;

fn place(name: &str) -> Place {
    Place { site: Site::Name(name.to_owned()), port: 443 }
}

fn login() -> Login {
    Login { user: b"Aladdin".to_vec(), password: b"open sesame".to_vec() }
}

fn connect(login: Option<&Login>) -> Tunnel {
    Tunnel::by_connect(&place("game.example"), login, MAX_HEADER).0
}

fn socks(login: Option<&Login>) -> Tunnel {
    Tunnel::by_socks(&place("game.example"), login).0
}

/// What came of an answer: what we sent meanwhile, and the bytes behind the answer or the refusal.
type Outcome = (Vec<u8>, Result<Vec<u8>, (Cause, u16, String, Vec<u8>)>);

fn of_refused(refused: &Refused) -> (Cause, u16, String, Vec<u8>) {
    let Refused { failure, status, body, .. } = refused;
    assert_eq!(failure.phase, Phase::Proxy);
    (failure.cause, *status, failure.message.clone(), body.clone())
}

fn outcome<'a>(mut tunnel: Tunnel, pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let (mut sent, mut behind): (Vec<u8>, Option<Vec<u8>>) = (Vec::new(), None);
    for piece in pieces {
        match &mut behind {
            Some(behind) => behind.extend_from_slice(piece),
            None => match tunnel.receive(piece) {
                Ok(Asked::More(output)) => sent.extend(output),
                Ok(Asked::Open(used)) => behind = Some(piece[used..].to_vec()),
                Err(refused) => return (sent, Err(of_refused(&refused))),
            },
        }
    }
    let ended = |mut tunnel: Tunnel| of_refused(&tunnel.receive_eof());
    (sent, behind.ok_or_else(|| ended(tunnel)))
}

/// The outcome, which is the same however the bytes are cut.
#[track_caller]
fn answered(make: impl Fn() -> Tunnel, bytes: &[u8]) -> Outcome {
    answered_in_turn(make, &[bytes])
}

/// The same for several answers, each of which comes once the one before has been acted on.
#[track_caller]
fn answered_in_turn(make: impl Fn() -> Tunnel, answers: &[&[u8]]) -> Outcome {
    let whole = outcome(make(), answers.iter().copied());
    for (index, answer) in answers.iter().enumerate() {
        for cut in 1..answer.len() {
            let (first, second) = answer.split_at(cut);
            let pieces = answers[..index].iter().copied().chain([first, second]);
            let pieces = pieces.chain(answers[index + 1..].iter().copied());
            assert_eq!(outcome(make(), pieces), whole, "answer {index} cut at {cut}");
        }
    }
    assert_eq!(outcome(make(), answers.iter().flat_map(|answer| answer.chunks(1))), whole, "byte by byte");
    whole
}

fn refusal(outcome: Outcome) -> (Cause, u16, String) {
    let (cause, status, message, _) = outcome.1.unwrap_err();
    (cause, status, message)
}

#[test]
fn a_connect_request_has_host_port_and_basic_authentication_only() {
    let (_, request) = Tunnel::by_connect(&place("game.example"), None, MAX_HEADER);
    assert_eq!(request, b"CONNECT game.example:443 HTTP/1.1\r\nHost: game.example:443\r\n\r\n");
    let six = Place { site: Site::Ipv6("2001:db8::1".parse().unwrap()), port: 8080 };
    let (_, request) = Tunnel::by_connect(&six, Some(&login()), MAX_HEADER);
    // The credentials of RFC 7617 section 2.
    assert_eq!(
        String::from_utf8(request).unwrap(),
        "CONNECT [2001:db8::1]:8080 HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\
         Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"
    );
}

#[test]
fn any_2xx_opens_the_tunnel_and_bytes_behind_it_are_kept() {
    for head in [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 204\r\n\r\n",
        "HTTP/1.1 200 OK\nVia: x\n\n",
        "\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ] {
        let bytes = [head.as_bytes(), b"\x16\x03\x03HTTP/1.1 500 x\r\n\r\n"].concat();
        let (sent, behind) = answered(|| connect(None), &bytes);
        assert_eq!((sent, behind), (Vec::new(), Ok(b"\x16\x03\x03HTTP/1.1 500 x\r\n\r\n".to_vec())), "{head:?}");
        assert_eq!(answered(|| connect(None), head.as_bytes()).1, Ok(Vec::new()), "{head:?}");
    }
}

#[test]
fn a_refusal_keeps_status_headers_and_body() {
    let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\nnope";
    let (_, result) = answered(|| connect(None), answer);
    let (cause, status, message, body) = result.unwrap_err();
    assert_eq!((cause, status, body.as_slice()), (Cause::ProxyRefused, 403, b"nope".as_slice()));
    assert!(message.contains("game.example:443") && message.contains("403 Forbidden"), "{message}");
    let mut tunnel = connect(None);
    let refused = tunnel.receive(answer).unwrap_err();
    assert_eq!(refused.headers.get("x-squid-error", 0), Some("ERR_ACCESS_DENIED 0"));
    // A body without an end: what has arrived when its time is over.
    let mut tunnel = connect(None);
    assert_eq!(tunnel.receive(b"HTTP/1.0 503 Busy\r\n\r\nlat").unwrap(), Asked::More(Vec::new()));
    assert!(tunnel.is_refused());
    assert_eq!(tunnel.give_up().unwrap().body, b"lat");
    let long = [b"HTTP/1.1 502 x\r\n\r\n".as_slice(), &[b'y'; 3_000]].concat();
    let (cause, status, _, body) = answered(|| connect(None), &long).1.unwrap_err();
    assert_eq!((cause, status, body.len()), (Cause::ProxyRefused, 502, 1_024));
}

#[test]
fn a_407_says_what_the_proxy_asks_for() {
    let answer = |scheme: &str| format!("HTTP/1.1 407 x\r\n{scheme}Content-Length: 0\r\n\r\n").into_bytes();
    let basic = answer("Proxy-Authenticate: Basic realm=\"x\"\r\n");
    let (cause, status, message) = refusal(answered(|| connect(None), &basic));
    assert_eq!((cause, status), (Cause::ProxyAuth, 407));
    assert!(message.contains("requires a user name and password"), "{message}");
    // Tinyproxy answers a wrong password like this.
    let (cause, status, _) =
        refusal(answered(|| connect(Some(&login())), b"HTTP/1.0 401 x\r\nContent-Length: 0\r\n\r\n"));
    assert_eq!((cause, status), (Cause::ProxyAuth, 401));
    let (cause, _, message) = refusal(answered(|| connect(Some(&login())), &basic));
    assert_eq!(cause, Cause::ProxyAuth);
    assert!(message.contains("refused the user name and password"), "{message}");
    assert!(!message.contains("Aladdin") && !message.contains("sesame"), "{message}");
    let others = answer("Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n");
    let (_, _, message) = refusal(answered(|| connect(Some(&login())), &others));
    assert!(message.contains("Negotiate, NTLM, and wspeer knows Basic only"), "{message}");
}

#[test]
fn an_answer_that_is_not_http_is_refused_at_its_first_byte() {
    for (bytes, hint) in [
        (b"\x05\xFF".as_slice(), "SOCKS"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "https://"),
        (b"SSH-2.0-x\r\n", "another kind of server"),
        (b"HTTP/2 200\r\n\r\n", "another kind of server"),
    ] {
        let (cause, status, message) = refusal(answered(|| connect(Some(&login())), bytes));
        assert_eq!((cause, status), (Cause::ProxyInvalid, 0));
        assert!(message.contains(hint), "{message}");
    }
    // An echo server sends the request back, which has the password.
    let (mut tunnel, request) = Tunnel::by_connect(&place("game.example"), Some(&login()), MAX_HEADER);
    let (_, _, message, _) = of_refused(&tunnel.receive(&request).unwrap_err());
    assert!(!message.contains("CONNECT"), "{message}");
    let invalid = refusal(answered(|| connect(None), b"HTTP/1.1 abc\r\n\r\n"));
    assert_eq!(invalid.0, Cause::ProxyInvalid);
}

#[test]
fn the_header_of_an_answer_is_limited() {
    let long = [b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &[b'x'; MAX_HEADER], b"\r\n\r\n"].concat();
    assert_eq!(refusal(outcome(connect(None), long.chunks(100))).0, Cause::HttpTooBig);
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100);
    assert_eq!(refusal(outcome(connect(None), interim.chunks(7))).0, Cause::HttpTooBig);
}

#[test]
fn the_end_of_the_transport_is_reported() {
    for (bytes, words) in [(b"".as_slice(), "without an answer"), (b"HTTP/1.1 2", "in the middle")] {
        let (cause, _, message) = refusal(outcome(connect(None), [bytes].into_iter()));
        assert_eq!(cause, Cause::PeerGone);
        assert!(message.contains(words), "{message}");
    }
    for (bytes, words) in [(b"".as_slice(), "without an answer"), (b"\x05", "in the middle")] {
        let (cause, _, message) = refusal(outcome(socks(None), [bytes].into_iter()));
        assert_eq!(cause, Cause::PeerGone);
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn socks_asks_for_a_name_or_an_address() {
    let hello = |to: &Place, login: Option<&Login>| Tunnel::by_socks(to, login).1;
    assert_eq!(hello(&place("game.example"), None), [5, 1, 0]);
    assert_eq!(hello(&place("game.example"), Some(&login())), [5, 2, 0, 2]);
    let ipv4 = Place { site: Site::Ipv4([10, 1, 2, 3].into()), port: 0x1234 };
    let ipv6 = Place { site: Site::Ipv6("2001:db8::1".parse().unwrap()), port: 80 };
    for (to, request) in [
        (place("game.example"), b"\x05\x01\x00\x03\x0Cgame.example\x01\xBB".to_vec()),
        (ipv4, b"\x05\x01\x00\x01\x0A\x01\x02\x03\x12\x34".to_vec()),
        (ipv6, b"\x05\x01\x00\x04\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01\0\x50".to_vec()),
    ] {
        let (sent, behind) =
            answered_in_turn(|| Tunnel::by_socks(&to, None).0, &[b"\x05\0", b"\x05\0\0\x01\0\0\0\0\0\0rest"]);
        assert_eq!((sent, behind), (request, Ok(b"rest".to_vec())), "{to:?}");
    }
}

#[test]
fn each_type_of_address_in_a_socks_reply_has_its_length() {
    let ipv6 = [b"\x05\x00\x00\x04".as_slice(), &[7; 18], b"x"].concat();
    let name = b"\x05\x00\x00\x03\x03abc\x00\x50x".to_vec();
    let longest = [b"\x05\x00\x00\x03\xFF".as_slice(), &[b'n'; 255], b"\x00\x50x"].concat();
    let empty = b"\x05\x00\x00\x03\x00\x00\x50x".to_vec();
    for bytes in [ipv6, name, longest, empty] {
        assert_eq!(answered_in_turn(|| socks(None), &[b"\x05\0", &bytes]).1, Ok(b"x".to_vec()), "{bytes:?}");
    }
    let unknown = answered_in_turn(|| socks(None), &[b"\x05\0", b"\x05\x00\x00\x02\0\0"]);
    assert_eq!(refusal(unknown).0, Cause::ProxyInvalid);
}

#[test]
fn socks_sends_the_password_only_to_a_proxy_that_asks_for_it() {
    let request = b"\x05\x01\x00\x03\x0Cgame.example\x01\xBB".as_slice();
    let secret = b"\x01\x07Aladdin\x0Bopen sesame".as_slice();
    let reply = b"\x05\x00\x00\x01\0\0\0\0\0\0".as_slice();
    // Some proxies answer the login with version 5.
    for status in [b"\x01\x00".as_slice(), b"\x05\x00"] {
        let (sent, behind) = answered_in_turn(|| socks(Some(&login())), &[b"\x05\x02", status, reply]);
        assert_eq!((sent, behind), ([secret, request].concat(), Ok(Vec::new())));
    }
    let (sent, behind) = answered_in_turn(|| socks(Some(&login())), &[b"\x05\x00", reply]);
    assert_eq!((sent, behind), (request.to_vec(), Ok(Vec::new())));
    let (_, early) = outcome(socks(None), [[b"\x05\x00".as_slice(), reply].concat().as_slice()].into_iter());
    assert!(early.unwrap_err().2.contains("before it is asked"));
}

#[test]
fn refusals_of_socks_have_their_causes() {
    for (has_login, bytes, cause, words) in [
        (false, b"\x05\xFF".as_slice(), Cause::ProxyAuth, "requires a user name"),
        (true, b"\x05\xFF", Cause::ProxyAuth, "neither"),
        (true, b"\x05\x02\x01\x01", Cause::ProxyAuth, "refused the user name"),
        (false, b"\x05\x02", Cause::ProxyInvalid, "not offered"),
        (true, b"\x05\x01", Cause::ProxyInvalid, "not offered"),
        (true, b"\x05\x02\x07\x00", Cause::ProxyInvalid, "another version"),
        (false, b"\x04\x5A", Cause::ProxyInvalid, "another kind of server"),
        (false, b"HTTP/1.1 400 x\r\n", Cause::ProxyInvalid, "http://"),
        (false, b"\x15\x03\x01\x00\x02\x02\x46", Cause::ProxyInvalid, "https://"),
        (false, b"\x05\x00\x05\x01\x00\x01\0\0\0\0\0\0", Cause::ProxyRefused, "general failure"),
        (false, b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0", Cause::ProxyRefused, "does not allow"),
        (false, b"\x05\x00\x05\x03", Cause::ProxyRefused, "network is unreachable"),
        (false, b"\x05\x00\x05\x04", Cause::ProxyRefused, "host is unreachable"),
        (false, b"\x05\x00\x05\x05", Cause::ProxyRefused, "refused the connection"),
        (false, b"\x05\x00\x05\x06", Cause::ProxyRefused, "time to live"),
        (false, b"\x05\x00\x05\x07", Cause::ProxyRefused, "the command"),
        (false, b"\x05\x00\x05\x08", Cause::ProxyRefused, "type of address"),
        (false, b"\x05\x00\x05\x63", Cause::ProxyRefused, "reply 99"),
    ] {
        let login = has_login.then(login);
        let (actual, status, message) = refusal(answered_in_turn(
            || socks(login.as_ref()),
            &bytes.split_at_checked(2).map_or([bytes, b""], |(first, second)| [first, second]),
        ));
        assert_eq!((actual, status), (cause, 0), "{bytes:?}: {message}");
        assert!(message.contains(words), "{bytes:?}: {message}");
        assert!(!message.contains("Aladdin") && !message.contains("sesame"), "{message}");
    }
}
