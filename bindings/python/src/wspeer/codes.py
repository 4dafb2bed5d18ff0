"""The library's numbers by their names: of include/wspeer.h without the prefixes.

Generated from include/wspeer.h and src/options.toml by `make generate`: do not edit.
"""

from __future__ import annotations

from enum import IntFlag

from wspeer._code import Code

OFF = 0xFFFFFFFF
"""In a limit or a time: switched off, or unlimited."""


class Result(Code):
    """The result of a call of the library: 0 and above succeeded."""

    OK = 0
    """Done."""
    EMPTY = 1
    """Nothing waits; ask again next frame."""
    MORE = 2
    """poll(): the budget ended with work left. Nothing is lost; the next poll goes on. A host with time left may
    poll again."""
    PARTIAL = 3
    """Some of several targets could not take the message; SKIPPED events say which."""
    TRUNCATED = 4
    """The buffer was too short: the text was cut at a code point and terminated."""
    ERR_ARG = -1
    """An argument is out of its range."""
    ERR_NULL = -2
    """A pointer is NULL."""
    ERR_HANDLE = -3
    """The handle is 0, stale (freed or retired) or was never given out."""
    ERR_KIND = -4
    """This kind of handle has no such call."""
    ERR_STATE = -5
    """Not in this state: messages can be put only while OPEN (or before, with queue_before_open)."""
    ERR_FULL = -6
    """The outbound queue is full and the message was not taken. Poll, and put it again after the WRITABLE event."""
    ERR_TOO_BIG = -7
    """The message is over max_message_bytes, or a length is over what memory can hold."""
    ERR_UTF8 = -8
    """Text is not valid UTF-8."""
    ERR_TARGET = -9
    """There is no such target."""
    ERR_CONFIG = -10
    """An option is not usable; the sentence names the field."""
    ERR_URL = -11
    """The URL cannot be used."""
    ERR_TLS = -12
    """A certificate, key or pin in the config cannot be used."""
    ERR_ADDRESS = -13
    """listen(): the address cannot be bound; the sentence has the reason."""
    ERR_UNSUPPORTED = -14
    """This build or platform cannot do it; see features()."""
    ERR_LIMIT = -15
    """A limit of the library or the system: no handle, descriptor, thread or memory left."""
    ERR_PANIC = -16
    """A defect in wspeer was caught. The handle and its family are retired, the host goes on, the log has the
    text."""


class State(Code):
    """The state of a connection or server."""

    CONNECTING = 0
    """Name lookup, TCP, TLS or the opening handshake is under way."""
    OPEN = 1
    """Messages flow. A server: it listens."""
    CLOSING = 2
    """The closing handshake is under way. Messages that arrive are still delivered."""
    CLOSED = 3
    """The connection has ended. What it received stays readable."""


class EventType(Code):
    """What an event tells."""

    OPEN = 1
    """A connection of connect(), pair() or attach() is open. A join: its id has come, and is event.peer_id."""
    MESSAGE = 2
    """A message."""
    CLOSE_REQUEST = 3
    """The peer has started the closing handshake; code and text are its close code (1005: none) and reason. wspeer
    answers by itself."""
    CLOSED = 4
    """The connection, or the server itself, has ended. Last event of its handle."""
    CONNECTED = 5
    """Server, host: a client has finished its opening handshake; event.conn is its handle, and on a host
    event.peer_id its id. Join: peer event.peer_id is there: the host, 1, and in a scene and in Godot 3's format
    each other one."""
    DISCONNECTED = 6
    """Server, host: a client has ended. Last event of its handle, which retires in the server's next poll(). Join
    in a scene or in Godot 3's format: peer event.peer_id has gone; when this connection itself ends, CLOSED stands
    for all."""
    WRITABLE = 7
    """The outbound queue refused a message earlier and has room again."""
    SKIPPED = 8
    """event.count messages for event.conn were not taken because its queue was full (once per stall), or, when
    event.conn is the server's own handle or that of a join, event.count lifecycle events, and of a join errors of
    others, were left out because nobody read them."""
    ERROR = 9
    """Something went wrong that ends no connection; cause and text say what. The text of any event has at most 1024
    bytes, and shows at most 256 of a path or name."""
    AUTHENTICATING = 10
    """With auth: peer event.peer_id is to be authenticated: send_auth(), complete_auth(), or disconnect(). First
    comes as AUTH what it sends for that. CONNECTED follows as complete_auth() says."""
    AUTH = 11
    """With auth: event.data was sent by peer event.peer_id for its authentication."""


class Phase(Code):
    """Where a connection was when it ended."""

    NONE = 0
    """No phase."""
    DNS = 1
    """Looking up the name."""
    TCP = 2
    """Connecting by TCP."""
    PROXY = 3
    """Talking to a proxy."""
    TLS = 4
    """The TLS handshake, or a TLS failure later."""
    HTTP = 5
    """The opening handshake (HTTP)."""
    WEBSOCKET = 6
    """The WebSocket protocol, after the opening handshake."""
    APP = 7
    """Ended by the application: a closing handshake that either side asked for, or a drop by the host."""


class Cause(Code):
    """Why a connection ended."""

    NONE = 0
    """No cause."""
    CLOSED_BY_HOST = 1
    """The host asked for the close and the closing handshake was completed."""
    CLOSED_BY_PEER = 2
    """The peer asked for the close and the closing handshake was completed."""
    DROPPED = 3
    """The host dropped the connection (code -1), or closed it before it was open."""
    PEER_GONE = 4
    """The peer ended the transport without a closing handshake."""
    RESET = 5
    """The transport was reset or failed; os_error has the system's number."""
    SERVER_CLOSED = 6
    """The server that this client belonged to was closed."""
    CLOSE_TIMEOUT = 7
    """The closing handshake, or the sending of what was accepted before it, was not finished within its time."""
    NOT_READING = 8
    """The closing handshake could not be finished because the host did not read its full inbound queue."""
    PONG_TIMEOUT = 9
    """No pong within pong_timeout_ms."""
    NAME_NOT_FOUND = 20
    """The name has no address."""
    NAME_FAILED = 21
    """The name lookup failed otherwise."""
    CONNECT_TIMEOUT = 22
    """The connect timeout ended in the phase that the event names."""
    REFUSED = 23
    """Every address refused the connection."""
    UNREACHABLE = 24
    """No route to any address."""
    TCP_FAILED = 25
    """TCP failed otherwise; os_error has the system's number."""
    CERTIFICATE_UNTRUSTED = 30
    """The certificate was signed by nobody that this machine trusts."""
    CERTIFICATE_EXPIRED = 31
    """The certificate has expired or is not valid yet. Look at both clocks."""
    CERTIFICATE_NAME = 32
    """The certificate is for another name."""
    CERTIFICATE_PIN = 33
    """The certificate does not have the pinned SHA-256."""
    CERTIFICATE_BAD = 34
    """The certificate cannot be used otherwise."""
    NOT_TLS = 35
    """The other end is not speaking TLS."""
    TLS_FAILED = 36
    """TLS failed otherwise."""
    HTTP_STATUS = 40
    """The server answered the request with another status than 101; http_status has it."""
    HTTP_INVALID = 41
    """The answer, or the request, is not a valid opening handshake."""
    HTTP_TOO_BIG = 42
    """The header is over max_header_bytes."""
    SUBPROTOCOL = 43
    """No subprotocol in common, or one that was not asked for."""
    HANDSHAKE_TIMEOUT = 44
    """The opening handshake of a server's client took longer than handshake_timeout_ms."""
    PROTOCOL = 50
    """The peer broke RFC 6455 (close code 1002)."""
    UTF8 = 51
    """The peer sent text that is not UTF-8 (1007)."""
    TOO_BIG = 52
    """The peer sent a message or frame over the limits (1009)."""
    RATE = 53
    """The peer sent more than max_messages_per_s or max_bytes_per_s (1008)."""
    FULL = 54
    """The peer did not read, its queue was full, and on_full is OnFull.DISCONNECT (1008)."""
    DEFLATE = 55
    """The peer sent compressed data that cannot be decompressed (1007), or that become more than max_inflate_ratio
    times their size (1008)."""
    MULTIPLAYER = 56
    """The peer broke the multiplayer format: a wrong first message, an id below 2, a sender that is another, a
    short header, a value that cannot be read (1002). ERROR of a join in a scene: event.count packets of
    event.peer_id that the host passed on were broken so."""
    NO_PEER = 57
    """ERROR of a host in a scene or in Godot 3's format: event.count messages of event.peer_id were for peers who
    are not there."""
    AUTH_TIMEOUT = 58
    """The peer was not authenticated within options.auth_timeout_ms (1008)."""
    CHECKSUM = 59
    """ERROR with scene: event.count calls of event.peer_id, or one of ours to it, were of a node that has other
    methods there than were declared here."""
    NO_NODE = 62
    """ERROR with scene: event.count calls of event.peer_id were of a node or method that is not declared."""
    UNSUPPORTED = 63
    """ERROR with scene: event.count packets of event.peer_id were nothing for a program: replication, objects as
    arguments, authentication or passing on that is not switched on here."""
    NO_HEARTBEAT = 64
    """ERROR at a client with app_heartbeat: the server offers no application heartbeat."""
    RESOURCES = 60
    """The system has no descriptor or memory left. ERROR with scene: event.count calls of event.peer_id were lost
    for lack of memory."""
    PANIC = 61
    """A defect in wspeer was caught; the log has the text."""


class OnFull(Code):
    """What becomes of one of several targets whose queue is full."""

    SKIP = 1
    """Skip that target: send() gives False, a SKIPPED event, WRITABLE when it recovers. The default."""
    DISCONNECT = 2
    """Disconnect that target with 1008."""
    ALL_OR_NONE = 3
    """Take the message for all targets or for none (QueueFull)."""


class Role(Code):
    """Which end of a connection attach() is."""

    CLIENT = 1
    """The client's end: sends the request, masks its frames."""
    SERVER = 2
    """The server's end: answers the request."""


class LogLevel(Code):
    """Which lines of the log are kept."""

    OFF = 0
    """Nothing."""
    ERROR = 1
    """Defects and what no event tells."""
    WARN = 2
    """What is likely a mistake, such as insecure. The default."""
    INFO = 3
    """Connections that open and end."""
    DEBUG = 4
    """Steps of the handshakes."""


class Feature(IntFlag):
    """What this build and platform can do."""

    CLIENT = 1
    """connect() over ws://."""
    SERVER = 2
    """listen()."""
    TLS = 4
    """wss://."""
    HEADERS = 8
    """Request headers can be set and response headers read."""
    PING = 16
    """Protocol pings and their round-trip time."""
    WAIT = 32
    """wait()."""
    PAIR = 64
    """pair() and attach()."""
    DEFLATE = 128
    """permessage-deflate."""
    MULTIPLAYER = 256
    """host(), join() and join_local()."""
    SCENE = 512
    """host() and join() with scene=True."""


class VariantType(Code):
    """The types of Godot's values."""

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
