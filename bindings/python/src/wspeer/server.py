"""Endpoints with many clients: a server, and Godot's multiplayer peer."""

from __future__ import annotations

import contextlib
import ctypes
import os
import weakref
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Callable

from wspeer._declared import TYPE_CALL, TYPE_REPLICATION
from wspeer._library import lib
from wspeer.codes import CUSTOM_SCENE, OFF, Result
from wspeer.config import pack
from wspeer.config_args import ConfigArgs
from wspeer.endpoint import INT32, MESSAGES, Connection, Data, Endpoint, Event, Peer, as_bytes, encode_message, put_many
from wspeer.errors import TargetError, check, encoded, whole
from wspeer.godot import encode_call, pairs_of, put_values

if TYPE_CHECKING:
    from typing_extensions import Unpack


class _Many(Endpoint):
    __slots__ = ("_clients",)

    def __init__(self, handle: int) -> None:
        super().__init__(handle)
        self._clients: weakref.WeakValueDictionary[int, Peer] = weakref.WeakValueDictionary()

    def clients(self) -> list[Peer]:
        """The clients, including those whose DISCONNECTED has not been taken."""
        return self._list(lib.ws_get_conns)

    def waiting(self) -> list[Peer]:
        """The clients with queued events, for programs that read each client through its own object."""
        return self._list(lib.ws_get_waiting)

    def set_certificate(self, cert_pem: str, key_pem: str) -> None:
        """Replaces the certificate of a wss:// server or host while it runs, for new connections. Raises TlsError if it
        cannot be used or has expired; the old one then stays."""
        check(lib.ws_set_certificate(self._handle, encoded("cert_pem", cert_pem), encoded("key_pem", key_pem)))

    def serve(self, prefix: str, directory: str | os.PathLike[str] | None, *, isolated: bool = False) -> None:
        """Serves the files of a directory to GET and HEAD requests for paths below prefix; None removes the prefix.
        isolated: its pages may use threads. Raises DirectoryError if the directory cannot be opened."""
        path = None if directory is None else encoded("directory", os.fspath(directory))
        check(lib.ws_serve(self._handle, encoded("prefix", prefix), path, int(isolated)))

    def drain(self, window_ms: int, retry_ms: int = 0, url: str = "") -> None:
        """Ends it without losing its players, for a restart: new requests are refused with 503, each client is closed
        with 1012 when everything sent to it has arrived, and all that are left after window_ms. They are told to come
        back after retry_ms at least, to url, or to the URL that they have; docs/sessions.md. CLOSED follows."""
        window, wait = whole("window_ms", window_ms, 0, OFF), whole("retry_ms", retry_ms, 0, OFF)
        check(lib.ws_drain(self._handle, window, wait, encoded("url", url)))

    def topics(self) -> list[str]:
        """All topics that have subscribers, sorted. Peer.subscribe() of a client subscribes it."""
        return self._get_topics()

    def _list(self, get: Callable[..., int]) -> list[Peer]:
        room, count = 64, ctypes.c_size_t()
        while True:
            handles = (ctypes.c_uint32 * room)()
            result = check(get(self._handle, handles, room, count))
            if result != Result.TRUNCATED:
                return [self._peer(handle) for handle in handles[: count.value]]
            room = count.value + 64

    def _disconnect(self, target: int, code: int, reason: str, source: Callable[[Event], int]) -> None:
        check(lib.ws_disconnect(self._handle, target, whole("code", code, *INT32), encoded("reason", reason)))
        # The library delivers no message of them any more.
        if self._ahead:
            for event in tuple(self._ahead):
                sender = source(event)
                if event.type in MESSAGES and (target in (0, sender) or (target < 0 and sender != -target)):
                    # Another thread may have taken it.
                    with contextlib.suppress(ValueError):
                        self._ahead.remove(event)

    def _put_to(self, data: Data, target: int, text: bool | None) -> bool:
        payload, kind = encode_message(data, text)
        return check(lib.ws_put_packet_to(self._handle, target, payload, len(payload), kind)) != Result.PARTIAL

    def _publish(self, topic: str, but: int, data: Data, text: bool | None) -> bool:
        payload, kind = encode_message(data, text)
        return self._publish_bytes(topic, but, payload, kind)

    def _publish_bytes(self, topic: str, but: int, payload: bytes, kind: int) -> bool:
        name = encoded("topic", topic)
        return check(lib.ws_publish(self._handle, name, but, payload, len(payload), kind)) != Result.PARTIAL

    def _publish_latest(self, topic: str, but: int, key: int, data: Data, text: bool | None) -> bool:
        payload, kind = encode_message(data, text)
        name, number = encoded("topic", topic), whole("key", key, 0, OFF)
        result = lib.ws_publish_latest(self._handle, name, but, number, payload, len(payload), kind)
        return check(result) != Result.PARTIAL

    def _peer(self, conn: int) -> Peer:
        if conn == self._handle:
            raise TargetError("this is about the server or the player itself: peer is for what is about a client")
        known = self._clients.get(conn)
        if known is None:
            known = self._clients[conn] = Peer(conn, self)
        return known


class Server(_Many):
    """A server from listen(). poll() also serves all clients, and events() takes from all clients in turn; `event.peer`
    is the client."""

    __slots__ = ()

    def send(self, data: Data, to: Peer | int = 0, but: Peer | int | None = None, text: bool | None = None) -> bool:
        """Sends to all clients, to one, or to all but one; else like Peer.send(). Returns False if the queues of some
        of several targets were full; SKIPPED events say which."""
        if but is not None:
            return self._put_to(data, -_conn("but", but), text)
        return self._put_to(data, _conn("to", to), text)

    def send_many(self, messages: Iterable[tuple[Peer | int, Data]], text: bool | None = None) -> int:
        """Sends several messages, each with its target (a client, or 0 for all), in one call, in order, up to the first
        that is not accepted. Returns how many were: fewer than given if a queue was full. Skip that message, or send it
        and the others after WRITABLE. Raises what send() raises otherwise; `taken` of the exception is then the number
        accepted before."""
        return put_many(self._handle, ((_conn("target", to), data) for to, data in messages), text)

    def send_latest(
        self,
        key: int,
        data: Data,
        to: Peer | int = 0,
        but: Peer | int | None = None,
        text: bool | None = None,
    ) -> bool:
        """Sends as send() does, where the message takes the place of the one with this key that has not left, as
        Peer.send_latest() says."""
        target = _conn("to", to) if but is None else -_conn("but", but)
        return self._put_latest(target, key, data, text)

    def publish(self, topic: str, data: Data, but: Peer | int = 0, text: bool | None = None) -> bool:
        """Sends to the clients that have subscribed to a topic (Peer.subscribe()), but not to one of them. The message
        is encoded once, and costs with the number of subscribers. A topic without any is no error. Else like send()."""
        return self._publish(topic, _conn("but", but), data, text)

    def publish_latest(
        self,
        topic: str,
        key: int,
        data: Data,
        but: Peer | int = 0,
        text: bool | None = None,
    ) -> bool:
        """Publishes a message that takes the place of the one with this key that has not left to a subscriber, as
        Peer.send_latest() says."""
        return self._publish_latest(topic, _conn("but", but), key, data, text)

    def disconnect(self, target: Peer | int = 0, code: int = 0, reason: str = "") -> None:
        """Closes one client, or all; arguments as for close(). A list that events() or packets() returned before may
        still have messages of it: pass over those. asyncio's loops do."""
        self._disconnect(_conn("target", target), code, reason, attrgetter("conn"))


def _conn(name: str, target: Peer | int) -> int:
    if isinstance(target, Peer):
        return target.handle
    if isinstance(target, bool) or not isinstance(target, int):
        raise TypeError(f"{name} is {type(target).__name__}: give a client, its conn, or 0 for all")
    return whole(name, target, *INT32)


class MultiplayerPeer(Connection, _Many):
    """Godot's multiplayer peer: a host from host(), peer 1, or a player from join() or join_local(). A target above 0
    is one peer, 0 is everyone, below 0 everyone but that peer. Members of a single connection, such as header(), work
    for a player and raise KindError on a host."""

    __slots__ = ()

    def send(self, data: Data, to: int | None = None, text: bool | None = None) -> bool:
        """Sends to a target. The default is all for a host, the host for a player, and everyone for a player with
        godot3=True. Else like Server.send()."""
        if to is not None:
            return self._put_to(data, whole("to", to, *INT32), text)
        payload, kind = encode_message(data, text)
        return check(lib.ws_put_packet(self._handle, payload, len(payload), kind)) != Result.PARTIAL

    def send_many(self, messages: Iterable[tuple[int, Data]], text: bool | None = None) -> int:
        """Sends several messages, each with its target as in send(), in one call; 0 is the default of send(). Else like
        Server.send_many()."""
        return put_many(self._handle, ((whole("target", to, *INT32), data) for to, data in messages), text)

    def send_latest(self, key: int, data: Data, to: int | None = None, text: bool | None = None) -> bool:
        """Sends as send() does, where the message takes the place of the one with this key to this target that has not
        left, as Peer.send_latest() says."""
        return self._put_latest(0 if to is None else whole("to", to, *INT32), key, data, text)

    def publish(self, topic: str, data: Data, but: int = 0, text: bool | None = None) -> bool:
        """Host: sends to the players that have subscribed to a topic, by peer(id).subscribe(), but not to the one with
        the id `but`. Else like Server.publish()."""
        return self._publish(topic, whole("but", but, *INT32), data, text)

    def publish_latest(self, topic: str, key: int, data: Data, but: int = 0, text: bool | None = None) -> bool:
        """Host: like Server.publish_latest(), but not to the player with the id `but`."""
        return self._publish_latest(topic, whole("but", but, *INT32), key, data, text)

    def publish_call(self, topic: str, path: str, method: str, *arguments: object, but: int = 0) -> bool:
        """Host with scene=True: calls a method of a node at the players that have subscribed to a topic. Else like
        publish()."""
        return self._publish_bytes(topic, whole("but", but, *INT32), encode_call(path, method, *arguments), TYPE_CALL)

    def disconnect(self, target: int, code: int = 0, reason: str = "") -> None:
        """Host: closes a target; arguments as for close(); code -1 is Godot's force. Lists as Server.disconnect()
        says."""
        self._disconnect(whole("target", target, *INT32), code, reason, attrgetter("peer_id"))

    def declare_node(self, path: str, methods: str | Iterable[str] | None, by_config: Iterable[str] = ()) -> None:
        """With scene=True: declares a node, so that calls of its methods can be sent and received. `methods` names
        every function of its script that is annotated @rpc, and no other, in any order; `by_config` those that were
        made callable by Node.rpc_config(). None removes it. Declare nodes right after opening."""
        if methods is not None:
            annotated = methods if isinstance(methods, str) else ", ".join(methods)
            configured = ", ".join(by_config)
            methods = f"{annotated}; {configured}" if configured else annotated
        check(
            lib.ws_declare_node(
                self._handle,
                encoded("path", path),
                None if methods is None else encoded("methods", methods),
            ),
        )

    def call(self, path: str, method: str, *arguments: object, to: int | None = None) -> bool:
        """With scene=True: calls a method of a node at a target, or at all others. Else like send(); the receiver reads
        it with `packet.call`."""
        return self._put_as(TYPE_CALL, encode_call(path, method, *arguments), to)

    def declare_scene(
        self,
        spawner: str,
        authority: int,
        scene: int,
        synchronizers: str | Iterable[str] | None,
    ) -> None:
        """With scene=True: declares a scene of a MultiplayerSpawner, so that its nodes can be received or spawned.
        `spawner` is the path of the spawner; `authority` the id of the peer that may spawn with it, 0 for this program;
        `scene` the index in its Auto Spawn List, or CUSTOM_SCENE. `synchronizers` are those of the scene, in the order
        in which they enter the tree, each as its properties in the order of its configuration:
        ".:position, .:skin spawn, .:health spawn change". The modes behind a property are "spawn", "always" and
        "change"; without any it is "spawn always". None forgets the scene. Declare scenes right after opening."""
        check(
            lib.ws_declare_scene(
                self._handle,
                encoded("spawner", spawner),
                whole("authority", authority, *INT32),
                whole("scene", scene, 0, OFF),
                _joined("synchronizers", synchronizers, "; "),
            ),
        )

    def declare_synchronizer(self, path: str, authority: int, properties: str | Iterable[str] | None) -> int:
        """With scene=True: declares a MultiplayerSynchronizer that no spawn brings: one of a scene that both sides
        load, or of another authority than the spawner's. `path` is its own path; `authority` and the modes of its
        properties as for declare_scene(). None forgets it. Returns its number for sync() and set_visible() if the
        authority is this program, else 0."""
        node = ctypes.c_uint32()
        check(
            lib.ws_declare_synchronizer(
                self._handle,
                encoded("path", path),
                whole("authority", authority, *INT32),
                _joined("properties", properties, ", "),
                node,
            ),
        )
        return node.value

    def spawn(
        self,
        spawner: str,
        scene: int,
        name: str,
        properties: Mapping[str, object] | None = None,
        data: object = None,
    ) -> int:
        """With scene=True: spawns a node at all peers that may see it, those to come included, until despawn(). The
        scene was declared with authority 0. `name` is the node's name below the spawner's spawn path. `properties` has
        all with the mode "spawn", and others as wanted; `data` is that of a CUSTOM_SCENE. Returns the node's number."""
        index, node = whole("scene", scene, 0, OFF), ctypes.c_uint32()
        values = pairs_of({} if properties is None else properties)
        if index == CUSTOM_SCENE or data is not None:
            values.insert(0, data)
        before = (self._handle, encoded("spawner", spawner), index, encoded("name", name))
        put_values(lib.ws_spawn, before, values, node)
        return node.value

    def despawn(self, node: int) -> None:
        """Despawns a node of spawn() at all peers."""
        check(lib.ws_despawn(self._handle, whole("node", node, 0, OFF)))

    def sync(self, node: int, properties: Mapping[str, object]) -> None:
        """Sends new values of properties of a node of spawn() or declare_synchronizer() to the peers that see it. Those
        with the mode "always" are sent whenever one of their synchronizer is given, to peers whose queue has room; call
        it once a frame, or more seldom. Those with "change" are sent once if their value has changed, later to a peer
        whose queue is full or who comes later."""
        put_values(lib.ws_sync, (self._handle, whole("node", node, 0, OFF)), pairs_of(properties))

    def set_visible(self, node: int, visible: bool, peer_id: int = 0) -> None:
        """Shows or hides a node of spawn() or declare_synchronizer() to one peer, or to all. A peer sees it if it is
        shown to all, as it is at first, or to that peer; one for which that changes gets SPAWN or DESPAWN."""
        peer = whole("peer_id", peer_id, *INT32)
        check(lib.ws_set_visible(self._handle, whole("node", node, 0, OFF), peer, int(bool(visible))))

    def send_replication(self, packet: bytes | bytearray | memoryview, to: int | None = None) -> bool:
        """With scene=True: sends a packet of Godot's MultiplayerSpawner or MultiplayerSynchronizer that the program
        made or got with raw_replication=True. Else like send()."""
        return self._put_as(TYPE_REPLICATION, as_bytes("packet", packet), to)

    def _put_as(self, kind: int, payload: bytes, to: int | None) -> bool:
        if to is None:
            return check(lib.ws_put_packet(self._handle, payload, len(payload), kind)) != Result.PARTIAL
        target = whole("to", to, *INT32)
        return check(lib.ws_put_packet_to(self._handle, target, payload, len(payload), kind)) != Result.PARTIAL

    def send_auth(self, peer_id: int, data: bytes) -> None:
        """With auth=True: sends authentication data to a peer, which gets it as an AUTH event."""
        payload = as_bytes("data", data)
        check(lib.ws_send_auth(self._handle, whole("peer_id", peer_id, *INT32), payload, len(payload)))

    def complete_auth(self, peer_id: int) -> None:
        """With auth=True: completes the authentication of a peer on this side."""
        check(lib.ws_complete_auth(self._handle, whole("peer_id", peer_id, *INT32)))

    def peer(self, peer_id: int) -> Peer:
        """Host: the connection of a player, for its address, headers, stats and so on."""
        conn = ctypes.c_uint32()
        check(lib.ws_get_conn(self._handle, whole("peer_id", peer_id, *INT32), conn))
        return self._peer(conn.value)

    def join_local(self, **config: Unpack[ConfigArgs]) -> MultiplayerPeer:
        """Host: opens the player on the host's own machine, connected in memory. Poll both."""
        handle = ctypes.c_uint32()
        check(lib.ws_join_local(self._handle, pack(config), handle))
        return MultiplayerPeer(handle.value)


def _joined(name: str, parts: str | Iterable[str] | None, between: str) -> bytes | None:
    """A list of the header's; None stays None."""
    if parts is None:
        return None
    return encoded(name, parts if isinstance(parts, str) else between.join(parts))
