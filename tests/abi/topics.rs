//! Topics: who receives what, in which order, and what stays when a client leaves.

use crate::c_host::{self, free, next, poll, stats, until};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::{CStr, CString};
use std::ptr::{null, null_mut};
use wspeer::codes::*;
use wspeer::ffi::*;

fn subscribe(conn: u32, topic: &str) -> i32 {
    let topic = CString::new(topic).unwrap();
    // SAFETY: the text lives.
    unsafe { ws_subscribe(conn, topic.as_ptr()) }
}

fn unsubscribe(conn: u32, topic: &str) -> i32 {
    let topic = CString::new(topic).unwrap();
    // SAFETY: the text lives.
    unsafe { ws_unsubscribe(conn, topic.as_ptr()) }
}

fn publish(server: u32, topic: &str, except: u32, bytes: &[u8]) -> i32 {
    let topic = CString::new(topic).unwrap();
    // SAFETY: the text and the bytes live.
    unsafe { ws_publish(server, topic.as_ptr(), except as i32, bytes.as_ptr(), bytes.len(), WS_BINARY) }
}

fn topics(handle: u32) -> String {
    let mut buffer = [0; 4_096];
    // SAFETY: the buffer lives, and is terminated.
    unsafe {
        assert_eq!(ws_get_topics(handle, buffer.as_mut_ptr(), buffer.len(), null_mut()), WS_OK);
        CStr::from_ptr(buffer.as_ptr()).to_str().unwrap().to_owned()
    }
}

struct Player {
    client: u32,
    conn: u32,
    topics: BTreeSet<String>,
    expected: VecDeque<Vec<u8>>,
}

struct Game {
    server: u32,
    port: u16,
    players: BTreeMap<u32, Player>,
}

impl Game {
    fn new(edit: impl FnOnce(&mut ws_config)) -> Game {
        let (server, port) = c_host::listen(None, edit);
        Game { server, port, players: BTreeMap::new() }
    }

    fn enter(&mut self, edit: impl FnOnce(&mut ws_config)) -> u32 {
        let client = c_host::connect(self.port, None, edit);
        let mut conn = 0;
        until("a player", || {
            self.step();
            poll(client);
            while next(client).is_some() {}
            conn = c_host::conns(self.server)
                .into_iter()
                .find(|conn| ws_get_state(*conn) == WS_OPEN && !self.players.contains_key(conn))
                .unwrap_or(0);
            conn != 0 && ws_get_state(client) == WS_OPEN
        });
        self.players.insert(conn, Player { client, conn, topics: BTreeSet::new(), expected: VecDeque::new() });
        conn
    }

    /// Polls all, and compares what arrives with what has to.
    fn step(&mut self) {
        poll(self.server);
        while next(self.server).is_some() {}
        for player in self.players.values_mut() {
            poll(player.client);
            while let Some(event) = next(player.client) {
                assert!(!event.is_end(), "{event:?}");
                if event.kind == WS_EVENT_MESSAGE {
                    assert_eq!(player.expected.pop_front(), Some(event.bytes), "of {}", player.conn);
                }
            }
        }
    }

    fn settle(&mut self) {
        until("all messages", || {
            self.step();
            self.players.values().all(|player| player.expected.is_empty())
        });
    }

    fn publish(&mut self, topic: &str, except: u32, bytes: &[u8]) {
        assert_eq!(publish(self.server, topic, except, bytes), WS_OK);
        for player in self.players.values_mut().filter(|player| player.conn != except && player.topics.contains(topic))
        {
            player.expected.push_back(bytes.to_vec());
        }
    }
}

/// Random subscriptions, publications, broadcasts and messages to one, players who come, leave and lose their link.
#[test]
fn each_subscriber_gets_each_message_once_and_in_order() {
    for seed in 0..6 {
        let (session, deflate) = (seed % 2 == 1, seed % 3 == 1);
        let edit = |config: &mut ws_config| {
            config.flags |= if deflate { WS_DEFLATE } else { 0 } | if seed % 3 == 2 { WS_COALESCE } else { 0 };
            config.session_ms = if session { 60_000 } else { 0 };
            config.heartbeat_ms = WS_OFF;
            (config.retry_min_ms, config.retry_max_ms) = (1, 20);
        };
        let mut random = c_host::random_of(seed + 1);
        let mut game = Game::new(edit);
        for number in 0..3_000_u32 {
            let conns: Vec<u32> = game.players.keys().copied().collect();
            let topic = format!("room {}", random(8));
            let one = if conns.is_empty() { 0 } else { conns[random(conns.len() as u32) as usize] };
            match random(20) {
                _ if conns.len() < 3 => drop(game.enter(edit)),
                0 if conns.len() < 12 => drop(game.enter(edit)),
                1 if conns.len() > 6 => {
                    // Its messages under way are not waited for. With a session it would have to be waited for, so the
                    // server ends it.
                    let gone = game.players.remove(&one).unwrap();
                    // SAFETY: NULL is no reason.
                    assert_eq!(unsafe { ws_disconnect(game.server, one as i32, -1, null()) }, WS_OK);
                    free(gone.client);
                }
                2 if session => {
                    // SAFETY: NULL is no network.
                    let mut sim: ws_sim = unsafe { std::mem::zeroed() };
                    sim.struct_size = size_of::<ws_sim>() as u32;
                    sim.down_cut_bytes = 1 + random(200);
                    // SAFETY: it lives.
                    assert_eq!(unsafe { ws_set_sim(game.players[&one].client, &sim) }, WS_OK);
                }
                3..=6 => {
                    assert_eq!(subscribe(one, &topic), WS_OK, "{}", c_host::last_error());
                    game.players.get_mut(&one).unwrap().topics.insert(topic);
                }
                7..=8 => {
                    assert_eq!(unsubscribe(one, &topic), WS_OK);
                    game.players.get_mut(&one).unwrap().topics.remove(&topic);
                }
                9 => {
                    let bytes = format!("to all {number}").into_bytes();
                    assert_eq!(c_host::put(game.server, &bytes), WS_OK);
                    game.players.values_mut().for_each(|player| player.expected.push_back(bytes.clone()));
                }
                10 => {
                    let bytes = format!("to one {number}").into_bytes();
                    assert_eq!(c_host::put(one, &bytes), WS_OK);
                    game.players.get_mut(&one).unwrap().expected.push_back(bytes);
                }
                11 => game.step(),
                _ => {
                    let except = if random(3) == 0 { one } else { 0 };
                    let bytes = format!("{topic} {number} ").repeat(1 + random(20) as usize).into_bytes();
                    game.publish(&topic, except, &bytes);
                }
            }
            for player in game.players.values().filter(|_| number % 100 == 0) {
                let expected: Vec<_> = player.topics.iter().map(String::as_str).collect();
                assert_eq!(topics(player.conn), expected.join("\n"));
            }
        }
        game.settle();
        let all: BTreeSet<_> = game.players.values().flat_map(|player| player.topics.iter()).cloned().collect();
        let mut counts = (0, 0);
        // Players that have left are gone with the polls that follow.
        until("the topics of those who left are gone", || {
            game.step();
            let of = stats(game.server);
            counts = (of.topics, of.subscriptions);
            topics(game.server) == all.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
        });
        let each: usize = game.players.values().map(|player| player.topics.len()).sum();
        assert_eq!(counts, (all.len() as u64, each as u64), "seed {seed}");
        game.players.values().for_each(|player| free(player.client));
        free(game.server);
    }
}

#[test]
fn a_client_has_no_topic_before_it_is_open_or_after_its_end() {
    let mut game = Game::new(|config| (config.max_topics, config.max_server_topics) = (2, 3));
    let (one, two) = (game.enter(|_| {}), game.enter(|_| {}));
    assert_eq!((subscribe(one, "a"), subscribe(one, "a"), subscribe(one, "b")), (WS_OK, WS_OK, WS_OK));
    assert_eq!(subscribe(one, "c"), WS_ERR_LIMIT);
    assert!(c_host::last_error().contains("max_topics allows 2"), "{}", c_host::last_error());
    assert_eq!((subscribe(two, "c"), subscribe(two, "d")), (WS_OK, WS_ERR_LIMIT));
    assert!(c_host::last_error().contains("max_server_topics allows 3"), "{}", c_host::last_error());
    assert_eq!((unsubscribe(one, "b"), unsubscribe(one, "b"), unsubscribe(one, "never")), (WS_OK, WS_OK, WS_OK));
    assert_eq!((subscribe(two, "d"), topics(two).as_str(), topics(game.server).as_str()), (WS_OK, "c\nd", "a\nc\nd"));
    let long = "x".repeat(256);
    for name in ["", "a\nb", "\u{7f}", "\u{85}", &long] {
        assert_eq!((subscribe(one, name), publish(game.server, name, 0, b"x")), (WS_ERR_ARG, WS_ERR_ARG), "{name:?}");
        assert_eq!(unsubscribe(one, name), WS_ERR_ARG, "{name:?}");
    }
    assert_eq!(subscribe(two, &long[1..]), WS_ERR_LIMIT);
    // SAFETY: the texts live.
    unsafe {
        assert_eq!((ws_subscribe(one, null()), ws_unsubscribe(one, null())), (WS_ERR_NULL, WS_OK));
        assert_eq!(ws_subscribe(one, c"\xff".as_ptr()), WS_ERR_UTF8);
        assert_eq!(ws_publish(game.server, null(), 0, null(), 0, WS_TEXT), WS_ERR_NULL);
        assert_eq!(ws_publish(game.server, c"a".as_ptr(), -1, null(), 0, WS_TEXT), WS_ERR_ARG);
        assert_eq!(ws_publish(game.server, c"a".as_ptr(), 0, null(), 1, WS_TEXT), WS_ERR_NULL);
        assert_eq!(ws_publish(game.server, c"a".as_ptr(), 0, c"\xff".as_ptr().cast(), 1, WS_TEXT), WS_ERR_UTF8);
        assert_eq!(ws_publish(one, c"a".as_ptr(), 0, null(), 0, WS_TEXT), WS_ERR_KIND);
        assert_eq!(ws_publish(game.server, c"a".as_ptr(), 0, null(), 0, WS_CALL), WS_ERR_KIND);
        let client = game.players[&one].client;
        assert_eq!(
            (ws_subscribe(client, c"a".as_ptr()), ws_subscribe(game.server, c"a".as_ptr())),
            (WS_ERR_KIND, WS_ERR_KIND)
        );
        assert_eq!(ws_get_topics(client, null_mut(), 0, null_mut()), WS_ERR_KIND);
        assert_eq!(ws_subscribe(0, c"a".as_ptr()), WS_ERR_HANDLE);
    }
    assert_eq!(topics(one), "");
    assert_eq!((subscribe(one, "d"), c_host::close(one, 1000), subscribe(one, "c")), (WS_OK, WS_OK, WS_ERR_STATE));
    // A publication reaches nobody who is closing, and that is no error.
    assert_eq!(publish(game.server, "d", 0, b"to two"), WS_OK);
    game.players.get_mut(&two).unwrap().expected.push_back(b"to two".to_vec());
    let gone = game.players.remove(&one).unwrap();
    until("its end", || {
        poll(gone.client);
        game.step();
        ws_get_state(gone.client) == WS_CLOSED
    });
    game.settle();
    until("its topics are gone", || {
        game.step();
        topics(game.server) == "c\nd" && stats(game.server).subscriptions == 2
    });
    free(gone.client);
    free(game.players[&two].client);
    free(game.server);
}

/// Within one frame: who has unsubscribed gets nothing of what is published after it, and all of what was before.
#[test]
fn a_subscription_counts_from_its_call_to_the_end_of_it() {
    let mut game = Game::new(|config| config.flags |= WS_COALESCE);
    let one = game.enter(|_| {});
    game.publish("a", 0, b"before");
    assert_eq!(subscribe(one, "a"), WS_OK);
    game.players.get_mut(&one).unwrap().topics.insert("a".to_owned());
    game.publish("a", 0, b"first");
    assert_eq!(unsubscribe(one, "a"), WS_OK);
    game.players.get_mut(&one).unwrap().topics.clear();
    game.publish("a", 0, b"between");
    assert_eq!(subscribe(one, "a"), WS_OK);
    game.players.get_mut(&one).unwrap().topics.insert("a".to_owned());
    game.publish("a", 0, b"last");
    game.settle();
    free(game.players[&one].client);
    free(game.server);
}
