//! The connect timeout in each phase of connecting, on real sockets: they are polled until the phase is reached, then
//! the fake clock passes the timeout.

use crate::test_connection::{ms, options};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Instant;
use wspeer::internals::connection::Connection;
use wspeer::internals::endpoint::Item;
use wspeer::internals::net::{Destination, Services, TlsClient, TlsClientSettings};
use wspeer::internals::opening::Recipe;
use wspeer::internals::protocol::RequestSpec;
use wspeer::internals::status::{Cause, EventKind, Phase, State};
use wspeer::internals::work::{Arena, Budget, Codecs, Cx, SystemClock};

fn times_out_in(phase: Phase, to: Destination) {
    let services = Services::new(Arc::new(|| {}));
    let mut arena = Arena::new(64 << 10);
    let mut codecs = Codecs::default();
    let start = Instant::now();
    let spec = RequestSpec {
        host: "h".to_owned(),
        target: "/".to_owned(),
        headers: Vec::new(),
        subprotocols: Vec::new(),
        deflate: None,
        max_header_bytes: 1 << 10,
        channel: None,
    };
    let recipe =
        Recipe { to, via: None, request: spec, session: None, timeout: Some(ms(60_000)), queue_before_open: false };
    let mut peer = Connection::dial(&services, recipe, options(false, &[]), start);
    let mut poll = |peer: &mut Connection, now: Instant| {
        let mut cx = Cx {
            services: &services,
            arena: &mut arena,
            codecs: &mut codecs,
            now,
            epoch: start,
            budget: Budget::new(&SystemClock, now, None),
            corked: false,
            corked_bytes: 0,
            latest: None,
        };
        peer.pump(&mut cx);
        peer.check_timers(&mut cx, true);
    };
    while peer.phase() != phase {
        poll(&mut peer, Instant::now());
        assert!(
            start.elapsed() < ms(20_000) && peer.state() == State::Connecting,
            "phase {:?} and not {phase:?}",
            peer.phase()
        );
        std::thread::yield_now();
    }
    poll(&mut peer, start + ms(59_000));
    assert_eq!((peer.phase(), peer.state()), (phase, State::Connecting));
    poll(&mut peer, start + ms(60_000));
    let Some(Item::Mark(mark)) = peer.take_item() else { panic!("nothing was reported") };
    assert_eq!((mark.kind, mark.phase, mark.cause), (EventKind::Closed, phase, Cause::ConnectTimeout));
    assert!(peer.take_item().is_none());
}

fn to(address: SocketAddr, tls: Option<Arc<TlsClient>>) -> Destination {
    Destination { host: address.ip().to_string(), port: address.port(), tls, no_delay: true, trace: None }
}

#[test]
#[cfg(target_os = "linux")] // On other systems a full queue refuses connections instead of ignoring them.
fn an_unanswered_tcp_connect_times_out() {
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    // The queue holds one connection: later attempts get no answer.
    let _first = TcpStream::connect(address).unwrap();
    times_out_in(Phase::Tcp, to(address, None));
}

#[test]
fn an_unanswered_tls_handshake_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = TlsClientSettings { insecure: true, ..TlsClientSettings::default() };
    let tls = TlsClient::new("localhost", settings).unwrap();
    times_out_in(Phase::Tls, to(listener.local_addr().unwrap(), Some(Arc::new(tls))));
}

#[test]
fn an_unanswered_http_request_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    times_out_in(Phase::Http, to(listener.local_addr().unwrap(), None));
}
