//! ws_wait returns when a poll would do something, and does not return repeatedly when it would not.
#![allow(unsafe_code)] // Calls the C ABI.

#[macro_use]
#[path = "../support/c_handles.rs"]
mod c_handles;

use c_handles::*;
use socket2::{Domain, Socket, Type};
use std::ffi::CString;
use std::io::{Read, Write};
use std::net::{Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ptr::null;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::ffi::*;

#[test]
fn clients_beyond_the_handshake_limit_are_accepted_one_by_one() {
    let _alone = alone();
    let config = config(|config| {
        config.max_pending_handshakes = 1;
        config.handshake_timeout_ms = WS_OFF;
        config.heartbeat_ms = WS_OFF;
    });
    let mut server = 0;
    assert_eq!(c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), &config, &mut server)), WS_OK);
    // The first client sends nothing until the others wait in the listen queue.
    let mut silent = TcpStream::connect(("127.0.0.1", port(server))).unwrap();
    let mut stats: ws_stats = blank();
    while stats.pending_handshakes == 0 {
        wait(&[server]);
        assert!(ws_poll(server) >= 0);
        assert_eq!(c!(ws_get_stats(server, &mut stats, size_of::<ws_stats>())), WS_OK);
    }
    let waiting: Vec<TcpStream> = (0..4)
        .map(|_| {
            let mut client = TcpStream::connect(("127.0.0.1", port(server))).unwrap();
            client.write_all(REQUEST).unwrap();
            client
        })
        .collect();
    let began = Instant::now();
    while c!(ws_wait(&server, 1, 50)) == WS_OK {
        assert!(ws_poll(server) >= 0);
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "ws_wait returns for connections that cannot be accepted yet"
        );
    }
    silent.write_all(REQUEST).unwrap();
    let mut connected = 0;
    while connected < waiting.len() + 1 {
        wait(&[server]);
        assert!(ws_poll(server) >= 0);
        connected += count(server, WS_EVENT_CONNECTED);
    }
    ws_free(server);
}

#[test]
fn an_emptied_transport_is_refilled() {
    let _alone = alone();
    let mut server = 0;
    assert_eq!(c!(ws_attach(null(), WS_ROLE_SERVER, &mut server)), WS_OK);
    assert_eq!(c!(ws_feed(server, REQUEST.as_ptr(), REQUEST.len(), std::ptr::null_mut())), WS_OK);
    assert!(ws_poll(server) >= 0);
    assert_eq!(count(server, WS_EVENT_OPEN), 1);
    let payload = vec![7; 1_000_000];
    assert_eq!(c!(ws_put_packet(server, payload.as_ptr(), payload.len(), WS_BINARY)), WS_OK);
    let mut buffer = vec![0; 100_000];
    let mut total = 0;
    while total < payload.len() {
        let mut len = 0;
        while c!(ws_take_output(server, buffer.as_mut_ptr(), buffer.len(), &mut len)) == WS_OK {
            total += len;
        }
        if total < payload.len() {
            wait(&[server]);
            assert!(ws_poll(server) >= 0);
        }
    }
    ws_free(server);
}

#[test]
fn a_long_message_crosses_a_pair() {
    let _alone = alone();
    let (server, client) = open_pair(&config(|_| {}));
    let payload = vec![7; 3_000_000];
    assert_eq!(c!(ws_put_packet(server, payload.as_ptr(), payload.len(), WS_BINARY)), WS_OK);
    while count(client, WS_EVENT_MESSAGE) == 0 {
        wait(&[server, client]);
        assert!(ws_poll(client) >= 0 && ws_poll(server) >= 0);
    }
    ws_free(server);
    ws_free(client);
}

#[test]
fn both_ends_of_a_pair_have_separate_timers() {
    let _alone = alone();
    let (server, client) = open_pair(&config(|config| {
        config.close_timeout_ms = 200;
        config.inbound_packets = 1;
    }));
    // The client's inbound queue is full, so it does not read the close frame.
    let payload = vec![7; 100_000];
    for _ in 0..2 {
        assert_eq!(c!(ws_put_packet(server, payload.as_ptr(), payload.len(), WS_BINARY)), WS_OK);
    }
    assert_eq!(c!(ws_close(server, 0, null())), WS_OK);
    let began = Instant::now();
    while ws_get_state(server) != WS_CLOSED {
        // The client, which has no timer, is polled last.
        assert!(ws_poll(server) >= 0 && ws_poll(client) >= 0);
        if ws_get_state(server) != WS_CLOSED {
            wait(&[server]);
        }
    }
    assert!(began.elapsed() < Duration::from_secs(3));
    ws_free(server);
    ws_free(client);
}

#[test]
fn a_close_blocked_by_the_peer_does_not_wake_ws_wait() {
    let _alone = alone();
    let (client, mut stream) = open_client(0);
    let payload = vec![7; 60_000];
    while c!(ws_put_packet(client, payload.as_ptr(), payload.len(), WS_BINARY)) == WS_OK {}
    stream.write_all(b"\x88\x02\x03\xE8and more that nobody reads").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    while count(client, WS_EVENT_CLOSE_REQUEST) == 0 {
        wait(&[client]);
        assert!(ws_poll(client) >= 0);
    }
    let (began, mut polls) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_millis(300) {
        c!(ws_wait(&client, 1, 300));
        assert!(ws_poll(client) >= 0);
        polls += 1;
    }
    assert!(polls < 20, "{polls} polls in 0.3 s with nothing to do");
    ws_free(client);
}

/// A listening socket whose queue is full, so that connection attempts get no answer. Also returns the client that
/// fills it.
fn silent(address: SocketAddr) -> (Socket, TcpStream) {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.set_only_v6(true).unwrap();
    socket.bind(&address.into()).unwrap();
    socket.listen(0).unwrap();
    (socket, TcpStream::connect(address).unwrap())
}

#[test]
fn the_second_address_is_tried_while_the_first_does_not_answer() {
    let _alone = alone();
    let mut server = 0;
    assert_eq!(c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), null(), &mut server)), WS_OK);
    let _silent = silent(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port(server)));
    let url = CString::new(format!("ws://localhost:{}", port(server))).unwrap();
    let mut client = 0;
    assert_eq!(c!(ws_connect(url.as_ptr(), null(), &mut client)), WS_OK);
    let (began, mut polls) = (Instant::now(), 0);
    while count(client, WS_EVENT_OPEN) == 0 {
        wait(&[client, server]);
        assert!(ws_poll(client) >= 0 && ws_poll(server) >= 0);
        polls += 1;
    }
    assert!(began.elapsed() < Duration::from_secs(3), "the second address was tried after {:?}", began.elapsed());
    assert!(polls < 30, "{polls} polls to open one connection");
    ws_free(client);
    ws_free(server);
}

/// A client of a server that does not answer, with this connect timeout.
fn dial_silence(connect_timeout_ms: u32) -> (u32, TcpListener) {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = CString::new(format!("ws://127.0.0.1:{}", silent.local_addr().unwrap().port())).unwrap();
    let mut client = 0;
    assert_eq!(
        c!(ws_connect(url.as_ptr(), &config(|config| config.connect_timeout_ms = connect_timeout_ms), &mut client)),
        WS_OK
    );
    (client, silent)
}

#[test]
fn waiting_long_in_ws_wait_does_not_move_deadlines() {
    let _alone = alone();
    // Over one second: a polling gap of that length would move the deadline.
    let (client, _silent) = dial_silence(1_100);
    let began = Instant::now();
    while count(client, WS_EVENT_CLOSED) == 0 {
        wait(&[client]);
        assert!(ws_poll(client) >= 0);
        assert!(began.elapsed() < Duration::from_millis(2_000), "the dial does not time out");
    }
    assert!(began.elapsed() >= Duration::from_millis(1_100));
    ws_free(client);
}

#[test]
fn a_late_first_poll_moves_the_deadlines() {
    let _alone = alone();
    let (client, _silent) = dial_silence(300);
    // Like a game that shows a loading screen.
    std::thread::sleep(Duration::from_millis(1_050));
    assert!(ws_poll(client) >= 0);
    assert_eq!(ws_get_state(client), WS_CONNECTING);
    while ws_get_state(client) != WS_CLOSED {
        wait(&[client]);
        assert!(ws_poll(client) >= 0);
    }
    ws_free(client);
}

/// Opens a wss:// server and a client whose inbound queue holds two messages.
fn open_tls() -> (u32, u32) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (CString::new(made.cert.pem()).unwrap(), CString::new(made.signing_key.serialize_pem()).unwrap());
    let (mut server, mut client) = (0, 0);
    let of_server = config(|config| {
        (config.cert_pem, config.key_pem) = (cert.as_ptr(), key.as_ptr());
        config.outbound_bytes = WS_OFF;
    });
    assert_eq!(c!(ws_listen(c"wss://127.0.0.1:0".as_ptr(), &of_server, &mut server)), WS_OK);
    let url = CString::new(format!("wss://127.0.0.1:{}", port(server))).unwrap();
    let of_client = config(|config| {
        config.flags = WS_INSECURE;
        config.inbound_packets = 2;
    });
    assert_eq!(c!(ws_connect(url.as_ptr(), &of_client, &mut client)), WS_OK);
    while count(client, WS_EVENT_OPEN) == 0 {
        wait(&[client, server]);
        assert!(ws_poll(client) >= 0 && ws_poll(server) >= 0);
    }
    (server, client)
}

/// Open descriptors of this process with their targets. A number alone does not suffice: another test may close and
/// reopen it at any time.
#[cfg(target_os = "linux")]
fn descriptors() -> Vec<(i32, std::path::PathBuf)> {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap().filter_map(Result::ok);
    entries
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, std::fs::read_link(entry.path()).ok()?)))
        .collect()
}

#[test]
#[cfg(target_os = "linux")]
fn child_processes_inherit_no_descriptor_of_ours() {
    let _alone = alone();
    let before = descriptors();
    let (server, client) = open_tls();
    let ours: Vec<_> = descriptors().into_iter().filter(|one| !before.contains(one)).collect();
    // SAFETY: it only reads the flags of a descriptor.
    let flags = |fd: i32| unsafe { libc::fcntl(fd, libc::F_GETFD) };
    // A listener and the two ends of the connection. The event queue and its waker look like those of any other test.
    assert!(ours.iter().filter(|(_, what)| what.to_string_lossy().starts_with("socket:")).count() >= 3, "{ours:?}");
    assert!(ours.iter().all(|(fd, _)| flags(*fd) & libc::FD_CLOEXEC != 0), "{ours:?}");
    ws_free(client);
    ws_free(server);
}

fn wire_bytes_in(handle: u32) -> u64 {
    let mut stats: ws_stats = blank();
    assert_eq!(c!(ws_get_stats(handle, &mut stats, size_of::<ws_stats>())), WS_OK);
    stats.wire_bytes_in
}

#[test]
fn data_buffered_in_tls_behind_a_full_queue_wakes_ws_wait() {
    let _alone = alone();
    let (server, client) = open_tls();
    let payload = vec![7; 1_000];
    for total in 320..360 {
        for _ in 0..total {
            assert_eq!(c!(ws_put_packet(server, payload.as_ptr(), payload.len(), WS_BINARY)), WS_OK);
        }
        let mut got = 0;
        while got < total {
            wait(&[client]);
            // Polls until nothing more is read, and only then takes the messages.
            let mut before = u64::MAX;
            while before != wire_bytes_in(client) {
                before = wire_bytes_in(client);
                assert!(ws_poll(client) >= 0 && ws_poll(server) >= 0);
            }
            got += count(client, WS_EVENT_MESSAGE);
        }
    }
    ws_free(client);
    ws_free(server);
}

/// Runs `act` while another thread waits for the handle and polls it.
fn while_another_waits<R>(handle: u32, act: impl FnOnce() -> R) -> R {
    let (waits, over) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                waits.store(true, Ordering::SeqCst);
                c!(ws_wait(&handle, 1, 20_000));
                ws_poll(handle);
            }
        });
        while !waits.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let result = act();
        over.store(true, Ordering::SeqCst);
        // Wakes that thread, so that it sees `over`.
        ws_free(handle);
        result
    })
}

#[test]
fn a_put_from_another_thread_is_sent_during_ws_wait() {
    let _alone = alone();
    for (flags, len) in [(0, 8 << 20), (WS_COALESCE, 100), (WS_COALESCE, 8 << 20)] {
        let (client, mut stream) = open_client(flags);
        let payload = vec![7; len];
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        // The other thread may still have been awake at the first put.
        let left = while_another_waits(client, || {
            (0..3).all(|_| {
                let put = c!(ws_put_packet(client, payload.as_ptr(), payload.len(), WS_BINARY));
                let header = if len > 125 { 14 } else { 6 };
                put == WS_OK && stream.read_exact(&mut vec![0; header + len]).is_ok()
            })
        });
        assert!(left, "a message of {len} bytes waits while a thread waits, with flags {flags}");
    }
}

#[test]
fn a_change_from_another_thread_ends_ws_wait() {
    let _alone = alone();
    for closes in [true, false] {
        let (client, _stream) = open_client(0);
        let asleep = AtomicBool::new(false);
        let slept = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let began = Instant::now();
                asleep.store(true, Ordering::SeqCst);
                let result = c!(ws_wait(&client, 1, 5_000));
                (result, began.elapsed())
            });
            while !asleep.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            // The thread may not be asleep yet: then it sees the change before it sleeps.
            std::thread::sleep(Duration::from_millis(20));
            let done =
                if closes { c!(ws_close(client, -1, null())) } else { ws_set_option(client, WS_OPT_HEARTBEAT_MS, 50) };
            assert_eq!(done, WS_OK);
            thread.join().unwrap()
        });
        assert_eq!(slept.0, WS_OK, "it slept for {:?}; by a close: {closes}", slept.1);
        ws_free(client);
    }
    let server_config = config(|config| config.flags = WS_COALESCE);
    let mut server = 0;
    assert_eq!(c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), &server_config, &mut server)), WS_OK);
    let mut stream = TcpStream::connect(("127.0.0.1", port(server))).unwrap();
    stream.write_all(REQUEST).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    while count(server, WS_EVENT_CONNECTED) == 0 {
        wait(&[server]);
        assert!(ws_poll(server) >= 0);
    }
    let left = while_another_waits(server, || {
        let mut header = [0; 512];
        (0..3).all(|_| {
            c!(ws_put_packet(server, REQUEST.as_ptr(), 3, WS_BINARY)) == WS_OK
                && stream.read(&mut header).is_ok_and(|count| count > 0)
        })
    });
    assert!(left, "collected messages are sent while a thread waits");
}

/// Occupies the worker thread until it is dropped.
struct Busy(std::sync::mpsc::Sender<()>);

fn keep_the_worker_busy() -> Busy {
    struct Until(std::sync::mpsc::Receiver<()>);
    impl wspeer::internals::heap::Discarded for Until {}
    impl Drop for Until {
        fn drop(&mut self) {
            let _ = self.0.recv_timeout(Duration::from_secs(20));
        }
    }
    let (done, until) = std::sync::mpsc::channel();
    wspeer::internals::table::registry().services.discard(Box::new(Until(until)));
    Busy(done)
}

#[test]
fn a_local_player_sees_its_host_end_while_the_worker_is_busy() {
    let _alone = alone();
    let ends: [fn(u32); 3] = [|host| ws_free(host), |_| ws_free_owner(77), |_| ws_shutdown()];
    for end in ends {
        let config = config(|config| config.owner = 77);
        let (mut host, mut local) = (0, 0);
        assert_eq!(c!(ws_host(c"ws://127.0.0.1:0".as_ptr(), &config, &mut host)), WS_OK);
        // Without an owner, so that ws_free_owner keeps it; ws_shutdown frees it too.
        assert_eq!(c!(ws_join_local(host, null(), &mut local)), WS_OK);
        while count(local, WS_EVENT_OPEN) == 0 {
            assert!(ws_poll(host) >= 0 && ws_poll(local) >= 0);
        }
        let busy = keep_the_worker_busy();
        std::thread::scope(|scope| {
            scope.spawn(|| end(host));
            while matches!(ws_get_state(local), WS_OPEN | WS_CLOSING) {
                // If the host has ended before the wait, ws_wait returns at once.
                let waited = c!(ws_wait(&local, 1, 5_000));
                assert!(waited == WS_OK || waited == WS_ERR_HANDLE, "it slept its full time");
                ws_poll(local);
            }
        });
        drop(busy.0);
        ws_free(local);
    }
}

#[test]
fn an_end_with_unsent_bytes_reaches_the_other_end_of_a_pair() {
    let _alone = alone();
    let (server, client) = open_pair(&config(|_| {}));
    let payload = vec![7; 1_000_000];
    assert_eq!(c!(ws_put_packet(server, payload.as_ptr(), payload.len(), WS_BINARY)), WS_OK);
    while ws_get_state(client) == WS_OPEN && c!(ws_wait(&client, 1, 0)) == WS_OK {
        assert!(ws_poll(client) >= 0);
    }
    let busy = keep_the_worker_busy();
    assert_eq!(c!(ws_close(server, -1, null())), WS_OK);
    while ws_get_state(client) != WS_CLOSED {
        wait(&[client]);
        assert!(ws_poll(client) >= 0);
    }
    drop(busy.0);
    ws_free(server);
    ws_free(client);
}

#[test]
fn a_host_sees_the_end_of_its_local_player() {
    let _alone = alone();
    let (mut host, mut local) = (0, 0);
    assert_eq!(c!(ws_host(c"ws://127.0.0.1:0".as_ptr(), null(), &mut host)), WS_OK);
    assert_eq!(c!(ws_join_local(host, null(), &mut local)), WS_OK);
    while count(local, WS_EVENT_OPEN) == 0 || count(host, WS_EVENT_CONNECTED) == 0 && ws_get_state(local) != WS_OPEN {
        assert!(ws_poll(host) >= 0 && ws_poll(local) >= 0);
    }
    // The player does not answer the close, so its own poll ends it by the timeout.
    assert_eq!(ws_set_option(local, WS_OPT_CLOSE_TIMEOUT_MS, 100), WS_OK);
    assert_eq!(c!(ws_close(local, 0, null())), WS_OK);
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while ws_get_state(local) != WS_CLOSED {
                c!(ws_wait(&local, 1, 5_000));
                ws_poll(local);
            }
            ended.store(true, Ordering::SeqCst);
        });
        let mut gone = 0;
        while gone == 0 {
            wait(&[host]);
            if ended.load(Ordering::SeqCst) {
                assert!(ws_poll(host) >= 0);
                gone += count(host, WS_EVENT_DISCONNECTED);
            }
        }
    });
    ws_free(local);
    ws_free(host);
}

#[cfg(unix)]
#[test]
fn handles_that_share_a_descriptor_are_waited_for_once() {
    let _alone = alone();
    let mut server = 0;
    assert_eq!(c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), null(), &mut server)), WS_OK);
    let mut clients: Vec<TcpStream> =
        (0..3).map(|_| TcpStream::connect(("127.0.0.1", port(server))).unwrap()).collect();
    clients.iter_mut().for_each(|client| client.write_all(REQUEST).unwrap());
    let mut connected = 0;
    while connected < clients.len() {
        wait(&[server]);
        assert!(ws_poll(server) >= 0);
        connected += count(server, WS_EVENT_CONNECTED);
    }
    let (mut handles, mut have) = ([0; 4], 0);
    assert_eq!(c!(ws_get_conns(server, handles.as_mut_ptr(), handles.len(), &mut have)), WS_OK);
    handles[3] = server;
    // poll(2) accepts no more entries than the process may have descriptors.
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    assert_eq!(c!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit)), 0);
    let few = libc::rlimit { rlim_cur: 512.min(limit.rlim_cur), ..limit };
    assert_eq!(c!(libc::setrlimit(libc::RLIMIT_NOFILE, &few)), 0);
    let many: Vec<u32> = handles.iter().copied().cycle().take(2_000).collect();
    // First polls until the server has nothing left to do.
    let began = Instant::now();
    let waited = loop {
        let waited = c!(ws_wait(many.as_ptr(), many.len(), 20));
        if waited != WS_OK || began.elapsed() > Duration::from_secs(5) {
            break waited;
        }
        assert!(ws_poll(server) >= 0);
        count(server, WS_EVENT_CONNECTED);
    };
    assert_eq!(waited, WS_EMPTY);
    clients[1].write_all(b"\x81\x81\0\0\0\0x").unwrap();
    wait(&many);
    assert_eq!(c!(libc::setrlimit(libc::RLIMIT_NOFILE, &limit)), 0);
    ws_free(server);
}
