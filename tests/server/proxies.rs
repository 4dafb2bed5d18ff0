//! Clients behind trusted proxies: PROXY headers, Forwarded, X-Forwarded-For, and the limits per address. The proxies of
//! these tests connect from 127.0.0.2, all others are untrusted.
#![allow(unsafe_code)] // Calls the C ABI.

use crate::refusals::{ALONE, come, listen, log, poll_until, stats};
use crate::test_server::{REQUEST, read};
use std::ffi::{CStr, CString};
use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::ptr::null_mut;
use wspeer::codes::*;
use wspeer::ffi::*;

/// A call as C makes it.
macro_rules! c {
    ($call:expr) => {
        // SAFETY: every pointer of these tests is NULL or points to a live value of its type.
        unsafe { $call }
    };
}

const PROXY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// A PROXY header of version 2, for a client with this IPv6 address.
fn v2_of(address: &str) -> Vec<u8> {
    let ip: std::net::Ipv6Addr = address.parse().unwrap();
    [SIGNATURE, &[0x21, 0x21, 0, 36], &ip.octets(), &[0; 16], &[0x12, 0x34, 0, 1]].concat()
}

fn request(headers: &str) -> Vec<u8> {
    [&REQUEST[..REQUEST.len() - 2], headers.as_bytes(), b"\r\n"].concat()
}

fn server(flags: u32, change: impl FnOnce(&mut ws_config)) -> (u32, u16) {
    listen("ws://127.0.0.1:0", |config| {
        config.flags = flags;
        config.trusted_proxies = c"127.0.0.2, 10.0.0.0/8, fd00::/8".as_ptr();
        config.handshake_timeout_ms = 60_000;
        change(config);
    })
}

/// Sends bytes from an address and waits for the status of the answer; 0: the connection was closed without one.
fn status(server: u32, from: Ipv4Addr, port: u16, bytes: &[u8]) -> (u16, TcpStream) {
    let mut stream = come(from, port);
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    let mut ended = false;
    poll_until(server, "an answer", || {
        ended |= !read(&mut stream, &mut answer);
        ended || answer.windows(4).any(|end| end == b"\r\n\r\n")
    });
    let text = String::from_utf8_lossy(&answer).into_owned();
    (text.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0), stream)
}

fn text(handle: u32, what: i32) -> String {
    let mut bytes = [0; 128];
    assert_eq!(c!(ws_get_text(handle, what, bytes.as_mut_ptr(), bytes.len(), null_mut())), WS_OK);
    c!(CStr::from_ptr(bytes.as_ptr())).to_str().unwrap().to_owned()
}

/// Lets a client in and returns the client's and the socket's address, as the server reports them.
fn addresses(server: u32, from: Ipv4Addr, port: u16, bytes: &[u8]) -> (String, String) {
    // SAFETY: an event is integers and pointers.
    let mut event: ws_event = unsafe { std::mem::zeroed() };
    while c!(ws_next_event(server, &mut event)) == WS_OK {}
    let (status, stream) = status(server, from, port, bytes);
    assert_eq!(status, 101);
    poll_until(server, "it is connected", || {
        c!(ws_next_event(server, &mut event)) == WS_OK && event.r#type == WS_EVENT_CONNECTED
    });
    let told = (text(event.conn, WS_GET_REMOTE_ADDRESS), text(event.conn, WS_GET_PEER_ADDRESS));
    assert_eq!(told.1, stream.local_addr().unwrap().to_string());
    ws_free(event.conn);
    told
}

#[test]
fn a_proxy_header_tells_the_address_however_it_is_cut() {
    let _alone = ALONE.lock();
    let (server, port) = server(WS_PROXY_PROTOCOL, |_| {});
    let v1 = b"PROXY TCP4 203.0.113.7 10.0.0.1 54321 9000\r\n".to_vec();
    let v2 = v2_of("2001:db8::7");
    let tlvs =
        [SIGNATURE, &[0x21, 0x11, 0, 18], &[203, 0, 113, 8, 1, 1, 1, 1, 0, 80, 0, 1], &[2, 0, 3, 1, 2, 3]].concat();
    for (header, address) in [(&v1, "203.0.113.7:54321"), (&v2, "[2001:db8::7]:4660"), (&tlvs, "203.0.113.8:80")] {
        assert_eq!(addresses(server, PROXY, port, &[header, REQUEST].concat()).0, address);
        // Byte by byte, with a poll after each.
        let mut stream = come(PROXY, port);
        stream.set_nodelay(true).unwrap();
        let before = stats(server).accepted;
        for byte in header {
            stream.write_all(&[*byte]).unwrap();
            assert!(ws_poll(server) >= 0);
        }
        stream.write_all(REQUEST).unwrap();
        let mut answer = Vec::new();
        poll_until(server, "it is answered", || {
            read(&mut stream, &mut answer);
            answer.starts_with(b"HTTP/1.1 101 ")
        });
        assert!(stats(server).accepted > 0 && stats(server).accepted <= before + 1);
    }
    // LOCAL, UNSPEC and UNKNOWN: the proxy's own address.
    for header in
        [[SIGNATURE, &[0x20, 0, 0, 0]].concat(), [SIGNATURE, &[0x21, 0, 0, 0]].concat(), b"PROXY UNKNOWN\r\n".to_vec()]
    {
        let (client, socket) = addresses(server, PROXY, port, &[&header, REQUEST].concat());
        assert_eq!(client, socket);
    }
    // An IPv4 address that is mapped to IPv6.
    let mapped = v2_of("::ffff:203.0.113.9");
    assert_eq!(addresses(server, PROXY, port, &[&mapped, REQUEST].concat()).0, "203.0.113.9:4660");
    ws_free(server);
}

#[test]
fn a_trusted_proxy_must_send_the_header_and_others_cannot() {
    let _alone = ALONE.lock();
    log();
    let (server, port) = server(WS_PROXY_PROTOCOL, |_| {});
    let header = b"PROXY TCP4 203.0.113.7 10.0.0.1 54321 9000\r\n";
    for bytes in [REQUEST, b"PROXY TCP4 nobody\r\n", b"\x16\x03\x01", &[SIGNATURE, &[0xFF; 4]].concat()] {
        assert_eq!(status(server, PROXY, port, bytes).0, 0, "{bytes:?}");
    }
    let lines = log();
    assert_eq!(lines.iter().filter(|line| line.contains("a trusted proxy, was closed: it")).count(), 4, "{lines:?}");
    assert_eq!(status(server, Ipv4Addr::LOCALHOST, port, &[header, REQUEST].concat()).0, 400);
    assert_eq!(status(server, Ipv4Addr::LOCALHOST, port, &[&v2_of("2001:db8::7"), REQUEST].concat()).0, 400);
    let (client, socket) = addresses(server, Ipv4Addr::LOCALHOST, port, REQUEST);
    assert_eq!(client, socket);
    // A health check that only connects is not logged.
    log();
    let refused = stats(server).refused;
    let check = come(PROXY, port);
    let address = check.local_addr().unwrap().to_string();
    drop(check);
    poll_until(server, "it is gone", || stats(server).refused == refused + 1);
    // Other tests of this program write to the log, too.
    let mut lines = log();
    lines.retain(|line| line.contains(&address));
    assert_eq!(lines, Vec::<String>::new());
    assert_eq!(stats(server).pending_handshakes, 0);
    ws_free(server);
}

#[test]
fn a_proxy_header_that_does_not_come_times_out() {
    let _alone = ALONE.lock();
    log();
    let (server, port) = server(WS_PROXY_PROTOCOL, |config| config.handshake_timeout_ms = 50);
    let mut silent: Vec<TcpStream> = (0..3).map(|_| come(PROXY, port)).collect();
    silent[1].write_all(b"PROXY TCP4 203.0.113.7 ").unwrap();
    poll_until(server, "they are dropped", || stats(server).refused == 3);
    assert_eq!(stats(server).pending_handshakes, 0);
    assert!(log().iter().any(|line| line.contains("did not send its PROXY header in time")));
    // Closing the server drops those that wait.
    let waiting = come(PROXY, port);
    poll_until(server, "it is accepted", || stats(server).pending_handshakes == 1);
    assert_eq!(c!(ws_close(server, 0, std::ptr::null())), WS_OK);
    poll_until(server, "the server is closed", || ws_get_state(server) == WS_CLOSED);
    drop(waiting);
    ws_free(server);
}

#[test]
fn the_chosen_header_tells_the_address() {
    let _alone = ALONE.lock();
    for (flags, headers, address) in [
        (WS_X_FORWARDED_FOR, "X-Forwarded-For: 6.6.6.6, 203.0.113.7\r\n", "203.0.113.7:0"),
        (
            WS_X_FORWARDED_FOR,
            "X-Forwarded-For: 203.0.113.7:99, 10.1.2.3\r\nForwarded: for=6.6.6.6\r\n",
            "203.0.113.7:99",
        ),
        (WS_X_FORWARDED_FOR, "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: ::ffff:203.0.113.7\r\n", "203.0.113.7:0"),
        (WS_FORWARDED, "Forwarded: for=6.6.6.6, for=\"[2001:db8::7]:5\";proto=https\r\n", "[2001:db8::7]:5"),
        (WS_FORWARDED, "Forwarded: for=203.0.113.7\r\nX-Forwarded-For: 6.6.6.6\r\n", "203.0.113.7:0"),
    ] {
        let (server, port) = server(flags, |_| {});
        assert_eq!(addresses(server, PROXY, port, &request(headers)).0, address, "{headers}");
        // Without the header, or with an entry that is no address, it is the proxy's own.
        for headers in ["", "X-Forwarded-For: unknown\r\nForwarded: for=_hidden\r\n"] {
            let (client, socket) = addresses(server, PROXY, port, &request(headers));
            assert_eq!(client, socket, "{headers}");
        }
        ws_free(server);
    }
}

#[test]
fn the_claim_of_an_untrusted_peer_is_ignored_and_logged_once() {
    let _alone = ALONE.lock();
    log();
    let (server, port) = server(WS_X_FORWARDED_FOR, |_| {});
    for _ in 0..3 {
        let (client, socket) =
            addresses(server, Ipv4Addr::LOCALHOST, port, &request("X-Forwarded-For: 203.0.113.7\r\n"));
        assert_eq!(client, socket);
    }
    let lines = log();
    assert_eq!(
        lines.iter().filter(|line| line.contains("X-Forwarded-For of 127.0.0.1 is ignored")).count(),
        1,
        "{lines:?}"
    );
    assert!(!lines.iter().any(|line| line.contains("203.0.113.7")), "{lines:?}");
    ws_free(server);
}

#[test]
fn a_malformed_header_is_refused() {
    let _alone = ALONE.lock();
    let (server, port) = server(WS_FORWARDED, |_| {});
    let bad = request("Forwarded: for=\", for=203.0.113.7\r\n");
    assert_eq!(status(server, PROXY, port, &bad).0, 400);
    // From others it is not read.
    assert_eq!(status(server, Ipv4Addr::LOCALHOST, port, &bad).0, 101);
    poll_until(server, "none is pending", || stats(server).pending_handshakes == 0);
    ws_free(server);
}

/// A directory with a file, removed at the end of the test.
struct Served(std::path::PathBuf);

impl Served {
    fn by(server: u32) -> Served {
        let served = Served(std::env::temp_dir().join(format!("wspeer-proxied-{}-{server}", std::process::id())));
        std::fs::create_dir_all(&served.0).unwrap();
        std::fs::write(served.0.join("a"), b"a file").unwrap();
        let directory = CString::new(served.0.to_str().unwrap()).unwrap();
        assert_eq!(c!(ws_serve(server, c"/".as_ptr(), directory.as_ptr(), 0)), WS_OK);
        served
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Sends one more request on a connection and waits for the status of the answer.
fn next_status(server: u32, stream: &mut TcpStream, bytes: &[u8]) -> u16 {
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    poll_until(server, "an answer", || {
        let open = read(stream, &mut answer);
        !open || answer.windows(4).any(|end| end == b"\r\n\r\n")
    });
    String::from_utf8_lossy(&answer).split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0)
}

#[test]
fn each_request_on_a_kept_connection_reports_its_own_client() {
    let _alone = ALONE.lock();
    const CLIENTS: [&str; 4] = ["198.51.100.1", "", "203.0.113.7", "203.0.113.8"];
    let file = |headers: &str| format!("GET /a HTTP/1.1\r\nHost: h\r\n{headers}\r\n").into_bytes();
    let chained = b"PROXY TCP4 10.0.0.5 127.0.0.1 1234 80\r\n";
    for (flags, first) in
        [(WS_X_FORWARDED_FOR, &b""[..]), (WS_FORWARDED, b""), (WS_X_FORWARDED_FOR | WS_PROXY_PROTOCOL, chained)]
    {
        let (server, port) = server(flags, |config| config.max_clients_per_address = 1);
        let _served = Served::by(server);
        let of = |client: &str| match client {
            "" => String::new(),
            client if flags & WS_FORWARDED != 0 => format!("Forwarded: for={client}\r\n"),
            client => format!("X-Forwarded-For: {client}\r\n"),
        };
        let mut event: ws_event = unsafe { std::mem::zeroed() };
        let mut open = Vec::new();
        for client in CLIENTS {
            // The proxy has loaded files for others on this connection.
            let bytes = [first, &file(&of("192.0.2.1"))].concat();
            let (answered, mut stream) = status(server, PROXY, port, &bytes);
            assert_eq!(answered, 200);
            assert_eq!(next_status(server, &mut stream, &file("")), 200);
            assert_eq!(next_status(server, &mut stream, &file(&of("192.0.2.2"))), 200);
            assert_eq!(next_status(server, &mut stream, &request(&of(client))), 101, "{client}");
            poll_until(server, "it is connected", || {
                c!(ws_next_event(server, &mut event)) == WS_OK && event.r#type == WS_EVENT_CONNECTED
            });
            let socket = stream.local_addr().unwrap().to_string();
            let expected = match client {
                "" if !first.is_empty() => "10.0.0.5:1234".to_owned(),
                "" => socket.clone(),
                client => format!("{client}:0"),
            };
            assert_eq!(text(event.conn, WS_GET_REMOTE_ADDRESS), expected);
            assert_eq!(text(event.conn, WS_GET_PEER_ADDRESS), socket);
            open.push(stream);
        }
        // The limit counts the client of the request that opens, and frees its place when it ends.
        for (client, expected) in [("203.0.113.7", 503), ("192.0.2.1", 101), ("192.0.2.1", 503)] {
            let bytes = [first, &file(&of("203.0.113.9"))].concat();
            let (_, mut stream) = status(server, PROXY, port, &bytes);
            assert_eq!(next_status(server, &mut stream, &request(&of(client))), expected, "{client}");
            open.push(stream);
        }
        drop(open);
        poll_until(server, "they are gone", || stats(server).connections == 0 && stats(server).pending_handshakes == 0);
        while c!(ws_next_event(server, &mut event)) == WS_OK {}
        assert_eq!(status(server, PROXY, port, &[first, &request(&of("203.0.113.7"))].concat()).0, 101);
        ws_free(server);
    }
}

#[test]
fn a_malformed_header_of_a_later_request_is_refused() {
    let _alone = ALONE.lock();
    let (server, port) = server(WS_FORWARDED, |config| config.flags |= WS_REPORT_REFUSED);
    let _served = Served::by(server);
    let file = b"GET /a HTTP/1.1\r\nHost: h\r\nForwarded: for=203.0.113.7\r\n\r\n";
    let (answered, mut stream) = status(server, PROXY, port, file);
    assert_eq!(answered, 200);
    let bad = request("Forwarded: for=\", for=203.0.113.7\r\n");
    assert_eq!(next_status(server, &mut stream, &bad), 400);
    let mut event: ws_event = unsafe { std::mem::zeroed() };
    poll_until(server, "it is reported", || c!(ws_next_event(server, &mut event)) == WS_OK);
    assert_eq!(event.r#type, WS_EVENT_REFUSED);
    // SAFETY: the text of an event is NUL-terminated, and lent until the next call.
    let told = unsafe { CStr::from_ptr(event.packet.data.cast()) }.to_str().unwrap();
    assert!(told.starts_with(&format!("{}: ", stream.local_addr().unwrap())), "the proxy's address: {told}");
    ws_free(server);
}

#[test]
fn both_ways_together_follow_a_chain_of_proxies() {
    let _alone = ALONE.lock();
    let (server, port) = server(WS_PROXY_PROTOCOL | WS_X_FORWARDED_FOR, |_| {});
    let of = |source: &str| format!("PROXY TCP4 {source} 127.0.0.1 1234 80\r\n").into_bytes();
    let claim = request("X-Forwarded-For: 203.0.113.7\r\n");
    // The PROXY header has another trusted proxy, whose header is read.
    assert_eq!(addresses(server, PROXY, port, &[of("10.0.0.5"), claim.clone()].concat()).0, "203.0.113.7:0");
    // It has a client, who wrote the header itself.
    assert_eq!(addresses(server, PROXY, port, &[of("198.51.100.9"), claim].concat()).0, "198.51.100.9:1234");
    ws_free(server);
}

#[test]
fn limits_per_address_count_the_client_and_not_the_proxy() {
    let _alone = ALONE.lock();
    for flags in [WS_PROXY_PROTOCOL, WS_FORWARDED, WS_X_FORWARDED_FOR] {
        let (server, port) = server(flags, |config| config.max_clients_per_address = 2);
        let of = |client: &str| match flags {
            WS_PROXY_PROTOCOL => [v2_of(client), REQUEST.to_vec()].concat(),
            WS_FORWARDED => request(&format!("Forwarded: for=\"[{client}]\"\r\n")),
            _ => request(&format!("X-Forwarded-For: {client}\r\n")),
        };
        let mut open = Vec::new();
        let mut visit = |client: &str, expected: u16| {
            let (status, stream) = status(server, PROXY, port, &of(client));
            assert_eq!(status, expected, "{client}");
            open.push(stream);
        };
        // Many clients of one proxy, of which two are of one /64.
        visit("2001:db8:0:1::1", 101);
        visit("2001:db8:0:2::1", 101);
        visit("2001:db8:0:3::1", 101);
        visit("2001:db8:0:1:ffff::2", 101);
        visit("2001:db8:0:1::3", 503);
        visit("2001:db8:0:1::1", 503);
        visit("2001:db8:0:2::2", 101);
        open.clear();
        poll_until(server, "all have left", || {
            // SAFETY: an event is integers and pointers.
            let mut event: ws_event = unsafe { std::mem::zeroed() };
            while c!(ws_next_event(server, &mut event)) == WS_OK {}
            stats(server).connections == 0
        });
        let mut visit = |client: &str, expected: u16| {
            let (status, stream) = status(server, PROXY, port, &of(client));
            assert_eq!(status, expected, "{client}");
            open.push(stream);
        };
        visit("2001:db8:0:1::3", 101);
        visit("2001:db8:0:1::4", 101);
        visit("2001:db8:0:1::5", 503);
        ws_free(server);
    }
}

#[test]
fn the_length_of_the_counted_prefix_can_be_set() {
    let _alone = ALONE.lock();
    for (bits, same, other) in
        [(128, "2001:db8::1", "2001:db8::2"), (48, "2001:db8:0:ffff::2", "2001:db8:1::1"), (1, "7fff::1", "8000::1")]
    {
        let (server, port) = server(WS_PROXY_PROTOCOL, |config| {
            config.max_clients_per_address = 1;
            config.ipv6_prefix_bits = bits;
        });
        let visit = |client: &str| status(server, PROXY, port, &[&v2_of(client), REQUEST].concat());
        let first = visit("2001:db8::1");
        let second = visit(same);
        let third = visit(other);
        assert_eq!((first.0, second.0, third.0), (101, 503, 101), "{bits}");
        // IPv4 addresses are counted whole.
        let v4 = |client: &str| {
            let header = format!("PROXY TCP4 {client} 127.0.0.1 1 1\r\n");
            status(server, PROXY, port, &[header.as_bytes(), REQUEST].concat())
        };
        let (one, two) = (v4("203.0.113.7"), v4("203.0.113.8"));
        assert_eq!((one.0, two.0), (101, 101));
        ws_free(server);
    }
}

#[test]
fn the_settings_of_proxies_are_checked() {
    // SAFETY: a ws_config is integers and pointers.
    let mut config: ws_config = unsafe { std::mem::zeroed() };
    c!(ws_config_init(&mut config, size_of::<ws_config>()));
    let mut open = |flags: u32, trusted: Option<&CStr>, bits: u32| {
        config.flags = flags;
        config.trusted_proxies = trusted.map_or(std::ptr::null(), CStr::as_ptr);
        config.ipv6_prefix_bits = bits;
        let mut server = 0;
        let result = c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), &config, &mut server));
        ws_free(server);
        let mut why = [0; 512];
        c!(ws_last_error(why.as_mut_ptr(), why.len(), null_mut()));
        (result, CString::from(c!(CStr::from_ptr(why.as_ptr()))).into_string().unwrap())
    };
    let some = Some(c"127.0.0.1");
    for (flags, trusted, bits, part) in [
        (WS_FORWARDED | WS_X_FORWARDED_FOR, some, 0, "both set"),
        (WS_FORWARDED, None, 0, "need trusted_proxies"),
        (WS_PROXY_PROTOCOL, None, 0, "need trusted_proxies"),
        (0, some, 0, "is set without"),
        (WS_FORWARDED, Some(c"127.0.0.1/33"), 0, "network 1"),
        (WS_FORWARDED, Some(c""), 0, "0 networks"),
        (WS_FORWARDED, some, 129, "ipv6_prefix_bits is 129"),
    ] {
        let (result, why) = open(flags, trusted, bits);
        assert!(result == WS_ERR_CONFIG && why.contains(part), "{result} {why}");
    }
    for (flags, trusted, bits) in [
        (WS_FORWARDED | WS_PROXY_PROTOCOL, some, 128),
        (WS_X_FORWARDED_FOR | WS_PROXY_PROTOCOL, some, 1),
        (0, None, 64),
    ] {
        assert_eq!(open(flags, trusted, bits).0, WS_OK);
    }
}
