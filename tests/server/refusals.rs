//! How a server logs clients that it refuses, and how many handshakes one address may have pending.
#![allow(unsafe_code)] // Calls the C ABI.

use crate::test_server::{PATIENCE, REQUEST, TestServer, ms, read};
use std::ffi::CString;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::ptr::null;
use std::time::Instant;
use wspeer::codes::*;
use wspeer::ffi::*;

/// A call as C makes it.
macro_rules! c {
    ($call:expr) => {
        // SAFETY: every pointer of these tests is NULL or points to a live value of its type.
        unsafe { $call }
    };
}

/// The log is shared by all tests of this process.
pub static ALONE: parking_lot::Mutex<()> = parking_lot::Mutex::new(());

pub fn log() -> Vec<String> {
    let mut lines = Vec::new();
    let (mut bytes, mut len) = ([0u8; 1_024], 0);
    while c!(ws_get_log(bytes.as_mut_ptr().cast(), bytes.len(), &mut len)) == WS_OK {
        lines.push(String::from_utf8_lossy(&bytes[..len.min(bytes.len())]).into_owned());
    }
    lines
}

pub fn listen(url: &str, set: impl FnOnce(&mut ws_config)) -> (u32, u16) {
    // SAFETY: a ws_config is integers and pointers.
    let mut config: ws_config = unsafe { std::mem::zeroed() };
    c!(ws_config_init(&mut config, size_of::<ws_config>()));
    set(&mut config);
    let (mut server, mut port) = (0, 0);
    let url = CString::new(url).unwrap();
    assert_eq!(c!(ws_listen(url.as_ptr(), &config, &mut server)), WS_OK);
    c!(ws_get_option(server, WS_OPT_PORT, &mut port));
    (server, port as u16)
}

/// Connects a client from the local address `from`.
pub fn come(from: Ipv4Addr, port: u16) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket.into()
}

pub fn stats(server: u32) -> ws_stats {
    let mut stats = ws_stats::default();
    assert_eq!(c!(ws_get_stats(server, &mut stats, size_of::<ws_stats>())), WS_OK);
    stats
}

pub fn poll_until(server: u32, what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(ws_poll(server) >= 0 && Instant::now() < end, "{what}");
        c!(ws_wait(&server, 1, 5));
    }
}

#[test]
fn refusals_are_logged_with_address_and_reason_at_a_limited_rate() {
    let _alone = ALONE.lock();
    log();
    let (server, port) = listen("ws://127.0.0.1:0/game", |_| {});
    let first = come(Ipv4Addr::LOCALHOST, port);
    let address = first.local_addr().unwrap();
    let mut clients = vec![first];
    clients.extend((0..49).map(|_| come(Ipv4Addr::LOCALHOST, port)));
    for client in &mut clients {
        client.write_all(b"GET /else?token=opensesame HTTP/1.1\r\n").unwrap();
        client
            .write_all(
                REQUEST
                    .split_inclusive(|byte| *byte == b'\n')
                    .skip(1)
                    .flatten()
                    .copied()
                    .collect::<Vec<_>>()
                    .as_slice(),
            )
            .unwrap();
    }
    poll_until(server, "all are refused", || stats(server).refused >= 50);
    let mut lines = log();
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("warning: ") && line.contains(&address.to_string()) && line.contains("404")),
        "{lines:?}"
    );
    // Some of the fifty lines were suppressed, and their number is logged.
    poll_until(server, "the number of lines that were left out", || {
        lines.extend(log());
        lines.iter().any(|line| line.contains("more clients were refused"))
    });
    let reported = lines.iter().filter(|line| line.contains("404")).count();
    assert!((1..50).contains(&reported), "{reported} of 50");
    assert!(!lines.iter().any(|line| line.contains("opensesame")), "{lines:?}");
    ws_free(server);
}

#[test]
fn a_connection_without_a_byte_is_not_logged() {
    let _alone = ALONE.lock();
    log();
    let (server, port) = listen("ws://127.0.0.1:0", |_| {});
    let client = come(Ipv4Addr::LOCALHOST, port);
    let address = client.local_addr().unwrap().to_string();
    drop(client);
    poll_until(server, "it is gone", || stats(server).refused == 1);
    let lines = log();
    assert!(!lines.iter().any(|line| line.contains(&address)), "{lines:?}");
    ws_free(server);
}

#[test]
fn lines_that_were_left_out_are_counted_after_a_second() {
    let _alone = ALONE.lock();
    for refused in [3, 10, 17] {
        log();
        let mut test = TestServer::new(&[(WS_OPT_REFUSE_NEW, 1)]);
        let mut clients: Vec<TcpStream> = (0..refused).map(|_| test.connect()).collect();
        let addresses: Vec<String> = clients.iter().map(|client| client.local_addr().unwrap().to_string()).collect();
        clients.iter_mut().for_each(|client| client.write_all(REQUEST).unwrap());
        test.poll_until("all are refused", |test| test.counts()[3] == refused);
        let of_these = |lines: &[String]| {
            lines.iter().filter(|line| addresses.iter().any(|address| line.contains(&format!("{address} was")))).count()
        };
        let mut lines = log();
        assert_eq!(of_these(&lines), 10.min(refused as usize), "{lines:?}");
        test.now += ms(999);
        test.poll();
        test.now += ms(1);
        lines.extend(log());
        test.poll();
        lines.extend(log());
        let expected = format!("warning: {} more clients were refused or failed", refused.saturating_sub(10));
        assert_eq!(lines.iter().any(|line| line.starts_with(&expected)), refused > 10, "{lines:?}");
    }
}

#[test]
fn tls_failures_are_logged_with_the_address() {
    let _alone = ALONE.lock();
    log();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (cert, key) = (CString::new(made.cert.pem()).unwrap(), CString::new(made.signing_key.serialize_pem()).unwrap());
    let (server, port) = listen("wss://127.0.0.1:0", |config| {
        config.cert_pem = cert.as_ptr();
        config.key_pem = key.as_ptr();
        config.max_clients_per_address = 2;
    });
    let mut client = come(Ipv4Addr::LOCALHOST, port);
    client.write_all(REQUEST).unwrap();
    let address = client.local_addr().unwrap().to_string();
    poll_until(server, "it is refused", || stats(server).refused == 1);
    let lines = log();
    assert!(lines.iter().any(|line| line.starts_with("warning: TLS with") && line.contains(&address)), "{lines:?}");
    // Two clients that send nothing are all that may be pending from this address.
    let silent: Vec<TcpStream> = (0..3).map(|_| come(Ipv4Addr::LOCALHOST, port)).collect();
    poll_until(server, "the third is refused", || stats(server).refused == 2);
    let lines = log();
    assert!(lines.iter().any(|line| line.contains("before TLS: too many clients from this address")), "{lines:?}");
    drop(silent);
    ws_free(server);
}

#[test]
fn one_address_cannot_hold_all_pending_handshakes() {
    let _alone = ALONE.lock();
    let (server, port) = listen("ws://*:0", |config| {
        config.max_clients_per_address = 4;
        config.max_pending_handshakes = 8;
        config.handshake_timeout_ms = 60_000;
    });
    let mut silent: Vec<TcpStream> = (0..32).map(|_| come(Ipv4Addr::LOCALHOST, port)).collect();
    let mut honest = come(Ipv4Addr::new(127, 0, 0, 2), port);
    honest.write_all(REQUEST).unwrap();
    let mut answer = Vec::new();
    poll_until(server, "the honest one is answered", || {
        read(&mut honest, &mut answer);
        answer.starts_with(b"HTTP/1.1 101 ")
    });
    poll_until(server, "the others are refused", || stats(server).refused == 28);
    assert_eq!(stats(server).pending_handshakes, 4);
    let mut refused = Vec::new();
    poll_until(server, "the last one reads why", || {
        read(silent.last_mut().unwrap(), &mut refused);
        refused.starts_with(b"HTTP/1.1 503 ")
    });
    // Their places become free again.
    silent.clear();
    poll_until(server, "the silent ones are gone", || stats(server).pending_handshakes == 0);
    let mut again = come(Ipv4Addr::LOCALHOST, port);
    again.write_all(REQUEST).unwrap();
    answer.clear();
    poll_until(server, "one from there is let in", || {
        read(&mut again, &mut answer);
        answer.starts_with(b"HTTP/1.1 101 ")
    });
    ws_free(server);
}

#[test]
fn pending_handshakes_are_limited() {
    let _alone = ALONE.lock();
    let (server, port) =
        listen("ws://127.0.0.1:0", |config| (config.max_pending_handshakes, config.handshake_timeout_ms) = (3, 60_000));
    let mut streams: Vec<_> = (0..5).map(|_| come(Ipv4Addr::LOCALHOST, port)).collect();
    poll_until(server, "three are pending", || stats(server).pending_handshakes == 3);
    for _ in 0..20 {
        assert!(ws_poll(server) >= 0);
        assert_eq!(stats(server).pending_handshakes, 3, "the others stay in the system's queue");
    }
    // When one disconnects, the next one is accepted.
    streams.drain(..1);
    for _ in 0..20 {
        assert!(ws_poll(server) >= 0 && stats(server).pending_handshakes <= 3);
    }
    streams.drain(..2);
    poll_until(server, "the last two are pending", || stats(server).pending_handshakes == 2);
    ws_free(server);
}

#[test]
fn a_listen_url_with_unusable_parts_is_refused() {
    let mut server = 0;
    for url in [
        "ws://*x:0",
        "ws://*.:0",
        "ws://127.0.0.1:0/?a=b",
        "ws://127.0.0.1:0?",
        "ws://*:0?a",
        "ws://*:0/#a",
        "ws://*@127.0.0.1:0",
    ] {
        let url = CString::new(url).unwrap();
        assert_eq!(c!(ws_listen(url.as_ptr(), null(), &mut server)), WS_ERR_URL, "{url:?}");
    }
    for url in ["ws://*:0", "ws://*:0/game", "ws://127.0.0.1:0/game"] {
        let (server, _) = listen(url, |_| {});
        ws_free(server);
    }
}

#[test]
fn the_ipv6_wildcard_does_not_accept_ipv4() {
    let mut server = 0;
    // Fails on a machine without IPv6.
    if c!(ws_listen(c"ws://[::]:0".as_ptr(), null(), &mut server)) != WS_OK {
        return;
    }
    let mut port = 0;
    c!(ws_get_option(server, WS_OPT_PORT, &mut port));
    assert!(TcpStream::connect(("::1", port as u16)).is_ok());
    assert!(TcpStream::connect(("127.0.0.1", port as u16)).is_err());
    ws_free(server);
}

#[test]
fn messages_queued_before_open_are_in_the_stats() {
    // SAFETY: a ws_config is integers and pointers.
    let mut config: ws_config = unsafe { std::mem::zeroed() };
    c!(ws_config_init(&mut config, size_of::<ws_config>()));
    config.flags = WS_QUEUE_BEFORE_OPEN;
    let (server, port) = listen("ws://127.0.0.1:0", |_| {});
    let url = CString::new(format!("ws://127.0.0.1:{port}")).unwrap();
    let mut client = 0;
    assert_eq!(c!(ws_connect(url.as_ptr(), &config, &mut client)), WS_OK);
    for _ in 0..3 {
        assert_eq!(c!(ws_put_packet(client, b"hello".as_ptr(), 5, WS_BINARY)), WS_OK);
    }
    let waiting = stats(client);
    assert_eq!((waiting.queued_packets_out, waiting.queued_bytes_out), (3, 15));
    ws_free(client);
    ws_free(server);
}
