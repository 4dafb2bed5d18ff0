//! Every number that crosses the boundary, each with its meaning. Append-only: a number keeps its meaning for ever.
//! `cbindgen` copies these comments into the header.

mod options;
mod variants;

pub use options::*;
pub use variants::*;

/// Version of this header and library: major * 10000 + minor * 100 + patch. See ws_version().
pub const WS_VERSION: u32 = 100;
/// Version of the binary interface. It changes only when a program built against an older header would break.
pub const WS_ABI_VERSION: u32 = 1;

/// In a limit or a time of ws_config and ws_set_option(): switched off, or unlimited.
pub const WS_OFF: u32 = 0xFFFF_FFFF;

// --- Results: 0 and above are successes, below 0 are failures. ---

/// Done.
pub const WS_OK: i32 = 0;
/// Nothing waits; ask again next frame.
pub const WS_EMPTY: i32 = 1;
/// ws_poll(): the budget ended with work left. Nothing is lost; the next poll goes on. A host with time left may poll again.
pub const WS_MORE: i32 = 2;
/// Some of several targets could not take the message; SKIPPED events say which.
pub const WS_PARTIAL: i32 = 3;
/// The buffer was too short: the text was cut at a code point and terminated; *len holds the whole length.
pub const WS_TRUNCATED: i32 = 4;
/// An argument is out of its range.
pub const WS_ERR_ARG: i32 = -1;
/// A pointer that must not be NULL is NULL.
pub const WS_ERR_NULL: i32 = -2;
/// The handle is 0, stale (freed or retired) or was never given out.
pub const WS_ERR_HANDLE: i32 = -3;
/// This kind of handle has no such call; see the table of verbs and kinds.
pub const WS_ERR_KIND: i32 = -4;
/// Not in this state: messages can be put only while OPEN (or before, with WS_QUEUE_BEFORE_OPEN).
pub const WS_ERR_STATE: i32 = -5;
/// The outbound queue is full and the message was not taken. Poll, and put it again after the WRITABLE event.
pub const WS_ERR_FULL: i32 = -6;
/// The message is over max_message_bytes, or a length is over what memory can hold.
pub const WS_ERR_TOO_BIG: i32 = -7;
/// Text is not valid UTF-8.
pub const WS_ERR_UTF8: i32 = -8;
/// There is no such target.
pub const WS_ERR_TARGET: i32 = -9;
/// The ws_config is not usable: its size, its flags or one of its values. ws_last_error() names the field.
pub const WS_ERR_CONFIG: i32 = -10;
/// The URL cannot be used.
pub const WS_ERR_URL: i32 = -11;
/// A certificate, key or pin in the config cannot be used.
pub const WS_ERR_TLS: i32 = -12;
/// ws_listen(): the address cannot be bound; ws_last_error() has the reason.
pub const WS_ERR_ADDRESS: i32 = -13;
/// This build or platform cannot do it; see ws_get_features().
pub const WS_ERR_UNSUPPORTED: i32 = -14;
/// A limit of the library or the system: no handle, descriptor, thread or memory left.
pub const WS_ERR_LIMIT: i32 = -15;
/// A defect in wspeer was caught. The handle and its family are retired, the host goes on, the log has the text.
pub const WS_ERR_PANIC: i32 = -16;

// --- Types of messages: the opcodes of RFC 6455 section 5.2. ---

/// A text message: UTF-8, checked.
pub const WS_TEXT: i32 = 1;
/// A binary message.
pub const WS_BINARY: i32 = 2;
/// A remote call, with WS_SCENE alone: put what ws_encode_call() made, give what came to ws_decode_call().
pub const WS_CALL: i32 = 3;

// --- States of a connection: RFC 6455 and the browser's WebSocket.readyState. ---

/// Name lookup, TCP, TLS or the opening handshake is under way.
pub const WS_CONNECTING: i32 = 0;
/// Messages flow. A server: it listens.
pub const WS_OPEN: i32 = 1;
/// The closing handshake is under way. Messages that arrive are still delivered.
pub const WS_CLOSING: i32 = 2;
/// The connection has ended. What it received stays readable.
pub const WS_CLOSED: i32 = 3;

// --- Events. ---

/// A connection of ws_connect, ws_pair or ws_attach is open. A join: its id has come, and is event.peer_id.
pub const WS_EVENT_OPEN: i32 = 1;
/// A message, in event.packet.
pub const WS_EVENT_MESSAGE: i32 = 2;
/// The peer has started the closing handshake; code and text are its close code (1005: none) and reason. wspeer answers by itself.
pub const WS_EVENT_CLOSE_REQUEST: i32 = 3;
/// The connection, or the server itself, has ended. Last event of its handle.
pub const WS_EVENT_CLOSED: i32 = 4;
/// Server, host: a client has finished its opening handshake; event.conn is its handle, and on a host event.peer_id its id.
/// Join: peer event.peer_id is there: the host, 1, and in a scene and in Godot 3's format each other one.
pub const WS_EVENT_CONNECTED: i32 = 5;
/// Server, host: a client has ended. Last event of its handle, which retires in the server's next ws_poll().
/// Join in a scene or in Godot 3's format: peer event.peer_id has gone; when this connection itself ends, CLOSED stands for all.
pub const WS_EVENT_DISCONNECTED: i32 = 6;
/// The outbound queue refused a message earlier and has room again.
pub const WS_EVENT_WRITABLE: i32 = 7;
/// event.count messages for event.conn were not taken because its queue was full (once per stall), or, when event.conn is the server's own
/// handle or that of a join, event.count lifecycle events, and of a join errors of others, were left out because nobody read them.
pub const WS_EVENT_SKIPPED: i32 = 8;
/// Something went wrong that ends no connection; cause and text say what. The text of any event has at most 1024 bytes, and shows at most 256 of a path
/// or name.
pub const WS_EVENT_ERROR: i32 = 9;
/// With WS_AUTH: peer event.peer_id is to be authenticated: ws_send_auth(), ws_complete_auth(), or ws_disconnect(). First comes as AUTH what it
/// sends for that. CONNECTED follows as ws_complete_auth() says.
pub const WS_EVENT_AUTHENTICATING: i32 = 10;
/// With WS_AUTH: event.packet holds data that peer event.peer_id sent for its authentication.
pub const WS_EVENT_AUTH: i32 = 11;

// --- Phases: how far a connection had come when it ended. ---

/// No phase.
pub const WS_PHASE_NONE: i32 = 0;
/// Looking up the name.
pub const WS_PHASE_DNS: i32 = 1;
/// Connecting by TCP.
pub const WS_PHASE_TCP: i32 = 2;
/// Talking to a proxy.
pub const WS_PHASE_PROXY: i32 = 3;
/// The TLS handshake, or a TLS failure later.
pub const WS_PHASE_TLS: i32 = 4;
/// The opening handshake (HTTP).
pub const WS_PHASE_HTTP: i32 = 5;
/// The WebSocket protocol, after the opening handshake.
pub const WS_PHASE_WEBSOCKET: i32 = 6;
/// Ended by the application: a closing handshake that either side asked for, or a drop by the host.
pub const WS_PHASE_APP: i32 = 7;

// --- Causes: why a connection ended or an ERROR was reported. Stable; the sentence beside it may change. ---

/// No cause.
pub const WS_CAUSE_NONE: i32 = 0;
/// The host asked for the close and the closing handshake was completed.
pub const WS_CAUSE_CLOSED_BY_HOST: i32 = 1;
/// The peer asked for the close and the closing handshake was completed.
pub const WS_CAUSE_CLOSED_BY_PEER: i32 = 2;
/// The host dropped the connection (code -1), or closed it before it was open.
pub const WS_CAUSE_DROPPED: i32 = 3;
/// The peer ended the transport without a closing handshake.
pub const WS_CAUSE_PEER_GONE: i32 = 4;
/// The transport was reset or failed; os_error has the system's number.
pub const WS_CAUSE_RESET: i32 = 5;
/// The server that this client belonged to was closed.
pub const WS_CAUSE_SERVER_CLOSED: i32 = 6;
/// The closing handshake, or the sending of what was accepted before it, was not finished within its time.
pub const WS_CAUSE_CLOSE_TIMEOUT: i32 = 7;
/// The closing handshake could not be finished because the host did not read its full inbound queue.
pub const WS_CAUSE_NOT_READING: i32 = 8;
/// No pong within pong_timeout_ms.
pub const WS_CAUSE_PONG_TIMEOUT: i32 = 9;
/// The name has no address.
pub const WS_CAUSE_NAME_NOT_FOUND: i32 = 20;
/// The name lookup failed otherwise.
pub const WS_CAUSE_NAME_FAILED: i32 = 21;
/// The connect timeout ended in the phase that the event names.
pub const WS_CAUSE_CONNECT_TIMEOUT: i32 = 22;
/// Every address refused the connection.
pub const WS_CAUSE_REFUSED: i32 = 23;
/// No route to any address.
pub const WS_CAUSE_UNREACHABLE: i32 = 24;
/// TCP failed otherwise; os_error has the system's number.
pub const WS_CAUSE_TCP_FAILED: i32 = 25;
/// The certificate was signed by nobody that this machine trusts.
pub const WS_CAUSE_CERTIFICATE_UNTRUSTED: i32 = 30;
/// The certificate has expired or is not valid yet. Look at both clocks.
pub const WS_CAUSE_CERTIFICATE_EXPIRED: i32 = 31;
/// The certificate is for another name.
pub const WS_CAUSE_CERTIFICATE_NAME: i32 = 32;
/// The certificate does not have the pinned SHA-256.
pub const WS_CAUSE_CERTIFICATE_PIN: i32 = 33;
/// The certificate cannot be used otherwise.
pub const WS_CAUSE_CERTIFICATE_BAD: i32 = 34;
/// The other end is not speaking TLS.
pub const WS_CAUSE_NOT_TLS: i32 = 35;
/// TLS failed otherwise.
pub const WS_CAUSE_TLS_FAILED: i32 = 36;
/// The server answered the request with another status than 101; http_status has it.
pub const WS_CAUSE_HTTP_STATUS: i32 = 40;
/// The answer, or the request, is not a valid opening handshake.
pub const WS_CAUSE_HTTP_INVALID: i32 = 41;
/// The header is over max_header_bytes.
pub const WS_CAUSE_HTTP_TOO_BIG: i32 = 42;
/// No subprotocol in common, or one that was not asked for.
pub const WS_CAUSE_SUBPROTOCOL: i32 = 43;
/// The opening handshake of a server's client took longer than handshake_timeout_ms.
pub const WS_CAUSE_HANDSHAKE_TIMEOUT: i32 = 44;
/// The peer broke RFC 6455 (close code 1002).
pub const WS_CAUSE_PROTOCOL: i32 = 50;
/// The peer sent text that is not UTF-8 (1007).
pub const WS_CAUSE_UTF8: i32 = 51;
/// The peer sent a message or frame over the limits (1009).
pub const WS_CAUSE_TOO_BIG: i32 = 52;
/// The peer sent more than max_messages_per_s or max_bytes_per_s (1008).
pub const WS_CAUSE_RATE: i32 = 53;
/// The peer did not read, its queue was full, and on_full is WS_FULL_DISCONNECT (1008).
pub const WS_CAUSE_FULL: i32 = 54;
/// The peer sent compressed data that cannot be decompressed (1007), or that become more than max_inflate_ratio times their size (1008).
pub const WS_CAUSE_DEFLATE: i32 = 55;
/// The peer broke the multiplayer format: a wrong first message, an id below 2, a sender that is another, a short header, a value that cannot be read (1002).
/// ERROR of a join in a scene: event.count packets of event.peer_id that the host passed on were broken so.
pub const WS_CAUSE_MULTIPLAYER: i32 = 56;
/// ERROR of a host in a scene or in Godot 3's format: event.count messages of event.peer_id were for peers who are not there.
pub const WS_CAUSE_NO_PEER: i32 = 57;
/// The peer was not authenticated within WS_OPT_AUTH_TIMEOUT_MS (1008).
pub const WS_CAUSE_AUTH_TIMEOUT: i32 = 58;
/// ERROR with WS_SCENE: event.count calls of event.peer_id, or one of ours to it, were of a node that has other methods there than were declared here.
pub const WS_CAUSE_CHECKSUM: i32 = 59;
/// ERROR with WS_SCENE: event.count calls of event.peer_id were of a node or method that is not declared.
pub const WS_CAUSE_NO_NODE: i32 = 62;
/// ERROR with WS_SCENE: event.count packets of event.peer_id were nothing for a program: replication, objects as arguments, authentication or passing on that
/// is not switched on here.
pub const WS_CAUSE_UNSUPPORTED: i32 = 63;
/// ERROR at a client with WS_APP_HEARTBEAT: the server offers no application heartbeat.
pub const WS_CAUSE_NO_HEARTBEAT: i32 = 64;
/// The system has no descriptor or memory left. ERROR with WS_SCENE: event.count calls of event.peer_id were lost for lack of memory.
pub const WS_CAUSE_RESOURCES: i32 = 60;
/// A defect in wspeer was caught; the log has the text.
pub const WS_CAUSE_PANIC: i32 = 61;

// --- Flags of ws_config.flags. ---

/// A put waits for ws_flush(), the next poll or 128 KiB, so that the messages of a frame leave in one write.
pub const WS_COALESCE: u32 = 1;
/// Messages may be put while CONNECTING; they leave after the opening handshake.
pub const WS_QUEUE_BEFORE_OPEN: u32 = 2;
/// Client: accept any certificate with a key of a kind that is supported: P-256, P-384, Ed25519, or RSA of 2048 bits and more.
/// For development alone; the log says so.
pub const WS_INSECURE: u32 = 4;
/// Client: trust only ca_pem, neither the bundled nor the system's roots.
pub const WS_ONLY_CA_PEM: u32 = 8;
/// Server: answer every request with 503 until WS_OPT_REFUSE_NEW is set to 0.
pub const WS_REFUSE_NEW: u32 = 16;
/// permessage-deflate (RFC 7692): a client offers it, a server accepts it where a client offers it.
pub const WS_DEFLATE: u32 = 32;
/// With WS_DEFLATE: the server's compressor shall forget each message, which saves memory and lets a broadcast be compressed once.
pub const WS_SERVER_NO_CONTEXT_TAKEOVER: u32 = 64;
/// With WS_DEFLATE: the client's compressor shall forget each message.
pub const WS_CLIENT_NO_CONTEXT_TAKEOVER: u32 = 128;
/// ws_host and ws_join: the format of Godot 3.2 to 3.6 with gd_mp_api, where the host passes on what is for others, instead of Godot 4's.
pub const WS_GODOT3: u32 = 256;
/// Client: a certificate may be for any name, if it is trusted otherwise. For development alone.
pub const WS_ANY_NAME: u32 = 512;
/// ws_host and ws_join: what Godot 4's SceneMultiplayer says too: other peers told and reached by way of the host, its raw bytes, remote calls.
pub const WS_SCENE: u32 = 1024;
/// With WS_SCENE: who comes is told by AUTHENTICATING, and is there only after its authentication, see ws_complete_auth(): Godot's auth_callback.
pub const WS_AUTH: u32 = 2048;
/// With WS_SCENE: clients do not hear of each other, and the host passes nothing on: Godot's server_relay switched off. The same on all sides.
pub const WS_NO_RELAY: u32 = 4096;
/// Both ends: the client's heartbeat goes as messages that the host does not see, as a browser hides pings: rtt_us and pong_timeout_ms work there too. A
/// client's heartbeat_ms is then 20000 unless set. A server that does not offer it is told by ERROR with WS_CAUSE_NO_HEARTBEAT. docs/heartbeat.md has the bytes.
pub const WS_APP_HEARTBEAT: u32 = 8192;

// --- ws_config.on_full: what a put to several targets does about a target whose queue is full. ---

/// Skip that target: WS_PARTIAL, a SKIPPED event, WRITABLE when it recovers. The default.
pub const WS_FULL_SKIP: u32 = 1;
/// Disconnect that target with 1008.
pub const WS_FULL_DISCONNECT: u32 = 2;
/// Take the message for all targets or for none (WS_ERR_FULL).
pub const WS_FULL_ALL_OR_NONE: u32 = 3;

// --- Roles for ws_attach(). ---

/// The client's end: sends the request, masks its frames.
pub const WS_ROLE_CLIENT: i32 = 1;
/// The server's end: answers the request.
pub const WS_ROLE_SERVER: i32 = 2;

// --- What ws_get_text() can tell. ---

/// The URL as it is used, without user name and password. A server: its own, with the real port. A server's client: of its request.
pub const WS_GET_URL: i32 = 1;
/// The path of the request, without the query.
pub const WS_GET_PATH: i32 = 2;
/// The query of the request, without the question mark.
pub const WS_GET_QUERY: i32 = 3;
/// The subprotocol that both ends agreed on, or "".
pub const WS_GET_SUBPROTOCOL: i32 = 4;
/// The reason in the close frame that decided the close: the peer's, or ours where we failed the connection.
pub const WS_GET_CLOSE_REASON: i32 = 5;
/// Why the connection ended, as a sentence that says what to do; "" while it lives.
pub const WS_GET_ERROR: i32 = 6;
/// The local address and port: "127.0.0.1:9080", "[::1]:9080".
pub const WS_GET_LOCAL_ADDRESS: i32 = 7;
/// The peer's address and port.
pub const WS_GET_REMOTE_ADDRESS: i32 = 8;
/// The first KiB of the body of a refused request, as far as it came within 250 ms of the header, invalid UTF-8 replaced.
pub const WS_GET_BODY: i32 = 9;
/// The TLS version and cipher suite, or "" on ws://.
pub const WS_GET_TLS: i32 = 10;
/// What was agreed on of permessage-deflate, as "permessage-deflate; server_no_context_takeover", or "".
pub const WS_GET_EXTENSIONS: i32 = 11;
