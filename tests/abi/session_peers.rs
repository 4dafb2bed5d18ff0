//! Sessions (session_ms) through the C ABI with clients and servers in bytes: those that are wrong, late, silent or lie.
#![allow(unsafe_code)] // Calls the C ABI.

#[path = "../support/c_host.rs"]
mod c_host;
#[path = "../support/c_sessions.rs"]
mod c_sessions;
#[path = "../support/fault_proxy.rs"]
mod fault_proxy;

use c_host::*;
use c_sessions::*;
use fault_proxy::{DOWN, End, Faults, Proxy};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use tungstenite::handshake::derive_accept_key;
use wspeer::codes::*;
use wspeer::ffi::*;

/// The request of a client that asks for the channel, and names a node; "": none.
fn request(node: &str) -> String {
    let question = if node.is_empty() { String::new() } else { format!("-{node}") };
    format!(
        "GET /?wspeer=1{question} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

/// A message of the channel as a client's frame.
fn message_of(marker: &[u8], kind: u8, fields: &[&[u8]]) -> Vec<u8> {
    let message = [marker, &[kind], &fields.concat()].concat();
    let len = message.len() as u8;
    let head = if len < 126 { vec![0x82, 0x80 | len] } else { vec![0x82, 0xFE, 0, len] };
    [head, vec![0; 4], message].concat()
}

/// A client in bytes, which has asked for the channel.
struct Raw(TcpStream);

impl Raw {
    /// Opens a connection whose request names a node; "": none.
    fn open(server: u32, port: u16, node: &str) -> (Raw, Vec<u8>) {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nonblocking(true).unwrap();
        stream.write_all(request(node).as_bytes()).unwrap();
        let mut raw = Raw(stream);
        let mut got = Vec::new();
        until("the announcement", || {
            poll(server);
            got.extend(raw.read());
            got.windows(14).any(|bytes| bytes == b"wspeer-control")
        });
        let at = got.windows(14).position(|bytes| bytes == b"wspeer-control").unwrap() + 16;
        (raw, got[at..at + 16].to_vec())
    }

    fn read(&mut self) -> Vec<u8> {
        let mut buffer = [0; 4_096];
        match self.0.read(&mut buffer) {
            Ok(count) => buffer[..count].to_vec(),
            Err(_) => Vec::new(),
        }
    }

    /// Sends a message of the channel.
    fn send(&mut self, marker: &[u8], kind: u8, fields: &[&[u8]]) {
        self.0.write_all(&message_of(marker, kind, fields)).unwrap();
    }

    /// Polls the server until a message of the channel of this type has come; 0: a close frame with 1008.
    fn await_kind(&mut self, server: u32, marker: &[u8], kind: u8) {
        let mut got = Vec::new();
        until(&format!("kind {kind}"), || {
            poll(server);
            got.extend(self.read());
            let is_it = |bytes: &[u8]| bytes[..16] == *marker && bytes[16] == kind;
            let is_close = |bytes: &[u8]| bytes[0] == 0x88 && bytes[2..] == [0x03, 0xF0];
            if kind == 0 { got.windows(4).any(is_close) } else { got.windows(17).any(is_it) }
        });
    }
}

/// Polls a server until a client has connected. Returns its handle.
fn connected(server: u32) -> u32 {
    let mut conn = 0;
    until("CONNECTED", || {
        poll(server);
        next(server).is_some_and(|event| {
            conn = event.conn;
            event.kind == WS_EVENT_CONNECTED
        })
    });
    conn
}

#[test]
fn a_wrong_resume_gets_nothing_and_disturbs_nobody() {
    let (server, port) = listen(None, |config| {
        keeps(config);
        config.node = c"room".as_ptr();
    });
    let (mut plain, marker) = Raw::open(server, port, "");
    plain.send(&marker, 3, &[]);
    connected(server);
    let (mut owner, marker) = Raw::open(server, port, "");
    let (id, secret, next_secret) = ([1_u8; 16], [2_u8; 32], [3_u8; 32]);
    owner.send(&marker, 4, &[&id, &secret, &60_000_u32.to_be_bytes(), &100_000_u32.to_be_bytes()]);
    owner.await_kind(server, &marker, 6);
    let conn = connected(server);
    let received = 0_u64.to_be_bytes();
    let far = 9_u64.to_be_bytes();
    let wrong_secret = [9_u8; 32];
    for (id, secret, count) in [
        (&id, &wrong_secret, &received),
        (&[8; 16], &secret, &received),
        // More than it was sent.
        (&id, &secret, &far),
    ] {
        let (mut thief, marker) = Raw::open(server, port, "room");
        thief.send(&marker, 5, &[id, secret, &next_secret, count]);
        thief.await_kind(server, &marker, 0);
        assert_eq!((state(conn), stats(server).connections), (WS_OPEN, 2));
    }
    // A new session with an id that is taken is refused, and the link goes on without.
    let (mut other, marker2) = Raw::open(server, port, "");
    other.send(&marker2, 4, &[&id, &wrong_secret, &1_u32.to_be_bytes(), &1_u32.to_be_bytes()]);
    other.await_kind(server, &marker2, 7);
    until("the other", || {
        poll(server);
        stats(server).connections == 3
    });
    // The right one takes the session over, and the old link is closed. Its secret is replaced.
    let (mut right, marker3) = Raw::open(server, port, "room");
    right.send(&marker3, 5, &[&id, &secret, &next_secret, &received]);
    right.await_kind(server, &marker3, 6);
    assert_eq!((state(conn), stats(server).resumed), (WS_OPEN, 1));
    // The same request again, as if the answer had been lost.
    let (mut again, marker4) = Raw::open(server, port, "room");
    again.send(&marker4, 5, &[&id, &secret, &next_secret, &received]);
    again.await_kind(server, &marker4, 6);
    // A message confirms the answer: the old secret is void.
    again.send(&marker4, 8, &[&received]);
    until("the acknowledgement", || {
        poll(server);
        stats(server).resumed == 2
    });
    let wire = stats(conn).wire_bytes_in;
    again.send(&marker4, 1, &[&[0; 4]]);
    until("a ping", || {
        poll(server);
        stats(conn).wire_bytes_in > wire
    });
    let (mut late, marker5) = Raw::open(server, port, "room");
    late.send(&marker5, 5, &[&id, &secret, &next_secret, &received]);
    late.await_kind(server, &marker5, 0);
    assert_eq!(state(conn), WS_OPEN);
    free(server);
}

/// A client asks for its session as soon as the announcement has come, which may be before the server has returned from
/// writing it.
#[test]
fn a_request_that_follows_at_once_is_answered() {
    const CLIENTS: usize = 300;
    let (server, port) = listen(None, keeps);
    for number in 0..CLIENTS {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let asked = std::thread::spawn(move || {
            stream.write_all(request("").as_bytes()).unwrap();
            let (mut got, mut marker) = (Vec::new(), Vec::new());
            let mut buffer = [0; 4_096];
            loop {
                let count = stream.read(&mut buffer).unwrap();
                got.extend(&buffer[..count]);
                let found = got.windows(14).position(|bytes| bytes == b"wspeer-control");
                if let Some(at) = found.filter(|_| marker.is_empty()) {
                    marker = got[at + 16..at + 32].to_vec();
                    let times = [60_000_u32.to_be_bytes(), 100_000_u32.to_be_bytes()].concat();
                    let id = [number as u8, (number >> 8) as u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                    stream.write_all(&message_of(&marker, 4, &[&id, &[2; 32], &times])).unwrap();
                }
                let grant = [&marker[..], &[6]].concat();
                if count == 0 || (!marker.is_empty() && got.windows(17).any(|bytes| bytes == grant)) {
                    return count > 0;
                }
            }
        });
        until("the grant", || {
            poll(server);
            // SAFETY: the handle is one.
            unsafe { ws_wait(&server, 1, 20) };
            while next(server).is_some() {}
            asked.is_finished()
        });
        assert!(asked.join().unwrap(), "client {number} was turned away");
    }
    free(server);
}

/// The answer to the first request is lost: the client comes back for the seat that it has, which passes the limits, and
/// is not asked about again.
#[test]
fn who_has_not_got_the_answer_comes_back_to_its_seat() {
    // Where the link is cut: bytes from the server behind the announcement, of which the answer has 35. Without one the
    // server has not got the request either.
    for (cut, requests) in [(0, 2), (1, 1), (34, 1)] {
        let (server, port) = listen(None, |config| {
            keeps(config);
            (config.max_clients, config.max_clients_per_address) = (1, 1);
            config.flags = WS_ASK;
            config.node = c"room".as_ptr();
        });
        let proxy = Proxy::new(port);
        let announced = opened_by_hand(server, port);
        proxy.plan(move |number| {
            let mut faults = <[Faults; 2]>::default();
            if number == 0 {
                faults[DOWN].end = Some((announced as u64 + cut, End::Reset));
            }
            faults
        });
        let client = connect(proxy.port, None, keeps);
        let (mut asked, mut connected, mut opened) = (0, Vec::new(), 0);
        let take = |handle, event: Event| match event.kind {
            WS_EVENT_REQUEST => {
                asked += 1;
                // SAFETY: NULL is permitted.
                assert_eq!(unsafe { ws_accept(event.conn, std::ptr::null(), std::ptr::null(), 0) }, WS_OK);
            }
            WS_EVENT_CONNECTED => connected.push(event.conn),
            WS_EVENT_OPEN => opened += 1,
            WS_EVENT_LOST | WS_EVENT_RESUMED => assert_eq!(handle, server, "to the client it was not open"),
            WS_EVENT_DISCONNECTED => assert_eq!(cut, 0),
            WS_EVENT_ERROR => {}
            other => panic!("event {other} of {handle}: {event:?}"),
        };
        play(&[client, server], "OPEN", take, || state(client) == WS_OPEN);
        assert_eq!((asked, connected.len(), opened, stats(server).connections), (requests, 1, 1, 1), "cut after {cut}");
        assert_eq!((put(client, b"up"), put(connected[0], b"down")), (WS_OK, WS_OK));
        assert_eq!(await_event(&[client, server], server, WS_EVENT_MESSAGE).conn, connected[0]);
        assert_eq!(await_event(&[client, server], client, WS_EVENT_MESSAGE).bytes, b"down");
        free(client);
        free(server);
    }
}

/// The network swallows what the server says while a session is resumed, for longer than the connect timeout: the next
/// link resumes it, wherever the first one fell silent.
#[test]
fn a_resume_that_is_not_answered_in_time_is_tried_again() {
    let (server, port) = listen(None, keeps);
    let announced = opened_by_hand(server, port) as u64;
    let proxy = Proxy::new(port);
    let client = connect(proxy.port, None, |config| {
        keeps(config);
        config.connect_timeout_ms = 300;
    });
    let all = [client, server];
    await_event(&all, client, WS_EVENT_OPEN);
    // Within the response, before the announcement and in it, before the answer and in it.
    for (round, after) in
        [0, announced - 60, announced - 20, announced, announced + 1, announced + 30].iter().enumerate()
    {
        let (after, silent) = (*after, std::sync::atomic::AtomicBool::new(true));
        proxy.plan(move |_| {
            let mut faults = <[Faults; 2]>::default();
            if silent.swap(false, std::sync::atomic::Ordering::Relaxed) {
                faults[DOWN].end = Some((after, End::Swallow));
            }
            faults
        });
        proxy.end_all(End::Reset);
        let take = |handle, event: Event| assert!(!event.is_end(), "{handle} after {after}: {event:?}");
        let resumed = round as u64 + 1;
        play(&all, "RESUMED", take, || stats(client).resumed == resumed && state(client) == WS_OPEN);
        assert_eq!(put(client, b"on"), WS_OK);
        assert_eq!(await_event(&all, server, WS_EVENT_MESSAGE).bytes, b"on");
    }
    free(client);
    free(server);
}

/// The bytes of a server's response and announcement. Its client leaves.
fn opened_by_hand(server: u32, port: u16) -> usize {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_nonblocking(true).unwrap();
    stream.write_all(request("").as_bytes()).unwrap();
    let (mut raw, mut got) = (Raw(stream), Vec::new());
    until("the announcement", || {
        poll(server);
        while let Some(event) = next(server) {
            assert_eq!(event.kind, WS_EVENT_REQUEST);
            // SAFETY: NULL is permitted.
            assert_eq!(unsafe { ws_accept(event.conn, std::ptr::null(), std::ptr::null(), 0) }, WS_OK);
        }
        got.extend(raw.read());
        let at = got.windows(14).position(|bytes| bytes == b"wspeer-control");
        at.is_some_and(|at| got.len() > at + 15 && got.len() >= at + 16 + usize::from(got[at + 15]))
    });
    drop(raw);
    until("its end", || {
        poll(server);
        while next(server).is_some() {}
        stats(server).pending_handshakes == 0
    });
    got.len()
}

/// A client that repeats a request which the server does not know has passed the limits as one who comes back: it is
/// turned away, and asks once more as a new one.
#[test]
fn a_request_that_nobody_knows_is_made_anew() {
    let (server, port) = listen(None, |config| {
        keeps(config);
        config.node = c"room".as_ptr();
    });
    let (mut raw, marker) = Raw::open(server, port, "room");
    let times = [60_000_u32.to_be_bytes(), 100_000_u32.to_be_bytes()].concat();
    raw.send(&marker, 4, &[&[1; 16], &[2; 32], &times]);
    raw.await_kind(server, &marker, 0);
    assert_eq!(stats(server).connections, 0);
    free(server);
}

/// A client that has asked for the channel and says nothing has no time beyond handshake_timeout_ms.
#[test]
fn who_asks_for_nothing_is_dropped_in_time() {
    let (server, port) = listen(None, |config| {
        keeps(config);
        (config.handshake_timeout_ms, config.close_timeout_ms) = (300, 3_600_000);
    });
    let (_silent, _) = Raw::open(server, port, "");
    assert_eq!(stats(server).pending_handshakes, 1);
    play(&[server], "its end", |_, event| panic!("{event:?}"), || stats(server).pending_handshakes == 0);
    assert_eq!(stats(server).refused_timeout, 1);
    free(server);
}

/// A server in bytes: for each link what it got, and how far it is.
struct Liar {
    listener: TcpListener,
    links: Vec<(TcpStream, Vec<u8>, bool)>,
    /// What follows the request for a session: messages of the channel behind its marker, or whole frames.
    answers: Vec<Vec<u8>>,
}

impl Liar {
    const MARKER: [u8; 16] = [7; 16];

    fn new(answers: Vec<Vec<u8>>) -> Liar {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Liar { listener, links: Vec::new(), answers }
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// A message of the channel as a server's frame.
    fn message(kind: u8, fields: &[u8]) -> Vec<u8> {
        let message = [&Liar::MARKER[..], &[kind], fields].concat();
        [&[0x82, message.len() as u8][..], &message].concat()
    }

    fn poll(&mut self) {
        if let Ok((stream, _)) = self.listener.accept() {
            stream.set_nonblocking(true).unwrap();
            self.links.push((stream, Vec::new(), false));
        }
        for (stream, got, has_announced) in &mut self.links {
            let mut buffer = [0; 4_096];
            let count = stream.read(&mut buffer).unwrap_or(0);
            got.extend(&buffer[..count]);
            let head = String::from_utf8_lossy(got).into_owned();
            if !*has_announced && head.contains("\r\n\r\n") {
                *has_announced = true;
                let key = head.split("Sec-WebSocket-Key: ").nth(1).unwrap().split("\r\n").next().unwrap();
                let accept = derive_accept_key(key.as_bytes());
                let announced = [b"wspeer-control".as_slice(), &[1, 18], &Liar::MARKER, &[2, b'n']].concat();
                let answer = format!(
                    "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                );
                let frame = [&[0x82, announced.len() as u8][..], &announced].concat();
                let _ = stream.write_all(&[answer.as_bytes(), &frame].concat());
                got.clear();
            } else if *has_announced && got.len() > 60 {
                // The request for a session has come.
                let _ = stream.write_all(&self.answers.concat());
                got.clear();
            }
        }
    }
}

/// GRANT: so many messages have come, and a minute, and 64 KiB.
fn grant(received: u64) -> Vec<u8> {
    Liar::message(6, &[&received.to_be_bytes()[..], &60_000_u32.to_be_bytes(), &65_536_u32.to_be_bytes()].concat())
}

/// A server whose answers are impossible is not tried for ever, and nothing is LOST that was never OPEN.
#[test]
fn impossible_answers_are_failed_tries() {
    for flags in [0, WS_RECONNECT] {
        let mut liar = Liar::new(vec![grant(9)]);
        let client = connect(liar.port(), None, |config| {
            keeps(config);
            (config.flags, config.retry_tries) = (flags, 3);
        });
        let (mut errors, mut cause) = (0, 0);
        until("CLOSED", || {
            liar.poll();
            assert!(poll(client) >= 0);
            while let Some(event) = next(client) {
                match event.kind {
                    WS_EVENT_ERROR => errors += 1,
                    WS_EVENT_CLOSED => cause = event.cause,
                    other => panic!("event {other}: {event:?}"),
                }
            }
            state(client) == WS_CLOSED
        });
        let expected = if flags == 0 { (1, 0) } else { (3, 2) };
        assert_eq!((liar.links.len(), errors, cause), (expected.0, expected.1, WS_CAUSE_SESSION));
        free(client);
    }
}

/// A server that says where to go and then closes, without an end of the session: the client comes back to the server
/// itself, and its secret goes nowhere else.
#[test]
fn a_session_that_goes_on_follows_no_url() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let url = format!("ws://127.0.0.1:{}/", elsewhere.local_addr().unwrap().port());
    let drain = Liar::message(10, &[&1_u32.to_be_bytes()[..], url.as_bytes()].concat());
    let close = vec![0x88, 2, 0x03, 0xF4];
    let mut liar = Liar::new(vec![grant(0), drain, close]);
    let client = connect(liar.port(), None, |config| {
        keeps(config);
        config.flags = WS_RECONNECT;
    });
    until("a second link", || {
        liar.poll();
        assert!(poll(client) >= 0);
        while next(client).is_some() {}
        liar.links.len() >= 2
    });
    assert!(elsewhere.accept().is_err());
    assert!(stats(client).losses >= 1);
    free(client);
}

/// A message of a server that has no session, on a link that should resume one, is delivered to nobody.
#[test]
fn a_message_of_another_server_is_not_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = std::ffi::CString::new(format!("ws://127.0.0.1:{port}")).unwrap();
    let listen_again = |session_ms: u32| {
        let mut server = 0;
        // SAFETY: everything lives.
        unsafe {
            let mut config: ws_config = std::mem::zeroed();
            assert_eq!(ws_config_init(&mut config, size_of::<ws_config>()), WS_OK);
            config.session_ms = session_ms;
            assert_eq!(ws_listen(url.as_ptr(), &config, &mut server), WS_OK, "{}", last_error());
        }
        server
    };
    let first = listen_again(60_000);
    let client = connect(port, None, keeps);
    await_event(&[client, first], client, WS_EVENT_OPEN);
    free(first);
    await_event(&[client], client, WS_EVENT_LOST);
    let second = listen_again(0);
    let take = |handle, event: Event| match event.kind {
        WS_EVENT_CONNECTED => assert_eq!(put(event.conn, b"not yours"), WS_OK),
        WS_EVENT_MESSAGE => panic!("{handle} got {event:?}"),
        _ => {}
    };
    play(&[client, second], "CLOSED", take, || state(client) == WS_CLOSED);
    free(client);
    free(second);
}
