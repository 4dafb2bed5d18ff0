//! Sessions (session_ms) through the C ABI, over real sockets: clients and servers, hosts and joins, behind a proxy that
//! cuts links.
#![allow(unsafe_code)] // Calls the C ABI.

#[path = "../support/c_host.rs"]
mod c_host;
#[path = "../support/c_sessions.rs"]
mod c_sessions;
#[path = "../support/fault_proxy.rs"]
mod fault_proxy;

use c_host::*;
use c_sessions::*;
use fault_proxy::{DOWN, End, Faults, Proxy, UP};
use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::CString;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wspeer::codes::*;
use wspeer::ffi::*;

/// A server, a client behind a proxy, and the server's handle of it.
struct Both {
    server: u32,
    client: u32,
    conn: u32,
    port: u16,
    proxy: Proxy,
}

impl Both {
    fn new(server_edit: impl FnOnce(&mut ws_config), client_edit: impl FnOnce(&mut ws_config)) -> Both {
        let (server, port) = listen(None, |config| {
            keeps(config);
            server_edit(config);
        });
        let proxy = Proxy::new(port);
        let client = connect(proxy.port, None, |config| {
            keeps(config);
            client_edit(config);
        });
        let conn = await_event(&[client, server], server, WS_EVENT_CONNECTED).conn;
        await_event(&[client, server], client, WS_EVENT_OPEN);
        Both { server, client, conn, port, proxy }
    }

    fn handles(&self) -> [u32; 2] {
        [self.client, self.server]
    }

    /// Cuts the link, and keeps the client from coming back until `mend`.
    fn cut(&self) {
        self.proxy.plan(|_| [Faults { end: Some((0, End::Reset)), ..Faults::default() }; 2]);
        self.proxy.end_all(End::Reset);
        let lost = await_event(&self.handles(), self.server, WS_EVENT_LOST);
        assert_eq!((lost.conn, lost.unsent), (self.conn, 0));
        assert_eq!(await_event(&self.handles(), self.client, WS_EVENT_LOST).unsent, 0);
        assert_eq!((state(self.client), state(self.conn)), (WS_LOST, WS_LOST));
    }

    fn mend(&self) {
        self.proxy.plan(|_| Default::default());
    }

    fn end(self) {
        free(self.client);
        free(self.server);
    }
}

#[test]
fn messages_put_while_lost_arrive_once_and_in_order() {
    let both = Both::new(|_| {}, |_| {});
    assert_eq!((put(both.client, b"c1"), put(both.conn, b"s1")), (WS_OK, WS_OK));
    both.cut();
    assert_eq!((put(both.client, b"c2"), put(both.conn, b"s2")), (WS_OK, WS_OK));
    assert_eq!(put(both.server, b"all"), WS_OK);
    let of_server = stats(both.server);
    assert_eq!((of_server.lost, of_server.connections, of_server.losses), (1, 1, 1));
    assert!(of_server.unacknowledged_packets >= 2 && of_server.unacknowledged_bytes >= 5 + 2 * 64);
    both.mend();
    let mut got: HashMap<u32, Vec<String>> = HashMap::new();
    let (client, server) = (both.client, both.server);
    let mut resumed = 0;
    let take = |handle, event: Event| match event.kind {
        WS_EVENT_MESSAGE => got.entry(handle).or_default().push(event.error_text()),
        WS_EVENT_RESUMED => resumed += 1,
        WS_EVENT_ERROR => {}
        other => panic!("event {other}"),
    };
    let unacknowledged = |handle| stats(handle).unacknowledged_packets;
    play(&both.handles(), "all messages", take, || unacknowledged(client) + unacknowledged(server) == 0);
    assert_eq!(resumed, 2);
    // The first message of each may have arrived before the cut.
    assert!(got[&server].ends_with(&["c2".to_owned()]) && got[&client].ends_with(&["s2".to_owned(), "all".to_owned()]));
    assert_eq!((state(both.client), state(both.conn), conns(server)), (WS_OPEN, WS_OPEN, vec![both.conn]));
    let of_client = stats(client);
    assert_eq!((of_client.losses, of_client.resumed, stats(server).resumed), (1, 1, 1));
    both.end();
}

fn kick(both: &Both) {
    // SAFETY: the text lives.
    assert_eq!(unsafe { ws_disconnect(both.server, both.conn as i32, 4_003, c"out".as_ptr()) }, WS_OK);
}

/// A kicked client is over at once for the program, and learns of it: while its link stands, or when it comes back.
#[test]
fn a_kicked_client_does_not_come_back() {
    for is_lost in [false, true] {
        let both = Both::new(|config| config.max_clients = 1, |_| {});
        let handles = both.handles();
        assert_eq!((put(both.client, b"c1"), put(both.conn, b"s1")), (WS_OK, WS_OK));
        if is_lost {
            both.cut();
            assert_eq!((put(both.client, b"c2"), put(both.conn, b"s2")), (WS_OK, WS_OK));
        }
        kick(&both);
        kick(&both);
        assert_eq!(state(both.conn), WS_CLOSED);
        let last = std::iter::from_fn(|| next(both.server)).last().unwrap();
        assert_eq!((last.kind, last.conn, last.code), (WS_EVENT_DISCONNECTED, both.conn, 4_003));
        let of_server = stats(both.server);
        // The session of one that was lost is kept until it is told, or ends.
        assert_eq!((of_server.connections, of_server.lost), (0, u64::from(is_lost)));
        poll(both.server);
        assert_eq!(state(both.conn), WS_ERR_HANDLE);
        both.mend();
        let mut got = Vec::new();
        until("the client is told", || {
            poll(both.client);
            poll(both.server);
            assert!(next(both.server).is_none(), "nothing follows");
            got.extend(std::iter::from_fn(|| next(both.client)));
            state(both.client) == WS_CLOSED
        });
        got.extend(std::iter::from_fn(|| next(both.client)));
        let last = got.last().unwrap();
        assert_eq!((last.kind, last.code, last.cause), (WS_EVENT_CLOSED, 4_003, WS_CAUSE_CLOSED_BY_PEER));
        let texts: Vec<_> = got.iter().filter(|event| event.kind == WS_EVENT_MESSAGE).map(Event::error_text).collect();
        // Where the link was cut, the first message may have been taken before.
        assert!(
            texts.ends_with(&[if is_lost { "s2" } else { "s1" }.to_owned()]),
            "what was put before arrives: {texts:?}"
        );
        // Its place is free.
        let other = connect(both.port, None, keeps);
        await_event(&[other, handles[1]], other, WS_EVENT_OPEN);
        free(other);
        both.end();
    }
}

/// A kicked client that was lost and never comes back leaves nothing behind when its session ends.
#[test]
fn a_kicked_client_that_stays_away_is_forgotten() {
    let both = Both::new(|config| (config.max_clients, config.session_ms) = (1, 2_000), |_| {});
    both.cut();
    kick(&both);
    assert_eq!(std::iter::from_fn(|| next(both.server)).last().unwrap().kind, WS_EVENT_DISCONNECTED);
    free(both.client);
    let mut other = 0;
    until("its place is free", || {
        if other == 0 || state(other) == WS_CLOSED {
            free(other);
            other = connect(both.port, None, keeps);
        }
        poll(other);
        poll(both.server);
        while let Some(event) = next(both.server) {
            assert_eq!(event.kind, WS_EVENT_CONNECTED);
        }
        state(other) == WS_OPEN
    });
    assert_eq!((stats(both.server).connections, stats(both.server).lost), (1, 0));
    free(other);
    free(both.server);
}

/// Random traffic of several clients over links that break at random bytes, in every way.
fn many_cuts(certificate: Option<&Certificate>, deflate: u32, seed: u32) {
    const CLIENTS: usize = 6;
    const MESSAGES: u32 = 150;
    let edit = |config: &mut ws_config| {
        keeps(config);
        config.deflate_level = deflate;
        config.deflate_threshold_bytes = 16;
        (config.heartbeat_ms, config.pong_timeout_ms) = (150, 450);
    };
    let (server, port) = listen(certificate, edit);
    let proxy = Proxy::new(port);
    let mut random = random_of(seed);
    proxy.plan(move |number| {
        let end = match random(5) {
            0 => End::Swallow,
            1 => End::Fin,
            _ => End::Reset,
        };
        let after = if certificate_bytes(number) { 600 + random(9_000) } else { random(4_000) };
        let mut faults = [Faults { pieces: Some(200), ..Faults::default() }; 2];
        if number < 60 {
            faults[[UP, DOWN][random(2) as usize]].end = Some((after.into(), end));
        }
        faults
    });
    let clients: Vec<u32> = (0..CLIENTS).map(|_| connect(proxy.port, certificate, edit)).collect();
    let mut random = random_of(seed + 1);
    // By handle: messages put, and received, and of a server's client the number of the client.
    let mut sent: HashMap<u32, u32> = HashMap::new();
    let mut received: HashMap<(u32, u32), u32> = HashMap::new();
    let mut conns_open: Vec<u32> = Vec::new();
    let mut opened = 0;
    let all: Vec<u32> = clients.iter().copied().chain([server]).collect();
    until("all messages", || {
        for handle in &all {
            assert!(poll(*handle) >= 0);
            while let Some(event) = next(*handle) {
                match event.kind {
                    WS_EVENT_OPEN => opened += 1,
                    WS_EVENT_CONNECTED => conns_open.push(event.conn),
                    WS_EVENT_MESSAGE => {
                        // "NUMBER/padding"
                        let number: u32 = event.error_text().split('/').next().unwrap().parse().unwrap();
                        let expected = received.entry((*handle, event.conn)).or_default();
                        assert_eq!(number, *expected, "at {handle} of {}", event.conn);
                        *expected += 1;
                    }
                    WS_EVENT_LOST => assert_eq!(event.unsent, 0),
                    WS_EVENT_RESUMED | WS_EVENT_ERROR | WS_EVENT_WRITABLE => {}
                    other => panic!("event {other} of {handle}: {event:?}"),
                }
            }
        }
        let open = clients.iter().filter(|client| matches!(state(**client), WS_OPEN | WS_LOST)).copied();
        for handle in open.chain(conns_open.iter().copied()).collect::<Vec<_>>() {
            let number = sent.entry(handle).or_default();
            let text = format!("{number}/{}", "x".repeat(random(400) as usize));
            if *number < MESSAGES && random(3) == 0 && put(handle, text.as_bytes()) == WS_OK {
                *number += 1;
            }
            if random(400) == 0 && clients.contains(&handle) {
                assert_eq!(ws_hint(handle, WS_HINT_NETWORK_CHANGED), WS_OK);
            }
        }
        let is_done = |count: &u32| *count == MESSAGES;
        sent.len() == 2 * CLIENTS
            && sent.values().all(is_done)
            && received.len() == 2 * CLIENTS
            && received.values().all(is_done)
    });
    assert_eq!((opened, conns_open.len()), (CLIENTS, CLIENTS));
    let (of_server, of_clients) = (stats(server), clients.iter().map(|client| stats(*client).resumed).sum::<u64>());
    assert!(of_clients >= 10, "{of_clients} resumes");
    assert_eq!((of_server.accepted > of_clients, of_server.lost <= CLIENTS as u64), (true, true));
    clients.into_iter().for_each(free);
    free(server);
}

/// TLS needs more bytes before a session can begin.
fn certificate_bytes(number: usize) -> bool {
    number.is_multiple_of(2)
}

#[test]
fn many_clients_survive_many_cuts() {
    many_cuts(None, 0, 1);
}

#[test]
fn many_clients_survive_many_cuts_with_tls_and_deflate() {
    many_cuts(Some(&Certificate::new()), 3, 2);
}

#[test]
fn a_server_that_was_started_again_has_no_session() {
    for renews in [false, true] {
        let (server, port) = listen(None, keeps);
        let client = connect(port, None, |config| {
            keeps(config);
            config.flags |= if renews { WS_RECONNECT } else { 0 };
        });
        await_event(&[client, server], client, WS_EVENT_OPEN);
        free(server);
        let lost = await_event(&[client], client, WS_EVENT_LOST);
        assert_eq!(lost.unsent, 0);
        assert_eq!(put(client, b"kept"), WS_OK);
        let url = CString::new(format!("ws://127.0.0.1:{port}")).unwrap();
        let mut again = 0;
        // SAFETY: everything lives.
        unsafe {
            let mut config: ws_config = std::mem::zeroed();
            assert_eq!(ws_config_init(&mut config, size_of::<ws_config>()), WS_OK);
            keeps(&mut config);
            assert_eq!(ws_listen(url.as_ptr(), &config, &mut again), WS_OK, "{}", last_error());
        }
        let mut events = Vec::new();
        let take = |handle, event: Event| {
            if handle == client {
                events.push(event);
            }
        };
        let end = if renews { WS_OPEN } else { WS_CLOSED };
        play(&[client, again], "the new server", take, || state(client) == end);
        let told = events.iter().find(|event| matches!(event.kind, WS_EVENT_LOST | WS_EVENT_CLOSED)).unwrap();
        let kind = if renews { WS_EVENT_LOST } else { WS_EVENT_CLOSED };
        assert_eq!((told.kind, told.cause, told.unsent), (kind, WS_CAUSE_SESSION, 1), "{told:?}");
        if renews {
            assert_eq!(put(client, b"new"), WS_OK);
            assert_eq!(await_event(&[client, again], again, WS_EVENT_MESSAGE).bytes, b"new");
        }
        free(client);
        free(again);
    }
}

#[test]
fn a_client_of_a_server_without_sessions_goes_on_without() {
    for flags in [0, WS_APP_HEARTBEAT] {
        let (server, port) = listen(None, |config| config.flags = flags);
        let client = connect_to(port, "/?a=1", None, keeps);
        let open = await_event(&[client, server], client, WS_EVENT_OPEN);
        assert_eq!(open.http_status, 101);
        let error = await_event(&[client, server], client, WS_EVENT_ERROR);
        assert_eq!(error.cause, WS_CAUSE_SESSION, "{}", error.error_text());
        assert_eq!(put(client, b"hello"), WS_OK);
        assert_eq!(await_event(&[client, server], server, WS_EVENT_MESSAGE).bytes, b"hello");
        free(server);
        let mut closed = None;
        play(&[client], "the end", |_, event| closed = Some(event), || state(client) == WS_CLOSED);
        assert_eq!(closed.unwrap().kind, WS_EVENT_CLOSED);
        free(client);
    }
}

#[test]
fn a_close_ends_the_session_of_both() {
    // 1001 without END would be a lost link.
    for code in [1000, 1001, 4_000] {
        let both = Both::new(|_| {}, |_| {});
        assert_eq!((put(both.conn, b"last"), close(both.conn, code)), (WS_OK, WS_OK));
        let mut events = Vec::new();
        let take = |handle, event: Event| events.push((handle, event));
        let (client, conn) = (both.client, both.conn);
        play(&both.handles(), "the end", take, || state(client) == WS_CLOSED && is_gone(conn));
        let of =
            |handle: u32| events.iter().filter(|(of, _)| *of == handle).map(|(_, event)| event).collect::<Vec<_>>();
        let (of_client, of_server) = (of(client), of(both.server));
        assert_eq!(of_client[0].bytes, b"last");
        let closed = of_client.last().unwrap();
        assert_eq!((closed.kind, closed.code, closed.clean), (WS_EVENT_CLOSED, code, true));
        let gone = of_server.last().unwrap();
        assert_eq!((gone.kind, gone.clean, gone.unsent), (WS_EVENT_DISCONNECTED, true, 0));
        both.end();
    }
}

#[test]
fn a_close_while_lost_waits_for_the_link() {
    let both = Both::new(|_| {}, |_| {});
    both.cut();
    assert_eq!((put(both.client, b"last"), close(both.client, 4_001)), (WS_OK, WS_OK));
    assert_eq!((state(both.client), put(both.client, b"late")), (WS_CLOSING, WS_ERR_STATE));
    both.mend();
    let (mut events, client) = (Vec::new(), both.client);
    let conn = both.conn;
    let take = |_, event: Event| events.push((event.kind, event.code, event.bytes.clone()));
    play(&both.handles(), "the end", take, || state(client) == WS_CLOSED && is_gone(conn));
    assert!(events.iter().any(|(kind, _, bytes)| *kind == WS_EVENT_MESSAGE && bytes == b"last"), "{events:?}");
    assert!(events.iter().any(|(kind, code, _)| *kind == WS_EVENT_DISCONNECTED && *code == 4_001), "{events:?}");
    both.end();
}

#[test]
fn a_close_while_lost_times_out() {
    let both = Both::new(|_| {}, |config| config.close_timeout_ms = 200);
    both.cut();
    assert_eq!((put(both.client, b"last"), close(both.client, 0)), (WS_OK, WS_OK));
    let closed = await_event(&[both.client], both.client, WS_EVENT_CLOSED);
    assert_eq!((closed.code, closed.cause, closed.unsent), (1006, WS_CAUSE_CLOSE_TIMEOUT, 1), "{closed:?}");
    // The server's session goes on until its time is over, or the program ends it.
    assert_eq!(close(both.conn, -1), WS_OK);
    let gone = await_event(&[both.server], both.server, WS_EVENT_DISCONNECTED);
    assert_eq!((gone.code, gone.cause), (1006, WS_CAUSE_DROPPED));
    both.end();
}

#[test]
fn a_lost_session_ends_when_its_time_is_over() {
    // The shorter time of both counts.
    let both = Both::new(|config| config.session_ms = 300, |_| {});
    both.cut();
    let (mut ends, client) = (Vec::new(), both.client);
    let conn = both.conn;
    let take = |handle, event: Event| {
        if event.is_end() {
            ends.push((handle, event.cause, event.code));
        }
    };
    play(&both.handles(), "the end", take, || state(client) == WS_CLOSED && is_gone(conn));
    ends.sort();
    let mut expected = vec![(both.client, WS_CAUSE_SESSION, 1006), (both.server, WS_CAUSE_SESSION, 1006)];
    expected.sort();
    assert_eq!(ends, expected);
    both.end();
}

#[test]
fn a_client_that_gives_up_tells_what_was_not_acknowledged() {
    for flags in [0, WS_RECONNECT] {
        let both = Both::new(|_| {}, |config| (config.flags, config.retry_tries) = (flags, 3));
        both.cut();
        assert_eq!((put(both.client, b"1"), put(both.client, b"2")), (WS_OK, WS_OK));
        let closed = await_event(&[both.client], both.client, WS_EVENT_CLOSED);
        assert_eq!(closed.unsent, 2, "{closed:?}");
        both.end();
    }
}

/// A close while LOST, to a server that does not have the session any more, opens no other one.
#[test]
fn a_close_while_lost_begins_no_new_session() {
    let both = Both::new(|_| {}, |config| config.flags |= WS_RECONNECT);
    both.cut();
    assert_eq!((put(both.client, b"last"), close(both.client, 0)), (WS_OK, WS_OK));
    assert_eq!(close(both.conn, -1), WS_OK);
    await_event(&[both.server], both.server, WS_EVENT_DISCONNECTED);
    both.mend();
    let closed = await_event(&both.handles(), both.client, WS_EVENT_CLOSED);
    assert_eq!((closed.code, closed.unsent), (1006, 1), "{closed:?}");
    assert_eq!(stats(both.server).connections, 0);
    both.end();
}

#[test]
fn a_full_lost_client_is_skipped_or_ends() {
    for (policy, ends) in [(WS_FULL_SKIP, false), (WS_FULL_DISCONNECT, true), (WS_FULL_ALL_OR_NONE, true)] {
        let both = Both::new(
            |config| (config.on_full, config.session_bytes) = (policy, 1_000),
            |config| config.session_bytes = 1_000,
        );
        both.cut();
        let (mut taken, mut result) = (0, WS_OK);
        while result == WS_OK && taken < 100 {
            result = put(both.server, &[7; 100]);
            taken += usize::from(result == WS_OK);
        }
        assert_eq!((taken, result), (1_000 / 164, WS_PARTIAL), "{policy}");
        if ends {
            let gone = await_event(&[both.server], both.server, WS_EVENT_DISCONNECTED);
            assert_eq!((gone.cause, gone.unsent), (WS_CAUSE_FULL, taken as u32));
        } else {
            assert_eq!(await_event(&[both.server], both.server, WS_EVENT_SKIPPED).count, 1);
            assert_eq!(put(both.conn, b"no"), if taken * 164 + 66 > 1_000 { WS_ERR_FULL } else { WS_OK });
            both.mend();
            await_event(&both.handles(), both.server, WS_EVENT_RESUMED);
            await_event(&both.handles(), both.server, WS_EVENT_WRITABLE);
        }
        both.end();
    }
}

#[test]
fn who_comes_back_has_a_seat() {
    let limit = |config: &mut ws_config| (config.max_clients, config.max_clients_per_address) = (1, 1);
    let both = Both::new(limit, |_| {});
    both.cut();
    assert_eq!(ws_set_option(both.server, WS_OPT_REFUSE_NEW, 1), WS_OK);
    both.mend();
    await_event(&both.handles(), both.client, WS_EVENT_RESUMED);
    // Another client gets no seat, even with the name of the node.
    let other = connect(both.proxy.port, None, |_| {});
    let mut closed = None;
    play(&[other, both.server], "the refusal", |_, event| closed = Some(event), || state(other) == WS_CLOSED);
    assert_eq!(closed.unwrap().http_status, 503);
    free(other);
    both.end();
}

#[test]
fn beyond_max_lost_the_first_ends() {
    let (server, port) = listen(None, |config| {
        keeps(config);
        config.max_lost = 2;
    });
    let proxy = Proxy::new(port);
    let clients: Vec<u32> = (0..4).map(|_| connect(proxy.port, None, keeps)).collect();
    let all: Vec<u32> = clients.iter().copied().chain([server]).collect();
    play(&all, "4 clients", |_, _| {}, || clients.iter().all(|client| state(*client) == WS_OPEN));
    play(&all, "4 clients", |_, _| {}, || stats(server).connections == 4);
    proxy.plan(|_| [Faults { end: Some((0, End::Reset)), ..Faults::default() }; 2]);
    proxy.end_all(End::Reset);
    let (mut lost, mut ended) = (0, 0);
    let take = |_, event: Event| match event.kind {
        WS_EVENT_LOST => lost += 1,
        WS_EVENT_DISCONNECTED => {
            assert_eq!(event.cause, WS_CAUSE_SESSION);
            ended += 1;
        }
        _ => {}
    };
    play(&[server], "the losses", take, || stats(server).lost == 2 && stats(server).connections == 2);
    assert_eq!((lost, ended), (4, 2));
    clients.into_iter().for_each(free);
    free(server);
}

#[test]
fn players_notice_nothing() {
    let (host, port) = host(|config| {
        keeps(config);
        config.flags = WS_SCENE;
    });
    let proxy = Proxy::new(port);
    let edit = |config: &mut ws_config| {
        keeps(config);
        config.flags = WS_SCENE;
    };
    let joins = [join(port, None, edit), join(proxy.port, None, edit)];
    let all = [joins[0], joins[1], host];
    let connected = Cell::new(0);
    let take = |_, event: Event| connected.set(connected.get() + i32::from(event.kind == WS_EVENT_CONNECTED));
    // The host has two peers, and each join the host and the other.
    play(&all, "the game", take, || connected.get() == 6);
    let ids = joins.map(|join| ws_get_peer_id(join));
    for round in 1..=3 {
        proxy.end_all(End::Reset);
        let mut events = Vec::new();
        let take = |handle, event: Event| events.push((handle, event.kind));
        play(&all, "the resume", take, || is_back(&all, joins[1], round));
        let told: Vec<i32> = events.iter().filter(|(handle, _)| *handle == joins[1]).map(|(_, kind)| *kind).collect();
        assert_eq!(told, [WS_EVENT_LOST, WS_EVENT_RESUMED]);
        let of_game = |kind: &i32| matches!(*kind, WS_EVENT_CONNECTED | WS_EVENT_DISCONNECTED | WS_EVENT_OPEN);
        assert!(!events.iter().any(|(_, kind)| of_game(kind)), "{events:?}");
    }
    for (handle, id) in joins.into_iter().zip(ids) {
        assert_eq!(ws_get_peer_id(handle), id);
        free(handle);
    }
    free(host);
}

/// Whether all are open, and the session of the join has been resumed so many times.
fn is_back(all: &[u32], join: u32, times: u64) -> bool {
    all.iter().all(|handle| state(*handle) == WS_OPEN) && stats(join).resumed == times
}

#[test]
fn a_hint_makes_a_client_come_back_at_once() {
    // Waits that a test would not see the end of.
    let slow = |config: &mut ws_config| (config.retry_min_ms, config.retry_max_ms) = (3_600_000, 3_600_000);
    let both = Both::new(|_| {}, slow);
    both.proxy.end_all(End::Reset);
    await_event(&both.handles(), both.client, WS_EVENT_LOST);
    assert_eq!(ws_hint(both.client, WS_HINT_RESUME), WS_OK);
    await_event(&both.handles(), both.client, WS_EVENT_RESUMED);
    // The network changes: another link is opened, and then the first one given up.
    assert_eq!((put(both.client, b"before"), ws_hint(both.client, WS_HINT_NETWORK_CHANGED)), (WS_OK, WS_OK));
    assert_eq!(state(both.client), WS_OPEN);
    assert_eq!(put(both.client, b"after"), WS_OK);
    await_event(&both.handles(), both.client, WS_EVENT_RESUMED);
    for expected in ["before", "after"] {
        assert_eq!(await_event(&both.handles(), both.server, WS_EVENT_MESSAGE).error_text(), expected);
    }
    // Suspended: no try begins.
    assert_eq!(ws_hint(both.client, WS_HINT_SUSPEND), WS_OK);
    both.proxy.end_all(End::Reset);
    await_event(&both.handles(), both.client, WS_EVENT_LOST);
    let accepted = stats(both.server).accepted;
    for _ in 0..200 {
        assert!(poll(both.client) >= 0 && poll(both.server) >= 0);
    }
    assert_eq!((state(both.client), stats(both.server).accepted), (WS_LOST, accepted));
    assert_eq!(ws_hint(both.client, WS_HINT_RESUME), WS_OK);
    await_event(&both.handles(), both.client, WS_EVENT_RESUMED);
    assert_eq!((ws_hint(both.client, 0), ws_hint(both.client, 4)), (WS_ERR_ARG, WS_ERR_ARG));
    assert_eq!((ws_hint(both.server, WS_HINT_RESUME), ws_hint(both.conn, WS_HINT_RESUME)), (WS_ERR_KIND, WS_ERR_KIND));
    both.end();
}

/// Hints that come again and again do not keep a dead link.
#[test]
fn a_storm_of_hints_does_not_keep_a_dead_link() {
    let both = Both::new(|_| {}, |_| {});
    both.proxy.end_all(End::Swallow);
    let lost = Cell::new(0);
    let take = |handle, event: Event| {
        if handle == both.client && event.kind == WS_EVENT_LOST {
            lost.set(event.cause);
        }
    };
    play(&both.handles(), "LOST", take, || {
        assert_eq!(ws_hint(both.client, WS_HINT_RESUME), WS_OK);
        lost.get() != 0
    });
    assert_eq!(lost.get(), WS_CAUSE_PONG_TIMEOUT);
    both.end();
}

/// The network has changed to one over which the server is not reached: the first link goes on.
#[test]
fn a_changed_network_that_leads_nowhere_costs_nothing() {
    let both = Both::new(|_| {}, |_| {});
    let refused = Arc::new(AtomicUsize::new(0));
    let counted = refused.clone();
    both.proxy.plan(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        [Faults { end: Some((0, End::Reset)), ..Faults::default() }; 2]
    });
    for round in 1..=3 {
        assert_eq!(ws_hint(both.client, WS_HINT_NETWORK_CHANGED), WS_OK);
        let text = format!("message {round}");
        assert_eq!(put(both.client, text.as_bytes()), WS_OK);
        let came = await_event(&both.handles(), both.server, WS_EVENT_MESSAGE);
        assert_eq!(came.error_text(), text);
        // The second link has been refused.
        let was_refused = || refused.load(Ordering::Relaxed) == round;
        play(&both.handles(), "the refusal", |_, event| panic!("{event:?}"), was_refused);
    }
    assert_eq!((stats(both.client).losses, state(both.client)), (0, WS_OPEN));
    // Two hints at once need one link only, and a close ends what opens.
    both.mend();
    assert_eq!((0..20).map(|_| ws_hint(both.client, WS_HINT_NETWORK_CHANGED)).max(), Some(WS_OK));
    await_event(&both.handles(), both.client, WS_EVENT_RESUMED);
    assert_eq!(stats(both.client).losses, 1);
    assert_eq!((ws_hint(both.client, WS_HINT_NETWORK_CHANGED), close(both.client, 0)), (WS_OK, WS_OK));
    let closed = await_event(&both.handles(), both.client, WS_EVENT_CLOSED);
    assert!(closed.clean, "{closed:?}");
    both.end();
}

/// A link over which nothing comes any more is found dead within seconds, whatever the heartbeat is.
#[test]
fn a_hint_finds_a_dead_link() {
    let off = |config: &mut ws_config| config.heartbeat_ms = WS_OFF;
    let both = Both::new(off, off);
    both.proxy.end_all(End::Swallow);
    assert_eq!((put(both.client, b"kept"), ws_hint(both.client, WS_HINT_RESUME)), (WS_OK, WS_OK));
    let lost = await_event(&both.handles(), both.client, WS_EVENT_LOST);
    assert_eq!(lost.cause, WS_CAUSE_PONG_TIMEOUT);
    await_event(&both.handles(), both.client, WS_EVENT_RESUMED);
    assert_eq!(await_event(&both.handles(), both.server, WS_EVENT_MESSAGE).bytes, b"kept");
    both.end();
}

fn drain(server: u32, window_ms: u32, url: Option<&str>) -> i32 {
    let url = url.map(|url| CString::new(url).unwrap());
    let pointer = url.as_ref().map_or(std::ptr::null(), |url| url.as_ptr());
    // SAFETY: the text lives.
    unsafe { ws_drain(server, window_ms, 1, pointer) }
}

#[test]
fn a_drained_server_sends_its_clients_to_another() {
    for renews in [true, false] {
        let (other, other_port) = listen(None, keeps);
        let both = Both::new(|_| {}, |config| config.flags |= if renews { WS_RECONNECT } else { 0 });
        // One without a session, and one that has lost its link.
        let plain = connect(both.proxy.port, None, |_| {});
        await_event(&[plain, both.server], plain, WS_EVENT_OPEN);
        let url = format!("ws://127.0.0.1:{other_port}/there");
        assert_eq!((put(both.conn, b"last"), drain(both.server, 60_000, Some(&url))), (WS_OK, WS_OK));
        let late = connect(both.proxy.port, None, |_| {});
        let (mut events, client) = (Vec::new(), both.client);
        let all = [both.client, both.server, other, plain, late];
        let end = if renews { WS_OPEN } else { WS_CLOSED };
        let take = |handle, event: Event| events.push((handle, event));
        let is_done = || state(client) == end && [both.server, plain, late].iter().all(|h| state(*h) == WS_CLOSED);
        // It is OPEN until it is sent away.
        play(&all, "the drain", take, || is_done() && (!renews || stats(client).losses == 1));
        let of =
            |handle: u32| events.iter().filter(|(of, _)| *of == handle).map(|(_, event)| event).collect::<Vec<_>>();
        let of_client = of(client);
        assert_eq!(of_client.iter().find(|event| event.kind == WS_EVENT_MESSAGE).unwrap().bytes, b"last");
        let kind = if renews { WS_EVENT_LOST } else { WS_EVENT_CLOSED };
        let told = of_client.iter().find(|event| event.kind == kind).unwrap();
        assert_eq!((told.code, told.unsent, told.cause), (1012, 0, WS_CAUSE_CLOSED_BY_PEER), "{told:?}");
        let refused = of(late);
        assert_eq!(refused.last().unwrap().http_status, 503);
        assert_eq!(of(plain).last().unwrap().code, 1012);
        assert_eq!(of(both.server).last().unwrap().kind, WS_EVENT_CLOSED);
        if renews {
            assert_eq!(of_client.last().unwrap().kind, WS_EVENT_OPEN);
            assert_eq!(path(conns(other)[0]), "/there");
        }
        [plain, late, other].into_iter().for_each(free);
        both.end();
    }
}

#[test]
fn a_drain_ends_with_its_window() {
    let both = Both::new(|_| {}, |_| {});
    both.cut();
    assert_eq!(put(both.conn, b"never"), WS_OK);
    assert_eq!(drain(both.server, 3_600_000, None), WS_OK);
    // Others are refused, the client that has a session may come back, and the time can be changed.
    for _ in 0..50 {
        assert!(poll(both.server) >= 0);
    }
    assert_eq!((state(both.server), state(both.conn)), (WS_OPEN, WS_LOST));
    assert_eq!(drain(both.server, 0, None), WS_OK);
    let gone = await_event(&[both.server], both.server, WS_EVENT_DISCONNECTED);
    assert_eq!((gone.cause, gone.unsent), (WS_CAUSE_SERVER_CLOSED, 1));
    await_event(&[both.server], both.server, WS_EVENT_CLOSED);
    assert_eq!(drain(both.server, 0, None), WS_ERR_STATE);
    both.end();
}

#[test]
fn bad_drains_are_refused() {
    let both = Both::new(|_| {}, |_| {});
    assert_eq!((drain(both.client, 0, None), drain(both.conn, 0, None)), (WS_ERR_KIND, WS_ERR_KIND));
    let long = format!("ws://h/{}", "x".repeat(1_003 - 6));
    for url in ["http://h", "ws://", "/there", "ws://h :1", "ws://h:0", &long] {
        assert_eq!(drain(both.server, 0, Some(url)), WS_ERR_URL, "{url}");
    }
    assert_eq!(drain(0, 0, None), WS_ERR_HANDLE);
    assert_eq!((state(both.server), state(both.client)), (WS_OPEN, WS_OPEN));
    both.end();
}

/// A program that does not read the events of a client whose link is lost again and again.
#[test]
fn unread_losses_are_counted() {
    let both = Both::new(|_| {}, |_| {});
    const LOSSES: u64 = 30;
    let times = |round| {
        play(
            &[both.client],
            "a resume",
            |_, _| {},
            || {
                poll(both.server);
                stats(both.client).resumed == round && stats(both.server).resumed == round
            },
        )
    };
    for round in 1..=LOSSES {
        both.proxy.end_all(End::Reset);
        times(round);
    }
    let (mut lost, mut skipped) = (0, 0);
    while let Some(event) = next(both.server) {
        match event.kind {
            WS_EVENT_LOST | WS_EVENT_RESUMED => lost += 1,
            WS_EVENT_SKIPPED => skipped += event.count,
            other => panic!("event {other}"),
        }
    }
    assert!(lost <= 2 * 8 && lost + skipped == 2 * LOSSES, "{lost} and {skipped}");
    assert_eq!(stats(both.conn).losses, LOSSES);
    both.end();
}

/// Time in which the link is lost does not count for the authentication.
#[test]
fn an_authentication_waits_for_a_lost_link() {
    const TIME: u32 = 1_500;
    for completes in [true, false] {
        let edit = |config: &mut ws_config| {
            keeps(config);
            config.flags = WS_SCENE | WS_AUTH;
        };
        let (host, port) = host(edit);
        let proxy = Proxy::new(port);
        let join = join(proxy.port, None, edit);
        let all = [join, host];
        assert_eq!(ws_set_option(host, WS_OPT_AUTH_TIMEOUT_MS, TIME), WS_OK);
        assert_eq!(ws_set_option(join, WS_OPT_AUTH_TIMEOUT_MS, TIME), WS_OK);
        let asked = Cell::new(0);
        let take = |_, event: Event| asked.set(asked.get() + i32::from(event.kind == WS_EVENT_AUTHENTICATING));
        play(&all, "AUTHENTICATING", take, || asked.get() == 2);
        let conn = conns(host)[0];
        proxy.plan(|_| [Faults { end: Some((0, End::Reset)), ..Faults::default() }; 2]);
        proxy.end_all(End::Reset);
        // It has no link for longer than the authentication may take.
        let since = std::time::Instant::now();
        let no_end = |_, event: Event| assert!(!event.is_end(), "{event:?}");
        play(&all, "the time", no_end, || since.elapsed() > std::time::Duration::from_millis(u64::from(TIME) + 500));
        assert_eq!(state(conn), WS_LOST);
        proxy.plan(|_| Default::default());
        play(&all, "the resume", no_end, || stats(join).resumed == 1 && state(conn) == WS_OPEN);
        if completes {
            let id = ws_get_peer_id(conn);
            assert_eq!((ws_complete_auth(host, id), ws_complete_auth(join, 1)), (WS_OK, WS_OK));
            let connected = Cell::new(0);
            let take = |_, event: Event| connected.set(connected.get() + i32::from(event.kind == WS_EVENT_CONNECTED));
            play(&all, "both", take, || connected.get() == 2);
        } else {
            // Without a loss the time goes on.
            let mut causes = Vec::new();
            let take = |_, event: Event| {
                if event.is_end() {
                    causes.push(event.cause);
                }
            };
            play(&all, "the end", take, || state(join) == WS_CLOSED && is_gone(conn));
            assert!(causes.contains(&WS_CAUSE_AUTH_TIMEOUT), "{causes:?}");
        }
        free(join);
        free(host);
    }
}

/// Handshakes from the address of a client that has lost its link do not keep it from coming back.
#[test]
fn who_comes_back_is_not_crowded_out() {
    // The half handshake does not end of itself.
    let limit = |config: &mut ws_config| (config.max_clients_per_address, config.handshake_timeout_ms) = (1, 3_600_000);
    let both = Both::new(limit, |_| {});
    both.cut();
    let _half = TcpStream::connect(("127.0.0.1", both.port)).unwrap();
    play(&[both.server], "a half handshake", |_, _| {}, || stats(both.server).pending_handshakes == 1);
    both.mend();
    await_event(&both.handles(), both.client, WS_EVENT_RESUMED);
    both.end();
}

/// A diagnosis needs no session, and has none.
#[test]
fn a_diagnosis_begins_no_session() {
    let (server, port) = listen(None, |_| {});
    let url = CString::new(format!("ws://127.0.0.1:{port}/")).unwrap();
    let mut handle = 0;
    // SAFETY: everything lives.
    unsafe {
        let mut config: ws_config = std::mem::zeroed();
        assert_eq!(ws_config_init(&mut config, size_of::<ws_config>()), WS_OK);
        keeps(&mut config);
        assert_eq!(ws_diagnose(url.as_ptr(), &config, &mut handle), WS_OK, "{}", last_error());
    }
    let connected = Cell::new(0);
    let take = |of, event: Event| {
        assert_ne!(event.kind, WS_EVENT_ERROR, "{}", event.error_text());
        if of == server && event.kind == WS_EVENT_CONNECTED {
            connected.set(connected.get() + 1);
            let (mut query, conn) = ([1; 16], event.conn);
            // SAFETY: the buffer lives and has this length.
            let result = unsafe { ws_get_text(conn, WS_GET_QUERY, query.as_mut_ptr(), 16, std::ptr::null_mut()) };
            assert_eq!((result, query[0]), (WS_OK, 0), "it asks for the channel");
        }
    };
    play(&[handle, server], "the diagnosis", take, || state(handle) == WS_CLOSED && connected.get() == 1);
    free(handle);
    free(server);
}
