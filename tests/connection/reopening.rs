//! A client that is opened, lost and opened again keeps its endpoint: handle, options, counters and queued items.

use crate::test_connection::{ms, options};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Instant;
use tungstenite::handshake::derive_accept_key;
use wspeer::codes::*;
use wspeer::internals::connection::{Connection, Retry};
use wspeer::internals::endpoint::Item;
use wspeer::internals::link::Sent;
use wspeer::internals::net::{Destination, Services};
use wspeer::internals::opening::Recipe;
use wspeer::internals::protocol::RequestSpec;
use wspeer::internals::status::{Cause, EventKind, State};
use wspeer::internals::work::{Arena, Budget, Codecs, Cx, SystemClock};

const LIVES: usize = 3;

/// Accepts one connection after another: each gets the response and one message, and is closed once it has sent
/// something.
fn cutting_server(listener: TcpListener) {
    for life in 0..LIVES {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        let request = String::from_utf8(request).unwrap();
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let accept = derive_accept_key(key.as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).unwrap();
        stream.write_all(&[0x82, 1, life as u8]).unwrap();
        stream.read_exact(&mut [0; 7]).unwrap();
    }
}

/// A client that reconnects, with what it needs to be polled.
struct Client {
    peer: Connection,
    retry: Retry,
    services: Services,
    arena: Arena,
    codecs: Codecs,
    start: Instant,
}

impl Client {
    fn cx<'a>(
        services: &'a Services,
        arena: &'a mut Arena,
        codecs: &'a mut Codecs,
        now: Instant,
        epoch: Instant,
    ) -> Cx<'a> {
        let budget = Budget::new(&SystemClock, now, None);
        Cx { services, arena, codecs, now, epoch, budget, corked: false, corked_bytes: 0, latest: None }
    }

    fn put(&mut self, payload: &[u8]) -> Sent {
        let mut cx = Client::cx(&self.services, &mut self.arena, &mut self.codecs, Instant::now(), self.start);
        self.peer.put(&mut cx, false, payload)
    }

    fn poll(&mut self) {
        let mut cx = Client::cx(&self.services, &mut self.arena, &mut self.codecs, Instant::now(), self.start);
        self.peer.leave_arena(cx.arena);
        cx.renew();
        self.retry.begin(&mut self.peer, &cx);
        self.peer.pump(&mut cx);
        self.peer.check_timers(&mut cx, true);
        let is_open = self.peer.state() == State::Open;
        self.retry.settle(&mut self.peer, &mut cx, is_open, || u64::MAX);
    }

    /// Polls until a link has opened (`opened`: it has already) and the client is in this state.
    fn poll_until(&mut self, mut opened: bool, state: State) {
        while !opened || self.peer.state() != state {
            assert!(self.start.elapsed() < ms(60_000), "{:?}", self.peer.state());
            self.poll();
            opened |= self.peer.take_changed().opened;
            thread::yield_now();
        }
    }
}

#[test]
fn a_lost_client_reconnects_under_the_same_handle() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || cutting_server(listener));
    let request = RequestSpec {
        host: format!("127.0.0.1:{port}"),
        target: "/".to_owned(),
        headers: Vec::new(),
        subprotocols: Vec::new(),
        deflate: None,
        max_header_bytes: 1 << 10,
        channel: None,
    };
    let to = Destination { host: "127.0.0.1".to_owned(), port, tls: None, no_delay: true, trace: None };
    let recipe = Recipe { to, via: None, request, session: None, timeout: Some(ms(20_000)), queue_before_open: true };
    let services = Services::new(Arc::new(|| {}));
    let start = Instant::now();
    let settings =
        [(WS_OPT_INBOUND_PACKETS, 77), (WS_OPT_RETRY_MIN_MS, 1), (WS_OPT_RETRY_MAX_MS, 1), (WS_OPT_RETRY_TRIES, 3)];
    let mut peer = Connection::dial(&services, recipe.clone(), options(false, &settings), start);
    peer.reconnect();
    (peer.endpoint.handle, peer.endpoint.user) = (5, 9);
    let (arena, codecs) = (Arena::new(64 << 10), Codecs::default());
    let mut client = Client { peer, retry: Retry::new(recipe), services, arena, codecs, start };
    for life in 0..LIVES {
        assert_eq!(client.put(b"a"), Sent::Taken, "life {life}: a message put before OPEN is queued");
        client.poll_until(false, State::Lost);
    }
    server.join().unwrap();
    // Nobody listens any more: the end event must contain nothing of an earlier link.
    client.poll_until(true, State::Closed);
    let Client { mut peer, arena, .. } = client;
    assert_eq!(peer.put_with(|| -> &mut Cx<'_> { unreachable!() }, false, b"a"), Sent::NotOpen);
    let end = peer.endpoint.info.end().unwrap();
    assert_eq!((end.cause, end.http_status), (Cause::Refused, 0));
    assert!(peer.endpoint.info.headers.get("upgrade", 0).is_none());
    peer.leave_arena(&arena);
    let mut items = Vec::new();
    while let Some(item) = peer.take_item() {
        items.push(match item {
            Item::Message(message) => format!("message {}", message.parts(&arena).1[0]),
            Item::Mark(mark) => {
                if mark.kind == EventKind::Lost {
                    assert!(matches!(mark.cause, Cause::PeerGone | Cause::Reset) && mark.unsent == 0, "{mark:?}");
                }
                format!("{:?}", mark.kind)
            }
        });
    }
    let expected: Vec<_> =
        (0..LIVES).flat_map(|life| ["Open".to_owned(), format!("message {life}"), "Lost".to_owned()]).collect();
    // Of the reports of failed tries only the last is kept for a program that does not read them.
    assert_eq!(items, [expected, vec!["Error".to_owned(), "Closed".to_owned()]].concat());
    assert_eq!(
        (peer.endpoint.handle, peer.endpoint.user, peer.endpoint.options.limit(WS_OPT_INBOUND_PACKETS)),
        (5, 9, 77)
    );
    let counters = peer.totals();
    assert_eq!((counters.messages_in, counters.messages_out), (LIVES as u64, LIVES as u64));
}

#[test]
fn a_gap_between_polls_does_not_count_as_waiting() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let request = RequestSpec {
        host: format!("127.0.0.1:{port}"),
        target: "/".to_owned(),
        headers: Vec::new(),
        subprotocols: Vec::new(),
        deflate: None,
        max_header_bytes: 1 << 10,
        channel: None,
    };
    let to = Destination { host: "127.0.0.1".to_owned(), port, tls: None, no_delay: true, trace: None };
    let recipe = Recipe { to, via: None, request, session: None, timeout: Some(ms(20_000)), queue_before_open: false };
    let (services, start) = (Services::new(Arc::new(|| {})), Instant::now());
    let settings = [(WS_OPT_RETRY_MIN_MS, 10_000), (WS_OPT_RETRY_MAX_MS, 10_000)];
    let mut peer = Connection::dial(&services, recipe.clone(), options(false, &settings), start);
    peer.reconnect();
    let (arena, codecs) = (Arena::new(64 << 10), Codecs::default());
    let mut client = Client { peer, retry: Retry::new(recipe), services, arena, codecs, start };
    while !client.peer.is_resting() {
        assert!(start.elapsed() < ms(60_000));
        client.poll();
    }
    let before = Instant::now();
    let begins = |client: &mut Client, now: Instant| {
        let cx = Client::cx(&client.services, &mut client.arena, &mut client.codecs, now, start);
        client.retry.begin(&mut client.peer, &cx)
    };
    // The wait of 10 s is moved by the gap but for its first second: who polls every two seconds gets on too.
    client.peer.shift(ms(60_000));
    client.retry.shift(ms(60_000));
    assert!(!begins(&mut client, before + ms(60_000)));
    assert!(begins(&mut client, before + ms(69_000)));
    assert!(!client.peer.is_resting());
}
