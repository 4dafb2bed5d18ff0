//! What happens when the process has no descriptor left.
#![allow(unsafe_code)] // Calls the C ABI and libc.
#![cfg(unix)]

use std::ffi::CString;
use std::fs::File;
use std::io::Write;
use std::net::TcpStream;
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

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// Opens files until no descriptor is left; dropping them frees the descriptors.
fn use_up_descriptors() -> Vec<File> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a live value.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) }, 0);
    limit.rlim_cur = 100;
    // SAFETY: as above.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

/// CPU time used by this process.
fn processor_time() -> Duration {
    // SAFETY: a rusage is integers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is a live value.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) }, 0);
    let of = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1_000);
    of(usage.ru_utime) + of(usage.ru_stime)
}

fn next(handle: u32) -> Option<ws_event> {
    // SAFETY: a ws_event is integers and pointers.
    let mut event: ws_event = unsafe { std::mem::zeroed() };
    (c!(ws_next_event(handle, &mut event)) == WS_OK).then_some(event)
}

/// A single test, because the limit applies to the whole process.
#[test]
fn running_out_of_descriptors_is_reported_and_accepting_resumes() {
    let (mut server, mut port) = (0, 0);
    assert_eq!(c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), null(), &mut server)), WS_OK);
    c!(ws_get_option(server, WS_OPT_PORT, &mut port));
    let mut client = TcpStream::connect(("127.0.0.1", port as u16)).unwrap();
    client.write_all(REQUEST).unwrap();
    let files = use_up_descriptors();
    let end = Instant::now() + Duration::from_secs(20);
    let error = loop {
        assert!(Instant::now() < end);
        assert_eq!(c!(ws_wait(&server, 1, 5_000)), WS_OK, "ws_wait needs no new descriptor");
        assert!(ws_poll(server) >= 0);
        if let Some(event) = next(server) {
            break event;
        }
    };
    assert_eq!((error.r#type, error.cause, error.os_error), (WS_EVENT_ERROR, WS_CAUSE_RESOURCES, libc::EMFILE));
    let (began, used, mut polls) = (Instant::now(), processor_time(), 0);
    while began.elapsed() < Duration::from_millis(350) {
        assert!(c!(ws_wait(&server, 1, 350)) >= 0);
        assert!(ws_poll(server) >= 0);
        while next(server).is_some() {}
        polls += 1;
    }
    assert!(polls < 20, "{polls} polls in 0.35 s, and accepting rests for 0.1 s each time");
    assert!(
        processor_time() - used < Duration::from_millis(50),
        "{:?} of the processor in 0.35 s",
        processor_time() - used
    );
    // A host that polls every frame without waiting: its polls do not retry accepting each time.
    let (began, mut errors) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_millis(350) {
        assert!(ws_poll(server) >= 0);
        errors += u32::from(next(server).is_some_and(|event| event.r#type == WS_EVENT_ERROR));
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!((1..=6).contains(&errors), "{errors} errors were reported in 0.35 s");
    let mut other = 0;
    let url = CString::new(format!("ws://127.0.0.1:{port}/")).unwrap();
    assert_eq!(c!(ws_connect(url.as_ptr(), null(), &mut other)), WS_OK);
    let used = processor_time();
    while ws_get_state(other) != WS_CLOSED {
        assert!(ws_poll(other) >= 0 && Instant::now() < end);
    }
    assert!(processor_time() - used < Duration::from_millis(50));
    let closed = next(other).unwrap();
    assert_eq!((closed.r#type, closed.phase, closed.os_error), (WS_EVENT_CLOSED, WS_PHASE_TCP, libc::EMFILE));
    assert_eq!(c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), null(), &mut other)), WS_ERR_ADDRESS);
    drop(files);
    let mut connected = false;
    while !connected {
        assert_eq!(
            c!(ws_wait(&server, 1, 5_000)),
            WS_OK,
            "the connection is still pending, and no further readiness reports it"
        );
        assert!(ws_poll(server) >= 0);
        while let Some(event) = next(server) {
            connected |= event.r#type == WS_EVENT_CONNECTED;
        }
    }
    ws_free(server);
    ws_free(other);
}
