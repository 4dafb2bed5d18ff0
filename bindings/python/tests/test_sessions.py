"""Sessions: a relay cuts the link, and every message arrives once, under asyncio and without."""

from __future__ import annotations

import asyncio
import contextlib
import unittest
from typing import Any

from talk import LOCAL

import wspeer
from wspeer import EventType, State
from wspeer.aio import Polled, connect, listen

KEEPS: Any = {"rate": 500, "session_ms": 60_000}
RETRIES: Any = {"retry_min_ms": 1, "retry_max_ms": 20, "retry_tries": wspeer.OFF}


class Relay:
    """Forwards connections to a port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._is_cut = False
        self._writers: list[asyncio.StreamWriter] = []
        self._links: list[asyncio.Future[Any]] = []

    async def __aenter__(self) -> Relay:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        self._server.close()
        await asyncio.gather(*self._links)

    def cut(self) -> None:
        """Ends all links, and every new one until mend()."""
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def mend(self) -> None:
        self._is_cut = False

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, far_writer]
        link = asyncio.gather(self._forward(reader, far_writer), self._forward(far_reader, writer))
        self._links.append(link)
        await link

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()


async def until(polled: Polled[Any], kind: EventType) -> wspeer.Event:
    async for event in polled.events():
        if event.type == kind:
            return event
    raise AssertionError(f"it ended before {kind.name}")


class TestSessions(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        asyncio.get_running_loop().set_debug(False)

    async def test_a_lost_link_loses_nothing(self) -> None:
        async with listen(LOCAL, **KEEPS, node="node-1") as server, Relay(server.endpoint.options.port) as relay:
            async with connect(relay.url, **KEEPS, **RETRIES) as client:
                seat = (await until(server, EventType.CONNECTED)).peer
                relay.cut()
                lost = await until(client, EventType.LOST)
                self.assertEqual((lost.unsent, lost.cause), (0, wspeer.Cause.PEER_GONE))
                self.assertIs((await until(server, EventType.LOST)).peer, seat)
                self.assertEqual((client.endpoint.state, seat.state), (State.LOST, State.LOST))
                self.assertEqual((server.endpoint.stats().lost, server.endpoint.stats().losses), (1, 1))
                for number in range(3):
                    await client.send(f"up {number}")
                    await server.send(f"down {number}", to=seat)
                relay.mend()
                resumed = await until(server, EventType.RESUMED)
                self.assertEqual((resumed.count, resumed.peer), (0, seat))
                for polled, word in ((server, "up"), (client, "down")):
                    got = []
                    async for packet in polled.packets():
                        got.append(packet.text)
                        if len(got) == 3:
                            break
                    self.assertEqual(got, [f"{word} {number}" for number in range(3)])
                self.assertEqual((client.endpoint.state, seat.state), (State.OPEN, State.OPEN))
                self.assertEqual(client.endpoint.stats().resumed, 1)
            self.assertEqual((await until(server, EventType.DISCONNECTED)).unsent, 0)

    async def test_a_hint_of_another_network_moves_the_session(self) -> None:
        async with listen(LOCAL, **KEEPS) as server, connect(server.endpoint.url, **KEEPS, **RETRIES) as client:
            client.endpoint.hint(wspeer.Hint.NETWORK_CHANGED)
            await client.send("moved")
            await until(client, EventType.RESUMED)
            self.assertEqual((await until(server, EventType.MESSAGE)).text, "moved")
            with self.assertRaises(wspeer.ArgumentError):
                client.endpoint.hint(9)

    async def test_a_drained_server_sends_its_clients_away(self) -> None:
        async with listen(LOCAL, rate=500) as server, connect(server.endpoint.url, rate=500) as client:
            await server.send("last")
            server.endpoint.drain(5_000)
            self.assertEqual((await until(client, EventType.MESSAGE)).text, "last")
            self.assertEqual((await until(client, EventType.CLOSED)).code, 1012)
            await until(server, EventType.CLOSED)

    async def test_a_server_without_sessions_is_reported(self) -> None:
        async with listen(LOCAL, rate=500) as server, connect(server.endpoint.url, **KEEPS) as client:
            self.assertEqual((await until(client, EventType.ERROR)).cause, wspeer.Cause.SESSION)
            await client.send("without")
            self.assertEqual((await until(server, EventType.MESSAGE)).text, "without")


if __name__ == "__main__":
    unittest.main()
