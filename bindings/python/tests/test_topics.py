"""Topics against a model of sets: who receives what, once and in order, whatever happens to links and players."""

from __future__ import annotations

import random
import time
import unittest
from collections import defaultdict, deque
from typing import Any

from talk import LOCAL, event_of, served, until

import wspeer
from wspeer import EventType, State

ROOMS = [f"room {number}" for number in range(6)] + ["κόσμε", "x" * 255]
KEYS = 4
PLAYERS = 12
STEPS = 3000


class Player:
    """A client, what it has to receive, and what may be left out because something newer takes its place."""

    def __init__(self, client: wspeer.Peer, conn: wspeer.Peer) -> None:
        self.client, self.conn = client, conn
        self.expected: deque[str] = deque()
        self.latest: dict[int, list[int]] = defaultdict(list)
        """What was published of each key and has not come, nor anything newer."""
        self.replaceable = 0
        """Number of such messages that were published to it, less those that came."""

    def take(self, message: str) -> None:
        word, _, rest = message.partition(" ")
        if word != "latest":
            assert self.expected, f"nobody sent this: {message[:50]}"
            assert message == self.expected.popleft(), message[:50]
            return
        key, number = (int(part) for part in rest.split()[:2])
        waiting = self.latest[key]
        assert number in waiting, f"{number} of key {key} came twice, out of order or to the wrong player: {waiting}"
        # Those before it were replaced.
        del waiting[: waiting.index(number) + 1]
        self.replaceable -= 1

    @property
    def is_settled(self) -> bool:
        return not self.expected and not any(self.latest.values())


class Game:
    """A server, its players, and the reference: which players are in which room."""

    def __init__(self, seed: int, **config: Any) -> None:
        self.random = random.Random(seed)
        self.config = config
        self.server = wspeer.listen(LOCAL, heartbeat_ms=wspeer.OFF, **config)
        self.players: list[Player] = []
        self.rooms: dict[str, set[Player]] = defaultdict(set)
        self.leaving: list[wspeer.Peer] = []
        self.published = 0
        self.count = {"cuts": 0, "losses": 0, "latest": 0, "messages": 0}

    def enter(self) -> None:
        client = wspeer.connect(self.server.url, retry_min_ms=1, retry_max_ms=20, **self.config)
        conn: list[wspeer.Peer] = []
        limit = time.monotonic() + 20
        while not (conn and client.state == State.OPEN):
            conn += [event.peer for event in self.step() if event.type == EventType.CONNECTED]
            client.poll()
            assert time.monotonic() < limit
        self.players.append(Player(client, conn[0]))

    def leave(self, player: Player) -> None:
        """What is under way to it may be lost."""
        self.players.remove(player)
        for members in self.rooms.values():
            members.discard(player)
        player.client.close(4000)
        self.leaving.append(player.client)

    def step(self) -> list[wspeer.Event]:
        """Polls all ends, and compares what comes. Returns the server's events."""
        self.server.poll()
        events = self.server.events()
        for player in self.players:
            player.client.poll()
            for event in player.client.events():
                if event.type == EventType.MESSAGE:
                    player.take(event.text)
                self.count["losses"] += event.type == EventType.LOST
                assert event.type != EventType.CLOSED, event
        for client in self.leaving[:]:
            client.poll()
            if client.state == State.CLOSED:
                client.free()
                self.leaving.remove(client)
        return events

    def settle(self) -> None:
        limit = time.monotonic() + 30
        while not all(player.is_settled for player in self.players) or self.leaving:
            self.step()
            left = [(len(player.expected), dict(player.latest)) for player in self.players]
            assert time.monotonic() < limit, left

    def act(self) -> None:
        draw = self.random
        room, player = draw.choice(ROOMS), draw.choice(self.players)
        self.published += 1
        message = f"{self.published} {room} " + "." * draw.choice((0, 3, 100, 3000))
        what = draw.random()
        if what < 0.25:
            player.conn.subscribe(room)
            self.rooms[room].add(player)
        elif what < 0.35:
            player.conn.unsubscribe(room)
            self.rooms[room].discard(player)
        elif what < 0.37:
            player.conn.unsubscribe()
            for members in self.rooms.values():
                members.discard(player)
        elif what < 0.6:
            but = draw.choice([None, None, player])
            assert self.server.publish(room, message, but=but.conn if but else 0)
            for member in self.rooms[room] - {but}:
                member.expected.append(message)
        elif what < 0.75:
            but, key = draw.choice([None, None, player]), draw.randrange(KEYS)
            text = f"latest {key} {self.published} " + "." * draw.choice((0, 50, 1000))
            assert self.server.publish_latest(room, key, text, but=but.conn if but else 0)
            for member in self.rooms[room] - {but}:
                member.latest[key].append(self.published)
                member.replaceable += 1
                self.count["latest"] += 1
        elif what < 0.8:
            assert self.server.send(message)
            for each in self.players:
                each.expected.append(message)
        elif what < 0.85:
            player.conn.send(message)
            player.expected.append(message)
        elif what < 0.87 and len(self.players) > PLAYERS // 2:
            self.leave(player)
        elif what < 0.89 and len(self.players) < PLAYERS:
            self.enter()
        elif what < 0.91 and self.config.get("session_ms"):
            player.client.set_sim(wspeer.Sim(down_cut_bytes=draw.randint(1, 3000)))
            self.count["cuts"] += 1
        else:
            self.step()

    def play(self) -> None:
        for _ in range(PLAYERS):
            self.enter()
        for step in range(STEPS):
            self.act()
            if step % 50 == 0:
                for player in self.players:
                    rooms = sorted(room for room, members in self.rooms.items() if player in members)
                    assert sorted(player.conn.topics()) == rooms
        self.settle()
        # A player that has left is gone with the poll that follows its DISCONNECTED.
        rooms = sorted(room for room, members in self.rooms.items() if members)
        until(lambda: self.step() is not None and sorted(self.server.topics()) == rooms)
        stats = self.server.stats()
        for player in self.players:
            assert player.conn.stats().replaced == player.replaceable
        assert stats.topics == len(rooms)
        assert stats.subscriptions == sum(len(members) for members in self.rooms.values())
        self.end()

    def end(self) -> None:
        for player in self.players:
            player.client.free()
        for client in self.leaving:
            client.free()
        self.server.free()


class TestTopics(unittest.TestCase):
    def test_everybody_gets_what_the_model_says(self) -> None:
        counts: dict[str, int] = defaultdict(int)
        began = time.monotonic()
        for seed in range(6):
            config: dict[str, Any] = {"session_ms": 60_000} if seed % 3 else {}
            if seed % 2:
                config.update(deflate=True)
            if seed == 4:
                config.update(coalesce=True)
            with self.subTest(seed=seed, **config):
                game = Game(seed, **config)
                game.play()
                for name, count in game.count.items():
                    counts[name] += count
        self.assertGreater(counts["losses"], 0)
        print(
            f"figure: python: topics: {counts['latest']} of what newer ones replace over {counts['losses']} lost links "
            f"in {time.monotonic() - began:.1f} s",
            flush=True,
        )

    def test_a_subscription_counts_from_one_call_to_the_next(self) -> None:
        server, client, conn = served()
        with server, client:
            server.publish("a", "too early")
            conn.subscribe("a")
            server.publish("a", "one")
            conn.unsubscribe("a")
            server.publish("a", "too late")
            conn.subscribe("a")
            conn.subscribe("a")
            server.publish("a", "two")
            conn.unsubscribe()
            server.publish("a", "too late again")
            server.send("end")
            got = [event_of(EventType.MESSAGE, client, server).text for _ in range(3)]
            self.assertEqual(got, ["one", "two", "end"])
            self.assertEqual((server.topics(), conn.topics()), ([], []))

    def test_nobody_costs_nothing(self) -> None:
        server, client, conn = served()
        with server, client:
            conn.subscribe("a")
            # Until the handshake has left.
            for _ in range(10):
                server.poll()
                client.poll()
            before = server.stats()
            for _ in range(100):
                self.assertTrue(server.publish("b", "x" * 1000))
                self.assertTrue(server.publish_latest("b", 1, "x" * 1000))
                self.assertTrue(server.publish("a", "x" * 1000, but=conn))
            server.poll()
            after = server.stats()
            for name in ("messages_out", "bytes_out", "wire_bytes_out", "queued_packets_out", "queued_bytes_out"):
                self.assertEqual(getattr(before, name), getattr(after, name), name)

    def test_a_player_that_does_not_read_is_disconnected_and_gone(self) -> None:
        server = wspeer.listen(LOCAL, on_full=wspeer.OnFull.DISCONNECT, outbound_packets=1, max_clients=2)
        with server, wspeer.connect(server.url) as reads, wspeer.connect(server.url) as sleeps:
            conns = [event_of(EventType.CONNECTED, server, reads, sleeps).peer for _ in range(2)]
            until(lambda: reads.state == sleeps.state == State.OPEN, server, reads, sleeps)
            for conn in conns:
                conn.subscribe("a")
                conn.subscribe("b")
            big = bytes(300_000)
            got = sent = 0

            def ended() -> list[wspeer.Event]:
                return [event for event in server.events() if event.type == EventType.DISCONNECTED]

            gone: list[wspeer.Event] = []
            limit = time.monotonic() + 20
            while not gone:
                self.assertLess(time.monotonic(), limit)
                server.publish("a", big)
                sent += 1
                while got < sent:
                    server.poll()
                    reads.poll()
                    got += len(reads.packets())
                    gone += ended()
            self.assertEqual(gone[0].cause, wspeer.Cause.FULL)
            away = gone[0].peer
            for call in (lambda: away.send("x"), lambda: away.send_latest(1, "x"), lambda: away.subscribe("c")):
                with self.assertRaises((wspeer.StateError, wspeer.HandleError)):
                    call()
            self.assertTrue(server.publish("a", "still here"))
            self.assertTrue(server.publish_latest("b", 1, "too"))
            texts = [event_of(EventType.MESSAGE, reads, server).text for _ in range(2)]
            self.assertEqual(texts, ["still here", "too"])
            until(lambda: server.stats().subscriptions == 2, server, reads)

    def test_wrong_calls(self) -> None:
        server, client, conn = served(max_topics=1)
        with server, client:
            conn.subscribe("a")
            with self.assertRaises(wspeer.LimitError):
                conn.subscribe("b")
            for topic in ("", "a\nb", "x" * 256):
                for call in (conn.subscribe, conn.unsubscribe, lambda name: server.publish(name, "x")):
                    with self.assertRaises(wspeer.ArgumentError):
                        call(topic)
            with self.assertRaises(wspeer.ArgumentError):
                conn.subscribe("a\0b")
            with self.assertRaises(wspeer.KindError):
                client.subscribe("a")
            with self.assertRaises(wspeer.KindError):
                client.topics()
            with self.assertRaises(TypeError):
                server.publish("a", 5)  # type: ignore[arg-type]
            with self.assertRaises(TypeError):
                server.publish(b"a", "x")  # type: ignore[arg-type]
            for key in (-1, 2**32):
                with self.assertRaises(wspeer.ArgumentError):
                    client.send_latest(key, "x")
            with self.assertRaises(wspeer.TargetError):
                server.send_latest(1, "x", to=77)
            self.assertTrue(server.publish("a", "x", but=12345))

    def test_the_latest_of_each_key(self) -> None:
        server, client, conn = served(coalesce=True)
        with server, client:
            client.options.coalesce = True
            for number in range(3):
                conn.send_latest(1, f"conn {number}")
                server.send_latest(2, f"one {number}", to=conn)
                server.send_latest(3, f"but {number}", but=77)
                client.send_latest(4, f"client {number}")
            server.flush()
            client.flush()
            got = [event_of(EventType.MESSAGE, client, server).text for _ in range(3)]
            self.assertEqual(got, ["conn 2", "one 2", "but 2"])
            self.assertEqual(event_of(EventType.MESSAGE, server, client).text, "client 2")
            self.assertEqual((server.stats().replaced, client.stats().replaced), (6, 2))

    def test_calls_of_a_scene(self) -> None:
        with wspeer.host(LOCAL, scene=True) as host, wspeer.join(host.url, scene=True) as join:
            until(lambda: join.state == State.OPEN, host, join)
            for end in (host, join):
                end.declare_node("/root/Game", "hello")
            # The path is confirmed on first use.
            host.peer(join.peer_id).subscribe("room")
            self.assertTrue(host.publish_call("room", "Game", "hello", 5))
            call = event_of(EventType.MESSAGE, join, host).call
            assert call
            self.assertEqual((call.path, call.method, call.arguments), ("Game", "hello", [5]))
            host.publish("room", b"raw", but=join.peer_id)
            host.send_latest(1, b"here", to=join.peer_id)
            self.assertEqual(event_of(EventType.MESSAGE, join, host).data, b"here")
            join.send_latest(1, b"there", to=1)
            self.assertEqual(event_of(EventType.MESSAGE, host, join).data, b"there")


if __name__ == "__main__":
    unittest.main()
