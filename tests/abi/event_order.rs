//! The order of events, checked against a model for every kind of handle: which event comes first, which may follow,
//! and that the end is the last.

use crate::c_host::Event;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::ptr::{null, null_mut};
use wspeer::codes::*;
use wspeer::ffi::*;

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: game\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A frame with masking key 0 and a payload under 126 bytes.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

/// The model: which events a connection may have, in which order.
#[derive(Default)]
struct Order {
    /// The connection belongs to a server: CONNECTED and DISCONNECTED instead of OPEN and CLOSED.
    of_server: bool,
    authenticating: bool,
    open: bool,
    close_request: bool,
    ended: bool,
    /// Of a join: ids of the other peers that are connected.
    others: Vec<i32>,
    is_join: bool,
    reported: Vec<Event>,
}

impl Order {
    fn of(of_server: bool, is_join: bool) -> Order {
        Order { of_server, is_join, ..Order::default() }
    }

    fn take(&mut self, event: Event, what: &str) {
        self.reported.push(event);
        let event = self.reported.last().unwrap();
        let holds = |so: bool, why: &str| assert!(so, "{what}: {why}: {:?}", self.reported);
        holds(!self.ended, "an event after the end");
        let (open, last) =
            if self.of_server { (WS_EVENT_CONNECTED, WS_EVENT_DISCONNECTED) } else { (WS_EVENT_OPEN, WS_EVENT_CLOSED) };
        match event.kind {
            kind if kind == open => {
                holds(!self.open, "open twice");
                holds(!self.close_request, "open after CLOSE_REQUEST");
                self.open = true;
            }
            kind if kind == last => self.ended = true,
            WS_EVENT_MESSAGE => {
                holds(self.open, "a message before it is open");
                holds(!self.close_request, "a message after CLOSE_REQUEST");
                holds(!self.is_join || self.others.contains(&event.peer_id), "a message of one who is not there");
            }
            WS_EVENT_AUTHENTICATING => {
                holds(!self.authenticating && !self.open, "AUTHENTICATING twice, or after it is open");
                self.authenticating = true;
            }
            WS_EVENT_AUTH => holds(self.authenticating && !self.open, "AUTH outside the authentication"),
            WS_EVENT_CLOSE_REQUEST => {
                holds(!self.close_request, "CLOSE_REQUEST twice");
                self.close_request = true;
            }
            WS_EVENT_CONNECTED => {
                holds(self.is_join && self.open, "CONNECTED before OPEN");
                holds(!self.close_request, "CONNECTED after CLOSE_REQUEST");
                holds(!self.others.contains(&event.peer_id), "CONNECTED twice");
                self.others.push(event.peer_id);
            }
            WS_EVENT_DISCONNECTED => {
                holds(!self.close_request, "DISCONNECTED after CLOSE_REQUEST");
                let before = self.others.len();
                self.others.retain(|id| *id != event.peer_id);
                holds(self.is_join && self.others.len() < before, "DISCONNECTED of one who is not there");
            }
            WS_EVENT_WRITABLE | WS_EVENT_SKIPPED | WS_EVENT_ERROR => {
                holds(self.open, "a report before it is open");
                holds(!self.close_request, "a report after CLOSE_REQUEST");
            }
            other => panic!("{what}: {other} is no event: {:?}", self.reported),
        }
    }
}

/// The wire format: WebSocket messages alone, or the multiplayer flags of a host and its joins.
const PLAIN: u32 = u32::MAX;
const FORMATS: [u32; 5] = [PLAIN, 0, WS_GODOT3, WS_SCENE, WS_SCENE | WS_AUTH];

/// Runs a server or host with clients of this library and raw sockets that act at random.
fn serve(seed: u32, format: u32) {
    let mut random = crate::c_host::random_of(seed);
    let what = format!("format {format}, seed {seed}");
    let (server, port) = if format == PLAIN {
        crate::c_host::listen(None, |_| {})
    } else {
        crate::c_host::host(|config| config.flags |= format)
    };
    for (option, value) in [(WS_OPT_CLOSE_TIMEOUT_MS, 30), (WS_OPT_HANDSHAKE_TIMEOUT_MS, 300)] {
        assert_eq!(ws_set_option(server, option, value), WS_OK);
    }
    if format != PLAIN && random(3) == 0 {
        assert_eq!(ws_set_option(server, WS_OPT_AUTH_TIMEOUT_MS, 5), WS_OK);
    }
    let mut order_of: HashMap<u32, Order> = HashMap::new();
    let (mut raws, mut joins): (Vec<TcpStream>, Vec<(u32, Order)>) = (Vec::new(), Vec::new());
    let mut closing = false;
    for _ in 0..60 {
        let conns = crate::c_host::conns(server);
        let conn = (!conns.is_empty()).then(|| conns[random(conns.len().max(1) as u32) as usize]);
        match random(16) {
            0 if raws.len() < 3 && !closing => {
                let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
                stream.set_nonblocking(true).unwrap();
                stream.write_all(REQUEST.as_bytes()).unwrap();
                raws.push(stream);
            }
            1 if joins.len() < 4 && !closing => {
                let join = join(server, port, format, random(2) == 0);
                assert_eq!(ws_set_option(join, WS_OPT_CLOSE_TIMEOUT_MS, 30), WS_OK);
                joins.push((join, Order::of(false, format != PLAIN)));
            }
            2..=5 if !raws.is_empty() => {
                let index = random(raws.len() as u32) as usize;
                let stream = &mut raws[index];
                let mut batch = Vec::new();
                for _ in 0..random(12) {
                    batch.extend(anything(&mut random, format));
                }
                let _ = stream.write_all(&batch);
                match random(8) {
                    0 => _ = stream.shutdown(Shutdown::Write),
                    1 => drop(raws.swap_remove(index)),
                    _ => {}
                }
            }
            6 | 7 if !joins.is_empty() => {
                let (join, _) = &joins[random(joins.len() as u32) as usize];
                match random(7) {
                    0 => _ = crate::c_host::close(*join, [-1, 0, 4_000][random(3) as usize]),
                    1 => _ = ws_complete_auth(*join, 1),
                    // SAFETY: the bytes live.
                    2 => _ = unsafe { ws_send_auth(*join, 1, b"hello".as_ptr(), 5) },
                    _ => _ = crate::c_host::put(*join, b"of a join"),
                }
            }
            8 | 9 => _ = crate::c_host::put(server, b"of the server"),
            10 => {
                if let Some(conn) = conn {
                    let id = if format == PLAIN { conn as i32 } else { ws_get_peer_id(conn) };
                    // SAFETY: NULL is no reason.
                    unsafe { ws_disconnect(server, id, [-1, 0, 4_000][random(3) as usize], null()) };
                }
            }
            11 => {
                if let Some(conn) = conn {
                    crate::c_host::close(conn, [-1, 0, 4_000][random(3) as usize]);
                }
            }
            12 | 13 => {
                if let Some(conn) = conn {
                    ws_complete_auth(server, ws_get_peer_id(conn));
                    crate::c_host::put(conn, b"to one");
                }
            }
            14 if random(20) == 0 => {
                closing = true;
                crate::c_host::close(server, 0);
            }
            _ => {
                assert_eq!(ws_set_option(server, WS_OPT_POLL_BUDGET_US, [1, 7, 60, 1_000][random(4) as usize]), WS_OK);
                for (join, _) in &joins {
                    assert_eq!(
                        ws_set_option(*join, WS_OPT_POLL_BUDGET_US, [1, 7, 60, 1_000][random(4) as usize]),
                        WS_OK
                    );
                }
            }
        }
        for _ in 0..random(3) {
            go_on(server, &mut raws, &joins);
        }
        if random(2) == 0 {
            tell(server, &mut order_of, &mut joins, &what, random(20));
        }
    }
    // All clients leave, and each connection must report its end.
    drop(raws);
    crate::c_host::close(server, 0);
    crate::c_host::until(&what, || {
        go_on(server, &mut [], &joins);
        tell(server, &mut order_of, &mut joins, &what, u32::MAX);
        let ends = joins.iter().all(|(_, order)| order.ended) && order_of.values().all(|order| order.ended);
        ends && ws_get_state(server) == WS_CLOSED
    });
    go_on(server, &mut [], &joins);
    tell(server, &mut order_of, &mut joins, &what, u32::MAX);
    for (join, _) in joins {
        crate::c_host::free(join);
    }
    crate::c_host::free(server);
}

/// A plain client, or a join over a socket or, with `local`, in memory.
fn join(server: u32, port: u16, format: u32, local: bool) -> u32 {
    if format == PLAIN {
        return crate::c_host::connect(port, None, |_| {});
    }
    let url = std::ffi::CString::new(format!("ws://127.0.0.1:{port}")).unwrap();
    // SAFETY: a config is numbers and pointers.
    let mut config: ws_config = unsafe { std::mem::zeroed() };
    let mut join = 0;
    // SAFETY: everything lives.
    unsafe {
        assert_eq!(ws_config_init(&mut config, size_of::<ws_config>()), WS_OK);
        config.flags |= format;
        let result =
            if local { ws_join_local(server, &config, &mut join) } else { ws_join(url.as_ptr(), &config, &mut join) };
        assert_eq!(result, WS_OK, "{}", crate::c_host::last_error());
    }
    join
}

/// A random frame of a raw client.
fn anything(random: &mut impl FnMut(u32) -> u32, format: u32) -> Vec<u8> {
    let relay = |to: i32| [&[7_u8, 3], &to.to_le_bytes()[..], &[3, b'!']].concat();
    match random(24) {
        0 => frame(0x88, &1000_u16.to_be_bytes()),
        1 => frame(0x88, &[]),
        2 => frame(0x83, b"no opcode"),
        3 => frame(0x81, b"\xFF no text"),
        4..=6 => frame(0x89, b"ping"),
        7 => frame(0x02, b"a part"),
        8 => frame(0x80, b"the rest"),
        9..=11 => frame(0x82, b"\x07\x00tell"),
        12 | 13 => frame(0x82, b"\x07\x00"),
        14 => frame(0x82, &relay(0)),
        15 => frame(0x82, &relay(12_345)),
        _ if format == WS_GODOT3 && random(8) > 0 => frame(0x89, b""),
        16 => frame(0x82, b"\x00\x00\x00\x00"),
        17 => frame(0x82, b"\x05 replication"),
        _ => frame(0x82, b"\x03 raw"),
    }
}

fn go_on(server: u32, raws: &mut [TcpStream], joins: &[(u32, Order)]) {
    crate::c_host::poll(server);
    let mut space = [0; 4_096];
    for raw in raws {
        while raw.read(&mut space).is_ok_and(|count| count > 0) {}
    }
    for (join, _) in joins {
        crate::c_host::poll(*join);
    }
}

fn tell(server: u32, order_of: &mut HashMap<u32, Order>, joins: &mut [(u32, Order)], what: &str, most: u32) {
    for _ in 0..most {
        let Some(event) = crate::c_host::next(server) else { break };
        if event.conn == server {
            assert_eq!(event.kind, WS_EVENT_CLOSED, "{what}: {event:?}");
            assert!(
                order_of.values().all(|order| order.ended),
                "{what}: CLOSED of the server before the ends of its clients"
            );
            continue;
        }
        order_of
            .entry(event.conn)
            .or_insert_with(|| Order::of(true, false))
            .take(event, &format!("{what}, the server's"));
    }
    for (join, order) in joins {
        for _ in 0..most {
            let Some(event) = crate::c_host::next(*join) else { break };
            order.take(event, &format!("{what}, a client's"));
        }
    }
}

#[test]
fn event_order_of_servers_hosts_clients_and_joins() {
    for format in FORMATS {
        (1..=60).for_each(|seed| serve(seed, format));
    }
}

/// A join whose host is the test: the host sends the id, random messages, and often closes in the same write.
fn join_one(seed: u32, format: u32) {
    let mut random = crate::c_host::random_of(seed);
    let what = format!("a join, format {format}, seed {seed}");
    let (server, port) = crate::c_host::listen(None, |config| config.flags |= WS_COALESCE);
    let join = crate::c_host::join(port, None, |config| config.flags |= format);
    let mut order = Order::of(false, true);
    let mut conn = 0;
    crate::c_host::until(&what, || {
        crate::c_host::poll(join);
        crate::c_host::poll(server);
        conn = crate::c_host::next(server).map_or(conn, |event| event.conn);
        conn != 0
    });
    let mut said = greeting(format);
    said.extend((0..random(12)).map(|_| anything_of_a_host(&mut random, format)));
    let behind = if random(3) == 0 { random(said.len() as u32 + 1) as usize } else { said.len() };
    let mut closed = false;
    for (index, message) in said.iter().enumerate() {
        if index == behind || random(6) == 0 {
            crate::c_host::flush(conn);
            crate::c_host::poll(join);
        }
        crate::c_host::put(conn, message);
        if random(8) == 0 {
            ws_complete_auth(join, 1);
        }
    }
    if random(4) > 0 {
        closed = true;
        crate::c_host::close(conn, [0, 4_000][random(2) as usize]);
    }
    crate::c_host::flush(conn);
    let budget = [1, 7, 60, 1_000][random(4) as usize];
    assert_eq!(ws_set_option(join, WS_OPT_POLL_BUDGET_US, budget), WS_OK);
    for _ in 0..random(40) {
        crate::c_host::poll(join);
        if random(3) == 0 {
            ws_complete_auth(join, 1);
        }
        for _ in 0..random(4) {
            let Some(event) = crate::c_host::next(join) else { break };
            order.take(event, &what);
        }
    }
    if !closed {
        crate::c_host::close(conn, -1);
    }
    crate::c_host::until(&what, || {
        crate::c_host::poll(server);
        crate::c_host::poll(join);
        while let Some(event) = crate::c_host::next(join) {
            order.take(event, &what);
        }
        order.ended
    });
    crate::c_host::poll(join);
    assert!(crate::c_host::next(join).is_none(), "{what}: an event after the end");
    crate::c_host::free(join);
    crate::c_host::free(server);
}

/// A Godot 3 system message about an id: `kind` is 1 (ADD), 2 (DEL) or 3 (the receiver's id).
fn about3(kind: u8, id: i32) -> Vec<u8> {
    [&[kind], &1_i32.to_le_bytes()[..], &0_i32.to_le_bytes()[..], &id.to_le_bytes()].concat()
}

/// The messages that a host sends first.
fn greeting(format: u32) -> Vec<Vec<u8>> {
    if format == WS_GODOT3 { vec![about3(3, 77), about3(1, 1)] } else { vec![77_i32.to_le_bytes().to_vec()] }
}

/// A random message of a host after the id: other peers join, leave or send a packet, or the join reports it as an
/// ERROR event.
fn anything_of_a_host(random: &mut impl FnMut(u32) -> u32, format: u32) -> Vec<u8> {
    let other = 2 + random(3) as i32;
    if format == WS_GODOT3 {
        return about3(random(3) as u8, other);
    }
    let of_system = |kind: u8, rest: &[u8]| [&[7, kind], &other.to_le_bytes()[..], rest].concat();
    match random(8) {
        0 | 1 => of_system(1, &[]),
        2 => of_system(2, &[]),
        3 => of_system(3, b"\x03 raw"),
        4 => of_system(3, b"\x05 replication"),
        5 => b"\x05 replication".to_vec(),
        6 => b"\x07\x00".to_vec(),
        _ => b"\x03 raw".to_vec(),
    }
}

#[test]
fn event_order_of_joins_whose_host_closes_at_once() {
    for format in &FORMATS[1..] {
        (1..=400).for_each(|seed| join_one(seed, *format));
    }
}

/// Number of CONNECTED and DISCONNECTED events that a join reported, and of those it counted as skipped.
#[derive(Default)]
struct Told {
    events: u64,
    skipped: u64,
}

impl Told {
    fn take(&mut self, event: Event, order: &mut Order, what: &str) {
        self.events += u64::from(matches!(event.kind, WS_EVENT_CONNECTED | WS_EVENT_DISCONNECTED));
        self.skipped += if event.kind == WS_EVENT_SKIPPED { event.count } else { 0 };
        order.take(event, what);
        // The later checks use only `others`.
        order.reported.clear();
    }
}

/// A join that reads few of many events about other peers: the remaining events give the right set of peers, and the
/// dropped ones are counted.
fn join_late(seed: u32, format: u32, ids: u32) {
    let mut random = crate::c_host::random_of(seed);
    let what = format!("a join that reads late, format {format}, {ids} others, seed {seed}");
    let (server, port) = crate::c_host::listen(None, |config| {
        config.flags |= WS_COALESCE;
        (config.outbound_packets, config.outbound_bytes) = (WS_OFF, WS_OFF);
    });
    let join = crate::c_host::join(port, None, |config| config.flags |= format);
    let mut order = Order::of(false, true);
    let mut conn = 0;
    crate::c_host::until(&what, || {
        crate::c_host::poll(join);
        crate::c_host::poll(server);
        conn = crate::c_host::next(server).map_or(conn, |event| event.conn);
        conn != 0
    });
    let about = |kind: u8, id: i32| {
        if format == WS_GODOT3 { about3(kind, id) } else { [&[7, kind], &id.to_le_bytes()[..]].concat() }
    };
    greeting(format).iter().for_each(|message| assert_eq!(crate::c_host::put(conn, message), WS_OK));
    let (mut there, mut said, mut reported) = (Vec::new(), 1_u64, Told::default());
    let reads_some = random(2) == 0;
    for step in 0..20_000 {
        let id = 100 + random(ids) as i32;
        match there.iter().position(|other| *other == id) {
            Some(at) if random(3) > 0 => {
                there.swap_remove(at);
                said += 1;
                crate::c_host::put(conn, &about(2, id));
            }
            Some(_) if random(40) == 0 && format != WS_GODOT3 => {
                _ = crate::c_host::put(conn, &[&about(3, id)[..], b"\x03 raw"].concat())
            }
            Some(_) => {}
            None => {
                there.push(id);
                said += 1;
                crate::c_host::put(conn, &about(1, id));
            }
        }
        if step % 100 == 0 {
            crate::c_host::flush(conn);
            crate::c_host::poll(join);
            for _ in 0..if reads_some { random(40) } else { 0 } {
                let Some(event) = crate::c_host::next(join) else { break };
                reported.take(event, &mut order, &what);
            }
        }
    }
    let last = if format == WS_GODOT3 { about3(0, 1) } else { b"\x03the last one".to_vec() };
    assert_eq!(crate::c_host::put(conn, &last), WS_OK);
    crate::c_host::until(&what, || {
        crate::c_host::poll(server);
        // Everything has arrived before more events are read.
        (0..200).for_each(|_| _ = crate::c_host::poll(join));
        let mut ended = false;
        while let Some(event) = crate::c_host::next(join) {
            ended |= event.kind == WS_EVENT_MESSAGE && event.peer_id == 1;
            reported.take(event, &mut order, &what);
        }
        ended
    });
    there.push(1);
    there.sort_unstable();
    order.others.sort_unstable();
    assert_eq!(order.others, there, "{what}");
    assert_eq!(reported.events + reported.skipped, said, "{what}: each is reported or counted");
    assert!(reported.skipped > 0, "{what}: no message was skipped");
    crate::c_host::free(join);
    crate::c_host::free(server);
}

#[test]
fn event_order_of_joins_that_read_few_events() {
    for format in [WS_GODOT3, WS_SCENE] {
        for ids in [1, 30, 3_000] {
            (1..=4).for_each(|seed| join_late(seed, format, ids));
        }
    }
}

/// Two connections of this library in memory. With `carry`, the test copies the bytes between them, and sometimes ends
/// the transport or injects an invalid frame.
fn pair(seed: u32, carry: bool) {
    let mut random = crate::c_host::random_of(seed);
    let what = format!("a pair, seed {seed}, carried: {carry}");
    let mut ends = [0; 2];
    // SAFETY: the handles live.
    unsafe {
        let [server_end, client_end] = &mut ends;
        if carry {
            assert_eq!(ws_attach(null(), WS_ROLE_SERVER, server_end), WS_OK);
            assert_eq!(ws_attach(null(), WS_ROLE_CLIENT, client_end), WS_OK);
        } else {
            assert_eq!(ws_pair(null(), server_end, client_end), WS_OK);
        }
    }
    let mut order = [Order::of(false, false), Order::of(false, false)];
    for (end, handle) in ends.iter().enumerate() {
        assert_eq!(ws_set_option(*handle, WS_OPT_CLOSE_TIMEOUT_MS, 30), WS_OK, "{end}");
        assert_eq!(ws_set_option(*handle, WS_OPT_INBOUND_PACKETS, 8), WS_OK);
    }
    let mut cut = false;
    let step = |order: &mut [Order; 2], cut: bool, most: u32| {
        for (end, handle) in ends.iter().enumerate() {
            crate::c_host::poll(*handle);
            if carry && !cut {
                let mut space = [0_u8; 4_096];
                let (mut len, mut taken) = (0, 0);
                // SAFETY: everything lives.
                while unsafe { ws_take_output(*handle, space.as_mut_ptr(), space.len(), &mut len) } == WS_OK && len > 0
                {
                    // SAFETY: as above.
                    unsafe { ws_feed(ends[1 - end], space.as_ptr(), len, &mut taken) };
                }
            }
            for _ in 0..most {
                let Some(event) = crate::c_host::next(*handle) else { break };
                order[end].take(event, &what);
            }
        }
    };
    for _ in 0..40 {
        let handle = ends[random(2) as usize];
        match random(8) {
            0 if random(4) == 0 => _ = crate::c_host::close(handle, [-1, 0, 4_000][random(3) as usize]),
            1 if carry && random(6) == 0 => {
                cut = true;
                // SAFETY: NULL and 0 say that the transport has ended.
                unsafe { ws_feed(handle, null(), 0, null_mut()) };
            }
            2 if carry && random(8) == 0 => {
                // SAFETY: the bytes live.
                unsafe { ws_feed(handle, [0x83_u8, 0].as_ptr(), 2, null_mut()) };
            }
            3 => assert_eq!(ws_set_option(handle, WS_OPT_POLL_BUDGET_US, [1, 60, 1_000][random(3) as usize]), WS_OK),
            _ => _ = crate::c_host::put(handle, b"hello"),
        }
        let most = random(6);
        if random(2) == 0 {
            step(&mut order, cut, most);
        }
    }
    for handle in ends {
        crate::c_host::close(handle, if cut { -1 } else { 0 });
    }
    crate::c_host::until(&format!("the ends of seed {seed}"), || {
        step(&mut order, cut, u32::MAX);
        order.iter().all(|order| order.ended)
    });
    step(&mut order, cut, u32::MAX);
    ends.into_iter().for_each(crate::c_host::free);
}

#[test]
fn event_order_of_pairs_and_attached_connections() {
    for seed in 1..=200 {
        pair(seed, false);
        pair(seed, true);
    }
}
