"""Endpoint, the base of everything that is opened, and Peer, a single connection."""

from __future__ import annotations

import ctypes
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Callable, TypeVar, Union

from wspeer import _declared
from wspeer._declared import TYPE_BINARY, TYPE_TEXT
from wspeer._gate import BATCH, Gate
from wspeer._library import bytes_at, lib
from wspeer.codes import OFF, EventType, Hint, Result, State
from wspeer.config import header_lines
from wspeer.errors import CallFailed, KindError, QueueFull, check, copied, copied_if_any, encoded, utf8, whole
from wspeer.items import Bytes, EventFields, PacketFields
from wspeer.options import Options, Stats
from wspeer.simulation import Sim
from wspeer.waiting import wait

if TYPE_CHECKING:
    import struct
    from collections import deque
    from types import TracebackType

    from wspeer.config_args import Headers

Data = Union[str, bytes, bytearray, memoryview]
Self = TypeVar("Self", bound="Endpoint")
Item = TypeVar("Item", bound="Packet")

INT32 = (-(2**31), 2**31 - 1)
MESSAGES = (EventType.MESSAGE, EventType.SPAWN, EventType.DESPAWN, EventType.SYNC)


class Packet(PacketFields):
    """A received message."""

    __slots__ = ("_source",)

    def __init__(self, source: Endpoint, data: Bytes, fields: tuple[Any, ...]) -> None:
        super().__init__(data, fields)
        self._source = source

    @property
    def peer(self) -> Peer:
        """The connection that received it. The same object for as long as you keep it."""
        return self._source._peer(self.conn)


class Event(EventFields, Packet):
    """An event. One of type MESSAGE is a packet; for the others `text` is the peer's reason (CLOSE_REQUEST), or what
    happened and what to do about it (CLOSED, DISCONNECTED, ERROR; STEP: what happened)."""

    __slots__ = ()


class Endpoint:
    """Base of Peer, Server and MultiplayerPeer. Poll it once a frame, then take the events.

    As a context manager it closes and frees itself at the end, without waiting: with close code 1000 (a server 1001),
    or 1011 after an exception. To be sure that everything was sent, close() and poll() until CLOSED first. Any thread
    may use it; a call waits while another thread reads or polls the same object."""

    __slots__ = ("__weakref__", "_ahead", "_freed", "_gate", "_handle", "_parent")

    def __init__(self, handle: int, parent: Endpoint | None = None) -> None:
        self._handle = handle
        self._parent = parent
        self._gate: Gate = parent._gate if parent else Gate()
        self._freed = False
        # With asyncio: events that were taken from the library, and that the program does not have yet.
        self._ahead: deque[Event] | None = None

    @property
    def handle(self) -> int:
        """The library's handle, which events and packets have as `conn`."""
        return self._handle

    def poll(self) -> bool:
        """Does the network work: connects, accepts, reads, answers pings, writes, checks timers. Call it once a frame,
        for everything but a server's clients. Never blocks; works for at most poll_budget_us. Returns True if that time
        ended with work left: poll again if there is time."""
        with self._gate.lock:
            result: int = lib.ws_poll(self._handle)
        return check(result) != 0

    def events(self, limit: int | None = None, lend: bool = False) -> list[Event]:
        """Takes the queued events in order, up to `limit`. With lend=True messages are not copied, and at most 128
        items are taken: their data are memoryviews that are valid until the next read from this object or free(). After
        that they raise ValueError, and a slice that you kept makes the read raise BufferError."""
        with self._gate:
            return self._take(Event, 12, lib.ws_next_events, self._gate.events, _declared.EVENT, limit, lend)

    def __iter__(self) -> Iterator[Packet]:
        """Takes the messages that are there, one by one: `for packet in peer`. It ends when there is none, not when the
        connection does, and leaves other events."""
        while taken := self.packets(limit=1):
            yield taken[0]

    def packets(self, limit: int | None = None, lend: bool = False) -> list[Packet]:
        """Takes the queued messages and leaves other events; arguments as for events()."""
        with self._gate:
            return self._take(Packet, 0, lib.ws_get_packets, self._gate.packets, _declared.PACKET, limit, lend)

    def flush(self) -> None:
        """Writes the queued messages, as far as the network takes them."""
        check(lib.ws_flush(self._handle))

    def close(self, code: int = 0, reason: str = "") -> None:
        """Starts the closing handshake after the queued messages; poll() until CLOSED to be sure that they were sent.
        `code` 0 means 1000 (a server: 1001); -1 drops the connection at once; else 1000-1003, 1007-1014 or 3000-4999.
        `reason` has up to 123 bytes. A server stops listening and closes all clients."""
        check(lib.ws_close(self._handle, whole("code", code, *INT32), encoded("reason", reason)))

    def free(self) -> None:
        """Frees it in any state, without a closing handshake. Data that the peer has not acknowledged may be lost. May
        be repeated."""
        if self._freed:
            return
        with self._gate:
            if self._parent is None:
                self._gate.loans.end()
            self._freed = True
            lib.ws_free(self._handle)

    @property
    def state(self) -> State:
        """The current state; a server is OPEN while it listens."""
        return State(check(lib.ws_get_state(self._handle)))

    @property
    def available(self) -> int:
        """Number of messages ready to be read."""
        return check(lib.ws_get_available(self._handle))

    @property
    def url(self) -> str:
        """The URL, without user name and password; a server's with the actual port."""
        return self._get_text(1)

    @property
    def local_address(self) -> str:
        """The local address and port: "127.0.0.1:9080", "[::1]:9080"."""
        return self._get_text(7)

    @property
    def options(self) -> Options:
        """The options that can be read and set: `peer.options.heartbeat_ms = 5000`. A server's also apply to clients
        that connect later."""
        return Options(self._handle)

    def stats(self) -> Stats:
        """The statistics. A server's: the sum over its clients, including those that have left."""
        return Stats.of(self._handle)

    def set_user(self, user: int) -> None:
        """Sets a number for your use that comes back in every packet and event. A server's clients start with the
        server's."""
        check(lib.ws_set_user(self._handle, whole("user", user, 0, 2 ** (8 * ctypes.sizeof(ctypes.c_size_t)) - 1)))

    def set_sim(self, sim: Sim | None) -> None:
        """Simulates a bad network between this end and its peer; None: a perfect one again, and what was held leaves at
        once, in order. On a server: for all clients, and those to come."""
        if sim is not None and not isinstance(sim, Sim):
            raise TypeError(f"sim is {type(sim).__name__}: give a Sim, or None")
        check(lib.ws_set_sim(self._handle, None if sim is None else sim._native()))

    def advance_time(self, us: int) -> None:
        """For ends of pair() and attach(): advances their time by `us` microseconds. From the first call on it moves in
        no other way, so that a test does the same each time. KindError: it has no time of its own."""
        check(lib.ws_advance_time(self._handle, whole("us", us, 0, OFF)))

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until there is something to poll or to read, for programs without frames, at most `timeout` seconds.
        False if the time is over."""
        return wait([self], timeout)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._freed:
            # A client that has retired cannot be closed.
            lib.ws_close(self._handle, 1011 if kind else 0, b"")
            self.free()

    def __del__(self) -> None:
        if not getattr(self, "_freed", True) and self._parent is None:
            warnings.warn(f"unclosed {self!r}: use `with`, or free() it", ResourceWarning, source=self, stacklevel=2)
            lib.ws_free(self._handle)

    def __repr__(self) -> str:
        state = lib.ws_get_state(self._handle)
        return f"<wspeer.{type(self).__name__} {self._handle} {State(state).name if state >= 0 else 'gone'}>"

    def __reduce__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} cannot be copied or pickled: it is of this process alone")

    def _take(
        self,
        make: Callable[..., Item],
        at: int,
        take: Any,
        room: Any,
        layout: struct.Struct,
        limit: int | None,
        lend: bool,
    ) -> list[Item]:
        """Takes batches and makes an object of each item; `at` is the index of the address and length of its bytes. The
        caller holds the gate."""
        if lend and self._parent is not None:
            raise KindError(
                "a server's client lends nothing: read it with lend=False, "
                "or all clients through the server with lend=True",
            )
        left = BATCH if lend else (1 << 62)
        if limit is not None:
            left = min(left, whole("limit", limit, 1, 1 << 62))
        if self._parent is None:
            self._gate.loans.end()
        count = self._gate.count
        items: list[Item] = []
        while left > 0:
            wanted = min(BATCH, left)
            result = take(self._handle, room, wanted, count)
            if result < 0 and items:
                break  # return these first; the next call raises
            if result < 0:
                check(result)
            taken = count.value
            batch = layout.iter_unpack(memoryview(room)[: taken * layout.size])
            if lend:
                items += [make(self, self._lent(fields, at), fields) for fields in batch]
            else:
                items += [make(self, bytes_at(fields[at], fields[at + 1]), fields) for fields in batch]
            left -= taken
            if taken < wanted:
                break
        return items

    def _lent(self, fields: tuple[Any, ...], at: int) -> bytes | memoryview:
        """Lends the bytes of a message; copies those of other events."""
        if at and fields[0] != EventType.MESSAGE:
            return bytes(bytes_at(fields[at], fields[at + 1]))
        return self._gate.loans.give(self, fields[at], fields[at + 1])

    def _put_latest(self, target: int, key: int, data: Data, text: bool | None) -> bool:
        payload, kind = encode_message(data, text)
        number = whole("key", key, 0, OFF)
        return check(lib.ws_put_latest(self._handle, target, number, payload, len(payload), kind)) != Result.PARTIAL

    def _get_topics(self) -> list[str]:
        lines = copied(lib.ws_get_topics, self._handle)
        return lines.split("\n") if lines else []

    def _get_text(self, what: int) -> str:
        return copied(lib.ws_get_text, self._handle, what)

    def _peer(self, _conn: int) -> Peer:
        raise NotImplementedError


def encode_message(data: Data, text: bool | None) -> tuple[bytes, int]:
    """The bytes and the type of a message."""
    if isinstance(data, str):
        if text is False:
            raise TypeError("text=False was given with str: give bytes")
        return utf8("the message", data), TYPE_TEXT
    return as_bytes("the message", data, "str (text) or bytes (binary)"), TYPE_TEXT if text else TYPE_BINARY


def as_bytes(name: str, data: object, wanted: str = "bytes") -> bytes:
    if isinstance(data, bytes):
        return data
    try:
        return memoryview(data).tobytes()  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} is {type(data).__name__}: give {wanted}") from None


def put_many(handle: int, messages: Iterable[tuple[int, Data]], text: bool | None) -> int:
    """ws_put_packets: messages with their targets, 0 for those without. Returns how many were accepted."""
    payloads, rows, at = [], [], 0
    for target, data in messages:
        payload, kind = encode_message(data, text)
        payloads.append(payload)
        rows.append((at, len(payload), kind, target))
        at += len(payload)
    joined, taken = b"".join(payloads), ctypes.c_size_t()
    first = ctypes.cast(ctypes.c_char_p(joined), ctypes.c_void_p).value or 0
    pack = _declared.PACKET_OUT.pack
    packets = b"".join([pack(first + at, size, kind, target) for at, size, kind, target in rows])
    try:
        check(lib.ws_put_packets(handle, packets, len(rows), taken))
    except QueueFull:
        pass
    except CallFailed as refused:
        refused.taken = taken.value
        raise
    return taken.value


class Connection(Endpoint):
    """The properties of a single connection: a Peer, or a player of a multiplayer game."""

    __slots__ = ()

    def header(self, name: str, default: str = "") -> str:
        """The first header of that name, in any case: of the request (a server's client) or the response (a client)."""
        found = self._header(name, 0)
        return default if found is None else found

    def headers(self, name: str) -> list[str]:
        """All headers of that name."""
        found: list[str] = []
        while (value := self._header(name, len(found))) is not None:
            found.append(value)
        return found

    @property
    def peer_id(self) -> int:
        """Multiplayer: 1 for a host; for a player and a host's client the player's id, 0 until it arrives. KindError on
        others."""
        return check(lib.ws_get_peer_id(self._handle))

    @property
    def method(self) -> str:
        """The method of the request: "GET", or that of a plain HTTP request."""
        return self._get_text(13)

    @property
    def path(self) -> str:
        """The path of the request, without the query."""
        return self._get_text(2)

    @property
    def query(self) -> str:
        """The query of the request, without the question mark."""
        return self._get_text(3)

    @property
    def subprotocol(self) -> str:
        """The negotiated subprotocol, or ""."""
        return self._get_text(4)

    @property
    def close_reason(self) -> str:
        """The reason in the close frame that started the close: the peer's, or ours if we failed the connection."""
        return self._get_text(5)

    @property
    def error(self) -> str:
        """Why the connection ended and what to do about it; "" while it is open."""
        return self._get_text(6)

    @property
    def end(self) -> Event | None:
        """Its last event, even while that is queued behind messages; None while the connection is open."""
        room = ctypes.create_string_buffer(_declared.EVENT.size)
        if check(lib.ws_get_end(self._handle, room)) == Result.EMPTY:
            return None
        return Event(self, self.error.encode(), _declared.EVENT.unpack(room))

    @property
    def remote_address(self) -> str:
        """The peer's address and port; behind trusted_proxies the client's."""
        return self._get_text(8)

    @property
    def peer_address(self) -> str:
        """The address and port of the socket's other end; behind trusted_proxies the proxy's."""
        return self._get_text(12)

    @property
    def body(self) -> str:
        """The first KiB of the body of a refused request."""
        return self._get_text(9)

    @property
    def tls(self) -> str:
        """The TLS version and cipher suite, or "" on ws://."""
        return self._get_text(10)

    @property
    def extensions(self) -> str:
        """The negotiated parameters of permessage-deflate, or ""."""
        return self._get_text(11)

    def set_url(self, url: str) -> None:
        """With reconnect=True: changes the URL from the next try on."""
        check(lib.ws_set_url(self._handle, encoded("url", url)))

    def set_header(self, name: str, value: str | None) -> None:
        """With reconnect=True: sets an extra header of the request from the next try on, in the place of all with this
        name; None removes them."""
        text = None if value is None else encoded("value", value)
        check(lib.ws_set_header(self._handle, encoded("name", name), text))

    def hint(self, hint: Hint) -> None:
        """A client or player: what the program knows of its device and network."""
        check(lib.ws_hint(self._handle, whole("hint", hint, *INT32)))

    def _header(self, name: str, index: int) -> str | None:
        return copied_if_any(lib.ws_get_header, self._handle, encoded("name", name), index)


class Peer(Connection):
    """One connection: from connect(), a client of a server, or one end of a pair()."""

    __slots__ = ()

    def send(self, data: Data, text: bool | None = None) -> None:
        """Sends str as a text message and bytes as a binary one (text=True: UTF-8 bytes as text). Raises QueueFull if
        the queue is full: poll, and send it again after WRITABLE."""
        payload, kind = (data, TYPE_BINARY) if type(data) is bytes and not text else encode_message(data, text)
        result = lib.ws_put_packet(self._handle, payload, len(payload), kind)
        if result < 0:
            check(result)

    def send_many(self, messages: Iterable[Data], text: bool | None = None) -> int:
        """Sends several messages in one call and one write, in order, up to the first that is not accepted. Returns how
        many were: fewer than given if the queue became full; send the others after WRITABLE. Raises what send() raises
        otherwise; `taken` of the exception is then the number accepted before."""
        return put_many(self._handle, ((0, data) for data in messages), text)

    def send_latest(self, key: int, data: Data, text: bool | None = None) -> None:
        """Sends what is true now, such as the position of an object: the message takes the place of the one with this
        key that has not left, if there is one, so that a slow line carries no old states. `key` is 0 to 4294967295.
        Else like send()."""
        self._put_latest(0, key, data, text)

    def subscribe(self, topic: str) -> None:
        """A client of a server or host: from now on it receives what publish() sends to this topic. The name has 1 to
        255 bytes without control characters. Raises LimitError beyond max_topics or max_server_topics, StateError if
        the client is not open, or lost with a session."""
        check(lib.ws_subscribe(self._handle, encoded("topic", topic)))

    def unsubscribe(self, topic: str | None = None) -> None:
        """A client of a server or host: leaves a topic; None: all topics."""
        check(lib.ws_unsubscribe(self._handle, None if topic is None else encoded("topic", topic)))

    def topics(self) -> list[str]:
        """A client of a server or host: the topics that it has subscribed to, sorted."""
        return self._get_topics()

    def accept(self, subprotocol: str | None = None, headers: Headers = ()) -> None:
        """Server with ask=True, after REQUEST: opens the WebSocket; CONNECTED follows. `subprotocol` is one that the
        client offers (`headers("Sec-WebSocket-Protocol")`); None chooses by the server's subprotocols. `headers` are
        more headers of the response. Raises StateError if the client has left or the time to answer is over."""
        lines = header_lines(headers)
        chosen = None if subprotocol is None else encoded("subprotocol", subprotocol)
        check(lib.ws_accept(self._handle, chosen, lines, len(lines)))

    def reply(self, status: int, body: Data = b"", headers: Headers = ()) -> None:
        """Server with ask=True, after REQUEST: answers with an HTTP response, status 200 to 599. The connection ends
        when it has left; DISCONNECTED follows. Raises StateError as accept() does."""
        lines = header_lines(headers)
        payload = utf8("body", body) if isinstance(body, str) else as_bytes("body", body, "str or bytes")
        check(lib.ws_reply(self._handle, whole("status", status, *INT32), lines, len(lines), payload, len(payload)))

    def _peer(self, _conn: int) -> Peer:
        return self


class AttachedPeer(Peer):
    """A connection from attach(), whose bytes the program transports."""

    __slots__ = ()

    def feed(self, data: bytes | bytearray | memoryview | None) -> int:
        """Passes bytes from the transport to the next poll(); None: the transport has ended. Returns how many were
        taken: feed the remainder later."""
        taken = ctypes.c_size_t()
        given = None if data is None else as_bytes("data", data)
        check(lib.ws_feed(self._handle, given, len(given or b""), taken))
        return taken.value

    def take_output(self) -> bytes:
        """Takes the bytes to send by the transport, b"" if there are none. Call it after each poll() and send()."""
        room = ctypes.create_string_buffer(64 * 1024)
        length = ctypes.c_size_t()
        parts = []
        while check(lib.ws_take_output(self._handle, room, len(room), length)) == Result.OK and length.value:
            parts.append(room.raw[: length.value])
        return b"".join(parts)
