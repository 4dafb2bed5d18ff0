"""send_many(): several messages in one call."""

from __future__ import annotations

import unittest

from talk import event_of, open_pair, served, until

import wspeer
from wspeer import EventType


class TestMany(unittest.TestCase):
    def test_all_arrive_in_order_with_their_types(self) -> None:
        one, other = open_pair()
        self.assertEqual(one.send_many(["κόσμε", b"bytes", bytearray(b"more"), ""]), 4)
        self.assertEqual(one.send_many(str(index) for index in range(1000)), 1000)
        self.assertEqual(one.send_many([]), 0)
        self.assertEqual(one.send_many([b"text"], text=True), 1)
        other.poll()
        got = [packet.message for packet in other.packets()]
        self.assertEqual(got[:4], ["κόσμε", b"bytes", b"more", ""])
        self.assertEqual(got[4:], [*map(str, range(1000)), "text"])

    def test_a_full_queue_ends_the_list(self) -> None:
        one, other = open_pair(coalesce=True, outbound_packets=3)
        self.assertEqual(one.send_many(["a", "b", "c", "d", "e"]), 3)
        self.assertEqual(one.send_many(["d", "e"]), 0)
        event_of(EventType.WRITABLE, one, other)
        self.assertEqual(one.send_many(["d", "e"]), 2)
        one.flush()
        got: list[object] = []
        until(lambda: got.extend(packet.message for packet in other.packets()) or len(got) == 5, one, other)
        self.assertEqual(got, ["a", "b", "c", "d", "e"])

    def test_what_is_wrong_raises(self) -> None:
        one, other = open_pair(max_message_bytes=5)
        with self.assertRaises(wspeer.TooBig) as refused:
            one.send_many(["a", "b", "too long", "c"])
        self.assertEqual(refused.exception.taken, 2)
        with self.assertRaises(wspeer.TextError) as refused_text:
            one.send_many([b"a", b"\xff"], text=True)
        self.assertEqual(refused_text.exception.taken, 1)
        with self.assertRaises(TypeError):
            one.send_many(["never sent", 5])  # type: ignore[list-item]
        other.poll()
        self.assertEqual([packet.message for packet in other.packets()], ["a", "b", "a"])
        one.free()
        with self.assertRaises(wspeer.HandleError):
            one.send_many(["x"])

    def test_a_server_reaches_each_client(self) -> None:
        server, first, conn = served()
        second = wspeer.connect(server.url)
        event_of(EventType.OPEN, second, server)
        self.assertEqual(server.send_many([(conn, "one"), (0, b"all"), (-conn.handle, "other")]), 3)
        got: dict[wspeer.Peer, list[object]] = {first: [], second: []}

        def read() -> bool:
            for peer, seen in got.items():
                seen.extend(packet.message for packet in peer.packets())
            return all(len(seen) == 2 for seen in got.values())

        until(read, server, first, second)
        self.assertEqual([*got.values()], [["one", b"all"], [b"all", "other"]])
        with self.assertRaises(wspeer.TargetError) as refused:
            server.send_many([(0, "all"), (12345, "nobody"), (0, "never")])
        self.assertEqual(refused.exception.taken, 1)

    def test_a_player_reaches_the_host(self) -> None:
        host = wspeer.host("ws://127.0.0.1:0")
        player = wspeer.join(host.url)
        event_of(EventType.OPEN, player, host)
        self.assertEqual(player.send_many([(0, b"a"), (1, b"b")]), 2)
        got: list[object] = []
        until(lambda: got.extend(packet.message for packet in host.packets()) or len(got) == 2, host, player)
        self.assertEqual(got, [b"a", b"b"])


if __name__ == "__main__":
    unittest.main()
