//! More clients than one call of the system reports as ready.
#![allow(unsafe_code)] // Raises the limit of descriptors.
#![cfg(unix)]

use crate::test_server::*;
use std::io::Write;
use wspeer::codes::*;

const CLIENTS: usize = 1_500;

/// Raises the descriptor limit: each client takes two. Returns false if the system does not allow that many.
fn raise_limit() -> bool {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a live value.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) }, 0);
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: as above.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
    limit.rlim_max > 2 * CLIENTS as libc::rlim_t + 100
}

#[test]
fn all_ready_clients_are_served_in_one_poll() {
    if !raise_limit() {
        assert!(std::env::var_os("CI").is_none(), "the limit of open files is too low");
        println!("SKIP: the limit of open files is too low");
        return;
    }
    let mut test = TestServer::new(&[(WS_OPT_MAX_PENDING_HANDSHAKES, WS_OFF)]);
    let mut clients = Vec::new();
    while clients.len() < CLIENTS {
        // Fewer at a time than the listen queue holds.
        for _ in 0..100 {
            let mut client = test.connect();
            client.write_all(REQUEST).unwrap();
            clients.push(client);
        }
        let count = clients.len() as u64;
        test.poll_until("the clients", |test| test.counts()[0] == count);
    }
    test.poll();
    test.items();
    for client in &mut clients {
        client.write_all(&frame(0x82, b"x")).unwrap();
    }
    test.poll();
    assert_eq!(test.server.available(), CLIENTS);
}
