//! The numbers of the library as enums.
//! Generated from include/wspeer.h and src/options.toml by `make generate`: do not edit.

use wspeer_core::codes as c;

/// As a limit or a time, in a `Config` and `set_option()`: unlimited, or switched off.
pub const OFF: u32 = 0xFFFF_FFFF;
/// `declare_scene()`, `spawn()`: what MultiplayerSpawner.spawn(data) makes, by the spawner's spawn_function.
pub const CUSTOM_SCENE: u32 = 255;
/// `Replicated::scene`: the synchronizer is of no spawned node; `declare_synchronizer()` declared it.
pub const NO_SCENE: u32 = 256;

/// Why a call failed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[repr(i32)]
pub enum ErrorCode {
    /// An argument is out of range.
    Arg = c::WS_ERR_ARG,
    /// A required pointer is NULL. The binding passes none.
    Null = c::WS_ERR_NULL,
    /// The handle is invalid: it is 0, stale (freed or retired), or was never issued.
    Handle = c::WS_ERR_HANDLE,
    /// The call does not apply to this type of handle.
    Kind = c::WS_ERR_KIND,
    /// The handle is in the wrong state for the call. Messages can be sent only while OPEN, or before that with
    /// `queue_before_open()`.
    State = c::WS_ERR_STATE,
    /// The outbound queue is full, and the message was not accepted. Poll, and send it again after the WRITABLE event.
    Full = c::WS_ERR_FULL,
    /// A length is too large: a message exceeds max_message_bytes, a call or value does not fit the buffer, or memory
    /// cannot hold it.
    TooBig = c::WS_ERR_TOO_BIG,
    /// A text is not valid UTF-8.
    Utf8 = c::WS_ERR_UTF8,
    /// The target does not exist, or cannot be reached from this handle.
    Target = c::WS_ERR_TARGET,
    /// The `Config` is invalid. The text of the error names the setting.
    Config = c::WS_ERR_CONFIG,
    /// The URL is invalid, or has a part that the call does not allow.
    Url = c::WS_ERR_URL,
    /// A certificate, a key or pin_sha256 in the config cannot be used.
    Tls = c::WS_ERR_TLS,
    /// `Server::listen()` and `Host::open()`: the address cannot be bound. The text of the error has the reason.
    Address = c::WS_ERR_ADDRESS,
    /// This build or platform does not support the call or the option; see `features()`. `Call::decode()` and
    /// `Variant::decode()`: a value has a type that only Godot can read.
    Unsupported = c::WS_ERR_UNSUPPORTED,
    /// A limit of the library or the system is reached: no handle, descriptor, thread or memory is left.
    Limit = c::WS_ERR_LIMIT,
    /// A defect in wspeer was caught. The handle is retired, and with it those that share its lock; the program
    /// continues. `next_log()` has the details.
    Panic = c::WS_ERR_PANIC,
    /// `serve()`: the directory does not exist or cannot be opened. The text of the error has the reason.
    Directory = c::WS_ERR_DIRECTORY,
}

impl ErrorCode {
    /// All of them, in the order of the header.
    pub const ALL: &[ErrorCode] = &[
        ErrorCode::Arg,
        ErrorCode::Null,
        ErrorCode::Handle,
        ErrorCode::Kind,
        ErrorCode::State,
        ErrorCode::Full,
        ErrorCode::TooBig,
        ErrorCode::Utf8,
        ErrorCode::Target,
        ErrorCode::Config,
        ErrorCode::Url,
        ErrorCode::Tls,
        ErrorCode::Address,
        ErrorCode::Unsupported,
        ErrorCode::Limit,
        ErrorCode::Panic,
        ErrorCode::Directory,
    ];

    pub(crate) const fn from_raw(number: i32) -> Option<ErrorCode> {
        match number {
            c::WS_ERR_ARG => Some(ErrorCode::Arg),
            c::WS_ERR_NULL => Some(ErrorCode::Null),
            c::WS_ERR_HANDLE => Some(ErrorCode::Handle),
            c::WS_ERR_KIND => Some(ErrorCode::Kind),
            c::WS_ERR_STATE => Some(ErrorCode::State),
            c::WS_ERR_FULL => Some(ErrorCode::Full),
            c::WS_ERR_TOO_BIG => Some(ErrorCode::TooBig),
            c::WS_ERR_UTF8 => Some(ErrorCode::Utf8),
            c::WS_ERR_TARGET => Some(ErrorCode::Target),
            c::WS_ERR_CONFIG => Some(ErrorCode::Config),
            c::WS_ERR_URL => Some(ErrorCode::Url),
            c::WS_ERR_TLS => Some(ErrorCode::Tls),
            c::WS_ERR_ADDRESS => Some(ErrorCode::Address),
            c::WS_ERR_UNSUPPORTED => Some(ErrorCode::Unsupported),
            c::WS_ERR_LIMIT => Some(ErrorCode::Limit),
            c::WS_ERR_PANIC => Some(ErrorCode::Panic),
            c::WS_ERR_DIRECTORY => Some(ErrorCode::Directory),
            _ => None,
        }
    }
}

/// The state of a connection or server (RFC 6455).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[repr(i32)]
pub enum State {
    /// Name lookup, TCP, TLS or the opening handshake (RFC 6455 section 4) is in progress; with `ask()` the request of
    /// a client waits for the program.
    Connecting = c::WS_CONNECTING,
    /// Messages can be sent and received. A server is OPEN while it listens.
    Open = c::WS_OPEN,
    /// The closing handshake (RFC 6455 section 7.1.2) is in progress. Messages that arrive are still delivered.
    Closing = c::WS_CLOSING,
    /// The connection has ended. Messages received before can still be read.
    Closed = c::WS_CLOSED,
    /// With `reconnect()`: the link was lost, and the next one is not open yet. Messages received before can still be
    /// read. With session_ms, of a client of a server too: messages are accepted.
    Lost = c::WS_LOST,
}

impl State {
    /// All of them, in the order of the header.
    pub const ALL: &[State] = &[State::Connecting, State::Open, State::Closing, State::Closed, State::Lost];

    pub(crate) const fn from_raw(number: i32) -> Option<State> {
        match number {
            c::WS_CONNECTING => Some(State::Connecting),
            c::WS_OPEN => Some(State::Open),
            c::WS_CLOSING => Some(State::Closing),
            c::WS_CLOSED => Some(State::Closed),
            c::WS_LOST => Some(State::Lost),
            _ => None,
        }
    }
}

/// The type of an event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[repr(i32)]
pub enum EventKind {
    /// A connection of `Client::connect()`, `Pair::open()` or `Attached::open()` is OPEN. A join: it has received its
    /// id, `peer_id`, and with `auth()` it has been admitted.
    Open = c::WS_EVENT_OPEN,
    /// A message was received.
    Message = c::WS_EVENT_MESSAGE,
    /// The peer has started the closing handshake (RFC 6455 section 7.1.3). `code` is its status code, 1005 if it sent
    /// none; the text is its reason. wspeer answers by itself.
    CloseRequest = c::WS_EVENT_CLOSE_REQUEST,
    /// The connection, or the server itself, has ended. This is the last event of its handle.
    Closed = c::WS_EVENT_CLOSED,
    /// Server, host: a client has completed its opening handshake. `conn` is its handle; on a host `peer_id` is its
    /// id. Join: peer `peer_id` is present. Peer 1 is the host. The others are reported with `scene()` and `godot3()`
    /// only.
    Connected = c::WS_EVENT_CONNECTED,
    /// Server, host: a client's connection has ended. This is the last event of the client's handle, which retires in
    /// the server's next `poll()`. Join with `scene()` or `godot3()`: peer `peer_id` has left. When the join's own
    /// connection ends, CLOSED stands for all peers.
    Disconnected = c::WS_EVENT_DISCONNECTED,
    /// The outbound queue has room again, after it refused a message.
    Writable = c::WS_EVENT_WRITABLE,
    /// `count` messages or events were left out because a queue was full. `conn` is a client of a server: its outbound
    /// queue had no room for messages to several targets. Reported once until there is room again. `conn` is the
    /// server's own handle, a join, a client that reconnects, or a client of a server whose link was lost more than 8
    /// times: the program did not read its events, so lifecycle events, and on a join errors about other peers, were
    /// dropped.
    Skipped = c::WS_EVENT_SKIPPED,
    /// A failure that does not end the connection. `cause` and the text in the text describe it. The text of any event
    /// has at most 1024 bytes, and quotes at most 256 bytes of a path or name.
    Error = c::WS_EVENT_ERROR,
    /// With `auth()`: peer `peer_id` has to be authenticated. Answer with `send_auth()` and `complete_auth()`, or
    /// refuse it with `disconnect()`, on a join `close()`. AUTH events report the data that it sends. CONNECTED
    /// follows as `complete_auth()` describes.
    Authenticating = c::WS_EVENT_AUTHENTICATING,
    /// With `auth()`: the message holds data that peer `peer_id` sent for its authentication.
    Auth = c::WS_EVENT_AUTH,
    /// `Client::diagnose()`: a step of opening the connection. the text is a sentence about it, `phase` the phase that
    /// it belongs to, `cause` what is wrong (`Cause::None`: the step succeeded), `time_ns` when it happened.
    Step = c::WS_EVENT_STEP,
    /// Server, host, with `report_refused()`: a client failed before CONNECTED. `phase`, `cause` and `http_status` say
    /// why; the text is its address and port, a colon and a space, and the reason as a sentence. `conn` is the server.
    /// `count` is 1; when 256 of them wait to be read, further clients only add to the count of the last.
    Refused = c::WS_EVENT_REFUSED,
    /// Server, host with `ask()`: a client has sent a request on which the program decides: `accept()` or `reply()`.
    /// `conn` is its handle, which is CONNECTING and has the texts and headers of the request. `count` is 1 for a
    /// request to open a WebSocket, 0 for plain HTTP; the message is the body of the request. Either CONNECTED follows
    /// or DISCONNECTED.
    Request = c::WS_EVENT_REQUEST,
    /// Client, join with `reconnect()`: the link was lost, and another is opened. The fields are those of CLOSED;
    /// `unsent` is the number of accepted messages that had not left. OPEN follows, or CLOSED. On a join it stands for
    /// DISCONNECTED of all peers. With session_ms, also of a server's client: nothing is lost, peers stay, and RESUMED
    /// follows, or CLOSED or DISCONNECTED.
    Lost = c::WS_EVENT_LOST,
    /// With session_ms: another link continues the session, and nothing was lost. `count` is the number of messages
    /// that are sent again.
    Resumed = c::WS_EVENT_RESUMED,
    /// With `scene()`: peer `peer_id` has spawned a node of a scene that was declared with `declare_scene()`. the
    /// message is for `Nodes`. The peer's nodes are gone with its DISCONNECTED; on a join also with CLOSED, and with
    /// LOST if there is no session.
    Spawn = c::WS_EVENT_SPAWN,
    /// With `scene()`: peer `peer_id` has despawned such a node, or shows it no more to this one.
    Despawn = c::WS_EVENT_DESPAWN,
    /// With `scene()`: peer `peer_id` has synchronized properties of one node or more.
    Sync = c::WS_EVENT_SYNC,
}

impl EventKind {
    /// All of them, in the order of the header.
    pub const ALL: &[EventKind] = &[
        EventKind::Open,
        EventKind::Message,
        EventKind::CloseRequest,
        EventKind::Closed,
        EventKind::Connected,
        EventKind::Disconnected,
        EventKind::Writable,
        EventKind::Skipped,
        EventKind::Error,
        EventKind::Authenticating,
        EventKind::Auth,
        EventKind::Step,
        EventKind::Refused,
        EventKind::Request,
        EventKind::Lost,
        EventKind::Resumed,
        EventKind::Spawn,
        EventKind::Despawn,
        EventKind::Sync,
    ];

    pub(crate) const fn from_raw(number: i32) -> Option<EventKind> {
        match number {
            c::WS_EVENT_OPEN => Some(EventKind::Open),
            c::WS_EVENT_MESSAGE => Some(EventKind::Message),
            c::WS_EVENT_CLOSE_REQUEST => Some(EventKind::CloseRequest),
            c::WS_EVENT_CLOSED => Some(EventKind::Closed),
            c::WS_EVENT_CONNECTED => Some(EventKind::Connected),
            c::WS_EVENT_DISCONNECTED => Some(EventKind::Disconnected),
            c::WS_EVENT_WRITABLE => Some(EventKind::Writable),
            c::WS_EVENT_SKIPPED => Some(EventKind::Skipped),
            c::WS_EVENT_ERROR => Some(EventKind::Error),
            c::WS_EVENT_AUTHENTICATING => Some(EventKind::Authenticating),
            c::WS_EVENT_AUTH => Some(EventKind::Auth),
            c::WS_EVENT_STEP => Some(EventKind::Step),
            c::WS_EVENT_REFUSED => Some(EventKind::Refused),
            c::WS_EVENT_REQUEST => Some(EventKind::Request),
            c::WS_EVENT_LOST => Some(EventKind::Lost),
            c::WS_EVENT_RESUMED => Some(EventKind::Resumed),
            c::WS_EVENT_SPAWN => Some(EventKind::Spawn),
            c::WS_EVENT_DESPAWN => Some(EventKind::Despawn),
            c::WS_EVENT_SYNC => Some(EventKind::Sync),
            _ => None,
        }
    }
}

/// The type of a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[repr(i32)]
pub enum MessageKind {
    /// A text message, always valid UTF-8 (RFC 6455 section 5.6).
    Text = c::WS_TEXT,
    /// A binary message (RFC 6455 section 5.6).
    Binary = c::WS_BINARY,
    /// A remote call, with `scene()` only. `Call::encode()` makes one to send, `Call::decode()` reads a received one.
    Call = c::WS_CALL,
    /// With `scene()`: a packet of Godot's MultiplayerSpawner or MultiplayerSynchronizer, as it is on the wire.
    /// Received with `raw_replication()` only.
    Replication = c::WS_REPLICATION,
    /// Received, with `scene()`: SPAWN, for `Nodes`.
    Spawn = c::WS_SPAWN,
    /// Received, with `scene()`: DESPAWN, for `Nodes`.
    Despawn = c::WS_DESPAWN,
    /// Received, with `scene()`: SYNC, for `Nodes`.
    Sync = c::WS_SYNC,
}

impl MessageKind {
    /// All of them, in the order of the header.
    pub const ALL: &[MessageKind] = &[
        MessageKind::Text,
        MessageKind::Binary,
        MessageKind::Call,
        MessageKind::Replication,
        MessageKind::Spawn,
        MessageKind::Despawn,
        MessageKind::Sync,
    ];

    pub(crate) const fn from_raw(number: i32) -> Option<MessageKind> {
        match number {
            c::WS_TEXT => Some(MessageKind::Text),
            c::WS_BINARY => Some(MessageKind::Binary),
            c::WS_CALL => Some(MessageKind::Call),
            c::WS_REPLICATION => Some(MessageKind::Replication),
            c::WS_SPAWN => Some(MessageKind::Spawn),
            c::WS_DESPAWN => Some(MessageKind::Despawn),
            c::WS_SYNC => Some(MessageKind::Sync),
            _ => None,
        }
    }
}

/// How far a connection had come when it ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[repr(i32)]
pub enum Phase {
    /// The event has no phase.
    None = c::WS_PHASE_NONE,
    /// Name lookup.
    Dns = c::WS_PHASE_DNS,
    /// Establishing the TCP connection.
    Tcp = c::WS_PHASE_TCP,
    /// With `proxy`: TLS to the proxy, and what it is asked and answers. The phases before it are those of the proxy's
    /// name and address, the phases after it those of the server.
    Proxy = c::WS_PHASE_PROXY,
    /// The TLS handshake, or a later failure of TLS.
    Tls = c::WS_PHASE_TLS,
    /// The opening handshake over HTTP (RFC 6455 section 4).
    Http = c::WS_PHASE_HTTP,
    /// The WebSocket protocol, after the opening handshake.
    Websocket = c::WS_PHASE_WEBSOCKET,
    /// The application: a closing handshake that either side requested, a drop by the program, or a failure in the
    /// protocol above WebSocket, such as an authentication.
    App = c::WS_PHASE_APP,
}

impl Phase {
    /// All of them, in the order of the header.
    pub const ALL: &[Phase] =
        &[Phase::None, Phase::Dns, Phase::Tcp, Phase::Proxy, Phase::Tls, Phase::Http, Phase::Websocket, Phase::App];

    pub(crate) const fn from_raw(number: i32) -> Option<Phase> {
        match number {
            c::WS_PHASE_NONE => Some(Phase::None),
            c::WS_PHASE_DNS => Some(Phase::Dns),
            c::WS_PHASE_TCP => Some(Phase::Tcp),
            c::WS_PHASE_PROXY => Some(Phase::Proxy),
            c::WS_PHASE_TLS => Some(Phase::Tls),
            c::WS_PHASE_HTTP => Some(Phase::Http),
            c::WS_PHASE_WEBSOCKET => Some(Phase::Websocket),
            c::WS_PHASE_APP => Some(Phase::App),
            _ => None,
        }
    }
}

/// Why a connection ended, or what an error event reports.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[repr(i32)]
pub enum Cause {
    /// The event has no cause.
    None = c::WS_CAUSE_NONE,
    /// The program requested the close, and the closing handshake was completed (RFC 6455 section 7.1.4).
    ClosedByHost = c::WS_CAUSE_CLOSED_BY_HOST,
    /// The peer requested the close, and the closing handshake was completed (RFC 6455 section 7.1.4).
    ClosedByPeer = c::WS_CAUSE_CLOSED_BY_PEER,
    /// The program dropped the connection (code -1), or closed it before it was OPEN.
    Dropped = c::WS_CAUSE_DROPPED,
    /// The peer ended the transport without a closing handshake.
    PeerGone = c::WS_CAUSE_PEER_GONE,
    /// The transport was reset or failed. `os_error` is the system's error number.
    Reset = c::WS_CAUSE_RESET,
    /// The server that this client belonged to was closed.
    ServerClosed = c::WS_CAUSE_SERVER_CLOSED,
    /// The close made no progress for close_timeout_ms: the peer did not answer it, or did not read what was sent
    /// before it.
    CloseTimeout = c::WS_CAUSE_CLOSE_TIMEOUT,
    /// The close made no progress for close_timeout_ms, because the inbound queue was full and the program did not
    /// read it.
    NotReading = c::WS_CAUSE_NOT_READING,
    /// The peer sent nothing for pong_timeout_ms, not even a pong (RFC 6455 section 5.5.3).
    PongTimeout = c::WS_CAUSE_PONG_TIMEOUT,
    /// The host name has no address.
    NameNotFound = c::WS_CAUSE_NAME_NOT_FOUND,
    /// The name lookup failed for another reason.
    NameFailed = c::WS_CAUSE_NAME_FAILED,
    /// connect_timeout_ms expired. `phase` is the phase in which it did.
    ConnectTimeout = c::WS_CAUSE_CONNECT_TIMEOUT,
    /// Every address refused the TCP connection.
    Refused = c::WS_CAUSE_REFUSED,
    /// There is no route to any of the addresses.
    Unreachable = c::WS_CAUSE_UNREACHABLE,
    /// TCP failed for another reason. `os_error` is the system's error number.
    TcpFailed = c::WS_CAUSE_TCP_FAILED,
    /// The proxy refused to connect to the server, or could not. If it is an HTTP proxy, `http_status` is its status,
    /// and its headers and the start of its answer's body can be read as those of a server.
    ProxyRefused = c::WS_CAUSE_PROXY_REFUSED,
    /// The proxy requires a user name and password, or refused those of `proxy`.
    ProxyAuth = c::WS_CAUSE_PROXY_AUTH,
    /// The proxy's answer is neither HTTP nor SOCKS 5, as `proxy` says.
    ProxyInvalid = c::WS_CAUSE_PROXY_INVALID,
    /// The system or the browser probably keeps the program from the local network until the user allows it: iOS,
    /// macOS 15, Android 17, Chrome. The text says what to ask for; docs/platforms.md has what to declare.
    LocalNetwork = c::WS_CAUSE_LOCAL_NETWORK,
    /// The certificate was not issued by a trusted authority.
    CertificateUntrusted = c::WS_CAUSE_CERTIFICATE_UNTRUSTED,
    /// The certificate has expired, or is not valid yet. Check the clocks of both machines.
    CertificateExpired = c::WS_CAUSE_CERTIFICATE_EXPIRED,
    /// The certificate was issued for another name.
    CertificateName = c::WS_CAUSE_CERTIFICATE_NAME,
    /// The certificate does not match pin_sha256.
    CertificatePin = c::WS_CAUSE_CERTIFICATE_PIN,
    /// The certificate cannot be used for another reason.
    CertificateBad = c::WS_CAUSE_CERTIFICATE_BAD,
    /// The peer does not speak TLS.
    NotTls = c::WS_CAUSE_NOT_TLS,
    /// TLS failed for another reason.
    TlsFailed = c::WS_CAUSE_TLS_FAILED,
    /// The server answered the request with a status other than 101, which is `http_status`. With `ask()` also the end
    /// of a client that was answered by `reply()`.
    HttpStatus = c::WS_CAUSE_HTTP_STATUS,
    /// The request or the response is not a valid opening handshake (RFC 6455 section 4).
    HttpInvalid = c::WS_CAUSE_HTTP_INVALID,
    /// The header of the request or response exceeds max_header_bytes.
    HttpTooBig = c::WS_CAUSE_HTTP_TOO_BIG,
    /// The two sides have no subprotocol in common, or the server chose one that was not offered.
    Subprotocol = c::WS_CAUSE_SUBPROTOCOL,
    /// A client of the server did not complete its opening handshake within handshake_timeout_ms; with `ask()` also:
    /// the program did not answer its request.
    HandshakeTimeout = c::WS_CAUSE_HANDSHAKE_TIMEOUT,
    /// REFUSED: max_clients or max_clients_per_address is reached, or the server takes no new clients
    /// (`refuse_new()`).
    Limit = c::WS_CAUSE_LIMIT,
    /// The peer violated RFC 6455 (close code 1002).
    Protocol = c::WS_CAUSE_PROTOCOL,
    /// The peer sent a text that is not valid UTF-8 (close code 1007, RFC 6455 section 8.1).
    Utf8 = c::WS_CAUSE_UTF8,
    /// The peer sent a message or frame over max_message_bytes (close code 1009), or a message in more than
    /// max_fragments fragments (1008).
    TooBig = c::WS_CAUSE_TOO_BIG,
    /// The peer exceeded max_messages_per_s or max_bytes_per_s (close code 1008).
    Rate = c::WS_CAUSE_RATE,
    /// The peer did not read, so its outbound queue was full, and on_full is `OnFull::Disconnect` (close code 1008).
    Full = c::WS_CAUSE_FULL,
    /// The peer sent compressed data that cannot be decompressed (close code 1007), or that expands to more than
    /// max_inflate_ratio times its size (1008).
    Deflate = c::WS_CAUSE_DEFLATE,
    /// The peer violated the multiplayer format (close code 1002): a wrong first message, an id below 2, a false
    /// sender, a truncated header, or a value that cannot be read. ERROR of a join with `scene()`: `count` packets of
    /// peer `peer_id`, relayed by the host, violated the format.
    Multiplayer = c::WS_CAUSE_MULTIPLAYER,
    /// ERROR of a host with `scene()` or `godot3()`: `count` messages of peer `peer_id` were addressed to peers that
    /// are not present.
    NoPeer = c::WS_CAUSE_NO_PEER,
    /// The peer was not authenticated within `Opt::AuthTimeoutMs` (close code 1008).
    AuthTimeout = c::WS_CAUSE_AUTH_TIMEOUT,
    /// ERROR with `scene()`: a node has other methods at peer `peer_id` than were declared here. `count` calls or
    /// paths that the peer sent were affected; its calls of that node are dropped.
    Checksum = c::WS_CAUSE_CHECKSUM,
    /// ERROR with `scene()`: `count` calls of peer `peer_id` were dropped, because their node or method is not
    /// declared here.
    NoNode = c::WS_CAUSE_NO_NODE,
    /// ERROR with `scene()`: `count` packets of peer `peer_id` were dropped, because a program cannot use them:
    /// replication, objects as arguments, or authentication or relaying that is not enabled here.
    Unsupported = c::WS_CAUSE_UNSUPPORTED,
    /// ERROR of a client with `app_heartbeat()`: the server does not offer the application heartbeat. Pings (RFC 6455
    /// section 5.5.2) are sent instead.
    NoHeartbeat = c::WS_CAUSE_NO_HEARTBEAT,
    /// The session (session_ms) ended: it was not resumed in time, or the server does not have it any more; `unsent`
    /// messages may not have arrived. ERROR of a client: there is no session, and the connection goes on without.
    Session = c::WS_CAUSE_SESSION,
    /// max_total_mib: all clients together make the server hold too much. ERROR of a server: clients that hold more
    /// than their share are not read from, and messages to them are refused. DISCONNECTED: this client held most and
    /// moved least; what had been received from it and not taken is dropped.
    Ceiling = c::WS_CAUSE_CEILING,
    /// ERROR with `scene()`: `count` packets of peer `peer_id` were dropped, because it spawned or synchronized what
    /// only another peer may: the authority that was declared.
    Authority = c::WS_CAUSE_AUTHORITY,
    /// The system has no descriptor or memory left. ERROR with `scene()`: `count` calls of peer `peer_id` were dropped
    /// for lack of memory.
    Resources = c::WS_CAUSE_RESOURCES,
    /// A defect in wspeer was caught. `next_log()` has the details.
    Panic = c::WS_CAUSE_PANIC,
}

impl Cause {
    /// All of them, in the order of the header.
    pub const ALL: &[Cause] = &[
        Cause::None,
        Cause::ClosedByHost,
        Cause::ClosedByPeer,
        Cause::Dropped,
        Cause::PeerGone,
        Cause::Reset,
        Cause::ServerClosed,
        Cause::CloseTimeout,
        Cause::NotReading,
        Cause::PongTimeout,
        Cause::NameNotFound,
        Cause::NameFailed,
        Cause::ConnectTimeout,
        Cause::Refused,
        Cause::Unreachable,
        Cause::TcpFailed,
        Cause::ProxyRefused,
        Cause::ProxyAuth,
        Cause::ProxyInvalid,
        Cause::LocalNetwork,
        Cause::CertificateUntrusted,
        Cause::CertificateExpired,
        Cause::CertificateName,
        Cause::CertificatePin,
        Cause::CertificateBad,
        Cause::NotTls,
        Cause::TlsFailed,
        Cause::HttpStatus,
        Cause::HttpInvalid,
        Cause::HttpTooBig,
        Cause::Subprotocol,
        Cause::HandshakeTimeout,
        Cause::Limit,
        Cause::Protocol,
        Cause::Utf8,
        Cause::TooBig,
        Cause::Rate,
        Cause::Full,
        Cause::Deflate,
        Cause::Multiplayer,
        Cause::NoPeer,
        Cause::AuthTimeout,
        Cause::Checksum,
        Cause::NoNode,
        Cause::Unsupported,
        Cause::NoHeartbeat,
        Cause::Session,
        Cause::Ceiling,
        Cause::Authority,
        Cause::Resources,
        Cause::Panic,
    ];

    pub(crate) const fn from_raw(number: i32) -> Option<Cause> {
        match number {
            c::WS_CAUSE_NONE => Some(Cause::None),
            c::WS_CAUSE_CLOSED_BY_HOST => Some(Cause::ClosedByHost),
            c::WS_CAUSE_CLOSED_BY_PEER => Some(Cause::ClosedByPeer),
            c::WS_CAUSE_DROPPED => Some(Cause::Dropped),
            c::WS_CAUSE_PEER_GONE => Some(Cause::PeerGone),
            c::WS_CAUSE_RESET => Some(Cause::Reset),
            c::WS_CAUSE_SERVER_CLOSED => Some(Cause::ServerClosed),
            c::WS_CAUSE_CLOSE_TIMEOUT => Some(Cause::CloseTimeout),
            c::WS_CAUSE_NOT_READING => Some(Cause::NotReading),
            c::WS_CAUSE_PONG_TIMEOUT => Some(Cause::PongTimeout),
            c::WS_CAUSE_NAME_NOT_FOUND => Some(Cause::NameNotFound),
            c::WS_CAUSE_NAME_FAILED => Some(Cause::NameFailed),
            c::WS_CAUSE_CONNECT_TIMEOUT => Some(Cause::ConnectTimeout),
            c::WS_CAUSE_REFUSED => Some(Cause::Refused),
            c::WS_CAUSE_UNREACHABLE => Some(Cause::Unreachable),
            c::WS_CAUSE_TCP_FAILED => Some(Cause::TcpFailed),
            c::WS_CAUSE_PROXY_REFUSED => Some(Cause::ProxyRefused),
            c::WS_CAUSE_PROXY_AUTH => Some(Cause::ProxyAuth),
            c::WS_CAUSE_PROXY_INVALID => Some(Cause::ProxyInvalid),
            c::WS_CAUSE_LOCAL_NETWORK => Some(Cause::LocalNetwork),
            c::WS_CAUSE_CERTIFICATE_UNTRUSTED => Some(Cause::CertificateUntrusted),
            c::WS_CAUSE_CERTIFICATE_EXPIRED => Some(Cause::CertificateExpired),
            c::WS_CAUSE_CERTIFICATE_NAME => Some(Cause::CertificateName),
            c::WS_CAUSE_CERTIFICATE_PIN => Some(Cause::CertificatePin),
            c::WS_CAUSE_CERTIFICATE_BAD => Some(Cause::CertificateBad),
            c::WS_CAUSE_NOT_TLS => Some(Cause::NotTls),
            c::WS_CAUSE_TLS_FAILED => Some(Cause::TlsFailed),
            c::WS_CAUSE_HTTP_STATUS => Some(Cause::HttpStatus),
            c::WS_CAUSE_HTTP_INVALID => Some(Cause::HttpInvalid),
            c::WS_CAUSE_HTTP_TOO_BIG => Some(Cause::HttpTooBig),
            c::WS_CAUSE_SUBPROTOCOL => Some(Cause::Subprotocol),
            c::WS_CAUSE_HANDSHAKE_TIMEOUT => Some(Cause::HandshakeTimeout),
            c::WS_CAUSE_LIMIT => Some(Cause::Limit),
            c::WS_CAUSE_PROTOCOL => Some(Cause::Protocol),
            c::WS_CAUSE_UTF8 => Some(Cause::Utf8),
            c::WS_CAUSE_TOO_BIG => Some(Cause::TooBig),
            c::WS_CAUSE_RATE => Some(Cause::Rate),
            c::WS_CAUSE_FULL => Some(Cause::Full),
            c::WS_CAUSE_DEFLATE => Some(Cause::Deflate),
            c::WS_CAUSE_MULTIPLAYER => Some(Cause::Multiplayer),
            c::WS_CAUSE_NO_PEER => Some(Cause::NoPeer),
            c::WS_CAUSE_AUTH_TIMEOUT => Some(Cause::AuthTimeout),
            c::WS_CAUSE_CHECKSUM => Some(Cause::Checksum),
            c::WS_CAUSE_NO_NODE => Some(Cause::NoNode),
            c::WS_CAUSE_UNSUPPORTED => Some(Cause::Unsupported),
            c::WS_CAUSE_NO_HEARTBEAT => Some(Cause::NoHeartbeat),
            c::WS_CAUSE_SESSION => Some(Cause::Session),
            c::WS_CAUSE_CEILING => Some(Cause::Ceiling),
            c::WS_CAUSE_AUTHORITY => Some(Cause::Authority),
            c::WS_CAUSE_RESOURCES => Some(Cause::Resources),
            c::WS_CAUSE_PANIC => Some(Cause::Panic),
            _ => None,
        }
    }
}

/// What a message to several targets does about one whose queue is full.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[repr(u32)]
pub enum OnFull {
    /// Skip that target: the call returns `Partial`, SKIPPED is reported, and WRITABLE once there is room. The default
    /// of servers.
    Skip = c::WS_FULL_SKIP,
    /// Disconnect that target with the close code 1008; the call returns `Partial`. The default of hosts.
    Disconnect = c::WS_FULL_DISCONNECT,
    /// Accept the message for all targets or for none: the call fails with `ErrorCode::Full`. A client that has lost
    /// its link (session_ms) holds up nobody: if it is full, its session ends, and the call returns `Partial`.
    AllOrNone = c::WS_FULL_ALL_OR_NONE,
}

impl OnFull {
    /// All of them, in the order of the header.
    pub const ALL: &[OnFull] = &[OnFull::Skip, OnFull::Disconnect, OnFull::AllOrNone];
}

/// The role of a connection of [`Attached`](crate::Attached).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[repr(i32)]
pub enum Role {
    /// The client: it sends the request and masks its frames (RFC 6455 section 5.3).
    Client = c::WS_ROLE_CLIENT,
    /// The server: it answers the request.
    Server = c::WS_ROLE_SERVER,
}

impl Role {
    /// All of them, in the order of the header.
    pub const ALL: &[Role] = &[Role::Client, Role::Server];
}

/// An option that can be read and set while a connection or server is open.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[repr(i32)]
pub enum Opt {
    /// TCP_NODELAY: 1 (default) or 0.
    NoDelay = c::WS_OPT_NO_DELAY,
    /// `heartbeat_ms`; 0 and `OFF`: no pings. If it is switched on while OPEN, the next poll pings.
    HeartbeatMs = c::WS_OPT_HEARTBEAT_MS,
    /// `pong_timeout_ms`; 0: three times heartbeat_ms.
    PongTimeoutMs = c::WS_OPT_PONG_TIMEOUT_MS,
    /// `close_timeout_ms`.
    CloseTimeoutMs = c::WS_OPT_CLOSE_TIMEOUT_MS,
    /// `poll_budget_us`.
    PollBudgetUs = c::WS_OPT_POLL_BUDGET_US,
    /// `max_message_bytes`.
    MaxMessageBytes = c::WS_OPT_MAX_MESSAGE_BYTES,
    /// `max_fragments`.
    MaxFragments = c::WS_OPT_MAX_FRAGMENTS,
    /// `inbound_packets`.
    InboundPackets = c::WS_OPT_INBOUND_PACKETS,
    /// `inbound_bytes`.
    InboundBytes = c::WS_OPT_INBOUND_BYTES,
    /// `outbound_packets`.
    OutboundPackets = c::WS_OPT_OUTBOUND_PACKETS,
    /// `outbound_bytes`.
    OutboundBytes = c::WS_OPT_OUTBOUND_BYTES,
    /// `max_messages_per_s`.
    MaxMessagesPerS = c::WS_OPT_MAX_MESSAGES_PER_S,
    /// `max_bytes_per_s`.
    MaxBytesPerS = c::WS_OPT_MAX_BYTES_PER_S,
    /// The flag `coalesce()`: 0 or 1.
    Coalesce = c::WS_OPT_COALESCE,
    /// Server: the flag `refuse_new()`: 0 or 1.
    RefuseNew = c::WS_OPT_REFUSE_NEW,
    /// Server: `max_clients`.
    MaxClients = c::WS_OPT_MAX_CLIENTS,
    /// Server: `max_clients_per_address`.
    MaxClientsPerAddress = c::WS_OPT_MAX_CLIENTS_PER_ADDRESS,
    /// Server: `max_pending_handshakes`.
    MaxPendingHandshakes = c::WS_OPT_MAX_PENDING_HANDSHAKES,
    /// Server: `handshake_timeout_ms`.
    HandshakeTimeoutMs = c::WS_OPT_HANDSHAKE_TIMEOUT_MS,
    /// Server: `on_full`.
    OnFull = c::WS_OPT_ON_FULL,
    /// The local port, read only: the one chosen for "ws://127.0.0.1:0".
    Port = c::WS_OPT_PORT,
    /// `deflate_threshold_bytes`.
    DeflateThresholdBytes = c::WS_OPT_DEFLATE_THRESHOLD_BYTES,
    /// `max_inflate_ratio`.
    MaxInflateRatio = c::WS_OPT_MAX_INFLATE_RATIO,
    /// Host, join: Godot's transfer mode, 0 (unreliable), 1 (unreliable ordered) or 2 (reliable; default). Only
    /// stored: every packet is reliable and ordered.
    TransferMode = c::WS_OPT_TRANSFER_MODE,
    /// Host, join: Godot's transfer channel (default 0). Only stored: every packet uses the one connection.
    TransferChannel = c::WS_OPT_TRANSFER_CHANNEL,
    /// Host, join with `auth()`: time limit of the authentication of a peer, in milliseconds (default: 3000); `OFF`:
    /// none. It applies to peers that arrive later.
    AuthTimeoutMs = c::WS_OPT_AUTH_TIMEOUT_MS,
    /// Host, join: `max_call_bytes`.
    MaxCallBytes = c::WS_OPT_MAX_CALL_BYTES,
    /// Host, join: `max_call_items`.
    MaxCallItems = c::WS_OPT_MAX_CALL_ITEMS,
    /// Server: `max_body_bytes`.
    MaxBodyBytes = c::WS_OPT_MAX_BODY_BYTES,
    /// Server: the flag `report_refused()`: 0 or 1. `stats()` counts refused clients in any case.
    ReportRefused = c::WS_OPT_REPORT_REFUSED,
    /// Server: `max_downloads`.
    MaxDownloads = c::WS_OPT_MAX_DOWNLOADS,
    /// Server: `max_downloads_per_address`.
    MaxDownloadsPerAddress = c::WS_OPT_MAX_DOWNLOADS_PER_ADDRESS,
    /// Server: time in which a client of `serve()` must take 64 KiB of a file, in milliseconds (default: 30000);
    /// `OFF`: any. A slower client is dropped.
    DownloadTimeoutMs = c::WS_OPT_DOWNLOAD_TIMEOUT_MS,
    /// `retry_min_ms`.
    RetryMinMs = c::WS_OPT_RETRY_MIN_MS,
    /// `retry_max_ms`.
    RetryMaxMs = c::WS_OPT_RETRY_MAX_MS,
    /// `retry_tries`.
    RetryTries = c::WS_OPT_RETRY_TRIES,
    /// Server: `max_lost`.
    MaxLost = c::WS_OPT_MAX_LOST,
    /// Server: `max_topics`.
    MaxTopics = c::WS_OPT_MAX_TOPICS,
    /// Server: `max_server_topics`.
    MaxServerTopics = c::WS_OPT_MAX_SERVER_TOPICS,
    /// Server: `max_total_mib`.
    MaxTotalMib = c::WS_OPT_MAX_TOTAL_MIB,
    /// `max_put_bytes`; a host or join has 65535 unless it is set.
    MaxPutBytes = c::WS_OPT_MAX_PUT_BYTES,
    /// Server: 1: new clients are not even accepted but wait in the system's queue until it is 0 again, as with
    /// Godot's own classes; those in their opening handshake are refused as by `Opt::RefuseNew`.
    HoldNew = c::WS_OPT_HOLD_NEW,
}

impl Opt {
    /// All of them, in the order of the header.
    pub const ALL: &[Opt] = &[
        Opt::NoDelay,
        Opt::HeartbeatMs,
        Opt::PongTimeoutMs,
        Opt::CloseTimeoutMs,
        Opt::PollBudgetUs,
        Opt::MaxMessageBytes,
        Opt::MaxFragments,
        Opt::InboundPackets,
        Opt::InboundBytes,
        Opt::OutboundPackets,
        Opt::OutboundBytes,
        Opt::MaxMessagesPerS,
        Opt::MaxBytesPerS,
        Opt::Coalesce,
        Opt::RefuseNew,
        Opt::MaxClients,
        Opt::MaxClientsPerAddress,
        Opt::MaxPendingHandshakes,
        Opt::HandshakeTimeoutMs,
        Opt::OnFull,
        Opt::Port,
        Opt::DeflateThresholdBytes,
        Opt::MaxInflateRatio,
        Opt::TransferMode,
        Opt::TransferChannel,
        Opt::AuthTimeoutMs,
        Opt::MaxCallBytes,
        Opt::MaxCallItems,
        Opt::MaxBodyBytes,
        Opt::ReportRefused,
        Opt::MaxDownloads,
        Opt::MaxDownloadsPerAddress,
        Opt::DownloadTimeoutMs,
        Opt::RetryMinMs,
        Opt::RetryMaxMs,
        Opt::RetryTries,
        Opt::MaxLost,
        Opt::MaxTopics,
        Opt::MaxServerTopics,
        Opt::MaxTotalMib,
        Opt::MaxPutBytes,
        Opt::HoldNew,
    ];
}

/// What a program knows of its device and network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[repr(i32)]
pub enum Hint {
    /// The app is suspended or hidden: a client that has lost its link begins no try until another hint.
    Suspend = c::WS_HINT_SUSPEND,
    /// The app is shown again: the link is lost unless the peer answers a ping within 2 s; a client that waits for its
    /// next try begins it now.
    Resume = c::WS_HINT_RESUME,
    /// The network has changed, for instance from Wi-Fi to mobile: as `Hint::Resume`, and with a session the client
    /// opens another link beside its own, to which it moves once that is open.
    NetworkChanged = c::WS_HINT_NETWORK_CHANGED,
}

impl Hint {
    /// All of them, in the order of the header.
    pub const ALL: &[Hint] = &[Hint::Suspend, Hint::Resume, Hint::NetworkChanged];
}

/// The level of log lines.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[repr(i32)]
pub enum LogLevel {
    /// No lines.
    Off = c::WS_LOG_OFF,
    /// Defects of wspeer, and system failures that concern no single connection.
    Error = c::WS_LOG_ERROR,
    /// Probable mistakes such as `insecure()`, and clients that were refused. The default.
    Warn = c::WS_LOG_WARN,
    /// Connections that open and end, and servers that listen.
    Info = c::WS_LOG_INFO,
    /// Details of connecting and freeing.
    Debug = c::WS_LOG_DEBUG,
}

impl LogLevel {
    /// All of them, in the order of the header.
    pub const ALL: &[LogLevel] = &[LogLevel::Off, LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug];
}

/// What a build and platform may support.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[repr(u32)]
pub enum Feature {
    /// `Client::connect()` over ws://.
    Client = c::WS_FEATURE_CLIENT,
    /// `Server::listen()`.
    Server = c::WS_FEATURE_SERVER,
    /// wss:// URLs.
    Tls = c::WS_FEATURE_TLS,
    /// Setting request headers and reading response headers.
    Headers = c::WS_FEATURE_HEADERS,
    /// Pings and their round-trip time (RFC 6455 section 5.5.2).
    Ping = c::WS_FEATURE_PING,
    /// `wait()`.
    Wait = c::WS_FEATURE_WAIT,
    /// `Pair::open()` and `Attached::open()`.
    Pair = c::WS_FEATURE_PAIR,
    /// permessage-deflate (RFC 7692).
    Deflate = c::WS_FEATURE_DEFLATE,
    /// `Join::connect()`; with `Feature::Server` also `Host::listen()` and `Host::join_local()`.
    Multiplayer = c::WS_FEATURE_MULTIPLAYER,
    /// `scene()`.
    Scene = c::WS_FEATURE_SCENE,
}

impl Feature {
    /// All of them, in the order of the header.
    pub const ALL: &[Feature] = &[
        Feature::Client,
        Feature::Server,
        Feature::Tls,
        Feature::Headers,
        Feature::Ping,
        Feature::Wait,
        Feature::Pair,
        Feature::Deflate,
        Feature::Multiplayer,
        Feature::Scene,
    ];
}

/// A bad network with a name, for [`Sim::preset`](crate::Sim::preset).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[repr(i32)]
pub enum SimPreset {
    /// A perfect network.
    None = c::WS_SIM_NONE,
    /// A busy Wi-Fi: a tenth of the packets takes more than 100 ms there and back.
    Wifi = c::WS_SIM_WIFI,
    /// 4G (LTE) of somebody who moves.
    Mobile4g = c::WS_SIM_4G,
    /// A train or a car between cells: nothing arrives for two seconds every half minute.
    Train = c::WS_SIM_TRAIN,
    /// A geostationary satellite: 630 ms there and back.
    Satellite = c::WS_SIM_SATELLITE,
}

impl SimPreset {
    /// All of them, in the order of the header.
    pub const ALL: &[SimPreset] =
        &[SimPreset::None, SimPreset::Wifi, SimPreset::Mobile4g, SimPreset::Train, SimPreset::Satellite];
}

/// The type of a Godot value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
#[repr(i32)]
pub enum VariantKind {
    /// null.
    Nil = c::WS_VARIANT_NIL,
    /// bool, in `integer`.
    Bool = c::WS_VARIANT_BOOL,
    /// int, in `integer`.
    Int = c::WS_VARIANT_INT,
    /// float, in `number[0]`.
    Float = c::WS_VARIANT_FLOAT,
    /// String: UTF-8 in data and len.
    String = c::WS_VARIANT_STRING,
    /// Vector2: x, y in `number`.
    Vector2 = c::WS_VARIANT_VECTOR2,
    /// Vector2i: x, y.
    Vector2i = c::WS_VARIANT_VECTOR2I,
    /// Rect2: position, size.
    Rect2 = c::WS_VARIANT_RECT2,
    /// Rect2i: position, size.
    Rect2i = c::WS_VARIANT_RECT2I,
    /// Vector3: x, y, z.
    Vector3 = c::WS_VARIANT_VECTOR3,
    /// Vector3i: x, y, z.
    Vector3i = c::WS_VARIANT_VECTOR3I,
    /// Transform2D: x axis, y axis, origin.
    Transform2d = c::WS_VARIANT_TRANSFORM2D,
    /// Vector4: x, y, z, w.
    Vector4 = c::WS_VARIANT_VECTOR4,
    /// Vector4i: x, y, z, w.
    Vector4i = c::WS_VARIANT_VECTOR4I,
    /// Plane: normal, d.
    Plane = c::WS_VARIANT_PLANE,
    /// Quaternion: x, y, z, w.
    Quaternion = c::WS_VARIANT_QUATERNION,
    /// AABB: position, size.
    Aabb = c::WS_VARIANT_AABB,
    /// Basis: row by row. The first row has the x components of the three axes.
    Basis = c::WS_VARIANT_BASIS,
    /// Transform3D: its Basis, then its origin.
    Transform3d = c::WS_VARIANT_TRANSFORM3D,
    /// Projection: column by column.
    Projection = c::WS_VARIANT_PROJECTION,
    /// Color: r, g, b, a.
    Color = c::WS_VARIANT_COLOR,
    /// StringName: as STRING.
    StringName = c::WS_VARIANT_STRING_NAME,
    /// NodePath: `count` STRING items follow, first names, then `number[0]` sub-names. `integer` is 1 if the path is
    /// absolute.
    NodePath = c::WS_VARIANT_NODE_PATH,
    /// RID: cannot be sent.
    Rid = c::WS_VARIANT_RID,
    /// Object: cannot be sent.
    Object = c::WS_VARIANT_OBJECT,
    /// Callable: cannot be sent.
    Callable = c::WS_VARIANT_CALLABLE,
    /// Signal: cannot be sent.
    Signal = c::WS_VARIANT_SIGNAL,
    /// Dictionary: `count` pairs of items follow, each a key and its value. In a typed one `integer` is the type of
    /// the keys plus 256 times the type of the values.
    Dictionary = c::WS_VARIANT_DICTIONARY,
    /// Array: `count` values follow. In a typed one `integer` is the type of the elements.
    Array = c::WS_VARIANT_ARRAY,
    /// PackedByteArray: `count` bytes in data.
    PackedByteArray = c::WS_VARIANT_PACKED_BYTE_ARRAY,
    /// PackedInt32Array: `count` int32_t in data. The elements of this and the following arrays are little-endian and
    /// may be unaligned: copy them out.
    PackedInt32Array = c::WS_VARIANT_PACKED_INT32_ARRAY,
    /// PackedInt64Array: `count` int64_t.
    PackedInt64Array = c::WS_VARIANT_PACKED_INT64_ARRAY,
    /// PackedFloat32Array: `count` floats.
    PackedFloat32Array = c::WS_VARIANT_PACKED_FLOAT32_ARRAY,
    /// PackedFloat64Array: `count` doubles.
    PackedFloat64Array = c::WS_VARIANT_PACKED_FLOAT64_ARRAY,
    /// PackedStringArray: `count` STRING items follow.
    PackedStringArray = c::WS_VARIANT_PACKED_STRING_ARRAY,
    /// PackedVector2Array: 2 floats for each element, or 2 doubles from an engine built with double precision; `len`
    /// is then twice as large.
    PackedVector2Array = c::WS_VARIANT_PACKED_VECTOR2_ARRAY,
    /// PackedVector3Array: 3 floats or doubles for each element.
    PackedVector3Array = c::WS_VARIANT_PACKED_VECTOR3_ARRAY,
    /// PackedColorArray: 4 floats for each element.
    PackedColorArray = c::WS_VARIANT_PACKED_COLOR_ARRAY,
    /// PackedVector4Array: 4 floats or doubles for each element.
    PackedVector4Array = c::WS_VARIANT_PACKED_VECTOR4_ARRAY,
}

impl VariantKind {
    /// All of them, in the order of the header.
    pub const ALL: &[VariantKind] = &[
        VariantKind::Nil,
        VariantKind::Bool,
        VariantKind::Int,
        VariantKind::Float,
        VariantKind::String,
        VariantKind::Vector2,
        VariantKind::Vector2i,
        VariantKind::Rect2,
        VariantKind::Rect2i,
        VariantKind::Vector3,
        VariantKind::Vector3i,
        VariantKind::Transform2d,
        VariantKind::Vector4,
        VariantKind::Vector4i,
        VariantKind::Plane,
        VariantKind::Quaternion,
        VariantKind::Aabb,
        VariantKind::Basis,
        VariantKind::Transform3d,
        VariantKind::Projection,
        VariantKind::Color,
        VariantKind::StringName,
        VariantKind::NodePath,
        VariantKind::Rid,
        VariantKind::Object,
        VariantKind::Callable,
        VariantKind::Signal,
        VariantKind::Dictionary,
        VariantKind::Array,
        VariantKind::PackedByteArray,
        VariantKind::PackedInt32Array,
        VariantKind::PackedInt64Array,
        VariantKind::PackedFloat32Array,
        VariantKind::PackedFloat64Array,
        VariantKind::PackedStringArray,
        VariantKind::PackedVector2Array,
        VariantKind::PackedVector3Array,
        VariantKind::PackedColorArray,
        VariantKind::PackedVector4Array,
    ];

    pub(crate) const fn from_raw(number: i32) -> Option<VariantKind> {
        match number {
            c::WS_VARIANT_NIL => Some(VariantKind::Nil),
            c::WS_VARIANT_BOOL => Some(VariantKind::Bool),
            c::WS_VARIANT_INT => Some(VariantKind::Int),
            c::WS_VARIANT_FLOAT => Some(VariantKind::Float),
            c::WS_VARIANT_STRING => Some(VariantKind::String),
            c::WS_VARIANT_VECTOR2 => Some(VariantKind::Vector2),
            c::WS_VARIANT_VECTOR2I => Some(VariantKind::Vector2i),
            c::WS_VARIANT_RECT2 => Some(VariantKind::Rect2),
            c::WS_VARIANT_RECT2I => Some(VariantKind::Rect2i),
            c::WS_VARIANT_VECTOR3 => Some(VariantKind::Vector3),
            c::WS_VARIANT_VECTOR3I => Some(VariantKind::Vector3i),
            c::WS_VARIANT_TRANSFORM2D => Some(VariantKind::Transform2d),
            c::WS_VARIANT_VECTOR4 => Some(VariantKind::Vector4),
            c::WS_VARIANT_VECTOR4I => Some(VariantKind::Vector4i),
            c::WS_VARIANT_PLANE => Some(VariantKind::Plane),
            c::WS_VARIANT_QUATERNION => Some(VariantKind::Quaternion),
            c::WS_VARIANT_AABB => Some(VariantKind::Aabb),
            c::WS_VARIANT_BASIS => Some(VariantKind::Basis),
            c::WS_VARIANT_TRANSFORM3D => Some(VariantKind::Transform3d),
            c::WS_VARIANT_PROJECTION => Some(VariantKind::Projection),
            c::WS_VARIANT_COLOR => Some(VariantKind::Color),
            c::WS_VARIANT_STRING_NAME => Some(VariantKind::StringName),
            c::WS_VARIANT_NODE_PATH => Some(VariantKind::NodePath),
            c::WS_VARIANT_RID => Some(VariantKind::Rid),
            c::WS_VARIANT_OBJECT => Some(VariantKind::Object),
            c::WS_VARIANT_CALLABLE => Some(VariantKind::Callable),
            c::WS_VARIANT_SIGNAL => Some(VariantKind::Signal),
            c::WS_VARIANT_DICTIONARY => Some(VariantKind::Dictionary),
            c::WS_VARIANT_ARRAY => Some(VariantKind::Array),
            c::WS_VARIANT_PACKED_BYTE_ARRAY => Some(VariantKind::PackedByteArray),
            c::WS_VARIANT_PACKED_INT32_ARRAY => Some(VariantKind::PackedInt32Array),
            c::WS_VARIANT_PACKED_INT64_ARRAY => Some(VariantKind::PackedInt64Array),
            c::WS_VARIANT_PACKED_FLOAT32_ARRAY => Some(VariantKind::PackedFloat32Array),
            c::WS_VARIANT_PACKED_FLOAT64_ARRAY => Some(VariantKind::PackedFloat64Array),
            c::WS_VARIANT_PACKED_STRING_ARRAY => Some(VariantKind::PackedStringArray),
            c::WS_VARIANT_PACKED_VECTOR2_ARRAY => Some(VariantKind::PackedVector2Array),
            c::WS_VARIANT_PACKED_VECTOR3_ARRAY => Some(VariantKind::PackedVector3Array),
            c::WS_VARIANT_PACKED_COLOR_ARRAY => Some(VariantKind::PackedColorArray),
            c::WS_VARIANT_PACKED_VECTOR4_ARRAY => Some(VariantKind::PackedVector4Array),
            _ => None,
        }
    }
}
