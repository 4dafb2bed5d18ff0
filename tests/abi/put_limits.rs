//! max_put_bytes: what hosts and joins send and pass on, because players with Godot's own classes leave at more.

use crate::c_host::{self, last_error, next, poll, until};
use crate::replication::{declare, item, spawn, sync};
use wspeer::codes::*;
use wspeer::ffi::*;

/// A join of the host, in this process (`local`) or over the network, that knows its id.
fn join(host: u32, port: u16, flags: u32, local: bool) -> (u32, i32) {
    let mut join = 0;
    if local {
        // SAFETY: a config is numbers and pointers.
        let mut config: ws_config = unsafe { std::mem::zeroed() };
        // SAFETY: everything lives.
        unsafe {
            assert_eq!(ws_config_init(&mut config, size_of::<ws_config>()), WS_OK);
            config.flags = flags;
            assert_eq!(ws_join_local(host, &config, &mut join), WS_OK, "{}", last_error());
        }
    } else {
        join = c_host::join(port, None, |config| {
            config.flags = flags;
            config.max_put_bytes = WS_OFF;
        });
    }
    let mut is_in = false;
    until("a join", || {
        assert!(poll(host) >= 0 && poll(join) >= 0);
        is_in |= std::iter::from_fn(|| next(host)).any(|event| event.kind == WS_EVENT_CONNECTED);
        is_in && ws_get_state(join) == WS_OPEN
    });
    (join, ws_get_peer_id(join))
}

fn put_to(handle: u32, target: i32, bytes: &[u8]) -> i32 {
    // SAFETY: the bytes live.
    unsafe { ws_put_packet_to(handle, target, bytes.as_ptr(), bytes.len(), WS_BINARY) }
}

/// Polls until this join has a message, and none of the others. Returns its length.
fn length(host: u32, join: u32) -> usize {
    let mut len = 0;
    until("a message", || {
        assert!(poll(host) >= 0 && poll(join) >= 0);
        let messages = std::iter::from_fn(|| next(join)).filter(|event| event.kind == WS_EVENT_MESSAGE);
        len += messages.map(|event| event.bytes.len()).sum::<usize>();
        len > 0
    });
    len
}

/// Polls, and returns the number of messages of a join and whether the host reported one that was too long.
fn settle(host: u32, joins: &[u32], of: u32) -> (usize, bool) {
    let (mut messages, mut reported) = (0, false);
    for _ in 0..50 {
        assert!(poll(host) >= 0);
        while let Some(event) = next(host) {
            reported |= event.kind == WS_EVENT_ERROR && event.cause == WS_CAUSE_TOO_BIG;
        }
        for join in joins {
            assert!(poll(*join) >= 0);
            while let Some(event) = next(*join) {
                messages += usize::from(*join == of && event.kind == WS_EVENT_MESSAGE);
            }
        }
    }
    (messages, reported)
}

#[test]
fn a_host_sends_and_passes_on_no_more_than_godot_takes() {
    let (host, port) = c_host::host(|config| config.flags = WS_GODOT3);
    let joins = [0; 2].map(|_| {
        let join = c_host::join(port, None, |config| {
            config.flags = WS_GODOT3;
            config.max_put_bytes = WS_OFF;
        });
        until("a join", || poll(host) >= 0 && poll(join) >= 0 && ws_get_state(join) == WS_OPEN);
        join
    });
    let long = vec![1; 70_000];
    assert_eq!(c_host::put(host, &long), WS_ERR_TOO_BIG);
    assert!(last_error().contains("max_put_bytes"), "{}", last_error());
    assert_eq!(c_host::put(host, &long[..65_535 - 9]), WS_OK);
    assert_eq!(c_host::put(host, &long[..65_536 - 9]), WS_ERR_TOO_BIG);
    // A join that takes more sends it, to everyone.
    assert_eq!(c_host::put(joins[0], &long), WS_OK);
    let (mut got, mut errors) = (0, 0);
    until("the host's copy", || {
        assert!(poll(host) >= 0 && joins.iter().all(|join| poll(*join) >= 0));
        while let Some(event) = next(host) {
            got += usize::from(event.kind == WS_EVENT_MESSAGE);
            errors += usize::from(event.kind == WS_EVENT_ERROR && event.cause == WS_CAUSE_TOO_BIG);
        }
        got == 1 && errors == 1
    });
    for _ in 0..20 {
        assert!(poll(host) >= 0 && poll(joins[1]) >= 0);
    }
    let lengths: Vec<_> =
        std::iter::from_fn(|| next(joins[1])).filter(|event| event.kind == WS_EVENT_MESSAGE).collect();
    assert_eq!(lengths.len(), 1, "only the host's own message");
    assert_eq!(ws_get_state(joins[1]), WS_OPEN);
    joins.into_iter().chain([host]).for_each(c_host::free);
}

#[test]
fn what_goes_only_to_local_players_is_not_limited() {
    let long = vec![1; 70_000];
    for flags in [0, WS_GODOT3, WS_SCENE] {
        let (host, port) = c_host::host(|config| config.flags = flags);
        assert_eq!(c_host::put(host, &long), WS_OK, "to nobody");
        let (near, near_id) = join(host, port, flags, true);
        assert_eq!(c_host::put(host, &long), WS_OK, "to all, who are here");
        assert_eq!(length(host, near), long.len());
        let (far, far_id) = join(host, port, flags, false);
        settle(host, &[near, far], near);
        for target in [0, far_id, -near_id, -5] {
            assert_eq!(put_to(host, target, &long), WS_ERR_TOO_BIG, "{flags}: {target}");
            assert!(last_error().contains("max_put_bytes"), "{}", last_error());
        }
        let conn = |id| {
            let mut conn = 0;
            // SAFETY: it lives.
            assert_eq!(unsafe { ws_get_conn(host, id, &mut conn) }, WS_OK);
            conn
        };
        assert_eq!(c_host::put(conn(far_id), &long), WS_ERR_TOO_BIG);
        // Those to one, to all but the one outside, by its handle, and by a topic.
        assert_eq!(put_to(host, near_id, &long), WS_OK, "{flags}");
        assert_eq!(put_to(host, -far_id, &long), WS_OK, "{flags}");
        assert_eq!(c_host::put(conn(near_id), &long), WS_OK, "{flags}");
        let publish = || {
            // SAFETY: everything lives.
            unsafe { ws_publish(host, c"here".as_ptr(), 0, long.as_ptr(), long.len(), WS_BINARY) }
        };
        let subscribe = |id| {
            // SAFETY: the text lives.
            assert_eq!(unsafe { ws_subscribe(conn(id), c"here".as_ptr()) }, WS_OK);
        };
        subscribe(near_id);
        assert_eq!(publish(), WS_OK);
        subscribe(far_id);
        assert_eq!(publish(), WS_ERR_TOO_BIG);
        assert_eq!(settle(host, &[near, far], near), (4, false), "{flags}");
        // What is passed on.
        if flags != 0 {
            assert_eq!(put_to(far, near_id, &long), WS_OK);
            assert_eq!(settle(host, &[near, far], near), (1, false), "{flags}: to the one here");
            assert_eq!(put_to(near, far_id, &long), WS_OK);
            assert_eq!(settle(host, &[near, far], far), (0, true), "{flags}: to the one outside");
        }
        // One that was disconnected does not count, although its close goes on.
        // SAFETY: NULL is no reason.
        assert_eq!(unsafe { ws_disconnect(host, far_id, 0, std::ptr::null()) }, WS_OK);
        assert_eq!(c_host::put(host, &long), WS_OK, "{flags}");
        [far, near, host].into_iter().for_each(c_host::free);
    }
}

#[test]
fn a_node_that_stock_players_could_not_take_is_refused() {
    let name = |name: &'static str| ws_variant { data: name.as_ptr(), len: name.len(), ..item(WS_VARIANT_STRING) };
    let bytes = vec![7; 1 << 20];
    let value = |len| ws_variant { count: len as u32, data: bytes.as_ptr(), len, ..item(WS_VARIANT_PACKED_BYTE_ARRAY) };
    let (host, _) = c_host::host(|config| config.flags = WS_SCENE);
    assert_eq!(declare(host, "Main/Spawner", 0, 0, ":a spawn change, :b change, :c always"), WS_OK);
    let most = 65_535 - 100;
    let spawned = |len| spawn(host, "Main/Spawner", 0, "Node", &[name(":a"), value(len)]);
    assert_eq!(spawned(65_535), Err(WS_ERR_TOO_BIG));
    assert!(last_error().ends_with("max_put_bytes is 65535"), "{}", last_error());
    let node = spawned(most).unwrap();
    // Two values, which fit one by one, go to later players in one packet.
    assert_eq!(sync(host, node, &[name(":b"), value(1_000)]), WS_ERR_TOO_BIG);
    assert_eq!(sync(host, node, &[name(":c"), value(65_535)]), WS_ERR_TOO_BIG);
    assert_eq!(sync(host, node, &[name(":c"), value(most)]), WS_OK);
    assert_eq!(sync(host, node, &[name(":a"), value(1_000)]), WS_OK);
    assert_eq!(sync(host, node, &[name(":b"), value(60_000)]), WS_OK);
    assert_eq!(sync(host, node, &[name(":a"), value(10_000)]), WS_ERR_TOO_BIG);
    // Players that take more.
    assert_eq!(ws_set_option(host, WS_OPT_MAX_PUT_BYTES, WS_OFF), WS_OK);
    assert_eq!(sync(host, node, &[name(":a"), value(500_000)]), WS_OK);
    assert_eq!(sync(host, node, &[name(":a"), value(1 << 20)]), WS_ERR_TOO_BIG);
    assert!(last_error().ends_with("max_call_bytes is 1048576"), "{}", last_error());
    c_host::free(host);
}
