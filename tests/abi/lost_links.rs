//! Clients with WS_RECONNECT against servers of the library that vanish at any moment: cut at any byte, with full
//! queues, behind TLS with a pin.
#![allow(unsafe_code)] // Calls the C ABI.

#[macro_use]
#[path = "../support/c_handles.rs"]
mod c_handles;
#[path = "../support/fault_proxy.rs"]
mod fault_proxy;

use c_handles::*;
use fault_proxy::{DOWN, End, Faults, Proxy, UP};
use std::ffi::{CStr, CString};
use std::net::TcpListener;
use std::ptr::null;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::ffi::*;

const PATIENCE: Duration = Duration::from_secs(30);
/// No offset: the next connection is not cut.
const NONE: u64 = u64::MAX;

/// A certificate of ws_make_certificate.
struct Made {
    cert: CString,
    key: CString,
    sha256: CString,
}

fn made() -> Made {
    let (mut cert, mut key, mut sha256) = ([0; 2_048], [0; 512], [0; 65]);
    let result = c!(ws_make_certificate(
        c"localhost, 127.0.0.1".as_ptr(),
        1,
        cert.as_mut_ptr(),
        cert.len(),
        key.as_mut_ptr(),
        key.len(),
        sha256.as_mut_ptr(),
        sha256.len()
    ));
    assert_eq!(result, WS_OK);
    // SAFETY: the call wrote a NUL-terminated text.
    let text = |bytes: &[std::ffi::c_char]| unsafe { CStr::from_ptr(bytes.as_ptr()) }.to_owned();
    Made { cert: text(&cert), key: text(&key), sha256: text(&sha256) }
}

/// A server on a port, 0 for any, with TLS if there is a certificate.
fn listen(port: u16, tls: Option<&Made>) -> u32 {
    let url = CString::new(format!("{}://127.0.0.1:{port}", if tls.is_some() { "wss" } else { "ws" })).unwrap();
    let config = config(|config| {
        if let Some(made) = tls {
            (config.cert_pem, config.key_pem) = (made.cert.as_ptr(), made.key.as_ptr());
        }
    });
    let mut server = 0;
    let end = Instant::now() + PATIENCE;
    while c!(ws_listen(url.as_ptr(), &config, &mut server)) != WS_OK {
        assert!(Instant::now() < end, "the port stays taken");
    }
    server
}

fn connect(url: &CStr, change: impl FnOnce(&mut ws_config)) -> u32 {
    let config = config(|config| {
        config.flags = WS_RECONNECT;
        (config.retry_min_ms, config.retry_max_ms) = (1, 2);
        change(config);
    });
    let mut client = 0;
    assert_eq!(c!(ws_connect(url.as_ptr(), &config, &mut client)), WS_OK);
    client
}

/// Polls a server and echoes what its clients send.
fn serve(server: u32) {
    assert!(ws_poll(server) >= 0);
    let mut event: ws_event = blank();
    while c!(ws_next_event(server, &mut event)) == WS_OK {
        if event.r#type == WS_EVENT_MESSAGE {
            c!(ws_put_packet(event.conn, event.packet.data, event.packet.len, event.packet.r#type));
        }
    }
}

/// Polls and takes events until one is of this type, and returns it. `step` is called in each round.
fn until(client: u32, kind: i32, mut step: impl FnMut()) -> ws_event {
    let (mut event, end): (ws_event, _) = (blank(), Instant::now() + PATIENCE);
    loop {
        step();
        assert!(ws_poll(client) >= 0);
        while c!(ws_next_event(client, &mut event)) == WS_OK {
            if event.r#type == kind {
                return event;
            }
            assert!(event.r#type != WS_EVENT_CLOSED, "{}", text_of(&event));
        }
        assert!(Instant::now() < end, "event {kind} did not come");
    }
}

fn text_of(event: &ws_event) -> String {
    // SAFETY: the bytes are lent until the next call on the handle.
    let bytes = unsafe { std::slice::from_raw_parts(event.packet.data, event.packet.len) };
    format!("cause {}: {}", event.cause, String::from_utf8_lossy(bytes))
}

/// Opens a client whose first connection is cut at byte `at` of one direction, and echoes a message at each OPEN until
/// one has come back. Returns how many bytes that connection had passed.
fn opened_in_spite_of(url: &CStr, pin: Option<&Made>, server: u32, what: &str) {
    let client = connect(url, |config| {
        if let Some(made) = pin {
            config.pin_sha256 = made.sha256.as_ptr();
        }
    });
    let (mut event, end): (ws_event, _) = (blank(), Instant::now() + PATIENCE);
    loop {
        serve(server);
        assert!(ws_poll(client) >= 0);
        if c!(ws_next_event(client, &mut event)) != WS_OK {
            assert!(Instant::now() < end, "nothing came back: {what}");
            continue;
        }
        match event.r#type {
            WS_EVENT_OPEN => assert!(c!(ws_put_packet(client, b"x".as_ptr(), 1, WS_TEXT)) >= WS_ERR_STATE),
            WS_EVENT_MESSAGE => break,
            WS_EVENT_LOST | WS_EVENT_ERROR => {}
            other => panic!("event {other}, {}: {what}", text_of(&event)),
        }
    }
    ws_free(client);
}

#[test]
fn a_link_that_is_cut_at_any_byte_is_opened_anew() {
    let _alone = alone();
    let made = made();
    for tls in [None, Some(&made)] {
        let server = listen(0, tls);
        let proxy = Proxy::new(port(server));
        let scheme = if tls.is_some() { "wss" } else { "ws" };
        let url = CString::new(format!("{scheme}://127.0.0.1:{}/", proxy.port)).unwrap();
        let next = Arc::new([AtomicU64::new(NONE), AtomicU64::new(NONE)]);
        let ends = Arc::new(AtomicU64::new(0));
        let (of_plan, how) = (next.clone(), ends.clone());
        proxy.plan(move |_| {
            let end = if how.load(Ordering::SeqCst) == 0 { End::Reset } else { End::Fin };
            [UP, DOWN].map(|way| {
                let at = of_plan[way].swap(NONE, Ordering::SeqCst);
                Faults { end: (at != NONE).then_some((at, end)), ..Faults::default() }
            })
        });
        for how in 0..2 {
            ends.store(how, Ordering::SeqCst);
            for way in [UP, DOWN] {
                // Every byte of the plain handshake; some of the flights of TLS.
                let (most, step) = if tls.is_some() { (2_600, 53) } else { (220, 3) };
                for at in (0..most).step_by(step) {
                    next[way].store(at, Ordering::SeqCst);
                    let what = format!("{scheme}, cut at byte {at} of direction {way}, end {how}");
                    opened_in_spite_of(&url, tls, server, &what);
                    next[way].store(NONE, Ordering::SeqCst);
                }
            }
        }
        ws_free(server);
    }
}

#[test]
fn a_pin_holds_for_every_try() {
    let _alone = alone();
    let (first, second) = (made(), made());
    let mut server = listen(0, Some(&first));
    let at = port(server);
    let url = CString::new(format!("wss://127.0.0.1:{at}/")).unwrap();
    let client = connect(&url, |config| config.pin_sha256 = first.sha256.as_ptr());
    until(client, WS_EVENT_OPEN, || serve(server));
    for _ in 0..2 {
        ws_free(server);
        until(client, WS_EVENT_LOST, || {});
        server = listen(at, Some(&first));
        until(client, WS_EVENT_OPEN, || serve(server));
    }
    ws_free(server);
    until(client, WS_EVENT_LOST, || {});
    server = listen(at, Some(&second));
    let (mut event, end): (ws_event, _) = (blank(), Instant::now() + PATIENCE);
    while ws_get_state(client) != WS_CLOSED {
        assert!(Instant::now() < end);
        serve(server);
        assert!(ws_poll(client) >= 0);
    }
    assert_eq!(c!(ws_get_end(client, &mut event)), WS_OK);
    assert_eq!((event.phase, event.cause), (WS_PHASE_TLS, WS_CAUSE_CERTIFICATE_PIN));
    ws_free(client);
    ws_free(server);
}

#[test]
fn a_full_queue_goes_with_the_link_and_writable_follows() {
    let _alone = alone();
    let mut server = listen(0, None);
    let at = port(server);
    let url = CString::new(format!("ws://127.0.0.1:{at}/")).unwrap();
    let client = connect(&url, |_| {});
    until(client, WS_EVENT_OPEN, || serve(server));
    let big = vec![7; 64 << 10];
    let mut accepted = 0;
    // The server takes nothing more.
    while c!(ws_put_packet(client, big.as_ptr(), big.len(), WS_BINARY)) == WS_OK {
        accepted += 1;
        assert!(ws_poll(client) >= 0 && accepted < 10_000);
    }
    ws_free(server);
    let lost = until(client, WS_EVENT_LOST, || {});
    assert!(lost.unsent > 0 && lost.unsent <= accepted, "{} of {accepted}", lost.unsent);
    let mut stats = ws_stats::default();
    assert_eq!(c!(ws_get_stats(client, &mut stats, size_of::<ws_stats>())), WS_OK);
    assert_eq!((stats.queued_packets_out, stats.queued_bytes_out), (0, 0));
    assert_eq!(stats.messages_out, u64::from(accepted));
    server = listen(at, None);
    until(client, WS_EVENT_OPEN, || serve(server));
    until(client, WS_EVENT_WRITABLE, || serve(server));
    assert_eq!(c!(ws_put_packet(client, big.as_ptr(), big.len(), WS_BINARY)), WS_OK);
    until(client, WS_EVENT_MESSAGE, || serve(server));
    ws_free(client);
    ws_free(server);
}

#[test]
fn messages_that_wait_for_the_next_link_keep_their_order_and_their_limit() {
    let _alone = alone();
    let mut server = listen(0, None);
    let at = port(server);
    let url = CString::new(format!("ws://127.0.0.1:{at}/")).unwrap();
    let client = connect(&url, |config| {
        config.flags |= WS_QUEUE_BEFORE_OPEN;
        config.outbound_packets = 8;
    });
    until(client, WS_EVENT_OPEN, || serve(server));
    ws_free(server);
    until(client, WS_EVENT_LOST, || {});
    // Between failed tries, too.
    for number in 0..8u8 {
        assert_eq!(c!(ws_put_packet(client, &number, 1, WS_BINARY)), WS_OK);
        until(client, WS_EVENT_ERROR, || {});
    }
    assert_eq!(c!(ws_put_packet(client, [9].as_ptr(), 1, WS_BINARY)), WS_ERR_FULL);
    server = listen(at, None);
    for number in 0..8u8 {
        let event = until(client, WS_EVENT_MESSAGE, || serve(server));
        // SAFETY: the byte is lent until the next call.
        assert_eq!(unsafe { *event.packet.data }, number);
    }
    ws_free(server);
    until(client, WS_EVENT_LOST, || {});
    for number in 0..3u8 {
        assert_eq!(c!(ws_put_packet(client, &number, 1, WS_BINARY)), WS_OK);
    }
    assert_eq!(c!(ws_close(client, 1000, null())), WS_OK);
    let mut event: ws_event = blank();
    assert_eq!(c!(ws_get_end(client, &mut event)), WS_OK);
    assert_eq!((event.cause, event.unsent), (WS_CAUSE_DROPPED, 3));
    ws_free(client);
}

#[test]
fn a_handler_of_lost_may_close_free_and_name_any_url() {
    let _alone = alone();
    for act in 0..3 {
        let server = listen(0, None);
        let url = CString::new(format!("ws://127.0.0.1:{}/", port(server))).unwrap();
        let client = connect(&url, |_| {});
        until(client, WS_EVENT_OPEN, || serve(server));
        ws_free(server);
        until(client, WS_EVENT_LOST, || {});
        match act {
            0 => {
                ws_free(client);
                assert_eq!(ws_poll(client), WS_ERR_HANDLE);
            }
            1 => {
                assert_eq!(c!(ws_close(client, 1000, c"enough".as_ptr())), WS_OK);
                assert_eq!(ws_get_state(client), WS_CLOSED);
                assert_eq!(c!(ws_close(client, 1000, null())), WS_OK);
                let mut event: ws_event = blank();
                assert_eq!(c!(ws_next_event(client, &mut event)), WS_OK);
                assert_eq!((event.r#type, event.cause), (WS_EVENT_CLOSED, WS_CAUSE_DROPPED));
                assert!(ws_poll(client) >= 0);
                assert_eq!((ws_get_state(client), c!(ws_next_event(client, &mut event))), (WS_CLOSED, WS_EMPTY));
            }
            _ => {
                for garbage in
                    [c"", c"http://x", c"ws://", c"ws://[", c"ws://a b", c"ws://x:0", c"wss://x:99999", c"/x"]
                {
                    assert_eq!(c!(ws_set_url(client, garbage.as_ptr())), WS_ERR_URL, "{garbage:?}");
                }
                assert_eq!(c!(ws_set_url(client, [0xFFu8, 0].as_ptr().cast())), WS_ERR_UTF8);
                // Garbage has changed nothing: it still asks for the same server.
                let other = listen(
                    url.to_str().unwrap().rsplit(':').next().unwrap().trim_end_matches('/').parse().unwrap(),
                    None,
                );
                until(client, WS_EVENT_OPEN, || serve(other));
                ws_free(other);
                until(client, WS_EVENT_LOST, || {});
                // A name that does not exist is tried, and replaced by one that does.
                assert_eq!(c!(ws_set_url(client, c"ws://no-such-host.invalid/".as_ptr())), WS_OK);
                let event = until(client, WS_EVENT_ERROR, || {});
                assert!(matches!(event.phase, WS_PHASE_DNS | WS_PHASE_TCP), "{}", text_of(&event));
                let last = listen(0, None);
                let url = CString::new(format!("ws://127.0.0.1:{}/", port(last))).unwrap();
                assert_eq!(c!(ws_set_url(client, url.as_ptr())), WS_OK);
                until(client, WS_EVENT_OPEN, || serve(last));
                ws_free(last);
            }
        }
        ws_free(client);
    }
}

#[test]
fn waiting_ends_when_the_next_try_begins() {
    let _alone = alone();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = CString::new(format!("ws://{gone}/")).unwrap();
    let client = connect(&url, |config| {
        (config.retry_min_ms, config.retry_max_ms) = (20, 20);
        config.retry_tries = 10;
    });
    let (begin, mut polls) = (Instant::now(), 0);
    while ws_get_state(client) != WS_CLOSED {
        wait(&[client]);
        assert!(ws_poll(client) >= 0 && begin.elapsed() < PATIENCE);
        let mut event: ws_event = blank();
        while c!(ws_next_event(client, &mut event)) == WS_OK {}
        polls += 1;
    }
    // Some for each try: neither does it sleep past its time nor is it woken all the time.
    assert!(polls < 200, "{polls} polls for 10 tries");
    ws_free(client);
}

#[test]
fn silence_is_a_failure_and_a_loss() {
    let _alone = alone();
    // It listens and never answers.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = CString::new(format!("ws://{}/", mute.local_addr().unwrap())).unwrap();
    let client = connect(&url, |config| config.connect_timeout_ms = 30);
    for _ in 0..3 {
        let event = until(client, WS_EVENT_ERROR, || {});
        assert_eq!((event.phase, event.cause), (WS_PHASE_HTTP, WS_CAUSE_CONNECT_TIMEOUT));
    }
    // A limit that is set while it tries holds from the next failure on.
    assert_eq!(ws_set_option(client, WS_OPT_RETRY_TRIES, 4), WS_OK);
    let end = Instant::now() + PATIENCE;
    while ws_get_state(client) != WS_CLOSED {
        assert!(ws_poll(client) >= 0 && Instant::now() < end);
    }
    ws_free(client);
    // A server that is not polled any more answers no pings.
    let server = listen(0, None);
    let url = CString::new(format!("ws://127.0.0.1:{}/", port(server))).unwrap();
    let client = connect(&url, |config| (config.heartbeat_ms, config.pong_timeout_ms) = (10, 40));
    until(client, WS_EVENT_OPEN, || serve(server));
    let event = until(client, WS_EVENT_LOST, || {});
    assert_eq!((event.phase, event.cause), (WS_PHASE_WEBSOCKET, WS_CAUSE_PONG_TIMEOUT));
    until(client, WS_EVENT_OPEN, || serve(server));
    ws_free(client);
    ws_free(server);
}
