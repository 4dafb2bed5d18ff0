//! The ceiling: what clients make a server hold stays below max_total_mib, and who plays goes on.

use crate::c_host::{self, free, next, poll, put, stats, until};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use wspeer::codes::*;
use wspeer::ffi::*;

const MIB: u64 = 1 << 20;

/// A client over a raw socket, open.
fn raw(server: u32, port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let mut answer = Vec::new();
    until("an answer", || {
        poll(server);
        let mut buffer = [0; 1_024];
        if let Ok(count) = stream.read(&mut buffer) {
            answer.extend(&buffer[..count]);
        }
        answer.ends_with(b"\r\n\r\n")
    });
    assert!(answer.starts_with(b"HTTP/1.1 101"));
    stream
}

/// Writes as much as the other end takes.
fn push(stream: &mut TcpStream, bytes: &[u8]) -> usize {
    stream.write(bytes).unwrap_or(0)
}

/// A player of the library, that echoes nothing and counts what arrives.
struct Player {
    client: u32,
    conn: u32,
    received: u32,
}

fn play(server: u32, port: u16) -> Player {
    let before = c_host::conns(server);
    let client = c_host::connect(port, None, |_| {});
    let mut conn = 0;
    until("a player", || {
        poll(server);
        poll(client);
        while next(client).is_some() {}
        conn = c_host::conns(server).into_iter().find(|conn| !before.contains(conn)).unwrap_or(0);
        conn != 0 && ws_get_state(client) == WS_OPEN
    });
    Player { client, conn, received: 0 }
}

struct Game {
    server: u32,
    port: u16,
    players: Vec<Player>,
    heard: u32,
    ceilings: u32,
    ended: Vec<c_host::Event>,
}

impl Game {
    fn new(mib: u32, edit: impl FnOnce(&mut ws_config)) -> Game {
        let (server, port) = c_host::listen(None, |config| {
            config.max_total_mib = mib;
            config.heartbeat_ms = WS_OFF;
            edit(config);
        });
        let mut game = Game { server, port, players: Vec::new(), heard: 0, ceilings: 0, ended: Vec::new() };
        game.players = (0..4).map(|_| play(server, port)).collect();
        while next(server).is_some() {}
        game
    }

    /// One frame: players send and are sent to.
    fn frame(&mut self, takes: bool) {
        for player in &mut self.players {
            assert_eq!(put(player.client, b"from a player"), WS_OK);
            assert_eq!(put(player.conn, b"to a player"), WS_OK);
            poll(player.client);
            while let Some(event) = next(player.client) {
                assert!(!event.is_end(), "{event:?}");
                player.received += u32::from(event.kind == WS_EVENT_MESSAGE);
            }
        }
        poll(self.server);
        let conns: Vec<u32> = self.players.iter().map(|player| player.conn).collect();
        for conn in conns.iter().filter(|_| !takes) {
            while let Some(event) = next(*conn) {
                self.heard += u32::from(event.kind == WS_EVENT_MESSAGE);
            }
        }
        while takes && let Some(event) = next(self.server) {
            self.take(event);
        }
        let held = stats(self.server).held_bytes;
        let most = u64::from(self.option()) * MIB;
        // A poll reads for its budget beyond the ceiling, and ends clients at its end.
        assert!(held <= most + 4 * MIB, "{held} of {most}");
    }

    fn take(&mut self, event: c_host::Event) {
        match event.kind {
            WS_EVENT_MESSAGE => self.heard += u32::from(event.bytes == b"from a player"),
            WS_EVENT_ERROR if event.cause == WS_CAUSE_CEILING => self.ceilings += 1,
            WS_EVENT_DISCONNECTED => self.ended.push(event),
            _ => {}
        }
    }

    fn option(&self) -> u32 {
        let mut value = 0;
        // SAFETY: it lives.
        assert_eq!(unsafe { ws_get_option(self.server, WS_OPT_MAX_TOTAL_MIB, &mut value) }, WS_OK);
        value
    }

    fn end(self) {
        for player in &self.players {
            assert_eq!(ws_get_state(player.conn), WS_OPEN, "a player was closed");
            free(player.client);
        }
        free(self.server);
    }
}

/// Clients that begin a long message and stop.
#[test]
fn incomplete_messages_stay_below_the_ceiling() {
    let mut game = Game::new(16, |_| {});
    let mut attackers: Vec<_> = (0..24).map(|_| (raw(game.server, game.port), 0)).collect();
    let head = [[0x82, 0xFF].as_slice(), &(15 * MIB).to_be_bytes(), &[0; 4]].concat();
    let body = vec![0; 64 << 10];
    let mut frames = 0;
    until("all is tried", || {
        for (stream, sent) in &mut attackers {
            let bytes = if *sent < head.len() { &head[*sent..] } else { &body };
            *sent += if *sent < 14 << 20 { push(stream, bytes) } else { 0 };
        }
        game.frame(true);
        frames += 1;
        frames >= 400 && !game.ended.is_empty()
    });
    assert!(game.ceilings >= 1, "the program is told");
    assert!(!game.ended.is_empty(), "those who hold most are ended");
    assert!(game.ended.iter().all(|event| (event.cause, event.code) == (WS_CAUSE_CEILING, 1013)), "{:?}", game.ended);
    assert!(game.ended[0].error_text().contains("max_total_mib"), "{}", game.ended[0].error_text());
    assert_eq!(stats(game.server).ceiling_ended, game.ended.len() as u64);
    // Each player has one message under way at most.
    assert!(game.heard >= 4 * 399, "{}", game.heard);
    assert!(game.players.iter().all(|player| player.received >= 398));
    game.end();
}

/// Clients that never read what they are sent: puts to them are refused, those to players are not.
#[test]
fn queues_of_those_who_never_read_stay_below_the_ceiling() {
    for shared in [false, true] {
        let mut game = Game::new(16, |config| (config.outbound_bytes, config.outbound_packets) = (WS_OFF, WS_OFF));
        let attackers: Vec<_> = (0..24).map(|_| raw(game.server, game.port)).collect();
        let victims: Vec<u32> = c_host::conns(game.server)
            .into_iter()
            .filter(|conn| game.players.iter().all(|player| player.conn != *conn))
            .collect();
        let (mut full, mut taken) = (0, 0);
        for frame in 0..600_u32 {
            if shared {
                // It is held once, so that it fills nothing.
                assert!(put(game.server, &[frame as u8; 10_000]) >= 0);
                taken += 1;
            } else {
                for conn in &victims {
                    match put(*conn, &[frame as u8; 10_000]) {
                        WS_OK => taken += 1,
                        WS_ERR_FULL => full += 1,
                        WS_ERR_STATE | WS_ERR_HANDLE => {}
                        other => panic!("{other}"),
                    }
                }
            }
            game.frame(true);
        }
        let of = stats(game.server);
        if shared {
            assert_eq!((of.ceiling_ended, game.ceilings), (0, 0), "a message to several counts once");
            assert!(
                of.held_bytes < 8 * MIB && of.queued_bytes_out > 24 * MIB,
                "{} {}",
                of.held_bytes,
                of.queued_bytes_out
            );
        } else {
            assert!(full > 100 && game.ceilings == 1, "{full} {taken} {}", game.ceilings);
        }
        assert!(game.heard >= 4 * 599, "{}", game.heard);
        drop(attackers);
        game.end();
    }
}

/// A program that takes nothing of some clients: they are not read from, and when it takes, all is there.
#[test]
fn who_waits_for_the_program_is_paused_and_goes_on() {
    let mut game = Game::new(16, |config| (config.inbound_bytes, config.inbound_packets) = (WS_OFF, WS_OFF));
    let mut senders: Vec<_> = (0..8).map(|_| raw(game.server, game.port)).collect();
    let message = [[0x82, 0xFE].as_slice(), &60_000_u16.to_be_bytes(), &[0; 4], &[7; 60_000]].concat();
    let mut pushed = vec![0_usize; senders.len()];
    for _ in 0..600 {
        for (stream, pushed) in senders.iter_mut().zip(&mut pushed) {
            *pushed += push(stream, &message[*pushed % message.len()..]);
        }
        game.frame(false);
    }
    let of = stats(game.server);
    assert_eq!(of.ceiling_ended, 0, "nobody was ended: reading stopped in time");
    assert!(of.held_bytes > 12 * MIB, "{}", of.held_bytes);
    // All that was pushed arrives, message by message.
    let mut got = 0;
    let whole: usize = pushed.iter().map(|pushed| pushed / message.len()).sum();
    until("what was sent", || {
        poll(game.server);
        while let Some(event) = next(game.server) {
            assert!(!event.is_end(), "{event:?}");
            got += usize::from(event.kind == WS_EVENT_MESSAGE && event.bytes.len() == 60_000);
            game.ceilings += u32::from(event.kind == WS_EVENT_ERROR && event.cause == WS_CAUSE_CEILING);
        }
        got == whole
    });
    assert!(game.ceilings >= 1);
    until("nothing is held", || {
        poll(game.server);
        while next(game.server).is_some() {}
        stats(game.server).held_bytes < MIB
    });
    drop(senders);
    game.end();
}

/// Players whose messages together fill most of the ceiling, each more than its share: all arrive, one after the other.
#[test]
fn messages_above_the_share_become_complete() {
    let mut game = Game::new(1, |_| {});
    let mut senders: Vec<_> = (0..8).map(|_| raw(game.server, game.port)).collect();
    let message = [[0x82, 0xFF].as_slice(), &170_000_u64.to_be_bytes(), &[0; 4], &[7; 170_000]].concat();
    let mut pushed = vec![0_usize; senders.len()];
    let (mut arrived, mut ended) = (0, 0);
    until("all messages, or the end of who held most", || {
        for (stream, pushed) in senders.iter_mut().zip(&mut pushed) {
            // In small parts, so that all are incomplete at the same time.
            *pushed += push(stream, &message[*pushed..message.len().min(*pushed + 3_000)]);
        }
        poll(game.server);
        while let Some(event) = next(game.server) {
            arrived += usize::from(event.kind == WS_EVENT_MESSAGE && event.bytes.len() == 170_000);
            ended += usize::from(event.is_end());
            game.ceilings += u32::from(event.kind == WS_EVENT_ERROR && event.cause == WS_CAUSE_CEILING);
        }
        arrived + ended == 8
    });
    assert!(game.ceilings >= 1, "they had to wait");
    assert!(arrived >= 4, "{arrived} arrived, {ended} were ended");
    drop(senders);
    game.frame(true);
    game.end();
}

/// A client whose turn it is to be read from ends, in several ways: the others still have theirs.
#[test]
fn a_turn_is_given_on_however_its_client_ends() {
    type Way = fn(u32, TcpStream);
    let reset: Way = |_, stream| {
        // Closing without linger sends a reset.
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    };
    let gone: Way = |_, _| ();
    // SAFETY: a reason is optional.
    let kick: Way = |conn, _| assert_eq!(unsafe { ws_close(conn, -1, std::ptr::null()) }, WS_OK);
    let free: Way = |conn, _| free(conn);
    for (name, end) in [("reset", reset), ("gone", gone), ("kick", kick), ("free", free)] {
        let mut game = Game::new(1, |_| {});
        // Clients that hold 928,000 bytes together, each the beginning of a message that lacks 6,000 bytes.
        let fill = |game: &mut Game, count: usize| -> Vec<_> {
            let held = 928_000 / count;
            let head = [[0x82, 0xFF].as_slice(), &(held as u64 + 6_000).to_be_bytes(), &[0; 4]].concat();
            let first = [head, vec![7; held]].concat();
            let mut streams: Vec<_> = (0..count).map(|_| (raw(game.server, game.port), 0)).collect();
            until("the beginnings of messages", || {
                for (stream, sent) in &mut streams {
                    *sent += push(stream, &first[*sent..]);
                }
                game.frame(true);
                streams.iter().all(|(_, sent)| *sent == first.len()) && stats(game.server).held_bytes > 920_000
            });
            streams.into_iter().map(|(stream, _)| stream).collect()
        };
        let conns_before = c_host::conns(game.server);
        let mut streams = fill(&mut game, 8);
        assert_eq!(game.ceilings, 1, "{name}: the limit is near");
        // All have something to read, all wait, and one of them has its turn at the end of this poll.
        for stream in &mut streams {
            assert_eq!(push(stream, &[7; 100]), 100);
        }
        game.frame(true);
        let conns: Vec<u32> =
            c_host::conns(game.server).into_iter().filter(|conn| !conns_before.contains(conn)).collect();
        assert_eq!(conns.len(), 8, "{name}");
        for (conn, stream) in conns.into_iter().zip(streams) {
            end(conn, stream);
        }
        until("they are gone", || {
            game.frame(true);
            stats(game.server).connections == 4
        });
        // Fewer, so that not each of the former has a successor in its place.
        let mut streams = fill(&mut game, 3);
        for stream in &mut streams {
            assert_eq!(push(stream, &[7; 6_000]), 6_000);
        }
        let mut arrived = 0;
        until("all messages", || {
            poll(game.server);
            while let Some(event) = next(game.server) {
                assert!(!event.is_end(), "{name}: {event:?}");
                arrived += usize::from(event.kind == WS_EVENT_MESSAGE && event.bytes.len() > 300_000);
            }
            arrived == 3
        });
        drop(streams);
        game.frame(true);
        game.end();
    }
}

/// Clients with incomplete messages that reset their links before the ceiling refuses what is put to them: a poll ends,
/// and they are gone soon.
#[test]
fn clients_that_are_gone_do_not_hold_up_the_server() {
    for len in [100, 30_000, 60_000, 200_000] {
        let mut game = Game::new(1, |config| config.heartbeat_ms = WS_OFF);
        let mut attackers: Vec<_> = (0..6).map(|_| raw(game.server, game.port)).collect();
        let bytes = [[0x82, 0xFF].as_slice(), &(15 * MIB).to_be_bytes(), &[0; 4], &[0; 155_000]].concat();
        let mut pushed = vec![0; attackers.len()];
        for _ in 0..100 {
            for (stream, pushed) in attackers.iter_mut().zip(&mut pushed) {
                *pushed += push(stream, &bytes[*pushed..]);
            }
            game.frame(true);
        }
        let conns: Vec<u32> = c_host::conns(game.server)
            .into_iter()
            .filter(|conn| game.players.iter().all(|player| player.conn != *conn))
            .collect();
        drop(attackers);
        for conn in conns {
            // SAFETY: the bytes live.
            let _ = unsafe { ws_put_packet(conn, [7; 200_000].as_ptr(), len, WS_BINARY) };
        }
        until("they are gone", || {
            game.frame(true);
            stats(game.server).connections == 4 && stats(game.server).held_bytes < 64 << 10
        });
        assert!(game.ceilings >= 1, "they had to wait");
        game.end();
    }
}

/// Sessions whose link was lost go first, the one that was lost first before the others.
#[test]
fn lost_sessions_end_before_clients() {
    let mut game = Game::new(16, |config| {
        config.session_ms = 60_000;
        config.session_bytes = 8 << 20;
        config.max_lost = 100;
    });
    let lost: Vec<Player> = (0..6)
        .map(|_| {
            let before = c_host::conns(game.server);
            let client = c_host::connect(game.port, None, |config| config.session_ms = 60_000);
            let mut conn = 0;
            until("a session", || {
                poll(game.server);
                poll(client);
                while next(client).is_some() {}
                conn = c_host::conns(game.server).into_iter().find(|conn| !before.contains(conn)).unwrap_or(0);
                conn != 0 && ws_get_state(client) == WS_OPEN && ws_get_state(conn) == WS_OPEN
            });
            Player { client, conn, received: 0 }
        })
        .collect();
    for player in &lost {
        // SAFETY: a description of a network is numbers.
        let mut sim: ws_sim = unsafe { std::mem::zeroed() };
        (sim.struct_size, sim.up_cut_bytes) = (size_of::<ws_sim>() as u32, 1);
        // SAFETY: it lives.
        assert_eq!(unsafe { ws_set_sim(player.client, &sim) }, WS_OK);
        assert_eq!(put(player.client, b"cut"), WS_OK);
        poll(player.client);
        // The client is not polled any more, so it does not come back.
        until("the loss", || {
            game.frame(true);
            ws_get_state(player.conn) == WS_LOST
        });
    }
    let (clients, lost): (Vec<u32>, Vec<u32>) = lost.iter().map(|player| (player.client, player.conn)).unzip();
    game.ended.clear();
    for conn in &lost {
        // Below the share of each, so that nothing of it is refused.
        (0..8).for_each(|_| assert_eq!(put(*conn, &[7; 50_000]), WS_OK));
    }
    let mut attackers: Vec<_> = (0..60).map(|_| (raw(game.server, game.port), 0)).collect();
    let head = [[0x82, 0xFF].as_slice(), &(15 * MIB).to_be_bytes(), &[0; 4]].concat();
    let body = vec![0; 64 << 10];
    for _ in 0..400 {
        for (stream, sent) in &mut attackers {
            let bytes = if *sent < head.len() { &head[*sent..] } else { &body };
            *sent += if *sent < 14 << 20 { push(stream, bytes) } else { 0 };
        }
        game.frame(true);
    }
    let order: Vec<u32> = game.ended.iter().map(|event| event.conn).collect();
    let sessions = order.len().min(lost.len());
    assert!(sessions > 0);
    assert_eq!(order[..sessions], lost[..sessions], "the one that was lost first ends first");
    assert!(game.ended[..sessions].iter().all(|event| event.cause == WS_CAUSE_SESSION), "{:?}", game.ended);
    assert!(game.ended[sessions..].iter().all(|event| event.cause == WS_CAUSE_CEILING), "{:?}", game.ended);
    clients.into_iter().for_each(free);
    game.end();
}
