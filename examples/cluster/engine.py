#!/usr/bin/env python3
"""The engine that joins the nodes: NATS with JetStream.

One stream stores the messages of all rooms, on disk, the last HISTORY of each. Its sequence numbers are the offsets.
It drops a message whose id it has stored within WINDOW_S. Each stored message is also sent to `live.ROOM` with the
offset of the one before it in its room: a node subscribes to the rooms of its players, and sees when it has missed one.
Presence needs no store: it goes through plain NATS.

Everything here waits in asyncio, and never in the node's frames.

Usage: engine.py URL HISTORY [REPLICAS]       creates the stream, or changes its bounds; do it before the first node"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import sys
from collections.abc import Awaitable
from typing import Any, Callable

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext, api

STREAM = "ROOMS"
WINDOW_S = 120
MAX_BYTES = 256 * 1024 * 1024
# Time for an answer of the engine; time between two tries to connect, and to ask it again.
ANSWER_S = 2.0
CONNECT_S = 1
RETRY_S = 0.2
# Bytes that wait while the engine is not connected. Each player has at most one message under way.
PENDING_BYTES = 4 * 1024 * 1024
# Messages of a room that wait for this node; when it is full, one is dropped, missed and read from the store.
PENDING_MESSAGES = 4096

# Rooms that are read at the same time.
READERS = 16

# What the client raises when the engine is down or slow.
Unavailable = (nats.errors.Error, asyncio.TimeoutError, OSError)


@dataclasses.dataclass
class Read:
    """Messages of a room: all above `floor`, and at least up to `upto`."""

    floor: int
    upto: int
    messages: list[tuple[int, bytes]]


class Engine:
    """A connection that is opened again whenever it is lost. `on_live(room, offset, previous, body)` is called for each
    message of a room that is followed, `on_presence(message)` for each announcement, `on_up()` after each connect and
    `on_missed()` when messages were dropped."""

    def __init__(
        self,
        url: str,
        on_live: Callable[[str, int, int, bytes], None],
        on_presence: Callable[[dict[str, Any]], Awaitable[None]],
        on_up: Callable[[], None],
        on_missed: Callable[[], None],
    ) -> None:
        self.url = url
        self.on_live, self.on_presence, self.on_up, self.on_missed = on_live, on_presence, on_up, on_missed
        # When the stream was created: offsets of another stream mean nothing. And how many messages a room has at most.
        self.epoch, self.history = "", 0
        self._up = asyncio.Event()
        self._readers = asyncio.Semaphore(READERS)
        self._client = Client()
        self._stream: JetStreamContext = self._client.jetstream(timeout=ANSWER_S)

    async def open(self) -> None:
        """Waits until the engine is there."""
        while True:
            try:
                await self._client.connect(
                    self.url,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=CONNECT_S,
                    connect_timeout=1,
                    ping_interval=1,
                    max_outstanding_pings=2,
                    pending_size=PENDING_BYTES,
                    error_cb=self._failed,
                    disconnected_cb=self._disconnected,
                    reconnected_cb=self._connected,
                )
                break
            except Unavailable:
                await asyncio.sleep(RETRY_S)
        await self._client.subscribe("presence", cb=self._presence)
        await self._connected()
        await self._up.wait()

    async def close(self) -> None:
        with contextlib.suppress(*Unavailable):
            await asyncio.wait_for(self._client.close(), ANSWER_S)

    async def put(self, room: str, message_id: str, body: bytes) -> bool:
        """Tries to store a message. Returns False if that is not certain: try again, the same id stores it once."""
        if not self._up.is_set():
            return False
        try:
            await self._stream.publish(f"room.{room}", body, timeout=ANSWER_S, headers={"Nats-Msg-Id": message_id})
        except Unavailable:
            return False
        return True

    async def follow(self, room: str) -> Subscription:
        """Subscribes to the messages of a room."""
        return await self._client.subscribe(f"live.{room}", cb=self._live, pending_msgs_limit=PENDING_MESSAGES)

    async def unfollow(self, subscription: Subscription | JetStreamContext.PullSubscription) -> None:
        with contextlib.suppress(*Unavailable):  # a connection that is lost has no subscriptions
            await subscription.unsubscribe()

    async def read(self, room: str, after: int) -> Read:
        """Reads the stored messages of a room behind an offset. Raises one of Unavailable."""
        async with self._readers:
            await self._up.wait()
            return await self._read(room, after)

    async def last(self, room: str) -> int:
        """The offset of the last message of a room, or 0. Raises one of Unavailable."""
        try:
            message = await self._stream.get_msg(STREAM, subject=f"room.{room}", direct=True)
        except nats.js.errors.NotFoundError:
            return 0
        return message.seq or 0

    async def announce(self, message: dict[str, Any]) -> None:
        """Sends to all nodes, this one too. It may be lost: announcements are numbered."""
        if self._up.is_set():
            with contextlib.suppress(*Unavailable):
                await self._client.publish("presence", json.dumps(message).encode())

    async def _read(self, room: str, after: int) -> Read:
        # What is stored later comes live, as the room was followed before.
        upto = (await self._stream.stream_info(STREAM)).state.last_seq
        messages = await self._fetch(room, after + 1)
        is_full = len(messages) >= self.history
        if messages:
            # Those that were trimmed while they were read may be missing between others: the oldest that is still there
            # and all behind it were read.
            oldest = await self._stream.get_msg(
                STREAM, seq=messages[0][0], subject=f"room.{room}", next=True, direct=True
            )
            first = oldest.seq or 0
            if is_full or first > messages[0][0]:
                return Read(first - 1, upto, [message for message in messages if message[0] >= first])
        # The room has fewer messages than it may have, so none of it was trimmed but with the oldest of all rooms.
        first = (await self._stream.stream_info(STREAM)).state.first_seq
        return Read(first - 1, upto, messages)

    async def _fetch(self, room: str, start: int) -> list[tuple[int, bytes]]:
        config = api.ConsumerConfig(
            deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=start,
            ack_policy=api.AckPolicy.NONE,
            mem_storage=True,
            inactive_threshold=5,
        )
        reader = await self._stream.pull_subscribe(f"room.{room}", stream=STREAM, config=config)
        try:
            count = (await reader.consumer_info()).num_pending
            if not count:
                return []
            # Exactly so many: a request that is not filled waits for its timeout.
            messages = await reader.fetch(count, timeout=ANSWER_S)
        finally:
            await self.unfollow(reader)
        if len(messages) != count or messages[-1].metadata.sequence.consumer != count:
            # Some were lost with a connection.
            raise nats.errors.UnexpectedEOF
        return [(message.metadata.sequence.stream, message.data) for message in messages]

    async def _connected(self) -> None:
        while self._client.is_connected:
            try:
                info = await self._stream.stream_info(STREAM)
            except Unavailable:
                await asyncio.sleep(RETRY_S)
            else:
                self.epoch, self.history = str(info.created), info.config.max_msgs_per_subject
                self._up.set()
                self.on_up()
                return

    async def _disconnected(self) -> None:
        self._up.clear()

    async def _failed(self, error: Exception) -> None:
        if isinstance(error, nats.errors.SlowConsumerError):
            self.on_missed()

    async def _live(self, message: Msg) -> None:
        headers = message.headers or {}
        self.on_live(
            message.subject.partition(".")[2],
            int(headers["Nats-Sequence"]),
            int(headers["Nats-Last-Sequence"]),
            message.data,
        )

    async def _presence(self, message: Msg) -> None:
        await self.on_presence(json.loads(message.data))


async def create(url: str, history: int, replicas: int) -> None:
    async with await nats.connect(url) as client:
        stream = client.jetstream()
        config = api.StreamConfig(
            name=STREAM,
            subjects=["room.*"],
            storage=api.StorageType.FILE,
            num_replicas=replicas,
            max_msgs_per_subject=history,
            max_bytes=MAX_BYTES,
            duplicate_window=WINDOW_S,
            allow_direct=True,
            republish=api.RePublish(src="room.*", dest="live.{{wildcard(1)}}"),
        )
        try:
            await stream.update_stream(config)
        except nats.js.errors.NotFoundError:
            await stream.add_stream(config)


if __name__ == "__main__":
    asyncio.run(create(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1))
