//! A session through the C ABI whose links are cut at every byte of either direction: with TLS, with compression, of a
//! client and of a join. WSPEER_CUT_STEP: bytes between two cuts (default: 23; 1 in `make test-long`).
#![allow(unsafe_code)] // Calls the C ABI.

#[path = "../support/c_host.rs"]
mod c_host;
#[path = "../support/c_sessions.rs"]
mod c_sessions;
#[path = "../support/fault_proxy.rs"]
mod fault_proxy;

use c_host::*;
use c_sessions::*;
use fault_proxy::{End, Faults, Proxy};
use wspeer::codes::*;
use wspeer::ffi::*;

/// Messages of each end.
const MESSAGES: u32 = 8;

/// What is run.
#[derive(Clone, Copy, Debug)]
struct Kind {
    tls: bool,
    deflate: bool,
    /// Flags of a host and a join; 0: a server and a client.
    game: u32,
}

/// Message `number` of an end: "END/NUMBER/" and some bytes.
fn message(end: &str, number: u32) -> Vec<u8> {
    let len = [0, 3, 130, 900, 40, 5, 300, 70][number as usize % 8];
    [format!("{end}/{number}/").as_bytes(), &b"to be or not to be ".repeat(48)[..len]].concat()
}

/// An end: what it has put and received.
#[derive(Default, Debug)]
struct Tally {
    handle: u32,
    put: u32,
    got: u32,
    ended: Option<(bool, u32)>,
}

impl Tally {
    fn take(&mut self, event: &Event, from: &str) {
        match event.kind {
            WS_EVENT_MESSAGE => {
                assert_eq!(event.bytes, message(from, self.got), "message {} of {from}", self.got);
                self.got += 1;
            }
            WS_EVENT_CLOSED | WS_EVENT_DISCONNECTED => self.ended = Some((event.clean, event.unsent)),
            _ => {}
        }
    }

    fn put(&mut self, end: &str) {
        if self.handle != 0 && self.ended.is_none() && self.put < MESSAGES {
            let result = put(self.handle, &message(end, self.put));
            assert!(matches!(result, WS_OK | WS_ERR_STATE | WS_ERR_FULL), "{result}");
            self.put += u32::from(result == WS_OK);
        }
    }
}

/// Plays one session, whose first links are cut behind so many bytes of a direction. Returns the bytes of each direction.
fn play_cut(kind: Kind, certificate: &Certificate, cuts: &[(usize, u64)]) -> [u64; 2] {
    let certificate = Some(certificate).filter(|_| kind.tls);
    let edit = |config: &mut ws_config| {
        keeps(config);
        config.flags |= kind.game | if kind.deflate { WS_DEFLATE } else { 0 };
        config.deflate_threshold_bytes = 16;
        config.handshake_timeout_ms = 2_000;
    };
    let (server, port) = if kind.game == 0 { listen(certificate, edit) } else { host_over(certificate, edit) };
    let proxy = Proxy::new(port);
    let planned = cuts.to_vec();
    proxy.plan(move |number| {
        let mut faults = <[Faults; 2]>::default();
        if let Some((direction, after)) = planned.get(number) {
            faults[*direction].end = Some((*after, End::Reset));
        }
        faults
    });
    let client = (if kind.game == 0 { connect } else { join })(proxy.port, certificate, edit);
    let (mut near, mut far) = (Tally { handle: client, ..Tally::default() }, Tally::default());
    let mut opened = 0;
    until(&format!("{kind:?} cut at {cuts:?}"), || {
        for handle in [client, server] {
            assert!(poll(handle) >= 0);
            while let Some(event) = next(handle) {
                if handle == client {
                    near.take(&event, "far");
                    opened += u32::from(event.kind == WS_EVENT_OPEN);
                } else {
                    if event.kind == WS_EVENT_CONNECTED {
                        assert_eq!(far.handle, 0, "there is one client");
                        far.handle = event.conn;
                    }
                    far.take(&event, "near");
                }
            }
        }
        near.put("near");
        far.put("far");
        if (near.got, far.got) == (MESSAGES, MESSAGES) && near.ended.is_none() && state(client) != WS_CLOSING {
            assert_eq!(close(client, 1_000), WS_OK);
        }
        // An end whose close was not answered waits for its peer.
        near.ended.is_some() && (far.ended.is_some() || (near.got, far.got) == (MESSAGES, MESSAGES))
    });
    assert_eq!((opened, near.got, far.got), (1, MESSAGES, MESSAGES), "{near:?} {far:?}");
    let passed = proxy.passed();
    free(client);
    free(server);
    *passed.last().expect("there was a link")
}

fn step() -> usize {
    std::env::var("WSPEER_CUT_STEP").ok().and_then(|text| text.parse().ok()).unwrap_or(23)
}

/// Cuts the session at every byte, and at some pairs of bytes of its first two links.
fn cut_everywhere(kind: Kind) {
    let certificate = Certificate::new();
    let whole = play_cut(kind, &certificate, &[]);
    let mut runs = 0;
    for (direction, bytes) in whole.into_iter().enumerate() {
        // A different part of the offsets for each kind, if not all.
        for at in (usize::from(kind.tls) + 2 * usize::from(kind.deflate)..bytes as usize + 1).step_by(step()) {
            play_cut(kind, &certificate, &[(direction, at as u64)]);
            let second = (direction + at) % 2;
            play_cut(kind, &certificate, &[(direction, at as u64), (second, (at * 7) as u64 % (whole[second] + 1))]);
            runs += 2;
        }
    }
    println!("figure: {kind:?}: {runs} sessions of {whole:?} bytes were cut");
}

const PLAIN: Kind = Kind { tls: false, deflate: false, game: 0 };

#[test]
fn a_client_is_cut_everywhere() {
    cut_everywhere(PLAIN);
}

#[test]
fn a_client_with_deflate_is_cut_everywhere() {
    cut_everywhere(Kind { deflate: true, ..PLAIN });
}

#[test]
fn a_client_with_tls_is_cut_everywhere() {
    cut_everywhere(Kind { tls: true, ..PLAIN });
}

#[test]
fn a_client_with_tls_and_deflate_is_cut_everywhere() {
    cut_everywhere(Kind { tls: true, deflate: true, game: 0 });
}

#[test]
fn a_join_is_cut_everywhere() {
    cut_everywhere(Kind { game: WS_GODOT3, ..PLAIN });
}

#[test]
fn a_join_in_a_scene_is_cut_everywhere() {
    cut_everywhere(Kind { game: WS_SCENE, ..PLAIN });
}

#[test]
fn a_join_in_a_scene_with_tls_and_deflate_is_cut_everywhere() {
    cut_everywhere(Kind { tls: true, deflate: true, game: WS_SCENE });
}
