//! Large memory blocks: a connection that ends frees its incomplete message, and no call of the host frees a large
//! block itself.
#![allow(unsafe_code)] // A counting allocator, and calls of the C ABI.

#[path = "../support/c_host.rs"]
mod c_host;

use c_host::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use wspeer::codes::*;
use wspeer::ffi::*;
use wspeer::internals::protocol::Compressor;

struct Watching;

/// Bytes allocated now.
static LIVE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The largest block that this thread has freed.
    static FREED: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LIVE.fetch_add(size, Ordering::Relaxed);
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        let _ = FREED.try_with(|freed| freed.set(freed.get().max(layout.size())));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

/// One test at a time: they share the count of allocated bytes.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

const MIB: usize = 1 << 20;
/// The most that a call may free itself: `work::MUCH`, plus the spare capacity of a vector.
const MOST_FREED: usize = MIB + (64 << 10);

/// The largest block that `call` frees on this thread.
fn freed_by<R>(call: impl FnOnce() -> R) -> (usize, R) {
    FREED.set(0);
    let result = call();
    (FREED.get(), result)
}

/// Polls, and checks that the poll frees no large block itself.
fn poll_lightly(handle: u32) {
    let (freed, _) = freed_by(|| poll(handle));
    assert!(freed <= MOST_FREED, "a poll gave {freed} bytes back itself");
}

/// A client after its opening handshake, and its handle at the server.
fn open(server: u32, port: u16) -> (TcpStream, u32) {
    let before = conns(server);
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    client.write_all(request.as_bytes()).unwrap();
    let mut conn = 0;
    until("the client is connected", || {
        poll(server);
        conn = conns(server).into_iter().find(|conn| !before.contains(conn)).unwrap_or(0);
        conn != 0
    });
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    (client, conn)
}

/// The head of a masked frame with the masking key 0.
fn head(first: u8, len: u64) -> Vec<u8> {
    [[first, 0xFF].as_slice(), &len.to_be_bytes(), &[0; 4]].concat()
}

/// Sends while the server polls.
fn send(server: u32, client: &TcpStream, bytes: &[u8]) {
    client.set_nonblocking(true).unwrap();
    let mut rest = bytes;
    until("all is sent", || {
        poll_lightly(server);
        if let Ok(count) = (&mut &*client).write(rest) {
            rest = &rest[count..];
        }
        rest.is_empty()
    });
}

/// How a connection ends in the middle of a message.
#[derive(Clone, Copy, Debug)]
enum How {
    Fin,
    Reset,
    /// It violates the protocol, and stays connected.
    Breach,
    /// Its close frame comes between two fragments; it stays connected and reads nothing.
    Close,
    /// The host drops it.
    Dropped,
    /// The host frees its handle.
    Freed,
}
use How::*;

fn end(how: How, server: u32, client: TcpStream, conn: u32) -> Option<TcpStream> {
    match how {
        Fin => drop(client),
        Reset => {
            socket2::SockRef::from(&client).set_linger(Some(std::time::Duration::ZERO)).unwrap();
            drop(client);
        }
        Breach => {
            send(server, &client, b"\x83\x80\0\0\0\0");
            return Some(client);
        }
        Close => {
            send(server, &client, b"\x88\x82\0\0\0\0\x03\xE8");
            return Some(client);
        }
        Dropped => {
            let (freed, _) = freed_by(|| close(conn, -1));
            assert!(freed <= MOST_FREED, "ws_close gave {freed} bytes back itself");
        }
        Freed => {
            let (freed, ()) = freed_by(|| free(conn));
            assert!(freed <= MOST_FREED, "ws_free gave {freed} bytes back itself");
        }
    }
    None
}

#[test]
fn an_incomplete_message_is_freed_with_its_connection() {
    const CLIENTS: usize = 3;
    let _turn = turn();
    let noise: Vec<u8> = (0..8 * MIB as u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut packed = Vec::new();
    assert!(Compressor::new(15, 1).compress(&noise, false, &mut packed).is_ok());
    let plain = [head(0x02, noise.len() as u64), noise].concat();
    let packed = [head(0x42, packed.len() as u64), packed].concat();
    let base = LIVE.load(Ordering::Relaxed);
    for bytes in [&plain, &packed] {
        for how in [Fin, Reset, Breach, Close, Dropped, Freed] {
            let (server, port) = listen(None, |config| {
                config.flags |= WS_DEFLATE;
                (config.heartbeat_ms, config.close_timeout_ms) = (WS_OFF, 600_000);
            });
            let clients: Vec<_> = (0..CLIENTS).map(|_| open(server, port)).collect();
            for (client, _) in &clients {
                send(server, client, bytes);
            }
            until(&format!("it is read before {how:?} ({} bytes)", bytes.len()), || {
                poll(server);
                stats(server).wire_bytes_in >= (CLIENTS * bytes.len()) as u64
            });
            // The sockets that `end` returns stay connected: the memory must be freed before they close.
            let kept: Vec<_> =
                clients.into_iter().filter_map(|(client, conn)| end(how, server, client, conn)).collect();
            until(&format!("the memory of {how:?} comes back"), || {
                poll_lightly(server);
                LIVE.load(Ordering::Relaxed) < base + 5 * MIB
            });
            drop(kept);
            let (freed, ()) = freed_by(|| free(server));
            assert!(freed <= MOST_FREED, "ws_free gave {freed} bytes back itself");
        }
    }
}

/// Takes up to `most` messages at a time. Returns their number and the largest block freed by taking them.
fn take(handle: u32, most: usize) -> (usize, usize) {
    // SAFETY: packets are numbers and pointers.
    let mut packets: [ws_packet; 8] = unsafe { std::mem::zeroed() };
    let mut count = 0;
    // SAFETY: the packets and the count live.
    let (freed, result) = freed_by(|| unsafe { ws_get_packets(handle, packets.as_mut_ptr(), most, &mut count) });
    assert!(result == WS_OK || result == WS_EMPTY);
    (count, freed)
}

#[test]
fn ending_a_large_loan_does_not_free_it_on_the_calling_thread() {
    let _turn = turn();
    for batch in [1, 3] {
        let (server, port) = listen(None, |config| (config.heartbeat_ms, config.inbound_bytes) = (WS_OFF, WS_OFF));
        let (client, conn) = open(server, port);
        let message = [head(0x82, 12 * MIB as u64), vec![7; 12 * MIB]].concat();
        for handle in [server, conn] {
            for _ in 0..4 {
                send(server, &client, &message);
            }
            let mut got = 0;
            until("all messages are taken", || {
                poll_lightly(server);
                let (count, freed) = take(handle, batch);
                assert!(freed <= MOST_FREED, "the call that ended a loan gave {freed} bytes back itself");
                got += count;
                got == 4
            });
            assert!(take(handle, batch).1 <= MOST_FREED);
        }
        drop(client);
        free(server);
    }
}

/// Reads what is available. Returns the number of bytes.
fn drain(client: &mut TcpStream) -> usize {
    client.set_nonblocking(true).unwrap();
    let (mut buffer, mut total) = (vec![0; 256 << 10], 0);
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        total += count;
    }
    total
}

#[test]
fn a_server_releases_memory_after_long_messages() {
    const CLIENTS: usize = 8;
    let _turn = turn();
    let message = [head(0x82, 4 * MIB as u64), vec![7; 4 * MIB]].concat();
    for talks_on in [false, true] {
        let (server, port) = listen(None, |config| (config.heartbeat_ms, config.inbound_bytes) = (WS_OFF, WS_OFF));
        let mut clients: Vec<_> = (0..CLIENTS).map(|_| open(server, port).0).collect();
        while next(server).is_some() {}
        let before = LIVE.load(Ordering::Relaxed);
        let most = Cell::new(0);
        let held = || LIVE.load(Ordering::Relaxed).saturating_sub(before);
        for client in &clients {
            send(server, client, &message);
        }
        let mut got = 0;
        until("all messages came", || {
            poll_lightly(server);
            most.set(held().max(most.get()));
            got += take(server, 8).0;
            got == CLIENTS
        });
        assert_eq!(take(server, 8).0, 0);
        // A broadcast larger than the buffers that are kept.
        assert_eq!(put(server, &message), WS_OK);
        let mut read = 0;
        until("all have read it", || {
            poll_lightly(server);
            most.set(held().max(most.get()));
            read += clients.iter_mut().map(drain).sum::<usize>();
            read >= CLIENTS * message.len()
        });
        until("its memory is freed", || {
            if talks_on {
                send(server, &clients[0], b"\x82\x81\0\0\0\0x");
            }
            poll_lightly(server);
            take(server, 8);
            held() <= MIB
        });
        println!("talks on: {talks_on}; most {} KiB, then {} KiB", most.get() >> 10, held() >> 10);
        drop(clients);
        free(server);
    }
}
