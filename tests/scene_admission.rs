//! WS_AUTH: nothing of a peer that was not admitted reaches the program or another peer, whatever ends it.

#![allow(unsafe_code)] // It calls the C ABI.

mod host;

use host::{Event, PATIENCE};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::ptr::null;
use std::time::Instant;
use wspeer::codes::*;
use wspeer::ffi::*;

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: game\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
/// SceneMultiplayer's bytes: SYS is 7, and AUTH, ADD, DEL and RELAY are its subcommands 0 to 3.
const COMPLETE: [u8; 2] = [7, 0];

/// A client that writes its own bytes.
struct Raw {
    stream: Option<TcpStream>,
    got: Vec<u8>,
}

impl Raw {
    fn open(host: u32, port: u16, events: &mut Vec<Event>) -> Raw {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nonblocking(true).unwrap();
        stream.write_all(REQUEST.as_bytes()).unwrap();
        let mut raw = Raw { stream: Some(stream), got: Vec::new() };
        // The answer, and the message of 4 bytes with the id.
        host::until("the id", || {
            step(host, events);
            raw.read();
            raw.got.windows(4).position(|end| end == b"\r\n\r\n").is_some_and(|end| raw.got.len() >= end + 4 + 2 + 4)
        });
        raw.got.clear();
        raw
    }

    fn read(&mut self) {
        let mut space = [0; 4_096];
        let Some(stream) = &mut self.stream else { return };
        loop {
            match stream.read(&mut space) {
                Ok(0) => return,
                Ok(count) => self.got.extend_from_slice(&space[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => return,
            }
        }
    }

    /// Several messages in one write.
    fn send(&mut self, messages: &[Vec<u8>]) {
        self.stream.as_mut().unwrap().write_all(&messages.concat()).unwrap();
    }
}

/// A frame masked with zeros.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    [&[0x80 | opcode, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

fn packet(payload: &[u8]) -> Vec<u8> {
    frame(2, payload)
}

fn step(host: u32, events: &mut Vec<Event>) {
    host::poll(host);
    while let Some(event) = host::next(host) {
        events.push(event);
    }
}

fn set(host: u32, option: i32, value: u32) {
    assert_eq!(ws_set_option(host, option, value), WS_OK);
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Close,
    Fin,
    Reset,
    Kick,
    Drop,
    Timeout,
    Breach,
}

const ENDS: [End; 7] = [End::Close, End::Fin, End::Reset, End::Kick, End::Drop, End::Timeout, End::Breach];

/// What a program or a peer could be made to take: raw bytes, a call, packets for all, for the host, for all but the host.
fn forged(random: &mut impl FnMut(u32) -> u32) -> Vec<u8> {
    let relay = |to: i32| [&[7_u8, 3], &to.to_le_bytes()[..], &[3, b'!']].concat();
    packet(&match random(6) {
        0 => vec![3, b'!'],
        1 => vec![0, 0, 0, 0],
        2 => relay(0),
        3 => relay(1),
        4 => relay(-1),
        _ => vec![1; 40],
    })
}

fn random_of(seed: u32) -> impl FnMut(u32) -> u32 {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state % below
    }
}

/// One intruder beside an admitted witness; how it ends and when the host polls are drawn.
fn intrude(seed: u32, end: End) {
    let mut random = random_of(seed);
    let (host, port) = host::host(|config| config.flags |= WS_SCENE | WS_AUTH);
    let mut events = Vec::new();
    let mut witness = Raw::open(host, port, &mut events);
    host::until("AUTHENTICATING", || {
        step(host, &mut events);
        events.iter().any(|event| event.kind == WS_EVENT_AUTHENTICATING)
    });
    let admitted = events.iter().find(|event| event.kind == WS_EVENT_AUTHENTICATING).unwrap().conn;
    assert_eq!(ws_complete_auth(host, ws_get_peer_id(admitted)), WS_OK);
    witness.send(&[packet(&COMPLETE)]);
    host::until("CONNECTED", || {
        step(host, &mut events);
        events.iter().any(|event| event.kind == WS_EVENT_CONNECTED)
    });
    // Its own end of the authentication, and nothing else.
    host::until("the host's completion", || {
        step(host, &mut events);
        witness.read();
        witness.got.len() >= 2 + COMPLETE.len()
    });
    witness.got.clear();

    if end == End::Timeout {
        set(host, WS_OPT_AUTH_TIMEOUT_MS, 20);
    }
    let budget = [1, 20, 1_000][random(3) as usize];
    events.clear();
    let mut intruder = Raw::open(host, port, &mut events);
    set(host, WS_OPT_POLL_BUDGET_US, budget);
    let mut batch: Vec<Vec<u8>> = Vec::new();
    for _ in 0..random(4) {
        batch.push(packet(&[&[7, 0], b"secret?".as_slice()].concat()));
    }
    if random(2) == 0 {
        batch.push(packet(&COMPLETE));
    }
    for _ in 0..1 + random(60) {
        batch.push(forged(&mut random));
    }
    match end {
        End::Close => batch.push(frame(8, &1000_u16.to_be_bytes())),
        End::Breach => batch.push(vec![0x83, 0x80, 0, 0, 0, 0]),
        _ => {}
    }
    intruder.send(&batch);
    let polls = random(5);
    for _ in 0..polls {
        step(host, &mut events);
    }
    let conn = host::conns(host).into_iter().find(|conn| *conn != admitted);
    match (end, conn) {
        (End::Fin, _) => intruder.stream.as_ref().unwrap().shutdown(Shutdown::Write).unwrap(),
        // What it has not read makes the system reset the connection.
        (End::Reset, _) => drop(intruder.stream.take()),
        // SAFETY: NULL is no reason.
        (End::Kick, Some(conn)) => assert_eq!(unsafe { ws_disconnect(host, ws_get_peer_id(conn), 4_001, null()) }, WS_OK),
        // SAFETY: NULL is no reason.
        (End::Drop, Some(conn)) => assert_eq!(unsafe { ws_close(conn, -1, null()) }, WS_OK),
        _ => {}
    }
    let limit = Instant::now() + PATIENCE;
    while !events.iter().any(Event::is_end) && conn.is_some() {
        step(host, &mut events);
        intruder.read();
        if end == End::Kick && !intruder.got.is_empty() {
            let _ = intruder.stream.as_mut().unwrap().write_all(&frame(8, &4001_u16.to_be_bytes()));
            intruder.got.clear();
        }
        assert!(Instant::now() < limit, "{end:?}, seed {seed}: no end");
    }
    for _ in 0..20 {
        step(host, &mut events);
    }
    witness.read();
    let of_end = [WS_EVENT_AUTHENTICATING, WS_EVENT_AUTH, WS_EVENT_CLOSE_REQUEST, WS_EVENT_DISCONNECTED];
    let strange: Vec<_> = events.iter().filter(|event| event.conn == admitted || !of_end.contains(&event.kind)).collect();
    assert!(strange.is_empty(), "{end:?}, seed {seed}, budget {budget}: {strange:?}");
    assert!(witness.got.is_empty(), "{end:?}, seed {seed}: the witness got {:?}", witness.got);
    assert!(events.iter().position(Event::is_end).is_none_or(|at| at + 1 == events.len()), "{end:?}, seed {seed}: events after the end: {events:?}");
    host::free(host);
}

#[test]
fn nothing_of_a_peer_that_is_not_admitted_is_delivered_or_passed_on() {
    for seed in 1..=6 {
        for end in ENDS {
            intrude(seed, end);
        }
    }
}
