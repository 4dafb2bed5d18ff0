"""How everything begins."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from wspeer._library import lib
from wspeer.codes import Role
from wspeer.config import pack
from wspeer.config_args import ConfigArgs
from wspeer.endpoint import INT32, AttachedPeer, Peer
from wspeer.errors import check, encoded, whole
from wspeer.server import MultiplayerPeer, Server

if TYPE_CHECKING:
    from typing_extensions import Unpack


def connect(url: str, **config: Unpack[ConfigArgs]) -> Peer:
    """Opens a client: "ws://host:port/path?query" or "wss://…". Returns at once, CONNECTING; poll it until OPEN or CLOSED. A user name and password in the
    URL become an Authorization header. Failures of the network are told by the CLOSED event."""
    handle = ctypes.c_uint32()
    check(lib.ws_connect(encoded("url", url), pack(config), handle))
    return Peer(handle.value)


def listen(url: str, **config: Unpack[ConfigArgs]) -> Server:
    """Opens a server: "ws://127.0.0.1:9080", "wss://[::]:443", "ws://*:9080" (both families), "ws://localhost:0" (any free port, see options.port). The
    host is an IP address, localhost or *. A path other than "/" restricts requests to it. wss:// needs cert_pem and key_pem. Failures to bind raise."""
    handle = ctypes.c_uint32()
    check(lib.ws_listen(encoded("url", url), pack(config), handle))
    return Server(handle.value)


def host(url: str, **config: Unpack[ConfigArgs]) -> MultiplayerPeer:
    """Opens a multiplayer host, peer 1, whose players get ids; the URL is as for listen(). In Godot 4's format, or with godot3=True in that of Godot 3.2
    to 3.6."""
    handle = ctypes.c_uint32()
    check(lib.ws_host(encoded("url", url), pack(config), handle))
    return MultiplayerPeer(handle.value)


def join(url: str, **config: Unpack[ConfigArgs]) -> MultiplayerPeer:
    """Joins a multiplayer host of host() or of Godot; the URL is as for connect(). CONNECTING until its id has come; then OPEN, with it, and CONNECTED of
    peer 1, the host."""
    handle = ctypes.c_uint32()
    check(lib.ws_join(encoded("url", url), pack(config), handle))
    return MultiplayerPeer(handle.value)


def pair(**config: Unpack[ConfigArgs]) -> tuple[Peer, Peer]:
    """Opens two connections that talk to each other in memory through the real protocol, the server's end and the client's: for a local player and for
    tests. Poll both."""
    server_end, client_end = ctypes.c_uint32(), ctypes.c_uint32()
    check(lib.ws_pair(pack(config), server_end, client_end))
    return Peer(server_end.value), Peer(client_end.value)


def attach(role: Role, **config: Unpack[ConfigArgs]) -> AttachedPeer:
    """Opens a connection whose bytes the host carries itself, by feed() and take_output(): another transport, a recording, a test."""
    handle = ctypes.c_uint32()
    check(lib.ws_attach(pack(config), whole("role", role, *INT32), handle))
    return AttachedPeer(handle.value)
