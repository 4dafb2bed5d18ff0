//! A client that is opened, lost and opened again keeps its endpoint: handle, options, counters and queued items.

use crate::test_connection::{ms, options};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Instant;
use tungstenite::handshake::derive_accept_key;
use wspeer::codes::*;
use wspeer::internals::connection::Connection;
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

/// Polls until the client is CLOSED.
fn poll_to_the_end(
    client: &mut Connection,
    services: &Services,
    arena: &mut Arena,
    codecs: &mut Codecs,
    start: Instant,
) {
    while client.state() != State::Closed {
        assert!(start.elapsed() < ms(60_000), "{:?}", client.state());
        let now = Instant::now();
        let budget = Budget::new(&SystemClock, now, None);
        let mut cx = Cx { services, arena, codecs, now, epoch: start, budget, corked: false, corked_bytes: 0 };
        client.leave_arena(cx.arena);
        cx.renew();
        client.pump(&mut cx);
        client.check_timers(&mut cx, true);
        thread::yield_now();
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
        heartbeat: false,
    };
    let to = Destination { host: "127.0.0.1".to_owned(), port, tls: None, no_delay: true, trace: None };
    let recipe = Recipe { to, via: None, request, timeout: Some(ms(20_000)), queue_before_open: true };
    let services = Services::new(Arc::new(|| {}));
    let (mut arena, mut codecs, start) = (Arena::new(64 << 10), Codecs::default(), Instant::now());
    let mut client =
        Connection::dial(&services, recipe.clone(), options(false, &[(WS_OPT_INBOUND_PACKETS, 77)]), start);
    (client.endpoint.handle, client.endpoint.user) = (5, 9);
    for life in 0..LIVES {
        assert!(!client.dial_again(&services, recipe.clone(), start), "it has not ended");
        let mut cx = Cx {
            services: &services,
            arena: &mut arena,
            codecs: &mut codecs,
            now: start,
            epoch: start,
            budget: Budget::new(&SystemClock, start, None),
            corked: false,
            corked_bytes: 0,
        };
        assert_eq!(client.put(&mut cx, false, b"a"), Sent::Taken, "life {life}: a message put before OPEN is queued");
        poll_to_the_end(&mut client, &services, &mut arena, &mut codecs, start);
        let changed = client.take_changed();
        assert!(changed.opened && changed.ended, "life {life}");
        assert_eq!(client.put_with(|| -> &mut Cx<'_> { unreachable!() }, false, b"a"), Sent::NotOpen);
        if life + 1 < LIVES {
            assert!(client.dial_again(&services, recipe.clone(), Instant::now()));
        }
    }
    server.join().unwrap();
    // Nobody listens any more: the end event must contain nothing of an earlier link.
    assert!(client.dial_again(&services, recipe, Instant::now()));
    poll_to_the_end(&mut client, &services, &mut arena, &mut codecs, start);
    let end = client.endpoint.info.end().unwrap();
    assert_eq!((end.cause, end.http_status), (Cause::Refused, 0));
    assert!(client.endpoint.info.headers.get("upgrade", 0).is_none());
    client.leave_arena(&arena);
    let mut items = Vec::new();
    while let Some(item) = client.take_item() {
        items.push(match item {
            Item::Message(message) => format!("message {}", message.parts(&arena).1[0]),
            Item::Mark(mark) if mark.kind == EventKind::Closed => {
                assert!(
                    matches!(mark.cause, Cause::PeerGone | Cause::Reset | Cause::Refused) && mark.unsent == 0,
                    "{mark:?}"
                );
                "CLOSED".to_owned()
            }
            Item::Mark(mark) => format!("{:?}", mark.kind),
        });
    }
    let expected: Vec<_> =
        (0..LIVES).flat_map(|life| ["Open".to_owned(), format!("message {life}"), "CLOSED".to_owned()]).collect();
    assert_eq!(items, [expected, vec!["CLOSED".to_owned()]].concat());
    assert_eq!(
        (client.endpoint.handle, client.endpoint.user, client.endpoint.options.limit(WS_OPT_INBOUND_PACKETS)),
        (5, 9, 77)
    );
    let counters = client.totals();
    assert_eq!((counters.messages_in, counters.messages_out), (LIVES as u64, LIVES as u64));
}
