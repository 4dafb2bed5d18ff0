//! A faulty network on loopback: whatever it does to the bytes, received messages are correct and in order, and each
//! end reports one end event, in time and with its cause.
#![allow(unsafe_code)] // Calls the C ABI.

#[path = "../support/c_host.rs"]
mod c_host;
#[path = "../support/fault_proxy.rs"]
mod fault_proxy;

use c_host::*;
use fault_proxy::{DOWN, End, Faults, Proxy, UP};
use std::time::{Duration, Instant};
use wspeer::codes::*;

/// Lengths of the messages that each end sends in `session`: short, with an extended length, and long enough for
/// several pieces.
const LENGTHS: [usize; 3] = [5, 200, 1_500];

fn message(from: usize, number: usize, len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7 + number * 31 + from * 101) as u8).collect()
}

/// What one end has reported.
#[derive(Default, Debug)]
struct Told {
    opened: bool,
    got: usize,
    end: Option<Event>,
}

impl Told {
    /// Takes all events. Messages must be those of the other end, in order.
    fn read(&mut self, handle: u32, from: usize, lengths: &[usize]) {
        while let Some(event) = next(handle) {
            assert!(self.end.is_none(), "{event:?} came after the end");
            match event.kind {
                WS_EVENT_OPEN | WS_EVENT_CONNECTED => self.opened = true,
                WS_EVENT_MESSAGE => {
                    assert!(self.opened && self.got < lengths.len());
                    assert!(
                        event.bytes == message(from, self.got, lengths[self.got]),
                        "message {} is another",
                        self.got
                    );
                    self.got += 1;
                }
                _ if event.is_end() => self.end = Some(event),
                WS_EVENT_CLOSE_REQUEST => {}
                _ => panic!("{event:?}"),
            }
        }
    }
}

/// A server behind a proxy, for many sessions of the same content.
struct Stage {
    certificate: Option<Certificate>,
    server: u32,
    proxy: Proxy,
}

impl Stage {
    fn new(tls: bool) -> Stage {
        let certificate = tls.then(Certificate::new);
        let (server, port) = listen(certificate.as_ref(), |config| {
            (config.handshake_timeout_ms, config.close_timeout_ms) = (700, 700);
            (config.heartbeat_ms, config.pong_timeout_ms) = (200, 400);
        });
        Stage { certificate, server, proxy: Proxy::new(port) }
    }

    /// Both ends send three messages; the client closes when it has received all.
    fn session(&self) -> (Told, Told) {
        let client = connect(self.proxy.port, self.certificate.as_ref(), |config| {
            (config.connect_timeout_ms, config.close_timeout_ms) = (700, 700);
            (config.heartbeat_ms, config.pong_timeout_ms) = (200, 400);
        });
        let (mut at_client, mut at_server) = (Told::default(), Told::default());
        let mut conn = 0;
        let refused = || stats(self.server).refused;
        let before = refused();
        until("both ends", || {
            poll(client);
            poll(self.server);
            let opens = !at_client.opened;
            at_client.read(client, 1, &LENGTHS);
            if opens && at_client.opened {
                put_all(client, 0);
            }
            if at_client.got == LENGTHS.len() {
                close(client, 1000);
            }
            if conn == 0
                && let Some(event) = next(self.server)
            {
                assert_eq!(event.kind, WS_EVENT_CONNECTED, "{event:?}");
                conn = event.conn;
                at_server.opened = true;
                put_all(conn, 1);
            }
            if conn != 0 {
                at_server.read(conn, 0, &LENGTHS);
            }
            let server_done = if conn == 0 {
                refused() > before || at_client.end.is_some() && stats(self.server).pending_handshakes == 0
            } else {
                at_server.end.is_some()
            };
            at_client.end.is_some() && server_done
        });
        free(client);
        (at_client, at_server)
    }
}

fn put_all(handle: u32, from: usize) {
    for (number, len) in LENGTHS.into_iter().enumerate() {
        let result = put(handle, &message(from, number, len));
        // The other end may have closed already.
        assert!(result == WS_OK || result == WS_ERR_STATE, "{result}");
    }
}

/// Checks what must hold for every fault: the phase fits the state, a clean end lost nothing, and an end has a message.
fn judge(what: &str, at_client: &Told, at_server: &Told) {
    let end = at_client.end.as_ref().expect("the client's end");
    assert!(!end.error_text().is_empty());
    if at_client.opened {
        assert!([WS_PHASE_TLS, WS_PHASE_WEBSOCKET, WS_PHASE_APP].contains(&end.phase), "{what}: {end:?}");
    } else {
        assert!([WS_PHASE_TCP, WS_PHASE_TLS, WS_PHASE_HTTP].contains(&end.phase), "{what}: {end:?}");
        assert!(!end.clean && end.code == 1006, "{what}: {end:?}");
    }
    if end.clean {
        assert_eq!(at_client.got, LENGTHS.len(), "{what}: {end:?}");
        assert_eq!(end.unsent, 0, "{what}: {end:?}");
    }
    if let Some(end) = &at_server.end {
        assert!(!end.error_text().is_empty());
        assert!(!end.clean || at_server.got == LENGTHS.len(), "{what}: {end:?} after {} messages", at_server.got);
        // Messages that the client reports as unsent have not arrived.
        let reported = at_client.end.as_ref().map_or(0, |end| end.unsent as usize);
        assert!(
            !at_client.opened || at_server.got + reported <= LENGTHS.len(),
            "{what}: {} arrived, {reported} unsent",
            at_server.got
        );
    }
}

/// Number of bytes of an undisturbed session in each direction.
fn undisturbed(stage: &Stage) -> [u64; 2] {
    stage.proxy.plan(|_| Default::default());
    let (at_client, at_server) = stage.session();
    let (client, server) = (at_client.end.expect("an end"), at_server.end.expect("an end"));
    assert!(client.clean && server.clean && at_client.got == 3 && at_server.got == 3, "{client:?} {server:?}");
    assert_eq!(
        (client.code, server.code, client.cause, server.cause),
        (1000, 1000, WS_CAUSE_CLOSED_BY_HOST, WS_CAUSE_CLOSED_BY_PEER)
    );
    until("the proxy's byte counts", || {
        stage.proxy.passed().last().is_some_and(|passed| passed[UP] > 0 && passed[DOWN] > 0)
    });
    *stage.proxy.passed().last().expect("a connection")
}

/// Repeats the session with the fault of `kind` at every `step`th byte of each direction. Returns the number of
/// sessions and of clean ends.
fn sweep(stage: &Stage, kind: impl Fn(u64) -> End, step: u64) -> [usize; 2] {
    let bytes = undisturbed(stage);
    let (mut sessions, mut whole) = (0, 0);
    for way in [UP, DOWN] {
        for at in (0..bytes[way]).step_by(step as usize) {
            let end = kind(at);
            stage.proxy.plan(move |_| {
                let mut faults = <[Faults; 2]>::default();
                faults[way].end = Some((at, end));
                faults
            });
            let (at_client, at_server) = stage.session();
            judge(
                &format!("{end:?} at byte {at} of {}", ["the client's", "the server's"][way]),
                &at_client,
                &at_server,
            );
            sessions += 1;
            whole += usize::from(at_client.end.is_some_and(|end| end.clean));
        }
    }
    [sessions, whole]
}

#[test]
fn a_stream_may_end_at_any_byte() {
    let [sessions, whole] = sweep(&Stage::new(false), |_| End::Fin, 2);
    println!("figure: ws cut at {sessions} places, {whole} of them behind the session");
    assert!(sessions > 1_500 && whole < sessions / 10);
}

#[test]
fn a_connection_may_be_reset_at_any_byte() {
    let [sessions, whole] = sweep(&Stage::new(false), |_| End::Reset, 3);
    println!("figure: ws reset at {sessions} places, {whole} of them behind the session");
    assert!(sessions > 1_000 && whole < sessions / 10);
}

#[test]
fn a_tls_stream_may_end_at_any_byte() {
    let [sessions, whole] = sweep(&Stage::new(true), |_| End::Fin, 7);
    println!("figure: wss cut at {sessions} places, {whole} of them behind the session");
    assert!(sessions > 500 && whole < sessions / 10);
}

#[test]
fn a_corrupted_tls_record_is_never_a_message() {
    let [sessions, whole] = sweep(&Stage::new(true), |at| End::Flip(at as u8), 11);
    println!("figure: wss with a wrong bit at {sessions} places, {whole} of which TLS ignores");
    // TLS ignores the record version of the first flight (RFC 8446 section 5.1).
    assert!(sessions > 300 && whole < sessions / 10);
}

/// Bytes are discarded or stalled from some byte on: the timeout of the phase ends the connection.
#[test]
fn silence_in_any_phase_ends_by_its_timeout() {
    for tls in [false, true] {
        let stage = Stage::new(tls);
        let bytes = undisturbed(&stage);
        for end in [End::Swallow, End::Stall] {
            for way in [UP, DOWN] {
                for part in 0..8 {
                    let at = bytes[way] * part / 8;
                    stage.proxy.plan(move |_| {
                        let mut faults = <[Faults; 2]>::default();
                        faults[way].end = Some((at, end));
                        faults
                    });
                    let began = Instant::now();
                    let (at_client, at_server) = stage.session();
                    let what = format!("{end:?} at byte {at} of {way}, tls {tls}");
                    judge(&what, &at_client, &at_server);
                    let end = at_client.end.expect("an end");
                    let known = [
                        WS_CAUSE_CONNECT_TIMEOUT,
                        WS_CAUSE_PONG_TIMEOUT,
                        WS_CAUSE_CLOSE_TIMEOUT,
                        WS_CAUSE_PEER_GONE,
                        WS_CAUSE_RESET,
                    ];
                    // If the server's timeout comes first, its 408 response may still arrive.
                    let answered = String::from_utf8_lossy(&end.bytes).contains("408 Request Timeout");
                    assert!(end.clean || answered || known.contains(&end.cause), "{what}: {end:?}");
                    assert!(began.elapsed() < Duration::from_secs(10), "{what}: {:?}", began.elapsed());
                }
            }
        }
    }
}

/// The cable is pulled during a game: both ends detect it by their heartbeat and report PONG_TIMEOUT.
#[test]
fn a_pulled_cable_is_detected_by_both_ends() {
    let stage = Stage::new(false);
    let client = connect(stage.proxy.port, None, |config| (config.heartbeat_ms, config.pong_timeout_ms) = (100, 300));
    let (mut opened, mut conn, mut ends) = (false, 0, Vec::new());
    until("both are open", || {
        poll(client);
        poll(stage.server);
        opened |= next(client).is_some_and(|event| event.kind == WS_EVENT_OPEN);
        conn = next(stage.server).map_or(conn, |event| event.conn);
        opened && conn != 0
    });
    stage.proxy.end_all(End::Swallow);
    until("both ends report the end", || {
        poll(client);
        poll(stage.server);
        ends.extend([client, conn].into_iter().filter_map(next).filter(Event::is_end));
        ends.len() == 2
    });
    for end in ends {
        assert_eq!(
            (end.phase, end.cause, end.code, end.clean),
            (WS_PHASE_WEBSOCKET, WS_CAUSE_PONG_TIMEOUT, 1006, false),
            "{end:?}"
        );
    }
    free(client);
}

/// Delay, jitter, low bandwidth, splitting and coalescing: every message arrives once and in order.
#[test]
fn a_slow_network_with_jitter_loses_nothing() {
    const MESSAGES: usize = 120;
    for (tls, flags) in [(false, 0), (false, WS_DEFLATE), (true, 0), (true, WS_DEFLATE)] {
        let certificate = tls.then(Certificate::new);
        let (server, port) = listen(certificate.as_ref(), |config| config.flags |= flags);
        let proxy = Proxy::new(port);
        let lines = [
            Faults { delay: Duration::from_millis(5), jitter: Duration::from_millis(20), ..Faults::default() },
            Faults { pieces: Some(7), ..Faults::default() },
            Faults {
                delay: Duration::from_millis(1),
                pieces: Some(400),
                jitter: Duration::from_millis(2),
                ..Faults::default()
            },
            Faults { bytes_per_s: Some(400_000), ..Faults::default() },
        ];
        proxy.plan(move |number| [lines[number % 4], lines[(number + 1) % 4]]);
        let lengths: Vec<usize> = (0..MESSAGES).map(|number| [0, 1, 125, 126, 700, 5_000][number % 6]).collect();
        let clients: Vec<u32> =
            (0..4).map(|_| connect(proxy.port, certificate.as_ref(), |config| config.flags |= flags)).collect();
        let mut at_client: Vec<Told> = (0..4).map(|_| Told::default()).collect();
        let mut at_server: Vec<(u32, Told)> = Vec::new();
        let mut sent = [0; 4];
        let mut sent_back: Vec<usize> = Vec::new();
        until("all messages", || {
            poll(server);
            for conn in conns(server) {
                if at_server.iter().all(|(known, _)| *known != conn) {
                    at_server.push((conn, Told::default()));
                    sent_back.push(0);
                }
            }
            for (at, client) in clients.iter().enumerate() {
                poll(*client);
                at_client[at].read(*client, 1, &lengths);
                while at_client[at].opened
                    && sent[at] < MESSAGES
                    && put(*client, &message(0, sent[at], lengths[sent[at]])) == WS_OK
                {
                    sent[at] += 1;
                }
            }
            for (at, (conn, reported)) in at_server.iter_mut().enumerate() {
                reported.read(*conn, 0, &lengths);
                while sent_back[at] < MESSAGES
                    && put(*conn, &message(1, sent_back[at], lengths[sent_back[at]])) == WS_OK
                {
                    sent_back[at] += 1;
                }
            }
            at_server.len() == 4
                && at_client.iter().all(|reported| reported.got == MESSAGES)
                && at_server.iter().all(|(_, reported)| reported.got == MESSAGES)
        });
        clients.into_iter().for_each(free);
        free(server);
    }
}
