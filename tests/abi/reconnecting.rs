//! Clients with WS_RECONNECT, through the C ABI, against servers that a thread of the test plays.
#![allow(unsafe_code)] // Calls the C ABI.

#[macro_use]
#[path = "../support/c_handles.rs"]
mod c_handles;

use c_handles::*;
use std::collections::VecDeque;
use std::ffi::{CStr, CString};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ptr::null;
use std::time::{Duration, Instant};
use tungstenite::handshake::derive_accept_key;
use wspeer::codes::*;
use wspeer::ffi::*;

const PATIENCE: Duration = Duration::from_secs(30);

/// What a server does with one connection.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Ends the connection before it answers.
    Vanish,
    /// Answers with this status and header lines.
    Refuse(u16, &'static str),
    /// Opens the connection, sends some texts, and ends it: by a close frame with this code, or without one.
    Serve(u8, Option<u16>),
    /// Opens the connection and keeps it.
    Stay,
}

/// A server whose acts a test chooses. It accepts one connection at a time.
struct Scripted {
    listener: TcpListener,
    acts: VecDeque<Act>,
    /// Requests that it has received.
    requests: Vec<String>,
    /// Connections that it keeps.
    kept: Vec<TcpStream>,
}

impl Scripted {
    fn new(acts: &[Act]) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Scripted { listener, acts: acts.iter().copied().collect(), requests: Vec::new(), kept: Vec::new() }
    }

    fn url(&self, path: &str) -> CString {
        CString::new(format!("ws://127.0.0.1:{}{path}", self.listener.local_addr().unwrap().port())).unwrap()
    }

    /// Plays the next act if a client has come.
    fn step(&mut self, client: u32) {
        let Ok((mut stream, _)) = self.listener.accept() else { return };
        let act = self.acts.pop_front().unwrap_or(Act::Stay);
        stream.set_nonblocking(true).unwrap();
        let (mut request, mut byte) = (Vec::new(), [0]);
        let end = Instant::now() + PATIENCE;
        while !request.ends_with(b"\r\n\r\n") {
            assert!(Instant::now() < end, "the request did not arrive");
            match stream.read(&mut byte) {
                Ok(1) => request.push(byte[0]),
                Ok(_) => break,
                Err(_) => {
                    ws_poll(client);
                }
            }
        }
        stream.set_nonblocking(false).unwrap();
        let request = String::from_utf8(request).unwrap();
        let key = request.split("Sec-WebSocket-Key: ").nth(1).unwrap_or("").split("\r\n").next().unwrap().to_owned();
        self.requests.push(request);
        let open = format!(
            "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
            derive_accept_key(key.as_bytes())
        );
        match act {
            Act::Vanish => {}
            Act::Refuse(status, lines) => {
                write!(stream, "HTTP/1.1 {status} x\r\n{lines}Content-Length: 0\r\n\r\n").unwrap();
            }
            Act::Serve(texts, code) => {
                stream.write_all(open.as_bytes()).unwrap();
                for number in 0..texts {
                    stream.write_all(&[0x81, 2, b'm', b'0' + number]).unwrap();
                }
                if let Some(code) = code {
                    stream.write_all(&[[0x88, 2].as_slice(), &code.to_be_bytes()].concat()).unwrap();
                }
            }
            Act::Stay => {
                stream.write_all(open.as_bytes()).unwrap();
                self.kept.push(stream);
            }
        }
    }
}

/// An event, as a short text: "open", "text m0", "lost 4" with its cause, "error 40", "closed 3".
fn next(client: u32) -> Option<String> {
    let mut event: ws_event = blank();
    if c!(ws_next_event(client, &mut event)) != WS_OK {
        return None;
    }
    // SAFETY: the bytes are lent until the next call.
    let bytes = unsafe { std::slice::from_raw_parts(event.packet.data, event.packet.len) };
    let text = String::from_utf8_lossy(bytes).into_owned();
    Some(match event.r#type {
        WS_EVENT_OPEN => "open".to_owned(),
        WS_EVENT_MESSAGE => format!("text {text}"),
        WS_EVENT_CLOSE_REQUEST => format!("close-request {}", event.code),
        WS_EVENT_LOST => {
            assert!(!text.is_empty() && event.phase != 0);
            format!("lost {}", event.cause)
        }
        WS_EVENT_ERROR => {
            assert!(text.contains("failed: ") && text.contains("the next one follows in"), "{text}");
            format!("error {}", event.cause)
        }
        WS_EVENT_CLOSED => format!("closed {}", event.cause),
        other => format!("event {other}"),
    })
}

fn open(url: &CStr, change: impl FnOnce(&mut ws_config)) -> u32 {
    let config = config(|config| {
        config.flags = WS_RECONNECT;
        (config.retry_min_ms, config.retry_max_ms) = (1, 2);
        change(config);
    });
    let mut client = 0;
    assert_eq!(c!(ws_connect(url.as_ptr(), &config, &mut client)), WS_OK);
    client
}

/// Polls both ends until `done` says so of the events so far.
fn play(client: u32, server: &mut Scripted, mut done: impl FnMut(&[String]) -> bool) -> Vec<String> {
    let (mut events, end) = (Vec::new(), Instant::now() + PATIENCE);
    while !done(&events) {
        assert!(Instant::now() < end, "{events:?}");
        server.step(client);
        assert!(ws_poll(client) >= 0);
        events.extend(std::iter::from_fn(|| next(client)));
    }
    events
}

fn ends_with(last: &'static str) -> impl FnMut(&[String]) -> bool {
    move |events| events.last().is_some_and(|event| event == last || event.starts_with("closed"))
}

#[test]
fn a_client_that_loses_its_link_opens_it_anew() {
    let _alone = alone();
    let gone = format!("lost {WS_CAUSE_PEER_GONE}");
    let mut server = Scripted::new(&[Act::Serve(2, None), Act::Vanish, Act::Serve(1, Some(1012)), Act::Stay]);
    let client = open(&server.url("/game?token=1"), |config| config.user = 7 as *mut _);
    let mut opens = 0;
    let events = play(client, &mut server, |events| {
        opens = events.iter().filter(|event| *event == "open").count();
        opens == 3
    });
    let failed = format!("error {WS_CAUSE_PEER_GONE}");
    let closed = format!("lost {WS_CAUSE_CLOSED_BY_PEER}");
    let expected: [&str; 9] =
        ["open", "text m0", "text m1", &gone, &failed, "open", "text m0", "close-request 1012", &closed];
    assert_eq!(events[..9], expected);
    assert_eq!(events[9..], ["open"]);
    assert_eq!(ws_get_state(client), WS_OPEN);
    let mut stats = ws_stats::default();
    assert_eq!(c!(ws_get_stats(client, &mut stats, size_of::<ws_stats>())), WS_OK);
    assert_eq!((stats.messages_in, stats.connections), (3, 1), "counters are those of all links");
    assert!(server.requests.iter().all(|request| request.starts_with("GET /game?token=1 HTTP/1.1")));
    ws_free(client);
}

#[test]
fn each_end_is_retried_or_final() {
    let _alone = alone();
    for (act, expected) in [
        (Act::Serve(0, Some(1001)), format!("lost {WS_CAUSE_CLOSED_BY_PEER}")),
        (Act::Serve(0, Some(1013)), format!("lost {WS_CAUSE_CLOSED_BY_PEER}")),
        (Act::Serve(0, Some(1000)), format!("closed {WS_CAUSE_CLOSED_BY_PEER}")),
        (Act::Serve(0, Some(1008)), format!("closed {WS_CAUSE_CLOSED_BY_PEER}")),
        (Act::Serve(0, Some(4000)), format!("closed {WS_CAUSE_CLOSED_BY_PEER}")),
        (Act::Refuse(503, ""), format!("error {WS_CAUSE_HTTP_STATUS}")),
        (Act::Refuse(429, "Retry-After: 0\r\n"), format!("error {WS_CAUSE_HTTP_STATUS}")),
        (Act::Refuse(408, ""), format!("error {WS_CAUSE_HTTP_STATUS}")),
        (Act::Refuse(503, "Retry-After: 3601\r\n"), format!("closed {WS_CAUSE_HTTP_STATUS}")),
        (Act::Refuse(404, ""), format!("closed {WS_CAUSE_HTTP_STATUS}")),
        (Act::Refuse(301, "Location: /x\r\n"), format!("closed {WS_CAUSE_HTTP_STATUS}")),
        (Act::Vanish, format!("error {WS_CAUSE_PEER_GONE}")),
    ] {
        let mut server = Scripted::new(&[act]);
        let client = open(&server.url("/"), |_| {});
        let events = play(client, &mut server, |events| {
            events
                .iter()
                .any(|event| event.starts_with("lost") || event.starts_with("error") || event.starts_with("closed"))
        });
        assert!(events.contains(&expected), "{act:?}: {events:?}");
        if expected.starts_with("closed") {
            assert_eq!(ws_get_state(client), WS_CLOSED);
        } else {
            play(client, &mut server, ends_with("open"));
        }
        ws_free(client);
    }
}

#[test]
fn failed_tries_are_counted_and_the_last_one_ends_the_connection() {
    let _alone = alone();
    // Nobody listens there once the listener is dropped.
    let url = Scripted::new(&[]).url("/");
    let mut server = Scripted::new(&[]);
    let client = open(&url, |config| config.retry_tries = 4);
    assert_eq!(ws_get_state(client), WS_CONNECTING);
    let events = play(client, &mut server, ends_with("closed"));
    let failed = format!("error {WS_CAUSE_REFUSED}");
    assert_eq!(events, [failed.clone(), failed.clone(), failed, format!("closed {WS_CAUSE_REFUSED}")]);
    let mut event: ws_event = blank();
    assert_eq!(c!(ws_get_end(client, &mut event)), WS_OK);
    assert_eq!((event.phase, event.cause), (WS_PHASE_TCP, WS_CAUSE_REFUSED));
    assert_eq!(ws_get_state(client), WS_CLOSED);
    ws_free(client);
    // Reports that nobody reads are replaced, not queued.
    let client = open(&url, |config| config.retry_tries = 30);
    let end = Instant::now() + PATIENCE;
    while ws_get_state(client) != WS_CLOSED {
        assert!(ws_poll(client) >= 0 && Instant::now() < end);
    }
    let events: Vec<String> = std::iter::from_fn(|| next(client)).collect();
    assert_eq!(events, [format!("error {WS_CAUSE_REFUSED}"), format!("closed {WS_CAUSE_REFUSED}")]);
    ws_free(client);
}

#[test]
fn messages_wait_for_the_next_link_if_that_is_asked_for() {
    let _alone = alone();
    for early in [false, true] {
        let mut server = Scripted::new(&[Act::Serve(0, None), Act::Vanish, Act::Stay]);
        let client = open(&server.url("/"), |config| {
            config.flags |= if early { WS_QUEUE_BEFORE_OPEN } else { 0 };
            (config.retry_min_ms, config.retry_max_ms) = (50, 50);
        });
        play(client, &mut server, |events| events.iter().any(|event| event.starts_with("lost")));
        assert_eq!(ws_get_state(client), WS_LOST);
        let result = c!(ws_put_packet(client, b"late".as_ptr(), 4, WS_TEXT));
        assert_eq!(result, if early { WS_OK } else { WS_ERR_STATE });
        play(client, &mut server, ends_with("open"));
        if early {
            let mut frame = [0; 10];
            let stream = server.kept.last_mut().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            while ws_get_state(client) == WS_OPEN && stream.peek(&mut frame).unwrap() < 10 {
                assert!(ws_poll(client) >= 0);
            }
            stream.read_exact(&mut frame).unwrap();
            assert_eq!(frame[..2], [0x81, 0x84]);
            let text: Vec<u8> = (0..4).map(|at| frame[6 + at] ^ frame[2 + at]).collect();
            assert_eq!(text, b"late");
        }
        ws_free(client);
    }
}

#[test]
fn closing_ends_it_in_every_phase() {
    let _alone = alone();
    let endings: [fn(u32); 2] = [
        |client| assert_eq!(c!(ws_close(client, 1000, null())), WS_OK),
        |client| assert_eq!(c!(ws_close(client, -1, null())), WS_OK),
    ];
    for end in endings {
        // Before anything, between two tries of the first opening, while lost, and open again.
        for phase in ["", "error", "lost", "open"] {
            let acts = match phase {
                "error" => vec![Act::Vanish],
                "lost" => vec![Act::Serve(0, None)],
                _ => vec![Act::Stay],
            };
            let mut server = Scripted::new(&acts);
            let client = open(&server.url("/"), |config| (config.retry_min_ms, config.retry_max_ms) = (60_000, 60_000));
            play(client, &mut server, |events| events.iter().any(|event| event.starts_with(phase)) || phase.is_empty());
            end(client);
            if phase == "open" {
                drop(std::mem::take(&mut server.kept));
            }
            let events = play(client, &mut server, ends_with("closed"));
            assert_eq!(events.len(), 1, "{phase}: {events:?}");
            assert_eq!((ws_get_state(client), server.requests.len()), (WS_CLOSED, usize::from(!phase.is_empty())));
            ws_free(client);
        }
    }
    for phase in ["", "error", "lost"] {
        let mut server = Scripted::new(if phase == "lost" { &[Act::Serve(0, None)] } else { &[Act::Vanish] });
        let client = open(&server.url("/"), |config| (config.retry_min_ms, config.retry_max_ms) = (60_000, 60_000));
        play(client, &mut server, |events| events.iter().any(|event| event.starts_with(phase)) || phase.is_empty());
        ws_free(client);
        assert_eq!(ws_poll(client), WS_ERR_HANDLE);
    }
}

#[test]
fn url_and_headers_can_change_between_tries() {
    let _alone = alone();
    let first = Scripted::new(&[]);
    let mut second = Scripted::new(&[Act::Stay]);
    let line = c"X-Token: old".as_ptr();
    let client = open(&first.url("/?token=old"), |config| (config.headers, config.headers_count) = (&line, 1));
    drop(first);
    assert_eq!(c!(ws_set_url(client, second.url("/new?token=new").as_ptr())), WS_OK);
    assert_eq!(c!(ws_set_header(client, c"x-token".as_ptr(), c"new".as_ptr())), WS_OK);
    assert_eq!(c!(ws_set_header(client, c"X-Other".as_ptr(), c"yes".as_ptr())), WS_OK);
    assert_eq!(c!(ws_set_header(client, c"X-Gone".as_ptr(), null())), WS_OK);
    play(client, &mut second, ends_with("open"));
    let request = &second.requests[0];
    assert!(request.starts_with("GET /new?token=new HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nx-token: new\r\n") && request.contains("\r\nX-Other: yes\r\n"), "{request}");
    assert!(!request.contains("old"), "{request}");
    for (name, value) in [("Upgrade", "x"), ("X", "a\r\nb: c"), ("X Y", "z"), ("", "z"), ("Sec-WebSocket-Key", "z")] {
        let (name, value) = (CString::new(name).unwrap(), CString::new(value).unwrap());
        assert_eq!(c!(ws_set_header(client, name.as_ptr(), value.as_ptr())), WS_ERR_ARG);
    }
    // The old ones are X-Token and X-Other.
    for number in 0..98 {
        let name = CString::new(format!("X-{number}")).unwrap();
        assert_eq!(c!(ws_set_header(client, name.as_ptr(), c"1".as_ptr())), WS_OK);
    }
    assert_eq!(c!(ws_set_header(client, c"X-More".as_ptr(), c"1".as_ptr())), WS_ERR_ARG);
    assert_eq!(c!(ws_set_header(client, c"x-97".as_ptr(), c"2".as_ptr())), WS_OK);
    assert_eq!(c!(ws_set_url(client, c"http://x".as_ptr())), WS_ERR_URL);
    assert_eq!(c!(ws_set_url(client, null())), WS_ERR_NULL);
    assert_eq!(c!(ws_set_header(client, null(), null())), WS_ERR_NULL);
    ws_free(client);
    assert_eq!(c!(ws_set_url(client, c"ws://x".as_ptr())), WS_ERR_HANDLE);
    let mut plain = 0;
    assert_eq!(c!(ws_connect(second.url("/").as_ptr(), null(), &mut plain)), WS_OK);
    assert_eq!(c!(ws_set_url(plain, c"ws://x".as_ptr())), WS_ERR_KIND);
    assert_eq!(c!(ws_set_header(plain, c"X".as_ptr(), null())), WS_ERR_KIND);
    ws_free(plain);
}

#[test]
fn impossible_settings_are_refused() {
    for (min, max) in [(WS_OFF, 0), (0, WS_OFF)] {
        let config = config(|config| {
            config.flags = WS_RECONNECT;
            (config.retry_min_ms, config.retry_max_ms) = (min, max);
        });
        let mut client = 0;
        assert_eq!(c!(ws_connect(c"ws://127.0.0.1:1".as_ptr(), &config, &mut client)), WS_ERR_CONFIG);
    }
}

/// Random acts of the server: the events are always those of some links, one after the other, and the last is the only
/// end.
#[test]
fn any_sequence_of_ends_gives_a_sequence_of_links() {
    let _alone = alone();
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut below = |count: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) % count
    };
    for round in 0..40 {
        let acts: Vec<Act> = (0..10)
            .map(|_| match below(5) {
                0 => Act::Vanish,
                1 => Act::Refuse(503, ""),
                2 => Act::Serve(below(5) as u8, Some([1001, 1012, 1013][below(3) as usize])),
                _ => Act::Serve(below(5) as u8, None),
            })
            .collect();
        let mut expected = Vec::new();
        for act in &acts {
            match act {
                Act::Vanish | Act::Refuse(..) => expected.push("error".to_owned()),
                Act::Serve(texts, code) => {
                    expected.push("open".to_owned());
                    expected.extend((0..*texts).map(|number| format!("text m{number}")));
                    expected.extend(code.map(|code| format!("close-request {code}")));
                    expected.push("lost".to_owned());
                }
                Act::Stay => {}
            }
        }
        expected.push("open".to_owned());
        let mut server = Scripted::new(&acts);
        let client = open(&server.url("/"), |_| {});
        let opens = expected.iter().filter(|event| *event == "open").count();
        let events = play(client, &mut server, |events| {
            events.iter().filter(|event| *event == "open").count() == opens
                || events.iter().any(|event| event.starts_with("closed"))
        });
        let short: Vec<String> = events
            .iter()
            .map(|event| match event.split(' ').next().unwrap() {
                word @ ("lost" | "error") => word.to_owned(),
                _ => event.clone(),
            })
            .collect();
        assert_eq!(short, expected, "round {round}: {acts:?}");
        assert_eq!(server.requests.len(), 11);
        ws_free(client);
    }
}

#[test]
fn the_next_try_is_not_before_the_time_that_the_server_asks_for() {
    let _alone = alone();
    let later = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:38 GMT\r\n";
    let mut server = Scripted::new(&[Act::Refuse(503, later), Act::Stay]);
    let client = open(&server.url("/"), |_| {});
    let begin = Instant::now();
    play(client, &mut server, ends_with("open"));
    assert!(begin.elapsed() >= Duration::from_secs(1));
    ws_free(client);
}
