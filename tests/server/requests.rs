//! Requests on which the program decides (WS_ASK): from REQUEST to CONNECTED or DISCONNECTED, and plain HTTP.
#![allow(unsafe_code)] // Calls the C ABI.

use crate::refusals::{ALONE, come, listen, log, poll_until, stats};
use crate::test_server::{REQUEST, frame, read};
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::io::Write;
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::ptr::{null, null_mut};
use wspeer::codes::*;
use wspeer::ffi::*;

/// A call as C makes it.
macro_rules! c {
    ($call:expr) => {
        // SAFETY: every pointer of these tests is NULL or points to a live value of its type.
        unsafe { $call }
    };
}

const GET: &[u8] = b"GET /health?a HTTP/1.1\r\nHost: h\r\n\r\n";

fn asking(set: impl FnOnce(&mut ws_config)) -> (u32, u16) {
    listen("ws://127.0.0.1:0", |config| {
        config.flags = WS_ASK;
        config.handshake_timeout_ms = 60_000;
        set(config);
    })
}

fn no_event() -> ws_event {
    // SAFETY: an event is integers and pointers.
    unsafe { std::mem::zeroed() }
}

/// An event, with a copy of its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Happened {
    kind: i32,
    conn: u32,
    count: u64,
    bytes: Vec<u8>,
    phase: i32,
    cause: i32,
    status: i32,
    peer_id: i32,
}

fn next(handle: u32) -> Option<Happened> {
    let mut event = no_event();
    (c!(ws_next_event(handle, &mut event)) == WS_OK).then(|| Happened {
        kind: event.r#type,
        conn: event.conn,
        count: event.count,
        bytes: c!(std::slice::from_raw_parts(event.packet.data, event.packet.len)).to_vec(),
        phase: event.phase,
        cause: event.cause,
        status: event.http_status,
        peer_id: event.peer_id,
    })
}

/// Waits for the next event of a type, without one of another type before it.
fn event(server: u32, kind: i32) -> Happened {
    let mut found = None;
    poll_until(server, &format!("event {kind}"), || {
        found = next(server);
        found.is_some()
    });
    let found = found.unwrap();
    assert_eq!(found.kind, kind, "{found:?}");
    found
}

/// A client that has sent bytes, and its request as the program gets it.
fn ask(server: u32, port: u16, bytes: &[u8]) -> (TcpStream, Happened) {
    let mut stream = come(Ipv4Addr::LOCALHOST, port);
    stream.write_all(bytes).unwrap();
    (stream, event(server, WS_EVENT_REQUEST))
}

/// The request to open a WebSocket, with another target and more headers.
fn opening(target: &str, headers: &str) -> Vec<u8> {
    let text = String::from_utf8(REQUEST.to_vec()).unwrap();
    text.replacen("GET /", &format!("GET {target}"), 1)
        .replacen("\r\n\r\n", &format!("\r\n{headers}\r\n"), 1)
        .into_bytes()
}

fn text(handle: u32, what: i32) -> String {
    let mut bytes = [0; 256];
    assert_eq!(c!(ws_get_text(handle, what, bytes.as_mut_ptr(), bytes.len(), null_mut())), WS_OK);
    c!(CStr::from_ptr(bytes.as_ptr())).to_str().unwrap().to_owned()
}

fn header(handle: u32, name: &CStr) -> Option<String> {
    let mut bytes = [0; 256];
    let found = c!(ws_get_header(handle, name.as_ptr(), 0, bytes.as_mut_ptr(), bytes.len(), null_mut())) == WS_OK;
    found.then(|| c!(CStr::from_ptr(bytes.as_ptr())).to_str().unwrap().to_owned())
}

fn last_error() -> String {
    let mut text = [0; 512];
    c!(ws_last_error(text.as_mut_ptr(), text.len(), null_mut()));
    c!(CStr::from_ptr(text.as_ptr())).to_string_lossy().into_owned()
}

fn accept(conn: u32, subprotocol: Option<&CStr>, headers: &[&CStr]) -> i32 {
    let lines: Vec<_> = headers.iter().map(|line| line.as_ptr()).collect();
    c!(ws_accept(conn, subprotocol.map_or(null(), CStr::as_ptr), lines.as_ptr(), lines.len()))
}

fn reply(conn: u32, status: i32, headers: &[&CStr], body: &[u8]) -> i32 {
    let lines: Vec<_> = headers.iter().map(|line| line.as_ptr()).collect();
    c!(ws_reply(conn, status, lines.as_ptr(), lines.len(), body.as_ptr(), body.len()))
}

/// Reads until the server ends the transport.
fn to_end(server: u32, stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut open = true;
    poll_until(server, "the end of the answer", || {
        open = open && read(stream, &mut answer);
        !open
    });
    String::from_utf8(answer).unwrap()
}

/// Reads until `wanted` has arrived.
fn until(server: u32, stream: &mut TcpStream, wanted: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    poll_until(server, "the answer", || {
        read(stream, &mut answer);
        answer.windows(wanted.len()).any(|window| window == wanted)
    });
    answer
}

#[test]
fn a_token_decides_who_comes_in() {
    let (server, port) = asking(|_| {});
    let (mut good, request) = ask(server, port, &opening("/room/7?token=good", "X-Game: chess\r\n"));
    assert_eq!((request.count, request.bytes.len(), request.peer_id), (1, 0, 0));
    assert_eq!(ws_get_state(request.conn), WS_CONNECTING);
    assert_eq!(text(request.conn, WS_GET_METHOD), "GET");
    assert_eq!(text(request.conn, WS_GET_PATH), "/room/7");
    assert_eq!(text(request.conn, WS_GET_QUERY), "token=good");
    assert_eq!(text(request.conn, WS_GET_URL), "ws://h/room/7?token=good");
    assert_eq!(header(request.conn, c"x-game").as_deref(), Some("chess"));
    assert_eq!(stats(server).pending_requests, 1);
    assert_eq!((stats(server).connections, stats(server).pending_handshakes), (0, 1));
    assert_eq!(c!(ws_put_packet(request.conn, b"x".as_ptr(), 1, WS_TEXT)), WS_ERR_STATE);
    assert_eq!(c!(ws_put_packet(server, b"x".as_ptr(), 1, WS_TEXT)), WS_OK, "nobody is connected");
    assert_eq!(accept(request.conn, None, &[c"Set-Cookie: a=b"]), WS_OK, "{}", last_error());
    assert_eq!(ws_get_state(request.conn), WS_OPEN);
    assert_eq!(accept(request.conn, None, &[]), WS_ERR_STATE, "only once");
    assert_eq!(reply(request.conn, 200, &[], b""), WS_ERR_STATE);
    let connected = event(server, WS_EVENT_CONNECTED);
    assert_eq!(connected.conn, request.conn);
    let answer = String::from_utf8(until(server, &mut good, b"\r\n\r\n")).unwrap();
    assert!(answer.starts_with("HTTP/1.1 101 ") && answer.contains("\r\nSet-Cookie: a=b\r\n"), "{answer}");
    assert_eq!((stats(server).connections, stats(server).pending_requests), (1, 0));
    assert_eq!(c!(ws_put_packet(server, b"hi".as_ptr(), 2, WS_TEXT)), WS_OK);
    assert!(until(server, &mut good, b"\x81\x02hi").len() >= 4);

    let (mut bad, request) = ask(server, port, &opening("/room/7?token=bad", ""));
    assert_eq!(reply(request.conn, 401, &[c"WWW-Authenticate: Bearer"], b"no"), WS_OK);
    let answer = to_end(server, &mut bad);
    assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nWWW-Authenticate: Bearer\r\n"));
    assert!(
        answer.contains("Content-Type: text/plain; charset=utf-8\r\n") && answer.ends_with("\r\n\r\nno"),
        "{answer}"
    );
    let gone = event(server, WS_EVENT_DISCONNECTED);
    assert_eq!((gone.conn, gone.phase, gone.cause), (request.conn, WS_PHASE_HTTP, WS_CAUSE_HTTP_STATUS));
    assert_eq!((gone.status, stats(server).refused), (401, 1));
    poll_until(server, "the handle retires", || ws_get_state(request.conn) == WS_ERR_HANDLE);
    assert_eq!(accept(request.conn, None, &[]), WS_ERR_HANDLE);
    ws_free(server);
}

#[test]
fn the_program_chooses_a_subprotocol_that_the_client_offers() {
    let (server, port) = asking(|_| {});
    let offer = opening("/", "Sec-WebSocket-Protocol: chat.v1, chat.v2\r\n");
    let (mut stream, request) = ask(server, port, &offer);
    assert_eq!(header(request.conn, c"Sec-WebSocket-Protocol").as_deref(), Some("chat.v1, chat.v2"));
    for wrong in [c"chat", c"chat.v3", c"", c"CHAT.V1", c"chat.v1, chat.v2"] {
        assert_eq!(accept(request.conn, Some(wrong), &[]), WS_ERR_ARG, "{wrong:?}");
    }
    assert_eq!(accept(request.conn, Some(c"chat.v2"), &[]), WS_OK);
    assert_eq!(text(request.conn, WS_GET_SUBPROTOCOL), "chat.v2");
    let answer = until(server, &mut stream, b"\r\n\r\n");
    assert!(String::from_utf8(answer).unwrap().contains("\r\nSec-WebSocket-Protocol: chat.v2\r\n"));
    event(server, WS_EVENT_CONNECTED);
    let (mut none, request) = ask(server, port, &offer);
    assert_eq!(accept(request.conn, None, &[]), WS_OK, "a server without subprotocols chooses none");
    assert!(!String::from_utf8(until(server, &mut none, b"\r\n\r\n")).unwrap().contains("Protocol:"));
    ws_free(server);

    let (server, port) = asking(|config| config.subprotocols = c"chat.v2, chat.v1".as_ptr());
    let (_stream, request) = ask(server, port, &offer);
    assert_eq!(accept(request.conn, None, &[]), WS_OK);
    assert_eq!(text(request.conn, WS_GET_SUBPROTOCOL), "chat.v1", "the client's first that the server knows");
    event(server, WS_EVENT_CONNECTED);
    // Without a common one the program is not asked.
    let mut stream = come(Ipv4Addr::LOCALHOST, port);
    stream.write_all(REQUEST).unwrap();
    assert!(to_end(server, &mut stream).starts_with("HTTP/1.1 400 "));
    assert_eq!(next(server), None);
    ws_free(server);
}

#[test]
fn plain_requests_get_what_the_program_replies() {
    let (server, port) = asking(|_| {});
    let (mut stream, request) = ask(server, port, GET);
    assert_eq!((request.count, text(request.conn, WS_GET_PATH).as_str()), (0, "/health"));
    assert_eq!(accept(request.conn, None, &[]), WS_ERR_KIND);
    assert_eq!(reply(request.conn, 200, &[c"Content-Type: application/json"], b"{}"), WS_OK);
    let answer = to_end(server, &mut stream);
    assert_eq!(
        answer,
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    );
    event(server, WS_EVENT_DISCONNECTED);

    let (mut stream, request) = ask(server, port, GET);
    assert_eq!(reply(request.conn, 302, &[c"Location: https://example.com/a?b"], b""), WS_OK);
    let answer = to_end(server, &mut stream);
    assert!(
        answer.starts_with("HTTP/1.1 302 Found\r\n") && answer.contains("\r\nLocation: https://example.com/a?b\r\n")
    );
    assert!(!answer.contains("Content-Type") && answer.contains("Content-Length: 0\r\n"));
    event(server, WS_EVENT_DISCONNECTED);

    let body: Vec<u8> = (0..=255).collect();
    let post = [b"POST /score HTTP/1.1\r\nHost: h\r\nContent-Length: 256\r\n\r\n".as_slice(), &body].concat();
    let (mut stream, request) = ask(server, port, &post);
    assert_eq!((request.bytes, text(request.conn, WS_GET_METHOD).as_str()), (body, "POST"));
    assert_eq!(reply(request.conn, 204, &[], b""), WS_OK);
    assert_eq!(to_end(server, &mut stream), "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    event(server, WS_EVENT_DISCONNECTED);

    let (mut stream, request) = ask(server, port, b"HEAD / HTTP/1.0\r\n\r\n");
    assert_eq!(text(request.conn, WS_GET_METHOD), "HEAD");
    assert_eq!(reply(request.conn, 200, &[], b"page"), WS_OK);
    let answer = to_end(server, &mut stream);
    assert!(answer.contains("Content-Length: 4\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    event(server, WS_EVENT_DISCONNECTED);
    assert_eq!(stats(server).refused, 0, "an answer is no refusal");
    ws_free(server);
}

#[test]
fn an_answer_may_come_later_from_another_thread() {
    let (server, port) = asking(|_| {});
    let (mut first, request) = ask(server, port, REQUEST);
    let (mut second, other) = ask(server, port, GET);
    for _ in 0..20 {
        assert!(ws_poll(server) >= 0);
    }
    assert_eq!(stats(server).pending_requests, 2);
    let answers = std::thread::spawn(move || (accept(request.conn, None, &[]), reply(other.conn, 200, &[], b"late")));
    assert_eq!(answers.join().unwrap(), (WS_OK, WS_OK));
    assert!(until(server, &mut first, b"\r\n\r\n").starts_with(b"HTTP/1.1 101 "));
    assert!(to_end(server, &mut second).ends_with("late"));
    let mut kinds = [event_of_any(server), event_of_any(server)];
    kinds.sort_unstable();
    assert_eq!(kinds, [WS_EVENT_CONNECTED, WS_EVENT_DISCONNECTED]);
    ws_free(server);
}

fn event_of_any(server: u32) -> i32 {
    let mut found = None;
    poll_until(server, "an event", || {
        found = next(server);
        found.is_some()
    });
    found.unwrap().kind
}

#[test]
fn a_client_that_leaves_before_the_answer_is_reported() {
    let (server, port) = asking(|_| {});
    for bytes in [REQUEST.to_vec(), [REQUEST, &frame(0x81, b"bye")].concat()] {
        let (stream, request) = ask(server, port, &bytes);
        drop(stream);
        let gone = event(server, WS_EVENT_DISCONNECTED);
        assert_eq!((gone.conn, gone.phase), (request.conn, WS_PHASE_HTTP));
        assert!([WS_CAUSE_PEER_GONE, WS_CAUSE_RESET].contains(&gone.cause));
        assert_eq!(accept(request.conn, None, &[]), WS_ERR_STATE);
        assert!(last_error().contains("the client has left"), "{}", last_error());
    }
    // A plain client that resets its connection.
    let (stream, request) = ask(server, port, GET);
    socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(stream);
    let gone = event(server, WS_EVENT_DISCONNECTED);
    assert_eq!((gone.conn, gone.cause), (request.conn, WS_CAUSE_RESET));
    assert_eq!(reply(request.conn, 200, &[], b""), WS_ERR_STATE);
    // One that has only ended its own direction waits for the answer.
    let (mut stream, request) = ask(server, port, GET);
    stream.shutdown(Shutdown::Write).unwrap();
    for _ in 0..20 {
        assert!(ws_poll(server) >= 0);
    }
    assert_eq!(next(server), None);
    assert_eq!(reply(request.conn, 200, &[], b"here"), WS_OK);
    assert!(to_end(server, &mut stream).ends_with("here"));
    ws_free(server);
}

#[test]
fn frames_behind_the_request_are_kept() {
    let (server, port) = asking(|_| {});
    for count in [1, 3, 5_000] {
        let frames: Vec<u8> = (0..count).flat_map(|index| frame(0x81, format!("message {index}").as_bytes())).collect();
        let (mut stream, request) = ask(server, port, REQUEST);
        let mut sent = 0;
        // As much as fits: the server stops reading after a bound.
        for _ in 0..50 {
            if sent < frames.len()
                && let Ok(some) = stream.write(&frames[sent..])
            {
                sent += some;
            }
            assert!(ws_poll(server) >= 0);
        }
        assert!(stats(server).kept_bytes < 64 << 10, "{}", stats(server).kept_bytes);
        assert_eq!(accept(request.conn, None, &[]), WS_OK);
        event(server, WS_EVENT_CONNECTED);
        for index in 0..count {
            let mut found = None;
            poll_until(server, "a message", || {
                if sent < frames.len()
                    && let Ok(some) = stream.write(&frames[sent..])
                {
                    sent += some;
                }
                found = next(server);
                found.is_some()
            });
            let found = found.unwrap();
            assert_eq!((found.kind, found.bytes), (WS_EVENT_MESSAGE, format!("message {index}").into_bytes()));
        }
        ws_free(request.conn);
    }
    ws_free(server);
}

#[test]
fn a_request_that_is_not_answered_gets_503() {
    let _alone = ALONE.lock();
    log();
    let (server, port) = asking(|config| config.handshake_timeout_ms = 100);
    for bytes in [REQUEST, GET] {
        let (mut stream, request) = ask(server, port, bytes);
        let answer = to_end(server, &mut stream);
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: "), "{answer}");
        let gone = event(server, WS_EVENT_DISCONNECTED);
        assert_eq!((gone.conn, gone.phase, gone.cause), (request.conn, WS_PHASE_HTTP, WS_CAUSE_HANDSHAKE_TIMEOUT));
        assert_eq!(gone.status, 503);
        assert!(String::from_utf8(gone.bytes).unwrap().contains("ws_accept"));
        assert_eq!(accept(request.conn, None, &[]), WS_ERR_STATE);
    }
    assert!(log().iter().any(|line| line.contains("the program did not answer")));
    ws_free(server);
}

#[test]
fn limits_and_the_path_are_checked_before_the_program_is_asked() {
    let status = |server: u32, port: u16, bytes: &[u8]| {
        let mut stream = come(Ipv4Addr::LOCALHOST, port);
        stream.write_all(bytes).unwrap();
        let answer = to_end(server, &mut stream);
        assert_eq!(next(server), None, "the program is not asked");
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    let (server, port) = listen("ws://127.0.0.1:0/game", |config| {
        config.flags = WS_ASK;
        config.handshake_timeout_ms = 60_000;
        config.max_clients = 2;
        config.max_body_bytes = 10;
    });
    assert_eq!(status(server, port, REQUEST), "404");
    assert_eq!(status(server, port, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n"), "413");
    assert_eq!(status(server, port, b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"), "411");
    assert_eq!(status(server, port, b"TRACE / HTTP/1.1\r\nHost: h\r\n\r\n"), "501");
    let game = opening("/game", "");
    let (_first, one) = ask(server, port, &game);
    let (_plain, health) = ask(server, port, GET);
    let (second, two) = ask(server, port, &game);
    // Both seats are kept for those that wait.
    assert_eq!(status(server, port, &game), "503");
    drop(second);
    assert_eq!(event(server, WS_EVENT_DISCONNECTED).conn, two.conn);
    let (_third, three) = ask(server, port, &game);
    assert_eq!([accept(one.conn, None, &[]), accept(three.conn, None, &[])], [WS_OK; 2]);
    event(server, WS_EVENT_CONNECTED);
    event(server, WS_EVENT_CONNECTED);
    assert_eq!(status(server, port, &game), "503");
    assert_eq!(reply(health.conn, 200, &[], b"ok"), WS_OK);
    event(server, WS_EVENT_DISCONNECTED);
    ws_free(one.conn);
    ws_free(three.conn);
    assert_eq!(ws_set_option(server, WS_OPT_REFUSE_NEW, 1), WS_OK);
    assert_eq!(status(server, port, &game), "503");
    assert_eq!(ws_set_option(server, WS_OPT_REFUSE_NEW, 0), WS_OK);
    assert_eq!(ws_set_option(server, WS_OPT_MAX_CLIENTS_PER_ADDRESS, 1), WS_OK);
    let (_fourth, _) = ask(server, port, &game);
    assert_eq!(status(server, port, &game), "503");
    assert_eq!(stats(server).pending_requests, 1);
    ws_free(server);
}

#[test]
fn header_injection_and_impossible_answers_are_refused() {
    let (server, port) = asking(|_| {});
    let (mut stream, request) = ask(server, port, REQUEST);
    for bad in [
        c"X: a\r\nY: b",
        c"X: a\nb",
        c"X: a\rb",
        c"X: \x01",
        c"X\r\nY: b",
        c"X Y: b",
        c": b",
        c"",
        c"no colon",
        c"Content-Length: 5",
        c"transfer-encoding: chunked",
        c"Connection: keep-alive",
        c"UPGRADE: h2c",
        c"Sec-WebSocket-Accept: x",
        c"Sec-WebSocket-Protocol: x",
        c"Sec-WebSocket-Extensions: permessage-deflate",
    ] {
        assert_eq!(reply(request.conn, 200, &[c"Fine: yes", bad], b""), WS_ERR_ARG, "{bad:?}");
        assert_eq!(accept(request.conn, None, &[bad]), WS_ERR_ARG, "{bad:?}");
    }
    let invalid = CString::new(b"X: \xFF".to_vec()).unwrap();
    assert_eq!(reply(request.conn, 200, &[&invalid], b""), WS_ERR_UTF8);
    assert_eq!(accept(request.conn, Some(&invalid), &[]), WS_ERR_UTF8);
    for status in [0, -1, 100, 101, 199, 600, 999, 65_736, i32::MAX] {
        assert_eq!(reply(request.conn, status, &[], b""), WS_ERR_ARG, "{status}");
    }
    let line = c"A: b".as_ptr();
    let many = vec![line; 101];
    assert_eq!(c!(ws_reply(request.conn, 200, many.as_ptr(), 101, null(), 0)), WS_ERR_ARG);
    assert_eq!(c!(ws_reply(request.conn, 200, null(), 1, null(), 0)), WS_ERR_NULL);
    assert_eq!(c!(ws_reply(request.conn, 200, null(), 0, null(), 1)), WS_ERR_NULL);
    assert_eq!(c!(ws_reply(request.conn, 200, &null(), 1, null(), 0)), WS_ERR_NULL);
    assert_eq!(c!(ws_accept(request.conn, null(), null(), 1)), WS_ERR_NULL);
    assert_eq!(c!(ws_accept(request.conn, null(), many.as_ptr(), 101)), WS_ERR_ARG);
    for handle in [0, 12_345] {
        assert_eq!(accept(handle, None, &[]), WS_ERR_HANDLE);
        assert_eq!(reply(handle, 200, &[], b""), WS_ERR_HANDLE);
    }
    assert_eq!(accept(server, None, &[]), WS_ERR_KIND);
    assert_eq!(reply(server, 200, &[], b""), WS_ERR_KIND);
    // It still waits, and nothing was sent.
    assert_eq!(c!(ws_reply(request.conn, 200, many.as_ptr(), 100, null(), 0)), WS_OK);
    assert_eq!(to_end(server, &mut stream).matches("A: b\r\n").count(), 100);
    ws_free(server);
}

#[test]
fn closing_and_freeing_end_a_request_with_503() {
    let (server, port) = asking(|_| {});
    for end in [
        |conn: u32, _: u32| assert_eq!(c!(ws_close(conn, 0, null())), WS_OK),
        |conn: u32, _: u32| assert_eq!(c!(ws_close(conn, 1_008, c"no".as_ptr())), WS_OK),
        |conn: u32, server: u32| assert_eq!(c!(ws_disconnect(server, conn as i32, 0, null())), WS_OK),
        |conn: u32, _: u32| ws_free(conn),
        |_: u32, server: u32| assert_eq!(c!(ws_disconnect(server, 0, 0, null())), WS_OK),
    ] {
        let (mut stream, request) = ask(server, port, REQUEST);
        end(request.conn, server);
        assert!(to_end(server, &mut stream).starts_with("HTTP/1.1 503 "));
        if ws_get_state(request.conn) != WS_ERR_HANDLE {
            let gone = event(server, WS_EVENT_DISCONNECTED);
            assert_eq!((gone.cause, gone.status), (WS_CAUSE_DROPPED, 503));
        }
        assert!([WS_ERR_STATE, WS_ERR_HANDLE].contains(&accept(request.conn, None, &[])));
        assert_eq!(next(server), None);
    }
    // -1 drops it without an answer.
    let (mut stream, request) = ask(server, port, REQUEST);
    assert_eq!(c!(ws_close(request.conn, -1, null())), WS_OK);
    assert_eq!(to_end(server, &mut stream), "");
    event(server, WS_EVENT_DISCONNECTED);
    let (mut stream, _) = ask(server, port, REQUEST);
    assert_eq!(c!(ws_close(server, 0, null())), WS_OK);
    assert!(to_end(server, &mut stream).starts_with("HTTP/1.1 503 "));
    assert_eq!(event(server, WS_EVENT_DISCONNECTED).cause, WS_CAUSE_SERVER_CLOSED);
    event(server, WS_EVENT_CLOSED);
    ws_free(server);
}

#[test]
fn two_thousand_requests_wait_at_once() {
    const COUNT: usize = 2_000;
    let (server, port) = asking(|config| {
        config.max_pending_handshakes = 2_000;
        config.handshake_timeout_ms = WS_OFF;
    });
    let mut streams = HashMap::new();
    let mut conns = Vec::new();
    while conns.len() < COUNT {
        for _ in 0..200 {
            let mut stream = come(Ipv4Addr::LOCALHOST, port);
            stream.write_all(if streams.len() % 2 == 0 { REQUEST } else { GET }).unwrap();
            streams.insert(stream.local_addr().unwrap().to_string(), stream);
        }
        let wanted = streams.len();
        poll_until(server, "the requests", || {
            while let Some(found) = next(server) {
                assert_eq!(found.kind, WS_EVENT_REQUEST);
                conns.push((found.conn, found.count));
            }
            conns.len() == wanted
        });
    }
    assert_eq!((stats(server).pending_requests, stats(server).pending_handshakes), (COUNT as u64, COUNT as u64));
    // One more waits in the listen queue until another is answered.
    let mut late = come(Ipv4Addr::LOCALHOST, port);
    late.write_all(GET).unwrap();
    for _ in 0..20 {
        assert!(ws_poll(server) >= 0);
    }
    assert_eq!((stats(server).accepted, next(server)), (COUNT as u64, None));
    for (conn, opens) in conns.iter().rev() {
        let address = text(*conn, WS_GET_REMOTE_ADDRESS);
        let stream = streams.get_mut(&address).unwrap();
        if *opens == 1 {
            assert_eq!(accept(*conn, None, &[]), WS_OK);
            assert!(until(server, stream, b"\r\n\r\n").starts_with(b"HTTP/1.1 101 "));
        } else {
            assert_eq!(reply(*conn, 200, &[], b"ok"), WS_OK);
            assert!(to_end(server, stream).ends_with("ok"));
        }
    }
    let (mut requests, mut others) = (0, 0);
    poll_until(server, "the one that waited", || {
        while let Some(found) = next(server) {
            requests += usize::from(found.kind == WS_EVENT_REQUEST);
            others += usize::from(found.kind != WS_EVENT_REQUEST);
        }
        requests == 1 && others == COUNT
    });
    assert_eq!((stats(server).connections as usize, stats(server).pending_requests), (COUNT / 2, 1));
    ws_free(server);
}

#[test]
fn requests_that_a_program_never_reads_are_answered_and_counted() {
    const COUNT: usize = 4_500;
    let (server, port) = asking(|config| config.handshake_timeout_ms = 1);
    let mut answered = 0;
    while answered < COUNT {
        let mut streams: Vec<TcpStream> = (0..100).map(|_| come(Ipv4Addr::LOCALHOST, port)).collect();
        streams.iter_mut().for_each(|stream| stream.write_all(GET).unwrap());
        for stream in &mut streams {
            let answer = to_end(server, stream);
            // The time may be over before the request has been read.
            answered += usize::from(answer.starts_with("HTTP/1.1 503 "));
            assert!(answer.starts_with("HTTP/1.1 503 ") || answer.starts_with("HTTP/1.1 408 "), "{answer}");
        }
    }
    let mut kinds: HashMap<i32, u64> = HashMap::new();
    let mut skipped = 0;
    while let Some(found) = next(server) {
        *kinds.entry(found.kind).or_default() += 1;
        skipped += if found.kind == WS_EVENT_SKIPPED { found.count } else { 0 };
    }
    let read =
        kinds.get(&WS_EVENT_REQUEST).copied().unwrap_or(0) + kinds.get(&WS_EVENT_DISCONNECTED).copied().unwrap_or(0);
    assert_eq!(kinds.get(&WS_EVENT_SKIPPED), Some(&1));
    assert_eq!(read + skipped, 2 * answered as u64);
    assert!(read <= 4_096, "{read}");
    ws_free(server);
}

#[test]
fn a_host_gives_its_id_to_an_accepted_player() {
    // SAFETY: a ws_config is integers and pointers.
    let mut config: ws_config = unsafe { std::mem::zeroed() };
    c!(ws_config_init(&mut config, size_of::<ws_config>()));
    config.flags = WS_ASK;
    let (mut host, mut port) = (0, 0);
    assert_eq!(c!(ws_host(c"ws://127.0.0.1:0".as_ptr(), &config, &mut host)), WS_OK);
    c!(ws_get_option(host, WS_OPT_PORT, &mut port));
    let (mut refused, request) = ask(host, port as u16, REQUEST);
    assert_eq!((request.peer_id, ws_get_peer_id(request.conn)), (0, 0));
    assert_eq!(reply(request.conn, 403, &[], b""), WS_OK);
    assert!(to_end(host, &mut refused).starts_with("HTTP/1.1 403 "));
    assert_eq!(event(host, WS_EVENT_DISCONNECTED).peer_id, 0);
    let (mut player, request) = ask(host, port as u16, REQUEST);
    for _ in 0..10 {
        assert!(ws_poll(host) >= 0);
    }
    assert_eq!(ws_get_peer_id(request.conn), 0, "it has none while it waits");
    assert_eq!(accept(request.conn, None, &[]), WS_OK);
    let id = ws_get_peer_id(request.conn);
    assert!(id > 1);
    let connected = event(host, WS_EVENT_CONNECTED);
    assert_eq!((connected.conn, connected.peer_id), (request.conn, id));
    let greeting = [b"\x82\x04".as_slice(), &id.to_le_bytes()].concat();
    assert!(until(host, &mut player, &greeting).starts_with(b"HTTP/1.1 101 "));
    // A player in this process is not asked about.
    let mut local = 0;
    assert_eq!(c!(ws_join_local(host, null(), &mut local)), WS_OK);
    let local_player = event(host, WS_EVENT_CONNECTED);
    assert!(local_player.peer_id > 1 && local_player.peer_id != id);
    drop(player);
    let gone = event(host, WS_EVENT_DISCONNECTED);
    assert_eq!((gone.conn, gone.peer_id), (request.conn, id));
    ws_free(local);
    ws_free(host);
}

#[test]
fn an_unread_request_of_a_host_stays_before_connected() {
    // SAFETY: a ws_config is integers and pointers.
    let mut config: ws_config = unsafe { std::mem::zeroed() };
    c!(ws_config_init(&mut config, size_of::<ws_config>()));
    config.flags = WS_ASK;
    let (mut host, mut port) = (0, 0);
    assert_eq!(c!(ws_host(c"ws://127.0.0.1:0".as_ptr(), &config, &mut host)), WS_OK);
    c!(ws_get_option(host, WS_OPT_PORT, &mut port));
    let mut player = come(Ipv4Addr::LOCALHOST, port as u16);
    player.write_all(REQUEST).unwrap();
    let mut conn = 0;
    poll_until(host, "the request", || c!(ws_get_conns(host, &mut conn, 1, &mut 0)) == WS_OK && conn != 0);
    assert_eq!(accept(conn, None, &[]), WS_OK);
    assert_eq!(event(host, WS_EVENT_REQUEST).peer_id, ws_get_peer_id(conn));
    assert_eq!(event(host, WS_EVENT_CONNECTED).peer_id, ws_get_peer_id(conn));
    ws_free(host);
}

#[test]
fn a_server_that_does_not_ask_refuses_plain_http_as_before() {
    let (server, port) = listen("ws://127.0.0.1:0", |_| {});
    let mut stream = come(Ipv4Addr::LOCALHOST, port);
    stream.write_all(GET).unwrap();
    let answer = to_end(server, &mut stream);
    assert!(answer.starts_with("HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade, close\r\n"), "{answer}");
    assert_eq!(next(server), None);
    ws_free(server);
}
