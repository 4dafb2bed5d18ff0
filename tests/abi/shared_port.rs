//! WS_SHARE_PORT: several servers on one port, each polled by its own thread.

use crate::c_host::{self, free, next, poll, until};
use std::ffi::CString;
use wspeer::codes::*;
use wspeer::ffi::*;

fn listen_at(port: u16, flags: u32, session_ms: u32) -> (i32, u32) {
    // SAFETY: a config is numbers and pointers.
    let mut config: ws_config = unsafe { std::mem::zeroed() };
    let url = CString::new(format!("ws://127.0.0.1:{port}")).unwrap();
    let mut server = 0;
    // SAFETY: everything lives.
    let result = unsafe {
        assert_eq!(ws_config_init(&mut config, size_of::<ws_config>()), WS_OK);
        (config.flags, config.session_ms) = (flags, session_ms);
        ws_listen(url.as_ptr(), &config, &mut server)
    };
    (result, server)
}

#[test]
fn servers_on_one_port_share_the_clients() {
    let (first, port) = c_host::listen(None, |config| config.flags |= WS_SHARE_PORT);
    let (result, second) = listen_at(port, WS_SHARE_PORT, 0);
    assert_eq!(result, WS_OK, "{}", c_host::last_error());
    let servers = [first, second];
    let clients: Vec<u32> = (0..64).map(|_| c_host::connect(port, None, |_| {})).collect();
    // Each server is polled by a thread of its own.
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for server in servers {
            let done = &done;
            scope.spawn(move || {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    poll(server);
                    while let Some(event) = next(server) {
                        if event.kind == WS_EVENT_MESSAGE {
                            assert_eq!(c_host::put(event.conn, &event.bytes), WS_OK);
                        }
                    }
                    std::thread::yield_now();
                }
            });
        }
        let mut answers = vec![0; clients.len()];
        until("each client has its answer", || {
            for (client, answers) in clients.iter().zip(&mut answers) {
                poll(*client);
                while let Some(event) = next(*client) {
                    match event.kind {
                        WS_EVENT_OPEN => assert_eq!(c_host::put(*client, b"x"), WS_OK),
                        WS_EVENT_MESSAGE => *answers += 1,
                        _ => panic!("{event:?}"),
                    }
                }
            }
            answers.iter().all(|count| *count == 1)
        });
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let accepted = servers.map(|server| c_host::stats(server).accepted);
    assert_eq!(accepted[0] + accepted[1], 64);
    // The system spreads them by their addresses.
    assert!(accepted[0] > 8 && accepted[1] > 8, "{accepted:?}");
    clients.into_iter().chain(servers).for_each(free);
}

#[test]
fn a_port_is_shared_by_those_who_say_so() {
    let (shared, port) = c_host::listen(None, |config| config.flags |= WS_SHARE_PORT);
    assert_eq!(listen_at(port, 0, 0).0, WS_ERR_ADDRESS);
    let (alone, own) = c_host::listen(None, |_| {});
    assert_eq!(listen_at(own, WS_SHARE_PORT, 0).0, WS_ERR_ADDRESS);
    assert!(c_host::last_error().contains("WS_SHARE_PORT"), "{}", c_host::last_error());
    assert_eq!(listen_at(port, WS_SHARE_PORT, 1_000).0, WS_ERR_CONFIG);
    assert!(c_host::last_error().contains("exclude each other"), "{}", c_host::last_error());
    free(shared);
    free(alone);
}
