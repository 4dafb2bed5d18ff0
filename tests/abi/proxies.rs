//! Clients behind proxies, through the C ABI: scripted proxies on sockets in front of a server of this library.
#![allow(unsafe_code)] // Calls the C ABI.

#[macro_use]
#[path = "../support/c_handles.rs"]
mod c_handles;

use c_handles::*;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ServerConfig, ServerConnection};
use std::ffi::CString;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ptr::null;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::ffi::*;

const PATIENCE: Duration = Duration::from_secs(20);
const LARGE: usize = 700_000;

fn poll_until(what: &str, handles: &[u32], mut so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        handles.iter().for_each(|handle| {
            ws_poll(*handle);
        });
        std::thread::yield_now();
    }
}

fn text_of(fill: impl Fn(*mut std::ffi::c_char, usize, *mut usize) -> i32) -> Option<String> {
    let (mut bytes, mut len) = ([0u8; 2_048], 0);
    (fill(bytes.as_mut_ptr().cast(), bytes.len(), &mut len) == WS_OK)
        .then(|| String::from_utf8_lossy(&bytes[..len]).into_owned())
}

fn get_text(handle: u32, what: i32) -> String {
    text_of(|buf, cap, len| c!(ws_get_text(handle, what, buf, cap, len))).unwrap_or_default()
}

fn header(handle: u32, name: &std::ffi::CStr) -> Option<String> {
    text_of(|buf, cap, len| c!(ws_get_header(handle, name.as_ptr(), 0, buf, cap, len)))
}

/// A certificate for this machine, and its key, in PEM.
struct Identity {
    cert: CString,
    key: CString,
}

impl Identity {
    fn new() -> Identity {
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        Identity { cert: CString::new(cert).unwrap(), key: CString::new(key).unwrap() }
    }

    fn of_proxy(&self) -> Arc<ServerConfig> {
        let chain = vec![rustls::pki_types::CertificateDer::from_pem_slice(self.cert.to_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(self.key.to_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap())
    }
}

/// A server on 127.0.0.1, over TLS if it has an identity.
fn serve(identity: Option<&Identity>) -> u32 {
    let config = config(|config| {
        if let Some(Identity { cert, key }) = identity {
            (config.cert_pem, config.key_pem) = (cert.as_ptr(), key.as_ptr());
        }
    });
    let (mut server, url) = (0, if identity.is_some() { c"wss://127.0.0.1:0" } else { c"ws://127.0.0.1:0" });
    assert_eq!(c!(ws_listen(url.as_ptr(), &config, &mut server)), WS_OK);
    server
}

/// Connects to `url` through `proxy`.
fn connect(url: &str, proxy: &str, change: impl FnOnce(&mut ws_config)) -> u32 {
    let (url, proxy, mut client) = (CString::new(url).unwrap(), CString::new(proxy).unwrap(), 0);
    let config = config(|config| {
        config.proxy = proxy.as_ptr();
        config.max_message_bytes = 1 << 20;
        change(config);
    });
    assert_eq!(c!(ws_connect(url.as_ptr(), &config, &mut client)), WS_OK, "{}", last_error());
    client
}

fn last_error() -> String {
    text_of(|buf, cap, len| c!(ws_last_error(buf, cap, len))).unwrap_or_default()
}

/// How a client ended: phase, cause, HTTP status and text.
fn end_of(client: u32) -> (i32, i32, i32, String) {
    poll_until("the end", &[client], || ws_get_state(client) == WS_CLOSED);
    let mut event: ws_event = blank();
    while c!(ws_next_event(client, &mut event)) == WS_OK && event.r#type != WS_EVENT_CLOSED {}
    assert_eq!(event.r#type, WS_EVENT_CLOSED);
    (event.phase, event.cause, event.http_status, get_text(client, WS_GET_ERROR))
}

/// Runs a proxy on one connection after another. Returns its address.
fn proxy<T: Send + 'static>(script: impl FnOnce(TcpListener) -> T + Send + 'static) -> (SocketAddr, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (listener.local_addr().unwrap(), std::thread::spawn(move || script(listener)))
}

/// Reads a request up to its blank line.
fn read_head(stream: &mut impl Read) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// Copies bytes both ways until one side has ended.
fn relay(client: TcpStream, server: TcpStream) {
    let copy = |mut from: TcpStream, mut to: TcpStream| {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    };
    let (client_too, server_too) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let back = std::thread::spawn(move || copy(server_too, client_too));
    copy(client, server);
    back.join().unwrap();
}

/// The same with TLS to the client.
fn relay_tls(mut tls: ServerConnection, mut client: TcpStream, mut server: TcpStream) {
    client.set_nonblocking(true).unwrap();
    server.set_nonblocking(true).unwrap();
    let is_over = |result: std::io::Result<usize>| match result {
        Ok(count) => count == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    };
    let (mut to_server, mut buffer) = (Vec::new(), [0; 16 << 10]);
    loop {
        let is_closed = is_over(tls.read_tls(&mut client));
        if tls.process_new_packets().is_err() {
            return;
        }
        while let Ok(count @ 1..) = tls.reader().read(&mut buffer) {
            to_server.extend_from_slice(&buffer[..count]);
        }
        if let Ok(count) = server.write(&to_server) {
            to_server.drain(..count);
        }
        if !tls.wants_write() {
            match server.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => tls.writer().write_all(&buffer[..count]).unwrap(),
                Err(_) => {}
            }
        }
        while tls.wants_write() && tls.write_tls(&mut client).is_ok() {}
        if is_closed {
            return;
        }
        std::thread::yield_now();
    }
}

/// Answers one CONNECT with `answer` and leads it to where it asks. The thread returns the request.
fn connect_proxy(answer: &'static str) -> (SocketAddr, JoinHandle<String>) {
    proxy(move |listener| {
        let (mut client, _) = listener.accept().unwrap();
        let request = read_head(&mut client);
        let to = request.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap().to_owned();
        client.write_all(answer.as_bytes()).unwrap();
        relay(client, TcpStream::connect(to).unwrap());
        request
    })
}

/// The same over TLS.
fn tls_proxy(config: Arc<ServerConfig>) -> (SocketAddr, JoinHandle<()>) {
    proxy(move |listener| {
        let (mut client, _) = listener.accept().unwrap();
        let mut tls = ServerConnection::new(config).unwrap();
        let request = {
            let mut stream = rustls::Stream::new(&mut tls, &mut client);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read_exact(&mut byte).is_err() {
                    return;
                }
                head.push(byte[0]);
            }
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
            String::from_utf8(head).unwrap()
        };
        let to = request.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap();
        relay_tls(tls, client, TcpStream::connect(to).unwrap());
    })
}

/// Opens the client, exchanges messages of several sizes both ways, and closes. Returns the server's handle of it.
fn talk(server: u32, client: u32) -> u32 {
    let mut conn = 0;
    poll_until("OPEN", &[server, client], || {
        let mut have = 0;
        assert_eq!(c!(ws_get_conns(server, &mut conn, 1, &mut have)), WS_OK);
        assert_ne!(ws_get_state(client), WS_CLOSED, "{:?}", end_of(client));
        have == 1 && ws_get_state(client) == WS_OPEN
    });
    for size in [0, 1, 125, 20_000, LARGE] {
        let payload: Vec<u8> = (0..size).map(|index| (index % 251) as u8).collect();
        for (from, to) in [(client, conn), (conn, client)] {
            assert_eq!(c!(ws_put_packet(from, payload.as_ptr(), size, WS_BINARY)), WS_OK);
            poll_until("a message", &[server, client], || {
                let mut packet: ws_packet = blank();
                if c!(ws_get_packet(to, &mut packet)) != WS_OK {
                    assert_ne!(ws_get_state(client), WS_CLOSED, "{:?}", end_of(client));
                    return false;
                }
                // SAFETY: lent until the next call.
                assert!(payload == unsafe { std::slice::from_raw_parts(packet.data, packet.len) }, "{size} bytes");
                true
            });
        }
    }
    let mut stats: ws_stats = blank();
    assert_eq!(c!(ws_get_stats(client, &mut stats, size_of::<ws_stats>())), WS_OK);
    assert_eq!((stats.messages_in, stats.messages_out), (5, 5));
    conn
}

fn close(server: u32, client: u32) {
    assert_eq!(c!(ws_close(client, 1_000, null())), WS_OK);
    poll_until("CLOSED", &[server, client], || ws_get_state(client) == WS_CLOSED);
    ws_free(client);
    ws_free(server);
}

#[test]
fn a_connect_tunnel_carries_messages_and_keeps_each_password_where_it_belongs() {
    let _alone = alone();
    for (answer, login) in [
        ("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n", "Alice:p%40ss@"),
        ("HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n", ""),
    ] {
        let server = serve(None);
        let (address, asked) = connect_proxy(answer);
        let url = format!("ws://bob:wonder@127.0.0.1:{}/game?token=secret", port(server));
        let client = connect(&url, &format!("http://{login}{address}"), |_| {});
        let conn = talk(server, client);
        // "bob:wonder".
        assert_eq!(header(conn, c"authorization").as_deref(), Some("Basic Ym9iOndvbmRlcg=="));
        assert_eq!(header(conn, c"proxy-authorization"), None);
        // Through a proxy, the socket's other end is the proxy.
        assert_eq!(get_text(client, WS_GET_REMOTE_ADDRESS), address.to_string());
        assert_eq!(header(client, c"via"), None, "headers are those of the server");
        close(server, client);
        let to = format!("127.0.0.1:{}", port_of(&url));
        // "Alice:p@ss".
        let own = if login.is_empty() { "" } else { "Proxy-Authorization: Basic QWxpY2U6cEBzcw==\r\n" };
        assert_eq!(asked.join().unwrap(), format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{own}\r\n"));
    }
}

fn port_of(url: &str) -> &str {
    url.rsplit(':').next().and_then(|rest| rest.split('/').next()).unwrap()
}

#[test]
fn bytes_behind_the_answer_of_a_proxy_are_the_servers() {
    let _alone = alone();
    let (address, proxy) = proxy(|listener| {
        let (mut client, _) = listener.accept().unwrap();
        read_head(&mut client);
        let together = b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 503 Busy\r\nX-Server: s\r\nContent-Length: 4\r\n\r\nbusy";
        client.write_all(together).unwrap();
        // Until the client ends the connection.
        let _ = client.read_to_end(&mut Vec::new());
    });
    let client = connect("ws://game.invalid/", &format!("http://{address}"), |_| {});
    let (phase, cause, status, _) = end_of(client);
    assert_eq!((phase, cause, status), (WS_PHASE_HTTP, WS_CAUSE_HTTP_STATUS, 503));
    assert_eq!((header(client, c"x-server").as_deref(), get_text(client, WS_GET_BODY).as_str()), (Some("s"), "busy"));
    ws_free(client);
    proxy.join().unwrap();
}

#[test]
fn what_a_proxy_refuses_with_can_be_read() {
    let _alone = alone();
    for (answer, cause, status, body) in [
        (
            "HTTP/1.1 407 x\r\nX-Proxy: p\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 5\r\n\r\nlogin",
            WS_CAUSE_PROXY_AUTH,
            407,
            "login",
        ),
        ("HTTP/1.1 403 No\r\nX-Proxy: p\r\nContent-Length: 4\r\n\r\nnope", WS_CAUSE_PROXY_REFUSED, 403, "nope"),
        // Its body has no end: what comes in a short time is kept.
        ("HTTP/1.0 502 Bad Gateway\r\nX-Proxy: p\r\n\r\nunreachable", WS_CAUSE_PROXY_REFUSED, 502, "unreachable"),
        ("garbage", WS_CAUSE_PROXY_INVALID, 0, ""),
        ("HTTP/1.1 2", WS_CAUSE_PEER_GONE, 0, ""),
        ("", WS_CAUSE_PEER_GONE, 0, ""),
    ] {
        let (address, proxy) = proxy(move |listener| {
            let (mut client, _) = listener.accept().unwrap();
            read_head(&mut client);
            client.write_all(answer.as_bytes()).unwrap();
            if status == 0 {
                return;
            }
            let _ = client.read_to_end(&mut Vec::new());
        });
        let client = connect("ws://game.invalid/", &format!("http://u:hunter2@{address}"), |_| {});
        let (phase, actual, actual_status, sentence) = end_of(client);
        assert_eq!((phase, actual, actual_status), (WS_PHASE_PROXY, cause, status), "{answer:?}: {sentence}");
        assert!(sentence.contains("proxy") && !sentence.contains("hunter2"), "{sentence}");
        assert_eq!(header(client, c"x-proxy").is_some(), status != 0);
        assert_eq!(get_text(client, WS_GET_BODY), body, "{answer:?}");
        ws_free(client);
        proxy.join().unwrap();
    }
}

#[test]
fn a_proxy_that_hangs_ends_by_the_connect_timeout() {
    let _alone = alone();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for scheme in ["http", "https", "socks5h"] {
        let address = listener.local_addr().unwrap();
        let client =
            connect("ws://game.invalid/", &format!("{scheme}://{address}"), |config| config.connect_timeout_ms = 100);
        let (phase, cause, _, sentence) = end_of(client);
        assert_eq!((phase, cause), (WS_PHASE_PROXY, WS_CAUSE_CONNECT_TIMEOUT), "{scheme}: {sentence}");
        assert!(sentence.contains("proxy"), "{sentence}");
        ws_free(client);
    }
}

#[test]
fn a_proxy_that_is_not_there_is_named_without_its_password() {
    let _alone = alone();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = connect("ws://game.invalid/", &format!("http://u:hunter2@{address}"), |_| {});
    let (phase, cause, _, sentence) = end_of(client);
    assert_eq!((phase, cause), (WS_PHASE_TCP, WS_CAUSE_REFUSED), "{sentence}");
    assert!(sentence.contains(&format!("the proxy http://{address} cannot be used")), "{sentence}");
    assert!(!sentence.contains("hunter2"), "{sentence}");
    ws_free(client);
}

/// Reads `count` bytes.
fn take(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

#[test]
fn socks_with_addresses_tries_the_next_one_when_the_first_is_refused() {
    let _alone = alone();
    let server = serve(None);
    let at = port(server);
    let (address, proxy) = proxy(move |listener| {
        // The addresses of localhost: ::1, where nobody listens, then 127.0.0.1.
        for (kind, len, reply) in [(4, 16, 5), (1, 4, 0)] {
            let (mut client, _) = listener.accept().unwrap();
            assert_eq!(take(&mut client, 4), [5, 2, 0, 2]);
            client.write_all(&[5, 2]).unwrap();
            assert_eq!(take(&mut client, 8), b"\x01\x02me\x03key");
            client.write_all(&[1, 0]).unwrap();
            assert_eq!(take(&mut client, 4), [5, 1, 0, kind]);
            take(&mut client, len);
            assert_eq!(take(&mut client, 2), at.to_be_bytes());
            client.write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
            if reply == 0 {
                relay(client, TcpStream::connect(("127.0.0.1", at)).unwrap());
            }
        }
    });
    let client = connect(&format!("ws://localhost:{at}/"), &format!("socks5://me:key@{address}"), |_| {});
    talk(server, client);
    close(server, client);
    proxy.join().unwrap();
}

#[test]
fn socks5h_leaves_the_name_to_the_proxy() {
    let _alone = alone();
    for (reply, cause) in [(2, WS_CAUSE_PROXY_REFUSED), (0xFF, WS_CAUSE_PROXY_AUTH)] {
        let (address, proxy) = proxy(move |listener| {
            let (mut client, _) = listener.accept().unwrap();
            assert_eq!(take(&mut client, 3), [5, 1, 0]);
            if reply == 0xFF {
                client.write_all(&[5, 0xFF]).unwrap();
            } else {
                client.write_all(&[5, 0]).unwrap();
                assert_eq!(take(&mut client, 19), b"\x05\x01\x00\x03\x0Cgame.invalid\x00\x50");
                client.write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
            }
            let _ = client.read_to_end(&mut Vec::new());
        });
        let client = connect("ws://game.invalid/", &format!("socks5h://{address}"), |_| {});
        let (phase, actual, status, sentence) = end_of(client);
        assert_eq!((phase, actual, status), (WS_PHASE_PROXY, cause, 0), "{sentence}");
        ws_free(client);
        proxy.join().unwrap();
    }
}

#[test]
fn tls_goes_to_the_server_inside_the_tunnel() {
    let _alone = alone();
    let identity = Identity::new();
    let server = serve(Some(&identity));
    let (address, asked) = connect_proxy("HTTP/1.1 200 OK\r\n\r\n");
    let url = format!("wss://127.0.0.1:{}/", port(server));
    let client = connect(&url, &format!("http://{address}"), |config| config.ca_pem = identity.cert.as_ptr());
    talk(server, client);
    assert!(get_text(client, WS_GET_TLS).starts_with("TLS"));
    close(server, client);
    asked.join().unwrap();
}

#[test]
fn an_https_proxy_carries_plain_and_secure_connections() {
    let _alone = alone();
    let (identity, of_proxy) = (Identity::new(), Identity::new());
    let both = CString::new([identity.cert.to_bytes(), of_proxy.cert.to_bytes()].concat()).unwrap();
    for scheme in ["ws", "wss"] {
        let server = serve((scheme == "wss").then_some(&identity));
        let (address, proxy) = tls_proxy(of_proxy.of_proxy());
        let url = format!("{scheme}://127.0.0.1:{}/", port(server));
        let client = connect(&url, &format!("https://{address}"), |config| config.ca_pem = both.as_ptr());
        talk(server, client);
        assert_eq!(get_text(client, WS_GET_TLS).is_empty(), scheme == "ws", "TLS to the server");
        close(server, client);
        proxy.join().unwrap();
    }
}

#[test]
fn the_certificate_of_a_proxy_is_checked_even_if_that_of_the_server_is_not() {
    let _alone = alone();
    let of_proxy = Identity::new();
    let (address, proxy) = tls_proxy(of_proxy.of_proxy());
    let client = connect("wss://game.invalid/", &format!("https://{address}"), |config| config.flags = WS_INSECURE);
    let (phase, cause, _, sentence) = end_of(client);
    assert_eq!((phase, cause), (WS_PHASE_PROXY, WS_CAUSE_CERTIFICATE_UNTRUSTED), "{sentence}");
    assert!(sentence.contains(&format!("the proxy https://{address} cannot be used")), "{sentence}");
    ws_free(client);
    proxy.join().unwrap();
}

#[test]
fn the_environment_is_read_when_a_client_is_opened() {
    let _alone = alone();
    let (address, asked) = connect_proxy("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
    let set = |value: Option<String>| match value {
        // SAFETY: the other tests of this program wait for `alone`, and no other thread of it reads the environment.
        Some(value) => unsafe { std::env::set_var("http_proxy", value) },
        // SAFETY: as above.
        None => unsafe { std::env::remove_var("http_proxy") },
    };
    set(Some(format!("http://{address}")));
    let client = connect("ws://127.1.2.3.invalid:81/", "env", |_| {});
    set(None);
    assert_eq!(end_of(client).1, WS_CAUSE_PROXY_REFUSED);
    ws_free(client);
    drop(asked);
    set(Some("ftp://u:hunter2@h:1".to_owned()));
    let (mut client, config) = (0, config(|config| config.proxy = c"env".as_ptr()));
    assert_eq!(c!(ws_connect(c"ws://game.invalid/".as_ptr(), &config, &mut client)), WS_ERR_CONFIG);
    let sentence = last_error();
    assert!(sentence.contains("http_proxy in the environment") && !sentence.contains("hunter2"), "{sentence}");
    // A loopback address never has a proxy.
    assert_eq!(c!(ws_connect(c"ws://localhost:1/".as_ptr(), &config, &mut client)), WS_OK);
    ws_free(client);
    set(None);
}

#[test]
fn a_proxy_and_a_header_for_it_exclude_each_other() {
    let _alone = alone();
    let (mut client, line) = (0, c"proxy-authorization: Bearer hunter2".as_ptr());
    let config = config(|config| {
        config.proxy = c"http://127.0.0.1:1".as_ptr();
        (config.headers, config.headers_count) = (&line, 1);
    });
    assert_eq!(c!(ws_connect(c"ws://game.invalid/".as_ptr(), &config, &mut client)), WS_ERR_CONFIG);
    assert!(last_error().contains("Proxy-Authorization") && !last_error().contains("hunter2"), "{}", last_error());
}
