"""The library's numbers by their names: of include/wspeer.h without the prefixes.

Generated from include/wspeer.h and src/options.toml by `make generate`: do not edit.
"""

from __future__ import annotations

from enum import IntFlag

from wspeer._code import Code

OFF = 0xFFFFFFFF
"""As a limit or a time: unlimited, or switched off."""
CUSTOM_SCENE = 255
"""declare_scene(), spawn(): what MultiplayerSpawner.spawn(data) makes, by the spawner's spawn_function."""


class Result(Code):
    """The result of a call. 0 and above: success."""

    OK = 0
    """The call succeeded."""
    EMPTY = 1
    """The call succeeded, but there is nothing to return. Ask again in the next frame."""
    MORE = 2
    """poll(): the time budget is exhausted and work is left. Nothing is lost: the next poll continues. A program
    with time left may poll again at once."""
    PARTIAL = 3
    """Some of several targets could not take the message. SKIPPED events name them."""
    TRUNCATED = 4
    """The output did not fit. A text was cut at a code point."""
    ERR_ARG = -1
    """An argument is out of range."""
    ERR_NULL = -2
    """A required pointer is NULL."""
    ERR_HANDLE = -3
    """The handle is invalid: it is 0, stale (freed or retired), or was never issued."""
    ERR_KIND = -4
    """The call does not apply to this type of handle."""
    ERR_STATE = -5
    """The handle is in the wrong state for the call. Messages can be sent only while OPEN, or before that with
    queue_before_open."""
    ERR_FULL = -6
    """The outbound queue is full, and the message was not accepted. Poll, and send it again after the WRITABLE
    event."""
    ERR_TOO_BIG = -7
    """A length is too large: a message exceeds max_message_bytes, a call or value does not fit the buffer, or
    memory cannot hold it."""
    ERR_UTF8 = -8
    """A text is not valid UTF-8."""
    ERR_TARGET = -9
    """The target does not exist, or cannot be reached from this handle."""
    ERR_CONFIG = -10
    """An option is invalid. The text of the error names it."""
    ERR_URL = -11
    """The URL is invalid, or has a part that the call does not allow."""
    ERR_TLS = -12
    """A certificate, a key or pin_sha256 in the config cannot be used."""
    ERR_ADDRESS = -13
    """listen() and host(): the address cannot be bound. The text of the error has the reason."""
    ERR_UNSUPPORTED = -14
    """This build or platform does not support the call or the option; see features(). decode_call() and
    decode_variant(): a value has a type that only Godot can read."""
    ERR_LIMIT = -15
    """A limit of the library or the system is reached: no handle, descriptor, thread or memory is left."""
    ERR_PANIC = -16
    """A defect in wspeer was caught. The handle is retired, and with it those that share its lock; the program
    continues. log_lines() has the details."""
    ERR_DIRECTORY = -17
    """serve(): the directory does not exist or cannot be opened. last_error() has the reason."""


class State(Code):
    """The state of a connection or server."""

    CONNECTING = 0
    """Name lookup, TCP, TLS or the opening handshake (RFC 6455 section 4) is in progress; with ask the request of a
    client waits for the program."""
    OPEN = 1
    """Messages can be sent and received. A server is OPEN while it listens."""
    CLOSING = 2
    """The closing handshake (RFC 6455 section 7.1.2) is in progress. Messages that arrive are still delivered."""
    CLOSED = 3
    """The connection has ended. Messages received before can still be read."""
    LOST = 4
    """With reconnect: the link was lost, and the next one is not open yet. Messages received before can still be
    read. With session_ms, of a client of a server too: messages are accepted."""


class EventType(Code):
    """The type of an event."""

    OPEN = 1
    """A connection of connect(), pair() or attach() is OPEN. A join: it has received its id, event.peer_id, and
    with auth it has been admitted."""
    MESSAGE = 2
    """A message was received."""
    CLOSE_REQUEST = 3
    """The peer has started the closing handshake (RFC 6455 section 7.1.3). event.code is its status code, 1005 if
    it sent none; event.text is its reason. wspeer answers by itself."""
    CLOSED = 4
    """The connection, or the server itself, has ended. This is the last event of its handle."""
    CONNECTED = 5
    """Server, host: a client has completed its opening handshake. event.conn is its handle; on a host event.peer_id
    is its id. Join: peer event.peer_id is present. Peer 1 is the host. The others are reported with scene and
    godot3 only."""
    DISCONNECTED = 6
    """Server, host: a client's connection has ended. This is the last event of the client's handle, which retires
    in the server's next poll(). Join with scene or godot3: peer event.peer_id has left. When the join's own
    connection ends, CLOSED stands for all peers."""
    WRITABLE = 7
    """The outbound queue has room again, after it refused a message."""
    SKIPPED = 8
    """event.count messages or events were left out because a queue was full. event.conn is a client of a server:
    its outbound queue had no room for messages to several targets. Reported once until there is room again.
    event.conn is the server's own handle, a join, a client that reconnects, or a client of a server whose link was
    lost more than 8 times: the program did not read its events, so lifecycle events, and on a join errors about
    other peers, were dropped."""
    ERROR = 9
    """A failure that does not end the connection. event.cause and the text in event.text describe it. The text of
    any event has at most 1024 bytes, and quotes at most 256 bytes of a path or name."""
    AUTHENTICATING = 10
    """With auth: peer event.peer_id has to be authenticated. Answer with send_auth() and complete_auth(), or refuse
    it with disconnect(), on a join close(). AUTH events report the data that it sends. CONNECTED follows as
    complete_auth() describes."""
    AUTH = 11
    """With auth: event.data is authentication data that peer event.peer_id sent."""
    STEP = 15
    """diagnose(): a step of opening the connection. event.text is a sentence about it, event.phase the phase that
    it belongs to, event.cause what is wrong (Cause.NONE: the step succeeded), event.time_ns when it happened."""
    REFUSED = 14
    """Server, host, with report_refused: a client failed before CONNECTED. event.phase, event.cause and
    event.http_status say why; event.text is its address and port, a colon and a space, and the reason as a
    sentence. event.conn is the server. event.count is 1; when 256 of them wait to be read, further clients only add
    to the count of the last."""
    REQUEST = 16
    """Server, host with ask: a client has sent a request on which the program decides: accept() or reply().
    event.conn is its handle, which is CONNECTING and has the texts and headers of the request. event.count is 1 for
    a request to open a WebSocket, 0 for plain HTTP; event.data is the body of the request. Either CONNECTED follows
    or DISCONNECTED."""
    LOST = 17
    """Client, join with reconnect: the link was lost, and another is opened. The fields are those of CLOSED;
    event.unsent is the number of accepted messages that had not left. OPEN follows, or CLOSED. On a join it stands
    for DISCONNECTED of all peers. With session_ms, also of a server's client: nothing is lost, peers stay, and
    RESUMED follows, or CLOSED or DISCONNECTED."""
    RESUMED = 18
    """With session_ms: another link continues the session, and nothing was lost. event.count is the number of
    messages that are sent again."""
    SPAWN = 19
    """With scene: peer event.peer_id has spawned a node of a scene that was declared with declare_scene();
    event.nodes has it. The peer's nodes are gone with its DISCONNECTED; on a join also with CLOSED, and with LOST
    if there is no session."""
    DESPAWN = 20
    """With scene: peer event.peer_id has despawned such a node, or shows it no more to this one; event.nodes has
    it."""
    SYNC = 21
    """With scene: peer event.peer_id has synchronized properties of one node or more; event.nodes has them."""


class Phase(Code):
    """How far a connection had come when it ended."""

    NONE = 0
    """The event has no phase."""
    DNS = 1
    """Name lookup."""
    TCP = 2
    """Establishing the TCP connection."""
    PROXY = 3
    """With proxy: TLS to the proxy, and what it is asked and answers. The phases before it are those of the proxy's
    name and address, the phases after it those of the server."""
    TLS = 4
    """The TLS handshake, or a later failure of TLS."""
    HTTP = 5
    """The opening handshake over HTTP (RFC 6455 section 4)."""
    WEBSOCKET = 6
    """The WebSocket protocol, after the opening handshake."""
    APP = 7
    """The application: a closing handshake that either side requested, a drop by the program, or a failure in the
    protocol above WebSocket, such as an authentication."""


class Cause(Code):
    """Why a connection ended, or what an ERROR event reports."""

    NONE = 0
    """The event has no cause."""
    CLOSED_BY_HOST = 1
    """The program requested the close, and the closing handshake was completed (RFC 6455 section 7.1.4)."""
    CLOSED_BY_PEER = 2
    """The peer requested the close, and the closing handshake was completed (RFC 6455 section 7.1.4)."""
    DROPPED = 3
    """The program dropped the connection (code -1), or closed it before it was OPEN."""
    PEER_GONE = 4
    """The peer ended the transport without a closing handshake."""
    RESET = 5
    """The transport was reset or failed. event.os_error is the system's error number."""
    SERVER_CLOSED = 6
    """The server that this client belonged to was closed."""
    CLOSE_TIMEOUT = 7
    """The close made no progress for close_timeout_ms: the peer did not answer it, or did not read what was sent
    before it."""
    NOT_READING = 8
    """The close made no progress for close_timeout_ms, because the inbound queue was full and the program did not
    read it."""
    PONG_TIMEOUT = 9
    """The peer sent nothing for pong_timeout_ms, not even a pong (RFC 6455 section 5.5.3)."""
    NAME_NOT_FOUND = 20
    """The host name has no address."""
    NAME_FAILED = 21
    """The name lookup failed for another reason."""
    CONNECT_TIMEOUT = 22
    """connect_timeout_ms expired. event.phase is the phase in which it did."""
    REFUSED = 23
    """Every address refused the TCP connection."""
    UNREACHABLE = 24
    """There is no route to any of the addresses."""
    TCP_FAILED = 25
    """TCP failed for another reason. event.os_error is the system's error number."""
    PROXY_REFUSED = 26
    """The proxy refused to connect to the server, or could not. If it is an HTTP proxy, event.http_status is its
    status, and its headers and the start of its answer's body can be read as those of a server."""
    PROXY_AUTH = 27
    """The proxy requires a user name and password, or refused those of proxy."""
    PROXY_INVALID = 28
    """The proxy's answer is neither HTTP nor SOCKS 5, as proxy says."""
    LOCAL_NETWORK = 29
    """The system or the browser probably keeps the program from the local network until the user allows it: iOS,
    macOS 15, Android 17, Chrome. The text says what to ask for; docs/platforms.md has what to declare."""
    CERTIFICATE_UNTRUSTED = 30
    """The certificate was not issued by a trusted authority."""
    CERTIFICATE_EXPIRED = 31
    """The certificate has expired, or is not valid yet. Check the clocks of both machines."""
    CERTIFICATE_NAME = 32
    """The certificate was issued for another name."""
    CERTIFICATE_PIN = 33
    """The certificate does not match pin_sha256."""
    CERTIFICATE_BAD = 34
    """The certificate cannot be used for another reason."""
    NOT_TLS = 35
    """The peer does not speak TLS."""
    TLS_FAILED = 36
    """TLS failed for another reason."""
    HTTP_STATUS = 40
    """The server answered the request with a status other than 101, which is event.http_status. With ask also the
    end of a client that was answered by reply()."""
    HTTP_INVALID = 41
    """The request or the response is not a valid opening handshake (RFC 6455 section 4)."""
    HTTP_TOO_BIG = 42
    """The header of the request or response exceeds max_header_bytes."""
    SUBPROTOCOL = 43
    """The two sides have no subprotocol in common, or the server chose one that was not offered."""
    HANDSHAKE_TIMEOUT = 44
    """A client of the server did not complete its opening handshake within handshake_timeout_ms; with ask also: the
    program did not answer its request."""
    LIMIT = 45
    """REFUSED: max_clients or max_clients_per_address is reached, or the server takes no new clients
    (refuse_new)."""
    PROTOCOL = 50
    """The peer violated RFC 6455 (close code 1002)."""
    UTF8 = 51
    """The peer sent a text that is not valid UTF-8 (close code 1007, RFC 6455 section 8.1)."""
    TOO_BIG = 52
    """The peer sent a message or frame over max_message_bytes (close code 1009), or a message in more than
    max_fragments fragments (1008)."""
    RATE = 53
    """The peer exceeded max_messages_per_s or max_bytes_per_s (close code 1008)."""
    FULL = 54
    """The peer did not read, so its outbound queue was full, and on_full is OnFull.DISCONNECT (close code 1008)."""
    DEFLATE = 55
    """The peer sent compressed data that cannot be decompressed (close code 1007), or that expands to more than
    max_inflate_ratio times its size (1008)."""
    MULTIPLAYER = 56
    """The peer violated the multiplayer format (close code 1002): a wrong first message, an id below 2, a false
    sender, a truncated header, or a value that cannot be read. ERROR of a join with scene: event.count packets of
    peer event.peer_id, relayed by the host, violated the format."""
    NO_PEER = 57
    """ERROR of a host with scene or godot3: event.count messages of peer event.peer_id were addressed to peers that
    are not present."""
    AUTH_TIMEOUT = 58
    """The peer was not authenticated within options.auth_timeout_ms (close code 1008)."""
    CHECKSUM = 59
    """ERROR with scene: a node has other methods at peer event.peer_id than were declared here. event.count calls
    or paths that the peer sent were affected; its calls of that node are dropped."""
    NO_NODE = 62
    """ERROR with scene: event.count calls of peer event.peer_id were dropped, because their node or method is not
    declared here."""
    UNSUPPORTED = 63
    """ERROR with scene: event.count packets of peer event.peer_id were dropped, because a program cannot use them:
    replication, objects as arguments, or authentication or relaying that is not enabled here."""
    NO_HEARTBEAT = 64
    """ERROR of a client with app_heartbeat: the server does not offer the application heartbeat. Pings (RFC 6455
    section 5.5.2) are sent instead."""
    SESSION = 65
    """The session (session_ms) ended: it was not resumed in time, or the server does not have it any more;
    event.unsent messages may not have arrived. ERROR of a client: there is no session, and the connection goes on
    without."""
    CEILING = 66
    """max_total_mib: all clients together make the server hold too much. ERROR of a server: clients that hold more
    than their share are not read from, and messages to them are refused. DISCONNECTED: this client held most and
    moved least; what had been received from it and not taken is dropped."""
    AUTHORITY = 67
    """ERROR with scene: event.count packets of peer event.peer_id were dropped, because it spawned or synchronized
    what only another peer may: the authority that was declared."""
    RESOURCES = 60
    """The system has no descriptor or memory left. ERROR with scene: event.count calls of peer event.peer_id were
    dropped for lack of memory."""
    PANIC = 61
    """A defect in wspeer was caught. log_lines() has the details."""


class OnFull(Code):
    """What a message to several targets does about one whose queue is full."""

    SKIP = 1
    """Skip that target: send() returns False, SKIPPED is reported, and WRITABLE once there is room. The default of
    servers."""
    DISCONNECT = 2
    """Disconnect that target with the close code 1008; the call returns Result.PARTIAL. The default of hosts."""
    ALL_OR_NONE = 3
    """Accept the message for all targets or for none: the call raises QueueFull."""


class Role(Code):
    """The role of a connection of attach()."""

    CLIENT = 1
    """The client: it sends the request and masks its frames (RFC 6455 section 5.3)."""
    SERVER = 2
    """The server: it answers the request."""


class Hint(Code):
    """What the program knows of its device and network."""

    SUSPEND = 1
    """The app is suspended or hidden: a client that has lost its link begins no try until another hint."""
    RESUME = 2
    """The app is shown again: the link is lost unless the peer answers a ping within 2 s; a client that waits for
    its next try begins it now."""
    NETWORK_CHANGED = 3
    """The network has changed, for instance from Wi-Fi to mobile: as Hint.RESUME, and with a session the client
    opens another link beside its own, to which it moves once that is open."""


class LogLevel(Code):
    """The level of log lines."""

    OFF = 0
    """No lines."""
    ERROR = 1
    """Defects of wspeer, and system failures that concern no single connection."""
    WARN = 2
    """Probable mistakes such as insecure, and clients that were refused. The default."""
    INFO = 3
    """Connections that open and end, and servers that listen."""
    DEBUG = 4
    """Details of connecting and freeing."""


class Feature(IntFlag):
    """What this build and platform support."""

    CLIENT = 1
    """connect() over ws://."""
    SERVER = 2
    """listen()."""
    TLS = 4
    """wss:// URLs."""
    HEADERS = 8
    """Setting request headers and reading response headers."""
    PING = 16
    """Pings and their round-trip time (RFC 6455 section 5.5.2)."""
    WAIT = 32
    """wait()."""
    PAIR = 64
    """pair() and attach()."""
    DEFLATE = 128
    """permessage-deflate (RFC 7692)."""
    MULTIPLAYER = 256
    """join(); with Feature.SERVER also host() and join_local()."""
    SCENE = 512
    """host() and join() with scene=True."""


class VariantType(Code):
    """The type of a Godot value."""

    NIL = 0
    """Null."""
    BOOL = 1
    """Bool."""
    INT = 2
    """Int."""
    FLOAT = 3
    """Float."""
    STRING = 4
    """String."""
    VECTOR2 = 5
    """Vector2."""
    VECTOR2I = 6
    """Vector2i."""
    RECT2 = 7
    """Rect2."""
    RECT2I = 8
    """Rect2i."""
    VECTOR3 = 9
    """Vector3."""
    VECTOR3I = 10
    """Vector3i."""
    TRANSFORM2D = 11
    """Transform2D."""
    VECTOR4 = 12
    """Vector4."""
    VECTOR4I = 13
    """Vector4i."""
    PLANE = 14
    """Plane."""
    QUATERNION = 15
    """Quaternion."""
    AABB = 16
    """AABB."""
    BASIS = 17
    """Basis."""
    TRANSFORM3D = 18
    """Transform3D."""
    PROJECTION = 19
    """Projection."""
    COLOR = 20
    """Color."""
    STRING_NAME = 21
    """StringName."""
    NODE_PATH = 22
    """NodePath."""
    RID = 23
    """RID."""
    OBJECT = 24
    """Object."""
    CALLABLE = 25
    """Callable."""
    SIGNAL = 26
    """Signal."""
    DICTIONARY = 27
    """Dictionary."""
    ARRAY = 28
    """Array."""
    PACKED_BYTE_ARRAY = 29
    """PackedByteArray."""
    PACKED_INT32_ARRAY = 30
    """PackedInt32Array."""
    PACKED_INT64_ARRAY = 31
    """PackedInt64Array."""
    PACKED_FLOAT32_ARRAY = 32
    """PackedFloat32Array."""
    PACKED_FLOAT64_ARRAY = 33
    """PackedFloat64Array."""
    PACKED_STRING_ARRAY = 34
    """PackedStringArray."""
    PACKED_VECTOR2_ARRAY = 35
    """PackedVector2Array."""
    PACKED_VECTOR3_ARRAY = 36
    """PackedVector3Array."""
    PACKED_COLOR_ARRAY = 37
    """PackedColorArray."""
    PACKED_VECTOR4_ARRAY = 38
    """PackedVector4Array."""


class SimPreset(Code):
    """A bad network with a name, for Sim.preset()."""

    NONE = 0
    """A perfect network."""
    WIFI = 1
    """A busy Wi-Fi: a tenth of the packets takes more than 100 ms there and back."""
    MOBILE_4G = 2
    """4G (LTE) of somebody who moves."""
    TRAIN = 3
    """A train or a car between cells: nothing arrives for two seconds every half minute."""
    SATELLITE = 4
    """A geostationary satellite: 630 ms there and back."""
