//! What a server reports and counts of clients that fail before CONNECTED.
#![allow(unsafe_code)] // Calls the C ABI.

use crate::refusals::{ALONE, come, listen, poll_until, stats};
use std::ffi::{CStr, CString};
use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;
use wspeer::codes::*;
use wspeer::ffi::*;

/// What a REFUSED event says, without its time.
#[derive(Debug, PartialEq, Eq, Clone)]
struct Told {
    address: String,
    phase: i32,
    cause: i32,
    status: i32,
    count: u64,
}

fn blank() -> ws_event {
    // SAFETY: an event is integers and pointers.
    unsafe { std::mem::zeroed() }
}

/// The next event of the server, if it is REFUSED.
fn told(server: u32) -> Option<Told> {
    let mut event: ws_event = blank();
    // SAFETY: the event is a live value.
    if unsafe { ws_next_event(server, &mut event) } != WS_OK {
        return None;
    }
    assert_eq!((event.r#type, event.conn), (WS_EVENT_REFUSED, server));
    // SAFETY: the text of an event is NUL-terminated, and lent until the next call.
    let text = unsafe { CStr::from_ptr(event.packet.data.cast()) }.to_str().unwrap();
    assert_eq!(text.len(), event.packet.len);
    let (address, why) = text.split_once(": ").unwrap();
    assert!(!why.is_empty(), "{text}");
    Some(Told {
        address: address.to_owned(),
        phase: event.phase,
        cause: event.cause,
        status: event.http_status,
        count: event.count,
    })
}

/// Groups of the statistics: limit, request, tls, proxy, timeout, gone.
fn groups(server: u32) -> [u64; 6] {
    let all = stats(server);
    [all.refused_limit, all.refused_request, all.refused_tls, all.refused_proxy, all.refused_timeout, all.refused_gone]
}

/// A server whose options make every kind of refusal possible.
fn open(secure: bool, set: impl FnOnce(&mut ws_config)) -> (u32, u16) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (cert, key) = (CString::new(made.cert.pem()).unwrap(), CString::new(made.signing_key.serialize_pem()).unwrap());
    listen(if secure { "wss://127.0.0.1:0/game" } else { "ws://127.0.0.1:0/game" }, |config| {
        config.flags = WS_REPORT_REFUSED;
        config.allowed_hosts = c"h".as_ptr();
        config.allowed_origins = c"https://game.example".as_ptr();
        config.subprotocols = c"chat".as_ptr();
        config.max_header_bytes = 1_000;
        if secure {
            (config.cert_pem, config.key_pem) = (cert.as_ptr(), key.as_ptr());
        }
        set(config);
    })
}

fn request(line: &str, extra: &str) -> Vec<u8> {
    format!(
        "{line} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extra}\r\n"
    )
    .into_bytes()
}

enum Then {
    Stays,
    Ends,
    Resets,
}

/// Does what one client does, and checks the one event and the one count of it.
fn check(what: &str, server: u32, port: u16, bytes: &[u8], then: Then, expected: (i32, i32, i32), group: usize) {
    let before = groups(server);
    let mut client = come(Ipv4Addr::LOCALHOST, port);
    let address = client.local_addr().unwrap().to_string();
    client.write_all(bytes).unwrap();
    poll_until(server, "it is accepted", || stats(server).pending_handshakes > 0 || groups(server) != before);
    let mut kept = None;
    match then {
        Then::Stays => kept = Some(client),
        Then::Ends => drop(client),
        Then::Resets => {
            let socket = socket2::Socket::from(client);
            socket.set_linger(Some(Duration::ZERO)).unwrap();
        }
    }
    poll_until(server, what, || groups(server) != before);
    drop(kept);
    let (phase, cause, status) = expected;
    assert_eq!(told(server), Some(Told { address, phase, cause, status, count: 1 }), "{what}");
    assert_eq!(told(server), None, "{what}");
    let mut after = before;
    after[group] += 1;
    assert_eq!(groups(server), after, "{what}");
    assert_eq!(stats(server).refused, after.iter().sum::<u64>(), "{what}");
}

#[test]
fn each_client_that_fails_is_reported_once_and_counted_by_cause() {
    let _alone = ALONE.lock();
    let [limit, in_request, tls, proxy, timeout, gone] = [0, 1, 2, 3, 4, 5];
    let (server, port) = open(false, |config| config.handshake_timeout_ms = 60_000);
    let chat = "Sec-WebSocket-Protocol: chat\r\n";
    let get = "GET /game";
    for (what, bytes, then, cause, status, group) in [
        (
            "another protocol",
            b"\x16\x03\x01\x00\x05hello".to_vec(),
            Then::Stays,
            WS_CAUSE_HTTP_INVALID,
            400,
            in_request,
        ),
        (
            "no upgrade",
            b"GET / HTTP/1.1\r\nHost: h\r\n\r\n".to_vec(),
            Then::Stays,
            WS_CAUSE_HTTP_INVALID,
            426,
            in_request,
        ),
        ("POST", request("POST /game", ""), Then::Stays, WS_CAUSE_HTTP_INVALID, 405, in_request),
        ("another path", request("GET /other", chat), Then::Stays, WS_CAUSE_HTTP_STATUS, 404, in_request),
        ("no subprotocol", request(get, ""), Then::Stays, WS_CAUSE_SUBPROTOCOL, 400, in_request),
        (
            "another origin",
            request(get, &format!("{chat}Origin: https://evil.example\r\n")),
            Then::Stays,
            WS_CAUSE_HTTP_STATUS,
            403,
            in_request,
        ),
        (
            "another host",
            String::from_utf8(request(get, chat)).unwrap().replace("Host: h", "Host: g").into_bytes(),
            Then::Stays,
            WS_CAUSE_HTTP_STATUS,
            421,
            in_request,
        ),
        (
            "a long header",
            request(get, &format!("X: {}\r\n", "x".repeat(1_000))),
            Then::Stays,
            WS_CAUSE_HTTP_TOO_BIG,
            431,
            in_request,
        ),
        ("nothing, and the end", Vec::new(), Then::Ends, WS_CAUSE_PEER_GONE, 0, gone),
        ("half a request, and the end", b"GET / HT".to_vec(), Then::Ends, WS_CAUSE_PEER_GONE, 0, gone),
        ("half a request, and a reset", b"GET / HT".to_vec(), Then::Resets, WS_CAUSE_RESET, 0, gone),
    ] {
        check(what, server, port, &bytes, then, (WS_PHASE_HTTP, cause, status), group);
    }
    ws_set_option(server, WS_OPT_REFUSE_NEW, 1);
    let good = request(get, chat);
    check("a closed door", server, port, &good, Then::Stays, (WS_PHASE_HTTP, WS_CAUSE_LIMIT, 503), limit);
    ws_set_option(server, WS_OPT_REFUSE_NEW, 0);
    let mut inside = come(Ipv4Addr::LOCALHOST, port);
    inside.write_all(&good).unwrap();
    poll_until(server, "one is inside", || stats(server).connections == 1);
    let mut event: ws_event = blank();
    // SAFETY: the event is a live value.
    assert_eq!(unsafe { ws_next_event(server, &mut event) }, WS_OK);
    assert_eq!(event.r#type, WS_EVENT_CONNECTED, "who is let in is not reported");
    for option in [WS_OPT_MAX_CLIENTS, WS_OPT_MAX_CLIENTS_PER_ADDRESS] {
        ws_set_option(server, option, 1);
        check("one too many", server, port, &good, Then::Stays, (WS_PHASE_HTTP, WS_CAUSE_LIMIT, 503), limit);
        ws_set_option(server, option, WS_OFF);
    }
    ws_set_option(server, WS_OPT_HANDSHAKE_TIMEOUT_MS, 30);
    let silent = (WS_PHASE_HTTP, WS_CAUSE_HANDSHAKE_TIMEOUT, 408);
    check("silence", server, port, b"", Then::Stays, silent, timeout);
    ws_set_option(server, WS_OPT_REPORT_REFUSED, 0);
    let before = stats(server).refused;
    come(Ipv4Addr::LOCALHOST, port).write_all(b"\x16\x03").unwrap();
    poll_until(server, "it is counted", || stats(server).refused == before + 1);
    assert_eq!(told(server), None, "nothing is reported unasked");
    ws_free(server);

    let (server, port) =
        open(true, |config| (config.handshake_timeout_ms, config.max_clients_per_address) = (60_000, 1));
    check("no TLS", server, port, &good, Then::Stays, (WS_PHASE_TLS, WS_CAUSE_NOT_TLS, 0), tls);
    let waiting = come(Ipv4Addr::LOCALHOST, port);
    poll_until(server, "one is pending", || stats(server).pending_handshakes == 1);
    let crowded = (WS_PHASE_TCP, WS_CAUSE_LIMIT, 0);
    check("a second one from there", server, port, b"", Then::Stays, crowded, limit);
    drop(waiting);
    poll_until(server, "it is gone", || stats(server).pending_handshakes == 0);
    assert_eq!(told(server).map(|told| told.phase), Some(WS_PHASE_TLS));
    ws_free(server);
    let (server, port) = open(true, |config| config.handshake_timeout_ms = 30);
    let silent = (WS_PHASE_TLS, WS_CAUSE_HANDSHAKE_TIMEOUT, 0);
    check("silence instead of TLS", server, port, b"", Then::Stays, silent, timeout);
    ws_free(server);

    let behind = |config: &mut ws_config| {
        config.flags |= WS_PROXY_PROTOCOL;
        config.trusted_proxies = c"127.0.0.1".as_ptr();
    };
    let (server, port) = open(false, behind);
    let invalid = (WS_PHASE_PROXY, WS_CAUSE_PROXY_INVALID, 0);
    check("no PROXY header", server, port, &good, Then::Stays, invalid, proxy);
    check("a health check", server, port, b"", Then::Ends, (WS_PHASE_PROXY, WS_CAUSE_PEER_GONE, 0), gone);
    ws_set_option(server, WS_OPT_HANDSHAKE_TIMEOUT_MS, 30);
    let silent = (WS_PHASE_PROXY, WS_CAUSE_HANDSHAKE_TIMEOUT, 0);
    check("half a PROXY header", server, port, b"PROXY ", Then::Stays, silent, timeout);
    ws_free(server);
}

#[test]
fn hosts_and_origins_are_compared_as_what_they_name() {
    let _alone = ALONE.lock();
    let (server, port) = open(false, |config| {
        config.allowed_hosts = c"on.example:80, [2001:0db8:0:0:0:0:0:1]".as_ptr();
        config.subprotocols = std::ptr::null();
    });
    let page = "Origin: https://game.example";
    for (host, origin, expected) in [
        ("on.example", page, "101"),
        ("on.example:80", page, "101"),
        ("[2001:db8::1]", page, "101"),
        ("[2001:db8::1]:9", page, "101"),
        ("on.example", "Origin:\thttps://game.example \t", "101"),
        ("on.example:81", page, "421"),
        ("[2001:db8::2]", page, "421"),
        // Only spaces and tabs are blanks.
        ("\u{2003}on.example", page, "400"),
        ("on.example\u{a0}", page, "400"),
        ("on.example", "Origin: https://game.example\u{a0}", "403"),
        ("on.example", "Origin: \u{2003}https://game.example", "403"),
    ] {
        let mut client = come(Ipv4Addr::LOCALHOST, port);
        let bytes = String::from_utf8(request("GET /game", &format!("{origin}\r\n"))).unwrap();
        client.write_all(bytes.replace("Host: h", &format!("Host: {host}")).as_bytes()).unwrap();
        let mut answer = Vec::new();
        poll_until(server, "an answer", || {
            crate::test_server::read(&mut client, &mut answer);
            answer.windows(4).any(|end| end == b"\r\n\r\n")
        });
        let status = String::from_utf8_lossy(&answer[9..12]).into_owned();
        assert_eq!(status, expected, "{host:?} {origin:?}");
    }
    ws_free(server);
}

#[test]
fn reports_that_nobody_reads_are_bounded_and_none_is_lost() {
    let _alone = ALONE.lock();
    let (server, port) = open(false, |_| {});
    for number in 1..=300 {
        let mut client = come(Ipv4Addr::LOCALHOST, port);
        client.write_all(b"\x16\x03").unwrap();
        poll_until(server, "it is refused", || stats(server).refused == number);
    }
    assert_eq!(stats(server).refused_waiting, 256);
    let counts: Vec<u64> = std::iter::from_fn(|| told(server)).map(|told| told.count).collect();
    assert_eq!((counts.len(), counts[254], counts[255]), (256, 1, 45));
    assert_eq!(stats(server).refused_waiting, 0);
    ws_free(server);
}

#[test]
fn a_server_that_closes_reports_none_of_those_that_wait() {
    let _alone = ALONE.lock();
    let (server, port) = open(false, |config| config.handshake_timeout_ms = 60_000);
    let waiting: Vec<TcpStream> = (0..3).map(|_| come(Ipv4Addr::LOCALHOST, port)).collect();
    poll_until(server, "they are pending", || stats(server).pending_handshakes == 3);
    // SAFETY: the reason is NUL-terminated.
    assert_eq!(unsafe { ws_close(server, 0, c"".as_ptr()) }, WS_OK);
    poll_until(server, "it is closed", || ws_get_state(server) == WS_CLOSED);
    let mut event: ws_event = blank();
    // SAFETY: the event is a live value.
    assert_eq!(unsafe { ws_next_event(server, &mut event) }, WS_OK);
    assert_eq!(event.r#type, WS_EVENT_CLOSED);
    assert_eq!((groups(server), stats(server).refused), ([0; 6], 0));
    drop(waiting);
    ws_free(server);
}
