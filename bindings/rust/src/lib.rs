//! WebSockets that a game polls from its frame loop: a client, a server and Godot's multiplayer peer, over `ws://` and
//! `wss://`. Nothing blocks, nothing is called back, no runtime is needed.
//!
//! ```no_run
//! use wspeer::{Client, Event};
//!
//! fn main() -> Result<(), wspeer::Error> {
//!     let mut client = Client::connect("ws://127.0.0.1:9080")?;
//!     let conn = client.handle();
//!     loop {                                            // the game's loop
//!         client.poll()?;
//!         for event in client.events() {
//!             match event {
//!                 Event::Open(_) => { conn.send("hello")?; }
//!                 Event::Message(message) => {
//!                     println!("{}", message.text().unwrap_or("bytes"));
//!                     conn.close(1000, "")?;
//!                 }
//!                 Event::Closed(end) => {
//!                     println!("{}", end.sentence);
//!                     return Ok(());
//!                 }
//!                 _ => {}
//!             }
//!         }
//!         // update, draw, wait for the next frame
//!     }
//! }
//! ```
//!
//! **Owners and handles.** [`Client`], [`Server`], [`Host`] and [`Join`] own a connection or server: they poll it, take
//! what it received, and free it when they are dropped. Everything else, such as sending, is done by handles, numbers
//! that may be copied and kept: [`Conn`], [`ServerRef`], [`HostRef`], [`JoinRef`]. An owner dereferences to its handle.
//! A handle whose connection is gone gives [`ErrorCode::Handle`], nothing worse.
//!
//! **Loans.** What events and messages hold is lent by their owner, without a copy. The borrow checker keeps it from
//! being used after the next poll; [`Message::to_owned`] keeps it.
//!
//! **Ends.** A failed call returns an [`Error`] with a code to decide by and a sentence that says what to do. The end of
//! a connection is no error of a call but its last event, [`Event::Closed`] or [`Event::Disconnected`], with phase,
//! cause and a sentence; [`End::to_error`] makes an [`Error`] of it.
//!
//! **Threads.** Everything here is [`Send`] and [`Sync`]: owners can be moved, and handles used from any thread. What
//! takes messages needs `&mut`, as one thread at a time may do that.
//!
//! Messages to all clients but one, and to one:
//!
//! ```
//! use wspeer::{Event, Server, Target};
//!
//! let mut server = Server::listen("ws://127.0.0.1:0")?;
//! let room = server.handle();
//! server.poll()?;
//! for event in server.events() {
//!     match event {
//!         Event::Connected(about) => { room.send_to(about.conn, "welcome")?; }
//!         Event::Message(message) => { room.send_to(Target::Except(message.conn()), message)?; }
//!         _ => {}
//!     }
//! }
//! # Ok::<(), wspeer::Error>(())
//! ```
//!
//! The header of the library, `include/wspeer.h`, documents what every call means, and all limits.

mod codes;
mod config;
mod config_fields;
mod endpoint;
mod error;
mod event;
mod godot;
mod handle;
mod inbox;
mod payload;
mod sim;
mod stats;
mod sys;

pub use codes::*;
pub use config_fields::Config;
pub use endpoint::{Attached, Client, Endpoint, Host, Join, Pair, Polled, Server, free_owner, shutdown};
pub use error::{Error, Result};
pub use event::{About, Auth, CloseRequest, End, Event, Message, Report, Request, Resumed, Skipped};
pub use godot::{Call, NodePath, Nodes, Replicated, Variant, Vectors};
pub use handle::{Addressed, Conn, Handle, HostRef, JoinRef, Sent, SentMany, ServerRef, Target};
pub use inbox::{Events, Messages};
pub use payload::{OwnedMessage, Payload};
pub use sim::Sim;
pub use stats::Stats;

use std::time::Duration;
use wspeer_core::ffi;

/// Waits until one of several handles has something to poll or to take: for programs without frames. It is the only
/// call that may block. `None`: without a time limit. Returns whether there is something to poll.
///
/// ```
/// let mut server = wspeer::Server::listen("ws://127.0.0.1:0")?;
/// let frame = std::time::Duration::from_millis(1);
/// if wspeer::wait(&[server.raw()], Some(frame))? {
///     server.poll()?;
/// }
/// # Ok::<(), wspeer::Error>(())
/// ```
pub fn wait(handles: &[u32], timeout: Option<Duration>) -> Result<bool> {
    // A longer time is cut to 24 days.
    let timeout_ms = timeout.map_or(-1, |time| i32::try_from(time.as_millis()).unwrap_or(i32::MAX));
    sys::wait(handles, timeout_ms)
}

/// Sets which log lines are kept from now on.
pub fn set_log_level(level: LogLevel) -> Result<()> {
    sys::done(ffi::ws_set_log_level(level as i32))
}

/// Takes the oldest log line, "level: text". The library prints nothing; it keeps the last 1024 lines.
pub fn next_log() -> Option<String> {
    sys::next_log()
}

/// Sets the name that error texts use from now on for a word of the header, such as "max_message_bytes"; `None`: that
/// of the header.
pub fn set_name(word: &str, name: Option<&str>) -> Result<()> {
    sys::set_name(word, name)
}

/// The version of the library: major * 10000 + minor * 100 + patch.
pub fn version() -> u32 {
    ffi::ws_version()
}

/// What the library supports.
///
/// ```
/// assert!(wspeer::features().has(wspeer::Feature::Tls));
/// ```
pub fn features() -> Features {
    Features(ffi::ws_get_features())
}

/// A set of [`Feature`]s.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Features(u32);

impl Features {
    /// Whether a feature is there.
    pub fn has(self, feature: Feature) -> bool {
        self.0 & feature as u32 != 0
    }

    /// The features as bits.
    pub fn bits(self) -> u32 {
        self.0
    }
}

/// Whether the structs of the binding are those of the library. They are, as it is built with it.
pub fn fits() -> bool {
    let equal = [
        (wspeer_core::codes::WS_STRUCT_PACKET, size_of::<ffi::ws_packet>()),
        (wspeer_core::codes::WS_STRUCT_EVENT, size_of::<ffi::ws_event>()),
        (wspeer_core::codes::WS_STRUCT_CONFIG, size_of::<ffi::ws_config>()),
        (wspeer_core::codes::WS_STRUCT_STATS, size_of::<ffi::ws_stats>()),
        (wspeer_core::codes::WS_STRUCT_SIM, size_of::<ffi::ws_sim>()),
        (wspeer_core::codes::WS_STRUCT_VARIANT, size_of::<ffi::ws_variant>()),
        (wspeer_core::codes::WS_STRUCT_CALL, size_of::<ffi::ws_call>()),
        (wspeer_core::codes::WS_STRUCT_PACKET_OUT, size_of::<ffi::ws_packet_out>()),
        (wspeer_core::codes::WS_STRUCT_REPLICATED, size_of::<ffi::ws_replicated>()),
    ];
    ffi::ws_abi_version() == wspeer_core::codes::WS_ABI_VERSION
        && equal.iter().all(|&(which, size)| ffi::ws_struct_size(which) as usize == size)
}

/// A self-signed certificate for development and games on a local network.
///
/// ```
/// use wspeer::{Certificate, Config, Server};
/// let made = Certificate::make("localhost, 127.0.0.1", 30)?;
/// let config = Config::new().certificate(made.cert_pem, made.key_pem);
/// let server = Server::listen_with("wss://127.0.0.1:0", &config)?;
/// # Ok::<(), wspeer::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// The certificate, for [`Config::cert_pem`] and [`Config::ca_pem`].
    pub cert_pem: String,
    /// Its private key, for [`Config::key_pem`]. Keep it secret.
    pub key_pem: String,
    /// Its SHA-256, for [`Config::pin_sha256`].
    pub sha256: String,
}

impl Certificate {
    /// Makes one for DNS names and IP addresses, "localhost, 127.0.0.1", valid for `days` (1 to 36500) from now.
    pub fn make(names: &str, days: u32) -> Result<Certificate> {
        let [cert_pem, key_pem, sha256] = sys::make_certificate(names, days)?;
        Ok(Certificate { cert_pem, key_pem, sha256 })
    }
}

/// Without the key.
impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").field("sha256", &self.sha256).finish_non_exhaustive()
    }
}

impl Sim {
    /// The figures of a preset, which can be changed.
    pub fn preset(preset: SimPreset) -> Sim {
        Sim::from_raw(&sys::sim(preset as i32))
    }

    pub(crate) fn raw(&self) -> ffi::ws_sim {
        let mut raw = sys::sim(SimPreset::None as i32);
        self.write(&mut raw);
        raw
    }
}

/// The code in the README is tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
