//! What a connection or server reports.

use crate::codes::{Cause, ErrorCode, EventKind, MessageKind, Phase, State};
use crate::error::Error;
use crate::godot::{Call, Nodes};
use crate::handle::Conn;
use crate::payload::OwnedMessage;
use std::time::Duration;

/// Which connection an event is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct About {
    /// The connection: a server's client, or the connection itself. It can be kept and used to send.
    pub conn: Conn,
    /// Multiplayer: the id of the peer; in [`Event::Open`] of a join, the join's own id. Else 0.
    pub peer_id: i32,
    /// The value that `set_user()` or [`Config::user`](crate::Config::user) gave the connection.
    pub user: u64,
    /// When it happened: time on the system's monotonic clock since the first call of the library. Zero for messages.
    pub time: Duration,
}

/// What a connection or server reports. What an event holds is lent by the connection until its next use: to keep a
/// message, call [`Message::to_owned`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A connection is open. A join: it has received its id, and with [`Config::auth`](crate::Config::auth) it has been
    /// admitted.
    Open(About),
    /// A message was received.
    Message(Message<'a>),
    /// The peer has started the closing handshake. wspeer answers by itself.
    CloseRequest(CloseRequest<'a>),
    /// The connection, or the server itself, has ended: its last event.
    Closed(End<'a>),
    /// Server, host: a client has connected. Join: a peer is present; peer 1 is the host.
    Connected(About),
    /// Server, host: a client's connection has ended. Join: a peer has left.
    Disconnected(End<'a>),
    /// The outbound queue has room again, after it refused a message.
    Writable(About),
    /// Messages or events were left out because a queue was full.
    Skipped(Skipped),
    /// A failure that does not end the connection.
    Error(Report<'a>),
    /// Multiplayer with [`Config::auth`](crate::Config::auth): a peer has to be authenticated.
    Authenticating(About),
    /// Multiplayer with [`Config::auth`](crate::Config::auth): a peer sent data for its authentication.
    Auth(Auth<'a>),
    /// [`Client::diagnose`](crate::Client::diagnose): a step of opening the connection.
    Step(Report<'a>),
    /// Server with [`Config::report_refused`](crate::Config::report_refused): a client failed before it was connected.
    /// The sentence begins with its address and port, a colon and a space.
    Refused(Report<'a>),
    /// Server with [`Config::ask`](crate::Config::ask): a request waits for [`Conn::accept`] or [`Conn::reply`].
    Request(Request<'a>),
    /// With [`Config::reconnect`](crate::Config::reconnect) or [`Config::session_ms`](crate::Config::session_ms): the
    /// link was lost, and another one is opened.
    Lost(End<'a>),
    /// With [`Config::session_ms`](crate::Config::session_ms): another link continues the session, and nothing was lost.
    Resumed(Resumed),
    /// Multiplayer with [`Config::scene`](crate::Config::scene): a peer has spawned nodes.
    Spawn(Message<'a>),
    /// Multiplayer with [`Config::scene`](crate::Config::scene): a peer has despawned nodes, or shows them no more.
    Despawn(Message<'a>),
    /// Multiplayer with [`Config::scene`](crate::Config::scene): a peer has synchronized properties of nodes.
    Sync(Message<'a>),
}

impl<'a> Event<'a> {
    /// The type of the event.
    pub fn kind(&self) -> EventKind {
        match self {
            Event::Open(_) => EventKind::Open,
            Event::Message(_) => EventKind::Message,
            Event::CloseRequest(_) => EventKind::CloseRequest,
            Event::Closed(_) => EventKind::Closed,
            Event::Connected(_) => EventKind::Connected,
            Event::Disconnected(_) => EventKind::Disconnected,
            Event::Writable(_) => EventKind::Writable,
            Event::Skipped(_) => EventKind::Skipped,
            Event::Error(_) => EventKind::Error,
            Event::Authenticating(_) => EventKind::Authenticating,
            Event::Auth(_) => EventKind::Auth,
            Event::Step(_) => EventKind::Step,
            Event::Refused(_) => EventKind::Refused,
            Event::Request(_) => EventKind::Request,
            Event::Lost(_) => EventKind::Lost,
            Event::Resumed(_) => EventKind::Resumed,
            Event::Spawn(_) => EventKind::Spawn,
            Event::Despawn(_) => EventKind::Despawn,
            Event::Sync(_) => EventKind::Sync,
        }
    }

    /// Which connection and peer it is about.
    pub fn about(&self) -> About {
        match self {
            Event::Open(about) | Event::Connected(about) | Event::Writable(about) | Event::Authenticating(about) => {
                *about
            }
            Event::Message(message) | Event::Spawn(message) | Event::Despawn(message) | Event::Sync(message) => {
                message.about
            }
            Event::CloseRequest(request) => request.about,
            Event::Closed(end) | Event::Disconnected(end) | Event::Lost(end) => end.about,
            Event::Skipped(skipped) => skipped.about,
            Event::Error(report) | Event::Step(report) | Event::Refused(report) => report.about,
            Event::Auth(auth) => auth.about,
            Event::Request(request) => request.about,
            Event::Resumed(resumed) => resumed.about,
        }
    }

    /// The connection that it is about.
    pub fn conn(&self) -> Conn {
        self.about().conn
    }

    /// The message of [`Event::Message`].
    pub fn message(&self) -> Option<Message<'a>> {
        match self {
            Event::Message(message) => Some(*message),
            _ => None,
        }
    }
}

/// A received message. Its bytes are lent until the connection or server is used again: taking the next event, a poll
/// and the end of the connection all need what this borrows.
///
/// ```
/// # let mut pair = wspeer::Pair::open()?;
/// # pair.client.handle();
/// let mut kept = Vec::new();
/// for message in pair.server.messages() {
///     kept.push(message.to_owned());
/// }
/// # Ok::<(), wspeer::Error>(())
/// ```
///
/// A poll while a message is held does not compile:
///
/// ```compile_fail,E0499
/// # let mut pair = wspeer::Pair::open().unwrap();
/// let message = pair.server.next_message();
/// pair.server.poll();
/// println!("{message:?}");
/// ```
///
/// Nor does the end of its connection:
///
/// ```compile_fail,E0505
/// # let mut pair = wspeer::Pair::open().unwrap();
/// let message = pair.server.next_message();
/// drop(pair.server);
/// println!("{message:?}");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    pub(crate) about: About,
    pub(crate) kind: MessageKind,
    pub(crate) bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// What it is.
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// Its content.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Its text, if it was sent as text.
    pub fn text(&self) -> Option<&'a str> {
        if self.kind != MessageKind::Text {
            return None;
        }
        // Valid, as the library checks every text. Checked again: it costs little, and needs no unsafe code.
        std::str::from_utf8(self.bytes).ok()
    }

    /// The connection that received it: on a server, the client that sent it.
    pub fn conn(&self) -> Conn {
        self.about.conn
    }

    /// Multiplayer: the id of the sender. Else 0.
    pub fn peer_id(&self) -> i32 {
        self.about.peer_id
    }

    /// The value that `set_user()` or [`Config::user`](crate::Config::user) gave the connection.
    pub fn user(&self) -> u64 {
        self.about.user
    }

    /// A copy that owns its bytes.
    #[allow(clippy::should_implement_trait, clippy::wrong_self_convention)]
    pub fn to_owned(&self) -> OwnedMessage {
        OwnedMessage { kind: self.kind, bytes: self.bytes.to_vec(), peer_id: self.about.peer_id }
    }

    /// The remote call, if it is one ([`MessageKind::Call`]).
    pub fn call(&self) -> Option<Result<Call, Error>> {
        (self.kind == MessageKind::Call).then(|| Call::decode(self.bytes))
    }

    /// The nodes of [`Event::Spawn`], [`Event::Despawn`] or [`Event::Sync`].
    pub fn nodes(&self) -> Nodes<'a> {
        Nodes::new(self.bytes)
    }
}

/// The peer has started the closing handshake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CloseRequest<'a> {
    /// Which connection it is about.
    pub about: About,
    /// The close code (RFC 6455 section 7.1.5); 1005 if the peer sent none.
    pub code: i32,
    /// The peer's reason.
    pub reason: &'a str,
}

/// How a connection ended, or its link was lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct End<'a> {
    /// Which connection it is about.
    pub about: About,
    /// The close code (RFC 6455 section 7.1.5). 1005: the close frame had none; 1006: there was no close frame.
    pub code: i32,
    /// Whether the closing handshake was completed.
    pub clean: bool,
    /// How far the connection had come.
    pub phase: Phase,
    /// Why it ended.
    pub cause: Cause,
    /// The HTTP status of the response to the opening handshake, or 0.
    pub http_status: i32,
    /// The operating system's error number, or 0.
    pub os_error: i32,
    /// Number of messages that were accepted for sending and not sent.
    pub unsent: u32,
    /// What happened and what to do about it. Empty in what [`Conn::end`] returns: [`Conn::why`] has it.
    pub sentence: &'a str,
}

impl End<'_> {
    /// The end as an error, for a program that gives up: `?` takes it.
    pub fn to_error(&self) -> Error {
        Error {
            code: ErrorCode::State,
            phase: self.phase,
            cause: self.cause,
            sentence: if self.sentence.is_empty() { self.about.conn.why() } else { self.sentence.to_owned() },
        }
    }
}

impl From<End<'_>> for Error {
    fn from(end: End<'_>) -> Error {
        end.to_error()
    }
}

/// Messages or events were left out because a queue was full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Skipped {
    /// A client of a server: its outbound queue had no room for messages to several targets. Else the program did not
    /// take its events.
    pub about: About,
    /// How many.
    pub count: u64,
}

/// Something that went wrong without ending a connection, a client that was refused, or a step of a diagnosis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Report<'a> {
    /// Which connection and peer it is about.
    pub about: About,
    /// The phase that it belongs to.
    pub phase: Phase,
    /// What is wrong; [`Cause::None`]: a step that succeeded.
    pub cause: Cause,
    /// An HTTP status, or 0.
    pub http_status: i32,
    /// The operating system's error number, or 0.
    pub os_error: i32,
    /// The number of packets or clients, where it stands for several.
    pub count: u64,
    /// What happened and what to do about it.
    pub sentence: &'a str,
}

/// Data that a peer sent for its authentication.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Auth<'a> {
    /// Which peer sent it.
    pub about: About,
    /// The data.
    pub data: &'a [u8],
}

/// A request that waits for the program's answer. [`Conn::path`], [`Conn::query`], [`Conn::method`] and
/// [`Conn::header`] have what it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Request<'a> {
    /// The connection to accept or to answer.
    pub about: About,
    /// Whether it asks to open a WebSocket; else it is plain HTTP.
    pub is_websocket: bool,
    /// The body of the request.
    pub body: &'a [u8],
}

/// Another link continues the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Resumed {
    /// Which connection it is about.
    pub about: About,
    /// Number of messages that are sent again.
    pub count: u64,
}

impl State {
    /// Whether the connection has ended. Events may still be queued.
    pub fn is_closed(self) -> bool {
        self == State::Closed
    }
}
