//! Neither the log nor an error tells a password or a token of the URL.
#![allow(unsafe_code)] // The calls of a C host.

use std::ffi::CString;
use std::io::{Read, Write};
use std::ptr::null;
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::ffi::*;

/// A call as C makes it.
macro_rules! c {
    ($call:expr) => {
        // SAFETY: every pointer of these tests is NULL or points to a live value of its type.
        unsafe { $call }
    };
}

fn text_of(fill: impl Fn(*mut std::ffi::c_char, usize, *mut usize) -> i32) -> Option<String> {
    let (mut bytes, mut len) = ([0u8; 1_024], 0);
    (fill(bytes.as_mut_ptr().cast(), bytes.len(), &mut len) == WS_OK).then(|| String::from_utf8_lossy(&bytes[..len]).into_owned())
}

/// The log is one for all tests of this process.
static ALONE: parking_lot::Mutex<()> = parking_lot::Mutex::new(());

fn poll_until_closed(handle: u32) -> String {
    let end = Instant::now() + Duration::from_secs(20);
    while ws_get_state(handle) != WS_CLOSED {
        assert!(Instant::now() < end);
        ws_poll(handle);
        c!(ws_wait(&handle, 1, 10));
    }
    text_of(|buf, cap, len| c!(ws_get_text(handle, WS_GET_ERROR, buf, cap, len))).unwrap_or_default()
}

fn with_log(mut told: Vec<String>) -> Vec<String> {
    while let Some(line) = text_of(|buf, cap, len| c!(ws_get_log(buf, cap, len))) {
        told.push(line);
    }
    told
}

/// Answers one request; what it was asked.
fn answering(answer: String) -> (std::net::SocketAddr, std::thread::JoinHandle<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            assert_eq!(stream.read(&mut byte).unwrap(), 1);
            request.push(byte[0]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(request).unwrap()
    });
    (address, asked)
}

#[test]
fn no_input_of_host_or_peer_reaches_a_sentence_with_its_secrets() {
    let _alone = ALONE.lock();
    ws_set_log_level(WS_LOG_DEBUG);
    for (status, lines) in [
        ("302 Found", "Location: https://marked:marked@b.example/next?marked#marked\r\n"),
        ("302 Found", "Location: //marked@b.example/next?marked\r\n"),
        ("401 Unauthorized", "WWW-Authenticate: marked\r\nSet-Cookie: marked\r\n"),
        ("400 marked", "X-marked: marked\r\n"),
        ("101 Switching Protocols", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: marked\r\n"),
        ("101 Switching Protocols", "Upgrade: marked\r\nConnection: marked\r\nSec-WebSocket-Protocol: marked\r\n"),
    ] {
        let (address, asked) = answering(format!("HTTP/1.1 {status}\r\n{lines}Content-Length: 6\r\n\r\nmarked"));
        let url = CString::new(format!("ws://marked:marked@{address}/game?token=marked#marked")).unwrap();
        // SAFETY: a ws_config is integers and pointers.
        let mut config: ws_config = unsafe { std::mem::zeroed() };
        c!(ws_config_init(&mut config, size_of::<ws_config>()));
        let (authorization, subprotocols) = (c"authorization: Bearer marked".as_ptr(), c"v1.game, marked");
        config.headers = &authorization;
        config.headers_count = 1;
        config.subprotocols = subprotocols.as_ptr();
        let mut handle = 0;
        assert_eq!(c!(ws_connect(url.as_ptr(), &config, &mut handle)), WS_OK);
        let told = with_log(vec![poll_until_closed(handle)]);
        ws_free(handle);
        assert!(told.len() > 2, "{told:?}");
        assert!(!told.iter().any(|line| line.to_lowercase().contains("marked")), "{told:?}");
        // The host's own header is sent in the place of the one that the URL makes.
        let request = asked.join().unwrap();
        assert!(request.contains("authorization: Bearer marked\r\n") && !request.contains("Basic"), "{request}");
        assert!(request.starts_with("GET /game?token=marked HTTP/1.1\r\n"), "the fragment stays here: {request}");
    }
    // What cannot be used is not repeated either.
    for (header, subprotocol, url) in [
        (c"X marked: a", c"", c"ws://localhost/"),
        (c"X: marked\x01", c"", c"ws://localhost/"),
        (c"", c"mar ked, marked/2", c"ws://localhost/"),
        (c"", c"marked, marked", c"ws://localhost/"),
        (c"", c"", c"ws://marked:marked@[::1/?marked"),
        (c"", c"", c"ws://marked:marked@h:99999/?marked"),
    ] {
        // SAFETY: a ws_config is integers and pointers.
        let mut config: ws_config = unsafe { std::mem::zeroed() };
        c!(ws_config_init(&mut config, size_of::<ws_config>()));
        let header_line = header.as_ptr();
        config.headers = &header_line;
        config.headers_count = u32::from(!header.is_empty());
        config.subprotocols = subprotocol.as_ptr();
        let mut handle = 0;
        assert!(c!(ws_connect(url.as_ptr(), &config, &mut handle)) < 0, "{header:?} {subprotocol:?} {url:?}");
        let why = text_of(|buf, cap, len| c!(ws_last_error(buf, cap, len))).unwrap();
        assert!(!why.contains("marked") && !why.contains("mar ked"), "{why}");
    }
}

#[test]
fn a_failed_connection_tells_no_secret() {
    let _alone = ALONE.lock();
    ws_set_log_level(WS_LOG_DEBUG);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = CString::new(format!("ws://player:hunter2@{closed}/game?token=opensesame")).unwrap();
    let mut handle = 0;
    assert_eq!(c!(ws_connect(url.as_ptr(), null(), &mut handle)), WS_OK);
    let told = with_log(vec![poll_until_closed(handle)]);
    ws_free(handle);
    assert!(told.iter().any(|line| line.contains("/game")), "the log has the connection: {told:?}");
    for secret in ["hunter2", "opensesame", "aHVudGVy"] {
        assert!(!told.iter().any(|line| line.contains(secret)), "{secret} in {told:?}");
    }
}
