"""The functions that open something."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, NamedTuple

from wspeer._library import lib
from wspeer.codes import OFF, Role
from wspeer.config import pack
from wspeer.config_args import ConfigArgs
from wspeer.endpoint import INT32, AttachedPeer, Peer
from wspeer.errors import check, encoded, whole
from wspeer.server import MultiplayerPeer, Server

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Unpack


def connect(url: str, **config: Unpack[ConfigArgs]) -> Peer:
    """Opens a client: "ws://host:port/path?query" or "wss://…". Returns at once in state CONNECTING; poll it until OPEN
    or CLOSED. A user name and password in the URL become an Authorization header. Network failures are reported by the
    CLOSED event."""
    handle = ctypes.c_uint32()
    check(lib.ws_connect(encoded("url", url), pack(config), handle))
    return Peer(handle.value)


def diagnose(url: str, **config: Unpack[ConfigArgs]) -> Peer:
    """Finds out why connect() fails. It opens a connection of its own, pings the server once and closes. Poll it: each
    step is a STEP event whose text is a sentence; the text of CLOSED says what is wrong and what to do, and its cause
    is Cause.NONE if everything works. It sends and delivers no messages. The texts have no query, no password, and no
    values of cookies or authorization, so they can be pasted into a bug report. `python -m wspeer diagnose URL` prints
    them."""
    handle = ctypes.c_uint32()
    check(lib.ws_diagnose(encoded("url", url), pack(config), handle))
    return Peer(handle.value)


def listen(url: str, **config: Unpack[ConfigArgs]) -> Server:
    """Opens a server: "ws://127.0.0.1:9080", "wss://[::]:443", "ws://*:9080" (IPv4 and IPv6), "ws://localhost:0" (any
    free port, see options.port). The host is an IP address, localhost or *. With a path other than "/", only requests
    for that path are accepted. wss:// needs cert_pem and key_pem. Raises if it cannot bind."""
    handle = ctypes.c_uint32()
    check(lib.ws_listen(encoded("url", url), pack(config), handle))
    return Server(handle.value)


class Certificate(NamedTuple):
    """A self-signed certificate. `listen(url, cert_pem=made.cert_pem, key_pem=made.key_pem)` uses it, and
    `connect(url, pin_sha256=made.sha256)` trusts it."""

    cert_pem: str
    """The certificate, in PEM."""
    key_pem: str
    """Its key, in PEM. Keep it secret."""
    sha256: str
    """SHA-256 of the certificate, as 64 hex digits."""


def make_certificate(names: str | Iterable[str], days: int = 365) -> Certificate:
    """Makes a self-signed certificate with a new key, for development and for games on a local network. `names` are DNS
    names and IP addresses, such as ["localhost", "127.0.0.1"], or a text with commas between them. It is valid from a
    day before now for `days`, 1 to 36500."""
    listed = names if isinstance(names, str) else ",".join(names)
    # Any certificate fits.
    texts = [ctypes.create_string_buffer(room) for room in (65536, 4096, 65)]
    buffers = [part for text in texts for part in (text, len(text))]
    check(lib.ws_make_certificate(encoded("names", listed), whole("days", days, 0, OFF), *buffers))
    return Certificate(*(text.value.decode() for text in texts))


def host(url: str, **config: Unpack[ConfigArgs]) -> MultiplayerPeer:
    """Opens a multiplayer host, peer 1, which assigns ids to its players; the URL is that of listen(). The format is
    Godot 4's, or with godot3=True that of Godot 3.2 to 3.6."""
    handle = ctypes.c_uint32()
    check(lib.ws_host(encoded("url", url), pack(config), handle))
    return MultiplayerPeer(handle.value)


def join(url: str, **config: Unpack[ConfigArgs]) -> MultiplayerPeer:
    """Joins a multiplayer host, of host() or of Godot; the URL is that of connect(). It is CONNECTING until its id
    arrives; then follow OPEN, with the id, and CONNECTED of peer 1, the host."""
    handle = ctypes.c_uint32()
    check(lib.ws_join(encoded("url", url), pack(config), handle))
    return MultiplayerPeer(handle.value)


def pair(**config: Unpack[ConfigArgs]) -> tuple[Peer, Peer]:
    """Opens two connections that are joined in memory and speak the real protocol, a server's end and a client's: for a
    local player and for tests. Poll both."""
    server_end, client_end = ctypes.c_uint32(), ctypes.c_uint32()
    check(lib.ws_pair(pack(config), server_end, client_end))
    return Peer(server_end.value), Peer(client_end.value)


def attach(role: Role, **config: Unpack[ConfigArgs]) -> AttachedPeer:
    """Opens a connection whose bytes the program transports itself, with feed() and take_output(): another transport, a
    recording, a test."""
    handle = ctypes.c_uint32()
    check(lib.ws_attach(pack(config), whole("role", role, *INT32), handle))
    return AttachedPeer(handle.value)
