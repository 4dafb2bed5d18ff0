//! What the fuzzer runs, one module a target: each takes any bytes and panics when a promise is broken. `tests/system/fuzz.rs` of the library runs the same
//! on the seeds and on mutations of them with a fixed seed, without libFuzzer.
#![allow(unsafe_code)] // The calls of a C host.

mod calls;
mod channel;
mod client_proxies;
#[path = "../../tests/protocol/decoding.rs"]
mod decoding;
mod deflate;
mod frames;
mod handshakes;
mod http_requests;
mod input;
mod links;
mod multiplayer;
mod paths;
mod proxies;
mod scene;
mod twins;
mod urls;

/// A target's name and body.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 17] = [
    ("server_handshake", handshakes::server),
    ("client_handshake", handshakes::client),
    ("http_requests", http_requests::requests),
    ("extension", handshakes::extension),
    ("frames", frames::frames),
    ("compressed_frames", frames::compressed),
    ("deflate", deflate::deflate),
    ("urls", urls::urls),
    ("proxy_answers", client_proxies::answers),
    ("proxy_urls", client_proxies::urls),
    ("multiplayer", multiplayer::formats),
    ("scene", scene::scene),
    ("calls", calls::calls),
    ("channel", channel::channel),
    ("paths", paths::paths),
    ("proxy_header", proxies::header),
    ("forwarded", proxies::request),
];

/// Runs the target of that name.
pub fn run(name: &str, data: &[u8]) {
    let (_, body) = TARGETS.iter().find(|(known, _)| *known == name).expect("the name of a target");
    body(data);
}
