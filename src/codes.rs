//! All constants of the C interface. Append-only: the meaning of a number never changes. `cbindgen` copies these
//! comments to the header.

mod options;
mod variants;

pub use options::*;
pub use variants::*;

/// Version of this header: major * 10000 + minor * 100 + patch. ws_version() returns that of the loaded library.
pub const WS_VERSION: u32 = 100;
/// Version of the binary interface. It is raised only by a change that breaks programs built against an older header.
pub const WS_ABI_VERSION: u32 = 1;

/// As a limit or a time, in ws_config and ws_set_option(): unlimited, or switched off.
pub const WS_OFF: u32 = 0xFFFF_FFFF;

// --- Results: 0 and above are successes, negative numbers are failures. ---

/// The call succeeded.
pub const WS_OK: i32 = 0;
/// The call succeeded, but there is nothing to return. Ask again in the next frame.
pub const WS_EMPTY: i32 = 1;
/// ws_poll(): the time budget is exhausted and work is left. Nothing is lost: the next poll continues. A program with
/// time left may poll again at once.
pub const WS_MORE: i32 = 2;
/// Some of several targets could not take the message. SKIPPED events name them.
pub const WS_PARTIAL: i32 = 3;
/// The output did not fit, and the buffer holds its beginning: a text is cut at a code point and NUL-terminated. The
/// call's length or count output is the whole size.
pub const WS_TRUNCATED: i32 = 4;
/// An argument is out of range.
pub const WS_ERR_ARG: i32 = -1;
/// A required pointer is NULL.
pub const WS_ERR_NULL: i32 = -2;
/// The handle is invalid: it is 0, stale (freed or retired), or was never issued.
pub const WS_ERR_HANDLE: i32 = -3;
/// The call does not apply to this type of handle; see the tables at the top of this header.
pub const WS_ERR_KIND: i32 = -4;
/// The handle is in the wrong state for the call. Messages can be sent only while OPEN, or before that with
/// WS_QUEUE_BEFORE_OPEN.
pub const WS_ERR_STATE: i32 = -5;
/// The outbound queue is full, and the message was not accepted. Poll, and send it again after the WRITABLE event.
pub const WS_ERR_FULL: i32 = -6;
/// A length is too large: a message exceeds max_message_bytes, a call or value does not fit the buffer, or memory
/// cannot hold it.
pub const WS_ERR_TOO_BIG: i32 = -7;
/// A text is not valid UTF-8.
pub const WS_ERR_UTF8: i32 = -8;
/// The target does not exist, or cannot be reached from this handle.
pub const WS_ERR_TARGET: i32 = -9;
/// The ws_config is invalid: its size, its flags, or the value of a field. ws_last_error() names the field.
pub const WS_ERR_CONFIG: i32 = -10;
/// The URL is invalid, or has a part that the call does not allow.
pub const WS_ERR_URL: i32 = -11;
/// A certificate, a key or pin_sha256 in the config cannot be used.
pub const WS_ERR_TLS: i32 = -12;
/// ws_listen() and ws_host(): the address cannot be bound. ws_last_error() has the reason.
pub const WS_ERR_ADDRESS: i32 = -13;
/// This build or platform does not support the call or the option; see ws_get_features(). ws_decode_call() and
/// ws_decode_variant(): a value has a type that only Godot can read.
pub const WS_ERR_UNSUPPORTED: i32 = -14;
/// A limit of the library or the system is reached: no handle, descriptor, thread or memory is left.
pub const WS_ERR_LIMIT: i32 = -15;
/// A defect in wspeer was caught. The handle is retired, and with it those that share its lock; the program continues.
/// ws_get_log() has the details.
pub const WS_ERR_PANIC: i32 = -16;
/// ws_serve(): the directory does not exist or cannot be opened. ws_last_error() has the reason.
pub const WS_ERR_DIRECTORY: i32 = -17;

// --- Types of messages: the opcodes of RFC 6455 section 5.2, and those of scenes. ---

/// A text message, always valid UTF-8 (RFC 6455 section 5.6).
pub const WS_TEXT: i32 = 1;
/// A binary message (RFC 6455 section 5.6).
pub const WS_BINARY: i32 = 2;
/// A remote call, with WS_SCENE only. ws_encode_call() makes one to send, ws_decode_call() reads a received one.
pub const WS_CALL: i32 = 3;
/// With WS_SCENE: a packet of Godot's MultiplayerSpawner or MultiplayerSynchronizer, as it is on the wire. Received with
/// WS_RAW_REPLICATION only.
pub const WS_REPLICATION: i32 = 4;
/// Received, with WS_SCENE: SPAWN, for ws_decode_replication().
pub const WS_SPAWN: i32 = 5;
/// Received, with WS_SCENE: DESPAWN, for ws_decode_replication().
pub const WS_DESPAWN: i32 = 6;
/// Received, with WS_SCENE: SYNC, for ws_decode_replication().
pub const WS_SYNC: i32 = 7;

// --- States of a connection: RFC 6455 and the browser's WebSocket.readyState. ---

/// Name lookup, TCP, TLS or the opening handshake (RFC 6455 section 4) is in progress; with WS_ASK the request of a
/// client waits for the program.
pub const WS_CONNECTING: i32 = 0;
/// Messages can be sent and received. A server is OPEN while it listens.
pub const WS_OPEN: i32 = 1;
/// The closing handshake (RFC 6455 section 7.1.2) is in progress. Messages that arrive are still delivered.
pub const WS_CLOSING: i32 = 2;
/// The connection has ended. Messages received before can still be read.
pub const WS_CLOSED: i32 = 3;
/// With WS_RECONNECT: the link was lost, and the next one is not open yet. Messages received before can still be read.
/// With session_ms, of a client of a server too: messages are accepted.
pub const WS_LOST: i32 = 4;

// --- Types of events. ---

/// A connection of ws_connect(), ws_pair() or ws_attach() is OPEN. A join: it has received its id, event.peer_id, and
/// with WS_AUTH it has been admitted.
pub const WS_EVENT_OPEN: i32 = 1;
/// A message was received: event.packet.
pub const WS_EVENT_MESSAGE: i32 = 2;
/// The peer has started the closing handshake (RFC 6455 section 7.1.3). event.code is its status code, 1005 if it sent
/// none; event.packet.data is its reason. wspeer answers by itself.
pub const WS_EVENT_CLOSE_REQUEST: i32 = 3;
/// The connection, or the server itself, has ended. This is the last event of its handle.
pub const WS_EVENT_CLOSED: i32 = 4;
/// Server, host: a client has completed its opening handshake. event.conn is its handle; on a host event.peer_id is its
/// id.
/// Join: peer event.peer_id is present. Peer 1 is the host. The others are reported with WS_SCENE and WS_GODOT3 only.
pub const WS_EVENT_CONNECTED: i32 = 5;
/// Server, host: a client's connection has ended. This is the last event of the client's handle, which retires in the
/// server's next ws_poll().
/// Join with WS_SCENE or WS_GODOT3: peer event.peer_id has left. When the join's own connection ends, CLOSED stands for
/// all peers.
pub const WS_EVENT_DISCONNECTED: i32 = 6;
/// The outbound queue has room again, after it refused a message.
pub const WS_EVENT_WRITABLE: i32 = 7;
/// event.count messages or events were left out because a queue was full.
/// event.conn is a client of a server: its outbound queue had no room for messages to several targets. Reported once
/// until there is room again.
/// event.conn is the server's own handle, a join, a client that reconnects, or a client of a server whose link was lost
/// more than 8 times: the program did not read its events, so lifecycle events, and on a join errors about other peers,
/// were dropped.
pub const WS_EVENT_SKIPPED: i32 = 8;
/// A failure that does not end the connection. event.cause and the text in event.packet.data describe it.
/// The text of any event has at most 1024 bytes, and quotes at most 256 bytes of a path or name.
pub const WS_EVENT_ERROR: i32 = 9;
/// With WS_AUTH: peer event.peer_id has to be authenticated. Answer with ws_send_auth() and ws_complete_auth(), or
/// refuse it with ws_disconnect(), on a join ws_close(). AUTH events report the data that it sends. CONNECTED follows
/// as ws_complete_auth() describes.
pub const WS_EVENT_AUTHENTICATING: i32 = 10;
/// With WS_AUTH: event.packet holds data that peer event.peer_id sent for its authentication.
pub const WS_EVENT_AUTH: i32 = 11;
/// ws_diagnose(): a step of opening the connection. event.packet.data is a sentence about it, event.phase the phase
/// that it belongs to, event.cause what is wrong (WS_CAUSE_NONE: the step succeeded), event.time_ns when it happened.
pub const WS_EVENT_STEP: i32 = 15;

/// Server, host, with WS_REPORT_REFUSED: a client failed before CONNECTED. event.phase, event.cause and
/// event.http_status say why; event.packet.data is its address and port, a colon and a space, and the reason as a
/// sentence. event.conn is the server. event.count is 1; when 256 of them wait to be read, further clients only add to
/// the count of the last.
pub const WS_EVENT_REFUSED: i32 = 14;
/// Server, host with WS_ASK: a client has sent a request on which the program decides: ws_accept() or ws_reply().
/// event.conn is its handle, which is CONNECTING and has the texts and headers of the request. event.count is 1 for a
/// request to open a WebSocket, 0 for plain HTTP; event.packet is the body of the request. Either CONNECTED follows or
/// DISCONNECTED.
pub const WS_EVENT_REQUEST: i32 = 16;

/// Client, join with WS_RECONNECT: the link was lost, and another is opened. The fields are those of CLOSED;
/// event.unsent is the number of accepted messages that had not left. OPEN follows, or CLOSED. On a join it stands
/// for DISCONNECTED of all peers. With session_ms, also of a server's client: nothing is lost, peers stay, and RESUMED
/// follows, or CLOSED or DISCONNECTED.
pub const WS_EVENT_LOST: i32 = 17;
/// With session_ms: another link continues the session, and nothing was lost. event.count is the number of messages that
/// are sent again.
pub const WS_EVENT_RESUMED: i32 = 18;
/// With WS_SCENE: peer event.peer_id has spawned a node of a scene that was declared with ws_declare_scene().
/// event.packet is for ws_decode_replication(). The peer's nodes are gone with its DISCONNECTED; on a join also with
/// CLOSED, and with LOST if there is no session.
pub const WS_EVENT_SPAWN: i32 = 19;
/// With WS_SCENE: peer event.peer_id has despawned such a node, or shows it no more to this one.
pub const WS_EVENT_DESPAWN: i32 = 20;
/// With WS_SCENE: peer event.peer_id has synchronized properties of one node or more.
pub const WS_EVENT_SYNC: i32 = 21;

// --- Phases: how far a connection had come when it ended. ---

/// The event has no phase.
pub const WS_PHASE_NONE: i32 = 0;
/// Name lookup.
pub const WS_PHASE_DNS: i32 = 1;
/// Establishing the TCP connection.
pub const WS_PHASE_TCP: i32 = 2;
/// With ws_config.proxy: TLS to the proxy, and what it is asked and answers. The phases before it are those of the
/// proxy's name and address, the phases after it those of the server.
pub const WS_PHASE_PROXY: i32 = 3;
/// The TLS handshake, or a later failure of TLS.
pub const WS_PHASE_TLS: i32 = 4;
/// The opening handshake over HTTP (RFC 6455 section 4).
pub const WS_PHASE_HTTP: i32 = 5;
/// The WebSocket protocol, after the opening handshake.
pub const WS_PHASE_WEBSOCKET: i32 = 6;
/// The application: a closing handshake that either side requested, a drop by the program, or a failure in the protocol
/// above WebSocket, such as an authentication.
pub const WS_PHASE_APP: i32 = 7;

// --- Causes: why a connection ended or an ERROR was reported. The text of the event may change, the cause not. ---

/// The event has no cause.
pub const WS_CAUSE_NONE: i32 = 0;
/// The program requested the close, and the closing handshake was completed (RFC 6455 section 7.1.4).
pub const WS_CAUSE_CLOSED_BY_HOST: i32 = 1;
/// The peer requested the close, and the closing handshake was completed (RFC 6455 section 7.1.4).
pub const WS_CAUSE_CLOSED_BY_PEER: i32 = 2;
/// The program dropped the connection (code -1), or closed it before it was OPEN.
pub const WS_CAUSE_DROPPED: i32 = 3;
/// The peer ended the transport without a closing handshake.
pub const WS_CAUSE_PEER_GONE: i32 = 4;
/// The transport was reset or failed. event.os_error is the system's error number.
pub const WS_CAUSE_RESET: i32 = 5;
/// The server that this client belonged to was closed.
pub const WS_CAUSE_SERVER_CLOSED: i32 = 6;
/// The close made no progress for close_timeout_ms: the peer did not answer it, or did not read what was sent before
/// it.
pub const WS_CAUSE_CLOSE_TIMEOUT: i32 = 7;
/// The close made no progress for close_timeout_ms, because the inbound queue was full and the program did not read it.
pub const WS_CAUSE_NOT_READING: i32 = 8;
/// The peer sent nothing for pong_timeout_ms, not even a pong (RFC 6455 section 5.5.3).
pub const WS_CAUSE_PONG_TIMEOUT: i32 = 9;
/// The host name has no address.
pub const WS_CAUSE_NAME_NOT_FOUND: i32 = 20;
/// The name lookup failed for another reason.
pub const WS_CAUSE_NAME_FAILED: i32 = 21;
/// connect_timeout_ms expired. event.phase is the phase in which it did.
pub const WS_CAUSE_CONNECT_TIMEOUT: i32 = 22;
/// Every address refused the TCP connection.
pub const WS_CAUSE_REFUSED: i32 = 23;
/// There is no route to any of the addresses.
pub const WS_CAUSE_UNREACHABLE: i32 = 24;
/// TCP failed for another reason. event.os_error is the system's error number.
pub const WS_CAUSE_TCP_FAILED: i32 = 25;
/// The proxy refused to connect to the server, or could not. If it is an HTTP proxy, event.http_status is its status,
/// and its headers and the start of its answer's body can be read as those of a server.
pub const WS_CAUSE_PROXY_REFUSED: i32 = 26;
/// The proxy requires a user name and password, or refused those of ws_config.proxy.
pub const WS_CAUSE_PROXY_AUTH: i32 = 27;
/// The proxy's answer is neither HTTP nor SOCKS 5, as ws_config.proxy says.
pub const WS_CAUSE_PROXY_INVALID: i32 = 28;
/// The system or the browser probably keeps the program from the local network until the user allows it: iOS, macOS 15,
/// Android 17, Chrome. The text says what to ask for; docs/platforms.md has what to declare.
pub const WS_CAUSE_LOCAL_NETWORK: i32 = 29;
/// The certificate was not issued by a trusted authority.
pub const WS_CAUSE_CERTIFICATE_UNTRUSTED: i32 = 30;
/// The certificate has expired, or is not valid yet. Check the clocks of both machines.
pub const WS_CAUSE_CERTIFICATE_EXPIRED: i32 = 31;
/// The certificate was issued for another name.
pub const WS_CAUSE_CERTIFICATE_NAME: i32 = 32;
/// The certificate does not match pin_sha256.
pub const WS_CAUSE_CERTIFICATE_PIN: i32 = 33;
/// The certificate cannot be used for another reason.
pub const WS_CAUSE_CERTIFICATE_BAD: i32 = 34;
/// The peer does not speak TLS.
pub const WS_CAUSE_NOT_TLS: i32 = 35;
/// TLS failed for another reason.
pub const WS_CAUSE_TLS_FAILED: i32 = 36;
/// The server answered the request with a status other than 101, which is event.http_status. With WS_ASK also the end
/// of a client that was answered by ws_reply().
pub const WS_CAUSE_HTTP_STATUS: i32 = 40;
/// The request or the response is not a valid opening handshake (RFC 6455 section 4).
pub const WS_CAUSE_HTTP_INVALID: i32 = 41;
/// The header of the request or response exceeds max_header_bytes.
pub const WS_CAUSE_HTTP_TOO_BIG: i32 = 42;
/// The two sides have no subprotocol in common, or the server chose one that was not offered.
pub const WS_CAUSE_SUBPROTOCOL: i32 = 43;
/// A client of the server did not complete its opening handshake within handshake_timeout_ms; with WS_ASK also: the
/// program did not answer its request.
pub const WS_CAUSE_HANDSHAKE_TIMEOUT: i32 = 44;
/// REFUSED: max_clients or max_clients_per_address is reached, or the server takes no new clients (WS_REFUSE_NEW).
pub const WS_CAUSE_LIMIT: i32 = 45;
/// The peer violated RFC 6455 (close code 1002).
pub const WS_CAUSE_PROTOCOL: i32 = 50;
/// The peer sent a text that is not valid UTF-8 (close code 1007, RFC 6455 section 8.1).
pub const WS_CAUSE_UTF8: i32 = 51;
/// The peer sent a message or frame over max_message_bytes (close code 1009), or a message in more than max_fragments
/// fragments (1008).
pub const WS_CAUSE_TOO_BIG: i32 = 52;
/// The peer exceeded max_messages_per_s or max_bytes_per_s (close code 1008).
pub const WS_CAUSE_RATE: i32 = 53;
/// The peer did not read, so its outbound queue was full, and on_full is WS_FULL_DISCONNECT (close code 1008).
pub const WS_CAUSE_FULL: i32 = 54;
/// The peer sent compressed data that cannot be decompressed (close code 1007), or that expands to more than
/// max_inflate_ratio times its size (1008).
pub const WS_CAUSE_DEFLATE: i32 = 55;
/// The peer violated the multiplayer format (close code 1002): a wrong first message, an id below 2, a false sender, a
/// truncated header, or a value that cannot be read.
/// ERROR of a join with WS_SCENE: event.count packets of peer event.peer_id, relayed by the host, violated the format.
pub const WS_CAUSE_MULTIPLAYER: i32 = 56;
/// ERROR of a host with WS_SCENE or WS_GODOT3: event.count messages of peer event.peer_id were addressed to peers that
/// are not present.
pub const WS_CAUSE_NO_PEER: i32 = 57;
/// The peer was not authenticated within WS_OPT_AUTH_TIMEOUT_MS (close code 1008).
pub const WS_CAUSE_AUTH_TIMEOUT: i32 = 58;
/// ERROR with WS_SCENE: a node has other methods at peer event.peer_id than were declared here. event.count calls or
/// paths that the peer sent were affected; its calls of that node are dropped.
pub const WS_CAUSE_CHECKSUM: i32 = 59;
/// ERROR with WS_SCENE: event.count calls of peer event.peer_id were dropped, because their node or method is not
/// declared here.
pub const WS_CAUSE_NO_NODE: i32 = 62;
/// ERROR with WS_SCENE: event.count packets of peer event.peer_id were dropped, because a program cannot use them:
/// replication, objects as arguments, or authentication or relaying that is not enabled here.
pub const WS_CAUSE_UNSUPPORTED: i32 = 63;
/// ERROR of a client with WS_APP_HEARTBEAT: the server does not offer the application heartbeat. Pings (RFC 6455
/// section 5.5.2) are sent instead.
pub const WS_CAUSE_NO_HEARTBEAT: i32 = 64;
/// The session (session_ms) ended: it was not resumed in time, or the server does not have it any more; event.unsent
/// messages may not have arrived. ERROR of a client: there is no session, and the connection goes on without.
pub const WS_CAUSE_SESSION: i32 = 65;
/// max_total_mib: all clients together make the server hold too much. ERROR of a server: clients that hold more than
/// their share are not read from, and messages to them are refused. DISCONNECTED: this client held most and moved least;
/// what had been received from it and not taken is dropped.
pub const WS_CAUSE_CEILING: i32 = 66;
/// ERROR with WS_SCENE: event.count packets of peer event.peer_id were dropped, because it spawned or synchronized what
/// only another peer may: the authority that was declared.
pub const WS_CAUSE_AUTHORITY: i32 = 67;
/// The system has no descriptor or memory left. ERROR with WS_SCENE: event.count calls of peer event.peer_id were
/// dropped for lack of memory.
pub const WS_CAUSE_RESOURCES: i32 = 60;
/// A defect in wspeer was caught. ws_get_log() has the details.
pub const WS_CAUSE_PANIC: i32 = 61;

// --- Flags of ws_config.flags. ---

/// Sent messages wait for ws_flush(), the next ws_poll() or 128 KiB, so that the messages of a frame leave in one
/// write.
pub const WS_COALESCE: u32 = 1;
/// Messages are accepted while CONNECTING, and leave after the opening handshake. Not for a join with WS_SCENE or
/// WS_GODOT3.
pub const WS_QUEUE_BEFORE_OPEN: u32 = 2;
/// Client: accept any certificate whose key has a supported type: P-256, P-384, Ed25519, or RSA of at least 2048 bits.
/// For development only; the log has a warning.
pub const WS_INSECURE: u32 = 4;
/// Client: trust only ca_pem, neither the bundled roots nor those of the system.
pub const WS_ONLY_CA_PEM: u32 = 8;
/// Server: refuse new clients with 503 until WS_OPT_REFUSE_NEW is set to 0.
pub const WS_REFUSE_NEW: u32 = 16;
/// Use permessage-deflate (RFC 7692): a client offers it, and a server accepts it from clients that offer it.
pub const WS_DEFLATE: u32 = 32;
/// With WS_DEFLATE: the server compresses each message by itself (server_no_context_takeover, RFC 7692 section
/// 7.1.1.1). This saves memory, and a broadcast is compressed only once.
pub const WS_SERVER_NO_CONTEXT_TAKEOVER: u32 = 64;
/// With WS_DEFLATE: the client compresses each message by itself (client_no_context_takeover, RFC 7692 section
/// 7.1.1.2).
pub const WS_CLIENT_NO_CONTEXT_TAKEOVER: u32 = 128;
/// ws_host() and ws_join(): use the format of Godot 3.2 to 3.6 with gd_mp_api, not Godot 4's. The host relays messages
/// between clients.
pub const WS_GODOT3: u32 = 256;
/// Client: accept a trusted certificate that was issued for another name. For development only.
pub const WS_ANY_NAME: u32 = 512;
/// ws_host() and ws_join(): speak the protocol of Godot 4's SceneMultiplayer. Peers learn of each other and reach each
/// other through the host, send raw bytes, and make remote calls.
pub const WS_SCENE: u32 = 1024;
/// With WS_SCENE: peers are admitted only after an authentication, like Godot's auth_callback. AUTHENTICATING reports a
/// new peer; see ws_complete_auth().
pub const WS_AUTH: u32 = 2048;
/// With WS_SCENE: clients do not learn of each other, and the host relays nothing, like Godot's server_relay switched
/// off. Set it on all sides or on none.
pub const WS_NO_RELAY: u32 = 4096;
/// Client and server: send the client's heartbeat as messages that the programs do not see, so that rtt_us and
/// pong_timeout_ms also work in a browser, which has no pings. heartbeat_ms then defaults to 20000 on a client too. If
/// the server does not offer it, ERROR with WS_CAUSE_NO_HEARTBEAT is reported. docs/control-channel.md has the bytes.
pub const WS_APP_HEARTBEAT: u32 = 8192;
/// Server, host: the program decides on each request that is valid and within the limits, and plain HTTP requests are
/// accepted too: GET, HEAD, OPTIONS, POST, PUT, PATCH and DELETE. REQUEST reports them; unless ws_accept() or ws_reply()
/// answers one within handshake_timeout_ms, the client gets 503.
pub const WS_ASK: u32 = 32768;
/// Server: requests of trusted_proxies report the address of the client by the header Forwarded (RFC 7239), and by no
/// other. A request whose header is malformed is refused with 400. Not with WS_X_FORWARDED_FOR, because a proxy passes
/// on a header that it does not set, as the client wrote it.
pub const WS_FORWARDED: u32 = 65536;
/// Server: requests of trusted_proxies report the address of the client by the header X-Forwarded-For, and by no other.
pub const WS_X_FORWARDED_FOR: u32 = 131072;
/// Server: connections of trusted_proxies begin with a header of the PROXY protocol, version 1 or 2, before TLS; one
/// that does not is closed. With WS_FORWARDED or WS_X_FORWARDED_FOR too, that header is read if the address in the
/// PROXY header is itself one of trusted_proxies.
pub const WS_PROXY_PROTOCOL: u32 = 262144;

/// Server: report clients that fail before CONNECTED by the event REFUSED; see WS_OPT_REPORT_REFUSED.
pub const WS_REPORT_REFUSED: u32 = 1048576;

/// Client, join: when the link is lost (LOST) or does not open (ERROR), try again, with growing waits, until it is open,
/// until retry_tries tries in a row have failed, or until ws_close(). docs/reconnecting.md says what is tried again,
/// and when.
pub const WS_RECONNECT: u32 = 2097152;

/// Server, host: several servers may listen on one port (SO_REUSEPORT), and the system gives each new connection to one
/// of them: one server for each core, each polled by its own thread. All of them need this flag and the same user. On
/// Linux connections are spread; other systems may give all to one. WS_ERR_UNSUPPORTED on Windows. docs/scale.md has an
/// example.
pub const WS_SHARE_PORT: u32 = 4194304;
/// With WS_SCENE: packets of Godot's MultiplayerSpawner and MultiplayerSynchronizer are messages of type WS_REPLICATION,
/// as they are on the wire. Not with ws_declare_scene() and ws_declare_synchronizer(), which read them.
pub const WS_RAW_REPLICATION: u32 = 8388608;

// --- Flags of ws_serve(). ---

/// The pages may use threads: their responses have the headers Cross-Origin-Opener-Policy: same-origin,
/// Cross-Origin-Embedder-Policy: require-corp and Cross-Origin-Resource-Policy: same-origin. Such a page loads only from
/// its own server, or what other servers allow it to.
pub const WS_SERVE_ISOLATED: u32 = 1;

// --- Scenes of spawners. ---

/// ws_declare_scene(), ws_spawn(): what MultiplayerSpawner.spawn(data) makes, by the spawner's spawn_function.
pub const WS_CUSTOM_SCENE: u32 = 255;
/// ws_replicated.scene: the synchronizer is of no spawned node; ws_declare_synchronizer() declared it.
pub const WS_NO_SCENE: u32 = 256;

// --- ws_hint(): what the program knows of the device and the network. ---

/// The app is suspended or hidden: a client that has lost its link begins no try until another hint.
pub const WS_HINT_SUSPEND: i32 = 1;
/// The app is shown again: the link is lost unless the peer answers a ping within 2 s; a client that waits for its next
/// try begins it now.
pub const WS_HINT_RESUME: i32 = 2;
/// The network has changed, for instance from Wi-Fi to mobile: as WS_HINT_RESUME, and with a session the client opens
/// another link beside its own, to which it moves once that is open.
pub const WS_HINT_NETWORK_CHANGED: i32 = 3;

// --- ws_config.on_full: what a message to several targets does about a target whose queue is full. ---

/// Skip that target: the call returns WS_PARTIAL, SKIPPED is reported, and WRITABLE once there is room. The default of
/// servers.
pub const WS_FULL_SKIP: u32 = 1;
/// Disconnect that target with the close code 1008; the call returns WS_PARTIAL. The default of hosts.
pub const WS_FULL_DISCONNECT: u32 = 2;
/// Accept the message for all targets or for none: the call fails with WS_ERR_FULL. A client that has lost its link
/// (session_ms) holds up nobody: if it is full, its session ends, and the call returns WS_PARTIAL.
pub const WS_FULL_ALL_OR_NONE: u32 = 3;

// --- Roles for ws_attach(). ---

/// The client: it sends the request and masks its frames (RFC 6455 section 5.3).
pub const WS_ROLE_CLIENT: i32 = 1;
/// The server: it answers the request.
pub const WS_ROLE_SERVER: i32 = 2;

// --- Texts of ws_get_text(). ---

/// The URL in use, without user name and password. A server: its own URL, with the actual port. A server's client: the
/// URL of its request.
pub const WS_GET_URL: i32 = 1;
/// The path of the request, without the query.
pub const WS_GET_PATH: i32 = 2;
/// The query of the request, without the question mark.
pub const WS_GET_QUERY: i32 = 3;
/// The agreed subprotocol (RFC 6455 section 1.9), or "".
pub const WS_GET_SUBPROTOCOL: i32 = 4;
/// The reason in the deciding close frame (RFC 6455 section 7.1.6): the peer's, or ours if none was received.
pub const WS_GET_CLOSE_REASON: i32 = 5;
/// Why the connection ended, its link was lost or its last try failed, and what to do about it, as a sentence; else "".
pub const WS_GET_ERROR: i32 = 6;
/// The local address and port: "127.0.0.1:9080", "[::1]:9080".
pub const WS_GET_LOCAL_ADDRESS: i32 = 7;
/// The peer's address and port. Behind trusted_proxies it is the client's, with port 0 if the proxy does not report it.
pub const WS_GET_REMOTE_ADDRESS: i32 = 8;
/// The first KiB of the response body, if the server refused the request. It ends 250 ms after the header at the
/// latest; invalid UTF-8 is replaced.
pub const WS_GET_BODY: i32 = 9;
/// The TLS version and cipher suite, or "" on ws://.
pub const WS_GET_TLS: i32 = 10;
/// The agreed parameters of permessage-deflate, such as "permessage-deflate; server_no_context_takeover", or "".
pub const WS_GET_EXTENSIONS: i32 = 11;
/// The address and port of the socket's other end: behind trusted_proxies that of the proxy.
pub const WS_GET_PEER_ADDRESS: i32 = 12;
/// The method of the request: "GET", or with WS_ASK that of a plain HTTP request.
pub const WS_GET_METHOD: i32 = 13;
