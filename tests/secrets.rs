//! Neither the log nor an error tells a password or a token of the URL.
#![allow(unsafe_code)] // The calls of a C host.

use std::ffi::CString;
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

fn text_of(fill: impl Fn(*mut std::ffi::c_char, usize, *mut usize) -> i32) -> Option<String> {
    let (mut bytes, mut len) = ([0u8; 1_024], 0);
    (fill(bytes.as_mut_ptr().cast(), bytes.len(), &mut len) == WS_OK).then(|| String::from_utf8_lossy(&bytes[..len]).into_owned())
}

#[test]
fn a_failed_connection_tells_no_secret() {
    ws_set_log_level(WS_LOG_DEBUG);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = CString::new(format!("ws://player:hunter2@{closed}/game?token=opensesame")).unwrap();
    let mut handle = 0;
    assert_eq!(c!(ws_connect(url.as_ptr(), null(), &mut handle)), WS_OK);
    let end = Instant::now() + Duration::from_secs(20);
    while ws_get_state(handle) != WS_CLOSED {
        assert!(Instant::now() < end);
        ws_poll(handle);
        c!(ws_wait(&handle, 1, 10));
    }
    let mut told = vec![text_of(|buf, cap, len| c!(ws_get_text(handle, WS_GET_ERROR, buf, cap, len))).unwrap()];
    ws_free(handle);
    while let Some(line) = text_of(|buf, cap, len| c!(ws_get_log(buf, cap, len))) {
        told.push(line);
    }
    assert!(told.iter().any(|line| line.contains("/game")), "the log has the connection: {told:?}");
    for secret in ["hunter2", "opensesame", "aHVudGVy"] {
        assert!(!told.iter().any(|line| line.contains(secret)), "{secret} in {told:?}");
    }
}
