//! Admission: with WS_AUTH, nothing from an unadmitted peer reaches the program or another peer, however the connection
//! ends. After `ws_disconnect` nothing from that peer is delivered; after `ws_close` received messages stay readable.

use crate::c_host::{Event, PATIENCE};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::ptr::null;
use std::time::Instant;
use wspeer::codes::*;
use wspeer::ffi::*;

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: game\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
/// SceneMultiplayer's bytes: the command SYS is 7, with the subcommands AUTH, ADD, DEL and RELAY as 0 to 3.
const COMPLETE: [u8; 2] = [7, 0];

/// A client that sends raw bytes.
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
        // The 101 response, and the frame with the 4-byte id.
        crate::c_host::until("the id", || {
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

    /// Sends several frames in one write.
    fn send(&mut self, messages: &[Vec<u8>]) {
        self.stream.as_mut().unwrap().write_all(&messages.concat()).unwrap();
    }
}

/// A frame with masking key 0 and a payload under 126 bytes.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    [&[0x80 | opcode, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

fn packet(payload: &[u8]) -> Vec<u8> {
    frame(2, payload)
}

fn step(host: u32, events: &mut Vec<Event>) {
    crate::c_host::poll(host);
    while let Some(event) = crate::c_host::next(host) {
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
    /// It violates the WebSocket protocol.
    Breach,
    /// It sends more authentication data than may be queued.
    Greed,
    /// It sends a message over the size limit.
    TooLong,
    /// It sends messages over the rate limit, followed at once by its close.
    Flood,
}

const ENDS: [End; 10] = [
    End::Close,
    End::Fin,
    End::Reset,
    End::Kick,
    End::Drop,
    End::Timeout,
    End::Breach,
    End::Greed,
    End::TooLong,
    End::Flood,
];

/// A packet that a program or peer might wrongly accept: raw bytes, a call, or a relay to all, to the host, or to all
/// but the host.
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

/// A client whose authentication is complete on both sides, and its handle at the host. Nothing is queued.
fn admit_one(host: u32, port: u16, events: &mut Vec<Event>) -> (Raw, u32) {
    let mut raw = Raw::open(host, port, events);
    let came = |kind: i32| move |event: &Event| event.kind == kind;
    crate::c_host::until("AUTHENTICATING", || {
        step(host, events);
        events.iter().any(came(WS_EVENT_AUTHENTICATING))
    });
    let conn = events.iter().find(|event| event.kind == WS_EVENT_AUTHENTICATING).unwrap().conn;
    assert_eq!(ws_complete_auth(host, ws_get_peer_id(conn)), WS_OK);
    raw.send(&[packet(&COMPLETE)]);
    crate::c_host::until("CONNECTED", || {
        step(host, events);
        events.iter().any(came(WS_EVENT_CONNECTED))
    });
    crate::c_host::until("the host's completion", || {
        step(host, events);
        raw.read();
        raw.got.len() >= 2 + COMPLETE.len()
    });
    raw.got.clear();
    (raw, conn)
}

/// At a host: other packets do not hide authentication data sent after them. The program receives that data first, and
/// the other packets once it admits the peer.
#[test]
fn a_host_receives_authentication_sent_after_other_packets() {
    let (host, port) = crate::c_host::host(|config| config.flags |= WS_SCENE | WS_AUTH);
    let mut events = Vec::new();
    let mut raw = Raw::open(host, port, &mut events);
    let of_auth = |events: &[Event]| -> Vec<String> {
        events.iter().filter(|event| event.kind == WS_EVENT_AUTH).map(Event::error_text).collect()
    };
    raw.send(&[
        packet(b"\x03one"),
        packet(b"\x07\x00first"),
        packet(b"\x03two"),
        packet(b"\x03three"),
        packet(b"\x07\x00second"),
    ]);
    crate::c_host::until("both parts", || {
        step(host, &mut events);
        of_auth(&events) == ["first", "second"]
    });
    raw.send(&[packet(b"\x07\x00third"), packet(&COMPLETE), packet(b"\x03four")]);
    crate::c_host::until("the third part", || {
        step(host, &mut events);
        of_auth(&events).len() == 3
    });
    for _ in 0..5 {
        step(host, &mut events);
    }
    assert!(!events.iter().any(|event| event.kind == WS_EVENT_CONNECTED), "{events:?}");
    // The peer's completion, too, was sent after packets that are held back.
    let conn = crate::c_host::conns(host)[0];
    assert_eq!(ws_complete_auth(host, id_of(conn)), WS_OK);
    events.clear();
    step_without_poll(host, &mut events);
    assert!(matches!(events.as_slice(), [event] if event.kind == WS_EVENT_CONNECTED), "{events:?}");
    crate::c_host::until("the queued messages", || {
        step(host, &mut events);
        events.len() == 5
    });
    let bytes: Vec<_> = events[1..].iter().map(|event| (event.kind, event.error_text())).collect();
    assert_eq!(bytes, ["one", "two", "three", "four"].map(|text| (WS_EVENT_MESSAGE, text.to_owned())));
    crate::c_host::free(host);
}

/// The same at a join.
#[test]
fn a_join_receives_authentication_sent_after_other_packets() {
    let (server, port) = crate::c_host::listen(None, |_| {});
    let join = crate::c_host::join(port, None, |config| config.flags |= WS_SCENE | WS_AUTH);
    let mut conn = 0;
    crate::c_host::until("a client", || {
        crate::c_host::poll(join);
        crate::c_host::poll(server);
        conn = crate::c_host::next(server).map_or(conn, |event| event.conn);
        conn != 0
    });
    for message in [&2_i32.to_le_bytes()[..], b"\x03one", b"\x07\x00first", b"\x03two", b"\x07\x00second", &COMPLETE] {
        assert_eq!(crate::c_host::put(conn, message), WS_OK);
    }
    let mut events = Vec::new();
    crate::c_host::until("three events", || {
        crate::c_host::poll(server);
        step(join, &mut events);
        events.len() == 3
    });
    let reported: Vec<_> = events.iter().map(|event| (event.kind, event.peer_id, event.error_text())).collect();
    let auth = |text: &str| (WS_EVENT_AUTH, 1, text.to_owned());
    assert_eq!(reported, [(WS_EVENT_AUTHENTICATING, 1, String::new()), auth("first"), auth("second")]);
    assert_eq!(ws_complete_auth(join, 1), WS_OK);
    events.clear();
    crate::c_host::until("the queued messages", || {
        step(join, &mut events);
        events.len() == 4
    });
    let reported: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(reported, [WS_EVENT_OPEN, WS_EVENT_CONNECTED, WS_EVENT_MESSAGE, WS_EVENT_MESSAGE]);
    crate::c_host::free(join);
    crate::c_host::free(server);
}

/// Messages of an unadmitted peer count only as kept memory; its AUTH events are queued for the program.
#[test]
fn messages_before_admission_count_only_as_kept_memory() {
    let (host, port) = crate::c_host::host(|config| config.flags |= WS_SCENE | WS_AUTH | WS_DEFLATE);
    let client = crate::c_host::connect(port, None, |config| config.flags |= WS_DEFLATE);
    crate::c_host::until("OPEN", || {
        crate::c_host::poll(host);
        crate::c_host::poll(client);
        ws_get_state(client) == WS_OPEN && !crate::c_host::conns(host).is_empty()
    });
    let conn = crate::c_host::conns(host)[0];
    let before = crate::c_host::stats(conn).kept_bytes;
    let raw = [&[3_u8][..], &[b'a'; 2_000]].concat();
    let auth = [&[7_u8, 0][..], &[b'b'; 1_000]].concat();
    for message in [&raw, &auth, &raw] {
        assert_eq!(crate::c_host::put(client, message), WS_OK);
    }
    let counts = |handle: u32| {
        let stats = crate::c_host::stats(handle);
        [stats.messages_in, stats.bytes_in, stats.compressed_in, stats.queued_packets_in, stats.queued_bytes_in]
    };
    let kept = |handle: u32| crate::c_host::stats(handle).kept_bytes >= before + 2 * 2_001;
    crate::c_host::until("the messages", || {
        crate::c_host::poll(client);
        crate::c_host::poll(host);
        kept(conn) && counts(conn)[3] > 0
    });
    for handle in [conn, host] {
        assert_eq!(counts(handle), [0, 0, 0, 1, 1_000], "the AUTH event alone");
        assert!(kept(handle));
    }
    assert_eq!(ws_complete_auth(host, id_of(conn)), WS_OK);
    crate::c_host::until("CONNECTED", || {
        crate::c_host::poll(host);
        ws_get_available(conn) == 2
    });
    for handle in [conn, host] {
        assert_eq!(counts(handle), [3, 5_004, 3, 3, 5_000]);
        assert!(!kept(handle));
    }
    crate::c_host::free(client);
    crate::c_host::free(host);
}

/// An intruder next to an admitted witness. The seed decides what it sends and when the host polls.
fn intrude(seed: u32, end: End) {
    let mut random = crate::c_host::random_of(seed);
    let (host, port) = crate::c_host::host(|config| config.flags |= WS_SCENE | WS_AUTH);
    let mut events = Vec::new();
    let (mut witness, admitted) = admit_one(host, port, &mut events);

    set(host, WS_OPT_CLOSE_TIMEOUT_MS, 100);
    if end == End::Timeout {
        set(host, WS_OPT_AUTH_TIMEOUT_MS, 20);
    }
    if end == End::TooLong {
        set(host, WS_OPT_MAX_MESSAGE_BYTES, 100);
    }
    if end == End::Flood {
        set(host, WS_OPT_MAX_MESSAGES_PER_S, 1 + random(20));
    }
    let budget = [1, 20, 1_000][random(3) as usize];
    events.clear();
    let counted = crate::c_host::stats(host).messages_in;
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
        End::Greed => {
            batch.splice(0..0, (0..100).map(|_| packet(b"\x07\x00more")));
            batch.extend([frame(8, &[]), vec![]].into_iter().take(random(2) as usize));
        }
        End::TooLong => batch.push(packet(&[3; 120])),
        End::Flood => batch.extend((0..40).map(|_| packet(b"\x03!")).chain([frame(8, &1000_u16.to_be_bytes())])),
        _ => {}
    }
    intruder.send(&batch);
    let polls = random(5);
    for _ in 0..polls {
        step(host, &mut events);
    }
    let conn = crate::c_host::conns(host).into_iter().find(|conn| *conn != admitted);
    match (end, conn) {
        // If the host took the authentication data in time, it did not exceed the limit.
        (End::Fin | End::Greed, _) => intruder.stream.as_ref().unwrap().shutdown(Shutdown::Write).unwrap(),
        // Unread data makes the system reset the connection.
        (End::Reset, _) => drop(intruder.stream.take()),
        // SAFETY: NULL is no reason.
        (End::Kick, Some(conn)) => {
            assert_eq!(unsafe { ws_disconnect(host, ws_get_peer_id(conn), 4_001, null()) }, WS_OK)
        }
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
    let of_end = [WS_EVENT_AUTHENTICATING, WS_EVENT_AUTH, WS_EVENT_DISCONNECTED];
    let strange: Vec<_> =
        events.iter().filter(|event| event.conn == admitted || !of_end.contains(&event.kind)).collect();
    assert!(strange.is_empty(), "{end:?}, seed {seed}, budget {budget}: {strange:?}");
    assert!(witness.got.is_empty(), "{end:?}, seed {seed}: the witness got {:?}", witness.got);
    assert_eq!(crate::c_host::stats(host).messages_in, counted, "{end:?}, seed {seed}: messages of the intruder count");
    assert!(
        events.iter().position(Event::is_end).is_none_or(|at| at + 1 == events.len()),
        "{end:?}, seed {seed}: events after the end: {events:?}"
    );
    crate::c_host::free(host);
}

#[test]
fn messages_of_an_unadmitted_peer_are_neither_delivered_nor_relayed() {
    for seed in 1..=6 {
        for end in ENDS {
            intrude(seed, end);
        }
    }
}

/// Payloads of the binary frames in a server's stream.
fn frames(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while let [first, len, rest @ ..] = bytes {
        assert!(*len < 126, "short frames only");
        let Some(payload) = rest.get(..usize::from(*len)) else { break };
        if first & 0x0F == 2 {
            found.push(payload.to_vec());
        }
        bytes = &rest[payload.len()..];
    }
    found
}

/// The peer id in a system packet of the scene protocol.
fn about(packet: &[u8]) -> i32 {
    assert_eq!(packet[0], 7, "{packet:?}");
    i32::from_le_bytes(packet[2..6].try_into().unwrap())
}

fn id_of(conn: u32) -> i32 {
    ws_get_peer_id(conn)
}

fn disconnect(host: u32, id: i32, code: i32) -> i32 {
    // SAFETY: NULL is no reason.
    unsafe { ws_disconnect(host, id, code, null()) }
}

/// Handles of the clients with something to read.
fn waiting(host: u32) -> Vec<u32> {
    let (mut list, mut count) = (vec![0; 16], 0);
    // SAFETY: the list and the count live.
    assert_eq!(unsafe { ws_get_waiting(host, list.as_mut_ptr(), list.len(), &mut count) }, WS_OK);
    list.truncate(count);
    list
}

fn join_local(host: u32, flags: u32) -> u32 {
    // SAFETY: a config is numbers and pointers.
    let mut config: ws_config = unsafe { std::mem::zeroed() };
    let mut join = 0;
    // SAFETY: everything lives.
    unsafe {
        assert_eq!(ws_config_init(&mut config, size_of::<ws_config>()), WS_OK);
        config.flags |= flags;
        assert_eq!(ws_join_local(host, &config, &mut join), WS_OK, "{}", crate::c_host::last_error());
    }
    join
}

/// A client in the model.
struct Known {
    raw: Option<Raw>,
    /// Handle of a local player, else 0.
    join: u32,
    conn: u32,
    id: i32,
    /// The program has completed its authentication.
    completed: bool,
    /// The program has called ws_disconnect for it.
    kicked: bool,
    ended: bool,
    connected: bool,
    /// Number of authentication packets that it sent.
    auth: u64,
}

/// A host and clients that act at random, checked against a model of what may be reported about each.
fn play(seed: u32) {
    let mut random = crate::c_host::random_of(seed);
    let (host, port) = crate::c_host::host(|config| config.flags |= WS_SCENE | WS_AUTH);
    let mut events = Vec::new();
    let (mut witness, admitted) = admit_one(host, port, &mut events);
    let witness_id = id_of(admitted);
    set(host, WS_OPT_CLOSE_TIMEOUT_MS, 20);
    set(host, WS_OPT_AUTH_TIMEOUT_MS, [10, 1_000, WS_OFF][random(3) as usize]);

    let mut all: Vec<Known> = Vec::new();
    let mut marker = 0_u8;
    for _ in 0..40 {
        events.clear();
        match random(12) {
            0 | 1 if all.len() < 5 => {
                set(host, WS_OPT_POLL_BUDGET_US, 1_000);
                let before = crate::c_host::conns(host);
                let is_new = |conn: &u32| !before.contains(conn) && id_of(*conn) > 0;
                let (raw, join) = if random(3) > 0 {
                    (Some(Raw::open(host, port, &mut events)), 0)
                } else {
                    let join = join_local(host, WS_AUTH | WS_SCENE);
                    crate::c_host::until("the local player", || {
                        step(host, &mut events);
                        crate::c_host::poll(join);
                        crate::c_host::conns(host).iter().any(is_new)
                    });
                    (None, join)
                };
                let conn = crate::c_host::conns(host).into_iter().find(is_new).unwrap();
                all.push(Known {
                    raw,
                    join,
                    conn,
                    id: id_of(conn),
                    completed: false,
                    kicked: false,
                    ended: false,
                    connected: false,
                    auth: 0,
                });
            }
            _ if all.is_empty() => {}
            action => {
                set(host, WS_OPT_POLL_BUDGET_US, [1, 7, 60, 1_000][random(4) as usize]);
                let index = random(all.len() as u32) as usize;
                let one = &mut all[index];
                match action {
                    2 if !one.completed => one.completed = ws_complete_auth(host, one.id) == WS_OK,
                    3 if !one.kicked && disconnect(host, one.id, [-1, 0, 4_001][random(3) as usize]) == WS_OK => {
                        one.kicked = true;
                        // Packets that the witness receives after this marker were relayed later.
                        marker += 1;
                        let bytes = [b'm', marker];
                        // SAFETY: the bytes live.
                        assert_eq!(unsafe { ws_put_packet_to(host, witness_id, bytes.as_ptr(), 2, WS_BINARY) }, WS_OK);
                    }
                    4 => _ = crate::c_host::close(one.conn, [-1, 0, 4_002][random(3) as usize]),
                    _ if one.raw.is_some() => {
                        let mut batch = Vec::new();
                        for _ in 0..random(3) {
                            one.auth += 1;
                            batch.push(packet(&[&[7, 0], b"secret?".as_slice()].concat()));
                        }
                        if random(4) == 0 {
                            one.auth += 1;
                            batch.push(packet(&COMPLETE));
                        }
                        batch.extend((0..random(20)).map(|_| forged(&mut random)));
                        if random(5) == 0 {
                            batch.push(frame(8, &1000_u16.to_be_bytes()));
                        }
                        let raw = one.raw.as_mut().unwrap();
                        if let Some(stream) = &mut raw.stream {
                            let _ = stream.write_all(&batch.concat());
                            match random(10) {
                                0 => drop(raw.stream.take()),
                                1 => _ = stream.shutdown(Shutdown::Write),
                                _ => {}
                            }
                        }
                    }
                    5 if one.join != 0 => one.auth += u64::from(ws_complete_auth(one.join, 1) == WS_OK),
                    6 if one.join != 0 => _ = crate::c_host::close(one.join, 0),
                    7 if one.join != 0 => crate::c_host::free(std::mem::take(&mut one.join)),
                    _ if one.join != 0 => _ = crate::c_host::put(one.join, b"local"),
                    _ => {}
                }
            }
        }
        for _ in 0..random(4) {
            step(host, &mut events);
            for one in all.iter().filter(|one| one.join != 0) {
                crate::c_host::poll(one.join);
            }
        }
        step_without_poll(host, &mut events);
        for event in &events {
            let Some(one) = all.iter_mut().find(|one| one.conn == event.conn) else {
                // Reported before the client was added to the model.
                assert!(event.kind == WS_EVENT_AUTHENTICATING || event.conn == admitted, "seed {seed}: {event:?}");
                continue;
            };
            assert!(!one.ended, "seed {seed}: {event:?} after the end");
            match event.kind {
                WS_EVENT_DISCONNECTED => one.ended = true,
                _ if one.kicked => panic!("seed {seed}: {event:?} after ws_disconnect"),
                WS_EVENT_AUTHENTICATING | WS_EVENT_AUTH => {}
                WS_EVENT_CONNECTED => one.connected = true,
                _ => assert!(one.connected, "seed {seed}: {event:?} before CONNECTED"),
            }
            assert!(one.completed || !one.connected, "seed {seed}: {event:?} of a peer that the program did not admit");
        }
        assert_eq!(waiting(host), [0; 0], "seed {seed}: they have nothing to take");
        for one in all.iter().filter(|one| !one.ended && crate::c_host::conns(host).contains(&one.conn)) {
            // Packets released later arrive as events, which were checked above.
            let waiting = ws_get_available(one.conn);
            assert!(
                one.completed && !one.kicked || waiting == 0,
                "seed {seed}: {waiting} packets are queued from a peer that is not admitted"
            );
            let counted = crate::c_host::stats(one.conn).messages_in;
            assert!(
                one.completed || counted == 0,
                "seed {seed}: {counted} messages of one who is not admitted, {} of the authentication",
                one.auth
            );
        }
    }
    for _ in 0..100 {
        step(host, &mut events);
        witness.read();
    }
    let mut kicked = Vec::new();
    let mut marks = 0;
    let order: Vec<i32> = all.iter().filter(|one| one.kicked).map(|one| one.id).collect();
    for packet in frames(&witness.got) {
        if packet[0] == 3 {
            marks += 1;
            continue;
        }
        let id = about(&packet);
        let one =
            all.iter().find(|one| one.id == id).unwrap_or_else(|| panic!("seed {seed}: the witness got {packet:?}"));
        assert!(one.completed, "seed {seed}: the witness received {packet:?} about {id}, which was not admitted");
        if packet[1] == 3 && marks >= order.len() {
            kicked.push(packet);
        }
    }
    assert_eq!(marks, usize::from(marker), "seed {seed}");
    assert!(
        !kicked.iter().any(|packet| order.contains(&about(packet))),
        "seed {seed}: relayed after ws_disconnect: {kicked:?}"
    );
    all.iter().filter(|one| one.join != 0).for_each(|one| crate::c_host::free(one.join));
    crate::c_host::free(host);
}

#[test]
fn only_admitted_peers_are_heard_in_any_order_of_events() {
    (1..=600).for_each(play);
}

/// Plays a server that acts as a host without being admitted, until the join has ended.
fn false_host(seed: u32) {
    let mut random = crate::c_host::random_of(seed);
    let (server, port) = crate::c_host::listen(None, |_| {});
    let url = std::ffi::CString::new(format!("ws://127.0.0.1:{port}")).unwrap();
    // SAFETY: a config is numbers and pointers.
    let mut config: ws_config = unsafe { std::mem::zeroed() };
    let mut join = 0;
    // SAFETY: everything lives.
    unsafe {
        assert_eq!(ws_config_init(&mut config, size_of::<ws_config>()), WS_OK);
        config.flags |= WS_SCENE | WS_AUTH;
        assert_eq!(ws_join(url.as_ptr(), &config, &mut join), WS_OK);
    }
    set(join, WS_OPT_POLL_BUDGET_US, [1, 7, 60, 1_000][random(4) as usize]);
    if random(4) == 0 {
        set(join, WS_OPT_AUTH_TIMEOUT_MS, 5);
    }
    let mut conn = 0;
    crate::c_host::until("a client", || {
        crate::c_host::poll(join);
        crate::c_host::poll(server);
        conn = crate::c_host::next(server).map_or(conn, |event| event.conn);
        conn != 0
    });
    assert_eq!(crate::c_host::put(conn, &2_i32.to_le_bytes()), WS_OK);
    let (mut events, mut completed, mut closes) = (Vec::new(), false, false);
    for _ in 0..12 {
        match random(6) {
            0 if !completed && random(3) == 0 => completed = ws_complete_auth(join, 1) == WS_OK,
            1 => {
                for _ in 0..random(4) {
                    crate::c_host::put(conn, b"\x07\x00tell me");
                }
            }
            2 if random(3) == 0 => {
                crate::c_host::put(conn, &COMPLETE);
            }
            3 if random(2) == 0 => {
                closes = true;
                crate::c_host::close(conn, [-1, 0, 4_003][random(3) as usize]);
            }
            _ => {
                for _ in 0..random(20) {
                    let from_2 = [&[7_u8, 3], &3_i32.to_le_bytes()[..], &[3, b'!']].concat();
                    let bytes: &[u8] = [b"\x03!".as_slice(), b"\x07\x01\x03\x00\x00\x00", &from_2, b"\x00\x00\x00\x00"]
                        [random(4) as usize];
                    crate::c_host::put(conn, bytes);
                }
            }
        }
        crate::c_host::poll(server);
        for _ in 0..random(4) {
            step(join, &mut events);
        }
        let before = [WS_EVENT_AUTHENTICATING, WS_EVENT_AUTH, WS_EVENT_CLOSED];
        let strange = events.iter().find(|event| !completed && !before.contains(&event.kind));
        assert!(strange.is_none(), "seed {seed}: {strange:?} of a host that the program did not admit");
        // The host's first message precedes the authentication.
        let counted = crate::c_host::stats(join).messages_in;
        assert!(
            completed || counted <= u64::from(!events.iter().any(|event| event.kind == WS_EVENT_AUTHENTICATING)),
            "seed {seed}: {counted}"
        );
    }
    if !closes {
        crate::c_host::close(conn, -1);
    }
    crate::c_host::until("CLOSED", || {
        crate::c_host::poll(server);
        step(join, &mut events);
        events.iter().any(Event::is_end)
    });
    step(join, &mut events);
    assert!(events.last().is_some_and(Event::is_end), "seed {seed}: {events:?}");
    let is_in = events.iter().position(|event| event.kind == WS_EVENT_OPEN);
    assert!(completed || is_in.is_none(), "seed {seed}: {events:?}");
    assert!(
        events
            .iter()
            .position(|event| event.kind == WS_EVENT_MESSAGE)
            .is_none_or(|at| is_in.is_some_and(|is_in| is_in < at)),
        "seed {seed}: {events:?}"
    );
    crate::c_host::free(join);
    crate::c_host::free(server);
}

#[test]
fn messages_of_an_unadmitted_host_are_not_delivered() {
    (1..=400).for_each(false_host);
}

/// On a host of each format and on a plain server: disconnects a client while many of its messages are queued, held
/// back or in transit.
fn kick(seed: u32, flags: Option<u32>) {
    let mut random = crate::c_host::random_of(seed);
    let (host, port) = match flags {
        Some(flags) => crate::c_host::host(|config| config.flags |= flags),
        None => crate::c_host::listen(None, |_| {}),
    };
    let mut events = Vec::new();
    let mut open = || {
        let before = crate::c_host::conns(host);
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nonblocking(true).unwrap();
        stream.write_all(REQUEST.as_bytes()).unwrap();
        crate::c_host::until("a client", || {
            step(host, &mut events);
            crate::c_host::conns(host).iter().any(|conn| !before.contains(conn))
        });
        (
            Raw { stream: Some(stream), got: Vec::new() },
            crate::c_host::conns(host).into_iter().find(|conn| !before.contains(conn)).unwrap(),
        )
    };
    let (mut witness, _) = open();
    let (mut noisy, conn) = open();
    for _ in 0..3 {
        step(host, &mut events);
    }
    let id = if flags.is_some() { id_of(conn) } else { conn as i32 };
    set(host, WS_OPT_POLL_BUDGET_US, [1, 7, 60, 1_000][random(4) as usize]);
    let message = || match flags {
        Some(WS_GODOT3) => packet(&[&[0_u8], &id.to_le_bytes()[..], &0_i32.to_le_bytes()[..], b"noise"].concat()),
        Some(WS_SCENE) => packet(b"\x07\x03\x00\x00\x00\x00\x03noise"),
        _ => packet(b"noise"),
    };
    let mut sent = 0_u64;
    let mut talk = |noisy: &mut Raw, count: u32| {
        sent += u64::from(count);
        noisy.send(&(0..count).map(|_| message()).collect::<Vec<_>>());
    };
    talk(&mut noisy, 1 + random(60));
    for _ in 0..random(5) {
        crate::c_host::poll(host);
    }
    let mut taken = 0;
    for _ in 0..random(3) {
        taken += u64::from(crate::c_host::next(host).is_some_and(|event| event.kind == WS_EVENT_MESSAGE));
    }
    talk(&mut noisy, random(40));
    let sentinel = b"\x03sentinel";
    if flags.is_some() {
        // SAFETY: the bytes live.
        assert_eq!(unsafe { ws_put_packet(host, sentinel.as_ptr(), sentinel.len(), WS_BINARY) }, WS_OK);
    }
    assert_eq!(disconnect(host, id, 4_001), WS_OK);
    assert_eq!(ws_get_available(conn), 0);
    talk(&mut noisy, random(40));
    events.clear();
    if random(2) == 0 {
        noisy.send(&[frame(8, &4001_u16.to_be_bytes())]);
    } else {
        noisy.stream.as_ref().unwrap().shutdown(Shutdown::Write).unwrap();
    }
    step_without_poll(host, &mut events);
    assert!(events.iter().any(Event::is_end), "seed {seed}, {flags:?}: its end is known at once");
    // What it sent before its end is counted, as its link goes on until then.
    let mut counted = (0, 0);
    crate::c_host::until("its messages", || {
        crate::c_host::poll(host);
        let stats = crate::c_host::stats(host);
        counted = (stats.messages_in, stats.skipped);
        step_without_poll(host, &mut events);
        witness.read();
        counted.0 == sent
    });
    for _ in 0..5 {
        step(host, &mut events);
        witness.read();
    }
    let of_it: Vec<_> = events.iter().filter(|event| event.conn == conn).collect();
    assert!(
        matches!(of_it.as_slice(), [event] if event.kind == WS_EVENT_DISCONNECTED),
        "seed {seed}, {flags:?}: {of_it:?}"
    );
    assert_eq!(counted.0, sent, "seed {seed}, {flags:?}: messages_in");
    assert!(counted.1 <= sent - taken, "seed {seed}, {flags:?}: {} dropped of {sent}, {taken} taken", counted.1);
    if !matches!(flags, Some(WS_GODOT3 | WS_SCENE)) {
        assert_eq!(counted.1 + taken, sent, "seed {seed}, {flags:?}: each is delivered or counted as dropped");
    }
    if flags.is_some() {
        let at = witness.got.windows(sentinel.len() - 1).position(|end| end == &sentinel[1..]).expect("the sentinel");
        let behind = &witness.got[at..];
        assert!(
            !behind.windows(5).any(|bytes| bytes == b"noise"),
            "seed {seed}, {flags:?}: relayed after ws_disconnect"
        );
    }
    crate::c_host::free(host);
}

fn step_without_poll(host: u32, events: &mut Vec<Event>) {
    events.extend(std::iter::from_fn(|| crate::c_host::next(host)));
}

#[test]
fn after_ws_disconnect_only_the_end_of_the_peer_is_delivered() {
    for flags in [None, Some(0), Some(WS_SCENE), Some(WS_GODOT3)] {
        (1..=25).for_each(|seed| kick(seed, flags));
    }
}

#[test]
fn messages_received_before_ws_close_stay_readable() {
    for code in [-1, 0, 4_001] {
        let (host, port) = crate::c_host::host(|config| config.flags |= WS_SCENE);
        let mut events = Vec::new();
        let mut raw = Raw::open(host, port, &mut events);
        step(host, &mut events);
        let conn = crate::c_host::conns(host)[0];
        raw.send(&[packet(b"\x03one"), packet(b"\x03two")]);
        crate::c_host::until("two messages", || {
            crate::c_host::poll(host);
            ws_get_available(conn) == 2
        });
        assert_eq!(crate::c_host::close(conn, code), WS_OK);
        drop(raw);
        events.clear();
        crate::c_host::until("DISCONNECTED", || {
            step(host, &mut events);
            events.iter().any(Event::is_end)
        });
        let bytes: Vec<_> =
            events.iter().filter(|event| event.kind == WS_EVENT_MESSAGE).map(|event| event.bytes.as_slice()).collect();
        assert_eq!(bytes, [b"one", b"two"], "code {code}");
        crate::c_host::free(host);
    }
}
