//! Problems that users of other libraries reported in public, each tested against wspeer. The table in docs/reports.md
//! lists them, with those covered by other tests.
#![allow(unsafe_code)] // Calls the C ABI.

#[path = "../support/c_host.rs"]
mod c_host;
#[path = "../support/fault_proxy.rs"]
mod fault_proxy;

use c_host::*;
use fault_proxy::{End, Proxy};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use socket2::SockRef;
use std::ffi::{CStr, CString, c_char};
use std::io::{Read, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::ptr::null_mut;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tungstenite::handshake::derive_accept_key;
use wspeer::codes::*;
use wspeer::ffi::*;

/// A client's request with additional header lines.
fn request(target: &str, lines: &str) -> Vec<u8> {
    format!(
        "GET {target} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n{lines}\r\n"
    )
    .into_bytes()
}

/// A server's 101 response to a request, with additional header lines.
fn agreement(request: &str, lines: &str) -> Vec<u8> {
    let key = request.split("Sec-WebSocket-Key: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let accept = derive_accept_key(key.as_bytes());
    format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{lines}\r\n")
        .into_bytes()
}

/// A frame, with masking key 0 if `masked`.
fn frame(first: u8, masked: bool, payload: &[u8]) -> Vec<u8> {
    let bit = if masked { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..126 => bytes.push(bit | len as u8),
        len @ 126..65_536 => bytes.extend([&[bit | 126], (len as u16).to_be_bytes().as_slice()].concat()),
        len => bytes.extend([&[bit | 127], (len as u64).to_be_bytes().as_slice()].concat()),
    }
    bytes.extend(if masked { &[0; 4][..] } else { &[] });
    bytes.extend_from_slice(payload);
    bytes
}

/// Reads the head of a request or response, up to its empty line.
fn read_head(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// Opens a plain socket to the port.
fn raw(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Runs a server for one client: `serve` receives the socket and the request.
fn serving(serve: impl FnOnce(TcpStream, String) + Send + 'static) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let request = read_head(&mut stream);
        serve(stream, request);
    });
    (port, thread)
}

/// Connects to a URL, trusting the certificate `ca` alone if one is given.
fn try_connect(url: &str, ca: Option<&str>) -> Result<u32, i32> {
    let (url, ca) = (CString::new(url).unwrap(), ca.map(|pem| CString::new(pem).unwrap()));
    // SAFETY: a config is numbers and pointers.
    let mut config: ws_config = unsafe { std::mem::zeroed() };
    // SAFETY: it lives.
    assert_eq!(unsafe { ws_config_init(&mut config, size_of::<ws_config>()) }, WS_OK);
    if let Some(ca) = &ca {
        config.ca_pem = ca.as_ptr();
        config.flags = WS_ONLY_CA_PEM;
    }
    let mut client = 0;
    // SAFETY: everything lives.
    let result = unsafe { ws_connect(url.as_ptr(), &config, &mut client) };
    if result == WS_OK { Ok(client) } else { Err(result) }
}

fn text(handle: u32, what: i32) -> String {
    let mut buffer = [0; 512];
    // SAFETY: the buffer lives, and is terminated.
    unsafe {
        assert_eq!(ws_get_text(handle, what, buffer.as_mut_ptr(), buffer.len(), null_mut()), WS_OK);
        CStr::from_ptr(buffer.as_ptr()).to_string_lossy().into_owned()
    }
}

fn header(handle: u32, name: &CStr) -> String {
    let mut buffer = [0; 512];
    // SAFETY: the buffer lives, and is terminated.
    unsafe {
        assert_eq!(
            ws_get_header(handle, name.as_ptr(), 0, buffer.as_mut_ptr(), buffer.len(), null_mut()),
            WS_OK,
            "{name:?}"
        );
        CStr::from_ptr(buffer.as_ptr()).to_string_lossy().into_owned()
    }
}

/// Polls all handles until the first one has an event of type `kind`.
fn event(handles: &[u32], kind: i32) -> Event {
    let mut found = None;
    until(&format!("event {kind}"), || {
        for handle in handles {
            assert!(poll(*handle) >= 0);
        }
        while let Some(event) = next(handles[0]) {
            assert!(event.kind == kind || event.kind != WS_EVENT_CLOSED, "{}", event.error_text());
            if event.kind == kind {
                found = Some(event);
                break;
            }
        }
        found.is_some()
    });
    found.unwrap()
}

/// Polls until a connection ends. Returns its messages and its end event.
fn all_of(handle: u32) -> (Vec<Vec<u8>>, Event) {
    let (mut messages, mut end) = (Vec::new(), None);
    until("the end", || {
        assert!(poll(handle) >= 0);
        while let Some(event) = next(handle) {
            match event.kind {
                WS_EVENT_MESSAGE => {
                    assert!(end.is_none(), "a message after the end");
                    messages.push(event.bytes);
                }
                WS_EVENT_CLOSED | WS_EVENT_DISCONNECTED => end = Some(event),
                _ => {}
            }
        }
        end.is_some()
    });
    (messages, end.unwrap())
}

/// https://github.com/hoppscotch/hoppscotch/issues/289: reserved characters of RFC 3986 in a path are refused.
#[test]
fn every_reserved_character_is_allowed_in_a_url() {
    let (server, port) = listen(None, |_| {});
    for target in [
        "/ws/ethusdt@kline_15m",
        "/@room",
        "/~me",
        "/a+b",
        "/a=b",
        "/a!b$c&d'e(f)g*h;i,j:k",
        "/%7Bkey%3D%22value%22%7D",
        "/a@b?t=x@y:z/?w",
    ] {
        let client = connect_to(port, target, None, |_| {});
        let conn = event(&[server, client], WS_EVENT_CONNECTED).conn;
        event(&[client, server], WS_EVENT_OPEN);
        let query = text(conn, WS_GET_QUERY);
        let asked = if query.is_empty() { path(conn) } else { format!("{}?{query}", path(conn)) };
        assert_eq!(asked, target);
        free(client);
        free(conn);
    }
    free(server);
}

/// https://github.com/websockets/ws/issues/386, https://github.com/netty/netty/issues/4505: a query without a path, or
/// %20, leads to a request line that servers refuse.
#[test]
fn the_request_line_is_valid_for_incomplete_urls() {
    for (of_url, wanted) in [
        ("?qwe=asd", "/?qwe=asd"),
        ("", "/"),
        ("/a%20b?c%20d", "/a%20b?c%20d"),
        ("?t=%sx&y", "/?t=%sx&y"),
        ("/über/\u{1F3AE}?ö", "/%C3%BCber/%F0%9F%8E%AE?%C3%B6"),
        ("/a{b}|c\"d", "/a%7Bb%7D|c%22d"),
    ] {
        let (port, thread) = serving(move |_, request| {
            assert_eq!(request.split(' ').nth(1).unwrap(), wanted);
            assert!(request.lines().next().unwrap().ends_with(" HTTP/1.1"));
        });
        let client = try_connect(&format!("ws://127.0.0.1:{port}{of_url}"), None).unwrap();
        all_of(client);
        free(client);
        thread.join().unwrap_or_else(|_| panic!("{of_url}"));
    }
}

/// The link-local IPv6 address of an interface of this machine, as (address, interface name, interface index).
fn link_local() -> Option<(Ipv6Addr, String, u32)> {
    let list = std::fs::read_to_string("/proc/net/if_inet6").ok()?;
    let of = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let address = Ipv6Addr::from(u128::from_str_radix(fields[0], 16).ok()?);
        let is_usable =
            address.is_unicast_link_local() && u8::from_str_radix(fields[4], 16).is_ok_and(|flags| flags & 0x40 == 0);
        is_usable.then(|| Some((address, fields[5].to_owned(), u32::from_str_radix(fields[1], 16).ok()?)))?
    };
    list.lines().find_map(of)
}

/// https://github.com/curl/curl/issues/21669: connecting to a link-local IPv6 address, as mDNS names resolve to, fails
/// because its interface is lost.
#[test]
fn a_link_local_address_keeps_its_interface() {
    assert_eq!(try_connect("ws://[fe80::1%25nothing0]:9/", None), Err(WS_ERR_URL));
    assert!(last_error().contains("no interface"), "{}", last_error());
    assert_eq!(try_connect("ws://[::1%25]:9/", None), Err(WS_ERR_URL));
    let Some((address, name, number)) = link_local() else {
        println!("SKIP: no link-local address");
        return;
    };
    let made = rcgen::generate_simple_self_signed([address.to_string()]).unwrap();
    let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    for scheme in ["ws", "wss"] {
        let (cert_c, key_c) = (CString::new(cert.as_str()).unwrap(), CString::new(key.as_str()).unwrap());
        // SAFETY: a config is numbers and pointers.
        let mut config: ws_config = unsafe { std::mem::zeroed() };
        // SAFETY: it lives.
        assert_eq!(unsafe { ws_config_init(&mut config, size_of::<ws_config>()) }, WS_OK);
        if scheme == "wss" {
            (config.cert_pem, config.key_pem) = (cert_c.as_ptr(), key_c.as_ptr());
        }
        let (mut server, mut port) = (0, 0);
        let url = CString::new(format!("{scheme}://[{address}%25{name}]:0")).unwrap();
        // SAFETY: everything lives.
        unsafe {
            assert_eq!(ws_listen(url.as_ptr(), &config, &mut server), WS_OK, "{}", last_error());
            assert_eq!(ws_get_option(server, WS_OPT_PORT, &mut port), WS_OK);
        }
        let shown = text(server, WS_GET_URL);
        assert_eq!(shown, format!("{scheme}://[{address}%25{name}]:{port}"));
        for host in [
            format!("{address}%25{name}"),
            format!("{address}%{name}"),
            format!("{address}%25{number}"),
            format!("{address}%{number}"),
        ] {
            let client = try_connect(&format!("{scheme}://[{host}]:{port}/game?a%b"), Some(&cert)).unwrap();
            let conn = event(&[server, client], WS_EVENT_CONNECTED).conn;
            event(&[client, server], WS_EVENT_OPEN);
            assert_eq!(header(conn, c"host"), format!("[{address}]:{port}"));
            assert_eq!(put(client, b"hello"), WS_OK);
            assert_eq!(event(&[server, client], WS_EVENT_MESSAGE).bytes, b"hello");
            free(client);
            free(conn);
        }
        // The URL reported by the server can be connected to.
        let client = try_connect(&format!("{shown}/again"), Some(&cert)).unwrap();
        event(&[client, server], WS_EVENT_OPEN);
        assert_eq!(text(client, WS_GET_URL), format!("{shown}/again"));
        free(client);
        let lost = try_connect(&format!("{scheme}://[{address}]:{port}/"), Some(&cert)).unwrap();
        let (_, end) = all_of(lost);
        assert!(end.phase == WS_PHASE_TCP && end.error_text().contains("needs its interface"), "{}", end.error_text());
        free(lost);
        free(server);
    }
}

/// https://github.com/websockets/ws/issues/2078: localhost is tried at ::1 only while the server listens on 127.0.0.1,
/// or the reverse.
#[test]
fn localhost_reaches_ipv4_and_ipv6_servers() {
    for at in ["127.0.0.1", "[::1]"] {
        let url = CString::new(format!("ws://{at}:0")).unwrap();
        let (mut server, mut port) = (0, 0);
        // SAFETY: everything lives; NULL is the defaults.
        let listens = unsafe { ws_listen(url.as_ptr(), std::ptr::null(), &mut server) };
        if listens != WS_OK && at != "127.0.0.1" {
            println!("SKIP: no IPv6");
            continue;
        }
        // SAFETY: it lives.
        assert_eq!(unsafe { ws_get_option(server, WS_OPT_PORT, &mut port) }, WS_OK);
        for name in ["localhost", "LOCALHOST", "localhost.", "game.localhost"] {
            let client = try_connect(&format!("ws://{name}:{port}/"), None).unwrap();
            event(&[client, server], WS_EVENT_OPEN);
            free(client);
        }
        free(server);
    }
}

/// https://github.com/python-websockets/websockets/issues/1609: a response in HTTP/1.0 is not recognised as HTTP. The
/// server here is Python's http.server.
#[test]
fn an_http_1_0_response_is_reported_with_its_status() {
    let python = Command::new("python3")
        .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", env!("CARGO_MANIFEST_DIR")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut python) = python else {
        assert!(std::env::var_os("CI").is_none(), "python3 is missing");
        println!("SKIP: python3 is missing");
        return;
    };
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(python.stdout.take().unwrap()), &mut line).unwrap();
    let port: u16 = line.split("port ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    for (target, status) in [("/Cargo.toml", 200), ("/not/there", 404)] {
        let client = connect_to(port, target, None, |_| {});
        let (_, end) = all_of(client);
        assert_eq!(
            (end.phase, end.cause, end.http_status),
            (WS_PHASE_HTTP, WS_CAUSE_HTTP_STATUS, status),
            "{}",
            end.error_text()
        );
        assert!(header(client, c"server").starts_with("SimpleHTTP/"));
        free(client);
    }
    python.kill().unwrap();
    python.wait().unwrap();
}

/// https://github.com/rustls/pki-types/pull/63: the error message about unreadable PEM quotes the line, which may be
/// part of a key.
#[test]
fn error_messages_contain_no_part_of_a_key() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let body: String = key.lines().filter(|line| !line.starts_with("---")).collect();
    let one_line = key.replace('\n', " ");
    let changed = [
        key.replace('\n', ""),
        one_line.clone(),
        key.replace('\n', "\\n"),
        format!("\u{FEFF}{key}"),
        key.replace("-----END", "----END"),
        key.replace("-----BEGIN", "-----BEGIN OF"),
        key.replace("PRIVATE KEY-----\n", "PRIVATE KEY-----"),
        key.replacen("PRIVATE KEY", "SECRET KEY", 2),
        body.clone(),
        format!("-----BEGIN {body}"),
        key[..key.len() / 2].to_owned(),
        key.replace('\n', "\r"),
        key.replace('M', "*"),
    ];
    while log_line().is_some() {}
    for (index, pem) in changed.iter().enumerate() {
        for (cert, key) in [(&cert, pem), (pem, &key), (pem, pem)] {
            let (cert, key) = (CString::new(cert.as_str()).unwrap(), CString::new(key.as_str()).unwrap());
            // SAFETY: a config is numbers and pointers.
            let mut config: ws_config = unsafe { std::mem::zeroed() };
            // SAFETY: it lives.
            assert_eq!(unsafe { ws_config_init(&mut config, size_of::<ws_config>()) }, WS_OK);
            (config.cert_pem, config.key_pem) = (cert.as_ptr(), key.as_ptr());
            let mut handle = 0;
            // SAFETY: everything lives.
            let listens = unsafe { ws_listen(c"wss://127.0.0.1:0".as_ptr(), &config, &mut handle) };
            free(handle);
            config.ca_pem = cert.as_ptr();
            // SAFETY: as above.
            let connects = unsafe { ws_connect(c"wss://127.0.0.1:9/".as_ptr(), &config, &mut handle) };
            free(handle);
            let mut reported: Vec<String> = std::iter::from_fn(log_line).collect();
            reported.extend((listens != WS_OK || connects != WS_OK).then(last_error));
            for error_text in &reported {
                let numbers =
                    error_text.split(|char: char| !char.is_ascii_digit()).filter(|run| !run.is_empty()).count();
                assert!(numbers < 8, "variant {index}: bytes in {error_text}");
                let leaked = (0..body.len() - 8).find(|at| error_text.contains(&body[*at..at + 8]));
                assert_eq!(leaked, None, "variant {index}: {error_text}");
            }
        }
    }
}

/// https://github.com/paullouisageneau/libdatachannel/issues/865: a server waits forever for the end of a request that
/// is not one.
#[test]
fn garbage_instead_of_a_request_is_refused_at_once() {
    // Without a handshake timeout, only the bytes themselves can end the connection.
    let (server, port) = listen(None, |config| config.handshake_timeout_ms = WS_OFF);
    let hello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3];
    let garbage: [&[u8]; 8] = [
        &hello,
        b"\xFF\xFD\x03\xFF\xFB\x18",
        b"\0\0\0\0",
        b"hello\r\n\r\n",
        b"xyzzy plugh\r\nx\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET \x80\x81\r\n\r\n",
        b"\n\n\n\x01garbage",
    ];
    for (index, bytes) in garbage.iter().enumerate() {
        let mut stream = raw(port);
        stream.set_nonblocking(true).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        until(&format!("the end after {:?}", String::from_utf8_lossy(bytes)), || {
            poll(server);
            let mut buffer = [0; 1_024];
            match stream.read(&mut buffer) {
                Ok(0) => true,
                Ok(count) => {
                    answer.extend_from_slice(&buffer[..count]);
                    false
                }
                Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
            }
        });
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
        assert_eq!(c_host::stats(server).refused, index as u64 + 1);
    }
    free(server);
    // Bytes that begin like a request are ended by the timeout.
    let (server, port) = listen(None, |config| config.handshake_timeout_ms = 100);
    let mut stream = raw(port);
    stream.write_all(b"GET garbage").unwrap();
    until("the timeout", || {
        poll(server);
        c_host::stats(server).refused == 1
    });
    free(server);
    // A client that speaks TLS to a server without TLS.
    let (server, port) = listen(None, |_| {});
    let client = connect(port, Some(&Certificate::new()), |_| {});
    let mut end = None;
    until("the client's end", || {
        poll(server);
        poll(client);
        end = next(client).filter(Event::is_end);
        end.is_some()
    });
    let end = end.unwrap();
    assert!(end.phase == WS_PHASE_TLS && end.error_text().contains("ws://"), "{}", end.error_text());
    free(client);
    free(server);
}

/// https://github.com/psf/requests/issues/6978: an explicitly trusted certificate is refused because the chain to its
/// issuer is incomplete.
#[test]
fn an_explicitly_trusted_certificate_needs_no_complete_chain() {
    let authority = |name: &str| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params, KeyPair::generate().unwrap())
    };
    let ((root, root_key), (middle, middle_key)) = (authority("root"), authority("middle"));
    let root_pem = root.self_signed(&root_key).unwrap().pem();
    let by_root = Issuer::new(root, root_key);
    let middle_pem = middle.signed_by(&middle_key, &by_root).unwrap().pem();
    let by_middle = Issuer::new(middle, middle_key);
    let leaf_key = KeyPair::generate().unwrap();
    let leaf =
        CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&leaf_key, &by_middle).unwrap().pem();
    for (chain, trusted, passes) in [
        (leaf.clone(), &leaf, true),
        (leaf.clone(), &middle_pem, true),
        (leaf.clone(), &root_pem, false),
        (format!("{leaf}{middle_pem}"), &root_pem, true),
        (format!("{leaf}{middle_pem}"), &middle_pem, true),
        (format!("{leaf}{middle_pem}"), &leaf, true),
        // Another certificate in place of the missing one.
        (format!("{leaf}{root_pem}"), &leaf, true),
    ] {
        let (server, port) = listen_with(&chain, &leaf_key.serialize_pem());
        let client = try_connect(&format!("wss://127.0.0.1:{port}/"), Some(trusted)).unwrap();
        let reported = fate(client, server);
        assert_eq!(reported.kind == WS_EVENT_OPEN, passes, "{}", reported.error_text());
        if !passes {
            assert_eq!(reported.phase, WS_PHASE_TLS);
            assert!(
                reported.error_text().contains("whole chain"),
                "the message names the missing chain: {}",
                reported.error_text()
            );
        }
        free(client);
        free(server);
    }
}

/// The compressed form of a message without its last four bytes (RFC 7692 section 7.2.1).
fn deflated(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + 1_024);
    Compress::new(Compression::best(), false).compress_vec(payload, &mut bytes, FlushCompress::Sync).unwrap();
    assert!(bytes.ends_with(&[0, 0, 0xFF, 0xFF]));
    bytes.truncate(bytes.len() - 4);
    bytes
}

/// https://github.com/centrifugal/centrifugo/pull/1162: the limit of a message's size counts only its compressed bytes.
#[test]
fn the_size_limit_applies_to_the_decompressed_message() {
    const LIMIT: usize = 10_240;
    for (len, passes) in [(LIMIT, true), (LIMIT + 1, false), (65_536, false), (8 << 20, false)] {
        // In one frame, and in fragments of a few bytes.
        for piece in [usize::MAX, 7] {
            let (server, port) = listen(None, |config| {
                config.flags = WS_DEFLATE;
                config.max_message_bytes = LIMIT as u32;
            });
            let mut stream = raw(port);
            stream.write_all(&request("/", "Sec-WebSocket-Extensions: permessage-deflate\r\n")).unwrap();
            let bomb = deflated(&vec![0; len]);
            assert!(bomb.len() < LIMIT);
            let last = bomb.chunks(piece.min(bomb.len())).count() - 1;
            for (index, part) in bomb.chunks(piece.min(bomb.len())).enumerate() {
                let first = if index == 0 { 0x42 } else { 0 } | if index == last { 0x80 } else { 0 };
                // The server may already have closed the connection.
                let _ = stream.write_all(&frame(first, true, part));
            }
            let (mut message, mut end) = (None, None);
            until("the message or the end", || {
                poll(server);
                while let Some(event) = next(server) {
                    match event.kind {
                        WS_EVENT_MESSAGE => message = Some(event.bytes),
                        WS_EVENT_DISCONNECTED => end = Some(event),
                        _ => {}
                    }
                }
                if end.is_none() && message.is_none() {
                    // Answers the server's close frame, so that the connection ends.
                    let _ = stream.write(&frame(0x88, true, b"\x03\xF1")).is_ok() && !passes;
                }
                end.is_some() || message.is_some()
            });
            if passes {
                assert_eq!(message.unwrap(), vec![0; len]);
            } else {
                let end = end.unwrap();
                assert_eq!(
                    (message, end.code, end.cause),
                    (None, 1009, WS_CAUSE_TOO_BIG),
                    "{len} in pieces of {piece}: {}",
                    end.error_text()
                );
            }
            free(server);
        }
    }
}

/// https://github.com/cesanta/mongoose/issues/1109: a last message followed by a reset is lost if the client keeps
/// sending.
#[test]
fn a_message_followed_by_a_reset_is_received() {
    for (puts, polls_first) in [(0, false), (1, false), (40, false), (1, true)] {
        let (go, wait): (_, Receiver<()>) = channel();
        let (port, thread) = serving(move |mut stream, request| {
            stream.write_all(&agreement(&request, "")).unwrap();
            wait.recv().unwrap();
            stream.write_all(&frame(0x81, false, b"the final result")).unwrap();
            // Closing with unread data and no linger sends a reset.
            SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        });
        let client = connect(port, None, |_| {});
        event(&[client], WS_EVENT_OPEN);
        assert_eq!(put(client, b"the end of the audio"), WS_OK);
        if polls_first {
            poll(client);
        }
        go.send(()).unwrap();
        thread.join().unwrap();
        for _ in 0..puts {
            // The reset has arrived; the first write reports it.
            put(client, &[7; 4_096]);
            flush(client);
        }
        let (messages, end) = all_of(client);
        assert_eq!(messages, [b"the final result".to_vec()], "after {puts} puts");
        assert_eq!((end.code, end.clean), (1006, false), "{}", end.error_text());
        free(client);
    }
}

/// https://github.com/vi/websocat/issues/173: a redirect is reported by its status number only.
#[test]
fn a_redirect_names_its_target() {
    for (status, location, wanted) in [
        (302, "http://example.com/", "ws://example.com/"),
        (301, "https://example.com:8443/play?token=secret", "wss://example.com:8443/play"),
        (307, "/v2/game", "/v2/game"),
        (308, "wss://example.com/x", "wss://example.com/x"),
    ] {
        let (port, thread) = serving(move |mut stream, _| {
            write!(stream, "HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n").unwrap();
        });
        let client = connect(port, None, |_| {});
        let (_, end) = all_of(client);
        assert_eq!((end.phase, end.cause, end.http_status), (WS_PHASE_HTTP, WS_CAUSE_HTTP_STATUS, status));
        assert!(end.error_text().contains(wanted) && !end.error_text().contains("secret"), "{}", end.error_text());
        free(client);
        thread.join().unwrap();
    }
}

/// https://github.com/curl/curl/issues/22107: a frame that arrives with the response to the opening handshake is lost.
#[test]
fn a_frame_sent_with_the_handshake_response_is_received() {
    for close in [false, true] {
        let (port, thread) = serving(move |mut stream, request| {
            let mut bytes = agreement(&request, "");
            bytes.extend(frame(0x81, false, b"first"));
            bytes.extend(frame(0x02, false, b"sec"));
            bytes.extend(frame(0x89, false, b"ping"));
            bytes.extend(frame(0x80, false, b"ond"));
            bytes.extend(if close { frame(0x88, false, b"\x0F\xA1go") } else { Vec::new() });
            stream.write_all(&bytes).unwrap();
            // Until the client has disconnected or answered the ping.
            let _ = stream.read(&mut [0; 64]);
        });
        let client = connect(port, None, |_| {});
        let (messages, end) = all_of(client);
        assert_eq!(messages, [b"first".to_vec(), b"second".to_vec()]);
        assert_eq!(end.code, if close { 4001 } else { 1006 }, "{}", end.error_text());
        free(client);
        thread.join().unwrap();
    }
    // A server that sends to each client in the poll that accepts it; with and without TLS.
    for certificate in [None, Some(Certificate::new())] {
        let (server, port) = listen(certificate.as_ref(), |_| {});
        for round in 0..20_u8 {
            let client = connect(port, certificate.as_ref(), |_| {});
            let conn = event(&[server, client], WS_EVENT_CONNECTED).conn;
            assert_eq!(put(conn, &[round]), WS_OK);
            assert_eq!(event(&[client, server], WS_EVENT_MESSAGE).bytes, [round]);
            free(client);
        }
        free(server);
    }
}

/// https://github.com/godotengine/godot/issues/107442: a message that a server sends right before it closes cannot be
/// read.
#[test]
fn a_message_sent_right_before_the_close_is_received() {
    for multiplayer in [false, true] {
        let (port, thread) = serving(move |mut stream, request| {
            stream.write_all(&agreement(&request, "")).unwrap();
            let mut bytes = if multiplayer { frame(0x82, false, &77_i32.to_le_bytes()) } else { Vec::new() };
            bytes.extend(frame(0x82, false, b"PONG"));
            bytes.extend(frame(0x88, false, b"\x03\xE8"));
            stream.write_all(&bytes).unwrap();
        });
        let client = if multiplayer {
            let (url, mut join) = (CString::new(format!("ws://127.0.0.1:{port}/")).unwrap(), 0);
            // SAFETY: everything lives; NULL is the defaults.
            assert_eq!(unsafe { ws_join(url.as_ptr(), std::ptr::null(), &mut join) }, WS_OK);
            join
        } else {
            connect(port, None, |_| {})
        };
        // Like a script that reads packets only after it has checked the state.
        until("the end", || {
            assert!(poll(client) >= 0);
            ws_get_state(client) == WS_CLOSED
        });
        thread.join().unwrap();
        // SAFETY: a packet is numbers and pointers; it lives, and its data until the next read.
        let got = unsafe {
            let mut packet: ws_packet = std::mem::zeroed();
            assert_eq!(ws_get_packet(client, &mut packet), WS_OK, "multiplayer: {multiplayer}");
            std::slice::from_raw_parts(packet.data, packet.len).to_vec()
        };
        assert_eq!(got, b"PONG");
        free(client);
    }
    // The same from a client to a server.
    let (server, port) = listen(None, |_| {});
    let mut stream = raw(port);
    let last = [request("/", ""), frame(0x82, true, b"bye"), frame(0x88, true, b"\x03\xE8")].concat();
    stream.write_all(&last).unwrap();
    drop(stream);
    let (messages, end) = all_of(server);
    assert_eq!((messages, end.code), (vec![b"bye".to_vec()], 1000));
    free(server);
}

/// https://github.com/Redot-Engine/redot-engine/issues/31 (of godotengine/godot#70738): messages that arrive faster
/// than the game reads are dropped.
#[test]
fn messages_that_arrive_faster_than_they_are_read_are_not_lost() {
    const MESSAGES: u32 = 30_000;
    for certificate in [None, Some(Certificate::new())] {
        let (server, port) =
            listen(certificate.as_ref(), |config| (config.inbound_packets, config.inbound_bytes) = (64, 16 << 10));
        let client = connect(port, certificate.as_ref(), |_| {});
        event(&[client, server], WS_EVENT_OPEN);
        let (mut sent, mut read) = (0_u32, 0_u32);
        until("all messages arrive", || {
            poll(client);
            while sent < MESSAGES && put(client, &sent.to_le_bytes().repeat(8)) == WS_OK {
                sent += 1;
            }
            poll(server);
            // At most 50 events a frame.
            for _ in 0..50 {
                match next(server) {
                    Some(event) if event.kind == WS_EVENT_MESSAGE => {
                        assert_eq!(event.bytes, read.to_le_bytes().repeat(8), "message {read} of {MESSAGES}");
                        read += 1;
                    }
                    Some(event) => assert_eq!(event.kind, WS_EVENT_CONNECTED),
                    None => break,
                }
            }
            read == MESSAGES
        });
        free(client);
        free(server);
    }
}

/// https://github.com/godotengine/godot/issues/38959: a message over 64 KiB ends the connection without any report.
#[test]
fn a_message_over_64_kib_arrives_or_its_failure_is_reported() {
    for (certificate, flags) in [(None, 0), (None, WS_DEFLATE), (Some(Certificate::new()), 0)] {
        let (server, port) = listen(certificate.as_ref(), |config| config.flags = flags);
        let client = connect(port, certificate.as_ref(), |config| {
            config.flags |= flags;
            config.max_message_bytes = 3 << 20;
        });
        let conn = event(&[server, client], WS_EVENT_CONNECTED).conn;
        for len in [64_000, 65_000, 65_535, 65_536, 65_537, 262_144, 3 << 20] {
            let message: Vec<u8> = (0..len).map(|at: usize| (at * 7 + at / 251) as u8).collect();
            assert_eq!(put(conn, &message), WS_OK);
            assert!(event(&[client, server], WS_EVENT_MESSAGE).bytes == message, "{len} to the client");
            assert_eq!(put(client, &message), WS_OK);
            assert!(event(&[server, client], WS_EVENT_MESSAGE).bytes == message, "{len} to the server");
        }
        assert_eq!(put(conn, &vec![1; (3 << 20) + 1]), WS_OK);
        let mut ends = Vec::new();
        until("both ends report the end", || {
            poll(server);
            poll(client);
            ends.extend([client, server].into_iter().filter_map(next).filter(Event::is_end));
            ends.len() == 2
        });
        let of = |handle| ends.iter().find(|end| (end.conn == client) == (handle == client)).unwrap();
        assert_eq!((of(client).code, of(client).cause), (1009, WS_CAUSE_TOO_BIG), "{}", of(client).error_text());
        assert_eq!((of(server).code, of(server).cause), (1009, WS_CAUSE_CLOSED_BY_PEER), "{}", of(server).error_text());
        free(client);
        free(server);
    }
}

/// https://github.com/endel/NativeWebSocket/issues/48: a game that sends while the network is gone freezes for seconds.
#[test]
fn sending_into_a_dead_network_never_blocks() {
    for (certificate, silence) in [(None, End::Swallow), (None, End::Stall), (Some(Certificate::new()), End::Stall)] {
        let (server, port) = listen(certificate.as_ref(), |_| {});
        let proxy = Proxy::new(port);
        let client = connect(proxy.port, certificate.as_ref(), |config| {
            (config.heartbeat_ms, config.pong_timeout_ms) = (200, 600)
        });
        event(&[client, server], WS_EVENT_OPEN);
        proxy.end_all(silence);
        let (mut full, mut calls, mut end) = (false, 0_u64, None);
        until("the end is reported", || {
            // If a call blocked, the loop would not reach 20 frames before the end. One of them puts little, so that
            // many fit into the time of the heartbeat on a busy machine too.
            full |= (0..4).any(|_| put(client, &[1; 65_536]) == WS_ERR_FULL);
            calls += 1;
            poll(client);
            end = std::iter::from_fn(|| next(client)).find(Event::is_end);
            end.is_some()
        });
        let end = end.unwrap();
        assert!(silence == End::Swallow || full, "a full queue is reported");
        assert!(calls > 20, "{calls} frames until the end was reported");
        assert_eq!((end.cause, end.code), (WS_CAUSE_PONG_TIMEOUT, 1006), "{}", end.error_text());
        free(client);
        free(server);
    }
}

/// https://github.com/snapview/tungstenite-rs/issues/531: a header value that is not ASCII fails the opening handshake.
#[test]
fn header_values_may_be_non_ascii() {
    // Custom headers in a request and a response.
    let city = [c"X-City: Montr\u{e9}al".as_ptr()];
    let headers = |config: &mut ws_config, lines: &[*const c_char; 1]| {
        (config.headers, config.headers_count) = (lines.as_ptr(), 1)
    };
    let (server, port) = listen(None, |config| headers(config, &city));
    let client = connect(port, None, |config| headers(config, &city));
    let conn = event(&[server, client], WS_EVENT_CONNECTED).conn;
    event(&[client, server], WS_EVENT_OPEN);
    assert_eq!((header(conn, c"x-city"), header(client, c"x-city")), ("Montréal".to_owned(), "Montréal".to_owned()));
    free(client);
    // Headers of the remote peer, in UTF-8 and in ISO 8859-1.
    for value in [&b"Montr\xC3\xA9al"[..], b"Montr\xE9al"] {
        let mut stream = raw(port);
        let line = [b"Cookie: city=".as_slice(), value, b"\r\n\r\n"].concat();
        let mut bytes = request("/", "");
        bytes.truncate(bytes.len() - 2);
        stream.write_all(&[bytes, line].concat()).unwrap();
        let conn = event(&[server], WS_EVENT_CONNECTED).conn;
        assert!(header(conn, c"cookie").starts_with("city=Montr"));
        assert!(read_head(&mut stream).starts_with("HTTP/1.1 101 "));
        let (port, thread) = serving(move |mut stream, request| {
            let mut bytes = agreement(&request, "");
            bytes.truncate(bytes.len() - 2);
            stream.write_all(&[&bytes, b"Server: ".as_slice(), value, b"\r\n\r\n"].concat()).unwrap();
            let _ = stream.read(&mut [0; 64]);
        });
        let client = connect(port, None, |_| {});
        event(&[client], WS_EVENT_OPEN);
        assert!(header(client, c"server").starts_with("Montr"));
        free(client);
        thread.join().unwrap();
    }
    free(server);
}

/// https://github.com/sockudo/sockudo-ws/pull/14, https://github.com/oven-sh/bun/issues/25673: with context takeover,
/// an uncompressed message or a broadcast between messages to one client desynchronises the two windows, and later
/// messages are corrupted. The receiver here is zlib itself.
#[test]
fn uncompressed_messages_keep_the_compression_windows_in_step() {
    for offer in [
        "permessage-deflate",
        "permessage-deflate; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits=10",
    ] {
        let (server, port) = listen(None, |config| config.flags = WS_DEFLATE);
        let mut streams = Vec::new();
        let mut conns = Vec::new();
        for _ in 0..2 {
            let mut stream = raw(port);
            stream.write_all(&request("/", &format!("Sec-WebSocket-Extensions: {offer}\r\n"))).unwrap();
            conns.push(event(&[server], WS_EVENT_CONNECTED).conn);
            let head = read_head(&mut stream);
            assert!(head.contains("permessage-deflate"), "{head}");
            streams.push((stream, Decompress::new(false), head.contains("server_no_context_takeover")));
        }
        let mut seed = 7_u32;
        let mut random = move || {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            seed
        };
        let mut compressed = 0;
        for round in 0..120 {
            let len = [3, 40, 200, 900, 5_000, 70_000][random() as usize % 6];
            let noise = random() % 3 == 0;
            let message: Vec<u8> =
                (0..len)
                    .map(|at| {
                        if noise {
                            random() as u8
                        } else {
                            b"the quick brown fox "[(at + round) % 20] ^ (at / 700) as u8
                        }
                    })
                    .collect();
            let to_all = random() % 3 == 0;
            let one = random() as usize % 2;
            assert_eq!(put(if to_all { server } else { conns[one] }, &message), WS_OK);
            for (index, (stream, inflate, afresh)) in streams.iter_mut().enumerate() {
                if to_all || index == one {
                    let (bytes, was_compressed) = read_message(server, stream, inflate, *afresh);
                    assert!(bytes == message, "{offer}, round {round}, {len} bytes, noise {noise}, to all {to_all}");
                    compressed += u32::from(was_compressed);
                }
            }
        }
        assert!(compressed > 20, "{compressed} messages were compressed");
        free(server);
    }
}

/// Reads a message from a server while polling it. Only compressed messages advance the inflate window.
fn read_message(server: u32, stream: &mut TcpStream, inflate: &mut Decompress, afresh: bool) -> (Vec<u8>, bool) {
    let mut payload = Vec::new();
    let mut compressed = false;
    loop {
        let mut take = |count: usize| {
            let mut bytes = vec![0; count];
            let mut have = 0;
            stream.set_nonblocking(true).unwrap();
            until("a frame", || {
                poll(server);
                match stream.read(&mut bytes[have..]) {
                    Ok(0) if have < count => panic!("the connection ended"),
                    Ok(more) => have += more,
                    Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
                }
                have == count
            });
            bytes
        };
        let head = take(2);
        let len = match head[1] {
            126 => take(2).iter().fold(0, |len, byte| len << 8 | usize::from(*byte)),
            127 => take(8).iter().fold(0, |len, byte| len << 8 | usize::from(*byte)),
            len => usize::from(len),
        };
        payload.extend(take(len));
        compressed |= head[0] & 0x40 != 0;
        if head[0] & 0x80 != 0 {
            break;
        }
    }
    if !compressed {
        return (payload, false);
    }
    payload.extend([0, 0, 0xFF, 0xFF]);
    if afresh {
        inflate.reset(false);
    }
    let (mut plain, start) = (Vec::new(), inflate.total_in());
    loop {
        plain.reserve(1 << 16);
        let used = (inflate.total_in() - start) as usize;
        let before = plain.len();
        inflate.decompress_vec(&payload[used..], &mut plain, FlushDecompress::Sync).expect("zlib takes it");
        if plain.len() == before && (inflate.total_in() - start) as usize == payload.len() {
            return (plain, true);
        }
    }
}

/// https://github.com/uNetworking/uWebSockets.js/issues/76: a client that does not offer permessage-deflate, or offers
/// Safari's old extension, gets an empty header.
#[test]
fn a_response_has_no_empty_header() {
    for flags in [0, WS_DEFLATE] {
        let (server, port) = listen(None, |config| config.flags = flags);
        for lines in [
            "",
            "Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\n",
            "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99\r\n",
            "Sec-WebSocket-Extensions: \r\n",
            "Sec-WebSocket-Protocol: chat, superchat\r\n",
        ] {
            let mut stream = raw(port);
            stream.write_all(&request("/", lines)).unwrap();
            event(&[server], WS_EVENT_CONNECTED);
            let head = read_head(&mut stream);
            assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
            assert!(
                !head.to_ascii_lowercase().contains("sec-websocket-extensions")
                    && !head.to_ascii_lowercase().contains("sec-websocket-protocol"),
                "{head}"
            );
            assert!(
                head.lines()
                    .skip(1)
                    .all(|line| line.is_empty() || line.split_once(": ").is_some_and(|(_, value)| !value.is_empty())),
                "{head}"
            );
        }
        free(server);
    }
}

/// https://github.com/oven-sh/bun/pull/36112: a close frame received while sending is blocked leaves the connection
/// open.
#[test]
fn a_close_frame_received_while_sending_is_blocked_ends_the_connection() {
    let (go, wait): (_, Receiver<()>) = channel();
    let (port, thread) = serving(move |mut stream, request| {
        stream.write_all(&agreement(&request, "")).unwrap();
        wait.recv().unwrap();
        stream.write_all(&frame(0x88, false, b"\x03\xE8bye")).unwrap();
        // The server never reads, and keeps the socket open.
        let _ = wait.recv();
    });
    let client = connect(port, None, |config| config.close_timeout_ms = 300);
    event(&[client], WS_EVENT_OPEN);
    until("the queue is full", || {
        let full = put(client, &[7; 65_536]) == WS_ERR_FULL;
        poll(client);
        full
    });
    go.send(()).unwrap();
    until("it is closing", || {
        poll(client);
        ws_get_state(client) != WS_OPEN
    });
    assert_eq!(put(client, b"more"), WS_ERR_STATE);
    let (_, end) = all_of(client);
    assert_eq!((end.code, end.cause, end.clean), (1000, WS_CAUSE_CLOSED_BY_PEER, false), "{}", end.error_text());
    assert!(end.unsent > 0 && end.error_text().contains("bye"), "{} unsent: {}", end.unsent, end.error_text());
    free(client);
    drop(go);
    thread.join().unwrap();
}

/// A certificate whose subjectAltName has these names, all as DNS names even if they are addresses, and its key.
fn named(names: &[&str]) -> (String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = names.iter().map(|name| rcgen::SanType::DnsName((*name).try_into().unwrap())).collect();
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// Starts a wss:// server on 127.0.0.1. Returns its handle and port.
fn listen_with(cert: &str, key: &str) -> (u32, u16) {
    let (cert, key) = (CString::new(cert).unwrap(), CString::new(key).unwrap());
    let (mut server, mut port) = (0, 0);
    // SAFETY: a config is numbers and pointers, and everything lives.
    unsafe {
        let mut config: ws_config = std::mem::zeroed();
        assert_eq!(ws_config_init(&mut config, size_of::<ws_config>()), WS_OK);
        (config.cert_pem, config.key_pem) = (cert.as_ptr(), key.as_ptr());
        assert_eq!(ws_listen(c"wss://127.0.0.1:0".as_ptr(), &config, &mut server), WS_OK, "{}", last_error());
        assert_eq!(ws_get_option(server, WS_OPT_PORT, &mut port), WS_OK);
    }
    (server, port as u16)
}

/// Polls a client and its server until the client reports OPEN or its end.
fn fate(client: u32, server: u32) -> Event {
    let mut reported = None;
    until("OPEN or the end of the client", || {
        poll(server);
        poll(client);
        reported = next(client).filter(|event| event.kind == WS_EVENT_OPEN || event.is_end());
        reported.is_some()
    });
    reported.unwrap()
}

/// https://github.com/briansmith/webpki/issues/257: a certificate with an IP address as a DNS name is refused for its
/// other names too.
#[test]
fn an_ip_address_as_dns_name_does_not_invalidate_the_other_names() {
    let (cert, key) = named(&["127.0.0.1", "192.168.0.42", "localhost"]);
    let (server, port) = listen_with(&cert, &key);
    let client = try_connect(&format!("wss://localhost:{port}/"), Some(&cert)).unwrap();
    let reported = fate(client, server);
    assert_eq!(reported.kind, WS_EVENT_OPEN, "{}", reported.error_text());
    free(client);
    let client = try_connect(&format!("wss://127.0.0.1:{port}/"), Some(&cert)).unwrap();
    let reported = fate(client, server);
    assert!(
        reported.phase == WS_PHASE_TLS && reported.error_text().contains("not for the name"),
        "{}",
        reported.error_text()
    );
    println!("IP as DNS: {}", reported.error_text());
    free(client);
    free(server);
}

/// https://github.com/curl/curl/pull/13486: a host name with a trailing dot (an absolute name) fails the certificate
/// check.
#[test]
fn certificate_names_match_despite_case_and_a_trailing_dot() {
    let (cert, key) = named(&["localhost", "game.localhost", "*.lan.localhost", "my_pc.localhost"]);
    let (server, port) = listen_with(&cert, &key);
    for name in [
        "localhost",
        "localhost.",
        "LocalHost",
        "game.localhost",
        "game.localhost.",
        "GAME.lan.localhost",
        "a.lan.localhost.",
        "my_pc.localhost",
    ] {
        let client = try_connect(&format!("wss://{name}:{port}/"), Some(&cert))
            .unwrap_or_else(|error| panic!("{name}: {error} {}", last_error()));
        let reported = fate(client, server);
        assert_eq!(reported.kind, WS_EVENT_OPEN, "{name}: {}", reported.error_text());
        free(client);
    }
    free(server);
}

/// Runs a TLS server for one client, like `serving`. Returns its port, certificate and thread.
fn serving_tls(
    serve: impl FnOnce(rustls::StreamOwned<rustls::ServerConnection, TcpStream>, String) + Send + 'static,
) -> (u16, String, JoinHandle<()>) {
    use rustls::pki_types::pem::PemObject;
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let config =
        rustls::ServerConfig::builder_with_provider(std::sync::Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![made.cert.der().clone()],
                rustls::pki_types::PrivateKeyDer::from_pem_slice(made.signing_key.serialize_pem().as_bytes()).unwrap(),
            )
            .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut stream =
            rustls::StreamOwned::new(rustls::ServerConnection::new(std::sync::Arc::new(config)).unwrap(), stream);
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        serve(stream, String::from_utf8(head).unwrap());
    });
    (port, made.cert.pem(), thread)
}

/// https://github.com/tokio-rs/tls/issues/157: a peer that ends without the close_notify of TLS, as many do, is an
/// error even after a clean close.
#[test]
fn a_missing_close_notify_does_not_make_a_clean_close_unclean() {
    for close in [true, false] {
        let (port, cert, thread) = serving_tls(move |mut stream, request| {
            let mut bytes = agreement(&request, "");
            bytes.extend(frame(0x81, false, b"last"));
            bytes.extend(if close { frame(0x88, false, b"\x03\xE8done") } else { Vec::new() });
            stream.write_all(&bytes).unwrap();
            if close {
                // Reads the client's close frame.
                stream.read_exact(&mut [0; 8]).unwrap();
            }
            drop(stream.sock);
        });
        let client = try_connect(&format!("wss://127.0.0.1:{port}/"), Some(&cert)).unwrap();
        let (messages, end) = all_of(client);
        thread.join().unwrap();
        assert_eq!(messages, [b"last".to_vec()]);
        assert_eq!((end.code, end.clean), if close { (1000, true) } else { (1006, false) }, "{}", end.error_text());
        assert_eq!(end.cause, if close { WS_CAUSE_CLOSED_BY_PEER } else { WS_CAUSE_PEER_GONE }, "{}", end.error_text());
        free(client);
    }
}

/// https://github.com/cth35/tydom_python/issues/1 (a missing reason phrase), and extra headers that some servers put
/// into a 101.
#[test]
fn a_101_response_may_lack_a_reason_or_have_extra_headers() {
    for (line, more) in [
        ("HTTP/1.1 101", ""),
        ("HTTP/1.1 101 ", ""),
        ("HTTP/1.1 101 Web Socket Protocol Handshake \u{2713}", ""),
        ("HTTP/1.1 101 x", "Content-Length: 0\r\n"),
        ("HTTP/1.1 101 x", "Transfer-Encoding: chunked\r\n"),
        ("HTTP/1.1 101 x", "Keep-Alive: timeout=5\r\nConnection: keep-alive\r\nX-Empty:\r\n"),
        ("HTTP/1.1 101 x", "Set-Cookie: a=b; Path=/\r\nSet-Cookie: c=d\r\nAlt-Svc: h3=\":443\"\r\n"),
    ] {
        let (port, thread) = serving(move |mut stream, request| {
            let bytes = agreement(&request, more);
            let end = bytes.iter().position(|byte| *byte == b'\r').unwrap();
            stream.write_all(&[line.as_bytes(), &bytes[end..], &frame(0x82, false, b"hello")].concat()).unwrap();
            let _ = stream.read(&mut [0; 64]);
        });
        let client = connect(port, None, |_| {});
        let reported = event(&[client], WS_EVENT_MESSAGE);
        assert_eq!(reported.bytes, b"hello", "{line} {more}");
        free(client);
        thread.join().unwrap();
    }
}

/// https://github.com/godotengine/godot-demo-projects/issues/793: a player that leaves stays in the server's list.
#[test]
fn a_leaving_player_is_reported_at_once() {
    for flags in [0, WS_GODOT3, WS_SCENE] {
        for leaves in [0, 1, 2] {
            let (host, port) = c_host::host(|config| config.flags = flags);
            let url = CString::new(format!("ws://127.0.0.1:{port}/")).unwrap();
            let mut join = 0;
            // SAFETY: a config is numbers and pointers, and everything lives.
            unsafe {
                let mut config: ws_config = std::mem::zeroed();
                assert_eq!(ws_config_init(&mut config, size_of::<ws_config>()), WS_OK);
                config.flags = flags;
                assert_eq!(ws_join(url.as_ptr(), &config, &mut join), WS_OK);
            }
            let conn = event(&[host, join], WS_EVENT_CONNECTED).conn;
            event(&[join, host], WS_EVENT_OPEN);
            match leaves {
                0 => free(join),
                1 => assert_eq!(close(join, 0), WS_OK),
                _ => assert_eq!(close(join, -1), WS_OK),
            }
            if leaves == 0 {
                let end = event(&[host], WS_EVENT_DISCONNECTED);
                assert_eq!((end.conn, end.code), (conn, 1001), "{}", end.error_text());
            } else {
                let end = event(&[host, join], WS_EVENT_DISCONNECTED);
                assert_eq!((end.conn, end.code), (conn, if leaves == 1 { 1000 } else { 1006 }), "{}", end.error_text());
                free(join);
            }
            poll(host);
            assert_eq!(conns(host), [], "flags {flags}");
            free(host);
        }
    }
}

/// https://github.com/dotnet/coreclr/issues/16774: each failed attempt to connect leaks a socket, until none are left.
#[cfg(target_os = "linux")]
#[test]
fn failed_attempts_leak_no_descriptor() {
    let sockets = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    // Runs in a separate process, because the other tests open descriptors at the same time.
    if std::env::var_os("ATTEMPTS").is_none() {
        let done = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "failed_attempts_leak_no_descriptor", "--nocapture"])
            .env("ATTEMPTS", "1")
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        );
        return;
    }
    let answering = |answer: &'static [u8]| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1_024]);
            let _ = stream.write_all(answer);
        });
        connect(port, None, |_| {})
    };
    let fail = |how: usize, waits: bool| {
        let client = match how {
            // Nothing listens on this port.
            0 => connect(TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port(), None, |_| {}),
            1 => answering(b"HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n"),
            // The connect timeout ends it during the TLS handshake.
            2 => {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let client = connect(listener.local_addr().unwrap().port(), Some(&Certificate::new()), |config| {
                    config.connect_timeout_ms = 50
                });
                all_of(client);
                client
            }
            3 => answering(b""),
            _ => try_connect("ws://nowhere.invalid/", None).unwrap(),
        };
        // Half of the attempts are freed while they are pending.
        poll(client);
        if waits && ws_get_state(client) != WS_CLOSED {
            all_of(client);
        }
        free(client);
    };
    for how in 0..5 {
        fail(how, true);
    }
    let mut before = 0;
    until("the first are freed", || {
        let now = sockets();
        std::mem::replace(&mut before, now) == now
    });
    for round in 0..30 {
        for how in 0..5 {
            fail(how, (round + how) % 2 == 0);
        }
    }
    until("all are gone", || sockets() <= before);
}

/// https://github.com/zaphoyd/websocketpp/issues/311: a second server listens on a port that is taken, without any
/// error.
#[test]
fn listening_on_a_taken_port_fails_at_once() {
    let (first, port) = listen(None, |_| {});
    for url in ["ws://127.0.0.1", "ws://*", "ws://localhost", "ws://0.0.0.0"] {
        let url = CString::new(format!("{url}:{port}")).unwrap();
        for open in [ws_listen, ws_host] {
            let mut second = 0;
            // SAFETY: everything lives; NULL is the defaults.
            assert_eq!(unsafe { open(url.as_ptr(), std::ptr::null(), &mut second) }, WS_ERR_ADDRESS, "{url:?}");
            assert!(last_error().contains("choose another port"), "{}", last_error());
        }
    }
    // The first server still works.
    let client = connect(port, None, |_| {});
    event(&[client, first], WS_EVENT_OPEN);
    free(client);
    free(first);
}

/// https://github.com/python-websockets/websockets/issues/1594: a custom Host header is sent in addition to the
/// library's.
#[test]
fn a_custom_host_header_replaces_the_default() {
    for own in [None, Some(c"Host: game.example"), Some(c"HOST: [::1]:7")] {
        let (port, thread) = serving(move |stream, request| {
            let hosts: Vec<&str> =
                request.lines().filter(|line| line.to_ascii_lowercase().starts_with("host:")).collect();
            let wanted = format!("127.0.0.1:{}", stream.local_addr().unwrap().port());
            let wanted = own.map_or(wanted.as_str(), |own| own.to_str().unwrap().split_once(": ").unwrap().1);
            assert_eq!(hosts, [format!("Host: {wanted}")]);
        });
        let lines = [own.map_or(std::ptr::null(), CStr::as_ptr)];
        let client = connect(port, None, |config| {
            (config.headers, config.headers_count) = (lines.as_ptr(), u32::from(own.is_some()))
        });
        all_of(client);
        free(client);
        thread.join().unwrap();
    }
}
