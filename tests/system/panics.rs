//! A panic in any export returns WS_ERR_PANIC, retires the family, keeps lent memory mapped and is logged; the process
//! continues.
#![cfg(feature = "inject-panics")]
#![allow(unsafe_code)] // Reads lent memory as a C host does.

use std::ffi::c_char;
use std::ptr::{null, null_mut};
use wspeer::codes::*;
use wspeer::ffi::*;
use wspeer::internals::quiet::inject::{self, Place};

/// A call as C makes it.
macro_rules! c {
    ($call:expr) => {
        // SAFETY: every pointer of these tests is NULL or points to a live value of its type.
        unsafe { $call }
    };
}

fn blank<T>() -> T {
    // SAFETY: used for the structs of the boundary, which are integers and pointers.
    unsafe { std::mem::zeroed() }
}

fn open_pair() -> (u32, u32) {
    let (mut server, mut client) = (0, 0);
    assert_eq!(c!(ws_pair(null(), &mut server, &mut client)), WS_OK);
    for _ in 0..5 {
        ws_poll(client);
        ws_poll(server);
    }
    assert_eq!((ws_get_state(server), ws_get_state(client)), (WS_OPEN, WS_OPEN));
    (server, client)
}

fn log_has(word: &str) -> bool {
    let mut found = false;
    let mut line = [0u8; 512];
    let mut len = 0;
    while c!(ws_get_log(line.as_mut_ptr().cast::<c_char>(), line.len(), &mut len)) == WS_OK {
        found |= String::from_utf8_lossy(&line[..len]).contains(word);
    }
    found
}

type Call = (&'static str, Box<dyn Fn(u32) -> i32>);

/// All exports that return a result and take a handle.
fn calls() -> Vec<Call> {
    let mut list: Vec<Call> = Vec::new();
    let mut add = |name, call: Box<dyn Fn(u32) -> i32>| list.push((name, call));
    add("ws_poll", Box::new(|h| ws_poll(h)));
    add("ws_get_packet", Box::new(|h| c!(ws_get_packet(h, &mut blank()))));
    add("ws_get_packets", Box::new(|h| c!(ws_get_packets(h, &mut blank(), 1, &mut 0))));
    add("ws_next_event", Box::new(|h| c!(ws_next_event(h, &mut blank()))));
    add("ws_next_events", Box::new(|h| c!(ws_next_events(h, &mut blank(), 1, &mut 0))));
    add("ws_put_packet", Box::new(|h| c!(ws_put_packet(h, b"x".as_ptr(), 1, WS_BINARY))));
    add("ws_put_packet_to", Box::new(|h| c!(ws_put_packet_to(h, 0, b"x".as_ptr(), 1, WS_BINARY))));
    add("ws_put_packets", Box::new(|h| c!(ws_put_packets(h, &blank(), 1, &mut 0))));
    add("ws_flush", Box::new(|h| ws_flush(h)));
    add("ws_close", Box::new(|h| c!(ws_close(h, 0, null()))));
    add("ws_disconnect", Box::new(|h| c!(ws_disconnect(h, 0, 0, null()))));
    add("ws_get_state", Box::new(|h| ws_get_state(h)));
    add("ws_get_available", Box::new(|h| ws_get_available(h)));
    add("ws_get_text", Box::new(|h| c!(ws_get_text(h, WS_GET_URL, null_mut(), 0, null_mut()))));
    add("ws_get_header", Box::new(|h| c!(ws_get_header(h, c"host".as_ptr(), 0, null_mut(), 0, null_mut()))));
    add("ws_get_end", Box::new(|h| c!(ws_get_end(h, &mut blank()))));
    add("ws_get_stats", Box::new(|h| c!(ws_get_stats(h, &mut blank(), size_of::<ws_stats>()))));
    add("ws_get_option", Box::new(|h| c!(ws_get_option(h, WS_OPT_NO_DELAY, &mut 0))));
    add("ws_set_option", Box::new(|h| ws_set_option(h, WS_OPT_NO_DELAY, 1)));
    add("ws_set_user", Box::new(|h| ws_set_user(h, 1)));
    add("ws_get_conns", Box::new(|h| c!(ws_get_conns(h, &mut 0, 1, &mut 0))));
    add("ws_accept", Box::new(|h| c!(ws_accept(h, null(), null(), 0))));
    add("ws_reply", Box::new(|h| c!(ws_reply(h, 200, null(), 0, null(), 0))));
    add("ws_set_certificate", Box::new(|h| c!(ws_set_certificate(h, c"".as_ptr(), c"".as_ptr()))));
    add("ws_serve", Box::new(|h| c!(ws_serve(h, c"/".as_ptr(), c".".as_ptr(), 0))));
    add("ws_get_waiting", Box::new(|h| c!(ws_get_waiting(h, &mut 0, 1, &mut 0))));
    add("ws_get_conn", Box::new(|h| c!(ws_get_conn(h, 1, &mut 0))));
    add("ws_get_peer_id", Box::new(|h| ws_get_peer_id(h)));
    add("ws_join_local", Box::new(|h| c!(ws_join_local(h, null(), &mut 0))));
    add("ws_declare_node", Box::new(|h| c!(ws_declare_node(h, c"Game".as_ptr(), c"hello".as_ptr()))));
    add("ws_send_auth", Box::new(|h| c!(ws_send_auth(h, 1, b"x".as_ptr(), 1))));
    add("ws_complete_auth", Box::new(|h| ws_complete_auth(h, 1)));
    add("ws_declare_scene", Box::new(|h| c!(ws_declare_scene(h, c"S".as_ptr(), 0, 0, c"".as_ptr()))));
    add(
        "ws_declare_synchronizer",
        Box::new(|h| c!(ws_declare_synchronizer(h, c"S".as_ptr(), 0, c"".as_ptr(), null_mut()))),
    );
    add("ws_spawn", Box::new(|h| c!(ws_spawn(h, c"S".as_ptr(), 0, c"N".as_ptr(), null(), 0, &mut 0))));
    add("ws_despawn", Box::new(|h| ws_despawn(h, 1)));
    add("ws_sync", Box::new(|h| c!(ws_sync(h, 1, null(), 0))));
    add("ws_set_visible", Box::new(|h| ws_set_visible(h, 1, 0, 1)));
    add("ws_put_packet of replication", Box::new(|h| c!(ws_put_packet(h, b"\x05".as_ptr(), 1, WS_REPLICATION))));
    add("ws_put_packet of a call", Box::new(|h| c!(ws_put_packet(h, b"x".as_ptr(), 1, WS_CALL))));
    add("ws_feed", Box::new(|h| c!(ws_feed(h, b"x".as_ptr(), 1, null_mut()))));
    add("ws_take_output", Box::new(|h| c!(ws_take_output(h, [0u8; 8].as_mut_ptr(), 8, &mut 0))));
    add("ws_wait", Box::new(|h| c!(ws_wait(&h, 1, 0))));
    list
}

#[test]
fn a_panic_in_any_export_returns_its_code() {
    for (name, call) in calls() {
        for place in [Place::Entry, Place::Locked] {
            let (server, client) = open_pair();
            inject::at(place);
            assert_eq!(call(client), WS_ERR_PANIC, "{name} at {place:?}");
            assert!(log_has("injected"), "{name}: the log has the text");
            let state = ws_get_state(client);
            match place {
                Place::Entry => assert_eq!(state, WS_OPEN, "{name}: nothing was touched"),
                Place::Locked => assert_eq!(
                    (state, ws_get_state(server)),
                    (WS_ERR_HANDLE, WS_ERR_HANDLE),
                    "{name}: the family is retired"
                ),
            }
            ws_free(client);
            ws_free(server);
        }
    }
}

#[test]
fn exports_without_a_handle_are_guarded_too() {
    let mut out = 0;
    let config = blank::<ws_config>();
    let calls: Vec<Call> = vec![
        ("ws_config_init", Box::new(move |_| c!(ws_config_init(&mut { config }, size_of::<ws_config>())))),
        ("ws_connect", Box::new(|_| c!(ws_connect(c"ws://127.0.0.1:1".as_ptr(), null(), &mut 0)))),
        ("ws_diagnose", Box::new(|_| c!(ws_diagnose(c"ws://127.0.0.1:1".as_ptr(), null(), &mut 0)))),
        ("ws_listen", Box::new(|_| c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), null(), &mut 0)))),
        ("ws_host", Box::new(|_| c!(ws_host(c"ws://127.0.0.1:0".as_ptr(), null(), &mut 0)))),
        ("ws_join", Box::new(|_| c!(ws_join(c"ws://127.0.0.1:1".as_ptr(), null(), &mut 0)))),
        ("ws_pair", Box::new(|_| c!(ws_pair(null(), &mut 0, &mut 0)))),
        ("ws_attach", Box::new(|_| c!(ws_attach(null(), WS_ROLE_CLIENT, &mut 0)))),
        (
            "ws_encode_call",
            Box::new(|_| c!(ws_encode_call(c"A".as_ptr(), c"a".as_ptr(), null(), 0, null_mut(), 0, &mut 0))),
        ),
        ("ws_decode_call", Box::new(|_| c!(ws_decode_call(b"x".as_ptr(), 1, &mut blank(), null_mut(), 0)))),
        (
            "ws_decode_replication",
            Box::new(|_| c!(ws_decode_replication(b"x".as_ptr(), 1, &mut 0, &mut blank(), null_mut(), 0))),
        ),
        ("ws_encode_variant", Box::new(|_| c!(ws_encode_variant(null(), 0, null_mut(), 0, &mut 0)))),
        ("ws_decode_variant", Box::new(|_| c!(ws_decode_variant(b"x".as_ptr(), 1, null_mut(), 0, &mut 0, null_mut())))),
        ("ws_set_log_level", Box::new(|_| ws_set_log_level(WS_LOG_WARN))),
        ("ws_get_log", Box::new(|_| c!(ws_get_log(null_mut(), 0, null_mut())))),
        ("ws_last_error", Box::new(|_| c!(ws_last_error(null_mut(), 0, null_mut())))),
    ];
    for (name, call) in calls {
        inject::at(Place::Entry);
        assert_eq!(call(0), WS_ERR_PANIC, "{name}");
    }
    for call in [|| ws_free(5), || ws_free_owner(5), || ws_shutdown()] {
        inject::at(Place::Entry);
        call();
        assert!(!inject::waits(), "the panic was injected inside the guard");
    }
    assert_eq!(c!(ws_connect(c"ws://127.0.0.1:1".as_ptr(), null(), &mut out)), WS_OK);
    ws_free(out);
}

#[test]
fn a_panic_in_ws_free_retires_the_family() {
    let (server, client) = open_pair();
    inject::at(Place::Locked);
    ws_free(client);
    assert!(!inject::waits(), "the panic was injected under the lock");
    assert_eq!((ws_get_state(client), ws_get_state(server)), (WS_ERR_HANDLE, WS_ERR_HANDLE));
}

#[test]
fn a_panic_of_a_host_does_not_invalidate_its_local_player() {
    for place in [Place::Entry, Place::Locked] {
        let (mut host, mut local) = (0, 0);
        assert_eq!(c!(ws_host(c"ws://127.0.0.1:0".as_ptr(), null(), &mut host)), WS_OK);
        assert_eq!(c!(ws_join_local(host, null(), &mut local)), WS_OK);
        for _ in 0..5 {
            ws_poll(host);
            ws_poll(local);
        }
        assert_eq!(ws_get_state(local), WS_OPEN);
        inject::at(place);
        assert_eq!(c!(ws_put_packet_to(host, 0, b"x".as_ptr(), 1, WS_BINARY)), WS_ERR_PANIC, "{place:?}");
        let (host_state, local_state) = match place {
            Place::Entry => (WS_OPEN, WS_OPEN),
            Place::Locked => (WS_ERR_HANDLE, WS_CLOSED),
        };
        let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while ws_get_state(local) != local_state && std::time::Instant::now() < end {
            assert!(ws_poll(local) >= 0);
        }
        assert_eq!((ws_get_state(host), ws_get_state(local)), (host_state, local_state), "{place:?}");
        ws_free(local);
        ws_free(host);
    }
}

#[test]
fn lent_memory_outlives_a_panic() {
    let (server, client) = open_pair();
    assert_eq!(c!(ws_put_packet(client, b"lent".as_ptr(), 4, WS_TEXT)), WS_OK);
    ws_poll(server);
    let mut packet = blank::<ws_packet>();
    assert_eq!(c!(ws_get_packet(server, &mut packet)), WS_OK);
    inject::at(Place::Locked);
    assert_eq!(ws_flush(server), WS_ERR_PANIC);
    ws_free(server);
    ws_free(client);
    // SAFETY: the header says that lent memory stays mapped after a panic.
    let bytes = unsafe { std::slice::from_raw_parts(packet.data, packet.len) };
    assert_eq!(bytes, b"lent");
}
