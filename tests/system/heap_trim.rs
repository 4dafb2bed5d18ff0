//! The heap after long messages: memory freed by the library must not make a later small free slow. glibc trims its
//! heap inside the free that finds much free memory at the heap's end, possibly on the host's thread.
#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(unsafe_code)] // Calls the C ABI.

#[path = "../support/c_host.rs"]
mod c_host;

use c_host::*;
use std::sync::{Barrier, mpsc};
use std::time::Duration;
use wspeer::codes::*;
use wspeer::ffi::*;

const MIB: usize = 1 << 20;
const CLIENTS: usize = 12;
/// Limit for a free of 100 KB, in CPU time of its thread.
const MOST: Duration = Duration::from_micros(2_000);
const TRIES: usize = 3;

/// CPU time of this thread.
fn spent() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it lives.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) }, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Bytes of the heap in use.
fn in_use() -> usize {
    // SAFETY: it reads counts.
    unsafe { libc::mallinfo2() }.uordblks
}

/// Frees clients with long queued messages. Returns the longest of the host's own small frees after that.
fn longest_free(deflate: bool, payload: &[u8]) -> Duration {
    let flags = if deflate { WS_DEFLATE } else { 0 };
    let (server, port) = listen(None, |config| config.flags |= flags);
    let clients: Vec<u32> = (0..CLIENTS).map(|_| connect(port, None, |config| config.flags |= flags)).collect();
    until("all are open", || {
        poll(server);
        clients.iter().for_each(|client| _ = poll(*client));
        while next(server).is_some() {}
        clients.iter().all(|client| ws_get_state(*client) == WS_OPEN)
    });
    let before = in_use();
    let mut own = Vec::new();
    for client in &clients {
        assert_eq!(put(*client, payload), WS_OK);
        own.push(vec![b'x'; 100_000]);
    }
    assert!(in_use() > before + CLIENTS * payload.len() / 2, "the messages are not in the heap");
    clients.into_iter().for_each(free);
    until("the worker has freed them", || in_use() < before + MIB);
    let free_one = |memory: Vec<u8>| {
        let begun = spent();
        drop(std::hint::black_box(memory));
        spent() - begun
    };
    let longest = own.into_iter().map(free_one).max().unwrap_or_default();
    free(server);
    longest
}

#[test]
fn frees_of_the_host_are_not_slowed_by_heap_trimming() {
    let (payload, mut broken) = (vec![b'x'; 16 * MIB], Vec::new());
    // The first large free raises glibc's mmap threshold, so that blocks of this size come from the heap from here on.
    drop(std::hint::black_box(vec![1_u8; 31 * MIB]));
    let before = in_use();
    let probe = std::hint::black_box(vec![1_u8; 16 * MIB]);
    if in_use() < before + probe.len() {
        // Another allocator, such as a sanitizer's.
        return;
    }
    drop(probe);
    // Threads that run at the same time have separate heaps, so each try begins with a new one.
    let end = Barrier::new(2 * TRIES + 1);
    std::thread::scope(|scope| {
        for deflate in [false, true] {
            let tries = (0..TRIES).map(|_| {
                let (tell, reported) = mpsc::channel();
                let (payload, end) = (&payload, &end);
                scope.spawn(move || {
                    tell.send(longest_free(deflate, payload)).unwrap();
                    end.wait();
                });
                reported.recv().unwrap()
            });
            let mut tries: Vec<_> = tries.collect();
            println!("deflate {deflate}: the longest free of 100 KB took {tries:?} of CPU");
            tries.sort();
            broken.extend(Some((deflate, tries[TRIES / 2])).filter(|(_, median)| *median > MOST));
        }
        end.wait();
    });
    assert!(broken.is_empty(), "a free of 100 KB took so much CPU, without and with deflate: {broken:?}");
}
