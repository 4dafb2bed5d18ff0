//! A call looks up its handle, another thread retires that handle, and a new client reuses the slot: the call must not
//! reach the new client.
#![allow(unsafe_code)] // Calls the C ABI.
#![cfg(target_os = "linux")] // Reads from /proc whether a thread waits.

use std::ffi::CString;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::ptr::null;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::ffi::*;
use wspeer::internals::table;

/// A call as C makes it.
macro_rules! c {
    ($call:expr) => {
        // SAFETY: every pointer of these tests is NULL or points to a live value of its type.
        unsafe { $call }
    };
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const PATIENCE: Duration = Duration::from_secs(20);

fn wait_for(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        thread::yield_now();
    }
}

/// Connects and sends a request.
fn connect(port: u32) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port as u16)).unwrap();
    stream.write_all(REQUEST).unwrap();
    stream
}

fn conns(server: u32) -> Vec<u32> {
    let (mut list, mut count) = ([0; 8], 0);
    assert_eq!(c!(ws_get_conns(server, list.as_mut_ptr(), list.len(), &mut count)), WS_OK);
    list[..count].to_vec()
}

/// Runs `call` on a new thread, and returns once that thread waits for the lock.
fn waits<R: Send + 'static>(call: impl FnOnce() -> R + Send + 'static) -> thread::JoinHandle<R> {
    let (says, hears): (Sender<std::path::PathBuf>, Receiver<_>) = channel();
    let thread = thread::spawn(move || {
        says.send(std::fs::read_link("/proc/thread-self").unwrap()).unwrap();
        drop(says);
        call()
    });
    let stat = std::path::Path::new("/proc").join(hears.recv().unwrap()).join("stat");
    // The state is the first letter after the thread name in brackets.
    wait_for("the lock", || {
        std::fs::read_to_string(&stat)
            .is_ok_and(|text| text.rsplit(") ").next().is_some_and(|rest| rest.starts_with('S')))
    });
    thread
}

/// Calls `act` with a client's stale handle while a poll gives its slot to a new client.
fn race(act: fn(u32) -> i32) {
    for _ in 0..10 {
        let (mut server, mut port) = (0, 0);
        assert_eq!(c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), null(), &mut server)), WS_OK);
        c!(ws_get_option(server, WS_OPT_PORT, &mut port));
        let first = connect(port);
        wait_for("the first client", || ws_poll(server) >= 0 && !conns(server).is_empty());
        let old = conns(server)[0];
        drop(first);
        // SAFETY: a ws_event is integers and pointers.
        let mut event: ws_event = unsafe { std::mem::zeroed() };
        wait_for("its end", || {
            ws_poll(server);
            c!(ws_next_event(server, &mut event)) == WS_OK && event.r#type == WS_EVENT_DISCONNECTED
        });
        // The old handle retires in the next poll, which also accepts the second client.
        let mut second = connect(port);
        let (release, released) = channel::<()>();
        let (held, holds) = channel();
        let holder = thread::spawn(move || {
            let held_until = |_: &mut table::Body, _| {
                held.send(()).unwrap();
                released.recv_timeout(PATIENCE).unwrap();
                Ok(())
            };
            table::with(server, held_until).unwrap();
        });
        holds.recv_timeout(PATIENCE).unwrap();
        let polls = waits(move || ws_poll(server));
        let acts = waits(move || act(old));
        release.send(()).unwrap();
        holder.join().unwrap();
        assert!(polls.join().unwrap() >= 0);
        assert_eq!(acts.join().unwrap(), WS_ERR_HANDLE);
        wait_for("the second client", || ws_poll(server) >= 0 && !conns(server).is_empty());
        let new = conns(server);
        assert_eq!((new.len(), ws_get_state(new[0])), (1, WS_OPEN));
        assert_ne!(new[0], old);
        second.set_nonblocking(true).unwrap();
        let mut answer = Vec::new();
        wait_for("the answer", || {
            ws_poll(server);
            let _ = second.read_to_end(&mut answer);
            answer.ends_with(b"\r\n\r\n")
        });
        ws_free(server);
    }
}

#[test]
fn a_stale_put_does_not_reach_the_new_client() {
    race(|old| c!(ws_put_packet(old, b"x".as_ptr(), 1, WS_TEXT)));
}

#[test]
fn a_stale_close_does_not_reach_the_new_client() {
    race(|old| c!(ws_close(old, 0, null())));
}

#[test]
fn a_stale_free_does_not_reach_the_new_client() {
    race(|old| {
        ws_free(old);
        WS_ERR_HANDLE
    });
}

#[test]
fn a_stale_query_does_not_reach_the_new_client() {
    race(|old| {
        let name = CString::new("host").unwrap();
        c!(ws_get_header(old, name.as_ptr(), 0, std::ptr::null_mut(), 0, std::ptr::null_mut()))
    });
}
