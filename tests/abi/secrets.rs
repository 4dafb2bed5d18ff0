//! Neither the log nor an error message contains a password or token of the URL, headers or subprotocols.
#![allow(unsafe_code)] // Calls the C ABI.

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
    (fill(bytes.as_mut_ptr().cast(), bytes.len(), &mut len) == WS_OK)
        .then(|| String::from_utf8_lossy(&bytes[..len]).into_owned())
}

/// The log is shared by all tests of this process.
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

fn with_log(mut reported: Vec<String>) -> Vec<String> {
    while let Some(line) = text_of(|buf, cap, len| c!(ws_get_log(buf, cap, len))) {
        reported.push(line);
    }
    reported
}

/// Answers one request with `answer`. The thread returns the request.
fn answering(answer: String) -> (std::net::SocketAddr, std::thread::JoinHandle<String>) {
    answering_with(move |_| answer)
}

/// Answers one request with the result of `make`. The thread returns the request.
fn answering_with(
    make: impl FnOnce(&str) -> String + Send + 'static,
) -> (std::net::SocketAddr, std::thread::JoinHandle<String>) {
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
        let request = String::from_utf8(request).unwrap();
        stream.write_all(make(&request).as_bytes()).unwrap();
        request
    });
    (address, asked)
}

#[test]
fn error_messages_and_log_contain_no_secrets_of_host_or_peer() {
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
        let reported = with_log(vec![poll_until_closed(handle)]);
        ws_free(handle);
        assert!(reported.len() > 2, "{reported:?}");
        assert!(!reported.iter().any(|line| line.to_lowercase().contains("marked")), "{reported:?}");
        // The custom header replaces the one derived from the URL.
        let request = asked.join().unwrap();
        assert!(request.contains("authorization: Bearer marked\r\n") && !request.contains("Basic"), "{request}");
        assert!(request.starts_with("GET /game?token=marked HTTP/1.1\r\n"), "the fragment stays here: {request}");
    }
    // Invalid values are not quoted either.
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
fn a_failed_connection_reveals_no_secret() {
    let _alone = ALONE.lock();
    ws_set_log_level(WS_LOG_DEBUG);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = CString::new(format!("ws://player:hunter2@{closed}/game?token=opensesame")).unwrap();
    let mut handle = 0;
    assert_eq!(c!(ws_connect(url.as_ptr(), null(), &mut handle)), WS_OK);
    let reported = with_log(vec![poll_until_closed(handle)]);
    ws_free(handle);
    assert!(reported.iter().any(|line| line.contains("/game")), "the log has the connection: {reported:?}");
    for secret in ["hunter2", "opensesame", "aHVudGVy"] {
        assert!(!reported.iter().any(|line| line.contains(secret)), "{secret} in {reported:?}");
    }
}

#[test]
fn the_login_of_a_proxy_is_in_no_log_line_and_no_error_message() {
    let _alone = ALONE.lock();
    ws_set_log_level(WS_LOG_DEBUG);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let opens = |proxy: &str| {
        let proxy = CString::new(proxy).unwrap();
        // SAFETY: a ws_config is integers and pointers.
        let mut config: ws_config = unsafe { std::mem::zeroed() };
        c!(ws_config_init(&mut config, size_of::<ws_config>()));
        config.proxy = proxy.as_ptr();
        let mut handle = 0;
        (c!(ws_connect(c"ws://game.invalid/?token=marked".as_ptr(), &config, &mut handle)), handle)
    };
    // An echo server sends the request back.
    let (echoing, asked) = answering_with(|request| request.to_owned());
    for (scheme, address) in [("http", echoing), ("http", closed), ("socks5h", closed)] {
        let (result, handle) = opens(&format!("{scheme}://marked:marked@{address}"));
        assert_eq!(result, WS_OK);
        let reported = with_log(vec![poll_until_closed(handle)]);
        ws_free(handle);
        let through = format!("through the proxy {scheme}://{address}");
        assert!(reported.iter().any(|line| line.contains(&through)), "{reported:?}");
        // "marked:marked" in base64.
        assert!(!reported.iter().any(|line| line.contains("marked") || line.contains("bWFya2Vk")), "{reported:?}");
    }
    assert!(asked.join().unwrap().starts_with("CONNECT game.invalid:80 HTTP/1.1\r\n"));
    for wrong in
        ["ftp://marked:marked@h", "http://marked:marked@h:marked", "http://marked:marked@[::1", "http://marked@"]
    {
        assert_eq!(opens(wrong).0, WS_ERR_CONFIG);
        let why = text_of(|buf, cap, len| c!(ws_last_error(buf, cap, len))).unwrap();
        assert!(why.contains("proxy") && !why.contains("marked"), "{why}");
    }
}

#[test]
fn a_response_that_echoes_the_request_reveals_no_secret() {
    let _alone = ALONE.lock();
    ws_set_log_level(WS_LOG_DEBUG);
    for path in (0..30).map(|len| format!("/{}", "p".repeat(len))) {
        for (query, begins) in [
            ("?marked=marked", ""),
            ("?marked", ""),
            ("", "ERR marked"),
            ("", "500 unknown command: Bearer mark"),
            ("", "-ERR v1.marked"),
        ] {
            let (address, asked) = if begins.is_empty() {
                answering_with(|request| request.to_owned())
            } else {
                answering(begins.to_owned())
            };
            let url = CString::new(format!("ws://{address}{path}{query}")).unwrap();
            // SAFETY: a ws_config is integers and pointers.
            let mut config: ws_config = unsafe { std::mem::zeroed() };
            c!(ws_config_init(&mut config, size_of::<ws_config>()));
            let header = c"Authorization: Bearer marked".as_ptr();
            (config.headers, config.headers_count, config.subprotocols) = (&header, 1, c"v1.marked".as_ptr());
            let mut handle = 0;
            assert_eq!(c!(ws_connect(url.as_ptr(), &config, &mut handle)), WS_OK);
            let reported = with_log(vec![poll_until_closed(handle)]);
            ws_free(handle);
            asked.join().unwrap();
            assert!(reported[0].contains("it begins with"), "{reported:?}");
            assert!(!reported.iter().any(|line| line.contains("mark")), "{reported:?}");
        }
    }
}

/// All texts in the events of a handle.
fn events(handle: u32) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        // SAFETY: a ws_event is integers and pointers.
        let mut event: ws_event = unsafe { std::mem::zeroed() };
        if c!(ws_next_event(handle, &mut event)) != WS_OK {
            return texts;
        }
        if event.packet.len > 0 {
            // SAFETY: lent until the next call.
            texts.push(
                String::from_utf8_lossy(unsafe { std::slice::from_raw_parts(event.packet.data, event.packet.len) })
                    .into_owned(),
            );
        }
    }
}

#[test]
fn a_server_reveals_no_secret_of_its_clients() {
    let _alone = ALONE.lock();
    ws_set_log_level(WS_LOG_DEBUG);
    // SAFETY: a ws_config is integers and pointers.
    let mut config: ws_config = unsafe { std::mem::zeroed() };
    c!(ws_config_init(&mut config, size_of::<ws_config>()));
    let header = c"X-Own: marked".as_ptr();
    (config.headers, config.headers_count, config.subprotocols) = (&header, 1, c"v1.game".as_ptr());
    let mut server = 0;
    assert_eq!(c!(ws_listen(c"ws://127.0.0.1:0/game".as_ptr(), &config, &mut server)), WS_OK);
    let url = text_of(|buf, cap, len| c!(ws_get_text(server, WS_GET_URL, buf, cap, len))).unwrap();
    let address = url.trim_start_matches("ws://").trim_end_matches("/game").to_owned();
    let secrets = "Authorization: Basic marked\r\nCookie: marked\r\nX: marked\r\nOrigin: http://marked\r\n";
    let good = "Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    for request in [
        format!("GET /game?marked=marked HTTP/1.1\r\n{good}Sec-WebSocket-Protocol: v1.game, marked\r\n{secrets}\r\n"),
        format!("GET /game?marked=marked HTTP/1.1\r\n{good}Sec-WebSocket-Protocol: v9.marked\r\n{secrets}\r\n"),
        format!("GET /game?marked=marked HTTP/1.1\r\n{good}{secrets}\r\n"),
        format!("GET /other?marked HTTP/1.1\r\n{good}{secrets}\r\n"),
        format!("GET http://marked:marked@h/other?marked HTTP/1.1\r\n{good}{secrets}\r\n"),
        format!("GET /game?marked HTTP/1.0\r\n{good}{secrets}\r\n"),
        format!("POST /game?marked HTTP/1.1\r\n{good}{secrets}\r\nmarked"),
        format!("GET /game?marked HTTP/1.1\r\nHost: marked@marked\r\n{secrets}\r\n"),
        format!("GET /game?marked HTTP/1.1\r\n{good}Host: marked\r\n{secrets}\r\n"),
        format!("GET /game?marked HTTP/1.1\r\n{}{secrets}\r\n", good.replace("AAAA", "marked")),
        format!("GET /game?marked HTTP/1.1\r\n{}{secrets}\r\n", good.replace("13", "marked")),
        format!("GET /game?marked HTTP/1.1\r\n{}{secrets}\r\n", good.replace("websocket", "marked")),
        format!("GET /game?marked HTTP/1.1\r\n{good}Content-Length: marked\r\n{secrets}\r\nmarked"),
        format!("GET /game?marked HTTP/1.1\r\n{good}marked\r\n marked: marked\r\n{secrets}\r\n"),
        format!("GET /game?marked HTTP/1.1\r\n{good}X: {}\r\n\r\n", "marked".repeat(4_000)),
        "marked marked marked\r\n\r\n".to_owned(),
        "\x16\x03\x01marked".to_owned(),
    ] {
        let mut client = std::net::TcpStream::connect(&address).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        client.set_nonblocking(true).unwrap();
        let (mut answer, mut reported, mut ended) = (Vec::new(), Vec::new(), false);
        let end = Instant::now() + Duration::from_secs(20);
        while !ended || !reported.iter().any(|line: &String| line.contains("refused") || line.contains("ended")) {
            assert!(Instant::now() < end, "{request:?} {reported:?} {}", String::from_utf8_lossy(&answer));
            ws_poll(server);
            reported.append(&mut events(server));
            reported = with_log(reported);
            let mut buffer = [0; 4_096];
            match client.read(&mut buffer) {
                Ok(count) if count > 0 => answer.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                _ => ended = true,
            }
            if answer.starts_with(b"HTTP/1.1 101") {
                drop(client.shutdown(std::net::Shutdown::Both));
            }
        }
        assert!(!reported.iter().any(|line| line.contains("marked")), "{request:?}: {reported:?}");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 101") || !answer.contains("marked"), "{request:?}: {answer}");
    }
    ws_free(server);
}
