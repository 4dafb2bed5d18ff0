"""Godot's values and remote calls, for multiplayer peers with scene=True.

None, bool, int, float, str, bytes (PackedByteArray), list and dict correspond directly; every other type is a Value."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterable, Mapping
from typing import Any, Callable, NamedTuple

from wspeer._declared import CALL, REPLICATED, VARIANT
from wspeer._library import lib
from wspeer.codes import CUSTOM_SCENE, Result, VariantType
from wspeer.errors import ArgumentError, CallFailed, check, encoded, utf8

_INT64 = (-(2**63), 2**63 - 1)
_ZEROS = (0.0,) * 16
# Number of components of each type.
_NUMBERS = {
    VariantType.VECTOR2: 2,
    VariantType.VECTOR2I: 2,
    VariantType.RECT2: 4,
    VariantType.RECT2I: 4,
    VariantType.VECTOR3: 3,
    VariantType.VECTOR3I: 3,
    VariantType.TRANSFORM2D: 6,
    VariantType.VECTOR4: 4,
    VariantType.VECTOR4I: 4,
    VariantType.PLANE: 4,
    VariantType.QUATERNION: 4,
    VariantType.AABB: 6,
    VariantType.BASIS: 9,
    VariantType.TRANSFORM3D: 12,
    VariantType.PROJECTION: 16,
    VariantType.COLOR: 4,
}
_WHOLE = {VariantType.VECTOR2I, VariantType.RECT2I, VariantType.VECTOR3I, VariantType.VECTOR4I}
# The format of a packed array's elements, and the number of components of each.
_PACKED = {
    VariantType.PACKED_INT32_ARRAY: ("i", 1),
    VariantType.PACKED_INT64_ARRAY: ("q", 1),
    VariantType.PACKED_FLOAT32_ARRAY: ("f", 1),
    VariantType.PACKED_FLOAT64_ARRAY: ("d", 1),
    VariantType.PACKED_VECTOR2_ARRAY: ("f", 2),
    VariantType.PACKED_VECTOR3_ARRAY: ("f", 3),
    VariantType.PACKED_COLOR_ARRAY: ("f", 4),
    VariantType.PACKED_VECTOR4_ARRAY: ("f", 4),
}


class Value(NamedTuple):
    """A value of a Godot type that Python does not have: Value(VariantType.VECTOR2, (1.0, 2.0))."""

    type: VariantType
    value: Any
    """Vector, rectangle, transform, colour: the components. Packed array: all components in order. PackedStringArray: a
    list of str. StringName, NodePath: a str. Typed Array or Dictionary: a list or dict."""
    of: int = 0
    """Typed Array: the type of its elements. Typed Dictionary: that of the keys plus 256 times that of the values."""


class Call(NamedTuple):
    """A received remote call. Any peer may call any declared method: check the packet's peer_id."""

    path: str
    """The path of the node, without "/root/"."""
    method: str
    arguments: list[Any]


class Replicated(NamedTuple):
    """A node that a peer has spawned, despawned or synchronized."""

    path: str
    """The path of the spawner as it was declared, without "/root/"; scene is None: that of the synchronizer."""
    name: str
    """SPAWN: the node's name below the spawner's spawn path. Else ""."""
    node: int
    """The node's number among those of the peer, which is used again only after its DESPAWN."""
    scene: int | None
    """The index of the scene in the spawner's list, or CUSTOM_SCENE. None: the synchronizer is of no spawned node."""
    data: Any
    """SPAWN of a CUSTOM_SCENE: its data. Else None."""
    properties: dict[str, Any]
    """SPAWN, SYNC: the values of properties by their names. If two synchronizers of a scene have a property of the same
    name, the value of the last."""


def encode_call(path: str, method: str, *arguments: object) -> bytes:
    """Encodes a call as a packet, which MultiplayerPeer.call() sends."""
    return _encode(lib.ws_encode_call, arguments, encoded("path", path), encoded("method", method))


def decode_call(data: bytes | memoryview) -> Call:
    """Decodes a received call, as Packet.call does."""
    data = bytes(data)
    call = ctypes.create_string_buffer(CALL.size)
    room = 16
    while True:
        items = ctypes.create_string_buffer(room * VARIANT.size)
        result = check(lib.ws_decode_call(data, len(data), call, items, room))
        path, method, _count, total = CALL.unpack(call)
        if result != Result.TRUNCATED:
            return Call(
                ctypes.string_at(path).decode(),
                ctypes.string_at(method).decode(),
                _values(items, total),
            )
        room = total


def decode_replication(data: bytes | memoryview) -> list[Replicated]:
    """Decodes what a SPAWN, DESPAWN or SYNC brings, as Packet.nodes does."""
    data = bytes(data)
    at, head = ctypes.c_size_t(), ctypes.create_string_buffer(REPLICATED.size)
    room = 32
    items = ctypes.create_string_buffer(room * VARIANT.size)
    nodes: list[Replicated] = []
    while True:
        begin = at.value
        result = check(lib.ws_decode_replication(data, len(data), at, head, items, room))
        if result == Result.EMPTY:
            return nodes
        path, name, node, scene, total, data_items = REPLICATED.unpack(head)
        if result == Result.TRUNCATED:
            room, at.value = total, begin
            items = ctypes.create_string_buffer(room * VARIANT.size)
            continue
        first, *pairs = _values(items, total) if data_items else [None, *_values(items, total)]
        nodes.append(
            Replicated(
                ctypes.string_at(path).decode(),
                ctypes.string_at(name).decode(),
                node,
                scene if scene <= CUSTOM_SCENE else None,
                first,
                dict(zip(pairs[::2], pairs[1::2])),
            ),
        )


def encode_variant(value: object) -> bytes:
    """Encodes one value like Godot's var_to_bytes()."""
    return _encode(lib.ws_encode_variant, (value,))


def decode_variant(data: bytes | memoryview) -> Any:
    """Decodes one value from Godot's var_to_bytes() or put_var()."""
    data = bytes(data)
    total = ctypes.c_size_t()
    room = 16
    while True:
        items = ctypes.create_string_buffer(room * VARIANT.size)
        if check(lib.ws_decode_variant(data, len(data), items, room, total, None)) != Result.TRUNCATED:
            return _values(items, total.value)[0]
        room = total.value


def _encode(function: Callable[..., int], values: tuple[object, ...], *names: bytes) -> bytes:
    flat, count, _kept = _flat(values)
    length = ctypes.c_size_t()
    room = 256
    while True:
        buffer = ctypes.create_string_buffer(room)
        result = function(*names, flat, count, buffer, room, length)
        if result == Result.ERR_TOO_BIG and length.value > room:
            room = length.value
            continue
        check(result)
        return buffer.raw[: length.value]


def put_values(function: Callable[..., int], before: tuple[object, ...], values: list[object], *after: object) -> None:
    """Calls a function that takes values among its arguments."""
    flat, count, _kept = _flat(values)
    check(function(*before, flat, count, *after))


def pairs_of(properties: Mapping[str, object]) -> list[object]:
    """The names of properties, each with its value behind it."""
    if not isinstance(properties, Mapping):
        raise TypeError(f"properties is {type(properties).__name__}: give a dict of names and values")
    return [part for pair in properties.items() for part in pair]


def _flat(values: Iterable[object]) -> tuple[bytes, int, list[bytes]]:
    """The items of values, their number, and the memory that they point to."""
    items: list[bytes] = []
    kept: list[bytes] = []
    try:
        for value in values:
            _flatten(value, items, kept)
    except RecursionError:
        raise ArgumentError("the value contains itself, or is nested too deeply: send less at once") from None
    return b"".join(items) or bytes(VARIANT.size), len(items), kept


def _item(
    kind: int,
    count: int = 0,
    integer: int = 0,
    numbers: tuple[float, ...] = (),
    data: int = 0,
    length: int = 0,
) -> bytes:
    return VARIANT.pack(kind, count, integer, *(numbers + _ZEROS)[:16], data, length)


def _flatten(value: object, items: list[bytes], kept: list[bytes]) -> None:
    """Appends the items of a value; `kept` keeps the memory that they point to alive."""

    def with_bytes(kind: int, data: bytes, count: int = 0) -> None:
        kept.append(data)
        items.append(
            _item(kind, count, data=ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0, length=len(data)),
        )

    if value is None:
        items.append(_item(VariantType.NIL))
    elif isinstance(value, bool):
        items.append(_item(VariantType.BOOL, integer=int(value)))
    elif isinstance(value, int):
        if not _INT64[0] <= value <= _INT64[1]:
            raise ArgumentError(f"{value} is no int of Godot's, which has 64 bits: send it as str")
        items.append(_item(VariantType.INT, integer=value))
    elif isinstance(value, float):
        items.append(_item(VariantType.FLOAT, numbers=(value,)))
    elif isinstance(value, str):
        with_bytes(VariantType.STRING, utf8("a str", value))
    elif isinstance(value, (bytes, bytearray, memoryview)):
        with_bytes(VariantType.PACKED_BYTE_ARRAY, bytes(value), len(bytes(value)))
    elif isinstance(value, Value):
        _flatten_value(value, items, kept, with_bytes)
    elif isinstance(value, (list, tuple)):
        _flatten_all(_item(VariantType.ARRAY, len(value)), value, items, kept)
    elif isinstance(value, dict):
        _flatten_all(
            _item(VariantType.DICTIONARY, len(value)),
            [part for pair in value.items() for part in pair],
            items,
            kept,
        )
    else:
        raise TypeError(
            f"{type(value).__name__} is not a Variant type of Godot: "
            "give None, bool, int, float, str, bytes, list, dict or wspeer.godot.Value",
        )


def _flatten_all(head: bytes, values: Any, items: list[bytes], kept: list[bytes]) -> None:
    items.append(head)
    for value in values:
        _flatten(value, items, kept)


def _flatten_value(value: Value, items: list[bytes], kept: list[bytes], with_bytes: Callable[..., None]) -> None:
    kind, inner = value.type, value.value
    try:
        if kind in _NUMBERS:
            if len(inner) != _NUMBERS[kind]:
                raise ArgumentError(f"{kind.name} has {len(inner)} numbers: give {_NUMBERS[kind]}")
            items.append(_item(kind, numbers=tuple(float(number) for number in inner)))
        elif kind in _PACKED:
            letter, each = _PACKED[kind]
            if len(inner) % each:
                raise ArgumentError(f"{kind.name} has {len(inner)} numbers: give {each} for each element")
            with_bytes(kind, struct.pack(f"<{len(inner)}{letter}", *inner), len(inner) // each)
        elif kind == VariantType.STRING_NAME:
            with_bytes(kind, utf8("a StringName", inner))
        elif kind == VariantType.PACKED_STRING_ARRAY:
            _flatten_all(_item(kind, len(inner)), inner, items, kept)
        elif kind == VariantType.NODE_PATH:
            names, *subnames = inner.split(":")
            parts = [name for name in names.split("/") if name] + subnames
            _flatten_all(
                _item(kind, len(parts), int(inner.startswith("/")), (float(len(subnames)),)),
                parts,
                items,
                kept,
            )
        elif kind == VariantType.ARRAY:
            _flatten_all(_item(kind, len(inner), value.of), inner, items, kept)
        elif kind == VariantType.DICTIONARY:
            _flatten_all(
                _item(kind, len(inner), value.of),
                [part for pair in dict(inner).items() for part in pair],
                items,
                kept,
            )
        else:
            raise ArgumentError(f"a Value of type {kind!r} cannot be sent: give Python's own")
    except CallFailed:
        raise
    except (struct.error, AttributeError, TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(f"the value of {kind!r} cannot be used: {error}") from None


def _values(items: ctypes.Array[ctypes.c_char], total: int) -> list[Any]:
    """The values that `total` items are."""
    flat = list(VARIANT.iter_unpack(memoryview(items)[: total * VARIANT.size]))
    place = 0

    def take() -> Any:
        nonlocal place
        kind, number, integer, *numbers, address, length = flat[place]
        place += 1
        kind = VariantType(kind)
        if kind == VariantType.NIL:
            return None
        if kind == VariantType.BOOL:
            return bool(integer)
        if kind == VariantType.INT:
            return integer
        if kind == VariantType.FLOAT:
            return numbers[0]
        if kind in (VariantType.STRING, VariantType.STRING_NAME):
            text = ctypes.string_at(address, length).decode("utf-8", "replace")
            return text if kind == VariantType.STRING else Value(kind, text)
        if kind == VariantType.PACKED_BYTE_ARRAY:
            return ctypes.string_at(address, length)
        if kind in _NUMBERS:
            used = numbers[: _NUMBERS[kind]]
            return Value(kind, tuple(int(one) for one in used) if kind in _WHOLE else tuple(used))
        if kind in _PACKED:
            letter, each = _PACKED[kind]
            letter = "d" if each > 1 and length == 8 * number * each else letter
            return Value(kind, list(struct.unpack(f"<{number * each}{letter}", ctypes.string_at(address, length))))
        if kind == VariantType.NODE_PATH:
            names = [take() for _ in range(number)]
            first = number - int(numbers[0])
            return Value(kind, ":".join([("/" if integer else "") + "/".join(names[:first]), *names[first:]]))
        if kind == VariantType.DICTIONARY:
            pairs = {_key(take()): take() for _ in range(number)}
            return Value(kind, pairs, integer) if integer else pairs
        found = [take() for _ in range(number)]
        return found if kind == VariantType.ARRAY and not integer else Value(kind, found, integer)

    try:
        found = []
        while place < total:
            found.append(take())
        return found
    except RecursionError:
        raise ArgumentError("the value is nested too deeply to be a value of Python's") from None


def _key(value: Any) -> Any:
    """Makes a list or dict usable as the key of a dict."""
    if isinstance(value, Value):
        return Value(value.type, _key(value.value), value.of)
    if isinstance(value, list):
        return tuple(_key(one) for one in value)
    if isinstance(value, dict):
        return tuple((_key(key), _key(one)) for key, one in value.items())
    return value
