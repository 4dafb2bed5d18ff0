// Generated from include/wspeer.h and src/options.toml by `make generate`: do not edit.
// What a page's own JavaScript needs to call wspeer: the functions as Emscripten names them, with an underscore, in
// another JavaScript library or on a module with -sEXPORTED_FUNCTIONS. They answer with numbers; texts and structs lie in
// the program's memory. docs/web.md says what differs from the native library.

/** An address in the program's memory; with 64-bit pointers (-sMEMORY64) Emscripten passes it as a number too. */
export type Pointer = number;
/** A length in bytes. */
export type Size = number;
/** A connection; 0 is never valid. */
export type WsHandle = number;

export declare const enum WsLimit {
  /** In a limit or a time: switched off, or unlimited. */
  OFF = 4294967295,
}

export declare const enum WsResult {
  /** Done. */
  OK = 0,
  /** Nothing waits; ask again next frame. */
  EMPTY = 1,
  /**
   * ws_poll(): the budget ended with work left. Nothing is lost; the next poll goes on. A host with time left may
   * poll again.
   */
  MORE = 2,
  /** Some of several targets could not take the message; SKIPPED events say which. */
  PARTIAL = 3,
  /** The buffer was too short: the text was cut at a code point and terminated; *len holds the whole length. */
  TRUNCATED = 4,
  /** An argument is out of its range. */
  ERR_ARG = -1,
  /** A pointer that must not be NULL is NULL. */
  ERR_NULL = -2,
  /** The handle is 0, stale (freed or retired) or was never given out. */
  ERR_HANDLE = -3,
  /** This kind of handle has no such call; see the table of verbs and kinds. */
  ERR_KIND = -4,
  /** Not in this state: messages can be put only while OPEN (or before, with WS_QUEUE_BEFORE_OPEN). */
  ERR_STATE = -5,
  /** The outbound queue is full and the message was not taken. Poll, and put it again after the WRITABLE event. */
  ERR_FULL = -6,
  /** The message is over max_message_bytes, or a length is over what memory can hold. */
  ERR_TOO_BIG = -7,
  /** Text is not valid UTF-8. */
  ERR_UTF8 = -8,
  /** There is no such target. */
  ERR_TARGET = -9,
  /** The ws_config is not usable: its size, its flags or one of its values. ws_last_error() names the field. */
  ERR_CONFIG = -10,
  /** The URL cannot be used. */
  ERR_URL = -11,
  /** A certificate, key or pin in the config cannot be used. */
  ERR_TLS = -12,
  /** ws_listen(): the address cannot be bound; ws_last_error() has the reason. */
  ERR_ADDRESS = -13,
  /** This build or platform cannot do it; see ws_get_features(). */
  ERR_UNSUPPORTED = -14,
  /** A limit of the library or the system: no handle, descriptor, thread or memory left. */
  ERR_LIMIT = -15,
  /** A defect in wspeer was caught. The handle and its family are retired, the host goes on, the log has the text. */
  ERR_PANIC = -16,
}

export declare const enum WsMessageType {
  /** A text message: UTF-8, checked. */
  TEXT = 1,
  /** A binary message. */
  BINARY = 2,
  /** A remote call, with WS_SCENE alone: put what ws_encode_call() made, give what came to ws_decode_call(). */
  CALL = 3,
}

export declare const enum WsState {
  /** Name lookup, TCP, TLS or the opening handshake is under way. */
  CONNECTING = 0,
  /** Messages flow. A server: it listens. */
  OPEN = 1,
  /** The closing handshake is under way. Messages that arrive are still delivered. */
  CLOSING = 2,
  /** The connection has ended. What it received stays readable. */
  CLOSED = 3,
}

export declare const enum WsEventType {
  /** A connection of ws_connect, ws_pair or ws_attach is open. A join: its id has come, and is event.peer_id. */
  OPEN = 1,
  /** A message, in event.packet. */
  MESSAGE = 2,
  /**
   * The peer has started the closing handshake; code and text are its close code (1005: none) and reason. wspeer
   * answers by itself.
   */
  CLOSE_REQUEST = 3,
  /** The connection, or the server itself, has ended. Last event of its handle. */
  CLOSED = 4,
  /**
   * Server, host: a client has finished its opening handshake; event.conn is its handle, and on a host
   * event.peer_id its id. Join: peer event.peer_id is there: the host, 1, and in a scene and in Godot 3's format
   * each other one.
   */
  CONNECTED = 5,
  /**
   * Server, host: a client has ended. Last event of its handle, which retires in the server's next ws_poll(). Join
   * in a scene or in Godot 3's format: peer event.peer_id has gone; when this connection itself ends, CLOSED stands
   * for all.
   */
  DISCONNECTED = 6,
  /** The outbound queue refused a message earlier and has room again. */
  WRITABLE = 7,
  /**
   * event.count messages for event.conn were not taken because its queue was full (once per stall), or, when
   * event.conn is the server's own handle or that of a join, event.count lifecycle events, and of a join errors of
   * others, were left out because nobody read them.
   */
  SKIPPED = 8,
  /**
   * Something went wrong that ends no connection; cause and text say what. The text of any event has at most 1024
   * bytes, and shows at most 256 of a path or name.
   */
  ERROR = 9,
  /**
   * With WS_AUTH: peer event.peer_id is to be authenticated: ws_send_auth(), ws_complete_auth(), or
   * ws_disconnect(). First comes as AUTH what it sends for that. CONNECTED follows as ws_complete_auth() says.
   */
  AUTHENTICATING = 10,
  /** With WS_AUTH: event.packet holds data that peer event.peer_id sent for its authentication. */
  AUTH = 11,
}

export declare const enum WsPhase {
  /** No phase. */
  NONE = 0,
  /** Looking up the name. */
  DNS = 1,
  /** Connecting by TCP. */
  TCP = 2,
  /** Talking to a proxy. */
  PROXY = 3,
  /** The TLS handshake, or a TLS failure later. */
  TLS = 4,
  /** The opening handshake (HTTP). */
  HTTP = 5,
  /** The WebSocket protocol, after the opening handshake. */
  WEBSOCKET = 6,
  /** Ended by the application: a closing handshake that either side asked for, or a drop by the host. */
  APP = 7,
}

export declare const enum WsCause {
  /** No cause. */
  NONE = 0,
  /** The host asked for the close and the closing handshake was completed. */
  CLOSED_BY_HOST = 1,
  /** The peer asked for the close and the closing handshake was completed. */
  CLOSED_BY_PEER = 2,
  /** The host dropped the connection (code -1), or closed it before it was open. */
  DROPPED = 3,
  /** The peer ended the transport without a closing handshake. */
  PEER_GONE = 4,
  /** The transport was reset or failed; os_error has the system's number. */
  RESET = 5,
  /** The server that this client belonged to was closed. */
  SERVER_CLOSED = 6,
  /** The closing handshake, or the sending of what was accepted before it, was not finished within its time. */
  CLOSE_TIMEOUT = 7,
  /** The closing handshake could not be finished because the host did not read its full inbound queue. */
  NOT_READING = 8,
  /** No pong within pong_timeout_ms. */
  PONG_TIMEOUT = 9,
  /** The name has no address. */
  NAME_NOT_FOUND = 20,
  /** The name lookup failed otherwise. */
  NAME_FAILED = 21,
  /** The connect timeout ended in the phase that the event names. */
  CONNECT_TIMEOUT = 22,
  /** Every address refused the connection. */
  REFUSED = 23,
  /** No route to any address. */
  UNREACHABLE = 24,
  /** TCP failed otherwise; os_error has the system's number. */
  TCP_FAILED = 25,
  /** The certificate was signed by nobody that this machine trusts. */
  CERTIFICATE_UNTRUSTED = 30,
  /** The certificate has expired or is not valid yet. Look at both clocks. */
  CERTIFICATE_EXPIRED = 31,
  /** The certificate is for another name. */
  CERTIFICATE_NAME = 32,
  /** The certificate does not have the pinned SHA-256. */
  CERTIFICATE_PIN = 33,
  /** The certificate cannot be used otherwise. */
  CERTIFICATE_BAD = 34,
  /** The other end is not speaking TLS. */
  NOT_TLS = 35,
  /** TLS failed otherwise. */
  TLS_FAILED = 36,
  /** The server answered the request with another status than 101; http_status has it. */
  HTTP_STATUS = 40,
  /** The answer, or the request, is not a valid opening handshake. */
  HTTP_INVALID = 41,
  /** The header is over max_header_bytes. */
  HTTP_TOO_BIG = 42,
  /** No subprotocol in common, or one that was not asked for. */
  SUBPROTOCOL = 43,
  /** The opening handshake of a server's client took longer than handshake_timeout_ms. */
  HANDSHAKE_TIMEOUT = 44,
  /** The peer broke RFC 6455 (close code 1002). */
  PROTOCOL = 50,
  /** The peer sent text that is not UTF-8 (1007). */
  UTF8 = 51,
  /** The peer sent a message or frame over the limits (1009). */
  TOO_BIG = 52,
  /** The peer sent more than max_messages_per_s or max_bytes_per_s (1008). */
  RATE = 53,
  /** The peer did not read, its queue was full, and on_full is WS_FULL_DISCONNECT (1008). */
  FULL = 54,
  /**
   * The peer sent compressed data that cannot be decompressed (1007), or that become more than max_inflate_ratio
   * times their size (1008).
   */
  DEFLATE = 55,
  /**
   * The peer broke the multiplayer format: a wrong first message, an id below 2, a sender that is another, a short
   * header, a value that cannot be read (1002). ERROR of a join in a scene: event.count packets of event.peer_id
   * that the host passed on were broken so.
   */
  MULTIPLAYER = 56,
  /**
   * ERROR of a host in a scene or in Godot 3's format: event.count messages of event.peer_id were for peers who are
   * not there.
   */
  NO_PEER = 57,
  /** The peer was not authenticated within WS_OPT_AUTH_TIMEOUT_MS (1008). */
  AUTH_TIMEOUT = 58,
  /**
   * ERROR with WS_SCENE: event.count calls of event.peer_id, or one of ours to it, were of a node that has other
   * methods there than were declared here.
   */
  CHECKSUM = 59,
  /** ERROR with WS_SCENE: event.count calls of event.peer_id were of a node or method that is not declared. */
  NO_NODE = 62,
  /**
   * ERROR with WS_SCENE: event.count packets of event.peer_id were nothing for a program: replication, objects as
   * arguments, authentication or passing on that is not switched on here.
   */
  UNSUPPORTED = 63,
  /** ERROR at a client with WS_APP_HEARTBEAT: the server offers no application heartbeat. */
  NO_HEARTBEAT = 64,
  /**
   * The system has no descriptor or memory left. ERROR with WS_SCENE: event.count calls of event.peer_id were lost
   * for lack of memory.
   */
  RESOURCES = 60,
  /** A defect in wspeer was caught; the log has the text. */
  PANIC = 61,
}

export declare const enum WsFlag {
  /** A put waits for ws_flush(), the next poll or 128 KiB, so that the messages of a frame leave in one write. */
  COALESCE = 1,
  /** Messages may be put while CONNECTING; they leave after the opening handshake. */
  QUEUE_BEFORE_OPEN = 2,
  /**
   * Client: accept any certificate with a key of a kind that is supported: P-256, P-384, Ed25519, or RSA of 2048
   * bits and more. For development alone; the log says so.
   */
  INSECURE = 4,
  /** Client: trust only ca_pem, neither the bundled nor the system's roots. */
  ONLY_CA_PEM = 8,
  /** Server: answer every request with 503 until WS_OPT_REFUSE_NEW is set to 0. */
  REFUSE_NEW = 16,
  /** permessage-deflate (RFC 7692): a client offers it, a server accepts it where a client offers it. */
  DEFLATE = 32,
  /**
   * With WS_DEFLATE: the server's compressor shall forget each message, which saves memory and lets a broadcast be
   * compressed once.
   */
  SERVER_NO_CONTEXT_TAKEOVER = 64,
  /** With WS_DEFLATE: the client's compressor shall forget each message. */
  CLIENT_NO_CONTEXT_TAKEOVER = 128,
  /**
   * ws_host and ws_join: the format of Godot 3.2 to 3.6 with gd_mp_api, where the host passes on what is for
   * others, instead of Godot 4's.
   */
  GODOT3 = 256,
  /** Client: a certificate may be for any name, if it is trusted otherwise. For development alone. */
  ANY_NAME = 512,
  /**
   * ws_host and ws_join: what Godot 4's SceneMultiplayer says too: other peers told and reached by way of the host,
   * its raw bytes, remote calls.
   */
  SCENE = 1024,
  /**
   * With WS_SCENE: who comes is told by AUTHENTICATING, and is there only after its authentication, see
   * ws_complete_auth(): Godot's auth_callback.
   */
  AUTH = 2048,
  /**
   * With WS_SCENE: clients do not hear of each other, and the host passes nothing on: Godot's server_relay switched
   * off. The same on all sides.
   */
  NO_RELAY = 4096,
  /**
   * Both ends: the client's heartbeat goes as messages that the host does not see, as a browser hides pings: rtt_us
   * and pong_timeout_ms work there too. A client's heartbeat_ms is then 20000 unless set. A server that does not
   * offer it is told by ERROR with WS_CAUSE_NO_HEARTBEAT. docs/heartbeat.md has the bytes.
   */
  APP_HEARTBEAT = 8192,
}

export declare const enum WsFullPolicy {
  /** Skip that target: WS_PARTIAL, a SKIPPED event, WRITABLE when it recovers. The default. */
  SKIP = 1,
  /** Disconnect that target with 1008. */
  DISCONNECT = 2,
  /** Take the message for all targets or for none (WS_ERR_FULL). */
  ALL_OR_NONE = 3,
}

export declare const enum WsRole {
  /** The client's end: sends the request, masks its frames. */
  CLIENT = 1,
  /** The server's end: answers the request. */
  SERVER = 2,
}

export declare const enum WsText {
  /**
   * The URL as it is used, without user name and password. A server: its own, with the real port. A server's
   * client: of its request.
   */
  URL = 1,
  /** The path of the request, without the query. */
  PATH = 2,
  /** The query of the request, without the question mark. */
  QUERY = 3,
  /** The subprotocol that both ends agreed on, or "". */
  SUBPROTOCOL = 4,
  /** The reason in the close frame that decided the close: the peer's, or ours where we failed the connection. */
  CLOSE_REASON = 5,
  /** Why the connection ended, as a sentence that says what to do; "" while it lives. */
  ERROR = 6,
  /** The local address and port: "127.0.0.1:9080", "[::1]:9080". */
  LOCAL_ADDRESS = 7,
  /** The peer's address and port. */
  REMOTE_ADDRESS = 8,
  /**
   * The first KiB of the body of a refused request, as far as it came within 250 ms of the header, invalid UTF-8
   * replaced.
   */
  BODY = 9,
  /** The TLS version and cipher suite, or "" on ws://. */
  TLS = 10,
  /** What was agreed on of permessage-deflate, as "permessage-deflate; server_no_context_takeover", or "". */
  EXTENSIONS = 11,
}

export declare const enum WsOption {
  /** TCP_NODELAY: 1 (default) or 0. */
  NO_DELAY = 1,
  /** heartbeat_ms; 0 and WS_OFF: no pings. */
  HEARTBEAT_MS = 2,
  /** pong_timeout_ms; 0: three times heartbeat_ms. */
  PONG_TIMEOUT_MS = 3,
  /** close_timeout_ms. */
  CLOSE_TIMEOUT_MS = 4,
  /** poll_budget_us. */
  POLL_BUDGET_US = 5,
  /** max_message_bytes. */
  MAX_MESSAGE_BYTES = 6,
  /** max_fragments. */
  MAX_FRAGMENTS = 7,
  /** inbound_packets. */
  INBOUND_PACKETS = 8,
  /** inbound_bytes. */
  INBOUND_BYTES = 9,
  /** outbound_packets. */
  OUTBOUND_PACKETS = 10,
  /** outbound_bytes. */
  OUTBOUND_BYTES = 11,
  /** max_messages_per_s. */
  MAX_MESSAGES_PER_S = 12,
  /** max_bytes_per_s. */
  MAX_BYTES_PER_S = 13,
  /** The flag WS_COALESCE: 0 or 1. */
  COALESCE = 14,
  /** Server: the flag WS_REFUSE_NEW: 0 or 1. */
  REFUSE_NEW = 15,
  /** Server: max_clients. */
  MAX_CLIENTS = 16,
  /** Server: max_clients_per_address. */
  MAX_CLIENTS_PER_ADDRESS = 17,
  /** Server: max_pending_handshakes. */
  MAX_PENDING_HANDSHAKES = 18,
  /** Server: handshake_timeout_ms. */
  HANDSHAKE_TIMEOUT_MS = 19,
  /** Server: on_full. */
  ON_FULL = 20,
  /** The local port, to read only: which one "ws://127.0.0.1:0" got. */
  PORT = 21,
  /** deflate_threshold_bytes. */
  DEFLATE_THRESHOLD_BYTES = 22,
  /** max_inflate_ratio. */
  MAX_INFLATE_RATIO = 23,
  /**
   * Host, join: Godot's transfer mode, 0 (unreliable), 1 (unreliable ordered) or 2 (reliable; default). Kept and
   * told; every packet is reliable and ordered.
   */
  TRANSFER_MODE = 24,
  /** Host, join: Godot's transfer channel (default 0). Kept and told; every packet travels on the one connection. */
  TRANSFER_CHANNEL = 25,
  /**
   * Host, join with WS_AUTH: how long the authentication of a peer may take, in milliseconds; WS_OFF: without end
   * (default: 3000). For those who come later.
   */
  AUTH_TIMEOUT_MS = 26,
  /** Host, join: max_call_bytes. */
  MAX_CALL_BYTES = 27,
  /** Host, join: max_call_items. */
  MAX_CALL_ITEMS = 28,
}

export declare const enum WsLogLevel {
  /** Nothing. */
  OFF = 0,
  /** Defects and what no event tells. */
  ERROR = 1,
  /** What is likely a mistake, such as WS_INSECURE. The default. */
  WARN = 2,
  /** Connections that open and end. */
  INFO = 3,
  /** Steps of the handshakes. */
  DEBUG = 4,
}

export declare const enum WsStruct {
  /** ws_config, which may grow. */
  CONFIG = 1,
  /** ws_stats, which may grow. */
  STATS = 2,
  /** ws_packet, which stays as it is. */
  PACKET = 3,
  /** ws_event, which stays as it is. */
  EVENT = 4,
  /** ws_variant. */
  VARIANT = 5,
  /** ws_call. */
  CALL = 6,
}

export declare const enum WsVariantType {
  /** null. */
  NIL = 0,
  /** bool, in `integer`. */
  BOOL = 1,
  /** int, in `integer`. */
  INT = 2,
  /** float, in number[0]. */
  FLOAT = 3,
  /** String: UTF-8 in data and len. */
  STRING = 4,
  /** Vector2: x, y in `number`. */
  VECTOR2 = 5,
  /** Vector2i: x, y. */
  VECTOR2I = 6,
  /** Rect2: position, size. */
  RECT2 = 7,
  /** Rect2i: position, size. */
  RECT2I = 8,
  /** Vector3: x, y, z. */
  VECTOR3 = 9,
  /** Vector3i: x, y, z. */
  VECTOR3I = 10,
  /** Transform2D: x axis, y axis, origin. */
  TRANSFORM2D = 11,
  /** Vector4: x, y, z, w. */
  VECTOR4 = 12,
  /** Vector4i: x, y, z, w. */
  VECTOR4I = 13,
  /** Plane: normal, d. */
  PLANE = 14,
  /** Quaternion: x, y, z, w. */
  QUATERNION = 15,
  /** AABB: position, size. */
  AABB = 16,
  /** Basis: row by row, the first row is the x of all three axes. */
  BASIS = 17,
  /** Transform3D: its Basis, then its origin. */
  TRANSFORM3D = 18,
  /** Projection: column by column. */
  PROJECTION = 19,
  /** Color: r, g, b, a. */
  COLOR = 20,
  /** StringName, as STRING. */
  STRING_NAME = 21,
  /** NodePath: `count` STRINGs follow, names and then number[0] sub-names; `integer` is 1 when it is absolute. */
  NODE_PATH = 22,
  /** RID: cannot be sent. */
  RID = 23,
  /** Object: cannot be sent. */
  OBJECT = 24,
  /** Callable: cannot be sent. */
  CALLABLE = 25,
  /** Signal: cannot be sent. */
  SIGNAL = 26,
  /**
   * Dictionary: `count` pairs follow, a key and a value each. A typed one: `integer` is the type of the keys plus
   * 256 times that of the values.
   */
  DICTIONARY = 27,
  /** Array: `count` values follow. A typed one: `integer` is the type of its elements. */
  ARRAY = 28,
  /** PackedByteArray: `count` bytes in data. */
  PACKED_BYTE_ARRAY = 29,
  /**
   * PackedInt32Array: `count` int32_t in data, little-endian and maybe not aligned, so copy them out; so are all
   * that follow.
   */
  PACKED_INT32_ARRAY = 30,
  /** PackedInt64Array: `count` int64_t. */
  PACKED_INT64_ARRAY = 31,
  /** PackedFloat32Array: `count` floats. */
  PACKED_FLOAT32_ARRAY = 32,
  /** PackedFloat64Array: `count` doubles. */
  PACKED_FLOAT64_ARRAY = 33,
  /** PackedStringArray: `count` STRINGs follow. */
  PACKED_STRING_ARRAY = 34,
  /**
   * PackedVector2Array: 2 floats each; of an engine with double precision 2 doubles, and `len` is then twice as
   * much.
   */
  PACKED_VECTOR2_ARRAY = 35,
  /** PackedVector3Array: 3 floats each, or doubles. */
  PACKED_VECTOR3_ARRAY = 36,
  /** PackedColorArray: 4 floats each. */
  PACKED_COLOR_ARRAY = 37,
  /** PackedVector4Array: 4 floats each, or doubles. */
  PACKED_VECTOR4_ARRAY = 38,
}

export declare const enum WsFeature {
  /** ws_connect over ws://. */
  CLIENT = 1,
  /** ws_listen. */
  SERVER = 2,
  /** wss://. */
  TLS = 4,
  /** Request headers can be set and response headers read. */
  HEADERS = 8,
  /** Protocol pings and their round-trip time. */
  PING = 16,
  /** ws_wait. */
  WAIT = 32,
  /** ws_pair and ws_attach. */
  PAIR = 64,
  /** permessage-deflate. */
  DEFLATE = 128,
  /** ws_host, ws_join and ws_join_local. */
  MULTIPLAYER = 256,
  /** WS_SCENE. */
  SCENE = 512,
}

/**
 * Counters since the handle was opened. A server: the sum over its clients, past ones included. Here: where its
 * fields lie, in bytes.
 */
export declare const enum WsStatsLayout {
  /** How many bytes were filled. */
  struct_size = 0,
  /** Server: connected clients. Else 1 while OPEN. */
  connections = 4,
  /** Messages received. With WS_AUTH those of a peer count once it is admitted. */
  messages_in = 8,
  /** Messages accepted for sending. */
  messages_out = 16,
  /** Bytes of messages received. */
  bytes_in = 24,
  /** Bytes of messages accepted for sending. */
  bytes_out = 32,
  /** Bytes read from the transport, above TLS. */
  wire_bytes_in = 40,
  /** Bytes written to the transport, above TLS. */
  wire_bytes_out = 48,
  /**
   * Messages that wait for the host, and AUTH events. Messages of a peer that is not admitted (WS_AUTH) count for
   * kept_bytes instead.
   */
  queued_packets_in = 56,
  /** Their bytes. */
  queued_bytes_in = 64,
  /** Messages that wait to be sent: the operating system has not taken them whole. */
  queued_packets_out = 72,
  /**
   * Bytes that wait to be sent, with the headers of frames. Over wss:// the bytes of a TLS record wait until all of
   * it was taken.
   */
  queued_bytes_out = 80,
  /**
   * Messages not taken by a full queue of one of several targets, and messages that came and were dropped, because
   * ws_disconnect() had been called for their sender, because it had sent more in a second than it may, or because
   * it ended before it was admitted (WS_AUTH).
   */
  skipped = 88,
  /** How often reading stopped because the host's queue was full. */
  inbound_stalls = 96,
  /** The last round-trip time of a ping, in microseconds; 0: none measured. */
  rtt_us = 104,
  /** Duration of the last ws_poll() of this handle, in microseconds. */
  last_poll_us = 112,
  /** Duration of the longest ws_poll() of this handle, in microseconds. */
  longest_poll_us = 120,
  /** Server: clients accepted since it was opened. */
  accepted = 128,
  /** Server: clients whose opening handshake failed or was refused. */
  refused = 136,
  /** Server: opening handshakes under way. */
  pending_handshakes = 144,
  /** Messages that came compressed. They count when those of messages_in do. */
  compressed_in = 152,
  /** Messages that were compressed. */
  compressed_out = 160,
  /** Memory of the contexts of compressors and decompressors, in bytes. A server: of all its clients. */
  deflate_memory_bytes = 168,
  /**
   * Memory kept for peers beside the queues, in bytes: messages that have not come whole, what was read and not
   * looked at, texts of events, path numbers and news of a scene.
   */
  kept_bytes = 176,
  /** Of the whole struct. */
  SIZE = 184,
}

/** A message. 40 bytes with 64-bit pointers, 32 with 32-bit. Here: where its fields lie, in bytes. */
export declare const enum WsPacketLayout {
  /**
   * The bytes, lent: valid until the next call that reads items through the same handle, or its ws_free(). Never
   * NULL; not NUL-terminated when it is a message.
   */
  data = 0,
  /** How many bytes; 0 is an empty message. */
  len = 4,
  /** WS_TEXT, WS_BINARY or WS_CALL. */
  type = 8,
  /** Multiplayer: who sent it. Else 0. */
  peer_id = 12,
  /** The connection that it came by: a server's client, or the handle itself. */
  conn = 16,
  /** Zero for now. */
  flags = 20,
  /** What ws_set_user() or ws_config.user gave that connection. */
  user = 24,
  /** Of the whole struct. */
  SIZE = 32,
}

/** The same with 64-bit pointers. */
export declare const enum WsPacketLayout64 {
  data = 0,
  len = 8,
  type = 16,
  peer_id = 20,
  conn = 24,
  flags = 28,
  user = 32,
  SIZE = 40,
}

/** One thing that happened. 128 bytes with 64-bit pointers, 120 with 32-bit. Here: where its fields lie, in bytes. */
export declare const enum WsEventLayout {
  /** WS_EVENT_*. */
  type = 0,
  /** The connection that it is about. */
  conn = 4,
  /** Multiplayer: which peer it is about; OPEN of a join: its own id. Else 0. */
  peer_id = 8,
  /**
   * CLOSE_REQUEST, CLOSED, DISCONNECTED: the close code; 1005: a close frame without one; 1006: no close frame.
   * Else 0.
   */
  code = 12,
  /** CLOSED, DISCONNECTED, ERROR: WS_PHASE_*. */
  phase = 16,
  /** CLOSED, DISCONNECTED, ERROR: WS_CAUSE_*. */
  cause = 20,
  /** The HTTP status of the answer to the opening handshake, or 0. */
  http_status = 24,
  /** The operating system's error number, or 0. */
  os_error = 28,
  /** CLOSED, DISCONNECTED: how many messages were accepted for sending and never left. */
  unsent = 32,
  /** CLOSED, DISCONNECTED: 1 when the closing handshake was completed. Else 0. */
  clean = 36,
  /** When it happened: nanoseconds of the system's monotonic clock since the library's first call. */
  time_ns = 40,
  /** SKIPPED, and ERROR about what a peer sent: how many. */
  count = 48,
  /** Zero. */
  reserved = 56,
  /**
   * MESSAGE: the message. AUTH: packet.data and len are the data. Any other event: packet.data is a text, lent
   * likewise, NUL-terminated, packet.len without the NUL: the peer's reason for CLOSE_REQUEST, a sentence that says
   * what happened and what to do for CLOSED, DISCONNECTED and ERROR, else "".
   */
  packet = 88,
  /** Of the whole struct. */
  SIZE = 120,
}

/** The same with 64-bit pointers. */
export declare const enum WsEventLayout64 {
  type = 0,
  conn = 4,
  peer_id = 8,
  code = 12,
  phase = 16,
  cause = 20,
  http_status = 24,
  os_error = 28,
  unsent = 32,
  clean = 36,
  time_ns = 40,
  count = 48,
  reserved = 56,
  packet = 88,
  SIZE = 128,
}

/**
 * How to open a connection or a server. Fill it with ws_config_init(), then set what you need; every field that
 * stays 0 means its default. Everything is copied during the call. Texts are UTF-8 and NUL-terminated; NULL means
 * none. Here: where its fields lie, in bytes.
 */
export declare const enum WsConfigLayout {
  /** Set by ws_config_init(). */
  struct_size = 0,
  /** A number of your choice for ws_free_owner(); 0: none. */
  owner = 4,
  /**
   * WS_COALESCE | WS_QUEUE_BEFORE_OPEN | WS_INSECURE | WS_ONLY_CA_PEM | WS_REFUSE_NEW | WS_DEFLATE |
   * WS_SERVER_NO_CONTEXT_TAKEOVER | WS_CLIENT_NO_CONTEXT_TAKEOVER | WS_GODOT3 | WS_ANY_NAME | WS_SCENE | WS_AUTH |
   * WS_NO_RELAY | WS_APP_HEARTBEAT.
   */
  flags = 8,
  /** How long one ws_poll() may work, in microseconds (default: 1000). */
  poll_budget_us = 12,
  /** Client, join: from ws_connect() or ws_join() to OPEN, all phases together, in milliseconds (default: 10000). */
  connect_timeout_ms = 16,
  /** Server: from a client's arrival to its CONNECTED, TLS included, in milliseconds (default: 3000). */
  handshake_timeout_ms = 20,
  /**
   * How long a close may wait for the peer, and for what was accepted to leave, counted from the last progress, in
   * milliseconds; never WS_OFF (default: 3000).
   */
  close_timeout_ms = 24,
  /**
   * How often the peer is pinged, which measures the round-trip time too, in milliseconds (default: servers'
   * clients 20000, clients WS_OFF).
   */
  heartbeat_ms = 28,
  /**
   * Time without any byte from the peer after which it counts as dead, once pinged, in milliseconds; at least
   * heartbeat_ms (default: 3 x heartbeat_ms). A ping has at least a second to be answered, or heartbeat_ms if that
   * is less.
   */
  pong_timeout_ms = 32,
  /** The longest message taken from the peer and from the host, in bytes (default: 16777216). */
  max_message_bytes = 36,
  /** The most fragments of one received message (default: 131072). */
  max_fragments = 40,
  /** The longest request or response header, in bytes (default: 16384). */
  max_header_bytes = 44,
  /**
   * Messages and AUTH events that may wait for the host; at more, reading stops and TCP slows the peer (default:
   * 4096).
   */
  inbound_packets = 48,
  /** Bytes of messages and of AUTH events that may wait for the host (default: 4194304). */
  inbound_bytes = 52,
  /** Messages that may wait to be sent (default: 4096). */
  outbound_packets = 56,
  /** Bytes that may wait to be sent (default: 4194304). */
  outbound_bytes = 60,
  /** Messages a peer may send in a second before it is closed with 1008; those behind are dropped (default: WS_OFF). */
  max_messages_per_s = 64,
  /**
   * Bytes of messages a peer may send in a second before it is closed with 1008; messages behind are dropped
   * (default: WS_OFF).
   */
  max_bytes_per_s = 68,
  /**
   * Server: clients that may be connected; one that has ended counts until its messages were read; more are
   * answered with 503 (default: 4096).
   */
  max_clients = 72,
  /**
   * Server: clients from one IP address, counted as for max_clients; more are answered with 503 (default: WS_OFF,
   * as behind a proxy all clients share one).
   */
  max_clients_per_address = 76,
  /** Server: opening handshakes under way at a time; more wait in the system's queue (default: 256). */
  max_pending_handshakes = 80,
  /**
   * Server, host: WS_FULL_* (default: WS_FULL_SKIP; of a host WS_FULL_DISCONNECT, as a game cannot do without a
   * packet).
   */
  on_full = 84,
  /** TCP_NODELAY: WS_OFF leaves Nagle's algorithm on (default: small messages leave at once). */
  no_delay = 88,
  /** How many texts `headers` points to. */
  headers_count = 92,
  /** With WS_DEFLATE: how hard to compress, 1 (fast) to 9 (small) (default: 1, as a game pays in frame time). */
  deflate_level = 96,
  /** With WS_DEFLATE: shorter messages are not compressed, in bytes; WS_OFF: none is (default: 64). */
  deflate_threshold_bytes = 100,
  /** With WS_DEFLATE: window of the server's compressor as a power of two, 9 to 15 (default: 15). */
  server_max_window_bits = 104,
  /** With WS_DEFLATE: window of the client's compressor as a power of two, 9 to 15 (default: 15). */
  client_max_window_bits = 108,
  /**
   * The most that a message over 1 MiB may have been compressed, in bytes for a byte; at more the connection is
   * closed with 1008 (default: 256). What is sent keeps to half of it.
   */
  max_inflate_ratio = 112,
  /** Zero. */
  reserved = 116,
  /** Extra headers of the request (client) or of the answer (server), each "Name: value". */
  headers = 120,
  /**
   * Subprotocols in order of preference, "chat.v2, chat.v1". Client: offered; the server must choose one. Server:
   * chooses the client's first that it knows; a client that offers none of them is refused with 400.
   */
  subprotocols = 124,
  /**
   * Client: PEM of certificates to trust besides the bundled and the system's: of CAs, or of the server itself,
   * even if a CA signed it, it is marked CA:TRUE, it names its host only in the common name, or it is of X.509
   * version 1. What cannot be used is left out with a warning in the log; WS_ERR_TLS if all is. The text may be
   * indented, in one line, or have its line ends written out as \n.
   */
  ca_pem = 128,
  /**
   * PEM of the certificate chain, own certificate first; as ca_pem is read. A wss:// server needs it; a client
   * sends it when asked.
   */
  cert_pem = 132,
  /** PEM of the private key of cert_pem (PKCS #8, PKCS #1 or SEC1). */
  key_pem = 136,
  /** Client: the name to ask for (SNI) and to check the certificate against, instead of the URL's host. */
  server_name = 140,
  /**
   * Client: SHA-256 of the server's own certificate (DER), 64 hex digits, colons allowed. It is then trusted by
   * this alone.
   */
  pin_sha256 = 144,
  /** The first value of ws_set_user(). */
  user = 148,
  /**
   * With WS_SCENE: the longest remote call, its arguments included, in bytes (default: 1048576). Who sends a longer
   * one is closed with 1002; a join drops one that was passed on, and reports it by ERROR. A put of one is
   * WS_ERR_TOO_BIG.
   */
  max_call_bytes = 152,
  /**
   * With WS_SCENE: the most items that the arguments of a remote call may be, as ws_decode_call() counts them
   * (default: 65536). At more, as max_call_bytes.
   */
  max_call_items = 156,
  /** Of the whole struct. */
  SIZE = 160,
}

/** The same with 64-bit pointers. */
export declare const enum WsConfigLayout64 {
  struct_size = 0,
  owner = 4,
  flags = 8,
  poll_budget_us = 12,
  connect_timeout_ms = 16,
  handshake_timeout_ms = 20,
  close_timeout_ms = 24,
  heartbeat_ms = 28,
  pong_timeout_ms = 32,
  max_message_bytes = 36,
  max_fragments = 40,
  max_header_bytes = 44,
  inbound_packets = 48,
  inbound_bytes = 52,
  outbound_packets = 56,
  outbound_bytes = 60,
  max_messages_per_s = 64,
  max_bytes_per_s = 68,
  max_clients = 72,
  max_clients_per_address = 76,
  max_pending_handshakes = 80,
  on_full = 84,
  no_delay = 88,
  headers_count = 92,
  deflate_level = 96,
  deflate_threshold_bytes = 100,
  server_max_window_bits = 104,
  client_max_window_bits = 108,
  max_inflate_ratio = 112,
  reserved = 116,
  headers = 120,
  subprotocols = 128,
  ca_pem = 136,
  cert_pem = 144,
  key_pem = 152,
  server_name = 160,
  pin_sha256 = 168,
  user = 176,
  max_call_bytes = 184,
  max_call_items = 188,
  SIZE = 192,
}

/**
 * A value of Godot's, or the head of a container whose items follow it in the array. Fields that a type has no use
 * for are zero; zero them too when you make one. 160 bytes with 64-bit pointers, 152 with 32-bit. Here: where its
 * fields lie, in bytes.
 */
export declare const enum WsVariantLayout {
  /** WS_VARIANT_*. */
  type = 0,
  /** How many items, pairs, elements or names belong to it. */
  count = 4,
  /**
   * BOOL: 0 or 1. INT. ARRAY, DICTIONARY: what its elements have to be, 0: anything. NODE_PATH: 1 when it is
   * absolute.
   */
  integer = 8,
  /**
   * FLOAT: number[0]. The components of vectors, rectangles, transforms and colours. NODE_PATH: number[0] is how
   * many of its names are sub-names.
   */
  number = 16,
  /**
   * STRING, STRING_NAME: UTF-8, not NUL-terminated. Packed arrays: their elements. Lent; never NULL in what was
   * decoded.
   */
  data = 144,
  /** How many bytes. */
  len = 148,
  /** Of the whole struct. */
  SIZE = 152,
}

/** The same with 64-bit pointers. */
export declare const enum WsVariantLayout64 {
  type = 0,
  count = 4,
  integer = 8,
  number = 16,
  data = 144,
  len = 152,
  SIZE = 160,
}

/** A call that has come. 24 bytes with 64-bit pointers, 16 with 32-bit. Here: where its fields lie, in bytes. */
export declare const enum WsCallLayout {
  /** The path of the node as it was declared, without "/root/"; NUL-terminated, lent as the packet is. */
  path = 0,
  /** The name of the method; NUL-terminated, lent likewise. */
  method = 4,
  /** How many arguments it has. */
  arguments = 8,
  /** How many items these are, those in containers included. */
  items = 12,
  /** Of the whole struct. */
  SIZE = 16,
}

/** The same with 64-bit pointers. */
export declare const enum WsCallLayout64 {
  path = 0,
  method = 8,
  arguments = 16,
  items = 20,
  SIZE = 24,
}

export interface Wspeer {
  /**
   * The state of a handle now, while the queue may lag: WS_CONNECTING, WS_OPEN, WS_CLOSING, WS_CLOSED, or
   * WS_ERR_HANDLE. Any thread.
   */
  _ws_get_state(h: WsHandle): number;
  /** How many messages wait behind a handle, or WS_ERR_HANDLE. Any thread. */
  _ws_get_available(h: WsHandle): number;
  /**
   * Copies a text out: WS_GET_URL and the others. Cut at a code point if `cap` is short, always terminated when cap
   * is above 0.
   *
   * `len` (may be NULL) is the whole length without the NUL. Returns WS_OK, WS_TRUNCATED, WS_ERR_ARG (unknown
   * `what`), WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL. Any thread.
   */
  _ws_get_text(h: WsHandle, what: number, buf: Pointer, cap: Size, len: Pointer): WsResult;
  /**
   * Copies the value of a header out, as ws_get_text(): of the request on a server's client, of the answer on a
   * client. `name` in any case; `index` counts headers of the same name from 0.
   *
   * Returns as ws_get_text(), and WS_EMPTY when there is no such header (buf and len are untouched). Any thread.
   */
  _ws_get_header(h: WsHandle, name: Pointer, index: number, buf: Pointer, cap: Size, len: Pointer): WsResult;
  /**
   * Copies the counters out. `size` is sizeof(ws_stats); fields that this library does not know are left as they
   * are.
   *
   * Returns WS_OK, WS_ERR_NULL, WS_ERR_ARG (size below 8), WS_ERR_HANDLE. Any thread.
   */
  _ws_get_stats(h: WsHandle, out: Pointer, size: Size): WsResult;
  /**
   * How a connection ended, as its CLOSED or DISCONNECTED tells it; that stays in the queue. For a host that asks
   * for states instead of reading events, while messages still wait in front of the event. packet.data is "";
   * WS_GET_ERROR and WS_GET_CLOSE_REASON are the texts.
   *
   * Returns WS_OK, WS_EMPTY while it lives, WS_ERR_KIND (a server), WS_ERR_HANDLE, WS_ERR_NULL. Any thread.
   */
  _ws_get_end(h: WsHandle, out: Pointer): WsResult;
  /**
   * Reads an option, WS_OPT_*. Returns WS_OK, WS_ERR_ARG (unknown), WS_ERR_KIND (a server's option), WS_ERR_HANDLE,
   * WS_ERR_NULL. Any thread.
   */
  _ws_get_option(h: WsHandle, option: number, out: Pointer): WsResult;
  /**
   * Sets an option, WS_OPT_*, from now on. On a server: for the server and for clients that connect later; set it
   * on a client's handle for that one.
   *
   * Returns WS_OK, WS_ERR_ARG (unknown, or a value out of range), WS_ERR_KIND, WS_ERR_HANDLE. Any thread.
   */
  _ws_set_option(h: WsHandle, option: number, value: number): WsResult;
  /**
   * Sets a value of the host's own that comes back in every packet and event of this connection. A server's clients
   * start with their server's.
   *
   * Returns WS_OK or WS_ERR_HANDLE. Any thread.
   */
  _ws_set_user(h: WsHandle, user: Size): WsResult;
  /**
   * Lists the handles of a server's or a host's clients, those included whose DISCONNECTED was not taken yet.
   *
   * `count` is how many there are, even when more than `cap`. Returns WS_OK, WS_TRUNCATED, WS_ERR_KIND,
   * WS_ERR_HANDLE, WS_ERR_NULL. Any thread.
   */
  _ws_get_conns(h: WsHandle, out: Pointer, cap: Size, count: Pointer): WsResult;
  /**
   * Lists the handles of those of a server's or a host's clients that have something to take: messages, or events
   * such as CONNECTED. For a host that reads each client by its own handle.
   *
   * `count` is how many there are, even when more than `cap`. Returns as ws_get_conns(). Any thread.
   */
  _ws_get_waiting(h: WsHandle, out: Pointer, cap: Size, count: Pointer): WsResult;
  /**
   * The handle of the connection to a peer, by its id: on a host that of its client, on a join its own for 1.
   *
   * Returns WS_OK, WS_ERR_TARGET (no such peer), WS_ERR_KIND (no host or join), WS_ERR_HANDLE, WS_ERR_NULL. Any
   * thread.
   */
  _ws_get_conn(h: WsHandle, peer_id: number, out: Pointer): WsResult;
  /**
   * The id of a host (1), of a host's client, or of a join (0 until it has come); or WS_ERR_KIND, WS_ERR_HANDLE.
   * Any thread.
   */
  _ws_get_peer_id(h: WsHandle): number;
  /**
   * The name of a result, "WS_OK" and so on; "WS_UNKNOWN" for a number that is none. Static; never NULL. Any
   * thread.
   */
  _ws_result_name(r: WsResult): Pointer;
  /**
   * Copies out the sentence of this thread's last failed call: what was wrong and what to do. "" before any. Its
   * words may change; decide by the code.
   *
   * As ws_get_text(). Each thread has its own.
   */
  _ws_last_error(buf: Pointer, cap: Size, len: Pointer): WsResult;
  /** Sets which log lines are kept from now on, WS_LOG_*. Returns WS_OK or WS_ERR_ARG. Any thread. */
  _ws_set_log_level(level: number): WsResult;
  /**
   * Gives a word of this header a name that your users know: all sentences have that name from then on, those of
   * ws_last_error(), of events, of WS_GET_ERROR and of the log. For bindings whose options have other names. `word`
   * is a field of ws_config or a flag, as "max_message_bytes" or "WS_QUEUE_BEFORE_OPEN"; `name` has at most 64
   * bytes, and NULL stands for the word itself. A word that no sentence has is no error.
   *
   * Returns WS_OK, WS_ERR_TOO_BIG, WS_ERR_LIMIT (more than 256), WS_ERR_NULL, WS_ERR_UTF8. Any thread.
   */
  _ws_set_name(word: Pointer, name: Pointer): WsResult;
  /**
   * Takes the next log line, "level: text". Nothing is ever printed by the library. At most 1024 lines are kept.
   *
   * A line is taken only when it fits; else WS_TRUNCATED, and *len is the room it needs without the NUL. Returns
   * WS_OK, WS_EMPTY, WS_TRUNCATED, WS_ERR_NULL. Any thread.
   */
  _ws_get_log(buf: Pointer, cap: Size, len: Pointer): WsResult;
  /** What this build and platform can do: WS_FEATURE_* together. Any thread. */
  _ws_get_features(): number;
  /** WS_VERSION of the library that is loaded. Any thread. */
  _ws_version(): number;
  /** WS_ABI_VERSION of the library that is loaded; another one than the header's must not be used. Any thread. */
  _ws_abi_version(): number;
  /**
   * How many bytes a struct has in the library that is loaded, WS_STRUCT_*: a binding holds its own layouts against
   * it when it loads. ws_packet, ws_event, ws_variant and ws_call are equal in all versions with one
   * WS_ABI_VERSION; the others are at least as long as in the header that they were taken from.
   *
   * Returns the size, or 0 for a number that is none. Any thread.
   */
  _ws_struct_size(which: number): number;
  /**
   * Starts the closing handshake, behind the messages that were accepted; poll until CLOSED to be sure that they
   * left. `code` 0 means 1000, -1 drops the connection at once; else 1000-1003, 1007-1014 or 3000-4999. `reason`
   * (NULL: none) has up to 123 bytes. A server stops listening and closes its clients, with 1001 for 0. A handle
   * that is closing or closed is left as it is. Messages that had arrived stay readable.
   *
   * Returns WS_OK, WS_ERR_ARG, WS_ERR_UTF8, WS_ERR_HANDLE, WS_ERR_PANIC. Any thread.
   */
  _ws_close(h: WsHandle, code: number, reason: Pointer): WsResult;
  /**
   * Closes one client of a server (target: its handle), all (0) or all but one (minus its handle); code and reason
   * as ws_close(). On a host a target is a peer's id instead. Nothing more of that client is delivered but its
   * DISCONNECTED: messages and events that wait are dropped, and messages that still come; ws_stats.skipped counts
   * the messages. To go on reading what it sent, ws_close() its own handle instead.
   *
   * Returns WS_OK, WS_ERR_TARGET, WS_ERR_KIND, WS_ERR_ARG, WS_ERR_UTF8, WS_ERR_HANDLE, WS_ERR_PANIC. Any thread.
   */
  _ws_disconnect(h: WsHandle, target: number, code: number, reason: Pointer): WsResult;
  /**
   * Retires a handle in any state and ends its loans; one last write is tried, by a thread of the library where it
   * takes more than a millisecond. What the peer has not acknowledged may be lost: to be sure, ws_close() and poll
   * until CLOSED first. A server: its clients' handles retire too. A server's client: it is dropped and forgotten.
   * 0 and stale handles are harmless. Never blocks. Any thread.
   */
  _ws_free(h: WsHandle): void;
  /**
   * Frees all handles that were opened with this ws_config.owner: what a binding calls when its host reloads. 0
   * frees none. Any thread.
   */
  _ws_free_owner(owner: number): void;
  /**
   * Frees all handles, forgets TLS sessions that a next connect would resume, and asks the library's threads to
   * end; waits for none. The library works again after the next open. Any thread.
   */
  _ws_shutdown(): void;
  /**
   * Moves a handle on: connects, accepts, reads, answers pings, writes, judges timers. Call it once a frame for
   * every handle but a server's clients (their server moves them; polling one polls it). Never blocks; works for at
   * most poll_budget_us. After more than a second without a poll or ws_wait(), as behind a loading screen, all
   * times move on by that gap, so a host that polls less often than once a second has no time-outs: let it
   * ws_wait().
   *
   * Returns WS_OK, WS_MORE when the budget ended with work left, WS_ERR_HANDLE, WS_ERR_PANIC. Never an error for a
   * closed handle. Any thread.
   */
  _ws_poll(h: WsHandle): WsResult;
  /**
   * Takes the next message; other events stay. A server's handle serves its clients in turn; a client's own handle
   * gives only its own.
   *
   * out->data is lent until the next call that reads items through the same handle (WS_EMPTY included), or its
   * ws_free(); ws_poll() does not end the loan, and the bytes may be put again into any handle. One thread at a
   * time reads from a handle. Returns WS_OK, WS_EMPTY, WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_PANIC.
   */
  _ws_get_packet(h: WsHandle, out: Pointer): WsResult;
  /**
   * Takes up to `cap` messages at once, as ws_get_packet() would one after the other; all of them stay valid
   * together.
   *
   * `count` is how many were written to `out`. Returns WS_OK, WS_EMPTY when there is none, WS_ERR_HANDLE,
   * WS_ERR_NULL, WS_ERR_ARG (cap is 0), WS_ERR_PANIC.
   */
  _ws_get_packets(h: WsHandle, out: Pointer, cap: Size, count: Pointer): WsResult;
  /**
   * Takes the next item, whatever it is: OPEN, MESSAGE, CLOSE_REQUEST, CLOSED and the others, in order. On a
   * server's handle: of its clients in turn, in order within each, and its own.
   *
   * out->packet.data is lent as by ws_get_packet(). Returns WS_OK, WS_EMPTY, WS_ERR_HANDLE, WS_ERR_NULL,
   * WS_ERR_PANIC. One thread at a time.
   */
  _ws_next_event(h: WsHandle, out: Pointer): WsResult;
  /**
   * Takes up to `cap` items at once, as ws_next_event() would one after the other; all of them stay valid together.
   *
   * `count` is how many were written to `out`. Returns as ws_get_packets(). One thread at a time.
   */
  _ws_next_events(h: WsHandle, out: Pointer, cap: Size, count: Pointer): WsResult;
  /**
   * Fills a config with zeros, which mean the defaults, and sets its struct_size. Call it with sizeof(ws_config): a
   * program then goes on working when the struct grows.
   *
   * Returns WS_OK, WS_ERR_NULL or WS_ERR_CONFIG (an impossible size). Any thread.
   */
  _ws_config_init(config: Pointer, size: Size): WsResult;
  /**
   * Opens a client: "ws://host:port/path?query" or "wss://…". Returns at once with a handle in CONNECTING; poll it
   * until OPEN or CLOSED. A user name and password in the URL become an Authorization header, unless `headers` has
   * one. A #fragment is left out. Failures of the network are told by the CLOSED event. A link-local IPv6 address
   * needs its interface, by name or number: "ws://[fe80::1%25eth0]:9080" or "ws://[fe80::1%eth0]:9080". The Host
   * header is without it.
   *
   * `config` may be NULL. Returns WS_OK and the handle, or WS_ERR_URL, WS_ERR_CONFIG, WS_ERR_TLS, WS_ERR_LIMIT,
   * WS_ERR_NULL, WS_ERR_UTF8. Any thread.
   */
  _ws_connect(url: Pointer, config: Pointer, out: Pointer): WsResult;
  /**
   * Opens a server: "ws://127.0.0.1:9080", "wss://[::]:443", "ws://*:9080" (both families), "ws://localhost:0" (any
   * free port, see WS_OPT_PORT). [::] is IPv6 alone, 0.0.0.0 IPv4 alone, * both; a link-local address as for
   * ws_connect(). A query, fragment, user name or password is WS_ERR_URL. The host is an IP address, localhost or
   * *. A path other than "/" restricts requests to it: others get 404. wss:// needs cert_pem and key_pem. Failures
   * to bind are told at once.
   *
   * `config` may be NULL. Returns WS_OK and the handle, or WS_ERR_ADDRESS, WS_ERR_URL, WS_ERR_CONFIG, WS_ERR_TLS,
   * WS_ERR_LIMIT, WS_ERR_NULL, WS_ERR_UTF8. Any thread.
   */
  _ws_listen(url: Pointer, config: Pointer, out: Pointer): WsResult;
  /**
   * Opens a multiplayer host, peer 1: a server, as ws_listen(), whose clients get ids, 2 to 2147483647, drawn at
   * random. The URL is as there. Targets of ws_put_packet_to() and ws_disconnect() are ids; packets and events say
   * by peer_id who sent them and whom they are about. In Godot 4's format, or with WS_GODOT3 in that of Godot 3.2
   * to 3.6; there, and with WS_SCENE, it also passes on what one client sends to others. on_full is
   * WS_FULL_DISCONNECT unless set.
   *
   * `config` may be NULL. Returns as ws_listen(). Any thread.
   */
  _ws_host(url: Pointer, config: Pointer, out: Pointer): WsResult;
  /**
   * Opens a multiplayer client: joins a host of ws_host() or of Godot. The URL is as for ws_connect(). It is
   * CONNECTING until its id has come, for at most connect_timeout_ms; then come OPEN, with its id as peer_id, and
   * CONNECTED of peer 1, the host. With WS_SCENE or WS_GODOT3 the other peers are told by CONNECTED and
   * DISCONNECTED too; with WS_AUTH it is CONNECTING until it is admitted. CLOSED ends it, and stands for all peers.
   *
   * `config` may be NULL. Returns as ws_connect(). Any thread.
   */
  _ws_join(url: Pointer, config: Pointer, out: Pointer): WsResult;
  /**
   * Joins a host of this process in memory, in the host's format: the player who sits at the host's machine. It
   * gets an id and is told as everybody is; only WS_OPT_REFUSE_NEW, the path and the limits of clients are not for
   * it. Poll both handles; they have locks of their own.
   *
   * `config` is the player's and may be NULL. Returns WS_OK and the handle, or WS_ERR_KIND (no host), WS_ERR_STATE
   * (it is closing), WS_ERR_HANDLE, WS_ERR_CONFIG, WS_ERR_LIMIT, WS_ERR_NULL. Any thread.
   */
  _ws_join_local(host: WsHandle, config: Pointer, out: Pointer): WsResult;
  /**
   * Opens two connections that talk to each other in memory through the real protocol: for a local player and for
   * tests. Each end moves its bytes in its own ws_poll(); the two share one lock.
   *
   * `config` serves both and may be NULL. Returns WS_OK and the handles, or an error as ws_connect(). Any thread.
   */
  _ws_pair(config: Pointer, server_end: Pointer, client_end: Pointer): WsResult;
  /**
   * Opens a connection whose bytes the host carries itself, by ws_feed() and ws_take_output(): another transport, a
   * recording, a test. `role` is WS_ROLE_CLIENT or WS_ROLE_SERVER.
   *
   * `config` may be NULL. Returns WS_OK and the handle, or WS_ERR_ARG or an error as ws_connect(). Any thread.
   */
  _ws_attach(config: Pointer, role: number, out: Pointer): WsResult;
  /**
   * Gives a connection of ws_attach() bytes that came by its transport; they are copied. They are worked on by the
   * next ws_poll(). `bytes` NULL with `len` 0 says that the transport has ended.
   *
   * `taken` (may be NULL) is how many bytes were taken: fewer than `len`, even 0, when the host does not poll or
   * read; feed the rest later. Returns WS_OK, or WS_ERR_STATE (the connection has ended), WS_ERR_KIND,
   * WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_TOO_BIG. Any thread.
   */
  _ws_feed(h: WsHandle, bytes: Pointer, len: Size, taken: Pointer): WsResult;
  /**
   * Takes bytes that a connection of ws_attach() wants to send by its transport. Ask until *len is 0, after each
   * ws_poll() and put. When the state is CLOSED and *len is 0, end the transport.
   *
   * `len` is how many bytes were written to `buf`. Returns WS_OK, or WS_EMPTY when there is nothing, WS_ERR_KIND,
   * WS_ERR_HANDLE, WS_ERR_NULL. Any thread.
   */
  _ws_take_output(h: WsHandle, buf: Pointer, cap: Size, len: Pointer): WsResult;
  /**
   * Declares a node of the game, so that it can be called and its calls be understood: `path` as "Game" or
   * "/root/Game", and all its RPCs. Godot numbers them, and both sides compare a checksum of their names, so
   * `methods` names every function of the node's script that is annotated @rpc, and no other, in any order: "hello,
   * move, shoot". Names behind a semicolon are those that Node.rpc_config() made callable. NULL forgets the node.
   * Declare at once after ws_host() or ws_join(): calls of a node that is not declared are lost, and told by ERROR
   * with WS_CAUSE_NO_NODE.
   *
   * `h` is a host or a join with WS_SCENE. Returns WS_OK, WS_ERR_ARG (the path, a name twice, declared with other
   * methods, or nothing to forget), WS_ERR_LIMIT, WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8. Any thread.
   */
  _ws_declare_node(h: WsHandle, path: Pointer, methods: Pointer): WsResult;
  /**
   * Sends data for the authentication of a peer, after its AUTHENTICATING: on a host of any such peer, on a join of
   * peer 1. It comes there as AUTH, or in Godot's auth_callback. Needs WS_SCENE | WS_AUTH.
   *
   * Returns WS_OK, WS_ERR_TARGET (no such peer, or admitted already), WS_ERR_STATE (one side has completed),
   * WS_ERR_ARG (no data), WS_ERR_FULL, WS_ERR_TOO_BIG (over 64 KiB), WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL. Any
   * thread.
   */
  _ws_send_auth(h: WsHandle, peer_id: number, data: Pointer, len: Size): WsResult;
  /**
   * Says that the authentication of a peer is complete on this side. From then on the peer is admitted once the
   * other side has completed it too, or by the next packet of any kind that comes of it, as in Godot: CONNECTED
   * follows, on a join OPEN and CONNECTED. Until then AUTH events tell what it sends for the authentication; other
   * packets wait, also those in front of that, and are dropped if the peer ends before it is admitted. To refuse a
   * peer: ws_disconnect(), or ws_close() on a join. Who is not authenticated within WS_OPT_AUTH_TIMEOUT_MS is
   * disconnected.
   *
   * Returns WS_OK, WS_ERR_TARGET (no such peer, or admitted already), WS_ERR_STATE (completed already),
   * WS_ERR_FULL, WS_ERR_KIND, WS_ERR_HANDLE. Any thread.
   */
  _ws_complete_auth(h: WsHandle, peer_id: number): WsResult;
  /**
   * Makes a call of `method` of the node at `path` ("Game" or "/root/Game") to put as WS_CALL. `items` are the
   * arguments: each value is one item, behind a container's item come those of what it contains, and so on; a call
   * has at most 255 arguments.
   *
   * ws_variant args[3] = {{.type = WS_VARIANT_INT, .integer = 5}, {.type = WS_VARIANT_ARRAY, .count = 1}, {.type =
   * WS_VARIANT_FLOAT, .number = {1.5}}}; uint8_t call[256]; size_t len; if (ws_encode_call("Game", "hello", args,
   * 3, call, sizeof call, &len) == WS_OK) ws_put_packet_to(h, 1, call, len, WS_CALL); // hello(5, [1.5])
   *
   * `len` is the length of the call, even when it is more than `cap`: the result is then WS_ERR_TOO_BIG, and what
   * was written to `buf` is of no use. Neither the path, the method, the items nor what they point to may lie in
   * `buf`. Returns WS_OK, WS_ERR_TOO_BIG, WS_ERR_ARG (an item that is wrong, or what lies in `buf`; ws_last_error()
   * says which), WS_ERR_NULL, WS_ERR_UTF8. Any thread.
   */
  _ws_encode_call(path: Pointer, method: Pointer, items: Pointer, count: Size, buf: Pointer, cap: Size, len: Pointer): WsResult;
  /**
   * Reads a call: a packet of type WS_CALL. Its arguments come as items, as ws_encode_call() takes them; all that
   * they point to is lent as the packet is.
   *
   * `out` says which method of which node, and how many arguments and items there are. At most `cap` items are
   * written to `items`; the result is WS_TRUNCATED when there are more. After a failure what was written to `items`
   * is of no use. Neither `out` nor `items` may lie in `data`. Returns WS_OK, WS_TRUNCATED, WS_ERR_ARG (no call),
   * WS_ERR_UNSUPPORTED (an argument that means nothing to another program), WS_ERR_NULL, WS_ERR_TOO_BIG. Any
   * thread.
   */
  _ws_decode_call(data: Pointer, len: Size, out: Pointer, items: Pointer, cap: Size): WsResult;
  /**
   * Writes one value as Godot's var_to_bytes() does, for bytes_to_var() and get_var(). `items` as for
   * ws_encode_call().
   *
   * Returns as ws_encode_call(); WS_ERR_ARG too when the items are not one value. Any thread.
   */
  _ws_encode_variant(items: Pointer, count: Size, buf: Pointer, cap: Size, len: Pointer): WsResult;
  /**
   * Reads one value as Godot's var_to_bytes() and put_var() write it. All that the items point to is lent from
   * `data`.
   *
   * `count` is how many items there are; at most `cap` are written, and the result is WS_TRUNCATED when there are
   * more. `used` (may be NULL) is how many bytes the value has, which may be fewer than `len`. `items` may not lie
   * in `data`. Returns as ws_decode_call(). Any thread.
   */
  _ws_decode_variant(data: Pointer, len: Size, items: Pointer, cap: Size, count: Pointer, used: Pointer): WsResult;
  /**
   * Puts a message of type WS_TEXT or WS_BINARY; the bytes are copied. The handle of a server or host: to all its
   * open clients, encoded once. A join: to the host in Godot 4's format, to everyone with WS_SCENE or WS_GODOT3,
   * which have no WS_TEXT. With WS_SCENE a message of type WS_BINARY is what send_bytes() sends, and one of type
   * WS_CALL, made by ws_encode_call(), calls a method of a node at the other side. It is written at once when
   * nothing waits before it; with WS_COALESCE, by ws_flush(), the next polls or at 128 KiB. With WS_DEFLATE a
   * message over 64 KiB is compressed in slices by the polls and flushes that follow.
   *
   * Returns WS_OK (accepted), WS_PARTIAL (a server: some clients were full; see SKIPPED), WS_ERR_FULL (not
   * accepted: put it again after WRITABLE), WS_ERR_STATE (not OPEN), WS_ERR_LIMIT (no memory left for it, and
   * nothing was taken), WS_ERR_TOO_BIG, WS_ERR_UTF8, WS_ERR_ARG, WS_ERR_NULL, WS_ERR_HANDLE, WS_ERR_PANIC. Any
   * thread.
   */
  _ws_put_packet(h: WsHandle, data: Pointer, len: Size, type: number): WsResult;
  /**
   * Puts a message to one client of a server (target: its handle), to all (0), or to all but one (target: minus its
   * handle; one that is gone is no error). On a host and a join a target is a peer's id instead. A join in Godot
   * 4's plain format reaches only the host: other targets, 0 included, are WS_ERR_TARGET; with WS_SCENE and
   * WS_GODOT3 it reaches the others by way of the host.
   *
   * Returns as ws_put_packet(), and WS_ERR_TARGET (no such client or peer), WS_ERR_ARG (INT32_MIN), WS_ERR_KIND (no
   * server, host or join). Any thread.
   */
  _ws_put_packet_to(h: WsHandle, target: number, data: Pointer, len: Size, type: number): WsResult;
  /**
   * Writes what waits to be sent, as far as the transport takes it. A server: of all its clients.
   *
   * Returns WS_OK, WS_ERR_HANDLE, WS_ERR_PANIC. Any thread.
   */
  _ws_flush(h: WsHandle): WsResult;
  /**
   * Waits until one of `n` handles has something to poll or to read, for hosts without frames: the only call that
   * may block. 0 and stale handles are passed over. `timeout_ms` -1: without end; 0: only a look.
   *
   * Returns WS_OK (poll now), WS_EMPTY (the time is over), WS_ERR_NULL, WS_ERR_ARG, WS_ERR_HANDLE (none of the
   * handles is valid), WS_ERR_LIMIT. Any thread; each thread waits for itself.
   */
  _ws_wait(handles: Pointer, n: Size, timeout_ms: number): WsResult;
}
