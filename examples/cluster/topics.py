"""Local fan-out: who on this node gets the messages of a topic."""

from __future__ import annotations

from typing import Callable

import wspeer


class Topics:
    """Sets of clients by topic. `close(peer, code, reason)` is called for a client whose queue is full."""

    def __init__(self, server: wspeer.Server, close: Callable[[wspeer.Peer, int, str], None]) -> None:
        self.server, self.close = server, close
        self.topics: dict[str, set[wspeer.Peer]] = {}

    def subscribe(self, peer: wspeer.Peer, topic: str) -> None:
        self.topics.setdefault(topic, set()).add(peer)

    def unsubscribe(self, peer: wspeer.Peer, topic: str) -> None:
        subscribers = self.topics.get(topic, set())
        subscribers.discard(peer)
        if not subscribers:
            self.topics.pop(topic, None)

    def publish(self, topic: str, text: str) -> None:
        for peer in list(self.topics.get(topic, ())):
            try:
                peer.send(text)
            except wspeer.QueueFull:
                self.close(peer, 1013, "too slow")
            except wspeer.StateError:
                pass  # it has left
