"""asyncio: nothing blocks the loop, nothing is lost, failures are raised where they are awaited."""

from __future__ import annotations

import asyncio
import socket
import time
import unittest
from typing import Any

from talk import LOCAL

import wspeer
import wspeer.aio
from wspeer import EventType, State

Serving = wspeer.aio.Polled[wspeer.Server]


async def echo(server: Serving) -> None:
    async for event in server.events():
        if event.type == EventType.MESSAGE:
            await server.send(event.message, to=event.peer)


class TestAsyncio(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        asyncio.get_running_loop().set_debug(False)

    async def test_messages_go_and_come_in_order(self) -> None:
        sizes = [0, 1, 125, 126, 65_536, 1 << 20]
        async with wspeer.aio.listen(LOCAL, rate=500) as server:
            task = asyncio.create_task(echo(server))
            async with wspeer.aio.connect(server.endpoint.url, rate=500) as client:
                for size in sizes:
                    await client.send(bytes(size))
                    await client.send("x" * size)
                got: list[Any] = []
                async for packet in client.packets():
                    got.append(packet.message)
                    if len(got) == 2 * len(sizes):
                        break
            self.assertEqual(got, [message for size in sizes for message in (bytes(size), "x" * size)])
        await asyncio.wait_for(task, 5)

    async def test_recv_and_async_for(self) -> None:
        async with wspeer.aio.listen(LOCAL, rate=500) as server:
            task = asyncio.create_task(echo(server))
            async with wspeer.aio.connect(server.endpoint.url, rate=500) as client:
                for data in ("text", b"bytes", "", b""):
                    await client.send(data)
                    self.assertEqual(await asyncio.wait_for(client.recv(), 20), data)
                await client.send(b"one")
                await client.send("two")
                got = []
                async for packet in client:
                    got.append(packet.bytes.decode())
                    if len(got) == 2:
                        break
                self.assertEqual(got, ["one", "two"])
                # Messages that came before the end are still there, then it is told, each time.
                await client.send("last")
                while not client.endpoint.stats().queued_packets_in:
                    await asyncio.sleep(0.001)
                await client.close()
                self.assertEqual(await client.recv(), "last")
                for _ in range(2):
                    with self.assertRaises(wspeer.ConnectionClosed) as closed:
                        await asyncio.wait_for(client.recv(), 20)
                    self.assertNotIsInstance(closed.exception, wspeer.ConnectionFailed)
                    self.assertEqual(closed.exception.code, 1000)
        await asyncio.wait_for(task, 5)

    async def test_recv_of_a_connection_that_fails(self) -> None:
        async with wspeer.aio.listen(LOCAL, rate=500) as server, wspeer.aio.connect(server.endpoint.url) as client:
            while not server.endpoint.clients():
                await asyncio.sleep(0.001)
            waiting = asyncio.create_task(client.recv())
            await asyncio.sleep(0)
            server.endpoint.clients()[0].close(-1)
            with self.assertRaises(wspeer.ConnectionFailed):
                await asyncio.wait_for(waiting, 20)

    async def test_rooms(self) -> None:
        async def room_server(server: Serving) -> None:
            async for event in server.events():
                if event.type == EventType.CONNECTED:
                    event.peer.subscribe(event.peer.path[1:])
                elif event.type == EventType.MESSAGE:
                    self.assertTrue(await server.publish(event.peer.path[1:], event.message, but=event.peer))
                    self.assertTrue(await server.publish_latest("red", 1, "latest"))

        async with wspeer.aio.listen(LOCAL, rate=500) as server:
            task = asyncio.create_task(room_server(server))

            def enter(room: str) -> wspeer.aio.Polled[wspeer.Peer]:
                return wspeer.aio.connect(f"{server.endpoint.url}/{room}", rate=500)

            async with enter("red") as a, enter("red") as b, enter("blue") as c:
                while server.endpoint.stats().subscriptions < 3:
                    await asyncio.sleep(0.001)
                await c.send("to nobody")
                await a.send_latest(1, "to b")
                came: list[str] = []
                while "to b" not in came:
                    came.append((await b.packets().__anext__()).text)
                self.assertLessEqual(set(came), {"latest", "to b"})
                self.assertEqual((await a.packets().__anext__()).text, "latest")
                self.assertEqual(server.endpoint.topics(), ["blue", "red"])
        await asyncio.wait_for(task, 5)

    async def test_another_task_ticks_meanwhile(self) -> None:
        # 80 MB there and back, a name lookup, and a peer that never answers. The delay of the loop is measured as this
        # thread's CPU time between two ticks, so that other programs on the machine do not count.
        held: list[float] = []

        async def tick() -> None:
            while True:
                before = time.thread_time()
                await asyncio.sleep(0.001)
                held.append((time.thread_time() - before) * 1e3)

        with socket.create_server(("127.0.0.1", 0)) as silent:
            async with wspeer.aio.listen(LOCAL, rate=200) as server:
                ticking = asyncio.create_task(tick())
                echoing = asyncio.create_task(echo(server))
                hanging = asyncio.create_task(
                    self.fails(f"ws://127.0.0.1:{silent.getsockname()[1]}", connect_timeout_ms=300),
                )
                nameless = asyncio.create_task(self.fails("ws://name.invalid", connect_timeout_ms=2000))
                got = await asyncio.gather(*(self.flood(server.endpoint.url) for _ in range(2)))
                self.assertEqual((await hanging).cause, wspeer.Cause.CONNECT_TIMEOUT)
                self.assertEqual((await nameless).phase, wspeer.Phase.DNS)
                ticking.cancel()
            await echoing
        self.assertEqual(sum(got), 80_000_000)
        held.sort()
        typical, worst = held[len(held) // 2], held[-1]
        print(
            f"figure: python: asyncio held beside 80 MB: {len(held)} ticks, "
            f"median {typical:.1f} ms, longest {worst:.0f} ms of work between two",
            flush=True,
        )
        self.assertGreater(len(held), 20)
        self.assertLess(typical, 20)
        self.assertLess(worst, 100)

    async def flood(self, url: str) -> int:
        """Sends 40 MB and reads them back; returns the number of received bytes."""
        got = 0
        async with wspeer.aio.connect(url, rate=200) as client:
            sending = asyncio.create_task(self.send_all(client, 400, 100_000))
            async for packet in client.packets():
                got += len(packet.data)
                if got == 40_000_000:
                    break
            await sending
        return got

    async def fails(self, url: str, **config: Any) -> wspeer.ConnectionFailed:
        with self.assertRaises(wspeer.ConnectionFailed) as caught:
            async with wspeer.aio.connect(url, **config):
                self.fail("it opened")
        return caught.exception

    async def test_a_lost_link_is_opened_anew(self) -> None:
        settings: Any = {"rate": 500, "reconnect": True, "retry_min_ms": 1, "retry_max_ms": 5}
        async with wspeer.aio.listen(LOCAL, rate=500) as server:
            echoing = asyncio.create_task(echo(server))
            async with wspeer.aio.connect(server.endpoint.url, **settings) as client:
                # From the next try on: at LOST it may have begun already, as another task polls.
                client.endpoint.set_url(server.endpoint.url + "?token=2")
                client.endpoint.set_header("X-Token", "2")
                client.endpoint.set_header("X-Token", None)
                await client.send("hello")
                seen: list[EventType] = []
                async for event in client.events():
                    seen.append(event.type)
                    if event.type == EventType.MESSAGE and EventType.LOST not in seen:
                        server.endpoint.disconnect(code=1012)
                    elif event.type == EventType.MESSAGE:
                        break
                    elif event.type == EventType.LOST:
                        self.assertEqual((event.code, event.unsent, event.clean), (1012, 0, True))
                    elif event.type == EventType.OPEN and EventType.LOST in seen:
                        await client.send("back")
                self.assertEqual(client.endpoint.query, "token=2")
        await echoing
        kinds = [kind for kind in seen if kind != EventType.ERROR]
        one = [EventType.OPEN, EventType.MESSAGE]
        self.assertEqual(kinds, [*one, EventType.CLOSE_REQUEST, EventType.LOST, *one])
        with socket.create_server(("127.0.0.1", 0)) as held:
            url = f"ws://127.0.0.1:{held.getsockname()[1]}"
        failure = await self.fails(url, **settings, retry_tries=3)
        self.assertEqual(failure.cause, wspeer.Cause.REFUSED)
        self.assertIn("try 3 of 3", failure.sentence)

    async def test_the_rate_is_kept(self) -> None:
        with wspeer.listen(LOCAL) as server:
            polls = 0

            class Counted:
                state = State.OPEN

                def poll(self) -> bool:
                    nonlocal polls
                    polls += 1
                    return server.poll()

                def events(self, limit: int | None = None) -> list[wspeer.Event]:
                    return server.events(limit)

                def __exit__(self, *_: object) -> None:
                    self.state = State.CLOSED

                def close(self, *_: object) -> None:
                    self.state = State.CLOSED

            async with wspeer.aio.Polled(Counted(), rate=50):  # type: ignore[type-var]
                await asyncio.sleep(1)
                self.assertTrue(20 <= polls <= 52, polls)

    async def test_failures_are_raised_with_phase_code_and_sentence(self) -> None:
        failed = await self.fails("ws://127.0.0.1:1")
        self.assertEqual((failed.phase, failed.code, failed.cause), (wspeer.Phase.TCP, 1006, wspeer.Cause.REFUSED))
        self.assertIn("nothing listens there", failed.sentence)
        with self.assertRaises(wspeer.UrlError):
            wspeer.aio.connect("nothing")
        for rate in (0, -1, 20_000, float("nan")):
            with self.assertRaises(wspeer.ArgumentError):
                wspeer.aio.listen(LOCAL, rate=rate)

    async def test_a_bad_end_is_raised_to_the_reader(self) -> None:
        async with (
            wspeer.aio.listen(LOCAL, rate=500) as server,
            wspeer.aio.connect(server.endpoint.url, rate=500, queue_before_open=True) as client,
        ):
            await client.send("hello")
            async for packet in server.packets():
                packet.peer.close(-1)
                break
            with self.assertRaises(wspeer.ConnectionFailed) as caught:
                async for _ in client.packets():
                    self.fail("nothing was sent")
            self.assertEqual(caught.exception.code, 1006)
            with self.assertRaises(wspeer.StateError):
                await client.send("late")

    async def test_a_loop_that_was_left_goes_on_where_it_was(self) -> None:
        async with (
            wspeer.aio.listen(LOCAL, rate=500) as server,
            wspeer.aio.connect(server.endpoint.url, rate=500) as client,
        ):
            async for event in server.events():
                self.assertEqual(event.type, EventType.CONNECTED)
                break
            for number in range(300):
                await client.send(str(number))
            got: list[str] = []
            while len(got) < 300:
                async for packet in server.packets():
                    got.append(packet.text)
                    if len(got) % 7 == 0 or len(got) == 300:
                        break
            self.assertEqual(got, [str(number) for number in range(300)])

    async def test_a_disconnected_client_is_heard_no_more(self) -> None:
        games = (wspeer.aio.listen, wspeer.aio.connect, "conn"), (wspeer.aio.host, wspeer.aio.join, "peer_id")
        for listen, connect, source in games:
            async with listen(LOCAL, rate=500) as server:
                url = server.endpoint.url
                async with connect(url, rate=500) as one, connect(url, rate=500) as other:
                    for client in (one, other):
                        for _ in range(20):
                            await client.send(b"move")
                    while server.endpoint.stats().messages_in < 40:
                        await asyncio.sleep(0.001)
                    heard: list[int] = []
                    gone: list[int] = []
                    async for event in server.events():
                        if event.type == EventType.MESSAGE:
                            heard.append(getattr(event, source))
                            if len(heard) == 1:
                                server.endpoint.disconnect(heard[0])
                        elif event.type == EventType.DISCONNECTED:
                            gone.append(getattr(event, source))
                        if gone and len(heard) >= 21:
                            break
                    self.assertEqual((gone, heard.count(heard[0])), (heard[:1], 1))

    async def test_close_waits_until_all_has_left(self) -> None:
        async with (
            wspeer.aio.listen(LOCAL, rate=500) as server,
            wspeer.aio.connect(server.endpoint.url, rate=500) as client,
        ):
            for _ in range(30):
                await client.send(bytes(100_000))
            got = 0
            closing = asyncio.create_task(client.close(4000, "done"))
            async for event in server.events():
                got += event.type == EventType.MESSAGE
                if event.type == EventType.DISCONNECTED:
                    self.assertEqual((event.code, event.clean), (4000, True))
                    break
            await closing
            ends = [event async for event in client.events() if event.type == EventType.CLOSED]
            self.assertEqual((got, ends[0].unsent), (30, 0))

    async def test_a_full_queue_is_waited_for(self) -> None:
        async with (
            wspeer.aio.listen(LOCAL, rate=500) as server,
            wspeer.aio.connect(server.endpoint.url, rate=500, outbound_packets=2) as client,
        ):
            sending = asyncio.create_task(self.send_all(client, 100, 50_000))
            got = 0
            async for _ in server.packets():
                got += 1
                if got == 100:
                    break
            await sending

    async def send_all(self, client: wspeer.aio.Polled[wspeer.Peer], count: int, size: int) -> None:
        for _ in range(count):
            await client.send(bytes(size))

    async def test_an_exception_or_a_cancel_ends_it_at_once(self) -> None:
        async with wspeer.aio.listen(LOCAL, rate=500) as server:
            with self.assertRaisesRegex(RuntimeError, "mine"):
                async with wspeer.aio.connect(server.endpoint.url, rate=500) as client:
                    raise RuntimeError("mine")
            with self.assertRaises(wspeer.HandleError):
                client.endpoint.poll()

            async def wait_long() -> None:
                async with wspeer.aio.connect(server.endpoint.url, rate=500) as other:
                    await other.send("I am open")
                    async for _ in other.packets():
                        pass

            task = asyncio.create_task(wait_long())
            codes = []
            async for event in server.events():
                if event.type == EventType.DISCONNECTED:
                    codes.append(event.code)
                elif event.type == EventType.MESSAGE:
                    task.cancel()
                if len(codes) == 2:
                    break
            self.assertEqual(codes, [1011, 1011])
            with self.assertRaises(asyncio.CancelledError):
                await task

    async def test_readers_in_other_tasks_see_the_end(self) -> None:
        async with wspeer.aio.listen(LOCAL, rate=500) as server:
            reader = asyncio.create_task(self.read_types(server))
            async with wspeer.aio.connect(server.endpoint.url, rate=500):
                pass
        types = await asyncio.wait_for(reader, 5)
        self.assertEqual(types[0], EventType.CONNECTED)
        self.assertEqual(types[-2:], [EventType.DISCONNECTED, EventType.CLOSED])

    async def read_types(self, server: Serving) -> list[EventType]:
        return [event.type async for event in server.events()]

    async def test_without_async_with_it_is_told(self) -> None:
        client = wspeer.aio.connect("ws://127.0.0.1:1")
        with self.assertRaisesRegex(RuntimeError, "async with"):
            async for _ in client.events():
                pass
        client.endpoint.free()

    async def test_a_game(self) -> None:
        async with wspeer.aio.host(LOCAL, rate=500) as host, wspeer.aio.join(host.endpoint.url, rate=500) as player:
            self.assertGreater(player.endpoint.peer_id, 1)
            await player.send("to the host")
            async for packet in host.packets():
                self.assertEqual((packet.text, packet.peer_id), ("to the host", player.endpoint.peer_id))
                await host.send(b"back", to=packet.peer_id)
                break
            async for packet in player.packets():
                self.assertEqual((packet.data, packet.peer_id), (b"back", 1))
                break
