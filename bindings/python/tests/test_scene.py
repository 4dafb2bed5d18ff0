"""Godot's scene layer: calls, values, authentication."""

from __future__ import annotations

import asyncio
import math
import unittest
from typing import Any, Callable

from talk import LOCAL, event_of, until

import wspeer
import wspeer.aio
from wspeer import CUSTOM_SCENE, EventType, State, Value, VariantType, decode_variant, encode_variant

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


PROPERTIES = [".:a, .:b spawn change", "Body:a spawn"]


class TestReplication(unittest.TestCase):
    def game(self, **config: Any) -> tuple[wspeer.MultiplayerPeer, wspeer.MultiplayerPeer]:
        host = wspeer.host(LOCAL, scene=True, **config)
        self.addCleanup(host.free)
        player = wspeer.join(host.url, scene=True, **config)
        self.addCleanup(player.free)
        for one in (host, player):
            one.declare_scene("/root/Spawner", 1, 0, PROPERTIES)
            one.declare_scene("Spawner", 1, CUSTOM_SCENE, "")
        until(lambda: player.state == State.OPEN, host, player)
        return host, player

    def test_nodes_come_with_their_properties(self) -> None:
        host, player = self.game()
        values = {".:a": [1, {"k": "x"}], ".:b": Value(VariantType.VECTOR2, (1.0, 2.0)), "Body:a": b"\1\2"}
        node = host.spawn("Spawner", 0, "Mob", values)
        heard = event_of(EventType.SPAWN, player, host)
        self.assertEqual(heard.nodes, [wspeer.Replicated("Spawner", "Mob", node, 0, None, values)])
        self.assertEqual((heard.peer_id, heard.call, heard.is_text, heard.is_replication), (1, None, False, False))
        self.assertIn("SPAWN", repr(heard))
        self.assertEqual(event_of(EventType.SYNC, player, host).nodes[0].properties, {".:b": values[".:b"]})
        host.sync(node, {".:a": 7})
        heard = event_of(EventType.SYNC, player, host)
        self.assertEqual(heard.nodes, [wspeer.Replicated("Spawner", "", node, 0, None, {".:a": 7})])
        host.despawn(node)
        gone = event_of(EventType.DESPAWN, player, host)
        self.assertEqual(gone.nodes, [wspeer.Replicated("Spawner", "", node, 0, None, {})])

    def test_data_and_visibility(self) -> None:
        host, player = self.game()
        data = [[number, "text"] for number in range(100)]
        node = host.spawn("Spawner", CUSTOM_SCENE, "Item", data=data)
        heard = event_of(EventType.SPAWN, player, host)
        self.assertEqual(heard.nodes, [wspeer.Replicated("Spawner", "Item", node, CUSTOM_SCENE, data, {})])
        host.set_visible(node, False)
        event_of(EventType.DESPAWN, player, host)
        host.set_visible(node, True, player.peer_id)
        event_of(EventType.SPAWN, player, host)
        host.spawn("Spawner", CUSTOM_SCENE, "Nothing")
        self.assertIsNone(event_of(EventType.SPAWN, player, host).nodes[0].data)

    def test_a_synchronizer_by_its_path(self) -> None:
        host, player = self.game()
        node = host.declare_synchronizer("Clock", 0, ["time spawn change", "day"])
        self.assertGreater(node, 0)
        self.assertEqual(player.declare_synchronizer("/root/Clock", 1, "time spawn change, day"), 0)
        host.sync(node, {"time": 5})
        heard = event_of(EventType.SYNC, player, host).nodes
        self.assertEqual(heard, [wspeer.Replicated("Clock", "", node, None, None, {"time": 5})])
        host.declare_synchronizer("Clock", 0, None)
        with self.assertRaises(wspeer.ArgumentError):
            host.sync(node, {"time": 5})

    def test_packets_and_loans(self) -> None:
        host, player = self.game()
        host.spawn("Spawner", CUSTOM_SCENE, "Item", data="x" * 5000)
        packet = until(lambda: player.packets(limit=1, lend=True), host, player)[0]
        self.assertIsInstance(packet.data, memoryview)
        self.assertEqual(packet.nodes[0].data, "x" * 5000)
        host.spawn("Spawner", CUSTOM_SCENE, "Item2", data="y")
        until(lambda: player.available, host, player)
        events = [event for event in player.events(lend=True) if event.type == EventType.SPAWN]
        self.assertEqual(events[0].nodes[0].data, "y")
        self.assertEqual(player.packets(), [])

    def test_raw_packets(self) -> None:
        host, player = self.game_of_raw()
        host.send_replication(b"\5\1\0\0\0")
        heard = event_of(EventType.MESSAGE, player, host)
        self.assertEqual((heard.data, heard.is_replication, heard.nodes, heard.call), (b"\5\1\0\0\0", True, [], None))
        player.send_replication(bytearray(b"\5\2\0\0\0"), to=1)
        self.assertEqual(event_of(EventType.MESSAGE, host, player).data, b"\5\2\0\0\0")
        with self.assertRaises(wspeer.KindError):
            host.declare_scene("Spawner", 0, 0, "")

    def game_of_raw(self) -> tuple[wspeer.MultiplayerPeer, wspeer.MultiplayerPeer]:
        host = wspeer.host(LOCAL, scene=True, raw_replication=True)
        self.addCleanup(host.free)
        player = wspeer.join(host.url, scene=True, raw_replication=True)
        self.addCleanup(player.free)
        until(lambda: player.state == State.OPEN, host, player)
        return host, player

    def test_bad_input_is_told(self) -> None:
        host, _ = self.game()
        node = host.spawn("Spawner", CUSTOM_SCENE, "Item")
        odd: Any = {5: 1}
        bad: list[tuple[type[Exception], Callable[[], Any]]] = [
            (wspeer.ArgumentError, lambda: host.declare_scene("", 0, 0, "")),
            (wspeer.ArgumentError, lambda: host.declare_scene("Spawner", 1, 0, "other")),
            (wspeer.ArgumentError, lambda: host.declare_scene("Spawner", 1, 256, "")),
            (wspeer.ArgumentError, lambda: host.declare_scene("Spawner", 1, -1, "")),
            (wspeer.ArgumentError, lambda: host.declare_scene("a\0b", 1, 0, "")),
            (wspeer.ArgumentError, lambda: host.declare_scene("Nobody", 1, 0, None)),
            (TypeError, lambda: host.declare_scene("Spawner", 1, "0", "")),  # type: ignore[arg-type]
            (wspeer.ArgumentError, lambda: host.declare_synchronizer("Nobody", 1, None)),
            (wspeer.ArgumentError, lambda: host.spawn("Nobody", 0, "Mob")),
            (wspeer.ArgumentError, lambda: host.spawn("Spawner", 0, "Mob", {".:a": 1})),
            (wspeer.ArgumentError, lambda: host.spawn("Spawner", 0, "Mob", {".:c": 1})),
            (wspeer.ArgumentError, lambda: host.spawn("Spawner", 0, "Mob", {}, data=1)),
            (wspeer.ArgumentError, lambda: host.spawn("Spawner", CUSTOM_SCENE, "Mob", odd)),
            (wspeer.ArgumentError, lambda: host.spawn("Spawner", CUSTOM_SCENE, "a/b")),
            (wspeer.ArgumentError, lambda: host.spawn("Spawner", CUSTOM_SCENE, "Mob", data=2**63)),
            (TypeError, lambda: host.spawn("Spawner", CUSTOM_SCENE, "Mob", data=object())),
            (TypeError, lambda: host.spawn("Spawner", CUSTOM_SCENE, "Mob", [".:a", 1])),  # type: ignore[arg-type]
            (TypeError, lambda: host.sync(node, 5)),  # type: ignore[arg-type]
            (wspeer.ArgumentError, lambda: host.sync(99, {})),
            (wspeer.ArgumentError, lambda: host.sync(-1, {})),
            (wspeer.ArgumentError, lambda: host.sync(node, {".:a": 1})),
            (wspeer.ArgumentError, lambda: host.despawn(99)),
            (wspeer.TargetError, lambda: host.set_visible(node, True, 99)),
            (wspeer.ArgumentError, lambda: host.send_replication(b"hello")),
            (wspeer.TargetError, lambda: host.send_replication(b"\5\1\0\0\0", to=99)),
            (TypeError, lambda: host.send_replication("text")),  # type: ignore[arg-type]
            (wspeer.ArgumentError, lambda: wspeer.godot.decode_replication(b"nothing")),
            (wspeer.ArgumentError, lambda: wspeer.godot.decode_replication(b"")),
        ]
        for kind, call in bad:
            with self.assertRaises(kind) as caught:
                call()
            self.assertGreater(len(str(caught.exception)), 10)

    def test_asyncio_hands_nodes_out_as_packets(self) -> None:
        async def play() -> None:
            async with wspeer.aio.host(LOCAL, rate=500, scene=True) as host:
                host.endpoint.declare_scene("Spawner", 1, CUSTOM_SCENE, "")
                host.endpoint.spawn("Spawner", CUSTOM_SCENE, "Item", data="there")
                player = wspeer.aio.join(host.endpoint.url, rate=500, scene=True)
                player.endpoint.declare_scene("Spawner", 1, CUSTOM_SCENE, "")
                async with player:
                    async for packet in player.packets():
                        self.assertEqual([node.data for node in packet.nodes], ["there"])
                        break

        asyncio.run(asyncio.wait_for(play(), 30))
