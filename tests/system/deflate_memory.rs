//! The memory of permessage-deflate: contexts are allocated on first use and freed when nothing needs them, and
//! `deflate_memory_bytes` matches the allocator's count.
#![allow(unsafe_code)] // A counting allocator, and calls of the C ABI.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::ffi::*;

/// A call as C makes it.
macro_rules! c {
    ($call:expr) => {
        // SAFETY: every pointer of these tests is NULL or points to a live value of its type.
        unsafe { $call }
    };
}

struct Counting;

/// Bytes allocated now.
static LIVE: AtomicUsize = AtomicUsize::new(0);
/// The largest number of bytes moved by one reallocation, since it was last set to 0.
static MOVED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LIVE.fetch_add(size, Ordering::Relaxed);
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        if size > layout.size() {
            MOVED.fetch_max(layout.size(), Ordering::Relaxed);
        }
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn live() -> i64 {
    LIVE.load(Ordering::Relaxed) as i64
}

fn blank<T>() -> T {
    // SAFETY: used for the structs of the boundary, which are integers and pointers.
    unsafe { std::mem::zeroed() }
}

fn config(flags: u32, bits: u32) -> ws_config {
    let mut config = blank::<ws_config>();
    c!(ws_config_init(&mut config, size_of::<ws_config>()));
    config.flags = WS_DEFLATE | flags;
    (config.server_max_window_bits, config.client_max_window_bits) = (bits, bits);
    config
}

fn figure(handle: u32) -> i64 {
    let mut stats = blank::<ws_stats>();
    assert_eq!(c!(ws_get_stats(handle, &mut stats, size_of::<ws_stats>())), WS_OK);
    stats.deflate_memory_bytes as i64
}

/// Puts a message of `len` equal bytes, and takes it at the other end.
fn send(from: u32, to: u32, len: usize) {
    let payload = vec![7; len];
    assert_eq!(c!(ws_put_packet(from, payload.as_ptr(), len, WS_BINARY)), WS_OK);
    let mut packet = blank::<ws_packet>();
    let end = Instant::now() + Duration::from_secs(10);
    while c!(ws_get_packet(to, &mut packet)) != WS_OK {
        assert!(Instant::now() < end && ws_poll(from) >= 0 && ws_poll(to) >= 0);
    }
    assert_eq!(packet.len, len);
}

fn is_near(reported: i64, counted: i64) -> bool {
    counted > 0 && (reported - counted).abs() * 4 < counted
}

/// Compares the memory growth of the first compressed message in each direction with the reported figure.
fn first_use(flags: u32, bits: u32) {
    let config = config(flags, bits);
    let (mut server, mut client) = (0, 0);
    assert_eq!(c!(ws_pair(&config, &mut server, &mut client)), WS_OK);
    while ws_get_state(server) != WS_OPEN || ws_get_state(client) != WS_OPEN {
        assert!(ws_poll(client) >= 0 && ws_poll(server) >= 0);
    }
    // Messages below the compression threshold: buffers are allocated, but no context.
    for _ in 0..3 {
        send(client, server, 20);
        send(server, client, 20);
    }
    assert_eq!((figure(server), figure(client)), (0, 0), "no context before the first use");
    let before = live();
    send(client, server, 100);
    send(server, client, 100);
    let grown = live() - before;
    // A context that no connection holds belongs to the family, and both ends report it.
    let shared = flags & WS_SERVER_NO_CONTEXT_TAKEOVER != 0;
    let reported = if shared { figure(server) } else { figure(server) + figure(client) };
    assert!(is_near(reported, grown), "{reported} reported and {grown} counted with {bits} bits, flags {flags:#x}");
    for _ in 0..10 {
        send(client, server, 100);
        send(server, client, 100);
    }
    assert!(is_near(reported, live() - before), "later messages need no more memory");
    ws_free(client);
    ws_free(server);
}

/// Opens a server and a client over loopback, and sends a message each way.
fn open(flags: u32) -> [u32; 3] {
    let (mut server, mut client, mut conn, mut count, mut port) = (0, 0, 0, 0, 0);
    let config = config(flags, 0);
    assert_eq!(c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), &config, &mut server)), WS_OK);
    c!(ws_get_option(server, WS_OPT_PORT, &mut port));
    let url = std::ffi::CString::new(format!("ws://127.0.0.1:{port}/")).unwrap();
    assert_eq!(c!(ws_connect(url.as_ptr(), &config, &mut client)), WS_OK);
    while ws_get_state(client) != WS_OPEN || c!(ws_get_conns(server, &mut conn, 1, &mut count)) != WS_OK || count == 0 {
        assert!(ws_poll(client) >= 0 && ws_poll(server) >= 0);
    }
    send(client, conn, 1_000);
    send(conn, client, 1_000);
    [server, client, conn]
}

fn idle() {
    let forgetting = open(WS_SERVER_NO_CONTEXT_TAKEOVER | WS_CLIENT_NO_CONTEXT_TAKEOVER);
    let keeping = open(0);
    let [server, client, conn] = forgetting;
    assert!(figure(server) > 0 && figure(client) > 0);
    assert_eq!(figure(conn), 0, "without takeover a connection holds nothing between two messages");
    let kept = (figure(keeping[0]), figure(keeping[1]));
    assert!(kept.0 > 300_000 && kept.1 > 300_000);
    let before = live();
    let end = Instant::now() + Duration::from_secs(20);
    while figure(server) > 0 || figure(client) > 0 {
        assert!(Instant::now() < end, "idle connections return their spare contexts");
        for handle in [server, client, keeping[0], keeping[1]] {
            assert!(ws_poll(handle) >= 0);
        }
        c!(ws_wait([server, client].as_ptr(), 2, 20));
    }
    assert!(live() < before - 600_000, "their memory is freed");
    assert_eq!((figure(keeping[0]), figure(keeping[1])), kept, "contexts with history are kept");
    for [server, client, conn] in [forgetting, keeping] {
        send(client, conn, 1_000);
        send(conn, client, 1_000);
        ws_free(client);
        assert!(figure(server) > 0);
        ws_free(server);
    }
}

/// A long broadcast takes the spare context while it is queued, and that context is reported once.
fn shared() {
    let [server, client, conn] = open(WS_SERVER_NO_CONTEXT_TAKEOVER);
    let before = figure(server);
    let payload = vec![7; 1 << 20];
    assert_eq!(c!(ws_put_packet(server, payload.as_ptr(), payload.len(), WS_BINARY)), WS_OK);
    assert_eq!(figure(server), before, "the context of a queued message is reported");
    let mut packet = blank::<ws_packet>();
    let end = Instant::now() + Duration::from_secs(10);
    while c!(ws_get_packet(client, &mut packet)) != WS_OK {
        assert!(Instant::now() < end && ws_poll(server) >= 0 && ws_poll(client) >= 0);
    }
    assert!(before > 200_000 && ws_get_state(conn) == WS_OPEN);
    ws_free(client);
    ws_free(server);
}

/// A message that outgrows its buffer is moved in pieces, with budget checks in between, and arrives unchanged.
fn growth() {
    let config = config(0, 0);
    let (mut server, mut client) = (0, 0);
    assert_eq!(c!(ws_pair(&config, &mut server, &mut client)), WS_OK);
    while ws_get_state(server) != WS_OPEN || ws_get_state(client) != WS_OPEN {
        assert!(ws_poll(client) >= 0 && ws_poll(server) >= 0);
    }
    // The content changes every 40 bytes. Some lengths are next to the end of a buffer.
    for len in [65_535, 65_537, 98_304, 131_072, 131_073, 200_000, 262_145, 524_288, 600_000, 3_000_000, 16 << 20] {
        let payload: Vec<u8> = (0..len).map(|at| (at / 40 % 251) as u8).collect();
        assert_eq!(c!(ws_put_packet(client, payload.as_ptr(), len, WS_BINARY)), WS_OK);
        let (mut packet, mut polls, mut moved) = (blank::<ws_packet>(), 0, 0);
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            assert!(Instant::now() < end && ws_poll(client) >= 0);
            MOVED.store(0, Ordering::Relaxed);
            assert!(ws_poll(server) >= 0);
            moved = moved.max(MOVED.load(Ordering::Relaxed));
            polls += 1;
            if c!(ws_get_packet(server, &mut packet)) == WS_OK {
                break;
            }
        }
        // SAFETY: lent until the next read.
        let got = unsafe { std::slice::from_raw_parts(packet.data, packet.len) };
        assert!(got == payload, "{len} bytes came as they were sent");
        assert!(moved <= 96 << 10, "{moved} bytes were moved at once for a message of {len}, in {polls} polls");
    }
    ws_free(client);
    ws_free(server);
}

/// A single test, because the allocator counts for the whole process.
#[test]
fn deflate_contexts_are_allocated_lazily_and_released() {
    for bits in [9, 12, 15] {
        first_use(0, bits);
        first_use(WS_SERVER_NO_CONTEXT_TAKEOVER | WS_CLIENT_NO_CONTEXT_TAKEOVER, bits);
    }
    shared();
    growth();
    idle();
}
