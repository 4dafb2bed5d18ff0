"""wspeer for asyncio: a task polls at a chosen rate, and nothing blocks the event loop.

async with wspeer.aio.connect("ws://127.0.0.1:9080") as ws:
    await ws.send("hello")
    async for packet in ws.packets():
        print(packet.text)
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from wspeer import opening
from wspeer.codes import EventType, State
from wspeer.config_args import ConfigArgs
from wspeer.endpoint import MESSAGES, Data, Endpoint, Event, Packet, Peer
from wspeer.errors import ArgumentError, CallFailed, ConnectionClosed, ConnectionFailed, QueueFull, StateError
from wspeer.server import MultiplayerPeer, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType

    from typing_extensions import Self, Unpack

E = TypeVar("E", bound=Endpoint)

_BATCH = 32
_SLICE = 0.001


class Polled(Generic[E]):
    """An endpoint that a task polls `rate` times a second inside `async with`. Entering waits until a client is open,
    and raises ConnectionFailed if it cannot be opened. Leaving calls close() and waits; after an exception it closes
    with code 1011 and does not wait. Then the endpoint is freed.

    Call methods that do not wait on `.endpoint`, such as state, stats() and clients(), or on a client of it, such as
    subscribe(); take events and packets here."""

    def __init__(self, endpoint: E, rate: float = 60) -> None:
        if not 0 < rate <= 10_000:
            endpoint.free()
            raise ArgumentError(f"rate is {rate}: give how many polls a second, above 0 and up to 10000")
        self.endpoint = endpoint
        self._period = 1 / rate
        self._pending: deque[Event] = deque()
        endpoint._ahead = self._pending
        self._task: asyncio.Task[None] | None = None
        self._turn: asyncio.Future[None] | None = None
        self._ended = False
        self._last: Event | None = None
        self._slice_ends = 0.0

    async def __aenter__(self) -> Self:
        self._turn = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._poll())
        try:
            await self._opened()
        except BaseException as error:
            await self.__aexit__(type(error), error, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                await self.close()
        except BaseException as failure:
            kind = type(failure)
            raise
        finally:
            self._end(kind)

    async def events(self) -> AsyncIterator[Event]:
        """Yields all events in order; the last is CLOSED. A loop that ends early leaves the other events to the next
        loop."""
        while (event := await self._next_event()) is not None:
            yield event
            if event.type == EventType.CLOSED:
                return
            await self._give_way()

    async def _next_event(self) -> Event | None:
        while not self._pending:
            if self._ended:
                return None
            over = self._over()
            self._pending.extend(self.endpoint.events(limit=_BATCH))
            if not self._pending:
                if over:
                    return None
                await self._next_turn()
        event = self._pending.popleft()
        if event.type == EventType.CLOSED:
            self._last = event
        return event

    async def packets(self) -> AsyncIterator[Packet]:
        """Yields the messages, also SPAWN, DESPAWN and SYNC, and skips other events, LOST and RESUMED too. Ends after a
        clean close, else raises ConnectionFailed."""
        async for event in self.events():
            if event.type in MESSAGES:
                yield event
            elif event.type == EventType.CLOSED:
                event.raise_if_failed()

    def __aiter__(self) -> AsyncIterator[Packet]:
        """As packets(): `async for packet in ws`."""
        return self.packets()

    async def recv(self) -> str | bytes:
        """Waits for the next message, and returns a str for a text message, else bytes. Skips other events. When the
        connection has ended it raises ConnectionClosed, which is a ConnectionFailed if that was not clean."""
        while True:
            event = await self._next_event()
            if event is not None and event.type in MESSAGES:
                await self._give_way()
                return event.text if event.is_text else event.bytes
            if event is None or event.type == EventType.CLOSED:
                if self._last is None:
                    raise StateError("there is no message, and the end was taken already: it was freed")
                self._last.raise_if_failed()
                raise ConnectionClosed(self._last)

    async def send(self, data: Data, **where: Any) -> bool:
        """The endpoint's send(), with the same arguments, but waits while the queue is full. With session_ms it accepts
        messages while the link is lost, as the others do; with reconnect=True alone it raises StateError then."""
        return await self._put("send", data, **where)

    async def send_latest(self, key: int, data: Data, **where: Any) -> bool:
        """The endpoint's send_latest(), but waits as send() does."""
        return await self._put("send_latest", key, data, **where)

    async def publish(self, topic: str, data: Data, **where: Any) -> bool:
        """The publish() of a server or host, but waits as send() does."""
        return await self._put("publish", topic, data, **where)

    async def publish_latest(self, topic: str, key: int, data: Data, **where: Any) -> bool:
        """The publish_latest() of a server or host, but waits as send() does."""
        return await self._put("publish_latest", topic, key, data, **where)

    async def close(self, code: int = 0, reason: str = "") -> None:
        """Closes, and waits until the queued messages are sent and the peer has answered, or close_timeout_ms is over.
        Events from before can still be read."""
        self.endpoint.close(code, reason)
        while not self._over():
            await self._next_turn()

    async def _put(self, name: str, *what: Any, **where: Any) -> bool:
        put: Any = getattr(self.endpoint, name)
        while True:
            await self._give_way()
            try:
                return put(*what, **where) is not False
            except QueueFull:
                await self._next_turn()

    async def _opened(self) -> None:
        while self.endpoint.state == State.CONNECTING:
            await self._next_turn()
        if self.endpoint.state == State.CLOSED:
            self._pending.extend(self.endpoint.events())
            # With reconnect=True, ERROR events about failed tries may precede CLOSED.
            if self._pending and all(event.type != EventType.OPEN for event in self._pending):
                raise ConnectionFailed(self._pending[-1])

    def _end(self, kind: type[BaseException] | None) -> None:
        self._ended = True
        if self._task is not None:
            self._task.cancel()
        with contextlib.suppress(CallFailed):
            # Tasks that are still reading can take the remaining events.
            self._pending.extend(self.endpoint.events())
        self.endpoint.__exit__(kind, None, None)

    def _over(self) -> bool:
        return self._ended or self.endpoint.state == State.CLOSED

    async def _give_way(self) -> None:
        """Lets other tasks run, once a millisecond while there is much to send or receive."""
        now = time.monotonic()
        if now > self._slice_ends:
            await asyncio.sleep(0)
            self._slice_ends = time.monotonic() + _SLICE

    async def _next_turn(self) -> None:
        """Waits for the next poll."""
        if self._task is None or self._turn is None:
            raise RuntimeError("nothing polls it: use `async with`")
        await asyncio.wait({self._turn, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done() and not self._ended:
            self._task.result()

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            more = self.endpoint.poll()
            turn, self._turn = self._turn, loop.create_future()
            if turn is not None:
                turn.set_result(None)
            due = max(due + self._period, loop.time())
            await asyncio.sleep(0 if more else due - loop.time())


def connect(url: str, rate: float = 60, **config: Unpack[ConfigArgs]) -> Polled[Peer]:
    """wspeer.connect() for asyncio."""
    return Polled(opening.connect(url, **config), rate)


def listen(url: str, rate: float = 60, **config: Unpack[ConfigArgs]) -> Polled[Server]:
    """wspeer.listen() for asyncio."""
    return Polled(opening.listen(url, **config), rate)


def host(url: str, rate: float = 60, **config: Unpack[ConfigArgs]) -> Polled[MultiplayerPeer]:
    """wspeer.host() for asyncio."""
    return Polled(opening.host(url, **config), rate)


def join(url: str, rate: float = 60, **config: Unpack[ConfigArgs]) -> Polled[MultiplayerPeer]:
    """wspeer.join() for asyncio."""
    return Polled(opening.join(url, **config), rate)
