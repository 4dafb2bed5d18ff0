"""Converts the keyword arguments of connect(), listen() and the others into a ws_config."""

from __future__ import annotations

import ctypes
import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Callable

from wspeer._declared import Config
from wspeer._library import lib
from wspeer.codes import OFF
from wspeer.config_args import FLAGS, ConfigArgs, Headers, Pem
from wspeer.errors import check, encoded, whole


def pack(given: Mapping[str, Any]) -> Config:
    """The struct, which keeps the memory that it points to alive."""
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


def header_lines(headers: Headers) -> ctypes.Array[ctypes.c_char_p]:
    """An array of lines "Name: value"."""
    if isinstance(headers, (str, bytes)):
        raise TypeError("headers is a single text: give a dict, or a list of pairs or lines")
    items: Iterable[str | tuple[str, str]] = headers.items() if isinstance(headers, Mapping) else headers
    lines = [_header(item) for item in items]
    return (ctypes.c_char_p * len(lines))(*lines)


def _headers(config: Config, headers: Headers) -> None:
    lines = header_lines(headers)
    config.headers = lines
    config.headers_count = len(lines)


def _header(item: str | tuple[str, str]) -> bytes:
    if isinstance(item, str):
        return encoded("a header", item)
    try:
        name, value = item
    except (TypeError, ValueError):
        # The text must not contain the item, which may be secret.
        raise TypeError(
            f"headers has an item of type {type(item).__name__}: give a name and a value, or a line",
        ) from None
    return encoded("the name of a header", name) + b": " + encoded(f"the header {name}", value)


def _list(name: str) -> Callable[[Config, str | Iterable[str]], None]:
    def set_list(config: Config, items: str | Iterable[str]) -> None:
        setattr(config, name, encoded(name, items if isinstance(items, str) else ", ".join(items)))

    return set_list


def _decoded(text: bytes) -> str | None:
    """Decodes a text; None if it is not valid UTF-8. Python's own error would contain the text."""
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
    "subprotocols": _list("subprotocols"),
    "trusted_proxies": _list("trusted_proxies"),
    "allowed_hosts": _list("allowed_hosts"),
    "allowed_origins": _list("allowed_origins"),
    "ca_pem": _pem("ca_pem"),
    "cert_pem": _pem("cert_pem"),
    "key_pem": _pem("key_pem"),
    "server_name": _text("server_name"),
    "pin_sha256": _text("pin_sha256"),
    "proxy": _text("proxy"),
    "node": _text("node"),
    "user": _user,
    "no_delay": _no_delay,
}
