"""The shared library: where it is found, its structs, its functions, and whether it fits."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from ctypes import POINTER, c_char_p, c_int32, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

ABI_VERSION = 1
FILE = {"win32": "wspeer.dll", "darwin": "libwspeer.dylib"}.get(sys.platform, "libwspeer.so")


class Config(ctypes.Structure):
    """ws_config."""

    _fields_ = [
        *((name, c_uint32) for name in ("struct_size", "owner", "flags", "poll_budget_us", "connect_timeout_ms", "handshake_timeout_ms")),
        *((name, c_uint32) for name in ("close_timeout_ms", "heartbeat_ms", "pong_timeout_ms", "max_message_bytes", "max_fragments")),
        *((name, c_uint32) for name in ("max_header_bytes", "inbound_packets", "inbound_bytes", "outbound_packets", "outbound_bytes")),
        *((name, c_uint32) for name in ("max_messages_per_s", "max_bytes_per_s", "max_clients", "max_clients_per_address")),
        *((name, c_uint32) for name in ("max_pending_handshakes", "on_full", "no_delay", "headers_count", "deflate_level")),
        *((name, c_uint32) for name in ("deflate_threshold_bytes", "server_max_window_bits", "client_max_window_bits", "max_inflate_ratio", "reserved")),
        ("headers", POINTER(c_char_p)),
        *((name, c_char_p) for name in ("subprotocols", "ca_pem", "cert_pem", "key_pem", "server_name", "pin_sha256")),
        ("user", c_void_p),
        *((name, c_uint32) for name in ("max_call_bytes", "max_call_items")),
    ]


class Stats(ctypes.Structure):
    """ws_stats."""

    _fields_ = [
        *((name, c_uint32) for name in ("struct_size", "connections")),
        *((name, c_uint64) for name in ("messages_in", "messages_out", "bytes_in", "bytes_out", "wire_bytes_in", "wire_bytes_out")),
        *((name, c_uint64) for name in ("queued_packets_in", "queued_bytes_in", "queued_packets_out", "queued_bytes_out", "skipped")),
        *((name, c_uint64) for name in ("inbound_stalls", "rtt_us", "last_poll_us", "longest_poll_us", "accepted", "refused")),
        *((name, c_uint64) for name in ("pending_handshakes", "compressed_in", "compressed_out", "deflate_memory_bytes", "kept_bytes")),
    ]


# A whole batch of these is taken apart at once, which costs less than ctypes.Structure.
PACKET = struct.Struct("@PNiiIIQ")
"""ws_packet: data, len, type, peer_id, conn, flags, user."""
EVENT = struct.Struct("@iIiiiiiiIIQQ32xPNiiIIQ")
"""ws_event: type, conn, peer_id, code, phase, cause, http_status, os_error, unsent, clean, time_ns, count, (reserved,) and its packet."""

VARIANT = struct.Struct("@iIq16dPN")
"""ws_variant: type, count, integer, number, data, len."""
CALL = struct.Struct("@PPII")
"""ws_call: path, method, arguments, items."""

_handle, _text, _count = c_uint32, c_char_p, POINTER(c_size_t)
_FUNCTIONS: dict[str, tuple[Any, ...]] = {
    # name: result, arguments
    "ws_connect": (c_int32, _text, POINTER(Config), POINTER(_handle)),
    "ws_listen": (c_int32, _text, POINTER(Config), POINTER(_handle)),
    "ws_host": (c_int32, _text, POINTER(Config), POINTER(_handle)),
    "ws_join": (c_int32, _text, POINTER(Config), POINTER(_handle)),
    "ws_join_local": (c_int32, _handle, POINTER(Config), POINTER(_handle)),
    "ws_pair": (c_int32, POINTER(Config), POINTER(_handle), POINTER(_handle)),
    "ws_attach": (c_int32, POINTER(Config), c_int32, POINTER(_handle)),
    "ws_config_init": (c_int32, POINTER(Config), c_size_t),
    "ws_feed": (c_int32, _handle, _text, c_size_t, _count),
    "ws_take_output": (c_int32, _handle, c_void_p, c_size_t, _count),
    "ws_poll": (c_int32, _handle),
    "ws_flush": (c_int32, _handle),
    "ws_wait": (c_int32, POINTER(_handle), c_size_t, c_int32),
    "ws_get_packets": (c_int32, _handle, c_void_p, c_size_t, _count),
    "ws_next_events": (c_int32, _handle, c_void_p, c_size_t, _count),
    "ws_put_packet": (c_int32, _handle, _text, c_size_t, c_int32),
    "ws_put_packet_to": (c_int32, _handle, c_int32, _text, c_size_t, c_int32),
    "ws_close": (c_int32, _handle, c_int32, _text),
    "ws_disconnect": (c_int32, _handle, c_int32, c_int32, _text),
    "ws_free": (None, _handle),
    "ws_free_owner": (None, c_uint32),
    "ws_shutdown": (None,),
    "ws_get_state": (c_int32, _handle),
    "ws_get_available": (c_int32, _handle),
    "ws_get_text": (c_int32, _handle, c_int32, c_void_p, c_size_t, _count),
    "ws_get_header": (c_int32, _handle, _text, c_uint32, c_void_p, c_size_t, _count),
    "ws_get_end": (c_int32, _handle, c_void_p),
    "ws_get_stats": (c_int32, _handle, POINTER(Stats), c_size_t),
    "ws_get_option": (c_int32, _handle, c_int32, POINTER(c_uint32)),
    "ws_set_option": (c_int32, _handle, c_int32, c_uint32),
    "ws_set_user": (c_int32, _handle, c_size_t),
    "ws_get_conns": (c_int32, _handle, POINTER(_handle), c_size_t, _count),
    "ws_get_waiting": (c_int32, _handle, POINTER(_handle), c_size_t, _count),
    "ws_get_conn": (c_int32, _handle, c_int32, POINTER(_handle)),
    "ws_get_peer_id": (c_int32, _handle),
    "ws_declare_node": (c_int32, _handle, _text, _text),
    "ws_send_auth": (c_int32, _handle, c_int32, _text, c_size_t),
    "ws_complete_auth": (c_int32, _handle, c_int32),
    "ws_encode_call": (c_int32, _text, _text, _text, c_size_t, c_void_p, c_size_t, _count),
    "ws_decode_call": (c_int32, _text, c_size_t, c_void_p, c_void_p, c_size_t),
    "ws_encode_variant": (c_int32, _text, c_size_t, c_void_p, c_size_t, _count),
    "ws_decode_variant": (c_int32, _text, c_size_t, c_void_p, c_size_t, _count, _count),
    "ws_last_error": (c_int32, c_void_p, c_size_t, _count),
    "ws_set_log_level": (c_int32, c_int32),
    "ws_get_log": (c_int32, c_void_p, c_size_t, _count),
    "ws_get_features": (c_uint32,),
    "ws_version": (c_uint32,),
    "ws_abi_version": (c_uint32,),
    "ws_struct_size": (c_uint32, c_int32),
}


def _find() -> str:
    named = os.environ.get("WSPEER_LIBRARY")
    if named:
        return named
    inside = Path(__file__).with_name(FILE)
    if inside.exists():
        return str(inside)
    raise ImportError(f"wspeer: {inside} is missing: install the package with pip, or set WSPEER_LIBRARY to the path of the library")


def _load(path: str) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(f"wspeer: the library cannot be loaded: {error}") from error
    try:
        for name, (result, *arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = arguments
    except AttributeError as error:
        raise ImportError(f"wspeer: {path} is another library, or older than this package: {error}") from error
    _assert_fit(path, library)
    return library


def _assert_fit(path: str, library: ctypes.CDLL) -> None:
    version = library.ws_abi_version()
    if version != ABI_VERSION:
        raise ImportError(f"wspeer: {path} has version {version} of the binary interface, this package needs {ABI_VERSION}: install both anew")
    sizes = [library.ws_struct_size(which) for which in range(1, 7)]
    ours = [ctypes.sizeof(Config), ctypes.sizeof(Stats), PACKET.size, EVENT.size, VARIANT.size, CALL.size]
    # A config and stats may have grown, and say for themselves how long they are; the others lie side by side in arrays.
    if sizes[0] < ours[0] or sizes[1] < ours[1] or sizes[2:] != ours[2:]:
        raise ImportError(f"wspeer: the structs of {path} have {sizes} bytes, this package's {ours}: install both anew")


# As ctypes.string_at, which costs a Python function more.
bytes_at = ctypes.PYFUNCTYPE(ctypes.py_object, c_void_p, ctypes.c_ssize_t)(("PyBytes_FromStringAndSize", ctypes.pythonapi))

PATH = _find()
lib = _load(PATH)
