"""How to open a connection or a server: the keyword arguments of connect(), listen() and the others."""

from __future__ import annotations

import ctypes
import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Callable, TypedDict, Union

from wspeer._library import Config, lib
from wspeer.codes import OFF, OnFull
from wspeer.errors import check, encoded, whole

Headers = Union[Mapping[str, str], Iterable[Union[str, tuple[str, str]]]]
Pem = Union[str, bytes]


class ConfigArgs(TypedDict, total=False):
    """What is left out, or 0, means its default. A limit or a time that is OFF is switched off."""

    headers: Headers
    """Extra headers of the request (client) or of the answer (server): a dict, or pairs, or lines "Name: value"."""
    subprotocols: Union[str, Iterable[str]]
    """In order of preference. Client: offered; the server must choose one. Server: chooses the client's first that it knows; a client that offers
    none of them is refused with 400."""
    ca_pem: Pem
    """Client: CA certificates to trust besides the bundled and the system's."""
    cert_pem: Pem
    """The certificate chain, own certificate first. A wss:// server needs it; a client sends it when asked."""
    key_pem: Pem
    """The private key of cert_pem (PKCS #8, PKCS #1 or SEC1)."""
    server_name: str
    """Client: the name to ask for (SNI) and to check the certificate against, instead of the URL's host."""
    pin_sha256: str
    """Client: SHA-256 of the server's own certificate (DER), 64 hex digits, colons allowed. It is then trusted by this alone."""
    user: int
    """The first value of set_user()."""
    owner: int
    """A number of your choice for free_owner()."""

    coalesce: bool
    """What is sent waits for flush(), the next poll() or 128 KiB, so that the messages of a frame leave in one write."""
    queue_before_open: bool
    """Messages may be sent while CONNECTING; they leave after the opening handshake."""
    insecure: bool
    """Client: accept any certificate with a key of P-256, P-384, Ed25519, or RSA of 2048 bits and more. For development alone; the log says so."""
    only_ca_pem: bool
    """Client: trust only ca_pem, neither the bundled nor the system's roots."""
    refuse_new: bool
    """Server: answer every request with 503 until options.refuse_new is set to False."""
    deflate: bool
    """permessage-deflate (RFC 7692): a client offers it, a server accepts it where a client offers it."""
    server_no_context_takeover: bool
    """With deflate: the server's compressor shall forget each message, which saves memory and lets a broadcast be compressed once."""
    client_no_context_takeover: bool
    """With deflate: the client's compressor shall forget each message."""
    any_name: bool
    """Client: a certificate may be for any name, if it is trusted otherwise. For development alone."""
    godot3: bool
    """host() and join(): the format of Godot 3.2 to 3.6 with gd_mp_api, where the host passes on what is for others, instead of Godot 4's."""
    scene: bool
    """host() and join(): what Godot 4's SceneMultiplayer says too: other peers told and reached by way of the host, its raw bytes, remote calls."""
    auth: bool
    """With scene: who comes is told by AUTHENTICATING and is there only once both sides have called complete_auth()."""
    no_relay: bool
    """With scene: clients do not hear of each other, and the host passes nothing on. The same on all sides."""
    app_heartbeat: bool
    """Both ends: the client's heartbeat goes as messages that no program sees, for browsers, which hide pings. A client's heartbeat_ms is then 20000."""

    poll_budget_us: int
    """How long one poll() may work, in microseconds (default: 1000)."""
    connect_timeout_ms: int
    """Client: from connect() or join() to OPEN, all phases together, in milliseconds (default: 10000)."""
    handshake_timeout_ms: int
    """Server: from a client's arrival to its CONNECTED, TLS included, in milliseconds (default: 3000)."""
    close_timeout_ms: int
    """How long a close may wait for the peer, counted from the last progress, in milliseconds (default: 3000)."""
    heartbeat_ms: int
    """How often the peer is pinged, in milliseconds (default: servers' clients 20000, clients OFF)."""
    pong_timeout_ms: int
    """Time without any byte from the peer after which it counts as dead, in milliseconds (default: 3 x heartbeat_ms)."""
    max_message_bytes: int
    """The longest message taken from the peer and from the host, in bytes (default: 16777216)."""
    max_fragments: int
    """The most fragments of one received message (default: 131072)."""
    max_header_bytes: int
    """The longest request or response header, in bytes (default: 16384)."""
    inbound_packets: int
    """Messages that may wait for the host; at more, reading stops and TCP slows the peer (default: 4096)."""
    inbound_bytes: int
    """Bytes of messages that may wait for the host (default: 4194304)."""
    outbound_packets: int
    """Messages that may wait to be sent (default: 4096)."""
    outbound_bytes: int
    """Bytes that may wait to be sent (default: 4194304)."""
    max_messages_per_s: int
    """Messages a peer may send in a second before it is closed with 1008 (default: OFF)."""
    max_bytes_per_s: int
    """Bytes of messages a peer may send in a second before it is closed with 1008 (default: OFF)."""
    max_clients: int
    """Server: clients that may be connected; more are answered with 503 (default: 4096)."""
    max_clients_per_address: int
    """Server: clients from one IP address; more are answered with 503 (default: OFF)."""
    max_pending_handshakes: int
    """Server: opening handshakes under way at a time; more wait in the system's queue (default: 256)."""
    on_full: OnFull
    """Server, host: what becomes of a target whose queue is full (default: SKIP; of a host DISCONNECT)."""
    no_delay: bool
    """False leaves Nagle's algorithm on (default: True, small messages leave at once)."""
    deflate_level: int
    """With deflate: how hard to compress, 1 (fast) to 9 (small) (default: 1)."""
    deflate_threshold_bytes: int
    """With deflate: shorter messages are not compressed, in bytes; OFF: none is (default: 64)."""
    server_max_window_bits: int
    """With deflate: window of the server's compressor as a power of two, 9 to 15 (default: 15)."""
    client_max_window_bits: int
    """With deflate: window of the client's compressor as a power of two, 9 to 15 (default: 15)."""
    max_inflate_ratio: int
    """The most that a message over 1 MiB may have been compressed; at more the connection is closed with 1008 (default: 256)."""
    max_call_bytes: int
    """With scene: the longest remote call; who sends a longer one is closed with 1002 (default: 1048576)."""
    max_call_items: int
    """With scene: the most items that the arguments of a remote call may be (default: 65536)."""


FLAGS = {
    "coalesce": 1,
    "queue_before_open": 2,
    "insecure": 4,
    "only_ca_pem": 8,
    "refuse_new": 16,
    "deflate": 32,
    "server_no_context_takeover": 64,
    "client_no_context_takeover": 128,
    "godot3": 256,
    "any_name": 512,
    "scene": 1024,
    "auth": 2048,
    "no_relay": 4096,
    "app_heartbeat": 8192,
}


def pack(given: Mapping[str, Any]) -> Config:
    """The struct, which keeps alive what it points to."""
    config = Config()
    check(lib.ws_config_init(config, ctypes.sizeof(config)))
    for name, value in given.items():
        if name in FLAGS:
            config.flags |= FLAGS[name] if _yes(name, value) else 0
        elif name in _SPECIAL:
            _SPECIAL[name](config, value)
        elif name in ConfigArgs.__annotations__:
            setattr(config, name, whole(name, value, 0, OFF))
        else:
            near = difflib.get_close_matches(name, ConfigArgs.__annotations__, 1)
            raise TypeError(f"there is no option {name!r}" + (f": is {near[0]!r} meant?" if near else ""))
    return config


def _yes(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} is {type(value).__name__}: give True or False")
    return value


def _headers(config: Config, headers: Headers) -> None:
    if isinstance(headers, (str, bytes)):
        raise TypeError("headers is a single text: give a dict, or a list of pairs or lines")
    items: Iterable[str | tuple[str, str]] = headers.items() if isinstance(headers, Mapping) else headers
    lines = [_header(item) for item in items]
    config.headers = (ctypes.c_char_p * len(lines))(*lines)
    config.headers_count = len(lines)


def _header(item: str | tuple[str, str]) -> bytes:
    if isinstance(item, str):
        return encoded("a header", item)
    try:
        name, value = item
    except (TypeError, ValueError):
        # Without the item, which may hold a secret.
        raise TypeError(f"headers has an item of type {type(item).__name__}: give a name and a value, or a line") from None
    return encoded("the name of a header", name) + b": " + encoded(f"the header {name}", value)


def _subprotocols(config: Config, names: str | Iterable[str]) -> None:
    text = names if isinstance(names, str) else ", ".join(names)
    config.subprotocols = encoded("subprotocols", text)


def _decoded(text: bytes) -> str | None:
    """None: it is no UTF-8. Python's own error would hold the text."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return None


def _pem(name: str) -> Callable[[Config, Pem], None]:
    def set_pem(config: Config, text: Pem) -> None:
        if isinstance(text, bytes):
            decoded = _decoded(text)
            if decoded is None:
                raise TypeError(f"{name} is no PEM but other bytes: give the text of a .pem file")
            text = decoded
        setattr(config, name, encoded(name, text))

    return set_pem


def _text(name: str) -> Callable[[Config, str], None]:
    return lambda config, text: setattr(config, name, encoded(name, text))


def _no_delay(config: Config, value: bool) -> None:
    config.no_delay = 0 if _yes("no_delay", value) else OFF


def _user(config: Config, value: int) -> None:
    config.user = whole("user", value, 0, 2 ** (8 * ctypes.sizeof(ctypes.c_void_p)) - 1)


_SPECIAL: dict[str, Callable[[Config, Any], None]] = {
    "headers": _headers,
    "subprotocols": _subprotocols,
    "ca_pem": _pem("ca_pem"),
    "cert_pem": _pem("cert_pem"),
    "key_pem": _pem("key_pem"),
    "server_name": _text("server_name"),
    "pin_sha256": _text("pin_sha256"),
    "user": _user,
    "no_delay": _no_delay,
}
