"""Godot's scene layer: calls, values, authentication."""

from __future__ import annotations

import math
import unittest
from typing import Any

from talk import LOCAL, event_of, until

import wspeer
from wspeer import EventType, State, Value, VariantType, decode_variant, encode_variant

VALUES: list[Any] = [
    None,
    True,
    0,
    -(2**63),
    2**63 - 1,
    1.5,
    -math.inf,
    "",
    "κόσμε 🎮",
    b"",
    bytes(range(256)),
    [],
    [1, [2, ["three", None]], {"four": 4.0}],
    {"a": 1, 2: [3], None: {}},
    Value(VariantType.VECTOR2, (1.0, -2.5)),
    Value(VariantType.VECTOR3I, (1, -2, 3)),
    Value(VariantType.RECT2, (1.0, 2.0, 3.0, 4.0)),
    Value(VariantType.TRANSFORM3D, tuple(float(number) for number in range(12))),
    Value(VariantType.PROJECTION, tuple(float(number) for number in range(16))),
    Value(VariantType.COLOR, (0.5, 0.25, 1.0, 1.0)),
    Value(VariantType.STRING_NAME, "name"),
    Value(VariantType.NODE_PATH, "/root/Game:position:x"),
    Value(VariantType.NODE_PATH, "Game/Player"),
    Value(VariantType.PACKED_INT32_ARRAY, [1, -2, 3]),
    Value(VariantType.PACKED_INT64_ARRAY, [2**62]),
    Value(VariantType.PACKED_FLOAT32_ARRAY, [0.5]),
    Value(VariantType.PACKED_FLOAT64_ARRAY, [0.1, 0.2]),
    Value(VariantType.PACKED_STRING_ARRAY, ["a", "é"]),
    Value(VariantType.PACKED_VECTOR3_ARRAY, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
    Value(VariantType.ARRAY, [1, 2], VariantType.INT),
]


class TestValues(unittest.TestCase):
    def test_values_come_back_as_they_went(self) -> None:
        for value in VALUES:
            with self.subTest(value):
                data = encode_variant(value)
                self.assertEqual(len(data) % 4, 0)
                found = decode_variant(data)
                self.assertEqual((type(found), found), (type(value), value))
        self.assertEqual(decode_variant(memoryview(encode_variant(VALUES))), VALUES)
        self.assertEqual(decode_variant(encode_variant(list(range(1000)))), list(range(1000)))

    def test_values_are_godots_bytes(self) -> None:
        # Recorded from var_to_bytes() of Godot 4.
        self.assertEqual(encode_variant(5).hex(), "0200000005000000")
        self.assertEqual(encode_variant("hi").hex(), "040000000200000068690000")
        self.assertEqual(encode_variant([True]).hex(), "1c000000010000000100000001000000")

    def test_lists_and_dicts_as_keys_can_be_read(self) -> None:
        # An Array as the key of a Dictionary is a tuple in Python's dict.
        pair = bytes.fromhex("1b00000001000000") + encode_variant([1, [2]]) + encode_variant({"x": []})
        self.assertEqual(decode_variant(pair), {(1, (2,)): {"x": []}})

    def test_what_cannot_be_sent_is_told(self) -> None:
        inner: list[Any] = []
        inner.append(inner)
        bad: list[tuple[type[Exception], Any]] = [
            (TypeError, object()),
            (TypeError, {1, 2}),
            (wspeer.ArgumentError, 2**63),
            (wspeer.ArgumentError, inner),
            (wspeer.TextError, "\ud800"),
            (wspeer.ArgumentError, Value(VariantType.VECTOR2, (1.0,))),
            (wspeer.ArgumentError, Value(VariantType.VECTOR2, ("x", "y"))),
            (wspeer.ArgumentError, Value(VariantType.VECTOR2, None)),
            (wspeer.ArgumentError, Value(VariantType.PACKED_INT32_ARRAY, [2**31])),
            (wspeer.ArgumentError, Value(VariantType.PACKED_VECTOR2_ARRAY, [1.0])),
            (wspeer.ArgumentError, Value(VariantType.OBJECT, 5)),
            (wspeer.ArgumentError, Value(VariantType.NIL, None)),
        ]
        for kind, value in bad:
            with self.subTest(repr(value)), self.assertRaises(kind):
                encode_variant(value)

    def test_any_bytes_are_a_value_or_an_exception(self) -> None:
        whole = encode_variant(VALUES)
        for cut in range(0, len(whole), 3):
            for data in (whole[:cut], whole[:cut] + b"\xff" * 8 + whole[cut + 8 :]):
                try:
                    decode_variant(data)
                except wspeer.CallFailed as error:
                    self.assertGreater(len(error.sentence), 10)


class TestScene(unittest.TestCase):
    def game(self, **config: Any) -> tuple[wspeer.MultiplayerPeer, ...]:
        host = wspeer.host(LOCAL, scene=True, **config)
        players = [wspeer.join(host.url, scene=True, **config) for _ in range(2)]
        for one in (host, *players):
            self.addCleanup(one.free)
            one.declare_node("Game", ["hello", "move"], by_config=["shoot"])
        return (host, *players)

    def test_calls_reach_one_and_all(self) -> None:
        host, ann, bob = everyone = self.game()
        until(lambda: all(player.state == State.OPEN for player in (ann, bob)), *everyone)
        until(lambda: host.stats().connections == 2, *everyone)
        for one in everyone:
            until(
                lambda one=one: sum(each.type == EventType.CONNECTED for each in one.events()) or one.available == 0,
                *everyone,
            )
        ann.call("/root/Game", "hello", 5, [1.5], Value(VariantType.VECTOR2, (1.0, 2.0)), to=bob.peer_id)
        heard = event_of(EventType.MESSAGE, bob, *everyone)
        self.assertEqual(heard.call, wspeer.Call("Game", "hello", [5, [1.5], Value(VariantType.VECTOR2, (1.0, 2.0))]))
        self.assertEqual((heard.peer_id, heard.is_text), (ann.peer_id, False))
        host.call("Game", "shoot")
        for player in (ann, bob):
            self.assertEqual(event_of(EventType.MESSAGE, player, *everyone).call, wspeer.Call("Game", "shoot", []))
        bob.send(b"raw bytes", to=1)
        raw = until(lambda: host.packets(limit=1), *everyone)[0]
        self.assertEqual((raw.call, raw.data, raw.peer_id), (None, b"raw bytes", bob.peer_id))
        bob.call("Game", "move", list(range(500)), to=1)
        lent = until(lambda: host.packets(limit=1, lend=True), *everyone)[0]
        self.assertEqual(lent.call, wspeer.Call("Game", "move", [list(range(500))]))

    def test_authentication(self) -> None:
        host = wspeer.host(LOCAL, scene=True, auth=True)
        player = wspeer.join(host.url, scene=True, auth=True)
        with host, player:
            self.assertEqual(event_of(EventType.AUTHENTICATING, player, host).peer_id, 1)
            player.send_auth(1, b"password\0")
            player.complete_auth(1)
            asked = event_of(EventType.AUTH, host, player)
            self.assertEqual((asked.data, asked.peer_id), (b"password\0", player.peer_id))
            host.complete_auth(asked.peer_id)
            self.assertEqual(event_of(EventType.CONNECTED, host, player).peer_id, player.peer_id)
            self.assertEqual(event_of(EventType.OPEN, player, host).peer_id, player.peer_id)
            with self.assertRaises(wspeer.TargetError):
                host.send_auth(player.peer_id, b"late")

    def test_bad_input_is_told(self) -> None:
        host, _, _ = self.game()
        for kind, call in (
            (wspeer.ArgumentError, lambda: host.declare_node("Game", "other, methods")),
            (wspeer.ArgumentError, lambda: host.declare_node("Game2", "twice, twice")),
            (wspeer.ArgumentError, lambda: host.declare_node("Game2", "a\0b")),
            (wspeer.ArgumentError, lambda: host.declare_node("Nobody", None)),
            (TypeError, lambda: host.declare_node(5, "a")),  # type: ignore[arg-type]
            (wspeer.TargetError, lambda: host.call("Game", "hello", to=99)),
            (wspeer.ArgumentError, lambda: host.call("Game", "hello", *range(256))),
            (wspeer.ArgumentError, lambda: host.call("Game", "he\0llo")),
            (wspeer.TargetError, lambda: host.complete_auth(5)),
            (TypeError, lambda: host.send_auth(5, "text")),  # type: ignore[arg-type],
        ):
            with self.assertRaises(kind) as caught:
                call()
            self.assertGreater(len(str(caught.exception)), 10)
        host.declare_node("Game", None)
        with wspeer.host(LOCAL) as plain, self.assertRaises(wspeer.KindError):
            plain.declare_node("Game", "hello")
        self.assertEqual(host.events(), [])
        with self.assertRaises(wspeer.ArgumentError):
            wspeer.godot.decode_call(b"nothing")
