//! Generated from src/codes.rs by `make generate`: change that file.

use super::terminated;
use crate::codes::*;
use std::ffi::CStr;

codes! {
    /// The state of a connection or server (RFC 6455).
    State {
        Connecting = WS_CONNECTING,
        Open = WS_OPEN,
        Closing = WS_CLOSING,
        Closed = WS_CLOSED,
        Lost = WS_LOST,
    }
}

codes! {
    /// The type of a message.
    MessageType {
        Text = WS_TEXT,
        Binary = WS_BINARY,
        Call = WS_CALL,
        Replication = WS_REPLICATION,
        Spawn = WS_SPAWN,
        Despawn = WS_DESPAWN,
        Sync = WS_SYNC,
    }
}

codes! {
    /// What an event reports.
    EventKind {
        Open = WS_EVENT_OPEN,
        Message = WS_EVENT_MESSAGE,
        CloseRequest = WS_EVENT_CLOSE_REQUEST,
        Closed = WS_EVENT_CLOSED,
        Connected = WS_EVENT_CONNECTED,
        Disconnected = WS_EVENT_DISCONNECTED,
        Writable = WS_EVENT_WRITABLE,
        Skipped = WS_EVENT_SKIPPED,
        Error = WS_EVENT_ERROR,
        Authenticating = WS_EVENT_AUTHENTICATING,
        Auth = WS_EVENT_AUTH,
        Step = WS_EVENT_STEP,
        Refused = WS_EVENT_REFUSED,
        Request = WS_EVENT_REQUEST,
        Lost = WS_EVENT_LOST,
        Resumed = WS_EVENT_RESUMED,
        Spawn = WS_EVENT_SPAWN,
        Despawn = WS_EVENT_DESPAWN,
        Sync = WS_EVENT_SYNC,
    }
}

codes! {
    /// How far a connection had come when it ended.
    #[derive(Default)]
    Phase {
        #[default]
        None = WS_PHASE_NONE,
        Dns = WS_PHASE_DNS,
        Tcp = WS_PHASE_TCP,
        Proxy = WS_PHASE_PROXY,
        Tls = WS_PHASE_TLS,
        Http = WS_PHASE_HTTP,
        Websocket = WS_PHASE_WEBSOCKET,
        App = WS_PHASE_APP,
    }
}

codes! {
    /// Why a connection ended or an ERROR was reported.
    #[derive(Default)]
    Cause {
        #[default]
        None = WS_CAUSE_NONE,
        ClosedByHost = WS_CAUSE_CLOSED_BY_HOST,
        ClosedByPeer = WS_CAUSE_CLOSED_BY_PEER,
        Dropped = WS_CAUSE_DROPPED,
        PeerGone = WS_CAUSE_PEER_GONE,
        Reset = WS_CAUSE_RESET,
        ServerClosed = WS_CAUSE_SERVER_CLOSED,
        CloseTimeout = WS_CAUSE_CLOSE_TIMEOUT,
        NotReading = WS_CAUSE_NOT_READING,
        PongTimeout = WS_CAUSE_PONG_TIMEOUT,
        NameNotFound = WS_CAUSE_NAME_NOT_FOUND,
        NameFailed = WS_CAUSE_NAME_FAILED,
        ConnectTimeout = WS_CAUSE_CONNECT_TIMEOUT,
        Refused = WS_CAUSE_REFUSED,
        Unreachable = WS_CAUSE_UNREACHABLE,
        TcpFailed = WS_CAUSE_TCP_FAILED,
        ProxyRefused = WS_CAUSE_PROXY_REFUSED,
        ProxyAuth = WS_CAUSE_PROXY_AUTH,
        ProxyInvalid = WS_CAUSE_PROXY_INVALID,
        LocalNetwork = WS_CAUSE_LOCAL_NETWORK,
        CertificateUntrusted = WS_CAUSE_CERTIFICATE_UNTRUSTED,
        CertificateExpired = WS_CAUSE_CERTIFICATE_EXPIRED,
        CertificateName = WS_CAUSE_CERTIFICATE_NAME,
        CertificatePin = WS_CAUSE_CERTIFICATE_PIN,
        CertificateBad = WS_CAUSE_CERTIFICATE_BAD,
        NotTls = WS_CAUSE_NOT_TLS,
        TlsFailed = WS_CAUSE_TLS_FAILED,
        HttpStatus = WS_CAUSE_HTTP_STATUS,
        HttpInvalid = WS_CAUSE_HTTP_INVALID,
        HttpTooBig = WS_CAUSE_HTTP_TOO_BIG,
        Subprotocol = WS_CAUSE_SUBPROTOCOL,
        HandshakeTimeout = WS_CAUSE_HANDSHAKE_TIMEOUT,
        Limit = WS_CAUSE_LIMIT,
        Protocol = WS_CAUSE_PROTOCOL,
        Utf8 = WS_CAUSE_UTF8,
        TooBig = WS_CAUSE_TOO_BIG,
        Rate = WS_CAUSE_RATE,
        Full = WS_CAUSE_FULL,
        Deflate = WS_CAUSE_DEFLATE,
        Multiplayer = WS_CAUSE_MULTIPLAYER,
        NoPeer = WS_CAUSE_NO_PEER,
        AuthTimeout = WS_CAUSE_AUTH_TIMEOUT,
        Checksum = WS_CAUSE_CHECKSUM,
        NoNode = WS_CAUSE_NO_NODE,
        Unsupported = WS_CAUSE_UNSUPPORTED,
        NoHeartbeat = WS_CAUSE_NO_HEARTBEAT,
        Session = WS_CAUSE_SESSION,
        Ceiling = WS_CAUSE_CEILING,
        Authority = WS_CAUSE_AUTHORITY,
        Resources = WS_CAUSE_RESOURCES,
        Panic = WS_CAUSE_PANIC,
    }
}

codes! {
    /// The result of a call that succeeded.
    Success {
        Ok = WS_OK,
        Empty = WS_EMPTY,
        More = WS_MORE,
        Partial = WS_PARTIAL,
        Truncated = WS_TRUNCATED,
    }
}

codes! {
    /// Why a call failed.
    ErrorCode {
        Arg = WS_ERR_ARG,
        Null = WS_ERR_NULL,
        Handle = WS_ERR_HANDLE,
        Kind = WS_ERR_KIND,
        State = WS_ERR_STATE,
        Full = WS_ERR_FULL,
        TooBig = WS_ERR_TOO_BIG,
        Utf8 = WS_ERR_UTF8,
        Target = WS_ERR_TARGET,
        Config = WS_ERR_CONFIG,
        Url = WS_ERR_URL,
        Tls = WS_ERR_TLS,
        Address = WS_ERR_ADDRESS,
        Unsupported = WS_ERR_UNSUPPORTED,
        Limit = WS_ERR_LIMIT,
        Panic = WS_ERR_PANIC,
        Directory = WS_ERR_DIRECTORY,
    }
}

codes! {
    /// A text that can be asked of a connection.
    Text {
        Url = WS_GET_URL,
        Path = WS_GET_PATH,
        Query = WS_GET_QUERY,
        Subprotocol = WS_GET_SUBPROTOCOL,
        CloseReason = WS_GET_CLOSE_REASON,
        Error = WS_GET_ERROR,
        LocalAddress = WS_GET_LOCAL_ADDRESS,
        RemoteAddress = WS_GET_REMOTE_ADDRESS,
        Body = WS_GET_BODY,
        Tls = WS_GET_TLS,
        Extensions = WS_GET_EXTENSIONS,
        PeerAddress = WS_GET_PEER_ADDRESS,
        Method = WS_GET_METHOD,
    }
}

codes! {
    /// The level of a log line.
    Level {
        Off = WS_LOG_OFF,
        Error = WS_LOG_ERROR,
        Warn = WS_LOG_WARN,
        Info = WS_LOG_INFO,
        Debug = WS_LOG_DEBUG,
    }
}

codes! {
    /// What a program knows of its device and network.
    Hint {
        Suspend = WS_HINT_SUSPEND,
        Resume = WS_HINT_RESUME,
        NetworkChanged = WS_HINT_NETWORK_CHANGED,
    }
}
