//! Handles that own nothing: what can be done with a connection or server besides polling it and taking what it
//! received.

use crate::codes::{ErrorCode, Hint, OnFull, Opt, State};
use crate::error::{Error, Result};
use crate::event::End;
use crate::godot::{Variant, items_of};
use crate::inbox::end_of;
use crate::payload::Payload;
use crate::sim::Sim;
use crate::stats::Stats;
use crate::sys;
use wspeer_core::codes as c;
use wspeer_core::ffi;

mod sealed {
    pub trait Sealed {}
}

/// The number of a connection or server. Its calls are safe whatever has become of it: after its end they fail with
/// [`ErrorCode::Handle`].
pub trait Handle: Copy + Send + Sync + sealed::Sealed + 'static {
    /// The number, as the library's header knows it.
    fn raw(self) -> u32;
    /// The handle of this number.
    fn from_raw(raw: u32) -> Self;

    /// Its state, for code that is generic over the kinds of handles; `None` once it has been freed or has retired.
    fn state(self) -> Option<State> {
        State::from_raw(ffi::ws_get_state(self.raw()))
    }

    /// Sends a message, for code that is generic over the kinds of handles.
    fn send<'a>(self, message: impl Into<Payload<'a>>) -> Result<Sent> {
        sys::put(self.raw(), message.into()).map(sent)
    }

    /// Writes queued output, for code that is generic over the kinds of handles.
    fn flush(self) -> Result<()> {
        sys::done(ffi::ws_flush(self.raw()))
    }
}

/// Whom a message goes to: a [`Conn`] on a server, the id of a peer in multiplayer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target<T> {
    /// Everyone.
    All,
    /// One.
    Only(T),
    /// Everyone but one, who need not be there.
    Except(T),
}

impl<T> From<T> for Target<T> {
    fn from(one: T) -> Target<T> {
        Target::Only(one)
    }
}

/// What a target is on this kind of handle.
trait Number: Copy {
    fn number(self) -> i32;
}

impl Number for Conn {
    fn number(self) -> i32 {
        // A handle has 31 bits.
        i32::try_from(self.0).unwrap_or(0)
    }
}

impl Number for i32 {
    fn number(self) -> i32 {
        self
    }
}

/// The target as the library takes it.
fn number_of<T: Number>(target: Target<T>) -> Result<i32> {
    let (one, sign) = match target {
        Target::All => return Ok(0),
        Target::Only(one) => (one, 1),
        Target::Except(one) => (one, -1),
    };
    match one.number() {
        number @ 1.. => Ok(sign * number),
        // 0 and below would mean others.
        number => Err(Error::new(ErrorCode::Target, format!("{number} is no peer: ids are above 0"))),
    }
}

/// A message of [`Conn::send_many`] and the like, with a target.
#[derive(Clone, Copy, Debug)]
pub struct Addressed<'a> {
    pub(crate) target: i32,
    pub(crate) message: Payload<'a>,
}

impl<'a> Addressed<'a> {
    /// To a client of a server, or all of them but one.
    pub fn to_client(target: impl Into<Target<Conn>>, message: impl Into<Payload<'a>>) -> Result<Addressed<'a>> {
        Ok(Addressed { target: number_of(target.into())?, message: message.into() })
    }

    /// To a peer of a multiplayer game by its id, or all of them but one.
    pub fn to_peer(target: impl Into<Target<i32>>, message: impl Into<Payload<'a>>) -> Result<Addressed<'a>> {
        Ok(Addressed { target: number_of(target.into())?, message: message.into() })
    }
}

/// Where `send()` sends it.
impl<'a, T: Into<Payload<'a>>> From<T> for Addressed<'a> {
    fn from(message: T) -> Addressed<'a> {
        Addressed { target: 0, message: message.into() }
    }
}

/// What became of an accepted message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// Every target has it in its queue.
    All,
    /// The queues of some targets were full: [`Event::Skipped`](crate::Event::Skipped) names them.
    Partial,
}

fn sent(result: i32) -> Sent {
    if result == c::WS_PARTIAL { Sent::Partial } else { Sent::All }
}

/// What [`Conn::send_many`] did.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use = "messages from `taken` on were not accepted"]
pub struct SentMany {
    /// Number of messages that were accepted.
    pub taken: usize,
    /// An error is about `messages[taken]`, the first that was not accepted.
    pub outcome: Result<Sent>,
}

macro_rules! handles {
    ($($(#[$about:meta])* $name:ident)+) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(u32);

        impl sealed::Sealed for $name {}

        impl Handle for $name {
            fn raw(self) -> u32 {
                self.0
            }

            fn from_raw(raw: u32) -> $name {
                $name(raw)
            }
        }

        /// What every connection and server has.
        impl $name {
            /// Its number, as the library's header knows it: for [`wait`](crate::wait) and logs.
            pub fn raw(self) -> u32 {
                self.0
            }

            /// The handle of this number. No handle has the number 0.
            pub fn from_raw(raw: u32) -> $name {
                $name(raw)
            }

            /// The handle itself: for calls while events of its owner are borrowed.
            pub fn handle(self) -> $name {
                self
            }

            /// Its state; `None` once it has been freed or has retired.
            pub fn state(self) -> Option<State> {
                State::from_raw(ffi::ws_get_state(self.0))
            }

            /// Whether it is open: messages can be sent.
            pub fn is_open(self) -> bool {
                self.state() == Some(State::Open)
            }

            /// Whether it has ended. Messages and events may still be queued, up to
            /// [`Event::Closed`](crate::Event::Closed), which is the last one.
            pub fn is_closed(self) -> bool {
                self.state().is_none_or(State::is_closed)
            }

            /// Sends a message: to the peer, or from a server or host to all clients. A text is sent as text, bytes as
            /// binary. The bytes are copied.
            ///
            /// An error with [`Error::is_full`] means that the queue is full: poll, and send it again after
            /// [`Event::Writable`](crate::Event::Writable).
            #[inline]
            pub fn send<'a>(self, message: impl Into<Payload<'a>>) -> Result<Sent> {
                sys::put(self.0, message.into()).map(sent)
            }

            /// Sends several messages in order, up to the first that is not accepted.
            pub fn send_many(self, messages: &[Addressed<'_>]) -> SentMany {
                let (taken, result) = sys::put_packets(self.0, messages);
                SentMany { taken, outcome: result.map(sent) }
            }

            /// Sends what is true now, such as the position of an object: it takes the place of the message with the
            /// same key that has not left.
            pub fn send_latest<'a>(self, key: u32, message: impl Into<Payload<'a>>) -> Result<Sent> {
                sys::put_latest(self.0, 0, key, message.into()).map(sent)
            }

            /// Writes queued output, as much as the transport takes: with [`Config::coalesce`](crate::Config::coalesce)
            /// at the end of a frame.
            pub fn flush(self) -> Result<()> {
                sys::done(ffi::ws_flush(self.0))
            }

            /// Starts the closing handshake, after the messages that were accepted. Code 0 means 1000, on a server
            /// 1001; -1 drops the connection at once. Poll until [`Event::Closed`](crate::Event::Closed) to be sure
            /// that everything was sent.
            pub fn close(self, code: i32, reason: &str) -> Result<()> {
                sys::close(self.0, code, reason)
            }

            /// The URL in use, without user name and password; of a server with its actual port.
            pub fn url(self) -> String {
                sys::text(self.0, c::WS_GET_URL)
            }

            /// The local address and port.
            pub fn local_address(self) -> String {
                sys::text(self.0, c::WS_GET_LOCAL_ADDRESS)
            }

            /// The local port: the one chosen for "ws://127.0.0.1:0".
            pub fn port(self) -> u16 {
                self.option(Opt::Port).ok().and_then(|port| u16::try_from(port).ok()).unwrap_or(0)
            }

            /// Its counters; zeros once it has been freed.
            pub fn stats(self) -> Stats {
                Stats::from_raw(&sys::stats(self.0))
            }

            /// Reads an option.
            pub fn option(self, option: Opt) -> Result<u32> {
                sys::option(self.0, option as i32)
            }

            /// Sets an option from now on. On a server it applies to the server and to clients that connect later.
            pub fn set_option(self, option: Opt, value: u32) -> Result<()> {
                sys::done(ffi::ws_set_option(self.0, option as i32, value))
            }

            /// Sets what to do about targets whose queue is full: [`Opt::OnFull`].
            pub fn set_on_full(self, on_full: OnFull) -> Result<()> {
                self.set_option(Opt::OnFull, on_full as u32)
            }

            /// Sets the value that messages and events of this connection have from now on.
            pub fn set_user(self, user: usize) -> Result<()> {
                sys::done(ffi::ws_set_user(self.0, user))
            }

            /// Simulates a bad network; `None` ends that, and what was held leaves at once. A server: for all its
            /// clients, and those to come.
            ///
            /// ```
            /// # use wspeer::{Pair, Sim, SimPreset};
            /// let pair = Pair::open()?;
            /// pair.client.set_sim(Some(&Sim::preset(SimPreset::Train)))?;
            /// pair.client.set_sim(None)?;
            /// # Ok::<(), wspeer::Error>(())
            /// ```
            pub fn set_sim(self, sim: Option<&Sim>) -> Result<()> {
                let raw = sim.map(Sim::raw);
                sys::set_sim(self.0, raw.as_ref())
            }
        }
    )+};
}

handles! {
    /// A connection: a client, an end of a pair, or a client of a server. It owns nothing: copy it, keep it, use it as
    /// a key.
    Conn
    /// A server, without owning it. [`Server`](crate::Server) owns one.
    ServerRef
    /// A multiplayer host, without owning it. [`Host`](crate::Host) owns one.
    HostRef
    /// A client of a multiplayer host, without owning it. [`Join`](crate::Join) owns one.
    JoinRef
}

macro_rules! connections {
    ($($name:ident),+) => {$(
        /// What single connections have.
        impl $name {
            /// How it ended, without taking its last event; `None` while it has not.
            pub fn end(self) -> Option<End<'static>> {
                sys::end(self.0).map(|event| end_of(&event, ""))
            }

            /// Why it ended, its link was lost or its last try failed, and what to do about it; else "".
            pub fn why(self) -> String {
                sys::text(self.0, c::WS_GET_ERROR)
            }

            /// The reason in the deciding close frame.
            pub fn close_reason(self) -> String {
                sys::text(self.0, c::WS_GET_CLOSE_REASON)
            }

            /// The method of the request: "GET", or that of a plain HTTP request.
            pub fn method(self) -> String {
                sys::text(self.0, c::WS_GET_METHOD)
            }

            /// The path of the request, without the query.
            pub fn path(self) -> String {
                sys::text(self.0, c::WS_GET_PATH)
            }

            /// The query of the request, without the question mark.
            pub fn query(self) -> String {
                sys::text(self.0, c::WS_GET_QUERY)
            }

            /// The agreed subprotocol, or "".
            pub fn subprotocol(self) -> String {
                sys::text(self.0, c::WS_GET_SUBPROTOCOL)
            }

            /// A header of the request (a server's client) or of the response (a client). `index` counts headers of the
            /// same name from 0.
            pub fn header(self, name: &str, index: u32) -> Option<String> {
                sys::header(self.0, name, index)
            }

            /// The peer's address and port. Behind trusted proxies it is the client's.
            pub fn remote_address(self) -> String {
                sys::text(self.0, c::WS_GET_REMOTE_ADDRESS)
            }

            /// The address and port of the socket's other end: behind trusted proxies that of the proxy.
            pub fn peer_address(self) -> String {
                sys::text(self.0, c::WS_GET_PEER_ADDRESS)
            }

            /// The first KiB of the response body, if the server refused the request.
            pub fn body(self) -> String {
                sys::text(self.0, c::WS_GET_BODY)
            }

            /// The TLS version and cipher suite, or "".
            pub fn tls(self) -> String {
                sys::text(self.0, c::WS_GET_TLS)
            }

            /// The agreed parameters of permessage-deflate, or "".
            pub fn extensions(self) -> String {
                sys::text(self.0, c::WS_GET_EXTENSIONS)
            }

            /// With [`Config::reconnect`](crate::Config::reconnect) or a session: the URL from the next try on.
            pub fn set_url(self, url: &str) -> Result<()> {
                sys::set_url(self.0, url)
            }

            /// With [`Config::reconnect`](crate::Config::reconnect) or a session: an extra header of the request from
            /// the next try on. `None` removes the headers of this name.
            pub fn set_header(self, name: &str, value: Option<&str>) -> Result<()> {
                sys::set_header(self.0, name, value)
            }

            /// Tells a client what the program knows of its device and network.
            pub fn hint(self, hint: Hint) -> Result<()> {
                sys::done(ffi::ws_hint(self.0, hint as i32))
            }

            /// Advances the time of an end of a [`Pair`](crate::Pair) or of an [`Attached`](crate::Attached)
            /// connection. From the first call on it moves in no other way.
            pub fn advance_time(self, us: u32) -> Result<()> {
                sys::done(ffi::ws_advance_time(self.0, us))
            }
        }
    )+};
}

connections!(Conn, JoinRef);

/// What clients of a server have.
impl Conn {
    /// On a host: the client's id. Else 0.
    pub fn peer_id(self) -> i32 {
        ffi::ws_get_peer_id(self.0).max(0)
    }

    /// After [`Event::Request`](crate::Event::Request): opens the WebSocket. `subprotocol` is one that the client
    /// offers; `None` chooses by [`Config::subprotocols`](crate::Config::subprotocols). `headers` are more lines of the
    /// response, "Name: value".
    pub fn accept<S: AsRef<str>>(self, subprotocol: Option<&str>, headers: &[S]) -> Result<()> {
        sys::accept(self.0, subprotocol, headers)
    }

    /// After [`Event::Request`](crate::Event::Request): answers with an HTTP response, and ends the connection when it
    /// has left. `status` is 200 to 599.
    pub fn reply<S: AsRef<str>>(self, status: i32, headers: &[S], body: impl AsRef<[u8]>) -> Result<()> {
        sys::reply(self.0, status, headers, body.as_ref())
    }

    /// From now on this client receives what its server publishes to this topic.
    pub fn subscribe(self, topic: &str) -> Result<()> {
        sys::subscribe(self.0, topic)
    }

    /// Ends a subscription; one that is not there is no error.
    pub fn unsubscribe(self, topic: &str) -> Result<()> {
        sys::unsubscribe(self.0, Some(topic))
    }

    /// Ends all subscriptions.
    pub fn unsubscribe_all(self) -> Result<()> {
        sys::unsubscribe(self.0, None)
    }

    /// The topics that it has subscribed to, sorted.
    pub fn topics(self) -> Vec<String> {
        sys::topics(self.0)
    }
}

macro_rules! servers {
    ($($name:ident: $target:ty = $whom:literal),+) => {$(
        /// What servers and hosts have.
        impl $name {
            #[doc = concat!("Sends to ", $whom, ", to all, or to all but one.")]
            #[inline]
            pub fn send_to<'a>(self, target: impl Into<Target<$target>>, message: impl Into<Payload<'a>>) -> Result<Sent> {
                sys::put_to(self.0, number_of(target.into())?, message.into()).map(sent)
            }

            /// As `send_latest()`, to a target.
            pub fn send_latest_to<'a>(
                self,
                target: impl Into<Target<$target>>,
                key: u32,
                message: impl Into<Payload<'a>>,
            ) -> Result<Sent> {
                sys::put_latest(self.0, number_of(target.into())?, key, message.into()).map(sent)
            }

            /// Sends to the clients that have subscribed to a topic ([`Conn::subscribe`]).
            pub fn publish<'a>(self, topic: &str, message: impl Into<Payload<'a>>) -> Result<Sent> {
                sys::publish(self.0, topic, 0, message.into()).map(sent)
            }

            /// The same, but not to one of them.
            pub fn publish_except<'a>(
                self,
                topic: &str,
                except: $target,
                message: impl Into<Payload<'a>>,
            ) -> Result<Sent> {
                sys::publish(self.0, topic, except.number(), message.into()).map(sent)
            }

            /// Publishes in the place of the message with this key that has not left, as `send_latest()` does.
            pub fn publish_latest<'a>(self, topic: &str, key: u32, message: impl Into<Payload<'a>>) -> Result<Sent> {
                sys::publish_latest(self.0, topic, 0, key, message.into()).map(sent)
            }

            /// The same, but not to one of them.
            pub fn publish_latest_except<'a>(
                self,
                topic: &str,
                except: $target,
                key: u32,
                message: impl Into<Payload<'a>>,
            ) -> Result<Sent> {
                sys::publish_latest(self.0, topic, except.number(), key, message.into()).map(sent)
            }

            /// All topics that have subscribers, sorted.
            pub fn topics(self) -> Vec<String> {
                sys::topics(self.0)
            }

            #[doc = concat!("Closes ", $whom, ", all, or all but one, and drops what was received of it. The code and the")]
            /// reason are as in `close()`. A batch that was taken before still has messages of it: leave these out, or
            /// take items one by one, by [`next_event`](crate::Endpoint::next_event).
            pub fn disconnect(self, target: impl Into<Target<$target>>, code: i32, reason: &str) -> Result<()> {
                sys::disconnect(self.0, number_of(target.into())?, code, reason)
            }

            /// The connections of its clients.
            pub fn conns(self) -> Vec<Conn> {
                sys::conns(self.0).into_iter().map(Conn).collect()
            }

            /// The connections of those clients of whom something can be taken.
            pub fn waiting(self) -> Vec<Conn> {
                sys::waiting(self.0).into_iter().map(Conn).collect()
            }

            /// Replaces the certificate of a wss:// server for new connections. If it cannot be used, the old one
            /// stays.
            pub fn set_certificate(self, cert_pem: &str, key_pem: &str) -> Result<()> {
                sys::set_certificate(self.0, cert_pem, key_pem)
            }

            /// Serves the files of a directory to GET and HEAD requests below a prefix, "/" for all.
            pub fn serve(self, prefix: &str, directory: &str) -> Result<()> {
                sys::serve(self.0, prefix, Some(directory), 0)
            }

            /// The same, with headers that let the pages use threads.
            pub fn serve_isolated(self, prefix: &str, directory: &str) -> Result<()> {
                sys::serve(self.0, prefix, Some(directory), c::WS_SERVE_ISOLATED)
            }

            /// Serves nothing below this prefix any more.
            pub fn stop_serving(self, prefix: &str) -> Result<()> {
                sys::serve(self.0, prefix, None, 0)
            }

            /// Ends it without losing its players, within `window_ms`. They come back after `retry_ms` at least, to
            /// `url`, or with `None` to the URL that they have.
            pub fn drain(self, window_ms: u32, retry_ms: u32, url: Option<&str>) -> Result<()> {
                sys::drain(self.0, window_ms, retry_ms, url)
            }
        }
    )+};
}

servers!(ServerRef: Conn = "a client", HostRef: i32 = "a peer");

/// What a join has besides.
impl JoinRef {
    /// Sends to a peer, to all, or to all but one. In Godot 4's format without a scene only the host, 1, can be
    /// reached.
    #[inline]
    pub fn send_to<'a>(self, target: impl Into<Target<i32>>, message: impl Into<Payload<'a>>) -> Result<Sent> {
        sys::put_to(self.0, number_of(target.into())?, message.into()).map(sent)
    }

    /// As [`send_latest`](JoinRef::send_latest), to a target.
    pub fn send_latest_to<'a>(
        self,
        target: impl Into<Target<i32>>,
        key: u32,
        message: impl Into<Payload<'a>>,
    ) -> Result<Sent> {
        sys::put_latest(self.0, number_of(target.into())?, key, message.into()).map(sent)
    }
}

macro_rules! peers {
    ($($name:ident),+) => {$(
        /// What hosts and joins have.
        impl $name {
            /// Its id: 1 of a host; of a join 0 until it has one.
            pub fn peer_id(self) -> i32 {
                ffi::ws_get_peer_id(self.0).max(0)
            }

            /// The connection to a peer by its id: a host's client; of a join its own, for 1.
            pub fn conn(self, peer_id: i32) -> Result<Conn> {
                sys::conn(self.0, peer_id).map(Conn)
            }

            /// With [`Config::scene`](crate::Config::scene): declares a node and all its RPCs, "hello, move, shoot".
            pub fn declare_node(self, path: &str, methods: &str) -> Result<()> {
                sys::declare_node(self.0, path, Some(methods))
            }

            /// Forgets a declared node.
            pub fn forget_node(self, path: &str) -> Result<()> {
                sys::declare_node(self.0, path, None)
            }

            /// Declares a scene of a MultiplayerSpawner, with the properties of its synchronizers:
            /// ".:position, .:skin spawn; Body:health spawn change". `authority` is the peer that may spawn, 0 this
            /// program.
            pub fn declare_scene(self, spawner: &str, authority: i32, scene: u32, synchronizers: &str) -> Result<()> {
                sys::declare_scene(self.0, spawner, authority, scene, Some(synchronizers))
            }

            /// Forgets a declared scene.
            pub fn forget_scene(self, spawner: &str, scene: u32) -> Result<()> {
                sys::declare_scene(self.0, spawner, 0, scene, None)
            }

            /// Declares a MultiplayerSynchronizer by its path. Returns its number for [`sync`](Self::sync), 0 if
            /// another peer is the authority.
            pub fn declare_synchronizer(self, path: &str, authority: i32, properties: &str) -> Result<u32> {
                sys::declare_synchronizer(self.0, path, authority, Some(properties))
            }

            /// Forgets a declared synchronizer.
            pub fn forget_synchronizer(self, path: &str) -> Result<()> {
                sys::declare_synchronizer(self.0, path, 0, None).map(|_| ())
            }

            /// Spawns a node at all peers that may see it, those to come included. Returns its number. `data` is what a
            /// [`CUSTOM_SCENE`](crate::CUSTOM_SCENE) is spawned with, and `None` for other scenes.
            pub fn spawn(
                self,
                spawner: &str,
                scene: u32,
                name: &str,
                data: Option<&Variant>,
                properties: &[(&str, Variant)],
            ) -> Result<u32> {
                let mut items = items_of(data);
                items.add_properties(properties);
                items.spawn(self.0, spawner, scene, name)
            }

            /// Despawns a node of [`spawn`](Self::spawn) at all peers.
            pub fn despawn(self, node: u32) -> Result<()> {
                sys::done(ffi::ws_despawn(self.0, node))
            }

            /// Sends new values of properties of a node to the peers that see it.
            pub fn sync(self, node: u32, properties: &[(&str, Variant)]) -> Result<()> {
                let mut items = items_of(None);
                items.add_properties(properties);
                items.sync(self.0, node)
            }

            /// Shows or hides a node to one peer, or to all with 0.
            pub fn set_visible(self, node: u32, peer_id: i32, visible: bool) -> Result<()> {
                sys::done(ffi::ws_set_visible(self.0, node, peer_id, i32::from(visible)))
            }

            /// With [`Config::auth`](crate::Config::auth): sends data for the authentication of a peer.
            pub fn send_auth(self, peer_id: i32, data: impl AsRef<[u8]>) -> Result<()> {
                sys::send_auth(self.0, peer_id, data.as_ref())
            }

            /// Completes the authentication of a peer on this side.
            pub fn complete_auth(self, peer_id: i32) -> Result<()> {
                sys::done(ffi::ws_complete_auth(self.0, peer_id))
            }
        }
    )+};
}

peers!(HostRef, JoinRef);
