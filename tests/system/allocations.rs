//! In steady state, a frame allocates nothing for a message, and a poll makes one read and at most one write.
#![allow(unsafe_code)] // A counting allocator, and calls of the C ABI.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::null;
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

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> u64 {
    COUNT.with(Cell::get)
}

fn blank<T>() -> T {
    // SAFETY: used for the structs of the boundary, which are integers and pointers.
    unsafe { std::mem::zeroed() }
}

/// Opens a server and a client over loopback, with these flags.
fn open(flags: u32) -> (u32, u32, u32) {
    let (mut server, mut client, mut conn, mut count, mut port) = (0, 0, 0, 0, 0);
    let mut config = blank::<ws_config>();
    c!(ws_config_init(&mut config, size_of::<ws_config>()));
    config.flags = flags;
    assert_eq!(c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), &config, &mut server)), WS_OK);
    c!(ws_get_option(server, WS_OPT_PORT, &mut port));
    let url = std::ffi::CString::new(format!("ws://127.0.0.1:{port}/")).unwrap();
    assert_eq!(c!(ws_connect(url.as_ptr(), &config, &mut client)), WS_OK);
    while ws_get_state(client) != WS_OPEN || c!(ws_get_conns(server, &mut conn, 1, &mut count)) != WS_OK || count == 0 {
        assert!(ws_poll(client) >= 0 && ws_poll(server) >= 0);
    }
    (server, client, conn)
}

/// One frame: 32 messages of `len` bytes from the client to the server, and back.
fn frame(server: u32, client: u32, conn: u32, payload: &[u8], batch: bool) {
    for _ in 0..32 {
        assert_eq!(c!(ws_put_packet(client, payload.as_ptr(), payload.len(), WS_BINARY)), WS_OK);
    }
    ws_flush(client);
    let mut packets = [blank::<ws_packet>(); 64];
    let (mut echoed, mut back, mut count) = (0, 0, 0);
    while back < 32 {
        ws_poll(server);
        if batch {
            while c!(ws_get_packets(conn, packets.as_mut_ptr(), packets.len(), &mut count)) == WS_OK {
                echoed += count;
                for packet in &packets[..count] {
                    assert_eq!(c!(ws_put_packet(conn, packet.data, packet.len, packet.r#type)), WS_OK);
                }
            }
        } else {
            while c!(ws_get_packet(server, &mut packets[0])) == WS_OK {
                echoed += 1;
                assert_eq!(c!(ws_put_packet(packets[0].conn, packets[0].data, packets[0].len, WS_BINARY)), WS_OK);
            }
        }
        ws_flush(server);
        ws_poll(client);
        while c!(ws_get_packet(client, &mut packets[0])) == WS_OK {
            back += 1;
        }
    }
    assert_eq!(echoed, 32);
}

/// Allocations per message, once buffers no longer grow.
fn per_message(flags: u32, len: usize, batch: bool) -> f64 {
    let (server, client, conn) = open(flags);
    let payload = vec![7; len];
    // Until buffers no longer grow: lists grow at times 200 ms apart, and later if a busy machine polls late.
    let (start, mut quiet_since, mut before) = (Instant::now(), Instant::now(), allocations());
    while quiet_since.elapsed() < Duration::from_millis(450) {
        frame(server, client, conn, &payload, batch);
        if allocations() != before {
            (quiet_since, before) = (Instant::now(), allocations());
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{before} allocations, and still growing");
    }
    for _ in 0..200 {
        frame(server, client, conn, &payload, batch);
    }
    let counted = allocations() - before;
    assert_eq!(c!(ws_put_packet(client, null(), 0, WS_BINARY)), WS_OK);
    ws_free(client);
    ws_free(server);
    counted as f64 / (200.0 * 32.0 * 2.0)
}

#[test]
fn small_messages_allocate_nothing() {
    for flags in [0, WS_COALESCE] {
        for len in [1, 64, 125, 1_000] {
            for batch in [false, true] {
                let counted = per_message(flags, len, batch);
                assert!(
                    counted == 0.0,
                    "{counted} allocations a message of {len} bytes, flags {flags}, batches {batch}"
                );
            }
        }
    }
}
