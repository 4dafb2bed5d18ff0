//! The end of connections and servers through the C ABI over sockets: released ports, out-of-band bytes, kicks, output
//! lengths of failed calls.
#![allow(unsafe_code)] // Calls the C ABI.

#[macro_use]
#[path = "../support/c_handles.rs"]
mod c_handles;

use c_handles::*;
use std::ffi::CString;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::ffi::*;

const PATIENCE: Duration = Duration::from_secs(20);

fn wait_for(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        std::thread::yield_now();
    }
}

/// Connects `clients` clients to a server and completes their opening handshakes.
fn served(server: u32, clients: usize) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    let mut connected = 0;
    for _ in 0..clients {
        let mut stream = TcpStream::connect(("127.0.0.1", port(server))).unwrap();
        stream.write_all(REQUEST).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        streams.push(stream);
    }
    wait_for("the clients", || {
        assert!(ws_poll(server) >= 0);
        connected += count(server, WS_EVENT_CONNECTED);
        connected == clients
    });
    for stream in &mut streams {
        let (mut answer, mut byte) = (Vec::new(), [0]);
        while !answer.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
    }
    streams
}

/// Listens at `url`, ends the server by `ends` while clients are connected, and listens again on the same port, many
/// times.
fn hosts_again(url: &str, ends: fn(u32)) {
    let config = config(|config| config.owner = 5);
    let mut first = 0;
    let at = |port: u16| CString::new(format!("{url}:{port}")).unwrap();
    assert_eq!(c!(ws_listen(at(0).as_ptr(), &config, &mut first)), WS_OK);
    let port = port(first);
    for round in 0..60 {
        let clients = served(first, round % 3);
        ends(first);
        let result = if round % 2 == 0 {
            c!(ws_listen(at(port).as_ptr(), &config, &mut first))
        } else {
            c!(ws_host(at(port).as_ptr(), &config, &mut first))
        };
        assert_eq!(result, WS_OK, "round {round}: the port of {url} is not free");
        drop(clients);
    }
    ws_free(first);
}

#[test]
fn freeing_a_server_releases_its_port() {
    let _alone = alone();
    let closes_and_frees = |server: u32| {
        assert_eq!(c!(ws_close(server, 0, null())), WS_OK);
        ws_free(server);
    };
    let ends: [fn(u32); 4] = [|server| ws_free(server), |_| ws_free_owner(5), |_| ws_shutdown(), closes_and_frees];
    for end in ends {
        for url in ["ws://127.0.0.1", "ws://*", "ws://localhost"] {
            hosts_again(url, end);
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn messages_after_out_of_band_bytes_arrive() {
    let _alone = alone();
    let mut server = 0;
    assert_eq!(c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), null(), &mut server)), WS_OK);
    let mut clients = served(server, 2);
    let message = b"\x82\x81\0\0\0\0x";
    for round in 1..10 {
        for client in &mut clients {
            // Everything is in the socket buffer before the server polls for readiness.
            client.write_all(&message.repeat(round)).unwrap();
            assert_eq!(socket2::SockRef::from(&*client).send_out_of_band(b"!").unwrap(), 1);
            client.write_all(&message.repeat(round)).unwrap();
        }
        let mut seen = 0;
        wait_for("the messages behind the out-of-band bytes", || {
            assert!(ws_poll(server) >= 0);
            seen += count(server, WS_EVENT_MESSAGE);
            seen == clients.len() * 2 * round
        });
    }
    ws_free(server);
}

#[test]
fn a_client_that_keeps_sending_receives_the_close_code_of_a_kick() {
    let _alone = alone();
    for round in 0..20 {
        let (mut server, mut client) = (0, 0);
        assert_eq!(c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), null(), &mut server)), WS_OK);
        let url = CString::new(format!("ws://127.0.0.1:{}/", port(server))).unwrap();
        assert_eq!(c!(ws_connect(url.as_ptr(), null(), &mut client)), WS_OK);
        let mut conn = 0;
        wait_for("the client", || {
            assert!(ws_poll(server) >= 0 && ws_poll(client) >= 0);
            let mut have = 0;
            assert_eq!(c!(ws_get_conns(server, &mut conn, 1, &mut have)), WS_OK);
            have == 1 && ws_get_state(client) == WS_OPEN
        });
        // The server closes its socket with unread data, so the system sends a reset after the close frame.
        let payload = vec![7; 10_000 * (1 + round)];
        c!(ws_put_packet(client, payload.as_ptr(), payload.len(), WS_BINARY));
        assert_eq!(c!(ws_close(conn, 4_001, c"out".as_ptr())), WS_OK);
        ws_free(server);
        let mut event: ws_event = blank();
        wait_for("the end", || {
            c!(ws_put_packet(client, payload.as_ptr(), payload.len(), WS_BINARY));
            ws_poll(client);
            while c!(ws_next_event(client, &mut event)) == WS_OK && event.r#type != WS_EVENT_CLOSED {}
            event.r#type == WS_EVENT_CLOSED
        });
        assert_eq!((event.cause, event.code), (WS_CAUSE_CLOSED_BY_PEER, 4_001), "round {round}");
        ws_free(client);
    }
}

#[test]
fn failing_calls_set_the_output_length_to_zero() {
    let _alone = alone();
    let (server, client) = open_pair(&config(|_| {}));
    let mut buffer = [0_u8; 32];
    let mut len;
    let text = buffer.as_mut_ptr().cast();
    for cap in [0, buffer.len()] {
        len = 99;
        assert_eq!((c!(ws_take_output(client, buffer.as_mut_ptr(), cap, &mut len)), len), (WS_ERR_KIND, 0));
    }
    ws_free(server);
    len = 99;
    assert_eq!((c!(ws_get_text(server, WS_GET_URL, text, 32, &mut len)), len), (WS_ERR_HANDLE, 0));
    len = 99;
    assert_eq!((c!(ws_get_text(client, 999, text, 32, &mut len)), len), (WS_ERR_ARG, 0));
    len = 99;
    assert_eq!((c!(ws_get_text(client, WS_GET_URL, null_mut(), 32, &mut len)), len), (WS_ERR_NULL, 0));
    len = 99;
    assert_eq!((c!(ws_get_header(server, c"host".as_ptr(), 0, text, 32, &mut len)), len), (WS_ERR_HANDLE, 0));
    len = 99;
    assert_eq!((c!(ws_get_header(client, null(), 0, text, 32, &mut len)), len), (WS_ERR_NULL, 0));
    len = 99;
    assert_eq!((c!(ws_take_output(server, buffer.as_mut_ptr(), 32, &mut len)), len), (WS_ERR_HANDLE, 0));
    len = 99;
    let (mut count, mut item) = (99, blank());
    assert_eq!(
        (c!(ws_decode_variant(buffer.as_ptr(), 1, &mut item, 1, &mut count, &mut len)), count, len),
        (WS_ERR_ARG, 0, 0)
    );
    len = 99;
    assert_eq!(
        (c!(ws_encode_call(null(), null(), null(), 0, buffer.as_mut_ptr(), 32, &mut len)), len),
        (WS_ERR_NULL, 0)
    );
    ws_free(client);
}

/// A message of 3 MiB in as many equal parts as `pattern` has letters: z is zeros, n is noise.
fn parts(pattern: &str) -> Vec<u8> {
    let mut seed = 1_u32;
    let mut noise = move || {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed as u8
    };
    let part = (3 << 20) / pattern.len();
    pattern
        .chars()
        .flat_map(|kind| (0..part).map(move |_| kind))
        .map(|kind| if kind == 'n' { noise() } else { 0 })
        .collect()
}

const PATTERNS: [&str; 6] = ["z", "n", "zn", "nz", "zzn", "nzzzzzzz"];

#[test]
fn highly_compressible_messages_pass_our_own_inflate_limit() {
    let _alone = alone();
    for (level, ratio) in [(1, 0), (6, 0), (9, 0), (1, 1), (1, 2), (6, 900)] {
        for flags in [0, WS_SERVER_NO_CONTEXT_TAKEOVER] {
            let config = config(|config| {
                config.flags = WS_DEFLATE | flags;
                config.deflate_level = level;
                config.max_inflate_ratio = ratio;
                config.poll_budget_us = WS_OFF;
            });
            let (server, client) = open_pair(&config);
            for pattern in PATTERNS {
                let payload = parts(pattern);
                assert_eq!(c!(ws_put_packet(server, payload.as_ptr(), payload.len(), WS_BINARY)), WS_OK);
                let mut event: ws_event = blank();
                wait_for("the message", || {
                    assert!(ws_poll(server) >= 0 && ws_poll(client) >= 0);
                    while c!(ws_next_event(client, &mut event)) == WS_OK {
                        assert_ne!(event.r#type, WS_EVENT_CLOSED, "level {level}, ratio {ratio}, {pattern}");
                        if event.r#type == WS_EVENT_MESSAGE {
                            // SAFETY: lent until the next call that reads from the handle.
                            let got = unsafe { std::slice::from_raw_parts(event.packet.data, event.packet.len) };
                            assert!(got == payload, "level {level}, ratio {ratio}, {pattern}");
                            return true;
                        }
                    }
                    false
                });
            }
            let mut stats: ws_stats = blank();
            assert_eq!(c!(ws_get_stats(server, &mut stats, size_of::<ws_stats>())), WS_OK);
            assert!(
                ratio != 0 || stats.wire_bytes_out < stats.bytes_out * 3 / 4,
                "it still compresses: {} bytes",
                stats.wire_bytes_out
            );
            ws_free(server);
            ws_free(client);
        }
    }
}

#[test]
fn highly_compressible_broadcasts_pass_our_own_inflate_limit() {
    let _alone = alone();
    for flags in [0, WS_SERVER_NO_CONTEXT_TAKEOVER] {
        let config = config(|config| {
            config.flags = WS_DEFLATE | flags;
            config.deflate_level = 6;
            config.poll_budget_us = WS_OFF;
        });
        let mut server = 0;
        assert_eq!(c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), &config, &mut server)), WS_OK);
        let url = CString::new(format!("ws://127.0.0.1:{}/", port(server))).unwrap();
        let mut clients = [0; 3];
        for client in &mut clients {
            assert_eq!(c!(ws_connect(url.as_ptr(), &config, client)), WS_OK);
        }
        wait_for("the clients", || {
            assert!(ws_poll(server) >= 0);
            clients.iter().all(|client| ws_poll(*client) >= 0 && ws_get_state(*client) == WS_OPEN)
        });
        for pattern in PATTERNS {
            let payload = parts(pattern);
            assert_eq!(c!(ws_put_packet(server, payload.as_ptr(), payload.len(), WS_BINARY)), WS_OK);
            let mut left = clients.to_vec();
            wait_for("the message at all", || {
                assert!(ws_poll(server) >= 0);
                left.retain(|client| {
                    assert!(ws_poll(*client) >= 0 && ws_get_state(*client) == WS_OPEN, "{pattern}");
                    let (mut packet, mut is_same): (ws_packet, bool) = (blank(), false);
                    if c!(ws_get_packet(*client, &mut packet)) == WS_OK {
                        // SAFETY: lent until the next call that reads from the handle.
                        is_same = unsafe { std::slice::from_raw_parts(packet.data, packet.len) } == payload;
                        assert!(is_same, "{pattern}");
                    }
                    !is_same
                });
                left.is_empty()
            });
        }
        ws_free(server);
        clients.iter().for_each(|client| ws_free(*client));
    }
}

/// CPU time of the calling thread.
#[cfg(unix)]
fn spent() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it lives.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) }, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Limit for the longest call that ends a server. The poll budget is 1 ms; writing to all clients took tens of
/// milliseconds.
#[cfg(unix)]
const LONGEST: Duration = Duration::from_millis(8);

/// Ends the server of this handle.
#[cfg(unix)]
type End = fn(u32);

/// A server with 200 clients that each have `messages` queued messages, the clients, and the bytes that each is to
/// receive.
#[cfg(unix)]
fn crowd(messages: usize, len: usize, flags: u32) -> (u32, Vec<TcpStream>, Vec<u8>) {
    let config = config(|config| {
        config.owner = 6;
        config.flags = flags;
    });
    let mut server = 0;
    assert_eq!(c!(ws_listen(c"ws://127.0.0.1:0".as_ptr(), &config, &mut server)), WS_OK);
    let clients: Vec<_> = (0..10).flat_map(|_| served(server, 20)).collect();
    let payload = vec![7; len];
    for _ in 0..messages {
        assert_eq!(c!(ws_put_packet(server, payload.as_ptr(), len, WS_BINARY)), WS_OK);
    }
    let head = if len < 65_536 {
        [&[0x82, 126][..], &(len as u16).to_be_bytes()].concat()
    } else {
        [&[0x82, 127][..], &(len as u64).to_be_bytes()].concat()
    };
    (server, clients, [head, payload].concat().repeat(messages))
}

/// Runs `one` three times and returns the median time.
#[cfg(unix)]
fn median(mut one: impl FnMut() -> Duration) -> Duration {
    let mut took: Vec<_> = (0..3).map(|_| one()).collect();
    took.sort();
    took[1]
}

#[cfg(unix)]
#[test]
fn freeing_a_server_with_full_queues_stays_within_a_time_limit() {
    let _alone = alone();
    let ends: [End; 3] = [|server| ws_free(server), |_| ws_free_owner(6), |_| ws_shutdown()];
    for end in ends {
        let took = median(|| {
            let (server, clients, _) = crowd(3, 100_000, WS_COALESCE);
            let begun = spent();
            end(server);
            let took = spent() - begun;
            drop(clients);
            took
        });
        assert!(took < LONGEST, "{took:?}");
    }
}

#[cfg(unix)]
#[test]
fn freeing_a_server_sends_what_fits_the_socket_buffers() {
    let _alone = alone();
    let ends: [End; 3] = [|server| ws_free(server), |_| ws_free_owner(6), |_| ws_shutdown()];
    for end in ends {
        let (server, clients, sent) = crowd(3, 4_000, WS_COALESCE);
        end(server);
        for mut client in clients {
            let mut got = Vec::new();
            client.read_to_end(&mut got).unwrap();
            assert!(got == sent, "{} of {} bytes", got.len(), sent.len());
        }
    }
}

#[cfg(unix)]
#[test]
fn closing_clients_with_full_queues_stays_within_a_time_limit() {
    let _alone = alone();
    let ends: [(End, &[u8]); 3] = [
        (|server| assert_eq!(c!(ws_close(server, 0, null())), WS_OK), b"\x88\x02\x03\xe9"),
        (|server| assert_eq!(c!(ws_disconnect(server, 0, 4_001, null())), WS_OK), b"\x88\x02\x0f\xa1"),
        (|server| assert_eq!(c!(ws_close(server, -1, null())), WS_OK), b""),
    ];
    for (end, close) in ends {
        let took = median(|| {
            let (server, mut clients, sent) = crowd(3, 100_000, WS_COALESCE);
            let mut longest = Duration::ZERO;
            let mut time = |call: &dyn Fn()| {
                let begun = spent();
                call();
                longest = longest.max(spent() - begun);
            };
            time(&|| end(server));
            let wanted = [&sent[..], close].concat();
            let mut got = vec![Vec::new(); clients.len()];
            clients.iter().for_each(|client| client.set_nonblocking(true).unwrap());
            let mut buffer = vec![0; 1 << 16];
            let (mut ended, mut gone) = (0, 0);
            wait_for("the end", || {
                time(&|| assert!(ws_poll(server) >= 0));
                ended += count(server, WS_EVENT_DISCONNECTED);
                gone = 0;
                for (client, got) in clients.iter_mut().zip(&mut got) {
                    while let Ok(read @ 1..) = client.read(&mut buffer) {
                        got.extend_from_slice(&buffer[..read]);
                    }
                    gone += usize::from(*got == wanted);
                }
                if close.is_empty() { ended == clients.len() } else { gone == clients.len() }
            });
            ws_free(server);
            longest
        });
        assert!(took < LONGEST, "{took:?}");
    }
}
