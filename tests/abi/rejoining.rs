//! Joins with WS_RECONNECT: a new link brings a new id, and the others are met again.
#![allow(unsafe_code)] // Calls the C ABI.

#[macro_use]
#[path = "../support/c_handles.rs"]
mod c_handles;

use c_handles::*;
use std::ffi::CString;
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::ffi::*;

const PATIENCE: Duration = Duration::from_secs(30);

/// Events of one end: their types, and the ids of the peers that they are about.
type Seen = Vec<(i32, i32)>;

/// A host and two joins that reconnect.
struct Party {
    format: u32,
    host: u32,
    joins: [u32; 2],
    /// What the joins have seen.
    seen: [Seen; 2],
}

impl Party {
    fn new(format: u32) -> Party {
        let (mut host, mut joins) = (0, [0; 2]);
        let settings = config(|config| config.flags = format);
        assert_eq!(c!(ws_host(c"ws://127.0.0.1:0".as_ptr(), &settings, &mut host)), WS_OK);
        let url = CString::new(format!("ws://127.0.0.1:{}", port(host))).unwrap();
        let settings = config(|config| {
            config.flags = format | WS_RECONNECT;
            (config.retry_min_ms, config.retry_max_ms) = (1, 2);
        });
        for join in &mut joins {
            assert_eq!(c!(ws_join(url.as_ptr(), &settings, join)), WS_OK);
            if format & WS_SCENE != 0 {
                assert_eq!(c!(ws_declare_node(*join, c"Main".as_ptr(), c"move".as_ptr())), WS_OK);
            }
        }
        Party { format, host, joins, seen: Default::default() }
    }

    /// Polls all ends until `done` says so of what the joins have seen.
    fn until(&mut self, what: &str, done: impl Fn(&[Seen; 2]) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !done(&self.seen) {
            assert!(Instant::now() < end, "{what} in format {}: {:?}", self.format, self.seen);
            take(self.host, &mut Seen::new());
            for (join, seen) in self.joins.iter().zip(&mut self.seen) {
                take(*join, seen);
            }
        }
    }

    /// Number of other peers that a join knows of in this format.
    fn others(&self) -> usize {
        if self.format & (WS_GODOT3 | WS_SCENE) != 0 { 2 } else { 1 }
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        for handle in self.joins.into_iter().chain([self.host]) {
            ws_free(handle);
        }
    }
}

/// Polls an end and takes its events. Completes every authentication.
fn take(handle: u32, seen: &mut Seen) {
    assert!(ws_poll(handle) >= 0);
    let mut event: ws_event = blank();
    while c!(ws_next_event(handle, &mut event)) == WS_OK {
        seen.push((event.r#type, event.peer_id));
        if event.r#type == WS_EVENT_AUTHENTICATING {
            assert_eq!(ws_complete_auth(handle, event.peer_id), WS_OK);
        }
    }
}

fn count_of(seen: &Seen, kind: i32) -> usize {
    seen.iter().filter(|(one, _)| *one == kind).count()
}

#[test]
fn a_join_gets_a_new_id_and_meets_the_others_again() {
    let _alone = alone();
    for format in [0, WS_GODOT3, WS_SCENE, WS_SCENE | WS_AUTH] {
        let mut party = Party::new(format);
        let others = party.others();
        party.until("all are there", |seen| seen.iter().all(|seen| count_of(seen, WS_EVENT_CONNECTED) == others));
        let ids = party.joins.map(|join| ws_get_peer_id(join));
        assert_eq!(c!(ws_disconnect(party.host, ids[0], 1012, c"back soon".as_ptr())), WS_OK);
        party.seen.iter_mut().for_each(Vec::clear);
        party.until("it is lost", |seen| count_of(&seen[0], WS_EVENT_LOST) == 1);
        assert_eq!((ws_get_state(party.joins[0]), ws_get_peer_id(party.joins[0])), (WS_LOST, 0));
        let to_host = c!(ws_put_packet_to(party.joins[0], 1, b"x".as_ptr(), 1, WS_BINARY));
        assert_eq!(to_host, WS_ERR_STATE, "format {format}");
        party.until("it is back", |seen| {
            count_of(&seen[0], WS_EVENT_CONNECTED) == others
                && (others == 1 || count_of(&seen[1], WS_EVENT_CONNECTED) == 1)
        });
        let new = ws_get_peer_id(party.joins[0]);
        assert!(new > 1 && new != ids[0], "{new}");
        let mut own = party.seen[0].clone();
        own.retain(|(kind, _)| ![WS_EVENT_CLOSE_REQUEST, WS_EVENT_AUTHENTICATING].contains(kind));
        assert_eq!(own[..2], [(WS_EVENT_LOST, 1), (WS_EVENT_OPEN, new)], "format {format}: {:?}", party.seen);
        let mut met = own[2..].to_vec();
        met.sort_unstable();
        let mut expected = vec![(WS_EVENT_CONNECTED, 1)];
        if others == 2 {
            expected.push((WS_EVENT_CONNECTED, ids[1]));
            assert_eq!(party.seen[1], [(WS_EVENT_DISCONNECTED, ids[0]), (WS_EVENT_CONNECTED, new)]);
        }
        assert_eq!(met, expected);
        assert_eq!(ws_get_state(party.joins[0]), WS_OPEN);
        if others == 1 {
            assert_eq!(c!(ws_put_packet(party.joins[0], b"x".as_ptr(), 1, WS_BINARY)), WS_OK);
            continue;
        }
        assert_eq!(c!(ws_put_packet_to(party.joins[0], ids[1], b"x".as_ptr(), 1, WS_BINARY)), WS_OK);
        party.until("a packet arrives", |seen| seen[1].contains(&(WS_EVENT_MESSAGE, new)));
    }
}

#[test]
fn the_counters_go_on_while_a_host_is_authenticated_anew() {
    let _alone = alone();
    let mut party = Party::new(WS_SCENE | WS_AUTH);
    let join = party.joins[0];
    let received = || {
        let mut stats = ws_stats::default();
        assert_eq!(c!(ws_get_stats(join, &mut stats, size_of::<ws_stats>())), WS_OK);
        (stats.messages_in, stats.queued_packets_in)
    };
    party.until("all are there", |seen| seen.iter().all(|seen| count_of(seen, WS_EVENT_CONNECTED) == 2));
    // Three packets arrive and stay unread.
    let before = received().0;
    for _ in 0..3 {
        let to = ws_get_peer_id(join);
        assert_eq!(c!(ws_put_packet_to(party.host, to, b"x".as_ptr(), 1, WS_BINARY)), WS_OK);
    }
    let end = Instant::now() + PATIENCE;
    while received().1 < 3 {
        assert!(Instant::now() < end && ws_poll(party.host) >= 0 && ws_poll(join) >= 0);
    }
    let (all, old) = (received(), ws_get_peer_id(join));
    assert_eq!(all.0, before + 3);
    assert_eq!(c!(ws_disconnect(party.host, old, 1012, c"".as_ptr())), WS_OK);
    // Until the join waits for its program to authenticate the host again.
    while [0, old].contains(&ws_get_peer_id(join)) {
        assert!(Instant::now() < end);
        take(party.host, &mut Seen::new());
        assert!(ws_poll(join) >= 0);
        assert_eq!(received(), all);
    }
    assert_eq!(ws_get_state(join), WS_LOST);
    party.seen[0].clear();
    party.until("it is back", |seen| count_of(&seen[0], WS_EVENT_OPEN) == 1);
    let kinds: Vec<i32> = party.seen[0].iter().map(|(kind, _)| *kind).collect();
    let message = WS_EVENT_MESSAGE;
    assert_eq!(kinds[..5], [message, message, message, WS_EVENT_CLOSE_REQUEST, WS_EVENT_LOST]);
    assert!(received().0 >= all.0);
}
